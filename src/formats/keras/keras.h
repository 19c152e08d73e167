/* The Keras room from inside: the steps between a file and a document, in the order they are taken.
 *
 * Reading: JSON to layers (keras_layer.c), to a graph (keras_graph.c), weights by name
 * (keras_weights.c), compile state and moments. Writing goes the other way, in one dialect that
 * Keras 3 and tf_keras both read. keras_h5.c puts the steps together. */
#ifndef IA_FORMATS_KERAS_KERAS_H
#define IA_FORMATS_KERAS_KERAS_H

#include "containers/hdf5/hdf5.h"
#include "containers/hdf5/hdf5_write.h"
#include "nn/model.h"

#define KERAS_MAX_DEPTH 32      /* models nested in models; the corpus has 1, a test of Keras 12 */
#define KERAS_MAX_LAYERS 8192   /* in all models of a file; the largest known has 1,100 */
#define KERAS_MAX_CALLS 65536   /* in one model */
#define KERAS_MAX_INPUTS 4096   /* of one call */
#define KERAS_MAX_WEIGHTS 16384 /* of one top-level layer */

/* Key in ia_call.kwargs: a call that is more than its inputs, as the file had it, whole. */
#define KERAS_WHOLE_NODE "inarch:node"
/* Key in the source of a whole model: what stood beside its class_name and config. */
#define KERAS_TOP_KEYS "inarch:beside"

typedef struct ia_keras_reader {
    int generation;
    size_t depth;              /* models around the one being read */
    size_t layers;             /* met so far */
    const ia_h5_string *names; /* layer_names of the file, for layers without a name; NULL: none */
    size_t name_count;
    json_t *notes;      /* array of texts: what was left out or is not understood */
    const json_t *meta; /* our own attribute; NULL: none */
    const char *path;   /* of the model being read, "" or "base/inner" */
} ia_keras_reader;

/* Adds a text to the reader's notes. */
IA_PRINTF(3, 4)
IA_MUST_CHECK inarch_status ia_keras_note(json_t *notes, inarch_error *err, const char *format,
                                          ...);

/* ---- keras_layer.c: one entry {"class_name", "config", ...} ---- */
/* The entry is a model in its own right. */
bool ia_keras_is_model(const json_t *entry);
/* Its name, in the configuration or beside it; NULL. */
const char *ia_keras_entry_name(const json_t *entry);
/* A layer, a nested model's layer or an opaque one. `name` is for entries without one. */
IA_MUST_CHECK inarch_status ia_keras_read_layer(ia_keras_reader *r, const json_t *entry,
                                                const char *name, ia_layer **out,
                                                inarch_error *err);
/* Turns the first known layer of that name, at whatever depth, into an opaque one without
 * variables; false when there is none. */
bool ia_keras_make_opaque(ia_model *m, const char *name);
/* An InputLayer of that batch_input_shape (NULL: none known) and dtype. */
IA_MUST_CHECK inarch_status ia_keras_make_input(ia_keras_reader *r, const char *name,
                                                const json_t *batch_shape, const char *dtype,
                                                ia_layer **out, inarch_error *err);

/* ---- keras_graph.c, keras_nodes.c: a model {"class_name", "config"} ---- */
IA_MUST_CHECK inarch_status ia_keras_read_model(ia_keras_reader *r, const json_t *entry,
                                                const char *name, ia_model **out,
                                                inarch_error *err);
/* The calls, inputs and outputs of a Functional whose layers are in m->layers, one for each entry
 * of config["layers"] and in that order. */
IA_MUST_CHECK inarch_status ia_keras_read_nodes(const json_t *config, ia_model *m,
                                                inarch_error *err);

/* ---- keras_weights.c, keras_bind.c ---- */
typedef enum ia_keras_binding {
    KERAS_FIRST,  /* variables are new; opaque layers take all weights of theirs */
    KERAS_REPLACE /* every variable has a value and must get another */
} ia_keras_binding;

/* Gives the variables of `m` their values from `group` (model_weights, or the root of a
 * weights-only file). */
IA_MUST_CHECK inarch_status ia_keras_bind_weights(const ia_h5 *file, const ia_h5_object *group,
                                                  ia_keras_binding binding, ia_model *m,
                                                  inarch_error *err);

/* ---- keras_order.c ---- */
/* A variable with where it stands. */
typedef struct ia_keras_variable {
    ia_layer *layer;
    size_t index;   /* in layer->variables */
    char *path;     /* "base/d1/kernel", from the list's root; owned by the list */
    bool trainable; /* the variable's own and all flags on its path */
} ia_keras_variable;

typedef struct ia_keras_variables {
    ia_keras_variable *items;
    size_t count, cap;
} ia_keras_variables;

/* The variables of one layer (nested ones included) as .h5 files list them: the trainable ones,
 * then the others; paths start with the layer's name. */
IA_MUST_CHECK inarch_status ia_keras_layer_variables(ia_layer *l, ia_keras_variables *out,
                                                     inarch_error *err);
/* Those of a whole model, in the order of layers. */
IA_MUST_CHECK inarch_status ia_keras_model_variables(const ia_model *m, ia_keras_variables *out,
                                                     inarch_error *err);
void ia_keras_variables_free(ia_keras_variables *v);
ia_variable *ia_keras_variable_of(const ia_keras_variable *v);

/* ---- keras_compile.c ---- */
IA_MUST_CHECK inarch_status ia_keras_read_compile(const json_t *training_config, ia_compile *out,
                                                  inarch_error *err);
/* New reference; NULL when the model is not compiled. */
IA_MUST_CHECK inarch_status ia_keras_write_compile(const ia_compile *c, json_t **out,
                                                   inarch_error *err);

/* ---- keras_optimizer.c ---- */
/* Moments and step counts from `group` (optimizer_weights). What does not fit is left out with a
 * note. */
IA_MUST_CHECK inarch_status ia_keras_read_moments(const ia_h5 *file, const ia_h5_object *group,
                                                  ia_model *m, json_t *notes, inarch_error *err);

/* ---- keras_meta.c: what only inarch knows, in the attribute and the group `inarch` ---- */
/* The attribute's object (new reference), or NULL when there is none. */
IA_MUST_CHECK inarch_status ia_keras_parse_meta(const ia_h5 *file, json_t **out, inarch_error *err);
/* What was written about one layer. */
const json_t *ia_keras_layer_meta(const json_t *meta, const char *path);
/* Metadata and moments into the document. */
IA_MUST_CHECK inarch_status ia_keras_read_meta(const ia_h5 *file, const json_t *meta, ia_model *m,
                                               inarch_error *err);
/* `folded` is what keras_expand.h says; NULL: nothing. */
IA_MUST_CHECK inarch_status ia_keras_write_meta(const ia_model *m, const json_t *folded, ia_h5w *w,
                                                inarch_error *err);
/* What ia_keras_fold takes; NULL: nothing. */
const json_t *ia_keras_folded(const json_t *meta);

/* ---- keras_write.c ---- */
/* {"class_name", "config"} in the common dialect. */
IA_MUST_CHECK inarch_status ia_keras_write_model(const ia_model *m, json_t **out,
                                                 inarch_error *err);

/* ---- keras_statistics.c ---- */
/* In a nested model the layer's values are written as configuration, not as weights. */
bool ia_keras_is_configured(const ia_layer *l);
/* Sets config["mean"] and config["variance"]; `m` holds the layer. */
IA_MUST_CHECK inarch_status ia_keras_write_statistics(const ia_model *m, const ia_layer *l,
                                                      json_t *config, inarch_error *err);

/* ---- keras_write_graph.c ---- */
/* Sets entry["inbound_nodes"]. */
IA_MUST_CHECK inarch_status ia_keras_write_calls(const ia_model *m, const ia_layer *l,
                                                 json_t *entry, inarch_error *err);
/* Sets config["input_layers"] and config["output_layers"]. Keras 3 wants the one output of a nested
 * model bare; at the top older readers want lists. */
IA_MUST_CHECK inarch_status ia_keras_write_ends(const ia_model *m, bool top, json_t *config,
                                                inarch_error *err);

/* ---- keras_json.c: small helpers ---- */
/* An object's keys by their bytes, as Keras flattens one; new memory, the texts are lent. */
IA_MUST_CHECK inarch_status ia_keras_sorted_keys(const json_t *object, const char ***out,
                                                 size_t *count, inarch_error *err);
/* json_object_set_new and json_array_append_new that take `value` over and report lack of memory,
 * also for a NULL value. */
IA_MUST_CHECK inarch_status ia_keras_set(json_t *object, const char *key, json_t *value,
                                         inarch_error *err);
IA_MUST_CHECK inarch_status ia_keras_push(json_t *array, json_t *value, inarch_error *err);

#endif
