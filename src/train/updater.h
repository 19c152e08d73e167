/* The updater: applies an optimizer to the live variables of a program.
 *
 * It works on copies of the variables' slots and step counts and publishes them at epoch ends. A
 * variable whose slots are the same optimizer's goes on where it stood; others start at step 0.
 * Order as in Keras: clip, weight decay, rule, constraint. */
#ifndef IA_TRAIN_UPDATER_H
#define IA_TRAIN_UPDATER_H

#include "plan/plan.h"
#include "train/optimizer.h"

typedef struct ia_updater ia_updater;

/* fresh: every variable starts at step 0, as after Keras' compile(). */
IA_MUST_CHECK inarch_status ia_updater_new(const ia_optimizer *o, ia_program *p,
                                           const ia_kernel_set *kernels, ia_pool *pool, bool fresh,
                                           ia_updater **out, inarch_error *err);
void ia_updater_free(ia_updater *u); /* NULL allowed */
/* A step is taken in two halves: the rules of this step before backward, which applies some of them
 * itself (plan.h: ia_program_set_step), and the rest after it. */
void ia_updater_begin(ia_updater *u, double learning_rate);
void ia_updater_finish(ia_updater *u);
/* What the optimizer does to a gradient depends on that element alone. */
bool ia_optimizer_is_elementwise(const ia_optimizer *o);
/* Slots and step counts into the document, in two halves as ia_program_publish. */
IA_MUST_CHECK inarch_status ia_updater_reserve(ia_updater *u, inarch_error *err);
void ia_updater_publish(ia_updater *u);
/* The same for the last time, variable by variable, so that no second set of slots is ever held; the
 * updater cannot step any more. On failure the document's slots are in between. */
IA_MUST_CHECK inarch_status ia_updater_move(ia_updater *u, inarch_error *err);
/* The document's variables have no slots any more. */
void ia_updater_forget(ia_updater *u);
/* Takes them up from the document again. */
void ia_updater_rebind(ia_updater *u);
/* Some variable went on with slots from before. */
bool ia_updater_continues(const ia_updater *u);
size_t ia_updater_bytes(const ia_updater *u);

#endif
