/* History: named columns, a row per epoch. */
#include "train/history.h"

#include "base/alloc.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

inarch_status ia_history_new(ia_history **out, inarch_error *err)
{
    ia_history *h = ia_calloc(1, sizeof *h);
    if (!h)
        return ia_fail_memory(err, "a history", sizeof *h);
    h->best_epoch = SIZE_MAX;
    *out = h;
    return INARCH_OK;
}

void ia_history_free(ia_history *h)
{
    if (!h)
        return;
    ia_free(h->name);
    ia_free(h->epoch);
    ia_free(h->value);
    ia_free(h);
}

/* By exactly this name. */
static size_t column_called(const ia_history *h, const char *name)
{
    for (size_t c = 0; c < h->columns; c++)
        if (strcmp(h->name[c], name) == 0)
            return c;
    return SIZE_MAX;
}

inarch_status ia_history_add_column(ia_history *h, const char *name, inarch_error *err)
{
    assert(h->cap == 0); /* columns first, then rows */
    void *names = ia_realloc(h->name, h->columns + 1, sizeof *h->name);
    if (!names)
        return ia_fail_memory(err, "a history", sizeof *h->name);
    h->name = names;
    snprintf(h->name[h->columns], sizeof h->name[0], "%s", name);
    /* The same metric twice: auc, auc_1, ... as Keras numbers objects. */
    for (int i = 1; column_called(h, h->name[h->columns]) != SIZE_MAX; i++)
        snprintf(h->name[h->columns], sizeof h->name[0], "%.140s_%d", name, i);
    h->columns++;
    return INARCH_OK;
}

inarch_status ia_history_reserve(ia_history *h, size_t rows, inarch_error *err)
{
    size_t cells;
    if (rows <= h->cap)
        return INARCH_OK;
    if (!ia_mul(rows, h->columns ? h->columns : 1, &cells))
        return ia_fail_memory(err, "a history", SIZE_MAX);
    void *epochs = ia_realloc(h->epoch, rows, sizeof *h->epoch);
    if (!epochs)
        return ia_fail_memory(err, "a history", rows * sizeof *h->epoch);
    h->epoch = epochs;
    void *values = ia_realloc(h->value, cells, sizeof *h->value);
    if (!values)
        return ia_fail_memory(err, "a history", cells * sizeof *h->value);
    h->value = values;
    h->cap = rows;
    return INARCH_OK;
}

double *ia_history_add(ia_history *h, size_t epoch)
{
    assert(h->rows < h->cap);
    double *row = h->value + h->rows * h->columns;
    for (size_t c = 0; c < h->columns; c++)
        row[c] = (double)NAN;
    h->epoch[h->rows++] = epoch;
    return row;
}

/* "val_binary_accuracy" and "val_acc" to "val_accuracy"; other names as they are. */
static void plain_accuracy(const char *name, char out[160])
{
    static const char *const words[] = {"sparse_categorical_accuracy", "categorical_accuracy",
                                        "binary_accuracy", "acc"};
    size_t n = strlen(name);
    snprintf(out, 160, "%s", name);
    for (size_t i = 0; i < IA_COUNT(words) && n < 160; i++) {
        size_t w = strlen(words[i]);
        if (n >= w && strcmp(name + n - w, words[i]) == 0 && (n == w || name[n - w - 1] == '_')) {
            snprintf(out, 160, "%.*saccuracy", (int)(n - w), name);
            return;
        }
    }
}

size_t ia_history_column(const ia_history *h, const char *name)
{
    char want[160], have[160];
    size_t found = column_called(h, name), fits = 0;
    if (found != SIZE_MAX)
        return found;
    plain_accuracy(name, want);
    for (size_t c = 0; c < h->columns; c++) {
        plain_accuracy(h->name[c], have);
        if (strcmp(have, want) == 0) {
            found = c;
            fits++;
        }
    }
    return fits == 1 ? found : SIZE_MAX;
}

void ia_note(char *note, size_t size, const char *text)
{
    size_t n = strlen(note);
    if (*text)
        snprintf(note + n, size - n, "%s%s", n ? "; " : "", text);
}

double ia_history_get(const ia_history *h, size_t row, const char *name)
{
    size_t c = ia_history_column(h, name);
    return c == SIZE_MAX || row >= h->rows ? (double)NAN : h->value[row * h->columns + c];
}
