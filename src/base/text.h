/* Small helpers on names and numbers: parsing without locale, globs, suggestions. */
#ifndef IA_BASE_TEXT_H
#define IA_BASE_TEXT_H

#include "base/status.h"

/* Whole-string parses, independent of the locale (a comma is never a decimal point); spaces, empty
 * text, trailing characters and overflow give false. ia_parse_double accepts nan and inf. */
bool ia_parse_double(const char *s, size_t n, double *out);
bool ia_parse_int(const char *s, size_t n, int64_t *out);

/* '*' any run, '?' one character, else equal bytes. '*' also matches '/'. */
bool ia_glob_match(const char *pattern, const char *name);

/* The candidate nearest to `word` by edit distance (transpositions count one), or NULL when none is
 * within about a third of its length. Candidates are borrowed. */
const char *ia_suggest(const char *word, const char *const *candidates, size_t n);

/* Calls back for each item of `list` separated by `separator`, not splitting inside (), [] or quotes. */
typedef struct ia_split {
    const char *next; /* rest of the list, NULL at the end */
    char separator;
} ia_split;
ia_split ia_split_of(const char *list, char separator);
/* The next item (trimmed of spaces) as [*item, *item + *len); false at the end. */
bool ia_split_next(ia_split *s, const char **item, size_t *len);

/* Shortest decimal text that reads back as v ("%.9g" for floats); at least 32 bytes. */
void ia_format_float(float v, char *out, size_t size);
void ia_format_double(double v, char *out, size_t size);

#endif
