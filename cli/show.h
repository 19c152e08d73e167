/* What `show` knows to tell about a model. */
#ifndef INARCH_CLI_SHOW_H
#define INARCH_CLI_SHOW_H

#include "inarch.h"
#include "json_out.h"

inarch_status show_text(const inarch_model *m, const char *path, inarch_error *err);
inarch_status show_json(const inarch_model *m, const char *path, json_out *j, inarch_error *err);

#endif
