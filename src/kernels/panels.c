/* The products of a dense layer whose weights lie in panels for the whole run.
 *
 * One copy of W serves all of them: a panel is the vector operand of y, and the broadcast operand
 * of dx, which is computed as its transpose from a transposed dz. The gradient of W comes in the
 * same panels, so the optimizer can step each tile of it while the tile is in cache. */
#include "base/alloc.h"
#include "kernels/activation.h"
#include "kernels/dispatch.h"

#include <assert.h>

static size_t count_of(size_t n, size_t width)
{
    return n / width + (n % width != 0);
}

static size_t panels_of(const ia_exec *e, size_t cols)
{
    return count_of(cols, e->set->tile_n);
}

size_t ia_panels_width(const ia_exec *e)
{
    return e->set->tile_n;
}

bool ia_panels_size(const ia_exec *e, size_t rows, size_t cols, size_t *floats)
{
    size_t width;
    return ia_mul(panels_of(e, cols), e->set->tile_n, &width) && ia_mul(rows, width, floats);
}

static size_t panel_cols(const ia_exec *e, size_t cols, size_t panel)
{
    size_t left = cols - panel * e->set->tile_n;
    return left < e->set->tile_n ? left : e->set->tile_n;
}

void ia_panels_pack(const ia_exec *e, size_t rows, size_t cols, const float *x, float *panels)
{
    size_t width = e->set->tile_n;
    for (size_t i = 0; i < panels_of(e, cols); i++)
        e->set->pack_rows(rows, panel_cols(e, cols, i), x + i * width, cols,
                          panels + i * rows * width);
}

void ia_panels_unpack(const ia_exec *e, size_t rows, size_t cols, const float *panels, float *x)
{
    size_t width = e->set->tile_n;
    for (size_t i = 0; i < panels_of(e, cols); i++, panels += rows * width)
        for (size_t r = 0; r < rows; r++)
            memcpy(x + r * cols + i * width, panels + r * width,
                   panel_cols(e, cols, i) * sizeof *x);
}

/* ---- backward ---- */

/* How operands lie for the products: dz in panels over units and, transposed, over rows; x in
 * panels for the tree. */
typedef struct back_job {
    const ia_exec *e;
    const ia_dense_back *d;
    size_t row_panels, x_panels;
    float *turned_dz, *dz_panels, *x_panels_at, *turned_dx;
} back_job;

static back_job back_layout(const ia_exec *e, const ia_dense_back *d, float *temp)
{
    size_t tile = e->set->tile_n, tree = e->set->tree_m;
    back_job j = {.e = e, .d = d, .row_panels = panels_of(e, d->rows)};
    j.x_panels = d->dw || d->step ? count_of(d->in, tree) : 0;
    j.turned_dz = temp;
    j.dz_panels = j.turned_dz + j.row_panels * tile * d->units;
    j.x_panels_at = j.dz_panels + panels_of(e, d->units) * tile * d->rows;
    j.turned_dx = j.x_panels_at + count_of(d->in, tree) * tree * d->rows;
    return j;
}

/* A panel of rows, whole: dz from dy, then both of its layouts while it is in cache. */
static void lay_rows(const back_job *j, size_t panel)
{
    const ia_dense_back *d = j->d;
    const ia_kernel_set *set = j->e->set;
    size_t first = panel * set->tile_n, rows = panel_cols(j->e, d->rows, panel);
    const float *dz = d->dz + first * d->units;
    if (d->activation) {
        size_t at = first * d->units;
        const float *z = d->activation->cls->needs_z ? d->z : d->y;
        set->activate_dz[d->activation->cls->id](rows * d->units, d->activation->param, z + at,
                                                 d->y + at, d->dy + at, d->dz + at);
    }
    if (d->dx)
        set->pack_columns(d->units, rows, dz, d->units, j->turned_dz + first * d->units);
    for (size_t i = 0; j->x_panels && i < panels_of(j->e, d->units); i++)
        set->pack_rows(rows, panel_cols(j->e, d->units, i), dz + i * set->tile_n, d->units,
                       j->dz_panels + (i * d->rows + first) * set->tile_n);
}

static void lay_x(const back_job *j, size_t panel)
{
    size_t width = j->e->set->tree_m, left = j->d->in - panel * width;
    j->e->set->pack_tree(j->d->rows, left < width ? left : width, j->d->x + panel * width, j->d->in,
                         j->x_panels_at + panel * width * j->d->rows);
}

static void lay_part(void *context, size_t begin, size_t end)
{
    const back_job *j = context;
    for (size_t i = begin; i < end; i++)
        if (i < j->row_panels)
            lay_rows(j, i);
        else
            lay_x(j, i - j->row_panels);
}

bool ia_dense_back_size(const ia_exec *e, size_t rows, size_t in, size_t units, size_t *floats)
{
    size_t turned_dz, dz, x, dx;
    return ia_panels_size(e, units, rows, &turned_dz) && ia_panels_size(e, rows, units, &dz) &&
           ia_mul(count_of(in, e->set->tree_m), e->set->tree_m, &x) && ia_mul(x, rows, &x) &&
           ia_panels_size(e, in, rows, &dx) && ia_add(turned_dz, dz, floats) &&
           ia_add(*floats, x, floats) && ia_add(*floats, dx, floats);
}

static void back_dx(const back_job *j)
{
    const ia_dense_back *d = j->d;
    size_t width = j->e->set->tile_n;
    ia_product p = {.m = d->in, .n = d->rows, .k = d->units, .a = d->w, .a_m = width, .a_k = 1};
    p.a_run = width;
    p.a_jump = d->in * width;
    p.b = j->turned_dz;
    p.ldb = width;
    p.b_panel = d->units * width;
    p.c = d->dx;
    p.ldc = d->in;
    p.turned = j->turned_dx;
    ia_product_run(j->e, &p, j->e->set->chain);
}

static void back_dw(const back_job *j)
{
    const ia_dense_back *d = j->d;
    size_t width = j->e->set->tile_n, tree = j->e->set->tree_m;
    ia_product p = {.m = d->in, .n = d->units, .k = d->rows, .a = j->x_panels_at, .a_m = 1};
    ia_tile_step step;
    p.a_k = tree;
    p.a_panel = d->rows * tree;
    p.b = j->dz_panels;
    p.ldb = width;
    p.b_panel = d->rows * width;
    p.b_sums = d->db;
    p.c = d->dw;
    p.ldc = width;
    p.c_panel = d->in * width;
    if (d->step) {
        step = ia_step_tile(j->e, d->step);
        p.step = &step;
    }
    ia_product_run(j->e, &p, j->e->set->tree);
}

void ia_dense_back_run(const ia_exec *e, const ia_dense_back *d, float *temp)
{
    assert(d->rows > 0 && (d->dw || d->step || !d->db));
    back_job j = back_layout(e, d, temp);
    ia_share(e, j.row_panels + j.x_panels, 1, lay_part, &j);
    if (d->dx)
        back_dx(&j);
    if (j.x_panels)
        back_dw(&j);
}
