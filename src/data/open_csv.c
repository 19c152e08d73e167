/* A CSV file as data: one input of all its columns but the labels, dropped ones and the weight.
 *
 * One pass; numbers become float32 as they are read, so a table costs its numbers and a buffer. A
 * cell that is no number is remembered, not refused: align_columns may leave its column out. Here
 * is what a record means; lines that are plain records are read in bulk (table_lines.c). */
#include "data/sources.h"
#include "data/table.h"

#include "base/alloc.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void table_release(ia_table *t)
{
    for (size_t i = 0; t->label && i < t->roles.labels; i++)
        ia_label_release(&t->label[i]);
    ia_free(t->label);
    ia_roles_release(&t->roles);
    ia_csv_close(t->csv);
    ia_rows_unref(t->inputs);
    ia_rows_unref(t->weights);
    ia_free(t->input_at);
    ia_free(t->output);
    ia_table_release_lines(t);
    ia_data_free(t->d);
}

/* The name of a column for messages; its number where it has none. Lent. */
static const char *column_name(const ia_table *t, size_t at, char *out, size_t size)
{
    if (t->roles.name && t->roles.name[at][0])
        return t->roles.name[at];
    snprintf(out, size, "%zu", at + 1);
    return out;
}

/* ---- set-up from the first record ---- */

static inarch_status start_inputs(ia_table *t, inarch_error *err)
{
    ia_origin *o = t->d->origin;
    const ia_roles *r = &t->roles;
    t->input_at = ia_calloc(r->columns, sizeof *t->input_at);
    if (!t->input_at)
        return ia_fail_memory(err, "the columns of a table", r->columns * sizeof *t->input_at);
    for (size_t i = 0; i < r->columns; i++)
        if (r->role[i] == IA_ROLE_INPUT)
            t->input_at[t->n_inputs++] = i;
    if (t->n_inputs == 0)
        return ia_fail(err, INARCH_BAD_DATA, t->name, "", "'%.200s' has no columns left as inputs",
                       t->name);
    o->column = ia_calloc(t->n_inputs, sizeof *o->column);
    if (!o->column)
        return ia_fail_memory(err, "the columns of a table", t->n_inputs * sizeof *o->column);
    o->columns = t->n_inputs;
    for (size_t i = 0; i < t->n_inputs; i++) {
        ia_column *column = &o->column[i];
        column->place = t->input_at[i] + 1;
        if (!r->name)
            continue;
        column->name = ia_strdup(r->name[t->input_at[i]]);
        if (!column->name)
            return ia_fail_memory(err, "names of columns", 1);
        if (column->name[0] == 0)
            column->fault.kind = IA_FAULT_UNNAMED;
    }
    return ia_rows_new(IA_F32, t->n_inputs, &t->inputs, err);
}

static inarch_status start_weight(ia_table *t, size_t at, inarch_error *err)
{
    char place[24];
    if (t->weights)
        return ia_fail(err, INARCH_BAD_ARGUMENT, t->name, "",
                       "'%.200s': one column can be the weight, not several", t->name);
    t->output[at] = t->outputs++;
    t->d->origin->weight_name = ia_strdup(column_name(t, at, place, sizeof place));
    if (!t->d->origin->weight_name)
        return ia_fail_memory(err, "names of columns", 1);
    return ia_rows_new(IA_F64, 1, &t->weights, err);
}

static inarch_status start_columns(ia_table *t, const ia_cell *cells, size_t n, inarch_error *err)
{
    ia_roles *r = &t->roles;
    char place[24];
    IA_TRY(ia_roles_start(r, t->name, cells, n, t->options, err));
    t->d->origin->header = r->name != NULL;
    IA_TRY(start_inputs(t, err));
    t->label = ia_calloc(r->labels, sizeof *t->label);
    t->output = ia_calloc(n, sizeof *t->output);
    if (!t->label || !t->output)
        return ia_fail_memory(err, "labels", r->labels * sizeof *t->label);
    for (size_t i = 0; i < r->labels; i++) {
        t->output[r->label[i]] = t->outputs++;
        IA_TRY(ia_label_start(&t->label[i], t->name,
                              column_name(t, r->label[i], place, sizeof place), err));
    }
    for (size_t i = 0; i < n; i++)
        if (r->role[i] == IA_ROLE_WEIGHT)
            IA_TRY(start_weight(t, i, err));
    return ia_table_start_lines(t, err);
}

/* ---- records ---- */

static inarch_status add_inputs(ia_table *t, const ia_cell *cells, const ia_fault *at,
                                inarch_error *err)
{
    void *row;
    IA_TRY(ia_rows_add(t->inputs, &row, err));
    float *x = row;
    for (size_t i = 0; i < t->n_inputs; i++) {
        double v;
        ia_cell cell = cells[t->input_at[i]];
        ia_fault_kind kind = ia_cell_number(cell, &v);
        x[i] = (float)v;
        if (kind != IA_FAULT_NONE)
            ia_fault_note(&t->d->origin->column[i].fault, kind, at, cell);
        if (kind == IA_FAULT_TEXT && t->roles.columns == 1 && memchr(cell.text, ' ', cell.len))
            return ia_fail(err, INARCH_BAD_FILE, t->name, "separate the columns by commas",
                           "'%.200s': line %" PRIu64 " has no tab, ';' or ',' between its columns",
                           t->name, at->line);
    }
    return INARCH_OK;
}

static inarch_status add_weight(ia_table *t, ia_cell cell, const ia_fault *at, inarch_error *err)
{
    void *slot;
    double v;
    IA_TRY(ia_rows_add(t->weights, &slot, err));
    ia_fault_kind kind = ia_cell_number(cell, &v);
    if (kind == IA_FAULT_NONE && v < 0)
        kind = IA_FAULT_NEGATIVE;
    ia_fault_note(&t->d->origin->weight_fault, kind, at, cell);
    *(double *)slot = v;
    return INARCH_OK;
}

inarch_status ia_table_add_outputs(ia_table *t, const ia_cell *cell, const ia_fault *at,
                                   inarch_error *err)
{
    size_t labels = t->roles.labels;
    for (size_t i = 0; i < labels; i++)
        IA_TRY(ia_label_add(&t->label[i], cell[i], at, err));
    return t->weights ? add_weight(t, cell[labels], at, err) : INARCH_OK;
}

static inarch_status add_record(ia_table *t, const ia_cell *cells, size_t n, inarch_error *err)
{
    const ia_roles *r = &t->roles;
    ia_fault at = {.row = ++t->row, .line = ia_csv_line_number(t->csv)};
    if (n != r->columns)
        return ia_fail(err, INARCH_BAD_FILE, t->name,
                       "a text with separators in it stands in quotes",
                       "'%.150s': row %" PRIu64 " (line %" PRIu64 ") has %zu column%s, but the %s "
                       "has %zu",
                       t->name, at.row, at.line, n, n == 1 ? "" : "s",
                       r->name ? "header" : "first row", r->columns);
    IA_TRY(add_inputs(t, cells, &at, err));
    for (size_t i = 0; i < n; i++)
        if (r->role[i] == IA_ROLE_LABEL || r->role[i] == IA_ROLE_WEIGHT)
            t->cell[t->output[i]] = cells[i];
    return ia_table_add_outputs(t, t->cell, &at, err);
}

/* The next record as the splitter finds it; *n is 0 at the end. */
static inarch_status read_record(ia_table *t, size_t *n, inarch_error *err)
{
    const ia_cell *cells;
    IA_TRY(ia_csv_next(t->csv, &cells, n, err));
    if (*n == 0 || (*n == 1 && cells[0].len == 0 && t->roles.columns > 1)) /* a line of blanks */
        return INARCH_OK;
    return add_record(t, cells, *n, err);
}

static inarch_status read_records(ia_table *t, inarch_error *err)
{
    const ia_cell *cells;
    size_t n, lines;
    IA_TRY(ia_csv_next(t->csv, &cells, &n, err));
    if (n == 0)
        return ia_fail(err, INARCH_BAD_DATA, t->name, "", "'%.200s' is empty", t->name);
    IA_TRY(start_columns(t, cells, n, err));
    if (!t->roles.name)
        IA_TRY(add_record(t, cells, n, err));
    do {
        IA_TRY(ia_table_add_lines(t, &lines, err));
        if (lines == 0)
            IA_TRY(read_record(t, &n, err));
    } while (n > 0);
    return INARCH_OK;
}

/* ---- the result ---- */

/* Target `y` is made of the n label columns from `first` on: their names, where the table has some.
 */
static inarch_status name_columns(const ia_table *t, size_t first, size_t n, ia_data_target *y,
                                  inarch_error *err)
{
    uint32_t number;
    if (!t->roles.name)
        return INARCH_OK;
    IA_TRY(ia_words_new(&y->columns, err));
    for (size_t i = first; i < first + n; i++)
        IA_TRY(ia_words_add(y->columns, t->label[i].name, strlen(t->label[i].name),
                            IA_DATA_MAX_COLUMNS, &number, err));
    return INARCH_OK;
}

static inarch_status put_label(ia_table *t, size_t i, inarch_error *err)
{
    const ia_shape single = {.rank = 0};
    const ia_label_column *l = &t->label[i];
    ia_rows *rows = ia_rows_ref(l->words ? l->codes : l->numbers);
    IA_TRY(ia_data_put_target(t->d, l->name, &single, rows, ia_words_ref(l->words), err));
    ia_data_target *y = &t->d->target[t->d->targets - 1];
    y->fault = l->fault;
    y->is_column = true;
    return name_columns(t, i, 1, y, err);
}

/* Several columns of numbers as one target of as many numbers a row. */
static inarch_status put_joined_labels(ia_table *t, inarch_error *err)
{
    size_t n = t->roles.labels;
    char name[200] = "";
    const ia_label_column *faulty = NULL;
    ia_rows *joined;
    for (size_t i = 0, used = 0; i < n; i++) {
        const ia_label_column *l = &t->label[i];
        if (l->words)
            return ia_fail(err, INARCH_UNSUPPORTED, t->name,
                           "several label columns must be numbers, or one for each output",
                           "'%.150s': label column '%.80s' holds text", t->name, l->name);
        if (!faulty && l->fault.kind != IA_FAULT_NONE)
            faulty = l;
        used += (size_t)snprintf(name + used, sizeof name - used, i ? ",%.60s" : "%.60s", l->name);
        if (used >= sizeof name)
            used = sizeof name - 1;
    }
    IA_TRY(ia_rows_new(IA_F64, n, &joined, err));
    for (uint64_t row = 0; row < t->row; row++) {
        void *slot;
        inarch_status status = ia_rows_add(joined, &slot, err);
        if (status != INARCH_OK) {
            ia_rows_unref(joined);
            return status;
        }
        for (size_t i = 0; i < n; i++)
            ((double *)slot)[i] = ia_rows_number(t->label[i].numbers, row, 0);
    }
    const ia_shape shape = ia_shape_1((int64_t)n);
    IA_TRY(ia_data_put_target(t->d, name, &shape, joined, NULL, err));
    ia_data_target *y = &t->d->target[0];
    y->is_column = true;
    if (faulty) {
        y->fault = faulty->fault;
        snprintf(y->fault_column, sizeof y->fault_column, "%.60s", faulty->name);
    }
    return name_columns(t, 0, n, y, err);
}

static inarch_status finish(ia_table *t, inarch_error *err)
{
    size_t labels = t->roles.labels;
    const ia_shape shape = ia_shape_1((int64_t)t->n_inputs);
    ia_rows *inputs = t->inputs, *weights = t->weights;
    t->inputs = t->weights = NULL;
    inarch_status status = ia_data_put_input(t->d, "x", &shape, inputs, err);
    if (weights && status == INARCH_OK)
        status = ia_data_put_weights(t->d, weights, err);
    else
        ia_rows_unref(weights);
    IA_TRY(status);
    if (t->roles.name)
        IA_TRY(ia_data_name_columns(t->d, err));
    if (labels == 1 || (labels > 1 && labels == t->options->outputs)) {
        if (labels > IA_DATA_MAX_PORTS)
            return ia_fail(err, INARCH_LIMIT, t->name, "", "'%.200s': %zu outputs are too many",
                           t->name, labels);
        for (size_t i = 0; i < labels; i++)
            IA_TRY(put_label(t, i, err));
        return INARCH_OK;
    }
    return labels ? put_joined_labels(t, err) : INARCH_OK;
}

inarch_status ia_data_open_csv(const ia_input *in, const char *name, const ia_data_options *o,
                               ia_data **out, inarch_error *err)
{
    inarch_status status;
    ia_table t = {.name = name, .options = o};
    IA_TRY_GOTO(ia_data_start(name, "csv", &t.d, err));
    IA_TRY_GOTO(ia_csv_open(in, name, &t.csv, err));
    t.d->origin->separator = ia_csv_separator(t.csv);
    IA_TRY_GOTO(read_records(&t, err));
    IA_TRY_GOTO(finish(&t, err));
    *out = t.d;
    t.d = NULL;
done:
    table_release(&t);
    return status;
}
