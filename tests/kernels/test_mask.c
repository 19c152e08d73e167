/* Random masks: the words are ia_philox's, every set agrees, rows are independent of the batch. */
#include "kernel_test.h"

static const ia_random_key key = {{0x1234567, 0x89abcdef}};

static void test_words(void **state)
{
    (void)state;
    static const size_t width[] = {1, 3, 4, 5, 10, 63, 64, 65, 67, 68, 130};
    static float mask[7 * 130];
    for (size_t i = 0; ia_kernel_set_at(i); i++)
        for (size_t k = 0; k < IA_COUNT(width); k++) {
            ia_exec e = {.set = ia_kernel_set_at(i)};
            size_t cols = width[k];
            ia_mask_dropout(&e, key, 0.3f, 5, 7, cols, mask);
            for (size_t n = 0; n < 7 * cols; n++) {
                uint32_t word[4];
                ia_philox(key, 5 + n / cols, n % cols / 4, word);
                float want = word[n % cols % 4] >= (uint32_t)(0.3f * 4294967296.0)
                                 ? 1.0f / (1.0f - 0.3f)
                                 : 0.0f;
                if (mask[n] != want)
                    fail_msg("%s: mask of %zu columns is wrong at %zu", ia_kernel_set_name(e.set),
                             cols, n);
            }
        }
}

static void test_normal_formula(void **state)
{
    (void)state;
    float noise[3 * 10];
    ia_exec e = {.set = ia_kernel_set_find(NULL)};
    ia_mask_normal(&e, key, 100, 3, 10, noise);
    for (size_t n = 0; n < 30; n++) {
        uint32_t word[4];
        size_t unit = n % 10;
        ia_philox(key, 100 + n / 10, unit / 4, word);
        double u = ((word[unit % 4 / 2 * 2] >> 8) + 0.5) * 0x1p-24;
        double angle = 2 * 3.14159265358979323846 * word[unit % 4 / 2 * 2 + 1] * 0x1p-32;
        double want = sqrt(-2 * log(u)) * (unit % 2 ? sin(angle) : cos(angle));
        assert_near(noise[n], want, 2e-6);
    }
}

static void test_moments(void **state)
{
    (void)state;
    enum { ROWS = 500, COLS = 400, N = ROWS * COLS };
    float *x = ia_calloc(N, sizeof *x);
    ia_exec e = {.set = ia_kernel_set_find(NULL)};
    double sum = 0, square = 0, fourth = 0;
    ia_mask_normal(&e, key, 0, ROWS, COLS, x);
    for (size_t i = 0; i < N; i++) {
        double v = x[i];
        sum += v;
        square += v * v;
        fourth += v * v * v * v;
    }
    assert_true(fabs(sum / N) < 0.01 && fabs(square / N - 1) < 0.01 && fabs(fourth / N - 3) < 0.1);
    ia_mask_dropout(&e, key, 0.25f, 0, ROWS, COLS, x);
    size_t kept = 0;
    for (size_t i = 0; i < N; i++)
        kept += x[i] != 0;
    assert_true(fabs((double)kept / N - 0.75) < 0.005);
    ia_mask_dropout(&e, key, 0, 0, ROWS, COLS, x);
    for (size_t i = 0; i < N; i++)
        assert_true(x[i] == 1);
    ia_free(x);
}

static void test_sets(void **state)
{
    (void)state;
    static const size_t shape[][2] = {{0, 5},  {5, 0},   {1, 1},   {3, 7},    {17, 4},
                                      {2, 64}, {33, 20}, {9, 257}, {300, 301}};
    guard g = guard_new(100000);
    float *want = ia_calloc(100000, sizeof *want);
    ia_pool *pool = NULL;
    inarch_error err;
    assert_ok(ia_pool_new(3, &pool, &err), err);
    ia_exec ref = test_reference();
    FOR_EACH_SET (e)
        for (size_t i = 0; i < IA_COUNT(shape); i++) {
            size_t rows = shape[i][0], cols = shape[i][1], n = rows * cols;
            e.pool = pool;
            float *y = guard_output(&g, n);
            ia_mask_dropout(&ref, key, 0.5f, 3, rows, cols, want);
            ia_mask_dropout(&e, key, 0.5f, 3, rows, cols, y);
            assert_same_floats(y, want, n, e.set, "dropout %zu x %zu", rows, cols);
            ia_mask_normal(&ref, key, 3, rows, cols, want);
            ia_mask_normal(&e, key, 3, rows, cols, y);
            assert_same_floats(y, want, n, e.set, "normal %zu x %zu", rows, cols);
            guard_check(&g, n);
            if (rows > 2) { /* the last rows alone */
                ia_mask_normal(&e, key, 3 + rows - 2, 2, cols, y);
                assert_same_floats(y, want + (rows - 2) * cols, 2 * cols, e.set, "two rows of %zu",
                                   rows);
            }
        }
    ia_pool_free(pool);
    ia_free(want);
    guard_free(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_normal_formula),
        cmocka_unit_test(test_moments),
        cmocka_unit_test(test_sets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
