/* The weights of a nested model: first to which of its layers each belongs, by the scope in its
 * name
 * ("base/inner/d1/kernel", "d1/kernel", Keras 1's "d1_W"), then to which variable.
 *
 * Only when scopes do not decide - graphs rebuilt in one session get other ones - Keras' own order
 * of the flags in this same file is taken, and only if every name and shape in it agrees. */
#include "formats/keras/keras_bind.h"

#include "base/alloc.h"
#include "formats/keras/keras_names.h"

#include <string.h>

#define MAX_COMPARISONS (1u << 24) /* weights times layers; 1,100 layers make 3 million */

typedef struct bind_leaves {
    keras_leaf *items;
    size_t count, cap;
} bind_leaves;

static void bind_leaves_free(bind_leaves *b)
{
    for (size_t i = 0; i < b->count; i++)
        ia_free(b->items[i].path);
    ia_free(b->items);
}

static inarch_status bind_find_leaves(const ia_model *m, const char *path, bind_leaves *out,
                                      inarch_error *err)
{
    inarch_status status = INARCH_OK;
    for (size_t i = 0; i < m->layer_count && status == INARCH_OK; i++) {
        ia_layer *l = m->layers[i];
        char *below = *path ? ia_asprintf("%s/%s", path, l->name) : ia_strdup(l->name);
        if (!below)
            return ia_fail_memory(err, "a layer's path", strlen(path));
        if (l->child) {
            status = bind_find_leaves(l->child, below, out, err);
            ia_free(below);
            continue;
        }
        status = ia_grow(&out->items, &out->cap, out->count, sizeof *out->items, "layers", err);
        if (status == INARCH_OK)
            out->items[out->count++] = (keras_leaf){l, below};
        else
            ia_free(below);
    }
    return status;
}

/* ---- whose weight ---- */

/* How well a weight's name points to a layer; compared member by member. */
typedef struct bind_match {
    int kind;      /* 2: a scope; 1: Keras 1's prefix; 0: not at all */
    size_t end;    /* the nearer to the weight's own name the better */
    size_t length; /* then the longer */
    int whole;     /* then the layer's whole path */
} bind_match;

static bind_match bind_compare(const keras_weight *w, const keras_leaf *leaf)
{
    const char *name = leaf->layer->name;
    size_t n = strlen(name), end = ia_keras_scope_end(w->path, leaf->path);
    if (end)
        return (bind_match){2, end, strlen(leaf->path), 1};
    end = ia_keras_scope_end(w->path, name);
    if (end)
        return (bind_match){2, end, n, 0};
    if (strncmp(w->last, name, n) == 0 && w->last[n] == '_' && w->last[n + 1])
        return (bind_match){1, n, n, 0};
    return (bind_match){0};
}

static int bind_order(const bind_match *a, const bind_match *b)
{
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->end != b->end)
        return a->end < b->end ? -1 : 1;
    if (a->length != b->length)
        return a->length < b->length ? -1 : 1;
    return a->whole - b->whole;
}

/* The leaf a weight's name points to best; SIZE_MAX when none or two do. */
static size_t bind_owner(const keras_weight *w, const bind_leaves *leaves)
{
    bind_match best = {0};
    size_t owner = SIZE_MAX;
    for (size_t i = 0; i < leaves->count; i++) {
        bind_match match = bind_compare(w, &leaves->items[i]);
        int order = bind_order(&match, &best);
        if (order > 0) {
            best = match;
            owner = i;
        } else if (order == 0) {
            owner = SIZE_MAX;
        }
    }
    return owner;
}

/* Weights without a scope are those of the one opaque layer that has got none. */
static void bind_orphans(keras_weights *w, const bind_leaves *leaves)
{
    size_t lonely = SIZE_MAX, n = 0;
    for (size_t i = 0; i < leaves->count; i++) {
        bool has = false;
        for (size_t k = 0; k < w->count && !has; k++)
            has = w->items[k].leaf == i;
        if (!has && (leaves->items[i].layer->cls->flags & IA_LAYER_OPAQUE)) {
            lonely = i;
            n++;
        }
    }
    for (size_t k = 0; k < w->count && n == 1; k++)
        if (w->items[k].leaf == SIZE_MAX)
            w->items[k].leaf = lonely;
}

/* ---- do the scopes decide? ---- */

static size_t bind_count(const keras_weights *w, size_t leaf)
{
    size_t n = 0;
    for (size_t i = 0; i < w->count; i++)
        n += w->items[i].leaf == leaf;
    return n;
}

/* A known layer gets as many weights as it has variables, or none and needs none. */
static bool bind_is_complete(const ia_layer *l, size_t have)
{
    return !l->built || (l->cls->flags & IA_LAYER_OPAQUE) || have == l->variable_count ||
           (have == 0 && !ia_keras_needs_weights(l));
}

/* Every weight has an owner, and every layer all of its own. */
static bool bind_is_decided(const keras_weights *w, const bind_leaves *leaves)
{
    if (bind_count(w, SIZE_MAX) > 0)
        return false;
    for (size_t i = 0; i < leaves->count; i++)
        if (!bind_is_complete(leaves->items[i].layer, bind_count(w, i)))
            return false;
    return true;
}

static inarch_status bind_by_scope(keras_weights *w, const bind_leaves *leaves, inarch_error *err)
{
    for (size_t i = 0; i < leaves->count; i++)
        IA_TRY(ia_keras_bind_leaf(w, i, leaves->items[i].layer, err));
    return INARCH_OK;
}

/* ---- by Keras' order ---- */

static bool bind_order_agrees(const keras_weights *w, const ia_keras_variables *order)
{
    if (w->count != order->count)
        return false;
    for (size_t i = 0; i < w->count; i++) {
        const ia_variable *v = ia_keras_variable_of(&order->items[i]);
        const char *name = ia_keras_variable_name(order->items[i].layer, w->items[i].last);
        const char *digits =
            strrchr(name, '_'); /* Keras 1 beside a scope of another name: "x_2_W" */
        bool named = strcmp(name, v->name) == 0 ||
                     (digits && strcmp(ia_keras_variable_name(order->items[i].layer, digits + 1),
                                       v->name) == 0);
        if (!named || !ia_shape_equal(&v->value.shape, &w->items[i].data->shape))
            return false;
    }
    return true;
}

static inarch_status bind_by_order(keras_weights *w, ia_layer *l, bool *done, inarch_error *err)
{
    ia_keras_variables order = {0};
    inarch_status status = ia_keras_layer_variables(l, &order, err);
    *done = status == INARCH_OK && bind_order_agrees(w, &order);
    for (size_t i = 0; i < w->count && *done && status == INARCH_OK; i++)
        status = ia_keras_set_variable(w, &w->items[i], order.items[i].layer,
                                       ia_keras_variable_of(&order.items[i]), err);
    ia_keras_variables_free(&order);
    return status;
}

/* What is wrong, in the words of the first layer or weight that has no partner. */
static inarch_status bind_fail(keras_weights *w, const ia_layer *l, const bind_leaves *leaves,
                               inarch_error *err)
{
    for (size_t i = 0; i < leaves->count; i++) {
        const ia_layer *leaf = leaves->items[i].layer;
        size_t have = bind_count(w, i);
        if (!bind_is_complete(leaf, have))
            return ia_layer_fail(leaf, INARCH_BAD_FILE, err, "",
                                 "(%s) in '%s' has %zu weights, but %zu of the file bear its name",
                                 leaf->class_name, l->name, leaf->variable_count, have);
    }
    for (size_t i = 0; i < w->count; i++)
        if (w->items[i].leaf == SIZE_MAX)
            return ia_layer_fail(
                l, INARCH_BAD_FILE, err, "",
                "(%s): nothing tells to which of its layers the weight '%s' belongs", l->class_name,
                w->items[i].path);
    return ia_layer_fail(l, INARCH_BAD_FILE, err, "", "(%s) has other weights in the file",
                         l->class_name);
}

static inarch_status bind_all(keras_weights *w, ia_layer *l, bind_leaves *leaves, inarch_error *err)
{
    IA_TRY(bind_find_leaves(l->child, "", leaves, err));
    if (w->count * leaves->count > MAX_COMPARISONS)
        return ia_layer_fail(l, INARCH_LIMIT, err, "", "has %zu layers and %zu weights, too many",
                             leaves->count, w->count);
    for (size_t i = 0; i < w->count; i++)
        w->items[i].leaf = bind_owner(&w->items[i], leaves);
    bind_orphans(w, leaves);
    if (bind_is_decided(w, leaves))
        return bind_by_scope(w, leaves, err);
    bool done = false;
    IA_TRY(bind_by_order(w, l, &done, err));
    return done ? INARCH_OK : bind_fail(w, l, leaves, err);
}

inarch_status ia_keras_bind_nested(keras_weights *w, ia_layer *l, inarch_error *err)
{
    bind_leaves leaves = {0};
    inarch_status status = bind_all(w, l, &leaves, err);
    bind_leaves_free(&leaves);
    return status;
}
