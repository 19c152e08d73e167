/* What the peers in C and C++ share: the row's sizes from work.h, random data, taking turns as
 * inarch_bench.c does it. Included by one file a program. */
#ifndef BENCH_PEERS_TURNS_H
#define BENCH_PEERS_TURNS_H

#include "../work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* One epoch, one pass over all rows, or the fastest of ONE_ROW_CALLS rows. */
enum { TRAIN, PREDICT, ONE };
#define ONE_ROW_CALLS 500
#define SPELL 0.1 /* s */

typedef struct peer_options {
    const work *row;
    size_t rows;
    int mode;
} peer_options;

/* NAME [--rows N] [--mode train|predict|one] [--threads N]: the last is for the environment to say.
 */
static int peer_arguments(int argc, char **argv, peer_options *o)
{
    static const char *const modes[] = {"train", "predict", "one"};
    o->row = NULL;
    o->mode = TRAIN;
    for (size_t i = 0; i < sizeof works / sizeof *works; i++)
        if (argc > 1 && strcmp(works[i].name, argv[1]) == 0)
            o->row = &works[i];
    if (!o->row)
        return 0;
    o->rows = o->row->rows;
    for (int i = 2; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--rows") == 0)
            o->rows = (size_t)atol(argv[i + 1]);
        for (int m = TRAIN; m <= ONE; m++)
            if (strcmp(argv[i], "--mode") == 0 && strcmp(argv[i + 1], modes[m]) == 0)
                o->mode = m;
    }
    return o->rows > 0;
}

static double peer_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static uint64_t peer_random_state = 1;

static uint32_t peer_random(void)
{
    peer_random_state =
        peer_random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(peer_random_state >> 33);
}

static float peer_number(void) /* uniform in [-1, 1) */
{
    return (float)(peer_random() >> 7) / 8388608.0f - 1;
}

/* The class of a row: labels that depend on the inputs. */
static size_t peer_label(const float *x, size_t in, size_t classes)
{
    float sum = 0;
    for (size_t i = 0; i < in && i < 8; i++)
        sum += x[i];
    return classes > 1 ? (size_t)((sum + 8) * 1000) % classes : sum > 0;
}

/* Its mean over SPELL seconds. */
static double peer_spell(double (*unit)(void *), void *context)
{
    double total = 0;
    size_t done = 0;
    for (; total < SPELL; done++)
        total += unit(context);
    return total / (double)done;
}

/* One unit to warm up, then for every "go" one, or short ones for a while. */
static void peer_turns(int mode, double (*unit)(void *), void *context)
{
    char line[16];
    unit(context);
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) && strcmp(line, "go\n") == 0) {
        printf("{\"seconds\": %.9f}\n", mode == ONE ? unit(context) : peer_spell(unit, context));
        fflush(stdout);
    }
}

#endif
