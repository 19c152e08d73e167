/* Chunked rows. A chunk holds a power of two of rows, about CHUNK_BYTES, so finding one is a shift.
 */
#include "data/rows.h"

#include "base/alloc.h"

#include <assert.h>

#define CHUNK_BYTES ((size_t)256 << 10)
#define ONE_CHUNK 63 /* a shift that sends every row to chunk 0 */

static inarch_status rows_alloc(ia_dtype dtype, size_t width, ia_rows **out, inarch_error *err)
{
    size_t bytes;
    if (!ia_mul(width, ia_dtype_size(dtype), &bytes))
        return ia_fail_memory(err, "a row", bytes);
    ia_rows *r = ia_calloc(1, sizeof *r);
    if (!r)
        return ia_fail_memory(err, "rows of data", sizeof *r);
    atomic_init(&r->refs, 1);
    r->dtype = dtype;
    r->width = width;
    r->row_bytes = bytes;
    *out = r;
    return INARCH_OK;
}

inarch_status ia_rows_from_array(const ia_array *a, ia_rows **out, inarch_error *err)
{
    assert(a->shape.rank > 0);
    ia_shape row = ia_shape_of(a->shape.rank - 1, a->shape.dim + 1);
    size_t width;
    if (!ia_shape_count(&row, &width))
        return ia_fail(err, INARCH_LIMIT, "", "", "a row of the data is too large");
    ia_rows *r;
    IA_TRY(rows_alloc(a->dtype, width, &r, err));
    inarch_status status = ia_grow(&r->chunk, &r->cap, 0, sizeof *r->chunk, "rows of data", err);
    if (status != INARCH_OK) {
        ia_rows_unref(r);
        return status;
    }
    r->shift = ONE_CHUNK;
    r->count = (size_t)a->shape.dim[0];
    r->chunks = 1;
    ia_buffer *buffer = ia_buffer_ref(a->buffer);
    if (!buffer) /* an array without a buffer is all zero */
        status = ia_buffer_new(r->count * r->row_bytes, "rows of data", &buffer, err);
    r->chunk[0] = (ia_rows_chunk){buffer, NULL};
    if (status != INARCH_OK) {
        ia_rows_unref(r);
        return status;
    }
    r->chunk[0].data = ia_buffer_data(buffer);
    *out = r;
    return INARCH_OK;
}

inarch_status ia_rows_new(ia_dtype dtype, size_t width, ia_rows **out, inarch_error *err)
{
    ia_rows *r;
    IA_TRY(rows_alloc(dtype, width, &r, err));
    while (r->row_bytes << (r->shift + 1) <= CHUNK_BYTES && r->shift < 16)
        r->shift++;
    *out = r;
    return INARCH_OK;
}

inarch_status ia_rows_extend(ia_rows *r, size_t n, inarch_error *err)
{
    size_t count, in_chunk = (size_t)1 << r->shift, bytes;
    if (!ia_add(r->count, n, &count) || !ia_mul(r->row_bytes, in_chunk, &bytes))
        return ia_fail_memory(err, "rows of data", SIZE_MAX);
    while (r->chunks << r->shift < count) {
        IA_TRY(ia_grow(&r->chunk, &r->cap, r->chunks, sizeof *r->chunk, "rows of data", err));
        ia_buffer *buffer;
        IA_TRY(ia_buffer_new(bytes, "rows of data", &buffer, err));
        r->chunk[r->chunks++] = (ia_rows_chunk){buffer, ia_buffer_data(buffer)};
    }
    r->count = count;
    return INARCH_OK;
}

void ia_rows_cut(ia_rows *r, size_t n)
{
    assert(n <= r->count);
    r->count = n;
}

inarch_status ia_rows_add(ia_rows *r, void **out, inarch_error *err)
{
    IA_TRY(ia_rows_extend(r, 1, err));
    *out = ia_rows_mutable(r, r->count - 1);
    return INARCH_OK;
}

ia_rows *ia_rows_ref(ia_rows *r)
{
    if (r)
        atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
    return r;
}

void ia_rows_unref(ia_rows *r)
{
    if (!r || atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < r->chunks; i++)
        ia_buffer_unref(r->chunk[i].buffer);
    ia_free(r->chunk);
    ia_free(r);
}

ia_dtype ia_rows_dtype(const ia_rows *r)
{
    return r->dtype;
}

size_t ia_rows_width(const ia_rows *r)
{
    return r->width;
}

size_t ia_rows_count(const ia_rows *r)
{
    return r->count;
}

const void *ia_rows_at(const ia_rows *r, uint64_t i, size_t *n)
{
    assert(i < r->count);
    if (n) {
        uint64_t mask = ((uint64_t)1 << r->shift) - 1;
        uint64_t in_chunk = mask + 1 - (i & mask), left = r->count - i;
        *n = (size_t)(in_chunk < left ? in_chunk : left);
    }
    return ia_rows_row(r, i);
}

void *ia_rows_mutable(ia_rows *r, uint64_t i)
{
    uint64_t mask = ((uint64_t)1 << r->shift) - 1;
    return (uint8_t *)ia_buffer_mutable(r->chunk[i >> r->shift].buffer) + (i & mask) * r->row_bytes;
}

double ia_rows_number(const ia_rows *r, uint64_t i, size_t c)
{
    double v;
    const uint8_t *row = ia_rows_at(r, i, NULL);
    ia_dtype_to_f64(r->dtype, row + c * ia_dtype_size(r->dtype), 1, &v);
    return v;
}
