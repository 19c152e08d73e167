/* Matrix products: every set against the reference by bytes, the reference against the law written
 * another way and against double precision. */
#include "kernel_test.h"

#define ROOM 200000

typedef struct operands {
    guard x, w, b, y, dy, dx, dw, y0, dx0, dw0;
} operands;

static void operands_new(operands *o)
{
    guard *all[] = {&o->x, &o->w, &o->b, &o->y, &o->dy, &o->dx, &o->dw, &o->y0, &o->dx0, &o->dw0};
    for (size_t i = 0; i < IA_COUNT(all); i++)
        *all[i] = guard_new(ROOM);
}

static void operands_free(operands *o)
{
    guard *all[] = {&o->x, &o->w, &o->b, &o->y, &o->dy, &o->dx, &o->dw, &o->y0, &o->dx0, &o->dw0};
    for (size_t i = 0; i < IA_COUNT(all); i++)
        guard_free(all[i]);
}

/* One shape: all three products of `e` equal the reference's. */
static void check_shape(operands *o, const ia_exec *e, size_t rows, size_t in, size_t units,
                        ia_random *r)
{
    ia_exec ref = test_reference();
    float *x = guard_random(&o->x, rows * in, r), *w = guard_random(&o->w, in * units, r);
    float *b = guard_random(&o->b, units, r), *dy = guard_random(&o->dy, rows * units, r);
    float *y = guard_output(&o->y, rows * units), *y0 = guard_output(&o->y0, rows * units);
    float *dx = guard_output(&o->dx, rows * in), *dx0 = guard_output(&o->dx0, rows * in);
    float *dw = guard_output(&o->dw, in * units), *dw0 = guard_output(&o->dw0, in * units);
    ia_dense_y(&ref, rows, in, units, x, w, b, y0);
    ia_dense_dx(&ref, rows, in, units, dy, w, dx0);
    ia_dense_dw(&ref, rows, in, units, x, dy, dw0);
    ia_dense_y(e, rows, in, units, x, w, b, y);
    ia_dense_dx(e, rows, in, units, dy, w, dx);
    ia_dense_dw(e, rows, in, units, x, dy, dw);
    assert_same_floats(y, y0, rows * units, e->set, "y of %zu x %zu x %zu", rows, in, units);
    assert_same_floats(dx, dx0, rows * in, e->set, "dx of %zu x %zu x %zu", rows, in, units);
    assert_same_floats(dw, dw0, in * units, e->set, "dw of %zu x %zu x %zu", rows, in, units);
    guard_check(&o->y, rows * units);
    guard_check(&o->dx, rows * in);
    guard_check(&o->dw, in * units);
    ia_dense_y(&ref, rows, in, units, x, w, NULL, y0);
    ia_dense_y(e, rows, in, units, x, w, NULL, y);
    assert_same_floats(y, y0, rows * units, e->set, "y without bias, %zu x %zu x %zu", rows, in,
                       units);
}

static void test_small_shapes(void **state)
{
    (void)state;
    operands o;
    operands_new(&o);
    ia_random r = ia_random_from(ia_random_key_of(1, 1, 1));
    FOR_EACH_SET (e)
        for (size_t rows = 0; rows <= 33; rows++)
            for (size_t units = 0; units <= 33; units++) {
                check_shape(&o, &e, rows, 5, units, &r);
                if ((rows + units) % 4 == 0)
                    check_shape(&o, &e, rows, units, 17, &r);
                if ((rows + units) % 5 == 0)
                    check_shape(&o, &e, 7, rows, units, &r);
            }
    operands_free(&o);
}

static void test_blocks(void **state)
{
    (void)state;
    static const size_t size[] = {0, 1, 63, 64, 65, 127, 128, 129, 192, 255, 256, 257, 511, 1023};
    operands o;
    operands_new(&o);
    ia_random r = ia_random_from(ia_random_key_of(1, 2, 1));
    FOR_EACH_SET (e)
        for (size_t i = 0; i < IA_COUNT(size); i++) {
            check_shape(&o, &e, 9, size[i], 19, &r); /* k of y */
            check_shape(&o, &e, 9, 19, size[i], &r); /* k of dx */
            check_shape(&o, &e, size[i], 9, 19, &r); /* k of dw */
            check_shape(&o, &e, 1, 3, size[i], &r);
            check_shape(&o, &e, 1, size[i], 131, &r);
        }
    operands_free(&o);
}

/* Large enough to be packed and shared by threads; pools of several sizes. */
static void test_threads(void **state)
{
    (void)state;
    static const size_t shape[][3] = {{128, 100, 70}, {61, 300, 65}, {600, 40, 90}, {300, 200, 1},
                                      {2, 600, 300},  {64, 32, 160}, {1, 300, 513}};
    operands o;
    operands_new(&o);
    ia_random r = ia_random_from(ia_random_key_of(1, 3, 1));
    for (int threads = 1; threads <= 8; threads += threads < 3 ? 1 : 5) {
        ia_pool *pool = NULL;
        inarch_error err;
        assert_ok(ia_pool_new(threads, &pool, &err), err);
        ia_exec ref = {.set = ia_kernel_set_find("reference"), .pool = pool};
        for (size_t i = 0; i < IA_COUNT(shape); i++) {
            check_shape(&o, &ref, shape[i][0], shape[i][1], shape[i][2], &r);
            FOR_EACH_SET (e) {
                e.pool = pool;
                check_shape(&o, &e, shape[i][0], shape[i][1], shape[i][2], &r);
            }
        }
        ia_pool_free(pool);
    }
    operands_free(&o);
}

/* NaN and infinity of an operand reach exactly the outputs they should. */
static void test_nan(void **state)
{
    (void)state;
    ia_random r = ia_random_from(ia_random_key_of(1, 4, 1));
    float x[20 * 30], w[30 * 40], y0[20 * 40], y[20 * 40];
    for (size_t i = 0; i < IA_COUNT(x); i++)
        x[i] = test_float(&r);
    for (size_t i = 0; i < IA_COUNT(w); i++)
        w[i] = test_float(&r);
    x[3 * 30 + 7] = NAN;
    x[5 * 30 + 9] = INFINITY;
    w[11 * 40 + 13] = 0;
    ia_exec ref = test_reference();
    ia_dense_y(&ref, 20, 30, 40, x, w, NULL, y0);
    for (size_t i = 0; i < IA_COUNT(y0); i++)
        assert_int_equal(isfinite(y0[i]) != 0, i / 40 != 3 && i / 40 != 5);
    FOR_EACH_SET (e) {
        ia_dense_y(&e, 20, 30, 40, x, w, NULL, y);
        assert_same_floats(y, y0, IA_COUNT(y), e.set, "y with NaN");
    }
}

/* The law once more, by recursion over blocks instead of law.h's loops. */
static float chain(const float *a, size_t a_step, const float *b, size_t b_step, size_t n)
{
    float s = 0;
    for (size_t k = 0; k < n; k++)
        s = fmaf(a[k * a_step], b[k * b_step], s);
    return s;
}

static float law_a(const float *a, size_t a_step, const float *b, size_t b_step, size_t n)
{
    if (n <= 256)
        return chain(a, a_step, b, b_step, n);
    size_t before = (n - 1) / 256 * 256;
    return law_a(a, a_step, b, b_step, before) +
           chain(a + before * a_step, a_step, b + before * b_step, b_step, n - before);
}

static float law_b(const float *a, size_t a_step, const float *b, size_t b_step, size_t n)
{
    if (n <= 64)
        return chain(a, a_step, b, b_step, n);
    size_t half = 64; /* the largest power of two below n, in whole blocks */
    while (2 * half < n)
        half *= 2;
    float left = law_b(a, a_step, b, b_step, half);
    return left + law_b(a + half * a_step, a_step, b + half * b_step, b_step, n - half);
}

static void test_reference_is_the_law(void **state)
{
    (void)state;
    static const size_t shape[][3] = {{3, 256, 2}, {2, 257, 3}, {3, 1000, 2}, {65, 3, 2},
                                      {448, 2, 2}, {700, 2, 3}, {2, 3, 600}};
    ia_random r = ia_random_from(ia_random_key_of(1, 5, 1));
    ia_exec ref = test_reference();
    for (size_t s = 0; s < IA_COUNT(shape); s++) {
        size_t rows = shape[s][0], in = shape[s][1], units = shape[s][2];
        float *x = ia_calloc(rows * in, 4), *w = ia_calloc(in * units, 4), b[600];
        float *dy = ia_calloc(rows * units, 4), *out = ia_calloc(3000, 4);
        for (size_t i = 0; i < rows * in; i++)
            x[i] = test_float(&r);
        for (size_t i = 0; i < in * units; i++)
            w[i] = test_float(&r);
        for (size_t i = 0; i < rows * units; i++)
            dy[i] = test_float(&r);
        for (size_t i = 0; i < units; i++)
            b[i] = test_float(&r);
        ia_dense_y(&ref, rows, in, units, x, w, b, out);
        for (size_t i = 0; i < rows * units; i++)
            assert_true(out[i] ==
                        law_a(x + i / units * in, 1, w + i % units, units, in) + b[i % units]);
        ia_dense_dx(&ref, rows, in, units, dy, w, out);
        for (size_t i = 0; i < rows * in; i++)
            assert_true(out[i] == law_a(dy + i / in * units, 1, w + i % in * units, 1, units));
        ia_dense_dw(&ref, rows, in, units, x, dy, out);
        for (size_t i = 0; i < in * units; i++)
            assert_true(out[i] == law_b(x + i / units, in, dy + i % units, units, rows));
        ia_free(x), ia_free(w), ia_free(dy), ia_free(out);
    }
}

static void test_accuracy(void **state)
{
    (void)state;
    enum { ROWS = 4, IN = 4096, UNITS = 8 };
    ia_random r = ia_random_from(ia_random_key_of(1, 6, 1));
    float *x = ia_calloc(ROWS * IN, 4), *w = ia_calloc(IN * UNITS, 4), y[ROWS * UNITS];
    for (size_t i = 0; i < ROWS * IN; i++)
        x[i] = test_float(&r);
    for (size_t i = 0; i < IN * UNITS; i++)
        w[i] = test_float(&r);
    ia_exec e = {.set = ia_kernel_set_find(NULL)};
    ia_dense_y(&e, ROWS, IN, UNITS, x, w, NULL, y);
    for (size_t i = 0; i < ROWS * UNITS; i++) {
        double sum = 0, size = 0;
        for (size_t k = 0; k < IN; k++) {
            double t = (double)x[i / UNITS * IN + k] * w[k * UNITS + i % UNITS];
            sum += t;
            size += fabs(t);
        }
        assert_true(fabs(y[i] - sum) < 2e-7 * size);
    }
    ia_free(x), ia_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reference_is_the_law),
        cmocka_unit_test(test_small_shapes),
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_nan),
        cmocka_unit_test(test_accuracy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
