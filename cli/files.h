/* Files of a call: models and data that are read, and what may be written where. */
#ifndef INARCH_CLI_FILES_H
#define INARCH_CLI_FILES_H

#include "args.h"

#include <stdint.h>

/* Which part of an .npz that has parts, where --part says nothing. */
#define FILES_TRAIN "train"
#define FILES_TEST "test"

/* --data with --labels, --drop, --weights, --part. m (or NULL) names inputs, outputs and columns.
 */
inarch_status files_open_data(const cli_args *a, const inarch_model *m, const char *part,
                              inarch_data **out, inarch_error *err);
/* --val likewise; *out stays NULL without it. */
inarch_status files_open_val(const cli_args *a, const inarch_model *m, inarch_data **out,
                             inarch_error *err);

/* Before time is spent: `path` can be written, and is none of the files that are read (unless
 * --force). "-" is standard output. `option` is for messages. */
inarch_status files_check_output(const cli_args *a, const char *option, const char *path,
                                 inarch_error *err);

/* Whether two paths name one file, by whatever links. */
bool files_same(const char *a, const char *b);

/* Of a file that was just written; 0 when it cannot be told. */
uint64_t files_size(const char *path);

/* Seconds from some fixed moment. */
double files_clock(void);

#endif
