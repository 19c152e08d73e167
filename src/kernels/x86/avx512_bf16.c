/* Products in bf16 for AVX512-BF16: tiles of 8 x 32, 16 accumulators, as the float32 ones.
 *
 * A block of w is rounded and paired into a buffer of the thread just before all rows of the part
 * use it, so that w is read from memory once for each part. */
#include "kernels/bf16_kernels.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include "kernels/target.h"
#include <immintrin.h>

IA_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma")

#define VL 16
#define TILE_M IA_BF16_M
#define TILE_N IA_BF16_N
#define TILE_ROWS(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
/* Pairs of k that a chain adds up before its sum goes to c: 64 kB of B, in the second-level cache.
 */
#define CHAIN_PAIRS 512

static inline size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t pairs_of(size_t k)
{
    return k / 2 + k % 2;
}

/* The first n of 16 lanes, all of them when n is more. */
static inline __mmask16 mask_of(size_t n)
{
    return (__mmask16)((1u << smaller(n, VL)) - 1u);
}

/* ---- pairs ---- */

static inline __m512i round_pair(__m512 low, __m512 high)
{
    return (__m512i)_mm512_cvtne2ps_pbh(high, low);
}

/* out[p * ldo + r] = the pair p of row r of 8 rows, up to 32 numbers each. */
static inline void turn_strip(size_t rows, size_t k, const float *x, size_t ldx, ia_pair *out,
                              size_t ldo)
{
    __m512i r[8], s[8], t[8];
    __mmask16 low = mask_of(k), high = mask_of(k > VL ? k - VL : 0);
    for (size_t i = 0; i < 8; i++)
        r[i] = i < rows ? round_pair(_mm512_maskz_loadu_ps(low, x + i * ldx),
                                     _mm512_maskz_loadu_ps(high, x + i * ldx + VL))
                        : _mm512_setzero_si512();
    for (int i = 0; i < 8; i += 2) {
        s[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        s[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) { /* t[i + j]: pairs j, 4 + j, 8 + j, 12 + j of four rows */
        t[i] = _mm512_unpacklo_epi64(s[i], s[i + 2]);
        t[i + 1] = _mm512_unpackhi_epi64(s[i], s[i + 2]);
        t[i + 2] = _mm512_unpacklo_epi64(s[i + 1], s[i + 3]);
        t[i + 3] = _mm512_unpackhi_epi64(s[i + 1], s[i + 3]);
    }
    const __m512i first = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
    const __m512i second = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
    __m256i pair[16];
    for (int j = 0; j < 4; j++) {
        __m512i a = _mm512_permutex2var_epi64(t[j], first, t[4 + j]);
        __m512i b = _mm512_permutex2var_epi64(t[j], second, t[4 + j]);
        pair[j] = _mm512_castsi512_si256(a);
        pair[4 + j] = _mm512_extracti64x4_epi64(a, 1);
        pair[8 + j] = _mm512_castsi512_si256(b);
        pair[12 + j] = _mm512_extracti64x4_epi64(b, 1);
    }
    size_t pairs = pairs_of(k);
    for (size_t j = 0; j < 16 && j < pairs; j++)
        _mm256_storeu_si256((__m256i *)(void *)(out + j * ldo), pair[j]);
}

static void pack_rows(size_t rows, size_t k, const float *x, size_t ldx, ia_pair *strip)
{
    for (size_t i = 0; i < k; i += 2 * VL)
        turn_strip(rows, smaller(k - i, 2 * VL), x + i, ldx, strip + i / 2 * TILE_M, TILE_M);
}

/* Pairs of 16 columns of two rows. */
static inline __m512i pair_down(__m512 upper, __m512 lower)
{
    const __m512i order = _mm512_setr_epi32(
        0x100000, 0x110001, 0x120002, 0x130003, 0x140004, 0x150005, 0x160006, 0x170007, 0x180008,
        0x190009, 0x1a000a, 0x1b000b, 0x1c000c, 0x1d000d, 0x1e000e, 0x1f000f);
    return _mm512_permutexvar_epi16(order, round_pair(upper, lower));
}

/* narrow: strips of 8 that lie `apart`, else one of 32. */
IA_ALWAYS_INLINE void pack_down(size_t k, size_t cols, const float *x, size_t ldx, ia_pair *out,
                                const int narrow, size_t apart)
{
    __mmask16 m0 = mask_of(cols), m1 = mask_of(cols > VL ? cols - VL : 0);
    for (size_t i = 0; i < k; i += 2, x += 2 * ldx) {
        const float *y = x + ldx;
        __mmask16 n0 = i + 1 < k ? m0 : 0, n1 = i + 1 < k ? m1 : 0;
        __m512i a = pair_down(_mm512_maskz_loadu_ps(m0, x), _mm512_maskz_loadu_ps(n0, y));
        __m512i b = pair_down(_mm512_maskz_loadu_ps(m1, x + VL), _mm512_maskz_loadu_ps(n1, y + VL));
        if (!narrow) {
            _mm512_storeu_si512(out, a);
            _mm512_storeu_si512(out + VL, b);
            out += TILE_N;
            continue;
        }
        _mm256_storeu_si256((__m256i *)(void *)out, _mm512_castsi512_si256(a));
        if (cols > 8)
            _mm256_storeu_si256((__m256i *)(void *)(out + apart), _mm512_extracti64x4_epi64(a, 1));
        if (cols > 16)
            _mm256_storeu_si256((__m256i *)(void *)(out + 2 * apart), _mm512_castsi512_si256(b));
        if (cols > 24)
            _mm256_storeu_si256((__m256i *)(void *)(out + 3 * apart),
                                _mm512_extracti64x4_epi64(b, 1));
        out += TILE_M;
    }
}

static void pack_wide(size_t k, size_t cols, const float *x, size_t ldx, ia_pair *strip)
{
    pack_down(k, cols, x, ldx, strip, 0, 0);
}

static void pack_narrow(size_t k, size_t cols, const float *x, size_t ldx, ia_pair *strips,
                        size_t apart)
{
    pack_down(k, cols, x, ldx, strips, 1, apart);
}

/* ---- a tile ---- */

/* c[8][32] (= or +=) strip of A by strip of B, + bias */
typedef struct tile {
    size_t pairs;
    const ia_pair *a, *b;
    float *c;
    size_t ldc, rows, cols; /* of c; what is left of the tile is not stored */
    int add, relu;
    const float *bias; /* or NULL */
} tile;

#define ROW_DECLARE(i) __m512 c0##i = _mm512_setzero_ps(), c1##i = _mm512_setzero_ps();
#define ROW_DOT(i)                                                                                 \
    {                                                                                              \
        __m512bh x = (__m512bh)_mm512_set1_epi32((int)a[i]);                                       \
        c0##i = _mm512_dpbf16_ps(c0##i, x, b0);                                                    \
        c1##i = _mm512_dpbf16_ps(c1##i, x, b1);                                                    \
    }
#define PAIR_DOT                                                                                   \
    {                                                                                              \
        __m512bh b0 = (__m512bh)_mm512_loadu_si512(b), b1 = (__m512bh)_mm512_loadu_si512(b + VL);  \
        TILE_ROWS(ROW_DOT)                                                                         \
        a += TILE_M;                                                                               \
        b += TILE_N;                                                                               \
    }
#define ROW_PUT(i)                                                                                 \
    if (t->rows > i) {                                                                             \
        tile_put(t, c, 0, c0##i);                                                                  \
        tile_put(t, c + VL, VL, c1##i);                                                            \
        c += t->ldc;                                                                               \
    }

IA_ALWAYS_INLINE void tile_put(const tile *t, float *c, size_t col, __m512 v)
{
    __mmask16 mask = mask_of(t->cols > col ? t->cols - col : 0);
    int whole = t->cols == TILE_N;
    if (t->add)
        v = _mm512_add_ps(whole ? _mm512_loadu_ps(c) : _mm512_maskz_loadu_ps(mask, c), v);
    if (t->bias)
        v = _mm512_add_ps(v, _mm512_maskz_loadu_ps(mask, t->bias + col));
    if (t->relu)
        v = _mm512_max_ps(_mm512_setzero_ps(), v); /* the second one is kept if NaN or zero */
    if (whole)
        _mm512_storeu_ps(c, v);
    else
        _mm512_mask_storeu_ps(c, mask, v);
}

static void tile_run(const tile *t)
{
    const ia_pair *a = t->a, *b = t->b;
    float *c = t->c;
    TILE_ROWS(ROW_DECLARE)
    size_t k = t->pairs;
    for (; k >= 4; k -= 4) {
        PAIR_DOT PAIR_DOT PAIR_DOT PAIR_DOT
    }
    for (; k; k--)
        PAIR_DOT
    TILE_ROWS(ROW_PUT)
}

/* ---- y and dx ---- */

/* Columns [n, n + cols) of w transposed, for k = [k0, k0 + k): pairs along the rows of w. */
static void block_transposed(const ia_bf16_product *p, size_t k0, size_t k, size_t n, size_t cols,
                             ia_pair *block)
{
    for (size_t i = 0; i < k; i += TILE_N)
        for (size_t j = 0; j < TILE_N; j += TILE_M)
            turn_strip(j < cols ? smaller(cols - j, TILE_M) : 0, smaller(k - i, TILE_N),
                       p->w + (k0 + i) * p->w_rows + (n + j) * TILE_N, TILE_N,
                       block + i / 2 * TILE_N + j, TILE_N);
}

static void product(const ia_bf16_product *p, size_t m0, size_t m1, size_t panel)
{
    _Alignas(64) ia_pair block[CHAIN_PAIRS * TILE_N];
    size_t n = panel * TILE_N;
    tile t = {.b = block, .ldc = p->ldc, .cols = smaller(p->n - n, TILE_N)};
    for (size_t k0 = 0; k0 < p->k; k0 += 2 * CHAIN_PAIRS) {
        size_t k = smaller(p->k - k0, 2 * CHAIN_PAIRS);
        if (p->transposed)
            block_transposed(p, k0, k, n, t.cols, block);
        else
            pack_wide(k, TILE_N, p->w + n * p->w_rows + k0 * TILE_N, TILE_N, block);
        t.pairs = pairs_of(k);
        t.add = k0 > 0;
        if (k0 + k == p->k) {
            t.bias = p->bias ? p->bias + n : NULL;
            t.relu = p->relu;
        }
        for (size_t m = m0; m < m1; m += TILE_M) {
            t.a = p->a + m * pairs_of(p->k) + k0 / 2 * TILE_M;
            t.c = p->c + m * p->ldc + n;
            t.rows = smaller(m1 - m, TILE_M);
            tile_run(&t);
        }
    }
}

/* ---- dw ---- */

/* What is left to step of the tile before: floats at ... n, whole vectors. */
typedef struct weave {
    const float *g;
    float *w, *m, *v;
    size_t at, n;
    __m512 alpha, one_beta_1, one_beta_2, epsilon;
} weave;

static inline __m512 flush(__m512 v)
{
    __mmask16 keep = _mm512_cmp_ps_mask(_mm512_abs_ps(v), _mm512_set1_ps(IA_LAW_TINY), _CMP_NLT_UQ);
    return _mm512_maskz_mov_ps(keep, v);
}

/* One vector, as ia_step_adam; what the tile after it will need is fetched. */
IA_ALWAYS_INLINE void weave_vector(const weave *l, size_t i)
{
    __m512 g = _mm512_loadu_ps(l->g + i), m = _mm512_loadu_ps(l->m + i);
    __m512 v = _mm512_loadu_ps(l->v + i), w = _mm512_loadu_ps(l->w + i);
    __builtin_prefetch(l->w + i + 2 * TILE_M * TILE_N, 1);
    __builtin_prefetch(l->m + i + 2 * TILE_M * TILE_N, 1);
    __builtin_prefetch(l->v + i + 2 * TILE_M * TILE_N, 1);
    m = flush(_mm512_fmadd_ps(_mm512_sub_ps(g, m), l->one_beta_1, m));
    v = flush(_mm512_fmadd_ps(_mm512_fmsub_ps(g, g, v), l->one_beta_2, v));
    _mm512_storeu_ps(l->m + i, m);
    _mm512_storeu_ps(l->v + i, v);
    __m512 by = _mm512_add_ps(_mm512_sqrt_ps(v), l->epsilon);
    _mm512_storeu_ps(l->w + i, _mm512_sub_ps(w, _mm512_div_ps(_mm512_mul_ps(m, l->alpha), by)));
}

/* Steps a vector after every `every` pairs. */
static void tile_woven(const tile *t, weave *waiting)
{
    const ia_pair *a = t->a, *b = t->b;
    const weave l = *waiting; /* nothing stored here can change it */
    size_t k = t->pairs, at = l.at, vectors = (l.n - at) / VL;
    size_t every = vectors && k > vectors ? k / vectors : 1;
    float *c = t->c;
    TILE_ROWS(ROW_DECLARE)
    for (; k >= every && at < l.n; k -= every, at += VL) {
        for (size_t i = 0; i < every; i++)
            PAIR_DOT
        weave_vector(&l, at);
    }
    for (; k; k--)
        PAIR_DOT
    TILE_ROWS(ROW_PUT)
    waiting->at = at;
}

static weave weave_of(const ia_tile_step *s, size_t at, size_t n, const float *g)
{
    return (weave){.g = g,
                   .w = s->w + at,
                   .m = s->slot[0] + at,
                   .v = s->slot[1] + at,
                   .n = n,
                   .alpha = _mm512_set1_ps(s->p[0]),
                   .one_beta_1 = _mm512_set1_ps(s->p[1]),
                   .one_beta_2 = _mm512_set1_ps(s->p[2]),
                   .epsilon = _mm512_set1_ps(s->p[3])};
}

/* One tile over all of k. */
static void gradient_tile(const ia_bf16_gradient *p, size_t m, size_t panel, tile *t, weave *w)
{
    size_t pairs = pairs_of(p->k);
    t->a = p->a + m * pairs;
    t->b = p->b + panel * pairs * TILE_N;
    t->add = 0;
    for (size_t k = 0; k < pairs; k += CHAIN_PAIRS, t->add = 1) {
        t->pairs = smaller(pairs - k, CHAIN_PAIRS);
        if (w)
            tile_woven(t, w);
        else
            tile_run(t);
        t->a += CHAIN_PAIRS * TILE_M;
        t->b += CHAIN_PAIRS * TILE_N;
    }
}

/* Each tile is stepped while the next one is computed, or just before. */
static void gradient_stepped(const ia_bf16_gradient *p, size_t m0, size_t m1, size_t panel)
{
    _Alignas(64) float sums[2][TILE_M * TILE_N];
    const ia_tile_step *s = p->step;
    const int weaves = s->rule == IA_UPDATE_adam && s->decay[0] == 0;
    size_t last = 0, waiting = 0;
    int turn = 0;
    tile t = {.ldc = TILE_N, .cols = TILE_N};
    for (size_t m = m0; m < m1; m += TILE_M, turn = !turn) {
        t.rows = smaller(m1 - m, TILE_M);
        t.c = sums[turn];
        if (waiting && weaves) {
            weave w = weave_of(s, last, waiting, sums[!turn]);
            gradient_tile(p, m, panel, &t, &w);
            for (; w.at < w.n; w.at += VL)
                weave_vector(&w, w.at);
        } else {
            if (waiting)
                ia_tile_step_run(s, last, waiting, sums[!turn]);
            gradient_tile(p, m, panel, &t, NULL);
        }
        last = (panel * p->m + m) * TILE_N;
        waiting = t.rows * TILE_N;
    }
    ia_tile_step_run(s, last, waiting, sums[!turn]);
}

static void gradient(const ia_bf16_gradient *p, size_t m0, size_t m1, size_t panel)
{
    if (p->step) {
        gradient_stepped(p, m0, m1, panel);
        return;
    }
    tile t = {.ldc = TILE_N, .cols = TILE_N};
    for (size_t m = m0; m < m1; m += TILE_M) {
        t.rows = smaller(m1 - m, TILE_M);
        t.c = p->c + (panel * p->m + m) * TILE_N;
        gradient_tile(p, m, panel, &t, NULL);
    }
}

const ia_bf16_kernels ia_bf16_avx512 = {
    .product = product,
    .gradient = gradient,
    .pack_rows = pack_rows,
    .pack_wide = pack_wide,
    .pack_narrow = pack_narrow,
};
IA_TARGET_END
#endif
