/* Labels become class indices: learnt from the data, or looked up among a model's classes.
 *
 * The result is a column of int32 for all rows of the source, beside the labels as they were read,
 * so a target can be encoded again for another model. */
#include "data/internal.h"

#include "base/alloc.h"
#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define LARGEST_EXACT 9007199254740992.0 /* 2^53 */

static const char *label_name(const ia_data *d, size_t t, char *out, size_t size)
{
    snprintf(out, size, "'%.100s': %s'%.60s'", d->origin->name,
             d->target[t].is_column ? "label column " : "", d->target[t].name);
    return out;
}

/* Row `row` of the source as the user finds it: from 1 in a table, NumPy's index in an array. */
static const char *row_name(const ia_data *d, size_t t, uint64_t row, char *out, size_t size)
{
    if (d->target[t].is_column)
        snprintf(out, size, "row %" PRIu64, row + 1);
    else
        snprintf(out, size, "%.60s[%" PRIu64 "]", d->target[t].name, row);
    return out;
}

/* ---- whole numbers ---- */

static inarch_status whole_number(const ia_data *d, size_t t, uint64_t row, int64_t *out,
                                  inarch_error *err)
{
    char where[96];
    double v = ia_rows_number(d->target[t].rows, row, 0);
    if (v == floor(v) && fabs(v) <= LARGEST_EXACT) {
        *out = (int64_t)v;
        return INARCH_OK;
    }
    return ia_fail(err, INARCH_BAD_DATA, d->origin->name,
                   "labels of classes are whole numbers or text; for values use a loss such as mse",
                   "'%.150s': label %g (%s) is not a whole number", d->origin->name, v,
                   row_name(d, t, row, where, sizeof where));
}

/* Adds a class index to the column. */
static inarch_status put_index(ia_rows *index, int64_t k, inarch_error *err)
{
    void *code;
    IA_TRY(ia_rows_add(index, &code, err));
    *(int32_t *)code = (int32_t)k;
    return INARCH_OK;
}

/* Indices below n, as they are. */
static inarch_status encode_indices(const ia_data *d, size_t t, size_t n, ia_rows *index,
                                    inarch_error *err)
{
    for (uint64_t row = 0; row < d->origin->rows; row++) {
        int64_t v = 0;
        char where[96];
        IA_TRY(whole_number(d, t, row, &v, err));
        if (v < 0 || (uint64_t)v >= n)
            return ia_fail(err, INARCH_BAD_DATA, d->origin->name, "",
                           "'%.150s': label %" PRId64 " (%s) is outside the %zu classes 0 to %zu",
                           d->origin->name, v, row_name(d, t, row, where, sizeof where), n, n - 1);
        IA_TRY(put_index(index, v, err));
    }
    return INARCH_OK;
}

static inarch_status unknown_label(const ia_data *d, size_t t, const char *label,
                                   const char *const *names, size_t n, inarch_error *err)
{
    char known[220], hint[256], where[200];
    snprintf(hint, sizeof hint, "known: %s", ia_words_quote(names, n, known, sizeof known));
    return ia_fail(err, INARCH_BAD_DATA, d->origin->name, hint,
                   "%s has the label '%.60s', which is not one of the model's %zu classes",
                   label_name(d, t, where, sizeof where), label, n);
}

/* Values looked up among `known` words by their decimal text. */
static inarch_status encode_values(const ia_data *d, size_t t, const ia_words *known,
                                   ia_rows *index, inarch_error *err)
{
    for (uint64_t row = 0; row < d->origin->rows; row++) {
        char text[32];
        int64_t v = 0;
        uint32_t k;
        IA_TRY(whole_number(d, t, row, &v, err));
        int len = snprintf(text, sizeof text, "%" PRId64, v);
        if (!ia_words_find(known, text, (size_t)len, &k))
            return unknown_label(d, t, text, ia_words_list(known), ia_words_count(known), err);
        IA_TRY(put_index(index, k, err));
    }
    return INARCH_OK;
}

/* ---- text ---- */

/* map[number of the word] = class. */
static inarch_status encode_mapped(const ia_data *d, size_t t, const uint32_t *map, ia_rows *index,
                                   inarch_error *err)
{
    for (uint64_t row = 0; row < d->origin->rows; row++) {
        int32_t word;
        memcpy(&word, ia_rows_at(d->target[t].rows, row, NULL), sizeof word);
        IA_TRY(put_index(index, map[word], err));
    }
    return INARCH_OK;
}

static inarch_status encode_text(const ia_data *d, size_t t, const ia_words *known, ia_rows *index,
                                 inarch_error *err)
{
    const ia_words *words = d->target[t].words;
    size_t n = ia_words_count(words);
    uint32_t *map = ia_calloc(n, sizeof *map);
    inarch_status status = map ? INARCH_OK : ia_fail_memory(err, "classes", n * sizeof *map);
    for (uint32_t i = 0; i < n && status == INARCH_OK; i++) {
        const char *word = ia_words_at(words, i);
        if (!ia_words_find(known, word, strlen(word), &map[i]))
            status = unknown_label(d, t, word, ia_words_list(known), ia_words_count(known), err);
    }
    if (status == INARCH_OK)
        status = encode_mapped(d, t, map, index, err);
    ia_free(map);
    return status;
}

static inarch_status learn_text(const ia_data *d, size_t t, size_t n, ia_classes *c,
                                inarch_error *err)
{
    const ia_words *words = d->target[t].words;
    char where[200], list[200], hint[256];
    c->count = ia_words_count(words);
    if (n && n != c->count) {
        snprintf(hint, sizeof hint, "the labels are %s",
                 ia_words_quote(ia_words_list(words), c->count, list, sizeof list));
        return ia_fail(err, INARCH_BAD_DATA, d->origin->name, hint,
                       "%s has %zu different labels, but the model has %zu classes",
                       label_name(d, t, where, sizeof where), c->count, n);
    }
    uint32_t *map = ia_calloc(c->count, sizeof *map);
    if (!map)
        return ia_fail_memory(err, "classes", c->count * sizeof *map);
    inarch_status status = ia_words_sorted(words, &c->names, map, err);
    if (status == INARCH_OK)
        status = encode_mapped(d, t, map, c->index, err);
    ia_free(map);
    return status;
}

/* ---- learning whole numbers ---- */

/* The different values, as words in order of first appearance. A run of equal labels is looked up
 * once. */
static inarch_status collect_values(const ia_data *d, size_t t, ia_words *found, inarch_error *err)
{
    int64_t last = 0;
    for (uint64_t row = 0; row < d->origin->rows; row++) {
        char text[32];
        int64_t v = 0;
        uint32_t number;
        IA_TRY(whole_number(d, t, row, &v, err));
        if (row > 0 && v == last)
            continue;
        last = v;
        int len = snprintf(text, sizeof text, "%" PRId64, v);
        inarch_status status =
            ia_words_add(found, text, (size_t)len, IA_DATA_MAX_CLASSES, &number, err);
        if (status == INARCH_LIMIT)
            return ia_fail(err, INARCH_LIMIT, d->origin->name,
                           "are these values rather than classes? then use a loss such as mse",
                           "'%.150s' has more than %d different labels", d->origin->name,
                           IA_DATA_MAX_CLASSES);
        IA_TRY(status);
    }
    return INARCH_OK;
}

/* Sorted names are "0", "1", ..., so they say nothing. */
static bool names_are_indices(const ia_words *names)
{
    char text[32];
    for (uint32_t i = 0; i < ia_words_count(names); i++) {
        snprintf(text, sizeof text, "%" PRIu32, i);
        if (strcmp(ia_words_at(names, i), text) != 0)
            return false;
    }
    return true;
}

static inarch_status learn_values(const ia_data *d, size_t t, ia_classes *c, inarch_error *err)
{
    inarch_status status = INARCH_OK;
    ia_words *found = NULL;
    uint32_t *map = NULL;
    IA_TRY_GOTO(ia_words_new(&found, err));
    IA_TRY_GOTO(collect_values(d, t, found, err));
    c->count = ia_words_count(found);
    map = ia_calloc(c->count, sizeof *map);
    if (!map) {
        status = ia_fail_memory(err, "classes", c->count * sizeof *map);
        goto done;
    }
    IA_TRY_GOTO(ia_words_sorted(found, &c->names, map, err));
    IA_TRY_GOTO(encode_values(d, t, c->names, c->index, err));
    if (names_are_indices(c->names)) {
        ia_words_unref(c->names);
        c->names = NULL;
    }
done:
    ia_words_unref(found);
    ia_free(map);
    return status;
}

/* ---- the choice ---- */

static inarch_status names_to_words(const ia_data *d, const char *const *names, size_t n,
                                    ia_words **out, inarch_error *err)
{
    inarch_status status = INARCH_OK;
    ia_words *words;
    IA_TRY(ia_words_new(&words, err));
    for (size_t i = 0; i < n; i++) {
        uint32_t number;
        IA_TRY_GOTO(
            ia_words_add(words, names[i], strlen(names[i]), IA_DATA_MAX_CLASSES, &number, err));
        if (number != i) {
            status = ia_fail(err, INARCH_BAD_ARGUMENT, d->origin->name, "",
                             "the class '%.100s' is named twice", names[i]);
            goto done;
        }
    }
    *out = words;
    return INARCH_OK;
done:
    ia_words_unref(words);
    return status;
}

static inarch_status encode_into(const ia_data *d, size_t t, const char *const *names, size_t n,
                                 ia_classes *c, inarch_error *err)
{
    const ia_data_target *y = &d->target[t];
    size_t width = ia_data_target_count(d, t);
    c->count = n;
    if (names)
        IA_TRY(names_to_words(d, names, n, &c->names, err));
    if (width != 1) { /* rows of one number per class */
        char where[200];
        c->count = n ? n : width;
        return c->count == width
                   ? INARCH_OK
                   : ia_fail(err, INARCH_BAD_DATA, d->origin->name, "",
                             "%s has %zu numbers a row, but the model has %zu classes",
                             label_name(d, t, where, sizeof where), width, n);
    }
    if (!y->rows)
        return n ? INARCH_OK
                 : ia_fail(err, INARCH_BAD_ARGUMENT, d->origin->name, "",
                           "the classes of a source of rows cannot be learnt: give their number");
    if (y->fault.kind != IA_FAULT_NONE)
        return ia_target_fault(d, t, err);
    IA_TRY(ia_rows_new(IA_I32, 1, &c->index, err));
    if (y->words)
        return names ? encode_text(d, t, c->names, c->index, err) : learn_text(d, t, n, c, err);
    if (names && ia_words_all_integers(c->names))
        return encode_values(d, t, c->names, c->index, err);
    return n ? encode_indices(d, t, n, c->index, err) : learn_values(d, t, c, err);
}

inarch_status ia_data_encode(ia_data *d, size_t t, const char *const *names, size_t n,
                             inarch_error *err)
{
    if (t >= d->targets)
        return ia_fail(err, INARCH_BAD_DATA, d->origin->name,
                       "labels are y in an .npz, or --labels", "'%.200s' has no labels",
                       d->origin->name);
    if (n > IA_DATA_MAX_CLASSES)
        return ia_fail(err, INARCH_LIMIT, d->origin->name, "",
                       "%zu classes are too many; %d are read", n, IA_DATA_MAX_CLASSES);
    ia_classes *c = ia_calloc(1, sizeof *c);
    if (!c)
        return ia_fail_memory(err, "classes", sizeof *c);
    atomic_init(&c->refs, 1);
    inarch_status status = encode_into(d, t, n ? names : NULL, n, c, err);
    if (status != INARCH_OK) {
        ia_classes_unref(c);
        return status;
    }
    ia_data_target *y = &d->target[t];
    ia_classes_unref(y->classes);
    ia_free(y->class_weight);
    y->class_weight = NULL;
    y->classes = c;
    if (c->index)
        y->shape = (ia_shape){.rank = 0};
    return INARCH_OK;
}
