/* What the files of src/data share: the structure behind ia_data. */
#ifndef IA_DATA_INTERNAL_H
#define IA_DATA_INTERNAL_H

#include "data/data.h"
#include "data/rows.h"
#include "data/words.h"

#include <stdatomic.h>

/* The first cell of a column that cannot be used. It is an error only when the column is. */
typedef enum ia_fault_kind {
    IA_FAULT_NONE,
    IA_FAULT_MISSING,
    IA_FAULT_TEXT,
    IA_FAULT_COMMA,    /* 1,5 */
    IA_FAULT_INFINITE, /* inf, or too large for float32 */
    IA_FAULT_NEGATIVE, /* a weight */
    IA_FAULT_UNNAMED   /* the header has no name for the column */
} ia_fault_kind;

typedef struct ia_fault {
    ia_fault_kind kind;
    uint64_t row;  /* of data, from 1 */
    uint64_t line; /* of the file, from 1 */
    char text[32]; /* the cell, cut */
} ia_fault;

typedef struct ia_column {
    char *name;   /* NULL without a header */
    size_t place; /* in the file, from 1 */
    ia_fault fault;
} ia_column;

/* What all views have in common. */
typedef struct ia_origin {
    atomic_size_t refs;
    char *name;
    const char *kind; /* "csv", ... */
    char separator;   /* of a CSV */
    bool header;
    size_t rows;
    bool has_rows;     /* `rows` is decided */
    ia_column *column; /* of input 0, when it is a table */
    size_t columns;
    ia_fault weight_fault;
    ia_data_source source; /* fill is NULL for rows in memory */
    char *weight_name;
} ia_origin;

typedef struct ia_data_input {
    char *name;
    size_t port; /* which one it is for a source's callback */
    ia_shape shape;
    ia_rows *rows;  /* NULL for a source */
    uint32_t *pick; /* columns in the order they are given; NULL: all */
    const char *
        *names; /* of columns, as given: [ia_data_input_count]; NULL: none. Lent by origin */
} ia_data_input;

/* Classes of a target, shared by views. */
typedef struct ia_classes {
    atomic_size_t refs;
    size_t count;
    ia_words *names; /* NULL: none */
    ia_rows *index;  /* int32, one a row of the source; NULL: rows of several numbers */
} ia_classes;

typedef struct ia_data_target {
    char *name;
    size_t port;
    ia_shape shape;
    ia_rows *rows;   /* numbers, or int32 numbers of words (-1: missing); NULL for a source */
    ia_words *words; /* text */
    ia_classes *classes;
    double *class_weight; /* [classes->count], or NULL */
    ia_fault fault;
    char fault_column[64]; /* where several columns make one target */
    ia_words *columns;     /* names of the label columns it is made of, one a number; NULL: none */
    bool is_column;        /* of a CSV: messages say "column" */
} ia_data_target;

struct ia_data {
    ia_origin *origin;
    ia_data_input input[IA_DATA_MAX_PORTS];
    ia_data_target target[IA_DATA_MAX_PORTS];
    size_t inputs, targets;
    ia_rows *weights; /* one number a row; NULL: none */
    size_t rows;
    uint64_t begin;  /* row r is row begin + r of the source, */
    uint64_t *index; /* or row index[r] */
};

/* An empty view with an origin of this name. */
IA_MUST_CHECK inarch_status ia_data_start(const char *name, const char *kind, ia_data **out,
                                          inarch_error *err);
/* Takes over `rows` (and `words`), also on failure. */
IA_MUST_CHECK inarch_status ia_data_put_input(ia_data *d, const char *name, const ia_shape *shape,
                                              ia_rows *rows, inarch_error *err);
IA_MUST_CHECK inarch_status ia_data_put_target(ia_data *d, const char *name, const ia_shape *shape,
                                               ia_rows *rows, ia_words *words, inarch_error *err);
IA_MUST_CHECK inarch_status ia_data_put_weights(ia_data *d, ia_rows *rows, inarch_error *err);
/* The names of input 0's columns are those of the origin. */
IA_MUST_CHECK inarch_status ia_data_name_columns(ia_data *d, inarch_error *err);

void ia_classes_unref(ia_classes *c); /* NULL allowed */

/* The class of a row of the source, for an encoded target in memory: its index, or where the
 * largest of several numbers is (the first of equal ones). */
size_t ia_target_class(const ia_data_target *y, uint64_t row);

/* "'a', 'b', ..."-like lists for messages and hints. */
const char *ia_data_list_inputs(const ia_data *d, char *out, size_t size);

/* The error of a fault; `column` as it is shown: a name, or NULL and its place. */
inarch_status ia_fault_report(const ia_fault *f, const ia_origin *o, const char *column,
                              size_t place, bool is_label, inarch_error *err);
inarch_status ia_target_fault(const ia_data *d, size_t t, inarch_error *err);

#endif
