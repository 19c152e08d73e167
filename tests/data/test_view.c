/* Views, splits, shuffles, batches, sources, moments, and fitting a model. */
#include "data_test.h"

#include "containers/zip.h"

#include <math.h>

/* Ten rows: x = (10 r, 10 r + 1), y = r. */
static ia_data *ten_rows(void)
{
    char text[400] = "a,b,y\n";
    for (int r = 0; r < 10; r++)
        sprintf(text + strlen(text), "%d,%d,%d\n", 10 * r, 10 * r + 1, r);
    return text_data(text, "y");
}

/* ---- rows ---- */

static void test_views(void **state)
{
    (void)state;
    inarch_error err;
    ia_data *d = ten_rows(), *slice, *picked, *inner;
    assert_ok(ia_data_slice(d, 3, 4, &slice, &err), err);
    assert_ok(ia_data_select(slice, (const uint64_t[]){3, 0, 3}, 3, &picked, &err), err);
    assert_ok(ia_data_slice(picked, 1, 2, &inner, &err), err);
    check_target(slice, 0, 4, (const float[]){3, 4, 5, 6});
    check_target(picked, 0, 3, (const float[]){6, 3, 6});
    check_input(inner, 0, 2, (const float[]){30, 31, 60, 61});
    assert_int_equal(ia_data_source_row(inner, 1), 6);
    assert_int_equal(ia_data_source_rows(inner), 10);
    assert_true(ia_data_same_source(d, inner));
    check_message(ia_data_slice(slice, 2, 3, &inner, &err), INARCH_BAD_ARGUMENT,
                  "rows 2 to 5 were asked for, but 't.csv' has 4", "", err);
    check_message(ia_data_select(slice, (const uint64_t[]){4}, 1, &inner, &err),
                  INARCH_BAD_ARGUMENT, "row 4 was asked for, but 't.csv' has 4", "", err);
    ia_data *nested;
    assert_ok(ia_data_slice(slice, 1, 2, &nested, &err), err); /* a slice of a slice */
    check_target(nested, 0, 2, (const float[]){4, 5});
    size_t follow;
    const float *memory = ia_data_peek(nested, 0, 1, &follow);
    assert_true(memory[0] == 50 && follow == 1); /* rows of the view only */
    ia_data_free(nested);
    ia_data_free(d); /* views live on */
    ia_data_free(slice);
    check_input(picked, 0, 1, (const float[]){60, 61});
    ia_data_free(picked);
    ia_data_free(inner);
}

static void test_gather_rows(void **state)
{
    (void)state;
    inarch_error err;
    float x[8], y[4], w[4];
    const uint64_t rows[] = {9, 2, 3, 3};
    ia_data *d = ten_rows();
    float *const inputs[] = {x}, *const targets[] = {y};
    assert_ok(ia_data_gather_batch(d, rows, 4, inputs, targets, w, &err), err);
    const float want[] = {90, 91, 20, 21, 30, 31, 30, 31};
    assert_memory_equal(x, want, sizeof want);
    assert_true(y[0] == 9 && y[1] == 2 && y[2] == 3 && y[3] == 3);
    assert_true(w[0] == 1 && w[3] == 1);
    ia_data_free(d);
}

/* ---- splits: int(math.floor(n * (1. - s))) by Python ---- */

static void test_split(void **state)
{
    (void)state;
    static const struct {
        size_t n;
        double share;
        size_t train;
    } cases[] = {{10, 0.2, 8}, {10, 0.25, 7}, {10, 0.7, 3}, {3, 0.34, 1},    {1000, 0.1, 900},
                 {10, 0.1, 9}, {70, 0.3, 49}, {10, 0.4, 6}, {1000, 0.999, 1}};
    for (size_t i = 0; i < IA_COUNT(cases); i++) {
        inarch_error err;
        ia_data *train, *validation;
        char *text = malloc(cases[i].n * 8 + 8);
        strcpy(text, "a\n");
        size_t len = 2;
        for (size_t r = 0; r < cases[i].n; r++)
            len += (size_t)sprintf(text + len, "%zu\n", r);
        ia_data *d = text_data(text, NULL);
        free(text);
        assert_ok(ia_data_split(d, cases[i].share, &train, &validation, &err), err);
        assert_int_equal(ia_data_rows(train), cases[i].train);
        assert_int_equal(ia_data_rows(validation), cases[i].n - cases[i].train);
        check_input(validation, 0, 1, (const float[]){(float)cases[i].train}); /* the tail */
        ia_data_free(d);
        ia_data_free(train);
        ia_data_free(validation);
    }
}

static void test_split_leaves_none(void **state)
{
    (void)state;
    inarch_error err;
    ia_data *d = ten_rows(), *train, *validation;
    check_message(ia_data_split(d, 0.9, &train, &validation, &err), INARCH_BAD_ARGUMENT,
                  "a validation split of 0.9 leaves no row to train on: 't.csv' has 10 rows",
                  "choose another share, or give validation data of their own", err);
    check_message(ia_data_split(d, 1e-20, &train, &validation, &err), INARCH_BAD_ARGUMENT,
                  "a validation split of 1e-20 leaves no row to validate on: 't.csv' has 10 rows",
                  "choose another share, or give validation data of their own", err);
    static const double wrong[] = {0, 1, -0.5, 2, (double)NAN};
    for (size_t i = 0; i < IA_COUNT(wrong); i++)
        assert_int_equal(ia_data_split(d, wrong[i], &train, &validation, &err),
                         INARCH_BAD_ARGUMENT);
    check_message(ia_data_split(d, 1, &train, &validation, &err), INARCH_BAD_ARGUMENT,
                  "a validation split is between 0 and 1, not 1",
                  "0.2 keeps the last fifth for validation", err);
    ia_data_free(d);
}

static void test_shuffle(void **state)
{
    (void)state;
    enum { N = 1000 };
    uint64_t a[N], b[N], c[N];
    char seen[N] = {0};
    ia_data_shuffle(a, N, 1, 0);
    ia_data_shuffle(b, N, 1, 0);
    assert_memory_equal(a, b, sizeof a);
    ia_data_shuffle(b, N, 1, 1);
    ia_data_shuffle(c, N, 2, 0);
    assert_memory_not_equal(a, b, sizeof a);
    assert_memory_not_equal(a, c, sizeof a);
    size_t fixed = 0;
    for (size_t i = 0; i < N; i++) {
        assert_true(a[i] < N && !seen[a[i]]);
        seen[a[i]] = 1;
        fixed += a[i] == i;
    }
    assert_true(fixed < 10); /* one is expected */
    ia_data_shuffle(a, 0, 1, 0);
    ia_data_shuffle(a, 1, 1, 0);
    assert_int_equal(a[0], 0);
}

/* ---- a model's columns, inputs, shapes ---- */

static void test_align(void **state)
{
    (void)state;
    inarch_error err;
    size_t n;
    ia_data *d = text_data("a,b,c,d\n1,2,3,4\n5,6,7,8\n", NULL), *view;
    assert_ok(ia_data_align_columns(d, (const char *const[]){"d", "a", "b"}, 3, &err), err);
    check_input(d, 0, 2, (const float[]){4, 1, 2, 8, 5, 6});
    assert_null(ia_data_peek(d, 0, 0, &n));
    assert_ok(ia_data_slice(d, 1, 1, &view, &err), err);
    assert_ok(ia_data_align_columns(view, (const char *const[]){"b", "d"}, 2, &err), err);
    check_input(view, 0, 1, (const float[]){6, 8}); /* picked from what was picked */
    assert_string_equal(ia_data_columns(view, &n)[1], "d");
    assert_int_equal(n, 2);
    check_message(ia_data_align_columns(view, (const char *const[]){"a", "b", "zip"}, 3, &err),
                  INARCH_NOT_FOUND,
                  "'t.csv' lacks the columns 'a', 'zip', which the model was trained on",
                  "its columns are 'b', 'd'", err);
    check_message(ia_data_align_columns(view, (const char *const[]){"d", "x"}, 2, &err),
                  INARCH_NOT_FOUND, "'t.csv' lacks the column 'x', which the model was trained on",
                  "its columns are 'b', 'd'", err);
    check_input(view, 0, 1, (const float[]){6, 8}); /* unchanged by the failure */
    ia_data_free(view);
    ia_data_free(d);
    d = text_data("1,2\n3,4\n", NULL);
    assert_ok(ia_data_align_columns(d, (const char *const[]){"d", "a"}, 2, &err), err);
    check_message(ia_data_align_columns(d, (const char *const[]){"d", "a", "b"}, 3, &err),
                  INARCH_BAD_DATA,
                  "the model was trained on 3 columns, but 't.csv' has 2 and no names for them",
                  "a CSV file with a header is aligned by its names", err);
    ia_data_free(d);
}

static ia_data *rows_of(int rank, const int64_t *dim)
{
    inarch_error err;
    ia_data *d;
    ia_array a;
    const ia_shape shape = ia_shape_of(rank, dim);
    assert_ok(ia_data_new("mem", &d, &err), err);
    assert_ok(ia_array_new(IA_U8, &shape, "x", &a, &err), err);
    assert_ok(ia_data_add_input(d, "x", &a, &err), err);
    ia_array_release(&a);
    return d;
}

static void check_fit(const ia_data *d, int rank, const int64_t *dim, const int64_t *want)
{
    inarch_error err;
    ia_shape fitted;
    const ia_shape shape = ia_shape_of(rank, dim), expected = ia_shape_of(rank, want);
    assert_ok(ia_data_fit_input(d, 0, "in", &shape, &fitted, &err), err);
    assert_true(ia_shape_equal(&fitted, &expected));
}

static void test_fit_input(void **state)
{
    (void)state;
    inarch_error err;
    const int64_t flat[] = {784}, square[] = {28, 28}, deep[] = {28, 28, 1}, open[] = {-1, 28},
                  both[] = {-1, -1};
    static const int64_t rows[3][4] = {{2, 784}, {2, 28, 28}, {2, 28, 28, 1}};
    for (int i = 0; i < 3; i++) {
        ia_data *d = rows_of(2 + i, rows[i]);
        check_fit(d, 1, flat, flat);
        check_fit(d, 2, square, square);
        check_fit(d, 3, deep, deep);
        check_fit(d, 2, open, square);
        if (i == 1)
            check_fit(d, 2, both, square);
        ia_data_free(d);
    }
    ia_data *d = rows_of(2, (const int64_t[]){2, 64});
    const ia_shape in = ia_shape_of(2, square), all = ia_shape_of(2, both);
    check_message(ia_data_fit_input(d, 0, "dense_input", &in, NULL, &err), INARCH_BAD_DATA,
                  "input 'dense_input' takes 784 numbers a row (28, 28), but the data have 64", "",
                  err);
    check_message(ia_data_fit_input(d, 0, "dense_input", &all, NULL, &err), INARCH_BAD_DATA,
                  "input 'dense_input' takes rows of shape (None, None), but the data have 64", "",
                  err);
    ia_data_free(d);
    d = rows_of(3, (const int64_t[]){2, 8, 8});
    const ia_shape ten = ia_shape_1(10);
    check_message(ia_data_fit_input(d, 0, "in", &ten, NULL, &err), INARCH_BAD_DATA,
                  "input 'in' takes 10 numbers a row, but the data have 64 (8, 8)", "", err);
    ia_data_free(d);
    d = text_data("a,b\n1,2\n", NULL);
    check_message(ia_data_fit_input(d, 0, "in", &ten, NULL, &err), INARCH_BAD_DATA,
                  "input 'in' takes 10 numbers a row, but the data have 2",
                  "the columns are 'a', 'b'", err);
    ia_data_free(d);
}

static void test_bind_counts(void **state)
{
    (void)state;
    inarch_error err;
    ia_data *d = ten_rows();
    const char *const two[] = {"left", "right"};
    assert_ok(ia_data_bind_inputs(d, two, 1, &err), err);
    check_message(ia_data_bind_inputs(d, two, 2, &err), INARCH_BAD_DATA,
                  "the model has 2 inputs ('left', 'right'), but 't.csv' has 1 ('x')",
                  "in an .npz they are called x0, x1, ... or as the model's inputs", err);
    check_message(ia_data_bind_targets(d, two, 2, &err), INARCH_BAD_DATA,
                  "the model has 2 outputs ('left', 'right'), but 't.csv' has labels for 1",
                  "in an .npz they are called y0, y1, ... or as the model's outputs", err);
    ia_data_free(d);
    d = text_data("a\n1\n", NULL);
    check_message(ia_data_bind_targets(d, two, 1, &err), INARCH_BAD_DATA,
                  "the model has 1 output ('left'), but 't.csv' has labels for 0",
                  "labels are y in an .npz, or --labels", err);
    ia_data_free(d);
}

static void test_memory(void **state)
{
    (void)state;
    inarch_error err;
    ia_data *d = rows_of(2, (const int64_t[]){3, 2});
    ia_array y = {.dtype = IA_F32, .shape = ia_shape_1(2)},
             zeros = {.dtype = IA_I32, .shape = ia_shape_1(3)};
    check_message(ia_data_add_target(d, "y", &y, &err), INARCH_BAD_DATA,
                  "'mem': x has 3 rows, but y has 2", "", err);
    assert_int_equal(ia_data_targets(d), 0);
    assert_ok(ia_data_add_target(d, "y", &zeros, &err), err); /* without a buffer: zeros */
    check_target(d, 0, 3, (const float[]){0, 0, 0});
    assert_ok(ia_data_set_columns(d, (const char *const[]){"p", "q"}, 2, &err), err);
    assert_ok(ia_data_align_columns(d, (const char *const[]){"q"}, 1, &err), err);
    assert_int_equal(ia_data_input_count(d, 0), 1);
    ia_data_free(d);
    assert_ok(ia_data_new("mem", &d, &err), err);
    check_message(ia_data_check(d, true, &err), INARCH_BAD_DATA, "'mem' has no rows", "", err);
    ia_data_free(d);
}

/* ---- a source ---- */

static inarch_status fill(void *context, const uint64_t *rows, size_t n, float *const *inputs,
                          float *const *targets, float *weights, inarch_error *err)
{
    size_t *calls = context;
    (void)err;
    ++*calls;
    for (size_t i = 0; i < n; i++) {
        if (rows[i] == 77)
            return INARCH_IO;
        if (inputs[0])
            inputs[0][2 * i] = inputs[0][2 * i + 1] = rows[i] == 66 ? NAN : (float)rows[i];
        if (inputs[1])
            inputs[1][i] = -(float)rows[i];
        if (targets[0])
            targets[0][i] = (float)(rows[i] % 5);
        if (weights)
            weights[i] = 0.5f;
    }
    return INARCH_OK;
}

static void test_source(void **state)
{
    (void)state;
    inarch_error err;
    size_t calls = 0;
    const ia_shape shapes[] = {ia_shape_1(2), ia_shape_1(1)}, single = {.rank = 0};
    const char *const names[] = {"p", "q"}, *const swapped[] = {"q", "p"};
    const ia_data_source source = {.context = &calls,
                                   .rows = 5000,
                                   .inputs = 2,
                                   .targets = 1,
                                   .input_names = names,
                                   .input_shapes = shapes,
                                   .target_shapes = &single,
                                   .weighted = 1,
                                   .fill = fill};
    ia_data *d, *view;
    assert_ok(ia_data_from_source(&source, &d, &err), err);
    assert_ok(ia_data_slice(d, 100, 3000, &view, &err), err);
    ia_data_free(d);
    assert_ok(ia_data_bind_inputs(view, swapped, 2, &err), err);
    float *x0 = malloc(3000 * sizeof *x0), *x1 = malloc(6000 * sizeof *x1), y[3], w[3];
    float *const inputs[] = {x0, x1}, *const none[] = {NULL, NULL}, *const targets[] = {y};
    assert_ok(ia_data_gather_batch(view, NULL, 3000, inputs, NULL, NULL, &err), err);
    assert_int_equal(calls, 3); /* pieces of 1024 */
    for (int r = 0; r < 3000; r++)
        assert_true(x0[r] == -(float)(r + 100) && x1[2 * r + 1] == (float)(r + 100));
    free(x0);
    free(x1);
    assert_ok(ia_data_gather_batch(view, (const uint64_t[]){3, 0, 2}, 3, none, targets, w, &err),
              err);
    assert_true(y[0] == 3 && y[1] == 0 && y[2] == 2 && w[0] == 0.5f);
    check_message(ia_data_encode(view, 0, NULL, 0, &err), INARCH_BAD_ARGUMENT,
                  "the classes of a source of rows cannot be learnt: give their number", "", err);
    assert_ok(ia_data_encode(view, 0, NULL, 3, &err), err);
    check_message(ia_data_gather_target(view, (const uint64_t[]){4}, 1, 0, y, &err),
                  INARCH_BAD_DATA,
                  "the source of rows gave label 4 in row 104; the 3 classes are 0 to 2", "", err);
    ia_data_free(view);
}

static void test_source_fails(void **state)
{
    (void)state;
    inarch_error err;
    size_t calls = 0;
    float x[4];
    const ia_shape shapes[] = {ia_shape_1(2), ia_shape_1(1)};
    ia_data_source source = {
        .context = &calls, .rows = 100, .inputs = 2, .input_shapes = shapes, .fill = fill};
    ia_data *d;
    assert_ok(ia_data_from_source(&source, &d, &err), err);
    assert_int_equal(ia_data_gather(d, (const uint64_t[]){1, 77}, 2, 0, x, &err), INARCH_IO);
    check_message(ia_data_gather(d, (const uint64_t[]){1, 66}, 2, 0, x, &err), INARCH_BAD_DATA,
                  "the source of rows gave nan in row 66 of 'x0'", "", err);
    ia_data_free(d);
    source.fill = NULL;
    check_message(ia_data_from_source(&source, &d, &err), INARCH_BAD_ARGUMENT,
                  "a source of rows needs a callback and 1 to 64 inputs", "", err);
}

/* ---- moments ---- */

static void test_moments(void **state)
{
    (void)state;
    inarch_error err;
    double mean[3], variance[3], want_mean[3], want_variance[3];
    ia_input in;
    ia_zip *z;
    assert_ok(ia_input_open(FIXTURE("moments.npz"), &in, &err), err);
    assert_ok(ia_zip_open(&in, &z, &err), err);
    for (int k = 0; k < 2; k++) {
        size_t member;
        ia_stream s;
        ia_array a;
        assert_true(ia_zip_find(z, k ? "var.npy" : "mean.npy", &member));
        assert_ok(ia_zip_stream(z, member, &s, &err), err);
        assert_ok(ia_npy_read_array(&s, &a, &err), err);
        memcpy(k ? want_variance : want_mean, ia_array_data(&a), sizeof want_mean);
        ia_array_release(&a);
        ia_stream_close(&s);
    }
    ia_zip_close(z);
    ia_input_close(&in);
    ia_data *d = file_data(FIXTURE("moments.npz"), NULL);
    assert_ok(ia_data_moments(d, 0, NULL, 200, mean, variance, &err), err);
    for (int c = 0; c < 3; c++) {
        assert_near(mean[c] / want_mean[c], 1, 1e-14);
        assert_near(variance[c] / want_variance[c], 1, 1e-14);
    }
    /* Only the rows given. */
    assert_ok(ia_data_moments(d, 0, (const uint64_t[]){5}, 1, mean, variance, &err), err);
    assert_near(variance[0], 0, 0);
    ia_data_free(d);
    d = text_data("a\n1\n", NULL);
    check_message(ia_data_moments(d, 0, NULL, 0, mean, variance, &err), INARCH_BAD_DATA,
                  "'t.csv' has no rows to standardize by", "", err);
    ia_data_free(d);
}

/* The order of the additions is the law's: blocks of 64, then an aligned tree. Powers of two far
 * apart make any other order show. */
static void test_moments_order(void **state)
{
    (void)state;
    enum { N = 64 * 6 + 5 };
    inarch_error err;
    ia_data *d;
    ia_array a;
    double v[N], block[7] = {0}, mean, variance;
    const ia_shape shape = ia_shape_of(2, (const int64_t[]){N, 1});
    for (int i = 0; i < N; i++) {
        v[i] = ldexp(i % 2 ? 1 : -1, (i * 37) % 60) * (1 + i);
        block[i / 64] += v[i];
    }
    double left = (block[0] + block[1]) + (block[2] + block[3]);
    double right = (block[4] + block[5]) + block[6];
    assert_ok(ia_data_new("mem", &d, &err), err);
    assert_ok(ia_array_new(IA_F64, &shape, "x", &a, &err), err);
    memcpy(ia_array_mutable(&a), v, sizeof v);
    assert_ok(ia_data_add_input(d, "x", &a, &err), err);
    ia_array_release(&a);
    assert_ok(ia_data_moments(d, 0, NULL, N, &mean, &variance, &err), err);
    assert_true(mean == (left + right) / N);
    ia_data_free(d);
}

/* ---- every allocation of all of this fails once ---- */

static inarch_status use_all(const ia_input *in, inarch_error *err)
{
    inarch_status status;
    ia_data *d = NULL, *train = NULL, *validation = NULL, *few = NULL;
    ia_data_options o = {.labels = "y"};
    double mean[2], variance[2], weight[2];
    IA_TRY_GOTO(ia_data_open_csv(in, "t.csv", &o, &d, err));
    IA_TRY_GOTO(ia_data_align_columns(d, (const char *const[]){"b", "a"}, 2, err));
    IA_TRY_GOTO(ia_data_bind_inputs(d, (const char *const[]){"in"}, 1, err));
    IA_TRY_GOTO(ia_data_encode(d, 0, (const char *const[]){"0", "1"}, 2, err));
    IA_TRY_GOTO(ia_data_balanced(d, 0, weight, 2, err));
    IA_TRY_GOTO(ia_data_set_class_weights(d, 0, weight, 2, err));
    IA_TRY_GOTO(ia_data_split(d, 0.5, &train, &validation, err));
    IA_TRY_GOTO(ia_data_select(train, (const uint64_t[]){1, 0}, 2, &few, err));
    IA_TRY_GOTO(ia_data_moments(few, 0, NULL, 2, mean, variance, err));
    assert_near(mean[1], 2, 0);
done:
    ia_data_free(few);
    ia_data_free(train);
    ia_data_free(validation);
    ia_data_free(d);
    return status;
}

static void test_allocations(void **state)
{
    (void)state;
    inarch_error err;
    const char text[] = "a,b,y\n1,2,0\n3,4,1\n5,6,1\n7,8,0\n";
    assert_ok(ia_output_file("inarch_test_view.csv", text, sizeof text - 1, &err), err);
    each_allocation("inarch_test_view.csv", use_all);
    remove("inarch_test_view.csv");
}

static inarch_status make_source(const ia_input *in, inarch_error *err)
{
    const ia_shape shapes[] = {ia_shape_1(2), ia_shape_1(1)};
    size_t calls = 0;
    const ia_data_source source = {.context = &calls,
                                   .rows = 100,
                                   .inputs = 2,
                                   .targets = 2,
                                   .input_shapes = shapes,
                                   .target_shapes = shapes,
                                   .fill = fill};
    ia_data *d;
    (void)in;
    IA_TRY(ia_data_from_source(&source, &d, err));
    ia_data_free(d);
    return INARCH_OK;
}

static void test_source_allocations(void **state)
{
    (void)state;
    each_allocation(FIXTURE("xy.npz"), make_source);
}

/* What is wrong in a row matters where the row is used. */
static void test_faults_left_out(void **state)
{
    (void)state;
    inarch_error err;
    ia_data *d = text_data("age,city,kind\n1,2,cat\n3,,dog\n5,6,cat\n", "kind"), *v;
    assert_int_equal(ia_data_check(d, true, &err), INARCH_BAD_DATA);
    assert_string_equal(err.message, "'t.csv': row 2 (line 3), column 'city' is missing");
    const uint64_t good[] = {2, 0}, bad[] = {0, 1};
    assert_ok(ia_data_select(d, good, 2, &v, &err), err);
    assert_ok(ia_data_check(v, true, &err), err);
    ia_data_free(v);
    assert_ok(ia_data_select(d, bad, 2, &v, &err), err);
    assert_int_equal(ia_data_check(v, true, &err), INARCH_BAD_DATA);
    ia_data_free(v);
    assert_ok(ia_data_only(d, 0, "cat", 0, &v, &err), err);
    assert_ok(ia_data_check(v, true, &err), err);
    ia_data_free(v);
    ia_data_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults_left_out),
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_gather_rows),
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_split_leaves_none),
        cmocka_unit_test(test_shuffle),
        cmocka_unit_test(test_align),
        cmocka_unit_test(test_fit_input),
        cmocka_unit_test(test_bind_counts),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_source),
        cmocka_unit_test(test_source_fails),
        cmocka_unit_test(test_moments),
        cmocka_unit_test(test_moments_order),
        cmocka_unit_test(test_allocations),
        cmocka_unit_test(test_source_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
