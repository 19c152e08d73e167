/* BatchNormalization over every axis but one. In training mode the batch's mean and biased variance
 * are used and folded into the moving ones; else the moving ones are used. An axis other than the
 * last is permuted to the end, so that the kernels' sums over rows serve every case. */
#include "nn/layers/common.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

typedef struct batch_norm_config {
    int64_t axis;
    float momentum, epsilon;
    int center, scale;
    ia_initializer gamma_initializer, beta_initializer;
    ia_initializer moving_mean_initializer, moving_variance_initializer;
    ia_regularizer gamma_regularizer, beta_regularizer;
    ia_constraint gamma_constraint, beta_constraint;
} batch_norm_config;

#define AT(member) .offset = offsetof(batch_norm_config, member)
static const ia_field batch_norm_fields[] = {
    {.key = "momentum",
     .type = IA_FIELD_FLOAT,
     AT(momentum),
     .max = 1,
     .fallback = "0.99",
     .help = "share of the old moving statistics, 0 to 1"},
    {.key = "epsilon",
     .type = IA_FIELD_FLOAT,
     AT(epsilon),
     .max = INFINITY,
     .fallback = "0.001",
     .help = "added to the variance, 0 or more"},
    {.key = "axis",
     .type = IA_FIELD_INT,
     AT(axis),
     .fallback = "-1",
     .help = "the axis that keeps its own statistics; -1 is the last"},
    {.key = "center", .type = IA_FIELD_BOOL, AT(center), .fallback = "true", .help = "add beta"},
    {.key = "scale",
     .type = IA_FIELD_BOOL,
     AT(scale),
     .fallback = "true",
     .help = "multiply by gamma"},
    {.key = "beta_initializer",
     .aliases = "beta_init",
     .type = IA_FIELD_INITIALIZER,
     AT(beta_initializer),
     .fallback = "zeros",
     .help = "first beta"},
    {.key = "gamma_initializer",
     .aliases = "gamma_init",
     .type = IA_FIELD_INITIALIZER,
     AT(gamma_initializer),
     .fallback = "ones",
     .help = "first gamma"},
    {.key = "moving_mean_initializer",
     .type = IA_FIELD_INITIALIZER,
     AT(moving_mean_initializer),
     .fallback = "zeros",
     .help = "first moving mean"},
    {.key = "moving_variance_initializer",
     .type = IA_FIELD_INITIALIZER,
     AT(moving_variance_initializer),
     .fallback = "ones",
     .help = "first moving variance"},
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

/* Keras 1's modes 1 and 2 (by sample; the batch's statistics in prediction too) and
 * renormalisation. */
static inarch_status batch_norm_from_json(ia_layer *l, const json_t *config, int generation,
                                          inarch_error *err)
{
    if (generation == 1 && ia_json_int(config, "mode", 0) != 0)
        return ia_layer_fail(l, INARCH_UNSUPPORTED, err, "",
                             "has mode %lld of Keras 1, only 0 is known",
                             (long long)ia_json_int(config, "mode", 0));
    IA_TRY(ia_refuse_key(l, config, "virtual_batch_size", err));
    return ia_refuse_key(l, config, "renorm", err);
}

static inarch_status row_axis(const ia_layer *l, const ia_shape *row, int *axis, inarch_error *err)
{
    const batch_norm_config *c = l->config;
    return ia_row_axis(c->axis, row->rank, axis) ? INARCH_OK : ia_fail_axis(l, c->axis, row, err);
}

static inarch_status batch_norm_build(ia_layer *l, const ia_shape *in, size_t in_count,
                                      inarch_error *err)
{
    const batch_norm_config *c = l->config;
    int axis = 0;
    (void)in_count;
    IA_TRY(row_axis(l, in, &axis, err));
    ia_shape shape = ia_shape_1(in->dim[axis]);
    IA_TRY(ia_need_known(l, &shape, err));
    if (c->scale)
        IA_TRY(ia_layer_add_variable(l, "gamma", &shape, true, &c->gamma_initializer,
                                     &c->gamma_regularizer, &c->gamma_constraint, err));
    if (c->center)
        IA_TRY(ia_layer_add_variable(l, "beta", &shape, true, &c->beta_initializer,
                                     &c->beta_regularizer, &c->beta_constraint, err));
    IA_TRY(ia_layer_add_variable(l, "moving_mean", &shape, false, &c->moving_mean_initializer, NULL,
                                 NULL, err));
    return ia_layer_add_variable(l, "moving_variance", &shape, false,
                                 &c->moving_variance_initializer, NULL, NULL, err);
}

static inarch_status batch_norm_shape(const ia_layer *l, const ia_shape *in, size_t in_count,
                                      ia_shape *out, inarch_error *err)
{
    int axis = 0;
    (void)in_count;
    IA_TRY(row_axis(l, in, &axis, err));
    const ia_variable *mean = ia_layer_variable(l, "moving_mean");
    if (mean && mean->value.shape.dim[0] != in->dim[axis]) {
        char text[96];
        return ia_layer_fail(
            l, INARCH_BAD_DATA, err, "", "normalizes %lld features, but gets rows of shape %s",
            (long long)mean->value.shape.dim[0], ia_shape_text(in, text, sizeof text));
    }
    *out = *in;
    return INARCH_OK;
}

/* A call's view of its memory: x as [n][cols] and the pieces of temp and saved. */
typedef struct norm {
    ia_moved moved;
    size_t n, cols, size; /* size = n * cols */
    float *mean, *inv;    /* [cols], saved: of the batch, or moving */
    float *scale, *shift; /* [cols], temp */
    float *a, *b, *c;     /* [n][cols], temp; b and c only where axes move */
} norm;

static size_t batch_norm_saved(const ia_layer *l, const ia_shape *in, size_t in_count, size_t rows)
{
    (void)in;
    (void)in_count;
    (void)rows;
    const ia_variable *mean = ia_layer_variable(l, "moving_mean");
    return mean ? 2 * ia_variable_count(mean) : 0;
}

static size_t batch_norm_temp(const ia_layer *l, const ia_shape *in, size_t in_count, size_t rows)
{
    const batch_norm_config *c = l->config;
    int axis;
    size_t size;
    (void)in_count;
    if (!ia_row_axis(c->axis, in->rank, &axis) || !ia_shape_count(in, &size))
        return 0;
    ia_moved moved = ia_move_axes(in, &axis, 1);
    return 4 * moved.cols + (moved.identity ? 1 : 3) * rows * size;
}

static norm norm_of(const ia_op *op)
{
    const batch_norm_config *c = op->config;
    int axis = 0;
    ia_row_axis(c->axis, op->out.shape.rank, &axis); /* checked by the shape rule */
    norm m = {.moved = ia_move_axes(&op->out.shape, &axis, 1)};
    m.cols = m.moved.cols;
    m.n = op->rows * m.moved.outer;
    m.size = m.n * m.cols;
    m.scale = op->temp;
    m.shift = m.scale + m.cols;
    m.mean = op->saved ? op->saved : m.shift + m.cols;
    m.inv = m.mean + m.cols;
    m.a = op->temp + 4 * m.cols;
    m.b = m.a + m.size;
    m.c = m.b + m.size;
    return m;
}

/* x with the normalized axis last: the array itself, or a copy in `room`. */
static const float *moved_in(const norm *m, const ia_op *op, const float *x, float *room)
{
    if (m->moved.identity)
        return x;
    ia_moved_to(&m->moved, op->rows, x, room);
    return room;
}

/* moving = moving * momentum + batch * (1 - momentum) */
static void update_moving(const batch_norm_config *c, size_t cols, const float *batch,
                          float *moving)
{
    float rest = (float)(1 - (double)c->momentum);
    for (size_t i = 0; moving && i < cols; i++)
        moving[i] = moving[i] * c->momentum + batch[i] * rest;
}

/* The mean and variance that hold for this call, into m->mean and m->inv (a variance still). */
static void statistics(const norm *m, const ia_op *op, const float *x)
{
    const batch_norm_config *c = op->config;
    if (!op->training) {
        memcpy(m->mean, ia_op_weight(op, "moving_mean"), m->cols * sizeof *m->mean);
        memcpy(m->inv, ia_op_weight(op, "moving_variance"), m->cols * sizeof *m->inv);
        return;
    }
    ia_sum_rows(op->exec, m->n, m->cols, x, m->mean);
    for (size_t i = 0; i < m->cols; i++)
        m->mean[i] /= (float)m->n;
    ia_sum_rows_sqdiff(op->exec, m->n, m->cols, x, m->mean, m->inv);
    for (size_t i = 0; i < m->cols; i++)
        m->inv[i] /= (float)m->n;
    update_moving(c, m->cols, m->mean, ia_op_state(op, "moving_mean"));
    update_moving(c, m->cols, m->inv, ia_op_state(op, "moving_variance"));
}

/* y = x * scale + (beta - mean * scale), scale = gamma / sqrt(variance + epsilon), as TensorFlow
 * does */
static void batch_norm_forward(const ia_op *op)
{
    const batch_norm_config *c = op->config;
    const float *gamma = ia_op_weight(op, "gamma"), *beta = ia_op_weight(op, "beta");
    norm m = norm_of(op);
    if (!m.size)
        return;
    const float *x = moved_in(&m, op, op->in[0].data, m.a);
    statistics(&m, op, x);
    for (size_t i = 0; i < m.cols; i++) {
        m.inv[i] = 1 / sqrtf(m.inv[i] + c->epsilon);
        m.scale[i] = gamma ? m.inv[i] * gamma[i] : m.inv[i];
        m.shift[i] = (beta ? beta[i] : 0) - m.mean[i] * m.scale[i];
    }
    float *y = m.moved.identity ? op->out.data : m.a;
    ia_scale_shift_rows(op->exec, m.n, m.cols, x, m.scale, m.shift, y);
    if (!m.moved.identity)
        ia_moved_back(&m.moved, op->rows, y, op->out.data);
}

/* xhat = (x - mean) * inv into m->a, its product with dy into m->scale and the sum of dy into
 * m->shift. */
static void batch_norm_sums(const norm *m, const ia_op *op, const float *dy)
{
    const float *x = moved_in(m, op, op->in[0].data, m->b);
    for (size_t i = 0; i < m->cols; i++)
        m->shift[i] = -m->mean[i];
    ia_scale_shift_rows(op->exec, m->n, m->cols, x, NULL, m->shift, m->a);
    ia_scale_shift_rows(op->exec, m->n, m->cols, m->a, m->inv, NULL, m->a);
    ia_sum_rows_mul(op->exec, m->n, m->cols, dy, m->a, m->scale);
    ia_sum_rows(op->exec, m->n, m->cols, dy, m->shift);
}

/* a = dy - dbeta/n - xhat dgamma/n */
static void batch_norm_centre(const norm *m, const ia_op *op, const float *dy)
{
    for (size_t i = 0; i < m->cols; i++) {
        m->scale[i] = -m->scale[i] / (float)m->n;
        m->shift[i] = -m->shift[i] / (float)m->n;
    }
    ia_scale_shift_rows(op->exec, m->n, m->cols, m->a, m->scale, m->shift, m->a);
    ia_map2(op->exec, IA_ADD, m->size, m->a, dy, m->a);
}

/* With xhat = (x - mean) * inv:
 *   dbeta = sum dy, dgamma = sum dy xhat
 *   moving statistics:  dx = gamma inv dy
 *   batch statistics:   dx = gamma inv (dy - dbeta/n - xhat dgamma/n)
 * since d mean / dx = 1/n and d var / dx = 2 (x - mean) / n. */
static void batch_norm_backward(const ia_op *op)
{
    const float *gamma = ia_op_weight(op, "gamma");
    float *dgamma = ia_op_dw(op, "gamma"), *dbeta = ia_op_dw(op, "beta");
    norm m = norm_of(op);
    const float *dy = moved_in(&m, op, op->dy, m.c), *g = dy;
    if (op->training || dgamma || dbeta)
        batch_norm_sums(&m, op, dy);
    if (dgamma)
        memcpy(dgamma, m.scale, m.cols * sizeof *dgamma);
    if (dbeta)
        memcpy(dbeta, m.shift, m.cols * sizeof *dbeta);
    if (!op->dx[0] || !m.size)
        return;
    if (op->training) {
        batch_norm_centre(&m, op, dy);
        g = m.a;
    }
    for (size_t i = 0; i < m.cols; i++)
        m.scale[i] = gamma ? m.inv[i] * gamma[i] : m.inv[i];
    float *dx = m.moved.identity ? op->dx[0] : m.a;
    ia_scale_shift_rows(op->exec, m.n, m.cols, g, m.scale, NULL, dx);
    if (!m.moved.identity)
        ia_moved_back(&m.moved, op->rows, dx, op->dx[0]);
}

const ia_layer_class ia_layer_batch_normalization = {
    .name = "BatchNormalization",
    .spec = "batchnorm",
    .aliases = "BatchNormalizationV1|BatchNormalizationV2|batch_normalization|batchnormalization",
    .help = "each feature to mean 0 and variance 1 over the batch",
    .flags = IA_LAYER_STATEFUL,
    .config_size = sizeof(batch_norm_config),
    .fields = batch_norm_fields,
    .field_count = IA_COUNT(batch_norm_fields),
    .min_inputs = 1,
    .max_inputs = 1,
    .build = batch_norm_build,
    .shape = batch_norm_shape,
    .saved = batch_norm_saved,
    .temp = batch_norm_temp,
    .forward = batch_norm_forward,
    .backward = batch_norm_backward,
    .from_json = batch_norm_from_json,
    .reads = IA_READS_X,
};
