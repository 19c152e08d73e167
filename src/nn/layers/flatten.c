/* Flatten: a row of any shape as one vector. The bytes stay where they are, so rows with channels
 * first can be flattened only where Keras' transposition moves nothing. */
#include "nn/layers/common.h"

#include <stddef.h>
#include <string.h>

typedef struct flatten_config {
    int channels_first;
} flatten_config;

static inarch_status flatten_from_json(ia_layer *l, const json_t *config, int generation,
                                       inarch_error *err)
{
    flatten_config *c = l->config;
    (void)generation;
    (void)err;
    c->channels_first =
        strcmp(ia_json_string(config, "data_format", "channels_last"), "channels_first") == 0;
    return INARCH_OK;
}

static inarch_status flatten_shape(const ia_layer *l, const ia_shape *in, size_t in_count,
                                   ia_shape *out, inarch_error *err)
{
    const flatten_config *c = l->config;
    size_t count, rest = 1;
    bool known = ia_shape_count(in, &count) && count <= INT64_MAX;
    (void)in_count;
    for (int i = 1; known && i < in->rank; i++)
        rest *= (size_t)in->dim[i];
    if (c->channels_first && in->rank > 1 && (!known || (in->dim[0] > 1 && rest > 1))) {
        char text[96];
        return ia_layer_fail(
            l, INARCH_UNSUPPORTED, err, "cut the model above this layer",
            "reorders rows of shape %s with channels first, which is not computed yet",
            ia_shape_text(in, text, sizeof text));
    }
    *out = ia_shape_1(known ? (int64_t)count : IA_DIM_UNKNOWN);
    return INARCH_OK;
}

const ia_layer_class ia_layer_flatten = {
    .name = "Flatten",
    .spec = "flatten",
    .help = "a row of any shape as one vector",
    .flags = IA_LAYER_VIEW,
    .config_size = sizeof(flatten_config),
    .min_inputs = 1,
    .max_inputs = 1,
    .shape = flatten_shape,
    .forward = ia_forward_copy,
    .backward = ia_backward_copy,
    .from_json = flatten_from_json,
};
