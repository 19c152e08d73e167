/* Losses between whole rows: Kullback-Leibler divergence, cosine similarity. */
#include "nn/losses/element.h"
#include "nn/losses/list.h"

#include "base/maths.h"

#include <math.h>

static double clip_unit(double x)
{
    return x < IA_LOSS_EPSILON ? IA_LOSS_EPSILON : x > 1 ? 1 : x;
}

/* sum_c t log(t / p), both clipped to [1e-7, 1]. */
static void divergence_samples(const ia_loss *l, size_t samples, size_t cols, const float *p,
                               const float *z, const float *t, double *loss, float *grad)
{
    (void)l, (void)z;
    for (size_t s = 0; s < samples; s++, p += cols, t += cols) {
        double sum = 0;
        for (size_t c = 0; c < cols; c++) {
            double a = clip_unit((double)t[c]), b = clip_unit((double)p[c]);
            bool inside = (double)p[c] >= IA_LOSS_EPSILON && p[c] <= 1;
            sum += a * ia_log(a / b);
            if (grad)
                grad[s * cols + c] = inside ? (float)(-a / b) : 0;
        }
        loss[s] = sum;
    }
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
static void cosine_samples(const ia_loss *l, size_t samples, size_t cols, const float *p,
                           const float *z, const float *t, double *loss, float *grad)
{
    (void)l, (void)z;
    for (size_t s = 0; s < samples; s++, p += cols, t += cols) {
        bool flat_t, flat_p;
        double m = inverse_norm(cols, t, &flat_t), n = inverse_norm(cols, p, &flat_p), dot = 0;
        for (size_t c = 0; c < cols; c++)
            dot += m * (double)t[c] * (double)p[c];
        for (size_t c = 0; grad && c < cols; c++) {
            double g = -n * m * (double)t[c];
            grad[s * cols + c] = (float)(flat_p ? g : g + n * n * n * (double)p[c] * dot);
        }
        loss[s] = -n * dot;
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
