/* UnitNormalization: each vector over some axes divided by its Euclidean norm. */
#include "nn/layers/common.h"

#include <math.h>
#include <stddef.h>

#define SMALLEST_SQUARE 1e-24f /* Keras: epsilon 1e-12 for the norm */

typedef struct unit_norm_config {
    ia_ints axis;
} unit_norm_config;

static const ia_field unit_norm_fields[] = {
    {.key = "axis",
     .type = IA_FIELD_INTS,
     .offset = offsetof(unit_norm_config, axis),
     .fallback = "-1",
     .help = "the axes of a vector; -1 is the last"},
};

static inarch_status unit_norm_shape(const ia_layer *l, const ia_shape *in, size_t in_count,
                                     ia_shape *out, inarch_error *err)
{
    const unit_norm_config *c = l->config;
    (void)in_count;
    for (int i = 0, axis; i < c->axis.count; i++)
        if (!ia_row_axis(c->axis.value[i], in->rank, &axis))
            return ia_fail_axis(l, c->axis.value[i], in, err);
    *out = *in;
    return INARCH_OK;
}

static ia_moved moved(const unit_norm_config *c, const ia_shape *row)
{
    int axis[IA_LIST_MAX] = {0};
    for (int i = 0; i < c->axis.count; i++)
        ia_row_axis(c->axis.value[i], row->rank, &axis[i]); /* checked by the shape rule */
    return ia_move_axes(row, axis, c->axis.count);
}

/* Squares and products of each vector, then x and dy where axes move. */
static size_t unit_norm_temp(const ia_layer *l, const ia_shape *in, size_t in_count, size_t rows)
{
    size_t size = 0;
    (void)in_count;
    if (!ia_shape_count(in, &size))
        return 0;
    ia_moved m = moved(l->config, in);
    return 2 * rows * m.outer + (m.identity ? 0 : 2 * rows * size);
}

/* square[v] = max(sum x^2, epsilon^2) */
static void squares(const ia_op *op, size_t n, size_t cols, const float *x, float *square)
{
    ia_row_dot(op->exec, n, cols, x, x, square);
    for (size_t v = 0; v < n; v++)
        square[v] = square[v] < SMALLEST_SQUARE ? SMALLEST_SQUARE : square[v];
}

/* y = x / sqrt(square) */
static void unit_norm_forward(const ia_op *op)
{
    ia_moved m = moved(op->config, &op->out.shape);
    size_t n = op->rows * m.outer;
    float *square = op->temp, *room = square + 2 * n;
    const float *x = op->in[0].data;
    float *y = m.identity ? op->out.data : room;
    if (!m.identity) {
        ia_moved_to(&m, op->rows, x, room);
        x = room;
    }
    squares(op, n, m.cols, x, square);
    for (size_t v = 0; v < n; v++) {
        float inv = 1 / sqrtf(square[v]);
        for (size_t i = v * m.cols; i < (v + 1) * m.cols; i++)
            y[i] = x[i] * inv;
    }
    if (!m.identity)
        ia_moved_back(&m, op->rows, y, op->out.data);
}

/* dx = inv (dy - y sum(y dy)), y = x inv; without the second term where the norm was clamped */
static void unit_norm_backward(const ia_op *op)
{
    ia_moved m = moved(op->config, &op->out.shape);
    size_t n = op->rows * m.outer, all = op->rows * op->out.size;
    float *square = op->temp, *product = square + n, *room = product + n;
    const float *x = op->in[0].data, *dy = op->dy;
    float *dx = op->dx[0];
    if (!dx)
        return;
    if (!m.identity) {
        ia_moved_to(&m, op->rows, x, room);
        ia_moved_to(&m, op->rows, dy, room + all);
        x = room;
        dy = dx = room + all;
    }
    squares(op, n, m.cols, x, square);
    ia_row_dot(op->exec, n, m.cols, x, dy, product);
    for (size_t v = 0; v < n; v++) {
        float inv = 1 / sqrtf(square[v]);
        float along = square[v] == SMALLEST_SQUARE ? 0 : product[v] / square[v];
        for (size_t i = v * m.cols; i < (v + 1) * m.cols; i++)
            dx[i] = inv * (dy[i] - x[i] * along);
    }
    if (!m.identity)
        ia_moved_back(&m, op->rows, dx, op->dx[0]);
}

const ia_layer_class ia_layer_unit_normalization = {
    .name = "UnitNormalization",
    .spec = "unitnorm",
    .aliases = "unit_normalization|unitnormalization",
    .help = "each row to length 1",
    .config_size = sizeof(unit_norm_config),
    .fields = unit_norm_fields,
    .field_count = IA_COUNT(unit_norm_fields),
    .min_inputs = 1,
    .max_inputs = 1,
    .shape = unit_norm_shape,
    .temp = unit_norm_temp,
    .forward = unit_norm_forward,
    .backward = unit_norm_backward,
    .reads = IA_READS_X,
};
