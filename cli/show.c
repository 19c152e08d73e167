/* inarch show: the command. What it tells is in show_text.c and show_json.c. */
#include "show.h"

#include "args.h"

static inarch_status run(const cli_args *a, json_out *json, inarch_error *err)
{
    inarch_model *m;
    CLI_TRY(inarch_load(a->words[0], NULL, &m, err));
    inarch_status status =
        a->json ? show_json(m, a->words[0], json, err) : show_text(m, a->words[0], err);
    inarch_free(m);
    return status;
}

static const int options[] = {0};

const cli_command cli_show = {
    .name = "show",
    .words = "MODEL",
    .least = 1,
    .most = 1,
    .help = "layers, shapes, parameters, trainable flags, compile state, classes, columns",
    .more =
        "Reads a model and says what is in it. Layers are numbered as --freeze N and --pop N count "
        "them. Layers that inarch cannot compute are shown too.",
    .options = options,
    .run = run,
};
