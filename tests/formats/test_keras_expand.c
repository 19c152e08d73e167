/* hard_sigmoid written out, and read back as one layer. */
#include "written.h"

static void check_hard_sigmoid(int generation, float slope)
{
    inarch_error err;
    ia_model *m = new_model("input:4,dense:3:relu,dense:2:hard_sigmoid,dense:1");
    const ia_layer *l = ia_model_layer(m, "dense_1");
    json_t *name = json_string("hard_sigmoid");
    assert_ok(ia_field_set_json(ia_field_find(l->cls->fields, l->cls->field_count, "activation"),
                                l->config, name, generation, "dense_1", &err),
              err);
    json_decref(name);
    json_t *model = written(m, "model_config");
    const json_t *config = json_object_get(entry(model, "dense_1"), "config");
    assert_json(json_object_get(config, "activation"), "\"linear\"");
    config = json_object_get(entry(model, "dense_1_slope"), "config");
    assert_near(ia_json_double(config, "scale", 0), slope, 1e-7);
    assert_near(ia_json_double(config, "offset", 0), 0.5, 0);
    config = json_object_get(entry(model, "dense_1_clip"), "config");
    assert_near(ia_json_double(config, "max_value", 0), 1, 0);
    json_decref(model);
    ia_model *again = rig_again(m); /* and back to one layer */
    rig_same_model(m, again);
    assert_near(ia_model_layer(again, "dense_1")
                    ->cls->activation(ia_model_layer(again, "dense_1"))
                    ->param[0],
                slope, 1e-7);
    ia_model_free(again);
    ia_model_free(m);
}

static void test_hard_sigmoid(void **state)
{
    (void)state;
    check_hard_sigmoid(2, 0.2f);
    check_hard_sigmoid(3, 1.0f / 6);
}

/* In a graph: shared, inside a nested model, and as the output. */
static void test_hard_sigmoid_in_graphs(void **state)
{
    inarch_error err;
    ia_model *m, *base = new_model("input:3,dense:3:hard_sigmoid");
    (void)state;
    assert_ok(ia_model_new(IA_FUNCTIONAL, "m", &m, &err), err);
    ia_ref in[2] = {{add(m, layer(m, "input(3,name=x)"), NULL, 0), 0},
                    {add(m, layer(m, "input(3,name=y)"), NULL, 0), 0}};
    assert_ok(ia_model_set_inputs(m, in, 2, &err), err);
    ia_layer *shared = layer(m, "dense(3,hard_sigmoid,name=s)");
    ia_ref one = {add(m, shared, &in[0], 1), 0}, two;
    assert_ok(ia_model_add_call(m, shared, &in[1], 1, &err), err);
    two = (ia_ref){m->call_count - 1, 0};
    ia_ref deep = {add(m, nested("base", base), &one, 1), 0};
    ia_ref both[2] = {deep, two};
    ia_ref outs[2] = {{add(m, layer(m, "add(name=sum)"), both, 2), 0}, one};
    assert_ok(ia_model_set_outputs(m, outs, 2, &err), err);
    finish(m);
    ia_model *again = rig_again(m);
    rig_same_model(m, again);
    assert_int_equal(again->layer_count, 5);
    ia_model_free(again);
    ia_model_free(m);
}

/* A penalty on the output is on what the activation gives: the layer stays whole. */
static void test_penalty(void **state)
{
    (void)state;
    ia_model *m = new_model("input:4,dense(2,hard_sigmoid,activity_regularizer=l2(0.1))");
    json_t *model = written(m, "model_config");
    const json_t *config = json_object_get(entry(model, "dense"), "config");
    assert_json(json_object_get(config, "activation"), "\"hard_sigmoid\"");
    json_decref(model);
    ia_model *again = rig_again(m);
    rig_same_model(m, again);
    ia_model_free(again);
    ia_model_free(m);
}

/* Somebody put a layer in between: what is there now counts. */
static void test_edited(void **state)
{
    static const char *const meta[] = {
        "{\"document\":{\"folded\":{\"a\":{\"slope\":\"s\",\"clip\":\"c\"}}}}",
        "{\"document\":{\"folded\":{\"a\":{\"slope\":\"c\",\"clip\":\"s\"}}}}",
        "{\"document\":{\"folded\":{\"s\":{\"slope\":\"s\",\"clip\":\"s\"},\"b\":7}}}",
        "{\"document\":{\"folded\":[1]}}",
        "{\"document\":7}",
    };
    (void)state;
    for (size_t i = 0; i < IA_COUNT(meta); i++) {
        rig_file f = {.version = "3.0.0",
                      .model =
                          "{\"class_name\":\"Sequential\",\"config\":{\"name\":\"m\",\"layers\":[{"
                          "\"class_name\":\"Activation\",\"config\":{\"name\":\"a\","
                          "\"activation\":\"linear\",\"batch_input_shape\":[null,2]}},{"
                          "\"class_name\":\"Rescaling\",\"config\":{\"name\":\"s\",\"scale\":0.2,"
                          "\"offset\":0.5}},{\"class_name\":\"Dropout\",\"config\":{\"name\":\"d\","
                          "\"rate\":0.5}},{\"class_name\":\"ReLU\",\"config\":{\"name\":\"c\","
                          "\"max_value\":1.0}}]}}",
                      .meta = meta[i]};
        ia_model *m = rig_read(&f);
        assert_int_equal(m->layer_count, 5);
        assert_int_equal(m->call_count, 5);
        ia_model_free(m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hard_sigmoid),
        cmocka_unit_test(test_hard_sigmoid_in_graphs),
        cmocka_unit_test(test_penalty),
        cmocka_unit_test(test_edited),
    };
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
