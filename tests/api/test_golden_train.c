/* The 47 training goldens: pop, freeze, graft two layers, 12 steps of Adam. Loss, accuracy, predictions,
 * every final weight and moving statistic agree with Keras; frozen weights keep every bit.
 * Goldens of .keras files start from their .h5 twins, or from the arrays inside the file. */
#include "test.h"

#include "golden.h"

#include "containers/hdf5/hdf5.h"

#include <math.h>
#include <unistd.h>

#define TOLERANCE 2e-5

static double worst_seen;

static void check_close(const char *file, const char *what, const float *a, const float *b, size_t n)
{
    double d = worst_difference(a, b, n);
    worst_seen = d > worst_seen ? d : worst_seen;
    if (!(d <= TOLERANCE))
        fail_msg("%s: %s differs by %g", file, what, d);
}

/* ---- the model as it was before training ---- */

/* A corpus .keras of Dense layers only: the architecture from golden.json, the weights from the HDF5
 * inside. */
static inarch_model *from_keras_zip(const char *path, const json_t *entry, json_t *layers)
{
    inarch_error err;
    inarch_model *m;
    char arch[1024];
    json_t *input = json_object_get(json_array_get(json_object_get(entry, "inputs"), 0), "shape");
    int n = snprintf(arch, sizeof arch, "input:%d", (int)json_integer_value(json_array_get(input, 1)));
    size_t i;
    json_t *l;
    json_array_foreach(layers, i, l) {
        json_t *shape = json_object_get(l, "output_shape");
        n += snprintf(arch + n, sizeof arch - (size_t)n, ",dense(%d,%s,name=%s)",
                      (int)json_integer_value(json_array_get(shape, 1)),
                      json_string_value(json_object_get(l, "activation")),
                      json_string_value(json_object_get(l, "name")));
    }
    assert_ok(inarch_new(arch, 0, &m, &err), err);

    ia_input in, inside;
    ia_zip *zip;
    ia_h5 *h5;
    size_t member;
    assert_ok(ia_input_open(path, &in, &err), err);
    assert_ok(ia_zip_open(&in, &zip, &err), err);
    assert_true(ia_zip_find(zip, "model.weights.h5", &member));
    assert_ok(ia_zip_window(zip, member, &inside, &err), err);
    assert_ok(ia_h5_open(&inside, &h5, &err), err);
    json_array_foreach(layers, i, l) {
        for (int v = 0; v < 2; v++) {
            char at[128], to[128];
            ia_array a;
            const char *name = json_string_value(json_object_get(l, "name"));
            snprintf(at, sizeof at, "layers/%s/vars/%d", name, v);
            snprintf(to, sizeof to, "%s/%s", name, v ? "bias" : "kernel");
            const ia_h5_object *o = ia_h5_find(ia_h5_root(h5), at);
            assert_non_null(o);
            assert_ok(ia_h5_read(h5, o, &a, &err), err);
            assert_ok(inarch_weight_set(m, to, ia_array_data(&a), ia_array_count(&a), &err), err);
            ia_array_release(&a);
        }
    }
    ia_h5_free(h5);
    ia_zip_close(zip);
    ia_input_close(&in);
    return m;
}

static inarch_model *starting_model(const char *key, const json_t *root)
{
    inarch_error err;
    inarch_model *m;
    char path[1024];
    int synthetic = strncmp(key, "synthetic/", 10) == 0;
    snprintf(path, sizeof path, "%s/%s", synthetic ? GOLDEN : SHARED_DIR "/corpus", key);
    if (ends_in(key, ".keras") && !synthetic) {
        json_t *entry = json_object_get(json_object_get(root, "files"), key);
        return from_keras_zip(path, entry, json_object_get(entry, "layers"));
    }
    if (ends_in(key, ".keras"))
        strcpy(path + strlen(path) - 6, ".h5");
    assert_ok(inarch_load(path, NULL, &m, &err), err);
    return m;
}

static void set_flags(inarch_model *m, const json_t *names, int trainable)
{
    inarch_error err;
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        if (strncmp(name, "head_", 5) == 0)
            continue;
        if (trainable)
            assert_ok(inarch_unfreeze(m, name, &err), err);
        else
            assert_ok(inarch_freeze(m, name, &err), err);
    }
}

/* kernel.flat[i] = float32(0.1 * sin(0.7 * i + 0.3)) */
static void set_head(inarch_model *m, const char *path)
{
    inarch_error err;
    inarch_weight w = {.size = sizeof w};
    assert_ok(inarch_weight_get(m, path, &w, &err), err);
    float *values = malloc(w.count * sizeof *values);
    for (size_t i = 0; i < w.count; i++)
        values[i] = (float)(0.1 * sin(0.7 * (double)i + 0.3));
    assert_ok(inarch_weight_set(m, path, values, w.count, &err), err);
    free(values);
}

static void graft(inarch_model *m, const json_t *entry)
{
    inarch_error err;
    assert_ok(inarch_pop(m, 1, &err), err);
    set_flags(m, json_object_get(entry, "frozen"), 0);
    set_flags(m, json_object_get(entry, "live"), 1);
    assert_ok(inarch_add(m, "dense(16,relu,name=head_1)", &err), err);
    assert_ok(inarch_add(m, "dense(1,sigmoid,name=head_2)", &err), err);
    set_head(m, "head_1/kernel");
    set_head(m, "head_2/kernel");
}

/* ---- data and comparison ---- */

static inarch_data *open_data(const npz *z)
{
    inarch_error err;
    ia_array x, y;
    inarch_data *d;
    assert_true(npz_get(z, "x", &x) && npz_get(z, "y", &y));
    inarch_array in = {ia_array_data(&x), {1, {x.shape.dim[1]}}};
    for (int i = 2; i < x.shape.rank; i++)
        in.shape.dim[in.shape.rank++] = x.shape.dim[i];
    inarch_array out = {ia_array_data(&y), {1, {1}}};
    assert_ok(inarch_data_arrays((size_t)x.shape.dim[0], &in, 1, &out, 1, &d, &err), err);
    ia_array_release(&x);
    ia_array_release(&y);
    return d;
}

static void check_predictions(const char *file, const inarch_model *m, const inarch_data *d,
                              const npz *z, const char *name)
{
    inarch_error err;
    ia_array want;
    assert_true(npz_get(z, name, &want));
    size_t n = ia_array_count(&want);
    float *got = malloc(n * sizeof *got);
    assert_ok(inarch_predict(m, d, 0, NULL, got, n, &err), err);
    check_close(file, name, got, ia_array_data(&want), n);
    free(got);
    ia_array_release(&want);
}

static void check_history(const char *file, const inarch_history *h, const npz *z, const char *name,
                          const char *column)
{
    ia_array want;
    assert_true(npz_get(z, name, &want));
    for (size_t e = 0; e < ia_array_count(&want); e++) {
        float got = (float)inarch_history_get(h, (int64_t)e, column);
        check_close(file, column, &got, (const float *)ia_array_data(&want) + e, 1);
    }
    ia_array_release(&want);
}

/* Weights by path: golden's where it has them, bit for bit those from before elsewhere. */
static size_t check_weights(const char *file, const inarch_model *before, const inarch_model *after,
                            const npz *z)
{
    inarch_error err;
    size_t compared = 0;
    inarch_weight w = {.size = sizeof w}, old = {.size = sizeof old};
    for (size_t i = 0; inarch_weight_at(after, i, &w, NULL) == INARCH_OK; i++) {
        ia_array want;
        assert_ok(inarch_weight_get(before, w.path, &old, &err), err);
        if (npz_get(z, w.path, &want)) {
            assert_int_equal(ia_array_count(&want), w.count);
            check_close(file, w.path, w.data, ia_array_data(&want), w.count);
            ia_array_release(&want);
            compared++;
        } else if (memcmp(w.data, old.data, w.count * sizeof(float)) != 0) {
            fail_msg("%s: frozen %s moved", file, w.path);
        }
    }
    return compared;
}

static void check_entry(const char *key, const json_t *entry, const char *answers, const json_t *root)
{
    inarch_error err;
    npz z;
    inarch_history *h;
    inarch_model *before;
    assert_true(npz_open(&z, answers));
    inarch_model *m = starting_model(key, root);
    graft(m, entry);
    assert_ok(inarch_clone(m, &before, &err), err);
    inarch_data *d = open_data(&z);
    check_predictions(key, m, d, &z, "p_before");
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    fit.optimizer = "adam(learning_rate=0.001)";
    fit.loss = "binary_crossentropy";
    fit.metrics = "accuracy";
    fit.epochs = 3;
    fit.batch_size = 16;
    fit.no_shuffle = 1;
    assert_ok(inarch_fit(m, d, &fit, &h, &err), err);
    check_history(key, h, &z, "loss", "loss");
    check_history(key, h, &z, "accuracy", "accuracy");
    check_predictions(key, m, d, &z, "p_after");
    size_t expected = json_array_size(json_object_get(entry, "trainable_weights")) +
                      json_array_size(json_object_get(entry, "moving_statistics"));
    assert_int_equal(check_weights(key, before, m, &z), expected);
    inarch_history_free(h);
    inarch_data_free(d);
    inarch_free(before);
    inarch_free(m);
    npz_close(&z);
}

static void test_goldens(void **state)
{
    (void)state;
    json_t *root = golden_json(), *entry;
    const char *key;
    int done = 0;
    json_object_foreach(json_object_get(root, "train"), key, entry) {
        char answers[1024];
        snprintf(answers, sizeof answers, GOLDEN "/train/%s.npz", key);
        check_entry(key, entry, answers, root);
        done++;
    }
    json_object_foreach(json_object_get(root, "synthetic"), key, entry) {
        char answers[1024];
        const char *dot = strrchr(key, '.');
        if (!json_object_get(entry, "train"))
            continue;
        snprintf(answers, sizeof answers, GOLDEN "/%.*s_%s.train.npz", (int)(dot - key), key, dot + 1);
        check_entry(key, json_object_get(entry, "train"), answers, root);
        done++;
    }
    print_message("%d of 47 agree; the worst difference is %.2g\n", done, worst_seen);
    assert_int_equal(done, 47);
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_goldens)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
