/* Sums inside one vector by law (c) of kernels/law.h: 16 lanes, then the tree 8-4-2-1. */
#ifndef IA_NN_LAYERS_VECTORS_H
#define IA_NN_LAYERS_VECTORS_H

#include "kernels/law.h"

static inline float ia_vector_sum(size_t n, const float *x)
{
    float lane[IA_LAW_LANES] = {0};
    for (size_t i = 0; i < n; i++)
        lane[i % IA_LAW_LANES] += x[i];
    return ia_law_lanes_sum(lane);
}

static inline float ia_vector_dot(size_t n, const float *x, const float *y)
{
    float lane[IA_LAW_LANES] = {0};
    for (size_t i = 0; i < n; i++)
        lane[i % IA_LAW_LANES] += x[i] * y[i];
    return ia_law_lanes_sum(lane);
}

/* sum of (x - mean)^2 */
static inline float ia_vector_sqdiff(size_t n, const float *x, float mean)
{
    float lane[IA_LAW_LANES] = {0};
    for (size_t i = 0; i < n; i++) {
        float d = x[i] - mean;
        lane[i % IA_LAW_LANES] += d * d;
    }
    return ia_law_lanes_sum(lane);
}

#endif
