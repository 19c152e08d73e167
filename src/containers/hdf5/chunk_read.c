/* Reads the chunks of a dataset into one row-major array. */
#include "containers/hdf5/internal.h"

#include <string.h>

/* Copies one chunk into its place; what lies beyond the edges is left out. */
static void place_chunk(const ia_h5_object *o, uint64_t index, const uint8_t *chunk, uint8_t *dst)
{
    const ia_h5_storage *s = o->storage;
    int rank = o->shape.rank;
    size_t size = s->type.size;
    uint64_t origin[IA_MAX_RANK], extent[IA_MAX_RANK], at[IA_MAX_RANK] = {0};
    for (int i = rank - 1; i >= 0; i--) {
        origin[i] = index % s->grid[i] * s->chunk_dim[i];
        index /= s->grid[i];
        uint64_t left = (uint64_t)o->shape.dim[i] - origin[i];
        extent[i] = left < s->chunk_dim[i] ? left : s->chunk_dim[i];
    }
    size_t run = (size_t)extent[rank - 1] * size; /* a row of the last dimension */
    for (;;) {
        size_t from = 0, to = 0;
        for (int i = 0; i < rank; i++) {
            from = from * (size_t)s->chunk_dim[i] + (size_t)at[i];
            to = to * (size_t)o->shape.dim[i] + (size_t)(origin[i] + at[i]);
        }
        memcpy(dst + to * size, chunk + from * size, run);
        int i = rank - 2;
        while (i >= 0 && ++at[i] == extent[i])
            at[i--] = 0;
        if (i < 0)
            return;
    }
}

inarch_status ia_h5_chunks_read(const ia_h5 *file, const ia_h5_object *o, uint8_t *dst,
                                inarch_error *err)
{
    const ia_h5_storage *s = o->storage;
    if (s->chunk_count == 0)
        return INARCH_OK;
    size_t room = s->chunk_bytes; /* the largest that a buffer must hold */
    for (size_t i = 0; i < s->chunk_count; i++)
        room = s->chunks[i].stored > room ? s->chunks[i].stored : room;
    room += H5_FILTER_ROOM;
    uint8_t *data = ia_calloc(room, 1), *spare = ia_calloc(room, 1);
    inarch_status status = INARCH_OK;
    if (data == NULL || spare == NULL)
        status = ia_fail_memory(err, o->name, room);
    for (size_t i = 0; i < s->chunk_count && status == INARCH_OK; i++) {
        const h5_chunk *c = &s->chunks[i];
        status = ia_input_read(&file->in, c->addr, c->stored, data, err);
        if (status == INARCH_OK)
            status = ia_h5_unfilter(file, o, c, &data, &spare, err);
        if (status == INARCH_OK)
            place_chunk(o, c->index, data, dst);
    }
    ia_free(data);
    ia_free(spare);
    return status;
}
