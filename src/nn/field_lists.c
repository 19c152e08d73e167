/* Fields that hold a short list of numbers: shapes, axes, scales. */
#include "nn/field_types.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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
    if (ia_is_none(text)) {
        *(ia_ints *)at = v;
        return INARCH_OK;
    }
    if (!list_body(text, body, sizeof body))
        return ia_field_fail(f, owner, INARCH_BAD_ARGUMENT, text, want, err);
    ia_split s = ia_split_of(body, strchr(body, ',') ? ',' : 'x');
    const char *item;
    size_t len;
    while (ia_split_next(&s, &item, &len)) {
        if (!len && v.count && !s.next && s.separator == ',') /* "(64,)" */
            break;
        if (v.count == IA_LIST_MAX || !ia_parse_int(item, len, &v.value[v.count]))
            return ia_field_fail(f, owner, INARCH_BAD_ARGUMENT, text, want, err);
        IA_TRY(ia_field_check_range(f, owner, (double)v.value[v.count], err));
        v.count++;
    }
    if (!v.count)
        return ia_field_fail(f, owner, INARCH_BAD_ARGUMENT, text, want, err);
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
        return ia_field_fail_json(f, owner, value, "at most 8 whole numbers", err);
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_is_array(value) ? json_array_get(value, i) : value;
        if (json_is_null(item))
            v.value[i] = IA_DIM_UNKNOWN;
        else if (json_is_array(item) || !ia_json_whole(item, &v.value[i]))
            return ia_field_fail_json(f, owner, value, "whole numbers", err);
        else
            IA_TRY(ia_field_check_range(f, owner, (double)v.value[i], err));
        v.count++;
    }
    *(ia_ints *)at = v;
    return INARCH_OK;
}

static inarch_status append(json_t *list, json_t *item, inarch_error *err)
{
    return json_array_append_new(list, item) ? ia_fail_memory(err, "JSON", sizeof *item)
                                             : INARCH_OK;
}

static inarch_status ints_to_json(const ia_field *f, const void *at, json_t **out,
                                  inarch_error *err)
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
        status = ia_field_give(list, out, err);
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
            return ia_field_fail(f, owner, INARCH_BAD_ARGUMENT, text, "a number or up to 8 of them",
                                 err);
        IA_TRY(ia_field_check_range(f, owner, number, err));
        v.value[v.count++] = (float)number;
    }
    if (!v.count)
        return ia_field_fail(f, owner, INARCH_BAD_ARGUMENT, text, "a number or up to 8 of them",
                             err);
    *(ia_floats *)at = v;
    return INARCH_OK;
}

static inarch_status floats_set_json(const ia_field *f, void *at, const json_t *value,
                                     int generation, const char *owner, inarch_error *err)
{
    (void)generation;
    ia_floats v = {0};
    double number;
    value = ia_json_plain(value);
    size_t n = json_is_array(value) ? json_array_size(value) : 1;
    if (!n || n > IA_LIST_MAX)
        return ia_field_fail_json(f, owner, value, "a number or up to 8 of them", err);
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_is_array(value) ? json_array_get(value, i) : value;
        if (!ia_json_number(item, &number))
            return ia_field_fail_json(f, owner, value, "a number or up to 8 of them", err);
        IA_TRY(ia_field_check_range(f, owner, number, err));
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
        return ia_field_give(ia_json_float(v->value[0]), out, err);
    json_t *list = json_array();
    inarch_status status = INARCH_OK;
    for (int i = 0; i < v->count && status == INARCH_OK; i++)
        status = append(list, ia_json_float(v->value[i]), err);
    if (status != INARCH_OK)
        json_decref(list);
    else
        status = ia_field_give(list, out, err);
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

#define ROW(thing, type)                                                                           \
    {                                                                                              \
        sizeof(type), thing##_set_text, thing##_set_json, thing##_to_json, thing##_to_text         \
    }

const ia_field_row ia_field_ints = ROW(ints, ia_ints);
const ia_field_row ia_field_floats = ROW(floats, ia_floats);
