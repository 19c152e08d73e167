/* Metrics from counts of right and wrong positives: precision, recall, F1, AUC.
 *
 * All units of a row count alike (micro), as Keras does without class_id and multi_label; F1 keeps
 * them apart. */
#include "train/metrics/list.h"

#include "base/maths.h"

#include <math.h>

/* ---- precision and recall ---- */

enum { TRUE_POSITIVE, FALSE_POSITIVE, FALSE_NEGATIVE, COUNTS };

static size_t counts_state(const ia_metric *m, size_t cols)
{
    (void)m, (void)cols;
    return COUNTS;
}

/* Among the k largest of its row; of equal ones the first count. */
static bool among_largest(const float *p, size_t cols, size_t c, double k)
{
    size_t before = 0;
    for (size_t i = 0; i < cols; i++)
        before += p[i] > p[c] || (p[i] == p[c] && i < c);
    return (double)before < k;
}

static void counts_add(const ia_metric *m, const ia_scores *b, size_t s, double w, double *state)
{
    const float *p = b->p + s * b->cols, *t = b->t + s * b->cols;
    bool all = isnan(m->top_k);
    double threshold = !isnan(m->threshold) ? m->threshold : all ? 0.5 : -1e10;
    size_t from = isnan(m->class_id) ? 0 : (size_t)m->class_id;
    size_t to = isnan(m->class_id) ? b->cols : from + 1;
    for (size_t c = from; c < to && c < b->cols; c++) {
        bool yes = (double)p[c] > threshold && (all || among_largest(p, b->cols, c, m->top_k));
        bool label = t[c] != 0;
        state[TRUE_POSITIVE] += yes && label ? w : 0;
        state[FALSE_POSITIVE] += yes && !label ? w : 0;
        state[FALSE_NEGATIVE] += !yes && label ? w : 0;
    }
}

static double precision_result(const ia_metric *m, size_t cols, const double *state, size_t i)
{
    (void)m, (void)cols, (void)i;
    return ia_ratio(state[TRUE_POSITIVE], state[TRUE_POSITIVE] + state[FALSE_POSITIVE]);
}

static double recall_result(const ia_metric *m, size_t cols, const double *state, size_t i)
{
    (void)m, (void)cols, (void)i;
    return ia_ratio(state[TRUE_POSITIVE], state[TRUE_POSITIVE] + state[FALSE_NEGATIVE]);
}

/* ---- F1 ---- */

enum { AVERAGE_NONE, AVERAGE_MICRO, AVERAGE_MACRO, AVERAGE_WEIGHTED };
enum { F1_TRUE, F1_FALSE, F1_MISSED, F1_WEIGHT, F1_COUNTS }; /* per class */

static size_t f1_state(const ia_metric *m, size_t cols)
{
    return F1_COUNTS * (m->average == AVERAGE_MICRO ? 1 : cols);
}

static void f1_add(const ia_metric *m, const ia_scores *b, size_t s, double w, double *state)
{
    const float *p = b->p + s * b->cols, *t = b->t + s * b->cols;
    float top = p[0];
    for (size_t c = 1; c < b->cols; c++)
        top = p[c] > top ? p[c] : top;
    for (size_t c = 0; c < b->cols; c++) {
        bool largest = p[c] >= top && fabsf(p[c]) > 1e-9f;
        double yes = isnan(m->threshold) ? largest : (double)p[c] > m->threshold;
        double y = (double)t[c], *n = state + (m->average == AVERAGE_MICRO ? 0 : F1_COUNTS * c);
        n[F1_TRUE] += w * yes * y;
        n[F1_FALSE] += w * yes * (1 - y);
        n[F1_MISSED] += w * (1 - yes) * y;
        n[F1_WEIGHT] += w * y;
    }
}

static double f1_of(const double *n)
{
    double precision = n[F1_TRUE] / (n[F1_TRUE] + n[F1_FALSE] + IA_METRIC_EPSILON);
    double recall = n[F1_TRUE] / (n[F1_TRUE] + n[F1_MISSED] + IA_METRIC_EPSILON);
    return 2 * (precision * recall) / (precision + recall + IA_METRIC_EPSILON);
}

static size_t f1_results(const ia_metric *m, size_t cols)
{
    return m->average == AVERAGE_NONE ? cols : 1;
}

static double f1_result(const ia_metric *m, size_t cols, const double *state, size_t i)
{
    double sum = 0, weight = 0;
    if (m->average == AVERAGE_NONE || m->average == AVERAGE_MICRO)
        return f1_of(state + F1_COUNTS * i);
    for (size_t c = 0; c < cols; c++) {
        double w = m->average == AVERAGE_WEIGHTED ? state[F1_COUNTS * c + F1_WEIGHT] : 1;
        sum += w * f1_of(state + F1_COUNTS * c);
        weight += w;
    }
    return sum / (m->average == AVERAGE_WEIGHTED ? weight + IA_METRIC_EPSILON : weight);
}

/* ---- AUC ---- */

enum { CURVE_ROC, CURVE_PR };
enum { SUM_INTERPOLATION, SUM_MINORING, SUM_MAJORING };

/* Per curve: positives, then negatives, by bucket. What is in bucket i is above thresholds 0..i. */
static size_t auc_state(const ia_metric *m, size_t cols)
{
    return 2 * (size_t)m->bins * (m->multi_label != 0 ? cols : 1);
}

static void auc_add(const ia_metric *m, const ia_scores *b, size_t s, double w, double *state)
{
    size_t bins = (size_t)m->bins;
    for (size_t c = 0; c < b->cols; c++) {
        double *curve = state + (m->multi_label != 0 ? 2 * bins * c : 0);
        float p = b->p[s * b->cols + c];
        p = p > 1 ? 1 : p > 0 ? p : 0;
        float above = ceilf(p * (float)(bins - 1)) - 1;
        size_t i = above > 0 ? (size_t)above : 0;
        curve[b->t[s * b->cols + c] != 0 ? i : bins + i] += w;
    }
}

/* The counts at one threshold. */
typedef struct auc_point {
    double tp, fp, positives, negatives;
} auc_point;

/* The area between two thresholds of the precision-recall curve, with true positives linear in
 * positives (Davis and Goadrich 2006). */
static double pr_area(const auc_point *hi, const auc_point *lo)
{
    double a = hi->tp + hi->fp, b = lo->tp + lo->fp, dtp = hi->tp - lo->tp;
    double slope = ia_ratio(dtp, a - b > 0 ? a - b : 0);
    double intercept = lo->tp - slope * b;
    double log_ratio = a > 0 && b > 0 ? ia_log(a / b) : 0;
    return ia_ratio(slope * (dtp + intercept * log_ratio), lo->positives > 0 ? lo->positives : 0);
}

static double curve_x(const ia_metric *m, const auc_point *q)
{
    return m->curve == CURVE_PR ? ia_ratio(q->tp, q->positives) : ia_ratio(q->fp, q->negatives);
}

static double curve_y(const ia_metric *m, const auc_point *q)
{
    return m->curve == CURVE_PR ? ia_ratio(q->tp, q->tp + q->fp) : ia_ratio(q->tp, q->positives);
}

static double strip(const ia_metric *m, const auc_point *hi, const auc_point *lo)
{
    double a = curve_y(m, hi), b = curve_y(m, lo);
    double height = m->summation == SUM_MINORING   ? (a < b ? a : b)
                    : m->summation == SUM_MAJORING ? (a > b ? a : b)
                                                   : (a + b) / 2;
    return (curve_x(m, hi) - curve_x(m, lo)) * height;
}

static double curve_area(const ia_metric *m, const double *state)
{
    size_t bins = (size_t)m->bins;
    auc_point lo = {0};
    double area = 0;
    for (size_t i = 0; i < bins; i++) {
        lo.positives += state[i];
        lo.negatives += state[bins + i];
    }
    lo.tp = state[bins - 1];
    lo.fp = state[2 * bins - 1];
    for (size_t i = bins - 1; i-- > 0;) {
        auc_point hi = lo;
        hi.tp += state[i];
        hi.fp += state[bins + i];
        area += m->curve == CURVE_PR && m->summation == SUM_INTERPOLATION ? pr_area(&hi, &lo)
                                                                          : strip(m, &hi, &lo);
        lo = hi;
    }
    return area;
}

static double auc_result(const ia_metric *m, size_t cols, const double *state, size_t which)
{
    size_t curves = m->multi_label != 0 ? cols : 1;
    double sum = 0;
    (void)which;
    for (size_t c = 0; c < curves; c++)
        sum += curve_area(m, state + 2 * (size_t)m->bins * c);
    return sum / (double)curves;
}

#define AT(member) offsetof(ia_metric, member)

static const ia_setting threshold_settings[] = {
    {"thresholds", "threshold", IA_SETTING_OPTIONAL, AT(threshold), (double)NAN, 0, 1, NULL,
     "p above it counts as positive, 0 to 1; none: 0.5, or any with top_k"},
    {"top_k", NULL, IA_SETTING_INDEX, AT(top_k), (double)NAN, 1, 1e9, NULL,
     "only the k largest of a row can be positive, 1 or more; or none"},
    {"class_id", NULL, IA_SETTING_INDEX, AT(class_id), (double)NAN, 0, 1e9, NULL,
     "the one column that counts, from 0; or none"},
};
static const ia_setting f1_settings[] = {
    {"average", NULL, IA_SETTING_WORD, AT(average), AVERAGE_NONE, 0, 3, "none|micro|macro|weighted",
     "none (one value per class), micro, macro or weighted"},
    {"threshold", NULL, IA_SETTING_OPTIONAL, AT(threshold), (double)NAN, 0, 1, NULL,
     "p above it counts as positive; none: the largest of the row does"},
};
static const ia_setting auc_settings[] = {
    {"num_thresholds", NULL, IA_SETTING_WHOLE, AT(bins), 200, 2, 1e6, NULL, "2 or more"},
    {"curve", NULL, IA_SETTING_WORD, AT(curve), CURVE_ROC, 0, 1, "ROC|PR", "roc or pr"},
    {"summation_method", NULL, IA_SETTING_WORD, AT(summation), SUM_INTERPOLATION, 0, 2,
     "interpolation|minoring|majoring", "interpolation, minoring or majoring"},
    {"multi_label", NULL, IA_SETTING_FLAG, AT(multi_label), 0, 0, 1, NULL,
     "true: the mean over the columns' curves"},
};

const ia_metric_class ia_metric_precision = {
    .name = "precision",
    .class_name = "Precision",
    .help = "right among those predicted positive",
    .up = 1,
    .settings = threshold_settings,
    .setting_count = IA_COUNT(threshold_settings),
    .one_hot = 1,
    .state = counts_state,
    .add = counts_add,
    .result = precision_result,
};

const ia_metric_class ia_metric_recall = {
    .name = "recall",
    .class_name = "Recall",
    .help = "found among those that are positive",
    .up = 1,
    .settings = threshold_settings,
    .setting_count = IA_COUNT(threshold_settings),
    .one_hot = 1,
    .state = counts_state,
    .add = counts_add,
    .result = recall_result,
};

const ia_metric_class ia_metric_f1_score = {
    .name = "f1_score",
    .class_name = "F1Score",
    .aliases = "f1",
    .help = "harmonic mean of precision and recall",
    .up = 1,
    .settings = f1_settings,
    .setting_count = IA_COUNT(f1_settings),
    .one_hot = 1,
    .state = f1_state,
    .add = f1_add,
    .result = f1_result,
    .results = f1_results,
};

const ia_metric_class ia_metric_auc = {
    .name = "auc",
    .class_name = "AUC",
    .help = "area under the ROC or precision-recall curve",
    .up = 1,
    .settings = auc_settings,
    .setting_count = IA_COUNT(auc_settings),
    .one_hot = 1,
    .state = auc_state,
    .add = auc_add,
    .result = auc_result,
};
