/* What the files of the set-up share: one output of the model and what is known about it. */
#ifndef IA_TRAIN_SETUP_INTERNAL_H
#define IA_TRAIN_SETUP_INTERNAL_H

#include "train/setup.h"

#define SETUP_TEXT 512 /* bytes of an option's text */

typedef struct setup_state {
    const ia_model *m;
    const ia_data *d; /* NULL: rows come later */
    const ia_setup *s;
    const char **names; /* of the outputs */
    size_t outputs;
    ia_objective *o;
    const char *origin; /* of the loss */
} setup_state;

/* setup_spec.c: the part of a text or of a JSON value that speaks of one output. */

/* Of "a=mse,b=mae" or of "mse": the items for output `name`, joined by commas into out. False when
 * none speaks of it. With one output every item does. */
bool setup_text_for(const char *text, const char *const *names, size_t outputs, size_t output,
                    char *out, size_t size);
/* Of a list with one item an output, named ("b=mse") or in the order of outputs: that of `output`,
 * out[SETUP_TEXT]; "": none. One loss without a name holds for every output. Another number of
 * items than outputs is an error. */
IA_MUST_CHECK inarch_status setup_item_for(const setup_state *t, const char *text, const char *what,
                                           size_t output, char *out, inarch_error *err);
/* A name before '=' that is no output is an error. */
IA_MUST_CHECK inarch_status setup_text_check(const char *text, const char *const *names,
                                             size_t outputs, const char *what, inarch_error *err);
/* Of a string or object for all, a list or an object by output: the value for one; NULL: none. */
const json_t *setup_json_for(const json_t *value, const char *const *names, size_t outputs,
                             size_t output);

/* setup_metrics.c */

/* The metrics of the head: named, the file's, or accuracy where the output tells classes apart. */
IA_MUST_CHECK inarch_status setup_metrics(const setup_state *t, ia_head *h, inarch_error *err);
/* Resolved, as Keras needs them (new reference); */
IA_MUST_CHECK inarch_status setup_metrics_json(const ia_head *h, json_t **out, inarch_error *err);
/* and the names they were asked for by, which a later load gives back, into the metadata. */
IA_MUST_CHECK inarch_status setup_save_names(const ia_objective *o, ia_model *m, inarch_error *err);

/* setup_labels.c: labels against the head. */

/* Decides the encoding of the head's targets; refuses labels that do not fit. */
IA_MUST_CHECK inarch_status setup_encoding(ia_head *h, const ia_data *d, inarch_error *err);
/* Reads all labels (not of a source): inside the classes, of more than one class when training. */
IA_MUST_CHECK inarch_status setup_check_labels(const ia_head *h, const ia_data *d, int training,
                                               inarch_error *err);

/* setup_loss.c: the loss that head and labels leave no doubt about. */
IA_MUST_CHECK inarch_status setup_default_loss(const ia_model *m, const ia_head *h,
                                               const ia_data *d, ia_loss *out, inarch_error *err);

#endif
