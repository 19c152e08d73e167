/* Models made for a test, and what is written of them. */
#ifndef INARCH_TEST_FORMATS_WRITTEN_H
#define INARCH_TEST_FORMATS_WRITTEN_H

#include "rig.h"

#include "containers/hdf5/hdf5.h"
#include "nn/spec.h"

/* ---- models to write ---- */

static IA_UNUSED ia_model *new_model(const char *arch)
{
    inarch_error err;
    ia_model *m;
    assert_ok(ia_spec_model(arch, 1, &m, &err), err);
    return m;
}

/* Appends a layer to a model and a call of it on `in`; its index among the calls. */
static IA_UNUSED size_t add(ia_model *m, ia_layer *l, const ia_ref *in, size_t n)
{
    inarch_error err;
    assert_ok(ia_model_add_layer(m, l, &err), err);
    assert_ok(ia_model_add_call(m, l, in, n, &err), err);
    return m->call_count - 1;
}

static IA_UNUSED ia_layer *layer(const ia_model *m, const char *spec)
{
    inarch_error err;
    ia_layer *l;
    assert_ok(ia_spec_layer(spec, m, &l, &err), err);
    return l;
}

static IA_UNUSED ia_layer *nested(const char *name, ia_model *child)
{
    inarch_error err;
    ia_layer *l;
    assert_ok(ia_layer_new(&ia_layer_nested, name, &l, &err), err);
    l->child = child;
    return l;
}

static IA_UNUSED void finish(ia_model *m)
{
    inarch_error err;
    assert_ok(ia_model_infer(m, &err), err);
    assert_ok(ia_model_initialize(m, 1, &err), err);
}

/* The configuration as written. */
static IA_UNUSED json_t *written(const ia_model *m, const char *attribute)
{
    inarch_error err;
    const char *path = rig_path("written.h5");
    ia_input in;
    ia_h5 *h5;
    json_t *value = NULL;
    assert_ok(ia_model_write(m, path, NULL, &err), err);
    assert_ok(ia_input_open(path, &in, &err), err);
    assert_ok(ia_h5_open(&in, &h5, &err), err);
    const ia_h5_string *text = ia_h5_attr_text(ia_h5_root(h5), attribute);
    if (text)
        assert_ok(ia_json_parse(text->text, text->len, attribute, &value, &err), err);
    ia_h5_free(h5);
    ia_input_close(&in);
    unlink(path);
    return value;
}

static IA_UNUSED const json_t *entry(const json_t *model, const char *name)
{
    const json_t *layers = json_object_get(json_object_get(model, "config"), "layers");
    for (size_t i = 0; i < json_array_size(layers); i++) {
        const json_t *one = json_array_get(layers, i);
        if (strcmp(ia_json_string(json_object_get(one, "config"), "name", ""), name) == 0)
            return one;
    }
    fail_msg("%s is not written", name);
    return NULL;
}

static IA_UNUSED void assert_json(const json_t *value, const char *want)
{
    char *have = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    assert_string_equal(have, want);
    free(have);
}

#endif
