/* The objective of a batch: losses of the heads, regularisers, penalties, and their gradients. */
#include "train/objective.h"

#include "base/alloc.h"
#include "kernels/losses.h"

#include <string.h>

void ia_objective_free(ia_objective *o)
{
    for (size_t i = 0; i < o->penalty_count; i++) {
        ia_array_release(&o->penalties[i].anchor);
        ia_array_release(&o->penalties[i].importance);
    }
    ia_free(o->heads);
    ia_free(o->regularized);
    ia_free(o->penalties);
    memset(o, 0, sizeof *o);
}

/* ---- what ends an output ---- */

const ia_activation *ia_output_activation(const ia_model *m, size_t output)
{
    ia_ref at = m->outputs[output];
    const ia_layer *l = m->calls[at.call].layer;
    while (l->child) {
        m = l->child;
        at = m->outputs[at.output];
        l = m->calls[at.call].layer;
    }
    return l->cls->activation ? l->cls->activation(l) : NULL;
}

ia_logits ia_output_logits(const ia_model *m, size_t output)
{
    const ia_activation *a = ia_output_activation(m, output);
    if (a && strcmp(a->cls->name, "sigmoid") == 0)
        return IA_LOGITS_SIGMOID;
    if (a && strcmp(a->cls->name, "softmax") == 0)
        return IA_LOGITS_SOFTMAX;
    return IA_LOGITS_NONE;
}

/* ---- penalties ---- */

static inarch_status add_penalty(ia_objective *o, size_t live, const ia_array *anchor,
                                 double strength, inarch_error *err)
{
    ia_penalty *grown = ia_realloc(o->penalties, o->penalty_count + 1, sizeof *grown);
    if (!grown)
        return ia_fail_memory(err, "penalties", sizeof *grown);
    o->penalties = grown;
    grown[o->penalty_count++] =
        (ia_penalty){.live = live,
                     .anchor = anchor ? ia_array_ref(anchor) : (ia_array){0},
                     .strength = strength};
    return INARCH_OK;
}

static inarch_status find_regularized(ia_objective *o, const ia_program *p, inarch_error *err)
{
    size_t live = ia_program_live_count(p);
    o->regularized = ia_calloc(live, sizeof *o->regularized);
    if (!o->regularized)
        return ia_fail_memory(err, "penalties", live * sizeof *o->regularized);
    for (size_t i = 0; i < live; i++) {
        const ia_live *v = ia_program_live(p, i);
        if (v->grad && ia_regularizer_active(&ia_live_variable(v)->regularizer))
            o->regularized[o->regularized_count++] = i;
    }
    return INARCH_OK;
}

inarch_status ia_objective_add_l2_sp(ia_objective *o, const ia_program *p, double strength,
                                     double strength_new, inarch_error *err)
{
    IA_TRY(find_regularized(o, p, err));
    for (size_t i = 0; i < ia_program_live_count(p); i++) {
        const ia_live *live = ia_program_live(p, i);
        const ia_variable *v = ia_live_variable(live);
        bool loaded = v->loaded.buffer && ia_shape_equal(&v->loaded.shape, &v->value.shape);
        double s = loaded ? strength : strength_new;
        if (live->grad && s != 0)
            IA_TRY(add_penalty(o, i, loaded ? &v->loaded : NULL, s, err));
    }
    return INARCH_OK;
}

static const float *data_or_null(const ia_array *a)
{
    return a->buffer ? ia_array_data(a) : NULL;
}

static ia_penalty_rows penalty_rows(const ia_penalty *q, const ia_live *v)
{
    return (ia_penalty_rows){.w = v->value,
                             .anchor = data_or_null(&q->anchor),
                             .importance = data_or_null(&q->importance),
                             .scale = (float)(2 * q->strength),
                             .grad = v->grad};
}

double ia_objective_penalty(const ia_objective *o, const ia_program *p)
{
    double sum = 0;
    for (size_t i = 0; i < o->regularized_count; i++) {
        const ia_live *v = ia_program_live(p, o->regularized[i]);
        sum += ia_regularizer_loss(&ia_live_variable(v)->regularizer, v->count, v->value);
    }
    for (size_t i = 0; i < o->penalty_count; i++) {
        const ia_live *v = ia_program_live(p, o->penalties[i].live);
        ia_penalty_rows rows = penalty_rows(&o->penalties[i], v);
        sum += o->penalties[i].strength * ia_penalty_sum(ia_program_exec(p), &rows, v->count);
    }
    return sum;
}

void ia_objective_penalty_grad(const ia_objective *o, const ia_program *p)
{
    for (size_t i = 0; i < o->regularized_count; i++) {
        const ia_live *v = ia_program_live(p, o->regularized[i]);
        ia_regularizer_grad(&ia_live_variable(v)->regularizer, v->count, 1, v->value, v->grad);
    }
    for (size_t i = 0; i < o->penalty_count; i++) {
        const ia_live *v = ia_program_live(p, o->penalties[i].live);
        ia_penalty_rows rows = penalty_rows(&o->penalties[i], v);
        ia_penalty_grad(ia_program_exec(p), &rows, v->count);
    }
}

static inarch_status layer_penalty(void *context, const ia_model *m, ia_layer *l, const char *path,
                                   bool trainable, inarch_error *err)
{
    double *sum = context;
    (void)m, (void)path, (void)err;
    for (size_t i = 0; trainable && i < l->variable_count; i++) {
        const ia_variable *v = &l->variables[i];
        if (v->trainable && v->value.buffer && ia_regularizer_active(&v->regularizer))
            *sum += ia_regularizer_loss(&v->regularizer, ia_array_count(&v->value),
                                        ia_array_data(&v->value));
    }
    return INARCH_OK;
}

inarch_status ia_model_penalty(const ia_model *m, double *out, inarch_error *err)
{
    *out = 0;
    return ia_model_walk(m, layer_penalty, out, err);
}

/* ---- heads ---- */

double ia_head_loss(const ia_head *h, const ia_program *p, size_t rows, const float *target,
                    const float *weight, bool grad, double *temp)
{
    const ia_view *logits = ia_program_logits(p, h->output);
    size_t n = rows * h->samples;
    ia_loss_batch b = {.exec = ia_program_exec(p),
                       .samples = n,
                       .cols = h->cols,
                       .p = ia_program_output(p, h->output)->data,
                       .z = logits ? logits->data : NULL,
                       .last = h->logits,
                       .t = target,
                       .loss = temp,
                       .grad = grad ? ia_program_output_grad(p, h->output) : NULL,
                       .scale = h->weight / (double)n,
                       .weight = weight,
                       .per = h->samples};
    h->loss.cls->samples(&h->loss, &b);
    for (size_t r = 0; weight && r < rows; r++)
        for (size_t s = r * h->samples; s < (r + 1) * h->samples; s++)
            temp[s] *= (double)weight[r];
    return ia_sum_f64(n, temp) / (double)n;
}
