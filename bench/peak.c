/* Sixteen (or twelve) independent chains of fused multiply-adds in registers. */
#include "peak.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#define STEPS 400000
#define RUNS 12
#define MOST_THREADS 64

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Multiply-adds of one call. The products are 0, so that the sums stay finite. */
typedef double loop_fn(void);

#define CHAINS_12(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)

#if defined(__x86_64__)
#include <immintrin.h>

#define LOOP(name, target_name, vector, set1, fma, lanes)                                          \
    __attribute__((target(target_name))) static double name(void)                                  \
    {                                                                                              \
        vector a = set1(0.0f), b = set1(1.0f);                                                     \
        CHAINS_12(DECLARE_##lanes)                                                                 \
        for (int i = 0; i < STEPS; i++) {                                                          \
            CHAINS_12(STEP_##lanes)                                                                \
            __asm__ volatile("" : "+x"(a), "+x"(b));                                               \
        }                                                                                          \
        CHAINS_12(KEEP)                                                                            \
        return 12.0 * lanes * STEPS;                                                               \
    }
#define DECLARE_16(i) __m512 c##i = _mm512_set1_ps((float)i);
#define STEP_16(i) c##i = _mm512_fmadd_ps(a, b, c##i);
#define DECLARE_8(i) __m256 c##i = _mm256_set1_ps((float)i);
#define STEP_8(i) c##i = _mm256_fmadd_ps(a, b, c##i);
#define KEEP(i) __asm__ volatile("" : : "x"(c##i));
LOOP(loop_avx512, "avx512f", __m512, _mm512_set1_ps, _mm512_fmadd_ps, 16)
LOOP(loop_avx2, "avx2,fma", __m256, _mm256_set1_ps, _mm256_fmadd_ps, 8)

static loop_fn *find_loop(const char *set)
{
    int widest = !set || strcmp(set, "auto") == 0;
    if ((widest || strcmp(set, "avx512") == 0) && __builtin_cpu_supports("avx512f"))
        return loop_avx512;
    if ((widest || strcmp(set, "avx2") == 0) && __builtin_cpu_supports("avx2"))
        return loop_avx2;
    return NULL;
}
#elif defined(__aarch64__)
#include <arm_neon.h>

#define DECLARE(i) float32x4_t c##i = vdupq_n_f32((float)i);
#define STEP(i) c##i = vfmaq_f32(c##i, a, b);
#define KEEP(i) __asm__ volatile("" : : "w"(c##i));
static double loop_neon(void)
{
    float32x4_t a = vdupq_n_f32(0), b = vdupq_n_f32(1);
    CHAINS_12(DECLARE)
    for (int i = 0; i < STEPS; i++) {
        CHAINS_12(STEP)
        __asm__ volatile("" : "+w"(a), "+w"(b));
    }
    CHAINS_12(KEEP)
    return 12.0 * 4 * STEPS;
}

static loop_fn *find_loop(const char *set)
{
    return !set || strcmp(set, "auto") == 0 || strcmp(set, "neon") == 0 ? loop_neon : NULL;
}
#else
static loop_fn *find_loop(const char *set)
{
    (void)set;
    return NULL;
}
#endif

typedef struct team {
    loop_fn *loop;
    atomic_int waiting;
    double madds[MOST_THREADS];
} team;

typedef struct member {
    team *team;
    int index;
} member;

static void *run(void *argument)
{
    const member *m = argument;
    atomic_fetch_sub(&m->team->waiting, 1);
    while (atomic_load(&m->team->waiting) > 0) /* all start together */
        continue;
    m->team->madds[m->index] = m->team->loop();
    return NULL;
}

double peak_gflops(const char *set, int threads)
{
    loop_fn *loop = find_loop(set);
    double best = 0;
    if (!loop || threads < 1 || threads > MOST_THREADS)
        return 0;
    for (int r = 0; r < RUNS; r++) {
        team t = {.loop = loop, .waiting = threads};
        member members[MOST_THREADS];
        pthread_t others[MOST_THREADS];
        int started = 1;
        members[0] = (member){&t, 0};
        for (int i = 1; i < threads; i++, started++) {
            members[i] = (member){&t, i};
            if (pthread_create(&others[i], NULL, run, &members[i]))
                return 0;
        }
        atomic_fetch_sub(&t.waiting, 1);
        while (atomic_load(&t.waiting) > 0)
            continue;
        double begun = now(), madds = 0;
        t.madds[0] = loop();
        for (int i = 1; i < started; i++)
            pthread_join(others[i], NULL);
        double rate = 0;
        for (int i = 0; i < threads; i++)
            madds += t.madds[i];
        rate = 2e-9 * madds / (now() - begun);
        best = rate > best ? rate : best;
    }
    return best;
}
