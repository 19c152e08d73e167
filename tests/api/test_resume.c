/* Moments: a run that is aborted, or whose process dies, at any step goes on from its checkpoint to
 * the bytes of an uninterrupted one. Variables count their own steps: a head that comes late starts
 * as gently as one that was there from the start. */
#include "rig.h"

#include <math.h>
#include <signal.h>
#include <sys/wait.h>

enum { ROWS = 37, EPOCHS = 6 };

/* ---- interrupted and resumed ---- */

typedef struct interruption {
    int at;   /* the event that interrupts; -1: none */
    int seen; /* events so far */
    int dies; /* by SIGKILL, not by INARCH_ABORT */
} interruption;

static int32_t interrupt(void *context, const inarch_event *e)
{
    interruption *i = context;
    (void)e;
    if (i->seen++ != i->at)
        return INARCH_CONTINUE;
    if (i->dies)
        kill(getpid(), SIGKILL);
    return INARCH_ABORT;
}

typedef struct scenario {
    const char *name;
    const char *arch;
    inarch_fit_options fit;
} scenario;

static inarch_model *start(const scenario *s)
{
    inarch_error err;
    inarch_model *m = rig_new(s->arch);
    assert_ok(inarch_freeze(m, "frozen", &err), err);
    return m;
}

/* Everything that is left of a run: the saved file holds weights, moments and compile state. */
static uint64_t hash_result(const inarch_model *m, const inarch_history *history)
{
    inarch_error err;
    uint64_t h = hash_weights(m) ^ hash_slots(m) ^ hash_history(history);
    assert_ok(inarch_save(m, rig_path("result.h5"), NULL, &err), err);
    FILE *f = fopen(rig_path("result.h5"), "rb");
    uint8_t block[4096];
    size_t n;
    while ((n = fread(block, 1, sizeof block, f)) > 0)
        h = hash_bytes(h, block, n);
    fclose(f);
    return hash_bytes(h, (size_t[]){inarch_history_best(history)}, sizeof(size_t));
}

/* The rest of the run, from whatever the checkpoint holds. */
static uint64_t finish_run(const scenario *s, const inarch_data *d, int *events)
{
    inarch_error err;
    inarch_history *history;
    interruption none = {.at = -1};
    inarch_fit_options fit = s->fit;
    inarch_model *m = start(s);
    fit.event = interrupt;
    fit.context = &none;
    assert_ok(inarch_fit(m, d, &fit, &history, &err), err);
    uint64_t h = hash_result(m, history);
    if (events)
        *events = none.seen;
    inarch_history_free(history);
    inarch_free(m);
    return h;
}

static void run_until(const scenario *s, const inarch_data *d, int at)
{
    interruption i = {.at = at};
    inarch_error err;
    inarch_model *m = start(s);
    uint64_t before = hash_weights(m);
    inarch_fit_options fit = s->fit;
    fit.event = interrupt;
    fit.context = &i;
    assert_int_equal(inarch_fit(m, d, &fit, NULL, &err), INARCH_ABORTED);
    assert_string_equal(err.message, "the training was aborted");
    assert_true(hash_weights(m) == before); /* as before the call */
    inarch_free(m);
}

static void die_at(const scenario *s, const inarch_data *d, int at)
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        interruption i = {.at = at, .dies = 1};
        inarch_fit_options fit = s->fit;
        inarch_model *m = start(s);
        fit.event = interrupt;
        fit.context = &i;
        _exit(inarch_fit(m, d, &fit, NULL, NULL) ? 2 : 3);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void check_scenario(scenario *s)
{
    int events;
    inarch_model *m = start(s);
    inarch_data *d = rig_rows(m, ROWS, 9);
    inarch_free(m);
    uint64_t whole = finish_run(s, d, &events); /* without a checkpoint */
    char file[160];
    snprintf(file, sizeof file, "%s", rig_path("run.ckpt"));
    s->fit.checkpoint = file;
    for (int at = 0; at < events; at++) {
        remove(file);
        if (at % 5 == 2)
            die_at(s, d, at);
        else
            run_until(s, d, at);
        if (at % 3 == 1) /* interrupted twice */
            run_until(s, d, 0);
        if (finish_run(s, d, NULL) != whole)
            fail_msg("%s, interrupted at event %d of %d: another result", s->name, at, events);
    }
    remove(file);
    inarch_data_free(d);
}

#define ARCH                                                                                       \
    "input:9,dense(8,tanh,name=frozen),dense(8,relu,kernel_regularizer=l2(0.01)),batchnorm,"       \
    "dropout:0.3,gaussiannoise:0.1,dense(3,softmax)"

static void test_interrupted_anywhere(void **state)
{
    (void)state;
    const inarch_fit_options plain = INARCH_FIT_OPTIONS;
    scenario all[] = {{"adam, dropout", ARCH, plain},
                      {"early stopping", ARCH, plain},
                      {"plateau", ARCH, plain},
                      {"nadam, cosine", ARCH, plain},
                      {"sgd, class weights", ARCH, plain}};
    for (size_t i = 0; i < IA_COUNT(all); i++) {
        inarch_fit_options *f = &all[i].fit;
        f->epochs = EPOCHS;
        f->batch_size = 10;
        f->seed = 3;
        f->threads = 1;
        f->val_split = 0.2;
        f->learning_rate = 0.02;
        f->metrics = "accuracy";
    }
    all[1].fit.early_stopping = 1; /* overfits: epochs without improvement, then stops */
    all[1].fit.patience = 3;
    all[1].fit.learning_rate = 0.3;
    all[2].fit.schedule = "plateau(patience=1,factor=0.5,monitor=loss,min_delta=0.5)";
    all[3].fit.optimizer = "nadam(clipnorm=0.5)";
    all[3].fit.schedule = "cosine(warmup=4)";
    all[4].fit.optimizer = "sgd(momentum=0.9)";
    all[4].fit.class_weight = "balanced";
    all[4].fit.l2_sp = 0.01;
    for (size_t i = 0; i < IA_COUNT(all); i++)
        check_scenario(&all[i]);
}

static void check_refused(inarch_model *m, const inarch_data *d, const inarch_fit_options *fit,
                          const char *why)
{
    inarch_error err;
    assert_int_equal(inarch_fit(m, d, fit, NULL, &err), INARCH_BAD_ARGUMENT);
    assert_string_equal(err.subject, fit->checkpoint);
    assert_non_null(strstr(err.message, why));
    assert_string_equal(err.hint, "name another checkpoint, or remove this one to start again");
}

/* A checkpoint of another run is refused by name. */
static void test_other_run(void **state)
{
    (void)state;
    inarch_error err;
    scenario s = {"", ARCH, INARCH_FIT_OPTIONS};
    inarch_model *m = start(&s), *other = start(&s);
    inarch_data *d = rig_rows(m, ROWS, 9), *e = rig_rows(m, ROWS, 10);
    char file[160];
    snprintf(file, sizeof file, "%s", rig_path("other.ckpt"));
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    fit.epochs = 2;
    fit.checkpoint = file;
    assert_ok(inarch_fit(m, d, &fit, NULL, &err), err);
    check_refused(other, e, &fit, "is of another run: its data differs");
    check_refused(m, d, &fit, "is of another run: its model differs");
    fit.epochs = 3;
    fit.learning_rate = 0.5;
    check_refused(other, d, &fit, "is of another run: its optimizer differs");
    inarch_data_free(d);
    inarch_data_free(e);
    inarch_free(m);
    inarch_free(other);
}

/* ---- a late head ---- */

static void largest_move(const inarch_model *a, const inarch_model *b, const char *path,
                         double *out)
{
    inarch_error err;
    inarch_weight v = {.size = sizeof v}, w = {.size = sizeof w};
    assert_ok(inarch_weight_get(a, path, &v, &err), err);
    assert_ok(inarch_weight_get(b, path, &w, &err), err);
    assert_int_equal(v.count, w.count);
    for (size_t i = 0; i < v.count; i++)
        *out = fmax(*out, fabs((double)v.data[i] - (double)w.data[i]));
}

/* 1000 steps of Adam, then a new head, straight away or through a file: its first step is that of
 * t = 1, while the layers below go on with their moments at t = 1001. */
static void check_late_head(int through_file)
{
    inarch_error err;
    inarch_model *m = rig_new("input:9,dense(8,tanh,name=a),dense(8,tanh,name=b),dense(3,softmax)");
    inarch_data *d = rig_rows(m, 40, 9);
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    fit.epochs = 250;
    fit.batch_size = 10;
    fit.threads = 1;
    fit.learning_rate = 1e-3;
    fit.optimizer = "adam";
    assert_ok(inarch_fit(m, d, &fit, NULL, &err), err);
    if (through_file) {
        inarch_model *back = rig_reload(m, "late.h5");
        inarch_free(m);
        m = back;
    }
    assert_ok(inarch_pop(m, 1, &err), err);
    assert_ok(inarch_add(m, "dense(4,relu,name=late)", &err), err);
    assert_ok(inarch_add(m, "dense(3,softmax,name=later)", &err), err);
    inarch_model *before = rig_clone(m);
    fit.epochs = 1;
    fit.batch_size = 40;
    assert_ok(inarch_fit(m, d, &fit, NULL, &err), err);
    static const char *const late[] = {"late/kernel", "late/bias", "later/kernel", "later/bias"};
    double moved = 0, old = 0;
    for (size_t i = 0; i < IA_COUNT(late); i++)
        largest_move(before, m, late[i], &moved);
    largest_move(before, m, "a/kernel", &old);
    assert_true(moved > 0.9e-3 && moved <= 1.05e-3);
    assert_true(old > 0 && old < 5e-3);
    inarch_weight w = {.size = sizeof w};
    assert_ok(inarch_weight_get(m, "a/kernel", &w, &err), err);
    assert_int_equal(w.step, 1001);
    assert_ok(inarch_weight_get(m, "later/kernel", &w, &err), err);
    assert_int_equal(w.step, 1);
    inarch_free(before);
    inarch_free(m);
    inarch_data_free(d);
}

static void test_late_head(void **state)
{
    (void)state;
    check_late_head(0);
    check_late_head(1);
}

/* Two fits are one fit, also through a file: moments, shuffles and masks go on. */
static void test_continued(void **state)
{
    (void)state;
    inarch_error err;
    inarch_model *m = rig_new("input:9,dense(8,tanh),dropout:0.5,layernorm,dense(3,softmax)");
    inarch_data *d = rig_rows(m, 40, 9);
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    fit.epochs = 4;
    inarch_model *whole = rig_clone(m);
    assert_ok(inarch_fit(whole, d, &fit, NULL, &err), err);
    fit.epochs = 2;
    assert_ok(inarch_fit(m, d, &fit, NULL, &err), err);
    inarch_model *back = rig_reload(m, "half.h5");
    assert_ok(inarch_fit(m, d, &fit, NULL, &err), err);
    assert_ok(inarch_fit(back, d, &fit, NULL, &err), err);
    assert_true(hash_weights(m) == hash_weights(whole));
    assert_true(hash_weights(back) == hash_weights(whole));
    assert_true(hash_slots(m) == hash_slots(whole));
    assert_true(hash_slots(back) == hash_slots(whole));
    inarch_free(back);
    inarch_free(whole);
    inarch_free(m);
    inarch_data_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_interrupted_anywhere),
        cmocka_unit_test(test_other_run),
        cmocka_unit_test(test_late_head),
        cmocka_unit_test(test_continued),
    };
    return cmocka_run_group_tests(tests, NULL, rig_folder_remove);
}
