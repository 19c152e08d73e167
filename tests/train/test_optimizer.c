/* Optimizers: six steps against Keras (fixtures/train/optimizers.json); names, settings, JSON. */
#include "test.h"
#include "train/fixture.h"
#include "train/rig.h"

#include "train/updater.h"

typedef struct bench {
    ia_model *m;
    ia_program *p;
    ia_updater *u;
    const ia_live *kernel, *bias;
} bench;

static void set(ia_layer *l, const char *name, const json_t *values)
{
    inarch_error err;
    size_t n;
    float *data = fixture_floats(values, &n);
    ia_variable *v = ia_layer_variable(l, name);
    ia_array a;
    assert_ok(ia_array_new(IA_F32, &v->value.shape, "test", &a, &err), err);
    memcpy(ia_array_mutable(&a), data, n * sizeof(float));
    assert_ok(ia_variable_set(v, &a, "test", &err), err);
    ia_array_release(&a);
    ia_free(data);
}

static void bench_open(bench *b, const json_t *all, const ia_optimizer *o)
{
    inarch_error err;
    ia_program_options po = {.mode = IA_RUN_TRAIN, .rows = 1};
    b->m = rig_model("input:3,dense(2,name=d)");
    set(ia_model_layer(b->m, "d"), "kernel", json_object_get(all, "kernel"));
    set(ia_model_layer(b->m, "d"), "bias", json_object_get(all, "bias"));
    assert_ok(ia_program_new(b->m, &po, &b->p, &err), err);
    assert_ok(ia_updater_new(o, b->p, NULL, NULL, false, &b->u, &err), err);
    b->kernel = ia_program_live(b->p, 0);
    b->bias = ia_program_live(b->p, 1);
    assert_string_equal(b->kernel->path, "d/kernel");
}

static void bench_close(bench *b)
{
    ia_updater_free(b->u);
    ia_program_free(b->p);
    ia_model_free(b->m);
}

static void give(const ia_live *v, const json_t *values)
{
    size_t n;
    float *data = fixture_floats(values, &n);
    assert_int_equal(n, v->count);
    memcpy(v->grad, data, n * sizeof(float));
    ia_free(data);
}

static void compare(const char *text, const char *what, const float *own, const json_t *keras)
{
    for (size_t i = 0; i < json_array_size(keras); i++) {
        double k = json_number_value(json_array_get(keras, i));
        /* TensorFlow computes 1 - 0.999^t in float32, which is right to 6e-5 at t = 1 only. */
        if (!(fabs((double)own[i] - k) <= 1e-5 * (1 + fabs(k))))
            fail_msg("%s: %s[%zu] = %.9g, Keras %.9g", text, what, i, (double)own[i], k);
    }
}

/* Slots under Keras' names ("d_kernel_momentum" there: the end counts). */
static void compare_slots(const bench *b, const ia_optimizer *o, const char *text,
                          const json_t *slots)
{
    inarch_error err;
    assert_ok(ia_updater_reserve(b->u, &err), err);
    ia_updater_publish(b->u);
    size_t found = 0;
    for (size_t v = 0; v < 2; v++) {
        const ia_slots *s = &ia_live_variable(ia_program_live(b->p, v))->slots;
        assert_string_equal(s->optimizer, o->cls->name);
        assert_int_equal(s->step, 6);
        for (size_t k = 0; k < ia_optimizer_slot_count(o); k++) {
            char name[64];
            snprintf(name, sizeof name, "%s_%s", v ? "bias" : "kernel",
                     ia_optimizer_slot_name(o, k));
            const json_t *keras = json_object_get(slots, name);
            if (!keras)
                fail_msg("%s: Keras has no slot %s", text, name);
            compare(text, name, ia_array_data(&s->slot[k]), keras);
            found++;
        }
    }
    /* Keras' Nadam has one number more, the product of its momenta, under the name "variable". */
    assert_int_equal(found, json_object_size(slots) - (json_object_get(slots, "variable") != NULL));
}

static void steps_are_keras(void **state)
{
    (void)state;
    inarch_error err;
    json_t *all = fixture_json(FIXTURES "/train/optimizers.json"), *c, *step;
    const json_t *grads = json_object_get(all, "grads");
    size_t i, k;
    json_array_foreach(json_object_get(all, "cases"), i, c)
    {
        const char *text = ia_json_string(c, "text", "");
        ia_optimizer o, file;
        char a[256], f[256];
        bench b;
        assert_ok(ia_optimizer_from_text(text, &o, &err), err);
        assert_ok(ia_optimizer_from_json(json_object_get(c, "keras"), &file, NULL, &err), err);
        file.learning_rate = o.learning_rate; /* Keras writes it as float32 */
        ia_optimizer_to_text(&o, a, sizeof a);
        ia_optimizer_to_text(&file, f, sizeof f);
        assert_string_equal(f, a);
        bench_open(&b, all, &o);
        json_array_foreach(json_object_get(c, "steps"), k, step)
        {
            give(b.kernel, json_object_get(json_array_get(grads, k), "kernel"));
            give(b.bias, json_object_get(json_array_get(grads, k), "bias"));
            ia_updater_begin(b.u, o.learning_rate);
            ia_updater_finish(b.u);
            compare(text, "kernel", b.kernel->value, json_object_get(step, "kernel"));
            compare(text, "bias", b.bias->value, json_object_get(step, "bias"));
        }
        compare_slots(&b, &o, text, json_object_get(c, "slots"));
        bench_close(&b);
    }
    json_decref(all);
}

/* Three steps, published, taken up by another updater, three more = six in a row, bit for bit. */
static void slots_carry_on(void **state)
{
    (void)state;
    inarch_error err;
    json_t *all = fixture_json(FIXTURES "/train/optimizers.json");
    const json_t *grads = json_object_get(all, "grads");
    for (size_t i = 0; i < ia_optimizer_count(); i++) {
        ia_optimizer o;
        bench once, twice;
        assert_ok(ia_optimizer_from_text(ia_optimizer_at(i)->name, &o, &err), err);
        bench_open(&once, all, &o);
        bench_open(&twice, all, &o);
        assert_false(ia_updater_continues(twice.u));
        for (size_t k = 0; k < 6; k++) {
            if (k == 3) {
                assert_ok(ia_updater_reserve(twice.u, &err), err);
                ia_updater_publish(twice.u);
                ia_updater_free(twice.u);
                assert_ok(ia_updater_new(&o, twice.p, NULL, NULL, false, &twice.u, &err), err);
                assert_true(ia_updater_continues(twice.u));
            }
            bench *both[] = {&once, &twice};
            for (size_t n = 0; n < 2; n++) {
                give(both[n]->kernel, json_object_get(json_array_get(grads, k), "kernel"));
                give(both[n]->bias, json_object_get(json_array_get(grads, k), "bias"));
                ia_updater_begin(both[n]->u, 0.02);
                ia_updater_finish(both[n]->u);
            }
        }
        assert_memory_equal(once.kernel->value, twice.kernel->value, 6 * sizeof(float));
        ia_updater *u;
        assert_ok(ia_updater_new(&o, twice.p, NULL, NULL, true, &u, &err), err);
        assert_false(ia_updater_continues(u)); /* fresh on request */
        ia_updater_free(u);
        bench_close(&once);
        bench_close(&twice);
    }
    json_decref(all);
}

/* A variable that starts late takes its own first step: one learning rate at most for Adam. */
static void late_variables_count_their_own_steps(void **state)
{
    (void)state;
    inarch_error err;
    ia_optimizer o;
    json_t *all = fixture_json(FIXTURES "/train/optimizers.json");
    bench b;
    assert_ok(ia_optimizer_from_text("adam", &o, &err), err);
    bench_open(&b, all, &o);
    for (size_t k = 0; k < 50; k++) {
        for (size_t i = 0; i < 6; i++)
            b.kernel->grad[i] = b.bias->grad[i % 2] = 1;
        ia_updater_begin(b.u, 0.001);
        ia_updater_finish(b.u);
    }
    assert_ok(ia_updater_reserve(b.u, &err), err);
    ia_updater_publish(b.u);
    ia_slots_clear(&ia_live_variable(b.bias)->slots);
    ia_updater_rebind(b.u);
    float before = b.bias->value[0];
    b.bias->grad[0] = 1e-3f;
    ia_updater_begin(b.u, 0.001);
    ia_updater_finish(b.u);
    double step = (double)before - (double)b.bias->value[0];
    assert_true(step > 0 && step <= 0.00105);
    bench_close(&b);
    json_decref(all);
}

static void multipliers_and_constraints(void **state)
{
    (void)state;
    inarch_error err;
    ia_optimizer o;
    ia_program *p;
    ia_updater *u;
    ia_program_options po = {.mode = IA_RUN_TRAIN, .rows = 1};
    ia_model *m = rig_model("input:2,dense(1,name=a,learning_rate=0.5),"
                            "dense(1,name=b,kernel_constraint=non_neg)");
    assert_ok(ia_optimizer_from_text("sgd(1)", &o, &err), err);
    assert_ok(ia_program_new(m, &po, &p, &err), err);
    assert_ok(ia_updater_new(&o, p, NULL, NULL, false, &u, &err), err);
    float before[2] = {ia_program_live(p, 0)->value[0], ia_program_live(p, 0)->value[1]};
    for (size_t i = 0; i < ia_program_live_count(p); i++)
        for (size_t k = 0; k < ia_program_live(p, i)->count; k++)
            ia_program_live(p, i)->grad[k] = 100;
    ia_updater_begin(u, 1);
    ia_updater_finish(u);
    assert_near(ia_program_live(p, 0)->value[0], before[0] - 50, 1e-6);
    assert_near(ia_program_live(p, 0)->value[1], before[1] - 50, 1e-6);
    assert_string_equal(ia_program_live(p, 2)->path, "b/kernel");
    assert_true(ia_program_live(p, 2)->value[0] == 0); /* pushed below 0, put back */
    ia_updater_free(u);
    ia_program_free(p);
    ia_model_free(m);
}

static void files_of_every_generation(void **state)
{
    (void)state;
    static const struct {
        const char *json, *text;
        bool note;
    } good[] = {
        {"\"adam\"", "adam", false},
        {"{\"class_name\":\"Adam\",\"config\":{\"lr\":0.01,\"beta_1\":0.9,\"beta_2\":0.999,"
         "\"epsilon\":1e-8,\"decay\":0.0}}",
         "adam(learning_rate=0.01,epsilon=1e-08)", false},
        {"{\"class_name\":\"SGD\",\"config\":{\"name\":\"SGD\",\"learning_rate\":0.1,\"decay\":1e-"
         "4,"
         "\"momentum\":0.9,\"nesterov\":true}}",
         "sgd(learning_rate=0.1,momentum=0.9,nesterov=true)", true},
        {"{\"class_name\":\"Custom>AdamW\",\"config\":{\"weight_decay\":0.01,\"clipnorm\":null}}",
         "adamw(weight_decay=0.01)", false},
        {"{\"class_name\":\"RMSprop\",\"config\":{\"epsilon\":null,\"clipvalue\":0}}", "rmsprop",
         false},
        {"{\"class_name\":\"Nadam\",\"config\":{\"schedule_decay\":0.004,\"clipnorm\":1.0}}",
         "nadam(clipnorm=1)", false},
    };
    inarch_error err;
    for (size_t i = 0; i < IA_COUNT(good); i++) {
        json_t *v = json_loads(good[i].json, JSON_DECODE_ANY, NULL);
        ia_optimizer o;
        char text[256];
        assert_ok(ia_optimizer_from_json(v, &o, NULL, &err), err);
        ia_optimizer_to_text(&o, text, sizeof text);
        assert_string_equal(text, good[i].text);
        assert_int_equal(o.note[0] != '\0', good[i].note);
        json_decref(v);
    }
}

static void words_that_do_not_decay(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "adamw(weight_decay=0.3,exclude_from_weight_decay=bias|gamma)",
        "sgd(exclude_from_weight_decay=bias)",
    };
    inarch_error err;
    for (size_t i = 0; i < IA_COUNT(texts); i++) {
        ia_optimizer o;
        char text[256];
        assert_ok(ia_optimizer_from_text(texts[i], &o, &err), err);
        ia_optimizer_to_text(&o, text, sizeof text);
        assert_string_equal(text, texts[i]);
    }
}

static void a_schedule_in_the_file(void **state)
{
    (void)state;
    inarch_error err;
    ia_optimizer o;
    ia_schedule s = {0};
    json_t *v = json_loads("{\"class_name\":\"SGD\",\"config\":{\"learning_rate\":{\"class_name\":"
                           "\"ExponentialDecay\",\"config\":{\"initial_learning_rate\":0.5,"
                           "\"decay_steps\":10,\"decay_rate\":0.9,\"staircase\":false}}}}",
                           0, NULL),
           *back;
    assert_ok(ia_optimizer_from_json(v, &o, &s, &err), err);
    assert_near(o.learning_rate, 0.5, 0);
    assert_near(ia_schedule_rate(&s, &(ia_schedule_at){.step = 10}), 0.45, 1e-12);
    assert_ok(ia_optimizer_to_json(
                  &o, &s,
                  &(ia_schedule_at){.base = o.learning_rate, .epoch_steps = 1, .run_steps = 1},
                  &back, &err),
              err);
    const json_t *rate = json_object_get(json_object_get(back, "config"), "learning_rate");
    assert_string_equal(ia_json_string(rate, "class_name", ""), "ExponentialDecay");
    json_decref(back);
    assert_int_equal(ia_optimizer_from_json(v, &o, NULL, &err), INARCH_UNSUPPORTED);
    json_decref(v);
}

static void errors_say_what_to_do(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message, *hint;
    } bad[] = {
        {"adm", "unknown optimizer 'adm'", "did you mean 'adam'?"},
        {"xyzzy", "unknown optimizer 'xyzzy'",
         "there are sgd, rmsprop, adam, adamw, adagrad, adadelta, adamax, nadam"},
        {"sgd(momentum=2)", "momentum of sgd cannot be 2", "0 to 1"},
        {"sgd(-1)", "learning_rate of sgd cannot be -1", "0 to 1e6"},
        {"adam(beta_1=1)", "beta_1 of adam cannot be 1", "decay of the mean; 0 to below 1"},
        {"adam(lr=x)", "learning_rate of adam cannot be 'x'", "0 to 1e6"},
        {"adam(clipnorm=1,clipvalue=1)",
         "only one of clipnorm, clipvalue and global_clipnorm can be set", "drop all but one"},
        {"adam(nesterov=true)", "adam has no setting 'nesterov'",
         "it has learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay, clipnorm, "
         "clipvalue, global_clipnorm"},
        {"sgd(nesterov=maybe)", "nesterov of sgd cannot be 'maybe'", "true: Nesterov's momentum"},
    };
    inarch_error err;
    ia_optimizer o;
    for (size_t i = 0; i < IA_COUNT(bad); i++) {
        assert_int_equal(ia_optimizer_from_text(bad[i].text, &o, &err), INARCH_BAD_ARGUMENT);
        assert_string_equal(err.message, bad[i].message);
        assert_string_equal(err.hint, bad[i].hint);
    }
    json_t *v = json_loads("{\"class_name\":\"Adam\",\"config\":{\"use_ema\":true}}", 0, NULL);
    assert_int_equal(ia_optimizer_from_json(v, &o, NULL, &err), INARCH_UNSUPPORTED);
    assert_string_equal(
        err.message,
        "optimizer 'adam' with a moving average of the weights (use_ema) is not supported");
    json_decref(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_keras),
        cmocka_unit_test(slots_carry_on),
        cmocka_unit_test(late_variables_count_their_own_steps),
        cmocka_unit_test(multipliers_and_constraints),
        cmocka_unit_test(files_of_every_generation),
        cmocka_unit_test(words_that_do_not_decay),
        cmocka_unit_test(a_schedule_in_the_file),
        cmocka_unit_test(errors_say_what_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
