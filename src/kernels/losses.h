/* Losses over samples: values and gradients in one pass.
 *
 * A sample is one row of `cols` numbers. Element-wise losses are sums over a sample of a function
 * of one prediction and one target (loss_list.h); those of a softmax look at the whole row. Sums
 * inside a row follow law (c); the bytes of a sample depend on no other sample. */
#ifndef IA_KERNELS_LOSSES_H
#define IA_KERNELS_LOSSES_H

#include "kernels/kernels.h"

/* X(name): loss_list.h has the function. */
#define IA_ELEMENT_LOSSES(X)                                                                       \
    X(squared)                                                                                     \
    X(absolute)                                                                                    \
    X(percentage)                                                                                  \
    X(logarithmic)                                                                                 \
    X(huber)                                                                                       \
    X(log_cosh)                                                                                    \
    X(poisson)                                                                                     \
    X(divergence)                                                                                  \
    X(hinge)                                                                                       \
    X(squared_hinge)                                                                               \
    X(binary_logits)                                                                               \
    X(binary_probabilities)

/* X(name): loss.inc.h has the function. */
#define IA_ROW_LOSSES(X)                                                                           \
    X(sparse_logits)                                                                               \
    X(categorical_logits)

#define IA_LOSS_ID(name) IA_LOSS_##name,
typedef enum ia_loss_id {
    IA_ELEMENT_LOSSES(IA_LOSS_ID) IA_ROW_LOSSES(IA_LOSS_ID) IA_LOSS_COUNT
} ia_loss_id;
#undef IA_LOSS_ID

#define IA_LOSS_PARAMS 2

typedef struct ia_loss_rows {
    size_t cols;
    const float *x; /* [samples][cols] predictions; logits for the losses that are named so */
    const float *y; /* softmax of x along each row, or NULL; for row losses */
    const float *t; /* [samples][cols]; class indices [samples] for sparse_logits */
    float param[IA_LOSS_PARAMS];
    double divisor;      /* of the sum over a sample: cols for a mean; for element-wise losses */
    float scale;         /* of gradients */
    const float *weight; /* [samples / per]: further factors of gradients; NULL: 1 */
    size_t per;          /* samples that share a weight */
    double *loss;        /* [samples]; not weighted */
    float *grad;         /* [samples][cols], or NULL */
} ia_loss_rows;

void ia_loss_run(const ia_exec *e, ia_loss_id id, const ia_loss_rows *l, size_t samples);

/* best[r] = the first column of row r that holds its largest number; 0 where that begins with NaN.
 * Below 2^24 columns, so that a float holds it. */
void ia_row_argmax(const ia_exec *e, size_t rows, size_t cols, const float *x, float *best);

/* A penalty sum_i importance_i (w_i - anchor_i)^2; NULL: anchor 0, importance 1. */
typedef struct ia_penalty_rows {
    const float *w, *anchor, *importance;
    float scale; /* of the gradient: grad_i += scale importance_i (w_i - anchor_i) */
    float *grad;
} ia_penalty_rows;

/* In 16 lanes of doubles, added in order. */
double ia_penalty_sum(const ia_exec *e, const ia_penalty_rows *q, size_t n);
void ia_penalty_grad(const ia_exec *e, const ia_penalty_rows *q, size_t n);

#endif
