/* Help, printed from the tables that parse. */
#include "cli.h"
#include "options.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_WIDTH 100
#define HELP_COLUMN 30 /* where the explanation of an option starts */
#define NAME_COLUMN 12 /* and of a command */

static size_t width(void)
{
    size_t columns = text_columns(stdout);
    return columns < MOST_WIDTH ? columns : MOST_WIDTH;
}

static void overview(void)
{
    puts("inarch: transfer learning for multi-layer perceptrons, with Keras' semantics\n");
    puts("usage: inarch COMMAND [ARGUMENTS] [OPTIONS]\n");
    for (size_t i = 0; i < cli_command_count; i++) {
        printf("  %-*s", NAME_COLUMN - 2, cli_commands[i]->name);
        text_wrap(stdout, cli_commands[i]->help, NAME_COLUMN, NAME_COLUMN, width());
    }
    puts("\n'inarch help COMMAND' tells more; 'inarch --version' the version");
}

/* "-o, --output FILE" */
static void option_name(const cli_option *o, char *out, size_t size)
{
    int n = o->letter ? snprintf(out, size, "-%c, --", o->letter) : snprintf(out, size, "--");
    for (const char *s = o->name; *s && (size_t)n + 1 < size; s++)
        out[n++] = *s == '_' ? '-' : *s;
    out[n] = 0;
    if (o->value)
        snprintf(out + n, size - (size_t)n, " %s", o->value);
}

static void print_option(const cli_option *o)
{
    char name[96], help[512];
    option_name(o, name, sizeof name);
    bool fallback = *o->fallback && o->value;
    snprintf(help, sizeof help, fallback ? "%s [%s]" : "%s", o->help, o->fallback);
    if (text_width(name) + 4 > HELP_COLUMN)
        printf("  %s\n%*s", name, HELP_COLUMN, "");
    else
        printf("  %-*s", HELP_COLUMN - 2, name);
    text_wrap(stdout, help, HELP_COLUMN, HELP_COLUMN, width());
}

static void print_group(const cli_option *options, size_t n, option_group group)
{
    bool first = true;
    for (size_t i = 0; i < n; i++) {
        if (options[i].group != group)
            continue;
        if (first)
            printf("\n%s:\n", option_groups[group]);
        first = false;
        print_option(&options[i]);
    }
}

static void details(const cli_command *c)
{
    size_t n;
    cli_option *options = cli_options_of(c, &n);
    printf("usage: inarch %s %s%s[OPTIONS]\n\n", c->name, c->words, *c->words ? " " : "");
    text_wrap(stdout, c->help, 0, 0, width());
    if (c->more) {
        putchar('\n');
        text_wrap(stdout, c->more, 0, 0, width());
    }
    for (int group = GROUP_MODEL; group <= GROUP_GENERAL; group++)
        print_group(options, n, (option_group)group);
    free(options);
}

inarch_status cli_help(const cli_command *command, inarch_error *err)
{
    (void)err;
    if (command)
        details(command);
    else
        overview();
    return INARCH_OK;
}
