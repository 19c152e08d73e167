/* Helpers of the data tests: a CSV file from a string, numbers gathered in one line. */
#ifndef INARCH_DATA_TEST_H
#define INARCH_DATA_TEST_H

#include "containers/hostile.h"

#include "data/sources.h"

#define FIXTURE(name) FIXTURES "/data/" name

/* Opens text as a file called t.csv. */
IA_UNUSED static inarch_status open_text(const char *text, const ia_data_options *o, ia_data **out,
                                         inarch_error *err)
{
    static const ia_data_options none = {.labels = NULL};
    ia_input in = ia_input_memory(text, strlen(text), "t.csv");
    return ia_data_open_csv(&in, "t.csv", o ? o : &none, out, err);
}

IA_UNUSED static ia_data *text_data(const char *text, const char *labels)
{
    inarch_error err;
    ia_data *d;
    assert_ok(open_text(text, &(ia_data_options){.labels = labels}, &d, &err), err);
    return d;
}

IA_UNUSED static ia_data *file_data(const char *path, const ia_data_options *o)
{
    inarch_error err;
    ia_data *d;
    assert_ok(ia_data_open(path, o, &d, &err), err);
    return d;
}

/* Rows 0..n-1 of an input are these numbers. */
IA_UNUSED static void check_input(const ia_data *d, size_t input, size_t n, const float *want)
{
    inarch_error err;
    size_t count = ia_data_input_count(d, input);
    float *got = malloc(n * count * sizeof *got + 1);
    assert_true(n <= ia_data_rows(d));
    assert_ok(ia_data_gather(d, NULL, n, input, got, &err), err);
    for (size_t i = 0; i < n * count; i++)
        assert_near(got[i], want[i], 0);
    free(got);
}

IA_UNUSED static void check_target(const ia_data *d, size_t t, size_t n, const float *want)
{
    inarch_error err;
    size_t count = ia_data_target_count(d, t);
    float *got = malloc(n * count * sizeof *got + 1);
    assert_true(n <= ia_data_rows(d));
    assert_ok(ia_data_gather_target(d, NULL, n, t, got, &err), err);
    for (size_t i = 0; i < n * count; i++)
        assert_near(got[i], want[i], 0);
    free(got);
}

#define check_message(call, wanted_status, wanted_message, wanted_hint, err)                       \
    do {                                                                                           \
        assert_int_equal(call, wanted_status);                                                     \
        assert_string_equal((err).message, wanted_message);                                        \
        assert_string_equal((err).hint, wanted_hint);                                              \
    } while (0)

#endif
