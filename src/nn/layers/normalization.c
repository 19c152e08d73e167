/* Normalization: (x - mean) / sqrt(variance), or back, with statistics of the data kept as
 * variables. Where a configuration gives mean and variance itself, they become variables too and
 * leave the configuration: the values, and what Keras computes from the file, stay the same. */
#include "nn/layers/common.h"

#include <math.h>
#include <stddef.h>

#define SMALLEST_STDDEV 1e-7f /* keras.config.epsilon() */

typedef struct normalization_config {
    ia_ints axis; /* axes with statistics of their own; none: one mean for all */
    int invert;
} normalization_config;

static const ia_field normalization_fields[] = {
    {.key = "axis",
     .type = IA_FIELD_INTS,
     .offset = offsetof(normalization_config, axis),
     .fallback = "-1",
     .help = "axes with statistics of their own; -1 is the last, none is one mean for all"},
    {.key = "invert",
     .type = IA_FIELD_BOOL,
     .offset = offsetof(normalization_config, invert),
     .fallback = "false",
     .help = "from normalized values back to the original"},
};

/* ---- statistics from the configuration ---- */

static size_t count_numbers(const json_t *v, int depth)
{
    size_t n = 0;
    double number;
    if (!json_is_array(v))
        return ia_json_number(v, &number) ? 1 : 0;
    for (size_t i = 0; depth && i < json_array_size(v); i++)
        n += count_numbers(json_array_get(v, i), depth - 1);
    return n;
}

static void copy_numbers(const json_t *v, int depth, float **out)
{
    double number;
    if (!json_is_array(v)) {
        if (ia_json_number(v, &number))
            *(*out)++ = (float)number;
        return;
    }
    for (size_t i = 0; depth && i < json_array_size(v); i++)
        copy_numbers(json_array_get(v, i), depth - 1, out);
}

static inarch_status set_statistic(ia_layer *l, const char *name, const json_t *values,
                                   inarch_error *err)
{
    size_t n = count_numbers(values, IA_MAX_RANK);
    ia_array array;
    ia_shape shape = ia_shape_1((int64_t)n);
    IA_TRY(ia_layer_add_variable(l, name, &shape, false, NULL, NULL, NULL, err));
    IA_TRY(ia_array_new(IA_F32, &shape, name, &array, err));
    float *out = ia_array_mutable(&array);
    copy_numbers(values, IA_MAX_RANK, &out);
    inarch_status status =
        ia_variable_set(&l->variables[l->variable_count - 1], &array, l->name, err);
    ia_array_release(&array);
    return status;
}

static inarch_status normalization_from_json(ia_layer *l, const json_t *config, int generation,
                                             inarch_error *err)
{
    const json_t *mean = json_object_get(config, "mean");
    const json_t *variance = json_object_get(config, "variance");
    size_t n = count_numbers(mean, IA_MAX_RANK);
    (void)generation;
    if (!n && !count_numbers(variance, IA_MAX_RANK))
        return INARCH_OK;
    if (n != count_numbers(variance, IA_MAX_RANK))
        return ia_layer_fail(l, INARCH_BAD_FILE, err, "",
                             "has another number of means than of variances");
    IA_TRY(set_statistic(l, "mean", mean, err));
    return set_statistic(l, "variance", variance, err);
}

static inarch_status normalization_to_json(const ia_layer *l, json_t *config, inarch_error *err)
{
    (void)l;
    static const char *const gone[] = {"mean", "variance"};
    for (size_t i = 0; i < IA_COUNT(gone); i++)
        if (json_object_get(config, gone[i]) &&
            json_object_set_new(config, gone[i], json_null()) != 0)
            return ia_fail_memory(err, "JSON", sizeof *config);
    return INARCH_OK;
}

/* ---- variables ---- */

/* The row's shape with 1 where statistics are shared; without those dimensions it is theirs. */
static inarch_status kept_dims(const ia_layer *l, const ia_shape *row, ia_shape *kept,
                               inarch_error *err)
{
    const normalization_config *c = l->config;
    ia_shape s = *row;
    for (int i = 0; i < s.rank; i++)
        s.dim[i] = 1;
    for (int i = 0; i < c->axis.count; i++) {
        int axis;
        if (!ia_row_axis(c->axis.value[i], row->rank, &axis))
            return ia_fail_axis(l, c->axis.value[i], row, err);
        s.dim[axis] = row->dim[axis];
    }
    IA_TRY(ia_need_known(l, &s, err));
    *kept = s;
    return INARCH_OK;
}

static ia_shape statistics_shape(const normalization_config *c, const ia_shape *row,
                                 const ia_shape *kept)
{
    ia_shape s = {0};
    for (int i = 0; i < row->rank; i++)
        for (int j = 0, axis; j < c->axis.count; j++)
            if (ia_row_axis(c->axis.value[j], row->rank, &axis) && axis == i) {
                s.dim[s.rank++] = kept->dim[i];
                break;
            }
    return s;
}

/* A statistic that the configuration gave as one number, or as many as there are, in its place. */
static inarch_status spread(ia_layer *l, ia_variable *v, const ia_shape *shape, inarch_error *err)
{
    size_t have = ia_variable_count(v), want = 0;
    ia_array array;
    if (!ia_shape_count(shape, &want) || (have != 1 && have != want)) {
        char text[96];
        return ia_layer_fail(l, INARCH_BAD_DATA, err, "", "has %zu values of %s for shape %s", have,
                             v->name, ia_shape_text(shape, text, sizeof text));
    }
    IA_TRY(ia_array_new(IA_F32, shape, v->name, &array, err));
    const float *from = ia_array_data(&v->value);
    float *to = ia_array_mutable(&array);
    for (size_t i = 0; i < want; i++)
        to[i] = from[have == 1 ? 0 : i];
    ia_array_release(&v->value);
    v->value = array;
    return INARCH_OK;
}

static inarch_status statistic(ia_layer *l, const char *name, const char *first,
                               const ia_shape *shape, inarch_error *err)
{
    ia_variable *given = ia_layer_variable(l, name);
    ia_initializer initializer;
    if (given)
        return spread(l, given, shape, err);
    IA_TRY(ia_initializer_from_text(first, &initializer, err));
    return ia_layer_add_variable(l, name, shape, false, &initializer, NULL, NULL, err);
}

static inarch_status normalization_build(ia_layer *l, const ia_shape *in, size_t in_count,
                                         inarch_error *err)
{
    ia_shape kept, scalar = {0};
    (void)in_count;
    IA_TRY(kept_dims(l, in, &kept, err));
    ia_shape shape = statistics_shape(l->config, in, &kept);
    IA_TRY(statistic(l, "mean", "zeros", &shape, err));
    IA_TRY(statistic(l, "variance", "ones", &shape, err));
    return statistic(l, "count", "zeros", &scalar, err);
}

static inarch_status normalization_shape(const ia_layer *l, const ia_shape *in, size_t in_count,
                                         ia_shape *out, inarch_error *err)
{
    ia_shape kept;
    (void)in_count;
    IA_TRY(kept_dims(l, in, &kept, err));
    ia_shape shape = statistics_shape(l->config, in, &kept);
    const ia_variable *mean = ia_layer_variable(l, "mean");
    if (l->built && mean && !ia_shape_equal(&mean->value.shape, &shape)) {
        char want[96], have[96];
        return ia_layer_fail(l, INARCH_BAD_DATA, err, "",
                             "has means of shape %s, but gets rows of shape %s",
                             ia_shape_text(&mean->value.shape, want, sizeof want),
                             ia_shape_text(in, have, sizeof have));
    }
    *out = *in;
    return INARCH_OK;
}

/* ---- computation ---- */

/* Indices of the statistics for the elements of a row, and the standard deviations. */
static size_t normalization_temp(const ia_layer *l, const ia_shape *in, size_t in_count,
                                 size_t rows)
{
    size_t size = 0;
    (void)l;
    (void)in_count;
    (void)rows;
    return ia_shape_count(in, &size) ? 2 * size : 0;
}

static const uint32_t *prepare(const ia_op *op, const float **stddev)
{
    const float *variance = ia_op_weight(op, "variance");
    uint32_t *index = (uint32_t *)(void *)op->temp;
    float *deviation = op->temp + op->out.size;
    ia_shape kept = {0};
    if (kept_dims(op->layer, &op->out.shape, &kept, NULL) == INARCH_OK)
        ia_broadcast_index(&op->out.shape, &kept, index);
    for (size_t i = 0; i < op->out.size; i++) {
        float s = sqrtf(variance[index[i]]);
        deviation[i] = s < SMALLEST_STDDEV ? SMALLEST_STDDEV : s;
    }
    *stddev = deviation;
    return index;
}

/* y = (x - mean) / stddev, or x * stddev + mean */
static void normalization_forward(const ia_op *op)
{
    const normalization_config *c = op->config;
    const float *stddev, *mean = ia_op_weight(op, "mean");
    const uint32_t *index = prepare(op, &stddev);
    for (size_t r = 0; r < op->rows; r++) {
        const float *x = op->in[0].data + r * op->out.size;
        float *y = op->out.data + r * op->out.size;
        if (c->invert)
            for (size_t i = 0; i < op->out.size; i++)
                y[i] = mean[index[i]] + x[i] * stddev[i];
        else
            for (size_t i = 0; i < op->out.size; i++)
                y[i] = (x[i] - mean[index[i]]) / stddev[i];
    }
}

static void normalization_backward(const ia_op *op)
{
    const normalization_config *c = op->config;
    const float *stddev;
    float *dx = op->dx[0];
    if (!dx)
        return;
    prepare(op, &stddev);
    for (size_t r = 0; r < op->rows; r++)
        for (size_t i = 0; i < op->out.size; i++) {
            float dy = op->dy[r * op->out.size + i];
            dx[r * op->out.size + i] = c->invert ? dy * stddev[i] : dy / stddev[i];
        }
}

const ia_layer_class ia_layer_normalization = {
    .name = "Normalization",
    .spec = "normalization",
    .help = "columns of the data to mean 0 and variance 1",
    .config_size = sizeof(normalization_config),
    .fields = normalization_fields,
    .field_count = IA_COUNT(normalization_fields),
    .min_inputs = 1,
    .max_inputs = 1,
    .build = normalization_build,
    .shape = normalization_shape,
    .temp = normalization_temp,
    .forward = normalization_forward,
    .backward = normalization_backward,
    .from_json = normalization_from_json,
    .to_json = normalization_to_json,
};
