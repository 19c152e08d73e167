/* The optimizers' updates as kernels: one variable, one step, element by element.
 *
 * An ia_update is made once a step and variable (t counts that variable's own steps from 1) from
 * Keras' hyper-parameters in double, and applied to any range of the variable: the ranges may be
 * cut at will. Formulas and defaults are Keras 3's; update_list.h has the rounding. Weight decay,
 * clipping and regularisers are separate and come before, as in Keras. */
#ifndef IA_KERNELS_OPTIMIZE_H
#define IA_KERNELS_OPTIMIZE_H

#include "kernels/kernels.h"

#define IA_UPDATE_SLOTS 3
#define IA_UPDATE_PARAMS 7

typedef struct ia_update {
    int rule;                  /* index of update_list.h */
    float p[IA_UPDATE_PARAMS]; /* what the rule reads */
} ia_update;

/* Number of slots that the update reads and writes, 0 to 3; what they are called in Keras, in the
 * order of `slot` below ("momentum", "velocity", ...). */
int ia_update_slot_count(const ia_update *u);
const char *ia_update_slot_name(const ia_update *u, int slot);

/* w += m with m = momentum m - lr g; nesterov looks ahead. No slot when momentum is 0. */
ia_update ia_update_sgd(double lr, double momentum, int nesterov);
/* rho 0.9, momentum 0, epsilon 1e-7. Slots: velocity, then momentum (if any), average_gradient (if
 * centered). */
ia_update ia_update_rmsprop(double lr, double rho, double momentum, double epsilon, int centered);
/* beta_1 0.9, beta_2 0.999, epsilon 1e-7. Slots: momentum, velocity, velocity_hat (if amsgrad). */
ia_update ia_update_adam(double lr, double beta_1, double beta_2, double epsilon, int amsgrad,
                         uint64_t t);
/* epsilon 1e-7; the accumulator starts from 0.1. */
ia_update ia_update_adagrad(double lr, double epsilon);
/* rho 0.95, epsilon 1e-7. Slots: accumulated_grad, accumulated_delta_var. */
ia_update ia_update_adadelta(double lr, double rho, double epsilon);
/* beta_1 0.9, beta_2 0.999, epsilon 1e-7. Slots: momentum, norm. */
ia_update ia_update_adamax(double lr, double beta_1, double beta_2, double epsilon, uint64_t t);
/* As Adam. `u_product` is the product of u_1 ... u_t, u_i = beta_1 (1 - 0.96^i / 2): the caller
 * keeps it and multiplies it by ia_nadam_u at each step before it makes the update. */
ia_update ia_update_nadam(double lr, double beta_1, double beta_2, double epsilon, double u_product,
                          uint64_t t);
double ia_nadam_u(double beta_1, uint64_t t);

/* One step over n elements. `slot` has ia_update_slot_count arrays of n (NULL when there are none).
 */
void ia_update_apply(const ia_exec *e, const ia_update *u, size_t n, const float *g, float *w,
                     float *const *slot);

/* One variable's step, as backward may take it tile by tile: an update, and what it works on. w and
 * the slots lie alike (kernels.h: panels). */
struct ia_step {
    ia_update update;
    float decay; /* w = w - decay w comes first; 0: none */
    float *w, *slot[IA_UPDATE_SLOTS];
};

/* w = w - rate w (fused): decoupled weight decay, rate = decay * lr. */
void ia_weight_decay(const ia_exec *e, size_t n, float rate, float *w);
/* y = x clipped to [low, high]; NaN passes. y may be x. */
void ia_clip(const ia_exec *e, size_t n, float low, float high, const float *x, float *y);
/* Sum of the squares in double: blocks of 4096 in 16 lanes and the tree 8-4-2-1, joined by the
 * aligned tree. For clipping by norm: scale by clipnorm / max(norm, clipnorm). */
double ia_sum_squares(const ia_exec *e, size_t n, const float *x);

#endif
