/* The text of an HDF5 file as tools/hdf5_oracle.py prints it with h5py: one line an object or
 * attribute, values by their CRC-32. */
#ifndef HDF5_DUMP_H
#define HDF5_DUMP_H

#include "base/alloc.h"
#include "base/buf.h"
#include "containers/hdf5/hdf5.h"

#include <zlib.h>

static inarch_status dump_shape(ia_buf *out, const ia_shape *s, inarch_error *err)
{
    for (int i = 0; i < s->rank; i++)
        IA_TRY(ia_buf_printf(out, err, "%s%lld", i > 0 ? "x" : "", (long long)s->dim[i]));
    return s->rank == 0 ? ia_buf_text(out, "-", err) : INARCH_OK;
}

static inarch_status dump_numbers(ia_buf *out, ia_dtype t, const ia_shape *s, const void *data,
                                  size_t bytes, inarch_error *err)
{
    IA_TRY(ia_buf_printf(out, err, " %s ", ia_dtype_name(t)));
    IA_TRY(s != NULL ? dump_shape(out, s, err) : ia_buf_text(out, "null", err));
    uLong crc = crc32(0, NULL, 0);
    for (size_t at = 0; at < bytes; at += 1u << 30)
        crc = crc32(crc, (const Bytef *)data + at,
                    (uInt)(bytes - at < 1u << 30 ? bytes - at : 1u << 30));
    return ia_buf_printf(out, err, " %08lx\n", crc);
}

static inarch_status dump_attr(ia_buf *out, const char *path, const ia_h5_attr *a,
                               inarch_error *err)
{
    IA_TRY(ia_buf_printf(out, err, "A %s %s", path, a->name));
    if (a->strings == NULL)
        return dump_numbers(out, a->dtype, a->null ? NULL : &a->shape, a->data,
                            a->count * ia_dtype_size(a->dtype), err);
    uLong crc = crc32(0, NULL, 0);
    for (size_t i = 0; i < a->count; i++) {
        uint32_t n = a->strings[i].len;
        uint8_t len[4] = {(uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16), (uint8_t)(n >> 24)};
        crc = crc32(crc, len, 4);
        crc = crc32(crc, (const Bytef *)a->strings[i].text, n);
    }
    IA_TRY(ia_buf_text(out, " text ", err));
    IA_TRY(a->null ? ia_buf_text(out, "null", err) : dump_shape(out, &a->shape, err));
    return ia_buf_printf(out, err, " %08lx\n", crc);
}

static inarch_status dump_object(ia_buf *out, const ia_h5 *file, const ia_h5_object *o,
                                 inarch_error *err)
{
    char path[70000];
    ia_h5_path(o, path, sizeof path);
    IA_TRY(ia_buf_printf(out, err, "%c %s", o->kind == IA_H5_GROUP ? 'G' : 'D', path));
    if (o->kind == IA_H5_DATASET) {
        ia_array a;
        IA_TRY(ia_h5_read(file, o, &a, err));
        inarch_status status = dump_numbers(out, o->dtype, &o->shape,
                                            o->bytes > 0 ? ia_array_data(&a) : NULL, o->bytes, err);
        ia_array_release(&a);
        IA_TRY(status);
    } else {
        IA_TRY(ia_buf_text(out, "\n", err));
    }
    for (size_t i = 0; i < o->attr_count; i++)
        IA_TRY(dump_attr(out, path, &o->attrs[i], err));
    return INARCH_OK;
}

/* Depth first, as the oracle walks. */
static inarch_status dump_file(ia_buf *out, const ia_h5 *file, inarch_error *err)
{
    const ia_h5_object *o = ia_h5_root(file);
    size_t at[80] = {0};
    int depth = 0;
    IA_TRY(dump_object(out, file, o, err));
    while (depth >= 0) {
        if (at[depth] == o->child_count) {
            o = o->parent;
            depth--;
            continue;
        }
        o = o->children[at[depth]++];
        IA_TRY(dump_object(out, file, o, err));
        at[++depth] = 0;
    }
    return INARCH_OK;
}

#endif
