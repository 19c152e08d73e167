/* Metrics: streamed results against Keras (fixtures/train/metrics.json) and by hand; names,
 * settings, JSON, what accuracy becomes. */
#include "test.h"
#include "train/fixture.h"

#include "kernels/dispatch.h"
#include "train/metric.h"

#include <math.h>

static const ia_exec exec = {.set = &ia_kernels_reference};

static void meter_batch(ia_meter *m, const json_t *b, size_t cols, bool sparse)
{
    size_t np, nt, nw;
    float *p = fixture_floats(json_object_get(b, "p"), &np);
    float *t = fixture_floats(json_object_get(b, "t"), &nt);
    float *w = fixture_floats(json_object_get(b, "w"), &nw);
    ia_scores s = {.exec = &exec,
                   .samples = np / cols,
                   .cols = cols,
                   .p = p,
                   .t = t,
                   .weight = nw ? w : NULL,
                   .class_index = sparse};
    ia_meter_update(m, &s);
    ia_free(p);
    ia_free(t);
    ia_free(w);
}

static void results_are_keras(void **state)
{
    (void)state;
    inarch_error err;
    json_t *cases = fixture_json(FIXTURES "/train/metrics.json"), *c, *b;
    size_t i, k;
    assert_true(json_array_size(cases) > 90);
    json_array_foreach(cases, i, c)
    {
        const char *text = ia_json_string(c, "text", "");
        const json_t *want = json_object_get(c, "result");
        size_t cols = (size_t)ia_json_int(c, "cols", 0);
        bool sparse = ia_json_bool(c, "sparse", false);
        ia_metric m;
        ia_meter *meter;
        assert_ok(ia_metric_from_text(text, &m, &err), err);
        assert_ok(ia_metric_resolve(&m, cols, sparse, &err), err);
        assert_ok(ia_meter_new(&m, 12, cols, &meter, &err), err);
        for (int round = 0; round < 2; round++) { /* the second after a reset */
            json_array_foreach(json_object_get(c, "batches"), k, b)
                meter_batch(meter, b, cols, sparse);
            assert_int_equal(ia_meter_results(meter), json_array_size(want));
            for (k = 0; k < json_array_size(want); k++) {
                double keras = json_number_value(json_array_get(want, k));
                double own = ia_meter_result(meter, k);
                if (!(fabs(own - keras) <= 3e-6 * (1 + fabs(keras))))
                    fail_msg("case %zu, %s, cols %zu: %.9g, Keras %.9g", i, text, cols, own, keras);
            }
            ia_meter_reset(meter);
        }
        ia_meter_free(meter);
    }
    json_decref(cases);
}

/* AUC by hand: 4 rows, the pairs (0.8, 0.4), (0.8, 0.6) and (0.5, 0.4) in order, (0.5, 0.6) not. */
static void auc_counts_ordered_pairs(void **state)
{
    (void)state;
    inarch_error err;
    const float p[] = {0.8f, 0.5f, 0.4f, 0.6f}, t[] = {1, 1, 0, 0};
    ia_scores s = {.exec = &exec, .samples = 4, .cols = 1, .p = p, .t = t};
    ia_metric m;
    ia_meter *meter;
    assert_ok(ia_metric_from_text("auc", &m, &err), err);
    assert_ok(ia_metric_resolve(&m, 1, 0, &err), err);
    assert_ok(ia_meter_new(&m, 4, 1, &meter, &err), err);
    ia_meter_update(meter, &s);
    assert_near(ia_meter_result(meter, 0), 0.75, 1e-12);
    ia_meter_free(meter);
}

/* However the rows are cut, the bytes are the same. */
static void batches_do_not_matter(void **state)
{
    (void)state;
    static const char *const names[] = {"mse", "auc", "f1_score", "r2_score", "binary_accuracy"};
    inarch_error err;
    float p[50], t[50];
    for (int i = 0; i < 50; i++) {
        p[i] = (float)((i * 37) % 50) / 49;
        t[i] = (float)(i % 3 == 0);
    }
    for (size_t n = 0; n < IA_COUNT(names); n++) {
        double whole = 0;
        for (size_t block = 50; block >= 1; block = block > 7 ? 7 : block - 3) {
            ia_metric m;
            ia_meter *meter;
            assert_ok(ia_metric_from_text(names[n], &m, &err), err);
            assert_ok(ia_metric_resolve(&m, 1, 0, &err), err);
            assert_ok(ia_meter_new(&m, block, 1, &meter, &err), err);
            for (size_t at = 0; at < 50; at += block) {
                size_t rows = 50 - at < block ? 50 - at : block;
                ia_scores s = {.exec = &exec, .samples = rows, .cols = 1, .p = p + at, .t = t + at};
                ia_meter_update(meter, &s);
            }
            double v = ia_meter_result(meter, 0);
            whole = block == 50 ? v : whole;
            assert_memory_equal(&v, &whole, sizeof v);
            ia_meter_free(meter);
            if (block == 1)
                break;
        }
    }
}

static void accuracy_becomes_what_keras_makes_of_it(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t cols;
        int sparse;
        const char *becomes;
    } row[] = {
        {"accuracy", 1, 0, "binary_accuracy"},
        {"acc", 1, 1, "binary_accuracy"},
        {"accuracy", 3, 1, "sparse_categorical_accuracy"},
        {"accuracy", 3, 0, "categorical_accuracy"},
        {"categorical_accuracy", 3, 1, "sparse_categorical_accuracy"},
        {"top_k_categorical_accuracy", 9, 1, "sparse_top_k_categorical_accuracy"},
        {"f1_score", 1, 0, "f1_score(threshold=0.5)"},
        {"f1", 4, 0, "f1_score(average=macro)"},
        {"f1_score(average=none)", 4, 0, "f1_score"},
        {"AUC", 1, 0, "auc"},
        {"mse", 2, 0, "mean_squared_error"},
    };
    inarch_error err;
    for (size_t i = 0; i < IA_COUNT(row); i++) {
        ia_metric m;
        char text[128];
        assert_ok(ia_metric_from_text(row[i].text, &m, &err), err);
        assert_ok(ia_metric_resolve(&m, row[i].cols, row[i].sparse, &err), err);
        ia_metric_to_text(&m, text, sizeof text);
        assert_string_equal(text, row[i].becomes);
    }
    ia_metric m;
    assert_ok(ia_metric_from_text("acc", &m, &err), err);
    assert_string_equal(m.name, "acc");
    assert_true(ia_metric_up(&m));
    assert_ok(ia_metric_from_text("mae", &m, &err), err);
    assert_false(ia_metric_up(&m));
}

static void errors_say_what_to_do(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message, *hint;
    } bad[] = {
        {"acuracy", "unknown metric 'acuracy'", "did you mean 'accuracy'?"},
        {"xyz", "unknown metric 'xyz'", "a metric is one of the list of metrics, or a loss"},
        {"auc(curve=up)", "curve of auc cannot be 'up'", "roc or pr"},
        {"auc(num_thresholds=1)", "num_thresholds of auc cannot be 1", "2 or more"},
        {"top_k_categorical_accuracy(k=2.5)", "k of top_k_categorical_accuracy cannot be 2.5",
         "how many largest count, 1 or more"},
        {"precision(threshhold=1)", "precision has no setting 'threshhold'",
         "did you mean 'thresholds'?"},
        {"accuracy(1)", "accuracy has no setting '1'", "it has no settings"},
        {"huber(delta=-1)", "loss 'huber' cannot take delta = -1",
         "label_smoothing is from 0 to 1, delta is above 0"},
        {"auc(", "cannot read the metric 'auc('", "write name(key=value,...)"},
    };
    inarch_error err;
    ia_metric m;
    for (size_t i = 0; i < IA_COUNT(bad); i++) {
        assert_int_equal(ia_metric_from_text(bad[i].text, &m, &err), INARCH_BAD_ARGUMENT);
        assert_string_equal(err.message, bad[i].message);
        assert_string_equal(err.hint, bad[i].hint);
    }
    assert_ok(ia_metric_from_text("sparse_categorical_accuracy", &m, &err), err);
    assert_int_equal(ia_metric_resolve(&m, 3, 0, &err), INARCH_BAD_ARGUMENT);
    assert_string_equal(err.message, "metric 'sparse_categorical_accuracy' needs class indices, "
                                     "but the targets are numbers");
}

static void json_goes_round(void **state)
{
    (void)state;
    static const struct {
        const char *json, *text, *name;
    } good[] = {
        {"\"accuracy\"", "accuracy", "accuracy"},
        {"{\"class_name\":\"AUC\",\"config\":{\"name\":\"my_auc\",\"dtype\":\"float32\","
         "\"num_thresholds\":200,\"curve\":\"PR\",\"summation_method\":\"interpolation\","
         "\"multi_label\":false,\"num_labels\":null,\"label_weights\":null,\"from_logits\":false}}",
         "auc(curve=PR)", "my_auc"},
        {"{\"class_name\":\"Precision\",\"config\":{\"name\":\"precision\",\"thresholds\":[0.75],"
         "\"top_k\":null,\"class_id\":null}}",
         "precision(thresholds=0.75)", "precision"},
        {"{\"class_name\":\"Precision\",\"config\":{\"name\":\"p\",\"thresholds\":null,"
         "\"top_k\":2,\"class_id\":1}}",
         "precision(top_k=2,class_id=1)", "p"},
        {"{\"class_name\":\"AUC\",\"config\":{\"multi_label\":true,\"summation_method\":"
         "\"majoring\"}}",
         "auc(summation_method=majoring,multi_label=true)", "auc"},
        {"{\"class_name\":\"Recall\",\"config\":{\"thresholds\":null}}", "recall", "recall"},
        {"{\"class_name\":\"F1Score\",\"config\":{\"average\":\"macro\",\"threshold\":null}}",
         "f1_score(average=macro)", "f1_score"},
        {"{\"class_name\":\"MeanMetricWrapper\",\"config\":{\"name\":\"accuracy\",\"fn\":"
         "\"binary_accuracy\"}}",
         "binary_accuracy", "binary_accuracy"},
        {"{\"class_name\":\"MeanSquaredError\",\"config\":{\"name\":\"mse\"}}",
         "mean_squared_error", "mse"},
        {"{\"module\":\"builtins\",\"class_name\":\"function\",\"config\":\"mae\"}",
         "mean_absolute_error", "mae"},
    };
    inarch_error err;
    for (size_t i = 0; i < IA_COUNT(good); i++) {
        json_t *v = json_loads(good[i].json, JSON_DECODE_ANY, NULL), *back;
        ia_metric m, again;
        char text[128], text_again[128];
        assert_ok(ia_metric_from_json(v, &m, &err), err);
        ia_metric_to_text(&m, text, sizeof text);
        assert_string_equal(text, good[i].text);
        assert_string_equal(m.name, good[i].name);
        assert_ok(ia_metric_to_json(&m, &back, &err), err);
        assert_ok(ia_metric_from_json(back, &again, &err), err);
        ia_metric_to_text(&again, text_again, sizeof text_again);
        assert_string_equal(text_again, text);
        json_decref(v);
        json_decref(back);
    }
}

static void json_beyond_us_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        inarch_status status;
        const char *message;
    } bad[] = {
        {"{\"class_name\":\"AUC\",\"config\":{\"from_logits\":true}}", INARCH_UNSUPPORTED,
         "metric 'auc' with from_logits is not supported"},
        {"{\"class_name\":\"AUC\",\"config\":{\"thresholds\":[0.5]}}", INARCH_UNSUPPORTED,
         "metric 'auc' with thresholds of its own is not supported"},
        {"{\"class_name\":\"Precision\",\"config\":{\"thresholds\":[0.1,0.2]}}", INARCH_UNSUPPORTED,
         "metric 'precision' with several thresholds is not supported"},
        {"{\"class_name\":\"MeanIoU\",\"config\":{}}", INARCH_BAD_ARGUMENT,
         "unknown metric 'MeanIoU'"},
        {"3", INARCH_BAD_ARGUMENT, "unknown metric ''"},
    };
    inarch_error err;
    for (size_t i = 0; i < IA_COUNT(bad); i++) {
        json_t *v = json_loads(bad[i].json, JSON_DECODE_ANY, NULL);
        ia_metric m;
        assert_int_equal(ia_metric_from_json(v, &m, &err), bad[i].status);
        assert_string_equal(err.message, bad[i].message);
        json_decref(v);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_are_keras),
        cmocka_unit_test(auc_counts_ordered_pairs),
        cmocka_unit_test(batches_do_not_matter),
        cmocka_unit_test(accuracy_becomes_what_keras_makes_of_it),
        cmocka_unit_test(errors_say_what_to_do),
        cmocka_unit_test(json_goes_round),
        cmocka_unit_test(json_beyond_us_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
