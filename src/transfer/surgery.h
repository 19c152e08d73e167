/* Surgery: the verbs that edit a model. Each works whole or not at all: on failure the model is as it
 * was. Variables that stay keep their values, ids, optimizer slots and step counts. */
#ifndef IA_TRANSFER_SURGERY_H
#define IA_TRANSFER_SURGERY_H

#include "nn/spec.h"

/* ---- trainable flags (flags.c) ---- */
/* PATTERN: layer names or paths, separated by commas; '*' and '?' match. A nested model that matches
 * takes everything inside along. Each item must match something: INARCH_NOT_FOUND. Unfreezing a layer
 * inside a frozen model opens the models around it for this layer only. */
IA_MUST_CHECK inarch_status ia_set_trainable(ia_model *m, const char *pattern, bool trainable,
                                             inarch_error *err);
/* The first n of ia_model_counted. More than there are: INARCH_BAD_ARGUMENT. */
IA_MUST_CHECK inarch_status ia_freeze_first(ia_model *m, size_t n, inarch_error *err);
/* Up to and including `layer` (a top-level name), in the order of model.layers. */
IA_MUST_CHECK inarch_status ia_freeze_to(ia_model *m, const char *layer, inarch_error *err);
IA_MUST_CHECK inarch_status ia_set_learning_rate(ia_model *m, const char *pattern, double multiplier,
                                                 inarch_error *err);

/* Fresh initial weights, without moments, for matching layers that learn: a baseline of the same
 * architecture. */
IA_MUST_CHECK inarch_status ia_reset(ia_model *m, const char *pattern, uint64_t seed,
                                     inarch_error *err);

/* ---- graph (graph.c) ---- */
IA_MUST_CHECK inarch_status ia_pop(ia_model *m, size_t n, inarch_error *err);
IA_MUST_CHECK inarch_status ia_cut(ia_model *m, const char *layer, inarch_error *err);
IA_MUST_CHECK inarch_status ia_add_layer(ia_model *m, const char *spec, uint64_t seed, inarch_error *err);
/* Behind top-level layer `after`, or behind the input ("") - in front of everything. */
IA_MUST_CHECK inarch_status ia_insert(ia_model *m, const char *after, const char *spec,
                                      uint64_t seed, inarch_error *err);
/* The same with a layer made elsewhere; handed over on success. */
IA_MUST_CHECK inarch_status ia_insert_layer(ia_model *m, const char *after, ia_layer *l,
                                            uint64_t seed, inarch_error *err);
IA_MUST_CHECK inarch_status ia_attach(ia_model *m, const char *from, const char *specs,
                                      uint64_t seed, inarch_error *err);
IA_MUST_CHECK inarch_status ia_rename(ia_model *m, const char *layer, const char *name,
                                      inarch_error *err);

/* ---- heads (head.c) ---- */
/* Replaces the last layer with weights, and what is above it, by Dense(n, softmax), or by
 * Dense(1, sigmoid) when n is 1. */
IA_MUST_CHECK inarch_status ia_replace_head(ia_model *m, size_t n, uint64_t seed, inarch_error *err);
/* meta "classes" becomes `names`; where the number of units must change, columns of known names keep
 * their weights and moments and others are fresh. */
IA_MUST_CHECK inarch_status ia_set_classes(ia_model *m, const char *const *names, size_t n,
                                           uint64_t seed, inarch_error *err);

/* ---- helpers ---- */
/* INARCH_NOT_FOUND with the nearest name as hint. */
inarch_status ia_no_such_layer(const ia_model *m, const char *name, inarch_error *err);
/* The layer that makes the only output, seen through nothing; errors name the number of outputs. */
IA_MUST_CHECK inarch_status ia_single_output(const ia_model *m, const char *verb, ia_ref *out,
                                             inarch_error *err);

/* Runs `edit` on a clone, infers shapes, gives new variables their values, and puts the clone in the
 * model's place when all went well. */
typedef inarch_status ia_edit_fn(ia_model *m, void *context, inarch_error *err);
IA_MUST_CHECK inarch_status ia_edit(ia_model *m, ia_edit_fn *edit, void *context, uint64_t seed,
                                    inarch_error *err);

#endif
