/* Datatypes and dataspaces. Layouts are compared whole with a table, never computed from. */
#include "containers/hdf5/internal.h"

#include <string.h>

/* Little-endian layouts; byte 1 may have bit 0 (big endian) set where `ordered`. The first row of a
 * dtype is the one that is written. */
#define FLOAT(sign, size, bits, exp_at, exp_bits, man_bits, b0, b1)                                \
    {                                                                                              \
        0x11, 0x20, sign, 0, size, 0, 0, 0, 0, 0, bits, 0, exp_at, exp_bits, 0, man_bits, b0, b1,  \
            0, 0                                                                                   \
    }
#define INTEGER(flags, size)                                                                       \
    {                                                                                              \
        0x10, flags, 0, 0, size, 0, 0, 0, 0, 0, 8 * size, 0                                        \
    }
#define BOOLEAN(version) version, 2, 0, 0, 1, 0, 0, 0, 0x10, 8, 0, 0, 1, 0, 0, 0, 0, 0, 8, 0
#define BOOLEAN_NAMES 'F', 'A', 'L', 'S', 'E', 0, 'T', 'R', 'U', 'E', 0, 0, 1

static const struct {
    uint8_t layout[40];
    uint8_t n;
    bool ordered;
    ia_dtype dtype;
} number_layouts[] = {
    {FLOAT(0x1f, 4, 32, 0x17, 8, 0x17, 0x7f, 0), 20, true, IA_F32},
    {FLOAT(0x3f, 8, 64, 0x34, 11, 0x34, 0xff, 3), 20, true, IA_F64},
    {FLOAT(0x0f, 2, 16, 10, 5, 10, 0x0f, 0), 20, true, IA_F16},
    {INTEGER(8, 1), 12, true, IA_I8},
    {INTEGER(8, 2), 12, true, IA_I16},
    {INTEGER(8, 4), 12, true, IA_I32},
    {INTEGER(8, 8), 12, true, IA_I64},
    {INTEGER(0, 1), 12, true, IA_U8},
    {INTEGER(0, 2), 12, true, IA_U16},
    {INTEGER(0, 4), 12, true, IA_U32},
    {INTEGER(0, 8), 12, true, IA_U64},
    {{0x15, 0, 0, 0, 2, 0, 0, 0}, 8, false, IA_BF16}, /* opaque without a tag: as Keras writes it */
    {FLOAT(0x0f, 2, 16, 7, 8, 7, 0x7f, 0), 20, true, IA_BF16},
    {{BOOLEAN(0x18), 'F', 'A', 'L', 'S', 'E', 0, 0, 0, 'T', 'R', 'U', 'E', 0, 0, 0, 0, 0, 1},
     38,
     false,
     IA_BOOL},
    {{BOOLEAN(0x38), BOOLEAN_NAMES}, 33, false, IA_BOOL},
    {{BOOLEAN(0x48), BOOLEAN_NAMES}, 33, false, IA_BOOL},
    {{BOOLEAN(0x58), BOOLEAN_NAMES}, 33, false, IA_BOOL},
};

static const uint8_t vlen_text[20] = {0x19, 1, 0, 0, 16, 0, 0, 0, 0x10, 0,
                                      0,    0, 1, 0, 0,  0, 0, 0, 8,    0};

static const char *const class_names[16] = {
    "an integer",  "a floating-point number", "a time",        "a string",
    "a bit field", "an opaque value",         "a compound",    "a reference",
    "an enum",     "a variable-length value", "a fixed array", "a complex number",
};

void ia_h5_type_layout(ia_dtype dtype, const uint8_t **layout, size_t *n)
{
    size_t i = 0; /* every dtype has a row */
    while (number_layouts[i].dtype != dtype)
        i++;
    *layout = number_layouts[i].layout;
    *n = number_layouts[i].n;
}

static bool match_number(const uint8_t *bytes, size_t n, h5_type *out)
{
    for (size_t i = 0; i < IA_COUNT(number_layouts); i++) {
        size_t length = number_layouts[i].n;
        const uint8_t *layout = number_layouts[i].layout;
        uint8_t order = number_layouts[i].ordered ? bytes[1] & 1u : 0;
        if (n < length || n - length >= 8 || bytes[0] != layout[0] ||
            bytes[1] != (layout[1] | order) || memcmp(bytes + 2, layout + 2, length - 2) != 0)
            continue;
        *out = (h5_type){.class_ = H5_NUMBERS,
                         .dtype = number_layouts[i].dtype,
                         .swap = (order != 0) != ia_big_endian(),
                         .size = ia_dtype_size(number_layouts[i].dtype)};
        return true;
    }
    return false;
}

static bool match_text(const uint8_t *bytes, size_t n, h5_type *out)
{
    unsigned padding = bytes[1] & 15u, charset = bytes[1] >> 4;
    if (bytes[0] == 0x13 && n < 16 && padding <= 1 && charset <= 1 && bytes[2] == 0 &&
        bytes[3] == 0) {
        ia_cursor c = ia_cursor_of(bytes + 4, 4);
        *out = (h5_type){.class_ = H5_FIXED_TEXT, .size = ia_u32(&c), .terminated = padding == 0};
        return out->size > 0;
    }
    if (n < sizeof vlen_text || n - sizeof vlen_text >= 8 || bytes[2] > 1 ||
        memcmp(bytes, vlen_text, 2) != 0 || memcmp(bytes + 3, vlen_text + 3, 17) != 0)
        return false;
    *out = (h5_type){.class_ = H5_VLEN_TEXT, .size = 16};
    return true;
}

inarch_status ia_h5_type_read(const h5_walk *w, const uint8_t *bytes, size_t n, h5_type *out,
                              inarch_error *err)
{
    if (n < 8)
        return h5_bad(w, err, "damaged: a datatype of %zu bytes", n);
    if (match_number(bytes, n, out) || match_text(bytes, n, out))
        return INARCH_OK;
    const char *name = class_names[bytes[0] & 15u];
    ia_cursor c = ia_cursor_of(bytes + 4, 4);
    return h5_refuse(w, err, "",
                     "its elements are %s of %u bytes in a layout that is not read "
                     "(%02x %02x %02x)",
                     name != NULL ? name : "of an unknown class", (unsigned)ia_u32(&c), bytes[0],
                     bytes[1], bytes[2]);
}

void ia_h5_to_host(const h5_type *type, void *data, size_t count)
{
    if (type->swap && type->size > 1)
        ia_byteswap(data, count, type->size);
    if (type->dtype != IA_BOOL)
        return;
    uint8_t *p = data;
    for (size_t i = 0; i < count; i++)
        p[i] = p[i] != 0;
}

/* ---- dataspace ---- */

#define SPACE_SCALAR 0u
#define SPACE_SIMPLE 1u
#define SPACE_NULL 2u
#define SPACE_KNOWN_FLAGS 1u /* maximal dimensions follow; they do not matter to a reader */

static inarch_status read_dims(const h5_walk *w, ia_cursor *c, unsigned rank, h5_space *out,
                               inarch_error *err)
{
    if (rank > IA_MAX_RANK)
        return h5_limit(w, err, "an array of %u dimensions; at most %d are read", rank,
                        IA_MAX_RANK);
    size_t product = 1; /* without the zeros, so that a wrapped size never hides behind one */
    bool zero = false;
    out->shape.rank = (int)rank;
    for (unsigned i = 0; i < rank; i++) {
        uint64_t dim = ia_u64(c);
        if (dim > INT64_MAX || dim > SIZE_MAX)
            return h5_bad(w, err, "damaged: a dimension of %llu", (unsigned long long)dim);
        out->shape.dim[i] = (int64_t)dim;
        zero = zero || dim == 0;
        if (dim != 0 && !ia_mul(product, (size_t)dim, &product))
            return h5_bad(w, err, "damaged: the product of its dimensions does not fit 64 bits");
    }
    out->count = zero ? 0 : product;
    return INARCH_OK;
}

inarch_status ia_h5_space_read(const h5_walk *w, const uint8_t *bytes, size_t n, h5_space *out,
                               inarch_error *err)
{
    *out = (h5_space){0};
    ia_cursor c = ia_cursor_of(bytes, n);
    unsigned version = ia_u8(&c), rank = ia_u8(&c), flags = ia_u8(&c), kind = ia_u8(&c);
    if (!c.bad && version != 1 && version != 2)
        return h5_refuse(w, err, "", "dataspace version %u is not read", version);
    if (version == 1) {
        ia_skip(&c, 4);
        kind = rank == 0 ? SPACE_SCALAR : SPACE_SIMPLE;
    }
    if (!c.bad && ((flags & ~SPACE_KNOWN_FLAGS) != 0 || kind > SPACE_NULL))
        return h5_bad(w, err, "damaged: a dataspace of kind %u with flags 0x%02x", kind, flags);
    if (!c.bad && kind != SPACE_SIMPLE && rank != 0)
        return h5_bad(w, err, "damaged: a scalar of %u dimensions", rank);
    out->null = kind == SPACE_NULL;
    out->count = out->null ? 0 : 1;
    if (kind == SPACE_SIMPLE)
        IA_TRY(read_dims(w, &c, rank, out, err));
    if (c.bad)
        return h5_bad(w, err, "damaged: a dataspace of %zu bytes", n);
    return INARCH_OK;
}
