/* Schedules in text ("cosine(warmup=100)") and in Keras' JSON. */
#include "train/schedule.h"

#include "base/text.h"
#include "nn/field.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static ia_settings settings_of(const ia_schedule_class *c)
{
    return (ia_settings){c->settings, c->setting_count};
}

static const ia_schedule_class *schedule_find(const char *name)
{
    for (size_t i = 0; i < ia_schedule_count(); i++) {
        const ia_schedule_class *c = ia_schedule_at_index(i);
        if (ia_name_in(name, c->name) || (c->class_name && ia_name_in(name, c->class_name)) ||
            (c->aliases && ia_name_in(name, c->aliases)))
            return c;
    }
    return NULL;
}

static inarch_status unknown_schedule(const char *name, inarch_status status, inarch_error *err)
{
    const char *names[16];
    size_t n = ia_schedule_count() < IA_COUNT(names) ? ia_schedule_count() : IA_COUNT(names);
    for (size_t i = 0; i < n; i++)
        names[i] = ia_schedule_at_index(i)->name;
    const char *near = ia_suggest(name, names, n);
    char hint[128] = "there are constant, cosine, exponential, step, piecewise, plateau";
    if (near)
        snprintf(hint, sizeof hint, "did you mean '%s'?", near);
    return ia_fail(err, status, name, hint, "unknown learning-rate schedule '%s'", name);
}

static void schedule_start(ia_schedule *s, const ia_schedule_class *c)
{
    *s = (ia_schedule){.cls = c, .base = (double)NAN};
    ia_settings_default(settings_of(c), s);
}

/* ---- piecewise: two lists ---- */

static bool parse_list(const char *text, size_t n, double *out, size_t max, size_t *count)
{
    const char *end = text + n;
    for (*count = 0; text <= end; (*count)++) {
        const char *bar = memchr(text, '|', (size_t)(end - text));
        const char *stop = bar ? bar : end;
        if (*count == max || !ia_parse_double(text, (size_t)(stop - text), &out[*count]))
            return false;
        text = stop + 1;
    }
    return true;
}

static bool piecewise_sound(const ia_schedule *s, size_t values)
{
    if (s->pieces == 0 || values != s->pieces + 1)
        return false;
    for (size_t i = 0; i < values; i++)
        if (!(s->value[i] >= 0 && s->value[i] < 1e6))
            return false;
    for (size_t i = 0; i < s->pieces; i++)
        if (!(s->boundary[i] >= (i ? s->boundary[i - 1] : 0) && s->boundary[i] < 1e15))
            return false;
    return true;
}

static inarch_status piecewise_bad(inarch_error *err)
{
    return ia_fail(err, INARCH_BAD_ARGUMENT, "piecewise",
                   "write piecewise(boundaries=100|200,values=1e-3|1e-4|1e-5): steps in rising "
                   "order, one value more than boundaries, at most 16",
                   "the boundaries and values of piecewise do not fit");
}

static inarch_status piecewise_text(ia_schedule *s, const char *args, inarch_error *err)
{
    ia_split split = ia_split_of(args, ',');
    const char *item;
    size_t n, values = 0;
    while (*args && ia_split_next(&split, &item, &n)) {
        bool ok = false;
        if (n > 11 && !memcmp(item, "boundaries=", 11))
            ok = parse_list(item + 11, n - 11, s->boundary, IA_SCHEDULE_PIECES, &s->pieces);
        else if (n > 7 && !memcmp(item, "values=", 7))
            ok = parse_list(item + 7, n - 7, s->value, IA_SCHEDULE_PIECES + 1, &values);
        if (!ok)
            return piecewise_bad(err);
    }
    return piecewise_sound(s, values) ? INARCH_OK : piecewise_bad(err);
}

static size_t json_list(const json_t *list, double *out, size_t max)
{
    size_t n = json_array_size(list);
    for (size_t i = 0; i < n; i++)
        if (n > max || !ia_json_number(json_array_get(list, i), &out[i]))
            return 0;
    return n;
}

static inarch_status piecewise_json(ia_schedule *s, const json_t *config, inarch_error *err)
{
    s->pieces = json_list(json_object_get(config, "boundaries"), s->boundary, IA_SCHEDULE_PIECES);
    size_t values = json_list(json_object_get(config, "values"), s->value, IA_SCHEDULE_PIECES + 1);
    return piecewise_sound(s, values) ? INARCH_OK : piecewise_bad(err);
}

/* ---- text ---- */

/* Takes "monitor=x" out of the arguments, which is a word of its own. */
static void take_monitor(ia_schedule *s, char *args)
{
    ia_split split = ia_split_of(args, ',');
    char rest[192] = "";
    const char *item;
    size_t n, used = 0;
    snprintf(s->monitor, sizeof s->monitor, "val_loss");
    while (*args && ia_split_next(&split, &item, &n)) {
        if (n > 8 && !memcmp(item, "monitor=", 8))
            snprintf(s->monitor, sizeof s->monitor, "%.*s", (int)(n - 8), item + 8);
        else
            used += (size_t)snprintf(rest + used, sizeof rest - used, "%s%.*s", used ? "," : "",
                                     (int)n, item);
    }
    memcpy(args, rest, used + 1);
}

inarch_status ia_schedule_from_text(const char *text, ia_schedule *out, inarch_error *err)
{
    char name[64], args[192];
    ia_schedule s;
    if (!ia_parse_call(text, name, sizeof name, args, sizeof args))
        return ia_fail(err, INARCH_BAD_ARGUMENT, text, "write name(key=value,...)",
                       "cannot read the schedule '%s'", text);
    const ia_schedule_class *c = schedule_find(name);
    if (!c)
        return unknown_schedule(name, INARCH_BAD_ARGUMENT, err);
    schedule_start(&s, c);
    if (ia_schedule_is_plateau(&s))
        take_monitor(&s, args);
    if (!strcmp(c->name, "piecewise"))
        IA_TRY(piecewise_text(&s, args, err));
    else
        IA_TRY(ia_settings_from_text(settings_of(c), args, c->name, &s, err));
    *out = s;
    return INARCH_OK;
}

static void list_text(const double *v, size_t n, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < n && used < size; i++) {
        char number[32];
        ia_format_double(v[i], number, sizeof number);
        used += (size_t)snprintf(out + used, size - used, "%s%s", i ? "|" : "", number);
    }
}

void ia_schedule_to_text(const ia_schedule *s, char *out, size_t size)
{
    if (!s->cls) {
        snprintf(out, size, "constant");
    } else if (s->pieces > 0) {
        char boundaries[512], values[512];
        list_text(s->boundary, s->pieces, boundaries, sizeof boundaries);
        list_text(s->value, s->pieces + 1, values, sizeof values);
        snprintf(out, size, "piecewise(boundaries=%s,values=%s)", boundaries, values);
    } else {
        ia_settings_to_text(settings_of(s->cls), s->cls->name, s, out, size);
    }
}

/* ---- JSON ---- */

inarch_status ia_schedule_from_json(const json_t *value, ia_schedule *out, inarch_error *err)
{
    const char *name = ia_json_string(value, "class_name", "");
    const json_t *config = json_object_get(value, "config");
    const ia_schedule_class *c = schedule_find(name);
    ia_schedule s;
    double rate;
    if (!c || !c->class_name)
        return unknown_schedule(name, INARCH_UNSUPPORTED, err);
    schedule_start(&s, c);
    if (!strcmp(c->name, "piecewise")) {
        IA_TRY(piecewise_json(&s, config, err));
        s.base = s.value[0];
    } else {
        IA_TRY(ia_settings_from_json(settings_of(c), config, c->class_name, &s, err));
        if (ia_json_number(json_object_get(config, "initial_learning_rate"), &rate))
            s.base = rate;
        /* Keras rises from the initial rate to the target; here the base is the top. */
        if (ia_json_number(json_object_get(config, "warmup_target"), &rate)) {
            s.warmup_from = s.base;
            s.base = rate;
        } else {
            s.warmup = 0;
        }
    }
    *out = s;
    return INARCH_OK;
}

static json_t *numbers(const double *v, size_t n, bool whole)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *number = whole && v[i] == floor(v[i]) ? json_integer((json_int_t)v[i])
                                                      : ia_json_from_double(v[i]);
        if (json_array_append_new(list, number)) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *cosine_config(const ia_schedule *s, const ia_schedule_at *at, double base)
{
    double steps = s->decay_steps > 0 ? s->decay_steps : (double)at->run_steps - s->warmup;
    bool warm = s->warmup > 0;
    return json_pack("{s:o, s:I, s:o, s:s, s:o, s:I}", "initial_learning_rate",
                     ia_json_from_double(warm ? s->warmup_from : base), "decay_steps",
                     (json_int_t)(steps > 1 ? steps : 1), "alpha", ia_json_from_double(s->alpha),
                     "name", "CosineDecay", "warmup_target",
                     warm ? ia_json_from_double(base) : json_null(), "warmup_steps",
                     (json_int_t)s->warmup);
}

static json_t *exponential_config(const ia_schedule *s, const ia_schedule_at *at, double base)
{
    double steps = s->decay_steps > 0 ? s->decay_steps : (double)at->epoch_steps;
    return json_pack("{s:o, s:I, s:o, s:b, s:s}", "initial_learning_rate",
                     ia_json_from_double(base), "decay_steps", (json_int_t)(steps > 1 ? steps : 1),
                     "decay_rate", ia_json_from_double(s->decay_rate), "staircase",
                     s->staircase != 0, "name", "ExponentialDecay");
}

inarch_status ia_schedule_to_json(const ia_schedule *s, const ia_schedule_at *at, json_t **out,
                                  inarch_error *err)
{
    json_t *config, *v;
    double base = isnan(s->base) ? at->base : s->base;
    if (!s->cls || !s->cls->class_name) {
        *out = NULL;
        return INARCH_OK;
    }
    if (s->pieces > 0)
        config = json_pack("{s:o, s:o, s:s}", "boundaries", numbers(s->boundary, s->pieces, true),
                           "values", numbers(s->value, s->pieces + 1, false), "name",
                           "PiecewiseConstant");
    else if (!strcmp(s->cls->name, "cosine"))
        config = cosine_config(s, at, base);
    else
        config = exponential_config(s, at, base);
    v = config ? json_pack("{s:s, s:s, s:o, s:n}", "module", "keras.optimizers.schedules",
                           "class_name", s->cls->class_name, "config", config, "registered_name")
               : NULL;
    if (!v)
        return ia_fail_memory(err, "a schedule", sizeof *s);
    *out = v;
    return INARCH_OK;
}
