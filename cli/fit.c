/* The run of train and tune. The order matters: outputs are checked first, signals are held only
 * while training and writing, and results are printed when the file is whole. */
#include "fit.h"

#include "files.h"
#include "plan.h"
#include "progress.h"
#include "signals.h"
#include "text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct fit_job {
    const cli_args *args;
    inarch_model *m;
    const inarch_data *data;
    inarch_data *val;
    inarch_fit_options options;
    inarch_fit_plan plan;
    inarch_history *history;
    const char *output;
    double seconds;
} fit_job;

/* Options that say nothing without another one: better told than passed over. */
static inarch_status check_companions(const cli_args *a, const inarch_fit_options *o,
                                      inarch_error *err)
{
    static const char *const stopping[] = {"patience", "monitor", "mode", "min_delta"};
    static const int of_val[] = {OPT_VAL_LABELS, OPT_VAL_WEIGHTS};
    for (size_t i = 0; !o->early_stopping && i < CLI_COUNT(stopping); i++)
        if (cli_field_given(a, "fit", stopping[i]))
            return cli_usage(err,
                             "add --early-stopping; for a falling rate: --schedule "
                             "'plateau(patience=5)'",
                             "--%s says nothing without --early-stopping",
                             strcmp(stopping[i], "min_delta") == 0 ? "min-delta" : stopping[i]);
    for (size_t i = 0; !cli_given(a, OPT_VAL) && i < CLI_COUNT(of_val); i++)
        if (cli_given(a, of_val[i]))
            return cli_usage(err, "add --val D; rows split off --data have its labels and weights",
                             "--%s says nothing without --val", cli_option_row(of_val[i])->name);
    return INARCH_OK;
}

inarch_status fit_check(const cli_args *a, inarch_error *err)
{
    inarch_fit_options o = INARCH_FIT_OPTIONS;
    inarch_save_options save = INARCH_SAVE_OPTIONS;
    const char *path, *log = cli_text(a, OPT_LOG);
    CLI_TRY(cli_need(a, OPT_DATA, &path, err));
    CLI_TRY(cli_apply(a, "fit", &o, err));
    CLI_TRY(check_companions(a, &o, err));
    if (cli_given(a, OPT_VAL) && cli_field_given(a, "fit", "val_split"))
        return cli_usage(err, "", "--val and --val-split exclude each other");
    if (cli_given(a, OPT_DRY_RUN))
        return INARCH_OK;
    CLI_TRY(cli_need(a, OPT_OUTPUT, &path, err));
    if (strcmp(path, "-") == 0)
        return cli_usage(err, "", "a model cannot be written to standard output");
    CLI_TRY(files_check_output(a, "-o", path, err));
    CLI_TRY(cli_apply(a, "save", &save, err));
    CLI_TRY(inarch_save_check(path, &save, err));
    if (o.checkpoint)
        CLI_TRY(files_check_output(a, "--checkpoint", o.checkpoint, err));
    if (!log)
        return INARCH_OK;
    if (files_same(log, path))
        return cli_usage(err, "", "--log and -o are both '%s'", log);
    if (a->json && strcmp(log, "-") == 0)
        return cli_usage(err, "", "--json and --log - both write to standard output");
    return files_check_output(a, "--log", log, err);
}

inarch_status fit_seed(const cli_args *a, uint64_t *out, inarch_error *err)
{
    inarch_fit_options o = INARCH_FIT_OPTIONS;
    CLI_TRY(cli_apply(a, "fit", &o, err));
    *out = o.seed;
    return INARCH_OK;
}

/* ---- the result ---- */

/* The row of the epoch whose weights the model has: the last, where none was kept. */
static int64_t kept_row(const inarch_history *h)
{
    size_t best = inarch_history_best(h);
    for (size_t i = 0; i < inarch_history_rows(h); i++)
        if (inarch_history_epoch(h, i) == best)
            return (int64_t)i;
    return -1;
}

static void print_epoch(const fit_job *j, const char *what, int64_t row)
{
    size_t rows = inarch_history_rows(j->history);
    size_t at = row < 0 ? rows - 1 : (size_t)row, epoch = inarch_history_epoch(j->history, at);
    printf("%s", what);
    if (epoch == 0)
        printf("the model as it was");
    else
        printf("epoch %zu", epoch);
    progress_print_row(stdout, j->history, row, false);
    putchar('\n');
}

static void print_result(const fit_job *j)
{
    char bytes[TEXT_NUMBER];
    size_t rows = inarch_history_rows(j->history);
    int64_t kept = kept_row(j->history);
    const char *note = inarch_history_note(j->history);
    if (rows > 0 && (kept < 0 || (size_t)kept == rows - 1)) {
        print_epoch(j, "result: ", -1);
    } else if (rows > 0) {
        print_epoch(j, "last: ", -1);
        print_epoch(j, "kept: ", kept);
    }
    if (*note) {
        text_put(stdout, note);
        putchar('\n');
    }
    text_put(stdout, j->output);
    uint64_t size = files_size(j->output);
    printf(" written%s%s%s, %.2f seconds\n", size ? " (" : "", size ? text_bytes(size, bytes) : "",
           size ? ")" : "", j->seconds);
}

static void json_result(const fit_job *j, json_out *json)
{
    jw_object(json, NULL);
    plan_json(json, "plan", &j->plan, j->options.seed);
    jw_array(json, "epochs");
    for (size_t i = 0; i < inarch_history_rows(j->history); i++) {
        jw_object(json, NULL);
        jw_count(json, "epoch", inarch_history_epoch(j->history, i));
        progress_json_row(json, j->history, (int64_t)i);
        jw_object_end(json);
    }
    jw_array_end(json);
    int64_t kept = kept_row(j->history);
    size_t rows = inarch_history_rows(j->history);
    if (rows)
        jw_count(json, "kept_epoch",
                 inarch_history_epoch(j->history, kept < 0 ? rows - 1 : (size_t)kept));
    else
        jw_null(json, "kept_epoch");
    jw_string(json, "note", inarch_history_note(j->history));
    jw_string(json, "interrupted", signals_caught() ? signals_name(signals_caught()) : NULL);
    jw_string(json, "file", j->output);
    jw_count(json, "bytes", files_size(j->output));
    jw_real(json, "seconds", floor(j->seconds * 1000 + 0.5) / 1000);
    jw_object_end(json);
}

/* ---- the run ---- */

static inarch_status save(const fit_job *j, inarch_error *err)
{
    inarch_save_options o = INARCH_SAVE_OPTIONS;
    CLI_TRY(cli_apply(j->args, "save", &o, err));
    return inarch_save(j->m, j->output, &o, err);
}

/* A log that cannot be written ends the training; it is told when the model so far is safe. */
static inarch_status train_and_save(fit_job *j, inarch_error *err)
{
    progress p;
    inarch_error log_error;
    double start = files_clock();
    CLI_TRY(progress_open(&p, j->args, err));
    p.rates = strcmp(j->plan.schedule, "constant") != 0;
    j->options.event = progress_event;
    j->options.context = &p;
    inarch_status status = inarch_fit(j->m, j->data, &j->options, &j->history, err);
    inarch_status logged = progress_close(&p, &log_error);
    if (status == INARCH_OK)
        status = save(j, err);
    j->seconds = files_clock() - start;
    if (status == INARCH_OK && logged != INARCH_OK) {
        status =
            cli_fail(err, logged, log_error.subject, "",
                     "%s; training ended there, '%s' is written", log_error.message, j->output);
    }
    return status;
}

static inarch_status dry_run(const fit_job *j, json_out *json)
{
    if (!j->args->json) {
        plan_print(stdout, j->m, &j->plan, j->options.seed);
        return INARCH_OK;
    }
    jw_object(json, NULL);
    plan_json(json, "plan", &j->plan, j->options.seed);
    plan_json_layers(json, "layers", j->m);
    jw_object_end(json);
    return INARCH_OK;
}

static inarch_status run(fit_job *j, json_out *json, inarch_error *err)
{
    CLI_TRY(cli_apply(j->args, "fit", &j->options, err));
    CLI_TRY(files_open_val(j->args, j->m, &j->val, err));
    j->options.validation = j->val;
    j->plan.size = sizeof j->plan;
    CLI_TRY(inarch_fit_describe(j->m, j->data, &j->options, &j->plan, err));
    if (cli_given(j->args, OPT_DRY_RUN))
        return dry_run(j, json);
    signals_hold(); /* main.c releases them when the result is printed */
    if (!j->args->json) {
        plan_print_line(stdout, &j->plan, j->options.seed);
        fflush(stdout);
    }
    CLI_TRY(train_and_save(j, err));
    if (j->args->json)
        json_result(j, json);
    else
        print_result(j);
    return INARCH_OK;
}

inarch_status fit_run(const cli_args *a, inarch_model *m, const inarch_data *d, json_out *json,
                      inarch_error *err)
{
    fit_job j = {.args = a,
                 .m = m,
                 .data = d,
                 .options = INARCH_FIT_OPTIONS,
                 .output = cli_text(a, OPT_OUTPUT)};
    inarch_status status = run(&j, json, err);
    inarch_history_free(j.history);
    inarch_data_free(j.val);
    return status;
}
