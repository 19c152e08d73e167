/* Two classes outside the table: layers known by name only, and nested models. Neither is computed
 * here: a program refuses the first, where its output is needed, and inlines the second. */
#include "nn/layer.h"

static void never(const ia_op *op)
{
    (void)op;
}

const ia_layer_class ia_layer_opaque = {
    .name = "Opaque",
    .spec = "opaque",
    .help = "a layer of another kind: kept with its weights, not computed",
    .flags = IA_LAYER_OPAQUE,
    .max_inputs = SIZE_MAX,
    .forward = never,
    .backward = never,
    .reads = IA_READS_X | IA_READS_Y,
};

const ia_layer_class ia_layer_nested = {
    .name = "Functional",
    .spec = "model",
    .help = "a model inside a model",
    .flags = IA_LAYER_MODEL,
    .min_inputs = 1,
    .max_inputs = SIZE_MAX,
    .forward = never,
    .backward = never,
};
