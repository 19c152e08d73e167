/* Reads the JSON fixtures of the training room. */
#ifndef INARCH_TEST_TRAIN_FIXTURE_H
#define INARCH_TEST_TRAIN_FIXTURE_H

#include "base/alloc.h"
#include "base/input.h"
#include "base/json.h"

static inline json_t *fixture_json(const char *path)
{
    inarch_error err;
    ia_input in;
    uint8_t *text;
    size_t n;
    json_t *v;
    assert_ok(ia_input_open(path, &in, &err), err);
    assert_ok(ia_input_read_all(&in, 64 << 20, &text, &n, &err), err);
    assert_ok(ia_json_parse((const char *)text, n, path, &v, &err), err);
    ia_free(text);
    ia_input_close(&in);
    return v;
}

/* The numbers of a list as floats; new memory. */
static inline float *fixture_floats(const json_t *list, size_t *n)
{
    *n = json_array_size(list);
    float *out = ia_calloc(*n + 1, sizeof *out);
    assert_non_null(out);
    for (size_t i = 0; i < *n; i++)
        out[i] = (float)json_number_value(json_array_get(list, i));
    return out;
}

#endif
