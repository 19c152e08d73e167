/* Losses between whole rows: Kullback-Leibler divergence, cosine similarity. */
#include "nn/losses/element.h"
#include "nn/losses/list.h"

#include <math.h>

/* sum_c t log(t / p), both clipped to [1e-7, 1]. */
static void divergence_samples(const ia_loss *l, const ia_loss_batch *b)
{
    ia_loss_elements(b, IA_LOSS_divergence, b->p, l->param, 1);
}

/* min(1 / |x|, 1e7) and whether the norm, not the bound, decides. */
static double inverse_norm(size_t cols, const float *x, bool *bound)
{
    double sum = 0;
    for (size_t c = 0; c < cols; c++)
        sum += (double)x[c] * (double)x[c];
    double inverse = 1 / sqrt(sum);
    *bound = inverse > 1 / IA_LOSS_EPSILON;
    return *bound ? 1 / IA_LOSS_EPSILON : inverse;
}

/* -sum_c (t / |t|) (p / |p|). With u = t / |t| and n = 1 / |p|: d/dp_c = -n u_c + n^3 p_c sum(u p).
 * Where |p| < 1e-7 the norm counts as constant. (TensorFlow gives NaN at p = 0 exactly; here -n u.)
 */
static void cosine_samples(const ia_loss *l, const ia_loss_batch *b)
{
    (void)l;
    for (size_t s = 0; s < b->samples; s++) {
        const float *p = b->p + s * b->cols, *t = b->t + s * b->cols;
        bool flat_t, flat_p;
        double m = inverse_norm(b->cols, t, &flat_t), n = inverse_norm(b->cols, p, &flat_p);
        double dot = 0, scale;
        float *grad = ia_loss_grad(b, s, &scale);
        for (size_t c = 0; c < b->cols; c++)
            dot += m * (double)t[c] * (double)p[c];
        for (size_t c = 0; grad && c < b->cols; c++) {
            double g = -n * m * (double)t[c];
            grad[c] = (float)(scale * (flat_p ? g : g + n * n * n * (double)p[c] * dot));
        }
        b->loss[s] = -n * dot;
    }
}

const ia_loss_class ia_loss_kl_divergence = {
    .name = "kl_divergence",
    .aliases = "KLDivergence|kld|kullback_leibler_divergence",
    .help = "sum of y log(y / p) between distributions",
    .samples = divergence_samples,
};

const ia_loss_class ia_loss_cosine_similarity = {
    .name = "cosine_similarity",
    .aliases = "CosineSimilarity|cosine_proximity|cosine",
    .help = "minus the cosine of the angle between y and p",
    .samples = cosine_samples,
};
