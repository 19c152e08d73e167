/* Sessions: they outlive the model they were made from, and train by the options, moments and steps
 * that a fit would. */
#include "rig.h"

#include <math.h>

enum { ROWS = 8 };

static const float inputs[ROWS * 4] = {0.1f, -0.4f, 0.9f, 0.3f, -0.2f, 0.5f, 0.8f, -0.7f};

static inarch_session *training(inarch_model *m, const inarch_fit_options *fit)
{
    inarch_error err;
    inarch_session *s;
    inarch_session_options o = INARCH_SESSION_OPTIONS;
    o.training = 1;
    o.fit = fit;
    assert_ok(inarch_session_new(m, &o, &s, &err), err);
    return s;
}

static void step(inarch_session *s, const float *targets)
{
    inarch_error err;
    const float *x = inputs;
    assert_ok(inarch_session_step(s, ROWS, &x, &targets, NULL, &err), err);
}

/* It goes on serving the weights of the moment it was made, whatever becomes of the model. */
static void test_outlives(void **state)
{
    (void)state;
    inarch_error err;
    float before[ROWS * 3], after[ROWS * 3];
    const float *x = inputs;
    float *y = before;
    inarch_session *s;
    inarch_model *m = rig_new("input:4,dense(8,tanh),dense(3,softmax)");
    inarch_data *d = rig_rows(m, 20, 9);
    assert_ok(inarch_session_new(m, NULL, &s, &err), err);
    assert_ok(inarch_session_run(s, ROWS, &x, &y, &err), err);
    y = after;
    assert_ok(inarch_fit(m, d, NULL, NULL, &err), err);
    assert_ok(inarch_session_run(s, ROWS, &x, &y, &err), err);
    assert_memory_equal(before, after, sizeof before);
    assert_ok(inarch_cut(m, "dense", &err), err);
    assert_ok(inarch_session_run(s, ROWS, &x, &y, &err), err);
    assert_memory_equal(before, after, sizeof before);
    inarch_free(m);
    assert_ok(inarch_session_run(s, ROWS, &x, &y, &err), err);
    assert_memory_equal(before, after, sizeof before);
    inarch_session_free(s);
    inarch_data_free(d);
}

/* The loss of the file decides what targets are, as a named one does. */
static void test_compiled_loss(void **state)
{
    (void)state;
    inarch_error err;
    static const float targets[ROWS] = {0, 1, 2, 0, 1, 2, 0, 1};
    inarch_model *m = rig_new("input:4,dense(8,tanh),dense(3,softmax)");
    inarch_data *d = rig_rows(m, 20, 9);
    assert_ok(inarch_fit(m, d, NULL, NULL, &err), err); /* sparse, by its labels */
    inarch_session *s = training(m, NULL);
    step(s, targets);
    assert_ok(inarch_session_publish(s, &err), err);
    inarch_session_free(s);
    inarch_data_free(d);
    inarch_free(m);
}

static void test_options(void **state)
{
    (void)state;
    inarch_error err;
    inarch_session *s;
    inarch_session_options o = INARCH_SESSION_OPTIONS;
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    inarch_model *m = rig_new("input:4,dense(3,softmax)");
    o.training = 1;
    o.fit = &fit;
    static const double bad[] = {-1, INFINITY};
    for (size_t i = 0; i < IA_COUNT(bad); i++) {
        fit.learning_rate = bad[i];
        assert_int_equal(inarch_session_new(m, &o, &s, &err), INARCH_BAD_ARGUMENT);
        assert_string_equal(err.subject, "learning_rate");
    }
    inarch_free(m);
}

static uint64_t steps_of(const inarch_model *m)
{
    inarch_error err;
    inarch_weight w = {.size = sizeof w};
    assert_ok(inarch_weight_get(m, "head/kernel", &w, &err), err);
    assert_true(w.step == m->doc->step);
    return w.step;
}

/* Moments go on as between fits, and start anew where a fit's would. */
static void test_moments(void **state)
{
    (void)state;
    inarch_error err;
    static const float targets[ROWS] = {0, 1, 1, 0, 1, 0, 0, 1};
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    fit.loss = "binary_crossentropy";
    inarch_model *m = rig_new("input:4,dense(1,sigmoid,name=head)");
    for (int i = 0; i < 2; i++) {
        inarch_session *s = training(m, &fit);
        step(s, targets);
        step(s, targets);
        assert_ok(inarch_session_publish(s, &err), err);
        inarch_session_free(s);
        assert_int_equal(steps_of(m), 2 * (i + 1));
    }
    m->doc->foreign_moments = true; /* as from a file of Keras, after surgery */
    m->edited = API_EDITED;
    inarch_session *s = training(m, &fit);
    step(s, targets);
    assert_ok(inarch_session_publish(s, &err), err);
    inarch_session_free(s);
    assert_int_equal(steps_of(m), 1);
    s = training(m, &fit); /* these are our own */
    step(s, targets);
    assert_ok(inarch_session_publish(s, &err), err);
    inarch_session_free(s);
    assert_int_equal(steps_of(m), 2);
    fit.fresh_moments = 1;
    s = training(m, &fit);
    step(s, targets);
    assert_ok(inarch_session_publish(s, &err), err);
    inarch_session_free(s);
    assert_int_equal(steps_of(m), 1);
    inarch_free(m);
}

/* A step that is not taken leaves moving statistics alone too: the session can go on. */
static void test_bad_step(void **state)
{
    (void)state;
    inarch_error err;
    float huge[ROWS * 4];
    static const float targets[ROWS * 1] = {0, 1, 1, 0, 1, 0, 0, 1};
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    fit.loss = "binary_crossentropy";
    inarch_model *m = rig_new("input:4,batchnorm,dense(1,sigmoid)"), *other = rig_clone(m);
    inarch_session *s = training(m, &fit), *good = training(other, &fit);
    const float *x = huge, *y = targets;
    for (size_t i = 0; i < ROWS * 4; i++)
        huge[i] = 3e38f; /* their mean is infinite */
    assert_int_equal(inarch_session_step(s, ROWS, &x, &y, NULL, &err), INARCH_DIVERGED);
    assert_non_null(strstr(err.message, "no weight was updated"));
    step(s, targets);
    step(good, targets);
    assert_ok(inarch_session_publish(s, &err), err);
    assert_ok(inarch_session_publish(good, &err), err);
    assert_true(hash_weights(m) == hash_weights(other));
    inarch_session_free(good);
    inarch_session_free(s);
    inarch_free(other);
    inarch_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outlives), cmocka_unit_test(test_compiled_loss),
        cmocka_unit_test(test_options),  cmocka_unit_test(test_moments),
        cmocka_unit_test(test_bad_step),
    };
    return cmocka_run_group_tests(tests, NULL, rig_folder_remove);
}
