/* Threads and kernels from options. */
#include "api/exec.h"

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

void api_exec_free(api_exec *e)
{
    ia_pool_free(e->pool);
    e->pool = NULL;
}
