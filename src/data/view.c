/* Views: some rows of a source, in some order, without copying them. Splits and shuffles. */
#include "data/internal.h"

#include "base/alloc.h"
#include "base/random.h"

#include <math.h>
#include <string.h>

#define SHUFFLE_PURPOSE 0x73687566u /* "shuf": what these random numbers are for */

/* ---- copies that share rows ---- */

static inarch_status copy_input(const ia_data *d, size_t i, ia_data *copy, inarch_error *err)
{
    const ia_data_input *from = &d->input[i];
    ia_data_input *to = &copy->input[copy->inputs++];
    size_t n = ia_data_input_count(d, i);
    to->port = from->port;
    to->shape = from->shape;
    to->rows = ia_rows_ref(from->rows);
    to->name = ia_strdup(from->name);
    if (from->pick)
        to->pick = ia_calloc(n, sizeof *to->pick);
    if (from->names)
        to->names = ia_calloc(n, sizeof *to->names);
    if (!to->name || (from->pick && !to->pick) || (from->names && !to->names))
        return ia_fail_memory(err, "a view of the data", n * sizeof *to->pick);
    if (from->pick)
        memcpy(to->pick, from->pick, n * sizeof *to->pick);
    if (from->names)
        memcpy(to->names, from->names, n * sizeof *to->names);
    return INARCH_OK;
}

static inarch_status copy_target(const ia_data *d, size_t t, ia_data *copy, inarch_error *err)
{
    const ia_data_target *from = &d->target[t];
    ia_data_target *to = &copy->target[copy->targets++];
    *to = *from;
    to->class_weight = NULL;
    ia_rows_ref(to->rows);
    ia_words_ref(to->words);
    ia_words_ref(to->columns);
    if (to->classes)
        atomic_fetch_add_explicit(&to->classes->refs, 1, memory_order_relaxed);
    to->name = ia_strdup(from->name);
    if (!to->name)
        return ia_fail_memory(err, "a view of the data", strlen(from->name));
    if (!from->class_weight)
        return INARCH_OK;
    to->class_weight = ia_calloc(from->classes->count, sizeof *to->class_weight);
    if (!to->class_weight)
        return ia_fail_memory(err, "class weights", from->classes->count * sizeof(double));
    memcpy(to->class_weight, from->class_weight, from->classes->count * sizeof *to->class_weight);
    return INARCH_OK;
}

static inarch_status view_of(const ia_data *d, ia_data **out, inarch_error *err)
{
    inarch_status status = INARCH_OK;
    ia_data *copy = ia_calloc(1, sizeof *copy);
    if (!copy)
        return ia_fail_memory(err, "a view of the data", sizeof *copy);
    copy->origin = d->origin;
    atomic_fetch_add_explicit(&d->origin->refs, 1, memory_order_relaxed);
    copy->weights = ia_rows_ref(d->weights);
    for (size_t i = 0; i < d->inputs; i++)
        IA_TRY_GOTO(copy_input(d, i, copy, err));
    for (size_t t = 0; t < d->targets; t++)
        IA_TRY_GOTO(copy_target(d, t, copy, err));
    *out = copy;
    return INARCH_OK;
done:
    ia_data_free(copy);
    return status;
}

/* ---- rows ---- */

inarch_status ia_data_select(const ia_data *d, const uint64_t *rows, size_t n, ia_data **out,
                             inarch_error *err)
{
    ia_data *view;
    for (size_t r = 0; r < n; r++)
        if (rows[r] >= d->rows)
            return ia_fail(err, INARCH_BAD_ARGUMENT, d->origin->name, "",
                           "row %llu was asked for, but '%.200s' has %zu",
                           (unsigned long long)rows[r], d->origin->name, d->rows);
    IA_TRY(view_of(d, &view, err));
    view->rows = n;
    view->index = ia_calloc(n, sizeof *view->index);
    if (!view->index) {
        ia_data_free(view);
        return ia_fail_memory(err, "a list of rows", n * sizeof *view->index);
    }
    for (size_t r = 0; r < n; r++)
        view->index[r] = ia_data_source_row(d, rows[r]);
    *out = view;
    return INARCH_OK;
}

inarch_status ia_data_slice(const ia_data *d, size_t begin, size_t n, ia_data **out,
                            inarch_error *err)
{
    ia_data *view;
    if (begin > d->rows || n > d->rows - begin)
        return ia_fail(err, INARCH_BAD_ARGUMENT, d->origin->name, "",
                       "rows %zu to %zu were asked for, but '%.200s' has %zu", begin, begin + n,
                       d->origin->name, d->rows);
    IA_TRY(view_of(d, &view, err));
    view->rows = n;
    view->begin = d->begin + begin;
    if (d->index) {
        view->begin = 0;
        view->index = ia_calloc(n, sizeof *view->index);
        if (!view->index) {
            ia_data_free(view);
            return ia_fail_memory(err, "a list of rows", n * sizeof *view->index);
        }
        memcpy(view->index, d->index + begin, n * sizeof *view->index);
    }
    *out = view;
    return INARCH_OK;
}

inarch_status ia_data_split(const ia_data *d, double share, ia_data **train, ia_data **validation,
                            inarch_error *err)
{
    if (!(share > 0 && share < 1))
        return ia_fail(err, INARCH_BAD_ARGUMENT, "", "0.2 keeps the last fifth for validation",
                       "a validation split is between 0 and 1, not %g", share);
    /* Keras: int(math.floor(rows * (1. - share))), in double. */
    size_t n = (size_t)floor((double)d->rows * (1.0 - share));
    if (n == 0 || n >= d->rows)
        return ia_fail(err, INARCH_BAD_ARGUMENT, d->origin->name,
                       "choose another share, or give validation data of their own",
                       "a validation split of %g leaves no row %s: '%.200s' has %zu row%s", share,
                       n == 0 ? "to train on" : "to validate on", d->origin->name, d->rows,
                       d->rows == 1 ? "" : "s");
    ia_data *head, *tail;
    IA_TRY(ia_data_slice(d, 0, n, &head, err));
    inarch_status status = ia_data_slice(d, n, d->rows - n, &tail, err);
    if (status != INARCH_OK) {
        ia_data_free(head);
        return status;
    }
    *train = head;
    *validation = tail;
    return INARCH_OK;
}

void ia_data_shuffle(uint64_t *rows, size_t n, uint64_t seed, uint64_t epoch)
{
    ia_random random = ia_random_from(ia_random_key_of(seed, SHUFFLE_PURPOSE, epoch));
    for (size_t r = 0; r < n; r++)
        rows[r] = r;
    ia_random_shuffle(&random, rows, n);
}
