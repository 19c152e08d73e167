/* Regularisers: every class of Keras that is l1 * sum|w| + l2 * sum w^2 in some spelling.
 * Orthogonal and user-defined ones are refused by name. */
#include "nn/regularizer.h"

#include "base/text.h"
#include "kernels/kernels.h"
#include "nn/field.h"
#include "nn/params.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_FACTOR 0.01 /* of "l1" and "l2" without a number */

typedef struct regularizer_class {
    const char *name;
    const char *aliases;
    const ia_param *params;
    const ia_param *config; /* an absent key of L1L2 is 0, a bare "l1_l2" 0.01 twice */
} regularizer_class;

static const ia_param l1_params[] = {
    {.name = "l1", .aliases = "l", .fallback = DEFAULT_FACTOR, .max = 3e38}, {0}};
static const ia_param l2_params[] = {
    {.name = "l2", .aliases = "l", .fallback = DEFAULT_FACTOR, .max = 3e38}, {0}};
static const ia_param both_params[] = {{.name = "l1", .fallback = DEFAULT_FACTOR, .max = 3e38},
                                       {.name = "l2", .fallback = DEFAULT_FACTOR, .max = 3e38},
                                       {0}};
static const ia_param config_params[] = {
    {.name = "l1", .max = 3e38}, {.name = "l2", .max = 3e38}, {0}};

static const regularizer_class regularizers[] = {
    {"l1", NULL, l1_params, l1_params},
    {"l2", NULL, l2_params, l2_params},
    {"l1_l2", "WeightRegularizer|L1L2Regularizer|ActivityRegularizer", both_params, config_params},
};

size_t ia_regularizer_count(void)
{
    return IA_COUNT(regularizers);
}

const char *ia_regularizer_name_at(size_t i)
{
    return regularizers[i].name;
}

const ia_param *ia_regularizer_params_at(size_t i)
{
    return regularizers[i].params;
}

static bool called(const regularizer_class *c, const char *name)
{
    return ia_same_name(c->name, name) || (c->aliases && ia_name_index(c->aliases, name) >= 0);
}

static const regularizer_class *regularizer_find(const char *name)
{
    for (size_t i = 0; i < IA_COUNT(regularizers); i++)
        if (called(&regularizers[i], name))
            return &regularizers[i];
    return NULL;
}

static inarch_status unknown(const char *name, inarch_status status, inarch_error *err)
{
    static const char *const names[] = {"l1", "l2", "l1_l2", "none"};
    return ia_fail_unknown(err, status, (ia_subject){"regularizer", name}, names, IA_COUNT(names));
}

static ia_regularizer from_params(const ia_param *p, const double *value)
{
    ia_regularizer r = {.given = 1};
    for (size_t i = 0; i < ia_param_count(p); i++)
        *(p[i].name[1] == '1' ? &r.l1 : &r.l2) = (float)value[i];
    return r;
}

inarch_status ia_regularizer_from_text(const char *text, ia_regularizer *out, inarch_error *err)
{
    char name[64], args[128];
    double value[IA_PARAM_MAX];
    if (!ia_parse_call(text, name, sizeof name, args, sizeof args))
        return ia_fail(err, INARCH_BAD_ARGUMENT, text, "write it as 'l2(0.01)'",
                       "regularizer '%s' cannot be read", text);
    if (strcmp(name, "none") == 0) {
        *out = (ia_regularizer){0};
        return INARCH_OK;
    }
    const regularizer_class *c = regularizer_find(name);
    if (!c)
        return unknown(name, INARCH_BAD_ARGUMENT, err);
    const ia_param *p = *args ? c->config : c->params;
    ia_params_default(p, value);
    IA_TRY(ia_params_from_text(p, (ia_subject){"regularizer", c->name}, args, value, err));
    *out = from_params(p, value);
    return INARCH_OK;
}

inarch_status ia_regularizer_from_json(const json_t *value, ia_regularizer *out, inarch_error *err)
{
    const char *name;
    const json_t *config;
    double number[IA_PARAM_MAX];
    if (!value || json_is_null(value)) {
        *out = (ia_regularizer){0};
        return INARCH_OK;
    }
    if (!ia_json_named(value, &name, &config))
        return ia_fail(err, INARCH_UNSUPPORTED, "", "",
                       "a regularizer is neither a name nor an object with a class_name");
    const regularizer_class *c = regularizer_find(name);
    if (!c)
        return unknown(name, INARCH_UNSUPPORTED, err);
    const ia_param *p = config ? c->config : c->params;
    ia_params_default(p, number);
    IA_TRY(ia_params_from_json(p, (ia_subject){"regularizer", c->name}, config, number, err));
    *out = from_params(p, number);
    return INARCH_OK;
}

/* L1L2 is the one class that every generation from Keras 2.0 on knows. */
inarch_status ia_regularizer_to_json(const ia_regularizer *r, json_t **out, inarch_error *err)
{
    if (!r->given) {
        *out = json_null();
        return INARCH_OK;
    }
    double value[IA_PARAM_MAX] = {ia_float_decimal(r->l1), ia_float_decimal(r->l2)};
    json_t *config = json_object();
    inarch_status status = ia_params_to_json(config_params, value, config, err);
    if (status != INARCH_OK) {
        json_decref(config);
        return status;
    }
    return ia_json_class("L1L2", config, out, err);
}

void ia_regularizer_to_text(const ia_regularizer *r, char *out, size_t size)
{
    char l1[32], l2[32];
    ia_format_float(r->l1, l1, sizeof l1);
    ia_format_float(r->l2, l2, sizeof l2);
    if (!r->given)
        snprintf(out, size, "none");
    else if (r->l1 != 0 && r->l2 != 0)
        snprintf(out, size, "l1_l2(%s,%s)", l1, l2);
    else if (r->l1 != 0)
        snprintf(out, size, "l1(%s)", l1);
    else
        snprintf(out, size, "l2(%s)", l2);
}

bool ia_regularizer_active(const ia_regularizer *r)
{
    return r->l1 != 0 || r->l2 != 0;
}

#define TREE_BLOCK 64

static double block_loss(double l1, double l2, size_t n, const float *w)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double v = (double)w[i];
        sum += l1 * fabs(v) + l2 * (v * v);
    }
    return sum;
}

static size_t largest_power_below(size_t n)
{
    size_t p = 1;
    while (p < n - p)
        p *= 2;
    return p;
}

/* Blocks of 64 joined by the aligned binary tree, as ia_sum_f64 does, without an array of terms. */
static double tree_loss(double l1, double l2, size_t n, const float *w)
{
    if (n <= TREE_BLOCK)
        return block_loss(l1, l2, n, w);
    size_t blocks = n / TREE_BLOCK + (n % TREE_BLOCK != 0);
    size_t left = largest_power_below(blocks) * TREE_BLOCK;
    return tree_loss(l1, l2, left, w) + tree_loss(l1, l2, n - left, w + left);
}

double ia_regularizer_loss(const ia_regularizer *r, size_t n, const float *w)
{
    return ia_regularizer_active(r) ? tree_loss((double)r->l1, (double)r->l2, n, w) : 0;
}

void ia_regularizer_grad(const ia_regularizer *r, size_t n, float scale, const float *w, float *g)
{
    float l1 = scale * r->l1, l2 = scale * (2 * r->l2);
    if (!ia_regularizer_active(r))
        return;
    for (size_t i = 0; i < n; i++) {
        float sign = w[i] > 0 ? l1 : w[i] < 0 ? -l1 : 0;
        g[i] += sign + l2 * w[i];
    }
}
