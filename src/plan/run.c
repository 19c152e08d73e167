/* Running a program: prefix, suffix, backward. Nothing here allocates or fails. */
#include "plan/program.h"

static void forward_activation(ia_program *p, const plan_op *op, size_t rows)
{
    const ia_view *z = &op->views[0];
    size_t cols = z->shape.rank ? (size_t)z->shape.dim[z->shape.rank - 1] : 1;
    ia_activate(&p->exec, op->activation, rows * z->size / (cols ? cols : 1), cols, z->data,
                op->op.out.data);
}

static void forward(ia_program *p, plan_op *op, size_t rows, uint64_t step)
{
    switch (op->kind) {
    case PLAN_VIEW:
        break;
    case PLAN_ACTIVITY:
        p->activity +=
            ia_regularizer_loss(op->activity, rows * op->views[0].size, op->views[0].data) /
            (double)rows;
        break;
    case PLAN_ACTIVATION:
        forward_activation(p, op, rows);
        break;
    case PLAN_LAYER:
        op->op.rows = rows;
        if (op->random)
            op->op.key = ia_random_key_of(p->seed, op->random_index, step);
        op->layer->cls->forward(&op->op);
        break;
    }
}

static size_t input_of(const ia_program *p, size_t value)
{
    size_t i = 0;
    while (i < p->input_count && p->inputs[i] != p->values[value].root)
        i++;
    return i;
}

bool ia_program_misfit(const ia_program *p, size_t rows, ia_misfit *out)
{
    for (size_t o = 0; o < p->op_count; o++) {
        const plan_op *op = &p->ops[o];
        if (op->kind != PLAN_LAYER || !op->layer->cls->choices)
            continue;
        size_t input = input_of(p, op->in[0]), width = op->views[0].size;
        double n = (double)op->layer->cls->choices(op->layer);
        for (size_t i = 0; input < p->input_count && i < rows * width; i++) {
            float x = op->views[0].data[i];
            if ((double)x > -n - 1 && (double)x < n) /* the part behind the point is cut off */
                continue;
            *out = (ia_misfit){input, i / width, i % width, x, op->path, (size_t)n};
            return true;
        }
    }
    return false;
}

void ia_program_prefix(ia_program *p, size_t rows)
{
    for (size_t o = 0; o < p->prefix_count; o++)
        forward(p, &p->ops[o], rows, 0);
}

void ia_program_suffix(ia_program *p, size_t rows, uint64_t step)
{
    p->activity = 0;
    for (size_t o = p->prefix_count; o < p->op_count; o++)
        forward(p, &p->ops[o], rows, step);
}

void ia_program_forward(ia_program *p, size_t rows, uint64_t step)
{
    ia_program_prefix(p, rows);
    ia_program_suffix(p, rows, step);
}

/* A view's gradient goes on to its input: the same buffer already, or a copy. */
static void backward_view(ia_program *p, const plan_op *op, size_t rows)
{
    size_t n = rows * op->views[0].size;
    float *dx = op->dx[0];
    if (dx && op->op.dy && dx != op->op.dy)
        ia_copy(&p->exec, n, op->op.dy, dx);
    if (op->kind != PLAN_ACTIVITY || !dx)
        return;
    if (!op->op.dy)
        ia_scale(&p->exec, n, 0.0f, op->views[0].data, dx);
    ia_regularizer_grad(op->activity, n, 1.0f / (float)rows, op->views[0].data, dx);
}

static void backward_activation(ia_program *p, const plan_op *op, size_t rows)
{
    const ia_view *z = &op->views[0];
    size_t cols = z->shape.rank ? (size_t)z->shape.dim[z->shape.rank - 1] : 1;
    ia_activate_dz(&p->exec, op->activation, rows * z->size / (cols ? cols : 1), cols, z->data,
                   op->op.out.data, op->op.dy, op->dx[0]);
}

static void backward(ia_program *p, plan_op *op, size_t rows)
{
    if (plan_is_view(op))
        backward_view(p, op, rows);
    else if (op->kind == PLAN_ACTIVATION)
        backward_activation(p, op, rows);
    else
        op->layer->cls->backward(&op->op);

    for (size_t i = 0; i < op->in_count; i++) {
        float *grad = p->values[op->in[i]].grad;
        if (op->dx_add[i])
            ia_map2(&p->exec, IA_ADD, rows * op->views[i].size, grad, op->dx_add[i], grad);
    }
    for (size_t i = 0; i < op->variable_count; i++) {
        const ia_live *v = &p->variables[op->variables[i]].live;
        if (op->dw_add[i])
            ia_map2(&p->exec, IA_ADD, v->count, v->grad, op->dw_add[i], v->grad);
    }
}

void ia_program_backward(ia_program *p, size_t rows)
{
    for (size_t h = 0; h < p->head_count; h++) {
        const plan_head *head = &p->heads[h];
        const plan_value *v = &p->values[head->logits != PLAN_NONE ? head->logits : head->value];
        if (!head->direct && v->wants_grad)
            ia_map2(&p->exec, IA_ADD, rows * v->view.size, v->grad, head->grad, v->grad);
    }
    for (size_t o = p->op_count; o-- > 0;)
        if (p->ops[o].backward)
            backward(p, &p->ops[o], rows);
}

double ia_program_activity(const ia_program *p)
{
    return p->activity;
}
