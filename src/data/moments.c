/* Mean and variance of the numbers of a row, for Keras' Normalization layer.
 *
 * In double and in a fixed order, so the result depends on nothing but the rows: blocks of 64 rows,
 * each summed in order, joined by an aligned binary tree (block i with its neighbour i^1, and so
 * on). */
#include "data/internal.h"

#include "base/alloc.h"

#include <assert.h>
#include <string.h>

#define BLOCK_ROWS 64
#define LEVELS 64 /* of the tree: enough for 2^64 blocks */

/* The tree as a binary counter: level[l] is a finished subtree of 2^l blocks, where bit l of
 * `blocks` is set. */
typedef struct moments_tree {
    size_t width;
    double *level[LEVELS]; /* [width] each, made when first needed */
    uint64_t blocks;
} moments_tree;

static void tree_free(moments_tree *tree)
{
    for (size_t l = 0; l < LEVELS; l++)
        ia_free(tree->level[l]);
}

/* Adds the sums of the next block; `block` is used up. */
static inarch_status tree_add(moments_tree *tree, double *block, inarch_error *err)
{
    size_t l = 0;
    for (; tree->blocks >> l & 1; l++)
        for (size_t c = 0; c < tree->width; c++)
            block[c] = tree->level[l][c] + block[c]; /* left + right */
    if (!tree->level[l]) {
        tree->level[l] = ia_calloc(tree->width, sizeof **tree->level);
        if (!tree->level[l])
            return ia_fail_memory(err, "sums of columns", tree->width * sizeof **tree->level);
    }
    memcpy(tree->level[l], block, tree->width * sizeof *block);
    tree->blocks++;
    return INARCH_OK;
}

/* Joins what is left, from the last blocks to the first. */
static void tree_total(const moments_tree *tree, double *out)
{
    bool any = false;
    for (size_t l = 0; l < LEVELS; l++) {
        if (!(tree->blocks >> l & 1))
            continue;
        for (size_t c = 0; c < tree->width; c++)
            out[c] = any ? tree->level[l][c] + out[c] : tree->level[l][c];
        any = true;
    }
}

/* Row r of the view as double. */
static void read_row(const ia_data *d, const ia_data_input *x, uint64_t r, size_t width,
                     double *out)
{
    ia_dtype dtype = ia_rows_dtype(x->rows);
    const uint8_t *src = ia_rows_at(x->rows, ia_data_source_row(d, r), NULL);
    if (!x->pick) {
        ia_dtype_to_f64(dtype, src, width, out);
        return;
    }
    for (size_t c = 0; c < width; c++)
        ia_dtype_to_f64(dtype, src + x->pick[c] * ia_dtype_size(dtype), 1, &out[c]);
}

static inarch_status read_any_row(const ia_data *d, size_t input, uint64_t r, size_t width,
                                  double *out, float *scratch, inarch_error *err)
{
    if (d->input[input].rows) {
        read_row(d, &d->input[input], r, width, out);
        return INARCH_OK;
    }
    IA_TRY(ia_data_gather(d, &r, 1, input, scratch, err));
    for (size_t c = 0; c < width; c++)
        out[c] = scratch[c];
    return INARCH_OK;
}

typedef struct moments_pass {
    const ia_data *d;
    size_t input, width, n;
    const uint64_t *rows;
    double *row, *block;
    float *scratch;
} moments_pass;

/* out = the sums of x - 0, or of (x - mean)^2 where mean is given, over all rows; then divided by
 * n. */
static inarch_status moments_sum(const moments_pass *p, const double *mean, double *out,
                                 inarch_error *err)
{
    inarch_status status = INARCH_OK;
    moments_tree tree = {.width = p->width};
    for (size_t at = 0; at < p->n; at += BLOCK_ROWS) {
        size_t m = p->n - at < BLOCK_ROWS ? p->n - at : BLOCK_ROWS;
        memset(p->block, 0, p->width * sizeof *p->block);
        for (size_t i = 0; i < m; i++) {
            uint64_t r = p->rows ? p->rows[at + i] : at + i;
            IA_TRY_GOTO(read_any_row(p->d, p->input, r, p->width, p->row, p->scratch, err));
            for (size_t c = 0; c < p->width; c++) {
                double v = mean ? p->row[c] - mean[c] : p->row[c];
                p->block[c] += mean ? v * v : v;
            }
        }
        IA_TRY_GOTO(tree_add(&tree, p->block, err));
    }
    tree_total(&tree, out);
    for (size_t c = 0; c < p->width; c++)
        out[c] /= (double)p->n;
done:
    tree_free(&tree);
    return status;
}

inarch_status ia_data_moments(const ia_data *d, size_t input, const uint64_t *rows, size_t n,
                              double *mean, double *variance, inarch_error *err)
{
    size_t width = ia_data_input_count(d, input);
    assert(rows || n <= d->rows);
    if (n == 0)
        return ia_fail(err, INARCH_BAD_DATA, d->origin->name, "",
                       "'%.200s' has no rows to standardize by", d->origin->name);
    moments_pass p = {.d = d, .input = input, .width = width, .n = n, .rows = rows};
    p.row = ia_calloc(width, sizeof *p.row);
    p.block = ia_calloc(width, sizeof *p.block);
    p.scratch = ia_calloc(width, sizeof *p.scratch);
    inarch_status status = INARCH_OK;
    if (!p.row || !p.block || !p.scratch)
        status = ia_fail_memory(err, "sums of columns", width * sizeof *p.row);
    if (status == INARCH_OK)
        status = moments_sum(&p, NULL, mean, err);
    if (status == INARCH_OK)
        status = moments_sum(&p, mean, variance, err);
    ia_free(p.row);
    ia_free(p.block);
    ia_free(p.scratch);
    return status;
}
