/* The plain C kernels: the law written out, and the specification of all others. */

#if !defined(__FP_FAST_FMAF) /* fmaf is a call: loops over it are not vectorised */
#define IA_PLAIN_LOOPS
#endif
#include "kernels/dispatch.h"

#define TILE_M 1
#define TILE_N 1
#define TREE_M 1

/* A panel is one column wide here, so panels are the transposed matrix, and every run of k is 1. */
static size_t product_a_k(const ia_product *p)
{
    return p->a_run ? p->a_jump : p->a_k;
}

static void product_chain(const ia_product *p, size_t m0, size_t m1, size_t n0, size_t n1)
{
    size_t b_k = p->transposed ? 1 : p->ldb, a_k = product_a_k(p);
    size_t b_n = p->b_panel ? p->b_panel : p->transposed ? p->ldb : 1;
    for (size_t m = m0; m < m1; m++)
        for (size_t n = n0; n < n1; n++) {
            float sum = ia_law_product(p->k, p->a + m * p->a_m, a_k, p->b + n * b_n, b_k);
            sum = p->bias ? sum + p->bias[n] : sum;
            p->c[p->turned ? n * p->ldc + m : m * p->ldc + n] = p->relu ? ia_law_relu(sum) : sum;
        }
}

static void product_tree(const ia_product *p, size_t m0, size_t m1, size_t n0, size_t n1)
{
    size_t a_m = p->a_panel ? p->a_panel : p->a_m;
    size_t b_n = p->b_panel ? p->b_panel : 1, c_n = p->c_panel ? p->c_panel : 1;
    for (size_t m = m0; m < m1; m++)
        for (size_t n = n0; n < n1; n++) {
            float sum = ia_law_rows_product(p->k, p->a + m * a_m, p->a_k, p->b + n * b_n, p->ldb);
            if (p->step)
                ia_tile_step_run(p->step, n * c_n + m, 1, &sum);
            else
                p->c[n * c_n + m * p->ldc] = sum;
        }
}

static void pack_rows(size_t k, size_t cols, const float *x, size_t ldx, float *pack)
{
    for (size_t i = 0; cols && i < k; i++)
        pack[i] = x[i * ldx];
}

static void pack_columns(size_t k, size_t cols, const float *x, size_t ldx, float *pack)
{
    pack_rows(k, cols, x, 1, pack);
    (void)ldx;
}

static void pack_tree(size_t k, size_t rows, const float *a, size_t lda, float *pack)
{
    pack_rows(k, rows, a, lda, pack);
}

#define SET ia_kernels_reference
#define SET_NAME "reference"
#include "kernels/set.inc.h"
