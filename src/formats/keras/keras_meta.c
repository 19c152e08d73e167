/* What Keras has no place for, in an attribute and a group called `inarch` at the root of the file.
 * Keras ignores both, and drops them when it saves the model again.
 *
 *   attribute inarch            JSON: the model's metadata (classes, columns, ...) and "document":
 *                               step, per layer what the written configuration cannot say, and
 *                               what keras_expand.c wrote out
 *   inarch/optimizer            lists `variables` (paths) and `optimizers`; `steps` [variables]
 *   inarch/optimizer/I/K        slot K of variable I
 */
#include "formats/keras/keras.h"

#include "base/alloc.h"
#include "formats/format.h"
#include "formats/keras/keras_names.h"

#include <stdio.h>
#include <string.h>

#define DOCUMENT "document"

/* ---- writing: per layer ---- */

typedef struct meta_layers {
    json_t *layers; /* path -> {"generation", "trainable", "learning_rate"} */
} meta_layers;

static inarch_status meta_visit(void *context, const ia_model *m, ia_layer *l, const char *path,
                                bool trainable, inarch_error *err)
{
    meta_layers *all = context;
    (void)m;
    json_t *own = json_object();
    if (!own)
        return ia_fail_memory(err, "JSON", sizeof *own);
    inarch_status status = INARCH_OK;
    if (l->generation != 3 && !l->child)
        status = ia_keras_set(own, "generation", json_integer(l->generation), err);
    /* what is written is the flag in effect, where one can be written */
    bool written = trainable || !ia_keras_takes_trainable(l->cls);
    if (status == INARCH_OK && l->trainable != written)
        status = ia_keras_set(own, "trainable", json_boolean(l->trainable), err);
    if (status == INARCH_OK && l->learning_rate != 1)
        status = ia_keras_set(own, "learning_rate", json_real((double)l->learning_rate), err);
    if (status == INARCH_OK && json_object_size(own) > 0)
        return ia_keras_set(all->layers, path, own, err);
    json_decref(own);
    return status;
}

static inarch_status meta_document(const ia_model *m, const json_t *folded, json_t *out,
                                   inarch_error *err)
{
    if (folded)
        IA_TRY(ia_keras_set(out, "folded", json_incref((json_t *)(uintptr_t)folded), err));
    meta_layers all = {json_object()};
    if (!all.layers)
        return ia_fail_memory(err, "JSON", sizeof *all.layers);
    inarch_status status = ia_model_walk(m, meta_visit, &all, err);
    if (status == INARCH_OK && m->step > 0)
        status = ia_keras_set(out, "step", json_integer((json_int_t)m->step), err);
    if (status == INARCH_OK && json_object_size(all.layers) > 0)
        return ia_keras_set(out, "layers", all.layers, err);
    json_decref(all.layers);
    return status;
}

static inarch_status meta_object(const ia_model *m, const json_t *folded, json_t *out,
                                 inarch_error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach(m->meta, key,
                        value) if (strcmp(key, IA_META_NOTES) != 0 && strcmp(key, DOCUMENT) != 0)
        IA_TRY(ia_keras_set(out, key, json_incref(value), err));
    json_t *document = json_object();
    if (!document)
        return ia_fail_memory(err, "JSON", sizeof *document);
    inarch_status status = meta_document(m, folded, document, err);
    if (status == INARCH_OK && json_object_size(document) > 0)
        return ia_keras_set(out, DOCUMENT, document, err);
    json_decref(document);
    return status;
}

static inarch_status meta_write_attribute(const ia_model *m, const json_t *folded, ia_h5w *w,
                                          inarch_error *err)
{
    char *text = NULL;
    json_t *all = json_object();
    if (!all)
        return ia_fail_memory(err, "JSON", sizeof *all);
    inarch_status status = meta_object(m, folded, all, err);
    if (status == INARCH_OK && json_object_size(all) > 0) {
        status = ia_json_dump(all, IA_JSON_PYTHON, false, &text, err);
        if (status == INARCH_OK)
            status = ia_h5w_attr_text(w, ia_h5w_root(w), "inarch", text, strlen(text), err);
    }
    ia_free(text);
    json_decref(all);
    return status;
}

/* ---- writing: moments ---- */

static inarch_status meta_write_slots(ia_h5w *w, ia_h5w_object *group, const ia_keras_variable *v,
                                      size_t i, inarch_error *err)
{
    const ia_slots *slots = &ia_keras_variable_of(v)->slots;
    char name[32];
    for (size_t k = 0; k < IA_SLOT_MAX; k++) {
        if (!slots->slot[k].buffer)
            continue;
        if (snprintf(name, sizeof name, "%zu/%zu", i, k) < 0)
            return ia_fail_memory(err, "a name", sizeof name);
        IA_TRY(ia_h5w_dataset(w, group, name, &slots->slot[k], NULL, err));
    }
    return INARCH_OK;
}

/* `live` holds the n variables that have slots. */
static inarch_status meta_write_lists(ia_h5w *w, const ia_keras_variable *const *live, size_t n,
                                      const char **texts, inarch_error *err)
{
    ia_h5w_object *group;
    ia_array steps;
    ia_shape shape = ia_shape_1((int64_t)n);
    IA_TRY(ia_h5w_group(w, ia_h5w_root(w), "inarch/optimizer", &group, err));
    for (size_t i = 0; i < n; i++)
        texts[i] = live[i]->path;
    IA_TRY(ia_h5w_attr_list(w, group, "variables", texts, n, err));
    for (size_t i = 0; i < n; i++)
        texts[i] = ia_keras_variable_of(live[i])->slots.optimizer;
    IA_TRY(ia_h5w_attr_list(w, group, "optimizers", texts, n, err));
    IA_TRY(ia_array_new(IA_U64, &shape, "optimizer state", &steps, err));
    for (size_t i = 0; i < n; i++)
        ((uint64_t *)ia_array_mutable(&steps))[i] = ia_keras_variable_of(live[i])->slots.step;
    inarch_status status = ia_h5w_dataset(w, group, "steps", &steps, NULL, err);
    ia_array_release(&steps);
    for (size_t i = 0; i < n && status == INARCH_OK; i++)
        status = meta_write_slots(w, group, live[i], i, err);
    return status;
}

static inarch_status meta_write_moments(const ia_model *m, ia_h5w *w, inarch_error *err)
{
    ia_keras_variables all = {0};
    inarch_status status = ia_keras_model_variables(m, &all, err);
    const ia_keras_variable **live = ia_calloc(all.count, sizeof *live);
    const char **texts = ia_calloc(all.count, sizeof *texts);
    size_t n = 0;
    if (status == INARCH_OK && (!live || !texts))
        status = ia_fail_memory(err, "variables", all.count * sizeof *live);
    for (size_t i = 0; i < all.count && status == INARCH_OK; i++)
        if (ia_keras_variable_of(&all.items[i])->slots.optimizer[0])
            live[n++] = &all.items[i];
    if (status == INARCH_OK && n > 0)
        status = meta_write_lists(w, live, n, texts, err);
    ia_free(live);
    ia_free(texts);
    ia_keras_variables_free(&all);
    return status;
}

inarch_status ia_keras_write_meta(const ia_model *m, const json_t *folded, ia_h5w *w,
                                  inarch_error *err)
{
    IA_TRY(meta_write_attribute(m, folded, w, err));
    return meta_write_moments(m, w, err);
}

/* ---- reading: the attribute ---- */

const json_t *ia_keras_folded(const json_t *meta)
{
    return json_object_get(json_object_get(meta, DOCUMENT), "folded");
}

const json_t *ia_keras_layer_meta(const json_t *meta, const char *path)
{
    const json_t *layers = json_object_get(json_object_get(meta, DOCUMENT), "layers");
    return json_object_get(layers, path);
}

inarch_status ia_keras_parse_meta(const ia_h5 *file, json_t **out, inarch_error *err)
{
    const ia_h5_string *text = ia_h5_attr_text(ia_h5_root(file), "inarch");
    *out = NULL;
    if (!text)
        return INARCH_OK;
    IA_TRY(ia_json_parse(text->text, text->len, "inarch", out, err));
    if (json_is_object(*out))
        return INARCH_OK;
    json_decref(*out);
    *out = NULL;
    return ia_fail(err, INARCH_BAD_FILE, "inarch", "",
                   "the attribute 'inarch' is not a JSON object");
}

/* ---- reading: moments ---- */

typedef struct meta_reader {
    const ia_h5 *file;
    const ia_h5_object *group;
    ia_h5_string *paths, *optimizers;
    size_t count, optimizer_count;
    ia_array steps;
    ia_keras_variables all;
    json_t *index; /* path -> position in all */
} meta_reader;

static inarch_status meta_read_slots(const meta_reader *r, size_t i, ia_variable *v,
                                     inarch_error *err)
{
    ia_slots slots = {.step = ((const uint64_t *)ia_array_data(&r->steps))[i]};
    inarch_status status = INARCH_OK;
    char name[32];
    if (r->optimizers[i].len >= sizeof slots.optimizer)
        return ia_fail(err, INARCH_BAD_FILE, "inarch/optimizer", "",
                       "the optimizer state in the file is damaged");
    memcpy(slots.optimizer, r->optimizers[i].text, r->optimizers[i].len);
    for (size_t k = 0; k < IA_SLOT_MAX && status == INARCH_OK; k++) {
        if (snprintf(name, sizeof name, "%zu/%zu", i, k) < 0)
            name[0] = 0;
        const ia_h5_object *data = ia_h5_find(r->group, name);
        if (!data || data->kind != IA_H5_DATASET)
            continue;
        if (data->dtype != IA_F32 || !ia_shape_equal(&data->shape, &v->value.shape))
            status =
                ia_fail(err, INARCH_BAD_FILE, r->paths[i].text, "",
                        "the optimizer state of '%s' does not fit the weight", r->paths[i].text);
        else
            status = ia_h5_read(r->file, data, &slots.slot[k], err);
    }
    if (status != INARCH_OK) {
        ia_slots_clear(&slots);
        return status;
    }
    ia_slots_clear(&v->slots);
    v->slots = slots;
    return INARCH_OK;
}

static inarch_status meta_open_moments(meta_reader *r, const ia_model *m, inarch_error *err)
{
    const ia_h5_object *steps = ia_h5_child(r->group, "steps");
    IA_TRY(ia_h5_attr_list(r->file, r->group, "variables", &r->paths, &r->count, err));
    IA_TRY(
        ia_h5_attr_list(r->file, r->group, "optimizers", &r->optimizers, &r->optimizer_count, err));
    if (!steps || steps->kind != IA_H5_DATASET || steps->dtype != IA_U64 ||
        steps->shape.rank != 1 || (uint64_t)steps->shape.dim[0] != r->count ||
        r->optimizer_count != r->count)
        return ia_fail(err, INARCH_BAD_FILE, "inarch/optimizer", "",
                       "the optimizer state in the file is damaged");
    IA_TRY(ia_h5_read(r->file, steps, &r->steps, err));
    IA_TRY(ia_keras_model_variables(m, &r->all, err));
    r->index = json_object();
    for (size_t i = 0; i < r->all.count; i++)
        IA_TRY(ia_keras_set(r->index, r->all.items[i].path, json_integer((json_int_t)i), err));
    return INARCH_OK;
}

static inarch_status meta_read_moments(meta_reader *r, const ia_model *m, inarch_error *err)
{
    IA_TRY(meta_open_moments(r, m, err));
    for (size_t i = 0; i < r->count; i++) {
        const json_t *at = json_object_get(r->index, r->paths[i].text);
        if (at)
            IA_TRY(meta_read_slots(
                r, i, ia_keras_variable_of(&r->all.items[json_integer_value(at)]), err));
    }
    return INARCH_OK;
}

inarch_status ia_keras_read_meta(const ia_h5 *file, const json_t *meta, ia_model *m,
                                 inarch_error *err)
{
    if (meta) {
        int64_t step = ia_json_int(json_object_get(meta, DOCUMENT), "step", 0);
        m->step = step > 0 ? (uint64_t)step : m->step;
        if (json_object_update(m->meta, (json_t *)(uintptr_t)meta) != 0)
            return ia_fail_memory(err, "JSON", sizeof *meta);
        json_object_del(m->meta, DOCUMENT);
    }
    meta_reader r = {.file = file, .group = ia_h5_find(ia_h5_root(file), "inarch/optimizer")};
    if (!r.group || r.group->kind != IA_H5_GROUP)
        return INARCH_OK;
    inarch_status status = meta_read_moments(&r, m, err);
    ia_free(r.paths);
    ia_free(r.optimizers);
    ia_array_release(&r.steps);
    ia_keras_variables_free(&r.all);
    json_decref(r.index);
    return status;
}
