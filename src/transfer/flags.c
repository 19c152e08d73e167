/* Trainable flags and learning rates by pattern. Flags are set on layers; a layer is live when its
 * flag and those of all models around it are set. */
#include "transfer/surgery.h"

#include "base/alloc.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* ---- messages ---- */

typedef struct name_list {
    char **names;
    size_t count, cap;
} name_list;

static inarch_status collect_name(void *context, const ia_model *m, ia_layer *l, const char *path,
                                  bool trainable, inarch_error *err)
{
    (void)m, (void)l, (void)trainable;
    name_list *list = context;
    IA_TRY(ia_grow(&list->names, &list->cap, list->count, sizeof *list->names, "names", err));
    char *copy = ia_strdup(path);
    if (!copy)
        return ia_fail_memory(err, "names", strlen(path));
    list->names[list->count++] = copy;
    return INARCH_OK;
}

/* The path that ends with "/name"; NULL: none. */
static const char *path_of(const name_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++) {
        const char *slash = strrchr(list->names[i], '/');
        if (slash && strcmp(slash + 1, name) == 0)
            return list->names[i];
    }
    return NULL;
}

inarch_status ia_no_such_layer(const ia_model *m, const char *name, inarch_error *err)
{
    name_list list = {0};
    const char *near = NULL;
    if (ia_model_walk(m, collect_name, &list, NULL) == INARCH_OK)
        near = path_of(&list, name);
    if (!near)
        near = ia_suggest(name, (const char *const *)list.names, list.count);
    char hint[200] = "show lists the layers of a model";
    if (near)
        snprintf(hint, sizeof hint, "did you mean '%s'?", near);
    for (size_t i = 0; i < list.count; i++)
        ia_free(list.names[i]);
    ia_free(list.names);
    return ia_fail(err, INARCH_NOT_FOUND, name, hint, "there is no layer '%s' in the model", name);
}

/* ---- setting ---- */

static void set_inside(ia_layer *l, bool trainable)
{
    l->trainable = trainable;
    for (size_t i = 0; l->child && i < l->child->layer_count; i++)
        set_inside(l->child->layers[i], trainable);
}

/* Opens a frozen model without making its other layers live: they get the flag it loses. */
static void open_model(ia_layer *l)
{
    if (l->trainable || !l->child)
        return;
    for (size_t i = 0; i < l->child->layer_count; i++)
        set_inside(l->child->layers[i], false);
    l->trainable = true;
}

/* What to do with the layers that match one item of a pattern. */
typedef enum change_kind { SET_TRAINABLE, SET_LEARNING_RATE, RESET_WEIGHTS } change_kind;

typedef struct change {
    const char *item;
    change_kind kind;
    bool trainable;
    float learning_rate;
} change;

/* Drops the values of what was learnt; the edit's end gives initial ones. Layers that nothing
 * trains (Normalization) keep their statistics. */
static void reset_inside(ia_layer *l)
{
    bool learns = false, opaque = (l->cls->flags & IA_LAYER_OPAQUE) != 0;
    for (size_t i = 0; !opaque && i < l->variable_count; i++)
        learns = learns || l->variables[i].trainable;
    for (size_t i = 0; learns && i < l->variable_count; i++) {
        ia_variable *v = &l->variables[i];
        ia_buffer_unref(v->value.buffer); /* its shape stays */
        v->value.buffer = NULL;
        ia_array_release(&v->loaded);
        ia_slots_clear(&v->slots);
    }
    for (size_t i = 0; l->child && i < l->child->layer_count; i++)
        reset_inside(l->child->layers[i]);
}

static void change_layer(ia_layer *l, const change *c)
{
    switch (c->kind) {
    case SET_TRAINABLE:
        set_inside(l, c->trainable);
        break;
    case SET_LEARNING_RATE:
        l->learning_rate = c->learning_rate;
        break;
    case RESET_WEIGHTS:
        reset_inside(l);
        break;
    }
}

/* How many layers match, in the model and inside its nested models. */
static inarch_status count_matches(const ia_model *m, const char *prefix, const change *c,
                                   size_t *found, inarch_error *err)
{
    for (size_t i = 0; i < m->layer_count; i++) {
        const ia_layer *l = m->layers[i];
        char *path = *prefix ? ia_asprintf("%s/%s", prefix, l->name) : ia_strdup(l->name);
        if (!path)
            return ia_fail_memory(err, "a layer's path", 0);
        inarch_status status = INARCH_OK;
        if (ia_glob_match(c->item, path))
            ++*found;
        else if (l->child)
            status = count_matches(l->child, path, c, found, err);
        ia_free(path);
        IA_TRY(status);
    }
    return INARCH_OK;
}

static inarch_status apply_change(ia_model *m, const char *prefix, const change *c,
                                  inarch_error *err);

static inarch_status apply_inside(ia_layer *l, const char *path, const change *c, inarch_error *err)
{
    size_t inside = 0;
    IA_TRY(count_matches(l->child, path, c, &inside, err));
    if (inside && c->kind == SET_TRAINABLE && c->trainable)
        open_model(l);
    return inside ? apply_change(l->child, path, c, err) : INARCH_OK;
}

static inarch_status apply_change(ia_model *m, const char *prefix, const change *c,
                                  inarch_error *err)
{
    for (size_t i = 0; i < m->layer_count; i++) {
        ia_layer *l = m->layers[i];
        char *path = *prefix ? ia_asprintf("%s/%s", prefix, l->name) : ia_strdup(l->name);
        if (!path)
            return ia_fail_memory(err, "a layer's path", 0);
        inarch_status status = INARCH_OK;
        bool hit = ia_glob_match(c->item, path);
        if (hit)
            change_layer(l, c);
        else if (l->child)
            status = apply_inside(l, path, c, err);
        ia_free(path);
        IA_TRY(status);
    }
    return INARCH_OK;
}

static inarch_status change_item(ia_model *m, change *c, const char *item, inarch_error *err)
{
    c->item = item;
    size_t found = 0;
    IA_TRY(count_matches(m, "", c, &found, err));
    if (found == 0)
        return ia_no_such_layer(m, item, err);
    return apply_change(m, "", c, err);
}

typedef struct pattern_edit {
    const char *pattern;
    change change;
} pattern_edit;

static inarch_status empty_pattern(const char *pattern, inarch_error *err)
{
    return ia_fail(err, INARCH_BAD_ARGUMENT, pattern, "name a layer, or write '*'",
                   "an empty pattern matches no layer");
}

static inarch_status edit_pattern(ia_model *m, void *context, inarch_error *err)
{
    pattern_edit *e = context;
    ia_split items = ia_split_of(e->pattern, ',');
    const char *item;
    size_t length;
    if (!*e->pattern)
        return empty_pattern(e->pattern, err);
    while (ia_split_next(&items, &item, &length)) {
        if (length == 0)
            return empty_pattern(e->pattern, err);
        char *name = ia_strndup(item, length);
        if (!name)
            return ia_fail_memory(err, "a pattern", length);
        inarch_status status = change_item(m, &e->change, name, err);
        ia_free(name);
        IA_TRY(status);
    }
    return INARCH_OK;
}

inarch_status ia_set_trainable(ia_model *m, const char *pattern, bool trainable, inarch_error *err)
{
    pattern_edit e = {pattern, {.trainable = trainable}};
    return ia_edit(m, edit_pattern, &e, 0, err);
}

inarch_status ia_set_learning_rate(ia_model *m, const char *pattern, double multiplier,
                                   inarch_error *err)
{
    if (!(multiplier >= 0 && multiplier <= 1e6))
        return ia_fail(err, INARCH_BAD_ARGUMENT, pattern, "1 is the default",
                       "a learning-rate multiplier must lie between 0 and 1e6, not %g", multiplier);
    pattern_edit e = {pattern, {.kind = SET_LEARNING_RATE, .learning_rate = (float)multiplier}};
    return ia_edit(m, edit_pattern, &e, 0, err);
}

inarch_status ia_reset(ia_model *m, const char *pattern, uint64_t seed, inarch_error *err)
{
    pattern_edit e = {pattern, {.kind = RESET_WEIGHTS}};
    return ia_edit(m, edit_pattern, &e, seed, err);
}

inarch_status ia_freeze_first(ia_model *m, size_t n, inarch_error *err)
{
    size_t all = ia_model_counted(m);
    if (n > all)
        return ia_fail(err, INARCH_BAD_ARGUMENT, m->name, "show counts the layers of a model",
                       "cannot freeze %zu layers: the model has %zu", n, all);
    for (size_t i = 0; i < n; i++)
        set_inside(ia_model_counted_at(m, i), false);
    return INARCH_OK;
}

inarch_status ia_freeze_to(ia_model *m, const char *layer, inarch_error *err)
{
    size_t all = ia_model_counted(m);
    for (size_t i = 0; i < all; i++)
        if (strcmp(ia_model_counted_at(m, i)->name, layer) == 0)
            return ia_freeze_first(m, i + 1, err);
    if (ia_model_layer(m, layer)) {
        const char *slash = strrchr(layer, '/');
        int inside = slash ? (int)(slash - layer) : 0;
        char hint[200];
        if (inside && inside <= 60)
            snprintf(hint, sizeof hint, "'%.60s,' freezes exactly it, '%.*s/*' all of '%.*s'",
                     layer, inside, layer, inside, layer);
        else
            snprintf(hint, sizeof hint, "'%.120s,' freezes exactly it", layer);
        return ia_fail(err, INARCH_BAD_ARGUMENT, layer, hint,
                       "'%s' is no layer that model.layers counts, so nothing is frozen up to it",
                       layer);
    }
    return ia_no_such_layer(m, layer, err);
}
