/* What the files of the HDF5 writer share: the tree in memory and the plan of addresses. */
#ifndef IA_CONTAINERS_HDF5_WRITE_INTERNAL_H
#define IA_CONTAINERS_HDF5_WRITE_INTERNAL_H

#include "base/alloc.h"
#include "base/buf.h"
#include "containers/hdf5/hdf5_write.h"
#include "containers/hdf5/internal.h"

/* Node sizes follow from these, which the superblock repeats. */
#define H5W_LEAF_K 4u
#define H5W_INTERNAL_K 16u
#define H5W_LEAF_ENTRIES (2 * H5W_LEAF_K)
#define H5W_TREE_CHILDREN (2 * H5W_INTERNAL_K)
#define H5W_LEAF_BYTES (8 + H5W_LEAF_ENTRIES * 40)       /* SNOD */
#define H5W_TREE_BYTES (24 + H5W_TREE_CHILDREN * 16 + 8) /* TREE */
#define H5W_HEAP_BYTES 32u
#define H5W_SUPERBLOCK_BYTES 96u
#define H5W_COLLECTION_BYTES ((size_t)4096) /* unless one string needs more */
#define H5W_MAX_LEVELS 6                    /* 8 * 32^6 links */

typedef enum h5w_attr_kind { H5W_NUMBERS, H5W_FIXED_TEXT, H5W_VLEN_TEXT } h5w_attr_kind;

typedef struct h5w_attr {
    char *name;
    h5w_attr_kind kind;
    ia_dtype dtype; /* of numbers */
    ia_shape shape;
    size_t item;   /* bytes of an element in the header */
    uint8_t *data; /* numbers in host order, fixed text null-padded, or the variable-length text */
    size_t bytes;  /* of data */
    /* Planned, for variable-length text: */
    size_t collection;
    uint32_t index;
} h5w_attr;

struct ia_h5w_object {
    ia_h5_kind kind;
    char *name;
    ia_h5w_object *parent;
    h5w_attr *attrs;
    size_t attr_count, attr_cap;
    ia_h5w_object **children; /* ascending by name */
    size_t child_count, child_cap;
    ia_array values; /* a reference */
    /* Planned: */
    uint64_t header, data; /* addresses */
    uint64_t heap, names, tree,
        leaf;      /* a group's: local heap, its data, first tree node, first SNOD */
    uint64_t root; /* the tree's root node */
    size_t header_bytes, names_bytes;
    size_t nodes[H5W_MAX_LEVELS]; /* tree nodes by level */
    int levels;
    uint64_t name_offset; /* in the parent's local heap */
};

/* A global heap collection: strings [first, first + count) of the plan. */
typedef struct h5w_collection {
    uint64_t addr;
    size_t first, count, used, bytes;
} h5w_collection;

struct ia_h5w {
    ia_h5w_object *root;
    /* The plan, made anew by each ia_h5w_write: */
    ia_h5w_object **order; /* every object, parents before children, children by name */
    size_t order_count, order_cap;
    h5w_attr **texts; /* every non-empty variable-length string, in order */
    size_t text_count, text_cap;
    h5w_collection *collections;
    size_t collection_count, collection_cap;
    uint64_t end;
};

static inline size_t ia_h5w_pad8(size_t n)
{
    return (n + 7) & ~(size_t)7;
}

/* write_tree.c */
void ia_h5w_plan_free(ia_h5w *w);

/* write_plan.c: gives every structure its address. */
IA_MUST_CHECK inarch_status ia_h5w_plan(ia_h5w *w, inarch_error *err);

/* write_message.c: object headers. */
size_t ia_h5w_attr_size(const h5w_attr *a); /* of its message body, a multiple of 8 */
size_t ia_h5w_header_size(const ia_h5w_object *o);
IA_MUST_CHECK inarch_status ia_h5w_header(const ia_h5w *w, const ia_h5w_object *o, ia_buf *b,
                                          inarch_error *err);
/* n elements of host order as little-endian bytes. */
IA_MUST_CHECK inarch_status ia_h5w_little(ia_buf *b, ia_dtype dtype, const void *data, size_t n,
                                          inarch_error *err);

#endif
