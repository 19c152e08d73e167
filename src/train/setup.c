/* From options or the compile state to heads: loss, weight, metrics and targets of each output. */
#include "train/setup.h"

#include "base/alloc.h"
#include "base/text.h"
#include "train/setup_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SPEC_SIZE 512

typedef struct setup_state {
    const ia_model *m;
    const ia_data *d;
    const ia_setup *s;
    const char **names; /* of the outputs */
    size_t outputs;
    ia_objective *o;
    const char *origin;
} setup_state;

static void describe_output(const setup_state *t, size_t output, ia_head *h)
{
    const ia_ref *ref = &t->m->outputs[output];
    const ia_shape *shape = &t->m->calls[ref->call].out[ref->output];
    size_t count = 1;
    *h = (ia_head){.output = output, .target = output, .weight = 1};
    snprintf(h->name, sizeof h->name, "%s", t->names[output]);
    ia_shape_count(shape, &count);
    h->cols = shape->rank > 0 ? (size_t)shape->dim[shape->rank - 1] : 1;
    h->samples = h->cols ? count / h->cols : 0;
}

static inarch_status check_shape(const setup_state *t, const ia_head *h, inarch_error *err)
{
    const ia_ref *ref = &t->m->outputs[h->output];
    const ia_shape *shape = &t->m->calls[ref->call].out[ref->output];
    size_t count;
    if (shape->rank > 0 && ia_shape_count(shape, &count) && count > 0)
        return INARCH_OK;
    char text[96];
    return ia_fail(err, INARCH_UNSUPPORTED, h->name, "cut below it, or add a new output",
                   "output '%s' has the shape %s: a loss needs known dimensions", h->name,
                   shape->rank < 0 ? "unknown" : ia_shape_text(shape, text, sizeof text));
}

/* ---- loss ---- */

static inarch_status option_loss(const setup_state *t, ia_head *h, inarch_error *err)
{
    char spec[SPEC_SIZE];
    if (!setup_text_for(t->s->loss, t->names, t->outputs, h->output, spec, sizeof spec))
        return ia_fail(err, INARCH_BAD_ARGUMENT, h->name, "write out1=LOSS,out2=LOSS",
                       "no loss is named for output '%s'", h->name);
    return ia_loss_from_text(spec, &h->loss, err);
}

static inarch_status find_loss(setup_state *t, ia_head *h, inarch_error *err)
{
    const json_t *json = NULL;
    if (t->s->compiled && t->m->compile.loss)
        json = setup_json_for(t->m->compile.loss, t->names, t->outputs, h->output);
    if (t->s->loss) {
        t->origin = "option";
        return option_loss(t, h, err);
    }
    if (json && !json_is_null(json)) {
        t->origin = "file";
        inarch_status status = ia_loss_from_json(json, &h->loss, err);
        if (status != INARCH_OK)
            ia_error_hint(err, "the file was compiled with it; name another with --loss");
        return status;
    }
    t->origin = "head and labels";
    return setup_default_loss(t->m, h, t->d, &h->loss, err);
}

static inarch_status find_weight(const setup_state *t, ia_head *h, inarch_error *err)
{
    const json_t *json = NULL;
    if (!t->s->loss_weights && t->s->compiled && t->m->compile.loss_weights)
        json = setup_json_for(t->m->compile.loss_weights, t->names, t->outputs, h->output);
    if (json && ia_json_number(json, &h->weight))
        return INARCH_OK;
    if (!t->s->loss_weights)
        return INARCH_OK;
    ia_split split = ia_split_of(t->s->loss_weights, ',');
    const char *item;
    size_t n;
    for (size_t i = 0; ia_split_next(&split, &item, &n); i++) {
        const char *eq = memchr(item, '=', n);
        size_t name_n = eq ? (size_t)(eq - item) : 0;
        bool mine =
            eq ? strlen(h->name) == name_n && !memcmp(h->name, item, name_n) : i == h->output;
        const char *number = eq ? eq + 1 : item;
        if (mine && (!ia_parse_double(number, n - (size_t)(number - item), &h->weight) ||
                     !isfinite(h->weight)))
            return ia_fail(err, INARCH_BAD_ARGUMENT, "loss_weights", "write 1,0.5 or name=0.5",
                           "the loss weight '%.*s' is no number", (int)(n < 60 ? n : 60), item);
    }
    return INARCH_OK;
}

/* ---- metrics ---- */

static inarch_status add_metric(ia_head *h, const ia_metric *m, int weighted, inarch_error *err)
{
    if (h->metric_count == IA_HEAD_METRICS)
        return ia_fail(err, INARCH_LIMIT, "metrics", "", "more than %d metrics", IA_HEAD_METRICS);
    h->metrics[h->metric_count] = *m;
    h->weighted[h->metric_count++] = weighted;
    return INARCH_OK;
}

static inarch_status option_metrics(const setup_state *t, ia_head *h, const char *text,
                                    int weighted, inarch_error *err)
{
    char spec[SPEC_SIZE];
    if (!setup_text_for(text, t->names, t->outputs, h->output, spec, sizeof spec))
        return INARCH_OK;
    ia_split split = ia_split_of(spec, ',');
    const char *item;
    size_t n;
    while (ia_split_next(&split, &item, &n)) {
        char one[200];
        ia_metric m;
        snprintf(one, sizeof one, "%.*s", (int)(n < sizeof one - 1 ? n : sizeof one - 1), item);
        IA_TRY(ia_metric_from_text(one, &m, err));
        IA_TRY(add_metric(h, &m, weighted, err));
    }
    return INARCH_OK;
}

/* A file's metric that is not known is no reason to refuse the file: it is left out, and said so.
 */
static inarch_status file_metric(const setup_state *t, ia_head *h, const json_t *value,
                                 inarch_error *err)
{
    inarch_error inner = {0};
    ia_metric m;
    if (json_is_null(value))
        return INARCH_OK;
    if (ia_metric_from_json(value, &m, &inner) == INARCH_OK &&
        ia_metric_resolve(&m, h->cols, h->encoding == IA_ENCODE_CLASS, &inner) == INARCH_OK)
        return add_metric(h, &m, 0, err);
    snprintf(t->o->note, sizeof t->o->note, "left out a metric of the file: %.150s", inner.message);
    return INARCH_OK;
}

static bool names_a_class(const json_t *value)
{
    return json_object_get(value, "class_name") || json_object_get(value, "config");
}

/* A name, an object, or lists of them, to any depth that files have. */
static inarch_status file_metrics(const setup_state *t, ia_head *h, const json_t *value, int depth,
                                  inarch_error *err)
{
    if (json_is_array(value) && depth < 4) {
        for (size_t i = 0; i < json_array_size(value); i++)
            IA_TRY(file_metrics(t, h, json_array_get(value, i), depth + 1, err));
        return INARCH_OK;
    }
    if (json_is_object(value) && !names_a_class(value) && depth < 4)
        return file_metrics(t, h, json_object_get(value, h->name), depth + 1, err);
    return value ? file_metric(t, h, value, err) : INARCH_OK;
}

/* A list with one list per output is taken apart; any other holds for every output. */
static const json_t *metrics_for(const json_t *value, size_t outputs, size_t output)
{
    bool nested = json_is_array(value) && outputs > 1 && json_array_size(value) == outputs;
    for (size_t i = 0; nested && i < outputs; i++) {
        const json_t *v = json_array_get(value, i);
        nested = json_is_array(v) || json_is_null(v);
    }
    return nested ? json_array_get(value, output) : value;
}

static inarch_status find_metrics(const setup_state *t, ia_head *h, inarch_error *err)
{
    if (t->s->metrics)
        IA_TRY(option_metrics(t, h, t->s->metrics, 0, err));
    else if (t->s->compiled && t->m->compile.metrics)
        IA_TRY(
            file_metrics(t, h, metrics_for(t->m->compile.metrics, t->outputs, h->output), 0, err));
    if (t->s->weighted_metrics)
        IA_TRY(option_metrics(t, h, t->s->weighted_metrics, 1, err));
    for (size_t i = 0; i < h->metric_count; i++)
        IA_TRY(ia_metric_resolve(&h->metrics[i], h->cols, h->encoding == IA_ENCODE_CLASS, err));
    return INARCH_OK;
}

/* ---- all of it ---- */

static inarch_status setup_head(setup_state *t, size_t output, inarch_error *err)
{
    ia_head *h = &t->o->heads[t->o->head_count];
    describe_output(t, output, h);
    IA_TRY(check_shape(t, h, err));
    IA_TRY(find_loss(t, h, err));
    IA_TRY(find_weight(t, h, err));
    IA_TRY(setup_encoding(h, t->d, err));
    IA_TRY(find_metrics(t, h, err));
    if (h->loss.cls->logits != IA_LOGITS_NONE)
        h->logits = ia_output_logits(t->m, output);
    IA_TRY(setup_check_labels(h, t->d, t->s->training, err));
    t->o->head_count++;
    return INARCH_OK;
}

static inarch_status check_names(const setup_state *t, inarch_error *err)
{
    const ia_setup *s = t->s;
    if (s->loss)
        IA_TRY(setup_text_check(s->loss, t->names, t->outputs, "the loss", err));
    if (s->metrics)
        IA_TRY(setup_text_check(s->metrics, t->names, t->outputs, "the metrics", err));
    if (s->weighted_metrics)
        IA_TRY(setup_text_check(s->weighted_metrics, t->names, t->outputs, "the metrics", err));
    if (s->loss_weights)
        IA_TRY(setup_text_check(s->loss_weights, t->names, t->outputs, "the loss weights", err));
    return INARCH_OK;
}

static inarch_status check_targets(const ia_model *m, const ia_data *d, inarch_error *err)
{
    size_t have = ia_data_targets(d);
    if (have == m->output_count)
        return INARCH_OK;
    if (have == 0)
        return ia_fail(err, INARCH_BAD_DATA, ia_data_name(d),
                       "name the labels: --labels COLUMN or --labels FILE", "there are no labels");
    return ia_fail(err, INARCH_BAD_DATA, ia_data_name(d),
                   "give as many label columns or arrays as the model has outputs",
                   "the model has %zu outputs, but the data has %zu sets of labels",
                   m->output_count, have);
}

inarch_status ia_setup_objective(const ia_model *m, const ia_data *d, const ia_setup *s,
                                 ia_objective *out, const char **origin, inarch_error *err)
{
    ia_objective o = {0};
    setup_state t = {.m = m, .d = d, .s = s, .outputs = m->output_count, .o = &o, .origin = ""};
    IA_TRY(check_targets(m, d, err));
    t.names = ia_calloc(t.outputs, sizeof *t.names);
    o.heads = ia_calloc(t.outputs, sizeof *o.heads);
    inarch_status status = INARCH_OK;
    if (!t.names || !o.heads) {
        status = ia_fail_memory(err, "the objective", t.outputs * sizeof *o.heads);
        goto done;
    }
    for (size_t i = 0; i < t.outputs; i++)
        t.names[i] = m->calls[m->outputs[i].call].layer->name;
    IA_TRY_GOTO(check_names(&t, err));
    for (size_t i = 0; i < t.outputs; i++)
        IA_TRY_GOTO(setup_head(&t, i, err));
    *out = o;
    if (origin)
        *origin = t.origin;
done:
    ia_free(t.names);
    if (status != INARCH_OK)
        ia_objective_free(&o);
    return status;
}

/* ---- into the compile state ---- */

static inarch_status metrics_json(const ia_head *h, json_t *list, inarch_error *err)
{
    for (size_t i = 0; i < h->metric_count; i++) {
        json_t *v;
        IA_TRY(ia_metric_to_json(&h->metrics[i], &v, err));
        if (json_array_append_new(list, v))
            return ia_fail_memory(err, "the compile state", 0);
    }
    return INARCH_OK;
}

static inarch_status append_head(const ia_head *h, bool single, json_t *losses, json_t *metrics,
                                 json_t *weights, inarch_error *err)
{
    json_t *loss, *own = single ? metrics : json_array();
    IA_TRY(ia_loss_to_json(&h->loss, &loss, err));
    bool ok = !json_array_append_new(losses, loss);
    ok = ok && !json_array_append_new(weights, ia_json_from_double(h->weight));
    if (!ok || !own)
        return ia_fail_memory(err, "the compile state", 0);
    inarch_status status = metrics_json(h, own, err);
    if (!single && json_array_append_new(metrics, own) && status == INARCH_OK)
        status = ia_fail_memory(err, "the compile state", 0);
    return status;
}

static void replace(json_t **at, json_t *value)
{
    json_decref(*at);
    *at = value;
}

inarch_status ia_setup_save(const ia_objective *o, ia_model *m, inarch_error *err)
{
    json_t *losses = json_array(), *metrics = json_array(), *weights = json_array();
    bool single = o->head_count == 1, plain = true;
    inarch_status status = INARCH_OK;
    if (!losses || !metrics || !weights)
        status = ia_fail_memory(err, "the compile state", 0);
    for (size_t i = 0; i < o->head_count && status == INARCH_OK; i++) {
        status = append_head(&o->heads[i], single, losses, metrics, weights, err);
        plain = plain && o->heads[i].weight == 1;
    }
    if (status == INARCH_OK) {
        replace(&m->compile.loss, json_incref(single ? json_array_get(losses, 0) : losses));
        replace(&m->compile.metrics, json_incref(metrics));
        replace(&m->compile.loss_weights, plain ? NULL : json_incref(weights));
    }
    json_decref(losses);
    json_decref(metrics);
    json_decref(weights);
    return status;
}
