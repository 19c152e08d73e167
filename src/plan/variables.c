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

/* Values and gradients of live variables, in one block each. */
static inarch_status working_copies(ia_program *p, inarch_error *err)
{
    size_t total = 0, bytes;
    bool ok = true;
    for (size_t i = 0; i < p->variable_count; i++)
        if (p->variables[i].is_live)
            ok = ok && add_padded(&total, p->variables[i].live.count);
    p->live = ia_calloc(p->variable_count, sizeof *p->live);
    ok = ok && p->live && ia_mul(total, 2 * sizeof(float), &bytes);
    if (!ok || !(p->working = ia_calloc_aligned(bytes)))
        return ia_fail_memory(err, "working copies of the weights", ok ? bytes : 0);
    p->working_size = 2 * total;
    size_t at = 0;
    for (size_t i = 0; i < p->variable_count; i++) {
        plan_variable *v = &p->variables[i];
        if (!v->is_live)
            continue;
        v->live.value = p->working + at;
        v->live.grad = v->is_state ? NULL : p->working + total + at;
        add_padded(&at, v->live.count);
        p->live[p->live_count++] = i;
    }
    return INARCH_OK;
}

inarch_status plan_variables(ia_program *p, inarch_error *err)
{
    IA_TRY(collect(p, err));
    if (p->mode == IA_RUN_TRAIN)
        IA_TRY(working_copies(p, err));
    ia_program_rebind(p);
    return INARCH_OK;
}

void ia_program_rebind(ia_program *p)
{
    for (size_t i = 0; i < p->variable_count; i++) {
        plan_variable *v = &p->variables[i];
        const ia_array *value = &ia_live_variable(&v->live)->value;
        if (v->is_live && p->mode == IA_RUN_TRAIN) {
            memcpy(v->live.value, ia_array_data(value), v->live.count * sizeof(float));
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

inarch_status ia_program_publish(const ia_program *p, inarch_error *err)
{
    ia_array *fresh = ia_calloc(p->live_count, sizeof *fresh);
    if (!fresh)
        return ia_fail_memory(err, "the trained weights", p->live_count * sizeof *fresh);
    inarch_status status = INARCH_OK;
    for (size_t i = 0; i < p->live_count && status == INARCH_OK; i++) {
        const ia_live *v = &p->variables[p->live[i]].live;
        status = ia_array_new(IA_F32, &ia_live_variable(v)->value.shape, "the trained weights",
                              &fresh[i], err);
        if (status == INARCH_OK)
            memcpy(ia_array_mutable(&fresh[i]), v->value, v->count * sizeof(float));
    }
    for (size_t i = 0; i < p->live_count; i++) {
        ia_array *value = &ia_live_variable(&p->variables[p->live[i]].live)->value;
        if (status == INARCH_OK) {
            ia_array_release(value);
            *value = fresh[i];
        } else {
            ia_array_release(&fresh[i]);
        }
    }
    ia_free(fresh);
    return status;
}

size_t ia_program_live_count(const ia_program *p)
{
    return p->live_count;
}

const ia_live *ia_program_live(const ia_program *p, size_t i)
{
    return &p->variables[p->live[i]].live;
}
