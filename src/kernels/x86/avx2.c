/* Kernels for AVX2 with FMA: tiles of 6 x 16, 12 accumulators of the 16 registers. */
#include "kernels/dispatch.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include "kernels/target.h"
#include <immintrin.h>

IA_TARGET_BEGIN("avx2,fma")
#include "kernels/x86/transpose.h"

#define VL 8
#define TILE_M 6
#define TILE_ROWS(X) X(0) X(1) X(2) X(3) X(4) X(5)
#define V __m256
#define V_ZERO _mm256_setzero_ps()
#define V_SPREAD(p) _mm256_broadcast_ss(p)
#define V_LOAD(p) _mm256_loadu_ps(p)
#define V_STORE(p, v) _mm256_storeu_ps(p, v)
#define V_FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define V_ADD(a, b) _mm256_add_ps(a, b)
#define V_RELU(v) _mm256_max_ps(_mm256_setzero_ps(), v) /* the second one is kept if NaN or zero   \
                                                         */
#define V_MASK __m256i
#define V_MASK_OF(n) avx2_mask(n)
#define V_LOAD_PART(p, mask) _mm256_maskload_ps(p, mask)
#define V_STORE_PART(p, mask, v) _mm256_maskstore_ps(p, mask, v)
#define TRANSPOSE_N 8
#define transpose transpose_8x8

static inline __m256i avx2_mask(size_t n)
{
    static const int32_t ones[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
    return _mm256_loadu_si256((const __m256i *)(const void *)(ones + 8 - n));
}

#include "kernels/product.inc.h"

#define SET ia_kernels_avx2
#define SET_NAME "avx2"
#include "kernels/set.inc.h"
IA_TARGET_END
#endif
