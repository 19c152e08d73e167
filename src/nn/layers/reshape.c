/* Reshape, Permute and RepeatVector: the same numbers in another arrangement. */
#include "nn/layers/common.h"

#include <stddef.h>
#include <string.h>

/* ---- Reshape: a view ---- */

typedef struct reshape_config {
    ia_ints target_shape; /* one -1 takes what is left */
} reshape_config;

static const ia_field reshape_fields[] = {
    {.key = "target_shape",
     .aliases = "dims",
     .type = IA_FIELD_INTS,
     .offset = offsetof(reshape_config, target_shape),
     .min = -1,
     .max = IA_DIM_MAX,
     .help = "the new shape of a row, such as 28x28; one -1 takes what is left"},
};

static inarch_status reshape_check(const ia_layer *l, inarch_error *err)
{
    const reshape_config *c = l->config;
    int open = 0;
    for (int i = 0; i < c->target_shape.count; i++)
        open += c->target_shape.value[i] == -1;
    if (open > 1)
        return ia_layer_fail(l, INARCH_BAD_ARGUMENT, err, "",
                             "has more than one -1 in its target shape");
    return INARCH_OK;
}

static inarch_status reshape_shape(const ia_layer *l, const ia_shape *in, size_t in_count,
                                   ia_shape *out, inarch_error *err)
{
    const reshape_config *c = l->config;
    ia_shape to = ia_shape_of(c->target_shape.count, c->target_shape.value), rest = to;
    int open = -1;
    size_t have = 0, want;
    (void)in_count;
    IA_TRY(reshape_check(l, err));
    for (int i = 0; i < to.rank; i++)
        if (to.dim[i] == -1)
            open = i;
    if (open >= 0)
        rest.dim[open] = 1;
    bool known = ia_shape_count(in, &have);
    bool fits = ia_shape_count(&rest, &want);
    if (fits && known)
        fits = open < 0 ? want == have : want > 0 && have % want == 0;
    if (!fits) {
        char from[96], target[96];
        return ia_layer_fail(l, INARCH_BAD_DATA, err, "", "cannot make %s of rows of shape %s",
                             ia_shape_text(&to, target, sizeof target),
                             ia_shape_text(in, from, sizeof from));
    }
    if (open >= 0 && known)
        to.dim[open] = (int64_t)(have / want);
    *out = to;
    return INARCH_OK;
}

const ia_layer_class ia_layer_reshape = {
    .name = "Reshape",
    .spec = "reshape",
    .help = "a row in another shape: reshape:28x28",
    .flags = IA_LAYER_VIEW,
    .config_size = sizeof(reshape_config),
    .fields = reshape_fields,
    .field_count = IA_COUNT(reshape_fields),
    .min_inputs = 1,
    .max_inputs = 1,
    .check = reshape_check,
    .shape = reshape_shape,
    .forward = ia_forward_copy,
    .backward = ia_backward_copy,
};

/* ---- Permute ---- */

typedef struct permute_config {
    ia_ints dims; /* Keras': from 1 */
} permute_config;

static const ia_field permute_fields[] = {
    {.key = "dims",
     .type = IA_FIELD_INTS,
     .offset = offsetof(permute_config, dims),
     .min = 1,
     .max = IA_MAX_RANK,
     .help = "the new order of the axes, counted from 1, such as 2x1"},
};

static inarch_status permute_check(const ia_layer *l, inarch_error *err)
{
    const permute_config *c = l->config;
    unsigned seen = 0;
    for (int i = 0; i < c->dims.count; i++)
        seen |= 1u << (c->dims.value[i] - 1);
    if (!c->dims.count || seen != (1u << c->dims.count) - 1)
        return ia_layer_fail(l, INARCH_BAD_ARGUMENT, err, "for example permute:2x1",
                             "needs every axis from 1 on exactly once in dims");
    return INARCH_OK;
}

static void permute_order(const permute_config *c, int *order, int *inverse)
{
    for (int i = 0; i < c->dims.count; i++) {
        order[i] = (int)c->dims.value[i] - 1;
        inverse[order[i]] = i;
    }
}

static inarch_status permute_shape(const ia_layer *l, const ia_shape *in, size_t in_count,
                                   ia_shape *out, inarch_error *err)
{
    const permute_config *c = l->config;
    int order[IA_LIST_MAX], inverse[IA_LIST_MAX];
    (void)in_count;
    IA_TRY(permute_check(l, err));
    if (in->rank != c->dims.count) {
        char text[96];
        return ia_layer_fail(l, INARCH_BAD_DATA, err, "",
                             "orders %d axes, but gets rows of shape %s", c->dims.count,
                             ia_shape_text(in, text, sizeof text));
    }
    permute_order(c, order, inverse);
    ia_shape to = *in;
    for (int i = 0; i < in->rank; i++)
        to.dim[i] = in->dim[order[i]];
    *out = to;
    return INARCH_OK;
}

static void permute_forward(const ia_op *op)
{
    int order[IA_LIST_MAX], inverse[IA_LIST_MAX];
    permute_order(op->config, order, inverse);
    ia_permute_rows(&op->in[0].shape, order, op->rows, op->in[0].data, op->out.data);
}

static void permute_backward(const ia_op *op)
{
    int order[IA_LIST_MAX], inverse[IA_LIST_MAX];
    permute_order(op->config, order, inverse);
    if (op->dx[0])
        ia_permute_rows(&op->out.shape, inverse, op->rows, op->dy, op->dx[0]);
}

const ia_layer_class ia_layer_permute = {
    .name = "Permute",
    .spec = "permute",
    .help = "the axes of a row in another order: permute:2x1",
    .config_size = sizeof(permute_config),
    .fields = permute_fields,
    .field_count = IA_COUNT(permute_fields),
    .min_inputs = 1,
    .max_inputs = 1,
    .check = permute_check,
    .shape = permute_shape,
    .forward = permute_forward,
    .backward = permute_backward,
};

/* ---- RepeatVector: (features) to (n, features) ---- */

typedef struct repeat_config {
    int64_t n;
} repeat_config;

static const ia_field repeat_fields[] = {
    {.key = "n",
     .type = IA_FIELD_INT,
     .offset = offsetof(repeat_config, n),
     .min = 1,
     .max = IA_DIM_MAX,
     .help = "how many times, 1 or more"},
};

static inarch_status repeat_check(const ia_layer *l, inarch_error *err)
{
    const repeat_config *c = l->config;
    if (c->n >= 1)
        return INARCH_OK;
    return ia_layer_fail(l, INARCH_BAD_ARGUMENT, err, "for example repeatvector:3", "needs n");
}

static inarch_status repeat_shape(const ia_layer *l, const ia_shape *in, size_t in_count,
                                  ia_shape *out, inarch_error *err)
{
    const repeat_config *c = l->config;
    char text[96];
    (void)in_count;
    IA_TRY(repeat_check(l, err));
    if (in->rank != 1)
        return ia_layer_fail(l, INARCH_BAD_DATA, err, "", "needs rows of one axis, but gets %s",
                             ia_shape_text(in, text, sizeof text));
    int64_t dim[2] = {c->n, in->dim[0]};
    *out = ia_shape_of(2, dim);
    return INARCH_OK;
}

static void repeat_forward(const ia_op *op)
{
    size_t n = (size_t)((const repeat_config *)op->config)->n, size = op->in[0].size;
    if (!size)
        return;
    for (size_t r = 0; r < op->rows; r++)
        for (size_t i = 0; i < n; i++)
            memcpy(op->out.data + (r * n + i) * size, op->in[0].data + r * size,
                   size * sizeof(float));
}

/* dx[r][c] = sum over i of dy[r][i][c], i ascending */
static void repeat_backward(const ia_op *op)
{
    size_t n = (size_t)((const repeat_config *)op->config)->n, size = op->in[0].size;
    float *dx = op->dx[0];
    if (!dx || !size)
        return;
    memset(dx, 0, op->rows * size * sizeof *dx);
    for (size_t r = 0; r < op->rows; r++)
        for (size_t i = 0; i < n; i++)
            for (size_t c = 0; c < size; c++)
                dx[r * size + c] += op->dy[(r * n + i) * size + c];
}

const ia_layer_class ia_layer_repeat_vector = {
    .name = "RepeatVector",
    .spec = "repeatvector",
    .aliases = "repeat_vector",
    .help = "a row several times: repeatvector:3",
    .config_size = sizeof(repeat_config),
    .fields = repeat_fields,
    .field_count = IA_COUNT(repeat_fields),
    .min_inputs = 1,
    .max_inputs = 1,
    .check = repeat_check,
    .shape = repeat_shape,
    .forward = repeat_forward,
    .backward = repeat_backward,
};
