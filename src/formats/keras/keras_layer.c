/* One layer from its JSON, of any generation: a known class with its fields set, a nested model, or
 * an opaque layer that keeps everything as it came.
 *
 * A known class whose settings we do not compute (an own activation, renorm, quantization) becomes
 * opaque too, with a note that says why: such a layer is shown, kept and cut away, never misread.
 */
#include "formats/keras/keras.h"

#include "base/alloc.h"
#include "formats/keras/keras_names.h"

#include <string.h>

#define MAX_NAME 1000 /* bytes; a link of a file is at most 1,024 */

bool ia_keras_is_model(const json_t *entry)
{
    const json_t *config = json_object_get(entry, "config");
    const char *class_name = ia_json_string(entry, "class_name", "");
    if (strcmp(class_name, "Sequential") == 0)
        return true;
    return json_is_array(json_object_get(config, "layers")) &&
           json_object_get(config, "input_layers") && json_object_get(config, "output_layers");
}

const char *ia_keras_entry_name(const json_t *entry)
{
    const char *name = ia_json_string(entry, "name", NULL);
    return name ? name : ia_json_string(json_object_get(entry, "config"), "name", NULL);
}

/* The classes of a package of one's own may be called as Keras' are. */
static bool layer_is_foreign(const json_t *entry)
{
    const char *module = ia_json_string(entry, "module", "keras");
    const char *registered = ia_json_string(entry, "registered_name", NULL);
    bool ours = strncmp(module, "keras", 5) == 0 || strncmp(module, "tf_keras", 8) == 0 ||
                strncmp(module, "tensorflow.", 11) == 0;
    return !ours || (registered && strchr(registered, '>'));
}

/* ---- fields ---- */

/* An initialiser that is not known does not matter to a layer that has its weights. */
static inarch_status layer_pass_over(ia_keras_reader *r, const ia_layer *l, const ia_field *f,
                                     const inarch_error *why, inarch_error *err)
{
    return ia_keras_note(r->notes, err, "layer '%s': %s is kept but not used: %s", l->name, f->key,
                         why->message);
}

static inarch_status layer_set_field(ia_keras_reader *r, ia_layer *l, const ia_field *f,
                                     const json_t *value, inarch_error *err)
{
    inarch_error why = {0};
    inarch_status status = ia_field_set_json(f, l->config, value, l->generation, l->name, &why);
    if (status == INARCH_UNSUPPORTED && f->type == IA_FIELD_INITIALIZER)
        return layer_pass_over(r, l, f, &why, err);
    if (status != INARCH_OK && err)
        *err = why;
    return status;
}

static inarch_status layer_configure(ia_keras_reader *r, ia_layer *l, const json_t *config,
                                     inarch_error *err)
{
    const ia_layer_class *cls = l->cls;
    const char *refused = ia_keras_refused_key(cls, config);
    if (refused)
        return ia_layer_fail(l, INARCH_UNSUPPORTED, err, "", "has the setting '%s'", refused);
    for (size_t i = 0; i < cls->field_count; i++) {
        const json_t *value = ia_keras_field_value(cls, &cls->fields[i], config);
        if (value)
            IA_TRY(layer_set_field(r, l, &cls->fields[i], value, err));
        else if (!cls->fields[i].fallback && !cls->from_json)
            return ia_layer_fail(l, INARCH_BAD_FILE, err, "", "(%s) has no '%s' in the file",
                                 cls->name, cls->fields[i].key);
    }
    if (cls->from_json)
        IA_TRY(cls->from_json(l, config, l->generation, err));
    return cls->check ? cls->check(l, err) : INARCH_OK;
}

/* ---- what all layers have ---- */

/* The keys of `object` that are not in `known` (NULL-terminated), sharing their values; *out stays
 * NULL when there are none. */
static inarch_status layer_other_keys(const json_t *object, const char *const *known, json_t **out,
                                      inarch_error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        size_t i = 0;
        while (known[i] && strcmp(known[i], key) != 0)
            i++;
        if (known[i])
            continue;
        if (!*out && !(*out = json_object()))
            return ia_fail_memory(err, "JSON", sizeof **out);
        IA_TRY(ia_keras_set(*out, key, json_incref(value), err));
    }
    return INARCH_OK;
}

/* What our metadata say about the layer; *out is NULL without any. */
static inarch_status layer_meta(const ia_keras_reader *r, const char *name, const json_t **out,
                                inarch_error *err)
{
    *out = NULL;
    if (!r->meta)
        return INARCH_OK;
    char *path = *r->path ? ia_asprintf("%s/%s", r->path, name) : ia_strdup(name);
    if (!path)
        return ia_fail_memory(err, "a layer's path", strlen(name));
    *out = ia_keras_layer_meta(r->meta, path);
    ia_free(path);
    return INARCH_OK;
}

static inarch_status layer_keep(ia_keras_reader *r, ia_layer *l, const json_t *entry,
                                inarch_error *err)
{
    static const char *const known[] = {"class_name", "config", "name", "inbound_nodes", NULL};
    json_t *config = json_object_get(entry, "config");
    const json_t *own;
    IA_TRY(layer_meta(r, l->name, &own, err));
    int64_t generation = ia_json_int(own, "generation", r->generation);
    double rate = ia_json_double(own, "learning_rate", 1);
    l->generation = generation >= 1 && generation <= 3 ? (int)generation : r->generation;
    l->trainable = ia_json_bool(own, "trainable", ia_json_bool(config, "trainable", true));
    l->learning_rate = rate >= 0 && rate <= 1e30 ? (float)rate : 1;
    if (l->cls != &ia_layer_nested && json_is_object(config))
        l->source = json_incref(config);
    char *class_name = ia_strdup(ia_json_string(entry, "class_name", ""));
    if (!class_name)
        return ia_fail_memory(err, "a layer", sizeof *l);
    ia_free(l->class_name);
    l->class_name = class_name;
    return layer_other_keys(entry, known, &l->envelope, err);
}

static inarch_status layer_make_opaque(ia_keras_reader *r, const json_t *entry, const char *name,
                                       ia_layer **out, inarch_error *err)
{
    ia_layer *l;
    IA_TRY(ia_layer_new(&ia_layer_opaque, name, &l, err));
    inarch_status status = layer_keep(r, l, entry, err);
    if (status != INARCH_OK) {
        ia_layer_free(l);
        return status;
    }
    *out = l;
    return INARCH_OK;
}

static inarch_status layer_make_known(ia_keras_reader *r, const ia_layer_class *cls,
                                      const json_t *entry, const char *name, ia_layer **out,
                                      inarch_error *err)
{
    ia_layer *l;
    IA_TRY(ia_layer_new(cls, name, &l, err));
    inarch_status status = layer_keep(r, l, entry, err);
    if (status == INARCH_OK)
        status = layer_configure(r, l, json_object_get(entry, "config"), err);
    if (status != INARCH_OK) {
        ia_layer_free(l);
        return status;
    }
    *out = l;
    return INARCH_OK;
}

static bool layer_trains_inside(const ia_model *m)
{
    for (size_t i = 0; i < m->layer_count; i++) {
        const ia_layer *l = m->layers[i];
        if (l->child ? layer_trains_inside(l->child)
                     : l->trainable && !(l->cls->flags & IA_LAYER_INPUT))
            return true;
    }
    return false;
}

static inarch_status layer_make_nested(ia_keras_reader *r, const json_t *entry, const char *name,
                                       ia_layer **out, inarch_error *err)
{
    ia_layer *l;
    IA_TRY(ia_layer_new(&ia_layer_nested, name, &l, err));
    const char *outer = r->path;
    char *path = *outer ? ia_asprintf("%s/%s", outer, name) : ia_strdup(name);
    inarch_status status =
        path ? layer_keep(r, l, entry, err) : ia_fail_memory(err, "a layer's path", strlen(name));
    r->path = path;
    if (status == INARCH_OK)
        status = ia_keras_read_model(r, entry, name, &l->child, err);
    /* Keras hands a model's flag down when it is set; from then on the flags inside decide, and
     * what was freed again trains once the file is loaded. Our own files say what is meant. */
    if (status == INARCH_OK && !l->trainable && !r->meta)
        l->trainable = layer_trains_inside(l->child);
    r->path = outer;
    ia_free(path);
    if (status != INARCH_OK) {
        ia_layer_free(l);
        return status;
    }
    *out = l;
    return INARCH_OK;
}

bool ia_keras_make_opaque(ia_model *m, const char *name)
{
    for (size_t i = 0; i < m->layer_count; i++) {
        ia_layer *l = m->layers[i];
        if (l->child && ia_keras_make_opaque(l->child, name))
            return true;
        bool known = !l->child && !(l->cls->flags & (IA_LAYER_OPAQUE | IA_LAYER_INPUT));
        if (!known || !l->source || l->variable_count > 0 || strcmp(l->name, name) != 0)
            continue;
        ia_free(l->config);
        l->config = NULL;
        l->cls = &ia_layer_opaque;
        l->built = false;
        return true;
    }
    return false;
}

/* ---- the entry ---- */

static inarch_status layer_check_entry(ia_keras_reader *r, const json_t *entry, const char *name,
                                       inarch_error *err)
{
    const json_t *config = json_object_get(entry, "config");
    if (!ia_json_string(entry, "class_name", NULL))
        return ia_fail(err, INARCH_BAD_FILE, name ? name : "", "",
                       "a layer of the model configuration has no class_name");
    if (!json_is_object(config) && !(json_is_array(config) && ia_keras_is_model(entry)))
        return ia_fail(err, INARCH_BAD_FILE, name ? name : "", "",
                       "layer '%s' (%s) has no configuration", name ? name : "",
                       ia_json_string(entry, "class_name", ""));
    if (!name || !*name || strlen(name) > MAX_NAME)
        return ia_fail(err, INARCH_BAD_FILE, "", "", "a layer (%s) has %s name",
                       ia_json_string(entry, "class_name", ""),
                       name && *name ? "a very long" : "no");
    if (++r->layers > KERAS_MAX_LAYERS)
        return ia_fail(err, INARCH_LIMIT, name, "", "the model has more than %d layers",
                       KERAS_MAX_LAYERS);
    return INARCH_OK;
}

inarch_status ia_keras_read_layer(ia_keras_reader *r, const json_t *entry, const char *name,
                                  ia_layer **out, inarch_error *err)
{
    const char *own = ia_keras_entry_name(entry);
    name = own ? own : name;
    IA_TRY(layer_check_entry(r, entry, name, err));
    if (ia_keras_is_model(entry))
        return layer_make_nested(r, entry, name, out, err);
    const char *class_name = ia_json_string(entry, "class_name", "");
    const ia_layer_class *cls =
        layer_is_foreign(entry)
            ? NULL
            : ia_keras_layer_class(class_name, json_object_get(entry, "config"));
    if (!cls)
        return layer_make_opaque(r, entry, name, out, err);
    inarch_error why = {0};
    inarch_status status = layer_make_known(r, cls, entry, name, out, &why);
    if (status == INARCH_UNSUPPORTED) {
        IA_TRY(ia_keras_note(r->notes, err, "layer '%s' (%s) is kept as it is: %s", name,
                             class_name, why.message));
        return layer_make_opaque(r, entry, name, out, err);
    }
    if (status != INARCH_OK && err)
        *err = why;
    return status;
}

inarch_status ia_keras_make_input(ia_keras_reader *r, const char *name, const json_t *batch_shape,
                                  const char *dtype, ia_layer **out, inarch_error *err)
{
    json_t *entry = json_pack("{s:s, s:{s:s, s:s}}", "class_name", "InputLayer", "config", "name",
                              name, "dtype", dtype);
    if (!entry)
        return ia_fail_memory(err, "JSON", sizeof *entry);
    inarch_status status = INARCH_OK;
    if (batch_shape)
        status = ia_keras_set(json_object_get(entry, "config"), "batch_input_shape",
                              json_incref((json_t *)(uintptr_t)batch_shape), err);
    if (status == INARCH_OK)
        status = ia_keras_read_layer(r, entry, name, out, err);
    json_decref(entry);
    if (status == INARCH_OK) { /* made here, not loaded */
        json_decref((*out)->source);
        (*out)->source = NULL;
    }
    return status;
}
