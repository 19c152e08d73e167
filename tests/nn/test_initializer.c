/* Initialisers: names of all generations, JSON, and the distributions that Keras documents. */
#include "test.h"

#include "nn/initializer.h"

#include <math.h>

static ia_initializer from_text(const char *text)
{
    ia_initializer i;
    inarch_error err;
    assert_ok(ia_initializer_from_text(text, &i, &err), err);
    return i;
}

static ia_initializer from_json(const char *text)
{
    ia_initializer i;
    inarch_error err;
    json_error_t e;
    json_t *v = json_loads(text, JSON_DECODE_ANY, &e);
    assert_non_null(v);
    assert_ok(ia_initializer_from_json(v, &i, &err), err);
    json_decref(v);
    return i;
}

static void check_name(const ia_initializer *i, const char *want)
{
    char text[96];
    ia_initializer_to_text(i, text, sizeof text);
    assert_string_equal(text, want);
}

static float *fill(const char *text, int rank, const int64_t *dim, size_t *n)
{
    ia_initializer i = from_text(text);
    ia_shape shape = ia_shape_of(rank, dim);
    inarch_error err;
    assert_true(ia_shape_count(&shape, n));
    float *out = malloc((*n + 1) * sizeof *out);
    assert_non_null(out);
    out[*n] = 77;
    assert_ok(ia_initializer_fill(&i, &shape, ia_random_key_of(1, 2, 3), out, &err), err);
    assert_near(out[*n], 77, 0);
    return out;
}

static void moments(size_t n, const float *x, double *mean, double *stddev, double *top)
{
    *mean = *stddev = *top = 0;
    for (size_t i = 0; i < n; i++) {
        *mean += (double)x[i] / (double)n;
        *top = fmax(*top, fabs((double)x[i]));
    }
    for (size_t i = 0; i < n; i++)
        *stddev += pow((double)x[i] - *mean, 2) / (double)n;
    *stddev = sqrt(*stddev);
}

static void test_names(void **state)
{
    (void)state;
    static const char *const same[][2] = {{"zeros", "Zeros"},
                                          {"zero", "zeros"},
                                          {"one", "ones"},
                                          {"normal", "random_normal"},
                                          {"uniform", "random_uniform"},
                                          {"GlorotUniform", "glorot_uniform"},
                                          {"glorotuniformV2", "glorot_uniform"},
                                          {"HeNormal", "he_normal"},
                                          {"OrthogonalInitializer", "orthogonal"},
                                          {"IdentityInitializer", "identity"},
                                          {"LecunUniform", "lecun_uniform"},
                                          {"VarianceScaling", "variance_scaling"}};
    for (size_t i = 0; i < IA_COUNT(same); i++) {
        ia_initializer a = from_text(same[i][0]), b = from_text(same[i][1]);
        assert_ptr_equal(a.cls, b.cls);
    }
    for (size_t i = 0; i < ia_initializer_count(); i++) {
        ia_initializer a = from_text(ia_initializer_name_at(i));
        check_name(&a, ia_initializer_name_at(i));
    }
}

static void test_json(void **state)
{
    (void)state;
    ia_initializer i = from_json("{\"class_name\":\"VarianceScaling\",\"config\":{\"scale\":2.0,"
                                 "\"mode\":\"fan_avg\",\"distribution\":\"normal\",\"seed\":null,"
                                 "\"dtype\":\"float32\"}}");
    check_name(&i, "variance_scaling(2,fan_avg)");
    i = from_json("{\"module\":\"keras.initializers\",\"class_name\":\"RandomUniform\",\"config\":"
                  "{\"minval\":-0.1,\"maxval\":0.2,\"seed\":5},\"registered_name\":null}");
    check_name(&i, "random_uniform(-0.1,0.2)");
    i = from_json("\"uniform\"");
    check_name(&i, "random_uniform");
    i = from_json("null");
    assert_null(i.cls);
    i = from_json("{\"class_name\":\"Constant\",\"config\":{\"value\":3}}");
    check_name(&i, "constant(3)");

    static const char *const written[][2] = {
        {"glorot_uniform", "{\"class_name\":\"GlorotUniform\",\"config\":{\"seed\":null}}"},
        {"zeros", "{\"class_name\":\"Zeros\",\"config\":{}}"},
        {"constant(0.5)", "{\"class_name\":\"Constant\",\"config\":{\"value\":0.5}}"},
        {"random_normal(0,0.1)", "{\"class_name\":\"RandomNormal\",\"config\":{\"mean\":0.0,"
                                 "\"stddev\":0.1,\"seed\":null}}"},
        {"variance_scaling(2,fan_out,uniform)",
         "{\"class_name\":\"VarianceScaling\",\"config\":{\"scale\":2.0,\"mode\":\"fan_out\","
         "\"distribution\":\"uniform\",\"seed\":null}}"},
        {"orthogonal", "{\"class_name\":\"Orthogonal\",\"config\":{\"gain\":1.0,\"seed\":null}}"}};
    for (size_t k = 0; k < IA_COUNT(written); k++) {
        inarch_error err;
        json_t *v;
        i = from_text(written[k][0]);
        assert_ok(ia_initializer_to_json(&i, &v, &err), err);
        char *text = json_dumps(v, JSON_COMPACT | JSON_REAL_PRECISION(15));
        assert_string_equal(text, written[k][1]);
        ia_initializer again;
        assert_ok(ia_initializer_from_json(v, &again, &err), err);
        assert_memory_equal(&again, &i, sizeof i);
        free(text);
        json_decref(v);
    }
}

static void test_errors(void **state)
{
    (void)state;
    ia_initializer i;
    inarch_error err;
    assert_int_equal(ia_initializer_from_text("glorot_unifrom", &i, &err), INARCH_BAD_ARGUMENT);
    assert_string_equal(err.message, "unknown initializer 'glorot_unifrom'");
    assert_string_equal(err.hint, "did you mean 'glorot_uniform'?");
    assert_int_equal(ia_initializer_from_text("random_normal(0,-1)", &i, &err),
                     INARCH_BAD_ARGUMENT);
    assert_string_equal(err.message,
                        "initializer 'random_normal': stddev must be at least 0, not -1");
    assert_int_equal(ia_initializer_from_text("variance_scaling(1,fan)", &i, &err),
                     INARCH_BAD_ARGUMENT);
    assert_string_equal(err.message, "initializer 'variance_scaling': mode 'fan' is not one of "
                                     "fan_in|fan_out|fan_avg");
    assert_int_equal(ia_initializer_from_text("zeros(1)", &i, &err), INARCH_BAD_ARGUMENT);
    json_t *v = json_pack("{s:s, s:{}}", "class_name", "MyInit", "config");
    assert_int_equal(ia_initializer_from_json(v, &i, &err), INARCH_UNSUPPORTED);
    assert_string_equal(err.message, "unknown initializer 'MyInit'");
    json_decref(v);
    v = json_pack("{s:s, s:{s:[i]}}", "class_name", "HeNormal", "config", "input_axes", 1);
    assert_int_equal(ia_initializer_from_json(v, &i, &err), INARCH_UNSUPPORTED);
    json_decref(v);
    float out[8];
    ia_shape vector = ia_shape_1(8);
    i = from_text("orthogonal");
    assert_int_equal(ia_initializer_fill(&i, &vector, (ia_random_key){{0, 0}}, out, &err),
                     INARCH_BAD_ARGUMENT);
    assert_string_equal(
        err.message,
        "initializer 'orthogonal' needs at least two axes, not a variable of shape (8,)");
    i = from_text("identity");
    assert_int_equal(ia_initializer_fill(&i, &vector, (ia_random_key){{0, 0}}, out, &err),
                     INARCH_BAD_ARGUMENT);
}

/* name, the standard deviation for (300, 200), the bound that no value passes */
static void test_distributions(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        double mean, stddev, bound;
    } cases[] = {
        {"glorot_uniform", 0, 0.063245553, 0.10954452}, /* sqrt(2/500), sqrt(6/500) */
        {"glorot_normal", 0, 0.063245553, 0.14380111},  /* 2 sqrt(2/500) / .87962566 */
        {"he_uniform", 0, 0.081649658, 0.14142136},     /* sqrt(2/300), sqrt(6/300) */
        {"he_normal", 0, 0.081649658, 0.18564639},
        {"lecun_uniform", 0, 0.057735027, 0.1}, /* sqrt(1/300), sqrt(3/300) */
        {"lecun_normal", 0, 0.057735027, 0.13127183},
        {"random_normal", 0, 0.05, 1},
        {"random_normal(1,0.5)", 1, 0.5, 5},
        {"random_uniform", 0, 0.028867513, 0.05},
        {"random_uniform(0,1)", 0.5, 0.28867513, 1},
        {"truncated_normal(0,1)", 0, 0.87962566, 2},
        {"variance_scaling(3,fan_out,uniform)", 0, 0.12247449, 0.21213203},
        {"variance_scaling(3,fan_out,untruncated_normal)", 0, 0.12247449, 2},
        {"constant(-2)", -2, 0, 2},
        {"zeros", 0, 0, 0},
        {"ones", 1, 0, 1},
    };
    for (size_t k = 0; k < IA_COUNT(cases); k++) {
        size_t n;
        double mean, stddev, top;
        float *x = fill(cases[k].name, 2, (int64_t[]){300, 200}, &n);
        moments(n, x, &mean, &stddev, &top);
        if (fabs(mean - cases[k].mean) > 0.02 * (cases[k].stddev + 1e-9) ||
            fabs(stddev - cases[k].stddev) > 0.015 * (cases[k].stddev + 1e-9) ||
            top > cases[k].bound * (1 + 1e-6))
            fail_msg("%s: mean %g, standard deviation %g, largest %g", cases[k].name, mean, stddev,
                     top);
        free(x);
    }
    size_t n;
    double mean, stddev, top;
    float *x = fill("lecun_uniform", 4, (int64_t[]){3, 3, 8, 4}, &n); /* fan_in 72 */
    moments(n, x, &mean, &stddev, &top);
    assert_in_range((long)(top * 1e6), 190000, 204125); /* sqrt(3/72) = 0.204124 */
    free(x);
}

static void check_orthogonal(int64_t rows, int64_t cols)
{
    size_t n;
    float *q = fill("orthogonal(2)", 2, (int64_t[]){rows, cols}, &n);
    bool tall = rows >= cols;
    size_t vectors = (size_t)(tall ? cols : rows), length = (size_t)(tall ? rows : cols);
    for (size_t a = 0; a < vectors; a++)
        for (size_t b = 0; b < vectors; b++) {
            double dot = 0;
            for (size_t i = 0; i < length; i++)
                dot += tall ? (double)q[i * vectors + a] * (double)q[i * vectors + b]
                            : (double)q[a * length + i] * (double)q[b * length + i];
            assert_near(dot, a == b ? 4 : 0, 1e-5);
        }
    free(q);
}

static void test_matrices(void **state)
{
    (void)state;
    check_orthogonal(20, 7);
    check_orthogonal(7, 20);
    check_orthogonal(9, 9);
    check_orthogonal(1, 1);
    size_t n;
    float *x = fill("identity(3)", 2, (int64_t[]){2, 3}, &n);
    static const float want[] = {3, 0, 0, 0, 3, 0};
    assert_memory_equal(x, want, sizeof want);
    free(x);
    x = fill("glorot_uniform", 2, (int64_t[]){0, 4}, &n); /* nothing to fill */
    assert_int_equal(n, 0);
    free(x);
    x = fill("glorot_uniform", 0, (int64_t[]){0}, &n); /* one number */
    assert_int_equal(n, 1);
    assert_true(fabsf(x[0]) <= sqrtf(3));
    free(x);
}

/* Same key, same bytes; another key, other bytes. */
static void test_streams(void **state)
{
    (void)state;
    ia_initializer i = from_text("he_normal");
    ia_shape shape = ia_shape_1(50);
    float a[50], b[50], c[50];
    inarch_error err;
    assert_ok(ia_initializer_fill(&i, &shape, ia_random_key_of(0, 1, 2), a, &err), err);
    assert_ok(ia_initializer_fill(&i, &shape, ia_random_key_of(0, 1, 2), b, &err), err);
    assert_ok(ia_initializer_fill(&i, &shape, ia_random_key_of(0, 1, 3), c, &err), err);
    assert_memory_equal(a, b, sizeof a);
    assert_memory_not_equal(a, c, sizeof a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),    cmocka_unit_test(test_json),
        cmocka_unit_test(test_errors),   cmocka_unit_test(test_distributions),
        cmocka_unit_test(test_matrices), cmocka_unit_test(test_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
