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
#define V_RELU(v) _mm512_max_ps(_mm512_setzero_ps(), v) /* the second one is kept if NaN or zero   \
                                                         */
#define V_SUB(a, b) _mm512_sub_ps(a, b)
#define V_MUL(a, b) _mm512_mul_ps(a, b)
#define V_DIV(a, b) _mm512_div_ps(a, b)
#define V_SQRT(a) _mm512_sqrt_ps(a)
#define V_FMS(a, b, c) _mm512_fmsub_ps(a, b, c)
#define V_FLUSH(v)                                                                                 \
    _mm512_maskz_mov_ps(                                                                           \
        _mm512_cmp_ps_mask(_mm512_abs_ps(v), _mm512_set1_ps(IA_LAW_TINY), _CMP_NLT_UQ), v)
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
