/* Initialisers: Keras' definitions over our own random stream; values differ from Keras', their
 * distribution does not. Adding one is a row in the table. Seeds in configurations are not kept: a
 * variable's stream follows from the model's seed. */
#include "nn/initializer.h"

#include "base/alloc.h"
#include "base/text.h"
#include "nn/field.h"
#include "nn/params.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Standard deviation of a standard normal cut at +-2; Keras and TensorFlow divide by it. */
#define TRUNCATED_STDDEV 0.87962566103423978

enum { FAN_IN, FAN_OUT, FAN_AVG };
enum { TRUNCATED, UNIFORM, UNTRUNCATED };

typedef struct fill {
    const ia_initializer *init;
    const ia_shape *shape;
    size_t count;
    ia_random random;
    float *out;
    inarch_error *err;
} fill;

struct ia_initializer_class {
    const char *name;       /* in SPECs */
    const char *class_name; /* in JSON */
    const char *aliases;    /* whole words that are not the name in another spelling */
    const ia_param *params;
    bool random; /* the configuration has a seed */
    inarch_status (*fill)(fill *f);
    double scale; /* variance scaling with fixed settings */
    int mode, distribution;
};

static void fill_constant(fill *f, double value)
{
    for (size_t i = 0; i < f->count; i++)
        f->out[i] = (float)value;
}

static void fill_uniform(fill *f, double min, double max)
{
    for (size_t i = 0; i < f->count; i++)
        f->out[i] = (float)(min + (max - min) * ia_random_double(&f->random));
}

static void fill_normal(fill *f, double mean, double stddev)
{
    for (size_t i = 0; i < f->count; i++)
        f->out[i] = (float)(mean + stddev * ia_random_normal(&f->random));
}

/* Draws beyond two standard deviations are drawn again. */
static void fill_truncated(fill *f, double mean, double stddev)
{
    for (size_t i = 0; i < f->count; i++) {
        double z;
        do
            z = ia_random_normal(&f->random);
        while (z > 2 || z < -2);
        f->out[i] = (float)(mean + stddev * z);
    }
}

static inarch_status zeros_fill(fill *f)
{
    fill_constant(f, 0);
    return INARCH_OK;
}

static inarch_status ones_fill(fill *f)
{
    fill_constant(f, 1);
    return INARCH_OK;
}

static inarch_status constant_fill(fill *f)
{
    fill_constant(f, f->init->param[0]);
    return INARCH_OK;
}

static inarch_status normal_fill(fill *f)
{
    fill_normal(f, f->init->param[0], f->init->param[1]);
    return INARCH_OK;
}

static inarch_status truncated_fill(fill *f)
{
    fill_truncated(f, f->init->param[0], f->init->param[1]);
    return INARCH_OK;
}

static inarch_status uniform_fill(fill *f)
{
    fill_uniform(f, f->init->param[0], f->init->param[1]);
    return INARCH_OK;
}

/* Keras' compute_fans: kernels of more than two axes are receptive field, inputs, outputs. */
static void compute_fans(const ia_shape *s, double *in, double *out)
{
    *in = *out = s->rank ? (double)s->dim[s->rank - 1] : 1;
    if (s->rank < 2)
        return;
    *in = (double)s->dim[s->rank - 2];
    for (int i = 0; i < s->rank - 2; i++) {
        *in *= (double)s->dim[i];
        *out *= (double)s->dim[i];
    }
}

static void fill_scaled(fill *f, double scale, int mode, int distribution)
{
    double in, out;
    compute_fans(f->shape, &in, &out);
    double fan = mode == FAN_IN ? in : mode == FAN_OUT ? out : (in + out) / 2;
    scale /= fan > 1 ? fan : 1;
    if (distribution == UNIFORM)
        fill_uniform(f, -sqrt(3 * scale), sqrt(3 * scale));
    else if (distribution == TRUNCATED)
        fill_truncated(f, 0, sqrt(scale) / TRUNCATED_STDDEV);
    else
        fill_normal(f, 0, sqrt(scale));
}

static inarch_status variance_scaling_fill(fill *f)
{
    const double *p = f->init->param;
    fill_scaled(f, p[0], (int)p[1], (int)p[2]);
    return INARCH_OK;
}

static inarch_status fixed_scaling_fill(fill *f)
{
    const ia_initializer_class *c = f->init->cls;
    fill_scaled(f, c->scale, c->mode, c->distribution);
    return INARCH_OK;
}

static inarch_status shape_fail(fill *f, const char *needs)
{
    char text[96];
    return ia_fail(f->err, INARCH_BAD_ARGUMENT, f->init->cls->name,
                   "choose another initializer, such as glorot_uniform",
                   "initializer '%s' needs %s, not a variable of shape %s", f->init->cls->name,
                   needs, ia_shape_text(f->shape, text, sizeof text));
}

static inarch_status identity_fill(fill *f)
{
    if (f->shape->rank != 2)
        return shape_fail(f, "a matrix");
    size_t cols = (size_t)f->shape->dim[1];
    fill_constant(f, 0);
    for (size_t i = 0; i < (size_t)f->shape->dim[0] && i < cols; i++)
        f->out[i * cols + i] = (float)f->init->param[0];
    return INARCH_OK;
}

static double dot(size_t n, const double *a, const double *b)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* Makes v orthonormal to the k vectors of q by modified Gram-Schmidt, twice; false when nothing of
 * it is left. This is the Q of a QR factorisation whose R has a positive diagonal, as Keras takes
 * it. */
static bool orthonormalize(size_t n, size_t k, const double *q, double *v)
{
    double before = sqrt(dot(n, v, v));
    for (int pass = 0; pass < 2; pass++)
        for (size_t j = 0; j < k; j++) {
            double along = dot(n, q + j * n, v);
            for (size_t i = 0; i < n; i++)
                v[i] -= along * q[j * n + i];
        }
    double norm = sqrt(dot(n, v, v));
    if (!(norm > 1e-10 * before))
        return false;
    for (size_t i = 0; i < n; i++)
        v[i] /= norm;
    return true;
}

static inarch_status orthogonal_fill(fill *f)
{
    if (f->shape->rank < 2)
        return shape_fail(f, "at least two axes");
    if (!f->count)
        return INARCH_OK;
    size_t cols = (size_t)f->shape->dim[f->shape->rank - 1], rows = f->count / cols;
    size_t vectors = rows < cols ? rows : cols, length = rows < cols ? cols : rows;
    double *q = ia_calloc(f->count, sizeof *q); /* [vectors][length] */
    if (!q)
        return ia_fail_memory(f->err, "an orthogonal matrix", f->count * sizeof *q);
    for (size_t j = 0; j < vectors; j++) {
        double *v = q + j * length;
        do
            for (size_t i = 0; i < length; i++)
                v[i] = ia_random_normal(&f->random);
        while (!orthonormalize(length, j, q, v));
    }
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < cols; c++)
            f->out[r * cols + c] =
                (float)(f->init->param[0] * (rows < cols ? q[r * length + c] : q[c * length + r]));
    ia_free(q);
    return INARCH_OK;
}

static const ia_param constant_params[] = {{.name = "value"}, {0}};
static const ia_param normal_params[] = {
    {.name = "mean"},
    {.name = "stddev", .aliases = "scale", .fallback = 0.05, .max = INFINITY},
    {0}};
static const ia_param uniform_params[] = {
    {.name = "minval", .fallback = -0.05}, {.name = "maxval", .fallback = 0.05}, {0}};
static const ia_param scaling_params[] = {
    {.name = "scale", .fallback = 1, .min = 1e-300, .max = INFINITY},
    {.name = "mode", .choices = "fan_in|fan_out|fan_avg"},
    {.name = "distribution", .choices = "truncated_normal|uniform|untruncated_normal"},
    {0}};
static const ia_param gain_params[] = {{.name = "gain", .aliases = "scale", .fallback = 1}, {0}};
static const ia_param no_params[] = {{0}};

#define FIXED(name, class_name, scale, mode, distribution)                                         \
    {                                                                                              \
        name, class_name, NULL, no_params, true, fixed_scaling_fill, scale, mode, distribution     \
    }

static const ia_initializer_class initializers[] = {
    {"zeros", "Zeros", "zero", no_params, false, zeros_fill, 0, 0, 0},
    {"ones", "Ones", "one", no_params, false, ones_fill, 0, 0, 0},
    {"constant", "Constant", NULL, constant_params, false, constant_fill, 0, 0, 0},
    {"random_normal", "RandomNormal", "normal", normal_params, true, normal_fill, 0, 0, 0},
    {"random_uniform", "RandomUniform", "uniform", uniform_params, true, uniform_fill, 0, 0, 0},
    {"truncated_normal", "TruncatedNormal", NULL, normal_params, true, truncated_fill, 0, 0, 0},
    {"variance_scaling", "VarianceScaling", NULL, scaling_params, true, variance_scaling_fill, 0, 0,
     0},
    FIXED("glorot_uniform", "GlorotUniform", 1, FAN_AVG, UNIFORM),
    FIXED("glorot_normal", "GlorotNormal", 1, FAN_AVG, TRUNCATED),
    FIXED("he_uniform", "HeUniform", 2, FAN_IN, UNIFORM),
    FIXED("he_normal", "HeNormal", 2, FAN_IN, TRUNCATED),
    FIXED("lecun_uniform", "LecunUniform", 1, FAN_IN, UNIFORM),
    FIXED("lecun_normal", "LecunNormal", 1, FAN_IN, TRUNCATED),
    {"orthogonal", "Orthogonal", NULL, gain_params, true, orthogonal_fill, 0, 0, 0},
    {"identity", "Identity", NULL, gain_params, false, identity_fill, 0, 0, 0},
};

size_t ia_initializer_count(void)
{
    return IA_COUNT(initializers);
}

const char *ia_initializer_name_at(size_t i)
{
    return initializers[i].name;
}

const ia_param *ia_initializer_params_at(size_t i)
{
    return initializers[i].params;
}

/* TensorFlow 1.x and 2.x write GlorotUniformV2; Keras 3 knows OrthogonalInitializer. */
static void strip_suffix(char *name, const char *suffix)
{
    size_t len = strlen(name), n = strlen(suffix);
    if (len > n && strcmp(name + len - n, suffix) == 0)
        name[len - n] = 0;
}

static const ia_initializer_class *initializer_find(const char *word)
{
    char name[64];
    snprintf(name, sizeof name, "%s", word);
    strip_suffix(name, "V2");
    strip_suffix(name, "Initializer");
    for (size_t i = 0; i < IA_COUNT(initializers); i++) {
        const ia_initializer_class *c = &initializers[i];
        if (ia_same_name(c->name, name) || (c->aliases && ia_same_name(c->aliases, name)))
            return c;
    }
    return NULL;
}

static inarch_status unknown(const char *name, inarch_status status, inarch_error *err)
{
    const char *names[IA_COUNT(initializers)];
    for (size_t i = 0; i < IA_COUNT(initializers); i++)
        names[i] = initializers[i].name;
    return ia_fail_unknown(err, status, (ia_subject){"initializer", name}, names, IA_COUNT(names));
}

inarch_status ia_initializer_from_text(const char *text, ia_initializer *out, inarch_error *err)
{
    char name[64], args[128];
    if (!ia_parse_call(text, name, sizeof name, args, sizeof args))
        return ia_fail(err, INARCH_BAD_ARGUMENT, text, "write it as 'he_normal' or 'constant(0.5)'",
                       "initializer '%s' cannot be read", text);
    ia_initializer i = {.cls = initializer_find(name)};
    if (!i.cls && strcmp(name, "none"))
        return unknown(name, INARCH_BAD_ARGUMENT, err);
    ia_params_default(i.cls ? i.cls->params : NULL, i.param);
    if (i.cls)
        IA_TRY(ia_params_from_text(i.cls->params, (ia_subject){"initializer", i.cls->name}, args,
                                   i.param, err));
    *out = i;
    return INARCH_OK;
}

inarch_status ia_initializer_from_json(const json_t *value, ia_initializer *out, inarch_error *err)
{
    const char *name;
    const json_t *config;
    ia_initializer i = {0};
    if (!value || json_is_null(value)) {
        *out = i;
        return INARCH_OK;
    }
    if (!ia_json_named(value, &name, &config))
        return ia_fail(err, INARCH_UNSUPPORTED, "", "",
                       "an initializer is neither a name nor an object with a class_name");
    i.cls = initializer_find(name);
    if (!i.cls)
        return unknown(name, INARCH_UNSUPPORTED, err);
    const json_t *axes = json_object_get(config, "input_axes");
    if (axes && !json_is_null(axes))
        return ia_fail(err, INARCH_UNSUPPORTED, name, "",
                       "initializer '%s' with input_axes is not known", i.cls->name);
    ia_params_default(i.cls->params, i.param);
    IA_TRY(ia_params_from_json(i.cls->params, (ia_subject){"initializer", i.cls->name}, config,
                               i.param, err));
    *out = i;
    return INARCH_OK;
}

inarch_status ia_initializer_to_json(const ia_initializer *i, json_t **out, inarch_error *err)
{
    if (!i->cls) {
        *out = json_null();
        return INARCH_OK;
    }
    json_t *config = json_object();
    inarch_status status = ia_params_to_json(i->cls->params, i->param, config, err);
    if (status == INARCH_OK && i->cls->random && json_object_set_new(config, "seed", json_null()))
        status = ia_fail_memory(err, "JSON", sizeof *config);
    if (status != INARCH_OK) {
        json_decref(config);
        return status;
    }
    return ia_json_class(i->cls->class_name, config, out, err);
}

void ia_initializer_to_text(const ia_initializer *i, char *out, size_t size)
{
    if (i->cls)
        ia_params_to_text(i->cls->params, i->cls->name, i->param, out, size);
    else
        snprintf(out, size, "none");
}

inarch_status ia_initializer_fill(const ia_initializer *i, const ia_shape *shape, ia_random_key key,
                                  float *out, inarch_error *err)
{
    ia_initializer fallback = {.cls =
                                   initializer_find("glorot_uniform")}; /* as Keras' add_weight */
    fill f = {.init = i->cls ? i : &fallback,
              .shape = shape,
              .random = ia_random_from(key),
              .out = out,
              .err = err};
    if (!ia_shape_count(shape, &f.count))
        return shape_fail(&f, "known dimensions");
    return f.init->cls->fill(&f);
}
