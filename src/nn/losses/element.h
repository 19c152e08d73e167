/* What the losses share: element-wise ones in the kernels, and the scale of the others' gradients.
 */
#ifndef IA_NN_LOSSES_ELEMENT_H
#define IA_NN_LOSSES_ELEMENT_H

#include "kernels/losses.h"
#include "nn/loss.h"

/* Keras' backend.epsilon(), as float32 holds it. */
#define IA_LOSS_EPSILON ((double)1e-7f)

/* x: the predictions or logits that kernel `id` takes; param of loss_list.h. Each sample's loss is
 * the sum over it / divisor. */
static inline void ia_loss_elements(const ia_loss_batch *b, ia_loss_id id, const float *x,
                                    const double param[IA_LOSS_PARAMS], double divisor)
{
    ia_loss_rows rows = {.cols = b->cols,
                         .x = x,
                         .t = b->t,
                         .param = {(float)param[0], (float)param[1]},
                         .divisor = divisor,
                         .scale = (float)(b->scale / divisor),
                         .weight = b->weight,
                         .per = b->per,
                         .loss = b->loss,
                         .grad = b->grad};
    ia_loss_run(b->exec, id, &rows, b->samples);
}

/* Where gradients of sample s go, and what they are to be multiplied by. */
static inline float *ia_loss_grad(const ia_loss_batch *b, size_t s, double *scale)
{
    *scale = b->weight ? b->scale * (double)b->weight[s / b->per] : b->scale;
    return b->grad ? b->grad + s * b->cols : NULL;
}

#endif
