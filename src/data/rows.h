/* Rows of numbers as stored, shared by all views of a source. Internal to src/data.
 *
 * Either one array as it came from a file or the caller, or chunks that grow row by row without
 * ever moving: a table costs its numbers and at most one chunk more. Immutable once shared. */
#ifndef IA_DATA_ROWS_H
#define IA_DATA_ROWS_H

#include "tensor/array.h"

#include <stdatomic.h>

typedef struct ia_rows_chunk {
    ia_buffer *buffer;
    const uint8_t *data; /* of the buffer */
} ia_rows_chunk;

typedef struct ia_rows {
    atomic_size_t refs;
    atomic_bool finite; /* a check has found no number that is not a finite float32 */
    ia_dtype dtype;
    size_t width, count;
    size_t row_bytes;
    unsigned shift; /* row i lies in chunk i >> shift */
    ia_rows_chunk *chunk;
    size_t chunks, cap;
} ia_rows;

/* Row i: two loads, for loops over the rows of a batch. */
static inline const uint8_t *ia_rows_row(const ia_rows *r, uint64_t i)
{
    uint64_t mask = ((uint64_t)1 << r->shift) - 1;
    return r->chunk[i >> r->shift].data + (i & mask) * r->row_bytes;
}

/* a is [rows][width numbers]; shares its buffer. */
IA_MUST_CHECK inarch_status ia_rows_from_array(const ia_array *a, ia_rows **out, inarch_error *err);
/* No rows yet. */
IA_MUST_CHECK inarch_status ia_rows_new(ia_dtype dtype, size_t width, ia_rows **out,
                                        inarch_error *err);
/* One more row at *out, zeroed where none was cut. Only while not shared. */
IA_MUST_CHECK inarch_status ia_rows_add(ia_rows *r, void **out, inarch_error *err);

/* n more rows, whose numbers the caller sets. Rows may be added by one thread and set by several.
 */
IA_MUST_CHECK inarch_status ia_rows_extend(ia_rows *r, size_t n, inarch_error *err);
/* Only the first n rows stay; who adds rows again sets all their numbers. */
void ia_rows_cut(ia_rows *r, size_t n);

ia_rows *ia_rows_ref(ia_rows *r); /* NULL allowed */
void ia_rows_unref(ia_rows *r);   /* NULL allowed */

ia_dtype ia_rows_dtype(const ia_rows *r);
size_t ia_rows_width(const ia_rows *r);
size_t ia_rows_count(const ia_rows *r);
/* Row i, and in *n (may be NULL) how many rows from it on lie one behind the other. */
const void *ia_rows_at(const ia_rows *r, uint64_t i, size_t *n);
void *ia_rows_mutable(ia_rows *r, uint64_t i); /* only while not shared */
/* The number in row i, column c. */
double ia_rows_number(const ia_rows *r, uint64_t i, size_t c);

#endif
