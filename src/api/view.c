/* The view: what the getters lend about a model, made once and dropped when the model changes. */
#include "api/handle.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "train/metric.h"
#include "train/optimizer.h"

#include <stdio.h>
#include <string.h>

/* ---- texts ---- */

static inarch_status keep(api_view *v, char *text, const char **out, inarch_error *err)
{
    inarch_status status = INARCH_OK;
    if (!text)
        status = ia_fail_memory(err, "a description of the model", 0);
    else
        status = ia_grow(&v->texts, &v->text_cap, v->text_count, sizeof *v->texts,
                         "a description of the model", err);
    if (status != INARCH_OK) {
        ia_free(text);
        return status;
    }
    v->texts[v->text_count++] = text;
    *out = text;
    return INARCH_OK;
}

/* `status`: how writing the buffer went. It is freed in any case. */
static inarch_status keep_buf(api_view *v, ia_buf *b, inarch_status status, const char **out,
                              inarch_error *err)
{
    if (status == INARCH_OK)
        status = keep(v, ia_strdup(b->data ? (const char *)b->data : ""), out, err);
    ia_buf_free(b);
    return status;
}

/* What differs from the defaults: values of the leading fields bare, others with their names. */
static inarch_status settings_text(const ia_layer *l, ia_buf *b, inarch_error *err)
{
    for (size_t i = 0; l->config && i < l->cls->field_count; i++) {
        const ia_field *f = &l->cls->fields[i];
        char value[128];
        if (f->fallback && ia_field_is_default(f, l->config))
            continue;
        ia_field_to_text(f, l->config, value, sizeof value);
        bool bare = !f->fallback || strcmp(f->key, "activation") == 0;
        IA_TRY(ia_buf_printf(b, err, "%s%s%s%s", b->len ? ", " : "", bare ? "" : f->key,
                             bare ? "" : "=", value));
    }
    return INARCH_OK;
}

static inarch_status inputs_text(const ia_model *m, size_t call, ia_buf *b, inarch_error *err)
{
    const ia_call *c = &m->calls[call];
    if (c->in_count == 0 || (c->in_count == 1 && c->in[0].call + 1 == call))
        return INARCH_OK;
    for (size_t i = 0; i < c->in_count; i++)
        IA_TRY(ia_buf_printf(b, err, "%s%s", i ? ", " : "", m->calls[c->in[i].call].layer->name));
    return INARCH_OK;
}

/* ---- layers and weights ---- */

static bool computable(const ia_layer *l)
{
    if (l->cls->flags & IA_LAYER_OPAQUE)
        return false;
    for (size_t i = 0; l->child && i < l->child->layer_count; i++)
        if (!computable(l->child->layers[i]))
            return false;
    return true;
}

static size_t parameters(const ia_layer *l)
{
    size_t n = 0;
    for (size_t i = 0; i < l->variable_count; i++)
        n += ia_array_count(&l->variables[i].value);
    for (size_t i = 0; l->child && i < l->child->layer_count; i++)
        n += parameters(l->child->layers[i]);
    return n;
}

static inarch_status add_weights(api_view *v, const ia_layer *l, const char *path,
                                 inarch_error *err)
{
    for (size_t i = 0; i < l->variable_count; i++) {
        const ia_variable *var = &l->variables[i];
        IA_TRY(ia_grow(&v->weights, &v->weight_cap, v->weight_count, sizeof *v->weights,
                       "a description of the model", err));
        inarch_weight w = {.size = sizeof w,
                           .shape = api_shape(&var->value.shape),
                           .count = ia_array_count(&var->value),
                           .trainable = var->trainable,
                           .step = var->slots.step};
        if (var->value.dtype == IA_F32)
            w.data = ia_array_data(&var->value);
        IA_TRY(keep(v, ia_asprintf("%s/%s", path, var->name), &w.path, err));
        v->weights[v->weight_count++] = w;
    }
    return INARCH_OK;
}

typedef struct layer_walk {
    api_view *view;
    const ia_model *top;
} layer_walk;

static size_t call_count(const ia_model *m, const ia_layer *l)
{
    size_t n = 0;
    for (size_t c = 0; c < m->call_count; c++)
        n += m->calls[c].layer == l;
    return n;
}

/* How many models are around `m`, counted from `top`; SIZE_MAX when it is not inside. */
static size_t depth_of(const ia_model *top, const ia_model *m)
{
    if (top == m)
        return 0;
    for (size_t i = 0; i < top->layer_count; i++) {
        const ia_model *child = top->layers[i]->child;
        size_t inside = child ? depth_of(child, m) : SIZE_MAX;
        if (inside != SIZE_MAX)
            return inside + 1;
    }
    return SIZE_MAX;
}

static inarch_status add_layer(void *context, const ia_model *m, ia_layer *l, const char *path,
                               bool live, inarch_error *err)
{
    layer_walk *walk = context;
    api_view *v = walk->view;
    IA_TRY(ia_grow(&v->layers, &v->layer_cap, v->layer_count, sizeof *v->layers,
                   "a description of the model", err));
    size_t call = ia_model_call_of(m, l);
    inarch_layer out = {.size = sizeof out,
                        .class_name = l->class_name,
                        .depth = depth_of(walk->top, m),
                        .trainable = l->trainable,
                        .live = live,
                        .computable = computable(l),
                        .parameters = parameters(l),
                        .weights = l->variable_count,
                        .calls = call_count(m, l),
                        .output = {.rank = -1},
                        .learning_rate = l->learning_rate};
    out.counted = m == walk->top && (m->kind != IA_SEQUENTIAL || !(l->cls->flags & IA_LAYER_INPUT));
    ia_buf settings = IA_BUF(4096), inputs = IA_BUF(1 << 20);
    IA_TRY(keep_buf(v, &settings, settings_text(l, &settings, err), &out.settings, err));
    inarch_status status = INARCH_OK;
    if (call != SIZE_MAX) {
        out.output = api_shape(&m->calls[call].out[0]);
        status = inputs_text(m, call, &inputs, err);
    }
    IA_TRY(keep_buf(v, &inputs, status, &out.inputs, err));
    IA_TRY(keep(v, ia_strdup(path), &out.path, err));
    v->layers[v->layer_count++] = out;
    return add_weights(v, l, out.path, err);
}

/* ---- ports and compile state ---- */

const ia_layer *api_output_layer(const ia_model *doc, size_t output)
{
    ia_ref r = doc->outputs[output];
    const ia_layer *l = doc->calls[r.call].layer;
    return l->child ? api_output_layer(l->child, r.output) : l;
}

static inarch_status add_ports(api_view *v, const ia_model *m, int direction, inarch_error *err)
{
    const ia_ref *refs = direction == INARCH_INPUT ? m->inputs : m->outputs;
    size_t n = direction == INARCH_INPUT ? m->input_count : m->output_count;
    v->ports[direction] = ia_calloc(n, sizeof(inarch_port));
    if (!v->ports[direction])
        return ia_fail_memory(err, "a description of the model", n * sizeof(inarch_port));
    for (size_t i = 0; i < n; i++) {
        const ia_call *c = &m->calls[refs[i].call];
        inarch_port *p = &v->ports[direction][i];
        *p = (inarch_port){.size = sizeof *p, .name = c->layer->name, .activation = "linear"};
        p->shape = api_shape(&c->out[refs[i].output]);
        if (direction == INARCH_INPUT)
            continue;
        const ia_layer *l = api_output_layer(m, i);
        const ia_activation *a = l->cls->activation ? l->cls->activation(l) : NULL;
        if (a)
            p->activation = a->cls->name;
    }
    return INARCH_OK;
}

/* A name, {"class_name"}, or a list or object of them, as text. */
static inarch_status compile_text(const json_t *value, ia_buf *b, inarch_error *err)
{
    size_t i;
    const char *key;
    json_t *item;
    if (json_is_string(value))
        return ia_buf_text(b, json_string_value(value), err);
    if (json_is_array(value)) {
        json_array_foreach(value, i, item)
        {
            if (b->len && i)
                IA_TRY(ia_buf_text(b, ", ", err));
            IA_TRY(compile_text(item, b, err));
        }
        return INARCH_OK;
    }
    const char *name = ia_json_string(value, "class_name", NULL);
    if (name)
        return ia_buf_text(b, name, err);
    bool first = true;
    json_object_foreach((json_t *)(uintptr_t)value, key, item)
    {
        size_t before = b->len;
        IA_TRY(ia_buf_printf(b, err, "%s%s=", first ? "" : ", ", key));
        size_t bare = b->len;
        IA_TRY(compile_text(item, b, err));
        if (b->len == bare) { /* an output without any is left out */
            b->len = before;
            b->data[before] = 0;
        } else {
            first = false;
        }
    }
    return INARCH_OK;
}

static inarch_status keep_compile(api_view *v, const json_t *value, const char **out,
                                  inarch_error *err)
{
    ia_buf b = IA_BUF(1 << 16);
    return keep_buf(v, &b, compile_text(value, &b, err), out, err);
}

static inarch_status keep_optimizer(api_view *v, const json_t *value, const char **out,
                                    inarch_error *err)
{
    ia_optimizer o;
    ia_schedule s = {0};
    char text[256];
    if (!value || ia_optimizer_from_json(value, &o, &s, NULL) != INARCH_OK)
        return keep_compile(v, value, out, err);
    ia_optimizer_to_text(&o, text, sizeof text);
    return keep(v, ia_strdup(text), out, err);
}

static inarch_status fill_info(api_view *v, const ia_model *m, inarch_error *err)
{
    ia_counts counts = ia_model_count(m);
    v->info = (inarch_info){.size = sizeof v->info,
                            .name = m->name,
                            .kind = m->class_name,
                            .keras_version = m->keras_version ? m->keras_version : "",
                            .layers = ia_model_counted(m),
                            .all_layers = v->layer_count,
                            .weights = v->weight_count,
                            .inputs = m->input_count,
                            .outputs = m->output_count,
                            .parameters = counts.total,
                            .trainable_parameters = counts.trainable,
                            .classes = json_array_size(json_object_get(m->meta, "classes")),
                            .columns = json_array_size(json_object_get(m->meta, "columns")),
                            .step = m->step,
                            .computable = 1};
    for (size_t i = 0; i < v->layer_count; i++)
        v->info.computable = v->info.computable && v->layers[i].computable;
    IA_TRY(keep_compile(v, m->compile.loss, &v->info.loss, err));
    const json_t *names = json_object_get(m->meta, "metrics"); /* as they were asked for */
    IA_TRY(keep_compile(v, names ? names : m->compile.metrics, &v->info.metrics, err));
    return keep_optimizer(v, m->compile.optimizer, &v->info.optimizer, err);
}

static void view_free(api_view *v)
{
    if (!v)
        return;
    for (size_t i = 0; i < v->text_count; i++)
        ia_free(v->texts[i]);
    ia_free(v->texts);
    ia_free(v->layers);
    ia_free(v->weights);
    ia_free(v->ports[0]);
    ia_free(v->ports[1]);
    ia_free(v);
}

void api_view_drop(inarch_model *m)
{
    view_free(atomic_exchange(&m->view, NULL));
}

inarch_status api_view_of(const inarch_model *m, const api_view **out, inarch_error *err)
{
    /* Only the cached description changes; the model stays const for everybody. */
    inarch_model *cache = (inarch_model *)(uintptr_t)m;
    api_view *v = atomic_load(&cache->view);
    if (v) {
        *out = v;
        return INARCH_OK;
    }
    v = ia_calloc(1, sizeof *v);
    if (!v)
        return ia_fail_memory(err, "a description of the model", sizeof *v);
    layer_walk walk = {v, m->doc};
    inarch_status status = ia_model_walk(m->doc, add_layer, &walk, err);
    for (int direction = 0; direction < 2 && status == INARCH_OK; direction++)
        status = add_ports(v, m->doc, direction, err);
    if (status == INARCH_OK)
        status = fill_info(v, m->doc, err);
    if (status != INARCH_OK) {
        view_free(v);
        return status;
    }
    api_view *other = NULL;
    if (!atomic_compare_exchange_strong(&cache->view, &other, v)) {
        view_free(v); /* another thread was faster */
        v = other;
    }
    *out = v;
    return INARCH_OK;
}
