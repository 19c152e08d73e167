/* Filling inarch_error: fixed arrays, nothing to free.
 *
 * Names in messages may come from hostile files, so what could steer a terminal or break JSON -
 * control characters, bytes that are not UTF-8 - becomes '?', and cutting never splits a character.
 */
#include "base/status.h"
#include "base/cursor.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define RAW_MESSAGE 1024 /* formatted before it is cleaned and cut; longer than any field */

/* Bytes of the character at s (1..4) if it is valid and printable, else 0. */
static size_t status_printable(const char *s, size_t left)
{
    unsigned char lead = (unsigned char)s[0];
    if (lead < 0x80)
        return lead >= 0x20 && lead != 0x7f;
    size_t n = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (n > left || !ia_utf8_valid(s, n))
        return 0;
    if (lead == 0xc2 && (unsigned char)s[1] < 0xa0) /* U+0080..U+009F, the C1 controls */
        return 0;
    return n;
}

static size_t status_skip(const char *s, size_t left)
{
    bool c1 = left >= 2 && (unsigned char)s[0] == 0xc2 && ((unsigned char)s[1] & 0xc0) == 0x80;
    return c1 ? 2 : 1;
}

/* Copies s into out[size], cleaned and cut at a character. */
static void status_copy(char *out, size_t size, const char *s)
{
    size_t len = strlen(s), at = 0, used = 0;
    while (at < len) {
        size_t n = status_printable(s + at, len - at);
        size_t width = n ? n : 1;
        if (used + width >= size)
            break;
        if (n)
            memcpy(out + used, s + at, n);
        else
            out[used] = '?';
        used += width;
        at += n ? n : status_skip(s + at, len - at);
    }
    out[used] = 0;
}

/* `s` may be the field itself or lie in the same error, so it is copied aside first. */
static void status_set(char *field, size_t size, const char *s)
{
    char aside[RAW_MESSAGE];
    assert(size <= sizeof aside);
    status_copy(aside, size, s ? s : "");
    memcpy(field, aside, strlen(aside) + 1);
}

inarch_status (ia_fail)(inarch_error *err, inarch_status status, const char *subject,
                      const char *hint, const char *format, ...)
{
    assert(status != INARCH_OK);
    if (!err)
        return status;
    char raw[RAW_MESSAGE];
    va_list args;
    va_start(args, format);
    if (vsnprintf(raw, sizeof raw, format, args) < 0)
        raw[0] = 0;
    va_end(args);

    inarch_error filled = {.status = status};
    status_copy(filled.subject, sizeof filled.subject, subject ? subject : "");
    status_copy(filled.message, sizeof filled.message, raw);
    status_copy(filled.hint, sizeof filled.hint, hint ? hint : "");
    *err = filled;
    return status;
}

inarch_status (ia_fail_memory)(inarch_error *err, const char *what, size_t bytes)
{
    const char *hint = "free some memory, or use a smaller model, batch or file";
    if (bytes == SIZE_MAX) /* what ia_mul and ia_add leave when they wrap */
        return ia_fail(err, INARCH_NO_MEMORY, what, hint,
                       "not enough memory for %s (more bytes than can be addressed)", what);
    return ia_fail(err, INARCH_NO_MEMORY, what, hint, "not enough memory for %s (%zu bytes)", what,
                   bytes);
}

void ia_error_hint(inarch_error *err, const char *hint)
{
    if (err)
        status_set(err->hint, sizeof err->hint, hint);
}

void ia_error_subject(inarch_error *err, const char *subject)
{
    if (err)
        status_set(err->subject, sizeof err->subject, subject);
}
