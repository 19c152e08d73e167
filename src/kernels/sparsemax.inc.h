/* Template: sparsemax as Keras 3 computes it, and its derivative.
 *
 * For a row sorted downwards, z1 >= z2 >= ..., k is the number of leading elements with
 * z_j - (z_1 + ... + z_j - 1)/j > 0. Martins and Astudillo's threshold is (z_1 + ... + z_k - 1)/k;
 * every backend of Keras 3 adds up the partial sums instead, tau = (sum_j (z_1 + ... + z_j) - 1)/k,
 * so that rows with k > 1 do not sum to 1 (seen in 3.15.1). Models trained there expect those
 * numbers.
 *
 * The order is found by taking the next largest element k times: k is small, no room is needed. */

/* Walks down a row; elements that are equal go by their index. NaN and -infinity are never reached.
 */
typedef struct row_walk {
    size_t cols, at;
    const float *z;
    float value;
    int started;
} row_walk;

static int row_next(row_walk *w)
{
    size_t best = w->cols;
    float top = -INFINITY;
    for (size_t i = 0; i < w->cols; i++) {
        int after = !w->started | (w->z[i] < w->value) | ((w->z[i] == w->value) & (i > w->at));
        if (after & (w->z[i] > top)) {
            top = w->z[i];
            best = i;
        }
    }
    w->started = 1;
    w->at = best;
    w->value = top;
    return best < w->cols;
}

/* tau and k; NaN and 0 when no element qualifies (infinity or NaN in the row). */
static size_t sparsemax_threshold(size_t cols, const float *z, float *tau)
{
    row_walk w = {.cols = cols, .z = z};
    float sum = 0, sums = 0;
    size_t k = 0;
    while (row_next(&w)) {
        sum = sum + w.value;
        if (!(w.value - (sum - 1.0f) / (float)(k + 1) > 0.0f))
            break;
        sums = sums + sum;
        k++;
    }
    *tau = k ? (sums - 1.0f) / (float)k : NAN;
    return k;
}

static void sparsemax(size_t rows, size_t cols, const float *a, const float *b, const float *c,
                      float *y)
{
    (void)b, (void)c;
    for (size_t r = 0; r < rows; r++) {
        const float *z = a + r * cols;
        float tau, *out = y + r * cols;
        sparsemax_threshold(cols, z, &tau);
        for (size_t i = 0; i < cols; i++)
            out[i] = ia_law_relu(z[i] - tau);
    }
}

/* dz_i = m_i dy_i - (k - rank_i + 1)/k sum_j m_j dy_j, the second part for the k leading elements
 * only; m is 1 where z - tau >= 0. a = y, b = dy, c = z. */
static void sparsemax_dz(size_t rows, size_t cols, const float *a, const float *b, const float *c,
                         float *y)
{
    (void)a;
    for (size_t r = 0; r < rows; r++) {
        const float *z = c + r * cols, *dy = b + r * cols;
        float *dz = y + r * cols, tau, lane[IA_LAW_LANES] = {0};
        size_t k = sparsemax_threshold(cols, z, &tau);
        for (size_t i = 0; i < cols; i++) {
            dz[i] = ia_pick(z[i] - tau < 0.0f, 0.0f, dy[i]);
            lane[i % IA_LAW_LANES] = lane[i % IA_LAW_LANES] + dz[i];
        }
        float sum = ia_law_lanes_sum(lane);
        row_walk w = {.cols = cols, .z = z};
        for (size_t left = k; left && row_next(&w); left--)
            dz[w.at] = fmaf(-((float)left / (float)k), sum, dz[w.at]);
    }
}
