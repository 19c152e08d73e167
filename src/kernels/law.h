/* The numeric law: which roundings happen, and in which order. A change is a major version.
 *
 * Every kernel of every instruction set gives the bytes that this page describes, so results depend
 * neither on threads, block sizes, the other rows of a batch, nor on the machine. (The one
 * exception is which NaN a NaN is: its sign and payload are free.) The functions below are the law
 * in C; ref/ is built from them and the tests compare every other kernel with ref/ by memcmp.
 *
 * (a) Sums over k of a matrix product (y over inputs, dx over units): k is cut into blocks of 256.
 * A block is one chain s = fma(a[k], b[k], s) from +0, k ascending. Block sums are added left to
 * right, starting with the first block's. Then + bias, then the activation. No block: +0.
 *
 * (b) Sums over rows (dw, db, statistics of a batch): chains as in (a) over blocks of 64 rows,
 * counted from row 0 of the batch; a plain sum is a chain of s = s + x from +0. Block sums are
 * joined by an aligned binary tree: pairs (0,1), (2,3), ... then pairs of those; an odd last one is
 * carried up unchanged. No block: +0.
 *
 * (c) Sums inside a row (softmax, norms): 16 lanes from +0, lane = index mod 16, each a chain with
 * the index ascending; then lane[j] += lane[j+8] for j < 8, and so on with 4, 2, 1. Maxima go the
 * same way from -infinity with `a < b ? b : a`, so that NaN is skipped. The sum of a sample's loss
 * goes the same way in double.
 *
 * (d) Element-wise: IEEE + - * / sqrt fma exactly as the source writes them (-ffp-contract=off);
 * exp, log, tanh, erf, ... from fmath.h.
 *
 * (e) Random masks: Philox4x32-10 with the caller's key and the counter (row, unit / 4); unit takes
 * word unit mod 4.
 *
 * (f) relu(x) is `x < 0 ? 0 : x`: NaN passes, as it does through every activation.
 *
 * (g) A slot of an optimizer that ends up with |slot| < 1e-30 becomes +0: subnormals are slow. */
#ifndef IA_KERNELS_LAW_H
#define IA_KERNELS_LAW_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#endif
#if defined(__FAST_MATH__)
#error "the numeric law needs IEEE arithmetic: compile without -ffast-math"
#endif

/* A call in the middle of a vector loop would undo it, and at -O2 compilers do not inline the
 * longer of these functions of their own accord. */
#if defined(__GNUC__)
#define IA_ALWAYS_INLINE static inline __attribute__((always_inline))
#else
#define IA_ALWAYS_INLINE static inline
#endif

#define IA_LAW_BLOCK 256 /* k of a matrix product, (a) */
#define IA_LAW_ROWS 64   /* rows of a batch, (b) */
#define IA_LAW_LANES 16  /* elements of a row, (c) */
#define IA_LAW_TINY 1e-30f
#define IA_LAW_LEVELS 58 /* of the tree over 2^64 rows */

/* (a) sum over k of a[k * a_step] * b[k * b_step] */
static inline float ia_law_product(size_t n, const float *a, size_t a_step, const float *b,
                                   size_t b_step)
{
    float sum = 0;
    for (size_t k = 0; k < n;) {
        size_t end = n - k < IA_LAW_BLOCK ? n : k + IA_LAW_BLOCK;
        float s = 0;
        int first = k == 0;
        for (; k < end; k++)
            s = fmaf(a[k * a_step], b[k * b_step], s);
        sum = first ? s : sum + s;
    }
    return sum;
}

/* (b) The aligned binary tree as a counter: level[i] waits for its right neighbour while bit i of
 * `count` is set. Start with count = 0. For float and for double. */
#define IA_LAW_TREE(tree, number)                                                                  \
    typedef struct tree {                                                                          \
        number level[IA_LAW_LEVELS];                                                               \
        uint64_t count;                                                                            \
    } tree;                                                                                        \
    static inline void tree##_add(tree *t, number block)                                           \
    {                                                                                              \
        int i = 0;                                                                                 \
        for (; t->count >> i & 1; i++)                                                             \
            block = t->level[i] + block;                                                           \
        t->level[i] = block;                                                                       \
        t->count++;                                                                                \
    }                                                                                              \
    static inline number tree##_sum(const tree *t)                                                 \
    {                                                                                              \
        number sum = 0;                                                                            \
        int have = 0;                                                                              \
        for (int i = 0; t->count >> i; i++) {                                                      \
            if (!(t->count >> i & 1))                                                              \
                continue;                                                                          \
            sum = have ? t->level[i] + sum : t->level[i];                                          \
            have = 1;                                                                              \
        }                                                                                          \
        return sum;                                                                                \
    }
IA_LAW_TREE(ia_law_tree, float)
IA_LAW_TREE(ia_law_tree_f64, double)

/* (b) sum over r of a[r * a_step] * b[r * b_step] */
static inline float ia_law_rows_product(size_t rows, const float *a, size_t a_step, const float *b,
                                        size_t b_step)
{
    ia_law_tree tree;
    tree.count = 0;
    for (size_t r = 0; r < rows;) {
        size_t end = rows - r < IA_LAW_ROWS ? rows : r + IA_LAW_ROWS;
        float s = 0;
        for (; r < end; r++)
            s = fmaf(a[r * a_step], b[r * b_step], s);
        ia_law_tree_add(&tree, s);
    }
    return ia_law_tree_sum(&tree);
}

/* (c) the tree 8-4-2-1 over the lanes, which it overwrites */
IA_ALWAYS_INLINE float ia_law_lanes_sum(float *lane)
{
    for (int half = IA_LAW_LANES / 2; half; half /= 2)
        for (int j = 0; j < half; j++)
            lane[j] = lane[j] + lane[j + half];
    return lane[0];
}

IA_ALWAYS_INLINE float ia_law_max(float a, float b)
{
    return a < b ? b : a;
}

IA_ALWAYS_INLINE float ia_law_lanes_max(float *lane)
{
    for (int half = IA_LAW_LANES / 2; half; half /= 2)
        for (int j = 0; j < half; j++)
            lane[j] = ia_law_max(lane[j], lane[j + half]);
    return lane[0];
}

/* (f) */
IA_ALWAYS_INLINE float ia_law_relu(float x)
{
    return x < 0 ? 0 : x;
}

/* (g) */
IA_ALWAYS_INLINE float ia_law_flush(float slot)
{
    return fabsf(slot) < IA_LAW_TINY ? 0 : slot;
}

#endif
