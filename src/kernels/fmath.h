/* exp, log, tanh, erf, ... in single precision: one source for every instruction set.
 *
 * Inline and free of branches, so that a loop over them becomes vector code with the same bytes as
 * the scalar one. Choices are made on bits (ia_pick), never by `if`: a compiler may not compute a
 * float operation that the source would have skipped, and would give up vectorising. Coefficients
 * are minimax fits made for this file. Errors are the largest over every third float (the test
 * looks at fewer); NaN gives NaN. */
#ifndef IA_KERNELS_FMATH_H
#define IA_KERNELS_FMATH_H

#include "kernels/law.h"

#include <string.h>

#define IA_LN2_HI 0x1.62e430p-1f
#define IA_LN2_LO (-0x1.05c610p-29f)
#define IA_LOG2_E 0x1.715476p+0f
/* Adding and subtracting it rounds to the nearest integer, ties to even. */
#define IA_ROUNDER 0x1.8p23f
#define IA_ROUNDER_BITS 0x4b400000u

IA_ALWAYS_INLINE uint32_t ia_bits(float x)
{
    uint32_t b;
    memcpy(&b, &x, sizeof b);
    return b;
}

IA_ALWAYS_INLINE float ia_float(uint32_t b)
{
    float x;
    memcpy(&x, &b, sizeof x);
    return x;
}

/* yes ? a : b with both computed; `yes` is a comparison. */
IA_ALWAYS_INLINE float ia_pick(int yes, float a, float b)
{
    uint32_t mask = 0u - (uint32_t)yes;
    return ia_float((ia_bits(a) & mask) | (ia_bits(b) & ~mask));
}

IA_ALWAYS_INLINE float ia_abs(float x)
{
    return ia_float(ia_bits(x) & 0x7fffffffu);
}

/* |a| with the sign of b */
IA_ALWAYS_INLINE float ia_sign_of(float a, float b)
{
    return ia_float((ia_bits(a) & 0x7fffffffu) | (ia_bits(b) & 0x80000000u));
}

/* 2^n for -126 <= n <= 127 */
IA_ALWAYS_INLINE float ia_power_of_two(int32_t n)
{
    return ia_float(((uint32_t)n + 127u) << 23);
}

/* x = n ln2 + r, |r| <= ln(2)/2; returns n (anything for NaN) and *rest = expm1(r) - r. */
IA_ALWAYS_INLINE int32_t ia_reduce_exp(float x, float *r, float *rest)
{
    float shifted = fmaf(x, IA_LOG2_E, IA_ROUNDER);
    float n = shifted - IA_ROUNDER;
    float hi = fmaf(n, -IA_LN2_HI, x); /* exact */
    float y = fmaf(n, -IA_LN2_LO, hi);
    float q = 0x1.a1a932p-13f;
    q = fmaf(q, y, 0x1.6d7b7cp-10f);
    q = fmaf(q, y, 0x1.11108ap-7f);
    q = fmaf(q, y, 0x1.5554a8p-5f);
    q = fmaf(q, y, 0x1.555556p-3f);
    q = fmaf(q, y, 0.5f);
    *r = y;
    *rest = y * y * q;
    return (int32_t)(ia_bits(shifted) - IA_ROUNDER_BITS);
}

/* 1.0 ulp, subnormal results included; 0 at -infinity, infinity above 88.73 */
IA_ALWAYS_INLINE float ia_expf(float x)
{
    x = ia_pick(x > 89.0f, 89.0f, x);
    x = ia_pick(x < -104.0f, -104.0f, x);
    float r, rest;
    int32_t n = ia_reduce_exp(x, &r, &rest);
    int32_t half = n >> 1; /* two steps: one rounding where the result is subnormal */
    return (1.0f + (r + rest)) * ia_power_of_two(half) * ia_power_of_two(n - half);
}

/* 1.3 ulp; -1 at -infinity, the sign of zero is kept */
IA_ALWAYS_INLINE float ia_expm1f(float x)
{
    float c = ia_pick(x > 89.0f, 89.0f, x);
    c = ia_pick(c < -20.0f, -20.0f, c);
    float r, rest;
    int32_t n = ia_reduce_exp(c, &r, &rest);
    /* 2^n (1 + p) - 1, with half the power so that n = 128 fits */
    float s = ia_power_of_two(n - 1);
    float y = 2.0f * fmaf(s, rest, fmaf(s, r, s - 0.5f));
    y = ia_pick(n == 0, r + rest, y);
    return ia_pick(x == 0.0f, x, y);
}

/* log(u) + c for normal u > 0 and |c| below an ulp of u over u */
IA_ALWAYS_INLINE float ia_log_of_sum(float u, float c, int32_t e0)
{
    /* u = 2^e m with m in [sqrt(1/2), sqrt(2)) */
    int32_t e = (int32_t)(ia_bits(u) - 0x3f3504f3u) >> 23;
    float f = ia_float(ia_bits(u) - ((uint32_t)e << 23)) - 1.0f;
    float n = (float)(e + e0);
    float p = -0x1.41ee02p-4f;
    p = fmaf(p, f, 0x1.07d0e6p-3f);
    p = fmaf(p, f, -0x1.0ce078p-3f);
    p = fmaf(p, f, 0x1.226e4ap-3f);
    p = fmaf(p, f, -0x1.54788cp-3f);
    p = fmaf(p, f, 0x1.99a596p-3f);
    p = fmaf(p, f, -0x1.000220p-2f);
    p = fmaf(p, f, 0x1.55554ap-2f);
    float ff = f * f;
    float y = fmaf(n, IA_LN2_LO, fmaf(ff * f, p, c));
    y = fmaf(ff, -0.5f, y);
    return fmaf(n, IA_LN2_HI, f + y);
}

/* 0.9 ulp; -infinity at 0, NaN below */
IA_ALWAYS_INLINE float ia_logf(float x)
{
    int small = x < 0x1p-126f;
    float u = x * ia_pick(small, 0x1p23f, 1.0f);
    float y = ia_log_of_sum(u, 0.0f, -(small * 23));
    y = ia_pick(x > 0.0f, y, ia_pick(x == 0.0f, -INFINITY, NAN));
    return ia_pick(x == INFINITY, x, y);
}

/* 0.9 ulp; -infinity at -1, NaN below; the sign of zero is kept */
IA_ALWAYS_INLINE float ia_log1pf(float x)
{
    float u = 1.0f + x;
    /* what the sum lost: log(u + c) = log(u) + c/u */
    float c = ia_pick(x >= 1.0f, 1.0f - (u - x), x - (u - 1.0f)) / u;
    float y = ia_log_of_sum(u, c, 0);
    y = ia_pick(x > -1.0f, y, ia_pick(x == -1.0f, -INFINITY, NAN));
    y = ia_pick(x == INFINITY, x, y);
    return ia_pick(x == 0.0f, x, y);
}

/* 1.4 ulp; exactly 1 from 9.02 on */
IA_ALWAYS_INLINE float ia_tanhf(float x)
{
    float a = ia_abs(x), t = a * a;
    float p = -0x1.830c1ap-8f;
    p = fmaf(p, t, 0x1.54e020p-6f);
    p = fmaf(p, t, -0x1.b89edap-5f);
    p = fmaf(p, t, 0x1.1109dcp-3f);
    p = fmaf(p, t, -0x1.55553ep-2f);
    float small = fmaf(a * t, p, a);
    float large = 1.0f - 2.0f / (ia_expf(2.0f * a) + 1.0f);
    return ia_sign_of(ia_pick(a < 0.6f, small, large), x);
}

/* 1/(1 + exp(-x)): 2.5 ulp, subnormal results included; 0 and 1 at the infinities */
IA_ALWAYS_INLINE float ia_sigmoidf(float x)
{
    float e = ia_expf(-ia_abs(x));
    return ia_pick(x < 0.0f, e, 1.0f) / (1.0f + e);
}

/* log(1 + exp(x)): 1.7 ulp */
IA_ALWAYS_INLINE float ia_softplusf(float x)
{
    return ia_pick(x < 0.0f, 0.0f, x) + ia_log1pf(ia_expf(-ia_abs(x)));
}

/* 1.3 ulp; exactly 1 from 3.95 on */
IA_ALWAYS_INLINE float ia_erff(float x)
{
    float a = ia_abs(x), t = a * a;
    float p = 0x1.67a580p-14f;
    p = fmaf(p, t, -0x1.ad6222p-11f);
    p = fmaf(p, t, 0x1.551ed8p-8f);
    p = fmaf(p, t, -0x1.b8172ep-6f);
    p = fmaf(p, t, 0x1.ce2e6cp-4f);
    p = fmaf(p, t, -0x1.812744p-2f);
    p = fmaf(p, t, 0x1.06eba8p-3f);
    float small = fmaf(a, p, a);
    float b = ia_pick(a > 3.95f, 3.95f, a);
    float q = 0x1.5a198ap-16f; /* -log(1 - erf) */
    q = fmaf(q, b, -0x1.c1ed68p-12f);
    q = fmaf(q, b, 0x1.0fa692p-8f);
    q = fmaf(q, b, -0x1.9a7028p-6f);
    q = fmaf(q, b, 0x1.bb159ap-4f);
    q = fmaf(q, b, 0x1.445284p-1f);
    q = fmaf(q, b, 0x1.2124d2p+0f);
    q = fmaf(q, b, -0x1.5a0b9cp-13f);
    float large = 1.0f - ia_expf(-q);
    return ia_sign_of(ia_pick(a < 0.89f, small, large), x);
}

/* cos and sin of 2 pi w / 2^32; 1.6e-7 absolute */
IA_ALWAYS_INLINE void ia_turn(uint32_t w, float *cosine, float *sine)
{
    uint32_t quarter = (w + 0x20000000u) >> 30;
    float v = (float)((int32_t)(w << 2) >> 8) * 0x1p-24f; /* quarter turns left, [-1/2, 1/2) */
    float t = v * v;
    float s = -0x1.2d9bb8p-8f;
    s = fmaf(s, t, 0x1.465ec6p-4f);
    s = fmaf(s, t, -0x1.4abbbap-1f);
    s = fmaf(s, t, 0x1.921fb6p+0f) * v;
    float c = 0x1.d9f7bep-11f;
    c = fmaf(c, t, -0x1.55c664p-6f);
    c = fmaf(c, t, 0x1.03c1dep-2f);
    c = fmaf(c, t, -0x1.3bd3ccp+0f);
    c = fmaf(c, t, 1.0f);
    int swap = (quarter & 1u) != 0;
    float x = ia_pick(swap, s, c), y = ia_pick(swap, c, s);
    *cosine = ia_float(ia_bits(x) ^ (((quarter + 1u) & 2u) << 30));
    *sine = ia_float(ia_bits(y) ^ ((quarter & 2u) << 30));
}

#endif
