/* Template: the optimizers' updates, and the sum of squares that clipping by norm needs. */

static inline void update_load(int slots, float *const *slot, size_t i, size_t bytes,
                               float (*s)[IA_LAW_LANES])
{
    for (int k = 0; k < slots; k++)
        memcpy(s[k], slot[k] + i, bytes);
}

static inline void update_store(int slots, float *const *slot, size_t i, size_t bytes,
                                float (*s)[IA_LAW_LANES])
{
    for (int k = 0; k < slots; k++)
        memcpy(slot[k] + i, s[k], bytes);
}

/* name##_at takes `bytes` of a block of 16 elements at i; the rest of the block is zero. */
#define UPDATE_LOOP(name, slots)                                                                   \
    static inline void update_##name##_at(const float *p, const float *g, float *w,                \
                                          float *const *slot, size_t i, size_t bytes)              \
    {                                                                                              \
        float tg[IA_LAW_LANES] = {0}, tw[IA_LAW_LANES] = {0}, s[3][IA_LAW_LANES] = {{0}};          \
        memcpy(tg, g + i, bytes);                                                                  \
        memcpy(tw, w + i, bytes);                                                                  \
        update_load(slots, slot, i, bytes, s);                                                     \
        IA_LANES (j)                                                                               \
            tw[j] = ia_step_##name(p, tg[j], tw[j], &s[0][j], &s[1][j], &s[2][j]);                 \
        memcpy(w + i, tw, bytes);                                                                  \
        update_store(slots, slot, i, bytes, s);                                                    \
    }                                                                                              \
    static void update_##name(size_t n, const float *params, const float *g, float *w,             \
                              float *const *slot)                                                  \
    {                                                                                              \
        float p[IA_UPDATE_PARAMS];                                                                 \
        memcpy(p, params, sizeof p);                                                               \
        size_t i = 0;                                                                              \
        for (; i + IA_LAW_LANES <= n; i += IA_LAW_LANES)                                           \
            update_##name##_at(p, g, w, slot, i, IA_LANE_BYTES);                                   \
        if (i < n)                                                                                 \
            update_##name##_at(p, g, w, slot, i, (n - i) * sizeof(float));                         \
    }
IA_UPDATES(UPDATE_LOOP)
#undef UPDATE_LOOP

/* One block of at most IA_SQUARES_BLOCK: 16 double lanes, then the tree 8-4-2-1. A square of a float
 * is exact in double. */
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
