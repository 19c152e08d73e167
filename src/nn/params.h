/* Named numbers: what initialisers, regularisers, constraints and activations are called with.
 *
 * One table of ia_param describes a class' parameters for every reader and writer: calls in SPECs
 * ("l2(0.01)", "leaky_relu(negative_slope=0.1)") and Keras' config objects. For nn/, and for who
 * lists them. */
#ifndef IA_NN_PARAMS_H
#define IA_NN_PARAMS_H

#include "base/json.h"

#define IA_PARAM_MAX 4

typedef struct ia_param {
    const char *name;    /* Keras' key: "stddev"; NULL ends a table */
    const char *aliases; /* older keys, separated by '|', or NULL */
    const char *choices; /* "fan_in|fan_out": the value is the index of a word; NULL: a number */
    double fallback;     /* also what null stands for */
    double min, max;     /* both inclusive; 0, 0 = any */
} ia_param;

/* What is being read, for messages: "initializer 'random_normal'". */
typedef struct ia_subject {
    const char *kind; /* "initializer" */
    const char *name; /* "random_normal" */
} ia_subject;

size_t ia_param_count(const ia_param *p);
void ia_params_default(const ia_param *p, double *value);
/* Arguments by position or by name: "0.1,stddev=2". */
IA_MUST_CHECK inarch_status ia_params_from_text(const ia_param *p, ia_subject of, const char *args,
                                                double *value, inarch_error *err);
/* Members of a config object; absent ones keep their default, unknown ones are passed over. */
IA_MUST_CHECK inarch_status ia_params_from_json(const ia_param *p, ia_subject of,
                                                const json_t *config, double *value,
                                                inarch_error *err);
/* Adds every parameter to `config`. */
IA_MUST_CHECK inarch_status ia_params_to_json(const ia_param *p, const double *value,
                                              json_t *config, inarch_error *err);
/* "name", or "name(a,b)" up to the last parameter that is not at its default. */
void ia_params_to_text(const ia_param *p, const char *name, const double *value, char *out,
                       size_t size);

/* The same word but for case and underscores: "GlorotUniform" and "glorot_uniform". */
bool ia_same_name(const char *a, const char *b);
/* `word` is one of a list separated by '|'; its index, or -1. */
int ia_name_index(const char *list, const char *word);
/* A Keras value that names something: a string, or an object with class_name (or Keras 1's name),
 * with config inside it or beside it. False for anything else. `*config` may become NULL. */
bool ia_json_named(const json_t *value, const char **name, const json_t **config);
/* "unknown <kind> '<name>'", with a suggestion among the candidates as the hint. */
inarch_status ia_fail_unknown(inarch_error *err, inarch_status status, ia_subject of,
                              const char *const *candidates, size_t n);
/* The double whose decimal text is that of v: 0.01f becomes 0.01. */
double ia_float_decimal(float v);
/* {"class_name": name, "config": config}; takes over `config`. */
IA_MUST_CHECK inarch_status ia_json_class(const char *name, json_t *config, json_t **out,
                                          inarch_error *err);

#endif
