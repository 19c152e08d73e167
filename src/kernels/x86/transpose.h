/* dst[j * ldd + i] = src[i * lds + j] for a square of 8, in AVX registers. For avx2.c and avx512.c.
 */
#ifndef IA_KERNELS_X86_TRANSPOSE_H
#define IA_KERNELS_X86_TRANSPOSE_H

#include <immintrin.h>
#include <stddef.h>

/* The four pairs of rows (0,4), (1,5), ... of halves: lane 0 from rows 0-3, lane 1 from rows 4-7.
 */
static inline __m256 transpose_pair(const float *low, const float *high)
{
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(low)), _mm_loadu_ps(high), 1);
}

static inline void transpose_half(const float *src, size_t lds, float *dst, size_t ldd)
{
    __m256 r0 = transpose_pair(src, src + 4 * lds);
    __m256 r1 = transpose_pair(src + lds, src + 5 * lds);
    __m256 r2 = transpose_pair(src + 2 * lds, src + 6 * lds);
    __m256 r3 = transpose_pair(src + 3 * lds, src + 7 * lds);
    __m256 a = _mm256_unpacklo_ps(r0, r1), b = _mm256_unpackhi_ps(r0, r1);
    __m256 c = _mm256_unpacklo_ps(r2, r3), d = _mm256_unpackhi_ps(r2, r3);
    _mm256_storeu_ps(dst, _mm256_shuffle_ps(a, c, 0x44));
    _mm256_storeu_ps(dst + ldd, _mm256_shuffle_ps(a, c, 0xee));
    _mm256_storeu_ps(dst + 2 * ldd, _mm256_shuffle_ps(b, d, 0x44));
    _mm256_storeu_ps(dst + 3 * ldd, _mm256_shuffle_ps(b, d, 0xee));
}

static inline void transpose_8x8(const float *src, size_t lds, float *dst, size_t ldd)
{
    transpose_half(src, lds, dst, ldd);
    transpose_half(src + 4, lds, dst + 4 * ldd, ldd);
}

#endif
