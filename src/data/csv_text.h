/* The text of a CSV file, a buffer at a time. Internal to the reader.
 *
 * A file is read by pread, standard input by read; nothing is mapped. Behind the bytes stands a
 * line end that is not one of them, and room for a word, so who scans a line needs to look for its
 * end only. */
#ifndef IA_DATA_CSV_TEXT_H
#define IA_DATA_CSV_TEXT_H

#include "base/input.h"

#define CSV_BUFFER ((size_t)1 << 20) /* two or three of them stay in a core's own cache */
#define CSV_BEHIND 16                /* bytes behind the text that may be read */

typedef struct ia_csv_text {
    ia_input in;
    bool from_stdin;
    const char *name; /* for messages; lent */
    uint64_t pos;     /* of the next byte of the file */
    bool ended;       /* nothing comes after the buffer */
    uint8_t *bytes;   /* [CSV_BUFFER + CSV_BEHIND] */
    size_t at, len;   /* what is taken next, and where the text ends */
} ia_csv_text;

/* `in` NULL: standard input. The first bytes are read. Release it in any case. */
IA_MUST_CHECK inarch_status ia_csv_text_open(ia_csv_text *t, const ia_input *in, const char *name,
                                             inarch_error *err);
void ia_csv_text_release(ia_csv_text *t);
/* What is not taken moves to the front, and the buffer is filled up behind it. */
IA_MUST_CHECK inarch_status ia_csv_text_more(ia_csv_text *t, inarch_error *err);

#endif
