/* The document: layers, calls, inputs, outputs, compile state and metadata of one model.
 *
 * A layer that is called twice has two calls; a nested model is a layer with a child; a Sequential is a
 * path. Names are Keras' and survive. What is not interpreted is kept as JSON and written back. */
#ifndef IA_NN_MODEL_H
#define IA_NN_MODEL_H

#include "nn/layer.h"

typedef enum ia_model_kind { IA_SEQUENTIAL, IA_FUNCTIONAL } ia_model_kind;

/* Output `output` of call `call` of the same model. */
typedef struct ia_ref {
    size_t call;
    size_t output; /* 0 but for nested models */
} ia_ref;

#define IA_TRAINING_UNSET (-1)

typedef struct ia_call {
    ia_layer *layer; /* one of the model's */
    ia_ref *in;      /* earlier calls */
    size_t in_count;
    int training;    /* call-time argument: IA_TRAINING_UNSET, 0 or 1 */
    json_t *kwargs;  /* all call-time arguments as loaded; NULL: none */
    ia_shape *out;   /* row shapes of the outputs; rank -1 where unknown (above an opaque layer) */
    size_t out_count;
} ia_call;

/* How the model was compiled, by Keras' long names; settings are kept as JSON. */
typedef struct ia_compile {
    json_t *optimizer; /* {"class_name": "adam", "config": {"learning_rate": 0.001, ...}}; NULL */
    json_t *loss;      /* a string, {"class_name", "config"}, a list or an object by output; NULL */
    json_t *metrics;   /* a list of names, or as above; NULL */
    json_t *loss_weights;
    json_t *source;    /* training_config as loaded, unknown keys included; NULL */
} ia_compile;

struct ia_model {
    char *name;
    ia_model_kind kind;
    char *class_name;  /* "Sequential", "Functional", "Model", or a subclass' own name */
    int generation;    /* Keras 1, 2 or 3 of the file; 3 for new models */
    char *keras_version; /* as in the file; NULL for new models */
    bool trainable;    /* of a nested model: the flag on its layer is the one that counts */

    ia_layer **layers; /* owned; Keras' order of model.layers, InputLayers included */
    size_t layer_count, layer_cap;
    ia_call *calls;    /* topological order */
    size_t call_count, call_cap;
    ia_ref *inputs;    /* calls of InputLayers, in the model's order of inputs */
    size_t input_count;
    ia_ref *outputs;
    size_t output_count;

    ia_compile compile;
    json_t *meta;      /* what inarch keeps: "classes", "columns", ...; never NULL */
    json_t *source;    /* the model's own config as loaded, layers taken out; NULL for new models */
    uint64_t step;     /* optimizer iterations of the last fit */
    bool foreign_moments; /* the slots are from a file that another program wrote: after surgery they
                             start anew, as after Keras' compile() */
};

/* ---- construction ---- */
IA_MUST_CHECK inarch_status ia_model_new(ia_model_kind kind, const char *name, ia_model **out,
                                         inarch_error *err);
/* Shares weights' buffers; keeps names, ids, slots, metadata. Thread-safe on a const model. */
IA_MUST_CHECK inarch_status ia_model_clone(const ia_model *m, ia_model **out, inarch_error *err);
void ia_model_free(ia_model *m); /* NULL allowed */

/* Hands a layer over to the model. Its name must be new: INARCH_BAD_ARGUMENT. */
IA_MUST_CHECK inarch_status ia_model_add_layer(ia_model *m, ia_layer *l, inarch_error *err);
/* Appends a call (`in` is copied); shapes are not inferred yet. */
IA_MUST_CHECK inarch_status ia_model_add_call(ia_model *m, ia_layer *l, const ia_ref *in,
                                              size_t in_count, inarch_error *err);
IA_MUST_CHECK inarch_status ia_model_set_inputs(ia_model *m, const ia_ref *refs, size_t n,
                                                inarch_error *err);
IA_MUST_CHECK inarch_status ia_model_set_outputs(ia_model *m, const ia_ref *refs, size_t n,
                                                 inarch_error *err);
/* Computes every call's output shapes and builds layers that are not built. Errors name the layer and
 * both shapes. Above an opaque layer shapes are unknown and nothing is built. */
IA_MUST_CHECK inarch_status ia_model_infer(ia_model *m, inarch_error *err);
/* Initial values for variables that have none. */
IA_MUST_CHECK inarch_status ia_model_initialize(ia_model *m, uint64_t seed, inarch_error *err);

/* ---- questions ---- */
/* By name; "base/dense_1" looks inside a nested model. NULL when there is none. */
ia_layer *ia_model_layer(const ia_model *m, const char *path);
/* The layer counted as Keras counts model.layers: a Sequential's InputLayer is not one. */
size_t ia_model_counted(const ia_model *m);
ia_layer *ia_model_counted_at(const ia_model *m, size_t i);
/* A name not yet taken: "dense", "dense_1", ... as Keras makes them. New memory; NULL: no memory. */
char *ia_model_fresh_name(const ia_model *m, const char *stem);
/* The first call of a layer; SIZE_MAX when it has none. */
size_t ia_model_call_of(const ia_model *m, const ia_layer *l);

/* Walks all layers, nested ones too, depth first in order. `path` is "base/dense_1"; `trainable` is the
 * AND of the flags along the containment path. A nested model is visited before its layers. */
typedef inarch_status ia_layer_visit(void *context, const ia_model *m, ia_layer *l, const char *path,
                                     bool trainable, inarch_error *err);
IA_MUST_CHECK inarch_status ia_model_walk(const ia_model *m, ia_layer_visit *visit, void *context,
                                          inarch_error *err);

typedef struct ia_counts {
    size_t total, trainable; /* parameters; trainable by the flags along the path */
} ia_counts;
ia_counts ia_model_count(const ia_model *m);

/* The layers in Keras' order of model.layers: as they are for a Sequential, by depth in the graph for a
 * Functional. New memory, m->layer_count entries. */
IA_MUST_CHECK inarch_status ia_model_layer_order(const ia_model *m, ia_layer ***out,
                                                 inarch_error *err);

/* ---- edits (transfer/ makes verbs of them) ---- */
/* Puts m->layers into Keras' order; nested models stay as they are. */
IA_MUST_CHECK inarch_status ia_model_sort_layers(ia_model *m, inarch_error *err);
/* Removes calls that no output needs, and layers without calls; inputs stay. */
IA_MUST_CHECK inarch_status ia_model_prune(ia_model *m, inarch_error *err);

#endif
