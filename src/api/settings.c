/* The settings of what can be named, "layers/dense" or "optimizers/adam": rows of the tables that
 * parse them, as options. */
#include "api/handle.h"

#include "base/text.h"
#include "nn/loss.h"
#include "nn/params.h"
#include "train/metric.h"
#include "train/optimizer.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MOST_SETTINGS 48

typedef struct settings_list {
    inarch_option row[MOST_SETTINGS];
    size_t n;
} settings_list;

/* A default of `n` bytes. */
static void add_n(settings_list *l, const char *name, const char *type, const char *fallback,
                  size_t n, const char *help)
{
    assert(l->n < MOST_SETTINGS);
    inarch_option *o = &l->row[l->n++];
    *o = (inarch_option){.name = name, .type = type, .help = help ? help : ""};
    snprintf(o->fallback, sizeof o->fallback, "%.*s", (int)n, fallback);
}

static void add(settings_list *l, const char *name, const char *type, const char *fallback,
                const char *help)
{
    add_n(l, name, type, fallback, strlen(fallback), help);
}

/* ---- defaults as text ---- */

/* NaN and infinity stand for "no such bound". */
static void add_number(settings_list *l, const char *name, const char *type, double fallback,
                       const char *help)
{
    char text[32] = "none";
    if (isfinite(fallback))
        ia_format_double(fallback, text, sizeof text);
    add(l, name, type, text, help);
}

/* One of '|'-separated words. */
static void add_word(settings_list *l, const char *name, const char *words, double index,
                     const char *help)
{
    for (; index > 0 && strchr(words, '|'); index--)
        words = strchr(words, '|') + 1;
    add_n(l, name, "text", words, strcspn(words, "|"), help);
}

/* ---- the tables ---- */

static const char *field_type(const ia_field *f)
{
    return f->type == IA_FIELD_INT     ? "int"
           : f->type == IA_FIELD_FLOAT ? "float"
           : f->type == IA_FIELD_BOOL  ? "flag"
                                       : "text";
}

static bool of_layer(const char *name, settings_list *l)
{
    const ia_layer_class *c = ia_layer_class_find(name);
    if (!c || !c->spec || (c->flags & (IA_LAYER_OPAQUE | IA_LAYER_MODEL)))
        return false;
    for (size_t i = 0; i < c->field_count; i++) {
        const ia_field *f = &c->fields[i];
        add(l, f->key, field_type(f), f->fallback ? f->fallback : "", f->help);
    }
    add(l, "name", "text", "none", "of the layer; none: its type and a number");
    if (c->build) {
        add(l, "trainable", "flag", "true", "false: frozen");
        add(l, "learning_rate", "float", "1", "multiplier of the optimizer's, 0 to 1e6");
    }
    return true;
}

static void add_params(settings_list *l, const ia_param *p)
{
    for (size_t i = 0; i < ia_param_count(p); i++)
        if (p[i].choices)
            add_word(l, p[i].name, p[i].choices, p[i].fallback, p[i].choices);
        else
            add_number(l, p[i].name, "float", p[i].fallback, "");
}

/* Of a table whose rows are names with parameters. */
static bool of_table(const char *name, settings_list *l, size_t count, const char *name_at(size_t),
                     const ia_param *params_at(size_t))
{
    for (size_t i = 0; i < count; i++) {
        if (!ia_same_name(name, name_at(i)))
            continue;
        add_params(l, params_at(i));
        return true;
    }
    return false;
}

static bool of_initializer(const char *name, settings_list *l)
{
    return of_table(name, l, ia_initializer_count(), ia_initializer_name_at,
                    ia_initializer_params_at);
}

static bool of_regularizer(const char *name, settings_list *l)
{
    return of_table(name, l, ia_regularizer_count(), ia_regularizer_name_at,
                    ia_regularizer_params_at);
}

static bool of_constraint(const char *name, settings_list *l)
{
    return of_table(name, l, ia_constraint_count(), ia_constraint_name_at, ia_constraint_params_at);
}

static bool of_activation(const char *name, settings_list *l)
{
    const ia_activation_class *c = ia_activation_find(name);
    for (size_t i = 0; c && i < IA_COUNT(c->param) && c->param[i]; i++)
        add_number(l, c->param[i], "float", ia_float_decimal(c->fallback[i]), "");
    return c != NULL;
}

static bool of_loss(const char *name, settings_list *l)
{
    ia_loss loss;
    if (ia_loss_from_text(name, &loss, NULL) != INARCH_OK)
        return false;
    const ia_loss_class *c = loss.cls;
    for (size_t i = 0; i < IA_COUNT(c->param) && c->param[i]; i++)
        add_number(l, c->param[i], "float", c->fallback[i],
                   strcmp(c->param[i], "label_smoothing") == 0 ? "0 to 1" : "above 0");
    if (c->logits != IA_LOGITS_NONE)
        add(l, "from_logits", "flag", "false",
            "true: the output has no such activation of its own");
    return true;
}

static void add_settings(settings_list *l, const ia_setting *s, size_t n)
{
    static const char *const types[] = {
        [IA_SETTING_NUMBER] = "float", [IA_SETTING_OPTIONAL] = "float", [IA_SETTING_WHOLE] = "int",
        [IA_SETTING_INDEX] = "int",    [IA_SETTING_FLAG] = "flag",      [IA_SETTING_WORD] = "text"};
    for (size_t i = 0; i < n; i++)
        if (s[i].kind == IA_SETTING_WORD)
            add_word(l, s[i].key, s[i].words, s[i].fallback, s[i].help);
        else if (s[i].kind == IA_SETTING_FLAG)
            add(l, s[i].key, "flag", s[i].fallback != 0 ? "true" : "false", s[i].help);
        else
            add_number(l, s[i].key, types[s[i].kind], s[i].fallback, s[i].help);
}

static bool of_metric(const char *name, settings_list *l)
{
    ia_metric m;
    if (of_loss(name, l)) /* every loss is a metric */
        return true;
    if (ia_metric_from_text(name, &m, NULL) != INARCH_OK)
        return false;
    add_settings(l, m.cls->settings, m.cls->setting_count);
    return true;
}

static bool of_optimizer(const char *name, settings_list *l)
{
    const ia_optimizer_class *c = ia_optimizer_find(name);
    ia_setting rows[IA_MAX_SETTINGS];
    if (!c)
        return false;
    add_settings(l, rows, ia_optimizer_settings(c, rows));
    add(l, "exclude_from_weight_decay", "text", "none",
        "words separated by '|': weights whose path holds one do not decay");
    return true;
}

static bool of_schedule(const char *name, settings_list *l)
{
    const ia_schedule_class *c = NULL;
    for (size_t i = 0; !c && i < ia_schedule_count(); i++)
        if (ia_name_in(name, ia_schedule_at_index(i)->name))
            c = ia_schedule_at_index(i);
    if (!c)
        return false;
    add_settings(l, c->settings, c->setting_count);
    ia_schedule s = {.cls = c};
    if (ia_schedule_is_plateau(&s))
        add(l, "monitor", "text", "none", "the number to watch; none: val_loss, or loss");
    if (strcmp(c->name, "piecewise") == 0) {
        add(l, "boundaries", "text", "", "steps in rising order: 100|200");
        add(l, "values", "text", "", "rates, one more than boundaries: 1e-3|1e-4|1e-5");
    }
    return true;
}

static const struct settings_kind {
    const char *name;
    bool (*of)(const char *name, settings_list *out);
} kinds[] = {
    {"layers", of_layer},
    {"activations", of_activation},
    {"losses", of_loss},
    {"metrics", of_metric},
    {"optimizers", of_optimizer},
    {"schedules", of_schedule},
    {"initializers", of_initializer},
    {"regularizers", of_regularizer},
    {"constraints", of_constraint},
};

/* ---- by path ---- */

static inarch_status unknown_item(const char *kind, const char *name, inarch_error *err)
{
    const char *names[96], *help;
    size_t n = 0;
    while (n < IA_COUNT(names) && inarch_list(kind, n, &names[n], &help, NULL) == INARCH_OK)
        n++;
    const char *near = ia_suggest(name, names, n);
    char hint[128];
    snprintf(hint, sizeof hint,
             near ? "did you mean '%s'?" : "inarch list %s shows those there are",
             near ? near : kind);
    return ia_fail(err, INARCH_BAD_ARGUMENT, name, hint, "there is no '%s' among the %s", name,
                   kind);
}

inarch_status api_setting_at(const char *path, size_t i, inarch_option *out, inarch_error *err)
{
    size_t n = strcspn(path, "/");
    const char *name = path + n + (path[n] == '/');
    for (size_t k = 0; k < IA_COUNT(kinds); k++) {
        settings_list l = {.n = 0};
        if (strlen(kinds[k].name) != n || memcmp(kinds[k].name, path, n) != 0)
            continue;
        if (!kinds[k].of(name, &l))
            return unknown_item(kinds[k].name, name, err);
        if (i >= l.n)
            return ia_fail(err, INARCH_NOT_FOUND, name, "", "'%s' has %zu settings", name, l.n);
        *out = l.row[i];
        return INARCH_OK;
    }
    return ia_fail(err, INARCH_BAD_ARGUMENT, path, "inarch list shows what has",
                   "the kind '%.*s' has no settings", (int)n, path);
}
