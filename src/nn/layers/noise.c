/* GaussianNoise, GaussianDropout, AlphaDropout and SpatialDropout1D: random in training, else
 * nothing. */
#include "nn/layers/common.h"

#include <math.h>
#include <stddef.h>

typedef struct noise_config {
    float amount; /* rate or standard deviation */
} noise_config;

#define AMOUNT .type = IA_FIELD_FLOAT, .offset = offsetof(noise_config, amount)
#define RATE                                                                                       \
    {                                                                                              \
        .key = "rate", .aliases = "p", AMOUNT, .max = 1, .help = "fraction, 0 to 1"                \
    }
static const ia_field rate_fields[] = {RATE};
static const ia_field noise_fields[] = {{.key = "stddev",
                                         .aliases = "sigma",
                                         AMOUNT,
                                         .max = INFINITY,
                                         .help = "standard deviation of the noise, 0 or more"}};

static float amount_of(const ia_layer *l)
{
    return ((const noise_config *)l->config)->amount;
}

static bool active(const ia_op *op)
{
    return op->training && amount_of(op->layer) > 0;
}

static size_t mask_size(const ia_layer *l, const ia_shape *in, size_t in_count, size_t rows)
{
    size_t size = 0;
    (void)in_count;
    return amount_of(l) > 0 && ia_shape_count(in, &size) ? rows * size : 0;
}

static inarch_status no_noise_shape(ia_layer *l, const json_t *config, int generation,
                                    inarch_error *err)
{
    (void)generation;
    return ia_refuse_key(l, config, "noise_shape", err);
}

/* Rates of 1 divide by 0 in Keras. */
static inarch_status below_one(const ia_layer *l, inarch_error *err)
{
    if (amount_of(l) < 1)
        return INARCH_OK;
    return ia_layer_fail(l, INARCH_BAD_ARGUMENT, err, "", "needs a rate below 1");
}

/* dx = dy * mask for the layers that multiply */
static void masked_backward(const ia_op *op)
{
    if (!op->dx[0])
        return;
    if (active(op))
        ia_map2(op->exec, IA_MUL, op->rows * op->out.size, op->dy, op->saved, op->dx[0]);
    else
        ia_backward_copy(op);
}

#define SETTINGS(list)                                                                             \
    .flags = IA_LAYER_RANDOM | IA_LAYER_IDENTITY_OFF_TRAINING,                                     \
    .config_size = sizeof(noise_config), .fields = list, .field_count = IA_COUNT(list),            \
    .min_inputs = 1, .max_inputs = 1

/* ---- GaussianNoise: y = x + stddev * n ---- */

static void gaussian_noise_forward(const ia_op *op)
{
    size_t n = op->rows * op->out.size;
    float *y = op->out.data;
    if (!active(op)) {
        ia_forward_copy(op);
        return;
    }
    ia_mask_normal(op->exec, op->key, op->row0, op->rows, op->out.size, y);
    ia_scale(op->exec, n, amount_of(op->layer), y, y);
    ia_map2(op->exec, IA_ADD, n, y, op->in[0].data, y);
}

const ia_layer_class ia_layer_gaussian_noise = {.name = "GaussianNoise",
                                                .spec = "gaussiannoise",
                                                .aliases = "gaussian_noise|noise",
                                                .help = "adds normal noise while training",
                                                SETTINGS(noise_fields),
                                                .forward = gaussian_noise_forward,
                                                .backward = ia_backward_copy};

/* ---- GaussianDropout: y = x * (1 + stddev * n), stddev = sqrt(rate / (1 - rate)) ---- */

static void gaussian_dropout_forward(const ia_op *op)
{
    size_t n = op->rows * op->out.size;
    float *mask = op->saved ? op->saved : op->out.data;
    if (!active(op)) {
        ia_forward_copy(op);
        return;
    }
    double rate = (double)amount_of(op->layer);
    float stddev = (float)sqrt(rate / (1 - rate));
    ia_mask_normal(op->exec, op->key, op->row0, op->rows, op->out.size, mask);
    for (size_t i = 0; i < n; i++)
        mask[i] = 1 + stddev * mask[i];
    ia_map2(op->exec, IA_MUL, n, mask, op->in[0].data, op->out.data);
}

const ia_layer_class ia_layer_gaussian_dropout = {.name = "GaussianDropout",
                                                  .spec = "gaussiandropout",
                                                  .aliases = "gaussian_dropout",
                                                  .help = "multiplies by normal noise around 1",
                                                  SETTINGS(rate_fields),
                                                  .check = below_one,
                                                  .saved = mask_size,
                                                  .forward = gaussian_dropout_forward,
                                                  .backward = masked_backward};

/* ---- AlphaDropout: dropped values become selu's limit, then mean and variance are restored ----
 */

#define SELU_LIMIT (-1.6732632423543772848170429916717 * 1.0507009873554804934193349852946)

/* kept: y = a x + b, dropped: y = a limit + b; the mask keeps a or 0 */
static void alpha_dropout_forward(const ia_op *op)
{
    size_t n = op->rows * op->out.size;
    float *mask = op->saved ? op->saved : op->out.data;
    if (!active(op)) {
        ia_forward_copy(op);
        return;
    }
    double rate = (double)amount_of(op->layer);
    double scale = 1 / sqrt((1 - rate) * (1 + rate * SELU_LIMIT * SELU_LIMIT));
    float a = (float)scale, b = (float)(-scale * SELU_LIMIT * rate);
    float dropped = a * (float)SELU_LIMIT + b;
    ia_mask_dropout(op->exec, op->key, (float)rate, op->row0, op->rows, op->out.size, mask);
    for (size_t i = 0; i < n; i++) {
        bool kept = mask[i] > 0;
        float x = op->in[0].data[i];
        mask[i] = kept ? a : 0;
        op->out.data[i] = kept ? a * x + b : dropped;
    }
}

const ia_layer_class ia_layer_alpha_dropout = {.name = "AlphaDropout",
                                               .spec = "alphadropout",
                                               .aliases = "alpha_dropout",
                                               .help = "dropout that goes with selu",
                                               SETTINGS(rate_fields),
                                               .check = below_one,
                                               .saved = mask_size,
                                               .forward = alpha_dropout_forward,
                                               .backward = masked_backward,
                                               .from_json = no_noise_shape};

/* ---- SpatialDropout1D: rows (steps, channels); a channel is dropped in all steps ---- */

static inarch_status spatial_shape(const ia_layer *l, const ia_shape *in, size_t in_count,
                                   ia_shape *out, inarch_error *err)
{
    char text[96];
    (void)in_count;
    if (in->rank != 2)
        return ia_layer_fail(l, INARCH_BAD_DATA, err, "",
                             "needs rows of steps and channels, but gets %s",
                             ia_shape_text(in, text, sizeof text));
    *out = *in;
    return INARCH_OK;
}

/* Draws the channels' mask into the first step of the mask, then repeats it. */
static void spatial_dropout_forward(const ia_op *op)
{
    size_t channels = ia_last_dim(&op->out.shape), size = op->out.size;
    float *mask = op->saved ? op->saved : op->out.data;
    if (!active(op) || !size) {
        ia_forward_copy(op);
        return;
    }
    ia_draw_dropout(op, amount_of(op->layer), channels, mask);
    for (size_t r = op->rows; r-- > 0;) /* from the end: rows of the short mask are in the way */
        for (size_t i = size; i-- > 0;)
            mask[r * size + i] = mask[r * channels + i % channels];
    ia_map2(op->exec, IA_MUL, op->rows * size, mask, op->in[0].data, op->out.data);
}

const ia_layer_class ia_layer_spatial_dropout1d = {.name = "SpatialDropout1D",
                                                   .spec = "spatialdropout1d",
                                                   .help = "drops a channel in all steps of a row",
                                                   SETTINGS(rate_fields),
                                                   .shape = spatial_shape,
                                                   .saved = mask_size,
                                                   .forward = spatial_dropout_forward,
                                                   .backward = masked_backward};
