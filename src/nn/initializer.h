/* Initialisers: what a new variable starts with. One row each in initializer.c. */
#ifndef IA_NN_INITIALIZER_H
#define IA_NN_INITIALIZER_H

#include "base/json.h"
#include "base/random.h"
#include "tensor/shape.h"

typedef struct ia_initializer_class ia_initializer_class;

typedef struct ia_initializer {
    const ia_initializer_class *cls; /* NULL: none given */
    double param[4];                 /* by the class' table: minval, maxval / scale ... */
} ia_initializer;

/* By Keras' name in either spelling ("glorot_uniform", "GlorotUniform", "he_normal", ...). */
IA_MUST_CHECK inarch_status ia_initializer_from_text(const char *text, ia_initializer *out,
                                                     inarch_error *err);
IA_MUST_CHECK inarch_status ia_initializer_from_json(const json_t *value, ia_initializer *out,
                                                     inarch_error *err);
IA_MUST_CHECK inarch_status ia_initializer_to_json(const ia_initializer *i, json_t **out,
                                                   inarch_error *err);
void ia_initializer_to_text(const ia_initializer *i, char *out, size_t size);
size_t ia_initializer_count(void);
const char *ia_initializer_name_at(size_t i);
const struct ia_param *ia_initializer_params_at(size_t i); /* params.h */

/* Fills n = product(shape) floats; fans as Keras computes them from the shape. `gain` etc. from
 * the parameters. The stream is the key's alone. */
IA_MUST_CHECK inarch_status ia_initializer_fill(const ia_initializer *i, const ia_shape *shape,
                                                ia_random_key key, float *out, inarch_error *err);

#endif
