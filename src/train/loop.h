/* fit: the training loop with Keras' semantics.
 *
 * Setting up decides and allocates everything (programs, cache, buffers); a step allocates nothing.
 * The document is written at epoch ends only, live variables only: frozen ones are never touched.
 */
#ifndef IA_TRAIN_LOOP_H
#define IA_TRAIN_LOOP_H

#include "train/history.h"
#include "train/objective.h"
#include "train/optimizer.h"

#define IA_CONTINUE 0
#define IA_STOP 1  /* finish this batch, keep the best */
#define IA_ABORT 2 /* weights as before the fit: INARCH_ABORTED */

typedef enum ia_event_kind {
    IA_EVENT_CACHE, /* the frozen part is being computed: batch of batches blocks done */
    IA_EVENT_BATCH, /* after each step */
    IA_EVENT_EPOCH  /* after validation; history has its row. epoch 0: before training */
} ia_event_kind;

typedef struct ia_event {
    ia_event_kind kind;
    size_t epoch, epochs;  /* from 1; 0 before training */
    size_t batch, batches; /* from 1 */
    double loss;           /* mean of the epoch so far */
    double learning_rate;
    const ia_history *history;
} ia_event;

typedef int ia_event_fn(void *context, const ia_event *e);

typedef struct ia_fit_options {
    size_t epochs;     /* 1 */
    size_t batch_size; /* 32 */
    int shuffle;       /* 1 */
    uint64_t seed;     /* 0; of shuffles and random layers */

    /* What is learnt. Texts; NULL: from the model's compile state when `compiled`, else from head
     * and labels, with accuracy for classes. With several outputs: one for all, one each in their
     * order (losses), or "a=mse,b=binary_crossentropy" by output layer. */
    const char *loss;
    const char *loss_weights;     /* "1,0.5" in the order of outputs, or by name; NULL: 1 each */
    const char *metrics;          /* "accuracy,auc"; for one output "a=accuracy,b=mse"; "" = none */
    const char *weighted_metrics; /* likewise, with sample weights */
    const char *optimizer;        /* NULL: the compile state's when `compiled_optimizer`, or adam */
    double learning_rate;         /* NaN: the optimizer's own */
    const char *schedule;         /* NULL: constant, or the compile state's */
    int compiled;            /* the outputs are those of the compile state: its loss, loss weights
                                and metrics hold where nothing is named */
    int compiled_optimizer;  /* no surgery at all: its optimizer does too */
    int fresh_moments;       /* 1: moments start at 0, as after Keras' compile(); 0: moments of the
                                same optimizer go on */
    double l2_sp, l2_sp_new; /* strengths; 0 = off */

    const ia_data *validation; /* bound and encoded as the data; NULL: none */
    double validation_split;   /* 0 = none; the tail, before any shuffle */
    const char *class_weight; /* "balanced", "1,5" by index, "cat=1,dog=5" by name or index; NULL */

    int early_stopping;
    const char *monitor; /* NULL: val_loss, or loss without validation */
    const char *mode;    /* NULL or "auto", "min", "max" */
    size_t patience;     /* 0, as Keras */
    double min_delta;
    double baseline;         /* NaN: none; as Keras, patience runs until it is beaten */
    size_t start_from_epoch; /* earlier epochs (from 0) are not looked at */
    int restore_best;        /* 1 */
    int from_epoch_0;        /* 1: the model as given is a candidate (needs validation) */

    int frozen_dropout_off;
    int bf16; /* outside the numeric law */
    int no_cache;
    size_t memory;          /* bytes of cache in memory before it goes to a file; 0 = 1 GiB */
    const char *checkpoint; /* written at each epoch end; resumed from when it exists; NULL */

    ia_pool *pool; /* borrowed; NULL: serial */
    const ia_kernel_set *kernels;
    ia_event_fn *event; /* NULL: none */
    void *context;
} ia_fit_options;

/* Keras' defaults. */
ia_fit_options ia_fit_defaults(void);

typedef struct ia_run ia_run;

/* Resolves every option against model and data, checks them, builds the programs. `m` must not be
 * edited while the run lives, and what the options point to must outlive it; `d` is bound to the
 * model's inputs and outputs, and encoded. Errors print what to do. m is unchanged. */
IA_MUST_CHECK inarch_status ia_run_new(ia_model *m, const ia_data *d, const ia_fit_options *o,
                                       ia_run **out, inarch_error *err);
void ia_run_free(ia_run *r); /* NULL allowed */

/* Trains. *history (may be NULL) is the caller's, and is set on INARCH_DIVERGED too (up to the last
 * whole epoch). On success the model holds the final (or best) weights, slots, steps and compile
 * state; on INARCH_DIVERGED the last finite epoch end's, on every other error those from before. */
IA_MUST_CHECK inarch_status ia_run_fit(ia_run *r, ia_history **history, inarch_error *err);

/* For --dry-run and the first line printed. */
typedef struct ia_run_info {
    const ia_objective *objective;
    const ia_optimizer *optimizer;
    const ia_schedule *schedule;
    const char *optimizer_origin; /* "option", "file, with its moments", "file", "default" */
    const char *loss_origin;      /* "option", "file", "head and labels" */
    double learning_rate;         /* of the first step */
    size_t rows, validation_rows, steps_per_epoch;
    ia_program_info program;
    uint64_t cache_bytes; /* 0: nothing to cache */
    int cache_in_memory;
    size_t memory_bytes;   /* values, gradients, slots, cache in memory */
    size_t resumed_epochs; /* done before, by the checkpoint */
} ia_run_info;
void ia_run_describe(const ia_run *r, ia_run_info *out);

/* The three at once. */
IA_MUST_CHECK inarch_status ia_fit(ia_model *m, const ia_data *d, const ia_fit_options *o,
                                   ia_history **history, inarch_error *err);

#endif
