/* Meters: the running state of a metric over the batches of an epoch.
 *
 * Samples are added one by one, in order, in double: results depend neither on how rows are cut
 * into batches nor on threads. */
#include "train/metric.h"

#include "base/alloc.h"
#include "train/metrics/list.h"

#include <math.h>
#include <string.h>

struct ia_meter {
    ia_metric metric;
    size_t cols, samples, size;
    double *state;
    double *value;  /* [samples], of what is a mean */
    float *one_hot; /* [samples][cols]; made when first needed */
};

void ia_meter_free(ia_meter *m)
{
    if (!m)
        return;
    ia_free(m->state);
    ia_free(m->value);
    ia_free(m->one_hot);
    ia_free(m);
}

inarch_status ia_meter_new(const ia_metric *metric, size_t samples, size_t cols, ia_meter **out,
                           inarch_error *err)
{
    size_t cells;
    ia_meter *m = ia_calloc(1, sizeof *m);
    if (!m)
        return ia_fail_memory(err, "a metric", sizeof *m);
    m->metric = *metric;
    m->cols = cols;
    m->samples = samples;
    m->size = metric->cls->state ? metric->cls->state(metric, cols) : 2;
    m->state = ia_calloc(m->size, sizeof *m->state);
    m->value = ia_calloc(samples, sizeof *m->value);
    m->one_hot = ia_mul(samples, cols, &cells) ? ia_calloc(cells, sizeof *m->one_hot) : NULL;
    if (!m->state || !m->value || !m->one_hot) {
        ia_meter_free(m);
        return ia_fail_memory(err, "a metric", samples * sizeof *m->value);
    }
    *out = m;
    return INARCH_OK;
}

void ia_meter_reset(ia_meter *m)
{
    memset(m->state, 0, m->size * sizeof *m->state);
}

/* The batch with [samples][cols] targets. */
static ia_scores with_one_hot(ia_meter *m, const ia_scores *b)
{
    ia_scores dense = *b;
    memset(m->one_hot, 0, b->samples * b->cols * sizeof *m->one_hot);
    for (size_t s = 0; s < b->samples; s++)
        if (b->t[s] >= 0 && b->t[s] < (float)b->cols)
            m->one_hot[s * b->cols + (size_t)b->t[s]] = 1;
    dense.t = m->one_hot;
    dense.class_index = 0;
    return dense;
}

static void loss_values(const ia_loss *l, const ia_scores *b, double *value)
{
    ia_loss_batch batch = {.exec = b->exec,
                           .samples = b->samples,
                           .cols = b->cols,
                           .p = b->p,
                           .z = l->cls->logits ? b->z : NULL,
                           .last = b->last,
                           .t = b->t,
                           .loss = value};
    l->cls->samples(l, &batch);
}

static void add_mean(ia_meter *m, const ia_scores *b)
{
    if (m->metric.loss.cls)
        loss_values(&m->metric.loss, b, m->value);
    else
        m->metric.cls->values(&m->metric, b, m->value);
    double sum = m->state[0], weight = m->state[1];
    for (size_t s = 0; s < b->samples; s++) {
        double w = b->weight ? (double)b->weight[s] : 1;
        sum += w * m->value[s];
        weight += w;
    }
    m->state[0] = sum;
    m->state[1] = weight;
}

void ia_meter_update(ia_meter *m, const ia_scores *batch)
{
    const ia_metric_class *c = m->metric.cls;
    const ia_loss *l = &m->metric.loss;
    bool dense = l->cls ? l->cls->target == IA_TARGET_VALUES : c->one_hot;
    ia_scores b = dense && batch->class_index ? with_one_hot(m, batch) : *batch;
    if (!c->add) {
        add_mean(m, &b);
        return;
    }
    for (size_t s = 0; s < b.samples; s++)
        c->add(&m->metric, &b, s, b.weight ? (double)b.weight[s] : 1, m->state);
}

const ia_metric *ia_meter_metric(const ia_meter *m)
{
    return &m->metric;
}

size_t ia_meter_results(const ia_meter *m)
{
    const ia_metric_class *c = m->metric.cls;
    return c->results ? c->results(&m->metric, m->cols) : 1;
}

double ia_meter_result(const ia_meter *m, size_t i)
{
    const ia_metric_class *c = m->metric.cls;
    if (c->result)
        return c->result(&m->metric, m->cols, m->state, i);
    double mean = ia_ratio(m->state[0], m->state[1]);
    return c->root ? sqrt(mean) : mean;
}
