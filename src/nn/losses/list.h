/* The losses that exist: one row each, defined in the files beside this one. */
#ifndef IA_NN_LOSSES_LIST_H
#define IA_NN_LOSSES_LIST_H

#include "nn/loss.h"

#define IA_LOSS_LIST(X)                                                                            \
    X(binary_crossentropy)                                                                         \
    X(categorical_crossentropy)                                                                    \
    X(sparse_categorical_crossentropy)                                                             \
    X(mean_squared_error)                                                                          \
    X(mean_absolute_error)                                                                         \
    X(mean_absolute_percentage_error)                                                              \
    X(mean_squared_logarithmic_error)                                                              \
    X(huber)                                                                                       \
    X(log_cosh)                                                                                    \
    X(poisson)                                                                                     \
    X(kl_divergence)                                                                               \
    X(cosine_similarity)                                                                           \
    X(hinge)                                                                                       \
    X(squared_hinge)                                                                               \
    X(categorical_hinge)

#define IA_LOSS_DECLARE(name) extern const ia_loss_class ia_loss_##name;
IA_LOSS_LIST(IA_LOSS_DECLARE)
#undef IA_LOSS_DECLARE

#endif
