/* A bounded cursor over bytes in memory: the only way file formats read fields.
 *
 * Reading past the end sets `bad`, returns zero and never touches memory outside; a parser may read
 * several fields and check `bad` once before it uses them. */
#ifndef IA_BASE_CURSOR_H
#define IA_BASE_CURSOR_H

#include "base/status.h"

typedef struct ia_cursor {
    const uint8_t *data; /* borrowed */
    size_t len, pos;
    bool bad;
} ia_cursor;

ia_cursor ia_cursor_of(const void *data, size_t len);

uint8_t ia_u8(ia_cursor *c);
uint16_t ia_u16(ia_cursor *c); /* little endian */
uint32_t ia_u24(ia_cursor *c);
uint32_t ia_u32(ia_cursor *c);
uint64_t ia_u64(ia_cursor *c);
uint16_t ia_u16be(ia_cursor *c);
uint32_t ia_u32be(ia_cursor *c);
uint64_t ia_uint(ia_cursor *c, size_t bytes); /* little endian, 1..8 bytes */

void ia_skip(ia_cursor *c, size_t n);
void ia_seek(ia_cursor *c, size_t pos); /* pos == len is allowed */
size_t ia_left(const ia_cursor *c);
/* n bytes at the cursor, borrowed, and moves on; NULL and `bad` when fewer are left. */
const uint8_t *ia_bytes(ia_cursor *c, size_t n);
/* True, and moves on, when the next n bytes are `magic`; else stays, without setting `bad`. */
bool ia_match(ia_cursor *c, const void *magic, size_t n);
/* The next n bytes as a cursor of their own (empty and bad when fewer are left). */
ia_cursor ia_sub(ia_cursor *c, size_t n);

/* This machine stores a number's high byte first. */
static inline bool ia_big_endian(void)
{
    const uint16_t one = 1;
    return *(const uint8_t *)&one == 0;
}

/* The first n bytes of s are valid UTF-8 without a zero byte. */
bool ia_utf8_valid(const void *s, size_t n);

#endif
