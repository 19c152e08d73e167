/* The list of metrics: names and settings in text and in Keras' JSON, and what "accuracy" becomes.
 *
 * The mathematics is in metrics/, the streaming in meter.c. Settings of Keras that are not computed
 * here (class_id, top_k, multi_label, ...) are refused by name rather than misread. */
#include "train/metric.h"

#include "base/text.h"
#include "nn/field.h"
#include "train/metrics/list.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define ROW(name) &ia_metric_##name,
static const ia_metric_class *const metric_rows[] = {IA_METRIC_LIST(ROW)};
#undef ROW

const ia_metric_class ia_metric_of_loss = {.name = "loss", .help = "the mean of a loss"};

size_t ia_metric_count(void)
{
    return IA_COUNT(metric_rows);
}

const ia_metric_class *ia_metric_at(size_t i)
{
    return i < IA_COUNT(metric_rows) ? metric_rows[i] : NULL;
}

int ia_metric_up(const ia_metric *m)
{
    return m->cls->up;
}

static const ia_metric_class *metric_find(const char *name)
{
    for (size_t i = 0; i < IA_COUNT(metric_rows); i++) {
        const ia_metric_class *c = metric_rows[i];
        if (ia_name_in(name, c->name) || ia_name_in(name, c->class_name) ||
            (c->aliases && ia_name_in(name, c->aliases)))
            return c;
    }
    return NULL;
}

static inarch_status unknown_metric(const char *name, inarch_error *err)
{
    const char *names[64];
    size_t n = 0;
    for (size_t i = 0; i < ia_metric_count() && n < IA_COUNT(names); i++)
        names[n++] = metric_rows[i]->name;
    for (size_t i = 0; i < ia_loss_count() && n < IA_COUNT(names); i++)
        names[n++] = ia_loss_class_at(i)->name;
    const char *near = ia_suggest(name, names, n);
    char hint[96] = "a metric is one of the list of metrics, or a loss";
    if (near)
        snprintf(hint, sizeof hint, "did you mean '%s'?", near);
    return ia_fail(err, INARCH_BAD_ARGUMENT, name, hint, "unknown metric '%s'", name);
}

static ia_settings settings_of(const ia_metric *m)
{
    return (ia_settings){m->cls->settings, m->cls->setting_count};
}

/* ---- text ---- */

inarch_status ia_metric_from_text(const char *text, ia_metric *out, inarch_error *err)
{
    char name[64], args[192];
    ia_metric m = {0};
    if (!ia_parse_call(text, name, sizeof name, args, sizeof args))
        return ia_fail(err, INARCH_BAD_ARGUMENT, text, "write name(key=value,...)",
                       "cannot read the metric '%s'", text);
    snprintf(m.name, sizeof m.name, "%s", name);
    m.cls = metric_find(name);
    if (m.cls) {
        m.bare = args[0] == '\0';
        ia_settings_default(settings_of(&m), &m);
        IA_TRY(ia_settings_from_text(settings_of(&m), args, m.cls->name, &m, err));
    } else {
        inarch_error inner = {0};
        inarch_status status = ia_loss_from_text(text, &m.loss, &inner);
        if (status != INARCH_OK && strncmp(inner.message, "unknown loss", 12) == 0)
            return unknown_metric(name, err);
        if (status != INARCH_OK)
            return ia_loss_from_text(text, &m.loss, err);
        m.cls = &ia_metric_of_loss;
    }
    *out = m;
    return INARCH_OK;
}

void ia_metric_to_text(const ia_metric *m, char *out, size_t size)
{
    if (m->loss.cls)
        ia_loss_to_text(&m->loss, out, size);
    else
        ia_settings_to_text(settings_of(m), m->cls->name, m, out, size);
}

/* ---- JSON ---- */

/* Settings of Keras' metrics that are not computed here. */
static const char *const metric_limits[] = {"label_weights", "from_logits", "from_sorted_ids"};

/* null, false and 0 are what every key is without. */
static bool is_off(const json_t *v)
{
    double number;
    return !v || json_is_null(v) || json_is_false(v) ||
           (json_is_number(v) && ia_json_number(v, &number) && number == 0);
}

static inarch_status unsupported(const ia_metric *m, const char *what, inarch_error *err)
{
    return ia_fail(err, INARCH_UNSUPPORTED, m->cls->name, "name the metrics to use",
                   "metric '%s' with %s is not supported", m->cls->name, what);
}

/* A list of one threshold is that threshold; AUC has none of its own here. */
static inarch_status one_threshold(const ia_metric *m, const json_t **list, inarch_error *err)
{
    if (m->cls == &ia_metric_auc && !is_off(*list))
        return unsupported(m, "thresholds of its own", err);
    if (json_is_array(*list) && json_array_size(*list) != 1)
        return unsupported(m, "several thresholds", err);
    if (json_is_array(*list))
        *list = json_array_get(*list, 0);
    return INARCH_OK;
}

static inarch_status metric_config(ia_metric *m, const json_t *config, inarch_error *err)
{
    const json_t *list = json_object_get(config, "thresholds");
    snprintf(m->name, sizeof m->name, "%s", ia_json_string(config, "name", m->cls->name));
    for (size_t i = 0; i < IA_COUNT(metric_limits); i++)
        if (!is_off(json_object_get(config, metric_limits[i])))
            return unsupported(m, metric_limits[i], err);
    IA_TRY(one_threshold(m, &list, err));
    json_t *plain = json_copy((json_t *)(uintptr_t)config); /* shallow; only read */
    if (!plain && config)
        return ia_fail_memory(err, "a metric", 0);
    if (list)
        json_object_set(plain, "thresholds", (json_t *)(uintptr_t)list);
    inarch_status status = ia_settings_from_json(settings_of(m), plain, m->cls->name, m, err);
    json_decref(plain);
    return status;
}

inarch_status ia_metric_from_json(const json_t *value, ia_metric *out, inarch_error *err)
{
    ia_metric m = {0};
    if (json_is_string(value))
        return ia_metric_from_text(json_string_value(value), out, err);
    const json_t *config = json_object_get(value, "config");
    const char *name = ia_json_string(value, "class_name", ia_json_string(value, "name", ""));
    if (json_is_string(config)) /* a function of Keras 3: its name is the configuration */
        return ia_metric_from_text(json_string_value(config), out, err);
    if (ia_name_in(name, "MeanMetricWrapper")) {
        const json_t *fn = json_object_get(config, "fn");
        if (json_is_object(fn))
            return ia_metric_from_json(fn, out, err);
        return ia_metric_from_text(ia_json_string(config, "fn", ia_json_string(config, "name", "")),
                                   out, err);
    }
    m.cls = metric_find(name);
    if (!m.cls) {
        inarch_error inner = {0};
        if (ia_loss_from_json(value, &m.loss, &inner) != INARCH_OK)
            return unknown_metric(name, err);
        m.cls = &ia_metric_of_loss;
        snprintf(m.name, sizeof m.name, "%s", ia_json_string(config, "name", m.loss.cls->name));
        *out = m;
        return INARCH_OK;
    }
    ia_settings_default(settings_of(&m), &m);
    IA_TRY(metric_config(&m, config, err));
    *out = m;
    return INARCH_OK;
}

inarch_status ia_metric_to_json(const ia_metric *m, json_t **out, inarch_error *err)
{
    json_t *config, *v = NULL;
    if (m->loss.cls)
        return ia_loss_to_json(&m->loss, out, err);
    if (ia_settings_are_default(settings_of(m), m)) {
        *out = json_string(m->cls->name);
        return *out ? INARCH_OK : ia_fail_memory(err, "a metric", sizeof *m);
    }
    config = json_pack("{s:s}", "name", m->name);
    if (config && ia_settings_to_json(settings_of(m), m, config, err) == INARCH_OK)
        v = json_pack("{s:s, s:s, s:O, s:n}", "module", "keras.metrics", "class_name",
                      m->cls->class_name, "config", config, "registered_name");
    json_decref(config);
    if (!v)
        return ia_fail_memory(err, "a metric", sizeof *m);
    *out = v;
    return INARCH_OK;
}

/* ---- resolution ---- */

static void become(ia_metric *m, const ia_metric_class *c)
{
    m->cls = c;
    ia_settings_default(settings_of(m), m);
}

static inarch_status wants_classes(const ia_metric *m, inarch_error *err)
{
    const char *name = m->loss.cls ? m->loss.cls->name : m->cls->name;
    return ia_fail(err, INARCH_BAD_ARGUMENT, name,
                   "use accuracy, or the name without 'sparse_' for one number per class",
                   "metric '%s' needs class indices, but the targets are numbers", name);
}

inarch_status ia_metric_resolve(ia_metric *m, size_t cols, int class_index, inarch_error *err)
{
    if (m->cls == &ia_metric_accuracy)
        become(m, cols == 1     ? &ia_metric_binary_accuracy
                  : class_index ? &ia_metric_sparse_categorical_accuracy
                                : &ia_metric_categorical_accuracy);
    /* Keras has two names where the targets decide; with class indices only one of them works. */
    if (m->cls == &ia_metric_categorical_accuracy && class_index)
        m->cls = &ia_metric_sparse_categorical_accuracy;
    if (m->cls == &ia_metric_top_k_categorical_accuracy && class_index)
        m->cls = &ia_metric_sparse_top_k_categorical_accuracy;
    if (m->class_id >= (double)cols && m->cls->state && m->cls != &ia_metric_f1_score)
        return ia_fail(err, INARCH_BAD_ARGUMENT, m->cls->name, "columns count from 0",
                       "metric '%s' looks at column %g of %zu", m->cls->name, m->class_id, cols);
    if (m->cls == &ia_metric_f1_score && m->bare) {
        m->threshold = cols == 1 ? 0.5 : (double)NAN;
        m->average = cols == 1 ? 0 : 2;
    }
    bool sparse = m->cls->sparse || (m->loss.cls && m->loss.cls->target == IA_TARGET_CLASS);
    return sparse && !class_index ? wants_classes(m, err) : INARCH_OK;
}
