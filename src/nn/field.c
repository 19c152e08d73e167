/* Fields: a table of types reads, writes and compares settings. Numbers and lists have files of
 * their own; activations are spelled in activation_field.c. */
#include "nn/field.h"

#include "nn/activation_field.h"
#include "nn/field_types.h"
#include "nn/params.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* ---- things with a name ---- */

static inarch_status activation_set_text(const ia_field *f, void *at, const char *text,
                                         const char *owner, inarch_error *err)
{
    (void)f;
    (void)owner;
    return ia_activation_from_text(text, at, err);
}

static inarch_status activation_set_json(const ia_field *f, void *at, const json_t *value,
                                         int generation, const char *owner, inarch_error *err)
{
    (void)f;
    (void)owner;
    return ia_activation_from_json(value, generation, at, err);
}

static inarch_status activation_to_json(const ia_field *f, const void *at, json_t **out,
                                        inarch_error *err)
{
    (void)f;
    return ia_activation_to_json(at, out, err);
}

static void activation_to_text(const ia_field *f, const void *at, char *out, size_t size)
{
    (void)f;
    ia_activation_to_text(at, out, size);
}

#define NAMED(thing)                                                                               \
    static inarch_status thing##_set_text(const ia_field *f, void *at, const char *text,           \
                                          const char *owner, inarch_error *err)                    \
    {                                                                                              \
        (void)f;                                                                                   \
        (void)owner;                                                                               \
        return ia_##thing##_from_text(text, at, err);                                              \
    }                                                                                              \
    static inarch_status thing##_set_json(const ia_field *f, void *at, const json_t *value,        \
                                          int generation, const char *owner, inarch_error *err)    \
    {                                                                                              \
        (void)f;                                                                                   \
        (void)owner;                                                                               \
        (void)generation;                                                                          \
        return ia_##thing##_from_json(value, at, err);                                             \
    }                                                                                              \
    static inarch_status thing##_to_json(const ia_field *f, const void *at, json_t **out,          \
                                         inarch_error *err)                                        \
    {                                                                                              \
        (void)f;                                                                                   \
        return ia_##thing##_to_json(at, out, err);                                                 \
    }                                                                                              \
    static void thing##_to_text(const ia_field *f, const void *at, char *out, size_t size)         \
    {                                                                                              \
        (void)f;                                                                                   \
        ia_##thing##_to_text(at, out, size);                                                       \
    }
NAMED(initializer)
NAMED(regularizer)
NAMED(constraint)

#define ROW(thing, type)                                                                           \
    {                                                                                              \
        sizeof(type), thing##_set_text, thing##_set_json, thing##_to_json, thing##_to_text         \
    }
static const ia_field_row field_activation = ROW(activation, ia_activation);
static const ia_field_row field_initializer = ROW(initializer, ia_initializer);
static const ia_field_row field_regularizer = ROW(regularizer, ia_regularizer);
static const ia_field_row field_constraint = ROW(constraint, ia_constraint);

static const ia_field_row *const types[] = {
    [IA_FIELD_INT] = &ia_field_int,
    [IA_FIELD_FLOAT] = &ia_field_float,
    [IA_FIELD_BOOL] = &ia_field_bool,
    [IA_FIELD_INTS] = &ia_field_ints,
    [IA_FIELD_FLOATS] = &ia_field_floats,
    [IA_FIELD_ACTIVATION] = &field_activation,
    [IA_FIELD_INITIALIZER] = &field_initializer,
    [IA_FIELD_REGULARIZER] = &field_regularizer,
    [IA_FIELD_CONSTRAINT] = &field_constraint,
};

/* ---- fields ---- */

static void *field_at(const ia_field *f, void *config)
{
    return (char *)config + f->offset;
}

static const void *field_const(const ia_field *f, const void *config)
{
    return (const char *)config + f->offset;
}

const ia_field *ia_field_find(const ia_field *fields, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(fields[i].key, key) == 0)
            return &fields[i];
    for (size_t i = 0; i < count; i++)
        if (fields[i].aliases && ia_name_index(fields[i].aliases, key) >= 0)
            return &fields[i];
    return NULL;
}

static void set_default(const ia_field *f, void *at)
{
    inarch_error err;
    inarch_status status = types[f->type]->set_text(f, at, f->fallback, f->key, &err);
    assert(status == INARCH_OK);
    (void)status;
}

void ia_fields_default(const ia_field *fields, size_t count, void *config)
{
    for (size_t i = 0; i < count; i++) {
        if (fields[i].fallback)
            set_default(&fields[i], field_at(&fields[i], config));
        else
            memset(field_at(&fields[i], config), 0, types[fields[i].type]->size);
    }
}

/* "'dense_1': " before a message that does not name the layer yet. */
static inarch_status own_error(const ia_field *f, inarch_status status, const char *owner,
                               inarch_error *err)
{
    bool named = f->type >= IA_FIELD_ACTIVATION;
    if (status == INARCH_OK || status == INARCH_NO_MEMORY || !named || !err)
        return status;
    inarch_error first = *err;
    return ia_fail(err, status, owner, first.hint, "'%s': %s: %s", owner, f->key, first.message);
}

inarch_status ia_field_set_text(const ia_field *f, void *config, const char *text,
                                const char *owner, inarch_error *err)
{
    return own_error(f, types[f->type]->set_text(f, field_at(f, config), text, owner, err), owner,
                     err);
}

inarch_status ia_field_set_json(const ia_field *f, void *config, const json_t *value,
                                int generation, const char *owner, inarch_error *err)
{
    inarch_status status =
        types[f->type]->set_json(f, field_at(f, config), value, generation, owner, err);
    return own_error(f, status, owner, err);
}

inarch_status ia_field_to_json(const ia_field *f, const void *config, json_t **out,
                               inarch_error *err)
{
    return types[f->type]->to_json(f, field_const(f, config), out, err);
}

void ia_field_to_text(const ia_field *f, const void *config, char *out, size_t size)
{
    types[f->type]->to_text(f, field_const(f, config), out, size);
}

/* Values are compared as text: every type writes all that makes a difference. */
bool ia_field_is_default(const ia_field *f, const void *config)
{
    union {
        double aligned;
        char bytes[128];
    } standard = {0};
    char now[512], then[512];
    assert(types[f->type]->size <= sizeof standard);
    if (!f->fallback)
        return false;
    set_default(f, standard.bytes);
    types[f->type]->to_text(f, standard.bytes, then, sizeof then);
    types[f->type]->to_text(f, field_const(f, config), now, sizeof now);
    return strcmp(now, then) == 0;
}

/* Where the bracket that opens at s is closed; NULL when it is not. */
static const char *closing(const char *s)
{
    size_t depth = 0;
    for (; *s; s++) {
        depth += *s == '(';
        if (*s == ')' && !--depth)
            return s;
    }
    return NULL;
}

bool ia_parse_call(const char *text, char *name, size_t name_size, char *args, size_t args_size)
{
    size_t name_len = strcspn(text, "()"), args_len = 0;
    if (!name_len || name_len >= name_size || text[name_len] == ')')
        return false;
    if (text[name_len]) {
        const char *open = text + name_len, *end = closing(open);
        if (!end || end[1] || (args_len = (size_t)(end - open) - 1) >= args_size)
            return false;
        memcpy(args, open + 1, args_len);
    }
    memcpy(name, text, name_len);
    name[name_len] = 0;
    args[args_len] = 0;
    return true;
}
