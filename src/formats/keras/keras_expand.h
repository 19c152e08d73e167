/* Writing out what Keras 2 and Keras 3 compute differently under one name. */
#ifndef IA_FORMATS_KERAS_EXPAND_H
#define IA_FORMATS_KERAS_EXPAND_H

#include "nn/model.h"

/* hard_sigmoid is clip(0.2 x + 0.5) in Keras 2 and clip(x / 6 + 0.5) in Keras 3. A copy of the
 * model in which such a layer is linear and followed by a Rescaling and a ReLU that say which;
 * *folded (new reference) tells how to undo it, by path. Both stay NULL when the model has no such
 * layer. */
IA_MUST_CHECK inarch_status ia_keras_expand(const ia_model *m, ia_model **out, json_t **folded,
                                            inarch_error *err);
/* Undoes it in a model just read. What no longer looks as it was written stays. */
IA_MUST_CHECK inarch_status ia_keras_fold(ia_model *m, const json_t *folded, inarch_error *err);

#endif
