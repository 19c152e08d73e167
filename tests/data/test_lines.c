/* Tables that are read many lines at a time: wherever a buffer or the text ends, and however long
 * or short the lines are, the result is that of the splitter alone. */
#include "lines_rig.h"

/* Rows of n bytes, most of them text where a number should be, as long as they leave 2 n of the
 * buffer. */
static void put_long_lines(text *t, size_t n)
{
    char line[40000];
    memset(line, '.', n);
    memcpy(line, "0.001953125,\"", 13);
    memcpy(line + n - 6, "\",cat\n", 7);
    while (t->len + 3 * n < CSV_BUFFER)
        put(t, line);
}

/* Each kind of line with each of its bytes as the last of a buffer. */
static void test_each_border(void **state)
{
    (void)state;
    for (size_t k = 0; k < IA_COUNT(kinds); k++) {
        for (size_t over = 0; over <= strlen(kinds[k]); over++) {
            text t = {0};
            plain p;
            put(&t, "a,b,y\n");
            for (int r = 0; r < 64; r++) /* the separator is clear after these */
                put(&t, "1,2,cat\n");
            put_long_lines(&t, 30000);
            put_long_lines(&t, 300);
            while (t.len < CSV_BUFFER - over)
                put(&t, "\n");
            put(&t, kinds[k]);
            put(&t, "3,4,dog\n");
            p = plain_read(&t);
            ia_data *d;
            inarch_error err;
            ia_data_options o = {.labels = "y", .pool = pools[2]};
            assert_ok(open_bytes(&t, &o, &d, &err), err);
            check_rows(d, &p, 2);
            check_labels(d, &p);
            ia_data_free(d);
            plain_free(&p);
            free(t.bytes);
        }
    }
}

/* The text ends behind each byte of each kind. */
static void test_each_end(void **state)
{
    (void)state;
    for (size_t k = 0; k < IA_COUNT(kinds); k++) {
        for (size_t cut = 3; cut <= strlen(kinds[k]); cut++) {
            text t = {0};
            inarch_error err, want = {0};
            ia_data *d;
            put(&t, "a,b,y\n1,2,cat\n");
            put(&t, kinds[k]);
            t.len -= strlen(kinds[k]) - cut;
            /* The splitter says whether that is a table. */
            ia_csv *c;
            const ia_cell *cells;
            size_t n = 3;
            ia_input in = ia_input_memory(t.bytes, t.len, "t.csv");
            assert_ok(ia_csv_open(&in, "t.csv", &c, &err), err);
            inarch_status status = INARCH_OK;
            while (status == INARCH_OK && n == 3)
                status = ia_csv_next(c, &cells, &n, &want);
            bool good = status == INARCH_OK && (n == 0 || (n == 1 && cells[0].len == 0)) &&
                        ia_utf8_valid(t.bytes, t.len);
            ia_csv_close(c);
            ia_data_options o = {.labels = "y", .pool = pools[1]};
            if ((open_bytes(&t, &o, &d, &err) == INARCH_OK) != good)
                fail_msg("'%s' cut at %zu: %s", kinds[k], cut, good ? err.message : "it was read");
            if (good)
                ia_data_free(d);
            else if (status != INARCH_OK)
                assert_string_equal(err.message, want.message);
            free(t.bytes);
        }
    }
}

/* ---- long lines ---- */

static void put_wide_row(text *t, size_t columns, double v)
{
    char cell[32];
    for (size_t c = 0; c < columns; c++) {
        snprintf(cell, sizeof cell, "%s%.10f", c ? ";" : "", v + (double)c);
        put(t, cell);
    }
    put(t, "\n");
}

static void test_wide(void **state)
{
    (void)state;
    static const size_t columns[] = {3, 30000, 65536};
    for (size_t i = 0; i < IA_COUNT(columns); i++) { /* up to one and a half buffers */
        text t = {0};
        for (size_t c = 0; c < columns[i]; c++) {
            char name[32];
            snprintf(name, sizeof name, "%sc%zu", c ? ";" : "", c);
            put(&t, name);
        }
        put(&t, "\n");
        for (int row = 0; row < 4; row++)
            put_wide_row(&t, columns[i], row / 8.0);
        check_table(&t, NULL);
        free(t.bytes);
    }
}

/* Many short rows: more than one run in a buffer. */
static void test_narrow(void **state)
{
    (void)state;
    text t = {0};
    put(&t, "x\n");
    for (int r = 0; r < 150000; r++)
        put(&t, r % 7 ? "1\n" : "0.5\r\n");
    check_table(&t, NULL);
    free(t.bytes);
}

/* Old line ends, and words in an only column: these were quadratic if the search began anew. */
static void test_no_line_feeds(void **state)
{
    (void)state;
    text t = {0};
    put(&t, "a,b\r");
    while (t.len < 3 * CSV_BUFFER / 2)
        put(&t, "1,2\r");
    check_table(&t, NULL);
    t.len = 0;
    put(&t, "word\n");
    while (t.len < CSV_BUFFER / 2)
        put(&t, "abc\n");
    check_table(&t, NULL);
    free(t.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_border),   cmocka_unit_test(test_each_end),
        cmocka_unit_test(test_wide),          cmocka_unit_test(test_narrow),
        cmocka_unit_test(test_no_line_feeds),
    };
    return cmocka_run_group_tests(tests, start_pools, stop_pools);
}
