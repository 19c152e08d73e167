/* Sums over rows, inside rows and over doubles: the law in another form, every set by bytes. */
#include "kernel_test.h"

static float block_chain(const float *x, size_t step, size_t n)
{
    float s = 0;
    for (size_t i = 0; i < n; i++)
        s = s + x[i * step];
    return s;
}

/* law (b) by recursion */
static float rows_sum(const float *x, size_t step, size_t n)
{
    if (n <= 64)
        return block_chain(x, step, n);
    size_t half = 64;
    while (2 * half < n)
        half *= 2;
    float left = rows_sum(x, step, half);
    return left + rows_sum(x + half * step, step, n - half);
}

/* law (c): the tree joins lanes whose numbers differ in the highest bit first */
static float lane_tree(const float *x, size_t n, size_t first, size_t stride)
{
    if (stride == 16)
        return block_chain(x + first, 16, n > first ? (n - first + 15) / 16 : 0);
    float left = lane_tree(x, n, first, 2 * stride);
    return left + lane_tree(x, n, first + stride, 2 * stride);
}

static double sum_f64(const double *x, size_t n)
{
    double s = 0;
    if (n > 64) {
        size_t half = 64;
        while (2 * half < n)
            half *= 2;
        s = sum_f64(x, half);
        return s + sum_f64(x + half, n - half);
    }
    for (size_t i = 0; i < n; i++)
        s += x[i];
    return s;
}

static const size_t sizes[] = {0,  1,  7,  8,   9,   15,  16,  17,  31,  33,
                               63, 64, 65, 127, 129, 191, 255, 256, 257, 1023};

static void test_law(void **state)
{
    (void)state;
    ia_random r = ia_random_from(ia_random_key_of(3, 1, 1));
    static float x[1023 * 3], out[1023];
    static double d[1023];
    for (size_t i = 0; i < IA_COUNT(x); i++)
        x[i] = test_float(&r);
    for (size_t i = 0; i < IA_COUNT(d); i++)
        d[i] = ia_random_double(&r);
    ia_exec e = test_reference();
    for (size_t s = 0; s < IA_COUNT(sizes); s++) {
        size_t n = sizes[s];
        ia_sum_rows(&e, n, 3, x, out);
        for (size_t c = 0; c < 3; c++)
            assert_true(out[c] == rows_sum(x + c, 3, n));
        ia_row_sum(&e, 3, n, x, out);
        for (size_t i = 0; i < 3; i++)
            assert_true(out[i] == lane_tree(x + i * n, n, 0, 1));
        assert_true(ia_sum_f64(n, d) == sum_f64(d, n));
    }
}

static void test_values(void **state)
{
    (void)state;
    const float x[6] = {1, 2, 3, 4, 5, 6}, y[6] = {1, -1, 2, -2, 3, -3}, mean[3] = {2, 3, 4};
    float out[3];
    ia_exec e = {.set = ia_kernel_set_find(NULL)};
    ia_sum_rows(&e, 2, 3, x, out);
    assert_true(out[0] == 5 && out[1] == 7 && out[2] == 9);
    ia_sum_rows_mul(&e, 2, 3, x, y, out);
    assert_true(out[0] == 1 - 8 && out[1] == -2 + 15 && out[2] == 6 - 18);
    ia_sum_rows_sqdiff(&e, 2, 3, x, mean, out);
    assert_true(out[0] == 1 + 4 && out[1] == 1 + 4 && out[2] == 1 + 4);
    ia_row_sum(&e, 2, 3, x, out);
    assert_true(out[0] == 6 && out[1] == 15);
    ia_row_dot(&e, 2, 3, x, y, out);
    assert_true(out[0] == 1 - 2 + 6 && out[1] == -8 + 15 - 18);
    ia_row_sqdiff(&e, 2, 3, x, mean, out);
    assert_true(out[0] == 1 + 0 + 1 && out[1] == 1 + 4 + 9);
}

static void check_all(const ia_exec *e, const ia_exec *ref, guard *gx, guard *gy, guard *gm,
                      guard *go, size_t rows, size_t cols, ia_random *r)
{
    static float want[4096];
    float *x = guard_random(gx, rows * cols, r), *y = guard_random(gy, rows * cols, r);
    float *mean = guard_random(gm, cols, r), *out = guard_output(go, cols);
    ia_sum_rows(ref, rows, cols, x, want);
    ia_sum_rows(e, rows, cols, x, out);
    assert_same_floats(out, want, cols, e->set, "sum over %zu rows of %zu", rows, cols);
    ia_sum_rows_mul(ref, rows, cols, x, y, want);
    ia_sum_rows_mul(e, rows, cols, x, y, out);
    assert_same_floats(out, want, cols, e->set, "products over %zu rows of %zu", rows, cols);
    ia_sum_rows_sqdiff(ref, rows, cols, x, mean, want);
    ia_sum_rows_sqdiff(e, rows, cols, x, mean, out);
    assert_same_floats(out, want, cols, e->set, "squares over %zu rows of %zu", rows, cols);
    guard_check(go, cols);
    mean = guard_random(gm, rows, r);
    out = guard_output(go, rows);
    ia_row_sum(ref, rows, cols, x, want);
    ia_row_sum(e, rows, cols, x, out);
    assert_same_floats(out, want, rows, e->set, "sums of %zu rows of %zu", rows, cols);
    ia_row_dot(ref, rows, cols, x, y, want);
    ia_row_dot(e, rows, cols, x, y, out);
    assert_same_floats(out, want, rows, e->set, "dots of %zu rows of %zu", rows, cols);
    ia_row_sqdiff(ref, rows, cols, x, mean, want);
    ia_row_sqdiff(e, rows, cols, x, mean, out);
    assert_same_floats(out, want, rows, e->set, "squares of %zu rows of %zu", rows, cols);
    guard_check(go, rows);
}

static void test_sets(void **state)
{
    (void)state;
    guard gx = guard_new(1200000), gy = guard_new(1200000), gm = guard_new(4096);
    guard go = guard_new(4096);
    ia_random r = ia_random_from(ia_random_key_of(3, 2, 1));
    ia_pool *pool = NULL;
    inarch_error err;
    assert_ok(ia_pool_new(3, &pool, &err), err);
    ia_exec ref = test_reference(), shared = {.set = ref.set, .pool = pool};
    FOR_EACH_SET (e) {
        for (size_t i = 0; i < IA_COUNT(sizes); i++)
            for (size_t j = 0; j < IA_COUNT(sizes); j += 3) {
                check_all(&e, &ref, &gx, &gy, &gm, &go, sizes[i], sizes[j], &r);
                check_all(&e, &ref, &gx, &gy, &gm, &go, sizes[j], sizes[i], &r);
            }
        e.pool = pool;
        check_all(&e, &ref, &gx, &gy, &gm, &go, 300, 400, &r);
        check_all(&e, &ref, &gx, &gy, &gm, &go, 4000, 70, &r);
    }
    check_all(&shared, &ref, &gx, &gy, &gm, &go, 500, 333, &r);
    ia_pool_free(pool);
    guard_free(&gx), guard_free(&gy), guard_free(&gm), guard_free(&go);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_law),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_sets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
