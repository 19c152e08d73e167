/* Accuracies: how often the prediction is the label. Ties of the largest go to the first. */
#include "kernels/losses.h"
#include "train/metrics/list.h"

#include <math.h>

#define CHUNK 256 /* samples whose largest columns are found together */

/* The labels of n samples from s on as classes; -1 where one is none. */
static void labels_of(const ia_scores *b, size_t s, size_t n, float *label)
{
    if (!b->class_index)
        ia_row_argmax(b->exec, n, b->cols, b->t + s * b->cols, label);
    for (size_t i = 0; b->class_index && i < n; i++)
        label[i] =
            b->t[s + i] >= 0 && b->t[s + i] < (float)b->cols ? (float)(size_t)b->t[s + i] : -1;
}

/* The share of units where (p > threshold) equals the label. */
static void binary_values(const ia_metric *m, const ia_scores *b, double *value)
{
    const float *p = b->p, *t = b->t;
    for (size_t s = 0; s < b->samples; s++, p += b->cols, t += b->cols) {
        size_t right = 0;
        for (size_t c = 0; c < b->cols; c++)
            right += ((double)p[c] > m->threshold ? 1.0f : 0.0f) == t[c];
        value[s] = (double)right / (double)b->cols;
    }
}

static void class_values(const ia_metric *m, const ia_scores *b, double *value)
{
    (void)m;
    for (size_t s = 0; s < b->samples; s += CHUNK) {
        size_t n = b->samples - s < CHUNK ? b->samples - s : CHUNK;
        float best[CHUNK], label[CHUNK];
        ia_row_argmax(b->exec, n, b->cols, b->p + s * b->cols, best);
        labels_of(b, s, n, label);
        for (size_t i = 0; i < n; i++)
            value[s + i] = best[i] == label[i];
    }
}

/* Fewer than k classes score strictly higher than the label: ties at the boundary count as inside.
 */
static bool among_top(const float *p, size_t cols, float label, double k)
{
    size_t above = 0;
    if (label < 0 || !isfinite(p[(size_t)label]))
        return false;
    float own = p[(size_t)label];
    for (size_t c = 0; c < cols; c++)
        above += p[c] > own;
    return (double)above < k;
}

static void top_k_values(const ia_metric *m, const ia_scores *b, double *value)
{
    for (size_t s = 0; s < b->samples; s += CHUNK) {
        size_t n = b->samples - s < CHUNK ? b->samples - s : CHUNK;
        float label[CHUNK];
        labels_of(b, s, n, label);
        for (size_t i = 0; i < n; i++)
            value[s + i] = among_top(b->p + (s + i) * b->cols, b->cols, label[i], m->k);
    }
}

#define AT(member) offsetof(ia_metric, member)

static const ia_setting threshold_settings[] = {
    {"threshold", NULL, IA_SETTING_NUMBER, AT(threshold), 0.5, 0, 1, NULL,
     "p above it counts as 1; 0 to 1"},
};
static const ia_setting k_settings[] = {
    {"k", NULL, IA_SETTING_WHOLE, AT(k), 5, 1, 1e9, NULL, "how many largest count, 1 or more"},
};

const ia_metric_class ia_metric_accuracy = {
    .name = "accuracy",
    .class_name = "Accuracy",
    .aliases = "acc",
    .help = "binary, sparse or categorical, by output and labels",
    .up = 1,
    .values = class_values,
};

const ia_metric_class ia_metric_binary_accuracy = {
    .name = "binary_accuracy",
    .class_name = "BinaryAccuracy",
    .help = "share of units with (p > threshold) = y",
    .up = 1,
    .settings = threshold_settings,
    .setting_count = IA_COUNT(threshold_settings),
    .one_hot = 1,
    .values = binary_values,
};

const ia_metric_class ia_metric_categorical_accuracy = {
    .name = "categorical_accuracy",
    .class_name = "CategoricalAccuracy",
    .help = "share of rows whose largest p is the class",
    .up = 1,
    .values = class_values,
};

const ia_metric_class ia_metric_sparse_categorical_accuracy = {
    .name = "sparse_categorical_accuracy",
    .class_name = "SparseCategoricalAccuracy",
    .help = "the same for class indices",
    .up = 1,
    .sparse = 1,
    .values = class_values,
};

const ia_metric_class ia_metric_top_k_categorical_accuracy = {
    .name = "top_k_categorical_accuracy",
    .class_name = "TopKCategoricalAccuracy",
    .aliases = "top_k|top_k_accuracy",
    .help = "share of rows whose class is among the k largest",
    .up = 1,
    .settings = k_settings,
    .setting_count = IA_COUNT(k_settings),
    .values = top_k_values,
};

const ia_metric_class ia_metric_sparse_top_k_categorical_accuracy = {
    .name = "sparse_top_k_categorical_accuracy",
    .class_name = "SparseTopKCategoricalAccuracy",
    .help = "the same for class indices",
    .up = 1,
    .settings = k_settings,
    .setting_count = IA_COUNT(k_settings),
    .sparse = 1,
    .values = top_k_values,
};
