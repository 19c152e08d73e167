/* Streams the planned file: each structure is made in a small buffer, data go out as they lie. */
#include "containers/hdf5/write_internal.h"

#include <assert.h>
#include <string.h>

#define PIECE_BYTES ((size_t)64 << 10)
#define CACHED_GROUP 1u /* the entry's scratch pad repeats where the group's tree and heap are */
#define HEAP_NO_FREE 1u /* free list of a full local heap */

static uint64_t scratch_kind(const ia_h5w_object *o)
{
    return o->kind == IA_H5_GROUP ? CACHED_GROUP : 0;
}

/* A symbol table entry: name, header, kind, scratch pad. */
static inarch_status put_entry(ia_buf *b, const ia_h5w_object *o, uint64_t name, inarch_error *err)
{
    bool group = o->kind == IA_H5_GROUP;
    IA_TRY(ia_buf_u64(b, name, err));
    IA_TRY(ia_buf_u64(b, o->header, err));
    IA_TRY(ia_buf_u64(b, scratch_kind(o), err)); /* u32 and reserved */
    IA_TRY(ia_buf_u64(b, group ? o->root : 0, err));
    return ia_buf_u64(b, group ? o->heap : 0, err);
}

static inarch_status put_superblock(const ia_h5w *w, ia_buf *b, inarch_error *err)
{
    static const uint8_t head[16] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n',
                                     0,    0,   0,   0,   0,    8,    8,    0};
    IA_TRY(ia_buf_append(b, head, sizeof head, err));
    IA_TRY(ia_buf_u16(b, H5W_LEAF_K, err));
    IA_TRY(ia_buf_u16(b, H5W_INTERNAL_K, err));
    IA_TRY(ia_buf_u32(b, 0, err));          /* flags */
    IA_TRY(ia_buf_u64(b, 0, err));          /* base */
    IA_TRY(ia_buf_u64(b, H5_NOWHERE, err)); /* free space */
    IA_TRY(ia_buf_u64(b, w->end, err));
    IA_TRY(ia_buf_u64(b, H5_NOWHERE, err)); /* driver */
    return put_entry(b, w->root, 0, err);
}

/* ---- groups ---- */

static inarch_status put_heap(const ia_h5w_object *o, ia_buf *b, inarch_error *err)
{
    IA_TRY(ia_buf_append(b, "HEAP\0\0\0", 8, err));
    IA_TRY(ia_buf_u64(b, o->names_bytes, err));
    IA_TRY(ia_buf_u64(b, HEAP_NO_FREE, err));
    IA_TRY(ia_buf_u64(b, o->names, err));
    IA_TRY(ia_buf_zeros(b, 8, err));
    for (size_t i = 0; i < o->child_count; i++) {
        size_t n = strlen(o->children[i]->name);
        IA_TRY(ia_buf_append(b, o->children[i]->name, n, err));
        IA_TRY(ia_buf_zeros(b, 8 - n % 8, err));
    }
    return INARCH_OK;
}

/* The key left of symbol node `leaf`: the last name before it, or the empty one. */
static uint64_t key_before(const ia_h5w_object *o, size_t leaf)
{
    size_t children = leaf * H5W_LEAF_ENTRIES;
    if (children > o->child_count)
        children = o->child_count;
    return children == 0 ? 0 : o->children[children - 1]->name_offset;
}

/* Node i of a level whose first node is at `first`; its children are `below` nodes of `size` bytes
 * at `child`, each with `span` symbol nodes under it. */
typedef struct tree_level {
    int level;
    size_t nodes, below, size, span;
    uint64_t first, child;
} tree_level;

static inarch_status put_node(const ia_h5w_object *o, const tree_level *t, size_t i, ia_buf *b,
                              inarch_error *err)
{
    size_t from = i * H5W_TREE_CHILDREN, start = b->len;
    size_t used = t->below - from < H5W_TREE_CHILDREN ? t->below - from : H5W_TREE_CHILDREN;
    const uint8_t head[8] = {'T', 'R', 'E', 'E', 0, (uint8_t)t->level, (uint8_t)used};
    IA_TRY(ia_buf_append(b, head, sizeof head, err));
    IA_TRY(ia_buf_u64(b, i > 0 ? t->first + (i - 1) * H5W_TREE_BYTES : H5_NOWHERE, err));
    IA_TRY(ia_buf_u64(b, i + 1 < t->nodes ? t->first + (i + 1) * H5W_TREE_BYTES : H5_NOWHERE, err));
    IA_TRY(ia_buf_u64(b, key_before(o, from * t->span), err));
    for (size_t j = from; j < from + used; j++) {
        IA_TRY(ia_buf_u64(b, t->child + j * t->size, err));
        IA_TRY(ia_buf_u64(b, key_before(o, (j + 1) * t->span), err));
    }
    return ia_buf_zeros(b, H5W_TREE_BYTES - (b->len - start), err);
}

static inarch_status put_tree(const ia_h5w_object *o, ia_buf *b, inarch_error *err)
{
    tree_level t = {.below = (o->child_count + H5W_LEAF_ENTRIES - 1) / H5W_LEAF_ENTRIES,
                    .size = H5W_LEAF_BYTES,
                    .span = 1,
                    .first = o->tree,
                    .child = o->leaf};
    for (; t.level < o->levels; t.level++) {
        t.nodes = o->nodes[t.level];
        for (size_t i = 0; i < t.nodes; i++)
            IA_TRY(put_node(o, &t, i, b, err));
        t.below = t.nodes;
        t.size = H5W_TREE_BYTES;
        t.span *= H5W_TREE_CHILDREN;
        t.child = t.first;
        t.first += t.nodes * H5W_TREE_BYTES;
    }
    return INARCH_OK;
}

static inarch_status put_leaves(const ia_h5w_object *o, ia_buf *b, inarch_error *err)
{
    for (size_t at = 0; at < o->child_count; at += H5W_LEAF_ENTRIES) {
        size_t left = o->child_count - at, start = b->len;
        size_t n = left < H5W_LEAF_ENTRIES ? left : H5W_LEAF_ENTRIES;
        const uint8_t head[8] = {'S', 'N', 'O', 'D', 1, 0, (uint8_t)n};
        IA_TRY(ia_buf_append(b, head, sizeof head, err));
        for (size_t i = at; i < at + n; i++)
            IA_TRY(put_entry(b, o->children[i], o->children[i]->name_offset, err));
        IA_TRY(ia_buf_zeros(b, H5W_LEAF_BYTES - (b->len - start), err));
    }
    return INARCH_OK;
}

static inarch_status put_object(const ia_h5w *w, const ia_h5w_object *o, ia_buf *b,
                                inarch_error *err)
{
    IA_TRY(ia_h5w_header(w, o, b, err));
    if (o->kind != IA_H5_GROUP)
        return INARCH_OK;
    IA_TRY(put_heap(o, b, err));
    IA_TRY(put_tree(o, b, err));
    return put_leaves(o, b, err);
}

/* ---- streaming ---- */

static inarch_status flush(ia_output *o, ia_buf *b, inarch_error *err)
{
    inarch_status status = ia_output_write(o, b->data, b->len, err);
    b->len = 0;
    return status;
}

static inarch_status write_padding(ia_output *o, size_t n, inarch_error *err)
{
    static const uint8_t zeros[8];
    return ia_output_write(o, zeros, (8 - n % 8) % 8, err);
}

static inarch_status write_collection(const ia_h5w *w, const h5w_collection *c, ia_output *o,
                                      ia_buf *b, inarch_error *err)
{
    assert(ia_output_size(o) == c->addr);
    IA_TRY(ia_buf_append(b, "GCOL\1\0\0", 8, err));
    IA_TRY(ia_buf_u64(b, c->bytes, err));
    for (size_t i = 0; i < c->count; i++) {
        const h5w_attr *a = w->texts[c->first + i];
        IA_TRY(ia_buf_u64(b, a->index, err)); /* u16, no references, reserved */
        IA_TRY(ia_buf_u64(b, a->bytes, err));
        IA_TRY(flush(o, b, err));
        IA_TRY(ia_output_write(o, a->data, a->bytes, err));
        IA_TRY(write_padding(o, a->bytes, err));
    }
    size_t rest = c->bytes - c->used;
    if (rest >= 16) { /* the free rest is object 0 */
        IA_TRY(ia_buf_u64(b, 0, err));
        IA_TRY(ia_buf_u64(b, rest, err));
        rest -= 16;
    }
    IA_TRY(ia_buf_zeros(b, rest, err));
    return flush(o, b, err);
}

static inarch_status write_values(const ia_array *values, ia_output *o, ia_buf *b,
                                  inarch_error *err)
{
    size_t size = ia_dtype_size(values->dtype), left = ia_array_count(values);
    size_t bytes = left * size;
    if (values->buffer == NULL) { /* an array without a buffer is all zero */
        for (size_t n; left > 0; left -= n) {
            n = left < PIECE_BYTES / size ? left : PIECE_BYTES / size;
            IA_TRY(ia_buf_zeros(b, n * size, err));
            IA_TRY(flush(o, b, err));
        }
        return write_padding(o, bytes, err);
    }
    const uint8_t *from = ia_array_data(values);
    for (size_t n; left > 0; left -= n, from += n * size) {
        n = left < PIECE_BYTES / size ? left : PIECE_BYTES / size;
        IA_TRY(ia_h5w_little(b, values->dtype, from, n, err));
        IA_TRY(flush(o, b, err));
    }
    return write_padding(o, bytes, err);
}

static inarch_status write_planned(const ia_h5w *w, ia_output *o, ia_buf *b, inarch_error *err)
{
    IA_TRY(put_superblock(w, b, err));
    for (size_t i = 0; i < w->order_count; i++) {
        assert(ia_output_size(o) + b->len == w->order[i]->header);
        IA_TRY(put_object(w, w->order[i], b, err));
        if (b->len >= PIECE_BYTES)
            IA_TRY(flush(o, b, err));
    }
    IA_TRY(flush(o, b, err));
    for (size_t i = 0; i < w->collection_count; i++)
        IA_TRY(write_collection(w, &w->collections[i], o, b, err));
    for (size_t i = 0; i < w->order_count; i++)
        if (w->order[i]->kind == IA_H5_DATASET)
            IA_TRY(write_values(&w->order[i]->values, o, b, err));
    assert(ia_output_size(o) == w->end);
    return INARCH_OK;
}

inarch_status ia_h5w_write(ia_h5w *w, ia_output *o, inarch_error *err)
{
    ia_buf b = IA_BUF(SIZE_MAX);
    assert(ia_output_size(o) == 0);
    inarch_status status = ia_h5w_plan(w, err);
    if (status == INARCH_OK)
        status = write_planned(w, o, &b, err);
    ia_buf_free(&b);
    return status;
}
