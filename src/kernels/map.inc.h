/* Template: element-wise loops (law d), compiled once for each instruction set. */

#define M(name) IA_ALWAYS_INLINE float map_##name(float a, float b, float c, const float *p)
#define M_ONLY_A (void)b, (void)c
#define M_A_B (void)c, (void)p
M(add)
{
    M_A_B;
    return a + b;
}
M(sub)
{
    M_A_B;
    return a - b;
}
M(mul)
{
    M_A_B;
    return a * b;
}
M(max) /* NaN passes from either side */
{
    M_A_B;
    return ia_pick((a < b) | (b != b), b, a);
}
M(min)
{
    M_A_B;
    return ia_pick((b < a) | (b != b), b, a);
}
M(scale)
{
    M_ONLY_A;
    return p[0] * a;
}
M(axpy)
{
    (void)c;
    return fmaf(p[0], a, b);
}
M(clip)
{
    M_ONLY_A;
    float t = ia_pick(a < p[0], p[0], a);
    return ia_pick(t > p[1], p[1], t);
}
M(decay)
{
    M_ONLY_A;
    return fmaf(-p[0], a, a);
}
M(scale_shift)
{
    (void)p;
    return fmaf(a, b, c);
}
M(only_scale)
{
    M_A_B;
    return fmaf(a, b, 0.0f);
}
M(only_shift)
{
    (void)b, (void)p;
    return fmaf(a, 1.0f, c);
}
#undef M
#undef M_ONLY_A
#undef M_A_B

/* A function of type ia_loop_fn over `value`, an expression in u, v, w (of a, b, c) and p. */
#define LOOP(loop, value)                                                                          \
    IA_ALWAYS_INLINE void loop##_block(const float *p, const float *a, const float *b,             \
                                       const float *c, float *t)                                   \
    {                                                                                              \
        (void)p;                                                                                   \
        IA_LANES (j) {                                                                             \
            float u = a[j], v = b[j], w = c[j];                                                    \
            (void)u, (void)v, (void)w;                                                             \
            t[j] = value;                                                                          \
        }                                                                                          \
    }                                                                                              \
    static void loop(size_t n, const float *params, const float *a, const float *b,                \
                     const float *c, float *y)                                                     \
    {                                                                                              \
        float t[IA_LAW_LANES];                                                                     \
        const float p[IA_LOOP_PARAMS] = {params[0], params[1], params[2]}; /* y cannot alias it */ \
        size_t i = 0;                                                                              \
        for (; i + IA_LAW_LANES <= n; i += IA_LAW_LANES) {                                         \
            loop##_block(p, a + i, b + i, c + i, t);                                               \
            memcpy(y + i, t, sizeof t);                                                            \
        }                                                                                          \
        if (i < n) {                                                                               \
            float u[IA_LAW_LANES] = {0}, v[IA_LAW_LANES] = {0}, w[IA_LAW_LANES] = {0};             \
            size_t left = (n - i) * sizeof(float);                                                 \
            memcpy(u, a + i, left);                                                                \
            memcpy(v, b + i, left);                                                                \
            memcpy(w, c + i, left);                                                                \
            loop##_block(p, u, v, w, t);                                                           \
            memcpy(y + i, t, left);                                                                \
        }                                                                                          \
    }

#define MAP_LOOP(name) LOOP(loop_##name, map_##name(u, v, w, p))
IA_MAPS(MAP_LOOP)
#define ACTIVATE_LOOP(name, ...)                                                                   \
    LOOP(activate_##name, ia_f_##name(u, p))                                                       \
    LOOP(activate_##name##_dz, w *ia_d_##name(u, v, p))
IA_ELEMENTWISE_ACTIVATIONS(ACTIVATE_LOOP)
#undef MAP_LOOP
#undef ACTIVATE_LOOP
#undef LOOP
