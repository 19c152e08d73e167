/* InputLayer: where rows enter. Its configuration is the shape of one row; the batch dimension and
 * the dtype stay in the source's JSON. */
#include "nn/layers/common.h"

#include <stddef.h>

typedef struct input_config {
    ia_ints shape;
    int given; /* so that () is a shape too: rows of one number */
} input_config;

static const ia_field input_fields[] = {
    {.key = "shape",
     .type = IA_FIELD_INTS,
     .offset = offsetof(input_config, shape),
     .min = -1,
     .max = IA_DIM_MAX,
     .help = "one row, without the batch: 784 or 28x28"},
};

static inarch_status input_shape(const ia_layer *l, const ia_shape *in, size_t in_count,
                                 ia_shape *out, inarch_error *err)
{
    const input_config *c = l->config;
    (void)in;
    (void)in_count;
    (void)err;
    *out = ia_shape_of(c->shape.count, c->shape.value);
    if (!c->given && !c->shape.count)
        out->rank = -1;
    return INARCH_OK;
}

/* Keras 3 says batch_shape, older ones batch_input_shape, constructors shape or input_shape. */
static inarch_status input_from_json(ia_layer *l, const json_t *config, int generation,
                                     inarch_error *err)
{
    static const struct {
        const char *key;
        size_t batch; /* leading dimensions that are not the row's */
    } keys[] = {{"batch_shape", 1}, {"batch_input_shape", 1}, {"input_shape", 0}, {"shape", 0}};
    input_config *c = l->config;
    (void)generation;
    for (size_t i = 0; i < IA_COUNT(keys); i++) {
        const json_t *shape = json_object_get(config, keys[i].key);
        size_t n = json_array_size(shape);
        if (!json_is_array(shape) || n < keys[i].batch)
            continue;
        json_t *row = json_array();
        bool ok = row != NULL;
        for (size_t d = keys[i].batch; d < n; d++) /* the set is never read back while it grows */
            ok = ok && json_array_append(row, json_array_get(shape, d)) == 0;
        inarch_status status = ok ? ia_field_set_json(&input_fields[0], c, row, 3, l->name, err)
                                  : ia_fail_memory(err, "a shape", n * sizeof *row);
        json_decref(row);
        IA_TRY(status);
        c->given = 1;
        return INARCH_OK;
    }
    return INARCH_OK;
}

/* batch_input_shape is what every generation reads; batch_shape is kept where the source has it. */
static inarch_status input_to_json(const ia_layer *l, json_t *config, inarch_error *err)
{
    const input_config *c = l->config;
    const char *key = json_object_get(config, "batch_shape") ? "batch_shape" : "batch_input_shape";
    const json_t *old = json_array_get(json_object_get(config, key), 0);
    json_object_del(config, "shape"); /* Keras refuses both */
    if (!c->given && !c->shape.count)
        return INARCH_OK;
    json_t *shape = json_array();
    json_t *batch = json_is_integer(old) ? json_integer(json_integer_value(old)) : json_null();
    int failed = json_array_append_new(shape, batch);
    for (int i = 0; i < c->shape.count; i++)
        failed |= json_array_append_new(
            shape, c->shape.value[i] < 0 ? json_null() : json_integer(c->shape.value[i]));
    if (failed) {
        json_decref(shape);
        return ia_fail_memory(err, "a shape", sizeof *shape);
    }
    return json_object_set_new(config, key, shape) ? ia_fail_memory(err, "a shape", sizeof *shape)
                                                   : INARCH_OK;
}

static void input_forward(const ia_op *op)
{
    (void)op; /* the rows are put there by whoever runs the program */
}

const ia_layer_class ia_layer_input = {
    .name = "InputLayer",
    .spec = "input",
    .aliases = "Input",
    .help = "where rows enter: input:784 or input:28x28",
    .flags = IA_LAYER_INPUT,
    .config_size = sizeof(input_config),
    .fields = input_fields,
    .field_count = IA_COUNT(input_fields),
    .shape = input_shape,
    .forward = input_forward,
    .from_json = input_from_json,
    .to_json = input_to_json,
};
