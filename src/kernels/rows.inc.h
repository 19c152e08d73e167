/* Template: what runs along a row (law c): sums, softmax and kin with their derivatives. */

/* lane[j] += value for the elements of one row; `value` is an expression in i, the column. */
#define LANE_SUM(lane, cols, value)                                                                \
    do {                                                                                           \
        size_t at = 0;                                                                             \
        for (; at + IA_LAW_LANES <= (cols); at += IA_LAW_LANES)                                    \
            IA_LANES (j) {                                                                         \
                size_t i = at + (size_t)j;                                                         \
                (lane)[j] = (lane)[j] + (value);                                                   \
            }                                                                                      \
        for (size_t i = at; i < (cols); i++)                                                       \
            (lane)[i - at] = (lane)[i - at] + (value);                                             \
    } while (0)

static inline float row_total(size_t cols, const float *x)
{
    float lane[IA_LAW_LANES] = {0};
    LANE_SUM(lane, cols, x[i]);
    return ia_law_lanes_sum(lane);
}

static inline float row_max(size_t cols, const float *x)
{
    float lane[IA_LAW_LANES];
    size_t at = 0;
    for (int j = 0; j < IA_LAW_LANES; j++)
        lane[j] = -INFINITY;
    for (; at + IA_LAW_LANES <= cols; at += IA_LAW_LANES)
        IA_LANES (j)
            lane[j] = ia_law_max(lane[j], x[at + (size_t)j]);
    for (size_t j = 0; at + j < cols; j++)
        lane[j] = ia_law_max(lane[j], x[at + j]);
    return ia_law_lanes_max(lane);
}

static void row_sum(size_t rows, size_t cols, const float *a, const float *b, const float *c,
                    float *y)
{
    (void)b, (void)c;
    for (size_t r = 0; r < rows; r++)
        y[r] = row_total(cols, a + r * cols);
}

static void row_sqdiff(size_t rows, size_t cols, const float *a, const float *b, const float *c,
                       float *y)
{
    (void)c;
    for (size_t r = 0; r < rows; r++) {
        const float *x = a + r * cols;
        float lane[IA_LAW_LANES] = {0}, mean = b[r];
        size_t at = 0;
        for (; at + IA_LAW_LANES <= cols; at += IA_LAW_LANES)
            IA_LANES (j) {
                float d = x[at + (size_t)j] - mean;
                lane[j] = fmaf(d, d, lane[j]);
            }
        for (size_t j = 0; at + j < cols; j++) {
            float d = x[at + j] - mean;
            lane[j] = fmaf(d, d, lane[j]);
        }
        y[r] = ia_law_lanes_sum(lane);
    }
}

static inline float row_product(size_t cols, const float *x, const float *y)
{
    float lane[IA_LAW_LANES] = {0};
    size_t at = 0;
    for (; at + IA_LAW_LANES <= cols; at += IA_LAW_LANES)
        IA_LANES (j)
            lane[j] = fmaf(x[at + (size_t)j], y[at + (size_t)j], lane[j]);
    for (size_t j = 0; at + j < cols; j++)
        lane[j] = fmaf(x[at + j], y[at + j], lane[j]);
    return ia_law_lanes_sum(lane);
}

static void row_dot(size_t rows, size_t cols, const float *a, const float *b, const float *c,
                    float *y)
{
    (void)c;
    for (size_t r = 0; r < rows; r++)
        y[r] = row_product(cols, a + r * cols, b + r * cols);
}

/* y[i] = value, an expression in u and v (of a and b, padded), for the elements of one row. y may
 * be a or b. */
#define ROW_MAP(cols, a, b, y, value)                                                              \
    do {                                                                                           \
        float t[IA_LAW_LANES];                                                                     \
        size_t at = 0;                                                                             \
        for (; at + IA_LAW_LANES <= (cols); at += IA_LAW_LANES) {                                  \
            IA_LANES (j) {                                                                         \
                float u = (a)[at + (size_t)j], v = (b)[at + (size_t)j];                            \
                (void)v;                                                                           \
                t[j] = value;                                                                      \
            }                                                                                      \
            memcpy((y) + at, t, sizeof t);                                                         \
        }                                                                                          \
        if (at < (cols)) {                                                                         \
            float ta[IA_LAW_LANES] = {0}, tb[IA_LAW_LANES] = {0};                                  \
            size_t left = ((cols)-at) * sizeof(float);                                             \
            memcpy(ta, (a) + at, left);                                                            \
            memcpy(tb, (b) + at, left);                                                            \
            IA_LANES (j) {                                                                         \
                float u = ta[j], v = tb[j];                                                        \
                (void)v;                                                                           \
                t[j] = value;                                                                      \
            }                                                                                      \
            memcpy((y) + at, t, left);                                                             \
        }                                                                                          \
    } while (0)

/* y = exp(z - max z) / sum */
static void softmax(size_t rows, size_t cols, const float *a, const float *b, const float *c,
                    float *y)
{
    (void)b, (void)c;
    for (size_t r = 0; r < rows; r++) {
        const float *z = a + r * cols;
        float *out = y + r * cols, top = row_max(cols, z);
        ROW_MAP(cols, z, z, out, ia_expf(u - top));
        float sum = row_total(cols, out);
        ROW_MAP(cols, out, out, out, u / sum);
    }
}

/* dz = y (dy - sum y dy) */
static void softmax_dz(size_t rows, size_t cols, const float *a, const float *b, const float *c,
                       float *y)
{
    (void)c;
    for (size_t r = 0; r < rows; r++) {
        const float *p = a + r * cols, *dp = b + r * cols;
        float dot = row_product(cols, p, dp);
        ROW_MAP(cols, p, dp, y + r * cols, u * (v - dot));
    }
}

static inline float row_sum_exp(size_t cols, const float *z, float top)
{
    float lane[IA_LAW_LANES] = {0}, e[IA_LAW_LANES], tail[IA_LAW_LANES] = {0};
    size_t at = 0;
    for (; at + IA_LAW_LANES <= cols; at += IA_LAW_LANES)
        IA_LANES (j)
            lane[j] = lane[j] + ia_expf(z[at + (size_t)j] - top);
    memcpy(tail, z + at, (cols - at) * sizeof(float));
    IA_LANES (j)
        e[j] = ia_expf(tail[j] - top);
    for (size_t j = 0; at + j < cols; j++)
        lane[j] = lane[j] + e[j];
    return ia_law_lanes_sum(lane);
}

/* y = (z - max z) - log sum exp(z - max z) */
static void log_softmax(size_t rows, size_t cols, const float *a, const float *b, const float *c,
                        float *y)
{
    (void)b, (void)c;
    for (size_t r = 0; r < rows; r++) {
        const float *z = a + r * cols;
        float top = row_max(cols, z), log_sum = ia_logf(row_sum_exp(cols, z, top));
        ROW_MAP(cols, z, z, y + r * cols, (u - top) - log_sum);
    }
}

/* dz = dy - exp(y) sum dy */
static void log_softmax_dz(size_t rows, size_t cols, const float *a, const float *b, const float *c,
                           float *y)
{
    (void)c;
    for (size_t r = 0; r < rows; r++) {
        const float *logp = a + r * cols, *dy = b + r * cols;
        float sum = row_total(cols, dy);
        ROW_MAP(cols, logp, dy, y + r * cols, fmaf(-ia_expf(u), sum, v));
    }
}

#undef LANE_SUM
#undef ROW_MAP
