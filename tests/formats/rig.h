/* Small .h5 files made for a test, and documents compared. */
#ifndef INARCH_TEST_FORMATS_RIG_H
#define INARCH_TEST_FORMATS_RIG_H

#include "test.h"

#include "base/alloc.h"
#include "containers/hdf5/hdf5_write.h"
#include "formats/format.h"

#include <strings.h>
#include <unistd.h>

/* ---- files ---- */

static char rig_folder[] = "/tmp/inarch-formats-XXXXXX";

static IA_UNUSED int rig_setup(void **state)
{
    (void)state;
    return mkdtemp(rig_folder) ? 0 : -1;
}

static IA_UNUSED int rig_teardown(void **state)
{
    (void)state;
    return rmdir(rig_folder); /* tests remove what they write */
}

static IA_UNUSED const char *rig_path(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", rig_folder, name);
    return path;
}

/* A weight: values start, start + 1, ... of a shape such as {2, 3, 0}. */
typedef struct rig_weight {
    const char *layer, *name; /* the group, and the entry of weight_names */
    int64_t dim[4];
    float start;
    ia_dtype dtype; /* IA_F32 unless given */
} rig_weight;

static IA_UNUSED ia_array rig_array(const rig_weight *w)
{
    inarch_error err;
    ia_array a, f;
    ia_shape shape = {0};
    while (shape.rank < 4 && w->dim[shape.rank] > 0) {
        shape.dim[shape.rank] = w->dim[shape.rank];
        shape.rank++;
    }
    assert_ok(ia_array_new(IA_F32, &shape, "test", &f, &err), err);
    for (size_t i = 0; i < ia_array_count(&f); i++)
        ((float *)ia_array_mutable(&f))[i] = w->start + (float)i;
    if (w->dtype == IA_F32)
        return f;
    assert_ok(ia_array_new(w->dtype, &shape, "test", &a, &err), err);
    ia_dtype_from_f32(w->dtype, ia_array_data(&f), ia_array_count(&f), ia_array_mutable(&a));
    ia_array_release(&f);
    return a;
}

typedef struct rig_file {
    const char *version;       /* keras_version; NULL: none */
    const char *model;         /* model_config; NULL: none */
    const char *training;      /* training_config; NULL: none */
    const char *meta;          /* the attribute inarch; NULL: none */
    const char *group;         /* of the layers; NULL: "model_weights", "": the root */
    const rig_weight *weights; /* of one layer side by side; a NULL name ends a layer without any */
    size_t count;
    const rig_weight *moments; /* in optimizer_weights, `layer` unused */
    size_t moment_count;
} rig_file;

static void rig_text(ia_h5w *w, ia_h5w_object *o, const char *name, const char *text)
{
    inarch_error err;
    if (text)
        assert_ok(ia_h5w_attr_text(w, o, name, text, strlen(text), &err), err);
}

static void rig_list(ia_h5w *w, ia_h5w_object *o, const rig_weight *weights, size_t n)
{
    inarch_error err;
    const char *names[256];
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        if (!weights[i].name)
            continue;
        ia_array a = rig_array(&weights[i]);
        names[count++] = weights[i].name;
        assert_ok(ia_h5w_dataset(w, o, weights[i].name, &a, NULL, &err), err);
        ia_array_release(&a);
    }
    assert_ok(ia_h5w_attr_list(w, o, "weight_names", names, count, &err), err);
}

static void rig_layers(ia_h5w *w, ia_h5w_object *group, const rig_weight *weights, size_t n)
{
    inarch_error err;
    const char *names[256];
    size_t count = 0;
    for (size_t i = 0, end; i < n; i = end) {
        ia_h5w_object *own;
        for (end = i + 1; end < n && strcmp(weights[end].layer, weights[i].layer) == 0;)
            end++;
        names[count++] = weights[i].layer;
        assert_ok(ia_h5w_group(w, group, weights[i].layer, &own, &err), err);
        rig_list(w, own, weights + i, end - i);
    }
    assert_ok(ia_h5w_attr_list(w, group, "layer_names", names, count, &err), err);
}

static IA_UNUSED void rig_write(const char *path, const rig_file *f)
{
    inarch_error err;
    ia_h5w *w;
    ia_output *o;
    ia_h5w_object *group;
    const char *name = f->group ? f->group : "model_weights";
    assert_ok(ia_h5w_new(&w, &err), err);
    group = ia_h5w_root(w);
    rig_text(w, group, "keras_version", f->version);
    rig_text(w, group, "model_config", f->model);
    rig_text(w, group, "training_config", f->training);
    rig_text(w, group, "inarch", f->meta);
    if (*name)
        assert_ok(ia_h5w_group(w, ia_h5w_root(w), name, &group, &err), err);
    rig_layers(w, group, f->weights, f->count);
    if (f->moments) {
        assert_ok(ia_h5w_group(w, ia_h5w_root(w), "optimizer_weights", &group, &err), err);
        rig_list(w, group, f->moments, f->moment_count);
    }
    assert_ok(ia_output_open(path, &o, &err), err);
    assert_ok(ia_h5w_write(w, o, &err), err);
    assert_ok(ia_output_commit(o, &err), err);
    ia_h5w_free(w);
}

/* ---- reading ---- */

static IA_UNUSED inarch_status rig_try(const rig_file *f, ia_model **m, inarch_error *err)
{
    const char *path = rig_path("rig.h5");
    rig_write(path, f);
    inarch_status status = ia_model_read(path, NULL, m, err);
    unlink(path);
    return status;
}

static IA_UNUSED ia_model *rig_read(const rig_file *f)
{
    inarch_error err;
    ia_model *m;
    assert_ok(rig_try(f, &m, &err), err);
    return m;
}

static IA_UNUSED void rig_refused(const rig_file *f, inarch_status status, const char *message)
{
    inarch_error err;
    ia_model *m;
    inarch_status have = rig_try(f, &m, &err);
    if (have == INARCH_OK)
        fail_msg("read, but should say: %s", message);
    if (!strstr(err.message, message))
        fail_msg("\"%s\" does not contain \"%s\"", err.message, message);
    assert_int_equal(have, status);
}

static IA_UNUSED void to_double_quotes(char *s)
{
    for (; *s; s++)
        *s = *s == '\'' ? '"' : *s;
}

/* Reads a model_config written with ' for ". No weights are needed by the layers used here. */
static IA_UNUSED inarch_status try_config(const char *version, const char *config, ia_model **m,
                                          inarch_error *err)
{
    char *text = ia_strdup(config);
    to_double_quotes(text);
    rig_file f = {.version = version, .model = text};
    inarch_status status = rig_try(&f, m, err);
    ia_free(text);
    return status;
}

static IA_UNUSED ia_model *read_config(const char *version, const char *config)
{
    inarch_error err;
    ia_model *m;
    assert_ok(try_config(version, config, &m, &err), err);
    return m;
}

/* The first value of a weight by path, "base/d1/kernel". */
static IA_UNUSED float rig_first(const ia_model *m, const char *layer, const char *variable)
{
    const ia_layer *l = ia_model_layer(m, layer);
    if (!l)
        fail_msg("there is no layer %s", layer);
    const ia_variable *v = ia_layer_variable(l, variable);
    if (!v)
        fail_msg("%s has no %s", layer, variable);
    assert_int_equal(v->value.dtype, IA_F32);
    return *(const float *)ia_array_data(&v->value);
}

/* Save and load again. */
static IA_UNUSED ia_model *rig_again(const ia_model *m)
{
    inarch_error err;
    ia_model *again;
    const char *path = rig_path("again.h5");
    assert_ok(ia_model_write(m, path, NULL, &err), err);
    assert_ok(ia_model_read(path, NULL, &again, &err), err);
    unlink(path);
    return again;
}

static IA_UNUSED void rig_bytes(const char *path, uint8_t **data, size_t *n)
{
    inarch_error err;
    ia_input in;
    assert_ok(ia_input_open(path, &in, &err), err);
    assert_ok(ia_input_read_all(&in, 64 << 20, data, n, &err), err);
    ia_input_close(&in);
}

/* ---- comparing ---- */

static IA_UNUSED void rig_same_array(const char *what, const ia_array *a, const ia_array *b)
{
    if (!a->buffer != !b->buffer || a->dtype != b->dtype || !ia_shape_equal(&a->shape, &b->shape) ||
        (a->buffer && memcmp(ia_array_data(a), ia_array_data(b),
                             ia_array_count(a) * ia_dtype_size(a->dtype)) != 0))
        fail_msg("%s differs", what);
}

static IA_UNUSED void rig_same_layer(const ia_layer *a, const ia_layer *b)
{
    assert_string_equal(a->name, b->name);
    assert_ptr_equal(a->cls, b->cls);
    assert_int_equal(a->trainable, b->trainable);
    assert_int_equal(a->generation, b->generation);
    assert_true(a->learning_rate == b->learning_rate);
    for (size_t i = 0; i < a->cls->field_count; i++) {
        char one[256], two[256];
        ia_field_to_text(&a->cls->fields[i], a->config, one, sizeof one);
        ia_field_to_text(&b->cls->fields[i], b->config, two, sizeof two);
        if (strcmp(one, two) != 0)
            fail_msg("%s: %s is %s and %s", a->name, a->cls->fields[i].key, one, two);
    }
    const ia_activation *f = a->cls->activation ? a->cls->activation(a) : NULL;
    const ia_activation *g = b->cls->activation ? b->cls->activation(b) : NULL;
    if (f && memcmp(f->param, g->param, sizeof f->param) != 0) /* the slope of hard_sigmoid */
        fail_msg("the activation of %s differs", a->name);
    assert_int_equal(a->variable_count, b->variable_count);
    for (size_t i = 0; i < a->variable_count; i++) {
        const ia_variable *v = &a->variables[i], *w = &b->variables[i];
        assert_string_equal(v->name, w->name);
        assert_int_equal(v->trainable, w->trainable);
        rig_same_array(v->name, &v->value, &w->value);
        assert_string_equal(v->slots.optimizer, w->slots.optimizer);
        assert_true(v->slots.step == w->slots.step);
        for (size_t k = 0; k < IA_SLOT_MAX; k++)
            rig_same_array("a moment", &v->slots.slot[k], &w->slots.slot[k]);
    }
}

/* The layers of `a`, in whatever order, in `b`; the graph by the layers' names. */
static IA_UNUSED void rig_same_model(const ia_model *a, const ia_model *b)
{
    assert_int_equal(a->kind, b->kind); /* a nested model is called as its layer */
    assert_int_equal(a->layer_count, b->layer_count);
    for (size_t i = 0; i < a->layer_count; i++) {
        const ia_layer *l = a->layers[i], *k = ia_model_layer(b, l->name);
        if (!k)
            fail_msg("the layer %s is lost", l->name);
        if (l->child) {
            assert_int_equal(l->trainable, k->trainable);
            rig_same_model(l->child, k->child);
        } else {
            rig_same_layer(l, k);
        }
    }
    assert_int_equal(a->call_count, b->call_count);
    assert_int_equal(a->input_count, b->input_count);
    assert_int_equal(a->output_count, b->output_count);
    for (size_t i = 0; i < a->input_count; i++)
        assert_string_equal(a->calls[a->inputs[i].call].layer->name,
                            b->calls[b->inputs[i].call].layer->name);
    for (size_t i = 0; i < a->output_count; i++) {
        assert_string_equal(a->calls[a->outputs[i].call].layer->name,
                            b->calls[b->outputs[i].call].layer->name);
        assert_int_equal(a->outputs[i].output, b->outputs[i].output);
    }
}

#endif
