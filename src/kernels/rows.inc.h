/* Template: what runs along a row (law c): sums, softmax and kin with their derivatives.
 * LANE_SUM and ROW_MAP serve loss.inc.h too, which ends them. */

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

/* ia_law_lanes_sum and ia_law_lanes_max in steps that compilers turn into vectors. */
#define LANES_TREE(name, number, joined)                                                           \
    static inline number name(const number *lane)                                                  \
    {                                                                                              \
        number h[8], q[4];                                                                         \
        for (int j = 0; j < 8; j++) {                                                              \
            number a = lane[j], b = lane[j + 8];                                                   \
            h[j] = joined;                                                                         \
        }                                                                                          \
        for (int j = 0; j < 4; j++) {                                                              \
            number a = h[j], b = h[j + 4];                                                         \
            q[j] = joined;                                                                         \
        }                                                                                          \
        for (int j = 0; j < 2; j++) {                                                              \
            number a = q[j], b = q[j + 2];                                                         \
            q[j] = joined;                                                                         \
        }                                                                                          \
        number a = q[0], b = q[1];                                                                 \
        return joined;                                                                             \
    }
LANES_TREE(lanes_sum, float, a + b)
LANES_TREE(lanes_sum_f64, double, a + b)
LANES_TREE(lanes_max, float, ia_law_max(a, b))
#undef LANES_TREE

static inline float row_total(size_t cols, const float *x)
{
    float lane[IA_LAW_LANES] = {0};
    LANE_SUM(lane, cols, x[i]);
    return lanes_sum(lane);
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
    return lanes_max(lane);
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
        y[r] = lanes_sum(lane);
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
    return lanes_sum(lane);
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

/* y = exp(z - max z) / sum for a row of one block: one copy in, one out. What follows the row is
 * -infinity, and so adds nothing. */
static inline void softmax_short(size_t cols, const float *z, float *y)
{
    float t[IA_LAW_LANES];
    for (int j = 0; j < IA_LAW_LANES; j++)
        t[j] = -INFINITY;
    memcpy(t, z, cols * sizeof *t);
    float top = lanes_max(t);
    IA_LANES (j)
        t[j] = ia_expf(t[j] - top);
    float sum = lanes_sum(t);
    IA_LANES (j)
        t[j] = t[j] / sum;
    memcpy(y, t, cols * sizeof *t);
}

/* y = exp(z - max z) / sum for any row */
static void softmax(size_t rows, size_t cols, const float *a, const float *b, const float *c,
                    float *y)
{
    (void)b, (void)c;
    for (size_t r = 0; cols > 0 && cols <= IA_LAW_LANES && r < rows; r++)
        softmax_short(cols, a + r * cols, y + r * cols);
    for (size_t r = 0; cols > IA_LAW_LANES && r < rows; r++) {
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
    return lanes_sum(lane);
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
