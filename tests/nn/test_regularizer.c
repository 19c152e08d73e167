/* Regularisers: spellings of Keras 1, 2 and 3, and loss and gradient by hand. */
#include "test.h"

#include "nn/regularizer.h"

#include <math.h>

static void check(ia_regularizer r, float l1, float l2, int given, const char *text)
{
    char out[64];
    assert_near(r.l1, l1, 0);
    assert_near(r.l2, l2, 0);
    assert_int_equal(r.given, given);
    ia_regularizer_to_text(&r, out, sizeof out);
    assert_string_equal(out, text);
}

static void test_text(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        float l1, l2;
        int given;
        const char *out;
    } cases[] = {
        {"none", 0, 0, 0, "none"},
        {"l1", 0.01f, 0, 1, "l1(0.01)"},
        {"l2", 0, 0.01f, 1, "l2(0.01)"},
        {"l2(0.5)", 0, 0.5f, 1, "l2(0.5)"},
        {"L1(0.5)", 0.5f, 0, 1, "l1(0.5)"},
        {"l1_l2", 0.01f, 0.01f, 1, "l1_l2(0.01,0.01)"},
        {"l1_l2(l1=0.1,l2=0.2)", 0.1f, 0.2f, 1, "l1_l2(0.1,0.2)"},
        {"l1_l2(l2=0.2)", 0, 0.2f, 1, "l2(0.2)"},
        {"l2(0)", 0, 0, 1, "l2(0)"},
    };
    for (size_t i = 0; i < IA_COUNT(cases); i++) {
        ia_regularizer r;
        inarch_error err;
        assert_ok(ia_regularizer_from_text(cases[i].in, &r, &err), err);
        check(r, cases[i].l1, cases[i].l2, cases[i].given, cases[i].out);
    }
}

static void test_json(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        float l1, l2;
        const char *out;
    } cases[] = {
        {"{\"module\":\"keras.regularizers\",\"class_name\":\"L2\",\"config\":{\"l2\":0.01},"
         "\"registered_name\":null}",
         0, 0.01f, "l2(0.01)"},
        {"{\"class_name\":\"L1L2\",\"config\":{\"l1\":0.0,\"l2\":0.0001}}", 0, 1e-4f, "l2(0.0001)"},
        {"{\"name\":\"WeightRegularizer\",\"l1\":0.0,\"l2\":0.5}", 0, 0.5f, "l2(0.5)"},
        {"{\"name\":\"L1L2Regularizer\",\"l1\":0.25,\"l2\":0.5}", 0.25f, 0.5f, "l1_l2(0.25,0.5)"},
        {"\"l1\"", 0.01f, 0, "l1(0.01)"},
        {"{\"class_name\":\"L1\",\"config\":{\"l1\":0.125}}", 0.125f, 0, "l1(0.125)"},
    };
    for (size_t i = 0; i < IA_COUNT(cases); i++) {
        ia_regularizer r, again;
        inarch_error err;
        json_t *v = json_loads(cases[i].in, JSON_DECODE_ANY, NULL), *back;
        assert_ok(ia_regularizer_from_json(v, &r, &err), err);
        check(r, cases[i].l1, cases[i].l2, 1, cases[i].out);
        assert_ok(ia_regularizer_to_json(&r, &back, &err), err);
        assert_string_equal(json_string_value(json_object_get(back, "class_name")), "L1L2");
        assert_ok(ia_regularizer_from_json(back, &again, &err), err);
        check(again, cases[i].l1, cases[i].l2, 1, cases[i].out);
        json_decref(v);
        json_decref(back);
    }
    ia_regularizer r;
    json_t *back;
    inarch_error err;
    assert_ok(ia_regularizer_from_json(NULL, &r, &err), err);
    check(r, 0, 0, 0, "none");
    assert_ok(ia_regularizer_to_json(&r, &back, &err), err);
    assert_true(json_is_null(back));
    r = (ia_regularizer){.l2 = 0.01f, .given = 1}; /* 0.01, not 0.00999999977 */
    assert_ok(ia_regularizer_to_json(&r, &back, &err), err);
    assert_true(json_real_value(json_object_get(json_object_get(back, "config"), "l2")) == 0.01);
    json_decref(back);
}

static void test_errors(void **state)
{
    (void)state;
    ia_regularizer r;
    inarch_error err;
    assert_int_equal(ia_regularizer_from_text("l3", &r, &err), INARCH_BAD_ARGUMENT);
    assert_string_equal(err.message, "unknown regularizer 'l3'");
    assert_int_equal(ia_regularizer_from_text("l2(-1)", &r, &err), INARCH_BAD_ARGUMENT);
    assert_string_equal(err.message,
                        "regularizer 'l2': l2 must be at least 0 and at most 3e+38, not -1");
    assert_int_equal(ia_regularizer_from_text("l2(x)", &r, &err), INARCH_BAD_ARGUMENT);
    assert_string_equal(err.message, "regularizer 'l2': l2 'x' is not a number");
    json_t *v = json_pack("{s:s, s:{}}", "class_name", "OrthogonalRegularizer", "config");
    assert_int_equal(ia_regularizer_from_json(v, &r, &err), INARCH_UNSUPPORTED);
    assert_string_equal(err.message, "unknown regularizer 'OrthogonalRegularizer'");
    json_decref(v);
    v = json_integer(3);
    assert_int_equal(ia_regularizer_from_json(v, &r, &err), INARCH_UNSUPPORTED);
    json_decref(v);
}

static void test_values(void **state)
{
    (void)state;
    ia_regularizer r = {.l1 = 0.5f, .l2 = 0.25f, .given = 1}, off = {.given = 1};
    static const float w[] = {1, -2, 0, 3};
    float g[] = {1, 1, 1, 1};
    assert_true(ia_regularizer_active(&r));
    assert_false(ia_regularizer_active(&off));
    assert_near(ia_regularizer_loss(&r, 4, w), 0.5 * 6 + 0.25 * 14, 0);
    assert_near(ia_regularizer_loss(&off, 4, w), 0, 0);
    assert_near(ia_regularizer_loss(&r, 0, w), 0, 0);
    ia_regularizer_grad(&r, 4, 2, w, g);
    assert_near(g[0], 1 + 2 * (0.5 + 0.5), 0);
    assert_near(g[1], 1 + 2 * (-0.5 - 1), 0);
    assert_near(g[2], 1, 0);
    assert_near(g[3], 1 + 2 * (0.5 + 1.5), 0);
}

/* The tree over blocks gives the sum, whatever the size. */
static void test_sizes(void **state)
{
    (void)state;
    ia_regularizer r = {.l2 = 1, .given = 1};
    float *w = malloc(1000 * sizeof *w);
    assert_non_null(w);
    double sum = 0;
    for (size_t n = 0; n < 1000; n++) {
        w[n] = (float)(n % 7) - 3;
        assert_near(ia_regularizer_loss(&r, n, w), sum, 0);
        sum += (double)(w[n] * w[n]);
    }
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),   cmocka_unit_test(test_json),  cmocka_unit_test(test_errors),
        cmocka_unit_test(test_values), cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
