/* The models that go through real Keras: how each is made. */
#ifndef INARCH_TEST_KERAS_SAMPLES_H
#define INARCH_TEST_KERAS_SAMPLES_H

#include "test.h"

#define KERAS3 1
#define TF_KERAS 2
#define BOTH (KERAS3 | TF_KERAS)

typedef struct sample {
    const char *name;
    int readers;      /* who must take it */
    const char *arch; /* a new Sequential, or */
    const char *file; /* a file of the fixtures */
    void (*edit)(inarch_model *m);
    const char *optimizer; /* trained before it is saved; "file": with the file's compile state */
    const char *loss;      /* NULL: by head and labels */
    const char *metrics;
} sample;

size_t sample_count(void);
const sample *sample_at(size_t i);
/* Made, edited, trained: as it will be saved. */
inarch_model *sample_make(const sample *s);

#define SAMPLE_ROWS 40

/* One array of floats, [rows][shape]. */
typedef struct sample_array {
    float *data;
    inarch_shape shape; /* of a row */
    size_t count;       /* of all rows */
} sample_array;

/* Input i; what output i should be taught. Freed by the caller. */
sample_array sample_input(const inarch_model *m, size_t i);
sample_array sample_target(const inarch_model *m, size_t i);
/* All of them as data; targets = 0: inputs only. */
inarch_data *sample_data(const inarch_model *m, int targets);

#endif
