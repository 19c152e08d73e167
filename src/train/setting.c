/* Settings in text and JSON, for every table of the training room. */
#include "train/setting.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static double *setting_at(const ia_setting *s, void *values)
{
    return (double *)(void *)((char *)values + s->offset);
}

static double setting_value(const ia_setting *s, const void *values)
{
    return *(const double *)(const void *)((const char *)values + s->offset);
}

/* ---- names ---- */

/* The next character of a name that counts: lower case, without underscores. */
static char next_letter(const char **s, const char *end)
{
    while (*s < end && **s == '_')
        ++*s;
    if (*s >= end)
        return '\0';
    char c = *(*s)++;
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same_name(const char *a, const char *a_end, const char *b, const char *b_end)
{
    for (;;) {
        char x = next_letter(&a, a_end), y = next_letter(&b, b_end);
        if (x != y)
            return false;
        if (x == '\0')
            return true;
    }
}

/* Which of the '|'-separated words equals [name, end); -1: none. */
static int word_index(const char *name, const char *end, const char *words)
{
    for (int i = 0; words; i++) {
        size_t n = strcspn(words, "|");
        if (same_name(name, end, words, words + n))
            return i;
        words = words[n] ? words + n + 1 : NULL;
    }
    return -1;
}

static void word_at(const char *words, int index, char *out, size_t size)
{
    while (index-- > 0 && strchr(words, '|'))
        words = strchr(words, '|') + 1;
    snprintf(out, size, "%.*s", (int)strcspn(words, "|"), words);
}

bool ia_name_in(const char *name, const char *words)
{
    return word_index(name, name + strlen(name), words) >= 0;
}

static const ia_setting *setting_find(ia_settings t, const char *key, const char *end)
{
    for (size_t i = 0; i < t.count; i++) {
        const ia_setting *s = &t.row[i];
        if (word_index(key, end, s->key) >= 0 || word_index(key, end, s->aliases) >= 0)
            return s;
    }
    return NULL;
}

/* ---- values ---- */

void ia_settings_default(ia_settings t, void *values)
{
    for (size_t i = 0; i < t.count; i++)
        *setting_at(&t.row[i], values) = t.row[i].fallback;
}

static bool may_be_none(const ia_setting *s)
{
    return s->kind == IA_SETTING_OPTIONAL || s->kind == IA_SETTING_INDEX;
}

static inarch_status setting_set(const ia_setting *s, double v, const char *owner, void *values,
                                 inarch_error *err)
{
    bool none = isnan(v) && may_be_none(s);
    bool whole = (s->kind != IA_SETTING_WHOLE && s->kind != IA_SETTING_INDEX) || v == floor(v);
    if (!none && !(v >= s->min && v <= s->max && whole))
        return ia_fail(err, INARCH_BAD_ARGUMENT, owner, s->help, "%s of %s cannot be %g", s->key,
                       owner, v);
    *setting_at(s, values) = v;
    return INARCH_OK;
}

static inarch_status bad_value(const ia_setting *s, const char *owner, const char *text, size_t n,
                               inarch_error *err)
{
    return ia_fail(err, INARCH_BAD_ARGUMENT, owner, s->help, "%s of %s cannot be '%.*s'", s->key,
                   owner, (int)(n < 80 ? n : 80), text);
}

static bool is_word(const char *text, size_t n, const char *words)
{
    return word_index(text, text + n, words) >= 0;
}

static inarch_status setting_set_text(const ia_setting *s, const char *text, size_t n,
                                      const char *owner, void *values, inarch_error *err)
{
    double v = 0;
    bool ok;
    switch (s->kind) {
    case IA_SETTING_FLAG:
        v = is_word(text, n, "true|1|yes|on");
        ok = v != 0 || is_word(text, n, "false|0|no|off");
        break;
    case IA_SETTING_WORD:
        v = word_index(text, text + n, s->words);
        ok = v >= 0;
        break;
    case IA_SETTING_OPTIONAL:
    case IA_SETTING_INDEX:
        if (is_word(text, n, "none|null")) {
            v = (double)NAN;
            ok = true;
            break;
        }
        ok = ia_parse_double(text, n, &v) && !isnan(v);
        break;
    default:
        ok = ia_parse_double(text, n, &v);
    }
    return ok ? setting_set(s, v, owner, values, err) : bad_value(s, owner, text, n, err);
}

static inarch_status unknown_key(ia_settings t, const char *key, size_t n, const char *owner,
                                 inarch_error *err)
{
    const char *keys[IA_MAX_SETTINGS];
    char word[64], hint[256];
    size_t count = t.count < IA_MAX_SETTINGS ? t.count : IA_MAX_SETTINGS, used = 0;
    for (size_t i = 0; i < count; i++)
        keys[i] = t.row[i].key;
    snprintf(word, sizeof word, "%.*s", (int)(n < 60 ? n : 60), key);
    const char *near = ia_suggest(word, keys, count);
    if (near) {
        snprintf(hint, sizeof hint, "did you mean '%s'?", near);
    } else {
        used = (size_t)snprintf(hint, sizeof hint, "%s", count ? "it has " : "it has no settings");
        for (size_t i = 0; i < count && used < sizeof hint; i++)
            used +=
                (size_t)snprintf(hint + used, sizeof hint - used, "%s%s", i ? ", " : "", keys[i]);
    }
    return ia_fail(err, INARCH_BAD_ARGUMENT, owner, hint, "%s has no setting '%s'", owner, word);
}

inarch_status ia_settings_from_text(ia_settings t, const char *args, const char *owner,
                                    void *values, inarch_error *err)
{
    ia_split split = ia_split_of(args, ',');
    const char *item;
    size_t n, place = 0;
    while (*args && ia_split_next(&split, &item, &n)) {
        const char *eq = memchr(item, '=', n), *end = item + n, *value = eq ? eq + 1 : item;
        const ia_setting *s = eq                ? setting_find(t, item, eq)
                              : place < t.count ? &t.row[place]
                                                : NULL;
        if (!s)
            return unknown_key(t, item, eq ? (size_t)(eq - item) : n, owner, err);
        IA_TRY(setting_set_text(s, value, (size_t)(end - value), owner, values, err));
        place++;
    }
    return INARCH_OK;
}

/* ---- JSON ---- */

static const json_t *member(const json_t *config, const ia_setting *s)
{
    const json_t *v = json_object_get(config, s->key);
    for (const char *a = s->aliases; !v && a;) {
        char key[64];
        size_t n = strcspn(a, "|");
        snprintf(key, sizeof key, "%.*s", (int)n, a);
        v = json_object_get(config, key);
        a = a[n] ? a + n + 1 : NULL;
    }
    return v;
}

static inarch_status setting_set_json(const ia_setting *s, const json_t *v, const char *owner,
                                      void *values, inarch_error *err)
{
    double number;
    if (json_is_null(v) && s->kind == IA_SETTING_WORD && is_word("none", 4, s->words))
        return setting_set_text(s, "none", 4, owner, values, err);
    if (json_is_null(v)) /* elsewhere the default stays */
        return may_be_none(s) ? setting_set(s, (double)NAN, owner, values, err) : INARCH_OK;
    if (json_is_string(v))
        return setting_set_text(s, json_string_value(v), json_string_length(v), owner, values, err);
    if (json_is_boolean(v) && s->kind != IA_SETTING_WORD)
        return setting_set(s, json_is_true(v), owner, values, err);
    if (s->kind == IA_SETTING_WORD || !ia_json_number(v, &number))
        return bad_value(s, owner, "?", 1, err);
    return setting_set(s, number, owner, values, err);
}

inarch_status ia_settings_from_json(ia_settings t, const json_t *config, const char *owner,
                                    void *values, inarch_error *err)
{
    for (size_t i = 0; i < t.count; i++) {
        const json_t *v = member(config, &t.row[i]);
        if (v)
            IA_TRY(setting_set_json(&t.row[i], v, owner, values, err));
    }
    return INARCH_OK;
}

static json_t *setting_json(const ia_setting *s, double v)
{
    char word[64];
    switch (s->kind) {
    case IA_SETTING_FLAG:
        return json_boolean(v != 0);
    case IA_SETTING_WORD:
        word_at(s->words, (int)v, word, sizeof word);
        return strcmp(word, "none") ? json_string(word) : json_null();
    case IA_SETTING_WHOLE:
        return json_integer((json_int_t)v);
    case IA_SETTING_INDEX:
        return isnan(v) ? json_null() : json_integer((json_int_t)v);
    case IA_SETTING_OPTIONAL:
        if (isnan(v))
            return json_null();
        return ia_json_from_double(v);
    default:
        return ia_json_from_double(v);
    }
}

inarch_status ia_settings_to_json(ia_settings t, const void *values, json_t *config,
                                  inarch_error *err)
{
    for (size_t i = 0; i < t.count; i++) {
        json_t *v = setting_json(&t.row[i], setting_value(&t.row[i], values));
        if (json_object_set_new(config, t.row[i].key, v))
            return ia_fail_memory(err, "settings", 0);
    }
    return INARCH_OK;
}

/* ---- to text ---- */

static bool is_default(const ia_setting *s, const void *values)
{
    double v = setting_value(s, values);
    return v == s->fallback || (isnan(v) && isnan(s->fallback));
}

bool ia_settings_are_default(ia_settings t, const void *values)
{
    for (size_t i = 0; i < t.count; i++)
        if (!is_default(&t.row[i], values))
            return false;
    return true;
}

/* Files hold Keras' float32 numbers: 0.0010000000474974513 is 0.001. */
static void number_text(double v, char *out, size_t size)
{
    if ((double)(float)v == v)
        ia_format_float((float)v, out, size);
    else
        ia_format_double(v, out, size);
}

static void setting_text(const ia_setting *s, double v, char *out, size_t size)
{
    if (s->kind == IA_SETTING_FLAG)
        snprintf(out, size, "%s", v != 0 ? "true" : "false");
    else if (s->kind == IA_SETTING_WORD)
        word_at(s->words, (int)v, out, size);
    else if (isnan(v))
        snprintf(out, size, "none");
    else
        number_text(v, out, size);
}

void ia_settings_to_text(ia_settings t, const char *name, const void *values, char *out,
                         size_t size)
{
    size_t used = (size_t)snprintf(out, size, "%s", name);
    bool any = false;
    for (size_t i = 0; i < t.count && used < size; i++) {
        char text[64];
        if (is_default(&t.row[i], values))
            continue;
        setting_text(&t.row[i], setting_value(&t.row[i], values), text, sizeof text);
        used += (size_t)snprintf(out + used, size - used, "%s%s=%s", any ? "," : "(", t.row[i].key,
                                 text);
        any = true;
    }
    if (any && used < size)
        snprintf(out + used, size - used, ")");
}
