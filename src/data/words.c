/* Words behind a hash table of open addressing. */
#include "data/words.h"

#include "base/alloc.h"
#include "base/text.h"
#include "containers/order.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

struct ia_words {
    atomic_size_t refs;
    char **word;
    size_t count, cap;
    uint32_t *slot; /* number + 1; 0 is free */
    size_t slots;   /* a power of two, at least twice the words */
};

inarch_status ia_words_new(ia_words **out, inarch_error *err)
{
    ia_words *w = ia_calloc(1, sizeof *w);
    if (!w)
        return ia_fail_memory(err, "words", sizeof *w);
    atomic_init(&w->refs, 1);
    *out = w;
    return INARCH_OK;
}

ia_words *ia_words_ref(ia_words *w)
{
    if (w)
        atomic_fetch_add_explicit(&w->refs, 1, memory_order_relaxed);
    return w;
}

void ia_words_unref(ia_words *w)
{
    if (!w || atomic_fetch_sub_explicit(&w->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < w->count; i++)
        ia_free(w->word[i]);
    ia_free(w->word);
    ia_free(w->slot);
    ia_free(w);
}

/* FNV-1a. */
static uint64_t words_hash(const char *text, size_t n)
{
    uint64_t h = 14695981039346656037ull;
    for (size_t i = 0; i < n; i++)
        h = (h ^ (uint8_t)text[i]) * 1099511628211ull;
    return h ^ h >> 32;
}

/* The slot of the word, or the free one where it belongs. */
static size_t words_slot(const ia_words *w, const char *text, size_t n)
{
    size_t at = (size_t)words_hash(text, n) & (w->slots - 1);
    for (; w->slot[at] != 0; at = (at + 1) & (w->slots - 1)) {
        const char *word = w->word[w->slot[at] - 1];
        if (strncmp(word, text, n) == 0 && word[n] == 0)
            break;
    }
    return at;
}

static inarch_status words_grow(ia_words *w, inarch_error *err)
{
    if (w->slots >= 2 * (w->count + 1))
        return INARCH_OK;
    size_t slots = w->slots ? w->slots * 2 : 16;
    uint32_t *slot = ia_calloc(slots, sizeof *slot);
    if (!slot)
        return ia_fail_memory(err, "words", slots * sizeof *slot);
    ia_free(w->slot);
    w->slot = slot;
    w->slots = slots;
    for (size_t i = 0; i < w->count; i++)
        slot[words_slot(w, w->word[i], strlen(w->word[i]))] = (uint32_t)i + 1;
    return INARCH_OK;
}

inarch_status ia_words_add(ia_words *w, const char *text, size_t n, size_t most, uint32_t *number,
                           inarch_error *err)
{
    IA_TRY(words_grow(w, err));
    size_t at = words_slot(w, text, n);
    if (w->slot[at] == 0) {
        if (w->count >= most)
            return ia_fail(err, INARCH_LIMIT, "", "are these classes?",
                           "there are more than %zu different labels", most);
        IA_TRY(ia_grow(&w->word, &w->cap, w->count, sizeof *w->word, "words", err));
        char *copy = ia_strndup(text, n);
        if (!copy)
            return ia_fail_memory(err, "a word", n);
        w->word[w->count] = copy;
        w->slot[at] = (uint32_t)++w->count;
    }
    *number = w->slot[at] - 1;
    return INARCH_OK;
}

bool ia_words_find(const ia_words *w, const char *text, size_t n, uint32_t *number)
{
    size_t at = w->slots ? words_slot(w, text, n) : 0;
    if (!w->slots || w->slot[at] == 0)
        return false;
    *number = w->slot[at] - 1;
    return true;
}

size_t ia_words_count(const ia_words *w)
{
    return w->count;
}

const char *ia_words_at(const ia_words *w, uint32_t number)
{
    return w->word[number];
}

const char *const *ia_words_list(const ia_words *w)
{
    return (const char *const *)w->word;
}

const char *ia_words_quote(const char *const *words, size_t n, char *out, size_t size)
{
    size_t used = 0;
    out[0] = 0;
    for (size_t i = 0; i < n; i++) {
        size_t need = strlen(words[i]) + 4 + (i + 1 < n ? 5 : 0); /* quotes, ", ", room for "..." */
        if (used + need >= size) {
            snprintf(out + used, size - used, "...");
            break;
        }
        used += (size_t)snprintf(out + used, size - used, i + 1 < n ? "'%s', " : "'%s'", words[i]);
    }
    return out;
}

/* ---- order ---- */

bool ia_words_all_integers(const ia_words *w)
{
    int64_t v;
    for (size_t i = 0; i < w->count; i++)
        if (!ia_parse_int(w->word[i], strlen(w->word[i]), &v))
            return false;
    return true;
}

static bool words_less(const void *context, uint32_t a, uint32_t b)
{
    const ia_words *w = context;
    return strcmp(w->word[a], w->word[b]) < 0; /* compares unsigned bytes */
}

static bool words_less_by_value(const void *context, uint32_t a, uint32_t b)
{
    const ia_words *w = context;
    int64_t va = 0, vb = 0;
    (void)ia_parse_int(w->word[a], strlen(w->word[a]), &va);
    (void)ia_parse_int(w->word[b], strlen(w->word[b]), &vb);
    return va != vb ? va < vb : words_less(context, a, b);
}

inarch_status ia_words_sorted(const ia_words *w, ia_words **out, uint32_t *map, inarch_error *err)
{
    inarch_status status = INARCH_OK;
    ia_words *sorted = NULL;
    uint32_t *order = ia_calloc(w->count, sizeof *order);
    if (!order)
        return ia_fail_memory(err, "words", w->count * sizeof *order);
    for (size_t i = 0; i < w->count; i++)
        order[i] = (uint32_t)i;
    ia_order_sort(order, w->count, ia_words_all_integers(w) ? words_less_by_value : words_less, w);
    IA_TRY_GOTO(ia_words_new(&sorted, err));
    for (size_t i = 0; i < w->count; i++) {
        const char *word = w->word[order[i]];
        IA_TRY_GOTO(ia_words_add(sorted, word, strlen(word), w->count, &map[order[i]], err));
    }
    *out = ia_words_ref(sorted);
done:
    ia_words_unref(sorted);
    ia_free(order);
    return status;
}
