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
    const char *text; /* a zero byte behind it; lent until the next record */
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
uint64_t ia_csv_line(const ia_csv *c); /* where the last record began, from 1 */

#endif
