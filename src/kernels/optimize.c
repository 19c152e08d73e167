/* Makes updates from hyper-parameters, and applies them over the pool. */
#include "kernels/optimize.h"
#include "base/maths.h"
#include "kernels/dispatch.h"

#include <assert.h>

#define UPDATE_SHARE 8192 /* elements: below, a second thread costs more than it saves */
#define SQUARES_BLOCK 4096

#define UPDATE_COUNT_ROW(name, slots) slots,
static const int update_slots[] = {IA_UPDATES(UPDATE_COUNT_ROW)};

static const char *const update_slot_names[IA_UPDATE_COUNT][IA_UPDATE_SLOTS] = {
    [IA_UPDATE_sgd_momentum] = {"momentum"},
    [IA_UPDATE_sgd_nesterov] = {"momentum"},
    [IA_UPDATE_rmsprop] = {"velocity"},
    [IA_UPDATE_rmsprop_momentum] = {"velocity", "momentum"},
    [IA_UPDATE_rmsprop_centered] = {"velocity", "average_gradient"},
    [IA_UPDATE_rmsprop_centered_momentum] = {"velocity", "momentum", "average_gradient"},
    [IA_UPDATE_adam] = {"momentum", "velocity"},
    [IA_UPDATE_adam_amsgrad] = {"momentum", "velocity", "velocity_hat"},
    [IA_UPDATE_adagrad] = {"accumulator"},
    [IA_UPDATE_adadelta] = {"accumulated_grad", "accumulated_delta_var"},
    [IA_UPDATE_adamax] = {"momentum", "norm"},
    [IA_UPDATE_nadam] = {"momentum", "velocity"},
};

int ia_update_slot_count(const ia_update *u)
{
    return update_slots[u->rule];
}

const char *ia_update_slot_name(const ia_update *u, int slot)
{
    return slot >= 0 && slot < update_slots[u->rule] ? update_slot_names[u->rule][slot] : NULL;
}

ia_update ia_update_sgd(double lr, double momentum, int nesterov)
{
    int rule = nesterov ? IA_UPDATE_sgd_nesterov : IA_UPDATE_sgd_momentum;
    return (ia_update){.rule = momentum == 0 ? IA_UPDATE_sgd : rule,
                       .p = {(float)lr, (float)momentum}};
}

ia_update ia_update_rmsprop(double lr, double rho, double momentum, double epsilon, int centered)
{
    static const int rule[2][2] = {
        {IA_UPDATE_rmsprop, IA_UPDATE_rmsprop_momentum},
        {IA_UPDATE_rmsprop_centered, IA_UPDATE_rmsprop_centered_momentum}};
    return (ia_update){
        .rule = rule[centered != 0][momentum > 0],
        .p = {(float)lr, (float)rho, (float)(1 - rho), (float)epsilon, (float)momentum}};
}

ia_update ia_update_adam(double lr, double beta_1, double beta_2, double epsilon, int amsgrad,
                         uint64_t t)
{
    double alpha = lr * sqrt(1 - ia_pow(beta_2, (double)t)) / (1 - ia_pow(beta_1, (double)t));
    return (ia_update){
        .rule = amsgrad ? IA_UPDATE_adam_amsgrad : IA_UPDATE_adam,
        .p = {(float)alpha, (float)(1 - beta_1), (float)(1 - beta_2), (float)epsilon}};
}

ia_update ia_update_adagrad(double lr, double epsilon)
{
    return (ia_update){.rule = IA_UPDATE_adagrad, .p = {(float)lr, (float)epsilon}};
}

ia_update ia_update_adadelta(double lr, double rho, double epsilon)
{
    return (ia_update){.rule = IA_UPDATE_adadelta,
                       .p = {(float)lr, (float)rho, (float)(1 - rho), (float)epsilon}};
}

ia_update ia_update_adamax(double lr, double beta_1, double beta_2, double epsilon, uint64_t t)
{
    return (ia_update){.rule = IA_UPDATE_adamax,
                       .p = {(float)lr, (float)(1 - beta_1), (float)beta_2, (float)epsilon,
                             (float)(1 - ia_pow(beta_1, (double)t))}};
}

double ia_nadam_u(double beta_1, uint64_t t)
{
    return beta_1 * (1 - 0.5 * ia_pow(0.96, (double)t));
}

ia_update ia_update_nadam(double lr, double beta_1, double beta_2, double epsilon, double u_product,
                          uint64_t t)
{
    double u = ia_nadam_u(beta_1, t), next = ia_nadam_u(beta_1, t + 1);
    return (ia_update){.rule = IA_UPDATE_nadam,
                       .p = {(float)lr, (float)(1 - beta_1), (float)(1 - beta_2), (float)epsilon,
                             (float)(next / (1 - u_product * next)),
                             (float)((1 - u) / (1 - u_product)),
                             (float)(1 - ia_pow(beta_2, (double)t))}};
}

typedef struct update_job {
    ia_update_fn *fn;
    const float *p, *g;
    float *w;
    float *const *slot;
    int slots;
} update_job;

static void update_range(void *context, size_t begin, size_t end)
{
    const update_job *job = context;
    float *slot[IA_UPDATE_SLOTS] = {NULL};
    for (int i = 0; i < job->slots; i++)
        slot[i] = job->slot[i] + begin;
    job->fn(end - begin, job->p, job->g + begin, job->w + begin, slot);
}

void ia_update_apply(const ia_exec *e, const ia_update *u, size_t n, const float *g, float *w,
                     float *const *slot)
{
    assert(u->rule >= 0 && u->rule < IA_UPDATE_COUNT);
    update_job job = {e->set->update[u->rule], u->p, g, w, slot, update_slots[u->rule]};
    ia_share(e, n, UPDATE_SHARE, update_range, &job);
}

ia_tile_step ia_step_tile(const ia_exec *e, const ia_step *s)
{
    ia_tile_step t = {.rule = s->update.rule,
                      .fn = e->set->update[s->update.rule],
                      .p = s->update.p,
                      .decay = {s->decay},
                      .decay_fn = e->set->map[IA_MAP_decay],
                      .slots = update_slots[s->update.rule],
                      .w = s->w};
    memcpy(t.slot, s->slot, sizeof t.slot);
    return t;
}

double ia_sum_squares(const ia_exec *e, size_t n, const float *x)
{
    ia_law_tree_f64 tree;
    tree.count = 0;
    for (size_t i = 0; i < n; i += SQUARES_BLOCK)
        ia_law_tree_f64_add(
            &tree, e->set->sum_squares(n - i < SQUARES_BLOCK ? n - i : SQUARES_BLOCK, x + i));
    return ia_law_tree_f64_sum(&tree);
}
