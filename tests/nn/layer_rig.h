/* A bench for one layer: builds it from "key=value; key=value", runs forward and backward on
 * exact-size buffers, and compares both with a reference in double that the test writes down
 * itself; gradients with central differences of that reference. */
#ifndef INARCH_LAYER_RIG_H
#define INARCH_LAYER_RIG_H

#include "test.h"

#include "base/alloc.h"
#include "nn/layer.h"

#include <math.h>

#define RIG_INPUTS 3
#define RIG_WEIGHTS 5

typedef struct rig {
    ia_layer *layer;
    size_t rows, inputs;
    ia_view in[RIG_INPUTS], out;
    float *dx[RIG_INPUTS], *dw[RIG_WEIGHTS], *state[RIG_WEIGHTS];
    const float *weights[RIG_WEIGHTS];
    float *dy, *saved, *temp;
    ia_exec exec;
    ia_op op;
    uint32_t noise;
} rig;

/* y from x[input] and w[variable], all in double. */
typedef void rig_ref(const rig *r, double *const *x, double *const *w, double *y);

static inline float rig_random(rig *r)
{
    r->noise = r->noise * 1664525u + 1013904223u;
    return (float)(r->noise >> 8) / 8388608.0f - 1.0f;
}

static inline float *rig_floats(size_t n, float value)
{
    float *p = malloc(n ? n * sizeof *p : 1);
    assert_non_null(p);
    for (size_t i = 0; i < n; i++)
        p[i] = value;
    return p;
}

static inline void rig_set(ia_layer *l, const char *settings)
{
    char text[256];
    inarch_error err;
    snprintf(text, sizeof text, "%s", settings);
    for (char *item = strtok(text, "; "); item; item = strtok(NULL, "; ")) {
        char *value = strchr(item, '=');
        assert_non_null(value);
        *value++ = 0;
        const ia_field *f = ia_field_find(l->cls->fields, l->cls->field_count, item);
        assert_non_null(f);
        assert_ok(ia_field_set_text(f, l->config, value, l->name, &err), err);
    }
}

static inline ia_layer *rig_layer(const char *cls, const char *settings)
{
    inarch_error err;
    ia_layer *l;
    assert_non_null(ia_layer_class_find(cls));
    assert_ok(ia_layer_new(ia_layer_class_find(cls), "it", &l, &err), err);
    rig_set(l, settings);
    return l;
}

static inline inarch_status rig_build(ia_layer *l, const ia_shape *in, size_t n, ia_shape *out,
                                      inarch_error *err)
{
    if (l->cls->check)
        IA_TRY(l->cls->check(l, err));
    if (l->cls->build && !l->built)
        IA_TRY(l->cls->build(l, in, n, err));
    l->built = true;
    *out = in[0];
    return l->cls->shape ? l->cls->shape(l, in, n, out, err) : INARCH_OK;
}

static inline ia_view rig_view(size_t rows, const ia_shape *shape)
{
    ia_view v = {.shape = *shape};
    assert_true(ia_shape_count(shape, &v.size));
    v.data = rig_floats(rows * v.size, NAN);
    return v;
}

/* Inputs and dy are random in (-1, 1), weights too (moving variances and the like in (0.5, 1.5)).
 */
static inline void rig_open(rig *r, ia_layer *l, size_t rows, const ia_shape *in, size_t inputs)
{
    inarch_error err;
    ia_shape out;
    *r = (rig){.layer = l, .rows = rows, .inputs = inputs, .noise = 7};
    assert_ok(rig_build(l, in, inputs, &out, &err), err);
    for (size_t k = 0; k < inputs; k++) {
        r->in[k] = rig_view(rows, &in[k]);
        for (size_t i = 0; i < rows * r->in[k].size; i++)
            r->in[k].data[i] = rig_random(r);
        r->dx[k] = rig_floats(rows * r->in[k].size, NAN);
    }
    r->out = rig_view(rows, &out);
    r->dy = rig_floats(rows * r->out.size, 0);
    for (size_t i = 0; i < rows * r->out.size; i++)
        r->dy[i] = rig_random(r);
    assert_true(l->variable_count <= RIG_WEIGHTS);
    for (size_t v = 0; v < l->variable_count; v++) {
        ia_variable *var = &l->variables[v];
        size_t n = ia_variable_count(var);
        float *w = rig_floats(n, 0);
        for (size_t i = 0; i < n; i++)
            w[i] = rig_random(r) / (strstr(var->name, "variance") ? 2 : 1) +
                   (strstr(var->name, "variance") ? 1 : 0);
        r->weights[v] = w;
        r->dw[v] = var->trainable ? rig_floats(n, NAN) : NULL;
    }
    size_t saved = l->cls->saved ? l->cls->saved(l, in, inputs, rows) : 0;
    size_t temp = l->cls->temp ? l->cls->temp(l, in, inputs, rows) : 0;
    r->saved = rig_floats(saved, NAN);
    r->temp = rig_floats(temp, NAN);
    r->exec = (ia_exec){.set = ia_kernel_set_find("reference")};
    assert_non_null(r->exec.set);
    r->op = (ia_op){.layer = l,
                    .config = l->config,
                    .exec = &r->exec,
                    .rows = rows,
                    .in = r->in,
                    .in_count = inputs,
                    .out = r->out,
                    .weights = r->weights,
                    .saved = r->saved,
                    .temp = r->temp,
                    .dy = r->dy,
                    .dx = r->dx,
                    .dw = r->dw,
                    .training = 1};
}

static inline void rig_close(rig *r)
{
    for (size_t k = 0; k < r->inputs; k++) {
        free(r->in[k].data);
        free(r->dx[k]);
    }
    for (size_t v = 0; v < r->layer->variable_count; v++) {
        free((void *)(uintptr_t)r->weights[v]);
        free(r->dw[v]);
        free(r->state[v]);
    }
    free(r->out.data);
    free(r->dy);
    free(r->saved);
    free(r->temp);
    ia_layer_free(r->layer);
}

static inline double *rig_doubles(size_t n, const float *from)
{
    double *d = malloc(n ? n * sizeof *d : 1);
    assert_non_null(d);
    for (size_t i = 0; i < n; i++)
        d[i] = from ? (double)from[i] : 0;
    return d;
}

static inline double rig_loss(const rig *r, rig_ref *ref, double *const *x, double *const *w,
                              double *y)
{
    double sum = 0;
    ref(r, x, w, y);
    for (size_t i = 0; i < r->rows * r->out.size; i++)
        sum += y[i] * (double)r->dy[i];
    return sum;
}

static inline void rig_compare(const rig *r, rig_ref *ref, double *const *x, double *const *w,
                               double *y, double *at, size_t n, const float *got, const char *what)
{
    const double h = 1e-5;
    for (size_t i = 0; i < n; i++) {
        double keep = at[i];
        at[i] = keep + h;
        double up = rig_loss(r, ref, x, w, y);
        at[i] = keep - h;
        double down = rig_loss(r, ref, x, w, y);
        at[i] = keep;
        double want = (up - down) / (2 * h), off = fabs((double)got[i] - want);
        if (!(off <= 2e-4 * (1 + fabs(want))))
            fail_msg("%s: d%s[%zu] = %.9g, central difference %.9g", r->layer->cls->name, what, i,
                     (double)got[i], want);
    }
}

/* Forward against the reference, backward against its central differences. */
static inline void rig_check(rig *r, rig_ref *ref)
{
    double *x[RIG_INPUTS] = {0}, *w[RIG_WEIGHTS] = {0};
    const ia_layer *l = r->layer;
    for (size_t k = 0; k < r->inputs; k++)
        x[k] = rig_doubles(r->rows * r->in[k].size, r->in[k].data);
    for (size_t v = 0; v < l->variable_count; v++)
        w[v] = rig_doubles(ia_variable_count(&l->variables[v]), r->weights[v]);
    double *y = rig_doubles(r->rows * r->out.size, NULL);
    l->cls->forward(&r->op);
    ref(r, x, w, y);
    for (size_t i = 0; i < r->rows * r->out.size; i++)
        if (!(fabs((double)r->out.data[i] - y[i]) <= 1e-5 * (1 + fabs(y[i]))))
            fail_msg("%s: y[%zu] = %.9g, expected %.9g", l->cls->name, i, (double)r->out.data[i],
                     y[i]);
    l->cls->backward(&r->op);
    for (size_t k = 0; k < r->inputs; k++)
        rig_compare(r, ref, x, w, y, x[k], r->rows * r->in[k].size, r->dx[k], "x");
    for (size_t v = 0; v < l->variable_count; v++)
        if (r->dw[v])
            rig_compare(r, ref, x, w, y, w[v], ia_variable_count(&l->variables[v]), r->dw[v],
                        l->variables[v].name);
    for (size_t k = 0; k < r->inputs; k++)
        free(x[k]);
    for (size_t v = 0; v < l->variable_count; v++)
        free(w[v]);
    free(y);
}

#define SHAPE(...)                                                                                 \
    ((const ia_shape[]){{.rank = (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)),        \
                         .dim = {__VA_ARGS__}}})

/* The whole round for a layer with inputs of the given shapes. */
static inline void rig_test(const char *cls, const char *settings, size_t rows, const ia_shape *in,
                            size_t inputs, rig_ref *ref)
{
    rig r;
    rig_open(&r, rig_layer(cls, settings), rows, in, inputs);
    rig_check(&r, ref);
    rig_close(&r);
}

/* Building fails with this status and message. */
static inline void rig_refuses(const char *cls, const char *settings, const ia_shape *in,
                               size_t inputs, inarch_status status, const char *message)
{
    inarch_error err = {0};
    ia_shape out;
    ia_layer *l = rig_layer(cls, settings);
    assert_int_equal(rig_build(l, in, inputs, &out, &err), status);
    assert_string_equal(err.message, message);
    assert_string_equal(err.subject, "it");
    ia_layer_free(l);
}

static inline void rig_shape(const char *cls, const char *settings, const ia_shape *in,
                             size_t inputs, const char *want)
{
    inarch_error err = {0};
    ia_shape out;
    char text[96];
    ia_layer *l = rig_layer(cls, settings);
    assert_ok(rig_build(l, in, inputs, &out, &err), err);
    assert_string_equal(ia_shape_text(&out, text, sizeof text), want);
    ia_layer_free(l);
}

static inline json_t *rig_json(const char *text)
{
    json_error_t e;
    json_t *v = json_loads(text, JSON_DECODE_ANY, &e);
    if (!v)
        fail_msg("test JSON: %s: %s", e.text, text);
    return v;
}

#endif
