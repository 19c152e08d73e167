/* A whole .h5 file: what stands where, in the order in which it is needed.
 *
 *   attributes of the root   model_config, training_config, keras_version, backend, inarch
 *   model_weights            layer_names; a group a layer with weight_names and the arrays
 *   optimizer_weights        read, never written: Keras 3.15 cannot go on training with it
 *   inarch/optimizer         our moments
 */
#include "formats/keras/keras_h5.h"

#include "base/alloc.h"
#include "formats/format.h"
#include "formats/keras/keras.h"
#include "formats/keras/keras_expand.h"
#include "formats/keras/keras_names.h"

#include <string.h>

/* The release whose dialect is written; readers only ask whether it is "1". */
#define WRITTEN_VERSION "3.15.1"

typedef struct h5_reading {
    ia_h5 *file;
    const ia_h5_object *root, *weights;
    json_t *config, *meta, *notes;
    ia_h5_string *names;
    size_t name_count;
} h5_reading;

/* ---- reading ---- */

static inarch_status h5_parse(const ia_h5_object *o, const char *attribute, json_t **out,
                              inarch_error *err)
{
    const ia_h5_string *text = ia_h5_attr_text(o, attribute);
    if (!text)
        return ia_fail(err, INARCH_BAD_FILE, attribute, "",
                       "the attribute '%s' of the file is not text", attribute);
    return ia_json_parse(text->text, text->len, attribute, out, err);
}

/* There is no model_config: say what the file is instead. */
static inarch_status h5_refuse(const ia_h5_object *root, const char *name, inarch_error *err)
{
    bool keras3 = ia_h5_find(root, "layers") || ia_h5_find(root, "_layer_checkpoint_dependencies");
    if (ia_h5_attr_find(root, "layer_names") || ia_h5_attr_find(root, "layer_names0"))
        return ia_fail(
            err, INARCH_UNSUPPORTED, name,
            "in Keras, load them into their model and save that whole: model.load_weights(...), "
            "model.save('x.h5')",
            "'%s' holds the weights of a Keras model, but not the model", name);
    if (keras3)
        return ia_fail(err, INARCH_UNSUPPORTED, name, "save the whole model: model.save('x.h5')",
                       "'%s' holds Keras 3's weights (.weights.h5), but not the model", name);
    return ia_fail(err, INARCH_UNSUPPORTED, name, "",
                   "'%s' is an HDF5 file without a Keras model (no model_config)", name);
}

static inarch_status h5_open(const ia_input *in, h5_reading *r, inarch_error *err)
{
    IA_TRY(ia_h5_open(in, &r->file, err));
    r->root = ia_h5_root(r->file);
    if (!ia_h5_attr_find(r->root, "model_config"))
        return h5_refuse(r->root, in->name, err);
    r->weights = ia_h5_child(r->root, "model_weights");
    IA_TRY(h5_parse(r->root, "model_config", &r->config, err));
    IA_TRY(ia_keras_parse_meta(r->file, &r->meta, err));
    r->notes = json_array();
    if (!r->notes)
        return ia_fail_memory(err, "JSON", sizeof *r->notes);
    if (!r->weights)
        return INARCH_OK;
    inarch_status status =
        ia_h5_attr_list(r->file, r->weights, "layer_names", &r->names, &r->name_count, err);
    return status == INARCH_NOT_FOUND ? INARCH_OK : status;
}

/* The file's version, where the writer left it; NULL for Keras 1.0 and what imitates it. */
static const char *h5_version(const h5_reading *r)
{
    const ia_h5_string *text = ia_h5_attr_text(r->root, "keras_version");
    text = text ? text : ia_h5_attr_text(r->weights, "keras_version");
    return text ? text->text : NULL;
}

static inarch_status h5_keep_top_keys(const json_t *config, ia_model *m, inarch_error *err)
{
    const char *key;
    json_t *value, *beside = json_object();
    IA_TRY(ia_keras_set(m->source, KERAS_TOP_KEYS, beside, err));
    json_object_foreach(
        (json_t *)(uintptr_t)config, key,
        value) if (!ia_keras_listed("class_name|config|keras_version|backend|name", key))
        IA_TRY(ia_keras_set(beside, key, json_incref(value), err));
    return INARCH_OK;
}

static inarch_status h5_read_layers(h5_reading *r, ia_model **out, inarch_error *err)
{
    ia_keras_reader reader = {.generation = ia_keras_generation(h5_version(r)),
                              .names = r->names,
                              .name_count = r->name_count,
                              .notes = r->notes,
                              .meta = r->meta,
                              .path = ""};
    const char *class_name = ia_json_string(r->config, "class_name", NULL);
    if (!class_name)
        return ia_fail(err, INARCH_BAD_FILE, "model_config", "",
                       "the model configuration of the file has no class_name");
    return ia_keras_read_model(&reader, r->config,
                               strcmp(class_name, "Sequential") == 0 ? "sequential" : "model", out,
                               err);
}

static inarch_status h5_infer_once(ia_model *m, inarch_error *err)
{
    IA_TRY(ia_model_infer(m, err));
    for (size_t i = 0; i < m->layer_count; i++) /* nested models that nothing calls */
        if (m->layers[i]->child && !m->layers[i]->built)
            IA_TRY(ia_model_infer(m->layers[i]->child, err));
    return INARCH_OK;
}

/* A layer whose place in the graph asks more of it than its class computes (a Flatten that reorders
 * pictures) is kept as an opaque one, like those whose settings do. */
static inarch_status h5_infer(h5_reading *r, ia_model *m, inarch_error *err)
{
    for (;;) {
        inarch_error why = {0};
        inarch_status status = h5_infer_once(m, &why);
        if (status == INARCH_UNSUPPORTED && ia_keras_make_opaque(m, why.subject)) {
            IA_TRY(ia_keras_note(r->notes, err, "%s", why.message));
            continue;
        }
        if (status != INARCH_OK && err)
            *err = why;
        return status;
    }
}

static inarch_status h5_read_training(h5_reading *r, ia_model *m, inarch_error *err)
{
    const ia_h5_object *moments = ia_h5_child(r->root, "optimizer_weights");
    if (!ia_h5_attr_find(r->root, "training_config"))
        return INARCH_OK;
    json_t *training;
    IA_TRY(h5_parse(r->root, "training_config", &training, err));
    inarch_status status = ia_keras_read_compile(training, &m->compile, err);
    json_decref(training);
    if (status == INARCH_OK && moments && moments->kind == IA_H5_GROUP && m->compile.optimizer) {
        m->foreign_moments = true;
        status = ia_keras_read_moments(r->file, moments, m, r->notes, err);
    }
    return status;
}

static inarch_status h5_fill(h5_reading *r, ia_model *m, inarch_error *err)
{
    const char *version = h5_version(r);
    if (version && !(m->keras_version = ia_strdup(version)))
        return ia_fail_memory(err, "a model", strlen(version));
    IA_TRY(h5_keep_top_keys(r->config, m, err));
    IA_TRY(ia_keras_fold(m, ia_keras_folded(r->meta), err));
    IA_TRY(h5_infer(r, m, err));
    IA_TRY(ia_keras_bind_weights(r->file, r->weights, KERAS_FIRST, m, err));
    IA_TRY(h5_read_training(r, m, err));
    IA_TRY(ia_keras_read_meta(r->file, r->meta, m, err));
    if (json_array_size(r->notes) > 0)
        return ia_keras_set(m->meta, IA_META_NOTES, json_incref(r->notes), err);
    return INARCH_OK;
}

inarch_status ia_keras_h5_read(const ia_input *in, ia_model **out, inarch_error *err)
{
    h5_reading r = {0};
    ia_model *m = NULL;
    inarch_status status = h5_open(in, &r, err);
    if (status == INARCH_OK)
        status = h5_read_layers(&r, &m, err);
    if (status == INARCH_OK)
        status = h5_fill(&r, m, err);
    ia_h5_free(r.file);
    json_decref(r.config);
    json_decref(r.meta);
    json_decref(r.notes);
    ia_free(r.names);
    if (status != INARCH_OK) {
        ia_model_free(m);
        return status;
    }
    *out = m;
    return INARCH_OK;
}

/* ---- writing ---- */

static inarch_status h5_write_json(ia_h5w *w, const char *attribute, const json_t *value,
                                   inarch_error *err)
{
    char *text;
    IA_TRY(ia_json_dump(value, IA_JSON_PYTHON, false, &text, err));
    inarch_status status = ia_h5w_attr_text(w, ia_h5w_root(w), attribute, text, strlen(text), err);
    ia_free(text);
    return status;
}

static inarch_status h5_write_versions(ia_h5w *w, ia_h5w_object *o, inarch_error *err)
{
    IA_TRY(ia_h5w_attr_text(w, o, "backend", "tensorflow", strlen("tensorflow"), err));
    return ia_h5w_attr_text(w, o, "keras_version", WRITTEN_VERSION, strlen(WRITTEN_VERSION), err);
}

static inarch_status h5_write_array(ia_h5w *w, ia_h5w_object *group, const ia_keras_variable *v,
                                    inarch_error *err)
{
    const ia_variable *variable = ia_keras_variable_of(v);
    if (!variable->value.buffer)
        return ia_fail(err, INARCH_BAD_ARGUMENT, v->path, "initialise or train the model first",
                       "the weight '%s' has no values yet", v->path);
    return ia_h5w_dataset(w, group, v->path, &variable->value, NULL, err);
}

static inarch_status h5_write_layer(ia_h5w *w, ia_h5w_object *weights, ia_layer *l,
                                    inarch_error *err)
{
    ia_h5w_object *group;
    ia_keras_variables own = {0};
    IA_TRY(ia_h5w_group(w, weights, l->name, &group, err));
    inarch_status status = ia_keras_layer_variables(l, &own, err);
    const char **names = ia_calloc(own.count, sizeof *names);
    if (status == INARCH_OK && !names)
        status = ia_fail_memory(err, "names", own.count * sizeof *names);
    size_t n = 0;
    for (size_t i = 0; i < own.count && status == INARCH_OK; i++) {
        if (own.items[i].layer != l && ia_keras_is_configured(own.items[i].layer))
            continue;
        names[n++] = own.items[i].path;
        status = h5_write_array(w, group, &own.items[i], err);
    }
    if (status == INARCH_OK)
        status = ia_h5w_attr_list(w, group, "weight_names", names, n, err);
    ia_free(names);
    ia_keras_variables_free(&own);
    return status;
}

/* layer_names leaves the InputLayer of a Sequential out, as model.layers does. */
static inarch_status h5_write_layers(ia_h5w *w, const ia_model *m, ia_layer *const *order,
                                     inarch_error *err)
{
    ia_h5w_object *weights;
    const char **names = ia_calloc(m->layer_count, sizeof *names);
    size_t n = 0;
    if (!names)
        return ia_fail_memory(err, "names", m->layer_count * sizeof *names);
    inarch_status status = ia_h5w_group(w, ia_h5w_root(w), "model_weights", &weights, err);
    if (status == INARCH_OK)
        status = h5_write_versions(w, weights, err);
    for (size_t i = 0; i < m->layer_count && status == INARCH_OK; i++) {
        if (m->kind == IA_SEQUENTIAL && (order[i]->cls->flags & IA_LAYER_INPUT))
            continue;
        names[n++] = order[i]->name;
        status = h5_write_layer(w, weights, order[i], err);
    }
    if (status == INARCH_OK)
        status = ia_h5w_attr_list(w, weights, "layer_names", names, n, err);
    ia_free(names);
    return status;
}

static inarch_status h5_write_weights(ia_h5w *w, const ia_model *m, inarch_error *err)
{
    ia_layer **order;
    IA_TRY(ia_model_layer_order(m, &order, err));
    inarch_status status = h5_write_layers(w, m, order, err);
    ia_free(order);
    return status;
}

static inarch_status h5_write_configs(ia_h5w *w, const ia_model *m, inarch_error *err)
{
    json_t *config, *training;
    IA_TRY(h5_write_versions(w, ia_h5w_root(w), err));
    IA_TRY(ia_keras_write_model(m, &config, err));
    inarch_status status = h5_write_json(w, "model_config", config, err);
    json_decref(config);
    IA_TRY(status);
    IA_TRY(ia_keras_write_compile(&m->compile, &training, err));
    if (training)
        status = h5_write_json(w, "training_config", training, err);
    json_decref(training);
    return status;
}

static inarch_status h5_write_all(const ia_model *m, ia_h5w *w, inarch_error *err)
{
    ia_model *expanded;
    json_t *folded;
    IA_TRY(ia_keras_expand(m, &expanded, &folded, err));
    const ia_model *written = expanded ? expanded : m;
    inarch_status status = h5_write_configs(w, written, err);
    if (status == INARCH_OK)
        status = h5_write_weights(w, written, err);
    if (status == INARCH_OK)
        status = ia_keras_write_meta(m, folded, w, err);
    json_decref(folded);
    ia_model_free(expanded); /* the writer holds references to the arrays */
    return status;
}

inarch_status ia_keras_h5_write(const ia_model *m, ia_output *o, inarch_error *err)
{
    ia_h5w *w;
    IA_TRY(ia_h5w_new(&w, err));
    inarch_status status = h5_write_all(m, w, err);
    if (status == INARCH_OK)
        status = ia_h5w_write(w, o, err);
    ia_h5w_free(w);
    return status;
}
