/* Every optimizer's step for one element, and the list they stand in.
 *
 * Formulas are Keras 3's; the rounding is law (d) as written here. `p` are the numbers that
 * optimize.c computed for this step, in the order given at each function. Slots are flushed by law
 * (g) before anything reads them. */
#ifndef IA_KERNELS_UPDATE_LIST_H
#define IA_KERNELS_UPDATE_LIST_H

#include "kernels/fmath.h"

/* X(name, slots) */
#define IA_UPDATES(X)                                                                              \
    X(sgd, 0)                                                                                      \
    X(sgd_momentum, 1)                                                                             \
    X(sgd_nesterov, 1)                                                                             \
    X(rmsprop, 1)                                                                                  \
    X(rmsprop_momentum, 2)                                                                         \
    X(rmsprop_centered, 2)                                                                         \
    X(rmsprop_centered_momentum, 3)                                                                \
    X(adam, 2)                                                                                     \
    X(adam_amsgrad, 3)                                                                             \
    X(adagrad, 1)                                                                                  \
    X(adadelta, 2)                                                                                 \
    X(adamax, 2)                                                                                   \
    X(nadam, 2)

#define IA_UPDATE_ID(name, slots) IA_UPDATE_##name,
enum { IA_UPDATES(IA_UPDATE_ID) IA_UPDATE_COUNT };

#define IA_STEP(name)                                                                              \
    IA_ALWAYS_INLINE float ia_step_##name(const float *p, float g, float w, float *s0, float *s1,  \
                                          float *s2)
#define IA_NO_SLOTS (void)s0, (void)s1, (void)s2
#define IA_ONE_SLOT (void)s1, (void)s2
#define IA_TWO_SLOTS (void)s2

/* p: lr */
IA_STEP(sgd)
{
    IA_NO_SLOTS;
    return fmaf(-p[0], g, w);
}

/* p: lr, momentum; s0 momentum */
IA_STEP(sgd_momentum)
{
    IA_ONE_SLOT;
    *s0 = ia_law_flush(fmaf(p[1], *s0, -(p[0] * g)));
    return w + *s0;
}
IA_STEP(sgd_nesterov)
{
    IA_ONE_SLOT;
    float step = -(p[0] * g);
    *s0 = ia_law_flush(fmaf(p[1], *s0, step));
    return w + fmaf(p[1], *s0, step);
}

/* p: lr, rho, 1 - rho, epsilon, momentum; s0 velocity, then momentum and average gradient */
IA_ALWAYS_INLINE float ia_rms_velocity(const float *p, float g, float v)
{
    return ia_law_flush(fmaf(p[1], v, p[2] * (g * g)));
}
IA_ALWAYS_INLINE float ia_rms_spread(const float *p, float g, float v, float *average)
{
    *average = ia_law_flush(fmaf(p[1], *average, p[2] * g));
    return fmaf(-*average, *average, v) + p[3];
}
IA_STEP(rmsprop)
{
    IA_ONE_SLOT;
    *s0 = ia_rms_velocity(p, g, *s0);
    return w - (p[0] * g) / sqrtf(*s0 + p[3]);
}
IA_STEP(rmsprop_momentum)
{
    IA_TWO_SLOTS;
    *s0 = ia_rms_velocity(p, g, *s0);
    *s1 = ia_law_flush(fmaf(p[4], *s1, (p[0] * g) / sqrtf(*s0 + p[3])));
    return w - *s1;
}
IA_STEP(rmsprop_centered)
{
    IA_TWO_SLOTS;
    *s0 = ia_rms_velocity(p, g, *s0);
    return w - (p[0] * g) / sqrtf(ia_rms_spread(p, g, *s0, s1));
}
IA_STEP(rmsprop_centered_momentum)
{
    *s0 = ia_rms_velocity(p, g, *s0);
    float spread = ia_rms_spread(p, g, *s0, s2);
    *s1 = ia_law_flush(fmaf(p[4], *s1, (p[0] * g) / sqrtf(spread)));
    return w - *s1;
}

/* p: alpha = lr sqrt(1-b2^t)/(1-b1^t), 1-b1, 1-b2, epsilon; s0 momentum, s1 velocity, s2 its
 * maximum */
IA_ALWAYS_INLINE void ia_adam_moments(const float *p, float g, float *m, float *v)
{
    *m = ia_law_flush(fmaf(g - *m, p[1], *m));
    *v = ia_law_flush(fmaf(fmaf(g, g, -*v), p[2], *v));
}
IA_STEP(adam)
{
    IA_TWO_SLOTS;
    ia_adam_moments(p, g, s0, s1);
    return w - (*s0 * p[0]) / (sqrtf(*s1) + p[3]);
}
IA_STEP(adam_amsgrad)
{
    ia_adam_moments(p, g, s0, s1);
    *s2 = ia_law_flush(ia_pick(*s2 >= *s1, *s2, *s1));
    return w - (*s0 * p[0]) / (sqrtf(*s2) + p[3]);
}

/* p: lr, epsilon; s0 accumulator */
IA_STEP(adagrad)
{
    IA_ONE_SLOT;
    *s0 = ia_law_flush(fmaf(g, g, *s0));
    return w - (p[0] * g) / sqrtf(*s0 + p[1]);
}

/* p: lr, rho, 1 - rho, epsilon; s0 accumulated gradient, s1 accumulated delta */
IA_STEP(adadelta)
{
    IA_TWO_SLOTS;
    *s0 = ia_rms_velocity(p, g, *s0);
    float delta = -((sqrtf(*s1 + p[3]) * g) / sqrtf(*s0 + p[3]));
    *s1 = ia_rms_velocity(p, delta, *s1);
    return fmaf(p[0], delta, w);
}

/* p: lr, 1-b1, b2, epsilon, 1-b1^t; s0 momentum, s1 norm */
IA_STEP(adamax)
{
    IA_TWO_SLOTS;
    *s0 = ia_law_flush(fmaf(g - *s0, p[1], *s0));
    float decayed = p[2] * *s1, a = ia_abs(g);
    *s1 = ia_law_flush(ia_pick(decayed >= a, decayed, a));
    return w - (p[0] * *s0) / (p[4] * (*s1 + p[3]));
}

/* p: lr, 1-b1, 1-b2, epsilon, weight of m, weight of g, 1-b2^t; s0 momentum, s1 velocity */
IA_STEP(nadam)
{
    IA_TWO_SLOTS;
    ia_adam_moments(p, g, s0, s1);
    float m = fmaf(p[4], *s0, p[5] * g);
    return w - (m * p[0]) / (sqrtf(*s1 / p[6]) + p[3]);
}

#endif
