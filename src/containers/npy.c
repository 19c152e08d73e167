/* Reads and writes the data of .npy files; npy_header.c reads what stands in front.
 *
 * Fortran order is turned to C order while reading, element by element, so no second copy is held.
 */
#include "containers/npy.h"
#include "containers/npy_header.h"

#include "base/alloc.h"
#include "base/cursor.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PIECE ((size_t)64 << 10)

void ia_texts_release(ia_texts *t)
{
    ia_free(t->bytes);
    ia_free(t->start);
    *t = (ia_texts){.count = 0};
}

void ia_npy_release(ia_npy *n)
{
    ia_array_release(&n->array);
    ia_texts_release(&n->texts);
}

/* ---- order ---- */

/* Walks an array in Fortran order (first index fastest) and knows where C order has each element.
 */
typedef struct npy_walk {
    ia_shape shape;
    size_t stride[IA_MAX_RANK]; /* of C order, in elements */
    int64_t index[IA_MAX_RANK];
    size_t at;
} npy_walk;

static npy_walk walk_of(const ia_shape *shape)
{
    npy_walk w = {.shape = *shape};
    size_t stride = 1;
    for (int d = shape->rank - 1; d >= 0; d--) {
        w.stride[d] = stride;
        stride *= (size_t)shape->dim[d];
    }
    return w;
}

static void walk_next(npy_walk *w)
{
    for (int d = 0; d < w->shape.rank; d++) {
        w->at += w->stride[d];
        if (++w->index[d] < w->shape.dim[d])
            return;
        w->at -= w->stride[d] * (size_t)w->shape.dim[d];
        w->index[d] = 0;
    }
}

/* h->bytes bytes of elements to dst, in C order. */
static inarch_status npy_read_elements(ia_stream *s, const ia_npy_header_info *h, uint8_t *dst,
                                       inarch_error *err)
{
    if (!h->fortran || h->shape.rank < 2 || h->item == 0 || h->item > PIECE)
        return ia_stream_read(s, dst, h->bytes, err);
    uint8_t *piece = ia_calloc(PIECE, 1);
    if (!piece)
        return ia_fail_memory(err, "an array in Fortran order", PIECE);
    inarch_status status = INARCH_OK;
    npy_walk walk = walk_of(&h->shape);
    size_t at_once = PIECE / h->item;
    for (size_t done = 0; done < h->count && status == INARCH_OK;) {
        size_t n = h->count - done < at_once ? h->count - done : at_once;
        status = ia_stream_read(s, piece, n * h->item, err);
        for (size_t i = 0; i < n && status == INARCH_OK; i++, walk_next(&walk))
            memcpy(dst + walk.at * h->item, piece + i * h->item, h->item);
        done += n;
    }
    ia_free(piece);
    return status;
}

/* ---- numbers ---- */

static inarch_status npy_read_numbers(ia_stream *s, const ia_npy_header_info *h, ia_array *out,
                                      inarch_error *err)
{
    ia_array a;
    IA_TRY(ia_array_new(h->dtype, &h->shape, s->in.name, &a, err));
    uint8_t *data = ia_array_mutable(&a);
    inarch_status status = npy_read_elements(s, h, data, err);
    if (status == INARCH_OK)
        status = ia_stream_end(s, err);
    for (size_t i = 0; h->dtype == IA_BOOL && i < h->count; i++)
        data[i] = data[i] != 0;
    if (h->swapped)
        ia_byteswap(data, h->count, h->item);
    if (status != INARCH_OK)
        ia_array_release(&a);
    else
        *out = a;
    return status;
}

/* ---- text ---- */

/* Bytes of c as UTF-8, written to out (room for 4); 0 for what is no character. */
static size_t utf8_put(uint32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    if (c >= 0xd800 && c < 0xe000)
        return 0;
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 63));
        out[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    if (c >= 0x110000)
        return 0;
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 63));
    out[2] = (char)(0x80 | (c >> 6 & 63));
    out[3] = (char)(0x80 | (c & 63));
    return 4;
}

/* One element to UTF-8 (at most item + 1 bytes: UTF-8 is never longer than UCS-4); zeros at its end
 * are padding, a zero inside ends it badly. */
static bool text_put(const ia_npy_header_info *h, const uint8_t *item, char *out, size_t *len)
{
    size_t width = h->kind == IA_NPY_UCS4 ? 4 : 1, n = h->item / width;
    *len = 0;
    bool ended = false;
    for (size_t i = 0; i < n; i++) {
        uint32_t c = item[i * width];
        if (width == 4) {
            memcpy(&c, item + i * width, 4);
            if (h->swapped)
                ia_byteswap(&c, 1, 4);
        }
        if (c == 0) {
            ended = true;
            continue;
        }
        if (ended)
            return false;
        if (width == 1)
            out[(*len)++] = (char)c;
        else {
            size_t put = utf8_put(c, out + *len);
            if (put == 0)
                return false;
            *len += put;
        }
    }
    out[*len] = 0;
    return width == 4 || ia_utf8_valid(out, *len);
}

static inarch_status npy_decode(const ia_stream *s, const ia_npy_header_info *h, const uint8_t *raw,
                                ia_texts *t, inarch_error *err)
{
    size_t at = 0;
    for (size_t i = 0; i < h->count; i++) {
        size_t len;
        t->start[i] = at;
        if (!text_put(h, raw + i * h->item, t->bytes + at, &len))
            return ia_fail(err, INARCH_BAD_DATA, s->in.name, "",
                           "'%.200s' holds text that is not Unicode (element %zu)", s->in.name, i);
        at += len + 1;
    }
    return INARCH_OK;
}

static inarch_status npy_read_text(ia_stream *s, const ia_npy_header_info *h, ia_texts *out,
                                   inarch_error *err)
{
    size_t room;
    if (!ia_add(h->bytes, h->count, &room))
        return ia_fail_memory(err, s->in.name, room);
    ia_texts t = {h->shape, h->count, ia_calloc(room, 1), ia_calloc(h->count, sizeof *t.start)};
    uint8_t *raw = ia_calloc(h->bytes, 1);
    inarch_status status = INARCH_OK;
    if (!t.bytes || !t.start || !raw)
        status = ia_fail_memory(err, s->in.name, room);
    if (status == INARCH_OK)
        status = npy_read_elements(s, h, raw, err);
    if (status == INARCH_OK)
        status = ia_stream_end(s, err);
    if (status == INARCH_OK)
        status = npy_decode(s, h, raw, &t, err);
    ia_free(raw);
    if (status != INARCH_OK)
        ia_texts_release(&t);
    else
        *out = t;
    return status;
}

inarch_status ia_npy_read(ia_stream *s, ia_npy *out, inarch_error *err)
{
    ia_npy_header_info h = {.item = 0};
    ia_npy n = {.is_text = false};
    IA_TRY(ia_npy_read_header(s, &h, err));
    n.is_text = h.kind != IA_NPY_NUMBERS;
    if (n.is_text)
        IA_TRY(npy_read_text(s, &h, &n.texts, err));
    else
        IA_TRY(npy_read_numbers(s, &h, &n.array, err));
    *out = n;
    return INARCH_OK;
}

inarch_status ia_npy_read_array(ia_stream *s, ia_array *out, inarch_error *err)
{
    ia_npy_header_info h = {.item = 0};
    IA_TRY(ia_npy_read_header(s, &h, err));
    if (h.kind != IA_NPY_NUMBERS)
        return ia_fail(err, INARCH_BAD_DATA, s->in.name, "", "'%.200s' holds text, not numbers",
                       s->in.name);
    return npy_read_numbers(s, &h, out, err);
}

/* ---- writing ---- */

static const char *const npy_descr[IA_DTYPE_COUNT] = {
    [IA_F32] = "<f4", [IA_F64] = "<f8", [IA_F16] = "<f2", [IA_I8] = "|i1",
    [IA_I16] = "<i2", [IA_I32] = "<i4", [IA_I64] = "<i8", [IA_U8] = "|u1",
    [IA_U16] = "<u2", [IA_U32] = "<u4", [IA_U64] = "<u8", [IA_BOOL] = "|b1",
};

inarch_status ia_npy_header(ia_dtype dtype, const ia_shape *shape, ia_buf *out, inarch_error *err)
{
    if (!npy_descr[dtype])
        return ia_fail(err, INARCH_UNSUPPORTED, "", "write float32",
                       "NumPy has no element type '%s'", ia_dtype_name(dtype));
    char dims[IA_MAX_RANK * 24];
    size_t n = 0;
    dims[0] = 0;
    for (int d = 0; d < shape->rank; d++)
        n += (size_t)snprintf(dims + n, sizeof dims - n, d ? ", %" PRId64 : "%" PRId64,
                              shape->dim[d]);
    char text[320];
    int len =
        snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': (%s%s), }",
                 npy_descr[dtype], dims, shape->rank == 1 ? "," : "");
    /* Padded with spaces and a newline so that the data start at a multiple of 64, as NumPy does.
     */
    size_t used = 10 + (size_t)len + 1, total = (used + 63) / 64 * 64;
    IA_TRY(ia_buf_append(out, "\x93NUMPY\1\0", 8, err));
    IA_TRY(ia_buf_u16(out, (uint16_t)(total - 10), err));
    IA_TRY(ia_buf_append(out, text, (size_t)len, err));
    for (; used < total; used++)
        IA_TRY(ia_buf_u8(out, ' ', err));
    return ia_buf_u8(out, '\n', err);
}

static inarch_status npy_write_swapped(const ia_array *a, ia_output *o, inarch_error *err)
{
    uint8_t piece[4096];
    size_t item = ia_dtype_size(a->dtype), bytes = ia_array_count(a) * item;
    for (size_t at = 0; at < bytes; at += sizeof piece) {
        size_t n = bytes - at < sizeof piece ? bytes - at : sizeof piece;
        memcpy(piece, (const uint8_t *)ia_array_data(a) + at, n);
        ia_byteswap(piece, n / item, item);
        IA_TRY(ia_output_write(o, piece, n, err));
    }
    return INARCH_OK;
}

inarch_status ia_npy_write(const ia_array *a, ia_output *o, inarch_error *err)
{
    ia_buf header = IA_BUF(1024);
    inarch_status status = ia_npy_header(a->dtype, &a->shape, &header, err);
    if (status == INARCH_OK)
        status = ia_output_write(o, header.data, header.len, err);
    ia_buf_free(&header);
    IA_TRY(status);
    size_t bytes = ia_array_count(a) * ia_dtype_size(a->dtype);
    if (ia_big_endian())
        return npy_write_swapped(a, o, err);
    return bytes ? ia_output_write(o, ia_array_data(a), bytes, err) : INARCH_OK;
}
