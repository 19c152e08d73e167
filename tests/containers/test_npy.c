/* .npy against files that NumPy wrote (tests/fixtures/containers/make.py). */
#include "hostile.h"

#include "containers/npy.h"
#include "containers/zip.h"

#define FIXTURE(name) FIXTURES "/containers/" name

static inarch_status read_input(const ia_input *in, ia_npy *out, inarch_error *err)
{
    ia_stream s;
    inarch_status status = ia_stream_open_any(in, &s, err);
    if (status == INARCH_OK)
        status = ia_npy_read(&s, out, err);
    ia_stream_close(&s);
    return status;
}

static inarch_status read_and_drop(const ia_input *in, inarch_error *err)
{
    ia_npy npy;
    inarch_status status = read_input(in, &npy, err);
    if (status == INARCH_OK)
        ia_npy_release(&npy);
    return status;
}

static inarch_status read_file(const char *path, ia_npy *out, inarch_error *err)
{
    ia_input in;
    assert_ok(ia_input_open(path, &in, err), *err);
    in.name = "x.npy"; /* what messages show */
    inarch_status status = read_input(&in, out, err);
    ia_input_close(&in);
    return status;
}

/* ---- every type ---- */

static double expected(const char *key, size_t k)
{
    if (key[0] == 'b')
        return k == 0 || k == 2 || k == 5;
    if (key[0] == 'f')
        return ((double)k - 2) * 0.5;
    return key[0] == 'i' ? ((double)k - 2) * 20 : (double)k * 40;
}

static void check_types(const char *path, const char *only)
{
    static const char *const names[] = {"float16", "float32", "float64", "int8",
                                        "int16",   "int32",   "int64",   "uint8",
                                        "uint16",  "uint32",  "uint64",  "bool"};
    static const char *const keys[] = {"f2", "f4", "f8", "i1", "i2", "i4",
                                       "i8", "u1", "u2", "u4", "u8", "b1"};
    inarch_error err;
    ia_input in;
    ia_zip *z;
    assert_ok(ia_input_open(path, &in, &err), err);
    assert_ok(ia_zip_open(&in, &z, &err), err);
    assert_int_equal(ia_zip_count(z), 11 * 4 + 1);
    for (size_t i = 0; i < ia_zip_count(z); i++) {
        const char *key = ia_zip_name(z, i);
        ia_stream s;
        ia_array a;
        if (only && !strstr(key, only))
            continue;
        assert_ok(ia_zip_stream(z, i, &s, &err), err);
        assert_ok(ia_npy_read_array(&s, &a, &err), err);
        ia_stream_close(&s);
        size_t k = 0;
        while (strncmp(keys[k], key, 2) != 0)
            k++;
        assert_string_equal(ia_dtype_name(a.dtype), names[k]);
        assert_int_equal(a.shape.rank, 2);
        assert_int_equal(a.shape.dim[0], 2);
        assert_int_equal(a.shape.dim[1], 3);
        double v[6];
        ia_dtype_to_f64(a.dtype, ia_array_data(&a), 6, v);
        for (size_t e = 0; e < 6; e++)
            if (v[e] != expected(key, e))
                fail_msg("%s[%zu] is %g, not %g", key, e, v[e], expected(key, e));
        ia_array_release(&a);
    }
    ia_zip_close(z);
    ia_input_close(&in);
}

static void test_types(void **state)
{
    (void)state;
    check_types(FIXTURE("types.npz"), NULL);
    check_types(FIXTURE("types_deflated.npz"), NULL);
}

static void test_fortran_rank_3_big_endian(void **state)
{
    (void)state;
    inarch_error err;
    ia_npy n;
    assert_ok(read_file(FIXTURE("fortran3.npy"), &n, &err), err);
    assert_int_equal(n.array.shape.rank, 3);
    const int16_t *v = ia_array_data(&n.array);
    for (int k = 0; k < 24; k++)
        assert_int_equal(v[k], k);
    ia_npy_release(&n);
}

static void check_shape(const char *path, int rank, const int64_t *dim)
{
    inarch_error err;
    ia_npy n;
    assert_ok(read_file(path, &n, &err), err);
    ia_shape want = ia_shape_of(rank, dim);
    assert_true(ia_shape_equal(&n.array.shape, &want));
    ia_npy_release(&n);
}

static void test_shapes(void **state)
{
    (void)state;
    check_shape(FIXTURE("scalar.npy"), 0, NULL);
    check_shape(FIXTURE("empty.npy"), 2, (const int64_t[]){0, 3});
    check_shape(FIXTURE("rank8.npy"), 8, (const int64_t[]){1, 2, 1, 1, 2, 1, 1, 1});
    check_shape(FIXTURE("version2.npy"), 1, (const int64_t[]){3});
    check_shape(FIXTURE("version3.npy"), 1, (const int64_t[]){3});
    check_shape(FIXTURE("python2.npy"), 2, (const int64_t[]){3, 1});
}

/* ---- text ---- */

static void check_texts(const char *path, size_t n, const char *const *want)
{
    inarch_error err;
    ia_npy npy;
    assert_ok(read_file(path, &npy, &err), err);
    assert_true(npy.is_text);
    assert_int_equal(npy.texts.count, n);
    for (size_t i = 0; i < n; i++)
        assert_string_equal(npy.texts.bytes + npy.texts.start[i], want[i]);
    ia_npy_release(&npy);
}

static void test_text(void **state)
{
    (void)state;
    static const char *const words[] = {"cat", "d\xc3\xb6g", "", "\xf0\x9f\x90\xb1x"};
    check_texts(FIXTURE("unicode.npy"), 4, words);
    check_texts(FIXTURE("unicode_be_f.npy"), 4, words);
    static const char *const bytes[] = {"ab", "c", "abc"};
    check_texts(FIXTURE("bytes.npy"), 3, bytes);
}

static void test_text_is_not_numbers(void **state)
{
    (void)state;
    inarch_error err;
    ia_input in;
    ia_stream s;
    ia_array a;
    assert_ok(ia_input_open(FIXTURE("bytes.npy"), &in, &err), err);
    in.name = "x.npy";
    assert_ok(ia_stream_open_any(&in, &s, &err), err);
    assert_int_equal(ia_npy_read_array(&s, &a, &err), INARCH_BAD_DATA);
    assert_string_equal(err.message, "'x.npy' holds text, not numbers");
    ia_stream_close(&s);
    ia_input_close(&in);
}

/* ---- what is refused, word by word ---- */

typedef struct refusal {
    const char *path;
    inarch_status status;
    const char *message, *hint;
} refusal;

static const refusal refusals[] = {
    {FIXTURE("object.npy"), INARCH_UNSUPPORTED,
     "'x.npy' holds Python objects ('|O'), which are not read",
     "pickled object arrays are not read; save numbers with allow_pickle=False"},
    {FIXTURE("complex.npy"), INARCH_UNSUPPORTED,
     "'x.npy' holds complex numbers ('<c8'), which are not read",
     "save real and imaginary parts as columns"},
    {FIXTURE("date.npy"), INARCH_UNSUPPORTED, "'x.npy' holds dates ('<M8[s]'), which are not read",
     "save them as numbers"},
    {FIXTURE("longdouble.npy"), INARCH_UNSUPPORTED,
     "'x.npy' holds floats of an unusual size (long double) ('<f16'), which are not read",
     "save float32 or float64"},
    {FIXTURE("record.npy"), INARCH_UNSUPPORTED,
     "'x.npy' holds raw bytes or records ('[...]'), which are not read",
     "save one array of numbers for each field"},
    {FIXTURE("void.npy"), INARCH_UNSUPPORTED,
     "'x.npy' holds raw bytes or records ('|V2'), which are not read",
     "save one array of numbers for each field"},
    {FIXTURE("rank9.npy"), INARCH_UNSUPPORTED, "'x.npy' has more than 8 dimensions", ""},
    {FIXTURE("bytes_bad.npy"), INARCH_BAD_DATA,
     "'x.npy' holds text that is not Unicode (element 1)", ""},
    {FIXTURE("plain.zip"), INARCH_BAD_FILE,
     "'x.npy' is not a sound .npy file: it does not begin with \\x93NUMPY", ""},
};

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < IA_COUNT(refusals); i++) {
        const refusal *r = &refusals[i];
        inarch_error err;
        ia_npy n;
        assert_int_equal(read_file(r->path, &n, &err), r->status);
        assert_string_equal(err.message, r->message);
        assert_string_equal(err.hint, r->hint);
        assert_string_equal(err.subject, "x.npy");
    }
}

/* Headers made by hand: everything a dict literal could do wrong. */
static void check_header(const char *header, size_t data, const char *message)
{
    uint8_t file[512] = "\x93NUMPY\1";
    size_t n = strlen(header);
    file[8] = (uint8_t)n;
    memcpy(file + 10, header, n);
    ia_input in = ia_input_memory(file, 10 + n + data, "x.npy");
    inarch_error err = {0};
    ia_npy npy;
    inarch_status status = read_input(&in, &npy, &err);
    if (message) {
        assert_int_not_equal(status, INARCH_OK);
        assert_string_equal(err.message, message);
    } else {
        assert_ok(status, err);
        ia_npy_release(&npy);
    }
}

#define UNSOUND "'x.npy' is not a sound .npy file: "
#define KEYS UNSOUND "its header is not a dict of three known keys"

static void test_headers(void **state)
{
    (void)state;
    check_header("{'descr':'<f4','fortran_order':False,'shape':(2,)}", 8, NULL);
    check_header(" { 'shape' : ( 2 , 1 ) , \"descr\" : \"=i2\" ,'fortran_order':True , } \n", 4,
                 NULL);
    check_header("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x", 8, KEYS);
    check_header("{'descr': '<f4', 'fortran_order': False}", 8, KEYS);
    check_header("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': ()}", 4, KEYS);
    check_header("{'descr': '<f4', 'fortran_order': False, 'shape': (), 'x': 1}", 4, KEYS);
    check_header("{'descr': '<f4', 'fortran_order': 1, 'shape': ()}", 4,
                 UNSOUND "its order is neither True nor False");
    check_header("{'descr': 4, 'fortran_order': False, 'shape': ()}", 4,
                 UNSOUND "its type is not a string");
    check_header("['descr']", 0, UNSOUND "its header is not a dict");
    check_header("{'descr': '<f4', 'fortran_order': False, 'shape': [2]}", 8,
                 UNSOUND "its shape is not a tuple");
    check_header("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}", 8,
                 UNSOUND "its shape is not a tuple of whole numbers");
    check_header("{'descr': '<f4', 'fortran_order': False, 'shape': (2 2)}", 8,
                 UNSOUND "its shape is not a tuple of whole numbers");
    check_header("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", 8,
                 UNSOUND "its shape is not a tuple of whole numbers");
    check_header("{'descr': '<U0', 'fortran_order': False, 'shape': (9000000000,)}", 0,
                 UNSOUND "its elements have no bytes");
    check_header("{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}", 8,
                 "'x.npy' declares the shape (3,), which takes 12 bytes, but 8 follow");
    check_header("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", 8,
                 "'x.npy' declares the shape (1,), which takes 4 bytes, but 8 follow");
    check_header("{'descr': '<f8', 'fortran_order': False, 'shape': (9000000000000000000, 2)}", 8,
                 "'x.npy' declares the shape (9000000000000000000, 2), more than can be addressed");
    check_header("{'descr': '<x8', 'fortran_order': False, 'shape': (1,)}", 8,
                 "'x.npy' holds elements of type '<x8', which are not read");
}

/* ---- damage ---- */

static void test_cuts(void **state)
{
    (void)state;
    each_cut(FIXTURE("fortran3.npy"), read_and_drop);
    each_cut(FIXTURE("unicode_be_f.npy"), read_and_drop);
    each_cut(FIXTURE("version3.npy"), read_and_drop);
}

static void test_bytes(void **state)
{
    (void)state;
    each_byte(FIXTURE("fortran3.npy"), 200, read_and_drop);
    each_byte(FIXTURE("unicode_be_f.npy"), 200, read_and_drop);
    each_byte(FIXTURE("version3.npy"), 200, read_and_drop);
}

static void test_allocations(void **state)
{
    (void)state;
    each_allocation(FIXTURE("fortran3.npy"), read_and_drop);
    each_allocation(FIXTURE("unicode_be_f.npy"), read_and_drop);
}

/* ---- writing ---- */

static void test_write_header_as_numpy(void **state)
{
    (void)state;
    inarch_error err;
    ia_buf b = IA_BUF(1024);
    ia_shape shape = ia_shape_of(2, (const int64_t[]){0, 3});
    assert_ok(ia_npy_header(IA_F32, &shape, &b, &err), err);
    uint8_t *numpy;
    size_t n;
    load(FIXTURE("empty.npy"), &numpy, &n);
    assert_int_equal(b.len, n);
    assert_memory_equal(b.data, numpy, n);
    ia_free(numpy);
    ia_buf_free(&b);
    assert_int_equal(ia_npy_header(IA_BF16, &shape, &b, &err), INARCH_UNSUPPORTED);
    assert_string_equal(err.message, "NumPy has no element type 'bfloat16'");
}

static void test_write_and_read(void **state)
{
    (void)state;
    inarch_error err;
    static const ia_dtype types[] = {IA_F32, IA_F64, IA_I64, IA_U8};
    for (size_t i = 0; i < IA_COUNT(types); i++) {
        const char *path = "inarch_test_npy.npy";
        ia_shape shape = ia_shape_of(3, (const int64_t[]){2, 1, 3});
        ia_array a;
        ia_output *o;
        ia_npy back;
        assert_ok(ia_array_new(types[i], &shape, "a", &a, &err), err);
        ia_dtype_from_f32(types[i], (const float[]){1, 2, 3, 4, 5, 250}, 6, ia_array_mutable(&a));
        assert_ok(ia_output_open(path, &o, &err), err);
        assert_ok(ia_npy_write(&a, o, &err), err);
        assert_ok(ia_output_commit(o, &err), err);
        assert_ok(read_file(path, &back, &err), err);
        assert_true(ia_shape_equal(&back.array.shape, &shape));
        assert_int_equal(back.array.dtype, types[i]);
        assert_memory_equal(ia_array_data(&back.array), ia_array_data(&a),
                            6 * ia_dtype_size(types[i]));
        ia_npy_release(&back);
        ia_array_release(&a);
        remove(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_fortran_rank_3_big_endian),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_text_is_not_numbers),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_allocations),
        cmocka_unit_test(test_write_header_as_numpy),
        cmocka_unit_test(test_write_and_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
