/* Chunked datasets: the layout message and the B-tree (TREE type 1) of version 3.
 *
 * All chunks are found at open; chunk_read.c reads them. The newer indexes are chunk_index.c's. */
#include "containers/hdf5/internal.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_MAX (UINT32_MAX - H5_FILTER_ROOM) /* bytes; zlib counts in 32 bits */
#define TREE_CHILDREN 64u /* 2 K with the K of 32 that superblocks 0, 2 and 3 imply */

inarch_status ia_h5_chunk_add(h5_walk *w, const ia_h5_storage *s, h5_chunks *list, h5_chunk chunk,
                              inarch_error *err)
{
    if (chunk.addr == H5_NOWHERE)
        return INARCH_OK;
    if (chunk.skip >> s->filter_count != 0)
        return h5_bad(w, err, "damaged: a chunk skips filter mask 0x%x of %zu filters",
                      (unsigned)chunk.skip, s->filter_count);
    bool plain = chunk.skip == (1u << s->filter_count) - 1u;
    if (chunk.stored == 0 || (plain && chunk.stored != s->chunk_bytes))
        return h5_bad(w, err, "damaged: a chunk of %zu bytes stored in %u", s->chunk_bytes,
                      (unsigned)chunk.stored);
    IA_TRY(ia_h5_take_data(w, chunk.addr, chunk.stored, err));
    if (!plain)
        IA_TRY(ia_h5_make(w, s->chunk_bytes, err));
    IA_TRY(ia_grow(&list->items, &list->cap, list->count, sizeof *list->items, "HDF5 chunks", err));
    list->items[list->count++] = chunk;
    return INARCH_OK;
}

/* ---- the B-tree ---- */

typedef struct chunk_tree {
    const ia_h5_object *object;
    const ia_h5_storage *storage;
    h5_chunks *list;
} chunk_tree;

static size_t key_size(const chunk_tree *t)
{
    return 8 + 8 * ((size_t)t->object->shape.rank + 1);
}

/* The chunk's row-major number in the grid; its origin must be on it. */
static inarch_status read_origin(const h5_walk *w, const chunk_tree *t, ia_cursor *c,
                                 uint64_t *index, inarch_error *err)
{
    const ia_h5_storage *s = t->storage;
    *index = 0;
    for (int i = 0; i < t->object->shape.rank; i++) {
        uint64_t at = ia_u64(c);
        if (at % s->chunk_dim[i] != 0 || at >= (uint64_t)t->object->shape.dim[i])
            return h5_bad(w, err, "damaged: a chunk starts at %llu of dimension %d",
                          (unsigned long long)at, i);
        *index = *index * s->grid[i] + at / s->chunk_dim[i];
    }
    return ia_u64(c) == 0 ? INARCH_OK : h5_bad(w, err, "damaged: a chunk starts inside an element");
}

static inarch_status read_entry(h5_walk *w, const chunk_tree *t, ia_cursor *c, inarch_error *err)
{
    h5_chunk chunk = {0};
    chunk.stored = ia_u32(c);
    chunk.skip = ia_u32(c);
    IA_TRY(read_origin(w, t, c, &chunk.index, err));
    chunk.addr = ia_u64(c);
    if (chunk.addr == H5_NOWHERE)
        return h5_bad(w, err, "damaged: a chunk has no address");
    return ia_h5_chunk_add(w, t->storage, t->list, chunk, err);
}

/* Recursion is bounded: `level` is at most H5_MAX_LEVEL at the root and falls by one each time. */
static inarch_status read_node(h5_walk *w, const chunk_tree *t, uint64_t addr, int level,
                               inarch_error *err)
{
    size_t step = key_size(t) + 8, size = 24 + TREE_CHILDREN * step + key_size(t);
    uint8_t *bytes;
    IA_TRY(ia_h5_take_new(w, addr, size, "chunk B-tree node", &bytes, err));
    inarch_status status = INARCH_OK;
    ia_cursor c = ia_cursor_of(bytes, size);
    bool good = ia_match(&c, "TREE", 4) && ia_u8(&c) == 1;
    unsigned own = ia_u8(&c);
    size_t used = ia_u16(&c);
    if (!good)
        status = ia_h5_bad_start(w, err, "chunk B-tree node", addr, bytes, 8);
    else if (level < 0 ? own > H5_MAX_LEVEL : own != (unsigned)level)
        status = h5_bad(w, err, "damaged: a chunk B-tree node of level %u where %s is due", own,
                        level < 0 ? "at most 8" : "one less than its parent's");
    else if (used > TREE_CHILDREN)
        status = h5_bad(w, err, "damaged: a chunk B-tree node of %zu children; at most %u fit",
                        used, TREE_CHILDREN);
    for (size_t i = 0; i < used && status == INARCH_OK; i++) {
        ia_seek(&c, 24 + i * step);
        if (own == 0) {
            status = read_entry(w, t, &c, err);
            continue;
        }
        ia_skip(&c, key_size(t));
        status = read_node(w, t, ia_u64(&c), (int)own - 1, err);
    }
    ia_free(bytes);
    return status;
}

/* ---- the layout message ---- */

static inarch_status plan_grid(const h5_walk *w, const ia_h5_object *o, const uint64_t *dims,
                               ia_h5_storage *s, uint64_t *total, inarch_error *err)
{
    size_t bytes = s->type.size;
    *total = 1;
    for (int i = 0; i < o->shape.rank; i++) {
        uint64_t dim = (uint64_t)o->shape.dim[i];
        if (dims[i] == 0 || dims[i] > CHUNK_MAX || !ia_mul(bytes, (size_t)dims[i], &bytes) ||
            bytes > CHUNK_MAX)
            return h5_bad(w, err, "damaged: chunks of 0 or of 4 GiB or more bytes");
        s->chunk_dim[i] = dims[i];
        s->grid[i] = dim / dims[i] + (dim % dims[i] != 0);
        *total *= s->grid[i]; /* not above the number of elements, which fits */
    }
    s->chunk_bytes = bytes;
    return INARCH_OK;
}

static int chunk_order(const void *a, const void *b)
{
    uint64_t x = ((const h5_chunk *)a)->index, y = ((const h5_chunk *)b)->index;
    return (x > y) - (x < y);
}

static inarch_status keep_chunks(h5_walk *w, h5_chunks *list, ia_h5_storage *s, inarch_error *err)
{
    if (list->count == 0)
        return INARCH_OK;
    qsort(list->items, list->count, sizeof *list->items, chunk_order);
    for (size_t i = 1; i < list->count; i++)
        if (list->items[i - 1].index == list->items[i].index)
            return h5_bad(w, err, "damaged: a chunk is there twice");
    h5_chunk *kept = ia_h5_keep(w->file, list->count, sizeof *kept, "HDF5 chunks", err);
    if (kept == NULL)
        return INARCH_NO_MEMORY;
    memcpy(kept, list->items, list->count * sizeof *kept);
    s->chunks = kept;
    s->chunk_count = list->count;
    return INARCH_OK;
}

/* Dimensions of a chunk and the size of an element, each of `width` bytes. */
static inarch_status read_dims(const h5_walk *w, ia_cursor *c, size_t rank, size_t width,
                               const ia_h5_object *o, size_t element, uint64_t *dims,
                               inarch_error *err)
{
    if (c->bad || width == 0 || width > 8 || rank != (size_t)o->shape.rank + 1 || rank < 2)
        return h5_bad(w, err, "damaged: chunks of %zu dimensions for data of %d",
                      rank > 0 ? rank - 1 : 0, o->shape.rank);
    for (size_t i = 0; i + 1 < rank; i++)
        dims[i] = ia_uint(c, width);
    uint64_t size = ia_uint(c, width);
    if (c->bad || size != element)
        return h5_bad(w, err, "damaged: chunks with elements of %llu bytes for data of %zu",
                      (unsigned long long)size, element);
    return INARCH_OK;
}

inarch_status ia_h5_chunked(h5_walk *w, ia_cursor *c, unsigned version, const h5_message *filters,
                            const ia_h5_object *o, ia_h5_storage *s, inarch_error *err)
{
    uint64_t dims[IA_MAX_RANK] = {0}, total, tree = H5_NOWHERE;
    h5_chunks list = {0};
    if (filters != NULL)
        IA_TRY(ia_h5_filters(w, filters, s, err));
    unsigned flags = version > 3 ? ia_u8(c) : 0;
    size_t rank = ia_u8(c), width = version > 3 ? ia_u8(c) : 4;
    if (version == 3)
        tree = ia_u64(c);
    IA_TRY(read_dims(w, c, rank, width, o, s->type.size, dims, err));
    IA_TRY(plan_grid(w, o, dims, s, &total, err));
    s->layout = H5_CHUNKED;
    IA_TRY(ia_h5_make(w, o->bytes, err));
    inarch_status status = INARCH_OK;
    chunk_tree t = {o, s, &list};
    if (version > 3)
        status = ia_h5_chunk_index(w, c, flags, s, total, &list, err);
    else if (tree != H5_NOWHERE)
        status = read_node(w, &t, tree, -1, err);
    if (status == INARCH_OK)
        status = keep_chunks(w, &list, s, err);
    ia_free(list.items);
    return status;
}
