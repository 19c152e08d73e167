/* The loss that head and labels ask for, and what to say where they leave it open. */
#include "train/setup_internal.h"

#include <stdio.h>
#include <string.h>

/* What is known about an output and its labels. */
typedef struct open_case {
    const ia_head *h;
    const char *ends;     /* the last activation */
    size_t width, labels; /* numbers a row of the output, and of the labels */
    size_t classes;       /* among the labels; 0: numbers */
    char last[48];        /* "dense:4:softmax": a layer that would do */
} open_case;

static const char *numbers(size_t n)
{
    return n == 1 ? "number" : "numbers";
}

/* One number a row for each of several samples a row: an image that was not flattened. */
static inarch_status unflattened(const open_case *c, inarch_error *err)
{
    return ia_fail(err, INARCH_BAD_DATA, c->h->name,
                   "add flatten before the first dense layer: input:8x8,flatten,dense:...",
                   "output '%s' gives %zu x %zu numbers a row, but the labels are %zu %s a row",
                   c->h->name, c->h->samples, c->h->cols, c->labels, numbers(c->labels));
}

static inarch_status classes_without_softmax(const open_case *c, inarch_error *err)
{
    char hint[200];
    snprintf(hint, sizeof hint, "end the model with %s, or name the loss (--loss)", c->last);
    if (c->h->cols == 1)
        return ia_fail(err, INARCH_BAD_DATA, c->h->name, hint,
                       "the labels are %zu classes, but output '%s' is one number (%s)", c->classes,
                       c->h->name, c->ends);
    return ia_fail(err, INARCH_BAD_DATA, c->h->name, hint,
                   "the labels are %zu classes, but output '%s' ends in %s, not in softmax",
                   c->classes, c->h->name, c->ends);
}

static inarch_status other_width(const open_case *c, inarch_error *err)
{
    char hint[200];
    if (c->labels == 1)
        snprintf(hint, sizeof hint,
                 "for classes end the model with dense:%zu:softmax, for numbers with dense:1",
                 c->width);
    else
        snprintf(hint, sizeof hint, "end the model with a layer of %zu units, or give %zu labels",
                 c->labels, c->width);
    return ia_fail(err, INARCH_BAD_DATA, c->h->name, hint,
                   "output '%s' gives %zu %s a row (%s), but the labels are %zu %s a row",
                   c->h->name, c->width, numbers(c->width), c->ends, c->labels, numbers(c->labels));
}

static inarch_status unclear(const ia_head *h, const char *ends, const ia_data *d,
                             inarch_error *err)
{
    open_case c = {.h = h, .ends = ends, .width = h->samples * h->cols, .labels = h->cols};
    if (d) {
        c.labels = ia_data_target_count(d, h->target);
        c.classes = ia_data_target_kind(d, h->target) == IA_TARGET_CLASSES
                        ? ia_data_classes(d, h->target)
                        : 0;
    }
    if (c.classes == 2)
        snprintf(c.last, sizeof c.last, "dense:1:sigmoid or dense:2:softmax");
    else
        snprintf(c.last, sizeof c.last, "dense:%zu:softmax", c.classes);
    if (h->samples > 1 && c.labels != c.width)
        return unflattened(&c, err);
    if (c.classes)
        return classes_without_softmax(&c, err);
    if (c.labels != c.width)
        return other_width(&c, err);
    return ia_fail(err, INARCH_BAD_ARGUMENT, h->name,
                   "name one: --loss mse, mae, huber, binary_crossentropy, ...",
                   "output '%s' ends in %s, from which no loss follows", h->name, ends);
}

inarch_status setup_default_loss(const ia_model *m, const ia_head *h, const ia_data *d,
                                 ia_loss *out, inarch_error *err)
{
    const ia_activation *a = ia_output_activation(m, h->output);
    const char *name = a ? a->cls->name : "linear";
    bool full = !d || ia_data_target_count(d, h->target) == h->samples * h->cols;
    bool single = d && ia_data_target_count(d, h->target) == h->samples;
    bool classes = d && ia_data_target_kind(d, h->target) == IA_TARGET_CLASSES;
    if (strcmp(name, "sigmoid") == 0 && full)
        return ia_loss_from_text("binary_crossentropy", out, err);
    if (strcmp(name, "softmax") == 0 && full)
        return ia_loss_from_text("categorical_crossentropy", out, err);
    if (strcmp(name, "softmax") == 0 && single)
        return ia_loss_from_text("sparse_categorical_crossentropy", out, err);
    if (strcmp(name, "linear") == 0 && full && !classes)
        return ia_loss_from_text("mean_squared_error", out, err);
    return unclear(h, name, d, err);
}
