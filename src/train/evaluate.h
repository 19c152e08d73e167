/* Loss and metrics, predictions and features over data, in inference mode, in blocks of rows. */
#ifndef IA_TRAIN_EVALUATE_H
#define IA_TRAIN_EVALUATE_H

#include "train/history.h"
#include "train/objective.h"

typedef struct ia_evaluate_options {
    size_t batch_size; /* 32: Keras' loss is a mean over batches */
    int compiled;      /* 1: the compile state holds for what is NULL */
    const char *loss;  /* as in ia_fit_options; NULL: compile state, else head and labels */
    const char *loss_weights;
    const char *metrics;
    const char *weighted_metrics;
    ia_pool *pool;
    const ia_kernel_set *kernels;
} ia_evaluate_options;

ia_evaluate_options ia_evaluate_defaults(void);

/* *out (the caller's) has one row: "loss", metrics, ... */
IA_MUST_CHECK inarch_status ia_evaluate(const ia_model *m, const ia_data *d,
                                        const ia_evaluate_options *o, ia_history **out,
                                        inarch_error *err);

/* Takes a block of results: values [rows][size of out[i]] per output (or fetched value). Anything
 * but INARCH_OK ends the work and is returned. */
typedef inarch_status ia_predict_fn(void *context, size_t row0, size_t rows,
                                    const float *const *values, inarch_error *err);

typedef struct ia_predict_options {
    size_t rows;              /* of a block, at most; 0: what suits. Results do not depend on it */
    const char *const *fetch; /* features: outputs of these layers (paths) instead of the outputs */
    size_t fetch_count;
    ia_pool *pool;
    const ia_kernel_set *kernels;
} ia_predict_options;

/* Shapes of what ia_predict_fn gets are ia_program_output's (fetched's); `d` is bound to the
 * inputs. */
IA_MUST_CHECK inarch_status ia_predict(const ia_model *m, const ia_data *d,
                                       const ia_predict_options *o, ia_predict_fn *fn,
                                       void *context, inarch_error *err);
/* The same into memory: out[i] becomes float32 [rows][row shape], i over outputs or fetched values.
 */
IA_MUST_CHECK inarch_status ia_predict_arrays(const ia_model *m, const ia_data *d,
                                              const ia_predict_options *o, ia_array *out,
                                              size_t out_count, inarch_error *err);

#endif
