/* inarch list: what can be named, and the settings of what is named. */
#include "args.h"
#include "text.h"

#include <stdio.h>

static inarch_status unknown_kind(const char *kind, inarch_error *err)
{
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

/* The rows of a kind; INARCH_NOT_FOUND is their end. */
static inarch_status names(const char *kind, text_table *t, json_out *json, inarch_error *err)
{
    const char *name, *help;
    inarch_status status;
    for (size_t i = 0; (status = inarch_list(kind, i, &name, &help, err)) == INARCH_OK; i++) {
        text_cell(t, name);
        text_cell(t, help);
        jw_object(json, NULL);
        jw_string(json, "name", name);
        jw_string(json, "help", help);
        jw_object_end(json);
    }
    return status == INARCH_BAD_ARGUMENT ? unknown_kind(kind, err) : status;
}

/* The settings of one of them, in the order of values without a key. */
static inarch_status settings(const char *kind, const char *name, text_table *t, json_out *json,
                              inarch_error *err)
{
    char path[128];
    const char *unused;
    inarch_option o;
    inarch_status status;
    if (inarch_list(kind, 0, &unused, &unused, NULL) == INARCH_BAD_ARGUMENT)
        return unknown_kind(kind, err);
    snprintf(path, sizeof path, "%s/%s", kind, name);
    for (size_t i = 0; (status = inarch_option_at(path, i, &o, err)) == INARCH_OK; i++) {
        text_cell(t, o.name);
        text_cell(t, *o.fallback ? o.fallback : "(required)");
        text_cell(t, o.help);
        jw_object(json, NULL);
        jw_string(json, "name", o.name);
        jw_string(json, "type", o.type);
        jw_string(json, "default", *o.fallback ? o.fallback : NULL);
        jw_string(json, "help", o.help);
        jw_object_end(json);
    }
    return status == INARCH_BAD_ARGUMENT ? cli_usage(err, err->hint, "%s", err->message) : status;
}

static inarch_status run(const cli_args *a, json_out *json, inarch_error *err)
{
    static const text_column two[] = {{"", false, 0}, {"", false, 0}};
    static const text_column three[] = {
        {"setting", false, 0}, {"default", false, 0}, {"", false, 0}};
    bool one = a->word_count == 2;
    text_table t = {one ? three : two, one ? CLI_COUNT(three) : CLI_COUNT(two), NULL, 0, 0};
    const char *kind = a->word_count ? a->words[0] : "kinds";
    jw_array(json, NULL);
    inarch_status status = one ? settings(kind, a->words[1], &t, json, err) //
                               : names(kind, &t, json, err);
    jw_array_end(json);
    if (status == INARCH_NOT_FOUND) /* the end */
        status = INARCH_OK;
    if (status == INARCH_OK && !a->json && one && t.count == 0)
        printf("%s has no settings\n", a->words[1]);
    else if (status == INARCH_OK && !a->json)
        text_table_print(stdout, &t);
    text_table_free(&t);
    return status;
}

static const int options[] = {0};

const cli_command cli_list = {
    .name = "list",
    .words = "[KIND [NAME]]",
    .least = 0,
    .most = 2,
    .help = "what can be named: layers, losses, metrics, optimizers, formats, ...",
    .more = "Without KIND: the kinds. With NAME: its settings and their defaults, in the order in "
            "which values are taken: inarch list layers dense, inarch list optimizers adam.",
    .options = options,
    .run = run,
};
