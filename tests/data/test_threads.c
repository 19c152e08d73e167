/* Tables on one to four threads: bytes, labels, faults and errors do not depend on them, and are
 * those of the splitter alone. */
#include "lines_rig.h"

#include <pthread.h>
#include <unistd.h>

static void test_all_kinds(void **state)
{
    (void)state;
    ia_random r = ia_random_from(ia_random_key_of(7, 8, 9));
    for (size_t shift = 0; shift < 2; shift++) {
        text t = {0};
        put(&t, &"aaaaaaaaaaaaaaaa,b,y\n"[13 - shift * 7]);
        while (t.len < 3 * CSV_BUFFER / 2)
            put(&t, kinds[ia_random_below(&r, IA_COUNT(kinds))]);
        put(&t, "20,21,last"); /* without a line end */
        check_table(&t, "y");
        free(t.bytes);
    }
}

/* ---- faults and errors ---- */

/* `rows` good rows, then the texts. */
static text broken(size_t rows, const char *first, size_t between, const char *second)
{
    text t = {0};
    put(&t, "a,b,y\n");
    for (size_t r = 0; r < rows; r++)
        put(&t, r % 5 ? "1.5,2,cat\n" : "\n-1,2e1,dog\n");
    put(&t, first);
    for (size_t r = 0; r < between; r++)
        put(&t, "1,2,cat\n");
    put(&t, second);
    return t;
}

typedef struct breach {
    const char *first, *second, *message;
} breach;

static const breach breaches[] = {
    {"1,2\n", "1\n", "'t.csv': row 20001 (line 24002) has 2 columns, but the header has 3"},
    {"1,2,3,4\n", "", "'t.csv': row 20001 (line 24002) has 4 columns, but the header has 3"},
    {"1,2,\xe9\n", "1\n", "'t.csv': row 20001 (line 24002), label column 'y' is not UTF-8 text"},
    {"1,2,cat\n", "1,2,\"cat\n", "'t.csv': line 34003 opens a quote that is never closed"},
    {"1,2,\"c\"at\n", "1\n", "'t.csv': line 24002 has text behind a closing quote"},
    {"1,2,cat\n", "1,2,\xe9\n",
     "'t.csv': row 30002 (line 34003), label column 'y' is not UTF-8 text"},
    {"1,2,\"a\n\"\n", "1\n", "'t.csv': row 30002 (line 34004) has 1 column, but the header has 3"},
};

static void test_errors(void **state)
{
    (void)state;
    for (size_t i = 0; i < IA_COUNT(breaches); i++) {
        text t = broken(20000, breaches[i].first, 10000, breaches[i].second);
        for (int n = 0; n <= MOST_THREADS; n++) {
            inarch_error err = {0};
            ia_data *d;
            ia_data_options o = {.labels = "y", .pool = pools[n]};
            assert_int_equal(open_bytes(&t, &o, &d, &err), INARCH_BAD_FILE);
            assert_string_equal(err.message, breaches[i].message);
        }
        free(t.bytes);
    }
    text t = broken(20000, "1,2,cat\n", 10, "");
    t.bytes[t.len / 2] = 0;
    for (int n = 0; n <= MOST_THREADS; n++) {
        inarch_error err = {0};
        ia_data *d;
        ia_data_options o = {.labels = "y", .pool = pools[n]};
        assert_int_equal(open_bytes(&t, &o, &d, &err), INARCH_BAD_FILE);
        assert_non_null(strstr(err.message, "holds a zero byte"));
    }
    free(t.bytes);
}

static const breach flaws[] = {
    {"1,,cat\n", "x,1,cat\n", "'t.csv': row 30002 (line 34003), column 'a' is text: 'x'"},
    {"1,,cat\n", "1,x,cat\n", "'t.csv': row 20001 (line 24002), column 'b' is missing"},
    {"\"1\",\"2,5\",cat\n", "1,x,cat\n",
     "'t.csv': row 20001 (line 24002), column 'b' is '2,5', with a decimal comma"},
    {"1e39,x,cat\n", "y,,cat\n",
     "'t.csv': row 20001 (line 24002), column 'a' is '1e39', which is not a finite float32"},
    {"1,2,\"a\nb\"\n", "1,zz,cat\n", "'t.csv': row 30002 (line 34004), column 'b' is text: 'zz'"},
};

static void test_faults(void **state)
{
    (void)state;
    for (size_t i = 0; i < IA_COUNT(flaws); i++) {
        text t = broken(20000, flaws[i].first, 10000, flaws[i].second);
        for (int n = 0; n <= MOST_THREADS; n++) {
            inarch_error err = {0};
            ia_data *d;
            ia_data_options o = {.labels = "y", .pool = pools[n]};
            assert_ok(open_bytes(&t, &o, &d, &err), err);
            assert_int_equal(ia_data_rows(d), 30002);
            assert_int_equal(ia_data_check(d, true, &err), INARCH_BAD_DATA);
            assert_string_equal(err.message, flaws[i].message);
            ia_data_free(d);
        }
        free(t.bytes);
    }
}

/* A column of text is noted once, by its first row, though every row would be. */
static void test_text_column(void **state)
{
    (void)state;
    text t = {0};
    put(&t, "city,b,w,y\n");
    for (int r = 0; r < 30000; r++)
        put(&t, r == 0 ? "Bonn,1,0.25,3\n" : r % 3 ? "Rome,1,0.5,1\n" : "\"Ulm, a\",2,2,1.5\n");
    for (int n = 0; n <= MOST_THREADS; n++) {
        inarch_error err = {0};
        ia_data *d;
        float w[4], y[4];
        ia_data_options o = {.labels = "y", .weights = "w", .pool = pools[n]};
        assert_ok(open_bytes(&t, &o, &d, &err), err);
        check_message(ia_data_check(d, true, &err), INARCH_BAD_DATA,
                      "'t.csv': row 1 (line 2), column 'city' is text: 'Bonn'",
                      "columns of text are not encoded yet; drop it with --drop city", err);
        const uint64_t rows[] = {0, 1, 3, 29999};
        assert_ok(ia_data_gather_weights(d, rows, 4, 0, w, &err), err);
        assert_ok(ia_data_gather_target(d, rows, 4, 0, y, &err), err);
        assert_memory_equal(w, ((const float[]){0.25f, 0.5f, 2, 0.5f}), sizeof w);
        assert_memory_equal(y, ((const float[]){3, 1, 1.5f, 1}), sizeof y);
        ia_data_free(d);
    }
    free(t.bytes);
}

/* ---- standard input ---- */

typedef struct writer {
    const text *t;
    int fd;
} writer;

static void *write_all(void *argument)
{
    const writer *w = argument;
    for (size_t at = 0; at < w->t->len;) {
        size_t n = w->t->len - at < 5000 ? w->t->len - at : 5000; /* reads are short */
        ssize_t done = write(w->fd, w->t->bytes + at, n);
        if (done <= 0)
            break;
        at += (size_t)done;
    }
    close(w->fd);
    return NULL;
}

/* Its size is not known, and it is long enough for threads of its own. */
static void test_stdin(void **state)
{
    (void)state;
    text t = {0};
    inarch_error err;
    ia_data *d;
    pthread_t thread;
    int keep = dup(STDIN_FILENO), ends[2];
    put(&t, "a,b,y\n");
    for (int r = 0; t.len < 6 * CSV_BUFFER; r++)
        put(&t, kinds[r % 8]);
    plain p = plain_read(&t);
    assert_int_equal(pipe(ends), 0);
    writer w = {&t, ends[1]};
    assert_int_equal(pthread_create(&thread, NULL, write_all, &w), 0);
    dup2(ends[0], STDIN_FILENO);
    inarch_status status = ia_data_open("-", &(ia_data_options){.labels = "y"}, &d, &err);
    dup2(keep, STDIN_FILENO);
    close(keep);
    close(ends[0]);
    pthread_join(thread, NULL);
    assert_ok(status, err);
    check_rows(d, &p, 2);
    check_labels(d, &p);
    ia_data_free(d);
    plain_free(&p);
    free(t.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_kinds), cmocka_unit_test(test_errors),
        cmocka_unit_test(test_faults),    cmocka_unit_test(test_text_column),
        cmocka_unit_test(test_stdin),
    };
    return cmocka_run_group_tests(tests, start_pools, stop_pools);
}
