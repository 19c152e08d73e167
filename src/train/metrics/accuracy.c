/* Accuracies: how often the prediction is the label. Ties of the largest go to the first. */
#include "train/metrics/list.h"

#include <math.h>

static size_t argmax(size_t n, const float *x)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (x[i] > x[best])
            best = i;
    return best;
}

/* The label of a sample as a class; cols where it is none. */
static size_t label_of(const ia_scores *b, size_t s)
{
    if (!b->class_index)
        return argmax(b->cols, b->t + s * b->cols);
    return b->t[s] >= 0 && b->t[s] < (float)b->cols ? (size_t)b->t[s] : b->cols;
}

/* The share of units where (p > threshold) equals the label. */
static double binary_sample(const ia_metric *m, const ia_scores *b, size_t s)
{
    size_t right = 0;
    for (size_t c = s * b->cols; c < (s + 1) * b->cols; c++)
        right += ((double)b->p[c] > m->threshold ? 1.0f : 0.0f) == b->t[c];
    return (double)right / (double)b->cols;
}

static double class_sample(const ia_metric *m, const ia_scores *b, size_t s)
{
    (void)m;
    return argmax(b->cols, b->p + s * b->cols) == label_of(b, s);
}

/* Fewer than k classes score strictly higher than the label: ties at the boundary count as inside.
 */
static double top_k_sample(const ia_metric *m, const ia_scores *b, size_t s)
{
    const float *p = b->p + s * b->cols;
    size_t label = label_of(b, s), above = 0;
    if (label == b->cols || !isfinite(p[label]))
        return 0;
    for (size_t c = 0; c < b->cols; c++)
        above += p[c] > p[label];
    return (double)above < m->k;
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
    .sample = class_sample,
};

const ia_metric_class ia_metric_binary_accuracy = {
    .name = "binary_accuracy",
    .class_name = "BinaryAccuracy",
    .help = "share of units with (p > threshold) = y",
    .up = 1,
    .settings = threshold_settings,
    .setting_count = IA_COUNT(threshold_settings),
    .one_hot = 1,
    .sample = binary_sample,
};

const ia_metric_class ia_metric_categorical_accuracy = {
    .name = "categorical_accuracy",
    .class_name = "CategoricalAccuracy",
    .help = "share of rows whose largest p is the class",
    .up = 1,
    .sample = class_sample,
};

const ia_metric_class ia_metric_sparse_categorical_accuracy = {
    .name = "sparse_categorical_accuracy",
    .class_name = "SparseCategoricalAccuracy",
    .help = "the same for class indices",
    .up = 1,
    .sparse = 1,
    .sample = class_sample,
};

const ia_metric_class ia_metric_top_k_categorical_accuracy = {
    .name = "top_k_categorical_accuracy",
    .class_name = "TopKCategoricalAccuracy",
    .aliases = "top_k|top_k_accuracy",
    .help = "share of rows whose class is among the k largest",
    .up = 1,
    .settings = k_settings,
    .setting_count = IA_COUNT(k_settings),
    .sample = top_k_sample,
};

const ia_metric_class ia_metric_sparse_top_k_categorical_accuracy = {
    .name = "sparse_top_k_categorical_accuracy",
    .class_name = "SparseTopKCategoricalAccuracy",
    .help = "the same for class indices",
    .up = 1,
    .settings = k_settings,
    .setting_count = IA_COUNT(k_settings),
    .sparse = 1,
    .sample = top_k_sample,
};
