/* Freezing, unfreezing and learning-rate groups by pattern, by count and by name. */
#include "surgery_rig.h"

static void check_error(inarch_status got, inarch_status want, const inarch_error *err,
                        const char *subject, const char *message, const char *hint)
{
    assert_int_equal(got, want);
    assert_string_equal(err->subject, subject);
    assert_string_equal(err->message, message);
    assert_string_equal(err->hint, hint);
}

/* ---- patterns ---- */

typedef struct step {
    int freeze;
    const char *pattern;
    const char *live; /* afterwards */
} step;

static void run_steps(inarch_model *m, const step *steps, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        inarch_error err;
        assert_ok(steps[i].freeze ? inarch_freeze(m, steps[i].pattern, &err)
                                  : inarch_unfreeze(m, steps[i].pattern, &err),
                  err);
        if (strcmp(live_layers(m), steps[i].live) != 0)
            fail_msg("%sfreeze %s: live are '%s', not '%s'", steps[i].freeze ? "" : "un",
                     steps[i].pattern, live_layers(m), steps[i].live);
    }
    inarch_free(m);
}

static void test_sequential_patterns(void **state)
{
    (void)state;
    static const step steps[] = {
        {1, "a", "b d e"},   {1, "d,e", "b"}, {0, "*", "a b d e"},
        {1, "[xyz]*,a", ""}, {1, "?", ""},    {0, "e,d", "d e"},
        {0, "a,a", "a d e"}, {1, "*", ""},    {0, "b", "b"},
    };
    inarch_error err;
    inarch_model *m = sequential();
    /* '[' is a plain character: names hold it more often than anybody wants a class of characters.
     */
    assert_int_equal(inarch_freeze(m, steps[3].pattern, &err), INARCH_NOT_FOUND);
    run_steps(m, steps, 3);
    run_steps(sequential(), steps + 4, IA_COUNT(steps) - 4);
}

/* A pattern that matches a nested model takes all inside along; a layer inside a frozen one becomes
 * live alone. */
static void test_nested_patterns(void **state)
{
    (void)state;
    static const step steps[] = {
        {1, "base", "up top"},
        {0, "base/q", "base/q up top"},
        {0, "base/*", "base/p base/q up top"},
        {1, "base/p", "base/q up top"},
        {1, "*", ""},
        {0, "base", "base/p base/q"},
        {1, "b*", ""},
        {0, "top", "top"},
        {0, "*/p", "base/p top"},
    };
    run_steps(functional(), steps, IA_COUNT(steps));
}

/* The same two levels deep: only the named layer becomes live, everything beside it stays frozen.
 */
static void test_unfreeze_deep(void **state)
{
    (void)state;
    ia_model *inner = rig_model("inner"), *middle = rig_model("middle"), *doc = rig_model("m");
    ia_ref x = rig_input(inner, "input:4"), y = rig_put(inner, "dense(4,name=u)", x);
    y = rig_put(inner, "dense(4,name=v)", y);
    rig_ports(inner, &x, 1, &y, 1);
    x = rig_input(middle, "input:4");
    y = rig_call(middle, rig_nested(middle, inner, "inner"), &x, 1);
    y = rig_put(middle, "dense(4,name=w)", y);
    rig_ports(middle, &x, 1, &y, 1);
    x = rig_input(doc, "input:4");
    y = rig_call(doc, rig_nested(doc, middle, "middle"), &x, 1);
    y = rig_put(doc, "dense(4,name=top)", y);
    rig_ports(doc, &x, 1, &y, 1);
    static const step steps[] = {{1, "middle", "top"},
                                 {0, "middle/inner/v", "middle/inner/v top"},
                                 {1, "top", "middle/inner/v"},
                                 {0, "middle/w", "middle/inner/v middle/w"}};
    run_steps(rig_finish(doc, 1), steps, IA_COUNT(steps));
}

/* The container's flag alone, as Keras files carry it: its layers' own flags are still set. */
static void test_frozen_container(void **state)
{
    (void)state;
    inarch_model *m = functional();
    ia_model_layer(m->doc, "base")->trainable = false;
    assert_string_equal(live_layers(m), "up top");
    static const step steps[] = {{0, "base/p", "base/p up top"},
                                 {0, "base", "base/p base/q up top"}};
    run_steps(m, steps, IA_COUNT(steps));
}

/* ---- counts ---- */

static void test_counts(void **state)
{
    (void)state;
    static const char *const live[] = {"a b d e", "b d e", "d e", "d e", "e", ""};
    inarch_error err;
    for (size_t n = 0; n < IA_COUNT(live); n++) {
        inarch_model *m = sequential();
        assert_ok(inarch_freeze_first(m, n, &err), err);
        assert_string_equal(live_layers(m), live[n]); /* the InputLayer does not count */
        inarch_free(m);
    }
    inarch_model *m = sequential();
    check_error(inarch_freeze_first(m, 6, &err), INARCH_BAD_ARGUMENT, &err, "sequential",
                "cannot freeze 6 layers: the model has 5", "show counts the layers of a model");
    assert_string_equal(live_layers(m), "a b d e");
    inarch_free(m);

    m = functional(); /* left, right, base, join, up, sum, top: InputLayers count */
    assert_ok(inarch_freeze_first(m, 2, &err), err);
    assert_string_equal(live_layers(m), "base/p base/q up top");
    assert_ok(inarch_freeze_first(m, 3, &err), err);
    assert_string_equal(live_layers(m), "up top");
    assert_int_equal(inarch_freeze_first(m, 8, &err), INARCH_BAD_ARGUMENT);
    assert_string_equal(err.message, "cannot freeze 8 layers: the model has 7");
    inarch_free(m);
}

static void test_freeze_to(void **state)
{
    (void)state;
    inarch_error err;
    inarch_model *m = sequential();
    assert_ok(inarch_freeze_to(m, "c", &err), err);
    assert_string_equal(live_layers(m), "d e");
    assert_ok(inarch_freeze_to(m, "a", &err), err); /* never unfreezes */
    assert_string_equal(live_layers(m), "d e");
    check_error(inarch_freeze_to(m, "dd", &err), INARCH_NOT_FOUND, &err, "dd",
                "there is no layer 'dd' in the model", "did you mean 'd'?");
    inarch_free(m);
    m = functional();
    assert_ok(inarch_freeze_to(m, "join", &err), err);
    assert_string_equal(live_layers(m), "up top");
    check_error(inarch_freeze_to(m, "base/p", &err), INARCH_BAD_ARGUMENT, &err, "base/p",
                "'base/p' is no layer that model.layers counts, so nothing is frozen up to it",
                "'base/p,' freezes exactly it, 'base/*' all of 'base'");
    inarch_free(m);
}

/* ---- misuse ---- */

static void test_errors(void **state)
{
    (void)state;
    inarch_error err;
    inarch_model *m = functional();
    char *before = document_text(m);
    check_error(inarch_freeze(m, "up,topp", &err), INARCH_NOT_FOUND, &err, "topp",
                "there is no layer 'topp' in the model", "did you mean 'top'?");
    check_error(inarch_freeze(m, "", &err), INARCH_BAD_ARGUMENT, &err, "",
                "an empty pattern matches no layer", "name a layer, or write '*'");
    check_error(inarch_unfreeze(m, "zzz*", &err), INARCH_NOT_FOUND, &err, "zzz*",
                "there is no layer 'zzz*' in the model", "show lists the layers of a model");
    check_error(inarch_freeze(m, "up,", &err), INARCH_BAD_ARGUMENT, &err, "up,",
                "an empty pattern matches no layer", "name a layer, or write '*'");
    check_error(inarch_group(m, "up", -1, &err), INARCH_BAD_ARGUMENT, &err, "up",
                "a learning-rate multiplier must lie between 0 and 1e6, not -1",
                "1 is the default");
    assert_int_equal(inarch_group(m, "up", (double)NAN, &err), INARCH_BAD_ARGUMENT);
    assert_int_equal(inarch_group(m, "nope", 1, &err), INARCH_NOT_FOUND);
    char *after = document_text(m);
    assert_string_equal(before, after); /* 'up' was not frozen on the way */
    free(before);
    free(after);
    inarch_free(m);
}

/* ---- learning rates ---- */

static double move_of(const inarch_model *a, const inarch_model *b, const char *path)
{
    inarch_error err;
    inarch_weight v = {.size = sizeof v}, w = {.size = sizeof w};
    double most = 0;
    assert_ok(inarch_weight_get(a, path, &v, &err), err);
    assert_ok(inarch_weight_get(b, path, &w, &err), err);
    for (size_t i = 0; i < v.count; i++)
        most = fmax(most, fabs((double)v.data[i] - (double)w.data[i]));
    return most;
}

/* Plain Adam's first step is the learning rate, so the multipliers show in it: along the path they
 * are multiplied, and 0 means no move. They survive a file. */
static void test_groups(void **state)
{
    (void)state;
    inarch_error err;
    inarch_model *m = functional();
    inarch_data *d = rig_rows(m, 30, 1);
    assert_ok(inarch_group(m, "base", 0.5, &err), err);
    assert_ok(inarch_group(m, "base/q", 0.1, &err), err);
    assert_ok(inarch_group(m, "up", 0, &err), err);
    inarch_model *back = rig_reload(m, "group.h5"), *moved[2] = {rig_clone(m), back};
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    fit.batch_size = 30;
    fit.optimizer = "adam(learning_rate=0.01)";
    for (int i = 0; i < 2; i++) {
        assert_ok(inarch_fit(moved[i], d, &fit, NULL, &err), err);
        assert_near(move_of(m, moved[i], "top/kernel") / 0.01, 1, 2e-2);
        assert_near(move_of(m, moved[i], "base/p/kernel") / 0.005, 1, 2e-2);
        assert_near(move_of(m, moved[i], "base/q/kernel") / 0.0005, 1, 2e-2);
        assert_true(move_of(m, moved[i], "up/kernel") == 0);
        inarch_free(moved[i]);
    }
    inarch_data_free(d);
    inarch_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sequential_patterns),
        cmocka_unit_test(test_nested_patterns),
        cmocka_unit_test(test_unfreeze_deep),
        cmocka_unit_test(test_frozen_container),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_freeze_to),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_groups),
    };
    return cmocka_run_group_tests(tests, NULL, rig_folder_remove);
}
