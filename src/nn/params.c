/* Named numbers from calls and from Keras' config objects, and back. */
#include "nn/params.h"

#include "base/text.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

size_t ia_param_count(const ia_param *p)
{
    size_t n = 0;
    while (p && n < IA_PARAM_MAX && p[n].name)
        n++;
    return n;
}

void ia_params_default(const ia_param *p, double *value)
{
    for (size_t i = 0; i < IA_PARAM_MAX; i++)
        value[i] = 0;
    for (size_t i = 0; i < ia_param_count(p); i++)
        value[i] = p[i].fallback;
}

static char fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static const char *skip_underscores(const char *s)
{
    while (*s == '_')
        s++;
    return s;
}

bool ia_same_name(const char *a, const char *b)
{
    a = skip_underscores(a);
    b = skip_underscores(b);
    while (*a && fold(*a) == fold(*b)) {
        a = skip_underscores(a + 1);
        b = skip_underscores(b + 1);
    }
    return !*a && !*b;
}

int ia_name_index(const char *list, const char *word)
{
    ia_split s = ia_split_of(list, '|');
    const char *item;
    size_t len, want = strlen(word);
    for (int i = 0; ia_split_next(&s, &item, &len); i++)
        if (len == want && memcmp(item, word, len) == 0)
            return i;
    return -1;
}

/* The index-th word of a list separated by '|'. */
static void choice_word(const char *list, int index, char *out, size_t size)
{
    ia_split s = ia_split_of(list, '|');
    const char *item = "";
    size_t len = 0;
    for (int i = 0; ia_split_next(&s, &item, &len) && i < index; i++)
        ;
    snprintf(out, size, "%.*s", (int)len, item);
}

static bool word_value(const char *s, double *out)
{
    bool yes = strcmp(s, "true") == 0 || strcmp(s, "True") == 0;
    if (!yes && strcmp(s, "false") != 0 && strcmp(s, "False") != 0)
        return false;
    *out = yes;
    return true;
}

static inarch_status check_range(const ia_param *p, ia_subject of, double v, inarch_error *err)
{
    bool any = p->min == 0 && p->max == 0;
    if (!isnan(v) && (any || (v >= p->min && v <= p->max)))
        return INARCH_OK;
    char text[32], min[32], max[32];
    ia_format_double(v, text, sizeof text);
    ia_format_double(p->min, min, sizeof min);
    ia_format_double(p->max, max, sizeof max);
    return ia_fail(err, INARCH_BAD_ARGUMENT, of.name, "", "%s '%s': %s must be %s%s%s%s, not %s",
                   of.kind, of.name, p->name, any ? "a number" : "at least ", any ? "" : min,
                   any || isinf(p->max) ? "" : " and at most ", any || isinf(p->max) ? "" : max,
                   text);
}

static inarch_status param_from_word(const ia_param *p, ia_subject of, const char *word,
                                     double *out, inarch_error *err)
{
    if (p->choices) {
        /* Keras 2.2 writes "normal" where the truncated one is meant */
        int index = ia_name_index(p->choices, strcmp(word, "normal") ? word : "truncated_normal");
        if (index < 0)
            return ia_fail(err, INARCH_BAD_ARGUMENT, of.name, "",
                           "%s '%s': %s '%s' is not one of %s", of.kind, of.name, p->name, word,
                           p->choices);
        *out = index;
        return INARCH_OK;
    }
    double v;
    if (strcmp(word, "none") == 0 || strcmp(word, "None") == 0)
        v = p->fallback;
    else if (!ia_parse_double(word, strlen(word), &v) && !word_value(word, &v))
        return ia_fail(err, INARCH_BAD_ARGUMENT, of.name, "", "%s '%s': %s '%s' is not a number",
                       of.kind, of.name, p->name, word);
    IA_TRY(check_range(p, of, v, err));
    *out = v;
    return INARCH_OK;
}

static bool param_called(const ia_param *p, const char *name)
{
    return strcmp(p->name, name) == 0 || (p->aliases && ia_name_index(p->aliases, name) >= 0);
}

static inarch_status argument(const ia_param *p, ia_subject of, size_t position, char *text,
                              double *value, inarch_error *err)
{
    size_t n = ia_param_count(p), i = position;
    char *equals = strchr(text, '=');
    if (equals) {
        *equals = 0;
        for (i = 0; i < n && !param_called(&p[i], text); i++)
            ;
        if (i == n)
            return ia_fail(err, INARCH_BAD_ARGUMENT, of.name, n ? p[0].name : "",
                           "%s '%s' has no parameter '%s'", of.kind, of.name, text);
        text = equals + 1;
    }
    if (i >= n)
        return ia_fail(err, INARCH_BAD_ARGUMENT, of.name, "",
                       "%s '%s' takes at most %zu parameter%s", of.kind, of.name, n,
                       n == 1 ? "" : "s");
    return param_from_word(&p[i], of, text, &value[i], err);
}

inarch_status ia_params_from_text(const ia_param *p, ia_subject of, const char *args, double *value,
                                  inarch_error *err)
{
    ia_split s = ia_split_of(args, ',');
    const char *item;
    size_t len;
    for (size_t i = 0; ia_split_next(&s, &item, &len); i++) {
        char text[64];
        if (len >= sizeof text)
            return ia_fail(err, INARCH_BAD_ARGUMENT, of.name, "",
                           "%s '%s': '%.*s...' is not a number", of.kind, of.name, 20, item);
        memcpy(text, item, len);
        text[len] = 0;
        IA_TRY(argument(p, of, i, text, value, err));
    }
    return INARCH_OK;
}

/* config[name] or config[alias]; NULL when absent. */
static const json_t *param_member(const ia_param *p, const json_t *config)
{
    const json_t *v = json_object_get(config, p->name);
    ia_split s = ia_split_of(p->aliases, '|');
    const char *item;
    size_t len;
    while (!v && ia_split_next(&s, &item, &len)) {
        char key[32];
        snprintf(key, sizeof key, "%.*s", (int)len, item);
        v = json_object_get(config, key);
    }
    return v;
}

inarch_status ia_params_from_json(const ia_param *p, ia_subject of, const json_t *config,
                                  double *value, inarch_error *err)
{
    for (size_t i = 0; i < ia_param_count(p); i++) {
        const json_t *v = param_member(&p[i], config);
        double number;
        if (!v || json_is_null(v))
            continue;
        if (json_is_boolean(v))
            value[i] = json_is_true(v);
        else if (ia_json_number(v, &number) && !p[i].choices) {
            IA_TRY(check_range(&p[i], of, number, err));
            value[i] = number;
        } else if (json_is_string(v))
            IA_TRY(param_from_word(&p[i], of, json_string_value(v), &value[i], err));
        else
            return ia_fail(err, INARCH_UNSUPPORTED, of.name, "",
                           "%s '%s': %s is not a plain number", of.kind, of.name, p[i].name);
    }
    return INARCH_OK;
}

inarch_status ia_params_to_json(const ia_param *p, const double *value, json_t *config,
                                inarch_error *err)
{
    for (size_t i = 0; i < ia_param_count(p); i++) {
        json_t *v;
        if (p[i].choices) {
            char word[32];
            choice_word(p[i].choices, (int)value[i], word, sizeof word);
            v = json_string(word);
        } else if (isinf(value[i])) { /* only parameters whose null means "no bound" are infinite */
            v = json_null();
        } else {
            v = ia_json_from_double(value[i]);
        }
        if (json_object_set_new(config, p[i].name, v) != 0)
            return ia_fail_memory(err, "JSON", sizeof *v);
    }
    return INARCH_OK;
}

void ia_params_to_text(const ia_param *p, const char *name, const double *value, char *out,
                       size_t size)
{
    size_t n = ia_param_count(p);
    while (n && value[n - 1] == p[n - 1].fallback)
        n--;
    int used = snprintf(out, size, "%s", name);
    for (size_t i = 0; i < n && used >= 0 && (size_t)used < size; i++) {
        char word[40];
        if (p[i].choices)
            choice_word(p[i].choices, (int)value[i], word, sizeof word);
        else
            ia_format_double(value[i], word, sizeof word);
        used += snprintf(out + used, size - (size_t)used, "%s%s%s", i ? "," : "(", word,
                         i + 1 == n ? ")" : "");
    }
}

bool ia_json_named(const json_t *value, const char **name, const json_t **config)
{
    *config = NULL;
    if (json_is_string(value)) {
        *name = json_string_value(value);
        return true;
    }
    const json_t *class_name = json_object_get(value, "class_name");
    if (json_is_string(class_name)) {
        *name = json_string_value(class_name);
        *config = json_object_get(value, "config");
        if (!json_is_object(*config)) /* {"class_name": "function", "config": "relu"} */
            *config = NULL;
        return true;
    }
    const json_t *keras1 = json_object_get(value, "name");
    if (!json_is_string(keras1))
        return false;
    *name = json_string_value(keras1);
    *config = value;
    return true;
}

inarch_status ia_fail_unknown(inarch_error *err, inarch_status status, ia_subject of,
                              const char *const *candidates, size_t n)
{
    char hint[96] = "";
    const char *near = ia_suggest(of.name, candidates, n);
    if (near)
        snprintf(hint, sizeof hint, "did you mean '%s'?", near);
    return ia_fail(err, status, of.name, hint, "unknown %s '%s'", of.kind, of.name);
}

double ia_float_decimal(float v)
{
    char text[32];
    double out = (double)v;
    ia_format_float(v, text, sizeof text);
    if (!ia_parse_double(text, strlen(text), &out))
        out = (double)v;
    return out;
}

inarch_status ia_json_class(const char *name, json_t *config, json_t **out, inarch_error *err)
{
    json_t *value = config ? json_pack("{s:s, s:o}", "class_name", name, "config", config) : NULL;
    if (!value)
        return ia_fail_memory(err, "JSON", sizeof *value);
    *out = value;
    return INARCH_OK;
}
