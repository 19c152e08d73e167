/* CSV: what is read, what is said about what is not. */
#include "data_test.h"

#include "data/csv.h"
#include "data/csv_text.h"

/* ---- the splitter ---- */

/* Records as "a|b|c\n"; an error as "!message". */
static void check_split(const char *text, char separator, const char *want)
{
    inarch_error err = {0};
    ia_csv *c;
    char got[512] = "";
    ia_input in = ia_input_memory(text, strlen(text), "t");
    assert_ok(ia_csv_open(&in, "t", &c, &err), err);
    assert_int_equal(ia_csv_separator(c), separator);
    for (;;) {
        const ia_cell *cells;
        size_t n;
        if (ia_csv_next(c, &cells, &n, &err) != INARCH_OK) {
            strcat(strcat(got, "!"), err.message);
            break;
        }
        if (n == 0)
            break;
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(strlen(cells[i].text), cells[i].len);
            strcat(strcat(got, i ? "|" : ""), cells[i].text);
        }
        strcat(got, "\n");
    }
    ia_csv_close(c);
    assert_string_equal(got, want);
}

static void test_split(void **state)
{
    (void)state;
    check_split("", ',', "");
    check_split("\n\r\n\n", ',', "");
    check_split("a", ',', "a\n");
    check_split("a,b\n1,2", ',', "a|b\n1|2\n");
    check_split("a,b\r\n1,2\r\n", ',', "a|b\n1|2\n");
    check_split("a,b\r1,2\r", ',', "a|b\n1|2\n");
    check_split("\xef\xbb\xbf"
                "a,b\n",
                ',', "a|b\n");
    check_split("a,,\n,,\n", ',', "a||\n||\n");
    check_split(" a , b c ,\td\t\n1,2,3\n", ',', "a|b c|d\n1|2|3\n");
    check_split("a,b\n\n\n1,2\n\n", ',', "a|b\n1|2\n");
    check_split("\"a,b\",\"c\"\"d\",\"\"\n", ',', "a,b|c\"d|\n");
    check_split("\" a \",\"x\ny\r\nz\"\n1,2\n", ',', " a |x\ny\r\nz\n1|2\n");
    check_split("\"a\" ,b\n", ',', "a|b\n");
    check_split("5\" disk,b\n", ',', "5\" disk|b\n");
    check_split("a,b\n\"a\"b,c\n", ',', "a|b\n!'t': line 2 has text behind a closing quote");
    check_split("a,b\n1,\"x\n\n", ',', "a|b\n!'t': line 2 opens a quote that is never closed");
}

static void test_separators(void **state)
{
    (void)state;
    check_split("a;b\n1,5;2,5\n", ';', "a|b\n1,5|2,5\n");
    check_split("1,5;2,5;3,5\n1,5;2,5;3,5\n", ';', "1,5|2,5|3,5\n1,5|2,5|3,5\n");
    check_split("a\tb,c\n1\t2\n", '\t', "a|b,c\n1|2\n");
    check_split("a,b\n\"x;y\",2\n", ',', "a|b\nx;y|2\n");
    check_split("\"a;b\",c\n\"x;y\",2\n", ',', "a;b|c\nx;y|2\n");
    check_split("a,b;c\n1,2\n3,4\n", ',', "a|b;c\n1|2\n3|4\n");
    check_split("a;b;c\n1;2\n", ';', "a|b|c\n1|2\n"); /* uneven: the most frequent */
}

/* Cells and quotes that lie across the end of the buffer. */
static void test_across_buffers(void **state)
{
    (void)state;
    size_t n = CSV_BUFFER + 4096;
    for (size_t shift = 0; shift < 12; shift++) {
        inarch_error err;
        char *text = malloc(n + 64);
        size_t len = 0, records = 0;
        len += (size_t)sprintf(text, "%.*s,\"b\"\n", (int)shift + 1, "aaaaaaaaaaaaaaa");
        while (len < n - 32)
            len += (size_t)sprintf(text + len, "1.25,\"a \"\"\r\n,\"\r\n");
        ia_csv *c;
        ia_input in = ia_input_memory(text, len, "t");
        assert_ok(ia_csv_open(&in, "t", &c, &err), err);
        for (;; records++) {
            const ia_cell *cells;
            size_t cell_count;
            assert_ok(ia_csv_next(c, &cells, &cell_count, &err), err);
            if (cell_count == 0)
                break;
            assert_int_equal(cell_count, 2);
            if (records > 0) {
                assert_string_equal(cells[0].text, "1.25");
                assert_string_equal(cells[1].text, "a \"\r\n,");
            }
        }
        assert_int_equal(records, 1 + (len - shift - 6) / 16);
        ia_csv_close(c);
        free(text);
    }
}

/* ---- tables ---- */

static void test_header_and_labels(void **state)
{
    (void)state;
    char separator, summary[200];
    bool header;
    size_t n;
    ia_data *d = text_data("a;species;b\n1;cat;2.5\n-3e2;dog;0\n", "species");
    assert_string_equal(ia_data_kind(d, &separator, &header), "csv");
    assert_int_equal(separator, ';');
    assert_true(header);
    assert_int_equal(ia_data_rows(d), 2);
    assert_int_equal(ia_data_inputs(d), 1);
    const char *const *names = ia_data_columns(d, &n);
    assert_int_equal(n, 2);
    assert_string_equal(names[0], "a");
    assert_string_equal(names[1], "b");
    check_input(d, 0, 2, (const float[]){1, 2.5f, -300, 0});
    assert_int_equal(ia_data_targets(d), 1);
    assert_string_equal(ia_data_target_name(d, 0), "species");
    assert_int_equal(ia_data_target_kind(d, 0), IA_TARGET_TEXT);
    assert_string_equal(ia_data_summary(d, summary, sizeof summary),
                        "csv, separator ';', header, 2 rows, 2 input columns, labels in 'species'");
    ia_data_free(d);
}

static void test_no_header(void **state)
{
    (void)state;
    bool header;
    size_t n;
    char summary[200];
    ia_data *d = text_data("1,2,0\n3,4,1\n", "3");
    ia_data_kind(d, NULL, &header);
    assert_false(header);
    assert_null(ia_data_columns(d, &n));
    check_input(d, 0, 2, (const float[]){1, 2, 3, 4});
    check_target(d, 0, 2, (const float[]){0, 1});
    assert_string_equal(ia_data_summary(d, summary, sizeof summary),
                        "csv, separator ',', no header, 2 rows, 2 input columns, labels in '3'");
    ia_data_free(d);
    /* pandas' default names are names; two columns of 0, 1 are numbers. */
    d = text_data("0,1,2\n3,4,5\n", NULL);
    assert_int_equal(ia_data_rows(d), 1);
    ia_data_free(d);
    d = text_data("0,1\n3,4\n", NULL);
    assert_int_equal(ia_data_rows(d), 2);
    ia_data_free(d);
}

static void test_drop_and_several_labels(void **state)
{
    (void)state;
    inarch_error err;
    ia_data *d;
    const char *text = "id,a,\"b,c\",y1,y2\n7,1,2,3,4\n8,5,6,7,8\n";
    ia_data_options o = {.labels = "y2,y1", .drop = "id, \"b,c\""};
    assert_ok(open_text(text, &o, &d, &err), err);
    check_input(d, 0, 2, (const float[]){1, 5});
    assert_int_equal(ia_data_targets(d), 1);
    assert_string_equal(ia_data_target_name(d, 0), "y2,y1");
    check_target(d, 0, 2, (const float[]){4, 3, 8, 7});
    ia_data_free(d);

    const char *const outputs[] = {"first", "second"};
    o = (ia_data_options){.labels = "y2,y1", .drop = "b,c", .output_names = outputs, .outputs = 2};
    assert_ok(open_text(text, &o, &d, &err), err);
    assert_int_equal(ia_data_targets(d), 2);
    check_target(d, 0, 2, (const float[]){4, 8});
    check_target(d, 1, 2, (const float[]){3, 7});
    check_input(d, 0, 2, (const float[]){7, 1, 8, 5});
    ia_data_free(d);
}

static void test_weights(void **state)
{
    (void)state;
    inarch_error err;
    ia_data *d;
    float w[2];
    ia_data_options o = {.labels = "y", .weights = "w"};
    assert_ok(open_text("x,w,y\n1,0.5,0\n2,3,1\n", &o, &d, &err), err);
    assert_true(ia_data_weighted(d));
    assert_ok(ia_data_check(d, true, &err), err);
    assert_ok(ia_data_gather_weights(d, NULL, 2, 0, w, &err), err);
    assert_near(w[0], 0.5, 0);
    assert_near(w[1], 3, 0);
    ia_data_free(d);
    assert_ok(open_text("x,w,y\n1,0.5,0\n2,-3,1\n", &o, &d, &err), err);
    check_message(ia_data_check(d, true, &err), INARCH_BAD_DATA,
                  "'t.csv': row 2 (line 3), column 'w' is '-3'; weights are 0 or more", "", err);
    ia_data_free(d);
}

/* ---- labels that begin as numbers ---- */

static void test_numbers_turn_to_words(void **state)
{
    (void)state;
    inarch_error err;
    ia_data *d = text_data("x,y\n1,1\n2,1.0\n3,0.5\n4,None\n5,1e0\n", "y");
    assert_int_equal(ia_data_target_kind(d, 0), IA_TARGET_TEXT);
    assert_ok(ia_data_encode(d, 0, NULL, 0, &err), err);
    assert_int_equal(ia_data_classes(d, 0), 3);
    const char *const *names = ia_data_class_names(d, 0);
    assert_string_equal(names[0], "0.5");
    assert_string_equal(names[1], "1");
    assert_string_equal(names[2], "None");
    check_target(d, 0, 5, (const float[]){1, 1, 0, 2, 1});
    ia_data_free(d);
}

/* ---- cells that are no numbers: found when they are used ---- */

typedef struct fault_case {
    const char *text, *labels, *message, *hint;
} fault_case;

#define NOT_FILLED(column)                                                                         \
    "missing values are not filled in yet; remove such rows, or drop the column with "             \
    "--drop " column

static const fault_case faults[] = {
    {"age,city\n1,2\n,3\n", NULL, "'t.csv': row 2 (line 3), column 'age' is missing",
     NOT_FILLED("age")},
    {"age,city\r\n1,2\r\n\r\n,3\r\n", NULL, "'t.csv': row 2 (line 4), column 'age' is missing",
     NOT_FILLED("age")},
    {"age,city\n1,2\n3,NaN\n", NULL, "'t.csv': row 2 (line 3), column 'city' is missing",
     NOT_FILLED("city")},
    {"age,city\n1,NA\n", NULL, "'t.csv': row 1 (line 2), column 'city' is missing",
     NOT_FILLED("city")},
    {"age,city\n1,?\n", NULL, "'t.csv': row 1 (line 2), column 'city' is missing",
     NOT_FILLED("city")},
    {"age,city\n\n1,2\n\"3\",Berlin\n", NULL,
     "'t.csv': row 2 (line 4), column 'city' is text: 'Berlin'",
     "columns of text are not encoded yet; drop it with --drop city"},
    {"age;city\n1;2\n1,5;3\n", NULL,
     "'t.csv': row 2 (line 3), column 'age' is '1,5', with a decimal comma",
     "write decimal points"},
    {"age,city\n1,inf\n", NULL,
     "'t.csv': row 1 (line 2), column 'city' is 'inf', which is not a finite float32", ""},
    {"age,city\n1,-1e39\n", NULL,
     "'t.csv': row 1 (line 2), column 'city' is '-1e39', which is not a finite float32", ""},
    {"1,2\n3,x\n", NULL, "'t.csv': row 2 (line 2), column 2 is text: 'x'",
     "columns of text are not encoded yet; drop it with --drop 2"},
    {",a\n0,1\n", NULL, "'t.csv': column 1 has no name",
     "pandas writes its index so: save with index=False, or drop it with --drop and its number"},
    {"a,y\n1,0\n2,\n", "y", "'t.csv': row 2 (line 3), label column 'y' is missing",
     "remove the rows without a label"},
    {"a,y\n1,cat\n2,\n", "y", "'t.csv': row 2 (line 3), label column 'y' is missing",
     "remove the rows without a label"},
    {"a,y\n1,2.5\n2,NA\n", "y", "'t.csv': row 2 (line 3), label column 'y' is missing",
     "remove the rows without a label"},
    {"a,y,z\n1,2,3\n2,4,nan\n", "y,z", "'t.csv': row 2 (line 3), label column 'z' is missing",
     "remove the rows without a label"},
    {"a,y\n1,inf\n", "y",
     "'t.csv': row 1 (line 2), label column 'y' is 'inf', which is not a finite float32", ""},
    {"a\n", NULL, "'t.csv' has no rows", ""},
};

static void test_faults(void **state)
{
    (void)state;
    for (size_t i = 0; i < IA_COUNT(faults); i++) {
        inarch_error err = {0};
        ia_data *d = text_data(faults[i].text, faults[i].labels);
        check_message(ia_data_check(d, true, &err), INARCH_BAD_DATA, faults[i].message,
                      faults[i].hint, err);
        assert_string_equal(err.subject, "t.csv");
        ia_data_free(d);
    }
}

/* Columns that are not used do no harm: predict on a table with everything in it. */
static void test_unused_faults(void **state)
{
    (void)state;
    inarch_error err;
    ia_data *d = text_data(",city,b,label,a\n0,Berlin,1,cat,2\n1,,3,,4\n", NULL);
    const char *const names[] = {"a", "b"};
    assert_ok(ia_data_align_columns(d, names, 2, &err), err);
    assert_ok(ia_data_check(d, true, &err), err);
    check_input(d, 0, 2, (const float[]){2, 1, 4, 3});
    ia_data_free(d);
    d = text_data("a,y\n1,\n2,\n", "y"); /* no labels yet: the inputs can be used */
    assert_ok(ia_data_check(d, false, &err), err);
    ia_data_free(d);
}

/* ---- files that are refused ---- */

typedef struct refusal {
    const char *text;
    ia_data_options o;
    inarch_status status;
    const char *message, *hint;
} refusal;

static const refusal refusals[] = {
    {"", {.labels = NULL}, INARCH_BAD_DATA, "'t.csv' is empty", ""},
    {"a,b\n1,2\n3\n",
     {.labels = NULL},
     INARCH_BAD_FILE,
     "'t.csv': row 2 (line 3) has 1 column, but the header has 2",
     "a text with separators in it stands in quotes"},
    {"1,2\n3,4,5\n",
     {.labels = NULL},
     INARCH_BAD_FILE,
     "'t.csv': row 2 (line 2) has 3 columns, but the first row has 2",
     "a text with separators in it stands in quotes"},
    {"a,b\n1,2\n\"3,4\n5,6\n",
     {.labels = NULL},
     INARCH_BAD_FILE,
     "'t.csv': line 3 opens a quote that is never closed",
     ""},
    {"a,b,a\n1,2,3\n",
     {.labels = NULL},
     INARCH_BAD_FILE,
     "'t.csv': two columns are called 'a'",
     "rename one of them"},
    {"age,city\n1,2\n",
     {.labels = "agee"},
     INARCH_NOT_FOUND,
     "'t.csv' has no column 'agee'",
     "did you mean 'age'?"},
    {"age,city\n1,2\n",
     {.labels = "zzzzzz"},
     INARCH_NOT_FOUND,
     "'t.csv' has no column 'zzzzzz'",
     "its columns are 'age', 'city'"},
    {"age,city\n1,2\n",
     {.drop = "2"},
     INARCH_NOT_FOUND,
     "'t.csv' has no column '2'",
     "its columns are 'age', 'city'"},
    {"1,2\n3,4\n",
     {.labels = "age"},
     INARCH_NOT_FOUND,
     "'t.csv' has no column 'age': it has 2 columns without names",
     "without names in its first row, columns are numbered from 1"},
    {"1,2\n3,4\n",
     {.labels = "3"},
     INARCH_NOT_FOUND,
     "'t.csv' has no column '3': it has 2 columns without names",
     "without names in its first row, columns are numbered from 1"},
    {"a,b\n1,2\n",
     {.labels = "b", .drop = "b"},
     INARCH_BAD_ARGUMENT,
     "column 'b' of 't.csv' cannot be a label and dropped",
     ""},
    {"a,b\n1,2\n",
     {.labels = "b,b"},
     INARCH_BAD_ARGUMENT,
     "column 'b' of 't.csv' cannot be a label and that again",
     ""},
    {"a,b\n1,2\n",
     {.labels = "b", .drop = "a"},
     INARCH_BAD_DATA,
     "'t.csv' has no columns left as inputs",
     ""},
    {"a,y,z\n1,cat,1\n",
     {.labels = "y,z"},
     INARCH_UNSUPPORTED,
     "'t.csv': label column 'y' holds text",
     "several label columns must be numbers, or one for each output"},
    {"a,\xe9\n1,2\n",
     {.labels = NULL},
     INARCH_BAD_FILE,
     "'t.csv': the name of column 2 is not UTF-8 text",
     "save it as UTF-8"},
    {"a,y\n1,\xe9\n",
     {.labels = "y"},
     INARCH_BAD_FILE,
     "'t.csv': row 1 (line 2), label column 'y' is not UTF-8 text",
     "save the file as UTF-8"},
    {"\xff\xfe"
     "a",
     {.labels = NULL},
     INARCH_UNSUPPORTED,
     "'t.csv' is UTF-16 text, which is not read",
     "save it as UTF-8"},
    {"a b c\n1 2 3\n",
     {.labels = NULL},
     INARCH_BAD_FILE,
     "'t.csv': line 2 has no tab, ';' or ',' between its columns",
     "separate the columns by commas"},
};

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < IA_COUNT(refusals); i++) {
        inarch_error err = {0};
        ia_data *d;
        const refusal *r = &refusals[i];
        check_message(open_text(r->text, &r->o, &d, &err), r->status, r->message, r->hint, err);
    }
    inarch_error err = {0};
    ia_data *d;
    static const char zero[] = "a,b\n1,\0\n";
    ia_input in = ia_input_memory(zero, sizeof zero - 1, "t.csv");
    check_message(ia_data_open_csv(&in, "t.csv", &(ia_data_options){.labels = NULL}, &d, &err),
                  INARCH_BAD_FILE,
                  "'t.csv': line 3 or one behind it holds a zero byte: this is not text",
                  "save the table as UTF-8 CSV", err);
}

/* ---- numbers are exact, and many ---- */

static void test_many_rows(void **state)
{
    (void)state;
    enum { ROWS = 70001 };
    inarch_error err;
    char *text = malloc(ROWS * 64);
    size_t len = (size_t)sprintf(text, "a,b,y\n");
    for (int r = 0; r < ROWS; r++)
        len += (size_t)sprintf(text + len, "%.9g,%d,%d\n", (double)(float)(r * 0.1), -r, r % 7);
    ia_data *d = text_data(text, "y");
    free(text);
    assert_int_equal(ia_data_rows(d), ROWS);
    assert_ok(ia_data_check(d, true, &err), err);
    for (uint64_t r = 0; r < ROWS; r += 13) {
        float x[2], y;
        assert_ok(ia_data_gather(d, &r, 1, 0, x, &err), err);
        assert_ok(ia_data_gather_target(d, &r, 1, 0, &y, &err), err);
        assert_true(x[0] == (float)((int)r * 0.1) && x[1] == -(float)r && y == (float)(r % 7));
    }
    /* All at once: runs of rows end where a chunk of memory does. */
    float *all = malloc(2 * ROWS * sizeof *all);
    assert_ok(ia_data_gather(d, NULL, ROWS, 0, all, &err), err);
    for (int r = 0; r < ROWS; r++)
        assert_true(all[2 * r] == (float)(r * 0.1) && all[2 * r + 1] == -(float)r);
    for (uint64_t r = 0; r < ROWS;) {
        size_t follow;
        const float *memory = ia_data_peek(d, 0, r, &follow);
        assert_true(follow >= 1 && follow <= ROWS - r);
        assert_memory_equal(memory, all + 2 * r, 2 * follow * sizeof *all);
        r += follow;
    }
    free(all);
    ia_data_free(d);
}

/* ---- damage ---- */

static const char whole[] = "\xef\xbb\xbf"
                            "id,\"a \"\"b\"\"\",y,w\r\n1,2.5,cat,1\r\n2,,\"d,\"\"o\ng\",0.5\r\n";

static inarch_status read_csv(const ia_input *in, inarch_error *err)
{
    ia_data *d;
    ia_data_options o = {.labels = "y", .drop = "id", .weights = "w"};
    IA_TRY(ia_data_open_csv(in, "t.csv", &o, &d, err));
    inarch_status status = ia_data_encode(d, 0, NULL, 0, err);
    inarch_status checked = ia_data_check(d, true, NULL);
    (void)checked; /* it only has to return */
    ia_data_free(d);
    return status;
}

static void test_damage(void **state)
{
    (void)state;
    inarch_error err;
    assert_ok(ia_output_file("inarch_test_csv.csv", whole, sizeof whole - 1, &err), err);
    each_byte("inarch_test_csv.csv", 1000, read_csv);
    each_allocation("inarch_test_csv.csv", read_csv);
    for (size_t n = 0; n < sizeof whole; n++) {
        err = (inarch_error){0};
        (void)read_copy((const uint8_t *)whole, n, read_csv, &err);
    }
    remove("inarch_test_csv.csv");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split),          cmocka_unit_test(test_separators),
        cmocka_unit_test(test_across_buffers), cmocka_unit_test(test_header_and_labels),
        cmocka_unit_test(test_no_header),      cmocka_unit_test(test_drop_and_several_labels),
        cmocka_unit_test(test_weights),        cmocka_unit_test(test_numbers_turn_to_words),
        cmocka_unit_test(test_faults),         cmocka_unit_test(test_unused_faults),
        cmocka_unit_test(test_refusals),       cmocka_unit_test(test_many_rows),
        cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
