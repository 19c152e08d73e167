/* Drawing progress from the events of inarch_fit. Everything goes to stderr but the log. */
#include "progress.h"

#include "files.h"
#include "signals.h"
#include "text.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define REDRAW_SECONDS 0.1
#define BAR_COLUMNS 20
#define WIPE "\r\033[K"

/* ---- rows of the history ---- */

void progress_print_row(FILE *f, const inarch_history *h, int64_t row, bool rates)
{
    const char *name;
    for (size_t i = 0; (name = inarch_history_name(h, i)); i++) {
        double v = inarch_history_get(h, row, name);
        if (isnan(v) || (!rates && strcmp(name, "learning_rate") == 0))
            continue;
        fputs("  ", f);
        text_put(f, name);
        fprintf(f, " %#.4g", v);
    }
}

void progress_json_row(json_out *j, const inarch_history *h, int64_t row)
{
    const char *name;
    for (size_t i = 0; (name = inarch_history_name(h, i)); i++)
        jw_real(j, name, inarch_history_get(h, row, name));
}

/* ---- the bar ---- */

/* Of the largest epoch, so that lines stand under each other. */
static int digits(size_t n)
{
    int d = 1;
    for (; n > 9; n /= 10)
        d++;
    return d;
}

static void draw(progress *p, const inarch_event *e)
{
    char bar[BAR_COLUMNS + 1];
    size_t full = e->batches ? BAR_COLUMNS * e->batch / e->batches : 0;
    full = full > BAR_COLUMNS ? BAR_COLUMNS : full;
    memset(bar, ' ', BAR_COLUMNS);
    memset(bar, '=', full);
    if (full && full < BAR_COLUMNS)
        bar[full - 1] = '>';
    bar[BAR_COLUMNS] = 0;
    fputs(WIPE, stderr);
    if (e->kind == INARCH_EVENT_CACHE)
        fprintf(stderr, "features [%s] %zu/%zu", bar, e->batch, e->batches);
    else
        fprintf(stderr, "epoch %*zu/%zu [", digits(e->epochs), e->epoch, e->epochs);
    if (e->kind == INARCH_EVENT_BATCH) {
        text_colour(stderr, "32");
        fputs(bar, stderr);
        text_colour(stderr, "");
        fprintf(stderr, "] %zu/%zu  loss %#.4g", e->batch, e->batches, e->loss);
    }
    fflush(stderr);
    p->drawn = true;
}

static void maybe_draw(progress *p, const inarch_event *e)
{
    double now = files_clock();
    if (p->mode != PROGRESS_BAR || now - p->last < REDRAW_SECONDS)
        return;
    p->last = now;
    draw(p, e);
}

static void wipe(progress *p)
{
    if (p->drawn)
        fputs(WIPE, stderr);
    p->drawn = false;
}

/* ---- epochs ---- */

static void say_seconds(double s)
{
    if (s < 1)
        fprintf(stderr, "  %.0f ms", s * 1000);
    else
        fprintf(stderr, "  %.1f s", s);
}

static void say_epoch(progress *p, const inarch_event *e)
{
    if (p->mode == PROGRESS_NONE)
        return;
    wipe(p);
    if (e->epoch == 0)
        fputs("before training", stderr);
    else
        fprintf(stderr, "epoch %*zu/%zu", digits(e->epochs), e->epoch, e->epochs);
    progress_print_row(stderr, e->history, -1, p->rates);
    if (e->epoch > 0)
        say_seconds(files_clock() - p->epoch_start);
    putc('\n', stderr);
    fflush(stderr);
}

static void log_epoch(progress *p, const inarch_event *e)
{
    json_out j = JSON_OUT;
    if (!p->log || p->log_error)
        return;
    jw_object(&j, NULL);
    jw_count(&j, "epoch", e->epoch);
    progress_json_row(&j, e->history, -1);
    jw_real(&j, "seconds",
            floor((files_clock() - p->epoch_start) * 1e6 + 0.5) / 1e6); /* of the epoch */
    jw_object_end(&j);
    const char *text = jw_text(&j);
    errno = ENOMEM;
    if (!text || fprintf(p->log, "%s\n", text) < 0 || fflush(p->log))
        p->log_error = errno;
    jw_free(&j);
}

int32_t progress_event(void *context, const inarch_event *e)
{
    progress *p = context;
    if (e->kind == INARCH_EVENT_EPOCH) {
        say_epoch(p, e);
        log_epoch(p, e);
        p->epoch_start = files_clock();
    } else {
        maybe_draw(p, e);
    }
    return signals_caught() || p->log_error ? INARCH_STOP : INARCH_CONTINUE;
}

/* ---- beginning and end ---- */

inarch_status progress_open(progress *p, const cli_args *a, inarch_error *err)
{
    *p = (progress){.path = cli_text(a, OPT_LOG)};
    p->mode = a->quiet ? PROGRESS_NONE : text_terminal(stderr) ? PROGRESS_BAR : PROGRESS_LINES;
    p->epoch_start = files_clock();
    if (!p->path)
        return INARCH_OK;
    p->log = strcmp(p->path, "-") == 0 ? stdout : fopen(p->path, "w");
    return p->log ? INARCH_OK : cli_fail_os(err, "cannot write", p->path);
}

inarch_status progress_close(progress *p, inarch_error *err)
{
    wipe(p);
    if (p->log && p->log != stdout && fclose(p->log) && !p->log_error)
        p->log_error = errno;
    p->log = NULL;
    if (!p->log_error)
        return INARCH_OK;
    errno = p->log_error;
    return cli_fail_os(err, "cannot write", p->path);
}
