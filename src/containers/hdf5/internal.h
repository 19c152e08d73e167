/* What the files of the HDF5 reader share: the walk over a file, its limits and its checks.
 *
 * Every structure goes through ia_h5_take, which checks that it lies inside the file, counts its
 * bytes and notes its extent; every string and value goes through ia_h5_hand_out. Both counters are
 * bounded by the file's size, which ends loops, aliases and amplification; at the end of the walk
 * no two extents may share a byte. Addresses count from the signature. */
#ifndef IA_CONTAINERS_HDF5_INTERNAL_H
#define IA_CONTAINERS_HDF5_INTERNAL_H

#include "base/alloc.h"
#include "base/cursor.h"
#include "containers/hdf5/hdf5.h"

#define H5_NOWHERE UINT64_MAX /* the undefined address */

/* Each limit is at least ten times the largest value seen in real files. */
#define H5_MAX_DEPTH 64u          /* groups inside groups */
#define H5_MAX_OBJECTS (1u << 20) /* and file bytes / 64 */
#define H5_MAX_LINKS 65536u       /* of one group */
#define H5_MAX_NAME 1024u         /* bytes of a link's or an attribute's name */
#define H5_MAX_MESSAGES 4096u     /* of one object header */
#define H5_MAX_CONTINUATIONS 256u /* of one object header */
#define H5_MAX_ATTRS 1024u        /* of one object */
#define H5_MAX_ATTR_BYTES (1u << 20)
#define H5_MAX_STRING (64u << 20)     /* one variable-length string */
#define H5_MAX_LOCAL_HEAP (16u << 20) /* names of one old group */
#define H5_MAX_LEVEL 8u               /* of any B-tree */
#define H5_MAX_EXPANSION 64u          /* inflated and fill bytes: 64 * file + 64 MiB */
#define H5_MAX_EXPANSION_FREE (64u << 20)

/* Memory that lives as long as the file object; never moved, freed at once. */
typedef struct h5_block h5_block;
typedef struct h5_arena {
    h5_block *blocks;
    uint8_t *next;
    size_t left;
} h5_arena;

struct ia_h5 {
    ia_input in; /* starts at the signature */
    h5_arena arena;
    ia_h5_object *root;
};

/* One structure or one dataset's bytes, for the overlap check. */
typedef struct h5_extent {
    uint64_t addr, len;
    const char *what;
    const ia_h5_object *where;
} h5_extent;

typedef struct h5_cache h5_cache;
typedef struct h5_collections h5_collections;

typedef struct h5_walk {
    ia_h5 *file;
    uint64_t eof;              /* addresses are below this */
    size_t leaf_k, internal_k; /* half the entries of an old group's nodes */
    uint64_t root_header;
    uint64_t structure_bytes, value_bytes, made_bytes;
    size_t objects, max_objects;
    h5_extent *extents;
    size_t extent_count, extent_cap;
    h5_cache *cache;
    h5_collections *collections;
    const ia_h5_object *where; /* being read, for messages */
    const char *attr;          /* the attribute being read, or NULL */
} h5_walk;

/* An object on its way through the walk. */
typedef struct h5_node {
    ia_h5_object object; /* first: an object of the walk is a node */
    uint64_t header;
    unsigned depth;
} h5_node;

/* bytes.c */
void *ia_h5_keep(ia_h5 *file, size_t count, size_t size, const char *what, inarch_error *err);
const char *ia_h5_keep_text(ia_h5 *file, const void *text, size_t n, inarch_error *err);
void ia_h5_arena_free(h5_arena *arena);
void ia_h5_walk_release(h5_walk *w);
/* Fails with the place in the tree in front of the message. */
IA_PRINTF(5, 6)
inarch_status ia_h5_fail(const h5_walk *w, inarch_error *err, inarch_status status,
                         const char *hint, const char *format, ...);
#define h5_bad(w, err, ...) ia_h5_fail(w, err, INARCH_BAD_FILE, "", __VA_ARGS__)
#define h5_limit(w, err, ...) ia_h5_fail(w, err, INARCH_LIMIT, "", __VA_ARGS__)
#define h5_refuse(w, err, hint, ...) ia_h5_fail(w, err, INARCH_UNSUPPORTED, hint, __VA_ARGS__)
/* The structure `what` does not start with its signature or version: zeros say "never finished". */
inarch_status ia_h5_bad_start(const h5_walk *w, inarch_error *err, const char *what, uint64_t addr,
                              const void *bytes, size_t n);
/* Reads without counting, to learn a structure's size; the same bytes are taken afterwards. */
IA_MUST_CHECK inarch_status ia_h5_peek(h5_walk *w, uint64_t addr, size_t n, const char *what,
                                       void *dst, inarch_error *err);
/* Counts, notes and reads a structure. */
IA_MUST_CHECK inarch_status ia_h5_take(h5_walk *w, uint64_t addr, size_t n, const char *what,
                                       void *dst, inarch_error *err);
/* The same into new memory (ia_free). */
IA_MUST_CHECK inarch_status ia_h5_take_new(h5_walk *w, uint64_t addr, uint64_t n, const char *what,
                                           uint8_t **out, inarch_error *err);
/* Counts and notes a dataset's bytes without reading them. */
IA_MUST_CHECK inarch_status ia_h5_take_data(h5_walk *w, uint64_t addr, uint64_t n,
                                            inarch_error *err);
/* Counts n bytes of names, strings or values. */
IA_MUST_CHECK inarch_status ia_h5_hand_out(h5_walk *w, uint64_t n, inarch_error *err);
/* Counts n bytes that are not in the file: fill values, inflated chunks. */
IA_MUST_CHECK inarch_status ia_h5_make(h5_walk *w, uint64_t n, inarch_error *err);
IA_MUST_CHECK inarch_status ia_h5_check_overlaps(h5_walk *w, inarch_error *err);

/* checksum.c: Jenkins' lookup3, which HDF5 stores behind its newer structures. */
uint32_t ia_h5_checksum(const void *data, size_t n);
bool ia_h5_sums_match(uint32_t stored, uint32_t computed);
/* The last 4 of the n bytes are the checksum of those before. */
IA_MUST_CHECK inarch_status ia_h5_check_sum(const h5_walk *w, const char *what, uint64_t addr,
                                            const uint8_t *bytes, size_t n, inarch_error *err);

/* find.c: strcmp of `name` with the n bytes of `wanted`. */
int ia_h5_compare_name(const char *name, const char *wanted, size_t n);

/* superblock.c */
IA_MUST_CHECK inarch_status ia_h5_superblock(h5_walk *w, const ia_input *in, inarch_error *err);

/* header.c: the messages of an object, whatever version its header has. */
enum {
    H5_MSG_SPACE = 0x01,
    H5_MSG_LINK_INFO = 0x02,
    H5_MSG_TYPE = 0x03,
    H5_MSG_FILL = 0x05,
    H5_MSG_LINK = 0x06,
    H5_MSG_LAYOUT = 0x08,
    H5_MSG_FILTERS = 0x0B,
    H5_MSG_ATTR = 0x0C,
    H5_MSG_CONTINUATION = 0x10,
    H5_MSG_SYMBOL_TABLE = 0x11,
    H5_MSG_ATTR_INFO = 0x15,
    H5_MSG_FILE_SPACE = 0x17
};
typedef struct h5_message {
    uint16_t type;
    const uint8_t *body; /* in one of the header's blocks */
    size_t size;
} h5_message;
typedef struct h5_header {
    h5_message *messages; /* without those that are skipped */
    size_t count, cap, seen;
    uint8_t **blocks;
    size_t block_count, block_cap;
} h5_header;
IA_MUST_CHECK inarch_status ia_h5_header_read(h5_walk *w, uint64_t addr, h5_header *h,
                                              inarch_error *err);
void ia_h5_header_free(h5_header *h);
/* The one message of that type; NULL when there is none; more than one is an error. */
IA_MUST_CHECK inarch_status ia_h5_header_one(const h5_walk *w, const h5_header *h, uint16_t type,
                                             const h5_message **out, inarch_error *err);
/* For header.c and header2.c. */
IA_MUST_CHECK inarch_status ia_h5_header_add(h5_walk *w, h5_header *h, unsigned type,
                                             unsigned flags, const uint8_t *body, size_t size,
                                             bool *continued, inarch_error *err);
IA_MUST_CHECK inarch_status ia_h5_header_block(h5_walk *w, h5_header *h, uint64_t addr,
                                               uint64_t size, uint8_t **out, inarch_error *err);
IA_MUST_CHECK inarch_status ia_h5_header2_read(h5_walk *w, uint64_t addr, h5_header *h,
                                               inarch_error *err);

/* group.c, link.c: the links of a group, ascending by name. */
typedef struct h5_link {
    const char *name;
    uint64_t header;
} h5_link;
typedef struct h5_links {
    h5_link *items;
    size_t count, cap;
} h5_links;
IA_MUST_CHECK inarch_status ia_h5_group_links(h5_walk *w, const h5_header *h, h5_links *links,
                                              inarch_error *err);
IA_MUST_CHECK inarch_status ia_h5_links_add(h5_walk *w, h5_links *links, const uint8_t *name,
                                            size_t n, uint64_t header, inarch_error *err);
IA_MUST_CHECK inarch_status ia_h5_new_group_links(h5_walk *w, const h5_header *h,
                                                  const h5_message *info, h5_links *links,
                                                  inarch_error *err);

/* fractal.c: a heap of small objects, all its blocks read at once. */
typedef struct h5_fractal h5_fractal;
typedef enum h5_heap_use { H5_HEAP_LINKS, H5_HEAP_ATTRS } h5_heap_use;
IA_MUST_CHECK inarch_status ia_h5_fractal_read(h5_walk *w, uint64_t addr, h5_heap_use use,
                                               h5_fractal **out, inarch_error *err);
void ia_h5_fractal_free(h5_fractal *heap);
/* The object of an id as it stands in a B-tree record; lent. */
IA_MUST_CHECK inarch_status ia_h5_fractal_get(h5_walk *w, h5_fractal *heap, const uint8_t *id,
                                              const uint8_t **object, size_t *size,
                                              inarch_error *err);

/* btree2.c */
typedef inarch_status h5_record_fn(h5_walk *w, void *context, const uint8_t *record,
                                   inarch_error *err);
/* Calls back for every record of the tree, in its order. */
IA_MUST_CHECK inarch_status ia_h5_btree2_each(h5_walk *w, uint64_t addr, unsigned type,
                                              size_t record_size, h5_record_fn *fn, void *context,
                                              inarch_error *err);

/* types.c */
typedef enum h5_class { H5_NUMBERS, H5_FIXED_TEXT, H5_VLEN_TEXT } h5_class;
typedef struct h5_type {
    h5_class class_;
    ia_dtype dtype;  /* of numbers */
    bool swap;       /* numbers are stored in the other byte order */
    size_t size;     /* bytes of an element in the file */
    bool terminated; /* fixed text ends at its first zero, not before its last zeros */
} h5_type;
IA_MUST_CHECK inarch_status ia_h5_type_read(const h5_walk *w, const uint8_t *bytes, size_t n,
                                            h5_type *out, inarch_error *err);
typedef struct h5_space {
    bool null;
    ia_shape shape;
    size_t count;
} h5_space;
IA_MUST_CHECK inarch_status ia_h5_space_read(const h5_walk *w, const uint8_t *bytes, size_t n,
                                             h5_space *out, inarch_error *err);
/* The layout that h5py gives this dtype; lent. */
void ia_h5_type_layout(ia_dtype dtype, const uint8_t **layout, size_t *n);
/* Stored elements to host order, in place; bool becomes 0 or 1. */
void ia_h5_to_host(const h5_type *type, void *data, size_t count);

/* attr.c, heap.c */
IA_MUST_CHECK inarch_status ia_h5_attrs(h5_walk *w, const h5_header *h, ia_h5_object *object,
                                        inarch_error *err);
/* The 16-byte reference to a variable-length string: its bytes, lent until the walk ends. */
IA_MUST_CHECK inarch_status ia_h5_vlen_get(h5_walk *w, const uint8_t *reference,
                                           const uint8_t **text, size_t *n, inarch_error *err);
void ia_h5_collections_free(h5_collections *c);

/* dataset.c, chunk.c, filter.c */
#define H5_MAX_FILTERS 3u
typedef enum h5_layout { H5_FILLED, H5_CONTIGUOUS, H5_COMPACT, H5_CHUNKED } h5_layout;
typedef struct h5_filter {
    uint16_t id;
    uint32_t parameter; /* shuffle: bytes of an element */
} h5_filter;
typedef struct h5_chunk {
    uint64_t addr, index;  /* index: row-major number of the chunk in the grid */
    uint32_t stored, skip; /* bytes in the file; bit i = filter i was not applied */
} h5_chunk;
struct ia_h5_storage {
    h5_layout layout;
    h5_type type;
    bool has_fill;
    uint8_t fill[8];       /* as stored */
    uint64_t addr;         /* contiguous */
    const uint8_t *inside; /* compact: the values */
    /* chunked: */
    uint64_t chunk_dim[IA_MAX_RANK], grid[IA_MAX_RANK]; /* grid: chunks along each dimension */
    size_t chunk_bytes;                                 /* whole, also at the edges */
    const h5_chunk *chunks; /* ascending by index; absent ones hold the fill value */
    size_t chunk_count;
    h5_filter filters[H5_MAX_FILTERS];
    size_t filter_count;
};
IA_MUST_CHECK inarch_status ia_h5_dataset(h5_walk *w, const h5_header *h, ia_h5_object *object,
                                          inarch_error *err);
/* The rest of a chunked layout message behind version and class. */
IA_MUST_CHECK inarch_status ia_h5_chunked(h5_walk *w, ia_cursor *c, unsigned version,
                                          const h5_message *filters, const ia_h5_object *o,
                                          ia_h5_storage *s, inarch_error *err);
/* Adds a chunk of the grid; the addresses of absent ones are H5_NOWHERE. */
typedef struct h5_chunks {
    h5_chunk *items;
    size_t count, cap;
} h5_chunks;
IA_MUST_CHECK inarch_status ia_h5_chunk_add(h5_walk *w, const ia_h5_storage *s, h5_chunks *list,
                                            h5_chunk chunk, inarch_error *err);
/* chunk_index.c: the chunks of layout versions 4 and 5. `total` chunks make up the grid. */
IA_MUST_CHECK inarch_status ia_h5_chunk_index(h5_walk *w, ia_cursor *c, unsigned flags,
                                              const ia_h5_storage *s, uint64_t total,
                                              h5_chunks *list, inarch_error *err);
/* chunk_read.c: all chunks into dst, which holds the fill value where chunks are absent. */
IA_MUST_CHECK inarch_status ia_h5_chunks_read(const ia_h5 *file, const ia_h5_object *o,
                                              uint8_t *dst, inarch_error *err);
IA_MUST_CHECK inarch_status ia_h5_filters(const h5_walk *w, const h5_message *m, ia_h5_storage *s,
                                          inarch_error *err);
/* Undoes the filters on `stored` bytes at *data; *data and *spare are buffers of chunk_bytes +
 * H5_FILTER_ROOM, or as large as `stored`, and may change places. */
#define H5_FILTER_ROOM (4u * H5_MAX_FILTERS)
IA_MUST_CHECK inarch_status ia_h5_unfilter(const ia_h5 *file, const ia_h5_object *o,
                                           const h5_chunk *chunk, uint8_t **data, uint8_t **spare,
                                           inarch_error *err);

#endif
