/* What is said about a cell that cannot be used, and the check of all rows before they are. */
#include "data/internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define BLOCK 1024           /* numbers converted at once */
#define EXPONENT 0x7f800000u /* all ones: NaN or infinity */

/* ---- cells of a table ---- */

typedef struct fault_text {
    const char *says; /* after "row 3 (line 4), column 'age'"; %s is the cell */
    const char *hint; /* %s is the column's name */
} fault_text;

static const fault_text fault_texts[] = {
    [IA_FAULT_MISSING] = {"is missing", "missing values are not filled in yet; remove such rows, "
                                        "or drop the column with --drop %s"},
    [IA_FAULT_TEXT] = {"is text: '%s'",
                       "columns of text are not encoded yet; drop it with --drop %s"},
    [IA_FAULT_COMMA] = {"is '%s', with a decimal comma", "write decimal points"},
    [IA_FAULT_INFINITE] = {"is '%s', which is not a finite float32", ""},
    [IA_FAULT_NEGATIVE] = {"is '%s'; weights are 0 or more", ""},
};

inarch_status ia_fault_report(const ia_fault *f, const ia_origin *o, const char *column,
                              size_t place, bool is_label, inarch_error *err)
{
    char shown[96], subject[80], says[96], hint[256];
    snprintf(subject, sizeof subject, "%.70s", column ? column : "");
    if (!column)
        snprintf(subject, sizeof subject, "%zu", place);
    if (f->kind == IA_FAULT_UNNAMED)
        return ia_fail(err, INARCH_BAD_DATA, o->name,
                       "pandas writes its index so: save with index=False, or drop it with --drop "
                       "and its number",
                       "'%.200s': column %zu has no name", o->name, place);
    snprintf(shown, sizeof shown, column ? "'%s'" : "%s", subject);
    const fault_text *text = &fault_texts[f->kind];
    const char *advice = text->hint;
    if (is_label && f->kind == IA_FAULT_MISSING)
        advice = "remove the rows without a label";
    if (is_label && f->kind == IA_FAULT_TEXT)
        advice = "several label columns must be numbers";
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* the formats are the table above */
#endif
    snprintf(says, sizeof says, text->says, f->text);
    snprintf(hint, sizeof hint, advice, subject);
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
    return ia_fail(err, INARCH_BAD_DATA, o->name, hint,
                   "'%.150s': row %" PRIu64 " (line %" PRIu64 "), %scolumn %s %s", o->name, f->row,
                   f->line, is_label ? "label " : "", shown, says);
}

inarch_status ia_target_fault(const ia_data *d, size_t t, inarch_error *err)
{
    const ia_data_target *y = &d->target[t];
    const char *name = y->fault_column[0] ? y->fault_column : y->name;
    return ia_fault_report(&y->fault, d->origin, name, 0, true, err);
}

/* ---- numbers of arrays ---- */

/* "x[4, 0, 3]": where NumPy finds it. */
static const char *element_text(const char *name, uint64_t row, const ia_shape *shape, size_t at,
                                char *out, size_t size)
{
    size_t index[IA_MAX_RANK] = {0};
    for (int d = shape->rank - 1; d >= 0; d--) {
        index[d] = at % (size_t)shape->dim[d];
        at /= (size_t)shape->dim[d];
    }
    int n = snprintf(out, size, "%.60s[%" PRIu64, name, row);
    for (int d = 0; d < shape->rank && n > 0 && (size_t)n < size; d++)
        n += snprintf(out + n, size - (size_t)n, ", %zu", index[d]);
    if (n > 0 && (size_t)n < size)
        snprintf(out + n, size - (size_t)n, "]");
    return out;
}

static inarch_status report_element(const ia_data *d, const char *name, uint64_t row,
                                    const ia_shape *shape, size_t at, double v, inarch_error *err)
{
    char where[160];
    element_text(name, row, shape, at, where, sizeof where);
    if (isfinite(v))
        return ia_fail(err, INARCH_BAD_DATA, d->origin->name, "",
                       "'%.150s': %s is %g, too large for float32", d->origin->name, where, v);
    return ia_fail(err, INARCH_BAD_DATA, d->origin->name, "replace it, or remove the row",
                   "'%.150s': %s is %s", d->origin->name, where,
                   isnan(v) ? "nan"
                   : v > 0  ? "inf"
                            : "-inf");
}

/* Integers, since compilers turn this into vector code: a large table is as fast as memory. */
static bool all_finite(const float *x, size_t n)
{
    uint32_t bad = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, sizeof bits);
        bad |= (bits & EXPONENT) == EXPONENT;
    }
    return !bad;
}

/* The first of n numbers that is not a finite float32; n when all are. */
static size_t find_bad(ia_dtype dtype, const void *data, size_t n)
{
    float block[BLOCK];
    size_t item = ia_dtype_size(dtype);
    for (size_t at = 0; at < n; at += BLOCK) {
        size_t m = n - at < BLOCK ? n - at : BLOCK;
        ia_dtype_to_f32(dtype, (const uint8_t *)data + at * item, m, block);
        if (all_finite(block, m))
            continue;
        for (size_t i = 0; i < m; i++)
            if (!isfinite(block[i]))
                return at + i;
    }
    return n;
}

/* All rows of the view of one array. Where that is the whole array, it is remembered: data are
 * checked each time they are given to a model. */
static inarch_status check_rows(const ia_data *d, const char *name, const ia_shape *shape,
                                ia_rows *rows, inarch_error *err)
{
    size_t width = ia_rows_width(rows);
    if (!ia_dtype_is_float(ia_rows_dtype(rows)) || width == 0 || atomic_load(&rows->finite))
        return INARCH_OK;
    for (uint64_t r = 0; r < d->rows;) {
        size_t n = 1;
        uint64_t row = ia_data_source_row(d, r);
        const void *data = ia_rows_at(rows, row, d->index ? NULL : &n);
        n = n < d->rows - r ? n : (size_t)(d->rows - r);
        size_t bad = find_bad(ia_rows_dtype(rows), data, n * width);
        if (bad < n * width)
            return report_element(d, name, row + bad / width, shape, bad % width,
                                  ia_rows_number(rows, row + bad / width, bad % width), err);
        r += n;
    }
    if (!d->index && d->begin == 0 && d->rows == ia_rows_count(rows))
        atomic_store(&rows->finite, true);
    return INARCH_OK;
}

/* ---- the check ---- */

/* Whether a row of this view has a cell of the column that is no finite number: what is wrong in
 * rows that were left out does not matter. */
static bool column_is_bad(const ia_data *d, const ia_data_input *x, size_t column)
{
    for (uint64_t r = 0; r < d->rows; r++)
        if (!isfinite(ia_rows_number(x->rows, ia_data_source_row(d, r), column)))
            return true;
    return false;
}

static inarch_status check_input(const ia_data *d, size_t i, inarch_error *err)
{
    const ia_data_input *x = &d->input[i];
    const ia_origin *o = d->origin;
    if (!x->rows)
        return INARCH_OK;
    if (i > 0 || o->columns == 0 || !o->separator)
        return check_rows(d, x->name, &x->shape, x->rows, err);
    size_t n = ia_data_input_count(d, 0);
    for (size_t c = 0; c < n; c++) {
        size_t at = x->pick ? x->pick[c] : c;
        const ia_column *column = &o->column[at];
        if (column->fault.kind == IA_FAULT_UNNAMED ||
            (column->fault.kind != IA_FAULT_NONE && column_is_bad(d, x, at)))
            return ia_fault_report(&column->fault, o, column->name, column->place, false, err);
    }
    return INARCH_OK;
}

static inarch_status check_target(const ia_data *d, size_t t, inarch_error *err)
{
    const ia_data_target *y = &d->target[t];
    if (y->fault.kind != IA_FAULT_NONE)
        return ia_target_fault(d, t, err);
    if (!y->rows || y->words || y->is_column)
        return INARCH_OK;
    return check_rows(d, y->name, &y->shape, y->rows, err);
}

static inarch_status check_weights(const ia_data *d, inarch_error *err)
{
    const ia_origin *o = d->origin;
    if (!d->weights)
        return INARCH_OK;
    if (o->weight_fault.kind != IA_FAULT_NONE)
        return ia_fault_report(&o->weight_fault, o, o->weight_name, 0, false, err);
    const ia_shape single = {.rank = 0};
    IA_TRY(check_rows(d, "sample_weight", &single, d->weights, err));
    for (uint64_t r = 0; r < d->rows; r++) {
        uint64_t row = ia_data_source_row(d, r);
        double v = ia_rows_number(d->weights, row, 0);
        if (v < 0)
            return ia_fail(err, INARCH_BAD_DATA, o->name, "",
                           "'%.150s': sample_weight[%" PRIu64 "] is %g; weights are 0 or more",
                           o->name, row, v);
    }
    return INARCH_OK;
}

inarch_status ia_data_check(const ia_data *d, bool with_targets, inarch_error *err)
{
    const char *name = d->origin->name;
    if (d->rows == 0)
        return ia_fail(err, INARCH_BAD_DATA, name, "", "'%.200s' has no rows", name);
    if (d->inputs == 0)
        return ia_fail(err, INARCH_BAD_DATA, name, "", "'%.200s' has no inputs", name);
    for (size_t i = 0; i < d->inputs; i++)
        IA_TRY(check_input(d, i, err));
    if (!with_targets)
        return INARCH_OK;
    for (size_t t = 0; t < d->targets; t++)
        IA_TRY(check_target(d, t, err));
    return check_weights(d, err);
}
