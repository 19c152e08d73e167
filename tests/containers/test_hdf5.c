/* The HDF5 reader on files that h5py and Keras wrote, one feature each (tools/hdf5_fixtures.py):
 * everything equals what h5py reads, some of it is checked by hand, and what is not read is refused
 * with a message that names it. */
#include "test.h"
#include "containers/hdf5_dump.h"
#include "containers/hdf5/internal.h"

#include <math.h>

#define FOLDER FIXTURES "/containers/hdf5/"

typedef struct opened {
    ia_input in;
    ia_h5 *h5;
} opened;

static inarch_status open_fixture(const char *name, opened *f, inarch_error *err)
{
    char path[600];
    snprintf(path, sizeof path, "%s%s", FOLDER, name);
    static char kept[600]; /* an input borrows its name */
    memcpy(kept, path, sizeof kept);
    assert_ok(ia_input_open(kept, &f->in, err), *err);
    inarch_status status = ia_h5_open(&f->in, &f->h5, err);
    if (status != INARCH_OK)
        ia_input_close(&f->in);
    return status;
}

static opened must_open(const char *name)
{
    opened f;
    inarch_error err = {0};
    assert_ok(open_fixture(name, &f, &err), err);
    return f;
}

static void close_fixture(opened *f)
{
    ia_h5_free(f->h5);
    ia_input_close(&f->in);
}

static void equals_h5py(void **state)
{
    (void)state;
    FILE *list = fopen(FOLDER "names.crc", "r");
    assert_non_null(list);
    unsigned long want;
    int lines, files = 0;
    char name[200];
    while (fscanf(list, "%lx %d %199s", &want, &lines, name) == 3) {
        inarch_error err = {0};
        ia_buf text = IA_BUF((size_t)16 << 20);
        opened f = must_open(name);
        assert_ok(dump_file(&text, f.h5, &err), err);
        if (crc32(crc32(0, NULL, 0), text.data, (uInt)text.len) != want)
            fail_msg("%s is not what h5py reads", name);
        ia_buf_free(&text);
        close_fixture(&f);
        files++;
    }
    fclose(list);
    assert_int_equal(files, 33);
}

/* ---- by hand ---- */

static void read_f64(const opened *f, const char *path, double *out, size_t n)
{
    inarch_error err = {0};
    const ia_h5_object *d = ia_h5_find(ia_h5_root(f->h5), path);
    ia_array a;
    assert_non_null(d);
    assert_int_equal(d->kind, IA_H5_DATASET);
    assert_ok(ia_h5_read(f->h5, d, &a, &err), err);
    assert_int_equal(ia_array_count(&a), n);
    ia_dtype_to_f64(a.dtype, ia_array_data(&a), n, out);
    ia_array_release(&a);
}

static void numbers(void **state)
{
    (void)state;
    static const char *const types[] = {"f4", "f8", "f2", "i1", "i2", "i4", "i8"};
    opened f = must_open("numbers.h5");
    double v[6];
    for (size_t t = 0; t < IA_COUNT(types); t++) {
        char path[16];
        snprintf(path, sizeof path, "data_%s", types[t]);
        read_f64(&f, path, v, 6);
        for (int i = 0; i < 6; i++)
            assert_true(v[i] == i - 3);
    }
    read_f64(&f, "data_u2", v, 6);
    assert_true(v[0] == 65533 && v[3] == 0);
    read_f64(&f, "bool", v, 3);
    assert_true(v[0] == 1 && v[1] == 0 && v[2] == 1);
    read_f64(&f, "bfloat16", v, 5);
    assert_true(v[0] == 0 && v[4] == 4);
    read_f64(&f, "scalar", v, 1);
    assert_true(v[0] == 1.5);
    const ia_h5_attr *a = ia_h5_attr_find(ia_h5_root(f.h5), "attr_i2");
    assert_int_equal(a->count, 4);
    assert_int_equal(((const int16_t *)a->data)[3], 253);
    assert_int_equal(ia_h5_attr_find(ia_h5_root(f.h5), "nothing")->count, 0);
    assert_false(ia_h5_attr_find(ia_h5_root(f.h5), "nothing")->null);
    close_fixture(&f);
}

static void big_endian_becomes_host_order(void **state)
{
    (void)state;
    opened f = must_open("big_endian.h5");
    double v[4];
    read_f64(&f, "f4", v, 3);
    assert_true(v[0] == 0 && v[1] == 1 && v[2] == 2);
    read_f64(&f, "i8", v, 4);
    assert_true(v[0] == -1 && v[3] == 2);
    assert_true(((const double *)ia_h5_attr_find(ia_h5_root(f.h5), "f8")->data)[2] == 2);
    close_fixture(&f);
}

static void text(void **state)
{
    (void)state;
    opened f = must_open("text.h5");
    const ia_h5_object *root = ia_h5_root(f.h5);
    inarch_error err = {0};
    assert_string_equal(ia_h5_attr_text(root, "vlen")->text, "vari\xc3\xa4"
                                                             "ble");
    assert_string_equal(ia_h5_attr_text(root, "ascii")->text, "plain");
    assert_int_equal(ia_h5_attr_text(root, "none")->len, 0);
    assert_int_equal(ia_h5_attr_text(root, "long")->len, 9000);
    assert_string_equal(ia_h5_attr_text(root, "one_fixed")->text, "exactly");
    assert_null(ia_h5_attr_text(root, "list"));
    assert_null(ia_h5_attr_text(root, "not_utf8"));
    assert_null(ia_h5_attr_text(root, "absent"));
    const ia_h5_attr *bytes = ia_h5_attr_find(root, "not_utf8");
    assert_false(bytes->strings[0].utf8);
    assert_int_equal(bytes->strings[0].len, 4);
    const ia_h5_attr *none = ia_h5_attr_find(root, "no_strings");
    assert_non_null(none->strings);
    assert_int_equal(none->count, 0);
    ia_h5_string *list;
    size_t n;
    assert_ok(ia_h5_attr_list(f.h5, root, "fixed", &list, &n, &err), err);
    assert_int_equal(n, 3);
    assert_string_equal(list[1].text, "dense_22");
    ia_free(list);
    assert_ok(ia_h5_attr_list(f.h5, root, "list", &list, &n, &err), err);
    assert_int_equal(n, 4);
    assert_string_equal(list[1].text, "\xc3\xbc"
                                      "b");
    assert_int_equal(list[2].len, 0);
    ia_free(list);
    assert_int_equal(ia_h5_attr_list(f.h5, root, "nowhere", &list, &n, &err), INARCH_NOT_FOUND);
    assert_string_equal(err.message, "'/' has no attribute 'nowhere'");
    assert_int_equal(ia_h5_attr_list(f.h5, root, "not_utf8", &list, &n, &err), INARCH_BAD_FILE);
    assert_string_equal(err.message, "'/': attribute 'not_utf8': string 0 is not UTF-8");
    close_fixture(&f);
}

static void split_lists_are_joined(void **state)
{
    (void)state;
    opened f = must_open("split.h5");
    inarch_error err = {0};
    ia_h5_string *list;
    size_t n;
    assert_ok(ia_h5_attr_list(f.h5, ia_h5_root(f.h5), "layer_names", &list, &n, &err), err);
    assert_int_equal(n, 70);
    for (size_t i = 0; i < n; i++) {
        char want[64];
        snprintf(want, sizeof want, "a_layer_with_quite_a_long_name_%05zu", i);
        assert_string_equal(list[i].text, want);
    }
    ia_free(list);
    assert_ok(ia_h5_attr_list(f.h5, ia_h5_root(f.h5), "whole", &list, &n, &err), err);
    assert_int_equal(n, 3);
    ia_free(list);
    close_fixture(&f);
}

static void numbers_are_no_names(void **state)
{
    (void)state;
    opened f = must_open("numbers.h5");
    inarch_error err = {0};
    ia_h5_string *list;
    size_t n;
    assert_int_equal(ia_h5_attr_list(f.h5, ia_h5_root(f.h5), "attr_f4", &list, &n, &err),
                     INARCH_BAD_FILE);
    assert_string_equal(err.message, "'/': attribute 'attr_f4' holds numbers where names are due");
    assert_ok(ia_h5_attr_list(f.h5, ia_h5_root(f.h5), "nothing", &list, &n, &err), err);
    assert_int_equal(n, 0);
    ia_free(list);
    close_fixture(&f);
}

/* Keras 3 with ten layers of non-ASCII names: a fractal heap inside a superblock 0 file. */
static void keras_with_umlauts(void **state)
{
    (void)state;
    opened f = must_open("keras3_umlauts.h5");
    const ia_h5_object *weights = ia_h5_child(ia_h5_root(f.h5), "model_weights");
    double v[2];
    for (int i = 0; i < 10; i++) {
        char name[40];
        snprintf(name, sizeof name, "schl\xc3\xbcssel_%d", i);
        assert_non_null(ia_h5_child(weights, name));
    }
    read_f64(&f, "model_weights/schl\xc3\xbcssel_0/sequential/schl\xc3\xbcssel_0/bias", v, 1);
    assert_true(v[0] == 0);
    char path[200];
    const ia_h5_object *kernel =
        ia_h5_find(weights, "schl\xc3\xbcssel_9/sequential/schl\xc3\xbcssel_9/kernel");
    assert_string_equal(ia_h5_path(kernel, path, sizeof path),
                        "/model_weights/schl\xc3\xbcssel_9/sequential/schl\xc3\xbcssel_9/kernel");
    assert_string_equal(ia_h5_path(kernel, path, 14), ".../kernel");
    assert_string_equal(ia_h5_path(ia_h5_root(f.h5), path, sizeof path), "/");
    close_fixture(&f);
}

static void keras_bfloat16(void **state)
{
    (void)state;
    opened f = must_open("keras3_bfloat16.h5");
    const ia_h5_object *d = ia_h5_find(ia_h5_root(f.h5), "model_weights/d/sequential_1/d/kernel");
    assert_non_null(d);
    assert_int_equal(d->dtype, IA_BF16);
    double v[12];
    read_f64(&f, "model_weights/d/sequential_1/d/kernel", v, 12);
    for (int i = 0; i < 12; i++)
        assert_true(fabs(v[i]) < 2 && v[i] != 0);
    close_fixture(&f);
}

static void finding(void **state)
{
    (void)state;
    opened f = must_open("links_210.h5");
    const ia_h5_object *root = ia_h5_root(f.h5);
    assert_int_equal(root->child_count, 210);
    for (size_t i = 0; i < 210; i++) {
        char want[8];
        snprintf(want, sizeof want, "g%04zu", i);
        assert_string_equal(root->children[i]->name, want);
        assert_ptr_equal(ia_h5_child(root, want), root->children[i]);
        assert_ptr_equal(root->children[i]->parent, root);
    }
    assert_null(ia_h5_child(root, "g0210"));
    assert_null(ia_h5_child(root, "g00"));
    assert_null(ia_h5_child(root, "g00001"));
    assert_null(ia_h5_child(NULL, "g0001"));
    assert_null(ia_h5_child(root->children[0], "x"));
    assert_ptr_equal(ia_h5_find(root, ""), root);
    assert_ptr_equal(ia_h5_find(root, "/g0001"), root->children[1]);
    assert_null(ia_h5_find(root, "g0001/x"));
    assert_null(ia_h5_attr_find(NULL, "x"));
    close_fixture(&f);
}

static void probing(void **state)
{
    (void)state;
    static const uint8_t not [16] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    opened f = must_open("userblock.h5");
    assert_true(ia_h5_probe(&f.in));
    close_fixture(&f);
    ia_input in = ia_input_memory(not, sizeof not, "x.png");
    assert_false(ia_h5_probe(&in));
    in = ia_input_memory(not, 0, "empty");
    assert_false(ia_h5_probe(&in));
}

/* ---- what is not read ---- */

static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        inarch_status status;
        const char *message;
    } cases[] = {
        {"compound", INARCH_UNSUPPORTED,
         "'/a': its elements are a compound of 8 bytes in a layout "
         "that is not read (16 02 00)"},
        {"cycle", INARCH_BAD_FILE, "'/a': 'up' leads back to a group it lies in"},
        {"external", INARCH_UNSUPPORTED, "'/': 'b' is an external link, which is not followed"},
        {"external_data", INARCH_UNSUPPORTED,
         "'/a': HDF5 message 0x07 (data in other files) is not read"},
        {"hard", INARCH_UNSUPPORTED,
         "'/a' and '/b' are one object with two names, which is not read"},
        {"hard_new", INARCH_UNSUPPORTED,
         "'/a': HDF5 message 0x16 (an object with several names) is not read"},
        {"lzf", INARCH_UNSUPPORTED, "'/a': data compressed by filter 32000 (lzf) are not read"},
        {"named_type", INARCH_UNSUPPORTED,
         "'/t': an object that is neither a group nor a dataset "
         "(a named datatype, perhaps) is not read"},
        {"opaque", INARCH_UNSUPPORTED,
         "'/a': its elements are an opaque value of 1 bytes in a "
         "layout that is not read (15 00 00)"},
        {"reference", INARCH_UNSUPPORTED,
         "'/': attribute 'a': its elements are a reference of 8 "
         "bytes in a layout that is not read (17 00 00)"},
        {"scaleoffset", INARCH_UNSUPPORTED,
         "'/a': data compressed by filter 6 (scale-offset) are not read"},
        {"soft", INARCH_UNSUPPORTED, "'/': 'b' is a soft link, which is not followed"},
        {"soft_new", INARCH_UNSUPPORTED, "'/': 'b' is a soft link, which is not followed"},
        {"strings", INARCH_UNSUPPORTED, "'/a': a dataset of strings is not read"},
        {"unlimited", INARCH_UNSUPPORTED,
         "'/a': a chunk index that can grow (an extensible array) is not read"},
        {"virtual", INARCH_UNSUPPORTED,
         "'/a': a virtual dataset, whose data lie in other files, is not read"},
    };
    for (size_t i = 0; i < IA_COUNT(cases); i++) {
        char name[60];
        inarch_error err = {0};
        opened f;
        snprintf(name, sizeof name, "refused_%s.h5", cases[i].name);
        assert_int_equal(open_fixture(name, &f, &err), cases[i].status);
        assert_string_equal(err.message, cases[i].message);
        assert_non_null(strstr(err.subject, name));
    }
}

/* Values of Jenkins' own test driver and of HDF5's test of its checksums. */
static void checksums(void **state)
{
    (void)state;
    uint8_t zeros[8] = {0}, ones[8];
    memset(ones, 0xff, sizeof ones);
    assert_int_equal(ia_h5_checksum("", 0), 0xdeadbeef);
    assert_int_equal(ia_h5_checksum("Four score and seven years ago", 30), 0x17770551);
    assert_int_not_equal(ia_h5_checksum(zeros, 8), ia_h5_checksum(ones, 8));
    assert_int_not_equal(ia_h5_checksum(zeros, 7), ia_h5_checksum(zeros, 8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_h5py),
        cmocka_unit_test(numbers),
        cmocka_unit_test(big_endian_becomes_host_order),
        cmocka_unit_test(text),
        cmocka_unit_test(split_lists_are_joined),
        cmocka_unit_test(numbers_are_no_names),
        cmocka_unit_test(keras_with_umlauts),
        cmocka_unit_test(keras_bfloat16),
        cmocka_unit_test(finding),
        cmocka_unit_test(probing),
        cmocka_unit_test(refusals),
        cmocka_unit_test(checksums),
    };
    return cmocka_run_group_tests_name("containers_hdf5", tests, NULL, NULL);
}
