/* Bounded reading of fields from memory. Once `bad`, a cursor stays bad and every read gives zero.
 */
#include "base/cursor.h"

#include <assert.h>
#include <string.h>

ia_cursor ia_cursor_of(const void *data, size_t len)
{
    return (ia_cursor){.data = data, .len = len};
}

size_t ia_left(const ia_cursor *c)
{
    return c->bad ? 0 : c->len - c->pos;
}

const uint8_t *ia_bytes(ia_cursor *c, size_t n)
{
    /* An empty read of an empty, good cursor still needs a pointer that is not NULL. */
    static const uint8_t nothing[1];
    if (c->bad || n > c->len - c->pos) {
        c->bad = true;
        return NULL;
    }
    const uint8_t *p = c->data ? c->data + c->pos : nothing;
    c->pos += n;
    return p;
}

uint64_t ia_uint(ia_cursor *c, size_t bytes)
{
    assert(bytes >= 1 && bytes <= 8);
    const uint8_t *p = ia_bytes(c, bytes);
    uint64_t v = 0;
    for (size_t i = 0; p && i < bytes; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

static uint32_t cursor_big_endian(ia_cursor *c, size_t bytes)
{
    const uint8_t *p = ia_bytes(c, bytes);
    uint32_t v = 0;
    for (size_t i = 0; p && i < bytes; i++)
        v = v << 8 | p[i];
    return v;
}

uint8_t ia_u8(ia_cursor *c)
{
    return (uint8_t)ia_uint(c, 1);
}

uint16_t ia_u16(ia_cursor *c)
{
    return (uint16_t)ia_uint(c, 2);
}

uint32_t ia_u24(ia_cursor *c)
{
    return (uint32_t)ia_uint(c, 3);
}

uint32_t ia_u32(ia_cursor *c)
{
    return (uint32_t)ia_uint(c, 4);
}

uint64_t ia_u64(ia_cursor *c)
{
    return ia_uint(c, 8);
}

uint16_t ia_u16be(ia_cursor *c)
{
    return (uint16_t)cursor_big_endian(c, 2);
}

uint32_t ia_u32be(ia_cursor *c)
{
    return cursor_big_endian(c, 4);
}

void ia_skip(ia_cursor *c, size_t n)
{
    (void)ia_bytes(c, n);
}

void ia_seek(ia_cursor *c, size_t pos)
{
    if (pos > c->len)
        c->bad = true;
    else
        c->pos = pos;
}

bool ia_match(ia_cursor *c, const void *magic, size_t n)
{
    if (n > ia_left(c) || (n && memcmp(c->data + c->pos, magic, n)))
        return false;
    c->pos += n;
    return true;
}

ia_cursor ia_sub(ia_cursor *c, size_t n)
{
    const uint8_t *p = ia_bytes(c, n);
    if (!p)
        return (ia_cursor){.bad = true};
    return ia_cursor_of(p, n);
}

/* Bytes of the character at s (1..4), or 0 when it is not one: overlong forms, surrogates, beyond
 * U+10FFFF, cut short, zero. */
static size_t utf8_length(const uint8_t *s, size_t left)
{
    static const struct {
        uint8_t first, last, low, high; /* lead bytes, and what the second byte may be */
        size_t length;
    } form[] = {
        {0x01, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < IA_COUNT(form); i++) {
        if (s[0] < form[i].first || s[0] > form[i].last)
            continue;
        if (form[i].length > left)
            return 0;
        if (form[i].length > 1 && (s[1] < form[i].low || s[1] > form[i].high))
            return 0;
        for (size_t k = 2; k < form[i].length; k++)
            if ((s[k] & 0xc0) != 0x80)
                return 0;
        return form[i].length;
    }
    return 0;
}

bool ia_utf8_valid(const void *s, size_t n)
{
    const uint8_t *p = s;
    for (size_t at = 0; at < n;) {
        size_t length = utf8_length(p + at, n - at);
        if (!length)
            return false;
        at += length;
    }
    return true;
}
