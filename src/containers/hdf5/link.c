/* New groups: link messages in the object header, or in a fractal heap when there are many.
 *
 * They come in order of creation or of hashes, so they are sorted by name here. */
#include "containers/hdf5/internal.h"

#include <stdlib.h>
#include <string.h>

#define LINK_HARD 0u
#define LINK_SOFT 1u
#define LINK_EXTERNAL 64u

static inarch_status refuse_kind(const h5_walk *w, unsigned kind, const uint8_t *name, size_t n,
                                 inarch_error *err)
{
    return h5_refuse(w, err, "", "'%.*s' is %s link, which is not followed",
                     (int)(n < 200 ? n : 200), name,
                     kind == LINK_SOFT       ? "a soft"
                     : kind == LINK_EXTERNAL ? "an external"
                                             : "a user-defined");
}

static inarch_status read_link(h5_walk *w, const uint8_t *body, size_t size, h5_links *links,
                               inarch_error *err)
{
    ia_cursor c = ia_cursor_of(body, size);
    unsigned version = ia_u8(&c), flags = ia_u8(&c);
    unsigned kind = (flags & 0x08u) != 0 ? ia_u8(&c) : LINK_HARD;
    if (!c.bad && (version != 1 || (flags & ~0x1Fu) != 0))
        return h5_refuse(w, err, "", "link message version %u with flags 0x%02x is not read",
                         version, flags);
    if ((flags & 0x04u) != 0)
        ia_skip(&c, 8); /* creation order */
    if ((flags & 0x10u) != 0)
        ia_skip(&c, 1); /* charset: names are checked to be UTF-8 anyway */
    uint64_t n = ia_uint(&c, (size_t)1 << (flags & 3u));
    if (c.bad || n > ia_left(&c))
        return h5_bad(w, err, "damaged: a link message of %zu bytes does not hold its name", size);
    const uint8_t *name = ia_bytes(&c, (size_t)n);
    if (kind != LINK_HARD)
        return refuse_kind(w, kind, name, (size_t)n, err);
    uint64_t header = ia_u64(&c);
    if (c.bad)
        return h5_bad(w, err, "damaged: a link message of %zu bytes has no address", size);
    return ia_h5_links_add(w, links, name, (size_t)n, header, err);
}

typedef struct {
    h5_fractal *heap;
    h5_links *links;
} dense_links;

/* Record of B-tree type 5: hash u32, heap id of 7 bytes. */
static inarch_status read_dense_link(h5_walk *w, void *context, const uint8_t *record,
                                     inarch_error *err)
{
    dense_links *d = context;
    const uint8_t *body;
    size_t size;
    IA_TRY(ia_h5_fractal_get(w, d->heap, record + 4, &body, &size, err));
    return read_link(w, body, size, d->links, err);
}

static int link_order(const void *a, const void *b)
{
    return strcmp(((const h5_link *)a)->name, ((const h5_link *)b)->name);
}

static inarch_status sort_links(const h5_walk *w, h5_links *links, inarch_error *err)
{
    if (links->count > 1)
        qsort(links->items, links->count, sizeof *links->items, link_order);
    for (size_t i = 1; i < links->count; i++)
        if (strcmp(links->items[i - 1].name, links->items[i].name) == 0)
            return h5_bad(w, err, "damaged: the name '%s' is twice in a group",
                          links->items[i].name);
    return INARCH_OK;
}

inarch_status ia_h5_new_group_links(h5_walk *w, const h5_header *h, const h5_message *info,
                                    h5_links *links, inarch_error *err)
{
    ia_cursor c = ia_cursor_of(info->body, info->size);
    unsigned version = ia_u8(&c), flags = ia_u8(&c);
    if ((flags & 1u) != 0)
        ia_skip(&c, 8); /* largest creation order */
    uint64_t heap = ia_u64(&c), tree = ia_u64(&c);
    if (c.bad || version != 0)
        return h5_bad(w, err, "damaged: a link info message of version %u and %zu bytes", version,
                      info->size);
    for (size_t i = 0; i < h->count; i++)
        if (h->messages[i].type == H5_MSG_LINK)
            IA_TRY(read_link(w, h->messages[i].body, h->messages[i].size, links, err));
    if (heap != H5_NOWHERE) {
        dense_links d = {NULL, links};
        IA_TRY(ia_h5_fractal_read(w, heap, H5_HEAP_LINKS, &d.heap, err));
        inarch_status status = ia_h5_btree2_each(w, tree, 5, 11, read_dense_link, &d, err);
        ia_h5_fractal_free(d.heap);
        IA_TRY(status);
    }
    return sort_links(w, links, err);
}
