/* Snapshots: the document's state of a program's live variables, kept by reference.
 *
 * Buffers are immutable while shared, so taking one copies nothing and cannot fail. */
#ifndef IA_TRAIN_SNAPSHOT_H
#define IA_TRAIN_SNAPSHOT_H

#include "plan/plan.h"

typedef struct ia_snapshot {
    const ia_program *program;
    ia_array *value; /* per live variable; empty: nothing was taken */
    ia_slots *slots;
    bool taken;
} ia_snapshot;

IA_MUST_CHECK inarch_status ia_snapshot_new(const ia_program *p, ia_snapshot *out,
                                            inarch_error *err);
void ia_snapshot_free(ia_snapshot *s); /* what it holds, not s */
void ia_snapshot_take(ia_snapshot *s);
/* Puts values back into the document, and slots too when asked; the program must be rebound then.
 */
void ia_snapshot_restore(const ia_snapshot *s, bool with_slots);

#endif
