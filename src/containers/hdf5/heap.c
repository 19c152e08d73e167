/* Global heap collections (GCOL): where variable-length strings lie.
 *
 * Each collection is read once, when a string first needs it, and its objects are listed by index.
 * Reference counts are always 0 in real files and are ignored. */
#include "containers/hdf5/internal.h"

#include <stdlib.h>
#include <string.h>

typedef struct heap_object {
    uint16_t index;
    size_t at, size; /* of its data */
} heap_object;

typedef struct collection {
    uint64_t addr;
    uint8_t *bytes;
    heap_object *objects; /* ascending by index */
    size_t count, cap;
} collection;

/* Open addressing, at most half full. */
struct h5_collections {
    collection *slots; /* bytes == NULL is empty */
    size_t capacity, count;
    size_t last; /* the slot used last: strings of one attribute share a collection */
};

static size_t first_slot(const h5_collections *c, uint64_t addr)
{
    uint64_t x =
        (addr ^ (uintptr_t)c) * 0x9E3779B97F4A7C15u; /* the seed keeps slots unforeseeable */
    return (size_t)(x ^ x >> 29) & (c->capacity - 1);
}

static size_t find_slot(const h5_collections *c, uint64_t addr)
{
    size_t i = first_slot(c, addr);
    while (c->slots[i].bytes != NULL && c->slots[i].addr != addr)
        i = (i + 1) & (c->capacity - 1);
    return i;
}

static inarch_status make_room(h5_collections *c, inarch_error *err)
{
    if (c->count < c->capacity / 2)
        return INARCH_OK;
    h5_collections bigger = *c;
    bigger.capacity = c->capacity == 0 ? 16 : 2 * c->capacity;
    bigger.slots = ia_calloc(bigger.capacity, sizeof *bigger.slots);
    if (bigger.slots == NULL)
        return ia_fail_memory(err, "HDF5 heap collections", bigger.capacity * sizeof *c->slots);
    collection *old = c->slots;
    size_t old_capacity = c->capacity;
    *c = bigger;
    for (size_t i = 0; i < old_capacity; i++)
        if (old[i].bytes != NULL)
            c->slots[find_slot(c, old[i].addr)] = old[i];
    ia_free(old);
    return INARCH_OK;
}

void ia_h5_collections_free(h5_collections *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < c->capacity; i++) {
        ia_free(c->slots[i].bytes);
        ia_free(c->slots[i].objects);
    }
    ia_free(c->slots);
    ia_free(c);
}

static int object_order(const void *a, const void *b)
{
    return (int)((const heap_object *)a)->index - (int)((const heap_object *)b)->index;
}

static inarch_status list_objects(const h5_walk *w, collection *g, size_t size, inarch_error *err)
{
    ia_cursor c = ia_cursor_of(g->bytes, size);
    ia_seek(&c, 16);
    while (ia_left(&c) >= 16) {
        uint16_t index = ia_u16(&c);
        ia_skip(&c, 2 + 4);
        uint64_t n = ia_u64(&c);
        if (index == 0) /* the free rest ends the list */
            break;
        if (n > ia_left(&c))
            return h5_bad(w, err,
                          "damaged: object %u of the heap collection at address %llu ends "
                          "behind it",
                          (unsigned)index, (unsigned long long)g->addr);
        IA_TRY(
            ia_grow(&g->objects, &g->cap, g->count, sizeof *g->objects, "HDF5 heap objects", err));
        g->objects[g->count++] = (heap_object){index, c.pos, (size_t)n};
        size_t padded = ((size_t)n + 7) & ~(size_t)7; /* n fits the file, so this cannot wrap */
        ia_skip(&c, padded < ia_left(&c) ? padded : ia_left(&c));
    }
    if (g->count > 1)
        qsort(g->objects, g->count, sizeof *g->objects, object_order);
    for (size_t i = 1; i < g->count; i++)
        if (g->objects[i - 1].index == g->objects[i].index)
            return h5_bad(w, err,
                          "damaged: object %u is twice in the heap collection at address "
                          "%llu",
                          (unsigned)g->objects[i].index, (unsigned long long)g->addr);
    return INARCH_OK;
}

static inarch_status read_collection(h5_walk *w, uint64_t addr, collection *out, inarch_error *err)
{
    uint8_t head[16];
    IA_TRY(ia_h5_peek(w, addr, sizeof head, "heap collection", head, err));
    ia_cursor c = ia_cursor_of(head, sizeof head);
    if (!ia_match(&c, "GCOL", 4) || ia_u8(&c) != 1)
        return ia_h5_bad_start(w, err, "heap collection", addr, head, 5);
    ia_seek(&c, 8);
    uint64_t size = ia_u64(&c);
    if (size < 4096)
        return h5_bad(w, err, "damaged: a heap collection of %llu bytes at address %llu",
                      (unsigned long long)size, (unsigned long long)addr);
    collection g = {.addr = addr};
    IA_TRY(ia_h5_take_new(w, addr, size, "heap collection", &g.bytes, err));
    inarch_status status = list_objects(w, &g, (size_t)size, err);
    if (status == INARCH_OK) {
        *out = g;
        return INARCH_OK;
    }
    ia_free(g.bytes);
    ia_free(g.objects);
    return status;
}

static inarch_status get_collection(h5_walk *w, uint64_t addr, const collection **out,
                                    inarch_error *err)
{
    if (w->collections == NULL && (w->collections = ia_calloc(1, sizeof *w->collections)) == NULL)
        return ia_fail_memory(err, "HDF5 heap collections", sizeof *w->collections);
    h5_collections *c = w->collections;
    if (c->count == 0 || c->slots[c->last].addr != addr) {
        IA_TRY(make_room(c, err));
        c->last = find_slot(c, addr);
    }
    collection *g = &c->slots[c->last];
    if (g->bytes == NULL) {
        IA_TRY(read_collection(w, addr, g, err));
        c->count++;
    }
    *out = g;
    return INARCH_OK;
}

inarch_status ia_h5_vlen_get(h5_walk *w, const uint8_t *reference, const uint8_t **text, size_t *n,
                             inarch_error *err)
{
    ia_cursor r = ia_cursor_of(reference, 16);
    size_t length = ia_u32(&r);
    uint64_t addr = ia_u64(&r);
    uint32_t index = ia_u32(&r);
    *text = (const uint8_t *)"";
    *n = length;
    if (length == 0)
        return INARCH_OK;
    if (length > H5_MAX_STRING)
        return h5_limit(w, err, "a string of %zu bytes; at most %u are read", length,
                        H5_MAX_STRING);
    const collection *g;
    IA_TRY(get_collection(w, addr, &g, err));
    size_t low = 0, high = g->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (g->objects[middle].index < index)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == g->count || g->objects[low].index != index)
        return h5_bad(w, err, "damaged: the heap collection at address %llu has no object %u",
                      (unsigned long long)addr, (unsigned)index);
    if (length > g->objects[low].size)
        return h5_bad(w, err, "damaged: a string of %zu bytes in a heap object of %zu", length,
                      g->objects[low].size);
    *text = g->bytes + g->objects[low].at;
    return INARCH_OK;
}
