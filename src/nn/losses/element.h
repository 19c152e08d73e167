/* Losses that are the mean over a sample's elements of a function of one prediction and one target.
 */
#ifndef IA_NN_LOSSES_ELEMENT_H
#define IA_NN_LOSSES_ELEMENT_H

#include "nn/loss.h"

/* Keras' backend.epsilon(), as float32 holds it. */
#define IA_LOSS_EPSILON ((double)1e-7f)

/* The value, and its derivative by p in *slope. */
typedef double ia_loss_element(const ia_loss *l, double p, double t, double *slope);

/* loss[s] = mean_c f(p[s][c], t[s][c]); grad[s][c] = slope / cols. */
static inline void ia_loss_mean(const ia_loss *l, ia_loss_element *f, size_t samples, size_t cols,
                                const float *p, const float *t, double *loss, float *grad)
{
    for (size_t s = 0; s < samples; s++) {
        double sum = 0;
        for (size_t c = 0; c < cols; c++) {
            double slope;
            sum += f(l, (double)p[s * cols + c], (double)t[s * cols + c], &slope);
            if (grad)
                grad[s * cols + c] = (float)(slope / (double)cols);
        }
        loss[s] = sum / (double)cols;
    }
}

#endif
