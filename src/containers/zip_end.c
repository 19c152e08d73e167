/* The end of a ZIP file: the record behind everything, its comment, and the zip64 pair before it.
 *
 * The directory must end exactly where the first of these records begins: nothing is searched for
 * by guess, and nothing may stand in front of the archive. */
#include "containers/zip_end.h"
#include "containers/zip.h"

#include "base/alloc.h"
#include "base/cursor.h"

#include <inttypes.h>
#include <string.h>

#define END_BYTES 22
#define END_COMMENT_MOST 65535
#define LOCATOR_BYTES 20
#define END64_BYTES 56
#define DIRECTORY_MOST ((uint64_t)64 << 20)

inarch_status ia_zip_bad(const ia_input *in, inarch_error *err, const char *why)
{
    return ia_fail(err, INARCH_BAD_FILE, in->name, "the file is damaged or was cut short",
                   "'%.200s' is not a sound ZIP file: %s", in->name, why);
}

/* Fields that are all ones are found in the zip64 record; others must agree with it. */
static bool agrees(uint64_t narrow, uint64_t ones, uint64_t wide)
{
    return narrow == ones || narrow == wide;
}

static inarch_status zip_read_end64(const ia_input *in, uint64_t locator_at, ia_zip_end *end,
                                    inarch_error *err)
{
    uint8_t raw[END64_BYTES];
    IA_TRY(ia_input_read(in, locator_at, LOCATOR_BYTES, raw, err));
    ia_cursor c = ia_cursor_of(raw, LOCATOR_BYTES);
    if (!ia_match(&c, "PK\6\7", 4))
        return INARCH_OK;
    uint32_t disk = ia_u32(&c);
    uint64_t at = ia_u64(&c);
    uint32_t disks = ia_u32(&c);
    if (disk != 0 || disks > 1 || locator_at < END64_BYTES || at > locator_at - END64_BYTES)
        return ia_zip_bad(in, err, "its zip64 locator points outside");
    IA_TRY(ia_input_read(in, at, END64_BYTES, raw, err));
    c = ia_cursor_of(raw, END64_BYTES);
    if (!ia_match(&c, "PK\6\6", 4) || ia_u64(&c) != locator_at - at - 12)
        return ia_zip_bad(in, err, "its zip64 end record is damaged");
    ia_skip(&c, 4);
    uint32_t this_disk = ia_u32(&c), first_disk = ia_u32(&c);
    uint64_t here = ia_u64(&c), entries = ia_u64(&c), size = ia_u64(&c), offset = ia_u64(&c);
    if (this_disk != 0 || first_disk != 0 || here != entries)
        return ia_zip_bad(in, err, "it is one of several parts");
    if (!agrees(end->entries, 0xffff, entries) || !agrees(end->size, 0xffffffff, size) ||
        !agrees(end->offset, 0xffffffff, offset))
        return ia_zip_bad(in, err, "its two end records disagree");
    *end = (ia_zip_end){entries, size, offset, at};
    return INARCH_OK;
}

/* The end record lies at the end of `tail`, but for its comment. Its position, or SIZE_MAX. */
static size_t zip_find_end(const uint8_t *tail, size_t n)
{
    for (size_t at = n < END_BYTES ? 0 : n - END_BYTES + 1; at-- > 0;) {
        if (memcmp(tail + at, "PK\5\6", 4) != 0)
            continue;
        size_t comment = tail[at + 20] | (size_t)tail[at + 21] << 8;
        if (comment == n - at - END_BYTES)
            return at;
    }
    return SIZE_MAX;
}

inarch_status ia_zip_read_end(const ia_input *in, ia_zip_end *end, inarch_error *err)
{
    uint64_t most = END_BYTES + END_COMMENT_MOST;
    size_t n = (size_t)(in->size < most ? in->size : most);
    uint8_t *tail = ia_calloc(n, 1);
    if (!tail)
        return ia_fail_memory(err, "the end of a ZIP file", n);
    inarch_status status = ia_input_read(in, in->size - n, n, tail, err);
    size_t at = status == INARCH_OK ? zip_find_end(tail, n) : SIZE_MAX;
    uint8_t raw[END_BYTES];
    if (at != SIZE_MAX)
        memcpy(raw, tail + at, END_BYTES);
    ia_free(tail);
    IA_TRY(status);
    if (at == SIZE_MAX)
        return ia_zip_bad(in, err, "it has no end record");

    ia_cursor c = ia_cursor_of(raw, END_BYTES);
    ia_skip(&c, 4);
    uint16_t disk = ia_u16(&c), first = ia_u16(&c), here = ia_u16(&c);
    end->entries = ia_u16(&c);
    end->size = ia_u32(&c);
    end->offset = ia_u32(&c);
    end->limit = in->size - n + at;
    if ((disk != 0 && disk != 0xffff) || (first != 0 && first != 0xffff) || here != end->entries)
        return ia_zip_bad(in, err, "it is one of several parts");
    uint64_t end_at = end->limit;
    if (end_at >= LOCATOR_BYTES)
        IA_TRY(zip_read_end64(in, end_at - LOCATOR_BYTES, end, err));
    if (end->offset > end->limit || end->size != end->limit - end->offset)
        return ia_zip_bad(in, err, "its directory does not end where the end record begins");
    if (end->entries > IA_ZIP_MAX_MEMBERS || end->size > DIRECTORY_MOST)
        return ia_fail(err, INARCH_LIMIT, in->name, "",
                       "'%.200s' has %" PRIu64 " members, but at most %d are read", in->name,
                       end->entries, IA_ZIP_MAX_MEMBERS);
    return INARCH_OK;
}
