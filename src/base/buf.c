/* A growable byte buffer with a limit; a zero byte always stands behind the data. */
#include "base/buf.h"
#include "base/alloc.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FIRST_BYTES 64u

/* Room for n more bytes and the zero byte. */
static inarch_status buf_reserve(ia_buf *b, size_t n, inarch_error *err)
{
    size_t len, need;
    if (!ia_add(b->len, n, &len) || len > b->max)
        return ia_fail(err, INARCH_LIMIT, "", "",
                       "a buffer would grow beyond its limit of %zu bytes", b->max);
    if (!ia_add(len, 1, &need))
        return ia_fail_memory(err, "a buffer", SIZE_MAX);
    if (need <= b->cap)
        return INARCH_OK;
    size_t cap = b->cap ? b->cap : FIRST_BYTES;
    while (cap < need)
        if (!ia_mul(cap, 2, &cap))
            break; /* SIZE_MAX: the allocation below refuses */
    if (b->max < SIZE_MAX && cap > b->max + 1)
        cap = b->max + 1;
    uint8_t *data = ia_realloc(b->data, cap, 1);
    if (!data)
        return ia_fail_memory(err, "a buffer", cap);
    b->data = data;
    b->cap = cap;
    return INARCH_OK;
}

static void buf_advance(ia_buf *b, size_t n)
{
    b->len += n;
    b->data[b->len] = 0;
}

inarch_status ia_buf_append(ia_buf *b, const void *data, size_t n, inarch_error *err)
{
    if (!n)
        return INARCH_OK;
    IA_TRY(buf_reserve(b, n, err));
    memcpy(b->data + b->len, data, n);
    buf_advance(b, n);
    return INARCH_OK;
}

inarch_status ia_buf_zeros(ia_buf *b, size_t n, inarch_error *err)
{
    if (!n)
        return INARCH_OK;
    IA_TRY(buf_reserve(b, n, err));
    memset(b->data + b->len, 0, n);
    buf_advance(b, n);
    return INARCH_OK;
}

inarch_status ia_buf_text(ia_buf *b, const char *s, inarch_error *err)
{
    return ia_buf_append(b, s, strlen(s), err);
}

inarch_status ia_buf_printf(ia_buf *b, inarch_error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0)
        return ia_fail(err, INARCH_LIMIT, "", "", "a text is too long to be formatted");
    if (!len)
        return INARCH_OK;
    size_t n = (size_t)len;
    IA_TRY(buf_reserve(b, n, err));
    va_start(args, format);
    vsnprintf((char *)b->data + b->len, n + 1, format, args);
    va_end(args);
    buf_advance(b, n);
    return INARCH_OK;
}

static inarch_status buf_uint(ia_buf *b, uint64_t v, size_t bytes, inarch_error *err)
{
    uint8_t le[8];
    for (size_t i = 0; i < bytes; i++)
        le[i] = (uint8_t)(v >> (8 * i));
    return ia_buf_append(b, le, bytes, err);
}

inarch_status ia_buf_u8(ia_buf *b, uint8_t v, inarch_error *err)
{
    return buf_uint(b, v, 1, err);
}

inarch_status ia_buf_u16(ia_buf *b, uint16_t v, inarch_error *err)
{
    return buf_uint(b, v, 2, err);
}

inarch_status ia_buf_u32(ia_buf *b, uint32_t v, inarch_error *err)
{
    return buf_uint(b, v, 4, err);
}

inarch_status ia_buf_u64(ia_buf *b, uint64_t v, inarch_error *err)
{
    return buf_uint(b, v, 8, err);
}

void ia_buf_put(ia_buf *b, size_t at, const void *data, size_t n)
{
    assert(at <= b->len && n <= b->len - at);
    if (n)
        memcpy(b->data + at, data, n);
}

void ia_buf_free(ia_buf *b)
{
    ia_free(b->data);
    *b = IA_BUF(b->max);
}
