/* The allocation gate: all memory of the library comes from here.
 *
 * Sizes are multiplied through ia_mul/ia_add, so a wrapped product never reaches malloc. Tests define
 * the weak symbol ia_alloc_hook to make the N-th allocation fail. */
#ifndef IA_BASE_ALLOC_H
#define IA_BASE_ALLOC_H

#include "base/status.h"

/* *out = a*b or a+b; false when it does not fit (then *out is SIZE_MAX). */
bool ia_mul(size_t a, size_t b, size_t *out);
bool ia_add(size_t a, size_t b, size_t *out);

/* count*size bytes, zeroed; NULL when it wraps or memory is out. count*size == 0 gives a valid
 * pointer that may be freed but not read. */
void *ia_calloc(size_t count, size_t size);
/* Grows or shrinks to count*size bytes; the old block stays valid on failure; new bytes are not
 * cleared. */
void *ia_realloc(void *old, size_t count, size_t size);
void ia_free(void *p); /* NULL allowed */

char *ia_strdup(const char *s);
char *ia_strndup(const char *s, size_t n);
IA_PRINTF(1, 2) char *ia_asprintf(const char *format, ...);

/* `bytes` zeroed bytes aligned to 64 (one cache line, one zmm register), padded to a multiple of 64.
 * Released with ia_free_aligned. */
void *ia_calloc_aligned(size_t bytes);
void ia_free_aligned(void *p);

/* Grows *items (elements of `size` bytes) so that index `count` is valid, doubling *cap. On failure
 * nothing changes. Use: IA_TRY(ia_grow(&v, &cap, count, sizeof *v, "layers", err)); v[count++] = x; */
IA_MUST_CHECK
inarch_status ia_grow(void *items, size_t *cap, size_t count, size_t size, const char *what,
                      inarch_error *err);

#endif
