/* The updater: clipping, weight decay, the optimizer's rule and constraints over live variables. */
#include "train/updater.h"

#include "base/alloc.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct updater_variable {
    const ia_live *live;
    ia_step rule; /* of this step; its slots are owned */
    uint64_t step;
    double rate;      /* of this step */
    double u_product; /* nadam: a function of the step alone */
    bool decays;
    ia_slots fresh; /* the document's next slots, reserved; no optimizer: its own will do */
} updater_variable;

struct ia_updater {
    ia_optimizer optimizer;
    ia_program *program; /* borrowed */
    ia_exec exec;
    updater_variable *variables; /* those with a gradient */
    size_t count, slots;
    size_t bytes;
    bool continues, nadam;
};

void ia_updater_free(ia_updater *u)
{
    if (!u)
        return;
    for (size_t i = 0; i < u->count; i++) {
        ia_slots_clear(&u->variables[i].fresh);
        for (size_t k = 0; k < u->slots; k++)
            ia_free_aligned(u->variables[i].rule.slot[k]);
    }
    ia_free(u->variables);
    ia_free(u);
}

/* ---- state from the document ---- */

/* The variable's slots are this optimizer's, all of them, of its shape. */
static bool slots_fit(const ia_updater *u, const ia_variable *v)
{
    if (strcmp(v->slots.optimizer, u->optimizer.cls->name) != 0)
        return false;
    for (size_t k = 0; k < u->slots; k++) {
        const ia_array *s = &v->slots.slot[k];
        if (!s->buffer || s->dtype != IA_F32 || !ia_shape_equal(&s->shape, &v->value.shape))
            return false;
    }
    return true;
}

/* u_1 ... u_t; it is 0 long before t is large. */
static double nadam_product(double beta_1, uint64_t t)
{
    double product = 1;
    for (uint64_t i = 1; i <= t && product > 0; i++)
        product *= ia_nadam_u(beta_1, i);
    return product;
}

/* What slot k starts from: Adagrad's accumulator alone is not 0. */
static double slot_start(const ia_optimizer *o, size_t k)
{
    return o->cls->slot_start ? o->cls->slot_start(o, k) : 0;
}

static void take_state(ia_updater *u, bool fresh)
{
    u->continues = false;
    for (size_t i = 0; i < u->count; i++) {
        updater_variable *w = &u->variables[i];
        const ia_variable *v = ia_live_variable(w->live);
        bool fit = !fresh && slots_fit(u, v);
        u->continues = u->continues || (fit && v->slots.step > 0);
        w->step = fit ? v->slots.step : 0;
        w->u_product = u->nadam ? nadam_product(u->optimizer.beta_1, w->step) : 1;
        for (size_t k = 0; k < u->slots; k++) {
            float start = (float)slot_start(&u->optimizer, k);
            if (fit)
                ia_live_read(u->program, w->live, ia_array_data(&v->slots.slot[k]),
                             w->rule.slot[k]);
            for (size_t j = 0; !fit && j < w->live->count; j++)
                w->rule.slot[k][j] = start;
        }
    }
}

void ia_updater_rebind(ia_updater *u)
{
    take_state(u, false);
}

/* The path contains none of the '|'-separated words. */
static bool decays(const ia_optimizer *o, const char *path)
{
    for (const char *w = o->no_decay; *w;) {
        char word[sizeof o->no_decay];
        size_t n = strcspn(w, "|");
        snprintf(word, sizeof word, "%.*s", (int)n, w);
        if (n > 0 && strstr(path, word))
            return false;
        w += n + (w[n] != '\0');
    }
    return o->weight_decay > 0;
}

static inarch_status new_slots(ia_updater *u, inarch_error *err)
{
    for (size_t i = 0; i < u->count; i++)
        for (size_t k = 0; k < u->slots; k++) {
            size_t bytes = u->variables[i].live->count * sizeof(float); /* as many as its values */
            u->variables[i].rule.slot[k] = ia_calloc_aligned(bytes);
            if (!u->variables[i].rule.slot[k])
                return ia_fail_memory(err, "the optimizer's state", bytes);
            u->bytes += bytes;
        }
    return INARCH_OK;
}

/* The variables with a gradient. */
static void take_variables(ia_updater *u)
{
    for (size_t i = 0; i < ia_program_live_count(u->program); i++) {
        const ia_live *live = ia_program_live(u->program, i);
        updater_variable *v = &u->variables[u->count];
        if (live->state)
            continue;
        *v = (updater_variable){.live = live, .decays = decays(&u->optimizer, live->path)};
        v->rule.w = live->value;
        if (live->stepped)
            ia_program_set_step(u->program, i, &v->rule);
        u->count++;
    }
}

inarch_status ia_updater_new(const ia_optimizer *o, ia_program *p, const ia_kernel_set *kernels,
                             ia_pool *pool, bool fresh, ia_updater **out, inarch_error *err)
{
    size_t n = ia_program_live_count(p);
    ia_updater *u = ia_calloc(1, sizeof *u);
    if (!u)
        return ia_fail_memory(err, "the optimizer", sizeof *u);
    u->optimizer = *o;
    u->program = p;
    u->exec = (ia_exec){.set = kernels ? kernels : ia_kernel_set_find(NULL), .pool = pool};
    u->slots = ia_optimizer_slot_count(o);
    u->nadam = strcmp(o->cls->name, "nadam") == 0;
    u->variables = ia_calloc(n, sizeof *u->variables);
    inarch_status status =
        u->variables ? INARCH_OK : ia_fail_memory(err, "the optimizer", n * sizeof *u->variables);
    if (status == INARCH_OK) {
        take_variables(u);
        status = new_slots(u, err);
    }
    if (status != INARCH_OK) {
        ia_updater_free(u);
        return status;
    }
    take_state(u, fresh);
    *out = u;
    return INARCH_OK;
}

/* ---- a step ---- */

static void clip_by_norm(const ia_updater *u, const ia_live *v, double norm, double bound)
{
    if (!(norm <= bound)) /* NaN too: it spreads, and the next loss tells */
        ia_scale(&u->exec, v->count, (float)(bound / norm), v->grad, v->grad);
}

/* Keras: values * (clipnorm / max(norm, clipnorm)); at most one of the three is set. */
static void clip(const ia_updater *u)
{
    const ia_optimizer *o = &u->optimizer;
    double sum = 0;
    if (!isnan(o->global_clipnorm)) {
        for (size_t i = 0; i < u->count; i++)
            sum +=
                ia_sum_squares(&u->exec, u->variables[i].live->count, u->variables[i].live->grad);
        for (size_t i = 0; i < u->count; i++)
            clip_by_norm(u, u->variables[i].live, sqrt(sum), o->global_clipnorm);
        return;
    }
    for (size_t i = 0; i < u->count; i++) {
        const ia_live *v = u->variables[i].live;
        if (!isnan(o->clipnorm))
            clip_by_norm(u, v, sqrt(ia_sum_squares(&u->exec, v->count, v->grad)), o->clipnorm);
        else if (!isnan(o->clipvalue))
            ia_clip(&u->exec, v->count, (float)-o->clipvalue, (float)o->clipvalue, v->grad,
                    v->grad);
    }
}

bool ia_optimizer_is_elementwise(const ia_optimizer *o)
{
    return isnan(o->global_clipnorm) && isnan(o->clipnorm) && isnan(o->clipvalue);
}

void ia_updater_begin(ia_updater *u, double learning_rate)
{
    const ia_optimizer *o = &u->optimizer;
    for (size_t i = 0; i < u->count; i++) {
        updater_variable *w = &u->variables[i];
        double rate = learning_rate * (double)w->live->learning_rate;
        w->step++;
        if (i > 0 && w->step == w[-1].step && rate == w[-1].rate) { /* mostly: the powers cost */
            w->u_product = w[-1].u_product;
            w->rule.update = w[-1].rule.update;
        } else {
            if (u->nadam)
                w->u_product *= ia_nadam_u(o->beta_1, w->step);
            w->rule.update = o->cls->update(o, rate, w->step, w->u_product);
        }
        w->rate = rate;
        w->rule.decay = w->decays ? (float)(o->weight_decay * rate) : 0;
    }
}

void ia_updater_finish(ia_updater *u)
{
    clip(u);
    for (size_t i = 0; i < u->count; i++) {
        const updater_variable *w = &u->variables[i];
        const ia_variable *v = ia_live_variable(w->live);
        if (w->live->stepped)
            continue;
        if (w->decays)
            ia_weight_decay(&u->exec, w->live->count, w->rule.decay, w->live->value);
        ia_update_apply(&u->exec, &w->rule.update, w->live->count, w->live->grad, w->live->value,
                        w->rule.slot);
        if (v->constraint.cls)
            ia_constraint_apply(&v->constraint, &v->value.shape, w->live->value);
    }
}

/* ---- state into the document ---- */

/* The document's slots may be written: they are of this kind, and nobody shares them. */
static bool slots_free(const ia_updater *u, const ia_variable *v)
{
    if (!slots_fit(u, v))
        return false;
    for (size_t k = 0; k < u->slots; k++)
        if (ia_buffer_shared(v->slots.slot[k].buffer))
            return false;
    return true;
}

inarch_status ia_updater_reserve(ia_updater *u, inarch_error *err)
{
    for (size_t i = 0; i < u->count; i++) {
        updater_variable *w = &u->variables[i];
        const ia_variable *v = ia_live_variable(w->live);
        if (slots_free(u, v))
            continue;
        for (size_t k = 0; k < u->slots; k++)
            if (!w->fresh.slot[k].buffer)
                IA_TRY(ia_array_new(IA_F32, &v->value.shape, "the optimizer's state",
                                    &w->fresh.slot[k], err));
        snprintf(w->fresh.optimizer, sizeof w->fresh.optimizer, "%s", u->optimizer.cls->name);
    }
    return INARCH_OK;
}

void ia_updater_publish(ia_updater *u)
{
    for (size_t i = 0; i < u->count; i++) {
        updater_variable *w = &u->variables[i];
        ia_slots *slots = &ia_live_variable(w->live)->slots;
        if (w->fresh.optimizer[0]) {
            ia_slots_clear(slots);
            *slots = w->fresh;
            w->fresh = (ia_slots){0};
        }
        slots->step = w->step;
        for (size_t k = 0; k < u->slots; k++)
            ia_live_write(u->program, w->live, w->rule.slot[k], ia_array_mutable(&slots->slot[k]));
    }
}

/* The document's slots, whatever they were, become this variable's. */
static inarch_status move_slots(ia_updater *u, updater_variable *w, inarch_error *err)
{
    ia_variable *v = ia_live_variable(w->live);
    ia_slots_clear(&v->slots);
    for (size_t k = 0; k < u->slots; k++) {
        ia_array *slot = &v->slots.slot[k];
        IA_TRY(ia_array_new(IA_F32, &v->value.shape, "the optimizer's state", slot, err));
        ia_live_write(u->program, w->live, w->rule.slot[k], ia_array_mutable(slot));
        ia_free_aligned(w->rule.slot[k]);
        w->rule.slot[k] = NULL;
    }
    snprintf(v->slots.optimizer, sizeof v->slots.optimizer, "%s", u->optimizer.cls->name);
    v->slots.step = w->step;
    return INARCH_OK;
}

inarch_status ia_updater_move(ia_updater *u, inarch_error *err)
{
    for (size_t i = 0; i < u->count; i++)
        IA_TRY(move_slots(u, &u->variables[i], err));
    return INARCH_OK;
}

void ia_updater_forget(ia_updater *u)
{
    for (size_t i = 0; i < u->count; i++)
        ia_slots_clear(&ia_live_variable(u->variables[i].live)->slots);
}

bool ia_updater_continues(const ia_updater *u)
{
    return u->continues;
}

size_t ia_updater_bytes(const ia_updater *u)
{
    return u->bytes;
}
