/* Names: globs, suggestions, lists. Numbers are in number.c. */
#include "base/text.h"

#include <string.h>

/* The byte behind the character at s, which is not at the end. */
static const char *text_next(const char *s)
{
    do
        s++;
    while (((unsigned char)*s & 0xc0) == 0x80);
    return s;
}

bool ia_glob_match(const char *pattern, const char *name)
{
    const char *star = NULL, *resume = NULL; /* behind the last '*', and where it stopped eating */
    while (*name) {
        if (*pattern == '*') {
            star = ++pattern;
            resume = name;
        } else if (*pattern == '?') {
            pattern++;
            name = text_next(name);
        } else if (*pattern == *name) {
            pattern++;
            name++;
        } else if (star) { /* let the last '*' eat one character more */
            pattern = star;
            name = resume = text_next(resume);
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

#define SUGGEST_MAX 64 /* longer words are not compared */

static char text_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static size_t text_min(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Edits between a and b, upper and lower case alike; swapping two neighbours is one edit. */
static size_t text_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t row[3]
              [SUGGEST_MAX + 1]; /* of the two letters before, of the letter before, of this one */
    size_t *older = row[0], *old = row[1], *now = row[2];
    for (size_t j = 0; j <= b_len; j++)
        old[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        char ca = text_lower(a[i - 1]);
        now[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            char cb = text_lower(b[j - 1]);
            size_t edit = text_min(old[j], now[j - 1]) + 1;
            now[j] = text_min(edit, old[j - 1] + (ca != cb));
            if (i > 1 && j > 1 && ca == text_lower(b[j - 2]) && text_lower(a[i - 2]) == cb)
                now[j] = text_min(now[j], older[j - 2] + 1);
        }
        size_t *recycled = older;
        older = old;
        old = now;
        now = recycled;
    }
    return old[b_len];
}

const char *ia_suggest(const char *word, const char *const *candidates, size_t n)
{
    size_t len = strlen(word);
    if (!len || len > SUGGEST_MAX)
        return NULL;
    const char *best = NULL;
    size_t least = (len + 1) / 3 + 1; /* one more than is allowed */
    for (size_t i = 0; i < n; i++) {
        size_t candidate_len = strlen(candidates[i]);
        if (candidate_len > SUGGEST_MAX)
            continue;
        size_t distance = text_distance(word, len, candidates[i], candidate_len);
        if (distance < least) {
            least = distance;
            best = candidates[i];
        }
    }
    return best;
}

ia_split ia_split_of(const char *list, char separator)
{
    return (ia_split){.next = list && *list ? list : NULL, .separator = separator};
}

/* The end of the item at s: a separator outside brackets and quotes, or the end of the text. */
static const char *text_item_end(const char *s, char separator)
{
    size_t depth = 0;
    char quote = 0;
    for (; *s; s++) {
        if (quote) {
            if (*s == quote)
                quote = 0;
        } else if (*s == separator && !depth) {
            break;
        } else if (*s == '"' || *s == '\'') {
            quote = *s;
        } else if (*s == '(' || *s == '[') {
            depth++;
        } else if ((*s == ')' || *s == ']') && depth) {
            depth--;
        }
    }
    return s;
}

bool ia_split_next(ia_split *s, const char **item, size_t *len)
{
    if (!s->next)
        return false;
    const char *begin = s->next, *end = text_item_end(begin, s->separator);
    s->next = *end ? end + 1 : NULL;
    while (begin < end && (*begin == ' ' || *begin == '\t'))
        begin++;
    while (end > begin && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    *item = begin;
    *len = (size_t)(end - begin);
    return true;
}
