/* A run's checkpoint: what is in it, and how a run goes on from it.
 *
 * All that is random is a function of seed, epoch and step, so no generator's state is kept. */
#include "train/run.h"

#include "base/alloc.h"
#include "train/checkpoint.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#define SAMPLE_ROWS 64

/* ---- what the run is: a checkpoint of another is refused ---- */

/* Path, whether it is live, settings and weights. */
static inarch_status crc_layer(void *context, const ia_model *m, ia_layer *l, const char *path,
                               bool trainable, inarch_error *err)
{
    uLong *crc = context;
    (void)m, (void)err;
    *crc = crc32(*crc, (const Bytef *)path, (uInt)strlen(path));
    *crc = crc32(*crc, (const Bytef *)&trainable, sizeof trainable);
    *crc = crc32(*crc, (const Bytef *)&l->learning_rate, sizeof l->learning_rate);
    for (size_t i = 0; l->config && i < l->cls->field_count; i++) {
        char value[256] = "";
        ia_field_to_text(&l->cls->fields[i], l->config, value, sizeof value);
        *crc = crc32(*crc, (const Bytef *)value, (uInt)strlen(value));
    }
    for (size_t i = 0; i < l->variable_count; i++) {
        const uint8_t *at = ia_array_data(&l->variables[i].value);
        size_t n = ia_array_count(&l->variables[i].value) * sizeof(float);
        while (at && n > 0) {
            uInt part = n < (1u << 30) ? (uInt)n : 1u << 30;
            *crc = crc32(*crc, at, part);
            at += part;
            n -= part;
        }
    }
    return INARCH_OK;
}

static void add_floats(uLong *crc, const float *v, size_t n)
{
    *crc = crc32(*crc, (const Bytef *)v, (uInt)(n * sizeof *v));
}

/* A row as the program gets it. */
static inarch_status crc_row(ia_run *r, const ia_data *d, uint64_t row, uLong *crc,
                             inarch_error *err)
{
    const ia_program *p = ia_trainer_program(r->trainer);
    for (size_t i = 0; i < ia_program_input_count(p); i++) {
        const ia_view *v = ia_program_input(p, i);
        IA_TRY(ia_data_gather(d, &row, 1, i, v->data, err));
        add_floats(crc, v->data, v->size);
    }
    for (size_t h = 0; h < r->objective.head_count; h++) {
        const ia_head *head = &r->objective.heads[h];
        IA_TRY(ia_head_gather(head, d, &row, 1, r->target[h], err));
        add_floats(crc, r->target[h], head->target_size);
        IA_TRY(ia_data_gather_weights(d, &row, 1, head->target, r->weight[h], err));
        add_floats(crc, r->weight[h], 1);
    }
    return INARCH_OK;
}

/* Rows spread from the first to the last. */
static inarch_status crc_data(ia_run *r, const ia_data *d, uLong *crc, inarch_error *err)
{
    size_t rows = ia_data_rows(d), n = rows < SAMPLE_ROWS ? rows : SAMPLE_ROWS;
    for (size_t i = 0; i < n; i++)
        IA_TRY(crc_row(r, d, n > 1 ? i * (rows - 1) / (n - 1) : 0, crc, err));
    return INARCH_OK;
}

static inarch_status fingerprints(ia_run *r, inarch_error *err)
{
    uLong crc = crc32(0, NULL, 0);
    IA_TRY(ia_model_walk(r->m, crc_layer, &crc, err));
    r->model_crc = (uint32_t)crc;
    crc = crc32(0, NULL, 0);
    IA_TRY(crc_data(r, r->train, &crc, err));
    if (r->validation)
        IA_TRY(crc_data(r, r->validation, &crc, err));
    r->data_crc = (uint32_t)crc;
    return INARCH_OK;
}

/* Takes `value` over, NULL too (then it fails), as long as nothing has failed before. */
static void put(json_t *object, const char *key, json_t *value, bool *ok)
{
    *ok = json_object_set_new(object, key, value) == 0 && *ok;
}

static void push(json_t *list, json_t *value, bool *ok)
{
    *ok = json_array_append_new(list, value) == 0 && *ok;
}

/* `value`, or NULL when something is missing in it. */
static json_t *whole(json_t *value, bool complete)
{
    if (complete)
        return value;
    json_decref(value);
    return NULL;
}

static json_t *heads_text(const ia_run *r)
{
    json_t *list = json_array();
    bool ok = true;
    for (size_t h = 0; h < r->objective.head_count; h++) {
        char text[256], line[320];
        ia_loss_to_text(&r->objective.heads[h].loss, text, sizeof text);
        snprintf(line, sizeof line, "%s x %.17g", text, r->objective.heads[h].weight);
        push(list, json_string(line), &ok);
    }
    return whole(list, ok);
}

/* The run's length counts only where a schedule depends on it, so that a run may be made longer. */
static json_t *identity(const ia_run *r)
{
    char optimizer[512], schedule[1200], monitor[256] = "";
    bool whole_run = r->schedule.cls && strcmp(r->schedule.cls->name, "cosine") == 0;
    const ia_fit_options *o = &r->o;
    ia_optimizer_to_text(&r->optimizer, optimizer, sizeof optimizer);
    ia_schedule_to_text(&r->schedule, schedule, sizeof schedule);
    if (o->early_stopping)
        snprintf(monitor, sizeof monitor, "%s of %s by %.17g%s", r->monitor.up ? "max" : "min",
                 r->monitor.name, fabs(o->min_delta), o->restore_best ? "" : ", the last is kept");
    json_t *all = json_pack(
        "{s:I, s:I, s:s, s:I, s:I, s:I, s:I, s:b, s:I, s:s, s:s, s:f, s:f, s:b, s:b, s:b, s:I, "
        "s:s}",
        "model", (json_int_t)r->model_crc, "first step", (json_int_t)r->first_step, "class weights",
        o->class_weight ? o->class_weight : "", "data", (json_int_t)r->data_crc, "rows",
        (json_int_t)r->rows, "validation rows",
        (json_int_t)(r->validation ? ia_data_rows(r->validation) : 0), "batch size",
        (json_int_t)r->batch, "shuffle", o->shuffle != 0, "seed", (json_int_t)o->seed, "optimizer",
        optimizer, "schedule", schedule, "l2_sp", o->l2_sp, "l2_sp of new weights", o->l2_sp_new,
        "frozen dropout", o->frozen_dropout_off != 0, "bf16", o->bf16 != 0, "moments",
        o->fresh_moments != 0, "epochs", (json_int_t)(whole_run ? o->epochs : 0), "monitor",
        monitor);
    bool ok = true;
    put(all, "losses", heads_text(r), &ok);
    return whole(all, ok);
}

static inarch_status check_identity(const ia_run *r, const json_t *saved, inarch_error *err)
{
    json_t *own = identity(r), *value;
    const char *key;
    inarch_status status = own ? INARCH_OK : ia_fail_memory(err, "a checkpoint", 0);
    json_object_foreach(own, key, value)
    {
        if (status == INARCH_OK && !json_equal(value, json_object_get(saved, key)))
            status =
                ia_fail(err, INARCH_BAD_ARGUMENT, r->o.checkpoint,
                        "name another checkpoint, or remove this one to start again",
                        "checkpoint '%s' is of another run: its %s differs", r->o.checkpoint, key);
    }
    json_decref(own);
    return status;
}

/* ---- history ---- */

static json_t *history_json(const ia_history *h)
{
    json_t *columns = json_array(), *epochs = json_array(), *values = json_array();
    bool ok = true;
    for (size_t c = 0; c < h->columns; c++)
        push(columns, json_string(h->name[c]), &ok);
    for (size_t i = 0; i < h->rows; i++)
        push(epochs, json_integer((json_int_t)h->epoch[i]), &ok);
    for (size_t i = 0; i < h->rows * h->columns; i++)
        push(values, ia_json_from_double(h->value[i]), &ok);
    json_t *all = json_object();
    put(all, "columns", columns, &ok);
    put(all, "epochs", epochs, &ok);
    put(all, "values", values, &ok);
    put(all, "stopped early", json_boolean(h->stopped_early), &ok);
    put(all, "note", json_string(h->note), &ok);
    return whole(all, ok);
}

/* Into room for its rows. `done`: whole epochs; epoch 0 may have a row too. */
static bool history_from(ia_history *h, const json_t *v, size_t done)
{
    const json_t *columns = json_object_get(v, "columns"), *epochs = json_object_get(v, "epochs");
    const json_t *values = json_object_get(v, "values");
    size_t rows = json_array_size(epochs);
    if (json_array_size(columns) != h->columns || rows > done + 1 || rows > h->cap ||
        json_array_size(values) != rows * h->columns)
        return false;
    for (size_t c = 0; c < h->columns; c++) {
        const char *name = json_string_value(json_array_get(columns, c));
        if (!name || strcmp(name, h->name[c]) != 0)
            return false;
    }
    for (size_t i = 0; i < rows; i++) {
        double *row = ia_history_add(h, (size_t)json_integer_value(json_array_get(epochs, i)));
        for (size_t c = 0; c < h->columns; c++)
            if (!ia_json_number(json_array_get(values, i * h->columns + c), &row[c]))
                return false;
    }
    h->stopped_early = ia_json_bool(v, "stopped early", false);
    snprintf(h->note, sizeof h->note, "%s", ia_json_string(v, "note", ""));
    return true;
}

/* ---- saving ---- */

static json_t *monitor_json(const ia_run *r)
{
    bool ok = true, none = r->monitor.best_epoch == SIZE_MAX;
    json_t *all = json_object();
    put(all, "best", ia_json_from_double(r->monitor.best), &ok);
    put(all, "wait", json_integer((json_int_t)r->monitor.wait), &ok);
    put(all, "best epoch", json_integer(none ? -1 : (json_int_t)r->monitor.best_epoch), &ok);
    put(all, "kept", json_boolean(r->best.taken), &ok);
    return whole(all, ok);
}

static json_t *plateau_json(const ia_plateau *p)
{
    bool ok = true;
    json_t *all = json_object();
    put(all, "rate", ia_json_from_double(p->rate), &ok);
    put(all, "best", ia_json_from_double(p->best), &ok);
    put(all, "wait", ia_json_from_double(p->wait), &ok);
    put(all, "cooldown", ia_json_from_double(p->cooldown), &ok);
    return whole(all, ok);
}

static json_t *state_json(const ia_run *r)
{
    const ia_program *p = ia_trainer_program(r->trainer);
    json_t *steps = json_array(), *all = json_object();
    bool ok = true;
    for (size_t i = 0; i < ia_program_live_count(p); i++) {
        const ia_slots *s = &ia_live_variable(ia_program_live(p, i))->slots;
        push(steps, json_integer((json_int_t)s->step), &ok);
    }
    put(all, "identity", identity(r), &ok);
    put(all, "epoch", json_integer((json_int_t)r->epoch), &ok);
    put(all, "step", json_integer((json_int_t)r->step), &ok);
    put(all, "stopped", json_boolean(r->stopped), &ok);
    put(all, "variable steps", steps, &ok);
    put(all, "history", history_json(r->history), &ok);
    put(all, "monitor", monitor_json(r), &ok);
    put(all, "plateau", plateau_json(&r->plateau), &ok);
    return whole(all, ok);
}

static inarch_status add_variable(const ia_run *r, size_t i, ia_checkpoint *c, inarch_error *err)
{
    const ia_program *p = ia_trainer_program(r->trainer);
    const ia_variable *v = ia_live_variable(ia_program_live(p, i));
    char name[64];
    snprintf(name, sizeof name, "value/%zu", i);
    IA_TRY(ia_checkpoint_add(c, name, &v->value, err));
    if (r->best.taken) {
        snprintf(name, sizeof name, "best/%zu", i);
        IA_TRY(ia_checkpoint_add(c, name, &r->best.value[i], err));
    }
    for (size_t k = 0; k < IA_SLOT_MAX && v->slots.slot[k].buffer; k++) {
        snprintf(name, sizeof name, "slot/%zu/%zu", i, k);
        IA_TRY(ia_checkpoint_add(c, name, &v->slots.slot[k], err));
    }
    return INARCH_OK;
}

inarch_status run_save(ia_run *r, inarch_error *err)
{
    const ia_program *p = ia_trainer_program(r->trainer);
    ia_checkpoint c = {.state = state_json(r)};
    inarch_status status = c.state ? INARCH_OK : ia_fail_memory(err, "a checkpoint", 0);
    for (size_t i = 0; i < ia_program_live_count(p) && status == INARCH_OK; i++)
        status = add_variable(r, i, &c, err);
    if (status == INARCH_OK)
        status = ia_checkpoint_write(&c, r->o.checkpoint, err);
    ia_checkpoint_free(&c);
    return status;
}

/* ---- going on ---- */

/* The array of that name and of the variable's shape. */
static const ia_array *fitting(const ia_checkpoint *c, const ia_variable *v, const char *kind,
                               size_t i, size_t k)
{
    char name[64];
    snprintf(name, sizeof name, k == SIZE_MAX ? "%s/%zu" : "%s/%zu/%zu", kind, i, k);
    const ia_array *a = ia_checkpoint_find(c, name);
    return a && ia_shape_equal(&a->shape, &v->value.shape) ? a : NULL;
}

static void share(ia_array *at, const ia_array *a)
{
    ia_array copy = ia_array_ref(a);
    ia_array_release(at);
    *at = copy;
}

static bool restore_slots(const ia_run *r, const ia_checkpoint *c, ia_variable *v, size_t i,
                          uint64_t step)
{
    size_t slots = ia_optimizer_slot_count(&r->optimizer);
    ia_slots_clear(&v->slots);
    snprintf(v->slots.optimizer, sizeof v->slots.optimizer, "%s", r->optimizer.cls->name);
    v->slots.step = step;
    for (size_t k = 0; k < slots; k++) {
        const ia_array *a = fitting(c, v, "slot", i, k);
        if (!a)
            return false;
        share(&v->slots.slot[k], a);
    }
    return true;
}

/* Best weights first: they pass through the document into a snapshot. */
static bool restore_arrays(ia_run *r, const ia_checkpoint *c)
{
    const ia_program *p = ia_trainer_program(r->trainer);
    const json_t *steps = json_object_get(c->state, "variable steps");
    bool kept = ia_json_bool(json_object_get(c->state, "monitor"), "kept", false);
    for (size_t i = 0; kept && i < ia_program_live_count(p); i++) {
        ia_variable *v = ia_live_variable(ia_program_live(p, i));
        const ia_array *a = fitting(c, v, "best", i, SIZE_MAX);
        if (!a)
            return false;
        share(&v->value, a);
    }
    if (kept)
        ia_snapshot_take(&r->best);
    for (size_t i = 0; i < ia_program_live_count(p); i++) {
        const ia_live *live = ia_program_live(p, i);
        ia_variable *v = ia_live_variable(live);
        const ia_array *a = fitting(c, v, "value", i, SIZE_MAX);
        uint64_t step = (uint64_t)json_integer_value(json_array_get(steps, i));
        if (!a || (!live->state && !restore_slots(r, c, v, i, step)))
            return false;
        share(&v->value, a);
    }
    return true;
}

static bool restore_numbers(ia_run *r, const json_t *state)
{
    const json_t *monitor = json_object_get(state, "monitor");
    const json_t *plateau = json_object_get(state, "plateau");
    r->epoch = (size_t)ia_json_int(state, "epoch", 0);
    r->step = (uint64_t)ia_json_int(state, "step", 0);
    if (r->history->rows > 0) /* its last column */
        r->rate = r->history->value[r->history->rows * r->history->columns - 1];
    /* A run that ended because its epochs were done may be made longer; early stopping is final. */
    r->stopped = r->history->stopped_early != 0;
    int64_t best = ia_json_int(monitor, "best epoch", -1);
    r->monitor.best_epoch = best < 0 ? SIZE_MAX : (size_t)best;
    r->monitor.wait = (size_t)ia_json_int(monitor, "wait", 0);
    return ia_json_number(json_object_get(monitor, "best"), &r->monitor.best) &&
           ia_json_number(json_object_get(plateau, "rate"), &r->plateau.rate) &&
           ia_json_number(json_object_get(plateau, "best"), &r->plateau.best) &&
           ia_json_number(json_object_get(plateau, "wait"), &r->plateau.wait) &&
           ia_json_number(json_object_get(plateau, "cooldown"), &r->plateau.cooldown);
}

static inarch_status restore(ia_run *r, const ia_checkpoint *c, inarch_error *err)
{
    size_t done = (size_t)ia_json_int(c->state, "epoch", 0);
    IA_TRY(check_identity(r, json_object_get(c->state, "identity"), err));
    if (done > r->o.epochs)
        return ia_fail(err, INARCH_BAD_ARGUMENT, r->o.checkpoint, "ask for as many epochs or more",
                       "checkpoint '%s' has done %zu epochs already", r->o.checkpoint, done);
    const json_t *history = json_object_get(c->state, "history");
    IA_TRY(
        ia_history_reserve(r->history, json_array_size(json_object_get(history, "epochs")), err));
    if (history_from(r->history, history, done) && restore_numbers(r, c->state) &&
        restore_arrays(r, c)) {
        ia_trainer_rebind(r->trainer);
        if (r->scorer)
            ia_program_rebind(r->scorer->program);
        r->resumed = true;
        return INARCH_OK;
    }
    ia_snapshot_restore(&r->initial, true);
    return ia_fail(err, INARCH_BAD_FILE, r->o.checkpoint,
                   "name another checkpoint, or remove this one to start again",
                   "checkpoint '%s' does not fit the run", r->o.checkpoint);
}

inarch_status run_resume(ia_run *r, inarch_error *err)
{
    ia_checkpoint c = {0};
    bool found;
    IA_TRY(fingerprints(r, err));
    IA_TRY(ia_checkpoint_read(r->o.checkpoint, &c, &found, err));
    inarch_status status = found ? restore(r, &c, err) : INARCH_OK;
    ia_checkpoint_free(&c);
    return status;
}
