/* Every Keras .h5 of the corpus and of the synthetic goldens as a document: all weights by their
 * SHA-256, layers, flags, activations and shapes as the frameworks see them. */
#include "test.h"

#include "formats/format.h"
#include "golden.h"
#include "sha256.h"

/* Of little-endian float32 (float64 and float16 are cast first); integers keep their width. */
static void hash_array(const ia_array *a, char out[65])
{
    inarch_error err;
    ia_array f;
    if (!ia_dtype_is_float(a->dtype)) {
        sha256(ia_array_data(a), ia_array_count(a) * ia_dtype_size(a->dtype), out);
        return;
    }
    assert_ok(ia_array_to_f32(a, &f, &err), err);
    sha256(ia_array_data(&f), ia_array_count(&f) * sizeof(float), out);
    ia_array_release(&f);
}

/* ---- what the frameworks say of layers ---- */

static void check_shape(const char *file, const char *layer, const json_t *want,
                        const ia_shape *have)
{
    if (!json_is_array(want) || have->rank < 0) /* unknown above opaque layers */
        return;
    bool same = json_array_size(want) == (size_t)have->rank + 1;
    for (int i = 0; same && i < have->rank; i++) {
        const json_t *dim = json_array_get(want, (size_t)i + 1);
        same = json_is_null(dim) ? have->dim[i] < 0 : json_integer_value(dim) == have->dim[i];
    }
    if (!same) {
        char text[96], *json = json_dumps(want, 0);
        fail_msg("%s: %s has shape %s, not %s", file, layer, ia_shape_text(have, text, sizeof text),
                 json);
    }
}

static void check_activation(const char *file, const ia_layer *l, const json_t *want)
{
    if (!json_is_string(want) || (l->cls->flags & IA_LAYER_OPAQUE) || !l->cls->activation)
        return;
    const ia_activation *a = l->cls->activation(l);
    const char *have = a && a->cls ? a->cls->name : "linear";
    if (strcmp(have, json_string_value(want)) != 0)
        fail_msg("%s: %s has activation %s, not %s", file, l->name, have, json_string_value(want));
}

static size_t check_weights(const char *file, const ia_layer *l, const json_t *weights)
{
    size_t i;
    json_t *want;
    if (json_array_size(weights) != l->variable_count)
        fail_msg("%s: %s has %zu weights, not %zu", file, l->name, l->variable_count,
                 json_array_size(weights));
    json_array_foreach(weights, i, want)
    {
        const char *name = ia_json_string(want, "name", ""), *path = strrchr(name, '/');
        const ia_variable *v = ia_layer_variable(l, path ? path + 1 : name);
        char hash[65];
        if (!v && l->variable_count > i) /* names of Keras 1, of cells in wrappers */
            v = &l->variables[i];
        hash_array(&v->value, hash);
        if (strcmp(hash, ia_json_string(want, "sha256", "")) != 0)
            fail_msg("%s: %s: %s is not the file's %s", file, l->name, v->name, name);
        assert_int_equal(v->trainable && l->trainable, ia_json_bool(want, "trainable", false));
        assert_ptr_equal(v->loaded.buffer, v->value.buffer);
    }
    return l->variable_count;
}

static size_t check_layers(const char *file, const ia_model *m, const json_t *layers);

static size_t check_layer(const char *file, const ia_model *m, const ia_layer *l,
                          const json_t *want)
{
    const char *class_name = ia_json_string(want, "class", "");
    bool model = l->child && strcmp(class_name, "Functional") == 0;
    if (strcmp(l->class_name, class_name) != 0 && !(model && strcmp(l->class_name, "Model") == 0))
        fail_msg("%s: %s is a %s, not a %s", file, l->name, l->class_name, class_name);
    assert_int_equal(l->trainable, ia_json_bool(want, "trainable", true));
    check_activation(file, l, json_object_get(want, "activation"));
    size_t call = ia_model_call_of(m, l);
    if (call != SIZE_MAX)
        check_shape(file, l->name, json_object_get(want, "output_shape"), &m->calls[call].out[0]);
    if (l->child)
        return check_layers(file, l->child, json_object_get(want, "layers"));
    return check_weights(file, l, json_object_get(want, "weights"));
}

/* Keras leaves the InputLayer of a Sequential out of its layers. */
static size_t check_layers(const char *file, const ia_model *m, const json_t *layers)
{
    size_t i, at = 0, weights = 0;
    json_t *want;
    json_array_foreach(layers, i, want)
    {
        while (at < m->layer_count && m->kind == IA_SEQUENTIAL &&
               (m->layers[at]->cls->flags & IA_LAYER_INPUT) &&
               strcmp(ia_json_string(want, "class", ""), "InputLayer") != 0)
            at++;
        if (at == m->layer_count)
            fail_msg("%s: there is no layer %s", file, ia_json_string(want, "name", ""));
        assert_string_equal(m->layers[at]->name, ia_json_string(want, "name", ""));
        weights += check_layer(file, m, m->layers[at++], want);
    }
    assert_int_equal(at, m->layer_count);
    return weights;
}

/* ---- every array of the file ---- */

typedef struct hashes {
    char text[512][65];
    size_t count;
} hashes;

static inarch_status collect(void *context, const ia_model *m, ia_layer *l, const char *path,
                             bool trainable, inarch_error *err)
{
    hashes *h = context;
    (void)m;
    (void)path;
    (void)trainable;
    (void)err;
    for (size_t i = 0; i < l->variable_count; i++)
        hash_array(&l->variables[i].value, h->text[h->count++]);
    return INARCH_OK;
}

static void check_datasets(const char *file, const ia_model *m, const json_t *datasets)
{
    static hashes h;
    inarch_error err;
    const char *name;
    json_t *want;
    size_t expected = 0;
    h.count = 0;
    assert_ok(ia_model_walk(m, collect, &h, &err), err);
    json_object_foreach((json_t *)(uintptr_t)datasets, name, want)
    {
        size_t i = 0;
        if (strncmp(name, "model_weights/", 14) != 0)
            continue;
        expected++;
        while (i < h.count && strcmp(h.text[i], ia_json_string(want, "sha256", "")) != 0)
            i++;
        if (i == h.count)
            fail_msg("%s: no weight is %s of the file", file, name);
    }
    if (expected != h.count)
        fail_msg("%s: %zu weights for %zu arrays", file, h.count, expected);
}

/* ---- the files ---- */

static bool is_h5(const char *path)
{
    return ends_in(path, ".h5") || ends_in(path, ".hdf5");
}

static void check_refused(const char *file, const char *path, const char *loader)
{
    inarch_error err;
    ia_model *m;
    assert_int_equal(ia_model_read(path, NULL, &m, &err), INARCH_UNSUPPORTED);
    const char *want = strcmp(loader, "weights-only") == 0 ? "holds the weights of a Keras model"
                                                           : "without a Keras model";
    if (!strstr(err.message, want))
        fail_msg("%s (%s): %s", file, loader, err.message);
}

static size_t check_file(const char *file, const char *path, const json_t *entry)
{
    inarch_error err;
    ia_model *m;
    const char *loader = ia_json_string(entry, "loader", "");
    if (strcmp(loader, "weights-only") == 0 || strcmp(loader, "data-only") == 0) {
        check_refused(file, path, loader);
        return 0;
    }
    if (ia_model_read(path, NULL, &m, &err) != INARCH_OK)
        fail_msg("%s: %s", file, err.message);
    size_t weights = 0;
    if (json_object_get(entry, "layers"))
        weights = check_layers(file, m, json_object_get(entry, "layers"));
    if (json_object_get(entry, "datasets"))
        check_datasets(file, m, json_object_get(entry, "datasets"));
    const char *version = ia_json_string(json_object_get(entry, "saved_by"), "keras_version", NULL);
    if (version)
        assert_string_equal(m->keras_version, version);
    ia_model_free(m);
    return weights;
}

static void check_all(const char *group, const char *folder, size_t *files, size_t *weights)
{
    json_t *root = golden_json(), *entry;
    const char *file;
    char path[1024];
    json_object_foreach(json_object_get(root, group), file, entry)
    {
        if (!is_h5(file))
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, file);
        *weights += check_file(file, path, entry);
        ++*files;
    }
    json_decref(root);
}

static void test_corpus(void **state)
{
    size_t files = 0, weights = 0;
    (void)state;
    check_all("files", SHARED_DIR "/corpus", &files, &weights);
    assert_int_equal(files, 210);
    assert_int_equal(weights, 755); /* of 790; 35 are in .keras files */
}

static void test_synthetic(void **state)
{
    size_t files = 0, weights = 0;
    (void)state;
    check_all("synthetic", SHARED_DIR "/golden", &files, &weights);
    assert_int_equal(files, 16);
    assert_true(weights > 100);
}

static void test_sha256(void **state)
{
    char hash[65];
    (void)state;
    sha256("abc", 3, hash);
    assert_string_equal(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, hash);
    assert_string_equal(hash, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256),
        cmocka_unit_test(test_corpus),
        cmocka_unit_test(test_synthetic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
