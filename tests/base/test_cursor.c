/* The bounded cursor and UTF-8. Operands lie at the end of heap blocks, so ASan sees any overrun.
 */
#include "test.h"
#include "base/cursor.h"

static void reads_fields(void **state)
{
    (void)state;
    const uint8_t data[] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                            16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29};
    ia_cursor c = ia_cursor_of(data, sizeof data);
    assert_int_equal(ia_u8(&c), 1);
    assert_int_equal(ia_u16(&c), 0x0302);
    assert_int_equal(ia_u24(&c), 0x060504);
    assert_int_equal(ia_u32(&c), 0x0a090807);
    assert_true(ia_u64(&c) == 0x1211100f0e0d0c0b);
    assert_int_equal(ia_u16be(&c), 0x1314);
    assert_int_equal(ia_u32be(&c), 0x15161718);
    assert_true(ia_uint(&c, 5) == 0x1d1c1b1a19);
    assert_int_equal(ia_left(&c), 0);
    assert_false(c.bad);
    assert_int_equal(ia_u8(&c), 0);
    assert_true(c.bad);
}

static void stays_bad(void **state)
{
    (void)state;
    uint8_t *data = malloc(3);
    memcpy(data, "\1\2\3", 3);
    for (size_t n = 4; n <= 8; n++) {
        ia_cursor c = ia_cursor_of(data, 3);
        assert_true(ia_uint(&c, n) == 0);
        assert_true(c.bad);
        assert_int_equal(ia_left(&c), 0);
        assert_int_equal(ia_u8(&c), 0); /* although there are bytes */
        assert_null(ia_bytes(&c, 0));
        assert_false(ia_match(&c, "\1", 1));
        assert_false(ia_match(&c, "", 1));
        ia_seek(&c, 0);
        assert_true(c.bad);
    }
    ia_cursor c = ia_cursor_of(data, 3);
    ia_skip(&c, SIZE_MAX);
    assert_true(c.bad);
    c = ia_cursor_of(data, 3);
    ia_skip(&c, 2);
    assert_null(ia_bytes(&c, SIZE_MAX - 1)); /* 2 + n wraps */
    free(data);
}

static void moves(void **state)
{
    (void)state;
    ia_cursor c = ia_cursor_of("abcdef", 6);
    assert_true(ia_match(&c, "ab", 2));
    assert_false(ia_match(&c, "ab", 2));
    assert_false(ia_match(&c, "cdefg", 5));
    assert_false(c.bad);
    assert_int_equal(c.pos, 2);
    assert_memory_equal(ia_bytes(&c, 2), "cd", 2);
    ia_cursor sub = ia_sub(&c, 2);
    assert_int_equal(ia_u8(&sub), 'e');
    assert_int_equal(ia_left(&sub), 1);
    assert_int_equal(ia_left(&c), 0);
    assert_non_null(ia_bytes(&c, 0));
    ia_seek(&c, 6);
    assert_false(c.bad);
    ia_seek(&c, 1);
    assert_int_equal(ia_left(&c), 5);
    ia_cursor none = ia_sub(&c, 6);
    assert_true(none.bad && c.bad);
    assert_int_equal(ia_left(&none), 0);
    c = ia_cursor_of("abcdef", 6);
    ia_seek(&c, 7);
    assert_true(c.bad);
    ia_cursor empty = ia_cursor_of(NULL, 0);
    assert_non_null(ia_bytes(&empty, 0));
    assert_true(ia_match(&empty, "", 0));
    assert_false(empty.bad);
    assert_int_equal(ia_u16be(&empty), 0);
    assert_true(empty.bad);
}

static bool utf8(const char *s, size_t n)
{
    char *copy = calloc(n ? n : 1, 1); /* no zero byte behind it */
    memcpy(copy, s, n);
    bool valid = ia_utf8_valid(copy, n);
    free(copy);
    return valid;
}

/* Every code point of each length, encoded by hand, and every prefix of it. */
static void accepts_exactly_utf8(void **state)
{
    (void)state;
    assert_true(utf8("", 0));
    assert_false(utf8("a\0b", 3));
    for (uint32_t c = 0; c < 0x200000; c += c < 0x11000 ? 1 : 61) {
        uint8_t s[4];
        size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
        uint32_t rest = c;
        for (size_t i = n; i-- > 1; rest >>= 6)
            s[i] = (uint8_t)(0x80 | (rest & 0x3f));
        s[0] = (uint8_t)(lead[n] | rest);
        bool valid = c && c < 0x110000 && !(c >= 0xd800 && c < 0xe000);
        assert_int_equal(utf8((char *)s, n), valid);
        for (size_t cut = 1; cut < n; cut++)
            assert_false(utf8((char *)s, cut));
    }
    static const char *const bad[] = {
        "\x80",     "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf",  "\xf0\x80\x80\x80",
        "\xf5\x80", "\xff",     "\xc3(",    "\xe2\x82(",    "\xf0\x9f\x8c(", "a\xc3",
    };
    for (size_t i = 0; i < IA_COUNT(bad); i++)
        assert_false(utf8(bad[i], strlen(bad[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_fields),
        cmocka_unit_test(stays_bad),
        cmocka_unit_test(moves),
        cmocka_unit_test(accepts_exactly_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
