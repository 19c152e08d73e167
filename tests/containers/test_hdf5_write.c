/* The HDF5 writer: what it writes is read back by our reader, by h5py and by h5dump; equal trees
 * give equal bytes; every error leaves nothing behind. */
#include "test.h"
#include "containers/hdf5_dump.h"
#include "containers/hdf5/hdf5_write.h"

#include <unistd.h>

#define OUT "hdf5_write_test.h5"
#define TEXT_MAX ((size_t)64 << 20)

static long allocations_left = -1; /* negative: no failure */
int ia_alloc_hook(size_t bytes);
int ia_alloc_hook(size_t bytes)
{
    (void)bytes;
    return allocations_left >= 0 && allocations_left-- == 0;
}

static ia_array array_of(ia_dtype t, const ia_shape *shape, const void *bytes)
{
    inarch_error err = {0};
    ia_array a;
    long left = allocations_left;
    allocations_left = -1; /* the test's own memory does not fail */
    assert_ok(ia_array_new(t, shape, "test", &a, &err), err);
    allocations_left = left;
    size_t n = ia_array_count(&a) * ia_dtype_size(t);
    if (n > 0)
        memcpy(ia_array_mutable(&a), bytes, n);
    return a;
}

static inarch_status save(ia_h5w *w, const char *path, inarch_error *err)
{
    ia_output *o;
    IA_TRY(ia_output_open(path, &o, err));
    inarch_status status = ia_h5w_write(w, o, err);
    if (status == INARCH_OK)
        return ia_output_commit(o, err);
    ia_output_discard(o);
    return status;
}

static uint8_t *slurp(const char *path, size_t *n)
{
    inarch_error err = {0};
    ia_input in;
    uint8_t *bytes;
    assert_ok(ia_input_open(path, &in, &err), err);
    assert_ok(ia_input_read_all(&in, SIZE_MAX / 2, &bytes, n, &err), err);
    ia_input_close(&in);
    return bytes;
}

/* ---- a tree with everything ---- */

static const uint8_t ramp[256] = {0,    1,    2,    3,    0x7f, 0x80, 0xff, 0x3c, 0x3d, 0x40, 0x41,
                                  0xbf, 0xc0, 0x10, 0x20, 0x30, 0x44, 0x45, 0x46, 0x47, 1,    0};
static const uint8_t truth[6] = {1, 0, 1, 1, 0, 0};

static inarch_status add_types(ia_h5w *w, ia_h5w_object *group, inarch_error *err)
{
    const int64_t dims[2] = {2, 3};
    const ia_shape shape = ia_shape_of(2, dims), empty = ia_shape_1(0), scalar = {0};
    for (int t = 0; t < IA_DTYPE_COUNT; t++) {
        const char *name = ia_dtype_name((ia_dtype)t);
        ia_array a = array_of((ia_dtype)t, &shape, t == IA_BOOL ? truth : ramp);
        inarch_status status = ia_h5w_dataset(w, group, name, &a, NULL, err);
        ia_array_release(&a);
        IA_TRY(status);
        IA_TRY(ia_h5w_attr_numbers(w, group, name, (ia_dtype)t, &shape, t == IA_BOOL ? truth : ramp,
                                   err));
    }
    ia_array none = array_of(IA_F32, &empty, NULL), one = array_of(IA_I64, &scalar, ramp);
    inarch_status status = ia_h5w_dataset(w, group, "none", &none, NULL, err);
    if (status == INARCH_OK)
        status = ia_h5w_dataset(w, group, "one", &one, NULL, err);
    ia_array_release(&none);
    ia_array_release(&one);
    return status;
}

static char long_text[100001];

static inarch_status add_texts(ia_h5w *w, ia_h5w_object *o, inarch_error *err)
{
    static const char *const names[] = {"dense_1", "w\xc3\xa4rme", "", "d"};
    const ia_shape scalar = {0};
    const double pi = 3.5;
    memset(long_text, 'x', sizeof long_text - 1);
    IA_TRY(ia_h5w_attr_text(w, o, "keras_version", "3.15.1", 6, err));
    IA_TRY(ia_h5w_attr_text(w, o, "empty", "", 0, err));
    IA_TRY(ia_h5w_attr_text(w, o, "model_config", long_text, sizeof long_text - 1, err));
    IA_TRY(ia_h5w_attr_text(w, o, "utf8", "schl\xc3\xbcssel", 10, err));
    for (int i = 0; i < 80; i++) { /* many heap collections */
        char name[16];
        snprintf(name, sizeof name, "text_%d", i);
        IA_TRY(ia_h5w_attr_text(w, o, name, long_text, (size_t)(i * 37), err));
    }
    IA_TRY(ia_h5w_attr_list(w, o, "layer_names", names, 4, err));
    IA_TRY(ia_h5w_attr_list(w, o, "weight_names", NULL, 0, err));
    return ia_h5w_attr_numbers(w, o, "pi", IA_F64, &scalar, &pi, err);
}

static inarch_status add_split(ia_h5w *w, ia_h5w_object *o, size_t n, inarch_error *err)
{
    char(*names)[48] = ia_calloc(n, sizeof *names);
    const char **list = ia_calloc(n, sizeof *list);
    inarch_status status = INARCH_OK;
    if (names == NULL || list == NULL)
        status = ia_fail_memory(err, "test", n);
    for (size_t i = 0; i < n && status == INARCH_OK; i++) {
        snprintf(names[i], sizeof names[i], "layer_with_a_long_name_%zu", i);
        list[i] = names[i];
    }
    if (status == INARCH_OK)
        status = ia_h5w_attr_list(w, o, "layer_names", list, n, err);
    ia_free(names);
    ia_free(list);
    return status;
}

static inarch_status build(ia_h5w **out, int links, inarch_error *err)
{
    ia_h5w *w = NULL;
    ia_h5w_object *group, *other;
    inarch_status status;
    IA_TRY(ia_h5w_new(&w, err));
    IA_TRY_GOTO(ia_h5w_group(w, ia_h5w_root(w), "types", &group, err));
    IA_TRY_GOTO(add_types(w, group, err));
    IA_TRY_GOTO(add_texts(w, ia_h5w_root(w), err));
    IA_TRY_GOTO(ia_h5w_group(w, ia_h5w_root(w), "base/d1/kernel", &other, err));
    IA_TRY_GOTO(ia_h5w_group(w, ia_h5w_root(w), "base/d1", &group, err));
    IA_TRY_GOTO(add_split(w, group, 5000, err));
    IA_TRY_GOTO(ia_h5w_group(w, ia_h5w_root(w), "many", &group, err));
    for (int i = 0; i < links; i++) {
        char name[24];
        snprintf(name, sizeof name, "layer_%d", i);
        IA_TRY_GOTO(ia_h5w_group(w, group, name, &other, err));
    }
    *out = w;
    return INARCH_OK;
done:
    ia_h5w_free(w);
    return status;
}

static void open_written(const char *path, ia_input *in, ia_h5 **h5)
{
    inarch_error err = {0};
    assert_ok(ia_input_open(path, in, &err), err);
    assert_ok(ia_h5_open(in, h5, &err), err);
}

static void check_types(const ia_h5 *h5)
{
    inarch_error err = {0};
    for (int t = 0; t < IA_DTYPE_COUNT; t++) {
        char path[40];
        snprintf(path, sizeof path, "types/%s", ia_dtype_name((ia_dtype)t));
        const ia_h5_object *d = ia_h5_find(ia_h5_root(h5), path);
        assert_non_null(d);
        assert_int_equal(d->kind, IA_H5_DATASET);
        assert_int_equal(d->dtype, t);
        assert_int_equal(d->shape.rank, 2);
        assert_int_equal(d->shape.dim[1], 3);
        ia_array a;
        assert_ok(ia_h5_read(h5, d, &a, &err), err);
        const void *want = t == IA_BOOL ? truth : ramp;
        assert_memory_equal(ia_array_data(&a), want, d->bytes);
        ia_array_release(&a);
        const ia_h5_attr *attr = ia_h5_attr_find(d->parent, ia_dtype_name((ia_dtype)t));
        assert_non_null(attr);
        assert_int_equal(attr->dtype, t);
        assert_int_equal(attr->count, 6);
        assert_memory_equal(attr->data, want, 6 * ia_dtype_size((ia_dtype)t));
    }
    assert_int_equal(ia_h5_find(ia_h5_root(h5), "types/none")->bytes, 0);
    assert_int_equal(ia_h5_find(ia_h5_root(h5), "types/one")->shape.rank, 0);
}

static void check_texts(const ia_h5 *h5)
{
    const ia_h5_object *root = ia_h5_root(h5);
    inarch_error err = {0};
    assert_string_equal(ia_h5_attr_text(root, "keras_version")->text, "3.15.1");
    assert_int_equal(ia_h5_attr_text(root, "empty")->len, 0);
    assert_int_equal(ia_h5_attr_text(root, "model_config")->len, 100000);
    assert_string_equal(ia_h5_attr_text(root, "model_config")->text, long_text);
    assert_int_equal(ia_h5_attr_text(root, "text_79")->len, 79 * 37);
    ia_h5_string *list;
    size_t n;
    assert_ok(ia_h5_attr_list(h5, root, "layer_names", &list, &n, &err), err);
    assert_int_equal(n, 4);
    assert_string_equal(list[1].text, "w\xc3\xa4rme");
    assert_string_equal(list[2].text, "");
    ia_free(list);
    assert_ok(ia_h5_attr_list(h5, root, "weight_names", &list, &n, &err), err);
    assert_int_equal(n, 0);
    ia_free(list);
    assert_int_equal(ia_h5_attr_find(root, "weight_names")->dtype, IA_F64);
}

static void check_split(const ia_h5 *h5)
{
    const ia_h5_object *o = ia_h5_find(ia_h5_root(h5), "base/d1");
    inarch_error err = {0};
    ia_h5_string *list;
    size_t n;
    assert_null(ia_h5_attr_find(o, "layer_names"));
    /* 5000 names of up to 27 bytes: 2389 fit 64512 bytes, so 3 parts of 1667, 1667, 1666. */
    assert_int_equal(ia_h5_attr_find(o, "layer_names0")->count, 1667);
    assert_int_equal(ia_h5_attr_find(o, "layer_names2")->count, 1666);
    assert_null(ia_h5_attr_find(o, "layer_names3"));
    assert_ok(ia_h5_attr_list(h5, o, "layer_names", &list, &n, &err), err);
    assert_int_equal(n, 5000);
    for (size_t i = 0; i < n; i++) {
        char want[48];
        snprintf(want, sizeof want, "layer_with_a_long_name_%zu", i);
        assert_string_equal(list[i].text, want);
    }
    ia_free(list);
}

static void round_trip(void **state)
{
    (void)state;
    inarch_error err = {0};
    ia_h5w *w = NULL;
    ia_input in;
    ia_h5 *h5;
    assert_ok(build(&w, 12000, &err), err);
    assert_ok(save(w, OUT, &err), err);
    ia_h5w_free(w);
    open_written(OUT, &in, &h5);
    check_types(h5);
    check_texts(h5);
    check_split(h5);
    const ia_h5_object *many = ia_h5_child(ia_h5_root(h5), "many");
    assert_int_equal(many->child_count, 12000);
    assert_non_null(ia_h5_child(many, "layer_0"));
    assert_non_null(ia_h5_child(many, "layer_11999"));
    assert_null(ia_h5_child(many, "layer_12000"));
    ia_h5_free(h5);
    ia_input_close(&in);
}

/* Every number of links around the edges of nodes and levels. */
static void tree_levels(void **state)
{
    (void)state;
    static const int counts[] = {0, 1, 7, 8, 9, 255, 256, 257, 8191, 8192, 8193};
    inarch_error err = {0};
    for (size_t i = 0; i < IA_COUNT(counts); i++) {
        ia_h5w *w = NULL;
        ia_input in;
        ia_h5 *h5;
        assert_ok(build(&w, counts[i], &err), err);
        assert_ok(save(w, OUT, &err), err);
        ia_h5w_free(w);
        open_written(OUT, &in, &h5);
        assert_int_equal(ia_h5_child(ia_h5_root(h5), "many")->child_count, counts[i]);
        ia_h5_free(h5);
        ia_input_close(&in);
    }
}

static void same_bytes(void **state)
{
    (void)state;
    inarch_error err = {0};
    const ia_shape shape = ia_shape_1(4);
    uint8_t *first = NULL;
    size_t first_size = 0;
    for (int pass = 0; pass < 3; pass++) { /* the third builds the tree in another order */
        ia_h5w *w = NULL;
        ia_h5w_object *g;
        ia_array a = array_of(IA_F32, &shape, ramp);
        assert_ok(ia_h5w_new(&w, &err), err);
        for (int i = 0; i < 20; i++) {
            char name[24];
            snprintf(name, sizeof name, "g%02d/sub", pass == 2 ? 19 - i : i);
            assert_ok(ia_h5w_group(w, ia_h5w_root(w), name, &g, &err), err);
            assert_ok(ia_h5w_attr_text(w, g, "t", name, 3, &err), err);
            assert_ok(ia_h5w_dataset(w, g, "x", &a, NULL, &err), err);
        }
        assert_ok(save(w, OUT, &err), err);
        if (pass == 0)
            assert_ok(save(w, OUT, &err), err); /* a plan does not remember the one before */
        ia_h5w_free(w);
        ia_array_release(&a);
        size_t n;
        uint8_t *bytes = slurp(OUT, &n);
        if (pass == 0) {
            first = bytes;
            first_size = n;
            continue;
        }
        assert_int_equal(n, first_size);
        assert_memory_equal(bytes, first, n);
        ia_free(bytes);
    }
    ia_free(first);
}

/* ---- other readers ---- */

static const char *python(void)
{
    const char *name = getenv("INARCH_PYTHON");
    return name != NULL ? name : "python3";
}

static void write_everything(void)
{
    inarch_error err = {0};
    ia_h5w *w = NULL;
    assert_ok(build(&w, 300, &err), err);
    assert_ok(save(w, OUT, &err), err);
    ia_h5w_free(w);
}

static void h5py_agrees(void **state)
{
    (void)state;
    char command[1024];
    snprintf(command, sizeof command, "%s -c 'import h5py' >hdf5_write_test.log 2>&1", python());
    if (system(command) != 0) {
        print_message("no h5py here (INARCH_PYTHON names a Python that has it)\n");
        skip();
    }
    write_everything();
    snprintf(command, sizeof command, "%s '%s/../../tools/hdf5_oracle.py' %s >hdf5_write_test.txt",
             python(), FIXTURES, OUT);
    assert_int_equal(system(command), 0);
    size_t n;
    uint8_t *want = slurp("hdf5_write_test.txt", &n);
    ia_input in;
    ia_h5 *h5;
    inarch_error err = {0};
    ia_buf text = IA_BUF(TEXT_MAX);
    open_written(OUT, &in, &h5);
    assert_ok(dump_file(&text, h5, &err), err);
    ia_h5_free(h5);
    ia_input_close(&in);
    assert_string_equal((char *)text.data, (char *)want);
    ia_buf_free(&text);
    ia_free(want);
    unlink("hdf5_write_test.txt");
}

static void h5dump_reads(void **state)
{
    (void)state;
    if (system("h5dump --version >hdf5_write_test.log 2>&1") != 0) {
        print_message("no h5dump here\n");
        skip();
    }
    write_everything();
    assert_int_equal(system("h5dump " OUT " >hdf5_write_test.log 2>&1"), 0);
    assert_int_equal(system("grep -q -i error hdf5_write_test.log"), 256);
    assert_int_equal(system("grep -q 'GROUP \"layer_299\"' hdf5_write_test.log"), 0);
}

/* ---- errors ---- */

static void names_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *name, *message;
    } cases[] = {
        {"", "a name between '/' is empty"},
        {"a//b", "a name between '/' is empty"},
        {"/a", "a name between '/' is empty"},
        {"a/", "a name between '/' is empty"},
        {".", "'.' and '..' cannot be names in HDF5"},
        {"a/../b", "'.' and '..' cannot be names in HDF5"},
        {"\xff", "the name is not UTF-8"},
        {"data/x", "a dataset has the name of a group"},
        {"data", "a dataset has the name of a group"},
    };
    inarch_error err = {0};
    const ia_shape shape = ia_shape_1(4);
    ia_h5w *w = NULL;
    ia_h5w_object *g, *d;
    ia_array a = array_of(IA_F32, &shape, ramp);
    assert_ok(ia_h5w_new(&w, &err), err);
    assert_ok(ia_h5w_dataset(w, ia_h5w_root(w), "data", &a, &d, &err), err);
    for (size_t i = 0; i < IA_COUNT(cases); i++) {
        assert_int_equal(ia_h5w_group(w, ia_h5w_root(w), cases[i].name, &g, &err),
                         INARCH_BAD_ARGUMENT);
        assert_string_equal(err.message, cases[i].message);
    }
    assert_int_equal(ia_h5w_group(w, d, "x", &g, &err), INARCH_BAD_ARGUMENT);
    assert_string_equal(err.message, "'data' is a dataset and holds no names");
    assert_int_equal(ia_h5w_dataset(w, ia_h5w_root(w), "data", &a, NULL, &err),
                     INARCH_BAD_ARGUMENT);
    assert_string_equal(err.message, "the name is there already");
    ia_array_release(&a);
    ia_h5w_free(w);
}

static void attributes_are_checked(void **state)
{
    (void)state;
    inarch_error err = {0};
    ia_h5w *w = NULL;
    const ia_shape large = ia_shape_1(8065), wrap = ia_shape_of(2, (int64_t[]){INT64_MAX, 9});
    double *zeros = calloc(8065, 8);
    char *name = calloc(1026, 1);
    assert_non_null(zeros);
    assert_non_null(name);
    memset(name, 'n', 1025);
    assert_ok(ia_h5w_new(&w, &err), err);
    ia_h5w_object *r = ia_h5w_root(w);
    assert_ok(ia_h5w_attr_text(w, r, "a", "x", 1, &err), err);
    assert_int_equal(ia_h5w_attr_text(w, r, "a", "y", 1, &err), INARCH_BAD_ARGUMENT);
    assert_string_equal(err.message, "the attribute is there already");
    assert_int_equal(ia_h5w_attr_text(w, r, "b", "\xff", 1, &err), INARCH_BAD_ARGUMENT);
    assert_int_equal(ia_h5w_attr_text(w, r, "b", "a\0b", 3, &err), INARCH_BAD_ARGUMENT);
    assert_string_equal(err.message, "the text is not UTF-8");
    assert_int_equal(ia_h5w_attr_text(w, r, name, "x", 1, &err), INARCH_BAD_ARGUMENT);
    assert_int_equal(ia_h5w_attr_numbers(w, r, "b", IA_F64, &large, zeros, &err), INARCH_LIMIT);
    assert_string_equal(err.message, "an attribute of 64520 bytes; at most 64512 fit");
    assert_int_equal(ia_h5w_attr_numbers(w, r, "b", IA_F64, &wrap, zeros, &err),
                     INARCH_BAD_ARGUMENT);
    assert_string_equal(err.message, "an array of unknown size");
    char *text = calloc(IA_H5_ATTR_MAX + 2, 1);
    assert_non_null(text);
    memset(text, 'x', IA_H5_ATTR_MAX + 1);
    const char *list[1] = {text};
    assert_int_equal(ia_h5w_attr_list(w, r, "b", list, 1, &err), INARCH_LIMIT);
    text[IA_H5_ATTR_MAX] = '\0';
    assert_ok(ia_h5w_attr_list(w, r, "largest", list, 1, &err), err);
    name[1024] = '\0'; /* the longest name and the largest value do not fit one message */
    assert_int_equal(ia_h5w_attr_list(w, r, name, list, 1, &err), INARCH_LIMIT);
    assert_ok(ia_h5w_attr_text(w, r, name, "x", 1, &err), err);
    assert_ok(save(w, OUT, &err), err);
    ia_h5w_free(w);
    free(zeros);
    free(name);
    free(text);
}

static void disk_full(void **state)
{
    (void)state;
    inarch_error err = {0};
    ia_h5w *w = NULL;
    if (access("/dev/full", W_OK) != 0)
        skip();
    assert_ok(build(&w, 300, &err), err);
    assert_int_equal(save(w, "/dev/full", &err), INARCH_IO);
    assert_non_null(strstr(err.message, "space"));
    ia_h5w_free(w);
}

static void every_allocation_fails_once(void **state)
{
    (void)state;
    inarch_error err = {0};
    inarch_status status = INARCH_NO_MEMORY;
    size_t n;
    unlink(OUT);
    for (long i = 0; status != INARCH_OK; i++) {
        ia_h5w *w = NULL;
        allocations_left = i;
        status = build(&w, 40, &err);
        if (status == INARCH_OK)
            status = save(w, OUT, &err);
        allocations_left = -1;
        ia_h5w_free(w);
        if (status == INARCH_OK)
            break;
        assert_int_equal(status, INARCH_NO_MEMORY);
        assert_non_null(strstr(err.message, "not enough memory"));
        assert_int_not_equal(access(OUT, F_OK), 0);
    }
    ia_free(slurp(OUT, &n));
    assert_true(n > 100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(tree_levels),
        cmocka_unit_test(same_bytes),
        cmocka_unit_test(h5py_agrees),
        cmocka_unit_test(h5dump_reads),
        cmocka_unit_test(names_are_checked),
        cmocka_unit_test(attributes_are_checked),
        cmocka_unit_test(disk_full),
        cmocka_unit_test(every_allocation_fails_once),
    };
    int failed = cmocka_run_group_tests_name("containers_hdf5_write", tests, NULL, NULL);
    unlink(OUT);
    unlink("hdf5_write_test.log");
    return failed;
}
