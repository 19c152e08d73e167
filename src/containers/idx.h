/* IDX, the format of MNIST: a big-endian header and one array, often gzipped.
 *
 * unsigned and signed bytes, 16- and 32-bit integers, floats and doubles of rank 1 to 4. */
#ifndef IA_CONTAINERS_IDX_H
#define IA_CONTAINERS_IDX_H

#include "base/input.h"
#include "containers/stream.h"
#include "tensor/array.h"

/* The first n bytes (4 are enough) begin an IDX file. */
bool ia_idx_is(const uint8_t *data, size_t n);

/* Reads an array to the end of the stream (ia_stream_open_any takes .gz too), host byte order. */
IA_MUST_CHECK inarch_status ia_idx_read(ia_stream *s, ia_array *out, inarch_error *err);

#endif
