/* Kernels for AVX-512: tiles of 8 x 32, 16 accumulators, masks for what is left of a row. */
#include "kernels/dispatch.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include "kernels/target.h"
#include <immintrin.h>

IA_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")
#include "kernels/x86/transpose.h"

#define VL 16
#define TILE_M 8
#define TILE_ROWS(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
#define V __m512
#define V_ZERO _mm512_setzero_ps()
#define V_SPREAD(p) _mm512_set1_ps(*(p))
#define V_LOAD(p) _mm512_loadu_ps(p)
#define V_STORE(p, v) _mm512_storeu_ps(p, v)
#define V_FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define V_ADD(a, b) _mm512_add_ps(a, b)
#define V_MASK __mmask16
#define V_MASK_OF(n) ((__mmask16)((1u << (n)) - 1u))
#define V_LOAD_PART(p, mask) _mm512_maskz_loadu_ps(mask, p)
#define V_STORE_PART(p, mask, v) _mm512_mask_storeu_ps(p, mask, v)
#define TRANSPOSE_N 8
#define transpose transpose_8x8

#include "kernels/product.inc.h"

#define SET ia_kernels_avx512
#define SET_NAME "avx512"
#include "kernels/set.inc.h"
IA_TARGET_END
#endif
