/* Numbers to and from text. Expected values are Python's and strtod's in the C locale. */
#include "test.h"
#include "base/random.h"
#include "base/text.h"

#include <locale.h>
#include <math.h>

static void parse_is(const char *text, double expected)
{
    double v = -1;
    if (!ia_parse_double(text, strlen(text), &v))
        fail_msg("'%s' was refused", text);
    if (memcmp(&v, &expected, sizeof v))
        fail_msg("'%s' gave %a, not %a", text, v, expected);
}

static void parses_doubles_exactly(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "0",
        "-0",
        "1",
        "+1",
        "-1.5",
        ".5",
        "5.",
        "0.1",
        "1e5",
        "1E+05",
        "1e-05",
        "0.001",
        "1e22",
        "1e23",
        "123456789012345678",
        "9007199254740993",
        "9007199254740992.5",
        "1.7976931348623157e308",
        "2.2250738585072011e-308",
        "5e-324",
        "2.4703282292062327208e-324",
        "2.47e-324",
        "8.98846567431158e307",
        "0.500000000000000166533453693773481063544750213623046875",
        "3.518437208883201171875e13",
        "0.0010000000474974513",
        "100000000000000000000000e-23",
        "1e-400",
        "000000000000000000000000000001",
        "0e999999999999999999999",
        "1e-99999999999999999999",
    };
    for (size_t i = 0; i < IA_COUNT(texts); i++)
        parse_is(texts[i], strtod(texts[i], NULL));
    double v;
    assert_true(ia_parse_double("nan", 3, &v) && isnan(v));
    assert_true(ia_parse_double("-NaN", 4, &v) && isnan(v));
    parse_is("inf", INFINITY);
    parse_is("+Inf", INFINITY);
    parse_is("-Infinity", -INFINITY);
    assert_true(ia_parse_double("1.25xyz", 4, &v) && v == 1.25);
}

/* A decimal of 1 to 20 digits, or a double printed with up to 19, or half way between two doubles.
 */
static void random_decimal(ia_random *r, char *out, size_t size)
{
    uint32_t kind = ia_random_u32(r) % 4, digits = 1 + ia_random_u32(r) % 20;
    uint64_t below = kind == 0 ? 700 : 60;
    int exponent = (int)ia_random_below(r, below) - (int)below / 2;
    double d = ldexp(1 + ia_random_double(r), exponent);
    if (kind == 2) {
        snprintf(out, size, "%.*e", (int)digits - 1, d);
    } else if (kind == 3) {
        uint64_t odd = UINT64_C(1) << 53 | (uint64_t)ia_random_u32(r) << 1 | 1;
        snprintf(out, size, "%llu", (unsigned long long)odd); /* 54 bits */
    } else {
        size_t n = 0, point = ia_random_u32(r) % (digits + 1);
        for (size_t i = 0; i < digits; i++) {
            if (i == point)
                out[n++] = '.';
            out[n++] = (char)('0' + ia_random_u32(r) % 10);
        }
        snprintf(out + n, size - n, "e%d", exponent);
    }
}

static void parses_random_decimals_as_strtod(void **state)
{
    (void)state;
    ia_random r = ia_random_from(ia_random_key_of(4, 5, 6));
    char text[64];
    for (int i = 0; i < 300000; i++) {
        double v = 0, expected;
        random_decimal(&r, text, sizeof text);
        expected = strtod(text, NULL);
        if (ia_parse_double(text, strlen(text), &v) == (isinf(expected) != 0))
            fail_msg("'%s' was %s", text, isinf(expected) ? "accepted" : "refused");
        if (!isinf(expected) && memcmp(&v, &expected, sizeof v))
            fail_msg("'%s' gave %a, not %a", text, v, expected);
    }
}

/* 1 + 2^-53 is half way between 1 and its successor; what lies 900 digits behind decides. */
static void rounds_by_the_last_digit(void **state)
{
    (void)state;
    static const char half[] = "1.00000000000000011102230246251565404236316680908203125";
    char text[1200];
    parse_is(half, 1);
    size_t n = strlen(half);
    memcpy(text, half, n);
    memset(text + n, '0', 1000);
    text[n + 1000] = 0;
    parse_is(text, 1);
    text[n + 999] = '1';
    parse_is(text, 1 + 0x1p-52);
    /* The same without a point, the exponent making up for it, and with zeros in front. */
    memmove(text + 1, text + 2, n + 998);
    snprintf(text + n + 999, sizeof text - n - 999, "e-%d", (int)n + 998);
    parse_is(text, 1 + 0x1p-52);
    memset(text, '0', 500);
    text[1] = '.';
    snprintf(text + 500, 20, "25e%d", 498);
    parse_is(text, 0.25);
}

static void refuses_what_is_no_number(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "+",
        "-",
        ".",
        "-.",
        "e5",
        ".e5",
        "1e",
        "1e+",
        "1 ",
        " 1",
        "1,5",
        "1.2.3",
        "0x10",
        "1e5.0",
        "--1",
        "+-1",
        "1f",
        "nano",
        "in",
        "infinit",
        "nan(1)",
        "1_000",
        "1e309",
        "-1e309",
        "1e99999999999",
        "179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017"
        "977587"
        "207096330286416692887910946555547851940402630657488671505820681908902000708383676273854845"
        "8177"
        "115317644757302700698555713669596228429148198608349364752927190741684443655107043427115596"
        "9950"
        "80976194126020493000000000",
        "\xd9\xa1",
        "1\t",
        "\n",
    };
    for (size_t i = 0; i < IA_COUNT(bad); i++) {
        double v = 7;
        if (ia_parse_double(bad[i], strlen(bad[i]), &v))
            fail_msg("'%s' was accepted as %g", bad[i], v);
        assert_true(v == 7);
    }
    double v;
    assert_false(ia_parse_double("1\0", 2, &v));
}

static void parses_integers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {
        {"0", 0},
        {"-0", 0},
        {"+7", 7},
        {"-12", -12},
        {"007", 7},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
    };
    static const char *const bad[] = {"",
                                      "+",
                                      "-",
                                      "1.0",
                                      "1e3",
                                      " 1",
                                      "1 ",
                                      "0x1",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "18446744073709551616",
                                      "99999999999999999999"};
    for (size_t i = 0; i < IA_COUNT(good); i++) {
        int64_t v = -1;
        assert_true(ia_parse_int(good[i].text, strlen(good[i].text), &v));
        assert_true(v == good[i].value);
    }
    for (size_t i = 0; i < IA_COUNT(bad); i++) {
        int64_t v = 7;
        assert_false(ia_parse_int(bad[i], strlen(bad[i]), &v));
        assert_true(v == 7);
    }
}

static void formats_as_python_does(void **state)
{
    (void)state;
    static const struct {
        double v;
        const char *text;
    } doubles[] = {
        {0, "0"},
        {-0.0, "-0"},
        {1, "1"},
        {-1.5, "-1.5"},
        {0.1, "0.1"},
        {1e-4, "0.0001"},
        {1e-5, "1e-05"},
        {1e-7, "1e-07"},
        {1e15, "1000000000000000"},
        {1e16, "1e+16"},
        {1e22, "1e+22"},
        {1e100, "1e+100"},
        {123456789012345680.0, "1.2345678901234568e+17"},
        {0.0010000000474974513, "0.0010000000474974513"},
        {5e-324, "5e-324"},
        {0x1p-1022, "2.2250738585072014e-308"},
        {0x1.fffffffffffffp1023, "1.7976931348623157e+308"},
        {0x1p-44, "5.684341886080802e-14"}, /* the nearest 16 digits do not read back, these do */
        {9007199254740993.0, "9007199254740992"},
        {2.0 / 3, "0.6666666666666666"},
        {-123.456, "-123.456"},
        {INFINITY, "inf"},
        {-INFINITY, "-inf"},
        {NAN, "nan"},
    };
    static const struct {
        float v;
        const char *text;
    } floats[] = {
        {0.1f, "0.1"},
        {1e-3f, "0.001"},
        {16777216, "16777216"},
        {0x1p-149f, "1e-45"},
        {3.4028235e38f, "3.4028235e+38"},
        {1.0f / 3, "0.33333334"},
        {0x1p-126f, "1.1754944e-38"},
        {-2.5f, "-2.5"},
        {1e10f, "10000000000"},
        {-INFINITY, "-inf"},
        {0x1p-96f, "1.2621775e-29"},
        {9.5f, "9.5"},
        {99999.99f, "99999.99"},
    };
    char out[32];
    for (size_t i = 0; i < IA_COUNT(doubles); i++) {
        ia_format_double(doubles[i].v, out, sizeof out);
        assert_string_equal(out, doubles[i].text);
    }
    for (size_t i = 0; i < IA_COUNT(floats); i++) {
        ia_format_float(floats[i].v, out, sizeof out);
        assert_string_equal(out, floats[i].text);
    }
}

/* Significant digits of a number without needless zeros. */
static int digits_in(const char *s)
{
    int n = 0, zeros = 0;
    for (; *s && *s != 'e'; s++) {
        if (*s >= '1' && *s <= '9') {
            n += zeros + 1;
            zeros = 0;
        } else if (*s == '0' && n) {
            zeros++;
        }
    }
    return n;
}

static void reads_back_what_it_formats(void **state)
{
    (void)state;
    ia_random r = ia_random_from(ia_random_key_of(1, 2, 3));
    char out[32];
    for (int i = 0; i < 50000; i++) {
        uint32_t low = ia_random_u32(&r);
        uint64_t bits = (uint64_t)ia_random_u32(&r) << 32 | low;
        float f;
        double d, back;
        memcpy(&f, &low, sizeof f);
        memcpy(&d, &bits, sizeof d);
        if (i % 4 == 0) /* powers of two: neighbours below are nearer than those above */
            d = ldexp(1, (int)(low % 2000) - 1000);
        ia_format_float(f, out, sizeof out);
        if (!isnan(f) && !isinf(f))
            assert_true(strtof(out, NULL) == f);
        ia_format_double(d, out, sizeof out);
        assert_true(ia_parse_double(out, strlen(out), &back));
        assert_true(isnan(d) ? isnan(back) : back == d);
        if (isfinite(d) && digits_in(out) > 1) {
            char shorter[40];
            snprintf(shorter, sizeof shorter, "%.*e", digits_in(out) - 2, d);
            assert_true(strtod(shorter, NULL) != d);
        }
    }
}

static void ignores_the_locale(void **state)
{
    (void)state;
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE",
                                        "nl_NL.UTF-8"};
    size_t i = 0;
    while (i < IA_COUNT(names) && !setlocale(LC_ALL, names[i]))
        i++;
    if (i == IA_COUNT(names)) {
        print_message("skipped: no locale with a decimal comma here\n");
        skip();
    }
    char out[32];
    double v = 0;
    ia_format_double(1234.5, out, sizeof out);
    bool comma = ia_parse_double("1,5", 3, &v);
    bool slow = ia_parse_double("1.00000000000000012", 19, &v);
    setlocale(LC_ALL, "C");
    assert_string_equal(out, "1234.5");
    assert_false(comma);
    assert_true(slow && v == 1 + 0x1p-52);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_doubles_exactly),
        cmocka_unit_test(rounds_by_the_last_digit),
        cmocka_unit_test(refuses_what_is_no_number),
        cmocka_unit_test(parses_integers),
        cmocka_unit_test(formats_as_python_does),
        cmocka_unit_test(reads_back_what_it_formats),
        cmocka_unit_test(parses_random_decimals_as_strtod),
        cmocka_unit_test(ignores_the_locale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
