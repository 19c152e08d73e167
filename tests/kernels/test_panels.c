/* Products with weights in panels: the same bytes as the plain products of the reference, for every
 * set and number of threads, with the optimizer's step inside and outside. */
#include "kernel_test.h"

#include "kernels/activation.h"
#include "kernels/dispatch.h"
#include "kernels/optimize.h"

#define ROOM 300000

/* Arrays of one shape; the panels end at a forbidden page. */
typedef struct operands {
    guard x, w, b, dz, y, dx, panels, dw, temp, slot[2];
} operands;

static guard *at(operands *o, size_t i)
{
    guard *all[] = {&o->x,      &o->w,  &o->b,    &o->dz,      &o->y,      &o->dx,
                    &o->panels, &o->dw, &o->temp, &o->slot[0], &o->slot[1]};
    return i < IA_COUNT(all) ? all[i] : NULL;
}

static void operands_new(operands *o)
{
    for (size_t i = 0; at(o, i); i++)
        *at(o, i) = guard_new(ROOM);
}

static void operands_free(operands *o)
{
    for (size_t i = 0; at(o, i); i++)
        guard_free(at(o, i));
}

typedef struct expected {
    float *y, *dx, *dw;
} expected;

static expected by_reference(size_t rows, size_t in, size_t units, const float *x, const float *w,
                             const float *b, const float *dz)
{
    ia_exec ref = test_reference();
    expected r = {ia_calloc(rows * units, 4), ia_calloc(rows * in, 4), ia_calloc(in * units, 4)};
    ia_dense_y(&ref, rows, in, units, x, w, b, r.y);
    ia_dense_dx(&ref, rows, in, units, dz, w, r.dx);
    ia_dense_dw(&ref, rows, in, units, x, dz, r.dw);
    return r;
}

static float *stepped(const ia_update *u, float decay, size_t n, const float *g, const float *w,
                      float slot[2][ROOM])
{
    ia_exec ref = test_reference();
    float *out = ia_calloc(n, 4);
    memcpy(out, w, n * sizeof *w);
    if (decay != 0)
        ia_weight_decay(&ref, n, decay, out);
    ia_update_apply(&ref, u, n, g, out, (float *[]){slot[0], slot[1]});
    return out;
}

/* Two steps with the update inside, against the product and the update apart. */
static void check_step(operands *o, const ia_exec *e, const ia_dense_back *like, const float *w,
                       const expected *want, ia_update update, float decay)
{
    static float slot[2][ROOM];
    size_t n = like->in * like->units, floats, temp;
    memset(slot, 0, sizeof slot);
    assert_true(ia_panels_size(e, like->in, like->units, &floats));
    assert_true(ia_dense_back_size(e, like->rows, like->in, like->units, &temp));
    float *panels = guard_output(&o->panels, floats), *plain = ia_calloc(n, 4);
    ia_step step = {.update = update, .decay = decay, .w = panels};
    for (int k = 0; k < 2; k++) {
        step.slot[k] = guard_output(&o->slot[k], floats);
        memset(step.slot[k], 0, floats * sizeof *panels);
    }
    ia_panels_pack(e, like->in, like->units, w, panels);
    ia_dense_back d = *like;
    d.w = panels;
    d.dx = NULL;
    d.dw = NULL;
    d.step = &step;
    float *once = stepped(&update, decay, n, want->dw, w, slot);
    float *twice = stepped(&update, decay, n, want->dw, once, slot);
    for (int k = 0; k < 2; k++)
        ia_dense_back_run(e, &d, guard_output(&o->temp, temp));
    ia_panels_unpack(e, like->in, like->units, panels, plain);
    assert_same_floats(plain, twice, n, e->set, "w of %zu x %zu x %zu", like->rows, like->in,
                       like->units);
    for (int k = 0; k < ia_update_slot_count(&update); k++) {
        ia_panels_unpack(e, like->in, like->units, step.slot[k], plain);
        assert_same_floats(plain, slot[k], n, e->set, "slot %d", k);
    }
    ia_free(plain), ia_free(once), ia_free(twice);
}

/* y = f(z) on the way, dz = dy f'(z) and db with the rest: against one after the other. */
static void check_activated(operands *o, const ia_exec *e, const ia_dense_back *like,
                            const float *w, const float *b, const char *name)
{
    ia_exec ref = test_reference();
    ia_activation a = ia_activation_of(ia_activation_find(name));
    size_t rows = like->rows, in = like->in, units = like->units, n = rows * units, temp;
    float *z = ia_calloc(n, 4), *y = ia_calloc(n, 4), *dz = ia_calloc(n, 4),
          *db = ia_calloc(units, 4);
    ia_dense_y(&ref, rows, in, units, like->x, w, b, z);
    ia_activate(&ref, &a, rows, units, z, y);
    ia_activate_dz(&ref, &a, rows, units, z, y, like->dz, dz);
    ia_sum_rows(&ref, rows, units, dz, db);
    expected want = by_reference(rows, in, units, like->x, w, b, dz);
    if (ia_activation_is_relu(&a)) {
        ia_dense_forward f = {.rows = rows, .in = in, .units = units, .x = like->x, .w = like->w};
        f.b = b;
        f.panels = true;
        f.relu = true;
        f.y = guard_output(&o->y, n);
        ia_dense_forward_run(e, &f);
        assert_same_floats(f.y, y, n, e->set, "relu of %zu x %zu x %zu", rows, in, units);
    }
    ia_dense_back d = *like;
    assert_true(ia_dense_back_size(e, rows, in, units, &temp));
    d.activation = &a;
    d.z = z;
    d.y = y;
    d.dy = like->dz;
    d.dz = guard_output(&o->y, n);
    d.db = guard_output(&o->slot[0], units);
    ia_dense_back_run(e, &d, guard_output(&o->temp, temp));
    assert_same_floats(d.dx, want.dx, rows * in, e->set, "dx through %s", name);
    assert_same_floats(d.db, db, units, e->set, "db through %s", name);
    ia_panels_unpack(e, in, units, d.dw, want.dx = ia_realloc(want.dx, in * units, 4));
    assert_same_floats(want.dx, want.dw, in * units, e->set, "dw through %s", name);
    ia_free(z), ia_free(y), ia_free(dz), ia_free(db);
    ia_free(want.y), ia_free(want.dx), ia_free(want.dw);
}

static void check_shape(operands *o, const ia_exec *e, size_t rows, size_t in, size_t units,
                        ia_random *r)
{
    float *x = guard_random(&o->x, rows * in, r), *w = guard_random(&o->w, in * units, r);
    float *b = guard_random(&o->b, units, r), *dz = guard_random(&o->dz, rows * units, r);
    float *y = guard_output(&o->y, rows * units), *dx = guard_output(&o->dx, rows * in);
    expected want = by_reference(rows, in, units, x, w, b, dz);
    size_t floats, temp;
    assert_true(ia_panels_size(e, in, units, &floats));
    assert_true(ia_dense_back_size(e, rows, in, units, &temp));
    float *panels = guard_output(&o->panels, floats), *dw = guard_output(&o->dw, floats);
    float *plain = ia_calloc(in * units, 4);
    ia_panels_pack(e, in, units, w, panels);
    ia_panels_unpack(e, in, units, panels, plain);
    assert_memory_equal(plain, w, in * units * sizeof *w);

    ia_dense_forward f = {
        .rows = rows, .in = in, .units = units, .x = x, .w = panels, .b = b, .y = y};
    f.panels = true;
    ia_dense_forward_run(e, &f);
    assert_same_floats(y, want.y, rows * units, e->set, "y of %zu x %zu x %zu", rows, in, units);
    guard_check(&o->y, rows * units);
    ia_dense_back d = {.rows = rows, .in = in, .units = units, .x = x, .dz = dz, .w = panels};
    d.dx = dx;
    d.dw = dw;
    ia_dense_back_run(e, &d, guard_output(&o->temp, temp));
    assert_same_floats(dx, want.dx, rows * in, e->set, "dx of %zu x %zu x %zu", rows, in, units);
    guard_check(&o->dx, rows * in);
    guard_check(&o->temp, temp);
    ia_panels_unpack(e, in, units, dw, plain);
    assert_same_floats(plain, want.dw, in * units, e->set, "dw of %zu x %zu x %zu", rows, in,
                       units);
    guard_check(&o->dw, floats);

    check_activated(o, e, &d, w, b, "relu");
    check_activated(o, e, &d, w, b, "tanh");
    check_activated(o, e, &d, w, b, "gelu");
    ia_update adam = ia_update_adam(1e-3, 0.9, 0.999, 1e-7, 0, 3);
    check_step(o, e, &d, w, &want, adam, 0);
    check_step(o, e, &d, w, &want, adam, 0.01f);
    check_step(o, e, &d, w, &want, ia_update_sgd(0.1, 0.9, 1), 0);
    ia_free(plain), ia_free(want.y), ia_free(want.dx), ia_free(want.dw);
}

static void test_small_shapes(void **state)
{
    (void)state;
    static const size_t size[] = {1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 65};
    operands o;
    operands_new(&o);
    ia_random r = ia_random_from(ia_random_key_of(2, 1, 1));
    FOR_EACH_SET (e)
        for (size_t i = 0; i < IA_COUNT(size); i++)
            for (size_t j = 0; j < IA_COUNT(size); j++) {
                check_shape(&o, &e, size[i], size[j], 35, &r);
                check_shape(&o, &e, size[i], 21, size[j], &r);
                check_shape(&o, &e, 10, size[i], size[j], &r);
            }
    operands_free(&o);
}

/* Around the law's blocks, the panels of A and the runs of rows that the tree takes together. */
static void test_blocks(void **state)
{
    (void)state;
    static const size_t size[] = {63,  64,  65,  127, 128, 129, 192,
                                  193, 255, 256, 257, 320, 511, 1023};
    operands o;
    operands_new(&o);
    ia_random r = ia_random_from(ia_random_key_of(2, 2, 1));
    FOR_EACH_SET (e)
        for (size_t i = 0; i < IA_COUNT(size); i++) {
            check_shape(&o, &e, size[i], 40, 35, &r);
            check_shape(&o, &e, 9, size[i], 35, &r);
            check_shape(&o, &e, 9, 35, size[i], &r);
        }
    operands_free(&o);
}

static void test_threads(void **state)
{
    (void)state;
    static const size_t shape[][3] = {{128, 100, 70}, {61, 300, 65}, {600, 140, 90}, {2, 600, 300}};
    operands o;
    operands_new(&o);
    ia_random r = ia_random_from(ia_random_key_of(2, 3, 1));
    for (int threads = 2; threads <= 8; threads += threads < 3 ? 1 : 5) {
        ia_pool *pool = NULL;
        inarch_error err;
        assert_ok(ia_pool_new(threads, &pool, &err), err);
        for (size_t i = 0; i < IA_COUNT(shape); i++)
            FOR_EACH_SET (e) {
                e.pool = pool;
                check_shape(&o, &e, shape[i][0], shape[i][1], shape[i][2], &r);
            }
        ia_pool_free(pool);
    }
    operands_free(&o);
}

/* y of few rows, which takes several panels side by side: from panels and from rows, with relu, and
 * nothing read behind either. */
static void check_strip(operands *o, const ia_exec *e, size_t rows, size_t in, size_t units,
                        ia_random *r)
{
    ia_exec ref = test_reference();
    float *x = guard_random(&o->x, rows * in, r), *w = guard_random(&o->w, in * units, r);
    float *b = guard_random(&o->b, units, r), *want = ia_calloc(rows * units, 4);
    size_t floats;
    assert_true(ia_panels_size(e, in, units, &floats));
    float *panels = guard_output(&o->panels, floats);
    ia_panels_pack(e, in, units, w, panels);
    for (int kind = 0; kind < 4; kind++) {
        ia_dense_forward f = {.rows = rows, .in = in, .units = units, .x = x, .w = w};
        f.b = kind < 2 ? b : NULL;
        f.relu = kind == 0;
        f.y = want;
        ia_dense_forward_run(&ref, &f);
        f.panels = kind != 3;
        f.w = f.panels ? panels : w;
        f.y = guard_output(&o->y, rows * units);
        ia_dense_forward_run(e, &f);
        assert_same_floats(f.y, want, rows * units, e->set, "strip %zu x %zu x %zu, kind %d", rows,
                           in, units, kind);
        guard_check(&o->y, rows * units);
    }
    ia_free(want);
}

static void test_strips(void **state)
{
    (void)state;
    static const size_t in[] = {1, 2, 255, 256, 257, 600};
    static const size_t units[] = {15, 16, 32, 63, 64, 65, 127, 128, 129, 160, 255, 256, 300};
    operands o;
    operands_new(&o);
    ia_random r = ia_random_from(ia_random_key_of(2, 5, 1));
    for (int threads = 1; threads <= 8; threads = threads * 2 + (threads == 2)) {
        ia_pool *pool = NULL;
        inarch_error err;
        assert_ok(ia_pool_new(threads, &pool, &err), err);
        FOR_EACH_SET (e)
            for (size_t rows = 1; rows <= IA_STRIP_ROWS + 1; rows++)
                for (size_t i = 0; i < IA_COUNT(in) * IA_COUNT(units); i++) {
                    e.pool = pool;
                    check_strip(&o, &e, rows, in[i / IA_COUNT(units)], units[i % IA_COUNT(units)],
                                &r);
                }
        ia_pool_free(pool);
    }
    operands_free(&o);
}

/* Padding stays out of it: NaN and infinity reach exactly the outputs they should, and sizes that
 * overflow are refused. */
static void test_edges(void **state)
{
    (void)state;
    ia_random r = ia_random_from(ia_random_key_of(2, 4, 1));
    static float x[20 * 30], w[30 * 40], y0[20 * 40], y[20 * 40], panels[30 * 64];
    for (size_t i = 0; i < IA_COUNT(x); i++)
        x[i] = test_float(&r);
    for (size_t i = 0; i < IA_COUNT(w); i++)
        w[i] = test_float(&r);
    x[3 * 30 + 7] = NAN;
    x[5 * 30 + 9] = INFINITY;
    ia_exec ref = test_reference();
    ia_dense_y(&ref, 20, 30, 40, x, w, NULL, y0);
    FOR_EACH_SET (e) {
        size_t floats;
        ia_panels_pack(&e, 30, 40, w, panels);
        ia_dense_forward f = {.rows = 20, .in = 30, .units = 40, .x = x, .w = panels, .y = y};
        f.panels = true;
        ia_dense_forward_run(&e, &f);
        assert_same_floats(y, y0, IA_COUNT(y), e.set, "y with NaN");
        assert_false(ia_panels_size(&e, SIZE_MAX / 2, 40, &floats) && floats < SIZE_MAX / 2);
        assert_false(ia_dense_back_size(&e, SIZE_MAX / 8, 30, 40, &floats));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_shapes), cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_threads),      cmocka_unit_test(test_strips),
        cmocka_unit_test(test_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
