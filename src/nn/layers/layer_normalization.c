/* LayerNormalization: each row to mean 0 and variance 1 over some of its axes, then gamma and beta.
 * With rms_scaling only the scale is changed (by the variance, as Keras does it). */
#include "nn/layers/common.h"

#include <math.h>
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

/* A call's view of its memory: x as [n][cols] and the pieces of temp. */
typedef struct layer_norm {
    ia_moved moved;
    size_t n, cols, all;              /* all = n * cols */
    float *mean, *inv;                /* [n] */
    float *mean_g, *mean_gx;          /* [n], backward only */
    float *xhat, *moved_x, *moved_dy; /* [n][cols]; the moved ones only where axes move */
} layer_norm;

static size_t layer_norm_temp(const ia_layer *l, const ia_shape *in, size_t in_count, size_t rows)
{
    size_t size = 0;
    (void)in_count;
    if (!ia_shape_count(in, &size))
        return 0;
    ia_moved m = moved(l->config, in);
    return 4 * rows * m.outer + (m.identity ? 1 : 3) * rows * size;
}

static layer_norm layer_norm_of(const ia_op *op)
{
    layer_norm m = {.moved = moved(op->config, &op->out.shape)};
    m.n = op->rows * m.moved.outer;
    m.cols = m.moved.cols;
    m.all = m.n * m.cols;
    m.mean = op->temp;
    m.inv = m.mean + m.n;
    m.mean_g = m.inv + m.n;
    m.mean_gx = m.mean_g + m.n;
    m.xhat = m.mean_gx + m.n;
    m.moved_x = m.xhat + m.all;
    m.moved_dy = m.moved_x + m.all;
    return m;
}

static const float *moved_in(const layer_norm *m, const ia_op *op, const float *x, float *room)
{
    if (m->moved.identity)
        return x;
    ia_moved_to(&m->moved, op->rows, x, room);
    return room;
}

/* xhat = (x - mean) * inv, inv = 1 / sqrt(variance + epsilon); x * inv with rms_scaling */
static void standardize(const layer_norm *m, const ia_op *op, const float *x, float *xhat)
{
    const layer_norm_config *c = op->config;
    ia_row_sum(op->exec, m->n, m->cols, x, m->mean);
    for (size_t v = 0; v < m->n; v++)
        m->mean[v] /= (float)m->cols;
    ia_row_sqdiff(op->exec, m->n, m->cols, x, m->mean, m->inv);
    for (size_t v = 0; v < m->n; v++) {
        float mean = c->rms_scaling ? 0 : m->mean[v];
        m->inv[v] = 1 / sqrtf(m->inv[v] / (float)m->cols + c->epsilon);
        for (size_t i = v * m->cols; i < (v + 1) * m->cols; i++)
            xhat[i] = (x[i] - mean) * m->inv[v];
    }
}

/* y = xhat * gamma + beta */
static void layer_norm_forward(const ia_op *op)
{
    layer_norm m = layer_norm_of(op);
    float *y = m.moved.identity ? op->out.data : m.xhat;
    const float *x = moved_in(&m, op, op->in[0].data, m.moved_x);
    standardize(&m, op, x, y);
    ia_scale_shift_rows(op->exec, m.n, m.cols, y, ia_op_weight(op, "gamma"),
                        ia_op_weight(op, "beta"), y);
    if (!m.moved.identity)
        ia_moved_back(&m.moved, op->rows, y, op->out.data);
}

/* With g = dy * gamma and c = (x - mean) * inv (xhat, but for rms_scaling):
 *   dx = inv (g - mean(g) - c mean(g xhat))
 * The term mean(g) comes from d mean / dx, so not with rms_scaling. `g` becomes dx. */
static void layer_norm_dx(const layer_norm *m, const ia_op *op, const float *x, float *g)
{
    const layer_norm_config *c = op->config;
    ia_row_sum(op->exec, m->n, m->cols, g, m->mean_g);
    ia_row_dot(op->exec, m->n, m->cols, g, m->xhat, m->mean_gx);
    for (size_t v = 0; v < m->n; v++) {
        float mean_g = c->rms_scaling ? 0 : m->mean_g[v] / (float)m->cols;
        float mean_gx = m->mean_gx[v] / (float)m->cols, inv = m->inv[v];
        for (size_t i = v * m->cols; i < (v + 1) * m->cols; i++)
            g[i] = inv * (g[i] - mean_g - (x[i] - m->mean[v]) * inv * mean_gx);
    }
}

/* dgamma = sum over vectors of dy xhat, dbeta = sum of dy, by law (b) */
static void layer_norm_backward(const ia_op *op)
{
    float *dgamma = ia_op_dw(op, "gamma"), *dbeta = ia_op_dw(op, "beta");
    layer_norm m = layer_norm_of(op);
    const float *x = moved_in(&m, op, op->in[0].data, m.moved_x);
    const float *dy = moved_in(&m, op, op->dy, m.moved_dy);
    standardize(&m, op, x, m.xhat);
    if (dgamma)
        ia_sum_rows_mul(op->exec, m.n, m.cols, dy, m.xhat, dgamma);
    if (dbeta)
        ia_sum_rows(op->exec, m.n, m.cols, dy, dbeta);
    if (!op->dx[0])
        return;
    float *g = m.moved.identity ? op->dx[0] : m.moved_dy;
    ia_scale_shift_rows(op->exec, m.n, m.cols, dy, ia_op_weight(op, "gamma"), NULL, g);
    layer_norm_dx(&m, op, x, g);
    if (!m.moved.identity)
        ia_moved_back(&m.moved, op->rows, g, op->dx[0]);
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
