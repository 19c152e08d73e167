/* A const model and const data may be used by any number of threads at once, each of them looking,
 * predicting, evaluating, saving, cloning and training a clone: all get the answers of one thread
 * alone. Run it under TSan, too. */
#include "rig.h"

#include <pthread.h>

enum { THREADS = 6, ROUNDS = 4, ROWS = 40 };

typedef struct answers {
    uint64_t looks, predictions, evaluation, weights, file;
} answers;

typedef struct job {
    const inarch_model *model;
    const inarch_data *data;
    char path[200];
    int failures; /* cmocka's asserts are not for other threads */
    answers got;
} job;

#define TRY(j, call) ((j)->failures += (call) != INARCH_OK)

static void look(job *j)
{
    inarch_info info = {.size = sizeof info};
    inarch_layer layer = {.size = sizeof layer};
    inarch_port port = {.size = sizeof port};
    uint64_t h = HASH_START;
    TRY(j, inarch_model_info(j->model, &info, NULL));
    for (size_t i = 0; i < info.all_layers; i++) {
        TRY(j, inarch_model_layer(j->model, i, &layer, NULL));
        h = hash_bytes(h, layer.path, strlen(layer.path));
    }
    TRY(j, inarch_model_port(j->model, INARCH_OUTPUT, 0, &port, NULL));
    h = hash_bytes(h, port.name, strlen(port.name));
    h = hash_bytes(h, inarch_name_at(j->model, "classes", 1), 3);
    j->got.looks = h ^ hash_weights(j->model);
}

static void predict_all(job *j)
{
    float p[ROWS * 3], f[ROWS * 6];
    inarch_run_options o = INARCH_RUN_OPTIONS;
    o.threads = 2;
    TRY(j, inarch_predict(j->model, j->data, 0, &o, p, ROWS * 3, NULL));
    TRY(j, inarch_features(j->model, j->data, "base", NULL, f, ROWS * 6, NULL));
    j->got.predictions = hash_bytes(hash_bytes(HASH_START, p, sizeof p), f, sizeof f);
}

static void evaluate(job *j)
{
    inarch_history *h = NULL;
    inarch_run_options o = INARCH_RUN_OPTIONS;
    o.metrics = "accuracy,auc";
    TRY(j, inarch_evaluate(j->model, j->data, &o, &h, NULL));
    j->got.evaluation = h ? hash_history(h) : 0;
    inarch_history_free(h);
}

static void train_clone(job *j)
{
    inarch_model *copy = NULL;
    inarch_data *a = NULL, *b = NULL;
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    TRY(j, inarch_clone(j->model, &copy, NULL));
    TRY(j, inarch_data_split(j->data, 0.25, &a, &b, NULL));
    TRY(j, inarch_freeze(copy, "base", NULL));
    fit.validation = b;
    fit.threads = 2;
    TRY(j, inarch_fit(copy, a, &fit, NULL, NULL));
    j->got.weights = hash_weights(copy);
    inarch_data_free(a);
    inarch_data_free(b);
    inarch_free(copy);
}

static void save(job *j)
{
    uint8_t block[4096];
    size_t n;
    uint64_t h = HASH_START;
    TRY(j, inarch_save(j->model, j->path, NULL, NULL));
    FILE *f = fopen(j->path, "rb");
    while (f && (n = fread(block, 1, sizeof block, f)) > 0)
        h = hash_bytes(h, block, n);
    if (f)
        fclose(f);
    j->got.file = h;
}

static void *work(void *context)
{
    static void (*const all[])(job *) = {look, predict_all, evaluate, train_clone, save};
    job *j = context;
    size_t first = (size_t)j->path[strlen(j->path) - 4]; /* each starts with another one */
    for (size_t i = 0; i < ROUNDS * IA_COUNT(all); i++)
        all[(first + i) % IA_COUNT(all)](j);
    return NULL;
}

static inarch_model *make_model(void)
{
    inarch_error err;
    ia_model *child = rig_model("base"), *doc = rig_model("m");
    ia_ref x = rig_input(child, "input:4"), y = rig_put(child, "dense(6,tanh)", x);
    y = rig_put(child, "batchnorm", y);
    rig_ports(child, &x, 1, &y, 1);
    x = rig_input(doc, "input:4");
    y = rig_call(doc, rig_nested(doc, child, "base"), &x, 1);
    y = rig_put(doc, "dense(3,softmax,kernel_regularizer=l2(0.01))",
                rig_put(doc, "dropout:0.1", y));
    rig_ports(doc, &x, 1, &y, 1);
    inarch_model *m = rig_finish(doc, 2), *back;
    inarch_data *d = rig_rows(m, ROWS, 3);
    assert_ok(inarch_meta_set(m, "classes", "[\"one\",\"two\",\"six\"]", &err), err);
    inarch_data_free(d);
    back = rig_reload(m, "shared.h5"); /* with all that a file brings along */
    inarch_free(m);
    return back;
}

static void test_one_model(void **state)
{
    (void)state;
    inarch_model *m = make_model(), *alone = make_model();
    inarch_data *d = rig_rows(m, ROWS, 3);
    pthread_t thread[THREADS];
    job jobs[THREADS], one = {.model = alone, .data = d};
    snprintf(one.path, sizeof one.path, "%s/0.h5", rig_folder);
    work(&one);
    assert_int_equal(one.failures, 0);
    for (int i = 0; i < THREADS; i++) {
        jobs[i] = (job){.model = m, .data = d};
        snprintf(jobs[i].path, sizeof jobs[i].path, "%s/%d.h5", rig_folder, i + 1);
        assert_int_equal(pthread_create(&thread[i], NULL, work, &jobs[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(jobs[i].failures, 0);
        assert_memory_equal(&jobs[i].got, &one.got, sizeof one.got);
    }
    inarch_data_free(d);
    inarch_free(m);
    inarch_free(alone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_one_model)};
    return cmocka_run_group_tests(tests, NULL, rig_folder_remove);
}
