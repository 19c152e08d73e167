/* SPECs: layers as short text, for command lines and the public API.
 *
 * "type:value:value" or "type(value,key=value,...)"; values without a key fill the class' fields in their
 * order. Besides the fields: name=, trainable=, learning_rate=. An activation's name alone is an
 * Activation layer. Parentheses nest; a separator inside them does not split. */
#ifndef IA_NN_SPEC_H
#define IA_NN_SPEC_H

#include "nn/model.h"

/* A new layer whose name, unless given, is not yet taken in `m`. */
IA_MUST_CHECK inarch_status ia_spec_layer(const char *spec, const ia_model *m, ia_layer **out,
                                          inarch_error *err);
/* A Sequential with initial weights; the first SPEC must be an input. */
IA_MUST_CHECK inarch_status ia_spec_model(const char *arch, uint64_t seed, ia_model **out,
                                          inarch_error *err);
/* "BatchNormalization" to "batch_normalization", as Keras names layers; out holds at least 64 bytes. */
void ia_snake_case(const char *class_name, char *out, size_t size);

#endif
