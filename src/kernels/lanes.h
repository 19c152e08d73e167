/* Loops over 16 elements that compilers turn into vector code, for the *.inc.h templates.
 *
 * All templates work on blocks of 16 floats (a zmm register, two ymm, four of NEON) and give the
 * tail of an array to the same block on a padded copy: no second version of any formula. Results go
 * through a local array, so that outputs may be inputs without a check at run time. Unrolling is
 * forbidden because compilers unroll 16 short rounds before they think of vectors. */
#ifndef IA_KERNELS_LANES_H
#define IA_KERNELS_LANES_H

#include "kernels/law.h"

#include <string.h>

#define IA_LOOP_PARAMS 3 /* floats behind `p` of element-wise loops, always that many */
#define IA_LANE_BYTES (IA_LAW_LANES * sizeof(float))

#if defined(IA_PLAIN_LOOPS) /* fmaf is a call there: nothing to vectorise */
#define IA_LANES(j) for (int j = 0; j < IA_LAW_LANES; j++)
#elif defined(__clang__)
#define IA_LANES(j)                                                                                \
    _Pragma("clang loop vectorize(enable) unroll(disable)") for (int j = 0; j < IA_LAW_LANES; j++)
#elif defined(__GNUC__)
#define IA_LANES(j)                                                                                \
    _Pragma("GCC ivdep") _Pragma("GCC unroll 1") for (int j = 0; j < IA_LAW_LANES; j++)
#else
#define IA_LANES(j) for (int j = 0; j < IA_LAW_LANES; j++)
#endif

#endif
