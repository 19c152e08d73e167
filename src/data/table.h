/* The columns of a table while it is read. Internal to the CSV source. */
#ifndef IA_DATA_TABLE_H
#define IA_DATA_TABLE_H

#include "data/csv.h"
#include "data/internal.h"

#include <stdatomic.h>

/* A column of labels: numbers until the first cell that is not one, then words. A number among
 * words is written as its shortest decimal text, so 1 and 1.0 stay the same label. */
typedef struct ia_label_column {
    const char *file; /* for messages; lent */
    char *name;
    ia_rows *numbers; /* double; NaN: missing */
    ia_words *words;  /* NULL while all are numbers */
    ia_rows *codes;   /* int32; -1: missing */
    ia_fault fault;
} ia_label_column;

IA_MUST_CHECK inarch_status ia_label_start(ia_label_column *l, const char *file, const char *name,
                                           inarch_error *err);
/* `at`: row and line, for the fault. */
IA_MUST_CHECK inarch_status ia_label_add(ia_label_column *l, ia_cell cell, const ia_fault *at,
                                         inarch_error *err);
void ia_label_release(ia_label_column *l);

/* The number in a cell; NaN and a fault kind where there is none. */
ia_fault_kind ia_cell_number(ia_cell cell, double *out);
/* Keeps the first fault of a column. */
void ia_fault_note(ia_fault *f, ia_fault_kind kind, const ia_fault *at, ia_cell cell);

/* What --labels, --drop and the like say about each column of the file. */
typedef enum ia_role { IA_ROLE_INPUT, IA_ROLE_LABEL, IA_ROLE_WEIGHT, IA_ROLE_DROP } ia_role;

typedef struct ia_roles {
    size_t columns;
    char **name;   /* NULL without a header */
    uint8_t *role; /* ia_role of each column */
    size_t *label; /* columns of the labels, in the order they were asked for */
    size_t labels;
} ia_roles;

/* The first record says how many columns there are and whether it is a header. */
IA_MUST_CHECK inarch_status ia_roles_start(ia_roles *r, const char *file, const ia_cell *cells,
                                           size_t n, const ia_data_options *o, inarch_error *err);
void ia_roles_release(ia_roles *r);

/* ---- the table ---- */

typedef struct ia_table {
    const char *name;
    const ia_data_options *options;
    ia_csv *csv;
    ia_roles roles;
    ia_data *d;       /* carries the columns of the inputs */
    ia_rows *inputs;  /* float32 */
    size_t *input_at; /* the place of each input in a record */
    size_t n_inputs;
    ia_label_column *label; /* [roles.labels] */
    ia_rows *weights;       /* double, or NULL */
    size_t outputs;         /* columns that are labels or the weight */
    size_t *output;         /* [roles.columns]: which of these a column is */
    uint64_t row;           /* rows so far */
    /* Of lines that are read many at a time (table_lines.c): */
    ia_cell *cell;        /* [lines][outputs] */
    atomic_size_t *fault; /* [n_inputs]: the first line with a cell that is no number */
    uint64_t bytes;       /* of text read so */
    ia_pool *pool;        /* NULL: this thread alone */
    ia_pool *own_pool;
} ia_table;

/* Labels and weight of one more row. */
IA_MUST_CHECK inarch_status ia_table_add_outputs(ia_table *t, const ia_cell *cell,
                                                 const ia_fault *at, inarch_error *err);

/* Adds the rows of the next lines that can be read so; *n is 0 where ia_csv_next must go on. */
IA_MUST_CHECK inarch_status ia_table_add_lines(ia_table *t, size_t *n, inarch_error *err);
/* Before the first, when the columns are known. */
IA_MUST_CHECK inarch_status ia_table_start_lines(ia_table *t, inarch_error *err);
void ia_table_release_lines(ia_table *t);

#endif
