/* Writes predictions: CSV for people and spreadsheets, .npy and .npz for programs.
 *
 * Rows may come in pieces, so nothing needs to be held whole. Floats are written as the shortest
 * text that reads back as the same float32. */
#ifndef IA_DATA_PREDICTIONS_H
#define IA_DATA_PREDICTIONS_H

#include "base/output.h"
#include "tensor/shape.h"

typedef enum ia_predict_kind {
    IA_PREDICT_NUMBERS, /* columns only */
    IA_PREDICT_ARGMAX,  /* a label column, then one column per class; ties go to the first */
    IA_PREDICT_BINARY   /* one number a row, p: label (p > 0.5), then the columns 1 - p and p */
} ia_predict_kind;

typedef struct ia_predict_csv {
    ia_predict_kind kind;
    size_t columns;           /* numbers a row of what is written */
    const char *const *names; /* of classes (two for BINARY) or columns; NULL: "0", "1", ... for
                                 classes, "y" or "y0", "y1", ... for numbers */
} ia_predict_csv;

IA_MUST_CHECK inarch_status ia_predict_csv_header(const ia_predict_csv *p, ia_output *o,
                                                  inarch_error *err);
/* y [rows][columns] */
IA_MUST_CHECK inarch_status ia_predict_csv_rows(const ia_predict_csv *p, const float *y,
                                                size_t rows, ia_output *o, inarch_error *err);

/* One float32 array to `path`: [rows][row shape]. */
IA_MUST_CHECK inarch_status ia_predict_npy(const char *path, const float *y, size_t rows,
                                           const ia_shape *row, inarch_error *err);
/* Several to an .npz as y0, y1, ... */
IA_MUST_CHECK inarch_status ia_predict_npz(const char *path, const float *const *y, size_t rows,
                                           const ia_shape *row, size_t n, inarch_error *err);

#endif
