/* Layers of every generation: what Keras 1 called things, and what is kept as it is because our
 * classes do not compute it. */
#include "rig.h"

#define INPUT(name)                                                                                \
    "{'class_name':'InputLayer','name':'" name "','config':{'name':'" name                         \
    "','batch_input_shape':[null,4]},'inbound_nodes':[]}"

/* ---- Keras 1 ---- */

static void test_keras_1(void **state)
{
    static char config[] =
        "{'class_name':'Sequential','config':[{'class_name':'Dense','config':{'name':'d','output_"
        "dim':"
        "3,'init':'glorot_uniform','W_regularizer':{'name':'WeightRegularizer','l1':0.0,'l2':0.5},"
        "'b_regularizer':null,'W_constraint':null,'bias':false,'activation':'hard_sigmoid',"
        "'input_dim':2,'batch_input_shape':[null,2],'input_dtype':'float32','trainable':true}},"
        "{'class_name':'Dropout','config':{'name':'p','p':0.25}},"
        "{'class_name':'GaussianNoise','config':{'name':'g','sigma':0.5}}]}";
    rig_weight w[] = {{"d", "d_W", {2, 3}, 10, IA_F32}};
    rig_file f = {.model = config, .weights = w, .count = 1};
    (void)state;
    to_double_quotes(config);
    ia_model *m = rig_read(&f), *again = rig_again(m);
    rig_same_model(m, again); /* the slope of Keras 1's hard_sigmoid too */
    const ia_model *both[] = {m, again};
    for (int i = 0; i < 2; i++) {
        const ia_layer *d = ia_model_layer(both[i], "d"), *p = ia_model_layer(both[i], "p");
        char text[64];
        assert_int_equal(d->variable_count, 1);
        assert_near(d->variables[0].regularizer.l2, 0.5, 0);
        assert_near(d->cls->activation(d)->param[0], 0.2, 1e-7);
        ia_field_to_text(ia_field_find(p->cls->fields, p->cls->field_count, "rate"), p->config,
                         text, sizeof text);
        assert_string_equal(text, "0.25");
        assert_int_equal(d->generation, 1);
    }
    ia_model_free(m);
    ia_model_free(again);
}

static void test_merge(void **state)
{
    static const char *const modes[][2] = {
        {"sum", "Add"},     {"mul", "Multiply"},       {"ave", "Average"},
        {"max", "Maximum"}, {"concat", "Concatenate"}, {"cos", NULL},
    };
    (void)state;
    for (size_t i = 0; i < IA_COUNT(modes); i++) {
        char config[2048];
        snprintf(config, sizeof config,
                 "{'class_name':'Model','config':{'name':'m','layers':[" INPUT("x") "," INPUT(
                     "y") ","
                          "{'class_name':'Merge','name':'z','config':{'name':'z','mode':'%s','mode_"
                          "type':'raw',"
                          "'concat_axis':-1,'layers':[]},'inbound_nodes':[[['x',0,0],['y',0,0]]]}],"
                          "'input_layers':[['x',0,0],['y',0,0]],'output_layers':[['z',0,0]]}}",
                 modes[i][0]);
        ia_model *m = read_config(NULL, config), *again = rig_again(m);
        rig_same_model(m, again);
        const ia_layer *z = ia_model_layer(again, "z");
        if (modes[i][1])
            assert_string_equal(z->cls->name, modes[i][1]);
        else
            assert_ptr_equal(z->cls, &ia_layer_opaque);
        ia_model_free(m);
        ia_model_free(again);
    }
}

/* ---- what our classes do not compute stays opaque ---- */

static void test_kept_as_they_are(void **state)
{
    static const char *const layers[][2] = {
        {"Dense", "'units':3,'activation':'my_own'"},
        {"Dense", "'units':3,'kernel_regularizer':{'class_name':'Mine','config':{}}"},
        {"Dense", "'units':3,'lora_rank':4"},
        {"Dense",
         "'units':3,'dtype':{'class_name':'QuantizedDTypePolicy','config':{'mode':'int8'}}"},
        {"BatchNormalization", "'renorm':true"},
        {"BatchNormalization", "'mode':2"},
        {"Mine", "'x':1"},
    };
    (void)state;
    for (size_t i = 0; i < IA_COUNT(layers); i++) {
        char config[1024];
        snprintf(config, sizeof config,
                 "{'class_name':'Sequential','config':{'name':'q','layers':[{'class_name':'%s',"
                 "'config':{'name':'l',%s,'batch_input_shape':[null,4]}},{'class_name':'ReLU',"
                 "'config':{'name':'r'}}]}}",
                 layers[i][0], layers[i][1]);
        ia_model *m = read_config("3.9.0", config);
        const ia_layer *l = ia_model_layer(m, "l");
        assert_ptr_equal(l->cls, &ia_layer_opaque);
        assert_string_equal(l->class_name, layers[i][0]);
        assert_int_equal(m->calls[2].out[0].rank, -1);
        bool known = strcmp(layers[i][0], "Mine") != 0;
        assert_int_equal(json_array_size(json_object_get(m->meta, IA_META_NOTES)), known);
        ia_model *again = rig_again(m);
        rig_same_model(m, again);
        ia_model_free(again);
        ia_model_free(m);
    }
}

/* A class of one's own may bear a name of Keras'. */
static void test_foreign_module(void **state)
{
    ia_model *m =
        read_config("3.9.0", "{'class_name':'Sequential','config':{'name':'q','layers':[{"
                             "'module':'my.layers','class_name':'ReLU','registered_name':"
                             "'my>ReLU','config':{'name':'l','batch_input_shape':[null,4]}}]"
                             "}}");
    (void)state;
    assert_ptr_equal(ia_model_layer(m, "l")->cls, &ia_layer_opaque);
    ia_model *again = rig_again(m);
    assert_string_equal(ia_json_string(ia_model_layer(again, "l")->envelope, "module", ""),
                        "my.layers");
    ia_model_free(again);
    ia_model_free(m);
}

/* An initialiser that nobody knows does not matter to a layer that has its weights. */
static void test_unknown_initializer(void **state)
{
    static char config[] =
        "{'class_name':'Sequential','config':{'name':'q','layers':[{'class_name':'Dense','config':{"
        "'name':'d','units':3,'batch_input_shape':[null,2],'kernel_initializer':{'class_name':'"
        "Mine',"
        "'config':{'a':7}}}}]}}";
    rig_weight w[] = {{"d", "d/kernel:0", {2, 3}, 10, IA_F32}, {"d", "d/bias:0", {3}, 20, IA_F32}};
    rig_file f = {.version = "2.4.0", .model = config, .weights = w, .count = 2};
    (void)state;
    to_double_quotes(config);
    ia_model *m = rig_read(&f), *again = rig_again(m);
    const ia_layer *d = ia_model_layer(again, "d");
    assert_string_equal(d->cls->name, "Dense");
    const json_t *kept = json_object_get(d->source, "kernel_initializer");
    assert_string_equal(ia_json_string(kept, "class_name", ""), "Mine");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(kept, "config"), "a")), 7);
    ia_model_free(m);
    ia_model_free(again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keras_1),
        cmocka_unit_test(test_merge),
        cmocka_unit_test(test_kept_as_they_are),
        cmocka_unit_test(test_foreign_module),
        cmocka_unit_test(test_unknown_initializer),
    };
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
