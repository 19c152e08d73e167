/* Labels against heads: how they are encoded, and whether they fit. */
#include "train/setup_internal.h"

#include "base/alloc.h"
#include "train/history.h"

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
        snprintf(hint, sizeof hint,
                 "tune --head auto makes an output for the %zu classes of the data",
                 ia_data_classes(d, h->target));
    else if (h->loss.cls && h->loss.cls->target == IA_TARGET_CLASS && have == want)
        snprintf(hint, sizeof hint, "--loss categorical_crossentropy takes one number per class");
    else if (have == h->samples)
        snprintf(
            hint, sizeof hint,
            "--loss sparse_categorical_crossentropy takes class indices; tune --head auto makes "
            "an output for the data");
    else
        snprintf(hint, sizeof hint, "tune --head auto makes an output for the data");
    return ia_fail(err, INARCH_BAD_DATA, ia_data_target_name(d, h->target), hint,
                   "output '%s' gives %zu number%s a row, but loss '%s' finds %zu in the labels",
                   h->name, want, want == 1 ? "" : "s", h->loss.cls ? h->loss.cls->name : "?",
                   have);
}

/* Targets in the form that the loss takes. */
static void loss_encoding(ia_head *h)
{
    bool index = h->loss.cls->target == IA_TARGET_CLASS;
    h->encoding = index ? IA_ENCODE_CLASS : IA_ENCODE_VALUES;
    h->target_size = index ? h->samples : h->samples * h->cols;
}

inarch_status setup_encoding(ia_head *h, const ia_data *d, inarch_error *err)
{
    if (!d) {
        loss_encoding(h);
        return INARCH_OK;
    }
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
        snprintf(
            hint, sizeof hint,
            "the data has %zu classes, one unit tells two apart; tune --head auto makes the output",
            classes);
    else if (h->encoding == IA_ENCODE_VALUES)
        snprintf(hint, sizeof hint, "%s takes labels from 0 to 1; for other numbers use mse",
                 h->loss.cls->name);
    else
        snprintf(
            hint, sizeof hint,
            "labels are class indices from 0 to %zu; tune --head auto makes an output for the data",
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

/* ---- classes among validation rows ---- */

/* Rows of `d` in each of *n classes, in new memory; *n = 0 where labels are no classes. */
static inarch_status class_rows(const ia_head *h, const ia_data *d, size_t **out, size_t *n,
                                inarch_error *err)
{
    bool classes = ia_data_target_kind(d, h->target) == IA_TARGET_CLASSES;
    bool unit = h->samples == 1 && h->cols == 1 && is(&h->loss, "binary_crossentropy");
    ia_data *view;
    *n = 0;
    *out = NULL;
    if (strcmp(ia_data_kind(d, NULL, NULL), "source") == 0 ||
        !(classes || unit || h->loss.cls->logits == IA_LOGITS_SOFTMAX))
        return INARCH_OK;
    IA_TRY(ia_data_slice(d, 0, ia_data_rows(d), &view, err));
    inarch_status status = INARCH_OK;
    if (!classes && ia_data_target_count(d, h->target) == 1)
        status = ia_data_encode(view, h->target, NULL, unit ? 2 : h->cols, err);
    if (status == INARCH_OK) {
        *n = ia_data_classes(view, h->target);
        *out = ia_calloc(*n, sizeof **out);
        status = *out ? ia_data_class_counts(view, h->target, *out, err)
                      : ia_fail_memory(err, "classes", *n * sizeof **out);
    } else if (status != INARCH_NO_MEMORY) {
        status = INARCH_OK; /* shares of a class, say */
    }
    ia_data_free(view);
    return status;
}

/* One class only, or one that is not trained on: a sorted file, most likely. */
static void note_counts(ia_objective *o, const size_t *trained, const size_t *held, size_t n,
                        bool tail)
{
    size_t seen = 0;
    bool strange = false;
    for (size_t k = 0; k < n; k++) {
        seen += held[k] > 0;
        strange = strange || (held[k] && !trained[k]);
    }
    if (seen > 1 && !strange)
        return;
    ia_note(o->note, sizeof o->note,
            seen == 1 ? "the validation rows hold one class only"
                      : "the validation rows hold classes that no training row has");
    if (tail)
        ia_note(o->note, sizeof o->note, "shuffle the rows of the file first");
}

inarch_status setup_note_classes(ia_objective *o, const ia_data *train, const ia_data *validation,
                                 inarch_error *err)
{
    inarch_status status = INARCH_OK;
    for (size_t i = 0; i < o->head_count && status == INARCH_OK; i++) {
        size_t *trained = NULL, *held = NULL, n = 0, m = 0;
        status = class_rows(&o->heads[i], train, &trained, &n, err);
        if (status == INARCH_OK)
            status = class_rows(&o->heads[i], validation, &held, &m, err);
        if (status == INARCH_OK && n > 0 && n == m)
            note_counts(o, trained, held, n, ia_data_same_source(train, validation));
        ia_free(trained);
        ia_free(held);
    }
    return status;
}
