/* Globs, suggestions, lists. */
#include "test.h"
#include "base/text.h"

static void matches_globs(void **state)
{
    static const struct {
        const char *pattern, *name;
        bool match;
    } cases[] = {
        {"", "", true},
        {"", "a", false},
        {"*", "", true},
        {"*", "base/dense_1", true},
        {"dense", "dense", true},
        {"dense", "dense_1", false},
        {"dense_1", "dense", false},
        {"a*", "abc", true},
        {"a*", "ba", false},
        {"*c", "abc", true},
        {"*c", "abcd", false},
        {"a*c*e", "abcde", true},
        {"a*c*e", "abcd", false},
        {"*ab*ab*", "abab", true},
        {"*ab*ab*", "aab", false},
        {"?", "a", true},
        {"?", "", false},
        {"?", "ab", false},
        {"?", "\xc3\xa9", true},
        {"x?y", "x\xe2\x82\xacy", true},
        {"??", "\xc3\xa9", false},
        {"a**b", "ab", true},
        {"**", "x", true},
        {"dense_?", "dense_12", false},
        {"dense_*", "dense_", true},
        {"*/dense", "a/b/dense", true},
        {"[a]", "a", false},
        {"[a]", "[a]", true},
        {"DENSE", "dense", false},
        {"*?", "", false},
        {"*?c", "abc", true},
        {"b*", "", false},
    };
    (void)state;
    for (size_t i = 0; i < IA_COUNT(cases); i++)
        if (ia_glob_match(cases[i].pattern, cases[i].name) != cases[i].match)
            fail_msg("'%s' and '%s'", cases[i].pattern, cases[i].name);
    char many[2001]; /* exponential for naive matchers */
    memset(many, 'a', sizeof many - 1);
    many[sizeof many - 1] = 0;
    assert_false(ia_glob_match("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", many));
}

static void suggests(void **state)
{
    (void)state;
    static const char *const names[] = {
        "relu", "sigmoid", "softmax", "softplus", "tanh", "elu", "binary_crossentropy"};
    static const struct {
        const char *word, *best;
    } cases[] = {
        {"rleu", "relu"},
        {"relu", "relu"},
        {"sigmiod", "sigmoid"},
        {"softmx", "softmax"},
        {"SoftMax", "softmax"},
        {"thna", NULL},
        {"tahn", "tanh"},
        {"zzz", NULL},
        {"", NULL},
        {"x", NULL},
        {"selu", "relu"},
        {"binary_crosentropy", "binary_crossentropy"},
        {"softpluss", "softplus"},
        {"categorical", NULL},
    };
    for (size_t i = 0; i < IA_COUNT(cases); i++) {
        const char *best = ia_suggest(cases[i].word, names, IA_COUNT(names));
        if (cases[i].best ? !best || strcmp(best, cases[i].best) : best != NULL)
            fail_msg("'%s' gave '%s'", cases[i].word, best ? best : "nothing");
    }
    assert_null(ia_suggest("relu", names, 0));
    char longest[200];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    const char *const one = longest;
    assert_null(ia_suggest("relu", &one, 1));
    assert_null(ia_suggest(longest, &one, 1));
    longest[64] = 0;
    assert_ptr_equal(ia_suggest(longest, &one, 1), one);
}

static void splits(const char *list, char separator, const char *const *items, size_t n)
{
    ia_split s = ia_split_of(list, separator);
    const char *item;
    size_t len;
    for (size_t i = 0; i < n; i++) {
        assert_true(ia_split_next(&s, &item, &len));
        assert_int_equal(len, strlen(items[i]));
        assert_memory_equal(item, items[i], len);
    }
    assert_false(ia_split_next(&s, &item, &len));
    assert_false(ia_split_next(&s, &item, &len));
}

#define SPLITS(list, separator, ...)                                                               \
    do {                                                                                           \
        const char *const items[] = {__VA_ARGS__};                                                 \
        splits(list, separator, items, IA_COUNT(items));                                           \
    } while (0)

static void splits_lists(void **state)
{
    (void)state;
    splits("", ',', NULL, 0);
    splits(NULL, ',', NULL, 0);
    SPLITS("a", ',', "a");
    SPLITS(" ", ',', "");
    SPLITS("a,b", ',', "a", "b");
    SPLITS(" a , b ,c\t", ',', "a", "b", "c");
    SPLITS("a,,b,", ',', "a", "", "b", "");
    SPLITS("dense(units=3,activation=relu),dropout:0.5", ',', "dense(units=3,activation=relu)",
           "dropout:0.5");
    SPLITS("a([,],(,)),b", ',', "a([,],(,))", "b");
    SPLITS("name='a,b',c", ',', "name='a,b'", "c");
    SPLITS("\"(\",b", ',', "\"(\"", "b");
    SPLITS("a),b", ',', "a)", "b");
    SPLITS("a(,b", ',', "a(,b");
    SPLITS("'a,b", ',', "'a,b");
    SPLITS("dense:128:relu", ':', "dense", "128", "relu");
    SPLITS("a b", ' ', "a", "b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_globs),
        cmocka_unit_test(suggests),
        cmocka_unit_test(splits_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
