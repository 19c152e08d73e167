/* Template: sums over the rows of a matrix, column by column (law b). */

enum { COLUMNS_ADD, COLUMNS_MUL, COLUMNS_SQDIFF };

/* s[j] = the chain over `rows` rows of a strip `w` wide. b: a second matrix, or one mean a column.
 */
IA_ALWAYS_INLINE void columns_chain(int op, size_t rows, size_t w, size_t stride, const float *a,
                                    const float *b, float *restrict s)
{
    for (size_t j = 0; j < w; j++)
        s[j] = 0;
    for (size_t r = 0; r < rows; r++, a += stride) {
        if (op == COLUMNS_ADD)
            for (size_t j = 0; j < w; j++)
                s[j] = s[j] + a[j];
        if (op == COLUMNS_MUL)
            for (size_t j = 0; j < w; j++)
                s[j] = fmaf(a[j], b[j], s[j]);
        if (op == COLUMNS_SQDIFF)
            for (size_t j = 0; j < w; j++) {
                float d = a[j] - b[j];
                s[j] = fmaf(d, d, s[j]);
            }
        if (op == COLUMNS_MUL)
            b += stride;
    }
}

#define COLUMNS_WIDE 64
/* The tree of law.h over strips: level[i] waits while bit i of the number of blocks is set. */
#define COLUMNS_LEVELS 48

IA_ALWAYS_INLINE void columns_strip(int op, size_t rows, size_t w, size_t stride, const float *a,
                                    const float *b, float *out)
{
    float level[COLUMNS_LEVELS][COLUMNS_WIDE], s[COLUMNS_WIDE];
    size_t blocks = 0;
    for (size_t r = 0; r < rows; r += IA_LAW_ROWS, blocks++) {
        size_t n = rows - r < IA_LAW_ROWS ? rows - r : IA_LAW_ROWS;
        columns_chain(op, n, w, stride, a + r * stride, op == COLUMNS_MUL ? b + r * stride : b, s);
        int i = 0;
        for (; blocks >> i & 1; i++)
            for (size_t j = 0; j < w; j++)
                s[j] = level[i][j] + s[j];
        memcpy(level[i], s, w * sizeof(float));
    }
    memset(s, 0, sizeof s);
    int have = 0;
    for (int i = 0; i < COLUMNS_LEVELS; i++) {
        if (!(blocks >> i & 1))
            continue;
        for (size_t j = 0; j < w; j++)
            s[j] = have ? level[i][j] + s[j] : level[i][j];
        have = 1;
    }
    memcpy(out, s, w * sizeof(float));
}

IA_ALWAYS_INLINE void columns(int op, size_t rows, size_t cols, size_t stride, const float *a,
                              const float *b, float *out)
{
    size_t c = 0;
    for (; c + COLUMNS_WIDE <= cols; c += COLUMNS_WIDE)
        columns_strip(op, rows, COLUMNS_WIDE, stride, a + c, b + c, out + c);
    for (; c + IA_LAW_LANES <= cols; c += IA_LAW_LANES)
        columns_strip(op, rows, IA_LAW_LANES, stride, a + c, b + c, out + c);
    if (c < cols)
        columns_strip(op, rows, cols - c, stride, a + c, b + c, out + c);
}

static void columns_sum(size_t rows, size_t cols, size_t stride, const float *a, const float *b,
                        float *out)
{
    columns(COLUMNS_ADD, rows, cols, stride, a, b, out);
}

static void columns_sum_mul(size_t rows, size_t cols, size_t stride, const float *a, const float *b,
                            float *out)
{
    columns(COLUMNS_MUL, rows, cols, stride, a, b, out);
}

static void columns_sum_sqdiff(size_t rows, size_t cols, size_t stride, const float *a,
                               const float *b, float *out)
{
    columns(COLUMNS_SQDIFF, rows, cols, stride, a, b, out);
}
