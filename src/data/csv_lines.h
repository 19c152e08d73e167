/* Lines that can be split without a look at their neighbours. Internal to the CSV reader.
 *
 * Such a line is one record: it ends in LF or CRLF, a quote that is opened in it is closed in it,
 * and no quote is doubled and no byte is zero. All other records are left to the splitter (csv.h).
 */
#ifndef IA_DATA_CSV_LINES_H
#define IA_DATA_CSV_LINES_H

#include "data/csv.h"

/* Where the next of each is known to be, so that a text without any is searched once. */
typedef struct ia_csv_marks {
    size_t line_end, quote, cr, zero;
} ia_csv_marks;

typedef struct ia_csv_found {
    size_t n;       /* lines */
    size_t end;     /* behind the last of them and what was skipped */
    uint64_t lines; /* how many line ends that is */
} ia_csv_found;

/* Lists at most `most` lines of bytes[at, len), of which bytes[len] is a line end. `last`: the text
 * ends at len, so the line there is whole. Empty lines are skipped, and `blank` ones too. */
ia_csv_found ia_csv_find_lines(const uint8_t *bytes, size_t at, size_t len, bool last,
                               char separator, bool skip_blank, ia_csv_marks *marks,
                               ia_csv_line *out, size_t most);

/* The cell at *s of such a line; *s moves to the separator, CR or LF behind it. */
ia_cell ia_csv_line_cell(const uint8_t **s, char separator);

#endif
