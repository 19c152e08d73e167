/* Losses and penalties as losses.h offers them: cut into shares for the pool, sent to the set. */
#include "kernels/losses.h"

#include "kernels/dispatch.h"

#define SHARE 16384 /* elements: below, a second thread costs more than it saves */

static size_t samples_share(size_t cols)
{
    return cols < SHARE ? SHARE / (cols + 1) : 1;
}

typedef struct loss_job {
    ia_loss_fn *fn;
    const ia_loss_rows *rows;
} loss_job;

static void loss_range(void *context, size_t begin, size_t end)
{
    const loss_job *j = context;
    j->fn(j->rows, begin, end);
}

void ia_loss_run(const ia_exec *e, ia_loss_id id, const ia_loss_rows *l, size_t samples)
{
    loss_job job = {e->set->loss[id], l};
    ia_share(e, samples, samples_share(l->cols), loss_range, &job);
}

typedef struct argmax_job {
    ia_rows_fn *fn;
    size_t cols;
    const float *x;
    float *best;
} argmax_job;

static void argmax_range(void *context, size_t begin, size_t end)
{
    const argmax_job *j = context;
    const float *x = j->x + begin * j->cols;
    j->fn(end - begin, j->cols, x, x, x, j->best + begin);
}

void ia_row_argmax(const ia_exec *e, size_t rows, size_t cols, const float *x, float *best)
{
    argmax_job job = {e->set->row_argmax, cols, x, best};
    ia_share(e, rows, samples_share(cols), argmax_range, &job);
}

double ia_penalty_sum(const ia_exec *e, const ia_penalty_rows *q, size_t n)
{
    return e->set->penalty_sum(q, n);
}

typedef struct penalty_job {
    void (*fn)(const ia_penalty_rows *q, size_t begin, size_t end);
    const ia_penalty_rows *rows;
} penalty_job;

static void penalty_range(void *context, size_t begin, size_t end)
{
    const penalty_job *j = context;
    j->fn(j->rows, begin, end);
}

void ia_penalty_grad(const ia_exec *e, const ia_penalty_rows *q, size_t n)
{
    penalty_job job = {e->set->penalty_grad, q};
    ia_share(e, n, SHARE, penalty_range, &job);
}
