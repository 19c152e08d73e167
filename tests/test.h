/* What every test program includes: cmocka in its required order, and a few checks of our own. */
#ifndef INARCH_TEST_H
#define INARCH_TEST_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "inarch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The call succeeds, or the test fails with the error's text. */
#define assert_ok(call, err)                                                                       \
    do {                                                                                           \
        inarch_status assert_ok_status = (call);                                                   \
        if (assert_ok_status != INARCH_OK)                                                         \
            fail_msg("%s: %d: %s: %s (%s)", #call, (int)assert_ok_status, (err).subject,           \
                     (err).message, (err).hint);                                                   \
    } while (0)

/* |a - b| <= tol * max(1, |b|); NaN never is. */
#define assert_near(a, b, tol)                                                                     \
    do {                                                                                           \
        double near_a = (double)(a), near_b = (double)(b);                                         \
        double near_d = near_a > near_b ? near_a - near_b : near_b - near_a;                       \
        double near_m = near_b < 0 ? -near_b : near_b;                                             \
        if (!(near_d <= (tol) * (near_m > 1 ? near_m : 1)))                                        \
            fail_msg("%s = %.9g, but %s = %.9g", #a, near_a, #b, near_b);                          \
    } while (0)

#endif
