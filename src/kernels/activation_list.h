/* Every activation as a pair of inline functions: y = f(z) and f'(z), and the list they stand in.
 *
 * A row of the list makes the loops of every instruction set (map.inc.h), the row of the table
 * (activation.c) and the entry in dispatch.h. Definitions are Keras 3's; at kinks the derivative is
 * the one TensorFlow returns. The derivative reads y alone where that is as good (`needs z` 0), so
 * that z need not be kept. `p` are the parameters of the table, the same for the whole array.
 * NaN passes everywhere: comparisons are written so that NaN takes the branch that keeps it.
 *
 * Not here: glu, which halves the width of its input and so is no element-wise activation. */
#ifndef IA_KERNELS_ACTIVATION_LIST_H
#define IA_KERNELS_ACTIVATION_LIST_H

#include "kernels/fmath.h"

#define IA_PARAM1(a, x) .param = {a}, .fallback = {x}
#define IA_PARAM2(a, x, b, y) .param = {a, b}, .fallback = {x, y}
#define IA_PARAM3(a, x, b, y, c, z) .param = {a, b, c}, .fallback = {x, y, z}

/* X(Keras' name, derivative needs z, parameters with defaults) */
#define IA_ELEMENTWISE_ACTIVATIONS(X)                                                              \
    X(linear, 0, .param = {NULL})                                                                  \
    X(relu, 0, IA_PARAM3("negative_slope", 0, "max_value", INFINITY, "threshold", 0))              \
    X(relu6, 0, .param = {NULL})                                                                   \
    X(leaky_relu, 0, IA_PARAM1("negative_slope", 0.2f))                                            \
    X(elu, 1, IA_PARAM1("alpha", 1))                                                               \
    X(selu, 0, .param = {NULL})                                                                    \
    X(celu, 0, IA_PARAM1("alpha", 1))                                                              \
    X(softplus, 0, .param = {NULL})                                                                \
    X(softsign, 1, .param = {NULL})                                                                \
    X(squareplus, 1, IA_PARAM1("b", 4))                                                            \
    X(soft_shrink, 0, IA_PARAM1("threshold", 0.5f))                                                \
    X(hard_shrink, 1, IA_PARAM1("threshold", 0.5f))                                                \
    X(tanh_shrink, 1, .param = {NULL})                                                             \
    X(sparse_plus, 0, .param = {NULL})                                                             \
    X(silu, 1, .param = {NULL})                                                                    \
    X(gelu, 1, IA_PARAM1("approximate", 0))                                                        \
    X(tanh, 0, .param = {NULL})                                                                    \
    X(sigmoid, 0, .param = {NULL})                                                                 \
    X(exponential, 0, .param = {NULL})                                                             \
    X(hard_sigmoid, 0, IA_PARAM2("slope", 1.0f / 6.0f, "offset", 0.5f))                            \
    X(hard_silu, 1, .param = {NULL})                                                               \
    X(hard_tanh, 1, .param = {NULL})                                                               \
    X(mish, 1, .param = {NULL})                                                                    \
    X(log_sigmoid, 0, .param = {NULL})                                                             \
    X(sparse_sigmoid, 0, .param = {NULL})                                                          \
    X(threshold, 1, IA_PARAM2("threshold", 0, "value", 0))

/* X(name, derivative needs z): these run along a row; rows.inc.h and sparsemax.inc.h. */
#define IA_ROW_ACTIVATIONS(X)                                                                      \
    X(softmax, 0)                                                                                  \
    X(log_softmax, 0)                                                                              \
    X(sparsemax, 1)

#define IA_F(name) IA_ALWAYS_INLINE float ia_f_##name(float z, const float *p)
/* f'(z); y = f(z). Where the list says 0, z is not to be read. */
#define IA_D(name) IA_ALWAYS_INLINE float ia_d_##name(float z, float y, const float *p)

/* The unused parameters of most pairs. */
#define IA_NO_P (void)p
#define IA_ONLY_Y (void)z, (void)p
#define IA_ONLY_Z (void)y, (void)p

IA_F(linear)
{
    IA_NO_P;
    return z;
}
IA_D(linear)
{
    IA_ONLY_Y;
    (void)y;
    return 1.0f;
}

/* max_value for z >= max_value, z above the threshold, negative_slope (z - threshold) below it; 0
 * on a threshold other than 0, as Keras computes it. All three parameters are >= 0 (Keras refuses
 * others), so that y tells the piece. */
IA_F(relu)
{
    float slope = p[0], cap = p[1], threshold = p[2];
    float below = z - threshold;
    float lower = ia_pick(slope == 0.0f, 0.0f, slope * below);
    float upper = ia_pick(z > cap, cap, z);
    lower = ia_pick(below == 0.0f, below, lower);
    return ia_pick(z <= threshold, lower, upper);
}
/* At 0 relu'(0) = 0, a plain leaky relu has its slope, as in TensorFlow; at max_value 0, as relu6.
 */
IA_D(relu)
{
    (void)z;
    float slope = p[0], cap = p[1];
    int leaky = (p[2] == 0.0f) & (cap == INFINITY);
    float upper = ia_pick((y >= cap) & (cap < INFINITY), 0.0f, 1.0f);
    float lower = ia_pick((y < 0.0f) | leaky, slope, 0.0f);
    return ia_pick(y > 0.0f, upper, lower);
}

IA_F(relu6)
{
    IA_NO_P;
    return ia_pick(z > 6.0f, 6.0f, ia_law_relu(z));
}
IA_D(relu6)
{
    IA_ONLY_Y;
    return ia_pick((y > 0.0f) & (y < 6.0f), 1.0f, 0.0f);
}

IA_F(leaky_relu) /* slope >= 0 */
{
    return ia_pick(z > 0.0f, z, p[0] * z);
}
IA_D(leaky_relu)
{
    (void)z;
    return ia_pick(y > 0.0f, 1.0f, p[0]);
}

IA_F(elu)
{
    return ia_pick(z > 0.0f, z, p[0] * ia_expm1f(z));
}
IA_D(elu) /* alpha e^z = y + alpha */
{
    return ia_pick(z > 0.0f, 1.0f, y + p[0]);
}

#define IA_SELU_SCALE 1.0507009873554804934193349852946f
#define IA_SELU_SCALE_ALPHA 1.7580993408473768599402175208123f
IA_F(selu)
{
    IA_NO_P;
    return ia_pick(z > 0.0f, IA_SELU_SCALE * z, IA_SELU_SCALE_ALPHA * ia_expm1f(z));
}
IA_D(selu)
{
    IA_ONLY_Y;
    return ia_pick(y < 0.0f, y + IA_SELU_SCALE_ALPHA, IA_SELU_SCALE);
}

/* 1 at 0, the limit from both sides; TensorFlow's max and min both pass there and give 2. */
IA_F(celu) /* alpha != 0 */
{
    return ia_pick(z > 0.0f, z, p[0] * ia_expm1f(z / p[0]));
}
IA_D(celu)
{
    (void)z;
    return ia_pick(y < 0.0f, y / p[0] + 1.0f, 1.0f);
}

IA_F(softplus)
{
    IA_NO_P;
    return ia_softplusf(z);
}
IA_D(softplus) /* sigmoid(z) = 1 - e^-y */
{
    IA_ONLY_Y;
    return -ia_expm1f(-y);
}

IA_F(softsign)
{
    IA_NO_P;
    float a = ia_abs(z); /* 1 - 1/(1+a) at infinity, where z/(1+a) is NaN */
    return ia_pick(a == INFINITY, ia_sign_of(1.0f, z), z / (1.0f + a));
}
IA_D(softsign)
{
    IA_ONLY_Z;
    float d = 1.0f + ia_abs(z);
    return 1.0f / (d * d);
}

IA_F(squareplus)
{
    return (z + sqrtf(fmaf(z, z, p[0]))) * 0.5f;
}
IA_D(squareplus)
{
    (void)y;
    return fmaf(z / sqrtf(fmaf(z, z, p[0])), 0.5f, 0.5f);
}

IA_F(soft_shrink) /* threshold >= 0 */
{
    float inner = ia_pick(z < -p[0], z + p[0], z - p[0]);
    return ia_pick((z >= -p[0]) & (z <= p[0]), 0.0f, inner);
}
IA_D(soft_shrink)
{
    IA_ONLY_Y;
    return ia_pick(y == 0.0f, 0.0f, 1.0f);
}

IA_F(hard_shrink)
{
    return ia_pick(ia_abs(z) <= p[0], 0.0f, z);
}
IA_D(hard_shrink)
{
    (void)y;
    return ia_pick(ia_abs(z) <= p[0], 0.0f, 1.0f);
}

IA_F(tanh_shrink)
{
    IA_NO_P;
    return z - ia_tanhf(z);
}
IA_D(tanh_shrink)
{
    IA_ONLY_Z;
    float t = ia_tanhf(z);
    return t * t;
}

IA_F(sparse_plus)
{
    IA_NO_P;
    float s = z + 1.0f;
    return ia_pick(z <= -1.0f, 0.0f, ia_pick(z < 1.0f, 0.25f * (s * s), z));
}
IA_D(sparse_plus) /* (z+1)/2 = sqrt(y) inside */
{
    IA_ONLY_Y;
    return ia_pick(y < 1.0f, sqrtf(y), 1.0f);
}

IA_F(silu)
{
    IA_NO_P;
    return z * ia_sigmoidf(z);
}
IA_D(silu)
{
    IA_ONLY_Z;
    float s = ia_sigmoidf(z);
    return fmaf(z * s, 1.0f - s, s);
}

#define IA_SQRT_HALF 0.70710678118654752440084436210485f
#define IA_NORMAL_PEAK 0.39894228040143267793994605993438f /* 1/sqrt(2 pi) */
#define IA_GELU_SCALE 0.79788456080286535587989211986876f  /* sqrt(2/pi) */
#define IA_GELU_CUBIC 0.044715f
/* z Phi(z), or with p[0] != 0 its approximation by tanh. Both are computed: a branch would cost the
 * vector loop. */
IA_ALWAYS_INLINE float ia_gelu_cubic(float z)
{
    return ia_tanhf(IA_GELU_SCALE * fmaf(IA_GELU_CUBIC, z * z * z, z));
}
IA_F(gelu)
{
    float t = ia_pick(p[0] != 0.0f, ia_gelu_cubic(z), ia_erff(z * IA_SQRT_HALF));
    return 0.5f * z * (1.0f + t);
}
IA_D(gelu) /* (1 + t)/2 + z t'/2 */
{
    (void)y;
    float cubic = ia_gelu_cubic(z), erf = ia_erff(z * IA_SQRT_HALF);
    float rate = IA_GELU_SCALE * fmaf(3.0f * IA_GELU_CUBIC, z * z, 1.0f);
    float cubic_slope = 0.5f * rate * fmaf(-cubic, cubic, 1.0f);
    float erf_slope = IA_NORMAL_PEAK * ia_expf(-0.5f * z * z);
    float t = ia_pick(p[0] != 0.0f, cubic, erf);
    return fmaf(z, ia_pick(p[0] != 0.0f, cubic_slope, erf_slope), fmaf(0.5f, t, 0.5f));
}

IA_F(tanh)
{
    IA_NO_P;
    return ia_tanhf(z);
}
IA_D(tanh)
{
    IA_ONLY_Y;
    return fmaf(-y, y, 1.0f);
}

IA_F(sigmoid)
{
    IA_NO_P;
    return ia_sigmoidf(z);
}
IA_D(sigmoid)
{
    IA_ONLY_Y;
    return y * (1.0f - y);
}

IA_F(exponential)
{
    IA_NO_P;
    return ia_expf(z);
}
IA_D(exponential)
{
    IA_ONLY_Y;
    return y;
}

/* clip(slope z + offset, 0, 1): Keras 3 has 1/6 and 0.5, Keras 1 and 2 have 0.2 and 0.5 */
IA_F(hard_sigmoid)
{
    float t = fmaf(p[0], z, p[1]);
    return ia_pick(t > 1.0f, 1.0f, ia_law_relu(t));
}
IA_D(hard_sigmoid)
{
    (void)z;
    return ia_pick((y > 0.0f) & (y < 1.0f), p[0], 0.0f);
}

IA_F(hard_silu)
{
    float t = z + 3.0f;
    return z * (ia_f_relu6(t, p) / 6.0f);
}
IA_D(hard_silu)
{
    float t = ia_f_relu6(z + 3.0f, p);
    return fmaf(z, ia_d_relu6(y, t, p) / 6.0f, t / 6.0f);
}

IA_F(hard_tanh)
{
    IA_NO_P;
    float t = ia_pick(z < -1.0f, -1.0f, z);
    return ia_pick(t > 1.0f, 1.0f, t);
}
IA_D(hard_tanh) /* the clip passes at -1 and 1 themselves */
{
    IA_ONLY_Z;
    return ia_pick((z < -1.0f) | (z > 1.0f), 0.0f, 1.0f);
}

/* z tanh(softplus(z)) = z w/(w+2) with w = e(e+2), e = exp(z); past 20 the quotient is 1. */
IA_F(mish)
{
    IA_NO_P;
    float e = ia_expf(ia_pick(z > 20.0f, 20.0f, z));
    float w = e * (e + 2.0f);
    return z * (w / (w + 2.0f));
}
/* t + z (1-t^2) sigmoid(z), 1-t = 2/(w+2) */
IA_D(mish)
{
    IA_ONLY_Z;
    float e = ia_expf(ia_pick(z > 20.0f, 20.0f, z));
    float w = e * (e + 2.0f), d = w + 2.0f;
    float t = w / d, sech2 = (2.0f / d) * (1.0f + t);
    return fmaf(z * sech2, e / (1.0f + e), t);
}

IA_F(log_sigmoid)
{
    IA_NO_P;
    return -ia_softplusf(-z);
}
IA_D(log_sigmoid) /* sigmoid(-z) = 1 - e^y */
{
    IA_ONLY_Y;
    return -ia_expm1f(y);
}

IA_F(sparse_sigmoid)
{
    IA_NO_P;
    return ia_pick(z <= -1.0f, 0.0f, ia_pick(z >= 1.0f, 1.0f, 0.5f * (z + 1.0f)));
}
IA_D(sparse_sigmoid)
{
    IA_ONLY_Y;
    return ia_pick((y > 0.0f) & (y < 1.0f), 0.5f, 0.0f);
}

IA_F(threshold)
{
    return ia_pick(z <= p[0], p[1], z);
}
IA_D(threshold)
{
    (void)y;
    return ia_pick(z <= p[0], 0.0f, 1.0f);
}

#endif
