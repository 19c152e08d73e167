/* Reference-counted buffers and arrays on them.
 *
 * A buffer is immutable while it is shared (refs > 1): clones, checkpoints and "best weights" are
 * references, and training writes only into buffers of its own. Counting is atomic, so models may be
 * cloned and freed from any thread. */
#ifndef IA_TENSOR_ARRAY_H
#define IA_TENSOR_ARRAY_H

#include "tensor/dtype.h"
#include "tensor/shape.h"

typedef struct ia_buffer ia_buffer;

/* Zeroed, aligned to 64 bytes. */
IA_MUST_CHECK inarch_status ia_buffer_new(size_t bytes, const char *what, ia_buffer **out,
                                          inarch_error *err);
ia_buffer *ia_buffer_ref(ia_buffer *b);  /* NULL allowed; returns b */
void ia_buffer_unref(ia_buffer *b);      /* NULL allowed */
size_t ia_buffer_bytes(const ia_buffer *b);
const void *ia_buffer_data(const ia_buffer *b);
/* For writing: only the single owner may (asserted). */
void *ia_buffer_mutable(ia_buffer *b);
bool ia_buffer_shared(const ia_buffer *b);

/* Row-major, dense. An array without a buffer is empty (all zero). Copying the struct borrows. */
typedef struct ia_array {
    ia_dtype dtype;
    ia_shape shape;
    ia_buffer *buffer;
} ia_array;

IA_MUST_CHECK inarch_status ia_array_new(ia_dtype dtype, const ia_shape *shape, const char *what,
                                         ia_array *out, inarch_error *err);
ia_array ia_array_ref(const ia_array *a); /* shares the buffer */
void ia_array_release(ia_array *a);       /* unrefs and clears */
/* The number of elements. */
size_t ia_array_count(const ia_array *a);
const void *ia_array_data(const ia_array *a);
void *ia_array_mutable(ia_array *a);
/* A float32 array of the same values: a reference when it is one already. */
IA_MUST_CHECK inarch_status ia_array_to_f32(const ia_array *a, ia_array *out, inarch_error *err);

#endif
