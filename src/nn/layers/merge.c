/* Add, Subtract, Multiply, Average, Maximum, Minimum: element by element over several inputs.
 * Dimensions of 1 are repeated and missing leading axes added, as Keras does. Inputs of one shape
 * go through the kernels; the others through plain loops with a table of indices. */
#include "nn/layers/common.h"

#include <string.h>

/* Shape rule and index tables. */

static inarch_status fail_shapes(const ia_layer *l, const ia_shape *a, const ia_shape *b,
                                 inarch_error *err)
{
    char first[96], second[96];
    return ia_layer_fail(l, INARCH_BAD_DATA, err, "", "cannot combine rows of shape %s and %s",
                         ia_shape_text(a, first, sizeof first),
                         ia_shape_text(b, second, sizeof second));
}

static bool join_dims(int64_t *a, int64_t b)
{
    if (*a == 1)
        *a = b;
    else if (b < 0)
        *a = IA_DIM_UNKNOWN;
    return b == 1 || b < 0 || *a < 0 || *a == b;
}

static inarch_status merge_shape(const ia_layer *l, const ia_shape *in, size_t in_count,
                                 ia_shape *out, inarch_error *err)
{
    ia_shape joined = in[0];
    for (size_t k = 1; k < in_count; k++) {
        ia_shape wide = joined.rank >= in[k].rank ? joined : in[k];
        const ia_shape narrow = joined.rank >= in[k].rank ? in[k] : joined;
        int lead = wide.rank - narrow.rank;
        for (int i = 0; i < narrow.rank; i++) {
            int64_t other = narrow.dim[i];
            if (other == 1 && wide.dim[lead + i] < 0)
                continue;
            if (!join_dims(&wide.dim[lead + i], other))
                return fail_shapes(l, &joined, &in[k], err);
        }
        joined = wide;
    }
    *out = joined;
    return INARCH_OK;
}

static bool same_shapes(const ia_op *op)
{
    for (size_t k = 0; k < op->in_count; k++)
        if (op->in[k].size != op->out.size)
            return false;
    return true;
}

/* One table of indices for each input, where the inputs' sizes differ. */
static size_t merge_temp(const ia_layer *l, const ia_shape *in, size_t in_count, size_t rows)
{
    ia_shape out;
    size_t size = 0, first = 0, own;
    bool differ = false;
    (void)rows;
    if (merge_shape(l, in, in_count, &out, NULL) != INARCH_OK || !ia_shape_count(&out, &size))
        return 0;
    first = size;
    for (size_t k = 0; k < in_count; k++)
        differ = differ || !ia_shape_count(&in[k], &own) || own != first;
    return differ ? in_count * size : 0;
}

/* Where element i of a row of the output comes from in a row of input k. */
typedef struct tables {
    const uint32_t *index; /* [in_count][size]; NULL: i itself */
    size_t size;
} tables;

static tables tables_of(const ia_op *op)
{
    tables t = {.size = op->out.size};
    if (same_shapes(op))
        return t;
    uint32_t *index = (uint32_t *)(void *)op->temp;
    for (size_t k = 0; k < op->in_count; k++)
        ia_broadcast_index(&op->out.shape, &op->in[k].shape, index + k * t.size);
    t.index = index;
    return t;
}

static size_t place(const tables *t, const ia_op *op, size_t k, size_t row, size_t i)
{
    return row * op->in[k].size + (t->index ? t->index[k * t->size + i] : i);
}

static float input_at(const tables *t, const ia_op *op, size_t k, size_t row, size_t i)
{
    return op->in[k].data[place(t, op, k, row, i)];
}

/* Forward. */

static float combine(ia_binary how, float a, float b)
{
    switch (how) {
    case IA_ADD:
        return a + b;
    case IA_SUB:
        return a - b;
    case IA_MUL:
        return a * b;
    case IA_MAX: /* NaN stays */
        return a > b || a != a ? a : b;
    default:
        return a < b || a != a ? a : b;
    }
}

static void forward_broadcast(const ia_op *op, ia_binary how)
{
    tables t = tables_of(op);
    for (size_t r = 0; r < op->rows; r++)
        for (size_t i = 0; i < t.size; i++) {
            float y = input_at(&t, op, 0, r, i);
            for (size_t k = 1; k < op->in_count; k++)
                y = combine(how, y, input_at(&t, op, k, r, i));
            op->out.data[r * t.size + i] = y;
        }
}

/* Left to right over the inputs. */
static void forward(const ia_op *op, ia_binary how)
{
    size_t n = op->rows * op->out.size;
    if (!same_shapes(op)) {
        forward_broadcast(op, how);
    } else if (op->in_count == 1) {
        ia_copy(op->exec, n, op->in[0].data, op->out.data);
    } else {
        ia_map2(op->exec, how, n, op->in[0].data, op->in[1].data, op->out.data);
        for (size_t k = 2; k < op->in_count; k++)
            ia_map2(op->exec, how, n, op->out.data, op->in[k].data, op->out.data);
    }
}

static void add_forward(const ia_op *op)
{
    forward(op, IA_ADD);
}

static void subtract_forward(const ia_op *op)
{
    forward(op, IA_SUB);
}

static void multiply_forward(const ia_op *op)
{
    forward(op, IA_MUL);
}

static void maximum_forward(const ia_op *op)
{
    forward(op, IA_MAX);
}

static void minimum_forward(const ia_op *op)
{
    forward(op, IA_MIN);
}

static void average_forward(const ia_op *op)
{
    forward(op, IA_ADD);
    for (size_t i = 0; i < op->rows * op->out.size; i++)
        op->out.data[i] /= (float)op->in_count;
}

/* Backward: a rule gives d loss / d x[k] at element i; repeated elements add theirs up, i
 * ascending. */

typedef float slope_fn(const ia_op *op, const tables *t, size_t k, size_t row, size_t i);

static void backward(const ia_op *op, slope_fn *slope)
{
    tables t = tables_of(op);
    for (size_t k = 0; k < op->in_count; k++) {
        float *dx = op->dx[k];
        if (!dx)
            continue;
        memset(dx, 0, op->rows * op->in[k].size * sizeof *dx);
        for (size_t r = 0; r < op->rows; r++)
            for (size_t i = 0; i < t.size; i++)
                dx[place(&t, op, k, r, i)] += slope(op, &t, k, r, i);
    }
}

static float add_slope(const ia_op *op, const tables *t, size_t k, size_t row, size_t i)
{
    (void)k;
    return op->dy[row * t->size + i];
}

static float subtract_slope(const ia_op *op, const tables *t, size_t k, size_t row, size_t i)
{
    float dy = op->dy[row * t->size + i];
    return k ? -dy : dy;
}

static float average_slope(const ia_op *op, const tables *t, size_t k, size_t row, size_t i)
{
    (void)k;
    return op->dy[row * t->size + i] / (float)op->in_count;
}

/* dy times the product of the others */
static float multiply_slope(const ia_op *op, const tables *t, size_t k, size_t row, size_t i)
{
    float g = op->dy[row * t->size + i];
    for (size_t j = 0; j < op->in_count; j++)
        if (j != k)
            g *= input_at(t, op, j, row, i);
    return g;
}

/* All of dy for the first input that equals the result, as TensorFlow does. */
static float chosen_slope(const ia_op *op, const tables *t, size_t k, size_t row, size_t i)
{
    float y = op->out.data[row * t->size + i];
    for (size_t j = 0; j < k; j++)
        if (input_at(t, op, j, row, i) == y)
            return 0;
    return input_at(t, op, k, row, i) == y ? op->dy[row * t->size + i] : 0;
}

/* The common case without tables: each input receives dy. */
static void add_backward(const ia_op *op)
{
    if (!same_shapes(op)) {
        backward(op, add_slope);
        return;
    }
    for (size_t k = 0; k < op->in_count; k++)
        if (op->dx[k] && op->dx[k] != op->dy)
            ia_copy(op->exec, op->rows * op->out.size, op->dy, op->dx[k]);
}

static void subtract_backward(const ia_op *op)
{
    backward(op, subtract_slope);
}

static void multiply_backward(const ia_op *op)
{
    backward(op, multiply_slope);
}

static void average_backward(const ia_op *op)
{
    backward(op, average_slope);
}

static void chosen_backward(const ia_op *op)
{
    backward(op, chosen_slope);
}

#define MERGE(id, keras, text, most, fwd, bwd, what)                                               \
    const ia_layer_class ia_layer_##id = {.name = keras,                                           \
                                          .spec = #id,                                             \
                                          .help = text,                                            \
                                          .flags = IA_LAYER_MERGE,                                 \
                                          .min_inputs = 1,                                         \
                                          .max_inputs = most,                                      \
                                          .shape = merge_shape,                                    \
                                          .temp = merge_temp,                                      \
                                          .forward = fwd,                                          \
                                          .backward = bwd,                                         \
                                          .reads = what}

MERGE(add, "Add", "the sum of its inputs", SIZE_MAX, add_forward, add_backward, 0);
MERGE(multiply, "Multiply", "the product of its inputs", SIZE_MAX, multiply_forward,
      multiply_backward, IA_READS_X);
MERGE(average, "Average", "the mean of its inputs", SIZE_MAX, average_forward, average_backward, 0);
MERGE(maximum, "Maximum", "the largest of its inputs", SIZE_MAX, maximum_forward, chosen_backward,
      IA_READS_X | IA_READS_Y);
MERGE(minimum, "Minimum", "the smallest of its inputs", SIZE_MAX, minimum_forward, chosen_backward,
      IA_READS_X | IA_READS_Y);

const ia_layer_class ia_layer_subtract = {.name = "Subtract",
                                          .spec = "subtract",
                                          .help = "the first of two inputs minus the second",
                                          .flags = IA_LAYER_MERGE,
                                          .min_inputs = 2,
                                          .max_inputs = 2,
                                          .shape = merge_shape,
                                          .temp = merge_temp,
                                          .forward = subtract_forward,
                                          .backward = subtract_backward};
