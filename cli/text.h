/* Text for people: names from files made harmless, numbers with units, colour, tables. */
#ifndef INARCH_CLI_TEXT_H
#define INARCH_CLI_TEXT_H

#include "inarch.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define TEXT_NUMBER 32 /* room for any of the numbers below */

/* Prints s; control characters and what is not UTF-8 become '?', for files may hold hostile names.
 */
void text_put(FILE *f, const char *s);
/* Columns that s takes on a terminal: characters, without a table of wide ones. */
size_t text_width(const char *s);

/* "401,920". */
const char *text_count(uint64_t n, char out[TEXT_NUMBER]);
/* "2.04 MB": powers of 1000. */
const char *text_bytes(uint64_t n, char out[TEXT_NUMBER]);
/* "28x28x1"; "?" for a dimension that is open, "unknown" without a rank, "scalar" for rank 0. */
const char *text_shape(const inarch_shape *s, char *out, size_t size);

/* True for a terminal that takes control sequences (TERM is set and not "dumb"). */
bool text_terminal(FILE *f);
/* Switches colour on ("1;31") or off (""), where f is a terminal and NO_COLOR is not set. */
void text_colour(FILE *f, const char *code);
/* Columns of the terminal behind f; 80 where there is none. */
size_t text_columns(FILE *f);

/* Prints s in words, wrapped at `width`; further lines are indented. `at` is the column it starts.
 */
void text_wrap(FILE *f, const char *s, size_t at, size_t indent, size_t width);

/* ---- tables ---- */

#define TEXT_TABLE_COLUMNS 8

typedef struct text_column {
    const char *title; /* "" for no title */
    bool right;        /* numbers */
    size_t most;       /* widest it may be, then "..."; 0: no limit */
} text_column;

typedef struct text_table {
    const text_column *columns;
    size_t n;
    char **cells; /* [rows][n], each its own memory */
    size_t count, room;
} text_table;

/* Cells come row by row, left to right; a row may not end early. */
void text_cell(text_table *t, const char *s);
/* Columns that are empty in all rows are left out. With a rule under the titles when there are any.
 */
void text_table_print(FILE *f, const text_table *t);
void text_table_free(text_table *t);

/* Memory or the end: for what the command line itself keeps. */
void *text_alloc(void *old, size_t size);
char *text_copy(const char *s, size_t n);

#endif
