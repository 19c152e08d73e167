/* Philox4x32-10 and what is drawn from it. Integer arithmetic and IEEE operations only, so that a
 * seed gives the same bytes on every machine. */
#include "base/random.h"
#include "base/maths.h"

#include <assert.h>
#include <math.h>

#define PHILOX_ROUNDS 10
#define PHILOX_M0 0xD2511F53u
#define PHILOX_M1 0xCD9E8D57u
#define PHILOX_W0 0x9E3779B9u /* golden ratio */
#define PHILOX_W1 0xBB67AE85u /* sqrt(3) - 1 */
#define TWO_PI 6.283185307179586476925286766559

void ia_philox(ia_random_key key, uint64_t a, uint64_t b, uint32_t out[4])
{
    uint32_t c0 = (uint32_t)a, c1 = (uint32_t)(a >> 32), c2 = (uint32_t)b, c3 = (uint32_t)(b >> 32);
    uint32_t k0 = key.k[0], k1 = key.k[1];
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        uint64_t p0 = (uint64_t)PHILOX_M0 * c0, p1 = (uint64_t)PHILOX_M1 * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += PHILOX_W0;
        k1 += PHILOX_W1;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

ia_random_key ia_random_key_of(uint64_t seed, uint64_t purpose, uint64_t index)
{
    ia_random_key from_seed = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
    uint32_t word[4];
    ia_philox(from_seed, purpose, index, word);
    return (ia_random_key){{word[0], word[1]}};
}

ia_random ia_random_from(ia_random_key key)
{
    return (ia_random){.key = key};
}

uint32_t ia_random_u32(ia_random *r)
{
    if (!r->left) {
        ia_philox(r->key, r->counter++, 0, r->word);
        r->left = 4;
    }
    return r->word[4 - r->left--];
}

static uint64_t random_u64(ia_random *r)
{
    uint64_t low = ia_random_u32(r);
    return low | (uint64_t)ia_random_u32(r) << 32;
}

double ia_random_double(ia_random *r)
{
    return (double)(random_u64(r) >> 11) * 0x1p-53;
}

uint64_t ia_random_below(ia_random *r, uint64_t n)
{
    assert(n);
    uint64_t uneven = (0 - n) % n, draw; /* 2^64 mod n: the first so many draws are refused */
    do
        draw = random_u64(r);
    while (draw < uneven);
    return draw % n;
}

double ia_random_normal(ia_random *r)
{
    double radius = sqrt(-2 * ia_log(1 - ia_random_double(r))); /* 1 - u is in (0, 1] */
    return radius * ia_cos(TWO_PI * ia_random_double(r));
}

void ia_random_shuffle(ia_random *r, uint64_t *items, size_t n)
{
    for (size_t left = n; left > 1; left--) {
        size_t pick = (size_t)ia_random_below(r, left);
        uint64_t last = items[left - 1];
        items[left - 1] = items[pick];
        items[pick] = last;
    }
}
