/* Arguments of one call: words, and option values in the order they were given. */
#ifndef INARCH_CLI_ARGS_H
#define INARCH_CLI_ARGS_H

#include "cli.h"
#include "options.h"

typedef struct cli_value {
    const cli_option *option;
    const char *text; /* NULL for a flag */
} cli_value;

typedef struct cli_args {
    const cli_command *command;
    cli_option *options; /* all that the command has */
    size_t option_count;
    const char **words; /* without the command */
    size_t word_count;
    cli_value *values;
    size_t value_count;
    char **lines; /* of --args files: what words and values point into */
    size_t line_count;
    bool json, quiet;
} cli_args;

/* argv with the lines of --args files in place, "--args F" and "--args=F" taken out. The strings
 * and the list live in `a`. */
inarch_status cli_args_expand(cli_args *a, int argc, char **argv, const char ***out, size_t *n,
                              inarch_error *err);
/* Sorts what follows the command into words and values. The number of words is checked. */
inarch_status cli_args_parse(cli_args *a, const cli_command *command, const char *const *items,
                             size_t n, inarch_error *err);
void cli_args_free(cli_args *a);

/* The last value given; NULL when there is none. */
const char *cli_text(const cli_args *a, int id);
bool cli_given(const cli_args *a, int id);
/* The same, or an error that says what the command needs. */
inarch_status cli_need(const cli_args *a, int id, const char **out, inarch_error *err);
/* A whole number from 0 on; the option is named in the message. */
inarch_status cli_number(const char *option, const char *text, size_t *out, inarch_error *err);
/* Splits "a=b" at the first '='; wrong usage when there is none. *left is to be freed. */
inarch_status cli_pair(const char *option, const char *text, char **left, const char **right,
                       inarch_error *err);

/* Sets the fields of a library's options struct from what was given, and from INARCH_THREADS and
 * INARCH_CPU where it has `threads` and `cpu` and they were not given. */
inarch_status cli_apply(const cli_args *a, const char *kind, void *options, inarch_error *err);
/* Whether a field of a library's struct was given. */
bool cli_field_given(const cli_args *a, const char *kind, const char *field);

#endif
