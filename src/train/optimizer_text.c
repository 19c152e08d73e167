/* Optimizers in text ("sgd(momentum=0.9)") and in the JSON of every Keras generation. */
#include "train/optimizer.h"

#include "base/text.h"
#include "nn/field.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define NONE ((double)NAN)

static ia_optimizer optimizer_start(const ia_optimizer_class *c, ia_settings *t, ia_setting *rows)
{
    ia_optimizer o = {.cls = c};
    *t = (ia_settings){rows, ia_optimizer_settings(c, rows)};
    ia_settings_default(*t, &o);
    return o;
}

/* Keras takes a bound of 0 for none, and only one bound at all. */
static inarch_status check_clipping(ia_optimizer *o, inarch_error *err)
{
    double *bound[] = {&o->clipnorm, &o->clipvalue, &o->global_clipnorm};
    int given = 0;
    for (size_t i = 0; i < IA_COUNT(bound); i++) {
        *bound[i] = *bound[i] > 0 ? *bound[i] : NONE;
        given += !isnan(*bound[i]);
    }
    if (given > 1)
        return ia_fail(err, INARCH_BAD_ARGUMENT, o->cls->name, "drop all but one",
                       "only one of clipnorm, clipvalue and global_clipnorm can be set");
    return INARCH_OK;
}

static inarch_status unknown_optimizer(const char *name, inarch_error *err)
{
    const char *names[16];
    size_t n = ia_optimizer_count() < IA_COUNT(names) ? ia_optimizer_count() : IA_COUNT(names);
    for (size_t i = 0; i < n; i++)
        names[i] = ia_optimizer_at(i)->name;
    const char *near = ia_suggest(name, names, n);
    char hint[128] = "there are sgd, rmsprop, adam, adamw, adagrad, adadelta, adamax, nadam";
    if (near)
        snprintf(hint, sizeof hint, "did you mean '%s'?", near);
    return ia_fail(err, INARCH_BAD_ARGUMENT, name, hint, "unknown optimizer '%s'", name);
}

/* ---- text ---- */

#define NO_DECAY "exclude_from_weight_decay="

/* Takes the words that do not decay out of the arguments; the rest are numbers. */
static void take_no_decay(ia_optimizer *o, char *args)
{
    ia_split split = ia_split_of(args, ',');
    char rest[256] = "";
    const char *item;
    size_t n, used = 0, key = strlen(NO_DECAY);
    while (*args && ia_split_next(&split, &item, &n)) {
        if (n > key && !memcmp(item, NO_DECAY, key))
            snprintf(o->no_decay, sizeof o->no_decay, "%.*s", (int)(n - key), item + key);
        else
            used += (size_t)snprintf(rest + used, sizeof rest - used, "%s%.*s", used ? "," : "",
                                     (int)n, item);
    }
    memcpy(args, rest, used + 1);
}

inarch_status ia_optimizer_from_text(const char *text, ia_optimizer *out, inarch_error *err)
{
    char name[64], args[256];
    ia_setting rows[IA_MAX_SETTINGS];
    ia_settings t;
    if (!ia_parse_call(text, name, sizeof name, args, sizeof args))
        return ia_fail(err, INARCH_BAD_ARGUMENT, text, "write name(key=value,...)",
                       "cannot read the optimizer '%s'", text);
    const ia_optimizer_class *c = ia_optimizer_find(name);
    if (!c)
        return unknown_optimizer(name, err);
    ia_optimizer o = optimizer_start(c, &t, rows);
    take_no_decay(&o, args);
    IA_TRY(ia_settings_from_text(t, args, c->name, &o, err));
    IA_TRY(check_clipping(&o, err));
    *out = o;
    return INARCH_OK;
}

void ia_optimizer_to_text(const ia_optimizer *o, char *out, size_t size)
{
    ia_setting rows[IA_MAX_SETTINGS];
    ia_settings t = {rows, ia_optimizer_settings(o->cls, rows)};
    ia_settings_to_text(t, o->cls->name, o, out, size);
    size_t used = strlen(out);
    if (!o->no_decay[0] || used + strlen(o->no_decay) + strlen(NO_DECAY) + 3 > size)
        return;
    bool call = out[used - 1] == ')';
    snprintf(out + used - call, size - used + call, "%s" NO_DECAY "%s)", call ? "," : "(",
             o->no_decay);
}

/* ---- JSON ---- */

/* "Adam", "Custom>Adam", "keras.optimizers.Adam": the last word. */
static const char *last_word(const char *name)
{
    for (const char *p = name; *p; p++)
        if (*p == '.' || *p == '>')
            name = p + 1;
    return name;
}

static inarch_status check_unsupported(const ia_optimizer *o, const json_t *config,
                                       inarch_error *err)
{
    const char *what = NULL;
    if (ia_json_bool(config, "use_ema", false))
        what = "a moving average of the weights (use_ema)";
    else if (ia_json_double(config, "gradient_accumulation_steps", 0) > 1)
        what = "gradient_accumulation_steps";
    if (what)
        return ia_fail(err, INARCH_UNSUPPORTED, o->cls->name, "name an optimizer to use another",
                       "optimizer '%s' with %s is not supported", o->cls->name, what);
    return INARCH_OK;
}

inarch_status ia_optimizer_from_json(const json_t *value, ia_optimizer *out, ia_schedule *schedule,
                                     inarch_error *err)
{
    ia_setting rows[IA_MAX_SETTINGS];
    ia_settings t;
    ia_schedule s;
    if (json_is_string(value))
        return ia_optimizer_from_text(json_string_value(value), out, err);
    const json_t *config = json_object_get(value, "config");
    const json_t *rate = json_object_get(config, "learning_rate");
    const char *name = last_word(ia_json_string(value, "class_name", ""));
    const ia_optimizer_class *c = ia_optimizer_find(name);
    if (!c)
        return unknown_optimizer(name, err);
    ia_optimizer o = optimizer_start(c, &t, rows);
    IA_TRY(check_unsupported(&o, config, err));
    if (json_is_object(rate)) {
        if (!schedule)
            return ia_fail(err, INARCH_UNSUPPORTED, c->name, "",
                           "a learning-rate schedule is not expected here");
        IA_TRY(ia_schedule_from_json(rate, &s, err));
        o.learning_rate = s.base;
        t.row++; /* the rate is known */
        t.count--;
    }
    IA_TRY(ia_settings_from_json(t, config, c->name, &o, err));
    IA_TRY(check_clipping(&o, err));
    double decay = ia_json_double(config, "decay", 0);
    if (decay > 0)
        snprintf(
            o.note, sizeof o.note,
            "the file's decay = %g is ignored, as Keras does since 2.11; a schedule replaces it",
            decay);
    if (json_is_object(rate))
        *schedule = s;
    *out = o;
    return INARCH_OK;
}

inarch_status ia_optimizer_to_json(const ia_optimizer *o, const ia_schedule *schedule,
                                   const ia_schedule_at *at, json_t **out, inarch_error *err)
{
    ia_setting rows[IA_MAX_SETTINGS];
    ia_settings t = {rows, ia_optimizer_settings(o->cls, rows)};
    json_t *rate = NULL, *v = NULL;
    inarch_status status = INARCH_OK;
    json_t *config = json_pack("{s:s, s:b, s:f, s:n}", "name", o->cls->name, "use_ema", 0,
                               "ema_momentum", 0.99, "ema_overwrite_frequency");
    if (!config)
        return ia_fail_memory(err, "an optimizer", sizeof *o);
    IA_TRY_GOTO(ia_settings_to_json(t, o, config, err));
    if (schedule)
        IA_TRY_GOTO(ia_schedule_to_json(schedule, at, &rate, err));
    if (!rate || !json_object_set_new(config, "learning_rate", rate))
        v = json_pack("{s:s, s:s, s:O, s:n}", "module", "keras.optimizers", "class_name",
                      o->cls->class_name, "config", config, "registered_name");
    if (!v)
        status = ia_fail_memory(err, "an optimizer", sizeof *o);
    else
        *out = v;
done:
    json_decref(config);
    return status;
}
