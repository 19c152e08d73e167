/* inarch tune: load, operate, train on. */
#include "files.h"
#include "fit.h"
#include "surgery.h"

typedef struct tune_job {
    inarch_model *m;
    inarch_data *d;
} tune_job;

/* Data are opened for the model as it will be, but --head auto must look at them before. */
static inarch_status operate(const cli_args *a, tune_job *j, inarch_error *err)
{
    CLI_TRY(surgery_below(a, j->m, err));
    if (surgery_needs_data(a))
        CLI_TRY(files_open_data(a, j->m, FILES_TRAIN, &j->d, err));
    CLI_TRY(surgery_above(a, j->m, j->d, err));
    return j->d ? INARCH_OK : files_open_data(a, j->m, FILES_TRAIN, &j->d, err);
}

static inarch_status run(const cli_args *a, json_out *json, inarch_error *err)
{
    tune_job j = {NULL, NULL};
    inarch_load_options load = INARCH_LOAD_OPTIONS;
    inarch_status status;
    CLI_TRY_GOTO(surgery_check(a, err));
    CLI_TRY_GOTO(fit_check(a, err));
    CLI_TRY_GOTO(fit_seed(a, &load.seed, err));
    CLI_TRY_GOTO(inarch_load(a->words[0], &load, &j.m, err));
    CLI_TRY_GOTO(operate(a, &j, err));
    CLI_TRY_GOTO(fit_run(a, j.m, j.d, json, err));
done:
    inarch_data_free(j.d);
    inarch_free(j.m);
    return status;
}

static const int options[] = {
    OPT_CUT,    OPT_POP,    OPT_FREEZE,     OPT_UNFREEZE,    OPT_RESET,  OPT_HEAD,
    OPT_ADD,    OPT_INSERT, OPT_ATTACH,     OPT_CLASSES,     OPT_RENAME, OPT_GROUP,
    OPT_DATA,   OPT_VAL,    OPT_VAL_LABELS, OPT_VAL_WEIGHTS, OPT_LR,     OPT_OUTPUT,
    OPT_FORMAT, OPT_FORCE,  OPT_LOG,        OPT_DRY_RUN,     0};
static const char *const kinds[] = {"data", "fit", NULL};

const cli_command cli_tune = {
    .name = "tune",
    .words = "MODEL",
    .least = 1,
    .most = 1,
    .help = "train a model on for new data: freeze, cut, new head; --data D -o FILE",
    .more =
        "Surgery comes first, in this order whatever the order of options: cut or pop; freeze and "
        "unfreeze from left to right; head, add, insert and attach; classes, names, rates. "
        "Without surgery the file's optimizer goes on with its moments; after surgery adam "
        "starts anew. The file's loss and metrics hold until outputs change. Options that name "
        "something always win. Frozen layers keep every bit.",
    .options = options,
    .kinds = kinds,
    .run = run,
};
