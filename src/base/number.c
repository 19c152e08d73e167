/* Numbers to and from text, exact and independent of the locale.
 *
 * Short decimals take a fast path that is exact by construction; all others go through strtod as
 * digits and an exponent without a decimal point, so the locale has no say. */
#include "base/text.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_KEPT 800 /* 767 decide any rounding; what follows only matters as "not zero" */
#define EXPONENT_CAP ((int64_t)1 << 40)

/* A decimal read from text: digits * 10^exponent. */
typedef struct decimal {
    char digit[DIGITS_KEPT + 2]; /* without leading zeros */
    size_t digits;
    int64_t exponent;
    bool lost; /* a digit that was not kept is not zero */
} decimal;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void decimal_push(decimal *d, char c, bool fraction)
{
    if (d->digits == 0 && c == '0') {
        d->exponent -= fraction;
    } else if (d->digits < DIGITS_KEPT) {
        d->digit[d->digits++] = c;
        d->exponent -= fraction;
    } else {
        d->lost |= c != '0';
        d->exponent += !fraction;
    }
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
    bool any = false, fraction = false;
    for (; s < end && *s != 'e' && *s != 'E'; s++) {
        if (*s == '.' && !fraction) {
            fraction = true;
        } else if (is_digit(*s)) {
            any = true;
            decimal_push(d, *s, fraction);
        } else {
            return false;
        }
    }
    return any && (s == end || decimal_exponent(d, s, end));
}

/* Exact when the digits fit into 53 bits and the power of ten is a double: one rounding. */
static bool decimal_fast(const decimal *d, double *out)
{
    static const double power[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (d->digits > 19 || d->exponent < -22 || d->exponent > 22)
        return false;
    uint64_t mantissa = 0;
    for (size_t i = 0; i < d->digits; i++)
        mantissa = mantissa * 10 + (uint64_t)(d->digit[i] - '0');
    if (mantissa > (uint64_t)1 << 53)
        return false;
    double m = (double)mantissa;
    *out = d->exponent < 0 ? m / power[-d->exponent] : m * power[d->exponent];
    return true;
}

static bool decimal_slow(decimal *d, double *out)
{
    int64_t magnitude = d->exponent + (int64_t)d->digits; /* value < 10^magnitude */
    if (magnitude > 310)
        return false;
    *out = 0;
    if (magnitude < -400)
        return true;
    if (d->lost) {
        d->digit[d->digits++] = '1';
        d->exponent--;
    }
    char text[DIGITS_KEPT + 32];
    snprintf(text, sizeof text, "%.*se%d", (int)d->digits, d->digit, (int)d->exponent);
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
        d.digits = 0;
        d.exponent = 0;
        d.lost = false;
        if (!decimal_read(&d, s, end))
            return false;
        if (d.digits == 0)
            v = 0;
        else if (!decimal_fast(&d, &v) && !decimal_slow(&d, &v))
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
