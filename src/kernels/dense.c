/* The three matrix products of a dense layer: cuts them into parts for the pool.
 *
 * A part is one panel of columns by a run of rows; the kernels of the set do the rest. The law
 * makes every cut give the same bytes. */
#include "base/alloc.h"
#include "kernels/dispatch.h"

#define SERIAL_WORK 65536  /* multiply-adds that a second thread would not make faster */
#define PARTS_A_THREAD 4   /* so that a slow core leaves work to the others */
#define PART_TILES_LEAST 4 /* tiles of rows over which packing a panel pays */
#define PART_ROWS_MOST 768 /* rows of a part: they and the panel stay in the second-level cache */
#define PART_TURNED 16     /* tiles of a turned part: its block of A stays there for all panels */

/* Parts of part_m rows by part_n columns, rows first. */
typedef struct dense_job {
    const ia_kernel_set *set;
    const ia_product *p;
    ia_product_fn *fn;
    size_t part_m, parts_m, part_n;
} dense_job;

static void dense_sums(const ia_kernel_set *set, const ia_product *p, size_t n, size_t n1)
{
    for (; n < n1; n += set->tile_n) {
        const float *b = p->b + n / set->tile_n * p->b_panel;
        set->sum(p->k, n1 - n < set->tile_n ? n1 - n : set->tile_n, set->tile_n, b, b,
                 p->b_sums + n);
    }
}

static void dense_part(void *context, size_t begin, size_t end)
{
    const dense_job *job = context;
    const ia_product *p = job->p;
    for (size_t i = begin; i < end; i++) {
        size_t m = i % job->parts_m * job->part_m, n = i / job->parts_m * job->part_n;
        size_t n1 = p->n - n < job->part_n ? p->n : n + job->part_n;
        job->fn(p, m, p->m - m < job->part_m ? p->m : m + job->part_m, n, n1);
        if (p->b_sums && m == 0)
            dense_sums(job->set, p, n, n1);
    }
}

/* m * n * k, at most SIZE_MAX */
static size_t dense_work(const ia_product *p)
{
    size_t work;
    if (!ia_mul(p->m, p->n, &work) || !ia_mul(work, p->k, &work))
        return SIZE_MAX;
    return work;
}

static size_t pieces(size_t n, size_t piece)
{
    return (n - 1) / piece + 1;
}

/* Tiles and panels of a part: as large as caches like it, but enough parts for the threads. */
static void dense_cut(const ia_exec *e, const ia_product *p, size_t *part_tiles,
                      size_t *part_panels)
{
    const ia_kernel_set *set = e->set;
    size_t panels = pieces(p->n, set->tile_n), tiles = pieces(p->m, set->tile_m);
    bool few = p->m <= IA_STRIP_ROWS && !p->turned;
    size_t parts = (size_t)ia_pool_threads(e->pool) * (few ? 1 : PARTS_A_THREAD);
    size_t least = set->tile_m > 1 ? PART_TILES_LEAST : 1;
    size_t most = p->turned ? PART_TURNED : PART_ROWS_MOST / set->tile_m;
    size_t m = tiles < most ? tiles : most, n = p->turned ? panels : few ? IA_STRIP_PANELS : 1;
    while (n > 1 && pieces(panels, n) * pieces(tiles, m) < parts)
        n = (n + 1) / 2;
    while (m > least && pieces(panels, n) * pieces(tiles, m) < parts)
        m = (m + 1) / 2;
    if (p->a_panel) /* whole panels of A */
        m = pieces(m * set->tile_m, set->tree_m) * set->tree_m / set->tile_m;
    *part_tiles = m;
    *part_panels = n;
}

void ia_product_run(const ia_exec *e, const ia_product *p, ia_product_fn *fn)
{
    bool serial = ia_pool_threads(e->pool) == 1 && !p->turned && p->m <= PART_ROWS_MOST;
    if (p->m == 0 || p->n == 0)
        return;
    dense_job job = {.set = e->set, .p = p, .fn = fn, .part_m = p->m, .parts_m = 1, .part_n = p->n};
    if (serial || dense_work(p) <= SERIAL_WORK) {
        dense_part(&job, 0, 1);
        return;
    }
    size_t tiles, panels;
    dense_cut(e, p, &tiles, &panels);
    job.part_m = tiles * e->set->tile_m;
    job.part_n = panels * e->set->tile_n;
    job.parts_m = pieces(p->m, job.part_m);
    ia_pool_for(e->pool, job.parts_m * pieces(p->n, job.part_n), 1, dense_part, &job);
}

void ia_dense_forward_run(const ia_exec *e, const ia_dense_forward *d)
{
    ia_product p = {.m = d->rows, .n = d->units, .k = d->in, .a = d->x, .a_m = d->in, .a_k = 1};
    p.b = d->w;
    p.ldb = d->panels ? e->set->tile_n : d->units;
    p.b_panel = d->panels ? d->in * e->set->tile_n : 0;
    p.bias = d->b;
    p.relu = d->relu;
    p.c = d->y;
    p.ldc = d->units;
    ia_product_run(e, &p, e->set->chain);
}

void ia_dense_y(const ia_exec *e, size_t rows, size_t in, size_t units, const float *x,
                const float *w, const float *b, float *y)
{
    ia_dense_forward d = {.rows = rows, .in = in, .units = units, .x = x, .w = w, .b = b, .y = y};
    ia_dense_forward_run(e, &d);
}

void ia_dense_dx(const ia_exec *e, size_t rows, size_t in, size_t units, const float *dy,
                 const float *w, float *dx)
{
    ia_product p = {.m = rows, .n = in, .k = units, .a = dy, .a_m = units, .a_k = 1};
    p.b = w;
    p.ldb = units;
    p.transposed = 1;
    p.c = dx;
    p.ldc = in;
    ia_product_run(e, &p, e->set->chain);
}

void ia_dense_dw(const ia_exec *e, size_t rows, size_t in, size_t units, const float *x,
                 const float *dy, float *dw)
{
    ia_product p = {.m = in, .n = units, .k = rows, .a = x, .a_m = 1, .a_k = in};
    p.b = dy;
    p.ldb = units;
    p.c = dw;
    p.ldc = units;
    ia_product_run(e, &p, e->set->tree);
}
