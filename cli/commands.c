/* The table of commands. A new one is a file and a row. */
#include "cli.h"

#include <string.h>

const cli_command *const cli_commands[] = {&cli_show,    &cli_train,    &cli_tune, &cli_eval,
                                           &cli_predict, &cli_features, &cli_list};
const size_t cli_command_count = CLI_COUNT(cli_commands);

const cli_command *cli_command_find(const char *name)
{
    for (size_t i = 0; i < cli_command_count; i++)
        if (strcmp(cli_commands[i]->name, name) == 0)
            return cli_commands[i];
    return NULL;
}
