/* The list of optimizers: names, Keras' defaults, settings and slots.
 *
 * The rules themselves are kernels (kernels/update_list.h); text and JSON are in optimizer_text.c.
 */
#include "train/optimizer.h"

#include <math.h>

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
