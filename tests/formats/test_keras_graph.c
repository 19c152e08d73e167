/* Model configurations: calls of every generation, nested and shared layers, inputs and outputs,
 * what Keras 1 called things, and graphs that make no sense. */
#include "rig.h"

static void refuse_config(const char *config, inarch_status status, const char *message)
{
    inarch_error err;
    ia_model *m;
    inarch_status have = try_config("2.4.0", config, &m, &err);
    if (have == INARCH_OK)
        fail_msg("read, but should say: %s", message);
    if (!strstr(err.message, message))
        fail_msg("\"%s\" does not contain \"%s\"", err.message, message);
    assert_int_equal(have, status);
}

/* "a<-  b<-a  c<-a,b" of a model's calls, "=" marks the outputs. */
static const char *graph_text(const ia_model *m)
{
    static char text[2048];
    text[0] = 0;
    for (size_t i = 0; i < m->call_count; i++) {
        const ia_call *c = &m->calls[i];
        char one[256], *at = one;
        at += sprintf(at, "%s%s<-", i ? " " : "", c->layer->name);
        for (size_t k = 0; k < c->in_count; k++)
            at += sprintf(at, "%s%zu", k ? "," : "", c->in[k].call);
        strcat(text, one);
    }
    for (size_t i = 0; i < m->output_count; i++)
        sprintf(text + strlen(text), " =%zu.%zu", m->outputs[i].call, m->outputs[i].output);
    return text;
}

#define INPUT(name)                                                                                \
    "{'class_name':'InputLayer','name':'" name "','config':{'name':'" name                         \
    "','batch_input_shape':[null,4]},'inbound_nodes':[]}"
#define LAYER(class_name, name, nodes)                                                             \
    "{'class_name':'" class_name "','name':'" name "','config':{'name':'" name                     \
    "'},'inbound_nodes':" nodes "}"
#define RELU(name, nodes) LAYER("ReLU", name, nodes)
#define MODEL(name, layers, inputs, outputs)                                                       \
    "{'class_name':'Functional','config':{'name':'" name "','layers':[" layers                     \
    "],'input_layers':" inputs ",'output_layers':" outputs "}}"
#define TENSOR(name, node)                                                                         \
    "{'class_name':'__keras_tensor__','config':{'shape':[null,4],'dtype':'float32',"               \
    "'keras_history':['" name "'," #node ",0]}}"

static void check_graph(const char *version, const char *config, const char *want)
{
    ia_model *m = read_config(version, config);
    assert_string_equal(graph_text(m), want);
    ia_model *again = rig_again(m);
    assert_string_equal(graph_text(again), want);
    rig_same_model(m, again);
    ia_model_free(again);
    ia_model_free(m);
}

/* ---- calls ---- */

static void test_calls(void **state)
{
    (void)state;
    check_graph("2.4.0",
                MODEL("m",
                      INPUT("x") "," RELU("a", "[[['x',0,0,{}]]]") "," RELU("b", "[[['a',0,0]]]"),
                      "[['x',0,0]]", "[['b',0,0]]"),
                "x<- a<-0 b<-1 =2.0");
    /* the same by Keras 3 */
    check_graph(
        "3.4.0",
        MODEL("m",
              INPUT("x") "," RELU("a", "[{'args':[" TENSOR("x", 0) "],'kwargs':{}}]") "," RELU(
                  "b", "[{'args':[" TENSOR("a", 0) "],'kwargs':{'mask':null}}]"),
              "['x',0,0]", "['b',0,0]"),
        "x<- a<-0 b<-1 =2.0");
    /* layers in an order that no call can follow */
    check_graph(
        "2.4.0",
        MODEL("m", RELU("b", "[[['a',0,0,{}]]]") "," RELU("a", "[[['x',0,0,{}]]]") "," INPUT("x"),
              "[['x',0,0]]", "[['b',0,0]]"),
        "x<- a<-0 b<-1 =2.0");
}

static void test_shared(void **state)
{
    (void)state;
    check_graph(
        "2.4.0",
        MODEL("m",
              INPUT("x") "," INPUT("y") "," RELU("s", "[[['x',0,0,{}]],[['y',0,0,{}]]]") "," LAYER(
                  "Add", "sum", "[[['s',0,0,{}],['s',1,0,{}]]]"),
              "[['x',0,0],['y',0,0]]", "[['sum',0,0],['s',1,0]]"),
        "x<- y<- s<-0 s<-1 sum<-2,3 =4.0 =3.0");
    /* a layer on its own output */
    check_graph("3.0.0",
                MODEL("m",
                      INPUT("x") "," RELU(
                          "s", "[{'args':[" TENSOR("x", 0) "],'kwargs':{}},{'args':[" TENSOR(
                                   "s", 0) "],'kwargs':{}}]"),
                      "['x',0,0]", "['s',1,0]"),
                "x<- s<-0 s<-1 =2.0");
}

/* A call that no output needs is dropped, an input that nothing reads stays. */
static void test_unneeded(void **state)
{
    (void)state;
    check_graph(
        "2.4.0",
        MODEL("m", INPUT("x") "," INPUT("unread") "," RELU("a", "[[['x',0,0,{}]],[['x',0,0,{}]]]"),
              "[['x',0,0],['unread',0,0]]", "[['a',0,0]]"),
        "x<- unread<- a<-0 =2.0");
}

static void test_training_argument(void **state)
{
    ia_model *m = read_config(
        "2.4.0",
        MODEL("m",
              INPUT("x") "," LAYER("Dropout", "d", "[[['x',0,0,{'training':false}]]]") "," LAYER(
                  "Dropout", "e", "[[['d',0,0,{'training':true,'mask':null}]]]"),
              "[['x',0,0]]", "[['e',0,0]]"));
    (void)state;
    ia_model *again = rig_again(m);
    const ia_model *both[] = {m, again};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(both[i]->calls[0].training, IA_TRAINING_UNSET);
        assert_int_equal(both[i]->calls[1].training, 0);
        assert_int_equal(both[i]->calls[2].training, 1);
    }
    ia_model_free(again);
    ia_model_free(m);
}

/* ---- nested models ---- */

#define INNER(class_name, extra)                                                                   \
    "{'class_name':'" class_name "','name':'n','config':{'name':'n','layers':[" INPUT(             \
        "i") "," RELU("r", "[[['i',0,0,{}]]]") "]" extra "},'inbound_nodes':"
#define FUNCTIONAL INNER("Functional", ",'input_layers':[['i',0,0]],'output_layers':[['r',0,0]]")
#define SEQUENTIAL INNER("Sequential", "")

/* Keras 1 and 2 count the calls of a nested model from 1, Keras 3 from 0 - but from 1 in
 * output_layers for a Functional. */
static void test_nested_numbers(void **state)
{
    static const char *const one = "x<- n<-0 a<-1 =2.0", *const two = "x<- n<-0 n<-1 =2.0";
    (void)state;
    check_graph("2.4.0",
                MODEL("m",
                      INPUT("x") "," FUNCTIONAL "[[['x',0,0,{}]]]}," RELU("a", "[[['n',1,0,{}]]]"),
                      "[['x',0,0]]", "[['a',0,0]]"),
                one);
    check_graph("2.4.0",
                MODEL("m",
                      INPUT("x") "," SEQUENTIAL "[[['x',0,0,{}]]]}," RELU("a", "[[['n',1,0,{}]]]"),
                      "[['x',0,0]]", "[['a',0,0]]"),
                one);
    check_graph("2.4.0",
                MODEL("m", INPUT("x") "," FUNCTIONAL "[[['x',0,0,{}]],[['n',1,0,{}]]]}",
                      "[['x',0,0]]", "[['n',2,0]]"),
                two);
    check_graph("3.0.0",
                MODEL("m",
                      INPUT("x") "," SEQUENTIAL "[{'args':[" TENSOR(
                          "x", 0) "],'kwargs':{}},{'args':[" TENSOR("n", 0) "],'kwargs':{}}]}",
                      "['x',0,0]", "['n',1,0]"),
                two);
    check_graph("3.0.0",
                MODEL("m",
                      INPUT("x") "," FUNCTIONAL "[{'args':[" TENSOR(
                          "x", 0) "],'kwargs':{}},{'args':[" TENSOR("n", 0) "],'kwargs':{}}]}",
                      "['x',0,0]", "['n',2,0]"),
                two);
    /* a Sequential without an InputLayer of its own is counted from 0 by tf.keras */
    check_graph(
        "2.4.0",
        MODEL("m",
              INPUT("x") ",{'class_name':'Sequential','name':'n','config':{'name':'n',"
                         "'layers':[{'class_name':'ReLU','config':{'name':'r'}}]},'inbound_nodes':"
                         "[[['x',0,0,{}]],[['n',0,0,{}]]]}",
              "[['x',0,0]]", "[['n',1,0]]"),
        two);
}

static void test_nested_shapes(void **state)
{
    (void)state;
    ia_model *m = read_config(
        "2.4.0",
        MODEL("m",
              INPUT("x") ",{'class_name':'Sequential','name':'n','config':{'name':'n',"
                         "'layers':[{'class_name':'ReLU','config':{'name':'r'}}]},'inbound_nodes':"
                         "[[['x',0,0,{}]]]}",
              "[['x',0,0]]", "[['n',0,0]]"));
    const ia_call *c = &m->calls[m->outputs[0].call];
    assert_int_equal(c->out[0].rank, 1);
    assert_int_equal(c->out[0].dim[0], 4);
    assert_string_equal(m->layers[1]->child->layers[0]->name, "r_input");
    ia_model_free(m);
}

/* ---- inputs and outputs as objects ---- */

static void test_dict_ports(void **state)
{
    ia_model *m = read_config(
        "3.0.0",
        MODEL("m",
              INPUT("b") "," INPUT("a") "," LAYER(
                  "Add", "s", "[{'args':[[" TENSOR("b", 0) "," TENSOR("a", 0) "]],'kwargs':{}}]"),
              "{'b':['b',0,0],'a':['a',0,0]}", "{'y':['s',0,0]}"));
    (void)state;
    assert_string_equal(m->calls[m->inputs[0].call].layer->name,
                        "a"); /* sorted, as Keras flattens */
    assert_string_equal(m->calls[m->inputs[1].call].layer->name, "b");
    ia_model *again = rig_again(m);
    rig_same_model(m, again);
    assert_true(json_is_object(json_object_get(again->source, "input_layers")));
    assert_non_null(json_object_get(json_object_get(again->source, "output_layers"), "y"));
    ia_model_free(again);
    ia_model_free(m);
}

/* ---- Sequential models ---- */

static void test_sequential_forms(void **state)
{
    static const char *const configs[] = {
        /* up to 2.2.2, from 2.2.3, Keras 3 */
        "{'class_name':'Sequential','config':[{'class_name':'ReLU','config':{'name':'a',"
        "'batch_input_shape':[null,4]}},{'class_name':'ReLU','config':{'name':'b'}}]}",
        "{'class_name':'Sequential','config':{'name':'q','layers':[{'class_name':'ReLU','config':{"
        "'name':'a','batch_input_shape':[null,4]}},{'class_name':'ReLU','config':{'name':'b'}}]}}",
        "{'class_name':'Sequential','config':{'name':'q','layers':[{'class_name':'ReLU','config':{"
        "'name':'a'}},{'class_name':'ReLU','config':{'name':'b'}}],'build_input_shape':[null,4]}}",
        "{'class_name':'Sequential','config':{'name':'q','layers':[{'class_name':'InputLayer',"
        "'config':{'name':'a_input','batch_shape':[null,4]}},{'class_name':'ReLU','config':{"
        "'name':'a'}},{'class_name':'ReLU','config':{'name':'b'}}]}}",
    };
    (void)state;
    for (size_t i = 0; i < IA_COUNT(configs); i++) {
        ia_model *m = read_config("2.2.2", configs[i]);
        assert_string_equal(graph_text(m), "a_input<- a<-0 b<-1 =2.0");
        assert_string_equal(m->name, i ? "q" : "sequential");
        assert_int_equal(m->calls[2].out[0].dim[0], 4);
        assert_int_equal(ia_model_counted(m), 2);
        ia_model_free(m);
    }
}

/* Keras up to 2.2.2 wrote no name for a Sequential in a Sequential: the file's list has it. */
static void test_unnamed_nested(void **state)
{
    static char config[] =
        "{'class_name':'Sequential','config':[{'class_name':'Sequential','config':[{'class_name':"
        "'Dense','config':{'name':'d','units':3,'batch_input_shape':[null,2]}}]},{'class_name':'"
        "ReLU',"
        "'config':{'name':'r'}}]}";
    rig_weight w[] = {{"sequential_7", "d/kernel:0", {2, 3}, 10, IA_F32},
                      {"sequential_7", "d/bias:0", {3}, 20, IA_F32},
                      {"r", NULL, {0}, 0, IA_F32}};
    rig_file f = {.version = "2.1.3", .model = config, .weights = w, .count = 3};
    (void)state;
    to_double_quotes(config);
    ia_model *m = rig_read(&f);
    assert_true(rig_first(m, "sequential_7/d", "kernel") == 10);
    assert_int_equal(m->calls[0].out[0].dim[0], 2);
    ia_model_free(m);
}

/* ---- nonsense ---- */

static void test_refused_graphs(void **state)
{
    (void)state;
    refuse_config(
        MODEL("m", INPUT("x") "," RELU("a", "[[['b',0,0,{}]]]") "," RELU("b", "[[['a',0,0,{}]]]"),
              "[['x',0,0]]", "[['b',0,0]]"),
        INARCH_BAD_FILE, "takes its own output as input: the graph has a cycle");
    refuse_config(
        MODEL("m", INPUT("x") "," RELU("a", "[[['a',0,0,{}]]]"), "[['x',0,0]]", "[['a',0,0]]"),
        INARCH_BAD_FILE, "layer 'a' takes its own output as input");
    refuse_config(
        MODEL("m", INPUT("x") "," RELU("a", "[[['nobody',0,0,{}]]]"), "[['x',0,0]]", "[['a',0,0]]"),
        INARCH_BAD_FILE, "'a' takes its input from the layer 'nobody', which is not in the model");
    refuse_config(
        MODEL("m", INPUT("x") "," RELU("a", "[[['x',1,0,{}]]]"), "[['x',0,0]]", "[['a',0,0]]"),
        INARCH_BAD_FILE, "'a' takes its input from call 1 of layer 'x', which is called 1 time");
    refuse_config(
        MODEL("m", INPUT("x") "," RELU("a", "[[['x',-1,0,{}]]]"), "[['x',0,0]]", "[['a',0,0]]"),
        INARCH_BAD_FILE, "call -1 of layer 'x'");
    refuse_config(MODEL("m",
                        INPUT("x") ",{'class_name':'Sequential','name':'n','config':[{'class_name':"
                                   "'ReLU','config':{'name':'r','batch_input_shape':[null,4]}}],"
                                   "'inbound_nodes':[[['x',0,0]],[['x',0,0]]]}," RELU(
                                       "a", "[[['n',-9223372036854775808,0]]]"),
                        "[['x',0,0]]", "[['a',0,0]]"),
                  INARCH_BAD_FILE,
                  "call -9223372036854775808 of layer 'n', which is called 2 times");
    refuse_config(
        MODEL("m", INPUT("x") "," RELU("a", "[[['x',0,1,{}]]]"), "[['x',0,0]]", "[['a',0,0]]"),
        INARCH_UNSUPPORTED, "layer 'x' (InputLayer) gives several outputs");
    refuse_config(MODEL("m", INPUT("x") "," RELU("a", "[[['x',0,0,{}]]]"), "[]", "[['a',0,0]]"),
                  INARCH_BAD_FILE, "the model 'm' has no inputs");
    refuse_config(MODEL("m", INPUT("x") "," RELU("a", "[[['x',0,0,{}]]]"), "[['x',0,0]]", "[]"),
                  INARCH_BAD_FILE, "the model 'm' has no outputs");
    refuse_config(
        MODEL("m", INPUT("x") "," RELU("a", "[[['x',0,0,{}]]]"), "[['a',0,0]]", "[['a',0,0]]"),
        INARCH_BAD_FILE, "layer 'a' is listed as an input, but is not an InputLayer");
    refuse_config(MODEL("m", INPUT("x") "," RELU("a", "[[['x',0,0,{}]]]"), "[['x',0,0],['x',0,0]]",
                        "[['a',0,0]]"),
                  INARCH_BAD_FILE, "layer 'x' is listed twice among the inputs");
    refuse_config(MODEL("m",
                        INPUT("x") "," INPUT("y") "," LAYER("Add", "a", "[[['x',0,0],['y',0,0]]]"),
                        "[['x',0,0]]", "[['a',0,0]]"),
                  INARCH_BAD_FILE, "layer 'y' is needed, but not listed among the inputs");
    refuse_config(
        MODEL("m", INPUT("x") "," RELU("x", "[[['x',0,0,{}]]]"), "[['x',0,0]]", "[['x',0,0]]"),
        INARCH_BAD_FILE, "two layers of the model 'm' are called 'x'");
    refuse_config(MODEL("m", INPUT("x") "," RELU("a", "[[['x',0,0,{}],['x',0,0,{}]]]"),
                        "[['x',0,0]]", "[['a',0,0]]"),
                  INARCH_BAD_FILE, "layer 'a' takes 1 input, but is called with 2");
    refuse_config(MODEL("m", INPUT("x") "," RELU("a", "[[]]"), "[['x',0,0]]", "[['a',0,0]]"),
                  INARCH_UNSUPPORTED,
                  "layer 'a' (ReLU) is called with other arguments than its inputs");
    refuse_config(MODEL("m",
                        INPUT("x") ",{'class_name':'InputLayer','name':'y','config':{'name':'y'},"
                                   "'inbound_nodes':[[['x',0,0]]]}",
                        "[['x',0,0]]", "[['y',0,0]]"),
                  INARCH_BAD_FILE, "layer 'y' is an InputLayer, but takes inputs");
}

static void test_refused_configs(void **state)
{
    (void)state;
    refuse_config("[]", INARCH_BAD_FILE, "the model configuration of the file has no class_name");
    refuse_config("{'class_name':'Sequential'}", INARCH_BAD_FILE, "has no layers");
    refuse_config("{'class_name':'Sequential','config':[]}", INARCH_BAD_FILE, "has no layers");
    refuse_config("{'class_name':'Sequential','config':{'layers':{}}}", INARCH_BAD_FILE,
                  "has no layers");
    refuse_config("{'class_name':'Sequential','config':[1]}", INARCH_BAD_FILE,
                  "a layer of the model configuration has no class_name");
    refuse_config("{'class_name':'Sequential','config':[{'class_name':'ReLU'}]}", INARCH_BAD_FILE,
                  "layer '' (ReLU) has no configuration");
    refuse_config("{'class_name':'Sequential','config':[{'class_name':'ReLU','config':{}}]}",
                  INARCH_BAD_FILE, "a layer (ReLU) has no name");
    refuse_config(
        "{'class_name':'Sequential','config':[{'class_name':'ReLU','config':{'name':''}}]}",
        INARCH_BAD_FILE, "a layer (ReLU) has no name");
    refuse_config("{'class_name':'MyModel','config':{'name':'m','layers':[]}}", INARCH_UNSUPPORTED,
                  "the layers of a model of class 'MyModel' are not in its configuration");
    refuse_config(
        "{'class_name':'Sequential','config':[{'class_name':'ReLU','config':{'name':'a',"
        "'batch_input_shape':[null,4]}},{'class_name':'InputLayer','config':{'name':'i'}}]}",
        INARCH_BAD_FILE, "has an InputLayer 'i' behind its first layer");
    refuse_config("{'class_name':", INARCH_BAD_FILE, "model_config");
}

/* Models in models: 32 are read, 33 are refused, and JSON cannot go deeper than its own limit. */
static void test_depth(void **state)
{
    (void)state;
    for (int depth = 31; depth <= 33; depth++) {
        inarch_error err;
        ia_model *m;
        char *config = calloc(1, 1 << 16);
        for (int i = 0; i < depth; i++)
            sprintf(config + strlen(config),
                    "{'class_name':'Sequential','config':{'name':'s%d','layers':[", i);
        strcat(config, "{'class_name':'ReLU','config':{'name':'r','batch_input_shape':[null,4]}}");
        for (int i = 0; i < depth; i++)
            strcat(config, "]}}");
        inarch_status status = try_config("2.4.0", config, &m, &err);
        assert_int_equal(status, depth <= 32 ? INARCH_OK : INARCH_LIMIT);
        if (status == INARCH_OK)
            ia_model_free(m);
        else
            assert_non_null(strstr(err.message, "models are nested more than 32 deep"));
        free(config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls),           cmocka_unit_test(test_shared),
        cmocka_unit_test(test_unneeded),        cmocka_unit_test(test_training_argument),
        cmocka_unit_test(test_nested_numbers),  cmocka_unit_test(test_nested_shapes),
        cmocka_unit_test(test_dict_ports),      cmocka_unit_test(test_sequential_forms),
        cmocka_unit_test(test_unnamed_nested),  cmocka_unit_test(test_refused_graphs),
        cmocka_unit_test(test_refused_configs), cmocka_unit_test(test_depth),
    };
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
