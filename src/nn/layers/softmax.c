/* Softmax over one or more axes. Over the last axis it is the activation; over others the row is
 * permuted so that they come last. */
#include "nn/layers/common.h"

#include <stddef.h>

typedef struct softmax_config {
    ia_ints axis;
    ia_activation activation;
    int last; /* the last axis alone in every call: known from the settings, or by the shapes */
} softmax_config;

static const ia_field softmax_fields[] = {
    {.key = "axis",
     .type = IA_FIELD_INTS,
     .offset = offsetof(softmax_config, axis),
     .fallback = "-1",
     .help = "axes that sum to 1; -1 is the last"},
};

static void softmax_init(void *config)
{
    softmax_config *c = config;
    c->activation = ia_activation_of(ia_activation_find("softmax"));
}

static bool is_last(const softmax_config *c, const ia_shape *row)
{
    int axis;
    return c->axis.count == 1 && ia_row_axis(c->axis.value[0], row->rank, &axis) &&
           axis == row->rank - 1;
}

static inarch_status softmax_build(ia_layer *l, const ia_shape *in, size_t in_count,
                                   inarch_error *err)
{
    softmax_config *c = l->config;
    (void)in_count;
    (void)err;
    c->last = is_last(c, in);
    return INARCH_OK;
}

static inarch_status softmax_shape(const ia_layer *l, const ia_shape *in, size_t in_count,
                                   ia_shape *out, inarch_error *err)
{
    softmax_config *c = l->config;
    int axis;
    (void)in_count;
    for (int i = 0; i < c->axis.count; i++)
        if (!ia_row_axis(c->axis.value[i], in->rank, &axis))
            return ia_fail_axis(l, c->axis.value[i], in, err);
    if (c->last && !is_last(c, in)) /* axis 1 in a call on (4,), then in one on (4, 2) */
        c->last = 0;
    *out = *in;
    return INARCH_OK;
}

static const ia_activation *softmax_activation(const ia_layer *l)
{
    const softmax_config *c = l->config;
    bool last = c->last || (c->axis.count == 1 && c->axis.value[0] == -1);
    return last ? &c->activation : NULL;
}

static ia_moved moved(const softmax_config *c, const ia_shape *row)
{
    int axis[IA_LIST_MAX] = {0};
    for (int i = 0; i < c->axis.count; i++)
        ia_row_axis(c->axis.value[i], row->rank, &axis[i]); /* checked by the shape rule */
    return ia_move_axes(row, axis, c->axis.count);
}

/* Permuted y and dy. */
static size_t softmax_temp(const ia_layer *l, const ia_shape *in, size_t in_count, size_t rows)
{
    size_t size = 0;
    (void)in_count;
    return ia_shape_count(in, &size) && !moved(l->config, in).identity ? 2 * rows * size : 0;
}

static void softmax_forward(const ia_op *op)
{
    const softmax_config *c = op->config;
    ia_moved m = moved(c, &op->out.shape);
    if (op->no_activation) {
        ia_forward_copy(op);
    } else if (m.identity) {
        ia_activate(op->exec, &c->activation, op->rows * m.outer, m.cols, op->in[0].data,
                    op->out.data);
    } else {
        ia_moved_to(&m, op->rows, op->in[0].data, op->temp);
        ia_activate(op->exec, &c->activation, op->rows * m.outer, m.cols, op->temp, op->temp);
        ia_moved_back(&m, op->rows, op->temp, op->out.data);
    }
}

static void softmax_backward(const ia_op *op)
{
    const softmax_config *c = op->config;
    ia_moved m = moved(c, &op->out.shape);
    float *y = op->temp, *dy = op->temp + op->rows * op->out.size;
    if (!op->dx[0])
        return;
    if (op->no_activation) {
        ia_backward_copy(op);
    } else if (m.identity) {
        ia_activate_dz(op->exec, &c->activation, op->rows * m.outer, m.cols, op->in[0].data,
                       op->out.data, op->dy, op->dx[0]);
    } else {
        ia_moved_to(&m, op->rows, op->out.data, y);
        ia_moved_to(&m, op->rows, op->dy, dy);
        ia_activate_dz(op->exec, &c->activation, op->rows * m.outer, m.cols, NULL, y, dy, dy);
        ia_moved_back(&m, op->rows, dy, op->dx[0]);
    }
}

const ia_layer_class ia_layer_softmax = {
    .name = "Softmax",
    .spec = "softmax",
    .help = "exponentials that sum to 1",
    .flags = IA_LAYER_ACTIVATION_ONLY,
    .config_size = sizeof(softmax_config),
    .fields = softmax_fields,
    .field_count = IA_COUNT(softmax_fields),
    .min_inputs = 1,
    .max_inputs = 1,
    .build = softmax_build,
    .shape = softmax_shape,
    .temp = softmax_temp,
    .forward = softmax_forward,
    .backward = softmax_backward,
    .activation = softmax_activation,
    .reads = IA_READS_X | IA_READS_Y,
    .init = softmax_init,
};
