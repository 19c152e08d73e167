/* Heads: replacing the last layer with weights, and changing the classes it tells apart. */
#include "transfer/surgery.h"

#include "base/alloc.h"

#include <string.h>

/* ---- replace_head ---- */

/* Descends from the only output to the first layer with weights. `path` collects nested names. */
static inarch_status find_head(const ia_model *m, char *path, size_t size, size_t *call,
                               const ia_model **where, inarch_error *err)
{
    ia_ref at;
    IA_TRY(ia_single_output(m, "replace the head", &at, err));
    for (;;) {
        const ia_call *c = &m->calls[at.call];
        if (c->layer->cls->flags & IA_LAYER_INPUT)
            return ia_fail(err, INARCH_BAD_ARGUMENT, m->name, "add a layer on top",
                           "cannot replace the head: no layer has weights");
        if (c->layer->child && ia_model_count(c->layer->child).total) {
            size_t n = strlen(path);
            snprintf(path + n, size - n, "%s/", c->layer->name);
            return find_head(c->layer->child, path, size, call, where, err);
        }
        if (c->layer->variable_count) {
            *call = at.call;
            *where = m;
            return INARCH_OK;
        }
        if (c->in_count != 1)
            return ia_fail(err, INARCH_BAD_ARGUMENT, c->layer->name,
                           "cut at the layer you want to keep, then add a head",
                           "cannot tell where the head starts: layer '%s' has %zu inputs and no "
                           "weights",
                           c->layer->name, c->in_count);
        at = c->in[0];
    }
}

typedef struct head_edit {
    size_t units;
    uint64_t seed;
} head_edit;

static inarch_status edit_head(ia_model *m, void *context, inarch_error *err)
{
    const head_edit *e = context;
    size_t call;
    char path[1024] = "";
    const ia_model *where;
    IA_TRY(find_head(m, path, sizeof path, &call, &where, err));
    const ia_call *c = &where->calls[call];
    if (c->in_count != 1 || (where->calls[c->in[0].call].layer->cls->flags & IA_LAYER_INPUT))
        return ia_fail(
            err, INARCH_BAD_ARGUMENT, c->layer->name, "train a new model, or add a layer on top",
            "cannot replace the head: layer '%s' is the only one with weights", c->layer->name);
    size_t used = strlen(path);
    snprintf(path + used, sizeof path - used, "%s", where->calls[c->in[0].call].layer->name);
    IA_TRY(ia_cut(m, path, err));
    char spec[64];
    snprintf(spec, sizeof spec, "dense:%zu:%s", e->units, e->units == 1 ? "sigmoid" : "softmax");
    return ia_add_layer(m, spec, e->seed, err);
}

inarch_status ia_replace_head(ia_model *m, size_t n, uint64_t seed, inarch_error *err)
{
    if (n < 1 || n > 1000000)
        return ia_fail(err, INARCH_BAD_ARGUMENT, m->name, "", "a head of %zu units makes no sense",
                       n);
    head_edit e = {n, seed};
    return ia_edit(m, edit_head, &e, seed, err);
}

/* ---- set_classes ---- */

#define HEAD_STREAM 0x68656164 /* the random stream of fresh columns */
#define FRESH SIZE_MAX         /* a column that no known class has */
#define ZERO (SIZE_MAX - 1)    /* the reference class of a sigmoid unit: logit 0 */

typedef struct class_edit {
    const char *const *names;
    size_t count;
    uint64_t seed;
} class_edit;

static json_t *names_to_json(const char *const *names, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < n; i++)
        if (json_array_append_new(list, json_string(names[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static inarch_status check_names(const class_edit *e, inarch_error *err)
{
    if (e->count < 2)
        return ia_fail(err, INARCH_BAD_ARGUMENT, "classes", "name two classes or more",
                       "%zu class%s cannot be told apart", e->count, e->count ? "" : "es");
    for (size_t i = 0; i < e->count; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(e->names[i], e->names[j]) == 0)
                return ia_fail(err, INARCH_BAD_ARGUMENT, e->names[i], "",
                               "class '%s' is named twice", e->names[i]);
    return INARCH_OK;
}

static size_t known_class(const json_t *known, const char *name)
{
    for (size_t i = 0; i < json_array_size(known); i++) {
        const char *text = json_string_value(json_array_get(known, i));
        if (text && strcmp(text, name) == 0)
            return i;
    }
    return FRESH;
}

/* Where each unit of the new head comes from: a column of the old one, FRESH or ZERO. */
static void map_columns(const class_edit *e, const json_t *known, size_t old_units,
                        size_t new_units, size_t *source)
{
    for (size_t j = 0; j < new_units; j++) {
        size_t k = known_class(known, e->names[j]);
        /* One sigmoid unit is a softmax over the logits (0, z) of its two classes. */
        source[j] = old_units == 1 && k != FRESH ? (k == 0 ? ZERO : 0) : k;
    }
}

/* Columns of `from` ([rows][old_units]) to those of `to` ([rows][new_units]). Fresh columns of
 * slots get the mean of the known ones, so that their first steps are neither huge nor nothing;
 * those of weights (`keep_fresh`) stay as they are. */
static void move_columns(const float *from, size_t rows, size_t old_units, float *to,
                         size_t new_units, const size_t *source, bool keep_fresh)
{
    for (size_t r = 0; r < rows; r++) {
        float mean = 0;
        for (size_t c = 0; c < old_units; c++)
            mean += from[r * old_units + c] / (float)old_units;
        for (size_t j = 0; j < new_units; j++) {
            float *cell = &to[r * new_units + j];
            if (source[j] < old_units)
                *cell = from[r * old_units + source[j]];
            else if (source[j] == ZERO)
                *cell = 0;
            else if (!keep_fresh)
                *cell = mean;
        }
    }
}

static inarch_status move_array(const ia_array *old, const ia_shape *shape, size_t old_units,
                                const size_t *source, const ia_array *fresh, ia_array *out,
                                inarch_error *err)
{
    size_t units = (size_t)shape->dim[shape->rank - 1];
    IA_TRY(ia_array_new(IA_F32, shape, "the new head", out, err));
    float *to = ia_array_mutable(out);
    if (fresh)
        memcpy(to, ia_array_data(fresh), ia_array_count(fresh) * sizeof *to);
    move_columns(ia_array_data(old), ia_array_count(old) / (old_units ? old_units : 1), old_units,
                 to, units, source, fresh != NULL);
    return INARCH_OK;
}

static inarch_status move_variable(ia_variable *v, size_t units, const size_t *source,
                                   ia_random_key key, inarch_error *err)
{
    size_t old_units = (size_t)v->value.shape.dim[v->value.shape.rank - 1];
    ia_shape shape = v->value.shape;
    shape.dim[shape.rank - 1] = (int64_t)units;
    ia_array fresh = {0}, value = {0};
    inarch_status status = ia_array_new(IA_F32, &shape, "the new head", &fresh, err);
    if (status == INARCH_OK)
        status = ia_initializer_fill(&v->initializer, &shape, key, ia_array_mutable(&fresh), err);
    if (status == INARCH_OK)
        status = move_array(&v->value, &shape, old_units, source, &fresh, &value, err);
    for (size_t i = 0; status == INARCH_OK && i < IA_SLOT_MAX; i++) {
        ia_array slot = {0};
        if (!v->slots.slot[i].buffer)
            continue;
        status = move_array(&v->slots.slot[i], &shape, old_units, source, NULL, &slot, err);
        ia_array_release(&v->slots.slot[i]);
        v->slots.slot[i] = slot;
    }
    ia_array_release(&fresh);
    if (status != INARCH_OK) {
        ia_array_release(&value);
        return status;
    }
    ia_array_release(&v->value);
    ia_array_release(&v->loaded); /* its shape is another now */
    v->value = value;
    return INARCH_OK;
}

/* A sigmoid becomes a softmax, in the head itself or in an activation above it, outside the nested
 * model that ends in the head too. */
static inarch_status sigmoid_to_softmax(const ia_model *m, inarch_error *err)
{
    for (ia_ref at = m->outputs[0];;) {
        const ia_call *c = &m->calls[at.call];
        ia_layer *l = c->layer;
        if (l->child && ia_model_count(l->child).total)
            return sigmoid_to_softmax(l->child, err);
        const ia_activation *a = l->cls->activation ? l->cls->activation(l) : NULL;
        const ia_field *f = ia_field_find(l->cls->fields, l->cls->field_count, "activation");
        if (a && f && strcmp(a->cls->name, "sigmoid") == 0)
            IA_TRY(ia_field_set_text(f, l->config, "softmax", l->name, err));
        if (l->variable_count)
            return INARCH_OK;
        at = c->in[0];
    }
}

static inarch_status resize_head(const ia_model *m, ia_layer *l, const class_edit *e,
                                 const json_t *known, inarch_error *err)
{
    const ia_field *units = ia_field_find(l->cls->fields, l->cls->field_count, "units");
    size_t old_units =
        (size_t)l->variables[0].value.shape.dim[l->variables[0].value.shape.rank - 1];
    size_t *source = ia_calloc(e->count, sizeof *source);
    if (!source)
        return ia_fail_memory(err, "the new head", e->count * sizeof *source);
    map_columns(e, known, old_units, e->count, source);
    char text[32];
    snprintf(text, sizeof text, "%zu", e->count);
    inarch_status status = ia_field_set_text(units, l->config, text, l->name, err);
    for (size_t v = 0; v < l->variable_count && status == INARCH_OK; v++)
        status = move_variable(&l->variables[v], e->count, source,
                               ia_random_key_of(e->seed, HEAD_STREAM, v), err);
    ia_free(source);
    return status == INARCH_OK && old_units == 1 ? sigmoid_to_softmax(m, err) : status;
}

/* The two classes of a sigmoid unit change places: its logit changes sign. */
static inarch_status flip_unit(ia_layer *l, inarch_error *err)
{
    for (size_t v = 0; v < l->variable_count; v++) {
        ia_variable *var = &l->variables[v];
        const float *old = ia_array_data(&var->value);
        ia_array flipped;
        IA_TRY(ia_array_new(IA_F32, &var->value.shape, "the new head", &flipped, err));
        float *to = ia_array_mutable(&flipped);
        for (size_t i = 0; i < ia_array_count(&var->value); i++)
            to[i] = -old[i];
        ia_array_release(&var->value);
        ia_array_release(&var->loaded);
        var->value = flipped;
        ia_slots_clear(&var->slots);
    }
    return INARCH_OK;
}

static inarch_status fit_head(ia_model *m, const class_edit *e, const json_t *known,
                              inarch_error *err)
{
    size_t call;
    char path[1024] = "";
    const ia_model *where;
    IA_TRY(find_head(m, path, sizeof path, &call, &where, err));
    ia_layer *l = where->calls[call].layer;
    if (strcmp(l->cls->name, "Dense") != 0)
        return ia_fail(err, INARCH_UNSUPPORTED, l->name, "replace the head instead (--head N)",
                       "the last layer with weights, '%s', is a %s, not a Dense", l->name,
                       l->class_name);
    const ia_shape *kernel = &l->variables[0].value.shape;
    size_t units = (size_t)kernel->dim[kernel->rank - 1];
    size_t had = units == 1 ? 2 : units;
    if (!json_array_size(known) && had == e->count)
        return INARCH_OK; /* the classes had no names: these are they */
    if (json_array_size(known) != had)
        return ia_fail(err, INARCH_BAD_ARGUMENT, l->name,
                       "name its present classes first, or replace the head (--head N)",
                       "nothing says which classes the %zu units of layer '%s' stand for", units,
                       l->name);
    if (units > 1 || e->count > 2)
        return resize_head(m, l, e, known, err);
    size_t first = known_class(known, e->names[0]), second = known_class(known, e->names[1]);
    if (first == 0 && second == 1)
        return INARCH_OK;
    if (first == 1 && second == 0)
        return flip_unit(l, err);
    size_t fresh = FRESH;
    for (size_t v = 0; v < l->variable_count; v++)
        IA_TRY(move_variable(&l->variables[v], 1, &fresh, ia_random_key_of(e->seed, HEAD_STREAM, v),
                             err));
    return INARCH_OK;
}

static inarch_status edit_classes(ia_model *m, void *context, inarch_error *err)
{
    const class_edit *e = context;
    IA_TRY(check_names(e, err));
    IA_TRY(fit_head(m, e, json_object_get(m->meta, "classes"), err));
    json_t *names = names_to_json(e->names, e->count);
    if (!names || json_object_set_new(m->meta, "classes", names) != 0)
        return ia_fail_memory(err, "the names of the classes", e->count);
    return INARCH_OK;
}

inarch_status ia_set_classes(ia_model *m, const char *const *names, size_t n, uint64_t seed,
                             inarch_error *err)
{
    class_edit e = {names, n, seed};
    return ia_edit(m, edit_classes, &e, seed, err);
}
