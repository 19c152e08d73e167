/* Reference-counted buffers and the arrays on them.
 *
 * Header and data are one allocation; data starts at the first aligned byte behind the header. It
 * is zeroed by calloc, which leaves large blocks untouched: their pages come when they are written,
 * on the thread that writes. */
#include "tensor/array.h"
#include "base/alloc.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#define DATA_OFFSET 64u /* the alignment, too */

struct ia_buffer {
    atomic_size_t refs;
    size_t bytes;
    void *block; /* what was allocated; the header is its first aligned byte */
};

_Static_assert(sizeof(struct ia_buffer) <= DATA_OFFSET, "the header must fit before the data");

inarch_status ia_buffer_new(size_t bytes, const char *what, ia_buffer **out, inarch_error *err)
{
    /* Before the header up to 63 bytes, behind the data as many: a whole vector may be read. */
    size_t total;
    uint8_t *block = ia_add(bytes, 3 * DATA_OFFSET, &total) ? ia_calloc(total, 1) : NULL;
    if (!block)
        return ia_fail_memory(err, what, bytes);
    ia_buffer *b = (void *)(block + (DATA_OFFSET - (uintptr_t)block % DATA_OFFSET) % DATA_OFFSET);
    atomic_init(&b->refs, 1);
    b->bytes = bytes;
    b->block = block;
    *out = b;
    return INARCH_OK;
}

ia_buffer *ia_buffer_ref(ia_buffer *b)
{
    if (b)
        atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
    return b;
}

void ia_buffer_unref(ia_buffer *b)
{
    /* acq_rel: all uses by other owners happen before the last one frees. */
    if (b && atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) == 1)
        ia_free(b->block);
}

size_t ia_buffer_bytes(const ia_buffer *b)
{
    return b->bytes;
}

const void *ia_buffer_data(const ia_buffer *b)
{
    return (const uint8_t *)b + DATA_OFFSET;
}

void *ia_buffer_mutable(ia_buffer *b)
{
    assert(!ia_buffer_shared(b));
    return (uint8_t *)b + DATA_OFFSET;
}

bool ia_buffer_shared(const ia_buffer *b)
{
    /* acquire: who finds itself alone may write what the former owners have read. */
    return atomic_load_explicit(&b->refs, memory_order_acquire) > 1;
}

inarch_status ia_array_new(ia_dtype dtype, const ia_shape *shape, const char *what, ia_array *out,
                           inarch_error *err)
{
    size_t count, bytes;
    if (!ia_shape_count(shape, &count) || !ia_mul(count, ia_dtype_size(dtype), &bytes)) {
        char text[128];
        return ia_fail(err, INARCH_LIMIT, what, "", "%s of shape %s cannot be held in memory", what,
                       ia_shape_text(shape, text, sizeof text));
    }
    ia_array a = {.dtype = dtype, .shape = *shape};
    IA_TRY(ia_buffer_new(bytes, what, &a.buffer, err));
    *out = a;
    return INARCH_OK;
}

ia_array ia_array_ref(const ia_array *a)
{
    ia_buffer_ref(a->buffer);
    return *a;
}

void ia_array_release(ia_array *a)
{
    ia_buffer_unref(a->buffer);
    *a = (ia_array){.buffer = NULL};
}

size_t ia_array_count(const ia_array *a)
{
    size_t count;
    return a->buffer && ia_shape_count(&a->shape, &count) ? count : 0;
}

const void *ia_array_data(const ia_array *a)
{
    return a->buffer ? ia_buffer_data(a->buffer) : NULL;
}

void *ia_array_mutable(ia_array *a)
{
    return a->buffer ? ia_buffer_mutable(a->buffer) : NULL;
}

inarch_status ia_array_to_f32(const ia_array *a, ia_array *out, inarch_error *err)
{
    if (a->dtype == IA_F32 || !a->buffer) {
        ia_array same = ia_array_ref(a);
        same.dtype = IA_F32;
        *out = same;
        return INARCH_OK;
    }
    ia_array converted;
    IA_TRY(ia_array_new(IA_F32, &a->shape, "an array converted to float32", &converted, err));
    ia_dtype_to_f32(a->dtype, ia_array_data(a), ia_array_count(a), ia_array_mutable(&converted));
    *out = converted;
    return INARCH_OK;
}
