/* Constraints: spellings, and projections by hand. */
#include "test.h"

#include "nn/constraint.h"

#include <math.h>

static ia_constraint from_text(const char *text)
{
    ia_constraint c;
    inarch_error err;
    assert_ok(ia_constraint_from_text(text, &c, &err), err);
    return c;
}

static void check_text(const char *in, const char *out, const char *json)
{
    char text[64];
    inarch_error err;
    json_t *v;
    ia_constraint c = from_text(in), again;
    ia_constraint_to_text(&c, text, sizeof text);
    assert_string_equal(text, out);
    assert_ok(ia_constraint_to_json(&c, &v, &err), err);
    char *written = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(9));
    assert_string_equal(written, json);
    assert_ok(ia_constraint_from_json(v, &again, &err), err);
    ia_constraint_to_text(&again, text, sizeof text);
    assert_string_equal(text, out);
    free(written);
    json_decref(v);
}

static void test_spelling(void **state)
{
    (void)state;
    check_text("none", "none", "null");
    check_text("max_norm", "max_norm",
               "{\"class_name\":\"MaxNorm\",\"config\":{\"max_value\":2.0,\"axis\":0}}");
    check_text("MaxNorm(3)", "max_norm(3)",
               "{\"class_name\":\"MaxNorm\",\"config\":{\"max_value\":3.0,\"axis\":0}}");
    check_text("max_norm(axis=1)", "max_norm(2,1)",
               "{\"class_name\":\"MaxNorm\",\"config\":{\"max_value\":2.0,\"axis\":1}}");
    check_text("nonneg", "non_neg", "{\"class_name\":\"NonNeg\",\"config\":{}}");
    check_text("unit_norm", "unit_norm", "{\"class_name\":\"UnitNorm\",\"config\":{\"axis\":0}}");
    check_text("min_max_norm(0.5,2,0.1)", "min_max_norm(0.5,2,0.1)",
               "{\"class_name\":\"MinMaxNorm\",\"config\":{\"min_value\":0.5,\"max_value\":2.0,"
               "\"rate\":0.1,\"axis\":0}}");
}

static void test_keras1(void **state)
{
    (void)state;
    ia_constraint c;
    inarch_error err;
    char text[64];
    json_t *v = json_pack("{s:s, s:i, s:i}", "name", "MaxNorm", "m", 4, "axis", 0);
    assert_ok(ia_constraint_from_json(v, &c, &err), err);
    ia_constraint_to_text(&c, text, sizeof text);
    assert_string_equal(text, "max_norm(4)");
    json_decref(v);
    v = json_string("maxnorm");
    assert_ok(ia_constraint_from_json(v, &c, &err), err);
    assert_near(c.param[0], 2, 0);
    json_decref(v);
}

static void test_errors(void **state)
{
    (void)state;
    ia_constraint c;
    inarch_error err;
    assert_int_equal(ia_constraint_from_text("max_nrom", &c, &err), INARCH_BAD_ARGUMENT);
    assert_string_equal(err.message, "unknown constraint 'max_nrom'");
    assert_string_equal(err.hint, "did you mean 'max_norm'?");
    assert_int_equal(ia_constraint_from_text("min_max_norm(rate=2)", &c, &err),
                     INARCH_BAD_ARGUMENT);
    assert_string_equal(err.message,
                        "constraint 'min_max_norm': rate must be at least 0 and at most 1, not 2");
    json_t *v = json_pack("{s:s, s:{s:[i,i]}}", "class_name", "MaxNorm", "config", "axis", 0, 1);
    assert_int_equal(ia_constraint_from_json(v, &c, &err), INARCH_UNSUPPORTED);
    assert_string_equal(err.message, "constraint 'max_norm': axis is not a plain number");
    json_decref(v);
    v = json_pack("{s:s, s:{}}", "class_name", "RadialConstraint", "config");
    assert_int_equal(ia_constraint_from_json(v, &c, &err), INARCH_UNSUPPORTED);
    json_decref(v);
}

static void test_fits(void **state)
{
    (void)state;
    ia_constraint c = from_text("max_norm(2,1)"), none = {0}, plain = from_text("non_neg");
    ia_shape vector = ia_shape_1(3), matrix = ia_shape_of(2, (int64_t[]){2, 2}), scalar = {0};
    assert_false(ia_constraint_fits(&c, &vector));
    assert_true(ia_constraint_fits(&c, &matrix));
    assert_true(ia_constraint_fits(&none, &scalar));
    assert_true(ia_constraint_fits(&plain, &scalar));
    c.axis = -2;
    assert_true(ia_constraint_fits(&c, &matrix));
    assert_false(ia_constraint_fits(&c, &vector));
}

/* Columns (3, 4) of norm 5 and (0, 1) of norm 1, as [2][2]. */
static void apply(const char *text, int axis, float *w)
{
    static const float start[] = {3, 0, 4, 1};
    ia_constraint c = from_text(text);
    ia_shape shape = ia_shape_of(2, (int64_t[]){2, 2});
    c.axis = axis;
    memcpy(w, start, sizeof start);
    ia_constraint_apply(&c, &shape, w);
}

static void test_apply(void **state)
{
    (void)state;
    float w[4];
    apply("max_norm(2)", 0, w);
    assert_near(w[0], 1.2, 1e-6); /* 3 * 2/5 */
    assert_near(w[2], 1.6, 1e-6);
    assert_near(w[3], 1, 1e-6);
    apply("max_norm(2)", 1, w); /* rows: 3, and (4, 1) of norm sqrt 17 */
    assert_near(w[0], 2, 1e-6);
    assert_near(w[2], 4 * 2 / sqrt(17), 1e-6);
    apply("unit_norm", -2, w);
    assert_near(w[0], 0.6, 1e-6);
    assert_near(w[3], 1, 1e-6);
    apply("min_max_norm(2,3,0.5)", 0, w); /* 5 -> 4, 1 -> 1.5 */
    assert_near(w[0], 3 * 0.8, 1e-6);
    assert_near(w[3], 1.5, 1e-6);
    apply("none", 0, w);
    assert_near(w[2], 4, 0);

    float v[] = {-1, 0, 2, NAN};
    ia_constraint c = from_text("non_neg");
    ia_shape shape = ia_shape_1(4);
    ia_constraint_apply(&c, &shape, v);
    assert_near(v[0], 0, 0);
    assert_near(v[2], 2, 0);
    assert_true(isnan(v[3]));
    float zero[2] = {0, 0}; /* no direction: stays 0 */
    c = from_text("unit_norm");
    shape = ia_shape_1(2);
    ia_constraint_apply(&c, &shape, zero);
    assert_near(zero[0], 0, 0);
    shape = ia_shape_of(2, (int64_t[]){0, 5});
    ia_constraint_apply(&c, &shape, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spelling), cmocka_unit_test(test_keras1),
        cmocka_unit_test(test_errors),   cmocka_unit_test(test_fits),
        cmocka_unit_test(test_apply),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
