/* The products of a dense layer in bf16: operands rounded to it, sums in float32. Outside the law.
 *
 * Weights stay float32 in panels, activations and gradients float32 in rows; only what the products
 * multiply is rounded, to nearest even. A NaN stays one, infinity stays, numbers below the smallest
 * normal one count as 0. Results do not depend on the number of threads, but they are those of the
 * machine: how two products of bf16 are added is the instruction's affair. The bias, the
 * activations, db and the optimizer's step are float32 as ever. */
#ifndef IA_KERNELS_BF16_H
#define IA_KERNELS_BF16_H

#include "kernels/kernels.h"

bool ia_has_bf16(void); /* this CPU has the instructions; dispatch.c */
/* Whether it has, and e's set has the panels that the kernels read. All of the below needs it. */
bool ia_bf16_ready(const ia_exec *e);

/* Floats of scratch; false when they overflow. */
bool ia_bf16_forward_size(size_t rows, size_t in, size_t *floats);
bool ia_bf16_back_size(size_t rows, size_t in, size_t units, size_t *floats);
/* As ia_dense_forward_run, with w in panels. */
void ia_bf16_forward_run(const ia_exec *e, const ia_dense_forward *d, float *temp);
/* As ia_dense_back_run. */
void ia_bf16_back_run(const ia_exec *e, const ia_dense_back *d, float *temp);

#endif
