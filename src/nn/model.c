/* Documents: construction, cloning, look-up and walking. Shape inference is in infer.c. */
#include "nn/model.h"

#include "base/alloc.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

inarch_status ia_model_new(ia_model_kind kind, const char *name, ia_model **out, inarch_error *err)
{
    ia_model *m = ia_calloc(1, sizeof *m);
    if (!m)
        return ia_fail_memory(err, "a model", sizeof *m);
    m->kind = kind;
    m->generation = 3;
    m->trainable = true;
    m->name = ia_strdup(name);
    m->class_name = ia_strdup(kind == IA_SEQUENTIAL ? "Sequential" : "Functional");
    m->meta = json_object();
    if (!m->name || !m->class_name || !m->meta) {
        ia_model_free(m);
        return ia_fail_memory(err, "a model", sizeof *m);
    }
    *out = m;
    return INARCH_OK;
}

static void call_release(ia_call *c)
{
    ia_free(c->in);
    ia_free(c->out);
    json_decref(c->kwargs);
}

void ia_model_free(ia_model *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->call_count; i++)
        call_release(&m->calls[i]);
    for (size_t i = 0; i < m->layer_count; i++)
        ia_layer_free(m->layers[i]);
    ia_free(m->calls);
    ia_free(m->layers);
    ia_free(m->inputs);
    ia_free(m->outputs);
    ia_free(m->name);
    ia_free(m->class_name);
    ia_free(m->keras_version);
    json_decref(m->compile.optimizer);
    json_decref(m->compile.loss);
    json_decref(m->compile.metrics);
    json_decref(m->compile.loss_weights);
    json_decref(m->compile.source);
    json_decref(m->meta);
    json_decref(m->source);
    ia_free(m);
}

/* ---- construction ---- */

inarch_status ia_model_add_layer(ia_model *m, ia_layer *l, inarch_error *err)
{
    for (size_t i = 0; i < m->layer_count; i++)
        if (strcmp(m->layers[i]->name, l->name) == 0)
            return ia_fail(err, INARCH_BAD_ARGUMENT, l->name, "give one of them another name",
                           "the model '%s' has a layer '%s' already", m->name, l->name);
    IA_TRY(ia_grow(&m->layers, &m->layer_cap, m->layer_count, sizeof *m->layers, "layers", err));
    m->layers[m->layer_count++] = l;
    return INARCH_OK;
}

/* The number of outputs a call of `l` has. */
static size_t output_count(const ia_layer *l)
{
    return l->child ? l->child->output_count : 1;
}

static inarch_status copy_refs(const ia_ref *refs, size_t n, ia_ref **out, inarch_error *err)
{
    ia_ref *copy = ia_calloc(n, sizeof *copy);
    if (!copy)
        return ia_fail_memory(err, "the model's graph", n * sizeof *copy);
    if (n)
        memcpy(copy, refs, n * sizeof *copy);
    *out = copy;
    return INARCH_OK;
}

/* A call without inputs and with unknown output shapes, to be filled by the caller. */
static inarch_status call_init(ia_layer *l, ia_call *c, inarch_error *err)
{
    memset(c, 0, sizeof *c);
    c->layer = l;
    c->training = IA_TRAINING_UNSET;
    c->out_count = output_count(l);
    c->out = ia_calloc(c->out_count, sizeof *c->out);
    if (!c->out)
        return ia_fail_memory(err, "the model's graph", c->out_count * sizeof *c->out);
    for (size_t i = 0; i < c->out_count; i++)
        c->out[i].rank = -1;
    return INARCH_OK;
}

inarch_status ia_model_add_call(ia_model *m, ia_layer *l, const ia_ref *in, size_t in_count,
                                inarch_error *err)
{
    for (size_t i = 0; i < in_count; i++)
        if (in[i].call >= m->call_count || in[i].output >= m->calls[in[i].call].out_count)
            return ia_fail(err, INARCH_BAD_FILE, l->name, "",
                           "layer '%s' takes its input from an output that does not exist",
                           l->name);
    IA_TRY(ia_grow(&m->calls, &m->call_cap, m->call_count, sizeof *m->calls, "calls", err));
    ia_call c;
    IA_TRY(call_init(l, &c, err));
    inarch_status status = copy_refs(in, in_count, &c.in, err);
    if (status != INARCH_OK) {
        call_release(&c);
        return status;
    }
    c.in_count = in_count;
    m->calls[m->call_count++] = c;
    return INARCH_OK;
}

inarch_status ia_model_set_inputs(ia_model *m, const ia_ref *refs, size_t n, inarch_error *err)
{
    ia_ref *copy;
    IA_TRY(copy_refs(refs, n, &copy, err));
    ia_free(m->inputs);
    m->inputs = copy;
    m->input_count = n;
    return INARCH_OK;
}

inarch_status ia_model_set_outputs(ia_model *m, const ia_ref *refs, size_t n, inarch_error *err)
{
    ia_ref *copy;
    IA_TRY(copy_refs(refs, n, &copy, err));
    ia_free(m->outputs);
    m->outputs = copy;
    m->output_count = n;
    return INARCH_OK;
}

static inarch_status initialize_model(ia_model *m, uint64_t seed, uint64_t *index,
                                      inarch_error *err)
{
    for (size_t i = 0; i < m->layer_count; i++) {
        ia_layer *l = m->layers[i];
        if (l->child)
            IA_TRY(initialize_model(l->child, seed, index, err));
        else
            IA_TRY(ia_layer_initialize(l, seed, index, err));
    }
    return INARCH_OK;
}

inarch_status ia_model_initialize(ia_model *m, uint64_t seed, inarch_error *err)
{
    uint64_t index = 0;
    return initialize_model(m, seed, &index, err);
}

/* ---- cloning ---- */

static inarch_status clone_layers(const ia_model *m, ia_model *copy, inarch_error *err)
{
    for (size_t i = 0; i < m->layer_count; i++) {
        ia_layer *l;
        IA_TRY(ia_layer_clone(m->layers[i], &l, err));
        inarch_status status = ia_model_add_layer(copy, l, err);
        if (status != INARCH_OK) {
            ia_layer_free(l);
            return status;
        }
    }
    return INARCH_OK;
}

static size_t layer_index(const ia_model *m, const ia_layer *l)
{
    size_t i = 0;
    while (i < m->layer_count && m->layers[i] != l)
        i++;
    return i;
}

static inarch_status clone_calls(const ia_model *m, ia_model *copy, inarch_error *err)
{
    for (size_t i = 0; i < m->call_count; i++) {
        const ia_call *from = &m->calls[i];
        ia_layer *l = copy->layers[layer_index(m, from->layer)];
        IA_TRY(ia_model_add_call(copy, l, from->in, from->in_count, err));
        ia_call *to = &copy->calls[i];
        to->training = from->training;
        memcpy(to->out, from->out, from->out_count * sizeof *to->out);
        if (from->kwargs && !(to->kwargs = json_deep_copy(from->kwargs)))
            return ia_fail_memory(err, "a copy of the model", 0);
    }
    IA_TRY(ia_model_set_inputs(copy, m->inputs, m->input_count, err));
    return ia_model_set_outputs(copy, m->outputs, m->output_count, err);
}

/* Deep, so that clones in different threads never share jansson's plain reference counts. */
static bool copy_json(const json_t *from, json_t **to)
{
    json_t *copy = from ? json_deep_copy(from) : NULL;
    if (from && !copy)
        return false;
    json_decref(*to);
    *to = copy;
    return true;
}

static bool copy_text(const char *from, char **to)
{
    char *copy = from ? ia_strdup(from) : NULL;
    if (from && !copy)
        return false;
    ia_free(*to);
    *to = copy;
    return true;
}

inarch_status ia_model_clone(const ia_model *m, ia_model **out, inarch_error *err)
{
    ia_model *copy;
    IA_TRY(ia_model_new(m->kind, m->name, &copy, err));
    copy->generation = m->generation;
    copy->trainable = m->trainable;
    copy->step = m->step;
    copy->foreign_moments = m->foreign_moments;
    inarch_status status = INARCH_OK;
    if (!copy_text(m->class_name, &copy->class_name) ||
        !copy_text(m->keras_version, &copy->keras_version) ||
        !copy_json(m->compile.optimizer, &copy->compile.optimizer) ||
        !copy_json(m->compile.loss, &copy->compile.loss) ||
        !copy_json(m->compile.metrics, &copy->compile.metrics) ||
        !copy_json(m->compile.loss_weights, &copy->compile.loss_weights) ||
        !copy_json(m->compile.source, &copy->compile.source) || !copy_json(m->meta, &copy->meta) ||
        !copy_json(m->source, &copy->source))
        status = ia_fail_memory(err, "a copy of the model", 0);
    if (status == INARCH_OK)
        status = clone_layers(m, copy, err);
    if (status == INARCH_OK)
        status = clone_calls(m, copy, err);
    if (status != INARCH_OK) {
        ia_model_free(copy);
        return status;
    }
    *out = copy;
    return INARCH_OK;
}

/* ---- questions ---- */

ia_layer *ia_model_layer(const ia_model *m, const char *path)
{
    /* Names may hold '/' themselves: an exact name wins, then each prefix that is a nested model.
     */
    for (size_t i = 0; i < m->layer_count; i++)
        if (strcmp(m->layers[i]->name, path) == 0)
            return m->layers[i];
    for (size_t i = 0; i < m->layer_count; i++) {
        const ia_layer *l = m->layers[i];
        size_t n = strlen(l->name);
        if (l->child && strncmp(path, l->name, n) == 0 && path[n] == '/') {
            ia_layer *found = ia_model_layer(l->child, path + n + 1);
            if (found)
                return found;
        }
    }
    return NULL;
}

static bool is_counted(const ia_model *m, const ia_layer *l)
{
    return m->kind != IA_SEQUENTIAL || !(l->cls->flags & IA_LAYER_INPUT);
}

size_t ia_model_counted(const ia_model *m)
{
    size_t n = 0;
    for (size_t i = 0; i < m->layer_count; i++)
        n += is_counted(m, m->layers[i]);
    return n;
}

ia_layer *ia_model_counted_at(const ia_model *m, size_t index)
{
    for (size_t i = 0; i < m->layer_count; i++)
        if (is_counted(m, m->layers[i]) && index-- == 0)
            return m->layers[i];
    return NULL;
}

char *ia_model_fresh_name(const ia_model *m, const char *stem)
{
    for (size_t n = 0;; n++) {
        char *name = n ? ia_asprintf("%s_%zu", stem, n) : ia_strdup(stem);
        size_t i = 0;
        while (name && i < m->layer_count && strcmp(m->layers[i]->name, name) != 0)
            i++;
        if (!name || i == m->layer_count)
            return name;
        ia_free(name);
    }
}

size_t ia_model_call_of(const ia_model *m, const ia_layer *l)
{
    for (size_t i = 0; i < m->call_count; i++)
        if (m->calls[i].layer == l)
            return i;
    return SIZE_MAX;
}

static inarch_status walk(const ia_model *m, const char *prefix, bool trainable,
                          ia_layer_visit *visit, void *context, inarch_error *err)
{
    inarch_status status = INARCH_OK;
    for (size_t i = 0; i < m->layer_count && status == INARCH_OK; i++) {
        ia_layer *l = m->layers[i];
        char *path = *prefix ? ia_asprintf("%s/%s", prefix, l->name) : ia_strdup(l->name);
        if (!path)
            return ia_fail_memory(err, "a layer's path", 0);
        bool on = trainable && l->trainable;
        status = visit(context, m, l, path, on, err);
        if (status == INARCH_OK && l->child)
            status = walk(l->child, path, on, visit, context, err);
        ia_free(path);
    }
    return status;
}

inarch_status ia_model_walk(const ia_model *m, ia_layer_visit *visit, void *context,
                            inarch_error *err)
{
    return walk(m, "", true, visit, context, err);
}

static void count_parameters(const ia_model *m, bool trainable, ia_counts *c)
{
    for (size_t i = 0; i < m->layer_count; i++) {
        const ia_layer *l = m->layers[i];
        bool on = trainable && l->trainable;
        if (l->child)
            count_parameters(l->child, on, c);
        for (size_t v = 0; v < l->variable_count; v++) {
            size_t n = ia_array_count(&l->variables[v].value);
            c->total += n;
            if (on && l->variables[v].trainable)
                c->trainable += n;
        }
    }
}

ia_counts ia_model_count(const ia_model *m)
{
    ia_counts c = {0, 0};
    count_parameters(m, true, &c);
    return c;
}

/* ---- edits ---- */

static void mark_needed(const ia_model *m, bool *needed)
{
    for (size_t i = 0; i < m->output_count; i++)
        needed[m->outputs[i].call] = true;
    for (size_t i = 0; i < m->input_count; i++) /* Keras keeps an input that nothing reads */
        needed[m->inputs[i].call] = true;
    for (size_t c = m->call_count; c-- > 0;)
        if (needed[c])
            for (size_t i = 0; i < m->calls[c].in_count; i++)
                needed[m->calls[c].in[i].call] = true;
}

/* Layers whose every call is gone. */
static void drop_uncalled_layers(ia_model *m)
{
    size_t kept = 0;
    for (size_t i = 0; i < m->layer_count; i++) {
        ia_layer *l = m->layers[i];
        if (ia_model_call_of(m, l) == SIZE_MAX)
            ia_layer_free(l);
        else
            m->layers[kept++] = l;
    }
    m->layer_count = kept;
}

inarch_status ia_model_prune(ia_model *m, inarch_error *err)
{
    bool *needed = ia_calloc(m->call_count, sizeof *needed);
    size_t *moved = ia_calloc(m->call_count, sizeof *moved);
    if (!needed || !moved) {
        ia_free(needed);
        ia_free(moved);
        return ia_fail_memory(err, "the model's graph", m->call_count);
    }
    mark_needed(m, needed);
    size_t kept = 0;
    for (size_t c = 0; c < m->call_count; c++) {
        if (!needed[c]) {
            call_release(&m->calls[c]);
            continue;
        }
        moved[c] = kept;
        m->calls[kept] = m->calls[c];
        for (size_t i = 0; i < m->calls[kept].in_count; i++)
            m->calls[kept].in[i].call = moved[m->calls[kept].in[i].call];
        kept++;
    }
    m->call_count = kept;
    for (size_t i = 0; i < m->output_count; i++)
        m->outputs[i].call = moved[m->outputs[i].call];
    for (size_t i = 0; i < m->input_count; i++)
        m->inputs[i].call = moved[m->inputs[i].call];
    ia_free(needed);
    ia_free(moved);
    drop_uncalled_layers(m);
    return INARCH_OK;
}
