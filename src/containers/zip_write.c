/* Writing ZIP: the same members give the same bytes.
 *
 * Every time is 1980-01-01 00:00, the earliest a ZIP can say; no attributes, no comments. zip64
 * fields appear only where a number does not fit, so small files are readable by everything. */
#include "containers/zip.h"

#include "base/alloc.h"
#include "base/buf.h"

#include <inttypes.h>
#include <string.h>
#include <zlib.h>

#define DOS_DATE 0x0021 /* 1980-01-01 */
#define VERSION 20
#define VERSION_ZIP64 45
#define FLAG_UTF8 0x0800
#define NARROW_MOST 0xfffffffeull /* all ones means: see the zip64 field */
#define PIECE ((size_t)64 << 10)
#define DIRECTORY_MOST ((size_t)64 << 20)

typedef struct zip_written {
    char *name;
    uint64_t coded, size, local;
    uint32_t crc;
    ia_zip_method method;
} zip_written;

struct ia_zip_writer {
    ia_output *o;
    zip_written *member;
    size_t count, cap;
    uint32_t *slot; /* open addressing by the name's checksum: member number + 1, 0 is free */
    size_t slots;   /* a power of two, at least twice the members */
};

inarch_status ia_zip_writer_new(ia_output *o, ia_zip_writer **out, inarch_error *err)
{
    ia_zip_writer *w = ia_calloc(1, sizeof *w);
    if (!w)
        return ia_fail_memory(err, "a ZIP file", sizeof *w);
    w->o = o;
    *out = w;
    return INARCH_OK;
}

void ia_zip_writer_free(ia_zip_writer *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->count; i++)
        ia_free(w->member[i].name);
    ia_free(w->member);
    ia_free(w->slot);
    ia_free(w);
}

/* ---- names that were used ---- */

/* The slot that holds `name`, or the free one where it belongs. */
static size_t names_find(const ia_zip_writer *w, const char *name)
{
    size_t at = crc32(0, (const Bytef *)name, (uInt)strlen(name)) & (w->slots - 1);
    while (w->slot[at] != 0 && strcmp(w->member[w->slot[at] - 1].name, name) != 0)
        at = (at + 1) & (w->slots - 1);
    return at;
}

/* Makes room for one more name. */
static inarch_status names_grow(ia_zip_writer *w, inarch_error *err)
{
    if (w->slots >= 2 * (w->count + 1))
        return INARCH_OK;
    size_t slots = w->slots ? w->slots * 2 : 16;
    uint32_t *slot = ia_calloc(slots, sizeof *slot);
    if (!slot)
        return ia_fail_memory(err, "the names of members", slots * sizeof *slot);
    ia_free(w->slot);
    w->slot = slot;
    w->slots = slots;
    for (size_t i = 0; i < w->count; i++)
        slot[names_find(w, w->member[i].name)] = (uint32_t)i + 1;
    return INARCH_OK;
}

/* ---- headers ---- */

static uint32_t narrow(uint64_t v)
{
    return v > NARROW_MOST ? 0xffffffffu : (uint32_t)v;
}

static uint16_t member_version(const zip_written *m)
{
    bool wide = m->size > NARROW_MOST || m->coded > NARROW_MOST || m->local > NARROW_MOST;
    return wide ? VERSION_ZIP64 : VERSION;
}

/* What both headers have in common: from "version needed" to the two sizes. */
static inarch_status put_common(ia_buf *b, const zip_written *m, bool wide_sizes, inarch_error *err)
{
    bool ascii = true;
    for (const char *p = m->name; *p; p++)
        ascii = ascii && (signed char)*p > 0;
    IA_TRY(ia_buf_u16(b, member_version(m), err));
    IA_TRY(ia_buf_u16(b, ascii ? 0 : FLAG_UTF8, err));
    IA_TRY(ia_buf_u16(b, (uint16_t)m->method, err));
    IA_TRY(ia_buf_u16(b, 0, err));
    IA_TRY(ia_buf_u16(b, DOS_DATE, err));
    IA_TRY(ia_buf_u32(b, m->crc, err));
    IA_TRY(ia_buf_u32(b, wide_sizes ? 0xffffffffu : narrow(m->coded), err));
    IA_TRY(ia_buf_u32(b, wide_sizes ? 0xffffffffu : narrow(m->size), err));
    return ia_buf_u16(b, (uint16_t)strlen(m->name), err);
}

/* A local header with a zip64 field must carry both sizes in it. */
static inarch_status put_local(ia_buf *b, const zip_written *m, inarch_error *err)
{
    bool wide = m->size > NARROW_MOST || m->coded > NARROW_MOST;
    IA_TRY(ia_buf_append(b, "PK\3\4", 4, err));
    IA_TRY(put_common(b, m, wide, err));
    IA_TRY(ia_buf_u16(b, wide ? 20 : 0, err));
    IA_TRY(ia_buf_text(b, m->name, err));
    if (!wide)
        return INARCH_OK;
    IA_TRY(ia_buf_u16(b, 1, err));
    IA_TRY(ia_buf_u16(b, 16, err));
    IA_TRY(ia_buf_u64(b, m->size, err));
    return ia_buf_u64(b, m->coded, err);
}

static inarch_status put_central(ia_buf *b, const zip_written *m, inarch_error *err)
{
    const uint64_t field[] = {m->size, m->coded, m->local};
    uint16_t wide = 0;
    for (size_t i = 0; i < IA_COUNT(field); i++)
        wide = (uint16_t)(wide + (field[i] > NARROW_MOST));
    IA_TRY(ia_buf_append(b, "PK\1\2", 4, err));
    IA_TRY(ia_buf_u16(b, member_version(m), err));
    IA_TRY(put_common(b, m, false, err));
    IA_TRY(ia_buf_u16(b, wide ? (uint16_t)(4 + 8 * wide) : 0, err));
    IA_TRY(ia_buf_zeros(b, 2 + 2 + 2 + 4, err)); /* comment, disk, attributes */
    IA_TRY(ia_buf_u32(b, narrow(m->local), err));
    IA_TRY(ia_buf_text(b, m->name, err));
    if (!wide)
        return INARCH_OK;
    IA_TRY(ia_buf_u16(b, 1, err));
    IA_TRY(ia_buf_u16(b, (uint16_t)(8 * wide), err));
    for (size_t i = 0; i < IA_COUNT(field); i++)
        if (field[i] > NARROW_MOST)
            IA_TRY(ia_buf_u64(b, field[i], err));
    return INARCH_OK;
}

static inarch_status put_end(ia_buf *b, uint64_t entries, uint64_t size, uint64_t offset,
                             inarch_error *err)
{
    if (entries >= 0xffff || size > NARROW_MOST || offset > NARROW_MOST) {
        IA_TRY(ia_buf_append(b, "PK\6\6", 4, err));
        IA_TRY(ia_buf_u64(b, 44, err)); /* bytes that follow */
        IA_TRY(ia_buf_u16(b, VERSION_ZIP64, err));
        IA_TRY(ia_buf_u16(b, VERSION_ZIP64, err));
        IA_TRY(ia_buf_zeros(b, 4 + 4, err)); /* disks */
        IA_TRY(ia_buf_u64(b, entries, err));
        IA_TRY(ia_buf_u64(b, entries, err));
        IA_TRY(ia_buf_u64(b, size, err));
        IA_TRY(ia_buf_u64(b, offset, err));
        IA_TRY(ia_buf_append(b, "PK\6\7\0\0\0\0", 8, err));
        IA_TRY(ia_buf_u64(b, offset + size, err));
        IA_TRY(ia_buf_u32(b, 1, err));
    }
    uint16_t shown = entries >= 0xffff ? 0xffff : (uint16_t)entries;
    IA_TRY(ia_buf_append(b, "PK\5\6\0\0\0\0", 8, err));
    IA_TRY(ia_buf_u16(b, shown, err));
    IA_TRY(ia_buf_u16(b, shown, err));
    IA_TRY(ia_buf_u32(b, narrow(size), err));
    IA_TRY(ia_buf_u32(b, narrow(offset), err));
    return ia_buf_u16(b, 0, err);
}

/* ---- data ---- */

static voidpf write_alloc(voidpf opaque, uInt items, uInt size)
{
    (void)opaque;
    return ia_calloc(items, size);
}

static void write_free(voidpf opaque, voidpf p)
{
    (void)opaque;
    ia_free(p);
}

/* Feeds n bytes, at most PIECE at once, and takes what comes out; n == 0 with Z_FINISH ends. */
static inarch_status deflate_some(z_stream *z, const uint8_t *data, size_t n, int flush,
                                  ia_buf *out, inarch_error *err)
{
    uint8_t coded[4096];
    int code = Z_OK;
    do {
        uInt take = n < PIECE ? (uInt)n : (uInt)PIECE;
        z->next_in = (z_const Bytef *)data;
        z->avail_in = take;
        do {
            z->next_out = coded;
            z->avail_out = sizeof coded;
            code = deflate(z, flush);
            IA_TRY(ia_buf_append(out, coded, sizeof coded - z->avail_out, err));
        } while (z->avail_out == 0);
        data += take;
        n -= take;
    } while (n > 0);
    (void)code; /* deflate cannot fail here: its state is sound and it always has room */
    return INARCH_OK;
}

static inarch_status deflate_pieces(const ia_piece *pieces, size_t n, ia_buf *out,
                                    inarch_error *err)
{
    z_stream z = {.zalloc = write_alloc, .zfree = write_free};
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return ia_fail_memory(err, "compression", (size_t)256 << 10);
    inarch_status status = INARCH_OK;
    for (size_t i = 0; i < n && status == INARCH_OK; i++)
        if (pieces[i].size)
            status = deflate_some(&z, pieces[i].data, pieces[i].size, Z_NO_FLUSH, out, err);
    if (status == INARCH_OK)
        status = deflate_some(&z, (const uint8_t *)"", 0, Z_FINISH, out, err);
    deflateEnd(&z);
    return status;
}

static uint32_t pieces_crc(const ia_piece *pieces, size_t n)
{
    uLong crc = crc32(0, NULL, 0);
    for (size_t i = 0; i < n; i++)
        for (size_t at = 0; at < pieces[i].size; at += PIECE) {
            size_t left = pieces[i].size - at;
            crc = crc32(crc, (const uint8_t *)pieces[i].data + at,
                        (uInt)(left < PIECE ? left : PIECE));
        }
    return (uint32_t)crc;
}

/* ---- members ---- */

static inarch_status zip_check_name(const ia_zip_writer *w, const char *name, inarch_error *err)
{
    size_t n = strlen(name);
    if (n == 0 || n > 0xffff)
        return ia_fail(err, INARCH_BAD_ARGUMENT, "", "",
                       "a member of a ZIP file needs a name of 1 to 65535 bytes, not %zu", n);
    if (w->slot[names_find(w, name)] != 0)
        return ia_fail(err, INARCH_BAD_ARGUMENT, name, "", "member '%.240s' was written already",
                       name);
    if (w->count == IA_ZIP_MAX_MEMBERS)
        return ia_fail(err, INARCH_LIMIT, name, "", "a ZIP file has at most %d members",
                       IA_ZIP_MAX_MEMBERS);
    return INARCH_OK;
}

static inarch_status zip_write_member(ia_zip_writer *w, const zip_written *m,
                                      const ia_piece *pieces, size_t n, inarch_error *err)
{
    ia_buf header = IA_BUF(1 << 17);
    inarch_status status = put_local(&header, m, err);
    if (status == INARCH_OK)
        status = ia_output_write(w->o, header.data, header.len, err);
    ia_buf_free(&header);
    for (size_t i = 0; i < n && status == INARCH_OK; i++)
        if (pieces[i].size)
            status = ia_output_write(w->o, pieces[i].data, pieces[i].size, err);
    return status;
}

inarch_status ia_zip_add(ia_zip_writer *w, const char *name, ia_zip_method method,
                         const ia_piece *pieces, size_t n, inarch_error *err)
{
    inarch_status status = INARCH_OK;
    ia_buf coded = IA_BUF(SIZE_MAX / 2);
    IA_TRY(names_grow(w, err));
    IA_TRY(zip_check_name(w, name, err));
    IA_TRY(ia_grow(&w->member, &w->cap, w->count, sizeof *w->member, "members", err));
    zip_written *m = &w->member[w->count];
    *m = (zip_written){.local = ia_output_size(w->o), .method = method};
    for (size_t i = 0; i < n; i++)
        m->size += pieces[i].size;
    m->coded = m->size;
    m->crc = pieces_crc(pieces, n);
    m->name = ia_strdup(name);
    if (!m->name)
        return ia_fail_memory(err, "the name of a member", strlen(name));
    w->slot[names_find(w, name)] = (uint32_t)++w->count;
    if (method == IA_ZIP_DEFLATED) {
        IA_TRY_GOTO(deflate_pieces(pieces, n, &coded, err));
        m->coded = coded.len;
        ia_piece one = {coded.data, coded.len};
        IA_TRY_GOTO(zip_write_member(w, m, &one, 1, err));
    } else {
        IA_TRY_GOTO(zip_write_member(w, m, pieces, n, err));
    }
done:
    ia_buf_free(&coded);
    return status;
}

inarch_status ia_zip_finish(ia_zip_writer *w, inarch_error *err)
{
    inarch_status status = INARCH_OK;
    uint64_t offset = ia_output_size(w->o);
    ia_buf directory = IA_BUF(DIRECTORY_MOST);
    for (size_t i = 0; i < w->count; i++)
        IA_TRY_GOTO(put_central(&directory, &w->member[i], err));
    IA_TRY_GOTO(put_end(&directory, w->count, directory.len, offset, err));
    IA_TRY_GOTO(ia_output_write(w->o, directory.data, directory.len, err));
done:
    ia_buf_free(&directory);
    return status;
}
