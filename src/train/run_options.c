/* Options of a run that need reading: optimizer and its origin, schedule, class weights. */
#include "train/run.h"

#include "base/alloc.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- optimizer and schedule ---- */

static inarch_status file_optimizer(ia_run *r, inarch_error *err)
{
    inarch_status status =
        ia_optimizer_from_json(r->m->compile.optimizer, &r->optimizer, &r->schedule, err);
    if (status != INARCH_OK)
        ia_error_hint(err, "the file was compiled with it; name another with --optimizer");
    r->optimizer_origin = "file";
    return status;
}

inarch_status run_optimizer(ia_run *r, inarch_error *err)
{
    const ia_fit_options *o = &r->o;
    r->schedule = (ia_schedule){.base = (double)NAN};
    if (o->optimizer) {
        r->optimizer_origin = "option";
        IA_TRY(ia_optimizer_from_text(o->optimizer, &r->optimizer, err));
    } else if (o->compiled_optimizer && r->m->compile.optimizer) {
        IA_TRY(file_optimizer(r, err));
    } else {
        r->optimizer_origin = "default";
        IA_TRY(ia_optimizer_from_text("adam", &r->optimizer, err));
    }
    if (o->schedule)
        IA_TRY(ia_schedule_from_text(o->schedule, &r->schedule, err));
    if (!isnan(o->learning_rate)) {
        if (!(o->learning_rate >= 0 && o->learning_rate <= 1e6))
            return ia_fail(err, INARCH_BAD_ARGUMENT, "learning_rate", "it lies between 0 and 1e6",
                           "the learning rate cannot be %g", o->learning_rate);
        r->optimizer.learning_rate = o->learning_rate;
        r->schedule.base = (double)NAN;
    }
    r->plateau = (ia_plateau){.rate = r->optimizer.learning_rate, .best = (double)NAN};
    return INARCH_OK;
}

/* ---- class weights ---- */

static inarch_status bad_weight(const char *item, size_t n, inarch_error *err)
{
    return ia_fail(err, INARCH_BAD_ARGUMENT, "class_weight",
                   "write balanced, 1,5 in the order of classes, or cat=1,dog=5",
                   "cannot read the class weight '%.*s'", (int)(n < 60 ? n : 60), item);
}

/* The class that an item names: by name, by number, or by its place. SIZE_MAX: none. */
static size_t class_index(const ia_data *d, const char *name, size_t n, size_t classes)
{
    const char *const *names = ia_data_class_names(d, 0);
    int64_t index;
    for (size_t k = 0; names && k < classes; k++)
        if (strlen(names[k]) == n && memcmp(names[k], name, n) == 0)
            return k;
    if (!names && ia_parse_int(name, n, &index) && index >= 0 && (uint64_t)index < classes)
        return (size_t)index;
    return SIZE_MAX;
}

static inarch_status count_weights(size_t given, size_t classes, inarch_error *err)
{
    if (given == 0 || given == classes)
        return INARCH_OK;
    return ia_fail(err, INARCH_BAD_ARGUMENT, "class_weight",
                   "give one for each class in their order, or only some by name: cat=5",
                   "%zu class weight%s given, but there are %zu classes", given,
                   given == 1 ? " is" : "s are", classes);
}

/* In the order of classes, or by name: then classes that are not named weigh 1. */
static inarch_status read_weights(const ia_run *r, size_t classes, double *weight,
                                  inarch_error *err)
{
    ia_split split = ia_split_of(r->o.class_weight, ',');
    const char *item;
    size_t n, place = 0;
    while (ia_split_next(&split, &item, &n)) {
        const char *eq = memchr(item, '=', n), *number = eq ? eq + 1 : item;
        size_t k = eq ? class_index(r->train, item, (size_t)(eq - item), classes) : place++;
        double v;
        if (!ia_parse_double(number, n - (size_t)(number - item), &v) || !isfinite(v) || v < 0)
            return bad_weight(item, n, err);
        if (eq && k >= classes)
            return ia_fail(err, INARCH_NOT_FOUND, "class_weight", "",
                           "'%.*s' is none of the %zu classes", (int)(n < 60 ? n : 60), item,
                           classes);
        if (k < classes)
            weight[k] = v;
    }
    return count_weights(place, classes, err);
}

inarch_status run_class_weights(ia_run *r, inarch_error *err)
{
    const char *text = r->o.class_weight;
    const ia_head *h = &r->objective.heads[0];
    if (!text || !*text)
        return INARCH_OK;
    if (r->objective.head_count > 1)
        return ia_fail(err, INARCH_BAD_ARGUMENT, "class_weight", "use sample weights",
                       "class weights need a model with one output");
    if (ia_data_target_kind(r->train, 0) != IA_TARGET_CLASSES)
        IA_TRY(ia_data_encode(r->train, 0, NULL, h->cols > 1 ? h->cols : 2, err));
    size_t classes = ia_data_classes(r->train, 0);
    double *weight = ia_calloc(classes, sizeof *weight);
    if (!weight)
        return ia_fail_memory(err, "class weights", classes * sizeof *weight);
    for (size_t k = 0; k < classes; k++)
        weight[k] = 1;
    inarch_status status;
    if (strcmp(text, "balanced") == 0)
        status = ia_data_balanced(r->train, 0, weight, classes, err);
    else
        status = read_weights(r, classes, weight, err);
    if (status == INARCH_OK)
        status = ia_data_set_class_weights(r->train, 0, weight, classes, err);
    ia_free(weight);
    return status;
}
