/* Template: losses with their gradients (losses.h), the largest of a row, penalties on weights. */

/* ---- element-wise: loss = sum over the sample / divisor ---- */

/* Values and slopes of 16 elements. */
typedef void loss_block_fn(const float *x, const float *t, const float *param, double *v, float *d);

static inline float loss_scale(const ia_loss_rows *l, size_t sample)
{
    return l->weight ? l->scale * l->weight[l->per > 1 ? sample / l->per : sample] : l->scale;
}

IA_ALWAYS_INLINE void loss_sample(const ia_loss_rows *l, size_t s, const float *param,
                                  loss_block_fn *block)
{
    const float *x = l->x + s * l->cols, *t = l->t + s * l->cols;
    float *g = l->grad ? l->grad + s * l->cols : NULL, scale = loss_scale(l, s);
    double lane[IA_LAW_LANES] = {0}, v[IA_LAW_LANES];
    float d[IA_LAW_LANES];
    size_t at = 0;
    for (; at + IA_LAW_LANES <= l->cols; at += IA_LAW_LANES) {
        block(x + at, t + at, param, v, d);
        IA_LANES (j) {
            lane[j] = lane[j] + v[j];
            d[j] = d[j] * scale;
        }
        if (g)
            memcpy(g + at, d, sizeof d);
    }
    if (at < l->cols) {
        float u[IA_LAW_LANES] = {0}, w[IA_LAW_LANES] = {0};
        size_t n = l->cols - at, left = n * sizeof(float);
        memcpy(u, x + at, left);
        memcpy(w, t + at, left);
        block(u, w, param, v, d);
        IA_LANES (j)
            d[j] = d[j] * scale;
        for (size_t j = 0; j < n; j++)
            lane[j] = lane[j] + v[j];
        if (g)
            memcpy(g + at, d, left);
    }
    l->loss[s] = lanes_sum_f64(lane) / l->divisor;
}

/* Samples of one number, n <= 16 of them from s on, side by side. */
IA_ALWAYS_INLINE void loss_column(const ia_loss_rows *l, size_t s, size_t n, const float *param,
                                  loss_block_fn *block)
{
    float u[IA_LAW_LANES] = {0}, w[IA_LAW_LANES] = {0}, d[IA_LAW_LANES], scale[IA_LAW_LANES];
    double v[IA_LAW_LANES];
    memcpy(u, l->x + s, n * sizeof *u);
    memcpy(w, l->t + s, n * sizeof *w);
    IA_LANES (j)
        scale[j] = l->scale;
    for (size_t j = 0; l->weight && j < n; j++)
        scale[j] = loss_scale(l, s + j);
    block(u, w, param, v, d);
    IA_LANES (j) {
        v[j] = v[j] / l->divisor;
        d[j] = d[j] * scale[j];
    }
    memcpy(l->loss + s, v, n * sizeof *v);
    if (l->grad)
        memcpy(l->grad + s, d, n * sizeof *d);
}

#define LOSS_ELEMENTS(name)                                                                        \
    IA_ALWAYS_INLINE void loss_##name##_block(const float *x, const float *t, const float *param,  \
                                              double *v, float *d)                                 \
    {                                                                                              \
        IA_LANES (j) {                                                                             \
            float slope;                                                                           \
            v[j] = ia_l_##name(x[j], t[j], param, &slope);                                         \
            d[j] = slope;                                                                          \
        }                                                                                          \
    }                                                                                              \
    static void loss_##name(const ia_loss_rows *l, size_t begin, size_t end)                       \
    {                                                                                              \
        const float param[IA_LOSS_PARAMS] = {l->param[0], l->param[1]};                            \
        if (l->cols > 1)                                                                           \
            for (size_t i = begin; i < end; i++)                                                   \
                loss_sample(l, i, param, loss_##name##_block);                                     \
        size_t s = l->cols > 1 ? end : begin;                                                      \
        for (; s + IA_LAW_LANES <= end; s += IA_LAW_LANES)                                         \
            loss_column(l, s, IA_LAW_LANES, param, loss_##name##_block);                           \
        if (s < end)                                                                               \
            loss_column(l, s, end - s, param, loss_##name##_block);                                \
    }
IA_ELEMENT_LOSSES(LOSS_ELEMENTS)
#undef LOSS_ELEMENTS

/* ---- cross-entropy of a softmax ---- */

/* log sum exp(x - top) of sample s, and its softmax into g where y is not there to tell. */
static inline float loss_log_sum(const ia_loss_rows *l, size_t s, float top, float *g)
{
    const float *x = l->x + s * l->cols;
    if (l->y) /* exp(0) is 1: the largest is 1 / sum exp(x - top) */
        return -ia_logf(row_max(l->cols, l->y + s * l->cols));
    if (!g)
        return ia_logf(row_sum_exp(l->cols, x, top));
    ROW_MAP(l->cols, x, x, g, ia_expf(u - top));
    float sum = row_total(l->cols, g);
    ROW_MAP(l->cols, g, g, g, u / sum);
    return ia_logf(sum);
}

static inline void loss_no_class(const ia_loss_rows *l, size_t s)
{
    l->loss[s] = (double)NAN;
    for (size_t c = 0; l->grad && c < l->cols; c++)
        l->grad[s * l->cols + c] = NAN;
}

/* log sum exp(x) - x[k]; slopes softmax(x) - (c == k). */
static void loss_sparse_logits(const ia_loss_rows *l, size_t begin, size_t end)
{
    for (size_t s = begin; s < end; s++) {
        if (!(l->t[s] >= 0 && l->t[s] < (float)l->cols)) {
            loss_no_class(l, s);
            continue;
        }
        size_t k = (size_t)l->t[s];
        const float *x = l->x + s * l->cols;
        float *g = l->grad ? l->grad + s * l->cols : NULL, scale = loss_scale(l, s);
        const float *y = l->y ? l->y + s * l->cols : g;
        if (l->y && y[k] > 0x1p-100f) { /* smaller ones have lost digits */
            l->loss[s] = (double)-ia_logf(y[k]);
        } else {
            float top = row_max(l->cols, x);
            l->loss[s] = ((double)top - (double)x[k]) + (double)loss_log_sum(l, s, top, g);
        }
        if (g) {
            float own = (y[k] - 1.0f) * scale;
            ROW_MAP(l->cols, y, y, g, u * scale);
            g[k] = own;
        }
    }
}

/* sum t (log sum exp(x) - x), t smoothed to param[0] t + param[1]. Slopes softmax(x) - t, as
 * TensorFlow's operation gives them, also for targets that do not sum to 1. A class of no weight
 * does not count, were its x -infinity. */
static void loss_categorical_logits(const ia_loss_rows *l, size_t begin, size_t end)
{
    float keep = l->param[0], spread = l->param[1];
    for (size_t s = begin; s < end; s++) {
        const float *x = l->x + s * l->cols, *target = l->t + s * l->cols;
        float *g = l->grad ? l->grad + s * l->cols : NULL, scale = loss_scale(l, s);
        const float *y = l->y ? l->y + s * l->cols : g;
        double lane[IA_LAW_LANES] = {0}, weight[IA_LAW_LANES] = {0};
        float top = row_max(l->cols, x), log_sum = loss_log_sum(l, s, top, g);
        LANE_SUM(weight, l->cols, (double)fmaf(target[i], keep, spread));
        LANE_SUM(lane, l->cols,
                 ia_pick_f64(fmaf(target[i], keep, spread) == 0.0f, 0,
                             (double)fmaf(target[i], keep, spread) * ((double)top - (double)x[i])));
        double sum = lanes_sum_f64(lane);
        l->loss[s] = sum + lanes_sum_f64(weight) * (double)log_sum;
        if (g)
            ROW_MAP(l->cols, y, target, g, (u - fmaf(v, keep, spread)) * scale);
    }
}

#undef LANE_SUM
#undef ROW_MAP

/* ---- the largest of a row ---- */

/* Short rows: no lanes to fill. */
static inline float row_argmax_short(size_t cols, const float *x)
{
    float most = x[0];
    int32_t place = 0;
    for (size_t i = 1; i < cols; i++) {
        place = x[i] > most ? (int32_t)i : place;
        most = x[i] > most ? x[i] : most;
    }
    return (float)place;
}

static inline float row_argmax_long(size_t cols, const float *x)
{
    float most[IA_LAW_LANES];
    int32_t place[IA_LAW_LANES];
    size_t at = 0;
    for (int j = 0; j < IA_LAW_LANES; j++) {
        most[j] = -INFINITY;
        place[j] = j;
    }
    for (; at + IA_LAW_LANES <= cols; at += IA_LAW_LANES)
        IA_LANES (j) {
            float value = x[at + (size_t)j];
            int32_t yes = -(int32_t)(value > most[j]);
            most[j] = ia_pick(value > most[j], value, most[j]);
            place[j] = (yes & ((int32_t)at + j)) | (~yes & place[j]);
        }
    for (size_t j = 0; at + j < cols; j++)
        if (x[at + j] > most[j]) {
            most[j] = x[at + j];
            place[j] = (int32_t)(at + j);
        }
    int best = 0;
    for (int j = 1; j < IA_LAW_LANES; j++)
        if (most[j] > most[best] || (most[j] == most[best] && place[j] < place[best]))
            best = j;
    return x[0] != x[0] ? 0.0f : (float)place[best];
}

static void row_argmax(size_t rows, size_t cols, const float *a, const float *b, const float *c,
                       float *y)
{
    (void)b, (void)c;
    for (size_t r = 0; r < rows; r++)
        y[r] = cols < 4 * IA_LAW_LANES ? row_argmax_short(cols, a + r * cols)
                                       : row_argmax_long(cols, a + r * cols);
}

/* ---- penalties on weights ---- */

typedef struct penalty_block {
    float w[IA_LAW_LANES], anchor[IA_LAW_LANES], importance[IA_LAW_LANES];
} penalty_block;

/* n elements from `at` on; what follows adds nothing. */
static inline penalty_block penalty_load(const ia_penalty_rows *q, size_t at, size_t n)
{
    penalty_block b = {.w = {0}};
    for (int j = 0; j < IA_LAW_LANES; j++)
        b.importance[j] = 1;
    memcpy(b.w, q->w + at, n * sizeof *b.w);
    if (q->anchor)
        memcpy(b.anchor, q->anchor + at, n * sizeof *b.anchor);
    if (q->importance)
        memcpy(b.importance, q->importance + at, n * sizeof *b.importance);
    return b;
}

static double penalty_sum(const ia_penalty_rows *q, size_t n)
{
    double lane[IA_LAW_LANES] = {0}, sum = 0;
    for (size_t at = 0; at < n; at += IA_LAW_LANES) {
        penalty_block b = penalty_load(q, at, n - at < IA_LAW_LANES ? n - at : IA_LAW_LANES);
        IA_LANES (j) {
            double d = (double)b.w[j] - (double)b.anchor[j];
            lane[j] = lane[j] + d * d * (double)b.importance[j];
        }
    }
    for (int j = 0; j < IA_LAW_LANES; j++)
        sum = sum + lane[j];
    return sum;
}

static void penalty_grad(const ia_penalty_rows *q, size_t begin, size_t end)
{
    for (size_t at = begin; at < end; at += IA_LAW_LANES) {
        size_t n = end - at < IA_LAW_LANES ? end - at : IA_LAW_LANES;
        penalty_block b = penalty_load(q, at, n);
        float g[IA_LAW_LANES] = {0};
        memcpy(g, q->grad + at, n * sizeof *g);
        IA_LANES (j)
            g[j] = g[j] + q->scale * (b.importance[j] * (b.w[j] - b.anchor[j]));
        memcpy(q->grad + at, g, n * sizeof *g);
    }
}
