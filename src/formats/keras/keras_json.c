/* JSON helpers of the Keras room: building values with the library's errors, and notes. */
#include "formats/keras/keras.h"

#include "base/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

inarch_status ia_keras_set(json_t *object, const char *key, json_t *value, inarch_error *err)
{
    if (!value || json_object_set_new(object, key, value) != 0)
        return ia_fail_memory(err, "JSON", sizeof(json_t *));
    return INARCH_OK;
}

inarch_status ia_keras_push(json_t *array, json_t *value, inarch_error *err)
{
    if (!value || json_array_append_new(array, value) != 0)
        return ia_fail_memory(err, "JSON", sizeof(json_t *));
    return INARCH_OK;
}

inarch_status ia_keras_note(json_t *notes, inarch_error *err, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    if (vsnprintf(text, sizeof text, format, args) < 0)
        text[0] = 0;
    va_end(args);
    inarch_error clean; /* printable, and cut at a character */
    (void)ia_fail(&clean, INARCH_UNSUPPORTED, "", "", "%s", text);
    return ia_keras_push(notes, json_string(clean.message), err);
}

static int json_by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

inarch_status ia_keras_sorted_keys(const json_t *object, const char ***out, size_t *count,
                                   inarch_error *err)
{
    const char **keys = ia_calloc(json_object_size(object), sizeof *keys), *key;
    json_t *value;
    size_t n = 0;
    if (!keys)
        return ia_fail_memory(err, "JSON", json_object_size(object) * sizeof *keys);
    json_object_foreach((json_t *)(uintptr_t)object, key, value) keys[n++] = key;
    if (n > 1)
        qsort(keys, n, sizeof *keys, json_by_bytes);
    *out = keys;
    *count = n;
    return INARCH_OK;
}
