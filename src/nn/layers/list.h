/* The classes of layers, in the order of `inarch list layers`. A new layer is a file and a row
 * here. */
#ifndef IA_NN_LAYERS_LIST_H
#define IA_NN_LAYERS_LIST_H

#define IA_LAYER_CLASSES(X)                                                                        \
    X(input)                                                                                       \
    X(dense)                                                                                       \
    X(embedding)                                                                                   \
    X(activation)                                                                                  \
    X(relu)                                                                                        \
    X(leaky_relu)                                                                                  \
    X(prelu)                                                                                       \
    X(elu)                                                                                         \
    X(thresholded_relu)                                                                            \
    X(softmax)                                                                                     \
    X(batch_normalization)                                                                         \
    X(layer_normalization)                                                                         \
    X(unit_normalization)                                                                          \
    X(normalization)                                                                               \
    X(rescaling)                                                                                   \
    X(dropout)                                                                                     \
    X(alpha_dropout)                                                                               \
    X(gaussian_noise)                                                                              \
    X(gaussian_dropout)                                                                            \
    X(spatial_dropout1d)                                                                           \
    X(activity_regularization)                                                                     \
    X(masking)                                                                                     \
    X(flatten)                                                                                     \
    X(reshape)                                                                                     \
    X(permute)                                                                                     \
    X(repeat_vector)                                                                               \
    X(concatenate)                                                                                 \
    X(add)                                                                                         \
    X(subtract)                                                                                    \
    X(multiply)                                                                                    \
    X(average)                                                                                     \
    X(maximum)                                                                                     \
    X(minimum)

#endif
