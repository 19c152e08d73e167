/* Weights of a file on their way to variables; shared by keras_weights.c, keras_bind.c and
 * keras_leaf.c. */
#ifndef IA_FORMATS_KERAS_BIND_H
#define IA_FORMATS_KERAS_BIND_H

#include "formats/keras/keras.h"

/* One entry of weight_names. */
typedef struct keras_weight {
    char *path;       /* without ":0": "base/d1/kernel" */
    const char *last; /* its last part, in path */
    const ia_h5_object *data;
    size_t leaf; /* whose it is; SIZE_MAX: not known */
    bool used;
} keras_weight;

typedef struct keras_weights {
    const ia_h5 *file;
    ia_keras_binding binding;
    uint64_t *budget; /* bytes that may still be read: aliases do not multiply a file */
    keras_weight *items;
    size_t count;
} keras_weights;

/* A layer that holds variables itself, below the layer whose group is read. */
typedef struct keras_leaf {
    ia_layer *layer;
    char *path; /* "inner/d1" from that layer down; "" for the layer itself */
} keras_leaf;

/* ---- keras_weights.c ---- */
/* The layer gets its values from the file alone. A configuration may have given some itself
 * (Normalization's mean and variance). */
bool ia_keras_needs_weights(const ia_layer *l);
/* The values of a weight, in the file's dtype. */
IA_MUST_CHECK inarch_status ia_keras_read_weight(const keras_weights *w, const keras_weight *one,
                                                 ia_array *out, inarch_error *err);

/* ---- keras_leaf.c ---- */
/* Gives the variables of one layer the weights marked with `leaf`, by their names; where these do
 * not decide, by shapes if that leaves no choice. An opaque layer takes all. */
IA_MUST_CHECK inarch_status ia_keras_bind_leaf(keras_weights *w, size_t leaf, ia_layer *l,
                                               inarch_error *err);
/* Sets a variable from a weight; both shapes are in the error. */
IA_MUST_CHECK inarch_status ia_keras_set_variable(const keras_weights *w, const keras_weight *one,
                                                  const ia_layer *l, ia_variable *v,
                                                  inarch_error *err);
/* Where `name` ends in `path` as a whole part (or run of parts) with a '/' behind it; 0: nowhere.
 * The last such place. */
size_t ia_keras_scope_end(const char *path, const char *name);

/* ---- keras_guess.c ---- */
/* Declares the variables of a layer whose input shape nobody knows (it stands above an opaque
 * layer) from the shapes of its weights. Does nothing when no input shape explains them. */
IA_MUST_CHECK inarch_status ia_keras_guess_build(ia_layer *l, const keras_weights *w, size_t leaf,
                                                 inarch_error *err);

/* ---- keras_bind.c ---- */
/* All weights of a nested model. */
IA_MUST_CHECK inarch_status ia_keras_bind_nested(keras_weights *w, ia_layer *l, inarch_error *err);

#endif
