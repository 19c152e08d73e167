/* Masks. Keras leaves what Masking or Embedding(mask_zero) hides out of loss and metrics, which is
 * not computed here: where it would change the numbers, it is said. */
#ifndef IA_TRAIN_MASK_H
#define IA_TRAIN_MASK_H

#include "data/data.h"
#include "nn/model.h"

/* INARCH_UNSUPPORTED when a mask reaches an output (or, training, a BatchNormalization, which
 * counts unmasked values only) and `d`, bound to the model, has something to hide. */
IA_MUST_CHECK inarch_status ia_mask_check(const ia_model *m, const ia_data *d, bool training,
                                          inarch_error *err);

#endif
