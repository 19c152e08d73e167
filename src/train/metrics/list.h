/* The metrics that exist beside the means of losses: one row each, defined in the files beside
 * this. */
#ifndef IA_TRAIN_METRICS_LIST_H
#define IA_TRAIN_METRICS_LIST_H

#include "train/metric.h"

#define IA_METRIC_LIST(X)                                                                          \
    X(accuracy)                                                                                    \
    X(binary_accuracy)                                                                             \
    X(categorical_accuracy)                                                                        \
    X(sparse_categorical_accuracy)                                                                 \
    X(top_k_categorical_accuracy)                                                                  \
    X(sparse_top_k_categorical_accuracy)                                                           \
    X(auc)                                                                                         \
    X(precision)                                                                                   \
    X(recall)                                                                                      \
    X(f1_score)                                                                                    \
    X(root_mean_squared_error)                                                                     \
    X(r2_score)                                                                                    \
    X(cosine_similarity)

#define IA_METRIC_DECLARE(name) extern const ia_metric_class ia_metric_##name;
IA_METRIC_LIST(IA_METRIC_DECLARE)
#undef IA_METRIC_DECLARE

extern const ia_metric_class ia_metric_of_loss; /* the mean of any loss */

/* Keras' backend.epsilon(). */
#define IA_METRIC_EPSILON 1e-7

static inline double ia_ratio(double a, double b)
{
    return b != 0 ? a / b : 0; /* Keras' divide_no_nan */
}

#endif
