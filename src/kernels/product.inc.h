/* Template: register-blocked matrix products (laws a and b) for a vector type.
 *
 * A tile is TILE_M rows by two vectors of columns; its accumulators stay in registers over one
 * block of k, the block sums wait in c. Nothing outside the operands is read or written.
 *
 * The including file defines the vector type V and its number of floats VL; TILE_M and
 * TILE_ROWS(X), the rows of a tile; V_ZERO, V_SPREAD(p), V_LOAD(p), V_STORE(p, v), V_FMA(a, b, c),
 * V_ADD(a, b), V_RELU(v), law (f); for the first n floats, 0 < n <= VL, V_MASK, V_MASK_OF(n),
 * V_LOAD_PART(p, mask) and V_STORE_PART(p, mask, v); and transpose(src, lds, dst, ldd) of a square
 * of TRANSPOSE_N. */

#define TILE_N (2 * VL)
#define TREE_M (4 * TILE_M) /* rows of C that the tree over k takes together */

/* c[i][j] (= or +=) sum over k of a[i * a_m + k * a_k] * b[k * ldb + j], + bias, for `cols` columns
 */
typedef struct tile {
    size_t k;
    const float *a;
    size_t a_m, a_k;
    size_t a_run, a_jump; /* as in ia_product; a_run is SIZE_MAX for one run */
    const float *b;
    size_t ldb;
    int b_padded; /* reading b up to a whole vector is allowed */
    float *c;
    size_t ldc, cols;
    int add;
    const float *bias; /* or NULL */
    int relu;
} tile;

/* Joins a block's sum to c, then the bias and the activation. */
IA_ALWAYS_INLINE void tile_put(const tile *t, float *c, const float *bias, V v)
{
    if (t->add)
        v = V_ADD(V_LOAD(c), v);
    if (bias)
        v = V_ADD(v, V_LOAD(bias));
    if (t->relu)
        v = V_RELU(v);
    V_STORE(c, v);
}

IA_ALWAYS_INLINE void tile_put_part(const tile *t, float *c, const float *bias, V_MASK mask, V v)
{
    if (t->add)
        v = V_ADD(V_LOAD_PART(c, mask), v);
    if (bias)
        v = V_ADD(v, V_LOAD_PART(bias, mask));
    if (t->relu)
        v = V_RELU(v);
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
/* Whole vectors without bias or activation: nothing to decide in each row. */
#define ROW_STORE(i)                                                                               \
    if (m > i) {                                                                                   \
        V_STORE(c, c0##i);                                                                         \
        if (nv > 1)                                                                                \
            V_STORE(c + VL, c1##i);                                                                \
        c += ldc;                                                                                  \
    }
#define ROW_ADD(i)                                                                                 \
    if (m > i) {                                                                                   \
        V_STORE(c, V_ADD(V_LOAD(c), c0##i));                                                       \
        if (nv > 1)                                                                                \
            V_STORE(c + VL, V_ADD(V_LOAD(c + VL), c1##i));                                         \
        c += ldc;                                                                                  \
    }
#define ROW_PUT(i)                                                                                 \
    if (m > i) {                                                                                   \
        if (nv > 1)                                                                                \
            tile_put(t, c, t->bias, c0##i);                                                        \
        if (part)                                                                                  \
            tile_put_part(t, c + last, last_bias, mask, nv > 1 ? c1##i : c0##i);                   \
        else                                                                                       \
            tile_put(t, c + last, last_bias, nv > 1 ? c1##i : c0##i);                              \
        c += ldc;                                                                                  \
    }

/* m rows and nv vectors, the last of them in part. */
IA_ALWAYS_INLINE void tile_body(const tile *t, const int m, const int nv)
{
    const size_t last = nv > 1 ? VL : 0, a_m = t->a_m, a_k = t->a_k, ldb = t->ldb;
    const int part = t->cols - last < VL;
    const float *a = t->a, *b = t->b, *last_bias = t->bias ? t->bias + last : NULL;
    V_MASK mask = V_MASK_OF(t->cols - last);
    TILE_ROWS(ROW_DECLARE)
    for (size_t left = t->k; left; a += t->a_jump) {
        size_t run = left < t->a_run ? left : t->a_run;
        const float *next = a;
        left -= run;
        if (part && !t->b_padded) {
            for (; run; run--, a += a_k, b += ldb) {
                V b1 = V_LOAD_PART(b + last, mask), b0 = nv > 1 ? V_LOAD(b) : b1;
                TILE_ROWS(ROW_STEP)
            }
        } else {
            for (; run; run--, a += a_k, b += ldb) {
                V b1 = V_LOAD(b + last), b0 = nv > 1 ? V_LOAD(b) : b1;
                TILE_ROWS(ROW_STEP)
            }
        }
        a = next;
    }
    float *c = t->c;
    const size_t ldc = t->ldc;
    if (part) {
        TILE_ROWS(ROW_PUT)
    } else if (t->bias || t->relu) {
        TILE_ROWS(ROW_PUT)
    } else if (t->add) {
        TILE_ROWS(ROW_ADD)
    } else {
        TILE_ROWS(ROW_STORE)
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

/* pack[k][j] = b[k * ldb + j], filled up with 0 */
static void pack_rows(size_t k, size_t cols, const float *b, size_t ldb, float *pack)
{
    size_t last = cols > VL ? VL : 0;
    V_MASK mask = V_MASK_OF(cols - last);
    for (; k; k--, b += ldb, pack += TILE_N) {
        V_STORE(pack + VL, V_ZERO);
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
        for (size_t n = n0; n < n1; n++) {
            float c = p->bias ? 0.0f + p->bias[n] : 0.0f;
            p->c[p->turned ? n * p->ldc + m : m * p->ldc + n] = p->relu ? ia_law_relu(c) : c;
        }
}

static inline tile tile_of(const ia_product *p, size_t cols)
{
    return (tile){.a_m = p->a_m,
                  .a_k = p->a_k,
                  .a_run = p->a_run ? p->a_run : SIZE_MAX,
                  .a_jump = p->a_jump,
                  .ldb = p->b_panel ? TILE_N : p->ldb,
                  .b_padded = p->b_panel != 0,
                  .cols = cols};
}

/* Where A stands at k, a multiple of a_run. */
static inline const float *product_a(const ia_product *p, size_t m, size_t k)
{
    return p->a + m * p->a_m + (p->a_run ? k / p->a_run * p->a_jump : k * p->a_k);
}

/* Where row m of A starts, in panels for the tree. */
static inline const float *product_a_m(const ia_product *p, size_t m)
{
    return p->a_panel ? p->a + m / TREE_M * p->a_panel + m % TREE_M : p->a + m * p->a_m;
}

static inline const float *product_b(const ia_product *p, size_t k, size_t n)
{
    return p->b_panel ? p->b + n / TILE_N * p->b_panel + k * TILE_N : p->b + k * p->ldb + n;
}

/* Law (a), the block of k that starts at `k`, for one panel of columns: c = or += it. */
static void chain_block(const ia_product *p, size_t k, size_t m0, size_t m1, size_t n, size_t cols,
                        float *c, size_t ldc, float *pack)
{
    int packed = p->transposed || (!p->b_panel && pack_pays(p, m1 - m0));
    tile t = tile_of(p, cols);
    t.ldc = ldc;
    t.k = p->k - k < IA_LAW_BLOCK ? p->k - k : IA_LAW_BLOCK;
    if (p->transposed)
        pack_columns(t.k, cols, p->b + n * p->ldb + k, p->ldb, pack);
    else if (packed)
        pack_rows(t.k, cols, p->b + k * p->ldb + n, p->ldb, pack);
    t.b = product_b(p, k, n);
    if (packed) {
        t.b = pack;
        t.ldb = TILE_N;
        t.b_padded = 1;
    }
    t.add = k > 0;
    if (k + t.k == p->k) {
        t.bias = p->bias ? p->bias + n : NULL;
        t.relu = p->relu;
    }
    for (size_t m = m0; m < m1; m += TILE_M) {
        t.a = product_a(p, m, k);
        t.c = c + (m - m0) * ldc;
        tile_run(&t, m1 - m < TILE_M ? m1 - m : TILE_M);
    }
}

/* dst[j * ldd + i] = src[i * TILE_N + j] */
static void unpack_columns(size_t rows, size_t cols, const float *src, float *dst, size_t ldd)
{
    size_t i = 0, whole = cols - cols % TRANSPOSE_N;
    for (; i + TRANSPOSE_N <= rows; i += TRANSPOSE_N) {
        for (size_t j = 0; j < whole; j += TRANSPOSE_N)
            transpose(src + i * TILE_N + j, TILE_N, dst + j * ldd + i, ldd);
        for (size_t j = whole; j < cols; j++)
            for (size_t l = i; l < i + TRANSPOSE_N; l++)
                dst[j * ldd + l] = src[l * TILE_N + j];
    }
    for (; i < rows; i++)
        for (size_t j = 0; j < cols; j++)
            dst[j * ldd + i] = src[i * TILE_N + j];
}

static inline size_t panel_cols(size_t n, size_t n1)
{
    return n1 - n < TILE_N ? n1 - n : TILE_N;
}

/* A transposed C comes about in p->turned, block after block of k, so that A's block stays in cache
 * for all panels. */
static void chain_turned(const ia_product *p, size_t m0, size_t m1, size_t n0, size_t n1,
                         float *pack)
{
    for (size_t k = 0; k < p->k; k += IA_LAW_BLOCK)
        for (size_t n = n0; n < n1; n += TILE_N)
            chain_block(p, k, m0, m1, n, panel_cols(n, n1), p->turned + n * p->m + m0 * TILE_N,
                        TILE_N, pack);
    for (size_t n = n0; n < n1; n += TILE_N)
        unpack_columns(m1 - m0, panel_cols(n, n1), p->turned + n * p->m + m0 * TILE_N,
                       p->c + n * p->ldc + m0, p->ldc);
}

#include "kernels/strip.inc.h"

static void product_chain(const ia_product *p, size_t m0, size_t m1, size_t n0, size_t n1)
{
    if (p->k == 0) {
        product_empty(p, m0, m1, n0, n1);
        return;
    }
    _Alignas(64) float pack[PACK_K * TILE_N];
    if (p->turned) {
        chain_turned(p, m0, m1, n0, n1, pack);
        return;
    }
    for (size_t n = chain_strips(p, m0, m1, n0, n1); n < n1; n += TILE_N)
        for (size_t k = 0; k < p->k; k += IA_LAW_BLOCK)
            chain_block(p, k, m0, m1, n, panel_cols(n, n1), p->c + m0 * p->ldc + n, p->ldc, pack);
}

#include "kernels/tree.inc.h"
