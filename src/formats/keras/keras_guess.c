/* Building layers above an opaque one. Their input shape is not known, but their weights' shapes
 * say what matters of it: a Dense's kernel has as many rows as its input has columns. */
#include "formats/keras/keras_bind.h"

#include "base/alloc.h"
#include "formats/keras/keras_names.h"

#include <string.h>

/* Rows that could have led to a first weight of that shape. */
static size_t guess_shapes(const ia_shape *weight, ia_shape out[8])
{
    size_t n = 0;
    if (weight->rank == 0)
        return 0;
    int64_t first = weight->dim[0], last = weight->dim[weight->rank - 1];
    out[n++] = ia_shape_1(first);
    out[n++] = ia_shape_1(last);
    out[n++] = *weight;
    for (int rank = 2; rank <= 4; rank++) { /* pictures and the like, channels last */
        int64_t dim[4] = {IA_DIM_UNKNOWN, IA_DIM_UNKNOWN, IA_DIM_UNKNOWN, IA_DIM_UNKNOWN};
        dim[rank - 1] = last;
        out[n++] = ia_shape_of(rank, dim);
    }
    int64_t front[3] = {last, IA_DIM_UNKNOWN, IA_DIM_UNKNOWN}; /* channels first */
    out[n++] = ia_shape_of(3, front);
    return n;
}

/* Every variable has a weight of its name and shape, and there are as many of both. */
static bool guess_fits(const ia_layer *l, const keras_weights *w, size_t leaf)
{
    size_t count = 0, found = 0;
    for (size_t i = 0; i < w->count; i++) {
        if (w->items[i].leaf != leaf)
            continue;
        count++;
        const ia_variable *v = ia_layer_variable(l, ia_keras_variable_name(l, w->items[i].last));
        found += v && ia_shape_equal(&v->value.shape, &w->items[i].data->shape);
    }
    return count == l->variable_count && found == count;
}

/* Builds a copy of `l` for that input; *fits says whether its variables explain the weights, which
 * then have moved into `l`. */
static inarch_status guess_try(ia_layer *l, const ia_shape *in, const keras_weights *w, size_t leaf,
                               bool *fits, inarch_error *err)
{
    ia_layer *trial;
    IA_TRY(ia_layer_new(l->cls, l->name, &trial, err));
    if (l->cls->config_size)
        memcpy(trial->config, l->config, l->cls->config_size);
    inarch_error why; /* most trials fail */
    inarch_status status = l->cls->build(trial, in, 1, &why);
    *fits = status == INARCH_OK && guess_fits(trial, w, leaf);
    if (*fits) {
        l->variables = trial->variables;
        l->variable_count = trial->variable_count;
        l->built = true;
        trial->variables = NULL;
        trial->variable_count = 0;
    }
    ia_layer_free(trial);
    if (status != INARCH_NO_MEMORY)
        return INARCH_OK;
    if (err)
        *err = why;
    return status;
}

inarch_status ia_keras_guess_build(ia_layer *l, const keras_weights *w, size_t leaf,
                                   inarch_error *err)
{
    size_t first = 0;
    while (first < w->count && w->items[first].leaf != leaf)
        first++;
    if (first == w->count || !l->cls->build)
        return INARCH_OK;
    ia_shape shapes[8];
    size_t n = guess_shapes(&w->items[first].data->shape, shapes);
    bool fits = false;
    for (size_t i = 0; i < n && !fits; i++)
        IA_TRY(guess_try(l, &shapes[i], w, leaf, &fits, err));
    return INARCH_OK;
}
