/* Making, describing and freeing programs. */
#include "plan/program.h"

#include "base/alloc.h"

#include <stdio.h>
#include <string.h>

static inarch_status build(ia_program *p, const ia_model *m, inarch_error *err)
{
    IA_TRY(plan_flatten(p, m, err));
    IA_TRY(plan_split_heads(p, err));
    IA_TRY(plan_prune(p, err));
    IA_TRY(plan_variables(p, err));
    IA_TRY(plan_liveness(p, err));
    IA_TRY(plan_memory(p, err));
    IA_TRY(plan_gradients(p, err));
    return plan_bind(p, err);
}

inarch_status ia_program_new(const ia_model *m, const ia_program_options *options, ia_program **out,
                             inarch_error *err)
{
    ia_program *p = ia_calloc(1, sizeof *p);
    if (!p)
        return ia_fail_memory(err, "the program", sizeof *p);
    p->mode = options->mode;
    p->rows = options->rows ? options->rows : 1;
    p->seed = options->seed;
    p->frozen_dropout_off = options->frozen_dropout_off != 0;
    p->options = options;
    p->exec.set = options->kernels ? options->kernels : ia_kernel_set_find(NULL);
    p->exec.pool = options->pool;
    p->exec.bf16 = options->bf16 != 0 && p->mode == IA_RUN_TRAIN;
    inarch_status status = build(p, m, err);
    p->options = NULL;
    if (status != INARCH_OK) {
        ia_program_free(p);
        return status;
    }
    *out = p;
    return INARCH_OK;
}

void ia_program_free(ia_program *p)
{
    if (!p)
        return;
    for (size_t o = 0; o < p->op_count; o++)
        plan_op_release(&p->ops[o]);
    for (size_t v = 0; v < p->value_count; v++)
        ia_free(p->values[v].path);
    for (size_t v = 0; v < p->variable_count; v++) {
        ia_free(p->variables[v].path);
        ia_array_release(&p->variables[v].held);
        ia_array_release(&p->variables[v].fresh);
    }
    ia_free(p->ops);
    ia_free(p->values);
    ia_free(p->variables);
    ia_free(p->live);
    ia_free(p->inputs);
    ia_free(p->frontier);
    ia_free(p->fetched);
    ia_free(p->heads);
    ia_free_aligned(p->memory);
    ia_free_aligned(p->working);
    ia_free_aligned(p->packed);
    ia_free_aligned(p->gradients);
    ia_free_aligned(p->temp);
    ia_free(p);
}

size_t ia_program_rows(const ia_program *p)
{
    return p->rows;
}

const ia_exec *ia_program_exec(const ia_program *p)
{
    return &p->exec;
}

size_t ia_program_input_count(const ia_program *p)
{
    return p->input_count;
}

const ia_view *ia_program_input(const ia_program *p, size_t i)
{
    return &p->values[p->inputs[i]].view;
}

size_t ia_program_frontier_count(const ia_program *p)
{
    return p->frontier_count;
}

const ia_view *ia_program_frontier(const ia_program *p, size_t i)
{
    return &p->values[p->frontier[i]].view;
}

const char *ia_program_frontier_name(const ia_program *p, size_t i)
{
    return p->values[p->frontier[i]].path;
}

size_t ia_program_output_count(const ia_program *p)
{
    return p->head_count;
}

const ia_view *ia_program_output(const ia_program *p, size_t i)
{
    return &p->values[p->heads[i].value].view;
}

const ia_view *ia_program_logits(const ia_program *p, size_t i)
{
    size_t v = p->heads[i].logits;
    return v == PLAN_NONE ? NULL : &p->values[v].view;
}

float *ia_program_output_grad(const ia_program *p, size_t i)
{
    return p->heads[i].grad;
}

const ia_view *ia_program_fetched(const ia_program *p, size_t i)
{
    return &p->values[p->fetched[i]].view;
}

void ia_program_describe(const ia_program *p, ia_program_info *out)
{
    *out = (ia_program_info){.operations = p->op_count,
                             .prefix_operations = p->prefix_count,
                             .activation_bytes = (p->memory_size + p->temp_size) * sizeof(float)};
    for (size_t v = 0; v < p->variable_count; v++) {
        const plan_variable *pv = &p->variables[v];
        bool live = pv->is_live && !pv->is_state;
        *(live ? &out->live_parameters : &out->frozen_parameters) +=
            ia_array_count(&ia_live_variable(&pv->live)->value);
    }
    snprintf(out->prefix_ends, sizeof out->prefix_ends, "%s", p->prefix_ends);
}
