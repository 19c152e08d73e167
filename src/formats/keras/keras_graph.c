/* A model from its JSON: its layers, and the chain of calls of a Sequential. A Functional's graph
 * is read by keras_nodes.c.
 *
 * A Sequential gets the InputLayer that older files only imply by batch_input_shape. */
#include "formats/keras/keras.h"

#include "base/alloc.h"

#include <string.h>

/* ---- the shape a Sequential takes ---- */

static bool graph_is_shape(const json_t *value)
{
    if (!json_is_array(value) || json_array_size(value) < 1)
        return false;
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *dim = json_array_get(value, i);
        if (!json_is_integer(dim) && !json_is_null(dim))
            return false;
    }
    return true;
}

/* The layer of a Functional's configuration that is its first input. */
static const json_t *graph_first_input(const json_t *config)
{
    const json_t *layers = json_object_get(config, "layers");
    for (size_t i = 0; i < json_array_size(layers); i++) {
        const json_t *entry = json_array_get(layers, i);
        if (strcmp(ia_json_string(entry, "class_name", ""), "InputLayer") == 0)
            return entry;
    }
    return NULL;
}

/* The batch_input_shape that the first layer of a Sequential states, at whatever depth; NULL. The
 * depth of JSON bounds the recursion. */
static const json_t *graph_input_shape(const json_t *entry)
{
    static const char *const keys[] = {"batch_input_shape", "batch_shape", "build_input_shape"};
    const json_t *config = json_object_get(entry, "config");
    for (size_t i = 0; i < IA_COUNT(keys); i++)
        if (graph_is_shape(json_object_get(config, keys[i])))
            return json_object_get(config, keys[i]);
    const json_t *inner = json_object_get(config, "layer"); /* TimeDistributed, Bidirectional */
    if (ia_keras_is_model(entry)) {
        const json_t *layers = json_is_array(config) ? config : json_object_get(config, "layers");
        inner = json_object_get(config, "input_layers") ? graph_first_input(config)
                                                        : json_array_get(layers, 0);
    }
    return inner ? graph_input_shape(inner) : NULL;
}

static const char *graph_input_dtype(const json_t *entry)
{
    const json_t *config = json_object_get(entry, "config");
    const char *dtype = ia_json_string(config, "input_dtype", NULL);
    return dtype ? dtype : ia_json_string(config, "dtype", "float32");
}

static inarch_status graph_add(ia_model *m, ia_layer *l, inarch_error *err)
{
    inarch_status status = ia_model_add_layer(m, l, err);
    if (status == INARCH_BAD_ARGUMENT)
        status = ia_fail(err, INARCH_BAD_FILE, l->name, "",
                         "two layers of the model '%s' are called '%s'", m->name, l->name);
    if (status != INARCH_OK)
        ia_layer_free(l);
    return status;
}

/* The InputLayer that Keras makes for a first layer with a batch_input_shape. */
static inarch_status graph_add_input(ia_keras_reader *r, const json_t *config, const json_t *first,
                                     const char *first_name, ia_model *m, inarch_error *err)
{
    const json_t *shape = graph_input_shape(first);
    if (!shape && graph_is_shape(json_object_get(config, "build_input_shape")))
        shape = json_object_get(config, "build_input_shape");
    char *name = ia_asprintf("%s_input", first_name);
    if (!name)
        return ia_fail_memory(err, "a layer", sizeof(ia_layer));
    ia_layer *l;
    inarch_status status = ia_keras_make_input(r, name, shape, graph_input_dtype(first), &l, err);
    ia_free(name);
    return status == INARCH_OK ? graph_add(m, l, err) : status;
}

/* ---- layers ---- */

/* The name of an entry without one: Keras up to 2.2.2 wrote a Sequential in a Sequential so. */
static char *graph_missing_name(const ia_keras_reader *r, const ia_model *m, size_t i, size_t n)
{
    if (r->depth == 1 && r->names && r->name_count == n && r->names[i].utf8)
        return ia_strdup(r->names[i].text);
    return ia_model_fresh_name(m, "sequential");
}

static inarch_status graph_read_entry(ia_keras_reader *r, const json_t *layers, size_t i,
                                      ia_model *m, ia_layer **out, inarch_error *err)
{
    const json_t *entry = json_array_get(layers, i);
    if (ia_keras_entry_name(entry) || !ia_keras_is_model(entry))
        return ia_keras_read_layer(r, entry, NULL, out, err);
    char *name = graph_missing_name(r, m, i, json_array_size(layers));
    if (!name)
        return ia_fail_memory(err, "a layer", sizeof(ia_layer));
    inarch_status status = ia_keras_read_layer(r, entry, name, out, err);
    ia_free(name);
    return status;
}

static inarch_status graph_read_layers(ia_keras_reader *r, const json_t *config,
                                       const json_t *layers, ia_model *m, inarch_error *err)
{
    for (size_t i = 0; i < json_array_size(layers); i++) {
        ia_layer *l;
        IA_TRY(graph_read_entry(r, layers, i, m, &l, err));
        if (i == 0 && m->kind == IA_SEQUENTIAL && !(l->cls->flags & IA_LAYER_INPUT)) {
            inarch_status status =
                graph_add_input(r, config, json_array_get(layers, 0), l->name, m, err);
            if (status != INARCH_OK) {
                ia_layer_free(l);
                return status;
            }
        }
        IA_TRY(graph_add(m, l, err));
    }
    return INARCH_OK;
}

/* Every layer is called on the one before it. */
static inarch_status graph_chain(ia_model *m, inarch_error *err)
{
    for (size_t i = 0; i < m->layer_count; i++) {
        ia_layer *l = m->layers[i];
        ia_ref before = {.call = i - 1};
        if (i > 0 && (l->cls->flags & IA_LAYER_INPUT))
            return ia_fail(err, INARCH_BAD_FILE, l->name, "",
                           "the Sequential '%s' has an InputLayer '%s' behind its first layer",
                           m->name, l->name);
        if (l->child && (l->child->input_count != 1 || l->child->output_count != 1))
            return ia_fail(err, INARCH_BAD_FILE, l->name, "",
                           "the Sequential '%s' holds the model '%s', which has %zu inputs and %zu "
                           "outputs",
                           m->name, l->name, l->child->input_count, l->child->output_count);
        IA_TRY(ia_model_add_call(m, l, &before, i > 0, err));
    }
    ia_ref first = {0}, last = {.call = m->layer_count - 1};
    IA_TRY(ia_model_set_inputs(m, &first, 1, err));
    return ia_model_set_outputs(m, &last, 1, err);
}

/* ---- models ---- */

/* The model's own keys: all but the graph. */
static inarch_status graph_keep_source(const json_t *config, ia_model *m, inarch_error *err)
{
    const char *key;
    json_t *value;
    m->source = json_object();
    if (!m->source)
        return ia_fail_memory(err, "JSON", sizeof *m->source);
    json_object_foreach((json_t *)(uintptr_t)config, key,
                        value) if (strcmp(key, "layers") != 0 && strcmp(key, KERAS_TOP_KEYS) != 0)
        IA_TRY(ia_keras_set(m->source, key, json_incref(value), err));
    return INARCH_OK;
}

static inarch_status graph_fill(ia_keras_reader *r, const json_t *entry, ia_model *m,
                                inarch_error *err)
{
    const json_t *config = json_object_get(entry, "config");
    const json_t *layers = json_is_array(config) ? config : json_object_get(config, "layers");
    char *class_name = ia_strdup(ia_json_string(entry, "class_name", ""));
    if (!class_name)
        return ia_fail_memory(err, "a model", sizeof *m);
    ia_free(m->class_name);
    m->class_name = class_name;
    m->generation = r->generation;
    m->trainable = ia_json_bool(config, "trainable", true);
    IA_TRY(graph_keep_source(config, m, err));
    if (!json_is_array(layers) || json_array_size(layers) == 0)
        return ia_fail(err, INARCH_BAD_FILE, m->name, "", "the model '%s' has no layers", m->name);
    IA_TRY(graph_read_layers(r, config, layers, m, err));
    return m->kind == IA_SEQUENTIAL ? graph_chain(m, err) : ia_keras_read_nodes(config, m, err);
}

inarch_status ia_keras_read_model(ia_keras_reader *r, const json_t *entry, const char *name,
                                  ia_model **out, inarch_error *err)
{
    const char *own = ia_keras_entry_name(entry);
    const char *class_name = ia_json_string(entry, "class_name", "");
    name = own && *own ? own : name;
    if (!ia_keras_is_model(entry))
        return ia_fail(
            err, INARCH_UNSUPPORTED, class_name, "save it as a Sequential or Functional model",
            "the layers of a model of class '%s' are not in its configuration", class_name);
    if (r->depth >= KERAS_MAX_DEPTH)
        return ia_fail(err, INARCH_LIMIT, name, "", "models are nested more than %d deep",
                       KERAS_MAX_DEPTH);
    ia_model *m;
    bool sequential = strcmp(class_name, "Sequential") == 0;
    IA_TRY(ia_model_new(sequential ? IA_SEQUENTIAL : IA_FUNCTIONAL, name, &m, err));
    r->depth++;
    inarch_status status = graph_fill(r, entry, m, err);
    r->depth--;
    if (status != INARCH_OK) {
        ia_model_free(m);
        return status;
    }
    *out = m;
    return INARCH_OK;
}
