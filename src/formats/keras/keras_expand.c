/* hard_sigmoid written out: Dense(hard_sigmoid) becomes Dense(linear), Rescaling(slope, 0.5) and
 * ReLU(max_value=1), which every Keras since 2.6 computes alike, and back when we read our own
 * file.
 *
 * A layer that is penalised for its output (activity_regularizer) keeps the name: the penalty is on
 * what the activation gives. Such a model computes its own generation's hard_sigmoid. */
#include "formats/keras/keras_expand.h"

#include "base/alloc.h"
#include "formats/keras/keras.h"

#include <stdio.h>
#include <string.h>

#define SCALE "_slope"
#define CLIP "_clip"

/* ---- the activation of a layer ---- */

static const ia_field *expand_field(const ia_layer *l)
{
    for (size_t i = 0; i < l->cls->field_count; i++)
        if (l->cls->fields[i].type == IA_FIELD_ACTIVATION)
            return &l->cls->fields[i];
    return NULL;
}

static ia_activation *expand_activation(const ia_layer *l)
{
    const ia_field *f = l->config ? expand_field(l) : NULL;
    return f ? (ia_activation *)(void *)((char *)l->config + f->offset) : NULL;
}

static bool expand_wanted(const ia_layer *l)
{
    const ia_activation *a = expand_activation(l);
    const ia_regularizer *activity = ia_layer_activity(l);
    return a && a->cls && strcmp(a->cls->name, "hard_sigmoid") == 0 &&
           !(activity && ia_regularizer_active(activity));
}

static bool expand_any(const ia_model *m)
{
    for (size_t i = 0; i < m->layer_count; i++)
        if (m->layers[i]->child ? expand_any(m->layers[i]->child) : expand_wanted(m->layers[i]))
            return true;
    return false;
}

/* ---- changing the calls of a model ---- */

/* The calls are taken out and added again one by one; `moved` maps an old call to the one that now
 * gives its output. */
typedef struct expand_calls {
    ia_call *old;
    size_t count;
    size_t *moved;
} expand_calls;

static inarch_status expand_begin(ia_model *m, expand_calls *c, inarch_error *err)
{
    *c = (expand_calls){m->calls, m->call_count, ia_calloc(m->call_count, sizeof *c->moved)};
    if (!c->moved)
        return ia_fail_memory(err, "the model's graph", m->call_count * sizeof *c->moved);
    m->calls = NULL;
    m->call_count = m->call_cap = 0;
    return INARCH_OK;
}

static void expand_end(ia_model *m, expand_calls *c, bool ok)
{
    for (size_t i = 0; i < c->count; i++) {
        ia_free(c->old[i].in);
        ia_free(c->old[i].out);
        json_decref(c->old[i].kwargs);
    }
    for (size_t i = 0; i < m->input_count && ok; i++)
        m->inputs[i].call = c->moved[m->inputs[i].call];
    for (size_t i = 0; i < m->output_count && ok; i++)
        m->outputs[i].call = c->moved[m->outputs[i].call];
    ia_free(c->old);
    ia_free(c->moved);
}

static inarch_status expand_add(ia_model *m, expand_calls *c, size_t i, inarch_error *err)
{
    ia_call *from = &c->old[i];
    for (size_t k = 0; k < from->in_count; k++)
        from->in[k].call = c->moved[from->in[k].call];
    IA_TRY(ia_model_add_call(m, from->layer, from->in, from->in_count, err));
    ia_call *to = &m->calls[m->call_count - 1];
    to->training = from->training;
    to->kwargs = json_incref(from->kwargs);
    memcpy(to->out, from->out, from->out_count * sizeof *to->out);
    c->moved[i] = m->call_count - 1;
    return INARCH_OK;
}

/* ---- expanding ---- */

typedef struct expand_pair { /* by position in m->layers; NULL where nothing is written out */
    ia_layer *scale, *clip;
} expand_pair;

static inarch_status expand_layer(ia_model *m, const ia_layer *of, const char *class_name,
                                  const char *suffix, const char *key, const char *value,
                                  ia_layer **out, inarch_error *err)
{
    const ia_layer_class *cls = ia_layer_class_find(class_name);
    const ia_field *f = ia_field_find(cls->fields, cls->field_count, key);
    char *stem = ia_asprintf("%s%s", of->name, suffix);
    char *name = stem ? ia_model_fresh_name(m, stem) : NULL;
    ia_layer *l = NULL;
    inarch_status status = name ? ia_layer_new(cls, name, &l, err)
                                : ia_fail_memory(err, "a layer's name", strlen(of->name));
    ia_free(stem);
    ia_free(name);
    IA_TRY(status);
    l->trainable = of->trainable;
    l->built = true;
    status = ia_field_set_text(f, l->config, value, l->name, err);
    if (status == INARCH_OK)
        status = ia_model_add_layer(m, l, err);
    if (status != INARCH_OK) {
        ia_layer_free(l);
        return status;
    }
    *out = l;
    return INARCH_OK;
}

/* Both new layers stand behind the one they are of: a Sequential is its list. */
static void expand_place(ia_model *m, size_t at)
{
    ia_layer *pair[2] = {m->layers[m->layer_count - 2], m->layers[m->layer_count - 1]};
    memmove(m->layers + at + 3, m->layers + at + 1, (m->layer_count - at - 3) * sizeof *m->layers);
    m->layers[at + 1] = pair[0];
    m->layers[at + 2] = pair[1];
}

static inarch_status expand_note(json_t *folded, const char *path, const ia_layer *scale,
                                 const ia_layer *clip, bool keras2, inarch_error *err)
{
    return ia_keras_set(folded, path,
                        json_pack("{s:s, s:i, s:s, s:s}", "activation", "hard_sigmoid",
                                  "generation", keras2 ? 2 : 3, "slope", scale->name, "clip",
                                  clip->name),
                        err);
}

static inarch_status expand_one(ia_model *m, size_t at, const char *prefix, json_t *folded,
                                inarch_error *err)
{
    ia_layer *l = m->layers[at], *scale, *clip;
    ia_activation *a = expand_activation(l);
    const ia_field *offset;
    char slope[32];
    bool keras2 = a->param[0] > 0.19f; /* 0.2, not 1/6 */
    if (snprintf(slope, sizeof slope, "%.9g", (double)a->param[0]) < 0)
        slope[0] = 0;
    IA_TRY(expand_layer(m, l, "Rescaling", SCALE, "scale", slope, &scale, err));
    IA_TRY(expand_layer(m, l, "ReLU", CLIP, "max_value", "1", &clip, err));
    expand_place(m, at);
    offset = ia_field_find(scale->cls->fields, scale->cls->field_count, "offset");
    IA_TRY(ia_field_set_text(offset, scale->config, "0.5", scale->name, err));
    IA_TRY(ia_field_set_text(expand_field(l), l->config, "linear", l->name, err));
    char *path = *prefix ? ia_asprintf("%s/%s", prefix, l->name) : ia_strdup(l->name);
    inarch_status status = path ? expand_note(folded, path, scale, clip, keras2, err)
                                : ia_fail_memory(err, "a layer's path", strlen(l->name));
    ia_free(path);
    return status;
}

/* After each call of an expanded layer, calls of the two behind it. */
static inarch_status expand_calls_of(ia_model *m, const expand_pair *pairs, expand_calls *c,
                                     inarch_error *err)
{
    for (size_t i = 0; i < c->count; i++) {
        IA_TRY(expand_add(m, c, i, err));
        size_t at = 0;
        while (m->layers[at] != c->old[i].layer)
            at++;
        if (!pairs[at].scale)
            continue;
        ia_layer *chain[2] = {pairs[at].scale, pairs[at].clip};
        for (int k = 0; k < 2; k++) {
            ia_ref in = {c->moved[i], 0};
            IA_TRY(ia_model_add_call(m, chain[k], &in, 1, err));
            m->calls[m->call_count - 1].out[0] = c->old[i].out[0];
            c->moved[i] = m->call_count - 1;
        }
    }
    return INARCH_OK;
}

static inarch_status expand_model(ia_model *m, const char *prefix, json_t *folded,
                                  inarch_error *err);

static inarch_status expand_child(const ia_layer *l, const char *prefix, json_t *folded,
                                  inarch_error *err)
{
    char *path = *prefix ? ia_asprintf("%s/%s", prefix, l->name) : ia_strdup(l->name);
    inarch_status status = path ? expand_model(l->child, path, folded, err)
                                : ia_fail_memory(err, "a layer's path", strlen(l->name));
    ia_free(path);
    return status;
}

static inarch_status expand_pairs(ia_model *m, const char *prefix, json_t *folded,
                                  inarch_error *err)
{
    for (size_t i = 0; i < m->layer_count; i++) {
        if (m->layers[i]->child)
            IA_TRY(expand_child(m->layers[i], prefix, folded, err));
        else if (expand_wanted(m->layers[i]))
            IA_TRY(expand_one(m, i, prefix, folded, err));
    }
    return INARCH_OK;
}

static inarch_status expand_model(ia_model *m, const char *prefix, json_t *folded,
                                  inarch_error *err)
{
    ia_layer **had = ia_calloc(m->layer_count, sizeof *had);
    size_t had_count = m->layer_count;
    if (!had)
        return ia_fail_memory(err, "layers", had_count * sizeof *had);
    memcpy(had, m->layers, had_count * sizeof *had);
    inarch_status status = expand_pairs(m, prefix, folded, err);
    expand_pair *pairs = ia_calloc(m->layer_count, sizeof *pairs);
    if (status == INARCH_OK && !pairs)
        status = ia_fail_memory(err, "layers", m->layer_count * sizeof *pairs);
    for (size_t i = 0, k = 0; i < m->layer_count && status == INARCH_OK; i++) {
        if (k < had_count && m->layers[i] == had[k])
            k++; /* was there */
        else if (m->layers[i - 1] == had[k - 1])
            pairs[i - 1] = (expand_pair){m->layers[i], m->layers[i + 1]};
    }
    ia_free(had);
    expand_calls c;
    if (status == INARCH_OK)
        status = expand_begin(m, &c, err);
    if (status == INARCH_OK) {
        status = expand_calls_of(m, pairs, &c, err);
        expand_end(m, &c, status == INARCH_OK);
    }
    ia_free(pairs);
    return status;
}

inarch_status ia_keras_expand(const ia_model *m, ia_model **out, json_t **folded, inarch_error *err)
{
    *out = NULL;
    *folded = NULL;
    if (!expand_any(m))
        return INARCH_OK;
    ia_model *copy;
    IA_TRY(ia_model_clone(m, &copy, err));
    json_t *notes = json_object();
    inarch_status status =
        notes ? expand_model(copy, "", notes, err) : ia_fail_memory(err, "JSON", sizeof *notes);
    if (status != INARCH_OK) {
        ia_model_free(copy);
        json_decref(notes);
        return status;
    }
    *out = copy;
    *folded = notes;
    return INARCH_OK;
}

/* ---- folding ---- */

/* The model a path leads into, and the name of the layer in it. */
static ia_model *fold_parent(ia_model *m, const char *path, const char **name)
{
    for (size_t i = 0; i < m->layer_count; i++)
        if (strcmp(m->layers[i]->name, path) == 0) {
            *name = path;
            return m;
        }
    for (size_t i = 0; i < m->layer_count; i++) {
        const ia_layer *l = m->layers[i];
        size_t n = strlen(l->name);
        if (l->child && strncmp(path, l->name, n) == 0 && path[n] == '/') {
            ia_model *found = fold_parent(l->child, path + n + 1, name);
            if (found)
                return found;
        }
    }
    return NULL;
}

/* Every call of `l` reads a call of `of` and nothing else. */
static bool fold_follows(const ia_model *m, const ia_layer *l, const ia_layer *of)
{
    for (size_t i = 0; i < m->call_count; i++)
        if (m->calls[i].layer == l &&
            (m->calls[i].in_count != 1 || m->calls[m->calls[i].in[0].call].layer != of))
            return false;
    return ia_model_call_of(m, l) != SIZE_MAX;
}

/* Nothing but `by` reads `l`. */
static bool fold_is_only_reader(const ia_model *m, const ia_layer *l, const ia_layer *by)
{
    for (size_t i = 0; i < m->call_count; i++)
        for (size_t k = 0; k < m->calls[i].in_count; k++)
            if (m->calls[m->calls[i].in[k].call].layer == l && m->calls[i].layer != by)
                return false;
    for (size_t i = 0; i < m->output_count; i++)
        if (m->calls[m->outputs[i].call].layer == l)
            return false;
    return true;
}

static inarch_status fold_calls(ia_model *m, const ia_layer *scale, const ia_layer *clip,
                                inarch_error *err)
{
    expand_calls c;
    IA_TRY(expand_begin(m, &c, err));
    inarch_status status = INARCH_OK;
    for (size_t i = 0; i < c.count && status == INARCH_OK; i++) {
        if (c.old[i].layer == scale || c.old[i].layer == clip)
            c.moved[i] = c.moved[c.old[i].in[0].call];
        else
            status = expand_add(m, &c, i, err);
    }
    expand_end(m, &c, status == INARCH_OK);
    return status;
}

static void fold_drop(ia_model *m, const ia_layer *l)
{
    size_t kept = 0;
    for (size_t i = 0; i < m->layer_count; i++)
        if (m->layers[i] == l)
            ia_layer_free(m->layers[i]);
        else
            m->layers[kept++] = m->layers[i];
    m->layer_count = kept;
}

static bool fold_is(const ia_layer *l, const char *class_name)
{
    return l && strcmp(l->cls->name, class_name) == 0;
}

static inarch_status fold_one(ia_model *m, const char *path, const json_t *how, inarch_error *err)
{
    const char *name;
    ia_model *in = fold_parent(m, path, &name);
    ia_layer *l = in ? ia_model_layer(in, name) : NULL;
    ia_layer *scale = in ? ia_model_layer(in, ia_json_string(how, "slope", "")) : NULL;
    ia_layer *clip = in ? ia_model_layer(in, ia_json_string(how, "clip", "")) : NULL;
    const ia_activation *a = l ? expand_activation(l) : NULL;
    bool same = a && (!a->cls || strcmp(a->cls->name, "linear") == 0) &&
                fold_is(scale, "Rescaling") && fold_is(clip, "ReLU") &&
                fold_follows(in, scale, l) && fold_follows(in, clip, scale) &&
                fold_is_only_reader(in, l, scale) && fold_is_only_reader(in, scale, clip);
    if (!same)
        return INARCH_OK;
    json_t *value = json_string(ia_json_string(how, "activation", "hard_sigmoid"));
    if (!value)
        return ia_fail_memory(err, "JSON", sizeof *value);
    inarch_status status = ia_field_set_json(expand_field(l), l->config, value,
                                             (int)ia_json_int(how, "generation", 3), l->name, err);
    json_decref(value);
    IA_TRY(status);
    IA_TRY(fold_calls(in, scale, clip, err));
    fold_drop(in, scale);
    fold_drop(in, clip);
    return INARCH_OK;
}

inarch_status ia_keras_fold(ia_model *m, const json_t *folded, inarch_error *err)
{
    const char *path;
    json_t *how;
    json_object_foreach((json_t *)(uintptr_t)folded, path, how) IA_TRY(fold_one(m, path, how, err));
    return INARCH_OK;
}
