/* Frozen is frozen: while a fit runs, the pages of every frozen weight are mapped read-only, so
 * that even a write of the same value would end the program; afterwards the model still holds the
 * very buffers it held before. All weights here are some pages long. */
#include "rig.h"

#include <sys/mman.h>

enum { WIDE = 4096, ROWS = 24 };

/* ---- read-only pages ---- */

typedef struct guard {
    char path[160];
    const float *data;
    size_t count;
    uint64_t hash;
} guard;

/* The whole pages inside an array. */
static size_t inner_pages(const guard *g, void **start)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t from = ((uintptr_t)g->data + page - 1) / page * page;
    uintptr_t to = (uintptr_t)(g->data + g->count) / page * page;
    *start = (void *)from;
    return to > from ? to - from : 0;
}

static void protect(const guard *g, size_t n, int how)
{
    for (size_t i = 0; i < n; i++) {
        void *start;
        size_t bytes = inner_pages(&g[i], &start);
        assert_true(bytes > 0);
        assert_int_equal(mprotect(start, bytes, how), 0);
    }
}

typedef struct frozen_paths {
    guard *list;
    size_t count;
} frozen_paths;

static inarch_status collect_frozen(void *context, const ia_model *m, ia_layer *l, const char *path,
                                    bool trainable, inarch_error *err)
{
    frozen_paths *f = context;
    (void)m, (void)err;
    for (size_t v = 0; !trainable && v < l->variable_count; v++) {
        guard *g = &f->list[f->count++];
        assert_true(f->count <= 64);
        snprintf(g->path, sizeof g->path, "%s/%s", path, l->variables[v].name);
        g->data = ia_array_data(&l->variables[v].value);
        g->count = ia_array_count(&l->variables[v].value);
        g->hash = hash_bytes(HASH_START, g->data, g->count * sizeof(float));
    }
    return INARCH_OK;
}

/* Fits with the frozen weights read-only; the live ones must move. */
static void fit_guarded(inarch_model *m, inarch_fit_options *fit)
{
    inarch_error err;
    guard g[64];
    frozen_paths f = {g, 0};
    inarch_data *d = rig_rows(m, ROWS, 5);
    uint64_t before = hash_weights(m);
    assert_int_equal(ia_model_walk(m->doc, collect_frozen, &f, NULL), INARCH_OK);
    assert_true(f.count > 0);
    fit->batch_size = 7;
    fit->threads = 2;
    protect(g, f.count, PROT_READ);
    inarch_status status = inarch_fit(m, d, fit, NULL, &err);
    protect(g, f.count, PROT_READ | PROT_WRITE);
    assert_ok(status, err);
    assert_true(hash_weights(m) != before);
    for (size_t i = 0; i < f.count; i++) {
        inarch_weight w = {.size = sizeof w};
        assert_ok(inarch_weight_get(m, g[i].path, &w, &err), err);
        assert_ptr_equal(w.data, g[i].data); /* not a copy: the buffer itself */
        assert_true(hash_bytes(HASH_START, w.data, w.count * sizeof(float)) == g[i].hash);
        assert_int_equal(w.step, 0);
    }
    inarch_data_free(d);
}

/* ---- models ---- */

/* Everything that could touch a weight without a gradient: decay, penalties, constraints,
 * statistics. */
static void test_sequential(void **state)
{
    (void)state;
    static const char *const optimizers[] = {"adam",
                                             "adamw(weight_decay=0.1)",
                                             "sgd(momentum=0.9,nesterov=true)",
                                             "adagrad",
                                             "adadelta",
                                             "adamax",
                                             "nadam",
                                             "rmsprop(momentum=0.5,centered=1)",
                                             "adam(clipnorm=0.1)",
                                             "sgd(global_clipnorm=0.1,weight_decay=0.01)"};
    for (size_t i = 0; i < IA_COUNT(optimizers); i++) {
        inarch_error err;
        inarch_model *m =
            rig_new("input:3,"
                    "dense(4096,relu,name=f1,kernel_regularizer=l1(0.1),bias_regularizer=l2(0.1),"
                    "kernel_constraint=unit_norm,activity_regularizer=l2(0.1)),"
                    "batchnorm(name=f2,gamma_regularizer=l2(0.1)),"
                    "dropout:0.3,"
                    "layernorm(name=f3),"
                    "prelu(name=f4,alpha_constraint=non_neg),"
                    "dense(4,tanh),"
                    "dense(3,softmax)");
        assert_ok(inarch_freeze(m, "f*", &err), err);
        inarch_fit_options fit = INARCH_FIT_OPTIONS;
        fit.optimizer = optimizers[i];
        fit.epochs = 2;
        fit.l2_sp = 0.1;
        fit.l2_sp_new = 0.1;
        fit_guarded(m, &fit);
        inarch_free(m);
    }
}

/* A live layer below a frozen one: gradients pass through, nothing else does. */
static void test_frozen_above_live(void **state)
{
    (void)state;
    inarch_error err;
    inarch_model *m = rig_new("input:3,dense(4096,tanh,name=live),batchnorm(name=f1),"
                              "layernorm(name=f2),prelu(name=f3),dense(2,softmax,name=f4)");
    assert_ok(inarch_freeze(m, "f1,f2,f3", &err), err);
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    fit_guarded(m, &fit);
    inarch_free(m);
}

/* A frozen model inside, called twice, with one layer inside it live again. */
static void test_nested_and_shared(void **state)
{
    (void)state;
    inarch_error err;
    ia_model *child = rig_model("base");
    ia_ref x = rig_input(child, "input:2048"), y;
    y = rig_put(child, "dense(2,tanh,use_bias=false,name=a)", x);
    y = rig_put(child, "dense(2048,tanh,name=b)", y);
    y = rig_put(child, "batchnorm(name=c)", y);
    rig_ports(child, &x, 1, &y, 1);

    ia_model *doc = rig_model("m");
    ia_ref in[] = {rig_input(doc, "input:2048"), rig_input(doc, "input:2048")};
    ia_layer *base = rig_nested(doc, child, "base");
    ia_ref p = rig_call(doc, base, &in[0], 1), q = rig_call(doc, base, &in[1], 1);
    ia_ref out = rig_put(doc, "dense(1,sigmoid)", rig_join(doc, "add", p, q));
    rig_ports(doc, in, 2, &out, 1);
    inarch_model *m = rig_finish(doc, 2);
    assert_ok(inarch_freeze(m, "base", &err), err);
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    fit_guarded(m, &fit);

    assert_ok(inarch_unfreeze(m, "base/a", &err), err);
    fit_guarded(m, &fit); /* base/b and base/c are still read-only */
    inarch_weight w = {.size = sizeof w};
    assert_ok(inarch_weight_get(m, "base/a/kernel", &w, &err), err);
    assert_int_equal(w.step, 4);
    inarch_free(m);
}

/* The session, evaluation and prediction read frozen and live weights alike. */
static void test_other_readers(void **state)
{
    (void)state;
    inarch_error err;
    guard g[64];
    frozen_paths f = {g, 0};
    inarch_history *h;
    inarch_model *m = rig_new("input:3,dense(4096,relu),batchnorm,layernorm,dense(2,softmax)");
    assert_ok(inarch_freeze(m, "dense,b*,l*", &err), err);
    assert_int_equal(ia_model_walk(m->doc, collect_frozen, &f, NULL), INARCH_OK);
    inarch_data *d = rig_rows(m, ROWS, 5);
    float p[2 * ROWS], x[3] = {1, 2, 3}, y[2] = {0, 1};
    const float *xs = x, *ys = y;
    inarch_session_options o = INARCH_SESSION_OPTIONS;
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    inarch_session *s;
    fit.loss = "categorical_crossentropy";
    o.training = 1;
    o.fit = &fit;
    protect(g, f.count, PROT_READ);
    assert_ok(inarch_evaluate(m, d, NULL, &h, &err), err);
    assert_ok(inarch_predict(m, d, 0, NULL, p, 2 * ROWS, &err), err);
    assert_ok(inarch_session_new(m, &o, &s, &err), err);
    for (int i = 0; i < 3; i++)
        assert_ok(inarch_session_step(s, 1, &xs, &ys, NULL, &err), err);
    assert_ok(inarch_session_publish(s, &err), err);
    inarch_session_free(s);
    protect(g, f.count, PROT_READ | PROT_WRITE);
    inarch_history_free(h);
    inarch_data_free(d);
    inarch_free(m);
}

/* ---- weights bound by position ---- */

static uint64_t hash_of(const inarch_model *m, const char *path)
{
    inarch_error err;
    inarch_weight w = {.size = sizeof w};
    assert_ok(inarch_weight_get(m, path, &w, &err), err);
    return hash_bytes(HASH_START, w.data, w.count * sizeof(float));
}

static void check_same_by_name(const inarch_model *a, const inarch_model *b)
{
    inarch_weight w = {.size = sizeof w};
    size_t n = 0;
    for (; inarch_weight_at(a, n, &w, NULL) == INARCH_OK; n++)
        assert_true(hash_of(a, w.path) == hash_of(b, w.path));
    assert_int_equal(inarch_weight_at(b, n, &w, NULL), INARCH_NOT_FOUND);
}

/* Three equal Dense layers nested, each of them the frozen one in turn: Keras lists frozen weights
 * last, so whoever binds by position mixes them up. */
static void test_equal_layers(void **state)
{
    (void)state;
    static const char *const paths[] = {"base/a", "base/b", "base/c"};
    for (size_t frozen = 0; frozen < 3; frozen++) {
        inarch_error err;
        ia_model *child = rig_model("base"), *doc = rig_model("m");
        ia_ref x = rig_input(child, "input:6"), y = x;
        y = rig_put(child, "dense(6,tanh,name=a,kernel_initializer=glorot_normal)", y);
        y = rig_put(child, "dense(6,tanh,name=b)", y);
        y = rig_put(child, "dense(6,tanh,name=c)", y);
        rig_ports(child, &x, 1, &y, 1);
        x = rig_input(doc, "input:6");
        y = rig_call(doc, rig_nested(doc, child, "base"), &x, 1);
        y = rig_put(doc, "dense(6,tanh,name=a)", y);
        rig_ports(doc, &x, 1, &y, 1);
        inarch_model *m = rig_finish(doc, 2);
        assert_ok(inarch_freeze(m, paths[frozen], &err), err);
        inarch_model *back = rig_reload(m, "equal.h5");
        check_same_by_name(m, back);

        inarch_data *d = rig_rows(back, ROWS, 5);
        inarch_fit_options fit = INARCH_FIT_OPTIONS;
        fit.loss = "mse";
        assert_ok(inarch_fit(back, d, &fit, NULL, &err), err);
        for (size_t i = 0; i < 3; i++) {
            char kernel[32];
            snprintf(kernel, sizeof kernel, "%s/kernel", paths[i]);
            assert_int_equal(hash_of(back, kernel) == hash_of(m, kernel), i == frozen);
        }
        inarch_model *again = rig_reload(back, "again.h5");
        check_same_by_name(back, again);
        assert_true(hash_slots(back) == hash_slots(again));
        inarch_free(again);
        inarch_free(back);
        inarch_free(m);
        inarch_data_free(d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sequential),        cmocka_unit_test(test_frozen_above_live),
        cmocka_unit_test(test_nested_and_shared), cmocka_unit_test(test_other_readers),
        cmocka_unit_test(test_equal_layers),
    };
    return cmocka_run_group_tests(tests, NULL, rig_folder_remove);
}
