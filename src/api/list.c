/* inarch_list: the rows of every table a user can name something of. */
#include "api/handle.h"

#include "formats/format.h"
#include "kernels/activation.h"
#include "nn/constraint.h"
#include "nn/initializer.h"
#include "nn/loss.h"
#include "train/metric.h"
#include "train/optimizer.h"

#include <string.h>

/* The i-th row of a kind; false past the end. */
typedef bool list_fn(size_t i, const char **name, const char **help);

static bool list_layers(size_t i, const char **name, const char **help)
{
    for (size_t k = 0; k < ia_layer_class_count(); k++) {
        const ia_layer_class *c = ia_layer_class_at(k);
        if (!c->spec || (c->flags & (IA_LAYER_OPAQUE | IA_LAYER_MODEL)) || i-- > 0)
            continue;
        *name = c->spec;
        *help = c->help ? c->help : "";
        return true;
    }
    return false;
}

static bool list_activations(size_t i, const char **name, const char **help)
{
    if (i >= ia_activation_count())
        return false;
    *name = ia_activation_at(i)->name;
    *help = "";
    return true;
}

static bool list_losses(size_t i, const char **name, const char **help)
{
    if (i >= ia_loss_count())
        return false;
    *name = ia_loss_class_at(i)->name;
    *help = ia_loss_class_at(i)->help;
    return true;
}

static bool list_metrics(size_t i, const char **name, const char **help)
{
    if (i >= ia_metric_count())
        return false;
    *name = ia_metric_at(i)->name;
    *help = ia_metric_at(i)->help;
    return true;
}

static bool list_optimizers(size_t i, const char **name, const char **help)
{
    if (i >= ia_optimizer_count())
        return false;
    *name = ia_optimizer_at(i)->name;
    *help = ia_optimizer_at(i)->help;
    return true;
}

static bool list_schedules(size_t i, const char **name, const char **help)
{
    if (i >= ia_schedule_count())
        return false;
    *name = ia_schedule_at_index(i)->name;
    *help = ia_schedule_at_index(i)->help;
    return true;
}

static bool list_initializers(size_t i, const char **name, const char **help)
{
    if (i >= ia_initializer_count())
        return false;
    *name = ia_initializer_name_at(i);
    *help = "";
    return true;
}

static bool list_regularizers(size_t i, const char **name, const char **help)
{
    if (i >= ia_regularizer_count())
        return false;
    *name = ia_regularizer_name_at(i);
    *help = "";
    return true;
}

static bool list_constraints(size_t i, const char **name, const char **help)
{
    if (i >= ia_constraint_count())
        return false;
    *name = ia_constraint_name_at(i);
    *help = "";
    return true;
}

static bool list_formats(size_t i, const char **name, const char **help)
{
    if (i >= ia_format_count())
        return false;
    const ia_format *f = ia_format_at(i);
    *name = f->name;
    *help = f->listing;
    return true;
}

static bool list_cpu(size_t i, const char **name, const char **help)
{
    const ia_kernel_set *s = ia_kernel_set_at(i);
    if (!s)
        return false;
    *name = ia_kernel_set_name(s);
    *help = i == 0 ? "plain C, the specification of the others" : "";
    return true;
}

static bool list_kinds(size_t i, const char **name, const char **help);

static const struct list_kind {
    const char *name, *help;
    list_fn *at;
} kinds[] = {
    {"layers", "what --add and --arch take", list_layers},
    {"activations", "of dense layers, and layers of their own", list_activations},
    {"losses", "what --loss takes", list_losses},
    {"metrics", "what --metrics takes; every loss is one too", list_metrics},
    {"optimizers", "what --optimizer takes", list_optimizers},
    {"schedules", "what --schedule takes", list_schedules},
    {"initializers", "of new weights", list_initializers},
    {"regularizers", "penalties in the loss", list_regularizers},
    {"constraints", "what weights are projected to after each step", list_constraints},
    {"formats", "model files", list_formats},
    {"cpu", "kernel sets this machine can run, slowest first", list_cpu},
    {"kinds", "this list", list_kinds},
};

static bool list_kinds(size_t i, const char **name, const char **help)
{
    if (i >= IA_COUNT(kinds))
        return false;
    *name = kinds[i].name;
    *help = kinds[i].help;
    return true;
}

inarch_status inarch_list(const char *kind, size_t i, const char **name, const char **help,
                          inarch_error *err)
{
    for (size_t k = 0; k < IA_COUNT(kinds); k++) {
        if (strcmp(kinds[k].name, kind) != 0)
            continue;
        if (kinds[k].at(i, name, help))
            return INARCH_OK;
        return ia_fail(err, INARCH_NOT_FOUND, kind, "", "there are no more %s", kind);
    }
    return ia_fail(err, INARCH_BAD_ARGUMENT, kind, "inarch list kinds shows what can be listed",
                   "there is no list of '%s'", kind);
}
