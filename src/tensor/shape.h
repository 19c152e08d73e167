/* Shapes: up to IA_MAX_RANK dimensions; a model's shapes leave the batch dimension out. */
#ifndef IA_TENSOR_SHAPE_H
#define IA_TENSOR_SHAPE_H

#include "base/status.h"

#define IA_MAX_RANK 8
#define IA_DIM_UNKNOWN (-1) /* None in Keras */

typedef struct ia_shape {
    int rank;
    int64_t dim[IA_MAX_RANK];
} ia_shape;

ia_shape ia_shape_of(int rank, const int64_t *dim);
ia_shape ia_shape_1(int64_t n);
bool ia_shape_equal(const ia_shape *a, const ia_shape *b);
/* Product of all dimensions (1 for rank 0); false when one is unknown or negative or it wraps. */
bool ia_shape_count(const ia_shape *s, size_t *out);
/* "(28, 28)", "(64,)", "()"; unknown dimensions as None. */
const char *ia_shape_text(const ia_shape *s, char *out, size_t size);

#endif
