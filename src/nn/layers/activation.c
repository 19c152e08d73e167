/* Activation: a function of kernels/activation.h as a layer of its own. */
#include "nn/layers/common.h"

#include <stddef.h>

typedef struct activation_config {
    ia_activation activation;
    ia_regularizer activity_regularizer;
} activation_config;

static const ia_field activation_fields[] = {
    {.key = "activation",
     .type = IA_FIELD_ACTIVATION,
     .offset = offsetof(activation_config, activation),
     .fallback = "linear",
     .help = "a name such as relu"},
    {.key = "activity_regularizer",
     .type = IA_FIELD_REGULARIZER,
     .offset = offsetof(activation_config, activity_regularizer),
     .fallback = "none",
     .help = "penalty on the outputs"},
};

static const ia_activation *activation_of(const ia_layer *l)
{
    const activation_config *c = l->config;
    return &c->activation;
}

static void activation_forward(const ia_op *op)
{
    const activation_config *c = op->config;
    ia_forward_activation(op, &c->activation);
}

static void activation_backward(const ia_op *op)
{
    const activation_config *c = op->config;
    ia_backward_activation(op, &c->activation);
}

const ia_layer_class ia_layer_activation = {
    .name = "Activation",
    .spec = "activation",
    .help = "an activation alone: activation:relu",
    .flags = IA_LAYER_ACTIVATION_ONLY,
    .config_size = sizeof(activation_config),
    .fields = activation_fields,
    .field_count = IA_COUNT(activation_fields),
    .min_inputs = 1,
    .max_inputs = 1,
    .forward = activation_forward,
    .backward = activation_backward,
    .activation = activation_of,
    .reads = IA_READS_X | IA_READS_Y,
};
