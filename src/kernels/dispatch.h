/* The table of kernels of one instruction set, and what its entries promise.
 *
 * set.inc.h fills it from the same sources for every set; only the matrix products differ. Callers
 * use kernels.h and optimize.h, which split the work over the pool and call through here. A pointer
 * that a loop does not read is any readable array of the same length, never NULL. */
#ifndef IA_KERNELS_DISPATCH_H
#define IA_KERNELS_DISPATCH_H

#include "kernels/kernels.h"
#include "kernels/activation_list.h"
#include "kernels/lanes.h"
#include "kernels/loss_list.h"
#include "kernels/losses.h"
#include "kernels/optimize.h"
#include "kernels/update_list.h"

/* X(name): y = name(a, b, c; p) element by element; map.inc.h says what each is. */
#define IA_MAPS(X)                                                                                 \
    X(add)                                                                                         \
    X(sub)                                                                                         \
    X(mul)                                                                                         \
    X(max)                                                                                         \
    X(min)                                                                                         \
    X(scale)                                                                                       \
    X(axpy)                                                                                        \
    X(clip)                                                                                        \
    X(decay)                                                                                       \
    X(scale_shift)                                                                                 \
    X(only_scale)                                                                                  \
    X(only_shift)

#define IA_MAP_ID(name) IA_MAP_##name,
enum { IA_MAPS(IA_MAP_ID) IA_MAP_COUNT };

#define IA_ACT_ID(name, ...) IA_ACT_##name,
enum {
    IA_ELEMENTWISE_ACTIVATIONS(IA_ACT_ID) IA_ELEMENTWISE_COUNT,
    IA_ACT_before_rows = IA_ELEMENTWISE_COUNT - 1,
    IA_ROW_ACTIVATIONS(IA_ACT_ID) IA_ACTIVATION_COUNT
};

/* y may be a, b or c; p has IA_LOOP_PARAMS floats. */
typedef void ia_loop_fn(size_t n, const float *p, const float *a, const float *b, const float *c,
                        float *y);
/* Along each row of rows x cols; y is such a matrix (may be an input) or one number a row. */
typedef void ia_rows_fn(size_t rows, size_t cols, const float *a, const float *b, const float *c,
                        float *y);
/* Over the rows of `cols` columns of matrices `stride` wide. */
typedef void ia_columns_fn(size_t rows, size_t cols, size_t stride, const float *a, const float *b,
                           float *out);
typedef void ia_mask_fn(ia_random_key key, float p, size_t row0, size_t rows, size_t cols,
                        float *y);
/* Samples [begin, end). */
typedef void ia_loss_fn(const ia_loss_rows *l, size_t begin, size_t end);
typedef void ia_update_fn(size_t n, const float *p, const float *g, float *w, float *const *slot);

/* What becomes of a finished tile of dW, while it is in the first-level cache: the optimizer's step
 * for the same elements of w and its slots, which lie in the same panels. */
typedef struct ia_tile_step {
    int rule;
    ia_update_fn *fn;
    const float *p;
    float decay[IA_LOOP_PARAMS]; /* w = w - decay[0] w comes first; 0: none */
    ia_loop_fn *decay_fn;
    int slots;
    float *w, *slot[IA_UPDATE_SLOTS];
} ia_tile_step;

/* c[m][n] = bias[n] + sum_k a[m * a_m + k * a_k] * B[k][n]. A panel is tile_n columns wide. */
typedef struct ia_product {
    size_t m, n, k;
    const float *a;
    size_t a_m, a_k;
    size_t a_run,
        a_jump;     /* k of A in runs of a_run (0: one run, else tile_n) that lie a_jump apart */
    size_t a_panel; /* not 0: panels of m that lie so far apart, tree_m wide: a_m is 1, a_k tree_m;
                       for the tree, whose parts of m are multiples of tree_m */
    const float *b;
    size_t ldb;        /* B[k][n] = b[k * ldb + n], or b[n * ldb + k] when transposed */
    int transposed;    /* only for the chain */
    size_t b_panel;    /* not 0: panels of B that lie so far apart; ldb is tile_n */
    const float *bias; /* [n] or NULL; only for the chain */
    int relu;          /* c = relu(c) at the end; likewise */
    float *c;
    float *
        b_sums; /* not NULL: [n], the sums of B over k, law (b); needs b_panel; only for the tree */
    size_t ldc; /* c[m * ldc + n] */
    float *turned;  /* not NULL: c[n * ldc + m] by way of this, [n][m] in panels of n; only for
                       the chain */
    size_t c_panel; /* not 0: panels of C that lie so far apart; ldc is tile_n; only for the
                       tree */
    const ia_tile_step *step; /* not NULL: c is not written, but stepped; needs c_panel */
} ia_product;
/* The chain takes so many panels side by side, when there are so few rows: parts should have them.
 */
#define IA_STRIP_ROWS 3
#define IA_STRIP_PANELS 4
/* The part [m0, m1) x [n0, n1) of c; n0 is a multiple of tile_n. */
typedef void ia_product_fn(const ia_product *p, size_t m0, size_t m1, size_t n0, size_t n1);
/* One panel, k rows of `cols` numbers filled up with 0: pack[k][j] = x[k * ldx + j], or x[j * ldx +
 * k].
 */
typedef void ia_pack_fn(size_t k, size_t cols, const float *x, size_t ldx, float *pack);

ia_tile_step ia_step_tile(const ia_exec *e, const ia_step *s);

/* The step for n elements from `at` on, whose gradient is g. */
static inline void ia_tile_step_run(const ia_tile_step *t, size_t at, size_t n, const float *g)
{
    float *slot[IA_UPDATE_SLOTS] = {NULL};
    for (int i = 0; i < t->slots; i++)
        slot[i] = t->slot[i] + at;
    if (t->decay[0] != 0)
        t->decay_fn(n, t->decay, t->w + at, t->w + at, t->w + at, t->w + at);
    t->fn(n, t->p, g, t->w + at, slot);
}

struct ia_kernel_set {
    const char *name;
    size_t tile_m, tile_n, tree_m;
    ia_product_fn *chain;                 /* law (a) over k */
    ia_product_fn *tree;                  /* law (b) over k */
    ia_pack_fn *pack_rows, *pack_columns; /* tile_n wide */
    ia_pack_fn *pack_tree;                /* as pack_rows, tree_m wide, not filled up */
    ia_loop_fn *map[IA_MAP_COUNT];
    ia_loop_fn *activate[IA_ELEMENTWISE_COUNT]; /* a = z */
    ia_loop_fn
        *activate_dz[IA_ELEMENTWISE_COUNT]; /* a = z (or y where not needed), b = y, c = dy */
    ia_rows_fn *row_activate[IA_ACTIVATION_COUNT - IA_ELEMENTWISE_COUNT]; /* a = z */
    ia_rows_fn *row_activate_dz[IA_ACTIVATION_COUNT -
                                IA_ELEMENTWISE_COUNT]; /* a = y, b = dy, c = z if needed */
    ia_rows_fn *row_sum, *row_sqdiff, *row_dot;        /* a; a, b = mean of each row; a, b */
    ia_columns_fn *sum, *sum_mul, *sum_sqdiff;         /* a; a, b; a, b = mean of each column */
    ia_loss_fn *loss[IA_LOSS_COUNT];
    ia_rows_fn *row_argmax; /* a */
    double (*penalty_sum)(const ia_penalty_rows *q, size_t n);
    void (*penalty_grad)(const ia_penalty_rows *q, size_t begin, size_t end);
    ia_mask_fn *dropout, *normal;
    ia_update_fn *update[IA_UPDATE_COUNT];
    double (*sum_squares)(size_t n, const float *x);
};

extern const ia_kernel_set ia_kernels_reference;
#if defined(__x86_64__) && defined(__GNUC__)
extern const ia_kernel_set ia_kernels_avx2;
extern const ia_kernel_set ia_kernels_avx512;
#endif
#if defined(__aarch64__)
extern const ia_kernel_set ia_kernels_neon;
#endif

/* Cuts the product into parts for the pool. fn: the set's chain or tree. */
void ia_product_run(const ia_exec *e, const ia_product *p, ia_product_fn *fn);

#endif
