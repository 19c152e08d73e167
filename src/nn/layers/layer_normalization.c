/* LayerNormalization: each row to mean 0 and variance 1 over some of its axes, then gamma and beta.
 * With rms_scaling only the scale is changed (by the variance, as Keras does it). */
#include "nn/layers/common.h"
#include "nn/layers/vectors.h"

#include <stddef.h>

typedef struct layer_norm_config {
    ia_ints axis;
    float epsilon;
    int center, scale, rms_scaling;
    ia_initializer gamma_initializer, beta_initializer;
    ia_regularizer gamma_regularizer, beta_regularizer;
    ia_constraint gamma_constraint, beta_constraint;
} layer_norm_config;

#define AT(member) .offset = offsetof(layer_norm_config, member)
static const ia_field layer_norm_fields[] = {
    {.key = "axis",
     .type = IA_FIELD_INTS,
     AT(axis),
     .fallback = "-1",
     .help = "the axes that are normalized together; -1 is the last"},
    {.key = "epsilon",
     .type = IA_FIELD_FLOAT,
     AT(epsilon),
     .max = INFINITY,
     .fallback = "0.001",
     .help = "added to the variance, 0 or more"},
    {.key = "center", .type = IA_FIELD_BOOL, AT(center), .fallback = "true", .help = "add beta"},
    {.key = "scale",
     .type = IA_FIELD_BOOL,
     AT(scale),
     .fallback = "true",
     .help = "multiply by gamma"},
    {.key = "rms_scaling",
     .type = IA_FIELD_BOOL,
     AT(rms_scaling),
     .fallback = "false",
     .help = "do not subtract the mean"},
    {.key = "beta_initializer",
     .type = IA_FIELD_INITIALIZER,
     AT(beta_initializer),
     .fallback = "zeros",
     .help = "first beta"},
    {.key = "gamma_initializer",
     .type = IA_FIELD_INITIALIZER,
     AT(gamma_initializer),
     .fallback = "ones",
     .help = "first gamma"},
    {.key = "beta_regularizer",
     .type = IA_FIELD_REGULARIZER,
     AT(beta_regularizer),
     .fallback = "none",
     .help = "penalty on beta"},
    {.key = "gamma_regularizer",
     .type = IA_FIELD_REGULARIZER,
     AT(gamma_regularizer),
     .fallback = "none",
     .help = "penalty on gamma"},
    {.key = "beta_constraint",
     .type = IA_FIELD_CONSTRAINT,
     AT(beta_constraint),
     .fallback = "none",
     .help = "projection of beta"},
    {.key = "gamma_constraint",
     .type = IA_FIELD_CONSTRAINT,
     AT(gamma_constraint),
     .fallback = "none",
     .help = "projection of gamma"},
};

static inarch_status row_axes(const ia_layer *l, const ia_shape *row, int *axis, inarch_error *err)
{
    const layer_norm_config *c = l->config;
    for (int i = 0; i < c->axis.count; i++)
        if (!ia_row_axis(c->axis.value[i], row->rank, &axis[i]))
            return ia_fail_axis(l, c->axis.value[i], row, err);
    return INARCH_OK;
}

/* gamma's shape: the normalized dimensions in the row's order. */
static ia_shape normalized(const ia_shape *row, const int *axis, int count)
{
    ia_shape s = {0};
    for (int i = 0; i < row->rank; i++)
        for (int j = 0; j < count; j++)
            if (axis[j] == i) {
                s.dim[s.rank++] = row->dim[i];
                break;
            }
    return s;
}

static inarch_status layer_norm_build(ia_layer *l, const ia_shape *in, size_t in_count,
                                      inarch_error *err)
{
    const layer_norm_config *c = l->config;
    int axis[IA_LIST_MAX] = {0};
    (void)in_count;
    IA_TRY(row_axes(l, in, axis, err));
    ia_shape shape = normalized(in, axis, c->axis.count);
    IA_TRY(ia_need_known(l, &shape, err));
    if (c->scale || c->rms_scaling)
        IA_TRY(ia_layer_add_variable(l, "gamma", &shape, true, &c->gamma_initializer,
                                     &c->gamma_regularizer, &c->gamma_constraint, err));
    if (c->center && !c->rms_scaling)
        IA_TRY(ia_layer_add_variable(l, "beta", &shape, true, &c->beta_initializer,
                                     &c->beta_regularizer, &c->beta_constraint, err));
    return INARCH_OK;
}

static inarch_status layer_norm_shape(const ia_layer *l, const ia_shape *in, size_t in_count,
                                      ia_shape *out, inarch_error *err)
{
    const layer_norm_config *c = l->config;
    int axis[IA_LIST_MAX] = {0};
    (void)in_count;
    IA_TRY(row_axes(l, in, axis, err));
    ia_shape shape = normalized(in, axis, c->axis.count);
    if (l->variable_count && !ia_shape_equal(&shape, &l->variables[0].value.shape)) {
        char want[96], have[96];
        return ia_layer_fail(l, INARCH_BAD_DATA, err, "",
                             "normalizes features of shape %s, but gets rows of shape %s",
                             ia_shape_text(&l->variables[0].value.shape, want, sizeof want),
                             ia_shape_text(in, have, sizeof have));
    }
    *out = *in;
    return INARCH_OK;
}

static ia_moved moved(const layer_norm_config *c, const ia_shape *row)
{
    int axis[IA_LIST_MAX] = {0};
    for (int i = 0; i < c->axis.count; i++)
        ia_row_axis(c->axis.value[i], row->rank, &axis[i]); /* checked by the shape rule */
    return ia_move_axes(row, axis, c->axis.count);
}

/* xhat, then permuted x and dy where axes move */
static size_t layer_norm_temp(const ia_layer *l, const ia_shape *in, size_t in_count, size_t rows)
{
    size_t size = 0;
    (void)in_count;
    if (!ia_shape_count(in, &size))
        return 0;
    return (moved(l->config, in).identity ? 1 : 3) * rows * size;
}

typedef struct moments {
    float mean, inv;
} moments;

static moments moments_of(const layer_norm_config *c, size_t n, const float *x)
{
    moments m = {.mean = ia_vector_sum(n, x) / (float)n};
    m.inv = 1 / sqrtf(ia_vector_sqdiff(n, x, m.mean) / (float)n + c->epsilon);
    return m;
}

/* y = (x - mean) * inv * gamma + beta */
static void layer_norm_forward(const ia_op *op)
{
    const layer_norm_config *c = op->config;
    const float *gamma = ia_op_weight(op, "gamma"), *beta = ia_op_weight(op, "beta");
    ia_moved m = moved(c, &op->out.shape);
    const float *from = op->in[0].data;
    float *to = m.identity ? op->out.data : op->temp;
    if (!m.identity) {
        ia_moved_to(&m, op->rows, from, op->temp);
        from = op->temp;
    }
    for (size_t v = 0; v < op->rows * m.outer; v++) {
        const float *x = from + v * m.cols;
        float *y = to + v * m.cols;
        moments s = moments_of(c, m.cols, x);
        float mean = c->rms_scaling ? 0 : s.mean;
        for (size_t i = 0; i < m.cols; i++)
            y[i] = (x[i] - mean) * s.inv * (gamma ? gamma[i] : 1) + (beta ? beta[i] : 0);
    }
    if (!m.identity)
        ia_moved_back(&m, op->rows, to, op->out.data);
}

/* One vector, g = dy * gamma, xhat as in forward, c = (x - mean) * inv (xhat, but for rms_scaling):
 *   dx = inv (g - mean(g) - c mean(g xhat)); the term mean(g) comes from d mean / dx, so not with
 * rms. `g` may be dx. */
static void vector_backward(const layer_norm_config *c, moments s, size_t n, const float *x,
                            const float *xhat, const float *g, float *dx)
{
    float mean_g = c->rms_scaling ? 0 : ia_vector_sum(n, g) / (float)n;
    float mean_gx = ia_vector_dot(n, g, xhat) / (float)n;
    for (size_t i = 0; i < n; i++)
        dx[i] = s.inv * (g[i] - mean_g - (x[i] - s.mean) * s.inv * mean_gx);
}

/* dgamma = sum over vectors of dy xhat, dbeta = sum of dy, by law (b) */
static void layer_norm_backward(const ia_op *op)
{
    const layer_norm_config *c = op->config;
    const float *gamma = ia_op_weight(op, "gamma"), *x = op->in[0].data, *dy = op->dy;
    float *dgamma = ia_op_dw(op, "gamma"), *dbeta = ia_op_dw(op, "beta");
    ia_moved m = moved(c, &op->out.shape);
    size_t vectors = op->rows * m.outer, all = op->rows * op->out.size;
    float *xhat = op->temp, *dx = op->dx[0];
    if (!m.identity) {
        ia_moved_to(&m, op->rows, x, op->temp + all);
        ia_moved_to(&m, op->rows, dy, op->temp + 2 * all);
        x = op->temp + all;
        dy = op->temp + 2 * all;
    }
    for (size_t v = 0; v < vectors; v++) {
        moments s = moments_of(c, m.cols, x + v * m.cols);
        for (size_t i = v * m.cols; i < (v + 1) * m.cols; i++)
            xhat[i] = (x[i] - (c->rms_scaling ? 0 : s.mean)) * s.inv;
    }
    if (dgamma)
        ia_sum_rows_mul(op->exec, vectors, m.cols, dy, xhat, dgamma);
    if (dbeta)
        ia_sum_rows(op->exec, vectors, m.cols, dy, dbeta);
    if (!dx)
        return;
    float *g = m.identity ? dx : op->temp + 2 * all;
    ia_scale_shift_rows(op->exec, vectors, m.cols, dy, gamma, NULL, g);
    for (size_t v = 0; v < vectors; v++) {
        size_t at = v * m.cols;
        moments s = moments_of(c, m.cols, x + at);
        vector_backward(c, s, m.cols, x + at, xhat + at, g + at, g + at);
    }
    if (!m.identity)
        ia_moved_back(&m, op->rows, g, dx);
}

const ia_layer_class ia_layer_layer_normalization = {
    .name = "LayerNormalization",
    .spec = "layernorm",
    .aliases = "layer_normalization|layernormalization",
    .help = "each row to mean 0 and variance 1",
    .config_size = sizeof(layer_norm_config),
    .fields = layer_norm_fields,
    .field_count = IA_COUNT(layer_norm_fields),
    .min_inputs = 1,
    .max_inputs = 1,
    .build = layer_norm_build,
    .shape = layer_norm_shape,
    .temp = layer_norm_temp,
    .forward = layer_norm_forward,
    .backward = layer_norm_backward,
    .reads = IA_READS_X,
};
