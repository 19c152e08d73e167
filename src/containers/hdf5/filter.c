/* Filters on chunks: shuffle, deflate, fletcher32; all others are refused by name. */
#include "containers/hdf5/internal.h"

#include <string.h>
#include <zlib.h>

#define FILTER_DEFLATE 1u
#define FILTER_SHUFFLE 2u
#define FILTER_FLETCHER 3u

static const struct {
    uint16_t id;
    const char *name;
} refused_filters[] = {
    {4, "szip"},    {5, "nbit"},           {6, "scale-offset"}, {32000, "lzf"},  {32001, "blosc"},
    {32004, "lz4"}, {32008, "bitshuffle"}, {32013, "zfp"},      {32015, "zstd"},
};

static inarch_status refuse_filter(const h5_walk *w, unsigned id, inarch_error *err)
{
    const char *name = "unknown";
    for (size_t i = 0; i < IA_COUNT(refused_filters); i++)
        if (refused_filters[i].id == id)
            name = refused_filters[i].name;
    return h5_refuse(w, err, "save it again without compression, or with gzip",
                     "data compressed by filter %u (%s) are not read", id, name);
}

static inarch_status read_filter(const h5_walk *w, ia_cursor *c, unsigned version, ia_h5_storage *s,
                                 inarch_error *err)
{
    unsigned id = ia_u16(c);
    size_t name = version == 1 || id >= 256 ? ia_u16(c) : 0;
    ia_skip(c, 2); /* flags: optional or not, a chunk's mask says whether it was applied */
    size_t values = ia_u16(c);
    ia_skip(c, version == 1 ? (name + 7) & ~(size_t)7 : name);
    uint32_t first = values > 0 ? ia_u32(c) : 0;
    if (values > 1)
        ia_skip(c, 4 * (values - 1));
    if (version == 1 && values % 2 != 0)
        ia_skip(c, 4);
    if (c->bad)
        return h5_bad(w, err, "damaged: a filter does not fit its message");
    if (id < FILTER_DEFLATE || id > FILTER_FLETCHER)
        return refuse_filter(w, id, err);
    if (id == FILTER_SHUFFLE && first != s->type.size)
        return h5_bad(w, err, "damaged: elements of %zu bytes are shuffled as %u", s->type.size,
                      (unsigned)first);
    for (size_t i = 0; i < s->filter_count; i++)
        if (s->filters[i].id == id)
            return h5_bad(w, err, "damaged: filter %u is there twice", id);
    s->filters[s->filter_count++] = (h5_filter){(uint16_t)id, first};
    return INARCH_OK;
}

inarch_status ia_h5_filters(const h5_walk *w, const h5_message *m, ia_h5_storage *s,
                            inarch_error *err)
{
    ia_cursor c = ia_cursor_of(m->body, m->size);
    unsigned version = ia_u8(&c);
    size_t count = ia_u8(&c);
    if (!c.bad && version != 1 && version != 2)
        return h5_refuse(w, err, "", "filter message version %u is not read", version);
    if (version == 1)
        ia_skip(&c, 6);
    for (size_t i = 0; i < count; i++) { /* each of the three at most once, so they fit */
        IA_TRY(read_filter(w, &c, version, s, err));
    }
    return INARCH_OK;
}

/* ---- undoing them ---- */

static voidpf zlib_calloc(voidpf context, uInt count, uInt size)
{
    (void)context;
    return ia_calloc(count, size);
}

static void zlib_free(voidpf context, voidpf p)
{
    (void)context;
    ia_free(p);
}

/* Exactly all of `in` becomes exactly `want` bytes. */
static inarch_status inflate_exactly(const ia_h5 *file, const uint8_t *in, size_t n, uint8_t *out,
                                     size_t want, inarch_error *err)
{
    z_stream z = {.zalloc = zlib_calloc, .zfree = zlib_free};
    z.next_in = (z_const Bytef *)in;
    z.avail_in = (uInt)n;
    z.next_out = out;
    z.avail_out = (uInt)want;
    if (inflateInit(&z) != Z_OK)
        return ia_fail_memory(err, "zlib", 0);
    int result = inflate(&z, Z_FINISH);
    bool exact = result == Z_STREAM_END && z.avail_in == 0 && z.avail_out == 0;
    inflateEnd(&z);
    if (result == Z_MEM_ERROR)
        return ia_fail_memory(err, "zlib", 0);
    return exact ? INARCH_OK
                 : ia_fail(err, INARCH_BAD_FILE, file->in.name, "",
                           "damaged: a compressed chunk does not become %zu bytes", want);
}

static void unshuffle(const uint8_t *in, size_t n, size_t size, uint8_t *out)
{
    size_t count = n / size;
    for (size_t i = 0; i < count; i++)
        for (size_t b = 0; b < size; b++)
            out[i * size + b] = in[b * count + i];
    memcpy(out + count * size, in + count * size, n - count * size);
}

/* Fletcher's checksum over big-endian 16-bit words, as HDF5 computes it. */
static uint32_t fletcher32(const uint8_t *p, size_t n)
{
    uint32_t a = 0, b = 0;
    for (size_t i = 0; i < n; i += 2) {
        a += (uint32_t)p[i] << 8 | (i + 1 < n ? p[i + 1] : 0u);
        a = (a & 0xffff) + (a >> 16);
        b += a;
        b = (b & 0xffff) + (b >> 16);
    }
    return b << 16 | a;
}

static inarch_status check_fletcher(const ia_h5 *file, const uint8_t *data, size_t *n,
                                    inarch_error *err)
{
    if (*n >= 4) {
        *n -= 4;
        ia_cursor c = ia_cursor_of(data + *n, 4);
        if (ia_h5_sums_match(ia_u32(&c), fletcher32(data, *n)))
            return INARCH_OK;
    }
    return ia_fail(err, INARCH_BAD_FILE, file->in.name, "",
                   "damaged: the checksum of a chunk does not match");
}

/* Bytes that come out of the inflater: checksums may have been added before deflate. */
static size_t inflated_size(const ia_h5_storage *s, const h5_chunk *chunk, size_t deflate)
{
    size_t n = s->chunk_bytes;
    for (size_t i = 0; i < deflate; i++)
        n += s->filters[i].id == FILTER_FLETCHER && (chunk->skip >> i & 1u) == 0 ? 4 : 0;
    return n;
}

inarch_status ia_h5_unfilter(const ia_h5 *file, const ia_h5_object *o, const h5_chunk *chunk,
                             uint8_t **data, uint8_t **spare, inarch_error *err)
{
    const ia_h5_storage *s = o->storage;
    size_t n = chunk->stored;
    for (size_t i = s->filter_count; i-- > 0;) {
        if ((chunk->skip >> i & 1u) != 0)
            continue;
        if (s->filters[i].id == FILTER_FLETCHER) {
            IA_TRY(check_fletcher(file, *data, &n, err));
            continue;
        }
        if (s->filters[i].id == FILTER_DEFLATE) {
            size_t want = inflated_size(s, chunk, i);
            IA_TRY(inflate_exactly(file, *data, n, *spare, want, err));
            n = want;
        } else {
            unshuffle(*data, n, s->type.size, *spare);
        }
        uint8_t *other = *data;
        *data = *spare;
        *spare = other;
    }
    if (n != s->chunk_bytes)
        return ia_fail(err, INARCH_BAD_FILE, file->in.name, "",
                       "damaged: a chunk of %zu bytes where %zu are due", n, s->chunk_bytes);
    return INARCH_OK;
}
