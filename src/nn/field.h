/* Fields: a layer's configuration is a plain struct, described by a table of fields.
 *
 * The table serves every reader and writer of configurations - Keras JSON of any generation, SPECs
 * on the command line, `inarch list`, `show` - so a layer's file names each setting once.
 * Configuration structs hold values only (no pointers to own), so they are cloned with memcpy. */
#ifndef IA_NN_FIELD_H
#define IA_NN_FIELD_H

#include "base/json.h"
#include "kernels/activation.h"
#include "nn/constraint.h"
#include "nn/initializer.h"
#include "nn/regularizer.h"

#define IA_LIST_MAX 8

typedef struct ia_ints { /* target_shape, axis, dims, axes */
    int count;           /* 0: none given */
    int64_t value[IA_LIST_MAX];
} ia_ints;

typedef struct ia_floats { /* a number or a short list of numbers */
    int count;             /* 1 for a plain number */
    float value[IA_LIST_MAX];
} ia_floats;

typedef enum ia_field_type {
    IA_FIELD_INT,         /* int64_t; null in JSON = the field's `none` */
    IA_FIELD_FLOAT,       /* float; null likewise */
    IA_FIELD_BOOL,        /* int, 0 or 1 */
    IA_FIELD_INTS,        /* ia_ints; a single integer is a list of one */
    IA_FIELD_FLOATS,      /* ia_floats */
    IA_FIELD_ACTIVATION,  /* ia_activation; null = linear */
    IA_FIELD_INITIALIZER, /* ia_initializer */
    IA_FIELD_REGULARIZER, /* ia_regularizer; null = none */
    IA_FIELD_CONSTRAINT,  /* ia_constraint; null = none */
} ia_field_type;

typedef struct ia_field {
    const char *key;     /* Keras 3's name; also the name in SPECs */
    const char *aliases; /* older and shorter names, separated by '|': "output_dim"; or NULL */
    ia_field_type type;
    size_t offset;        /* in the configuration struct */
    double min, max;      /* INT, FLOAT: the allowed range, both inclusive; 0, 0 = any */
    const char *fallback; /* the default, as text for ia_field_set_text; NULL: must be given */
    double none;          /* what null stands for in a FLOAT or INT (INFINITY for no max_value) */
    const char *help;     /* a few words with unit and range */
} ia_field;

/* The field called `key` in SPECs or under an alias; NULL when there is none. */
const ia_field *ia_field_find(const ia_field *fields, size_t count, const char *key);

/* Sets every field to its default; fields without one are zero. */
void ia_fields_default(const ia_field *fields, size_t count, void *config);

/* Sets a field from text, as in SPECs: "128", "0.5", "true", "relu", "he_normal", "l2(0.01)",
 * "28x28", "leaky_relu(negative_slope=0.1)". `owner` is the subject of messages. */
IA_MUST_CHECK inarch_status ia_field_set_text(const ia_field *f, void *config, const char *text,
                                              const char *owner, inarch_error *err);
/* Sets a field from a Keras JSON value (any generation's spelling; `generation` 1, 2 or 3 decides
 * meanings such as hard_sigmoid's slope). Unknown activations, initialisers ... are
 * INARCH_UNSUPPORTED. */
IA_MUST_CHECK inarch_status ia_field_set_json(const ia_field *f, void *config, const json_t *value,
                                              int generation, const char *owner, inarch_error *err);
/* The field's value as Keras JSON that Keras 3 and tf_keras both read (new reference). */
IA_MUST_CHECK inarch_status ia_field_to_json(const ia_field *f, const void *config, json_t **out,
                                             inarch_error *err);
/* Short text for people and for SPECs: "128", "relu", "l2(0.01)". */
void ia_field_to_text(const ia_field *f, const void *config, char *out, size_t size);
/* The value equals the default. */
bool ia_field_is_default(const ia_field *f, const void *config);

/* Splits a call such as "l2(0.01)" or "huber(delta=0.5)" into its name and its arguments' text;
 * false when parentheses do not match. `args` is "" without parentheses. */
bool ia_parse_call(const char *text, char *name, size_t name_size, char *args, size_t args_size);

#endif
