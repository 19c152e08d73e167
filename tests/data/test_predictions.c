/* Predictions as CSV, .npy and .npz: exact text, and what our own readers find. */
#include "data_test.h"

#include "data/predictions.h"

#define OUT "inarch_test_predictions"

static void check_csv(const ia_predict_csv *p, const float *y, size_t rows, const char *want)
{
    inarch_error err;
    ia_output *o;
    uint8_t *text;
    size_t n;
    assert_ok(ia_output_open(OUT ".csv", &o, &err), err);
    assert_ok(ia_predict_csv_header(p, o, &err), err);
    for (size_t r = 0; r < rows; r++) /* in pieces of one row */
        assert_ok(ia_predict_csv_rows(p, y + r * p->columns, 1, o, &err), err);
    assert_ok(ia_output_commit(o, &err), err);
    load(OUT ".csv", &text, &n);
    assert_string_equal((const char *)text, want);
    ia_free(text);
    remove(OUT ".csv");
}

static void test_csv(void **state)
{
    (void)state;
    static const char *const names[] = {"cat", "a \"big\" dog", "x,y"};
    const float y[] = {0.25f, 0.5f, 0.25f, 0.1f, 0.1f, 0.1f};
    check_csv(&(ia_predict_csv){IA_PREDICT_ARGMAX, 3, names}, y, 2,
              "label,cat,\"a \"\"big\"\" dog\",\"x,y\"\n"
              "\"a \"\"big\"\" dog\",0.25,0.5,0.25\n"
              "cat,0.1,0.1,0.1\n");
    check_csv(&(ia_predict_csv){IA_PREDICT_ARGMAX, 3, NULL}, y, 1,
              "label,0,1,2\n1,0.25,0.5,0.25\n");
    const float p[] = {0.25f, 0.5f, 0.75f};
    check_csv(&(ia_predict_csv){IA_PREDICT_BINARY, 1, names}, p, 3,
              "label,cat,\"a \"\"big\"\" dog\"\n"
              "cat,0.75,0.25\ncat,0.5,0.5\n\"a \"\"big\"\" dog\",0.25,0.75\n");
    const float v[] = {-1.5f, 16777216, 3, 1e-7f};
    check_csv(&(ia_predict_csv){IA_PREDICT_NUMBERS, 1, NULL}, v, 2, "y\n-1.5\n16777216\n");
    check_csv(&(ia_predict_csv){IA_PREDICT_NUMBERS, 2, NULL}, v + 2, 1, "y0,y1\n3,1e-07\n");
}

static void test_csv_reads_back(void **state)
{
    (void)state;
    enum { ROWS = 3000 };
    inarch_error err;
    ia_output *o;
    float y[ROWS * 2], back[ROWS * 2];
    uint32_t bits = 1;
    for (size_t i = 0; i < ROWS * 2; i++) {
        bits = bits * 1664525 + 1013904223;
        uint32_t finite = (bits & 0x807fffffu) | (bits >> 24) % 200 << 23;
        memcpy(&y[i], &finite, sizeof finite);
    }
    const ia_predict_csv p = {IA_PREDICT_NUMBERS, 2, NULL};
    assert_ok(ia_output_open(OUT ".csv", &o, &err), err);
    assert_ok(ia_predict_csv_header(&p, o, &err), err);
    assert_ok(ia_predict_csv_rows(&p, y, ROWS, o, &err), err);
    assert_ok(ia_output_commit(o, &err), err);
    ia_data *d = file_data(OUT ".csv", NULL);
    assert_int_equal(ia_data_rows(d), ROWS);
    assert_ok(ia_data_gather(d, NULL, ROWS, 0, back, &err), err);
    assert_memory_equal(y, back, sizeof y);
    ia_data_free(d);
    remove(OUT ".csv");
}

static void test_npy_and_npz(void **state)
{
    (void)state;
    inarch_error err;
    const float y[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    const ia_shape pair = ia_shape_of(2, (const int64_t[]){2, 3}), single = ia_shape_1(1);
    assert_ok(ia_predict_npy(OUT ".npy", y, 2, &pair, &err), err);
    ia_data *d = file_data(OUT ".npy", NULL);
    assert_true(ia_shape_equal(ia_data_input_shape(d, 0), &pair));
    assert_int_equal(ia_data_input_dtype(d, 0), IA_F32);
    check_input(d, 0, 2, y);
    ia_data_free(d);
    remove(OUT ".npy");

    const float *const several[] = {y, y + 6};
    const ia_shape shapes[] = {pair, single};
    assert_ok(ia_predict_npz(OUT ".npz", several, 2, shapes, 2, &err), err);
    d = file_data(OUT ".npz", &(ia_data_options){.labels = "y1",
                                                 .input_names = (const char *const[]){"y0"},
                                                 .inputs = 1});
    check_input(d, 0, 2, y);
    check_target(d, 0, 2, (const float[]){7, 8});
    ia_data_free(d);
    remove(OUT ".npz");
    assert_int_equal(ia_predict_npy("no/such/folder.npy", y, 2, &pair, &err), INARCH_IO);
}

static inarch_status write_all(const ia_input *in, inarch_error *err)
{
    const float y[] = {1, 2, 3, 4};
    const float *const several[] = {y, y};
    const ia_shape shapes[] = {ia_shape_1(2), ia_shape_1(2)};
    (void)in;
    IA_TRY(ia_predict_npy(OUT ".npy", y, 2, shapes, err));
    return ia_predict_npz(OUT ".npz", several, 2, shapes, 2, err);
}

static void test_allocations(void **state)
{
    (void)state;
    each_allocation(FIXTURE("xy.npz"), write_all);
    remove(OUT ".npy");
    remove(OUT ".npz");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_csv_reads_back),
        cmocka_unit_test(test_npy_and_npz),
        cmocka_unit_test(test_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
