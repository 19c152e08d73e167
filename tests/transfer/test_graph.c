/* Pop, cut, add, insert, attach, rename: what the graph is afterwards, that what stays keeps its
 * values, moments and step counts, through a file too, and what each misuse is told. */
#include "surgery_rig.h"

enum { ROWS = 9 };

static void check_error(inarch_status got, inarch_status want, const inarch_error *err,
                        const char *subject, const char *message, const char *hint)
{
    assert_int_equal(got, want);
    assert_string_equal(err->subject, subject);
    assert_string_equal(err->message, message);
    assert_string_equal(err->hint, hint);
}

/* ---- what stays ---- */

static void check_variable(const ia_variable *a, const ia_variable *b)
{
    assert_ptr_equal(ia_array_data(&a->value), ia_array_data(&b->value)); /* shared, not copied */
    assert_true(a->slots.step == b->slots.step);
    assert_string_equal(a->slots.optimizer, b->slots.optimizer);
    for (size_t k = 0; k < IA_SLOT_MAX; k++)
        assert_ptr_equal(ia_array_data(&a->slots.slot[k]), ia_array_data(&b->slots.slot[k]));
}

static inarch_status check_layer(void *context, const ia_model *m, ia_layer *l, const char *path,
                                 bool trainable, inarch_error *err)
{
    const inarch_model *before = context;
    const ia_layer *old = ia_model_layer(before->doc, path);
    (void)m, (void)trainable, (void)err;
    for (size_t v = 0; old && v < l->variable_count; v++)
        check_variable(&old->variables[v], &l->variables[v]);
    return INARCH_OK;
}

/* Layers of the same path are the same; and a file brings all of it back. */
static void check_survivors(const inarch_model *before, const inarch_model *after)
{
    assert_int_equal(ia_model_walk(after->doc, check_layer, (void *)(uintptr_t)before, NULL),
                     INARCH_OK);
    inarch_model *back = rig_reload(after, "survivors.h5");
    assert_true(hash_weights(after) == hash_weights(back));
    assert_true(hash_slots(after) == hash_slots(back));
    assert_string_equal(live_layers(after), live_layers(back));
    inarch_free(back);
}

/* A model with moments, and a copy of it to edit. */
static inarch_model *warm(inarch_model *m, inarch_model **copy)
{
    warm_up(m);
    *copy = rig_clone(m);
    return m;
}

/* `after`'s output is what `before` computes at `layer`. */
static void check_output(const inarch_model *before, const inarch_model *after, const char *layer,
                         size_t width)
{
    inarch_error err;
    float a[ROWS * 64], b[ROWS * 64];
    inarch_data *d = rig_rows(before, ROWS, 8);
    assert_ok(inarch_features(before, d, layer, NULL, a, ROWS * width, &err), err);
    predict(after, d, b, ROWS * width);
    assert_memory_equal(a, b, ROWS * width * sizeof(float));
    inarch_data_free(d);
}

/* ---- pop ---- */

static void test_pop(void **state)
{
    (void)state;
    static const char *const left[] = {"input_layer a b c d e", "input_layer a b c d",
                                       "input_layer a b c", "input_layer a b", "input_layer a"};
    inarch_error err;
    for (size_t n = 0; n < IA_COUNT(left); n++) {
        inarch_model *m, *before = warm(sequential(), &m);
        assert_ok(inarch_pop(m, n, &err), err);
        assert_string_equal(layer_names(m), left[n]);
        check_survivors(before, m);
        check_output(before, m, left[n] + strlen(left[n]) - 1, n == 0 ? 3 : n == 1 ? 5 : 6);
        inarch_free(m);
        inarch_free(before);
    }
}

static void test_pop_errors(void **state)
{
    (void)state;
    inarch_error err;
    inarch_model *m = sequential();
    check_error(inarch_pop(m, 5, &err), INARCH_BAD_ARGUMENT, &err, "sequential",
                "cannot pop 5 layers: that leaves nothing", "show counts the layers of a model");
    assert_ok(inarch_attach(m, "a", "dense(2,name=other)", &err), err);
    check_error(inarch_pop(m, 1, &err), INARCH_BAD_ARGUMENT, &err, "sequential",
                "cannot pop: the model has 2 outputs", "cut at the layer you want to go on from");
    inarch_free(m);
    m = functional();
    check_error(inarch_pop(m, 2, &err), INARCH_BAD_ARGUMENT, &err, "sum",
                "cannot pop layer 'sum': it joins 2 inputs", "cut at the layer you want to keep");
    assert_ok(inarch_pop(m, 1, &err), err);
    assert_string_equal(layer_names(m), "left right base join up sum");
    inarch_free(m);
}

/* ---- cut ---- */

static void test_cut(void **state)
{
    (void)state;
    static const struct {
        const char *at, *left;
        size_t width;
    } cases[] = {{"top", "left right base join up sum top", 3},
                 {"sum", "left right base join up sum", 6},
                 {"up", "left right base join up", 6},
                 {"join", "left right base join", 6}};
    inarch_error err;
    for (size_t i = 0; i < IA_COUNT(cases); i++) {
        inarch_model *m, *before = warm(functional(), &m);
        assert_ok(inarch_cut(m, cases[i].at, &err), err);
        assert_string_equal(layer_names(m), cases[i].left);
        check_survivors(before, m);
        check_output(before, m, cases[i].at, cases[i].width);
        inarch_free(m);
        inarch_free(before);
    }
}

/* At a nested model, and inside it: its layers above the cut go, its first call is the output. */
static void test_cut_nested(void **state)
{
    (void)state;
    inarch_error err;
    inarch_model *m, *before = warm(nested_top("dense(5,relu,name=q)", "softmax(name=s)"), &m);
    assert_ok(inarch_cut(m, "base", &err), err);
    check_output(before, m, "base", 5);
    check_survivors(before, m);
    assert_ok(inarch_cut(m, "base/p", &err), err);
    assert_int_equal(ia_model_layer(m->doc, "base")->child->layer_count, 2);
    assert_int_equal(ia_model_count(m->doc).total, 4 * 6 + 6);
    check_output(before, m, "base/p", 6);
    check_survivors(before, m);
    assert_ok(inarch_add(m, "dense:2:softmax", &err), err);
    warm_up(m);
    inarch_free(m);
    inarch_free(before);

    before = warm(functional(), &m); /* the second input is left over: Keras keeps it */
    assert_ok(inarch_cut(m, "base/p", &err), err);
    assert_string_equal(layer_names(m), "left right base");
    check_output(before, m, "base/p", 6);
    check_survivors(before, m);
    inarch_free(m);
    inarch_free(before);
}

/* Keras numbers the layers of the model that is left anew, by their depth below its own output;
 * checked against Keras 3 on 138 cuts of random graphs. What counts layers counts them so. */
static void test_cut_order(void **state)
{
    (void)state;
    inarch_error err;
    ia_model *doc = rig_model("m");
    ia_ref x = rig_input(doc, "input(4,name=x)"), a = rig_put(doc, "dense(4,name=a)", x);
    ia_ref b = rig_put(doc, "dense(4,name=b)", x), k = rig_join(doc, "add(name=k)", b, a);
    ia_ref far = rig_put(doc, "dense(4,name=d)", rig_put(doc, "dense(4,name=c)", a));
    ia_ref top = rig_join(doc, "add(name=top)", k, far);
    rig_ports(doc, &x, 1, &top, 1);
    inarch_model *m = rig_finish(doc, 1);
    assert_ok(inarch_pop(m, 0, &err), err);
    assert_ok(inarch_group(m, "top", 1, &err), err); /* any edit puts them into Keras' order */
    assert_string_equal(layer_names(m), "x a b c k d top");
    assert_ok(inarch_cut(m, "k", &err), err);
    assert_string_equal(layer_names(m), "x b a k");
    assert_ok(inarch_freeze_first(m, 2, &err), err);
    assert_string_equal(live_layers(m), "a");
    inarch_free(m);
}

static void test_cut_errors(void **state)
{
    (void)state;
    inarch_error err;
    inarch_model *m = functional();
    check_error(inarch_cut(m, "left", &err), INARCH_BAD_ARGUMENT, &err, "left",
                "cannot cut at input 'left': that leaves no layer", "name a layer above it");
    check_error(inarch_cut(m, "summ", &err), INARCH_NOT_FOUND, &err, "summ",
                "there is no layer 'summ' in the model", "did you mean 'sum'?");
    check_error(inarch_cut(m, "base/zzzz", &err), INARCH_NOT_FOUND, &err, "base/zzzz",
                "there is no layer 'base/zzzz' in the model", "show lists the layers of a model");
    check_error(inarch_cut(m, "base/inside", &err), INARCH_BAD_ARGUMENT, &err, "base/inside",
                "cannot cut at input 'base/inside': that leaves no layer", "name a layer above it");
    check_error(inarch_cut(m, "", &err), INARCH_NOT_FOUND, &err, "",
                "there is no layer '' in the model", "show lists the layers of a model");
    inarch_free(m);
}

/* ---- add ---- */

static void test_add(void **state)
{
    (void)state;
    inarch_error err;
    inarch_model *m, *before = warm(sequential(), &m);
    assert_ok(inarch_pop(m, 1, &err), err);
    assert_ok(inarch_add(m, "dense:7:relu", &err), err);
    assert_ok(
        inarch_add(m, "dense(units=2,activation=softmax,learning_rate=0.5,trainable=false)", &err),
        err);
    assert_string_equal(layer_names(m), "input_layer a b c d dense dense_1");
    assert_string_equal(live_layers(m), "a b d dense");
    check_survivors(before, m);
    assert_near(ia_model_layer(m->doc, "dense_1")->learning_rate, 0.5, 0);

    /* Fresh weights come from the model's seed, and so do not depend on when they are asked for. */
    inarch_model *again = rig_clone(before);
    assert_ok(inarch_pop(again, 1, &err), err);
    assert_ok(inarch_add(again, "dense:7:relu", &err), err);
    inarch_weight v = {.size = sizeof v}, w = {.size = sizeof w};
    assert_ok(inarch_weight_get(m, "dense/kernel", &v, &err), err);
    assert_ok(inarch_weight_get(again, "dense/kernel", &w, &err), err);
    assert_memory_equal(v.data, w.data, v.count * sizeof(float));
    assert_int_equal(v.step, 0);
    inarch_free(again);
    inarch_free(m);
    inarch_free(before);
}

static void test_add_errors(void **state)
{
    (void)state;
#define FORM "write 'type:value:value' or 'type(key=value,...)', as in dense:128:relu"
    static const struct {
        inarch_status status;
        const char *spec, *subject, *message, *hint;
    } cases[] = {
        {5, "dense", "dense", "layer 'dense' needs units (outputs, 1 or more)",
         "write dense:<units>"},
        {5, "dnse:3", "dnse", "unknown layer 'dnse'", "did you mean 'dense'?"},
        {5, "dense:3:rleu", "dense", "'dense': activation: unknown activation 'rleu'",
         "did you mean 'relu'?"},
        {5, "dense:0", "dense", "'dense': units must be at least 1 and at most 2147483647, not 0",
         ""},
        {5, "dense:1000000000000", "dense",
         "'dense': units must be at least 1 and at most 2147483647, not 1000000000000", ""},
        {5, "dense:-1", "dense", "'dense': units must be at least 1 and at most 2147483647, not -1",
         ""},
        {5, "dense:3.5", "dense", "'dense': units must be a whole number, not '3.5'",
         "outputs, 1 or more"},
        {5, "dense(3,unit=4)", "unit", "a layer dense has no setting 'unit'",
         "did you mean 'units'?"},
        {5, "dense(3", "dense(3", "layer 'dense(3' is not of that form", FORM},
        {5, "dense(3)x", "dense(3)x", "layer 'dense(3)x' goes on behind its parentheses", FORM},
        {5, "", "", "layer '' is not of that form", FORM},
        {5, "input:3", "input_layer_1", "an input cannot be put on top", ""},
        {5, "add", "add", "layer 'add' (Add) joins several inputs, but there is one below it", ""},
        {5, "dense(3,name=a)", "a", "the model 'sequential' has a layer 'a' already",
         "give one of them another name"},
        {5, "dense(3,name=)", "name", "a layer's name must not be empty or contain '/': ''", ""},
        {5, "dense(3,name=a/b)", "name", "a layer's name must not be empty or contain '/': 'a/b'",
         ""},
        {5, "dropout:1.5", "dropout", "'dropout': rate must be at least 0 and at most 1, not 1.5",
         ""},
        {5, "dropout:nan", "dropout", "'dropout': rate must be at least 0 and at most 1, not nan",
         ""},
        {6, "reshape:7", "reshape", "layer 'reshape' cannot make (7,) of rows of shape (3,)", ""},
        {5, "batchnorm(axis=5)", "batch_normalization",
         "layer 'batch_normalization' has axis 5, but gets rows of shape (3,)",
         "axes count from 1; -1 is the last one"},
    };
    inarch_model *m = sequential();
    char *before = document_text(m);
    for (size_t i = 0; i < IA_COUNT(cases); i++) {
        inarch_error err = {0};
        check_error(inarch_add(m, cases[i].spec, &err), cases[i].status, &err, cases[i].subject,
                    cases[i].message, cases[i].hint);
    }
    char *after = document_text(m);
    assert_string_equal(before, after);
    free(before);
    free(after);
    inarch_free(m);
}

/* ---- insert ---- */

static void test_insert(void **state)
{
    (void)state;
    inarch_error err;
    inarch_model *m, *before = warm(sequential(), &m);
    float p[ROWS * 3], q[ROWS * 3];
    inarch_data *d = rig_rows(before, ROWS, 8);
    assert_ok(inarch_insert(m, "", "dropout(0.5,name=front)", &err), err);
    assert_ok(inarch_insert(m, "b", "activation(linear,name=middle)", &err), err);
    assert_ok(inarch_insert(m, "e", "activation(linear,name=end)", &err), err);
    assert_string_equal(layer_names(m), "input_layer front a b middle c d e end");
    predict(before, d, p, ROWS * 3); /* none of these changes a prediction */
    predict(m, d, q, ROWS * 3);
    assert_memory_equal(p, q, sizeof p);
    check_survivors(before, m);
    warm_up(m);
    inarch_data_free(d);
    inarch_free(m);
    inarch_free(before);
}

/* Every reader of the layer in front reads the inserted one: both sides of the residual. */
static void test_insert_before_merge(void **state)
{
    (void)state;
    inarch_error err;
    inarch_model *m, *before = warm(functional(), &m);
    float p[ROWS * 3], q[ROWS * 3];
    inarch_data *d = rig_rows(before, ROWS, 8);
    assert_ok(inarch_insert(m, "join", "rescaling(1,name=same)", &err), err);
    assert_ok(inarch_insert(m, "left", "rescaling(1,name=first)", &err), err);
    assert_string_equal(layer_names(m), "left first right base join same up sum top");
    predict(before, d, p, ROWS * 3);
    predict(m, d, q, ROWS * 3);
    assert_memory_equal(p, q, sizeof p);
    check_survivors(before, m);
    assert_ok(inarch_cut(m, "same", &err), err);
    assert_string_equal(layer_names(m), "left first right base join same");
    inarch_data_free(d);
    inarch_free(m);
    inarch_free(before);
}

static void test_insert_errors(void **state)
{
    (void)state;
    inarch_error err;
    inarch_model *m = functional();
    char *before = document_text(m);
    check_error(inarch_insert(m, "", "dropout:0.5", &err), INARCH_BAD_ARGUMENT, &err, "m",
                "cannot put a layer in front: the model has 2 inputs", "name the input layer");
    check_error(inarch_insert(m, "upp", "dropout:0.5", &err), INARCH_NOT_FOUND, &err, "upp",
                "there is no layer 'upp' in the model", "did you mean 'up'?");
    check_error(inarch_insert(m, "base/p", "dropout:0.5", &err), INARCH_BAD_ARGUMENT, &err,
                "base/p", "cannot insert a layer behind 'base/p'", "name a layer of the top level");
    check_error(inarch_insert(m, "up", "add", &err), INARCH_BAD_ARGUMENT, &err, "add",
                "layer 'add' (Add) joins several inputs, but there is one below it", "");
    check_error(inarch_insert(m, "up", "input:3", &err), INARCH_BAD_ARGUMENT, &err, "input_layer",
                "an input cannot be inserted", "");
    check_error(inarch_insert(m, "join", "dense:7", &err), INARCH_BAD_DATA, &err, "up",
                "layer 'up' needs 6 inputs, but gets rows of shape (7,)", "");
    char *after = document_text(m);
    assert_string_equal(before, after);
    free(before);
    free(after);
    inarch_free(m);
}

/* ---- attach ---- */

static void test_attach(void **state)
{
    (void)state;
    inarch_error err;
    inarch_model *m, *before = warm(sequential(), &m);
    float p[ROWS * 3], q[ROWS * 3];
    inarch_data *d = rig_rows(before, ROWS, 8);
    assert_ok(inarch_attach(m, "a", "dense(4,tanh,name=side),dense(1,sigmoid,name=extra)", &err),
              err);
    inarch_info info = {.size = sizeof info};
    inarch_port port = {.size = sizeof port};
    assert_ok(inarch_model_info(m, &info, &err), err);
    assert_string_equal(info.kind, "Functional");
    assert_int_equal(info.outputs, 2);
    assert_ok(inarch_model_port(m, INARCH_OUTPUT, 1, &port, &err), err);
    assert_string_equal(port.name, "extra");
    assert_string_equal(layer_names(m), "input_layer a b c d side e extra"); /* as Keras counts */
    predict(before, d, p, ROWS * 3);
    predict(m, d, q, ROWS * 3);
    assert_memory_equal(p, q, sizeof p);
    check_survivors(before, m);
    warm_up(m); /* trains on both */
    assert_ok(inarch_cut(m, "extra", &err), err);
    assert_string_equal(layer_names(m), "input_layer a side extra");
    inarch_data_free(d);
    inarch_free(m);
    inarch_free(before);
}

static void test_attach_errors(void **state)
{
    (void)state;
    inarch_error err;
    inarch_model *m = functional();
    char *before = document_text(m);
    check_error(inarch_attach(m, "base/p", "dense:1", &err), INARCH_BAD_ARGUMENT, &err, "base/p",
                "cannot attach inside the nested model 'base'",
                "attach to the model around it, or cut");
    check_error(inarch_attach(m, "nope", "dense:1", &err), INARCH_NOT_FOUND, &err, "nope",
                "there is no layer 'nope' in the model", err.hint);
    check_error(inarch_attach(m, "up", "", &err), INARCH_BAD_ARGUMENT, &err, "up",
                "an output needs a layer at least", "as in dense:64:relu,dense:1:sigmoid");
    assert_int_equal(inarch_attach(m, "up", "dense:3,,dense:1", &err), INARCH_BAD_ARGUMENT);
    assert_string_equal(err.message, "layer '' is not of that form");
    char *after = document_text(m);
    assert_string_equal(before, after);
    free(before);
    free(after);
    inarch_free(m);
}

/* ---- rename ---- */

static void test_rename(void **state)
{
    (void)state;
    inarch_error err;
    inarch_model *m, *before = warm(functional(), &m);
    assert_ok(inarch_rename(m, "base/p", "first", &err), err);
    assert_ok(inarch_rename(m, "base", "trunk", &err), err);
    assert_ok(inarch_rename(m, "left", "l", &err), err);
    assert_ok(inarch_rename(m, "up", "up", &err), err);
    assert_string_equal(layer_names(m), "l right trunk join up sum top");
    check_variable(&ia_model_layer(before->doc, "base/p")->variables[0],
                   &ia_model_layer(m->doc, "trunk/first")->variables[0]);
    inarch_model *back = rig_reload(m, "renamed.h5");
    assert_true(hash_weights(back) == hash_weights(m) && hash_slots(back) == hash_slots(m));
    inarch_free(back);
    check_error(inarch_rename(m, "up", "top", &err), INARCH_BAD_ARGUMENT, &err, "top",
                "the model 'm' has a layer 'top' already", "choose another name");
    check_error(inarch_rename(m, "up", "", &err), INARCH_BAD_ARGUMENT, &err, "up",
                "a layer's name must not be empty", "");
    check_error(inarch_rename(m, "base", "x", &err), INARCH_NOT_FOUND, &err, "base",
                "there is no layer 'base' in the model", "show lists the layers of a model");
    inarch_free(m);
    inarch_free(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pop),           cmocka_unit_test(test_pop_errors),
        cmocka_unit_test(test_cut),           cmocka_unit_test(test_cut_nested),
        cmocka_unit_test(test_cut_errors),    cmocka_unit_test(test_cut_order),
        cmocka_unit_test(test_add),           cmocka_unit_test(test_add_errors),
        cmocka_unit_test(test_insert),        cmocka_unit_test(test_insert_before_merge),
        cmocka_unit_test(test_insert_errors), cmocka_unit_test(test_attach),
        cmocka_unit_test(test_attach_errors), cmocka_unit_test(test_rename),
    };
    return cmocka_run_group_tests(tests, NULL, rig_folder_remove);
}
