/* inarch list: what can be named. */
#include "args.h"
#include "text.h"

#include <stdio.h>

static inarch_status next(const char *kind, size_t i, const char **name, const char **help,
                          inarch_error *err)
{
    inarch_status status = inarch_list(kind, i, name, help, err);
    if (status != INARCH_BAD_ARGUMENT)
        return status;
    const char *kinds[64], *unused;
    size_t n = 0;
    char hint[128] = "'inarch list' shows the kinds";
    while (n < CLI_COUNT(kinds) && inarch_list("kinds", n, &kinds[n], &unused, NULL) == INARCH_OK)
        n++;
    const char *near = cli_nearest(kind, kinds, n);
    if (near)
        snprintf(hint, sizeof hint, "did you mean '%s'?", near);
    return cli_usage(err, hint, "there is no list of '%s'", kind);
}

static inarch_status run(const cli_args *a, json_out *json, inarch_error *err)
{
    static const text_column columns[] = {{"", false, 0}, {"", false, 0}};
    text_table t = {columns, CLI_COUNT(columns), NULL, 0, 0};
    const char *kind = a->word_count ? a->words[0] : "kinds", *name, *help;
    inarch_status status;
    jw_array(json, NULL);
    for (size_t i = 0; (status = next(kind, i, &name, &help, err)) == INARCH_OK; i++) {
        text_cell(&t, name);
        text_cell(&t, help);
        jw_object(json, NULL);
        jw_string(json, "name", name);
        jw_string(json, "help", help);
        jw_object_end(json);
    }
    jw_array_end(json);
    if (status == INARCH_NOT_FOUND) /* the end */
        status = INARCH_OK;
    if (status == INARCH_OK && !a->json)
        text_table_print(stdout, &t);
    text_table_free(&t);
    return status;
}

static const int options[] = {0};

const cli_command cli_list = {
    .name = "list",
    .words = "[KIND]",
    .least = 0,
    .most = 1,
    .help = "what can be named: layers, losses, metrics, optimizers, formats, ...",
    .more = "Without KIND: the kinds.",
    .options = options,
    .run = run,
};
