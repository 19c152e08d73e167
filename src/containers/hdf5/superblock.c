/* Finds the signature and reads the superblock, version 0 or 2 and 3.
 *
 * A userblock may stand in front: the signature is then at 512, 1024, 2048, ... and all addresses
 * but the end of file count from it. */
#include "containers/hdf5/internal.h"

#include <string.h>

static const uint8_t signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};

static bool signature_at(const ia_input *in, uint64_t at)
{
    uint8_t bytes[8];
    return at <= in->size && in->size - at >= 8 &&
           ia_input_read(in, at, 8, bytes, NULL) == INARCH_OK && memcmp(bytes, signature, 8) == 0;
}

/* The signature's place, or UINT64_MAX. */
static uint64_t find_signature(const ia_input *in)
{
    uint64_t at = 0;
    while (!signature_at(in, at)) {
        at = at == 0 ? 512 : 2 * at;
        if (at > in->size)
            return UINT64_MAX;
    }
    return at;
}

bool ia_h5_probe(const ia_input *in)
{
    return find_signature(in) != UINT64_MAX;
}

static inarch_status check_sizes(const h5_walk *w, unsigned offsets, unsigned lengths,
                                 inarch_error *err)
{
    if (offsets == 8 && lengths == 8)
        return INARCH_OK;
    return h5_refuse(w, err, "",
                     "HDF5 with addresses of %u and lengths of %u bytes is not read, "
                     "only 8 and 8",
                     offsets, lengths);
}

/* base, end and flags as both versions have them. */
static inarch_status check_frame(h5_walk *w, const ia_input *in, uint64_t at, uint64_t base,
                                 uint64_t end, uint32_t flags, inarch_error *err)
{
    if (base != at)
        return h5_bad(w, err, "damaged: the superblock says it stands at %llu, but it is at %llu",
                      (unsigned long long)base, (unsigned long long)at);
    if (end > in->size)
        return ia_h5_fail(w, err, INARCH_BAD_FILE, "copy or download it again",
                          "the file is cut: %llu bytes of %llu are there",
                          (unsigned long long)in->size, (unsigned long long)end);
    if (end <= base)
        return ia_h5_fail(w, err, INARCH_BAD_FILE,
                          "the program that wrote it stopped too early; save it again",
                          "the file was never finished: its superblock has no end of file");
    if (flags != 0)
        return ia_h5_fail(
            w, err, INARCH_BAD_FILE, "close it in the program that writes it, or copy it again",
            "the file was not closed by the program that wrote it (flags %u)", (unsigned)flags);
    w->eof = end - base;
    return INARCH_OK;
}

static inarch_status read_version_0(h5_walk *w, const ia_input *in, uint64_t at, inarch_error *err)
{
    uint8_t bytes[96];
    IA_TRY(ia_h5_take(w, 0, sizeof bytes, "superblock", bytes, err));
    ia_cursor c = ia_cursor_of(bytes, sizeof bytes);
    ia_seek(&c, 13);
    unsigned offsets = ia_u8(&c), lengths = ia_u8(&c);
    IA_TRY(check_sizes(w, offsets, lengths, err));
    ia_seek(&c, 16);
    w->leaf_k = ia_u16(&c);
    w->internal_k = ia_u16(&c);
    uint32_t flags = ia_u32(&c);
    uint64_t base = ia_u64(&c);
    ia_skip(&c, 8); /* free space: not used */
    uint64_t end = ia_u64(&c), driver = ia_u64(&c);
    ia_skip(&c, 8);
    w->root_header = ia_u64(&c);
    uint32_t cache_type = ia_u32(&c);
    IA_TRY(check_frame(w, in, at, base, end, flags, err));
    if (w->leaf_k == 0 || w->internal_k == 0)
        return h5_bad(w, err, "damaged: the superblock gives group nodes no entries");
    if (driver != H5_NOWHERE)
        return h5_refuse(w, err, "",
                         "HDF5 split over several files (driver information) is not "
                         "read");
    if (cache_type > 1)
        return h5_bad(w, err, "damaged: the root of the file is not a group (cache type %u)",
                      (unsigned)cache_type);
    return INARCH_OK;
}

/* The extension may hold only how free space is managed (0x17), which does not matter to a reader.
 */
static inarch_status check_extension(h5_walk *w, uint64_t addr, inarch_error *err)
{
    h5_header h = {0};
    inarch_status status;
    IA_TRY_GOTO(ia_h5_header_read(w, addr, &h, err));
    for (size_t i = 0; i < h.count; i++)
        if (h.messages[i].type != H5_MSG_FILE_SPACE) {
            status = h5_refuse(w, err, "", "message 0x%02x in the superblock extension is not read",
                               (unsigned)h.messages[i].type);
            break;
        }
done:
    ia_h5_header_free(&h);
    return status;
}

static inarch_status read_version_2(h5_walk *w, const ia_input *in, uint64_t at, inarch_error *err)
{
    uint8_t bytes[48];
    IA_TRY(ia_h5_take(w, 0, sizeof bytes, "superblock", bytes, err));
    IA_TRY(ia_h5_check_sum(w, "superblock", 0, bytes, sizeof bytes, err));
    ia_cursor c = ia_cursor_of(bytes, sizeof bytes);
    ia_seek(&c, 9);
    unsigned offsets = ia_u8(&c), lengths = ia_u8(&c);
    IA_TRY(check_sizes(w, offsets, lengths, err));
    uint8_t flags = ia_u8(&c);
    uint64_t base = ia_u64(&c), extension = ia_u64(&c), end = ia_u64(&c);
    w->root_header = ia_u64(&c);
    w->leaf_k = 4;
    w->internal_k =
        16; /* the format's defaults; other values need an extension, which is refused */
    IA_TRY(check_frame(w, in, at, base, end, flags, err));
    return extension == H5_NOWHERE ? INARCH_OK : check_extension(w, extension, err);
}

inarch_status ia_h5_superblock(h5_walk *w, const ia_input *in, inarch_error *err)
{
    uint64_t at = find_signature(in);
    if (at == UINT64_MAX)
        return ia_h5_fail(w, err, INARCH_BAD_FILE, "",
                          in->size == 0 ? "the file is empty" : "this is not an HDF5 file");
    IA_TRY(ia_input_window(in, at, in->size - at, &w->file->in, err));
    w->eof = w->file->in.size; /* until the superblock says where the file ends */
    w->max_objects = w->eof / 64 < H5_MAX_OBJECTS ? (size_t)(w->eof / 64) : H5_MAX_OBJECTS;
    if (w->eof < 9)
        return ia_h5_fail(w, err, INARCH_BAD_FILE, "copy or download it again",
                          "the file is cut: only %llu bytes are there", (unsigned long long)w->eof);
    uint8_t version;
    IA_TRY(ia_h5_peek(w, 8, 1, "superblock", &version, err));
    bool newer = version == 2 || version == 3;
    if (version != 0 && !newer)
        return h5_refuse(w, err, "", "HDF5 superblock version %u is not read, only 0, 2 and 3",
                         (unsigned)version);
    size_t needs = newer ? 48 : 96;
    if (w->eof < needs)
        return ia_h5_fail(w, err, INARCH_BAD_FILE, "copy or download it again",
                          "the file is cut: only %llu bytes are there", (unsigned long long)w->eof);
    return newer ? read_version_2(w, in, at, err) : read_version_0(w, in, at, err);
}
