/* Numbers to and from text, exact and independent of the locale.
 *
 * Decimals of up to 19 digits near 1, as data files hold them, are read by exact integer arithmetic
 * and one rounding; all others go through strtod as digits and an exponent without a decimal point,
 * so the locale has no say. */
#include "base/text.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_KEPT 800 /* 767 decide any rounding; what follows only matters as "not zero" */
#define DIGITS_FIT 19   /* in 64 bits, whatever they are */
#define EXPONENT_CAP ((int64_t)1 << 40)

/* A decimal in text: its digits, with a '.' perhaps among them, times 10^exponent. */
typedef struct decimal {
    const char *begin, *end; /* from the first digit that is not zero */
    size_t digits;
    uint64_t mantissa; /* the digits, where they are at most DIGITS_FIT */
    int64_t exponent;
} decimal;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "e-12" at [s, end): adds to the exponent. False when it is not an exponent up to the end. */
static bool decimal_exponent(decimal *d, const char *s, const char *end)
{
    s++;
    bool negative = s < end && *s == '-';
    if (s < end && (*s == '-' || *s == '+'))
        s++;
    if (s == end)
        return false;
    int64_t e = 0;
    for (; s < end; s++) {
        if (!is_digit(*s))
            return false;
        if (e < EXPONENT_CAP)
            e = e * 10 + (*s - '0');
    }
    d->exponent += negative ? -e : e;
    return true;
}

static bool decimal_read(decimal *d, const char *s, const char *end)
{
    const char *point = NULL;
    uint64_t mantissa = 0;
    d->begin = s;
    for (; s < end && *s != 'e' && *s != 'E'; s++) {
        if (is_digit(*s))
            mantissa = mantissa * 10 + (uint64_t)(*s - '0'); /* wraps behind DIGITS_FIT */
        else if (*s == '.' && !point)
            point = s;
        else
            return false;
    }
    if (s - d->begin == (point != NULL))
        return false;
    while (d->begin < s && (*d->begin == '0' || *d->begin == '.'))
        d->begin++;
    d->end = s;
    d->digits = (size_t)(s - d->begin) - (point && point >= d->begin);
    d->mantissa = mantissa;
    d->exponent = point ? point + 1 - s : 0;
    return s == end || decimal_exponent(d, s, end);
}

#ifdef __SIZEOF_INT128__
__extension__ typedef unsigned __int128 uint128;

#define FIVES 28 /* 5^27 is the last below 2^63 */

static const uint64_t five[FIVES] = {
    0x0000000000000001, 0x0000000000000005, 0x0000000000000019, 0x000000000000007d,
    0x0000000000000271, 0x0000000000000c35, 0x0000000000003d09, 0x000000000001312d,
    0x000000000005f5e1, 0x00000000001dcd65, 0x00000000009502f9, 0x0000000002e90edd,
    0x000000000e8d4a51, 0x0000000048c27395, 0x000000016bcc41e9, 0x000000071afd498d,
    0x0000002386f26fc1, 0x000000b1a2bc2ec5, 0x000003782dace9d9, 0x00001158e460913d,
    0x000056bc75e2d631, 0x0001b1ae4d6e2ef5, 0x000878678326eac9, 0x002a5a058fc295ed,
    0x00d3c21bcecceda1, 0x0422ca8b0a00a425, 0x14adf4b7320334b9, 0x6765c793fa10079d,
};

static int leading_zeros(uint64_t v)
{
    return __builtin_clzll(v);
}

/* mantissa * 5^exponent * 2^exponent in integers: the first 63 bits or more of the product or the
 * quotient, with the last bit set where anything follows, round to the 53 of a double as the whole
 * would. The result is far from the ends of what a double holds. */
static bool decimal_exact(const decimal *d, double *out)
{
    if (d->digits > DIGITS_FIT || d->exponent <= -FIVES || d->exponent >= FIVES)
        return false;
    int zeros = leading_zeros(d->mantissa), scale = (int)d->exponent;
    uint64_t m = d->mantissa << zeros, first, rest;
    if (d->exponent >= 0) {
        uint64_t f = five[d->exponent];
        int shift = leading_zeros(f);
        uint128 product = (uint128)m * (f << shift);
        first = (uint64_t)(product >> 64);
        rest = (uint64_t)product;
        scale += 64 - zeros - shift;
    } else {
        uint64_t f = five[-d->exponent];
        int shift = leading_zeros(f);
        f <<= shift;
        first = (uint64_t)(((uint128)m << 63) / f);
        rest = (m << 63) - first * f; /* what counts fits 64 bits */
        scale += shift - zeros - 63;
    }
    *out = ldexp((double)(first | (rest != 0)), scale);
    return true;
}
#else
static bool decimal_exact(const decimal *d, double *out)
{
    (void)d;
    (void)out;
    return false;
}
#endif

static bool decimal_slow(const decimal *d, double *out)
{
    int64_t magnitude = d->exponent + (int64_t)d->digits; /* value < 10^magnitude */
    if (magnitude > 310)
        return false;
    *out = 0;
    if (magnitude < -400)
        return true;
    char text[DIGITS_KEPT + 32];
    size_t n = 0;
    bool lost = false; /* a digit that was not kept is not zero */
    for (const char *s = d->begin; s < d->end; s++) {
        if (*s != '.' && n < DIGITS_KEPT)
            text[n++] = *s;
        else if (*s != '.')
            lost |= *s != '0';
    }
    if (lost)
        text[n++] = '1';
    snprintf(text + n, sizeof text - n, "e%d", (int)(magnitude - (int64_t)n));
    *out = strtod(text, NULL);
    return !isinf(*out);
}

static bool same_word(const char *s, size_t n, const char *word)
{
    if (strlen(word) != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if ((s[i] | 0x20) != word[i])
            return false;
    return true;
}

static bool parse_special(const char *s, size_t n, double *out)
{
    if (same_word(s, n, "nan"))
        *out = NAN;
    else if (same_word(s, n, "inf") || same_word(s, n, "infinity"))
        *out = INFINITY;
    else
        return false;
    return true;
}

bool ia_parse_double(const char *s, size_t n, double *out)
{
    const char *end = s + n;
    bool negative = n && *s == '-';
    if (n && (*s == '-' || *s == '+'))
        s++;
    if (s == end)
        return false;
    double v;
    if (is_digit(*s) || *s == '.') {
        decimal d;
        if (!decimal_read(&d, s, end))
            return false;
        if (d.digits == 0)
            v = 0;
        else if (!decimal_exact(&d, &v) && !decimal_slow(&d, &v))
            return false;
    } else if (!parse_special(s, (size_t)(end - s), &v)) {
        return false;
    }
    *out = negative ? -v : v;
    return true;
}

bool ia_parse_int(const char *s, size_t n, int64_t *out)
{
    const char *end = s + n;
    bool negative = n && *s == '-';
    if (n && (*s == '-' || *s == '+'))
        s++;
    if (s == end)
        return false;
    uint64_t v = 0, limit = (uint64_t)INT64_MAX + negative;
    for (; s < end; s++) {
        if (!is_digit(*s))
            return false;
        uint64_t digit = (uint64_t)(*s - '0');
        if (v > (limit - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *out = negative ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

/* The significant digits of a number and the power of ten of the first one. */
typedef struct digits {
    char text[20]; /* as many as there are, without a decimal point */
    int count, exponent;
} digits;

/* v > 0 rounded to `count` digits. The locale's decimal point, whatever it is, is skipped. */
static digits digits_of(double v, int count)
{
    char text[64];
    digits d = {.count = 0};
    snprintf(text, sizeof text, "%.*e", count - 1, v);
    const char *s = text;
    for (; *s && *s != 'e'; s++)
        if (is_digit(*s) && d.count < count)
            d.text[d.count++] = *s;
    d.exponent = (int)strtol(s + 1, NULL, 10);
    return d;
}

/* One unit more in the last place. */
static void digits_increment(digits *d)
{
    int i = d->count - 1;
    while (i >= 0 && d->text[i] == '9')
        d->text[i--] = '0';
    if (i >= 0) {
        d->text[i]++;
        return;
    }
    d->text[0] = '1'; /* 999 -> 1000 */
    d->exponent++;
}

typedef enum number_kind { NUMBER_FLOAT, NUMBER_DOUBLE } number_kind;

static bool digits_read_back(const digits *d, double v, number_kind kind)
{
    char text[48];
    snprintf(text, sizeof text, "%.*se%d", d->count, d->text, d->exponent - d->count + 1);
    return kind == NUMBER_FLOAT ? strtof(text, NULL) == (float)v : strtod(text, NULL) == v;
}

/* The fewest digits that read back as v > 0. From 6 (15) digits on rounding is faithful for normal
 * numbers, so fewer need not be tried: their trailing digits are zeros. Below a power of two the
 * numbers lie closer together, so there the neighbour above may read back where the nearest does
 * not. */
static digits digits_shortest(double v, number_kind kind)
{
    int most = kind == NUMBER_FLOAT ? 9 : 17;
    int first = kind == NUMBER_FLOAT ? (v < 0x1p-126 ? 1 : 6) : (v < 0x1p-1022 ? 1 : 15);
    for (int count = first;; count++) {
        digits d = digits_of(v, count);
        bool good = count == most || digits_read_back(&d, v, kind);
        if (!good) {
            digits_increment(&d);
            good = digits_read_back(&d, v, kind);
        }
        if (!good)
            continue;
        while (d.count > 1 && d.text[d.count - 1] == '0')
            d.count--;
        return d;
    }
}

/* As Python's repr lays numbers out, but without ".0": plain from 1e-4 to below 1e16. */
static void digits_layout(const digits *d, bool negative, char *out, size_t size)
{
    const char *sign = negative ? "-" : "";
    int before = d->exponent + 1; /* digits before the point */
    if (d->exponent < -4 || d->exponent >= 16)
        snprintf(out, size, "%s%c%s%.*se%c%02d", sign, d->text[0], d->count > 1 ? "." : "",
                 d->count - 1, d->text + 1, d->exponent < 0 ? '-' : '+', abs(d->exponent));
    else if (before <= 0)
        snprintf(out, size, "%s0.%.*s%.*s", sign, -before, "0000", d->count, d->text);
    else if (before >= d->count)
        snprintf(out, size, "%s%.*s%.*s", sign, d->count, d->text, before - d->count,
                 "0000000000000000");
    else
        snprintf(out, size, "%s%.*s.%.*s", sign, before, d->text, d->count - before,
                 d->text + before);
}

static void format_number(double v, number_kind kind, char *out, size_t size)
{
    assert(size >= 32);
    bool negative = signbit(v) != 0;
    if (isnan(v)) {
        snprintf(out, size, "nan");
    } else if (isinf(v)) {
        snprintf(out, size, negative ? "-inf" : "inf");
    } else if (v == 0) {
        snprintf(out, size, negative ? "-0" : "0");
    } else {
        digits d = digits_shortest(fabs(v), kind);
        digits_layout(&d, negative, out, size);
    }
}

void ia_format_float(float v, char *out, size_t size)
{
    format_number((double)v, NUMBER_FLOAT, out, size);
}

void ia_format_double(double v, char *out, size_t size)
{
    format_number(v, NUMBER_DOUBLE, out, size);
}
