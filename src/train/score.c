/* Scores: running sums over batches, and the names they go by in a history. */
#include "train/score.h"

#include "base/alloc.h"

#include <stdio.h>
#include <string.h>

typedef struct score_head {
    const ia_head *head;
    ia_meter *meter[IA_HEAD_METRICS];
    double loss; /* sum over rows */
} score_head;

/* A number of the score: the whole loss, a head's loss where there are several heads, or one result
 * of a metric. */
typedef struct score_item {
    const score_head *head; /* NULL: the whole loss */
    const ia_meter *meter;  /* NULL: a loss */
    size_t result;
} score_item;

struct ia_score {
    score_head *heads;
    size_t head_count;
    score_item *items; /* in the order of columns */
    size_t item_count;
    double loss, rows;
    float *spread; /* weights per sample, where rows have several */
};

void ia_score_free(ia_score *s)
{
    if (!s)
        return;
    for (size_t h = 0; s->heads && h < s->head_count; h++)
        for (size_t m = 0; m < IA_HEAD_METRICS; m++)
            ia_meter_free(s->heads[h].meter[m]);
    ia_free(s->heads);
    ia_free(s->items);
    ia_free(s->spread);
    ia_free(s);
}

static inarch_status add_meters(ia_score *s, size_t rows, size_t *most, inarch_error *err)
{
    for (size_t i = 0; i < s->head_count; i++) {
        const ia_head *h = s->heads[i].head;
        size_t samples;
        if (!ia_mul(rows, h->samples, &samples))
            return ia_fail_memory(err, "metrics", SIZE_MAX);
        *most = samples > *most ? samples : *most;
        for (size_t m = 0; m < h->metric_count; m++)
            IA_TRY(ia_meter_new(&h->metrics[m], samples, h->cols, &s->heads[i].meter[m], err));
    }
    return INARCH_OK;
}

static void add_item(ia_score *s, const score_head *h, const ia_meter *meter, size_t result)
{
    s->items[s->item_count++] = (score_item){h, meter, result};
}

static inarch_status list_items(ia_score *s, inarch_error *err)
{
    size_t most = 1 + s->head_count;
    for (size_t i = 0; i < s->head_count; i++)
        for (size_t m = 0; m < s->heads[i].head->metric_count; m++)
            most += ia_meter_results(s->heads[i].meter[m]);
    s->items = ia_calloc(most, sizeof *s->items);
    if (!s->items)
        return ia_fail_memory(err, "metrics", most * sizeof *s->items);
    add_item(s, NULL, NULL, 0);
    for (size_t i = 0; s->head_count > 1 && i < s->head_count; i++)
        add_item(s, &s->heads[i], NULL, 0);
    for (size_t i = 0; i < s->head_count; i++)
        for (size_t m = 0; m < s->heads[i].head->metric_count; m++)
            for (size_t k = 0; k < ia_meter_results(s->heads[i].meter[m]); k++)
                add_item(s, &s->heads[i], s->heads[i].meter[m], k);
    return INARCH_OK;
}

inarch_status ia_score_new(const ia_head *heads, size_t head_count, size_t rows, ia_score **out,
                           inarch_error *err)
{
    size_t most = 0;
    ia_score *s = ia_calloc(1, sizeof *s);
    if (!s)
        return ia_fail_memory(err, "metrics", sizeof *s);
    inarch_status status = INARCH_OK;
    s->heads = ia_calloc(head_count, sizeof *s->heads);
    s->head_count = s->heads ? head_count : 0;
    for (size_t i = 0; i < s->head_count; i++)
        s->heads[i].head = &heads[i];
    if (s->heads)
        status = add_meters(s, rows, &most, err);
    if (status == INARCH_OK && s->heads)
        status = list_items(s, err);
    if (status == INARCH_OK)
        s->spread = ia_calloc(most, sizeof *s->spread);
    if (status == INARCH_OK && (!s->heads || !s->spread))
        status = ia_fail_memory(err, "metrics", most * sizeof *s->spread);
    if (status != INARCH_OK) {
        ia_score_free(s);
        return status;
    }
    *out = s;
    return INARCH_OK;
}

void ia_score_reset(ia_score *s)
{
    s->loss = s->rows = 0;
    for (size_t h = 0; h < s->head_count; h++) {
        s->heads[h].loss = 0;
        for (size_t m = 0; m < s->heads[h].head->metric_count; m++)
            ia_meter_reset(s->heads[h].meter[m]);
    }
}

/* Row weights as sample weights. */
static const float *per_sample(ia_score *s, const ia_head *h, size_t rows, const float *weight)
{
    if (!weight || h->samples == 1)
        return weight;
    for (size_t i = 0; i < rows * h->samples; i++)
        s->spread[i] = weight[i / h->samples];
    return s->spread;
}

static void add_metrics(ia_score *s, score_head *q, const ia_program *p, size_t rows,
                        const float *target, const float *weight)
{
    const ia_head *h = q->head;
    const ia_view *z = ia_program_logits(p, h->output);
    const float *w = per_sample(s, h, rows, weight);
    ia_scores b = {.exec = ia_program_exec(p),
                   .samples = rows * h->samples,
                   .cols = h->cols,
                   .p = ia_program_output(p, h->output)->data,
                   .z = z ? z->data : NULL,
                   .last = h->logits,
                   .t = target,
                   .class_index = h->encoding == IA_ENCODE_CLASS};
    for (size_t m = 0; m < h->metric_count; m++) {
        b.weight = h->weighted[m] ? w : NULL;
        ia_meter_update(q->meter[m], &b);
    }
}

void ia_score_add(ia_score *s, const ia_program *p, size_t rows, double total,
                  const double *head_loss, float *const *target, float *const *weight)
{
    s->loss += total * (double)rows;
    s->rows += (double)rows;
    for (size_t i = 0; i < s->head_count; i++) {
        s->heads[i].loss += head_loss[i] * (double)rows;
        if (s->heads[i].head->metric_count)
            add_metrics(s, &s->heads[i], p, rows, target[i], weight ? weight[i] : NULL);
    }
}

double ia_score_loss(const ia_score *s)
{
    return s->loss / s->rows;
}

/* ---- names and values, in one order ---- */

static void item_name(const ia_score *s, const score_item *q, char *out, size_t size)
{
    char number[24] = "";
    if (!q->meter) {
        snprintf(out, size, "%s%sloss", q->head ? q->head->head->name : "", q->head ? "_" : "");
        return;
    }
    if (ia_meter_results(q->meter) > 1)
        snprintf(number, sizeof number, "_%zu", q->result);
    snprintf(out, size, "%.60s%s%.60s%s", s->head_count > 1 ? q->head->head->name : "",
             s->head_count > 1 ? "_" : "", ia_meter_metric(q->meter)->name, number);
}

static double item_value(const ia_score *s, const score_item *q)
{
    if (q->meter)
        return ia_meter_result(q->meter, q->result);
    return (q->head ? q->head->loss : s->loss) / s->rows;
}

inarch_status ia_score_columns(const ia_score *s, const char *prefix, ia_history *h,
                               inarch_error *err)
{
    for (size_t i = 0; i < s->item_count; i++) {
        char item[152], name[160];
        item_name(s, &s->items[i], item, sizeof item);
        snprintf(name, sizeof name, "%.8s%.150s", prefix, item);
        IA_TRY(ia_history_add_column(h, name, err));
    }
    return INARCH_OK;
}

size_t ia_score_values(const ia_score *s, double *out)
{
    for (size_t i = 0; i < s->item_count; i++)
        out[i] = item_value(s, &s->items[i]);
    return s->item_count;
}

bool ia_score_up(const ia_score *s, size_t i)
{
    const ia_meter *meter = i < s->item_count ? s->items[i].meter : NULL;
    return meter && ia_metric_up(ia_meter_metric(meter)) == 1;
}
