/* The growable buffer and its limit. */
#include "test.h"
#include "base/buf.h"
#include "failing_alloc.h"

static void collects_bytes_and_text(void **state)
{
    (void)state;
    inarch_error err;
    ia_buf b = IA_BUF(1000);
    assert_null(b.data);
    assert_ok(ia_buf_append(&b, NULL, 0, &err), err);
    assert_ok(ia_buf_zeros(&b, 0, &err), err);
    assert_ok(ia_buf_printf(&b, &err, "%s", ""), err);
    assert_null(b.data);
    assert_ok(ia_buf_text(&b, "units=", &err), err);
    assert_ok(ia_buf_printf(&b, &err, "%d %s", 64, "relu"), err);
    assert_int_equal(b.len, 13);
    assert_string_equal((char *)b.data, "units=64 relu");
    assert_ok(ia_buf_zeros(&b, 3, &err), err);
    assert_memory_equal(b.data + 13, "\0\0\0", 4);
    ia_buf_put(&b, 5, ":", 1);
    ia_buf_put(&b, b.len, "", 0);
    assert_memory_equal(b.data, "units:64", 8);
    ia_buf_free(&b);
    assert_null(b.data);
    assert_int_equal(b.len, 0);
    assert_int_equal(b.max, 1000);
    ia_buf_free(&b);
}

static void writes_little_endian(void **state)
{
    (void)state;
    inarch_error err;
    ia_buf b = IA_BUF(100);
    assert_ok(ia_buf_u8(&b, 0xf1, &err), err);
    assert_ok(ia_buf_u16(&b, 0x1234, &err), err);
    assert_ok(ia_buf_u32(&b, 0x89abcdef, &err), err);
    assert_ok(ia_buf_u64(&b, 0x0102030405060708, &err), err);
    assert_int_equal(b.len, 15);
    assert_memory_equal(b.data, "\xf1\x34\x12\xef\xcd\xab\x89\x08\x07\x06\x05\x04\x03\x02\x01", 16);
    ia_buf_free(&b);
}

/* Full to the last byte, not one more; nothing changes on refusal. */
static void keeps_its_limit(void **state)
{
    (void)state;
    for (size_t max = 0; max < 200; max++) {
        inarch_error err;
        ia_buf b = IA_BUF(max);
        for (size_t i = 0; i < max; i++)
            assert_ok(ia_buf_u8(&b, (uint8_t)i, &err), err);
        assert_int_equal(b.len, max);
        assert_true(b.cap <= max + 1);
        assert_int_equal(ia_buf_u8(&b, 1, &err), INARCH_LIMIT);
        assert_int_equal(ia_buf_printf(&b, NULL, "x"), INARCH_LIMIT);
        assert_int_equal(ia_buf_zeros(&b, SIZE_MAX, NULL), INARCH_LIMIT);
        assert_int_equal(b.len, max);
        for (size_t i = 0; i < max; i++)
            assert_int_equal(b.data[i], (uint8_t)i);
        ia_buf_free(&b);
        if (max == 7)
            assert_string_equal(err.message, "a buffer would grow beyond its limit of 7 bytes");
    }
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    inarch_error err;
    ia_buf b = IA_BUF(SIZE_MAX);
    alloc_countdown = 0;
    assert_int_equal(ia_buf_text(&b, "abc", &err), INARCH_NO_MEMORY);
    assert_null(b.data);
    assert_int_equal(b.len, 0);
    assert_ok(ia_buf_text(&b, "abc", &err), err);
    alloc_countdown = 0;
    assert_int_equal(ia_buf_zeros(&b, 100, &err), INARCH_NO_MEMORY);
    assert_string_equal((char *)b.data, "abc");
    assert_int_equal(ia_buf_zeros(&b, SIZE_MAX / 2, &err), INARCH_NO_MEMORY);
    assert_int_equal(ia_buf_zeros(&b, SIZE_MAX - 3, &err), INARCH_NO_MEMORY);
    assert_int_equal(b.len, 3);
    ia_buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(collects_bytes_and_text),
        cmocka_unit_test(writes_little_endian),
        cmocka_unit_test(keeps_its_limit),
        cmocka_unit_test(survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
