/* The inside of a program: operations on values, and variables. Private to plan/. */
#ifndef IA_PLAN_PROGRAM_H
#define IA_PLAN_PROGRAM_H

#include "plan/plan.h"

#define PLAN_NONE SIZE_MAX

typedef struct plan_value {
    char *path;       /* of the layer that makes it */
    ia_view view;     /* data is set by memory.c */
    size_t producer;  /* operation; PLAN_NONE for an input */
    size_t root;      /* the value whose bytes it shares; itself unless made by a view */
    bool needed;      /* an output or a fetched value depends on it */
    bool dynamic;     /* changes although the rows do not: see plan.h */
    bool wants_grad;  /* depends on a live variable that takes a gradient */
    bool pinned;      /* input, frontier, output, fetched: keeps its bytes all the time */
    size_t grads;     /* gradients that are added up for it: heads and consumers */
    size_t grad_root; /* the value whose gradient buffer it uses; itself mostly */
    float *grad;
} plan_value;

typedef enum plan_kind {
    PLAN_LAYER,      /* the layer's forward and backward */
    PLAN_VIEW,       /* same bytes, another shape: Flatten, or Dropout outside training */
    PLAN_ACTIVATION, /* the activation of a layer whose loss is computed from logits */
    PLAN_ACTIVITY    /* a view that adds an activity regulariser */
} plan_kind;

typedef struct plan_op {
    plan_kind kind;
    ia_layer *layer;
    char *path;
    bool live; /* all trainable flags along the path are set */
    bool needed, dynamic;
    bool random;                     /* draws masks */
    bool backward;                   /* takes part in the backward pass */
    const ia_activation *activation; /* PLAN_ACTIVATION */
    const ia_regularizer *activity;  /* PLAN_ACTIVITY */
    size_t *in;                      /* values */
    size_t in_count;
    size_t out;
    size_t *variables;     /* in program->variables, in the layer's order */
    size_t variable_count; /* 0 but for PLAN_LAYER */
    float learning_rate;   /* product of the multipliers along the path */
    uint64_t random_index; /* counts random operations, so that a mask belongs to its call */
    size_t saved_size;     /* floats */
    /* Addends: where the second and later gradients of a value or variable go before they are
     * added. */
    float **dx_add, **dw_add;
    /* Prepared for the layer's functions; pointers into the arrays below. */
    ia_op op;
    ia_view *views;
    const float **weights;
    const ia_step **step;
    bool *panels;
    float **state, **dx, **dw;
} plan_op;

typedef struct plan_variable {
    ia_live live;   /* value is read-only memory of the document for frozen variables */
    ia_array held;  /* keeps a frozen buffer alive */
    ia_array fresh; /* the document's next buffer, reserved; empty: its own will do */
    char *path;
    bool is_live;  /* has a working copy (in training) or may change between runs (evaluation) */
    bool is_state; /* live, but without a gradient: forward updates it */
    bool packed;   /* value is a copy in panels; outside training */
    size_t grads;  /* operations that give it a gradient */
} plan_variable;

typedef struct plan_head {
    size_t value;  /* the output */
    size_t logits; /* the value before its activation, or PLAN_NONE */
    float *grad;   /* training: [rows][size] */
    bool direct;   /* grad is the value's own buffer */
} plan_head;

struct ia_program {
    ia_run_mode mode;
    size_t rows;
    uint64_t seed;
    bool frozen_dropout_off;
    const ia_program_options *options; /* while the program is made; NULL afterwards */
    ia_exec exec;
    plan_value *values;
    size_t value_count, value_cap;
    plan_op *ops; /* in topological order; prefix operations first */
    size_t op_count, op_cap;
    size_t prefix_count;
    plan_variable *variables;
    size_t variable_count, variable_cap;
    size_t *live; /* variables with a working copy: training only */
    size_t live_count;
    size_t *inputs, *frontier, *fetched;
    size_t input_count, frontier_count, fetched_count;
    plan_head *heads;
    size_t head_count;
    float *memory, *working, *packed, *gradients, *temp;
    size_t memory_size, working_size, temp_size; /* floats */
    double activity;
    char prefix_ends[160];
};

/* The passes of ia_program_new, in this order. */
/* flatten.c: operations and values of the whole document, heads and fetched values. */
inarch_status plan_flatten(ia_program *p, const ia_model *m, inarch_error *err);
/* prune.c: splits the activation off heads that are run from logits; drops what nothing needs;
 * refuses what cannot be computed. */
inarch_status plan_split_heads(ia_program *p, inarch_error *err);
inarch_status plan_prune(ia_program *p, inarch_error *err);
/* variables.c: the variables of the operations left; working copies; publish and rebind. */
inarch_status plan_variables(ia_program *p, inarch_error *err);
/* liveness.c: what changes, what takes gradients, the frontier; prefix operations move to the
 * front. */
inarch_status plan_liveness(ia_program *p, inarch_error *err);
/* memory.c: buffers of values, gradients, saved floats and addends. */
inarch_status plan_memory(ia_program *p, inarch_error *err);
/* variables.c: buffers of the variables' gradients, now that they are counted. */
inarch_status plan_gradients(ia_program *p, inarch_error *err);
/* bind.c: what the layers' functions see. */
inarch_status plan_bind(ia_program *p, inarch_error *err);

void plan_op_release(plan_op *op);

/* The operation is a view in this program. */
static inline bool plan_is_view(const plan_op *op)
{
    return op->kind == PLAN_VIEW || op->kind == PLAN_ACTIVITY;
}

#endif
