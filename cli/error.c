/* Filling errors, and finding the name that somebody meant. */
#include "cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LONGEST_NAME 63 /* that is compared */

static void fill(inarch_error *err, inarch_status status, const char *subject, const char *hint,
                 const char *format, va_list args)
{
    char message[sizeof err->message], advice[sizeof err->hint];
    snprintf(advice, sizeof advice, "%s", hint ? hint : ""); /* may lie in *err */
    vsnprintf(message, sizeof message, format, args);
    *err = (inarch_error){.status = status};
    snprintf(err->subject, sizeof err->subject, "%s", subject);
    memcpy(err->message, message, sizeof message);
    memcpy(err->hint, advice, sizeof advice);
}

inarch_status cli_fail(inarch_error *err, inarch_status status, const char *subject,
                       const char *hint, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fill(err, status, subject, hint, format, args);
    va_end(args);
    return status;
}

inarch_status cli_usage(inarch_error *err, const char *hint, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fill(err, CLI_USAGE, "", hint, format, args);
    va_end(args);
    return CLI_USAGE;
}

const char *cli_reason(int error, char *out, size_t size)
{
    snprintf(out, size, "%s", strerror(error));
    if (out[0] >= 'A' && out[0] <= 'Z' && !(out[1] >= 'A' && out[1] <= 'Z'))
        out[0] = (char)(out[0] - 'A' + 'a');
    return out;
}

inarch_status cli_fail_os(inarch_error *err, const char *verb, const char *path)
{
    char reason[128];
    return cli_fail(err, INARCH_IO, path, "", "%s '%s': %s", verb, path,
                    cli_reason(errno, reason, sizeof reason));
}

/* Letters to insert, drop, change or swap to make b of a. */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][LONGEST_NAME + 1], na = strlen(a), nb = strlen(b);
    size_t *older = rows[0], *old = rows[1], *now = rows[2];
    for (size_t j = 0; j <= nb; j++)
        old[j] = j;
    for (size_t i = 1; i <= na; i++) {
        now[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            size_t best = old[j - 1] + (a[i - 1] != b[j - 1]);
            best = old[j] + 1 < best ? old[j] + 1 : best;
            best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped && older[j - 2] + 1 < best)
                best = older[j - 2] + 1;
            now[j] = best;
        }
        size_t *spare = older;
        older = old;
        old = now;
        now = spare;
    }
    return old[nb];
}

/* A word as it is compared: small letters, '-' for '_', no leading dashes. */
static bool plain(const char *word, char out[LONGEST_NAME + 1])
{
    size_t n = strlen(word);
    if (n == 0 || n > LONGEST_NAME)
        return false;
    for (size_t i = 0; i <= n; i++) {
        char c = word[i];
        out[i] = c == '_' ? '-' : c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    return true;
}

const char *cli_nearest(const char *word, const char *const *names, size_t n)
{
    char a[LONGEST_NAME + 1], b[LONGEST_NAME + 1];
    const char *best = NULL;
    if (!plain(word, a))
        return NULL;
    size_t least = (strlen(a) + 1) / 3 + 1; /* one more than is allowed */
    for (size_t i = 0; i < n; i++) {
        if (!plain(names[i], b))
            continue;
        size_t d = distance(a, b);
        if (d < least) {
            least = d;
            best = names[i];
        }
    }
    if (best)
        return best;
    for (size_t i = 0; i < n; i++) /* "--valid" for "--validation" */
        if (strlen(a) >= 3 && plain(names[i], b) && strncmp(a, b, strlen(a)) == 0)
            return names[i];
    return NULL;
}
