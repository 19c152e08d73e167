/* Files of Keras 3 and tf_keras through the public calls: predictions, what trains, and what the
 * compile state makes of an evaluation. What is inside the document is compared in formats/. */
#include "test.h"

#include <math.h>

#include "parity.h"

#define TOLERANCE 1e-5

/* The layer of a weight's path, by the longest name that fits: names may hold '/'. */
static bool layer_is_live(const inarch_model *m, const char *path)
{
    inarch_layer l = {.size = sizeof l};
    size_t longest = 0;
    bool live = false;
    for (size_t i = 0; inarch_model_layer(m, i, &l, NULL) == INARCH_OK; i++) {
        size_t n = strlen(l.path);
        if (n >= longest && strncmp(path, l.path, n) == 0 && path[n] == '/') {
            longest = n;
            live = l.live != 0;
        }
    }
    return live;
}

static void check_live(parity *p, const inarch_model *m, const json_t *rows)
{
    inarch_info info = {.size = sizeof info};
    inarch_error err;
    size_t i, parameters = 0, trainable = 0;
    const json_t *row;
    json_array_foreach(rows, i, row)
    {
        const char *path = json_string_value(json_object_get(row, "path"));
        bool live = json_is_true(json_object_get(row, "live"));
        ia_array a = parity_array(p, json_string_value(json_object_get(row, "array")));
        inarch_weight w = {.size = sizeof w};
        parameters += ia_array_count(&a);
        trainable += live ? ia_array_count(&a) : 0;
        ia_array_release(&a);
        if (inarch_weight_get(m, path, &w, NULL) == INARCH_OK &&
            (w.trainable && layer_is_live(m, path)) != live)
            complain(p, "'%s' is %s in Keras", path, live ? "trained" : "frozen");
    }
    assert_ok(inarch_model_info(m, &info, &err), err);
    if (info.parameters != parameters || info.trainable_parameters != trainable)
        complain(p, "%zu of %zu parameters train, in Keras %zu of %zu", info.trainable_parameters,
                 info.parameters, trainable, parameters);
}

static void check_outputs(parity *p, const inarch_model *m, const json_t *c)
{
    inarch_error err;
    inarch_info info = {.size = sizeof info};
    const json_t *outputs = json_object_get(c, "outputs");
    if (!outputs)
        return;
    inarch_data *d = parity_data(p, json_object_get(c, "inputs"), NULL);
    assert_ok(inarch_model_info(m, &info, &err), err);
    if (info.computable) {
        parity_predict(p, m, d, outputs, "predictions", TOLERANCE);
    } else { /* an unknown layer is named, not guessed */
        float y[64];
        inarch_status status = inarch_predict(m, d, 0, NULL, y, IA_COUNT(y), &err);
        if (status != INARCH_UNSUPPORTED || !strstr(err.message, "cannot be computed"))
            complain(p, "a model with an unknown layer gives status %d: %s", (int)status,
                     err.message);
    }
    inarch_data_free(d);
}

static void check_model(parity *p, const json_t *c)
{
    inarch_error err;
    inarch_info info = {.size = sizeof info};
    inarch_model *m = parity_load(p, json_string_value(json_object_get(c, "file")));
    if (!m)
        return;
    assert_ok(inarch_model_info(m, &info, &err), err);
    if ((*info.optimizer != 0) != (json_object_get(c, "compile") != NULL))
        complain(p, "the optimizer is '%s'", info.optimizer);
    check_live(p, m, json_object_get(c, "weights"));
    check_outputs(p, m, c);
    inarch_free(m);
}

static void check_case(parity *p, const json_t *c)
{
    inarch_error err;
    inarch_model *m;
    char path[512];
    if (strcmp(ia_json_string(c, "kind", "model"), "weights") != 0) {
        check_model(p, c);
        return;
    }
    parity_path(p, json_string_value(json_object_get(c, "file")), path, sizeof path);
    if (inarch_load(path, NULL, &m, &err) != INARCH_UNSUPPORTED)
        complain(p, "a file of weights is not refused");
}

static void test_files(void **state)
{
    (void)state;
    parity p = parity_open("files", "files.npz");
    parity_each(&p, "cases", check_case);
    parity_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_files)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
