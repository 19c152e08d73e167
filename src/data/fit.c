/* Fitting data to a model that is known by names and shapes only: columns, inputs, targets. */
#include "data/internal.h"

#include "base/alloc.h"

#include <stdio.h>
#include <string.h>

/* ---- columns ---- */

static bool find_name(const char *const *names, size_t n, const char *name, size_t *at)
{
    for (size_t i = 0; i < n; i++)
        if (names[i] && strcmp(names[i], name) == 0) {
            *at = i;
            return true;
        }
    return false;
}

/* Where each wanted column is among those `given`; NOT_FOUND names all that are missing. `kind` is
 * "" or "label ". */
static inarch_status find_columns(const ia_data *d, const char *kind, const char *const *given,
                                  size_t have, const char *const *names, size_t n, uint32_t *place,
                                  inarch_error *err)
{
    const char *missing[8];
    size_t absent = 0;
    char list[200], known[220], hint[256];
    for (size_t i = 0, at = 0; i < n; i++) {
        if (find_name(given, have, names[i], &at))
            place[i] = (uint32_t)at;
        else if (absent++ < IA_COUNT(missing))
            missing[absent - 1] = names[i];
    }
    if (absent == 0)
        return INARCH_OK;
    size_t shown = absent < IA_COUNT(missing) ? absent : IA_COUNT(missing);
    ia_words_quote(missing, shown, list, sizeof list);
    snprintf(hint, sizeof hint, "its %scolumns are %s", kind,
             ia_words_quote(given, have, known, sizeof known));
    return ia_fail(err, INARCH_NOT_FOUND, d->origin->name, hint,
                   "'%.150s' lacks the %scolumn%s %s%s, which the model was trained on",
                   d->origin->name, kind, absent == 1 ? "" : "s", list,
                   absent > shown ? " and more" : "");
}

/* All columns of the rows, in their order. */
static bool picks_all(const uint32_t *pick, size_t n, size_t width)
{
    for (size_t i = 0; i < n; i++)
        if (pick[i] != i)
            return false;
    return n == width;
}

/* A header may leave names out; only columns with names can be looked for. */
static inarch_status align_named(ia_data *d, const char *const *names, size_t n, inarch_error *err)
{
    ia_data_input *x = &d->input[0];
    uint32_t *pick = ia_calloc(n, sizeof *pick);
    const char **picked = ia_calloc(n, sizeof *picked);
    inarch_status status = pick && picked ? INARCH_OK : ia_fail_memory(err, "columns", n);
    size_t have;
    const char *const *given = ia_data_columns(d, &have);
    if (status == INARCH_OK)
        status = find_columns(d, "", given, have, names, n, pick, err);
    if (status != INARCH_OK) {
        ia_free(pick);
        ia_free(picked);
        return status;
    }
    for (size_t i = 0; i < n; i++) {
        picked[i] = x->names[pick[i]];
        if (x->pick)
            pick[i] = x->pick[pick[i]];
    }
    ia_free(x->pick);
    ia_free(x->names);
    x->pick = pick;
    x->names = picked;
    if (x->rows &&
        picks_all(pick, n, ia_rows_width(x->rows))) { /* whole rows can be lent and copied */
        ia_free(pick);
        x->pick = NULL;
    }
    x->shape = ia_shape_1((int64_t)n);
    return INARCH_OK;
}

inarch_status ia_data_align_columns(ia_data *d, const char *const *names, size_t n,
                                    inarch_error *err)
{
    size_t have;
    if (d->inputs == 0)
        return ia_fail(err, INARCH_BAD_DATA, d->origin->name, "", "'%.200s' has no inputs",
                       d->origin->name);
    if (ia_data_columns(d, &have))
        return align_named(d, names, n, err);
    have = ia_data_input_count(d, 0);
    if (have == n)
        return INARCH_OK;
    return ia_fail(err, INARCH_BAD_DATA, d->origin->name,
                   "a CSV file with a header is aligned by its names",
                   "the model was trained on %zu columns, but '%.200s' has %zu and no names for "
                   "them",
                   n, d->origin->name, have);
}

/* ---- label columns ---- */

static inarch_status words_of(const char *const *names, size_t n, ia_words **out, inarch_error *err)
{
    ia_words *w;
    uint32_t number;
    IA_TRY(ia_words_new(&w, err));
    for (size_t i = 0; i < n; i++) {
        inarch_status status =
            ia_words_add(w, names[i], strlen(names[i]), IA_DATA_MAX_COLUMNS, &number, err);
        if (status != INARCH_OK) {
            ia_words_unref(w);
            return status;
        }
    }
    *out = w;
    return INARCH_OK;
}

static inarch_status pick_rows(const ia_rows *from, const uint32_t *place, size_t n, ia_rows **out,
                               inarch_error *err)
{
    ia_rows *rows;
    IA_TRY(ia_rows_new(IA_F64, n, &rows, err));
    for (uint64_t r = 0; r < ia_rows_count(from); r++) {
        void *to;
        inarch_status status = ia_rows_add(rows, &to, err);
        if (status != INARCH_OK) {
            ia_rows_unref(rows);
            return status;
        }
        for (size_t i = 0; i < n; i++)
            ((double *)to)[i] = ia_rows_number(from, r, place[i]);
    }
    *out = rows;
    return INARCH_OK;
}

/* One target of several columns becomes those at `place`, which are called `names`. */
static inarch_status pick_target(ia_data *d, const char *const *names, const uint32_t *place,
                                 size_t n, inarch_error *err)
{
    ia_data_target *y = &d->target[0];
    ia_words *columns;
    ia_rows *rows;
    IA_TRY(words_of(names, n, &columns, err));
    inarch_status status = pick_rows(y->rows, place, n, &rows, err);
    if (status != INARCH_OK) {
        ia_words_unref(columns);
        return status;
    }
    ia_rows_unref(y->rows);
    ia_words_unref(y->columns);
    y->rows = rows;
    y->columns = columns;
    y->shape = ia_shape_1((int64_t)n);
    return INARCH_OK;
}

/* All label columns in the order of targets; 0 where one target has no names for them. */
static size_t label_columns(const ia_data *d, const char **out, size_t most)
{
    size_t have = 0, n;
    for (size_t t = 0; t < d->targets; t++) {
        const char *const *names = ia_data_target_columns(d, t, &n);
        if (!names || n > most - have)
            return 0;
        memcpy(out + have, names, n * sizeof *names);
        have += n;
    }
    return have;
}

static inarch_status align_labels(ia_data *d, const char *const *given, size_t have,
                                  const char *const *names, size_t n, uint32_t *place,
                                  inarch_error *err)
{
    IA_TRY(find_columns(d, "label ", given, have, names, n, place, err));
    if (d->targets == 1)
        return pick_target(d, names, place, n, err);
    ia_data_target y[IA_DATA_MAX_PORTS];
    for (size_t t = 0; t < d->targets && n == d->targets; t++)
        y[t] = d->target[place[t]];
    if (n == d->targets)
        memcpy(d->target, y, n * sizeof y[0]);
    return INARCH_OK;
}

inarch_status ia_data_align_targets(ia_data *d, const char *const *names, size_t n,
                                    inarch_error *err)
{
    size_t most = IA_DATA_MAX_COLUMNS;
    const char **given = ia_calloc(most, sizeof *given);
    uint32_t *place = ia_calloc(n, sizeof *place);
    inarch_status status = INARCH_OK;
    if (!given || !place)
        status = ia_fail_memory(err, "label columns", most * sizeof *given);
    size_t have = status == INARCH_OK ? label_columns(d, given, most) : 0;
    if (have)
        status = align_labels(d, given, have, names, n, place, err);
    ia_free(given);
    ia_free(place);
    return status;
}

/* ---- inputs and targets ---- */

/* order[i] = the port that becomes port i: by name where all are found, else as they are. */
static void port_order(const char *const *have, const char *const *want, size_t n, size_t *order)
{
    bool all = true;
    for (size_t i = 0; i < n && all; i++)
        all = find_name(have, n, want[i], &order[i]);
    for (size_t i = 0; i < n && !all; i++)
        order[i] = i;
}

inarch_status ia_data_bind_inputs(ia_data *d, const char *const *names, size_t n, inarch_error *err)
{
    const char *have[IA_DATA_MAX_PORTS] = {NULL};
    size_t order[IA_DATA_MAX_PORTS] = {0};
    char wanted[160], given[160];
    if (n != d->inputs)
        return ia_fail(err, INARCH_BAD_DATA, d->origin->name,
                       "in an .npz they are called x0, x1, ... or as the model's inputs",
                       "the model has %zu input%s (%s), but '%.100s' has %zu (%s)", n,
                       n == 1 ? "" : "s", ia_words_quote(names, n, wanted, sizeof wanted),
                       d->origin->name, d->inputs, ia_data_list_inputs(d, given, sizeof given));
    for (size_t i = 0; i < n; i++)
        have[i] = d->input[i].name;
    port_order(have, names, n, order);
    ia_data_input bound[IA_DATA_MAX_PORTS];
    for (size_t i = 0; i < n; i++)
        bound[i] = d->input[order[i]];
    memcpy(d->input, bound, n * sizeof bound[0]);
    return INARCH_OK;
}

inarch_status ia_data_bind_targets(ia_data *d, const char *const *names, size_t n,
                                   inarch_error *err)
{
    const char *have[IA_DATA_MAX_PORTS] = {NULL};
    size_t order[IA_DATA_MAX_PORTS] = {0};
    char wanted[160];
    if (n != d->targets)
        return ia_fail(err, INARCH_BAD_DATA, d->origin->name,
                       d->targets == 0 ? "labels are y in an .npz, or --labels"
                                       : "in an .npz they are called y0, y1, ... or as the "
                                         "model's outputs",
                       "the model has %zu output%s (%s), but '%.100s' has labels for %zu", n,
                       n == 1 ? "" : "s", ia_words_quote(names, n, wanted, sizeof wanted),
                       d->origin->name, d->targets);
    for (size_t i = 0; i < n; i++)
        have[i] = d->target[i].name;
    port_order(have, names, n, order);
    ia_data_target bound[IA_DATA_MAX_PORTS];
    for (size_t i = 0; i < n; i++)
        bound[i] = d->target[order[i]];
    memcpy(d->target, bound, n * sizeof bound[0]);
    return INARCH_OK;
}

/* ---- shapes ---- */

/* "784 numbers a row (28, 28)"; the shape only where it says more. */
static const char *count_text(size_t count, const ia_shape *shape, const char *unit, char *out,
                              size_t size)
{
    char text[128];
    int n = snprintf(out, size, "%zu%s", count, unit);
    if (shape->rank > 1 && n > 0)
        snprintf(out + n, size - (size_t)n, " %s", ia_shape_text(shape, text, sizeof text));
    return out;
}

/* Fills unknown dimensions of `shape` from a row of the data, where that is one way only. */
static bool resolve_shape(const ia_shape *shape, const ia_shape *row, size_t count, ia_shape *out)
{
    int unknown = 0, last = 0;
    size_t known = 1;
    *out = *shape;
    for (int i = 0; i < shape->rank; i++) {
        if (shape->dim[i] < 0) {
            unknown++;
            last = i;
        } else if (!ia_mul(known, (size_t)shape->dim[i], &known)) {
            return false;
        }
    }
    if (unknown == 0)
        return known == count;
    if (unknown == 1) {
        if (known == 0 || count % known != 0)
            return false;
        out->dim[last] = (int64_t)(count / known);
        return true;
    }
    if (row->rank != shape->rank)
        return false;
    for (int i = 0; i < shape->rank; i++) {
        if (shape->dim[i] >= 0 && shape->dim[i] != row->dim[i])
            return false;
        out->dim[i] = row->dim[i];
    }
    return true;
}

inarch_status ia_data_fit_input(const ia_data *d, size_t i, const char *name, const ia_shape *shape,
                                ia_shape *fitted, inarch_error *err)
{
    const ia_shape *row = &d->input[i].shape;
    size_t count = ia_data_input_count(d, i), want = 0, columns = 0;
    ia_shape resolved;
    if (resolve_shape(shape, row, count, &resolved)) {
        if (fitted)
            *fitted = resolved;
        return INARCH_OK;
    }
    char takes[160], have[160], text[128], list[220], hint[256] = "";
    const char *const *names = i == 0 ? ia_data_columns(d, &columns) : NULL;
    bool labels_inside = i == 0 && d->origin->columns && d->targets == 0 &&
                         ia_shape_count(shape, &want) && count > want;
    if (labels_inside)
        snprintf(hint, sizeof hint,
                 "name what is not an input: --labels COLUMN, or --drop COLUMN%s%s",
                 names ? "; the columns are " : "",
                 names ? ia_words_quote(names, columns, list, sizeof list) : "");
    else if (names)
        snprintf(hint, sizeof hint, "the columns are %s",
                 ia_words_quote(names, columns, list, sizeof list));
    if (ia_shape_count(shape, &want))
        count_text(want, shape, " numbers a row", takes, sizeof takes);
    else
        snprintf(takes, sizeof takes, "rows of shape %s", ia_shape_text(shape, text, sizeof text));
    return ia_fail(err, INARCH_BAD_DATA, name, hint, "input '%.80s' takes %s, but the data have %s",
                   name, takes, count_text(count, row, "", have, sizeof have));
}
