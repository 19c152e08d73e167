/* Setting a run up: data, objective, programs, caches, history. Everything is decided and allocated
 * here. */
#include "train/run.h"

#include "base/alloc.h"
#include "train/mask.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_CACHE_MEMORY ((size_t)1 << 30)

ia_fit_options ia_fit_defaults(void)
{
    return (ia_fit_options){.epochs = 1,
                            .batch_size = 32,
                            .shuffle = 1,
                            .learning_rate = (double)NAN,
                            .baseline = (double)NAN,
                            .restore_best = 1,
                            .from_epoch_0 = 1};
}

void ia_run_free(ia_run *r)
{
    if (!r)
        return;
    if (r->resumed && !r->fitted) /* looked at only: the model is as it was */
        ia_snapshot_restore(&r->initial, true);
    if (r->initial.program)
        ia_snapshot_free(&r->initial);
    if (r->best.program)
        ia_snapshot_free(&r->best);
    ia_scorer_free(r->scorer);
    ia_score_free(r->score);
    ia_feed_free(r->feed);
    ia_cache_free(r->cache);
    ia_cache_free(r->validation_cache);
    ia_trainer_free(r->trainer);
    ia_objective_free(&r->objective);
    ia_history_free(r->history);
    ia_data_free(r->train);
    ia_data_free(r->validation);
    ia_free(r->order);
    ia_free(r->target);
    ia_free(r->weight);
    ia_free(r->head_loss);
    ia_free(r);
}

/* ---- options and data ---- */

static inarch_status check_options(const ia_fit_options *o, inarch_error *err)
{
    const char *bad = NULL;
    if (o->batch_size == 0)
        bad = "batch_size";
    else if (o->validation_split != 0 && !(o->validation_split > 0 && o->validation_split < 1))
        bad = "validation_split";
    else if (!isfinite(o->min_delta))
        bad = "min_delta";
    else if (!(o->l2_sp >= 0 && o->l2_sp < 1e30) || !(o->l2_sp_new >= 0 && o->l2_sp_new < 1e30))
        bad = "l2_sp";
    if (bad)
        return ia_fail(
            err, INARCH_BAD_ARGUMENT, bad,
            "batch_size is 1 or more, validation_split from 0 to below 1, l2_sp 0 or more",
            "%s is out of range", bad);
    if (o->validation && o->validation_split != 0)
        return ia_fail(err, INARCH_BAD_ARGUMENT, "validation_split", "drop one of them",
                       "validation data and a validation split exclude each other");
    return INARCH_OK;
}

static inarch_status take_data(ia_run *r, const ia_data *d, inarch_error *err)
{
    const ia_fit_options *o = &r->o;
    size_t rows = ia_data_rows(d);
    IA_TRY(ia_feed_check(r->m, d, true, err));
    IA_TRY(ia_mask_check(r->m, d, true, err));
    if (o->validation_split > 0)
        IA_TRY(ia_data_split(d, o->validation_split, &r->train, &r->validation, err));
    else
        IA_TRY(ia_data_slice(d, 0, rows, &r->train, err));
    if (o->validation) {
        IA_TRY(ia_feed_check(r->m, o->validation, true, err));
        IA_TRY(ia_mask_check(r->m, o->validation, false, err));
        IA_TRY(ia_data_slice(o->validation, 0, ia_data_rows(o->validation), &r->validation, err));
    }
    r->rows = ia_data_rows(r->train);
    r->batch = o->batch_size < r->rows ? o->batch_size : r->rows;
    r->steps_per_epoch = (r->rows + r->batch - 1) / r->batch;
    return INARCH_OK;
}

static inarch_status take_objective(ia_run *r, inarch_error *err)
{
    const ia_fit_options *o = &r->o;
    ia_setup s = {.loss = o->loss,
                  .loss_weights = o->loss_weights,
                  .metrics = o->metrics,
                  .weighted_metrics = o->weighted_metrics,
                  .compiled = o->compiled,
                  .training = 1};
    IA_TRY(ia_setup_objective(r->m, r->train, &s, &r->objective, &r->loss_origin, err));
    for (size_t h = 0; r->validation && h < r->objective.head_count; h++) {
        if (ia_data_targets(r->validation) != ia_data_targets(r->train))
            return ia_fail(err, INARCH_BAD_DATA, ia_data_name(r->validation), "",
                           "the validation data has %zu sets of labels, the training data %zu",
                           ia_data_targets(r->validation), ia_data_targets(r->train));
        IA_TRY(setup_check_validation(&r->objective.heads[h], r->validation, err));
    }
    return r->validation ? setup_note_classes(&r->objective, r->train, r->validation, err)
                         : INARCH_OK;
}

/* ---- programs and caches ---- */

static inarch_status make_trainer(ia_run *r, inarch_error *err)
{
    const ia_fit_options *o = &r->o;
    ia_trainer_options t = {.objective = &r->objective,
                            .optimizer = &r->optimizer,
                            .fresh = o->fresh_moments,
                            .l2_sp = o->l2_sp,
                            .l2_sp_new = o->l2_sp_new,
                            .rows = r->batch,
                            .seed = o->seed,
                            .frozen_dropout_off = o->frozen_dropout_off,
                            .bf16 = o->bf16,
                            .pool = o->pool,
                            .kernels = o->kernels};
    IA_TRY(ia_trainer_new(r->m, &t, &r->trainer, err));
    bool continues = ia_updater_continues(ia_trainer_updater(r->trainer));
    r->first_step = continues ? r->m->step : 0;
    if (continues && strcmp(r->optimizer_origin, "file") == 0) {
        r->optimizer_origin = "file, with its moments";
        r->schedule_start = r->o.schedule ? 0 : r->first_step;
    }
    const ia_program *p = ia_trainer_program(r->trainer);
    IA_TRY(ia_snapshot_new(p, &r->initial, err));
    IA_TRY(ia_snapshot_new(p, &r->best, err));
    ia_snapshot_take(&r->initial);
    return INARCH_OK;
}

inarch_status run_prefix_program(const ia_run *r, size_t rows, ia_program **out, inarch_error *err)
{
    ia_program_options p = {.mode = IA_RUN_EVALUATE,
                            .rows = rows,
                            .kernels = r->o.kernels,
                            .pool = r->o.pool,
                            .frozen_dropout_off = r->o.frozen_dropout_off};
    ia_logits *logits = ia_calloc(r->m->output_count, sizeof *logits);
    if (!logits)
        return ia_fail_memory(err, "the program", r->m->output_count * sizeof *logits);
    for (size_t h = 0; h < r->objective.head_count; h++)
        logits[r->objective.heads[h].output] = r->objective.heads[h].logits;
    p.logits = logits;
    inarch_status status = ia_program_new(r->m, &p, out, err);
    ia_free(logits);
    return status;
}

/* Evaluation has training's frontier by contract; a cache relies on it, so look. */
static bool same_frontier(const ia_program *a, const ia_program *b)
{
    size_t n = ia_program_frontier_count(a);
    if (n != ia_program_frontier_count(b))
        return false;
    for (size_t i = 0; i < n; i++)
        if (ia_program_frontier(a, i)->size != ia_program_frontier(b, i)->size ||
            strcmp(ia_program_frontier_name(a, i), ia_program_frontier_name(b, i)) != 0)
            return false;
    return true;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inarch_status make_caches(ia_run *r, inarch_error *err)
{
    const ia_program *p = ia_trainer_program(r->trainer);
    ia_program_info info;
    ia_program *probe;
    uint64_t memory = r->o.memory ? r->o.memory : DEFAULT_CACHE_MEMORY;
    ia_program_describe(p, &info);
    if (r->o.no_cache || info.prefix_operations == 0)
        return INARCH_OK;
    IA_TRY(run_prefix_program(r, 1, &probe, err));
    bool usable = same_frontier(p, probe);
    ia_program_free(probe);
    if (!usable)
        return INARCH_OK;
    size_t rows = r->rows, source = ia_data_source_rows(r->train);
    r->validation_shares_cache = r->validation && ia_data_same_source(r->train, r->validation);
    if (r->validation_shares_cache)
        rows += ia_data_rows(r->validation);
    rows = least(rows, source);
    IA_TRY(ia_cache_new(p, source, rows, memory, &r->cache, err));
    if (!r->validation || r->validation_shares_cache)
        return INARCH_OK;
    uint64_t used = ia_cache_in_memory(r->cache) ? ia_cache_bytes(p, rows) : 0;
    source = ia_data_source_rows(r->validation);
    rows = least(ia_data_rows(r->validation), source);
    return ia_cache_new(p, source, rows, memory - used, &r->validation_cache, err);
}

static inarch_status make_feeds(ia_run *r, inarch_error *err)
{
    const ia_head *heads = r->objective.heads;
    size_t n = r->objective.head_count;
    IA_TRY(ia_feed_new(r->train, heads, n, r->cache, r->batch, &r->feed, err));
    IA_TRY(ia_score_new(heads, n, r->batch, &r->score, err));
    if (!r->validation)
        return INARCH_OK;
    ia_scorer_options s = {.model = r->m,
                           .data = r->validation,
                           .heads = heads,
                           .head_count = n,
                           .cache = r->validation_shares_cache ? r->cache : r->validation_cache,
                           .batch = least(r->o.batch_size, ia_data_rows(r->validation)),
                           .frozen_dropout_off = r->o.frozen_dropout_off != 0,
                           .pool = r->o.pool,
                           .kernels = r->o.kernels};
    return ia_scorer_new(&s, &r->scorer, err);
}

static inarch_status make_buffers(ia_run *r, inarch_error *err)
{
    size_t n = r->objective.head_count;
    r->order = ia_calloc(r->rows, sizeof *r->order);
    r->target = ia_calloc(n, sizeof *r->target);
    r->weight = ia_calloc(n, sizeof *r->weight);
    r->head_loss = ia_calloc(n, sizeof *r->head_loss);
    if (!r->order || !r->target || !r->weight || !r->head_loss)
        return ia_fail_memory(err, "the order of rows", r->rows * sizeof *r->order);
    for (size_t i = 0; i < r->rows; i++)
        r->order[i] = i;
    for (size_t h = 0; h < n; h++) {
        r->target[h] = ia_trainer_target(r->trainer, h);
        r->weight[h] = ia_trainer_weight(r->trainer, h);
    }
    return INARCH_OK;
}

static inarch_status make_history(ia_run *r, inarch_error *err)
{
    IA_TRY(ia_history_new(&r->history, err));
    IA_TRY(ia_score_columns(r->score, "", r->history, err));
    r->validation_column = r->history->columns;
    if (r->scorer)
        IA_TRY(ia_score_columns(r->score, "val_", r->history, err));
    return ia_history_add_column(r->history, "learning_rate", err);
}

/* ---- all of it ---- */

static inarch_status set_up(ia_run *r, const ia_data *d, inarch_error *err)
{
    IA_TRY(check_options(&r->o, err));
    IA_TRY(take_data(r, d, err));
    IA_TRY(take_objective(r, err));
    IA_TRY(run_class_weights(r, err));
    IA_TRY(run_optimizer(r, err));
    IA_TRY(make_trainer(r, err));
    IA_TRY(make_caches(r, err));
    IA_TRY(make_feeds(r, err));
    IA_TRY(make_buffers(r, err));
    IA_TRY(make_history(r, err));
    IA_TRY(monitor_init(r, err));
    r->rate = run_rate(r);
    return r->o.checkpoint ? run_resume(r, err) : INARCH_OK;
}

inarch_status ia_run_new(ia_model *m, const ia_data *d, const ia_fit_options *o, ia_run **out,
                         inarch_error *err)
{
    ia_run *r = ia_calloc(1, sizeof *r);
    if (!r)
        return ia_fail_memory(err, "the run", sizeof *r);
    r->m = m;
    r->o = *o;
    inarch_status status = set_up(r, d, err);
    if (status != INARCH_OK) {
        ia_run_free(r);
        return status;
    }
    *out = r;
    return INARCH_OK;
}

void ia_run_describe(const ia_run *r, ia_run_info *out)
{
    const ia_program *p = ia_trainer_program(r->trainer);
    size_t validation = r->validation ? ia_data_rows(r->validation) : 0;
    *out = (ia_run_info){.objective = &r->objective,
                         .optimizer = &r->optimizer,
                         .schedule = &r->schedule,
                         .optimizer_origin = r->optimizer_origin,
                         .loss_origin = r->loss_origin,
                         .learning_rate = run_rate(r),
                         .rows = r->rows,
                         .validation_rows = validation,
                         .steps_per_epoch = r->steps_per_epoch,
                         .resumed_epochs = r->epoch};
    ia_program_describe(p, &out->program);
    out->memory_bytes =
        out->program.activation_bytes + ia_updater_bytes(ia_trainer_updater(r->trainer));
    out->memory_bytes += 2 * sizeof(float) * out->program.live_parameters;
    if (!r->cache)
        return;
    out->cache_bytes = ia_cache_bytes(p, r->rows + validation);
    out->cache_in_memory = ia_cache_in_memory(r->cache);
    if (out->cache_in_memory)
        out->memory_bytes += (size_t)out->cache_bytes;
}
