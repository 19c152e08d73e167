/* Bytes in order: as they are, inflated, or gunzipped.
 *
 * A stream reads its input in pieces and never gives more than was declared or than DEFLATE can
 * expand to, so readers may trust `ia_stream_most` before they allocate. */
#ifndef IA_CONTAINERS_STREAM_H
#define IA_CONTAINERS_STREAM_H

#include "base/input.h"

typedef enum ia_coding {
    IA_CODING_RAW,
    IA_CODING_DEFLATE, /* a member of a ZIP: no header */
    IA_CODING_GZIP     /* one or more gzip members and nothing else */
} ia_coding;

typedef struct ia_inflater ia_inflater;

typedef struct ia_stream {
    ia_input in;           /* the coded bytes; borrows the file */
    uint64_t pos;          /* of the next coded byte */
    uint64_t given;        /* bytes given so far */
    uint64_t size;         /* RAW, DEFLATE: exactly; GZIP: at most */
    uint32_t crc;          /* of the bytes given (not for GZIP, which checks its own) */
    uint32_t expected_crc; /* where has_crc */
    bool has_crc;
    ia_coding coding;
    ia_inflater *inflater; /* NULL for RAW */
} ia_stream;

/* DEFLATE never expands a byte to more than this many. */
#define IA_DEFLATE_MOST 1032

/* `size` is the declared size of DEFLATE; ignored for the others. Close even after errors. */
IA_MUST_CHECK inarch_status ia_stream_open(const ia_input *in, ia_coding coding, uint64_t size,
                                           ia_stream *out, inarch_error *err);
/* The whole input: GZIP when it starts so, else RAW. */
IA_MUST_CHECK inarch_status ia_stream_open_any(const ia_input *in, ia_stream *out,
                                               inarch_error *err);
/* Up to n bytes; *got < n only at the end. */
IA_MUST_CHECK inarch_status ia_stream_some(ia_stream *s, void *dst, size_t n, size_t *got,
                                           inarch_error *err);
/* Exactly n bytes, else INARCH_BAD_FILE "is cut short". */
IA_MUST_CHECK inarch_status ia_stream_read(ia_stream *s, void *dst, size_t n, inarch_error *err);
/* Nothing may be left, and the checksum must agree. */
IA_MUST_CHECK inarch_status ia_stream_end(ia_stream *s, inarch_error *err);
/* Bytes still to come: exactly, except for GZIP: at most. */
uint64_t ia_stream_most(const ia_stream *s);
void ia_stream_close(ia_stream *s);

#endif
