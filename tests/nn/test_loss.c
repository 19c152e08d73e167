/* Losses: values and gradients against Keras (fixtures/train/losses.json), gradients against
 * central differences, names, settings and JSON of every generation. */
#include "test.h"

#include "base/input.h"
#include "base/json.h"
#include "nn/loss.h"

#include <math.h>

#define MOST 64

/* The loss of `samples` rows with the best kernels of this CPU; gradients as they are. */
static void run(const ia_loss *l, size_t samples, size_t cols, const float *p, const float *z,
                const float *t, double *loss, float *grad)
{
    ia_exec e = {.set = ia_kernel_set_find(NULL)};
    ia_loss_batch b = {.exec = &e,
                       .samples = samples,
                       .cols = cols,
                       .p = p,
                       .z = z,
                       .t = t,
                       .loss = loss,
                       .grad = grad,
                       .scale = 1};
    l->cls->samples(l, &b);
}

static size_t floats(const json_t *list, float *out)
{
    size_t n = json_array_size(list);
    assert_true(n <= MOST);
    for (size_t i = 0; i < n; i++)
        out[i] = (float)json_number_value(json_array_get(list, i));
    return n;
}

static json_t *load(const char *path)
{
    inarch_error err;
    ia_input in;
    uint8_t *text;
    size_t n;
    json_t *v;
    assert_ok(ia_input_open(path, &in, &err), err);
    assert_ok(ia_input_read_all(&in, 1 << 20, &text, &n, &err), err);
    assert_ok(ia_json_parse((const char *)text, n, path, &v, &err), err);
    free(text);
    ia_input_close(&in);
    return v;
}

static void values_and_gradients_are_keras(void **state)
{
    (void)state;
    inarch_error err;
    json_t *cases = load(FIXTURES "/train/losses.json"), *c;
    size_t i;
    assert_true(json_array_size(cases) > 40);
    json_array_foreach(cases, i, c)
    {
        float p[MOST], z[MOST], t[MOST], grad[MOST];
        double loss[MOST];
        const char *text = ia_json_string(c, "text", "");
        const json_t *want = json_object_get(c, "loss"), *slope = json_object_get(c, "grad");
        size_t cols = (size_t)ia_json_int(c, "cols", 0), samples = json_array_size(want);
        bool logits = ia_json_bool(c, "logits", false);
        ia_loss l;
        assert_ok(ia_loss_from_text(text, &l, &err), err);
        floats(json_object_get(c, logits ? "z" : "p"), logits ? z : p);
        floats(json_object_get(c, "t"), t);
        run(&l, samples, cols, logits ? NULL : p, logits ? z : NULL, t, loss, grad);
        for (size_t s = 0; s < samples; s++) {
            double k = json_number_value(json_array_get(want, s));
            if (!(fabs(loss[s] - k) <= 3e-6 * (1 + fabs(k))))
                fail_msg("case %zu, %s, sample %zu: %.9g, Keras %.9g", i, text, s, loss[s], k);
        }
        for (size_t s = 0; s < samples * cols; s++) {
            double k = json_number_value(json_array_get(slope, s)), g = (double)grad[s];
            if (!(fabs(g - k) <= 1e-5 * (1 + fabs(k))))
                fail_msg("case %zu, %s, gradient %zu: %.9g, Keras %.9g", i, text, s, g, k);
        }
    }
    json_decref(cases);
}

/* A loss given as a function of the logits by from_logits is the same as with z. */
static void logits_may_stand_in_p(void **state)
{
    (void)state;
    inarch_error err;
    const float z[] = {2, -1, 0.5f, -3}, t[] = {1, 0, 0, 1};
    double a[2], b[2];
    float ga[4], gb[4];
    ia_loss l;
    assert_ok(ia_loss_from_text("binary_crossentropy(from_logits=true)", &l, &err), err);
    run(&l, 2, 2, z, NULL, t, a, ga);
    l.from_logits = 0;
    run(&l, 2, 2, NULL, z, t, b, gb);
    assert_memory_equal(a, b, sizeof a);
    assert_memory_equal(ga, gb, sizeof ga);
}

/* Central differences of the double values, with the step that float32 really takes. */
static void gradients_are_slopes(void **state)
{
    (void)state;
    const float p0[] = {0.31f, 0.12f, 0.57f, 0.22f}, t0[] = {0.5f, 0.25f, 0.15f, 0.1f};
    const float index[] = {2};
    for (size_t i = 0; i < ia_loss_count(); i++) {
        ia_loss l = {.cls = ia_loss_class_at(i)};
        memcpy(l.param, l.cls->fallback, sizeof l.param);
        for (l.from_logits = 0; l.from_logits <= (l.cls->logits != IA_LOGITS_NONE);
             l.from_logits++) {
            const float *t = l.cls->target == IA_TARGET_CLASS ? index : t0;
            float p[4], grad[4];
            double loss;
            memcpy(p, p0, sizeof p);
            run(&l, 1, 4, p, NULL, t, &loss, grad);
            for (size_t c = 0; c < 4; c++) {
                double low, high;
                float at = p[c], a = at - 0x1p-10f, b = at + 0x1p-10f;
                p[c] = a;
                run(&l, 1, 4, p, NULL, t, &low, NULL);
                p[c] = b;
                run(&l, 1, 4, p, NULL, t, &high, NULL);
                p[c] = at;
                double slope = (high - low) / ((double)b - (double)a);
                if (!(fabs(slope - (double)grad[c]) <= 2e-4 * (1 + fabs(slope))))
                    fail_msg("%s [%zu]: slope %.9g, gradient %.9g", l.cls->name, c, slope,
                             (double)grad[c]);
            }
        }
    }
}

static void saturated_predictions_cost_what_keras_says(void **state)
{
    (void)state;
    inarch_error err;
    const float p[] = {0, 1}, t[] = {1, 0};
    double loss[2];
    float grad[2];
    ia_loss l;
    assert_ok(ia_loss_from_text("bce", &l, &err), err);
    run(&l, 2, 1, p, NULL, t, loss, grad);
    assert_near(loss[0], 16.118095, 1e-6); /* -log 1e-7 */
    assert_near(loss[1], 15.942385, 1e-6); /* -log 2^-23 */
    assert_true(grad[0] == 0 && grad[1] == 0);
}

static void nan_stays_nan(void **state)
{
    (void)state;
    const float p[] = {NAN, 0.5f}, t0[] = {1, 0}, index[] = {0};
    for (size_t i = 0; i < ia_loss_count(); i++) {
        ia_loss l = {.cls = ia_loss_class_at(i)};
        memcpy(l.param, l.cls->fallback, sizeof l.param);
        const float *t = l.cls->target == IA_TARGET_CLASS ? index : t0;
        double loss;
        float grad[2];
        run(&l, 1, 2, p, NULL, t, &loss, grad);
        if (!isnan(loss))
            fail_msg("%s of NaN is %g", l.cls->name, loss);
        if (l.cls->logits) {
            run(&l, 1, 2, NULL, p, t, &loss, grad);
            assert_true(isnan(loss));
        }
    }
}

static void a_class_that_is_none_is_nan(void **state)
{
    (void)state;
    inarch_error err;
    const float p[] = {0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f}, t[] = {2, -1, NAN};
    double loss[3];
    float grad[6];
    ia_loss l;
    assert_ok(ia_loss_from_text("scce", &l, &err), err);
    run(&l, 3, 2, p, NULL, t, loss, grad);
    for (int i = 0; i < 3; i++)
        assert_true(isnan(loss[i]) && isnan(grad[2 * i]));
}

static void names_and_settings(void **state)
{
    (void)state;
    static const struct {
        const char *text, *name, *again;
    } good[] = {
        {"mse", "mean_squared_error", "mean_squared_error"},
        {"MSE", "mean_squared_error", "mean_squared_error"},
        {"BinaryCrossentropy", "binary_crossentropy", "binary_crossentropy"},
        {"binary_crossentropy(label_smoothing=0.1)", "binary_crossentropy",
         "binary_crossentropy(label_smoothing=0.1)"},
        {"binary_crossentropy(0.1,from_logits=True)", "binary_crossentropy",
         "binary_crossentropy(label_smoothing=0.1,from_logits=true)"},
        {"huber(0.5)", "huber", "huber(delta=0.5)"},
        {"huber(delta=1)", "huber", "huber"},
        {"kld", "kl_divergence", "kl_divergence"},
        {"logcosh", "log_cosh", "log_cosh"},
        {"kullback_leibler_divergence", "kl_divergence", "kl_divergence"},
        {"cosine_proximity", "cosine_similarity", "cosine_similarity"},
    };
    static const struct {
        const char *text, *message, *hint;
    } bad[] = {
        {"binary_crosentropy", "unknown loss 'binary_crosentropy'",
         "did you mean 'binary_crossentropy'?"},
        {"", "cannot read the loss ''", "write name(key=value,...)"},
        {"xyzzy", "unknown loss 'xyzzy'", "see the list of losses"},
        {"huber(delta=0)", "loss 'huber' cannot take delta = 0",
         "label_smoothing is from 0 to 1, delta is above 0"},
        {"bce(label_smoothing=2)", "loss 'binary_crossentropy' cannot take label_smoothing = 2",
         "label_smoothing is from 0 to 1, delta is above 0"},
        {"mse(0.1)", "loss 'mean_squared_error' cannot take '0.1'", ""},
        {"mse(from_logits=true)", "loss 'mean_squared_error' cannot take this from_logits", ""},
        {"huber(gamma=1)", "loss 'huber' cannot take 'gamma=1'",
         "label_smoothing is from 0 to 1, delta is above 0"},
        {"huber(1", "cannot read the loss 'huber(1'", "write name(key=value,...)"},
    };
    inarch_error err;
    for (size_t i = 0; i < IA_COUNT(good); i++) {
        ia_loss l;
        char text[128];
        assert_ok(ia_loss_from_text(good[i].text, &l, &err), err);
        assert_string_equal(l.cls->name, good[i].name);
        ia_loss_to_text(&l, text, sizeof text);
        assert_string_equal(text, good[i].again);
    }
    for (size_t i = 0; i < IA_COUNT(bad); i++) {
        ia_loss l;
        assert_int_equal(ia_loss_from_text(bad[i].text, &l, &err), INARCH_BAD_ARGUMENT);
        assert_string_equal(err.message, bad[i].message);
        assert_string_equal(err.hint, bad[i].hint);
    }
}

static void json_of_every_generation(void **state)
{
    (void)state;
    static const struct {
        const char *json, *text;
    } good[] = {
        {"\"mse\"", "mean_squared_error"},
        {"{\"class_name\":\"BinaryCrossentropy\",\"config\":{\"reduction\":\"auto\",\"name\":"
         "\"binary_crossentropy\",\"from_logits\":false,\"label_smoothing\":0.1,\"axis\":-1}}",
         "binary_crossentropy(label_smoothing=0.1)"},
        {"{\"module\":\"builtins\",\"class_name\":\"function\",\"config\":\"mean_absolute_error\","
         "\"registered_name\":\"function\"}",
         "mean_absolute_error"},
        {"{\"class_name\":\"SparseCategoricalCrossentropy\",\"config\":{\"from_logits\":true,"
         "\"ignore_class\":null,\"reduction\":\"sum_over_batch_size\"}}",
         "sparse_categorical_crossentropy(from_logits=true)"},
        {"{\"class_name\":\"Huber\",\"config\":{\"delta\":2.5}}", "huber(delta=2.5)"},
        {"{\"class_name\":\"LossFunctionWrapper\",\"config\":{\"fn\":\"mse\"}}",
         "mean_squared_error"},
    };
    inarch_error err;
    for (size_t i = 0; i < IA_COUNT(good); i++) {
        json_t *v, *back;
        ia_loss l, again;
        char text[128];
        assert_ok(ia_json_parse(good[i].json, strlen(good[i].json), "", &v, &err), err);
        assert_ok(ia_loss_from_json(v, &l, &err), err);
        ia_loss_to_text(&l, text, sizeof text);
        assert_string_equal(text, good[i].text);
        assert_ok(ia_loss_to_json(&l, &back, &err), err);
        assert_ok(ia_loss_from_json(back, &again, &err), err);
        assert_memory_equal(&l, &again, sizeof l);
        json_decref(v);
        json_decref(back);
    }
}

static void json_that_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        inarch_status status;
        const char *message;
    } bad[] = {
        {"\"my_loss\"", INARCH_BAD_ARGUMENT, "unknown loss 'my_loss'"},
        {"{\"class_name\":\"Huber\",\"config\":{\"reduction\":\"sum\"}}", INARCH_UNSUPPORTED,
         "loss 'huber' with reduction 'sum' is not supported"},
        {"{\"class_name\":\"SparseCategoricalCrossentropy\",\"config\":{\"ignore_class\":255}}",
         INARCH_UNSUPPORTED,
         "loss 'sparse_categorical_crossentropy' with ignore_class is not supported"},
        {"[1,2]", INARCH_BAD_ARGUMENT, "unknown loss ''"},
        {"7", INARCH_BAD_ARGUMENT, "unknown loss ''"},
    };
    inarch_error err;
    for (size_t i = 0; i < IA_COUNT(bad); i++) {
        ia_loss l;
        json_t *v = json_loads(bad[i].json, JSON_DECODE_ANY, NULL);
        assert_int_equal(ia_loss_from_json(v, &l, &err), bad[i].status);
        assert_string_equal(err.message, bad[i].message);
        json_decref(v);
    }
}

static void json_written_is_what_keras_reads(void **state)
{
    (void)state;
    inarch_error err;
    ia_loss l;
    json_t *v;
    assert_ok(ia_loss_from_text("bce(0.25)", &l, &err), err);
    assert_ok(ia_loss_to_json(&l, &v, &err), err);
    char *text = json_dumps(v, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(text,
                        "{\"class_name\":\"BinaryCrossentropy\",\"config\":{\"from_logits\":false,"
                        "\"label_smoothing\":0.25,\"name\":\"binary_crossentropy\",\"reduction\":"
                        "\"sum_over_batch_size\"},\"module\":\"keras.losses\","
                        "\"registered_name\":null}");
    free(text);
    json_decref(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_and_gradients_are_keras),
        cmocka_unit_test(logits_may_stand_in_p),
        cmocka_unit_test(gradients_are_slopes),
        cmocka_unit_test(saturated_predictions_cost_what_keras_says),
        cmocka_unit_test(nan_stays_nan),
        cmocka_unit_test(a_class_that_is_none_is_nan),
        cmocka_unit_test(names_and_settings),
        cmocka_unit_test(json_of_every_generation),
        cmocka_unit_test(json_that_is_refused),
        cmocka_unit_test(json_written_is_what_keras_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
