/* Files that Keras 3 and tf_keras wrote (fixtures/keras/files): layers, flags, weights by path,
 * compile state and moments; and all of it again after a save and a load. */
#include "npz.h"

#include "base/json.h"
#include "formats/keras/keras_h5.h"
#include "rig.h"

#define FOLDER FIXTURES "/keras/files/"

static json_t *index_of_fixtures(void)
{
    inarch_error err;
    uint8_t *text;
    size_t n;
    json_t *root;
    if (access(FOLDER "index.json", R_OK) != 0) {
        print_message("no fixtures/keras/files: skipped\n");
        skip();
    }
    rig_bytes(FOLDER "index.json", &text, &n);
    assert_ok(ia_json_parse((const char *)text, n, "index.json", &root, &err), err);
    ia_free(text);
    return root;
}

/* An opaque layer keeps the names of its cells: "lstm_cell/kernel". */
static ia_variable *opaque_variable(const ia_layer *l, const char *name)
{
    for (size_t i = 0; i < l->variable_count; i++) {
        const char *last = strrchr(l->variables[i].name, '/');
        if (strcmp(last ? last + 1 : l->variables[i].name, name) == 0)
            return &l->variables[i];
    }
    return NULL;
}

/* "base/d1/kernel" to its variable. */
static ia_variable *find_variable(const ia_model *m, const char *path)
{
    char layer[256];
    snprintf(layer, sizeof layer, "%s", path);
    for (char *slash = strrchr(layer, '/'); slash; slash = strrchr(layer, '/')) {
        *slash = 0;
        const ia_layer *l = ia_model_layer(m, layer);
        const char *name = path + strlen(layer) + 1;
        if (l && (l->cls->flags & IA_LAYER_OPAQUE))
            return opaque_variable(l, name);
        if (l)
            return ia_layer_variable(l, name);
    }
    return NULL;
}

static void check_array(const npz *z, const char *name, const ia_array *have, const char *what)
{
    ia_array want, f;
    inarch_error err;
    if (!npz_get(z, name, &want))
        fail_msg("no array %s", name);
    assert_ok(ia_array_to_f32(have, &f, &err), err);
    rig_same_array(what, &f, &want);
    ia_array_release(&f);
    ia_array_release(&want);
}

static void check_layers(const ia_model *m, const json_t *layers)
{
    size_t i;
    json_t *want;
    json_array_foreach(layers, i, want)
    {
        const char *path = ia_json_string(want, "path", "");
        const char *class_name = ia_json_string(want, "class", "");
        const ia_layer *l = ia_model_layer(m, path);
        if (!l)
            fail_msg("there is no layer %s", path);
        const char *bare = strrchr(l->class_name, '>'); /* a registered class */
        if (strcmp(bare ? bare + 1 : l->class_name, class_name) != 0)
            fail_msg("%s is a %s, not a %s", path, l->class_name, class_name);
        /* a frozen model in which a layer was freed: Keras trains that layer all the same */
        bool freed = l->child && l->trainable && !ia_json_bool(want, "trainable", true);
        if (!(l->cls->flags & IA_LAYER_INPUT) && !freed)
            assert_int_equal(l->trainable, ia_json_bool(want, "trainable", true));
    }
}

typedef struct live_of { /* what Keras says of one weight, against the flags along its path */
    const ia_variable *variable;
    bool live;
} live_of;

static inarch_status find_live(void *context, const ia_model *m, ia_layer *l, const char *path,
                               bool trainable, inarch_error *err)
{
    live_of *want = context;
    (void)m;
    (void)path;
    (void)err;
    for (size_t i = 0; i < l->variable_count; i++)
        if (&l->variables[i] == want->variable)
            assert_int_equal(trainable && l->variables[i].trainable, want->live);
    return INARCH_OK;
}

static void check_weights(const npz *z, const ia_model *m, const json_t *weights)
{
    inarch_error err;
    size_t i, total = 0;
    json_t *want;
    json_array_foreach(weights, i, want)
    {
        const char *path = ia_json_string(want, "path", "");
        const ia_variable *v = find_variable(m, path);
        if (!v)
            fail_msg("there is no weight %s", path);
        check_array(z, ia_json_string(want, "array", ""), &v->value, path);
        live_of live = {v, ia_json_bool(want, "live", false)};
        if (json_object_get(want, "live"))
            assert_ok(ia_model_walk(m, find_live, &live, &err), err);
        total += ia_array_count(&v->value);
    }
    assert_int_equal(ia_model_count(m).total, total);
}

/* ---- training ---- */

static void check_compile(const ia_model *m, const json_t *want)
{
    const json_t *optimizer = json_object_get(want, "optimizer");
    const json_t *config = json_object_get(m->compile.optimizer, "config");
    const char *class_name = ia_json_string(m->compile.optimizer, "class_name", "");
    assert_int_equal(strcasecmp(class_name, ia_json_string(optimizer, "name", "?")), 0);
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)optimizer, key, value) if (json_is_number(value))
        assert_near(ia_json_double(config, key, 0), json_number_value(value), 1e-7);
    assert_non_null(m->compile.loss);
    const json_t *losses = json_object_get(want, "losses"), *one = json_array_get(losses, 0);
    if (json_array_size(losses) == 1 && json_is_string(m->compile.loss))
        assert_string_equal(json_string_value(m->compile.loss), ia_json_string(one, "name", ""));
    if (json_array_size(losses) > 1)
        assert_int_equal(json_is_array(m->compile.loss) ? json_array_size(m->compile.loss)
                                                        : json_object_size(m->compile.loss),
                         json_array_size(losses));
    assert_int_equal(m->compile.loss_weights != NULL,
                     json_is_array(json_object_get(want, "loss_weights")));
}

static void check_slots(const npz *z, const ia_model *m, const json_t *want)
{
    const char *path, *slot;
    json_t *slots, *array;
    uint64_t steps = (uint64_t)json_integer_value(json_object_get(want, "iterations"));
    assert_true(m->step == steps);
    json_object_foreach(json_object_get(want, "slots"), path, slots)
    {
        const ia_variable *v = find_variable(m, path);
        size_t k = 0; /* the index lists them in Keras' order */
        assert_non_null(v);
        assert_true(v->slots.step == steps);
        json_object_foreach(slots, slot, array)
            check_array(z, json_string_value(array), &v->slots.slot[k++], slot);
        for (; k < IA_SLOT_MAX; k++)
            assert_null(v->slots.slot[k].buffer);
    }
}

/* ---- the files ---- */

static void check_case(const json_t *c, const npz *z, const ia_model *m)
{
    check_layers(m, json_object_get(c, "layers"));
    check_weights(z, m, json_object_get(c, "weights"));
    if (json_object_get(c, "compile"))
        check_compile(m, json_object_get(c, "compile"));
    else
        assert_null(m->compile.optimizer);
    if (json_object_get(c, "optimizer_state"))
        check_slots(z, m, json_object_get(c, "optimizer_state"));
}

typedef void each(const json_t *c, const npz *z, const char *path);

static void for_each(const char *kind, each *check)
{
    json_t *root = index_of_fixtures(), *c;
    size_t i, count = 0;
    npz z;
    assert_true(npz_open(&z, FOLDER "files.npz"));
    json_array_foreach(json_object_get(root, "cases"), i, c)
    {
        char path[512];
        if (strcmp(ia_json_string(c, "kind", "model"), kind) != 0)
            continue;
        snprintf(path, sizeof path, FOLDER "%s", ia_json_string(c, "file", ""));
        check(c, &z, path);
        count++;
    }
    assert_true(count > 0);
    npz_close(&z);
    json_decref(root);
}

static void check_read(const json_t *c, const npz *z, const char *path)
{
    inarch_error err;
    ia_model *m;
    assert_ok(ia_model_read(path, NULL, &m, &err), err);
    check_case(c, z, m);
    ia_model_free(m);
}

static void test_read(void **state)
{
    (void)state;
    for_each("model", check_read);
}

static void check_again(const json_t *c, const npz *z, const char *path)
{
    inarch_error err;
    ia_model *m, *again;
    assert_ok(ia_model_read(path, NULL, &m, &err), err);
    again = rig_again(m);
    rig_same_model(m, again);
    check_case(c, z, again);
    if (m->compile.optimizer) {
        assert_true(json_equal(m->compile.loss, again->compile.loss));
        assert_true(json_equal(m->compile.metrics, again->compile.metrics) ||
                    (!m->compile.metrics && !again->compile.metrics));
        assert_true(json_equal(m->compile.loss_weights, again->compile.loss_weights) ||
                    (!m->compile.loss_weights && !again->compile.loss_weights));
    }
    ia_model_free(m);
    ia_model_free(again);
}

static void test_again(void **state)
{
    (void)state;
    for_each("model", check_again);
}

/* Weights of these files belong to the models of the others. */
static void test_weights_only(void **state)
{
    inarch_error err;
    ia_model *m;
    (void)state;
    json_decref(index_of_fixtures());
    assert_int_equal(ia_model_read(FOLDER "k2_weights_only.h5", NULL, &m, &err),
                     INARCH_UNSUPPORTED);
    assert_non_null(strstr(err.message, "holds the weights of a Keras model, but not the model"));
    assert_non_null(strstr(err.hint, "model.load_weights(...), model.save('x.h5')"));
    assert_int_equal(ia_model_read(FOLDER "k3.weights.h5", NULL, &m, &err), INARCH_UNSUPPORTED);
    assert_non_null(
        strstr(err.message, "holds Keras 3's weights (.weights.h5), but not the model"));
}

static void check_load_weights(const json_t *c, const npz *z, const char *path)
{
    inarch_error err;
    ia_model *m;
    if (strcmp(ia_json_string(c, "layout", "h5"), "h5") != 0)
        return;
    /* the same model, with other values */
    assert_ok(ia_model_read(FOLDER "k2_nested.h5", NULL, &m, &err), err);
    inarch_status status = ia_keras_load_weights(m, path, &err);
    if (status == INARCH_OK)
        check_weights(z, m, json_object_get(c, "weights"));
    else
        assert_int_equal(status, INARCH_BAD_FILE);
    ia_model_free(m);
}

static void test_load_weights(void **state)
{
    (void)state;
    for_each("weights", check_load_weights);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_again),
        cmocka_unit_test(test_weights_only),
        cmocka_unit_test(test_load_weights),
    };
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
