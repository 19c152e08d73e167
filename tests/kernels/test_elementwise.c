/* Element-wise loops: values, aliasing, every set by bytes, pools. */
#include "kernel_test.h"

#include "kernels/optimize.h"

static void test_values(void **state)
{
    (void)state;
    const float a[4] = {1, -2, 0.5f, 3}, b[4] = {2, 2, -4, 3};
    const float nan_left[2] = {NAN, 1}, nan_right[2] = {1, NAN};
    float y[4];
    static const float want[5][4] = {
        {3, 0, -3.5f, 6}, {-1, -4, 4.5f, 0}, {2, -4, -2, 9}, {2, 2, 0.5f, 3}, {1, -2, -4, 3}};
    for (size_t i = 0; ia_kernel_set_at(i); i++) {
        ia_exec e = {.set = ia_kernel_set_at(i)};
        for (int op = IA_ADD; op <= IA_MIN; op++) {
            ia_map2(&e, (ia_binary)op, 4, a, b, y);
            assert_memory_equal(y, want[op], sizeof y);
            ia_map2(&e, (ia_binary)op, 2, nan_left, nan_right, y);
            assert_true(isnan(y[0]) && isnan(y[1]));
        }
        ia_scale(&e, 4, -2, a, y);
        assert_memory_equal(y, ((float[]){-2, 4, -1, -6}), sizeof y);
        ia_axpy(&e, 4, 10, a, y);
        assert_memory_equal(y, ((float[]){8, -16, 4, 24}), sizeof y);
        ia_clip(&e, 4, -1, 1, a, y);
        assert_memory_equal(y, ((float[]){1, -1, 0.5f, 1}), sizeof y);
        ia_clip(&e, 2, -1, 1, nan_left, y);
        assert_true(isnan(y[0]));
        ia_weight_decay(&e, 3, 0.5f, y + 1);
        assert_true(y[1] == 0.5f && y[2] == 0.25f && y[3] == 0.5f);
        ia_copy(&e, 4, a, y);
        assert_memory_equal(y, a, sizeof y);
        ia_copy(&e, 4, y, y);
        ia_scale_shift_rows(&e, 2, 2, a, b, b + 2, y); /* b = scale 2, 2 and shift -4, 3 */
        assert_memory_equal(y, ((float[]){-2, -1, -3, 9}), sizeof y);
        ia_scale_shift_rows(&e, 2, 2, a, b, NULL, y);
        assert_memory_equal(y, ((float[]){2, -4, 1, 6}), sizeof y);
        ia_scale_shift_rows(&e, 2, 2, a, NULL, b + 2, y);
        assert_memory_equal(y, ((float[]){-3, 1, -3.5f, 6}), sizeof y);
        ia_scale_shift_rows(&e, 2, 2, a, NULL, NULL, y);
        assert_memory_equal(y, a, sizeof y);
    }
}

typedef void one_loop(const ia_exec *e, size_t n, const float *a, const float *b, float *y);
static void do_max(const ia_exec *e, size_t n, const float *a, const float *b, float *y)
{
    ia_map2(e, IA_MAX, n, a, b, y);
}
static void do_mul(const ia_exec *e, size_t n, const float *a, const float *b, float *y)
{
    ia_map2(e, IA_MUL, n, a, b, y);
}
static void do_scale(const ia_exec *e, size_t n, const float *a, const float *b, float *y)
{
    (void)b;
    ia_scale(e, n, 1.7f, a, y);
}
static void do_axpy(const ia_exec *e, size_t n, const float *a, const float *b, float *y)
{
    ia_copy(e, n, b, y);
    ia_axpy(e, n, -0.3f, a, y);
}
static void do_shift(const ia_exec *e, size_t n, const float *a, const float *b, float *y)
{
    ia_scale_shift_rows(e, 1, n, a, b, a, y);
}
static void do_shift_rows(const ia_exec *e, size_t n, const float *a, const float *b, float *y)
{
    ia_copy(e, n, a, y);
    ia_scale_shift_rows(e, n / 3, 3, a, b, NULL, y);
}

static void test_sets(void **state)
{
    (void)state;
    static one_loop *const loop[] = {do_max, do_mul, do_scale, do_axpy, do_shift, do_shift_rows};
    static const size_t size[] = {3, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 255, 257, 1023, 100001};
    guard ga = guard_new(100001), gb = guard_new(100001), gy = guard_new(100001);
    float *want = ia_calloc(100001, sizeof *want);
    ia_random r = ia_random_from(ia_random_key_of(4, 1, 1));
    ia_pool *pool = NULL;
    inarch_error err;
    assert_ok(ia_pool_new(3, &pool, &err), err);
    ia_exec ref = test_reference();
    FOR_EACH_SET (e)
        for (size_t s = 0; s < IA_COUNT(size); s++)
            for (size_t k = 0; k < IA_COUNT(loop); k++) {
                size_t n = size[s];
                float *a = guard_random(&ga, n, &r), *b = guard_random(&gb, n, &r);
                float *y = guard_output(&gy, n);
                e.pool = s % 2 ? NULL : pool;
                loop[k](&ref, n, a, b, want);
                loop[k](&e, n, a, b, y);
                assert_same_floats(y, want, n, e.set, "loop %zu of %zu", k, n);
                guard_check(&gy, n);
                if (k < 3) {
                    loop[k](&e, n, a, b, a);
                    assert_same_floats(a, want, n, e.set, "loop %zu of %zu in place", k, n);
                }
            }
    ia_pool_free(pool);
    ia_free(want);
    guard_free(&ga), guard_free(&gb), guard_free(&gy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_sets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
