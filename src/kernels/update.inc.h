/* Template: the optimizers' updates, and the sum of squares that clipping by norm needs. */

/* What a block of 16 elements becomes: w and the slots. */
typedef struct update_block {
    float w[IA_LAW_LANES], s[3][IA_LAW_LANES];
} update_block;

IA_ALWAYS_INLINE void update_store(const update_block *t, int slots, float *w, float *const *slot,
                                   size_t i, size_t bytes)
{
    memcpy(w + i, t->w, bytes);
    for (int k = 0; k < slots; k++)
        memcpy(slot[k] + i, t->s[k], bytes);
}

/* The last elements of an array, padded with zeros. */
static inline void update_load(update_block *t, int slots, const float *w, float *const *slot,
                               size_t i, size_t bytes)
{
    memset(t, 0, sizeof *t);
    memcpy(t->w, w + i, bytes);
    for (int k = 0; k < slots; k++)
        memcpy(t->s[k], slot[k] + i, bytes);
}

#define UPDATE_LOOP(name, slots)                                                                   \
    IA_ALWAYS_INLINE void update_##name##_block(const float *p, const float *g, const float *w,    \
                                                const float *s0, const float *s1, const float *s2, \
                                                update_block *t)                                   \
    {                                                                                              \
        IA_LANES (j) {                                                                             \
            float a = s0[j], b = s1[j], c = s2[j];                                                 \
            t->w[j] = ia_step_##name(p, g[j], w[j], &a, &b, &c);                                   \
            t->s[0][j] = a;                                                                        \
            t->s[1][j] = b;                                                                        \
            t->s[2][j] = c;                                                                        \
        }                                                                                          \
    }                                                                                              \
    static void update_##name(size_t n, const float *params, const float *g, float *w,             \
                              float *const *slot)                                                  \
    {                                                                                              \
        update_block t;                                                                            \
        float p[IA_UPDATE_PARAMS];                                                                 \
        memcpy(p, params, sizeof p);                                                               \
        /* a slot that the rule has not is read from w and forgotten */                            \
        const float *s0 = slots > 0 ? slot[0] : w, *s1 = slots > 1 ? slot[1] : w;                  \
        const float *s2 = slots > 2 ? slot[2] : w;                                                 \
        size_t i = 0;                                                                              \
        for (; i + IA_LAW_LANES <= n; i += IA_LAW_LANES) {                                         \
            update_##name##_block(p, g + i, w + i, s0 + i, s1 + i, s2 + i, &t);                    \
            update_store(&t, slots, w, slot, i, IA_LANE_BYTES);                                    \
        }                                                                                          \
        if (i < n) {                                                                               \
            update_block in;                                                                       \
            float tg[IA_LAW_LANES] = {0};                                                          \
            memcpy(tg, g + i, (n - i) * sizeof(float));                                            \
            update_load(&in, slots, w, slot, i, (n - i) * sizeof(float));                          \
            update_##name##_block(p, tg, in.w, in.s[0], in.s[1], in.s[2], &t);                     \
            update_store(&t, slots, w, slot, i, (n - i) * sizeof(float));                          \
        }                                                                                          \
    }
IA_UPDATES(UPDATE_LOOP)
#undef UPDATE_LOOP

/* One block of at most IA_SQUARES_BLOCK: 16 double lanes, then the tree 8-4-2-1. A square of a
 * float is exact in double. */
static double sum_squares(size_t n, const float *x)
{
    double lane[IA_LAW_LANES] = {0};
    size_t i = 0;
    for (; i + IA_LAW_LANES <= n; i += IA_LAW_LANES)
        IA_LANES (j) {
            double v = (double)x[i + (size_t)j];
            lane[j] = lane[j] + v * v;
        }
    for (size_t j = 0; i + j < n; j++)
        lane[j] = lane[j] + (double)x[i + j] * (double)x[i + j];
    for (int half = IA_LAW_LANES / 2; half; half /= 2)
        for (int j = 0; j < half; j++)
            lane[j] = lane[j] + lane[j + half];
    return lane[0];
}
