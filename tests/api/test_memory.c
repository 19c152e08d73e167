/* Every allocation of load, tune, save, predict, evaluate and a session fails once: an error, no
 * leak, no crash, the model as it was. */
#include "rig.h"

#include "out_of_memory.h"

enum { ROWS = 20 };

typedef struct bench {
    const char *file;
    inarch_model *model;
    inarch_data *data;
    uint64_t hash;
} bench;

/* A failure leaves the model as it was. */
static void check_same(void *context, inarch_status status)
{
    bench *b = context;
    if (status != INARCH_OK)
        assert_true(hash_weights(b->model) == b->hash);
    b->hash = hash_weights(b->model);
}

/* Nested, shared, two inputs, regularisers, compile state and moments: much to read and write. */
static inarch_model *rich_model(void)
{
    inarch_error err;
    ia_model *child = rig_model("base"), *doc = rig_model("m");
    ia_ref x = rig_input(child, "input:4"), y;
    y = rig_put(child, "dense(5,tanh,name=p,kernel_regularizer=l1_l2(0.01,0.02))", x);
    y = rig_put(child, "batchnorm(name=q)", y);
    rig_ports(child, &x, 1, &y, 1);
    ia_ref in[] = {rig_input(doc, "input:4"), rig_input(doc, "input:4")};
    ia_layer *base = rig_nested(doc, child, "base");
    ia_ref l = rig_call(doc, base, &in[0], 1), r = rig_call(doc, base, &in[1], 1);
    y = rig_put(doc, "dropout:0.2", rig_join(doc, "concatenate", l, r));
    y = rig_put(doc, "dense(3,softmax,kernel_constraint=max_norm(2))", y);
    rig_ports(doc, in, 2, &y, 1);
    inarch_model *m = rig_finish(doc, 2);
    assert_ok(inarch_meta_set(m, "classes", "[\"a\",\"b\",\"c\"]", &err), err);
    inarch_data *d = rig_rows(m, ROWS, 1);
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    fit.threads = 1;
    assert_ok(inarch_fit(m, d, &fit, NULL, &err), err);
    inarch_data_free(d);
    return m;
}

static inarch_status do_load(void *context, inarch_error *err)
{
    const bench *b = context;
    inarch_model *m = NULL;
    inarch_status status = inarch_load(b->file, NULL, &m, err);
    assert_true((m != NULL) == (status == INARCH_OK));
    inarch_free(m);
    return status;
}

static inarch_status do_save(void *context, inarch_error *err)
{
    const bench *b = context;
    return inarch_save(b->model, b->file, NULL, err);
}

static inarch_status do_tune(void *context, inarch_error *err)
{
    const bench *b = context;
    inarch_model *m;
    inarch_history *history = NULL;
    IA_TRY(inarch_clone(b->model, &m, err));
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    fit.threads = 1;
    fit.val_split = 0.25;
    fit.metrics = "accuracy,auc";
    fit.optimizer = "adam";
    inarch_status status = inarch_freeze(m, "base", err);
    if (status == INARCH_OK)
        status = inarch_head(m, 3, 0, err);
    if (status == INARCH_OK)
        status = inarch_fit(m, b->data, &fit, &history, err);
    assert_true((history != NULL) == (status == INARCH_OK));
    inarch_history_free(history);
    inarch_free(m);
    return status;
}

/* Fits the model itself: a failure leaves it alone. */
static inarch_status do_fit(void *context, inarch_error *err)
{
    const bench *b = context;
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    fit.threads = 1;
    fit.epochs = 2;
    fit.early_stopping = 1;
    fit.patience = 3;
    fit.l2_sp = 0.01;
    fit.validation = b->data;
    fit.class_weight = "balanced";
    fit.checkpoint = rig_path("oom.ckpt");
    remove(fit.checkpoint);
    return inarch_fit(b->model, b->data, &fit, NULL, err);
}

static inarch_status do_predict(void *context, inarch_error *err)
{
    const bench *b = context;
    float p[ROWS * 3];
    inarch_run_options o = INARCH_RUN_OPTIONS;
    o.threads = 2;
    IA_TRY(inarch_predict(b->model, b->data, 0, &o, p, IA_COUNT(p), err));
    o.threads = 1;
    float f[ROWS * 5];
    IA_TRY(inarch_features(b->model, b->data, "base/p", &o, f, IA_COUNT(f), err));
    IA_TRY(inarch_predict_file(b->model, b->data, NULL, &o, rig_path("p.npz"), err));
    IA_TRY(inarch_predict_file(b->model, b->data, NULL, &o, rig_path("p.npy"), err));
    return inarch_predict_file(b->model, b->data, NULL, &o, rig_path("p.csv"), err);
}

static inarch_status do_evaluate(void *context, inarch_error *err)
{
    const bench *b = context;
    inarch_history *history = NULL;
    inarch_run_options o = INARCH_RUN_OPTIONS;
    o.threads = 1;
    o.metrics = "accuracy,precision,auc";
    inarch_status status = inarch_evaluate(b->model, b->data, &o, &history, err);
    assert_true((history != NULL) == (status == INARCH_OK));
    inarch_history_free(history);
    return status;
}

static inarch_status do_session(void *context, inarch_error *err)
{
    bench *b = context;
    inarch_session *s = NULL;
    inarch_session_options o = INARCH_SESSION_OPTIONS;
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    fit.loss = "categorical_crossentropy";
    fit.optimizer = "adam";
    o.training = 1;
    o.fit = &fit;
    IA_TRY(inarch_session_new(b->model, &o, &s, err));
    float x[4] = {1, 2, 3, 4}, y[3] = {0, 1, 0};
    const float *in[] = {x, x}, *target = y;
    inarch_status status = inarch_session_step(s, 1, in, &target, NULL, err);
    if (status == INARCH_OK)
        status = inarch_session_publish(s, err);
    inarch_session_free(s);
    return status;
}

static inarch_status do_data(void *context, inarch_error *err)
{
    inarch_data *d, *a = NULL, *c = NULL;
    inarch_data_info info = {.size = sizeof info};
    inarch_data_options o = INARCH_DATA_OPTIONS;
    (void)context;
    o.labels = "kind";
    IA_TRY(inarch_data_open(rig_path("t.csv"), &o, NULL, &d, err));
    inarch_status status = inarch_data_get_info(d, &info, err);
    if (status == INARCH_OK)
        status = inarch_data_split(d, 0.3, &a, &c, err);
    inarch_data_free(a);
    inarch_data_free(c);
    inarch_data_free(d);
    return status;
}

static inarch_status do_looks(void *context, inarch_error *err)
{
    const bench *b = context;
    inarch_info info = {.size = sizeof info};
    inarch_fit_plan plan = {.size = sizeof plan};
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    inarch_model *copy;
    const char *json;
    IA_TRY(inarch_clone(b->model, &copy, err)); /* has no view yet */
    inarch_status status = inarch_model_info(copy, &info, err);
    if (status == INARCH_OK)
        status = inarch_meta_get(copy, "classes", &json, err);
    if (status == INARCH_OK)
        status = inarch_fit_describe(copy, b->data, &fit, &plan, err);
    inarch_free(copy);
    return status;
}

static void write_table(const char *path)
{
    FILE *f = fopen(path, "w");
    fputs("a,b,kind\n", f);
    for (int i = 0; i < 12; i++)
        fprintf(f, "%d,%g,%s\n", i, i * 0.5, i % 3 ? "cat" : "dog");
    fclose(f);
}

static void test_everything(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        starved_work *work;
        int changes;
    } all[] = {
        {"load", do_load, 0},       {"save", do_save, 0},         {"tune", do_tune, 0},
        {"predict", do_predict, 0}, {"evaluate", do_evaluate, 0}, {"data", do_data, 0},
        {"looks", do_looks, 0},     {"fit", do_fit, 1},           {"session", do_session, 1}};
    inarch_error err;
    char file[160];
    bench b = {.file = file, .model = rich_model()};
    b.data = rig_rows(b.model, ROWS, 1);
    snprintf(file, sizeof file, "%s", rig_path("oom.h5"));
    write_table(rig_path("t.csv"));
    assert_ok(inarch_save(b.model, file, NULL, &err), err);
    for (size_t i = 0; i < IA_COUNT(all); i++) {
        uint64_t before = b.hash = hash_weights(b.model);
        size_t n = starve(all[i].work, check_same, &b, 1);
        print_message("%s: %zu allocations\n", all[i].name, n);
        assert_int_equal(hash_weights(b.model) == before, !all[i].changes);
    }
    inarch_data_free(b.data);
    inarch_free(b.model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_everything)};
    return cmocka_run_group_tests(tests, NULL, rig_folder_remove);
}
