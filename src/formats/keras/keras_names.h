/* What the generations of Keras call the same thing: versions, classes, keys, weights, optimizers.
 *
 * Tables only; nothing here reads JSON beyond a look at one value or touches a document. */
#ifndef IA_FORMATS_KERAS_NAMES_H
#define IA_FORMATS_KERAS_NAMES_H

#include "nn/layer.h"

/* 1, 2 or 3. No version at all is Keras 1, as in Keras' own loaders. */
int ia_keras_generation(const char *version);

/* The class of layers a file's class_name means, or NULL: unknown. SPEC names do not count. Keras
 * 1's Merge is one class for what later became several: its configuration decides. */
const ia_layer_class *ia_keras_layer_class(const char *class_name, const json_t *config);

/* The value of a field under its present, its older or its oldest key; NULL when absent. */
const json_t *ia_keras_field_value(const ia_layer_class *cls, const ia_field *f,
                                   const json_t *config);
/* The key to write a field under so that Keras 3 and tf_keras both read it. */
const char *ia_keras_written_key(const ia_layer_class *cls, const ia_field *f);
/* The field is written only where it is not at its default: one generation does not know it. */
bool ia_keras_field_is_rare(const ia_layer_class *cls, const ia_field *f);
/* The layer's configuration may hold `trainable`: Keras 3's SpatialDropout1D refuses it. */
bool ia_keras_takes_trainable(const ia_layer_class *cls);
/* `key` is read as a field of the class, or is known to one generation only and means nothing once
 * the layer is written in the common dialect: not written back as an unknown key. */
bool ia_keras_key_is_ours(const ia_layer_class *cls, const char *key);

/* Why a configuration of a known class means more than our class computes ("renorm"), or NULL. */
const char *ia_keras_refused_key(const ia_layer_class *cls, const json_t *config);

/* Our name of a weight from the last part of its path without ":0": "running_std" or "dense_1_W" of
 * layer dense_1 become "moving_variance" and "kernel". Borrowed from `part` or static. */
const char *ia_keras_variable_name(const ia_layer *l, const char *part);

/* How an optimizer's state is called. Names are Keras 3's, in its order of creation. */
typedef struct ia_keras_optimizer {
    const char *name;              /* "adam" */
    const char *class_name;        /* "Adam" */
    const char *slot[IA_SLOT_MAX]; /* every generation's names, separated by '|' */
} ia_keras_optimizer;

/* By class_name in any spelling ("Custom>Adam", "adam"); NULL when unknown. */
const ia_keras_optimizer *ia_keras_optimizer_find(const char *class_name);

/* `word` is one of a list separated by '|'. */
bool ia_keras_listed(const char *list, const char *word);

#endif
