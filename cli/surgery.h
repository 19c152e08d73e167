/* What --cut, --freeze, --add and the like do to a model. */
#ifndef INARCH_CLI_SURGERY_H
#define INARCH_CLI_SURGERY_H

#include "args.h"

/* Wrong usage that can be told without a model: --cut with --pop, numbers that are none. */
inarch_status surgery_check(const cli_args *a, inarch_error *err);

/* Cut or pop; then freeze and unfreeze as given. */
inarch_status surgery_below(const cli_args *a, inarch_model *m, inarch_error *err);
/* Head, add, insert and attach as given; then classes, rename and group. `d` is for --head auto and
 * may be NULL without it. */
inarch_status surgery_above(const cli_args *a, inarch_model *m, inarch_data *d, inarch_error *err);

/* --classes of commands that change no model: names where there were none. */
inarch_status surgery_name_classes(const cli_args *a, inarch_model *m, inarch_error *err);

/* --head auto was given: the data must be open before surgery_above. */
bool surgery_needs_data(const cli_args *a);

#endif
