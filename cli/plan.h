/* What a run would do, from inarch_fit_describe: the first line of train and tune, and --dry-run.
 */
#ifndef INARCH_CLI_PLAN_H
#define INARCH_CLI_PLAN_H

#include "inarch.h"
#include "json_out.h"

#include <stdio.h>

/* One line: optimizer and loss with their origins, and the seed. */
void plan_print_line(FILE *f, const inarch_fit_plan *p, uint64_t seed);
/* Everything, for --dry-run: also which layers are live and which frozen. */
void plan_print(FILE *f, const inarch_model *m, const inarch_fit_plan *p, uint64_t seed);

void plan_json(json_out *j, const char *key, const inarch_fit_plan *p, uint64_t seed);
/* An array of {"path", "live"}. */
void plan_json_layers(json_out *j, const char *key, const inarch_model *m);

#endif
