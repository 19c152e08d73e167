/* What happens at an epoch's end: Keras' EarlyStopping and ReduceLROnPlateau. */
#include "train/run.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static inarch_status no_column(const ia_run *r, const char *name, inarch_error *err)
{
    const ia_history *h = r->history;
    const char *names[64] = {NULL};
    char hint[256];
    size_t n = h->columns < IA_COUNT(names) ? h->columns : IA_COUNT(names);
    for (size_t c = 0; c < n; c++)
        names[c] = h->name[c];
    const char *near = ia_suggest(name, names, n);
    size_t used = (size_t)(near ? snprintf(hint, sizeof hint, "did you mean '%s'?", near)
                                : snprintf(hint, sizeof hint, "there are "));
    for (size_t c = 0; !near && c < n && used < sizeof hint; c++)
        used += (size_t)snprintf(hint + used, sizeof hint - used, "%s%s", c ? ", " : "", names[c]);
    bool lacks_validation = !r->scorer && strncmp(name, "val_", 4) == 0;
    return ia_fail(err, INARCH_NOT_FOUND, name,
                   lacks_validation ? "give validation data: --val or --val-split" : hint,
                   "nothing is called '%s' to monitor", name);
}

static inarch_status monitor_set(const ia_run *r, run_monitor *m, const char *name,
                                 const char *mode, inarch_error *err)
{
    snprintf(m->name, sizeof m->name, "%s", name);
    m->best = (double)NAN;
    m->best_epoch = SIZE_MAX;
    m->column = ia_history_column(r->history, name);
    if (m->column == SIZE_MAX)
        return no_column(r, name, err);
    bool validation = r->scorer && m->column >= r->validation_column;
    if (!mode || strcmp(mode, "auto") == 0)
        m->up = ia_score_up(r->score, m->column - (validation ? r->validation_column : 0));
    else if (strcmp(mode, "min") == 0 || strcmp(mode, "max") == 0)
        m->up = mode[1] == 'a';
    else
        return ia_fail(err, INARCH_BAD_ARGUMENT, "mode", "it is auto, min or max",
                       "the mode cannot be '%s'", mode);
    return INARCH_OK;
}

inarch_status monitor_init(ia_run *r, inarch_error *err)
{
    const char *name = r->o.monitor ? r->o.monitor : r->scorer ? "val_loss" : "loss";
    if (r->o.early_stopping)
        IA_TRY(monitor_set(r, &r->monitor, name, r->o.mode, err));
    if (ia_schedule_is_plateau(&r->schedule)) {
        name = r->schedule.monitor[0] ? r->schedule.monitor : "val_loss";
        if (!r->scorer && strcmp(name, "val_loss") == 0)
            name = "loss";
        IA_TRY(monitor_set(r, &r->plateau_monitor, name, NULL, err));
    }
    return INARCH_OK;
}

/* Keras takes a first NaN as the best and stays with it; here the first finite value beats it. */
static bool beats(const run_monitor *m, double value, double min_delta, double reference)
{
    return m->up ? value - min_delta > reference : value + min_delta < reference;
}

static bool improves(const run_monitor *m, double value, double min_delta)
{
    if (m->best_epoch == SIZE_MAX)
        return true;
    if (isnan(m->best))
        return !isnan(value);
    return beats(m, value, min_delta, m->best);
}

/* Keras never stops after the first epoch, whatever the patience. */
static void early_stopping(ia_run *r, double value, size_t epoch)
{
    const ia_fit_options *o = &r->o;
    double min_delta = fabs(o->min_delta);
    if (epoch > 0 && epoch - 1 < o->start_from_epoch)
        return;
    r->monitor.wait += epoch > 0;
    if (improves(&r->monitor, value, min_delta)) {
        r->monitor.best = value;
        r->monitor.best_epoch = epoch;
        if (o->restore_best)
            ia_snapshot_take(&r->best);
        if (isnan(o->baseline) || beats(&r->monitor, value, min_delta, o->baseline))
            r->monitor.wait = 0;
        return;
    }
    if (r->monitor.wait >= o->patience && epoch > 1) {
        r->stopped = true;
        r->history->stopped_early = 1;
        snprintf(r->history->note, sizeof r->history->note,
                 "stopped after epoch %zu: '%.100s' did not improve for %zu epochs", epoch,
                 r->monitor.name, r->monitor.wait);
    }
}

void monitor_epoch(ia_run *r, size_t epoch)
{
    const ia_history *h = r->history;
    const double *row = h->value + (h->rows - 1) * h->columns;
    if (r->o.early_stopping)
        early_stopping(r, row[r->monitor.column], epoch);
    if (epoch > 0 && ia_schedule_is_plateau(&r->schedule))
        ia_plateau_epoch(&r->schedule, &r->plateau, row[r->plateau_monitor.column],
                         r->plateau_monitor.up);
}
