/* Element types of arrays in files and in memory. Computation is in float32. */
#ifndef IA_TENSOR_DTYPE_H
#define IA_TENSOR_DTYPE_H

#include "base/status.h"

typedef enum ia_dtype {
    IA_F32,
    IA_F64,
    IA_F16,
    IA_BF16,
    IA_I8,
    IA_I16,
    IA_I32,
    IA_I64,
    IA_U8,
    IA_U16,
    IA_U32,
    IA_U64,
    IA_BOOL, /* one byte, 0 or 1 */
    IA_DTYPE_COUNT
} ia_dtype;

size_t ia_dtype_size(ia_dtype t);
const char *ia_dtype_name(ia_dtype t); /* "float32", "int8", ... as NumPy and Keras */
bool ia_dtype_from_name(const char *name, ia_dtype *out);
bool ia_dtype_is_float(ia_dtype t);

/* n elements at src (any alignment, host byte order) to float32 or double. Integers beyond 2^24
 * (2^53) round to nearest even. */
void ia_dtype_to_f32(ia_dtype t, const void *src, size_t n, float *dst);
void ia_dtype_to_f64(ia_dtype t, const void *src, size_t n, double *dst);
/* float32 to t; to integers by truncation, clamped at the type's range, NaN to 0. */
void ia_dtype_from_f32(ia_dtype t, const float *src, size_t n, void *dst);
/* Reverses the bytes of n elements of `size` bytes in place. */
void ia_byteswap(void *data, size_t n, size_t size);

#endif
