/* One layer's weights to its variables, by the last part of their names. */
#include "formats/keras/keras_bind.h"

#include "base/alloc.h"
#include "formats/keras/keras_names.h"

#include <string.h>

size_t ia_keras_scope_end(const char *path, const char *name)
{
    size_t n = strlen(name), end = 0;
    if (n == 0)
        return 0;
    for (const char *at = path; (at = strstr(at, name)) != NULL; at++)
        if ((at == path || at[-1] == '/') && at[n] == '/')
            end = (size_t)(at - path) + n;
    return end;
}

/* ---- known layers ---- */

inarch_status ia_keras_set_variable(const keras_weights *w, const keras_weight *one,
                                    const ia_layer *l, ia_variable *v, inarch_error *err)
{
    ia_array raw, value;
    if (!ia_shape_equal(&one->data->shape, &v->value.shape)) {
        char want[96], have[96];
        return ia_layer_fail(
            l, INARCH_BAD_FILE, err, "the configuration and the weights are of different models",
            "(%s) needs %s of shape %s, but the weight '%s' of the file has shape %s",
            l->class_name, v->name, ia_shape_text(&v->value.shape, want, sizeof want), one->path,
            ia_shape_text(&one->data->shape, have, sizeof have));
    }
    IA_TRY(ia_keras_read_weight(w, one, &raw, err));
    inarch_status status = ia_array_to_f32(&raw, &value, err);
    ia_array_release(&raw);
    IA_TRY(status);
    status = ia_variable_set(v, &value, l->name, err);
    if (status == INARCH_OK) {
        ia_array_release(&v->loaded);
        v->loaded = ia_array_ref(&value);
        ia_slots_clear(&v->slots);
    }
    ia_array_release(&value);
    return status;
}

static keras_weight *leaf_by_name(keras_weights *w, size_t leaf, const ia_layer *l,
                                  const char *variable)
{
    for (size_t i = 0; i < w->count; i++)
        if (w->items[i].leaf == leaf && !w->items[i].used &&
            strcmp(ia_keras_variable_name(l, w->items[i].last), variable) == 0)
            return &w->items[i];
    return NULL;
}

/* The only unused weight of that shape, or NULL. */
static keras_weight *leaf_by_shape(keras_weights *w, size_t leaf, const ia_shape *shape)
{
    keras_weight *found = NULL;
    for (size_t i = 0; i < w->count; i++)
        if (w->items[i].leaf == leaf && !w->items[i].used &&
            ia_shape_equal(&w->items[i].data->shape, shape)) {
            if (found)
                return NULL;
            found = &w->items[i];
        }
    return found;
}

static inarch_status leaf_missing(const keras_weights *w, size_t leaf, const ia_layer *l,
                                  const ia_variable *v, inarch_error *err)
{
    char shape[96];
    size_t left = 0;
    for (size_t i = 0; i < w->count; i++)
        left += w->items[i].leaf == leaf && !w->items[i].used;
    if (left == 0)
        return ia_layer_fail(l, INARCH_BAD_FILE, err, "", "(%s): the file has no '%s'",
                             l->class_name, v->name);
    return ia_layer_fail(
        l, INARCH_BAD_FILE, err, "",
        "(%s): neither names nor shapes tell which weight of the file is its %s of "
        "shape %s",
        l->class_name, v->name, ia_shape_text(&v->value.shape, shape, sizeof shape));
}

/* Variables that no name was found for, after all names were. */
static inarch_status leaf_bind_rest(keras_weights *w, size_t leaf, ia_layer *l, const bool *bound,
                                    inarch_error *err)
{
    for (size_t i = 0; i < l->variable_count; i++) {
        ia_variable *v = &l->variables[i];
        if (bound[i])
            continue;
        bool alone = true; /* no other variable could take the same weight */
        for (size_t k = 0; k < l->variable_count; k++)
            alone = alone && (k == i || bound[k] ||
                              !ia_shape_equal(&l->variables[k].value.shape, &v->value.shape));
        keras_weight *one = alone ? leaf_by_shape(w, leaf, &v->value.shape) : NULL;
        if (!one)
            return leaf_missing(w, leaf, l, v, err);
        IA_TRY(ia_keras_set_variable(w, one, l, v, err));
        one->used = true;
    }
    for (size_t i = 0; i < w->count; i++)
        if (w->items[i].leaf == leaf && !w->items[i].used)
            return ia_layer_fail(l, INARCH_BAD_FILE, err, "",
                                 "(%s) has no place for the weight '%s' of the file", l->class_name,
                                 w->items[i].path);
    return INARCH_OK;
}

static bool leaf_has_weights(const keras_weights *w, size_t leaf)
{
    for (size_t i = 0; i < w->count; i++)
        if (w->items[i].leaf == leaf)
            return true;
    return false;
}

/* Values that the configuration gave; a counter beside them starts as in a new layer. */
static inarch_status leaf_keep_given(ia_layer *l, inarch_error *err)
{
    uint64_t index = 0;
    IA_TRY(ia_layer_initialize(l, 0, &index, err));
    for (size_t i = 0; i < l->variable_count; i++) {
        ia_variable *v = &l->variables[i];
        ia_array_release(&v->loaded);
        v->loaded = ia_array_ref(&v->value);
    }
    return INARCH_OK;
}

static inarch_status leaf_bind_known(keras_weights *w, size_t leaf, ia_layer *l, inarch_error *err)
{
    bool *bound = ia_calloc(l->variable_count, sizeof *bound);
    if (!bound)
        return ia_fail_memory(err, "variables", l->variable_count);
    inarch_status status = INARCH_OK;
    for (size_t i = 0; i < l->variable_count && status == INARCH_OK; i++) {
        keras_weight *one = leaf_by_name(w, leaf, l, l->variables[i].name);
        if (!one)
            continue;
        status = ia_keras_set_variable(w, one, l, &l->variables[i], err);
        one->used = bound[i] = true;
    }
    if (status == INARCH_OK)
        status = leaf_bind_rest(w, leaf, l, bound, err);
    ia_free(bound);
    return status;
}

/* ---- opaque layers ---- */

/* Running averages and counters are not trained, whatever their layer. */
static bool leaf_is_state(const char *last, ia_dtype dtype)
{
    static const char *const names[] = {"moving_mean",         "moving_variance", "running_mean",
                                        "running_std",         "total",           "count",
                                        "seed_generator_state"};
    for (size_t i = 0; i < IA_COUNT(names); i++) {
        size_t n = strlen(last), k = strlen(names[i]);
        if (n >= k && strcmp(last + n - k, names[i]) == 0)
            return true;
    }
    return !ia_dtype_is_float(dtype);
}

static inarch_status leaf_replace(const keras_weights *w, const keras_weight *one,
                                  const ia_layer *l, ia_variable *v, inarch_error *err)
{
    ia_array value;
    char want[96], have[96];
    if (one->data->dtype != v->value.dtype || !ia_shape_equal(&one->data->shape, &v->value.shape))
        return ia_layer_fail(
            l, INARCH_BAD_FILE, err, "",
            "(%s) has %s of shape %s, but the weight '%s' of the file has shape %s", l->class_name,
            v->name, ia_shape_text(&v->value.shape, want, sizeof want), one->path,
            ia_shape_text(&one->data->shape, have, sizeof have));
    IA_TRY(ia_keras_read_weight(w, one, &value, err));
    ia_array_release(&v->value);
    ia_array_release(&v->loaded);
    v->value = value;
    v->loaded = ia_array_ref(&value);
    return INARCH_OK;
}

static inarch_status leaf_take(const keras_weights *w, const keras_weight *one, ia_layer *l,
                               inarch_error *err)
{
    size_t end = ia_keras_scope_end(one->path, l->name);
    const char *name = end ? one->path + end + 1 : one->path;
    if (!*name)
        name = one->path;
    ia_variable *had = ia_layer_variable(l, name);
    if (had && w->binding == KERAS_REPLACE)
        return leaf_replace(w, one, l, had, err);
    if (had)
        name = one->path;
    if (ia_layer_variable(l, name))
        return ia_layer_fail(l, INARCH_BAD_FILE, err, "", "(%s) has two weights called '%s'",
                             l->class_name, name);
    ia_array value;
    IA_TRY(ia_keras_read_weight(w, one, &value, err));
    inarch_status status = ia_layer_add_variable(
        l, name, &value.shape, !leaf_is_state(one->last, value.dtype), NULL, NULL, NULL, err);
    if (status != INARCH_OK) {
        ia_array_release(&value);
        return status;
    }
    ia_variable *v = &l->variables[l->variable_count - 1];
    v->value = value;
    v->loaded = ia_array_ref(&value);
    return INARCH_OK;
}

inarch_status ia_keras_bind_leaf(keras_weights *w, size_t leaf, ia_layer *l, inarch_error *err)
{
    if (!(l->cls->flags & IA_LAYER_OPAQUE)) {
        if (!l->built)
            IA_TRY(ia_keras_guess_build(l, w, leaf, err));
        if (!leaf_has_weights(w, leaf) && !ia_keras_needs_weights(l))
            return leaf_keep_given(l, err);
        return leaf_bind_known(w, leaf, l, err);
    }
    for (size_t i = 0; i < w->count; i++)
        if (w->items[i].leaf == leaf) {
            IA_TRY(leaf_take(w, &w->items[i], l, err));
            w->items[i].used = true;
        }
    l->built = true;
    return INARCH_OK;
}
