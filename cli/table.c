/* Tables for people: columns as wide as their widest cell, empty ones left out. */
#include "text.h"

#include <stdlib.h>
#include <string.h>

#define GAP 2 /* spaces between columns */

void text_cell(text_table *t, const char *s)
{
    if (t->count == t->room) {
        t->room = t->room ? t->room * 2 : 64;
        t->cells = text_alloc(t->cells, t->room * sizeof *t->cells);
    }
    t->cells[t->count++] = text_copy(s, strlen(s));
}

void text_table_free(text_table *t)
{
    for (size_t i = 0; i < t->count; i++)
        free(t->cells[i]);
    free(t->cells);
    t->cells = NULL;
    t->count = t->room = 0;
}

/* Cuts a cell that is wider than its column allows. */
static void shorten(char *s, size_t most)
{
    if (most < 4 || text_width(s) <= most)
        return;
    size_t columns = 0;
    char *end = s;
    for (; *end; end++) {
        columns += ((unsigned char)*end & 0xc0) != 0x80;
        if (columns > most - 3)
            break;
    }
    /* The bytes from `end` on hold more than three characters, so this fits. */
    memcpy(end, "...", 4);
}

/* The widths, 0 for a column without any text. */
static void measure(const text_table *t, size_t *widths)
{
    for (size_t c = 0; c < t->n; c++) {
        widths[c] = 0;
        for (size_t i = c; i < t->count; i += t->n) {
            shorten(t->cells[i], t->columns[c].most);
            size_t w = text_width(t->cells[i]);
            widths[c] = w > widths[c] ? w : widths[c];
        }
        size_t title = text_width(t->columns[c].title);
        if (widths[c] > 0 && title > widths[c])
            widths[c] = title;
    }
}

static void spaces(FILE *f, size_t n)
{
    fprintf(f, "%*s", (int)n, "");
}

/* Spaces are held back until something follows them, so that lines do not end in any. */
static void print_row(FILE *f, const text_table *t, const size_t *widths, char *const *cells)
{
    size_t owed = 0;
    for (size_t c = 0; c < t->n; c++) {
        if (widths[c] == 0)
            continue;
        const char *s = cells ? cells[c] : t->columns[c].title;
        size_t pad = widths[c] - text_width(s);
        owed += t->columns[c].right ? pad : 0;
        if (*s) {
            spaces(f, owed);
            text_put(f, s);
            owed = 0;
        } else {
            owed += text_width(s);
        }
        owed += (t->columns[c].right ? 0 : pad) + GAP;
    }
    putc('\n', f);
}

void text_table_print(FILE *f, const text_table *t)
{
    size_t widths[TEXT_TABLE_COLUMNS], total = 0;
    bool titles = false;
    measure(t, widths);
    for (size_t c = 0; c < t->n; c++) {
        titles = titles || *t->columns[c].title;
        total += widths[c] ? widths[c] + GAP : 0;
    }
    if (titles && total) {
        print_row(f, t, widths, NULL);
        for (size_t i = 0; i < total - GAP; i++)
            putc('-', f);
        putc('\n', f);
    }
    for (size_t i = 0; i < t->count; i += t->n)
        print_row(f, t, widths, t->cells + i);
}
