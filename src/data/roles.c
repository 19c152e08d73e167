/* The header of a table and what the user said about its columns.
 *
 * The first row is data when all of it is numbers, else it holds names. One exception: 0, 1, 2, ...
 * in three or more columns are the names pandas gives, not numbers. */
#include "data/table.h"

#include "base/alloc.h"
#include "base/cursor.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define COUNTING_COLUMNS 3

static bool cells_are_numbers(const ia_cell *cells, size_t n)
{
    double v;
    bool counting = n >= COUNTING_COLUMNS;
    for (size_t i = 0; i < n; i++) {
        if (!ia_parse_double(cells[i].text, cells[i].len, &v))
            return false;
        char place[24];
        snprintf(place, sizeof place, "%zu", i);
        counting = counting && strcmp(cells[i].text, place) == 0;
    }
    return !counting;
}

/* ---- names ---- */

static inarch_status check_unique(const char *file, char *const *name, size_t n, inarch_error *err)
{
    inarch_status status = INARCH_OK;
    ia_words *seen;
    IA_TRY(ia_words_new(&seen, err));
    for (size_t i = 0; i < n; i++) {
        uint32_t number;
        size_t before = ia_words_count(seen);
        if (name[i][0] == 0)
            continue;
        IA_TRY_GOTO(
            ia_words_add(seen, name[i], strlen(name[i]), IA_DATA_MAX_COLUMNS, &number, err));
        if (ia_words_count(seen) == before) {
            status = ia_fail(err, INARCH_BAD_FILE, file, "rename one of them",
                             "'%.200s': two columns are called '%.80s'", file, name[i]);
            goto done;
        }
    }
done:
    ia_words_unref(seen);
    return status;
}

static inarch_status read_header(ia_roles *r, const char *file, const ia_cell *cells,
                                 inarch_error *err)
{
    r->name = ia_calloc(r->columns, sizeof *r->name);
    if (!r->name)
        return ia_fail_memory(err, "names of columns", r->columns * sizeof *r->name);
    for (size_t i = 0; i < r->columns; i++) {
        if (!ia_utf8_valid(cells[i].text, cells[i].len))
            return ia_fail(err, INARCH_BAD_FILE, file, "save it as UTF-8",
                           "'%.200s': the name of column %zu is not UTF-8 text", file, i + 1);
        r->name[i] = ia_strndup(cells[i].text, cells[i].len);
        if (!r->name[i])
            return ia_fail_memory(err, "names of columns", cells[i].len);
    }
    return check_unique(file, r->name, r->columns, err);
}

/* ---- lists of columns ---- */

static bool find_column(const ia_roles *r, const char *name, size_t len, size_t *at)
{
    for (size_t i = 0; r->name && i < r->columns; i++)
        if (strlen(r->name[i]) == len && memcmp(r->name[i], name, len) == 0) {
            *at = i;
            return len > 0;
        }
    /* Its number, where it has no name. */
    int64_t place;
    if (!ia_parse_int(name, len, &place) || place < 1 || (uint64_t)place > r->columns)
        return false;
    *at = (size_t)place - 1;
    return !r->name || r->name[*at][0] == 0;
}

static inarch_status no_column(const ia_roles *r, const char *file, const char *name, size_t len,
                               inarch_error *err)
{
    char word[100], hint[256], list[200];
    snprintf(word, sizeof word, "%.*s", (int)(len < 99 ? len : 99), name);
    if (!r->name)
        return ia_fail(err, INARCH_NOT_FOUND, file,
                       "without names in its first row, columns are numbered from 1",
                       "'%.200s' has no column '%s': it has %zu columns without names", file, word,
                       r->columns);
    const char *near = ia_suggest(word, (const char *const *)r->name, r->columns);
    if (near)
        snprintf(hint, sizeof hint, "did you mean '%.200s'?", near);
    else
        snprintf(hint, sizeof hint, "its columns are %s",
                 ia_words_quote((const char *const *)r->name, r->columns, list, sizeof list));
    return ia_fail(err, INARCH_NOT_FOUND, file, hint, "'%.200s' has no column '%s'", file, word);
}

static const char *const role_names[] = {"an input", "a label", "the weight", "dropped"};

static inarch_status set_role(ia_roles *r, const char *file, const char *name, size_t len,
                              ia_role role, inarch_error *err)
{
    size_t at;
    if (!find_column(r, name, len, &at))
        return no_column(r, file, name, len, err);
    if (r->role[at] != IA_ROLE_INPUT)
        return ia_fail(err, INARCH_BAD_ARGUMENT, file, "",
                       "column '%.*s' of '%.150s' cannot be %s and %s", (int)(len < 80 ? len : 80),
                       name, file, role_names[r->role[at]],
                       r->role[at] == role ? "that again" : role_names[role]);
    r->role[at] = (uint8_t)role;
    if (role == IA_ROLE_LABEL)
        r->label[r->labels++] = at;
    return INARCH_OK;
}

/* Each item of a list separated by commas; quotes around a name are taken off. */
static inarch_status set_roles(ia_roles *r, const char *file, const char *list, ia_role role,
                               inarch_error *err)
{
    if (!list || !*list)
        return INARCH_OK;
    /* The whole list may be one name with commas in it. */
    size_t at, len = strlen(list);
    if (find_column(r, list, len, &at))
        return set_role(r, file, list, len, role, err);
    ia_split s = ia_split_of(list, ',');
    const char *item;
    while (ia_split_next(&s, &item, &len)) {
        if (len >= 2 && (item[0] == '"' || item[0] == '\'') && item[len - 1] == item[0]) {
            item++;
            len -= 2;
        }
        IA_TRY(set_role(r, file, item, len, role, err));
    }
    return INARCH_OK;
}

inarch_status ia_roles_start(ia_roles *r, const char *file, const ia_cell *cells, size_t n,
                             const ia_data_options *o, inarch_error *err)
{
    r->columns = n;
    r->role = ia_calloc(n, sizeof *r->role);
    r->label = ia_calloc(n, sizeof *r->label);
    if (!r->role || !r->label)
        return ia_fail_memory(err, "the columns of a table", n * sizeof *r->label);
    if (!cells_are_numbers(cells, n))
        IA_TRY(read_header(r, file, cells, err));
    IA_TRY(set_roles(r, file, o->labels, IA_ROLE_LABEL, err));
    IA_TRY(set_roles(r, file, o->weights, IA_ROLE_WEIGHT, err));
    return set_roles(r, file, o->drop, IA_ROLE_DROP, err);
}

void ia_roles_release(ia_roles *r)
{
    for (size_t i = 0; r->name && i < r->columns; i++)
        ia_free(r->name[i]);
    ia_free(r->name);
    ia_free(r->role);
    ia_free(r->label);
    *r = (ia_roles){.columns = 0};
}
