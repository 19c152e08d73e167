/* Kernels for AArch64: NEON with FMA is part of every such CPU. Tiles of 8 x 8. */
#include "kernels/dispatch.h"

#if defined(__aarch64__)
#include <arm_neon.h>
#include <string.h>

#define VL 4
#define TILE_M 8
#define TILE_ROWS(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
#define V float32x4_t
#define V_ZERO vdupq_n_f32(0)
#define V_SPREAD(p) vld1q_dup_f32(p)
#define V_LOAD(p) vld1q_f32(p)
#define V_STORE(p, v) vst1q_f32(p, v)
#define V_FMA(a, b, c) vfmaq_f32(c, a, b)
#define V_ADD(a, b) vaddq_f32(a, b)
#define V_RELU(v) vbslq_f32(vcltzq_f32(v), vdupq_n_f32(0), v)
#define V_MASK size_t
#define V_MASK_OF(n) (n)
#define V_LOAD_PART(p, n) neon_load_part(p, n)
#define V_STORE_PART(p, n, v) neon_store_part(p, n, v)
#define TRANSPOSE_N 4
#define transpose transpose_4x4

static inline float32x4_t neon_load_part(const float *p, size_t n)
{
    float t[4] = {0};
    memcpy(t, p, n * sizeof *t);
    return vld1q_f32(t);
}

static inline void neon_store_part(float *p, size_t n, float32x4_t v)
{
    float t[4];
    vst1q_f32(t, v);
    memcpy(p, t, n * sizeof *t);
}

/* dst[j * ldd + i] = src[i * lds + j] */
static inline void transpose_4x4(const float *src, size_t lds, float *dst, size_t ldd)
{
    float32x4x2_t a = vtrnq_f32(vld1q_f32(src), vld1q_f32(src + lds));
    float32x4x2_t b = vtrnq_f32(vld1q_f32(src + 2 * lds), vld1q_f32(src + 3 * lds));
    vst1q_f32(dst, vcombine_f32(vget_low_f32(a.val[0]), vget_low_f32(b.val[0])));
    vst1q_f32(dst + ldd, vcombine_f32(vget_low_f32(a.val[1]), vget_low_f32(b.val[1])));
    vst1q_f32(dst + 2 * ldd, vcombine_f32(vget_high_f32(a.val[0]), vget_high_f32(b.val[0])));
    vst1q_f32(dst + 3 * ldd, vcombine_f32(vget_high_f32(a.val[1]), vget_high_f32(b.val[1])));
}

#include "kernels/product.inc.h"

#define SET ia_kernels_neon
#define SET_NAME "neon"
#include "kernels/set.inc.h"
#endif
