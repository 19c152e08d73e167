/* A document as Keras JSON in the one dialect that Keras 3 and tf_keras both read: explicit
 * InputLayers, plain dtypes, calls in the form of Keras 2, the names of settings that both know.
 *
 * Calls of a nested model are counted from 1 by tf_keras and from 0 by Keras 3. Both are right when
 * every such call is listed twice and meant by its second number: [a, a, b, b], a = 1, b = 3. The
 * doubles are dropped by either, and by our reader, since no output needs them. */
#include "formats/keras/keras.h"

#include "base/alloc.h"
#include "formats/keras/keras_names.h"

#include <string.h>

/* ---- one layer's configuration ---- */

/* Policies of Keras 3 are objects that tf_keras does not know; their name says the same. */
static const char *write_dtype(const json_t *source)
{
    const json_t *dtype = json_object_get(source, "dtype");
    return json_is_object(dtype) ? ia_json_string(json_object_get(dtype, "config"), "name", NULL)
                                 : json_string_value(dtype);
}

/* The file's initialiser where ours is not known: the field was never set from it. */
static inarch_status write_field(const ia_layer *l, const ia_field *f, json_t *config,
                                 inarch_error *err)
{
    json_t *value = NULL;
    if (ia_keras_field_is_rare(l->cls, f) && ia_field_is_default(f, l->config))
        return INARCH_OK;
    const json_t *source = l->source ? ia_keras_field_value(l->cls, f, l->source) : NULL;
    if (source && f->type == IA_FIELD_INITIALIZER && ia_field_is_default(f, l->config)) {
        ia_initializer known;
        inarch_error why;
        if (ia_initializer_from_json(source, &known, &why) == INARCH_UNSUPPORTED)
            value = json_incref((json_t *)(uintptr_t)source);
    }
    if (!value)
        IA_TRY(ia_field_to_json(f, l->config, &value, err));
    return ia_keras_set(config, ia_keras_written_key(l->cls, f), value, err);
}

/* Keys of the file that nobody here knows. A class that changed its name (Merge,
 * BatchNormalizationV1) had keys of its own. */
static inarch_status write_unknown_keys(const ia_layer *l, json_t *config, inarch_error *err)
{
    const char *key;
    json_t *value;
    if (strcmp(l->class_name, l->cls->name) != 0)
        return INARCH_OK;
    json_object_foreach(l->source, key, value) if (!json_object_get(config, key) &&
                                                   !ia_keras_key_is_ours(l->cls, key))
        IA_TRY(ia_keras_set(config, key, json_incref(value), err));
    return INARCH_OK;
}

/* A fixed batch of the file goes on being fixed. */
static inarch_status write_batch(const ia_layer *l, json_t *config, inarch_error *err)
{
    const json_t *shape = json_object_get(l->source, "batch_input_shape");
    shape = shape ? shape : json_object_get(l->source, "batch_shape");
    if (!shape || !(l->cls->flags & IA_LAYER_INPUT))
        return INARCH_OK;
    return ia_keras_set(config, "batch_input_shape", json_incref((json_t *)(uintptr_t)shape), err);
}

static inarch_status write_known(const ia_layer *l, bool trainable, json_t *config,
                                 inarch_error *err)
{
    const char *dtype = write_dtype(l->source);
    bool input = (l->cls->flags & IA_LAYER_INPUT) != 0;
    IA_TRY(ia_keras_set(config, "name", json_string(l->name), err));
    if (!input && ia_keras_takes_trainable(l->cls))
        IA_TRY(ia_keras_set(config, "trainable", json_boolean(trainable), err));
    if (dtype || input)
        IA_TRY(ia_keras_set(config, "dtype", json_string(dtype ? dtype : "float32"), err));
    IA_TRY(write_batch(l, config, err));
    for (size_t i = 0; i < l->cls->field_count; i++)
        IA_TRY(write_field(l, &l->cls->fields[i], config, err));
    if (l->cls->to_json)
        IA_TRY(l->cls->to_json(l, config, err));
    return write_unknown_keys(l, config, err);
}

/* An initialiser's dtype says nothing once there are weights, and Keras 3 refuses it. */
static void write_without_dtype(json_t *v)
{
    const char *key;
    json_t *item;
    json_object_foreach(v, key, item)
    {
        size_t n = strlen(key);
        if (n > 12 && strcmp(key + n - 12, "_initializer") == 0)
            json_object_del(json_object_get(item, "config"), "dtype");
        write_without_dtype(item);
    }
}

/* As it came, but for what may have changed: its name and its flag. */
static inarch_status write_opaque(const ia_layer *l, bool trainable, json_t *config,
                                  inarch_error *err)
{
    json_t *source = l->source ? json_deep_copy(l->source) : json_object();
    write_without_dtype(source);
    int failed = !source || json_object_update(config, source) != 0;
    json_decref(source);
    if (failed)
        return ia_fail_memory(err, "JSON", sizeof *config);
    const json_t *name = json_object_get(config, "name");
    if (name)
        IA_TRY(ia_keras_set(config, "name", json_string(l->name), err));
    if (!trainable || json_object_get(config, "trainable"))
        IA_TRY(ia_keras_set(config, "trainable", json_boolean(trainable), err));
    return INARCH_OK;
}

/* ---- entries ---- */

static inarch_status write_model(const ia_model *m, const char *name, bool trainable, bool top,
                                 json_t **out, inarch_error *err);

/* Keys beside class_name and config. "module" would make Keras read a known layer's configuration
 * in another way. */
static inarch_status write_envelope(const ia_layer *l, json_t *entry, inarch_error *err)
{
    static const char own[] = "module|registered_name|build_config|compile_config|shared_object_id";
    const char *key;
    json_t *value;
    bool opaque = (l->cls->flags & IA_LAYER_OPAQUE) != 0;
    json_object_foreach(l->envelope, key, value) if (!json_object_get(entry, key) &&
                                                     (opaque || !ia_keras_listed(own, key)))
        IA_TRY(ia_keras_set(entry, key, json_incref(value), err));
    return INARCH_OK;
}

static inarch_status write_entry_into(const ia_layer *l, bool trainable, json_t *entry,
                                      inarch_error *err)
{
    bool opaque = (l->cls->flags & IA_LAYER_OPAQUE) != 0;
    const char *class_name = opaque ? l->class_name : l->cls->name;
    IA_TRY(ia_keras_set(entry, "class_name", json_string(class_name), err));
    json_t *config = json_object();
    IA_TRY(ia_keras_set(entry, "config", config, err));
    IA_TRY(opaque ? write_opaque(l, trainable, config, err)
                  : write_known(l, trainable, config, err));
    return write_envelope(l, entry, err);
}

/* `trainable`: all flags around the layer. Keras loses a nested Sequential's own flag and tf_keras
 * orders weights by the inner ones, so what is written inside is the flag in effect; the raw one is
 * in the metadata. */
static inarch_status write_entry(const ia_layer *l, bool trainable, json_t **out, inarch_error *err)
{
    trainable = trainable && l->trainable;
    if (l->child) {
        IA_TRY(write_model(l->child, l->name, trainable, false, out, err));
        inarch_status status = write_envelope(l, *out, err);
        if (status != INARCH_OK)
            json_decref(*out);
        return status;
    }
    json_t *entry = json_object();
    if (!entry)
        return ia_fail_memory(err, "JSON", sizeof *entry);
    inarch_status status = write_entry_into(l, trainable, entry, err);
    if (status != INARCH_OK) {
        json_decref(entry);
        return status;
    }
    *out = entry;
    return INARCH_OK;
}

/* ---- models ---- */

static inarch_status write_in_model(const ia_model *m, const ia_layer *l, bool top, json_t *entry,
                                    inarch_error *err)
{
    if (!top && ia_keras_is_configured(l))
        IA_TRY(ia_keras_write_statistics(m, l, json_object_get(entry, "config"), err));
    if (m->kind != IA_FUNCTIONAL)
        return INARCH_OK;
    IA_TRY(ia_keras_set(entry, "name", json_string(l->name), err));
    return ia_keras_write_calls(m, l, entry, err);
}

static inarch_status write_layers(const ia_model *m, bool trainable, bool top, json_t *config,
                                  inarch_error *err)
{
    ia_layer **order;
    json_t *layers = json_array();
    IA_TRY(ia_keras_set(config, "layers", layers, err));
    IA_TRY(ia_model_layer_order(m, &order, err));
    inarch_status status = INARCH_OK;
    for (size_t i = 0; i < m->layer_count && status == INARCH_OK; i++) {
        json_t *entry;
        status = write_entry(order[i], trainable, &entry, err);
        if (status != INARCH_OK)
            break;
        status = write_in_model(m, order[i], top, entry, err);
        if (status == INARCH_OK)
            status = ia_keras_push(layers, json_incref(entry), err);
        json_decref(entry);
    }
    ia_free(order);
    return status;
}

/* Keys of the model's own configuration that nobody here knows. */
static inarch_status write_model_rest(const ia_model *m, json_t *config, inarch_error *err)
{
    static const char own[] = "name|trainable|dtype|layers|input_layers|output_layers|"
                              "build_input_shape|batch_input_shape|" KERAS_TOP_KEYS;
    const char *key;
    json_t *value;
    json_object_foreach(m->source, key, value) if (!ia_keras_listed(own, key))
        IA_TRY(ia_keras_set(config, key, json_incref(value), err));
    return INARCH_OK;
}

static inarch_status write_model_into(const ia_model *m, const char *name, bool trainable, bool top,
                                      json_t *entry, inarch_error *err)
{
    bool sequential = m->kind == IA_SEQUENTIAL;
    const char *class_name = sequential ? "Sequential" : m->class_name;
    if (strcmp(class_name, "Model") == 0 || strcmp(class_name, "Container") == 0)
        class_name = "Functional"; /* its name since tf.keras 2.4 */
    IA_TRY(ia_keras_set(entry, "class_name", json_string(class_name), err));
    json_t *config = json_object();
    IA_TRY(ia_keras_set(entry, "config", config, err));
    IA_TRY(ia_keras_set(config, "name", json_string(name), err));
    IA_TRY(ia_keras_set(config, "trainable", json_boolean(trainable), err));
    IA_TRY(write_layers(m, trainable || top, top, config, err));
    if (!sequential)
        IA_TRY(ia_keras_write_ends(m, top, config, err));
    return write_model_rest(m, config, err);
}

static inarch_status write_model(const ia_model *m, const char *name, bool trainable, bool top,
                                 json_t **out, inarch_error *err)
{
    json_t *entry = json_object();
    if (!entry)
        return ia_fail_memory(err, "JSON", sizeof *entry);
    inarch_status status = write_model_into(m, name, trainable, top, entry, err);
    if (status != INARCH_OK) {
        json_decref(entry);
        return status;
    }
    *out = entry;
    return INARCH_OK;
}

inarch_status ia_keras_write_model(const ia_model *m, json_t **out, inarch_error *err)
{
    json_t *entry;
    IA_TRY(write_model(m, m->name, m->trainable, true, &entry, err));
    const char *key;
    json_t *value;
    inarch_status status = INARCH_OK;
    json_object_foreach(json_object_get(m->source, KERAS_TOP_KEYS), key,
                        value) if (status == INARCH_OK && !json_object_get(entry, key)) status =
        ia_keras_set(entry, key, json_incref(value), err);
    if (status != INARCH_OK) {
        json_decref(entry);
        return status;
    }
    *out = entry;
    return INARCH_OK;
}
