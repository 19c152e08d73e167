/* Batches: rows of a view as float32, from memory or from a source's callback. */
#include "data/internal.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define SOURCE_ROWS 1024    /* row numbers turned into the source's at once */
#define SHORT_ROW_BYTES 128 /* copied as they are, then converted together */
#define PACKED_BYTES 4096   /* at once, */
#define PACKED_ROWS 256     /* and rows */
#define PREFETCH_ROWS 2     /* rows that are asked for before their turn */
#define PREFETCH_BYTES 1024

static inline uint64_t source_row(const ia_data *d, const uint64_t *rows, size_t i)
{
    uint64_t row = rows ? rows[i] : i;
    assert(row < d->rows);
    return d->index ? d->index[row] : d->begin + row;
}

/* ---- memory ---- */

/* Rows of a shuffled batch come from anywhere: they are asked for before their turn, and of a long
 * row the beginning, behind which the processor sees where it goes. */
static inline void prefetch_row(const ia_rows *from, uint64_t row)
{
    const uint8_t *p = ia_rows_row(from, row);
    size_t n = from->row_bytes < PREFETCH_BYTES ? from->row_bytes : PREFETCH_BYTES;
    for (size_t at = 0; at < n; at += 64)
        __builtin_prefetch(p + at);
}

/* Copies rows as they are; `bytes` is from->row_bytes, a constant where this is inlined for it. */
static inline void pack_rows(const ia_data *d, const ia_rows *from, const uint64_t *rows, size_t n,
                             size_t bytes, uint8_t *out)
{
    for (size_t i = 0; i < n; i++)
        memcpy(out + i * bytes, ia_rows_row(from, source_row(d, rows, i)), bytes);
}

/* Short rows, which lie packed in `out` then. */
static void pack_short_rows(const ia_data *d, const ia_rows *from, const uint64_t *rows, size_t n,
                            uint8_t *out)
{
    switch (from->row_bytes) {
    case 4:
        pack_rows(d, from, rows, n, 4, out);
        break;
    case 8:
        pack_rows(d, from, rows, n, 8, out);
        break;
    case 16:
        pack_rows(d, from, rows, n, 16, out);
        break;
    default:
        pack_rows(d, from, rows, n, from->row_bytes, out);
    }
}

/* One call of a conversion for many rows. */
static void gather_short_rows(const ia_data *d, const ia_rows *from, const uint64_t *rows, size_t n,
                              float *dst)
{
    uint8_t packed[PACKED_BYTES];
    uint64_t plain[PACKED_ROWS];
    if (from->dtype == IA_F32 && rows) {
        pack_short_rows(d, from, rows, n, (uint8_t *)dst);
        return;
    }
    size_t most = PACKED_BYTES / (from->row_bytes ? from->row_bytes : 1);
    most = most < PACKED_ROWS ? most : PACKED_ROWS;
    for (size_t at = 0; at < n; at += most) {
        size_t m = n - at < most ? n - at : most;
        for (size_t i = 0; !rows && i < m; i++)
            plain[i] = at + i;
        pack_short_rows(d, from, rows ? rows + at : plain, m, packed);
        ia_dtype_to_f32(from->dtype, packed, m * from->width, dst + at * from->width);
    }
}

static void gather_long_rows(const ia_data *d, const ia_rows *from, const uint64_t *rows, size_t n,
                             float *dst)
{
    for (size_t i = 0; i < n; i++) {
        if (i + PREFETCH_ROWS < n)
            prefetch_row(from, source_row(d, rows, i + PREFETCH_ROWS));
        ia_dtype_to_f32(from->dtype, ia_rows_row(from, source_row(d, rows, i)), from->width,
                        dst + i * from->width);
    }
}

/* The first n rows of a view whose rows lie in order: a chunk at once. */
static void gather_in_order(const ia_data *d, const ia_rows *from, size_t n, float *dst)
{
    for (size_t i = 0; i < n;) {
        size_t run;
        const void *src = ia_rows_at(from, d->begin + i, &run);
        run = run < n - i ? run : n - i;
        ia_dtype_to_f32(from->dtype, src, run * from->width, dst + i * from->width);
        i += run;
    }
}

/* Whole rows. */
static void gather_rows(const ia_data *d, const ia_rows *from, const uint64_t *rows, size_t n,
                        float *dst)
{
    if (!rows && !d->index)
        gather_in_order(d, from, n, dst);
    else if (from->row_bytes <= SHORT_ROW_BYTES)
        gather_short_rows(d, from, rows, n, dst);
    else
        gather_long_rows(d, from, rows, n, dst);
}

/* The columns of one row that were picked. */
static void pick_row(const ia_data_input *x, const uint8_t *src, size_t count, float *dst)
{
    ia_dtype dtype = ia_rows_dtype(x->rows);
    size_t item = ia_dtype_size(dtype);
    for (size_t c = 0; c < count && dtype == IA_F32; c++)
        memcpy(dst + c, src + x->pick[c] * sizeof *dst, sizeof *dst);
    for (size_t c = 0; c < count && dtype != IA_F32; c++)
        ia_dtype_to_f32(dtype, src + x->pick[c] * item, 1, dst + c);
}

static void gather_picked(const ia_data *d, const ia_data_input *x, const uint64_t *rows, size_t n,
                          size_t count, float *dst)
{
    for (size_t i = 0; i < n; i++)
        pick_row(x, ia_rows_row(x->rows, source_row(d, rows, i)), count, dst + i * count);
}

/* ---- a source ---- */

static inarch_status check_filled(const ia_data *d, const char *name, const float *v, size_t n,
                                  size_t width, const uint64_t *rows, inarch_error *err)
{
    for (size_t i = 0; i < n * width; i++)
        if (!isfinite(v[i]))
            return ia_fail(err, INARCH_BAD_DATA, d->origin->name, "",
                           "the source of rows gave %s in row %llu of '%.60s'",
                           isnan(v[i]) ? "nan" : "infinity", (unsigned long long)rows[i / width],
                           name);
    return INARCH_OK;
}

/* Labels of a source are judged here: nobody has seen them before. */
static inarch_status check_filled_target(const ia_data *d, size_t t, const float *v, size_t n,
                                         const uint64_t *rows, inarch_error *err)
{
    const ia_data_target *y = &d->target[t];
    size_t width = ia_data_target_count(d, t);
    IA_TRY(check_filled(d, y->name, v, n, width, rows, err));
    for (size_t i = 0; y->classes && width == 1 && i < n; i++)
        if (v[i] < 0 || v[i] >= (float)y->classes->count || v[i] != floorf(v[i]))
            return ia_fail(err, INARCH_BAD_DATA, d->origin->name, "",
                           "the source of rows gave label %g in row %llu; the %zu classes are 0 to "
                           "%zu",
                           (double)v[i], (unsigned long long)rows[i], y->classes->count,
                           y->classes->count - 1);
    return INARCH_OK;
}

typedef struct batch {
    float *const *inputs, *const *targets;
    float *weights;
} batch;

/* At most SOURCE_ROWS rows, whose places in the batch start at `at`. */
static inarch_status source_piece(const ia_data *d, const uint64_t *rows, size_t at, size_t n,
                                  const batch *b, inarch_error *err)
{
    const ia_data_source *s = &d->origin->source;
    uint64_t numbers[SOURCE_ROWS];
    float *x[IA_DATA_MAX_PORTS] = {0}, *y[IA_DATA_MAX_PORTS] = {0};
    float *w = b->weights && s->weighted ? b->weights + at : NULL;
    for (size_t i = 0; i < n; i++)
        numbers[i] = source_row(d, rows, at + i);
    for (size_t i = 0; b->inputs && i < d->inputs; i++)
        if (b->inputs[i])
            x[d->input[i].port] = b->inputs[i] + at * ia_data_input_count(d, i);
    for (size_t t = 0; b->targets && t < d->targets; t++)
        if (b->targets[t])
            y[d->target[t].port] = b->targets[t] + at * ia_data_target_count(d, t);

    inarch_status status = s->fill(s->context, numbers, n, x, y, w, err);
    if (status != INARCH_OK)
        return status;
    for (size_t i = 0; i < d->inputs; i++)
        if (x[d->input[i].port])
            IA_TRY(check_filled(d, d->input[i].name, x[d->input[i].port], n,
                                ia_data_input_count(d, i), numbers, err));
    for (size_t t = 0; t < d->targets; t++)
        if (y[d->target[t].port])
            IA_TRY(check_filled_target(d, t, y[d->target[t].port], n, numbers, err));
    return w ? check_filled(d, "weights", w, n, 1, numbers, err) : INARCH_OK;
}

static inarch_status gather_source(const ia_data *d, const uint64_t *rows, size_t n, const batch *b,
                                   inarch_error *err)
{
    for (size_t at = 0; at < n; at += SOURCE_ROWS) {
        size_t m = n - at < SOURCE_ROWS ? n - at : SOURCE_ROWS;
        IA_TRY(source_piece(d, rows, at, m, b, err));
    }
    return INARCH_OK;
}

/* ---- one port ---- */

inarch_status ia_data_gather(const ia_data *d, const uint64_t *rows, size_t n, size_t input,
                             float *dst, inarch_error *err)
{
    const ia_data_input *x = &d->input[input];
    if (!x->rows) {
        float *inputs[IA_DATA_MAX_PORTS] = {0};
        inputs[input] = dst;
        return gather_source(d, rows, n, &(batch){inputs, NULL, NULL}, err);
    }
    if (x->pick)
        gather_picked(d, x, rows, n, ia_data_input_count(d, input), dst);
    else
        gather_rows(d, x->rows, rows, n, dst);
    return INARCH_OK;
}

static inarch_status refuse_text(const ia_data *d, size_t t, inarch_error *err)
{
    return ia_fail(err, INARCH_BAD_DATA, d->origin->name,
                   "a loss for classes, such as sparse_categorical_crossentropy, takes them",
                   "'%.150s': the labels '%.80s' are text, not numbers", d->origin->name,
                   d->target[t].name);
}

inarch_status ia_data_gather_target(const ia_data *d, const uint64_t *rows, size_t n, size_t t,
                                    float *dst, inarch_error *err)
{
    const ia_data_target *y = &d->target[t];
    if (y->classes && y->classes->index) {
        gather_rows(d, y->classes->index, rows, n, dst);
        return INARCH_OK;
    }
    if (y->words)
        return refuse_text(d, t, err);
    if (!y->rows) {
        float *targets[IA_DATA_MAX_PORTS] = {0};
        targets[t] = dst;
        return gather_source(d, rows, n, &(batch){NULL, targets, NULL}, err);
    }
    gather_rows(d, y->rows, rows, n, dst);
    return INARCH_OK;
}

inarch_status ia_data_gather_one_hot(const ia_data *d, const uint64_t *rows, size_t n, size_t t,
                                     size_t k, float *dst, inarch_error *err)
{
    float label[SOURCE_ROWS];
    if (ia_data_target_count(d, t) != 1)
        return ia_fail(err, INARCH_BAD_DATA, d->origin->name, "",
                       "'%.150s': '%.80s' has %zu numbers a row, not one class", d->origin->name,
                       d->target[t].name, ia_data_target_count(d, t));
    memset(dst, 0, n * k * sizeof *dst);
    uint64_t plain[SOURCE_ROWS];
    for (size_t at = 0; at < n; at += SOURCE_ROWS) {
        size_t m = n - at < SOURCE_ROWS ? n - at : SOURCE_ROWS;
        for (size_t i = 0; i < m; i++)
            plain[i] = rows ? rows[at + i] : at + i;
        IA_TRY(ia_data_gather_target(d, plain, m, t, label, err));
        for (size_t i = 0; i < m; i++) {
            if (!(label[i] >= 0 && label[i] < (float)k) || label[i] != floorf(label[i]))
                return ia_fail(err, INARCH_BAD_DATA, d->origin->name, "",
                               "label %g is outside the %zu classes 0 to %zu", (double)label[i], k,
                               k ? k - 1 : 0);
            dst[(at + i) * k + (size_t)label[i]] = 1;
        }
    }
    return INARCH_OK;
}

/* ---- weights ---- */

/* Multiplies by the weight of each row's class. */
static void weigh_classes(const ia_data *d, const uint64_t *rows, size_t n, size_t t, float *dst)
{
    const ia_data_target *y = &d->target[t];
    for (size_t i = 0; i < n; i++)
        dst[i] *= (float)y->class_weight[ia_target_class(y, source_row(d, rows, i))];
}

static void finish_weights(const ia_data *d, const uint64_t *rows, size_t n, size_t t, float *dst)
{
    if (t < d->targets && d->target[t].class_weight)
        weigh_classes(d, rows, n, t, dst);
}

inarch_status ia_data_gather_weights(const ia_data *d, const uint64_t *rows, size_t n, size_t t,
                                     float *dst, inarch_error *err)
{
    for (size_t i = 0; i < n; i++)
        dst[i] = 1;
    if (d->weights)
        gather_rows(d, d->weights, rows, n, dst);
    if (d->origin->source.weighted)
        IA_TRY(gather_source(d, rows, n, &(batch){NULL, NULL, dst}, err));
    finish_weights(d, rows, n, t, dst);
    return INARCH_OK;
}

/* ---- a whole batch ---- */

inarch_status ia_data_gather_batch(const ia_data *d, const uint64_t *rows, size_t n,
                                   float *const *inputs, float *const *targets, float *weights,
                                   inarch_error *err)
{
    if (d->origin->source.fill) {
        for (size_t i = 0; weights && i < n; i++)
            weights[i] = 1;
        return gather_source(d, rows, n, &(batch){inputs, targets, weights}, err);
    }
    for (size_t i = 0; inputs && i < d->inputs; i++)
        if (inputs[i])
            IA_TRY(ia_data_gather(d, rows, n, i, inputs[i], err));
    for (size_t t = 0; targets && t < d->targets; t++)
        if (targets[t])
            IA_TRY(ia_data_gather_target(d, rows, n, t, targets[t], err));
    return weights ? ia_data_gather_weights(d, rows, n, 0, weights, err) : INARCH_OK;
}

const void *ia_data_peek(const ia_data *d, size_t input, uint64_t row, size_t *n)
{
    const ia_data_input *x = &d->input[input];
    if (!x->rows || x->pick)
        return NULL;
    const void *data = ia_rows_at(x->rows, source_row(d, &row, 0), n);
    if (d->index)
        *n = 1;
    else if (*n > d->rows - row)
        *n = (size_t)(d->rows - row);
    return data;
}
