/* Looking things up in an open file: children, paths, attributes. */
#include "containers/hdf5/internal.h"

#include <stdio.h>
#include <string.h>

int ia_h5_compare_name(const char *name, const char *wanted, size_t n)
{
    int order = strncmp(name, wanted, n);
    return order != 0 ? order : name[n] != '\0';
}

static const ia_h5_object *find_child(const ia_h5_object *group, const char *name, size_t n)
{
    size_t low = 0, high = group != NULL ? group->child_count : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = ia_h5_compare_name(group->children[middle]->name, name, n);
        if (order == 0)
            return group->children[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const ia_h5_object *ia_h5_child(const ia_h5_object *group, const char *name)
{
    return find_child(group, name, strlen(name));
}

const ia_h5_object *ia_h5_find(const ia_h5_object *from, const char *path)
{
    while (from != NULL && *path != '\0') {
        size_t n = strcspn(path, "/");
        if (n > 0)
            from = find_child(from, path, n);
        path += n + (path[n] == '/');
    }
    return from;
}

const char *ia_h5_path(const ia_h5_object *object, char *out, size_t size)
{
    if (size == 0)
        return out;
    char *start = out + size - 1; /* built from its end, then moved to the front */
    *start = '\0';
    const ia_h5_object *o = object;
    for (; o->parent != NULL; o = o->parent) {
        size_t n = strlen(o->name);
        if ((size_t)(start - out) < n + 1)
            break;
        start -= n;
        memcpy(start, o->name, n);
        *--start = '/';
    }
    if (o->parent != NULL && start - out >= 3) /* the front did not fit */
        memcpy(start -= 3, "...", 3);
    else if (*start == '\0' && start > out)
        *--start = '/';
    memmove(out, start, strlen(start) + 1);
    return out;
}

const ia_h5_attr *ia_h5_attr_find(const ia_h5_object *object, const char *name)
{
    size_t low = 0, high = object != NULL ? object->attr_count : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(object->attrs[middle].name, name);
        if (order == 0)
            return &object->attrs[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const ia_h5_string *ia_h5_attr_text(const ia_h5_object *object, const char *name)
{
    const ia_h5_attr *a = ia_h5_attr_find(object, name);
    return a != NULL && a->strings != NULL && a->count == 1 && a->strings[0].utf8 ? a->strings
                                                                                  : NULL;
}

/* ---- lists, whole or split ---- */

typedef struct string_list {
    ia_h5_string *items;
    size_t count, cap;
} string_list;

static inarch_status append_strings(const ia_h5 *file, const ia_h5_object *object,
                                    const ia_h5_attr *a, string_list *list, inarch_error *err)
{
    char path[128];
    if (a->strings == NULL && a->count > 0)
        return ia_fail(err, INARCH_BAD_FILE, file->in.name, "",
                       "'%s': attribute '%.64s' holds numbers where names are due",
                       ia_h5_path(object, path, sizeof path), a->name);
    for (size_t i = 0; a->strings != NULL && i < a->count; i++) {
        if (!a->strings[i].utf8)
            return ia_fail(err, INARCH_BAD_FILE, file->in.name, "",
                           "'%s': attribute '%.64s': string %zu is not UTF-8",
                           ia_h5_path(object, path, sizeof path), a->name, i);
        IA_TRY(ia_grow(&list->items, &list->cap, list->count, sizeof *list->items, "names", err));
        list->items[list->count++] = a->strings[i];
    }
    return INARCH_OK;
}

inarch_status ia_h5_attr_list(const ia_h5 *file, const ia_h5_object *object, const char *name,
                              ia_h5_string **out, size_t *count, inarch_error *err)
{
    string_list list = {0};
    char part[H5_MAX_NAME + 24], path[128];
    inarch_status status = INARCH_OK;
    const ia_h5_attr *a = ia_h5_attr_find(object, name);
    bool found = a != NULL;
    if (found)
        status = append_strings(file, object, a, &list, err);
    for (size_t i = 0; a == NULL && status == INARCH_OK; i++) {
        snprintf(part, sizeof part, "%.1024s%zu", name, i);
        const ia_h5_attr *piece = ia_h5_attr_find(object, part);
        if (piece == NULL)
            break;
        found = true;
        status = append_strings(file, object, piece, &list, err);
    }
    if (status == INARCH_OK && !found)
        status = ia_fail(err, INARCH_NOT_FOUND, file->in.name, "", "'%s' has no attribute '%s'",
                         object != NULL ? ia_h5_path(object, path, sizeof path) : "", name);
    if (status != INARCH_OK) {
        ia_free(list.items);
        return status;
    }
    *out = list.items;
    *count = list.count;
    return INARCH_OK;
}
