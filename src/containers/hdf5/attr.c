/* Attributes: from messages in the object header, or from a fractal heap when there are many or
 * large ones. Text becomes strings with their lengths, numbers become an array in host order. */
#include "containers/hdf5/internal.h"

#include <stdlib.h>
#include <string.h>

typedef struct attr_list {
    ia_h5_attr *items;
    size_t count, cap;
} attr_list;

/* The parts of an attribute message. */
typedef struct attr_parts {
    const uint8_t *name, *type, *space, *data;
    size_t name_size, type_size, space_size, data_size;
} attr_parts;

static inarch_status split_message(const h5_walk *w, const uint8_t *body, size_t size,
                                   attr_parts *p, inarch_error *err)
{
    ia_cursor c = ia_cursor_of(body, size);
    unsigned version = ia_u8(&c), flags = ia_u8(&c);
    p->name_size = ia_u16(&c);
    p->type_size = ia_u16(&c);
    p->space_size = ia_u16(&c);
    if (!c.bad && version != 1 && version != 3)
        return h5_refuse(w, err, "", "attribute message version %u is not read", version);
    if (!c.bad && version == 3 && flags != 0)
        return h5_refuse(w, err, "", "an attribute with a shared datatype is not read");
    if (version == 3)
        ia_skip(&c, 1); /* the charset is no promise: names are checked to be UTF-8 */
    size_t align = version == 1 ? 7 : 0;
    p->name = ia_bytes(&c, (p->name_size + align) & ~align);
    p->type = ia_bytes(&c, (p->type_size + align) & ~align);
    p->space = ia_bytes(&c, (p->space_size + align) & ~align);
    if (c.bad)
        return h5_bad(w, err, "damaged: an attribute does not fit its message of %zu bytes", size);
    p->data_size = ia_left(&c);
    p->data = ia_bytes(&c, p->data_size);
    size_t n = p->name_size;
    if (n < 2 || n > H5_MAX_NAME + 1 || memchr(p->name, 0, n) != p->name + n - 1 ||
        !ia_utf8_valid(p->name, n - 1))
        return h5_bad(w, err,
                      "damaged: an attribute name of %zu bytes that is not UTF-8 text with "
                      "one zero at its end",
                      n);
    return INARCH_OK;
}

static inarch_status keep_string(h5_walk *w, const uint8_t *text, size_t n, ia_h5_string *out,
                                 inarch_error *err)
{
    IA_TRY(ia_h5_hand_out(w, n, err));
    out->text = ia_h5_keep_text(w->file, text, n, err);
    if (out->text == NULL)
        return INARCH_NO_MEMORY;
    out->len = (uint32_t)n;
    out->utf8 = ia_utf8_valid(text, n);
    return INARCH_OK;
}

static size_t fixed_length(const h5_type *type, const uint8_t *text)
{
    size_t n = type->size;
    if (type->terminated) {
        const uint8_t *end = memchr(text, 0, n);
        return end != NULL ? (size_t)(end - text) : n;
    }
    while (n > 0 && text[n - 1] == 0)
        n--;
    return n;
}

static inarch_status keep_text(h5_walk *w, const h5_type *type, const uint8_t *data,
                               ia_h5_attr *attr, inarch_error *err)
{
    ia_h5_string *strings = ia_h5_keep(w->file, attr->count + 1, sizeof *strings, "strings", err);
    if (strings == NULL)
        return INARCH_NO_MEMORY;
    for (size_t i = 0; i < attr->count; i++) {
        const uint8_t *text = data + i * type->size;
        size_t n = 0;
        if (type->class_ == H5_VLEN_TEXT)
            IA_TRY(ia_h5_vlen_get(w, text, &text, &n, err));
        else
            n = fixed_length(type, text);
        IA_TRY(keep_string(w, text, n, &strings[i], err));
    }
    attr->strings = strings;
    return INARCH_OK;
}

static inarch_status keep_numbers(h5_walk *w, const h5_type *type, const uint8_t *data,
                                  ia_h5_attr *attr, inarch_error *err)
{
    size_t bytes = attr->count * type->size;
    IA_TRY(ia_h5_hand_out(w, bytes, err));
    void *kept = ia_h5_keep(w->file, bytes + 1, 1, "attribute", err);
    if (kept == NULL)
        return INARCH_NO_MEMORY;
    if (bytes > 0)
        memcpy(kept, data, bytes);
    ia_h5_to_host(type, kept, attr->count);
    attr->dtype = type->dtype;
    attr->data = kept;
    return INARCH_OK;
}

static inarch_status read_value(h5_walk *w, const attr_parts *p, ia_h5_attr *attr,
                                inarch_error *err)
{
    h5_type type;
    h5_space space;
    size_t bytes;
    IA_TRY(ia_h5_type_read(w, p->type, p->type_size, &type, err));
    IA_TRY(ia_h5_space_read(w, p->space, p->space_size, &space, err));
    if (!ia_mul(space.count, type.size, &bytes) || bytes > p->data_size)
        return h5_bad(w, err, "damaged: %zu elements of %zu bytes do not fit its %zu bytes",
                      space.count, type.size, p->data_size);
    if (bytes > H5_MAX_ATTR_BYTES)
        return h5_limit(w, err, "%zu bytes of data; at most %u are read", bytes, H5_MAX_ATTR_BYTES);
    attr->shape = space.shape;
    attr->count = space.count;
    attr->null = space.null;
    return type.class_ == H5_NUMBERS ? keep_numbers(w, &type, p->data, attr, err)
                                     : keep_text(w, &type, p->data, attr, err);
}

static inarch_status add_attr(h5_walk *w, attr_list *list, const uint8_t *body, size_t size,
                              inarch_error *err)
{
    attr_parts p = {0};
    IA_TRY(split_message(w, body, size, &p, err));
    if (list->count >= H5_MAX_ATTRS)
        return h5_limit(w, err, "more than %u attributes", H5_MAX_ATTRS);
    IA_TRY(ia_grow(&list->items, &list->cap, list->count, sizeof *list->items, "HDF5 attributes",
                   err));
    ia_h5_attr attr = {.name = ia_h5_keep_text(w->file, p.name, p.name_size - 1, err)};
    if (attr.name == NULL)
        return INARCH_NO_MEMORY;
    IA_TRY(ia_h5_hand_out(w, p.name_size, err));
    w->attr = attr.name;
    IA_TRY(read_value(w, &p, &attr, err));
    w->attr = NULL;
    list->items[list->count++] = attr;
    return INARCH_OK;
}

/* ---- many or large attributes ---- */

typedef struct dense_attrs {
    h5_fractal *heap;
    attr_list *list;
} dense_attrs;

/* Record of B-tree type 8: heap id of 8 bytes, flags, creation order u32, hash u32. */
static inarch_status add_dense_attr(h5_walk *w, void *context, const uint8_t *record,
                                    inarch_error *err)
{
    dense_attrs *d = context;
    const uint8_t *body;
    size_t size;
    if ((record[8] & 2u) != 0)
        return h5_refuse(w, err, "", "a shared attribute is not read");
    IA_TRY(ia_h5_fractal_get(w, d->heap, record, &body, &size, err));
    return add_attr(w, d->list, body, size, err);
}

static inarch_status read_dense(h5_walk *w, const h5_message *info, attr_list *list,
                                inarch_error *err)
{
    ia_cursor c = ia_cursor_of(info->body, info->size);
    unsigned version = ia_u8(&c), flags = ia_u8(&c);
    if ((flags & 1u) != 0)
        ia_skip(&c, 2); /* largest creation order */
    uint64_t heap = ia_u64(&c), tree = ia_u64(&c);
    if (c.bad || version != 0)
        return h5_bad(w, err, "damaged: an attribute info message of version %u and %zu bytes",
                      version, info->size);
    if (heap == H5_NOWHERE)
        return INARCH_OK;
    dense_attrs d = {NULL, list};
    IA_TRY(ia_h5_fractal_read(w, heap, H5_HEAP_ATTRS, &d.heap, err));
    inarch_status status = ia_h5_btree2_each(w, tree, 8, 17, add_dense_attr, &d, err);
    ia_h5_fractal_free(d.heap);
    return status;
}

static int attr_order(const void *a, const void *b)
{
    return strcmp(((const ia_h5_attr *)a)->name, ((const ia_h5_attr *)b)->name);
}

static inarch_status keep_list(h5_walk *w, attr_list *list, ia_h5_object *object, inarch_error *err)
{
    if (list->count == 0)
        return INARCH_OK;
    qsort(list->items, list->count, sizeof *list->items, attr_order);
    for (size_t i = 1; i < list->count; i++)
        if (strcmp(list->items[i - 1].name, list->items[i].name) == 0)
            return h5_bad(w, err, "damaged: attribute '%s' is there twice", list->items[i].name);
    ia_h5_attr *kept = ia_h5_keep(w->file, list->count, sizeof *kept, "HDF5 attributes", err);
    if (kept == NULL)
        return INARCH_NO_MEMORY;
    memcpy(kept, list->items, list->count * sizeof *kept);
    object->attrs = kept;
    object->attr_count = list->count;
    return INARCH_OK;
}

inarch_status ia_h5_attrs(h5_walk *w, const h5_header *h, ia_h5_object *object, inarch_error *err)
{
    attr_list list = {0};
    const h5_message *info;
    inarch_status status;
    IA_TRY_GOTO(ia_h5_header_one(w, h, H5_MSG_ATTR_INFO, &info, err));
    for (size_t i = 0; i < h->count; i++)
        if (h->messages[i].type == H5_MSG_ATTR)
            IA_TRY_GOTO(add_attr(w, &list, h->messages[i].body, h->messages[i].size, err));
    if (info != NULL)
        IA_TRY_GOTO(read_dense(w, info, &list, err));
    status = keep_list(w, &list, object, err);
done:
    ia_free(list.items);
    return status;
}
