/* The allocation gate: zeroed memory, checked sizes, one place where a test can make memory run
 * out.
 *
 * A request passes the hook first; sizes that wrap never get that far. */
#include "base/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 64u
#define FIRST_CAPACITY 8u

/* Defined by tests only: nonzero makes this allocation fail. */
int ia_alloc_hook(size_t bytes) __attribute__((weak));

static bool alloc_refused(size_t bytes)
{
    return ia_alloc_hook && ia_alloc_hook(bytes);
}

bool ia_mul(size_t a, size_t b, size_t *out)
{
    if (b && a > SIZE_MAX / b) {
        *out = SIZE_MAX;
        return false;
    }
    *out = a * b;
    return true;
}

bool ia_add(size_t a, size_t b, size_t *out)
{
    if (a > SIZE_MAX - b) {
        *out = SIZE_MAX;
        return false;
    }
    *out = a + b;
    return true;
}

/* The checked size of a request, at least 1; 0 when it must fail. */
static size_t alloc_size(size_t count, size_t size)
{
    size_t bytes;
    if (!ia_mul(count, size, &bytes) || bytes > PTRDIFF_MAX || alloc_refused(bytes))
        return 0;
    return bytes ? bytes : 1;
}

void *ia_calloc(size_t count, size_t size)
{
    size_t bytes = alloc_size(count, size);
    return bytes ? calloc(1, bytes) : NULL;
}

void *ia_realloc(void *old, size_t count, size_t size)
{
    size_t bytes = alloc_size(count, size);
    return bytes ? realloc(old, bytes) : NULL;
}

void ia_free(void *p)
{
    free(p);
}

char *ia_strndup(const char *s, size_t n)
{
    size_t len = strnlen(s, n);
    char *copy = ia_calloc(len + 1, 1);
    if (copy)
        memcpy(copy, s, len);
    return copy;
}

char *ia_strdup(const char *s)
{
    return ia_strndup(s, SIZE_MAX);
}

char *ia_asprintf(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0)
        return NULL;
    char *text = ia_calloc((size_t)len + 1, 1);
    if (!text)
        return NULL;
    va_start(args, format);
    vsnprintf(text, (size_t)len + 1, format, args);
    va_end(args);
    return text;
}

void *ia_calloc_aligned(size_t bytes)
{
    size_t padded;
    if (!ia_add(bytes, ALIGNMENT - 1, &padded))
        return NULL;
    padded -= padded % ALIGNMENT;
    if (!padded)
        padded = ALIGNMENT;
    void *p;
    if (padded > PTRDIFF_MAX || alloc_refused(padded) || posix_memalign(&p, ALIGNMENT, padded))
        return NULL;
    return memset(p, 0, padded);
}

void ia_free_aligned(void *p)
{
    free(p);
}

inarch_status ia_grow(void *items, size_t *cap, size_t count, size_t size, const char *what,
                      inarch_error *err)
{
    if (count < *cap)
        return INARCH_OK;
    size_t want = *cap ? *cap : FIRST_CAPACITY, bytes;
    while (want <= count)
        if (!ia_mul(want, 2, &want))
            return ia_fail_memory(err, what, SIZE_MAX);
    if (!ia_mul(want, size, &bytes))
        return ia_fail_memory(err, what, SIZE_MAX);
    void *old; /* `items` is the address of a typed pointer: memcpy keeps aliasing legal */
    memcpy(&old, items, sizeof old);
    void *grown = ia_realloc(old, want, size);
    if (!grown)
        return ia_fail_memory(err, what, bytes);
    memcpy(items, &grown, sizeof grown);
    *cap = want;
    return INARCH_OK;
}
