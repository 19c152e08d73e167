/* Fields that hold a number or a truth value, and what the types of fields share. */
#include "nn/field_types.h"

#include "base/text.h"
#include "nn/params.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

inarch_status ia_field_fail(const ia_field *f, const char *owner, inarch_status status,
                            const char *text, const char *want, inarch_error *err)
{
    return ia_fail(err, status, owner, f->help ? f->help : "", "'%s': %s must be %s, not '%s'",
                   owner, f->key, want, text);
}

inarch_status ia_field_fail_json(const ia_field *f, const char *owner, const json_t *value,
                                 const char *want, inarch_error *err)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    inarch_status status =
        ia_fail(err, INARCH_UNSUPPORTED, owner, "", "'%s': %s must be %s, not %.80s", owner, f->key,
                want, text ? text : "this value");
    free(text);
    return status;
}

inarch_status ia_field_give(json_t *value, json_t **out, inarch_error *err)
{
    if (!value)
        return ia_fail_memory(err, "JSON", sizeof *value);
    *out = value;
    return INARCH_OK;
}

inarch_status ia_field_check_range(const ia_field *f, const char *owner, double v,
                                   inarch_error *err)
{
    bool any = f->min == 0 && f->max == 0;
    if (!isnan(v) && (any || (v >= f->min && v <= f->max)))
        return INARCH_OK;
    char text[32], min[32], max[32];
    ia_format_double(v, text, sizeof text);
    ia_format_double(f->min, min, sizeof min);
    ia_format_double(f->max, max, sizeof max);
    if (any)
        return ia_fail(err, INARCH_BAD_ARGUMENT, owner, "", "'%s': %s must be a number, not nan",
                       owner, f->key);
    bool open = isinf(f->max) || f->max >= (double)INT64_MAX;
    return ia_fail(err, INARCH_BAD_ARGUMENT, owner, "", "'%s': %s must be at least %s%s%s, not %s",
                   owner, f->key, min, open ? "" : " and at most ", open ? "" : max, text);
}

bool ia_is_none(const char *text)
{
    return strcmp(text, "none") == 0 || strcmp(text, "None") == 0;
}

/* Keras 1 and others write 64.0; tf.keras writes BatchNormalization's axis as a list of one. */
bool ia_json_whole(const json_t *value, int64_t *out)
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

/* tf.keras writes NumPy scalars as {"type": "ndarray"|..., "config": {"value": 0.3, ...}} or
 * {"class_name": "__numpy__", "config": {"value": 0.3}}. */
const json_t *ia_json_plain(const json_t *value)
{
    const json_t *inner = json_object_get(json_object_get(value, "config"), "value");
    return inner ? inner
           : json_is_object(value) && json_object_get(value, "value")
               ? json_object_get(value, "value")
               : value;
}

json_t *ia_json_float(float v)
{
    return ia_json_from_double(ia_float_decimal(v));
}

/* ---- the types ---- */

static inarch_status set_int(const ia_field *f, void *at, int64_t v, const char *owner,
                             inarch_error *err)
{
    IA_TRY(ia_field_check_range(f, owner, (double)v, err));
    *(int64_t *)at = v;
    return INARCH_OK;
}

static inarch_status int_set_text(const ia_field *f, void *at, const char *text, const char *owner,
                                  inarch_error *err)
{
    int64_t v;
    if (ia_is_none(text)) {
        *(int64_t *)at = (int64_t)f->none;
        return INARCH_OK;
    }
    if (!ia_parse_int(text, strlen(text), &v))
        return ia_field_fail(f, owner, INARCH_BAD_ARGUMENT, text, "a whole number", err);
    return set_int(f, at, v, owner, err);
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
    if (!ia_json_whole(value, &v))
        return ia_field_fail_json(f, owner, value, "a whole number", err);
    return set_int(f, at, v, owner, err);
}

static inarch_status int_to_json(const ia_field *f, const void *at, json_t **out, inarch_error *err)
{
    int64_t v = *(const int64_t *)at;
    bool none = f->none != 0 && v == (int64_t)f->none;
    return ia_field_give(none ? json_null() : json_integer(v), out, err);
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
    IA_TRY(ia_field_check_range(f, owner, v, err));
    *(float *)at = (float)v;
    return INARCH_OK;
}

static inarch_status float_set_text(const ia_field *f, void *at, const char *text,
                                    const char *owner, inarch_error *err)
{
    double v;
    if (ia_is_none(text)) {
        *(float *)at = (float)f->none;
        return INARCH_OK;
    }
    if (!ia_parse_double(text, strlen(text), &v))
        return ia_field_fail(f, owner, INARCH_BAD_ARGUMENT, text, "a number", err);
    return set_float(f, at, v, owner, err);
}

static inarch_status float_set_json(const ia_field *f, void *at, const json_t *value,
                                    int generation, const char *owner, inarch_error *err)
{
    (void)generation;
    double v;
    value = ia_json_plain(value);
    if (json_is_null(value)) {
        *(float *)at = (float)f->none;
        return INARCH_OK;
    }
    if (!ia_json_number(value, &v))
        return ia_field_fail_json(f, owner, value, "a number", err);
    return set_float(f, at, v, owner, err);
}

static inarch_status float_to_json(const ia_field *f, const void *at, json_t **out,
                                   inarch_error *err)
{
    float v = *(const float *)at;
    bool none = f->none != 0 && v == (float)f->none;
    return ia_field_give(none ? json_null() : ia_json_float(v), out, err);
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
        return ia_field_fail(f, owner, INARCH_BAD_ARGUMENT, text, "true or false", err);
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
        return ia_field_fail_json(f, owner, value, "true or false", err);
    return INARCH_OK;
}

static inarch_status bool_to_json(const ia_field *f, const void *at, json_t **out,
                                  inarch_error *err)
{
    (void)f;
    return ia_field_give(json_boolean(*(const int *)at), out, err);
}

static void bool_to_text(const ia_field *f, const void *at, char *out, size_t size)
{
    (void)f;
    snprintf(out, size, "%s", *(const int *)at ? "true" : "false");
}

#define ROW(thing, type)                                                                           \
    {                                                                                              \
        sizeof(type), thing##_set_text, thing##_set_json, thing##_to_json, thing##_to_text         \
    }

const ia_field_row ia_field_int = ROW(int, int64_t);
const ia_field_row ia_field_float = ROW(float, float);
const ia_field_row ia_field_bool = ROW(bool, int);
