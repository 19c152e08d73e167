/* The calls, inputs and outputs of a Functional as JSON: inbound_nodes in the form of Keras 2,
 * which Keras 3 reads as well.
 *
 * Calls of opaque layers that were more than a list of tensors are written as they came, with the
 * names and numbers of their tensors brought up to date. */
#include "formats/keras/keras.h"

#include "base/alloc.h"

#include <string.h>

/* The number by which a call is meant: see keras_write.c for nested models. */
static json_int_t graph_node(const ia_model *m, size_t call)
{
    const ia_layer *l = m->calls[call].layer;
    json_int_t n = 0;
    for (size_t i = 0; i < call; i++)
        n += m->calls[i].layer == l;
    return l->child ? 2 * n + 1 : n;
}

/* ["dense_1", 0, 0] */
static json_t *graph_ref(const ia_model *m, ia_ref ref)
{
    return json_pack("[s, I, I]", m->calls[ref.call].layer->name, graph_node(m, ref.call),
                     (json_int_t)ref.output);
}

/* ---- calls ---- */

/* Call-time arguments; null says nothing and not every layer of either generation takes it. */
static inarch_status graph_kwargs(const ia_call *c, json_t *out, inarch_error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach(c->kwargs, key,
                        value) if (!json_is_null(value) && strcmp(key, "training") != 0)
        IA_TRY(ia_keras_set(out, key, json_incref(value), err));
    if (c->training != IA_TRAINING_UNSET)
        IA_TRY(ia_keras_set(out, "training", json_boolean(c->training), err));
    return INARCH_OK;
}

static inarch_status graph_plain_inputs(const ia_model *m, const ia_call *c, json_t *node,
                                        inarch_error *err)
{
    for (size_t i = 0; i < c->in_count; i++) {
        json_t *ref = graph_ref(m, c->in[i]);
        IA_TRY(ia_keras_push(node, ref, err));
        json_t *kwargs = json_object();
        IA_TRY(ia_keras_push(ref, kwargs, err));
        IA_TRY(graph_kwargs(c, kwargs, err));
    }
    return INARCH_OK;
}

static bool graph_is_ref(const json_t *v, const json_t **history)
{
    const json_t *list = v;
    if (strcmp(ia_json_string(v, "class_name", ""), "__keras_tensor__") == 0)
        list = json_object_get(json_object_get(v, "config"), "keras_history");
    *history = list;
    return json_is_array(list) && json_array_size(list) >= 3 &&
           json_is_string(json_array_get(list, 0)) && json_is_integer(json_array_get(list, 1)) &&
           json_is_integer(json_array_get(list, 2));
}

/* Walks a call as the reader did and puts the present tensors in the place of the old ones. */
static inarch_status graph_renew(const ia_model *m, const ia_call *c, json_t *v, size_t *next,
                                 inarch_error *err)
{
    const char *key;
    json_t *item;
    const json_t *ref;
    if (graph_is_ref(v, &ref)) {
        if (*next >= c->in_count)
            return INARCH_OK; /* a list that looks like a tensor, at the end */
        json_t *list = (json_t *)(uintptr_t)ref;
        ia_ref in = c->in[(*next)++];
        if (json_array_set_new(list, 0, json_string(m->calls[in.call].layer->name)) != 0 ||
            json_array_set_new(list, 1, json_integer(graph_node(m, in.call))) != 0)
            return ia_fail_memory(err, "JSON", sizeof *list);
        if (list == v && json_is_object(json_array_get(v, 3)))
            return graph_renew(m, c, json_array_get(v, 3), next, err);
        return INARCH_OK;
    }
    for (size_t i = 0; i < json_array_size(v); i++)
        IA_TRY(graph_renew(m, c, json_array_get(v, i), next, err));
    json_object_foreach(v, key, item) IA_TRY(graph_renew(m, c, item, next, err));
    return INARCH_OK;
}

static inarch_status graph_call(const ia_model *m, const ia_call *c, json_t **out,
                                inarch_error *err)
{
    const json_t *whole = json_object_get(c->kwargs, KERAS_WHOLE_NODE);
    json_t *node = whole ? json_deep_copy(whole) : json_array();
    size_t next = 0;
    if (!node)
        return ia_fail_memory(err, "JSON", sizeof *node);
    inarch_status status =
        whole ? graph_renew(m, c, node, &next, err) : graph_plain_inputs(m, c, node, err);
    if (status != INARCH_OK) {
        json_decref(node);
        return status;
    }
    *out = node;
    return INARCH_OK;
}

inarch_status ia_keras_write_calls(const ia_model *m, const ia_layer *l, json_t *entry,
                                   inarch_error *err)
{
    json_t *nodes = json_array();
    IA_TRY(ia_keras_set(entry, "inbound_nodes", nodes, err));
    if (l->cls->flags & IA_LAYER_INPUT)
        return INARCH_OK;
    for (size_t i = 0; i < m->call_count; i++) {
        if (m->calls[i].layer != l)
            continue;
        json_t *node;
        IA_TRY(graph_call(m, &m->calls[i], &node, err));
        IA_TRY(ia_keras_push(nodes, node, err));
        if (l->child)
            IA_TRY(ia_keras_push(nodes, json_incref(node), err));
    }
    return INARCH_OK;
}

/* ---- inputs and outputs ---- */

static size_t graph_leaves(const json_t *v)
{
    const json_t *ref;
    size_t n = 0;
    const char *key;
    json_t *item;
    if (json_is_array(v) && graph_is_ref(v, &ref))
        return 1;
    for (size_t i = 0; i < json_array_size(v); i++)
        n += graph_leaves(json_array_get(v, i));
    json_object_foreach((json_t *)(uintptr_t)v, key, item) n += graph_leaves(item);
    return n;
}

static inarch_status graph_flat(const ia_model *m, const ia_ref *refs, size_t n, json_t **out,
                                inarch_error *err)
{
    json_t *list = json_array();
    if (!list)
        return ia_fail_memory(err, "JSON", sizeof *list);
    for (size_t i = 0; i < n; i++) {
        inarch_status status = ia_keras_push(list, graph_ref(m, refs[i]), err);
        if (status != INARCH_OK) {
            json_decref(list);
            return status;
        }
    }
    *out = list;
    return INARCH_OK;
}

/* The file's own structure, such as {"a": ["x", 0, 0]}, with the present references. */
static inarch_status graph_shaped(const ia_model *m, const json_t *like, const ia_ref **next,
                                  json_t **out, inarch_error *err)
{
    const json_t *ref;
    if (json_is_array(like) && graph_is_ref(like, &ref)) {
        *out = graph_ref(m, *(*next)++);
        return *out ? INARCH_OK : ia_fail_memory(err, "JSON", sizeof **out);
    }
    json_t *made = json_is_array(like) ? json_array() : json_object(), *item;
    inarch_status status = made ? INARCH_OK : ia_fail_memory(err, "JSON", sizeof *made);
    for (size_t i = 0; i < json_array_size(like) && status == INARCH_OK; i++) {
        status = graph_shaped(m, json_array_get(like, i), next, &item, err);
        if (status == INARCH_OK)
            status = ia_keras_push(made, item, err);
    }
    const char **keys = NULL;
    size_t count = 0;
    if (status == INARCH_OK)
        status = ia_keras_sorted_keys(like, &keys, &count, err);
    for (size_t i = 0; i < count && status == INARCH_OK; i++) {
        status = graph_shaped(m, json_object_get(like, keys[i]), next, &item, err);
        if (status == INARCH_OK)
            status = ia_keras_set(made, keys[i], item, err);
    }
    ia_free(keys);
    if (status != INARCH_OK) {
        json_decref(made);
        return status;
    }
    *out = made;
    return INARCH_OK;
}

static inarch_status graph_ends(const ia_model *m, bool top, const char *key, const ia_ref *refs,
                                size_t n, json_t *config, inarch_error *err)
{
    const json_t *like = json_object_get(m->source, key), *bare;
    bool is_bare = json_is_array(like) && graph_is_ref(like, &bare);
    json_t *value;
    const ia_ref *next = refs;
    if (n == 1 && !top)
        return ia_keras_set(config, key, graph_ref(m, refs[0]), err);
    IA_TRY(!is_bare && graph_leaves(like) == n ? graph_shaped(m, like, &next, &value, err)
                                               : graph_flat(m, refs, n, &value, err));
    return ia_keras_set(config, key, value, err);
}

inarch_status ia_keras_write_ends(const ia_model *m, bool top, json_t *config, inarch_error *err)
{
    IA_TRY(graph_ends(m, top, "input_layers", m->inputs, m->input_count, config, err));
    return graph_ends(m, top, "output_layers", m->outputs, m->output_count, config, err);
}
