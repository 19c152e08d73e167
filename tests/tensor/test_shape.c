/* Shapes: products that are checked, text as Python writes tuples. */
#include "test.h"
#include "tensor/shape.h"

static ia_shape shape(int rank, ...)
{
    ia_shape s = {.rank = rank};
    va_list args;
    va_start(args, rank);
    for (int i = 0; i < rank; i++)
        s.dim[i] = va_arg(args, int64_t);
    va_end(args);
    return s;
}

#define D(n) ((int64_t)(n))

static void counts(void **state)
{
    (void)state;
    size_t n = 99;
    ia_shape s = shape(0);
    assert_true(ia_shape_count(&s, &n) && n == 1);
    s = ia_shape_1(7);
    assert_true(ia_shape_count(&s, &n) && n == 7);
    s = shape(3, D(2), D(3), D(4));
    assert_true(ia_shape_count(&s, &n) && n == 24);
    s = shape(8, D(256), D(256), D(256), D(256), D(256), D(256), D(256), D(255));
    assert_true(ia_shape_count(&s, &n) && n == ((size_t)255 << 56));
    s = shape(3, INT64_MAX, INT64_MAX, D(0)); /* empty: nothing wraps */
    assert_true(ia_shape_count(&s, &n) && n == 0);
    s = shape(3, D(0), INT64_MAX, INT64_MAX);
    assert_true(ia_shape_count(&s, &n) && n == 0);

    n = 99;
    s = shape(8, D(256), D(256), D(256), D(256), D(256), D(256), D(256), D(256));
    assert_false(ia_shape_count(&s, &n));
    s = shape(3, INT64_MAX, D(3), D(1));
    assert_false(ia_shape_count(&s, &n));
    s = shape(2, D(IA_DIM_UNKNOWN), D(4));
    assert_false(ia_shape_count(&s, &n));
    s = shape(2, D(0), D(IA_DIM_UNKNOWN));
    assert_false(ia_shape_count(&s, &n));
    s = shape(2, D(-5), D(-5));
    assert_false(ia_shape_count(&s, &n));
    assert_true(n == 99);
}

static void compares(void **state)
{
    (void)state;
    ia_shape a = shape(2, D(3), D(4)), b = ia_shape_of(2, (const int64_t[]){3, 4});
    b.dim[2] = 5; /* beyond the rank: does not count */
    assert_true(ia_shape_equal(&a, &b));
    b.dim[1] = 5;
    assert_false(ia_shape_equal(&a, &b));
    b = shape(1, D(3));
    assert_false(ia_shape_equal(&a, &b));
    a = shape(0), b = shape(0);
    assert_true(ia_shape_equal(&a, &b));
}

static void writes_tuples(void **state)
{
    (void)state;
    char out[256];
    ia_shape s = shape(0);
    assert_string_equal(ia_shape_text(&s, out, sizeof out), "()");
    s = ia_shape_1(64);
    assert_string_equal(ia_shape_text(&s, out, sizeof out), "(64,)");
    s = shape(3, D(IA_DIM_UNKNOWN), D(28), D(28));
    assert_string_equal(ia_shape_text(&s, out, sizeof out), "(None, 28, 28)");
    s = ia_shape_1(IA_DIM_UNKNOWN);
    assert_string_equal(ia_shape_text(&s, out, sizeof out), "(None,)");
    s = shape(8, INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN,
              INT64_MIN);
    assert_int_equal(strlen(ia_shape_text(&s, out, sizeof out)), 2 + 8 * 20 + 7 * 2);
    s = shape(2, D(28), D(28));
    for (size_t size = 1; size < 12; size++) {
        memset(out, 'x', sizeof out);
        ia_shape_text(&s, out, size);
        size_t len = strlen(out);
        assert_int_equal(len, size - 1 < 8 ? size - 1 : 8);
        assert_memory_equal(out, "(28, 28)", len);
        assert_int_equal(out[size], 'x');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts),
        cmocka_unit_test(compares),
        cmocka_unit_test(writes_tuples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
