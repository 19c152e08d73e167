/* Losses between numbers: squared, absolute, relative and logarithmic errors, Huber, log-cosh. */
#include "nn/losses/element.h"
#include "nn/losses/list.h"

/* param[0] of the class is what the kernel may want: delta. */
#define SAMPLES(name)                                                                              \
    static void name##_samples(const ia_loss *l, const ia_loss_batch *b)                           \
    {                                                                                              \
        ia_loss_elements(b, IA_LOSS_##name, b->p, l->param, (double)b->cols);                      \
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
