/* IDX, plain and gzipped (fixtures by tests/fixtures/containers/make.py). */
#include "hostile.h"

#include "containers/idx.h"

#define FIXTURE(name) FIXTURES "/containers/" name

static inarch_status read_input(const ia_input *in, ia_array *out, inarch_error *err)
{
    ia_stream s;
    inarch_status status = ia_stream_open_any(in, &s, err);
    if (status == INARCH_OK)
        status = ia_idx_read(&s, out, err);
    ia_stream_close(&s);
    return status;
}

static inarch_status read_and_drop(const ia_input *in, inarch_error *err)
{
    ia_array a;
    inarch_status status = read_input(in, &a, err);
    if (status == INARCH_OK)
        ia_array_release(&a);
    return status;
}

static inarch_status read_file(const char *path, ia_array *out, inarch_error *err)
{
    ia_input in;
    assert_ok(ia_input_open(path, &in, err), *err);
    in.name = "x.idx";
    inarch_status status = read_input(&in, out, err);
    ia_input_close(&in);
    return status;
}

typedef struct good {
    const char *path, *dtype;
    int rank;
    int64_t dim[4];
    double first, step;
} good;

static const good goods[] = {
    {FIXTURE("u1.idx"), "uint8", 1, {6}, 0, 40},
    {FIXTURE("two.idx.gz"), "uint8", 1, {6}, 0, 40},
    {FIXTURE("i1.idx"), "int8", 2, {2, 3}, -40, 20},
    {FIXTURE("i2.idx"), "int16", 2, {2, 3}, -40, 20},
    {FIXTURE("i2.idx.gz"), "int16", 2, {2, 3}, -40, 20},
    {FIXTURE("i4.idx"), "int32", 2, {3, 2}, -40, 20},
    {FIXTURE("f4.idx"), "float32", 3, {1, 2, 3}, -1, 0.5},
    {FIXTURE("f8.idx"), "float64", 4, {1, 2, 1, 3}, -1, 0.5},
};

static void test_types(void **state)
{
    (void)state;
    for (size_t i = 0; i < IA_COUNT(goods); i++) {
        const good *g = &goods[i];
        inarch_error err;
        ia_array a;
        double v[6];
        assert_ok(read_file(g->path, &a, &err), err);
        ia_shape want = ia_shape_of(g->rank, g->dim);
        assert_true(ia_shape_equal(&a.shape, &want));
        assert_string_equal(ia_dtype_name(a.dtype), g->dtype);
        ia_dtype_to_f64(a.dtype, ia_array_data(&a), 6, v);
        for (size_t k = 0; k < 6; k++)
            assert_near(v[k], g->first + (double)k * g->step, 0);
        ia_array_release(&a);
    }
}

static void check_bytes(const void *data, size_t n, const char *message)
{
    ia_input in = ia_input_memory(data, n, "x.idx");
    inarch_error err = {0};
    ia_array a;
    assert_int_equal(read_input(&in, &a, &err), INARCH_BAD_FILE);
    assert_string_equal(err.message, message);
}

static void test_refusals(void **state)
{
    (void)state;
    inarch_error err;
    ia_array a;
    assert_int_equal(read_file(FIXTURE("garbage.idx.gz"), &a, &err), INARCH_BAD_FILE);
    assert_string_equal(err.message, "'x.idx' has bytes behind the end of its gzip data");
    check_bytes("", 0, "'x.idx' is not an IDX file");
    check_bytes("\0\0\10\5", 4, "'x.idx' is not an IDX file");
    check_bytes("\0\0\12\1", 4, "'x.idx' is not an IDX file");
    check_bytes("\0\0\10\1\0\0\0", 7, "'x.idx' is cut short");
    check_bytes("\0\0\10\1\0\0\0\2a", 9,
                "'x.idx' declares the shape (2,) of uint8, but 1 bytes follow");
    check_bytes("\0\0\10\1\0\0\0\2abc", 11,
                "'x.idx' declares the shape (2,) of uint8, but 3 bytes follow");
    check_bytes("\0\0\16\4\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377", 20,
                "'x.idx' declares the shape (4294967295, 4294967295, 4294967295, 4294967295) of "
                "float64, but 0 bytes follow");
}

static void test_damage(void **state)
{
    (void)state;
    static const char *const paths[] = {FIXTURE("i2.idx"), FIXTURE("i2.idx.gz"), FIXTURE("f8.idx")};
    for (size_t i = 0; i < IA_COUNT(paths); i++) {
        each_cut(paths[i], read_and_drop);
        each_byte(paths[i], 200, read_and_drop);
        each_allocation(paths[i], read_and_drop);
    }
    /* Two gzip members: cut after the first, the array is not complete either. */
    each_cut(FIXTURE("two.idx.gz"), read_and_drop);
    each_byte(FIXTURE("two.idx.gz"), 200, read_and_drop);
}

/* Where Debian's dataset-fashion-mnist is installed: 60,000 images, sums known from NumPy. */
static void test_fashion_mnist(void **state)
{
    (void)state;
    const char *path = "/usr/share/datasets/fashion-mnist/t10k-labels-idx1-ubyte.gz";
    inarch_error err;
    ia_array a;
    FILE *there = fopen(path, "rb");
    if (!there) {
        print_message("dataset-fashion-mnist is not installed\n");
        skip();
    }
    fclose(there);
    assert_ok(read_file(path, &a, &err), err);
    assert_int_equal(ia_array_count(&a), 10000);
    size_t counts[10] = {0};
    for (size_t i = 0; i < 10000; i++)
        counts[((const uint8_t *)ia_array_data(&a))[i]]++;
    for (size_t k = 0; k < 10; k++)
        assert_int_equal(counts[k], 1000);
    ia_array_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_fashion_mnist),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
