/* From the document to a list of operations: nested models are inlined, a layer called twice
 * becomes two operations on the same variables (variables.c finds them), and activity regularisers
 * become operations of their own. */
#include "plan/program.h"

#include "base/alloc.h"

#include <string.h>

/* The place in the containment tree that is being flattened. */
typedef struct place {
    const ia_model *model;
    const char *path; /* "" at the top */
    bool live;
    int training; /* inherited call-time argument */
    float learning_rate;
} place;

/* The shape is passed by value: it often is that of another value, which growing the list moves. */
static inarch_status add_value(ia_program *p, const char *path, size_t producer, ia_shape shape,
                               size_t *out, inarch_error *err)
{
    IA_TRY(ia_grow(&p->values, &p->value_cap, p->value_count, sizeof *p->values, "values", err));
    plan_value v = {0};
    v.path = ia_strdup(path);
    if (!v.path)
        return ia_fail_memory(err, "a layer's path", 0);
    v.view.shape = shape;
    v.producer = producer;
    v.root = v.grad_root = p->value_count;
    *out = p->value_count;
    p->values[p->value_count++] = v;
    return INARCH_OK;
}

/* Appends an operation without variables. Takes copies of `path` and `in`. */
static inarch_status add_op(ia_program *p, plan_kind kind, ia_layer *l, const char *path, bool live,
                            const size_t *in, size_t in_count, plan_op **out, inarch_error *err)
{
    IA_TRY(ia_grow(&p->ops, &p->op_cap, p->op_count, sizeof *p->ops, "operations", err));
    plan_op op = {0};
    op.kind = kind;
    op.layer = l;
    op.live = live;
    op.path = ia_strdup(path);
    op.in = ia_calloc(in_count, sizeof *op.in);
    if (!op.path || !op.in) {
        ia_free(op.path);
        ia_free(op.in);
        return ia_fail_memory(err, "an operation", in_count * sizeof *op.in);
    }
    memcpy(op.in, in, in_count * sizeof *op.in);
    op.in_count = in_count;
    *out = &p->ops[p->op_count];
    p->ops[p->op_count++] = op;
    return INARCH_OK;
}

/* Training mode of a call: its own argument, else the one inherited, else the program's mode. A
 * frozen BatchNormalization never uses batch statistics, whatever the argument says (Keras 3). */
static bool training_mode(const ia_program *p, const ia_layer *l, bool live, int argument)
{
    if ((l->cls->flags & IA_LAYER_STATEFUL) && !live)
        return false;
    if ((l->cls->flags & IA_LAYER_RANDOM) && !live && p->frozen_dropout_off)
        return false;
    return argument == IA_TRAINING_UNSET ? p->mode == IA_RUN_TRAIN : argument != 0;
}

static plan_kind kind_of(const ia_layer *l, bool training)
{
    if (l->cls->flags & IA_LAYER_VIEW)
        return PLAN_VIEW;
    return (l->cls->flags & IA_LAYER_IDENTITY_OFF_TRAINING) && !training ? PLAN_VIEW : PLAN_LAYER;
}

static inarch_status output_shape(const ia_program *p, const ia_layer *l, const size_t *in,
                                  size_t in_count, ia_shape *out, inarch_error *err)
{
    out->rank = -1;
    if (l->cls->flags & IA_LAYER_OPAQUE)
        return INARCH_OK;
    ia_shape *shapes = ia_calloc(in_count, sizeof *shapes);
    if (!shapes)
        return ia_fail_memory(err, "shapes", in_count * sizeof *shapes);
    bool known = l->built;
    for (size_t i = 0; i < in_count; i++) {
        shapes[i] = p->values[in[i]].view.shape;
        known = known && shapes[i].rank >= 0;
    }
    inarch_status status = INARCH_OK;
    if (known && l->cls->shape)
        status = l->cls->shape(l, shapes, in_count, out, err);
    else if (known)
        *out = shapes[0];
    ia_free(shapes);
    return status;
}

/* The value of `value` with the layer's activity regulariser added to the loss. */
static inarch_status add_activity(ia_program *p, ia_layer *l, const char *path, bool live,
                                  size_t *value, inarch_error *err)
{
    const ia_regularizer *r = ia_layer_activity(l);
    if (!r || !ia_regularizer_active(r) || p->mode == IA_RUN_PREDICT)
        return INARCH_OK;
    plan_op *op;
    IA_TRY(add_op(p, PLAN_ACTIVITY, l, path, live, value, 1, &op, err));
    op->activity = r;
    size_t out;
    IA_TRY(add_value(p, path, p->op_count - 1, p->values[*value].view.shape, &out, err));
    p->ops[p->op_count - 1].out = out;
    p->values[out].root = p->values[*value].root;
    *value = out;
    return INARCH_OK;
}

static inarch_status flatten_layer(ia_program *p, const place *at, const ia_call *c,
                                   const char *path, const size_t *in, size_t *out,
                                   inarch_error *err)
{
    ia_layer *l = c->layer;
    bool live = at->live && l->trainable;
    int argument = c->training == IA_TRAINING_UNSET ? at->training : c->training;
    bool training = training_mode(p, l, live, argument);
    ia_shape shape;
    IA_TRY(output_shape(p, l, in, c->in_count, &shape, err));
    plan_op *op;
    IA_TRY(add_op(p, kind_of(l, training), l, path, live, in, c->in_count, &op, err));
    op->op.training = training;
    op->learning_rate = at->learning_rate * l->learning_rate;
    op->random = training && (l->cls->flags & IA_LAYER_RANDOM);
    size_t index = p->op_count - 1;
    IA_TRY(add_value(p, path, index, shape, out, err));
    p->ops[index].out = *out;
    if (p->ops[index].kind == PLAN_VIEW)
        p->values[*out].root = p->values[in[0]].root;
    return add_activity(p, l, path, live, out, err);
}

static inarch_status flatten_model(ia_program *p, const place *at, const size_t *in, size_t *out,
                                   inarch_error *err);

static inarch_status flatten_child(ia_program *p, const place *at, const ia_call *c,
                                   const char *path, const size_t *in, size_t *out,
                                   inarch_error *err)
{
    place inside = {.model = c->layer->child,
                    .path = path,
                    .live = at->live && c->layer->trainable,
                    .training = c->training == IA_TRAINING_UNSET ? at->training : c->training,
                    .learning_rate = at->learning_rate * c->layer->learning_rate};
    return flatten_model(p, &inside, in, out, err);
}

/* The value fetched under `path`: the first call's output. */
static void note_fetched(ia_program *p, const char *path, size_t value)
{
    for (size_t i = 0; i < p->fetched_count; i++)
        if (p->fetched[i] == PLAN_NONE && strcmp(p->options->fetch[i], path) == 0)
            p->fetched[i] = value;
}

typedef struct flat_calls {
    size_t **out; /* values of each call's outputs */
    size_t *in;   /* room for the widest call */
    size_t count;
} flat_calls;

static void flat_calls_free(flat_calls *f)
{
    for (size_t c = 0; f->out && c < f->count; c++)
        ia_free(f->out[c]);
    ia_free(f->out);
    ia_free(f->in);
}

static inarch_status flat_calls_new(const ia_model *m, flat_calls *f, inarch_error *err)
{
    size_t widest = 1;
    *f = (flat_calls){.out = ia_calloc(m->call_count, sizeof *f->out), .count = m->call_count};
    bool ok = f->out != NULL;
    for (size_t c = 0; ok && c < m->call_count; c++) {
        widest = m->calls[c].in_count > widest ? m->calls[c].in_count : widest;
        ok = (f->out[c] = ia_calloc(m->calls[c].out_count, sizeof **f->out)) != NULL;
    }
    if (ok)
        ok = (f->in = ia_calloc(widest, sizeof *f->in)) != NULL;
    return ok ? INARCH_OK : ia_fail_memory(err, "the program", m->call_count);
}

static size_t input_position(const ia_model *m, size_t call)
{
    size_t i = 0;
    while (i < m->input_count && m->inputs[i].call != call)
        i++;
    return i;
}

static inarch_status flatten_calls(ia_program *p, const place *at, const size_t *in, flat_calls *f,
                                   inarch_error *err)
{
    const ia_model *m = at->model;
    for (size_t c = 0; c < m->call_count; c++) {
        const ia_call *call = &m->calls[c];
        char *path = *at->path ? ia_asprintf("%s/%s", at->path, call->layer->name)
                               : ia_strdup(call->layer->name);
        if (!path)
            return ia_fail_memory(err, "a layer's path", 0);
        for (size_t i = 0; i < call->in_count; i++)
            f->in[i] = f->out[call->in[i].call][call->in[i].output];
        inarch_status status = INARCH_OK;
        size_t position = input_position(m, c);
        if (position < m->input_count)
            f->out[c][0] = in[position];
        else if (call->layer->child)
            status = flatten_child(p, at, call, path, f->in, f->out[c], err);
        else
            status = flatten_layer(p, at, call, path, f->in, f->out[c], err);
        if (status == INARCH_OK)
            note_fetched(p, path, f->out[c][0]);
        ia_free(path);
        IA_TRY(status);
    }
    return INARCH_OK;
}

/* `in` are the values of the model's inputs; `out` receives those of its outputs. */
static inarch_status flatten_model(ia_program *p, const place *at, const size_t *in, size_t *out,
                                   inarch_error *err)
{
    flat_calls f;
    inarch_status status = flat_calls_new(at->model, &f, err);
    if (status == INARCH_OK)
        status = flatten_calls(p, at, in, &f, err);
    for (size_t i = 0; status == INARCH_OK && i < at->model->output_count; i++)
        out[i] = f.out[at->model->outputs[i].call][at->model->outputs[i].output];
    flat_calls_free(&f);
    return status;
}

static inarch_status flatten_inputs(ia_program *p, const ia_model *m, inarch_error *err)
{
    for (size_t i = 0; i < m->input_count; i++) {
        const ia_call *c = &m->calls[m->inputs[i].call];
        IA_TRY(add_value(p, c->layer->name, PLAN_NONE, c->out[0], &p->inputs[i], err));
    }
    return INARCH_OK;
}

static inarch_status new_lists(ia_program *p, const ia_model *m, inarch_error *err)
{
    const ia_program_options *o = p->options;
    p->input_count = m->input_count;
    p->head_count = o->fetch_only ? 0 : m->output_count;
    p->fetched_count = o->fetch_count;
    p->inputs = ia_calloc(m->input_count, sizeof *p->inputs);
    p->heads = ia_calloc(m->output_count, sizeof *p->heads);
    p->fetched = ia_calloc(o->fetch_count, sizeof *p->fetched);
    if (!p->inputs || !p->heads || !p->fetched)
        return ia_fail_memory(err, "the program", m->output_count * sizeof *p->heads);
    for (size_t i = 0; i < o->fetch_count; i++)
        p->fetched[i] = PLAN_NONE;
    return INARCH_OK;
}

inarch_status plan_flatten(ia_program *p, const ia_model *m, inarch_error *err)
{
    IA_TRY(new_lists(p, m, err));
    IA_TRY(flatten_inputs(p, m, err));
    size_t *out = ia_calloc(m->output_count, sizeof *out);
    if (!out)
        return ia_fail_memory(err, "the program", m->output_count * sizeof *out);
    place top = {
        .model = m, .path = "", .live = true, .training = IA_TRAINING_UNSET, .learning_rate = 1};
    inarch_status status = flatten_model(p, &top, p->inputs, out, err);
    for (size_t i = 0; i < p->head_count; i++)
        p->heads[i] = (plan_head){.value = out[i], .logits = PLAN_NONE};
    ia_free(out);
    IA_TRY(status);
    for (size_t i = 0; i < p->fetched_count; i++)
        if (p->fetched[i] == PLAN_NONE)
            return ia_fail(err, INARCH_NOT_FOUND, p->options->fetch[i],
                           "show lists the layers of a model", "there is no layer '%s'",
                           p->options->fetch[i]);
    return INARCH_OK;
}
