/* Finding lines by memchr, and cells in them. Touches nothing: cells lie in the text. */
#include "data/csv_lines.h"

#include <string.h>

static size_t lines_seek(const uint8_t *bytes, size_t *mark, size_t from, size_t end, int byte)
{
    if (*mark <= from) {
        const uint8_t *found = memchr(bytes + from, byte, end - from);
        *mark = found ? (size_t)(found - bytes) : end;
    }
    return *mark;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

/* Quotes that open a cell close it on this line, with nothing but blanks behind them, and hold no
 * quote. */
static bool quotes_are_plain(const uint8_t *line, const uint8_t *end, uint8_t separator)
{
    const uint8_t *q = line;
    while ((q = memchr(q, '"', (size_t)(end - q)))) {
        bool opens = q == line || q[-1] == separator;
        q++;
        if (!opens)
            continue; /* 5" disk */
        q = memchr(q, '"', (size_t)(end - q));
        if (!q)
            return false;
        q++;
        while (q < end && is_blank(*q) && *q != separator)
            q++;
        if (q < end && *q != separator)
            return false;
    }
    return true;
}

/* One cell without text: the splitter gives such a record, and tables skip it. */
static bool line_is_blank(const uint8_t *line, const uint8_t *end, uint8_t separator)
{
    if (end - line >= 2 && line[0] == '"' && line[1] == '"')
        line += 2;
    while (line < end && is_blank(*line) && *line != separator)
        line++;
    return line == end;
}

ia_csv_found ia_csv_find_lines(const uint8_t *bytes, size_t at, size_t len, bool last,
                               char separator, bool skip_blank, ia_csv_marks *m, ia_csv_line *out,
                               size_t most)
{
    ia_csv_found f = {.end = at};
    uint8_t sep = (uint8_t)separator;
    while (f.n < most && f.end < len) {
        size_t end = lines_seek(bytes, &m->line_end, f.end, len, '\n'), text_end = end;
        if (end == len && !last)
            break;
        if (lines_seek(bytes, &m->zero, f.end, len, 0) < end)
            break;
        if (lines_seek(bytes, &m->cr, f.end, len, '\r') < end) {
            if (m->cr != end - 1)
                break;
            text_end--;
        }
        const uint8_t *line = bytes + f.end, *stop = bytes + text_end;
        if (lines_seek(bytes, &m->quote, f.end, len, '"') < end &&
            !quotes_are_plain(line, stop, sep))
            break;
        if (line < stop && !(skip_blank && line_is_blank(line, stop, sep)))
            out[f.n++] = (ia_csv_line){(uint32_t)f.end, (uint32_t)f.lines};
        f.lines++;
        f.end = end < len ? end + 1 : len;
    }
    return f;
}

static bool ends_cell(uint8_t c, uint8_t separator)
{
    return c == separator || c == '\n' || c == '\r';
}

ia_cell ia_csv_line_cell(const uint8_t **at, char separator)
{
    const uint8_t *s = *at, *begin = s, *end;
    uint8_t sep = (uint8_t)separator;
    if (*s == '"') {
        begin = ++s;
        while (*s != '"')
            s++;
        end = s++;
        while (!ends_cell(*s, sep))
            s++;
    } else {
        while (!ends_cell(*s, sep))
            s++;
        end = s;
        while (end > begin && is_blank(end[-1]))
            end--;
        while (begin < end && is_blank(*begin))
            begin++;
    }
    *at = s;
    return (ia_cell){(const char *)begin, (size_t)(end - begin)};
}
