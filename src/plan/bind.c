/* Prepares what the layers' functions see, so that a step only sets the number of rows. */
#include "plan/program.h"

#include "base/alloc.h"

static inarch_status new_arrays(plan_op *op, inarch_error *err)
{
    op->views = ia_calloc(op->in_count, sizeof *op->views);
    op->dx = ia_calloc(op->in_count, sizeof *op->dx);
    op->weights = ia_calloc(op->variable_count, sizeof *op->weights);
    op->state = ia_calloc(op->variable_count, sizeof *op->state);
    op->dw = ia_calloc(op->variable_count, sizeof *op->dw);
    op->step = ia_calloc(op->variable_count, sizeof *op->step);
    op->panels = ia_calloc(op->variable_count, sizeof *op->panels);
    if (!op->views || !op->dx || !op->weights || !op->state || !op->dw || !op->step || !op->panels)
        return ia_fail_memory(err, "an operation", op->in_count * sizeof *op->views);
    return INARCH_OK;
}

static void bind_values(ia_program *p, plan_op *op)
{
    for (size_t i = 0; i < op->in_count; i++) {
        plan_value *v = &p->values[op->in[i]];
        op->views[i] = v->view;
        if (op->backward && v->wants_grad)
            op->dx[i] = op->dx_add[i] ? op->dx_add[i] : v->grad;
    }
    op->op.in = op->views;
    op->op.in_count = op->in_count;
    op->op.out = p->values[op->out].view;
    op->op.dy = p->values[op->out].grads ? p->values[op->out].grad : NULL;
    op->op.dx = op->dx;
}

static void bind_variables(ia_program *p, plan_op *op)
{
    bool updates = false;
    for (size_t i = 0; i < op->variable_count; i++) {
        const plan_variable *v = &p->variables[op->variables[i]];
        op->weights[i] = v->live.value;
        op->panels[i] = v->live.panels;
        if (p->mode != IA_RUN_TRAIN || !v->is_live)
            continue;
        if (v->is_state && op->op.training) {
            op->state[i] = v->live.value;
            updates = true;
        }
        if (op->backward && v->live.grad)
            op->dw[i] = op->dw_add[i] ? op->dw_add[i] : v->live.grad;
    }
    op->op.weights = op->weights;
    op->op.state = updates ? op->state : NULL;
    op->op.dw = op->dw;
    op->op.step = op->step;
    op->op.panels = op->panels;
}

/* Values that share the bytes of `root`. */
static bool shares(const ia_program *p, size_t value, size_t root)
{
    return p->values[value].root == root;
}

static bool has_result(const ia_program *p, size_t root)
{
    bool found = false;
    for (size_t h = 0; h < p->head_count; h++)
        found = found || shares(p, p->heads[h].value, root) ||
                (p->heads[h].logits != PLAN_NONE && shares(p, p->heads[h].logits, root));
    for (size_t i = 0; i < p->fetched_count; i++)
        found = found || shares(p, p->fetched[i], root);
    return found;
}

bool ia_program_lend(ia_program *p, size_t i, const float *data)
{
    size_t root = p->inputs[i];
    float *at = (float *)(uintptr_t)data; /* inputs are only read */
    if (p->values[root].view.data == at)
        return true;
    if (has_result(p, root))
        return false;
    for (size_t v = 0; v < p->value_count; v++)
        if (shares(p, v, root))
            p->values[v].view.data = at;
    for (size_t o = 0; o < p->op_count; o++) {
        plan_op *op = &p->ops[o];
        for (size_t k = 0; k < op->in_count; k++)
            op->views[k].data = p->values[op->in[k]].view.data;
        op->op.out.data = p->values[op->out].view.data;
    }
    return true;
}

inarch_status plan_bind(ia_program *p, inarch_error *err)
{
    for (size_t o = 0; o < p->op_count; o++) {
        plan_op *op = &p->ops[o];
        IA_TRY(new_arrays(op, err));
        op->op.layer = op->layer;
        op->op.config = op->layer->config;
        op->op.exec = &p->exec;
        op->op.temp = p->temp;
        bind_values(p, op);
        bind_variables(p, op);
    }
    return INARCH_OK;
}
