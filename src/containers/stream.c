/* Sequential reading, with zlib behind it.
 *
 * zlib's memory comes from the allocation gate too. Its state outlives a call only inside the
 * inflater, which is one block with the buffer of coded bytes. */
#include "containers/stream.h"

#include "base/alloc.h"

#include <string.h>
#include <zlib.h>

#define STREAM_PIECE ((size_t)64 << 10)

struct ia_inflater {
    z_stream z;
    bool ready; /* inflateInit2 succeeded */
    bool ended; /* the last member is complete */
    uint8_t in[STREAM_PIECE];
};

static voidpf stream_alloc(voidpf opaque, uInt items, uInt size)
{
    (void)opaque;
    return ia_calloc(items, size);
}

static void stream_free(voidpf opaque, voidpf p)
{
    (void)opaque;
    ia_free(p);
}

static uint64_t stream_expanded(uint64_t coded)
{
    return coded > UINT64_MAX / IA_DEFLATE_MOST - 1 ? UINT64_MAX : (coded + 1) * IA_DEFLATE_MOST;
}

inarch_status ia_stream_open(const ia_input *in, ia_coding coding, uint64_t size, ia_stream *out,
                             inarch_error *err)
{
    *out = (ia_stream){.in = *in, .size = in->size, .coding = coding};
    if (coding == IA_CODING_RAW)
        return INARCH_OK;
    out->size = coding == IA_CODING_GZIP ? stream_expanded(in->size) : size;
    if (out->size > stream_expanded(in->size))
        return ia_fail(err, INARCH_BAD_FILE, in->name, "",
                       "'%.200s' declares %llu bytes, more than its %llu compressed ones can hold",
                       in->name, (unsigned long long)size, (unsigned long long)in->size);
    ia_inflater *f = ia_calloc(1, sizeof *f);
    if (!f)
        return ia_fail_memory(err, "decompression", sizeof *f);
    out->inflater = f;
    f->z.zalloc = stream_alloc;
    f->z.zfree = stream_free;
    /* 16 + 15: a gzip header and the full window; -15: none. */
    if (inflateInit2(&f->z, coding == IA_CODING_GZIP ? 16 + 15 : -15) != Z_OK)
        return ia_fail_memory(err, "decompression", STREAM_PIECE);
    f->ready = true;
    return INARCH_OK;
}

inarch_status ia_stream_open_any(const ia_input *in, ia_stream *out, inarch_error *err)
{
    uint8_t magic[2] = {0, 0};
    *out = (ia_stream){.in = *in};
    if (in->size >= sizeof magic)
        IA_TRY(ia_input_read(in, 0, sizeof magic, magic, err));
    bool gzip = magic[0] == 0x1f && magic[1] == 0x8b;
    return ia_stream_open(in, gzip ? IA_CODING_GZIP : IA_CODING_RAW, 0, out, err);
}

void ia_stream_close(ia_stream *s)
{
    if (s->inflater && s->inflater->ready)
        inflateEnd(&s->inflater->z);
    ia_free(s->inflater);
    s->inflater = NULL;
}

uint64_t ia_stream_most(const ia_stream *s)
{
    return s->size - s->given;
}

static inarch_status stream_refill(ia_stream *s, inarch_error *err)
{
    ia_inflater *f = s->inflater;
    uint64_t left = s->in.size - s->pos;
    size_t n = left < STREAM_PIECE ? (size_t)left : STREAM_PIECE;
    if (n == 0)
        return ia_fail(err, INARCH_BAD_FILE, s->in.name, "",
                       "'%.200s' is cut short: its compressed data end early", s->in.name);
    IA_TRY(ia_input_read(&s->in, s->pos, n, f->in, err));
    s->pos += n;
    f->z.next_in = f->in;
    f->z.avail_in = (uInt)n;
    return INARCH_OK;
}

/* After the end of a gzip member: another one, or the end of the file. */
static inarch_status stream_next_member(ia_stream *s, inarch_error *err)
{
    ia_inflater *f = s->inflater;
    if (f->z.avail_in == 0 && s->pos == s->in.size) {
        f->ended = true;
        return INARCH_OK;
    }
    if (s->coding != IA_CODING_GZIP)
        return ia_fail(err, INARCH_BAD_FILE, s->in.name, "",
                       "'%.200s' has bytes behind the end of its compressed data", s->in.name);
    if (f->z.avail_in == 0)
        IA_TRY(stream_refill(s, err));
    if (f->z.next_in[0] != 0x1f)
        return ia_fail(err, INARCH_BAD_FILE, s->in.name, "",
                       "'%.200s' has bytes behind the end of its gzip data", s->in.name);
    inflateReset(&f->z);
    return INARCH_OK;
}

static inarch_status stream_inflate(ia_stream *s, uint8_t *dst, size_t n, size_t *got,
                                    inarch_error *err)
{
    ia_inflater *f = s->inflater;
    *got = 0;
    while (*got < n && !f->ended) {
        if (f->z.avail_in == 0)
            IA_TRY(stream_refill(s, err));
        size_t room = n - *got;
        uInt piece = room > STREAM_PIECE ? (uInt)STREAM_PIECE : (uInt)room;
        f->z.next_out = dst + *got;
        f->z.avail_out = piece;
        int code = inflate(&f->z, Z_NO_FLUSH);
        *got += piece - f->z.avail_out;
        if (code == Z_MEM_ERROR)
            return ia_fail_memory(err, "decompression", STREAM_PIECE);
        if (code == Z_STREAM_END)
            IA_TRY(stream_next_member(s, err));
        else if (code != Z_OK && code != Z_BUF_ERROR)
            return ia_fail(err, INARCH_BAD_FILE, s->in.name, "",
                           "'%.200s' has damaged compressed data (%s)", s->in.name,
                           f->z.msg ? f->z.msg : "wrong checksum");
    }
    return INARCH_OK;
}

inarch_status ia_stream_some(ia_stream *s, void *dst, size_t n, size_t *got, inarch_error *err)
{
    uint64_t most = ia_stream_most(s);
    if (n > most)
        n = (size_t)most;
    *got = 0;
    if (s->coding == IA_CODING_RAW) {
        IA_TRY(ia_input_read(&s->in, s->pos, n, dst, err));
        s->pos += n;
        *got = n;
    } else {
        IA_TRY(stream_inflate(s, dst, n, got, err));
    }
    s->given += *got;
    /* zlib's crc32 counts in uInt. */
    for (size_t at = 0; s->coding != IA_CODING_GZIP && at < *got; at += STREAM_PIECE) {
        size_t piece = *got - at < STREAM_PIECE ? *got - at : STREAM_PIECE;
        s->crc = (uint32_t)crc32(s->crc, (const uint8_t *)dst + at, (uInt)piece);
    }
    return INARCH_OK;
}

inarch_status ia_stream_read(ia_stream *s, void *dst, size_t n, inarch_error *err)
{
    size_t got;
    IA_TRY(ia_stream_some(s, dst, n, &got, err));
    if (got < n)
        return ia_fail(err, INARCH_BAD_FILE, s->in.name, "", "'%.200s' is cut short", s->in.name);
    return INARCH_OK;
}

inarch_status ia_stream_end(ia_stream *s, inarch_error *err)
{
    if (s->coding == IA_CODING_RAW || s->coding == IA_CODING_DEFLATE) {
        if (s->given != s->size)
            return ia_fail(err, INARCH_BAD_FILE, s->in.name, "", "'%.200s' has %llu bytes too many",
                           s->in.name, (unsigned long long)(s->size - s->given));
    }
    if (s->inflater && !s->inflater->ended) {
        uint8_t extra;
        size_t got;
        IA_TRY(stream_inflate(s, &extra, 1, &got, err));
        if (got != 0)
            return ia_fail(err, INARCH_BAD_FILE, s->in.name, "",
                           "'%.200s' has more bytes than it declares", s->in.name);
    }
    if (s->has_crc && s->crc != s->expected_crc)
        return ia_fail(err, INARCH_BAD_FILE, s->in.name, "",
                       "'%.200s' has a wrong checksum: the file is damaged", s->in.name);
    return INARCH_OK;
}
