/* Status and error reporting.
 *
 * Every fallible function returns an inarch_status and takes `inarch_error *err` last (NULL allowed).
 * A message states fact, subject and reason in lower case without a full stop; the hint says what to
 * do. The error is filled once, where the failure is found; callers forward it with IA_TRY. */
#ifndef IA_BASE_STATUS_H
#define IA_BASE_STATUS_H

#include "inarch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define IA_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define IA_MUST_CHECK __attribute__((warn_unused_result))
#define IA_UNUSED __attribute__((unused))
#else
#define IA_PRINTF(fmt, args)
#define IA_MUST_CHECK
#define IA_UNUSED
#endif

#define IA_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Returns from the calling function with the status of `call` unless it is INARCH_OK. */
#define IA_TRY(call)                                                                               \
    do {                                                                                           \
        inarch_status ia_try_status_ = (call);                                                     \
        if (ia_try_status_ != INARCH_OK)                                                           \
            return ia_try_status_;                                                                 \
    } while (0)

/* The same for functions that own something: needs a local `inarch_status status` and a label
 * `done:` that releases and returns it. */
#define IA_TRY_GOTO(call)                                                                          \
    do {                                                                                           \
        status = (call);                                                                           \
        if (status != INARCH_OK)                                                                   \
            goto done;                                                                             \
    } while (0)

/* Fills *err (when not NULL) and returns `status`. `subject` is what the message is about - a file,
 * layer or option name, or "" - and `hint` what to do next, or "". Both are copied, cut to fit at a
 * UTF-8 boundary. Control characters from untrusted names are replaced by '?'. */
IA_PRINTF(5, 6)
inarch_status ia_fail(inarch_error *err, inarch_status status, const char *subject,
                      const char *hint, const char *format, ...);

/* As ia_fail with INARCH_NO_MEMORY: "not enough memory for <what> (<bytes> bytes)". */
inarch_status ia_fail_memory(inarch_error *err, const char *what, size_t bytes);

/* Tells the compiler that these never return INARCH_OK, so that it sees that an *out argument is set
 * wherever IA_TRY goes on. */
static inline inarch_status ia_failed(inarch_status status)
{
#if defined(__GNUC__)
    if (status == INARCH_OK)
        __builtin_unreachable();
#endif
    return status;
}
#define ia_fail(...) ia_failed(ia_fail(__VA_ARGS__))
#define ia_fail_memory(...) ia_failed(ia_fail_memory(__VA_ARGS__))

/* Adds or replaces the hint or the subject of an error made below, where the caller knows better. */
void ia_error_hint(inarch_error *err, const char *hint);
void ia_error_subject(inarch_error *err, const char *subject);

#endif
