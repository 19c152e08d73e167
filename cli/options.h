/* The options of the command line itself; those of the library come from inarch_option_at. */
#ifndef INARCH_CLI_OPTIONS_H
#define INARCH_CLI_OPTIONS_H

#include "inarch.h"

#include <stddef.h>

/* 0 ends a list of them. */
enum {
    OPT_NONE,
    OPT_ARCH,
    OPT_CUT,
    OPT_POP,
    OPT_FREEZE,
    OPT_UNFREEZE,
    OPT_RESET,
    OPT_ADD,
    OPT_INSERT,
    OPT_ATTACH,
    OPT_HEAD,
    OPT_CLASSES,
    OPT_CLASS_NAMES,
    OPT_RENAME,
    OPT_GROUP,
    OPT_LAYER,
    OPT_DATA,
    OPT_VAL,
    OPT_VAL_LABELS,
    OPT_VAL_WEIGHTS,
    OPT_LR,
    OPT_OUTPUT,
    OPT_FORMAT,
    OPT_FORCE,
    OPT_LOG,
    OPT_DRY_RUN,
    OPT_JSON,
    OPT_QUIET,
    OPT_ARGS,
    OPT_HELP,
    OPT_LIBRARY /* a field of a library's struct */
};

/* Headings of the help text, in its order. */
typedef enum option_group {
    GROUP_MODEL,
    GROUP_SURGERY,
    GROUP_DATA,
    GROUP_WORK,
    GROUP_OUTPUT,
    GROUP_GENERAL
} option_group;
extern const char *const option_groups[GROUP_GENERAL + 1];

typedef struct cli_option {
    int id;
    char letter;       /* 'o', or 0 */
    const char *name;  /* "output" */
    const char *value; /* what its value is called, "FILE"; NULL: a flag */
    option_group group;
    const char *help;
    const char *kind, *field; /* of a library's struct: "fit", "learning_rate"; else NULL */
    char fallback[32];        /* the default as text; "" for none */
} cli_option;

struct cli_command;

/* The row of an id. */
const cli_option *cli_option_row(int id);

/* All options of a command: the command line's own rows, then those of the library's kinds, with
 * '-' for '_'. The strings are static; the array is to be freed. */
cli_option *cli_options_of(const struct cli_command *command, size_t *n);

/* The options that every command has, and so the ones known before there is a command. */
extern const int cli_general_options[];

#endif
