/* Losses between numbers: squared, absolute, relative and logarithmic errors, Huber, log-cosh. */
#include "nn/losses/element.h"
#include "nn/losses/list.h"

#include "base/maths.h"

#include <math.h>

#define LOG_2 0.693147180559945309417232121458

enum { DELTA };

static double sign(double x)
{
    return x > 0 ? 1 : x < 0 ? -1 : 0 * x; /* 0 at 0, NaN at NaN */
}

static double squared(const ia_loss *l, double p, double t, double *slope)
{
    (void)l;
    *slope = 2 * (p - t);
    return (p - t) * (p - t);
}

static double absolute(const ia_loss *l, double p, double t, double *slope)
{
    (void)l;
    *slope = sign(p - t);
    return fabs(p - t);
}

/* 100 |t - p| / max(|t|, 1e-7) */
static double percentage(const ia_loss *l, double p, double t, double *slope)
{
    (void)l;
    double scale = fabs(t) > IA_LOSS_EPSILON ? fabs(t) : IA_LOSS_EPSILON;
    *slope = 100 * sign(p - t) / scale;
    return 100 * fabs((t - p) / scale);
}

/* (log(1 + max(p, 1e-7)) - log(1 + max(t, 1e-7)))^2; no gradient below 1e-7. */
static double logarithmic(const ia_loss *l, double p, double t, double *slope)
{
    (void)l;
    double a = p < IA_LOSS_EPSILON ? IA_LOSS_EPSILON : p;
    double b = t < IA_LOSS_EPSILON ? IA_LOSS_EPSILON : t;
    double d = ia_log1p(a) - ia_log1p(b);
    *slope = p >= IA_LOSS_EPSILON ? 2 * d / (1 + a) : 0;
    return d * d;
}

/* Quadratic up to delta, then linear. */
static double huber(const ia_loss *l, double p, double t, double *slope)
{
    double delta = l->param[DELTA], e = p - t, a = fabs(e);
    if (a <= delta) {
        *slope = e;
        return 0.5 * e * e;
    }
    *slope = delta * sign(e);
    return delta * a - 0.5 * delta * delta;
}

/* log(cosh(e)) = |e| + log(1 + exp(-2|e|)) - log 2 */
static double log_cosh(const ia_loss *l, double p, double t, double *slope)
{
    (void)l;
    double e = p - t;
    *slope = ia_tanh(e);
    return fabs(e) + ia_log1p(ia_exp(-2 * fabs(e))) - LOG_2;
}

/* p - t log(p + 1e-7) */
static double poisson(const ia_loss *l, double p, double t, double *slope)
{
    (void)l;
    *slope = 1 - t / (p + IA_LOSS_EPSILON);
    return p - t * ia_log(p + IA_LOSS_EPSILON);
}

#define SAMPLES(name)                                                                              \
    static void name##_samples(const ia_loss *l, size_t samples, size_t cols, const float *p,      \
                               const float *z, const float *t, double *loss, float *grad)          \
    {                                                                                              \
        (void)z;                                                                                   \
        ia_loss_mean(l, name, samples, cols, p, t, loss, grad);                                    \
    }
SAMPLES(squared)
SAMPLES(absolute)
SAMPLES(percentage)
SAMPLES(logarithmic)
SAMPLES(huber)
SAMPLES(log_cosh)
SAMPLES(poisson)

const ia_loss_class ia_loss_mean_squared_error = {
    .name = "mean_squared_error",
    .aliases = "MeanSquaredError|mse",
    .help = "mean of (y - p)^2",
    .samples = squared_samples,
};

const ia_loss_class ia_loss_mean_absolute_error = {
    .name = "mean_absolute_error",
    .aliases = "MeanAbsoluteError|mae",
    .help = "mean of |y - p|",
    .samples = absolute_samples,
};

const ia_loss_class ia_loss_mean_absolute_percentage_error = {
    .name = "mean_absolute_percentage_error",
    .aliases = "MeanAbsolutePercentageError|mape",
    .help = "100 * mean of |y - p| / |y|",
    .samples = percentage_samples,
};

const ia_loss_class ia_loss_mean_squared_logarithmic_error = {
    .name = "mean_squared_logarithmic_error",
    .aliases = "MeanSquaredLogarithmicError|msle",
    .help = "mean of (log(1 + y) - log(1 + p))^2",
    .samples = logarithmic_samples,
};

const ia_loss_class ia_loss_huber = {
    .name = "huber",
    .aliases = "Huber|huber_loss",
    .help = "squared up to delta, then linear",
    .param = {"delta"},
    .fallback = {1},
    .samples = huber_samples,
};

const ia_loss_class ia_loss_log_cosh = {
    .name = "log_cosh",
    .aliases = "LogCosh|logcosh",
    .help = "mean of log(cosh(y - p))",
    .samples = log_cosh_samples,
};

const ia_loss_class ia_loss_poisson = {
    .name = "poisson",
    .aliases = "Poisson",
    .help = "mean of p - y log(p), for counts",
    .samples = poisson_samples,
};
