/* Object headers of version 2: OHDR and its OCHK continuations, each with a checksum. */
#include "containers/hdf5/internal.h"

#include <string.h>

#define HAS_ORDER 0x04u /* each message has a creation order */
#define HAS_PHASE 0x10u /* thresholds for dense attributes */
#define HAS_TIMES 0x20u
#define KNOWN_FLAGS 0x3Fu

static inarch_status read_messages(h5_walk *w, h5_header *h, ia_cursor c, unsigned flags,
                                   inarch_error *err)
{
    size_t prefix = (flags & HAS_ORDER) != 0 ? 6 : 4;
    while (ia_left(&c) >= prefix) { /* a shorter rest is a gap */
        unsigned type = ia_u8(&c);
        size_t size = ia_u16(&c);
        unsigned message_flags = ia_u8(&c);
        ia_skip(&c, prefix - 4);
        const uint8_t *body = ia_bytes(&c, size);
        if (c.bad)
            return h5_bad(w, err, "damaged: a message of %zu bytes does not fit its object header",
                          size);
        bool continued;
        IA_TRY(ia_h5_header_add(w, h, type, message_flags, body, size, &continued, err));
    }
    return INARCH_OK;
}

static inarch_status read_continuation(h5_walk *w, h5_header *h, const h5_message *m,
                                       unsigned flags, inarch_error *err)
{
    ia_cursor c = ia_cursor_of(m->body, m->size);
    uint64_t addr = ia_u64(&c), bytes = ia_u64(&c);
    uint8_t *block;
    if (c.bad || bytes < 8)
        return h5_bad(w, err, "damaged: an object header continues in nothing");
    IA_TRY(ia_h5_header_block(w, h, addr, bytes, &block, err));
    if (memcmp(block, "OCHK", 4) != 0)
        return ia_h5_bad_start(w, err, "header continuation", addr, block, 4);
    IA_TRY(ia_h5_check_sum(w, "object header", addr, block, (size_t)bytes, err));
    return read_messages(w, h, ia_cursor_of(block + 4, (size_t)bytes - 8), flags, err);
}

inarch_status ia_h5_header2_read(h5_walk *w, uint64_t addr, h5_header *h, inarch_error *err)
{
    uint8_t start[6], prefix[6 + 16 + 4 + 8], *block;
    IA_TRY(ia_h5_peek(w, addr, sizeof start, "object header", start, err));
    unsigned flags = start[5];
    if (start[4] != 2 || (flags & ~KNOWN_FLAGS) != 0)
        return h5_refuse(w, err, "", "object header version %u with flags 0x%02x is not read",
                         (unsigned)start[4], flags);
    size_t width = (size_t)1 << (flags & 3);
    size_t before =
        6 + ((flags & HAS_TIMES) != 0 ? 16u : 0u) + ((flags & HAS_PHASE) != 0 ? 4u : 0u);
    size_t head = before + width;
    IA_TRY(ia_h5_peek(w, addr, head, "object header", prefix, err));
    ia_cursor c = ia_cursor_of(prefix, head);
    ia_seek(&c, before);
    uint64_t size = ia_uint(&c, width);
    if (size > w->eof) /* before anything is added to it */
        return h5_bad(w, err, "damaged: an object header of %llu bytes", (unsigned long long)size);
    size_t whole = head + (size_t)size + 4;
    IA_TRY(ia_h5_header_block(w, h, addr, whole, &block, err));
    IA_TRY(ia_h5_check_sum(w, "object header", addr, block, whole, err));
    IA_TRY(read_messages(w, h, ia_cursor_of(block + head, (size_t)size), flags, err));
    for (size_t i = 0; i < h->count; i++)
        if (h->messages[i].type == H5_MSG_CONTINUATION)
            IA_TRY(read_continuation(w, h, &h->messages[i], flags, err));
    return INARCH_OK;
}
