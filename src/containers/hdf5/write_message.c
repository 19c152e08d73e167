/* Object headers of version 1 in one block: the messages as libhdf5 1.8 writes them. */
#include "containers/hdf5/write_internal.h"

#include <assert.h>
#include <string.h>

#define CONSTANT 1u /* message flag that libhdf5 sets on types and fill values */

inarch_status ia_h5w_little(ia_buf *b, ia_dtype dtype, const void *data, size_t n,
                            inarch_error *err)
{
    size_t size = ia_dtype_size(dtype), at = b->len;
    IA_TRY(ia_buf_append(b, data, n * size, err));
    if (ia_big_endian() && n > 0)
        ia_byteswap(b->data + at, n, size);
    return INARCH_OK;
}

/* ---- pieces ---- */

static size_t space_size(const ia_shape *s)
{
    return 8 + 16 * (size_t)s->rank;
}

static inarch_status put_space(ia_buf *b, const ia_shape *s, inarch_error *err)
{
    const uint8_t head[8] = {1, (uint8_t)s->rank, s->rank > 0};
    IA_TRY(ia_buf_append(b, head, sizeof head, err));
    for (int pass = 0; pass < 2; pass++) /* the dimensions, then the same as maximal ones */
        for (int i = 0; i < s->rank; i++)
            IA_TRY(ia_buf_u64(b, (uint64_t)s->dim[i], err));
    return INARCH_OK;
}

/* A datatype of at most 40 bytes, padded to 8. */
static size_t type_layout(const h5w_attr *a, uint8_t out[40])
{
    static const uint8_t vlen_utf8[20] = {0x19, 1, 1, 0, 16, 0, 0, 0, 0x10, 0,
                                          0,    0, 1, 0, 0,  0, 0, 0, 8,    0};
    memset(out, 0, 40);
    if (a->kind == H5W_VLEN_TEXT) {
        memcpy(out, vlen_utf8, sizeof vlen_utf8);
        return sizeof vlen_utf8;
    }
    if (a->kind == H5W_FIXED_TEXT) {
        const uint8_t fixed[8] = {0x13, 1, 0, 0, (uint8_t)a->item, (uint8_t)(a->item >> 8)};
        memcpy(out, fixed, sizeof fixed);
        return sizeof fixed;
    }
    const uint8_t *layout;
    size_t n;
    ia_h5_type_layout(a->dtype, &layout, &n);
    memcpy(out, layout, n);
    return n;
}

static inarch_status put_message_head(ia_buf *b, unsigned type, size_t size, unsigned flags,
                                      inarch_error *err)
{
    IA_TRY(ia_buf_u16(b, (uint16_t)type, err));
    IA_TRY(ia_buf_u16(b, (uint16_t)size, err));
    return ia_buf_u32(b, flags, err);
}

/* ---- attributes ---- */

size_t ia_h5w_attr_size(const h5w_attr *a)
{
    uint8_t type[40];
    size_t values = a->kind == H5W_VLEN_TEXT ? 16 : a->bytes;
    return ia_h5w_pad8(8 + ia_h5w_pad8(strlen(a->name) + 1) + ia_h5w_pad8(type_layout(a, type)) +
                       space_size(&a->shape) + values);
}

static inarch_status put_value(const ia_h5w *w, const h5w_attr *a, ia_buf *b, inarch_error *err)
{
    if (a->kind == H5W_NUMBERS)
        return ia_h5w_little(b, a->dtype, a->data, a->bytes / a->item, err);
    if (a->kind == H5W_FIXED_TEXT)
        return ia_buf_append(b, a->data, a->bytes, err);
    IA_TRY(ia_buf_u32(b, (uint32_t)a->bytes, err));
    IA_TRY(ia_buf_u64(b, a->bytes > 0 ? w->collections[a->collection].addr : 0, err));
    return ia_buf_u32(b, a->bytes > 0 ? a->index : 0, err);
}

static inarch_status put_attr(const ia_h5w *w, const h5w_attr *a, ia_buf *b, inarch_error *err)
{
    uint8_t type[40];
    size_t type_bytes = type_layout(a, type), name_bytes = strlen(a->name) + 1;
    size_t size = ia_h5w_attr_size(a);
    IA_TRY(put_message_head(b, H5_MSG_ATTR, size, 0, err));
    size_t start = b->len;
    IA_TRY(ia_buf_u16(b, 1, err)); /* version */
    IA_TRY(ia_buf_u16(b, (uint16_t)name_bytes, err));
    IA_TRY(ia_buf_u16(b, (uint16_t)type_bytes, err));
    IA_TRY(ia_buf_u16(b, (uint16_t)space_size(&a->shape), err));
    IA_TRY(ia_buf_append(b, a->name, name_bytes, err));
    IA_TRY(ia_buf_zeros(b, ia_h5w_pad8(name_bytes) - name_bytes, err));
    IA_TRY(ia_buf_append(b, type, ia_h5w_pad8(type_bytes), err));
    IA_TRY(put_space(b, &a->shape, err));
    IA_TRY(put_value(w, a, b, err));
    return ia_buf_zeros(b, size - (b->len - start), err);
}

/* ---- objects ---- */

#define PREFIX_BYTES 16u
#define MESSAGE_BYTES 8u
#define SYMBOL_TABLE_BYTES 16u
#define FILL_BYTES 8u
#define LAYOUT_BYTES 24u

static size_t number_type_size(ia_dtype dtype)
{
    const uint8_t *layout;
    size_t n;
    ia_h5_type_layout(dtype, &layout, &n);
    return ia_h5w_pad8(n);
}

size_t ia_h5w_header_size(const ia_h5w_object *o)
{
    size_t size = PREFIX_BYTES;
    if (o->kind == IA_H5_GROUP)
        size += MESSAGE_BYTES + SYMBOL_TABLE_BYTES;
    else
        size += 4 * MESSAGE_BYTES + space_size(&o->values.shape) +
                number_type_size(o->values.dtype) + FILL_BYTES + LAYOUT_BYTES;
    for (size_t i = 0; i < o->attr_count; i++)
        size += MESSAGE_BYTES + ia_h5w_attr_size(&o->attrs[i]);
    return size;
}

static inarch_status put_group(const ia_h5w_object *o, ia_buf *b, inarch_error *err)
{
    IA_TRY(put_message_head(b, H5_MSG_SYMBOL_TABLE, SYMBOL_TABLE_BYTES, 0, err));
    IA_TRY(ia_buf_u64(b, o->root, err));
    return ia_buf_u64(b, o->heap, err);
}

static inarch_status put_dataset(const ia_h5w_object *o, ia_buf *b, inarch_error *err)
{
    static const uint8_t fill[FILL_BYTES] = {2, 2, 2, 1}; /* late, if set, default zeros */
    const uint8_t *layout;
    size_t n, bytes = ia_array_count(&o->values) * ia_dtype_size(o->values.dtype);
    IA_TRY(put_message_head(b, H5_MSG_SPACE, space_size(&o->values.shape), 0, err));
    IA_TRY(put_space(b, &o->values.shape, err));
    ia_h5_type_layout(o->values.dtype, &layout, &n);
    IA_TRY(put_message_head(b, H5_MSG_TYPE, ia_h5w_pad8(n), CONSTANT, err));
    IA_TRY(ia_buf_append(b, layout, n, err));
    IA_TRY(ia_buf_zeros(b, ia_h5w_pad8(n) - n, err));
    IA_TRY(put_message_head(b, H5_MSG_FILL, FILL_BYTES, CONSTANT, err));
    IA_TRY(ia_buf_append(b, fill, sizeof fill, err));
    IA_TRY(put_message_head(b, H5_MSG_LAYOUT, LAYOUT_BYTES, 0, err));
    IA_TRY(ia_buf_u16(b, 0x0103, err)); /* version 3, contiguous */
    IA_TRY(ia_buf_u64(b, bytes > 0 ? o->data : H5_NOWHERE, err));
    IA_TRY(ia_buf_u64(b, bytes, err));
    return ia_buf_zeros(b, LAYOUT_BYTES - 18, err);
}

inarch_status ia_h5w_header(const ia_h5w *w, const ia_h5w_object *o, ia_buf *b, inarch_error *err)
{
    size_t start = b->len;
    size_t messages = o->attr_count + (o->kind == IA_H5_GROUP ? 1 : 4);
    IA_TRY(ia_buf_u16(b, 1, err)); /* version */
    IA_TRY(ia_buf_u16(b, (uint16_t)messages, err));
    IA_TRY(ia_buf_u32(b, 1, err));                              /* references */
    IA_TRY(ia_buf_u64(b, o->header_bytes - PREFIX_BYTES, err)); /* u32 and padding */
    IA_TRY(o->kind == IA_H5_GROUP ? put_group(o, b, err) : put_dataset(o, b, err));
    for (size_t i = 0; i < o->attr_count; i++)
        IA_TRY(put_attr(w, &o->attrs[i], b, err));
    assert(b->len - start == o->header_bytes);
    (void)start;
    return INARCH_OK;
}
