/* From model_weights to variables: one group a top-level layer, found by its name.
 *
 * Positions never decide: Keras orders the weights of a nested model by the trainable flags at the
 * time of saving. Which weight is which variable's is told by its name (keras_leaf.c,
 * keras_bind.c). */
#include "formats/keras/keras_bind.h"

#include "base/alloc.h"

#include <string.h>

/* ---- lists ---- */

/* "d1/kernel:0" to "d1/kernel". */
static char *weights_bare(const char *name)
{
    size_t n = strlen(name), digits = 0;
    while (digits < n && name[n - 1 - digits] >= '0' && name[n - 1 - digits] <= '9')
        digits++;
    if (digits > 0 && digits < n && name[n - 1 - digits] == ':')
        n -= digits + 1;
    return ia_strndup(name, n);
}

static void weights_free(keras_weights *w)
{
    for (size_t i = 0; i < w->count; i++)
        ia_free(w->items[i].path);
    ia_free(w->items);
}

static inarch_status weights_list(const ia_h5_object *group, const ia_layer *l,
                                  const ia_h5_string *names, size_t n, keras_weights *w,
                                  inarch_error *err)
{
    if (n > KERAS_MAX_WEIGHTS)
        return ia_layer_fail(l, INARCH_LIMIT, err, "", "(%s) has more than %d weights in the file",
                             l->class_name, KERAS_MAX_WEIGHTS);
    w->items = ia_calloc(n, sizeof *w->items);
    if (!w->items)
        return ia_fail_memory(err, "weights", n * sizeof *w->items);
    for (size_t i = 0; i < n; i++) {
        const ia_h5_object *data = ia_h5_find(group, names[i].text);
        if (!data || data->kind != IA_H5_DATASET)
            return ia_layer_fail(l, INARCH_BAD_FILE, err, "the file is damaged or was not finished",
                                 "(%s): the weight '%s' is listed, but is not in the file",
                                 l->class_name, names[i].text);
        char *path = weights_bare(names[i].text);
        if (!path)
            return ia_fail_memory(err, "weights", names[i].len);
        const char *slash = strrchr(path, '/');
        w->items[w->count++] =
            (keras_weight){path, slash ? slash + 1 : path, data, SIZE_MAX, false};
    }
    return INARCH_OK;
}

inarch_status ia_keras_read_weight(const keras_weights *w, const keras_weight *one, ia_array *out,
                                   inarch_error *err)
{
    if (one->data->bytes > *w->budget)
        return ia_fail(err, INARCH_LIMIT, one->path, "",
                       "the weights that the layers list are larger than the file");
    *w->budget -= one->data->bytes;
    return ia_h5_read(w->file, one->data, out, err);
}

/* ---- one layer ---- */

bool ia_keras_needs_weights(const ia_layer *l)
{
    if (ia_keras_is_configured(l) && l->variables[0].value.buffer)
        return false;
    return l->variable_count > 0;
}

static bool weights_wanted(const ia_layer *l)
{
    for (size_t i = 0; l->child && i < l->child->layer_count; i++)
        if (weights_wanted(l->child->layers[i]))
            return true;
    return ia_keras_needs_weights(l);
}

static inarch_status weights_bind_layer(keras_weights *w, ia_layer *l, inarch_error *err)
{
    if (l->child)
        return ia_keras_bind_nested(w, l, err);
    for (size_t i = 0; i < w->count; i++)
        w->items[i].leaf = 0;
    return ia_keras_bind_leaf(w, 0, l, err);
}

static inarch_status weights_read_layer(const keras_weights *all, const ia_h5_object *group,
                                        ia_layer *l, inarch_error *err)
{
    const ia_h5_object *own = ia_h5_find(group, l->name);
    if (!own && weights_wanted(l))
        return ia_layer_fail(l, INARCH_BAD_FILE, err, "", "(%s) has no weights in the file",
                             l->class_name);
    ia_h5_string *names = NULL;
    size_t n = 0;
    keras_weights w = *all;
    inarch_status status = INARCH_OK;
    if (own) /* Keras lists layers without weights as well, other writers leave them out */
        status = ia_h5_attr_list(w.file, own, "weight_names", &names, &n, err);
    if (status == INARCH_NOT_FOUND && !weights_wanted(l))
        status = INARCH_OK;
    if (status == INARCH_OK)
        status = weights_list(own, l, names, n, &w, err);
    if (status == INARCH_OK)
        status = weights_bind_layer(&w, l, err);
    weights_free(&w);
    ia_free(names);
    return status;
}

/* ---- the whole file ---- */

/* Groups that no layer of the model has: their weights would be lost. */
static inarch_status weights_check_groups(const ia_h5 *file, const ia_h5_object *group,
                                          const ia_model *m, inarch_error *err)
{
    ia_h5_string *names = NULL, *weights = NULL;
    size_t n = 0, count = 0;
    inarch_status status = ia_h5_attr_list(file, group, "layer_names", &names, &n, err);
    if (status == INARCH_NOT_FOUND)
        return INARCH_OK;
    if (n > 2 * KERAS_MAX_LAYERS)
        status = ia_fail(err, INARCH_LIMIT, "layer_names", "", "the file lists more than %d layers",
                         2 * KERAS_MAX_LAYERS);
    for (size_t i = 0; i < n && status == INARCH_OK; i++) {
        const ia_h5_object *own = ia_h5_find(group, names[i].text);
        bool known = false;
        for (size_t k = 0; k < m->layer_count && !known; k++)
            known = strcmp(m->layers[k]->name, names[i].text) == 0;
        if (known || !own)
            continue;
        if (ia_h5_attr_list(file, own, "weight_names", &weights, &count, NULL) != INARCH_OK)
            continue;
        ia_free(weights);
        if (count > 0)
            status = ia_fail(err, INARCH_BAD_FILE, names[i].text, "",
                             "the file has weights of a layer '%s', which is not in its model",
                             names[i].text);
    }
    ia_free(names);
    return status;
}

/* The depth of a file's groups is bounded by its reader. */
static uint64_t weights_bytes(const ia_h5_object *o)
{
    uint64_t sum = o->kind == IA_H5_DATASET ? o->bytes : 0;
    for (size_t i = 0; o->kind == IA_H5_GROUP && i < o->child_count; i++)
        sum += weights_bytes(o->children[i]);
    return sum;
}

inarch_status ia_keras_bind_weights(const ia_h5 *file, const ia_h5_object *group,
                                    ia_keras_binding binding, ia_model *m, inarch_error *err)
{
    if (!group || group->kind != IA_H5_GROUP)
        return ia_fail(err, INARCH_BAD_FILE, "model_weights", "save the model again",
                       "the file has a model but no weights");
    uint64_t budget = 2 * weights_bytes(group);
    keras_weights all = {.file = file, .binding = binding, .budget = &budget};
    for (size_t i = 0; i < m->layer_count; i++)
        IA_TRY(weights_read_layer(&all, group, m->layers[i], err));
    return weights_check_groups(file, group, m, err);
}
