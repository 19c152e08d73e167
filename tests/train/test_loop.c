/* fit: frozen bits, the cache, threads, checkpoints, events, early stopping, penalties, divergence,
 * weights, several outputs, and every allocation failing once. */
#include "test.h"
#include "base/failing_alloc.h"
#include "base/scratch.h"
#include "train/rig.h"

#include "train/checkpoint.h"
#include "train/evaluate.h"

#include <unistd.h>

#define ARCH                                                                                       \
    "input:6,dense(8,tanh,name=a),batchnorm(name=n),dense(8,relu,name=b),dropout(0.3,name=o),"     \
    "dense(1,sigmoid,name=c)"

static inarch_error err;

static ia_fit_options defaults(void)
{
    ia_fit_options o = ia_fit_defaults();
    o.epochs = 3;
    o.batch_size = 8;
    o.seed = 4;
    o.metrics = "accuracy";
    return o;
}

static void freeze(ia_model *m, const char *name)
{
    ia_model_layer(m, name)->trainable = false;
}

static ia_history *fit(ia_model *m, const ia_data *d, const ia_fit_options *o)
{
    ia_history *h = NULL;
    assert_ok(ia_fit(m, d, o, &h, &err), err);
    assert_non_null(h);
    return h;
}

/* Trains a fresh model with a and n frozen; the hash of all it became. */
static uint64_t trained(const ia_data *d, const ia_fit_options *o)
{
    ia_model *m = rig_model(ARCH);
    freeze(m, "a");
    freeze(m, "n");
    ia_history_free(fit(m, d, o));
    uint64_t hash = rig_hash(m, true);
    ia_model_free(m);
    return hash;
}

/* ---- learning ---- */

static void loss_falls_and_history_tells(void **state)
{
    (void)state;
    ia_data *d = rig_data(96, 6, RIG_BINARY);
    ia_model *m = rig_model("input:6,dense(8,tanh),dense(1,sigmoid)");
    ia_fit_options o = defaults();
    o.epochs = 30;
    o.learning_rate = 0.02;
    o.validation_split = 0.25;
    ia_history *h = fit(m, d, &o);
    assert_int_equal(h->rows, 30);
    assert_int_equal(h->columns, 5);
    assert_string_equal(h->name[0], "loss");
    assert_string_equal(h->name[1], "accuracy");
    assert_string_equal(h->name[2], "val_loss");
    assert_string_equal(h->name[3], "val_accuracy");
    assert_string_equal(h->name[4], "learning_rate");
    assert_true(ia_history_get(h, 29, "loss") < 0.5 * ia_history_get(h, 0, "loss"));
    assert_true(ia_history_get(h, 29, "val_accuracy") > 0.85);
    assert_near(ia_history_get(h, 3, "learning_rate"), 0.02, 0);
    assert_true(isnan(ia_history_get(h, 99, "loss")) && isnan(ia_history_get(h, 0, "f1")));
    assert_int_equal(m->step, 30 * 9);
    assert_string_equal(json_string_value(m->compile.loss), "binary_crossentropy");
    assert_string_equal(json_string_value(json_array_get(m->compile.metrics, 0)),
                        "binary_accuracy");
    assert_string_equal(ia_json_string(m->compile.optimizer, "class_name", ""), "Adam");
    ia_history_free(h);
    ia_model_free(m);
    ia_data_free(d);
}

/* The epoch's loss is the mean over rows of what each batch's loss was before its step: with a rate
 * of 0 it is the evaluated loss. */
static void epoch_loss_is_weighted_by_rows(void **state)
{
    (void)state;
    ia_data *d = rig_data(19, 6, RIG_BINARY);
    ia_model *m = rig_model("input:6,dense(4,tanh,kernel_regularizer=l2(0.1)),dense(1,sigmoid)");
    ia_fit_options o = defaults();
    ia_evaluate_options e = ia_evaluate_defaults();
    ia_history *h, *v;
    o.optimizer = "sgd(0)";
    o.epochs = 1;
    h = fit(m, d, &o);
    e.batch_size = 19;
    assert_ok(ia_evaluate(m, d, &e, &v, &err), err);
    assert_near(ia_history_get(h, 0, "loss"), ia_history_get(v, 0, "loss"), 1e-9);
    assert_near(ia_history_get(h, 0, "accuracy"), ia_history_get(v, 0, "binary_accuracy"), 1e-12);
    ia_history_free(h);
    ia_history_free(v);
    ia_model_free(m);
    ia_data_free(d);
}

/* ---- bits ---- */

static void frozen_layers_keep_their_bits(void **state)
{
    (void)state;
    ia_data *d = rig_data(40, 6, RIG_BINARY);
    ia_model *m = rig_model(ARCH);
    freeze(m, "a");
    freeze(m, "n");
    ia_fit_options o = defaults();
    const ia_layer *a = ia_model_layer(m, "a"), *n = ia_model_layer(m, "n");
    const ia_buffer *kernel = a->variables[0].value.buffer, *mean = n->variables[2].value.buffer;
    const ia_buffer *head = ia_model_layer(m, "c")->variables[0].value.buffer;
    ia_history_free(fit(m, d, &o));
    assert_ptr_equal(a->variables[0].value.buffer, kernel);
    assert_ptr_equal(n->variables[2].value.buffer, mean);
    assert_ptr_not_equal(ia_model_layer(m, "c")->variables[0].value.buffer, head);
    assert_true(a->variables[0].slots.step == 0 && !a->variables[0].slots.slot[0].buffer);
    assert_int_equal(ia_model_layer(m, "c")->variables[0].slots.step, 15);
    ia_model_free(m);
    ia_data_free(d);
}

static void cache_threads_and_kernels_change_nothing(void **state)
{
    (void)state;
    ia_data *d = rig_data(45, 6, RIG_BINARY);
    ia_fit_options o = defaults();
    o.validation_split = 0.2;
    uint64_t cached = trained(d, &o);
    o.memory = 1; /* in a file */
    assert_true(trained(d, &o) == cached);
    o.no_cache = 1;
    assert_true(trained(d, &o) == cached);
    for (int threads = 2; threads <= 3; threads++) {
        assert_ok(ia_pool_new(threads, &o.pool, &err), err);
        assert_true(trained(d, &o) == cached);
        ia_pool_free(o.pool);
    }
    o.pool = NULL;
    for (size_t i = 0; ia_kernel_set_at(i); i++) {
        o.kernels = ia_kernel_set_at(i);
        o.no_cache = (int)(i % 2);
        assert_true(trained(d, &o) == cached);
    }
    o.kernels = NULL;
    o.seed++;
    assert_true(trained(d, &o) != cached);
    ia_data_free(d);
}

static void describe_says_what_is_cached(void **state)
{
    (void)state;
    ia_data *d = rig_data(40, 6, RIG_BINARY);
    ia_model *m = rig_model(ARCH);
    ia_fit_options o = defaults();
    ia_run *r;
    ia_run_info info;
    freeze(m, "a");
    freeze(m, "n");
    uint64_t before = rig_hash(m, true);
    assert_ok(ia_run_new(m, d, &o, &r, &err), err);
    ia_run_describe(r, &info);
    assert_int_equal(info.cache_bytes, 40 * 8 * sizeof(float)); /* 8 numbers a row: n's output */
    assert_true(info.cache_in_memory);
    assert_int_equal(info.steps_per_epoch, 5);
    assert_string_equal(info.optimizer_origin, "default");
    assert_string_equal(info.loss_origin, "head and labels");
    assert_string_equal(info.objective->heads[0].loss.cls->name, "binary_crossentropy");
    assert_int_equal(info.program.live_parameters, 8 * 8 + 8 + 8 + 1);
    ia_run_free(r);
    assert_true(rig_hash(m, true) == before);
    ia_model_free(m);
    ia_data_free(d);
}

/* ---- moments ---- */

/* Two fits of two epochs are one of four: moments and counts go on; fresh_moments forgets them. */
static void moments_go_on(void **state)
{
    (void)state;
    ia_data *d = rig_data(40, 6, RIG_BINARY);
    uint64_t hash[3];
    for (int i = 0; i < 3; i++) {
        ia_model *m = rig_model("input:6,dense(4,tanh),dense(1,sigmoid)");
        ia_fit_options o = defaults();
        o.shuffle = 0;
        o.epochs = i == 0 ? 4 : 2;
        ia_history_free(fit(m, d, &o));
        o.compiled = o.compiled_optimizer =
            1; /* the second time by the model's own compile state */
        o.fresh_moments = i == 2;
        if (i > 0) {
            ia_run *r;
            ia_run_info info;
            assert_ok(ia_run_new(m, d, &o, &r, &err), err);
            ia_run_describe(r, &info);
            assert_string_equal(info.optimizer_origin, i == 1 ? "file, with its moments" : "file");
            assert_string_equal(info.loss_origin, "file");
            ia_run_free(r);
            ia_history_free(fit(m, d, &o));
        }
        assert_int_equal(m->step, i == 2 ? 10 : 20);
        hash[i] = rig_hash(m, true);
        ia_model_free(m);
    }
    assert_true(hash[0] == hash[1] && hash[0] != hash[2]);
    ia_data_free(d);
}

/* ---- events ---- */

typedef struct stopper {
    size_t after; /* events of `kind` */
    ia_event_kind kind;
    int answer;
    size_t seen[3];
    double last_loss;
} stopper;

static int on_event(void *context, const ia_event *e)
{
    stopper *s = context;
    s->seen[e->kind]++;
    if (e->kind == IA_EVENT_BATCH)
        s->last_loss = e->loss;
    if (e->kind == IA_EVENT_EPOCH && e->epoch > 0) /* the row is there already */
        assert_near(e->history->value[(e->history->rows - 1) * e->history->columns], s->last_loss,
                    1e-12);
    return e->kind == s->kind && s->seen[s->kind] == s->after ? s->answer : IA_CONTINUE;
}

static void events_stop_and_abort(void **state)
{
    (void)state;
    ia_data *d = rig_data(40, 6, RIG_BINARY);
    ia_fit_options o = defaults();
    o.event = on_event;
    for (int abort = 0; abort < 2; abort++)
        for (size_t after = 1; after <= 8; after += 7) {
            stopper s = {.after = after, .kind = IA_EVENT_BATCH};
            ia_model *m = rig_model(ARCH);
            ia_history *h = NULL;
            freeze(m, "a");
            uint64_t before = rig_hash(m, true);
            s.answer = abort ? IA_ABORT : IA_STOP;
            o.context = &s;
            inarch_status status = ia_fit(m, d, &o, &h, &err);
            assert_int_equal(status, abort ? INARCH_ABORTED : INARCH_OK);
            assert_int_equal(s.seen[IA_EVENT_BATCH], after);
            assert_int_equal(s.seen[IA_EVENT_EPOCH], after == 8);
            assert_int_equal(s.seen[IA_EVENT_CACHE], 1); /* 40 rows are one block */
            assert_true((rig_hash(m, true) == before) == (abort == 1));
            if (!abort) {
                assert_int_equal(h->rows, after == 8);
                assert_string_equal(h->note, after == 8 ? "stopped on request in epoch 2"
                                                        : "stopped on request in epoch 1");
                assert_int_equal(m->step, after);
            }
            ia_history_free(h);
            ia_model_free(m);
        }
    ia_data_free(d);
}

/* ---- early stopping ---- */

static void the_best_weights_come_back(void **state)
{
    (void)state;
    ia_data *d = rig_data(60, 6, RIG_BINARY);
    ia_model *m = rig_model("input:6,dense(16,tanh),dense(1,sigmoid)");
    ia_fit_options o = defaults();
    ia_evaluate_options e = ia_evaluate_defaults();
    ia_data *train, *val;
    ia_history *h, *v;
    assert_ok(ia_data_split(d, 0.5, &train, &val, &err), err);
    o.epochs = 40;
    o.learning_rate = 0.2;
    o.validation = val;
    o.early_stopping = 1;
    o.patience = 4;
    h = fit(m, train, &o);
    assert_int_equal(h->epoch[0], 0); /* the model as given */
    assert_true(isnan(ia_history_get(h, 0, "loss")) && !isnan(ia_history_get(h, 0, "val_loss")));
    size_t best = 0;
    for (size_t r = 1; r < h->rows; r++)
        if (ia_history_get(h, r, "val_loss") < ia_history_get(h, best, "val_loss"))
            best = r;
    assert_int_equal(h->best_epoch, h->epoch[best]);
    assert_true(h->stopped_early && h->rows == best + 1 + 4);
    assert_true(strstr(h->note, "'val_loss' did not improve for 4 epochs") != NULL);
    e.batch_size = 8;
    assert_ok(ia_evaluate(m, val, &e, &v, &err), err);
    assert_near(ia_history_get(v, 0, "loss"), ia_history_get(h, best, "val_loss"), 1e-12);
    ia_history_free(h);
    ia_history_free(v);
    ia_data_free(train);
    ia_data_free(val);
    ia_data_free(d);
    ia_model_free(m);
}

/* A rate that ruins the model: epoch 0 was best, and its weights are what stays. */
static void epoch_0_is_a_candidate(void **state)
{
    (void)state;
    ia_data *d = rig_data(60, 6, RIG_BINARY);
    ia_model *m = rig_model("input:6,dense(16,tanh),dense(1,sigmoid)");
    ia_fit_options o = defaults();
    o.epochs = 40;
    o.learning_rate = 0.02;
    ia_history_free(fit(m, d, &o)); /* good already */
    uint64_t before = rig_hash(m, false);
    o.epochs = 3;
    o.optimizer = "sgd(100)";
    o.learning_rate = NAN;
    o.validation_split = 0.3;
    o.early_stopping = 1;
    o.patience = 9;
    ia_history *h = fit(m, d, &o);
    assert_int_equal(h->best_epoch, 0);
    assert_true(rig_hash(m, false) == before);
    ia_history_free(h);
    ia_model_free(m);
    ia_data_free(d);
}

/* ---- checkpoints ---- */

static void checkpoint_options(ia_fit_options *o, const char *path)
{
    *o = defaults();
    o->epochs = 4;
    o->checkpoint = path;
    o->validation_split = 0.2;
    o->early_stopping = 1;
    o->patience = 3;
    o->l2_sp_new = 0.01;
    o->schedule = "plateau(patience=1,factor=0.5)";
}

/* Aborting loses all but the file, as a kill does: after any number of steps the second run ends
 * where an uninterrupted one does, byte for byte. */
static void a_killed_run_resumes_to_the_same_bytes(void **state)
{
    (void)state;
    char path[1024], text[2][2048];
    ia_data *d = rig_data(40, 6, RIG_BINARY);
    ia_fit_options o;
    snprintf(path, sizeof path, "%s", scratch("run.ck"));
    checkpoint_options(&o, NULL);
    ia_model *m = rig_model(ARCH);
    freeze(m, "a");
    ia_history *h = fit(m, d, &o);
    uint64_t whole = rig_hash(m, true);
    size_t used = 0;
    for (size_t i = 0; i < h->rows * h->columns; i++)
        used += (size_t)snprintf(text[0] + used, sizeof text[0] - used, "%.17g ", h->value[i]);
    ia_history_free(h);
    ia_model_free(m);
    for (size_t after = 1; after <= 16; after++) {
        stopper s = {.after = after, .kind = IA_EVENT_BATCH, .answer = IA_ABORT};
        checkpoint_options(&o, path);
        unlink(path);
        for (int run = 0; run < 2; run++) {
            m = rig_model(ARCH);
            freeze(m, "a");
            o.event = run == 0 ? on_event : NULL;
            o.context = &s;
            h = NULL;
            inarch_status status = ia_fit(m, d, &o, &h, &err);
            assert_int_equal(status, run == 0 ? INARCH_ABORTED : INARCH_OK);
            if (run == 1) {
                used = 0;
                for (size_t i = 0; i < h->rows * h->columns; i++)
                    used += (size_t)snprintf(text[1] + used, sizeof text[1] - used, "%.17g ",
                                             h->value[i]);
                assert_string_equal(text[1], text[0]);
                assert_true(rig_hash(m, true) == whole);
            }
            ia_history_free(h);
            ia_model_free(m);
        }
    }
    unlink(path);
    ia_data_free(d);
}

static void checkpoints_of_other_runs_are_refused(void **state)
{
    (void)state;
    char path[1024], want[1200];
    ia_data *d = rig_data(40, 6, RIG_BINARY);
    ia_fit_options o;
    snprintf(path, sizeof path, "%s", scratch("run.ck"));
    unlink(path);
    checkpoint_options(&o, path);
    o.epochs = 2;
    assert_true(trained(d, &o) != 0);
    o.epochs = 3; /* longer is fine */
    assert_true(trained(d, &o) != 0);

    ia_model *m = rig_model(ARCH);
    freeze(m, "a");
    freeze(m, "n");
    uint64_t before = rig_hash(m, true);
    o.seed = 5;
    snprintf(want, sizeof want, "checkpoint '%s' is of another run: its seed differs", path);
    assert_int_equal(ia_fit(m, d, &o, NULL, &err), INARCH_BAD_ARGUMENT);
    assert_string_equal(err.message, want);
    o.seed = 4;
    o.epochs = 1;
    assert_int_equal(ia_fit(m, d, &o, NULL, &err), INARCH_BAD_ARGUMENT);
    snprintf(want, sizeof want, "checkpoint '%s' has done 3 epochs already", path);
    assert_string_equal(err.message, want);
    o.epochs = 3;
    freeze(m, "b"); /* another set of live variables */
    snprintf(want, sizeof want, "checkpoint '%s' is of another run: its model differs", path);
    assert_int_equal(ia_fit(m, d, &o, NULL, &err), INARCH_BAD_ARGUMENT);
    assert_string_equal(err.message, want);
    ia_model_layer(m, "b")->trainable = true;
    ia_data *other = rig_data(41, 6, RIG_BINARY);
    assert_int_equal(ia_fit(m, other, &o, NULL, &err), INARCH_BAD_ARGUMENT);
    assert_true(rig_hash(m, true) == before);

    /* Looking at a resumable run leaves the model alone. */
    ia_run *r;
    ia_run_info info;
    assert_ok(ia_run_new(m, d, &o, &r, &err), err);
    ia_run_describe(r, &info);
    assert_int_equal(info.resumed_epochs, 3);
    ia_run_free(r);
    assert_true(rig_hash(m, true) == before);
    ia_model_free(m);
    ia_data_free(other);
    ia_data_free(d);
    unlink(path);
}

/* ---- penalties ---- */

/* One SGD step on a constant loss: w moves by -rate * 2 * strength * (w - anchor). */
static void l2_sp_pulls_to_the_loaded_weights(void **state)
{
    (void)state;
    ia_data *d = rig_data(8, 6, RIG_NUMBERS);
    ia_model *m = rig_model("input:6,dense(2,name=a)");
    ia_variable *kernel = &ia_model_layer(m, "a")->variables[0];
    ia_variable *bias = &ia_model_layer(m, "a")->variables[1];
    ia_array anchor;
    assert_ok(ia_array_new(IA_F32, &kernel->value.shape, "test", &anchor, &err), err);
    for (size_t i = 0; i < 12; i++)
        ((float *)ia_array_mutable(&anchor))[i] = (float)i / 10;
    kernel->loaded = ia_array_ref(&anchor); /* the bias is new */
    ia_array_release(&anchor);
    ia_fit_options o = defaults();
    const float *w0 = ia_array_data(&kernel->value);
    float start[12];
    memcpy(start, w0, sizeof start);
    double penalty = 0;
    for (size_t i = 0; i < 12; i++)
        penalty += 0.25 * pow((double)start[i] - (double)((float)i / 10), 2);
    o.epochs = 1;
    o.loss_weights = "0"; /* nothing but the penalty */
    o.optimizer = "sgd(0.5)";
    o.l2_sp = 0.25;
    o.l2_sp_new = 1;
    ia_history *h = fit(m, d, &o);
    assert_near(ia_history_get(h, 0, "loss"), penalty, 1e-6); /* before the step; the bias is 0 */
    const float *w = ia_array_data(&kernel->value);
    for (size_t i = 0; i < 12; i++) {
        double a = (double)((float)i / 10);
        assert_near(w[i], (double)start[i] - 0.5 * 2 * 0.25 * ((double)start[i] - a), 1e-6);
    }
    assert_near(((const float *)ia_array_data(&bias->value))[0], 0, 0);
    ia_history_free(h);
    ia_model_free(m);
    ia_data_free(d);
}

/* ---- weights ---- */

/* A row of weight 2 is worth two rows: one SGD step on the mean of equal weights, by hand. */
static void weights_scale_rows(void **state)
{
    (void)state;
    float kernel[2][6];
    for (int way = 0; way < 2; way++) {
        ia_data *d = rig_data(8, 6, RIG_BINARY);
        ia_model *m = rig_model("input:6,dense(1,sigmoid,name=a)");
        ia_fit_options o = defaults();
        o.epochs = 1;
        o.optimizer = "sgd(0.1)";
        o.shuffle = 0;
        if (way == 0) { /* class 1 weighs 3, in weights of rows ... */
            ia_array w = rig_array(8, 1);
            float y[8];
            w.shape = ia_shape_1(8);
            assert_ok(ia_data_gather_target(d, NULL, 8, 0, y, &err), err);
            for (size_t i = 0; i < 8; i++)
                ((float *)ia_array_mutable(&w))[i] = y[i] == 1 ? 3 : 1;
            assert_ok(ia_data_set_weights(d, &w, &err), err);
            ia_array_release(&w);
        } else { /* ... or as a class weight */
            o.class_weight = "1=3";
        }
        ia_history *h = fit(m, d, &o);
        memcpy(kernel[way], ia_array_data(&ia_model_layer(m, "a")->variables[0].value),
               sizeof kernel[way]);
        ia_history_free(h);
        ia_model_free(m);
        ia_data_free(d);
    }
    assert_memory_equal(kernel[0], kernel[1], sizeof kernel[0]);
}

static void class_weights_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        inarch_status status;
        const char *message;
    } bad[] = {
        {"x", INARCH_BAD_ARGUMENT, "cannot read the class weight 'x'"},
        {"0=-1", INARCH_BAD_ARGUMENT, "cannot read the class weight '0=-1'"},
        {"7=1", INARCH_NOT_FOUND, "'7=1' is none of the 2 classes"},
        {"1,2,3", INARCH_BAD_ARGUMENT, "3 class weights are given, but there are 2 classes"},
        {"4", INARCH_BAD_ARGUMENT, "1 class weight is given, but there are 2 classes"},
    };
    ia_data *d = rig_data(20, 6, RIG_BINARY);
    ia_model *m = rig_model("input:6,dense(1,sigmoid)");
    ia_fit_options o = defaults();
    for (size_t i = 0; i < IA_COUNT(bad); i++) {
        o.class_weight = bad[i].text;
        assert_int_equal(ia_fit(m, d, &o, NULL, &err), bad[i].status);
        assert_string_equal(err.message, bad[i].message);
    }
    o.class_weight = "balanced";
    ia_history_free(fit(m, d, &o));
    ia_model_free(m);
    ia_data_free(d);
}

/* ---- several outputs ---- */

static ia_layer *layer(ia_model *m, const char *spec)
{
    ia_layer *l;
    assert_ok(ia_spec_layer(spec, m, &l, &err), err);
    assert_ok(ia_model_add_layer(m, l, &err), err);
    return l;
}

static ia_model *two_heads(void)
{
    ia_model *m;
    assert_ok(ia_model_new(IA_FUNCTIONAL, "m", &m, &err), err);
    ia_layer *in = layer(m, "input:6"), *a = layer(m, "dense(5,tanh,name=a)");
    ia_layer *p = layer(m, "dense(1,sigmoid,name=p)"), *q = layer(m, "dense(2,name=q)");
    ia_ref x = {0, 0}, top = {1, 0}, out[] = {{2, 0}, {3, 0}};
    assert_ok(ia_model_add_call(m, in, NULL, 0, &err), err);
    assert_ok(ia_model_add_call(m, a, &x, 1, &err), err);
    assert_ok(ia_model_add_call(m, p, &top, 1, &err), err);
    assert_ok(ia_model_add_call(m, q, &top, 1, &err), err);
    assert_ok(ia_model_set_inputs(m, &x, 1, &err), err);
    assert_ok(ia_model_set_outputs(m, out, 2, &err), err);
    assert_ok(ia_model_infer(m, &err), err);
    assert_ok(ia_model_initialize(m, 1, &err), err);
    return m;
}

static ia_data *two_targets(size_t rows)
{
    ia_data *d = rig_data(rows, 6, RIG_BINARY);
    ia_array y = rig_array(rows, 2);
    for (size_t i = 0; i < 2 * rows; i++)
        ((float *)ia_array_mutable(&y))[i] = rig_number(1000 + i);
    assert_ok(ia_data_add_target(d, "y1", &y, &err), err);
    ia_array_release(&y);
    return d;
}

static void losses_of_heads_add_up(void **state)
{
    (void)state;
    ia_model *m = two_heads();
    ia_data *d = two_targets(24);
    ia_fit_options o = defaults();
    o.loss_weights = "1,q=0.25";
    o.loss = "p=bce,q=mae";
    o.metrics = "p=accuracy,q=mse";
    ia_history *h = fit(m, d, &o);
    static const char *const names[] = {"loss", "p_loss", "q_loss", "p_accuracy", "q_mse"};
    for (size_t i = 0; i < IA_COUNT(names); i++)
        assert_string_equal(h->name[i], names[i]);
    for (size_t r = 0; r < h->rows; r++)
        assert_near(ia_history_get(h, r, "loss"),
                    ia_history_get(h, r, "p_loss") + 0.25 * ia_history_get(h, r, "q_loss"), 1e-12);
    assert_int_equal(json_array_size(m->compile.loss), 2);
    assert_int_equal(json_array_size(m->compile.loss_weights), 2);
    assert_string_equal(json_string_value(json_array_get(json_array_get(m->compile.metrics, 1), 0)),
                        "mean_squared_error");
    ia_history_free(h);

    o.loss = o.loss_weights = o.metrics = NULL; /* the compile state says the same */
    o.compiled = 1;
    h = fit(m, d, &o);
    assert_true(ia_history_column(h, "q_mse") != SIZE_MAX); /* as it was asked for */
    ia_history_free(h);
    o.loss = "p=bce,r=mae";
    assert_int_equal(ia_fit(m, d, &o, NULL, &err), INARCH_NOT_FOUND);
    assert_string_equal(err.message, "no output is called 'r' in the loss");
    ia_model_free(m);
    ia_data_free(d);
}

/* ---- divergence ---- */

static void divergence_names_batch_rate_and_input(void **state)
{
    (void)state;
    static const char *const columns[] = {"age", "income", "size"};
    ia_data *d = rig_data(40, 3, RIG_NUMBERS), *big;
    ia_array x = rig_array(40, 3), y = rig_array(40, 1);
    for (size_t i = 0; i < 120; i++)
        ((float *)ia_array_mutable(&x))[i] = rig_number(i) * (i % 3 == 1 ? 1e6f : 1);
    ((float *)ia_array_mutable(&x))[1] = 2.5e6f;
    for (size_t i = 0; i < 40; i++)
        ((float *)ia_array_mutable(&y))[i] = rig_number(i);
    assert_ok(ia_data_new("big", &big, &err), err);
    assert_ok(ia_data_add_input(big, "x", &x, &err), err);
    assert_ok(ia_data_add_target(big, "y", &y, &err), err);
    assert_ok(ia_data_set_columns(big, columns, 3, &err), err);
    ia_model *m = rig_model("input:3,dense(1)");
    ia_fit_options o = defaults();
    ia_history *h = NULL;
    o.batch_size = 40;
    o.epochs = 50;
    o.shuffle = 0;
    o.metrics = NULL;
    o.optimizer = "sgd(1)";
    assert_int_equal(ia_fit(m, big, &o, &h, &err), INARCH_DIVERGED);
    assert_non_null(
        strstr(err.message, "batch 1 (learning rate 1); largest input is 'income' 2.5e6"));
    assert_true(strncmp(err.message, "loss became infinite in epoch ", 30) == 0 ||
                strncmp(err.message, "weights became", 14) == 0 ||
                strncmp(err.message, "loss became NaN in epoch ", 25) == 0);
    assert_string_equal(err.hint, "try a smaller learning rate, or --standardize");
    assert_non_null(h); /* up to the last whole epoch */
    assert_true(h->rows > 0);
    const float *w = ia_array_data(&ia_model_layer(m, "dense")->variables[0].value);
    for (size_t i = 0; i < 3; i++)
        assert_true(isfinite(w[i]));
    ia_history_free(h);
    ia_model_free(m);
    ia_data_free(d);
    ia_data_free(big);
    ia_array_release(&x);
    ia_array_release(&y);
}

/* ---- memory ---- */

static void every_allocation_may_fail(void **state)
{
    (void)state;
    char path[1024];
    ia_data *d = rig_data(12, 6, RIG_BINARY);
    ia_fit_options o;
    snprintf(path, sizeof path, "%s", scratch("run.ck"));
    checkpoint_options(&o, path);
    o.epochs = 2;
    o.no_cache = 0;
    ia_model *m = rig_model(ARCH);
    freeze(m, "a");
    uint64_t before = rig_hash(m, true);
    inarch_status status = INARCH_NO_MEMORY;
    int n = 0;
    for (; status == INARCH_NO_MEMORY; n++) {
        ia_history *h = NULL;
        unlink(path);
        alloc_countdown = n;
        status = ia_fit(m, d, &o, &h, &err);
        alloc_countdown = -1;
        if (status == INARCH_NO_MEMORY)
            assert_true(rig_hash(m, true) == before);
        else
            assert_ok(status, err);
        ia_history_free(h);
    }
    assert_true(n > 100);
    unlink(path);
    ia_model_free(m);
    ia_data_free(d);
}

/* A step allocates nothing: between two batches of an epoch the gate is closed. */
static int close_gate(void *context, const ia_event *e)
{
    (void)context;
    bool inside = e->kind == IA_EVENT_BATCH && e->batch < e->batches;
    alloc_countdown = inside ? 0 : -1;
    return IA_CONTINUE;
}

static void a_step_allocates_nothing(void **state)
{
    (void)state;
    ia_data *d = rig_data(40, 6, RIG_BINARY);
    ia_fit_options o = defaults();
    o.event = close_gate;
    assert_true(trained(d, &o) != 0);
    o.event = NULL;
    ia_data_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loss_falls_and_history_tells),
        cmocka_unit_test(epoch_loss_is_weighted_by_rows),
        cmocka_unit_test(frozen_layers_keep_their_bits),
        cmocka_unit_test(cache_threads_and_kernels_change_nothing),
        cmocka_unit_test(describe_says_what_is_cached),
        cmocka_unit_test(moments_go_on),
        cmocka_unit_test(events_stop_and_abort),
        cmocka_unit_test(the_best_weights_come_back),
        cmocka_unit_test(epoch_0_is_a_candidate),
        cmocka_unit_test(a_killed_run_resumes_to_the_same_bytes),
        cmocka_unit_test(checkpoints_of_other_runs_are_refused),
        cmocka_unit_test(l2_sp_pulls_to_the_loaded_weights),
        cmocka_unit_test(weights_scale_rows),
        cmocka_unit_test(class_weights_are_checked),
        cmocka_unit_test(losses_of_heads_add_up),
        cmocka_unit_test(divergence_names_batch_rate_and_input),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(a_step_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
