/* The pool: every item once, whatever the cut; run under ThreadSanitizer too. */
#include "test.h"
#include "base/pool.h"
#include "base/random.h"
#include "failing_alloc.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#define ITEMS 3000

typedef struct job {
    uint32_t count[ITEMS]; /* plain, not atomic: each item belongs to one chunk */
    size_t n, grain;
    atomic_int calls, wrong;
    unsigned naps; /* some chunks sleep, to mix up the order */
} job;

static void touch(void *context, size_t begin, size_t end)
{
    job *j = context;
    atomic_fetch_add(&j->calls, 1);
    if (begin >= end || end > j->n || begin % j->grain || (end - begin != j->grain && end != j->n))
        atomic_fetch_add(&j->wrong, 1);
    if (j->naps && begin / j->grain % j->naps == 0)
        nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
    for (size_t i = begin; i < end; i++)
        j->count[i]++;
}

static void check(ia_pool *pool, size_t n, size_t grain, unsigned naps)
{
    static job j;
    memset(j.count, 0, sizeof j.count);
    j.n = n;
    j.grain = grain;
    j.naps = naps;
    atomic_store(&j.calls, 0);
    atomic_store(&j.wrong, 0);
    ia_pool_for(pool, n, grain, touch, &j);
    size_t chunks = n / grain + (n % grain != 0);
    bool serial = ia_pool_threads(pool) == 1 || n <= grain;
    if (serial && n > grain) { /* one call, so not a chunk of its size */
        assert_int_equal(atomic_load(&j.calls), 1);
    } else {
        assert_int_equal(atomic_load(&j.calls), chunks);
        assert_int_equal(atomic_load(&j.wrong), 0);
    }
    for (size_t i = 0; i < ITEMS; i++)
        assert_int_equal(j.count[i], i < n);
}

static void covers_edge_sizes(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 2, 3, 7, 8, 9, 63, 64, 65, 1000, ITEMS};
    for (int threads = 0; threads <= 8; threads++) {
        inarch_error err;
        ia_pool *pool = NULL;
        if (threads)
            assert_ok(ia_pool_new(threads, &pool, &err), err);
        for (size_t i = 0; i < IA_COUNT(sizes); i++)
            for (size_t k = 1; k < IA_COUNT(sizes); k++)
                check(pool, sizes[i], sizes[k], 0);
        check(pool, 5, SIZE_MAX, 0);
        ia_pool_free(pool);
    }
}

static void survives_stress(void **state)
{
    (void)state;
    ia_random r = ia_random_from(ia_random_key_of(1, 2, 3));
    for (int round = 0; round < 60; round++) {
        inarch_error err;
        ia_pool *pool;
        assert_ok(ia_pool_new(1 + (int)ia_random_below(&r, 8), &pool, &err), err);
        for (int i = 0; i < 60; i++) {
            size_t n = (size_t)ia_random_below(&r, i % 4 ? 100 : ITEMS);
            size_t grain = 1 + (size_t)ia_random_below(&r, i % 3 ? 10 : 500);
            check(pool, n, grain, n / grain < 40 && i % 7 == 0 ? 1 + (unsigned)(i % 5) : 0);
        }
        ia_pool_free(pool);
    }
}

/* Workers fall asleep between jobs (pauses of all lengths around the spinning time) and wake. */
static void loses_no_wake_up(void **state)
{
    (void)state;
    inarch_error err;
    ia_pool *pool;
    assert_ok(ia_pool_new(4, &pool, &err), err);
    for (long i = 0; i < 200; i++) {
        nanosleep(&(struct timespec){.tv_nsec = i * 20000}, NULL);
        check(pool, 64, 4, 3);
    }
    ia_pool_free(pool);
}

/* Chunks that wait for each other, so that each is on a thread of its own. */
typedef struct meeting {
    int expected;
    atomic_int arrived, wrong;
    pthread_t who[8];
    sigset_t mask[8];
} meeting;

static void meet(void *context, size_t begin, size_t end)
{
    meeting *m = context;
    atomic_fetch_add(&m->wrong, end != begin + 1);
    m->who[begin] = pthread_self();
    pthread_sigmask(SIG_BLOCK, NULL, &m->mask[begin]);
    atomic_fetch_add(&m->arrived, 1);
    for (int i = 0; i < 10000 && atomic_load(&m->arrived) < m->expected; i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* Ctrl-C must reach the program's own thread; faults stay where they happen. */
static void uses_its_threads_and_leaves_signals_to_the_caller(void **state)
{
    (void)state;
    inarch_error err;
    ia_pool *pool;
    static meeting m = {.expected = 8};
    assert_ok(ia_pool_new(8, &pool, &err), err);
    ia_pool_for(pool, 8, 1, meet, &m);
    ia_pool_free(pool);
    int blocked = 0;
    assert_int_equal(atomic_load(&m.wrong), 0);
    for (int i = 0; i < 8; i++) {
        for (int k = 0; k < i; k++)
            assert_false(pthread_equal(m.who[i], m.who[k]));
        assert_int_equal(sigismember(&m.mask[i], SIGINT), !pthread_equal(m.who[i], pthread_self()));
        assert_false(sigismember(&m.mask[i], SIGSEGV));
        blocked += sigismember(&m.mask[i], SIGINT);
    }
    assert_int_equal(blocked, 7);
}

static void sees_what_workers_wrote(void *context, size_t begin, size_t end)
{
    double *sum = context;
    for (size_t i = begin; i < end; i++)
        sum[i] = sum[i] * 0.5 + (double)i;
}

/* Each job reads what other threads wrote in the job before, without locks of its own. */
static void orders_one_job_after_another(void **state)
{
    (void)state;
    inarch_error err;
    static double pooled[512], serial[512];
    ia_pool *pool;
    assert_ok(ia_pool_new(3, &pool, &err), err);
    for (int round = 0; round < 500; round++) {
        ia_pool_for(pool, 512, 1 + (size_t)(round % 50), sees_what_workers_wrote, pooled);
        sees_what_workers_wrote(serial, 0, 512);
    }
    ia_pool_free(pool);
    assert_memory_equal(pooled, serial, sizeof serial);
}

/* Idle workers sleep: a pool that waits uses (almost) no processor time. */
static void idles_without_burning(void **state)
{
    (void)state;
    inarch_error err;
    ia_pool *pool;
    struct timespec before, after;
    assert_ok(ia_pool_new(8, &pool, &err), err);
    check(pool, 64, 1, 0);
    nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    ia_pool_free(pool);
    double spent =
        (double)(after.tv_sec - before.tv_sec) + 1e-9 * (double)(after.tv_nsec - before.tv_nsec);
    assert_true(spent < 0.02);
}

static void checks_its_arguments(void **state)
{
    (void)state;
    inarch_error err;
    ia_pool *pool = NULL;
    assert_int_equal(ia_pool_new(-1, &pool, &err), INARCH_BAD_ARGUMENT);
    assert_string_equal(err.message, "-1 threads are asked for, but 0 to 16 can be used");
    assert_int_equal(ia_pool_new(17, &pool, &err), INARCH_BAD_ARGUMENT);
    alloc_countdown = 0;
    assert_int_equal(ia_pool_new(2, &pool, &err), INARCH_NO_MEMORY);
    assert_null(pool);
    assert_int_equal(ia_pool_threads(NULL), 1);
    ia_pool_free(NULL);
    int n = ia_pool_default_threads();
    assert_true(n >= 1 && n <= IA_POOL_MAX_THREADS);
    assert_ok(ia_pool_new(0, &pool, &err), err);
    assert_int_equal(ia_pool_threads(pool), n);
    ia_pool_free(pool);
    assert_ok(ia_pool_new(16, &pool, &err), err);
    assert_int_equal(ia_pool_threads(pool), 16);
    check(pool, ITEMS, 7, 0);
    ia_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(covers_edge_sizes),
        cmocka_unit_test(survives_stress),
        cmocka_unit_test(loses_no_wake_up),
        cmocka_unit_test(uses_its_threads_and_leaves_signals_to_the_caller),
        cmocka_unit_test(orders_one_job_after_another),
        cmocka_unit_test(idles_without_burning),
        cmocka_unit_test(checks_its_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
