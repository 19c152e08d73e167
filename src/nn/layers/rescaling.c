/* Rescaling: x * scale + offset, with one number for all values or one for each of the last axis.
 */
#include "nn/layers/common.h"

#include <stddef.h>

typedef struct rescaling_config {
    ia_floats scale, offset;
} rescaling_config;

static const ia_field rescaling_fields[] = {
    {.key = "scale",
     .type = IA_FIELD_FLOATS,
     .offset = offsetof(rescaling_config, scale),
     .help = "factor, or one for each of the last axis, such as 0.00392156863"},
    {.key = "offset",
     .type = IA_FIELD_FLOATS,
     .offset = offsetof(rescaling_config, offset),
     .fallback = "0",
     .help = "added afterwards, likewise"},
};

static inarch_status rescaling_check(const ia_layer *l, inarch_error *err)
{
    const rescaling_config *c = l->config;
    if (c->scale.count)
        return INARCH_OK;
    return ia_layer_fail(l, INARCH_BAD_ARGUMENT, err, "for example rescaling:0.00392156863",
                         "needs its scale");
}

static bool fits(const ia_floats *v, const ia_shape *row)
{
    return v->count == 1 || (row->rank && row->dim[row->rank - 1] == v->count);
}

static inarch_status rescaling_shape(const ia_layer *l, const ia_shape *in, size_t in_count,
                                     ia_shape *out, inarch_error *err)
{
    const rescaling_config *c = l->config;
    (void)in_count;
    IA_TRY(rescaling_check(l, err));
    if (!fits(&c->scale, in) || !fits(&c->offset, in)) {
        char text[96];
        return ia_layer_fail(l, INARCH_BAD_DATA, err, "",
                             "has %d scales and %d offsets, but gets rows of shape %s",
                             c->scale.count, c->offset.count, ia_shape_text(in, text, sizeof text));
    }
    *out = *in;
    return INARCH_OK;
}

/* scale and offset for each of the last axis */
static size_t rescaling_temp(const ia_layer *l, const ia_shape *in, size_t in_count, size_t rows)
{
    (void)l;
    (void)in_count;
    (void)rows;
    return 2 * ia_last_dim(in);
}

static void expand(const ia_floats *v, size_t n, float *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = v->value[v->count == 1 ? 0 : i];
}

static void rescaling_forward(const ia_op *op)
{
    const rescaling_config *c = op->config;
    size_t cols = ia_last_dim(&op->out.shape);
    float *scale = op->temp, *offset = scale + cols;
    expand(&c->scale, cols, scale);
    expand(&c->offset, cols, offset);
    ia_scale_shift_rows(op->exec, ia_vectors(&op->out, op->rows), cols, op->in[0].data, scale,
                        offset, op->out.data);
}

static void rescaling_backward(const ia_op *op)
{
    const rescaling_config *c = op->config;
    size_t cols = ia_last_dim(&op->out.shape);
    expand(&c->scale, cols, op->temp);
    if (op->dx[0])
        ia_scale_shift_rows(op->exec, ia_vectors(&op->out, op->rows), cols, op->dy, op->temp, NULL,
                            op->dx[0]);
}

const ia_layer_class ia_layer_rescaling = {
    .name = "Rescaling",
    .spec = "rescaling",
    .help = "x times scale plus offset: rescaling:0.00392156863",
    .config_size = sizeof(rescaling_config),
    .fields = rescaling_fields,
    .field_count = IA_COUNT(rescaling_fields),
    .min_inputs = 1,
    .max_inputs = 1,
    .check = rescaling_check,
    .shape = rescaling_shape,
    .temp = rescaling_temp,
    .forward = rescaling_forward,
    .backward = rescaling_backward,
};
