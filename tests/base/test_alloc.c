/* The allocation gate: checked sizes, zeroed memory, failures on demand. */
#include "test.h"
#include "base/alloc.h"
#include "failing_alloc.h"

static void checks_products_and_sums(void **state)
{
    (void)state;
    const size_t half = (size_t)1 << (sizeof(size_t) * 4);
    size_t out;
    assert_true(ia_mul(half, half - 1, &out) && out == half * (half - 1));
    assert_false(ia_mul(half, half, &out));
    assert_true(out == SIZE_MAX);
    assert_true(ia_mul(0, SIZE_MAX, &out) && out == 0);
    assert_true(ia_mul(SIZE_MAX, 0, &out) && out == 0);
    assert_true(ia_mul(SIZE_MAX, 1, &out) && out == SIZE_MAX);
    assert_false(ia_mul(SIZE_MAX / 2 + 1, 2, &out));
    assert_true(ia_add(SIZE_MAX - 1, 1, &out) && out == SIZE_MAX);
    out = 0;
    assert_false(ia_add(SIZE_MAX, 1, &out));
    assert_true(out == SIZE_MAX);
}

static void refuses_sizes_that_wrap(void **state)
{
    (void)state;
    assert_null(ia_calloc(SIZE_MAX / 2 + 1, 2));
    assert_null(ia_calloc(SIZE_MAX, 1));
    assert_null(ia_calloc_aligned(SIZE_MAX));
    assert_null(ia_calloc_aligned(SIZE_MAX - 64));
    char *p = ia_calloc(4, 1);
    assert_null(ia_realloc(p, SIZE_MAX, 3));
    memcpy(p, "abc", 4); /* the old block is still ours */
    ia_free(p);
}

static void gives_zeroed_memory(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++) {
        unsigned char *p = ia_calloc(1000, 3);
        for (size_t i = 0; i < 3000; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xff, 3000);
        ia_free(p);
    }
    void *empty = ia_calloc(0, 8);
    assert_non_null(empty);
    empty = ia_realloc(empty, 0, 8);
    assert_non_null(empty);
    ia_free(empty);
    ia_free(NULL);
}

static void aligns_and_pads(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 63, 64, 65, 4097, 1 << 20};
    for (size_t i = 0; i < IA_COUNT(sizes); i++) {
        size_t padded = sizes[i] ? (sizes[i] + 63) / 64 * 64 : 0;
        unsigned char *p = ia_calloc_aligned(sizes[i]);
        assert_int_equal((uintptr_t)p % 64, 0);
        for (size_t k = 0; k < padded; k++)
            assert_int_equal(p[k], 0);
        memset(p, 0xff, padded); /* ASan sees when the padding is not there */
        ia_free_aligned(p);
    }
    ia_free_aligned(NULL);
}

static void copies_text(void **state)
{
    (void)state;
    char *a = ia_strdup("dense"), *b = ia_strndup("dense_1", 5), *c = ia_strndup("x", 100);
    char *d = ia_asprintf("%s_%d", a, 12), *e = ia_strndup("", 3);
    assert_string_equal(a, "dense");
    assert_string_equal(b, "dense");
    assert_string_equal(c, "x");
    assert_string_equal(d, "dense_12");
    assert_string_equal(e, "");
    ia_free(a), ia_free(b), ia_free(c), ia_free(d), ia_free(e);
    const char unterminated[3] = {'a', 'b', 'c'};
    char *f = ia_strndup(unterminated, sizeof unterminated);
    assert_string_equal(f, "abc");
    ia_free(f);
}

static void grows_by_doubling(void **state)
{
    (void)state;
    inarch_error err;
    uint64_t *v = NULL;
    size_t cap = 0, changes = 0;
    for (size_t count = 0; count < 1000; count++) {
        size_t before = cap;
        assert_ok(ia_grow(&v, &cap, count, sizeof *v, "numbers", &err), err);
        changes += cap != before;
        v[count] = count * count;
    }
    assert_true(changes <= 10);
    for (size_t i = 0; i < 1000; i++)
        assert_true(v[i] == i * i);

    size_t old_cap = cap;
    uint64_t *old = v;
    alloc_countdown = 0;
    assert_int_equal(ia_grow(&v, &cap, cap, sizeof *v, "numbers", &err), INARCH_NO_MEMORY);
    assert_ptr_equal(v, old);
    assert_int_equal(cap, old_cap);
    char message[100];
    snprintf(message, sizeof message, "not enough memory for numbers (%zu bytes)",
             2 * cap * sizeof *v);
    assert_string_equal(err.message, message);
    assert_int_equal(ia_grow(&v, &cap, SIZE_MAX - 1, sizeof *v, "numbers", &err), INARCH_NO_MEMORY);
    assert_int_equal(ia_grow(&v, &cap, SIZE_MAX / 4, sizeof *v, "numbers", &err), INARCH_NO_MEMORY);
    assert_ptr_equal(v, old);
    ia_free(v);
}

static void fails_on_demand(void **state)
{
    (void)state;
    char *p = ia_calloc(1, 1);
    alloc_countdown = 0;
    assert_null(ia_calloc(1, 1));
    assert_int_equal(alloc_countdown, -1);
    alloc_countdown = 0;
    assert_null(ia_realloc(p, 2, 1));
    alloc_countdown = 0;
    assert_null(ia_strdup("a"));
    alloc_countdown = 0;
    assert_null(ia_strndup("a", 1));
    alloc_countdown = 0;
    assert_null(ia_asprintf("a"));
    alloc_countdown = 0;
    assert_null(ia_calloc_aligned(1));
    ia_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checks_products_and_sums),
        cmocka_unit_test(refuses_sizes_that_wrap),
        cmocka_unit_test(gives_zeroed_memory),
        cmocka_unit_test(aligns_and_pads),
        cmocka_unit_test(copies_text),
        cmocka_unit_test(grows_by_doubling),
        cmocka_unit_test(fails_on_demand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
