/* Threads and kernels of one call. Private to api/. */
#ifndef IA_API_EXEC_H
#define IA_API_EXEC_H

#include "kernels/kernels.h"

typedef struct api_exec {
    ia_pool *pool; /* NULL: serial */
    const ia_kernel_set *kernels;
} api_exec;

/* threads: 0 = `fallback` (0: all this process may use). INARCH_BAD_ARGUMENT for a kernel set that
 * is not known or that this CPU lacks. */
IA_MUST_CHECK inarch_status api_exec_new(int32_t threads, int fallback, const char *cpu,
                                         api_exec *out, inarch_error *err);
void api_exec_free(api_exec *e);
/* "bf16" */
bool api_wants_bf16(const char *precision); /* NULL: float32 */
/* INARCH_BAD_ARGUMENT for a word that is none, and for bf16 where CPU or kernel set lack it. */
IA_MUST_CHECK inarch_status api_check_precision(const char *precision, const api_exec *e,
                                                inarch_error *err);

#endif
