/* From texts or the compile state to an objective: which loss, targets and metrics each output
 * gets.
 *
 * Where nothing is said the loss follows from head and labels: sigmoid with one unit ->
 * binary_crossentropy; softmax with class indices -> sparse_categorical_crossentropy; softmax with
 * one number per class -> categorical_crossentropy; linear with numbers -> mean_squared_error.
 * Anything else is an error that says what to name. Labels are checked against the output. */
#ifndef IA_TRAIN_SETUP_H
#define IA_TRAIN_SETUP_H

#include "train/objective.h"

typedef struct ia_setup {
    const char *loss, *loss_weights, *metrics, *weighted_metrics; /* as in ia_fit_options */
    int compiled; /* the compile state speaks of these outputs: it holds for what is NULL */
    int training; /* checks that only matter for learning (one class only) */
} ia_setup;

/* d NULL: rows come later, with as many numbers as the loss takes. *origin (may be NULL): "option",
 * "file" or "head and labels". */
IA_MUST_CHECK inarch_status ia_setup_objective(const ia_model *m, const ia_data *d,
                                               const ia_setup *s, ia_objective *out,
                                               const char **origin, inarch_error *err);

/* The labels of validation data fit a head that was made for other data. */
IA_MUST_CHECK inarch_status setup_check_validation(const ia_head *h, const ia_data *d,
                                                   inarch_error *err);

/* Notes when validation rows that are the tail of the data hold too few classes to tell anything.
 */
IA_MUST_CHECK inarch_status setup_note_classes(ia_objective *o, const ia_data *train,
                                               const ia_data *validation, inarch_error *err);

/* Writes loss, loss weights and metrics into the compile state, by Keras' long names, resolved. */
IA_MUST_CHECK inarch_status ia_setup_save(const ia_objective *o, ia_model *m, inarch_error *err);

#endif
