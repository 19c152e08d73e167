/* Datasets: where their bytes lie is learnt at open, values are read on request.
 *
 * Contiguous and compact data here; chunks are chunk.c's. A dataset without storage holds its fill
 * value. */
#include "containers/hdf5/internal.h"

#include <assert.h>
#include <string.h>

typedef struct dataset_parts {
    const h5_message *type, *space, *layout, *fill, *filters;
} dataset_parts;

static inarch_status find_parts(const h5_walk *w, const h5_header *h, dataset_parts *p,
                                inarch_error *err)
{
    IA_TRY(ia_h5_header_one(w, h, H5_MSG_TYPE, &p->type, err));
    IA_TRY(ia_h5_header_one(w, h, H5_MSG_SPACE, &p->space, err));
    IA_TRY(ia_h5_header_one(w, h, H5_MSG_LAYOUT, &p->layout, err));
    IA_TRY(ia_h5_header_one(w, h, H5_MSG_FILL, &p->fill, err));
    IA_TRY(ia_h5_header_one(w, h, H5_MSG_FILTERS, &p->filters, err));
    if (p->type == NULL || p->space == NULL)
        return h5_bad(w, err, "damaged: a dataset without a %s",
                      p->type == NULL ? "datatype" : "dataspace");
    return INARCH_OK;
}

/* Version 2: alloc time, write time, defined, then size and value when defined. Version 3: flags,
 * bit 5 = a value follows. Bit 4 (undefined) is as good as zero. */
static inarch_status read_fill(const h5_walk *w, const h5_message *m, ia_h5_storage *s,
                               inarch_error *err)
{
    ia_cursor c = ia_cursor_of(m->body, m->size);
    unsigned version = ia_u8(&c);
    if (version != 2 && version != 3)
        return h5_refuse(w, err, "", "fill value version %u is not read", version);
    if (version == 2)
        ia_skip(&c, 2);
    unsigned flags = ia_u8(&c);
    bool defined = version == 2 ? flags != 0 : (flags & 0x20u) != 0;
    uint32_t size = defined ? ia_u32(&c) : 0;
    const uint8_t *value = ia_bytes(&c, size);
    if (c.bad || (size != 0 && size != s->type.size))
        return h5_bad(w, err, "damaged: a fill value of %u bytes for elements of %zu",
                      (unsigned)size, s->type.size);
    if (size != 0) {
        memcpy(s->fill, value, size);
        s->has_fill = true;
    }
    return INARCH_OK;
}

static inarch_status read_contiguous(h5_walk *w, ia_cursor *c, const ia_h5_object *o,
                                     ia_h5_storage *s, inarch_error *err)
{
    s->addr = ia_u64(c);
    uint64_t size = ia_u64(c);
    if (c->bad || size != o->bytes)
        return h5_bad(w, err, "damaged: %zu bytes of elements in a place of %llu", o->bytes,
                      (unsigned long long)size);
    s->layout = H5_CONTIGUOUS;
    if (o->bytes > 0 && s->addr != H5_NOWHERE)
        return ia_h5_take_data(w, s->addr, size, err);
    s->layout = H5_FILLED;
    return ia_h5_make(w, o->bytes, err);
}

static inarch_status read_compact(h5_walk *w, ia_cursor *c, const ia_h5_object *o, ia_h5_storage *s,
                                  inarch_error *err)
{
    size_t size = ia_u16(c);
    const uint8_t *data = ia_bytes(c, size);
    if (c->bad || size != o->bytes)
        return h5_bad(w, err, "damaged: %zu bytes of elements in a place of %zu", o->bytes, size);
    IA_TRY(ia_h5_hand_out(w, size, err));
    void *kept = ia_h5_keep(w->file, size + 1, 1, "dataset", err);
    if (kept == NULL)
        return INARCH_NO_MEMORY;
    memcpy(kept, data, size);
    s->layout = H5_COMPACT;
    s->inside = kept;
    return INARCH_OK;
}

static inarch_status read_layout(h5_walk *w, const dataset_parts *p, const ia_h5_object *o,
                                 ia_h5_storage *s, inarch_error *err)
{
    ia_cursor c = ia_cursor_of(p->layout->body, p->layout->size);
    unsigned version = ia_u8(&c), class_ = ia_u8(&c);
    if (c.bad || version < 3 || version > 5)
        return h5_refuse(w, err, "", "data layout version %u is not read", version);
    if (class_ == 2)
        return ia_h5_chunked(w, &c, version, p->filters, o, s, err);
    if (p->filters != NULL)
        return h5_bad(w, err, "damaged: filters on data that are not chunked");
    if (class_ == 0)
        return read_compact(w, &c, o, s, err);
    if (class_ == 1)
        return read_contiguous(w, &c, o, s, err);
    if (class_ == 3)
        return h5_refuse(w, err, "",
                         "a virtual dataset, whose data lie in other files, is not read");
    return h5_bad(w, err, "damaged: a data layout of class %u", class_);
}

inarch_status ia_h5_dataset(h5_walk *w, const h5_header *h, ia_h5_object *o, inarch_error *err)
{
    dataset_parts p;
    h5_space space;
    IA_TRY(find_parts(w, h, &p, err));
    ia_h5_storage *s = ia_h5_keep(w->file, 1, sizeof *s, "HDF5 dataset", err);
    if (s == NULL)
        return INARCH_NO_MEMORY;
    IA_TRY(ia_h5_type_read(w, p.type->body, p.type->size, &s->type, err));
    IA_TRY(ia_h5_space_read(w, p.space->body, p.space->size, &space, err));
    if (s->type.class_ != H5_NUMBERS)
        return h5_refuse(w, err, "", "a dataset of strings is not read");
    if (space.null)
        return h5_refuse(w, err, "", "a dataset without a value (null dataspace) is not read");
    o->dtype = s->type.dtype;
    o->shape = space.shape;
    if (!ia_mul(space.count, s->type.size, &o->bytes))
        return h5_bad(w, err, "damaged: the size of the data does not fit 64 bits");
    o->storage = s;
    if (p.fill != NULL)
        IA_TRY(read_fill(w, p.fill, s, err));
    return read_layout(w, &p, o, s, err);
}

static void fill_with(const ia_h5_storage *s, uint8_t *dst, size_t bytes)
{
    if (s->has_fill) /* new arrays are zeros */
        for (size_t i = 0; i < bytes; i += s->type.size)
            memcpy(dst + i, s->fill, s->type.size);
}

/* In host order. */
static inarch_status read_values(const ia_h5 *file, const ia_h5_object *o, uint8_t *dst,
                                 inarch_error *err)
{
    const ia_h5_storage *s = o->storage;
    switch (s->layout) {
    case H5_FILLED:
        fill_with(s, dst, o->bytes);
        break;
    case H5_COMPACT:
        memcpy(dst, s->inside, o->bytes);
        break;
    case H5_CONTIGUOUS:
        IA_TRY(ia_input_read(&file->in, s->addr, o->bytes, dst, err));
        break;
    case H5_CHUNKED:
        fill_with(s, dst, o->bytes);
        IA_TRY(ia_h5_chunks_read(file, o, dst, err));
        break;
    }
    ia_h5_to_host(&s->type, dst, o->bytes / s->type.size);
    return INARCH_OK;
}

inarch_status ia_h5_read(const ia_h5 *file, const ia_h5_object *dataset, ia_array *out,
                         inarch_error *err)
{
    assert(dataset->kind == IA_H5_DATASET);
    ia_array a;
    IA_TRY(ia_array_new(dataset->dtype, &dataset->shape, dataset->name, &a, err));
    inarch_status status = INARCH_OK;
    if (dataset->bytes > 0)
        status = read_values(file, dataset, ia_array_mutable(&a), err);
    if (status == INARCH_OK)
        *out = a;
    else
        ia_array_release(&a);
    return status;
}
