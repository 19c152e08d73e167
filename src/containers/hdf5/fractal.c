/* Fractal heaps: where a group keeps many links and an object many attributes.
 *
 * A doubling table of direct blocks (FHDB), reached through indirect blocks (FHIB). Only the two
 * sets of parameters that libhdf5 uses are accepted; all blocks are read when the heap is opened,
 * each once. Filtered heaps and tiny objects are refused. */
#include "containers/hdf5/internal.h"

#include <string.h>

#define WIDTH 4u /* blocks in a row of the doubling table */
#define MAX_DIRECT 65536u
#define MAX_MANAGED 4096u

/* Rows 0 and 1 hold blocks of `start` bytes, each further row twice the size of the one before; the
 * direct rows go up to MAX_DIRECT, all rows together cover 2^bits. */
typedef struct heap_table {
    unsigned id_bytes, offset_bytes, bits, start, direct_rows, max_rows;
} heap_table;
static const heap_table heap_tables[] = {
    [H5_HEAP_LINKS] = {.id_bytes = 7,
                       .offset_bytes = 4,
                       .bits = 32,
                       .start = 512,
                       .direct_rows = 9,
                       .max_rows = 22},
    [H5_HEAP_ATTRS] = {.id_bytes = 8,
                       .offset_bytes = 5,
                       .bits = 40,
                       .start = 1024,
                       .direct_rows = 8,
                       .max_rows = 29},
};

typedef struct heap_block {
    uint64_t offset; /* in the heap's address space */
    size_t size;
    uint8_t *bytes;
} heap_block;

typedef struct huge_object {
    uint64_t addr, size, id;
} huge_object;

struct h5_fractal {
    uint64_t addr;
    const heap_table *table;
    heap_block *blocks; /* ascending by offset, as they are found */
    size_t count, cap;
    uint64_t huge_tree;
    bool huge_read;
    huge_object *huge;
    size_t huge_count, huge_cap;
    uint8_t **owned; /* huge objects' bytes */
    size_t owned_count, owned_cap;
};

static size_t row_size(const heap_table *t, unsigned row)
{
    return row == 0 ? t->start : (size_t)t->start << (row - 1);
}

static size_t block_head(const heap_table *t)
{
    return 4 + 1 + 8 + t->offset_bytes; /* and a checksum */
}

/* magic, version 0, the heap's own address, the block's own offset. */
static inarch_status check_block(h5_walk *w, const h5_fractal *f, const char *magic,
                                 const char *what, uint64_t addr, const uint8_t *bytes, size_t size,
                                 uint64_t offset, inarch_error *err)
{
    ia_cursor c = ia_cursor_of(bytes, size);
    if (!ia_match(&c, magic, 4) || ia_u8(&c) != 0)
        return ia_h5_bad_start(w, err, what, addr, bytes, 5);
    uint64_t owner = ia_u64(&c), own = ia_uint(&c, f->table->offset_bytes);
    if (c.bad || owner != f->addr || own != offset)
        return h5_bad(w, err, "damaged: a %s of another heap at address %llu", what,
                      (unsigned long long)addr);
    return INARCH_OK;
}

static inarch_status read_direct(h5_walk *w, h5_fractal *f, uint64_t addr, size_t size,
                                 uint64_t offset, inarch_error *err)
{
    IA_TRY(ia_grow(&f->blocks, &f->cap, f->count, sizeof *f->blocks, "HDF5 heap blocks", err));
    uint8_t *bytes;
    IA_TRY(ia_h5_take_new(w, addr, size, "fractal heap block", &bytes, err));
    f->blocks[f->count++] = (heap_block){offset, size, bytes};
    IA_TRY(check_block(w, f, "FHDB", "fractal heap block", addr, bytes, size, offset, err));
    /* The checksum stands in the block's head and is taken with its own four bytes as zeros. */
    ia_cursor c = ia_cursor_of(bytes + block_head(f->table), 4);
    uint32_t sum = ia_u32(&c);
    memset(bytes + block_head(f->table), 0, 4);
    if (!ia_h5_sums_match(sum, ia_h5_checksum(bytes, size)))
        return h5_bad(w, err,
                      "damaged: the checksum of the fractal heap block at address %llu "
                      "does not match",
                      (unsigned long long)addr);
    return INARCH_OK;
}

/* Recursion is bounded: a child has at least two rows fewer than its parent. */
static inarch_status read_indirect(h5_walk *w, h5_fractal *f, uint64_t addr, unsigned rows,
                                   uint64_t offset, inarch_error *err)
{
    size_t head = block_head(f->table);
    size_t size = head + (size_t)rows * WIDTH * 8 + 4;
    uint8_t *bytes;
    IA_TRY(ia_h5_take_new(w, addr, size, "fractal heap index", &bytes, err));
    inarch_status status;
    IA_TRY_GOTO(check_block(w, f, "FHIB", "fractal heap index", addr, bytes, size, offset, err));
    IA_TRY_GOTO(ia_h5_check_sum(w, "fractal heap index", addr, bytes, size, err));
    ia_cursor c = ia_cursor_of(bytes, size);
    ia_seek(&c, head);
    for (unsigned i = 0; i < rows * WIDTH; i++) {
        unsigned row = i / WIDTH;
        size_t block = row_size(f->table, row);
        uint64_t child = ia_u64(&c);
        if (child != H5_NOWHERE && row < f->table->direct_rows)
            IA_TRY_GOTO(read_direct(w, f, child, block, offset, err));
        else if (child != H5_NOWHERE)
            IA_TRY_GOTO(read_indirect(w, f, child, row - 2, offset, err));
        offset += block;
    }
done:
    ia_free(bytes);
    return status;
}

static inarch_status read_head(h5_walk *w, h5_fractal *f, uint64_t *root, unsigned *rows,
                               inarch_error *err)
{
    uint8_t head[146];
    IA_TRY(ia_h5_take(w, f->addr, sizeof head, "fractal heap", head, err));
    ia_cursor c = ia_cursor_of(head, sizeof head);
    if (!ia_match(&c, "FRHP", 4) || ia_u8(&c) != 0)
        return ia_h5_bad_start(w, err, "fractal heap", f->addr, head, 5);
    IA_TRY(ia_h5_check_sum(w, "fractal heap", f->addr, head, sizeof head, err));
    unsigned id_bytes = ia_u16(&c), filters = ia_u16(&c), flags = ia_u8(&c);
    uint32_t max_managed = ia_u32(&c);
    ia_seek(&c, 22);
    f->huge_tree = ia_u64(&c);
    ia_seek(&c, 110);
    unsigned width = ia_u16(&c);
    uint64_t start = ia_u64(&c), max_direct = ia_u64(&c);
    unsigned bits = ia_u16(&c);
    ia_skip(&c, 2);
    *root = ia_u64(&c);
    *rows = ia_u16(&c);
    const heap_table *t = f->table;
    if (filters != 0)
        return h5_refuse(w, err, "", "a fractal heap with filters is not read");
    if (id_bytes != t->id_bytes || max_managed != MAX_MANAGED || width != WIDTH ||
        start != t->start || max_direct != MAX_DIRECT || bits != t->bits || (flags & 2u) == 0)
        return h5_refuse(w, err, "",
                         "a fractal heap with parameters of its own (id %u, width %u, blocks %llu "
                         "to %llu, %u bits) is not read",
                         id_bytes, width, (unsigned long long)start, (unsigned long long)max_direct,
                         bits);
    if (*rows > t->max_rows)
        return h5_bad(w, err, "damaged: a fractal heap of %u rows; at most %u are possible", *rows,
                      t->max_rows);
    return INARCH_OK;
}

inarch_status ia_h5_fractal_read(h5_walk *w, uint64_t addr, h5_heap_use use, h5_fractal **out,
                                 inarch_error *err)
{
    h5_fractal *f = ia_calloc(1, sizeof *f);
    if (f == NULL)
        return ia_fail_memory(err, "HDF5 heap", sizeof *f);
    f->addr = addr;
    f->table = &heap_tables[use];
    uint64_t root = H5_NOWHERE;
    unsigned rows = 0;
    inarch_status status = read_head(w, f, &root, &rows, err);
    if (status == INARCH_OK && root != H5_NOWHERE)
        status = rows == 0 ? read_direct(w, f, root, f->table->start, 0, err)
                           : read_indirect(w, f, root, rows, 0, err);
    if (status == INARCH_OK)
        *out = f;
    else
        ia_h5_fractal_free(f);
    return status;
}

void ia_h5_fractal_free(h5_fractal *f)
{
    if (f == NULL)
        return;
    for (size_t i = 0; i < f->count; i++)
        ia_free(f->blocks[i].bytes);
    for (size_t i = 0; i < f->owned_count; i++)
        ia_free(f->owned[i]);
    ia_free(f->blocks);
    ia_free(f->owned);
    ia_free(f->huge);
    ia_free(f);
}

/* ---- objects ---- */

static inarch_status get_managed(const h5_walk *w, const h5_fractal *f, uint64_t offset,
                                 size_t size, const uint8_t **object, inarch_error *err)
{
    size_t low = 0, high = f->count; /* the last block that starts at or before offset */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (f->blocks[middle].offset <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    const heap_block *b = low > 0 ? &f->blocks[low - 1] : NULL;
    size_t head = block_head(f->table) + 4;
    if (size == 0 || size > MAX_MANAGED || b == NULL || offset - b->offset < head ||
        offset - b->offset > b->size || size > b->size - (size_t)(offset - b->offset))
        return h5_bad(w, err,
                      "damaged: an object of %zu bytes at %llu of a fractal heap lies in "
                      "no block",
                      size, (unsigned long long)offset);
    *object = b->bytes + (offset - b->offset);
    return INARCH_OK;
}

/* Record of B-tree type 1: address, size, id. */
static inarch_status add_huge(h5_walk *w, void *context, const uint8_t *record, inarch_error *err)
{
    h5_fractal *f = context;
    ia_cursor c = ia_cursor_of(record, 24);
    uint64_t addr = ia_u64(&c), size = ia_u64(&c), id = ia_u64(&c);
    if (f->huge_count >= H5_MAX_ATTRS)
        return h5_limit(w, err, "more than %u large attributes", H5_MAX_ATTRS);
    IA_TRY(
        ia_grow(&f->huge, &f->huge_cap, f->huge_count, sizeof *f->huge, "HDF5 heap objects", err));
    f->huge[f->huge_count++] = (huge_object){addr, size, id};
    return INARCH_OK;
}

static inarch_status get_huge(h5_walk *w, h5_fractal *f, uint64_t id, const uint8_t **object,
                              size_t *size, inarch_error *err)
{
    if (!f->huge_read) {
        f->huge_read = true;
        IA_TRY(ia_h5_btree2_each(w, f->huge_tree, 1, 24, add_huge, f, err));
    }
    size_t i = 0;
    while (i < f->huge_count && f->huge[i].id != id)
        i++;
    if (i == f->huge_count)
        return h5_bad(w, err, "damaged: a fractal heap has no object %llu", (unsigned long long)id);
    if (f->huge[i].size > 2 * H5_MAX_ATTR_BYTES)
        return h5_limit(w, err, "an attribute of %llu bytes; at most %u are read",
                        (unsigned long long)f->huge[i].size, H5_MAX_ATTR_BYTES);
    IA_TRY(ia_grow(&f->owned, &f->owned_cap, f->owned_count, sizeof *f->owned, "HDF5 heap objects",
                   err));
    uint8_t *bytes;
    IA_TRY(ia_h5_take_new(w, f->huge[i].addr, f->huge[i].size, "large attribute", &bytes, err));
    f->owned[f->owned_count++] = bytes;
    *object = bytes;
    *size = (size_t)f->huge[i].size;
    return INARCH_OK;
}

inarch_status ia_h5_fractal_get(h5_walk *w, h5_fractal *f, const uint8_t *id,
                                const uint8_t **object, size_t *size, inarch_error *err)
{
    ia_cursor c = ia_cursor_of(id, f->table->id_bytes);
    unsigned kind = ia_u8(&c);
    if (kind == 0x10) /* huge */
        return get_huge(w, f, ia_uint(&c, f->table->id_bytes - 1), object, size, err);
    if (kind != 0)
        return h5_refuse(w, err, "", "a fractal heap object of kind 0x%02x is not read", kind);
    uint64_t offset = ia_uint(&c, f->table->offset_bytes);
    *size = ia_u16(&c);
    return get_managed(w, f, offset, *size, object, err);
}
