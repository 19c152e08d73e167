/* NumPy's .npy: one array in a file or in a member of an .npz.
 *
 * Reads versions 1 to 3, every float of 2, 4 and 8 bytes, every integer, bool, both byte orders, C
 * and Fortran order, and text ('<U', '|S'). Refuses, by name, what is not numbers: pickled objects
 * (never read), complex, dates, records, long double. Writes version 1.0, C order, little endian.
 */
#ifndef IA_CONTAINERS_NPY_H
#define IA_CONTAINERS_NPY_H

#include "base/buf.h"
#include "base/output.h"
#include "containers/stream.h"
#include "tensor/array.h"

/* Strings of an array, row-major: UTF-8, ended by zeros, in one block. */
typedef struct ia_texts {
    ia_shape shape;
    size_t count;
    char *bytes;
    size_t *start; /* [count]: text i is bytes + start[i] */
} ia_texts;

void ia_texts_release(ia_texts *t);

typedef struct ia_npy {
    bool is_text;
    ia_array array; /* numbers, host byte order, C order */
    ia_texts texts; /* when is_text */
} ia_npy;

void ia_npy_release(ia_npy *n);

/* Reads an array to the end of the stream. *out is written on success only. */
IA_MUST_CHECK inarch_status ia_npy_read(ia_stream *s, ia_npy *out, inarch_error *err);
/* The same for numbers alone; text is INARCH_BAD_DATA. */
IA_MUST_CHECK inarch_status ia_npy_read_array(ia_stream *s, ia_array *out, inarch_error *err);

/* The bytes in front of the data, for IA_F32, IA_F64, IA_I64 and other types that NumPy has. */
IA_MUST_CHECK inarch_status ia_npy_header(ia_dtype dtype, const ia_shape *shape, ia_buf *out,
                                          inarch_error *err);
/* Header and data. */
IA_MUST_CHECK inarch_status ia_npy_write(const ia_array *a, ia_output *o, inarch_error *err);

#endif
