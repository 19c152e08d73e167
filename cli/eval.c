/* inarch eval: loss and metrics of a model on labelled rows. */
#include "files.h"
#include "surgery.h"
#include "text.h"

#include <stdio.h>

static void print(const inarch_history *h)
{
    static const text_column columns[] = {{"", false, 0}, {"", false, 0}};
    text_table t = {columns, CLI_COUNT(columns), NULL, 0, 0};
    const char *name;
    char value[TEXT_NUMBER];
    for (size_t i = 0; (name = inarch_history_name(h, i)); i++) {
        snprintf(value, sizeof value, "%.6g", inarch_history_get(h, 0, name));
        text_cell(&t, name);
        text_cell(&t, value);
    }
    text_table_print(stdout, &t);
    text_table_free(&t);
}

static void put_json(json_out *j, const cli_args *a, size_t rows, const inarch_history *h)
{
    const char *name;
    jw_object(j, NULL);
    jw_string(j, "model", a->words[0]);
    jw_count(j, "rows", rows);
    jw_object(j, "metrics");
    for (size_t i = 0; (name = inarch_history_name(h, i)); i++)
        jw_real(j, name, inarch_history_get(h, 0, name));
    jw_object_end(j);
    jw_string(j, "note", inarch_history_note(h));
    jw_object_end(j);
}

static inarch_status run(const cli_args *a, json_out *json, inarch_error *err)
{
    inarch_model *m = NULL;
    inarch_data *d = NULL;
    inarch_history *h = NULL;
    inarch_run_options o = INARCH_RUN_OPTIONS;
    inarch_data_info info = {.size = sizeof info};
    const char *path;
    inarch_status status;
    CLI_TRY_GOTO(cli_need(a, OPT_DATA, &path, err));
    CLI_TRY_GOTO(cli_apply(a, "run", &o, err));
    CLI_TRY_GOTO(inarch_load(a->words[0], NULL, &m, err));
    CLI_TRY_GOTO(surgery_name_classes(a, m, err));
    CLI_TRY_GOTO(files_open_data(a, m, FILES_TEST, &d, err));
    CLI_TRY_GOTO(inarch_data_get_info(d, &info, err));
    CLI_TRY_GOTO(inarch_evaluate(m, d, &o, &h, err));
    if (a->json)
        put_json(json, a, info.rows, h);
    else
        print(h);
    if (*inarch_history_note(h) && !a->quiet) {
        fputs("note: ", stderr);
        text_put(stderr, inarch_history_note(h));
        putc('\n', stderr);
    }
done:
    inarch_history_free(h);
    inarch_data_free(d);
    inarch_free(m);
    return status;
}

static const int options[] = {OPT_DATA, OPT_CLASS_NAMES, 0};
static const char *const kinds[] = {"data", "run", NULL};

const cli_command cli_eval = {
    .name = "eval",
    .words = "MODEL",
    .least = 1,
    .most = 1,
    .help = "loss and metrics: --data D",
    .more =
        "Evaluates the test part of an .npz that has parts; --part train takes the other. Loss and "
        "metrics are the file's unless they are named.",
    .options = options,
    .kinds = kinds,
    .run = run,
};
