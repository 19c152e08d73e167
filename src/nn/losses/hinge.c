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

/* y = param[0] t + param[1] */
static void signed_elements(const ia_loss_batch *b, ia_loss_id id)
{
    static const double as_given[] = {1, 0}, from_binary[] = {2, -1};
    bool binary = all_binary(b->samples * b->cols, b->t);
    ia_loss_elements(b, id, b->p, binary ? from_binary : as_given, (double)b->cols);
}

static void hinge_samples(const ia_loss *l, const ia_loss_batch *b)
{
    (void)l;
    signed_elements(b, IA_LOSS_hinge);
}

static void squared_hinge_samples(const ia_loss *l, const ia_loss_batch *b)
{
    (void)l;
    signed_elements(b, IA_LOSS_squared_hinge);
}

/* max(neg - pos + 1, 0) with pos = sum_c t p, neg = max_c (1 - t) p. Equal maxima share the
 * gradient. */
static double categorical_hinge(size_t cols, const float *p, const float *t, double scale,
                                float *grad)
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
        grad[c] = (float)(scale * (h >= 0 ? share - (double)t[c] : 0 * h));
    }
    return h < 0 ? 0 : h;
}

static void categorical_hinge_samples(const ia_loss *l, const ia_loss_batch *b)
{
    (void)l;
    for (size_t s = 0; s < b->samples; s++) {
        double scale;
        float *grad = ia_loss_grad(b, s, &scale);
        b->loss[s] =
            categorical_hinge(b->cols, b->p + s * b->cols, b->t + s * b->cols, scale, grad);
    }
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
