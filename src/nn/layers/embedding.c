/* Embedding: a row of whole numbers to the rows of a table. Numbers that are no row of it are found
 * before they get here (ia_program_misfit); where other layers compute them, they give NaN, so that
 * the loss shows the mistake. mask_zero is kept but masks nothing. */
#include "nn/layers/common.h"

#include "kernels/law.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

typedef struct embedding_config {
    int64_t input_dim, output_dim;
    int mask_zero;
    ia_initializer embeddings_initializer;
    ia_regularizer embeddings_regularizer, activity_regularizer;
    ia_constraint embeddings_constraint;
} embedding_config;

#define AT(member) .offset = offsetof(embedding_config, member)
static const ia_field embedding_fields[] = {
    {.key = "input_dim",
     .type = IA_FIELD_INT,
     AT(input_dim),
     .min = 1,
     .max = IA_DIM_MAX,
     .help = "rows of the table: the largest number plus 1"},
    {.key = "output_dim",
     .type = IA_FIELD_INT,
     AT(output_dim),
     .min = 1,
     .max = IA_DIM_MAX,
     .help = "length of a row of the table"},
    {.key = "embeddings_initializer",
     .aliases = "init",
     .type = IA_FIELD_INITIALIZER,
     AT(embeddings_initializer),
     .fallback = "random_uniform",
     .help = "first table"},
    {.key = "embeddings_regularizer",
     .aliases = "W_regularizer",
     .type = IA_FIELD_REGULARIZER,
     AT(embeddings_regularizer),
     .fallback = "none",
     .help = "penalty on the table"},
    {.key = "activity_regularizer",
     .type = IA_FIELD_REGULARIZER,
     AT(activity_regularizer),
     .fallback = "none",
     .help = "penalty on the outputs"},
    {.key = "embeddings_constraint",
     .aliases = "W_constraint",
     .type = IA_FIELD_CONSTRAINT,
     AT(embeddings_constraint),
     .fallback = "none",
     .help = "projection of the table"},
    {.key = "mask_zero",
     .type = IA_FIELD_BOOL,
     AT(mask_zero),
     .fallback = "false",
     .help = "kept for Keras; 0 is looked up like any other number"},
};

static inarch_status embedding_check(const ia_layer *l, inarch_error *err)
{
    const embedding_config *c = l->config;
    if (c->input_dim >= 1 && c->output_dim >= 1)
        return INARCH_OK;
    return ia_layer_fail(l, INARCH_BAD_ARGUMENT, err, "for example embedding:1000:16",
                         "needs input_dim and output_dim");
}

static inarch_status embedding_from_json(ia_layer *l, const json_t *config, int generation,
                                         inarch_error *err)
{
    const json_t *dropout = json_object_get(config, "dropout"); /* Keras 1 */
    (void)generation;
    if (json_number_value(dropout) != 0)
        return ia_refuse_key(l, config, "dropout", err);
    IA_TRY(ia_refuse_key(l, config, "quantization_mode", err));
    return ia_refuse_key(l, config, "lora_rank", err);
}

static inarch_status embedding_build(ia_layer *l, const ia_shape *in, size_t in_count,
                                     inarch_error *err)
{
    const embedding_config *c = l->config;
    int64_t dim[2] = {c->input_dim, c->output_dim};
    ia_shape shape = ia_shape_of(2, dim);
    (void)in;
    (void)in_count;
    IA_TRY(embedding_check(l, err));
    return ia_layer_add_variable(l, "embeddings", &shape, true, &c->embeddings_initializer,
                                 &c->embeddings_regularizer, &c->embeddings_constraint, err);
}

static inarch_status embedding_shape(const ia_layer *l, const ia_shape *in, size_t in_count,
                                     ia_shape *out, inarch_error *err)
{
    const embedding_config *c = l->config;
    (void)in_count;
    if (in->rank >= IA_MAX_RANK) {
        char text[96];
        return ia_layer_fail(l, INARCH_UNSUPPORTED, err, "",
                             "has too many axes for rows of shape %s",
                             ia_shape_text(in, text, sizeof text));
    }
    ia_shape shape = *in;
    shape.dim[shape.rank++] = c->output_dim;
    *out = shape;
    return INARCH_OK;
}

/* The row of the table for v, as Keras 3 takes it: cut to a whole number, negative ones count from
 * the end; `dim` for none. */
static size_t table_row(float v, size_t dim)
{
    if (!(v > -1 - (float)dim && v < (float)dim + 1))
        return dim;
    int64_t row = (int64_t)v;
    row += row < 0 ? (int64_t)dim : 0;
    return row >= 0 && (size_t)row < dim ? (size_t)row : dim;
}

static size_t embedding_choices(const ia_layer *l)
{
    return (size_t)((const embedding_config *)l->config)->input_dim;
}

static void embedding_forward(const ia_op *op)
{
    const embedding_config *c = op->config;
    const float *table = op->weights[0];
    size_t dim = (size_t)c->input_dim, units = (size_t)c->output_dim;
    for (size_t n = 0; n < op->rows * op->in[0].size; n++) {
        float *y = op->out.data + n * units;
        size_t row = table_row(op->in[0].data[n], dim);
        if (row < dim)
            memcpy(y, table + row * units, units * sizeof *y);
        for (size_t u = 0; row == dim && u < units; u++)
            y[u] = NAN;
    }
}

#define LEVELS IA_LAW_LEVELS

/* Lists of the places of each row of the table, then partial sums. */
static size_t embedding_temp(const ia_layer *l, const ia_shape *in, size_t in_count, size_t rows)
{
    const embedding_config *c = l->config;
    size_t size = 0;
    (void)in_count;
    if (!ia_shape_count(in, &size))
        return 0;
    return (size_t)c->input_dim + rows * size + LEVELS * (size_t)c->output_dim;
}

#define NOWHERE UINT32_MAX

/* first[row] is the first place where a row of the table is used, next[place] the one after it. */
static void list_places(const ia_op *op, size_t dim, uint32_t *first, uint32_t *next)
{
    for (size_t i = 0; i < dim; i++)
        first[i] = NOWHERE;
    for (size_t n = op->rows * op->in[0].size; n-- > 0;) {
        size_t row = table_row(op->in[0].data[n], dim);
        if (row == dim)
            continue;
        next[n] = first[row];
        first[row] = (uint32_t)n;
    }
}

/* Partial sums of one row of the table that wait to be joined, each of some aligned blocks of 64
 * places. */
typedef struct pending {
    float *sum; /* [LEVELS][units] */
    size_t block[LEVELS];
    size_t count, units;
} pending;

/* Below which power of two blocks a and b come together in the tree. */
static size_t join_level(size_t a, size_t b)
{
    size_t level = 0;
    for (size_t differ = a ^ b; differ; differ >>= 1)
        level++;
    return level;
}

static void join_last(pending *p)
{
    float *left = p->sum + (p->count - 2) * p->units, *right = left + p->units;
    for (size_t u = 0; u < p->units; u++)
        left[u] += right[u];
    p->count--;
}

static float *open_block(pending *p, size_t block)
{
    while (p->count > 1 && join_level(p->block[p->count - 2], p->block[p->count - 1]) <
                               join_level(p->block[p->count - 1], block))
        join_last(p);
    float *sum = p->sum + p->count * p->units;
    memset(sum, 0, p->units * sizeof *sum);
    p->block[p->count++] = block;
    return sum;
}

/* dtable[row] = sum of dy over the places of `row`: law (b), whose other terms are zeros. */
static void row_gradient(const ia_op *op, pending *p, uint32_t place, const uint32_t *next,
                         float *dw)
{
    float *sum = NULL;
    p->count = 0;
    for (; place != NOWHERE; place = next[place]) {
        size_t block = place / IA_LAW_ROWS;
        if (!p->count || p->block[p->count - 1] != block)
            sum = open_block(p, block);
        for (size_t u = 0; u < p->units; u++)
            sum[u] += op->dy[place * p->units + u];
    }
    while (p->count > 1)
        join_last(p);
    if (p->count)
        memcpy(dw, p->sum, p->units * sizeof *dw);
    else
        memset(dw, 0, p->units * sizeof *dw);
}

/* The input is a choice, not a quantity: its gradient is 0. */
static void embedding_backward(const ia_op *op)
{
    const embedding_config *c = op->config;
    size_t dim = (size_t)c->input_dim, places = op->rows * op->in[0].size;
    if (op->dx[0])
        memset(op->dx[0], 0, places * sizeof *op->dx[0]);
    if (!op->dw[0])
        return;
    uint32_t *first = (uint32_t *)(void *)op->temp, *next = first + dim;
    pending p = {.sum = op->temp + dim + places, .units = (size_t)c->output_dim};
    list_places(op, dim, first, next);
    for (size_t i = 0; i < dim; i++)
        row_gradient(op, &p, first[i], next, op->dw[0] + i * p.units);
}

const ia_layer_class ia_layer_embedding = {
    .name = "Embedding",
    .spec = "embedding",
    .help = "whole numbers to rows of a table: embedding:1000:16",
    .config_size = sizeof(embedding_config),
    .fields = embedding_fields,
    .field_count = IA_COUNT(embedding_fields),
    .min_inputs = 1,
    .max_inputs = 1,
    .check = embedding_check,
    .build = embedding_build,
    .shape = embedding_shape,
    .temp = embedding_temp,
    .forward = embedding_forward,
    .backward = embedding_backward,
    .choices = embedding_choices,
    .from_json = embedding_from_json,
    .reads = IA_READS_X,
};
