/* Speed of the kernels: matrix products against a loop of nothing but multiply-adds, and
 * nanoseconds an element for the loops. Usage: kernels_bench [threads]. Not part of the tests.
 *
 * Each number is the best of several runs; peak and product alternate, so that a busy machine slows
 * both. */
#include "base/alloc.h"
#include "kernels/activation.h"
#include "kernels/optimize.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static float *numbers(size_t n)
{
    float *x = ia_calloc_aligned((n + 16) * sizeof *x);
    ia_random r = ia_random_from(ia_random_key_of(1, 2, n));
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(2 * ia_random_double(&r) - 1);
    return x;
}

/* A product that lives in the first-level cache: the peak to compare with. */
#define PEAK_ROWS 48
#define PEAK_K 256
static double peak_gflops(const ia_exec *e)
{
    static float x[PEAK_ROWS * PEAK_K], w[PEAK_K * 32], y[PEAK_ROWS * 32];
    double best = 0;
    for (int run = 0; run < 20; run++) {
        double start = now();
        for (int i = 0; i < 100; i++)
            ia_dense_y(e, PEAK_ROWS, PEAK_K, 32, x, w, NULL, y);
        double rate = 2e-9 * 100 * PEAK_ROWS * PEAK_K * 32 / (now() - start);
        best = rate > best ? rate : best;
    }
    return best;
}

typedef struct shape {
    size_t rows, in, units;
} shape;

static const shape shapes[] = {{128, 784, 512}, {128, 512, 512}, {128, 512, 10}, {1, 784, 512},
                               {32, 20, 64},    {32, 64, 1},     {1, 20, 64},    {16, 4, 16},
                               {32, 2048, 256}, {1024, 784, 512}};

static void bench_products(const ia_exec *e)
{
    ia_exec serial = *e;
    serial.pool = NULL;
    for (size_t i = 0; i < IA_COUNT(shapes); i++) {
        const shape *s = &shapes[i];
        float *x = numbers(s->rows * s->in), *w = numbers(s->in * s->units);
        float *b = numbers(s->units), *y = numbers(s->rows * s->units);
        double best[3] = {1e9, 1e9, 1e9}, flop = 2e-9 * (double)(s->rows * s->in * s->units);
        int repeat = (int)(2e-3 / flop) + 1;
        for (int run = 0; run < 15 * 3; run++) {
            double start = now();
            for (int k = 0; k < repeat; k++)
                if (run % 3 == 0)
                    ia_dense_y(e, s->rows, s->in, s->units, x, w, b, y);
                else if (run % 3 == 1)
                    ia_dense_dx(e, s->rows, s->in, s->units, y, w, x);
                else
                    ia_dense_dw(e, s->rows, s->in, s->units, x, y, w);
            double t = (now() - start) / repeat;
            if (run % 3 == 2)
                memset(w, 0, s->in * s->units * sizeof *w);
            best[run % 3] = t < best[run % 3] ? t : best[run % 3];
        }
        double peak = peak_gflops(&serial) * ia_pool_threads(e->pool);
        printf("%5zu x %4zu x %4zu", s->rows, s->in, s->units);
        for (int k = 0; k < 3; k++)
            printf("   %s %8.2f us %6.1f GFLOP/s %3.0f%%",
                   k == 0   ? "y"
                   : k == 1 ? "dx"
                            : "dw",
                   1e6 * best[k], flop / best[k], 100 * flop / best[k] / peak);
        printf("\n");
        ia_free_aligned(x), ia_free_aligned(w), ia_free_aligned(b), ia_free_aligned(y);
    }
}

#define ELEMENTS 4096
#define BEST(time, call)                                                                           \
    do {                                                                                           \
        time = 1e9;                                                                                \
        for (int run = 0; run < 20; run++) {                                                       \
            double start = now();                                                                  \
            for (int k = 0; k < 10; k++)                                                           \
                call;                                                                              \
            double took = (now() - start) / 10 * 1e9 / ELEMENTS;                                   \
            time = took < time ? took : time;                                                      \
        }                                                                                          \
    } while (0)

static void bench_loops(const ia_exec *e)
{
    float *z = numbers(ELEMENTS), *y = numbers(ELEMENTS), *dy = numbers(ELEMENTS);
    float *slot[3] = {numbers(ELEMENTS), numbers(ELEMENTS), numbers(ELEMENTS)};
    double t, d;
    for (size_t i = 0; i < ia_activation_count(); i++) {
        ia_activation a = ia_activation_of(ia_activation_at(i));
        BEST(t, ia_activate(e, &a, ELEMENTS / 64, 64, z, y));
        BEST(d, ia_activate_dz(e, &a, ELEMENTS / 64, 64, z, y, dy, dy));
        printf("%-16s %6.3f ns %6.3f ns\n", a.cls->name, t, d);
        memset(dy, 0, ELEMENTS * sizeof *dy);
    }
    for (int i = 0; i < 3; i++)
        memset(slot[i], 0, ELEMENTS * sizeof *dy);
    ia_update adam = ia_update_adam(1e-3, 0.9, 0.999, 1e-7, 0, 3);
    BEST(t, ia_update_apply(e, &adam, ELEMENTS, z, y, slot));
    printf("%-16s %6.3f ns\n", "adam", t);
    BEST(t, ia_mask_dropout(e, (ia_random_key){{1, 2}}, 0.5f, 0, ELEMENTS / 64, 64, y));
    printf("%-16s %6.3f ns\n", "dropout", t);
    BEST(t, ia_mask_normal(e, (ia_random_key){{1, 2}}, 0, ELEMENTS / 64, 64, y));
    printf("%-16s %6.3f ns\n", "normal", t);
    BEST(t, ia_sum_rows(e, 128, ELEMENTS / 128, z, y));
    printf("%-16s %6.3f ns\n", "sum_rows", t);
    BEST(t, ia_row_sum(e, ELEMENTS / 64, 64, z, y));
    printf("%-16s %6.3f ns\n", "row_sum", t);
    BEST(t, (void)(y[0] = (float)ia_sum_squares(e, ELEMENTS, z)));
    printf("%-16s %6.3f ns\n", "sum_squares", t);
    ia_free_aligned(z), ia_free_aligned(y), ia_free_aligned(dy);
    for (int i = 0; i < 3; i++)
        ia_free_aligned(slot[i]);
}

int main(int argc, char **argv)
{
    ia_pool *pool = NULL;
    inarch_error err;
    if (ia_pool_new(argc > 1 ? atoi(argv[1]) : 1, &pool, &err)) {
        fprintf(stderr, "%s: %s\n", err.subject, err.message);
        return 1;
    }
    const ia_kernel_set *set;
    for (size_t i = 0; (set = ia_kernel_set_at(i)) != NULL; i++) {
        ia_exec e = {.set = set, .pool = pool};
        ia_exec serial = {.set = set};
        printf("%s, %d thread(s); a product within the first-level cache: %.1f GFLOP/s a thread\n",
               ia_kernel_set_name(set), ia_pool_threads(pool), peak_gflops(&serial));
        if (strcmp(ia_kernel_set_name(set), "reference") != 0)
            bench_products(&e);
        bench_loops(&e);
    }
    ia_pool_free(pool);
    return 0;
}
