/* Sessions: programs for services and for training loops of one's own. */
#include "api/exec.h"
#include "api/handle.h"

#include "base/alloc.h"
#include "train/optimizer.h"
#include "train/setup.h"
#include "train/trainer.h"

#include <math.h>
#include <string.h>

struct inarch_session {
    inarch_model *model; /* training: the one that publish gives the weights to */
    ia_model *own;       /* inference: a copy that shares the weights, so that the model may go */
    size_t rows;
    api_exec exec;
    ia_program *program; /* inference */
    ia_trainer *trainer; /* training, or NULL */
    ia_objective objective;
    ia_optimizer optimizer;
    ia_schedule schedule;    /* of the file's optimizer; rates by epoch stay at their base */
    uint64_t schedule_start; /* optimizer steps before the session that the schedule counts */
    uint64_t first_step;     /* optimizer steps before it; 0 where moments start anew */
    uint64_t step;           /* of this session */
};

/* ---- making ---- */

static inarch_status make_objective(inarch_session *s, const inarch_fit_options *f,
                                    inarch_error *err)
{
    const ia_model *m = s->model->doc;
    ia_setup setup = {.loss = f->loss,
                      .loss_weights = f->loss_weights,
                      .metrics = "",
                      .compiled = s->model->edited != API_NEW_OUTPUTS};
    IA_TRY(ia_setup_objective(m, NULL, &setup, &s->objective, NULL, err));
    if (f->optimizer)
        return ia_optimizer_from_text(f->optimizer, &s->optimizer, err);
    if (!s->model->edited && m->compile.optimizer)
        return ia_optimizer_from_json(m->compile.optimizer, &s->optimizer, &s->schedule, err);
    return ia_optimizer_from_text("adam", &s->optimizer, err);
}

static inarch_status make_trainer(inarch_session *s, const inarch_fit_options *given,
                                  inarch_error *err)
{
    inarch_fit_options f;
    int dropout_off;
    IA_TRY(api_fit_options(given, &f, &dropout_off, err));
    s->schedule.base = (double)NAN; /* the optimizer's */
    IA_TRY(make_objective(s, &f, err));
    if (f.schedule)
        IA_TRY(ia_schedule_from_text(f.schedule, &s->schedule, err));
    if (f.learning_rate > 0) {
        s->optimizer.learning_rate = f.learning_rate;
        s->schedule.base = (double)NAN;
    }
    IA_TRY(api_check_precision(f.precision, &s->exec, err));
    ia_trainer_options o = {.objective = &s->objective,
                            .optimizer = &s->optimizer,
                            .fresh = api_fresh_moments(s->model, &f),
                            .l2_sp = f.l2_sp,
                            .l2_sp_new = f.l2_sp_new,
                            .rows = s->rows,
                            .seed = f.seed,
                            .frozen_dropout_off = dropout_off,
                            .bf16 = api_wants_bf16(f.precision),
                            .pool = s->exec.pool,
                            .kernels = s->exec.kernels};
    IA_TRY(ia_trainer_new(s->model->doc, &o, &s->trainer, err));
    if (ia_updater_continues(ia_trainer_updater(s->trainer)))
        s->first_step = s->model->doc->step;
    s->schedule_start = f.schedule || f.optimizer ? 0 : s->first_step;
    return INARCH_OK;
}

static inarch_status make(inarch_session *s, const inarch_session_options *o, inarch_error *err)
{
    IA_TRY(api_exec_new(o->threads, 1, o->cpu, &s->exec, err));
    if (o->training)
        IA_TRY(make_trainer(s, o->fit, err));
    else
        IA_TRY(ia_model_clone(s->model->doc, &s->own, err));
    ia_program_options p = {.mode = o->training ? IA_RUN_EVALUATE : IA_RUN_PREDICT,
                            .rows = s->rows,
                            .blocks = 1,
                            .rows_ahead = o->training ? 0 : SIZE_MAX,
                            .kernels = s->exec.kernels,
                            .pool = s->exec.pool};
    return ia_program_new(s->own ? s->own : s->model->doc, &p, &s->program, err);
}

inarch_status inarch_session_new(inarch_model *m, const inarch_session_options *options,
                                 inarch_session **out, inarch_error *err)
{
    inarch_session_options o = INARCH_SESSION_OPTIONS;
    IA_TRY(api_options(options, sizeof o, &o, err));
    inarch_session *s = ia_calloc(1, sizeof *s);
    if (!s)
        return ia_fail_memory(err, "a session", sizeof *s);
    s->model = m;
    s->rows = o.rows ? o.rows : 32;
    inarch_status status = make(s, &o, err);
    if (status != INARCH_OK) {
        inarch_session_free(s);
        return status;
    }
    *out = s;
    return INARCH_OK;
}

void inarch_session_free(inarch_session *s)
{
    if (!s)
        return;
    ia_trainer_free(s->trainer);
    ia_program_free(s->program);
    ia_objective_free(&s->objective);
    ia_model_free(s->own);
    api_exec_free(&s->exec);
    ia_free(s);
}

/* ---- running ---- */

static inarch_status check_rows(const inarch_session *s, size_t rows, inarch_error *err)
{
    if (rows >= 1 && rows <= s->rows)
        return INARCH_OK;
    return ia_fail(err, INARCH_BAD_ARGUMENT, "rows", "set rows when the session is made",
                   "this session takes 1 to %zu rows a call, not %zu", s->rows, rows);
}

/* Rows [at, at + rows), where they lie if possible. */
static void put_inputs(ia_program *p, size_t at, size_t rows, const float *const *inputs)
{
    for (size_t i = 0; i < ia_program_input_count(p); i++) {
        const ia_view *v = ia_program_input(p, i);
        const float *x = inputs[i] + at * v->size;
        if (!ia_program_lend(p, i, x))
            memcpy(v->data, x, rows * v->size * sizeof(float));
    }
}

static inarch_status check_inputs(ia_program *p, size_t at, size_t rows, inarch_error *err)
{
    ia_misfit bad;
    if (!ia_program_misfit(p, rows, &bad))
        return INARCH_OK;
    return ia_fail(err, INARCH_BAD_DATA, "inputs", "",
                   "inputs[%zu] is %g in row %zu, but layer '%s' takes whole numbers from 0 to %zu",
                   bad.input, (double)bad.value, at + bad.row, bad.layer, bad.choices - 1);
}

static void take_outputs(const ia_program *p, size_t at, size_t rows, float *const *outputs)
{
    for (size_t i = 0; i < ia_program_output_count(p); i++) {
        const ia_view *v = ia_program_output(p, i);
        if (outputs[i])
            memcpy(outputs[i] + at * v->size, v->data, rows * v->size * sizeof(float));
    }
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

inarch_status inarch_session_run(inarch_session *s, size_t rows, const float *const *inputs,
                                 float *const *outputs, inarch_error *err)
{
    IA_TRY(check_rows(s, rows, err));
    ia_program *p = s->program;
    size_t block = ia_program_rows(p);
    for (size_t at = 0; at < rows; at += block) { /* all of them before anything is written */
        put_inputs(p, at, least(rows - at, block), inputs);
        IA_TRY(check_inputs(p, at, least(rows - at, block), err));
    }
    for (size_t at = 0; at < rows; at += block) {
        size_t n = least(rows - at, block);
        put_inputs(p, at, n, inputs);
        ia_program_forward(p, n, 0);
        take_outputs(p, at, n, outputs);
    }
    return INARCH_OK;
}

/* `values` is [rows][size]. Moving statistics would keep a NaN for good, so it is refused
 * beforehand. */
static inarch_status check_numbers(const char *what, size_t i, const float *values, size_t rows,
                                   size_t size, inarch_error *err)
{
    for (size_t k = 0; k < rows * size; k++)
        if (!isfinite(values[k]))
            return ia_fail(err, INARCH_BAD_DATA, what, "leave the row out",
                           "%s[%zu] is %s in row %zu", what, i,
                           isnan(values[k]) ? "nan" : "infinite", k / size);
    return INARCH_OK;
}

static inarch_status check_classes(const ia_head *h, size_t i, const float *target, size_t rows,
                                   inarch_error *err)
{
    for (size_t k = 0; h->loss.cls->target == IA_TARGET_CLASS && k < rows * h->target_size; k++)
        if (!(target[k] >= 0 && target[k] < (float)h->cols && target[k] == floorf(target[k])))
            return ia_fail(err, INARCH_BAD_DATA, "targets",
                           "class indices are whole numbers from 0",
                           "targets[%zu] is %g in row %zu, but output '%s' has %zu classes", i,
                           (double)target[k], k / h->target_size, h->name, h->cols);
    return INARCH_OK;
}

static inarch_status check_batch(const inarch_session *s, size_t rows, const float *const *inputs,
                                 const float *const *targets, inarch_error *err)
{
    const ia_program *p = ia_trainer_program(s->trainer);
    for (size_t i = 0; i < ia_program_input_count(p); i++)
        IA_TRY(check_numbers("inputs", i, inputs[i], rows, ia_program_input(p, i)->size, err));
    for (size_t h = 0; h < s->objective.head_count; h++) {
        const ia_head *head = &s->objective.heads[h];
        IA_TRY(check_numbers("targets", h, targets[h], rows, head->target_size, err));
        IA_TRY(check_classes(head, h, targets[h], rows, err));
    }
    return INARCH_OK;
}

inarch_status inarch_session_step(inarch_session *s, size_t rows, const float *const *inputs,
                                  const float *const *targets, double *loss, inarch_error *err)
{
    if (!s->trainer)
        return ia_fail(err, INARCH_BAD_ARGUMENT, "session", "set training when it is made",
                       "this session was not made for training");
    IA_TRY(check_rows(s, rows, err));
    IA_TRY(check_batch(s, rows, inputs, targets, err));
    ia_program *p = ia_trainer_program(s->trainer);
    put_inputs(p, 0, rows, inputs);
    IA_TRY(check_inputs(p, 0, rows, err));
    ia_program_prefix(p, rows);
    for (size_t h = 0; h < s->objective.head_count; h++)
        memcpy(ia_trainer_target(s->trainer, h), targets[h],
               rows * s->objective.heads[h].target_size * sizeof(float));
    ia_loss_parts parts;
    ia_schedule_at at = {.base = s->optimizer.learning_rate,
                         .step = s->schedule_start + s->step,
                         .epoch_steps = 1,
                         .run_steps = 1};
    double rate = ia_schedule_rate(&s->schedule, &at);
    if (!ia_trainer_step(s->trainer, rows, false, s->first_step + s->step, rate, &parts))
        return ia_fail(err, INARCH_DIVERGED, "loss", "lower the learning rate, or scale the inputs",
                       "loss became %g in step %llu; no weight was updated", parts.total,
                       (unsigned long long)s->step + 1);
    s->step++;
    if (loss)
        *loss = parts.total;
    return INARCH_OK;
}

inarch_status inarch_session_publish(inarch_session *s, inarch_error *err)
{
    if (!s->trainer)
        return ia_fail(err, INARCH_BAD_ARGUMENT, "session", "set training when it is made",
                       "this session was not made for training");
    IA_TRY(ia_trainer_publish(s->trainer, err));
    s->model->doc->step = s->first_step + s->step;
    s->model->doc->foreign_moments = false;
    ia_program_rebind(s->program);
    api_view_drop(s->model);
    return INARCH_OK;
}
