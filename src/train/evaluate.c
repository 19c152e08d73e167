/* evaluate, predict, features: data through a model in inference mode. */
#include "train/evaluate.h"

#include "base/alloc.h"
#include "train/mask.h"
#include "train/score.h"
#include "train/setup.h"

#include <string.h>

#define PREDICT_ROWS 1024 /* at most: the program knows better */

ia_evaluate_options ia_evaluate_defaults(void)
{
    return (ia_evaluate_options){.batch_size = 32, .compiled = 1};
}

/* ---- evaluate ---- */

static inarch_status report(const ia_scorer *s, ia_history **out, inarch_error *err)
{
    ia_history *h;
    IA_TRY(ia_history_new(&h, err));
    inarch_status status = ia_score_columns(s->score, "", h, err);
    if (status == INARCH_OK)
        status = ia_history_reserve(h, 1, err);
    if (status != INARCH_OK) {
        ia_history_free(h);
        return status;
    }
    ia_score_values(s->score, ia_history_add(h, 0));
    *out = h;
    return INARCH_OK;
}

inarch_status ia_evaluate(const ia_model *m, const ia_data *d, const ia_evaluate_options *o,
                          ia_history **out, inarch_error *err)
{
    ia_setup setup = {.loss = o->loss,
                      .loss_weights = o->loss_weights,
                      .metrics = o->metrics,
                      .weighted_metrics = o->weighted_metrics,
                      .compiled = o->compiled};
    ia_objective objective = {0};
    ia_scorer *s = NULL;
    double penalty;
    inarch_status status;
    IA_TRY(ia_feed_check(m, d, true, err));
    IA_TRY(ia_mask_check(m, d, false, err));
    IA_TRY(ia_setup_objective(m, d, &setup, &objective, NULL, err));
    size_t batch = o->batch_size ? o->batch_size : 32, rows = ia_data_rows(d);
    ia_scorer_options so = {.model = m,
                            .data = d,
                            .heads = objective.heads,
                            .head_count = objective.head_count,
                            .batch = batch < rows ? batch : rows,
                            .pool = o->pool,
                            .kernels = o->kernels};
    IA_TRY_GOTO(ia_scorer_new(&so, &s, err));
    IA_TRY_GOTO(ia_model_penalty(m, &penalty, err));
    IA_TRY_GOTO(ia_scorer_run(s, penalty, err));
    IA_TRY_GOTO(report(s, out, err));
    ia_note((*out)->note, sizeof(*out)->note, objective.note);
done:
    ia_scorer_free(s);
    ia_objective_free(&objective);
    return status;
}

/* ---- predict ---- */

typedef struct predictor {
    ia_program *program;
    const ia_data *data;
    ia_feed *feed;
    uint64_t *rows;
    float **own; /* the program's buffers of its inputs */
    const float **values;
    size_t value_count, block;
    bool fetch;
} predictor;

static const ia_view *result(const predictor *q, size_t i)
{
    return q->fetch ? ia_program_fetched(q->program, i) : ia_program_output(q->program, i);
}

static void predictor_release(predictor *q)
{
    ia_free(q->values);
    ia_free(q->rows);
    ia_free(q->own);
    ia_feed_free(q->feed);
    ia_program_free(q->program);
}

static inarch_status predictor_init(predictor *q, const ia_model *m, const ia_data *d,
                                    const ia_predict_options *o, inarch_error *err)
{
    size_t rows = ia_data_rows(d), block = o->rows ? o->rows : PREDICT_ROWS;
    ia_program_options p = {.mode = IA_RUN_PREDICT,
                            .rows = block < rows ? block : rows,
                            .blocks = 1,
                            .rows_ahead = rows,
                            .kernels = o->kernels,
                            .pool = o->pool,
                            .fetch = o->fetch,
                            .fetch_count = o->fetch_count,
                            .fetch_only = o->fetch_count > 0};
    q->fetch = o->fetch_count > 0;
    IA_TRY(ia_program_new(m, &p, &q->program, err));
    q->block = ia_program_rows(q->program);
    q->value_count = q->fetch ? o->fetch_count : ia_program_output_count(q->program);
    IA_TRY(ia_feed_new(d, NULL, 0, NULL, q->block, &q->feed, err));
    q->data = d;
    q->rows = ia_calloc(q->block, sizeof *q->rows);
    q->values = ia_calloc(q->value_count, sizeof *q->values);
    q->own = ia_calloc(ia_program_input_count(q->program), sizeof *q->own);
    if (!q->rows || !q->values || !q->own)
        return ia_fail_memory(err, "predictions", q->block * sizeof *q->rows);
    for (size_t i = 0; i < ia_program_input_count(q->program); i++)
        q->own[i] = ia_program_input(q->program, i)->data;
    return INARCH_OK;
}

/* Where rows [at, at + n) lie as the program takes them; NULL: they have to be gathered. */
static const float *rows_as_stored(const ia_data *d, size_t input, size_t at, size_t n)
{
    size_t run;
    const void *x = ia_data_peek(d, input, at, &run);
    bool fits = x && run >= n && ia_data_input_dtype(d, input) == IA_F32 &&
                (uintptr_t)x % _Alignof(float) == 0;
    return fits ? x : NULL;
}

/* Rows that lie in the data one behind the other are read there. False where that cannot be, or
 * something is wrong with them: ia_feed_load says what. */
static bool lend_rows(predictor *q, size_t at, size_t n)
{
    size_t inputs = ia_program_input_count(q->program), lent = 0;
    ia_misfit bad;
    for (const float *x; lent < inputs; lent++)
        if (!(x = rows_as_stored(q->data, lent, at, n)) || !ia_program_lend(q->program, lent, x))
            break;
    if (lent == inputs && !ia_program_misfit(q->program, n, &bad))
        return true;
    for (size_t i = 0; i < inputs; i++) /* what was lent for another block, too */
        ia_program_lend(q->program, i, q->own[i]);
    return false;
}

static inarch_status load_rows(predictor *q, size_t at, size_t n, inarch_error *err)
{
    if (lend_rows(q, at, n)) {
        ia_program_prefix(q->program, n);
        return INARCH_OK;
    }
    for (size_t r = 0; r < n; r++)
        q->rows[r] = at + r;
    return ia_feed_load(q->feed, q->program, q->rows, n, NULL, NULL, err);
}

static inarch_status predict_blocks(predictor *q, size_t rows, ia_predict_fn *fn, void *context,
                                    inarch_error *err)
{
    for (size_t at = 0; at < rows; at += q->block) {
        size_t n = rows - at < q->block ? rows - at : q->block;
        IA_TRY(load_rows(q, at, n, err));
        ia_program_suffix(q->program, n, 0);
        for (size_t i = 0; i < q->value_count; i++)
            q->values[i] = result(q, i)->data;
        IA_TRY(fn(context, at, n, q->values, err));
    }
    return INARCH_OK;
}

inarch_status ia_predict(const ia_model *m, const ia_data *d, const ia_predict_options *o,
                         ia_predict_fn *fn, void *context, inarch_error *err)
{
    predictor q = {0};
    IA_TRY(ia_feed_check(m, d, false, err));
    inarch_status status = predictor_init(&q, m, d, o, err);
    if (status == INARCH_OK)
        status = predict_blocks(&q, ia_data_rows(d), fn, context, err);
    predictor_release(&q);
    return status;
}

/* ---- into arrays ---- */

typedef struct collector {
    float **at; /* per result */
    size_t *size;
    size_t count;
} collector;

static inarch_status collect(void *context, size_t row0, size_t rows, const float *const *values,
                             inarch_error *err)
{
    const collector *c = context;
    (void)err;
    for (size_t i = 0; i < c->count; i++)
        memcpy(c->at[i] + row0 * c->size[i], values[i], rows * c->size[i] * sizeof(float));
    return INARCH_OK;
}

static inarch_status make_array(const ia_view *v, size_t rows, ia_array *out, inarch_error *err)
{
    ia_shape shape = {.rank = v->shape.rank + 1};
    if (shape.rank > IA_MAX_RANK)
        return ia_fail(err, INARCH_LIMIT, "", "", "results have more than %d dimensions",
                       IA_MAX_RANK);
    shape.dim[0] = (int64_t)rows;
    for (int i = 0; i < v->shape.rank; i++)
        shape.dim[i + 1] = v->shape.dim[i];
    return ia_array_new(IA_F32, &shape, "predictions", out, err);
}

inarch_status ia_predict_arrays(const ia_model *m, const ia_data *d, const ia_predict_options *o,
                                ia_array *out, size_t out_count, inarch_error *err)
{
    predictor q = {0};
    ia_array *made = NULL;
    collector c = {0};
    size_t rows = ia_data_rows(d), done = 0;
    inarch_status status;
    IA_TRY(ia_feed_check(m, d, false, err));
    IA_TRY_GOTO(predictor_init(&q, m, d, o, err));
    c.count = q.value_count < out_count ? q.value_count : out_count;
    made = ia_calloc(c.count, sizeof *made);
    c.at = ia_calloc(c.count, sizeof *c.at);
    c.size = ia_calloc(c.count, sizeof *c.size);
    if (!made || !c.at || !c.size) {
        status = ia_fail_memory(err, "predictions", c.count * sizeof *made);
        goto done;
    }
    for (; done < c.count; done++) {
        IA_TRY_GOTO(make_array(result(&q, done), rows, &made[done], err));
        c.at[done] = ia_array_mutable(&made[done]);
        c.size[done] = result(&q, done)->size;
    }
    IA_TRY_GOTO(predict_blocks(&q, rows, collect, &c, err));
    memcpy(out, made, c.count * sizeof *out);
done:
    for (size_t i = 0; status != INARCH_OK && i < done; i++)
        ia_array_release(&made[i]);
    ia_free(made);
    ia_free(c.at);
    ia_free(c.size);
    predictor_release(&q);
    return status;
}
