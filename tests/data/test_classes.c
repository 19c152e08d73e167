/* Labels as classes: learnt, counted, looked up among a model's. */
#include "data_test.h"

static ia_data *labelled(const char *const *text, size_t n)
{
    inarch_error err;
    ia_data *d;
    ia_array x;
    const ia_shape shape = ia_shape_of(2, (const int64_t[]){(int64_t)n, 1});
    assert_ok(ia_data_new("mem", &d, &err), err);
    assert_ok(ia_array_new(IA_F32, &shape, "x", &x, &err), err);
    assert_ok(ia_data_add_input(d, "x", &x, &err), err);
    ia_array_release(&x);
    assert_ok(ia_data_add_text(d, "y", text, n, &err), err);
    return d;
}

static ia_data *numbered(const double *labels, size_t n, size_t width)
{
    inarch_error err;
    ia_data *d;
    ia_array a;
    const ia_shape shape = ia_shape_of(2, (const int64_t[]){(int64_t)n, (int64_t)width});
    assert_ok(ia_data_new("mem", &d, &err), err);
    assert_ok(ia_array_new(IA_F64, &shape, "a", &a, &err), err);
    assert_ok(ia_data_add_input(d, "x", &a, &err), err);
    ia_array_release(&a);
    assert_ok(ia_array_new(IA_F64, &shape, "a", &a, &err), err);
    memcpy(ia_array_mutable(&a), labels, n * width * sizeof *labels);
    assert_ok(ia_data_add_target(d, "y", &a, &err), err);
    ia_array_release(&a);
    return d;
}

static void check_names(const ia_data *d, size_t n, const char *const *want)
{
    const char *const *names = ia_data_class_names(d, 0);
    assert_int_equal(ia_data_classes(d, 0), n);
    if (!want) {
        assert_null(names);
        return;
    }
    for (size_t k = 0; k < n; k++)
        assert_string_equal(names[k], want[k]);
}

/* ---- learning ---- */

static void test_learn_text(void **state)
{
    (void)state;
    inarch_error err;
    ia_data *d = labelled((const char *const[]){"dog", "cat", "Zebra", "cat"}, 4);
    assert_int_equal(ia_data_classes(d, 0), 0);
    assert_ok(ia_data_encode(d, 0, NULL, 0, &err), err);
    assert_int_equal(ia_data_target_kind(d, 0), IA_TARGET_CLASSES);
    check_names(d, 3, (const char *const[]){"Zebra", "cat", "dog"}); /* bytes: capitals first */
    check_target(d, 0, 4, (const float[]){2, 1, 0, 1});
    ia_data_free(d);
    /* As strings these would be 1, 10, 2: the order of Keras folders nobody wants. */
    d = labelled((const char *const[]){"10", "2", "1", "-3"}, 4);
    assert_ok(ia_data_encode(d, 0, NULL, 0, &err), err);
    check_names(d, 4, (const char *const[]){"-3", "1", "2", "10"});
    check_target(d, 0, 4, (const float[]){3, 2, 1, 0});
    ia_data_free(d);
}

static void test_learn_numbers(void **state)
{
    (void)state;
    inarch_error err;
    ia_data *d = numbered((const double[]){2, 0, 1, 2}, 4, 1);
    assert_ok(ia_data_encode(d, 0, NULL, 0, &err), err);
    check_names(d, 3, NULL);
    check_target(d, 0, 4, (const float[]){2, 0, 1, 2});
    assert_int_equal(ia_data_target_shape(d, 0)->rank, 0); /* was (1,) */
    ia_data_free(d);
    d = numbered((const double[]){10, 2, 10, -1}, 4, 1);
    assert_ok(ia_data_encode(d, 0, NULL, 0, &err), err);
    check_names(d, 3, (const char *const[]){"-1", "2", "10"});
    check_target(d, 0, 4, (const float[]){2, 1, 2, 0});
    ia_data_free(d);
    d = numbered((const double[]){1, 2, 3}, 3, 1); /* not from 0 */
    assert_ok(ia_data_encode(d, 0, NULL, 0, &err), err);
    check_names(d, 3, (const char *const[]){"1", "2", "3"});
    check_target(d, 0, 3, (const float[]){0, 1, 2});
    ia_data_free(d);
    d = numbered((const double[]){0, 1.5, 3}, 3, 1);
    check_message(ia_data_encode(d, 0, NULL, 0, &err), INARCH_BAD_DATA,
                  "'mem': label 1.5 (y[1]) is not a whole number",
                  "labels of classes are whole numbers or text; for values use a loss such as mse",
                  err);
    check_target(d, 0, 3, (const float[]){0, 1.5f, 3}); /* unchanged by the failure */
    ia_data_free(d);
}

static void test_too_many(void **state)
{
    (void)state;
    enum { N = IA_DATA_MAX_CLASSES + 1 };
    inarch_error err;
    double *v = malloc(N * sizeof *v);
    for (size_t i = 0; i < N; i++)
        v[i] = (double)(N - i) * 3;
    ia_data *d = numbered(v, N, 1);
    check_message(ia_data_encode(d, 0, NULL, 0, &err), INARCH_LIMIT,
                  "'mem' has more than 65536 different labels",
                  "are these values rather than classes? then use a loss such as mse", err);
    ia_data_free(d);
    d = numbered(v, N - 1, 1); /* as many as may be */
    assert_ok(ia_data_encode(d, 0, NULL, 0, &err), err);
    assert_int_equal(ia_data_classes(d, 0), N - 1);
    check_target(d, 0, 2, (const float[]){65535, 65534});
    ia_data_free(d);
    free(v);
}

/* ---- a model's classes ---- */

static const char *const animals[] = {"dog", "cat", "bird"};
static const char *const digits[] = {"10", "2", "7"};

static void test_known_text(void **state)
{
    (void)state;
    inarch_error err;
    ia_data *d = labelled((const char *const[]){"cat", "dog", "cat"}, 3);
    assert_ok(ia_data_encode(d, 0, animals, 3, &err), err);
    check_names(d, 3, animals);
    check_target(d, 0, 3, (const float[]){1, 0, 1});
    ia_data_free(d);
    d = labelled((const char *const[]){"cat", "fish", "cat"}, 3);
    check_message(ia_data_encode(d, 0, animals, 3, &err), INARCH_BAD_DATA,
                  "'mem': 'y' has the label 'fish', which is not one of the model's 3 classes",
                  "known: 'dog', 'cat', 'bird'", err);
    ia_data_free(d);
    d = text_data("a,y\n1,cat\n2,fish\n", "y");
    check_message(
        ia_data_encode(d, 0, animals, 3, &err), INARCH_BAD_DATA,
        "'t.csv': label column 'y' has the label 'fish', which is not one of the model's 3 "
        "classes",
        "known: 'dog', 'cat', 'bird'", err);
    ia_data_free(d);
}

static void test_known_numbers(void **state)
{
    (void)state;
    inarch_error err;
    ia_data *d = numbered((const double[]){7, 10, 2}, 3, 1);
    assert_ok(ia_data_encode(d, 0, digits, 3, &err), err); /* by name */
    check_target(d, 0, 3, (const float[]){2, 0, 1});
    assert_ok(ia_data_encode(d, 0, NULL, 11, &err), err); /* again, as indices */
    check_target(d, 0, 3, (const float[]){7, 10, 2});
    check_message(ia_data_encode(d, 0, animals, 3, &err), INARCH_BAD_DATA,
                  "'mem': label 7 (y[0]) is outside the 3 classes 0 to 2", "", err);
    ia_data_free(d);
    d = numbered((const double[]){0, 2, 1}, 3, 1);
    assert_ok(ia_data_encode(d, 0, animals, 3, &err), err); /* indices of words */
    check_target(d, 0, 3, (const float[]){0, 2, 1});
    check_message(ia_data_encode(d, 0, digits, 3, &err), INARCH_BAD_DATA,
                  "'mem': 'y' has the label '0', which is not one of the model's 3 classes",
                  "known: '10', '2', '7'", err);
    ia_data_free(d);
    d = text_data("a,y\n1,0\n2,3\n", "y");
    check_message(ia_data_encode(d, 0, NULL, 2, &err), INARCH_BAD_DATA,
                  "'t.csv': label 3 (row 2) is outside the 2 classes 0 to 1", "", err);
    ia_data_free(d);
    d = numbered((const double[]){0, -1, 1}, 3, 1);
    check_message(ia_data_encode(d, 0, NULL, 2, &err), INARCH_BAD_DATA,
                  "'mem': label -1 (y[1]) is outside the 2 classes 0 to 1", "", err);
    ia_data_free(d);
}

static void test_text_for_a_number_of_classes(void **state)
{
    (void)state;
    inarch_error err;
    ia_data *d = labelled((const char *const[]){"b", "a", "c"}, 3);
    assert_ok(ia_data_encode(d, 0, NULL, 3, &err), err);
    check_target(d, 0, 3, (const float[]){1, 0, 2});
    check_message(ia_data_encode(d, 0, NULL, 10, &err), INARCH_BAD_DATA,
                  "'mem': 'y' has 3 different labels, but the model has 10 classes",
                  "the labels are 'b', 'a', 'c'", err);
    ia_data_free(d);
}

static void test_rows_of_several_numbers(void **state)
{
    (void)state;
    inarch_error err;
    size_t counts[3];
    ia_data *d = numbered((const double[]){0, 1, 0, .2, .2, .1, 0, .1, .9}, 3, 3);
    assert_ok(ia_data_encode(d, 0, animals, 3, &err), err);
    assert_int_equal(ia_data_target_kind(d, 0), IA_TARGET_NUMBERS);
    check_names(d, 3, animals);
    assert_ok(ia_data_class_counts(d, 0, counts, &err), err);
    assert_true(counts[0] == 1 && counts[1] == 1 && counts[2] == 1); /* a tie goes to the first */
    check_message(ia_data_encode(d, 0, NULL, 4, &err), INARCH_BAD_DATA,
                  "'mem': 'y' has 3 numbers a row, but the model has 4 classes", "", err);
    ia_data_free(d);
}

static void test_no_labels(void **state)
{
    (void)state;
    inarch_error err;
    ia_data *d = text_data("a\n1\n", NULL);
    check_message(ia_data_encode(d, 0, NULL, 0, &err), INARCH_BAD_DATA, "'t.csv' has no labels",
                  "labels are y in an .npz, or --labels", err);
    ia_data_free(d);
    d = labelled(animals, 3);
    check_message(ia_data_encode(d, 0, (const char *const[]){"a", "a"}, 2, &err),
                  INARCH_BAD_ARGUMENT, "the class 'a' is named twice", "", err);
    float y[3];
    check_message(ia_data_gather_target(d, NULL, 3, 0, y, &err), INARCH_BAD_DATA,
                  "'mem': the labels 'y' are text, not numbers",
                  "a loss for classes, such as sparse_categorical_crossentropy, takes them", err);
    ia_data_free(d);
}

/* ---- counts and weights ---- */

static void test_one_class(void **state)
{
    (void)state;
    inarch_error err;
    ia_data *d = numbered((const double[]){3, 3, 5}, 3, 1), *view;
    assert_ok(ia_data_encode(d, 0, NULL, 0, &err), err);
    assert_ok(ia_data_check_classes(d, 0, &err), err);
    assert_ok(ia_data_slice(d, 0, 2, &view, &err), err);
    check_message(ia_data_check_classes(view, 0, &err), INARCH_BAD_DATA,
                  "'mem': all 2 rows are of one class, '3'",
                  "a classifier needs rows of at least two classes", err);
    ia_data_free(view);
    assert_ok(ia_data_encode(d, 0, NULL, 10, &err), err);
    assert_ok(ia_data_slice(d, 2, 1, &view, &err), err);
    check_message(ia_data_check_classes(view, 0, &err), INARCH_BAD_DATA,
                  "'mem': all 1 rows are of one class, 5",
                  "a classifier needs rows of at least two classes", err);
    ia_data_free(view);
    ia_data_free(d);
}

static void test_class_weights(void **state)
{
    (void)state;
    inarch_error err;
    double balanced[3];
    float w[4];
    ia_data *d = numbered((const double[]){0, 0, 1, 0}, 4, 1), *view;
    assert_ok(ia_data_encode(d, 0, NULL, 3, &err), err);
    assert_ok(ia_data_balanced(d, 0, balanced, 3, &err), err);
    assert_near(balanced[0], 4.0 / 9, 1e-15);
    assert_near(balanced[1], 4.0 / 3, 1e-15);
    assert_near(balanced[2], 1, 0);
    assert_false(ia_data_weighted(d));
    assert_ok(ia_data_set_class_weights(d, 0, (const double[]){0.5, 4, 1}, 3, &err), err);
    assert_true(ia_data_weighted(d));
    assert_ok(ia_data_slice(d, 1, 3, &view, &err), err);
    ia_data_free(d);
    assert_ok(ia_data_gather_weights(view, NULL, 3, 0, w, &err), err);
    assert_true(w[0] == 0.5f && w[1] == 4 && w[2] == 0.5f);
    check_message(ia_data_set_class_weights(view, 0, balanced, 2, &err), INARCH_BAD_ARGUMENT,
                  "2 class weights were given, but there are 3 classes", "", err);
    check_message(ia_data_set_class_weights(view, 0, (const double[]){1, -1, 1}, 3, &err),
                  INARCH_BAD_ARGUMENT, "the weight of class 1 is -1; weights are 0 or more", "",
                  err);
    ia_data_free(view);
}

static void test_one_hot(void **state)
{
    (void)state;
    inarch_error err;
    float y[9];
    ia_data *d = numbered((const double[]){2, 0, 1}, 3, 1);
    assert_ok(ia_data_gather_one_hot(d, (const uint64_t[]){2, 0, 0}, 3, 0, 3, y, &err), err);
    const float want[] = {0, 1, 0, 0, 0, 1, 0, 0, 1};
    assert_memory_equal(y, want, sizeof want);
    check_message(ia_data_gather_one_hot(d, NULL, 3, 0, 2, y, &err), INARCH_BAD_DATA,
                  "label 2 is outside the 2 classes 0 to 1", "", err);
    ia_data_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_learn_text),
        cmocka_unit_test(test_learn_numbers),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_known_text),
        cmocka_unit_test(test_known_numbers),
        cmocka_unit_test(test_text_for_a_number_of_classes),
        cmocka_unit_test(test_rows_of_several_numbers),
        cmocka_unit_test(test_no_labels),
        cmocka_unit_test(test_one_class),
        cmocka_unit_test(test_class_weights),
        cmocka_unit_test(test_one_hot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
