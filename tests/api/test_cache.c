/* The cached prefix serves the right rows and is never stale: on random graphs, the bytes of all
 * weights, moments, history and predictions are the same with the cache in memory, in a file, and
 * without one. */
#include "random_graph.h"

#include <math.h>

enum { GRAPHS = 60, ROWS = 41 };

/* ---- the comparison ---- */

typedef struct seen {
    size_t cached, in_file, several; /* graphs with a prefix, in a file, with a frontier of many */
} seen;

static uint64_t hash_fit(const inarch_model *m, const inarch_data *d, const inarch_fit_options *fit)
{
    inarch_error err;
    inarch_history *history;
    static float p[ROWS * 3];
    inarch_model *copy = rig_clone(m);
    assert_ok(inarch_fit(copy, d, fit, &history, &err), err);
    uint64_t h = hash_weights(copy) ^ hash_slots(copy) ^ hash_history(history);
    assert_true(isfinite(inarch_history_get(history, -1, "loss")));
    assert_ok(inarch_predict(copy, d, 0, NULL, p, IA_COUNT(p), &err), err);
    h = hash_bytes(h, p, sizeof p);
    inarch_history_free(history);
    inarch_free(copy);
    return h;
}

static void compare(uint32_t seed, seen *s)
{
    inarch_error err;
    inarch_model *m = random_model(seed);
    inarch_data *d = rig_rows(m, ROWS, seed), *other = rig_rows(m, 17, seed + 1000);
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    inarch_fit_plan plan = {.size = sizeof plan};
    fit.epochs = 3;
    fit.batch_size = 7;
    fit.seed = seed;
    fit.threads = 1 + (int32_t)(seed % 2);
    fit.optimizer = "adam(learning_rate=0.05)";
    fit.early_stopping = seed % 3 == 0; /* epoch 0 is evaluated too */
    fit.patience = 5;
    fit.frozen_dropout = seed % 5 == 0 ? "off" : "on";
    if (seed % 4 == 1)
        fit.val_split = 0.25;
    else if (seed % 4 == 2)
        fit.validation = other;
    else if (seed % 4 == 3)
        fit.validation = d; /* every row is asked for twice */

    fit.no_cache = 1;
    uint64_t plain = hash_fit(m, d, &fit);
    fit.no_cache = 0;
    assert_ok(inarch_fit_describe(m, d, &fit, &plan, &err), err);
    s->cached += plan.cache_bytes > 0;
    s->several += plan.cache_bytes > ROWS * RANDOM_WIDTH * sizeof(float);
    if (hash_fit(m, d, &fit) != plain)
        fail_msg("graph %u: the cache in memory changes the result", seed);
    fit.memory = 1;
    assert_ok(inarch_fit_describe(m, d, &fit, &plan, &err), err);
    s->in_file += plan.cache_bytes > 0 && !plan.cache_in_memory;
    if (hash_fit(m, d, &fit) != plain)
        fail_msg("graph %u: the cache in a file changes the result", seed);
    inarch_data_free(other);
    inarch_data_free(d);
    inarch_free(m);
}

static void test_random_graphs(void **state)
{
    (void)state;
    seen s = {0};
    for (uint32_t seed = 0; seed < GRAPHS; seed++)
        compare(seed, &s);
    print_message("%d graphs, %zu cached, %zu in a file, %zu with several frontier values\n",
                  GRAPHS, s.cached, s.in_file, s.several);
    assert_true(s.cached > GRAPHS / 4 && s.in_file == s.cached && s.several > 4);
}

/* Rows that occur several times in a selection share their slot. */
static void test_selected_rows(void **state)
{
    (void)state;
    inarch_error err;
    static const uint64_t rows[] = {40, 3, 3, 7, 0, 40, 12, 3, 25, 25, 24};
    inarch_model *m = rig_new("input:6,dense(6,tanh,name=f),dense:3:softmax");
    assert_ok(inarch_freeze(m, "f", &err), err);
    inarch_data *all = rig_rows(m, ROWS, 1), *d;
    assert_ok(inarch_data_select(all, rows, IA_COUNT(rows), &d, &err), err);
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    fit.epochs = 2;
    fit.batch_size = 4;
    fit.loss = "sparse_categorical_crossentropy";
    fit.no_cache = 1;
    uint64_t plain = hash_fit(m, all, &fit), some;
    inarch_model *a = rig_clone(m), *b = rig_clone(m);
    assert_ok(inarch_fit(a, d, &fit, NULL, &err), err);
    fit.no_cache = 0;
    assert_ok(inarch_fit(b, d, &fit, NULL, &err), err);
    some = hash_weights(a);
    assert_true(some == hash_weights(b));
    assert_true(plain == hash_fit(m, all, &fit));
    inarch_free(a);
    inarch_free(b);
    inarch_data_free(d);
    inarch_data_free(all);
    inarch_free(m);
}

/* A second fit after an edit below does not see the first one's features. */
static void test_not_stale(void **state)
{
    (void)state;
    inarch_error err;
    inarch_model *m = rig_new("input:6,dense(6,tanh,name=a),dense(6,tanh,name=b),dense:3:softmax");
    inarch_data *d = rig_rows(m, ROWS, 1);
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    uint64_t hash[2];
    for (int cached = 0; cached < 2; cached++) {
        inarch_model *copy = rig_clone(m);
        fit.no_cache = !cached;
        assert_ok(inarch_freeze(copy, "a,b", &err), err);
        assert_ok(inarch_fit(copy, d, &fit, NULL, &err), err);
        assert_ok(inarch_unfreeze(copy, "*", &err), err);
        assert_ok(inarch_fit(copy, d, &fit, NULL, &err), err);
        assert_ok(inarch_freeze(copy, "a", &err), err);
        assert_ok(inarch_fit(copy, d, &fit, NULL, &err), err);
        hash[cached] = hash_weights(copy);
        inarch_free(copy);
    }
    assert_true(hash[0] == hash[1]);
    inarch_data_free(d);
    inarch_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_graphs),
        cmocka_unit_test(test_selected_rows),
        cmocka_unit_test(test_not_stale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
