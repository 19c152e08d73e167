/* From options, compile state, head and labels to an objective: what follows where nothing is said,
 * and what bad labels and names get. */
#include "test.h"
#include "train/rig.h"

#include "train/setup.h"

static inarch_error err;

static ia_data *labels(size_t rows, size_t cols, const float *values)
{
    ia_data *d;
    ia_array x = rig_array(rows, 4), y = rig_array(rows, cols);
    memcpy(ia_array_mutable(&y), values, rows * cols * sizeof(float));
    assert_ok(ia_data_new("rows.csv", &d, &err), err);
    assert_ok(ia_data_add_input(d, "x", &x, &err), err);
    assert_ok(ia_data_add_target(d, "label", &y, &err), err);
    ia_array_release(&x);
    ia_array_release(&y);
    return d;
}

static const float bits[] = {0, 1, 1, 0}, index3[] = {0, 2, 1, 2}, halves[] = {0.5f, -2, 7, 1};
static const float hot[] = {1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1};

static void losses_follow_from_head_and_labels(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        const float *labels;
        size_t cols;
        const char *loss;
        ia_encoding encoding;
        ia_logits logits;
    } row[] = {
        {"dense(1,sigmoid)", bits, 1, "binary_crossentropy", IA_ENCODE_VALUES, IA_LOGITS_SIGMOID},
        {"dense(3,softmax)", index3, 1, "sparse_categorical_crossentropy", IA_ENCODE_CLASS,
         IA_LOGITS_SOFTMAX},
        {"dense(3,softmax)", hot, 3, "categorical_crossentropy", IA_ENCODE_VALUES,
         IA_LOGITS_SOFTMAX},
        {"dense(3),softmax", hot, 3, "categorical_crossentropy", IA_ENCODE_VALUES,
         IA_LOGITS_SOFTMAX},
        {"dense(3,sigmoid)", hot, 3, "binary_crossentropy", IA_ENCODE_VALUES, IA_LOGITS_SIGMOID},
        {"dense(1)", halves, 1, "mean_squared_error", IA_ENCODE_VALUES, IA_LOGITS_NONE},
        {"dense(3)", hot, 3, "mean_squared_error", IA_ENCODE_VALUES, IA_LOGITS_NONE},
    };
    for (size_t i = 0; i < IA_COUNT(row); i++) {
        char arch[128];
        snprintf(arch, sizeof arch, "input:4,%s", row[i].head);
        ia_model *m = rig_model(arch);
        ia_data *d = labels(4, row[i].cols, row[i].labels);
        ia_setup s = {.training = 1};
        ia_objective o;
        const char *origin;
        assert_ok(ia_setup_objective(m, d, &s, &o, &origin, &err), err);
        assert_string_equal(o.heads[0].loss.cls->name, row[i].loss);
        assert_int_equal(o.heads[0].encoding, row[i].encoding);
        assert_int_equal(o.heads[0].logits, row[i].logits);
        assert_string_equal(origin, "head and labels");
        ia_objective_free(&o);
        ia_data_free(d);
        ia_model_free(m);
    }
}

/* Class indices feed losses that want one number per class. */
static void indices_become_one_hot(void **state)
{
    (void)state;
    ia_model *m = rig_model("input:4,dense(3,softmax)");
    ia_data *d = labels(4, 1, index3);
    ia_setup s = {.loss = "categorical_crossentropy", .metrics = "accuracy,auc"};
    ia_objective o;
    float got[12];
    const uint64_t rows[] = {3, 1, 0, 2};
    assert_ok(ia_setup_objective(m, d, &s, &o, NULL, &err), err);
    assert_int_equal(o.heads[0].encoding, IA_ENCODE_ONE_HOT);
    assert_ok(ia_head_gather(&o.heads[0], d, rows, 4, got, &err), err);
    const float want[] = {0, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 0};
    assert_memory_equal(got, want, sizeof want);
    assert_string_equal(o.heads[0].metrics[0].cls->name, "categorical_accuracy");
    assert_string_equal(o.heads[0].metrics[0].name, "accuracy");
    ia_objective_free(&o);
    ia_data_free(d);
    ia_model_free(m);
}

typedef struct refusal {
    const char *head, *loss, *metrics;
    size_t cols;
    const float *labels;
    inarch_status status;
    const char *message, *hint; /* NULL hint: any, but some */
} refusal;

static const float three[] = {0, 1, 3, 2}, wrong[] = {0, 1, 2, 1.5f}, ones[] = {1, 1, 1, 1};

static const refusal refusals[] = {
    {"dense(1,sigmoid)", NULL, NULL, 1, three, INARCH_BAD_DATA,
     "label 3 in row 3 is outside the classes of output 'dense'",
     "binary_crossentropy takes labels from 0 to 1; for other numbers use mse"},
    {"dense(3,softmax)", NULL, NULL, 1, three, INARCH_BAD_DATA,
     "label 3 in row 3 is outside the classes of output 'dense'",
     "labels are class indices from 0 to 2; tune --head auto makes an output for the data"},
    {"dense(3,softmax)", NULL, NULL, 1, wrong, INARCH_BAD_DATA,
     "label 1.5 in row 4 is outside the classes of output 'dense'", NULL},
    {"dense(1,sigmoid)", NULL, NULL, 1, ones, INARCH_BAD_DATA,
     "all 4 rows have the label 1: nothing could be learnt", "give rows of at least two classes"},
    {"dense(3,softmax)", NULL, NULL, 1, ones, INARCH_BAD_DATA,
     "all 4 rows have the label 1: nothing could be learnt", "give rows of at least two classes"},
    {"dense(4,relu)", NULL, NULL, 1, bits, INARCH_BAD_DATA,
     "output 'dense' gives 4 numbers a row (relu), but the labels are 1 number a row",
     "for classes end the model with dense:4:softmax, for numbers with dense:1"},
    {"dense(5,softmax)", NULL, NULL, 3, hot, INARCH_BAD_DATA,
     "output 'dense' gives 5 numbers a row (softmax), but the labels are 3 numbers a row",
     "end the model with a layer of 3 units, or give 5 labels"},
    {"dense(3,relu)", NULL, NULL, 3, hot, INARCH_BAD_ARGUMENT,
     "output 'dense' ends in relu, from which no loss follows",
     "name one: --loss mse, mae, huber, binary_crossentropy, ..."},
    {"reshape(2x2),dense(3,softmax)", NULL, NULL, 1, index3, INARCH_BAD_DATA,
     "output 'dense' gives 2 x 3 numbers a row, but the labels are 1 number a row",
     "add flatten before the first dense layer: input:8x8,flatten,dense:..."},
    {"dense(1,softmax)", NULL, NULL, 1, bits, INARCH_BAD_ARGUMENT,
     "loss 'categorical_crossentropy' needs two units or more, but output 'dense' has one",
     "one unit tells two classes apart by --loss binary_crossentropy, behind a sigmoid"},
    {"dense(1,sigmoid)", "categorical_crossentropy", NULL, 1, bits, INARCH_BAD_ARGUMENT,
     "loss 'categorical_crossentropy' needs two units or more, but output 'dense' has one", NULL},
    {"dense(1,sigmoid)", "mse,mae", NULL, 1, bits, INARCH_BAD_ARGUMENT,
     "loss: 2 given, but the model has 1 output", NULL},
    {"dense(1,sigmoid)", "bce", NULL, 3, hot, INARCH_BAD_DATA,
     "output 'dense' gives 1 number a row, but loss 'binary_crossentropy' finds 3 in the labels",
     "tune --head auto makes an output for the data"},
    {"dense(3,softmax)", "sparse_categorical_crossentropy", NULL, 3, hot, INARCH_BAD_DATA,
     "output 'dense' gives 3 numbers a row, but loss 'sparse_categorical_crossentropy' finds 3 in "
     "the labels",
     "--loss categorical_crossentropy takes one number per class"},
    {"dense(3,sigmoid)", "mse", NULL, 1, index3, INARCH_BAD_DATA,
     "output 'dense' gives 3 numbers a row, but loss 'mean_squared_error' finds 1 in the labels",
     NULL},
    {"dense(1,sigmoid)", "bce_loss", NULL, 1, bits, INARCH_BAD_ARGUMENT, "unknown loss 'bce_loss'",
     "see the list of losses"},
    {"dense(1,sigmoid)", NULL, "acuracy", 1, bits, INARCH_BAD_ARGUMENT, "unknown metric 'acuracy'",
     "did you mean 'accuracy'?"},
    {"dense(1,sigmoid)", NULL, "sparse_categorical_accuracy", 1, bits, INARCH_BAD_ARGUMENT,
     "metric 'sparse_categorical_accuracy' needs class indices, but the targets are numbers", NULL},
    {"dense(1,sigmoid)", "x=mse", NULL, 1, bits, INARCH_NOT_FOUND,
     "no output is called 'x' in the loss", "there is 'dense'"},
};

static void bad_labels_and_names_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < IA_COUNT(refusals); i++) {
        const refusal *r = &refusals[i];
        char arch[128];
        snprintf(arch, sizeof arch, "input:4,%s", r->head);
        ia_model *m = rig_model(arch);
        ia_data *d = labels(4, r->cols, r->labels);
        ia_setup s = {.loss = r->loss, .metrics = r->metrics, .training = 1};
        ia_objective o;
        assert_int_equal(ia_setup_objective(m, d, &s, &o, NULL, &err), r->status);
        assert_string_equal(err.message, r->message);
        if (r->hint)
            assert_string_equal(err.hint, r->hint);
        else
            assert_true(err.hint[0] != '\0');
        ia_data_free(d);
        ia_model_free(m);
    }
}

static void one_class_is_fine_to_evaluate(void **state)
{
    (void)state;
    ia_model *m = rig_model("input:4,dense(1,sigmoid)");
    ia_data *d = labels(4, 1, ones);
    ia_setup s = {0};
    ia_objective o;
    assert_ok(ia_setup_objective(m, d, &s, &o, NULL, &err), err);
    ia_objective_free(&o);
    ia_data_free(d);
    ia_model_free(m);
}

static void data_without_labels(void **state)
{
    (void)state;
    ia_model *m = rig_model("input:4,dense(1,sigmoid)");
    ia_data *d;
    ia_array x = rig_array(3, 4);
    ia_setup s = {0};
    ia_objective o;
    assert_ok(ia_data_new("rows.csv", &d, &err), err);
    assert_ok(ia_data_add_input(d, "x", &x, &err), err);
    assert_int_equal(ia_setup_objective(m, d, &s, &o, NULL, &err), INARCH_BAD_DATA);
    assert_string_equal(err.message, "there are no labels");
    assert_ok(ia_data_add_target(d, "a", &x, &err), err);
    assert_ok(ia_data_add_target(d, "b", &x, &err), err);
    assert_int_equal(ia_setup_objective(m, d, &s, &o, NULL, &err), INARCH_BAD_DATA);
    assert_string_equal(err.message, "the model has 1 outputs, but the data has 2 sets of labels");
    ia_array_release(&x);
    ia_data_free(d);
    ia_model_free(m);
}

static json_t *json(const char *text)
{
    json_t *v = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(v);
    return v;
}

/* Compile states as files of all generations have them. */
static void compile_states_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *loss, *metrics, *text, *first;
        size_t count;
        bool note;
    } row[] = {
        {"\"binary_crossentropy\"", "[\"accuracy\"]", "binary_crossentropy", "binary_accuracy", 1,
         false},
        {"{\"class_name\":\"BinaryCrossentropy\",\"config\":{\"label_smoothing\":0.25}}",
         "[[\"accuracy\",\"mae\"]]", "binary_crossentropy(label_smoothing=0.25)", "binary_accuracy",
         2, false},
        {"[\"mse\"]",
         "[{\"class_name\":\"MeanMetricWrapper\",\"config\":{\"name\":\"accuracy\","
         "\"fn\":\"binary_accuracy\"}}]",
         "mean_squared_error", "binary_accuracy", 1, false},
        {"{\"out\":\"mae\"}", "{\"out\":[\"mse\"]}", "mean_absolute_error", "loss", 1, false},
        {"\"hinge\"", "[\"my_metric\",\"auc\"]", "hinge", "auc", 1, true},
        {"\"hinge\"", "null", "hinge", NULL, 0, false},
    };
    for (size_t i = 0; i < IA_COUNT(row); i++) {
        ia_model *m = rig_model("input:4,dense(1,sigmoid,name=out)");
        ia_data *d = labels(4, 1, bits);
        ia_setup s = {.compiled = 1};
        ia_objective o;
        const char *origin;
        char text[128];
        m->compile.loss = json(row[i].loss);
        m->compile.metrics = json(row[i].metrics);
        assert_ok(ia_setup_objective(m, d, &s, &o, &origin, &err), err);
        assert_string_equal(origin, "file");
        ia_loss_to_text(&o.heads[0].loss, text, sizeof text);
        assert_string_equal(text, row[i].text);
        assert_int_equal(o.heads[0].metric_count, row[i].count);
        if (row[i].first)
            assert_string_equal(o.heads[0].metrics[0].cls->name, row[i].first);
        assert_int_equal(o.note[0] != '\0', row[i].note);
        ia_objective_free(&o);
        ia_data_free(d);
        ia_model_free(m);
    }
}

static void an_unknown_loss_of_the_file(void **state)
{
    (void)state;
    ia_model *m = rig_model("input:4,dense(1,sigmoid)");
    ia_data *d = labels(4, 1, bits);
    ia_setup s = {.compiled = 1};
    ia_objective o;
    m->compile.loss = json("\"my_loss\"");
    assert_int_equal(ia_setup_objective(m, d, &s, &o, NULL, &err), INARCH_BAD_ARGUMENT);
    assert_string_equal(err.message, "unknown loss 'my_loss'");
    assert_string_equal(err.hint, "the file was compiled with it; name another with --loss");
    s.loss = "bce"; /* named: the file's does not matter */
    assert_ok(ia_setup_objective(m, d, &s, &o, NULL, &err), err);
    ia_objective_free(&o);
    ia_data_free(d);
    ia_model_free(m);
}

static void saved_settings_read_back(void **state)
{
    (void)state;
    ia_model *m = rig_model("input:4,dense(3,softmax,name=out)");
    ia_data *d = labels(4, 1, index3);
    ia_setup s = {.loss = "sparse_categorical_crossentropy",
                  .metrics = "acc,top_k_categorical_accuracy(k=2),f1",
                  .loss_weights = "0.5"};
    ia_objective o, again;
    assert_ok(ia_setup_objective(m, d, &s, &o, NULL, &err), err);
    assert_ok(ia_setup_save(&o, m, &err), err);
    s = (ia_setup){.compiled = 1};
    assert_ok(ia_setup_objective(m, d, &s, &again, NULL, &err), err);
    assert_string_equal(again.heads[0].loss.cls->name, "sparse_categorical_crossentropy");
    assert_near(again.heads[0].weight, 0.5, 0);
    assert_int_equal(again.heads[0].metric_count, 3);
    for (size_t i = 0; i < 3; i++) {
        char a[128], b[128];
        ia_metric_to_text(&o.heads[0].metrics[i], a, sizeof a);
        ia_metric_to_text(&again.heads[0].metrics[i], b, sizeof b);
        assert_string_equal(a, b);
    }
    ia_objective_free(&o);
    ia_objective_free(&again);
    ia_data_free(d);
    ia_model_free(m);
}

/* ---- options of fit ---- */

static void bad_fit_options(void **state)
{
    (void)state;
    ia_model *m = rig_model("input:4,dense(1,sigmoid)");
    ia_data *d = labels(4, 1, bits);
    ia_fit_options o = ia_fit_defaults();
    o.batch_size = 0;
    assert_int_equal(ia_fit(m, d, &o, NULL, &err), INARCH_BAD_ARGUMENT);
    assert_string_equal(err.message, "batch_size is out of range");
    o = ia_fit_defaults();
    o.validation_split = 0.9; /* floor(4 * 0.1) rows are left */
    assert_int_equal(ia_fit(m, d, &o, NULL, &err), INARCH_BAD_ARGUMENT);
    assert_non_null(strstr(err.message, "leaves no row"));
    o.validation_split = 1.5;
    assert_int_equal(ia_fit(m, d, &o, NULL, &err), INARCH_BAD_ARGUMENT);
    assert_string_equal(err.message, "validation_split is out of range");
    o = ia_fit_defaults();
    o.learning_rate = -1;
    assert_int_equal(ia_fit(m, d, &o, NULL, &err), INARCH_BAD_ARGUMENT);
    assert_string_equal(err.message, "the learning rate cannot be -1");
    o = ia_fit_defaults();
    o.early_stopping = 1;
    o.monitor = "val_auc";
    assert_int_equal(ia_fit(m, d, &o, NULL, &err), INARCH_NOT_FOUND);
    assert_string_equal(err.message, "nothing is called 'val_auc' to monitor");
    assert_string_equal(err.hint, "give validation data: --val or --val-split");
    o.monitor = "loss";
    o.mode = "up";
    assert_int_equal(ia_fit(m, d, &o, NULL, &err), INARCH_BAD_ARGUMENT);
    assert_string_equal(err.message, "the mode cannot be 'up'");
    ia_model_layer(m, "dense")->trainable = false;
    o = ia_fit_defaults();
    assert_int_equal(ia_fit(m, d, &o, NULL, &err), INARCH_BAD_ARGUMENT);
    assert_true(strncmp(err.message, "nothing to train", 16) == 0);
    ia_model *wide = rig_model("input:5,dense(1,sigmoid)");
    assert_int_equal(ia_fit(wide, d, &o, NULL, &err), INARCH_BAD_DATA);
    ia_model_free(wide);
    ia_data_free(d);
    ia_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_follow_from_head_and_labels),
        cmocka_unit_test(indices_become_one_hot),
        cmocka_unit_test(bad_labels_and_names_are_refused),
        cmocka_unit_test(one_class_is_fine_to_evaluate),
        cmocka_unit_test(data_without_labels),
        cmocka_unit_test(compile_states_are_read),
        cmocka_unit_test(an_unknown_loss_of_the_file),
        cmocka_unit_test(saved_settings_read_back),
        cmocka_unit_test(bad_fit_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
