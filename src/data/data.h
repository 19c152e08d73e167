/* Rows of inputs, targets and weights: what training, evaluation and prediction read.
 *
 * An ia_data is a view: rows of a source that is shared and never changes, plus what this view says
 * about them (which rows, which columns, which classes). Numbers stay as stored (uint8, float64
 * ...) and become float32 while a batch is gathered. Knows no model: names, shapes and classes are
 * given.
 *
 * The usual order: open (or new + add), align_columns, bind_inputs, fit_input, encode, check,
 * split; then gather for every batch. Functions on a const ia_data may run on any number of
 * threads. */
#ifndef IA_DATA_DATA_H
#define IA_DATA_DATA_H

#include "base/pool.h"
#include "tensor/array.h"

typedef struct ia_data ia_data;

#define IA_DATA_MAX_PORTS 64      /* inputs, and targets */
#define IA_DATA_MAX_COLUMNS 65536 /* of a table */
#define IA_DATA_MAX_CLASSES 65536

/* ---- opening files ---- */

typedef enum ia_part { IA_PART_TRAIN, IA_PART_TEST } ia_part;

typedef struct ia_data_options {
    /* CSV: names (without a header: numbers from 1) of the label columns, separated by commas; a
     * name that holds a comma is quoted "a,b". .npy and IDX: the file of labels. NULL: none. */
    const char *labels;
    const char *drop;    /* CSV: columns left out, as above; NULL: none */
    const char *weights; /* CSV: the column of sample weights; .npy, IDX: a file of them; NULL */
    ia_part part;        /* which half of an .npz with x_train ... x_test */
    bool part_named;     /* the user asked for it: a file without parts is an error */
    /* Inputs and outputs of the model in its order, where known (NULL, 0 else): an .npz may use
     * them as keys; a CSV with as many label columns as outputs (two or more) gives one to each. */
    const char *const *input_names;
    size_t inputs;
    const char *const *output_names;
    size_t outputs;
    ia_pool *pool; /* that large tables are read on; NULL: one made for them, of all threads */
} ia_data_options;

/* Opens by content, then extension: .npz, .npy, IDX (.gz too), CSV; "-" is CSV on standard input.
 * NULL options: no labels, the train part. Everything is read now. Values are not judged yet (a
 * text column may be one that align_columns leaves out): see ia_data_check. */
IA_MUST_CHECK inarch_status ia_data_open(const char *path, const ia_data_options *options,
                                         ia_data **out, inarch_error *err);

/* What was opened: "csv", "npz", "npy", "idx", "memory" or "source". For a CSV *separator is ',',
 * ';' or '\t' and *header is true when the first row held names (both may be NULL). */
const char *ia_data_kind(const ia_data *d, char *separator, bool *header);
/* One line for people: "csv, separator ';', header, 150 rows, 4 inputs, labels in 'species'". */
const char *ia_data_summary(const ia_data *d, char *out, size_t size);

/* ---- building in memory ---- */

/* No rows, no inputs; `name` is copied and used in messages. */
IA_MUST_CHECK inarch_status ia_data_new(const char *name, ia_data **out, inarch_error *err);
/* a is [rows][row shape]; shared, not copied. All additions must agree on the rows. */
IA_MUST_CHECK inarch_status ia_data_add_input(ia_data *d, const char *name, const ia_array *a,
                                              inarch_error *err);
IA_MUST_CHECK inarch_status ia_data_add_target(ia_data *d, const char *name, const ia_array *a,
                                               inarch_error *err);
/* One label a row, as text; copied. */
IA_MUST_CHECK inarch_status ia_data_add_text(ia_data *d, const char *name,
                                             const char *const *labels, size_t rows,
                                             inarch_error *err);
IA_MUST_CHECK inarch_status ia_data_set_weights(ia_data *d, const ia_array *a, inarch_error *err);
/* Names for the columns of input 0, which must have one number a column; copied. */
IA_MUST_CHECK inarch_status ia_data_set_columns(ia_data *d, const char *const *names, size_t n,
                                                inarch_error *err);

/* Rows from a callback. Row numbers are those of the source: below `rows`. */
typedef struct ia_data_source {
    void *context;
    size_t rows;
    size_t inputs, targets;
    const char *const *input_names; /* NULL: "x", or "x0", "x1", ... */
    const ia_shape *input_shapes;   /* of one row */
    const ia_shape *target_shapes;  /* of one row; class indices have rank 0 */
    int weighted;                   /* fills weights too */
    /* Fills inputs[i] and targets[i], each [n][numbers a row], and weights[n], for the n rows
     * named. A NULL pointer (of the array, or in it) is not wanted. Anything but INARCH_OK ends the
     * work. Must be safe on the threads the caller of gather uses. */
    inarch_status (*fill)(void *context, const uint64_t *rows, size_t n, float *const *inputs,
                          float *const *targets, float *weights, inarch_error *err);
} ia_data_source;

/* The description is copied; `context` must outlive the data and its views. */
IA_MUST_CHECK inarch_status ia_data_from_source(const ia_data_source *source, ia_data **out,
                                                inarch_error *err);

void ia_data_free(ia_data *d); /* NULL allowed; other views live on */

/* ---- looking ---- */

const char *ia_data_name(const ia_data *d); /* the file, or the name given to ia_data_new */
size_t ia_data_rows(const ia_data *d);
/* Rows of the source, and which of them row r of this view is: caches are keyed by it. */
size_t ia_data_source_rows(const ia_data *d);
uint64_t ia_data_source_row(const ia_data *d, uint64_t row);
/* True when both are views of one source (then their source rows mean the same). */
bool ia_data_same_source(const ia_data *a, const ia_data *b);

size_t ia_data_inputs(const ia_data *d);
const char *ia_data_input_name(const ia_data *d, size_t i);
const ia_shape *ia_data_input_shape(const ia_data *d, size_t i); /* of one row */
size_t ia_data_input_count(const ia_data *d, size_t i);          /* numbers a row */
ia_dtype ia_data_input_dtype(const ia_data *d, size_t i);        /* as stored */
/* Column names of a table with a header, in the order gather gives them; NULL for anything else. */
const char *const *ia_data_columns(const ia_data *d, size_t *n);

typedef enum ia_target_kind {
    IA_TARGET_NUMBERS, /* as stored: values, class indices, or rows of one number per class */
    IA_TARGET_TEXT,    /* words, one a row, not encoded yet */
    IA_TARGET_CLASSES  /* after ia_data_encode: one class index a row */
} ia_target_kind;

size_t ia_data_targets(const ia_data *d); /* 0: unlabelled */
const char *ia_data_target_name(const ia_data *d, size_t t);
ia_target_kind ia_data_target_kind(const ia_data *d, size_t t);
const ia_shape *ia_data_target_shape(const ia_data *d, size_t t);
size_t ia_data_target_count(const ia_data *d, size_t t);   /* numbers a row; 1 for classes */
ia_dtype ia_data_target_dtype(const ia_data *d, size_t t); /* as stored; IA_I32 for text, classes */
/* The label columns that target t is made of, one a number; NULL for all but a table with a header.
 */
const char *const *ia_data_target_columns(const ia_data *d, size_t t, size_t *n);
bool ia_data_weighted(const ia_data *d); /* sample or class weights are set */

/* ---- fitting a model ---- */

/* Input 0 becomes exactly these columns in this order; other columns, labels among them, are left
 * out. Data without column names must have n columns and stay as they are. Errors: INARCH_NOT_FOUND
 * that names the missing columns. */
IA_MUST_CHECK inarch_status ia_data_align_columns(ia_data *d, const char *const *names, size_t n,
                                                  inarch_error *err);
/* The targets become exactly these label columns in this order, where label columns have names: one
 * target of them all, or a target for each, as they are. INARCH_NOT_FOUND names those missing. */
IA_MUST_CHECK inarch_status ia_data_align_targets(ia_data *d, const char *const *names, size_t n,
                                                  inarch_error *err);
/* The inputs become those of a model: by name where all names are found, else in the order given.
 * Errors when the numbers of inputs differ. */
IA_MUST_CHECK inarch_status ia_data_bind_inputs(ia_data *d, const char *const *names, size_t n,
                                                inarch_error *err);
/* The same for targets (the model's outputs). */
IA_MUST_CHECK inarch_status ia_data_bind_targets(ia_data *d, const char *const *names, size_t n,
                                                 inarch_error *err);
/* A row of input i has as many numbers as `shape`: [28][28], [28][28][1] and [784] feed each other.
 * Unknown dimensions take what is left, where that is one way only. On success *fitted (may be
 * NULL) is the shape to use. `name` is the model's input. */
IA_MUST_CHECK inarch_status ia_data_fit_input(const ia_data *d, size_t i, const char *name,
                                              const ia_shape *shape, ia_shape *fitted,
                                              inarch_error *err);

/* Target t becomes class indices.
 * - names, n: the classes of a model. Text must be one of them. Whole numbers are looked up among
 *   them when all names are whole numbers, else they are indices below n. A label that is not known
 *   is an error that lists the known ones.
 * - NULL, n > 0: n classes without names. Whole numbers are indices below n; text must have exactly
 * n different words, which become the names.
 * - NULL, 0: the classes are learnt. Text is sorted - by value when all of it is whole numbers,
 * else by bytes. Whole numbers stay as they are when they are exactly 0..K-1 (no names), else they
 * are sorted by value and become the names. Rows of several numbers (one per class) stay as they
 * are; their count must be n, unless n is 0. Looks at all rows of the source, so that views of it
 * agree. */
IA_MUST_CHECK inarch_status ia_data_encode(ia_data *d, size_t t, const char *const *names, size_t n,
                                           inarch_error *err);
/* Classes of target t: K after encode, numbers a row when there are several, else 0. */
size_t ia_data_classes(const ia_data *d, size_t t);
/* Their names in order of their index; NULL when they have none. */
const char *const *ia_data_class_names(const ia_data *d, size_t t);
/* Rows of this view in each class, of an encoded target (for rows of several numbers: by argmax).
 */
IA_MUST_CHECK inarch_status ia_data_class_counts(const ia_data *d, size_t t, size_t *counts,
                                                 inarch_error *err);
/* An error when all rows are of one class: nothing could be learnt. */
IA_MUST_CHECK inarch_status ia_data_check_classes(const ia_data *d, size_t t, inarch_error *err);
/* weight[k] multiplies the weight of rows of class k, n = K of target t. balanced: rows / (K * rows
 * of the class), as scikit-learn; classes without rows weigh 1. */
IA_MUST_CHECK inarch_status ia_data_set_class_weights(ia_data *d, size_t t, const double *weight,
                                                      size_t n, inarch_error *err);
IA_MUST_CHECK inarch_status ia_data_balanced(const ia_data *d, size_t t, double *weight, size_t n,
                                             inarch_error *err);

/* The rows can be used: at least one, no missing cell, text, NaN or infinity among the inputs
 * (which is named by row and column), with_targets: none among targets and weights either, weights
 * >= 0. Rows of a source are checked when they are gathered. */
IA_MUST_CHECK inarch_status ia_data_check(const ia_data *d, bool with_targets, inarch_error *err);

/* ---- views, splits, shuffles ---- */

/* Rows whose label (target t as stored) is one of `labels` ("2,6", "cat,dog"; NULL: all), the first
 * `per_class` of each (0: all), in their order - as data of their own, which know no other classes.
 * INARCH_NOT_FOUND for a label that no row has. Before columns are aligned or inputs bound. */
IA_MUST_CHECK inarch_status ia_data_only(const ia_data *d, size_t t, const char *labels,
                                         size_t per_class, ia_data **out, inarch_error *err);

/* Rows [begin, begin + n) of d, or the rows listed (repeats allowed; copied). Nothing else is
 * copied; classes, columns and weights are taken over. */
IA_MUST_CHECK inarch_status ia_data_slice(const ia_data *d, size_t begin, size_t n, ia_data **out,
                                          inarch_error *err);
IA_MUST_CHECK inarch_status ia_data_select(const ia_data *d, const uint64_t *rows, size_t n,
                                           ia_data **out, inarch_error *err);
/* As Keras' validation_split: the first floor(rows * (1 - share)) rows train, the tail validates.
 * An error when that leaves none on one side. */
IA_MUST_CHECK inarch_status ia_data_split(const ia_data *d, double share, ia_data **train,
                                          ia_data **validation, inarch_error *err);
/* rows = the numbers 0..n-1 in the order of this epoch; a function of (seed, epoch, n) alone. */
void ia_data_shuffle(uint64_t *rows, size_t n, uint64_t seed, uint64_t epoch);

/* ---- batches ---- */

/* dst [n][ia_data_input_count]: rows of this view as float32. NULL rows: 0..n-1. Row numbers below
 * ia_data_rows are the caller's duty (asserted). Fails for sources only: what their callback
 * returns, or INARCH_BAD_DATA when it gave NaN or infinity. */
IA_MUST_CHECK inarch_status ia_data_gather(const ia_data *d, const uint64_t *rows, size_t n,
                                           size_t input, float *dst, inarch_error *err);
/* dst [n][ia_data_target_count]; class indices as floats. Not for IA_TARGET_TEXT (INARCH_BAD_DATA).
 */
IA_MUST_CHECK inarch_status ia_data_gather_target(const ia_data *d, const uint64_t *rows, size_t n,
                                                  size_t t, float *dst, inarch_error *err);
/* dst [n][k]: 1 in the column of the row's class, 0 elsewhere. For one number a row. */
IA_MUST_CHECK inarch_status ia_data_gather_one_hot(const ia_data *d, const uint64_t *rows, size_t n,
                                                   size_t t, size_t k, float *dst,
                                                   inarch_error *err);
/* dst [n]: sample weight times the class weight of target t (1 where there are none). */
IA_MUST_CHECK inarch_status ia_data_gather_weights(const ia_data *d, const uint64_t *rows, size_t n,
                                                   size_t t, float *dst, inarch_error *err);
/* All at once: one call of a source's callback. NULL pointers are not wanted; weights are those of
 * target 0. */
IA_MUST_CHECK inarch_status ia_data_gather_batch(const ia_data *d, const uint64_t *rows, size_t n,
                                                 float *const *inputs, float *const *targets,
                                                 float *weights, inarch_error *err);
/* The stored numbers of row `row` and how many rows of this view follow it in memory (*n, itself
 * included); NULL for a source, or when columns were picked. dtype: ia_data_input_dtype. */
const void *ia_data_peek(const ia_data *d, size_t input, uint64_t row, size_t *n);

/* Mean and population variance of every number of a row (arrays of ia_data_input_count), over the
 * rows listed (NULL: 0..n-1): double, blocks of 64 rows joined by an aligned binary tree. */
IA_MUST_CHECK inarch_status ia_data_moments(const ia_data *d, size_t input, const uint64_t *rows,
                                            size_t n, double *mean, double *variance,
                                            inarch_error *err);

#endif
