/* Dropout: in training each value is kept with probability 1 - rate and scaled by 1 / (1 - rate).
 */
#include "nn/layers/common.h"

#include <stddef.h>

typedef struct dropout_config {
    float rate;
} dropout_config;

static const ia_field dropout_fields[] = {
    {.key = "rate",
     .aliases = "p",
     .type = IA_FIELD_FLOAT,
     .offset = offsetof(dropout_config, rate),
     .max = 1,
     .help = "fraction that is dropped, 0 to 1"},
};

static inarch_status dropout_from_json(ia_layer *l, const json_t *config, int generation,
                                       inarch_error *err)
{
    (void)generation;
    return ia_refuse_key(l, config, "noise_shape", err);
}

static bool dropout_active(const ia_op *op)
{
    const dropout_config *c = op->config;
    return op->training && c->rate > 0;
}

static size_t dropout_saved(const ia_layer *l, const ia_shape *in, size_t in_count, size_t rows)
{
    const dropout_config *c = l->config;
    size_t size = 0;
    (void)in_count;
    return c->rate > 0 && ia_shape_count(in, &size) ? rows * size : 0;
}

/* y = x * mask */
static void dropout_forward(const ia_op *op)
{
    const dropout_config *c = op->config;
    float *mask = op->saved ? op->saved : op->out.data;
    if (!dropout_active(op)) {
        ia_forward_copy(op);
        return;
    }
    ia_draw_dropout(op, c->rate, op->out.size, mask);
    ia_map2(op->exec, IA_MUL, op->rows * op->out.size, mask, op->in[0].data, op->out.data);
}

/* dx = dy * mask */
static void dropout_backward(const ia_op *op)
{
    if (!op->dx[0])
        return;
    if (dropout_active(op))
        ia_map2(op->exec, IA_MUL, op->rows * op->out.size, op->dy, op->saved, op->dx[0]);
    else
        ia_backward_copy(op);
}

const ia_layer_class ia_layer_dropout = {
    .name = "Dropout",
    .spec = "dropout",
    .help = "zeroes values at random while training: dropout:0.5",
    .flags = IA_LAYER_RANDOM | IA_LAYER_IDENTITY_OFF_TRAINING,
    .config_size = sizeof(dropout_config),
    .fields = dropout_fields,
    .field_count = IA_COUNT(dropout_fields),
    .min_inputs = 1,
    .max_inputs = 1,
    .saved = dropout_saved,
    .forward = dropout_forward,
    .backward = dropout_backward,
    .from_json = dropout_from_json,
};
