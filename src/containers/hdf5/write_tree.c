/* The tree to be written, built in memory: groups, datasets (by reference), attributes. */
#include "containers/hdf5/write_internal.h"

#include <stdio.h>
#include <string.h>

static ia_h5w_object *object_new(ia_h5_kind kind, const char *name, size_t n)
{
    ia_h5w_object *o = ia_calloc(1, sizeof *o);
    if (o == NULL)
        return NULL;
    o->kind = kind;
    o->name = ia_strndup(name, n);
    if (o->name == NULL) {
        ia_free(o);
        return NULL;
    }
    return o;
}

static void object_free(ia_h5w_object *o)
{
    for (size_t i = 0; i < o->attr_count; i++) {
        ia_free(o->attrs[i].name);
        ia_free(o->attrs[i].data);
    }
    ia_free(o->attrs);
    ia_free(o->children);
    ia_free(o->name);
    ia_array_release(&o->values);
    ia_free(o);
}

inarch_status ia_h5w_new(ia_h5w **out, inarch_error *err)
{
    ia_h5w *w = ia_calloc(1, sizeof *w);
    if (w != NULL)
        w->root = object_new(IA_H5_GROUP, "", 0);
    if (w == NULL || w->root == NULL) {
        ia_free(w);
        return ia_fail_memory(err, "HDF5 file", sizeof *w);
    }
    *out = w;
    return INARCH_OK;
}

void ia_h5w_plan_free(ia_h5w *w)
{
    ia_free(w->order);
    ia_free(w->texts);
    ia_free(w->collections);
    *w = (ia_h5w){.root = w->root};
}

void ia_h5w_free(ia_h5w *w)
{
    if (w == NULL)
        return;
    ia_h5w_plan_free(w);
    ia_h5w_object *o = w->root;
    while (o != NULL) { /* the last child first, without recursion */
        if (o->child_count > 0) {
            o = o->children[--o->child_count];
            continue;
        }
        ia_h5w_object *parent = o->parent;
        object_free(o);
        o = parent;
    }
    ia_free(w);
}

ia_h5w_object *ia_h5w_root(ia_h5w *w)
{
    return w->root;
}

/* ---- names ---- */

static inarch_status check_name(const char *name, size_t n, const char *whole, inarch_error *err)
{
    if (n == 0)
        return ia_fail(err, INARCH_BAD_ARGUMENT, whole, "", "a name between '/' is empty");
    if (n > H5_MAX_NAME)
        return ia_fail(err, INARCH_BAD_ARGUMENT, whole, "", "a name of %zu bytes; at most %u fit",
                       n, H5_MAX_NAME);
    if (!ia_utf8_valid(name, n))
        return ia_fail(err, INARCH_BAD_ARGUMENT, whole, "", "the name is not UTF-8");
    if ((n == 1 && name[0] == '.') || (n == 2 && memcmp(name, "..", 2) == 0))
        return ia_fail(err, INARCH_BAD_ARGUMENT, whole, "", "'.' and '..' cannot be names in HDF5");
    return INARCH_OK;
}

/* The place of a name among the children; true when it is there. */
static bool find_place(const ia_h5w_object *parent, const char *name, size_t n, size_t *place)
{
    size_t low = 0, high = parent->child_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = ia_h5_compare_name(parent->children[middle]->name, name, n);
        if (order == 0) {
            *place = middle;
            return true;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *place = low;
    return false;
}

static inarch_status insert_child(ia_h5w_object *parent, size_t place, ia_h5_kind kind,
                                  const char *name, size_t n, ia_h5w_object **out,
                                  inarch_error *err)
{
    unsigned depth = 1;
    for (const ia_h5w_object *up = parent; up->parent != NULL; up = up->parent)
        depth++;
    if (depth > H5_MAX_DEPTH)
        return ia_fail(err, INARCH_LIMIT, name, "", "groups nest deeper than %u", H5_MAX_DEPTH);
    if (parent->child_count >= H5_MAX_LINKS)
        return ia_fail(err, INARCH_LIMIT, name, "", "more than %u names in one group",
                       H5_MAX_LINKS);
    IA_TRY(ia_grow(&parent->children, &parent->child_cap, parent->child_count,
                   sizeof *parent->children, "HDF5 group", err));
    ia_h5w_object *o = object_new(kind, name, n);
    if (o == NULL)
        return ia_fail_memory(err, "HDF5 object", sizeof *o);
    o->parent = parent;
    memmove(parent->children + place + 1, parent->children + place,
            (parent->child_count - place) * sizeof *parent->children);
    parent->children[place] = o;
    parent->child_count++;
    *out = o;
    return INARCH_OK;
}

/* Finds or makes the group of one name. */
static inarch_status enter_group(ia_h5w_object *parent, const char *name, size_t n,
                                 const char *whole, ia_h5w_object **out, inarch_error *err)
{
    size_t place;
    IA_TRY(check_name(name, n, whole, err));
    if (!find_place(parent, name, n, &place))
        return insert_child(parent, place, IA_H5_GROUP, name, n, out, err);
    if (parent->children[place]->kind != IA_H5_GROUP)
        return ia_fail(err, INARCH_BAD_ARGUMENT, whole, "", "a dataset has the name of a group");
    *out = parent->children[place];
    return INARCH_OK;
}

/* Enters all groups in front of the last '/'; *last is the name behind it. */
static inarch_status enter_path(ia_h5w_object *parent, const char *path, ia_h5w_object **group,
                                const char **last, inarch_error *err)
{
    const char *name = path;
    for (const char *slash; (slash = strchr(name, '/')) != NULL; name = slash + 1)
        IA_TRY(enter_group(parent, name, (size_t)(slash - name), path, &parent, err));
    *group = parent;
    *last = name;
    return INARCH_OK;
}

static inarch_status check_parent(const ia_h5w_object *parent, const char *name, inarch_error *err)
{
    if (parent->kind == IA_H5_GROUP)
        return INARCH_OK;
    return ia_fail(err, INARCH_BAD_ARGUMENT, name, "", "'%s' is a dataset and holds no names",
                   parent->name);
}

inarch_status ia_h5w_group(ia_h5w *w, ia_h5w_object *parent, const char *name, ia_h5w_object **out,
                           inarch_error *err)
{
    (void)w;
    const char *last;
    IA_TRY(check_parent(parent, name, err));
    IA_TRY(enter_path(parent, name, &parent, &last, err));
    return enter_group(parent, last, strlen(last), name, out, err);
}

inarch_status ia_h5w_dataset(ia_h5w *w, ia_h5w_object *parent, const char *name,
                             const ia_array *values, ia_h5w_object **out, inarch_error *err)
{
    (void)w;
    const char *last;
    size_t place, count;
    ia_h5w_object *o;
    if (values->shape.rank > IA_MAX_RANK || !ia_shape_count(&values->shape, &count))
        return ia_fail(err, INARCH_BAD_ARGUMENT, name, "", "an array of unknown size");
    IA_TRY(check_parent(parent, name, err));
    IA_TRY(enter_path(parent, name, &parent, &last, err));
    IA_TRY(check_name(last, strlen(last), name, err));
    if (find_place(parent, last, strlen(last), &place))
        return ia_fail(err, INARCH_BAD_ARGUMENT, name, "", "the name is there already");
    IA_TRY(insert_child(parent, place, IA_H5_DATASET, last, strlen(last), &o, err));
    o->values = ia_array_ref(values);
    if (out != NULL)
        *out = o;
    return INARCH_OK;
}
