/* What a run leaves behind: the epoch whose weights the model has, the compile state, the rate that
 * a later run starts from, messages of divergence, and checkpoints that somebody has changed. */
#include "test.h"
#include "base/scratch.h"
#include "train/rig.h"

#include "train/checkpoint.h"

#include <unistd.h>

#define ARCH "input:6,dense(8,tanh,name=a),dense(8,tanh,name=b),dense(1,sigmoid,name=c)"

static inarch_error err;

static ia_fit_options defaults(void)
{
    ia_fit_options o = ia_fit_defaults();
    o.epochs = 3;
    o.batch_size = 8;
    o.seed = 4;
    return o;
}

static ia_history *fit(ia_model *m, const ia_data *d, const ia_fit_options *o)
{
    ia_history *h = NULL;
    assert_ok(ia_fit(m, d, o, &h, &err), err);
    return h;
}

/* ---- which epoch ---- */

static int stop_at(void *context, const ia_event *e)
{
    const ia_event *want = context;
    bool hit = e->kind == want->kind && e->epoch == want->epoch && e->batch == want->batch;
    return hit ? IA_STOP : IA_CONTINUE;
}

static void the_epoch_of_the_weights_is_known(void **state)
{
    (void)state;
    ia_data *d = rig_data(40, 6, RIG_BINARY); /* 5 batches */
    struct {
        ia_event stop;
        size_t epoch;
        const char *note;
    } cases[] = {
        {{.epoch = 99}, 3, ""},
        {{.kind = IA_EVENT_BATCH, .epoch = 2, .batch = 3}, 2, "stopped on request in epoch 2"},
        {{.kind = IA_EVENT_EPOCH, .epoch = 2, .batch = 5}, 2, "stopped on request after epoch 2"}};
    for (size_t i = 0; i < IA_COUNT(cases); i++) {
        ia_model *m = rig_model(ARCH);
        ia_fit_options o = defaults();
        o.event = stop_at;
        o.context = &cases[i].stop;
        ia_history *h = fit(m, d, &o);
        assert_int_equal(h->best_epoch, cases[i].epoch);
        assert_string_equal(h->note, cases[i].note);
        ia_history_free(h);
        ia_model_free(m);
    }
    ia_data_free(d);
}

/* The room of a history grows with the epochs that are run. */
static void a_run_without_end_can_be_asked_for(void **state)
{
    (void)state;
    ia_data *d = rig_data(40, 6, RIG_BINARY);
    ia_model *m = rig_model(ARCH);
    ia_fit_options o = defaults();
    ia_event stop = {.kind = IA_EVENT_EPOCH, .epoch = 40, .batch = 5};
    o.epochs = SIZE_MAX / 2;
    o.event = stop_at;
    o.context = &stop;
    ia_history *h = fit(m, d, &o);
    assert_int_equal(h->rows, 40);
    assert_int_equal(h->epoch[39], 40);
    ia_history_free(h);
    ia_model_free(m);
    ia_data_free(d);
}

/* ---- monitors ---- */

/* The second AUC of a run is the column auc_1; larger is better for it too. */
static void a_numbered_metric_keeps_its_direction(void **state)
{
    (void)state;
    ia_data *d = rig_data(60, 6, RIG_BINARY);
    ia_model *m = rig_model(ARCH);
    ia_fit_options o = defaults();
    o.epochs = 8;
    o.metrics = "auc,auc(curve=pr)";
    o.validation_split = 0.4;
    o.early_stopping = 1;
    o.patience = 8;
    o.monitor = "val_auc_1";
    o.learning_rate = 0.05;
    ia_history *h = fit(m, d, &o);
    double first = ia_history_get(h, 0, o.monitor), most = first, least = first;
    for (size_t r = 0; r < h->rows; r++) {
        most = fmax(most, ia_history_get(h, r, o.monitor));
        least = fmin(least, ia_history_get(h, r, o.monitor));
    }
    assert_true(most > least);
    for (size_t r = 0; r < h->rows; r++)
        if (h->epoch[r] == h->best_epoch)
            assert_near(ia_history_get(h, r, o.monitor), most, 0);
    ia_history_free(h);
    ia_model_free(m);
    ia_data_free(d);
}

/* ---- the compile state ---- */

static const json_t *saved_rate(const ia_model *m)
{
    return json_object_get(json_object_get(m->compile.optimizer, "config"), "learning_rate");
}

static void check_saved(const char *schedule, double rate, const char *key, double value)
{
    ia_data *d = rig_data(40, 6, RIG_BINARY);
    ia_model *m = rig_model(ARCH);
    ia_fit_options o = defaults();
    double number;
    o.schedule = schedule;
    o.optimizer = "sgd(learning_rate=0.5)";
    ia_history_free(fit(m, d, &o));
    const json_t *at = saved_rate(m);
    if (key)
        at = json_object_get(json_object_get(at, "config"), key);
    assert_true(ia_json_number(at, &number));
    assert_near(number, key ? value : rate, 1e-12);
    ia_model_free(m);
    ia_data_free(d);
}

/* Keras goes on from the file: a schedule's steps are those of the run, and what Keras' callbacks
 * would have left in the optimizer is there. */
static void schedules_are_saved_as_they_ran(void **state)
{
    (void)state;
    check_saved("cosine", 0, "decay_steps", 15); /* 3 epochs of 5 steps */
    check_saved("cosine(warmup=4)", 0, "decay_steps", 11);
    check_saved("exponential", 0, "decay_steps", 5);
    check_saved("exponential(decay_steps=7)", 0, "decay_steps", 7);
    check_saved("step(every=2,factor=0.1)", 0.05, NULL, 0); /* of the third epoch */
    check_saved("plateau(patience=0,factor=0.5,min_delta=10)", 0.125, NULL, 0);
    check_saved("constant", 0.5, NULL, 0);
}

/* ---- divergence ---- */

static void divergence_says_what_broke(void **state)
{
    (void)state;
    ia_data *d = rig_data(40, 6, RIG_NUMBERS);
    ia_model *m = rig_model("input:6,dense(2,name=a)");
    ia_fit_options o = defaults();
    o.batch_size = 40; /* one step an epoch: the loss is finite, then the weights are not */
    o.optimizer = "sgd(learning_rate=1e6)";
    o.loss = "mse";
    float *w = ia_array_mutable(&ia_model_layer(m, "a")->variables[0].value);
    for (size_t i = 0; i < 12; i++)
        w[i] = i % 2 ? -1e34f : 1e34f;
    ia_history *h = NULL;
    assert_int_equal(ia_fit(m, d, &o, &h, &err), INARCH_DIVERGED);
    assert_true(strncmp(err.message,
                        "weights of 'a/kernel' became infinite in epoch 1, batch 1 (learning",
                        67) == 0);
    assert_int_equal(h->best_epoch, 0);
    assert_int_equal(m->step, 0);
    assert_null(m->compile.optimizer);
    ia_history_free(h);
    ia_model_free(m);

    /* Later: steps and compile state are those of the weights that are left; moments start anew. */
    m = rig_model("input:6,dense(2,name=a)");
    o.epochs = 50;
    h = NULL;
    assert_int_equal(ia_fit(m, d, &o, &h, &err), INARCH_DIVERGED);
    assert_true(strncmp(err.message, "loss became infinite in epoch ", 30) == 0 ||
                strncmp(err.message, "weights of 'a/", 14) == 0);
    assert_true(h->rows > 0 && h->best_epoch == h->rows);
    assert_int_equal(m->step, h->rows);
    assert_int_equal(ia_model_layer(m, "a")->variables[0].slots.step, 0);
    assert_non_null(m->compile.optimizer);
    ia_history_free(h);
    ia_model_free(m);
    ia_data_free(d);
}

/* ---- checkpoints ---- */

/* The model that a run without the first (or second) layer starts from. */
static ia_model *frozen(const char *name)
{
    ia_model *m = rig_model(ARCH);
    ia_model_layer(m, name)->trainable = false;
    return m;
}

static void refused(ia_model *m, const ia_data *d, const ia_fit_options *o, const char *why)
{
    uint64_t before = rig_hash(m, true);
    inarch_status status = ia_fit(m, d, o, NULL, &err);
    assert_true(status == INARCH_BAD_ARGUMENT || status == INARCH_BAD_FILE);
    if (!strstr(err.message, why))
        fail_msg("'%s' does not say '%s'", err.message, why);
    assert_true(rig_hash(m, true) == before);
}

static void what_a_run_depends_on_is_compared(void **state)
{
    (void)state;
    char path[1024];
    ia_data *d = rig_data(200, 6, RIG_BINARY), *train, *odd;
    ia_array weights = rig_array(200, 1);
    snprintf(path, sizeof path, "%s", scratch("other.ck"));
    unlink(path);
    ia_fit_options o = defaults();
    o.epochs = 1;
    o.checkpoint = path;
    ia_model *m = frozen("a");
    ia_history_free(fit(m, d, &o));
    ia_model_free(m);
    o.epochs = 2;

    m = frozen("b"); /* layers of one shape: nothing else tells them apart */
    refused(m, d, &o, "its model differs");
    ia_model_free(m);
    m = frozen("a");
    ia_model_layer(m, "b")->learning_rate = 0.5f;
    refused(m, d, &o, "its model differs");
    ia_model_free(m);

    m = frozen("a");
    uint64_t rows[200];
    for (size_t i = 0; i < 200; i++)
        rows[i] = i < 199 ? i : 0; /* another last row */
    assert_ok(ia_data_select(d, rows, 200, &odd, &err), err);
    refused(m, odd, &o, "its data differs");
    ia_data_free(odd);
    for (size_t i = 0; i < 200; i++)
        ((float *)ia_array_mutable(&weights))[i] = (float)(i % 3);
    assert_ok(ia_data_slice(d, 0, 200, &train, &err), err);
    assert_ok(ia_data_set_weights(train, &weights, &err), err);
    refused(m, train, &o, "its data differs");
    ia_data_free(train);
    o.class_weight = "1,2";
    refused(m, d, &o, "its class weights differs");
    o.class_weight = NULL;
    o.early_stopping = 1;
    refused(m, d, &o, "its monitor differs");
    o.early_stopping = 0;
    ia_history_free(fit(m, d, &o));
    ia_model_free(m);
    ia_array_release(&weights);
    ia_data_free(d);
    unlink(path);
}

/* A history of more rows than the run has room for, behind a good checksum. */
static void a_checkpoint_that_contradicts_itself_is_refused(void **state)
{
    (void)state;
    char path[1024];
    bool found;
    ia_checkpoint c;
    ia_data *d = rig_data(40, 6, RIG_BINARY);
    snprintf(path, sizeof path, "%s", scratch("odd.ck"));
    unlink(path);
    ia_fit_options o = defaults();
    o.checkpoint = path;
    ia_model *m = rig_model(ARCH);
    ia_history_free(fit(m, d, &o));
    ia_model_free(m);
    assert_ok(ia_checkpoint_read(path, &c, &found, &err), err);
    assert_true(found);
    assert_int_equal(json_object_set_new(c.state, "epoch", json_integer(0)), 0);
    assert_ok(ia_checkpoint_write(&c, path, &err), err);
    ia_checkpoint_free(&c);
    m = rig_model(ARCH);
    refused(m, d, &o, "does not fit the run");
    ia_model_free(m);
    ia_data_free(d);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_epoch_of_the_weights_is_known),
        cmocka_unit_test(a_run_without_end_can_be_asked_for),
        cmocka_unit_test(a_numbered_metric_keeps_its_direction),
        cmocka_unit_test(schedules_are_saved_as_they_ran),
        cmocka_unit_test(divergence_says_what_broke),
        cmocka_unit_test(what_a_run_depends_on_is_compared),
        cmocka_unit_test(a_checkpoint_that_contradicts_itself_is_refused),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
