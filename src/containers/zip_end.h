/* The end record of a ZIP: where the central directory is. Internal to the reader. */
#ifndef IA_CONTAINERS_ZIP_END_H
#define IA_CONTAINERS_ZIP_END_H

#include "base/input.h"

typedef struct ia_zip_end {
    uint64_t entries, size, offset; /* of the central directory */
    uint64_t limit;                 /* where it must end */
} ia_zip_end;

/* Finds and checks the end record (and the zip64 one). */
IA_MUST_CHECK inarch_status ia_zip_read_end(const ia_input *in, ia_zip_end *end, inarch_error *err);
/* INARCH_BAD_FILE "'x.npz' is not a sound ZIP file: <why>". */
inarch_status ia_zip_bad(const ia_input *in, inarch_error *err, const char *why);

#endif
