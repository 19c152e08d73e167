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

struct ia_score {
    score_head *heads;
    size_t head_count;
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

void ia_score_add(ia_score *s, const ia_program *p, size_t rows, double total,
                  const double *head_loss, float *const *target, float *const *weight)
{
    s->loss += total * (double)rows;
    s->rows += (double)rows;
    for (size_t i = 0; i < s->head_count; i++) {
        const ia_head *h = s->heads[i].head;
        const ia_view *z = ia_program_logits(p, h->output);
        ia_scores b = {.samples = rows * h->samples,
                       .cols = h->cols,
                       .p = ia_program_output(p, h->output)->data,
                       .z = z ? z->data : NULL,
                       .t = target[i],
                       .class_index = h->encoding == IA_ENCODE_CLASS};
        s->heads[i].loss += head_loss[i] * (double)rows;
        const float *w = per_sample(s, h, rows, weight ? weight[i] : NULL);
        for (size_t m = 0; m < h->metric_count; m++) {
            b.weight = h->weighted[m] ? w : NULL;
            ia_meter_update(s->heads[i].meter[m], &b);
        }
    }
}

double ia_score_loss(const ia_score *s)
{
    return s->loss / s->rows;
}

/* ---- names and values, in one order ---- */

typedef struct score_item {
    char name[152];
    double value;
    int up;
} score_item;

/* The item after the one before it; false past the last. i counts from 0. */
static bool head_item(const ia_score *s, size_t i, score_item *out)
{
    if (s->head_count < 2 || i >= s->head_count)
        return false;
    snprintf(out->name, sizeof out->name, "%s_loss", s->heads[i].head->name);
    out->value = s->heads[i].loss / s->rows;
    out->up = 0;
    return true;
}

static bool metric_item(const ia_score *s, size_t i, score_item *out)
{
    for (size_t k = 0; k < s->head_count; k++) {
        const ia_head *h = s->heads[k].head;
        for (size_t m = 0; m < h->metric_count; m++) {
            const ia_meter *meter = s->heads[k].meter[m];
            size_t results = ia_meter_results(meter);
            if (i >= results) {
                i -= results;
                continue;
            }
            char number[24] = "";
            if (results > 1)
                snprintf(number, sizeof number, "_%zu", i);
            snprintf(out->name, sizeof out->name, "%.60s%s%.60s%s",
                     s->head_count > 1 ? h->name : "", s->head_count > 1 ? "_" : "",
                     h->metrics[m].name, number);
            out->value = ia_meter_result(meter, i);
            out->up = ia_metric_up(&h->metrics[m]);
            return true;
        }
    }
    return false;
}

static bool score_at(const ia_score *s, size_t i, score_item *out)
{
    size_t parts = s->head_count > 1 ? s->head_count : 0;
    if (i == 0) {
        snprintf(out->name, sizeof out->name, "loss");
        out->value = ia_score_loss(s);
        out->up = 0;
        return true;
    }
    return i - 1 < parts ? head_item(s, i - 1, out) : metric_item(s, i - 1 - parts, out);
}

inarch_status ia_score_columns(const ia_score *s, const char *prefix, ia_history *h,
                               inarch_error *err)
{
    score_item item;
    for (size_t i = 0; score_at(s, i, &item); i++) {
        char name[160];
        snprintf(name, sizeof name, "%.8s%.150s", prefix, item.name);
        IA_TRY(ia_history_add_column(h, name, err));
    }
    return INARCH_OK;
}

size_t ia_score_values(const ia_score *s, double *out)
{
    score_item item;
    size_t n = 0;
    for (; score_at(s, n, &item); n++)
        out[n] = item.value;
    return n;
}

bool ia_score_up(const ia_score *s, size_t i)
{
    score_item item;
    return score_at(s, i, &item) && item.up == 1;
}
