/* Reads IDX. The sizes in its header must agree with the bytes that follow, to the last one. */
#include "containers/idx.h"

#include "base/alloc.h"
#include "base/cursor.h"

#include <inttypes.h>

#define IDX_MAX_RANK 4

typedef struct idx_type {
    uint8_t code;
    ia_dtype dtype;
} idx_type;

static const idx_type idx_types[] = {
    {0x08, IA_U8}, {0x09, IA_I8}, {0x0b, IA_I16}, {0x0c, IA_I32}, {0x0d, IA_F32}, {0x0e, IA_F64},
};

static const idx_type *idx_type_of(uint8_t code)
{
    for (size_t i = 0; i < IA_COUNT(idx_types); i++)
        if (idx_types[i].code == code)
            return &idx_types[i];
    return NULL;
}

bool ia_idx_is(const uint8_t *data, size_t n)
{
    return n >= 4 && data[0] == 0 && data[1] == 0 && idx_type_of(data[2]) && data[3] >= 1 &&
           data[3] <= IDX_MAX_RANK;
}

static inarch_status idx_read_header(ia_stream *s, ia_dtype *dtype, ia_shape *shape,
                                     inarch_error *err)
{
    uint8_t raw[4 + 4 * IDX_MAX_RANK];
    size_t got;
    IA_TRY(ia_stream_some(s, raw, 4, &got, err));
    if (!ia_idx_is(raw, got))
        return ia_fail(err, INARCH_BAD_FILE, s->in.name, "", "'%.200s' is not an IDX file",
                       s->in.name);
    *dtype = idx_type_of(raw[2])->dtype;
    *shape = (ia_shape){.rank = raw[3]};
    IA_TRY(ia_stream_read(s, raw + 4, 4 * (size_t)shape->rank, err));
    ia_cursor c = ia_cursor_of(raw + 4, sizeof raw - 4);
    for (int d = 0; d < shape->rank; d++)
        shape->dim[d] = ia_u32be(&c);
    return INARCH_OK;
}

inarch_status ia_idx_read(ia_stream *s, ia_array *out, inarch_error *err)
{
    ia_dtype dtype = IA_U8;
    ia_shape shape;
    char text[128];
    IA_TRY(idx_read_header(s, &dtype, &shape, err));
    size_t count, bytes, item = ia_dtype_size(dtype);
    uint64_t left = ia_stream_most(s);
    bool sound = ia_shape_count(&shape, &count) && ia_mul(count, item, &bytes) &&
                 (s->coding == IA_CODING_GZIP ? bytes <= left : bytes == left);
    if (!sound)
        return ia_fail(err, INARCH_BAD_FILE, s->in.name, "the file is damaged or was cut short",
                       "'%.200s' declares the shape %s of %s, but %s%" PRIu64 " bytes follow",
                       s->in.name, ia_shape_text(&shape, text, sizeof text), ia_dtype_name(dtype),
                       s->coding == IA_CODING_GZIP ? "at most " : "", left);
    ia_array a;
    IA_TRY(ia_array_new(dtype, &shape, s->in.name, &a, err));
    inarch_status status = ia_stream_read(s, ia_array_mutable(&a), bytes, err);
    if (status == INARCH_OK)
        status = ia_stream_end(s, err);
    if (status != INARCH_OK) {
        ia_array_release(&a);
        return status;
    }
    if (!ia_big_endian() && item > 1)
        ia_byteswap(ia_array_mutable(&a), count, item);
    *out = a;
    return INARCH_OK;
}
