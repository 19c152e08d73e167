/* Template: the optimizers' updates, and the sum of squares that clipping by norm needs. */

#define UPDATE_LOOP(name, slots)                                                                   \
    static inline void update_##name##_block(const float *p, const float *g, float *w,             \
                                             float (*s)[IA_LAW_LANES])                             \
    {                                                                                              \
        IA_LANES (j)                                                                               \
            w[j] = ia_step_##name(p, g[j], w[j], &s[0][j], &s[1][j], &s[2][j]);                    \
    }                                                                                              \
    static void update_##name(size_t n, const float *params, const float *g, float *w,             \
                              float *const *slot)                                                  \
    {                                                                                              \
        float p[IA_UPDATE_PARAMS];                                                                 \
        memcpy(p, params, sizeof p);                                                               \
        for (size_t i = 0; i < n; i += IA_LAW_LANES) {                                             \
            float tg[IA_LAW_LANES], tw[IA_LAW_LANES], s[3][IA_LAW_LANES];                          \
            if (n - i >= IA_LAW_LANES) {                                                           \
                memcpy(tg, g + i, IA_LANE_BYTES);                                                  \
                memcpy(tw, w + i, IA_LANE_BYTES);                                                  \
                for (int k = 0; k < slots; k++)                                                    \
                    memcpy(s[k], slot[k] + i, IA_LANE_BYTES);                                      \
                update_##name##_block(p, tg, tw, s);                                               \
                memcpy(w + i, tw, IA_LANE_BYTES);                                                  \
                for (int k = 0; k < slots; k++)                                                    \
                    memcpy(slot[k] + i, s[k], IA_LANE_BYTES);                                      \
            } else {                                                                               \
                size_t left = (n - i) * sizeof(float);                                             \
                memset(tg, 0, sizeof tg);                                                          \
                memset(tw, 0, sizeof tw);                                                          \
                memset(s, 0, sizeof s);                                                            \
                memcpy(tg, g + i, left);                                                           \
                memcpy(tw, w + i, left);                                                           \
                for (int k = 0; k < slots; k++)                                                    \
                    memcpy(s[k], slot[k] + i, left);                                               \
                update_##name##_block(p, tg, tw, s);                                               \
                memcpy(w + i, tw, left);                                                           \
                for (int k = 0; k < slots; k++)                                                    \
                    memcpy(slot[k] + i, s[k], left);                                               \
            }                                                                                      \
        }                                                                                          \
        (void)slot;                                                                                \
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
