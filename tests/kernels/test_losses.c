/* Losses, the largest of a row, penalties: every set by bytes, rows of every length, weights,
 * saturated and infinite numbers; the softmax given or not. What the values are is compared with
 * Keras in tests/nn/test_loss.c. */
#include "kernel_test.h"

#include "kernels/activation.h"
#include "kernels/losses.h"

#define MOST (5 * 1000)

static const size_t lengths[] = {1, 2, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 1000};
static const size_t counts[] = {0, 1, 3, 5};

typedef struct result {
    double loss[256];
    float grad[MOST];
} result;

static void assert_same_loss(const result *a, const result *b, size_t n, const ia_kernel_set *set,
                             ia_loss_id id)
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(&a->loss[i], &b->loss[i], sizeof(double)) != 0 &&
            !(isnan(a->loss[i]) && isnan(b->loss[i])))
            fail_msg("loss %d: %s gives %a at %zu, not %a", (int)id, ia_kernel_set_name(set),
                     a->loss[i], i, b->loss[i]);
}

/* Every set, against the reference. */
static void compare_sets(ia_loss_id id, const ia_loss_rows *rows, size_t samples)
{
    static result want, own;
    ia_exec ref = test_reference();
    ia_loss_rows l = *rows;
    size_t cells = rows->grad ? samples * rows->cols : 0;
    l.loss = want.loss;
    l.grad = rows->grad ? want.grad : NULL;
    ia_loss_run(&ref, id, &l, samples);
    FOR_EACH_SET (e) {
        l.loss = own.loss;
        l.grad = rows->grad ? own.grad : NULL;
        ia_loss_run(&e, id, &l, samples);
        assert_same_loss(&own, &want, samples, e.set, id);
        assert_same_floats(own.grad, want.grad, cells, e.set, "loss %d, %zu x %zu", (int)id,
                           samples, rows->cols);
    }
}

/* Targets of a kind the loss can take: class indices where it wants them. */
static void fill_targets(ia_loss_id id, float *t, size_t samples, size_t cols, ia_random *r)
{
    if (id == IA_LOSS_sparse_logits)
        for (size_t i = 0; i < samples; i++)
            t[i] = (float)(size_t)(ia_random_double(r) * (double)cols);
    else
        for (size_t i = 0; i < samples * cols; i++)
            t[i] = test_float(r) / 4 + 0.5f;
}

static void test_sets_agree(void **state)
{
    (void)state;
    static float grad[1];
    guard gx = guard_new(MOST), gt = guard_new(MOST), gy = guard_new(MOST);
    ia_random r = ia_random_from(ia_random_key_of(4, 1, 1));
    ia_exec ref = test_reference();
    const float weight[] = {0.5f, 2, 0, 1, 3};
    for (int id = 0; id < IA_LOSS_COUNT; id++)
        for (size_t c = 0; c < IA_COUNT(lengths); c++)
            for (size_t n = 0; n < IA_COUNT(counts); n++) {
                size_t cols = lengths[c], samples = counts[n], cells = samples * cols;
                float *x = guard_random(&gx, cells, &r), *y = guard_output(&gy, cells);
                float *t = gt.end - (id == IA_LOSS_sparse_logits ? samples : cells);
                fill_targets((ia_loss_id)id, t, samples, cols, &r);
                ia_activation softmax = ia_activation_of(ia_activation_find("softmax"));
                ia_activate(&ref, &softmax, samples, cols, x, y);
                ia_loss_rows l = {.cols = cols,
                                  .x = x,
                                  .t = t,
                                  .param = {0.9f, 0.05f},
                                  .divisor = (double)cols,
                                  .scale = 0.37f,
                                  .per = 1};
                for (int with = 0; with < 8; with++) {
                    l.grad = with & 1 ? grad : NULL;
                    l.weight = with & 2 ? weight : NULL;
                    l.y = with & 4 ? y : NULL;
                    l.per = with == 3 ? 2 : 1;
                    compare_sets((ia_loss_id)id, &l, samples);
                }
            }
    guard_free(&gx);
    guard_free(&gt);
    guard_free(&gy);
}

static void test_extreme_numbers(void **state)
{
    (void)state;
    static const float odd[] = {0,        -0.0f,     1,   -1,   1e-7f, 1e-8f,     0.9999999f,
                                88,       -88,       200, -200, 3e38f, -3e38f,    1e-40f,
                                INFINITY, -INFINITY, NAN, 0.5f, 0.25f, 1.0000001f};
    enum { N = sizeof odd / sizeof *odd };
    static float x[N * N], t[N * N], grad[1];
    for (size_t i = 0; i < N * N; i++) {
        x[i] = odd[i % N];
        t[i] = odd[i / N];
    }
    for (int id = 0; id < IA_LOSS_COUNT; id++)
        for (size_t cols = 1; cols <= N; cols += N - 1) {
            size_t samples = cols == 1 ? 250 : N;
            ia_loss_rows l = {.cols = cols,
                              .x = x,
                              .t = t,
                              .param = {1, 0},
                              .divisor = 1,
                              .scale = 1,
                              .grad = grad};
            compare_sets((ia_loss_id)id, &l, samples);
        }
}

/* With the softmax at hand or without it: as near as float32 allows; saturated rows too. */
static void test_softmax_given_or_not(void **state)
{
    (void)state;
    float x[3][40], y[3][40], t[3][40] = {{0}}, own[3][40], other[3][40], k[3] = {7, 0, 39};
    double a[3], b[3];
    ia_exec e = {.set = ia_kernel_set_find(NULL)};
    ia_random r = ia_random_from(ia_random_key_of(5, 1, 1));
    for (size_t i = 0; i < 120; i++)
        x[i / 40][i % 40] = 3 * test_float(&r);
    x[1][3] = 150; /* its own class has a probability below the smallest float */
    x[2][39] = 60; /* certain, and right */
    for (size_t s = 0; s < 3; s++)
        t[s][(size_t)k[s]] = 1;
    ia_activation softmax = ia_activation_of(ia_activation_find("softmax"));
    ia_activate(&e, &softmax, 3, 40, x[0], y[0]);
    for (int dense = 0; dense < 2; dense++) {
        ia_loss_rows l = {.cols = 40, .x = x[0], .t = dense ? t[0] : k, .param = {1, 0}};
        ia_loss_id id = dense ? IA_LOSS_categorical_logits : IA_LOSS_sparse_logits;
        l.scale = 1;
        l.loss = a;
        l.grad = own[0];
        ia_loss_run(&e, id, &l, 3);
        l.y = y[0];
        l.loss = b;
        l.grad = other[0];
        ia_loss_run(&e, id, &l, 3);
        assert_memory_equal(own, other, sizeof own);
        for (size_t s = 0; s < 3; s++) {
            double sum = 0, slope = 0;
            for (size_t c = 0; c < 40; c++) {
                sum += exp((double)x[s][c] - (double)x[s][(size_t)k[s]]);
                slope += (double)own[s][c];
            }
            assert_near(a[s], log(sum), 1e-6 * (1 + log(sum)));
            assert_near(b[s], log(sum), 1e-6 * (1 + log(sum)));
            assert_near(slope, 0, 1e-6);
        }
    }
}

static size_t first_largest(const float *x, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (x[i] > x[best])
            best = i;
    return best;
}

static void test_argmax(void **state)
{
    (void)state;
    guard g = guard_new(1000);
    ia_random r = ia_random_from(ia_random_key_of(6, 1, 1));
    for (size_t i = 0; ia_kernel_set_at(i); i++) {
        ia_exec e = {.set = ia_kernel_set_at(i)};
        for (size_t n = 1; n <= 1000; n += n < 140 ? 1 : 43)
            for (int kind = 0; kind < 5; kind++) {
                float *x = guard_random(&g, n, &r), best;
                for (size_t j = 0; kind == 1 && j < n; j++)
                    x[j] = floorf(x[j]); /* ties */
                for (size_t j = 0; kind == 2 && j < n; j++)
                    x[j] = j % 3 == 1 ? NAN : -INFINITY;
                for (size_t j = 0; kind == 3 && j < n; j += 5)
                    x[j] = NAN;
                if (kind == 4)
                    x[n / 2] = NAN;
                ia_row_argmax(&e, 1, n, x, &best);
                if ((size_t)best != first_largest(x, n))
                    fail_msg("%s, %zu columns, kind %d: %g, not %zu", ia_kernel_set_name(e.set), n,
                             kind, (double)best, first_largest(x, n));
            }
    }
    guard_free(&g);
}

static void test_penalties(void **state)
{
    (void)state;
    guard gw = guard_new(1000), ga = guard_new(1000), gi = guard_new(1000), gg = guard_new(1000);
    ia_random r = ia_random_from(ia_random_key_of(7, 1, 1));
    for (size_t i = 0; ia_kernel_set_at(i); i++)
        for (size_t c = 0; c < IA_COUNT(lengths); c++)
            for (int with = 0; with < 4; with++) {
                ia_exec e = {.set = ia_kernel_set_at(i)};
                size_t n = lengths[c];
                float *w = guard_random(&gw, n, &r), *a = guard_random(&ga, n, &r);
                float *m = guard_random(&gi, n, &r), *g = guard_random(&gg, n, &r), want[1000];
                double lane[16] = {0}, sum = 0;
                for (size_t j = 0; j < n; j++) {
                    float anchor = with & 1 ? a[j] : 0, importance = with & 2 ? m[j] : 1;
                    double d = (double)w[j] - (double)anchor;
                    lane[j % 16] += d * d * (double)importance;
                    want[j] = g[j] + 0.3f * (importance * (w[j] - anchor));
                }
                for (int j = 0; j < 16; j++)
                    sum += lane[j];
                ia_penalty_rows q = {w, with & 1 ? a : NULL, with & 2 ? m : NULL, 0.3f, g};
                assert_true(ia_penalty_sum(&e, &q, n) == sum);
                ia_penalty_grad(&e, &q, n);
                assert_same_floats(g, want, n, e.set, "%zu weights", n);
            }
    guard_free(&gw);
    guard_free(&ga);
    guard_free(&gi);
    guard_free(&gg);
}

/* Whole work in one call, or cut over threads. */
static void test_threads(void **state)
{
    (void)state;
    static float x[300 * 200], t[300 * 200], one[300 * 200], many[300 * 200], best[2][300];
    static double loss[2][300];
    inarch_error err;
    ia_random r = ia_random_from(ia_random_key_of(8, 1, 1));
    ia_exec e = {.set = ia_kernel_set_find(NULL)};
    ia_pool *pool;
    assert_ok(ia_pool_new(3, &pool, &err), err);
    for (size_t i = 0; i < IA_COUNT(x); i++) {
        x[i] = test_float(&r);
        t[i] = x[i] > 1;
    }
    for (int id = 0; id < IA_LOSS_COUNT; id++) {
        ia_loss_rows l = {.cols = 200, .x = x, .t = t, .param = {1, 0}, .divisor = 200, .scale = 1};
        e.pool = NULL;
        l.loss = loss[0];
        l.grad = one;
        ia_loss_run(&e, (ia_loss_id)id, &l, 300);
        e.pool = pool;
        l.loss = loss[1];
        l.grad = many;
        ia_loss_run(&e, (ia_loss_id)id, &l, 300);
        assert_memory_equal(one, many, sizeof one);
        assert_memory_equal(loss[0], loss[1], sizeof loss[0]);
    }
    ia_row_argmax(&e, 300, 200, x, best[0]);
    e.pool = NULL;
    ia_row_argmax(&e, 300, 200, x, best[1]);
    assert_memory_equal(best[0], best[1], sizeof best[0]);
    ia_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sets_agree),
        cmocka_unit_test(test_extreme_numbers),
        cmocka_unit_test(test_softmax_given_or_not),
        cmocka_unit_test(test_argmax),
        cmocka_unit_test(test_penalties),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
