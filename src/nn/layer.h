/* Layers of the document: what a layer is, what a class of layers must say, and the registry.
 *
 * A class is one file in nn/layers/ and one row in nn/layers/list.h: its configuration's fields,
 * the variables it builds, its shape rule, forward and backward together. Shapes leave the batch
 * out. */
#ifndef IA_NN_LAYER_H
#define IA_NN_LAYER_H

#include "nn/field.h"
#include "nn/op.h"
#include "tensor/array.h"

typedef struct ia_model ia_model;
typedef struct ia_layer ia_layer;

#define IA_SLOT_MAX 4

/* Optimizer state belongs to the variable, so it survives freezing, cutting, adding and saving. */
typedef struct ia_slots {
    char optimizer[24];         /* whose state this is: "adam"; "" = none */
    uint64_t step;              /* updates this variable has seen */
    ia_array slot[IA_SLOT_MAX]; /* float32 of the variable's shape, in the optimizer's order */
} ia_slots;

typedef struct ia_variable {
    char *name;      /* within its layer: "kernel", "bias", "moving_mean" */
    ia_array value;  /* no buffer until initialised or loaded; then immutable while shared */
    ia_array loaded; /* the value as loaded from a file (L2-SP's anchor); empty for new ones */
    ia_slots slots;
    bool trainable; /* false: moving statistics and the like; a layer's flag is apart */
    ia_initializer initializer;
    ia_regularizer regularizer;
    ia_constraint constraint;
} ia_variable;

/* How a layer may be run and edited. */
#define IA_LAYER_INPUT 1u     /* InputLayer: no inputs, shape from its configuration */
#define IA_LAYER_OPAQUE 2u    /* known by name only: weights and configuration, no computation */
#define IA_LAYER_MODEL 4u     /* a nested model: layer->child */
#define IA_LAYER_RANDOM 8u    /* active only in training: Dropout, GaussianNoise, ... */
#define IA_LAYER_STATEFUL 16u /* in training mode its forward updates state: BatchNormalization */
#define IA_LAYER_VIEW 32u     /* output bytes are the input's bytes: Flatten, Reshape */
#define IA_LAYER_MERGE 64u    /* takes a list of inputs: Add, Concatenate, ... */
#define IA_LAYER_IDENTITY_OFF_TRAINING 128u /* a view unless the call runs in training mode */
#define IA_LAYER_ACTIVATION_ONLY 256u /* nothing but an activation: Activation, ReLU, Softmax */
#define IA_LAYER_ACTIVITY 512u /* the configuration starts with a regulariser of the output */

typedef struct ia_layer_class {
    const char *name;    /* Keras' class_name: "Dense" */
    const char *spec;    /* in SPECs: "dense" */
    const char *aliases; /* other class_names and SPEC names, separated by '|', or NULL */
    const char *help;    /* one line for `inarch list layers` */
    uint32_t flags;
    size_t config_size;
    const ia_field *fields; /* in the order of a SPEC's positions */
    size_t field_count;
    size_t min_inputs, max_inputs; /* 1, 1 for most; merges 2.. SIZE_MAX */

    /* Fields that depend on each other. NULL: nothing to check. */
    inarch_status (*check)(const ia_layer *l, inarch_error *err);
    /* Declares the variables with ia_layer_add_variable, in Keras' order of creation; called once,
     * when input shapes are known. NULL: no variables. */
    inarch_status (*build)(ia_layer *l, const ia_shape *in, size_t in_count, inarch_error *err);
    /* The output's shape. NULL: the first input's. */
    inarch_status (*shape)(const ia_layer *l, const ia_shape *in, size_t in_count, ia_shape *out,
                           inarch_error *err);
    /* Floats that `rows` rows need from forward to backward (op->saved, training only) and during
     * one call (op->temp). NULL: none. `in` are the row shapes of the inputs. */
    size_t (*saved)(const ia_layer *l, const ia_shape *in, size_t in_count, size_t rows);
    size_t (*temp)(const ia_layer *l, const ia_shape *in, size_t in_count, size_t rows);
    void (*forward)(const ia_op *op);
    void (*backward)(const ia_op *op);
    /* The variable that forward and backward also take in panels, and step themselves: floats that
     * op->temp needs beyond `temp` then. NULL: none; else it is the first one, a matrix. */
    size_t (*panels_temp)(const ia_layer *l, const ia_exec *e, const ia_shape *in, size_t rows);
    /* Which activation ends the layer, for losses from logits and for --head; NULL: none. The plan
     * splits it off (op->no_activation). */
    const ia_activation *(*activation)(const ia_layer *l);
    /* The input chooses among so many rows: whole numbers from 0, or below 0 from the end. NULL:
     * any numbers. */
    size_t (*choices)(const ia_layer *l);
    /* Configuration beyond the fields: sets it from Keras JSON, adds it to Keras JSON. NULL: none.
     */
    inarch_status (*from_json)(ia_layer *l, const json_t *config, int generation,
                               inarch_error *err);
    inarch_status (*to_json)(const ia_layer *l, json_t *config, inarch_error *err);
    /* Which inputs' and output's values backward reads. 0 = dy only. */
    uint32_t reads; /* IA_READS_X | IA_READS_Y */
    /* What defaults of fields cannot say: runs once on the zeroed configuration, before them. */
    void (*init)(void *config);
} ia_layer_class;

#define IA_READS_X 1u
#define IA_READS_Y 2u

struct ia_layer {
    const ia_layer_class *cls;
    char *name;
    char *class_name;    /* as in the file: "LSTM" for an opaque layer, else cls->name */
    void *config;        /* cls->config_size bytes, described by cls->fields; NULL when opaque */
    json_t *source;      /* the configuration as loaded, with every key; NULL for new layers */
    json_t *envelope;    /* keys beside class_name and config, as loaded (module, ...); NULL */
    int generation;      /* 1, 2 or 3: whose definitions hold (hard_sigmoid, ...) */
    bool trainable;      /* this layer's own flag */
    bool built;          /* variables are declared */
    float learning_rate; /* multiplier of the optimizer's rate; 1 */
    ia_variable *variables;
    size_t variable_count;
    ia_model *child; /* a nested model, owned */
};

/* ---- registry ---- */
size_t ia_layer_class_count(void);
const ia_layer_class *ia_layer_class_at(size_t i);
/* By class name, SPEC name or alias; NULL when unknown. */
const ia_layer_class *ia_layer_class_find(const char *name);
extern const ia_layer_class ia_layer_opaque; /* class of unknown layers */
extern const ia_layer_class ia_layer_nested; /* class of nested models */

/* ---- construction ---- */
/* A layer with default configuration; `name` is copied. Not in any model yet. */
IA_MUST_CHECK inarch_status ia_layer_new(const ia_layer_class *cls, const char *name,
                                         ia_layer **out, inarch_error *err);
/* An independent copy that shares the variables' buffers and keeps their ids. */
IA_MUST_CHECK inarch_status ia_layer_clone(const ia_layer *l, ia_layer **out, inarch_error *err);
void ia_layer_free(ia_layer *l); /* NULL allowed */

/* Appends a variable without a value. */
IA_MUST_CHECK inarch_status ia_layer_add_variable(ia_layer *l, const char *name,
                                                  const ia_shape *shape, bool trainable,
                                                  const ia_initializer *initializer,
                                                  const ia_regularizer *regularizer,
                                                  const ia_constraint *constraint,
                                                  inarch_error *err);
ia_variable *ia_layer_variable(const ia_layer *l, const char *name); /* NULL when there is none */
/* Its floats by its shape, with or without a value (ia_array_count is 0 without one). */
size_t ia_variable_count(const ia_variable *v);
/* Replaces a variable's value by a float32 array (a reference is taken); shapes must agree. */
IA_MUST_CHECK inarch_status ia_variable_set(ia_variable *v, const ia_array *value,
                                            const char *owner, inarch_error *err);
void ia_slots_clear(ia_slots *s);
/* Gives every variable without a value its initial one. The stream depends on seed and on the
 * variable's place (`index`: a counter over the model's variables). */
IA_MUST_CHECK inarch_status ia_layer_initialize(ia_layer *l, uint64_t seed, uint64_t *index,
                                                inarch_error *err);

const void *ia_layer_config(const ia_layer *l);
/* The activity regulariser among the fields, or NULL. */
const ia_regularizer *ia_layer_activity(const ia_layer *l);

/* ---- helpers for classes ---- */
/* "layer 'dense_2' needs ..." : the layer is the subject. */
IA_PRINTF(5, 6)
inarch_status ia_layer_fail(const ia_layer *l, inarch_status status, inarch_error *err,
                            const char *hint, const char *format, ...);

#endif
