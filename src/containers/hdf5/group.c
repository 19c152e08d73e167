/* Old groups: a B-tree (TREE) of symbol nodes (SNOD) whose names lie in a local heap (HEAP).
 *
 * Names must ascend over the whole tree, as every writer keeps them, so doubles need no table. The
 * scratch pads of entries repeat what the object says itself and are ignored. */
#include "containers/hdf5/internal.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    const uint8_t *names;
    size_t names_size;
    h5_links *links;
} group_heap;

inarch_status ia_h5_links_add(h5_walk *w, h5_links *links, const uint8_t *name, size_t n,
                              uint64_t header, inarch_error *err)
{
    if (n == 0 || n > H5_MAX_NAME)
        return h5_bad(w, err, "damaged: a name of %zu bytes; 1 to %u are possible", n, H5_MAX_NAME);
    if (!ia_utf8_valid(name, n))
        return h5_bad(w, err, "damaged: a name in the group is not UTF-8");
    if (memchr(name, '/', n) != NULL || (n == 1 && name[0] == '.') ||
        (n == 2 && memcmp(name, "..", 2) == 0))
        return h5_bad(w, err, "damaged: '%.*s' cannot be a name in a group", (int)n, name);
    if (links->count >= H5_MAX_LINKS)
        return h5_limit(w, err, "more than %u names in one group", H5_MAX_LINKS);
    IA_TRY(ia_h5_hand_out(w, n + 1, err));
    IA_TRY(
        ia_grow(&links->items, &links->cap, links->count, sizeof *links->items, "HDF5 links", err));
    const char *kept = ia_h5_keep_text(w->file, name, n, err);
    if (kept == NULL)
        return INARCH_NO_MEMORY;
    links->items[links->count++] = (h5_link){kept, header};
    return INARCH_OK;
}

static inarch_status read_entry(h5_walk *w, const group_heap *g, ia_cursor *c, inarch_error *err)
{
    uint64_t offset = ia_u64(c), header = ia_u64(c);
    uint32_t cache_type = ia_u32(c);
    ia_skip(c, 4 + 16);
    if (offset >= g->names_size)
        return h5_bad(w, err, "damaged: a name lies outside the group's heap");
    const uint8_t *name = g->names + offset;
    const uint8_t *end = memchr(name, 0, g->names_size - (size_t)offset);
    if (end == NULL)
        return h5_bad(w, err, "damaged: a name in the group's heap has no end");
    size_t n = (size_t)(end - name);
    if (cache_type == 2)
        return h5_refuse(w, err, "", "'%.*s' is a soft link, which is not followed",
                         (int)(n < 200 ? n : 200), name);
    if (cache_type > 2)
        return h5_bad(w, err, "damaged: a group entry of type %u", (unsigned)cache_type);
    IA_TRY(ia_h5_links_add(w, g->links, name, n, header, err));
    if (g->links->count >= 2) {
        const char *a = g->links->items[g->links->count - 2].name;
        const char *b = g->links->items[g->links->count - 1].name;
        if (strcmp(a, b) >= 0)
            return h5_bad(w, err, "damaged: the names '%s' and '%s' of a group are not in order", a,
                          b);
    }
    return INARCH_OK;
}

static inarch_status read_leaf(h5_walk *w, const group_heap *g, uint64_t addr, inarch_error *err)
{
    size_t size = 8 + 2 * w->leaf_k * 40;
    uint8_t *bytes;
    IA_TRY(ia_h5_take_new(w, addr, size, "symbol node", &bytes, err));
    inarch_status status = INARCH_OK;
    ia_cursor c = ia_cursor_of(bytes, size);
    bool good = ia_match(&c, "SNOD", 4) && ia_u8(&c) == 1;
    ia_seek(&c, 6);
    size_t count = ia_u16(&c);
    if (!good)
        status = ia_h5_bad_start(w, err, "symbol node", addr, bytes, 8);
    else if (count > 2 * w->leaf_k)
        status = h5_bad(w, err, "damaged: a symbol node of %zu entries; at most %zu fit", count,
                        2 * w->leaf_k);
    for (size_t i = 0; i < count && status == INARCH_OK; i++)
        status = read_entry(w, g, &c, err);
    ia_free(bytes);
    return status;
}

/* Recursion is bounded: `level` is at most H5_MAX_LEVEL at the root and falls by one each time. */
static inarch_status read_tree(h5_walk *w, const group_heap *g, uint64_t addr, int level,
                               inarch_error *err)
{
    size_t size = 24 + 2 * w->internal_k * 16 + 8;
    uint8_t *bytes;
    IA_TRY(ia_h5_take_new(w, addr, size, "group B-tree node", &bytes, err));
    inarch_status status = INARCH_OK;
    ia_cursor c = ia_cursor_of(bytes, size);
    bool good = ia_match(&c, "TREE", 4) && ia_u8(&c) == 0;
    unsigned own = ia_u8(&c);
    size_t used = ia_u16(&c);
    if (!good)
        status = ia_h5_bad_start(w, err, "group B-tree node", addr, bytes, 8);
    else if (level < 0 ? own > H5_MAX_LEVEL : own != (unsigned)level)
        status = h5_bad(w, err, "damaged: a group B-tree node of level %u where %s is due", own,
                        level < 0 ? "at most 8" : "one less than its parent's");
    else if (used > 2 * w->internal_k)
        status = h5_bad(w, err, "damaged: a group B-tree node of %zu children; at most %zu fit",
                        used, 2 * w->internal_k);
    for (size_t i = 0; i < used && status == INARCH_OK; i++) {
        ia_seek(&c, 32 + 16 * i);
        uint64_t child = ia_u64(&c);
        status = own == 0 ? read_leaf(w, g, child, err) : read_tree(w, g, child, (int)own - 1, err);
    }
    ia_free(bytes);
    return status;
}

static inarch_status read_old_group(h5_walk *w, const h5_message *m, h5_links *links,
                                    inarch_error *err)
{
    ia_cursor c = ia_cursor_of(m->body, m->size);
    uint64_t tree = ia_u64(&c), heap = ia_u64(&c);
    if (c.bad)
        return h5_bad(w, err, "damaged: a symbol table message of %zu bytes", m->size);
    uint8_t head[32], *names = NULL;
    IA_TRY(ia_h5_take(w, heap, sizeof head, "local heap", head, err));
    c = ia_cursor_of(head, sizeof head);
    if (!ia_match(&c, "HEAP", 4) || ia_u8(&c) != 0)
        return ia_h5_bad_start(w, err, "local heap", heap, head, 8);
    ia_seek(&c, 8);
    uint64_t size = ia_u64(&c);
    ia_skip(&c, 8); /* the free list is not followed */
    uint64_t data = ia_u64(&c);
    if (size > H5_MAX_LOCAL_HEAP)
        return h5_limit(w, err, "the names of one group take %llu bytes; at most %u are read",
                        (unsigned long long)size, H5_MAX_LOCAL_HEAP);
    IA_TRY(ia_h5_take_new(w, data, size, "local heap data", &names, err));
    group_heap g = {names, (size_t)size, links};
    inarch_status status = read_tree(w, &g, tree, -1, err);
    ia_free(names);
    return status;
}

inarch_status ia_h5_group_links(h5_walk *w, const h5_header *h, h5_links *links, inarch_error *err)
{
    const h5_message *old, *info;
    IA_TRY(ia_h5_header_one(w, h, H5_MSG_SYMBOL_TABLE, &old, err));
    IA_TRY(ia_h5_header_one(w, h, H5_MSG_LINK_INFO, &info, err));
    if (old != NULL && info != NULL)
        return h5_bad(w, err, "damaged: a group that is both of the old and the new kind");
    return old != NULL ? read_old_group(w, old, links, err)
                       : ia_h5_new_group_links(w, h, info, links, err);
}
