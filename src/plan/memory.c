/* Buffers: how long every value, gradient and scratch lives, and where it lies in one block of
 * memory.
 *
 * Time runs forward over the operations (0 .. n-1), is n while the loss writes the heads'
 * gradients, and runs back over the operations (operation o at 2n - o). Two buffers may share bytes
 * when their times do not meet. Offsets are found greedily, largest first. */
#include "plan/program.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

typedef struct block {
    size_t start, end; /* both inclusive */
    size_t size;       /* floats, a multiple of 16 */
    size_t offset;
    float **target; /* receives the address */
} block;

typedef struct layout {
    ia_program *p;
    block *blocks;
    size_t count, cap;
} layout;

static size_t back(const ia_program *p, size_t op)
{
    return 2 * p->op_count - op;
}

static size_t end_of_time(const ia_program *p)
{
    return 2 * p->op_count + 1;
}

static inarch_status add_block(layout *l, size_t start, size_t end, size_t rows, size_t size,
                               float **target, inarch_error *err)
{
    size_t floats, bytes;
    if (!ia_mul(rows, size, &floats) || !ia_add(floats, 15, &floats) ||
        !ia_mul(floats, sizeof(float), &bytes))
        return ia_fail(err, INARCH_LIMIT, "", "use a smaller batch",
                       "a batch of %zu rows needs more memory than there can be", l->p->rows);
    if (size == 0)
        return INARCH_OK;
    IA_TRY(ia_grow(&l->blocks, &l->cap, l->count, sizeof *l->blocks, "buffers", err));
    l->blocks[l->count++] = (block){start, end, floats & ~(size_t)15, 0, target};
    return INARCH_OK;
}

/* ---- values ---- */

static bool reads_x(const plan_op *op)
{
    return op->kind == PLAN_LAYER ? (op->layer->cls->reads & IA_READS_X) != 0
                                  : op->kind != PLAN_VIEW;
}

static bool reads_y(const plan_op *op)
{
    return op->kind == PLAN_LAYER ? (op->layer->cls->reads & IA_READS_Y) != 0
                                  : op->kind == PLAN_ACTIVATION;
}

static void pin(ia_program *p, size_t value)
{
    p->values[p->values[value].root].pinned = true;
}

static void pin_results(ia_program *p)
{
    for (size_t i = 0; i < p->input_count; i++)
        pin(p, p->inputs[i]);
    for (size_t i = 0; i < p->frontier_count; i++)
        pin(p, p->frontier[i]);
    for (size_t i = 0; i < p->fetched_count; i++)
        pin(p, p->fetched[i]);
    for (size_t h = 0; h < p->head_count; h++) {
        pin(p, p->heads[h].value);
        if (p->heads[h].logits != PLAN_NONE)
            pin(p, p->heads[h].logits);
    }
}

static void extend(size_t *last, size_t time)
{
    if (time > *last)
        *last = time;
}

static inarch_status place_values(layout *l, inarch_error *err)
{
    ia_program *p = l->p;
    size_t *last = ia_calloc(p->value_count, sizeof *last);
    if (!last)
        return ia_fail_memory(err, "the program", p->value_count * sizeof *last);
    for (size_t o = 0; o < p->op_count; o++) {
        const plan_op *op = &p->ops[o];
        for (size_t i = 0; i < op->in_count; i++) {
            extend(&last[p->values[op->in[i]].root], o);
            if (op->backward && reads_x(op))
                extend(&last[p->values[op->in[i]].root], back(p, o));
        }
        extend(&last[p->values[op->out].root], o);
        if (op->backward && reads_y(op))
            extend(&last[p->values[op->out].root], back(p, o));
    }
    inarch_status status = INARCH_OK;
    for (size_t v = 0; v < p->value_count && status == INARCH_OK; v++) {
        plan_value *value = &p->values[v];
        bool used = value->needed || value->pinned;
        if (value->root != v || !used)
            continue;
        size_t start = value->pinned ? 0 : value->producer;
        status = add_block(l, start, value->pinned ? end_of_time(p) : last[v], p->rows,
                           value->view.size, &value->view.data, err);
    }
    ia_free(last);
    return status;
}

/* ---- gradients ---- */

static size_t head_target(const plan_head *h)
{
    return h->logits != PLAN_NONE ? h->logits : h->value;
}

static bool takes_grad(const plan_variable *v)
{
    return v->is_live && !v->is_state;
}

/* How many gradients each value and variable collects, and which operations run backward. */
static void count_gradients(ia_program *p)
{
    for (size_t h = 0; h < p->head_count; h++)
        if (p->values[head_target(&p->heads[h])].wants_grad)
            p->values[head_target(&p->heads[h])].grads++;
    for (size_t o = p->op_count; o-- > 0;) {
        plan_op *op = &p->ops[o];
        const plan_value *out = &p->values[op->out];
        op->backward = out->wants_grad && (out->grads > 0 || op->kind == PLAN_ACTIVITY);
        if (!op->backward)
            continue;
        for (size_t i = 0; i < op->in_count; i++)
            if (p->values[op->in[i]].wants_grad)
                p->values[op->in[i]].grads++;
        for (size_t i = 0; i < op->variable_count; i++)
            if (takes_grad(&p->variables[op->variables[i]]))
                p->variables[op->variables[i]].grads++;
    }
    /* A view hands its gradient on when it is the only one. */
    for (size_t o = p->op_count; o-- > 0;) {
        const plan_op *op = &p->ops[o];
        if (op->backward && op->kind == PLAN_VIEW && p->values[op->in[0]].grads == 1)
            p->values[op->in[0]].grad_root = p->values[op->out].grad_root;
    }
}

/* The first gradient of a value goes straight to its buffer, later ones through an addend. */
static inarch_status place_addends(layout *l, size_t *seen, size_t *seen_variable,
                                   inarch_error *err)
{
    ia_program *p = l->p;
    for (size_t o = p->op_count; o-- > 0;) {
        plan_op *op = &p->ops[o];
        if (!op->backward)
            continue;
        for (size_t i = 0; i < op->in_count; i++) {
            const plan_value *v = &p->values[op->in[i]];
            if (v->wants_grad && seen[op->in[i]]++ > 0)
                IA_TRY(add_block(l, back(p, o), back(p, o), p->rows, v->view.size, &op->dx_add[i],
                                 err));
        }
        for (size_t i = 0; i < op->variable_count; i++) {
            const plan_variable *v = &p->variables[op->variables[i]];
            if (takes_grad(v) && seen_variable[op->variables[i]]++ > 0)
                IA_TRY(add_block(l, back(p, o), back(p, o), 1, v->live.count, &op->dw_add[i], err));
        }
    }
    return INARCH_OK;
}

static inarch_status place_heads(layout *l, size_t *seen, inarch_error *err)
{
    ia_program *p = l->p;
    for (size_t h = 0; h < p->head_count; h++) {
        size_t target = head_target(&p->heads[h]);
        p->heads[h].direct = p->values[target].wants_grad && seen[target]++ == 0;
        if (!p->heads[h].direct) /* a second head, or an output that nothing live leads to */
            IA_TRY(add_block(l, p->op_count, end_of_time(p), p->rows, p->values[target].view.size,
                             &p->heads[h].grad, err));
    }
    return INARCH_OK;
}

/* From the first gradient that arrives to the operation that made the value. */
static inarch_status place_value_gradients(layout *l, inarch_error *err)
{
    ia_program *p = l->p;
    size_t *first = ia_calloc(p->value_count, 2 * sizeof *first);
    if (!first)
        return ia_fail_memory(err, "the program", p->value_count * 2 * sizeof *first);
    size_t *last = first + p->value_count;
    for (size_t v = 0; v < p->value_count; v++)
        first[v] = end_of_time(p);
    for (size_t h = 0; h < p->head_count; h++)
        first[p->values[head_target(&p->heads[h])].grad_root] = p->op_count;
    for (size_t o = 0; o < p->op_count; o++) {
        const plan_op *op = &p->ops[o];
        for (size_t i = 0; op->backward && i < op->in_count; i++) {
            size_t *f = &first[p->values[op->in[i]].grad_root];
            *f = back(p, o) < *f ? back(p, o) : *f;
            extend(&last[p->values[op->in[i]].grad_root], back(p, o));
        }
        extend(&last[p->values[op->out].grad_root], back(p, o));
    }
    inarch_status status = INARCH_OK;
    for (size_t v = 0; v < p->value_count && status == INARCH_OK; v++) {
        plan_value *value = &p->values[v];
        if (value->grads && value->grad_root == v)
            status = add_block(l, first[v], last[v], p->rows, value->view.size, &value->grad, err);
    }
    ia_free(first);
    return status;
}

static inarch_status place_gradients(layout *l, inarch_error *err)
{
    ia_program *p = l->p;
    count_gradients(p);
    size_t *seen = ia_calloc(p->value_count + p->variable_count, sizeof *seen);
    if (!seen)
        return ia_fail_memory(err, "the program", p->value_count * sizeof *seen);
    inarch_status status = place_heads(l, seen, err);
    if (status == INARCH_OK)
        status = place_addends(l, seen, seen + p->value_count, err);
    if (status == INARCH_OK)
        status = place_value_gradients(l, err);
    ia_free(seen);
    return status;
}

/* ---- scratch of the layers ---- */

static inarch_status row_shapes(const ia_program *p, const plan_op *op, ia_shape **out,
                                inarch_error *err)
{
    *out = ia_calloc(op->in_count, sizeof **out);
    if (!*out)
        return ia_fail_memory(err, "shapes", op->in_count * sizeof **out);
    for (size_t i = 0; i < op->in_count; i++)
        (*out)[i] = p->values[op->in[i]].view.shape;
    return INARCH_OK;
}

static inarch_status place_scratch(layout *l, inarch_error *err)
{
    ia_program *p = l->p;
    for (size_t o = 0; o < p->op_count; o++) {
        plan_op *op = &p->ops[o];
        const ia_layer_class *cls = op->layer->cls;
        bool panels = p->mode == IA_RUN_TRAIN && op->variable_count &&
                      p->variables[op->variables[0]].live.panels;
        if (op->kind != PLAN_LAYER || !(cls->saved || cls->temp || panels))
            continue;
        ia_shape *in;
        IA_TRY(row_shapes(p, op, &in, err));
        /* A mask is drawn into `saved` even where no gradient comes back. */
        bool keeps = cls->saved && (p->mode == IA_RUN_TRAIN || op->op.training);
        size_t saved = keeps ? cls->saved(op->layer, in, op->in_count, p->rows) : 0;
        size_t temp = cls->temp ? cls->temp(op->layer, in, op->in_count, p->rows) : 0;
        size_t more = panels ? cls->panels_temp(op->layer, &p->exec, in, p->rows) : 0;
        ia_free(in);
        if (!ia_add(temp, more, &temp) || temp > SIZE_MAX / 8)
            return ia_fail_memory(err, "activations", SIZE_MAX);
        IA_TRY(add_block(l, o, op->backward ? back(p, o) : o, 1, saved, &op->op.saved, err));
        p->temp_size = temp > p->temp_size ? temp : p->temp_size;
    }
    return INARCH_OK;
}

/* ---- rows ---- */

#define BLOCK_FLOATS                                                                               \
    ((size_t)1 << 18)        /* what an operation reads and writes: a second-level cache */
#define BLOCK_ROWS_LEAST 192 /* that share one look at the weights */
#define BLOCK_ROWS_STEP 64

/* One row of all that an operation reads and writes. */
static size_t floats_of(const ia_program *p, const plan_op *op)
{
    size_t floats = p->values[op->out].view.size;
    for (size_t i = 0; i < op->in_count; i++)
        floats += p->values[op->in[i]].view.size;
    return floats;
}

/* Layer after layer goes over as many rows as stay in cache from one to the next. */
static void cut_rows(ia_program *p)
{
    size_t widest = 1, rows;
    for (size_t o = 0; o < p->op_count; o++) {
        size_t floats = floats_of(p, &p->ops[o]);
        widest = floats > widest ? floats : widest;
    }
    rows = BLOCK_FLOATS / widest / BLOCK_ROWS_STEP * BLOCK_ROWS_STEP;
    rows = rows > BLOCK_ROWS_LEAST ? rows : BLOCK_ROWS_LEAST;
    p->rows = p->rows < rows ? p->rows : rows;
}

/* ---- offsets ---- */

static int by_size(const void *a, const void *b)
{
    const block *x = a, *y = b;
    if (x->size != y->size)
        return x->size < y->size ? 1 : -1;
    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    return (uintptr_t)x->target < (uintptr_t)y->target ? -1 : x->target != y->target;
}

/* The lowest offset at which blocks[n] meets none of those placed before it. */
static size_t lowest_offset(const block *blocks, size_t n)
{
    const block *b = &blocks[n];
    size_t offset = 0;
    for (bool moved = true; moved;) {
        moved = false;
        for (size_t i = 0; i < n; i++) {
            const block *o = &blocks[i];
            bool meets = o->start <= b->end && b->start <= o->end && o->offset < offset + b->size &&
                         offset < o->offset + o->size;
            if (meets) {
                offset = o->offset + o->size;
                moved = true;
            }
        }
    }
    return offset;
}

static inarch_status place_blocks(layout *l, inarch_error *err)
{
    ia_program *p = l->p;
    if (l->count)
        qsort(l->blocks, l->count, sizeof *l->blocks, by_size);
    size_t total = 0;
    for (size_t i = 0; i < l->count; i++) {
        l->blocks[i].offset = lowest_offset(l->blocks, i);
        size_t end;
        if (!ia_add(l->blocks[i].offset, l->blocks[i].size, &end) || end > SIZE_MAX / 8)
            return ia_fail_memory(err, "activations", SIZE_MAX);
        total = end > total ? end : total;
    }
    p->memory = ia_calloc_aligned(total * sizeof(float));
    p->temp = ia_calloc_aligned(p->temp_size * sizeof(float));
    if (!p->memory || !p->temp)
        return ia_fail_memory(err, "activations", total * sizeof(float));
    p->memory_size = total;
    for (size_t i = 0; i < l->count; i++)
        *l->blocks[i].target = p->memory + l->blocks[i].offset;
    return INARCH_OK;
}

/* Views and heads take the addresses of what they share. */
static void share_addresses(ia_program *p)
{
    for (size_t v = 0; v < p->value_count; v++) {
        p->values[v].view.data = p->values[p->values[v].root].view.data;
        p->values[v].grad = p->values[p->values[v].grad_root].grad;
    }
    for (size_t h = 0; h < p->head_count; h++)
        if (p->heads[h].direct)
            p->heads[h].grad = p->values[head_target(&p->heads[h])].grad;
}

static inarch_status new_addends(ia_program *p, inarch_error *err)
{
    for (size_t o = 0; o < p->op_count; o++) {
        plan_op *op = &p->ops[o];
        op->dx_add = ia_calloc(op->in_count, sizeof *op->dx_add);
        op->dw_add = ia_calloc(op->variable_count, sizeof *op->dw_add);
        if (!op->dx_add || !op->dw_add)
            return ia_fail_memory(err, "the program", op->in_count * sizeof *op->dx_add);
    }
    return INARCH_OK;
}

inarch_status plan_memory(ia_program *p, inarch_error *err)
{
    layout l = {.p = p};
    if (p->options->blocks && p->mode != IA_RUN_TRAIN)
        cut_rows(p);
    pin_results(p);
    inarch_status status = new_addends(p, err);
    if (status == INARCH_OK && p->mode == IA_RUN_TRAIN)
        status = place_gradients(&l, err);
    if (status == INARCH_OK)
        status = place_values(&l, err);
    if (status == INARCH_OK)
        status = place_scratch(&l, err);
    if (status == INARCH_OK)
        status = place_blocks(&l, err);
    if (status == INARCH_OK)
        share_addresses(p);
    ia_free(l.blocks);
    return status;
}
