/* inarch: transfer learning for multi-layer perceptrons with Keras' semantics.
 *
 *     inarch_error err;
 *     inarch_model *m;
 *     if (inarch_load("pre_trained_model.h5", NULL, &m, &err) || inarch_freeze_first(m, 10, &err) ||
 *         inarch_add(m, "dense:128:relu", &err) || inarch_add(m, "dense:1:sigmoid", &err)) ...
 *     inarch_fit_options fit = INARCH_FIT_OPTIONS;
 *     fit.loss = "binary_crossentropy";
 *     fit.epochs = 10;
 *     if (inarch_fit(m, train, &fit, NULL, &err) || inarch_save(m, "tuned.h5", NULL, &err)) ...
 *
 * Conventions, once for all functions:
 * - Errors: every fallible call returns an inarch_status (0 is success) and takes `inarch_error *err`
 *   last; NULL is allowed. An *out argument is written on success only.
 * - Ownership: what a function returns through **out is the caller's, freed with the _free function
 *   of its type (NULL allowed). Strings and arrays passed in are copied unless said. Pointers inside
 *   info structs are lent until the object's next change.
 * - Options: NULL stands for the defaults; start a struct from its macro, which also sets `size`.
 *   0 and NULL fields mean "default".
 * - Other pointers may be NULL only where that is stated.
 * - Threads: a const model or const data may be used by any number of threads at once; a call on a
 *   non-const object needs it alone. Different objects are independent, clones too.
 * - The library prints nothing, never exits, installs no handlers and keeps no state between calls.
 * - Shapes leave the batch out: a row. Arrays are row-major float32 unless said. */
#ifndef INARCH_H
#define INARCH_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__) && !defined(INARCH_STATIC)
#define INARCH_API __attribute__((visibility("default")))
#else
#define INARCH_API
#endif

/* ======== status and errors ======== */

typedef int32_t inarch_status;

#define INARCH_OK 0
#define INARCH_NO_MEMORY 1    /* an allocation failed */
#define INARCH_IO 2           /* the operating system refused: no such file, disk full, ... */
#define INARCH_BAD_FILE 3     /* a file is damaged, cut short or not what it should be */
#define INARCH_UNSUPPORTED 4  /* known, but not computed or written by this version */
#define INARCH_BAD_ARGUMENT 5 /* an option, name or call that makes no sense */
#define INARCH_BAD_DATA 6     /* rows, labels or shapes that do not fit the model */
#define INARCH_NOT_FOUND 7    /* no layer, weight, column or key of that name */
#define INARCH_LIMIT 8        /* a bound against hostile or mistaken sizes was hit */
#define INARCH_DIVERGED 9     /* the loss became NaN or infinite; weights of the last finite epoch, moments start anew */
#define INARCH_ABORTED 10     /* the event callback asked to abort; weights are as before */

typedef struct inarch_error {
    inarch_status status;
    char subject[128]; /* what it is about: a file, a layer, an option; may be empty */
    char message[384]; /* lower case, no full stop */
    char hint[256];    /* what to do next; may be empty */
} inarch_error;

/* ======== library ======== */

#define INARCH_VERSION_MAJOR 0
#define INARCH_VERSION_MINOR 1
#define INARCH_VERSION_PATCH 0

/* "0.1.0", of the library that runs. */
INARCH_API const char *inarch_version(void);
/* "bad data", ... ; never NULL. */
INARCH_API const char *inarch_status_name(inarch_status status);

/* The i-th item of a kind: "layers", "activations", "losses", "metrics", "optimizers", "schedules",
 * "initializers", "regularizers", "constraints", "formats", "cpu" (kernel sets this machine can run,
 * slowest first), "kinds". *help may be "". INARCH_NOT_FOUND past the end, INARCH_BAD_ARGUMENT for an unknown kind. */
INARCH_API inarch_status inarch_list(const char *kind, size_t i, const char **name,
                                     const char **help, inarch_error *err);

/* Options by name, for command lines and bindings. `kind` is "fit", "data", "run", "load" or "save";
 * for inarch_option_at also "layers/dense", "optimizers/adam", ...: the settings of what can be
 * listed, in the order in which a SPEC takes values without a key. */
typedef struct inarch_option {
    const char *name;     /* "learning_rate": the field's name */
    const char *type;     /* "int", "float", "text", "flag" */
    const char *help;     /* one line, with unit and range */
    char fallback[32];    /* the default, as text; "" for none */
} inarch_option;

/* INARCH_NOT_FOUND past the last. Fields that hold pointers to objects or functions are not listed. */
INARCH_API inarch_status inarch_option_at(const char *kind, size_t i, inarch_option *out,
                                          inarch_error *err);
/* Sets the field `name` ('-' and '_' are alike) from text. Text options keep the pointer: `value` must
 * live as long as the struct is used. Texts that name a loss, metric, optimizer, schedule or kernel
 * set are checked at once. Errors name the range, or the nearest name. */
INARCH_API inarch_status inarch_option_set(const char *kind, void *options, const char *name,
                                           const char *value, inarch_error *err);

/* ======== models ======== */

typedef struct inarch_model inarch_model;

typedef struct inarch_load_options {
    uint32_t size;
    const char *format; /* NULL: by content; names as in inarch_list("formats") */
    uint64_t seed;      /* of the weights of layers that surgery adds */
} inarch_load_options;
#define INARCH_LOAD_OPTIONS {sizeof(inarch_load_options), NULL, 0}

/* Reads a model: layers, weights, trainable flags, compile state, optimizer moments. Layers that are
 * not known load too, by name; what needs to compute them is refused. Reads untrusted files safely. */
INARCH_API inarch_status inarch_load(const char *path, const inarch_load_options *options,
                                     inarch_model **out, inarch_error *err);
/* The same from memory, e.g. an embedded file. `name` is for messages. */
INARCH_API inarch_status inarch_load_memory(const void *bytes, size_t size, const char *name,
                                            const inarch_load_options *options, inarch_model **out,
                                            inarch_error *err);

typedef struct inarch_save_options {
    uint32_t size;
    const char *format; /* NULL: by the path's extension */
} inarch_save_options;
#define INARCH_SAVE_OPTIONS {sizeof(inarch_save_options), NULL}

/* The new file appears whole or not at all; the old one stays until then. Same model, same bytes. */
INARCH_API inarch_status inarch_save(const inarch_model *m, const char *path,
                                     const inarch_save_options *options, inarch_error *err);

/* What inarch_save would refuse before it writes: an unknown format, a folder that is not there, a
 * file that is read-only. For programs that train for long first. */
INARCH_API inarch_status inarch_save_check(const char *path, const inarch_save_options *options,
                                           inarch_error *err);

/* An independent copy; weights are shared until one of the two changes them. */
INARCH_API inarch_status inarch_clone(const inarch_model *m, inarch_model **out, inarch_error *err);
INARCH_API void inarch_free(inarch_model *m);

typedef struct inarch_info {
    uint32_t size;
    const char *name;
    const char *kind;          /* "Sequential", "Functional", or a class of its own */
    const char *keras_version; /* that wrote the file; "" for new models */
    size_t layers;             /* as Keras counts model.layers (a Sequential's InputLayer is none) */
    size_t all_layers;         /* nested ones too: the range of inarch_layer */
    size_t weights;            /* the range of inarch_weight_at */
    size_t inputs, outputs;
    size_t parameters, trainable_parameters;
    size_t classes, columns;   /* names the model carries; 0 for none */
    const char *loss, *metrics, *optimizer; /* compile state as text; "" for none */
    uint64_t step;             /* optimizer updates so far */
    int32_t computable;        /* 1: every layer can be computed */
} inarch_info;

/* Fills *out up to out->size (set by the caller). */
INARCH_API inarch_status inarch_model_info(const inarch_model *m, inarch_info *out,
                                           inarch_error *err);

typedef struct inarch_shape {
    int32_t rank;     /* -1: not known */
    int64_t dim[8];   /* -1: any */
} inarch_shape;

#define INARCH_INPUT 0
#define INARCH_OUTPUT 1

typedef struct inarch_port {
    uint32_t size;
    const char *name; /* the input layer, or the layer that makes the output */
    inarch_shape shape;
    const char *activation; /* of an output: its last activation, "linear" for none */
} inarch_port;

INARCH_API inarch_status inarch_model_port(const inarch_model *m, int32_t direction, size_t i,
                                           inarch_port *out, inarch_error *err);

typedef struct inarch_layer {
    uint32_t size;
    const char *path;       /* "base/dense_1" */
    const char *class_name; /* "Dense" */
    const char *settings;   /* "128, relu": what differs from the defaults */
    size_t depth;           /* 0 at the top, 1 inside a nested model, ... */
    int32_t counted;        /* 1: one of model.layers at the top */
    int32_t trainable;      /* the layer's own flag */
    int32_t live;           /* 1: its flag and those of the models around it are set */
    int32_t computable;
    size_t parameters, weights;
    size_t calls;           /* 2 and more: shared */
    inarch_shape output;    /* of the first call */
    const char *inputs;     /* "a, b": the layers its first call reads, "" where it is the one above */
    float learning_rate;    /* multiplier */
} inarch_layer;

/* i over all layers, depth first, each nested model before its layers. */
INARCH_API inarch_status inarch_model_layer(const inarch_model *m, size_t i, inarch_layer *out,
                                            inarch_error *err);

typedef struct inarch_weight {
    uint32_t size;
    const char *path;   /* "base/dense_1/kernel" */
    inarch_shape shape;
    size_t count;
    const float *data;  /* lent; NULL where the layer is not known and its weights are not float32 */
    int32_t trainable;  /* 0: moving statistics */
    uint64_t step;      /* optimizer updates it has seen */
} inarch_weight;

/* By position, or by path ("base/dense_1/kernel"). */
INARCH_API inarch_status inarch_weight_at(const inarch_model *m, size_t i, inarch_weight *out,
                                          inarch_error *err);
INARCH_API inarch_status inarch_weight_get(const inarch_model *m, const char *path,
                                           inarch_weight *out, inarch_error *err);
/* Copies `count` values in. INARCH_BAD_DATA when the count is another. Clears its moments. */
INARCH_API inarch_status inarch_weight_set(inarch_model *m, const char *path, const float *data,
                                           size_t count, inarch_error *err);

/* What the model carries besides layers, as JSON text: "classes", "columns" and "targets" (lists of
 * names: classes, input columns, label columns of a regression), "metrics", and keys of your own.
 * INARCH_NOT_FOUND when there is none; *json is lent. */
INARCH_API inarch_status inarch_meta_get(inarch_model *m, const char *key, const char **json,
                                         inarch_error *err);
/* NULL removes the key. */
INARCH_API inarch_status inarch_meta_set(inarch_model *m, const char *key, const char *json,
                                         inarch_error *err);
/* The i-th name under "classes", "columns" or "targets". NULL past the end; lent. */
INARCH_API const char *inarch_name_at(const inarch_model *m, const char *key, size_t i);

/* ======== surgery ======== */
/* SPEC: "type:value:value" or "type(key=value,...)": "dense:128:relu", "dropout:0.5",
 * "dense(units=8,activation=tanh,kernel_regularizer=l2(0.01),name=top)". Fields and their order:
 * inarch_option_at("layers/dense"). PATTERN: a layer's name or path, or several separated by commas;
 * '*' and '?' match as in a shell. Optimizer moments of the variables that stay are kept by all of
 * these. */

/* A Sequential from SPECs joined by commas, the first an input shape: "input:784,dense:64:relu". */
INARCH_API inarch_status inarch_new(const char *arch, uint64_t seed, inarch_model **out,
                                    inarch_error *err);

/* Sets the trainable flag of matching layers (everything inside a nested model that matches). */
INARCH_API inarch_status inarch_freeze(inarch_model *m, const char *pattern, inarch_error *err);
INARCH_API inarch_status inarch_unfreeze(inarch_model *m, const char *pattern, inarch_error *err);
/* The first n layers, counted as in inarch_info.layers; the others keep their flags. */
INARCH_API inarch_status inarch_freeze_first(inarch_model *m, size_t n, inarch_error *err);
/* Up to and including one layer of the top level. */
INARCH_API inarch_status inarch_freeze_to(inarch_model *m, const char *layer, inarch_error *err);

/* Fresh initial weights for matching layers: the same architecture from scratch, as a baseline. */
INARCH_API inarch_status inarch_reset(inarch_model *m, const char *pattern, inarch_error *err);

/* Removes the last n layers of a model with one output. */
INARCH_API inarch_status inarch_pop(inarch_model *m, size_t n, inarch_error *err);
/* Makes `layer` (a path) the only output and removes what is above it. */
INARCH_API inarch_status inarch_cut(inarch_model *m, const char *layer, inarch_error *err);
/* Puts layers, SPECs joined by commas, one on the other, on top of a model with one output. New
 * weights come from the seed that the model was loaded or made with. */
INARCH_API inarch_status inarch_add(inarch_model *m, const char *specs, inarch_error *err);
/* Puts a layer behind `after` (a top-level name; "" = in front of everything). Shapes must fit. */
INARCH_API inarch_status inarch_insert(inarch_model *m, const char *after, const char *spec,
                                       inarch_error *err);
/* Adds an output: SPECs joined by commas on top of `from`. The model becomes a Functional. */
INARCH_API inarch_status inarch_attach(inarch_model *m, const char *from, const char *specs,
                                       inarch_error *err);
/* Replaces the last weight layer and its activation by one for n classes (softmax; one sigmoid unit
 * for n = 1 or binary = 1 with n = 2). Fresh weights. */
INARCH_API inarch_status inarch_head(inarch_model *m, size_t n, int32_t binary, inarch_error *err);
/* Renames classes, and where their number changes the last layer too: columns of names the model knew
 * keep their weights and moments, others are fresh. */
INARCH_API inarch_status inarch_set_classes(inarch_model *m, const char *const *names, size_t n,
                                            inarch_error *err);
INARCH_API inarch_status inarch_rename(inarch_model *m, const char *layer, const char *name,
                                       inarch_error *err);
/* Learning-rate multiplier of matching layers (>= 0; 1 is the default). */
INARCH_API inarch_status inarch_group(inarch_model *m, const char *pattern, double learning_rate,
                                      inarch_error *err);

/* ======== data ======== */

typedef struct inarch_data inarch_data;

typedef struct inarch_data_options {
    uint32_t size;
    const char *labels;  /* CSV: label columns, "species" or "a,b"; .npy and IDX: the file of labels */
    const char *drop;    /* CSV: columns to leave out */
    const char *weights; /* CSV: column of sample weights; .npy and IDX: a file of them */
    const char *part;    /* of an .npz with x_train ... x_test: "train" or "test"; "test?": test where
                            the file has parts; NULL: "train?" */
    const char *only;    /* keep rows with these labels: "2,6", "cat,dog"; NULL: all */
    int32_t per_class;   /* keep the first rows of each class: how many; 0: all */
} inarch_data_options;
#define INARCH_DATA_OPTIONS {sizeof(inarch_data_options), NULL, NULL, NULL, NULL, NULL, 0}

/* .npz, .npy, IDX (.gz too), CSV ("-": CSV on standard input). `m` (or NULL) tells the names of inputs,
 * outputs and columns that the file is read for; it is not kept. */
INARCH_API inarch_status inarch_data_open(const char *path, const inarch_data_options *options,
                                          const inarch_model *m, inarch_data **out,
                                          inarch_error *err);

/* One array: [rows][shape], float32, C order. */
typedef struct inarch_array {
    const float *data;
    inarch_shape shape; /* of one row */
} inarch_array;

/* Copies `rows` rows of every input and target. Targets of classes: rank 0, the index of the class. */
INARCH_API inarch_status inarch_data_arrays(size_t rows, const inarch_array *inputs, size_t n_inputs,
                                            const inarch_array *targets, size_t n_targets,
                                            inarch_data **out, inarch_error *err);

/* Rows from callbacks: data that do not fit in memory, or live elsewhere. */
typedef struct inarch_source {
    uint32_t size;
    void *context; /* must outlive the data */
    size_t rows;
    size_t inputs, targets;
    const inarch_shape *input_shapes, *target_shapes; /* of one row; class indices have rank 0 */
    /* Fills inputs[i] and targets[i] ([n][numbers a row]) for the n rows named; NULL: not wanted. Must
     * give the same numbers for the same row each time. Anything but 0 ends the work. One thread at a
     * time calls it for one call of this library; calls on several threads run it at once. */
    inarch_status (*fill)(void *context, const uint64_t *rows, size_t n, float *const *inputs,
                          float *const *targets);
} inarch_source;
INARCH_API inarch_status inarch_data_source(const inarch_source *source, inarch_data **out,
                                            inarch_error *err);

/* The first floor(rows * (1 - share)) rows train, the tail validates (as Keras' validation_split). */
INARCH_API inarch_status inarch_data_split(const inarch_data *d, double share, inarch_data **train,
                                           inarch_data **validation, inarch_error *err);
/* The rows listed, in that order. */
INARCH_API inarch_status inarch_data_select(const inarch_data *d, const uint64_t *rows, size_t n,
                                            inarch_data **out, inarch_error *err);
INARCH_API void inarch_data_free(inarch_data *d);

typedef struct inarch_data_info {
    uint32_t size;
    size_t rows, inputs, targets;
    size_t classes;       /* of the only target when its labels are classes: text, or whole numbers
                             0..K-1; else 0 */
    const char *summary;  /* one line: "csv, separator ';', header, 150 rows, 4 inputs, ..." */
} inarch_data_info;
INARCH_API inarch_status inarch_data_get_info(inarch_data *d, inarch_data_info *out,
                                              inarch_error *err);

/* ======== training ======== */

typedef struct inarch_history inarch_history;

#define INARCH_CONTINUE 0
#define INARCH_STOP 1  /* finish this batch, keep the best so far */
#define INARCH_ABORT 2 /* weights as before the call: INARCH_ABORTED */

#define INARCH_EVENT_CACHE 0 /* the frozen part is computed once: batch of batches done */
#define INARCH_EVENT_BATCH 1
#define INARCH_EVENT_EPOCH 2 /* after validation; history has its row. epoch 0: before training */

typedef struct inarch_event {
    int32_t kind;
    size_t epoch, epochs; /* from 1; 0 before training */
    size_t batch, batches;
    double loss;          /* mean of the epoch so far; NaN for CACHE and in epoch 0 */
    double learning_rate;
    const inarch_history *history;
} inarch_event;

/* Called on the thread that called fit. */
typedef int32_t (*inarch_event_fn)(void *context, const inarch_event *event);

typedef struct inarch_fit_options {
    uint32_t size;
    int32_t epochs;             /* 0: 1 */
    int32_t batch_size;         /* 0: 32 */
    int32_t no_shuffle;         /* 1: rows in their order */
    uint64_t seed;              /* of shuffles and random layers; both go on where moments go on,
                                   so that two fits of 2 epochs are one of 4 */
    const char *loss;           /* "mae", by output "mae,mse" or "price=mae"; NULL: the file's unless
                                   surgery made new outputs, else from head and labels */
    const char *loss_weights;   /* "1,0.5" or "price=0.5"; NULL: likewise */
    const char *metrics;        /* "accuracy,auc", "kind=auc"; NULL: likewise, else accuracy for each
                                   output of classes */
    const char *optimizer;      /* "adam", "sgd(momentum=0.9,nesterov=true)"; NULL: see below */
    double learning_rate;       /* 0: the optimizer's own */
    const char *schedule;       /* "cosine(warmup=100)", "plateau(patience=5)"; NULL: constant */
    int32_t fresh_moments;      /* 1: optimizer moments start at 0, as after Keras' compile() */
    double l2_sp;               /* pull towards the loaded weights: l2_sp * sum (w - w0)^2 */
    double l2_sp_new;           /* l2_sp_new * sum w^2 for weights that were not loaded */
    const inarch_data *validation;
    double val_split;           /* share of the tail that validates, when there is no validation */
    const char *class_weight;   /* "balanced", "1,5", "cat=1,dog=5" */
    int32_t early_stopping;     /* 1: stop when `monitor` has not improved for `patience` epochs */
    int32_t patience;           /* 0: as Keras, stop at the first epoch without improvement */
    const char *monitor;        /* NULL: val_loss, or loss without validation */
    const char *mode;           /* "min", "max"; NULL: by the monitor */
    double min_delta;
    int32_t keep_last;          /* 1: the last weights, not the best; without early stopping as Keras */
    int32_t standardize;        /* 1: a Normalization layer in front, fitted on the training rows */
    const char *frozen_dropout; /* "off": Dropout in frozen layers is off, and features above it are
                                   cached; NULL or "on": active in training, as in Keras */
    int32_t no_cache;           /* 1: compute the frozen part anew in every step */
    uint64_t memory;            /* bytes of cached features before a temporary file; 0: 1 GiB */
    const char *checkpoint;     /* written every epoch; resumed from when it exists */
    int32_t threads;            /* 0: all, as the cgroup allows, at most 16 */
    const char *cpu;            /* kernel set; NULL: the best. Results are the same bytes */
    inarch_event_fn event;
    void *context;
    const char *precision;      /* "bf16": the products of wide layers round what they multiply, where
                                   the CPU has AVX512-BF16; results then depend on the machine. NULL or
                                   "f32": the same bytes everywhere */
} inarch_fit_options;
#define INARCH_FIT_OPTIONS                                                                         \
    {sizeof(inarch_fit_options), 0, 0, 0, 0, NULL, NULL, NULL, NULL, 0, NULL, 0, 0, 0, NULL, 0,     \
     NULL, 0, 0, NULL, NULL, 0, 0, 0, NULL, 0, 0, NULL, 0, NULL, NULL, NULL, NULL}

/* Trains the live part of `m` on `d`. Which optimizer: a named one; else the file's with its moments
 * when there was no surgery since loading; else adam. Moments of the same optimizer go on between fits,
 * in one process or through files; those of a file that Keras wrote start anew after surgery, as after
 * Keras' compile(). Loss, loss weights and metrics are the file's unless surgery changed the outputs.
 * Labels become classes where the loss wants them; for a new head, other numbers than indices become
 * the classes' names. Names of classes, columns and label columns are kept in the model. *history may
 * be NULL; it is set on INARCH_DIVERGED too. Frozen layers keep every bit. Same seed, same bytes, for
 * any number of threads and any CPU. */
INARCH_API inarch_status inarch_fit(inarch_model *m, const inarch_data *d,
                                    const inarch_fit_options *options, inarch_history **history,
                                    inarch_error *err);

typedef struct inarch_fit_plan {
    uint32_t size;
    char loss[128], metrics[256], optimizer[192], schedule[128];
    char loss_origin[64], optimizer_origin[64];
    double learning_rate; /* of the first step */
    size_t rows, validation_rows, steps_per_epoch;
    size_t live_parameters, frozen_parameters;
    size_t operations, cached_operations;
    uint64_t cache_bytes, memory_bytes;
    int32_t cache_in_memory;
    size_t resumed_epochs;
    char prefix_ends[160]; /* why features cannot be cached further up */
    char note[512];        /* what was assumed or left out, or looks amiss; "" for nothing */
} inarch_fit_plan;
/* What inarch_fit would do, without doing it. */
INARCH_API inarch_status inarch_fit_describe(const inarch_model *m, const inarch_data *d,
                                             const inarch_fit_options *options,
                                             inarch_fit_plan *out, inarch_error *err);

INARCH_API void inarch_history_free(inarch_history *h);
INARCH_API size_t inarch_history_rows(const inarch_history *h);
/* "loss", "accuracy", "val_loss", ...; NULL past the end. */
INARCH_API const char *inarch_history_name(const inarch_history *h, size_t column);
/* NaN where there is no such row or name. Negative rows count from the end: -1 is the last.
 * "accuracy" and "acc" also find the one column that they resolved to. */
INARCH_API double inarch_history_get(const inarch_history *h, int64_t row, const char *name);
/* The epoch of a row (0: before training), and the one whose weights fit left in the model. */
INARCH_API size_t inarch_history_epoch(const inarch_history *h, size_t row);
INARCH_API size_t inarch_history_best(const inarch_history *h);
/* Why it stopped; of an evaluation, what was assumed; or "". */
INARCH_API const char *inarch_history_note(const inarch_history *h);

/* ======== inference ======== */

typedef struct inarch_run_options {
    uint32_t size;
    int32_t batch_size;  /* evaluate: 0 = 32. Elsewhere rows of a block; results do not depend on it */
    const char *loss;    /* evaluate: as in fit */
    const char *metrics;
    int32_t threads;
    const char *cpu;
} inarch_run_options;
#define INARCH_RUN_OPTIONS {sizeof(inarch_run_options), 0, NULL, NULL, 0, NULL}

/* One row: "loss" and metrics. */
INARCH_API inarch_status inarch_evaluate(const inarch_model *m, const inarch_data *d,
                                         const inarch_run_options *options, inarch_history **out,
                                         inarch_error *err);
/* `output` of every row into out[rows][numbers a row]; count is the room in floats. */
INARCH_API inarch_status inarch_predict(const inarch_model *m, const inarch_data *d, size_t output,
                                        const inarch_run_options *options, float *out, size_t count,
                                        inarch_error *err);
/* The output of `layer` (a path; its first call). Layers above it need not be computable. */
INARCH_API inarch_status inarch_features(const inarch_model *m, const inarch_data *d,
                                         const char *layer, const inarch_run_options *options,
                                         float *out, size_t count, inarch_error *err);
/* The same into a file, in blocks: .npy, .npz (y; several outputs as y0, y1, ...), .csv (a `label` column
 * with class names and one column a class; "-" is standard output). layer NULL: the outputs. */
INARCH_API inarch_status inarch_predict_file(const inarch_model *m, const inarch_data *d,
                                             const char *layer, const inarch_run_options *options,
                                             const char *path, inarch_error *err);

/* ======== sessions: for services and loops of your own ======== */
/* A session is a program on the model's weights of the moment it was made: it goes on serving them
 * while a clone is trained. One thread at a time; make one a thread. A run allocates nothing. */

typedef struct inarch_session inarch_session;

typedef struct inarch_session_options {
    uint32_t size;
    size_t rows;         /* most rows of one call; 0: 32 */
    int32_t training;    /* 1: inarch_session_step is wanted */
    const inarch_fit_options *fit; /* training: loss and its weights, optimizer, learning_rate,
                            schedule, fresh_moments, l2_sp, l2_sp_new, seed, frozen_dropout; the rest
                            is not used. Lent for the call */
    int32_t threads;     /* 0: 1 */
    const char *cpu;
} inarch_session_options;
#define INARCH_SESSION_OPTIONS {sizeof(inarch_session_options), 0, 0, NULL, 0, NULL}

/* training: `m` is kept and must outlive the session, unchanged but by it. */
INARCH_API inarch_status inarch_session_new(inarch_model *m, const inarch_session_options *options,
                                            inarch_session **out, inarch_error *err);
/* inputs[i] is [rows][...] and read where it lies; outputs[o] receives [rows][...], which may not
 * overlap them; NULL: not wanted. */
INARCH_API inarch_status inarch_session_run(inarch_session *s, size_t rows,
                                            const float *const *inputs, float *const *outputs,
                                            inarch_error *err);
/* One optimizer step on one batch; *loss is its loss before the step (NULL allowed). */
INARCH_API inarch_status inarch_session_step(inarch_session *s, size_t rows,
                                             const float *const *inputs,
                                             const float *const *targets, double *loss,
                                             inarch_error *err);
/* Gives the trained weights and moments to the model. */
INARCH_API inarch_status inarch_session_publish(inarch_session *s, inarch_error *err);
INARCH_API void inarch_session_free(inarch_session *s);

#ifdef __cplusplus
}
#endif
#endif
