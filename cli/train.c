/* inarch train: a new model from scratch. */
#include "files.h"
#include "fit.h"

static inarch_status run(const cli_args *a, json_out *json, inarch_error *err)
{
    inarch_model *m = NULL;
    inarch_data *d = NULL;
    const char *arch;
    uint64_t seed;
    CLI_TRY(cli_need(a, OPT_ARCH, &arch, err));
    CLI_TRY(fit_check(a, err));
    CLI_TRY(fit_seed(a, &seed, err));
    inarch_status status = inarch_new(arch, seed, &m, err);
    if (status == INARCH_BAD_ARGUMENT) /* whatever the data say */
        status = cli_usage(err, err->hint, "%s", err->message);
    if (status == INARCH_OK)
        status = files_open_data(a, m, FILES_TRAIN, &d, err);
    if (status == INARCH_OK)
        status = fit_run(a, m, d, json, err);
    inarch_data_free(d);
    inarch_free(m);
    return status;
}

static const int options[] = {OPT_ARCH,        OPT_DATA, OPT_VAL,     OPT_VAL_LABELS,
                              OPT_VAL_WEIGHTS, OPT_LR,   OPT_OUTPUT,  OPT_FORMAT,
                              OPT_FORCE,       OPT_LOG,  OPT_DRY_RUN, 0};
static const char *const kinds[] = {"data", "fit", NULL};

const cli_command cli_train = {
    .name = "train",
    .words = "",
    .help = "a new model from scratch: --arch SPECS --data D -o FILE",
    .more =
        "Trains a new model: a source for later tuning, or a baseline to compare with. Defaults "
        "are Keras': adam, 32 rows a batch, shuffled. The same seed gives the same bytes.",
    .options = options,
    .kinds = kinds,
    .run = run,
};
