/* Models for the tests of surgery, and a comparison of whole documents. */
#ifndef INARCH_TEST_SURGERY_RIG_H
#define INARCH_TEST_SURGERY_RIG_H

#include "api/rig.h"
#include "transfer/surgery.h"

#include <math.h>

/* a (tanh) - b (batchnorm) - c (dropout) - d (dense) - e (softmax): 5 layers by Keras' count. */
static IA_UNUSED inarch_model *sequential(void)
{
    return rig_new("input:4,dense(6,tanh,name=a),batchnorm(name=b),dropout(0.2,name=c),"
                   "dense(5,relu,name=d),dense(3,softmax,name=e)");
}

/* Two inputs through a shared nested model (base: p, q), joined, a residual pair, one output. */
static IA_UNUSED inarch_model *functional(void)
{
    ia_model *child = rig_model("base"), *doc = rig_model("m");
    ia_ref x = rig_input(child, "input(4,name=inside)"), y;
    y = rig_put(child, "dense(6,tanh,name=p)", x);
    y = rig_put(child, "dense(6,relu,name=q)", y);
    rig_ports(child, &x, 1, &y, 1);
    ia_ref in[] = {rig_input(doc, "input(4,name=left)"), rig_input(doc, "input(4,name=right)")};
    ia_layer *base = rig_nested(doc, child, "base");
    ia_ref l = rig_call(doc, base, &in[0], 1), r = rig_call(doc, base, &in[1], 1);
    ia_ref joined = rig_join(doc, "add(name=join)", l, r);
    ia_ref up = rig_put(doc, "dense(6,tanh,name=up)", joined);
    ia_ref sum = rig_join(doc, "add(name=sum)", joined, up);
    ia_ref out = rig_put(doc, "dense(3,softmax,name=top)", sum);
    rig_ports(doc, in, 2, &out, 1);
    return rig_finish(doc, 2);
}

/* A Sequential whose only layers are a nested model that ends in the head, and its activation. */
static IA_UNUSED inarch_model *nested_top(const char *head, const char *activation)
{
    inarch_error err;
    ia_model *child = rig_model("base"), *doc;
    ia_ref x = rig_input(child, "input:4"), y = rig_put(child, "dense(6,tanh,name=p)", x);
    y = rig_put(child, head, y);
    rig_ports(child, &x, 1, &y, 1);
    assert_ok(ia_model_new(IA_SEQUENTIAL, "m", &doc, &err), err);
    x = rig_input(doc, "input:4");
    y = rig_call(doc, rig_nested(doc, child, "base"), &x, 1);
    y = activation ? rig_put(doc, activation, y) : y;
    rig_ports(doc, &x, 1, &y, 1);
    return rig_finish(doc, 2);
}

/* ---- the document as text ---- */

typedef struct text {
    char *at;
    size_t left;
} text;

static void put_refs(text *t, const char *what, const ia_ref *refs, size_t n)
{
    int used = snprintf(t->at, t->left, " %s", what);
    t->at += used, t->left -= (size_t)used;
    for (size_t i = 0; i < n; i++) {
        used = snprintf(t->at, t->left, " %zu.%zu", refs[i].call, refs[i].output);
        t->at += used, t->left -= (size_t)used;
    }
}

static void put_model(text *t, const ia_model *m)
{
    int used = snprintf(t->at, t->left, "%s %s %d %llu\n", m->name, m->class_name, (int)m->kind,
                        (unsigned long long)m->step);
    t->at += used, t->left -= (size_t)used;
    for (size_t i = 0; i < m->layer_count; i++) {
        const ia_layer *l = m->layers[i];
        used = snprintf(t->at, t->left, "%s %s %d %g", l->name, l->class_name, l->trainable,
                        (double)l->learning_rate);
        t->at += used, t->left -= (size_t)used;
        for (size_t v = 0; v < l->variable_count; v++) {
            const ia_variable *w = &l->variables[v];
            used = snprintf(t->at, t->left, " %s/%llu/%016llx", w->name,
                            (unsigned long long)w->slots.step,
                            (unsigned long long)hash_bytes(HASH_START, ia_array_data(&w->value),
                                                           ia_array_count(&w->value) * 4));
            t->at += used, t->left -= (size_t)used;
        }
        *t->at++ = '\n', t->left--;
        if (l->child)
            put_model(t, l->child);
    }
    for (size_t c = 0; c < m->call_count; c++)
        put_refs(t, m->calls[c].layer->name, m->calls[c].in, m->calls[c].in_count);
    put_refs(t, "in", m->inputs, m->input_count);
    put_refs(t, "out", m->outputs, m->output_count);
    *t->at++ = '\n', t->left--;
}

/* Names, flags, graph, ids, values' hashes and steps: equal texts are equal documents. */
static IA_UNUSED char *document_text(const inarch_model *m)
{
    enum { SIZE = 1 << 16 };
    char *all = calloc(1, SIZE);
    text t = {all, SIZE - 4096};
    put_model(&t, m->doc);
    char *meta = json_dumps(m->doc->meta, JSON_SORT_KEYS);
    snprintf(t.at, t.left, "%s %016llx", meta, (unsigned long long)hash_slots(m));
    free(meta);
    return all;
}

/* ---- questions ---- */

static IA_UNUSED const char *layer_names(const inarch_model *m)
{
    static char all[512];
    *all = '\0';
    for (size_t i = 0; i < m->doc->layer_count; i++)
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? " " : "",
                 m->doc->layers[i]->name);
    return all;
}

static inarch_status put_live(void *context, const ia_model *m, ia_layer *l, const char *path,
                              bool trainable, inarch_error *err)
{
    char *all = context;
    (void)m, (void)err;
    if (trainable && l->variable_count)
        snprintf(all + strlen(all), 512 - strlen(all), "%s%s", *all ? " " : "", path);
    return INARCH_OK;
}

/* The paths of layers with weights that a fit would train. */
static IA_UNUSED const char *live_layers(const inarch_model *m)
{
    static char all[512];
    *all = '\0';
    assert_int_equal(ia_model_walk(m->doc, put_live, all, NULL), INARCH_OK);
    return all;
}

static IA_UNUSED void predict(const inarch_model *m, const inarch_data *d, float *out, size_t n)
{
    inarch_error err;
    assert_ok(inarch_predict(m, d, 0, NULL, out, n, &err), err);
}

/* A few steps of Adam, so that there are moments and steps to lose. */
static IA_UNUSED void warm_up(inarch_model *m)
{
    inarch_error err;
    inarch_data *d = rig_rows(m, 20, 4);
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    fit.optimizer = "adam(learning_rate=0.01)";
    fit.batch_size = 8;
    fit.threads = 1;
    assert_ok(inarch_fit(m, d, &fit, NULL, &err), err);
    inarch_data_free(d);
}

#endif
