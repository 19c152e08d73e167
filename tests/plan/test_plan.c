/* What a program decides before it runs: which part is static, what is computed at all, what is
 * refused; and that a step reads nothing that was not written before it, and allocates nothing. */
#include "api/random_graph.h"

#include "plan/program.h"

#include <math.h>

enum { ROWS = 5 };

static size_t allocations;

int ia_alloc_hook(size_t bytes);
int ia_alloc_hook(size_t bytes)
{
    (void)bytes;
    allocations++;
    return 0;
}

static ia_program *program(const inarch_model *m, ia_program_options o)
{
    inarch_error err;
    ia_program *p;
    o.rows = o.rows ? o.rows : ROWS;
    assert_ok(ia_program_new(m->doc, &o, &p, &err), err);
    return p;
}

static const char *frontier(const ia_program *p)
{
    static char all[256];
    *all = '\0';
    for (size_t i = 0; i < ia_program_frontier_count(p); i++)
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? " " : "",
                 ia_program_frontier_name(p, i));
    return all;
}

static void check_frontier(inarch_model *m, ia_program_options o, const char *names,
                           const char *ends)
{
    ia_program_info info;
    for (int mode = IA_RUN_EVALUATE; mode <= IA_RUN_TRAIN; mode++) {
        o.mode = (ia_run_mode)mode;
        ia_program *p = program(m, o);
        assert_string_equal(frontier(p), names); /* the same in evaluation as in training */
        ia_program_describe(p, &info);
        if (mode == IA_RUN_TRAIN)
            assert_string_equal(info.prefix_ends, ends);
        ia_program_free(p);
    }
}

static inarch_model *frozen(const char *arch, const char *pattern)
{
    inarch_error err;
    inarch_model *m = rig_new(arch);
    if (pattern)
        assert_ok(inarch_freeze(m, pattern, &err), err);
    return m;
}

/* ---- the frontier ---- */

static void test_frontier(void **state)
{
    (void)state;
    static const char arch[] = "input:4,dense(4,tanh,name=a),batchnorm(name=b),dense(4,name=c),"
                               "dense(2,softmax,name=d)";
    static const struct {
        const char *pattern, *frontier, *ends;
    } cases[] = {{"a,b,c", "c", "'d' is trainable"},
                 {"a,b", "b", "'c' is trainable"},
                 {"a", "a", "'b' is trainable"},
                 {"b,c", "input_layer", "'a' is trainable"},
                 {NULL, "input_layer", "'a' is trainable"}};
    for (size_t i = 0; i < IA_COUNT(cases); i++) {
        inarch_model *m = frozen(arch, cases[i].pattern);
        check_frontier(m, (ia_program_options){0}, cases[i].frontier, cases[i].ends);
        inarch_free(m);
    }
    inarch_model *m = rig_new(arch); /* prediction: all is prefix, the output is the frontier */
    ia_program *p = program(m, (ia_program_options){.mode = IA_RUN_PREDICT});
    assert_string_equal(frontier(p), "d");
    assert_int_equal(p->prefix_count, p->op_count);
    ia_program_free(p);
    inarch_free(m);
}

/* A residual pair: both what is above and what goes round it is kept. Views have no bytes of their
 * own. */
static void test_frontier_of_graph(void **state)
{
    (void)state;
    ia_model *doc = rig_model("m");
    ia_ref x = rig_input(doc, "input(2x3,name=x)"), y = rig_put(doc, "flatten(name=flat)", x), z;
    y = rig_put(doc, "dense(6,tanh,name=low)", y);
    z = rig_put(doc, "dense(6,tanh,name=side)", y);
    ia_ref out = rig_join(doc, "add(name=sum)", rig_put(doc, "dense(6,name=live)", z), y);
    out = rig_put(doc, "dense(2,softmax,name=top)", out);
    rig_ports(doc, &x, 1, &out, 1);
    inarch_error err;
    inarch_model *m = rig_finish(doc, 1);
    assert_ok(inarch_freeze(m, "low,side", &err), err);
    check_frontier(m, (ia_program_options){0}, "side low", "'live' is trainable");
    assert_ok(inarch_freeze(m, "live", &err), err);
    check_frontier(m, (ia_program_options){0}, "sum", "'top' is trainable");
    assert_ok(inarch_unfreeze(m, "low", &err), err);
    check_frontier(m, (ia_program_options){0}, "x", "'low' is trainable");
    inarch_free(m);
}

static void test_frozen_dropout(void **state)
{
    (void)state;
    inarch_model *m =
        frozen("input:4,dense(4,tanh,name=a),dropout(0.5,name=b),dense(4,tanh,name=c),"
               "dense(2,softmax,name=d)",
               "a,b,c");
    static const char ends[] =
        "'b' is frozen, but its random mask stays active in training, as in Keras";
    ia_program *p = program(m, (ia_program_options){.mode = IA_RUN_TRAIN});
    ia_program_info info;
    ia_program_describe(p, &info);
    assert_string_equal(frontier(p), "a");
    assert_string_equal(info.prefix_ends, ends);
    ia_program_free(p);
    check_frontier(m, (ia_program_options){.frozen_dropout_off = 1}, "c", "'d' is trainable");
    inarch_free(m);
}

/* ---- heads and fetched values ---- */

static void test_logits(void **state)
{
    (void)state;
    static const struct {
        const char *arch;
        ia_logits logits;
        int apart; /* the value before the activation is there */
    } cases[] = {{"input:4,dense(3,softmax)", IA_LOGITS_SOFTMAX, 1},
                 {"input:4,dense:3,activation:softmax", IA_LOGITS_SOFTMAX, 1},
                 {"input:4,dense:3,softmax", IA_LOGITS_SOFTMAX, 1},
                 {"input:4,dense(3,sigmoid)", IA_LOGITS_SIGMOID, 1},
                 {"input:4,dense(3,sigmoid,activity_regularizer=l2(0.1))", IA_LOGITS_SIGMOID, 1},
                 {"input:4,dense(3,softmax)", IA_LOGITS_SIGMOID, 0},
                 {"input:4,dense(3,softmax)", IA_LOGITS_NONE, 0},
                 {"input:4,dense(3,relu)", IA_LOGITS_SOFTMAX, 0}};
    for (size_t i = 0; i < IA_COUNT(cases); i++) {
        inarch_model *m = rig_new(cases[i].arch);
        ia_program *p =
            program(m, (ia_program_options){.mode = IA_RUN_TRAIN, .logits = &cases[i].logits});
        const ia_view *z = ia_program_logits(p, 0), *y = ia_program_output(p, 0);
        assert_int_equal(z != NULL, cases[i].apart);
        assert_non_null(ia_program_output_grad(p, 0));
        for (size_t k = 0; k < ROWS * 4; k++)
            ia_program_input(p, 0)->data[k] = (float)k / 7;
        ia_program_forward(p, ROWS, 0);
        for (size_t k = 0; z && cases[i].logits == IA_LOGITS_SIGMOID && k < ROWS * 3; k++)
            assert_near(y->data[k], 1 / (1 + exp(-(double)z->data[k])), 1e-6);
        ia_program_free(p);
        inarch_free(m);
    }
}

static void test_fetch(void **state)
{
    (void)state;
    inarch_error err;
    ia_model *child = rig_model("base"), *doc = rig_model("m");
    ia_ref x = rig_input(child, "input:4"), y = rig_put(child, "dense(6,tanh,name=p)", x);
    y = rig_put(child, "dense(5,name=q)", y);
    rig_ports(child, &x, 1, &y, 1);
    ia_ref in[] = {rig_input(doc, "input(4,name=l)"), rig_input(doc, "input(4,name=r)")};
    ia_layer *base = rig_nested(doc, child, "base");
    ia_ref a = rig_call(doc, base, &in[0], 1), b = rig_call(doc, base, &in[1], 1);
    y = rig_put(doc, "dense(2,name=top)", rig_join(doc, "add(name=sum)", a, b));
    rig_ports(doc, in, 2, &y, 1);
    inarch_model *m = rig_finish(doc, 1);

    static const char *const paths[] = {"base/p", "base", "l", "top"};
    ia_program_options o = {
        .mode = IA_RUN_PREDICT, .fetch = paths, .fetch_count = 4, .fetch_only = 1};
    ia_program *p = program(m, o);
    assert_int_equal(p->op_count, 6);
    assert_int_equal(ia_program_fetched(p, 0)->size, 6);
    assert_int_equal(ia_program_fetched(p, 1)->size, 5);
    ia_program_free(p);

    o.fetch_count = 1; /* the first call alone: nothing above, nothing of the other input */
    p = program(m, o);
    assert_int_equal(p->op_count, 1);
    assert_int_equal(ia_program_output_count(p), 0);
    memset(ia_program_input(p, 0)->data, 0, ROWS * 4 * sizeof(float));
    for (size_t k = 0; k < ROWS * 4; k++)
        ia_program_input(p, 1)->data[k] = (float)NAN;
    ia_program_forward(p, ROWS, 0);
    for (size_t k = 0; k < ROWS * 6; k++)
        assert_true(ia_program_fetched(p, 0)->data[k] == 0); /* tanh(0 w + 0) */
    ia_program_free(p);

    static const char *const wrong[] = {"base/zz"};
    o.fetch = wrong;
    o.rows = ROWS;
    assert_int_equal(ia_program_new(m->doc, &o, &p, &err), INARCH_NOT_FOUND);
    assert_string_equal(err.message, "there is no layer 'base/zz'");
    inarch_free(m);
}

/* ---- what cannot be computed ---- */

static void refuse(const inarch_model *m, ia_program_options o, inarch_status status,
                   const char *message, const char *hint)
{
    inarch_error err;
    ia_program *p = NULL;
    o.rows = o.rows ? o.rows : ROWS;
    assert_int_equal(ia_program_new(m->doc, &o, &p, &err), status);
    assert_null(p);
    assert_string_equal(err.message, message);
    assert_string_equal(err.hint, hint);
}

/* An unknown layer is refused where it is needed, and nowhere else. */
static void test_opaque(void **state)
{
    (void)state;
    inarch_error err;
    ia_model *doc = rig_model("m");
    ia_ref x = rig_input(doc, "input:4"), y = rig_put(doc, "dense(6,tanh,name=low)", x), z;
    ia_layer *lstm;
    assert_ok(ia_layer_new(&ia_layer_opaque, "lstm_1", &lstm, &err), err);
    free(lstm->class_name);
    lstm->class_name = strdup("LSTM");
    assert_ok(ia_model_add_layer(doc, lstm, &err), err);
    z = rig_call(doc, lstm, &y, 1);
    z = rig_call(doc, rig_layer(doc, "dense(2,name=top)"), &z, 1);
    rig_ports(doc, &x, 1, &z, 1);
    inarch_model *m = rig_finish(doc, 1);
    static const char *const low[] = {"low"}, *const top[] = {"top"};
    static const char message[] = "layer 'lstm_1' (LSTM) cannot be computed yet";
    static const char hint[] = "cut below it, or take the features of a layer below it";
    ia_program_options o = {.mode = IA_RUN_PREDICT};
    refuse(m, o, INARCH_UNSUPPORTED, message, hint);
    o.mode = IA_RUN_TRAIN;
    refuse(m, o, INARCH_UNSUPPORTED, message, hint);
    o = (ia_program_options){.fetch = top, .fetch_count = 1, .fetch_only = 1};
    refuse(m, o, INARCH_UNSUPPORTED, message, hint);
    o.fetch = low;
    ia_program_free(program(m, o));
    assert_int_equal(inarch_add(m, "dense:2", &err), INARCH_UNSUPPORTED);
    assert_string_equal(err.message,
                        "layer 'top' (Dense) cannot be computed yet, so nothing can be put on top");
    assert_ok(inarch_cut(m, "low", &err), err);
    ia_program_free(program(m, (ia_program_options){.mode = IA_RUN_TRAIN}));
    inarch_free(m);
}

static void test_unknown_shape(void **state)
{
    (void)state;
    inarch_error err;
    inarch_model *m = rig_new("input:-1x4,dense:3");
    refuse(
        m, (ia_program_options){0}, INARCH_UNSUPPORTED,
        "layer 'input_layer' gives rows of shape (None, 4); dimensions other than the batch must "
        "be known",
        "");
    inarch_free(m);
    m = rig_new("input:4,dense(3,name=a)");
    assert_ok(inarch_freeze(m, "a", &err), err);
    refuse(m, (ia_program_options){.mode = IA_RUN_TRAIN}, INARCH_BAD_ARGUMENT,
           "nothing to train: no trainable parameter leads to an output",
           "unfreeze a layer, or add a new one on top (--add dense:1:sigmoid)");
    m->doc->layers[1]->trainable = true;
    refuse(m, (ia_program_options){.mode = IA_RUN_TRAIN, .rows = SIZE_MAX / 2}, INARCH_LIMIT,
           "a batch of 9223372036854775807 rows needs more memory than there can be",
           "use a smaller batch");
    inarch_free(m);
}

/* ---- publish and rebind ---- */

static void test_publish(void **state)
{
    (void)state;
    inarch_error err;
    inarch_model *m = rig_new("input:2,dense(2,name=a),dense(1,name=b)");
    assert_ok(inarch_freeze(m, "a", &err), err);
    ia_program *train = program(m, (ia_program_options){.mode = IA_RUN_TRAIN});
    ia_program *predict = program(m, (ia_program_options){.mode = IA_RUN_PREDICT});
    ia_program *evaluate = program(m, (ia_program_options){.mode = IA_RUN_EVALUATE});
    assert_int_equal(ia_program_live_count(train), 2);
    assert_string_equal(ia_program_live(train, 0)->path, "b/kernel");
    inarch_model *before = rig_clone(m);
    ia_program_live(train, 1)->value[0] = 7;
    float x[2] = {0, 0};
    ia_program *all[] = {train, predict, evaluate};
    for (int round = 0; round < 3; round++) { /* edited, published, rebound */
        for (size_t i = 0; i < 3; i++) {
            memcpy(ia_program_input(all[i], 0)->data, x, sizeof x);
            ia_program_forward(all[i], 1, 0);
            float want = i == 0 || round == 2 ? 7 : 0;
            assert_true(ia_program_output(all[i], 0)->data[0] == want);
        }
        if (round == 0) {
            assert_ok(ia_program_reserve(train, &err), err);
            ia_program_publish(train);
        }
        for (size_t i = 0; round == 1 && i < 3; i++)
            ia_program_rebind(all[i]);
    }
    assert_true(((const float *)ia_array_data(
                    &ia_live_variable(ia_program_live(train, 1))->value))[0] == 7);
    inarch_weight w = {.size = sizeof w};
    assert_ok(inarch_weight_get(before, "b/bias", &w, &err), err);
    assert_true(w.data[0] == 0); /* the clone shares nothing that was written */
    for (size_t i = 0; i < 3; i++)
        ia_program_free(all[i]);
    inarch_free(before);
    inarch_free(m);
}

/* ---- nothing is read before it is written ---- */

static void poison(float *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (float)NAN;
}

static void poison_all(ia_program *p)
{
    poison(p->memory, p->memory_size);
    poison(p->temp, p->temp_size);
    for (size_t i = 0; i < ia_program_live_count(p); i++)
        if (ia_program_live(p, i)->grad)
            poison(ia_program_live(p, i)->grad, ia_program_live(p, i)->count);
}

/* One step of `rows` rows; the hash of outputs, gradients and moving statistics. */
static uint64_t hash_step(ia_program *p, size_t rows, uint64_t step)
{
    uint32_t noise = 5;
    for (size_t i = 0; i < ia_program_input_count(p); i++)
        for (size_t k = 0; k < rows * ia_program_input(p, i)->size; k++)
            ia_program_input(p, i)->data[k] = rig_float(&noise);
    ia_program_forward(p, rows, step);
    for (size_t h = 0; h < ia_program_output_count(p); h++)
        for (size_t k = 0; k < rows * ia_program_output(p, h)->size; k++)
            ia_program_output_grad(p, h)[k] = rig_float(&noise);
    uint64_t h = HASH_START;
    for (size_t i = 0; i < ia_program_output_count(p); i++)
        h = hash_bytes(h, ia_program_output(p, i)->data,
                       rows * ia_program_output(p, i)->size * sizeof(float));
    ia_program_backward(p, rows);
    for (size_t i = 0; i < ia_program_live_count(p); i++) {
        const ia_live *v = ia_program_live(p, i);
        for (size_t k = 0; k < v->count; k++)
            assert_true(isfinite(v->grad ? v->grad[k] : v->value[k]));
        h = hash_bytes(h, v->grad ? v->grad : v->value, v->count * sizeof(float));
    }
    return h;
}

static void test_poison(void **state)
{
    (void)state;
    size_t steps = 0;
    for (uint32_t seed = 0; seed < 120; seed++) {
        static const ia_logits logits[] = {IA_LOGITS_SOFTMAX, IA_LOGITS_SIGMOID};
        inarch_model *m = random_model(seed);
        ia_program_options o = {
            .mode = IA_RUN_TRAIN, .seed = seed, .logits = seed % 2 ? logits : NULL};
        ia_program *a = program(m, o), *b = program(m, o);
        for (uint64_t step = 0; step < 4; step++, steps++) {
            size_t rows = step % 2 ? ROWS : ROWS - 2; /* padding rows hold NaN, too */
            poison_all(b);
            size_t before = allocations;
            uint64_t plain = hash_step(a, rows, step), poisoned = hash_step(b, rows, step);
            if (plain != poisoned)
                fail_msg("graph %u, step %d: what was read was not written", seed, (int)step);
            assert_int_equal(allocations, before);
        }
        ia_program_free(a);
        ia_program_free(b);
        inarch_free(m);
    }
    print_message("%zu steps\n", steps);
}

/* ---- a step of a fit or a session allocates nothing ---- */

static int32_t count_batches(void *context, const inarch_event *e)
{
    size_t *at = context; /* allocations at the last batch event of this epoch; SIZE_MAX: none */
    if (e->kind == INARCH_EVENT_BATCH && *at != SIZE_MAX)
        assert_int_equal(allocations, *at);
    *at = e->kind == INARCH_EVENT_BATCH ? allocations : SIZE_MAX;
    return INARCH_CONTINUE;
}

static void test_no_allocation(void **state)
{
    (void)state;
    static const char *const optimizers[] = {"adam(global_clipnorm=1)", "nadam", "rmsprop", "sgd"};
    for (uint32_t seed = 0; seed < 16; seed++) {
        inarch_error err;
        inarch_model *m = random_model(seed);
        inarch_data *d = rig_rows(m, 50, seed);
        size_t at = SIZE_MAX;
        inarch_fit_options fit = INARCH_FIT_OPTIONS;
        fit.epochs = 2;
        fit.batch_size = 8;
        fit.threads = 1 + (int32_t)(seed % 2);
        fit.optimizer = optimizers[seed % 4];
        fit.no_cache = seed % 3 == 0;
        fit.memory = seed % 3 == 1;
        fit.val_split = 0.2;
        fit.l2_sp = 0.01;
        fit.event = count_batches;
        fit.context = &at;
        assert_ok(inarch_fit(m, d, &fit, NULL, &err), err);
        inarch_data_free(d);
        inarch_free(m);
    }
}

static void test_session_allocates_nothing(void **state)
{
    (void)state;
    inarch_error err;
    inarch_session *s;
    inarch_model *m = rig_new("input:4,dense:8:relu,batchnorm,dropout:0.2,dense:3:softmax");
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    inarch_session_options o = INARCH_SESSION_OPTIONS;
    fit.loss = "sparse_categorical_crossentropy";
    o.training = 1;
    o.fit = &fit;
    assert_ok(inarch_session_new(m, &o, &s, &err), err);
    float x[8] = {1, 2, 3, 4, 5, 6, 7, 8}, y[2] = {0, 2}, p[6];
    const float *in = x, *target = y;
    float *out = p;
    size_t before = allocations;
    for (int i = 0; i < 3; i++) {
        assert_ok(inarch_session_step(s, 2, &in, &target, NULL, &err), err);
        assert_ok(inarch_session_run(s, 2, &in, &out, &err), err);
    }
    assert_int_equal(allocations, before);
    inarch_session_free(s);
    inarch_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frontier),
        cmocka_unit_test(test_frontier_of_graph),
        cmocka_unit_test(test_frozen_dropout),
        cmocka_unit_test(test_logits),
        cmocka_unit_test(test_fetch),
        cmocka_unit_test(test_opaque),
        cmocka_unit_test(test_unknown_shape),
        cmocka_unit_test(test_publish),
        cmocka_unit_test(test_poison),
        cmocka_unit_test(test_no_allocation),
        cmocka_unit_test(test_session_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
