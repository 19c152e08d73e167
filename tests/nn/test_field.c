/* Fields: text and JSON in, JSON and text out, for every type; and every field of every layer. */
#include "test.h"

#include "nn/activation_field.h"
#include "nn/layer.h"

#include <math.h>

typedef struct config {
    int64_t whole;
    float real, cap;
    int flag;
    ia_ints list;
    ia_floats reals;
    ia_activation activation;
    ia_initializer initializer;
    ia_regularizer regularizer;
    ia_constraint constraint;
} config;

#define AT(member) .offset = offsetof(config, member)
static const ia_field fields[] = {
    {.key = "whole",
     .aliases = "old_whole|w",
     .type = IA_FIELD_INT,
     AT(whole),
     .min = 1,
     .max = 100,
     .fallback = "3"},
    {.key = "real", .type = IA_FIELD_FLOAT, AT(real), .min = 0, .max = 1, .fallback = "0.5"},
    {.key = "cap",
     .type = IA_FIELD_FLOAT,
     AT(cap),
     .max = INFINITY,
     .fallback = "none",
     .none = INFINITY},
    {.key = "flag", .type = IA_FIELD_BOOL, AT(flag), .fallback = "true"},
    {.key = "list", .type = IA_FIELD_INTS, AT(list), .fallback = "-1"},
    {.key = "reals", .type = IA_FIELD_FLOATS, AT(reals), .fallback = "0"},
    {.key = "activation", .type = IA_FIELD_ACTIVATION, AT(activation), .fallback = "linear"},
    {.key = "initializer",
     .type = IA_FIELD_INITIALIZER,
     AT(initializer),
     .fallback = "glorot_uniform"},
    {.key = "regularizer", .type = IA_FIELD_REGULARIZER, AT(regularizer), .fallback = "none"},
    {.key = "constraint", .type = IA_FIELD_CONSTRAINT, AT(constraint), .fallback = "none"},
};

static const ia_field *find(const char *key)
{
    const ia_field *f = ia_field_find(fields, IA_COUNT(fields), key);
    assert_non_null(f);
    return f;
}

static json_t *parse(const char *text)
{
    json_error_t e;
    json_t *v = json_loads(text, JSON_DECODE_ANY, &e);
    if (!v)
        fail_msg("test JSON: %s: %s", e.text, text);
    return v;
}

static char *field_json(const ia_field *f, const config *c)
{
    inarch_error err;
    json_t *v;
    assert_ok(ia_field_to_json(f, c, &v, &err), err);
    char *text =
        json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(9));
    json_decref(v);
    return text;
}

/* text -> value -> text and JSON -> value -> text */
static void check_text(const char *key, const char *text, const char *back, const char *json)
{
    config c;
    inarch_error err;
    char out[128];
    const ia_field *f = find(key);
    ia_fields_default(fields, IA_COUNT(fields), &c);
    assert_ok(ia_field_set_text(f, &c, text, "dense_1", &err), err);
    ia_field_to_text(f, &c, out, sizeof out);
    assert_string_equal(out, back);
    char *written = field_json(f, &c);
    assert_string_equal(written, json);
    config again;
    json_t *v = parse(written);
    ia_fields_default(fields, IA_COUNT(fields), &again);
    assert_ok(ia_field_set_json(f, &again, v, 3, "dense_1", &err), err);
    ia_field_to_text(f, &again, out, sizeof out);
    assert_string_equal(out, back);
    json_decref(v);
    free(written);
}

static void check_json(const char *key, const char *json, int generation, const char *back)
{
    config c;
    inarch_error err;
    char out[128];
    json_t *v = parse(json);
    ia_fields_default(fields, IA_COUNT(fields), &c);
    assert_ok(ia_field_set_json(find(key), &c, v, generation, "dense_1", &err), err);
    ia_field_to_text(find(key), &c, out, sizeof out);
    assert_string_equal(out, back);
    json_decref(v);
}

static void refuse_text(const char *key, const char *text, const char *message, const char *hint)
{
    config c;
    inarch_error err = {0};
    ia_fields_default(fields, IA_COUNT(fields), &c);
    config before = c;
    assert_int_equal(ia_field_set_text(find(key), &c, text, "dense_1", &err), INARCH_BAD_ARGUMENT);
    assert_string_equal(err.message, message);
    assert_string_equal(err.subject, "dense_1");
    if (hint)
        assert_string_equal(err.hint, hint);
    assert_memory_equal(&c, &before, sizeof c); /* untouched */
    assert_int_equal(ia_field_set_text(find(key), &c, text, "dense_1", NULL), INARCH_BAD_ARGUMENT);
}

static void refuse_json(const char *key, const char *json, inarch_status status,
                        const char *message)
{
    config c;
    inarch_error err = {0};
    json_t *v = parse(json);
    ia_fields_default(fields, IA_COUNT(fields), &c);
    config before = c;
    assert_int_equal(ia_field_set_json(find(key), &c, v, 3, "dense_1", &err), status);
    assert_string_equal(err.message, message);
    assert_memory_equal(&c, &before, sizeof c);
    json_decref(v);
}

static void test_find(void **state)
{
    (void)state;
    assert_ptr_equal(find("w"), &fields[0]);
    assert_ptr_equal(find("old_whole"), &fields[0]);
    assert_null(ia_field_find(fields, IA_COUNT(fields), "who"));
    assert_null(ia_field_find(fields, IA_COUNT(fields), ""));
}

static void test_numbers(void **state)
{
    (void)state;
    check_text("whole", "42", "42", "42");
    check_json("whole", "64.0", 1, "64");
    check_json("whole", "[7]", 2, "7"); /* tf.keras: axis of BatchNormalization */
    check_text("real", "0.1", "0.1", "0.1");
    check_text("cap", "6", "6", "6.0");
    check_text("cap", "none", "none", "null");
    check_json("cap", "null", 3, "none");
    check_json("real", "{\"type\":\"ndarray\",\"config\":{\"value\":0.25}}", 2, "0.25");
    check_text("flag", "false", "false", "false");
    check_json("flag", "1", 1, "true");
    refuse_text("whole", "0", "'dense_1': whole must be at least 1 and at most 100, not 0", NULL);
    refuse_text("whole", "3.5", "'dense_1': whole must be a whole number, not '3.5'", NULL);
    refuse_text("whole", "", "'dense_1': whole must be a whole number, not ''", NULL);
    refuse_text("real", "1.5", "'dense_1': real must be at least 0 and at most 1, not 1.5", NULL);
    refuse_text("real", "nan", "'dense_1': real must be at least 0 and at most 1, not nan", NULL);
    refuse_text("cap", "-1", "'dense_1': cap must be at least 0, not -1", NULL);
    refuse_text("flag", "maybe", "'dense_1': flag must be true or false, not 'maybe'", NULL);
    refuse_json("whole", "\"5\"", INARCH_UNSUPPORTED,
                "'dense_1': whole must be a whole number, not \"5\"");
    refuse_json("whole", "2.5", INARCH_UNSUPPORTED,
                "'dense_1': whole must be a whole number, not 2.5");
    refuse_json("whole", "500", INARCH_BAD_ARGUMENT,
                "'dense_1': whole must be at least 1 and at most 100, not 500");
    refuse_json("real", "{}", INARCH_UNSUPPORTED, "'dense_1': real must be a number, not {}");
    refuse_json("flag", "[]", INARCH_UNSUPPORTED, "'dense_1': flag must be true or false, not []");
}

static void test_lists(void **state)
{
    (void)state;
    check_text("list", "28x28", "28x28", "[28,28]");
    check_text("list", "(3,4)", "3x4", "[3,4]");
    check_text("list", "[3,4]", "3x4", "[3,4]");
    check_text("list", "(64,)", "64", "[64]");
    check_text("list", "-1x7", "-1x7", "[-1,7]");
    check_text("list", "none", "none", "null");
    check_json("list", "5", 3, "5");
    check_json("list", "[null,3]", 3, "-1x3");
    check_json("list", "[]", 3, "none");
    check_text("reals", "[0.1,-2,3]", "[0.1,-2,3]", "[0.1,-2.0,3.0]");
    check_text("reals", "0.00392156863", "0.003921569", "0.003921569");
    check_json("reals", "[1,2.5]", 3, "[1,2.5]");
    refuse_text("list", "3x", "'dense_1': list must be whole numbers such as 28x28, not '3x'",
                NULL);
    refuse_text("list", "1x2x3x4x5x6x7x8x9",
                "'dense_1': list must be whole numbers such as 28x28, not '1x2x3x4x5x6x7x8x9'",
                NULL);
    refuse_text("list", "(3,4", "'dense_1': list must be whole numbers such as 28x28, not '(3,4'",
                NULL);
    refuse_text("reals", "", "'dense_1': reals must be a number or up to 8 of them, not ''", NULL);
    refuse_json("list", "[[1]]", INARCH_UNSUPPORTED,
                "'dense_1': list must be whole numbers, not [[1]]");
    refuse_json("list", "[1,2,3,4,5,6,7,8,9]", INARCH_UNSUPPORTED,
                "'dense_1': list must be at most 8 whole numbers, not [1,2,3,4,5,6,7,8,9]");
    refuse_json("reals", "[\"a\"]", INARCH_UNSUPPORTED,
                "'dense_1': reals must be a number or up to 8 of them, not [\"a\"]");
}

static void test_activations(void **state)
{
    (void)state;
    check_text("activation", "relu", "relu", "\"relu\"");
    check_text("activation", "none", "linear", "\"linear\"");
    check_text("activation", "leaky_relu", "leaky_relu", "\"leaky_relu\"");
    check_text("activation", "leaky_relu(negative_slope=0.1)", "leaky_relu(0.1)",
               "{\"class_name\":\"LeakyReLU\",\"config\":{\"alpha\":0.1,\"name\":\"leaky_relu\"},"
               "\"module\":\"keras.layers\",\"registered_name\":null}");
    check_text("activation", "relu(0,6)", "relu(0,6)",
               "{\"class_name\":\"ReLU\",\"config\":{\"max_value\":6.0,\"name\":\"relu\","
               "\"negative_slope\":0.0,\"threshold\":0.0},\"module\":\"keras.layers\","
               "\"registered_name\":null}");
    check_text("activation", "elu(2)", "elu(2)",
               "{\"class_name\":\"ELU\",\"config\":{\"alpha\":2.0,\"name\":\"elu\"},"
               "\"module\":\"keras.layers\",\"registered_name\":null}");
    check_json("activation", "null", 3, "linear");
    check_json("activation", "\"swish\"", 2, "silu");
    check_json("activation", "\"softmax_v2\"", 2, "softmax");
    check_json("activation",
               "{\"module\":\"builtins\",\"class_name\":\"function\",\"config\":\"tanh\","
               "\"registered_name\":\"function\"}",
               3, "tanh");
    check_json("activation",
               "{\"class_name\":\"LeakyReLU\",\"config\":{\"name\":\"x\",\"alpha\":0.1}}", 2,
               "leaky_relu(0.1)");
    check_json("activation", "{\"class_name\":\"LeakyReLU\",\"config\":{}}", 3, "leaky_relu(0.3)");
    check_json("activation", "{\"class_name\":\"ReLU\",\"config\":{\"max_value\":null}}", 3,
               "relu");
    refuse_text("activation", "rellu", "'dense_1': activation: unknown activation 'rellu'",
                "did you mean 'relu'?");
    refuse_text("activation", "relu(", "'dense_1': activation: activation 'relu(' cannot be read",
                NULL);
    refuse_text(
        "activation", "leaky_relu(-1)",
        "'dense_1': activation: activation 'leaky_relu': negative_slope must be at least 0, not "
        "-1",
        NULL);
    refuse_text("activation", "tanh(3)",
                "'dense_1': activation: activation 'tanh' takes at most 0 parameters", NULL);
    refuse_text("activation", "elu(beta=3)",
                "'dense_1': activation: activation 'elu' has no parameter 'beta'", "alpha");
    refuse_json("activation", "\"my_relu\"", INARCH_UNSUPPORTED,
                "'dense_1': activation: unknown activation 'my_relu'");
    refuse_json("activation", "7", INARCH_UNSUPPORTED,
                "'dense_1': activation: an activation is neither a name nor an object with a "
                "class_name");
    refuse_json(
        "activation", "{\"class_name\":\"Softmax\",\"config\":{\"axis\":1}}", INARCH_UNSUPPORTED,
        "'dense_1': activation: activation 'Softmax' over another axis than the last is not "
        "computed inside a layer");
}

/* clip(0.2 x + 0.5) up to Keras 2, clip(x / 6 + 0.5) in Keras 3. */
static void test_hard_sigmoid(void **state)
{
    (void)state;
    ia_activation a;
    inarch_error err;
    json_t *v = parse("\"hard_sigmoid\""), *back;
    for (int generation = 1; generation <= 3; generation++) {
        assert_ok(ia_activation_from_json(v, generation, &a, &err), err);
        assert_near(a.param[0], generation < 3 ? 0.2 : 1.0 / 6, 1e-7);
        assert_near(a.param[1], 0.5, 0);
        assert_ok(ia_activation_to_json(&a, &back, &err), err);
        assert_string_equal(json_string_value(back), "hard_sigmoid");
        json_decref(back);
    }
    json_decref(v);
    assert_ok(ia_activation_from_text("threshold(2)", &a, &err), err); /* Keras 3 has only ReLU's */
    assert_ok(ia_activation_to_json(&a, &back, &err), err);
    assert_string_equal(json_string_value(json_object_get(back, "class_name")), "ReLU");
    assert_ok(ia_activation_from_json(back, 3, &a, &err), err);
    assert_near(a.param[2], 2, 0);
    json_decref(back);
    assert_ok(ia_activation_from_text("threshold(2,1)", &a, &err), err);
    assert_int_equal(ia_activation_to_json(&a, &back, &err), INARCH_UNSUPPORTED);
    assert_ok(ia_activation_from_text("gelu(approximate=true)", &a, &err), err);
    assert_near(a.param[0], 1, 0);
    assert_int_equal(ia_activation_to_json(&a, &back, &err), INARCH_UNSUPPORTED);
    assert_string_equal(err.message, "activation 'gelu(1)' has no form in Keras' files");
}

static void test_default(void **state)
{
    (void)state;
    config c;
    inarch_error err;
    memset(&c, 0xff, sizeof c);
    ia_fields_default(fields, IA_COUNT(fields), &c);
    for (size_t i = 0; i < IA_COUNT(fields); i++)
        assert_true(ia_field_is_default(&fields[i], &c));
    static const char *const other[] = {"4",     "0.25", "6",     "false",     "2x2",
                                        "[1,2]", "tanh", "zeros", "l2(0.001)", "non_neg"};
    for (size_t i = 0; i < IA_COUNT(fields); i++) {
        assert_ok(ia_field_set_text(&fields[i], &c, other[i], "x", &err), err);
        assert_false(ia_field_is_default(&fields[i], &c));
    }
}

/* Every field of every layer: its default reads, prints and survives JSON. */
static void test_all_layers(void **state)
{
    (void)state;
    inarch_error err;
    for (size_t i = 0; i < ia_layer_class_count(); i++) {
        const ia_layer_class *cls = ia_layer_class_at(i);
        ia_layer *l;
        assert_ok(ia_layer_new(cls, "x", &l, &err), err);
        for (size_t k = 0; k < cls->field_count; k++) {
            const ia_field *f = &cls->fields[k];
            char text[128], again[128];
            json_t *v;
            assert_non_null(f->help);
            assert_ptr_equal(ia_field_find(cls->fields, cls->field_count, f->key), f);
            if (!f->fallback)
                continue;
            assert_true(ia_field_is_default(f, l->config));
            ia_field_to_text(f, l->config, text, sizeof text);
            assert_ok(ia_field_to_json(f, l->config, &v, &err), err);
            assert_ok(ia_field_set_json(f, l->config, v, 3, "x", &err), err);
            ia_field_to_text(f, l->config, again, sizeof again);
            assert_string_equal(text, again);
            assert_ok(ia_field_set_text(f, l->config, text, "x", &err), err);
            json_decref(v);
        }
        ia_layer_free(l);
    }
}

static void test_parse_call(void **state)
{
    (void)state;
    char name[8], args[16];
    assert_true(ia_parse_call("l2(0.01)", name, sizeof name, args, sizeof args));
    assert_string_equal(name, "l2");
    assert_string_equal(args, "0.01");
    assert_true(ia_parse_call("relu", name, sizeof name, args, sizeof args));
    assert_string_equal(args, "");
    assert_true(ia_parse_call("f()", name, sizeof name, args, sizeof args));
    assert_string_equal(args, "");
    assert_true(ia_parse_call("f(g(1),2)", name, sizeof name, args, sizeof args));
    assert_string_equal(args, "g(1),2");
    static const char *const bad[] = {
        "", "(1)", "f(", "f)", "f(1))", "f(1)x", "f((1)", "toolongname", "f(12345678901234567890)"};
    for (size_t i = 0; i < IA_COUNT(bad); i++)
        if (ia_parse_call(bad[i], name, sizeof name, args, sizeof args))
            fail_msg("'%s' was read", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),         cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_lists),        cmocka_unit_test(test_activations),
        cmocka_unit_test(test_hard_sigmoid), cmocka_unit_test(test_default),
        cmocka_unit_test(test_all_layers),   cmocka_unit_test(test_parse_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
