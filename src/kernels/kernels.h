/* The kernels as the layers and the optimizers call them. law.h is the specification of the bytes.
 *
 * All matrices are row-major float32; `rows` is the batch. Calls split their work over the pool and
 * choose the instruction set in `ia_exec`; results do not depend on either. Nothing here allocates
 * or fails. Aliasing: an output may be the same array as an input of the same shape only where
 * said. */
#ifndef IA_KERNELS_KERNELS_H
#define IA_KERNELS_KERNELS_H

#include "base/pool.h"
#include "base/random.h"

typedef struct ia_kernel_set ia_kernel_set; /* dispatch.h */

typedef struct ia_exec {
    const ia_kernel_set *set;
    ia_pool *pool; /* NULL: serial */
    bool bf16;     /* products of weights in panels round their operands: bf16.h */
} ia_exec;

/* "avx512", "avx2", "neon", "reference"; NULL or "auto" = the best this CPU has. NULL when the CPU
 * lacks it or the name is unknown. Thread-safe; detected once. */
const ia_kernel_set *ia_kernel_set_find(const char *name);
const char *ia_kernel_set_name(const ia_kernel_set *set);
/* The i-th set this CPU can run, slowest (reference) first; NULL past the end. For tests. */
const ia_kernel_set *ia_kernel_set_at(size_t i);

/* Calls fn over [0, n) in shares of at least `least` items that suit the pool; serial when n is no
 * more than that. Shares are multiples of 64 items when `least` is. */
void ia_share(const ia_exec *e, size_t n, size_t least, ia_pool_fn *fn, void *context);

/* ---- matrix products ---- */
/* y[r][u] = b[u] + sum_i x[r][i] * w[i][u]; b may be NULL. Law (a). */
void ia_dense_y(const ia_exec *e, size_t rows, size_t in, size_t units, const float *x,
                const float *w, const float *b, float *y);
/* dx[r][i] = sum_u dy[r][u] * w[i][u]. Law (a), blocks over u. */
void ia_dense_dx(const ia_exec *e, size_t rows, size_t in, size_t units, const float *dy,
                 const float *w, float *dx);
/* dw[i][u] = sum_r x[r][i] * dy[r][u]. Law (b). */
void ia_dense_dw(const ia_exec *e, size_t rows, size_t in, size_t units, const float *x,
                 const float *dy, float *dw);

/* ---- the same with weights in panels ----
 *
 * A matrix [rows][cols] in panels is [panel][rows][width]: strips of `width` columns, as wide as a
 * tile of the set's kernels, the last one filled up with 0. */
size_t ia_panels_width(const ia_exec *e);
/* Its floats; false when they overflow. */
bool ia_panels_size(const ia_exec *e, size_t rows, size_t cols, size_t *floats);
void ia_panels_pack(const ia_exec *e, size_t rows, size_t cols, const float *x, float *panels);
void ia_panels_unpack(const ia_exec *e, size_t rows, size_t cols, const float *panels, float *x);
/* y = x w + b, and relu where wanted. */
typedef struct ia_dense_forward {
    size_t rows, in, units;
    const float *x, *w, *b; /* b may be NULL */
    bool panels;            /* w lies in panels */
    bool relu;
    float *y;
} ia_dense_forward;
void ia_dense_forward_run(const ia_exec *e, const ia_dense_forward *d);
/* The way back through y = f(x w + b): dz = dy f'(z), then dx = dz w^T, dw = x^T dz, db = sum of dz
 * over rows. w and dw lie in panels. rows >= 1. */
typedef struct ia_step ia_step;             /* optimize.h */
typedef struct ia_activation ia_activation; /* below */
typedef struct ia_dense_back {
    size_t rows, in, units;
    const float *x, *w;
    const ia_activation *activation; /* element-wise; NULL: dz is given */
    const float *z, *y, *dy;         /* what its derivative reads */
    float *dz;
    float *dx;           /* NULL: not wanted */
    float *dw;           /* NULL: not wanted, or stepped */
    float *db;           /* NULL: not wanted; only with dw or step */
    const ia_step *step; /* not NULL: the optimizer's step is taken instead of writing dw, after dx
                            has read w */
} ia_dense_back;
/* Floats of its scratch; false when they overflow. */
bool ia_dense_back_size(const ia_exec *e, size_t rows, size_t in, size_t units, size_t *floats);
void ia_dense_back_run(const ia_exec *e, const ia_dense_back *d, float *temp);

/* ---- sums over rows, law (b) ---- */
/* out[c] = sum_r x[r][c] */
void ia_sum_rows(const ia_exec *e, size_t rows, size_t cols, const float *x, float *out);
/* out[c] = sum_r x[r][c] * y[r][c] (fused) */
void ia_sum_rows_mul(const ia_exec *e, size_t rows, size_t cols, const float *x, const float *y,
                     float *out);
/* out[c] = sum_r (x[r][c] - mean[c])^2 */
void ia_sum_rows_sqdiff(const ia_exec *e, size_t rows, size_t cols, const float *x,
                        const float *mean, float *out);
/* ---- sums inside a row, law (c) ---- */
/* out[r] = sum_c x[r][c] */
void ia_row_sum(const ia_exec *e, size_t rows, size_t cols, const float *x, float *out);
/* out[r] = sum_c (x[r][c] - mean[r])^2 */
void ia_row_sqdiff(const ia_exec *e, size_t rows, size_t cols, const float *x, const float *mean,
                   float *out);
/* out[r] = sum_c x[r][c] * y[r][c] (fused) */
void ia_row_dot(const ia_exec *e, size_t rows, size_t cols, const float *x, const float *y,
                float *out);

/* The sum of n doubles by the aligned tree over blocks of 64. */
double ia_sum_f64(size_t n, const double *x);

/* ---- element-wise, law (d); y may be x ---- */
typedef enum ia_binary { IA_ADD, IA_SUB, IA_MUL, IA_MAX, IA_MIN } ia_binary;
void ia_map2(const ia_exec *e, ia_binary op, size_t n, const float *a, const float *b, float *y);
void ia_scale(const ia_exec *e, size_t n, float a, const float *x, float *y); /* y = a*x */
void ia_axpy(const ia_exec *e, size_t n, float a, const float *x, float *y);  /* y = fma(a, x, y) */
void ia_copy(const ia_exec *e, size_t n, const float *x, float *y);
/* y[r][c] = x[r][c] * scale[c] + shift[c], one fma; scale or shift may be NULL (1, 0). */
void ia_scale_shift_rows(const ia_exec *e, size_t rows, size_t cols, const float *x,
                         const float *scale, const float *shift, float *y);

/* ---- activations: activation.h has the table ---- */
/* y = f(z) over rows x cols (softmax and kin run along each row). y may be z. */
void ia_activate(const ia_exec *e, const ia_activation *a, size_t rows, size_t cols, const float *z,
                 float *y);
/* dz = dy * f'(z) from y, and from z where the table says so (else z may be NULL). dz may be dy. */
void ia_activate_dz(const ia_exec *e, const ia_activation *a, size_t rows, size_t cols,
                    const float *z, const float *y, const float *dy, float *dz);

/* ---- random masks, law (e): a pure function of key and (row, unit) ---- */
/* mask[r][c] = keep ? 1/(1-rate) : 0; `row0` is the batch position of row 0. */
void ia_mask_dropout(const ia_exec *e, ia_random_key key, float rate, size_t row0, size_t rows,
                     size_t cols, float *mask);
/* Standard normal noise. */
void ia_mask_normal(const ia_exec *e, ia_random_key key, size_t row0, size_t rows, size_t cols,
                    float *noise);

#endif
