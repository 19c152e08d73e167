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

static const float *logits_of(const ia_loss *l, const ia_loss_batch *b)
{
    return b->z ? b->z : l->from_logits ? b->p : NULL;
}

/* ---- binary: mean over the units ---- */

static void binary_samples(const ia_loss *l, const ia_loss_batch *b)
{
    double s = l->param[SMOOTHING], smooth[] = {1 - s, 0.5 * s};
    const float *logits = logits_of(l, b);
    ia_loss_elements(b, logits ? IA_LOSS_binary_logits : IA_LOSS_binary_probabilities,
                     logits ? logits : b->p, smooth, (double)b->cols);
}

/* ---- from the logits of a softmax ---- */

static void softmax_samples(const ia_loss_batch *b, ia_loss_id id, const float *logits, double keep,
                            double spread)
{
    ia_loss_rows rows = {.cols = b->cols,
                         .x = logits,
                         .y = b->z && b->last == IA_LOGITS_SOFTMAX ? b->p : NULL,
                         .t = b->t,
                         .param = {(float)keep, (float)spread},
                         .scale = (float)b->scale,
                         .weight = b->weight,
                         .per = b->per,
                         .loss = b->loss,
                         .grad = b->grad};
    ia_loss_run(b->exec, id, &rows, b->samples);
}

/* ---- from probabilities ---- */

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

/* q = p / sum p, then -sum y log(clip(q)), y = keep t + spread. With g_c = -y_c / q_c inside the
 * clip: d/dp_k = (g_k - sum_c g_c q_c) / sum p. */
static double categorical_probabilities(size_t cols, const float *p, const float *t, double keep,
                                        double spread, double scale, float *grad)
{
    double total = 0, sum = 0, mean = 0;
    for (size_t c = 0; c < cols; c++)
        total += (double)p[c];
    for (size_t c = 0; c < cols; c++) {
        double y = keep * (double)t[c] + spread, q = (double)p[c] / total;
        sum -= y * ia_log(clip(q));
        if (inside(q))
            mean -= y;
    }
    for (size_t c = 0; grad && c < cols; c++) {
        double y = keep * (double)t[c] + spread, q = (double)p[c] / total;
        grad[c] = (float)(scale * ((inside(q) ? -y / q : 0) - mean) / total);
    }
    return sum;
}

static void categorical_samples(const ia_loss *l, const ia_loss_batch *b)
{
    const float *logits = logits_of(l, b);
    double keep = 1 - l->param[SMOOTHING], spread = l->param[SMOOTHING] / (double)b->cols;
    if (logits) {
        softmax_samples(b, IA_LOSS_categorical_logits, logits, keep, spread);
        return;
    }
    for (size_t s = 0; s < b->samples; s++) {
        double scale;
        float *grad = ia_loss_grad(b, s, &scale);
        b->loss[s] = categorical_probabilities(b->cols, b->p + s * b->cols, b->t + s * b->cols,
                                               keep, spread, scale, grad);
    }
}

/* Keras takes log(clip(p)) as logits: log(sum clip(p)) - log(clip(p_k)). */
static double sparse_probabilities(size_t cols, const float *p, size_t k, double scale, float *grad)
{
    double total = 0;
    for (size_t c = 0; c < cols; c++)
        total += clip((double)p[c]);
    for (size_t c = 0; grad && c < cols; c++) {
        double q = clip((double)p[c]), slope = 1 / total - (c == k ? 1 / q : 0);
        grad[c] = inside((double)p[c]) ? (float)(scale * slope) : 0;
    }
    return ia_log(total) - ia_log(clip((double)p[k]));
}

static double no_class(size_t cols, float *grad)
{
    for (size_t c = 0; grad && c < cols; c++)
        grad[c] = NAN;
    return (double)NAN;
}

/* Labels are checked when data meets the head; one that is no class comes from a session. */
static void sparse_samples(const ia_loss *l, const ia_loss_batch *b)
{
    const float *logits = logits_of(l, b);
    if (logits) {
        softmax_samples(b, IA_LOSS_sparse_logits, logits, 1, 0);
        return;
    }
    for (size_t s = 0; s < b->samples; s++) {
        double scale;
        float *grad = ia_loss_grad(b, s, &scale);
        bool known = b->t[s] >= 0 && (double)b->t[s] < (double)b->cols;
        b->loss[s] =
            known ? sparse_probabilities(b->cols, b->p + s * b->cols, (size_t)b->t[s], scale, grad)
                  : no_class(b->cols, grad);
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
