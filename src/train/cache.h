/* The frontier cache: what the frozen part makes of each row, kept by source row.
 *
 * Shuffles, epochs and views of one source share it. It lives in memory up to a limit, else in an
 * unlinked temporary file. Values are the prefix' own bytes, so results are the same with and
 * without. */
#ifndef IA_TRAIN_CACHE_H
#define IA_TRAIN_CACHE_H

#include "data/data.h"
#include "plan/plan.h"

typedef struct ia_cache ia_cache;

/* Bytes that `rows` rows of this program's frontier take. */
uint64_t ia_cache_bytes(const ia_program *p, size_t rows);
/* Room for `rows` rows of a source of `source_rows`; a file when they take more than `memory`
 * bytes. */
IA_MUST_CHECK inarch_status ia_cache_new(const ia_program *p, size_t source_rows, size_t rows,
                                         uint64_t memory, ia_cache **out, inarch_error *err);
void ia_cache_free(ia_cache *c); /* NULL allowed */
bool ia_cache_in_memory(const ia_cache *c);
bool ia_cache_has(const ia_cache *c, uint64_t source_row);
/* Keeps row r of the program's frontier as source_row[r], r < rows. */
IA_MUST_CHECK inarch_status ia_cache_put(ia_cache *c, const ia_program *p,
                                         const uint64_t *source_row, size_t rows,
                                         inarch_error *err);
/* The reverse; every row must be there. */
IA_MUST_CHECK inarch_status ia_cache_get(const ia_cache *c, ia_program *p,
                                         const uint64_t *source_row, size_t rows,
                                         inarch_error *err);

#endif
