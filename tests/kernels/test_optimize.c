/* Optimizers: five steps of each against Keras' formulas in double, every set by bytes, the flush
 * of tiny slots, and the sum of squares. */
#include "kernel_test.h"

#include "kernels/optimize.h"

#define LR 0.01
#define STEPS 5

typedef struct cell { /* one element in double */
    double w, s[3];
} cell;

typedef ia_update make_fn(uint64_t t);
typedef void step_fn(cell *c, double g, int t);

static double u_product_at(uint64_t t)
{
    double u = 1;
    for (uint64_t i = 1; i <= t; i++)
        u *= ia_nadam_u(0.9, i);
    return u;
}

static ia_update make_sgd(uint64_t t)
{
    (void)t;
    return ia_update_sgd(LR, 0, 0);
}
static void step_sgd(cell *c, double g, int t)
{
    (void)t;
    c->w -= LR * g;
}
static ia_update make_momentum(uint64_t t)
{
    (void)t;
    return ia_update_sgd(LR, 0.9, 0);
}
static void step_momentum(cell *c, double g, int t)
{
    (void)t;
    c->s[0] = c->s[0] * 0.9 - g * LR;
    c->w += c->s[0];
}
static ia_update make_nesterov(uint64_t t)
{
    (void)t;
    return ia_update_sgd(LR, 0.9, 1);
}
static void step_nesterov(cell *c, double g, int t)
{
    (void)t;
    c->s[0] = c->s[0] * 0.9 - g * LR;
    c->w += c->s[0] * 0.9 - g * LR;
}
static ia_update make_rms(uint64_t t)
{
    (void)t;
    return ia_update_rmsprop(LR, 0.9, 0, 1e-7, 0);
}
static void step_rms(cell *c, double g, int t)
{
    (void)t;
    c->s[0] = 0.9 * c->s[0] + 0.1 * g * g;
    c->w -= LR * g / sqrt(c->s[0] + 1e-7);
}
static ia_update make_rms_momentum(uint64_t t)
{
    (void)t;
    return ia_update_rmsprop(LR, 0.9, 0.8, 1e-7, 0);
}
static void step_rms_momentum(cell *c, double g, int t)
{
    (void)t;
    c->s[0] = 0.9 * c->s[0] + 0.1 * g * g;
    c->s[1] = 0.8 * c->s[1] + LR * g / sqrt(c->s[0] + 1e-7);
    c->w -= c->s[1];
}
static ia_update make_rms_centered(uint64_t t)
{
    (void)t;
    return ia_update_rmsprop(LR, 0.9, 0, 1e-3, 1);
}
static void step_rms_centered(cell *c, double g, int t)
{
    (void)t;
    c->s[0] = 0.9 * c->s[0] + 0.1 * g * g;
    c->s[1] = 0.9 * c->s[1] + 0.1 * g;
    c->w -= LR * g / sqrt(c->s[0] - c->s[1] * c->s[1] + 1e-3);
}
static ia_update make_rms_both(uint64_t t)
{
    (void)t;
    return ia_update_rmsprop(LR, 0.9, 0.8, 1e-3, 1);
}
static void step_rms_both(cell *c, double g, int t)
{
    (void)t;
    c->s[0] = 0.9 * c->s[0] + 0.1 * g * g;
    c->s[2] = 0.9 * c->s[2] + 0.1 * g;
    c->s[1] = 0.8 * c->s[1] + LR * g / sqrt(c->s[0] - c->s[2] * c->s[2] + 1e-3);
    c->w -= c->s[1];
}
static ia_update make_adam(uint64_t t)
{
    return ia_update_adam(LR, 0.9, 0.999, 1e-7, 0, t);
}
static void step_adam(cell *c, double g, int t)
{
    double alpha = LR * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t));
    c->s[0] += (g - c->s[0]) * 0.1;
    c->s[1] += (g * g - c->s[1]) * 0.001;
    c->w -= c->s[0] * alpha / (sqrt(c->s[1]) + 1e-7);
}
static ia_update make_amsgrad(uint64_t t)
{
    return ia_update_adam(LR, 0.9, 0.9, 1e-7, 1, t);
}
static void step_amsgrad(cell *c, double g, int t)
{
    double alpha = LR * sqrt(1 - pow(0.9, t)) / (1 - pow(0.9, t));
    c->s[0] += (g - c->s[0]) * 0.1;
    c->s[1] += (g * g - c->s[1]) * 0.1;
    c->s[2] = fmax(c->s[2], c->s[1]);
    c->w -= c->s[0] * alpha / (sqrt(c->s[2]) + 1e-7);
}
static ia_update make_adagrad(uint64_t t)
{
    (void)t;
    return ia_update_adagrad(LR, 1e-7);
}
static void step_adagrad(cell *c, double g, int t)
{
    (void)t;
    c->s[0] += g * g;
    c->w -= LR * g / sqrt(c->s[0] + 1e-7);
}
static ia_update make_adadelta(uint64_t t)
{
    (void)t;
    return ia_update_adadelta(1.0, 0.95, 1e-6);
}
static void step_adadelta(cell *c, double g, int t)
{
    (void)t;
    c->s[0] = 0.95 * c->s[0] + 0.05 * g * g;
    double delta = -sqrt(c->s[1] + 1e-6) * g / sqrt(c->s[0] + 1e-6);
    c->s[1] = 0.95 * c->s[1] + 0.05 * delta * delta;
    c->w += delta;
}
static ia_update make_adamax(uint64_t t)
{
    return ia_update_adamax(LR, 0.9, 0.999, 1e-7, t);
}
static void step_adamax(cell *c, double g, int t)
{
    c->s[0] += (g - c->s[0]) * 0.1;
    c->s[1] = fmax(0.999 * c->s[1], fabs(g));
    c->w -= LR * c->s[0] / ((1 - pow(0.9, t)) * (c->s[1] + 1e-7));
}
static ia_update make_nadam(uint64_t t)
{
    return ia_update_nadam(LR, 0.9, 0.999, 1e-7, u_product_at(t), t);
}
static void step_nadam(cell *c, double g, int t)
{
    double u = 0.9 * (1 - 0.5 * pow(0.96, t)), next = 0.9 * (1 - 0.5 * pow(0.96, t + 1));
    double product = 1;
    for (int i = 1; i <= t; i++)
        product *= 0.9 * (1 - 0.5 * pow(0.96, i));
    c->s[0] += (g - c->s[0]) * 0.1;
    c->s[1] += (g * g - c->s[1]) * 0.001;
    double m = next * c->s[0] / (1 - product * next) + (1 - u) * g / (1 - product);
    c->w -= m * LR / (sqrt(c->s[1] / (1 - pow(0.999, t))) + 1e-7);
}

static const struct {
    const char *name;
    make_fn *make;
    step_fn *step;
    int slots;
    const char *slot[3];
} rule[] = {
    {"sgd", make_sgd, step_sgd, 0, {NULL}},
    {"momentum", make_momentum, step_momentum, 1, {"momentum"}},
    {"nesterov", make_nesterov, step_nesterov, 1, {"momentum"}},
    {"rmsprop", make_rms, step_rms, 1, {"velocity"}},
    {"rmsprop, momentum", make_rms_momentum, step_rms_momentum, 2, {"velocity", "momentum"}},
    {"rmsprop, centered",
     make_rms_centered,
     step_rms_centered,
     2,
     {"velocity", "average_gradient"}},
    {"rmsprop, both",
     make_rms_both,
     step_rms_both,
     3,
     {"velocity", "momentum", "average_gradient"}},
    {"adam", make_adam, step_adam, 2, {"momentum", "velocity"}},
    {"amsgrad", make_amsgrad, step_amsgrad, 3, {"momentum", "velocity", "velocity_hat"}},
    {"adagrad", make_adagrad, step_adagrad, 1, {"accumulator"}},
    {"adadelta", make_adadelta, step_adadelta, 2, {"accumulated_grad", "accumulated_delta_var"}},
    {"adamax", make_adamax, step_adamax, 2, {"momentum", "norm"}},
    {"nadam", make_nadam, step_nadam, 2, {"momentum", "velocity"}},
};

static void test_formulas(void **state)
{
    (void)state;
    enum { N = 50 };
    ia_exec e = {.set = ia_kernel_set_find(NULL)};
    for (size_t k = 0; k < IA_COUNT(rule); k++) {
        ia_random r = ia_random_from(ia_random_key_of(5, k, 1));
        float w[N], g[N], s[3][N] = {{0}};
        float *slot[3] = {s[0], s[1], s[2]};
        cell c[N] = {{0}};
        for (int i = 0; i < N; i++) {
            w[i] = test_float(&r);
            c[i].w = w[i];
        }
        for (int t = 1; t <= STEPS; t++) {
            ia_update u = rule[k].make((uint64_t)t);
            assert_int_equal(ia_update_slot_count(&u), rule[k].slots);
            for (int i = 0; i < N; i++) {
                g[i] = i == 0 ? 0 : test_float(&r) * (i % 5 ? 1 : 1e-3f);
                rule[k].step(&c[i], g[i], t);
            }
            ia_update_apply(&e, &u, N, g, w, slot);
            for (int i = 0; i < N; i++) {
                if (fabs(w[i] - c[i].w) > 2e-6)
                    fail_msg("%s, step %d: w[%d] = %.9g, but %.9g is right", rule[k].name, t, i,
                             (double)w[i], c[i].w);
                for (int j = 0; j < rule[k].slots; j++)
                    assert_near(s[j][i], c[i].s[j], 1e-6);
            }
        }
        ia_update u = rule[k].make(1);
        for (int j = 0; j < 3; j++) {
            if (j < rule[k].slots)
                assert_string_equal(ia_update_slot_name(&u, j), rule[k].slot[j]);
            else
                assert_null(ia_update_slot_name(&u, j));
        }
    }
}

static void test_sets(void **state)
{
    (void)state;
    static const size_t size[] = {0, 1, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 257, 1023, 30001};
    guard gg = guard_new(30001), gw = guard_new(30001), gs[3];
    float *want[4];
    for (int j = 0; j < 4; j++)
        want[j] = ia_calloc(30001, sizeof **want);
    for (int j = 0; j < 3; j++)
        gs[j] = guard_new(30001);
    ia_pool *pool = NULL;
    inarch_error err;
    assert_ok(ia_pool_new(3, &pool, &err), err);
    ia_random r = ia_random_from(ia_random_key_of(5, 99, 1));
    ia_exec ref = test_reference();
    FOR_EACH_SET (e)
        for (size_t k = 0; k < IA_COUNT(rule); k++)
            for (size_t i = 0; i < IA_COUNT(size); i++) {
                size_t n = size[i];
                ia_update u = rule[k].make(3);
                float *g = guard_random(&gg, n, &r), *w = guard_random(&gw, n, &r);
                float *slot[3];
                memcpy(want[3], w, n * sizeof *w);
                for (int j = 0; j < 3; j++) {
                    slot[j] = guard_random(&gs[j], n, &r);
                    for (size_t at = 0; at < n; at++)
                        slot[j][at] = at % 7 == 3    ? 1e-31f
                                      : at % 11 == 5 ? NAN
                                                     : fabsf(slot[j][at]);
                    memcpy(want[j], slot[j], n * sizeof *w);
                }
                e.pool = i % 2 ? NULL : pool;
                ia_update_apply(&ref, &u, n, g, want[3], want);
                ia_update_apply(&e, &u, n, g, w, slot);
                assert_same_floats(w, want[3], n, e.set, "%s of %zu", rule[k].name, n);
                for (int j = 0; j < 3; j++)
                    assert_same_floats(slot[j], want[j], n, e.set, "slot %d of %s of %zu", j,
                                       rule[k].name, n);
            }
    ia_pool_free(pool);
    guard_free(&gg), guard_free(&gw);
    for (int j = 0; j < 4; j++)
        ia_free(want[j]);
    for (int j = 0; j < 3; j++)
        guard_free(&gs[j]);
}

/* The moments of a dead unit reach exactly 0 instead of subnormals. */
static void test_flush(void **state)
{
    (void)state;
    for (size_t i = 0; ia_kernel_set_at(i); i++)
        for (size_t k = 1; k < IA_COUNT(rule); k++) {
            ia_exec e = {.set = ia_kernel_set_at(i)};
            if (strcmp(rule[k].name, "adagrad") == 0)
                continue; /* its slot only grows */
            float g = 0, w = 1, s[3] = {1.05e-30f, 1.0005e-30f, 1.02e-30f};
            float *slot[3] = {&s[0], &s[1], &s[2]};
            ia_update u = rule[k].make(1);
            ia_update_apply(&e, &u, 1, &g, &w, slot);
            for (int j = 0; j < rule[k].slots; j++)
                assert_true(s[j] == 0 || s[j] >= 1e-30f);
            if (strcmp(rule[k].name, "amsgrad") != 0 && rule[k].slots > 1)
                assert_true(s[1] == 0); /* 0.999 of it is below */
            assert_true(s[0] == 0 && !signbit(s[0]));
        }
}

/* Adam rounds exactly as the design says. */
static void test_adam_bytes(void **state)
{
    (void)state;
    float g = 0.123456f, w = 0.5f, m = 0.01f, v = 0.002f, *slot[2] = {&m, &v};
    ia_update u = ia_update_adam(1e-3, 0.9, 0.999, 1e-7, 0, 7);
    float alpha = (float)(1e-3 * sqrt(1 - pow(0.999, 7)) / (1 - pow(0.9, 7)));
    float one_b1 = (float)(1 - 0.9), one_b2 = (float)(1 - 0.999);
    float m1 = fmaf(g - m, one_b1, m), v1 = fmaf(fmaf(g, g, -v), one_b2, v);
    float numerator = m1 * alpha, denominator = sqrtf(v1) + 1e-7f;
    float w1 = w - numerator / denominator;
    ia_exec e = {.set = ia_kernel_set_find(NULL)};
    ia_update_apply(&e, &u, 1, &g, &w, slot);
    assert_true(m == m1 && v == v1 && w == w1);
}

static double squares(const float *x, size_t n) /* the stated order, by recursion */
{
    if (n > 4096) {
        size_t half = 4096;
        while (2 * half < n)
            half *= 2;
        double left = squares(x, half);
        return left + squares(x + half, n - half);
    }
    double lane[16] = {0};
    for (size_t i = 0; i < n; i++)
        lane[i % 16] += (double)x[i] * x[i];
    for (int half = 8; half; half /= 2)
        for (int j = 0; j < half; j++)
            lane[j] += lane[j + half];
    return lane[0];
}

static void test_sum_squares(void **state)
{
    (void)state;
    static const size_t size[] = {0, 1, 15, 16, 17, 4095, 4096, 4097, 12289, 30001};
    guard g = guard_new(30001);
    ia_random r = ia_random_from(ia_random_key_of(5, 100, 1));
    for (size_t k = 0; ia_kernel_set_at(k); k++)
        for (size_t i = 0; i < IA_COUNT(size); i++) {
            ia_exec e = {.set = ia_kernel_set_at(k)};
            float *x = guard_random(&g, size[i], &r);
            double want = squares(x, size[i]), got = ia_sum_squares(&e, size[i], x);
            assert_memory_equal(&got, &want, sizeof got);
        }
    guard_free(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formulas),    cmocka_unit_test(test_sets),
        cmocka_unit_test(test_flush),       cmocka_unit_test(test_adam_bytes),
        cmocka_unit_test(test_sum_squares),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
