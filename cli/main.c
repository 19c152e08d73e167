/* The program: finds the command, runs it, prints its error or its JSON, decides the exit status.
 *
 * 0: done; 1: the work failed; 2: wrong usage. Nothing else prints errors. */
#include "args.h"
#include "signals.h"
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_DONE, EXIT_FAILED, EXIT_USAGE };

/* ---- errors ---- */

static void print_error(const inarch_error *e)
{
    text_colour(stderr, "1;31");
    fputs("inarch:", stderr);
    text_colour(stderr, "");
    putc(' ', stderr);
    if (*e->subject && !strstr(e->message, e->subject)) {
        text_put(stderr, e->subject);
        fputs(": ", stderr);
    }
    text_put(stderr, e->message);
    putc('\n', stderr);
    if (*e->hint) {
        fputs("hint: ", stderr);
        text_put(stderr, e->hint);
        putc('\n', stderr);
    }
}

static void error_json(json_out *j, const inarch_error *e)
{
    inarch_status status = e->status == CLI_USAGE ? INARCH_BAD_ARGUMENT : e->status;
    jw_object(j, "error");
    jw_count(j, "status", (uint64_t)status);
    jw_string(j, "name", inarch_status_name(status));
    jw_string(j, "subject", e->subject);
    jw_string(j, "message", e->message);
    jw_string(j, "hint", e->hint);
    jw_object_end(j);
}

/* {"schema":1,"command":...,"result":...} or with "error". */
static void print_json(const char *command, const json_out *result, const inarch_error *e)
{
    json_out j = JSON_OUT;
    jw_object(&j, NULL);
    jw_count(&j, "schema", 1);
    jw_string(&j, "command", command);
    if (e)
        error_json(&j, e);
    if (jw_text(&j))
        fputs(jw_text(&j), stdout);
    if (!e) /* may be large: not copied */
        printf(",\"result\":%s", jw_text(result));
    puts("}");
    jw_free(&j);
}

/* What was printed must have arrived: a full disk is a failure, a reader that left is none. */
static inarch_status close_stdout(inarch_error *err)
{
    char reason[128];
    errno = 0;
    bool failed = ferror(stdout) != 0;
    failed = fflush(stdout) || failed;
    if (!failed)
        return INARCH_OK;
    if (errno == EPIPE)
        signals_die_of_pipe();
    return cli_fail(err, INARCH_IO, "", "", "cannot write to standard output: %s",
                    errno ? cli_reason(errno, reason, sizeof reason) : "an earlier write failed");
}

/* ---- commands ---- */

static inarch_status no_command(const char *name, inarch_error *err)
{
    const char *names[16] = {NULL};
    char hint[96] = "'inarch help' lists the commands";
    size_t n = 0;
    if (name[0] == '-')
        return cli_usage(err, "inarch COMMAND [ARGUMENTS] [OPTIONS]",
                         "a command must come before '%s'", name);
    for (; n < cli_command_count && n < CLI_COUNT(names); n++)
        names[n] = cli_commands[n]->name;
    const char *near = cli_nearest(name, names, n);
    for (size_t i = 0; !near && i < n; i++) /* "evaluate", "feature" */
        if (strncmp(name, names[i], strlen(names[i])) == 0)
            near = names[i];
    if (near)
        snprintf(hint, sizeof hint, "did you mean '%s'?", near);
    return cli_usage(err, hint, "unknown command '%s'", name);
}

static inarch_status run_command(cli_args *a, const cli_command *c, const char *const *items,
                                 size_t n, json_out *json, inarch_error *err)
{
    CLI_TRY(cli_args_parse(a, c, items, n, err));
    if (cli_given(a, OPT_HELP))
        return cli_help(c, err);
    CLI_TRY(c->run(a, json, err));
    if (a->json && !jw_text(json))
        return cli_fail(err, INARCH_NO_MEMORY, "", "", "not enough memory for the result");
    if (a->json)
        print_json(c->name, json, NULL);
    return INARCH_OK;
}

static bool is_one_of(const char *item, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(item, *words) == 0)
            return true;
    return false;
}

/* `help COMMAND`; `help layers dense` is what `list layers dense` says. */
static inarch_status help(cli_args *a, const char *const *items, size_t n, json_out *json,
                          inarch_error *err)
{
    const char *name, *unused;
    const cli_command *c = n > 0 ? cli_command_find(items[0]) : NULL;
    if (n == 0 || c)
        return cli_help(c, err);
    for (size_t i = 0; inarch_list("kinds", i, &name, &unused, NULL) == INARCH_OK; i++)
        if (strcmp(name, items[0]) == 0)
            return run_command(a, &cli_list, items, n, json, err);
    return no_command(items[0], err);
}

/* "--quiet tune ..." is "tune --quiet ...". */
static void command_first(const char **items, size_t n)
{
    static const char *const flags[] = {"--quiet", "--json", NULL};
    size_t at = 0;
    while (at < n && is_one_of(items[at], flags))
        at++;
    if (at == 0 || at == n)
        return;
    const char *command = items[at];
    memmove(items + 1, items, at * sizeof *items);
    items[0] = command;
}

static inarch_status dispatch(cli_args *a, const char *const *items, size_t n, json_out *json,
                              inarch_error *err)
{
    if (n == 0)
        return cli_usage(err, "'inarch help' lists the commands", "a command is missing");
    static const char *const version[] = {"--version", "-V", "version", NULL};
    static const char *const helps[] = {"help", "--help", "-h", NULL};
    if (is_one_of(items[0], version)) {
        printf("inarch %s\n", inarch_version());
        return INARCH_OK;
    }
    if (is_one_of(items[0], helps))
        return help(a, items + 1, n - 1, json, err);
    const cli_command *c = cli_command_find(items[0]);
    return c ? run_command(a, c, items + 1, n - 1, json, err) : no_command(items[0], err);
}

static bool wants_json(const char *const *items, size_t n)
{
    for (size_t i = 0; i < n && strcmp(items[i], "--") != 0; i++)
        if (strcmp(items[i], "--json") == 0)
            return true;
    return false;
}

int main(int argc, char **argv)
{
    cli_args a = {.json = false};
    json_out json = JSON_OUT;
    inarch_error err = {0};
    const char **items;
    size_t n;
    inarch_status status = cli_args_expand(&a, argc, argv, &items, &n, &err);
    if (status == INARCH_OK) {
        command_first(items, n);
        status = dispatch(&a, items, n, &json, &err);
    }
    if (status != INARCH_OK && wants_json(items, n)) {
        const cli_command *c = n ? cli_command_find(items[0]) : NULL;
        print_json(c ? c->name : NULL, NULL, &err);
    }
    inarch_error late;
    if (close_stdout(&late) != INARCH_OK && status == INARCH_OK) {
        err = late;
        status = late.status;
    }
    if (status != INARCH_OK)
        print_error(&err);
    jw_free(&json);
    cli_args_free(&a);
    free(items);
    signals_release();
    return status == INARCH_OK ? EXIT_DONE : status == CLI_USAGE ? EXIT_USAGE : EXIT_FAILED;
}
