/* Scores: the loss, the heads' losses and the metrics of an epoch or an evaluation. */
#ifndef IA_TRAIN_SCORE_H
#define IA_TRAIN_SCORE_H

#include "train/feed.h"
#include "train/history.h"

typedef struct ia_score ia_score;

/* For batches of at most `rows` rows; heads are borrowed. */
IA_MUST_CHECK inarch_status ia_score_new(const ia_head *heads, size_t head_count, size_t rows,
                                         ia_score **out, inarch_error *err);
void ia_score_free(ia_score *s); /* NULL allowed */
void ia_score_reset(ia_score *s);

/* One batch that `p` has just run: `total` is its loss with everything in it, head_loss its parts.
 */
void ia_score_add(ia_score *s, const ia_program *p, size_t rows, double total,
                  const double *head_loss, float *const *target, float *const *weight);
/* Mean of the loss so far, by rows. */
double ia_score_loss(const ia_score *s);

/* Names: "loss", heads' losses when there are several, metrics; each with `prefix` before it. */
IA_MUST_CHECK inarch_status ia_score_columns(const ia_score *s, const char *prefix, ia_history *h,
                                             inarch_error *err);
/* Values in the same order; returns how many. */
size_t ia_score_values(const ia_score *s, double *out);
/* The i-th of them gets better upwards. */
bool ia_score_up(const ia_score *s, size_t i);

/* ---- a whole data set in inference mode ---- */
typedef struct ia_scorer {
    ia_program *program;
    ia_feed *feed;
    ia_score *score;
    float **target, **weight; /* per head */
    double *head_loss, *temp;
    uint64_t *rows;
    size_t batch;
    const ia_head *heads;
    size_t head_count;
} ia_scorer;

typedef struct ia_scorer_options {
    const ia_model *model;
    const ia_data *data;
    const ia_head *heads;
    size_t head_count;
    ia_cache *cache;
    size_t batch;
    bool frozen_dropout_off;
    ia_pool *pool;
    const ia_kernel_set *kernels;
} ia_scorer_options;

IA_MUST_CHECK inarch_status ia_scorer_new(const ia_scorer_options *o, ia_scorer **out,
                                          inarch_error *err);
void ia_scorer_free(ia_scorer *s); /* NULL allowed */
/* Scores every row; `penalty` is added to each batch's loss. */
IA_MUST_CHECK inarch_status ia_scorer_run(ia_scorer *s, double penalty, inarch_error *err);

#endif
