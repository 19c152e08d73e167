/* Activations in SPECs and in Keras JSON of all generations. */
#include "nn/activation_field.h"

#include "base/text.h"
#include "nn/field.h"
#include "nn/params.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define KERAS2_HARD_SIGMOID_SLOPE 0.2f
#define NAMES_MAX 64

/* Layers that stand for a function: Dense(activation=LeakyReLU(0.1)). */
typedef struct layer_form {
    const char *class_name;
    const char *activation;
    bool written;                  /* else it is only read */
    ia_param params[IA_PARAM_MAX]; /* in the activation's order */
} layer_form;

static const layer_form forms[] = {
    {"LeakyReLU",
     "leaky_relu",
     true,
     {{.name = "alpha", .aliases = "negative_slope", .fallback = 0.3, .max = INFINITY}, {0}}},
    {"ReLU",
     "relu",
     true,
     {{.name = "negative_slope", .aliases = "alpha", .max = INFINITY},
      {.name = "max_value", .fallback = INFINITY, .max = INFINITY},
      {.name = "threshold", .max = INFINITY},
      {0}}},
    {"ELU", "elu", true, {{.name = "alpha", .fallback = 1}, {0}}},
    {"ThresholdedReLU",
     "threshold",
     false,
     {{.name = "theta", .fallback = 1, .max = INFINITY}, {0}}},
    {"Softmax", "softmax", false, {{0}}},
};

/* The parameters of a class as a table; `p` has IA_PARAM_MAX rows. */
static void activation_params(const ia_activation_class *c, ia_param *p)
{
    memset(p, 0, IA_PARAM_MAX * sizeof *p);
    for (size_t i = 0; i < IA_COUNT(c->param) && c->param[i]; i++) {
        p[i].name = c->param[i];
        p[i].fallback = ia_float_decimal(c->fallback[i]);
    }
    if (strcmp(c->name, "relu") == 0 || strcmp(c->name, "leaky_relu") == 0)
        for (size_t i = 0; i < ia_param_count(p); i++) /* as Keras checks them */
            p[i].max = INFINITY;
}

static ia_activation with_params(const ia_activation_class *c, const double *value)
{
    ia_activation a = {.cls = c};
    for (size_t i = 0; i < IA_COUNT(a.param); i++)
        a.param[i] = (float)value[i];
    return a;
}

static inarch_status unknown(const char *name, inarch_status status, inarch_error *err)
{
    const char *names[NAMES_MAX];
    size_t n = 0;
    for (; n < NAMES_MAX && n < ia_activation_count(); n++)
        names[n] = ia_activation_at(n)->name;
    return ia_fail_unknown(err, status, (ia_subject){"activation", name}, names, n);
}

inarch_status ia_activation_from_text(const char *text, ia_activation *out, inarch_error *err)
{
    char name[64], args[128];
    double value[IA_PARAM_MAX];
    ia_param p[IA_PARAM_MAX];
    if (!ia_parse_call(text, name, sizeof name, args, sizeof args))
        return ia_fail(err, INARCH_BAD_ARGUMENT, text, "write it as 'relu' or 'leaky_relu(0.1)'",
                       "activation '%s' cannot be read", text);
    const ia_activation_class *c = ia_activation_find(strcmp(name, "none") ? name : "linear");
    if (!c)
        return unknown(name, INARCH_BAD_ARGUMENT, err);
    activation_params(c, p);
    ia_params_default(p, value);
    IA_TRY(ia_params_from_text(p, (ia_subject){"activation", c->name}, args, value, err));
    *out = with_params(c, value);
    return INARCH_OK;
}

static const layer_form *form_of_class(const char *class_name)
{
    for (size_t i = 0; i < IA_COUNT(forms); i++)
        if (strcmp(forms[i].class_name, class_name) == 0)
            return &forms[i];
    return NULL;
}

static inarch_status from_layer(const layer_form *form, const json_t *config, ia_activation *out,
                                inarch_error *err)
{
    double value[IA_PARAM_MAX];
    const json_t *axis = json_object_get(config, "axis");
    if (axis && !(json_is_integer(axis) && json_integer_value(axis) == -1))
        return ia_fail(
            err, INARCH_UNSUPPORTED, form->class_name, "",
            "activation '%s' over another axis than the last is not computed inside a layer",
            form->class_name);
    ia_params_default(form->params, value);
    IA_TRY(ia_params_from_json(form->params, (ia_subject){"activation", form->class_name}, config,
                               value, err));
    *out = with_params(ia_activation_find(form->activation), value);
    return INARCH_OK;
}

static inarch_status from_name(const char *name, int generation, const json_t *config,
                               ia_activation *out, inarch_error *err)
{
    double value[IA_PARAM_MAX];
    ia_param p[IA_PARAM_MAX];
    const ia_activation_class *c = ia_activation_find(name);
    if (!c)
        return unknown(name, INARCH_UNSUPPORTED, err);
    activation_params(c, p);
    ia_params_default(p, value);
    IA_TRY(ia_params_from_json(p, (ia_subject){"activation", c->name}, config, value, err));
    *out = with_params(c, value);
    if (generation < 3 && strcmp(c->name, "hard_sigmoid") == 0)
        out->param[0] = KERAS2_HARD_SIGMOID_SLOPE;
    return INARCH_OK;
}

inarch_status ia_activation_from_json(const json_t *value, int generation, ia_activation *out,
                                      inarch_error *err)
{
    const char *name;
    const json_t *config;
    if (!value || json_is_null(value))
        return from_name("linear", generation, NULL, out, err);
    const json_t *function = json_object_get(value, "config"); /* {"class_name": "function", ...} */
    if (json_is_string(function))
        return from_name(json_string_value(function), generation, NULL, out, err);
    if (!ia_json_named(value, &name, &config))
        return ia_fail(err, INARCH_UNSUPPORTED, "", "",
                       "an activation is neither a name nor an object with a class_name");
    const layer_form *form = json_is_object(value) ? form_of_class(name) : NULL;
    return form ? from_layer(form, config, out, err)
                : from_name(name, generation, config, out, err);
}

static bool plain(const ia_activation *a)
{
    if (strcmp(a->cls->name, "hard_sigmoid") == 0 && a->param[0] == KERAS2_HARD_SIGMOID_SLOPE)
        return true;
    for (size_t i = 0; i < IA_COUNT(a->param) && a->cls->param[i]; i++)
        if (a->param[i] != a->cls->fallback[i])
            return false;
    return true;
}

/* Keras 3 has no ThresholdedReLU; ReLU with that threshold is the same function. */
static ia_activation writable(const ia_activation *a)
{
    if (strcmp(a->cls->name, "threshold") != 0 || a->param[1] != 0)
        return *a;
    ia_activation relu = ia_activation_of(ia_activation_find("relu"));
    relu.param[2] = a->param[0];
    return relu;
}

static const layer_form *form_of(const ia_activation *a)
{
    for (size_t i = 0; i < IA_COUNT(forms); i++)
        if (strcmp(forms[i].activation, a->cls->name) == 0 && forms[i].written)
            return &forms[i];
    return NULL;
}

static inarch_status to_layer(const ia_activation *a, const layer_form *form, json_t **out,
                              inarch_error *err)
{
    double value[IA_PARAM_MAX] = {0};
    for (size_t i = 0; i < IA_COUNT(a->param); i++)
        value[i] = ia_float_decimal(a->param[i]);
    json_t *config = json_pack("{s:s}", "name", a->cls->name);
    inarch_status status = ia_params_to_json(form->params, value, config, err);
    if (status != INARCH_OK) {
        json_decref(config);
        return status;
    }
    json_t *object = json_pack("{s:s, s:s, s:o, s:n}", "module", "keras.layers", "class_name",
                               form->class_name, "config", config, "registered_name");
    if (!object)
        return ia_fail_memory(err, "JSON", sizeof *object);
    *out = object;
    return INARCH_OK;
}

inarch_status ia_activation_to_json(const ia_activation *a, json_t **out, inarch_error *err)
{
    ia_activation written = a->cls ? writable(a) : *a;
    if (!written.cls || plain(&written)) {
        json_t *name = json_string(written.cls ? written.cls->name : "linear");
        if (!name)
            return ia_fail_memory(err, "JSON", sizeof *name);
        *out = name;
        return INARCH_OK;
    }
    const layer_form *form = form_of(&written);
    if (form)
        return to_layer(&written, form, out, err);
    char text[96];
    ia_activation_to_text(a, text, sizeof text);
    return ia_fail(err, INARCH_UNSUPPORTED, a->cls->name, "use it with its default parameters",
                   "activation '%s' has no form in Keras' files", text);
}

void ia_activation_to_text(const ia_activation *a, char *out, size_t size)
{
    ia_param p[IA_PARAM_MAX];
    double value[IA_PARAM_MAX] = {0};
    if (!a->cls) {
        snprintf(out, size, "linear");
        return;
    }
    activation_params(a->cls, p);
    for (size_t i = 0; i < ia_param_count(p); i++)
        value[i] = ia_float_decimal(a->param[i]);
    ia_params_to_text(p, a->cls->name, value, out, size);
}
