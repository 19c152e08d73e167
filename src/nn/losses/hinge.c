/* Hinge losses. 0/1 targets count as -1/1 when the batch has no other, as in Keras. */
#include "nn/losses/element.h"
#include "nn/losses/list.h"

static bool all_binary(size_t n, const float *t)
{
    for (size_t i = 0; i < n; i++)
        if (t[i] != 0 && t[i] != 1)
            return false;
    return true;
}

static double hinge_of(double p, double y, double *slope)
{
    double h = 1 - y * p;
    *slope = h >= 0 ? -y : 0 * h; /* the edge itself has the gradient, as in TensorFlow */
    return h < 0 ? 0 : h;
}

static double hinge_signed(const ia_loss *l, double p, double t, double *slope)
{
    (void)l;
    return hinge_of(p, t, slope);
}

static double hinge_binary(const ia_loss *l, double p, double t, double *slope)
{
    (void)l;
    return hinge_of(p, 2 * t - 1, slope);
}

static double squared_signed(const ia_loss *l, double p, double t, double *slope)
{
    (void)l;
    double h = hinge_of(p, t, slope);
    *slope *= 2 * h;
    return h * h;
}

static double squared_binary(const ia_loss *l, double p, double t, double *slope)
{
    return squared_signed(l, p, 2 * t - 1, slope);
}

static void hinge_samples(const ia_loss *l, size_t samples, size_t cols, const float *p,
                          const float *z, const float *t, double *loss, float *grad)
{
    (void)z;
    bool binary = all_binary(samples * cols, t);
    ia_loss_mean(l, binary ? hinge_binary : hinge_signed, samples, cols, p, t, loss, grad);
}

static void squared_hinge_samples(const ia_loss *l, size_t samples, size_t cols, const float *p,
                                  const float *z, const float *t, double *loss, float *grad)
{
    (void)z;
    bool binary = all_binary(samples * cols, t);
    ia_loss_mean(l, binary ? squared_binary : squared_signed, samples, cols, p, t, loss, grad);
}

/* max(neg - pos + 1, 0) with pos = sum_c t p, neg = max_c (1 - t) p. Equal maxima share the
 * gradient. */
static double categorical_hinge(size_t cols, const float *p, const float *t, float *grad)
{
    double pos = 0, neg = (1 - (double)t[0]) * (double)p[0];
    size_t ties = 0;
    for (size_t c = 0; c < cols; c++) {
        double n = (1 - (double)t[c]) * (double)p[c];
        pos += (double)t[c] * (double)p[c];
        neg = n > neg ? n : neg;
    }
    for (size_t c = 0; c < cols; c++)
        ties += (1 - (double)t[c]) * (double)p[c] == neg;
    double h = neg - pos + 1;
    for (size_t c = 0; grad && c < cols; c++) {
        double other = 1 - (double)t[c];
        double share = other * (double)p[c] == neg ? other / (double)ties : 0;
        grad[c] = h >= 0 ? (float)(share - (double)t[c]) : (float)(0 * h);
    }
    return h < 0 ? 0 : h;
}

static void categorical_hinge_samples(const ia_loss *l, size_t samples, size_t cols, const float *p,
                                      const float *z, const float *t, double *loss, float *grad)
{
    (void)l, (void)z;
    for (size_t s = 0; s < samples; s++)
        loss[s] =
            categorical_hinge(cols, p + s * cols, t + s * cols, grad ? grad + s * cols : NULL);
}

const ia_loss_class ia_loss_hinge = {
    .name = "hinge",
    .aliases = "Hinge",
    .help = "mean of max(1 - y p, 0), y = -1 or 1",
    .samples = hinge_samples,
};

const ia_loss_class ia_loss_squared_hinge = {
    .name = "squared_hinge",
    .aliases = "SquaredHinge",
    .help = "mean of max(1 - y p, 0)^2, y = -1 or 1",
    .samples = squared_hinge_samples,
};

const ia_loss_class ia_loss_categorical_hinge = {
    .name = "categorical_hinge",
    .aliases = "CategoricalHinge",
    .help = "margin between the class and the best other",
    .samples = categorical_hinge_samples,
};
