/* For tests of the whole house: models built call by call (shared layers, nested models, several
 * inputs), rows of made-up data, and hashes of all that a fit changes. */
#ifndef INARCH_TEST_API_RIG_H
#define INARCH_TEST_API_RIG_H

#include "test.h"

#include "api/handle.h"
#include "nn/spec.h"

#include <unistd.h>

#define HASH_START UINT64_C(0xcbf29ce484222325)

static IA_UNUSED uint64_t hash_bytes(uint64_t h, const void *data, size_t n)
{
    const uint8_t *at = data; /* FNV-1a */
    for (size_t i = 0; i < n; i++)
        h = (h ^ at[i]) * UINT64_C(0x100000001b3);
    return h;
}

/* ---- random numbers of the test's own ---- */

static IA_UNUSED uint32_t rig_next(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static IA_UNUSED size_t rig_below(uint32_t *state, size_t n)
{
    return rig_next(state) % n;
}

static IA_UNUSED float rig_float(uint32_t *state)
{
    return (float)rig_next(state) / 8388608.0f - 1.0f;
}

/* ---- models, call by call ---- */

static IA_UNUSED ia_model *rig_model(const char *name)
{
    inarch_error err;
    ia_model *m;
    assert_ok(ia_model_new(IA_FUNCTIONAL, name, &m, &err), err);
    return m;
}

static IA_UNUSED ia_ref rig_call(ia_model *m, ia_layer *l, const ia_ref *in, size_t n)
{
    inarch_error err;
    assert_ok(ia_model_add_call(m, l, in, n, &err), err);
    assert_ok(ia_model_infer(m, &err), err);
    return (ia_ref){m->call_count - 1, 0};
}

static IA_UNUSED ia_layer *rig_layer(ia_model *m, const char *spec)
{
    inarch_error err;
    ia_layer *l;
    assert_ok(ia_spec_layer(spec, m, &l, &err), err);
    assert_ok(ia_model_add_layer(m, l, &err), err);
    return l;
}

static IA_UNUSED ia_ref rig_input(ia_model *m, const char *spec)
{
    return rig_call(m, rig_layer(m, spec), NULL, 0);
}

static IA_UNUSED ia_ref rig_put(ia_model *m, const char *spec, ia_ref below)
{
    return rig_call(m, rig_layer(m, spec), &below, 1);
}

static IA_UNUSED ia_ref rig_join(ia_model *m, const char *spec, ia_ref a, ia_ref b)
{
    ia_ref in[] = {a, b};
    return rig_call(m, rig_layer(m, spec), in, 2);
}

/* A layer for a nested model; `child` is handed over. */
static IA_UNUSED ia_layer *rig_nested(ia_model *m, ia_model *child, const char *name)
{
    inarch_error err;
    ia_layer *l;
    assert_ok(ia_layer_new(&ia_layer_nested, name, &l, &err), err);
    l->child = child;
    assert_ok(ia_model_add_layer(m, l, &err), err);
    return l;
}

static IA_UNUSED void rig_ports(ia_model *m, const ia_ref *in, size_t n_in, const ia_ref *out,
                                size_t n_out)
{
    inarch_error err;
    assert_ok(ia_model_set_inputs(m, in, n_in, &err), err);
    assert_ok(ia_model_set_outputs(m, out, n_out, &err), err);
}

/* The finished model, with initial weights of `seed`; `doc` is handed over. */
static IA_UNUSED inarch_model *rig_finish(ia_model *doc, uint64_t seed)
{
    inarch_error err;
    inarch_model *m;
    assert_ok(ia_model_infer(doc, &err), err);
    assert_ok(ia_model_initialize(doc, seed, &err), err);
    assert_ok(api_wrap(doc, &m, &err), err);
    m->seed = seed;
    m->edited = 1;
    return m;
}

static IA_UNUSED inarch_model *rig_new(const char *arch)
{
    inarch_error err;
    inarch_model *m;
    assert_ok(inarch_new(arch, 3, &m, &err), err);
    return m;
}

static IA_UNUSED inarch_model *rig_clone(const inarch_model *m)
{
    inarch_error err;
    inarch_model *copy;
    assert_ok(inarch_clone(m, &copy, &err), err);
    return copy;
}

/* ---- data ---- */

/* Rows of noise for every input of `m`. Targets: class indices for softmax outputs, 0 or 1 for one
 * sigmoid unit, numbers elsewhere. */
static IA_UNUSED inarch_data *rig_rows(const inarch_model *m, size_t rows, uint32_t seed)
{
    inarch_error err;
    inarch_info info = {.size = sizeof info};
    inarch_data *d;
    inarch_array array[16];
    float *block[16];
    assert_ok(inarch_model_info(m, &info, &err), err);
    size_t n = info.inputs + info.outputs;
    assert_true(n <= 16);
    for (size_t i = 0; i < n; i++) {
        inarch_port port = {.size = sizeof port};
        bool input = i < info.inputs;
        assert_ok(inarch_model_port(m, input ? INARCH_INPUT : INARCH_OUTPUT,
                                    input ? i : i - info.inputs, &port, &err),
                  err);
        size_t width = 1, units = (size_t)port.shape.dim[port.shape.rank - 1];
        bool classes = !input && strcmp(port.activation, "softmax") == 0;
        bool binary = !input && strcmp(port.activation, "sigmoid") == 0;
        for (int k = 0; k < port.shape.rank - classes; k++)
            width *= (size_t)port.shape.dim[k];
        block[i] = malloc(rows * width * sizeof(float));
        for (size_t k = 0; k < rows * width; k++)
            block[i][k] = classes  ? (float)(k < units ? k : rig_below(&seed, units))
                          : binary ? (float)(rig_next(&seed) & 1)
                                   : rig_float(&seed);
        array[i] = (inarch_array){block[i], port.shape};
        array[i].shape.rank -= classes;
    }
    assert_ok(
        inarch_data_arrays(rows, array, info.inputs, array + info.inputs, info.outputs, &d, &err),
        err);
    for (size_t i = 0; i < n; i++)
        free(block[i]);
    return d;
}

/* ---- hashes ---- */

static IA_UNUSED uint64_t hash_weights(const inarch_model *m)
{
    uint64_t h = HASH_START;
    inarch_weight w = {.size = sizeof w};
    for (size_t i = 0; inarch_weight_at(m, i, &w, NULL) == INARCH_OK; i++) {
        h = hash_bytes(h, w.path, strlen(w.path));
        h = hash_bytes(h, w.data, w.count * sizeof(float));
    }
    return h;
}

static inarch_status hash_slots_of(void *context, const ia_model *m, ia_layer *l, const char *path,
                                   bool trainable, inarch_error *err)
{
    uint64_t *h = context;
    (void)m, (void)path, (void)trainable, (void)err;
    for (size_t v = 0; v < l->variable_count; v++) {
        const ia_slots *s = &l->variables[v].slots;
        *h = hash_bytes(*h, s->optimizer, strlen(s->optimizer));
        *h = hash_bytes(*h, &s->step, sizeof s->step);
        for (size_t k = 0; k < IA_SLOT_MAX; k++)
            *h = hash_bytes(*h, ia_array_data(&s->slot[k]),
                            ia_array_count(&s->slot[k]) * sizeof(float));
    }
    return INARCH_OK;
}

/* Optimizer moments and step counts. */
static IA_UNUSED uint64_t hash_slots(const inarch_model *m)
{
    uint64_t h = hash_bytes(HASH_START, &m->doc->step, sizeof m->doc->step);
    assert_int_equal(ia_model_walk(m->doc, hash_slots_of, &h, NULL), INARCH_OK);
    return h;
}

static IA_UNUSED uint64_t hash_history(const inarch_history *history)
{
    uint64_t h = HASH_START;
    for (size_t r = 0; r < inarch_history_rows(history); r++)
        for (size_t c = 0; inarch_history_name(history, c); c++) {
            double v = inarch_history_get(history, (int64_t)r, inarch_history_name(history, c));
            if (v == v) /* the bits of a NaN mean nothing */
                h = hash_bytes(h, &v, sizeof v);
        }
    return h;
}

/* ---- files ---- */

/* A path in a folder of this process, which rig_folder_remove empties. */
static char rig_folder[64];

static IA_UNUSED const char *rig_path(const char *name)
{
    static char path[4][160];
    static int turn;
    if (!*rig_folder) {
        snprintf(rig_folder, sizeof rig_folder, "/tmp/inarch-test-XXXXXX");
        assert_non_null(mkdtemp(rig_folder));
    }
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%s/%s", rig_folder, name);
    return path[turn];
}

static IA_UNUSED int rig_folder_remove(void **state)
{
    char command[128];
    (void)state;
    if (!*rig_folder)
        return 0;
    snprintf(command, sizeof command, "rm -rf '%s'", rig_folder);
    *rig_folder = '\0';
    return system(command);
}

static IA_UNUSED inarch_model *rig_reload(const inarch_model *m, const char *name)
{
    inarch_error err;
    inarch_model *copy;
    assert_ok(inarch_save(m, rig_path(name), NULL, &err), err);
    assert_ok(inarch_load(rig_path(name), NULL, &copy, &err), err);
    return copy;
}

#endif
