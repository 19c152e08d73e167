/* Fields: one row of functions for each type reads, writes and compares a setting. Activations have
 * files of their own in kernels/; their spelling in SPECs and in JSON is in activation_field.c. */
#include "nn/field.h"

#include "base/text.h"
#include "nn/activation_field.h"
#include "nn/params.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct type_row {
    size_t size;
    inarch_status (*set_text)(const ia_field *f, void *at, const char *text, const char *owner,
                              inarch_error *err);
    inarch_status (*set_json)(const ia_field *f, void *at, const json_t *value, int generation,
                              const char *owner, inarch_error *err);
    inarch_status (*to_json)(const ia_field *f, const void *at, json_t **out, inarch_error *err);
    void (*to_text)(const ia_field *f, const void *at, char *out, size_t size);
} type_row;

static inarch_status fail_value(const ia_field *f, const char *owner, inarch_status status,
                                const char *text, const char *want, inarch_error *err)
{
    return ia_fail(err, status, owner, f->help ? f->help : "", "'%s': %s must be %s, not '%s'", owner,
                   f->key, want, text);
}

static inarch_status fail_json(const ia_field *f, const char *owner, const json_t *value,
                               const char *want, inarch_error *err)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    inarch_status status = ia_fail(err, INARCH_UNSUPPORTED, owner, "", "'%s': %s must be %s, not %.80s",
                                   owner, f->key, want, text ? text : "this value");
    free(text);
    return status;
}

static inarch_status give(json_t *value, json_t **out, inarch_error *err)
{
    if (!value)
        return ia_fail_memory(err, "JSON", sizeof *value);
    *out = value;
    return INARCH_OK;
}

/* ---- numbers ---- */

static inarch_status check_range(const ia_field *f, const char *owner, double v, inarch_error *err)
{
    bool any = f->min == 0 && f->max == 0;
    if (!isnan(v) && (any || (v >= f->min && v <= f->max)))
        return INARCH_OK;
    char text[32], min[32], max[32];
    ia_format_double(v, text, sizeof text);
    ia_format_double(f->min, min, sizeof min);
    ia_format_double(f->max, max, sizeof max);
    if (any)
        return ia_fail(err, INARCH_BAD_ARGUMENT, owner, "", "'%s': %s must be a number, not nan", owner,
                       f->key);
    bool open = isinf(f->max) || f->max >= (double)INT64_MAX;
    return ia_fail(err, INARCH_BAD_ARGUMENT, owner, "", "'%s': %s must be at least %s%s%s, not %s",
                   owner, f->key, min, open ? "" : " and at most ", open ? "" : max, text);
}

static bool is_none(const char *text)
{
    return strcmp(text, "none") == 0 || strcmp(text, "None") == 0;
}

static inarch_status set_int(const ia_field *f, void *at, int64_t v, const char *owner,
                             inarch_error *err)
{
    IA_TRY(check_range(f, owner, (double)v, err));
    *(int64_t *)at = v;
    return INARCH_OK;
}

static inarch_status int_set_text(const ia_field *f, void *at, const char *text, const char *owner,
                                  inarch_error *err)
{
    int64_t v;
    if (is_none(text)) {
        *(int64_t *)at = (int64_t)f->none;
        return INARCH_OK;
    }
    if (!ia_parse_int(text, strlen(text), &v))
        return fail_value(f, owner, INARCH_BAD_ARGUMENT, text, "a whole number", err);
    return set_int(f, at, v, owner, err);
}

/* Keras 1 and others write 64.0; tf.keras writes BatchNormalization's axis as a list of one. */
static bool json_whole(const json_t *value, int64_t *out)
{
    if (json_array_size(value) == 1)
        value = json_array_get(value, 0);
    if (json_is_integer(value)) {
        *out = (int64_t)json_integer_value(value);
        return true;
    }
    double v = json_is_real(value) ? json_real_value(value) : NAN;
    if (!(fabs(v) < 9e15) || v != floor(v))
        return false;
    *out = (int64_t)v;
    return true;
}

static inarch_status int_set_json(const ia_field *f, void *at, const json_t *value, int generation,
                                  const char *owner, inarch_error *err)
{
    (void)generation;
    int64_t v;
    if (json_is_null(value)) {
        *(int64_t *)at = (int64_t)f->none;
        return INARCH_OK;
    }
    if (!json_whole(value, &v))
        return fail_json(f, owner, value, "a whole number", err);
    return set_int(f, at, v, owner, err);
}

static inarch_status int_to_json(const ia_field *f, const void *at, json_t **out, inarch_error *err)
{
    int64_t v = *(const int64_t *)at;
    bool none = f->none != 0 && v == (int64_t)f->none;
    return give(none ? json_null() : json_integer(v), out, err);
}

static void int_to_text(const ia_field *f, const void *at, char *out, size_t size)
{
    int64_t v = *(const int64_t *)at;
    if (f->none != 0 && v == (int64_t)f->none)
        snprintf(out, size, "none");
    else
        snprintf(out, size, "%" PRId64, v);
}

static inarch_status set_float(const ia_field *f, void *at, double v, const char *owner,
                               inarch_error *err)
{
    IA_TRY(check_range(f, owner, v, err));
    *(float *)at = (float)v;
    return INARCH_OK;
}

static inarch_status float_set_text(const ia_field *f, void *at, const char *text, const char *owner,
                                    inarch_error *err)
{
    double v;
    if (is_none(text)) {
        *(float *)at = (float)f->none;
        return INARCH_OK;
    }
    if (!ia_parse_double(text, strlen(text), &v))
        return fail_value(f, owner, INARCH_BAD_ARGUMENT, text, "a number", err);
    return set_float(f, at, v, owner, err);
}

/* tf.keras writes NumPy scalars as {"type": "ndarray"|..., "config": {"value": 0.3, ...}} or
 * {"class_name": "__numpy__", "config": {"value": 0.3}}. */
static const json_t *plain_number(const json_t *value)
{
    const json_t *inner = json_object_get(json_object_get(value, "config"), "value");
    return inner ? inner : json_is_object(value) && json_object_get(value, "value")
                               ? json_object_get(value, "value")
                               : value;
}

static inarch_status float_set_json(const ia_field *f, void *at, const json_t *value, int generation,
                                    const char *owner, inarch_error *err)
{
    (void)generation;
    double v;
    value = plain_number(value);
    if (json_is_null(value)) {
        *(float *)at = (float)f->none;
        return INARCH_OK;
    }
    if (!ia_json_number(value, &v))
        return fail_json(f, owner, value, "a number", err);
    return set_float(f, at, v, owner, err);
}

static json_t *json_float(float v)
{
    return ia_json_from_double(ia_float_decimal(v));
}

static inarch_status float_to_json(const ia_field *f, const void *at, json_t **out,
                                   inarch_error *err)
{
    float v = *(const float *)at;
    bool none = f->none != 0 && v == (float)f->none;
    return give(none ? json_null() : json_float(v), out, err);
}

static void float_to_text(const ia_field *f, const void *at, char *out, size_t size)
{
    float v = *(const float *)at;
    if (f->none != 0 && v == (float)f->none)
        snprintf(out, size, "none");
    else
        ia_format_float(v, out, size);
}

/* ---- true and false ---- */

static inarch_status bool_set_text(const ia_field *f, void *at, const char *text, const char *owner,
                                   inarch_error *err)
{
    static const char *const yes = "true|True|yes|on|1", *const no = "false|False|no|off|0";
    bool is_yes = ia_name_index(yes, text) >= 0;
    if (!is_yes && ia_name_index(no, text) < 0)
        return fail_value(f, owner, INARCH_BAD_ARGUMENT, text, "true or false", err);
    *(int *)at = is_yes;
    return INARCH_OK;
}

static inarch_status bool_set_json(const ia_field *f, void *at, const json_t *value, int generation,
                                   const char *owner, inarch_error *err)
{
    (void)generation;
    if (json_is_null(value))
        *(int *)at = f->none != 0;
    else if (json_is_boolean(value))
        *(int *)at = json_is_true(value);
    else if (json_is_integer(value))
        *(int *)at = json_integer_value(value) != 0;
    else
        return fail_json(f, owner, value, "true or false", err);
    return INARCH_OK;
}

static inarch_status bool_to_json(const ia_field *f, const void *at, json_t **out, inarch_error *err)
{
    (void)f;
    return give(json_boolean(*(const int *)at), out, err);
}

static void bool_to_text(const ia_field *f, const void *at, char *out, size_t size)
{
    (void)f;
    snprintf(out, size, "%s", *(const int *)at ? "true" : "false");
}

/* ---- lists ---- */

/* "28x28", "28,28", "(28,28)", "[28,28]" item by item; NULL when it is too long or not closed. */
static const char *list_body(const char *text, char *body, size_t size)
{
    size_t len = strlen(text);
    bool round = text[0] == '(', square = text[0] == '[';
    if (round || square) {
        if (len < 2 || text[len - 1] != (round ? ')' : ']'))
            return NULL;
        text++;
        len -= 2;
    }
    if (len >= size)
        return NULL;
    memcpy(body, text, len);
    body[len] = 0;
    return body;
}

static inarch_status ints_set_text(const ia_field *f, void *at, const char *text, const char *owner,
                                   inarch_error *err)
{
    static const char *const want = "whole numbers such as 28x28";
    char body[128];
    ia_ints v = {0};
    if (is_none(text)) {
        *(ia_ints *)at = v;
        return INARCH_OK;
    }
    if (!list_body(text, body, sizeof body))
        return fail_value(f, owner, INARCH_BAD_ARGUMENT, text, want, err);
    ia_split s = ia_split_of(body, strchr(body, ',') ? ',' : 'x');
    const char *item;
    size_t len;
    while (ia_split_next(&s, &item, &len)) {
        if (!len && v.count && !s.next) /* "(64,)" */
            break;
        if (v.count == IA_LIST_MAX || !ia_parse_int(item, len, &v.value[v.count]))
            return fail_value(f, owner, INARCH_BAD_ARGUMENT, text, want, err);
        IA_TRY(check_range(f, owner, (double)v.value[v.count], err));
        v.count++;
    }
    if (!v.count)
        return fail_value(f, owner, INARCH_BAD_ARGUMENT, text, want, err);
    *(ia_ints *)at = v;
    return INARCH_OK;
}

static inarch_status ints_set_json(const ia_field *f, void *at, const json_t *value, int generation,
                                   const char *owner, inarch_error *err)
{
    (void)generation;
    ia_ints v = {0};
    size_t n = json_is_array(value) ? json_array_size(value) : !json_is_null(value);
    if (n > IA_LIST_MAX)
        return fail_json(f, owner, value, "at most 8 whole numbers", err);
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_is_array(value) ? json_array_get(value, i) : value;
        if (json_is_null(item))
            v.value[i] = IA_DIM_UNKNOWN;
        else if (json_is_array(item) || !json_whole(item, &v.value[i]))
            return fail_json(f, owner, value, "whole numbers", err);
        else
            IA_TRY(check_range(f, owner, (double)v.value[i], err));
        v.count++;
    }
    *(ia_ints *)at = v;
    return INARCH_OK;
}

static inarch_status append(json_t *list, json_t *item, inarch_error *err)
{
    return json_array_append_new(list, item) ? ia_fail_memory(err, "JSON", sizeof *item) : INARCH_OK;
}

static inarch_status ints_to_json(const ia_field *f, const void *at, json_t **out, inarch_error *err)
{
    (void)f;
    const ia_ints *v = at;
    json_t *list = v->count ? json_array() : json_null();
    inarch_status status = INARCH_OK;
    for (int i = 0; i < v->count && status == INARCH_OK; i++)
        status = append(list, json_integer(v->value[i]), err);
    if (status != INARCH_OK)
        json_decref(list);
    else
        status = give(list, out, err);
    return status;
}

static void ints_to_text(const ia_field *f, const void *at, char *out, size_t size)
{
    (void)f;
    const ia_ints *v = at;
    snprintf(out, size, "%s", v->count ? "" : "none");
    size_t used = strlen(out);
    for (int i = 0; i < v->count && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%" PRId64, i ? "x" : "", v->value[i]);
}

static inarch_status floats_set_text(const ia_field *f, void *at, const char *text,
                                     const char *owner, inarch_error *err)
{
    char body[256];
    ia_floats v = {0};
    double number;
    const char *item;
    size_t len;
    const char *list = list_body(text, body, sizeof body);
    ia_split s = ia_split_of(list, ',');
    while (ia_split_next(&s, &item, &len)) {
        if (v.count == IA_LIST_MAX || !ia_parse_double(item, len, &number))
            return fail_value(f, owner, INARCH_BAD_ARGUMENT, text, "a number or up to 8 of them", err);
        IA_TRY(check_range(f, owner, number, err));
        v.value[v.count++] = (float)number;
    }
    if (!v.count)
        return fail_value(f, owner, INARCH_BAD_ARGUMENT, text, "a number or up to 8 of them", err);
    *(ia_floats *)at = v;
    return INARCH_OK;
}

static inarch_status floats_set_json(const ia_field *f, void *at, const json_t *value,
                                     int generation, const char *owner, inarch_error *err)
{
    (void)generation;
    ia_floats v = {0};
    double number;
    value = plain_number(value);
    size_t n = json_is_array(value) ? json_array_size(value) : 1;
    if (!n || n > IA_LIST_MAX)
        return fail_json(f, owner, value, "a number or up to 8 of them", err);
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_is_array(value) ? json_array_get(value, i) : value;
        if (!ia_json_number(item, &number))
            return fail_json(f, owner, value, "a number or up to 8 of them", err);
        IA_TRY(check_range(f, owner, number, err));
        v.value[v.count++] = (float)number;
    }
    *(ia_floats *)at = v;
    return INARCH_OK;
}

static inarch_status floats_to_json(const ia_field *f, const void *at, json_t **out,
                                    inarch_error *err)
{
    (void)f;
    const ia_floats *v = at;
    if (v->count == 1)
        return give(json_float(v->value[0]), out, err);
    json_t *list = json_array();
    inarch_status status = INARCH_OK;
    for (int i = 0; i < v->count && status == INARCH_OK; i++)
        status = append(list, json_float(v->value[i]), err);
    if (status != INARCH_OK)
        json_decref(list);
    else
        status = give(list, out, err);
    return status;
}

static void floats_to_text(const ia_field *f, const void *at, char *out, size_t size)
{
    (void)f;
    const ia_floats *v = at;
    int used = snprintf(out, size, "%s", v->count > 1 ? "[" : "");
    for (int i = 0; i < v->count && (size_t)used < size; i++) {
        char number[32];
        ia_format_float(v->value[i], number, sizeof number);
        used += snprintf(out + used, size - (size_t)used, "%s%s%s", i ? "," : "", number,
                         v->count > 1 && i + 1 == v->count ? "]" : "");
    }
}

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
static const type_row types[] = {
    [IA_FIELD_INT] = ROW(int, int64_t),
    [IA_FIELD_FLOAT] = ROW(float, float),
    [IA_FIELD_BOOL] = ROW(bool, int),
    [IA_FIELD_INTS] = ROW(ints, ia_ints),
    [IA_FIELD_FLOATS] = ROW(floats, ia_floats),
    [IA_FIELD_ACTIVATION] = ROW(activation, ia_activation),
    [IA_FIELD_INITIALIZER] = ROW(initializer, ia_initializer),
    [IA_FIELD_REGULARIZER] = ROW(regularizer, ia_regularizer),
    [IA_FIELD_CONSTRAINT] = ROW(constraint, ia_constraint),
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
    inarch_status status = types[f->type].set_text(f, at, f->fallback, f->key, &err);
    assert(status == INARCH_OK);
    (void)status;
}

void ia_fields_default(const ia_field *fields, size_t count, void *config)
{
    for (size_t i = 0; i < count; i++) {
        if (fields[i].fallback)
            set_default(&fields[i], field_at(&fields[i], config));
        else
            memset(field_at(&fields[i], config), 0, types[fields[i].type].size);
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

inarch_status ia_field_set_text(const ia_field *f, void *config, const char *text, const char *owner,
                                inarch_error *err)
{
    return own_error(f, types[f->type].set_text(f, field_at(f, config), text, owner, err), owner, err);
}

inarch_status ia_field_set_json(const ia_field *f, void *config, const json_t *value, int generation,
                                const char *owner, inarch_error *err)
{
    inarch_status status =
        types[f->type].set_json(f, field_at(f, config), value, generation, owner, err);
    return own_error(f, status, owner, err);
}

inarch_status ia_field_to_json(const ia_field *f, const void *config, json_t **out,
                               inarch_error *err)
{
    return types[f->type].to_json(f, field_const(f, config), out, err);
}

void ia_field_to_text(const ia_field *f, const void *config, char *out, size_t size)
{
    types[f->type].to_text(f, field_const(f, config), out, size);
}

/* Values are compared as text: every type writes all that makes a difference. */
bool ia_field_is_default(const ia_field *f, const void *config)
{
    union {
        double aligned;
        char bytes[128];
    } standard = {0};
    char now[512], then[512];
    assert(types[f->type].size <= sizeof standard);
    if (!f->fallback)
        return false;
    set_default(f, standard.bytes);
    types[f->type].to_text(f, standard.bytes, then, sizeof then);
    types[f->type].to_text(f, field_const(f, config), now, sizeof now);
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
