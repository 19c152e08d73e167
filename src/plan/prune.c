/* Heads that are run from logits get their last activation as an operation of its own; then what no
 * head and no fetched value needs is dropped, and what is needed but cannot be computed is refused.
 */
#include "plan/program.h"

#include "base/alloc.h"

#include <string.h>

void plan_op_release(plan_op *op)
{
    ia_free(op->path);
    ia_free(op->in);
    ia_free(op->variables);
    ia_free(op->dx_add);
    ia_free(op->dw_add);
    ia_free(op->views);
    ia_free(op->weights);
    ia_free(op->state);
    ia_free(op->dx);
    ia_free(op->dw);
    ia_free(op->step);
    ia_free(op->panels);
}

static bool takes_apart(ia_logits wanted, const ia_activation *a)
{
    const char *name = wanted == IA_LOGITS_SIGMOID ? "sigmoid" : "softmax";
    return a && strcmp(a->cls->name, name) == 0;
}

/* Makes room for one operation at `at`; values keep pointing at their producers. */
static inarch_status insert_op(ia_program *p, size_t at, inarch_error *err)
{
    IA_TRY(ia_grow(&p->ops, &p->op_cap, p->op_count, sizeof *p->ops, "operations", err));
    memmove(&p->ops[at + 1], &p->ops[at], (p->op_count - at) * sizeof *p->ops);
    memset(&p->ops[at], 0, sizeof p->ops[at]);
    p->op_count++;
    for (size_t v = 0; v < p->value_count; v++)
        if (p->values[v].producer != PLAN_NONE && p->values[v].producer >= at)
            p->values[v].producer++;
    return INARCH_OK;
}

/* op: x -> y with activation becomes op: x -> z without, activation: z -> y. */
static inarch_status split_activation(ia_program *p, size_t index, const ia_activation *a,
                                      size_t *logits, inarch_error *err)
{
    size_t y = p->ops[index].out;
    IA_TRY(ia_grow(&p->values, &p->value_cap, p->value_count, sizeof *p->values, "values", err));
    IA_TRY(insert_op(p, index + 1, err));
    plan_op *op = &p->ops[index], *act = &p->ops[index + 1];
    size_t z = p->value_count;
    act->kind = PLAN_ACTIVATION;
    act->layer = op->layer;
    act->live = op->live;
    act->activation = a;
    act->path = ia_strdup(op->path);
    act->in = ia_calloc(1, sizeof *act->in);
    char *path = ia_strdup(op->path);
    if (!act->path || !act->in || !path) {
        ia_free(path);
        return ia_fail_memory(err, "an operation", sizeof *act);
    }
    p->values[z] = (plan_value){
        .path = path, .view = p->values[y].view, .producer = index, .root = z, .grad_root = z};
    p->value_count++;
    act->in[0] = z;
    act->in_count = 1;
    act->out = y;
    p->values[y].producer = index + 1;
    op->out = z;
    op->op.no_activation = 1;
    *logits = z;
    return INARCH_OK;
}

/* The operation that computes `value`, seen through activity regularisers; PLAN_NONE for an input.
 */
static size_t maker(const ia_program *p, size_t value)
{
    size_t op = p->values[value].producer;
    while (op != PLAN_NONE && p->ops[op].kind == PLAN_ACTIVITY)
        op = p->values[p->ops[op].in[0]].producer;
    return op;
}

inarch_status plan_split_heads(ia_program *p, inarch_error *err)
{
    for (size_t h = 0; p->options->logits && h < p->head_count; h++) {
        ia_logits wanted = p->options->logits[h];
        size_t index = maker(p, p->heads[h].value);
        if (wanted == IA_LOGITS_NONE || index == PLAN_NONE)
            continue;
        const plan_op *op = &p->ops[index];
        if (op->kind == PLAN_ACTIVATION && takes_apart(wanted, op->activation)) {
            p->heads[h].logits = op->in[0]; /* split for another head already */
            continue;
        }
        const ia_layer_class *cls = op->layer->cls;
        const ia_activation *a = cls->activation ? cls->activation(op->layer) : NULL;
        if (op->kind != PLAN_LAYER || !takes_apart(wanted, a))
            continue;
        if (cls->flags & IA_LAYER_ACTIVATION_ONLY)
            p->heads[h].logits = op->in[0];
        else
            IA_TRY(split_activation(p, index, a, &p->heads[h].logits, err));
    }
    return INARCH_OK;
}

static void mark_needed(ia_program *p)
{
    for (size_t h = 0; h < p->head_count; h++)
        p->values[p->heads[h].value].needed = true;
    for (size_t i = 0; i < p->fetched_count; i++)
        p->values[p->fetched[i]].needed = true;
    for (size_t o = p->op_count; o-- > 0;) {
        plan_op *op = &p->ops[o];
        op->needed = p->values[op->out].needed;
        for (size_t i = 0; op->needed && i < op->in_count; i++)
            p->values[op->in[i]].needed = true;
    }
}

static inarch_status check_computable(const plan_op *op, inarch_error *err)
{
    const ia_layer *l = op->layer;
    if (!(l->cls->flags & IA_LAYER_OPAQUE))
        return INARCH_OK;
    return ia_fail(err, INARCH_UNSUPPORTED, op->path,
                   "cut below it, or take the features of a layer below it",
                   "layer '%s' (%s) cannot be computed yet", op->path, l->class_name);
}

static inarch_status check_shape(plan_value *v, inarch_error *err)
{
    if (v->view.shape.rank >= 0 && ia_shape_count(&v->view.shape, &v->view.size))
        return INARCH_OK;
    char text[96];
    return ia_fail(
        err, INARCH_UNSUPPORTED, v->path, "",
        "layer '%s' gives rows of shape %s; dimensions other than the batch must be known", v->path,
        ia_shape_text(&v->view.shape, text, sizeof text));
}

inarch_status plan_prune(ia_program *p, inarch_error *err)
{
    mark_needed(p);
    /* Opaque layers first: an unknown shape above one is only their consequence. */
    for (size_t o = 0; o < p->op_count; o++)
        if (p->ops[o].needed)
            IA_TRY(check_computable(&p->ops[o], err));
    size_t kept = 0;
    for (size_t o = 0; o < p->op_count; o++) {
        if (!p->ops[o].needed) {
            plan_op_release(&p->ops[o]);
            continue;
        }
        p->values[p->ops[o].out].producer = kept;
        p->ops[kept++] = p->ops[o];
    }
    p->op_count = kept;
    for (size_t v = 0; v < p->value_count; v++)
        if (p->values[v].needed || p->values[v].producer == PLAN_NONE)
            IA_TRY(check_shape(&p->values[v], err));
    return INARCH_OK;
}
