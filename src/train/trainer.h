/* One training step on rows the caller supplies: forward, loss, backward, update. The loop and
 * sessions are built on it. */
#ifndef IA_TRAIN_TRAINER_H
#define IA_TRAIN_TRAINER_H

#include "train/objective.h"
#include "train/updater.h"

typedef struct ia_trainer ia_trainer;

typedef struct ia_trainer_options {
    const ia_objective *objective; /* heads; borrowed. Penalties are made from l2_sp */
    const ia_optimizer *optimizer; /* copied */
    int fresh;                     /* forget the variables' moments: ia_updater_new */
    double l2_sp, l2_sp_new;
    size_t rows; /* most rows of a step */
    uint64_t seed;
    int frozen_dropout_off;
    int bf16; /* products in bf16, where the weights lie in panels */
    ia_pool *pool;
    const ia_kernel_set *kernels;
} ia_trainer_options;

IA_MUST_CHECK inarch_status ia_trainer_new(ia_model *m, const ia_trainer_options *o,
                                           ia_trainer **out, inarch_error *err);
void ia_trainer_free(ia_trainer *t); /* NULL allowed */

/* Where rows go in: inputs through ia_program_input (or the frontier, cached). */
ia_program *ia_trainer_program(const ia_trainer *t);
ia_updater *ia_trainer_updater(const ia_trainer *t);
float *ia_trainer_target(const ia_trainer *t, size_t head); /* [rows][head->target_size] */
float *ia_trainer_weight(const ia_trainer *t, size_t head); /* [rows] */

/* One step from the frontier on. weighted: ia_trainer_weight counts. The loss is that before the
 * update. When it is not finite nothing is updated and false is returned. */
bool ia_trainer_step(ia_trainer *t, size_t rows, bool weighted, uint64_t step, double learning_rate,
                     ia_loss_parts *loss);
/* The losses per head of the last step (not times the head's weight). */
double ia_trainer_head_loss(const ia_trainer *t, size_t head);
/* Regularisers and penalties at the present weights. */
double ia_trainer_penalty(const ia_trainer *t);
/* Takes values, slots and step counts up from the document again. */
void ia_trainer_rebind(ia_trainer *t);
/* Values and slots into the document: all or nothing. INARCH_DIVERGED when a weight is not finite.
 */
IA_MUST_CHECK inarch_status ia_trainer_publish(ia_trainer *t, inarch_error *err);
/* Values alone. */
IA_MUST_CHECK inarch_status ia_trainer_publish_weights(ia_trainer *t, inarch_error *err);

#endif
