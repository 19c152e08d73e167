/* Which character separates the cells of a CSV file. Internal to the reader. */
#ifndef IA_DATA_CSV_GUESS_H
#define IA_DATA_CSV_GUESS_H

#include "base/status.h"

#define CSV_GUESS_BYTES ((size_t)256 << 10) /* looked at, at most */

/* From the first bytes of the file; `whole`: there are no more. */
char ia_csv_guess(const uint8_t *data, size_t n, bool whole);

#endif
