/* Training by the options, from a model that is ready to its file: what train and tune share. */
#ifndef INARCH_CLI_FIT_H
#define INARCH_CLI_FIT_H

#include "args.h"

/* Wrong usage and outputs that cannot be written, before anything is read. */
inarch_status fit_check(const cli_args *a, inarch_error *err);

/* Says what is used, trains, writes -o, prints the result; with --dry-run only says. */
inarch_status fit_run(const cli_args *a, inarch_model *m, const inarch_data *d, json_out *json,
                      inarch_error *err);

/* The seed of --seed, 0 without. */
inarch_status fit_seed(const cli_args *a, uint64_t *out, inarch_error *err);

#endif
