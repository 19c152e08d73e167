/* The training goldens of ../shared: what Keras 3 made of published models in twelve Adam steps
 * after surgery. Loss, accuracy, every final weight and moving statistic within 2e-5; frozen
 * weights to the bit. Skipped where ../shared is absent. */
#include "test.h"
#include "train/fixture.h"
#include "npz.h"
#include "train/rig.h"

#include "formats/format.h"
#include "train/evaluate.h"

#include <unistd.h>

#define GOLDEN SHARED_DIR "/golden"
#define TOLERANCE 2e-5

static double worst; /* over all files, for the summary line */

/* ---- surgery by hand ---- */

static void set_trainable(ia_layer *l, bool trainable)
{
    l->trainable = trainable;
    for (size_t i = 0; l->child && i < l->child->layer_count; i++)
        set_trainable(l->child->layers[i], trainable);
}

static void add_head(ia_model *m, const char *spec)
{
    inarch_error err;
    ia_layer *l;
    ia_ref top = m->outputs[0];
    assert_ok(ia_spec_layer(spec, m, &l, &err), err);
    assert_ok(ia_model_add_layer(m, l, &err), err);
    assert_ok(ia_model_add_call(m, l, &top, 1, &err), err);
    top = (ia_ref){m->call_count - 1, 0};
    assert_ok(ia_model_set_outputs(m, &top, 1, &err), err);
    assert_ok(ia_model_infer(m, &err), err);
    ia_variable *kernel = ia_layer_variable(l, "kernel");
    ia_array a;
    assert_ok(ia_array_new(IA_F32, &kernel->value.shape, "test", &a, &err), err);
    float *w = ia_array_mutable(&a);
    for (size_t i = 0; i < ia_array_count(&a); i++)
        w[i] = (float)(0.1 * sin(0.7 * (double)i + 0.3));
    assert_ok(ia_variable_set(kernel, &a, "test", &err), err);
    ia_array_release(&a);
}

static void operate(ia_model *m, const json_t *entry)
{
    inarch_error err;
    const json_t *v;
    size_t i;
    const ia_call *top = &m->calls[m->outputs[0].call];
    const char *popped = ia_json_string(json_object_get(entry, "popped"), "name", "");
    assert_string_equal(top->layer->name, popped);
    ia_ref below = top->in[0];
    assert_ok(ia_model_set_outputs(m, &below, 1, &err), err);
    assert_ok(ia_model_prune(m, &err), err);
    json_array_foreach(json_object_get(entry, "frozen"), i, v)
        set_trainable(ia_model_layer(m, json_string_value(v)), false);
    json_array_foreach(json_object_get(entry, "live"), i, v)
    {
        ia_layer *l = ia_model_layer(m, json_string_value(v));
        if (l)
            set_trainable(l, true);
    }
    add_head(m, "dense(16,relu,name=head_1)");
    add_head(m, "dense(1,sigmoid,name=head_2)");
    assert_ok(ia_model_initialize(m, 0, &err), err);
}

/* ---- comparing ---- */

static void compare(const char *path, const char *what, const float *own, const ia_array *keras)
{
    const float *k = ia_array_data(keras);
    for (size_t i = 0; i < ia_array_count(keras); i++) {
        double scale = fabs((double)k[i]) > 1 ? fabs((double)k[i]) : 1;
        double d = fabs((double)own[i] - (double)k[i]) / scale;
        if (!(d <= TOLERANCE))
            fail_msg("%s: %s[%zu] = %.9g, Keras %.9g", path, what, i, (double)own[i], (double)k[i]);
        worst = d > worst ? d : worst;
    }
}

static void compare_predictions(const ia_model *m, const ia_data *d, const npz *z, const char *key,
                                const char *path)
{
    inarch_error err;
    ia_predict_options o = {0};
    ia_array own, keras;
    assert_ok(ia_predict_arrays(m, d, &o, &own, 1, &err), err);
    assert_true(npz_get(z, key, &keras));
    compare(path, key, ia_array_data(&own), &keras);
    ia_array_release(&own);
    ia_array_release(&keras);
}

/* Every trainable weight and moving statistic; frozen ones must be the loaded buffer itself. */
typedef struct weights_check {
    const npz *z;
    const char *path;
    size_t compared;
} weights_check;

static inarch_status check_layer(void *context, const ia_model *m, ia_layer *l, const char *path,
                                 bool trainable, inarch_error *err)
{
    weights_check *c = context;
    (void)m, (void)err;
    for (size_t i = 0; i < l->variable_count; i++) {
        const ia_variable *v = &l->variables[i];
        char key[512];
        ia_array keras;
        bool live = trainable && (v->trainable || (l->cls->flags & IA_LAYER_STATEFUL));
        snprintf(key, sizeof key, "%s/%s", path, v->name);
        if (npz_get(c->z, key, &keras)) {
            compare(c->path, key, ia_array_data(&v->value), &keras);
            ia_array_release(&keras);
            c->compared++;
        } else if (live) {
            fail_msg("%s: Keras has no %s", c->path, key);
        }
        if (!live)
            assert_ptr_equal(v->value.buffer, v->loaded.buffer);
    }
    return INARCH_OK;
}

static void check_history(const ia_history *h, const json_t *entry, const char *path)
{
    static const char *const names[] = {"loss", "accuracy"};
    for (size_t n = 0; n < IA_COUNT(names); n++)
        for (size_t e = 0; e < 3; e++) {
            double k = json_number_value(json_array_get(json_object_get(entry, names[n]), e));
            double own = ia_history_get(h, e, names[n]);
            if (!(fabs(own - k) <= TOLERANCE))
                fail_msg("%s: %s of epoch %zu = %.9g, Keras %.9g", path, names[n], e + 1, own, k);
        }
}

static ia_fit_options twelve_steps(void)
{
    ia_fit_options o = ia_fit_defaults();
    o.epochs = 3;
    o.batch_size = 16;
    o.shuffle = 0;
    o.optimizer = "adam";
    o.loss = "binary_crossentropy";
    o.metrics = "accuracy";
    o.fresh_moments = 1; /* Keras compiles anew */
    return o;
}

static void train_and_compare(ia_model *m, const json_t *entry, const char *npz_path,
                              const char *path)
{
    inarch_error err;
    npz z;
    ia_data *d;
    ia_array x, y;
    ia_history *h;
    ia_fit_options o = twelve_steps();
    npz_open(&z, npz_path);
    assert_true(npz_get(&z, "x", &x) && npz_get(&z, "y", &y));
    assert_ok(ia_data_new(path, &d, &err), err);
    assert_ok(ia_data_add_input(d, "x", &x, &err), err);
    assert_ok(ia_data_add_target(d, "y", &y, &err), err);
    operate(m, entry);
    compare_predictions(m, d, &z, "p_before", path);
    assert_ok(ia_fit(m, d, &o, &h, &err), err);
    check_history(h, entry, path);
    compare_predictions(m, d, &z, "p_after", path);
    weights_check c = {.z = &z, .path = path};
    assert_ok(ia_model_walk(m, check_layer, &c, &err), err);
    assert_int_equal(c.compared, json_array_size(json_object_get(entry, "trainable_weights")) +
                                     json_array_size(json_object_get(entry, "moving_statistics")));
    ia_history_free(h);
    ia_data_free(d);
    ia_array_release(&x);
    ia_array_release(&y);
    npz_close(&z);
}

static bool run_entry(const char *model_path, const char *npz_path, const json_t *entry,
                      const char *path)
{
    inarch_error err;
    ia_model *m;
    inarch_status status = ia_model_read(model_path, NULL, &m, &err);
    if (status == INARCH_UNSUPPORTED) /* .keras, in this version */
        return false;
    assert_ok(status, err);
    train_and_compare(m, entry, npz_path, path);
    ia_model_free(m);
    return true;
}

static void published_models_train_as_in_keras(void **state)
{
    (void)state;
    if (access(GOLDEN "/golden.json", R_OK) != 0) {
        print_message("no ../shared/golden here\n");
        skip();
    }
    json_t *golden = fixture_json(GOLDEN "/golden.json"), *entry;
    const char *path;
    char model[1024], data[1024];
    size_t trained = 0, unread = 0;
    json_object_foreach(json_object_get(golden, "train"), path, entry)
    {
        snprintf(model, sizeof model, SHARED_DIR "/corpus/%s", path);
        snprintf(data, sizeof data, GOLDEN "/train/%s.npz", path);
        *(run_entry(model, data, entry, path) ? &trained : &unread) += 1;
    }
    json_object_foreach(json_object_get(golden, "synthetic"), path, entry)
    {
        const json_t *train = json_object_get(entry, "train");
        if (!train)
            continue;
        snprintf(model, sizeof model, GOLDEN "/%s", path);
        snprintf(data, sizeof data, GOLDEN "/synthetic/%s", ia_json_string(entry, "train_npz", ""));
        *(run_entry(model, data, train, path) ? &trained : &unread) += 1;
    }
    print_message(
        "%zu models trained as Keras trains them, largest difference %.2g; %zu in formats "
        "that are not read yet\n",
        trained, worst, unread);
    assert_true(trained >= 36);
    json_decref(golden);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_models_train_as_in_keras),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
