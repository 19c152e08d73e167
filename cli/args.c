/* Parsing by the tables of options.c: "--opt value", "--opt=value", "-o value", "--" ends options.
 * Checks names and the presence of values; what values mean is judged by who uses them. */
#include "args.h"

#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- finding options ---- */

/* '_' and '-' are alike: fields have the one, options the other. */
static bool same_name(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char x = a[i] == '_' ? '-' : a[i], y = b[i] == '_' ? '-' : b[i];
        if (x != y || !x)
            return false;
    }
    return a[n] == 0;
}

static const cli_option *find_name(const cli_args *a, const char *name, size_t n)
{
    for (size_t i = 0; i < a->option_count; i++)
        if (same_name(a->options[i].name, name, n))
            return &a->options[i];
    return NULL;
}

static const cli_option *find_letter(const cli_args *a, char letter)
{
    for (size_t i = 0; i < a->option_count; i++)
        if (letter && a->options[i].letter == letter)
            return &a->options[i];
    return NULL;
}

static void dashes(char *s)
{
    for (; *s; s++)
        *s = *s == '_' ? '-' : *s;
}

static inarch_status unknown_option(const cli_args *a, const char *item, size_t n,
                                    inarch_error *err)
{
    char *given = text_copy(item, n), hint[128];
    const char **names = text_alloc(NULL, a->option_count * sizeof *names);
    for (size_t i = 0; i < a->option_count; i++)
        names[i] = a->options[i].name;
    const char *near = cli_nearest(given + strspn(given, "-"), names, a->option_count);
    if (near) {
        char *name = text_copy(near, strlen(near));
        dashes(name);
        snprintf(hint, sizeof hint, "did you mean '--%s'?", name);
        free(name);
    } else {
        snprintf(hint, sizeof hint, "'inarch help %s' lists the options",
                 a->command ? a->command->name : "COMMAND");
    }
    inarch_status status = cli_usage(err, hint, "unknown option '%s'", given);
    free(names);
    free(given);
    return status;
}

/* ---- --args FILE ---- */

typedef struct item_list {
    const char **items;
    size_t n, room;
} item_list;

static void push(item_list *l, const char *item)
{
    if (l->n == l->room) {
        l->room = l->room ? l->room * 2 : 64;
        l->items = text_alloc(l->items, l->room * sizeof *l->items);
    }
    l->items[l->n++] = item;
}

static void keep_line(cli_args *a, char *line)
{
    a->lines = text_alloc(a->lines, (a->line_count + 1) * sizeof *a->lines);
    a->lines[a->line_count++] = line;
}

/* Empty lines are left out; an argument that is empty can only be given by hand. */
static inarch_status push_file(cli_args *a, const char *path, item_list *l, inarch_error *err)
{
    FILE *f = fopen(path, "r");
    if (!f)
        return cli_fail_os(err, "cannot open", path);
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    inarch_status status = INARCH_OK;
    while (status == INARCH_OK && (n = getline(&line, &room, f)) >= 0) {
        while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
            n--;
        if (n == 0)
            continue;
        char *copy = text_copy(line, (size_t)n);
        keep_line(a, copy);
        push(l, copy);
        if (strcmp(copy, "--args") == 0 || strncmp(copy, "--args=", 7) == 0)
            status = cli_usage(err, "", "'%s' may not name a further --args file", path);
    }
    if (status == INARCH_OK && ferror(f))
        status = cli_fail_os(err, "cannot read", path);
    free(line);
    fclose(f);
    return status;
}

inarch_status cli_args_expand(cli_args *a, int argc, char **argv, const char ***out, size_t *n,
                              inarch_error *err)
{
    item_list l = {NULL, 0, 0};
    bool open = true; /* no "--" yet */
    inarch_status status = INARCH_OK;
    for (int i = 1; i < argc && status == INARCH_OK; i++) {
        bool bare = strcmp(argv[i], "--args") == 0;
        if (open && strncmp(argv[i], "--args=", 7) == 0)
            status = push_file(a, argv[i] + 7, &l, err);
        else if (open && bare && i + 1 < argc)
            status = push_file(a, argv[++i], &l, err);
        else if (open && bare)
            status = cli_usage(err, "", "option '--args' needs a value");
        else
            push(&l, argv[i]);
        open = open && strcmp(argv[i], "--") != 0;
    }
    push(&l, NULL);
    *out = l.items;
    *n = l.n - 1;
    return status;
}

/* ---- words and values ---- */

static void put_value(cli_args *a, const cli_option *o, const char *text)
{
    a->values[a->value_count++] = (cli_value){o, text};
    a->json = a->json || o->id == OPT_JSON;
    a->quiet = a->quiet || o->id == OPT_QUIET;
}

/* "--data --json", "--data -o x": the value was forgotten. */
static bool looks_like_option(const cli_args *a, const char *item)
{
    if (strncmp(item, "--", 2) == 0)
        return find_name(a, item + 2, strcspn(item + 2, "="));
    return item[0] == '-' && item[1] && !item[2] && find_letter(a, item[1]);
}

static inarch_status take_option(cli_args *a, const char *const *items, size_t n, size_t *at,
                                 inarch_error *err)
{
    const char *item = items[(*at)++];
    bool is_long = item[1] == '-';
    size_t len = is_long ? strcspn(item, "=") : 2;
    const cli_option *o = is_long ? find_name(a, item + 2, len - 2) : find_letter(a, item[1]);
    if (!o) /* "-lr" is told whole */
        return unknown_option(a, item, strcspn(item, "="), err);
    const char *text = item[len] ? item + len + is_long : NULL;
    if (!o->value && text)
        return cli_usage(err, "", "option '%.*s' takes no value", (int)len, item);
    if (o->value && !text && *at < n && !looks_like_option(a, items[*at]))
        text = items[(*at)++];
    if (o->value && !text) {
        char hint[128];
        snprintf(hint, sizeof hint, "%.*s %s", (int)len, item, o->value);
        return cli_usage(err, hint, "option '%.*s' needs a value", (int)len, item);
    }
    put_value(a, o, text);
    return INARCH_OK;
}

static inarch_status check_words(const cli_args *a, inarch_error *err)
{
    const cli_command *c = a->command;
    char hint[160];
    snprintf(hint, sizeof hint, "usage: inarch %s %s%s[OPTIONS]", c->name, c->words,
             *c->words ? " " : "");
    if (a->word_count < c->least)
        return cli_usage(err, hint, "%s needs a %s", c->name, c->words);
    if (a->word_count > c->most)
        return cli_usage(err, hint, "'%s' is one argument too many for %s", a->words[c->most],
                         c->name);
    return INARCH_OK;
}

void cli_args_free(cli_args *a)
{
    for (size_t i = 0; i < a->line_count; i++)
        free(a->lines[i]);
    free(a->lines);
    free(a->words);
    free(a->values);
    free(a->options);
}

/* ---- asking ---- */

const char *cli_text(const cli_args *a, int id)
{
    const char *text = NULL;
    for (size_t i = 0; i < a->value_count; i++)
        if (a->values[i].option->id == id)
            text = a->values[i].text;
    return text;
}

bool cli_given(const cli_args *a, int id)
{
    for (size_t i = 0; i < a->value_count; i++)
        if (a->values[i].option->id == id)
            return true;
    return false;
}

inarch_status cli_need(const cli_args *a, int id, const char **out, inarch_error *err)
{
    const cli_option *o = cli_option_row(id);
    char hint[96];
    *out = cli_text(a, id);
    if (*out)
        return INARCH_OK;
    snprintf(hint, sizeof hint, "'inarch help %s' lists the options", a->command->name);
    if (o->letter)
        return cli_usage(err, hint, "%s needs -%c %s", a->command->name, o->letter, o->value);
    return cli_usage(err, hint, "%s needs --%s %s", a->command->name, o->name, o->value);
}

inarch_status cli_number(const char *option, const char *text, size_t *out, inarch_error *err)
{
    char *end;
    errno = 0;
    unsigned long long v = strtoull(text, &end, 10);
    bool digits = text[0] >= '0' && text[0] <= '9' && !*end;
    if (!digits)
        return cli_usage(err, "", "option '--%s' takes a whole number, not '%s'", option, text);
    if (errno == ERANGE || v > SIZE_MAX)
        return cli_usage(err, "", "'--%s %s' is too large a number", option, text);
    *out = (size_t)v;
    return INARCH_OK;
}

inarch_status cli_pair(const char *option, const char *text, char **left, const char **right,
                       inarch_error *err)
{
    const char *equals = strchr(text, '=');
    if (!equals || !equals[1])
        return cli_usage(err, "", "option '--%s' takes two parts joined by '=', not '%s'", option,
                         text);
    *left = text_copy(text, (size_t)(equals - text));
    *right = equals + 1;
    return INARCH_OK;
}

bool cli_field_given(const cli_args *a, const char *kind, const char *field)
{
    for (size_t i = 0; i < a->value_count; i++) {
        const cli_option *o = a->values[i].option;
        if (o->field && strcmp(o->kind, kind) == 0 && strcmp(o->field, field) == 0)
            return true;
    }
    return false;
}

/* ---- the library's structs ---- */

static const struct {
    const char *variable, *field;
} environment[] = {{"INARCH_THREADS", "threads"}, {"INARCH_CPU", "cpu"}};

static bool has_field(const char *kind, const char *field)
{
    inarch_option o;
    for (size_t i = 0; inarch_option_at(kind, i, &o, NULL) == INARCH_OK; i++)
        if (strcmp(o.name, field) == 0)
            return true;
    return false;
}

static inarch_status apply_environment(const cli_args *a, const char *kind, void *options,
                                       inarch_error *err)
{
    for (size_t i = 0; i < CLI_COUNT(environment); i++) {
        const char *text = getenv(environment[i].variable), *field = environment[i].field;
        if (!text || !*text || cli_field_given(a, kind, field) || !has_field(kind, field))
            continue;
        inarch_error why;
        inarch_status status = inarch_option_set(kind, options, field, text, &why);
        if (status != INARCH_OK)
            return cli_usage(err, why.hint, "%s=%s: %s", environment[i].variable, text,
                             why.message);
    }
    return INARCH_OK;
}

/* The library speaks of fields; who typed an option is told of that: "--lr must be ...". */
static inarch_status bad_value(const cli_option *o, const inarch_error *why, inarch_error *err)
{
    size_t n = strlen(o->field);
    const char *rest = why->message + (strncmp(why->message, o->field, n) == 0 ? n : 0);
    if (strncmp(rest, " must ", 6) != 0 && strncmp(rest, " cannot be ", 11) != 0)
        return cli_usage(err, why->hint, "%s", why->message);
    char *name = text_copy(o->name, strlen(o->name));
    dashes(name);
    inarch_status status = cli_usage(err, why->hint, "--%s%s", name, rest);
    free(name);
    return status;
}

inarch_status cli_apply(const cli_args *a, const char *kind, void *options, inarch_error *err)
{
    for (size_t i = 0; i < a->value_count; i++) {
        const cli_value *v = &a->values[i];
        if (!v->option->field || strcmp(v->option->kind, kind) != 0)
            continue;
        inarch_error why;
        inarch_status status =
            inarch_option_set(kind, options, v->option->field, v->text ? v->text : "1", &why);
        if (status != INARCH_OK)
            return bad_value(v->option, &why, err);
    }
    return apply_environment(a, kind, options, err);
}

/* ---- the whole ---- */

/* Wrong usage before anything is read: the number of words, then values into structs of no use. */
static inarch_status check(const cli_args *a, inarch_error *err)
{
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    inarch_data_options data = INARCH_DATA_OPTIONS;
    inarch_run_options run = INARCH_RUN_OPTIONS;
    const struct {
        const char *kind;
        void *options;
    } structs[] = {{"fit", &fit}, {"data", &data}, {"run", &run}};
    CLI_TRY(check_words(a, err));
    for (const char *const *kind = a->command->kinds; kind && *kind; kind++)
        for (size_t i = 0; i < CLI_COUNT(structs); i++)
            if (strcmp(*kind, structs[i].kind) == 0)
                CLI_TRY(cli_apply(a, *kind, structs[i].options, err));
    return INARCH_OK;
}

inarch_status cli_args_parse(cli_args *a, const cli_command *command, const char *const *items,
                             size_t n, inarch_error *err)
{
    a->command = command;
    a->options = cli_options_of(command, &a->option_count);
    a->words = text_alloc(NULL, (n + 1) * sizeof *a->words);
    a->values = text_alloc(NULL, (n + 1) * sizeof *a->values);
    bool open = true;
    for (size_t at = 0; at < n;) {
        if (open && strcmp(items[at], "--") == 0) {
            open = false;
            at++;
        } else if (open && items[at][0] == '-' && items[at][1]) {
            CLI_TRY(take_option(a, items, n, &at, err));
        } else {
            a->words[a->word_count++] = items[at++];
        }
    }
    return cli_given(a, OPT_HELP) ? INARCH_OK : check(a, err);
}
