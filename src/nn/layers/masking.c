/* Masking: vectors whose every value is mask_value become 0. Keras also hands a mask to later
 * layers and to the loss; rows that are masked as a whole are not left out of the loss here. */
#include "nn/layers/common.h"

#include <stddef.h>
#include <string.h>

typedef struct masking_config {
    float mask_value;
} masking_config;

static const ia_field masking_fields[] = {
    {.key = "mask_value",
     .type = IA_FIELD_FLOAT,
     .offset = offsetof(masking_config, mask_value),
     .fallback = "0",
     .help = "vectors of nothing but this value become 0"},
};

static bool is_masked(float value, size_t n, const float *x)
{
    size_t i = 0;
    while (i < n && x[i] == value)
        i++;
    return i == n;
}

/* `from` where the input's vector is not masked, else 0 */
static void copy_unmasked(const ia_op *op, const float *from, float *to)
{
    const masking_config *c = op->config;
    size_t n = ia_last_dim(&op->out.shape);
    for (size_t v = 0; v < ia_vectors(&op->out, op->rows); v++) {
        if (is_masked(c->mask_value, n, op->in[0].data + v * n))
            memset(to + v * n, 0, n * sizeof *to);
        else if (to != from)
            memcpy(to + v * n, from + v * n, n * sizeof *to);
    }
}

static void masking_forward(const ia_op *op)
{
    copy_unmasked(op, op->in[0].data, op->out.data);
}

static void masking_backward(const ia_op *op)
{
    if (op->dx[0])
        copy_unmasked(op, op->dy, op->dx[0]);
}

const ia_layer_class ia_layer_masking = {
    .name = "Masking",
    .spec = "masking",
    .help = "zeroes vectors of nothing but one value",
    .config_size = sizeof(masking_config),
    .fields = masking_fields,
    .field_count = IA_COUNT(masking_fields),
    .min_inputs = 1,
    .max_inputs = 1,
    .forward = masking_forward,
    .backward = masking_backward,
    .reads = IA_READS_X,
};
