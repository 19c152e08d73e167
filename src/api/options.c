/* Options by name: one table per struct serves command lines, help and bindings. */
#include "api/exec.h"
#include "api/handle.h"

#include "base/alloc.h"
#include "base/text.h"
#include "formats/format.h"
#include "nn/params.h"
#include "train/metric.h"
#include "train/optimizer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef enum option_type {
    OPTION_INT,
    OPTION_U64,
    OPTION_FLOAT,
    OPTION_TEXT,
    OPTION_FLAG
} option_type;

typedef struct option_row {
    const char *name;
    option_type type;
    size_t offset;
    double min, max; /* INT, U64, FLOAT: inclusive */
    const char *fallback, *help;
} option_row;

typedef struct option_table {
    const char *kind;
    const option_row *rows;
    size_t count;
} option_table;

#define FIT(field) offsetof(inarch_fit_options, field)
#define DATA(field) offsetof(inarch_data_options, field)
#define RUN(field) offsetof(inarch_run_options, field)

static const option_row fit_rows[] = {
    {"epochs", OPTION_INT, FIT(epochs), 1, 1e9, "1", "passes over the training rows"},
    {"batch_size", OPTION_INT, FIT(batch_size), 1, 1e9, "32", "rows of a step"},
    {"no_shuffle", OPTION_FLAG, FIT(no_shuffle), 0, 1, "", "take the rows in their order"},
    {"seed", OPTION_U64, FIT(seed), 0, 9e15, "0", "of new weights, shuffles and random layers"},
    {"loss", OPTION_TEXT, FIT(loss), 0, 0, "",
     "as in list losses; else the file's, or by head and labels. Several outputs: mae,mse in their "
     "order, or output=mae"},
    {"loss_weights", OPTION_TEXT, FIT(loss_weights), 0, 0, "",
     "1,0.5: one per output in their order, or output=0.5"},
    {"metrics", OPTION_TEXT, FIT(metrics), 0, 0, "",
     "accuracy,auc: as in list metrics, for every output; output=auc for one"},
    {"optimizer", OPTION_TEXT, FIT(optimizer), 0, 0, "",
     "sgd(momentum=0.9): as in list optimizers; else the file's, or adam"},
    {"learning_rate", OPTION_FLOAT, FIT(learning_rate), 0, 1e6, "",
     "of the optimizer; else its own"},
    {"schedule", OPTION_TEXT, FIT(schedule), 0, 0, "", "cosine(warmup=100): as in list schedules"},
    {"fresh_moments", OPTION_FLAG, FIT(fresh_moments), 0, 1, "",
     "moments of the optimizer start at 0"},
    {"l2_sp", OPTION_FLOAT, FIT(l2_sp), 0, 1e9, "0", "pull towards the loaded weights"},
    {"l2_sp_new", OPTION_FLOAT, FIT(l2_sp_new), 0, 1e9, "0", "pull of new weights towards 0"},
    {"val_split", OPTION_FLOAT, FIT(val_split), 0, 0.9999, "0",
     "share of the last rows that validate"},
    {"class_weight", OPTION_TEXT, FIT(class_weight), 0, 0, "",
     "balanced; 1,5: one per class in their order; or cat=1,dog=5"},
    {"early_stopping", OPTION_FLAG, FIT(early_stopping), 0, 1, "",
     "stop when the monitor no longer improves"},
    {"patience", OPTION_INT, FIT(patience), 0, 1e9, "0",
     "epochs without improvement before stopping"},
    {"monitor", OPTION_TEXT, FIT(monitor), 0, 0, "", "the number to watch; else val_loss, or loss"},
    {"mode", OPTION_TEXT, FIT(mode), 0, 0, "", "min or max: which way the monitor improves"},
    {"min_delta", OPTION_FLOAT, FIT(min_delta), 0, 1e30, "0", "smaller changes are no improvement"},
    {"keep_last", OPTION_FLAG, FIT(keep_last), 0, 1, "", "end with the last weights, not the best"},
    {"standardize", OPTION_FLAG, FIT(standardize), 0, 1, "",
     "a Normalization layer in front, fitted on the training rows"},
    {"frozen_dropout", OPTION_TEXT, FIT(frozen_dropout), 0, 0, "on",
     "off: Dropout in frozen layers does nothing, and features above it are cached"},
    {"no_cache", OPTION_FLAG, FIT(no_cache), 0, 1, "", "compute frozen layers anew in every step"},
    {"memory", OPTION_U64, FIT(memory), 1, 9e15, "1073741824",
     "bytes of cached features before a temporary file"},
    {"checkpoint", OPTION_TEXT, FIT(checkpoint), 0, 0, "",
     "file written every epoch, resumed from when it exists"},
    {"threads", OPTION_INT, FIT(threads), 0, 16, "0", "0: all this process may use"},
    {"cpu", OPTION_TEXT, FIT(cpu), 0, 0, "",
     "kernel set: as in list cpu; results are the same bytes"},
    {"precision", OPTION_TEXT, FIT(precision), 0, 0, "f32",
     "f32, or bf16: faster products of wide layers where the CPU has them; results then depend on "
     "the machine"},
};

static const option_row data_rows[] = {
    {"labels", OPTION_TEXT, DATA(labels), 0, 0, "",
     "label columns of a CSV, or the file of labels"},
    {"drop", OPTION_TEXT, DATA(drop), 0, 0, "", "columns of a CSV to leave out"},
    {"weights", OPTION_TEXT, DATA(weights), 0, 0, "", "column or file of sample weights"},
    {"part", OPTION_TEXT, DATA(part), 0, 0, "", "train or test: which rows of an .npz with both"},
    {"only", OPTION_TEXT, DATA(only), 0, 0, "", "keep rows with these labels: 2,6; of --val too"},
    {"per_class", OPTION_INT, DATA(per_class), 1, 1e9, "",
     "keep the first rows of each class: how many; not of --val"},
};

static const option_row run_rows[] = {
    {"batch_size", OPTION_INT, RUN(batch_size), 1, 1e9, "32", "rows at a time"},
    {"loss", OPTION_TEXT, RUN(loss), 0, 0, "", "else the file's, or by head and labels"},
    {"metrics", OPTION_TEXT, RUN(metrics), 0, 0, "", "accuracy,auc: as in list metrics"},
    {"threads", OPTION_INT, RUN(threads), 0, 16, "0", "0: all this process may use"},
    {"cpu", OPTION_TEXT, RUN(cpu), 0, 0, "",
     "kernel set: as in list cpu; results are the same bytes"},
};

static const option_row load_rows[] = {
    {"format", OPTION_TEXT, offsetof(inarch_load_options, format), 0, 0, "",
     "as in list formats; else by content"},
};

static const option_row save_rows[] = {
    {"format", OPTION_TEXT, offsetof(inarch_save_options, format), 0, 0, "",
     "as in list formats; else by the extension"},
};

static const option_table tables[] = {
    {"fit", fit_rows, IA_COUNT(fit_rows)},    {"data", data_rows, IA_COUNT(data_rows)},
    {"run", run_rows, IA_COUNT(run_rows)},    {"load", load_rows, IA_COUNT(load_rows)},
    {"save", save_rows, IA_COUNT(save_rows)},
};

static const char *const type_names[] = {
    [OPTION_INT] = "int",   [OPTION_U64] = "int",   [OPTION_FLOAT] = "float",
    [OPTION_TEXT] = "text", [OPTION_FLAG] = "flag",
};

static inarch_status find_table(const char *kind, const option_table **out, inarch_error *err)
{
    for (size_t i = 0; i < IA_COUNT(tables); i++) {
        if (strcmp(tables[i].kind, kind) == 0) {
            *out = &tables[i];
            return INARCH_OK;
        }
    }
    return ia_fail(err, INARCH_BAD_ARGUMENT, kind, "fit, data, run, load or save",
                   "there are no options of kind '%s'", kind);
}

inarch_status inarch_option_at(const char *kind, size_t i, inarch_option *out, inarch_error *err)
{
    const option_table *t;
    if (strchr(kind, '/'))
        return api_setting_at(kind, i, out, err);
    IA_TRY(find_table(kind, &t, err));
    if (i >= t->count)
        return ia_fail(err, INARCH_NOT_FOUND, kind, "", "there are %zu options of kind '%s'",
                       t->count, kind);
    const option_row *r = &t->rows[i];
    *out = (inarch_option){.name = r->name, .type = type_names[r->type], .help = r->help};
    snprintf(out->fallback, sizeof out->fallback, "%s", r->fallback);
    return INARCH_OK;
}

/* '-' and '_' are alike. */
static bool same_name(const char *a, const char *b)
{
    for (; *a && *b; a++, b++)
        if (*a != *b && !((*a == '-' || *a == '_') && (*b == '-' || *b == '_')))
            return false;
    return *a == *b;
}

static inarch_status unknown_option(const option_table *t, const char *name, inarch_error *err)
{
    const char *names[64];
    size_t n = 0;
    for (; n < t->count && n < IA_COUNT(names); n++)
        names[n] = t->rows[n].name;
    const char *near = ia_suggest(name, names, n);
    char hint[128] = "";
    if (near)
        snprintf(hint, sizeof hint, "did you mean '%s'?", near);
    return ia_fail(err, INARCH_BAD_ARGUMENT, name, hint, "unknown option '%s'", name);
}

static inarch_status out_of_range(const option_row *r, const char *value, inarch_error *err)
{
    return ia_fail(err, INARCH_BAD_ARGUMENT, r->name, r->help,
                   r->type == OPTION_FLOAT
                       ? "%s must be a number from %g to %g, not '%s'"
                       : "%s must be a whole number from %.0f to %.0f, not '%s'",
                   r->name, r->min, r->max, value);
}

static inarch_status set_number(const option_row *r, char *field, const char *value,
                                inarch_error *err)
{
    double v;
    int64_t whole;
    size_t n = strlen(value);
    bool ok =
        r->type == OPTION_FLOAT ? ia_parse_double(value, n, &v) : ia_parse_int(value, n, &whole);
    if (ok && r->type != OPTION_FLOAT)
        v = (double)whole;
    if (!ok || !(v >= r->min && v <= r->max))
        return out_of_range(r, value, err);
    if (r->type == OPTION_INT)
        memcpy(field, &(int32_t){(int32_t)whole}, sizeof(int32_t));
    else if (r->type == OPTION_U64)
        memcpy(field, &(uint64_t){(uint64_t)whole}, sizeof(uint64_t));
    else
        memcpy(field, &v, sizeof v);
    return INARCH_OK;
}

static inarch_status set_flag(const option_row *r, char *field, const char *value,
                              inarch_error *err)
{
    static const char *const words[] = {"0", "false", "off", "no", "1", "true", "on", "yes"};
    for (size_t i = 0; i < IA_COUNT(words); i++) {
        if (strcmp(value, words[i]) == 0) {
            memcpy(field, &(int32_t){i >= IA_COUNT(words) / 2}, sizeof(int32_t));
            return INARCH_OK;
        }
    }
    return ia_fail(err, INARCH_BAD_ARGUMENT, r->name, r->help, "%s must be true or false, not '%s'",
                   r->name, value);
}

/* ---- texts: what can be judged without a model or data ---- */

typedef inarch_status check_fn(const char *text, inarch_error *err);

static inarch_status check_loss(const char *text, inarch_error *err)
{
    ia_loss l;
    return ia_loss_from_text(text, &l, err);
}

static inarch_status check_metric(const char *text, inarch_error *err)
{
    ia_metric m;
    return ia_metric_from_text(text, &m, err);
}

static inarch_status check_weight(const char *text, inarch_error *err)
{
    double v;
    if (ia_parse_double(text, strlen(text), &v) && v >= 0 && isfinite(v))
        return INARCH_OK;
    return ia_fail(err, INARCH_BAD_ARGUMENT, text, "as in 1,0.5 or name=0.5",
                   "a weight must be a number of 0 or more, not '%s'", text);
}

/* Items joined by commas, each for all outputs or, as name=item, for one. */
static inarch_status check_each(const char *list, check_fn *check, inarch_error *err)
{
    ia_split items = ia_split_of(list, ',');
    const char *item;
    size_t n;
    while (ia_split_next(&items, &item, &n)) {
        char text[256];
        snprintf(text, sizeof text, "%.*s", (int)(n < sizeof text ? n : sizeof text - 1), item);
        size_t name = strcspn(text, "=(");
        const char *value = text[name] == '=' ? text + name + 1 : text;
        if (*value)
            IA_TRY(check(value, err));
    }
    return INARCH_OK;
}

static inarch_status check_optimizer(const char *text, inarch_error *err)
{
    ia_optimizer o;
    return ia_optimizer_from_text(text, &o, err);
}

static inarch_status check_schedule(const char *text, inarch_error *err)
{
    ia_schedule s;
    return ia_schedule_from_text(text, &s, err);
}

static inarch_status check_cpu(const char *text, inarch_error *err)
{
    api_exec exec; /* of one thread: nothing to free */
    return api_exec_new(1, 1, text, &exec, err);
}

static inarch_status check_format(const char *text, inarch_error *err)
{
    const ia_format *f;
    return ia_format_find(text) ? INARCH_OK : ia_format_for_writing("", text, &f, err);
}

/* What a text option takes: one of the words, a list of items, or a text as a whole. */
static const struct text_rule {
    const char *name, *words;
    check_fn *each, *whole;
} text_rules[] = {
    {.name = "loss", .each = check_loss},
    {.name = "metrics", .each = check_metric},
    {.name = "loss_weights", .each = check_weight},
    {.name = "class_weight", .words = "balanced", .each = check_weight},
    {.name = "optimizer", .whole = check_optimizer},
    {.name = "schedule", .whole = check_schedule},
    {.name = "cpu", .whole = check_cpu},
    {.name = "precision", .words = "f32|bf16"},
    {.name = "mode", .words = "auto|min|max"},
    {.name = "frozen_dropout", .words = "on|off"},
    {.name = "part", .words = "train|test|train?|test?"},
    {.name = "format", .whole = check_format},
};

static inarch_status check_text(const option_row *r, const char *value, inarch_error *err)
{
    const struct text_rule *t = NULL;
    for (size_t i = 0; i < IA_COUNT(text_rules) && !t; i++)
        if (strcmp(text_rules[i].name, r->name) == 0)
            t = &text_rules[i];
    if (!t || (t->words && ia_name_index(t->words, value) >= 0))
        return INARCH_OK;
    if (t->each)
        return check_each(value, t->each, err);
    if (t->whole)
        return t->whole(value, err);
    return ia_fail(err, INARCH_BAD_ARGUMENT, r->name, r->help, "%s cannot be '%s'", r->name, value);
}

/* The caller's struct may be that of an older header. */
static inarch_status check_inside(const option_row *r, const void *options, inarch_error *err)
{
    static const size_t widths[] = {[OPTION_INT] = sizeof(int32_t),
                                    [OPTION_U64] = sizeof(uint64_t),
                                    [OPTION_FLOAT] = sizeof(double),
                                    [OPTION_TEXT] = sizeof(char *),
                                    [OPTION_FLAG] = sizeof(int32_t)};
    uint32_t size;
    memcpy(&size, options, sizeof size);
    if (r->offset + widths[r->type] <= size)
        return INARCH_OK;
    return ia_fail(err, INARCH_BAD_ARGUMENT, r->name, "start from the struct's INARCH_ macro",
                   "the struct of options, of %u bytes, has no room for %s", (unsigned)size,
                   r->name);
}

inarch_status inarch_option_set(const char *kind, void *options, const char *name,
                                const char *value, inarch_error *err)
{
    const option_table *t;
    IA_TRY(find_table(kind, &t, err));
    for (size_t i = 0; i < t->count; i++) {
        const option_row *r = &t->rows[i];
        if (!same_name(r->name, name))
            continue;
        IA_TRY(check_inside(r, options, err));
        char *field = (char *)options + r->offset;
        if (r->type == OPTION_FLAG)
            return set_flag(r, field, value, err);
        if (r->type != OPTION_TEXT)
            return set_number(r, field, value, err);
        if (value)
            IA_TRY(check_text(r, value, err));
        memcpy(field, &value, sizeof value);
        return INARCH_OK;
    }
    return unknown_option(t, name, err);
}
