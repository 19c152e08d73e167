/* Cells of a table: numbers, missing ones, and columns of labels. */
#include "data/table.h"

#include "base/alloc.h"
#include "base/cursor.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

/* The first are missing everywhere; a label may be called by the others. */
static const char *const missing_words[] = {"NA",   "N/A",  "n/a",  "NaN",  "nan", "NAN",
                                            "NULL", "null", "None", "none", "na",  "?"};
#define MISSING_LABELS 8

static bool is_missing(ia_cell cell, size_t words)
{
    if (cell.len == 0)
        return true;
    for (size_t i = 0; i < words && cell.len <= 4; i++)
        if (strlen(missing_words[i]) == cell.len &&
            memcmp(cell.text, missing_words[i], cell.len) == 0)
            return true;
    return false;
}

/* 1,5 or -0,25: a number once its only comma is a point. */
static bool is_decimal_comma(ia_cell cell)
{
    char copy[48];
    double v;
    const char *comma = memchr(cell.text, ',', cell.len);
    if (!comma || cell.len >= sizeof copy)
        return false;
    memcpy(copy, cell.text, cell.len);
    copy[comma - cell.text] = '.';
    return ia_parse_double(copy, cell.len, &v);
}

ia_fault_kind ia_cell_number(ia_cell cell, double *out)
{
    if (ia_parse_double(cell.text, cell.len, out)) {
        if (isfinite((float)*out))
            return IA_FAULT_NONE;
        return isnan(*out) ? IA_FAULT_MISSING : IA_FAULT_INFINITE;
    }
    *out = (double)NAN;
    if (is_missing(cell, IA_COUNT(missing_words)))
        return IA_FAULT_MISSING;
    return is_decimal_comma(cell) ? IA_FAULT_COMMA : IA_FAULT_TEXT;
}

void ia_fault_note(ia_fault *f, ia_fault_kind kind, const ia_fault *at, ia_cell cell)
{
    if (f->kind != IA_FAULT_NONE || kind == IA_FAULT_NONE)
        return;
    *f = *at;
    f->kind = kind;
    /* Cut at a character: what is left of one would be shown as '?'. */
    size_t n = cell.len < sizeof f->text ? cell.len : sizeof f->text - 1;
    while (n < cell.len && n > 0 && ((uint8_t)cell.text[n] & 0xc0) == 0x80)
        n--;
    memcpy(f->text, cell.text, n);
    f->text[n] = 0;
}

/* ---- labels ---- */

inarch_status ia_label_start(ia_label_column *l, const char *file, const char *name,
                             inarch_error *err)
{
    l->file = file;
    l->name = ia_strdup(name);
    if (!l->name)
        return ia_fail_memory(err, "names of columns", strlen(name));
    return ia_rows_new(IA_F64, 1, &l->numbers, err);
}

void ia_label_release(ia_label_column *l)
{
    ia_free(l->name);
    ia_rows_unref(l->numbers);
    ia_rows_unref(l->codes);
    ia_words_unref(l->words);
    *l = (ia_label_column){.name = NULL};
}

static inarch_status label_add_word(ia_label_column *l, const char *text, size_t n,
                                    inarch_error *err)
{
    uint32_t number;
    void *code;
    IA_TRY(ia_words_add(l->words, text, n, IA_DATA_MAX_CLASSES, &number, err));
    IA_TRY(ia_rows_add(l->codes, &code, err));
    *(int32_t *)code = (int32_t)number;
    return INARCH_OK;
}

static inarch_status label_add_number_as_word(ia_label_column *l, double v, inarch_error *err)
{
    char text[40];
    ia_format_double(v, text, sizeof text);
    return label_add_word(l, text, strlen(text), err);
}

static inarch_status label_add_missing(ia_label_column *l, inarch_error *err)
{
    void *slot;
    if (l->words) {
        IA_TRY(ia_rows_add(l->codes, &slot, err));
        *(int32_t *)slot = -1;
    } else {
        IA_TRY(ia_rows_add(l->numbers, &slot, err));
        *(double *)slot = (double)NAN;
    }
    return INARCH_OK;
}

/* The first word: all numbers before it become words. */
static inarch_status label_turn_to_words(ia_label_column *l, inarch_error *err)
{
    IA_TRY(ia_words_new(&l->words, err));
    IA_TRY(ia_rows_new(IA_I32, 1, &l->codes, err));
    for (uint64_t row = 0; row < ia_rows_count(l->numbers); row++) {
        double v = ia_rows_number(l->numbers, row, 0);
        if (isnan(v))
            IA_TRY(label_add_missing(l, err));
        else
            IA_TRY(label_add_number_as_word(l, v, err));
    }
    ia_rows_unref(l->numbers);
    l->numbers = NULL;
    return INARCH_OK;
}

inarch_status ia_label_add(ia_label_column *l, ia_cell cell, const ia_fault *at, inarch_error *err)
{
    double v = 0;
    bool number = ia_parse_double(cell.text, cell.len, &v);
    if (is_missing(cell, MISSING_LABELS) || (number && isnan(v))) {
        ia_fault_note(&l->fault, IA_FAULT_MISSING, at, cell);
        return label_add_missing(l, err);
    }
    if (number && !isfinite((float)v))
        ia_fault_note(&l->fault, IA_FAULT_INFINITE, at, cell);
    if (!number && !ia_utf8_valid(cell.text, cell.len))
        return ia_fail(err, INARCH_BAD_FILE, l->file, "save the file as UTF-8",
                       "'%.150s': row %llu (line %llu), label column '%.80s' is not UTF-8 text",
                       l->file, (unsigned long long)at->row, (unsigned long long)at->line, l->name);
    if (!number && !l->words)
        IA_TRY(label_turn_to_words(l, err));
    if (!l->words) {
        void *slot;
        IA_TRY(ia_rows_add(l->numbers, &slot, err));
        *(double *)slot = v;
        return INARCH_OK;
    }
    return number ? label_add_number_as_word(l, v, err)
                  : label_add_word(l, cell.text, cell.len, err);
}
