/* Splits a CSV file into records and cells (RFC 4180), in one pass over a buffer. Knows no types.
 *
 * Quotes may hold separators, line ends and doubled quotes. Lines end in LF, CRLF or CR; blank
 * lines are skipped; a UTF-8 mark at the start is too. Blanks around unquoted cells are cut. */
#ifndef IA_DATA_CSV_H
#define IA_DATA_CSV_H

#include "base/input.h"

#define IA_CSV_MOST_RECORD ((size_t)64 << 20)

typedef struct ia_csv ia_csv;

typedef struct ia_cell {
    const char *text; /* from ia_csv_next with a zero byte behind it; lent until the next record */
    size_t len;
} ia_cell;

/* `in` NULL: standard input. The separator is guessed from the first lines: the one of tab, ';',
 * ',' that splits all of them into the same number of cells, more than one. `name` must outlive it.
 */
IA_MUST_CHECK inarch_status ia_csv_open(const ia_input *in, const char *name, ia_csv **out,
                                        inarch_error *err);
void ia_csv_close(ia_csv *c); /* NULL allowed */
char ia_csv_separator(const ia_csv *c);

/* The next record; *n is 0 at the end. */
IA_MUST_CHECK inarch_status ia_csv_next(ia_csv *c, const ia_cell **cells, size_t *n,
                                        inarch_error *err);
uint64_t ia_csv_line_number(const ia_csv *c); /* where the last record began, from 1 */

/* ---- many records at once ---- */

/* A record on a line of its own, whose cells ia_csv_line_cell finds (csv_lines.h). */
typedef struct ia_csv_line {
    uint32_t at;   /* where it begins in the text */
    uint32_t line; /* counted from the first line of the run */
} ia_csv_line;

typedef struct ia_csv_run {
    const uint8_t *text; /* lent until the next call */
    const ia_csv_line *line;
    size_t n;
    size_t bytes;        /* of text in all */
    uint64_t first_line; /* the number of the first line, from 1 */
} ia_csv_run;

/* The next lines of that kind, at most `most`; none where the next record is not one, or at the
 * end: then ia_csv_next goes on. skip_blank: a record of one cell without text is no record.
 * Nothing is taken before ia_csv_take says how many: 0..n. */
IA_MUST_CHECK inarch_status ia_csv_lines(ia_csv *c, size_t most, bool skip_blank, ia_csv_run *run,
                                         inarch_error *err);
void ia_csv_take(ia_csv *c, const ia_csv_run *run, size_t n);

#endif
