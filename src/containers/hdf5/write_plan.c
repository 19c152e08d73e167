/* Gives every structure of the file its address.
 *
 * Order in the file: superblock; each object's header with its group's heap, B-tree and symbol
 * nodes; heap collections; data. Metadata stand together, so that a reader finds them in a few
 * reads. The plan depends on names and sizes only, so equal trees give equal bytes. */
#include "containers/hdf5/write_internal.h"

#include <string.h>

static inarch_status list_objects(ia_h5w *w, inarch_error *err)
{
    IA_TRY(ia_grow(&w->order, &w->order_cap, 0, sizeof *w->order, "HDF5 objects", err));
    w->order[w->order_count++] = w->root;
    for (size_t i = 0; i < w->order_count; i++) {
        ia_h5w_object *o = w->order[i];
        for (size_t j = 0; j < o->child_count; j++) {
            IA_TRY(ia_grow(&w->order, &w->order_cap, w->order_count, sizeof *w->order,
                           "HDF5 objects", err));
            w->order[w->order_count++] = o->children[j];
        }
    }
    return INARCH_OK;
}

static uint64_t take(ia_h5w *w, size_t bytes)
{
    uint64_t at = w->end;
    w->end += ia_h5w_pad8(bytes);
    return at;
}

/* The levels of a B-tree over the symbol nodes; an empty group has one node without children. */
static void plan_tree(ia_h5w_object *o)
{
    size_t below = (o->child_count + H5W_LEAF_ENTRIES - 1) / H5W_LEAF_ENTRIES;
    o->levels = 0;
    do {
        below = below == 0 ? 1 : (below + H5W_TREE_CHILDREN - 1) / H5W_TREE_CHILDREN;
        o->nodes[o->levels++] = below;
    } while (below > 1);
}

static inarch_status plan_group(ia_h5w *w, ia_h5w_object *o, inarch_error *err)
{
    size_t leaves = (o->child_count + H5W_LEAF_ENTRIES - 1) / H5W_LEAF_ENTRIES, nodes = 0;
    o->names_bytes = 8; /* offset 0 is the empty name, the lowest key */
    for (size_t i = 0; i < o->child_count; i++) {
        o->children[i]->name_offset = o->names_bytes;
        o->names_bytes += ia_h5w_pad8(strlen(o->children[i]->name) + 1);
    }
    if (o->names_bytes > H5_MAX_LOCAL_HEAP)
        return ia_fail(err, INARCH_LIMIT, o->name, "",
                       "the names of one group take %zu bytes; at most %u are written",
                       o->names_bytes, H5_MAX_LOCAL_HEAP);
    plan_tree(o);
    for (int level = 0; level < o->levels; level++)
        nodes += o->nodes[level];
    o->heap = take(w, H5W_HEAP_BYTES);
    o->names = take(w, o->names_bytes);
    o->tree = take(w, nodes * H5W_TREE_BYTES);
    o->root = o->tree + (nodes - 1) * H5W_TREE_BYTES; /* level by level, the root last */
    o->leaf = take(w, leaves * H5W_LEAF_BYTES);
    return INARCH_OK;
}

/* ---- heap collections ---- */

/* The collection that takes a string of n bytes: the last one, or a new one. */
static inarch_status pick_collection(ia_h5w *w, size_t n, h5w_collection **out, inarch_error *err)
{
    size_t needs = 16 + ia_h5w_pad8(n);
    if (w->collection_count > 0) {
        h5w_collection *last = &w->collections[w->collection_count - 1];
        if (needs <= last->bytes - last->used) {
            *out = last;
            return INARCH_OK;
        }
    }
    IA_TRY(ia_grow(&w->collections, &w->collection_cap, w->collection_count, sizeof *w->collections,
                   "HDF5 heap", err));
    size_t bytes = 16 + needs > H5W_COLLECTION_BYTES ? 16 + needs : H5W_COLLECTION_BYTES;
    *out = &w->collections[w->collection_count++];
    **out = (h5w_collection){.first = w->text_count, .used = 16, .bytes = bytes};
    return INARCH_OK;
}

static inarch_status plan_texts(ia_h5w *w, ia_h5w_object *o, inarch_error *err)
{
    for (size_t i = 0; i < o->attr_count; i++) {
        h5w_attr *a = &o->attrs[i];
        if (a->kind != H5W_VLEN_TEXT || a->bytes == 0)
            continue;
        h5w_collection *c;
        IA_TRY(
            ia_grow(&w->texts, &w->text_cap, w->text_count, sizeof *w->texts, "HDF5 strings", err));
        IA_TRY(pick_collection(w, a->bytes, &c, err));
        c->used += 16 + ia_h5w_pad8(a->bytes);
        a->collection = (size_t)(c - w->collections);
        a->index = (uint32_t)++c->count;
        w->texts[w->text_count++] = a;
    }
    return INARCH_OK;
}

inarch_status ia_h5w_plan(ia_h5w *w, inarch_error *err)
{
    ia_h5w_plan_free(w);
    IA_TRY(list_objects(w, err));
    w->end = H5W_SUPERBLOCK_BYTES;
    for (size_t i = 0; i < w->order_count; i++) {
        ia_h5w_object *o = w->order[i];
        o->header_bytes = ia_h5w_header_size(o);
        o->header = take(w, o->header_bytes);
        if (o->kind == IA_H5_GROUP)
            IA_TRY(plan_group(w, o, err));
        IA_TRY(plan_texts(w, o, err));
    }
    for (size_t i = 0; i < w->collection_count; i++)
        w->collections[i].addr = take(w, w->collections[i].bytes);
    for (size_t i = 0; i < w->order_count; i++) {
        ia_h5w_object *o = w->order[i];
        if (o->kind == IA_H5_DATASET)
            o->data = take(w, ia_array_count(&o->values) * ia_dtype_size(o->values.dtype));
    }
    return INARCH_OK;
}
