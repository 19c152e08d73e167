/* Template, part of product.inc.h: law (a) for one to three rows of A.
 *
 * A tile of so few rows makes too few independent chains, and one panel at a time does not ask
 * enough of memory, which sets the pace here: every weight is read once. So a strip takes several
 * panels side by side, four for one row, else two. */

#define STRIP_ROWS(X) X(0) X(1) X(2) /* IA_STRIP_ROWS */

/* The sums of the block of k that ends at `end`, of eight vectors of columns or the first four. */
IA_ALWAYS_INLINE void strip_put(const ia_product *p, size_t k, size_t end, size_t m, size_t n,
                                const V *s, const size_t vectors)
{
    tile t = {.add = k > 0, .relu = p->relu && end == p->k};
    const float *bias = p->bias && end == p->k ? p->bias + n : NULL;
    for (size_t j = 0; j < vectors; j++)
        tile_put(&t, p->c + m * p->ldc + n + j * VL, bias ? bias + j * VL : NULL, s[j]);
}

#define STRIP_DECLARE(i)                                                                           \
    V s0##i = V_ZERO, s1##i = V_ZERO, s2##i = V_ZERO, s3##i = V_ZERO;                              \
    V s4##i = V_ZERO, s5##i = V_ZERO, s6##i = V_ZERO, s7##i = V_ZERO;
#define STRIP_STEP(i)                                                                              \
    if (rows > i) {                                                                                \
        V x = V_SPREAD(a + i * a_m);                                                               \
        s0##i = V_FMA(x, v0, s0##i);                                                               \
        s1##i = V_FMA(x, v1, s1##i);                                                               \
        s2##i = V_FMA(x, v2, s2##i);                                                               \
        s3##i = V_FMA(x, v3, s3##i);                                                               \
        if (vectors > 4) {                                                                         \
            s4##i = V_FMA(x, v4, s4##i);                                                           \
            s5##i = V_FMA(x, v5, s5##i);                                                           \
            s6##i = V_FMA(x, v6, s6##i);                                                           \
            s7##i = V_FMA(x, v7, s7##i);                                                           \
        }                                                                                          \
    }
#define STRIP_PUT(i)                                                                               \
    if (rows > i) {                                                                                \
        const V s[8] = {s0##i, s1##i, s2##i, s3##i, s4##i, s5##i, s6##i, s7##i};                   \
        strip_put(p, k, end, m + i, n, s, vectors);                                                \
    }

IA_ALWAYS_INLINE void strip_body(const ia_product *p, size_t m, size_t n, const int rows,
                                 const size_t vectors)
{
    const size_t a_m = p->a_m, a_k = p->a_k, ldb = p->ldb;
    const size_t step = p->b_panel ? p->b_panel : TILE_N; /* from panel to panel */
    for (size_t k = 0; k < p->k; k += IA_LAW_BLOCK) {
        const size_t end = p->k - k < IA_LAW_BLOCK ? p->k : k + IA_LAW_BLOCK;
        const float *a = product_a(p, m, k), *b = product_b(p, k, n);
        STRIP_ROWS(STRIP_DECLARE)
        for (size_t left = end - k; left; left--, a += a_k, b += ldb) {
            V v0 = V_LOAD(b), v1 = V_LOAD(b + VL);
            V v2 = V_LOAD(b + step), v3 = V_LOAD(b + step + VL);
            V v4 = vectors > 4 ? V_LOAD(b + 2 * step) : v0;
            V v5 = vectors > 4 ? V_LOAD(b + 2 * step + VL) : v0;
            V v6 = vectors > 4 ? V_LOAD(b + 3 * step) : v0;
            V v7 = vectors > 4 ? V_LOAD(b + 3 * step + VL) : v0;
            STRIP_ROWS(STRIP_STEP)
        }
        STRIP_ROWS(STRIP_PUT)
    }
}

static void strip_1(const ia_product *p, size_t m, size_t n)
{
    strip_body(p, m, n, 1, 8);
}

static void strip_2(const ia_product *p, size_t m, size_t n)
{
    strip_body(p, m, n, 2, 4);
}

static void strip_3(const ia_product *p, size_t m, size_t n)
{
    strip_body(p, m, n, 3, 4);
}

/* Does with strips what of the columns [n0, n1) makes whole ones; where the rest begins. */
static size_t chain_strips(const ia_product *p, size_t m0, size_t m1, size_t n0, size_t n1)
{
    static void (*const strip[])(const ia_product *, size_t, size_t) = {strip_1, strip_2, strip_3};
    static const size_t width[] = {IA_STRIP_PANELS * TILE_N, 2 * TILE_N, 2 * TILE_N};
    size_t rows = m1 - m0;
    if (rows == 0 || rows > IA_STRIP_ROWS || p->transposed)
        return n0;
    for (; n0 + width[rows - 1] <= n1; n0 += width[rows - 1])
        strip[rows - 1](p, m0, n0);
    return n0;
}
