/* What several layers share. Loops here are serial plain C in a fixed order. */
#include "nn/layers/common.h"

#include <assert.h>
#include <string.h>

bool ia_row_axis(int64_t axis, int rank, int *out)
{
    int64_t counted = axis < 0 ? axis + rank + 1 : axis;
    if (counted < 1 || counted > rank)
        return false;
    *out = (int)counted - 1;
    return true;
}

inarch_status ia_fail_axis(const ia_layer *l, int64_t axis, const ia_shape *row, inarch_error *err)
{
    char text[96];
    return ia_layer_fail(l, INARCH_BAD_ARGUMENT, err, "axes count from 1; -1 is the last one",
                         "has axis %lld, but gets rows of shape %s", (long long)axis,
                         ia_shape_text(row, text, sizeof text));
}

inarch_status ia_need_known(const ia_layer *l, const ia_shape *row, inarch_error *err)
{
    size_t count;
    char text[96];
    if (ia_shape_count(row, &count))
        return INARCH_OK;
    return ia_layer_fail(l, INARCH_BAD_DATA, err, "give the input a fixed shape",
                         "needs rows of a known shape, but gets %s",
                         ia_shape_text(row, text, sizeof text));
}

ia_moved ia_move_axes(const ia_shape *row, const int *axis, int count)
{
    ia_moved m = {.from = *row, .identity = true, .outer = 1, .cols = 1};
    bool moves[IA_MAX_RANK] = {false};
    int n = 0;
    for (int i = 0; i < count; i++)
        moves[axis[i]] = true;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < row->rank; i++)
            if (moves[i] == (pass == 1)) {
                m.order[n++] = i;
                *(pass ? &m.cols : &m.outer) *= (size_t)row->dim[i];
            }
    m.to.rank = row->rank;
    for (int i = 0; i < row->rank; i++) {
        m.to.dim[i] = row->dim[m.order[i]];
        m.inverse[m.order[i]] = i;
        m.identity = m.identity && m.order[i] == i;
    }
    return m;
}

void ia_moved_to(const ia_moved *m, size_t rows, const float *x, float *y)
{
    ia_permute_rows(&m->from, m->order, rows, x, y);
}

void ia_moved_back(const ia_moved *m, size_t rows, const float *x, float *y)
{
    ia_permute_rows(&m->to, m->inverse, rows, x, y);
}

/* Steps a counter over the first `rank` dimensions; `at` is moved along by the strides. */
static void count_up(int rank, const size_t *dim, const size_t *stride, size_t *digit, size_t *at)
{
    for (int i = rank - 1; i >= 0; i--) {
        *at += stride[i];
        if (++digit[i] < dim[i])
            return;
        *at -= stride[i] * dim[i];
        digit[i] = 0;
    }
}

void ia_permute_rows(const ia_shape *in, const int *order, size_t rows, const float *x, float *y)
{
    size_t step[IA_MAX_RANK], dim[IA_MAX_RANK], stride[IA_MAX_RANK], size = 1;
    for (int i = in->rank - 1; i >= 0; i--) {
        step[i] = size;
        size *= (size_t)in->dim[i];
    }
    for (int i = 0; i < in->rank; i++) {
        dim[i] = (size_t)in->dim[order[i]];
        stride[i] = step[order[i]];
    }
    for (size_t r = 0; r < rows; r++) {
        size_t digit[IA_MAX_RANK] = {0}, at = 0;
        for (size_t i = 0; i < size; i++) {
            y[r * size + i] = x[r * size + at];
            count_up(in->rank, dim, stride, digit, &at);
        }
    }
}

size_t ia_last_dim(const ia_shape *row)
{
    return row->rank ? (size_t)row->dim[row->rank - 1] : 1;
}

size_t ia_vectors(const ia_view *v, size_t rows)
{
    size_t last = ia_last_dim(&v->shape);
    return last ? rows * (v->size / last) : 0;
}

bool ia_is_linear(const ia_activation *a)
{
    return !a->cls || strcmp(a->cls->name, "linear") == 0;
}

void ia_forward_copy(const ia_op *op)
{
    if (op->out.data != op->in[0].data)
        ia_copy(op->exec, op->rows * op->out.size, op->in[0].data, op->out.data);
}

void ia_backward_copy(const ia_op *op)
{
    if (op->dx[0] && op->dx[0] != op->dy)
        ia_copy(op->exec, op->rows * op->out.size, op->dy, op->dx[0]);
}

void ia_forward_activation(const ia_op *op, const ia_activation *a)
{
    if (op->no_activation || ia_is_linear(a))
        ia_forward_copy(op);
    else
        ia_activate(op->exec, a, ia_vectors(&op->out, op->rows), ia_last_dim(&op->out.shape),
                    op->in[0].data, op->out.data);
}

void ia_backward_activation(const ia_op *op, const ia_activation *a)
{
    if (!op->dx[0])
        return;
    if (op->no_activation || ia_is_linear(a))
        ia_backward_copy(op);
    else
        ia_activate_dz(op->exec, a, ia_vectors(&op->out, op->rows), ia_last_dim(&op->out.shape),
                       op->in[0].data, op->out.data, op->dy, op->dx[0]);
}

void ia_draw_dropout(const ia_op *op, float rate, size_t cols, float *mask)
{
    if (rate < 1)
        ia_mask_dropout(op->exec, op->key, rate, op->row0, op->rows, cols, mask);
    else
        memset(mask, 0, op->rows * cols * sizeof *mask);
}

void ia_broadcast_index(const ia_shape *row, const ia_shape *small, uint32_t *out)
{
    size_t dim[IA_MAX_RANK], stride[IA_MAX_RANK], step = 1, size = 1;
    int lead = row->rank - small->rank;
    assert(lead >= 0);
    for (int i = row->rank - 1; i >= 0; i--) {
        size_t own = i < lead ? 1 : (size_t)small->dim[i - lead];
        dim[i] = (size_t)row->dim[i];
        stride[i] = own == 1 ? 0 : step;
        step *= own;
        size *= dim[i];
    }
    size_t digit[IA_MAX_RANK] = {0}, at = 0;
    for (size_t i = 0; i < size; i++) {
        out[i] = (uint32_t)at;
        count_up(row->rank, dim, stride, digit, &at);
    }
}

static size_t weight_index(const ia_op *op, const char *name)
{
    const ia_layer *l = op->layer;
    size_t i = 0;
    while (i < l->variable_count && strcmp(l->variables[i].name, name) != 0)
        i++;
    return i;
}

const float *ia_op_weight(const ia_op *op, const char *name)
{
    size_t i = weight_index(op, name);
    return i < op->layer->variable_count ? op->weights[i] : NULL;
}

float *ia_op_dw(const ia_op *op, const char *name)
{
    size_t i = weight_index(op, name);
    return op->dw && i < op->layer->variable_count ? op->dw[i] : NULL;
}

float *ia_op_state(const ia_op *op, const char *name)
{
    size_t i = weight_index(op, name);
    return op->state && i < op->layer->variable_count ? op->state[i] : NULL;
}

inarch_status ia_refuse_key(const ia_layer *l, const json_t *config, const char *key,
                            inarch_error *err)
{
    const json_t *v = json_object_get(config, key);
    if (!v || json_is_null(v) || json_is_false(v))
        return INARCH_OK;
    return ia_layer_fail(l, INARCH_UNSUPPORTED, err, "", "has the setting '%s', which is not known",
                         key);
}
