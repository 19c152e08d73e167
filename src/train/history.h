/* What a run reports: one row of named numbers per epoch. */
#ifndef IA_TRAIN_HISTORY_H
#define IA_TRAIN_HISTORY_H

#include "base/status.h"

typedef struct ia_history {
    size_t columns;
    char (*name)[160]; /* "loss", "accuracy", "val_loss", ..., "learning_rate" */
    size_t rows, cap;
    size_t *epoch;     /* of each row, from 1; 0 = before training */
    double *value;     /* [rows][columns]; NaN where there is none */
    size_t best_epoch; /* whose weights the model has now; 0: those from before training */
    int stopped_early;
    char note[512]; /* why it stopped; of an evaluation: what was assumed; or "" */
} ia_history;

IA_MUST_CHECK inarch_status ia_history_new(ia_history **out, inarch_error *err);
void ia_history_free(ia_history *h); /* NULL allowed */
IA_MUST_CHECK inarch_status ia_history_add_column(ia_history *h, const char *name,
                                                  inarch_error *err);
/* Makes room for `rows` rows, so that ia_history_add cannot fail. */
IA_MUST_CHECK inarch_status ia_history_reserve(ia_history *h, size_t rows, inarch_error *err);
/* The new row, NaN everywhere. */
double *ia_history_add(ia_history *h, size_t epoch);
/* SIZE_MAX when there is no such column. The accuracies are one name - "accuracy", "acc", and what
 * Keras calls them when it knows the targets ("binary_accuracy", ...) - where one column fits. */
size_t ia_history_column(const ia_history *h, const char *name);
/* NaN when there is no such row or column. */
double ia_history_get(const ia_history *h, size_t row, const char *name);

/* Adds a remark to those in `note`, which are separated by "; ". */
void ia_note(char *note, size_t size, const char *text);

#endif
