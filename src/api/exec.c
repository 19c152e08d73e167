/* Threads and kernels from options. */
#include "api/exec.h"

#include "kernels/bf16.h"

#include <stdio.h>
#include <string.h>

inarch_status api_exec_new(int32_t threads, int fallback, const char *cpu, api_exec *out,
                           inarch_error *err)
{
    *out = (api_exec){NULL, ia_kernel_set_find(cpu)};
    if (!out->kernels) {
        char hint[160] = "this machine has";
        for (size_t i = 0; ia_kernel_set_at(i); i++) {
            size_t n = strlen(hint);
            snprintf(hint + n, sizeof hint - n, "%s %s", i ? "," : "",
                     ia_kernel_set_name(ia_kernel_set_at(i)));
        }
        return ia_fail(err, INARCH_BAD_ARGUMENT, "cpu", hint,
                       "there is no kernel set '%s' on this machine", cpu);
    }
    if (threads < 0 || threads > IA_POOL_MAX_THREADS)
        return ia_fail(err, INARCH_BAD_ARGUMENT, "threads", "0 takes all this process may use",
                       "threads must lie between 0 and %d, not %d", IA_POOL_MAX_THREADS,
                       (int)threads);
    int n = threads ? threads : fallback;
    return n == 1 ? INARCH_OK : ia_pool_new(n, &out->pool, err);
}

bool api_wants_bf16(const char *precision)
{
    return precision && strcmp(precision, "bf16") == 0;
}

inarch_status api_check_precision(const char *precision, const api_exec *e, inarch_error *err)
{
    ia_exec exec = {.set = e->kernels};
    if (!precision || !*precision || strcmp(precision, "f32") == 0)
        return INARCH_OK;
    if (!api_wants_bf16(precision))
        return ia_fail(err, INARCH_BAD_ARGUMENT, "precision", "f32 or bf16",
                       "precision cannot be '%s'", precision);
    if (ia_bf16_ready(&exec))
        return INARCH_OK;
    return ia_fail(err, INARCH_BAD_ARGUMENT, "precision",
                   "leave it out: f32 runs everywhere, with the same bytes",
                   ia_has_bf16()
                       ? "bf16 needs the kernel set avx512, not '%s'"
                       : "this CPU has no bf16 products (AVX512-BF16); its kernel set is '%s'",
                   ia_kernel_set_name(e->kernels));
}

void api_exec_free(api_exec *e)
{
    ia_pool_free(e->pool);
    e->pool = NULL;
}
