/* A set of different words, each with a number: text labels and class names. Internal to src/data.
 */
#ifndef IA_DATA_WORDS_H
#define IA_DATA_WORDS_H

#include "base/status.h"

typedef struct ia_words ia_words;

IA_MUST_CHECK inarch_status ia_words_new(ia_words **out, inarch_error *err);
ia_words *ia_words_ref(ia_words *w); /* NULL allowed */
void ia_words_unref(ia_words *w);    /* NULL allowed */

/* The number of the word, which is new when there was none. At most `most` words (INARCH_LIMIT).
 * Only while not shared. */
IA_MUST_CHECK inarch_status ia_words_add(ia_words *w, const char *text, size_t n, size_t most,
                                         uint32_t *number, inarch_error *err);
bool ia_words_find(const ia_words *w, const char *text, size_t n, uint32_t *number);

size_t ia_words_count(const ia_words *w);
const char *ia_words_at(const ia_words *w, uint32_t number);
/* All of them, in order of their numbers; lent until the next addition. */
const char *const *ia_words_list(const ia_words *w);

/* "'cat', 'dog', 'bird'", cut with "..." where `size` ends. */
const char *ia_words_quote(const char *const *words, size_t n, char *out, size_t size);

/* True when every word is a whole number. */
bool ia_words_all_integers(const ia_words *w);
/* A new set of the same words, sorted: by value when all are whole numbers, else by bytes. map[old
 * number] = new number. */
IA_MUST_CHECK inarch_status ia_words_sorted(const ia_words *w, ia_words **out, uint32_t *map,
                                            inarch_error *err);

#endif
