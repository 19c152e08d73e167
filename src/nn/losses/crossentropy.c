/* Cross-entropies: binary, categorical, sparse categorical.
 *
 * From logits wherever they are known: exact for saturated units, where probabilities in float32
 * are 0 or 1. Keras on TensorFlow does the same, whichever of sigmoid and softmax made the output:
 * a categorical loss on a sigmoid head is a softmax over the sigmoid's inputs. From probabilities
 * as Keras 3: clipped to [1e-7, 1 - 1e-7], with no gradient outside. */
#include "nn/losses/element.h"
#include "nn/losses/list.h"

#include "base/maths.h"

#include <math.h>

enum { SMOOTHING };

static const float *logits_of(const ia_loss *l, const float *p, const float *z)
{
    return z ? z : l->from_logits ? p : NULL;
}

/* 1 - 1e-7 as float32 holds it: a wrong p = 1 costs 15.94 in Keras, a wrong p = 0 16.12. */
#define NEARLY_ONE (1 - 0x1p-23)

/* Inside the clip: gradients pass at the bounds themselves, as in TensorFlow. */
static bool inside(double p)
{
    return p >= IA_LOSS_EPSILON && p <= NEARLY_ONE;
}

static double clip(double p)
{
    /* Written so that NaN stays NaN. */
    return p < IA_LOSS_EPSILON ? IA_LOSS_EPSILON : p > NEARLY_ONE ? NEARLY_ONE : p;
}

/* ---- binary: mean over the units ---- */

static double smooth_binary(const ia_loss *l, double t)
{
    double s = l->param[SMOOTHING];
    return s != 0 ? t * (1 - s) + 0.5 * s : t;
}

/* max(z, 0) - z t + log(1 + exp(-|z|)); derivative sigmoid(z) - t. */
static double binary_logit(const ia_loss *l, double z, double t, double *slope)
{
    double y = smooth_binary(l, t), e = ia_exp(-fabs(z));
    *slope = (z >= 0 ? 1 / (1 + e) : e / (1 + e)) - y;
    return (z > 0 ? z : 0) - z * y + ia_log1p(e);
}

/* -t log p - (1 - t) log(1 - p) */
static double binary_probability(const ia_loss *l, double p, double t, double *slope)
{
    double y = smooth_binary(l, t), q = clip(p);
    *slope = inside(p) ? (q - y) / (q * (1 - q)) : 0;
    return -(y * ia_log(q) + (1 - y) * ia_log(1 - q));
}

static void binary_samples(const ia_loss *l, size_t samples, size_t cols, const float *p,
                           const float *z, const float *t, double *loss, float *grad)
{
    const float *logits = logits_of(l, p, z);
    if (logits)
        ia_loss_mean(l, binary_logit, samples, cols, logits, t, loss, grad);
    else
        ia_loss_mean(l, binary_probability, samples, cols, p, t, loss, grad);
}

/* ---- softmax over one sample ---- */

/* log(sum_c exp(z[c])), by the largest; NaN and +infinity among z give NaN. */
static double log_sum_exp(size_t cols, const float *z)
{
    double top = (double)z[0], sum = 0;
    for (size_t c = 1; c < cols; c++)
        top = (double)z[c] > top ? (double)z[c] : top;
    for (size_t c = 0; c < cols; c++)
        sum += ia_exp((double)z[c] - top);
    return top + ia_log(sum);
}

/* ---- categorical: targets are one number per class ---- */

static double smooth_class(const ia_loss *l, double t, size_t cols)
{
    double s = l->param[SMOOTHING];
    return s != 0 ? t * (1 - s) + s / (double)cols : t;
}

/* sum_c t (lse - z). The gradient is softmax(z) - t, as TensorFlow's operation gives it, also for
 * targets that do not sum to 1. */
static double categorical_logits(const ia_loss *l, size_t cols, const float *z, const float *t,
                                 float *grad)
{
    double lse = log_sum_exp(cols, z), sum = 0;
    for (size_t c = 0; c < cols; c++) {
        double y = smooth_class(l, (double)t[c], cols);
        if (y != 0)
            sum += y * (lse - (double)z[c]);
        if (grad)
            grad[c] = (float)(ia_exp((double)z[c] - lse) - y);
    }
    return sum;
}

/* q = p / sum p, then -sum t log(clip(q)). With g_c = -t_c / q_c inside the clip:
 * d/dp_k = (g_k - sum_c g_c q_c) / sum p. */
static double categorical_probabilities(const ia_loss *l, size_t cols, const float *p,
                                        const float *t, float *grad)
{
    double total = 0, sum = 0, mean = 0;
    for (size_t c = 0; c < cols; c++)
        total += (double)p[c];
    for (size_t c = 0; c < cols; c++) {
        double y = smooth_class(l, (double)t[c], cols), q = (double)p[c] / total;
        sum -= y * ia_log(clip(q));
        if (inside(q))
            mean -= y;
    }
    for (size_t c = 0; grad && c < cols; c++) {
        double y = smooth_class(l, (double)t[c], cols), q = (double)p[c] / total;
        grad[c] = (float)(((inside(q) ? -y / q : 0) - mean) / total);
    }
    return sum;
}

static void categorical_samples(const ia_loss *l, size_t samples, size_t cols, const float *p,
                                const float *z, const float *t, double *loss, float *grad)
{
    const float *logits = logits_of(l, p, z);
    for (size_t s = 0; s < samples; s++) {
        float *g = grad ? grad + s * cols : NULL;
        if (logits)
            loss[s] = categorical_logits(l, cols, logits + s * cols, t + s * cols, g);
        else
            loss[s] = categorical_probabilities(l, cols, p + s * cols, t + s * cols, g);
    }
}

/* ---- sparse categorical: the target is a class index ---- */

static double sparse_logits(size_t cols, const float *z, size_t k, float *grad)
{
    double lse = log_sum_exp(cols, z);
    for (size_t c = 0; grad && c < cols; c++)
        grad[c] = (float)(ia_exp((double)z[c] - lse) - (c == k ? 1 : 0));
    return lse - (double)z[k];
}

/* Keras takes log(clip(p)) as logits: log(sum clip(p)) - log(clip(p_k)). */
static double sparse_probabilities(size_t cols, const float *p, size_t k, float *grad)
{
    double total = 0;
    for (size_t c = 0; c < cols; c++)
        total += clip((double)p[c]);
    for (size_t c = 0; grad && c < cols; c++) {
        double q = clip((double)p[c]);
        grad[c] = inside((double)p[c]) ? (float)(1 / total - (c == k ? 1 / q : 0)) : 0;
    }
    return ia_log(total) - ia_log(clip((double)p[k]));
}

/* The class index; cols for anything that is none. */
static size_t class_of(float t, size_t cols)
{
    return t >= 0 && (double)t < (double)cols ? (size_t)t : cols;
}

static double no_class(size_t cols, float *grad)
{
    for (size_t c = 0; grad && c < cols; c++)
        grad[c] = NAN;
    return (double)NAN;
}

static void sparse_samples(const ia_loss *l, size_t samples, size_t cols, const float *p,
                           const float *z, const float *t, double *loss, float *grad)
{
    const float *logits = logits_of(l, p, z);
    for (size_t s = 0; s < samples; s++) {
        size_t k = class_of(t[s], cols);
        float *g = grad ? grad + s * cols : NULL;
        if (k == cols) /* labels are checked when data meets the head; this is for sessions */
            loss[s] = no_class(cols, g);
        else if (logits)
            loss[s] = sparse_logits(cols, logits + s * cols, k, g);
        else
            loss[s] = sparse_probabilities(cols, p + s * cols, k, g);
    }
}

const ia_loss_class ia_loss_binary_crossentropy = {
    .name = "binary_crossentropy",
    .aliases = "BinaryCrossentropy|bce",
    .help = "0/1 targets against probabilities, each unit for itself",
    .param = {"label_smoothing"},
    .target = IA_TARGET_VALUES,
    .logits = IA_LOGITS_SIGMOID,
    .samples = binary_samples,
};

const ia_loss_class ia_loss_categorical_crossentropy = {
    .name = "categorical_crossentropy",
    .aliases = "CategoricalCrossentropy|cce",
    .help = "one number per class against a softmax",
    .param = {"label_smoothing"},
    .target = IA_TARGET_VALUES,
    .logits = IA_LOGITS_SOFTMAX,
    .samples = categorical_samples,
};

const ia_loss_class ia_loss_sparse_categorical_crossentropy = {
    .name = "sparse_categorical_crossentropy",
    .aliases = "SparseCategoricalCrossentropy|scce",
    .help = "class indices against a softmax",
    .target = IA_TARGET_CLASS,
    .logits = IA_LOGITS_SOFTMAX,
    .samples = sparse_samples,
};
