/* Random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as
 * 1, 2, 3", SC 2011). Counter-based: a draw is a pure function of key and counter, so masks depend on
 * (seed, call, step; row, unit) alone and never on threads or on the order of evaluation. */
#ifndef IA_BASE_RANDOM_H
#define IA_BASE_RANDOM_H

#include "base/status.h"

typedef struct ia_random_key {
    uint32_t k[2];
} ia_random_key;

/* Mixes a seed with what the stream is for (an initialiser, a shuffle, a dropout call ...). */
ia_random_key ia_random_key_of(uint64_t seed, uint64_t purpose, uint64_t index);

/* Four independent 32-bit words for counter (a, b). */
void ia_philox(ia_random_key key, uint64_t a, uint64_t b, uint32_t out[4]);

/* A sequential stream over the counter, for shuffles and initialisers. */
typedef struct ia_random {
    ia_random_key key;
    uint64_t counter;
    uint32_t word[4];
    int left;
} ia_random;

ia_random ia_random_from(ia_random_key key);
uint32_t ia_random_u32(ia_random *r);
double ia_random_double(ia_random *r);               /* [0, 1), 53 bits */
uint64_t ia_random_below(ia_random *r, uint64_t n); /* [0, n) without bias, n > 0 */
double ia_random_normal(ia_random *r);               /* Box-Muller by our own log, sin, cos */
/* Fisher-Yates over n row numbers. */
void ia_random_shuffle(ia_random *r, uint64_t *items, size_t n);

#endif
