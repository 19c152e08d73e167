/* The program: a document flattened into operations, with shapes, buffers and liveness decided
 * once.
 *
 * It runs and is thrown away; it is never saved, and it does not own the document, which must not
 * be edited while a program on it lives. A step allocates nothing and cannot fail.
 *
 * Static prefix, live suffix. A value is dynamic when it depends on a live variable, on a random
 * layer that is active, on BatchNormalization in training mode, or on random input; all else is
 * static. The static values that dynamic operations read are the frontier: it can be computed once
 * per row of data and cached. Where nothing is static below, the frontier is the inputs themselves.
 * Frozen layers are frozen bit for bit: their variables are read, never written; BatchNormalization
 * under a false flag runs in inference mode. */
#ifndef IA_PLAN_PLAN_H
#define IA_PLAN_PLAN_H

#include "nn/loss.h"
#include "nn/model.h"

typedef struct ia_program ia_program;

typedef enum ia_run_mode {
    IA_RUN_PREDICT,  /* inference; nothing live: the whole graph is prefix, outputs are the frontier
                      */
    IA_RUN_EVALUATE, /* inference with training's frontier: weights may change between runs */
    IA_RUN_TRAIN     /* gradients of the live variables */
} ia_run_mode;

typedef struct ia_program_options {
    ia_run_mode mode;
    size_t rows;                  /* most rows of one run, >= 1 */
    int blocks;                   /* not training: `rows` may become fewer, as caches like it; the
                                     caller asks ia_program_rows */
    size_t rows_ahead;            /* not training: of all runs together, SIZE_MAX for no end: with
                                     many, weights are packed first; 0: few */
    const ia_kernel_set *kernels; /* NULL: the best of this CPU */
    ia_pool *pool;                /* NULL: serial; borrowed */
    uint64_t seed;                /* of random layers */
    int steps;                    /* training: see ia_program_set_step */
    int bf16;                 /* training: products in bf16 where weights lie in panels; outside the
                                 law. The set can: ia_bf16_ready */
    int frozen_dropout_off;   /* random layers below the live part are switched off */
    const ia_logits *logits;  /* per output: which activation its loss takes apart; NULL: none */
    const char *const *fetch; /* paths of layers whose (first call's) output is wanted too */
    size_t fetch_count;
    int fetch_only; /* outputs are not wanted: nothing above the fetched layers runs */
} ia_program_options;

/* Errors: INARCH_UNSUPPORTED "layer 'lstm_1' (LSTM) cannot be computed yet" with the hint to cut
 * below it; INARCH_BAD_DATA for shapes that are not known; INARCH_BAD_ARGUMENT "nothing to train:
 * ..." in IA_RUN_TRAIN without a live variable. */
IA_MUST_CHECK inarch_status ia_program_new(const ia_model *m, const ia_program_options *options,
                                           ia_program **out, inarch_error *err);
void ia_program_free(ia_program *p); /* NULL allowed */

size_t ia_program_rows(const ia_program *p); /* most rows of one run */
/* Kernels and pool that it runs on. */
const ia_exec *ia_program_exec(const ia_program *p);

/* ---- where rows go in and results come out; data pointers are fixed for the program's life, but
 * those of lent inputs ---- */
size_t ia_program_input_count(const ia_program *p);
const ia_view *ia_program_input(const ia_program *p, size_t i);
/* From now on input i is read where its rows lie, `data`, which is not written. False when that
 * cannot be, since a result lies in the input: copy the rows then. */
bool ia_program_lend(ia_program *p, size_t i, const float *data);
size_t ia_program_frontier_count(const ia_program *p);
const ia_view *ia_program_frontier(const ia_program *p, size_t i);
const char *ia_program_frontier_name(const ia_program *p, size_t i); /* layer path */
size_t ia_program_output_count(const ia_program *p);
const ia_view *ia_program_output(const ia_program *p, size_t i);
/* The value before the output's last activation, when the loss takes it apart; else NULL. */
const ia_view *ia_program_logits(const ia_program *p, size_t i);
/* Training: where the loss puts its gradient [rows][size], with respect to the logits when there
 * are any, else to the output. */
float *ia_program_output_grad(const ia_program *p, size_t i);
const ia_view *ia_program_fetched(const ia_program *p, size_t i);

/* A number among the inputs that an Embedding has no row for. Only what reads an input as it comes
 * is looked at, not what other layers computed. */
typedef struct ia_misfit {
    size_t input, row, column; /* column: of the row as a vector */
    float value;
    const char *layer; /* path; lives as long as the program */
    size_t choices;    /* the layer takes -choices to choices - 1 */
} ia_misfit;
/* The first one in the first `rows` rows that lie in the inputs; false when there is none. */
bool ia_program_misfit(const ia_program *p, size_t rows, ia_misfit *out);

/* ---- running ---- */
/* Inputs to frontier. Does nothing when the frontier is the inputs. */
void ia_program_prefix(ia_program *p, size_t rows);
/* Frontier to outputs. `step` selects the random masks; ignored outside training. */
void ia_program_suffix(ia_program *p, size_t rows, uint64_t step);
/* Both. */
void ia_program_forward(ia_program *p, size_t rows, uint64_t step);
/* From the output gradients to the gradients of live variables; after a suffix of the same rows. */
void ia_program_backward(ia_program *p, size_t rows);
/* Activity regularisation of the last suffix (summed over layers, divided by rows); its gradient is
 * part of backward. */
double ia_program_activity(const ia_program *p);

/* ---- live variables ---- */
typedef struct ia_live {
    ia_layer *layer;
    size_t index;        /* in layer->variables */
    const char *path;    /* "base/dense_1/kernel"; lives as long as the program */
    size_t count;        /* floats of value and grad */
    float *value;        /* the working copy */
    float *grad;         /* NULL for state, and for what backward steps itself */
    bool state;          /* forward updates it itself (moving statistics) */
    bool stepped;        /* backward updates it: ia_program_set_step */
    bool panels;         /* value, grad and slots lie in panels: see ia_live_read */
    float learning_rate; /* product of the multipliers along the path */
} ia_live;

size_t ia_program_live_count(const ia_program *p);
const ia_live *ia_program_live(const ia_program *p, size_t i);
ia_variable *ia_live_variable(const ia_live *v);
/* From the order of the variable to that of value, and back: for values and slots. Both ways fill
 * the whole array; padding is 0. */
void ia_live_read(const ia_program *p, const ia_live *v, const float *from, float *to);
void ia_live_write(const ia_program *p, const ia_live *v, const float *from, float *to);
/* With options.steps the weights of wide layers lie in panels during the run, and where one
 * operation alone gives a variable its gradient and nothing else looks at it (no regulariser, no
 * constraint), backward takes the optimizer's step itself, tile by tile: live->stepped. The caller
 * keeps `step` up to date before each backward. */
void ia_program_set_step(ia_program *p, size_t live, const ia_step *step);

/* Copies the working values into the document (IA_RUN_TRAIN); readers of its old buffers keep
 * those. In two halves, so that several publishers are all or nothing: what can fail, without a
 * change, and the rest. */
IA_MUST_CHECK inarch_status ia_program_reserve(ia_program *p, inarch_error *err);
void ia_program_publish(ia_program *p);
/* Takes up the document's present buffers again: frozen values always, working copies too. */
void ia_program_rebind(ia_program *p);

/* ---- for --dry-run and messages ---- */
typedef struct ia_program_info {
    size_t operations, prefix_operations;
    size_t activation_bytes; /* values, gradients, scratch */
    size_t live_parameters, frozen_parameters;
    char prefix_ends[160]; /* why the prefix ends where it does, or "" */
} ia_program_info;
void ia_program_describe(const ia_program *p, ia_program_info *out);

#endif
