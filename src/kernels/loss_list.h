/* Element-wise losses: value of one prediction p and one target t, and the slope by p.
 *
 * Slopes are float32; values are in double where that is only arithmetic, so that squares of large
 * errors do not overflow, and of fmath.h's accuracy where there are logarithms. Free of branches,
 * as in fmath.h; NaN of p or t gives NaN. Where Keras clips, gradients pass at the bounds
 * themselves and stop outside, as in TensorFlow. */
#ifndef IA_KERNELS_LOSS_LIST_H
#define IA_KERNELS_LOSS_LIST_H

#include "kernels/fmath.h"

#define IA_LOSS_TINY 1e-7f /* Keras' backend.epsilon() */
/* 1 - 1e-7 as float32 holds it: a wrong p = 1 costs 15.94 in Keras, a wrong p = 0 16.12. */
#define IA_LOSS_ALMOST_ONE (1.0f - 0x1p-23f)

#define IA_L(name)                                                                                 \
    IA_ALWAYS_INLINE double ia_l_##name(float p, float t, const float *param, float *slope)
#define IA_L_NO_PARAM (void)param

/* ia_pick for double */
IA_ALWAYS_INLINE double ia_pick_f64(int yes, double a, double b)
{
    uint64_t mask = 0u - (uint64_t)yes, x, y;
    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    x = (x & mask) | (y & ~mask);
    memcpy(&a, &x, sizeof a);
    return a;
}

IA_ALWAYS_INLINE double ia_abs_f64(double x)
{
    return ia_pick_f64(x < 0, -x, x);
}

/* 0 at 0, NaN at NaN */
IA_ALWAYS_INLINE float ia_sign(float x)
{
    return ia_pick(x > 0.0f, 1.0f, ia_pick(x < 0.0f, -1.0f, 0.0f * x));
}

IA_ALWAYS_INLINE float ia_at_least(float x, float bound)
{
    return ia_pick(x < bound, bound, x);
}

IA_L(squared)
{
    IA_L_NO_PARAM;
    double e = (double)p - (double)t;
    *slope = 2.0f * (p - t);
    return e * e;
}

IA_L(absolute)
{
    IA_L_NO_PARAM;
    *slope = ia_sign(p - t);
    return ia_abs_f64((double)p - (double)t);
}

/* 100 |t - p| / max(|t|, 1e-7) */
IA_L(percentage)
{
    IA_L_NO_PARAM;
    float scale = ia_at_least(ia_abs(t), IA_LOSS_TINY);
    *slope = 100.0f * ia_sign(p - t) / scale;
    return 100 * (ia_abs_f64((double)p - (double)t) / (double)scale);
}

/* (log(1 + max(p, 1e-7)) - log(1 + max(t, 1e-7)))^2 */
IA_L(logarithmic)
{
    IA_L_NO_PARAM;
    float a = ia_at_least(p, IA_LOSS_TINY);
    float d = ia_log1pf(a) - ia_log1pf(ia_at_least(t, IA_LOSS_TINY));
    *slope = ia_pick(p >= IA_LOSS_TINY, (d + d) / (1.0f + a), 0.0f);
    return (double)d * (double)d;
}

/* Quadratic up to delta = param[0], then linear. */
IA_L(huber)
{
    float delta = param[0], e = p - t;
    double d = (double)delta, a = ia_abs_f64((double)p - (double)t);
    *slope = ia_pick(ia_abs(e) <= delta, e, delta * ia_sign(e));
    return ia_pick_f64(a <= d, 0.5 * a * a, d * (a - 0.5 * d));
}

/* log(cosh(e)) = |e| + log((1 + exp(-2|e|)) / 2) */
IA_L(log_cosh)
{
    IA_L_NO_PARAM;
    float e = p - t, a = ia_abs(e);
    *slope = ia_tanhf(e);
    return (double)a + (double)ia_log1pf(0.5f * ia_expm1f(-2.0f * a));
}

/* p - t log(p + 1e-7) */
IA_L(poisson)
{
    IA_L_NO_PARAM;
    float q = p + IA_LOSS_TINY;
    *slope = 1.0f - t / q;
    return (double)p - (double)t * (double)ia_logf(q);
}

/* t log(t / p), both clipped to [1e-7, 1] */
IA_L(divergence)
{
    IA_L_NO_PARAM;
    float a = ia_at_least(t, IA_LOSS_TINY), b = ia_at_least(p, IA_LOSS_TINY);
    a = ia_pick(a > 1.0f, 1.0f, a);
    b = ia_pick(b > 1.0f, 1.0f, b);
    *slope = ia_pick((p >= IA_LOSS_TINY) & (p <= 1.0f), -a / b, 0.0f);
    return (double)a * (double)ia_logf(a / b);
}

/* max(1 - y p, 0) with y = param[0] t + param[1]; the edge itself has the gradient. */
IA_L(hinge)
{
    float y = fmaf(t, param[0], param[1]), h = 1.0f - y * p;
    double margin = 1 - (double)y * (double)p;
    *slope = ia_pick(h >= 0.0f, -y, 0.0f * h);
    return ia_pick_f64(margin < 0, 0, margin);
}

IA_L(squared_hinge)
{
    double h = ia_l_hinge(p, t, param, slope);
    *slope = *slope * (float)(h + h);
    return h * h;
}

/* p is the logit z; y = param[0] t + param[1]: max(z, 0) - z y + log(1 + exp(-|z|)). The slope
 * sigmoid(z) - y is written so that it stays exact where the sigmoid is all but 1. */
IA_L(binary_logits)
{
    float y = fmaf(t, param[0], param[1]), e = ia_expf(-ia_abs(p)), q = e / (1.0f + e);
    *slope = ia_pick(p >= 0.0f, (1.0f - y) - q, q - y);
    return (double)fmaf(-p, y, ia_pick(p > 0.0f, p, 0.0f)) + (double)ia_log1pf(e);
}

/* -y log p - (1 - y) log(1 - p), p clipped to [1e-7, 1 - 1e-7] */
IA_L(binary_probabilities)
{
    float y = fmaf(t, param[0], param[1]);
    float q = ia_at_least(p, IA_LOSS_TINY), r;
    q = ia_pick(q > IA_LOSS_ALMOST_ONE, IA_LOSS_ALMOST_ONE, q);
    r = 1.0f - q;
    *slope = ia_pick((p >= IA_LOSS_TINY) & (p <= IA_LOSS_ALMOST_ONE), (q - y) / (q * r), 0.0f);
    return -((double)y * (double)ia_logf(q) + (1 - (double)y) * (double)ia_logf(r));
}

#undef IA_L
#undef IA_L_NO_PARAM

#endif
