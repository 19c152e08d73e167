/* Models: load, save, clone, look at, set weights, metadata. */
#include "api/handle.h"

#include "base/alloc.h"
#include "base/input.h"
#include "formats/format.h"

#include <string.h>

inarch_status api_wrap(ia_model *doc, inarch_model **out, inarch_error *err)
{
    inarch_model *m = ia_calloc(1, sizeof *m);
    if (!m) {
        ia_model_free(doc);
        return ia_fail_memory(err, "a model", sizeof *m);
    }
    m->doc = doc;
    *out = m;
    return INARCH_OK;
}

inarch_status inarch_load(const char *path, const inarch_load_options *options, inarch_model **out,
                          inarch_error *err)
{
    inarch_load_options o = INARCH_LOAD_OPTIONS;
    IA_TRY(api_options(options, sizeof o, &o, err));
    ia_model *doc;
    IA_TRY(ia_model_read(path, o.format, &doc, err));
    IA_TRY(api_wrap(doc, out, err));
    (*out)->seed = o.seed;
    return INARCH_OK;
}

inarch_status inarch_load_memory(const void *bytes, size_t size, const char *name,
                                 const inarch_load_options *options, inarch_model **out,
                                 inarch_error *err)
{
    inarch_load_options o = INARCH_LOAD_OPTIONS;
    IA_TRY(api_options(options, sizeof o, &o, err));
    ia_input in = ia_input_memory(bytes, size, name);
    ia_model *doc;
    IA_TRY(ia_model_read_input(&in, o.format, &doc, err));
    IA_TRY(api_wrap(doc, out, err));
    (*out)->seed = o.seed;
    return INARCH_OK;
}

inarch_status inarch_save(const inarch_model *m, const char *path,
                          const inarch_save_options *options, inarch_error *err)
{
    inarch_save_options o = INARCH_SAVE_OPTIONS;
    ia_model *doc;
    IA_TRY(api_options(options, sizeof o, &o, err));
    /* A copy of our own: writing counts references to the document's JSON, and other threads may be
     * writing the same model. Weights are shared. */
    IA_TRY(ia_model_clone(m->doc, &doc, err));
    inarch_status status = ia_model_write(doc, path, o.format, err);
    ia_model_free(doc);
    return status;
}

inarch_status inarch_save_check(const char *path, const inarch_save_options *options,
                                inarch_error *err)
{
    inarch_save_options o = INARCH_SAVE_OPTIONS;
    const ia_format *format;
    ia_output *probe;
    IA_TRY(api_options(options, sizeof o, &o, err));
    IA_TRY(ia_format_for_writing(path, o.format, &format, err));
    IA_TRY(ia_output_open(path, &probe, err));
    ia_output_discard(probe);
    return INARCH_OK;
}

inarch_status inarch_clone(const inarch_model *m, inarch_model **out, inarch_error *err)
{
    ia_model *doc;
    inarch_model *copy;
    IA_TRY(ia_model_clone(m->doc, &doc, err));
    IA_TRY(api_wrap(doc, &copy, err));
    copy->seed = m->seed;
    copy->edited = m->edited;
    *out = copy;
    return INARCH_OK;
}

void inarch_free(inarch_model *m)
{
    if (!m)
        return;
    api_view_drop(m);
    ia_model_free(m->doc);
    ia_free(m->lent);
    ia_free(m);
}

/* ---- looking ---- */

inarch_status inarch_model_info(const inarch_model *m, inarch_info *out, inarch_error *err)
{
    const api_view *v;
    IA_TRY(api_view_of(m, &v, err));
    return api_info_out(&v->info, sizeof v->info, out, err);
}

static inarch_status no_such(const char *what, size_t i, size_t n, inarch_error *err)
{
    return ia_fail(err, INARCH_NOT_FOUND, what, "", "there is no %s %zu: the model has %zu", what,
                   i, n);
}

inarch_status inarch_model_port(const inarch_model *m, int32_t direction, size_t i,
                                inarch_port *out, inarch_error *err)
{
    const api_view *v;
    IA_TRY(api_view_of(m, &v, err));
    if (direction != INARCH_INPUT && direction != INARCH_OUTPUT)
        return ia_fail(err, INARCH_BAD_ARGUMENT, "direction", "INARCH_INPUT or INARCH_OUTPUT",
                       "there is no direction %d", (int)direction);
    size_t n = direction == INARCH_INPUT ? v->info.inputs : v->info.outputs;
    if (i >= n)
        return no_such(direction == INARCH_INPUT ? "input" : "output", i, n, err);
    return api_info_out(&v->ports[direction][i], sizeof(inarch_port), out, err);
}

inarch_status inarch_model_layer(const inarch_model *m, size_t i, inarch_layer *out,
                                 inarch_error *err)
{
    const api_view *v;
    IA_TRY(api_view_of(m, &v, err));
    if (i >= v->layer_count)
        return no_such("layer", i, v->layer_count, err);
    return api_info_out(&v->layers[i], sizeof(inarch_layer), out, err);
}

inarch_status inarch_weight_at(const inarch_model *m, size_t i, inarch_weight *out,
                               inarch_error *err)
{
    const api_view *v;
    IA_TRY(api_view_of(m, &v, err));
    if (i >= v->weight_count)
        return no_such("weight", i, v->weight_count, err);
    return api_info_out(&v->weights[i], sizeof(inarch_weight), out, err);
}

inarch_status inarch_weight_get(const inarch_model *m, const char *path, inarch_weight *out,
                                inarch_error *err)
{
    const api_view *v;
    IA_TRY(api_view_of(m, &v, err));
    for (size_t i = 0; i < v->weight_count; i++)
        if (strcmp(v->weights[i].path, path) == 0)
            return api_info_out(&v->weights[i], sizeof(inarch_weight), out, err);
    return ia_fail(err, INARCH_NOT_FOUND, path, "as in dense_1/kernel or base/dense_1/bias",
                   "there is no weight '%s' in the model", path);
}

/* ---- weights ---- */

typedef struct weight_search {
    const char *path;
    ia_variable *found;
} weight_search;

static inarch_status match_weight(void *context, const ia_model *m, ia_layer *l, const char *path,
                                  bool live, inarch_error *err)
{
    (void)m, (void)live, (void)err;
    weight_search *s = context;
    size_t n = strlen(path);
    if (strncmp(s->path, path, n) == 0 && s->path[n] == '/') {
        ia_variable *v = ia_layer_variable(l, s->path + n + 1);
        s->found = v ? v : s->found;
    }
    return INARCH_OK;
}

inarch_status inarch_weight_set(inarch_model *m, const char *path, const float *data, size_t count,
                                inarch_error *err)
{
    weight_search s = {path, NULL};
    IA_TRY(ia_model_walk(m->doc, match_weight, &s, err));
    if (!s.found)
        return inarch_weight_get(m, path, &(inarch_weight){.size = sizeof(inarch_weight)}, err);
    if (count != ia_array_count(&s.found->value))
        return ia_fail(err, INARCH_BAD_DATA, path, "", "weight '%s' has %zu values, not %zu", path,
                       ia_array_count(&s.found->value), count);
    ia_array value;
    IA_TRY(ia_array_new(IA_F32, &s.found->value.shape, "a weight", &value, err));
    if (count)
        memcpy(ia_array_mutable(&value), data, count * sizeof *data);
    ia_array_release(&s.found->value);
    s.found->value = value;
    ia_slots_clear(&s.found->slots);
    api_view_drop(m);
    return INARCH_OK;
}

/* ---- metadata ---- */

inarch_status inarch_meta_get(inarch_model *m, const char *key, const char **json,
                              inarch_error *err)
{
    const json_t *value = json_object_get(m->doc->meta, key);
    if (!value)
        return ia_fail(err, INARCH_NOT_FOUND, key, "", "the model carries no '%s'", key);
    char *text;
    IA_TRY(ia_json_dump(value, IA_JSON_COMPACT, false, &text, err));
    ia_free(m->lent);
    m->lent = text;
    *json = text;
    return INARCH_OK;
}

/* "classes", "columns" and "targets" are read by the library itself: lists of texts. */
static inarch_status check_names(const char *key, const json_t *value, inarch_error *err)
{
    if (strcmp(key, "classes") != 0 && strcmp(key, "columns") != 0 && strcmp(key, "targets") != 0)
        return INARCH_OK;
    bool ok = json_is_array(value);
    for (size_t i = 0; ok && i < json_array_size(value); i++)
        ok = json_is_string(json_array_get(value, i));
    return ok ? INARCH_OK
              : ia_fail(err, INARCH_BAD_ARGUMENT, key, "as in [\"cat\", \"dog\"]",
                        "'%s' must be a list of names", key);
}

inarch_status inarch_meta_set(inarch_model *m, const char *key, const char *json, inarch_error *err)
{
    if (!json) {
        json_object_del(m->doc->meta, key);
        api_view_drop(m);
        return INARCH_OK;
    }
    json_t *value;
    IA_TRY(ia_json_parse(json, strlen(json), key, &value, err));
    inarch_status status = check_names(key, value, err);
    if (status != INARCH_OK) {
        json_decref(value);
        return status;
    }
    if (json_object_set_new(m->doc->meta, key, value) != 0)
        return ia_fail_memory(err, "the model's metadata", strlen(json));
    api_view_drop(m);
    return INARCH_OK;
}

const char *inarch_name_at(const inarch_model *m, const char *key, size_t i)
{
    return json_string_value(json_array_get(json_object_get(m->doc->meta, key), i));
}
