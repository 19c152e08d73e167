/* Opening files that NumPy wrote (tests/fixtures/data/make.py): keys, parts, labels in their own
 * file. */
#include "data_test.h"

#include <sys/stat.h>
#include <unistd.h>

/* x of the fixtures: six rows of four, k / 4. */
static float x[24];

static int set_up(void **state)
{
    (void)state;
    for (int k = 0; k < 24; k++)
        x[k] = (float)k / 4;
    return 0;
}

static const float y[] = {0, 1, 2, 0, 1, 2};

static char home[4096]; /* the folder the tests started in */

/* Messages show paths: these tests run beside the fixtures, so that they are short. */
static int beside_fixtures(void **state)
{
    (void)state;
    return getcwd(home, sizeof home) && chdir(FIXTURES "/data") == 0 ? 0 : -1;
}

static int back_home(void **state)
{
    (void)state;
    return chdir(home);
}

static void check_x_y(ia_data *d)
{
    inarch_error err;
    assert_int_equal(ia_data_rows(d), 6);
    assert_int_equal(ia_data_inputs(d), 1);
    assert_int_equal(ia_data_targets(d), 1);
    check_input(d, 0, 6, x);
    check_target(d, 0, 6, y);
    assert_ok(ia_data_check(d, true, &err), err);
    ia_data_free(d);
}

/* ---- .npz ---- */

static void test_npz(void **state)
{
    (void)state;
    char summary[200];
    ia_data *d = file_data(FIXTURE("xy.npz"), NULL);
    assert_string_equal(ia_data_kind(d, NULL, NULL), "npz");
    assert_int_equal(ia_data_input_dtype(d, 0), IA_F64);
    assert_string_equal(ia_data_summary(d, summary, sizeof summary),
                        "npz, 6 rows, float64 (4,), labels in 'y'");
    check_x_y(d);
    d = file_data(FIXTURE("x_only.npz"), NULL); /* X */
    assert_int_equal(ia_data_targets(d), 0);
    check_input(d, 0, 6, x);
    ia_data_free(d);
}

static void test_parts(void **state)
{
    (void)state;
    ia_data *d = file_data(FIXTURE("parts.npz"), NULL);
    assert_int_equal(ia_data_rows(d), 4);
    check_input(d, 0, 4, x);
    check_target(d, 0, 4, y);
    ia_data_free(d);
    d = file_data(FIXTURE("parts.npz"), &(ia_data_options){.part = IA_PART_TEST});
    assert_int_equal(ia_data_rows(d), 2);
    check_input(d, 0, 2, x + 16);
    check_target(d, 0, 2, y + 4);
    ia_data_free(d);
    d = file_data(FIXTURE("plain_and_test.npz"), NULL);
    assert_int_equal(ia_data_rows(d), 4);
    ia_data_free(d);
    d = file_data(FIXTURE("plain_and_test.npz"), &(ia_data_options){.part = IA_PART_TEST});
    assert_int_equal(ia_data_rows(d), 2);
    ia_data_free(d);
    /* Nobody asked for a part by name: all of it is the test. */
    d = file_data(FIXTURE("xy.npz"), &(ia_data_options){.part = IA_PART_TEST});
    check_x_y(d);
}

static void test_several(void **state)
{
    (void)state;
    inarch_error err;
    float first[6], rest[18], w[6];
    for (int r = 0; r < 6; r++) {
        first[r] = x[4 * r];
        memcpy(rest + 3 * r, x + 4 * r + 1, 3 * sizeof *rest);
    }
    ia_data *d = file_data(FIXTURE("several.npz"), NULL);
    assert_int_equal(ia_data_inputs(d), 2);
    assert_int_equal(ia_data_targets(d), 2);
    check_input(d, 0, 6, first);
    check_input(d, 1, 6, rest);
    check_target(d, 0, 6, y);
    check_target(d, 1, 6, first);
    assert_ok(ia_data_gather_weights(d, NULL, 6, 0, w, &err), err);
    for (int r = 0; r < 6; r++)
        assert_near(w[r], r / 2.0, 0);
    ia_data_free(d);

    const char *const names[] = {"right", "left"};
    d = file_data(FIXTURE("named.npz"), &(ia_data_options){.input_names = names, .inputs = 2});
    check_input(d, 0, 6, rest);
    check_input(d, 1, 6, first);
    ia_data_free(d);
    /* Opened without the model, bound to it later. */
    d = file_data(FIXTURE("named.npz"), NULL);
    assert_string_equal(ia_data_input_name(d, 0), "left");
    assert_ok(ia_data_bind_inputs(d, names, 2, &err), err);
    check_input(d, 0, 6, rest);
    check_input(d, 1, 6, first);
    ia_data_free(d);
    /* Labels by their key. */
    d = file_data(FIXTURE("several.npz"), &(ia_data_options){.labels = "y1"});
    assert_int_equal(ia_data_targets(d), 1);
    check_target(d, 0, 6, first);
    ia_data_free(d);
}

static void test_text_labels(void **state)
{
    (void)state;
    inarch_error err;
    ia_data *d = file_data(FIXTURE("text.npz"), NULL);
    assert_int_equal(ia_data_target_kind(d, 0), IA_TARGET_TEXT);
    assert_ok(ia_data_encode(d, 0, NULL, 0, &err), err);
    assert_string_equal(ia_data_class_names(d, 0)[2], "\xc3\xa4"); /* by bytes: a, b, ae */
    check_target(d, 0, 6, (const float[]){1, 0, 2, 1, 0, 2});
    ia_data_free(d);
}

/* ---- .npy and IDX ---- */

static void test_npy_and_idx(void **state)
{
    (void)state;
    inarch_error err;
    float w[6], images[24];
    ia_data_options o = {.labels = FIXTURE("y.npy"), .weights = FIXTURE("w.npy")};
    ia_data *d = file_data(FIXTURE("x.npy"), &o);
    assert_string_equal(ia_data_kind(d, NULL, NULL), "npy");
    assert_ok(ia_data_gather_weights(d, NULL, 6, 0, w, &err), err);
    assert_near(w[5], 6, 0);
    check_x_y(d);

    d = file_data(FIXTURE("x.npy"), &(ia_data_options){.labels = FIXTURE("one_hot.npy")});
    assert_int_equal(ia_data_target_count(d, 0), 3);
    check_target(d, 0, 2, (const float[]){1, 0, 0, 0, 1, 0});
    ia_data_free(d);

    for (int k = 0; k < 24; k++)
        images[k] = (float)k;
    d = file_data(FIXTURE("images.idx"), &(ia_data_options){.labels = FIXTURE("labels.idx")});
    assert_string_equal(ia_data_kind(d, NULL, NULL), "idx");
    assert_int_equal(ia_data_input_dtype(d, 0), IA_U8);
    assert_int_equal(ia_data_input_shape(d, 0)->rank, 2);
    check_input(d, 0, 6, images);
    check_target(d, 0, 6, y);
    size_t n;
    const uint8_t *pixels = ia_data_peek(d, 0, 2, &n);
    assert_int_equal(n, 4);
    assert_int_equal(pixels[0], 8);
    ia_data_free(d);
}

static void test_fashion_mnist(void **state)
{
    (void)state;
    const char *images = "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz";
    inarch_error err;
    if (access(images, R_OK) != 0) {
        print_message("dataset-fashion-mnist is not installed\n");
        skip();
    }
    ia_data_options o = {.labels = "/usr/share/datasets/fashion-mnist/t10k-labels-idx1-ubyte.gz"};
    ia_data *d = file_data(images, &o);
    size_t counts[10];
    const ia_shape flat = ia_shape_1(784);
    assert_int_equal(ia_data_rows(d), 10000);
    assert_ok(ia_data_fit_input(d, 0, "dense_input", &flat, NULL, &err), err);
    assert_ok(ia_data_encode(d, 0, NULL, 10, &err), err);
    assert_ok(ia_data_class_counts(d, 0, counts, &err), err);
    for (size_t k = 0; k < 10; k++)
        assert_int_equal(counts[k], 1000);
    ia_data_free(d);
}

/* ---- CSV from a file and from standard input ---- */

static void test_stdin(void **state)
{
    (void)state;
    inarch_error err;
    int keep = dup(STDIN_FILENO), ends[2];
    const char text[] = "a,b\n1,2\n3,4\n";
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], text, sizeof text - 1), sizeof text - 1);
    close(ends[1]);
    dup2(ends[0], STDIN_FILENO);
    ia_data *d = file_data("-", NULL);
    dup2(keep, STDIN_FILENO);
    close(keep);
    close(ends[0]);
    assert_string_equal(ia_data_name(d), "standard input");
    check_input(d, 0, 2, (const float[]){1, 2, 3, 4});
    assert_ok(ia_data_check(d, true, &err), err);
    ia_data_free(d);
}

/* ---- what is refused ---- */

typedef struct refusal {
    const char *file;
    ia_data_options o;
    inarch_status status;
    const char *message; /* behind the file's name */
    const char *hint;
} refusal;

static const refusal refusals[] = {
    {"xy.npz",
     {.part = IA_PART_TEST, .part_named = true},
     INARCH_NOT_FOUND,
     " has no parts, so no part 'test'",
     "its keys are x, y"},
    {"positional.npz",
     {.labels = NULL},
     INARCH_NOT_FOUND,
     " has no key 'x'",
     "save it with np.savez(file, x=..., y=...); its keys are arr_0, arr_1"},
    {"xy.npz", {.labels = "z"}, INARCH_NOT_FOUND, " has no key 'z'", "its keys are x, y"},
    {"xy.npz", {.drop = "z"}, INARCH_BAD_ARGUMENT, " has no columns to drop", ""},
    {"short_y.npz", {.labels = NULL}, INARCH_BAD_DATA, ": y has 5 rows, but x has 6", ""},
    {"text_x.npz",
     {.labels = NULL},
     INARCH_BAD_DATA,
     ": input 'x' holds text, not numbers",
     "columns of text are not encoded yet"},
    {"scalar.npz", {.labels = NULL}, INARCH_BAD_DATA, ": x is a single number and has no rows", ""},
    {"y_text.npy",
     {.labels = NULL},
     INARCH_BAD_DATA,
     " holds text, not numbers",
     "columns of text are not encoded yet"},
};

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < IA_COUNT(refusals); i++) {
        const refusal *r = &refusals[i];
        char want[400];
        inarch_error err = {0};
        ia_data *d;
        snprintf(want, sizeof want, "'%s'%s", r->file, r->message);
        check_message(ia_data_open(r->file, &r->o, &d, &err), r->status, want, r->hint, err);
    }
}

typedef struct content {
    const char *name, *bytes;
    inarch_status status;
    const char *message;
} content;

static const content contents[] = {
    {"f.npz", "", INARCH_BAD_DATA, "'f.npz' is empty"},
    {"f.npz", "PK", INARCH_BAD_FILE, "'f.npz' does not hold what its name says"},
    {"f.npz", "PK\3\4", INARCH_BAD_FILE, "'f.npz' is not a sound ZIP file: it has no end record"},
    {"f.npy", "1,2\n", INARCH_BAD_FILE, "'f.npy' does not hold what its name says"},
    {"f.csv", "\x89HDF\r\n\x1a\n", INARCH_UNSUPPORTED,
     "'f.csv' is an HDF5 file and cannot be read as data"},
    {"f.pkl", "\x80\x04\x95", INARCH_UNSUPPORTED,
     "'f.pkl' is a Python pickle and cannot be read as data"},
    {"f.gz", "\x1f\x8b", INARCH_BAD_FILE, "'f.gz' is cut short: its compressed data end early"},
};

static void test_contents(void **state)
{
    (void)state;
    for (size_t i = 0; i < IA_COUNT(contents); i++) {
        inarch_error err = {0};
        ia_data *d;
        assert_ok(
            ia_output_file(contents[i].name, contents[i].bytes, strlen(contents[i].bytes), &err),
            err);
        assert_int_equal(ia_data_open(contents[i].name, NULL, &d, &err), contents[i].status);
        assert_string_equal(err.message, contents[i].message);
        remove(contents[i].name);
    }
}

static void test_paths(void **state)
{
    (void)state;
    inarch_error err;
    ia_data *d;
    assert_int_equal(ia_data_open("no/such.npz", NULL, &d, &err), INARCH_IO);
    check_message(ia_data_open(".", NULL, &d, &err), INARCH_UNSUPPORTED,
                  "'.' is a folder; folders of images are not read yet",
                  "make an .npz of the images", err);
    assert_int_equal(ia_data_open("x.npy", &(ia_data_options){.labels = "none.npy"}, &d, &err),
                     INARCH_IO);
    check_message(ia_data_open("x.npy", &(ia_data_options){.labels = "xy.npz"}, &d, &err),
                  INARCH_BAD_FILE, "'xy.npz' cannot be read as labels", "give an .npy or IDX file",
                  err);
}

/* ---- values ---- */

static void test_values(void **state)
{
    (void)state;
    inarch_error err;
    ia_data *d = file_data("nan.npz", NULL), *view;
    check_message(ia_data_check(d, true, &err), INARCH_BAD_DATA, "'nan.npz': x[4, 1, 1] is nan",
                  "replace it, or remove the row", err);
    assert_ok(ia_data_slice(d, 0, 4, &view, &err), err); /* the row is not in it */
    assert_ok(ia_data_check(view, true, &err), err);
    ia_data_free(view);
    assert_ok(ia_data_select(d, (const uint64_t[]){0, 4}, 2, &view, &err), err);
    assert_int_equal(ia_data_check(view, true, &err), INARCH_BAD_DATA);
    ia_data_free(view);
    ia_data_free(d);
    d = file_data("big.npz", NULL);
    check_message(ia_data_check(d, true, &err), INARCH_BAD_DATA,
                  "'big.npz': x[0, 1] is 1e+300, too large for float32", "", err);
    ia_data_free(d);
    d = file_data("weights_bad.npz", NULL);
    check_message(ia_data_check(d, true, &err), INARCH_BAD_DATA,
                  "'weights_bad.npz': sample_weight[2] is -0.5; weights are 0 or more", "", err);
    assert_ok(ia_data_check(d, false, &err), err);
    ia_data_free(d);
}

/* ---- damage ---- */

static inarch_status read_npz(const ia_input *in, inarch_error *err)
{
    ia_data *d;
    const ia_data_options o = {.part = IA_PART_TRAIN};
    IA_TRY(ia_data_open_npz(in, &o, &d, err));
    inarch_status status = ia_data_check(d, true, err);
    for (size_t t = 0; t < ia_data_targets(d) && status == INARCH_OK; t++)
        status = ia_data_encode(d, t, NULL, 0, err);
    ia_data_free(d);
    return status;
}

static void test_damage(void **state)
{
    (void)state;
    each_cut("text.npz", read_npz);
    each_byte("text.npz", 2000, read_npz);
    each_allocation("text.npz", read_npz);
    each_cut("parts.npz", read_npz);
    each_byte("parts.npz", 2000, read_npz);
    each_allocation("parts.npz", read_npz);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_npz),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_several),
        cmocka_unit_test(test_text_labels),
        cmocka_unit_test(test_npy_and_idx),
        cmocka_unit_test(test_fashion_mnist),
        cmocka_unit_test(test_stdin),
        cmocka_unit_test(test_contents),
        cmocka_unit_test_setup_teardown(test_refusals, beside_fixtures, back_home),
        cmocka_unit_test_setup_teardown(test_paths, beside_fixtures, back_home),
        cmocka_unit_test_setup_teardown(test_values, beside_fixtures, back_home),
        cmocka_unit_test_setup_teardown(test_damage, beside_fixtures, back_home),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
