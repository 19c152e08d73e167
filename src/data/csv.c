/* The splitter. Cells of a record lie one behind the other in a block that is used again for the
 * next. */
#include "data/csv.h"
#include "data/csv_guess.h"
#include "data/csv_lines.h"
#include "data/csv_text.h"

#include "base/alloc.h"
#include "data/data.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

struct ia_csv {
    ia_csv_text in;
    const char *name;
    char separator;
    uint64_t line, record_line;
    char *text; /* of this record's cells, each ended by a zero byte */
    size_t used, text_cap;
    size_t *start; /* where each cell begins in text, and where the next one would */
    size_t cells, start_cap;
    ia_cell *cell;
    size_t cell_cap;
    ia_csv_marks marks; /* of the buffer as it is now */
    ia_csv_line *run;   /* [run_cap] */
    size_t run_cap;
    ia_csv_found found; /* of the last run */
};

static inarch_status csv_bad(const ia_csv *c, inarch_error *err, const char *why, const char *hint)
{
    return ia_fail(err, INARCH_BAD_FILE, c->name, hint, "'%.200s': line %" PRIu64 " %s", c->name,
                   c->line, why);
}

/* ---- bytes ---- */

static inarch_status csv_refill(ia_csv *c, inarch_error *err)
{
    c->marks = (ia_csv_marks){0};
    return ia_csv_text_more(&c->in, err);
}

#define CSV_END (-1)

/* The next byte without taking it, or CSV_END. *status tells of a failed read. */
static int csv_peek(ia_csv *c, inarch_status *status, inarch_error *err)
{
    while (c->in.at == c->in.len) {
        if (c->in.ended)
            return CSV_END;
        *status = csv_refill(c, err);
        if (*status != INARCH_OK)
            return CSV_END;
    }
    return c->in.bytes[c->in.at];
}

/* ---- cells ---- */

/* Room for n more bytes of text. */
static inarch_status csv_room(ia_csv *c, size_t n, inarch_error *err)
{
    if (c->used + n <= c->text_cap)
        return INARCH_OK;
    size_t cap = c->text_cap ? c->text_cap : 4096;
    while (cap < c->used + n)
        cap *= 2;
    if (cap > IA_CSV_MOST_RECORD)
        return csv_bad(c, err, "belongs to a row of more than 64 MB", "is a quote not closed?");
    char *text = ia_realloc(c->text, cap, 1);
    if (!text)
        return ia_fail_memory(err, "a row of a CSV file", cap);
    c->text = text;
    c->text_cap = cap;
    return INARCH_OK;
}

static inarch_status csv_append(ia_csv *c, const uint8_t *bytes, size_t n, inarch_error *err)
{
    IA_TRY(csv_room(c, n + 1, err));
    memcpy(c->text + c->used, bytes, n);
    c->used += n;
    return INARCH_OK;
}

/* The cell from start to text's end is complete. */
static inarch_status csv_end_cell(ia_csv *c, bool quoted, inarch_error *err)
{
    size_t start = c->start[c->cells];
    if (!quoted) {
        while (c->used > start && (c->text[c->used - 1] == ' ' || c->text[c->used - 1] == '\t'))
            c->used--;
        size_t blanks = 0;
        while (start + blanks < c->used &&
               (c->text[start + blanks] == ' ' || c->text[start + blanks] == '\t'))
            blanks++;
        if (blanks) {
            memmove(c->text + start, c->text + start + blanks, c->used - start - blanks);
            c->used -= blanks;
        }
    }
    IA_TRY(csv_room(c, 1, err));
    c->text[c->used++] = 0;
    if (c->cells + 1 > IA_DATA_MAX_COLUMNS)
        return ia_fail(err, INARCH_LIMIT, c->name, "", "'%.200s' has more than %d columns", c->name,
                       IA_DATA_MAX_COLUMNS);
    IA_TRY(ia_grow(&c->start, &c->start_cap, c->cells + 1, sizeof *c->start, "cells", err));
    c->start[++c->cells] = c->used;
    return INARCH_OK;
}

/* Behind the opening quote: up to and with the closing one. */
static inarch_status csv_quoted(ia_csv *c, inarch_error *err)
{
    uint64_t opened = c->line;
    for (;;) {
        inarch_status status = INARCH_OK;
        int byte = csv_peek(c, &status, err);
        IA_TRY(status);
        if (byte == CSV_END) {
            c->line = opened;
            return csv_bad(c, err, "opens a quote that is never closed", "");
        }
        /* A run without quotes goes over at once. */
        const uint8_t *from = c->in.bytes + c->in.at;
        const uint8_t *quote = memchr(from, '"', c->in.len - c->in.at);
        size_t n = quote ? (size_t)(quote - from) : c->in.len - c->in.at;
        for (size_t i = 0; i < n; i++)
            c->line += from[i] == '\n';
        IA_TRY(csv_append(c, from, n, err));
        c->in.at += n;
        if (!quote)
            continue;
        c->in.at++;
        byte = csv_peek(c, &status, err);
        IA_TRY(status);
        if (byte != '"')
            return INARCH_OK;
        IA_TRY(csv_append(c, (const uint8_t *)"\"", 1, err));
        c->in.at++;
    }
}

/* The unquoted bytes up to a separator or line end, which stays. */
static inarch_status csv_plain(ia_csv *c, inarch_error *err)
{
    for (;;) {
        inarch_status status = INARCH_OK;
        if (csv_peek(c, &status, err) == CSV_END)
            return status;
        size_t end = c->in.at;
        uint8_t separator = (uint8_t)c->separator;
        while (end < c->in.len && c->in.bytes[end] != separator && c->in.bytes[end] != '\n' &&
               c->in.bytes[end] != '\r')
            end++;
        IA_TRY(csv_append(c, c->in.bytes + c->in.at, end - c->in.at, err));
        c->in.at = end;
        if (end < c->in.len)
            return INARCH_OK;
    }
}

/* Blanks may stand between a closing quote and the separator, nothing else. */
static inarch_status csv_behind_quote(ia_csv *c, inarch_error *err)
{
    for (;;) {
        inarch_status status = INARCH_OK;
        int byte = csv_peek(c, &status, err);
        IA_TRY(status);
        if (byte == CSV_END || byte == c->separator || byte == '\n' || byte == '\r')
            return INARCH_OK;
        if (byte != ' ' && byte != '\t')
            return csv_bad(c, err, "has text behind a closing quote",
                           "a quote inside quotes is doubled");
        c->in.at++;
    }
}

/* ---- records ---- */

/* Takes a line end; CRLF is one. */
static inarch_status csv_take_line_end(ia_csv *c, inarch_error *err)
{
    inarch_status status = INARCH_OK;
    int byte = c->in.bytes[c->in.at++];
    if (byte == '\r' && csv_peek(c, &status, err) == '\n')
        c->in.at++;
    c->line++;
    return status;
}

static inarch_status csv_skip_blank_lines(ia_csv *c, bool *ended, inarch_error *err)
{
    inarch_status status = INARCH_OK;
    int byte;
    while ((byte = csv_peek(c, &status, err)) == '\n' || byte == '\r')
        IA_TRY(csv_take_line_end(c, err));
    *ended = byte == CSV_END;
    return status;
}

static inarch_status csv_record(ia_csv *c, inarch_error *err)
{
    for (;;) {
        inarch_status status = INARCH_OK;
        bool quoted = csv_peek(c, &status, err) == '"';
        IA_TRY(status);
        if (quoted) {
            c->in.at++;
            IA_TRY(csv_quoted(c, err));
            IA_TRY(csv_behind_quote(c, err));
        } else {
            IA_TRY(csv_plain(c, err));
        }
        IA_TRY(csv_end_cell(c, quoted, err));
        int byte = csv_peek(c, &status, err);
        IA_TRY(status);
        if (byte == CSV_END)
            return INARCH_OK;
        if (byte != c->separator)
            return csv_take_line_end(c, err);
        c->in.at++;
    }
}

inarch_status ia_csv_next(ia_csv *c, const ia_cell **cells, size_t *n, inarch_error *err)
{
    bool ended;
    *n = 0;
    IA_TRY(csv_skip_blank_lines(c, &ended, err));
    if (ended)
        return INARCH_OK;
    c->record_line = c->line;
    c->used = c->cells = 0;
    IA_TRY(csv_room(c, 1, err));
    IA_TRY(ia_grow(&c->start, &c->start_cap, 0, sizeof *c->start, "cells", err));
    c->start[0] = 0;
    IA_TRY(csv_record(c, err));
    IA_TRY(ia_grow(&c->cell, &c->cell_cap, c->cells, sizeof *c->cell, "cells", err));
    for (size_t i = 0; i < c->cells; i++) {
        ia_cell cell = {c->text + c->start[i], c->start[i + 1] - c->start[i] - 1};
        if (memchr(cell.text, 0, cell.len))
            return csv_bad(c, err, "or one behind it holds a zero byte: this is not text",
                           "save the table as UTF-8 CSV");
        c->cell[i] = cell;
    }
    *cells = c->cell;
    *n = c->cells;
    return INARCH_OK;
}

uint64_t ia_csv_line_number(const ia_csv *c)
{
    return c->record_line;
}

/* ---- many records at once ---- */

static inarch_status csv_run_room(ia_csv *c, size_t most, inarch_error *err)
{
    if (most <= c->run_cap)
        return INARCH_OK;
    ia_csv_line *run = ia_realloc(c->run, most, sizeof *run);
    if (!run)
        return ia_fail_memory(err, "lines of a CSV file", most * sizeof *run);
    c->run = run;
    c->run_cap = most;
    return INARCH_OK;
}

static void csv_find_run(ia_csv *c, size_t most, bool skip_blank)
{
    const ia_csv_text *t = &c->in;
    c->found = ia_csv_find_lines(t->bytes, t->at, t->len, t->ended, c->separator, skip_blank,
                                 &c->marks, c->run, most);
}

inarch_status ia_csv_lines(ia_csv *c, size_t most, bool skip_blank, ia_csv_run *run,
                           inarch_error *err)
{
    const ia_csv_text *t = &c->in;
    IA_TRY(csv_run_room(c, most, err));
    csv_find_run(c, most, skip_blank);
    /* A long rest is not moved: what it begins with is for ia_csv_next. */
    if (c->found.end == t->at && !t->ended && t->len - t->at < CSV_BUFFER / 2) {
        IA_TRY(csv_refill(c, err));
        csv_find_run(c, most, skip_blank);
    }
    *run = (ia_csv_run){t->bytes, c->run, c->found.n, c->found.end - t->at, c->line};
    return INARCH_OK;
}

void ia_csv_take(ia_csv *c, const ia_csv_run *run, size_t n)
{
    assert(run->line == c->run && n <= c->found.n);
    bool all = n == c->found.n;
    c->in.at = all ? c->found.end : run->line[n].at;
    c->line += all ? c->found.lines : run->line[n].line;
}

/* ---- opening ---- */

static inarch_status csv_begin(ia_csv *c, const ia_input *in, inarch_error *err)
{
    static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
    IA_TRY(ia_csv_text_open(&c->in, in, c->name, err));
    ia_csv_text *t = &c->in;
    const uint8_t *b = t->bytes;
    if (t->len >= 2 && ((b[0] == 0xff && b[1] == 0xfe) || (b[0] == 0xfe && b[1] == 0xff)))
        return ia_fail(err, INARCH_UNSUPPORTED, c->name, "save it as UTF-8",
                       "'%.200s' is UTF-16 text, which is not read", c->name);
    if (t->len >= sizeof mark && memcmp(b, mark, sizeof mark) == 0)
        t->at = sizeof mark;
    size_t n = t->len < CSV_GUESS_BYTES ? t->len : CSV_GUESS_BYTES;
    c->separator = ia_csv_guess(b + t->at, n - t->at, t->ended && n == t->len);
    return INARCH_OK;
}

inarch_status ia_csv_open(const ia_input *in, const char *name, ia_csv **out, inarch_error *err)
{
    ia_csv *c = ia_calloc(1, sizeof *c);
    if (!c)
        return ia_fail_memory(err, "a CSV file", sizeof *c);
    c->name = name;
    c->line = 1;
    inarch_status status = csv_begin(c, in, err);
    if (status != INARCH_OK) {
        ia_csv_close(c);
        return status;
    }
    *out = c;
    return INARCH_OK;
}

void ia_csv_close(ia_csv *c)
{
    if (!c)
        return;
    ia_csv_text_release(&c->in);
    ia_free(c->text);
    ia_free(c->start);
    ia_free(c->cell);
    ia_free(c->run);
    ia_free(c);
}

char ia_csv_separator(const ia_csv *c)
{
    return c->separator;
}
