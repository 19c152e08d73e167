/* Which instruction sets this CPU has, and how work is shared out.
 *
 * The compiler's run-time library looks at the CPU (and at what the system saves of its registers)
 * once, before main; asking is thread-safe. A set is offered only when all it needs is there. */
#include "kernels/dispatch.h"
#include "kernels/bf16.h"

#include <string.h>

typedef struct set_row {
    const ia_kernel_set *set;
    int (*available)(void);
} set_row;

static int set_always(void)
{
    return 1;
}

#if defined(__x86_64__) && defined(__GNUC__)
static int set_has_avx2(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static int set_has_avx512(void)
{
    return set_has_avx2() && __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
}
#endif

bool ia_has_bf16(void)
{
#if defined(__x86_64__) && defined(__GNUC__)
    return set_has_avx512() && __builtin_cpu_supports("avx512bf16");
#else
    return false;
#endif
}

/* Slowest first. */
static const set_row set_table[] = {
    {&ia_kernels_reference, set_always},
#if defined(__x86_64__) && defined(__GNUC__)
    {&ia_kernels_avx2, set_has_avx2},
    {&ia_kernels_avx512, set_has_avx512},
#endif
#if defined(__aarch64__)
    {&ia_kernels_neon, set_always},
#endif
};

const ia_kernel_set *ia_kernel_set_at(size_t i)
{
    for (size_t row = 0; row < IA_COUNT(set_table); row++)
        if (set_table[row].available() && i-- == 0)
            return set_table[row].set;
    return NULL;
}

const ia_kernel_set *ia_kernel_set_find(const char *name)
{
    const ia_kernel_set *found = NULL, *set;
    int best = !name || strcmp(name, "auto") == 0;
    for (size_t i = 0; (set = ia_kernel_set_at(i)) != NULL; i++)
        if (best || strcmp(name, set->name) == 0)
            found = set;
    return found;
}

const char *ia_kernel_set_name(const ia_kernel_set *set)
{
    return set->name;
}

#define SHARES_A_THREAD 4 /* so that a slow core leaves work to the others */

void ia_share(const ia_exec *e, size_t n, size_t least, ia_pool_fn *fn, void *context)
{
    size_t threads = (size_t)ia_pool_threads(e->pool), grain = least;
    if (threads == 1 || n <= least) {
        if (n)
            fn(context, 0, n);
        return;
    }
    if (n / (threads * SHARES_A_THREAD) > grain)
        grain = n / (threads * SHARES_A_THREAD) / least * least;
    ia_pool_for(e->pool, n, grain, fn, context);
}
