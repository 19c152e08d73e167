/* Evaluation, predictions and features. */
#include "api/exec.h"
#include "api/handle.h"

#include "base/alloc.h"
#include "containers/npy.h"
#include "data/predictions.h"
#include "train/evaluate.h"
#include "transfer/surgery.h"

#include <string.h>

inarch_status inarch_evaluate(const inarch_model *m, const inarch_data *d,
                              const inarch_run_options *options, inarch_history **out,
                              inarch_error *err)
{
    inarch_run_options o = INARCH_RUN_OPTIONS;
    IA_TRY(api_options(options, sizeof o, &o, err));
    ia_data *bound = NULL;
    api_exec exec = {NULL, NULL};
    ia_history *history = NULL;
    IA_TRY(api_bind(m->doc, d->data, API_TARGETS, &bound, err));
    inarch_status status = api_exec_new(o.threads, 0, o.cpu, &exec, err);
    if (status == INARCH_OK) {
        ia_evaluate_options inner = ia_evaluate_defaults();
        if (o.batch_size > 0)
            inner.batch_size = (size_t)o.batch_size;
        inner.compiled = m->edited != API_NEW_OUTPUTS;
        inner.loss = o.loss;
        inner.metrics = o.metrics;
        inner.pool = exec.pool;
        inner.kernels = exec.kernels;
        status = ia_evaluate(m->doc, bound, &inner, &history, err);
    }
    api_exec_free(&exec);
    if (status == INARCH_OK) {
        api_note_labels(m->doc, bound, API_TARGETS, history->note, sizeof history->note);
        *out = (inarch_history *)history;
    }
    ia_data_free(bound);
    return status;
}

/* ---- predictions ---- */

/* One call of ia_predict with its data, threads and options. */
typedef struct prediction {
    ia_data *bound;
    api_exec exec;
    ia_predict_options options;
    const char *layer; /* NULL: outputs */
} prediction;

static inarch_status prediction_new(const inarch_model *m, const inarch_data *d, const char *layer,
                                    const inarch_run_options *options, prediction *p,
                                    inarch_error *err)
{
    inarch_run_options o = INARCH_RUN_OPTIONS;
    IA_TRY(api_options(options, sizeof o, &o, err));
    *p = (prediction){.layer = layer};
    IA_TRY(api_bind(m->doc, d->data, API_NO_TARGETS, &p->bound, err));
    inarch_status status = api_exec_new(o.threads, 0, o.cpu, &p->exec, err);
    if (status != INARCH_OK) {
        ia_data_free(p->bound);
        return status;
    }
    p->options = (ia_predict_options){.rows = o.batch_size > 0 ? (size_t)o.batch_size : 0,
                                      .fetch = layer ? &p->layer : NULL,
                                      .fetch_count = layer ? 1 : 0,
                                      .pool = p->exec.pool,
                                      .kernels = p->exec.kernels};
    return INARCH_OK;
}

static void prediction_free(prediction *p)
{
    api_exec_free(&p->exec);
    ia_data_free(p->bound);
}

/* The first call of the layer at `path`, inside nested models too; NULL when there is none. */
static const ia_call *first_call(const ia_model *m, const char *path)
{
    for (size_t c = 0; c < m->call_count; c++)
        if (strcmp(m->calls[c].layer->name, path) == 0)
            return &m->calls[c];
    for (size_t c = 0; c < m->call_count; c++) {
        const ia_layer *l = m->calls[c].layer;
        size_t n = strlen(l->name);
        const ia_call *found = NULL;
        if (l->child && strncmp(path, l->name, n) == 0 && path[n] == '/')
            found = first_call(l->child, path + n + 1);
        if (found)
            return found;
    }
    return NULL;
}

/* Row shape of output `i`, or of the layer that is fetched. */
static inarch_status result_shape(const ia_model *doc, const char *layer, size_t i, ia_shape *out,
                                  inarch_error *err)
{
    if (layer) {
        const ia_call *c = first_call(doc, layer);
        if (!c)
            return ia_no_such_layer(doc, layer, err);
        *out = c->out[0];
        return INARCH_OK;
    }
    if (i >= doc->output_count)
        return ia_fail(err, INARCH_NOT_FOUND, "output", "",
                       "there is no output %zu: the model has %zu", i, doc->output_count);
    *out = doc->calls[doc->outputs[i].call].out[doc->outputs[i].output];
    return INARCH_OK;
}

static size_t numbers(const ia_shape *s)
{
    size_t n;
    return ia_shape_count(s, &n) ? n : 0;
}

typedef struct memory_sink {
    size_t index, size;
    float *out;
} memory_sink;

static inarch_status to_memory(void *context, size_t row0, size_t rows, const float *const *values,
                               inarch_error *err)
{
    (void)err;
    const memory_sink *s = context;
    memcpy(s->out + row0 * s->size, values[s->index], rows * s->size * sizeof(float));
    return INARCH_OK;
}

static inarch_status into_memory(const inarch_model *m, const inarch_data *d, const char *layer,
                                 size_t index, const inarch_run_options *options, float *out,
                                 size_t count, inarch_error *err)
{
    ia_shape shape;
    IA_TRY(result_shape(m->doc, layer, index, &shape, err));
    memory_sink sink = {index, numbers(&shape), out};
    size_t rows = ia_data_rows(d->data), need;
    if (!ia_mul(rows, sink.size, &need) || need > count)
        return ia_fail(err, INARCH_BAD_ARGUMENT, "count", "",
                       "%zu rows of %zu numbers do not fit into %zu", rows, sink.size, count);
    prediction p;
    IA_TRY(prediction_new(m, d, layer, options, &p, err));
    inarch_status status = ia_predict(m->doc, p.bound, &p.options, to_memory, &sink, err);
    prediction_free(&p);
    return status;
}

inarch_status inarch_predict(const inarch_model *m, const inarch_data *d, size_t output,
                             const inarch_run_options *options, float *out, size_t count,
                             inarch_error *err)
{
    return into_memory(m, d, NULL, output, options, out, count, err);
}

inarch_status inarch_features(const inarch_model *m, const inarch_data *d, const char *layer,
                              const inarch_run_options *options, float *out, size_t count,
                              inarch_error *err)
{
    return into_memory(m, d, layer, 0, options, out, count, err);
}

/* ---- files ---- */

static bool ends_with(const char *s, const char *tail)
{
    size_t n = strlen(s), k = strlen(tail);
    return n >= k && strcmp(s + n - k, tail) == 0;
}

typedef struct csv_sink {
    ia_predict_csv csv;
    ia_output *out;
} csv_sink;

static inarch_status to_csv(void *context, size_t row0, size_t rows, const float *const *values,
                            inarch_error *err)
{
    (void)row0;
    const csv_sink *s = context;
    return ia_predict_csv_rows(&s->csv, values[0], rows, s->out, err);
}

/* Which columns a CSV gets: classes where the output tells classes apart, else plain numbers. */
static void csv_kind(const ia_model *doc, const char *layer, ia_predict_csv *csv)
{
    size_t names = json_array_size(json_object_get(doc->meta, "classes"));
    csv->kind = IA_PREDICT_NUMBERS;
    if (layer)
        return;
    const ia_layer *l = api_output_layer(doc, 0);
    const ia_activation *a = l->cls->activation ? l->cls->activation(l) : NULL;
    if (a && strcmp(a->cls->name, "softmax") == 0 && csv->columns > 1)
        csv->kind = IA_PREDICT_ARGMAX;
    else if (a && strcmp(a->cls->name, "sigmoid") == 0 && csv->columns == 1)
        csv->kind = IA_PREDICT_BINARY;
    else if (names == csv->columns && names > 1)
        csv->kind = IA_PREDICT_ARGMAX; /* named classes on logits */
}

static inarch_status csv_file(const ia_model *doc, prediction *p, const char *path,
                              inarch_error *err)
{
    const char **names;
    size_t n;
    ia_shape shape;
    IA_TRY(result_shape(doc, p->layer, 0, &shape, err));
    csv_sink sink = {.csv = {.columns = numbers(&shape)}};
    csv_kind(doc, p->layer, &sink.csv);
    bool classes = sink.csv.kind != IA_PREDICT_NUMBERS;
    size_t wanted = sink.csv.kind == IA_PREDICT_BINARY ? 2 : sink.csv.columns;
    IA_TRY(api_meta_names(doc, classes ? "classes" : "targets", &names, &n, err));
    sink.csv.names = !p->layer && n == wanted ? names : NULL;
    inarch_status status = ia_output_open(path, &sink.out, err);
    if (status == INARCH_OK) {
        status = ia_predict_csv_header(&sink.csv, sink.out, err);
        if (status == INARCH_OK)
            status = ia_predict(doc, p->bound, &p->options, to_csv, &sink, err);
        if (status == INARCH_OK)
            status = ia_output_commit(sink.out, err);
        else
            ia_output_discard(sink.out);
    }
    ia_free(names);
    return status;
}

typedef struct npy_sink {
    size_t size;
    ia_output *out;
} npy_sink;

static inarch_status to_npy(void *context, size_t row0, size_t rows, const float *const *values,
                            inarch_error *err)
{
    (void)row0;
    const npy_sink *s = context;
    return ia_output_write(s->out, values[0], rows * s->size * sizeof(float), err);
}

/* Rows stream into the file behind a header that says how many there will be. */
static inarch_status npy_file(const ia_model *doc, prediction *p, const char *path,
                              inarch_error *err)
{
    ia_shape row, all = {.rank = 1, .dim = {(int64_t)ia_data_rows(p->bound)}};
    IA_TRY(result_shape(doc, p->layer, 0, &row, err));
    if (row.rank >= IA_MAX_RANK)
        return ia_fail(err, INARCH_LIMIT, path, "", "the output has too many dimensions");
    for (int i = 0; i < row.rank; i++)
        all.dim[all.rank++] = row.dim[i];
    ia_buf header = IA_BUF(1 << 16);
    npy_sink sink = {.size = numbers(&row)};
    inarch_status status = ia_npy_header(IA_F32, &all, &header, err);
    if (status == INARCH_OK)
        status = ia_output_open(path, &sink.out, err);
    if (status == INARCH_OK) {
        status = ia_output_write(sink.out, header.data, header.len, err);
        if (status == INARCH_OK)
            status = ia_predict(doc, p->bound, &p->options, to_npy, &sink, err);
        if (status == INARCH_OK)
            status = ia_output_commit(sink.out, err);
        else
            ia_output_discard(sink.out);
    }
    ia_buf_free(&header);
    return status;
}

/* Several outputs at once: held in memory, since a member's size comes before it. */
static inarch_status npz_file(const ia_model *doc, prediction *p, const char *path,
                              inarch_error *err)
{
    size_t n = p->layer ? 1 : doc->output_count;
    ia_array *arrays = ia_calloc(n, sizeof *arrays);
    const float **y = ia_calloc(n, sizeof *y);
    ia_shape *rows = ia_calloc(n, sizeof *rows);
    inarch_status status = INARCH_OK;
    if (!arrays || !y || !rows)
        status = ia_fail_memory(err, "predictions", n * sizeof *arrays);
    for (size_t i = 0; status == INARCH_OK && i < n; i++)
        status = result_shape(doc, p->layer, i, &rows[i], err);
    if (status == INARCH_OK)
        status = ia_predict_arrays(doc, p->bound, &p->options, arrays, n, err);
    for (size_t i = 0; status == INARCH_OK && i < n; i++)
        y[i] = ia_array_data(&arrays[i]);
    if (status == INARCH_OK)
        status = ia_predict_npz(path, y, ia_data_rows(p->bound), rows, n, err);
    for (size_t i = 0; arrays && i < n; i++)
        ia_array_release(&arrays[i]);
    ia_free(arrays);
    ia_free(y);
    ia_free(rows);
    return status;
}

inarch_status inarch_predict_file(const inarch_model *m, const inarch_data *d, const char *layer,
                                  const inarch_run_options *options, const char *path,
                                  inarch_error *err)
{
    bool csv = strcmp(path, "-") == 0 || ends_with(path, ".csv");
    bool npy = ends_with(path, ".npy"), npz = ends_with(path, ".npz");
    if (!csv && !npy && !npz)
        return ia_fail(err, INARCH_BAD_ARGUMENT, path, "name it .npy, .npz or .csv",
                       "cannot tell which kind of file '%s' should be", path);
    if (!npz && !layer && m->doc->output_count > 1)
        return ia_fail(err, INARCH_BAD_ARGUMENT, path, "name it .npz: outputs become y0, y1, ...",
                       "the model has %zu outputs, but '%s' holds one", m->doc->output_count, path);
    prediction p;
    IA_TRY(prediction_new(m, d, layer, options, &p, err));
    inarch_status status = csv   ? csv_file(m->doc, &p, path, err)
                           : npy ? npy_file(m->doc, &p, path, err)
                                 : npz_file(m->doc, &p, path, err);
    prediction_free(&p);
    return status;
}
