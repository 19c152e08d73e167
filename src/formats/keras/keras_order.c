/* Keras' order of weights. Files list them by position: layer after layer (nn/order.c), those of
 * one top-level layer as its trainable ones, then the others, by the flags in the configuration. */
#include "formats/keras/keras.h"

#include "base/alloc.h"

#include <string.h>

ia_variable *ia_keras_variable_of(const ia_keras_variable *v)
{
    return &v->layer->variables[v->index];
}

void ia_keras_variables_free(ia_keras_variables *v)
{
    for (size_t i = 0; i < v->count; i++)
        ia_free(v->items[i].path);
    ia_free(v->items);
    *v = (ia_keras_variables){0};
}

static inarch_status order_add(ia_layer *l, size_t index, const char *path, bool trainable,
                               ia_keras_variables *out, inarch_error *err)
{
    IA_TRY(ia_grow(&out->items, &out->cap, out->count, sizeof *out->items, "variables", err));
    ia_keras_variable v = {l, index, ia_asprintf("%s/%s", path, l->variables[index].name),
                           trainable && l->variables[index].trainable};
    if (!v.path)
        return ia_fail_memory(err, "a variable's path", strlen(path));
    out->items[out->count++] = v;
    return INARCH_OK;
}

static inarch_status order_collect(ia_layer *l, const char *path, bool trainable,
                                   ia_keras_variables *out, inarch_error *err)
{
    trainable = trainable && l->trainable;
    for (size_t i = 0; i < l->variable_count; i++)
        IA_TRY(order_add(l, i, path, trainable, out, err));
    if (!l->child)
        return INARCH_OK;
    ia_layer **order;
    IA_TRY(ia_model_layer_order(l->child, &order, err));
    inarch_status status = INARCH_OK;
    for (size_t i = 0; i < l->child->layer_count && status == INARCH_OK; i++) {
        char *below = ia_asprintf("%s/%s", path, order[i]->name);
        status = below ? order_collect(order[i], below, trainable, out, err)
                       : ia_fail_memory(err, "a layer's path", strlen(path));
        ia_free(below);
    }
    ia_free(order);
    return status;
}

/* Items from `first` on: the trainable ones first, each part in its order. */
static inarch_status order_split(ia_keras_variables *v, size_t first, inarch_error *err)
{
    size_t n = v->count - first, at = 0;
    ia_keras_variable *sorted = ia_calloc(n, sizeof *sorted);
    if (!sorted)
        return ia_fail_memory(err, "variables", n * sizeof *sorted);
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < n; i++)
            if (v->items[first + i].trainable == (pass == 0))
                sorted[at++] = v->items[first + i];
    if (n)
        memcpy(v->items + first, sorted, n * sizeof *sorted);
    ia_free(sorted);
    return INARCH_OK;
}

inarch_status ia_keras_layer_variables(ia_layer *l, ia_keras_variables *out, inarch_error *err)
{
    size_t first = out->count;
    IA_TRY(order_collect(l, l->name, true, out, err));
    return order_split(out, first, err);
}

inarch_status ia_keras_model_variables(const ia_model *m, ia_keras_variables *out,
                                       inarch_error *err)
{
    ia_layer **order;
    IA_TRY(ia_model_layer_order(m, &order, err));
    inarch_status status = INARCH_OK;
    for (size_t i = 0; i < m->layer_count && status == INARCH_OK; i++)
        status = order_collect(order[i], order[i]->name, true, out, err);
    ia_free(order);
    return status;
}
