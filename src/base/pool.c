/* A pool of threads. A job is open while its chunks are claimed; joining it is optional.
 *
 * `gate` counts the threads inside the job, with GATE_OPEN set while more may enter. A worker
 * enters by adding one and looks at the job only if the gate was open; the caller shuts the gate
 * when the chunks are used up and waits for the count to fall to zero. A worker that wakes late
 * therefore delays nobody: it finds the gate shut. */
#include "base/pool.h"
#include "base/alloc.h"
#include "base/cpus.h"
#include "base/os.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdalign.h>
#include <stdatomic.h>

#define CACHE_LINE 64
#define SPINS 20000 /* pauses before yielding: about a millisecond at most */
#define YIELDS 64   /* then give the processor away, then sleep */
#define STACK_BYTES ((size_t)2 << 20)
#define GATE_OPEN 0x80000000u

struct ia_pool {
    /* What is written at each claim has a cache line of its own. */
    alignas(CACHE_LINE) atomic_size_t next;
    alignas(CACHE_LINE) atomic_uint gate;
    alignas(CACHE_LINE) atomic_uint generation; /* of jobs; what idle workers watch */
    alignas(CACHE_LINE) ia_pool_fn *fn;         /* the job, constant while the gate is open */
    void *context;
    size_t n, grain, chunks;

    atomic_int sleepers;       /* workers asleep or about to be */
    atomic_bool caller_sleeps; /* the same for the caller, waiting for the gate's count */
    atomic_bool stop;
    pthread_mutex_t mutex; /* only for sleeping */
    pthread_cond_t work, done;
    int threads; /* the caller included */
    pthread_t thread[IA_POOL_MAX_THREADS];
};

static void pool_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
    __asm__ volatile("yield");
#endif
}

/* Waits a little; false when it is time to sleep. */
static bool pool_spin(int *turn)
{
    if (*turn >= SPINS + YIELDS)
        return false;
    if ((*turn)++ < SPINS)
        pool_pause();
    else
        sched_yield();
    return true;
}

static void pool_run_chunks(ia_pool *pool)
{
    for (;;) {
        size_t chunk = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
        if (chunk >= pool->chunks)
            return;
        size_t begin = chunk * pool->grain, left = pool->n - begin;
        pool->fn(pool->context, begin, begin + (left < pool->grain ? left : pool->grain));
    }
}

/* Takes part in the job if its gate is open. The sum in `gate` is also what publishes the results
 * of a worker to the caller. */
static void pool_join(ia_pool *pool)
{
    if (atomic_fetch_add(&pool->gate, 1) & GATE_OPEN)
        pool_run_chunks(pool);
    unsigned before = atomic_fetch_sub(&pool->gate, 1);
    if (before == 1 && atomic_load(&pool->caller_sleeps)) {
        pthread_mutex_lock(&pool->mutex);
        pthread_cond_signal(&pool->done);
        pthread_mutex_unlock(&pool->mutex);
    }
}

static bool pool_has_news(ia_pool *pool, unsigned seen)
{
    return atomic_load(&pool->generation) != seen || atomic_load(&pool->stop);
}

/* No wake-up is lost: a worker counts itself in `sleepers` and then looks at `generation`; the
 * caller changes `generation` and then looks at `sleepers` (both sequentially consistent). */
static void pool_wait_for_work(ia_pool *pool, unsigned seen)
{
    for (int turn = 0; !pool_has_news(pool, seen);) {
        if (pool_spin(&turn))
            continue;
        pthread_mutex_lock(&pool->mutex);
        atomic_fetch_add(&pool->sleepers, 1);
        while (!pool_has_news(pool, seen))
            pthread_cond_wait(&pool->work, &pool->mutex);
        atomic_fetch_sub(&pool->sleepers, 1);
        pthread_mutex_unlock(&pool->mutex);
    }
}

static void *pool_worker(void *argument)
{
    ia_pool *pool = argument;
    for (unsigned seen = 0;;) {
        pool_wait_for_work(pool, seen);
        if (atomic_load(&pool->stop))
            return NULL;
        seen = atomic_load(&pool->generation);
        pool_join(pool);
    }
}

static void pool_wake(ia_pool *pool, size_t wanted)
{
    if (atomic_load(&pool->sleepers) == 0)
        return;
    pthread_mutex_lock(&pool->mutex);
    size_t asleep = (size_t)atomic_load(&pool->sleepers);
    if (wanted >= asleep)
        pthread_cond_broadcast(&pool->work);
    else
        for (size_t i = 0; i < wanted; i++)
            pthread_cond_signal(&pool->work);
    pthread_mutex_unlock(&pool->mutex);
}

static void pool_wait_until_left(ia_pool *pool)
{
    for (int turn = 0; atomic_load(&pool->gate) != 0;) {
        if (pool_spin(&turn))
            continue;
        pthread_mutex_lock(&pool->mutex);
        atomic_store(&pool->caller_sleeps, true);
        while (atomic_load(&pool->gate) != 0)
            pthread_cond_wait(&pool->done, &pool->mutex);
        atomic_store(&pool->caller_sleeps, false);
        pthread_mutex_unlock(&pool->mutex);
    }
}

void ia_pool_for(ia_pool *pool, size_t n, size_t grain, ia_pool_fn *fn, void *context)
{
    assert(grain);
    if (!n)
        return;
    if (!pool || pool->threads == 1 || n <= grain) {
        fn(context, 0, n);
        return;
    }
    pool->fn = fn;
    pool->context = context;
    pool->n = n;
    pool->grain = grain;
    pool->chunks = n / grain + (n % grain != 0);
    atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
    atomic_fetch_or(&pool->gate, GATE_OPEN); /* publishes the job; before `generation`, so that who
                                              * sees the new generation finds the gate open */
    atomic_fetch_add(&pool->generation, 1);
    pool_wake(pool, pool->chunks - 1);
    pool_run_chunks(pool);
    atomic_fetch_and(&pool->gate, ~GATE_OPEN);
    pool_wait_until_left(pool);
}

/* Signals go to the program's own threads; faults stay where they happen. */
static void pool_block_signals(sigset_t *old)
{
    sigset_t all;
    sigfillset(&all);
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGPROF};
    for (size_t i = 0; i < IA_COUNT(faults); i++)
        sigdelset(&all, faults[i]);
    pthread_sigmask(SIG_SETMASK, &all, old);
}

/* Starts workers until there are `threads`; 0 or the error of the first that would not start. */
static int pool_start(ia_pool *pool, int threads)
{
    pthread_attr_t attr;
    int error = pthread_attr_init(&attr);
    if (error)
        return error;
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    sigset_t old;
    pool_block_signals(&old);
    while (pool->threads < threads && !error) {
        error = pthread_create(&pool->thread[pool->threads], &attr, pool_worker, pool);
        pool->threads += !error;
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    return error;
}

int ia_pool_default_threads(void)
{
    int n = ia_cpus_affinity(), quota = ia_cpus_quota("/proc/self/cgroup", "/sys/fs/cgroup");
    if (quota && quota < n)
        n = quota;
    return n < IA_POOL_MAX_THREADS ? n : IA_POOL_MAX_THREADS;
}

inarch_status ia_pool_new(int threads, ia_pool **out, inarch_error *err)
{
    if (threads < 0 || threads > IA_POOL_MAX_THREADS)
        return ia_fail(err, INARCH_BAD_ARGUMENT, "threads", "0 uses what the machine offers",
                       "%d threads are asked for, but 0 to %d can be used", threads,
                       IA_POOL_MAX_THREADS);
    ia_pool *pool = ia_calloc_aligned(sizeof *pool);
    if (!pool)
        return ia_fail_memory(err, "a pool of threads", sizeof *pool);
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->work, NULL);
    pthread_cond_init(&pool->done, NULL);
    pool->threads = 1;
    int error = pool_start(pool, threads ? threads : ia_pool_default_threads());
    if (error && threads) { /* with 0, those that did start are what the process may use */
        char number[32];
        ia_pool_free(pool);
        return ia_fail(err, INARCH_IO, "threads", "ask for fewer threads",
                       "cannot start %d threads: %s", threads,
                       ia_os_reason(error, number, sizeof number));
    }
    *out = pool;
    return INARCH_OK;
}

void ia_pool_free(ia_pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->mutex);
    atomic_store(&pool->stop, true);
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->mutex);
    for (int i = 1; i < pool->threads; i++)
        pthread_join(pool->thread[i], NULL);
    pthread_cond_destroy(&pool->done);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->mutex);
    ia_free_aligned(pool);
}

int ia_pool_threads(const ia_pool *pool)
{
    return pool ? pool->threads : 1;
}
