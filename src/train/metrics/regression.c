/* Metrics on numbers beyond the means of losses: root mean squared error, R2, cosine similarity. */
#include "train/metrics/list.h"

#include <math.h>

static void squared_values(const ia_metric *m, const ia_scores *b, double *value)
{
    const float *p = b->p, *t = b->t;
    (void)m;
    for (size_t s = 0; s < b->samples; s++, p += b->cols, t += b->cols) {
        double sum = 0;
        for (size_t c = 0; c < b->cols; c++) {
            double e = (double)p[c] - (double)t[c];
            sum += e * e;
        }
        value[s] = sum / (double)b->cols;
    }
}

/* The cosine between label and prediction: minus the loss of that name. */
static void cosine_values(const ia_metric *m, const ia_scores *b, double *value)
{
    const float *p = b->p, *t = b->t;
    (void)m;
    for (size_t s = 0; s < b->samples; s++, p += b->cols, t += b->cols) {
        double dot = 0, pp = 0, tt = 0;
        for (size_t c = 0; c < b->cols; c++) {
            dot += (double)p[c] * (double)t[c];
            pp += (double)p[c] * (double)p[c];
            tt += (double)t[c] * (double)t[c];
        }
        double n = fmin(1 / sqrt(pp), 1 / IA_METRIC_EPSILON);
        value[s] = dot * n * fmin(1 / sqrt(tt), 1 / IA_METRIC_EPSILON);
    }
}

/* ---- R2 = 1 - sum (y - p)^2 / sum (y - mean y)^2, per column ---- */

enum { R2_SUM, R2_SQUARES, R2_RESIDUAL, R2_COUNT, R2_SUMS };
enum { AGGREGATE_NONE, AGGREGATE_UNIFORM, AGGREGATE_VARIANCE };

/* Sums per column, and how many numbers were seen: Keras 3.15 counts those, not rows. */
static size_t r2_state(const ia_metric *m, size_t cols)
{
    (void)m;
    return R2_SUMS * cols + 1;
}

static void r2_add(const ia_metric *m, const ia_scores *b, size_t s, double w, double *state)
{
    (void)m;
    for (size_t c = 0; c < b->cols; c++, state += R2_SUMS) {
        double t = (double)b->t[s * b->cols + c], e = t - (double)b->p[s * b->cols + c];
        state[R2_SUM] += w * t;
        state[R2_SQUARES] += w * t * t;
        state[R2_RESIDUAL] += w * e * e;
        state[R2_COUNT] += w;
    }
    *state += (double)b->cols;
}

static double r2_total(const double *n)
{
    return n[R2_SQUARES] - n[R2_SUM] * (n[R2_SUM] / n[R2_COUNT]);
}

/* A constant column has no R2; Keras counts it as 0. */
static double r2_of(const double *n)
{
    double r2 = 1 - n[R2_RESIDUAL] / r2_total(n);
    return isinf(r2) ? 0 : r2;
}

static size_t r2_results(const ia_metric *m, size_t cols)
{
    return m->aggregation == AGGREGATE_NONE ? cols : 1;
}

/* The adjusted R2; as in Keras not where there are too few samples for it. */
static double r2_adjusted(const ia_metric *m, double r2, double samples)
{
    bool enough = m->regressors > 0 && m->regressors < samples - 1;
    return enough ? 1 - (1 - r2) * (samples - 1) / (samples - m->regressors - 1) : r2;
}

static double r2_result(const ia_metric *m, size_t cols, const double *state, size_t i)
{
    double sum = 0, weight = 0, samples = state[R2_SUMS * cols];
    if (m->aggregation == AGGREGATE_NONE)
        return r2_adjusted(m, r2_of(state + R2_SUMS * i), samples);
    for (size_t c = 0; c < cols; c++) {
        const double *n = state + R2_SUMS * c;
        double w = m->aggregation == AGGREGATE_VARIANCE ? r2_total(n) : 1;
        sum += w * r2_of(n);
        weight += w;
    }
    return r2_adjusted(m, sum / weight, samples);
}

#define AT(member) offsetof(ia_metric, member)

static const ia_setting r2_settings[] = {
    {"class_aggregation", "aggregation", IA_SETTING_WORD, AT(aggregation), AGGREGATE_UNIFORM, 0, 2,
     "none|uniform_average|variance_weighted_average", "how columns are averaged"},
    {"num_regressors", NULL, IA_SETTING_WHOLE, AT(regressors), 0, 0, 1e9, NULL,
     "independent variables to adjust for; 0: none"},
};

const ia_metric_class ia_metric_root_mean_squared_error = {
    .name = "root_mean_squared_error",
    .class_name = "RootMeanSquaredError",
    .aliases = "rmse",
    .help = "square root of the mean of (y - p)^2",
    .one_hot = 1,
    .values = squared_values,
    .root = 1,
};

const ia_metric_class ia_metric_r2_score = {
    .name = "r2_score",
    .class_name = "R2Score",
    .aliases = "r2",
    .help = "share of the variance that is explained",
    .up = 1,
    .settings = r2_settings,
    .setting_count = IA_COUNT(r2_settings),
    .one_hot = 1,
    .state = r2_state,
    .add = r2_add,
    .result = r2_result,
    .results = r2_results,
};

const ia_metric_class ia_metric_cosine_similarity = {
    .name = "cosine_similarity",
    .class_name = "CosineSimilarity",
    .aliases = "cosine|cosine_proximity",
    .help = "cosine of the angle between y and p",
    .up = 1,
    .one_hot = 1,
    .values = cosine_values,
};
