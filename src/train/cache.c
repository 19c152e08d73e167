/* The frontier cache: one record per source row, in memory or in an unlinked temporary file. */
#include "train/cache.h"

#include "base/alloc.h"
#include "base/os.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NO_SLOT UINT64_MAX

struct ia_cache {
    size_t row_floats;
    size_t source_rows;
    uint64_t *slot; /* [source_rows] record of a row, or NO_SLOT */
    uint64_t rows, used;
    float *memory; /* [rows][row_floats], or NULL */
    int fd;        /* -1 when in memory */
    float *row;    /* one record, for files */
};

static size_t row_floats(const ia_program *p)
{
    size_t n = 0;
    for (size_t i = 0; i < ia_program_frontier_count(p); i++)
        n += ia_program_frontier(p, i)->size;
    return n;
}

uint64_t ia_cache_bytes(const ia_program *p, size_t rows)
{
    size_t n;
    return ia_mul(row_floats(p), sizeof(float), &n) && ia_mul(n, rows, &n) ? n : UINT64_MAX;
}

void ia_cache_free(ia_cache *c)
{
    if (!c)
        return;
    if (c->fd >= 0)
        close(c->fd);
    ia_free(c->slot);
    ia_free_aligned(c->memory);
    ia_free(c->row);
    ia_free(c);
}

/* In $TMPDIR or the system's folder; unlinked at once, so that nothing is left behind, whatever
 * happens. */
static inarch_status open_file(ia_cache *c, uint64_t bytes, inarch_error *err)
{
    const char *folder = getenv("TMPDIR");
    char *path = ia_asprintf("%s/inarch-cache-XXXXXX", folder && *folder ? folder : P_tmpdir);
    if (!path)
        return ia_fail_memory(err, "a path", 0);
    inarch_status status = INARCH_OK;
    c->fd = mkostemp(path, O_CLOEXEC);
    if (c->fd < 0) {
        status = ia_fail_os(err, errno, "cannot make the cache file", path);
    } else {
        unlink(path);
        int error = posix_fallocate(c->fd, 0, (off_t)bytes); /* a full disk is told now */
        if (error && error != EOPNOTSUPP && error != EINVAL)
            status = ia_fail_os(err, error, "cannot make the cache file", path);
    }
    if (status != INARCH_OK)
        ia_error_hint(err, "set TMPDIR to a larger disk, or switch the cache off");
    ia_free(path);
    return status;
}

static inarch_status make_room(ia_cache *c, uint64_t bytes, uint64_t memory, inarch_error *err)
{
    if (bytes <= memory) {
        c->memory = ia_calloc_aligned((size_t)bytes);
        if (c->memory)
            return INARCH_OK;
    }
    c->row = ia_calloc(c->row_floats, sizeof *c->row);
    if (!c->row)
        return ia_fail_memory(err, "the cache", c->row_floats * sizeof *c->row);
    return open_file(c, bytes, err);
}

inarch_status ia_cache_new(const ia_program *p, size_t source_rows, size_t rows, uint64_t memory,
                           ia_cache **out, inarch_error *err)
{
    uint64_t bytes = ia_cache_bytes(p, rows);
    if (bytes > INT64_MAX)
        return ia_fail(err, INARCH_LIMIT, "cache", "", "the cache would be too large");
    ia_cache *c = ia_calloc(1, sizeof *c);
    if (!c)
        return ia_fail_memory(err, "the cache", sizeof *c);
    c->fd = -1;
    c->row_floats = row_floats(p);
    c->source_rows = source_rows;
    c->rows = rows;
    c->slot = ia_calloc(source_rows, sizeof *c->slot);
    inarch_status status = c->slot
                               ? make_room(c, bytes, memory, err)
                               : ia_fail_memory(err, "the cache", source_rows * sizeof *c->slot);
    if (status != INARCH_OK) {
        ia_cache_free(c);
        return status;
    }
    memset(c->slot, 0xff, source_rows * sizeof *c->slot);
    *out = c;
    return INARCH_OK;
}

bool ia_cache_in_memory(const ia_cache *c)
{
    return c->memory != NULL;
}

bool ia_cache_has(const ia_cache *c, uint64_t source_row)
{
    return source_row < c->source_rows && c->slot[source_row] != NO_SLOT;
}

static inarch_status transfer(const ia_cache *c, uint64_t slot, bool write, inarch_error *err)
{
    char *at = (char *)c->row;
    size_t left = c->row_floats * sizeof(float);
    off_t offset = (off_t)(slot * left);
    while (left > 0) {
        ssize_t n = write ? pwrite(c->fd, at, left, offset) : pread(c->fd, at, left, offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ia_fail_os(err, n < 0 ? errno : EIO,
                              write ? "cannot write the cache file" : "cannot read the cache file",
                              "cache");
        at += n;
        left -= (size_t)n;
        offset += n;
    }
    return INARCH_OK;
}

static void to_record(const ia_program *p, size_t r, float *record)
{
    for (size_t i = 0; i < ia_program_frontier_count(p); i++) {
        const ia_view *v = ia_program_frontier(p, i);
        memcpy(record, v->data + r * v->size, v->size * sizeof(float));
        record += v->size;
    }
}

static void from_record(const ia_program *p, size_t r, const float *record)
{
    for (size_t i = 0; i < ia_program_frontier_count(p); i++) {
        const ia_view *v = ia_program_frontier(p, i);
        memcpy(v->data + r * v->size, record, v->size * sizeof(float));
        record += v->size;
    }
}

inarch_status ia_cache_put(ia_cache *c, const ia_program *p, const uint64_t *source_row,
                           size_t rows, inarch_error *err)
{
    for (size_t r = 0; r < rows; r++) {
        if (ia_cache_has(c, source_row[r]))
            continue;
        assert(source_row[r] < c->source_rows && c->used < c->rows);
        uint64_t slot = c->used;
        if (c->memory) {
            to_record(p, r, c->memory + slot * c->row_floats);
        } else {
            to_record(p, r, c->row);
            IA_TRY(transfer(c, slot, true, err));
        }
        c->slot[source_row[r]] = slot;
        c->used++;
    }
    return INARCH_OK;
}

/* Rows come in no order that the machine could foresee: the first lines of one to come are asked
 * for. */
#define FETCH_AHEAD 4
#define FETCH_BYTES 1024
static void fetch(const ia_cache *c, uint64_t source_row)
{
    const char *row = (const char *)(c->memory + c->slot[source_row] * c->row_floats);
    size_t bytes = c->row_floats * sizeof(float);
    for (size_t i = 0; i < bytes && i < FETCH_BYTES; i += 64)
        __builtin_prefetch(row + i);
}

inarch_status ia_cache_get(const ia_cache *c, ia_program *p, const uint64_t *source_row,
                           size_t rows, inarch_error *err)
{
    for (size_t r = 0; r < rows; r++) {
        assert(ia_cache_has(c, source_row[r]));
        uint64_t slot = c->slot[source_row[r]];
        if (c->memory) {
            if (r + FETCH_AHEAD < rows)
                fetch(c, source_row[r + FETCH_AHEAD]);
            from_record(p, r, c->memory + slot * c->row_floats);
        } else {
            IA_TRY(transfer(c, slot, false, err));
            from_record(p, r, c->row);
        }
    }
    return INARCH_OK;
}
