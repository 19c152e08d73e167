/* Texts and JSON values that speak of several outputs: taken apart by output. */
#include "train/setup_internal.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* The length of a name before '=' that comes before any '('; 0: none. */
static size_t prefix_length(const char *item, size_t n)
{
    for (size_t i = 0; i < n && item[i] != '('; i++)
        if (item[i] == '=')
            return i;
    return 0;
}

static bool same(const char *item, size_t n, const char *name)
{
    return strlen(name) == n && memcmp(item, name, n) == 0;
}

bool setup_text_for(const char *text, const char *const *names, size_t outputs, size_t output,
                    char *out, size_t size)
{
    ia_split split = ia_split_of(text, ',');
    const char *item;
    size_t n, used = 0;
    out[0] = '\0';
    while (ia_split_next(&split, &item, &n)) {
        size_t prefix = prefix_length(item, n);
        if (prefix && (!same(item, prefix, names[output]) || outputs == 0))
            continue;
        if (prefix) {
            item += prefix + 1;
            n -= prefix + 1;
        }
        if (n > 0 && used + n + 2 < size)
            used +=
                (size_t)snprintf(out + used, size - used, "%s%.*s", used ? "," : "", (int)n, item);
    }
    return used > 0;
}

/* Items of a list, and those of them without a name. */
static size_t count_items(const char *text, size_t *bare)
{
    ia_split split = ia_split_of(text, ',');
    const char *item;
    size_t n, all = 0;
    for (*bare = 0; ia_split_next(&split, &item, &n); all++)
        *bare += prefix_length(item, n) == 0;
    return all;
}

inarch_status setup_item_for(const setup_state *t, const char *text, const char *what,
                             size_t output, char *out, inarch_error *err)
{
    size_t n, place = 0, bare, all = count_items(text, &bare);
    bool shared = bare == 1 && strcmp(what, "loss") == 0;
    ia_split split = ia_split_of(text, ',');
    const char *item;
    out[0] = '\0';
    if (bare && all != t->outputs && !shared) {
        char hint[160];
        snprintf(hint, sizeof hint,
                 "give one for each output in their order, or by name: %.60s=...", t->names[0]);
        return ia_fail(err, INARCH_BAD_ARGUMENT, what, hint,
                       "%s: %zu given, but the model has %zu output%s", what, all, t->outputs,
                       t->outputs == 1 ? "" : "s");
    }
    while (ia_split_next(&split, &item, &n)) {
        size_t prefix = prefix_length(item, n);
        if (prefix && same(item, prefix, t->names[output])) {
            snprintf(out, SETUP_TEXT, "%.*s", (int)(n - prefix - 1), item + prefix + 1);
            return INARCH_OK;
        }
        if (!prefix && (shared || place++ == output))
            snprintf(out, SETUP_TEXT, "%.*s", (int)n, item);
    }
    return INARCH_OK;
}

inarch_status setup_text_check(const char *text, const char *const *names, size_t outputs,
                               const char *what, inarch_error *err)
{
    ia_split split = ia_split_of(text, ',');
    const char *item;
    size_t n;
    while (ia_split_next(&split, &item, &n)) {
        size_t prefix = prefix_length(item, n), i = 0;
        char word[128];
        while (prefix && i < outputs && !same(item, prefix, names[i]))
            i++;
        if (!prefix || i < outputs)
            continue;
        snprintf(word, sizeof word, "%.*s", (int)prefix, item);
        const char *near = ia_suggest(word, names, outputs);
        char hint[200];
        snprintf(hint, sizeof hint, near ? "did you mean '%.100s'?" : "there is '%.100s'%s",
                 near ? near : names[0], outputs > 1 ? " and others" : "");
        return ia_fail(err, INARCH_NOT_FOUND, word, hint, "no output is called '%s' in %s", word,
                       what);
    }
    return INARCH_OK;
}

static bool names_a_class(const json_t *value)
{
    return json_object_get(value, "class_name") || json_object_get(value, "config");
}

const json_t *setup_json_for(const json_t *value, const char *const *names, size_t outputs,
                             size_t output)
{
    if (json_is_object(value) && !names_a_class(value))
        return json_object_get(value, names[output]);
    if (json_is_array(value) && outputs > 1 && json_array_size(value) == outputs)
        return json_array_get(value, output);
    if (json_is_array(value) && outputs == 1 && json_array_size(value) == 1)
        return json_array_get(value, 0);
    return value;
}
