/* Building data in memory: inputs, targets, weights and column names are added one by one, or rows
 * come from a callback. The first addition decides the number of rows, the others must agree. */
#include "data/internal.h"

#include "base/alloc.h"

#include <stdio.h>
#include <string.h>

static inarch_status data_agree(ia_data *d, const char *what, size_t rows, inarch_error *err)
{
    ia_origin *o = d->origin;
    if (o->has_rows && o->rows != rows) {
        const char *first = d->inputs ? d->input[0].name : d->targets ? d->target[0].name : "it";
        return ia_fail(err, INARCH_BAD_DATA, o->name, "",
                       "'%.150s': %.60s has %zu rows, but %.60s has %zu", o->name, first, o->rows,
                       what, rows);
    }
    o->has_rows = true;
    o->rows = d->rows = rows;
    return INARCH_OK;
}

static inarch_status data_check_port(ia_data *d, size_t ports, const char *what, size_t rows,
                                     inarch_error *err)
{
    if (ports == IA_DATA_MAX_PORTS)
        return ia_fail(err, INARCH_LIMIT, d->origin->name, "",
                       "'%.200s' has more than %d inputs or targets", d->origin->name,
                       IA_DATA_MAX_PORTS);
    return data_agree(d, what, rows, err);
}

inarch_status ia_data_put_input(ia_data *d, const char *name, const ia_shape *shape, ia_rows *rows,
                                inarch_error *err)
{
    inarch_status status = data_check_port(d, d->inputs, name, ia_rows_count(rows), err);
    char *copy = ia_strdup(name);
    if (status == INARCH_OK && !copy)
        status = ia_fail_memory(err, "the name of an input", strlen(name));
    if (status != INARCH_OK) {
        ia_free(copy);
        ia_rows_unref(rows);
        return status;
    }
    d->input[d->inputs++] = (ia_data_input){.name = copy, .shape = *shape, .rows = rows};
    return INARCH_OK;
}

inarch_status ia_data_put_target(ia_data *d, const char *name, const ia_shape *shape, ia_rows *rows,
                                 ia_words *words, inarch_error *err)
{
    inarch_status status = data_check_port(d, d->targets, name, ia_rows_count(rows), err);
    char *copy = ia_strdup(name);
    if (status == INARCH_OK && !copy)
        status = ia_fail_memory(err, "the name of a target", strlen(name));
    if (status != INARCH_OK) {
        ia_free(copy);
        ia_rows_unref(rows);
        ia_words_unref(words);
        return status;
    }
    ia_data_target *t = &d->target[d->targets++];
    *t = (ia_data_target){.name = copy, .shape = *shape, .rows = rows, .words = words};
    return INARCH_OK;
}

inarch_status ia_data_put_weights(ia_data *d, ia_rows *rows, inarch_error *err)
{
    inarch_status status = data_agree(d, "the sample weights", ia_rows_count(rows), err);
    if (status == INARCH_OK && ia_rows_width(rows) != 1)
        status = ia_fail(err, INARCH_BAD_DATA, d->origin->name, "",
                         "'%.200s' has %zu sample weights a row; one is needed", d->origin->name,
                         ia_rows_width(rows));
    if (status != INARCH_OK) {
        ia_rows_unref(rows);
        return status;
    }
    ia_rows_unref(d->weights);
    d->weights = rows;
    return INARCH_OK;
}

static inarch_status array_rows(const ia_data *d, const char *what, const ia_array *a,
                                ia_shape *row, ia_rows **out, inarch_error *err)
{
    if (a->shape.rank < 1)
        return ia_fail(err, INARCH_BAD_DATA, d->origin->name, "",
                       "'%.200s': %.60s is a single number and has no rows", d->origin->name, what);
    *row = ia_shape_of(a->shape.rank - 1, a->shape.dim + 1);
    return ia_rows_from_array(a, out, err);
}

inarch_status ia_data_add_input(ia_data *d, const char *name, const ia_array *a, inarch_error *err)
{
    ia_shape row;
    ia_rows *rows;
    IA_TRY(array_rows(d, name, a, &row, &rows, err));
    return ia_data_put_input(d, name, &row, rows, err);
}

inarch_status ia_data_add_target(ia_data *d, const char *name, const ia_array *a, inarch_error *err)
{
    ia_shape row;
    ia_rows *rows;
    IA_TRY(array_rows(d, name, a, &row, &rows, err));
    return ia_data_put_target(d, name, &row, rows, NULL, err);
}

inarch_status ia_data_set_weights(ia_data *d, const ia_array *a, inarch_error *err)
{
    ia_shape row;
    ia_rows *rows;
    IA_TRY(array_rows(d, "the array of sample weights", a, &row, &rows, err));
    return ia_data_put_weights(d, rows, err);
}

inarch_status ia_data_add_text(ia_data *d, const char *name, const char *const *labels, size_t rows,
                               inarch_error *err)
{
    inarch_status status = INARCH_OK;
    ia_words *words = NULL;
    ia_rows *codes = NULL;
    const ia_shape single = {.rank = 0};
    IA_TRY_GOTO(ia_words_new(&words, err));
    IA_TRY_GOTO(ia_rows_new(IA_I32, 1, &codes, err));
    for (size_t i = 0; i < rows; i++) {
        uint32_t number;
        void *code;
        IA_TRY_GOTO(
            ia_words_add(words, labels[i], strlen(labels[i]), IA_DATA_MAX_CLASSES, &number, err));
        IA_TRY_GOTO(ia_rows_add(codes, &code, err));
        *(int32_t *)code = (int32_t)number;
    }
    return ia_data_put_target(d, name, &single, codes, words, err);
done:
    ia_words_unref(words);
    ia_rows_unref(codes);
    return status;
}

inarch_status ia_data_name_columns(ia_data *d, inarch_error *err)
{
    const ia_origin *o = d->origin;
    const char **names = ia_calloc(o->columns, sizeof *names);
    if (!names)
        return ia_fail_memory(err, "names of columns", o->columns * sizeof *names);
    for (size_t i = 0; i < o->columns; i++)
        names[i] = o->column[i].name;
    ia_free(d->input[0].names);
    d->input[0].names = names;
    return INARCH_OK;
}

inarch_status ia_data_set_columns(ia_data *d, const char *const *names, size_t n, inarch_error *err)
{
    ia_origin *o = d->origin;
    size_t width = d->inputs ? ia_data_input_count(d, 0) : 0;
    if (o->columns || d->inputs != 1 || d->input[0].shape.rank != 1 || width != n)
        return ia_fail(err, INARCH_BAD_ARGUMENT, o->name, "",
                       "'%.200s' cannot take %zu column names: its rows have %zu numbers", o->name,
                       n, width);
    o->column = ia_calloc(n, sizeof *o->column);
    if (!o->column)
        return ia_fail_memory(err, "names of columns", n * sizeof *o->column);
    o->columns = n;
    for (size_t i = 0; i < n; i++) {
        o->column[i].place = i + 1;
        o->column[i].name = ia_strdup(names[i]);
        if (!o->column[i].name)
            return ia_fail_memory(err, "names of columns", n);
    }
    return ia_data_name_columns(d, err);
}

/* ---- rows from a callback ---- */

static inarch_status source_port_name(const char *base, size_t i, size_t n, const char *given,
                                      char **out, inarch_error *err)
{
    *out = given ? ia_strdup(given) : n == 1 ? ia_strdup(base) : ia_asprintf("%s%zu", base, i);
    return *out ? INARCH_OK : ia_fail_memory(err, "the name of an input", 16);
}

inarch_status ia_data_from_source(const ia_data_source *source, ia_data **out, inarch_error *err)
{
    inarch_status status = INARCH_OK;
    ia_data *d;
    if (!source->fill || source->inputs < 1 || source->inputs > IA_DATA_MAX_PORTS ||
        source->targets > IA_DATA_MAX_PORTS)
        return ia_fail(err, INARCH_BAD_ARGUMENT, "", "",
                       "a source of rows needs a callback and 1 to %d inputs", IA_DATA_MAX_PORTS);
    IA_TRY(ia_data_start("the source of rows", "source", &d, err));
    d->origin->source = *source;
    d->origin->has_rows = true;
    d->origin->rows = d->rows = source->rows;
    for (size_t i = 0; i < source->inputs; i++) {
        const char *name = source->input_names ? source->input_names[i] : NULL;
        d->input[i].shape = source->input_shapes[i];
        d->input[i].port = i;
        IA_TRY_GOTO(source_port_name("x", i, source->inputs, name, &d->input[i].name, err));
        d->inputs++;
    }
    for (size_t t = 0; t < source->targets; t++) {
        d->target[t].shape = source->target_shapes[t];
        d->target[t].port = t;
        IA_TRY_GOTO(source_port_name("y", t, source->targets, NULL, &d->target[t].name, err));
        d->targets++;
    }
    /* The caller's arrays may go; what they said is in the ports now. */
    d->origin->source.input_names = NULL;
    d->origin->source.input_shapes = d->origin->source.target_shapes = NULL;
    for (size_t i = 0; i < d->inputs + d->targets; i++) {
        size_t count;
        const ia_shape *s = i < d->inputs ? &d->input[i].shape : &d->target[i - d->inputs].shape;
        if (!ia_shape_count(s, &count)) {
            status = ia_fail(err, INARCH_BAD_ARGUMENT, "", "",
                             "a source of rows needs shapes without unknown dimensions");
            goto done;
        }
    }
    *out = d;
    return INARCH_OK;
done:
    ia_data_free(d);
    return status;
}
