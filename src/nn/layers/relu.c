/* ReLU, LeakyReLU, ELU and ThresholdedReLU: activations with settings. Their fields lie inside the
 * activation itself, so the table in kernels/ is the only place that computes them. */
#include "nn/layers/common.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

typedef struct relu_config {
    ia_activation activation;
} relu_config;

#define PARAM(i) .offset = offsetof(relu_config, activation.param[i])

/* The parameters' places are written into the fields below; `first` guards against their being
 * moved. */
static void relu_set(void *config, const char *name, const char *first)
{
    relu_config *c = config;
    c->activation = ia_activation_of(ia_activation_find(name));
    assert(strcmp(c->activation.cls->param[0], first) == 0);
    (void)first;
}

static const ia_activation *relu_activation(const ia_layer *l)
{
    const relu_config *c = l->config;
    return &c->activation;
}

static void relu_forward(const ia_op *op)
{
    const relu_config *c = op->config;
    ia_forward_activation(op, &c->activation);
}

static void relu_backward(const ia_op *op)
{
    const relu_config *c = op->config;
    ia_backward_activation(op, &c->activation);
}

#define SETTINGS(stem)                                                                             \
    .flags = IA_LAYER_ACTIVATION_ONLY, .config_size = sizeof(relu_config),                         \
    .fields = stem##_fields, .field_count = IA_COUNT(stem##_fields), .min_inputs = 1,              \
    .max_inputs = 1, .forward = relu_forward, .backward = relu_backward,                           \
    .activation = relu_activation, .reads = IA_READS_X | IA_READS_Y, .init = stem##_init

static const ia_field relu_fields[] = {
    {.key = "max_value",
     .type = IA_FIELD_FLOAT,
     PARAM(1),
     .max = INFINITY,
     .fallback = "none",
     .none = INFINITY,
     .help = "values are cut there; none = never"},
    {.key = "negative_slope",
     .aliases = "alpha",
     .type = IA_FIELD_FLOAT,
     PARAM(0),
     .max = INFINITY,
     .fallback = "0",
     .help = "slope below the threshold, 0 or more"},
    {.key = "threshold",
     .type = IA_FIELD_FLOAT,
     PARAM(2),
     .max = INFINITY,
     .fallback = "0",
     .help = "where the upper part begins, 0 or more"},
};

static void relu_init(void *config)
{
    relu_set(config, "relu", "negative_slope");
}

const ia_layer_class ia_layer_relu = {.name = "ReLU",
                                      .spec = "relu",
                                      .help = "max(x, 0), with a slope, a cap and a threshold",
                                      SETTINGS(relu)};

static const ia_field leaky_relu_fields[] = {
    {.key = "negative_slope",
     .aliases = "alpha",
     .type = IA_FIELD_FLOAT,
     PARAM(0),
     .max = INFINITY,
     .fallback = "0.3",
     .help = "slope below 0, 0 or more"},
};

static void leaky_relu_init(void *config)
{
    relu_set(config, "leaky_relu", "negative_slope");
}

const ia_layer_class ia_layer_leaky_relu = {.name = "LeakyReLU",
                                            .spec = "leakyrelu",
                                            .help = "x above 0, slope times x below",
                                            SETTINGS(leaky_relu)};

static const ia_field elu_fields[] = {
    {.key = "alpha",
     .type = IA_FIELD_FLOAT,
     PARAM(0),
     .fallback = "1",
     .help = "minus the limit at minus infinity"},
};

static void elu_init(void *config)
{
    relu_set(config, "elu", "alpha");
}

const ia_layer_class ia_layer_elu = {
    .name = "ELU", .spec = "elu", .help = "x above 0, alpha (exp(x) - 1) below", SETTINGS(elu)};

static const ia_field thresholded_relu_fields[] = {
    {.key = "theta",
     .type = IA_FIELD_FLOAT,
     PARAM(0),
     .max = INFINITY,
     .fallback = "1",
     .help = "values up to it become 0; 0 or more"},
};

static void thresholded_relu_init(void *config)
{
    relu_set(config, "threshold", "threshold");
}

const ia_layer_class ia_layer_thresholded_relu = {.name = "ThresholdedReLU",
                                                  .spec = "thresholdedrelu",
                                                  .aliases = "thresholded_relu",
                                                  .help = "x above theta, else 0",
                                                  SETTINGS(thresholded_relu)};
