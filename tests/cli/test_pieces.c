/* The pieces of the command line that need no model: JSON, text, tables, nearest names. */
#include "test.h"

#include "cli.h"
#include "signals.h"
#include "text.h"

#include <math.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void json_is(json_out *j, const char *expected)
{
    assert_non_null(jw_text(j));
    assert_string_equal(jw_text(j), expected);
    jw_free(j);
}

static void test_json_nesting(void **state)
{
    (void)state;
    json_out j = JSON_OUT;
    jw_object(&j, NULL);
    jw_array(&j, "a");
    jw_count(&j, NULL, 1);
    jw_object(&j, NULL);
    jw_object_end(&j);
    jw_array(&j, NULL);
    jw_array_end(&j);
    jw_array_end(&j);
    jw_bool(&j, "b", true);
    jw_null(&j, "c");
    jw_count(&j, "d", UINT64_MAX);
    jw_raw(&j, "e", "[2]");
    jw_string(&j, "f", NULL);
    jw_object_end(&j);
    json_is(&j, "{\"a\":[1,{},[]],\"b\":true,\"c\":null,\"d\":18446744073709551615,\"e\":[2],"
                "\"f\":null}");
}

static void test_json_numbers(void **state)
{
    (void)state;
    json_out j = JSON_OUT;
    jw_array(&j, NULL);
    const double values[] = {0.1, 1.0 / 3, -0.0, 1e300, 5e-324, NAN, INFINITY, -INFINITY, 17};
    for (size_t i = 0; i < CLI_COUNT(values); i++)
        jw_real(&j, NULL, values[i]);
    jw_float(&j, NULL, 0.1f);
    jw_float(&j, NULL, 1.0f / 3);
    jw_float(&j, NULL, NAN);
    jw_array_end(&j);
    json_is(&j, "[0.1,0.3333333333333333,-0,1e+300,4.94065645841247e-324,null,null,null,17,0.1,"
                "0.33333334,null]");
}

static void test_json_strings(void **state)
{
    (void)state;
    static const struct {
        const char *text, *json;
    } cases[] = {
        {"", "\"\""},
        {"a\"b\\c", "\"a\\\"b\\\\c\""},
        {"\n\t\x1b\x7f", "\"\\u000a\\u0009\\u001b\\u007f\""},
        {"gr\xc3\xb6\xc3\x9f"
         "e \xe5\x87\xba \xf0\x9f\x8c\xb3",
         "\"gr\xc3\xb6\xc3\x9f"
         "e \xe5\x87\xba \xf0\x9f\x8c\xb3\""},
        {"caf\xe9", "\"caf\xef\xbf\xbd\""},
        {"\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\""},                 /* overlong */
        {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, /* a surrogate */
        {"\xe5\x87", "\"\xef\xbf\xbd\xef\xbf\xbd\""},                 /* cut short */
    };
    for (size_t i = 0; i < CLI_COUNT(cases); i++) {
        json_out j = JSON_OUT;
        jw_string(&j, NULL, cases[i].text);
        json_is(&j, cases[i].json);
    }
}

/* Growth across many sizes: nothing is lost where the room is doubled. */
static void test_json_growth(void **state)
{
    (void)state;
    json_out j = JSON_OUT;
    jw_array(&j, NULL);
    for (uint64_t i = 0; i < 5000; i++)
        jw_count(&j, NULL, i % 10);
    jw_array_end(&j);
    assert_int_equal(strlen(jw_text(&j)), 2 + 5000 + 4999);
    jw_free(&j);
}

static void test_numbers(void **state)
{
    (void)state;
    char out[TEXT_NUMBER];
    assert_string_equal(text_count(0, out), "0");
    assert_string_equal(text_count(999, out), "999");
    assert_string_equal(text_count(1000, out), "1,000");
    assert_string_equal(text_count(401920, out), "401,920");
    assert_string_equal(text_count(UINT64_MAX, out), "18,446,744,073,709,551,615");
    assert_string_equal(text_bytes(0, out), "0 bytes");
    assert_string_equal(text_bytes(999, out), "999 bytes");
    assert_string_equal(text_bytes(1000, out), "1.00 kB");
    assert_string_equal(text_bytes(999499, out), "999 kB");
    assert_string_equal(text_bytes(999999, out), "1.00 MB");
    assert_string_equal(text_bytes(2040000, out), "2.04 MB");
    assert_string_equal(text_bytes(UINT64_MAX, out), "18.4 EB");
}

static void test_shapes(void **state)
{
    (void)state;
    char out[160];
    assert_string_equal(text_shape(&(inarch_shape){.rank = 0}, out, sizeof out), "scalar");
    assert_string_equal(text_shape(&(inarch_shape){.rank = -1}, out, sizeof out), "unknown");
    assert_string_equal(text_shape(&(inarch_shape){2, {28, -1}}, out, sizeof out), "28x?");
    inarch_shape long_one = {8, {INT64_MAX, INT64_MAX, 3, 4, 5, 6, 7, 8}};
    text_shape(&long_one, out, 24); /* cut, not overrun */
    assert_int_equal(strlen(out), 23);
}

/* What f prints, as a string to be freed. */
static char *printed(void (*print)(FILE *f, const void *context), const void *context)
{
    char *text = NULL;
    size_t n;
    FILE *f = open_memstream(&text, &n);
    assert_non_null(f);
    print(f, context);
    fclose(f);
    return text;
}

static void put(FILE *f, const void *context)
{
    text_put(f, context);
}

/* Layer names come from files: none may steer the terminal. */
static void test_hostile_names(void **state)
{
    (void)state;
    static const struct {
        const char *name, *shown;
    } cases[] = {
        {"\x1b[2Jdense", "?[2Jdense"},
        {"a\r\nb", "a??b"},
        {"\xc2\x9b"
         "31m",
         "??31m"}, /* CSI in one character */
        {"caf\xe9", "caf?"},
        {"gr\xc3\xb6\xc3\x9f"
         "e",
         "gr\xc3\xb6\xc3\x9f"
         "e"},
    };
    for (size_t i = 0; i < CLI_COUNT(cases); i++) {
        char *text = printed(put, cases[i].name);
        assert_string_equal(text, cases[i].shown);
        free(text);
    }
}

static void wrap(FILE *f, const void *context)
{
    text_wrap(f, context, 4, 4, 14);
}

static void test_wrap(void **state)
{
    (void)state;
    char *text = printed(wrap, "one two three  four unbreakable five");
    assert_string_equal(text, "one two\n    three four\n    unbreakable\n    five\n");
    free(text);
    text = printed(wrap, "");
    assert_string_equal(text, "\n");
    free(text);
}

static void print_table(FILE *f, const void *context)
{
    text_table_print(f, context);
}

static void test_table(void **state)
{
    (void)state;
    static const text_column columns[] = {
        {"name", false, 8}, {"n", true, 0}, {"empty", false, 0}, {"note", false, 0}};
    static const char *const cells[] = {"gr\303\266\303\237e",
                                        "1",
                                        "",
                                        "x",
                                        "\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6long_name",
                                        "",
                                        "",
                                        "yy",
                                        "c",
                                        "1,000",
                                        "",
                                        ""};
    text_table t = {columns, CLI_COUNT(columns), NULL, 0, 0};
    for (size_t i = 0; i < CLI_COUNT(cells); i++)
        text_cell(&t, cells[i]);
    char *text = printed(print_table, &t);
    assert_string_equal(text, "name          n  note\n"
                              "---------------------\n"
                              "gr\xc3\xb6\xc3\x9f"
                              "e         1  x\n"
                              "\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6...         yy\n"
                              "c         1,000\n");
    free(text);
    text_table_free(&t);
}

static void test_nearest(void **state)
{
    (void)state;
    static const char *const names[] = {"epochs", "val_split", "learning_rate", "lr", "validation"};
    static const struct {
        const char *word, *near;
    } cases[] = {
        {"epoch", "epochs"},
        {"epcohs", "epochs"},
        {"val-spilt", "val_split"},
        {"Learning-Rate", "learning_rate"},
        {"valid", "validation"},
        {"lrr", "lr"},
        {"nothing", NULL},
        {"", NULL},
        {"xx", NULL},
    };
    for (size_t i = 0; i < CLI_COUNT(cases); i++) {
        const char *near = cli_nearest(cases[i].word, names, CLI_COUNT(names));
        if (cases[i].near)
            assert_string_equal(near ? near : "none", cases[i].near);
        else
            assert_null(near);
    }
}

/* Arguments of any length go into messages of a fixed one. */
static void test_long_messages(void **state)
{
    (void)state;
    static char word[5000];
    inarch_error err;
    memset(word, 'x', sizeof word - 1);
    assert_int_equal(cli_usage(&err, word, "unknown option '%s'", word), CLI_USAGE);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
    assert_int_equal(strlen(err.hint), sizeof err.hint - 1);
    assert_int_equal(cli_fail(&err, INARCH_IO, err.message, err.hint, "again"), INARCH_IO);
    assert_string_equal(err.message, "again");
    assert_null(cli_nearest(word, (const char *const[]){"x"}, 1));
}

/* What the second signal would do, after the first; or a number that is no action. */
static int after_first(int sig)
{
    struct sigaction now;
    return sigaction(sig, NULL, &now)  ? 3
           : now.sa_handler == SIG_IGN ? 1
           : now.sa_handler == SIG_DFL ? 2
                                       : 3;
}

/* Under nohup a hang-up stays ignored, after another signal was caught too; that one kills at the
 * end. */
static void test_ignored_signals(void **state)
{
    (void)state;
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGHUP, SIG_IGN);
        signals_hold();
        raise(SIGTERM);
        raise(SIGHUP);
        if (signals_caught() != SIGTERM || after_first(SIGHUP) != 1 || after_first(SIGINT) != 2)
            _exit(1);
        signals_release();
        _exit(2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGTERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_nesting),  cmocka_unit_test(test_json_numbers),
        cmocka_unit_test(test_json_strings),  cmocka_unit_test(test_json_growth),
        cmocka_unit_test(test_numbers),       cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_hostile_names), cmocka_unit_test(test_wrap),
        cmocka_unit_test(test_table),         cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_long_messages), cmocka_unit_test(test_ignored_signals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
