/* The training loop: epochs of batches, publishing, validation, events. */
#include "train/loop.h"

#include "train/run.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef enum loop_end { LOOP_ON, LOOP_STOP, LOOP_ABORT } loop_end;

static loop_end tell(const ia_run *r, ia_event_kind kind, size_t epoch, size_t batch,
                     size_t batches, double loss)
{
    if (!r->o.event)
        return LOOP_ON;
    ia_event e = {.kind = kind,
                  .epoch = epoch,
                  .epochs = r->o.epochs,
                  .batch = batch,
                  .batches = batches,
                  .loss = loss,
                  .learning_rate = r->rate,
                  .history = r->history};
    int answer = r->o.event(r->o.context, &e);
    return answer == IA_ABORT ? LOOP_ABORT : answer == IA_STOP ? LOOP_STOP : LOOP_ON;
}

/* ---- the cache ---- */

#define FILL_ROWS 256

/* The prefix once over all rows, in larger blocks than a batch: its bytes do not depend on them. */
static inarch_status fill(ia_run *r, const ia_data *d, ia_cache *cache, loop_end *end,
                          inarch_error *err)
{
    size_t rows = ia_data_rows(d), block = rows < FILL_ROWS ? rows : FILL_ROWS;
    size_t blocks = (rows + block - 1) / block;
    uint64_t list[FILL_ROWS];
    ia_program *p = NULL;
    ia_feed *feed = NULL;
    inarch_status status;
    IA_TRY_GOTO(run_prefix_program(r, block, &p, err));
    IA_TRY_GOTO(ia_feed_new(d, NULL, 0, cache, block, &feed, err));
    for (size_t b = 0; b < blocks && *end == LOOP_ON; b++) {
        size_t n = rows - b * block < block ? rows - b * block : block;
        for (size_t i = 0; i < n; i++)
            list[i] = b * block + i;
        IA_TRY_GOTO(ia_feed_fill_cache(feed, p, list, n, err));
        *end = tell(r, IA_EVENT_CACHE, 0, b + 1, blocks, (double)NAN);
    }
done:
    ia_feed_free(feed);
    ia_program_free(p);
    return status;
}

static inarch_status fill_caches(ia_run *r, loop_end *end, inarch_error *err)
{
    if (r->cache)
        IA_TRY(fill(r, r->train, r->cache, end, err));
    if (r->scorer && r->validation_cache && *end == LOOP_ON)
        IA_TRY(fill(r, r->validation, r->validation_cache, end, err));
    else if (r->scorer && r->cache && r->validation_shares_cache && *end == LOOP_ON)
        IA_TRY(fill(r, r->validation, r->cache, end, err));
    return INARCH_OK;
}

/* ---- one epoch ---- */

static ia_schedule_at schedule_at(const ia_run *r)
{
    bool plateau = ia_schedule_is_plateau(&r->schedule);
    return (ia_schedule_at){.base = plateau ? r->plateau.rate : r->optimizer.learning_rate,
                            .step = r->schedule_start + r->step,
                            .epoch = r->epoch,
                            .epoch_steps = r->steps_per_epoch,
                            .run_steps = r->steps_per_epoch * r->o.epochs};
}

double run_rate(const ia_run *r)
{
    ia_schedule_at at = schedule_at(r);
    return ia_schedule_rate(&r->schedule, &at);
}

static inarch_status run_batch(ia_run *r, size_t batch, ia_loss_parts *loss, inarch_error *err)
{
    size_t at = batch * r->batch, n = r->rows - at < r->batch ? r->rows - at : r->batch;
    ia_program *p = ia_trainer_program(r->trainer);
    bool weighted = ia_feed_weighted(r->feed);
    IA_TRY(ia_feed_load(r->feed, p, r->order + at, n, r->target, r->weight, err));
    r->rate = run_rate(r);
    r->last_batch = batch;
    if (!ia_trainer_step(r->trainer, n, weighted, r->first_step + r->step, r->rate, loss))
        return run_diverged(r, batch,
                            isnan(loss->total) ? "loss became NaN" : "loss became infinite", err);
    r->step++;
    for (size_t h = 0; h < r->objective.head_count; h++)
        r->head_loss[h] = ia_trainer_head_loss(r->trainer, h);
    ia_score_add(r->score, p, n, loss->total, r->head_loss, r->target, weighted ? r->weight : NULL);
    return INARCH_OK;
}

/* Where moments go on from an earlier fit, shuffles and masks go on too, as Keras' generators do:
 * with one seed, fits of one epoch must not repeat each other. Without shuffling the order stays
 * that of the rows. */
static void set_order(ia_run *r)
{
    if (r->o.shuffle)
        ia_data_shuffle(r->order, r->rows, r->o.seed,
                        r->first_step / r->steps_per_epoch + r->epoch);
}

static inarch_status run_epoch(ia_run *r, loop_end *end, inarch_error *err)
{
    ia_loss_parts loss = {0};
    set_order(r);
    ia_score_reset(r->score);
    for (size_t b = 0; b < r->steps_per_epoch && *end == LOOP_ON; b++) {
        IA_TRY(run_batch(r, b, &loss, err));
        *end = tell(r, IA_EVENT_BATCH, r->epoch + 1, b + 1, r->steps_per_epoch,
                    ia_score_loss(r->score));
    }
    return INARCH_OK;
}

/* Moments are the larger part of a model in training: without checkpoints the document gets them once,
 * at the end. */
static inarch_status publish(ia_run *r, inarch_error *err)
{
    inarch_error inner = {0};
    inarch_status status = r->o.checkpoint ? ia_trainer_publish(r->trainer, &inner)
                                           : ia_trainer_publish_weights(r->trainer, &inner);
    r->published = r->published || status == INARCH_OK;
    if (status == INARCH_DIVERGED)
        return run_diverged(r, r->last_batch, inner.message, err);
    if (status != INARCH_OK && err)
        *err = inner;
    if (status == INARCH_OK && r->scorer)
        ia_program_rebind(r->scorer->program);
    return status;
}

static inarch_status validate(ia_run *r, double *row, inarch_error *err)
{
    if (!r->scorer)
        return INARCH_OK;
    IA_TRY(ia_scorer_run(r->scorer, ia_trainer_penalty(r->trainer), err));
    ia_score_values(r->scorer->score, row + r->validation_column);
    return INARCH_OK;
}

/* A new row of the history. Its room grows with the epochs: a run may be stopped long before the
 * last of those it was given. */
static inarch_status add_row(ia_run *r, double **row, inarch_error *err)
{
    ia_history *h = r->history;
    if (h->rows == h->cap)
        IA_TRY(ia_history_reserve(h, h->rows + h->rows / 2 + 16, err));
    *row = ia_history_add(h, r->epoch);
    return INARCH_OK;
}

/* Publishes, validates, writes the history's row, stops early, saves the checkpoint. */
static inarch_status end_epoch(ia_run *r, inarch_error *err)
{
    IA_TRY(publish(r, err));
    r->epoch++;
    double *row;
    IA_TRY(add_row(r, &row, err));
    ia_score_values(r->score, row);
    row[r->history->columns - 1] = r->rate;
    IA_TRY(validate(r, row, err));
    monitor_epoch(r, r->epoch);
    r->stopped = r->stopped || r->epoch >= r->o.epochs;
    return r->o.checkpoint ? run_save(r, err) : INARCH_OK;
}

/* The model as given, on the validation data. */
static inarch_status epoch_0(ia_run *r, loop_end *end, inarch_error *err)
{
    if (!r->scorer || !r->o.early_stopping || !r->o.from_epoch_0 || r->epoch > 0 ||
        strncmp(r->monitor.name, "val_", 4) != 0)
        return INARCH_OK;
    double *row;
    IA_TRY(add_row(r, &row, err));
    r->rate = run_rate(r);
    IA_TRY(validate(r, row, err));
    monitor_epoch(r, 0);
    *end = tell(r, IA_EVENT_EPOCH, 0, 0, r->steps_per_epoch, (double)NAN);
    return INARCH_OK;
}

static inarch_status loop(ia_run *r, loop_end *end, inarch_error *err)
{
    IA_TRY(fill_caches(r, end, err));
    if (*end == LOOP_ON && !r->resumed)
        IA_TRY(epoch_0(r, end, err));
    while (*end == LOOP_ON && !r->stopped && r->epoch < r->o.epochs) {
        IA_TRY(run_epoch(r, end, err));
        if (*end == LOOP_STOP)
            return publish(r, err); /* the epoch so far counts, unless a best is put back */
        if (*end == LOOP_ON) {
            IA_TRY(end_epoch(r, err));
            *end = tell(r, IA_EVENT_EPOCH, r->epoch, r->steps_per_epoch, r->steps_per_epoch,
                        ia_score_loss(r->score));
        }
    }
    return INARCH_OK;
}

/* ---- the end ---- */

static inarch_status save_compile(ia_run *r, inarch_error *err)
{
    json_t *optimizer;
    ia_optimizer o = r->optimizer;
    ia_schedule_at at = schedule_at(r);
    at.base = o.learning_rate;
    if (ia_schedule_is_plateau(&r->schedule)) /* Keras' callbacks change the optimizer itself */
        o.learning_rate = r->plateau.rate;
    else if (r->schedule.cls && !r->schedule.cls->class_name)
        o.learning_rate = r->rate;
    IA_TRY(ia_optimizer_to_json(&o, &r->schedule, &at, &optimizer, err));
    inarch_status status = ia_setup_save(&r->objective, r->m, err);
    if (status != INARCH_OK) {
        json_decref(optimizer);
        return status;
    }
    json_decref(r->m->compile.optimizer);
    r->m->compile.optimizer = optimizer;
    return INARCH_OK;
}

/* The compile state and the number of steps that belong to the weights and moments of the model. */
static inarch_status keep_state(ia_run *r, uint64_t steps, inarch_error *err)
{
    IA_TRY(save_compile(r, err));
    r->m->step = r->first_step + steps;
    return INARCH_OK;
}

/* `stopped`: within epoch + 1, whose weights count as its. */
static inarch_status finish(ia_run *r, bool stopped, inarch_error *err)
{
    bool best = r->o.early_stopping && r->o.restore_best && r->best.taken;
    bool within = stopped && r->step > r->epoch * r->steps_per_epoch;
    if (r->published && !r->o.checkpoint)
        IA_TRY(ia_updater_move(ia_trainer_updater(r->trainer), err));
    IA_TRY(keep_state(r, r->step, err));
    if (best)
        ia_snapshot_restore(&r->best, false);
    r->history->best_epoch = best ? r->monitor.best_epoch : r->epoch + within;
    if (stopped)
        snprintf(r->history->note, sizeof r->history->note, "stopped on request %s epoch %zu",
                 within ? "in" : "after", r->epoch + within);
    return INARCH_OK;
}

/* The weights are those of the last whole epoch. Its moments are gone, unless they went into a
 * checkpoint: they start anew. */
static inarch_status finish_diverged(ia_run *r, inarch_error *err)
{
    if (r->published && !r->o.checkpoint)
        ia_updater_forget(ia_trainer_updater(r->trainer));
    r->history->best_epoch = r->epoch;
    return r->epoch > 0 ? keep_state(r, r->epoch * r->steps_per_epoch, err) : INARCH_OK;
}

inarch_status ia_run_fit(ia_run *r, ia_history **history, inarch_error *err)
{
    loop_end end = LOOP_ON;
    assert(!r->fitted); /* a run runs once */
    r->fitted = true;
    inarch_status status = loop(r, &end, err);
    if (status == INARCH_OK && end == LOOP_ABORT)
        status = ia_fail(err, INARCH_ABORTED, "", "", "the training was aborted");
    if (status == INARCH_OK)
        status = finish(r, end == LOOP_STOP, err);
    else if (status == INARCH_DIVERGED && finish_diverged(r, NULL) != INARCH_OK)
        status = ia_fail_memory(err, "the compile state", 0);
    if (status != INARCH_OK && status != INARCH_DIVERGED)
        ia_snapshot_restore(&r->initial, true);
    if (history && (status == INARCH_OK || status == INARCH_DIVERGED)) {
        *history = r->history;
        r->history = NULL;
    }
    return status;
}

inarch_status ia_fit(ia_model *m, const ia_data *d, const ia_fit_options *o, ia_history **history,
                     inarch_error *err)
{
    ia_run *r;
    IA_TRY(ia_run_new(m, d, o, &r, err));
    inarch_status status = ia_run_fit(r, history, err);
    ia_run_free(r);
    return status;
}
