/* Writing: equal bytes, nothing lost - unknown keys, flags, names, metadata, moments - and the
 * forms that both generations of Keras read. */
#include "written.h"

/* ---- bytes ---- */

static void test_same_bytes(void **state)
{
    inarch_error err;
    uint8_t *one, *two;
    size_t n, k;
    (void)state;
    ia_model *m = new_model("input:4,dense:3:relu,batchnorm,dropout:0.5,dense:2:softmax");
    const char *path = rig_path("same.h5");
    assert_ok(ia_model_write(m, path, NULL, &err), err);
    rig_bytes(path, &one, &n);
    assert_ok(ia_model_write(m, path, NULL, &err), err);
    rig_bytes(path, &two, &k);
    assert_int_equal(n, k);
    assert_memory_equal(one, two, n);
    ia_free(two);
    ia_model *again;
    assert_ok(ia_model_read(path, NULL, &again, &err), err);
    rig_same_model(m, again);
    /* what was read writes what it was read from, from the second time on */
    assert_ok(ia_model_write(again, path, NULL, &err), err);
    rig_bytes(path, &two, &k);
    assert_int_equal(n, k);
    assert_memory_equal(one, two, n);
    unlink(path);
    ia_free(one);
    ia_free(two);
    ia_model_free(again);
    ia_model_free(m);
}

/* ---- the dialect ---- */

static void test_dialect(void **state)
{
    (void)state;
    ia_model *m = new_model("input:4,dense:3:relu,leakyrelu:0.1,dense:2");
    json_t *model = written(m, "model_config");
    const json_t *first =
        json_array_get(json_object_get(json_object_get(model, "config"), "layers"), 0);
    assert_json(json_object_get(json_object_get(first, "config"), "batch_input_shape"), "[null,4]");
    const json_t *dense = json_object_get(entry(model, "dense"), "config");
    assert_json(json_object_get(dense, "units"), "3");
    assert_json(json_object_get(dense, "kernel_regularizer"), "null");
    assert_string_equal(
        ia_json_string(json_object_get(dense, "kernel_initializer"), "class_name", ""),
        "GlorotUniform");
    assert_null(json_object_get(
        json_object_get(json_object_get(dense, "kernel_initializer"), "config"), "dtype"));
    /* Keras 3 still takes alpha, tf_keras knows no other name */
    const json_t *leaky = json_object_get(entry(model, "leaky_re_lu"), "config");
    assert_near(ia_json_double(leaky, "alpha", 0), 0.1, 1e-7);
    assert_null(json_object_get(leaky, "negative_slope"));
    json_decref(model);
    assert_null(written(m, "training_config"));
    assert_null(written(m, "inarch")); /* nothing to say */
    ia_model_free(m);
}

/* Keras 3's SpatialDropout1D refuses the key; our own metadata carry the flag. */
static void test_without_flag(void **state)
{
    (void)state;
    inarch_error err;
    ia_model *m = new_model("input:4x2,spatialdropout1d:0.1,dense:2");
    ia_layer *l = m->calls[1].layer;
    assert_string_equal(l->cls->name, "SpatialDropout1D");
    l->trainable = false;
    json_t *model = written(m, "model_config");
    const json_t *config = json_object_get(entry(model, l->name), "config");
    assert_non_null(config);
    assert_null(json_object_get(config, "trainable"));
    json_decref(model);
    const char *path = rig_path("flag.h5");
    ia_model *again;
    assert_ok(ia_model_write(m, path, NULL, &err), err);
    assert_ok(ia_model_read(path, NULL, &again, &err), err);
    assert_false(again->calls[1].layer->trainable);
    unlink(path);
    ia_model_free(again);
    ia_model_free(m);
}

/* Keras 3's policies are objects; tf_keras wants the name. */
static void test_dtype(void **state)
{
    rig_weight w[] = {{"d", "d/kernel", {2, 3}, 10, IA_F32}, {"d", "d/bias", {3}, 20, IA_F32}};
    rig_file f = {.version = "3.4.0",
                  .model =
                      "{\"class_name\":\"Sequential\",\"config\":{\"name\":\"m\",\"layers\":[{"
                      "\"class_name\":\"Dense\",\"config\":{\"name\":\"d\",\"units\":3,"
                      "\"batch_input_shape\":[8,2],\"dtype\":{\"module\":\"keras\",\"class_name\":"
                      "\"DTypePolicy\",\"config\":{\"name\":\"float32\"},\"registered_name\":null},"
                      "\"quantization_config\":null}}]}}",
                  .weights = w,
                  .count = 2};
    (void)state;
    ia_model *m = rig_read(&f);
    json_t *model = written(m, "model_config");
    const json_t *d = json_object_get(entry(model, "d"), "config");
    assert_json(json_object_get(d, "dtype"), "\"float32\"");
    assert_null(json_object_get(d, "quantization_config"));
    assert_null(json_object_get(d, "batch_input_shape")); /* its InputLayer says it */
    json_decref(model);
    ia_model_free(m);
}

/* ---- nested models ---- */

static ia_model *nested_model(void)
{
    inarch_error err;
    ia_model *m, *base = new_model("input:4,dense:4:relu,dense:4,batchnorm,dense:4");
    assert_ok(ia_model_new(IA_FUNCTIONAL, "outer", &m, &err), err);
    size_t x = add(m, layer(m, "input:4"), NULL, 0);
    ia_ref at = {x, 0};
    assert_ok(ia_model_set_inputs(m, &at, 1, &err), err);
    at.call = add(m, nested("base", base), &at, 1);
    at.call = add(m, layer(m, "dense:2:softmax"), &at, 1);
    assert_ok(ia_model_set_outputs(m, &at, 1, &err), err);
    finish(m);
    return m;
}

/* Every call twice, meant by its second number: right whether counted from 0 or from 1. */
static void test_nested_calls(void **state)
{
    (void)state;
    ia_model *m = nested_model(), *again = rig_again(m);
    rig_same_model(m, again);
    json_t *model = written(m, "model_config");
    assert_json(json_object_get(entry(model, "base"), "inbound_nodes"),
                "[[[\"input_layer\",0,0,{}]],[[\"input_layer\",0,0,{}]]]");
    assert_json(json_object_get(entry(model, "dense"), "inbound_nodes"), "[[[\"base\",1,0,{}]]]");
    json_decref(model);
    ia_model_free(again);
    ia_model_free(m);
}

/* weight_names of one layer's group, joined. */
static void check_weight_names(const ia_model *m, const char *group, const char *want)
{
    inarch_error err;
    const char *path = rig_path("names.h5");
    char have[1024] = "", at[256];
    ia_input in;
    ia_h5 *h5;
    ia_h5_string *names;
    size_t n;
    assert_ok(ia_model_write(m, path, NULL, &err), err);
    assert_ok(ia_input_open(path, &in, &err), err);
    assert_ok(ia_h5_open(&in, &h5, &err), err);
    snprintf(at, sizeof at, "model_weights/%s", group);
    assert_ok(ia_h5_attr_list(h5, ia_h5_find(ia_h5_root(h5), at),
                              *group ? "weight_names" : "layer_names", &names, &n, &err),
              err);
    for (size_t i = 0; i < n; i++) {
        strcat(have, i ? " " : "");
        strcat(have, names[i].text);
    }
    assert_string_equal(have, want);
    ia_free(names);
    ia_h5_free(h5);
    ia_input_close(&in);
    unlink(path);
}

/* The order in which Keras expects the weights of a nested model follows its flags. */
static void test_weight_order(void **state)
{
    (void)state;
    ia_model *m = nested_model();
    check_weight_names(m, "base",
                       "base/dense/kernel base/dense/bias base/dense_1/kernel base/dense_1/bias "
                       "base/batch_normalization/gamma base/batch_normalization/beta "
                       "base/dense_2/kernel base/dense_2/bias base/batch_normalization/moving_mean "
                       "base/batch_normalization/moving_variance");
    ia_model_layer(m, "base/dense")->trainable = false;
    check_weight_names(m, "base",
                       "base/dense_1/kernel base/dense_1/bias base/batch_normalization/gamma "
                       "base/batch_normalization/beta base/dense_2/kernel base/dense_2/bias "
                       "base/dense/kernel base/dense/bias base/batch_normalization/moving_mean "
                       "base/batch_normalization/moving_variance");
    ia_model *again = rig_again(m);
    rig_same_model(m, again);
    ia_model_free(again);
    ia_model_free(m);
}

/* A flag on a nested model: Keras gets it on the layers inside, and we get the raw ones back. */
static void test_nested_flag(void **state)
{
    (void)state;
    ia_model *m = nested_model();
    ia_model_layer(m, "base")->trainable = false;
    ia_model_layer(m, "dense")->learning_rate = 0.25f;
    json_t *model = written(m, "model_config");
    const json_t *base = entry(model, "base");
    assert_json(json_object_get(json_object_get(entry(base, "dense_1"), "config"), "trainable"),
                "false");
    json_decref(model);
    check_weight_names(
        m, "base",
        "base/dense/kernel base/dense/bias base/dense_1/kernel base/dense_1/bias "
        "base/batch_normalization/gamma base/batch_normalization/beta "
        "base/batch_normalization/moving_mean base/batch_normalization/moving_variance "
        "base/dense_2/kernel base/dense_2/bias");
    ia_model *again = rig_again(m);
    rig_same_model(m, again);
    assert_true(ia_model_layer(again, "base/dense_1")->trainable);
    assert_false(ia_model_layer(again, "base")->trainable);
    assert_true(ia_model_layer(again, "dense")->learning_rate == 0.25f);
    ia_model_free(again);
    ia_model_free(m);
}

/* A Normalization inside gives its statistics as configuration: Keras 3 would not use the weights.
 */
static void test_nested_normalization(void **state)
{
    inarch_error err;
    ia_model *m, *base = new_model("input:2,normalization(name=nz),dense(3,name=d)");
    ia_array mean;
    ia_shape two = ia_shape_1(2);
    (void)state;
    assert_ok(ia_array_new(IA_F32, &two, "test", &mean, &err), err);
    memcpy(ia_array_mutable(&mean), (float[2]){0.1f, -7}, 2 * sizeof(float));
    assert_ok(
        ia_variable_set(ia_layer_variable(ia_model_layer(base, "nz"), "mean"), &mean, "nz", &err),
        err);
    ia_array_release(&mean);
    assert_ok(ia_model_new(IA_FUNCTIONAL, "outer", &m, &err), err);
    ia_ref at = {add(m, layer(m, "input:2"), NULL, 0), 0};
    assert_ok(ia_model_set_inputs(m, &at, 1, &err), err);
    at.call = add(m, nested("base", base), &at, 1);
    assert_ok(ia_model_set_outputs(m, &at, 1, &err), err);
    finish(m);
    check_weight_names(m, "base", "base/d/kernel base/d/bias");
    json_t *model = written(m, "model_config");
    const json_t *nz = json_object_get(entry(entry(model, "base"), "nz"), "config");
    assert_near(json_number_value(json_array_get(json_object_get(nz, "mean"), 0)), 0.1f, 0);
    assert_json(json_object_get(nz, "variance"), "[1.0,1.0]");
    json_decref(model);
    ia_model *again = rig_again(m);
    rig_same_model(m, again);
    ia_model_free(again);
    ia_model_free(m);
}

/* ---- Keras' own order of layers ---- */

/* Two branches: Keras numbers the layers by depth, and lists weights by that number. */
static void test_layer_order(void **state)
{
    inarch_error err;
    ia_model *m;
    (void)state;
    assert_ok(ia_model_new(IA_FUNCTIONAL, "m", &m, &err), err);
    ia_ref x = {add(m, layer(m, "input(4,name=x)"), NULL, 0), 0};
    ia_ref far = {add(m, layer(m, "dense(2,name=far)"), &x, 1), 0}; /* depth 1, added first */
    ia_ref near = {add(m, layer(m, "dense(2,name=a)"), &x, 1), 0};  /* depth 2 */
    near.call = add(m, layer(m, "dense(2,name=b)"), &near, 1);      /* depth 1 */
    ia_ref both[2] = {near, far};
    ia_ref out = {add(m, layer(m, "add(name=s)"), both, 2), 0};
    assert_ok(ia_model_set_inputs(m, &x, 1, &err), err);
    assert_ok(ia_model_set_outputs(m, &out, 1, &err), err);
    finish(m);
    check_weight_names(m, "", "x a b far s");
    ia_model *again = rig_again(m);
    rig_same_model(m, again);
    assert_string_equal(again->layers[1]->name, "a");
    ia_model_free(again);
    ia_model_free(m);
}

/* ---- unknown keys ---- */

static void plant(json_t *object)
{
    assert_int_equal(json_object_set_new(object, "planted", json_pack("{s:[i,n,s]}", "x", 1, "ä")),
                     0);
}

static void assert_planted(const json_t *object)
{
    assert_json(json_object_get(object, "planted"), "{\"x\":[1,null,\"\xc3\xa4\"]}");
}

static void test_unknown_keys(void **state)
{
    inarch_error err;
    rig_weight w[] = {{"d", "d/kernel", {4, 3}, 10, IA_F32}, {"d", "d/bias", {3}, 20, IA_F32}};
    json_t *model = json_pack(
        "{s:s, s:{s:s, s:[{s:s, s:s, s:{s:s, s:[n,i]}, s:[]},"
        "{s:s, s:s, s:{s:s, s:i}, s:[[[s,i,i,{}]]]}, {s:s, s:s, s:{s:s}, s:[[[s,i,i,{}]]]}],"
        "s:[[s,i,i]], s:[[s,i,i]]}}",
        "class_name", "Functional", "config", "name", "m", "layers", "class_name", "InputLayer",
        "name", "x", "config", "name", "x", "batch_shape", 4, "inbound_nodes", "class_name",
        "Dense", "name", "d", "config", "name", "d", "units", 3, "inbound_nodes", "x", 0, 0,
        "class_name", "Mine", "name", "o", "config", "name", "o", "inbound_nodes", "d", 0, 0,
        "input_layers", "x", 0, 0, "output_layers", "o", 0, 0);
    json_t *training =
        json_pack("{s:{s:s,s:{s:f}},s:s,s:n,s:n}", "optimizer_config", "class_name", "Adam",
                  "config", "learning_rate", 0.5, "loss", "mse", "metrics", "loss_weights");
    (void)state;
    assert_non_null(model);
    json_t *config = json_object_get(model, "config"), *layers = json_object_get(config, "layers");
    plant(model);
    plant(config);
    plant(training);
    plant(json_object_get(json_object_get(training, "optimizer_config"), "config"));
    for (size_t i = 0; i < 3; i++) {
        plant(json_array_get(layers, i));
        plant(json_object_get(json_array_get(layers, i), "config"));
    }
    json_t *call = json_array_get(
        json_array_get(json_object_get(json_array_get(layers, 1), "inbound_nodes"), 0), 0);
    plant(json_array_get(call, 3));

    char *text = json_dumps(model, 0), *training_text = json_dumps(training, 0);
    rig_file f = {
        .version = "2.4.0", .model = text, .training = training_text, .weights = w, .count = 2};
    ia_model *m = rig_read(&f), *again = rig_again(m);
    free(text);
    free(training_text);
    json_decref(model);
    json_decref(training);

    model = written(again, "model_config");
    assert_planted(model);
    assert_planted(json_object_get(model, "config"));
    for (size_t i = 0; i < 3; i++) {
        static const char *const names[] = {"x", "d", "o"};
        assert_planted(entry(model, names[i]));
        assert_planted(json_object_get(entry(model, names[i]), "config"));
    }
    call =
        json_array_get(json_array_get(json_object_get(entry(model, "d"), "inbound_nodes"), 0), 0);
    assert_planted(json_array_get(call, 3));
    training = written(again, "training_config");
    assert_planted(training);
    assert_planted(json_object_get(json_object_get(training, "optimizer_config"), "config"));
    json_decref(model);
    json_decref(training);
    ia_model_free(again);
    ia_model_free(m);
    (void)err;
}

/* ---- metadata ---- */

static void test_metadata(void **state)
{
    (void)state;
    ia_model *m = new_model("input:4,dense:2:softmax");
    json_object_set_new(m->meta, "classes", json_pack("[s,s]", "pullover", "shirt"));
    json_object_set_new(m->meta, IA_META_NOTES, json_pack("[s]", "not saved"));
    m->step = 77;
    ia_model *again = rig_again(m);
    assert_json(json_object_get(again->meta, "classes"), "[\"pullover\",\"shirt\"]");
    assert_null(json_object_get(again->meta, IA_META_NOTES));
    assert_int_equal(json_object_size(again->meta), 1);
    assert_true(again->step == 77);
    ia_model_free(again);
    ia_model_free(m);
}

/* A rename goes into the configuration, the calls and the weights. */
static void test_rename(void **state)
{
    (void)state;
    ia_model *m = nested_model();
    ia_layer *l = ia_model_layer(m, "base");
    ia_free(l->name);
    l->name = ia_strdup("trunk/of the tree");
    ia_model *again = rig_again(m);
    rig_same_model(m, again);
    ia_model_free(again);
    ia_model_free(m);
}

/* More names than one attribute holds: Keras splits the list. */
static void test_many_layers(void **state)
{
    inarch_error err;
    ia_model *m;
    char name[120];
    (void)state;
    assert_ok(ia_model_new(IA_SEQUENTIAL, "m", &m, &err), err);
    ia_ref at = {add(m, layer(m, "input:1"), NULL, 0), 0};
    assert_ok(ia_model_set_inputs(m, &at, 1, &err), err);
    for (int i = 0; i < 700; i++) {
        snprintf(name, sizeof name, "relu(name=%0100d)", i);
        at.call = add(m, layer(m, name), &at, 1);
    }
    assert_ok(ia_model_set_outputs(m, &at, 1, &err), err);
    finish(m);
    ia_model *again = rig_again(m);
    rig_same_model(m, again);
    ia_model_free(again);
    ia_model_free(m);
}

static void test_refusals(void **state)
{
    inarch_error err;
    (void)state;
    ia_model *m = new_model("input:4,dense:2");
    ia_array_release(&ia_model_layer(m, "dense")->variables[1].value);
    assert_int_equal(ia_model_write(m, rig_path("no.h5"), NULL, &err), INARCH_BAD_ARGUMENT);
    assert_string_equal(err.message, "the weight 'dense/bias' has no values yet");
    assert_int_equal(access(rig_path("no.h5"), F_OK), -1); /* nothing is left behind */
    ia_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bytes),   cmocka_unit_test(test_dialect),
        cmocka_unit_test(test_without_flag), cmocka_unit_test(test_dtype),
        cmocka_unit_test(test_nested_calls), cmocka_unit_test(test_weight_order),
        cmocka_unit_test(test_nested_flag),  cmocka_unit_test(test_nested_normalization),
        cmocka_unit_test(test_layer_order),  cmocka_unit_test(test_unknown_keys),
        cmocka_unit_test(test_metadata),     cmocka_unit_test(test_rename),
        cmocka_unit_test(test_many_layers),  cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
