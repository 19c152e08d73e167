/* What changes from step to step, what takes gradients, and the frontier between the two parts.
 *
 * Static operations move to the front (they read static values only, so the order stays
 * topological); the static values that the rest reads, or that are results themselves, are the
 * frontier. */
#include "plan/program.h"

#include "base/alloc.h"

#include <stdio.h>
#include <string.h>

static bool has_live_variable(const ia_program *p, const plan_op *op)
{
    for (size_t i = 0; i < op->variable_count; i++)
        if (p->variables[op->variables[i]].is_live)
            return true;
    return false;
}

static bool has_gradient(const ia_program *p, const plan_op *op)
{
    for (size_t i = 0; i < op->variable_count; i++) {
        const plan_variable *v = &p->variables[op->variables[i]];
        if (v->is_live && !v->is_state)
            return true;
    }
    return false;
}

/* Batch statistics depend on the composition of the batch. */
static bool uses_batch(const plan_op *op)
{
    return (op->layer->cls->flags & IA_LAYER_STATEFUL) && op->op.training;
}

static void note_end(ia_program *p, const plan_op *op)
{
    if (p->prefix_ends[0])
        return;
    if (op->random && !op->live)
        snprintf(p->prefix_ends, sizeof p->prefix_ends,
                 "'%.60s' is frozen, but its random mask stays active in training, as in Keras",
                 op->path);
    else if (op->random)
        snprintf(p->prefix_ends, sizeof p->prefix_ends, "'%.60s' is random in training", op->path);
    else
        snprintf(p->prefix_ends, sizeof p->prefix_ends, "'%.60s' is trainable", op->path);
}

static void mark_dynamic(ia_program *p)
{
    for (size_t o = 0; o < p->op_count; o++) {
        plan_op *op = &p->ops[o];
        bool own =
            op->random || uses_batch(op) || op->kind == PLAN_ACTIVITY || has_live_variable(p, op);
        bool below = false, grad = has_gradient(p, op) && p->mode == IA_RUN_TRAIN;
        for (size_t i = 0; i < op->in_count; i++) {
            below = below || p->values[op->in[i]].dynamic;
            grad = grad || p->values[op->in[i]].wants_grad;
        }
        op->dynamic = p->mode != IA_RUN_PREDICT && (own || below);
        if (op->dynamic && !below && op->kind != PLAN_ACTIVITY)
            note_end(p, op);
        p->values[op->out].dynamic = op->dynamic;
        p->values[op->out].wants_grad = grad;
    }
}

static inarch_status move_prefix(ia_program *p, inarch_error *err)
{
    plan_op *sorted = ia_calloc(p->op_count, sizeof *sorted);
    if (!sorted)
        return ia_fail_memory(err, "the program", p->op_count * sizeof *sorted);
    size_t n = 0;
    uint64_t random_index = 0;
    for (int dynamic = 0; dynamic < 2; dynamic++) {
        for (size_t o = 0; o < p->op_count; o++) {
            if (p->ops[o].dynamic != (dynamic == 1))
                continue;
            p->values[p->ops[o].out].producer = n;
            sorted[n++] = p->ops[o];
        }
        if (!dynamic)
            p->prefix_count = n;
    }
    for (size_t o = 0; o < n; o++)
        if (sorted[o].random)
            sorted[o].random_index = random_index++;
    ia_free(p->ops);
    p->ops = sorted;
    p->op_cap = p->op_count;
    return INARCH_OK;
}

static void add_frontier(ia_program *p, size_t value)
{
    size_t root = p->values[value].root;
    for (size_t i = 0; i < p->frontier_count; i++)
        if (p->frontier[i] == root)
            return;
    p->frontier[p->frontier_count++] = root;
}

/* Views have no bytes of their own, so the frontier names their roots. */
static inarch_status find_frontier(ia_program *p, inarch_error *err)
{
    p->frontier = ia_calloc(p->value_count, sizeof *p->frontier);
    if (!p->frontier)
        return ia_fail_memory(err, "the program", p->value_count * sizeof *p->frontier);
    for (size_t o = p->prefix_count; o < p->op_count; o++)
        for (size_t i = 0; i < p->ops[o].in_count; i++)
            if (!p->values[p->ops[o].in[i]].dynamic)
                add_frontier(p, p->ops[o].in[i]);
    for (size_t h = 0; h < p->head_count; h++) {
        if (!p->values[p->heads[h].value].dynamic)
            add_frontier(p, p->heads[h].value);
        if (p->heads[h].logits != PLAN_NONE && !p->values[p->heads[h].logits].dynamic)
            add_frontier(p, p->heads[h].logits);
    }
    for (size_t i = 0; i < p->fetched_count; i++)
        if (!p->values[p->fetched[i]].dynamic)
            add_frontier(p, p->fetched[i]);
    return INARCH_OK;
}

static inarch_status check_trainable(const ia_program *p, inarch_error *err)
{
    for (size_t h = 0; h < p->head_count; h++)
        if (p->values[p->heads[h].value].wants_grad)
            return INARCH_OK;
    return ia_fail(err, INARCH_BAD_ARGUMENT, "",
                   "unfreeze a layer, or add a new one on top (--add dense:1:sigmoid)",
                   "nothing to train: no trainable parameter leads to an output");
}

inarch_status plan_liveness(ia_program *p, inarch_error *err)
{
    mark_dynamic(p);
    if (p->mode == IA_RUN_TRAIN)
        IA_TRY(check_trainable(p, err));
    IA_TRY(move_prefix(p, err));
    return find_frontier(p, err);
}
