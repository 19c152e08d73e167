/* ZIP files: .npz, .keras.
 *
 * The reader believes nothing twice: central directory and local headers must agree, members may
 * not overlap or share a name, sizes are bounded before memory is taken, checksums are compared.
 * Stored and deflated members, zip64; no encryption, no parts, nothing in front of the archive. The
 * writer gives the same bytes for the same members: no times, no attributes. */
#ifndef IA_CONTAINERS_ZIP_H
#define IA_CONTAINERS_ZIP_H

#include "base/output.h"
#include "containers/stream.h"

#define IA_ZIP_MAX_MEMBERS 65536

typedef struct ia_zip ia_zip;

/* Reads the directory and checks every local header. The file must stay open while the zip is used.
 */
IA_MUST_CHECK inarch_status ia_zip_open(const ia_input *in, ia_zip **out, inarch_error *err);
void ia_zip_close(ia_zip *z); /* NULL allowed; leaves the input open */

size_t ia_zip_count(const ia_zip *z);
const char *ia_zip_name(const ia_zip *z, size_t member); /* UTF-8, as in the file, file order */
uint64_t ia_zip_size(const ia_zip *z, size_t member);    /* uncompressed */
bool ia_zip_find(const ia_zip *z, const char *name, size_t *member);

/* The member in new memory with a zero byte behind it; at most `max` bytes (INARCH_LIMIT). */
IA_MUST_CHECK inarch_status ia_zip_read(const ia_zip *z, size_t member, size_t max, uint8_t **out,
                                        size_t *len, inarch_error *err);
/* The member in order; ia_stream_end compares size and checksum. Names in messages live with z. */
IA_MUST_CHECK inarch_status ia_zip_stream(const ia_zip *z, size_t member, ia_stream *out,
                                          inarch_error *err);
/* A stored member as an input of its own, to be read in place; the checksum is not compared (see
 * ia_zip_verify). INARCH_UNSUPPORTED for a compressed one: read it. */
IA_MUST_CHECK inarch_status ia_zip_window(const ia_zip *z, size_t member, ia_input *out,
                                          inarch_error *err);
/* Reads the member once and compares its checksum. */
IA_MUST_CHECK inarch_status ia_zip_verify(const ia_zip *z, size_t member, inarch_error *err);

typedef struct ia_zip_writer ia_zip_writer;

typedef struct ia_piece {
    const void *data;
    size_t size;
} ia_piece;

typedef enum ia_zip_method { IA_ZIP_STORED = 0, IA_ZIP_DEFLATED = 8 } ia_zip_method;

/* Writes to `o`, which must be empty and stays the caller's to commit. */
IA_MUST_CHECK inarch_status ia_zip_writer_new(ia_output *o, ia_zip_writer **out, inarch_error *err);
/* A member made of pieces. A name that was used already is INARCH_BAD_ARGUMENT. */
IA_MUST_CHECK inarch_status ia_zip_add(ia_zip_writer *w, const char *name, ia_zip_method method,
                                       const ia_piece *pieces, size_t n, inarch_error *err);
/* Writes the directory. */
IA_MUST_CHECK inarch_status ia_zip_finish(ia_zip_writer *w, inarch_error *err);
void ia_zip_writer_free(ia_zip_writer *w); /* NULL allowed; finished or not */

#endif
