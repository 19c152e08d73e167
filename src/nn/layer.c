/* Layers of the document: making, cloning and freeing them, and their variables. */
#include "nn/layer.h"

#include "base/alloc.h"
#include "nn/model.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Streams of random numbers for initial values; apart from shuffles and masks of the same seed. */
#define INITIAL_VALUES 0x696e6974 /* "init" */

inarch_status ia_layer_new(const ia_layer_class *cls, const char *name, ia_layer **out,
                           inarch_error *err)
{
    ia_layer *l = ia_calloc(1, sizeof *l);
    if (!l)
        return ia_fail_memory(err, "a layer", sizeof *l);
    *l = (ia_layer){.cls = cls, .generation = 3, .trainable = true, .learning_rate = 1};
    l->name = ia_strdup(name);
    l->class_name = ia_strdup(cls->name);
    l->config = cls->config_size ? ia_calloc(1, cls->config_size) : NULL;
    if (!l->name || !l->class_name || (cls->config_size && !l->config)) {
        ia_layer_free(l);
        return ia_fail_memory(err, "a layer", sizeof *l + cls->config_size);
    }
    if (cls->init)
        cls->init(l->config);
    ia_fields_default(cls->fields, cls->field_count, l->config);
    *out = l;
    return INARCH_OK;
}

void ia_slots_clear(ia_slots *s)
{
    for (size_t i = 0; i < IA_SLOT_MAX; i++)
        ia_array_release(&s->slot[i]);
    *s = (ia_slots){0};
}

static void variable_clear(ia_variable *v)
{
    ia_free(v->name);
    ia_array_release(&v->value);
    ia_array_release(&v->loaded);
    ia_slots_clear(&v->slots);
    *v = (ia_variable){0};
}

void ia_layer_free(ia_layer *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->variable_count; i++)
        variable_clear(&l->variables[i]);
    ia_free(l->variables);
    json_decref(l->source);
    json_decref(l->envelope);
    ia_free(l->config);
    ia_free(l->name);
    ia_free(l->class_name);
    if (l->child)
        ia_model_free(l->child);
    ia_free(l);
}

/* ---- cloning ---- */

static inarch_status variable_copy(const ia_variable *from, ia_variable *to, inarch_error *err)
{
    char *name = ia_strdup(from->name);
    if (!name)
        return ia_fail_memory(err, "a variable", strlen(from->name) + 1);
    *to = *from;
    to->name = name;
    to->value = ia_array_ref(&from->value);
    to->loaded = ia_array_ref(&from->loaded);
    for (size_t i = 0; i < IA_SLOT_MAX; i++)
        to->slots.slot[i] = ia_array_ref(&from->slots.slot[i]);
    return INARCH_OK;
}

static inarch_status copy_variables(const ia_layer *from, ia_layer *to, inarch_error *err)
{
    to->variables = ia_calloc(from->variable_count, sizeof *to->variables);
    if (!to->variables)
        return ia_fail_memory(err, "variables", from->variable_count * sizeof *to->variables);
    for (size_t i = 0; i < from->variable_count; i++, to->variable_count++)
        IA_TRY(variable_copy(&from->variables[i], &to->variables[i], err));
    return INARCH_OK;
}

static inarch_status copy_json(const json_t *from, json_t **to, inarch_error *err)
{
    if (from && !(*to = json_deep_copy(from)))
        return ia_fail_memory(err, "a layer's configuration", sizeof **to);
    return INARCH_OK;
}

/* Everything that the copy owns; on failure the caller frees what is there. */
static inarch_status copy_parts(const ia_layer *from, ia_layer *to, inarch_error *err)
{
    to->name = ia_strdup(from->name);
    to->class_name = ia_strdup(from->class_name);
    if (!to->name || !to->class_name)
        return ia_fail_memory(err, "a layer", sizeof *to);
    if (from->config) {
        to->config = ia_calloc(1, from->cls->config_size);
        if (!to->config)
            return ia_fail_memory(err, "a layer", from->cls->config_size);
        memcpy(to->config, from->config, from->cls->config_size);
    }
    IA_TRY(copy_json(from->source, &to->source, err));
    IA_TRY(copy_json(from->envelope, &to->envelope, err));
    if (from->variable_count)
        IA_TRY(copy_variables(from, to, err));
    return from->child ? ia_model_clone(from->child, &to->child, err) : INARCH_OK;
}

inarch_status ia_layer_clone(const ia_layer *l, ia_layer **out, inarch_error *err)
{
    ia_layer *copy = ia_calloc(1, sizeof *copy);
    if (!copy)
        return ia_fail_memory(err, "a layer", sizeof *copy);
    copy->cls = l->cls;
    copy->generation = l->generation;
    copy->trainable = l->trainable;
    copy->built = l->built;
    copy->learning_rate = l->learning_rate;
    inarch_status status = copy_parts(l, copy, err);
    if (status != INARCH_OK) {
        ia_layer_free(copy);
        return status;
    }
    *out = copy;
    return INARCH_OK;
}

/* ---- variables ---- */

inarch_status ia_layer_add_variable(ia_layer *l, const char *name, const ia_shape *shape,
                                    bool trainable, const ia_initializer *initializer,
                                    const ia_regularizer *regularizer,
                                    const ia_constraint *constraint, inarch_error *err)
{
    size_t count, bytes;
    char text[96];
    if (!ia_shape_count(shape, &count) || !ia_mul(count, sizeof(float), &bytes))
        return ia_layer_fail(l, INARCH_BAD_DATA, err, "", "cannot have a %s of shape %s", name,
                             ia_shape_text(shape, text, sizeof text));
    if (constraint && !ia_constraint_fits(constraint, shape))
        return ia_layer_fail(l, INARCH_BAD_ARGUMENT, err, "",
                             "has a constraint over axis %d of its %s of shape %s",
                             constraint->axis, name, ia_shape_text(shape, text, sizeof text));
    ia_variable *grown = ia_realloc(l->variables, l->variable_count + 1, sizeof *grown);
    if (!grown)
        return ia_fail_memory(err, "variables", (l->variable_count + 1) * sizeof *grown);
    l->variables = grown;
    ia_variable v = {.name = ia_strdup(name), .trainable = trainable};
    if (!v.name)
        return ia_fail_memory(err, "a variable", strlen(name) + 1);
    v.value.dtype = IA_F32;
    v.value.shape = *shape;
    if (initializer)
        v.initializer = *initializer;
    if (regularizer)
        v.regularizer = *regularizer;
    if (constraint)
        v.constraint = *constraint;
    grown[l->variable_count++] = v;
    return INARCH_OK;
}

ia_variable *ia_layer_variable(const ia_layer *l, const char *name)
{
    for (size_t i = 0; i < l->variable_count; i++)
        if (strcmp(l->variables[i].name, name) == 0)
            return &l->variables[i];
    return NULL;
}

size_t ia_variable_count(const ia_variable *v)
{
    size_t count = 0;
    return ia_shape_count(&v->value.shape, &count) ? count : 0; /* known since it was added */
}

inarch_status ia_variable_set(ia_variable *v, const ia_array *value, const char *owner,
                              inarch_error *err)
{
    if (value->dtype != IA_F32 || !ia_shape_equal(&value->shape, &v->value.shape)) {
        char want[96], have[96];
        return ia_fail(err, INARCH_BAD_DATA, owner, "", "'%s': %s has shape %s, but got %s %s",
                       owner, v->name, ia_shape_text(&v->value.shape, want, sizeof want),
                       ia_dtype_name(value->dtype),
                       ia_shape_text(&value->shape, have, sizeof have));
    }
    ia_array taken = ia_array_ref(value);
    ia_array_release(&v->value);
    v->value = taken;
    return INARCH_OK;
}

static inarch_status variable_initialize(ia_variable *v, ia_random_key key, inarch_error *err)
{
    ia_array value;
    IA_TRY(ia_array_new(IA_F32, &v->value.shape, v->name, &value, err));
    inarch_status status =
        ia_initializer_fill(&v->initializer, &value.shape, key, ia_array_mutable(&value), err);
    if (status != INARCH_OK) {
        ia_array_release(&value);
        return status;
    }
    v->value = value;
    return INARCH_OK;
}

inarch_status ia_layer_initialize(ia_layer *l, uint64_t seed, uint64_t *index, inarch_error *err)
{
    for (size_t i = 0; i < l->variable_count; i++) {
        uint64_t place = (*index)++;
        if (!l->variables[i].value.buffer)
            IA_TRY(variable_initialize(&l->variables[i],
                                       ia_random_key_of(seed, INITIAL_VALUES, place), err));
    }
    return INARCH_OK;
}

/* ---- questions and messages ---- */

const void *ia_layer_config(const ia_layer *l)
{
    return l->config;
}

const ia_regularizer *ia_layer_activity(const ia_layer *l)
{
    if (!l->config)
        return NULL;
    if (l->cls->flags & IA_LAYER_ACTIVITY)
        return l->config;
    const ia_field *f = ia_field_find(l->cls->fields, l->cls->field_count, "activity_regularizer");
    if (!f || f->type != IA_FIELD_REGULARIZER)
        return NULL;
    return (const ia_regularizer *)(const void *)((const char *)l->config + f->offset);
}

inarch_status ia_layer_fail(const ia_layer *l, inarch_status status, inarch_error *err,
                            const char *hint, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    if (vsnprintf(text, sizeof text, format, args) < 0)
        text[0] = 0;
    va_end(args);
    return ia_fail(err, status, l->name, hint, "layer '%s' %s", l->name, text);
}
