/* Keras' order of a Functional's layers. Keras numbers them anew whenever it makes a model: by
 * depth in the graph, then by a search from the outputs. What counts layers (freezing the first n,
 * files that list weights by position) counts them like this. */
#include "nn/model.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

typedef struct order_layer {
    ia_layer *layer;
    size_t position; /* in m->layers */
    int64_t depth;   /* calls between it and the outputs; -1: not called */
    int64_t found;   /* when the search met it; -1: an input that nothing reads */
} order_layer;

typedef struct order_call {
    size_t next; /* input to look at */
    int64_t depth;
    bool open, done;
    size_t layer; /* in the sorted table */
} order_call;

typedef struct order_search {
    const ia_model *m;
    order_layer *layers; /* by address */
    order_call *calls;
    size_t *stack, *post; /* [calls]; post: inputs before what reads them */
    size_t post_count;
    int64_t found;
} order_search;

static int order_by_address(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t)((const order_layer *)a)->layer;
    uintptr_t y = (uintptr_t)((const order_layer *)b)->layer;
    return x < y ? -1 : x > y;
}

static int order_by_depth(const void *a, const void *b)
{
    const order_layer *x = a, *y = b;
    if (x->depth != y->depth)
        return x->depth > y->depth ? -1 : 1;
    if (x->found != y->found)
        return x->found < y->found ? -1 : 1;
    return x->position < y->position ? -1 : x->position > y->position;
}

static void order_meet(order_search *s, size_t call)
{
    order_layer *l = &s->layers[s->calls[call].layer];
    if (l->depth < 0) {
        l->depth = 0;
        l->found = s->found++;
    }
    s->calls[call].open = true;
    s->calls[call].depth = 0;
}

/* Depth first from one output, as Keras' _build_map does. */
static void order_visit(order_search *s, size_t start)
{
    size_t depth = 0;
    if (s->calls[start].done)
        return;
    s->stack[depth++] = start;
    order_meet(s, start);
    while (depth > 0) {
        size_t at = s->stack[depth - 1];
        const ia_call *c = &s->m->calls[at];
        if (s->calls[at].next < c->in_count) {
            size_t from = c->in[s->calls[at].next++].call;
            if (!s->calls[from].open && !s->calls[from].done) {
                s->stack[depth++] = from;
                order_meet(s, from);
            }
            continue;
        }
        s->calls[at].done = true;
        s->post[s->post_count++] = at;
        depth--;
    }
}

static void order_depths(order_search *s)
{
    for (size_t i = s->post_count; i-- > 0;) {
        order_call *c = &s->calls[s->post[i]];
        order_layer *l = &s->layers[c->layer];
        if (c->depth < l->depth)
            c->depth = l->depth; /* a shared layer sits at its deepest call */
        l->depth = c->depth;
        const ia_call *call = &s->m->calls[s->post[i]];
        for (size_t k = 0; k < call->in_count; k++) {
            order_call *from = &s->calls[call->in[k].call];
            if (from->depth < c->depth + 1)
                from->depth = c->depth + 1;
        }
    }
    for (size_t i = 0; i < s->m->input_count; i++) {
        order_layer *l = &s->layers[s->calls[s->m->inputs[i].call].layer];
        if (l->depth < 0) {
            l->depth = 0;
            l->found = -1;
            l->position = i;
        }
    }
}

static void order_run(order_search *s)
{
    const ia_model *m = s->m;
    for (size_t i = 0; i < m->layer_count; i++)
        s->layers[i] = (order_layer){m->layers[i], i, -1, -1};
    qsort(s->layers, m->layer_count, sizeof *s->layers, order_by_address);
    for (size_t c = 0; c < m->call_count; c++) {
        order_layer key = {.layer = m->calls[c].layer};
        const order_layer *l =
            bsearch(&key, s->layers, m->layer_count, sizeof *s->layers, order_by_address);
        s->calls[c].layer = (size_t)(l - s->layers);
    }
    for (size_t i = 0; i < m->output_count; i++)
        order_visit(s, m->outputs[i].call);
    order_depths(s);
    qsort(s->layers, m->layer_count, sizeof *s->layers, order_by_depth);
}

inarch_status ia_model_layer_order(const ia_model *m, ia_layer ***out, inarch_error *err)
{
    order_search s = {.m = m,
                      .layers = ia_calloc(m->layer_count, sizeof *s.layers),
                      .calls = ia_calloc(m->call_count, sizeof *s.calls),
                      .stack = ia_calloc(m->call_count, sizeof *s.stack),
                      .post = ia_calloc(m->call_count, sizeof *s.post)};
    ia_layer **order = ia_calloc(m->layer_count, sizeof *order);
    inarch_status status = INARCH_OK;
    if (!s.layers || !s.calls || !s.stack || !s.post || !order) {
        status = ia_fail_memory(err, "the model's graph", m->call_count * sizeof *s.calls);
        ia_free(order);
    } else {
        if (m->kind == IA_FUNCTIONAL)
            order_run(&s);
        for (size_t i = 0; i < m->layer_count; i++)
            order[i] = m->kind == IA_FUNCTIONAL ? s.layers[i].layer : m->layers[i];
        *out = order;
    }
    ia_free(s.layers);
    ia_free(s.calls);
    ia_free(s.stack);
    ia_free(s.post);
    return status;
}

inarch_status ia_model_sort_layers(ia_model *m, inarch_error *err)
{
    ia_layer **order;
    IA_TRY(ia_model_layer_order(m, &order, err));
    if (m->layer_count)
        memcpy(m->layers, order, m->layer_count * sizeof *order);
    ia_free(order);
    return INARCH_OK;
}
