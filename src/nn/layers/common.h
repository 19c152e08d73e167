/* What several layers share: Keras' axes, permutations of rows, activations as a whole layer. */
#ifndef IA_NN_LAYERS_COMMON_H
#define IA_NN_LAYERS_COMMON_H

#include "nn/layer.h"

#define IA_DIM_MAX 2147483647.0 /* of units, dimensions and the like in configurations */

/* Keras counts the batch as axis 0: 1..rank or negative to an axis of a row. False for the batch
 * axis and outside. */
bool ia_row_axis(int64_t axis, int rank, int *out);
/* "has axis 4, but gets rows of shape (3, 5)" */
inarch_status ia_fail_axis(const ia_layer *l, int64_t axis, const ia_shape *row, inarch_error *err);
/* "needs a known shape, but gets (None, 5)" unless all dimensions are known. */
IA_MUST_CHECK inarch_status ia_need_known(const ia_layer *l, const ia_shape *row,
                                          inarch_error *err);

/* Some axes of a row moved behind the others; both groups keep their order. */
typedef struct ia_moved {
    ia_shape from, to;
    int order[IA_MAX_RANK]; /* to.dim[i] = from.dim[order[i]] */
    int inverse[IA_MAX_RANK];
    bool identity;      /* nothing moves */
    size_t outer, cols; /* products of the axes that stay and of those that move */
} ia_moved;
/* `axis` holds `count` distinct axes of the row. */
ia_moved ia_move_axes(const ia_shape *row, const int *axis, int count);
void ia_moved_to(const ia_moved *m, size_t rows, const float *x, float *y);
void ia_moved_back(const ia_moved *m, size_t rows, const float *x, float *y);
/* y has the axes of `in` in the given order. */
void ia_permute_rows(const ia_shape *in, const int *order, size_t rows, const float *x, float *y);

/* The last dimension of a row (1 for rank 0), and how many such vectors `rows` rows hold. */
size_t ia_last_dim(const ia_shape *row);
size_t ia_vectors(const ia_view *v, size_t rows);

bool ia_is_linear(const ia_activation *a);
/* The layer is this activation and nothing else; its input is z. */
void ia_forward_activation(const ia_op *op, const ia_activation *a);
void ia_backward_activation(const ia_op *op, const ia_activation *a);
/* The mask of dropout for rows of `cols` numbers; a rate of 1 drops all. */
void ia_draw_dropout(const ia_op *op, float rate, size_t cols, float *mask);
/* Layers that pass their input on. */
void ia_forward_copy(const ia_op *op);
void ia_backward_copy(const ia_op *op);

/* out[i] = index in a variable of this shape for element i of a row: dimensions of 1 are shared.
 * The shape is aligned with the row's last axes. */
void ia_broadcast_index(const ia_shape *row, const ia_shape *small, uint32_t *out);

/* The values of a variable for op, by its name; NULL when the layer has none of that name. */
const float *ia_op_weight(const ia_op *op, const char *name);
float *ia_op_dw(const ia_op *op, const char *name);
float *ia_op_state(const ia_op *op, const char *name);

/* INARCH_UNSUPPORTED when config[key] is there and neither null nor false. */
IA_MUST_CHECK inarch_status ia_refuse_key(const ia_layer *l, const json_t *config, const char *key,
                                          inarch_error *err);

#endif
