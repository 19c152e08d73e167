/* Which weight of a file is whose: names of every generation, nested models, files whose scopes do
 * not tell, and what is said when nothing fits. */
#include "rig.h"

#include "formats/keras/keras_h5.h"

#define DENSE(name, in, units)                                                                     \
    "{\"class_name\":\"Dense\",\"config\":{\"name\":\"" name "\",\"units\":" #units                \
    ",\"batch_input_shape\":[null," #in "]}}"
#define SEQUENTIAL(name, layers)                                                                   \
    "{\"class_name\":\"Sequential\",\"config\":{\"name\":\"" name "\",\"layers\":[" layers "]}}"

static const char one_dense[] = SEQUENTIAL("m", DENSE("d", 2, 3));

/* ---- one layer ---- */

static void test_spellings(void **state)
{
    static const char *const names[][2] = {
        {"d/kernel:0", "d/bias:0"},
        {"m/d/kernel", "m/d/bias"},
        {"d_W", "d_b"},
        {"d_W:0", "d_b:0"},
        {"global/shared/d_W:0", "x/d_b:0"},
        {"kernel", "bias"},
        {"d_2/kernel:0", "d_2/bias:0"}, /* a graph made twice */
        {"bias:0", "kernel:0"},         /* the order is not looked at */
    };
    (void)state;
    for (size_t i = 0; i < IA_COUNT(names); i++) {
        bool swapped = strcmp(names[i][0], "bias:0") == 0;
        rig_weight w[2] = {{"d", names[i][0], {2, 3}, 10, IA_F32},
                           {"d", names[i][1], {3}, 20, IA_F32}};
        if (swapped) {
            memcpy(w[0].dim, (int64_t[4]){3}, sizeof w[0].dim);
            memcpy(w[1].dim, (int64_t[4]){2, 3}, sizeof w[1].dim);
        }
        rig_file f = {.version = "2.2.4", .model = one_dense, .weights = w, .count = 2};
        ia_model *m = rig_read(&f);
        assert_true(rig_first(m, "d", "kernel") == (swapped ? 20 : 10));
        assert_true(rig_first(m, "d", "bias") == (swapped ? 10 : 20));
        ia_model_free(m);
    }
}

static void test_dtypes(void **state)
{
    static const ia_dtype dtypes[] = {IA_F64, IA_F16, IA_I8, IA_I32, IA_I64};
    (void)state;
    for (size_t i = 0; i < IA_COUNT(dtypes); i++) {
        rig_weight w[] = {{"d", "d/kernel:0", {2, 3}, 10, dtypes[i]},
                          {"d", "d/bias:0", {3}, 20, dtypes[i]}};
        rig_file f = {.version = "2.2.4", .model = one_dense, .weights = w, .count = 2};
        ia_model *m = rig_read(&f);
        assert_true(rig_first(m, "d", "kernel") == 10);
        assert_true(rig_first(m, "d", "bias") == 20);
        ia_model_free(m);
    }
}

/* Names of other writers: shapes tell, because they differ. */
static void test_shapes_decide(void **state)
{
    rig_weight w[] = {{"d", "param_0", {2, 3}, 10, IA_F32}, {"d", "param_1", {3}, 20, IA_F32}};
    rig_file f = {.version = "2.2.4", .model = one_dense, .weights = w, .count = 2};
    (void)state;
    ia_model *m = rig_read(&f);
    assert_true(rig_first(m, "d", "kernel") == 10);
    assert_true(rig_first(m, "d", "bias") == 20);
    ia_model_free(m);
}

static void test_shapes_do_not_decide(void **state)
{
    rig_weight w[] = {{"bn", "p0", {3}, 10, IA_F32},
                      {"bn", "p1", {3}, 20, IA_F32},
                      {"bn", "p2", {3}, 30, IA_F32},
                      {"bn", "p3", {3}, 40, IA_F32}};
    rig_file f = {.version = "2.2.4",
                  .model = SEQUENTIAL("m", "{\"class_name\":\"BatchNormalization\",\"config\":{"
                                           "\"name\":\"bn\",\"batch_input_shape\":[null,3]}}"),
                  .weights = w,
                  .count = 4};
    (void)state;
    rig_refused(
        &f, INARCH_BAD_FILE,
        "layer 'bn' (BatchNormalization): neither names nor shapes tell which weight of the "
        "file is its gamma of shape (3,)");
}

static void test_batch_normalization_of_keras_1(void **state)
{
    rig_weight w[] = {{"bn", "bn_gamma", {3}, 10, IA_F32},
                      {"bn", "bn_beta", {3}, 20, IA_F32},
                      {"bn", "bn_running_mean", {3}, 30, IA_F32},
                      {"bn", "bn_running_std", {3}, 40, IA_F32}};
    rig_file f = {.model =
                      "{\"class_name\":\"Sequential\",\"config\":[{\"class_name\":"
                      "\"BatchNormalization\",\"config\":{\"name\":\"bn\",\"mode\":0,\"axis\":-1,"
                      "\"epsilon\":1e-05,\"batch_input_shape\":[null,3]}}]}",
                  .weights = w,
                  .count = 4};
    (void)state;
    ia_model *m = rig_read(&f);
    assert_true(rig_first(m, "bn", "moving_mean") == 30);
    assert_true(rig_first(m, "bn", "moving_variance") == 40);
    assert_int_equal(m->generation, 1);
    ia_model_free(m);
}

/* ---- what does not fit ---- */

static void test_wrong_shape(void **state)
{
    rig_weight w[] = {{"d", "d/kernel:0", {2, 4}, 10, IA_F32}, {"d", "d/bias:0", {3}, 20, IA_F32}};
    rig_file f = {.version = "2.2.4", .model = one_dense, .weights = w, .count = 2};
    (void)state;
    rig_refused(
        &f, INARCH_BAD_FILE,
        "layer 'd' (Dense) needs kernel of shape (2, 3), but the weight 'd/kernel' of the file "
        "has shape (2, 4)");
}

static void test_missing(void **state)
{
    rig_weight w[] = {{"d", "d/kernel:0", {2, 3}, 10, IA_F32}};
    rig_file f = {.version = "2.2.4", .model = one_dense, .weights = w, .count = 1};
    (void)state;
    rig_refused(&f, INARCH_BAD_FILE, "layer 'd' (Dense): the file has no 'bias'");
    rig_weight other[] = {{"e", "e/kernel:0", {2, 3}, 10, IA_F32}};
    f.weights = other;
    rig_refused(&f, INARCH_BAD_FILE, "layer 'd' (Dense) has no weights in the file");
    f.group = "elsewhere";
    rig_refused(&f, INARCH_BAD_FILE, "the file has a model but no weights");
}

static void test_too_many(void **state)
{
    rig_weight w[] = {{"d", "d/kernel:0", {2, 3}, 10, IA_F32},
                      {"d", "d/bias:0", {3}, 20, IA_F32},
                      {"d", "d/scale:0", {1}, 30, IA_F32},
                      {"e", "e/kernel:0", {1}, 30, IA_F32}};
    rig_file f = {.version = "2.2.4", .model = one_dense, .weights = w, .count = 3};
    (void)state;
    rig_refused(&f, INARCH_BAD_FILE,
                "layer 'd' (Dense) has no place for the weight 'd/scale' of the file");
    rig_weight far[] = {w[0], w[1], w[3]};
    f.weights = far;
    rig_refused(&f, INARCH_BAD_FILE,
                "the file has weights of a layer 'e', which is not in its model");
}

/* ---- nested models ---- */

#define THREE                                                                                      \
    SEQUENTIAL("m", SEQUENTIAL("base", DENSE("a", 4, 4) "," DENSE("b", 4, 4) "," DENSE("c", 4, 4)))

#define PAIR(prefix, n, start)                                                                     \
    {"base", prefix "kernel" n, {4, 4}, start, IA_F32},                                            \
    {                                                                                              \
        "base", prefix "bias" n, {4}, start + 1, IA_F32                                            \
    }

static void check_three(const rig_weight *w)
{
    rig_file f = {.version = "2.2.4", .model = THREE, .weights = w, .count = 6};
    ia_model *m = rig_read(&f);
    assert_true(rig_first(m, "base/a", "kernel") == 10);
    assert_true(rig_first(m, "base/b", "kernel") == 20);
    assert_true(rig_first(m, "base/c", "kernel") == 30);
    assert_true(rig_first(m, "base/b", "bias") == 21);
    ia_model_free(m);
}

/* Equal shapes, whatever order the flags left behind. */
static void test_nested_by_scope(void **state)
{
    (void)state;
    check_three((rig_weight[]){PAIR("a/", ":0", 10), PAIR("b/", ":0", 20), PAIR("c/", ":0", 30)});
    check_three((rig_weight[]){PAIR("b/", ":0", 20), PAIR("c/", ":0", 30), PAIR("a/", ":0", 10)});
    check_three(
        (rig_weight[]){PAIR("base/c/", "", 30), PAIR("base/a/", "", 10), PAIR("base/b/", "", 20)});
    check_three((rig_weight[]){PAIR("m/base/c/", "", 30), PAIR("m/base/a/", "", 10),
                               PAIR("m/base/b/", "", 20)});
}

static void test_nested_keras_1(void **state)
{
    rig_weight w[] = {{"base", "b_W", {4, 4}, 20, IA_F32}, {"base", "b_b", {4}, 21, IA_F32},
                      {"base", "a_W", {4, 4}, 10, IA_F32}, {"base", "a_b", {4}, 11, IA_F32},
                      {"base", "c_W", {4, 4}, 30, IA_F32}, {"base", "c_b", {4}, 31, IA_F32}};
    (void)state;
    check_three(w);
}

/* A graph made twice in one session numbers every scope anew: the order of the file is Keras' own.
 */
static void test_nested_renumbered(void **state)
{
    (void)state;
    check_three(
        (rig_weight[]){PAIR("a_1/", ":0", 10), PAIR("b_1/", ":0", 20), PAIR("c_1/", ":0", 30)});
}

static void test_nested_does_not_decide(void **state)
{
    rig_weight w[] = {PAIR("a/", ":0", 10), PAIR("x/", ":0", 20), PAIR("c/", ":0", 30)};
    memcpy(w[2].dim, (int64_t[4]){4}, sizeof w[2].dim); /* the order does not fit either */
    memcpy(w[3].dim, (int64_t[4]){4, 4}, sizeof w[3].dim);
    rig_file f = {.version = "2.2.4", .model = THREE, .weights = w, .count = 6};
    (void)state;
    rig_refused(&f, INARCH_BAD_FILE,
                "layer 'b' (Dense) in 'base' has 2 weights, but 0 of the file bear its name");
    f.count = 4;
    rig_refused(&f, INARCH_BAD_FILE,
                "layer 'b' (Dense) in 'base' has 2 weights, but 0 of the file bear its name");
}

/* One name is the beginning of another, and the same name is in two models. */
static void test_nested_names_overlap(void **state)
{
    static const char model[] = SEQUENTIAL(
        "m", SEQUENTIAL("base",
                        SEQUENTIAL("one", DENSE("d", 4, 4) "," DENSE("d_1", 4, 4)) "," SEQUENTIAL(
                            "two", DENSE("d", 4, 4) "," DENSE("d_1", 4, 4))));
    rig_weight w[] = {PAIR("base/two/d_1/", "", 40), PAIR("base/one/d/", "", 10),
                      PAIR("base/two/d/", "", 30), PAIR("base/one/d_1/", "", 20)};
    rig_file f = {.version = "3.0.0", .model = model, .weights = w, .count = 8};
    (void)state;
    ia_model *m = rig_read(&f);
    assert_true(rig_first(m, "base/one/d", "kernel") == 10);
    assert_true(rig_first(m, "base/one/d_1", "kernel") == 20);
    assert_true(rig_first(m, "base/two/d", "bias") == 31);
    assert_true(rig_first(m, "base/two/d_1", "bias") == 41);
    ia_model_free(m);
}

/* ---- opaque layers, and what stands above them ---- */

static void test_opaque(void **state)
{
    static const char model[] =
        SEQUENTIAL("m", "{\"class_name\":\"Conv1D\",\"config\":{\"name\":\"c\",\"trainable\":false,"
                        "\"batch_input_shape\":[null,9,2]}},"
                        "{\"class_name\":\"Flatten\",\"config\":{\"name\":\"f\"}},"
                        "{\"class_name\":\"Dense\",\"config\":{\"name\":\"d\",\"units\":3}}");
    rig_weight w[] = {{"c", "c/kernel:0", {3, 2, 5}, 10, IA_F16},
                      {"c", "c/step:0", {0}, 7, IA_I64},
                      {"d", "d/kernel:0", {40, 3}, 20, IA_F32},
                      {"d", "d/bias:0", {3}, 30, IA_F32}};
    rig_file f = {.version = "2.3.0", .model = model, .weights = w, .count = 4};
    (void)state;
    ia_model *m = rig_read(&f);
    const ia_layer *c = ia_model_layer(m, "c"), *d = ia_model_layer(m, "d");
    assert_ptr_equal(c->cls, &ia_layer_opaque);
    assert_string_equal(c->class_name, "Conv1D");
    assert_int_equal(c->variables[0].value.dtype, IA_F16);
    assert_int_equal(c->variables[1].value.dtype, IA_I64);
    assert_true(c->variables[0].trainable && !c->variables[1].trainable);
    assert_true(d->built); /* its input is known by its kernel alone */
    assert_true(rig_first(m, "d", "kernel") == 20);
    ia_model *again = rig_again(m);
    rig_same_model(m, again);
    ia_model_free(again);
    ia_model_free(m);
}

/* ---- weights into a model that is there ---- */

static void test_load_weights(void **state)
{
    inarch_error err;
    rig_weight w[] = {{"d", "d/kernel:0", {2, 3}, 10, IA_F32}, {"d", "d/bias:0", {3}, 20, IA_F32}};
    rig_file f = {.version = "2.2.4", .model = one_dense, .weights = w, .count = 2};
    (void)state;
    ia_model *m = rig_read(&f);
    w[0].start = 100;
    rig_file only = {.version = "2.2.4", .group = "", .weights = w, .count = 2};
    const char *path = rig_path("weights.h5");
    rig_write(path, &only);
    assert_ok(ia_keras_load_weights(m, path, &err), err);
    assert_true(rig_first(m, "d", "kernel") == 100);
    assert_true(rig_first(m, "d", "bias") == 20);

    w[0].start = 200; /* nothing changes when something is missing */
    only.count = 1;
    rig_write(path, &only);
    assert_int_equal(ia_keras_load_weights(m, path, &err), INARCH_BAD_FILE);
    assert_non_null(strstr(err.message, "the file has no 'bias'"));
    assert_true(rig_first(m, "d", "kernel") == 100);

    rig_file none = {.version = "2.2.4", .model = one_dense, .group = "x/y"};
    rig_write(path, &none);
    assert_int_equal(ia_keras_load_weights(m, path, &err), INARCH_UNSUPPORTED);
    assert_non_null(strstr(err.message, "does not hold weights of layers"));
    unlink(path);
    assert_int_equal(ia_keras_load_weights(m, path, &err), INARCH_IO);
    ia_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spellings),
        cmocka_unit_test(test_dtypes),
        cmocka_unit_test(test_shapes_decide),
        cmocka_unit_test(test_shapes_do_not_decide),
        cmocka_unit_test(test_batch_normalization_of_keras_1),
        cmocka_unit_test(test_wrong_shape),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_nested_by_scope),
        cmocka_unit_test(test_nested_keras_1),
        cmocka_unit_test(test_nested_renumbered),
        cmocka_unit_test(test_nested_does_not_decide),
        cmocka_unit_test(test_nested_names_overlap),
        cmocka_unit_test(test_opaque),
        cmocka_unit_test(test_load_weights),
    };
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
