/* Products in bf16: lays out their operands and cuts them into parts for the pool.
 *
 * Activations and gradients are rounded and paired into scratch once a call; w is rounded by the
 * kernels, block by block. No sum is cut, so every cut gives the same bytes. */
#include "kernels/bf16.h"
#include "base/alloc.h"
#include "kernels/activation.h"
#include "kernels/bf16_kernels.h"

#include <assert.h>

#define SERIAL_WORK 131072 /* multiply-adds that a second thread would not make faster */
#define PART_ROWS 1024     /* of y and dx: w is read again for every so many */
#define PARTS_A_THREAD 4   /* so that a slow core leaves work to the others */
#define LAY_ROWS 16        /* of activations laid out as one item */
#define ALIGN_FLOATS 16    /* scratch is used from the next cache line on */

static const ia_bf16_kernels *bf16_kernels(void)
{
#if defined(__x86_64__) && defined(__GNUC__)
    return &ia_bf16_avx512;
#else
    return NULL;
#endif
}

bool ia_bf16_ready(const ia_exec *e)
{
    return ia_has_bf16() && e->set->tile_n == IA_BF16_N;
}

static size_t pieces(size_t n, size_t piece)
{
    return n / piece + (n % piece != 0);
}

/* e, without the pool where it would not help. */
static ia_exec suited(const ia_exec *e, size_t rows, size_t in, size_t units)
{
    size_t work;
    bool small = ia_mul(rows, in, &work) && ia_mul(work, units, &work) && work <= SERIAL_WORK;
    return (ia_exec){.set = e->set, .pool = small ? NULL : e->pool};
}

static size_t strip_pairs(size_t k, size_t width)
{
    return pieces(k, 2) * width;
}

/* Pairs of a matrix of n rows or columns by k, in strips. */
static bool strips_size(size_t n, size_t width, size_t k, size_t *pairs)
{
    return ia_mul(pieces(n, width), width, pairs) && ia_mul(*pairs, pieces(k, 2), pairs);
}

static ia_pair *scratch(float *temp)
{
    uintptr_t line = ALIGN_FLOATS * sizeof(float), at = (uintptr_t)temp;
    return (ia_pair *)((at + line - 1) / line * line);
}

/* Parts of part_m rows by one panel, rows first. */
typedef struct cut {
    size_t m, part_m, parts_m;
} cut;

static cut cut_rows(const ia_exec *e, size_t m, size_t most, size_t panels)
{
    size_t parts = (size_t)ia_pool_threads(e->pool) * PARTS_A_THREAD, tiles = pieces(m, IA_BF16_M);
    size_t part = tiles < most / IA_BF16_M ? tiles : most / IA_BF16_M;
    while (part > 4 && pieces(tiles, part) * panels < parts)
        part = (part + 1) / 2;
    return (cut){.m = m, .part_m = part * IA_BF16_M, .parts_m = pieces(tiles, part)};
}

static void cut_part(const cut *c, size_t i, size_t *m0, size_t *m1, size_t *panel)
{
    *m0 = i % c->parts_m * c->part_m;
    *m1 = c->m - *m0 < c->part_m ? c->m : *m0 + c->part_m;
    *panel = i / c->parts_m;
}

typedef struct product_job {
    const ia_bf16_kernels *kernels;
    ia_bf16_product p;
    cut cut;
} product_job;

static void product_part(void *context, size_t begin, size_t end)
{
    const product_job *j = context;
    size_t m0, m1, panel;
    for (size_t i = begin; i < end; i++) {
        cut_part(&j->cut, i, &m0, &m1, &panel);
        j->kernels->product(&j->p, m0, m1, panel);
    }
}

static void product_run(const ia_exec *e, const ia_bf16_product *p)
{
    size_t panels = pieces(p->n, IA_BF16_N);
    product_job j = {bf16_kernels(), *p, cut_rows(e, p->m, PART_ROWS, panels)};
    ia_pool_for(e->pool, j.cut.parts_m * panels, 1, product_part, &j);
}

/* ---- forward ---- */

typedef struct forward_job {
    const ia_dense_forward *d;
    ia_pair *x;
} forward_job;

static void lay_strips(void *context, size_t begin, size_t end)
{
    const forward_job *j = context;
    const ia_dense_forward *d = j->d;
    for (size_t i = begin; i < end; i++) {
        size_t r = i * IA_BF16_M, rows = d->rows - r < IA_BF16_M ? d->rows - r : IA_BF16_M;
        bf16_kernels()->pack_rows(rows, d->in, d->x + r * d->in, d->in,
                                  j->x + i * strip_pairs(d->in, IA_BF16_M));
    }
}

bool ia_bf16_forward_size(size_t rows, size_t in, size_t *floats)
{
    return strips_size(rows, IA_BF16_M, in, floats) && ia_add(*floats, ALIGN_FLOATS, floats);
}

void ia_bf16_forward_run(const ia_exec *e, const ia_dense_forward *d, float *temp)
{
    assert(ia_bf16_ready(e) && d->panels && d->in > 0);
    if (d->rows == 0)
        return;
    forward_job j = {d, scratch(temp)};
    ia_exec use = suited(e, d->rows, d->in, d->units);
    ia_share(&use, pieces(d->rows, IA_BF16_M), 1, lay_strips, &j);
    ia_bf16_product p = {.m = d->rows, .n = d->units, .k = d->in, .a = j.x, .w = d->w};
    p.w_rows = d->in;
    p.bias = d->b;
    p.relu = d->relu;
    p.c = d->y;
    p.ldc = d->units;
    product_run(&use, &p);
}

/* ---- backward ---- */

typedef struct back_job {
    const ia_exec *e;
    const ia_dense_back *d;
    bool gradient;
    ia_pair *dz_rows; /* pairs over units, for dx */
    ia_pair *dz, *x;  /* pairs over rows, for dw */
    ia_bf16_gradient p;
    cut cut;
} back_job;

static bool back_sizes(size_t rows, size_t in, size_t units, size_t size[3])
{
    return strips_size(rows, IA_BF16_M, units, &size[0]) &&
           strips_size(units, IA_BF16_N, rows, &size[1]) &&
           strips_size(in, IA_BF16_M, rows, &size[2]);
}

bool ia_bf16_back_size(size_t rows, size_t in, size_t units, size_t *floats)
{
    size_t size[3];
    *floats = ALIGN_FLOATS;
    bool fits = back_sizes(rows, in, units, size);
    for (int i = 0; fits && i < 3; i++)
        fits = ia_add(*floats, size[i], floats);
    return fits;
}

static size_t width_at(size_t n, size_t at)
{
    return n - at < IA_BF16_N ? n - at : IA_BF16_N;
}

/* LAY_ROWS rows: dz from dy, then all layouts of it and of x. */
static void lay_rows(const back_job *j, size_t r)
{
    const ia_dense_back *d = j->d;
    const ia_bf16_kernels *kernels = bf16_kernels();
    size_t rows = d->rows - r < LAY_ROWS ? d->rows - r : LAY_ROWS, at = r * d->units;
    if (d->activation) {
        const float *z = d->activation->cls->needs_z ? d->z : d->y;
        j->e->set->activate_dz[d->activation->cls->id](rows * d->units, d->activation->param,
                                                       z + at, d->y + at, d->dy + at, d->dz + at);
    }
    for (size_t i = 0; d->dx && i < rows; i += IA_BF16_M)
        kernels->pack_rows(rows - i < IA_BF16_M ? rows - i : IA_BF16_M, d->units,
                           d->dz + at + i * d->units, d->units,
                           j->dz_rows + (r + i) * pieces(d->units, 2));
    if (!j->gradient)
        return;
    for (size_t u = 0; u < d->units; u += IA_BF16_N)
        kernels->pack_wide(rows, width_at(d->units, u), d->dz + at + u, d->units,
                           j->dz + u * pieces(d->rows, 2) + r / 2 * IA_BF16_N);
    for (size_t i = 0; i < d->in; i += IA_BF16_N)
        kernels->pack_narrow(rows, width_at(d->in, i), d->x + r * d->in + i, d->in,
                             j->x + i * pieces(d->rows, 2) + r / 2 * IA_BF16_M,
                             strip_pairs(d->rows, IA_BF16_M));
}

static void lay_part(void *context, size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++)
        lay_rows(context, i * LAY_ROWS);
}

static void back_dx(const back_job *j)
{
    const ia_dense_back *d = j->d;
    ia_bf16_product p = {.m = d->rows, .n = d->in, .k = d->units, .a = j->dz_rows, .w = d->w};
    p.w_rows = d->in;
    p.transposed = 1;
    p.c = d->dx;
    p.ldc = d->in;
    product_run(j->e, &p);
}

/* db is the float32 sum of the float32 dz, law (b). */
static void gradient_part(void *context, size_t begin, size_t end)
{
    const back_job *j = context;
    const ia_dense_back *d = j->d;
    size_t m0, m1, panel;
    for (size_t i = begin; i < end; i++) {
        cut_part(&j->cut, i, &m0, &m1, &panel);
        bf16_kernels()->gradient(&j->p, m0, m1, panel);
        const float *dz = d->dz + panel * IA_BF16_N;
        if (d->db && m0 == 0)
            j->e->set->sum(d->rows, width_at(d->units, panel * IA_BF16_N), d->units, dz, dz,
                           d->db + panel * IA_BF16_N);
    }
}

static void back_dw(back_job *j)
{
    const ia_dense_back *d = j->d;
    size_t panels = pieces(d->units, IA_BF16_N);
    ia_tile_step step;
    j->p = (ia_bf16_gradient){.m = d->in, .k = d->rows, .a = j->x, .b = j->dz, .c = d->dw};
    if (d->step) {
        step = ia_step_tile(j->e, d->step);
        j->p.step = &step;
    }
    j->cut = cut_rows(j->e, d->in, SIZE_MAX, panels);
    ia_pool_for(j->e->pool, j->cut.parts_m * panels, 1, gradient_part, j);
}

void ia_bf16_back_run(const ia_exec *e, const ia_dense_back *d, float *temp)
{
    assert(ia_bf16_ready(e) && d->rows > 0 && d->in > 0 && (d->dw || d->step || !d->db));
    ia_exec use = suited(e, d->rows, d->in, d->units);
    back_job j = {.e = &use, .d = d, .gradient = d->dw || d->step, .dz_rows = scratch(temp)};
    size_t size[3];
    bool fits = back_sizes(d->rows, d->in, d->units, size);
    assert(fits);
    (void)fits;
    j.dz = j.dz_rows + size[0];
    j.x = j.dz + size[1];
    ia_share(&use, pieces(d->rows, LAY_ROWS), 1, lay_part, &j);
    if (d->dx)
        back_dx(&j);
    if (j.gradient)
        back_dw(&j);
}
