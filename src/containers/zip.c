/* Reading ZIP: the central directory, and every local header against it (zip_end.c finds it).
 *
 * A ZIP can say one thing in its directory and another in front of the data; two readers then see
 * two files. Whatever disagrees, overlaps or repeats is refused. */
#include "containers/zip.h"
#include "containers/order.h"
#include "containers/zip_end.h"

#include "base/alloc.h"
#include "base/cursor.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LOCAL_BYTES 30
#define SHOWN_ARCHIVE 120 /* bytes of the archive's name in front of a member's, in messages */

#define FLAG_ENCRYPTED 0x0001u
#define FLAG_DESCRIPTOR 0x0008u                   /* crc and sizes follow the data */
#define FLAGS_KNOWN (0x0006u | 0x0008u | 0x0800u) /* deflate level, descriptor, UTF-8 */

typedef struct zip_member {
    char *shown;      /* "archive:name" */
    const char *name; /* the end of it */
    uint64_t coded, size;
    uint64_t local, data; /* where the local header and the data start */
    uint32_t crc;
    uint16_t method, flags;
} zip_member;

struct ia_zip {
    ia_input in;
    zip_member *member;
    size_t count;
    uint32_t *by_name; /* member numbers sorted by name */
};

static inarch_status member_bad(const zip_member *m, inarch_error *err, const char *why)
{
    return ia_fail(err, INARCH_BAD_FILE, m->shown, "the file is damaged", "member '%.240s' %s",
                   m->shown, why);
}

/* ---- members ---- */

typedef struct zip_wide {
    uint64_t *field[3]; /* size, coded, local: replaced where all ones */
    size_t fields;
} zip_wide;

/* The zip64 extra field holds, in a fixed order, those fields that are all ones in the header. */
static bool zip_read_extra(ia_cursor extra, const zip_wide *wide)
{
    bool needed = false;
    for (size_t i = 0; i < wide->fields; i++)
        needed = needed || *wide->field[i] == 0xffffffff;
    bool found = false;
    while (ia_left(&extra) >= 4) {
        uint16_t id = ia_u16(&extra);
        ia_cursor body = ia_sub(&extra, ia_u16(&extra));
        if (body.bad)
            return false;
        if (id != 1)
            continue;
        if (found)
            return false;
        found = true;
        for (size_t i = 0; i < wide->fields; i++)
            if (*wide->field[i] == 0xffffffff)
                *wide->field[i] = ia_u64(&body);
        if (body.bad)
            return false;
    }
    return found || !needed;
}

static inarch_status member_set_name(const ia_zip *z, zip_member *m, const uint8_t *name, size_t n,
                                     inarch_error *err)
{
    if (n == 0 || !ia_utf8_valid(name, n))
        return ia_zip_bad(&z->in, err, "the name of a member is empty or not UTF-8");
    m->shown = ia_asprintf("%.*s:%.*s", SHOWN_ARCHIVE, z->in.name, (int)n, (const char *)name);
    if (!m->shown)
        return ia_fail_memory(err, "the name of a member", n);
    m->name = m->shown + strlen(m->shown) - n;
    return INARCH_OK;
}

static inarch_status member_check(const zip_member *m, const ia_zip_end *end, inarch_error *err)
{
    if (m->flags & FLAG_ENCRYPTED)
        return ia_fail(err, INARCH_UNSUPPORTED, m->shown, "decrypt it first",
                       "member '%.240s' is encrypted", m->shown);
    if (m->flags & ~FLAGS_KNOWN)
        return ia_fail(err, INARCH_UNSUPPORTED, m->shown, "",
                       "member '%.240s' uses a feature of ZIP that is not read (flags %#x)",
                       m->shown, (unsigned)m->flags);
    if (m->local > end->offset || m->coded > end->offset - m->local)
        return member_bad(m, err, "does not lie inside the file");
    if (m->method == IA_ZIP_STORED && m->coded != m->size)
        return member_bad(m, err, "is stored, but has two sizes");
    return INARCH_OK;
}

static inarch_status member_read_central(const ia_zip *z, ia_cursor *c, const ia_zip_end *end,
                                         zip_member *m, inarch_error *err)
{
    if (!ia_match(c, "PK\1\2", 4))
        return ia_zip_bad(&z->in, err, "its directory is damaged");
    ia_skip(c, 4); /* versions */
    m->flags = ia_u16(c);
    m->method = ia_u16(c);
    ia_skip(c, 4); /* time, date */
    m->crc = ia_u32(c);
    m->coded = ia_u32(c);
    m->size = ia_u32(c);
    size_t name_len = ia_u16(c), extra_len = ia_u16(c), comment_len = ia_u16(c);
    uint16_t disk = ia_u16(c);
    ia_skip(c, 6); /* attributes */
    m->local = ia_u32(c);
    const uint8_t *name = ia_bytes(c, name_len);
    ia_cursor extra = ia_sub(c, extra_len);
    ia_skip(c, comment_len);
    zip_wide wide = {{&m->size, &m->coded, &m->local}, 3};
    if (c->bad || !zip_read_extra(extra, &wide))
        return ia_zip_bad(&z->in, err, "its directory is damaged");
    if (disk != 0)
        return ia_zip_bad(&z->in, err, "it is one of several parts");
    IA_TRY(member_set_name(z, m, name, name_len, err));
    return member_check(m, end, err);
}

/* crc and sizes in front of the data: equal, or (with a descriptor behind it) not known yet. */
static bool local_agrees(const zip_member *m, uint32_t crc, uint64_t coded, uint64_t size)
{
    if (m->flags & FLAG_DESCRIPTOR)
        return (crc == 0 || crc == m->crc) && (coded == 0 || coded == m->coded) &&
               (size == 0 || size == m->size);
    return crc == m->crc && coded == m->coded && size == m->size;
}

static inarch_status member_read_local(const ia_zip *z, const ia_zip_end *end, zip_member *m,
                                       inarch_error *err)
{
    uint8_t raw[LOCAL_BYTES];
    if (m->local > end->offset || end->offset - m->local < LOCAL_BYTES)
        return member_bad(m, err, "does not lie inside the file");
    IA_TRY(ia_input_read(&z->in, m->local, LOCAL_BYTES, raw, err));
    ia_cursor c = ia_cursor_of(raw, LOCAL_BYTES);
    bool magic = ia_match(&c, "PK\3\4", 4);
    ia_skip(&c, 2);
    uint16_t flags = ia_u16(&c), method = ia_u16(&c);
    ia_skip(&c, 4);
    uint32_t crc = ia_u32(&c);
    uint64_t coded = ia_u32(&c), size = ia_u32(&c);
    size_t name_len = ia_u16(&c), extra_len = ia_u16(&c);
    size_t n = name_len + extra_len;
    m->data = m->local + LOCAL_BYTES + n;
    if (!magic || m->data > end->offset || m->coded > end->offset - m->data)
        return member_bad(m, err, "does not lie inside the file");

    uint8_t *rest = ia_calloc(n, 1);
    if (!rest)
        return ia_fail_memory(err, "a header of a ZIP file", n);
    inarch_status status = ia_input_read(&z->in, m->local + LOCAL_BYTES, n, rest, err);
    zip_wide wide = {{&size, &coded}, 2};
    bool agreed = status == INARCH_OK && name_len == strlen(m->name) &&
                  memcmp(rest, m->name, name_len) == 0 && method == m->method &&
                  flags == m->flags &&
                  zip_read_extra(ia_cursor_of(rest + name_len, extra_len), &wide) &&
                  local_agrees(m, crc, coded, size);
    ia_free(rest);
    IA_TRY(status);
    return agreed ? INARCH_OK : member_bad(m, err, "is described in two ways that disagree");
}

/* ---- order: by name, and by place ---- */

static bool zip_before(const void *member, uint32_t a, uint32_t b)
{
    const zip_member *m = member;
    return m[a].local < m[b].local;
}

static bool zip_name_less(const void *member, uint32_t a, uint32_t b)
{
    const zip_member *m = member;
    return strcmp(m[a].name, m[b].name) < 0;
}

/* In the order of their places: no byte of the file is read for two members. */
static inarch_status zip_read_locals(ia_zip *z, const ia_zip_end *end, inarch_error *err)
{
    uint64_t free_from = 0;
    ia_order_sort(z->by_name, z->count, zip_before, z->member);
    for (size_t i = 0; i < z->count; i++) {
        zip_member *m = &z->member[z->by_name[i]];
        if (m->local < free_from)
            return member_bad(m, err, "overlaps another one");
        IA_TRY(member_read_local(z, end, m, err));
        free_from = m->data + m->coded;
    }
    return INARCH_OK;
}

static inarch_status zip_sort_names(ia_zip *z, inarch_error *err)
{
    ia_order_sort(z->by_name, z->count, zip_name_less, z->member);
    for (size_t i = 1; i < z->count; i++) {
        const zip_member *a = &z->member[z->by_name[i - 1]], *b = &z->member[z->by_name[i]];
        if (strcmp(a->name, b->name) == 0)
            return member_bad(b, err, "is there twice");
    }
    return INARCH_OK;
}

static inarch_status zip_read_directory(ia_zip *z, const ia_zip_end *end, const uint8_t *directory,
                                        inarch_error *err)
{
    ia_cursor c = ia_cursor_of(directory, (size_t)end->size);
    for (uint32_t i = 0; i < end->entries; i++) {
        z->count = i + 1; /* what ia_zip_close releases */
        z->by_name[i] = i;
        IA_TRY(member_read_central(z, &c, end, &z->member[i], err));
    }
    if (ia_left(&c) != 0)
        return ia_zip_bad(&z->in, err, "its directory has more entries than its end record says");
    IA_TRY(zip_read_locals(z, end, err));
    return zip_sort_names(z, err);
}

static inarch_status zip_load(ia_zip *z, inarch_error *err)
{
    ia_zip_end end;
    IA_TRY(ia_zip_read_end(&z->in, &end, err));
    size_t n = (size_t)end.entries;
    z->member = ia_calloc(n, sizeof *z->member);
    z->by_name = ia_calloc(n, sizeof *z->by_name);
    uint8_t *directory = ia_calloc((size_t)end.size, 1);
    if (!z->member || !z->by_name || !directory) {
        ia_free(directory);
        return ia_fail_memory(err, "the directory of a ZIP file", (size_t)end.size);
    }
    inarch_status status = ia_input_read(&z->in, end.offset, (size_t)end.size, directory, err);
    if (status == INARCH_OK)
        status = zip_read_directory(z, &end, directory, err);
    ia_free(directory);
    return status;
}

inarch_status ia_zip_open(const ia_input *in, ia_zip **out, inarch_error *err)
{
    ia_zip *z = ia_calloc(1, sizeof *z);
    if (!z)
        return ia_fail_memory(err, "a ZIP file", sizeof *z);
    z->in = *in;
    inarch_status status = zip_load(z, err);
    if (status != INARCH_OK) {
        ia_zip_close(z);
        return status;
    }
    *out = z;
    return INARCH_OK;
}

void ia_zip_close(ia_zip *z)
{
    if (!z)
        return;
    for (size_t i = 0; z->member && i < z->count; i++)
        ia_free(z->member[i].shown);
    ia_free(z->member);
    ia_free(z->by_name);
    ia_free(z);
}

/* ---- use ---- */

size_t ia_zip_count(const ia_zip *z)
{
    return z->count;
}

const char *ia_zip_name(const ia_zip *z, size_t member)
{
    return z->member[member].name;
}

uint64_t ia_zip_size(const ia_zip *z, size_t member)
{
    return z->member[member].size;
}

bool ia_zip_find(const ia_zip *z, const char *name, size_t *member)
{
    size_t low = 0, high = z->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(z->member[z->by_name[middle]].name, name);
        if (order == 0) {
            *member = z->by_name[middle];
            return true;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static inarch_status member_input(const ia_zip *z, const zip_member *m, ia_input *out,
                                  inarch_error *err)
{
    IA_TRY(ia_input_window(&z->in, m->data, m->coded, out, err));
    out->name = m->shown;
    return INARCH_OK;
}

inarch_status ia_zip_stream(const ia_zip *z, size_t member, ia_stream *out, inarch_error *err)
{
    const zip_member *m = &z->member[member];
    ia_input in;
    *out = (ia_stream){.size = 0};
    if (m->method != IA_ZIP_STORED && m->method != IA_ZIP_DEFLATED)
        return ia_fail(err, INARCH_UNSUPPORTED, m->shown,
                       "save the file without compression or with np.savez_compressed",
                       "member '%.240s' is compressed in a way that is not read (method %u)",
                       m->shown, (unsigned)m->method);
    IA_TRY(member_input(z, m, &in, err));
    ia_coding coding = m->method == IA_ZIP_STORED ? IA_CODING_RAW : IA_CODING_DEFLATE;
    inarch_status status = ia_stream_open(&in, coding, m->size, out, err);
    if (status != INARCH_OK) {
        ia_stream_close(out);
        return status;
    }
    out->has_crc = true;
    out->expected_crc = m->crc;
    return INARCH_OK;
}

inarch_status ia_zip_read(const ia_zip *z, size_t member, size_t max, uint8_t **out, size_t *len,
                          inarch_error *err)
{
    const zip_member *m = &z->member[member];
    if (m->size > max || m->size >= SIZE_MAX)
        return ia_fail(err, INARCH_LIMIT, m->shown, "",
                       "member '%.200s' has %" PRIu64 " bytes, but at most %zu are read", m->shown,
                       m->size, max);
    ia_stream s;
    IA_TRY(ia_zip_stream(z, member, &s, err));
    size_t n = (size_t)m->size;
    uint8_t *data = ia_calloc(n + 1, 1);
    inarch_status status =
        data ? ia_stream_read(&s, data, n, err) : ia_fail_memory(err, m->shown, n + 1);
    if (status == INARCH_OK)
        status = ia_stream_end(&s, err);
    ia_stream_close(&s);
    if (status != INARCH_OK) {
        ia_free(data);
        return status;
    }
    *out = data;
    *len = n;
    return INARCH_OK;
}

inarch_status ia_zip_window(const ia_zip *z, size_t member, ia_input *out, inarch_error *err)
{
    const zip_member *m = &z->member[member];
    if (m->method != IA_ZIP_STORED)
        return ia_fail(err, INARCH_UNSUPPORTED, m->shown, "",
                       "member '%.240s' is compressed and cannot be read in place", m->shown);
    return member_input(z, m, out, err);
}

inarch_status ia_zip_verify(const ia_zip *z, size_t member, inarch_error *err)
{
    ia_stream s;
    IA_TRY(ia_zip_stream(z, member, &s, err));
    uint8_t piece[4096];
    inarch_status status = INARCH_OK;
    size_t got = sizeof piece;
    while (status == INARCH_OK && got == sizeof piece)
        status = ia_stream_some(&s, piece, sizeof piece, &got, err);
    if (status == INARCH_OK)
        status = ia_stream_end(&s, err);
    ia_stream_close(&s);
    return status;
}
