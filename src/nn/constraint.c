/* Constraints: Keras' projections of a variable. One row each in the table. Radial constraints, and
 * norms over several axes, belong to convolutions and are refused by name. */
#include "nn/constraint.h"

#include "base/text.h"
#include "nn/field.h"
#include "nn/params.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define NORM_EPSILON 1e-7f /* keras.config.epsilon() */

struct ia_constraint_class {
    const char *name;
    const char *class_name;
    const ia_param *params; /* in the order of param[]; then comes "axis" when there is one */
    bool has_axis;
    /* What the norm becomes; NULL: the constraint acts on single values. */
    float (*desired)(const ia_constraint *c, float norm);
};

static float clip(float v, float low, float high)
{
    return v < low ? low : v > high ? high : v;
}

static float max_norm_desired(const ia_constraint *c, float norm)
{
    return clip(norm, 0, c->param[0]);
}

static float unit_norm_desired(const ia_constraint *c, float norm)
{
    (void)c;
    (void)norm;
    return 1;
}

static float min_max_norm_desired(const ia_constraint *c, float norm)
{
    float rate = c->param[2];
    return rate * clip(norm, c->param[0], c->param[1]) + (1 - rate) * norm;
}

#define AXIS                                                                                       \
    {                                                                                              \
        .name = "axis", .min = -IA_MAX_RANK, .max = IA_MAX_RANK                                    \
    }

static const ia_param max_norm_params[] = {
    {.name = "max_value", .aliases = "m", .fallback = 2, .max = INFINITY}, AXIS, {0}};
static const ia_param unit_norm_params[] = {AXIS, {0}};
static const ia_param min_max_norm_params[] = {
    {.name = "min_value", .aliases = "low", .max = INFINITY},
    {.name = "max_value", .aliases = "high", .fallback = 1, .max = INFINITY},
    {.name = "rate", .fallback = 1, .max = 1},
    AXIS};
static const ia_param no_params[] = {{0}};

static const ia_constraint_class constraints[] = {
    {"max_norm", "MaxNorm", max_norm_params, true, max_norm_desired},
    {"non_neg", "NonNeg", no_params, false, NULL},
    {"unit_norm", "UnitNorm", unit_norm_params, true, unit_norm_desired},
    {"min_max_norm", "MinMaxNorm", min_max_norm_params, true, min_max_norm_desired},
};

size_t ia_constraint_count(void)
{
    return IA_COUNT(constraints);
}

const char *ia_constraint_name_at(size_t i)
{
    return constraints[i].name;
}

const ia_param *ia_constraint_params_at(size_t i)
{
    return constraints[i].params;
}

static const ia_constraint_class *constraint_find(const char *name)
{
    for (size_t i = 0; i < IA_COUNT(constraints); i++)
        if (ia_same_name(constraints[i].name, name))
            return &constraints[i];
    return NULL;
}

static inarch_status unknown(const char *name, inarch_status status, inarch_error *err)
{
    const char *names[IA_COUNT(constraints)];
    for (size_t i = 0; i < IA_COUNT(constraints); i++)
        names[i] = constraints[i].name;
    return ia_fail_unknown(err, status, (ia_subject){"constraint", name}, names, IA_COUNT(names));
}

static ia_constraint from_params(const ia_constraint_class *cls, const double *value)
{
    ia_constraint c = {.cls = cls};
    size_t n = ia_param_count(cls->params) - cls->has_axis;
    for (size_t i = 0; i < n; i++)
        c.param[i] = (float)value[i];
    if (cls->has_axis)
        c.axis = (int)value[n];
    return c;
}

static void to_params(const ia_constraint *c, double *value)
{
    size_t n = ia_param_count(c->cls->params) - c->cls->has_axis;
    for (size_t i = 0; i < n; i++)
        value[i] = ia_float_decimal(c->param[i]);
    if (c->cls->has_axis)
        value[n] = c->axis;
}

inarch_status ia_constraint_from_text(const char *text, ia_constraint *out, inarch_error *err)
{
    char name[64], args[128];
    double value[IA_PARAM_MAX];
    if (!ia_parse_call(text, name, sizeof name, args, sizeof args))
        return ia_fail(err, INARCH_BAD_ARGUMENT, text, "write it as 'max_norm(2)'",
                       "constraint '%s' cannot be read", text);
    if (strcmp(name, "none") == 0) {
        *out = (ia_constraint){0};
        return INARCH_OK;
    }
    const ia_constraint_class *c = constraint_find(name);
    if (!c)
        return unknown(name, INARCH_BAD_ARGUMENT, err);
    ia_params_default(c->params, value);
    IA_TRY(ia_params_from_text(c->params, (ia_subject){"constraint", c->name}, args, value, err));
    *out = from_params(c, value);
    return INARCH_OK;
}

inarch_status ia_constraint_from_json(const json_t *value, ia_constraint *out, inarch_error *err)
{
    const char *name;
    const json_t *config;
    double number[IA_PARAM_MAX];
    if (!value || json_is_null(value)) {
        *out = (ia_constraint){0};
        return INARCH_OK;
    }
    if (!ia_json_named(value, &name, &config))
        return ia_fail(err, INARCH_UNSUPPORTED, "", "",
                       "a constraint is neither a name nor an object with a class_name");
    const ia_constraint_class *c = constraint_find(name);
    if (!c)
        return unknown(name, INARCH_UNSUPPORTED, err);
    ia_params_default(c->params, number);
    IA_TRY(
        ia_params_from_json(c->params, (ia_subject){"constraint", c->name}, config, number, err));
    *out = from_params(c, number);
    return INARCH_OK;
}

inarch_status ia_constraint_to_json(const ia_constraint *c, json_t **out, inarch_error *err)
{
    if (!c->cls) {
        *out = json_null();
        return INARCH_OK;
    }
    double value[IA_PARAM_MAX] = {0};
    to_params(c, value);
    json_t *config = json_object();
    inarch_status status = ia_params_to_json(c->cls->params, value, config, err);
    if (status == INARCH_OK && c->cls->has_axis &&
        json_object_set_new(config, "axis", json_integer(c->axis)) != 0) /* not 0.0 */
        status = ia_fail_memory(err, "JSON", sizeof *config);
    if (status != INARCH_OK) {
        json_decref(config);
        return status;
    }
    return ia_json_class(c->cls->class_name, config, out, err);
}

void ia_constraint_to_text(const ia_constraint *c, char *out, size_t size)
{
    double value[IA_PARAM_MAX] = {0};
    if (!c->cls) {
        snprintf(out, size, "none");
        return;
    }
    to_params(c, value);
    ia_params_to_text(c->cls->params, c->cls->name, value, out, size);
}

/* w * (w >= 0), so that NaN stays NaN. */
static void apply_non_neg(size_t n, float *w)
{
    for (size_t i = 0; i < n; i++)
        w[i] = w[i] < 0 ? 0 : w[i];
}

/* Scales the `length` values w[0], w[stride], ... to the norm the class wants; w * (desired / (eps
 * + norm)). */
static void apply_norm(const ia_constraint *c, size_t length, size_t stride, float *w)
{
    float sum = 0;
    for (size_t i = 0; i < length; i++)
        sum += w[i * stride] * w[i * stride];
    float norm = sqrtf(sum);
    float factor = c->cls->desired(c, norm) / (NORM_EPSILON + norm);
    for (size_t i = 0; i < length; i++)
        w[i * stride] *= factor;
}

bool ia_constraint_fits(const ia_constraint *c, const ia_shape *shape)
{
    return !c->cls || !c->cls->has_axis || (c->axis < shape->rank && c->axis >= -shape->rank);
}

void ia_constraint_apply(const ia_constraint *c, const ia_shape *shape, float *w)
{
    size_t n;
    if (!c->cls || !ia_shape_count(shape, &n) || !n)
        return;
    if (!c->cls->desired) {
        apply_non_neg(n, w);
        return;
    }
    assert(ia_constraint_fits(c, shape));
    int axis = c->axis < 0 ? c->axis + shape->rank : c->axis;
    size_t length = (size_t)shape->dim[axis], inner = 1;
    for (int i = axis + 1; i < shape->rank; i++)
        inner *= (size_t)shape->dim[i];
    for (size_t o = 0; o < n / (length * inner); o++)
        for (size_t i = 0; i < inner; i++)
            apply_norm(c, length, inner, w + o * length * inner + i);
}
