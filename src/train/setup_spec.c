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
