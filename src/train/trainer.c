/* A training step: suffix, losses, backward, penalties, update. */
#include "train/trainer.h"

#include "base/alloc.h"

#include <math.h>
#include <string.h>

typedef struct trainer_head {
    float *target, *weight;
    double loss;
} trainer_head;

struct ia_trainer {
    ia_program *program;
    ia_updater *updater;
    const ia_head *heads; /* borrowed */
    size_t head_count;
    ia_objective penalties; /* no heads */
    trainer_head *buffers;
    double *temp;
    float *statistics; /* what forward updates itself, as it was before the step */
};

void ia_trainer_free(ia_trainer *t)
{
    if (!t)
        return;
    for (size_t h = 0; t->buffers && h < t->head_count; h++) {
        ia_free_aligned(t->buffers[h].target);
        ia_free_aligned(t->buffers[h].weight);
    }
    ia_free(t->buffers);
    ia_free(t->temp);
    ia_free(t->statistics);
    ia_objective_free(&t->penalties);
    ia_updater_free(t->updater);
    ia_program_free(t->program);
    ia_free(t);
}

static inarch_status make_program(ia_trainer *t, ia_model *m, const ia_trainer_options *o,
                                  inarch_error *err)
{
    ia_program_options p = {.mode = IA_RUN_TRAIN,
                            .rows = o->rows,
                            .kernels = o->kernels,
                            .pool = o->pool,
                            .seed = o->seed,
                            .steps = ia_optimizer_is_elementwise(o->optimizer) && o->l2_sp == 0 &&
                                     o->l2_sp_new == 0,
                            .frozen_dropout_off = o->frozen_dropout_off,
                            .bf16 = o->bf16};
    ia_logits *logits = ia_calloc(m->output_count, sizeof *logits);
    if (!logits)
        return ia_fail_memory(err, "the program", m->output_count * sizeof *logits);
    for (size_t h = 0; h < t->head_count; h++)
        logits[t->heads[h].output] = t->heads[h].logits;
    p.logits = logits;
    inarch_status status = ia_program_new(m, &p, &t->program, err);
    ia_free(logits);
    return status;
}

static inarch_status make_buffers(ia_trainer *t, size_t rows, inarch_error *err)
{
    size_t most = 0;
    t->buffers = ia_calloc(t->head_count, sizeof *t->buffers);
    if (!t->buffers)
        return ia_fail_memory(err, "targets", 0);
    for (size_t h = 0; h < t->head_count; h++) {
        size_t samples, bytes;
        bool ok = ia_mul(rows, t->heads[h].samples, &samples) &&
                  ia_mul(rows, t->heads[h].target_size, &bytes) &&
                  ia_mul(bytes, sizeof(float), &bytes);
        t->buffers[h].target = ok ? ia_calloc_aligned(bytes) : NULL;
        t->buffers[h].weight = ok ? ia_calloc_aligned(rows * sizeof(float)) : NULL;
        if (!t->buffers[h].target || !t->buffers[h].weight)
            return ia_fail_memory(err, "targets", ok ? bytes : SIZE_MAX);
        most = samples > most ? samples : most;
    }
    t->temp = ia_calloc(most, sizeof *t->temp);
    return t->temp ? INARCH_OK : ia_fail_memory(err, "losses", most * sizeof *t->temp);
}

/* Moving statistics are updated before the loss is known: a step that is not taken puts them back.
 */
static inarch_status make_statistics(ia_trainer *t, inarch_error *err)
{
    size_t n = 0;
    for (size_t i = 0; i < ia_program_live_count(t->program); i++) {
        const ia_live *v = ia_program_live(t->program, i);
        n += v->state ? v->count : 0;
    }
    t->statistics = ia_calloc(n, sizeof *t->statistics);
    return t->statistics ? INARCH_OK : ia_fail_memory(err, "statistics", n * sizeof(float));
}

static void move_statistics(const ia_trainer *t, bool back)
{
    float *at = t->statistics;
    for (size_t i = 0; i < ia_program_live_count(t->program); i++) {
        const ia_live *v = ia_program_live(t->program, i);
        if (!v->state)
            continue;
        memcpy(back ? v->value : at, back ? at : v->value, v->count * sizeof *at);
        at += v->count;
    }
}

inarch_status ia_trainer_new(ia_model *m, const ia_trainer_options *o, ia_trainer **out,
                             inarch_error *err)
{
    ia_trainer *t = ia_calloc(1, sizeof *t);
    if (!t)
        return ia_fail_memory(err, "the trainer", sizeof *t);
    inarch_status status;
    t->heads = o->objective->heads;
    t->head_count = o->objective->head_count;
    IA_TRY_GOTO(make_program(t, m, o, err));
    IA_TRY_GOTO(ia_updater_new(o->optimizer, t->program, o->kernels, o->pool, o->fresh != 0,
                               &t->updater, err));
    IA_TRY_GOTO(ia_objective_add_l2_sp(&t->penalties, t->program, o->l2_sp, o->l2_sp_new, err));
    IA_TRY_GOTO(make_buffers(t, o->rows, err));
    IA_TRY_GOTO(make_statistics(t, err));
    *out = t;
done:
    if (status != INARCH_OK)
        ia_trainer_free(t);
    return status;
}

ia_program *ia_trainer_program(const ia_trainer *t)
{
    return t->program;
}

ia_updater *ia_trainer_updater(const ia_trainer *t)
{
    return t->updater;
}

float *ia_trainer_target(const ia_trainer *t, size_t head)
{
    return t->buffers[head].target;
}

float *ia_trainer_weight(const ia_trainer *t, size_t head)
{
    return t->buffers[head].weight;
}

double ia_trainer_head_loss(const ia_trainer *t, size_t head)
{
    return t->buffers[head].loss;
}

double ia_trainer_penalty(const ia_trainer *t)
{
    return ia_objective_penalty(&t->penalties, t->program);
}

/* An output without a head takes no part: its gradient is 0. */
static void clear_grads(const ia_trainer *t, size_t rows)
{
    for (size_t i = 0; i < ia_program_output_count(t->program); i++) {
        bool used = false;
        for (size_t h = 0; h < t->head_count; h++)
            used = used || t->heads[h].output == i;
        float *g = used ? NULL : ia_program_output_grad(t->program, i);
        if (g)
            memset(g, 0, rows * ia_program_output(t->program, i)->size * sizeof *g);
    }
}

bool ia_trainer_step(ia_trainer *t, size_t rows, bool weighted, uint64_t step, double learning_rate,
                     ia_loss_parts *loss)
{
    *loss = (ia_loss_parts){0};
    move_statistics(t, false);
    ia_program_suffix(t->program, rows, step);
    clear_grads(t, rows);
    for (size_t h = 0; h < t->head_count; h++) {
        trainer_head *b = &t->buffers[h];
        b->loss = ia_head_loss(&t->heads[h], t->program, rows, b->target,
                               weighted ? b->weight : NULL, true, t->temp);
        loss->total += t->heads[h].weight * b->loss;
    }
    loss->regularization = ia_trainer_penalty(t) + ia_program_activity(t->program);
    loss->total += loss->regularization;
    if (!isfinite(loss->total)) {
        move_statistics(t, true);
        return false;
    }
    ia_updater_begin(t->updater, learning_rate);
    ia_program_backward(t->program, rows);
    ia_objective_penalty_grad(&t->penalties, t->program);
    ia_updater_finish(t->updater);
    return true;
}

static inarch_status check_finite(const ia_program *p, inarch_error *err)
{
    for (size_t i = 0; i < ia_program_live_count(p); i++) {
        const ia_live *v = ia_program_live(p, i);
        for (size_t j = 0; j < v->count; j++)
            if (!isfinite(v->value[j]))
                return ia_fail(err, INARCH_DIVERGED, v->path, "try a smaller learning rate",
                               "weights of '%s' became %s", v->path,
                               isnan(v->value[j]) ? "NaN" : "infinite");
    }
    return INARCH_OK;
}

inarch_status ia_trainer_publish_weights(ia_trainer *t, inarch_error *err)
{
    IA_TRY(check_finite(t->program, err));
    IA_TRY(ia_program_reserve(t->program, err));
    ia_program_publish(t->program);
    return INARCH_OK;
}

inarch_status ia_trainer_publish(ia_trainer *t, inarch_error *err)
{
    IA_TRY(check_finite(t->program, err));
    IA_TRY(ia_program_reserve(t->program, err));
    IA_TRY(ia_updater_reserve(t->updater, err));
    ia_program_publish(t->program);
    ia_updater_publish(t->updater);
    return INARCH_OK;
}

void ia_trainer_rebind(ia_trainer *t)
{
    ia_program_rebind(t->program);
    ia_updater_rebind(t->updater);
}
