/* The state of a run at an epoch's end, in one file: live values, slots, step counts, best weights,
 * history, schedule and early-stopping state.
 *
 * A file of our own (magic, JSON, raw little-endian float32, CRC-32), written atomically. It holds
 * no layers: it resumes the same run on the same model, and refuses any other. Everything random is
 * a function of seed, epoch and step, so the run goes on byte for byte. */
#ifndef IA_TRAIN_CHECKPOINT_H
#define IA_TRAIN_CHECKPOINT_H

#include "tensor/array.h"
#include "base/json.h"

/* A list of named arrays and a JSON object. Names and arrays are owned by the struct. */
typedef struct ia_checkpoint {
    json_t *state;
    size_t count, cap;
    char **name;
    ia_array *array; /* float32 */
} ia_checkpoint;

void ia_checkpoint_free(ia_checkpoint *c); /* what it holds, not c */
IA_MUST_CHECK inarch_status ia_checkpoint_add(ia_checkpoint *c, const char *name, const ia_array *a,
                                              inarch_error *err);
const ia_array *ia_checkpoint_find(const ia_checkpoint *c, const char *name); /* NULL: none */
IA_MUST_CHECK inarch_status ia_checkpoint_write(const ia_checkpoint *c, const char *path,
                                                inarch_error *err);
/* *found = false, and nothing else, when there is no such file. */
IA_MUST_CHECK inarch_status ia_checkpoint_read(const char *path, ia_checkpoint *out, bool *found,
                                               inarch_error *err);

#endif
