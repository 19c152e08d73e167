/* What a layer's forward and backward see: one call in a running program.
 *
 * The plan owns all memory and decides all shapes beforehand, so these functions cannot fail,
 * allocate or wait. They hand their work to the kernels, which split it over threads. Bytes must
 * not depend on the split, on `rows`, or on other rows of the batch (batch statistics apart). */
#ifndef IA_NN_OP_H
#define IA_NN_OP_H

#include "kernels/kernels.h"
#include "tensor/shape.h"

struct ia_layer;

typedef struct ia_view {
    float *data;    /* [rows][size], row-major */
    ia_shape shape; /* of one row; all dimensions known */
    size_t size;    /* floats in one row */
} ia_view;

typedef struct ia_op {
    const struct ia_layer *layer;
    const void *config; /* layer->config */
    const ia_exec *exec;
    size_t rows;
    size_t row0; /* batch position of row 0: random masks depend on it */
    const ia_view *in;
    size_t in_count;
    ia_view out;
    const float *const *weights; /* values, in the order of layer->variables */
    const bool
        *panels;  /* per variable: values and gradient lie in panels (kernels.h); NULL: none do */
    int training; /* masks drawn, batch statistics used */
    int no_activation;   /* the plan runs the layer's activation as an op of its own */
    ia_random_key key;   /* of (seed, call, step) */
    float *saved;        /* kept from forward to backward; NULL outside training */
    float *temp;         /* scratch for this call */
    float *const *state; /* training mode of a live layer: variables that forward updates (moving
                            statistics), NULL entries for others; NULL: update nothing */

    /* backward only; an array entry is NULL where nothing is wanted */
    const float *dy;            /* [rows][out.size] */
    float *const *dx;           /* per input, overwritten */
    float *const *dw;           /* per variable, overwritten */
    const ia_step *const *step; /* per variable: not NULL: instead of writing dw, take this step
                                   (once, after dx has read the weights) */
} ia_op;

#endif
