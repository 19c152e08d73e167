/* Feeds: gathering a batch. */
#include "train/feed.h"

#include "base/alloc.h"

#include <stdatomic.h>
#include <string.h>

struct ia_feed {
    const ia_data *data;
    const ia_head *heads;
    size_t head_count;
    ia_cache *cache;
    bool weighted;
    size_t least_rows;    /* of a share of a batch: more than any batch where one thread must do */
    float **inputs;       /* [inputs] where the program wants them */
    float **targets;      /* [targets of the data] */
    uint64_t *source_row; /* [rows] */
};

void ia_feed_free(ia_feed *f)
{
    if (!f)
        return;
    ia_free(f->inputs);
    ia_free(f->targets);
    ia_free(f->source_row);
    ia_free(f);
}

/* ---- gathering, which waits for memory: several threads wait at once ---- */

#define SHARE_BYTES 65536 /* of a batch; below, a second thread costs more than it saves */

typedef struct gather_job {
    const ia_feed *f;
    const uint64_t *rows;
    float *weight;
    atomic_int status;
} gather_job;

static void gather_range(void *context, size_t begin, size_t end)
{
    gather_job *j = context;
    const ia_data *d = j->f->data;
    float *inputs[IA_DATA_MAX_PORTS], *targets[IA_DATA_MAX_PORTS];
    for (size_t i = 0; i < ia_data_inputs(d); i++)
        inputs[i] = j->f->inputs[i] ? j->f->inputs[i] + begin * ia_data_input_count(d, i) : NULL;
    for (size_t t = 0; t < ia_data_targets(d); t++)
        targets[t] =
            j->f->targets[t] ? j->f->targets[t] + begin * ia_data_target_count(d, t) : NULL;
    inarch_status status = ia_data_gather_batch(d, j->rows + begin, end - begin, inputs, targets,
                                                j->weight ? j->weight + begin : NULL, NULL);
    if (status != INARCH_OK)
        atomic_store(&j->status, status);
}

static inarch_status gather(const ia_feed *f, const ia_exec *e, const uint64_t *rows, size_t n,
                            float *weight, inarch_error *err)
{
    if (n > f->least_rows && ia_pool_threads(e->pool) > 1) {
        gather_job j = {.f = f, .rows = rows, .weight = weight};
        ia_share(e, n, f->least_rows, gather_range, &j);
        if (atomic_load(&j.status) == INARCH_OK)
            return INARCH_OK;
    }
    return ia_data_gather_batch(f->data, rows, n, f->inputs, f->targets, weight, err);
}

/* A callback is called by one thread at a time. */
static size_t least_share(const ia_data *d)
{
    size_t floats = 0;
    for (size_t i = 0; i < ia_data_inputs(d); i++)
        floats += ia_data_input_count(d, i);
    if (strcmp(ia_data_kind(d, NULL, NULL), "source") == 0)
        return SIZE_MAX;
    return SHARE_BYTES / sizeof(float) / (floats + 1) + 1;
}

inarch_status ia_feed_new(const ia_data *d, const ia_head *heads, size_t head_count,
                          ia_cache *cache, size_t rows, ia_feed **out, inarch_error *err)
{
    ia_feed *f = ia_calloc(1, sizeof *f);
    if (!f)
        return ia_fail_memory(err, "batches", sizeof *f);
    f->data = d;
    f->heads = heads;
    f->head_count = head_count;
    f->cache = cache;
    f->weighted = head_count > 0 && ia_data_weighted(d);
    f->least_rows = least_share(d);
    f->inputs = ia_calloc(ia_data_inputs(d), sizeof *f->inputs);
    f->targets = ia_calloc(ia_data_targets(d), sizeof *f->targets);
    f->source_row = ia_calloc(rows, sizeof *f->source_row);
    if (!f->inputs || !f->targets || !f->source_row) {
        ia_feed_free(f);
        return ia_fail_memory(err, "batches", rows * sizeof *f->source_row);
    }
    *out = f;
    return INARCH_OK;
}

inarch_status ia_feed_check(const ia_model *m, const ia_data *d, bool with_targets,
                            inarch_error *err)
{
    if (ia_data_inputs(d) != m->input_count)
        return ia_fail(err, INARCH_BAD_DATA, ia_data_name(d),
                       "give one array per input: x0, x1, ... or the inputs' names",
                       "the model has %zu inputs, but the data has %zu", m->input_count,
                       ia_data_inputs(d));
    for (size_t i = 0; i < m->input_count; i++) {
        const ia_call *c = &m->calls[m->inputs[i].call];
        IA_TRY(ia_data_fit_input(d, i, c->layer->name, &c->out[0], NULL, err));
    }
    return ia_data_check(d, with_targets, err);
}

bool ia_feed_weighted(const ia_feed *f)
{
    return f->weighted;
}

size_t ia_feed_rows(const ia_feed *f)
{
    return ia_data_rows(f->data);
}

static void point_inputs(const ia_feed *f, const ia_program *p, bool wanted)
{
    for (size_t i = 0; i < ia_data_inputs(f->data); i++)
        f->inputs[i] = wanted ? ia_program_input(p, i)->data : NULL;
}

/* The inputs' first n rows, which are `rows` of the view, before anything is computed from them. */
static inarch_status check_choices(const ia_feed *f, const ia_program *p, const uint64_t *rows,
                                   size_t n, inarch_error *err)
{
    ia_misfit bad;
    if (!ia_program_misfit(p, n, &bad))
        return INARCH_OK;
    unsigned long long row = ia_data_source_row(f->data, rows[bad.row]);
    return ia_fail(err, INARCH_BAD_DATA, ia_data_name(f->data),
                   "map the numbers as they were for the model's training; what it has not seen "
                   "needs a number of its own",
                   "'%.150s': number %zu of row %llu of input %zu is %g, but layer '%.80s' takes "
                   "whole numbers from 0 to %zu",
                   ia_data_name(f->data), bad.column, row, bad.input, (double)bad.value, bad.layer,
                   bad.choices - 1);
}

inarch_status ia_feed_load(ia_feed *f, ia_program *p, const uint64_t *rows, size_t n,
                           float *const *target, float *const *weight, inarch_error *err)
{
    bool single = f->head_count == 1; /* gather_batch gives the weights of target 0 */
    point_inputs(f, p, !f->cache);
    for (size_t t = 0; t < ia_data_targets(f->data); t++)
        f->targets[t] = NULL;
    for (size_t h = 0; h < f->head_count; h++)
        f->targets[f->heads[h].target] = target[h];
    IA_TRY(gather(f, ia_program_exec(p), rows, n, f->weighted && single ? weight[0] : NULL, err));
    for (size_t h = 0; h < f->head_count; h++) {
        IA_TRY(ia_head_encode(&f->heads[h], f->data, rows, n, target[h], err));
        if (f->weighted && !single)
            IA_TRY(ia_data_gather_weights(f->data, rows, n, f->heads[h].target, weight[h], err));
    }
    if (!f->cache) {
        IA_TRY(check_choices(f, p, rows, n, err));
        ia_program_prefix(p, n);
        return INARCH_OK;
    }
    for (size_t r = 0; r < n; r++)
        f->source_row[r] = ia_data_source_row(f->data, rows[r]);
    return ia_cache_get(f->cache, p, f->source_row, n, err);
}

inarch_status ia_feed_fill_cache(ia_feed *f, ia_program *p, const uint64_t *rows, size_t n,
                                 inarch_error *err)
{
    point_inputs(f, p, true);
    for (size_t t = 0; t < ia_data_targets(f->data); t++)
        f->targets[t] = NULL;
    for (size_t r = 0; r < n; r++)
        f->source_row[r] = ia_data_source_row(f->data, rows[r]);
    IA_TRY(gather(f, ia_program_exec(p), rows, n, NULL, err));
    IA_TRY(check_choices(f, p, rows, n, err));
    ia_program_prefix(p, n);
    return ia_cache_put(f->cache, p, f->source_row, n, err);
}
