/* Scorers: loss and metrics over a data set, in inference mode. */
#include "train/score.h"

#include "base/alloc.h"

void ia_scorer_free(ia_scorer *s)
{
    if (!s)
        return;
    for (size_t h = 0; h < s->head_count; h++) {
        if (s->target)
            ia_free(s->target[h]);
        if (s->weight)
            ia_free(s->weight[h]);
    }
    ia_free(s->target);
    ia_free(s->weight);
    ia_free(s->head_loss);
    ia_free(s->temp);
    ia_free(s->rows);
    ia_score_free(s->score);
    ia_feed_free(s->feed);
    ia_program_free(s->program);
    ia_free(s);
}

static inarch_status make_program(ia_scorer *s, const ia_scorer_options *o, inarch_error *err)
{
    ia_program_options p = {.mode = IA_RUN_EVALUATE,
                            .rows = o->batch,
                            .kernels = o->kernels,
                            .pool = o->pool,
                            .frozen_dropout_off = o->frozen_dropout_off};
    ia_logits *logits = ia_calloc(o->model->output_count, sizeof *logits);
    if (!logits)
        return ia_fail_memory(err, "the program", o->model->output_count * sizeof *logits);
    for (size_t h = 0; h < o->head_count; h++)
        logits[o->heads[h].output] = o->heads[h].logits;
    p.logits = logits;
    inarch_status status = ia_program_new(o->model, &p, &s->program, err);
    ia_free(logits);
    return status;
}

static inarch_status make_buffers(ia_scorer *s, inarch_error *err)
{
    size_t most = 0, cells;
    s->target = ia_calloc(s->head_count, sizeof *s->target);
    s->weight = ia_calloc(s->head_count, sizeof *s->weight);
    s->head_loss = ia_calloc(s->head_count, sizeof *s->head_loss);
    s->rows = ia_calloc(s->batch, sizeof *s->rows);
    if (!s->target || !s->weight || !s->head_loss || !s->rows)
        return ia_fail_memory(err, "targets", s->batch * sizeof *s->rows);
    for (size_t h = 0; h < s->head_count; h++) {
        bool ok = ia_mul(s->batch, s->heads[h].target_size, &cells);
        s->target[h] = ok ? ia_calloc(cells, sizeof(float)) : NULL;
        s->weight[h] = ia_calloc(s->batch, sizeof(float));
        if (!s->target[h] || !s->weight[h] || !ia_mul(s->batch, s->heads[h].samples, &cells))
            return ia_fail_memory(err, "targets", cells);
        most = cells > most ? cells : most;
    }
    s->temp = ia_calloc(most, sizeof *s->temp);
    return s->temp ? INARCH_OK : ia_fail_memory(err, "losses", most * sizeof *s->temp);
}

inarch_status ia_scorer_new(const ia_scorer_options *o, ia_scorer **out, inarch_error *err)
{
    ia_scorer *s = ia_calloc(1, sizeof *s);
    if (!s)
        return ia_fail_memory(err, "an evaluation", sizeof *s);
    inarch_status status;
    s->heads = o->heads;
    s->head_count = o->head_count;
    s->batch = o->batch;
    IA_TRY_GOTO(make_program(s, o, err));
    IA_TRY_GOTO(ia_feed_new(o->data, o->heads, o->head_count, o->cache, o->batch, &s->feed, err));
    IA_TRY_GOTO(ia_score_new(o->heads, o->head_count, o->batch, &s->score, err));
    IA_TRY_GOTO(make_buffers(s, err));
    *out = s;
done:
    if (status != INARCH_OK)
        ia_scorer_free(s);
    return status;
}

static inarch_status score_batch(ia_scorer *s, size_t n, double penalty, inarch_error *err)
{
    bool weighted = ia_feed_weighted(s->feed);
    double total = penalty;
    IA_TRY(ia_feed_load(s->feed, s->program, s->rows, n, s->target, s->weight, err));
    ia_program_suffix(s->program, n, 0);
    for (size_t h = 0; h < s->head_count; h++) {
        s->head_loss[h] = ia_head_loss(&s->heads[h], s->program, n, s->target[h],
                                       weighted ? s->weight[h] : NULL, false, s->temp);
        total += s->heads[h].weight * s->head_loss[h];
    }
    total += ia_program_activity(s->program);
    ia_score_add(s->score, s->program, n, total, s->head_loss, s->target,
                 weighted ? s->weight : NULL);
    return INARCH_OK;
}

inarch_status ia_scorer_run(ia_scorer *s, double penalty, inarch_error *err)
{
    size_t rows = ia_feed_rows(s->feed);
    ia_score_reset(s->score);
    for (size_t at = 0; at < rows; at += s->batch) {
        size_t n = rows - at < s->batch ? rows - at : s->batch;
        for (size_t r = 0; r < n; r++)
            s->rows[r] = at + r;
        IA_TRY(score_batch(s, n, penalty, err));
    }
    return INARCH_OK;
}
