/* Template: law (b), the tree over blocks of 64 k, and what is done to a finished run of rows.
 *
 * Included by product.inc.h. A run of rows of C is at most TREE_M: its blocks of k take turns, so
 * that B's block stays in the first-level cache. Where c is a gradient that is stepped at once, the
 * run before is stepped between the products of this one (weave.inc.h) if the set can, else after
 * them. */

/* A of the tree in panels of TREE_M: pack[k][i] = a[k * lda + i] for `rows` of them. */
static void pack_tree(size_t k, size_t rows, const float *a, size_t lda, float *pack)
{
    if (rows == TREE_M)
        for (; k; k--, a += lda, pack += TREE_M)
            memcpy(pack, a, TREE_M * sizeof *pack);
    for (; k; k--, a += lda, pack += TREE_M)
        memcpy(pack, a, rows * sizeof *pack);
}

#ifdef V_DIV
#include "kernels/weave.inc.h"
#else
typedef struct weave {
    int none;
} weave;
#endif

/* Sums of a run that wait for their right neighbours in the tree. Level 0 is the pair of blocks at
 * work, level i + 1 holds 2^i pairs. */
#define TREE_LEVELS 26 /* up to 2^32 rows of a batch */
typedef struct tree_levels {
    _Alignas(64) float sum[TREE_LEVELS][TREE_M * TILE_N];
} tree_levels;

static void tree_add(size_t n, const float *left, const float *right, float *sum)
{
    for (size_t i = 0; i < n; i++)
        sum[i] = left[i] + right[i];
}

/* One block of k for m rows. */
static void tree_block(const tile *first, size_t m, weave *w)
{
    tile t = *first;
    for (size_t i = 0; i < m; i += TILE_M) {
        size_t rows = m - i < TILE_M ? m - i : TILE_M;
#ifdef V_DIV
        if (w && rows == TILE_M)
            weave_tile(&t, w);
        else
#endif
            tile_run(&t, rows);
        t.a += TILE_M * t.a_m;
        t.c += TILE_M * t.ldc;
    }
    (void)w;
}

/* Blocks 2 * pair and 2 * pair + 1, into t.c. */
static void tree_pair(const tile *whole, size_t pair, size_t m, tile *t, weave *w)
{
    size_t k = 2 * pair * IA_LAW_ROWS;
    for (int half = 0; half < 2 && k < whole->k; half++, k += IA_LAW_ROWS) {
        t->k = whole->k - k < IA_LAW_ROWS ? whole->k - k : IA_LAW_ROWS;
        t->a = whole->a + k * whole->a_k;
        t->b = whole->b + k * whole->ldb;
        t->add = half;
        tree_block(t, m, w);
    }
}

/* m rows over all of k, from the tile `whole` on, into its c. */
static void tree_run(const tile *whole, size_t m, tree_levels *levels, weave *w)
{
    tile t = *whole;
    size_t n = m * TILE_N, pairs = (whole->k - 1) / (2 * IA_LAW_ROWS) + 1;
    if (pairs == 1) {
        tree_pair(whole, 0, m, &t, w);
        return;
    }
    if (t.cols < TILE_N) /* columns that no tile writes are added too */
        for (int i = 0; i < TREE_LEVELS && pairs >> i; i++)
            memset(levels->sum[i], 0, n * sizeof(float));
    t.ldc = TILE_N;
    for (size_t pair = 0; pair < pairs; pair++) {
        int to = 1; /* where the sum will wait; the levels below it join on the way */
        while (pair >> (to - 1) & 1)
            to++;
        t.c = levels->sum[to > 1 ? 0 : 1];
        tree_pair(whole, pair, m, &t, w);
        for (int i = 1; i < to; i++)
            tree_add(n, levels->sum[i], levels->sum[0], levels->sum[i + 1 < to ? 0 : to]);
    }
    const float *sum = NULL;
    for (int i = 1; i < TREE_LEVELS; i++)
        if (pairs >> (i - 1) & 1) {
            if (sum)
                tree_add(n, levels->sum[i], sum, levels->sum[0]);
            sum = sum ? levels->sum[0] : levels->sum[i];
        }
    for (size_t i = 0; i < m; i++)
        memcpy(whole->c + i * whole->ldc, sum + i * TILE_N, whole->cols * sizeof(float));
}

/* Where row m of A starts. */
static inline const float *tree_a(const ia_product *p, size_t m)
{
    return p->a_panel ? p->a + m / TREE_M * p->a_panel + m % TREE_M : p->a + m * p->a_m;
}

/* The run of rows of a gradient that waits to be stepped: floats [at, at + count) of the variable.
 */
typedef struct tree_steps {
    _Alignas(64) float sums[2][TREE_M * TILE_N];
    size_t at, count;
    int turn; /* which of the two it is not in */
} tree_steps;

static void tree_step_waiting(const ia_product *p, tree_steps *s)
{
    if (s->count)
        ia_tile_step_run(p->step, s->at, s->count, s->sums[!s->turn]);
    s->count = 0;
}

/* One panel of a gradient in panels: what waits is stepped during each run of rows. */
static void tree_stepped(const ia_product *p, size_t m0, size_t m1, size_t n, tile *t,
                         tree_levels *levels, tree_steps *s)
{
    for (size_t m = m0; m < m1; m += TREE_M) {
        size_t rows = m1 - m < TREE_M ? m1 - m : TREE_M;
        weave *w = NULL;
#ifdef V_DIV
        weave before;
        if (s->count && weave_suits(p->step, rows)) {
            before = weave_of(p->step, s->at, s->count, s->sums[!s->turn]);
            w = &before;
        }
#endif
        if (!w)
            tree_step_waiting(p, s);
        t->a = tree_a(p, m);
        t->c = s->sums[s->turn];
        tree_run(t, rows, levels, w);
#ifdef V_DIV
        if (w)
            weave_rest(w);
#endif
        s->at = n / TILE_N * p->c_panel + m * TILE_N;
        s->count = rows * TILE_N;
        s->turn = !s->turn;
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
    tree_steps steps;
    steps.count = 0;
    steps.turn = 0;
    int packed = !p->b_panel && p->k <= PACK_K && pack_pays(p, m1 - m0);
    for (size_t n = n0; n < n1; n += TILE_N) {
        tile t = tile_of(p, p->c_panel ? TILE_N : panel_cols(n, n1));
        t.k = p->k;
        t.b = product_b(p, 0, n);
        if (packed) {
            pack_rows(p->k, t.cols, p->b + n, p->ldb, pack);
            t.b = pack;
            t.ldb = TILE_N;
            t.b_padded = 1;
        }
        if (p->step) {
            t.ldc = TILE_N;
            tree_stepped(p, m0, m1, n, &t, &levels, &steps);
            continue;
        }
        t.ldc = p->ldc;
        for (size_t m = m0; m < m1; m += TREE_M) {
            t.a = tree_a(p, m);
            t.c = p->c + (p->c_panel ? n / TILE_N * p->c_panel + m * TILE_N : m * p->ldc + n);
            tree_run(&t, m1 - m < TREE_M ? m1 - m : TREE_M, &levels, NULL);
        }
    }
    tree_step_waiting(p, &steps);
}
