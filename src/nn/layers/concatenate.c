/* Concatenate: inputs side by side along one axis. */
#include "nn/layers/common.h"

#include <stddef.h>
#include <string.h>

typedef struct concatenate_config {
    int64_t axis;
} concatenate_config;

static const ia_field concatenate_fields[] = {
    {.key = "axis",
     .aliases = "concat_axis",
     .type = IA_FIELD_INT,
     .offset = offsetof(concatenate_config, axis),
     .fallback = "-1",
     .help = "the axis along which inputs are joined; -1 is the last"},
};

static bool add_dims(int64_t a, int64_t b, int64_t *sum)
{
    if (a > INT64_MAX - b)
        return false;
    *sum = a + b;
    return true;
}

static inarch_status concatenate_shape(const ia_layer *l, const ia_shape *in, size_t in_count,
                                       ia_shape *out, inarch_error *err)
{
    const concatenate_config *c = l->config;
    int axis;
    if (!ia_row_axis(c->axis, in->rank, &axis))
        return ia_fail_axis(l, c->axis, in, err);
    ia_shape joined = in[0];
    for (size_t k = 1; k < in_count; k++) {
        bool fits = in[k].rank == joined.rank;
        for (int i = 0; fits && i < joined.rank; i++) {
            bool open = in[k].dim[i] < 0 || joined.dim[i] < 0;
            if (i == axis && !open)
                fits = add_dims(joined.dim[i], in[k].dim[i], &joined.dim[i]);
            else if (i == axis)
                joined.dim[i] = IA_DIM_UNKNOWN;
            else if (joined.dim[i] < 0)
                joined.dim[i] = in[k].dim[i];
            else
                fits = open || in[k].dim[i] == joined.dim[i];
        }
        if (!fits) {
            char first[96], other[96];
            return ia_layer_fail(l, INARCH_BAD_DATA, err, "",
                                 "cannot join rows of shape %s and %s along axis %lld",
                                 ia_shape_text(&in[0], first, sizeof first),
                                 ia_shape_text(&in[k], other, sizeof other), (long long)c->axis);
        }
    }
    *out = joined;
    return INARCH_OK;
}

/* A row is `outer` times the inputs' pieces of `dim[axis] * inner` numbers. */
typedef struct pieces {
    size_t outer, inner;
    int axis;
} pieces;

static pieces pieces_of(const ia_op *op)
{
    const concatenate_config *c = op->config;
    pieces p = {.outer = 1, .inner = 1};
    ia_row_axis(c->axis, op->out.shape.rank, &p.axis); /* checked by the shape rule */
    for (int i = 0; i < op->out.shape.rank; i++)
        if (i != p.axis)
            *(i < p.axis ? &p.outer : &p.inner) *= (size_t)op->out.shape.dim[i];
    return p;
}

static size_t piece_size(const ia_op *op, const pieces *p, size_t k)
{
    return (size_t)op->in[k].shape.dim[p->axis] * p->inner;
}

static void concatenate_forward(const ia_op *op)
{
    pieces p = pieces_of(op);
    float *y = op->out.data;
    for (size_t block = 0; block < op->rows * p.outer; block++)
        for (size_t k = 0; k < op->in_count; k++) {
            size_t n = piece_size(op, &p, k);
            if (n == 0) /* y may be NULL where no input has a number */
                continue;
            memcpy(y, op->in[k].data + block * n, n * sizeof *y);
            y += n;
        }
}

static void concatenate_backward(const ia_op *op)
{
    pieces p = pieces_of(op);
    const float *dy = op->dy;
    for (size_t block = 0; block < op->rows * p.outer; block++)
        for (size_t k = 0; k < op->in_count; k++) {
            size_t n = piece_size(op, &p, k);
            if (n == 0)
                continue;
            if (op->dx[k])
                memcpy(op->dx[k] + block * n, dy, n * sizeof *dy);
            dy += n;
        }
}

const ia_layer_class ia_layer_concatenate = {
    .name = "Concatenate",
    .spec = "concatenate",
    .aliases = "concat",
    .help = "its inputs side by side",
    .flags = IA_LAYER_MERGE,
    .config_size = sizeof(concatenate_config),
    .fields = concatenate_fields,
    .field_count = IA_COUNT(concatenate_fields),
    .min_inputs = 1,
    .max_inputs = SIZE_MAX,
    .shape = concatenate_shape,
    .forward = concatenate_forward,
    .backward = concatenate_backward,
};
