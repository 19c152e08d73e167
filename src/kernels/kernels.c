/* The loops of kernels.h: cut into ranges for the pool, and sent to the set's table. */
#include "kernels/activation.h"
#include "kernels/dispatch.h"
#include "kernels/optimize.h"

#include <assert.h>

#define LOOP_SHARE 16384 /* elements: below, a second thread costs more than it saves */

/* ---- element-wise ---- */

static const float no_params[IA_LOOP_PARAMS];

typedef struct loop_job {
    ia_loop_fn *fn;
    const float *p, *a, *b, *c;
    float *y;
} loop_job;

static void loop_range(void *context, size_t begin, size_t end)
{
    const loop_job *j = context;
    j->fn(end - begin, j->p, j->a + begin, j->b + begin, j->c + begin, j->y + begin);
}

static void run_loop(const ia_exec *e, ia_loop_fn *fn, size_t n, const float *p, const float *a,
                     const float *b, const float *c, float *y)
{
    loop_job job = {fn, p, a, b, c, y};
    ia_share(e, n, LOOP_SHARE, loop_range, &job);
}

void ia_map2(const ia_exec *e, ia_binary op, size_t n, const float *a, const float *b, float *y)
{
    static const int map[] = {[IA_ADD] = IA_MAP_add,
                              [IA_SUB] = IA_MAP_sub,
                              [IA_MUL] = IA_MAP_mul,
                              [IA_MAX] = IA_MAP_max,
                              [IA_MIN] = IA_MAP_min};
    run_loop(e, e->set->map[map[op]], n, no_params, a, b, a, y);
}

void ia_scale(const ia_exec *e, size_t n, float a, const float *x, float *y)
{
    run_loop(e, e->set->map[IA_MAP_scale], n, (const float[IA_LOOP_PARAMS]){a}, x, x, x, y);
}

void ia_axpy(const ia_exec *e, size_t n, float a, const float *x, float *y)
{
    run_loop(e, e->set->map[IA_MAP_axpy], n, (const float[IA_LOOP_PARAMS]){a}, x, y, x, y);
}

void ia_clip(const ia_exec *e, size_t n, float low, float high, const float *x, float *y)
{
    run_loop(e, e->set->map[IA_MAP_clip], n, (const float[IA_LOOP_PARAMS]){low, high}, x, x, x, y);
}

void ia_weight_decay(const ia_exec *e, size_t n, float rate, float *w)
{
    run_loop(e, e->set->map[IA_MAP_decay], n, (const float[IA_LOOP_PARAMS]){rate}, w, w, w, w);
}

static void copy_loop(size_t n, const float *p, const float *a, const float *b, const float *c,
                      float *y)
{
    (void)p, (void)b, (void)c;
    memmove(y, a, n * sizeof *y);
}

void ia_copy(const ia_exec *e, size_t n, const float *x, float *y)
{
    if (x != y)
        run_loop(e, copy_loop, n, no_params, x, x, x, y);
}

/* ---- along rows and over rows ---- */

typedef struct rows_job {
    ia_rows_fn *fn;
    ia_loop_fn *loop; /* for scale and shift */
    size_t cols;
    const float *a, *b, *c;
    size_t b_step, c_step, y_step; /* from one row to the next */
    float *y;
} rows_job;

static void rows_range(void *context, size_t begin, size_t end)
{
    const rows_job *j = context;
    j->fn(end - begin, j->cols, j->a + begin * j->cols, j->b + begin * j->b_step,
          j->c + begin * j->c_step, j->y + begin * j->y_step);
}

static size_t rows_share(size_t cols)
{
    return cols < LOOP_SHARE ? LOOP_SHARE / (cols + 1) : 1;
}

static void run_rows(const ia_exec *e, size_t rows, rows_job *job)
{
    ia_share(e, rows, rows_share(job->cols), rows_range, job);
}

static void scale_shift_range(void *context, size_t begin, size_t end)
{
    const rows_job *j = context;
    for (size_t r = begin; r < end; r++)
        j->loop(j->cols, no_params, j->a + r * j->cols, j->b, j->c, j->y + r * j->cols);
}

void ia_scale_shift_rows(const ia_exec *e, size_t rows, size_t cols, const float *x,
                         const float *scale, const float *shift, float *y)
{
    if (!scale && !shift) {
        ia_copy(e, rows * cols, x, y);
        return;
    }
    int map = !scale ? IA_MAP_only_shift : !shift ? IA_MAP_only_scale : IA_MAP_scale_shift;
    rows_job job = {.loop = e->set->map[map], .cols = cols, .a = x, .y = y};
    job.b = scale ? scale : shift;
    job.c = shift ? shift : scale;
    ia_share(e, rows, rows_share(cols), scale_shift_range, &job);
}

void ia_row_sum(const ia_exec *e, size_t rows, size_t cols, const float *x, float *out)
{
    rows_job job = {.fn = e->set->row_sum, .cols = cols, .a = x, .b = x, .c = x, .y = out};
    job.y_step = 1;
    run_rows(e, rows, &job);
}

void ia_row_sqdiff(const ia_exec *e, size_t rows, size_t cols, const float *x, const float *mean,
                   float *out)
{
    rows_job job = {.fn = e->set->row_sqdiff, .cols = cols, .a = x, .b = mean, .c = x, .y = out};
    job.b_step = 1;
    job.y_step = 1;
    run_rows(e, rows, &job);
}

void ia_row_dot(const ia_exec *e, size_t rows, size_t cols, const float *x, const float *y,
                float *out)
{
    rows_job job = {.fn = e->set->row_dot, .cols = cols, .a = x, .b = y, .c = x, .y = out};
    job.b_step = cols;
    job.y_step = 1;
    run_rows(e, rows, &job);
}

typedef struct columns_job {
    ia_columns_fn *fn;
    size_t rows, cols;
    const float *a, *b;
    float *out;
} columns_job;

static void columns_range(void *context, size_t begin, size_t end)
{
    const columns_job *j = context;
    j->fn(j->rows, end - begin, j->cols, j->a + begin, j->b + begin, j->out + begin);
}

static void run_columns(const ia_exec *e, columns_job *job)
{
    /* a multiple of 64 columns: whole strips, whole cache lines */
    size_t least = (LOOP_SHARE / (job->rows + 1) / 64 + 1) * 64;
    ia_share(e, job->cols, least, columns_range, job);
}

void ia_sum_rows(const ia_exec *e, size_t rows, size_t cols, const float *x, float *out)
{
    columns_job job = {.fn = e->set->sum, .rows = rows, .cols = cols, .a = x, .b = x, .out = out};
    run_columns(e, &job);
}

void ia_sum_rows_mul(const ia_exec *e, size_t rows, size_t cols, const float *x, const float *y,
                     float *out)
{
    columns_job job = {.fn = e->set->sum_mul, .rows = rows, .cols = cols, .a = x, .b = y};
    job.out = out;
    run_columns(e, &job);
}

void ia_sum_rows_sqdiff(const ia_exec *e, size_t rows, size_t cols, const float *x,
                        const float *mean, float *out)
{
    columns_job job = {.fn = e->set->sum_sqdiff, .rows = rows, .cols = cols, .a = x, .b = mean};
    job.out = out;
    run_columns(e, &job);
}

double ia_sum_f64(size_t n, const double *x)
{
    ia_law_tree_f64 tree;
    tree.count = 0;
    for (size_t i = 0; i < n;) {
        size_t end = n - i < IA_LAW_ROWS ? n : i + IA_LAW_ROWS;
        double block = 0;
        for (; i < end; i++)
            block = block + x[i];
        ia_law_tree_f64_add(&tree, block);
    }
    return ia_law_tree_f64_sum(&tree);
}

/* ---- activations ---- */

void ia_activate(const ia_exec *e, const ia_activation *a, size_t rows, size_t cols, const float *z,
                 float *y)
{
    if (!a->cls->along_row) {
        run_loop(e, e->set->activate[a->cls->id], rows * cols, a->param, z, z, z, y);
        return;
    }
    rows_job job = {.fn = e->set->row_activate[a->cls->id - IA_ELEMENTWISE_COUNT], .cols = cols};
    job.a = job.b = job.c = z;
    job.b_step = job.c_step = job.y_step = cols;
    job.y = y;
    run_rows(e, rows, &job);
}

void ia_activate_dz(const ia_exec *e, const ia_activation *a, size_t rows, size_t cols,
                    const float *z, const float *y, const float *dy, float *dz)
{
    assert(z || !a->cls->needs_z);
    if (!a->cls->along_row) {
        run_loop(e, e->set->activate_dz[a->cls->id], rows * cols, a->param, a->cls->needs_z ? z : y,
                 y, dy, dz);
        return;
    }
    rows_job job = {.fn = e->set->row_activate_dz[a->cls->id - IA_ELEMENTWISE_COUNT], .cols = cols};
    job.a = y;
    job.b = dy;
    job.c = a->cls->needs_z ? z : y;
    job.b_step = job.c_step = job.y_step = cols;
    job.y = dz;
    run_rows(e, rows, &job);
}

/* ---- random masks ---- */

typedef struct mask_job {
    ia_mask_fn *fn;
    ia_random_key key;
    float p;
    size_t row0, cols;
    float *y;
} mask_job;

static void mask_range(void *context, size_t begin, size_t end)
{
    const mask_job *j = context;
    j->fn(j->key, j->p, j->row0 + begin, end - begin, j->cols, j->y + begin * j->cols);
}

void ia_mask_dropout(const ia_exec *e, ia_random_key key, float rate, size_t row0, size_t rows,
                     size_t cols, float *mask)
{
    assert(rate >= 0 && rate < 1);
    mask_job job = {e->set->dropout, key, rate, row0, cols, mask};
    ia_share(e, rows, rows_share(cols), mask_range, &job);
}

void ia_mask_normal(const ia_exec *e, ia_random_key key, size_t row0, size_t rows, size_t cols,
                    float *noise)
{
    mask_job job = {e->set->normal, key, 0, row0, cols, noise};
    ia_share(e, rows, rows_share(cols), mask_range, &job);
}
