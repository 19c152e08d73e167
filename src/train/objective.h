/* The objective: heads (output, target, loss, weight) + penalties on variables.
 *
 *   L = sum_h weight_h * sum_s w_s * loss_h(s) / S_h        S_h = samples of the batch
 *     + sum of the live variables' regularisers + activity regularisation
 *     + sum_p strength_p * sum_i importance_i * (w_i - anchor_i)^2
 *
 * L2-SP (Li, Grandvalet, Davoine: "Explicit inductive bias for transfer learning with convolutional
 * networks", 2018) is the penalty whose anchor is the weight as loaded, importance 1. The paper
 * writes alpha/2 ||w - w0||^2 + beta/2 ||w_new||^2; here strength = alpha/2, as Keras' l2(strength)
 * has no half. */
#ifndef IA_TRAIN_OBJECTIVE_H
#define IA_TRAIN_OBJECTIVE_H

#include "data/data.h"
#include "plan/plan.h"
#include "train/metric.h"

#define IA_HEAD_METRICS 16

/* How a row of target data becomes a row of the head's targets. */
typedef enum ia_encoding {
    IA_ENCODE_VALUES, /* as they are */
    IA_ENCODE_CLASS,  /* one class index a sample */
    IA_ENCODE_ONE_HOT /* a class index in the data, one number per class in the head */
} ia_encoding;

typedef struct ia_head {
    size_t output;  /* of the model */
    char name[128]; /* of the output's layer: prefix of names when there are several heads */
    size_t target;  /* of the data */
    ia_loss loss;
    double weight; /* 1 */
    ia_encoding encoding;
    ia_logits logits;   /* the last activation, when the loss is computed before it */
    size_t cols;        /* numbers of the output's last axis */
    size_t samples;     /* samples a row: 1 for a flat output */
    size_t target_size; /* floats a row of gathered targets */
    ia_metric metrics[IA_HEAD_METRICS];
    int weighted[IA_HEAD_METRICS]; /* the metric takes sample weights */
    size_t metric_count;
} ia_head;

typedef struct ia_penalty {
    size_t live;         /* which live variable of the program */
    ia_array anchor;     /* float32 of its shape; empty: 0. A reference is held */
    ia_array importance; /* likewise; empty: 1 */
    double strength;
} ia_penalty;

typedef struct ia_objective {
    ia_head *heads; /* owned */
    size_t head_count;
    size_t *regularized; /* live variables that have a regulariser; owned */
    size_t regularized_count;
    ia_penalty *penalties; /* owned */
    size_t penalty_count;
    char note[512]; /* what was left out of the compile state, or looks amiss; or "" */
} ia_objective;

void ia_objective_free(ia_objective *o); /* releases what it holds, not o */

/* The activation that ends an output; NULL where it is none of a layer's own (linear may be
 * either). */
const ia_activation *ia_output_activation(const ia_model *m, size_t output);
/* The same, as far as a loss can take it apart. */
ia_logits ia_output_logits(const ia_model *m, size_t output);

/* Takes up the program's live variables: their regularisers, and the L2-SP penalty for each that
 * was loaded from a file, strength_new * ||w||^2 for the others. 0 adds no penalty. */
IA_MUST_CHECK inarch_status ia_objective_add_l2_sp(ia_objective *o, const ia_program *p,
                                                   double strength, double strength_new,
                                                   inarch_error *err);

/* The loss of one batch, taken apart. */
typedef struct ia_loss_parts {
    double total;
    double regularization; /* regularisers, activity, penalties */
} ia_loss_parts;

/* Regularisers of the live variables and penalties at the present weights: 0 before
 * ia_objective_add_l2_sp. */
double ia_objective_penalty(const ia_objective *o, const ia_program *p);
/* Regularisers of a document's trainable variables: what Keras adds when it evaluates. */
IA_MUST_CHECK inarch_status ia_model_penalty(const ia_model *m, double *out, inarch_error *err);
/* Adds their gradient to the live variables' gradients. */
void ia_objective_penalty_grad(const ia_objective *o, const ia_program *p);
/* sum_s w_s * loss(s) / S of one head after a suffix of `rows` rows (not times head->weight).
 * `grad`: also writes the output's gradient, times head->weight, into the program. `temp` holds a
 * double per sample. weight: per row, or NULL. */
double ia_head_loss(const ia_head *h, const ia_program *p, size_t rows, const float *target,
                    const float *weight, bool grad, double *temp);

/* ---- the targets of a head ---- */
/* Rows of the data as the head wants them: dst [n][h->target_size]. Labels outside the classes are
 * INARCH_BAD_DATA. NULL rows: 0..n-1. */
IA_MUST_CHECK inarch_status ia_head_gather(const ia_head *h, const ia_data *d, const uint64_t *rows,
                                           size_t n, float *dst, inarch_error *err);
/* The same for rows that ia_data_gather_target wrote into dst already. */
IA_MUST_CHECK inarch_status ia_head_encode(const ia_head *h, const ia_data *d, const uint64_t *rows,
                                           size_t n, float *dst, inarch_error *err);

#endif
