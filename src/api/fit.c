/* fit: from public options to a run on a copy of the document, which takes the model's place at the
 * end. So whatever fails or is aborted leaves the model as it was. */
#include "api/exec.h"
#include "api/handle.h"

#include "base/alloc.h"
#include "train/loop.h"
#include "transfer/surgery.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct fit_job {
    inarch_fit_options options;
    ia_model *work;      /* the copy that is trained */
    ia_data *data;       /* bound to it */
    ia_data *validation; /* NULL: none */
    api_exec exec;
    int dropout_off;
    ia_fit_options inner;
    ia_run *run;
    char note[512]; /* about the labels */
} fit_job;

static void job_free(fit_job *j)
{
    ia_run_free(j->run);
    api_exec_free(&j->exec);
    ia_data_free(j->validation);
    ia_data_free(j->data);
    ia_model_free(j->work);
}

static int on_event(void *context, const ia_event *e)
{
    const inarch_fit_options *o = context;
    static const int32_t kinds[] = {[IA_EVENT_CACHE] = INARCH_EVENT_CACHE,
                                    [IA_EVENT_BATCH] = INARCH_EVENT_BATCH,
                                    [IA_EVENT_EPOCH] = INARCH_EVENT_EPOCH};
    inarch_event out = {.kind = kinds[e->kind],
                        .epoch = e->epoch,
                        .epochs = e->epochs,
                        .batch = e->batch,
                        .batches = e->batches,
                        .loss = e->loss,
                        .learning_rate = e->learning_rate,
                        .history = (const inarch_history *)e->history};
    return o->event(o->context, &out);
}

/* ---- standardize ---- */

static inarch_status set_statistic(ia_layer *l, const char *name, const double *values,
                                   inarch_error *err)
{
    ia_variable *v = ia_layer_variable(l, name);
    ia_array a;
    IA_TRY(ia_array_new(IA_F32, &v->value.shape, name, &a, err));
    for (size_t i = 0; i < ia_array_count(&a); i++)
        ((float *)ia_array_mutable(&a))[i] = (float)values[i];
    inarch_status status = ia_variable_set(v, &a, l->name, err);
    ia_array_release(&a);
    return status;
}

/* A second one in front would feed the first what it was not fitted on. */
static inarch_status check_not_standardized(const ia_model *m, inarch_error *err)
{
    for (size_t c = 0; c < m->call_count; c++) {
        const ia_call *call = &m->calls[c];
        if (call->in_count == 1 && call->in[0].call == m->inputs[0].call &&
            strcmp(call->layer->cls->name, "Normalization") == 0)
            return ia_fail(err, INARCH_BAD_ARGUMENT, "standardize",
                           "leave standardize out: the layer goes on scaling the data",
                           "the model begins with a Normalization layer already: '%s'",
                           call->layer->name);
    }
    return INARCH_OK;
}

/* A Normalization layer with the statistics of the training rows, in front of the model. */
static inarch_status standardize(fit_job *j, inarch_error *err)
{
    const ia_shape *shape = &j->work->calls[j->work->inputs[0].call].out[0];
    if (j->work->input_count != 1 || shape->rank != 1)
        return ia_fail(err, INARCH_UNSUPPORTED, "standardize", "scale the data beforehand",
                       "standardize works on one input of columns, which this model has not");
    IA_TRY(check_not_standardized(j->work, err));
    size_t n = ia_data_input_count(j->data, 0);
    double *moments = ia_calloc(n, 2 * sizeof *moments);
    char *name = ia_model_fresh_name(j->work, "normalization");
    inarch_status status = INARCH_OK;
    if (!moments || !name)
        status = ia_fail_memory(err, "column statistics", n * 2 * sizeof *moments);
    if (status == INARCH_OK)
        status =
            ia_data_moments(j->data, 0, NULL, ia_data_rows(j->data), moments, moments + n, err);
    char spec[256];
    if (status == INARCH_OK) {
        snprintf(spec, sizeof spec, "normalization(name=%s)", name);
        status = ia_insert(j->work, "", spec, 0, err);
    }
    ia_layer *l = status == INARCH_OK ? ia_model_layer(j->work, name) : NULL;
    if (l)
        status = set_statistic(l, "mean", moments, err);
    if (l && status == INARCH_OK)
        status = set_statistic(l, "variance", moments + n, err);
    ia_free(moments);
    ia_free(name);
    return status;
}

/* ---- setting up ---- */

static void plain_options(const inarch_model *m, fit_job *j)
{
    const inarch_fit_options *o = &j->options;
    ia_fit_options *in = &j->inner;
    *in = ia_fit_defaults();
    in->epochs = o->epochs > 0 ? (size_t)o->epochs : in->epochs;
    in->batch_size = o->batch_size > 0 ? (size_t)o->batch_size : in->batch_size;
    in->shuffle = !o->no_shuffle;
    in->seed = o->seed;
    in->loss = o->loss;
    in->loss_weights = o->loss_weights;
    in->metrics = o->metrics;
    in->optimizer = o->optimizer;
    in->learning_rate = o->learning_rate > 0 ? o->learning_rate : NAN;
    in->schedule = o->schedule;
    in->compiled = m->edited != API_NEW_OUTPUTS;
    in->compiled_optimizer = !m->edited;
    in->fresh_moments = api_fresh_moments(m, o);
    in->l2_sp = o->l2_sp;
    in->l2_sp_new = o->l2_sp_new;
    in->class_weight = o->class_weight;
    in->early_stopping = o->early_stopping != 0;
    in->patience = o->patience > 0 ? (size_t)o->patience : 0;
    in->monitor = o->monitor;
    in->mode = o->mode;
    in->min_delta = o->min_delta;
    in->restore_best = !o->keep_last;
    in->frozen_dropout_off = j->dropout_off;
    in->bf16 = api_wants_bf16(o->precision);
    in->no_cache = o->no_cache;
    in->memory = o->memory > SIZE_MAX ? SIZE_MAX : (size_t)o->memory;
    in->checkpoint = o->checkpoint;
    in->pool = j->exec.pool;
    in->kernels = j->exec.kernels;
    in->validation = j->validation;
    if (o->event) {
        in->event = on_event;
        in->context = &j->options;
    }
}

int api_fresh_moments(const inarch_model *m, const inarch_fit_options *o)
{
    return o->fresh_moments || (m->edited && m->doc->foreign_moments);
}

static inarch_status frozen_dropout(const inarch_fit_options *o, int *off, inarch_error *err)
{
    const char *text = o->frozen_dropout ? o->frozen_dropout : "on";
    *off = strcmp(text, "off") == 0;
    if (*off || strcmp(text, "on") == 0)
        return INARCH_OK;
    return ia_fail(err, INARCH_BAD_ARGUMENT, "frozen_dropout", "on, as in Keras, or off",
                   "frozen_dropout must be on or off, not '%s'", text);
}

static inarch_status check_number(const char *name, double v, inarch_error *err)
{
    if (v >= 0 && isfinite(v))
        return INARCH_OK;
    return ia_fail(err, INARCH_BAD_ARGUMENT, name, "0 stands for the default",
                   "%s must be finite and not negative, not %g", name, v);
}

static inarch_status check_count(const char *name, int32_t v, inarch_error *err)
{
    if (v >= 0)
        return INARCH_OK;
    return ia_fail(err, INARCH_BAD_ARGUMENT, name, "0 stands for the default",
                   "%s must not be negative, not %d", name, (int)v);
}

inarch_status api_fit_options(const inarch_fit_options *given, inarch_fit_options *out,
                              int *dropout_off, inarch_error *err)
{
    inarch_fit_options o = INARCH_FIT_OPTIONS;
    IA_TRY(api_options(given, sizeof o, &o, err));
    IA_TRY(check_count("epochs", o.epochs, err));
    IA_TRY(check_count("batch_size", o.batch_size, err));
    IA_TRY(check_count("patience", o.patience, err));
    IA_TRY(check_number("learning_rate", o.learning_rate, err));
    IA_TRY(check_number("l2_sp", o.l2_sp, err));
    IA_TRY(check_number("l2_sp_new", o.l2_sp_new, err));
    IA_TRY(check_number("min_delta", o.min_delta, err));
    if (!(o.val_split >= 0 && o.val_split < 1))
        return ia_fail(err, INARCH_BAD_ARGUMENT, "val_split",
                       "0.2 takes the last fifth of the rows",
                       "val_split must lie between 0 and 1, not %g", o.val_split);
    IA_TRY(frozen_dropout(&o, dropout_off, err));
    *out = o;
    return INARCH_OK;
}

/* Training and validation rows, bound alike. */
static inarch_status job_data(fit_job *j, const inarch_model *m, const inarch_data *d,
                              inarch_error *err)
{
    int targets = m->edited ? API_LEARN_TARGETS : API_TARGETS;
    IA_TRY(api_bind(j->work, d->data, targets, &j->data, err));
    api_note_labels(j->work, j->data, targets, j->note, sizeof j->note);
    /* Classes learnt from the training labels are those of the validation labels too. */
    IA_TRY(api_adopt_names(j->work, j->data, err));
    if (j->options.validation)
        return api_bind(j->work, j->options.validation->data, API_TARGETS, &j->validation, err);
    if (j->options.val_split <= 0)
        return INARCH_OK;
    ia_data *all = j->data;
    j->data = NULL;
    inarch_status status = ia_data_split(all, j->options.val_split, &j->data, &j->validation, err);
    ia_data_free(all);
    return status;
}

static inarch_status job_new(const inarch_model *m, const inarch_data *d,
                             const inarch_fit_options *options, fit_job *j, inarch_error *err)
{
    *j = (fit_job){.work = NULL};
    IA_TRY(api_fit_options(options, &j->options, &j->dropout_off, err));
    IA_TRY(ia_model_clone(m->doc, &j->work, err));
    IA_TRY(job_data(j, m, d, err));
    if (j->options.standardize)
        IA_TRY(standardize(j, err));
    IA_TRY(api_exec_new(j->options.threads, 0, j->options.cpu, &j->exec, err));
    IA_TRY(api_check_precision(j->options.precision, &j->exec, err));
    plain_options(m, j);
    return ia_run_new(j->work, j->data, &j->inner, &j->run, err);
}

inarch_status inarch_fit(inarch_model *m, const inarch_data *d, const inarch_fit_options *options,
                         inarch_history **history, inarch_error *err)
{
    fit_job j;
    ia_history *h = NULL;
    inarch_status status = job_new(m, d, options, &j, err);
    if (status == INARCH_OK)
        status = ia_run_fit(j.run, history ? &h : NULL, err);
    if (status == INARCH_OK || status == INARCH_DIVERGED) {
        ia_model *old = m->doc;
        m->doc = j.work;
        j.work = old;
        if (status == INARCH_OK) { /* what it was compiled with is what it was trained with */
            m->doc->foreign_moments = false;
            m->edited = 0;
        }
        api_view_drop(m);
        if (history)
            *history = (inarch_history *)h;
    }
    /* The run refers to the document it trained, which the model has now. */
    job_free(&j);
    return status;
}

/* ---- describe ---- */

/* Adds an item to a list; "output=item" where there are several outputs. */
static void list_item(char *list, size_t size, const ia_objective *o, const ia_head *h,
                      const char *item)
{
    size_t n = strlen(list);
    bool several = o->head_count > 1;
    snprintf(list + n, size - n, "%s%s%s%s", n ? ", " : "", several ? h->name : "",
             several ? "=" : "", item);
}

static void describe_heads(const ia_objective *o, inarch_fit_plan *out)
{
    for (size_t h = 0; h < o->head_count; h++) {
        const ia_head *head = &o->heads[h];
        char text[96];
        ia_loss_to_text(&head->loss, text, sizeof text);
        list_item(out->loss, sizeof out->loss, o, head, text);
        for (size_t i = 0; i < head->metric_count; i++)
            list_item(out->metrics, sizeof out->metrics, o, head, head->metrics[i].name);
    }
}

static void describe(const ia_run_info *info, inarch_fit_plan *out)
{
    *out = (inarch_fit_plan){.size = sizeof *out,
                             .learning_rate = info->learning_rate,
                             .rows = info->rows,
                             .validation_rows = info->validation_rows,
                             .steps_per_epoch = info->steps_per_epoch,
                             .live_parameters = info->program.live_parameters,
                             .frozen_parameters = info->program.frozen_parameters,
                             .operations = info->program.operations,
                             .cached_operations = info->program.prefix_operations,
                             .cache_bytes = info->cache_bytes,
                             .memory_bytes = info->memory_bytes,
                             .cache_in_memory = info->cache_in_memory,
                             .resumed_epochs = info->resumed_epochs};
    describe_heads(info->objective, out);
    ia_optimizer_to_text(info->optimizer, out->optimizer, sizeof out->optimizer);
    ia_schedule_to_text(info->schedule, out->schedule, sizeof out->schedule);
    snprintf(out->loss_origin, sizeof out->loss_origin, "%s", info->loss_origin);
    snprintf(out->optimizer_origin, sizeof out->optimizer_origin, "%s", info->optimizer_origin);
    snprintf(out->prefix_ends, sizeof out->prefix_ends, "%s", info->program.prefix_ends);
}

inarch_status inarch_fit_describe(const inarch_model *m, const inarch_data *d,
                                  const inarch_fit_options *options, inarch_fit_plan *out,
                                  inarch_error *err)
{
    fit_job j;
    inarch_fit_plan plan;
    inarch_status status = job_new(m, d, options, &j, err);
    if (status == INARCH_OK) {
        ia_run_info info;
        ia_run_describe(j.run, &info);
        describe(&info, &plan);
        if (j.inner.bf16)
            ia_note(plan.note, sizeof plan.note, "products in bf16: results depend on the machine");
        ia_note(plan.note, sizeof plan.note, j.note);
        ia_note(plan.note, sizeof plan.note, info.objective->note);
        ia_note(plan.note, sizeof plan.note, info.optimizer->note);
        status = api_info_out(&plan, sizeof plan, out, err);
    }
    job_free(&j);
    return status;
}

/* ---- history ---- */

static const ia_history *inner_history(const inarch_history *h)
{
    return (const ia_history *)h;
}

void inarch_history_free(inarch_history *h)
{
    ia_history_free((ia_history *)h);
}

size_t inarch_history_rows(const inarch_history *h)
{
    return inner_history(h)->rows;
}

const char *inarch_history_name(const inarch_history *h, size_t column)
{
    return column < inner_history(h)->columns ? inner_history(h)->name[column] : NULL;
}

double inarch_history_get(const inarch_history *h, int64_t row, const char *name)
{
    int64_t rows = (int64_t)inner_history(h)->rows;
    int64_t at = row < 0 ? rows + row : row;
    return at < 0 || at >= rows ? NAN : ia_history_get(inner_history(h), (size_t)at, name);
}

size_t inarch_history_epoch(const inarch_history *h, size_t row)
{
    return row < inner_history(h)->rows ? inner_history(h)->epoch[row] : SIZE_MAX;
}

size_t inarch_history_best(const inarch_history *h)
{
    return inner_history(h)->best_epoch;
}

const char *inarch_history_note(const inarch_history *h)
{
    return inner_history(h)->note;
}
