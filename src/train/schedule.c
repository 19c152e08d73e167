/* Learning-rate schedules: their table and their formulas. Text and JSON are in schedule_text.c. */
#include "train/schedule.h"

#include "base/maths.h"

#include <math.h>

#define PI 3.14159265358979323846264338327950288

static double base_of(const ia_schedule *s, const ia_schedule_at *at)
{
    return isnan(s->base) ? at->base : s->base;
}

static double constant_rate(const ia_schedule *s, const ia_schedule_at *at)
{
    return base_of(s, at);
}

/* Keras' CosineDecay: w steps up along a line, then d steps down along half a cosine. */
static double cosine_rate(const ia_schedule *s, const ia_schedule_at *at)
{
    double base = base_of(s, at), step = (double)at->step, d = s->decay_steps;
    if (step < s->warmup)
        return s->warmup_from + (base - s->warmup_from) * (step / s->warmup);
    if (d == 0)
        d = (double)at->run_steps - s->warmup;
    double done = d > 0 ? (step - s->warmup) / d : 1;
    double fall = 0.5 * (1 + ia_cos(PI * (done < 1 ? done : 1)));
    return base * ((1 - s->alpha) * fall + s->alpha);
}

static double exponential_rate(const ia_schedule *s, const ia_schedule_at *at)
{
    double d = s->decay_steps > 0 ? s->decay_steps : (double)at->epoch_steps;
    double p = (double)at->step / (d > 0 ? d : 1);
    return base_of(s, at) * ia_pow(s->decay_rate, s->staircase != 0 ? floor(p) : p);
}

static double step_rate(const ia_schedule *s, const ia_schedule_at *at)
{
    return base_of(s, at) * ia_pow(s->factor, floor((double)at->epoch / s->every));
}

static double piecewise_rate(const ia_schedule *s, const ia_schedule_at *at)
{
    size_t i = 0;
    while (i < s->pieces && (double)at->step > s->boundary[i])
        i++;
    return s->value[i];
}

#define AT(member) offsetof(ia_schedule, member)
#define STEPS 1e15

static const ia_setting cosine_settings[] = {
    {"warmup", "warmup_steps", IA_SETTING_WHOLE, AT(warmup), 0, 0, STEPS, NULL,
     "steps of linear rise, 0 or more"},
    {"decay_steps", "steps", IA_SETTING_WHOLE, AT(decay_steps), 0, 0, STEPS, NULL,
     "steps of fall; 0 = the rest of the run"},
    {"alpha", NULL, IA_SETTING_NUMBER, AT(alpha), 0, 0, 1, NULL,
     "the last rate as a share of the first, 0 to 1"},
    {"warmup_from", NULL, IA_SETTING_NUMBER, AT(warmup_from), 0, 0, 1e6, NULL,
     "rate at step 0 of the rise, 0 or more"},
};
static const ia_setting exponential_settings[] = {
    {"decay_rate", "rate|gamma", IA_SETTING_NUMBER, AT(decay_rate), 0.96, 0, 1e6, NULL,
     "factor per decay_steps, 0 or more"},
    {"decay_steps", "steps", IA_SETTING_WHOLE, AT(decay_steps), 0, 0, STEPS, NULL,
     "steps per factor; 0 = one epoch"},
    {"staircase", NULL, IA_SETTING_FLAG, AT(staircase), 0, 0, 1, NULL, "true: in whole stairs"},
};
static const ia_setting step_settings[] = {
    {"every", "step_size|epochs", IA_SETTING_WHOLE, AT(every), 10, 1, STEPS, NULL,
     "epochs per stair, 1 or more"},
    {"factor", "gamma", IA_SETTING_NUMBER, AT(factor), 0.1, 0, 1e6, NULL,
     "factor per stair, 0 or more"},
};
static const ia_setting plateau_settings[] = {
    {"factor", NULL, IA_SETTING_NUMBER, AT(factor), 0.1, 0, 0.999999999999, NULL,
     "factor on a plateau, 0 to below 1"},
    {"patience", NULL, IA_SETTING_WHOLE, AT(patience), 10, 0, STEPS, NULL,
     "epochs without improvement, 0 or more"},
    {"min_delta", "epsilon", IA_SETTING_NUMBER, AT(min_delta), 1e-4, 0, 1e300, NULL,
     "least change that counts, 0 or more"},
    {"cooldown", NULL, IA_SETTING_WHOLE, AT(cooldown), 0, 0, STEPS, NULL,
     "epochs of rest after a change, 0 or more"},
    {"min_lr", NULL, IA_SETTING_NUMBER, AT(min_lr), 0, 0, 1e6, NULL, "lowest rate, 0 or more"},
};

static const ia_schedule_class schedule_rows[] = {
    {"constant", NULL, "none", "the optimizer's rate throughout", NULL, 0, constant_rate},
    {"cosine", "CosineDecay", "cosine_decay", "linear rise, then half a cosine down to alpha",
     cosine_settings, IA_COUNT(cosine_settings), cosine_rate},
    {"exponential", "ExponentialDecay", "exponential_decay|exp", "a factor every decay_steps",
     exponential_settings, IA_COUNT(exponential_settings), exponential_rate},
    {"step", NULL, "step_decay", "a factor every so many epochs", step_settings,
     IA_COUNT(step_settings), step_rate},
    {"piecewise", "PiecewiseConstantDecay", "piecewise_constant|piecewise_constant_decay",
     "boundaries=100|200,values=1e-3|1e-4|1e-5, in steps", NULL, 0, piecewise_rate},
    {"plateau", NULL, "reduce_lr_on_plateau", "a factor when `monitor` stops improving",
     plateau_settings, IA_COUNT(plateau_settings), constant_rate},
};

size_t ia_schedule_count(void)
{
    return IA_COUNT(schedule_rows);
}

const ia_schedule_class *ia_schedule_at_index(size_t i)
{
    return i < IA_COUNT(schedule_rows) ? &schedule_rows[i] : NULL;
}

double ia_schedule_rate(const ia_schedule *s, const ia_schedule_at *at)
{
    return s->cls ? s->cls->rate(s, at) : at->base;
}

bool ia_schedule_is_plateau(const ia_schedule *s)
{
    return s->cls == &schedule_rows[IA_COUNT(schedule_rows) - 1];
}

static bool improves(const ia_schedule *s, double value, double best, bool up)
{
    if (isnan(best))
        return true;
    return up ? value - s->min_delta > best : value + s->min_delta < best;
}

/* Keras' ReduceLROnPlateau.on_epoch_end, line by line. */
void ia_plateau_epoch(const ia_schedule *s, ia_plateau *p, double value, bool up)
{
    if (p->cooldown > 0) {
        p->cooldown--;
        p->wait = 0;
    }
    if (improves(s, value, p->best, up)) {
        p->best = value;
        p->wait = 0;
        return;
    }
    if (p->cooldown > 0 || ++p->wait < s->patience || !(p->rate > s->min_lr))
        return;
    double rate = p->rate * s->factor;
    p->rate = rate > s->min_lr ? rate : s->min_lr;
    p->cooldown = s->cooldown;
    p->wait = 0;
}
