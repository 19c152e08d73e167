/* Learning-rate schedules: a rate for every optimizer step, or, for plateau, for every epoch.
 *
 *   constant
 *   cosine(warmup=100,decay_steps=1000,alpha=0,warmup_from=0)   Keras' CosineDecay: rises linearly
 * from warmup_from to the rate in `warmup` steps, then falls along a half cosine to alpha * rate in
 *       decay_steps. decay_steps = 0 (default): the rest of the run.
 *   exponential(decay_rate=0.96,decay_steps=1000,staircase=false)   rate *
 * decay_rate^(step/decay_steps); decay_steps = 0 (default): one epoch. step(every=10,factor=0.1)
 * rate * factor^(epoch/every), whole division: every is in epochs
 *   piecewise(boundaries=100|200,values=1e-3|1e-4|1e-5)   Keras' PiecewiseConstantDecay, in steps:
 * the first value up to and including step boundaries[0], and so on
 *   plateau(monitor=val_loss,factor=0.1,patience=10,min_delta=1e-4,cooldown=0,min_lr=0)   Keras'
 *       ReduceLROnPlateau at epoch ends
 *
 * The base rate is the optimizer's learning rate (but for piecewise). */
#ifndef IA_TRAIN_SCHEDULE_H
#define IA_TRAIN_SCHEDULE_H

#include "train/setting.h"

typedef struct ia_schedule ia_schedule;

#define IA_SCHEDULE_PIECES 16

/* What a schedule may know about the run. */
typedef struct ia_schedule_at {
    double base;                     /* the optimizer's learning rate */
    uint64_t step;                   /* optimizer steps done, from 0 */
    uint64_t epoch;                  /* from 0 */
    uint64_t epoch_steps, run_steps; /* steps of an epoch, of the whole run */
} ia_schedule_at;

typedef struct ia_schedule_class {
    const char *name;
    const char *class_name; /* Keras'; NULL where Keras has a callback or nothing */
    const char *aliases;
    const char *help;
    const ia_setting *settings;
    size_t setting_count;
    double (*rate)(const ia_schedule *s, const ia_schedule_at *at);
} ia_schedule_class;

struct ia_schedule {
    const ia_schedule_class *cls; /* NULL: constant */
    double warmup, warmup_from, decay_steps, alpha;
    double decay_rate, staircase;
    double every, factor;
    double patience, min_delta, cooldown, min_lr;
    char monitor[64];
    size_t pieces; /* boundaries; one value more */
    double boundary[IA_SCHEDULE_PIECES], value[IA_SCHEDULE_PIECES + 1];
    double base; /* NaN: the optimizer's; a schedule from a file brings its own */
};

/* ReduceLROnPlateau's memory; part of a checkpoint. */
typedef struct ia_plateau {
    double rate, best; /* best: NaN = none yet */
    double wait, cooldown;
} ia_plateau;

size_t ia_schedule_count(void);
const ia_schedule_class *ia_schedule_at_index(size_t i);
IA_MUST_CHECK inarch_status ia_schedule_from_text(const char *text, ia_schedule *out,
                                                  inarch_error *err);
/* Keras' {"class_name": "CosineDecay", "config": ...}. Others are INARCH_UNSUPPORTED. */
IA_MUST_CHECK inarch_status ia_schedule_from_json(const json_t *value, ia_schedule *out,
                                                  inarch_error *err);
/* As Keras writes it. *out = NULL for constant, step and plateau, which Keras has no schedule for.
 */
IA_MUST_CHECK inarch_status ia_schedule_to_json(const ia_schedule *s, const ia_schedule_at *at,
                                                json_t **out, inarch_error *err);
void ia_schedule_to_text(const ia_schedule *s, char *out, size_t size);
/* The rate of step at->step. Plateau's and constant's is at->base. */
double ia_schedule_rate(const ia_schedule *s, const ia_schedule_at *at);

bool ia_schedule_is_plateau(const ia_schedule *s);
/* At an epoch's end: `value` of the monitored number, up = larger is better. Changes p->rate. */
void ia_plateau_epoch(const ia_schedule *s, ia_plateau *p, double value, bool up);

#endif
