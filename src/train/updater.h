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
IA_MUST_CHECK inarch_status ia_updater_new(const ia_optimizer *o, const ia_program *p,
                                           const ia_kernel_set *kernels, ia_pool *pool, bool fresh,
                                           ia_updater **out, inarch_error *err);
void ia_updater_free(ia_updater *u); /* NULL allowed */
/* Gradients of the program to new values. */
void ia_updater_step(ia_updater *u, double learning_rate);
/* Slots and step counts into the document, in new buffers. All or nothing. */
IA_MUST_CHECK inarch_status ia_updater_publish(const ia_updater *u, inarch_error *err);
/* Takes them up from the document again. */
void ia_updater_rebind(ia_updater *u);
/* Some variable went on with slots from before. */
bool ia_updater_continues(const ia_updater *u);
size_t ia_updater_bytes(const ia_updater *u);

#endif
