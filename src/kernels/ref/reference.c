/* The plain C kernels: the law written out, and the specification of all others. */

#if !defined(__FP_FAST_FMAF) /* fmaf is a call: loops over it are not vectorised */
#define IA_PLAIN_LOOPS
#endif
#include "kernels/dispatch.h"

#define TILE_M 1
#define TILE_N 1

static void product_chain(const ia_product *p, size_t m0, size_t m1, size_t n0, size_t n1)
{
    size_t b_k = p->transposed ? 1 : p->ldb, b_n = p->transposed ? p->ldb : 1;
    for (size_t m = m0; m < m1; m++)
        for (size_t n = n0; n < n1; n++) {
            float sum = ia_law_product(p->k, p->a + m * p->a_m, p->a_k, p->b + n * b_n, b_k);
            p->c[m * p->n + n] = p->bias ? sum + p->bias[n] : sum;
        }
}

static void product_tree(const ia_product *p, size_t m0, size_t m1, size_t n0, size_t n1)
{
    for (size_t m = m0; m < m1; m++)
        for (size_t n = n0; n < n1; n++)
            p->c[m * p->n + n] =
                ia_law_rows_product(p->k, p->a + m * p->a_m, p->a_k, p->b + n, p->ldb);
}

#define SET ia_kernels_reference
#define SET_NAME "reference"
#include "kernels/set.inc.h"
