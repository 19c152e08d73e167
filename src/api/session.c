/* Sessions: programs for services and for training loops of one's own. */
#include "api/exec.h"
#include "api/handle.h"

#include "base/alloc.h"
#include "train/optimizer.h"
#include "train/setup.h"
#include "train/trainer.h"

#include <math.h>
#include <math.h>
#include <string.h>

struct inarch_session {
    inarch_model *model; /* training: the one that publish gives the weights to */
    size_t rows;
    api_exec exec;
    ia_program *program; /* inference */
    ia_trainer *trainer; /* training, or NULL */
    ia_objective objective;
    ia_optimizer optimizer;
    ia_schedule schedule; /* of the file's optimizer; rates by epoch stay at their base */
    uint64_t step;
};

/* ---- making ---- */

static inarch_status no_rows(void *context, const uint64_t *rows, size_t n, float *const *inputs,
                             float *const *targets, float *weights, inarch_error *err)
{
    (void)context, (void)rows, (void)n, (void)inputs, (void)targets, (void)weights;
    return ia_fail(err, INARCH_UNSUPPORTED, "session", "", "a session has no rows of its own");
}

/* What a step's targets look like, for the set-up: outputs' shapes, or class indices where the
 * named loss wants those. Rows come with each step. */
static void target_shapes(const ia_model *m, const char *loss, ia_shape *out)
{
    ia_loss l;
    bool classes =
        loss && ia_loss_from_text(loss, &l, NULL) == INARCH_OK && l.cls->target == IA_TARGET_CLASS;
    for (size_t i = 0; i < m->output_count; i++) {
        out[i] = m->calls[m->outputs[i].call].out[m->outputs[i].output];
        if (classes && out[i].rank > 0)
            out[i].rank--;
    }
}

static inarch_status step_data(const ia_model *m, const char *loss, ia_data **out,
                               inarch_error *err)
{
    const char **names;
    IA_TRY(api_port_names(m, INARCH_OUTPUT, &names, err));
    ia_shape *shapes = ia_calloc(m->input_count + m->output_count, sizeof *shapes);
    inarch_status status = INARCH_OK;
    if (!shapes)
        status = ia_fail_memory(err, "a session", m->output_count * sizeof *shapes);
    for (size_t i = 0; shapes && i < m->input_count; i++)
        shapes[i] = m->calls[m->inputs[i].call].out[0];
    if (shapes)
        target_shapes(m, loss, shapes + m->input_count);
    ia_data_source source = {.rows = 1,
                             .inputs = m->input_count,
                             .targets = m->output_count,
                             .input_shapes = shapes,
                             .target_shapes = shapes ? shapes + m->input_count : NULL,
                             .fill = no_rows};
    if (status == INARCH_OK)
        status = ia_data_from_source(&source, out, err);
    if (status == INARCH_OK) {
        status = ia_data_bind_targets(*out, names, m->output_count, err);
        if (status != INARCH_OK)
            ia_data_free(*out);
    }
    ia_free(shapes);
    ia_free(names);
    return status;
}

static inarch_status make_objective(inarch_session *s, const inarch_fit_options *f,
                                    inarch_error *err)
{
    const ia_model *m = s->model->doc;
    int compiled = !s->model->edited;
    ia_setup setup = {.loss = f->loss, .loss_weights = f->loss_weights, .compiled = compiled};
    setup.metrics = "";
    ia_data *d;
    IA_TRY(step_data(m, f->loss, &d, err));
    inarch_status status = ia_setup_objective(m, d, &setup, &s->objective, NULL, err);
    ia_data_free(d);
    IA_TRY(status);
    if (f->optimizer)
        return ia_optimizer_from_text(f->optimizer, &s->optimizer, err);
    if (compiled && m->compile.optimizer)
        return ia_optimizer_from_json(m->compile.optimizer, &s->optimizer, &s->schedule, err);
    return ia_optimizer_from_text("adam", &s->optimizer, err);
}

static inarch_status make_trainer(inarch_session *s, const inarch_fit_options *given,
                                  inarch_error *err)
{
    inarch_fit_options f = INARCH_FIT_OPTIONS;
    IA_TRY(api_options(given, sizeof f, &f, err));
    int dropout_off;
    s->schedule.base = (double)NAN; /* the optimizer's */
    IA_TRY(api_frozen_dropout(&f, &dropout_off, err));
    IA_TRY(make_objective(s, &f, err));
    if (f.schedule)
        IA_TRY(ia_schedule_from_text(f.schedule, &s->schedule, err));
    if (f.learning_rate > 0) {
        s->optimizer.learning_rate = f.learning_rate;
        s->schedule.base = (double)NAN;
    }
    ia_trainer_options o = {.objective = &s->objective,
                            .optimizer = &s->optimizer,
                            .l2_sp = f.l2_sp,
                            .l2_sp_new = f.l2_sp_new,
                            .rows = s->rows,
                            .seed = f.seed,
                            .frozen_dropout_off = dropout_off,
                            .pool = s->exec.pool,
                            .kernels = s->exec.kernels};
    s->step = s->model->doc->step;
    return ia_trainer_new(s->model->doc, &o, &s->trainer, err);
}

static inarch_status make(inarch_session *s, const inarch_session_options *o, inarch_error *err)
{
    IA_TRY(api_exec_new(o->threads, 1, o->cpu, &s->exec, err));
    if (o->training)
        IA_TRY(make_trainer(s, o->fit, err));
    ia_program_options p = {.mode = o->training ? IA_RUN_EVALUATE : IA_RUN_PREDICT,
                            .rows = s->rows,
                            .kernels = s->exec.kernels,
                            .pool = s->exec.pool};
    return ia_program_new(s->model->doc, &p, &s->program, err);
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

static void put_inputs(const ia_program *p, size_t rows, const float *const *inputs)
{
    for (size_t i = 0; i < ia_program_input_count(p); i++) {
        const ia_view *v = ia_program_input(p, i);
        memcpy(v->data, inputs[i], rows * v->size * sizeof(float));
    }
}

inarch_status inarch_session_run(inarch_session *s, size_t rows, const float *const *inputs,
                                 float *const *outputs, inarch_error *err)
{
    IA_TRY(check_rows(s, rows, err));
    put_inputs(s->program, rows, inputs);
    ia_program_forward(s->program, rows, 0);
    for (size_t i = 0; i < ia_program_output_count(s->program); i++) {
        const ia_view *v = ia_program_output(s->program, i);
        if (outputs[i])
            memcpy(outputs[i], v->data, rows * v->size * sizeof(float));
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
    put_inputs(p, rows, inputs);
    ia_program_prefix(p, rows);
    for (size_t h = 0; h < s->objective.head_count; h++)
        memcpy(ia_trainer_target(s->trainer, h), targets[h],
               rows * s->objective.heads[h].target_size * sizeof(float));
    ia_loss_parts parts;
    ia_schedule_at at = {
        .base = s->optimizer.learning_rate, .step = s->step, .epoch_steps = 1, .run_steps = 1};
    double rate = ia_schedule_rate(&s->schedule, &at);
    if (!ia_trainer_step(s->trainer, rows, false, s->step, rate, &parts))
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
    s->model->doc->step = s->step;
    ia_program_rebind(s->program);
    api_view_drop(s->model);
    return INARCH_OK;
}
