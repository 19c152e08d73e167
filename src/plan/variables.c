/* The variables of a program: which are live, their working copies, and the way back to the
 * document.
 *
 * Frozen variables are read where they lie in the document; their buffers are held by a reference,
 * so a program goes on with the weights it was made from until it is rebound. */
#include "plan/program.h"

#include "base/alloc.h"

#include <string.h>

ia_variable *ia_live_variable(const ia_live *v)
{
    return &v->layer->variables[v->index];
}

/* Narrow matrices would be mostly padding, and small ones stay in cache as they lie. */
#define PANELS_LEAST 4096

static bool suits_panels(const ia_program *p, const plan_op *op, size_t index)
{
    const ia_variable *v = &op->layer->variables[index];
    return index == 0 && op->layer->cls->panels_temp && ia_array_count(&v->value) >= PANELS_LEAST &&
           (size_t)v->value.shape.dim[1] >= ia_panels_width(&p->exec);
}

/* The working copy lies in panels. */
static bool trains_in_panels(const ia_program *p, const ia_variable *v)
{
    return p->mode == IA_RUN_TRAIN && p->options->steps &&
           !ia_regularizer_active(&v->regularizer) && !v->constraint.cls;
}

#define ROWS_AHEAD_LEAST 2048 /* what packing costs, so many rows win back */

static bool runs_in_panels(const ia_program *p)
{
    return p->mode != IA_RUN_TRAIN && p->options->rows_ahead >= ROWS_AHEAD_LEAST;
}

static inarch_status new_variable(ia_program *p, const plan_op *op, size_t index, size_t *out,
                                  inarch_error *err)
{
    ia_layer *l = op->layer;
    const ia_variable *doc = &l->variables[index];
    if (!doc->value.buffer)
        return ia_fail(err, INARCH_BAD_ARGUMENT, op->path, "",
                       "layer '%s' has no values for its variable '%s'", op->path, doc->name);
    IA_TRY(ia_grow(&p->variables, &p->variable_cap, p->variable_count, sizeof *p->variables,
                   "variables", err));
    plan_variable v = {0};
    v.path = ia_asprintf("%s/%s", op->path, doc->name);
    if (!v.path)
        return ia_fail_memory(err, "a variable's path", 0);
    v.live = (ia_live){.layer = l,
                       .index = index,
                       .path = v.path,
                       .count = ia_array_count(&doc->value),
                       .learning_rate = op->learning_rate};
    bool updates = doc->trainable || (l->cls->flags & IA_LAYER_STATEFUL);
    v.is_live = p->mode != IA_RUN_PREDICT && op->live && updates;
    v.is_state = v.is_live && !doc->trainable;
    v.live.state = v.is_state;
    v.packed = runs_in_panels(p);
    if (suits_panels(p, op, index) && (v.packed || (v.is_live && trains_in_panels(p, doc)))) {
        const int64_t *dim = doc->value.shape.dim;
        v.live.panels = ia_panels_size(&p->exec, (size_t)dim[0], (size_t)dim[1], &v.live.count);
    }
    v.packed = v.packed && v.live.panels;
    *out = p->variable_count;
    p->variables[p->variable_count++] = v;
    return INARCH_OK;
}

/* A layer called twice has its variables once. */
static inarch_status find_variable(ia_program *p, const plan_op *op, size_t index, size_t *out,
                                   inarch_error *err)
{
    for (size_t i = 0; i < p->variable_count; i++) {
        if (p->variables[i].live.layer == op->layer && p->variables[i].live.index == index) {
            *out = i;
            return INARCH_OK;
        }
    }
    return new_variable(p, op, index, out, err);
}

static inarch_status collect(ia_program *p, inarch_error *err)
{
    for (size_t o = 0; o < p->op_count; o++) {
        plan_op *op = &p->ops[o];
        size_t n = op->kind == PLAN_LAYER ? op->layer->variable_count : 0;
        op->variables = ia_calloc(n, sizeof *op->variables);
        if (!op->variables)
            return ia_fail_memory(err, "an operation", n * sizeof *op->variables);
        op->variable_count = n;
        for (size_t i = 0; i < n; i++)
            IA_TRY(find_variable(p, op, i, &op->variables[i], err));
    }
    return INARCH_OK;
}

/* Rounded up to whole cache lines, so that every variable starts on one. */
static bool add_padded(size_t *total, size_t count)
{
    size_t padded;
    return ia_add(count, 15, &padded) && ia_add(*total, padded & ~(size_t)15, total);
}

/* Values of live variables, in one block. */
static inarch_status working_copies(ia_program *p, inarch_error *err)
{
    size_t total = 0, bytes;
    bool ok = true;
    for (size_t i = 0; i < p->variable_count; i++)
        if (p->variables[i].is_live)
            ok = ok && add_padded(&total, p->variables[i].live.count);
    p->live = ia_calloc(p->variable_count, sizeof *p->live);
    ok = ok && p->live && ia_mul(total, sizeof(float), &bytes);
    if (!ok || !(p->working = ia_calloc_aligned(bytes)))
        return ia_fail_memory(err, "working copies of the weights", ok ? bytes : 0);
    p->working_size = total;
    size_t at = 0;
    for (size_t i = 0; i < p->variable_count; i++) {
        plan_variable *v = &p->variables[i];
        if (!v->is_live)
            continue;
        v->live.value = p->working + at;
        add_padded(&at, v->live.count);
        p->live[p->live_count++] = i;
    }
    return INARCH_OK;
}

/* Packed values, in one block. */
static inarch_status packed_copies(ia_program *p, inarch_error *err)
{
    size_t total = 0, at = 0, bytes;
    bool ok = true;
    for (size_t i = 0; i < p->variable_count; i++)
        if (p->variables[i].packed)
            ok = ok && add_padded(&total, p->variables[i].live.count);
    ok = ok && ia_mul(total, sizeof(float), &bytes);
    if (!ok || !(p->packed = ia_calloc_aligned(bytes)))
        return ia_fail_memory(err, "packed weights", ok ? bytes : 0);
    for (size_t i = 0; i < p->variable_count; i++) {
        if (!p->variables[i].packed)
            continue;
        p->variables[i].live.value = p->packed + at;
        add_padded(&at, p->variables[i].live.count);
    }
    return INARCH_OK;
}

/* The operation that gives the variable its one gradient can step it. */
static bool is_stepped(const ia_program *p, size_t variable)
{
    const plan_variable *v = &p->variables[variable];
    return v->live.panels && v->grads == 1;
}

inarch_status plan_gradients(ia_program *p, inarch_error *err)
{
    size_t total = 0, at = 0;
    for (size_t i = 0; i < p->live_count; i++) {
        plan_variable *v = &p->variables[p->live[i]];
        v->live.stepped = is_stepped(p, p->live[i]);
        if (!v->is_state && !v->live.stepped)
            add_padded(&total, v->live.count); /* no more than the working copies have */
    }
    if (!(p->gradients = ia_calloc_aligned(total * sizeof(float))))
        return ia_fail_memory(err, "gradients", total * sizeof(float));
    p->working_size += total;
    for (size_t i = 0; i < p->live_count; i++) {
        plan_variable *v = &p->variables[p->live[i]];
        if (v->is_state || v->live.stepped)
            continue;
        v->live.grad = p->gradients + at;
        add_padded(&at, v->live.count);
    }
    return INARCH_OK;
}

void ia_program_set_step(ia_program *p, size_t live, const ia_step *step)
{
    for (size_t o = 0; o < p->op_count; o++)
        for (size_t i = 0; p->ops[o].backward && i < p->ops[o].variable_count; i++)
            if (p->ops[o].variables[i] == p->live[live])
                p->ops[o].step[i] = step;
}

/* ---- between the order of the document and that of the working copies ---- */

void ia_live_read(const ia_program *p, const ia_live *v, const float *from, float *to)
{
    const int64_t *dim = ia_live_variable(v)->value.shape.dim;
    if (v->panels)
        ia_panels_pack(&p->exec, (size_t)dim[0], (size_t)dim[1], from, to);
    else
        memcpy(to, from, v->count * sizeof *to);
}

void ia_live_write(const ia_program *p, const ia_live *v, const float *from, float *to)
{
    const int64_t *dim = ia_live_variable(v)->value.shape.dim;
    if (v->panels)
        ia_panels_unpack(&p->exec, (size_t)dim[0], (size_t)dim[1], from, to);
    else
        memcpy(to, from, v->count * sizeof *to);
}

inarch_status plan_variables(ia_program *p, inarch_error *err)
{
    IA_TRY(collect(p, err));
    if (p->mode == IA_RUN_TRAIN)
        IA_TRY(working_copies(p, err));
    IA_TRY(packed_copies(p, err));
    ia_program_rebind(p);
    return INARCH_OK;
}

void ia_program_rebind(ia_program *p)
{
    for (size_t i = 0; i < p->variable_count; i++) {
        plan_variable *v = &p->variables[i];
        const ia_array *value = &ia_live_variable(&v->live)->value;
        if (v->packed || (v->is_live && p->mode == IA_RUN_TRAIN)) {
            ia_live_read(p, &v->live, ia_array_data(value), v->live.value);
            continue;
        }
        ia_array held = ia_array_ref(value);
        ia_array_release(&v->held);
        v->held = held;
        /* Never written through: only variables with a working copy are live for the trainer. */
        v->live.value = (float *)(uintptr_t)ia_array_data(&v->held);
    }
    for (size_t o = 0; o < p->op_count; o++)
        for (size_t i = 0; p->ops[o].weights && i < p->ops[o].variable_count; i++)
            p->ops[o].weights[i] = p->variables[p->ops[o].variables[i]].live.value;
}

/* Others keep what they share with the document, so it gets buffers of its own first. */
inarch_status ia_program_reserve(ia_program *p, inarch_error *err)
{
    for (size_t i = 0; i < p->live_count; i++) {
        plan_variable *v = &p->variables[p->live[i]];
        const ia_array *value = &ia_live_variable(&v->live)->value;
        if (!v->fresh.buffer && ia_buffer_shared(value->buffer))
            IA_TRY(ia_array_new(IA_F32, &value->shape, "the trained weights", &v->fresh, err));
    }
    return INARCH_OK;
}

void ia_program_publish(ia_program *p)
{
    for (size_t i = 0; i < p->live_count; i++) {
        plan_variable *v = &p->variables[p->live[i]];
        ia_array *value = &ia_live_variable(&v->live)->value;
        if (v->fresh.buffer) {
            ia_array_release(value);
            *value = v->fresh;
            v->fresh = (ia_array){0};
        }
        ia_live_write(p, &v->live, v->live.value, ia_array_mutable(value));
    }
}

size_t ia_program_live_count(const ia_program *p)
{
    return p->live_count;
}

const ia_live *ia_program_live(const ia_program *p, size_t i)
{
    return &p->variables[p->live[i]].live;
}
