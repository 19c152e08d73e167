/* Predictions of many rows, in blocks that a program cuts: the bytes of row by row, from wherever
 * the rows lie, and what is wrong with a late row is found. */
#include "rig.h"

#include <math.h>

enum { ROWS = 2500, INPUTS = 64, CLASSES = 10 };

static const char arch[] = "input:64,dense:300:relu,dense:200:relu,dense:10:softmax";

static float *noise(size_t n)
{
    uint32_t seed = 5;
    float *x = malloc(n * sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = rig_float(&seed);
    return x;
}

static inarch_session *session(inarch_model *m, size_t rows, int32_t threads)
{
    inarch_error err;
    inarch_session *s;
    inarch_session_options o = INARCH_SESSION_OPTIONS;
    o.rows = rows;
    o.threads = threads;
    assert_ok(inarch_session_new(m, &o, &s, &err), err);
    return s;
}

static void run(inarch_session *s, size_t rows, const float *x, float *y)
{
    inarch_error err;
    assert_ok(inarch_session_run(s, rows, &x, &y, &err), err);
}

static float *row_by_row(inarch_model *m, const float *x)
{
    float *y = malloc(ROWS * CLASSES * sizeof *y);
    inarch_session *s = session(m, 1, 1);
    for (size_t r = 0; r < ROWS; r++)
        run(s, 1, x + r * INPUTS, y + r * CLASSES);
    inarch_session_free(s);
    return y;
}

static void test_session_rows(void **state)
{
    (void)state;
    inarch_model *m = rig_new(arch);
    float *x = noise(ROWS * INPUTS), *y = malloc(ROWS * CLASSES * sizeof *y);
    float *want = row_by_row(m, x);
    static const size_t rows[] = {2, 3, 5, 191, 192, 500, 512, 513, ROWS};
    for (int32_t threads = 1; threads <= 3; threads++) {
        inarch_session *s = session(m, ROWS, threads);
        for (size_t i = 0; i < IA_COUNT(rows); i++) {
            memset(y, 0, ROWS * CLASSES * sizeof *y);
            run(s, rows[i], x, y);
            assert_memory_equal(y, want, rows[i] * CLASSES * sizeof *y);
            assert_true(rows[i] == ROWS || y[rows[i] * CLASSES] == 0);
        }
        inarch_session_free(s);
    }
    free(x), free(y), free(want);
    inarch_free(m);
}

static inarch_status fill(void *context, const uint64_t *rows, size_t n, float *const *inputs,
                          float *const *targets)
{
    const float *x = context;
    (void)targets;
    for (size_t r = 0; r < n; r++)
        memcpy(inputs[0] + r * INPUTS, x + rows[r] * INPUTS, INPUTS * sizeof *x);
    return INARCH_OK;
}

/* All rows from `d` on any number of threads, in blocks of any size. */
static void check_predict(const inarch_model *m, const inarch_data *d, const float *want)
{
    inarch_error err;
    float *y = malloc(ROWS * CLASSES * sizeof *y);
    static const int32_t block[] = {0, 1, 100, 192, ROWS};
    for (size_t i = 0; i < IA_COUNT(block); i++) {
        inarch_run_options o = INARCH_RUN_OPTIONS;
        o.batch_size = block[i];
        o.threads = 1 + (int32_t)i % 2;
        memset(y, 0, ROWS * CLASSES * sizeof *y);
        assert_ok(inarch_predict(m, d, 0, &o, y, ROWS * CLASSES, &err), err);
        assert_memory_equal(y, want, ROWS * CLASSES * sizeof *y);
    }
    free(y);
}

/* Rows in memory are read there, others are gathered; neither changes the data. */
static void test_data(void **state)
{
    (void)state;
    inarch_error err;
    inarch_model *m = rig_new(arch);
    float *x = noise(ROWS * INPUTS), *copy = noise(ROWS * INPUTS), *want = row_by_row(m, x);
    inarch_array a = {x, {1, {INPUTS}}};
    inarch_data *d;
    assert_ok(inarch_data_arrays(ROWS, &a, 1, NULL, 0, &d, &err), err);
    check_predict(m, d, want);
    check_predict(m, d, want);
    inarch_data_free(d);
    inarch_source source = {.size = sizeof source};
    source.context = x;
    source.rows = ROWS;
    source.inputs = 1;
    source.input_shapes = &a.shape;
    source.fill = fill;
    assert_ok(inarch_data_source(&source, &d, &err), err);
    check_predict(m, d, want);
    inarch_data_free(d);
    assert_memory_equal(x, copy, ROWS * INPUTS * sizeof *x);
    free(x), free(copy), free(want);
    inarch_free(m);
}

/* A number that an Embedding has no row for, in the last block: it is named, and a session has
 * written nothing. */
static void test_misfit(void **state)
{
    (void)state;
    enum { WIDE = 3000 };
    inarch_error err;
    inarch_model *m = rig_new("input:2,embedding(5,400),flatten,dense:3");
    float *x = calloc(WIDE * 2, sizeof *x), *y = calloc(WIDE * 3, sizeof *y);
    const float *in = x;
    inarch_array a = {x, {1, {2}}};
    inarch_data *d;
    x[2 * 2901 + 1] = 5;
    inarch_session *s = session(m, WIDE, 1);
    assert_int_equal(inarch_session_run(s, WIDE, &in, &y, &err), INARCH_BAD_DATA);
    assert_string_equal(err.message, "inputs[0] is 5 in row 2901, but layer 'embedding' takes "
                                     "whole numbers from 0 to 4");
    for (size_t i = 0; i < WIDE * 3; i++)
        assert_true(y[i] == 0);
    assert_ok(inarch_session_run(s, 2901, &in, &y, &err), err);
    inarch_session_free(s);
    assert_ok(inarch_data_arrays(WIDE, &a, 1, NULL, 0, &d, &err), err);
    assert_int_equal(inarch_predict(m, d, 0, NULL, y, WIDE * 3, &err), INARCH_BAD_DATA);
    assert_non_null(strstr(err.message, "number 1 of row 2901 of input 0 is 5"));
    inarch_data_free(d);
    free(x), free(y);
    inarch_free(m);
}

/* What was once found to be finite is so in other views; a row that is not is found again. */
static void test_nan(void **state)
{
    (void)state;
    inarch_error err;
    inarch_model *m = rig_new("input:3,dense:2");
    float x[5 * 3] = {0}, y[5 * 2];
    inarch_array a = {x, {1, {3}}};
    inarch_data *d;
    for (int bad = 0; bad < 3; bad++) {
        static const char *const says[] = {"", "x[4, 1] is nan", "x[4, 1] is -inf"};
        x[4 * 3 + 1] = bad == 0 ? 3e38f : bad == 1 ? (float)NAN : (float)-INFINITY;
        assert_ok(inarch_data_arrays(5, &a, 1, NULL, 0, &d, &err), err);
        for (int i = 0; i < 2; i++) {
            inarch_status status = inarch_predict(m, d, 0, NULL, y, 10, &err);
            assert_int_equal(status, bad ? INARCH_BAD_DATA : INARCH_OK);
            assert_true(!bad || strstr(err.message, says[bad]));
        }
        inarch_data_free(d);
    }
    inarch_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_session_rows),
        cmocka_unit_test(test_data),
        cmocka_unit_test(test_misfit),
        cmocka_unit_test(test_nan),
    };
    return cmocka_run_group_tests(tests, NULL, rig_folder_remove);
}
