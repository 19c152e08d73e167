/* Formats of model files: one row each, chosen by content when reading, by extension when writing.
 *
 * A format that is known but not read or written yet keeps its row, so that the message can say
 * what a file is and what to do with it. Nothing here knows data or training. */
#ifndef IA_FORMATS_FORMAT_H
#define IA_FORMATS_FORMAT_H

#include "base/input.h"
#include "base/output.h"
#include "nn/model.h"

/* Key in ia_model.meta: a list of texts about what a file held and the document does not (moments
 * that do not fit, layers kept as opaque ones and why). Never saved. */
#define IA_META_NOTES "notes"

typedef struct ia_format {
    const char *name;       /* for --format: "keras-h5" */
    const char *extensions; /* ".h5|.hdf5", separated by '|'; "" = none of its own */
    const char *help;       /* one line: what it is */
    const char *listing;    /* the same behind what is done with it: "read and written: ..." */
    /* The first bytes look like this format. */
    bool (*probe)(const ia_input *in);
    /* NULL: not read. */
    inarch_status (*read)(const ia_input *in, ia_model **out, inarch_error *err);
    /* NULL: not written. Streams into `o`, which the caller commits. */
    inarch_status (*write)(const ia_model *m, ia_output *o, inarch_error *err);
    const char *hint; /* what to do where it is not read or written; NULL when it is both */
} ia_format;

size_t ia_format_count(void);
const ia_format *ia_format_at(size_t i);
const ia_format *ia_format_find(const char *name); /* NULL: unknown */

/* Reads a model; `format` NULL chooses by content. Errors: INARCH_IO, INARCH_BAD_FILE (damaged, or
 * no model of a known format), INARCH_UNSUPPORTED (a known format that is not read: the message
 * names it), INARCH_LIMIT. */
IA_MUST_CHECK inarch_status ia_model_read(const char *path, const char *format, ia_model **out,
                                          inarch_error *err);
IA_MUST_CHECK inarch_status ia_model_read_input(const ia_input *in, const char *format,
                                                ia_model **out, inarch_error *err);
/* Writes it whole or not at all; `format` NULL chooses by the extension of `path`. */
IA_MUST_CHECK inarch_status ia_model_write(const ia_model *m, const char *path, const char *format,
                                           inarch_error *err);
/* The format ia_model_write would take; checked before long work. */
IA_MUST_CHECK inarch_status ia_format_for_writing(const char *path, const char *format,
                                                  const ia_format **out, inarch_error *err);

#endif
