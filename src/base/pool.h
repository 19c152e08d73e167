/* A pool of threads that shares out ranges of independent work.
 *
 * The numeric law makes results independent of how a range is cut, so chunks are claimed dynamically:
 * a slow core takes fewer. Waiting spins briefly, then yields, then sleeps. */
#ifndef IA_BASE_POOL_H
#define IA_BASE_POOL_H

#include "base/status.h"

typedef struct ia_pool ia_pool;

/* Work on items [begin, end). Runs on any thread of the pool, the caller's included. */
typedef void ia_pool_fn(void *context, size_t begin, size_t end);

#define IA_POOL_MAX_THREADS 16

/* `threads` counts the caller: 1 starts none. 0 = what the process may use: affinity capped by the
 * cgroup's CPU quota, at most IA_POOL_MAX_THREADS. */
IA_MUST_CHECK inarch_status ia_pool_new(int threads, ia_pool **out, inarch_error *err);
void ia_pool_free(ia_pool *pool); /* NULL allowed */
int ia_pool_threads(const ia_pool *pool); /* 1 for NULL */
int ia_pool_default_threads(void);

/* Calls fn over [0, n) in chunks of `grain` items (the last may be shorter) and returns when all are
 * done. Serial, as one call, when pool is NULL, has one thread, or n <= grain. Not reentrant: fn must
 * not call it, and only one thread at a time may use a pool. */
void ia_pool_for(ia_pool *pool, size_t n, size_t grain, ia_pool_fn *fn, void *context);

#endif
