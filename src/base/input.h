/* Where bytes come from: a file read by pread, memory, or a window on either (a ZIP member).
 *
 * Users' files are never mapped: a mapped file that is cut short while it is read kills the process
 * with SIGBUS. An input is small and copied by value; the owner closes it once. */
#ifndef IA_BASE_INPUT_H
#define IA_BASE_INPUT_H

#include "base/status.h"

typedef struct ia_input {
    const char *name;     /* for messages; borrowed */
    const uint8_t *bytes; /* borrowed memory, or NULL for a file */
    int fd;               /* -1 for memory */
    uint64_t base;        /* where the window starts in the file or memory */
    uint64_t size;        /* bytes in the window */
} ia_input;

/* Opens a regular file. `name` must outlive the input. Errors: INARCH_IO "cannot open ...", with
 * hints for a folder, a missing file, permissions. */
IA_MUST_CHECK inarch_status ia_input_open(const char *name, ia_input *out, inarch_error *err);
ia_input ia_input_memory(const void *data, size_t size, const char *name);
/* [offset, offset + size) of `in`; INARCH_BAD_FILE when it does not lie inside. Shares the file:
 * close only the parent. */
IA_MUST_CHECK inarch_status ia_input_window(const ia_input *in, uint64_t offset, uint64_t size,
                                            ia_input *out, inarch_error *err);
/* Exactly n bytes at `offset`; a shorter file (cut while it was read) is INARCH_BAD_FILE. */
IA_MUST_CHECK inarch_status ia_input_read(const ia_input *in, uint64_t offset, size_t n, void *dst,
                                          inarch_error *err);
/* The whole input, in new memory with a zero byte behind it; at most `max` bytes (INARCH_LIMIT). */
IA_MUST_CHECK inarch_status ia_input_read_all(const ia_input *in, size_t max, uint8_t **out,
                                              size_t *len, inarch_error *err);
void ia_input_close(ia_input *in);

#endif
