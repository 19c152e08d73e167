/* What a file says of itself - loss, weights, metrics, optimizer, names of classes and of label
 * columns - and what of it holds after surgery, in fits, evaluations and sessions alike. */
#include "rig.h"

#include <math.h>

static inarch_error err;

static void same(double got, double want, double tolerance)
{
    assert_true(fabs(got - want) <= tolerance);
}

static bool missing(double v)
{
    return v != v;
}

static inarch_fit_plan plan_of(const inarch_model *m, const inarch_data *d,
                               const inarch_fit_options *fit)
{
    inarch_fit_plan p = {.size = sizeof p};
    assert_ok(inarch_fit_describe(m, d, fit, &p, &err), err);
    return p;
}

static double evaluated(const inarch_model *m, const inarch_data *d, const char *column)
{
    inarch_history *h;
    assert_ok(inarch_evaluate(m, d, NULL, &h, &err), err);
    double v = inarch_history_get(h, 0, column);
    inarch_history_free(h);
    return v;
}

static const char *written(const char *name, const char *text)
{
    const char *path = rig_path(name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    return path;
}

static inarch_data *opened(const char *path, const char *labels, const inarch_model *m)
{
    inarch_data *d;
    inarch_data_options o = INARCH_DATA_OPTIONS;
    o.labels = labels;
    assert_ok(inarch_data_open(path, &o, m, &d, &err), err);
    return d;
}

static inarch_data *labelled(size_t rows, const float *y)
{
    static const float x[24] = {0.1f, 0.9f, -0.3f, 0.4f, 0.7f, -0.8f, 0.2f, 0.5f};
    inarch_data *d;
    inarch_array in = {x, {1, {2}}}, out = {y, {0, {0}}};
    assert_ok(inarch_data_arrays(rows, &in, 1, &out, 1, &d, &err), err);
    return d;
}

/* Freezing leaves the outputs as they are, and so their loss and metrics; a new output has none. */
static void test_one_output(void **state)
{
    (void)state;
    inarch_model *made = rig_new("input:2,dense(4,tanh,name=a),dense(1,name=b)");
    inarch_data *d = rig_rows(made, 12, 5);
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    fit.loss = "huber(delta=0.5)";
    fit.metrics = "mae";
    fit.optimizer = "sgd(learning_rate=0.02,momentum=0.9)";
    assert_ok(inarch_fit(made, d, &fit, NULL, &err), err);
    inarch_model *m = rig_reload(made, "huber.h5");
    inarch_fit_plan p = plan_of(m, d, NULL);
    assert_string_equal(p.loss_origin, "file");
    assert_string_equal(p.optimizer_origin, "file, with its moments");
    double loss = evaluated(m, d, "loss");

    assert_ok(inarch_freeze(m, "a", &err), err);
    p = plan_of(m, d, NULL);
    assert_string_equal(p.loss, "huber(delta=0.5)");
    assert_string_equal(p.loss_origin, "file");
    assert_string_equal(p.metrics, "mae");
    assert_string_equal(p.optimizer_origin, "default");
    same(evaluated(m, d, "loss"), loss, 0);

    assert_ok(inarch_pop(m, 1, &err), err);
    assert_ok(inarch_add(m, "dense:1", &err), err);
    p = plan_of(m, d, NULL);
    assert_string_equal(p.loss, "mean_squared_error");
    assert_string_equal(p.loss_origin, "head and labels");
    assert_string_equal(p.metrics, "");
    inarch_data_free(d);
    inarch_free(m);
    inarch_free(made);
}

static void test_sessions_alike(void **state)
{
    (void)state;
    static const float x[] = {0.5f, -1}, y[] = {9};
    const float *inputs = x, *targets = y;
    double by_file, frozen;
    inarch_session_options o = INARCH_SESSION_OPTIONS;
    inarch_session *s;
    inarch_model *m;
    assert_ok(inarch_load(rig_path("huber.h5"), NULL, &m, &err), err);
    o.training = 1;
    assert_ok(inarch_session_new(m, &o, &s, &err), err);
    assert_ok(inarch_session_step(s, 1, &inputs, &targets, &by_file, &err), err);
    inarch_session_free(s);
    assert_ok(inarch_freeze(m, "a", &err), err);
    assert_ok(inarch_session_new(m, &o, &s, &err), err);
    assert_ok(inarch_session_step(s, 1, &inputs, &targets, &frozen, &err), err);
    same(frozen, by_file, 0);
    inarch_session_free(s);
    inarch_free(m);
}

static inarch_model *two_outputs(void)
{
    inarch_model *m = rig_new("input:2,dense(4,tanh,name=a),dense(1,name=b)");
    assert_ok(inarch_attach(m, "a", "dense(3,softmax,name=c)", &err), err);
    return m;
}

static void test_two_outputs(void **state)
{
    (void)state;
    inarch_model *made = two_outputs();
    inarch_data *d = rig_rows(made, 12, 5);
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    fit.loss = "mae,sparse_categorical_crossentropy"; /* in the order of outputs */
    fit.loss_weights = "1,0.5";
    inarch_fit_plan p = plan_of(made, d, &fit);
    assert_string_equal(p.loss, "b=mean_absolute_error, c=sparse_categorical_crossentropy");
    assert_string_equal(p.metrics, "c=accuracy"); /* of the output that tells classes apart */
    assert_ok(inarch_fit(made, d, &fit, NULL, &err), err);
    inarch_model *m = rig_reload(made, "two.h5");
    assert_ok(inarch_freeze(m, "a", &err), err);
    inarch_history *h;
    assert_ok(inarch_evaluate(m, d, NULL, &h, &err), err);
    same(inarch_history_get(h, 0, "loss"),
         inarch_history_get(h, 0, "b_loss") + 0.5 * inarch_history_get(h, 0, "c_loss"), 1e-7);
    assert_string_equal(inarch_history_name(h, 3), "c_accuracy");
    inarch_history_free(h);
    fit.loss_weights = "1";
    assert_int_equal(inarch_fit(m, d, &fit, NULL, &err), INARCH_BAD_ARGUMENT);
    assert_string_equal(err.message, "loss_weights: 1 given, but the model has 2 outputs");
    fit.loss_weights = NULL;
    fit.loss = "mae,mae,mae";
    assert_int_equal(inarch_fit(m, d, &fit, NULL, &err), INARCH_BAD_ARGUMENT);
    assert_string_equal(err.message, "loss: 3 given, but the model has 2 outputs");
    inarch_data_free(d);
    inarch_free(m);
    inarch_free(made);
}

/* One name for one metric: in fit, after it, and after a reload; and by what it resolved to. */
static void test_accuracy_keeps_its_name(void **state)
{
    (void)state;
    inarch_model *made = rig_new("input:2,dense(3,softmax)");
    inarch_data *d = rig_rows(made, 12, 5);
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    inarch_history *h;
    fit.metrics = "acc";
    assert_ok(inarch_fit(made, d, &fit, &h, &err), err);
    assert_string_equal(inarch_history_name(h, 1), "acc");
    inarch_history_free(h);
    inarch_model *m = rig_reload(made, "acc.h5");
    inarch_fit_options again = INARCH_FIT_OPTIONS;
    again.val_split = 0.5;
    again.early_stopping = 1;
    again.monitor = "val_accuracy";
    assert_ok(inarch_fit(m, d, &again, &h, &err), err);
    assert_string_equal(inarch_history_name(h, 1), "acc");
    assert_false(missing(inarch_history_get(h, 0, "val_sparse_categorical_accuracy")));
    assert_true(missing(inarch_history_get(h, 0, "val_precision")));
    inarch_history_free(h);
    inarch_meta_set(m, "metrics", NULL, NULL); /* as Keras would write it */
    assert_ok(inarch_evaluate(m, d, NULL, &h, &err), err);
    assert_string_equal(inarch_history_name(h, 1), "sparse_categorical_accuracy");
    assert_false(missing(inarch_history_get(h, 0, "accuracy")));
    inarch_history_free(h);
    inarch_data_free(d);
    inarch_free(m);
    inarch_free(made);
}

/* A trained head's units stand for the indices 0 to 2; a new one learns what they stand for. */
static void test_numbers_of_a_trained_head(void **state)
{
    (void)state;
    static const float known[] = {0, 1, 2, 2, 1, 0}, other[] = {0, 7, 1, 7, 1, 0};
    inarch_model *made = rig_new("input:2,dense(4,tanh,name=a),dense(3,softmax)"), *m;
    inarch_data *d = labelled(6, known), *strange = labelled(6, other);
    assert_ok(inarch_fit(made, d, NULL, NULL, &err), err);
    assert_int_equal(inarch_fit(made, strange, NULL, NULL, &err), INARCH_BAD_DATA);
    m = rig_reload(made, "indices.h5");
    for (int frozen = 0; frozen < 2; frozen++) {
        assert_int_equal(inarch_fit(m, strange, NULL, NULL, &err), INARCH_BAD_DATA);
        assert_string_equal(err.message,
                            "'arrays': label 7 (y[1]) is outside the 3 classes 0 to 2");
        assert_string_equal(err.hint, "for other classes replace the head: tune --head auto");
        assert_ok(inarch_freeze(m, "a", &err), err);
    }
    assert_ok(inarch_head(m, 3, 0, &err), err);
    assert_ok(inarch_fit(m, strange, NULL, NULL, &err), err);
    assert_string_equal(inarch_name_at(m, "classes", 2), "7");
    inarch_free(m);
    m = rig_reload(made, "indices.h5");
    assert_ok(inarch_reset(m, "dense", &err), err);
    assert_ok(inarch_fit(m, strange, NULL, NULL, &err), err);
    inarch_data_free(strange);
    inarch_data_free(d);
    inarch_free(m);
    inarch_free(made);
}

#define ALPHABETICAL                                                                               \
    "the model has no class names; labels are taken in alphabetical order: elm = 0, oak = 1, "     \
    "yew = 2; --classes says another"

static void test_words_of_a_trained_head(void **state)
{
    (void)state;
    static const float known[] = {0, 1, 2, 2, 1, 0};
    const char *path = written("words.csv", "a,b,kind\n1,2,oak\n2,1,elm\n3,5,yew\n0,2,oak\n");
    inarch_model *made = rig_new("input:2,dense(3,softmax)");
    inarch_data *d = labelled(6, known), *words = opened(path, "kind", NULL);
    assert_string_equal(plan_of(made, words, NULL).note, ""); /* new: it learns them */
    assert_ok(inarch_fit(made, d, NULL, NULL, &err), err);
    inarch_model *m = rig_reload(made, "unnamed.h5");
    assert_string_equal(plan_of(m, words, NULL).note, ALPHABETICAL);
    inarch_history *h;
    assert_ok(inarch_evaluate(m, words, NULL, &h, &err), err);
    assert_string_equal(inarch_history_note(h), ALPHABETICAL);
    inarch_history_free(h);
    assert_ok(inarch_meta_set(m, "classes", "[\"oak\", \"elm\", \"yew\"]", &err), err);
    assert_string_equal(plan_of(m, words, NULL).note, "");
    inarch_data_free(words);
    inarch_data_free(d);
    inarch_free(m);
    inarch_free(made);
}

/* What a fit leaves out, and validation rows that tell nothing, are said. */
static void test_notes(void **state)
{
    (void)state;
    static const float sorted[] = {0, 0, 1, 1, 2, 2}, tail[] = {0, 1, 0, 1, 1, 1};
    inarch_model *m = rig_new("input:2,dense(3,softmax)"),
                 *one = rig_new("input:2,dense(1,sigmoid)");
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    inarch_data *d = labelled(6, sorted), *e = labelled(6, tail);
    assert_string_equal(plan_of(m, d, &fit).note, "");
    fit.val_split = 0.5;
    assert_string_equal(plan_of(m, d, &fit).note,
                        "the validation rows hold classes that no training row has; shuffle the "
                        "rows of the file first");
    fit.val_split = 0.2;
    assert_string_equal(plan_of(m, d, &fit).note,
                        "the validation rows hold one class only; shuffle the rows of the file "
                        "first");
    assert_string_equal(plan_of(one, e, &fit).note,
                        "the validation rows hold one class only; shuffle the rows of the file "
                        "first");
    inarch_free(one);
    inarch_data_free(e);

    assert_ok(inarch_fit(m, d, NULL, NULL, &err), err);
    json_array_append_new(m->doc->compile.metrics, json_string("own_metric"));
    assert_string_equal(plan_of(m, d, NULL).note,
                        "left out a metric of the file: unknown metric 'own_metric'");
    inarch_data_free(d);
    inarch_free(m);
}

/* Label columns of a regression are known by name, as the columns of inputs are. */
static void test_label_columns(void **state)
{
    (void)state;
    const char *path = written("xyz.csv", "a,b,y,z\n1,2,5,-1\n2,1,6,-2\n3,5,7,-3\n0,2,8,-4\n");
    inarch_model *made = rig_new("input:2,dense(4),dense(2)");
    inarch_data *yz = opened(path, "y,z", made);
    assert_ok(inarch_fit(made, yz, NULL, NULL, &err), err);
    inarch_model *m = rig_reload(made, "yz.h5");
    assert_string_equal(inarch_name_at(m, "targets", 1), "z");
    inarch_data *zy = opened(path, "z,y", m), *zq;
    zq = opened(written("zq.csv", "a,b,q,z\n1,2,5,-1\n2,1,6,-2\n"), "z,q", m);
    same(evaluated(m, zy, "loss"), evaluated(m, yz, "loss"), 0);
    assert_int_equal(inarch_fit(m, zq, NULL, NULL, &err), INARCH_NOT_FOUND);
    assert_non_null(
        strstr(err.message, "lacks the label column 'y', which the model was trained on"));
    assert_string_equal(err.hint, "its label columns are 'z', 'q'");
    char text[64] = "";
    assert_ok(inarch_predict_file(m, yz, NULL, NULL, rig_path("p.csv"), &err), err);
    FILE *f = fopen(rig_path("p.csv"), "r");
    assert_non_null(f);
    assert_non_null(fgets(text, sizeof text, f));
    fclose(f);
    assert_string_equal(text, "y,z\n");
    assert_ok(inarch_pop(m, 1, &err), err);
    assert_null(inarch_name_at(m, "targets", 0));
    inarch_data_free(zq);
    inarch_data_free(zy);
    inarch_data_free(yz);
    inarch_free(m);
    inarch_free(made);
}

/* Each output has a label column of its own. */
static void test_label_columns_of_outputs(void **state)
{
    (void)state;
    const char *path =
        written("two.csv", "u,v,y,kind\n1,2,5,oak\n2,1,6,elm\n3,5,7,yew\n0,2,8,oak\n");
    inarch_model *m = two_outputs();
    inarch_data *right = opened(path, "y,kind", m), *turned = opened(path, "kind,y", m);
    assert_ok(inarch_fit(m, right, NULL, NULL, &err), err);
    same(evaluated(m, turned, "loss"), evaluated(m, right, "loss"), 0);
    inarch_data_free(turned);
    inarch_data_free(right);
    inarch_free(m);
}

static void test_labels_not_named(void **state)
{
    (void)state;
    const char *path = written("table.csv", "a,b,y\n1,2,5\n2,1,6\n");
    inarch_model *m = rig_new("input:2,dense(1)");
    inarch_data *d = opened(path, NULL, m);
    inarch_history *h;
    assert_int_equal(inarch_evaluate(m, d, NULL, &h, &err), INARCH_BAD_DATA);
    assert_string_equal(err.hint,
                        "name what is not an input: --labels COLUMN, or --drop COLUMN; the "
                        "columns are 'a', 'b', 'y'");
    inarch_data_free(d);
    inarch_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_output),
        cmocka_unit_test(test_sessions_alike),
        cmocka_unit_test(test_two_outputs),
        cmocka_unit_test(test_accuracy_keeps_its_name),
        cmocka_unit_test(test_numbers_of_a_trained_head),
        cmocka_unit_test(test_words_of_a_trained_head),
        cmocka_unit_test(test_notes),
        cmocka_unit_test(test_label_columns),
        cmocka_unit_test(test_label_columns_of_outputs),
        cmocka_unit_test(test_labels_not_named),
    };
    return cmocka_run_group_tests(tests, NULL, rig_folder_remove);
}
