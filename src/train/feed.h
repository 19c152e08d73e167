/* Feeds: rows of data into a program, with the heads' targets and weights beside them.
 *
 * From the cache where there is one, else gathered and run through the static prefix. */
#ifndef IA_TRAIN_FEED_H
#define IA_TRAIN_FEED_H

#include "train/cache.h"
#include "train/objective.h"

typedef struct ia_feed ia_feed;

/* The data's inputs are the model's: as many, rows of as many numbers, without holes. */
IA_MUST_CHECK inarch_status ia_feed_check(const ia_model *m, const ia_data *d, bool with_targets,
                                          inarch_error *err);

/* `heads` may be none (predictions). All is borrowed; cache may be NULL. For at most `rows` rows.
 */
IA_MUST_CHECK inarch_status ia_feed_new(const ia_data *d, const ia_head *heads, size_t head_count,
                                        ia_cache *cache, size_t rows, ia_feed **out,
                                        inarch_error *err);
void ia_feed_free(ia_feed *f); /* NULL allowed */
bool ia_feed_weighted(const ia_feed *f);
size_t ia_feed_rows(const ia_feed *f);

/* Fills the program's inputs or frontier with the rows (of the view), runs the prefix; fills
 * target[head] and, when the data is weighted, weight[head]. */
IA_MUST_CHECK inarch_status ia_feed_load(ia_feed *f, ia_program *p, const uint64_t *rows, size_t n,
                                         float *const *target, float *const *weight,
                                         inarch_error *err);
/* Inputs only, into the cache (those rows that it lacks). */
IA_MUST_CHECK inarch_status ia_feed_fill_cache(ia_feed *f, ia_program *p, const uint64_t *rows,
                                               size_t n, inarch_error *err);

#endif
