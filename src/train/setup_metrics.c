/* The metrics of an output - named, the file's, or accuracy for classes - and what they are called.
 *
 * "accuracy" is resolved to what Keras makes of it, and the compile state says so, because Keras
 * cannot read it otherwise. The name that was asked for is kept beside it, in our metadata: one
 * name in fit, in evaluate, and after a reload. */
#include "train/setup_internal.h"

#include "base/text.h"
#include "train/history.h"

#include <stdio.h>
#include <string.h>

#define META_NAMES "metrics" /* [["accuracy", ...] of each output] */

static inarch_status resolve(ia_metric *m, const ia_head *h, inarch_error *err)
{
    return ia_metric_resolve(m, h->cols, h->encoding == IA_ENCODE_CLASS, err);
}

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
    char spec[SETUP_TEXT];
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
    if (ia_metric_from_json(value, &m, &inner) == INARCH_OK && resolve(&m, h, &inner) == INARCH_OK)
        return add_metric(h, &m, 0, err);
    char note[200];
    snprintf(note, sizeof note, "left out a metric of the file: %.150s", inner.message);
    ia_note(t->o->note, sizeof t->o->note, note);
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

/* ---- names ---- */

/* The file's metrics get back the names they were asked for by, where they still fit: Keras or
 * another program may have compiled the model anew. */
static void restore_names(const setup_state *t, ia_head *h)
{
    const json_t *names = json_array_get(json_object_get(t->m->meta, META_NAMES), h->output);
    for (size_t i = 0; i < h->metric_count && json_array_size(names) == h->metric_count; i++) {
        ia_metric *own = &h->metrics[i], asked;
        const char *name = json_string_value(json_array_get(names, i));
        if (name && ia_metric_from_text(name, &asked, NULL) == INARCH_OK &&
            resolve(&asked, h, NULL) == INARCH_OK && asked.cls == own->cls &&
            asked.loss.cls == own->loss.cls)
            memcpy(own->name, asked.name, sizeof own->name);
    }
}

inarch_status setup_save_names(const ia_objective *o, ia_model *m, inarch_error *err)
{
    json_t *all = json_array();
    bool ok = all != NULL;
    for (size_t i = 0; i < o->head_count && ok; i++) {
        const ia_head *h = &o->heads[i];
        json_t *names = json_array();
        for (size_t k = 0; k < h->metric_count && ok; k++)
            ok = !json_array_append_new(names, json_string(h->metrics[k].name));
        ok = !json_array_append_new(all, names) && ok;
    }
    ok = ok && !json_object_set(m->meta, META_NAMES, all);
    json_decref(all);
    return ok ? INARCH_OK : ia_fail_memory(err, "the names of metrics", o->head_count);
}

/* ---- all of it ---- */

/* One sigmoid unit, or a softmax. */
static bool tells_classes(const setup_state *t, const ia_head *h)
{
    ia_logits last = ia_output_logits(t->m, h->output);
    return last == IA_LOGITS_SOFTMAX || (last == IA_LOGITS_SIGMOID && h->cols == 1);
}

inarch_status setup_metrics(const setup_state *t, ia_head *h, inarch_error *err)
{
    const json_t *file = t->s->compiled ? t->m->compile.metrics : NULL;
    if (t->s->metrics) {
        IA_TRY(option_metrics(t, h, t->s->metrics, 0, err));
    } else if (file) {
        IA_TRY(file_metrics(t, h, metrics_for(file, t->outputs, h->output), 0, err));
        restore_names(t, h);
    } else if (tells_classes(t, h)) {
        IA_TRY(option_metrics(t, h, "accuracy", 0, err));
    }
    if (t->s->weighted_metrics)
        IA_TRY(option_metrics(t, h, t->s->weighted_metrics, 1, err));
    for (size_t i = 0; i < h->metric_count; i++)
        IA_TRY(resolve(&h->metrics[i], h, err));
    return INARCH_OK;
}

inarch_status setup_metrics_json(const ia_head *h, json_t **out, inarch_error *err)
{
    json_t *list = json_array(), *v;
    inarch_status status = list ? INARCH_OK : ia_fail_memory(err, "the compile state", 0);
    for (size_t i = 0; i < h->metric_count && status == INARCH_OK; i++) {
        status = ia_metric_to_json(&h->metrics[i], &v, err);
        if (status == INARCH_OK && json_array_append_new(list, v))
            status = ia_fail_memory(err, "the compile state", 0);
    }
    if (status != INARCH_OK) {
        json_decref(list);
        return status;
    }
    *out = list;
    return INARCH_OK;
}
