/* For tests of tables that are read many lines at a time: the same table by the splitter alone, to
 * compare with, and pools of one to four threads. */
#ifndef INARCH_LINES_RIG_H
#define INARCH_LINES_RIG_H

#include "data_test.h"

#include "base/cursor.h"
#include "base/random.h"
#include "data/csv_text.h"
#include "data/table.h"

#define MOST_THREADS 4

static ia_pool *pools[MOST_THREADS + 1]; /* [0] is NULL: threads of the table's own */

IA_UNUSED static int start_pools(void **state)
{
    (void)state;
    for (int n = 1; n <= MOST_THREADS; n++)
        if (ia_pool_new(n, &pools[n], NULL) != INARCH_OK)
            return -1;
    return 0;
}

IA_UNUSED static int stop_pools(void **state)
{
    (void)state;
    for (int n = 1; n <= MOST_THREADS; n++)
        ia_pool_free(pools[n]);
    return 0;
}

/* ---- text that grows ---- */

typedef struct text {
    char *bytes;
    size_t len, cap;
} text;

static void put(text *t, const char *s)
{
    size_t n = strlen(s);
    if (t->len + n + 1 > t->cap) {
        t->cap = 2 * (t->cap + n + 1);
        t->bytes = realloc(t->bytes, t->cap);
    }
    memcpy(t->bytes + t->len, s, n + 1);
    t->len += n;
}

static inarch_status open_bytes(const text *t, const ia_data_options *o, ia_data **out,
                                inarch_error *err)
{
    char *copy = malloc(t->len + 1); /* of exactly this length, for the sanitizer */
    memcpy(copy, t->bytes, t->len);
    ia_input in = ia_input_memory(copy, t->len, "t.csv");
    inarch_status status = ia_data_open_csv(&in, "t.csv", o, out, err);
    free(copy);
    return status;
}

/* ---- the same by the splitter alone ---- */

typedef struct plain {
    size_t rows, columns, cap;
    float *number;  /* [rows][columns] of the cells, NaN where there is none */
    char **last;    /* [rows]: the text of the last cell */
    uint64_t *line; /* [rows] */
} plain;

static void plain_row(plain *p, const ia_cell *cells, size_t n, uint64_t line)
{
    if (p->rows == p->cap) {
        p->cap = 2 * p->cap + 64;
        p->number = realloc(p->number, p->cap * n * sizeof *p->number);
        p->last = realloc(p->last, p->cap * sizeof *p->last);
        p->line = realloc(p->line, p->cap * sizeof *p->line);
    }
    for (size_t c = 0; c < n; c++) {
        double v;
        ia_fault_kind kind = ia_cell_number(cells[c], &v);
        assert_true(kind == IA_FAULT_NONE || v != v || kind == IA_FAULT_INFINITE);
        p->number[p->rows * n + c] = (float)v;
    }
    p->last[p->rows] = strdup(cells[n - 1].text);
    p->line[p->rows++] = line;
}

static plain plain_read(const text *t)
{
    inarch_error err;
    ia_csv *c;
    const ia_cell *cells;
    size_t n;
    plain p = {0};
    ia_input in = ia_input_memory(t->bytes, t->len, "t.csv");
    assert_ok(ia_csv_open(&in, "t.csv", &c, &err), err);
    assert_ok(ia_csv_next(c, &cells, &p.columns, &err), err); /* the header */
    for (;;) {
        assert_ok(ia_csv_next(c, &cells, &n, &err), err);
        if (n == 0)
            break;
        if (n == 1 && cells[0].len == 0 && p.columns > 1)
            continue;
        assert_int_equal(n, p.columns);
        plain_row(&p, cells, n, ia_csv_line_number(c));
    }
    ia_csv_close(c);
    return p;
}

static void plain_free(plain *p)
{
    for (size_t r = 0; r < p->rows; r++)
        free(p->last[r]);
    free(p->last);
    free(p->line);
    free(p->number);
}

static void check_rows(const ia_data *d, const plain *p, size_t inputs)
{
    float *x = malloc(inputs * sizeof *x);
    assert_int_equal(ia_data_rows(d), p->rows);
    assert_int_equal(ia_data_input_count(d, 0), inputs);
    for (uint64_t r = 0; r < p->rows; r++) {
        inarch_error err;
        assert_ok(ia_data_gather(d, &r, 1, 0, x, &err), err);
        if (memcmp(x, p->number + r * p->columns, inputs * sizeof *x) != 0)
            fail_msg("row %zu (line %llu) differs", (size_t)r, (unsigned long long)p->line[r]);
    }
    free(x);
}

/* Label 'y' is the last column, of text. */
static void check_labels(ia_data *d, const plain *p)
{
    inarch_error err;
    assert_ok(ia_data_encode(d, 0, NULL, 0, &err), err);
    const char *const *names = ia_data_class_names(d, 0);
    for (uint64_t r = 0; r < p->rows; r++) {
        float y;
        assert_ok(ia_data_gather_target(d, &r, 1, 0, &y, &err), err);
        assert_string_equal(names[(size_t)y], p->last[r]);
    }
}

/* By all pools; the labels are in 'y', where that is not NULL. */
IA_UNUSED static void check_table(const text *t, const char *labels)
{
    plain p = plain_read(t);
    for (int n = 0; n <= MOST_THREADS; n++) {
        inarch_error err;
        ia_data *d;
        ia_data_options o = {.labels = labels, .pool = pools[n]};
        assert_ok(open_bytes(t, &o, &d, &err), err);
        check_rows(d, &p, p.columns - (labels != NULL));
        if (labels)
            check_labels(d, &p);
        ia_data_free(d);
    }
    plain_free(&p);
}

/* Lines of all kinds that a reader must tell apart. */
static const char *const kinds[] = {
    "1.25,-2,cat\n",
    "3,4,dog\r\n",
    " 5 ,\t6, cat \n",
    "\"7\",8,\"dog\"\n",
    "9,1e-3,\"a, b\"\r\n",
    "-0,1.0000000596046448,\"say \"\"no\"\"\"\n",
    "10,11,\"two\nlines\"\n",
    "12,13,5\" disk\n",
    "\n",
    "\r\n",
    "  \t \n",
    "\"\"\n",
    "123456789012345678901234567890,1e-300,cat\n",
    "14,15,\"\"\"\"\r\n",
    "16,17,\"q\" \n",
    "18,19,cat\r", /* a lone CR ends a line, too */
    "0.1234567890123456789,-98765.4321e-2,x\xc3\xa9\n",
};

#endif
