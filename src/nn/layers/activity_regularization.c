/* ActivityRegularization: passes rows on; the program adds the penalty on them to the loss. */
#include "nn/layers/common.h"

#include <math.h>
#include <stddef.h>

static const ia_field fields[] = {
    {.key = "l1",
     .type = IA_FIELD_FLOAT,
     .offset = offsetof(ia_regularizer, l1),
     .max = 3e38,
     .fallback = "0",
     .help = "factor of the sum of absolute values"},
    {.key = "l2",
     .type = IA_FIELD_FLOAT,
     .offset = offsetof(ia_regularizer, l2),
     .max = 3e38,
     .fallback = "0",
     .help = "factor of the sum of squares"},
};

const ia_layer_class ia_layer_activity_regularization = {
    .name = "ActivityRegularization",
    .spec = "activityregularization",
    .aliases = "activity_regularization",
    .help = "a penalty on the values that pass",
    .flags = IA_LAYER_VIEW | IA_LAYER_ACTIVITY,
    .config_size = sizeof(ia_regularizer),
    .fields = fields,
    .field_count = IA_COUNT(fields),
    .min_inputs = 1,
    .max_inputs = 1,
    .forward = ia_forward_copy,
    .backward = ia_backward_copy,
};
