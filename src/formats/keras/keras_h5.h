/* Keras .h5 files, whole: what the table of formats and the verbs above call. */
#ifndef IA_FORMATS_KERAS_KERAS_H5_H
#define IA_FORMATS_KERAS_KERAS_H5_H

#include "base/input.h"
#include "base/output.h"
#include "nn/model.h"

/* A whole model of Keras 1, 2 or 3: layers, calls, weights, flags, compile state, moments,
 * metadata. Weights-only files are INARCH_UNSUPPORTED with a message that says what they are. */
IA_MUST_CHECK inarch_status ia_keras_h5_read(const ia_input *in, ia_model **out, inarch_error *err);

/* The one dialect that Keras 3 and tf_keras open, evaluate and fit. Equal documents give equal
 * bytes. */
IA_MUST_CHECK inarch_status ia_keras_h5_write(const ia_model *m, ia_output *o, inarch_error *err);

/* Replaces the weights of a model by those of a file (weights only, or a whole model), bound by
 * name. All or nothing; moments of replaced weights are cleared. */
IA_MUST_CHECK inarch_status ia_keras_load_weights(ia_model *m, const char *path, inarch_error *err);

#endif
