/* The life of ia_data and what is asked about it: ports on rows, and an origin all views share. */
#include "data/internal.h"

#include "base/alloc.h"

#include <stdio.h>
#include <string.h>

/* ---- life ---- */

static void origin_unref(ia_origin *o)
{
    if (!o || atomic_fetch_sub_explicit(&o->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < o->columns; i++)
        ia_free(o->column[i].name);
    ia_free(o->column);
    ia_free(o->weight_name);
    ia_free(o->name);
    ia_free(o);
}

void ia_classes_unref(ia_classes *c)
{
    if (!c || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
        return;
    ia_words_unref(c->names);
    ia_rows_unref(c->index);
    ia_free(c);
}

inarch_status ia_data_start(const char *name, const char *kind, ia_data **out, inarch_error *err)
{
    ia_data *d = ia_calloc(1, sizeof *d);
    ia_origin *o = ia_calloc(1, sizeof *o);
    if (d && o) {
        d->origin = o;
        atomic_init(&o->refs, 1);
        o->name = ia_strdup(name);
        o->kind = kind;
    }
    if (!d || !o || !o->name) {
        if (d && o)
            ia_data_free(d);
        else {
            ia_free(d);
            ia_free(o);
        }
        return ia_fail_memory(err, "the data", sizeof *d);
    }
    *out = d;
    return INARCH_OK;
}

inarch_status ia_data_new(const char *name, ia_data **out, inarch_error *err)
{
    return ia_data_start(name ? name : "data", "memory", out, err);
}

void ia_data_free(ia_data *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->inputs; i++) {
        ia_free(d->input[i].name);
        ia_rows_unref(d->input[i].rows);
        ia_free(d->input[i].pick);
        ia_free(d->input[i].names);
    }
    for (size_t t = 0; t < d->targets; t++) {
        ia_free(d->target[t].name);
        ia_rows_unref(d->target[t].rows);
        ia_words_unref(d->target[t].words);
        ia_classes_unref(d->target[t].classes);
        ia_free(d->target[t].class_weight);
        ia_words_unref(d->target[t].columns);
    }
    ia_rows_unref(d->weights);
    ia_free(d->index);
    origin_unref(d->origin);
    ia_free(d);
}

/* ---- looking ---- */

const char *ia_data_name(const ia_data *d)
{
    return d->origin->name;
}

const char *ia_data_kind(const ia_data *d, char *separator, bool *header)
{
    if (separator)
        *separator = d->origin->separator;
    if (header)
        *header = d->origin->header;
    return d->origin->kind;
}

size_t ia_data_rows(const ia_data *d)
{
    return d->rows;
}

size_t ia_data_source_rows(const ia_data *d)
{
    return d->origin->rows;
}

uint64_t ia_data_source_row(const ia_data *d, uint64_t row)
{
    return d->index ? d->index[row] : d->begin + row;
}

bool ia_data_same_source(const ia_data *a, const ia_data *b)
{
    return a->origin == b->origin;
}

size_t ia_data_inputs(const ia_data *d)
{
    return d->inputs;
}

const char *ia_data_input_name(const ia_data *d, size_t i)
{
    return d->input[i].name;
}

const ia_shape *ia_data_input_shape(const ia_data *d, size_t i)
{
    return &d->input[i].shape;
}

static size_t shape_count(const ia_shape *s)
{
    size_t n = 0;
    return ia_shape_count(s, &n) ? n : 0;
}

size_t ia_data_input_count(const ia_data *d, size_t i)
{
    return shape_count(&d->input[i].shape);
}

ia_dtype ia_data_input_dtype(const ia_data *d, size_t i)
{
    return d->input[i].rows ? ia_rows_dtype(d->input[i].rows) : IA_F32;
}

const char *const *ia_data_columns(const ia_data *d, size_t *n)
{
    *n = 0;
    if (d->inputs == 0 || !d->input[0].names)
        return NULL;
    *n = ia_data_input_count(d, 0);
    return d->input[0].names;
}

size_t ia_data_targets(const ia_data *d)
{
    return d->targets;
}

const char *ia_data_target_name(const ia_data *d, size_t t)
{
    return d->target[t].name;
}

ia_target_kind ia_data_target_kind(const ia_data *d, size_t t)
{
    const ia_data_target *y = &d->target[t];
    if (y->classes && y->classes->index)
        return IA_TARGET_CLASSES;
    return y->words ? IA_TARGET_TEXT : IA_TARGET_NUMBERS;
}

const ia_shape *ia_data_target_shape(const ia_data *d, size_t t)
{
    return &d->target[t].shape;
}

size_t ia_data_target_count(const ia_data *d, size_t t)
{
    return shape_count(&d->target[t].shape);
}

ia_dtype ia_data_target_dtype(const ia_data *d, size_t t)
{
    const ia_data_target *y = &d->target[t];
    if (ia_data_target_kind(d, t) != IA_TARGET_NUMBERS)
        return IA_I32;
    return y->rows ? ia_rows_dtype(y->rows) : IA_F32;
}

const char *const *ia_data_target_columns(const ia_data *d, size_t t, size_t *n)
{
    const ia_words *columns = d->target[t].columns;
    *n = columns ? ia_words_count(columns) : 0;
    return columns ? ia_words_list(columns) : NULL;
}

bool ia_data_weighted(const ia_data *d)
{
    bool any = d->weights || d->origin->source.weighted;
    for (size_t t = 0; t < d->targets; t++)
        any = any || d->target[t].class_weight;
    return any;
}

const char *ia_data_list_inputs(const ia_data *d, char *out, size_t size)
{
    const char *names[IA_DATA_MAX_PORTS];
    for (size_t i = 0; i < d->inputs; i++)
        names[i] = d->input[i].name;
    return ia_words_quote(names, d->inputs, out, size);
}

static const char *separator_name(char c)
{
    return c == '\t' ? "tab" : c == ';' ? "';'" : "','";
}

const char *ia_data_summary(const ia_data *d, char *out, size_t size)
{
    const ia_origin *o = d->origin;
    char table[64] = "", ports[200] = "", shape[128];
    if (o->separator)
        snprintf(table, sizeof table, ", separator %s, %s", separator_name(o->separator),
                 o->header ? "header" : "no header");
    if (o->separator)
        snprintf(ports, sizeof ports, "%zu input column%s", ia_data_input_count(d, 0),
                 ia_data_input_count(d, 0) == 1 ? "" : "s");
    else if (d->inputs == 1)
        snprintf(ports, sizeof ports, "%s %s", ia_dtype_name(ia_data_input_dtype(d, 0)),
                 ia_shape_text(&d->input[0].shape, shape, sizeof shape));
    else
        snprintf(ports, sizeof ports, "%zu inputs", d->inputs);
    int n = snprintf(out, size, "%s%s, %zu row%s, %s", o->kind, table, d->rows,
                     d->rows == 1 ? "" : "s", ports);
    for (size_t t = 0; t < d->targets && n >= 0 && (size_t)n < size; t++)
        n += snprintf(out + n, size - (size_t)n, "%s'%s'", t ? ", " : ", labels in ",
                      d->target[t].name);
    return out;
}
