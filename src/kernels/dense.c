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

typedef struct dense_job {
    const ia_product *p;
    ia_product_fn *fn;
    size_t tile_n, part_m, parts_m;
} dense_job;

static void dense_part(void *context, size_t begin, size_t end)
{
    const dense_job *job = context;
    const ia_product *p = job->p;
    for (size_t i = begin; i < end; i++) {
        size_t m = i % job->parts_m * job->part_m, n = i / job->parts_m * job->tile_n;
        job->fn(p, m, p->m - m < job->part_m ? p->m : m + job->part_m, n,
                p->n - n < job->tile_n ? p->n : n + job->tile_n);
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

static void dense_run(const ia_exec *e, const ia_product *p, ia_product_fn *fn)
{
    size_t threads = (size_t)ia_pool_threads(e->pool), tile_m = e->set->tile_m;
    if (p->m == 0 || p->n == 0)
        return;
    if ((threads == 1 && p->m <= PART_ROWS_MOST) || dense_work(p) <= SERIAL_WORK) {
        fn(p, 0, p->m, 0, p->n);
        return;
    }
    dense_job job = {.p = p, .fn = fn, .tile_n = e->set->tile_n};
    size_t panels = (p->n - 1) / job.tile_n + 1, tiles = (p->m - 1) / tile_m + 1;
    size_t least = tile_m > 1 ? PART_TILES_LEAST : 1;
    size_t most = PART_ROWS_MOST / tile_m;
    size_t part = tiles < most ? tiles : most;
    while (part > least && panels * ((tiles - 1) / part + 1) < threads * PARTS_A_THREAD)
        part = (part + 1) / 2;
    job.part_m = part * tile_m;
    job.parts_m = (p->m - 1) / job.part_m + 1;
    ia_pool_for(e->pool, panels * job.parts_m, 1, dense_part, &job);
}

void ia_dense_y(const ia_exec *e, size_t rows, size_t in, size_t units, const float *x,
                const float *w, const float *b, float *y)
{
    ia_product p = {.m = rows, .n = units, .k = in, .a = x, .a_m = in, .a_k = 1};
    p.b = w;
    p.ldb = units;
    p.bias = b;
    p.c = y;
    dense_run(e, &p, e->set->chain);
}

void ia_dense_dx(const ia_exec *e, size_t rows, size_t in, size_t units, const float *dy,
                 const float *w, float *dx)
{
    ia_product p = {.m = rows, .n = in, .k = units, .a = dy, .a_m = units, .a_k = 1};
    p.b = w;
    p.ldb = units;
    p.transposed = 1;
    p.c = dx;
    dense_run(e, &p, e->set->chain);
}

void ia_dense_dw(const ia_exec *e, size_t rows, size_t in, size_t units, const float *x,
                 const float *dy, float *dw)
{
    ia_product p = {.m = in, .n = units, .k = rows, .a = x, .a_m = 1, .a_k = in};
    p.b = dy;
    p.ldb = units;
    p.c = dw;
    dense_run(e, &p, e->set->tree);
}
