/* The rate of multiply-adds that a loop of nothing else reaches. */
#ifndef BENCH_PEAK_H
#define BENCH_PEAK_H

/* GFLOP/s of `threads` threads at once, best of several short runs; "avx512", "avx2", "neon", or
 * NULL for the widest of this CPU. 0 where there is no such loop. */
double peak_gflops(const char *set, int threads);

#endif
