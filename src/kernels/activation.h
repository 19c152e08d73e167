/* The table of activations: names, parameters, and what the derivative reads.
 *
 * One row here and one pair of inline functions in activation_list.h add an activation; loops for
 * every instruction set are made from that pair. */
#ifndef IA_KERNELS_ACTIVATION_H
#define IA_KERNELS_ACTIVATION_H

#include "kernels/kernels.h"

typedef struct ia_activation_class {
    const char *name;     /* Keras 3's: "relu", "hard_sigmoid", ... */
    const char *param[3]; /* names of its parameters, NULL past the last: "negative_slope" ... */
    float fallback[3];    /* their defaults */
    int needs_z;          /* the derivative reads z (else only y) */
    int along_row;        /* softmax, log_softmax, sparsemax: mixes the elements of a row */
    int id;               /* index in the dispatch tables */
} ia_activation_class;

struct ia_activation {
    const ia_activation_class *cls;
    float param[3];
};

size_t ia_activation_count(void);
const ia_activation_class *ia_activation_at(size_t i);
/* Keras 3 names and aliases ("swish" = "silu"); NULL when unknown. */
const ia_activation_class *ia_activation_find(const char *name);
/* x < 0 ? 0 : x, without a slope, bound or threshold: ia_dense_forward computes it on the way. */
int ia_activation_is_relu(const ia_activation *a);
/* With default parameters. */
ia_activation ia_activation_of(const ia_activation_class *cls);

#endif
