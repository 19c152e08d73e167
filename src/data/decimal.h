/* The numbers of a table, the way nearly all of them are written: a sign, digits, a point, an
 * exponent; 19 digits at most and near 1. All others are for ia_parse_double.
 *
 * The result is that of (float)ia_parse_double, to the bit: the nearest double, rounded again. The
 * double is computed here with an error of less than 4 units of its last place, so it is used only
 * where all doubles within 8 units round to one float. */
#ifndef IA_DATA_DECIMAL_H
#define IA_DATA_DECIMAL_H

#include "base/status.h"

#include <string.h>

#define DECIMAL_DIGITS 19 /* fit 64 bits, whatever they are */
#define DECIMAL_LEAST (-32)
#define DECIMAL_MOST 16

/* 10^(DECIMAL_LEAST + i), each the nearest double. */
static const double decimal_scale[] = {
    1e-32, 1e-31, 1e-30, 1e-29, 1e-28, 1e-27, 1e-26, 1e-25, 1e-24, 1e-23, 1e-22, 1e-21, 1e-20,
    1e-19, 1e-18, 1e-17, 1e-16, 1e-15, 1e-14, 1e-13, 1e-12, 1e-11, 1e-10, 1e-9,  1e-8,  1e-7,
    1e-6,  1e-5,  1e-4,  1e-3,  1e-2,  1e-1,  1e0,   1e1,   1e2,   1e3,   1e4,   1e5,   1e6,
    1e7,   1e8,   1e9,   1e10,  1e11,  1e12,  1e13,  1e14,  1e15,  1e16,
};

_Static_assert(IA_COUNT(decimal_scale) == DECIMAL_MOST - DECIMAL_LEAST + 1, "a power for each");

/* m = m * 10^n + the n digits at s; returns what is behind them. Wraps behind DECIMAL_DIGITS. May
 * read 7 bytes behind the first that is no digit. */
static inline const uint8_t *decimal_digits(const uint8_t *s, uint64_t *m)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    static const uint64_t ten[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
    for (;;) {
        uint64_t v;
        memcpy(&v, s, sizeof v);
        v ^= 0x3030303030303030u; /* digits become 0..9; the first one is the lowest byte */
        uint64_t other = ((v + 0x7676767676767676u) | v) & 0x8080808080808080u;
        unsigned n = other ? (unsigned)__builtin_ctzll(other) / 8 : 8;
        v = v << 4 * (8 - n) << 4 * (8 - n); /* n digits behind 8 - n zeros; n may be 0 */
        v = v * 10 + (v >> 8);               /* pairs, in every other byte */
        v = ((v & 0x000000ff000000ffu) * 0x000f424000000064u +
             (v >> 16 & 0x000000ff000000ffu) * 0x0000271000000001u) >>
            32;
        *m = *m * ten[n] + v;
        s += n;
        if (n < 8)
            return s;
    }
#else
    for (; *s >= '0' && *s <= '9'; s++)
        *m = *m * 10 + (uint64_t)(*s - '0');
    return s;
#endif
}

/* The "-12" of an exponent; s stays where there is none, or a long one. */
static inline const uint8_t *decimal_exponent(const uint8_t *s, int *exponent)
{
    bool negative = *s == '-';
    const uint8_t *first = s + (*s == '-' || *s == '+'), *end = first;
    int e = 0;
    while (*end >= '0' && *end <= '9' && end - first < 4)
        e = e * 10 + (*end++ - '0');
    *exponent += negative ? -e : e;
    return end == first ? s : end;
}

/* The number at *s, which moves behind it; false, and *s and *out are as before, where it is not of
 * this kind. What follows it is not looked at. The text must end in a byte that is no part of a
 * number and 8 bytes that may be read. */
static inline bool ia_decimal_f32(const uint8_t **at, float *out)
{
    const uint8_t *s = *at;
    bool negative = *s == '-';
    s += negative;
    const uint8_t *first = s, *end;
    uint64_t m = 0, bits;
    int exponent = 0;
    end = decimal_digits(s, &m);
    size_t digits = (size_t)(end - first);
    if (*end == '.') {
        first = end + 1;
        end = decimal_digits(first, &m);
        exponent = (int)(first - end);
        digits += (size_t)(end - first);
    }
    if (digits == 0 || digits > DECIMAL_DIGITS)
        return false;
    if ((*end | 0x20) == 'e') {
        const uint8_t *behind = decimal_exponent(end + 1, &exponent);
        if (behind == end + 1)
            return false;
        end = behind;
    }
    if (exponent < DECIMAL_LEAST || exponent > DECIMAL_MOST)
        return false;
    double d = (double)m * decimal_scale[exponent - DECIMAL_LEAST];
    memcpy(&bits, &d, sizeof bits);
    uint64_t lost = bits & 0x1fffffff; /* what a float does not keep; a half is where it turns */
    if (lost - (0x10000000 - 8) <= 16)
        return false;
    float v = (float)d;
    uint32_t sign = (uint32_t)negative << 31, word; /* signs come as they like: no jump on them */
    memcpy(&word, &v, sizeof word);
    word |= sign;
    memcpy(out, &word, sizeof word);
    *at = end;
    return true;
}

#endif
