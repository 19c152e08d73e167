/* Heads: replacing the last layer with weights, and classes that grow, shrink, change places, or
 * turn a sigmoid unit into a softmax; what a model said of the classes it knows it goes on saying.
 */
#include "surgery_rig.h"

#include <math.h>

enum { ROWS = 9, MOST = 8 };

static void check_error(inarch_status got, inarch_status want, const inarch_error *err,
                        const char *subject, const char *message, const char *hint)
{
    assert_int_equal(got, want);
    assert_string_equal(err->subject, subject);
    assert_string_equal(err->message, message);
    assert_string_equal(err->hint, hint);
}

/* ---- replace_head ---- */

static void test_replace_head(void **state)
{
    (void)state;
    inarch_error err;
    inarch_model *m = sequential();
    warm_up(m);
    inarch_model *before = rig_clone(m);
    assert_ok(inarch_meta_set(m, "classes", "[\"x\",\"y\",\"z\"]", &err), err);
    assert_ok(inarch_head(m, 4, 0, &err), err);
    assert_string_equal(layer_names(m), "input_layer a b c d dense");
    assert_null(inarch_name_at(m, "classes", 0)); /* they named other outputs */
    inarch_port port = {.size = sizeof port};
    assert_ok(inarch_model_port(m, INARCH_OUTPUT, 0, &port, &err), err);
    assert_string_equal(port.activation, "softmax");
    assert_int_equal(port.shape.dim[0], 4);
    const ia_layer *d = ia_model_layer(m->doc, "d"), *old = ia_model_layer(before->doc, "d");
    assert_ptr_equal(ia_array_data(&d->variables[0].value),
                     ia_array_data(&old->variables[0].value));
    assert_int_equal(d->variables[0].slots.step, 3);
    warm_up(m);
    inarch_free(before);
    inarch_free(m);

    static const struct {
        size_t n;
        int binary;
        const char *activation;
        int units;
    } cases[] = {
        {1, 0, "sigmoid", 1}, {2, 1, "sigmoid", 1}, {2, 0, "softmax", 2}, {3, 1, "softmax", 3}};
    for (size_t i = 0; i < IA_COUNT(cases); i++) {
        m = sequential();
        assert_ok(inarch_head(m, cases[i].n, cases[i].binary, &err), err);
        assert_ok(inarch_model_port(m, INARCH_OUTPUT, 0, &port, &err), err);
        assert_string_equal(port.activation, cases[i].activation);
        assert_int_equal(port.shape.dim[0], cases[i].units);
        inarch_free(m);
    }
}

/* Dense and its Activation go together; so does what has no weights between them. */
static void test_replace_parts(void **state)
{
    (void)state;
    inarch_error err;
    inarch_model *m = rig_new("input:4,dense(6,relu,name=a),dropout(0.1,name=b),dense(3,name=c),"
                              "activation(softmax,name=d)");
    assert_ok(inarch_head(m, 2, 0, &err), err);
    assert_string_equal(layer_names(m), "input_layer a b dense");
    inarch_free(m);

    m = functional();
    assert_ok(inarch_head(m, 2, 0, &err), err);
    assert_string_equal(layer_names(m), "left right base join up sum dense");
    warm_up(m);
    inarch_free(m);

    m = nested_top("dense(3,name=q)", "softmax(name=s)"); /* the head is inside the nested model */
    assert_ok(inarch_head(m, 2, 0, &err), err);
    assert_string_equal(layer_names(m), "input_layer base dense");
    assert_int_equal(ia_model_layer(m->doc, "base")->child->layer_count, 2);
    warm_up(m);
    inarch_free(m);
}

static void test_replace_errors(void **state)
{
    (void)state;
    inarch_error err;
    inarch_model *m = rig_new("input:4,dense(3,softmax,name=only)");
    check_error(inarch_head(m, 2, 0, &err), INARCH_BAD_ARGUMENT, &err, "only",
                "cannot replace the head: layer 'only' is the only one with weights",
                "train a new model, or add a layer on top");
    check_error(inarch_head(m, 0, 0, &err), INARCH_BAD_ARGUMENT, &err, "sequential",
                "a head of 0 units makes no sense", "");
    check_error(inarch_head(m, 1000001, 0, &err), INARCH_BAD_ARGUMENT, &err, "sequential",
                "a head of 1000001 units makes no sense", "");
    inarch_free(m);
    m = functional();
    assert_ok(inarch_cut(m, "sum", &err), err);
    check_error(inarch_head(m, 2, 0, &err), INARCH_BAD_ARGUMENT, &err, "sum",
                "cannot tell where the head starts: layer 'sum' has 2 inputs and no weights",
                "cut at the layer you want to keep, then add a head");
    assert_ok(inarch_attach(m, "up", "dense:1", &err), err);
    check_error(inarch_head(m, 2, 0, &err), INARCH_BAD_ARGUMENT, &err, "m",
                "cannot replace the head: the model has 2 outputs",
                "cut at the layer you want to go on from");
    inarch_free(m);
    m = rig_new("input:4,relu(name=r)");
    inarch_status status = inarch_head(m, 2, 0, &err);
    check_error(status, INARCH_BAD_ARGUMENT, &err, "sequential",
                "cannot replace the head: no layer has weights", "add a layer on top");
    inarch_free(m);
}

/* ---- set_classes ---- */

typedef struct class_case {
    const char *before[MOST], *after[MOST];
} class_case;

static size_t count(const char *const *names)
{
    size_t n = 0;
    while (n < MOST && names[n])
        n++;
    return n;
}

static size_t place(const char *const *names, const char *name)
{
    size_t i = 0;
    while (names[i] && strcmp(names[i], name) != 0)
        i++;
    return i;
}

/* p[row][class]; one sigmoid unit stands for two classes. */
static void class_scores(const inarch_model *m, const inarch_data *d, size_t classes, float *p)
{
    inarch_error err;
    inarch_port port = {.size = sizeof port};
    assert_ok(inarch_model_port(m, INARCH_OUTPUT, 0, &port, &err), err);
    bool unit = port.shape.dim[0] == 1;
    assert_int_equal(port.shape.dim[0], unit ? 1 : (int)classes);
    predict(m, d, p, ROWS * (unit ? 1 : classes));
    for (size_t r = ROWS; unit && r-- > 0;) {
        p[2 * r + 1] = p[r];
        p[2 * r] = 1 - p[2 * r + 1];
    }
}

/* Softmax: the ratio of two known classes' scores stays what it was. */
static void check_known(const class_case *c, const inarch_model *old, const inarch_model *new)
{
    float p[ROWS * MOST], q[ROWS * MOST];
    size_t n = count(c->before), k = count(c->after);
    inarch_data *d = rig_rows(old, ROWS, 8);
    class_scores(old, d, n, p);
    class_scores(new, d, k, q);
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j < k; j++) {
            size_t a = place(c->before, c->after[i]), b = place(c->before, c->after[j]);
            for (size_t r = 0; a < n && b < n && r < ROWS; r++)
                assert_near(q[r * k + i] / q[r * k + j], p[r * n + a] / p[r * n + b], 2e-5);
        }
    inarch_data_free(d);
}

/* Moments follow their columns; the step counts stay. */
static void check_moments(const class_case *c, const ia_variable *a, const ia_variable *b)
{
    size_t n = count(c->before), k = count(c->after);
    size_t rows = ia_array_count(&a->value) / n;
    assert_int_equal(a->slots.step, b->slots.step);
    for (size_t s = 0; s < 2; s++) {
        const float *from = ia_array_data(&a->slots.slot[s]),
                    *to = ia_array_data(&b->slots.slot[s]);
        for (size_t j = 0; j < k; j++) {
            size_t known = place(c->before, c->after[j]);
            for (size_t r = 0; known < n && r < rows; r++)
                assert_true(to[r * k + j] == from[r * n + known]);
            assert_true(isfinite(to[j]));
        }
    }
}

static void set_classes(inarch_model *m, const char *const *names)
{
    inarch_error err;
    assert_ok(inarch_set_classes(m, names, count(names), &err), err);
    for (size_t i = 0; names[i]; i++)
        assert_string_equal(inarch_name_at(m, "classes", i), names[i]);
    assert_null(inarch_name_at(m, "classes", count(names)));
}

static void check_case(const class_case *c, inarch_model *m)
{
    set_classes(m, c->before); /* they had no names: only names are given */
    inarch_model *old = rig_clone(m);
    set_classes(m, c->after);
    check_known(c, old, m);
    inarch_model *back = rig_reload(m, "classes.h5");
    check_known(c, old, back);
    assert_true(hash_slots(back) == hash_slots(m));
    inarch_free(back);
    const ia_layer *l = ia_model_layer(m->doc, "e"), *o = ia_model_layer(old->doc, "e");
    if (l && count(c->before) > 2)
        for (size_t v = 0; v < l->variable_count; v++)
            check_moments(c, &o->variables[v], &l->variables[v]);
    warm_up(m);
    inarch_free(old);
    inarch_free(m);
}

static const class_case softmax_cases[] = {
    {{"a", "b", "c"}, {"c", "a", "b"}},           /* other places */
    {{"a", "b", "c"}, {"a", "b", "c", "d", "e"}}, /* more */
    {{"a", "b", "c"}, {"c", "a"}},                /* fewer */
    {{"a", "b", "c"}, {"x", "b", "y", "a"}},      /* some of each */
    {{"a", "b", "c"}, {"p", "q", "r"}},           /* all new */
    {{"a", "b", "c"}, {"a", "b", "c"}},
};

static void test_softmax(void **state)
{
    (void)state;
    for (size_t i = 0; i < IA_COUNT(softmax_cases); i++) {
        inarch_model *m = sequential();
        warm_up(m);
        check_case(&softmax_cases[i], m);
        m = nested_top("dense(3,name=q)", "softmax(name=s)");
        warm_up(m);
        check_case(&softmax_cases[i], m);
    }
}

static const class_case sigmoid_cases[] = {
    {{"no", "yes"}, {"yes", "no"}},          {{"no", "yes"}, {"no", "yes", "maybe"}},
    {{"no", "yes"}, {"maybe", "yes", "no"}}, {{"no", "yes"}, {"no", "yes"}},
    {{"no", "yes"}, {"no", "other"}},
};

/* One unit stands for the logits (0, z) of its classes. */
static void test_sigmoid(void **state)
{
    (void)state;
    for (size_t i = 0; i < IA_COUNT(sigmoid_cases); i++) {
        inarch_model *m = rig_new("input:4,dense(6,tanh,name=d),dense(1,sigmoid,name=e)");
        warm_up(m);
        check_case(&sigmoid_cases[i], m);
        m = rig_new("input:4,dense(6,tanh,name=d),dense(1,name=e),activation(sigmoid,name=s)");
        warm_up(m);
        check_case(&sigmoid_cases[i], m);
        m = nested_top("dense(1,name=q)", "activation(sigmoid,name=s)");
        warm_up(m);
        check_case(&sigmoid_cases[i], m);
    }
}

/* Back again: weights of known classes come through a growth and a shrinkage bit for bit. */
static void test_there_and_back(void **state)
{
    (void)state;
    inarch_error err;
    static const char *const three[] = {"a", "b", "c", NULL};
    static const char *const five[] = {"e", "c", "a", "d", "b", NULL};
    inarch_model *m = sequential();
    set_classes(m, three);
    inarch_weight v = {.size = sizeof v}, w = {.size = sizeof w};
    inarch_model *before = rig_clone(m);
    set_classes(m, five);
    set_classes(m, three);
    assert_ok(inarch_weight_get(before, "e/kernel", &v, &err), err);
    assert_ok(inarch_weight_get(m, "e/kernel", &w, &err), err);
    assert_memory_equal(v.data, w.data, v.count * sizeof(float));
    inarch_free(before);
    inarch_free(m);
}

static void test_class_errors(void **state)
{
    (void)state;
    inarch_error err;
    static const char *const five[] = {"a", "b", "c", "d", "a"};
    inarch_model *m = sequential();
    char *before = document_text(m);
    check_error(inarch_set_classes(m, five, 1, &err), INARCH_BAD_ARGUMENT, &err, "classes",
                "1 class cannot be told apart", "name two classes or more");
    check_error(inarch_set_classes(m, five, 0, &err), INARCH_BAD_ARGUMENT, &err, "classes",
                "0 classes cannot be told apart", "name two classes or more");
    check_error(inarch_set_classes(m, five, 5, &err), INARCH_BAD_ARGUMENT, &err, "a",
                "class 'a' is named twice", "");
    check_error(inarch_set_classes(m, five, 4, &err), INARCH_BAD_ARGUMENT, &err, "e",
                "nothing says which classes the 3 units of layer 'e' stand for",
                "name its present classes first, or replace the head (--head N)");
    char *after = document_text(m);
    assert_string_equal(before, after);
    free(before);
    free(after);
    inarch_free(m);
    m = rig_new("input:4,dense(3,name=d),batchnorm(name=n)");
    check_error(inarch_set_classes(m, five, 4, &err), INARCH_UNSUPPORTED, &err, "n",
                "the last layer with weights, 'n', is a BatchNormalization, not a Dense",
                "replace the head instead (--head N)");
    inarch_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replace_head),   cmocka_unit_test(test_replace_parts),
        cmocka_unit_test(test_replace_errors), cmocka_unit_test(test_softmax),
        cmocka_unit_test(test_sigmoid),        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_class_errors),
    };
    return cmocka_run_group_tests(tests, NULL, rig_folder_remove);
}
