/* The fast reading of a table's numbers: to the bit what the exact one gives, or left to it. */
#include "test.h"

#include "base/random.h"
#include "base/text.h"
#include "data/decimal.h"

#include <math.h>

#define TEXT 64

/* True when it was read here; then the value is that of the exact reader. */
static bool check_number(const char *text, const char *behind)
{
    uint8_t line[TEXT + 16] = {0};
    const uint8_t *at = line;
    size_t n = strlen(text);
    float got = 12345;
    double want;
    assert_true(n + strlen(behind) < TEXT);
    memcpy(line, text, n);
    memcpy(line + n, behind, strlen(behind));
    bool exact = ia_parse_double(text, n, &want);
    if (!ia_decimal_f32(&at, &got)) {
        assert_ptr_equal(at, line);
        assert_true(got == 12345);
        return false;
    }
    if (at != line + n) /* a part of it: the caller sees that no cell ends here */
        return false;
    float rounded = (float)want;
    if (!exact || memcmp(&got, &rounded, sizeof got) != 0)
        fail_msg("'%s' was read as %.9g, but is %.9g", text, (double)got, want);
    return true;
}

static void test_plain(void **state)
{
    (void)state;
    static const char *const plain[] = {
        "0",         "-0",        "1",         "-1",       "0.5",        ".5",
        "5.",        "-.25",      "00012",     "1e5",      "1E5",        "1e+5",
        "1e-05",     "-2.5e-3",   "255",       "12345678", "123456789",  "1234567.8",
        "0.1",       "0.2",       "0.3",       "3.14159",  "1e-30",      "1e16",
        "0e5",       "0.0",       "-0.0",      "16777216", "33554432.0", "0.000000000001",
        "9999999.9", "12345.678", "1.0000000", "99999999", "1e0016",     "1.7976931348623157",
    };
    for (size_t i = 0; i < IA_COUNT(plain); i++) {
        static const char *const behind[] = {"", ",1", "\n2", "\r\n", ";", "\t7", ",", "\xff\xff"};
        for (size_t k = 0; k < IA_COUNT(behind); k++)
            if (!check_number(plain[i], behind[k]))
                fail_msg("'%s' was not read", plain[i]);
    }
}

/* Nothing of this is a number of that kind as a whole. */
static void test_other(void **state)
{
    (void)state;
    static const char *const other[] = {
        "",
        "-",
        ".",
        "-.",
        "e5",
        "1e",
        "1e+",
        "1e-",
        "+1",
        "--1",
        "1.2.3",
        "1e5.5",
        "nan",
        "inf",
        "-inf",
        "NA",
        " 1",
        "1 ",
        "1_000",
        "0x10",
        "1e99",
        "1e-99",
        "1e17",
        "1e-33",
        "12345678901234567890",
        "1.2345678901234567890",
        "\"1\"",
        "1e00016",
        "Infinity",
        "١",
    };
    for (size_t i = 0; i < IA_COUNT(other); i++)
        if (check_number(other[i], ","))
            fail_msg("'%s' was read", other[i]);
}

static double any_double(ia_random *r, int most_exponent)
{
    double v = ia_random_double(r) + 1;
    int e = (int)ia_random_below(r, 2 * (uint64_t)most_exponent + 1) - most_exponent;
    return ldexp(ia_random_u32(r) & 1 ? -v : v, e);
}

/* As programs write them: nearly all are read here. */
static void test_random(void **state)
{
    (void)state;
    ia_random r = ia_random_from(ia_random_key_of(1, 2, 3));
    size_t read = 0, tried = 0;
    for (size_t i = 0; i < 200000; i++) {
        char text[TEXT];
        int digits = (int)ia_random_below(&r, 19);
        int kind = (int)ia_random_below(&r, 3);
        double v = any_double(&r, kind == 1 ? 20 : 40);
        if (kind == 0)
            snprintf(text, sizeof text, "%.*g", digits, v);
        else if (kind == 1)
            snprintf(text, sizeof text, "%.*f", digits % 12, v);
        else
            snprintf(text, sizeof text, "%.*e", digits, v);
        tried++;
        read += check_number(text, ",");
    }
    assert_true(read > tried - tried / 100);
}

/* Around the numbers half way between two floats, where one rounding more decides. */
static void test_halves(void **state)
{
    (void)state;
    ia_random r = ia_random_from(ia_random_key_of(4, 5, 6));
    size_t halves_read = 0, near_read = 0;
    for (size_t i = 0; i < 4000; i++) {
        float low = (float)fabs(any_double(&r, 24));
        double half = ((double)low + (double)nextafterf(low, INFINITY)) / 2, v = half;
        for (int k = 0; k < 24; k++)
            v = nextafter(v, 0);
        for (int k = -24; k <= 24; k++, v = nextafter(v, INFINITY)) {
            char text[TEXT];
            snprintf(text, sizeof text, "%.17g", v);
            bool read = check_number(text, ",");
            halves_read += read && k == 0;
            near_read += read && (k < -14 || k > 14);
            /* More digits than a double has: the decimal is not a double. */
            snprintf(text, sizeof text, "%.18e", v);
            check_number(text, "\n");
            snprintf(text, sizeof text, "%.15g", v);
            check_number(text, "\n");
        }
    }
    assert_int_equal(halves_read, 0);
    assert_true(near_read > 4000 * 10);
}

/* Two roundings: the decimal is below the half, but its nearest double is the half. */
static void test_two_roundings(void **state)
{
    (void)state;
    check_number("1.000000059604644774", ",");
    check_number("1.000000059604644776", ",");
    check_number("16777217", ",");
    check_number("16777219", ",");
    check_number("8388608.5000000001", ",");
    check_number("8388608.4999999999", ",");
    check_number("8388609.5000000000", ",");
}

/* Every short text over the alphabet of numbers. */
static void test_all_short(void **state)
{
    (void)state;
    static const char alphabet[] = "09.-+e1 ";
    enum { LETTERS = sizeof alphabet - 1, LENGTH = 5 };
    size_t all = 1;
    for (int i = 0; i < LENGTH; i++)
        all *= LETTERS;
    for (size_t code = 0; code < all; code++) {
        char text[LENGTH + 1] = "";
        for (size_t i = 0, rest = code; i < LENGTH; i++, rest /= LETTERS)
            text[i] = alphabet[rest % LETTERS];
        check_number(text, ",");
        check_number(text, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),         cmocka_unit_test(test_other),
        cmocka_unit_test(test_random),        cmocka_unit_test(test_halves),
        cmocka_unit_test(test_two_roundings), cmocka_unit_test(test_all_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
