/* The walk's hands: memory that lives with the file, checked reads, the two byte counters.
 *
 * Small structures are read through a few cached pages, so that opening a small model costs a few
 * preads and one with thousands of objects does not cost one each. */
#include "containers/hdf5/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BLOCK ((size_t)16 << 10)

struct h5_block {
    h5_block *next;
    max_align_t data[];
};

static void *arena_take(h5_arena *a, size_t bytes)
{
    size_t padded, total;
    if (!ia_add(bytes, 15, &padded) || !ia_add(padded & ~(size_t)15, sizeof(h5_block), &total))
        return NULL;
    padded &= ~(size_t)15;
    if (padded <= a->left) {
        void *p = a->next;
        a->next += padded;
        a->left -= padded;
        return p;
    }
    bool shared = padded < ARENA_BLOCK / 4;
    h5_block *b = ia_calloc(1, shared ? sizeof(h5_block) + ARENA_BLOCK : total);
    if (b == NULL)
        return NULL;
    b->next = a->blocks;
    a->blocks = b;
    if (shared) {
        a->next = (uint8_t *)b->data + padded;
        a->left = ARENA_BLOCK - padded;
    }
    return b->data;
}

void *ia_h5_keep(ia_h5 *file, size_t count, size_t size, const char *what, inarch_error *err)
{
    size_t bytes;
    void *p = ia_mul(count, size, &bytes) ? arena_take(&file->arena, bytes) : NULL;
    if (p == NULL)
        ia_fail_memory(err, what, bytes);
    return p;
}

const char *ia_h5_keep_text(ia_h5 *file, const void *text, size_t n, inarch_error *err)
{
    char *copy = ia_h5_keep(file, n + 1, 1, "names", err);
    if (copy != NULL) {
        memcpy(copy, text, n);
        copy[n] = '\0';
    }
    return copy;
}

void ia_h5_arena_free(h5_arena *arena)
{
    while (arena->blocks != NULL) {
        h5_block *next = arena->blocks->next;
        ia_free(arena->blocks);
        arena->blocks = next;
    }
}

inarch_status ia_h5_fail(const h5_walk *w, inarch_error *err, inarch_status status,
                         const char *hint, const char *format, ...)
{
    char text[320], path[128];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const char *file = w->file->in.name;
    if (w->where == NULL)
        return ia_fail(err, status, file, hint, "%s", text);
    ia_h5_path(w->where, path, sizeof path);
    if (w->attr == NULL)
        return ia_fail(err, status, file, hint, "'%s': %s", path, text);
    return ia_fail(err, status, file, hint, "'%s': attribute '%.64s': %s", path, w->attr, text);
}

inarch_status ia_h5_bad_start(const h5_walk *w, inarch_error *err, const char *what, uint64_t addr,
                              const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    size_t zeros = 0;
    while (zeros < n && p[zeros] == 0)
        zeros++;
    if (zeros < n)
        return h5_bad(w, err, "damaged: no %s at address %llu, where one is named", what,
                      (unsigned long long)addr);
    return ia_h5_fail(w, err, INARCH_BAD_FILE,
                      "the program that wrote it stopped too early, or it was copied while open; "
                      "save it again",
                      "the file was never finished: only zeros at address %llu instead of a %s",
                      (unsigned long long)addr, what);
}

/* ---- reading ---- */

#define CACHE_PAGES 32u
#define CACHE_BYTES 8192u

struct h5_cache {
    uint64_t number[CACHE_PAGES]; /* page number + 1; 0 is an empty slot */
    uint8_t page[CACHE_PAGES][CACHE_BYTES];
};

/* Every read of the walk: the caller has checked addr and n. */
static inarch_status read_cached(h5_walk *w, uint64_t addr, size_t n, uint8_t *dst,
                                 inarch_error *err)
{
    const ia_input *in = &w->file->in;
    if (in->bytes != NULL || n > CACHE_BYTES)
        return ia_input_read(in, addr, n, dst, err);
    if (w->cache == NULL && (w->cache = ia_calloc(1, sizeof *w->cache)) == NULL)
        return ia_fail_memory(err, "reading HDF5", sizeof *w->cache);
    while (n > 0) {
        uint64_t number = addr / CACHE_BYTES;
        size_t slot = (size_t)(number % CACHE_PAGES), at = (size_t)(addr % CACHE_BYTES);
        uint8_t *page = w->cache->page[slot];
        if (w->cache->number[slot] != number + 1) {
            uint64_t left = in->size - number * CACHE_BYTES;
            w->cache->number[slot] = 0;
            IA_TRY(ia_input_read(in, number * CACHE_BYTES,
                                 left < CACHE_BYTES ? (size_t)left : CACHE_BYTES, page, err));
            w->cache->number[slot] = number + 1;
        }
        size_t part = CACHE_BYTES - at < n ? CACHE_BYTES - at : n;
        memcpy(dst, page + at, part);
        dst += part, addr += part, n -= part;
    }
    return INARCH_OK;
}

static inarch_status check_inside(const h5_walk *w, uint64_t addr, uint64_t n, const char *what,
                                  inarch_error *err)
{
    if (addr == H5_NOWHERE)
        return h5_bad(w, err, "damaged: the %s has no address", what);
    if (addr > w->eof || n > w->eof - addr)
        return h5_bad(w, err,
                      "damaged: the %s of %llu bytes at address %llu ends behind the file's "
                      "%llu bytes",
                      what, (unsigned long long)n, (unsigned long long)addr,
                      (unsigned long long)w->eof);
    return INARCH_OK;
}

static inarch_status note_extent(h5_walk *w, uint64_t addr, uint64_t n, const char *what,
                                 inarch_error *err)
{
    if (n == 0)
        return INARCH_OK;
    IA_TRY(ia_grow(&w->extents, &w->extent_cap, w->extent_count, sizeof *w->extents, "HDF5 extents",
                   err));
    w->extents[w->extent_count++] = (h5_extent){addr, n, what, w->where};
    return INARCH_OK;
}

static inarch_status count_structure(h5_walk *w, uint64_t addr, uint64_t n, const char *what,
                                     inarch_error *err)
{
    IA_TRY(check_inside(w, addr, n, what, err));
    if (n > w->eof - w->structure_bytes)
        return h5_bad(w, err, "damaged: structures are used more than once (%s at address %llu)",
                      what, (unsigned long long)addr);
    w->structure_bytes += n;
    return note_extent(w, addr, n, what, err);
}

inarch_status ia_h5_peek(h5_walk *w, uint64_t addr, size_t n, const char *what, void *dst,
                         inarch_error *err)
{
    IA_TRY(check_inside(w, addr, n, what, err));
    return read_cached(w, addr, n, dst, err);
}

inarch_status ia_h5_take(h5_walk *w, uint64_t addr, size_t n, const char *what, void *dst,
                         inarch_error *err)
{
    IA_TRY(count_structure(w, addr, n, what, err));
    return read_cached(w, addr, n, dst, err);
}

inarch_status ia_h5_take_new(h5_walk *w, uint64_t addr, uint64_t n, const char *what, uint8_t **out,
                             inarch_error *err)
{
    IA_TRY(count_structure(w, addr, n, what, err));
    if (n > SIZE_MAX)
        return ia_fail_memory(err, what, SIZE_MAX);
    uint8_t *bytes = ia_calloc((size_t)n, 1);
    if (bytes == NULL)
        return ia_fail_memory(err, what, (size_t)n);
    inarch_status status = read_cached(w, addr, (size_t)n, bytes, err);
    if (status != INARCH_OK)
        ia_free(bytes);
    else
        *out = bytes;
    return status;
}

inarch_status ia_h5_hand_out(h5_walk *w, uint64_t n, inarch_error *err)
{
    if (n > w->eof - w->value_bytes)
        return h5_bad(w, err,
                      "damaged: names, strings and data add up to more than the file's "
                      "%llu bytes",
                      (unsigned long long)w->eof);
    w->value_bytes += n;
    return INARCH_OK;
}

inarch_status ia_h5_take_data(h5_walk *w, uint64_t addr, uint64_t n, inarch_error *err)
{
    IA_TRY(check_inside(w, addr, n, "data", err));
    IA_TRY(ia_h5_hand_out(w, n, err));
    return note_extent(w, addr, n, "data", err);
}

inarch_status ia_h5_make(h5_walk *w, uint64_t n, inarch_error *err)
{
    uint64_t most = w->eof > (UINT64_MAX - H5_MAX_EXPANSION_FREE) / H5_MAX_EXPANSION
                        ? UINT64_MAX
                        : w->eof * H5_MAX_EXPANSION + H5_MAX_EXPANSION_FREE;
    if (n > most - w->made_bytes)
        return h5_limit(w, err,
                        "fill values and compressed data of a file of %llu bytes become "
                        "more than %llu bytes",
                        (unsigned long long)w->eof, (unsigned long long)most);
    w->made_bytes += n;
    return INARCH_OK;
}

static int extent_order(const void *a, const void *b)
{
    const h5_extent *x = a, *y = b;
    return (x->addr > y->addr) - (x->addr < y->addr);
}

inarch_status ia_h5_check_overlaps(h5_walk *w, inarch_error *err)
{
    if (w->extent_count > 1)
        qsort(w->extents, w->extent_count, sizeof *w->extents, extent_order);
    for (size_t i = 1; i < w->extent_count; i++) {
        const h5_extent *a = &w->extents[i - 1], *b = &w->extents[i];
        if (b->addr - a->addr >= a->len)
            continue;
        char first[96] = "/", second[96] = "/";
        if (a->where != NULL)
            ia_h5_path(a->where, first, sizeof first);
        if (b->where != NULL)
            ia_h5_path(b->where, second, sizeof second);
        w->where = NULL;
        if (a->addr == b->addr && strcmp(a->what, "object header") == 0 &&
            strcmp(b->what, "object header") == 0)
            return h5_refuse(w, err, "save a copy of the data under each name",
                             "'%s' and '%s' are one object with two names, which is not read",
                             first, second);
        return h5_bad(w, err,
                      "damaged: the %s of '%s' and the %s of '%s' share bytes at address "
                      "%llu",
                      a->what, first, b->what, second, (unsigned long long)b->addr);
    }
    return INARCH_OK;
}

void ia_h5_walk_release(h5_walk *w)
{
    ia_free(w->extents);
    ia_free(w->cache);
    ia_h5_collections_free(w->collections);
}
