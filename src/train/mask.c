/* Follows masks from where they arise to the outputs, through layers that hand them on. */
#include "train/mask.h"

#include "base/alloc.h"

#include <string.h>

#define NO_PORT SIZE_MAX
#define ROWS 64 /* looked at together */

/* What a call gives: the layer whose mask it carries, and the model's input it (or, with a mask,
 * that layer's input) is. */
typedef struct masked_value {
    const ia_layer *origin; /* NULL: no mask */
    size_t port;
} masked_value;

typedef struct mask_search {
    bool training;
    masked_value found; /* the first that changes numbers */
} mask_search;

/* Layers that Keras says do not support masks: they end one. */
static bool ends_masks(const ia_layer *l)
{
    static const char *const names[] = {"Flatten", "Reshape", "Permute", "RepeatVector",
                                        "Embedding"};
    for (size_t i = 0; i < IA_COUNT(names); i++)
        if (strcmp(l->cls->name, names[i]) == 0)
            return true;
    return false;
}

static const ia_field *field_of(const ia_layer *l, const char *layer, const char *key)
{
    return strcmp(l->cls->name, layer) == 0
               ? ia_field_find(l->cls->fields, l->cls->field_count, key)
               : NULL;
}

static bool makes_mask(const ia_layer *l)
{
    const ia_field *zero = field_of(l, "Embedding", "mask_zero");
    return field_of(l, "Masking", "mask_value") ||
           (zero && *(const int *)((const char *)l->config + zero->offset));
}

static void note(mask_search *s, const masked_value *v)
{
    if (v->origin && !s->found.origin)
        s->found = *v;
}

static masked_value layer_value(mask_search *s, const ia_call *c, const masked_value *values)
{
    masked_value v = {NULL, NO_PORT};
    for (size_t i = 0; i < c->in_count && !v.origin; i++)
        if (values[c->in[i].call].origin)
            v = values[c->in[i].call];
    if (s->training && c->layer->trainable &&
        strcmp(c->layer->cls->name, "BatchNormalization") == 0)
        note(s, &v);
    if (makes_mask(c->layer) && c->in_count == 1)
        return (masked_value){c->layer, values[c->in[0].call].port};
    return ends_masks(c->layer) ? (masked_value){NULL, NO_PORT} : v;
}

/* `in`: of the model's inputs. *out: the first output with a mask, else the first. */
static inarch_status follow(mask_search *s, const ia_model *m, const masked_value *in,
                            masked_value *out, inarch_error *err)
{
    inarch_status status = INARCH_OK;
    masked_value *values = ia_calloc(m->call_count, sizeof *values);
    if (!values)
        return ia_fail_memory(err, "masks", m->call_count * sizeof *values);
    for (size_t i = 0; i < m->input_count; i++)
        values[m->inputs[i].call] = in[i];
    for (size_t c = 0; c < m->call_count && status == INARCH_OK; c++) {
        const ia_call *call = &m->calls[c];
        if (call->layer->cls->flags & IA_LAYER_INPUT)
            continue;
        if (!call->layer->child) {
            values[c] = layer_value(s, call, values);
            continue;
        }
        masked_value *inside = ia_calloc(call->in_count, sizeof *inside);
        if (!inside)
            status = ia_fail_memory(err, "masks", call->in_count * sizeof *inside);
        for (size_t i = 0; inside && i < call->in_count; i++)
            inside[i] = values[call->in[i].call];
        if (inside)
            status = follow(s, call->layer->child, inside, &values[c], err);
        ia_free(inside);
    }
    *out = values[m->outputs[0].call];
    for (size_t o = 0; o < m->output_count && !out->origin; o++)
        *out = values[m->outputs[o].call];
    ia_free(values);
    return status;
}

/* Whether a vector of the model's input is masked: all of it is the mask's value. */
static inarch_status hides(const masked_value *v, const ia_data *d, size_t width, float value,
                           bool *out, inarch_error *err)
{
    size_t rows = ia_data_rows(d), n = ia_data_input_count(d, v->port);
    uint64_t list[ROWS];
    float *x = ia_calloc(n, ROWS * sizeof *x);
    inarch_status status = x ? INARCH_OK : ia_fail_memory(err, "rows", n * ROWS * sizeof *x);
    for (size_t at = 0; at < rows && status == INARCH_OK && !*out; at += ROWS) {
        size_t block = rows - at < ROWS ? rows - at : ROWS;
        for (size_t r = 0; r < block; r++)
            list[r] = at + r;
        status = ia_data_gather(d, list, block, v->port, x, err);
        for (size_t i = 0; i < block * n && status == INARCH_OK && !*out; i += width) {
            size_t same = 0;
            while (same < width && x[i + same] == value)
                same++;
            *out = same == width;
        }
    }
    ia_free(x);
    return status;
}

static inarch_status data_hides(const ia_model *m, const masked_value *v, const ia_data *d,
                                bool *out, inarch_error *err)
{
    const ia_field *f = field_of(v->origin, "Masking", "mask_value");
    *out = v->port == NO_PORT; /* of a value in between: not looked at */
    if (*out)
        return INARCH_OK;
    if (!f)
        return hides(v, d, 1, 0, out, err);
    const ia_shape *shape = &m->calls[m->inputs[v->port].call].out[0];
    size_t n = ia_data_input_count(d, v->port), width = n;
    if (shape->rank > 0 && shape->dim[shape->rank - 1] > 0)
        width = (size_t)shape->dim[shape->rank - 1];
    float value = *(const float *)(const void *)((const char *)v->origin->config + f->offset);
    return n % width ? INARCH_OK : hides(v, d, width, value, out, err);
}

inarch_status ia_mask_check(const ia_model *m, const ia_data *d, bool training, inarch_error *err)
{
    mask_search s = {.training = training};
    masked_value out, *in = ia_calloc(m->input_count, sizeof *in);
    bool any = false;
    if (!in)
        return ia_fail_memory(err, "masks", m->input_count * sizeof *in);
    for (size_t i = 0; i < m->input_count; i++)
        in[i].port = i;
    inarch_status status = follow(&s, m, in, &out, err);
    ia_free(in);
    IA_TRY(status);
    note(&s, &out);
    if (s.found.origin)
        IA_TRY(data_hides(m, &s.found, d, &any, err));
    if (!any)
        return INARCH_OK;
    return ia_fail(err, INARCH_UNSUPPORTED, s.found.origin->name,
                   "leave such rows out of the data, or the mask out of the model",
                   "layer '%s' masks values that Keras leaves out of the loss, which is not done "
                   "yet",
                   s.found.origin->name);
}
