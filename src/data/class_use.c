/* What is asked about classes after labels were encoded: names, counts, weights. */
#include "data/internal.h"

#include "base/alloc.h"

#include <string.h>

size_t ia_data_classes(const ia_data *d, size_t t)
{
    const ia_data_target *y = &d->target[t];
    if (y->classes)
        return y->classes->count;
    size_t width = ia_data_target_count(d, t);
    return width > 1 ? width : 0;
}

const char *const *ia_data_class_names(const ia_data *d, size_t t)
{
    const ia_classes *c = d->target[t].classes;
    return c && c->names ? ia_words_list(c->names) : NULL;
}

size_t ia_target_class(const ia_data_target *y, uint64_t row)
{
    if (y->classes && y->classes->index) {
        int32_t k;
        memcpy(&k, ia_rows_at(y->classes->index, row, NULL), sizeof k);
        return (size_t)k;
    }
    size_t best = 0;
    for (size_t k = 1; k < ia_rows_width(y->rows); k++)
        if (ia_rows_number(y->rows, row, k) > ia_rows_number(y->rows, row, best))
            best = k;
    return best;
}

/* The classes of every row must be in memory. */
static inarch_status need_classes(const ia_data *d, size_t t, inarch_error *err)
{
    const char *name = d->origin->name;
    if (t >= d->targets)
        return ia_fail(err, INARCH_BAD_DATA, name, "labels are y in an .npz, or --labels",
                       "'%.200s' has no labels", name);
    if (!d->target[t].rows)
        return ia_fail(err, INARCH_UNSUPPORTED, name, "",
                       "the classes of a source of rows are not counted");
    if (ia_data_classes(d, t) == 0)
        return ia_fail(err, INARCH_BAD_DATA, name, "", "'%.150s': '%.80s' has no classes", name,
                       d->target[t].name);
    return INARCH_OK;
}

inarch_status ia_data_class_counts(const ia_data *d, size_t t, size_t *counts, inarch_error *err)
{
    IA_TRY(need_classes(d, t, err));
    memset(counts, 0, ia_data_classes(d, t) * sizeof *counts);
    for (uint64_t r = 0; r < d->rows; r++)
        counts[ia_target_class(&d->target[t], ia_data_source_row(d, r))]++;
    return INARCH_OK;
}

inarch_status ia_data_check_classes(const ia_data *d, size_t t, inarch_error *err)
{
    IA_TRY(need_classes(d, t, err));
    const ia_data_target *y = &d->target[t];
    const char *const *names = ia_data_class_names(d, t);
    const char *hint = "a classifier needs rows of at least two classes";
    if (d->rows == 0)
        return ia_fail(err, INARCH_BAD_DATA, d->origin->name, "", "'%.200s' has no rows",
                       d->origin->name);
    size_t first = ia_target_class(y, ia_data_source_row(d, 0));
    for (uint64_t r = 1; r < d->rows; r++)
        if (ia_target_class(y, ia_data_source_row(d, r)) != first)
            return INARCH_OK;
    if (names)
        return ia_fail(err, INARCH_BAD_DATA, d->origin->name, hint,
                       "'%.150s': all %zu rows are of one class, '%.80s'", d->origin->name, d->rows,
                       names[first]);
    return ia_fail(err, INARCH_BAD_DATA, d->origin->name, hint,
                   "'%.150s': all %zu rows are of one class, %zu", d->origin->name, d->rows, first);
}

inarch_status ia_data_balanced(const ia_data *d, size_t t, double *weight, size_t n,
                               inarch_error *err)
{
    IA_TRY(need_classes(d, t, err));
    if (n != ia_data_classes(d, t))
        return ia_fail(err, INARCH_BAD_ARGUMENT, d->origin->name, "",
                       "%zu class weights were asked for, but there are %zu classes", n,
                       ia_data_classes(d, t));
    size_t *counts = ia_calloc(n, sizeof *counts);
    if (!counts)
        return ia_fail_memory(err, "class weights", n * sizeof *counts);
    inarch_status status = ia_data_class_counts(d, t, counts, err);
    for (size_t k = 0; k < n && status == INARCH_OK; k++)
        weight[k] = counts[k] ? (double)d->rows / ((double)n * (double)counts[k]) : 1;
    ia_free(counts);
    return status;
}

inarch_status ia_data_set_class_weights(ia_data *d, size_t t, const double *weight, size_t n,
                                        inarch_error *err)
{
    IA_TRY(need_classes(d, t, err));
    ia_data_target *y = &d->target[t];
    if (!y->classes || n != y->classes->count)
        return ia_fail(err, INARCH_BAD_ARGUMENT, d->origin->name, "",
                       "%zu class weights were given, but there are %zu classes", n,
                       ia_data_classes(d, t));
    for (size_t k = 0; k < n; k++)
        if (!(weight[k] >= 0 && weight[k] <= 1e30))
            return ia_fail(err, INARCH_BAD_ARGUMENT, d->origin->name, "",
                           "the weight of class %zu is %g; weights are 0 or more", k, weight[k]);
    double *copy = ia_calloc(n, sizeof *copy);
    if (!copy)
        return ia_fail_memory(err, "class weights", n * sizeof *copy);
    memcpy(copy, weight, n * sizeof *copy);
    ia_free(y->class_weight);
    y->class_weight = copy;
    return INARCH_OK;
}
