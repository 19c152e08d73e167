/* Whole files that are cut, damaged or mad: always an answer, never a crash, a leak or a hang. And
 * every allocation of a load and of a save fails once - those of the JSON library too. */
#include "../containers/hostile.h"
#include "rig.h"

#include "formats/keras/keras.h"
#include "formats/keras/keras_h5.h"
#include "nn/spec.h"

/* ---- the victim: a small file with everything in it ---- */

#define LAYER(class_name, name, keys, nodes)                                                       \
    "{\"class_name\":\"" class_name "\",\"name\":\"" name "\",\"config\":{\"name\":\"" name        \
    "\"" keys "},\"inbound_nodes\":" nodes "}"

static const char model_config[] =
    "{\"class_name\":\"Functional\",\"config\":{\"name\":\"m\",\"layers\":[" LAYER(
        "InputLayer", "x", ",\"batch_input_shape\":[null,2]",
        "[]") ","
              "{\"class_name\":\"Sequential\",\"name\":\"n\",\"config\":{\"name\":\"n\",\"layers\":"
              "[{\"class_name\":"
              "\"Dense\",\"config\":{\"name\":\"d\",\"units\":2,\"activation\":\"hard_sigmoid\","
              "\"batch_input_shape\":[null,2],\"kernel_initializer\":{\"class_name\":\"Zeros\","
              "\"config\":{}}}}]},"
              "\"inbound_nodes\":[[[\"x\",0,0,{}]],[[\"n\",1,0,{\"training\":false}]]]}," LAYER(
                  "Mine", "o", ",\"a\":[1,{\"b\":null}]",
                  "[[[\"n\",2,0,{}]]]") "],"
                                        "\"input_layers\":[[\"x\",0,0]],\"output_layers\":[[\"o\","
                                        "0,0],[\"n\",1,0]]}}";
static const char training_config[] = "{\"optimizer_config\":{\"class_name\":\"Adam\",\"config\":{"
                                      "\"lr\":0.5,\"decay\":0.1}},\"loss\":[\"mse\","
                                      "null],\"metrics\":[[\"acc\"],[]],\"loss_weights\":[1,0]}";

static const rig_weight weights[] = {
    {"n", "d/kernel:0", {2, 2}, 1, IA_F32},
    {"n", "d/bias:0", {2}, 2, IA_F64},
    {"o", "o/w:0", {1}, 3, IA_I8},
};
static const rig_weight moments[] = {
    {"", "iter", {0}, 5, IA_I64},
    {"", "Adam/m/d/kernel", {2, 2}, 1, IA_F32},
    {"", "Adam/v/d/kernel", {2, 2}, 2, IA_F32},
    {"", "Adam/m/d/bias", {2}, 3, IA_F32},
    {"", "Adam/v/d/bias", {2}, 4, IA_F32},
};

static rig_file victim(void)
{
    return (rig_file){.version = "2.9.0",
                      .model = model_config,
                      .training = training_config,
                      .weights = weights,
                      .count = IA_COUNT(weights),
                      .moments = moments,
                      .moment_count = IA_COUNT(moments)};
}

/* Reads, and what was read is cloned and turned into JSON again. */
static inarch_status read_all(const ia_input *in, inarch_error *err)
{
    ia_model *m, *copy;
    json_t *json;
    IA_TRY(ia_keras_h5_read(in, &m, err));
    inarch_status status = ia_model_clone(m, &copy, err);
    ia_model_free(m);
    IA_TRY(status);
    status = ia_keras_write_model(copy, &json, err);
    if (status == INARCH_OK)
        json_decref(json);
    ia_model_free(copy);
    return status;
}

static void test_victim(void **state)
{
    rig_file f = victim();
    (void)state;
    ia_model *m = rig_read(&f), *again = rig_again(m);
    rig_same_model(m, again);
    assert_int_equal(m->call_count, 4);
    assert_int_equal(m->layers[1]->child->layers[1]->variables[0].slots.step, 5);
    ia_model_free(again);
    ia_model_free(m);
}

static void test_cut(void **state)
{
    rig_file f = victim();
    const char *path = rig_path("victim.h5");
    (void)state;
    rig_write(path, &f);
    each_cut(path, read_all);
    unlink(path);
}

static void test_bytes(void **state)
{
    static const uint8_t set[] = {0, 1, 127, 255};
    rig_file f = victim();
    const char *path = rig_path("victim.h5");
    uint8_t *data;
    size_t n;
    (void)state;
    rig_write(path, &f);
    load(path, &data, &n);
    unlink(path);
    for (size_t at = 0; at < n; at++) {
        uint8_t old = data[at];
        for (size_t k = 0; k < IA_COUNT(set); k++) {
            inarch_error err = {0};
            data[at] = set[k];
            if (old != set[k])
                (void)read_copy(data, n, read_all, &err);
        }
        data[at] = old;
    }
    ia_free(data);
}

/* ---- JSON that makes no sense ---- */

static const char *const nonsense[] = {
    "null",        "true",  "0",  "-1", "9007199254740993", "1e308",  "\"\"",
    "\"x\"",       "\"d\"", "[]", "{}", "[[[[[[]]]]]]",     "[null]", "{\"class_name\":\"Dense\"}",
    "[\"x\",0,0]",
};

/* The count-th value inside `v` (depth first) replaced, or taken out when `with` is NULL. */
static bool change(json_t *v, size_t *count, const json_t *with)
{
    const char *key;
    json_t *item;
    void *next;
    for (size_t i = 0; i < json_array_size(v); i++) {
        if ((*count)-- == 0) {
            if (with)
                json_array_set_new(v, i, json_deep_copy(with));
            else
                json_array_remove(v, i);
            return true;
        }
        if (change(json_array_get(v, i), count, with))
            return true;
    }
    json_object_foreach_safe(v, next, key, item)
    {
        if ((*count)-- == 0) {
            if (with)
                json_object_set_new(v, key, json_deep_copy(with));
            else
                json_object_del(v, key);
            return true;
        }
        if (change(item, count, with))
            return true;
    }
    return false;
}

static void read_changed(const char *text, bool training, size_t at, const char *with, bool *more)
{
    inarch_error err = {0};
    ia_model *m;
    rig_file f = victim();
    json_t *value = json_loads(text, 0, NULL);
    json_t *other = with ? json_loads(with, JSON_DECODE_ANY, NULL) : NULL;
    assert_true(value && (!with || other));
    *more = change(value, &at, other);
    char *changed = json_dumps(value, 0);
    if (training)
        f.training = changed;
    else
        f.model = changed;
    inarch_status status = rig_try(&f, &m, &err);
    if (status == INARCH_OK) {
        ia_model_free(rig_again(m)); /* what is read can be written, and is read again */
        ia_model_free(m);
    } else {
        assert_true(err.message[0] != 0);
    }
    json_decref(other);
    json_decref(value);
    free(changed);
}

static void change_all(const char *text, bool training)
{
    bool more = true;
    for (size_t at = 0; more; at++)
        for (size_t k = 0; k <= IA_COUNT(nonsense); k++)
            read_changed(text, training, at, k < IA_COUNT(nonsense) ? nonsense[k] : NULL, &more);
}

static void test_model_nonsense(void **state)
{
    (void)state;
    change_all(model_config, false);
}

static void test_training_nonsense(void **state)
{
    (void)state;
    change_all(training_config, true);
}

static char *deep(const char *open, const char *close, int depth)
{
    char *text = calloc(1, (size_t)depth * (strlen(open) + strlen(close)) + 8), *at = text;
    for (int i = 0; i < depth; i++)
        at += sprintf(at, "%s", open);
    at += sprintf(at, "1");
    for (int i = 0; i < depth; i++)
        at += sprintf(at, "%s", close);
    return text;
}

static void test_depth_bombs(void **state)
{
    static const char *const pairs[][2] = {
        {"[", "]"},
        {"{\"class_name\":\"Sequential\",\"config\":[", "]}"},
        {"{\"class_name\":\"Dense\",\"config\":{\"layer\":", "}}"},
    };
    (void)state;
    for (size_t i = 0; i < IA_COUNT(pairs); i++)
        for (int depth = 20; depth < 20000; depth *= 10) {
            inarch_error err;
            ia_model *m;
            rig_file f = victim();
            char *text = deep(pairs[i][0], pairs[i][1], depth);
            f.model = text;
            assert_int_not_equal(rig_try(&f, &m, &err), INARCH_OK);
            f.model = model_config;
            f.training = text;
            if (rig_try(&f, &m, &err) == INARCH_OK)
                ia_model_free(m);
            free(text);
        }
}

/* A chain of many calls is as quick as its length, and so is a graph that everybody reads. */
static void test_large_graphs(void **state)
{
    enum { LAYERS = 3000 };
    char *text = calloc(LAYERS, 300), *at = text;
    rig_file f = {.version = "2.9.0", .model = text};
    (void)state;
    at += sprintf(at, "{\"class_name\":\"Model\",\"config\":{\"name\":\"m\",\"layers\":[");
    for (int i = LAYERS - 1; i > 0; i--) /* backwards: nothing is in order */
        at += sprintf(at,
                      "{\"class_name\":\"Add\",\"name\":\"l%d\",\"config\":{\"name\":\"l%d\"},"
                      "\"inbound_nodes\":[[[\"l%d\",0,0],[\"l%d\",0,0]]]},",
                      i, i, i - 1, i / 2);
    at += sprintf(at,
                  "{\"class_name\":\"InputLayer\",\"name\":\"l0\",\"config\":{\"name\":\"l0\","
                  "\"batch_input_shape\":[null,2]},\"inbound_nodes\":[]}],\"input_layers\":["
                  "[\"l0\",0,0]],\"output_layers\":[[\"l%d\",0,0]]}}",
                  LAYERS - 1);
    ia_model *m = rig_read(&f), *again = rig_again(m);
    assert_int_equal(m->call_count, LAYERS);
    rig_same_model(m, again);
    ia_model_free(again);
    ia_model_free(m);
    free(text);
}

/* ---- memory ---- */

static void *json_memory(size_t bytes)
{
    return ia_alloc_hook(bytes) ? NULL : malloc(bytes);
}

static void test_load_without_memory(void **state)
{
    rig_file f = victim();
    const char *path = rig_path("victim.h5");
    (void)state;
    rig_write(path, &f);
    each_allocation(path, read_all);
    unlink(path);
}

/* The parser of the JSON library calls a lack of memory bad JSON: any error will do. */
static void test_load_without_json_memory(void **state)
{
    rig_file f = victim();
    const char *path = rig_path("victim.h5");
    uint8_t *data;
    size_t n;
    inarch_status status = INARCH_NO_MEMORY;
    (void)state;
    rig_write(path, &f);
    load(path, &data, &n);
    unlink(path);
    json_set_alloc_funcs(json_memory, free);
    for (long left = 0; status != INARCH_OK; left++) {
        inarch_error err = {0};
        ia_input in = ia_input_memory(data, n, "victim");
        assert_true(left < 20000);
        allocations_left = left;
        status = read_all(&in, &err);
        allocations_left = -1;
        if (status != INARCH_OK)
            assert_true(err.message[0] != 0);
    }
    json_set_alloc_funcs(malloc, free);
    ia_free(data);
}

static void test_save_without_memory(void **state)
{
    rig_file f = victim();
    inarch_error err = {0};
    char path[256];
    (void)state;
    ia_model *m = rig_read(&f);
    snprintf(path, sizeof path, "%s", rig_path("saved.h5"));
    inarch_status status = INARCH_NO_MEMORY;
    json_set_alloc_funcs(json_memory, free);
    for (long n = 0; status != INARCH_OK; n++) {
        assert_true(n < 20000);
        assert_int_equal(access(path, F_OK), -1); /* nothing was left behind */
        allocations_left = n;
        status = ia_model_write(m, path, NULL, &err);
        allocations_left = -1;
        if (status != INARCH_OK)
            assert_int_equal(status, INARCH_NO_MEMORY);
    }
    json_set_alloc_funcs(malloc, free);
    unlink(path);
    ia_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_victim),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_model_nonsense),
        cmocka_unit_test(test_training_nonsense),
        cmocka_unit_test(test_depth_bombs),
        cmocka_unit_test(test_large_graphs),
        cmocka_unit_test(test_load_without_memory),
        cmocka_unit_test(test_load_without_json_memory),
        cmocka_unit_test(test_save_without_memory),
    };
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
