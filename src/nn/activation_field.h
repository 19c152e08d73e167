/* Activations as settings: their spelling in SPECs and in Keras JSON. What they compute is in
 * kernels/. */
#ifndef IA_NN_ACTIVATION_FIELD_H
#define IA_NN_ACTIVATION_FIELD_H

#include "base/json.h"
#include "kernels/activation.h"

/* "relu", "leaky_relu(0.1)", "gelu(approximate=true)". */
IA_MUST_CHECK inarch_status ia_activation_from_text(const char *text, ia_activation *out,
                                                    inarch_error *err);
/* A name, null (linear), Keras 3's function object, or an activation layer used as a function.
 * hard_sigmoid is clip(0.2 x + 0.5) in generations 1 and 2. */
IA_MUST_CHECK inarch_status ia_activation_from_json(const json_t *value, int generation,
                                                    ia_activation *out, inarch_error *err);
/* The plain name where that says it all, else an activation layer's object; INARCH_UNSUPPORTED
 * where Keras has no such layer. hard_sigmoid's slope is not written: it belongs to the generation.
 */
IA_MUST_CHECK inarch_status ia_activation_to_json(const ia_activation *a, json_t **out,
                                                  inarch_error *err);
void ia_activation_to_text(const ia_activation *a, char *out, size_t size);

#endif
