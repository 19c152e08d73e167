/* The graph of a Functional: inbound_nodes of any generation to calls in topological order.
 *
 * Keras 1 and 2 write a call as [[layer, node, tensor, {kwargs}], ...], Keras 3 as {"args",
 * "kwargs"} around __keras_tensor__ objects. `node` counts the calls of the layer - but for a
 * nested model Keras 1 and 2 start at 1, because a model's own inputs are its node 0, and Keras 3
 * does so in output_layers alone, for Functional models. Calls that no output needs are dropped. */
#include "formats/keras/keras.h"

#include "base/alloc.h"

#include <string.h>

#define MAX_REFS (1u << 20) /* in one model */

typedef struct nodes_ref {
    size_t layer;
    int64_t node, tensor;
} nodes_ref;

typedef struct nodes_node { /* one call */
    size_t layer;
    size_t ref, ref_count;
    const json_t *source; /* borrowed; NULL for an InputLayer */
    const json_t *kwargs; /* borrowed; NULL */
    bool legacy;          /* Keras 1 and 2 form */
    bool plain;           /* its inputs are one tensor or one list of tensors */
    bool needed, open, done;
    size_t next; /* of the search: the reference to look at */
    size_t call; /* in the model, once done */
} nodes_node;

typedef struct nodes_graph {
    ia_model *m;
    json_t *index;   /* layer name -> position */
    size_t *first;   /* [layers] in nodes */
    size_t *count;   /* [layers] */
    int64_t *lowest; /* [layers] lowest node number that the older form uses; -1: none */
    nodes_node *nodes;
    size_t node_count, node_cap;
    nodes_ref *refs;
    size_t ref_count, ref_cap;
    bool keras3;   /* some call has the new form */
    size_t *stack; /* [node_count] */
} nodes_graph;

/* ---- references ---- */

static bool nodes_is_legacy_ref(const json_t *v)
{
    return json_is_array(v) && json_array_size(v) >= 3 && json_is_string(json_array_get(v, 0)) &&
           json_is_integer(json_array_get(v, 1)) && json_is_integer(json_array_get(v, 2));
}

static const json_t *nodes_history(const json_t *v)
{
    const char *class_name = ia_json_string(v, "class_name", "");
    if (strcmp(class_name, "__keras_tensor__") != 0)
        return NULL;
    const json_t *history = json_object_get(json_object_get(v, "config"), "keras_history");
    return nodes_is_legacy_ref(history) ? history : NULL;
}

static inarch_status nodes_add_ref(nodes_graph *g, const json_t *ref, const char *who, bool legacy,
                                   inarch_error *err)
{
    const char *name = json_string_value(json_array_get(ref, 0));
    const json_t *at = json_object_get(g->index, name);
    int64_t node = json_integer_value(json_array_get(ref, 1));
    if (!at)
        return ia_fail(err, INARCH_BAD_FILE, who, "",
                       "'%s' takes its input from the layer '%s', which is not in the model", who,
                       name);
    if (g->ref_count >= MAX_REFS)
        return ia_fail(err, INARCH_LIMIT, who, "", "the model has more than %u connections",
                       MAX_REFS);
    IA_TRY(ia_grow(&g->refs, &g->ref_cap, g->ref_count, sizeof *g->refs, "the model's graph", err));
    size_t layer = (size_t)json_integer_value(at);
    g->refs[g->ref_count++] = (nodes_ref){layer, node, json_integer_value(json_array_get(ref, 2))};
    if (legacy && (g->lowest[layer] < 0 || node < g->lowest[layer]))
        g->lowest[layer] = node;
    return INARCH_OK;
}

/* ---- one call's inputs ---- */

/* Tensors anywhere in `v`, in order. The depth of JSON bounds the recursion. */
static inarch_status nodes_collect(nodes_graph *g, nodes_node *n, const json_t *v, bool in_kwargs,
                                   const char *who, inarch_error *err)
{
    const char *key;
    json_t *item;
    const json_t *ref = n->legacy ? (nodes_is_legacy_ref(v) ? v : NULL) : nodes_history(v);
    if (ref && n->legacy && in_kwargs)
        ref = json_object_get(g->index, json_string_value(json_array_get(v, 0))) ? v : NULL;
    else if (ref && n->legacy &&
             strcmp(json_string_value(json_array_get(v, 0)), "_CONSTANT_VALUE") == 0) {
        n->plain = false;
        return INARCH_OK;
    }
    if (ref) {
        n->plain = n->plain && !in_kwargs;
        if (n->legacy && !in_kwargs && json_is_object(json_array_get(v, 3)))
            n->kwargs = json_array_get(v, 3);
        return nodes_add_ref(g, ref, who, n->legacy, err);
    }
    if (json_is_array(v))
        for (size_t i = 0; i < json_array_size(v); i++)
            IA_TRY(nodes_collect(g, n, json_array_get(v, i), in_kwargs, who, err));
    json_object_foreach((json_t *)(uintptr_t)v, key, item)
        IA_TRY(nodes_collect(g, n, item, in_kwargs, who, err));
    return INARCH_OK;
}

/* [ref, ref, ...], or with Keras 3's objects: T or [T, T, ...]. */
static bool nodes_is_list(const json_t *v, bool legacy)
{
    if (legacy ? nodes_is_legacy_ref(v) : nodes_history(v) != NULL)
        return true;
    for (size_t i = 0; i < json_array_size(v); i++) {
        const json_t *item = json_array_get(v, i);
        if (legacy ? !nodes_is_legacy_ref(item) : !nodes_history(item))
            return false;
    }
    return json_array_size(v) > 0;
}

static inarch_status nodes_read_call(nodes_graph *g, nodes_node *n, const char *who,
                                     inarch_error *err)
{
    const json_t *inputs = n->source, *args = json_object_get(n->source, "args");
    n->legacy = !json_is_array(args);
    if (n->legacy) {
        n->plain = nodes_is_list(inputs, true);
    } else {
        g->keras3 = true;
        inputs = args;
        n->plain = json_array_size(args) == 1 && nodes_is_list(json_array_get(args, 0), false);
        n->kwargs = json_object_get(n->source, "kwargs");
    }
    n->ref = g->ref_count;
    IA_TRY(nodes_collect(g, n, inputs, false, who, err));
    if (n->kwargs)
        IA_TRY(nodes_collect(g, n, n->kwargs, true, who, err));
    n->ref_count = g->ref_count - n->ref;
    if (n->ref_count > KERAS_MAX_INPUTS)
        return ia_fail(err, INARCH_LIMIT, who, "", "layer '%s' takes more than %d inputs", who,
                       KERAS_MAX_INPUTS);
    return INARCH_OK;
}

static inarch_status nodes_add(nodes_graph *g, size_t layer, const json_t *source,
                               inarch_error *err)
{
    const ia_layer *l = g->m->layers[layer];
    if (g->node_count >= KERAS_MAX_CALLS)
        return ia_fail(err, INARCH_LIMIT, l->name, "",
                       "the model calls its layers more than %d times", KERAS_MAX_CALLS);
    IA_TRY(ia_grow(&g->nodes, &g->node_cap, g->node_count, sizeof *g->nodes, "the model's graph",
                   err));
    nodes_node n = {.layer = layer, .source = source, .plain = true, .ref = g->ref_count};
    if (source)
        IA_TRY(nodes_read_call(g, &n, l->name, err));
    if (!n.plain && !(l->cls->flags & IA_LAYER_OPAQUE))
        return ia_layer_fail(l, INARCH_UNSUPPORTED, err, "",
                             "(%s) is called with other arguments than its inputs", l->class_name);
    g->nodes[g->node_count++] = n;
    g->count[layer]++;
    return INARCH_OK;
}

static inarch_status nodes_read_all(nodes_graph *g, const json_t *layers, inarch_error *err)
{
    for (size_t i = 0; i < g->m->layer_count; i++) {
        const json_t *list = json_object_get(json_array_get(layers, i), "inbound_nodes");
        bool is_input = (g->m->layers[i]->cls->flags & IA_LAYER_INPUT) != 0;
        g->first[i] = g->node_count;
        if (is_input && json_array_size(list) > 0)
            return ia_layer_fail(g->m->layers[i], INARCH_BAD_FILE, err, "",
                                 "is an InputLayer, but takes inputs");
        if (is_input)
            IA_TRY(nodes_add(g, i, NULL, err));
        for (size_t k = 0; k < json_array_size(list); k++)
            IA_TRY(nodes_add(g, i, json_array_get(list, k), err));
    }
    return INARCH_OK;
}

/* ---- from references to calls ---- */

typedef enum nodes_place { IN_LEGACY, IN_KERAS3, IN_OUTPUTS } nodes_place; /* of a reference */

static int64_t nodes_base(const nodes_graph *g, size_t layer, nodes_place place)
{
    const ia_model *child = g->m->layers[layer]->child;
    if (!child || place == IN_KERAS3)
        return 0;
    if (place == IN_OUTPUTS && g->keras3)
        return child->kind == IA_FUNCTIONAL;
    return g->lowest[layer] != 0;
}

static inarch_status nodes_resolve(const nodes_graph *g, const nodes_ref *r, nodes_place place,
                                   const char *who, size_t *out, inarch_error *err)
{
    const ia_layer *l = g->m->layers[r->layer];
    size_t count = g->count[r->layer];
    int64_t base = nodes_base(g, r->layer, place), at = r->node < base ? -1 : r->node - base;
    if (l->child && count == 1 && (r->node == 0 || r->node == 1))
        at = 0; /* one call: whichever way it was counted */
    if (at < 0 || (uint64_t)at >= count)
        return ia_fail(
            err, INARCH_BAD_FILE, who, "",
            "'%s' takes its input from call %lld of layer '%s', which is called %zu time%s", who,
            (long long)r->node, l->name, count, count == 1 ? "" : "s");
    if (r->tensor != 0 && !l->child)
        return ia_fail(err, INARCH_UNSUPPORTED, l->name, "",
                       "layer '%s' (%s) gives several outputs, and '%s' takes output %lld", l->name,
                       l->class_name, who, (long long)r->tensor);
    if (r->tensor < 0)
        return ia_fail(err, INARCH_BAD_FILE, who, "", "'%s' takes output %lld of layer '%s'", who,
                       (long long)r->tensor, l->name);
    *out = g->first[r->layer] + (size_t)at;
    return INARCH_OK;
}

static inarch_status nodes_input(const nodes_graph *g, const nodes_node *n, size_t i, size_t *out,
                                 inarch_error *err)
{
    return nodes_resolve(g, &g->refs[n->ref + i], n->legacy ? IN_LEGACY : IN_KERAS3,
                         g->m->layers[n->layer]->name, out, err);
}

/* Marks what the node `start` needs. */
static inarch_status nodes_mark(nodes_graph *g, size_t start, inarch_error *err)
{
    size_t depth = 0;
    if (!g->nodes[start].needed)
        g->stack[depth++] = start;
    g->nodes[start].needed = true;
    while (depth > 0) {
        const nodes_node *n = &g->nodes[g->stack[--depth]];
        for (size_t i = 0; i < n->ref_count; i++) {
            size_t from;
            IA_TRY(nodes_input(g, n, i, &from, err));
            if (!g->nodes[from].needed)
                g->stack[depth++] = from; /* each node once: the stack holds them all */
            g->nodes[from].needed = true;
        }
    }
    return INARCH_OK;
}

/* What the call keeps of its arguments. */
static inarch_status nodes_keep_arguments(const nodes_node *n, ia_call *c, inarch_error *err)
{
    const json_t *training = json_object_get(n->kwargs, "training");
    if (json_is_boolean(training))
        c->training = json_is_true(training);
    if (n->plain) {
        if (json_object_size(n->kwargs) > 0)
            c->kwargs = json_incref((json_t *)(uintptr_t)n->kwargs);
        return INARCH_OK;
    }
    c->kwargs = json_object();
    return ia_keras_set(c->kwargs, KERAS_WHOLE_NODE, json_incref((json_t *)(uintptr_t)n->source),
                        err);
}

static inarch_status nodes_emit(nodes_graph *g, nodes_node *n, inarch_error *err)
{
    ia_layer *l = g->m->layers[n->layer];
    ia_ref *in = ia_calloc(n->ref_count, sizeof *in);
    if (!in)
        return ia_fail_memory(err, "the model's graph", n->ref_count * sizeof *in);
    inarch_status status = INARCH_OK;
    for (size_t i = 0; i < n->ref_count && status == INARCH_OK; i++) {
        size_t from = 0;
        status = nodes_input(g, n, i, &from, err);
        in[i] = (ia_ref){g->nodes[from].call, (size_t)g->refs[n->ref + i].tensor};
    }
    if (status == INARCH_OK)
        status = ia_model_add_call(g->m, l, in, n->ref_count, err);
    ia_free(in);
    IA_TRY(status);
    n->call = g->m->call_count - 1;
    n->done = true;
    return nodes_keep_arguments(n, &g->m->calls[n->call], err);
}

/* Emits the node after all that it reads; an open node met again is a cycle. */
static inarch_status nodes_visit(nodes_graph *g, size_t start, inarch_error *err)
{
    size_t depth = 0;
    g->stack[depth++] = start;
    while (depth > 0) {
        nodes_node *n = &g->nodes[g->stack[depth - 1]];
        n->open = true;
        if (n->next == n->ref_count) {
            IA_TRY(nodes_emit(g, n, err));
            n->open = false;
            depth--;
            continue;
        }
        size_t from;
        IA_TRY(nodes_input(g, n, n->next, &from, err));
        if (g->nodes[from].open)
            return ia_layer_fail(g->m->layers[n->layer], INARCH_BAD_FILE, err, "",
                                 "takes its own output as input: the graph has a cycle");
        n->next++;
        if (!g->nodes[from].done)
            g->stack[depth++] = from;
    }
    return INARCH_OK;
}

/* ---- inputs and outputs ---- */

/* input_layers or output_layers: a reference, or a list or an object of them, which Keras flattens
 * by its keys. */
static inarch_status nodes_ends(nodes_graph *g, const json_t *v, const char *what, bool outputs,
                                inarch_error *err)
{
    if (nodes_is_legacy_ref(v))
        return nodes_add_ref(g, v, what, outputs && !g->keras3, err);
    for (size_t i = 0; i < json_array_size(v); i++)
        IA_TRY(nodes_ends(g, json_array_get(v, i), what, outputs, err));
    const char **keys;
    size_t n;
    IA_TRY(ia_keras_sorted_keys(v, &keys, &n, err));
    inarch_status status = INARCH_OK;
    for (size_t i = 0; i < n && status == INARCH_OK; i++)
        status = nodes_ends(g, json_object_get(v, keys[i]), what, outputs, err);
    ia_free(keys);
    return status;
}

/* Everything the outputs and the inputs [first, ref_count) need. */
static inarch_status nodes_mark_ends(nodes_graph *g, size_t first, size_t outputs,
                                     inarch_error *err)
{
    if (outputs == first || g->ref_count == outputs)
        return ia_fail(err, INARCH_BAD_FILE, g->m->name, "", "the model '%s' has no %s", g->m->name,
                       outputs == first ? "inputs" : "outputs");
    for (size_t i = first; i < g->ref_count; i++) {
        size_t node;
        const ia_layer *l = g->m->layers[g->refs[i].layer];
        if (i < outputs && !(l->cls->flags & IA_LAYER_INPUT))
            return ia_layer_fail(l, INARCH_BAD_FILE, err, "",
                                 "is listed as an input, but is not an InputLayer");
        IA_TRY(nodes_resolve(g, &g->refs[i], IN_OUTPUTS, g->m->name, &node, err));
        IA_TRY(nodes_mark(g, node, err));
    }
    return INARCH_OK;
}

static inarch_status nodes_set_ends(nodes_graph *g, size_t first, size_t n, bool outputs,
                                    inarch_error *err)
{
    ia_ref *refs = ia_calloc(n, sizeof *refs);
    if (!refs)
        return ia_fail_memory(err, "the model's graph", n * sizeof *refs);
    inarch_status status = INARCH_OK;
    for (size_t i = 0; i < n && status == INARCH_OK; i++) {
        size_t node = 0;
        status = nodes_resolve(g, &g->refs[first + i], IN_OUTPUTS, g->m->name, &node, err);
        refs[i] = (ia_ref){g->nodes[node].call, (size_t)g->refs[first + i].tensor};
        const ia_call *c = &g->m->calls[refs[i].call];
        if (status == INARCH_OK && refs[i].output >= c->out_count)
            status = ia_layer_fail(c->layer, INARCH_BAD_FILE, err, "", "has no output %zu",
                                   refs[i].output);
    }
    if (status == INARCH_OK)
        status = outputs ? ia_model_set_outputs(g->m, refs, n, err)
                         : ia_model_set_inputs(g->m, refs, n, err);
    ia_free(refs);
    return status;
}

/* An InputLayer that something needs must be among the inputs, each once. */
static inarch_status nodes_check_inputs(const ia_model *m, inarch_error *err)
{
    bool *listed = ia_calloc(m->call_count, sizeof *listed);
    if (!listed)
        return ia_fail_memory(err, "the model's graph", m->call_count);
    inarch_status status = INARCH_OK;
    for (size_t i = 0; i < m->input_count && status == INARCH_OK; i++) {
        const ia_layer *l = m->calls[m->inputs[i].call].layer;
        if (listed[m->inputs[i].call])
            status = ia_layer_fail(l, INARCH_BAD_FILE, err, "", "is listed twice among the inputs");
        listed[m->inputs[i].call] = true;
    }
    for (size_t c = 0; c < m->call_count && status == INARCH_OK; c++)
        if ((m->calls[c].layer->cls->flags & IA_LAYER_INPUT) && !listed[c])
            status = ia_layer_fail(m->calls[c].layer, INARCH_BAD_FILE, err, "",
                                   "is needed, but not listed among the inputs");
    ia_free(listed);
    return status;
}

/* ---- the whole ---- */

static inarch_status nodes_init(nodes_graph *g, inarch_error *err)
{
    size_t n = g->m->layer_count;
    g->index = json_object();
    g->first = ia_calloc(n, sizeof *g->first);
    g->count = ia_calloc(n, sizeof *g->count);
    g->lowest = ia_calloc(n, sizeof *g->lowest);
    if (!g->index || !g->first || !g->count || !g->lowest)
        return ia_fail_memory(err, "the model's graph", n * sizeof *g->first);
    for (size_t i = 0; i < n; i++) {
        g->lowest[i] = -1;
        IA_TRY(ia_keras_set(g->index, g->m->layers[i]->name, json_integer((json_int_t)i), err));
    }
    return INARCH_OK;
}

static inarch_status nodes_run(nodes_graph *g, const json_t *config, inarch_error *err)
{
    IA_TRY(nodes_init(g, err));
    IA_TRY(nodes_read_all(g, json_object_get(config, "layers"), err));
    size_t inputs = g->ref_count;
    IA_TRY(nodes_ends(g, json_object_get(config, "input_layers"), "input_layers", false, err));
    size_t outputs = g->ref_count;
    IA_TRY(nodes_ends(g, json_object_get(config, "output_layers"), "output_layers", true, err));
    g->stack = ia_calloc(g->node_count, sizeof *g->stack);
    if (!g->stack)
        return ia_fail_memory(err, "the model's graph", g->node_count * sizeof *g->stack);
    IA_TRY(nodes_mark_ends(g, inputs, outputs, err));
    for (size_t i = 0; i < g->node_count; i++)
        if (g->nodes[i].needed && !g->nodes[i].done)
            IA_TRY(nodes_visit(g, i, err));
    IA_TRY(nodes_set_ends(g, inputs, outputs - inputs, false, err));
    IA_TRY(nodes_set_ends(g, outputs, g->ref_count - outputs, true, err));
    return nodes_check_inputs(g->m, err);
}

inarch_status ia_keras_read_nodes(const json_t *config, ia_model *m, inarch_error *err)
{
    nodes_graph g = {.m = m};
    inarch_status status = nodes_run(&g, config, err);
    json_decref(g.index);
    ia_free(g.first);
    ia_free(g.count);
    ia_free(g.lowest);
    ia_free(g.nodes);
    ia_free(g.refs);
    ia_free(g.stack);
    return status;
}
