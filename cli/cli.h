/* The command line: commands are rows of one table (commands.c), options rows of another
 * (options.c).
 *
 * The CLI knows inarch.h and nothing else of the library. A command prints its result to stdout, or
 * fills `json`; chatter goes to stderr. Errors are returned, and printed in one place (main.c). */
#ifndef INARCH_CLI_H
#define INARCH_CLI_H

#include "inarch.h"
#include "json_out.h"

#include <stdbool.h>

#define CLI_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Wrong usage, exit status 2, as opposed to work that failed, 1. */
#define CLI_USAGE (-1)

#define CLI_TRY(call)                                                                              \
    do {                                                                                           \
        inarch_status cli_try_status_ = (call);                                                    \
        if (cli_try_status_ != INARCH_OK)                                                          \
            return cli_try_status_;                                                                \
    } while (0)

#define CLI_TRY_GOTO(call)                                                                         \
    do {                                                                                           \
        status = (call);                                                                           \
        if (status != INARCH_OK)                                                                   \
            goto done;                                                                             \
    } while (0)

#define CLI_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* Fills *err and returns `status`. */
CLI_PRINTF(5, 6)
inarch_status cli_fail(inarch_error *err, inarch_status status, const char *subject,
                       const char *hint, const char *format, ...);
/* The same for wrong usage. */
CLI_PRINTF(3, 4)
inarch_status cli_usage(inarch_error *err, const char *hint, const char *format, ...);
/* What the system says of an errno, as messages are written: "no space left on device". */
const char *cli_reason(int error, char *out, size_t size);
/* From errno: "cannot open 'x': no such file or directory". */
inarch_status cli_fail_os(inarch_error *err, const char *verb, const char *path);

/* The nearest of the names, or NULL when none is near. */
const char *cli_nearest(const char *word, const char *const *names, size_t n);

struct cli_args;

typedef struct cli_command {
    const char *name;
    const char *words;        /* of the usage line: "MODEL" */
    size_t least, most;       /* of them */
    const char *help;         /* one line */
    const char *more;         /* a paragraph for `inarch help COMMAND` */
    const int *options;       /* ids of options.h, ends with 0 */
    const char *const *kinds; /* the library's options: "fit", "data", ...; ends with NULL */
    const char *const
        *without; /* names of those that make no sense here; ends with NULL; or NULL */
    /* Fills *json when args->json is set, else prints. */
    inarch_status (*run)(const struct cli_args *args, json_out *json, inarch_error *err);
} cli_command;

extern const cli_command *const cli_commands[];
extern const size_t cli_command_count;

/* NULL when there is none. */
const cli_command *cli_command_find(const char *name);

extern const cli_command cli_show, cli_train, cli_tune, cli_eval, cli_predict, cli_features,
    cli_list;

/* `inarch help [COMMAND]`; command NULL: the overview. */
inarch_status cli_help(const cli_command *command, inarch_error *err);

#endif
