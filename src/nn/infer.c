/* Shape inference: every call's output shapes, and with them the variables of layers not built yet.
 *
 * A shape of rank -1 is unknown: it comes from an opaque layer and spreads upwards. A nested model
 * takes what its own InputLayer leaves open (None, or no shape at all) from the place where it is
 * called. */
#include "nn/model.h"

#include "base/alloc.h"

#include <string.h>

/* A nested model that is called twice, inside one that is called twice, ...: 30 levels are 2^30
 * calls. The largest known model has 1,200. */
#define MOST_CALLS (1u << 20)

static inarch_status infer_model(ia_model *m, const ia_shape *given, size_t given_count,
                                 size_t *calls, inarch_error *err);

/* Where `own` is open, `given` decides; elsewhere they must agree. */
static inarch_status merge_input(const ia_layer *l, const ia_shape *given, ia_shape *own,
                                 inarch_error *err)
{
    if (given->rank < 0)
        return INARCH_OK;
    if (own->rank < 0) {
        *own = *given;
        return INARCH_OK;
    }
    bool agree = own->rank == given->rank;
    for (int i = 0; agree && i < own->rank; i++) {
        if (own->dim[i] < 0)
            own->dim[i] = given->dim[i];
        else
            agree = given->dim[i] < 0 || own->dim[i] == given->dim[i];
    }
    if (agree)
        return INARCH_OK;
    char a[96], b[96];
    return ia_layer_fail(l, INARCH_BAD_FILE, err, "",
                         "takes rows of shape %s, but is called with %s",
                         ia_shape_text(own, a, sizeof a), ia_shape_text(given, b, sizeof b));
}

static bool any_unknown(const ia_shape *in, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (in[i].rank < 0)
            return true;
    return false;
}

static inarch_status check_input_count(const ia_layer *l, size_t n, inarch_error *err)
{
    size_t min = l->child ? l->child->input_count : l->cls->min_inputs;
    size_t max = l->child ? l->child->input_count : l->cls->max_inputs;
    if (n >= min && n <= max)
        return INARCH_OK;
    return ia_layer_fail(l, INARCH_BAD_FILE, err, "", "takes %s%zu input%s, but is called with %zu",
                         max > min ? "at least " : "", min, min == 1 ? "" : "s", n);
}

static inarch_status infer_nested(ia_call *c, const ia_shape *in, size_t *calls, inarch_error *err)
{
    ia_model *child = c->layer->child;
    IA_TRY(infer_model(child, in, c->in_count, calls, err));
    for (size_t i = 0; i < c->out_count; i++)
        c->out[i] = child->calls[child->outputs[i].call].out[child->outputs[i].output];
    c->layer->built = true;
    return INARCH_OK;
}

static inarch_status infer_call(ia_call *c, const ia_shape *in, size_t *calls, inarch_error *err)
{
    ia_layer *l = c->layer;
    if (++*calls > MOST_CALLS)
        return ia_fail(err, INARCH_LIMIT, l->name, "",
                       "the model makes more than %u calls, those inside nested models counted",
                       MOST_CALLS);
    if (l->cls->flags & IA_LAYER_OPAQUE)
        return INARCH_OK;
    IA_TRY(check_input_count(l, c->in_count, err));
    if (l->child)
        return infer_nested(c, in, calls, err);
    if (any_unknown(in, c->in_count))
        return INARCH_OK;
    if (!l->built && l->cls->build)
        IA_TRY(l->cls->build(l, in, c->in_count, err));
    l->built = true;
    if (l->cls->shape)
        return l->cls->shape(l, in, c->in_count, &c->out[0], err);
    if (c->in_count)
        c->out[0] = in[0];
    return INARCH_OK;
}

static size_t input_position(const ia_model *m, size_t call)
{
    size_t i = 0;
    while (i < m->input_count && m->inputs[i].call != call)
        i++;
    return i;
}

static inarch_status infer_model(ia_model *m, const ia_shape *given, size_t given_count,
                                 size_t *calls, inarch_error *err)
{
    size_t widest = 1;
    for (size_t c = 0; c < m->call_count; c++)
        widest = m->calls[c].in_count > widest ? m->calls[c].in_count : widest;
    ia_shape *in = ia_calloc(widest, sizeof *in);
    if (!in)
        return ia_fail_memory(err, "shapes", widest * sizeof *in);

    inarch_status status = INARCH_OK;
    for (size_t c = 0; c < m->call_count && status == INARCH_OK; c++) {
        ia_call *call = &m->calls[c];
        for (size_t i = 0; i < call->in_count; i++)
            in[i] = m->calls[call->in[i].call].out[call->in[i].output];
        for (size_t i = 0; i < call->out_count; i++)
            call->out[i].rank = -1;
        status = infer_call(call, in, calls, err);
        size_t position = input_position(m, c);
        if (status == INARCH_OK && position < given_count)
            status = merge_input(call->layer, &given[position], &call->out[0], err);
    }
    ia_free(in);
    return status;
}

inarch_status ia_model_infer(ia_model *m, inarch_error *err)
{
    size_t calls = 0;
    return infer_model(m, NULL, 0, &calls, err);
}
