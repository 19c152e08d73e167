/* Moments under the names of every generation, and the ones that do not fit. */
#include "rig.h"

#define MODEL                                                                                      \
    "{\"class_name\":\"Sequential\",\"config\":[{\"class_name\":\"Dense\",\"config\":{\"name\":"   \
    "\"a\",\"units\":2,\"batch_input_shape\":[null,2]}},{\"class_name\":\"Dense\",\"config\":{"    \
    "\"name\":\"f\",\"units\":2,\"trainable\":false}},{\"class_name\":\"Dense\",\"config\":{"      \
    "\"name\":\"b\",\"units\":2,\"use_bias\":false}}]}"

static const rig_weight weights[] = {
    {"a", "a/kernel:0", {2, 2}, 1, IA_F32}, {"a", "a/bias:0", {2}, 2, IA_F32},
    {"f", "f/kernel:0", {2, 2}, 3, IA_F32}, {"f", "f/bias:0", {2}, 4, IA_F32},
    {"b", "b/kernel:0", {2, 2}, 5, IA_F32},
};

#define TRAINING(optimizer)                                                                        \
    "{\"optimizer_config\":{\"class_name\":\"" optimizer "\",\"config\":{\"lr\":0.5}},\"loss\":"   \
    "\"mse\",\"metrics\":[\"acc\"],\"loss_weights\":null}"

#define KERNEL(name, start)                                                                        \
    {                                                                                              \
        "", name, {2, 2}, start, IA_F32                                                            \
    }
#define BIAS(name, start)                                                                          \
    {                                                                                              \
        "", name, {2}, start, IA_F32                                                               \
    }
#define ONE(name, start)                                                                           \
    {                                                                                              \
        "", name, {1}, start, IA_F32                                                               \
    }

static ia_model *read_with(const char *training, const rig_weight *moments, size_t n)
{
    rig_file f = {.version = "2.2.4",
                  .model = MODEL,
                  .training = training,
                  .weights = weights,
                  .count = IA_COUNT(weights),
                  .moments = moments,
                  .moment_count = n};
    return rig_read(&f);
}

static float slot(const ia_model *m, const char *layer, const char *variable, size_t k)
{
    const ia_variable *v = ia_layer_variable(ia_model_layer(m, layer), variable);
    assert_non_null(v->slots.slot[k].buffer);
    assert_true(ia_shape_equal(&v->slots.slot[k].shape, &v->value.shape));
    return *(const float *)ia_array_data(&v->slots.slot[k]);
}

/* m of a/kernel, a/bias, b/kernel are 10, 20, 30; v are 110, 120, 130. */
static void check_adam(const rig_weight *moments, size_t n, uint64_t step)
{
    ia_model *m = read_with(TRAINING("Adam"), moments, n);
    assert_null(json_object_get(m->meta, IA_META_NOTES));
    assert_true(slot(m, "a", "kernel", 0) == 10 && slot(m, "a", "kernel", 1) == 110);
    assert_true(slot(m, "a", "bias", 0) == 20 && slot(m, "a", "bias", 1) == 120);
    assert_true(slot(m, "b", "kernel", 0) == 30 && slot(m, "b", "kernel", 1) == 130);
    const ia_variable *frozen = ia_layer_variable(ia_model_layer(m, "f"), "kernel");
    assert_string_equal(frozen->slots.optimizer, "");
    const ia_variable *live = ia_layer_variable(ia_model_layer(m, "b"), "kernel");
    assert_string_equal(live->slots.optimizer, "adam");
    assert_true(live->slots.step == step && m->step == step);
    assert_null(live->slots.slot[2].buffer);
    ia_model *again = rig_again(m); /* in our own place */
    rig_same_model(m, again);
    assert_true(again->step == step);
    ia_model_free(again);
    ia_model_free(m);
}

static void test_spellings(void **state)
{
    static const rig_weight keras3[] = {{"", "adam/iteration", {0}, 7, IA_I32},
                                        {"", "adam/learning_rate", {0}, 9, IA_F32},
                                        KERNEL("adam/sequential_a_kernel_momentum", 10),
                                        KERNEL("adam/sequential_a_kernel_velocity", 110),
                                        BIAS("adam/sequential_a_bias_momentum", 20),
                                        BIAS("adam/sequential_a_bias_velocity", 120),
                                        KERNEL("adam/sequential_b_kernel_momentum", 30),
                                        KERNEL("adam/sequential_b_kernel_velocity", 130)};
    static const rig_weight newer[] = {
        {"", "iteration:0", {0}, 7, IA_I64}, {"", "current_learning_rate:0", {0}, 9, IA_F32},
        KERNEL("Adam/m/a/kernel:0", 10),     KERNEL("Adam/v/a/kernel:0", 110),
        BIAS("Adam/m/a/bias:0", 20),         BIAS("Adam/v/a/bias:0", 120),
        KERNEL("Adam/m/b/kernel:0", 30),     KERNEL("Adam/v/b/kernel:0", 130)};
    static const rig_weight middle[] = {
        {"", "training_4/Adam/iter:0", {0}, 7, IA_I64}, KERNEL("training_4/Adam/a/kernel/m:0", 10),
        BIAS("training_4/Adam/a/bias/m:0", 20),         KERNEL("training_4/Adam/b/kernel/m:0", 30),
        KERNEL("training_4/Adam/a/kernel/v:0", 110),    BIAS("training_4/Adam/a/bias/v:0", 120),
        KERNEL("training_4/Adam/b/kernel/v:0", 130)};
    static const rig_weight older[] = {
        {"", "Adam/iterations:0", {0}, 7, IA_I64}, KERNEL("training/Adam/Variable:0", 10),
        BIAS("training/Adam/Variable_1:0", 20),    KERNEL("training/Adam/Variable_2:0", 30),
        KERNEL("training/Adam/Variable_3:0", 110), BIAS("training/Adam/Variable_4:0", 120),
        KERNEL("training/Adam/Variable_5:0", 130), ONE("training/Adam/Variable_6:0", 0),
        ONE("training/Adam/Variable_7:0", 0),      ONE("training/Adam/Variable_8:0", 0)};
    (void)state;
    check_adam(keras3, IA_COUNT(keras3), 7);
    check_adam(newer, IA_COUNT(newer), 7);
    check_adam(middle, IA_COUNT(middle), 7);
    check_adam(older, IA_COUNT(older), 7);
    check_adam(older + 1, IA_COUNT(older) - 1, 0); /* Keras 2.0 kept no count for some */
}

static void test_amsgrad(void **state)
{
    static const rig_weight moments[] = {
        {"", "iteration", {0}, 3, IA_I64},   KERNEL("adam/a_kernel_momentum", 1),
        KERNEL("adam/a_kernel_velocity", 2), BIAS("adam/a_bias_momentum", 3),
        BIAS("adam/a_bias_velocity", 4),     KERNEL("adam/b_kernel_momentum", 5),
        KERNEL("adam/b_kernel_velocity", 6), KERNEL("adam/a_kernel_velocity_hat", 7),
        BIAS("adam/a_bias_velocity_hat", 8), KERNEL("adam/b_kernel_velocity_hat", 9)};
    (void)state;
    ia_model *m = read_with(TRAINING("Custom>Adam"), moments, IA_COUNT(moments));
    assert_true(slot(m, "a", "bias", 0) == 3 && slot(m, "a", "bias", 1) == 4);
    assert_true(slot(m, "a", "bias", 2) == 8 && slot(m, "b", "kernel", 2) == 9);
    ia_model_free(m);
}

/* Slots that an optimizer does not use leave no gap. */
static void test_rmsprop(void **state)
{
    static const rig_weight centered[] = {{"", "iteration", {0}, 3, IA_I64},
                                          KERNEL("rmsprop/a_kernel_velocity", 1),
                                          KERNEL("rmsprop/a_kernel_average_gradient", 2),
                                          BIAS("rmsprop/a_bias_velocity", 3),
                                          BIAS("rmsprop/a_bias_average_gradient", 4),
                                          KERNEL("rmsprop/b_kernel_velocity", 5),
                                          KERNEL("rmsprop/b_kernel_average_gradient", 6)};
    static const rig_weight plain[] = {KERNEL("training/RMSprop/Variable:0", 1),
                                       BIAS("training/RMSprop/Variable_1:0", 3),
                                       KERNEL("training/RMSprop/Variable_2:0", 5)};
    (void)state;
    ia_model *m = read_with(TRAINING("RMSprop"), centered, IA_COUNT(centered));
    assert_true(slot(m, "b", "kernel", 0) == 5 && slot(m, "b", "kernel", 1) == 6);
    ia_model_free(m);
    m = read_with(TRAINING("RMSprop"), plain, IA_COUNT(plain));
    assert_true(slot(m, "b", "kernel", 0) == 5);
    assert_null(ia_model_layer(m, "b")->variables[0].slots.slot[1].buffer);
    ia_model_free(m);
}

/* Plain SGD has a count and nothing else. */
static void test_sgd(void **state)
{
    static const rig_weight moments[] = {{"", "SGD/iter:0", {0}, 40, IA_I64}};
    (void)state;
    ia_model *m = read_with(TRAINING("SGD"), moments, 1);
    const ia_variable *v = &ia_model_layer(m, "a")->variables[0];
    assert_string_equal(v->slots.optimizer, "sgd");
    assert_true(v->slots.step == 40);
    assert_null(v->slots.slot[0].buffer);
    ia_model *again = rig_again(m);
    rig_same_model(m, again);
    ia_model_free(again);
    ia_model_free(m);
}

/* ---- what does not fit is left out, and said ---- */

static void check_left_out(const char *training, const rig_weight *moments, size_t n,
                           const char *note)
{
    ia_model *m = read_with(training, moments, n);
    const json_t *notes = json_object_get(m->meta, IA_META_NOTES);
    assert_int_equal(json_array_size(notes), 1);
    const char *have = json_string_value(json_array_get(notes, 0));
    if (!strstr(have, note))
        fail_msg("\"%s\" does not contain \"%s\"", have, note);
    assert_string_equal(ia_model_layer(m, "a")->variables[0].slots.optimizer, "");
    ia_model *again = rig_again(m);
    assert_null(json_object_get(again->meta, IA_META_NOTES)); /* notes are not saved */
    ia_model_free(again);
    ia_model_free(m);
}

static void test_left_out(void **state)
{
    static const rig_weight few[] = {KERNEL("adam/a_kernel_momentum", 1),
                                     KERNEL("adam/a_kernel_velocity", 2)};
    static const rig_weight shape[] = {
        KERNEL("adam/a_kernel_momentum", 1), KERNEL("adam/a_kernel_velocity", 2),
        KERNEL("adam/a_bias_momentum", 3),   KERNEL("adam/a_bias_velocity", 4),
        KERNEL("adam/b_kernel_momentum", 5), KERNEL("adam/b_kernel_velocity", 6)};
    static const rig_weight swapped[] = {/* the flags were other ones when it trained */
                                         KERNEL("adam/b_kernel_momentum", 1),
                                         BIAS("adam/a_bias_momentum", 3),
                                         KERNEL("adam/a_kernel_momentum", 5)};
    (void)state;
    check_left_out(
        TRAINING("Adam"), few, 2,
        "the optimizer state of the file (2 arrays) does not fit the 3 trainable weights");
    check_left_out(TRAINING("Adam"), shape, 6, "(6 arrays) does not fit the 3 trainable weights");
    check_left_out(TRAINING("Adam"), swapped, 3, "does not fit");
    check_left_out(TRAINING("Lion"), few, 2, "the state of the optimizer 'Lion' is left out");
}

static void test_damaged(void **state)
{
    rig_file f = {.version = "2.2.4",
                  .model = MODEL,
                  .training = "[1]",
                  .weights = weights,
                  .count = IA_COUNT(weights)};
    (void)state;
    rig_refused(&f, INARCH_BAD_FILE,
                "the compile state of the file (training_config) is not an object");
    f.training = "{";
    rig_refused(&f, INARCH_BAD_FILE, "training_config");
}

/* ---- the compile state ---- */

static void check_compile(const char *training, const char *optimizer, const char *loss,
                          const char *metrics)
{
    ia_model *m = read_with(training, NULL, 0), *again = rig_again(m);
    const ia_model *both[] = {m, again};
    for (int i = 0; i < 2; i++) {
        char *have = json_dumps(both[i]->compile.optimizer, JSON_COMPACT | JSON_SORT_KEYS);
        assert_string_equal(have, optimizer);
        free(have);
        have = json_dumps(both[i]->compile.loss, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
        assert_string_equal(have, loss);
        free(have);
        have =
            json_dumps(both[i]->compile.metrics, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
        assert_string_equal(have ? have : "", metrics);
        free(have);
    }
    ia_model_free(m);
    ia_model_free(again);
}

static void test_compile(void **state)
{
    (void)state;
    check_compile(TRAINING("Custom>Adam"),
                  "{\"class_name\":\"Adam\",\"config\":{\"learning_rate\":0.5}}",
                  "\"mean_squared_error\"", "[\"acc\"]");
    check_compile(
        "{\"optimizer_config\":{\"class_name\":\"SGD\",\"config\":{\"learning_rate\":0.5}},"
        "\"loss\":{\"class_name\":\"function\",\"config\":\"mae\"},\"metrics\":[[{"
        "\"class_name\":\"MeanMetricWrapper\",\"config\":{\"name\":\"accuracy\",\"fn\":"
        "\"binary_accuracy\"}}]]}",
        "{\"class_name\":\"SGD\",\"config\":{\"learning_rate\":0.5}}", "\"mean_absolute_error\"",
        "[\"binary_accuracy\"]");
    check_compile(
        "{\"optimizer_config\":{\"class_name\":\"Lion\",\"config\":{\"x\":1}},\"loss\":[\"mse\","
        "\"my_loss\"],\"metrics\":{\"b\":[\"mae\"]}}",
        "{\"class_name\":\"Lion\",\"config\":{\"x\":1}}", "[\"mean_squared_error\",\"my_loss\"]",
        "{\"b\":[\"mae\"]}");
}

/* What is written after reading `training`: the optimizer's configuration with sorted keys. */
static void check_written(const char *training, const char *config)
{
    ia_model *m = read_with(training, NULL, 0);
    ia_model *again = rig_again(m);
    char *have = json_dumps(json_object_get(again->compile.optimizer, "config"),
                            JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(have, config);
    free(have);
    ia_model_free(again);
    ia_model_free(m);
}

#define OPTIMIZER(name, config)                                                                    \
    "{\"optimizer_config\":{\"class_name\":\"" name "\",\"config\":" config "},\"loss\":\"mse\"}"

/* Keras 3 refuses some settings of tf_keras, and both have defaults that differ from "nothing". */
static void test_written_settings(void **state)
{
    (void)state;
    check_written(OPTIMIZER("SGD",
                            "{\"lr\":0.5,\"decay\":0.25,\"name\":\"SGD\",\"jit_compile\":true,"
                            "\"is_legacy_optimizer\":true,\"clipnorm\":null}"),
                  "{\"decay\":0.25,\"learning_rate\":0.5}");
    check_written(OPTIMIZER("Nadam", "{\"lr\":0.5,\"schedule_decay\":0.004,\"decay\":0.0}"),
                  "{\"learning_rate\":0.5}");
    check_written(OPTIMIZER("Custom>AdamW", "{\"learning_rate\":0.5,\"weight_decay\":0.0}"),
                  "{\"learning_rate\":0.5,\"weight_decay\":0.0}");
    check_written(OPTIMIZER("Adam", "{\"learning_rate\":0.5,\"weight_decay\":0.0,"
                                    "\"use_ema\":false,\"ema_momentum\":0.5}"),
                  "{\"learning_rate\":0.5}");
    check_written(OPTIMIZER("Adam", "{\"use_ema\":true,\"ema_momentum\":0.5}"),
                  "{\"ema_momentum\":0.5,\"use_ema\":true}");
    check_written(OPTIMIZER("Adam", "{\"learning_rate\":{\"class_name\":\"ExponentialDecay\","
                                    "\"config\":{\"decay_rate\":0.5,\"name\":null}}}"),
                  "{\"learning_rate\":{\"class_name\":\"ExponentialDecay\","
                  "\"config\":{\"decay_rate\":0.5}}}");
}

/* tf_keras writes its wrappers of functions, which Keras 3 cannot open. */
static void test_weighted_metrics(void **state)
{
    (void)state;
    ia_model *m = read_with(
        "{\"optimizer_config\":{\"class_name\":\"SGD\",\"config\":{}},\"loss\":\"mse\","
        "\"weighted_metrics\":[[{\"class_name\":\"MeanMetricWrapper\",\"config\":{\"name\":\"mse\","
        "\"fn\":\"mean_squared_error\"}},\"auc\"]]}",
        NULL, 0);
    ia_model *again = rig_again(m);
    char *have =
        json_dumps(json_object_get(again->compile.source, "weighted_metrics"), JSON_COMPACT);
    assert_string_equal(have, "[\"mean_squared_error\",\"AUC\"]");
    free(have);
    ia_model_free(again);
    ia_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spellings),        cmocka_unit_test(test_amsgrad),
        cmocka_unit_test(test_rmsprop),          cmocka_unit_test(test_sgd),
        cmocka_unit_test(test_left_out),         cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_compile),          cmocka_unit_test(test_written_settings),
        cmocka_unit_test(test_weighted_metrics),
    };
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
