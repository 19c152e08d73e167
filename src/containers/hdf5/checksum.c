/* Bob Jenkins' lookup3 hash (2006, public domain), the checksum behind newer HDF5 structures:
 * 12 bytes a round, little endian, seed 0. */
#include "containers/hdf5/internal.h"

static uint32_t rotate(uint32_t x, int k)
{
    return (x << k) | (x >> (32 - k));
}

static void mix(uint32_t v[3])
{
    static const int turn[6] = {4, 6, 8, 16, 19, 4};
    for (int i = 0; i < 6; i++) {
        uint32_t *a = &v[i % 3], *b = &v[(i + 1) % 3], *c = &v[(i + 2) % 3];
        *a -= *c;
        *a ^= rotate(*c, turn[i]);
        *c += *b;
    }
}

static void finish(uint32_t v[3])
{
    static const int turn[7] = {14, 11, 25, 16, 4, 14, 24};
    for (int i = 0; i < 7; i++) {
        uint32_t *c = &v[(i + 2) % 3], *b = &v[(i + 1) % 3];
        *c ^= *b;
        *c -= rotate(*b, turn[i]);
    }
}

/* A fuzzer that must guess checksums would never come behind them. */
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
bool ia_h5_sums_match(uint32_t stored, uint32_t computed)
{
    (void)stored;
    (void)computed;
    return true;
}
#else
bool ia_h5_sums_match(uint32_t stored, uint32_t computed)
{
    return stored == computed;
}
#endif

uint32_t ia_h5_checksum(const void *data, size_t n)
{
    const uint8_t *p = data;
    uint32_t start = 0xdeadbeefu + (uint32_t)n;
    uint32_t v[3] = {start, start, start};
    while (n > 12) {
        for (int i = 0; i < 12; i++)
            v[i / 4] += (uint32_t)p[i] << (8 * (i % 4));
        mix(v);
        p += 12, n -= 12;
    }
    if (n == 0)
        return v[2];
    for (size_t i = 0; i < n; i++)
        v[i / 4] += (uint32_t)p[i] << (8 * (i % 4));
    finish(v);
    return v[2];
}

inarch_status ia_h5_check_sum(const h5_walk *w, const char *what, uint64_t addr,
                              const uint8_t *bytes, size_t n, inarch_error *err)
{
    ia_cursor c = ia_cursor_of(bytes + n - 4, 4);
    if (ia_h5_sums_match(ia_u32(&c), ia_h5_checksum(bytes, n - 4)))
        return INARCH_OK;
    return h5_bad(w, err, "damaged: the checksum of the %s at address %llu does not match", what,
                  (unsigned long long)addr);
}
