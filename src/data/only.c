/* Rows of some classes, and only the first few of each: data of their own, as if the file had held
 * no more. (A view would still know the classes of all rows.) */
#include "data/internal.h"

#include "base/alloc.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* ---- which rows ---- */

typedef struct choice {
    ia_data *view; /* of the data, encoded */
    size_t target;
    bool *chosen;   /* [classes] */
    size_t *left;   /* rows still to be taken of each */
    uint64_t *rows; /* of the source */
    size_t count;
} choice;

static void choice_free(choice *c)
{
    ia_data_free(c->view);
    ia_free(c->chosen);
    ia_free(c->left);
    ia_free(c->rows);
}

static inarch_status find_class(const choice *c, const char *label, size_t n, size_t *out,
                                inarch_error *err)
{
    size_t classes = ia_data_classes(c->view, c->target);
    const char *const *names = ia_data_class_names(c->view, c->target);
    int64_t number;
    for (size_t k = 0; names && k < classes; k++) {
        if (strlen(names[k]) == n && memcmp(names[k], label, n) == 0) {
            *out = k;
            return INARCH_OK;
        }
    }
    if (!names && ia_parse_int(label, n, &number) && number >= 0 && (uint64_t)number < classes) {
        *out = (size_t)number;
        return INARCH_OK;
    }
    char hint[200] = "";
    if (names)
        ia_words_quote(names, classes, hint, sizeof hint);
    else
        snprintf(hint, sizeof hint, "labels go from 0 to %zu", classes ? classes - 1 : 0);
    return ia_fail(err, INARCH_NOT_FOUND, ia_data_name(c->view), hint,
                   "no row of '%.200s' has the label '%.*s'", ia_data_name(c->view), (int)n, label);
}

static inarch_status choose_classes(choice *c, const char *labels, size_t per_class,
                                    inarch_error *err)
{
    size_t classes = ia_data_classes(c->view, c->target);
    c->chosen = ia_calloc(classes, sizeof *c->chosen);
    c->left = ia_calloc(classes, sizeof *c->left);
    if (!c->chosen || !c->left)
        return ia_fail_memory(err, "classes", classes * sizeof *c->left);
    for (size_t k = 0; k < classes; k++) {
        c->chosen[k] = labels == NULL;
        c->left[k] = per_class ? per_class : SIZE_MAX;
    }
    ia_split items = ia_split_of(labels, ',');
    const char *item;
    size_t n, k;
    while (labels && ia_split_next(&items, &item, &n)) {
        IA_TRY(find_class(c, item, n, &k, err));
        c->chosen[k] = true;
    }
    return INARCH_OK;
}

static inarch_status choose_rows(choice *c, inarch_error *err)
{
    size_t n = ia_data_rows(c->view);
    c->rows = ia_calloc(n, sizeof *c->rows);
    if (!c->rows)
        return ia_fail_memory(err, "row numbers", n * sizeof *c->rows);
    for (size_t r = 0; r < n; r++) {
        uint64_t row = ia_data_source_row(c->view, r);
        size_t k = ia_target_class(&c->view->target[c->target], row);
        if (!c->chosen[k] || c->left[k] == 0)
            continue;
        c->left[k]--;
        c->rows[c->count++] = row;
    }
    if (c->count == 0)
        return ia_fail(err, INARCH_BAD_DATA, ia_data_name(c->view), "",
                       "no row of '%.200s' is left", ia_data_name(c->view));
    return INARCH_OK;
}

/* ---- taking them ---- */

static inarch_status copy_rows(const ia_rows *from, const choice *c, ia_rows **out,
                               inarch_error *err)
{
    ia_rows *r;
    size_t bytes = ia_rows_width(from) * ia_dtype_size(ia_rows_dtype(from));
    IA_TRY(ia_rows_new(ia_rows_dtype(from), ia_rows_width(from), &r, err));
    for (size_t i = 0; i < c->count; i++) {
        void *to;
        inarch_status status = ia_rows_add(r, &to, err);
        if (status != INARCH_OK) {
            ia_rows_unref(r);
            return status;
        }
        memcpy(to, ia_rows_at(from, c->rows[i], NULL), bytes);
    }
    *out = r;
    return INARCH_OK;
}

static inarch_status copy_words(const ia_data_target *from, const choice *c, ia_data *out,
                                inarch_error *err)
{
    const char **labels = ia_calloc(c->count, sizeof *labels);
    if (!labels)
        return ia_fail_memory(err, "labels", c->count * sizeof *labels);
    for (size_t i = 0; i < c->count; i++)
        labels[i] = ia_words_at(from->words, (uint32_t)ia_rows_number(from->rows, c->rows[i], 0));
    inarch_status status = ia_data_add_text(out, from->name, labels, c->count, err);
    ia_free(labels);
    return status;
}

static inarch_status copy_target(const ia_data_target *from, const choice *c, ia_data *out,
                                 inarch_error *err)
{
    if (from->words)
        return copy_words(from, c, out, err);
    ia_rows *rows;
    IA_TRY(copy_rows(from->rows, c, &rows, err));
    return ia_data_put_target(out, from->name, &from->shape, rows, NULL, err);
}

/* Columns keep their names, and what is wrong with them. */
static inarch_status copy_columns(const ia_origin *from, ia_data *out, inarch_error *err)
{
    ia_origin *to = out->origin;
    if (!from->columns)
        return INARCH_OK;
    to->column = ia_calloc(from->columns, sizeof *to->column);
    if (!to->column)
        return ia_fail_memory(err, "names of columns", from->columns * sizeof *to->column);
    to->columns = from->columns;
    for (size_t i = 0; i < from->columns; i++) {
        to->column[i] = from->column[i];
        to->column[i].name = from->column[i].name ? ia_strdup(from->column[i].name) : NULL;
        if (from->column[i].name && !to->column[i].name)
            return ia_fail_memory(err, "names of columns", from->columns);
    }
    return ia_data_name_columns(out, err);
}

static inarch_status take(const ia_data *d, const choice *c, ia_data *out, inarch_error *err)
{
    for (size_t i = 0; i < d->inputs; i++) {
        ia_rows *rows;
        IA_TRY(copy_rows(d->input[i].rows, c, &rows, err));
        IA_TRY(ia_data_put_input(out, d->input[i].name, &d->input[i].shape, rows, err));
    }
    IA_TRY(copy_columns(d->origin, out, err));
    for (size_t t = 0; t < d->targets; t++) {
        IA_TRY(copy_target(&d->target[t], c, out, err));
        out->target[t].is_column = d->target[t].is_column;
        out->target[t].columns = ia_words_ref(d->target[t].columns);
    }
    if (!d->weights)
        return INARCH_OK;
    ia_rows *weights;
    IA_TRY(copy_rows(d->weights, c, &weights, err));
    out->origin->weight_fault = d->origin->weight_fault;
    return ia_data_put_weights(out, weights, err);
}

inarch_status ia_data_only(const ia_data *d, size_t t, const char *labels, size_t per_class,
                           ia_data **out, inarch_error *err)
{
    if (t >= d->targets)
        return ia_fail(err, INARCH_BAD_ARGUMENT, ia_data_name(d), "name them with --labels",
                       "rows can be chosen by their labels only where there are labels");
    if (d->origin->source.fill)
        return ia_fail(err, INARCH_UNSUPPORTED, ia_data_name(d), "leave them out in the callback",
                       "rows of a callback cannot be chosen by their labels");
    choice c = {.target = t};
    ia_data *copy = NULL;
    IA_TRY(ia_data_slice(d, 0, ia_data_rows(d), &c.view, err));
    inarch_status status = ia_data_encode(c.view, t, NULL, 0, err);
    if (status == INARCH_OK)
        status = choose_classes(&c, labels, per_class, err);
    if (status == INARCH_OK)
        status = choose_rows(&c, err);
    if (status == INARCH_OK)
        status = ia_data_start(d->origin->name, d->origin->kind, &copy, err);
    if (status == INARCH_OK) {
        copy->origin->separator = d->origin->separator;
        copy->origin->header = d->origin->header;
        status = take(d, &c, copy, err);
    }
    choice_free(&c);
    if (status != INARCH_OK) {
        ia_data_free(copy);
        return status;
    }
    *out = copy;
    return INARCH_OK;
}
