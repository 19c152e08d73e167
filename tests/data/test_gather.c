/* Batches from memory: every type and width, rows listed or not, of views in order or not; what is
 * gathered is what is stored, number by number. Also the rows themselves while they grow. */
#include "data_test.h"

#include "base/random.h"
#include "data/rows.h"

#define ROWS 700

/* Bytes that are no NaN in any type: small numbers of both signs. */
static ia_data *numbers(ia_dtype dtype, size_t width)
{
    inarch_error err;
    ia_array x, y;
    ia_data *d;
    const int64_t dims[] = {ROWS, (int64_t)width};
    const ia_shape shape = ia_shape_of(2, dims), one = ia_shape_1(ROWS);
    assert_ok(ia_array_new(dtype, &shape, "x", &x, &err), err);
    assert_ok(ia_array_new(IA_I64, &one, "y", &y, &err), err);
    for (size_t i = 0; i < ROWS * width; i++) {
        float v = (float)((i * 37) % 251) - (ia_dtype_is_float(dtype) ? 125.5f : 0);
        ia_dtype_from_f32(dtype, &v, 1, (uint8_t *)ia_array_mutable(&x) + i * ia_dtype_size(dtype));
    }
    for (int64_t r = 0; r < ROWS; r++)
        ((int64_t *)ia_array_mutable(&y))[r] = r * 3 - 50;
    assert_ok(ia_data_new("numbers", &d, &err), err);
    assert_ok(ia_data_add_input(d, "x", &x, &err), err);
    assert_ok(ia_data_add_target(d, "y", &y, &err), err);
    ia_array_release(&x);
    ia_array_release(&y);
    return d;
}

/* n rows of the view: the expected numbers come one by one from ia_data_source_row on. */
static void check_batch(const ia_data *d, const uint64_t *rows, size_t n)
{
    inarch_error err;
    const ia_rows *from = d->input[0].rows;
    size_t width = ia_data_input_count(d, 0);
    float *x = malloc((n * width + 1) * sizeof *x), *y = malloc((n + 1) * sizeof *y);
    float *inputs[] = {x}, *targets[] = {y};
    x[n * width] = y[n] = 4711; /* nothing is written behind */
    assert_ok(ia_data_gather_batch(d, rows, n, inputs, targets, NULL, &err), err);
    for (size_t i = 0; i < n; i++) {
        uint64_t row = ia_data_source_row(d, rows ? rows[i] : i);
        for (size_t c = 0; c < width; c++) {
            size_t at = d->input[0].pick ? d->input[0].pick[c] : c;
            if (x[i * width + c] != (float)ia_rows_number(from, row, at))
                fail_msg("%s, %zu numbers a row: row %zu, number %zu",
                         ia_dtype_name(ia_data_input_dtype(d, 0)), width, i, c);
        }
        assert_true(y[i] == (float)((int64_t)row * 3 - 50));
    }
    assert_true(x[n * width] == 4711 && y[n] == 4711);
    free(x);
    free(y);
}

static void check_view(const ia_data *d)
{
    static const size_t batches[] = {0, 1, 2, 3, 4, 16, 257, 300};
    uint64_t rows[300];
    ia_random r = ia_random_from(ia_random_key_of(1, 1, 1));
    for (size_t i = 0; i < IA_COUNT(rows); i++)
        rows[i] = i % 7 ? ia_random_below(&r, ia_data_rows(d)) : i; /* some follow each other */
    for (size_t b = 0; b < IA_COUNT(batches); b++) {
        check_batch(d, rows, batches[b]);
        check_batch(d, NULL, batches[b]);
    }
    rows[0] = ia_data_rows(d) - 1; /* the last row, last in the batch: nothing lies behind */
    check_batch(d, rows, 1);
    check_batch(d, NULL, ia_data_rows(d));
}

static void test_types_and_widths(void **state)
{
    (void)state;
    static const size_t widths[] = {1, 2, 3, 4, 5, 8, 15, 16, 17, 31, 32, 33, 100, 128, 129, 300};
    for (int t = 0; t < IA_DTYPE_COUNT; t++) {
        for (size_t w = 0; w < IA_COUNT(widths); w++) {
            inarch_error err;
            ia_data *slice, *chosen, *d = numbers((ia_dtype)t, widths[w]);
            uint64_t order[400];
            check_view(d);
            assert_ok(ia_data_slice(d, 123, 500, &slice, &err), err);
            check_view(slice);
            for (size_t i = 0; i < IA_COUNT(order); i++)
                order[i] = (i * 7 + 3) % 500;
            assert_ok(ia_data_select(slice, order, IA_COUNT(order), &chosen, &err), err);
            check_view(chosen);
            ia_data_free(chosen);
            ia_data_free(slice);
            ia_data_free(d);
        }
    }
}

/* Bits pass: a float32 is not computed with. */
static void test_bits(void **state)
{
    (void)state;
    inarch_error err;
    ia_array a;
    ia_data *d;
    const int64_t dims[] = {3, 2};
    const ia_shape shape = ia_shape_of(2, dims);
    static const uint32_t bits[] = {0x7f800001, 0x80000000, 0xffc12345, 1, 0x7f800000, 0x00400000};
    assert_ok(ia_array_new(IA_F32, &shape, "x", &a, &err), err);
    memcpy(ia_array_mutable(&a), bits, sizeof bits);
    assert_ok(ia_data_new("bits", &d, &err), err);
    assert_ok(ia_data_add_input(d, "x", &a, &err), err);
    ia_array_release(&a);
    uint32_t got[6];
    assert_ok(ia_data_gather(d, (const uint64_t[]){2, 0, 1}, 3, 0, (float *)(void *)got, &err),
              err);
    assert_memory_equal(got, bits + 4, 8);
    assert_memory_equal(got + 2, bits, 16);
    ia_data_free(d);
}

/* ---- columns of a table ---- */

static void test_columns(void **state)
{
    (void)state;
    inarch_error err;
    size_t n, follow;
    ia_data *d = text_data("a,b,c\n1,2,3\n4,5,6\n7,8,9\n", NULL);
    assert_ok(ia_data_align_columns(d, (const char *const[]){"c", "a", "b"}, 3, &err), err);
    check_input(d, 0, 3, (const float[]){3, 1, 2, 6, 4, 5, 9, 7, 8});
    uint64_t row = 0;
    assert_null(ia_data_peek(d, 0, row, &follow));
    /* Back in the order of the file: whole rows again. */
    assert_ok(ia_data_align_columns(d, (const char *const[]){"a", "b", "c"}, 3, &err), err);
    check_input(d, 0, 3, (const float[]){1, 2, 3, 4, 5, 6, 7, 8, 9});
    assert_non_null(ia_data_peek(d, 0, row, &follow));
    assert_int_equal(follow, 3);
    assert_string_equal(ia_data_columns(d, &n)[2], "c");
    assert_ok(ia_data_align_columns(d, (const char *const[]){"a", "b"}, 2, &err), err);
    check_input(d, 0, 3, (const float[]){1, 2, 4, 5, 7, 8});
    assert_null(ia_data_peek(d, 0, row, &follow));
    ia_data_free(d);
}

static void test_columns_of_types(void **state)
{
    (void)state;
    for (int t = 0; t < IA_DTYPE_COUNT; t++) {
        inarch_error err;
        ia_data *d = numbers((ia_dtype)t, 4);
        assert_ok(ia_data_set_columns(d, (const char *const[]){"a", "b", "c", "d"}, 4, &err), err);
        assert_ok(ia_data_align_columns(d, (const char *const[]){"d", "b"}, 2, &err), err);
        check_view(d);
        ia_data_free(d);
    }
}

/* ---- rows that grow ---- */

static void test_extend_and_cut(void **state)
{
    (void)state;
    inarch_error err;
    ia_rows *r;
    void *slot;
    enum { MANY = 200000 };
    assert_ok(ia_rows_new(IA_I32, 3, &r, &err), err);
    assert_ok(ia_rows_extend(r, 0, &err), err);
    assert_int_equal(ia_rows_count(r), 0);
    assert_ok(ia_rows_extend(r, MANY, &err), err);
    assert_int_equal(ia_rows_count(r), MANY);
    for (int i = 0; i < MANY; i++)
        for (int c = 0; c < 3; c++)
            ((int32_t *)ia_rows_mutable(r, (uint64_t)i))[c] = 3 * i + c;
    ia_rows_cut(r, MANY - 70000);
    assert_int_equal(ia_rows_count(r), MANY - 70000);
    assert_ok(ia_rows_add(r, &slot, &err), err);
    memset(slot, 0xff, 12);
    assert_ok(ia_rows_extend(r, 5, &err), err);
    assert_int_equal(ia_rows_count(r), MANY - 70000 + 6);
    for (uint64_t i = 0; i < MANY - 70000; i++)
        assert_true(ia_rows_number(r, i, 2) == (double)(3 * i + 2));
    assert_true(ia_rows_number(r, MANY - 70000, 1) == -1);
    assert_int_equal(ia_rows_extend(r, SIZE_MAX, &err), INARCH_NO_MEMORY);
    assert_int_equal(ia_rows_count(r), MANY - 70000 + 6);
    ia_rows_unref(r);
}

/* ---- the order of an epoch ---- */

/* A hash of the permutation, computed once from the first release: results rest on it. */
static uint64_t hash_of(const uint64_t *rows, size_t n)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < n; i++)
        h = (h ^ rows[i]) * 0x100000001b3u;
    return h;
}

static void test_shuffle_stays(void **state)
{
    (void)state;
    static uint64_t rows[60000];
    ia_data_shuffle(rows, 150, 0, 0);
    assert_int_equal(hash_of(rows, 150), 0xe28627ac0f828f9cu);
    ia_data_shuffle(rows, 60000, 7, 3);
    assert_int_equal(hash_of(rows, 60000), 0xc366aec699726f03u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types_and_widths), cmocka_unit_test(test_bits),
        cmocka_unit_test(test_columns),          cmocka_unit_test(test_columns_of_types),
        cmocka_unit_test(test_extend_and_cut),   cmocka_unit_test(test_shuffle_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
