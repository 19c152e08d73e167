/* Object headers: the list of messages that describes a group or a dataset. Version 1 is read here,
 * version 2 in header2.c; one table says what becomes of each kind of message. */
#include "containers/hdf5/internal.h"

#include <string.h>

typedef enum { REFUSE, KEEP, SKIP, CONTINUE } treatment;

static const struct {
    const char *name;
    treatment treatment;
} message_kinds[] = {
    [0x00] = {"nil", SKIP},
    [H5_MSG_SPACE] = {"dataspace", KEEP},
    [H5_MSG_LINK_INFO] = {"link info", KEEP},
    [H5_MSG_TYPE] = {"datatype", KEEP},
    [0x04] = {"old fill value", SKIP}, /* comes beside 0x05 */
    [H5_MSG_FILL] = {"fill value", KEEP},
    [H5_MSG_LINK] = {"link", KEEP},
    [0x07] = {"data in other files", REFUSE},
    [H5_MSG_LAYOUT] = {"layout", KEEP},
    [0x09] = {NULL, REFUSE},
    [0x0A] = {"group info", SKIP}, /* hints for writers */
    [H5_MSG_FILTERS] = {"filters", KEEP},
    [H5_MSG_ATTR] = {"attribute", KEEP},
    [0x0D] = {"comment", SKIP},
    [0x0E] = {"old modification time", SKIP},
    [0x0F] = {"shared message table", REFUSE},
    [H5_MSG_CONTINUATION] = {"continuation", CONTINUE},
    [H5_MSG_SYMBOL_TABLE] = {"symbol table", KEEP},
    [0x12] = {"modification time", SKIP},
    [0x13] = {"B-tree K values", REFUSE},
    [0x14] = {"driver information", REFUSE},
    [H5_MSG_ATTR_INFO] = {"attribute info", KEEP},
    [0x16] = {"an object with several names", REFUSE}, /* a count of hard links above 1 */
    [H5_MSG_FILE_SPACE] = {"file space info", KEEP},
};

#define FLAG_SHARED 2u

inarch_status ia_h5_header_add(h5_walk *w, h5_header *h, unsigned type, unsigned flags,
                               const uint8_t *body, size_t size, bool *continued, inarch_error *err)
{
    *continued = false;
    if (++h->seen > H5_MAX_MESSAGES)
        return h5_limit(w, err, "more than %u messages in one object header", H5_MAX_MESSAGES);
    const char *name = type < IA_COUNT(message_kinds) ? message_kinds[type].name : NULL;
    if (name == NULL)
        return h5_refuse(w, err, "", "HDF5 message type 0x%02x is unknown", type);
    treatment t = message_kinds[type].treatment;
    if (t == SKIP)
        return INARCH_OK;
    if (t == REFUSE)
        return h5_refuse(w, err, "", "HDF5 message 0x%02x (%s) is not read", type, name);
    if ((flags & FLAG_SHARED) != 0)
        return h5_refuse(w, err, "", "a shared or committed %s is not read", name);
    *continued = t == CONTINUE;
    IA_TRY(ia_grow(&h->messages, &h->cap, h->count, sizeof *h->messages, "HDF5 messages", err));
    h->messages[h->count++] = (h5_message){(uint16_t)type, body, size};
    return INARCH_OK;
}

inarch_status ia_h5_header_block(h5_walk *w, h5_header *h, uint64_t addr, uint64_t size,
                                 uint8_t **out, inarch_error *err)
{
    if (h->block_count > H5_MAX_CONTINUATIONS)
        return h5_limit(w, err, "more than %u continuations of one object header",
                        H5_MAX_CONTINUATIONS);
    IA_TRY(ia_grow(&h->blocks, &h->block_cap, h->block_count, sizeof *h->blocks,
                   "HDF5 header blocks", err));
    IA_TRY(ia_h5_take_new(w, addr, size, "object header block", out, err));
    h->blocks[h->block_count++] = *out;
    return INARCH_OK;
}

void ia_h5_header_free(h5_header *h)
{
    for (size_t i = 0; i < h->block_count; i++)
        ia_free(h->blocks[i]);
    ia_free(h->blocks);
    ia_free(h->messages);
    *h = (h5_header){0};
}

inarch_status ia_h5_header_one(const h5_walk *w, const h5_header *h, uint16_t type,
                               const h5_message **out, inarch_error *err)
{
    *out = NULL;
    for (size_t i = 0; i < h->count; i++) {
        if (h->messages[i].type != type)
            continue;
        if (*out != NULL)
            return h5_bad(w, err, "damaged: two %s messages", message_kinds[type].name);
        *out = &h->messages[i];
    }
    return INARCH_OK;
}

/* ---- version 1 ---- */

/* The messages of one block, which they fill exactly. */
static inarch_status read_block_1(h5_walk *w, h5_header *h, const uint8_t *block, size_t size,
                                  size_t declared, inarch_error *err)
{
    ia_cursor c = ia_cursor_of(block, size);
    while (ia_left(&c) > 0) {
        if (h->seen == declared)
            return h5_bad(w, err, "damaged: an object header holds more than its %zu messages",
                          declared);
        unsigned type = ia_u16(&c);
        size_t body_size = ia_u16(&c);
        unsigned flags = ia_u8(&c);
        ia_skip(&c, 3);
        const uint8_t *body = ia_bytes(&c, body_size);
        if (c.bad || body_size % 8 != 0)
            return h5_bad(w, err, "damaged: a message of %zu bytes does not fit its object header",
                          body_size);
        bool continued;
        IA_TRY(ia_h5_header_add(w, h, type, flags, body, body_size, &continued, err));
    }
    return INARCH_OK;
}

static inarch_status read_version_1(h5_walk *w, uint64_t addr, h5_header *h, inarch_error *err)
{
    uint8_t prefix[16], *block;
    IA_TRY(ia_h5_take(w, addr, sizeof prefix, "object header", prefix, err));
    ia_cursor c = ia_cursor_of(prefix, sizeof prefix);
    ia_skip(&c, 2);
    size_t declared = ia_u16(&c);
    ia_skip(&c, 4);
    size_t size = ia_u32(&c);
    if (declared > H5_MAX_MESSAGES)
        return h5_limit(w, err, "an object header of %zu messages; at most %u are read", declared,
                        H5_MAX_MESSAGES);
    IA_TRY(ia_h5_header_block(w, h, addr + sizeof prefix, size, &block, err));
    IA_TRY(read_block_1(w, h, block, size, declared, err));
    for (size_t i = 0; i < h->count; i++) { /* a continuation may hold further ones */
        if (h->messages[i].type != H5_MSG_CONTINUATION)
            continue;
        ia_cursor m = ia_cursor_of(h->messages[i].body, h->messages[i].size);
        uint64_t at = ia_u64(&m), bytes = ia_u64(&m);
        if (m.bad || bytes == 0)
            return h5_bad(w, err, "damaged: an object header continues in nothing");
        IA_TRY(ia_h5_header_block(w, h, at, bytes, &block, err));
        IA_TRY(read_block_1(w, h, block, (size_t)bytes, declared, err));
    }
    if (h->seen != declared)
        return h5_bad(w, err, "damaged: an object header of %zu messages holds only %zu", declared,
                      h->seen);
    return INARCH_OK;
}

inarch_status ia_h5_header_read(h5_walk *w, uint64_t addr, h5_header *h, inarch_error *err)
{
    uint8_t start[8];
    IA_TRY(ia_h5_peek(w, addr, sizeof start, "object header", start, err));
    if (memcmp(start, "OHDR", 4) == 0)
        return ia_h5_header2_read(w, addr, h, err);
    if (start[0] != 1)
        return ia_h5_bad_start(w, err, "object header", addr, start, sizeof start);
    return read_version_1(w, addr, h, err);
}
