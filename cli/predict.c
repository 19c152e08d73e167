/* inarch predict and inarch features: outputs of a model, or of one of its layers, for every row.
 */
#include "files.h"
#include "surgery.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct predict_job {
    const cli_args *args;
    inarch_model *m;
    inarch_data *d;
    const char *layer; /* NULL: the outputs */
    inarch_run_options options;
    size_t rows;
} predict_job;

/* ---- --json without a file: the numbers themselves ---- */

/* Numbers a row of an output, or of the layer. */
static inarch_status row_shape(const predict_job *j, size_t output, inarch_shape *out,
                               inarch_error *err)
{
    inarch_port p = {.size = sizeof p};
    inarch_layer l = {.size = sizeof l};
    if (!j->layer) {
        CLI_TRY(inarch_model_port(j->m, INARCH_OUTPUT, output, &p, err));
        *out = p.shape;
        return INARCH_OK;
    }
    for (size_t i = 0;; i++) {
        inarch_status status = inarch_model_layer(j->m, i, &l, NULL);
        if (status == INARCH_OK && strcmp(l.path, j->layer) != 0)
            continue;
        *out = l.output;
        if (status == INARCH_OK)
            return status;
        float none;
        return inarch_features(j->m, j->d, j->layer, &j->options, &none, 0, err); /* tells why */
    }
}

static inarch_status numbers(const inarch_shape *s, size_t rows, size_t *out, inarch_error *err)
{
    size_t n = 1;
    for (int i = 0; i < s->rank; i++) {
        if (s->dim[i] < 0 || (s->dim[i] > 0 && n > SIZE_MAX / sizeof(float) / (size_t)s->dim[i]))
            return cli_fail(err, INARCH_LIMIT, "", "-o writes to a file in pieces",
                            "results of this shape cannot be held in memory");
        n *= (size_t)s->dim[i];
    }
    if (s->rank < 0 || (rows && n > SIZE_MAX / sizeof(float) / rows))
        return cli_fail(err, INARCH_LIMIT, "", "-o writes to a file in pieces",
                        "results of this shape cannot be held in memory");
    *out = n;
    return INARCH_OK;
}

static void put_rows(json_out *json, const float *values, size_t rows, size_t n)
{
    jw_array(json, "rows");
    for (size_t r = 0; r < rows; r++) {
        jw_array(json, NULL);
        for (size_t i = 0; i < n; i++)
            jw_float(json, NULL, values[r * n + i]);
        jw_array_end(json);
    }
    jw_array_end(json);
}

static inarch_status put_output(const predict_job *j, size_t output, json_out *json,
                                inarch_error *err)
{
    inarch_shape s;
    inarch_port p = {.size = sizeof p, .name = j->layer};
    size_t n = 0;
    CLI_TRY(row_shape(j, output, &s, err));
    CLI_TRY(numbers(&s, j->rows, &n, err));
    if (!j->layer)
        CLI_TRY(inarch_model_port(j->m, INARCH_OUTPUT, output, &p, err));
    float *values = text_alloc(NULL, j->rows * n * sizeof *values);
    inarch_status status =
        j->layer ? inarch_features(j->m, j->d, j->layer, &j->options, values, j->rows * n, err)
                 : inarch_predict(j->m, j->d, output, &j->options, values, j->rows * n, err);
    if (status == INARCH_OK) {
        jw_object(json, NULL);
        jw_string(json, "name", p.name);
        jw_array(json, "shape");
        for (int i = 0; i < s.rank; i++)
            jw_count(json, NULL, (uint64_t)s.dim[i]);
        jw_array_end(json);
        put_rows(json, values, j->rows, n);
        jw_object_end(json);
    }
    free(values);
    return status;
}

static inarch_status put_values(const predict_job *j, json_out *json, inarch_error *err)
{
    inarch_info info = {.size = sizeof info};
    CLI_TRY(inarch_model_info(j->m, &info, err));
    size_t n = j->layer ? 1 : info.outputs;
    jw_array(json, "classes");
    for (size_t i = 0; i < info.classes; i++)
        jw_string(json, NULL, inarch_name_at(j->m, "classes", i));
    jw_array_end(json);
    jw_array(json, "outputs");
    for (size_t i = 0; i < n; i++)
        CLI_TRY(put_output(j, i, json, err));
    jw_array_end(json);
    return INARCH_OK;
}

/* ---- the command ---- */

static inarch_status write_result(const predict_job *j, const char *path, json_out *json,
                                  inarch_error *err)
{
    bool quiet = strcmp(path, "-") == 0;
    if (!j->args->json || cli_given(j->args, OPT_OUTPUT))
        CLI_TRY(inarch_predict_file(j->m, j->d, j->layer, &j->options, path, err));
    if (!j->args->json) {
        if (!quiet) {
            text_put(stdout, path);
            printf(" written: %zu row%s\n", j->rows, j->rows == 1 ? "" : "s");
        }
        return INARCH_OK;
    }
    jw_object(json, NULL);
    jw_string(json, "model", j->args->words[0]);
    jw_count(json, "count", j->rows);
    if (cli_given(j->args, OPT_OUTPUT))
        jw_string(json, "file", path);
    else
        CLI_TRY(put_values(j, json, err));
    jw_object_end(json);
    return INARCH_OK;
}

static inarch_status check(const cli_args *a, const char *path, inarch_error *err)
{
    const char *data;
    CLI_TRY(cli_need(a, OPT_DATA, &data, err));
    if (a->json && cli_given(a, OPT_OUTPUT) && strcmp(path, "-") == 0)
        return cli_usage(err, "leave -o out: --json then holds the numbers",
                         "--json and -o - both write to standard output");
    return files_check_output(a, "-o", path, err);
}

static inarch_status predict(const cli_args *a, const char *layer, json_out *json,
                             inarch_error *err)
{
    const char *path = cli_given(a, OPT_OUTPUT) ? cli_text(a, OPT_OUTPUT) : "-";
    predict_job j = {.args = a, .layer = layer, .options = INARCH_RUN_OPTIONS};
    inarch_data_info info = {.size = sizeof info};
    inarch_status status;
    CLI_TRY_GOTO(check(a, path, err));
    CLI_TRY_GOTO(cli_apply(a, "run", &j.options, err));
    CLI_TRY_GOTO(inarch_load(a->words[0], NULL, &j.m, err));
    CLI_TRY_GOTO(surgery_name_classes(a, j.m, err));
    CLI_TRY_GOTO(files_open_data(a, j.m, FILES_TEST, &j.d, err));
    CLI_TRY_GOTO(inarch_data_get_info(j.d, &info, err));
    j.rows = info.rows;
    CLI_TRY_GOTO(write_result(&j, path, json, err));
done:
    inarch_data_free(j.d);
    inarch_free(j.m);
    return status;
}

static inarch_status run_predict(const cli_args *a, json_out *json, inarch_error *err)
{
    return predict(a, NULL, json, err);
}

static inarch_status run_features(const cli_args *a, json_out *json, inarch_error *err)
{
    const char *layer;
    CLI_TRY(cli_need(a, OPT_LAYER, &layer, err));
    return predict(a, layer, json, err);
}

static const int predict_options[] = {OPT_DATA, OPT_CLASS_NAMES, OPT_OUTPUT, OPT_FORCE, 0};
static const int features_options[] = {OPT_LAYER, OPT_DATA, OPT_OUTPUT, OPT_FORCE, 0};
static const char *const kinds[] = {"data", "run", NULL};
/* Labels are not looked at. */
static const char *const without[] = {"loss", "metrics", "weights", NULL};

const cli_command cli_predict = {
    .name = "predict",
    .words = "MODEL",
    .least = 1,
    .most = 1,
    .help = "the model's output for every row: --data D [-o FILE.npy|.npz|.csv]",
    .more =
        "Without -o, CSV on standard output: a label with the class's name and a column for each "
        "class, where the output is one of classes. .npy and .npz are float32. Labels among the "
        "data are not needed; columns of a CSV are matched by name.",
    .options = predict_options,
    .kinds = kinds,
    .without = without,
    .run = run_predict,
};

const cli_command cli_features = {
    .name = "features",
    .words = "MODEL",
    .least = 1,
    .most = 1,
    .help = "the output of a layer for every row: --layer L --data D [-o FILE.npy|.npz|.csv]",
    .more =
        "What an inner layer says of each row, to be used as features elsewhere. Layers above it "
        "need not be computable.",
    .options = features_options,
    .kinds = kinds,
    .without = without,
    .run = run_features,
};
