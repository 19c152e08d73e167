/* Random graphs of every shape that the plan has to get right: layers and nested models called
 * again, values read by several others, joins, random layers, statistics, one or two inputs and
 * outputs, any part of it frozen. */
#ifndef INARCH_TEST_RANDOM_GRAPH_H
#define INARCH_TEST_RANDOM_GRAPH_H

#include "api/rig.h"

enum { RANDOM_WIDTH = 6, RANDOM_VALUES = 24 };

typedef struct grower {
    ia_model *m;
    uint32_t state;
    ia_ref value[RANDOM_VALUES]; /* all of RANDOM_WIDTH numbers */
    size_t values;
    ia_layer *shared[RANDOM_VALUES]; /* layers that may be called again */
    size_t shares;
} grower;

static ia_ref pick(grower *g)
{
    size_t latest = g->values > 3 && rig_below(&g->state, 2) ? g->values - 3 : 0;
    return g->value[latest + rig_below(&g->state, g->values - latest)];
}

static void grow(grower *g, ia_ref v)
{
    g->value[g->values++] = v;
}

static ia_model *small_child(uint32_t *state)
{
    static const char *const inner[] = {"dense:6:tanh", "batchnorm", "dropout:0.4", "layernorm",
                                        "gaussiannoise:0.2"};
    ia_model *m = rig_model("child");
    ia_ref x = rig_input(m, "input:6"), y = rig_put(m, "dense:6:elu", x);
    for (size_t i = rig_below(state, 4); i > 0; i--)
        y = rig_put(m, inner[rig_below(state, IA_COUNT(inner))], y);
    if (rig_below(state, 2))
        y = rig_join(m, "add", x, y);
    rig_ports(m, &x, 1, &y, 1);
    return m;
}

static void add_something(grower *g)
{
    static const char *const one[] = {"dense:6:relu",
                                      "dense:6:sigmoid",
                                      "batchnorm",
                                      "dropout:0.3",
                                      "layernorm",
                                      "prelu",
                                      "tanh",
                                      "gaussiandropout:0.2",
                                      "dense(6,kernel_regularizer=l2(0.01))",
                                      "activityregularization:0.01:0.02"};
    static const char *const two[] = {"add", "multiply", "average", "maximum", "subtract"};
    ia_ref a = pick(g), b = pick(g);
    char name[16];
    switch (rig_below(&g->state, 8)) {
    case 0:
        snprintf(name, sizeof name, "nest_%zu", g->shares);
        g->shared[g->shares] = rig_nested(g->m, small_child(&g->state), name);
        grow(g, rig_call(g->m, g->shared[g->shares++], &a, 1));
        return;
    case 1:
        if (g->shares)
            grow(g, rig_call(g->m, g->shared[rig_below(&g->state, g->shares)], &a, 1));
        return;
    case 2:
        grow(g, rig_join(g->m, two[rig_below(&g->state, IA_COUNT(two))], a, b));
        return;
    case 3:
        grow(g, rig_put(g->m, "dense:6:tanh", rig_join(g->m, "concatenate", a, b)));
        return;
    default:
        grow(g, rig_put(g->m, one[rig_below(&g->state, IA_COUNT(one))], a));
        g->shared[g->shares++] = g->m->calls[g->m->call_count - 1].layer;
    }
}

/* Lower layers are frozen more often than upper ones, so that there is a prefix. */
static void freeze_some(ia_model *m, uint32_t *state, bool inside)
{
    for (size_t i = 0; i < m->layer_count; i++) {
        size_t place = inside ? 50 : 100 * i / m->layer_count;
        m->layers[i]->trainable = rig_below(state, 100) < place;
        if (m->layers[i]->child)
            freeze_some(m->layers[i]->child, state, true);
    }
}

static IA_UNUSED inarch_model *random_model(uint32_t seed)
{
    grower g = {.m = rig_model("random"), .state = seed * 7919 + 1};
    ia_ref in[2], out[2];
    size_t inputs = 1 + rig_below(&g.state, 2), outputs = 1 + rig_below(&g.state, 2);
    for (size_t i = 0; i < inputs; i++)
        grow(&g, in[i] = rig_input(g.m, "input:6"));
    for (size_t i = 4 + rig_below(&g.state, 9); i > 0; i--)
        add_something(&g);
    if (inputs == 2) /* every input is used */
        grow(&g, rig_join(g.m, "add", in[1], g.value[g.values - 1]));
    for (size_t i = 0; i < outputs; i++)
        out[i] = rig_put(g.m, i ? "dense:1:sigmoid" : "dense:3:softmax",
                         i ? pick(&g) : g.value[g.values - 1]);
    rig_ports(g.m, in, inputs, out, outputs);
    inarch_error err;
    assert_ok(ia_model_prune(g.m, &err), err);
    freeze_some(g.m, &g.state, false);
    for (size_t i = 0; i < outputs; i++) /* outputs are the last layers: something is always live */
        g.m->layers[g.m->layer_count - 1 - i]->trainable = true;
    return rig_finish(g.m, seed);
}

#endif
