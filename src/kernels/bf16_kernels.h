/* What an instruction set gives for products in bf16, and how their operands lie.
 *
 * The instruction multiplies pairs of neighbours along k, so operands are stored as pairs: in
 * strips of 8 rows of A or 32 columns of B, [k / 2][strip], filled up with 0. */
#ifndef IA_KERNELS_BF16_KERNELS_H
#define IA_KERNELS_BF16_KERNELS_H

#include "kernels/dispatch.h"

#define IA_BF16_M 8
#define IA_BF16_N 32 /* also the width of the panels of w */

typedef uint32_t ia_pair; /* two bf16, the one of the lower k in the lower half */

/* c[m][n] = bias[n] + sum_k A[m][k] * B[k][n], where B is w or its transpose. */
typedef struct ia_bf16_product {
    size_t m, n, k;
    const ia_pair *a; /* strips of m */
    const float *w;   /* panels, w_rows of them */
    size_t w_rows;
    int transposed;    /* B[k][n] = w[n][k], not w[k][n] */
    const float *bias; /* or NULL */
    int relu;
    float *c;
    size_t ldc;
} ia_bf16_product;

/* c[m][n] = sum_k A[m][k] * B[k][n] in panels, or the step with it. */
typedef struct ia_bf16_gradient {
    size_t m, k;
    const ia_pair *a, *b; /* strips of m, of n */
    float *c;
    const ia_tile_step *step; /* not NULL: c is not written, but stepped */
} ia_bf16_gradient;

typedef struct ia_bf16_kernels {
    /* Rows [m0, m1) of one panel of columns; m0 is a multiple of IA_BF16_M. */
    void (*product)(const ia_bf16_product *p, size_t m0, size_t m1, size_t panel);
    void (*gradient)(const ia_bf16_gradient *p, size_t m0, size_t m1, size_t panel);
    /* One strip of at most IA_BF16_M rows of x, pairs along each row. */
    void (*pack_rows)(size_t rows, size_t k, const float *x, size_t ldx, ia_pair *strip);
    /* At most IA_BF16_N columns of x, k rows, pairs down the columns: into one strip of so many, or
     * into strips of IA_BF16_M that lie `apart`. */
    void (*pack_wide)(size_t k, size_t cols, const float *x, size_t ldx, ia_pair *strip);
    void (*pack_narrow)(size_t k, size_t cols, const float *x, size_t ldx, ia_pair *strips,
                        size_t apart);
} ia_bf16_kernels;

#if defined(__x86_64__) && defined(__GNUC__)
extern const ia_bf16_kernels ia_bf16_avx512;
#endif

#endif
