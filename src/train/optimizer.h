/* Optimizers: Keras' names, settings and definitions. One row each in optimizer.c.
 *
 * An ia_optimizer is a plain value: which rule, with which settings. Its running state (slots, step
 * counts) belongs to the variables and is worked on by an ia_updater (updater.h). */
#ifndef IA_TRAIN_OPTIMIZER_H
#define IA_TRAIN_OPTIMIZER_H

#include "kernels/optimize.h"
#include "train/schedule.h"
#include "train/setting.h"

typedef struct ia_optimizer ia_optimizer;

typedef struct ia_optimizer_class {
    const char *name;       /* "adam" */
    const char *class_name; /* "Adam" */
    const char *aliases;    /* separated by '|'; or NULL */
    const char *help;
    const ia_setting *settings; /* its own, after the common ones */
    size_t setting_count;
    double learning_rate, weight_decay; /* defaults; NaN = none */
    const char *slot[4]; /* Keras' names in Keras' order of creation: "momentum", "velocity" */
    /* Whether slot k exists under these settings (amsgrad, centered, momentum). NULL: all do. */
    bool (*has_slot)(const ia_optimizer *o, size_t k);
    double (*slot_start)(const ia_optimizer *o, size_t k); /* NULL: 0 */
    /* The kernel's numbers for a variable's t-th update (from 1); u: nadam's product so far. */
    ia_update (*update)(const ia_optimizer *o, double learning_rate, uint64_t t, double u);
} ia_optimizer_class;

struct ia_optimizer {
    const ia_optimizer_class *cls;
    double learning_rate;
    double weight_decay;                         /* NaN = none */
    double clipnorm, clipvalue, global_clipnorm; /* NaN = none; at most one is given */
    double momentum, nesterov;                   /* sgd; rmsprop: momentum */
    double rho, centered;                        /* rmsprop, adadelta */
    double beta_1, beta_2, amsgrad;              /* adam and its kin */
    double epsilon;
    double initial_accumulator_value; /* adagrad */
    /* Variables whose path contains one of these words, separated by '|', do not decay:
     * "bias|gamma". In text exclude_from_weight_decay=; Keras keeps it in code, not in files. */
    char no_decay[96];
    char note[160]; /* what a file asked for and Keras ignores today ("decay"), or "" */
};

size_t ia_optimizer_count(void);
const ia_optimizer_class *ia_optimizer_at(size_t i);
/* By name, class name or alias; NULL when unknown. */
const ia_optimizer_class *ia_optimizer_find(const char *name);

/* "adam", "sgd(learning_rate=0.1,momentum=0.9,nesterov=true)". */
IA_MUST_CHECK inarch_status ia_optimizer_from_text(const char *text, ia_optimizer *out,
                                                   inarch_error *err);
/* A name or {"class_name", "config"} of any Keras generation. A learning rate that is a schedule
 * goes to *schedule (untouched else; NULL: such a file is INARCH_UNSUPPORTED). EMA and gradient
 * accumulation are INARCH_UNSUPPORTED. */
IA_MUST_CHECK inarch_status ia_optimizer_from_json(const json_t *value, ia_optimizer *out,
                                                   ia_schedule *schedule, inarch_error *err);
/* {"class_name": "Adam", "config": {...}} that Keras 3 and tf_keras read (new reference); schedule
 * may be NULL or constant. `at`: what a schedule that goes by epoch or run needs; NULL without. */
IA_MUST_CHECK inarch_status ia_optimizer_to_json(const ia_optimizer *o, const ia_schedule *schedule,
                                                 const ia_schedule_at *at, json_t **out,
                                                 inarch_error *err);
void ia_optimizer_to_text(const ia_optimizer *o, char *out, size_t size);
/* Common and own settings as one table (`inarch list optimizers`); out holds IA_MAX_SETTINGS. */
size_t ia_optimizer_settings(const ia_optimizer_class *c, ia_setting *out);
/* Slots a variable has under these settings, and the name of the i-th. */
size_t ia_optimizer_slot_count(const ia_optimizer *o);
const char *ia_optimizer_slot_name(const ia_optimizer *o, size_t i);

#endif
