/* Labels against heads: how they are encoded, whether they fit, and which loss they ask for. */
#include "train/setup_internal.h"

#include "base/alloc.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LABEL_ROWS 256 /* rows read at once */

static bool is(const ia_loss *l, const char *name)
{
    return strcmp(l->cls->name, name) == 0;
}

/* Losses whose targets are shares of classes or 0/1. */
static bool wants_shares(const ia_loss *l)
{
    return is(l, "binary_crossentropy") || is(l, "categorical_crossentropy") ||
           is(l, "kl_divergence");
}

static bool one_number(const ia_head *h, const ia_data *d)
{
    return ia_data_target_count(d, h->target) == h->samples;
}

/* ---- encoding ---- */

static inarch_status misfit(const ia_head *h, const ia_data *d, inarch_error *err)
{
    size_t have = ia_data_target_count(d, h->target), want = h->samples * h->cols;
    char hint[200];
    if (ia_data_target_kind(d, h->target) == IA_TARGET_CLASSES)
        snprintf(hint, sizeof hint, "--head auto makes an output for the %zu classes of the data",
                 ia_data_classes(d, h->target));
    else if (h->loss.cls && h->loss.cls->target == IA_TARGET_CLASS && have == want)
        snprintf(hint, sizeof hint, "--loss categorical_crossentropy takes one number per class");
    else if (have == h->samples)
        snprintf(hint, sizeof hint,
                 "--loss sparse_categorical_crossentropy takes class indices; --head auto makes an "
                 "output for the data");
    else
        snprintf(hint, sizeof hint, "--head auto makes an output for the data");
    return ia_fail(err, INARCH_BAD_DATA, ia_data_target_name(d, h->target), hint,
                   "output '%s' gives %zu numbers a row, but loss '%s' finds %zu in the labels",
                   h->name, want, h->loss.cls ? h->loss.cls->name : "?", have);
}

inarch_status setup_encoding(ia_head *h, const ia_data *d, inarch_error *err)
{
    ia_target_kind kind = ia_data_target_kind(d, h->target);
    size_t have = ia_data_target_count(d, h->target), want = h->samples * h->cols;
    bool by_class = kind == IA_TARGET_CLASSES || h->loss.cls->logits == IA_LOGITS_SOFTMAX ||
                    is(&h->loss, "categorical_hinge") || is(&h->loss, "kl_divergence");
    h->target_size = want;
    if (kind == IA_TARGET_TEXT)
        return ia_fail(err, INARCH_BAD_DATA, ia_data_target_name(d, h->target),
                       "encode them as classes first", "labels are text");
    if (h->loss.cls->target == IA_TARGET_CLASS) {
        h->encoding = IA_ENCODE_CLASS;
        h->target_size = h->samples;
        return one_number(h, d) ? INARCH_OK : misfit(h, d, err);
    }
    if (have == want) {
        h->encoding = IA_ENCODE_VALUES;
        return INARCH_OK;
    }
    h->encoding = IA_ENCODE_ONE_HOT;
    return one_number(h, d) && h->samples == 1 && by_class ? INARCH_OK : misfit(h, d, err);
}

/* ---- values ---- */

static inarch_status outside(const ia_head *h, const ia_data *d, uint64_t row, double v,
                             inarch_error *err)
{
    size_t classes = ia_data_classes(d, h->target);
    char hint[160];
    if (h->encoding == IA_ENCODE_VALUES && h->cols == 1 && classes > 2)
        snprintf(hint, sizeof hint,
                 "the data has %zu classes, one unit tells two apart; --head auto makes the output",
                 classes);
    else if (h->encoding == IA_ENCODE_VALUES)
        snprintf(hint, sizeof hint, "%s takes labels from 0 to 1; for other numbers use mse",
                 h->loss.cls->name);
    else
        snprintf(hint, sizeof hint,
                 "labels are class indices from 0 to %zu; --head auto makes an output for the data",
                 h->cols - 1);
    return ia_fail(err, INARCH_BAD_DATA, ia_data_target_name(d, h->target), hint,
                   "label %g in row %llu is outside the classes of output '%s'", v,
                   (unsigned long long)row + 1, h->name);
}

static bool class_fits(const ia_head *h, float v)
{
    return v >= 0 && v < (float)h->cols && v == floorf(v);
}

static bool value_fits(const ia_head *h, float v)
{
    return !wants_shares(&h->loss) || (v >= 0 && v <= 1);
}

inarch_status ia_head_gather(const ia_head *h, const ia_data *d, const uint64_t *rows, size_t n,
                             float *dst, inarch_error *err)
{
    IA_TRY(ia_data_gather_target(d, rows, n, h->target, dst, err));
    return ia_head_encode(h, d, rows, n, dst, err);
}

inarch_status ia_head_encode(const ia_head *h, const ia_data *d, const uint64_t *rows, size_t n,
                             float *dst, inarch_error *err)
{
    bool classes = h->encoding != IA_ENCODE_VALUES;
    size_t width = classes ? h->samples : h->target_size;
    for (size_t i = 0; i < n * width; i++)
        if (!(classes ? class_fits(h, dst[i]) : value_fits(h, dst[i])))
            return outside(h, d, rows ? rows[i / width] : i / width, (double)dst[i], err);
    if (h->encoding == IA_ENCODE_ONE_HOT) {
        /* Spread from the end, so that indices are read before they are overwritten. */
        for (size_t r = n; r-- > 0;) {
            size_t k = (size_t)dst[r];
            memset(dst + r * h->cols, 0, h->cols * sizeof *dst);
            dst[r * h->cols + k] = 1;
        }
    }
    return INARCH_OK;
}

static inarch_status one_class(const ia_head *h, const ia_data *d, double v, inarch_error *err)
{
    return ia_fail(err, INARCH_BAD_DATA, ia_data_target_name(d, h->target),
                   "give rows of at least two classes",
                   "all %zu rows have the label %g: nothing could be learnt", ia_data_rows(d), v);
}

inarch_status setup_check_labels(const ia_head *h, const ia_data *d, int training,
                                 inarch_error *err)
{
    size_t rows = ia_data_rows(d), cells;
    uint64_t list[LABEL_ROWS];
    float *buffer, first = 0;
    bool classes = h->encoding == IA_ENCODE_CLASS ||
                   (is(&h->loss, "binary_crossentropy") && h->cols == 1 && h->samples == 1);
    bool same = true;
    if (strcmp(ia_data_kind(d, NULL, NULL), "source") == 0)
        return INARCH_OK; /* checked batch by batch */
    if (ia_data_target_kind(d, h->target) == IA_TARGET_CLASSES && training)
        IA_TRY(ia_data_check_classes(d, h->target, err));
    buffer = ia_mul(LABEL_ROWS, h->target_size, &cells) ? ia_calloc(cells, sizeof *buffer) : NULL;
    if (!buffer)
        return ia_fail_memory(err, "labels", cells);
    inarch_status status = INARCH_OK;
    for (size_t at = 0; at < rows && status == INARCH_OK; at += LABEL_ROWS) {
        size_t n = rows - at < LABEL_ROWS ? rows - at : LABEL_ROWS;
        for (size_t i = 0; i < n; i++)
            list[i] = at + i;
        status = ia_head_gather(h, d, list, n, buffer, err);
        first = at == 0 ? buffer[0] : first;
        for (size_t i = 0; i < n * h->target_size && status == INARCH_OK; i++)
            same = same && buffer[i] == first;
    }
    ia_free(buffer);
    if (status == INARCH_OK && training && classes && same && rows > 1)
        return one_class(h, d, (double)first, err);
    return status;
}

inarch_status setup_check_validation(const ia_head *h, const ia_data *d, inarch_error *err)
{
    ia_head own = *h;
    IA_TRY(setup_encoding(&own, d, err));
    if (own.encoding != h->encoding)
        return ia_fail(err, INARCH_BAD_DATA, ia_data_name(d),
                       "give both in the same form: class indices, or one number per class",
                       "the labels for validation have another form than those for training");
    return setup_check_labels(h, d, 0, err);
}

/* ---- which loss ---- */

static inarch_status ambiguous(const ia_head *h, const char *activation, const ia_data *d,
                               inarch_error *err)
{
    return ia_fail(err, INARCH_BAD_ARGUMENT, h->name,
                   "name one: --loss binary_crossentropy, categorical_crossentropy, "
                   "sparse_categorical_crossentropy, mse, ...; or --head auto",
                   "the loss of output '%s' (%zu x %s) on labels of %zu numbers a row is not clear",
                   h->name, h->cols, activation, ia_data_target_count(d, h->target));
}

inarch_status setup_default_loss(const ia_model *m, const ia_head *h, const ia_data *d,
                                 ia_loss *out, inarch_error *err)
{
    const ia_activation *a = ia_output_activation(m, h->output);
    const char *name = a ? a->cls->name : "linear";
    size_t have = ia_data_target_count(d, h->target);
    bool full = have == h->samples * h->cols;
    bool classes = ia_data_target_kind(d, h->target) == IA_TARGET_CLASSES;
    if (strcmp(name, "sigmoid") == 0 && full)
        return ia_loss_from_text("binary_crossentropy", out, err);
    if (strcmp(name, "softmax") == 0 && h->cols > 1 && full)
        return ia_loss_from_text("categorical_crossentropy", out, err);
    if (strcmp(name, "softmax") == 0 && h->cols > 1 && one_number(h, d))
        return ia_loss_from_text("sparse_categorical_crossentropy", out, err);
    if (strcmp(name, "linear") == 0 && full && !classes)
        return ia_loss_from_text("mean_squared_error", out, err);
    return ambiguous(h, name, d, err);
}
