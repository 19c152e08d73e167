/* exp, log, tanh, ... in single precision over a dense sample of all floats, against double; the
 * limits are those that fmath.h states. */
#include "kernel_test.h"

#include "kernels/fmath.h"

/* Distance in units in the last place of the right answer; 0 when both are the same special value.
 */
static double ulps(float y, double right)
{
    if (isnan(right) || isnan(y))
        return isnan(right) && isnan(y) ? 0 : INFINITY;
    if (isinf((float)right) || isinf(y))
        return (float)right == y ? 0 : INFINITY;
    int exponent;
    frexp(right, &exponent);
    double unit = ldexp(1, exponent - 24);
    return fabs(y - right) / fmax(unit, 0x1p-149);
}

static double sigmoid(double x)
{
    return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x));
}

static double softplus(double x)
{
    return x < 0 ? log1p(exp(x)) : x + log1p(exp(-x));
}

static const struct {
    const char *name;
    float (*f)(float);
    double (*right)(double);
    double limit;
} function[] = {
    {"exp", ia_expf, exp, 1.0},
    {"expm1", ia_expm1f, expm1, 1.3},
    {"log", ia_logf, log, 0.9},
    {"log1p", ia_log1pf, log1p, 0.9},
    {"tanh", ia_tanhf, tanh, 1.4},
    {"sigmoid", ia_sigmoidf, sigmoid, 2.5},
    {"softplus", ia_softplusf, softplus, 1.7},
    {"erf", ia_erff, erf, 1.3},
};

static void test_all_exponents(void **state)
{
    (void)state;
    for (size_t k = 0; k < IA_COUNT(function); k++)
        for (uint64_t b = 0; b < UINT64_C(1) << 32; b += 30011) {
            float x = ia_float((uint32_t)b), y = function[k].f(x);
            double error = ulps(y, function[k].right(x));
            if (!(error <= function[k].limit))
                fail_msg("%s(%a) = %a is %g ulp off", function[k].name, (double)x, (double)y,
                         error);
        }
}

/* Where the interesting things happen, every float of some stretches. */
static void test_stretches(void **state)
{
    (void)state;
    static const float start[] = {0.5f, 0.89f, 0.6f, 1.0f, 88.7f, 103.9f, 0.34657f, 9.0f, 3.94f};
    for (size_t k = 0; k < IA_COUNT(function); k++)
        for (size_t s = 0; s < 2 * IA_COUNT(start); s++)
            for (uint32_t i = 0; i < 2000; i++) {
                float x = ia_float(ia_bits(start[s / 2]) - 1000 + i);
                x = s % 2 ? -x : x;
                double error = ulps(function[k].f(x), function[k].right(x));
                if (!(error <= function[k].limit))
                    fail_msg("%s(%a) is %g ulp off", function[k].name, (double)x, error);
            }
}

static void test_special(void **state)
{
    (void)state;
    assert_true(ia_expf(-INFINITY) == 0 && ia_expf(INFINITY) == INFINITY && ia_expf(0) == 1);
    assert_true(ia_expm1f(-INFINITY) == -1 && ia_expm1f(INFINITY) == INFINITY);
    assert_true(ia_logf(0) == -INFINITY && ia_logf(INFINITY) == INFINITY && ia_logf(1) == 0);
    assert_true(isnan(ia_logf(-1)) && isnan(ia_log1pf(-2)) && ia_log1pf(-1) == -INFINITY);
    assert_true(ia_tanhf(INFINITY) == 1 && ia_tanhf(-INFINITY) == -1);
    assert_true(ia_sigmoidf(INFINITY) == 1 && ia_sigmoidf(-INFINITY) == 0 &&
                ia_sigmoidf(0) == 0.5f);
    assert_true(ia_softplusf(-INFINITY) == 0 && ia_softplusf(INFINITY) == INFINITY);
    assert_true(ia_erff(INFINITY) == 1 && ia_erff(-INFINITY) == -1);
    float zero = -0.0f;
    assert_true(signbit(ia_expm1f(zero)) && signbit(ia_log1pf(zero)) && signbit(ia_tanhf(zero)) &&
                signbit(ia_erff(zero)));
    for (size_t k = 0; k < IA_COUNT(function); k++)
        assert_true(isnan(function[k].f(NAN)));
}

static void test_turn(void **state)
{
    (void)state;
    for (uint64_t w = 0; w < UINT64_C(1) << 32; w += 99991) {
        float c, s;
        ia_turn((uint32_t)w, &c, &s);
        double angle = 2 * 3.14159265358979323846 * (double)w * 0x1p-32;
        assert_true(fabs(c - cos(angle)) < 1.6e-7 && fabs(s - sin(angle)) < 1.6e-7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_exponents),
        cmocka_unit_test(test_stretches),
        cmocka_unit_test(test_special),
        cmocka_unit_test(test_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
