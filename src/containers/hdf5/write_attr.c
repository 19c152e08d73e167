/* Attributes of the tree to be written, and Keras' split of long lists of names. */
#include "containers/hdf5/write_internal.h"

#include <stdio.h>
#include <string.h>

/* A message's size is a u16 and a multiple of 8. */
#define MESSAGE_MAX 65528u

/* Takes over a->data, also when it fails. */
static inarch_status add_attr(ia_h5w_object *o, const char *name, h5w_attr a, inarch_error *err)
{
    inarch_status status;
    size_t n = strlen(name);
    if (n == 0 || n > H5_MAX_NAME || !ia_utf8_valid(name, n))
        IA_TRY_GOTO(ia_fail(err, INARCH_BAD_ARGUMENT, name, "",
                            "an attribute name of %zu bytes; 1 to %u bytes of UTF-8 are possible",
                            n, H5_MAX_NAME));
    for (size_t i = 0; i < o->attr_count; i++)
        if (strcmp(o->attrs[i].name, name) == 0)
            IA_TRY_GOTO(
                ia_fail(err, INARCH_BAD_ARGUMENT, name, "", "the attribute is there already"));
    if (o->attr_count >= H5_MAX_ATTRS)
        IA_TRY_GOTO(ia_fail(err, INARCH_LIMIT, name, "", "more than %u attributes of one object",
                            H5_MAX_ATTRS));
    IA_TRY_GOTO(
        ia_grow(&o->attrs, &o->attr_cap, o->attr_count, sizeof *o->attrs, "attributes", err));
    a.name = ia_strdup(name);
    if (a.name == NULL)
        IA_TRY_GOTO(ia_fail_memory(err, "attribute", n));
    if (ia_h5w_attr_size(&a) > MESSAGE_MAX) {
        ia_free(a.name);
        IA_TRY_GOTO(ia_fail(err, INARCH_LIMIT, name, "split it over several attributes",
                            "an attribute of %zu bytes is too large for HDF5's object headers",
                            a.bytes));
    }
    o->attrs[o->attr_count++] = a;
    return INARCH_OK;
done:
    ia_free(a.data);
    return status;
}

static inarch_status copy_bytes(const void *data, size_t n, uint8_t **out, inarch_error *err)
{
    *out = ia_calloc(n, 1);
    if (*out == NULL)
        return ia_fail_memory(err, "attribute", n);
    if (n > 0)
        memcpy(*out, data, n);
    return INARCH_OK;
}

inarch_status ia_h5w_attr_text(ia_h5w *w, ia_h5w_object *o, const char *name, const char *text,
                               size_t len, inarch_error *err)
{
    (void)w;
    if (len > H5_MAX_STRING)
        return ia_fail(err, INARCH_LIMIT, name, "", "a text of %zu bytes; at most %u are written",
                       len, H5_MAX_STRING);
    if (!ia_utf8_valid(text, len))
        return ia_fail(err, INARCH_BAD_ARGUMENT, name, "", "the text is not UTF-8");
    h5w_attr a = {.kind = H5W_VLEN_TEXT, .item = 16, .bytes = len};
    IA_TRY(copy_bytes(text, len, &a.data, err));
    return add_attr(o, name, a, err);
}

inarch_status ia_h5w_attr_numbers(ia_h5w *w, ia_h5w_object *o, const char *name, ia_dtype dtype,
                                  const ia_shape *shape, const void *data, inarch_error *err)
{
    (void)w;
    size_t count;
    h5w_attr a = {
        .kind = H5W_NUMBERS, .dtype = dtype, .shape = *shape, .item = ia_dtype_size(dtype)};
    if (shape->rank > IA_MAX_RANK || !ia_shape_count(shape, &count) ||
        !ia_mul(count, a.item, &a.bytes))
        return ia_fail(err, INARCH_BAD_ARGUMENT, name, "", "an array of unknown size");
    if (a.bytes > IA_H5_ATTR_MAX)
        return ia_fail(err, INARCH_LIMIT, name, "store it as a dataset",
                       "an attribute of %zu bytes; at most %u fit", a.bytes, IA_H5_ATTR_MAX);
    IA_TRY(copy_bytes(data, a.bytes, &a.data, err));
    return add_attr(o, name, a, err);
}

/* ---- lists of names ---- */

static inarch_status add_list(ia_h5w_object *o, const char *name, const char *const *texts,
                              size_t n, size_t item, inarch_error *err)
{
    h5w_attr a = {
        .kind = H5W_FIXED_TEXT, .shape = ia_shape_1((int64_t)n), .item = item, .bytes = n * item};
    a.data = ia_calloc(n, item);
    if (a.data == NULL)
        return ia_fail_memory(err, "attribute", a.bytes);
    for (size_t i = 0; i < n; i++)
        memcpy(a.data + i * item, texts[i], strlen(texts[i]));
    return add_attr(o, name, a, err);
}

inarch_status ia_h5w_attr_list(ia_h5w *w, ia_h5w_object *o, const char *name,
                               const char *const *texts, size_t n, inarch_error *err)
{
    const ia_shape none = ia_shape_1(0);
    if (n == 0)
        return ia_h5w_attr_numbers(w, o, name, IA_F64, &none, NULL, err);
    size_t item = 1;
    for (size_t i = 0; i < n; i++) {
        size_t length = strlen(texts[i]);
        if (!ia_utf8_valid(texts[i], length))
            return ia_fail(err, INARCH_BAD_ARGUMENT, name, "", "string %zu is not UTF-8", i);
        item = length > item ? length : item;
    }
    if (item > IA_H5_ATTR_MAX)
        return ia_fail(err, INARCH_LIMIT, name, "", "a string of %zu bytes; at most %u fit", item,
                       IA_H5_ATTR_MAX);
    size_t parts = 1; /* the fewest whose largest fits; the first n % parts hold one more */
    while ((n + parts - 1) / parts > IA_H5_ATTR_MAX / item)
        parts++;
    if (parts == 1)
        return add_list(o, name, texts, n, item, err);
    for (size_t i = 0, at = 0; i < parts; i++) {
        size_t count = n / parts + (i < n % parts);
        char part[H5_MAX_NAME + 24];
        snprintf(part, sizeof part, "%.1024s%zu", name, i);
        IA_TRY(add_list(o, part, texts + at, count, item, err));
        at += count;
    }
    return INARCH_OK;
}
