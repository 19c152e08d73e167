/* Double-precision exp, log, sin, ... from IEEE operations and fma only.
 *
 * Each function reduces its argument to a short interval and evaluates a polynomial there. The
 * coefficients are minimax fits made for this file (Remez, 40 digits); where a fit equals the
 * Taylor coefficient to the last bit nothing is lost. Low halves of the reduced arguments are
 * carried along where they matter, so that pow may multiply a logarithm by 700 and still be right.
 */
#include "base/maths.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define LN2_HI 0x1.62e42fefa39efp-1
#define LN2_LO 0x1.abc9e3b39803fp-56
#define LOG2_E 0x1.71547652b82fep+0
#define PIO2_HI 0x1.921fb54442d18p+0
#define PIO2_LO 0x1.1a62633145c07p-54
#define TWO_OVER_PI 0x1.45f306dc9c883p-1
/* Adding and subtracting it rounds to the nearest integer, ties to even. */
#define ROUNDER 0x1.8p52

static uint64_t bits_of(double x)
{
    uint64_t b;
    memcpy(&b, &x, sizeof b);
    return b;
}

static double of_bits(uint64_t b)
{
    double x;
    memcpy(&x, &b, sizeof x);
    return x;
}

/* 2^n for -1022 <= n <= 1023. */
static double power_of_two(int n)
{
    return of_bits((uint64_t)(n + 1023) << 52);
}

/* c[n-1] x^(n-1) + ... + c[0], by Horner. */
static double polynomial(const double *c, int n, double x)
{
    double y = c[n - 1];
    for (int i = n - 2; i >= 0; i--)
        y = fma(y, x, c[i]);
    return y;
}

/* (expm1(r) - r) / r^2 for |r| <= ln(2)/2 */
static const double EXP_Q[] = {
    0x1.0000000000000p-1,  0x1.5555555555555p-3,  0x1.5555555555559p-5,  0x1.1111111111114p-7,
    0x1.6c16c16c14d50p-10, 0x1.a01a01a017ccap-13, 0x1.a01a01add1406p-16, 0x1.71de3a6192c69p-19,
    0x1.27e4cbf3630c3p-22, 0x1.ae6411bed069bp-26, 0x1.1f8b847ba2219p-29, 0x1.61e612d12d3afp-33,
};

/* x + lo = n ln2 + r with |r| <= ln(2)/2, and *rest = expm1(r) - *r. |x| <= 750. */
static int reduce_exp(double x, double lo, double *r, double *rest)
{
    double n = x * LOG2_E + ROUNDER - ROUNDER;
    double hi = fma(-n, LN2_HI, x); /* exact: the leading bits cancel */
    double low = fma(-n, LN2_LO, lo);
    double y = hi + low;
    *r = y;
    *rest = fma(y * y, polynomial(EXP_Q, 12, y), (hi - y) + low);
    return (int)n;
}

/* exp(x + lo) for a lo far below an ulp of x. */
static double exp_of_sum(double x, double lo)
{
    if (x != x)
        return x;
    if (x > 710)
        return INFINITY;
    if (x < -746)
        return 0;
    double r, rest;
    int n = reduce_exp(x, lo, &r, &rest);
    double y = 1 + (r + rest);
    int half = n / 2; /* two steps: one rounding where the result is subnormal */
    return y * power_of_two(half) * power_of_two(n - half);
}

double ia_exp(double x)
{
    return exp_of_sum(x, 0);
}

double ia_expm1(double x)
{
    if (x != x || x == 0)
        return x;
    if (x > 710)
        return INFINITY;
    if (x < -40)
        return -1;
    double r, rest;
    int n = reduce_exp(x, 0, &r, &rest);
    if (n == 0)
        return r + rest;
    /* 2^n (1 + p) - 1, with half the power so that n = 1024 fits. */
    double s = power_of_two(n - 1);
    return 2 * fma(s, rest, fma(s, r, s - 0.5));
}

/* (2 atanh(s) - 2s) / s^3 in t = s^2 for s <= 0.1716 */
static const double LOG_P[] = {
    0x1.5555555555555p-1, 0x1.999999999998ep-2, 0x1.24924924939b9p-2,
    0x1.c71c71c4be94cp-3, 0x1.745d187852853p-3, 0x1.3b1353b93ac43p-3,
    0x1.1122981765660p-3, 0x1.ddf19a214e446p-4, 0x1.ecf2b8ef7c39dp-4,
};

/* log(x) = result + *lo, good to about 2^-65 relative; 0 < x < infinity. */
static double log_parts(double x, double *lo)
{
    int64_t k = 0;
    if (x < 0x1p-1022) {
        x *= 0x1p54;
        k = -54;
    }
    /* x = 2^e m with m in [sqrt(1/2), sqrt(2)) */
    uint64_t above = bits_of(x) - UINT64_C(0x3fe6a09e667f3bcd);
    int64_t e = (int64_t)(above >> 52);
    if (e >= 2048)
        e -= 4096;
    double f = of_bits(bits_of(x) - ((uint64_t)e << 52)) - 1;
    k += e;
    /* log(1+f) = 2 atanh(s), s = f/(2+f), with what the division and the sum lost */
    double d = 2 + f, d_lo = f - (d - 2);
    double s = f / d;
    double s_lo = fma(-s, d_lo, fma(-s, d, f)) / d;
    double t = s * s;
    double tail = fma(s * t, polynomial(LOG_P, 9, t), 2 * s_lo);
    double kh = (double)k * LN2_HI;
    double kl = fma((double)k, LN2_LO, fma((double)k, LN2_HI, -kh));
    double hi = kh + 2 * s;
    double rest = ((kh - hi) + 2 * s) + kl + tail;
    double y = hi + rest;
    *lo = (hi - y) + rest;
    return y;
}

double ia_log(double x)
{
    if (x != x || x == INFINITY)
        return x;
    if (x <= 0)
        return x < 0 ? NAN : -INFINITY;
    double lo;
    return log_parts(x, &lo);
}

double ia_log1p(double x)
{
    if (x != x || x == INFINITY || x == 0)
        return x;
    if (x <= -1)
        return x < -1 ? NAN : -INFINITY;
    double u = 1 + x;
    /* what the sum lost: log(u + c) = log(u) + c/u */
    double c = x >= 1 ? 1 - (u - x) : x - (u - 1);
    double lo;
    double hi = log_parts(u, &lo);
    return hi + (lo + c / u);
}

/* (sin(x)/x - 1) / x^2 and (cos(x) - 1 + x^2/2) / x^4 in x^2 for |x| <= pi/4 */
static const double SIN_P[] = {
    -0x1.5555555555555p-3,  0x1.111111111110bp-7,  -0x1.a01a01a018ab3p-13, 0x1.71de3a533562ap-19,
    -0x1.ae645292e0719p-26, 0x1.61208f3384e50p-33, -0x1.aaa3811cc1722p-41,
};
static const double COS_P[] = {
    0x1.5555555555555p-5,  -0x1.6c16c16c16c10p-10, 0x1.a01a01a018dc0p-16, -0x1.27e4fb75fa99cp-22,
    0x1.1eed8ca066463p-29, -0x1.93933481ac859p-37, 0x1.aac3f6e152a67p-45,
};

/* sin(x + quarter * pi/2) */
static double sine(double x, int quarter)
{
    if (!(x > -1e15 && x < 1e15))
        return NAN;
    double n = x * TWO_OVER_PI + ROUNDER - ROUNDER;
    double r = fma(-n, PIO2_HI, x); /* exact: the leading bits cancel */
    double y = fma(-n, PIO2_LO, r);
    double lo = fma(-n, PIO2_LO, r - y);
    double t = y * y;
    int64_t q = (int64_t)n + quarter;
    double v;
    if (q & 1) {
        double h = t / 2, w = 1 - h;
        v = w + fma(t * t, polynomial(COS_P, 7, t), ((1 - w) - h) - y * lo);
    } else {
        v = y + fma(y * t, polynomial(SIN_P, 7, t), lo);
    }
    return q & 2 ? -v : v;
}

double ia_sin(double x)
{
    return x == 0 ? x : sine(x, 0);
}

double ia_cos(double x)
{
    return sine(x, 1);
}

/* 0 not whole, 1 odd, 2 even */
static int wholeness(double y)
{
    double a = fabs(y);
    if (a >= 0x1p53)
        return 2;
    double n = a + ROUNDER - ROUNDER;
    if (a >= 0x1p51)
        n = (double)(int64_t)a;
    if (n != a)
        return 0;
    return (int64_t)a & 1 ? 1 : 2;
}

static double pow_of_magnitude(double x, double y) /* x >= 0 */
{
    if (x == 0 || x == INFINITY)
        return (x == 0) == (y < 0) ? INFINITY : 0;
    if (y == INFINITY || y == -INFINITY) /* x is not 1 here */
        return (x > 1) == (y > 0) ? INFINITY : 0;
    double lo;
    double hi = log_parts(x, &lo);
    double p = y * hi;
    if (p > 750 || p < -750)
        return p > 0 ? INFINITY : 0;
    return exp_of_sum(p, fma(y, hi, -p) + y * lo);
}

double ia_pow(double x, double y)
{
    if (y == 0 || x == 1)
        return 1;
    if (x != x || y != y)
        return x + y;
    double magnitude = fabs(x) == 1 ? 1 : pow_of_magnitude(fabs(x), y);
    if (!(bits_of(x) >> 63))
        return magnitude;
    int whole = wholeness(y);
    if (whole == 0 && x != 0 && x != -INFINITY)
        return NAN;
    return whole == 1 ? -magnitude : magnitude;
}

double ia_tanh(double x)
{
    if (x != x || x == 0)
        return x;
    double a = fabs(x);
    double y = 1;
    if (a < 22) {
        double t = ia_expm1(2 * a);
        y = a < 0.55 ? t / (t + 2) : 1 - 2 / (t + 2);
    }
    return x < 0 ? -y : y;
}

/* erf(x)/x - 1 in x^2 for |x| < 0.875 */
static const double ERF_P[] = {
    0x1.06eba8214db69p-3,  -0x1.812746b0379e7p-2,  0x1.ce2f21a042bd7p-4,  -0x1.b82ce31288671p-6,
    0x1.565bcd0e5828bp-8,  -0x1.c02db3fb36497p-11, 0x1.f9a32613c31d4p-14, -0x1.f4d240c0a0da0p-17,
    0x1.b9e488fc0a69ep-20, -0x1.5f539cf6c2f35p-23, 0x1.fa45ff87a46dcp-27, -0x1.41d2d6411ac96p-30,
    0x1.2303829b4f231p-34,
};
/* (1 + 2x) exp(x^2) erfc(x) in u = (x-4)/(x+4) for 0.875 <= x < 6 */
static const double ERFC_P[] = {
    0x1.3ba5916e9fd7fp+0,  -0x1.1df1ad154a227p-3,  0x1.f7f5df66f5481p-7,   0x1.16ecefcf93afep-4,
    -0x1.9ddb23c36b56fp-4, 0x1.7fee005577ebfp-4,   -0x1.0fb06e09c4c85p-4,  0x1.3079eb5f310bap-5,
    -0x1.096240cee1d6bp-6, 0x1.49c7d47516403p-8,   -0x1.8d1bf9683440fp-11, -0x1.a1e2b8c13d368p-13,
    0x1.357ba55b0703ap-13, -0x1.14c47f6887aedp-15, -0x1.734191afbd389p-16, -0x1.e4a019f6e2165p-22,
};

double ia_erf(double x)
{
    if (x != x)
        return x;
    double a = fabs(x);
    if (a < 0.875)
        return x + x * polynomial(ERF_P, 13, x * x);
    double y = 1; /* erfc(6) is a fifth of an ulp of 1 */
    if (a < 6) {
        double u = (a - 4) / (a + 4);
        y = 1 - ia_exp(-a * a) * polynomial(ERFC_P, 16, u) / (1 + 2 * a);
    }
    return x < 0 ? -y : y;
}
