/* Initialisers: limits and moments that twenty draws of real Keras kept, and two exact rules. */
#include "test.h"

#include <math.h>

#include "parity.h"

#include "nn/initializer.h"

#define DRAWS 20

static ia_shape shape_of(const json_t *list)
{
    ia_shape s = {.rank = (int)json_array_size(list)};
    for (int i = 0; i < s.rank; i++)
        s.dim[i] = json_integer_value(json_array_get(list, (size_t)i));
    return s;
}

/* As Keras writes it: {"class_name", "config"}. */
static bool read_initializer(parity *p, const json_t *c, ia_initializer *out)
{
    inarch_error err;
    json_t *v = json_pack("{s:O, s:O}", "class_name", json_object_get(c, "initializer"), "config",
                          json_object_get(c, "options"));
    assert_non_null(v);
    bool ok = parity_ok(p, ia_initializer_from_json(v, out, &err), &err, "reading");
    json_decref(v);
    return ok;
}

/* DRAWS tensors one behind the other. */
static float *draw(const ia_initializer *init, const ia_shape *shape, size_t *n)
{
    inarch_error err;
    size_t one;
    assert_true(ia_shape_count(shape, &one));
    *n = DRAWS * one;
    float *values = malloc(*n * sizeof *values);
    assert_non_null(values);
    for (size_t k = 0; k < DRAWS; k++)
        assert_ok(
            ia_initializer_fill(init, shape, ia_random_key_of(k, 5, 0), values + k * one, &err),
            err);
    return values;
}

static void check_limits(parity *p, const json_t *c, const float *x, size_t n)
{
    double least = (double)x[0], most = least;
    for (size_t i = 1; i < n; i++) {
        least = fmin(least, (double)x[i]);
        most = fmax(most, (double)x[i]);
    }
    if (least < ia_json_double(c, "min", -INFINITY) - 1e-6)
        complain(p, "the least is %g", least);
    if (most > ia_json_double(c, "max", INFINITY) + 1e-6)
        complain(p, "the largest is %g", most);
    /* A uniform distribution fills its range: a wrong fan would leave a gap. */
    double stddev = ia_json_double(c, "stddev", 0);
    if (strcmp(ia_json_string(c, "distribution", ""), "uniform") == 0 &&
        most < ia_json_double(c, "max", 0) - 0.1 * stddev)
        complain(p, "the largest is only %g", most);
}

static void check_moments(parity *p, const json_t *c, const float *x, size_t n)
{
    double mean = 0, square = 0, want = ia_json_double(c, "stddev", 0);
    for (size_t i = 0; i < n; i++)
        mean += (double)x[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        square += ((double)x[i] - mean) * ((double)x[i] - mean) / (double)n;
    double allowed = 5 * fmax(want, 1e-9) / sqrt((double)n) + 1e-6;
    parity_difference(p, "mean", fabs(mean - ia_json_double(c, "mean", 0)), allowed);
    parity_difference(p, "standard deviation", fabs(sqrt(square) - want), allowed);
}

static void check_case(parity *p, const json_t *c)
{
    ia_initializer init;
    size_t n;
    if (!read_initializer(p, c, &init))
        return;
    ia_shape shape = shape_of(json_object_get(c, "shape"));
    float *x = draw(&init, &shape, &n);
    check_limits(p, c, x, n);
    check_moments(p, c, x, n);
    free(x);
}

/* transpose(W) W = gain^2 I for rows >= columns */
static void check_orthogonal(parity *p, const float *w, size_t rows, size_t cols, double gain)
{
    for (size_t a = 0; a < cols; a++)
        for (size_t b = 0; b < cols; b++) {
            double dot = 0;
            for (size_t r = 0; r < rows; r++)
                dot += (double)w[r * cols + a] * (double)w[r * cols + b];
            parity_difference(p, "W'W", fabs(dot - (a == b ? gain * gain : 0)), 1e-5);
        }
}

static void check_exact(parity *p, const json_t *c)
{
    ia_initializer init;
    size_t n;
    if (!read_initializer(p, c, &init))
        return;
    ia_shape shape = shape_of(json_object_get(c, "shape"));
    const json_t *values = json_object_get(c, "values");
    float *x = draw(&init, &shape, &n);
    for (size_t i = 0; i < json_array_size(values); i++)
        parity_number(p, "value", (double)x[i], json_number_value(json_array_get(values, i)), 0);
    if (!values) {
        assert_string_equal(json_string_value(json_object_get(c, "initializer")), "Orthogonal");
        check_orthogonal(p, x, (size_t)shape.dim[0], (size_t)shape.dim[1],
                         ia_json_double(json_object_get(c, "options"), "gain", 1));
    }
    free(x);
}

static void test_initializers(void **state)
{
    (void)state;
    parity p = parity_open("initializers", NULL);
    parity_each(&p, "cases", check_case);
    parity_each(&p, "exact", check_exact);
    parity_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_initializers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
