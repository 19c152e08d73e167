/* The files ia_data_open can read. Internal to src/data. */
#ifndef IA_DATA_SOURCES_H
#define IA_DATA_SOURCES_H

#include "base/input.h"
#include "containers/npy.h"
#include "data/internal.h"

/* `in` NULL: standard input. */
IA_MUST_CHECK inarch_status ia_data_open_csv(const ia_input *in, const char *name,
                                             const ia_data_options *o, ia_data **out,
                                             inarch_error *err);
IA_MUST_CHECK inarch_status ia_data_open_npz(const ia_input *in, const ia_data_options *o,
                                             ia_data **out, inarch_error *err);
/* Adds a target from an array of numbers or text; takes what is in *a, also on failure. */
IA_MUST_CHECK inarch_status ia_data_put_labels(ia_data *d, const char *name, ia_npy *a,
                                               inarch_error *err);

#endif
