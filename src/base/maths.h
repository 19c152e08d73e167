/* Elementary functions in double precision, of our own: the same bytes on every machine.
 *
 * Built from IEEE + - * / and fma alone; nothing of libm, whose exp and log differ between systems.
 * They serve losses, schedules, initialisers and shuffles; the float versions for whole arrays are
 * in kernels/fmath.h. Errors are in units in the last place, measured against long double (see the
 * test): NaN gives NaN, overflow gives infinity, underflow subnormals or zero. */
#ifndef IA_BASE_MATHS_H
#define IA_BASE_MATHS_H

double ia_exp(double x);   /* 0.9 ulp; 1 ulp of the smallest subnormal below 2^-1022 */
double ia_expm1(double x); /* 1.4 ulp */
double ia_log(double x);   /* 0.6 ulp; -infinity at 0, NaN below */
double ia_log1p(double x); /* 0.6 ulp */
/* |x| to 1e5: 1 ulp. Beyond, the error grows as |x| * 1e-32; NaN at infinity and past 1e15. */
double ia_sin(double x);
double ia_cos(double x);
/* 1.1 ulp for |y log x| < 10, 3 ulp for 50, 12 ulp up to overflow. Special cases as C's pow: 1 for
 * y = 0 or x = 1; a negative x needs a whole y, else NaN. */
double ia_pow(double x, double y);
double ia_tanh(double x); /* 2.6 ulp */
double ia_erf(double x);  /* 1.4 ulp */

#endif
