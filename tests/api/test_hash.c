/* One number for a whole training run: weights, moments, history and predictions are the same bytes
 * for every number of threads, every kernel set and every machine (tools/qemu.sh: AArch64 and older
 * x86). Nothing of the run comes from libm or from the C library's random numbers.
 *
 * A change of this number is a change of the numeric law, and so of the major version. */
#include "test.h"

#define RUN_HASH UINT64_C(0xf62fb5aff2fe6693)

enum { ROWS = 173, COLUMNS = 21, CLASSES = 5 };

static uint64_t hash_bytes(uint64_t h, const void *data, size_t n)
{
    const uint8_t *at = data; /* FNV-1a; every machine this runs on is little-endian */
    for (size_t i = 0; i < n; i++)
        h = (h ^ at[i]) * UINT64_C(0x100000001b3);
    return h;
}

/* Multiples of 2^-12 in [-2, 2). */
static float next_value(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (float)((int32_t)(*state >> 18) - 8192) / 4096.0f;
}

static inarch_data *make_rows(void)
{
    static float x[ROWS * COLUMNS], y[ROWS];
    inarch_error err;
    inarch_data *d;
    uint32_t state = 7;
    for (int r = 0; r < ROWS; r++) {
        float sum = 0;
        for (int c = 0; c < COLUMNS; c++) {
            x[r * COLUMNS + c] = next_value(&state);
            sum += c % 3 ? x[r * COLUMNS + c] : -x[r * COLUMNS + c];
        }
        y[r] = sum < -6 ? 0 : sum < -1 ? 1 : sum < 2 ? 2 : sum < 6 ? 3 : 4;
    }
    inarch_array in = {x, {1, {COLUMNS}}}, out = {y, {0, {0}}};
    assert_ok(inarch_data_arrays(ROWS, &in, 1, &out, 1, &d, &err), err);
    return d;
}

/* A frozen part whose features are cached, and on it most of what a step can do. */
static inarch_model *make_model(void)
{
    inarch_error err;
    inarch_model *m;
    assert_ok(inarch_new("input:21,"
                         "dense(48,tanh,name=frozen_1),"
                         "batchnorm(name=frozen_2),"
                         "dense(300,relu,kernel_regularizer=l2(0.001)),"
                         "batchnorm,"
                         "dropout:0.3,"
                         "dense(37,gelu,kernel_initializer=he_normal,"
                         "kernel_constraint=max_norm(2.5)),"
                         "layernorm,"
                         "dense(33,selu,bias_regularizer=l1(0.0001)),"
                         "gaussiannoise:0.1,"
                         "dense(20,softplus,kernel_initializer=orthogonal),"
                         "prelu,"
                         "dense(5,softmax)",
                         11, &m, &err),
              err);
    assert_ok(inarch_freeze(m, "frozen_*", &err), err);
    return m;
}

static uint64_t hash_weights(const inarch_model *m, uint64_t h)
{
    inarch_weight w = {.size = sizeof w};
    for (size_t i = 0; inarch_weight_at(m, i, &w, NULL) == INARCH_OK; i++) {
        h = hash_bytes(h, w.path, strlen(w.path));
        h = hash_bytes(h, w.data, w.count * sizeof(float));
    }
    return h;
}

static uint64_t hash_history(const inarch_history *history, uint64_t h)
{
    for (size_t r = 0; r < inarch_history_rows(history); r++)
        for (size_t c = 0; inarch_history_name(history, c); c++) {
            double v = inarch_history_get(history, (int64_t)r, inarch_history_name(history, c));
            if (v == v) /* the bits of a NaN mean nothing: epoch 0 has no training loss */
                h = hash_bytes(h, &v, sizeof v);
        }
    return h;
}

static uint64_t hash_predictions(const inarch_model *m, const inarch_data *d, uint64_t h)
{
    static float p[ROWS * CLASSES];
    inarch_error err;
    assert_ok(inarch_predict(m, d, 0, NULL, p, ROWS * CLASSES, &err), err);
    return hash_bytes(h, p, sizeof p);
}

static uint64_t hash_run(const char *cpu, int threads)
{
    static const char *const optimizers[] = {"adam(learning_rate=0.01)",
                                             "sgd(learning_rate=0.02,momentum=0.9,nesterov=true)"};
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    inarch_error err;
    inarch_history *history;
    inarch_data *d = make_rows();
    inarch_model *m = make_model();
    h = hash_weights(m, h); /* the initial ones: a run that differs from the start says so here */
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    fit.metrics = "accuracy";
    fit.epochs = 3;
    fit.batch_size = 29; /* leaves a last batch of 22 of the 138 training rows */
    fit.val_split = 0.2;
    fit.seed = 5;
    fit.class_weight = "balanced";
    fit.l2_sp = 0.0001;
    fit.threads = threads;
    fit.cpu = cpu;
    for (size_t i = 0; i < 2; i++) {
        fit.optimizer = optimizers[i];
        assert_ok(inarch_fit(m, d, &fit, &history, &err), err);
        h = hash_history(history, h);
        h = hash_weights(m, h);
        inarch_history_free(history);
    }
    h = hash_predictions(m, d, h);
    inarch_free(m);
    inarch_data_free(d);
    return h;
}

static void test_one_hash(void **state)
{
    (void)state;
    static const int threads[] = {1, 2, 3, 5, 8};
    const char *cpu, *help;
    for (size_t i = 0; inarch_list("cpu", i, &cpu, &help, NULL) == INARCH_OK; i++)
        for (size_t t = 0; t < sizeof threads / sizeof threads[0]; t++) {
            uint64_t h = hash_run(cpu, threads[t]);
            if (t == 0)
                print_message("%s: 0x%016llx\n", cpu, (unsigned long long)h);
            if (h != RUN_HASH)
                fail_msg("%s, %d threads: 0x%016llx", cpu, threads[t], (unsigned long long)h);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_one_hash)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
