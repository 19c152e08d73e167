/* Messages: cleaned, cut at characters, filled once. */
#include "test.h"
#include "base/cursor.h"
#include "base/status.h"

static void fills_all_fields(void **state)
{
    (void)state;
    inarch_error err;
    memset(&err, 'x', sizeof err);
    assert_int_equal(
        ia_fail(&err, INARCH_IO, "a.h5", "check it", "cannot open '%s': %d", "a.h5", 7), INARCH_IO);
    assert_int_equal(err.status, INARCH_IO);
    assert_string_equal(err.subject, "a.h5");
    assert_string_equal(err.message, "cannot open 'a.h5': 7");
    assert_string_equal(err.hint, "check it");
    assert_int_equal(ia_fail(NULL, INARCH_LIMIT, "a", "b", "c"), INARCH_LIMIT);
    assert_int_equal(ia_fail(&err, INARCH_LIMIT, NULL, NULL, "c"), INARCH_LIMIT);
    assert_string_equal(err.subject, "");
    assert_string_equal(err.hint, "");
}

static void replaces_what_steers_terminals(void **state)
{
    static const struct {
        const char *name, *shown;
    } cases[] = {
        {"a\x1b[31mb", "a?[31mb"},
        {"tab\there\n", "tab?here?"},
        {"\x7f", "?"},
        {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8c\xb1", NULL},
        {"csi \xc2\x9b!", "csi ?!"},
        {"\xff\xfe", "??"},
        {"cut \xe2\x82", "cut ??"},
        {"\xed\xa0\x80", "???"}, /* a surrogate */
        {"\xc0\xaf", "??"},
        {"nbsp \xc2\xa0", NULL},
        {"\xf4\x90\x80\x80", "????"},
    };
    (void)state;
    for (size_t i = 0; i < IA_COUNT(cases); i++) {
        const char *shown = cases[i].shown ? cases[i].shown : cases[i].name;
        inarch_error err;
        ia_fail(&err, INARCH_IO, cases[i].name, cases[i].name, "%s", cases[i].name);
        assert_string_equal(err.subject, shown);
        assert_string_equal(err.message, shown);
        assert_string_equal(err.hint, shown);
    }
}

/* Fields of n bytes hold n - 1; a character that does not fit whole is left out. */
static void cuts_at_characters(void **state)
{
    (void)state;
    char text[2000];
    inarch_error err;
    for (size_t shift = 0; shift < 4; shift++) {
        size_t n = 0;
        while (n < shift)
            text[n++] = 'a';
        while (n + 4 < sizeof text) {
            memcpy(text + n, "\xf0\x9f\x8c\xb1", 4);
            n += 4;
        }
        text[n] = 0;
        ia_fail(&err, INARCH_IO, text, text, "%s", text);
        const char *const field[] = {err.subject, err.message, err.hint};
        const size_t size[] = {sizeof err.subject, sizeof err.message, sizeof err.hint};
        for (size_t i = 0; i < 3; i++) {
            size_t len = strlen(field[i]);
            assert_true(ia_utf8_valid(field[i], len));
            assert_int_equal(len, shift + (size[i] - 1 - shift) / 4 * 4);
        }
    }
    memset(text, 'b', sizeof text - 1);
    text[sizeof text - 1] = 0;
    ia_fail(&err, INARCH_IO, text, "", "%s", text);
    assert_int_equal(strlen(err.subject), sizeof err.subject - 1);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
}

static void may_be_rewritten_from_itself(void **state)
{
    (void)state;
    inarch_error err;
    ia_fail(&err, INARCH_IO, "s", "h", "first");
    ia_fail(&err, INARCH_IO, err.subject, err.hint, "second after %s", err.message);
    assert_string_equal(err.message, "second after first");
    assert_string_equal(err.subject, "s");
    ia_error_subject(&err, err.message + 7);
    assert_string_equal(err.subject, "after first");
    ia_error_hint(&err, err.hint);
    assert_string_equal(err.hint, "h");
    ia_error_hint(&err, "a\nb");
    assert_string_equal(err.hint, "a?b");
    ia_error_hint(NULL, "a");
    ia_error_subject(NULL, "a");
    assert_int_equal(err.status, INARCH_IO);
}

static void names_memory(void **state)
{
    (void)state;
    inarch_error err;
    assert_int_equal(ia_fail_memory(&err, "layers", 1234), INARCH_NO_MEMORY);
    assert_string_equal(err.message, "not enough memory for layers (1234 bytes)");
    assert_string_equal(err.subject, "layers");
    ia_fail_memory(&err, "layers", SIZE_MAX);
    assert_string_equal(err.message,
                        "not enough memory for layers (more bytes than can be addressed)");
    assert_int_equal(ia_fail_memory(NULL, "layers", 1), INARCH_NO_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_all_fields),   cmocka_unit_test(replaces_what_steers_terminals),
        cmocka_unit_test(cuts_at_characters), cmocka_unit_test(may_be_rewritten_from_itself),
        cmocka_unit_test(names_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
