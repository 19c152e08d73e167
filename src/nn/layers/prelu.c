/* PReLU: x above 0, alpha x below, with an alpha of its own for each element or shared over axes.
 */
#include "nn/layers/common.h"

#include <stddef.h>
#include <string.h>

typedef struct prelu_config {
    ia_initializer alpha_initializer;
    ia_regularizer alpha_regularizer;
    ia_constraint alpha_constraint;
    ia_ints shared_axes;
} prelu_config;

#define AT(member) .offset = offsetof(prelu_config, member)
static const ia_field prelu_fields[] = {
    {.key = "alpha_initializer",
     .aliases = "init",
     .type = IA_FIELD_INITIALIZER,
     AT(alpha_initializer),
     .fallback = "zeros",
     .help = "first slopes"},
    {.key = "alpha_regularizer",
     .type = IA_FIELD_REGULARIZER,
     AT(alpha_regularizer),
     .fallback = "none",
     .help = "penalty on the slopes"},
    {.key = "alpha_constraint",
     .type = IA_FIELD_CONSTRAINT,
     AT(alpha_constraint),
     .fallback = "none",
     .help = "projection of the slopes"},
    {.key = "shared_axes",
     .type = IA_FIELD_INTS,
     AT(shared_axes),
     .fallback = "none",
     .help = "axes, counted from 1, that share one slope"},
};

static inarch_status prelu_build(ia_layer *l, const ia_shape *in, size_t in_count,
                                 inarch_error *err)
{
    const prelu_config *c = l->config;
    ia_shape alpha = *in;
    (void)in_count;
    for (int i = 0; i < c->shared_axes.count; i++) {
        int axis;
        if (!ia_row_axis(c->shared_axes.value[i], in->rank, &axis))
            return ia_fail_axis(l, c->shared_axes.value[i], in, err);
        alpha.dim[axis] = 1;
    }
    IA_TRY(ia_need_known(l, &alpha, err));
    return ia_layer_add_variable(l, "alpha", &alpha, true, &c->alpha_initializer,
                                 &c->alpha_regularizer, &c->alpha_constraint, err);
}

static inarch_status prelu_shape(const ia_layer *l, const ia_shape *in, size_t in_count,
                                 ia_shape *out, inarch_error *err)
{
    (void)in_count;
    const ia_shape *alpha = l->variable_count ? &l->variables[0].value.shape : in;
    bool fits = alpha->rank == in->rank;
    for (int i = 0; fits && i < in->rank; i++)
        fits = alpha->dim[i] == 1 || alpha->dim[i] == in->dim[i];
    if (!fits) {
        char want[96], have[96];
        return ia_layer_fail(
            l, INARCH_BAD_DATA, err, "", "has slopes of shape %s, but gets rows of shape %s",
            ia_shape_text(alpha, want, sizeof want), ia_shape_text(in, have, sizeof have));
    }
    *out = *in;
    return INARCH_OK;
}

/* Indices of alpha for the elements of a row, sums for each element, and min(x, 0). */
static size_t prelu_temp(const ia_layer *l, const ia_shape *in, size_t in_count, size_t rows)
{
    size_t size = 0;
    (void)l;
    (void)in_count;
    return ia_shape_count(in, &size) ? 2 * size + rows * size : 0;
}

static uint32_t *alpha_index(const ia_op *op)
{
    uint32_t *index = (uint32_t *)(void *)op->temp;
    ia_broadcast_index(&op->out.shape, &op->layer->variables[0].value.shape, index);
    return index;
}

static void prelu_forward(const ia_op *op)
{
    const float *alpha = op->weights[0], *x = op->in[0].data;
    const uint32_t *index = alpha_index(op);
    size_t size = op->out.size;
    for (size_t r = 0; r < op->rows; r++)
        for (size_t i = 0; i < size; i++) {
            float v = x[r * size + i];
            op->out.data[r * size + i] = v < 0 ? alpha[index[i]] * v : v;
        }
}

/* dalpha[j] = sum over rows, then over the elements that share j, of min(x, 0) * dy */
static void prelu_alpha_gradient(const ia_op *op, const uint32_t *index, float *dalpha)
{
    size_t size = op->out.size, n = op->rows * size;
    size_t count = ia_variable_count(&op->layer->variables[0]);
    float *sums = op->temp + size, *below = sums + size;
    for (size_t i = 0; i < n; i++)
        below[i] = op->in[0].data[i] < 0 ? op->in[0].data[i] : 0;
    ia_sum_rows_mul(op->exec, op->rows, size, below, op->dy, sums);
    memset(dalpha, 0, count * sizeof *dalpha);
    for (size_t i = 0; i < size; i++)
        dalpha[index[i]] += sums[i];
}

/* dx = dy above 0, alpha dy at and below it: TensorFlow's two relus both have slope 0 at 0, so 0
 * there */
static void prelu_backward(const ia_op *op)
{
    const float *alpha = op->weights[0], *x = op->in[0].data;
    const uint32_t *index = alpha_index(op);
    size_t size = op->out.size;
    if (op->dw[0])
        prelu_alpha_gradient(op, index, op->dw[0]);
    if (!op->dx[0])
        return;
    for (size_t r = 0; r < op->rows; r++)
        for (size_t i = 0; i < size; i++) {
            float v = x[r * size + i], dy = op->dy[r * size + i];
            op->dx[0][r * size + i] = v < 0 ? alpha[index[i]] * dy : v == 0 ? 0 : dy;
        }
}

const ia_layer_class ia_layer_prelu = {
    .name = "PReLU",
    .spec = "prelu",
    .help = "x above 0, a learned slope below",
    .config_size = sizeof(prelu_config),
    .fields = prelu_fields,
    .field_count = IA_COUNT(prelu_fields),
    .min_inputs = 1,
    .max_inputs = 1,
    .build = prelu_build,
    .shape = prelu_shape,
    .temp = prelu_temp,
    .forward = prelu_forward,
    .backward = prelu_backward,
    .reads = IA_READS_X,
};
