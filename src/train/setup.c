/* From options or the compile state to heads: loss, weight, metrics and targets of each output. */
#include "train/setup.h"

#include "base/alloc.h"
#include "base/text.h"
#include "train/setup_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void describe_output(const setup_state *t, size_t output, ia_head *h)
{
    const ia_ref *ref = &t->m->outputs[output];
    const ia_shape *shape = &t->m->calls[ref->call].out[ref->output];
    size_t count = 1;
    *h = (ia_head){.output = output, .target = output, .weight = 1};
    snprintf(h->name, sizeof h->name, "%s", t->names[output]);
    ia_shape_count(shape, &count);
    h->cols = shape->rank > 0 ? (size_t)shape->dim[shape->rank - 1] : 1;
    h->samples = h->cols ? count / h->cols : 0;
}

static inarch_status check_shape(const setup_state *t, const ia_head *h, inarch_error *err)
{
    const ia_ref *ref = &t->m->outputs[h->output];
    const ia_shape *shape = &t->m->calls[ref->call].out[ref->output];
    size_t count;
    if (shape->rank > 0 && ia_shape_count(shape, &count) && count > 0)
        return INARCH_OK;
    char text[96];
    return ia_fail(err, INARCH_UNSUPPORTED, h->name, "cut below it, or add a new output",
                   "output '%s' has the shape %s: a loss needs known dimensions", h->name,
                   shape->rank < 0 ? "unknown" : ia_shape_text(shape, text, sizeof text));
}

/* ---- loss ---- */

static inarch_status option_loss(const setup_state *t, ia_head *h, inarch_error *err)
{
    char spec[SETUP_TEXT];
    IA_TRY(setup_item_for(t, t->s->loss, "loss", h->output, spec, err));
    if (!*spec)
        return ia_fail(err, INARCH_BAD_ARGUMENT, h->name, "write out1=LOSS,out2=LOSS",
                       "no loss is named for output '%s'", h->name);
    return ia_loss_from_text(spec, &h->loss, err);
}

/* A softmax over one unit is 1 whatever the weights: such a loss is 0 and teaches nothing. */
static inarch_status check_loss(const ia_head *h, inarch_error *err)
{
    if (h->cols > 1 || h->loss.cls->logits != IA_LOGITS_SOFTMAX)
        return INARCH_OK;
    return ia_fail(
        err, INARCH_BAD_ARGUMENT, h->name,
        "one unit tells two classes apart by --loss binary_crossentropy, behind a sigmoid",
        "loss '%s' needs two units or more, but output '%s' has one", h->loss.cls->name, h->name);
}

static inarch_status find_loss(setup_state *t, ia_head *h, inarch_error *err)
{
    const json_t *json = NULL;
    if (t->s->compiled && t->m->compile.loss)
        json = setup_json_for(t->m->compile.loss, t->names, t->outputs, h->output);
    if (t->s->loss) {
        t->origin = "option";
        return option_loss(t, h, err);
    }
    if (json && !json_is_null(json)) {
        t->origin = "file";
        inarch_status status = ia_loss_from_json(json, &h->loss, err);
        if (status != INARCH_OK)
            ia_error_hint(err, "the file was compiled with it; name another with --loss");
        return status;
    }
    t->origin = "head and labels";
    return setup_default_loss(t->m, h, t->d, &h->loss, err);
}

static inarch_status option_weight(const setup_state *t, ia_head *h, inarch_error *err)
{
    char number[SETUP_TEXT];
    IA_TRY(setup_item_for(t, t->s->loss_weights, "loss_weights", h->output, number, err));
    if (*number && (!ia_parse_double(number, strlen(number), &h->weight) || !isfinite(h->weight)))
        return ia_fail(err, INARCH_BAD_ARGUMENT, "loss_weights", "write 1,0.5 or name=0.5",
                       "the loss weight '%.60s' is no number", number);
    return INARCH_OK;
}

static inarch_status find_weight(const setup_state *t, ia_head *h, inarch_error *err)
{
    const json_t *json = t->s->compiled ? t->m->compile.loss_weights : NULL;
    if (t->s->loss_weights)
        return option_weight(t, h, err);
    if (json)
        ia_json_number(setup_json_for(json, t->names, t->outputs, h->output), &h->weight);
    return INARCH_OK;
}

/* ---- all of it ---- */

static inarch_status setup_head(setup_state *t, size_t output, inarch_error *err)
{
    ia_head *h = &t->o->heads[t->o->head_count];
    describe_output(t, output, h);
    IA_TRY(check_shape(t, h, err));
    IA_TRY(find_loss(t, h, err));
    IA_TRY(check_loss(h, err));
    IA_TRY(find_weight(t, h, err));
    IA_TRY(setup_encoding(h, t->d, err));
    IA_TRY(setup_metrics(t, h, err));
    if (h->loss.cls->logits != IA_LOGITS_NONE)
        h->logits = ia_output_logits(t->m, output);
    if (t->d)
        IA_TRY(setup_check_labels(h, t->d, t->s->training, err));
    t->o->head_count++;
    return INARCH_OK;
}

static inarch_status check_text(const setup_state *t, const char *text, const char *what,
                                inarch_error *err)
{
    if (!text)
        return INARCH_OK;
    if (strlen(text) >= SETUP_TEXT)
        return ia_fail(err, INARCH_LIMIT, what, "",
                       "%s: a text of %zu characters is too long, %d are read", what, strlen(text),
                       SETUP_TEXT - 1);
    return setup_text_check(text, t->names, t->outputs, what, err);
}

static inarch_status check_texts(const setup_state *t, inarch_error *err)
{
    IA_TRY(check_text(t, t->s->loss, "the loss", err));
    IA_TRY(check_text(t, t->s->metrics, "the metrics", err));
    IA_TRY(check_text(t, t->s->weighted_metrics, "the metrics", err));
    return check_text(t, t->s->loss_weights, "the loss weights", err);
}

static inarch_status check_targets(const ia_model *m, const ia_data *d, inarch_error *err)
{
    size_t have = ia_data_targets(d);
    if (have == m->output_count)
        return INARCH_OK;
    if (have == 0)
        return ia_fail(err, INARCH_BAD_DATA, ia_data_name(d),
                       "name the labels: --labels COLUMN or --labels FILE", "there are no labels");
    return ia_fail(err, INARCH_BAD_DATA, ia_data_name(d),
                   "give as many label columns or arrays as the model has outputs",
                   "the model has %zu outputs, but the data has %zu sets of labels",
                   m->output_count, have);
}

inarch_status ia_setup_objective(const ia_model *m, const ia_data *d, const ia_setup *s,
                                 ia_objective *out, const char **origin, inarch_error *err)
{
    ia_objective o = {0};
    setup_state t = {.m = m, .d = d, .s = s, .outputs = m->output_count, .o = &o, .origin = ""};
    if (d)
        IA_TRY(check_targets(m, d, err));
    t.names = ia_calloc(t.outputs, sizeof *t.names);
    o.heads = ia_calloc(t.outputs, sizeof *o.heads);
    inarch_status status = INARCH_OK;
    if (!t.names || !o.heads) {
        status = ia_fail_memory(err, "the objective", t.outputs * sizeof *o.heads);
        goto done;
    }
    for (size_t i = 0; i < t.outputs; i++)
        t.names[i] = m->calls[m->outputs[i].call].layer->name;
    IA_TRY_GOTO(check_texts(&t, err));
    for (size_t i = 0; i < t.outputs; i++)
        IA_TRY_GOTO(setup_head(&t, i, err));
    *out = o;
    if (origin)
        *origin = t.origin;
done:
    ia_free(t.names);
    if (status != INARCH_OK)
        ia_objective_free(&o);
    return status;
}

/* ---- into the compile state ---- */

/* Adds what one head was trained by; the metrics of an only output are not in a list of their own.
 */
static inarch_status append_head(const ia_head *h, bool single, json_t *losses, json_t *metrics,
                                 json_t *weights, inarch_error *err)
{
    json_t *loss, *own;
    IA_TRY(ia_loss_to_json(&h->loss, &loss, err));
    bool ok = !json_array_append_new(losses, loss);
    ok = ok && !json_array_append_new(weights, ia_json_from_double(h->weight));
    if (!ok)
        return ia_fail_memory(err, "the compile state", 0);
    IA_TRY(setup_metrics_json(h, &own, err));
    ok = single ? !json_array_extend(metrics, own) : !json_array_append(metrics, own);
    json_decref(own);
    return ok ? INARCH_OK : ia_fail_memory(err, "the compile state", 0);
}

static void replace(json_t **at, json_t *value)
{
    json_decref(*at);
    *at = value;
}

inarch_status ia_setup_save(const ia_objective *o, ia_model *m, inarch_error *err)
{
    json_t *losses = json_array(), *metrics = json_array(), *weights = json_array();
    bool single = o->head_count == 1, plain = true;
    inarch_status status = INARCH_OK;
    if (!losses || !metrics || !weights)
        status = ia_fail_memory(err, "the compile state", 0);
    for (size_t i = 0; i < o->head_count && status == INARCH_OK; i++) {
        status = append_head(&o->heads[i], single, losses, metrics, weights, err);
        plain = plain && o->heads[i].weight == 1;
    }
    if (status == INARCH_OK)
        status = setup_save_names(o, m, err);
    if (status == INARCH_OK) {
        replace(&m->compile.loss, json_incref(single ? json_array_get(losses, 0) : losses));
        replace(&m->compile.metrics, json_incref(metrics));
        replace(&m->compile.loss_weights, plain ? NULL : json_incref(weights));
    }
    json_decref(losses);
    json_decref(metrics);
    json_decref(weights);
    return status;
}
