/* The list of optimizers: names, Keras' defaults, settings and slots; text and JSON.
 *
 * The rules themselves are kernels (kernels/update_list.h). */
#include "train/optimizer.h"

#include "base/text.h"
#include "nn/field.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define AT(member) offsetof(ia_optimizer, member)
#define NONE ((double)NAN)
#define BELOW_1 0.9999999999999999

#define MOMENTUM                                                                                   \
    {                                                                                              \
        "momentum", NULL, IA_SETTING_NUMBER, AT(momentum), 0, 0, 1, NULL, "0 to 1"                 \
    }
#define EPSILON                                                                                    \
    {                                                                                              \
        "epsilon", "eps", IA_SETTING_NUMBER, AT(epsilon), 1e-7, 0, 1, NULL,                        \
            "against division by 0; 0 to 1"                                                        \
    }
#define BETAS                                                                                      \
    {"beta_1",   "beta1", IA_SETTING_NUMBER,                                                       \
     AT(beta_1), 0.9,     0,                                                                       \
     BELOW_1,    NULL,    "decay of the mean; 0 to below 1"},                                      \
    {                                                                                              \
        "beta_2", "beta2", IA_SETTING_NUMBER, AT(beta_2), 0.999, 0, BELOW_1, NULL,                 \
            "decay of the variance; 0 to below 1"                                                  \
    }
#define AMSGRAD                                                                                    \
    {                                                                                              \
        "amsgrad", NULL, IA_SETTING_FLAG, AT(amsgrad), 0, 0, 1, NULL,                              \
            "true: the largest variance counts"                                                    \
    }
#define RHO(value)                                                                                 \
    {                                                                                              \
        "rho", NULL, IA_SETTING_NUMBER, AT(rho), value, 0, 1, NULL, "decay of the squares; 0 to 1" \
    }

static const ia_setting sgd_settings[] = {
    MOMENTUM,
    {"nesterov", NULL, IA_SETTING_FLAG, AT(nesterov), 0, 0, 1, NULL, "true: Nesterov's momentum"},
};
static const ia_setting rmsprop_settings[] = {
    RHO(0.9),
    MOMENTUM,
    EPSILON,
    {"centered", NULL, IA_SETTING_FLAG, AT(centered), 0, 0, 1, NULL,
     "true: by the variance instead of the squares"},
};
static const ia_setting adam_settings[] = {BETAS, EPSILON, AMSGRAD};
static const ia_setting adamax_settings[] = {BETAS, EPSILON};
static const ia_setting adagrad_settings[] = {
    {"initial_accumulator_value", NULL, IA_SETTING_NUMBER, AT(initial_accumulator_value), 0.1, 0,
     1e30, NULL, "0 or more"},
    EPSILON,
};
static const ia_setting adadelta_settings[] = {RHO(0.95), EPSILON};

static bool sgd_slot(const ia_optimizer *o, size_t k)
{
    (void)k;
    return o->momentum != 0;
}

static bool rmsprop_slot(const ia_optimizer *o, size_t k)
{
    return k == 0 || (k == 1 ? o->momentum > 0 : o->centered != 0);
}

static bool adam_slot(const ia_optimizer *o, size_t k)
{
    return k < 2 || o->amsgrad != 0;
}

static double adagrad_start(const ia_optimizer *o, size_t k)
{
    (void)k;
    return o->initial_accumulator_value;
}

/* ---- rules ---- */

static ia_update sgd_update(const ia_optimizer *o, double rate, uint64_t t, double u)
{
    (void)t, (void)u;
    return ia_update_sgd(rate, o->momentum, o->nesterov != 0);
}

static ia_update rmsprop_update(const ia_optimizer *o, double rate, uint64_t t, double u)
{
    (void)t, (void)u;
    return ia_update_rmsprop(rate, o->rho, o->momentum, o->epsilon, o->centered != 0);
}

static ia_update adam_update(const ia_optimizer *o, double rate, uint64_t t, double u)
{
    (void)u;
    return ia_update_adam(rate, o->beta_1, o->beta_2, o->epsilon, o->amsgrad != 0, t);
}

static ia_update adagrad_update(const ia_optimizer *o, double rate, uint64_t t, double u)
{
    (void)t, (void)u;
    return ia_update_adagrad(rate, o->epsilon);
}

static ia_update adadelta_update(const ia_optimizer *o, double rate, uint64_t t, double u)
{
    (void)t, (void)u;
    return ia_update_adadelta(rate, o->rho, o->epsilon);
}

static ia_update adamax_update(const ia_optimizer *o, double rate, uint64_t t, double u)
{
    (void)u;
    return ia_update_adamax(rate, o->beta_1, o->beta_2, o->epsilon, t);
}

static ia_update nadam_update(const ia_optimizer *o, double rate, uint64_t t, double u)
{
    return ia_update_nadam(rate, o->beta_1, o->beta_2, o->epsilon, u, t);
}

static const ia_optimizer_class optimizer_rows[] = {
    {.name = "sgd",
     .class_name = "SGD",
     .aliases = "MomentumOptimizer",
     .help = "gradient descent, with momentum if wanted",
     .settings = sgd_settings,
     .setting_count = IA_COUNT(sgd_settings),
     .learning_rate = 0.01,
     .weight_decay = NONE,
     .slot = {"momentum"},
     .has_slot = sgd_slot,
     .update = sgd_update},
    {.name = "rmsprop",
     .class_name = "RMSprop",
     .help = "steps scaled by a running mean of squares",
     .settings = rmsprop_settings,
     .setting_count = IA_COUNT(rmsprop_settings),
     .learning_rate = 0.001,
     .weight_decay = NONE,
     .slot = {"velocity", "momentum", "average_gradient"},
     .has_slot = rmsprop_slot,
     .update = rmsprop_update},
    {.name = "adam",
     .class_name = "Adam",
     .help = "running mean over the root of the running squares",
     .settings = adam_settings,
     .setting_count = IA_COUNT(adam_settings),
     .learning_rate = 0.001,
     .weight_decay = NONE,
     .slot = {"momentum", "velocity", "velocity_hat"},
     .has_slot = adam_slot,
     .update = adam_update},
    {.name = "adamw",
     .class_name = "AdamW",
     .help = "Adam with weight decay",
     .settings = adam_settings,
     .setting_count = IA_COUNT(adam_settings),
     .learning_rate = 0.001,
     .weight_decay = 0.004,
     .slot = {"momentum", "velocity", "velocity_hat"},
     .has_slot = adam_slot,
     .update = adam_update},
    {.name = "adagrad",
     .class_name = "Adagrad",
     .help = "steps scaled by the sum of squares",
     .settings = adagrad_settings,
     .setting_count = IA_COUNT(adagrad_settings),
     .learning_rate = 0.001,
     .weight_decay = NONE,
     .slot = {"accumulator"},
     .slot_start = adagrad_start,
     .update = adagrad_update},
    {.name = "adadelta",
     .class_name = "Adadelta",
     .help = "steps scaled by past steps over past squares",
     .settings = adadelta_settings,
     .setting_count = IA_COUNT(adadelta_settings),
     .learning_rate = 0.001,
     .weight_decay = NONE,
     .slot = {"accumulated_grad", "accumulated_delta_var"},
     .update = adadelta_update},
    {.name = "adamax",
     .class_name = "Adamax",
     .help = "Adam with the largest gradient for the root",
     .settings = adamax_settings,
     .setting_count = IA_COUNT(adamax_settings),
     .learning_rate = 0.001,
     .weight_decay = NONE,
     .slot = {"momentum", "norm"},
     .update = adamax_update},
    {.name = "nadam",
     .class_name = "Nadam",
     .help = "Adam with Nesterov's momentum",
     .settings = adamax_settings,
     .setting_count = IA_COUNT(adamax_settings),
     .learning_rate = 0.001,
     .weight_decay = NONE,
     .slot = {"momentum", "velocity"},
     .update = nadam_update},
};

size_t ia_optimizer_count(void)
{
    return IA_COUNT(optimizer_rows);
}

const ia_optimizer_class *ia_optimizer_at(size_t i)
{
    return i < IA_COUNT(optimizer_rows) ? &optimizer_rows[i] : NULL;
}

const ia_optimizer_class *ia_optimizer_find(const char *name)
{
    for (size_t i = 0; i < IA_COUNT(optimizer_rows); i++) {
        const ia_optimizer_class *c = &optimizer_rows[i];
        if (ia_name_in(name, c->name) || (c->aliases && ia_name_in(name, c->aliases)))
            return c;
    }
    return NULL;
}

/* ---- settings ---- */

static const ia_setting rate_setting = {
    "learning_rate", "lr", IA_SETTING_NUMBER, AT(learning_rate), 0, 0, 1e6, NULL, "0 to 1e6"};
static const ia_setting shared_settings[] = {
    {"weight_decay", NULL, IA_SETTING_OPTIONAL, AT(weight_decay), NONE, 0, 1e6, NULL,
     "share of every weight taken off per step, times the rate; or none"},
    {"clipnorm", NULL, IA_SETTING_OPTIONAL, AT(clipnorm), NONE, 0, 1e30, NULL,
     "largest norm of one variable's gradient, or none"},
    {"clipvalue", NULL, IA_SETTING_OPTIONAL, AT(clipvalue), NONE, 0, 1e30, NULL,
     "largest element of a gradient, or none"},
    {"global_clipnorm", NULL, IA_SETTING_OPTIONAL, AT(global_clipnorm), NONE, 0, 1e30, NULL,
     "largest norm of all gradients together, or none"},
};

size_t ia_optimizer_settings(const ia_optimizer_class *c, ia_setting *out)
{
    size_t n = 0;
    out[n] = rate_setting;
    out[n++].fallback = c->learning_rate;
    for (size_t i = 0; i < c->setting_count; i++)
        out[n++] = c->settings[i];
    for (size_t i = 0; i < IA_COUNT(shared_settings); i++)
        out[n++] = shared_settings[i];
    out[n - IA_COUNT(shared_settings)].fallback = c->weight_decay;
    return n;
}

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
    const char *names[IA_COUNT(optimizer_rows)];
    for (size_t i = 0; i < IA_COUNT(optimizer_rows); i++)
        names[i] = optimizer_rows[i].name;
    const char *near = ia_suggest(name, names, IA_COUNT(optimizer_rows));
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

inarch_status ia_optimizer_to_json(const ia_optimizer *o, const ia_schedule *schedule, json_t **out,
                                   inarch_error *err)
{
    ia_setting rows[IA_MAX_SETTINGS];
    ia_settings t = {rows, ia_optimizer_settings(o->cls, rows)};
    ia_schedule_at at = {.base = o->learning_rate, .epoch_steps = 1, .run_steps = 1};
    json_t *rate = NULL, *v = NULL;
    inarch_status status = INARCH_OK;
    json_t *config = json_pack("{s:s, s:b, s:f, s:n}", "name", o->cls->name, "use_ema", 0,
                               "ema_momentum", 0.99, "ema_overwrite_frequency");
    if (!config)
        return ia_fail_memory(err, "an optimizer", sizeof *o);
    IA_TRY_GOTO(ia_settings_to_json(t, o, config, err));
    if (schedule)
        IA_TRY_GOTO(ia_schedule_to_json(schedule, &at, &rate, err));
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

/* ---- slots ---- */

const char *ia_optimizer_slot_name(const ia_optimizer *o, size_t i)
{
    for (size_t k = 0; k < IA_COUNT(o->cls->slot) && o->cls->slot[k]; k++)
        if ((!o->cls->has_slot || o->cls->has_slot(o, k)) && i-- == 0)
            return o->cls->slot[k];
    return NULL;
}

size_t ia_optimizer_slot_count(const ia_optimizer *o)
{
    size_t n = 0;
    while (ia_optimizer_slot_name(o, n))
        n++;
    return n;
}
