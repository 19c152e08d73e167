/* The columns of a table while it is read. Internal to the CSV source. */
#ifndef IA_DATA_TABLE_H
#define IA_DATA_TABLE_H

#include "data/csv.h"
#include "data/internal.h"

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

#endif
