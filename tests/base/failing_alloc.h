/* For tests: makes the N-th allocation of the library fail. */
#ifndef INARCH_TEST_FAILING_ALLOC_H
#define INARCH_TEST_FAILING_ALLOC_H

#include <stddef.h>

int ia_alloc_hook(size_t bytes);

static int alloc_countdown = -1; /* 0: the next one fails; below 0: none does */

int ia_alloc_hook(size_t bytes)
{
    (void)bytes;
    return alloc_countdown >= 0 && alloc_countdown-- == 0;
}

#endif
