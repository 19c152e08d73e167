/* The chunk indexes of layout versions 4 and 5 that have a fixed number of chunks: one chunk,
 * chunks in a row, a fixed array. Those for growing datasets are refused. */
#include "containers/hdf5/internal.h"

#include <string.h>

#define EDGES_UNFILTERED 1u /* layout flag: chunks at the edges are stored without filters */
#define SINGLE_FILTERED 2u

static inarch_status read_single(h5_walk *w, ia_cursor *c, unsigned flags, const ia_h5_storage *s,
                                 uint64_t total, h5_chunks *list, inarch_error *err)
{
    h5_chunk chunk = {.stored = (uint32_t)s->chunk_bytes};
    if (total > 1)
        return h5_bad(w, err, "damaged: one chunk where %llu are due", (unsigned long long)total);
    if ((flags & SINGLE_FILTERED) != 0) {
        uint64_t stored = ia_u64(c);
        chunk.stored = stored <= UINT32_MAX ? (uint32_t)stored : 0; /* 0 is refused */
        chunk.skip = ia_u32(c);
    }
    chunk.addr = ia_u64(c);
    if (c->bad || ((flags & SINGLE_FILTERED) != 0) != (s->filter_count > 0))
        return h5_bad(w, err, "damaged: a chunk without its size or its address");
    return ia_h5_chunk_add(w, s, list, chunk, err);
}

static inarch_status read_implicit(h5_walk *w, ia_cursor *c, const ia_h5_storage *s, uint64_t total,
                                   h5_chunks *list, inarch_error *err)
{
    uint64_t addr = ia_u64(c);
    if (c->bad || s->filter_count > 0)
        return h5_bad(w, err, "damaged: chunks in a row without an address, or with filters");
    if (addr == H5_NOWHERE)
        return INARCH_OK;
    if (total > w->eof / s->chunk_bytes || addr > w->eof - total * s->chunk_bytes)
        return h5_bad(w, err,
                      "damaged: %llu chunks of %zu bytes at address %llu end behind the "
                      "file's %llu bytes",
                      (unsigned long long)total, s->chunk_bytes, (unsigned long long)addr,
                      (unsigned long long)w->eof);
    for (uint64_t i = 0; i < total; i++) {
        h5_chunk chunk = {
            .addr = addr + i * s->chunk_bytes, .index = i, .stored = (uint32_t)s->chunk_bytes};
        IA_TRY(ia_h5_chunk_add(w, s, list, chunk, err));
    }
    return INARCH_OK;
}

/* ---- fixed array: FAHD names one block FADB of entries, in pages when there are many ---- */

typedef struct fixed_array {
    uint64_t addr, block, entries;
    unsigned filtered, entry_size, page_bits;
} fixed_array;

static inarch_status read_array_head(h5_walk *w, fixed_array *f, const ia_h5_storage *s,
                                     uint64_t total, inarch_error *err)
{
    uint8_t head[28];
    IA_TRY(ia_h5_take(w, f->addr, sizeof head, "chunk array", head, err));
    ia_cursor c = ia_cursor_of(head, sizeof head);
    if (!ia_match(&c, "FAHD", 4) || ia_u8(&c) != 0)
        return ia_h5_bad_start(w, err, "chunk array", f->addr, head, 5);
    IA_TRY(ia_h5_check_sum(w, "chunk array", f->addr, head, sizeof head, err));
    f->filtered = ia_u8(&c);
    f->entry_size = ia_u8(&c);
    f->page_bits = ia_u8(&c);
    f->entries = ia_u64(&c);
    f->block = ia_u64(&c);
    bool sized = f->filtered == 0 ? f->entry_size == 8 : f->entry_size >= 13 && f->entry_size <= 20;
    if (f->filtered != (s->filter_count > 0) || !sized || f->entries != total ||
        f->page_bits == 0 || f->page_bits > 20)
        return h5_bad(w, err,
                      "damaged: an array of %llu chunks with entries of %u bytes for %llu "
                      "chunks",
                      (unsigned long long)f->entries, f->entry_size, (unsigned long long)total);
    return INARCH_OK;
}

/* Entries [first, first + n). */
static inarch_status read_entries(h5_walk *w, const fixed_array *f, const ia_h5_storage *s,
                                  ia_cursor c, uint64_t first, uint64_t n, h5_chunks *list,
                                  inarch_error *err)
{
    for (uint64_t i = first; i < first + n; i++) {
        h5_chunk chunk = {.addr = ia_u64(&c), .index = i, .stored = (uint32_t)s->chunk_bytes};
        if (f->filtered) {
            uint64_t stored = ia_uint(&c, f->entry_size - 12u);
            chunk.stored = stored <= UINT32_MAX ? (uint32_t)stored : 0; /* 0 is refused */
            chunk.skip = ia_u32(&c);
        }
        IA_TRY(ia_h5_chunk_add(w, s, list, chunk, err));
    }
    return INARCH_OK;
}

/* Each page has a checksum of its own; a bit says whether it was ever written. */
static inarch_status read_pages(h5_walk *w, const fixed_array *f, const ia_h5_storage *s,
                                uint64_t addr, const uint8_t *written, h5_chunks *list,
                                inarch_error *err)
{
    uint64_t page = (uint64_t)1 << f->page_bits;
    for (uint64_t first = 0, i = 0; first < f->entries; first += page, i++) {
        uint64_t n = f->entries - first < page ? f->entries - first : page;
        size_t size = (size_t)n * f->entry_size + 4;
        if ((written[i / 8] >> (7 - i % 8) & 1) != 0) {
            uint8_t *bytes;
            IA_TRY(ia_h5_take_new(w, addr, size, "chunk array page", &bytes, err));
            inarch_status status = ia_h5_check_sum(w, "chunk array page", addr, bytes, size, err);
            if (status == INARCH_OK)
                status = read_entries(w, f, s, ia_cursor_of(bytes, size - 4), first, n, list, err);
            ia_free(bytes);
            IA_TRY(status);
        }
        addr += size;
    }
    return INARCH_OK;
}

static inarch_status read_array_block(h5_walk *w, const fixed_array *f, const ia_h5_storage *s,
                                      h5_chunks *list, inarch_error *err)
{
    const size_t head = 4 + 1 + 1 + 8;
    uint64_t page = (uint64_t)1 << f->page_bits, pages = 0;
    if (f->entries > w->eof / f->entry_size)
        return h5_bad(w, err, "damaged: an array of %llu chunks in a file of %llu bytes",
                      (unsigned long long)f->entries, (unsigned long long)w->eof);
    if (f->entries > page)
        pages = (f->entries + page - 1) / page;
    size_t body = pages > 0 ? (size_t)(pages + 7) / 8 : (size_t)f->entries * f->entry_size;
    uint8_t *bytes;
    IA_TRY(ia_h5_take_new(w, f->block, head + body + 4, "chunk array block", &bytes, err));
    inarch_status status;
    ia_cursor c = ia_cursor_of(bytes, head + body);
    if (!ia_match(&c, "FADB", 4) || ia_u8(&c) != 0)
        IA_TRY_GOTO(ia_h5_bad_start(w, err, "chunk array block", f->block, bytes, 5));
    IA_TRY_GOTO(ia_h5_check_sum(w, "chunk array block", f->block, bytes, head + body + 4, err));
    if (ia_u8(&c) != f->filtered || ia_u64(&c) != f->addr)
        IA_TRY_GOTO(h5_bad(w, err, "damaged: a chunk array block of another array"));
    status = pages > 0 ? read_pages(w, f, s, f->block + head + body + 4, bytes + head, list, err)
                       : read_entries(w, f, s, c, 0, f->entries, list, err);
done:
    ia_free(bytes);
    return status;
}

static inarch_status read_fixed_array(h5_walk *w, ia_cursor *c, const ia_h5_storage *s,
                                      uint64_t total, h5_chunks *list, inarch_error *err)
{
    fixed_array f = {0};
    ia_skip(c, 1); /* page bits, repeated in the array's head */
    f.addr = ia_u64(c);
    if (c->bad)
        return h5_bad(w, err, "damaged: a chunk array without an address");
    if (f.addr == H5_NOWHERE)
        return INARCH_OK;
    IA_TRY(read_array_head(w, &f, s, total, err));
    return f.block == H5_NOWHERE ? INARCH_OK : read_array_block(w, &f, s, list, err);
}

inarch_status ia_h5_chunk_index(h5_walk *w, ia_cursor *c, unsigned flags, const ia_h5_storage *s,
                                uint64_t total, h5_chunks *list, inarch_error *err)
{
    static const char *const growing[] = {"an extensible array", "a B-tree of version 2"};
    unsigned type = ia_u8(c);
    if ((flags & EDGES_UNFILTERED) != 0)
        return h5_refuse(w, err, "", "chunks whose edges are stored without filters are not read");
    if (c->bad || (flags & ~SINGLE_FILTERED) != 0)
        return h5_bad(w, err, "damaged: a chunked layout with flags 0x%02x", flags);
    switch (type) {
    case 1:
        return read_single(w, c, flags, s, total, list, err);
    case 2:
        return read_implicit(w, c, s, total, list, err);
    case 3:
        return read_fixed_array(w, c, s, total, list, err);
    case 4:
    case 5:
        return h5_refuse(w, err, "save it with a fixed maximal shape, or without libver='latest'",
                         "a chunk index that can grow (%s) is not read", growing[type - 4]);
    default:
        return h5_bad(w, err, "damaged: a chunk index of type %u", type);
    }
}
