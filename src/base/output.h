/* A file that appears whole or not at all: written without a name, or beside its target, and
 * renamed over it at commit.
 *
 * An existing target keeps its permissions and is untouched until commit; discard (or a crash)
 * leaves it as it was. "-" is standard output. */
#ifndef IA_BASE_OUTPUT_H
#define IA_BASE_OUTPUT_H

#include "base/status.h"

typedef struct ia_output ia_output;

/* Errors: INARCH_IO for a folder that is not there or not writable, a target that is a folder or
 * read-only. */
IA_MUST_CHECK inarch_status ia_output_open(const char *path, ia_output **out, inarch_error *err);
IA_MUST_CHECK inarch_status ia_output_write(ia_output *o, const void *data, size_t n,
                                            inarch_error *err);
uint64_t ia_output_size(const ia_output *o); /* bytes written so far */
/* Flushes, syncs, renames and frees. On failure the temporary is removed, the target untouched. */
IA_MUST_CHECK inarch_status ia_output_commit(ia_output *o, inarch_error *err);
void ia_output_discard(ia_output *o); /* NULL allowed */

/* The common case: one block of bytes. */
IA_MUST_CHECK inarch_status ia_output_file(const char *path, const void *data, size_t n,
                                           inarch_error *err);

#endif
