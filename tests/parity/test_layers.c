/* Predictions of every layer and activation, as real Keras 3 and tf_keras made them. */
#include "test.h"

#include <math.h>

#include "parity.h"

#define TOLERANCE 1e-5

/* Known by name, refused in words: a model that holds one is computed up to the layer below it. */
static const char *const not_computed[] = {
    "act_glu",                /* halves its input; Keras 3.15 itself cannot stack a layer on it */
    "flatten_channels_first", /* a transposition */
    "dropout_shape",          /* noise_shape */
};

static bool is_refused(const char *layer)
{
    for (size_t i = 0; i < IA_COUNT(not_computed); i++)
        if (strcmp(layer, not_computed[i]) == 0)
            return true;
    return false;
}

static inarch_data *open_inputs(parity *p, const inarch_model *m, const json_t *inputs)
{
    inarch_error err;
    json_t *keys = json_array();
    size_t i;
    const json_t *row;
    json_array_foreach(inputs, i, row)
    {
        const char *want = json_string_value(json_object_get(row, "name"));
        inarch_port port = {.size = sizeof port};
        if (parity_ok(p, inarch_model_port(m, INARCH_INPUT, i, &port, &err), &err, want) &&
            strcmp(port.name, want) != 0)
            complain(p, "input %zu is '%s', not '%s'", i, port.name, want);
        json_array_append(keys, json_object_get(row, "x"));
    }
    inarch_data *d = parity_data(p, keys, NULL);
    json_decref(keys);
    return d;
}

/* Outputs given as a dict have an order of their own, so a name says which one is meant. */
static size_t output_of(const inarch_model *m, const char *name, size_t place)
{
    inarch_port port = {.size = sizeof port};
    size_t found = SIZE_MAX;
    for (size_t i = 0; inarch_model_port(m, INARCH_OUTPUT, i, &port, NULL) == INARCH_OK; i++)
        if (strcmp(port.name, name) == 0 && (found == SIZE_MAX || i == place))
            found = i;
    return found;
}

static void check_output(parity *p, const inarch_model *m, const inarch_data *d, const json_t *row,
                         size_t place)
{
    inarch_error err;
    inarch_info info = {.size = sizeof info};
    const char *name = json_string_value(json_object_get(row, "name"));
    const char *key = json_string_value(json_object_get(row, "y"));
    size_t output = output_of(m, name, place);
    if (output == SIZE_MAX) {
        complain(p, "there is no output '%s'", name);
        return;
    }
    ia_array want = parity_array(p, key);
    size_t n = ia_array_count(&want);
    float *got = calloc(n + 1, sizeof *got);
    assert_non_null(got);
    assert_ok(inarch_model_info(m, &info, &err), err);
    inarch_status status = info.computable ? inarch_predict(m, d, output, NULL, got, n, &err)
                                           : inarch_features(m, d, name, NULL, got, n, &err);
    if (is_refused(name)) {
        if (status != INARCH_UNSUPPORTED)
            complain(p, "'%s' is not refused: take it out of the list", name);
    } else if (parity_ok(p, status, &err, name)) {
        parity_compare(p, name, got, n, key, TOLERANCE);
    }
    free(got);
    ia_array_release(&want);
}

static void check_case(parity *p, const json_t *c)
{
    const json_t *outputs = json_object_get(c, "outputs"), *row;
    inarch_model *m = parity_load(p, json_string_value(json_object_get(c, "model")));
    size_t i;
    if (!m)
        return;
    inarch_data *d = open_inputs(p, m, json_object_get(c, "inputs"));
    json_array_foreach(outputs, i, row) check_output(p, m, d, row, i);
    inarch_data_free(d);
    inarch_free(m);
}

static void test_layers(void **state)
{
    (void)state;
    parity p = parity_open("layers", "layers.npz");
    parity_each(&p, "cases", check_case);
    parity_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_layers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
