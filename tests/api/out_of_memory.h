/* Every allocation of a piece of work fails once, the library's own and jansson's: what the work
 * says of it. Leaks and wild pointers are the sanitizer's to find. */
#ifndef INARCH_TEST_OUT_OF_MEMORY_H
#define INARCH_TEST_OUT_OF_MEMORY_H

#include "base/failing_alloc.h"
#include "test.h"

#include <jansson.h>

static int json_starved; /* the allocation that failed was jansson's */

static void *json_malloc_failing(size_t n)
{
    int fails = ia_alloc_hook(n);
    json_starved = json_starved || fails;
    return fails ? NULL : malloc(n);
}

/* The work: INARCH_OK, or the status of its failure. */
typedef inarch_status starved_work(void *context, inarch_error *err);

/* Runs `work` with allocation 0, 1, 2, ... failing until none does; returns how many there were.
 * After each attempt `check` looks at what is left: some work succeeds without the allocation (a
 * cache goes to a file, a folder is not synced; and jansson loses a character now and then).
 * `step`: every step-th allocation only. */
static size_t starve(starved_work *work, void (*check)(void *context, inarch_status status),
                     void *context, int step)
{
    json_set_alloc_funcs(json_malloc_failing, free);
    for (int n = 0;; n += step) {
        inarch_error err = {.status = INARCH_OK};
        alloc_countdown = n;
        json_starved = 0;
        inarch_status status = work(context, &err);
        int reached = alloc_countdown < 0;
        alloc_countdown = -1;
        if (status == INARCH_OK && !reached) {
            json_set_alloc_funcs(malloc, free);
            return (size_t)n;
        }
        /* jansson cannot always tell a token it has no memory for from a token that is wrong. */
        if (status != INARCH_OK && status != INARCH_NO_MEMORY && !json_starved)
            fail_msg("allocation %d fails: status %d, %s", n, (int)status, err.message);
        if (status != INARCH_OK && err.status != status)
            fail_msg("allocation %d fails: the error is not filled in", n);
        if (check)
            check(context, status);
    }
}

#endif
