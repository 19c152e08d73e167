/* precision=bf16: about the same training, the same bytes for every number of threads, and a
 * refusal where the machine or the kernel set lacks it. */
#include "test.h"

#include <inarch.h>

#include <math.h>
#include <stdlib.h>

enum { ROWS = 400, IN = 96, CLASSES = 4 };

static inarch_data *blobs(void)
{
    static float x[ROWS * IN], y[ROWS];
    inarch_error err;
    inarch_data *d;
    uint32_t s = 1;
    for (size_t r = 0; r < ROWS; r++) {
        y[r] = (float)(r % CLASSES);
        for (size_t i = 0; i < IN; i++) {
            s = s * 1664525u + 1013904223u;
            x[r * IN + i] =
                (float)(s >> 8) / 8388608.0f - 1 + (i % CLASSES == r % CLASSES ? 0.5f : 0);
        }
    }
    inarch_array in = {x, {1, {IN}}}, out = {y, {0, {0}}};
    assert_int_equal(inarch_data_arrays(ROWS, &in, 1, &out, 1, &d, &err), INARCH_OK);
    return d;
}

static inarch_status train(const inarch_data *d, const char *precision, const char *cpu,
                           int threads, double *loss, double *accuracy, inarch_error *err)
{
    inarch_model *m;
    inarch_history *h = NULL;
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    assert_int_equal(
        inarch_new("input:96,dense:128:relu,dense:64:tanh,dense:4:softmax", 1, &m, err), INARCH_OK);
    fit.epochs = 4;
    fit.precision = precision;
    fit.cpu = cpu;
    fit.threads = threads;
    inarch_status status = inarch_fit(m, d, &fit, &h, err);
    if (status == INARCH_OK) {
        *loss = inarch_history_get(h, 3, "loss");
        *accuracy = inarch_history_get(h, 3, "accuracy");
        inarch_history_free(h);
    }
    inarch_free(m);
    return status;
}

static void bf16_trains_as_float32_does(void **state)
{
    (void)state;
    inarch_error err;
    inarch_data *d = blobs();
    double loss, accuracy, rounded, right, again;
    if (train(d, "bf16", NULL, 1, &rounded, &right, &err) != INARCH_OK) {
        assert_non_null(strstr(err.message, "bf16"));
        assert_string_equal(err.hint, "leave it out: f32 runs everywhere, with the same bytes");
        printf("no bf16 on this machine: skipped\n");
        inarch_data_free(d);
        skip();
    }
    assert_int_equal(train(d, "f32", NULL, 1, &loss, &accuracy, &err), INARCH_OK);
    assert_true(loss < 0.8 && loss != rounded);
    assert_true(fabs(loss - rounded) < 0.02 * loss);
    assert_true(fabs(accuracy - right) < 0.02);
    for (int threads = 2; threads <= 4; threads++) {
        assert_int_equal(train(d, "bf16", NULL, threads, &again, &right, &err), INARCH_OK);
        assert_true(again == rounded);
    }
    inarch_data_free(d);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    inarch_error err;
    inarch_data *d = blobs();
    double loss, accuracy;
    assert_int_equal(train(d, "f16", NULL, 1, &loss, &accuracy, &err), INARCH_BAD_ARGUMENT);
    assert_string_equal(err.message, "precision cannot be 'f16'");
    assert_string_equal(err.hint, "f32 or bf16");
    assert_int_equal(train(d, "bf16", "reference", 1, &loss, &accuracy, &err), INARCH_BAD_ARGUMENT);
    assert_string_equal(err.subject, "precision");
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    assert_int_equal(inarch_option_set("fit", &fit, "precision", "half", &err),
                     INARCH_BAD_ARGUMENT);
    assert_int_equal(inarch_option_set("fit", &fit, "precision", "bf16", &err), INARCH_OK);
    assert_string_equal(fit.precision, "bf16");
    inarch_data_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bf16_trains_as_float32_does),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
