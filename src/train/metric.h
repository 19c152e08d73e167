/* Metrics: streamed over the batches of an epoch, in double, with deterministic sums.
 *
 * One row each in metrics/; the mean of any loss is a metric too. "accuracy" becomes what Keras
 * makes of it (binary, sparse or categorical) by ia_metric_resolve, and is saved as that. */
#ifndef IA_TRAIN_METRIC_H
#define IA_TRAIN_METRIC_H

#include "nn/loss.h"
#include "train/setting.h"

typedef struct ia_metric ia_metric;
typedef struct ia_meter ia_meter;

/* One batch as a metric sees it. */
typedef struct ia_scores {
    const ia_exec *exec;
    size_t samples, cols;
    const float *p;      /* [samples][cols] predictions */
    const float *z;      /* logits, or NULL */
    ia_logits last;      /* the activation that made p of them */
    const float *t;      /* [samples][cols], or [samples] when class_index */
    const float *weight; /* [samples]; NULL: 1 each */
    int class_index;
} ia_scores;

typedef struct ia_metric_class {
    const char *name;       /* "binary_accuracy" */
    const char *class_name; /* "BinaryAccuracy" */
    const char *aliases;    /* "acc|AUC", separated by '|'; or NULL */
    const char *help;
    int up; /* larger is better */
    const ia_setting *settings;
    size_t setting_count;
    int one_hot; /* wants [samples][cols] targets even for class indices */
    int sparse;  /* takes class indices only */
    /* Either: the value of each sample; the metric is the weighted mean. */
    void (*values)(const ia_metric *m, const ia_scores *b, double *value);
    /* Or: doubles of state (all start at 0), what a sample of weight w adds, and the i-th result.
     */
    size_t (*state)(const ia_metric *m, size_t cols);
    void (*add)(const ia_metric *m, const ia_scores *b, size_t s, double w, double *state);
    double (*result)(const ia_metric *m, size_t cols, const double *state, size_t i);
    size_t (*results)(const ia_metric *m, size_t cols); /* NULL: 1 */
    int root; /* with values: the square root of the mean */
} ia_metric_class;

struct ia_metric {
    const ia_metric_class *cls;
    ia_loss loss;  /* loss.cls != NULL: the mean of a loss */
    char name[64]; /* as asked for; the key in histories: "acc", "auc" */
    /* settings, by class; NaN: none */
    double threshold;       /* f1_score: none compares with the largest */
    double k;               /* top_k */
    double class_id, top_k; /* precision, recall */
    double curve;           /* auc: 0 ROC, 1 PR */
    double bins;            /* auc: num_thresholds */
    double summation;       /* auc: 0 interpolation, 1 minoring, 2 majoring */
    double multi_label;     /* auc: the mean over columns */
    double average;         /* f1_score: 0 none, 1 micro, 2 macro, 3 weighted */
    double aggregation;     /* r2_score: 0 none, 1 uniform, 2 by variance */
    double regressors;      /* r2_score: adjusts for so many */
    int bare;               /* named without settings: ia_metric_resolve may choose them */
};

size_t ia_metric_count(void);
const ia_metric_class *ia_metric_at(size_t i);
/* "accuracy", "auc(curve=pr)", "top_k_categorical_accuracy(k=3)", any loss. */
IA_MUST_CHECK inarch_status ia_metric_from_text(const char *text, ia_metric *out,
                                                inarch_error *err);
/* A name or {"class_name", "config"} of any Keras generation. */
IA_MUST_CHECK inarch_status ia_metric_from_json(const json_t *value, ia_metric *out,
                                                inarch_error *err);
/* A name where the settings are Keras' defaults, else the object that Keras reads (new reference).
 * The name is Keras' long one, whatever it was asked for by. */
IA_MUST_CHECK inarch_status ia_metric_to_json(const ia_metric *m, json_t **out, inarch_error *err);
void ia_metric_to_text(const ia_metric *m, char *out, size_t size);
/* Fixes what depends on the output and the targets: cols = numbers of the output's last axis.
 * accuracy becomes binary (cols = 1), sparse categorical (class indices) or categorical; f1_score
 * without settings gets threshold 0.5 (cols = 1) or the macro average. Errors for a metric that
 * can't be computed from these targets. */
IA_MUST_CHECK inarch_status ia_metric_resolve(ia_metric *m, size_t cols, int class_index,
                                              inarch_error *err);
int ia_metric_up(const ia_metric *m);

/* ---- streaming ---- */
/* For batches of at most `samples` samples; m is resolved and copied. */
IA_MUST_CHECK inarch_status ia_meter_new(const ia_metric *m, size_t samples, size_t cols,
                                         ia_meter **out, inarch_error *err);
void ia_meter_free(ia_meter *m); /* NULL allowed */
void ia_meter_reset(ia_meter *m);
void ia_meter_update(ia_meter *m, const ia_scores *b);
const ia_metric *ia_meter_metric(const ia_meter *m);
/* Values of the metric: 1, but for f1_score(average=none) one per class. */
size_t ia_meter_results(const ia_meter *m);
double ia_meter_result(const ia_meter *m, size_t i);

#endif
