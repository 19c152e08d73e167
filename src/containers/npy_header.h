/* The header of an .npy file. Internal to the reader. */
#ifndef IA_CONTAINERS_NPY_HEADER_H
#define IA_CONTAINERS_NPY_HEADER_H

#include "containers/stream.h"
#include "tensor/array.h"

typedef enum ia_npy_kind {
    IA_NPY_NUMBERS,
    IA_NPY_BYTES /* '|S' */,
    IA_NPY_UCS4 /* '<U' */
} ia_npy_kind;

typedef struct ia_npy_header_info {
    ia_npy_kind kind;
    ia_dtype dtype; /* of numbers */
    size_t item;    /* bytes of one element in the file */
    bool swapped;   /* the other byte order than ours */
    bool fortran;
    ia_shape shape;
    size_t count; /* elements */
    size_t bytes; /* count * item: checked against what the stream can still give */
} ia_npy_header_info;

IA_MUST_CHECK inarch_status ia_npy_read_header(ia_stream *s, ia_npy_header_info *out,
                                               inarch_error *err);

#endif
