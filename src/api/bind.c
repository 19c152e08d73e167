/* Bringing data and model together: inputs and columns by name, labels as the outputs want them. */
#include "api/handle.h"

#include "base/alloc.h"
#include "train/history.h"

#include <stdio.h>
#include <string.h>

inarch_status api_meta_names(const ia_model *doc, const char *key, const char ***out, size_t *n,
                             inarch_error *err)
{
    const json_t *list = json_object_get(doc->meta, key);
    *n = json_array_size(list);
    *out = ia_calloc(*n, sizeof **out);
    if (!*out)
        return ia_fail_memory(err, "names", *n * sizeof **out);
    for (size_t i = 0; i < *n; i++) {
        (*out)[i] = json_string_value(json_array_get(list, i));
        if (!(*out)[i])
            *n = 0; /* not a list of names: as if there were none */
    }
    return INARCH_OK;
}

inarch_status api_port_names(const ia_model *doc, int direction, const char ***out,
                             inarch_error *err)
{
    const ia_ref *refs = direction == INARCH_INPUT ? doc->inputs : doc->outputs;
    size_t n = direction == INARCH_INPUT ? doc->input_count : doc->output_count;
    *out = ia_calloc(n, sizeof **out);
    if (!*out)
        return ia_fail_memory(err, "names", n * sizeof **out);
    for (size_t i = 0; i < n; i++)
        (*out)[i] = doc->calls[refs[i].call].layer->name;
    return INARCH_OK;
}

static inarch_status bind_columns(const ia_model *doc, ia_data *d, inarch_error *err)
{
    const char **names;
    size_t n, present;
    IA_TRY(api_meta_names(doc, "columns", &names, &n, err));
    inarch_status status = INARCH_OK;
    if (n && ia_data_columns(d, &present))
        status = ia_data_align_columns(d, names, n, err);
    ia_free(names);
    return status;
}

static inarch_status bind_inputs(const ia_model *doc, ia_data *d, inarch_error *err)
{
    const char **names;
    IA_TRY(api_port_names(doc, INARCH_INPUT, &names, err));
    inarch_status status = ia_data_bind_inputs(d, names, doc->input_count, err);
    for (size_t i = 0; status == INARCH_OK && i < doc->input_count; i++) {
        const ia_shape *shape = &doc->calls[doc->inputs[i].call].out[0];
        if (shape->rank >= 0)
            status = ia_data_fit_input(d, i, names[i], shape, NULL, err);
    }
    ia_free(names);
    return status;
}

/* How many classes an output tells apart by its last activation: 2 for one sigmoid unit, the units
 * of a softmax, 0 for anything else. */
static size_t output_classes(const ia_model *doc, size_t output)
{
    const ia_layer *l = api_output_layer(doc, output);
    const ia_activation *a = l->cls->activation ? l->cls->activation(l) : NULL;
    ia_ref r = doc->outputs[output];
    const ia_shape *s = &doc->calls[r.call].out[r.output];
    if (!a || s->rank < 1 || s->dim[s->rank - 1] < 1)
        return 0;
    size_t units = (size_t)s->dim[s->rank - 1];
    if (strcmp(a->cls->name, "softmax") == 0)
        return units;
    return strcmp(a->cls->name, "sigmoid") == 0 && units == 1 ? 2 : 0;
}

/* The last layer with weights below an output has none from a file: its units stand for nothing
 * yet. */
static bool is_new_head(const ia_model *m, ia_ref at)
{
    for (;;) {
        const ia_call *c = &m->calls[at.call];
        const ia_layer *l = c->layer;
        if (l->child && ia_model_count(l->child).total)
            return is_new_head(l->child, l->child->outputs[at.output]);
        for (size_t i = 0; i < l->variable_count; i++)
            if (l->variables[i].loaded.buffer)
                return false;
        if (l->variable_count || c->in_count != 1)
            return l->variable_count > 0;
        at = c->in[0];
    }
}

/* Whether the labels are `classes` different numbers, which can stand for as many classes. */
static inarch_status tell_apart(const ia_data *d, size_t t, size_t classes, bool *out,
                                inarch_error *err)
{
    ia_data *view;
    IA_TRY(ia_data_slice(d, 0, ia_data_rows(d), &view, err));
    inarch_error inner;
    inarch_status status = ia_data_encode(view, t, NULL, 0, &inner);
    *out =
        status == INARCH_OK && ia_data_classes(view, t) == classes && ia_data_class_names(view, t);
    ia_data_free(view);
    if (status == INARCH_NO_MEMORY && err)
        *err = inner;
    return status == INARCH_NO_MEMORY ? status : INARCH_OK;
}

/* Numbers for an output of `classes` classes without names: indices where they can be. A new output
 * learns other numbers, as many different ones as there are classes, as the names (2 and 6 for two
 * classes); for any other nothing says which is which. Numbers for a sigmoid unit may be shares. */
static inarch_status encode_numbers(ia_data *d, size_t t, size_t classes, bool learn,
                                    inarch_error *err)
{
    inarch_error inner;
    bool named = false;
    inarch_status as_index = INARCH_OK;
    if (classes > 2)
        as_index = ia_data_encode(d, t, NULL, classes, &inner);
    if (learn && as_index != INARCH_NO_MEMORY && (classes == 2 || as_index != INARCH_OK))
        IA_TRY(tell_apart(d, t, classes, &named, err));
    if (named)
        return ia_data_encode(d, t, NULL, 0, err);
    if (as_index != INARCH_OK && err)
        *err = inner;
    return as_index;
}

/* Labels become class indices where they are words, or where a softmax or named classes want an
 * index. Numbers for a regression or one number per class stay as they are. */
static inarch_status encode_target(const ia_model *doc, ia_data *d, size_t t, const char **names,
                                   size_t n, bool learn, inarch_error *err)
{
    size_t classes = output_classes(doc, t);
    bool words = ia_data_target_kind(d, t) == IA_TARGET_TEXT;
    bool number = ia_data_target_kind(d, t) == IA_TARGET_NUMBERS && ia_data_target_count(d, t) == 1;
    bool named = n && (classes == 0 || classes == n);
    if (words)
        return ia_data_encode(d, t, named ? names : NULL, named ? n : classes, err);
    if (!number || classes == 0)
        return INARCH_OK;
    if (named)
        return ia_data_encode(d, t, names, n, err);
    return encode_numbers(d, t, classes, learn && is_new_head(doc, doc->outputs[t]), err);
}

/* Label columns in the order that the model was trained with. One column needs no order. */
static inarch_status align_targets(const ia_model *doc, ia_data *d, inarch_error *err)
{
    const char **names;
    size_t n;
    IA_TRY(api_meta_names(doc, "targets", &names, &n, err));
    inarch_status status = n > 1 ? ia_data_align_targets(d, names, n, err) : INARCH_OK;
    ia_free(names);
    return status;
}

static inarch_status bind_targets(const ia_model *doc, ia_data *d, bool learn, inarch_error *err)
{
    const char **outputs, **classes;
    size_t n;
    IA_TRY(align_targets(doc, d, err));
    IA_TRY(api_port_names(doc, INARCH_OUTPUT, &outputs, err));
    inarch_status status = ia_data_bind_targets(d, outputs, doc->output_count, err);
    ia_free(outputs);
    IA_TRY(status);
    IA_TRY(api_meta_names(doc, "classes", &classes, &n, err));
    size_t named = doc->output_count == 1 ? n : 0; /* names belong to the only output */
    for (size_t t = 0; t < ia_data_targets(d) && status == INARCH_OK; t++)
        status = encode_target(doc, d, t, classes, named, learn, err);
    if (status == INARCH_BAD_DATA && err) {
        char hint[sizeof err->hint];
        snprintf(hint, sizeof hint, "%.180s%sfor other classes replace the head: tune --head auto",
                 err->hint, *err->hint ? "; " : "");
        ia_error_hint(err, hint);
    }
    ia_free(classes);
    return status;
}

static inarch_status bind(const ia_model *doc, ia_data *d, int targets, inarch_error *err)
{
    IA_TRY(bind_columns(doc, d, err));
    IA_TRY(bind_inputs(doc, d, err));
    if (targets) {
        if (ia_data_targets(d) == 0)
            return ia_fail(err, INARCH_BAD_DATA, ia_data_name(d),
                           "name them: --labels COLUMN for a table, --labels FILE, or y in an .npz",
                           "the data have no labels");
        IA_TRY(bind_targets(doc, d, targets == API_LEARN_TARGETS, err));
    }
    return ia_data_check(d, targets != 0, err);
}

inarch_status api_bind(const ia_model *doc, const ia_data *d, int targets, ia_data **out,
                       inarch_error *err)
{
    ia_data *view;
    if (ia_data_rows(d) == 0)
        return ia_fail(err, INARCH_BAD_DATA, ia_data_name(d), "", "the data have no rows");
    IA_TRY(ia_data_slice(d, 0, ia_data_rows(d), &view, err));
    inarch_status status = bind(doc, view, targets, err);
    if (status != INARCH_OK) {
        ia_data_free(view);
        return status;
    }
    *out = view;
    return INARCH_OK;
}

void api_note_labels(const ia_model *doc, const ia_data *bound, int targets, char *note,
                     size_t size)
{
    bool named = doc->output_count == 1 && json_array_size(json_object_get(doc->meta, "classes"));
    for (size_t t = 0; t < ia_data_targets(bound) && !named; t++) {
        const char *const *names = ia_data_class_names(bound, t);
        char text[256];
        size_t n = ia_data_classes(bound, t), used = 0, shown = n < 3 ? n : 3;
        if (!names || (targets == API_LEARN_TARGETS && is_new_head(doc, doc->outputs[t])))
            continue;
        used += (size_t)snprintf(text, sizeof text,
                                 "the model has no class names; labels are "
                                 "taken in alphabetical order: ");
        for (size_t k = 0; k < shown; k++)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%.24s = %zu",
                                     k ? ", " : "", names[k], k);
        snprintf(text + used, sizeof text - used, "%s; --classes says another",
                 shown < n ? ", ..." : "");
        ia_note(note, size, text);
    }
}

static inarch_status adopt(ia_model *doc, const char *key, const char *const *names, size_t n,
                           inarch_error *err)
{
    if (!names || json_array_size(json_object_get(doc->meta, key)) == n)
        return INARCH_OK;
    json_t *list = json_array();
    bool ok = list != NULL;
    for (size_t i = 0; ok && i < n; i++)
        ok = json_array_append_new(list, json_string(names[i])) == 0;
    if (!ok) {
        json_decref(list);
        return ia_fail_memory(err, "names", n);
    }
    return json_object_set_new(doc->meta, key, list) == 0 ? INARCH_OK
                                                          : ia_fail_memory(err, "names", n);
}

/* The columns of all targets in a row, where each has names; NULL in *out else. In new memory. */
static inarch_status target_names(const ia_data *bound, const char ***out, size_t *n,
                                  inarch_error *err)
{
    size_t targets = ia_data_targets(bound), columns = 0;
    *n = 0;
    *out = NULL;
    for (size_t t = 0; t < targets; t++) {
        if (!ia_data_target_columns(bound, t, &columns))
            return INARCH_OK;
        *n += columns;
    }
    *out = ia_calloc(*n, sizeof **out);
    if (!*out)
        return ia_fail_memory(err, "names", *n * sizeof **out);
    for (size_t t = 0, at = 0; t < targets; t++) {
        const char *const *names = ia_data_target_columns(bound, t, &columns);
        memcpy(*out + at, names, columns * sizeof *names);
        at += columns;
    }
    return INARCH_OK;
}

inarch_status api_adopt_names(ia_model *doc, const ia_data *bound, inarch_error *err)
{
    size_t n;
    const char *const *columns = ia_data_columns(bound, &n);
    if (doc->input_count == 1)
        IA_TRY(adopt(doc, "columns", columns, n, err));
    if (doc->output_count == 1)
        IA_TRY(
            adopt(doc, "classes", ia_data_class_names(bound, 0), ia_data_classes(bound, 0), err));
    if (doc->output_count == 1 && ia_data_target_kind(bound, 0) == IA_TARGET_CLASSES)
        return INARCH_OK; /* the classes say all */
    const char **names;
    IA_TRY(target_names(bound, &names, &n, err));
    inarch_status status = adopt(doc, "targets", names, n, err);
    ia_free(names);
    return status;
}
