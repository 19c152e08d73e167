/* The objective of a batch: losses of the heads, regularisers, penalties, and their gradients. */
#include "train/objective.h"

#include "base/alloc.h"

#include <string.h>

void ia_objective_free(ia_objective *o)
{
    for (size_t i = 0; i < o->penalty_count; i++) {
        ia_array_release(&o->penalties[i].anchor);
        ia_array_release(&o->penalties[i].importance);
    }
    ia_free(o->heads);
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

inarch_status ia_objective_add_l2_sp(ia_objective *o, const ia_program *p, double strength,
                                     double strength_new, inarch_error *err)
{
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

#define LANES 16

static const float *data_or_null(const ia_array *a)
{
    return a->buffer ? ia_array_data(a) : NULL;
}

/* sum_i importance_i (w_i - anchor_i)^2 in 16 lanes, added in order. */
static double penalty_sum(const ia_penalty *q, const ia_live *v)
{
    const float *anchor = data_or_null(&q->anchor), *importance = data_or_null(&q->importance);
    double lane[LANES] = {0}, sum = 0;
    for (size_t i = 0; i < v->count; i++) {
        double d = (double)v->value[i] - (anchor ? (double)anchor[i] : 0);
        lane[i % LANES] += d * d * (importance ? (double)importance[i] : 1);
    }
    for (size_t j = 0; j < LANES; j++)
        sum += lane[j];
    return sum;
}

static void penalty_grad(const ia_penalty *q, const ia_live *v)
{
    const float *anchor = data_or_null(&q->anchor), *importance = data_or_null(&q->importance);
    float scale = (float)(2 * q->strength);
    for (size_t i = 0; i < v->count; i++) {
        float d = v->value[i] - (anchor ? anchor[i] : 0);
        v->grad[i] += scale * (importance ? importance[i] * d : d);
    }
}

double ia_objective_penalty(const ia_objective *o, const ia_program *p)
{
    double sum = 0;
    for (size_t i = 0; i < ia_program_live_count(p); i++) {
        const ia_live *live = ia_program_live(p, i);
        const ia_regularizer *r = &ia_live_variable(live)->regularizer;
        if (live->grad && ia_regularizer_active(r))
            sum += ia_regularizer_loss(r, live->count, live->value);
    }
    for (size_t i = 0; i < o->penalty_count; i++)
        sum += o->penalties[i].strength *
               penalty_sum(&o->penalties[i], ia_program_live(p, o->penalties[i].live));
    return sum;
}

void ia_objective_penalty_grad(const ia_objective *o, const ia_program *p)
{
    for (size_t i = 0; i < ia_program_live_count(p); i++) {
        const ia_live *live = ia_program_live(p, i);
        const ia_regularizer *r = &ia_live_variable(live)->regularizer;
        if (live->grad && ia_regularizer_active(r))
            ia_regularizer_grad(r, live->count, 1, live->value, live->grad);
    }
    for (size_t i = 0; i < o->penalty_count; i++)
        penalty_grad(&o->penalties[i], ia_program_live(p, o->penalties[i].live));
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

/* The gradient of the mean: times the row's weight and the head's, over the samples. */
static void scale_grad(const ia_head *h, size_t rows, const float *weight, float *grad)
{
    size_t width = h->samples * h->cols;
    double n = (double)(rows * h->samples);
    for (size_t r = 0; r < rows; r++) {
        double w = h->weight * (weight ? (double)weight[r] : 1);
        for (size_t i = r * width; i < (r + 1) * width; i++)
            grad[i] = (float)((double)grad[i] * w / n);
    }
}

double ia_head_loss(const ia_head *h, const ia_program *p, size_t rows, const float *target,
                    const float *weight, bool grad, double *temp)
{
    const ia_view *logits = ia_program_logits(p, h->output);
    float *g = grad ? ia_program_output_grad(p, h->output) : NULL;
    size_t n = rows * h->samples;
    h->loss.cls->samples(&h->loss, n, h->cols, ia_program_output(p, h->output)->data,
                         logits ? logits->data : NULL, target, temp, g);
    for (size_t s = 0; weight && s < n; s++)
        temp[s] *= (double)weight[s / h->samples];
    if (g)
        scale_grad(h, rows, weight, g);
    return ia_sum_f64(n, temp) / (double)n;
}
