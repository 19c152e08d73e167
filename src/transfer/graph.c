/* Editing the graph: pop, cut, add, insert, attach, rename. */
#include "transfer/surgery.h"

#include "base/alloc.h"
#include "base/text.h"

#include <string.h>

/* ---- all or nothing ---- */

inarch_status ia_edit(ia_model *m, ia_edit_fn *edit, void *context, uint64_t seed,
                      inarch_error *err)
{
    ia_model *copy;
    IA_TRY(ia_model_clone(m, &copy, err));
    inarch_status status = edit(copy, context, err);
    if (status == INARCH_OK)
        status = ia_model_infer(copy, err);
    if (status == INARCH_OK)
        status = ia_model_initialize(copy, seed, err);
    if (status == INARCH_OK)
        status = ia_model_sort_layers(copy, err); /* what counts layers counts as Keras would now */
    if (status == INARCH_OK) {
        ia_model old = *m;
        *m = *copy;
        *copy = old;
    }
    ia_model_free(copy);
    return status;
}

inarch_status ia_single_output(const ia_model *m, const char *verb, ia_ref *out, inarch_error *err)
{
    if (m->output_count != 1)
        return ia_fail(err, INARCH_BAD_ARGUMENT, m->name, "cut at the layer you want to go on from",
                       "cannot %s: the model has %zu outputs", verb, m->output_count);
    *out = m->outputs[0];
    return INARCH_OK;
}

/* Calls' output lists follow the number of outputs of a nested model that was edited. */
static inarch_status refresh_outputs(ia_call *c, inarch_error *err)
{
    size_t n = c->layer->child ? c->layer->child->output_count : 1;
    ia_shape *out = ia_calloc(n, sizeof *out);
    if (!out)
        return ia_fail_memory(err, "the model's graph", n * sizeof *out);
    for (size_t i = 0; i < n; i++)
        out[i].rank = -1;
    ia_free(c->out);
    c->out = out;
    c->out_count = n;
    return INARCH_OK;
}

/* ---- pop ---- */

static inarch_status edit_pop(ia_model *m, void *context, inarch_error *err)
{
    size_t n = *(size_t *)context;
    ia_ref top;
    IA_TRY(ia_single_output(m, "pop", &top, err));
    for (size_t i = 0; i < n; i++) {
        const ia_call *c = &m->calls[top.call];
        if (c->in_count > 1)
            return ia_fail(
                err, INARCH_BAD_ARGUMENT, c->layer->name, "cut at the layer you want to keep",
                "cannot pop layer '%s': it joins %zu inputs", c->layer->name, c->in_count);
        if (c->in_count == 0 || (m->calls[c->in[0].call].layer->cls->flags & IA_LAYER_INPUT))
            return ia_fail(err, INARCH_BAD_ARGUMENT, m->name, "show counts the layers of a model",
                           "cannot pop %zu layers: that leaves nothing", n);
        top = c->in[0];
    }
    IA_TRY(ia_model_set_outputs(m, &top, 1, err));
    return ia_model_prune(m, err);
}

inarch_status ia_pop(ia_model *m, size_t n, inarch_error *err)
{
    return n ? ia_edit(m, edit_pop, &n, 0, err) : INARCH_OK;
}

/* ---- cut ---- */

/* A copy of what names the layer of `m` that `path` starts with; *rest is what follows inside it.
 */
static ia_layer *split_path(const ia_model *m, const char *path, const char **rest)
{
    *rest = NULL;
    for (size_t i = 0; i < m->layer_count; i++)
        if (strcmp(m->layers[i]->name, path) == 0)
            return m->layers[i];
    for (size_t i = 0; i < m->layer_count; i++) {
        ia_layer *l = m->layers[i];
        size_t n = strlen(l->name);
        if (l->child && strncmp(path, l->name, n) == 0 && path[n] == '/' &&
            ia_model_layer(l->child, path + n + 1)) {
            *rest = path + n + 1;
            return l;
        }
    }
    return NULL;
}

/* `path` names a layer of `m`; `whole` is what the caller wrote. */
static inarch_status cut_at(ia_model *m, const char *path, const char *whole, inarch_error *err)
{
    const char *rest;
    ia_layer *l = split_path(m, path, &rest);
    if (!l)
        return ia_no_such_layer(m, path, err);
    if (l->cls->flags & IA_LAYER_INPUT)
        return ia_fail(err, INARCH_BAD_ARGUMENT, whole, "name a layer above it",
                       "cannot cut at input '%s': that leaves no layer", whole);
    if (rest)
        IA_TRY(cut_at(l->child, rest, whole, err));
    for (size_t c = 0; rest && c < m->call_count; c++)
        if (m->calls[c].layer == l)
            IA_TRY(refresh_outputs(&m->calls[c], err));
    ia_ref top = {ia_model_call_of(m, l), 0};
    if (m->calls[top.call].out_count != 1)
        return ia_fail(
            err, INARCH_BAD_ARGUMENT, whole, "cut at a layer inside it, as in base/dense_1",
            "cannot cut at model '%s': it has %zu outputs", whole, m->calls[top.call].out_count);
    IA_TRY(ia_model_set_outputs(m, &top, 1, err));
    IA_TRY(ia_model_prune(m, err));
    return rest ? ia_model_sort_layers(l->child, err) : INARCH_OK;
}

static inarch_status edit_cut(ia_model *m, void *context, inarch_error *err)
{
    return cut_at(m, context, context, err);
}

inarch_status ia_cut(ia_model *m, const char *layer, inarch_error *err)
{
    return ia_edit(m, edit_cut, (void *)(uintptr_t)layer, 0, err);
}

/* ---- add, attach ---- */

/* A layer that takes one input: no InputLayer, nothing that joins several. */
static inarch_status check_single(const ia_layer *l, const char *done, inarch_error *err)
{
    if (l->cls->flags & IA_LAYER_INPUT)
        return ia_fail(err, INARCH_BAD_ARGUMENT, l->name, "", "an input cannot be %s", done);
    if (l->cls->max_inputs > 1)
        return ia_fail(err, INARCH_BAD_ARGUMENT, l->name, "",
                       "layer '%s' (%s) joins several inputs, but there is one below it", l->name,
                       l->class_name);
    return INARCH_OK;
}

/* Puts a new layer on `top`, which becomes its output. */
static inarch_status stack(ia_model *m, const char *spec, ia_ref *top, inarch_error *err)
{
    ia_layer *l;
    IA_TRY(ia_spec_layer(spec, m, &l, err));
    const ia_call *below = &m->calls[top->call];
    inarch_status status = check_single(l, "put on top", err);
    if (status == INARCH_OK && below->out[top->output].rank < 0)
        status = ia_fail(err, INARCH_UNSUPPORTED, below->layer->name, "cut below it",
                         "layer '%s' (%s) cannot be computed yet, so nothing can be put on top",
                         below->layer->name, below->layer->class_name);
    if (status == INARCH_OK)
        status = ia_model_add_layer(m, l, err);
    if (status != INARCH_OK) {
        ia_layer_free(l);
        return status;
    }
    l->generation = m->generation;
    IA_TRY(ia_model_add_call(m, l, top, 1, err));
    *top = (ia_ref){m->call_count - 1, 0};
    return ia_model_infer(m, err);
}

/* SPECs joined by commas, one on top of the other. */
static inarch_status stack_all(ia_model *m, const char *specs, ia_ref *top, inarch_error *err)
{
    ia_split items = ia_split_of(specs, ',');
    const char *item;
    size_t length;
    if (!*specs)
        return stack(m, specs, top, err); /* tells what is missing */
    while (ia_split_next(&items, &item, &length)) {
        char *spec = ia_strndup(item, length);
        if (!spec)
            return ia_fail_memory(err, "a layer", length);
        inarch_status status = stack(m, spec, top, err);
        ia_free(spec);
        IA_TRY(status);
    }
    return INARCH_OK;
}

static inarch_status edit_add(ia_model *m, void *context, inarch_error *err)
{
    ia_ref top;
    IA_TRY(ia_single_output(m, "add a layer", &top, err));
    IA_TRY(stack_all(m, context, &top, err));
    return ia_model_set_outputs(m, &top, 1, err);
}

inarch_status ia_add_layer(ia_model *m, const char *spec, uint64_t seed, inarch_error *err)
{
    return ia_edit(m, edit_add, (void *)(uintptr_t)spec, seed, err);
}

typedef struct attachment {
    const char *from, *specs;
} attachment;

static inarch_status become_functional(ia_model *m, inarch_error *err)
{
    char *name = ia_strdup("Functional");
    if (!name)
        return ia_fail_memory(err, "the model", 16);
    ia_free(m->class_name);
    m->class_name = name;
    m->kind = IA_FUNCTIONAL;
    return INARCH_OK;
}

static inarch_status edit_attach(ia_model *m, void *context, inarch_error *err)
{
    const attachment *a = context;
    const char *rest;
    ia_layer *l = split_path(m, a->from, &rest);
    if (!l)
        return ia_no_such_layer(m, a->from, err);
    if (rest)
        return ia_fail(err, INARCH_BAD_ARGUMENT, a->from, "attach to the model around it, or cut",
                       "cannot attach inside the nested model '%s'", l->name);
    if (!*a->specs)
        return ia_fail(err, INARCH_BAD_ARGUMENT, a->from, "as in dense:64:relu,dense:1:sigmoid",
                       "an output needs a layer at least");
    ia_ref top = {ia_model_call_of(m, l), 0};
    IA_TRY(stack_all(m, a->specs, &top, err));
    size_t n = m->output_count;
    ia_ref *outputs = ia_calloc(n + 1, sizeof *outputs);
    if (!outputs)
        return ia_fail_memory(err, "the model's graph", (n + 1) * sizeof *outputs);
    memcpy(outputs, m->outputs, n * sizeof *outputs);
    outputs[n] = top;
    inarch_status status = ia_model_set_outputs(m, outputs, n + 1, err);
    ia_free(outputs);
    IA_TRY(status);
    return become_functional(m, err);
}

inarch_status ia_attach(ia_model *m, const char *from, const char *specs, uint64_t seed,
                        inarch_error *err)
{
    attachment a = {from, specs};
    return ia_edit(m, edit_attach, &a, seed, err);
}

/* ---- insert ---- */

typedef struct insertion {
    const char *after;
    const char *spec;
    ia_layer *layer; /* made elsewhere; NULL: from spec */
} insertion;

static void shift_ref(ia_ref *r, size_t at)
{
    if (r->call >= at)
        r->call++;
}

/* Moves the last call to position `at`; everything keeps meaning what it meant. */
static void move_last_call(ia_model *m, size_t at)
{
    size_t last = m->call_count - 1;
    ia_call c = m->calls[last];
    memmove(&m->calls[at + 1], &m->calls[at], (last - at) * sizeof c);
    m->calls[at] = c;
    for (size_t i = at + 1; i <= last; i++)
        for (size_t k = 0; k < m->calls[i].in_count; k++)
            shift_ref(&m->calls[i].in[k], at);
    for (size_t i = 0; i < m->input_count; i++)
        shift_ref(&m->inputs[i], at);
    for (size_t i = 0; i < m->output_count; i++)
        shift_ref(&m->outputs[i], at);
}

/* Everything that read `from` reads call `at` instead, that call apart. */
static void reroute(ia_model *m, ia_ref from, size_t at)
{
    ia_ref to = {at, 0};
    for (size_t i = at + 1; i < m->call_count; i++)
        for (size_t k = 0; k < m->calls[i].in_count; k++)
            if (m->calls[i].in[k].call == from.call && m->calls[i].in[k].output == from.output)
                m->calls[i].in[k] = to;
    for (size_t i = 0; i < m->output_count; i++)
        if (m->outputs[i].call == from.call && m->outputs[i].output == from.output)
            m->outputs[i] = to;
}

static inarch_status insertion_place(const ia_model *m, const char *after, ia_ref *out,
                                     inarch_error *err)
{
    if (!*after) {
        if (m->input_count != 1)
            return ia_fail(err, INARCH_BAD_ARGUMENT, m->name, "name the input layer",
                           "cannot put a layer in front: the model has %zu inputs", m->input_count);
        *out = m->inputs[0];
        return INARCH_OK;
    }
    const char *rest;
    ia_layer *l = split_path(m, after, &rest);
    if (!l)
        return ia_no_such_layer(m, after, err);
    if (rest || (l->child && l->child->output_count != 1))
        return ia_fail(err, INARCH_BAD_ARGUMENT, after, "name a layer of the top level",
                       "cannot insert a layer behind '%s'", after);
    *out = (ia_ref){ia_model_call_of(m, l), 0};
    return INARCH_OK;
}

/* A layer's position among model.layers follows the layer it reads. */
static void move_last_layer(ia_model *m, const ia_layer *behind)
{
    size_t last = m->layer_count - 1, at = 0;
    while (at < last && m->layers[at] != behind)
        at++;
    at = at < last ? at + 1 : last;
    ia_layer *l = m->layers[last];
    memmove(&m->layers[at + 1], &m->layers[at], (last - at) * sizeof(ia_layer *));
    m->layers[at] = l;
}

static inarch_status edit_insert(ia_model *m, void *context, inarch_error *err)
{
    insertion *e = context;
    ia_ref from;
    IA_TRY(insertion_place(m, e->after, &from, err));
    ia_layer *l;
    if (e->layer)
        IA_TRY(ia_layer_clone(e->layer, &l, err));
    else
        IA_TRY(ia_spec_layer(e->spec, m, &l, err));
    inarch_status status = check_single(l, "inserted", err);
    if (status == INARCH_OK)
        status = ia_model_add_layer(m, l, err);
    if (status != INARCH_OK) {
        ia_layer_free(l);
        return status;
    }
    l->generation = m->generation;
    move_last_layer(m, m->calls[from.call].layer);
    IA_TRY(ia_model_add_call(m, l, &from, 1, err));
    move_last_call(m, from.call + 1);
    reroute(m, from, from.call + 1);
    return INARCH_OK;
}

inarch_status ia_insert(ia_model *m, const char *after, const char *spec, uint64_t seed,
                        inarch_error *err)
{
    insertion e = {after, spec, NULL};
    return ia_edit(m, edit_insert, &e, seed, err);
}

inarch_status ia_insert_layer(ia_model *m, const char *after, ia_layer *l, uint64_t seed,
                              inarch_error *err)
{
    insertion e = {after, NULL, l};
    IA_TRY(ia_edit(m, edit_insert, &e, seed, err));
    ia_layer_free(l);
    return INARCH_OK;
}

/* ---- rename ---- */

static inarch_status edit_rename(ia_model *m, void *context, inarch_error *err)
{
    const attachment *a = context; /* from: the layer; specs: its new name */
    const char *rest;
    ia_layer *l = split_path(m, a->from, &rest);
    if (!l)
        return ia_no_such_layer(m, a->from, err);
    if (rest) {
        attachment inner = {rest, a->specs};
        return edit_rename(l->child, &inner, err);
    }
    if (!*a->specs)
        return ia_fail(err, INARCH_BAD_ARGUMENT, a->from, "", "a layer's name must not be empty");
    if (strchr(a->specs, '/'))
        return ia_fail(
            err, INARCH_BAD_ARGUMENT, a->specs, "choose a name without it",
            "a layer's name must not hold '/': paths are made of it, and Keras 3 refuses it");
    for (size_t i = 0; i < m->layer_count; i++)
        if (m->layers[i] != l && strcmp(m->layers[i]->name, a->specs) == 0)
            return ia_fail(err, INARCH_BAD_ARGUMENT, a->specs, "choose another name",
                           "the model '%s' has a layer '%s' already", m->name, a->specs);
    char *name = ia_strdup(a->specs);
    if (!name)
        return ia_fail_memory(err, "a layer's name", strlen(a->specs));
    ia_free(l->name);
    l->name = name;
    return INARCH_OK;
}

inarch_status ia_rename(ia_model *m, const char *layer, const char *name, inarch_error *err)
{
    attachment a = {layer, name};
    return ia_edit(m, edit_rename, &a, 0, err);
}
