/* A growable byte buffer that is told its largest size when it is made. */
#ifndef IA_BASE_BUF_H
#define IA_BASE_BUF_H

#include "base/status.h"

typedef struct ia_buf {
    uint8_t *data; /* len bytes and a zero byte behind them; NULL while empty */
    size_t len, cap, max;
} ia_buf;

/* An empty buffer of at most `max` bytes; allocates nothing. */
#define IA_BUF(max_bytes) ((ia_buf){NULL, 0, 0, (max_bytes)})

IA_MUST_CHECK inarch_status ia_buf_append(ia_buf *b, const void *data, size_t n, inarch_error *err);
IA_MUST_CHECK inarch_status ia_buf_zeros(ia_buf *b, size_t n, inarch_error *err);
IA_MUST_CHECK inarch_status ia_buf_text(ia_buf *b, const char *s, inarch_error *err);
IA_PRINTF(3, 4) IA_MUST_CHECK
inarch_status ia_buf_printf(ia_buf *b, inarch_error *err, const char *format, ...);
/* Little endian. */
IA_MUST_CHECK inarch_status ia_buf_u8(ia_buf *b, uint8_t v, inarch_error *err);
IA_MUST_CHECK inarch_status ia_buf_u16(ia_buf *b, uint16_t v, inarch_error *err);
IA_MUST_CHECK inarch_status ia_buf_u32(ia_buf *b, uint32_t v, inarch_error *err);
IA_MUST_CHECK inarch_status ia_buf_u64(ia_buf *b, uint64_t v, inarch_error *err);
/* Overwrites n bytes at `at`, which must lie inside. */
void ia_buf_put(ia_buf *b, size_t at, const void *data, size_t n);
void ia_buf_free(ia_buf *b); /* empties it; the limit stays */

#endif
