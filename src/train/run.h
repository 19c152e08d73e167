/* The inside of a training run. Private to train/. */
#ifndef IA_TRAIN_RUN_H
#define IA_TRAIN_RUN_H

#include "train/cache.h"
#include "train/feed.h"
#include "train/loop.h"
#include "train/score.h"
#include "train/setup.h"
#include "train/snapshot.h"
#include "train/trainer.h"

/* Early stopping and the best weights, as Keras' EarlyStopping keeps them. */
typedef struct run_monitor {
    char name[160];
    size_t column; /* of the history */
    bool up;
    double best; /* NaN: none yet */
    size_t wait, best_epoch;
} run_monitor;

struct ia_run {
    ia_model *m;
    ia_fit_options o;            /* strings and pointers are borrowed */
    ia_data *train, *validation; /* views of our own; validation may be NULL */
    ia_objective objective;
    ia_optimizer optimizer;
    ia_schedule schedule;
    const char *optimizer_origin, *loss_origin;
    uint64_t schedule_start; /* optimizer steps before the run that the schedule counts */
    ia_trainer *trainer;
    ia_feed *feed;
    ia_score *score;
    ia_scorer *scorer;                  /* validation; NULL without */
    ia_cache *cache, *validation_cache; /* the latter NULL when the former serves both */
    bool validation_shares_cache;
    ia_snapshot initial, best;
    ia_history *history;
    uint64_t *order; /* [rows] of this epoch */
    float **target, **weight;
    double *head_loss;
    size_t rows, batch, steps_per_epoch;

    size_t epoch;  /* whole epochs done */
    uint64_t step; /* optimizer steps done in this run */
    double rate;   /* of the last step */
    ia_plateau plateau;
    run_monitor monitor, plateau_monitor;
    size_t last_batch;
    size_t validation_column; /* of the history */
    uint64_t first_step;      /* optimizer steps before the run; 0 where moments start anew */
    bool stopped;             /* no more epochs */
    bool resumed, fitted;
    bool published; /* trained weights went into the document */
    uint32_t model_crc, data_crc; /* what a checkpoint must belong to */
};

/* run.c: the program that computes the frontier for the caches, in blocks of `rows`. */
IA_MUST_CHECK inarch_status run_prefix_program(const ia_run *r, size_t rows, ia_program **out,
                                               inarch_error *err);

/* loop.c: the learning rate of the next step. */
double run_rate(const ia_run *r);

/* run_options.c: optimizer, schedule, class weights. */
IA_MUST_CHECK inarch_status run_optimizer(ia_run *r, inarch_error *err);
IA_MUST_CHECK inarch_status run_class_weights(ia_run *r, inarch_error *err);

/* monitor.c */
IA_MUST_CHECK inarch_status monitor_init(ia_run *r, inarch_error *err);
/* After the epoch's row is written (epoch 0: before training): best weights, early stopping,
 * plateau. */
void monitor_epoch(ia_run *r, size_t epoch);

/* resume.c: the checkpoint. */
IA_MUST_CHECK inarch_status run_save(ia_run *r, inarch_error *err);
IA_MUST_CHECK inarch_status run_resume(ia_run *r, inarch_error *err);

/* diverge.c: INARCH_DIVERGED with the batch's story. `what` became of what; `batch` from 0. */
inarch_status run_diverged(ia_run *r, size_t batch, const char *what, inarch_error *err);

#endif
