/* Template: register-blocked matrix products (laws a and b) for a vector type.
 *
 * A tile is TILE_M rows by two vectors of columns; its accumulators stay in registers over one
 * block of k, the block sums wait in c. Nothing outside the operands is read or written.
 *
 * The including file defines the vector type V and its number of floats VL; TILE_M and
 * TILE_ROWS(X), the rows of a tile; V_ZERO, V_SPREAD(p), V_LOAD(p), V_STORE(p, v), V_FMA(a, b, c),
 * V_ADD(a, b); for the first n floats, 0 < n <= VL, V_MASK, V_MASK_OF(n), V_LOAD_PART(p, mask) and
 * V_STORE_PART(p, mask, v); and transpose(src, lds, dst, ldd) of a square of TRANSPOSE_N. */

#define TILE_N (2 * VL)

/* c[i][j] (= or +=) sum over k of a[i * a_m + k * a_k] * b[k * ldb + j], + bias, for `cols` columns
 */
typedef struct tile {
    size_t k;
    const float *a;
    size_t a_m, a_k;
    const float *b;
    size_t ldb;
    int b_padded; /* reading b up to a whole vector is allowed */
    float *c;
    size_t ldc, cols;
    int add;
    const float *bias; /* or NULL */
} tile;

/* Joins a block's sum to c, then the bias. */
IA_ALWAYS_INLINE void tile_put(const tile *t, float *c, const float *bias, V v)
{
    if (t->add)
        v = V_ADD(V_LOAD(c), v);
    if (bias)
        v = V_ADD(v, V_LOAD(bias));
    V_STORE(c, v);
}

IA_ALWAYS_INLINE void tile_put_part(const tile *t, float *c, const float *bias, V_MASK mask, V v)
{
    if (t->add)
        v = V_ADD(V_LOAD_PART(c, mask), v);
    if (bias)
        v = V_ADD(v, V_LOAD_PART(bias, mask));
    V_STORE_PART(c, mask, v);
}

#define ROW_DECLARE(i) V c0##i = V_ZERO, c1##i = V_ZERO;
#define ROW_STEP(i)                                                                                \
    if (m > i) {                                                                                   \
        V x = V_SPREAD(a + i * a_m);                                                               \
        c0##i = V_FMA(x, b0, c0##i);                                                               \
        if (nv > 1)                                                                                \
            c1##i = V_FMA(x, b1, c1##i);                                                           \
    }
#define ROW_PUT(i)                                                                                 \
    if (m > i) {                                                                                   \
        float *c = t->c + i * t->ldc;                                                              \
        if (nv > 1)                                                                                \
            tile_put(t, c, t->bias, c0##i);                                                        \
        if (part)                                                                                  \
            tile_put_part(t, c + last, last_bias, mask, nv > 1 ? c1##i : c0##i);                   \
        else                                                                                       \
            tile_put(t, c + last, last_bias, nv > 1 ? c1##i : c0##i);                              \
    }

/* m rows and nv vectors, the last of them in part. */
IA_ALWAYS_INLINE void tile_body(const tile *t, const int m, const int nv)
{
    const size_t last = nv > 1 ? VL : 0, a_m = t->a_m, a_k = t->a_k, ldb = t->ldb;
    const int part = t->cols - last < VL;
    const float *a = t->a, *b = t->b, *last_bias = t->bias ? t->bias + last : NULL;
    V_MASK mask = V_MASK_OF(t->cols - last);
    TILE_ROWS(ROW_DECLARE)
    if (part && !t->b_padded) {
        for (size_t k = t->k; k; k--, a += a_k, b += ldb) {
            V b1 = V_LOAD_PART(b + last, mask), b0 = nv > 1 ? V_LOAD(b) : b1;
            TILE_ROWS(ROW_STEP)
        }
    } else {
        for (size_t k = t->k; k; k--, a += a_k, b += ldb) {
            V b1 = V_LOAD(b + last), b0 = nv > 1 ? V_LOAD(b) : b1;
            TILE_ROWS(ROW_STEP)
        }
    }
    if (part) {
        TILE_ROWS(ROW_PUT)
    } else {
        TILE_ROWS(ROW_PUT)
    }
}

typedef void tile_fn(const tile *t);
#define TILE_FUNCTIONS(i)                                                                          \
    static void tile_narrow_##i(const tile *t)                                                     \
    {                                                                                              \
        tile_body(t, i + 1, 1);                                                                    \
    }                                                                                              \
    static void tile_wide_##i(const tile *t)                                                       \
    {                                                                                              \
        tile_body(t, i + 1, 2);                                                                    \
    }
#define TILE_ENTRY(i) {tile_narrow_##i, tile_wide_##i},
TILE_ROWS(TILE_FUNCTIONS)
static tile_fn *const tile_table[TILE_M][2] = {TILE_ROWS(TILE_ENTRY)};

static inline void tile_run(const tile *t, size_t m)
{
    tile_table[m - 1][t->cols > VL](t);
}

/* ---- B, packed so that a block of k lies in the first-level cache ---- */

#define PACK_K IA_LAW_BLOCK

/* pack[k][j] = b[k * ldb + j], up to whole vectors */
static void pack_rows(size_t k, size_t cols, const float *b, size_t ldb, float *pack)
{
    size_t last = cols > VL ? VL : 0;
    V_MASK mask = V_MASK_OF(cols - last);
    for (; k; k--, b += ldb, pack += TILE_N) {
        if (last)
            V_STORE(pack, V_LOAD(b));
        V_STORE(pack + last, V_LOAD_PART(b + last, mask));
    }
}

/* pack[k][j] = b[j * ldb + k] */
static void pack_columns(size_t k, size_t cols, const float *b, size_t ldb, float *pack)
{
    size_t whole = k - k % TRANSPOSE_N, j = 0;
    if (cols < TILE_N)
        memset(pack, 0, k * TILE_N * sizeof *pack);
    for (; j + TRANSPOSE_N <= cols; j += TRANSPOSE_N) {
        for (size_t i = 0; i < whole; i += TRANSPOSE_N)
            transpose(b + j * ldb + i, ldb, pack + i * TILE_N + j, TILE_N);
        for (size_t i = whole; i < k; i++)
            for (size_t l = j; l < j + TRANSPOSE_N; l++)
                pack[i * TILE_N + l] = b[l * ldb + i];
    }
    for (; j < cols; j++)
        for (size_t i = 0; i < k; i++)
            pack[i * TILE_N + j] = b[j * ldb + i];
}

/* Packing reads and writes B once; it pays when several tiles of rows use it and B is far from
 * small enough to stay in cache as it lies. */
static inline int pack_pays(const ia_product *p, size_t rows)
{
    return rows >= 3 * TILE_M && p->k * p->n > 4096;
}

static void product_empty(const ia_product *p, size_t m0, size_t m1, size_t n0, size_t n1)
{
    for (size_t m = m0; m < m1; m++)
        for (size_t n = n0; n < n1; n++)
            p->c[m * p->n + n] = p->bias ? 0.0f + p->bias[n] : 0.0f;
}

/* Law (a) for one panel of columns. */
static void chain_panel(const ia_product *p, size_t m0, size_t m1, size_t n, size_t cols,
                        float *pack)
{
    int packed = p->transposed || pack_pays(p, m1 - m0);
    for (size_t k = 0; k < p->k; k += IA_LAW_BLOCK) {
        size_t kb = p->k - k < IA_LAW_BLOCK ? p->k - k : IA_LAW_BLOCK;
        if (p->transposed)
            pack_columns(kb, cols, p->b + n * p->ldb + k, p->ldb, pack);
        else if (packed)
            pack_rows(kb, cols, p->b + k * p->ldb + n, p->ldb, pack);
        tile t = {.k = kb, .a_m = p->a_m, .a_k = p->a_k, .b_padded = packed, .cols = cols};
        t.b = packed ? pack : p->b + k * p->ldb + n;
        t.ldb = packed ? TILE_N : p->ldb;
        t.ldc = p->n;
        t.add = k > 0;
        t.bias = p->bias && k + kb == p->k ? p->bias + n : NULL;
        for (size_t m = m0; m < m1; m += TILE_M) {
            t.a = p->a + m * p->a_m + k * p->a_k;
            t.c = p->c + m * p->n + n;
            tile_run(&t, m1 - m < TILE_M ? m1 - m : TILE_M);
        }
    }
}

/* Law (a) for one row: eight vectors of columns at a time, as only they make independent chains. */
#define STRIP_N (8 * VL)
static void chain_strip(const ia_product *p, size_t m, size_t n)
{
    for (size_t k = 0; k < p->k; k += IA_LAW_BLOCK) {
        size_t end = p->k - k < IA_LAW_BLOCK ? p->k : k + IA_LAW_BLOCK;
        const float *a = p->a + m * p->a_m + k * p->a_k, *b = p->b + k * p->ldb + n;
        V s0 = V_ZERO, s1 = V_ZERO, s2 = V_ZERO, s3 = V_ZERO;
        V s4 = V_ZERO, s5 = V_ZERO, s6 = V_ZERO, s7 = V_ZERO;
        for (size_t i = k; i < end; i++, a += p->a_k, b += p->ldb) {
            V x = V_SPREAD(a);
            s0 = V_FMA(x, V_LOAD(b), s0);
            s1 = V_FMA(x, V_LOAD(b + VL), s1);
            s2 = V_FMA(x, V_LOAD(b + 2 * VL), s2);
            s3 = V_FMA(x, V_LOAD(b + 3 * VL), s3);
            s4 = V_FMA(x, V_LOAD(b + 4 * VL), s4);
            s5 = V_FMA(x, V_LOAD(b + 5 * VL), s5);
            s6 = V_FMA(x, V_LOAD(b + 6 * VL), s6);
            s7 = V_FMA(x, V_LOAD(b + 7 * VL), s7);
        }
        const V s[8] = {s0, s1, s2, s3, s4, s5, s6, s7};
        tile t = {.add = k > 0};
        for (size_t j = 0; j < 8; j++)
            tile_put(&t, p->c + m * p->n + n + j * VL,
                     p->bias && end == p->k ? p->bias + n + j * VL : NULL, s[j]);
    }
}

static void product_chain(const ia_product *p, size_t m0, size_t m1, size_t n0, size_t n1)
{
    if (p->k == 0) {
        product_empty(p, m0, m1, n0, n1);
        return;
    }
    _Alignas(64) float pack[PACK_K * TILE_N];
    size_t n = n0;
    if (m1 - m0 == 1 && !p->transposed)
        for (; n + STRIP_N <= n1; n += STRIP_N)
            chain_strip(p, m0, n);
    for (; n < n1; n += TILE_N)
        chain_panel(p, m0, m1, n, n1 - n < TILE_N ? n1 - n : TILE_N, pack);
}

/* ---- law (b): the tree over blocks of 64 k ---- */

#define TREE_LEVELS 40
typedef struct tree_levels {
    _Alignas(64) float sum[TREE_LEVELS][TILE_M * TILE_N];
} tree_levels;

static void tree_add(size_t n, const float *left, float *right)
{
    for (size_t i = 0; i < n; i++)
        right[i] = left[i] + right[i];
}

/* More than two blocks: pairs of blocks meet in level 0, pairs of pairs above, as in law.h. `t` is
 * the tile over all of k. */
static void tree_tall(const tile *whole, size_t m, tree_levels *levels)
{
    tile t = *whole;
    size_t n = m * TILE_N, pairs = 0;
    t.ldc = TILE_N;
    memset(levels->sum[0], 0, n * sizeof(float));
    for (size_t k = 0; k < whole->k; k += 2 * IA_LAW_ROWS, pairs++) {
        for (size_t half = k; half < whole->k && half <= k + IA_LAW_ROWS; half += IA_LAW_ROWS) {
            t.k = whole->k - half < IA_LAW_ROWS ? whole->k - half : IA_LAW_ROWS;
            t.a = whole->a + half * whole->a_k;
            t.b = whole->b + half * whole->ldb;
            t.c = levels->sum[0];
            t.add = half > k;
            tile_run(&t, m);
        }
        int i = 1;
        for (; pairs >> (i - 1) & 1; i++)
            tree_add(n, levels->sum[i], levels->sum[0]);
        memcpy(levels->sum[i], levels->sum[0], n * sizeof(float));
    }
    const float *sum = NULL;
    for (int i = 1; i < TREE_LEVELS; i++)
        if (pairs >> (i - 1) & 1) {
            if (sum) {
                memcpy(levels->sum[0], sum, n * sizeof(float));
                tree_add(n, levels->sum[i], levels->sum[0]);
                sum = levels->sum[0];
            } else {
                sum = levels->sum[i];
            }
        }
    for (size_t i = 0; i < m; i++)
        memcpy(whole->c + i * whole->ldc, sum + i * TILE_N, whole->cols * sizeof(float));
}

static void tree_tile(const tile *whole, size_t m, tree_levels *levels)
{
    if (whole->k > 2 * IA_LAW_ROWS) {
        tree_tall(whole, m, levels);
        return;
    }
    tile t = *whole;
    t.k = whole->k < IA_LAW_ROWS ? whole->k : IA_LAW_ROWS;
    tile_run(&t, m);
    if (whole->k > t.k) {
        t.a += t.k * t.a_k;
        t.b += t.k * t.ldb;
        t.k = whole->k - t.k;
        t.add = 1;
        tile_run(&t, m);
    }
}

static void product_tree(const ia_product *p, size_t m0, size_t m1, size_t n0, size_t n1)
{
    if (p->k == 0) {
        product_empty(p, m0, m1, n0, n1);
        return;
    }
    _Alignas(64) float pack[PACK_K * TILE_N];
    tree_levels levels;
    int packed = p->k <= PACK_K && pack_pays(p, m1 - m0);
    for (size_t n = n0; n < n1; n += TILE_N) {
        tile t = {.k = p->k, .a_m = p->a_m, .a_k = p->a_k, .ldc = p->n, .b_padded = packed};
        t.cols = n1 - n < TILE_N ? n1 - n : TILE_N;
        if (packed)
            pack_rows(p->k, t.cols, p->b + n, p->ldb, pack);
        t.b = packed ? pack : p->b + n;
        t.ldb = packed ? TILE_N : p->ldb;
        for (size_t m = m0; m < m1; m += TILE_M) {
            t.a = p->a + m * p->a_m;
            t.c = p->c + m * p->n + n;
            tree_tile(&t, m1 - m < TILE_M ? m1 - m : TILE_M, &levels);
        }
    }
}
