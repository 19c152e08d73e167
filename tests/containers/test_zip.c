/* ZIP against files that Python's zipfile wrote, files made wrong on purpose, and our own writer.
 */
#include "hostile.h"

#include "base/cursor.h"
#include "containers/zip.h"

#include <time.h>

#define FIXTURE(name) FIXTURES "/containers/" name
#define OUT "inarch_test_zip.zip"

static inarch_status read_all(const ia_input *in, inarch_error *err)
{
    ia_zip *z;
    IA_TRY(ia_zip_open(in, &z, err));
    inarch_status status = INARCH_OK;
    for (size_t i = 0; i < ia_zip_count(z) && status == INARCH_OK; i++) {
        uint8_t *data;
        size_t n;
        status = ia_zip_read(z, i, 1 << 20, &data, &n, err);
        if (status == INARCH_OK)
            ia_free(data);
        if (status == INARCH_OK)
            status = ia_zip_verify(z, i, err);
    }
    ia_zip_close(z);
    return status;
}

static void check_member(const ia_zip *z, const char *name, const void *want, size_t n)
{
    inarch_error err;
    size_t i, len;
    uint8_t *data;
    assert_true(ia_zip_find(z, name, &i));
    assert_string_equal(ia_zip_name(z, i), name);
    assert_int_equal(ia_zip_size(z, i), n);
    assert_ok(ia_zip_read(z, i, n, &data, &len, &err), err);
    assert_int_equal(len, n);
    assert_memory_equal(data, want, n);
    assert_int_equal(data[n], 0);
    ia_free(data);
}

static void test_python(void **state)
{
    (void)state;
    inarch_error err;
    ia_input in, window;
    ia_zip *z;
    size_t i;
    uint8_t b[256 * 40], *data;
    for (size_t k = 0; k < sizeof b; k++)
        b[k] = (uint8_t)k;
    assert_ok(ia_input_open(FIXTURE("plain.zip"), &in, &err), err);
    in.name = "x.zip";
    assert_ok(ia_zip_open(&in, &z, &err), err);
    assert_int_equal(ia_zip_count(z), 4);
    assert_string_equal(ia_zip_name(z, 0), "a.txt");
    check_member(z, "a.txt", "stored text", 11);
    check_member(z, "dir/b.bin", b, sizeof b);
    check_member(z, "dir/", "", 0);
    check_member(z, "\xc3\xbcml.txt", "", 0);
    assert_false(ia_zip_find(z, "a.tx", &i));
    assert_false(ia_zip_find(z, "", &i));

    assert_true(ia_zip_find(z, "a.txt", &i));
    assert_ok(ia_zip_window(z, i, &window, &err), err);
    assert_int_equal(window.size, 11);
    char text[6] = "";
    assert_ok(ia_input_read(&window, 7, 4, text, &err), err);
    assert_string_equal(text, "text");
    assert_string_equal(window.name, "x.zip:a.txt");

    assert_true(ia_zip_find(z, "dir/b.bin", &i));
    assert_int_equal(ia_zip_window(z, i, &window, &err), INARCH_UNSUPPORTED);
    assert_string_equal(err.message,
                        "member 'x.zip:dir/b.bin' is compressed and cannot be read in place");
    size_t len;
    assert_int_equal(ia_zip_read(z, i, 100, &data, &len, &err), INARCH_LIMIT);
    assert_string_equal(err.message,
                        "member 'x.zip:dir/b.bin' has 10240 bytes, but at most 100 are read");
    ia_zip_close(z);
    ia_input_close(&in);
}

static void test_streamed_with_descriptors(void **state)
{
    (void)state;
    inarch_error err;
    ia_input in;
    ia_zip *z;
    char second[601] = "";
    for (int k = 0; k < 100; k++)
        strcat(second, "second");
    assert_ok(ia_input_open(FIXTURE("streamed.zip"), &in, &err), err);
    assert_ok(ia_zip_open(&in, &z, &err), err);
    check_member(z, "a", "first", 5);
    check_member(z, "b", second, 600);
    ia_zip_close(z);
    ia_input_close(&in);
}

static void test_unread_method(void **state)
{
    (void)state;
    inarch_error err;
    ia_input in;
    assert_ok(ia_input_open(FIXTURE("bzip2.zip"), &in, &err), err);
    in.name = "x.zip";
    assert_int_equal(read_all(&in, &err), INARCH_UNSUPPORTED);
    assert_string_equal(err.message,
                        "member 'x.zip:a' is compressed in a way that is not read (method 12)");
    ia_input_close(&in);
}

/* ---- files that are wrong in one place ----
 *
 * plain.zip's first local header is at 0 and its directory at `directory`; the others are found
 * from there by their names. */

typedef struct edit {
    const char *what;
    size_t from_directory; /* the offset counts from the directory's start */
    size_t at;
    uint8_t value;
    const char *message;
} edit;

#define DIR 1

static const edit edits[] = {
    {"local method", 0, 8, 8, "member 'x:a.txt' is described in two ways that disagree"},
    {"local flags", 0, 6, 8, "member 'x:a.txt' is described in two ways that disagree"},
    {"local crc", 0, 14, 0, "member 'x:a.txt' is described in two ways that disagree"},
    {"local size", 0, 22, 10, "member 'x:a.txt' is described in two ways that disagree"},
    {"local name", 0, 30, 'b', "member 'x:a.txt' is described in two ways that disagree"},
    {"local magic", 0, 2, 9, "member 'x:a.txt' does not lie inside the file"},
    {"data", 0, 36, 'S', "'x:a.txt' has a wrong checksum: the file is damaged"},
    {"encrypted", DIR, 8, 1, "member 'x:a.txt' is encrypted"},
    {"patched", DIR, 8, 32, "member 'x:a.txt' uses a feature of ZIP that is not read (flags 0x20)"},
    {"two sizes", DIR, 24, 12, "member 'x:a.txt' is stored, but has two sizes"},
    {"far away", DIR, 44, 9, "member 'x:a.txt' does not lie inside the file"},
    {"disk", DIR, 34, 1, "'x' is not a sound ZIP file: it is one of several parts"},
    {"directory magic", DIR, 2, 9, "'x' is not a sound ZIP file: its directory is damaged"},
    {"no UTF-8", DIR, 46, 0xff,
     "'x' is not a sound ZIP file: the name of a member is empty or not UTF-8"},
};

static size_t find_bytes(const uint8_t *data, size_t n, const char *magic)
{
    for (size_t at = 0; at + 4 <= n; at++)
        if (memcmp(data + at, magic, 4) == 0)
            return at;
    fail_msg("no %s", magic);
    return 0;
}

static void test_one_wrong_byte(void **state)
{
    (void)state;
    uint8_t *data;
    size_t n;
    load(FIXTURE("plain.zip"), &data, &n);
    size_t directory = find_bytes(data, n, "PK\1\2");
    for (size_t i = 0; i < IA_COUNT(edits); i++) {
        const edit *e = &edits[i];
        inarch_error err = {0};
        uint8_t *byte = data + (e->from_directory ? directory : 0) + e->at;
        uint8_t old = *byte;
        *byte = e->value;
        ia_input in = ia_input_memory(data, n, "x");
        inarch_status status = read_all(&in, &err);
        assert_int_not_equal(status, INARCH_OK);
        assert_string_equal(err.message, e->message);
        *byte = old;
    }
    ia_free(data);
}

static void check_bytes(const void *data, size_t n, const char *message)
{
    inarch_error err = {0};
    ia_input in = ia_input_memory(data, n, "x");
    assert_int_equal(read_all(&in, &err), INARCH_BAD_FILE);
    assert_string_equal(err.message, message);
}

/* Two directory entries of one local header: an overlap and, by name, a repetition. */
static void test_overlap_and_repetition(void **state)
{
    (void)state;
    inarch_error err;
    ia_output *o;
    ia_zip_writer *w;
    const ia_piece piece = {"12345", 5};
    assert_ok(ia_output_open(OUT, &o, &err), err);
    assert_ok(ia_zip_writer_new(o, &w, &err), err);
    assert_ok(ia_zip_add(w, "a", IA_ZIP_STORED, &piece, 1, &err), err);
    assert_ok(ia_zip_add(w, "b", IA_ZIP_STORED, &piece, 1, &err), err);
    assert_int_equal(ia_zip_add(w, "a", IA_ZIP_STORED, &piece, 1, &err), INARCH_BAD_ARGUMENT);
    assert_string_equal(err.message, "member 'a' was written already");
    assert_ok(ia_zip_finish(w, &err), err);
    ia_zip_writer_free(w);
    assert_ok(ia_output_commit(o, &err), err);

    uint8_t *data;
    size_t n;
    load(OUT, &data, &n);
    remove(OUT);
    size_t local = 30 + 1 + 5, directory = 2 * local, second = directory + 46 + 1;
    assert_int_equal(n, second + 46 + 1 + 22);
    data[second + 46] = 'a'; /* the second is called as the first */
    data[local + 30] = 'a';
    check_bytes(data, n, "member 'x:a' is there twice");
    data[second + 42] = 0; /* and is the first */
    check_bytes(data, n, "member 'x:a' overlaps another one");
    data[second + 46] = 'b';
    data[second + 42] = (uint8_t)local;
    data[n - 22 + 10] = data[n - 22 + 8] = 1; /* one entry fewer than there are */
    check_bytes(data, n,
                "'x' is not a sound ZIP file: its directory has more entries than its end record "
                "says");
    check_bytes(data + 1, n - 1,
                "'x' is not a sound ZIP file: its directory does not end where the end record "
                "begins");
    check_bytes(data, n - 1, "'x' is not a sound ZIP file: it has no end record");
    check_bytes("", 0, "'x' is not a sound ZIP file: it has no end record");
    ia_free(data);
}

/* 3 MB whose directory names one long local header 65535 times: 4 GB to read, one by one. */
static void test_one_header_for_all(void **state)
{
    (void)state;
    enum { MEMBERS = 65535, EXTRA = 65532 };
    static const uint8_t local[30] = "PK\3\4\24", entry[46] = "PK\1\2\24\0\24", end[22] = "PK\5\6";
    size_t local_bytes = 30 + 1 + EXTRA, n = local_bytes + (size_t)MEMBERS * 47 + 22;
    uint8_t *data = ia_calloc(n, 1), *at = data + local_bytes;
    assert_non_null(data);
    memcpy(data, local, 30);
    data[26] = 1; /* bytes of the name */
    data[28] = EXTRA & 255;
    data[29] = EXTRA >> 8;
    data[30] = 'a';
    for (int i = 0; i < MEMBERS; i++, at += 47) {
        memcpy(at, entry, 46);
        at[28] = 1;
        at[46] = 'a';
    }
    memcpy(at, end, 22);
    memset(at + 8, 0xff, 4); /* entries */
    for (int i = 0; i < 4; i++) {
        at[12 + i] = (uint8_t)((size_t)MEMBERS * 47 >> 8 * i);
        at[16 + i] = (uint8_t)(local_bytes >> 8 * i);
    }
    clock_t start = clock();
    check_bytes(data, n, "member 'x:a' overlaps another one");
    assert_true(clock() - start < 5 * CLOCKS_PER_SEC);
    ia_free(data);
}

static void test_bomb(void **state)
{
    (void)state;
    /* A deflated member of 2 bytes that declares 4 GiB less 2 bytes: refused before memory is
     * taken. */
    static const uint8_t bomb[] = {
        'P', 'K', 3, 4,  20, 0,    0,    0,    8,    0,    0, 0,   0x21, 0,    0, 0, 0,
        0,   2,   0, 0,  0,  0xfe, 0xff, 0xff, 0xff, 1,    0, 0,   0,    'a',  3, 0, 'P',
        'K', 1,   2, 20, 0,  20,   0,    0,    0,    8,    0, 0,   0,    0x21, 0, 0, 0,
        0,   0,   2, 0,  0,  0,    0xfe, 0xff, 0xff, 0xff, 1, 0,   0,    0,    0, 0, 0,
        0,   0,   0, 0,  0,  0,    0,    0,    0,    0,    0, 'a', 'P',  'K',  5, 6, 0,
        0,   0,   0, 1,  0,  1,    0,    47,   0,    0,    0, 33,  0,    0,    0, 0, 0};
    inarch_error err;
    ia_zip *z;
    uint8_t *data;
    size_t n;
    ia_input in = ia_input_memory(bomb, sizeof bomb, "x");
    assert_ok(ia_zip_open(&in, &z, &err), err);
    assert_int_equal(ia_zip_read(z, 0, SIZE_MAX, &data, &n, &err), INARCH_BAD_FILE);
    assert_string_equal(err.message, "'x:a' declares 4294967294 bytes, more than its 2 compressed "
                                     "ones can hold");
    ia_zip_close(z);
}

/* An empty deflated member (3, 0) that claims three bytes. */
static void test_bytes_behind_deflated(void **state)
{
    (void)state;
    static const uint8_t file[] = {
        'P', 'K', 3, 4, 20, 0, 0,    0, 8, 0,   0, 0, 0x21, 0,   0,   0, 0, 0,   3,   0,   0,
        0,   0,   0, 0, 0,  1, 0,    0, 0, 'a', 3, 0, 'x',  'P', 'K', 1, 2, 20,  0,   20,  0,
        0,   0,   8, 0, 0,  0, 0x21, 0, 0, 0,   0, 0, 3,    0,   0,   0, 0, 0,   0,   0,   1,
        0,   0,   0, 0, 0,  0, 0,    0, 0, 0,   0, 0, 0,    0,   0,   0, 0, 'a', 'P', 'K', 5,
        6,   0,   0, 0, 0,  1, 0,    1, 0, 47,  0, 0, 0,    34,  0,   0, 0, 0,   0};
    check_bytes(file, sizeof file, "'x:a' has bytes behind the end of its compressed data");
}

static void test_damage(void **state)
{
    (void)state;
    static const char *const paths[] = {FIXTURE("plain.zip"), FIXTURE("streamed.zip")};
    for (size_t i = 0; i < IA_COUNT(paths); i++) {
        each_cut(paths[i], read_all);
        each_byte(paths[i], 1000, read_all);
        each_allocation(paths[i], read_all);
    }
    each_byte(FIXTURE("types_deflated.npz"), 300, read_all);
}

/* ---- the writer ---- */

static void write_some(const char *path, inarch_error *err)
{
    ia_output *o;
    ia_zip_writer *w;
    uint8_t b[100000];
    for (size_t k = 0; k < sizeof b; k++)
        b[k] = (uint8_t)(k / 7);
    const ia_piece two[] = {{"one, ", 5}, {"two", 3}};
    const ia_piece parts[] = {{b, 70000}, {NULL, 0}, {b + 70000, 30000}};
    assert_ok(ia_output_open(path, &o, err), *err);
    assert_ok(ia_zip_writer_new(o, &w, err), *err);
    assert_ok(ia_zip_add(w, "t.txt", IA_ZIP_STORED, two, 2, err), *err);
    assert_ok(ia_zip_add(w, "d/\xc3\xbc", IA_ZIP_DEFLATED, parts, 3, err), *err);
    assert_ok(ia_zip_add(w, "empty", IA_ZIP_DEFLATED, NULL, 0, err), *err);
    assert_ok(ia_zip_finish(w, err), *err);
    ia_zip_writer_free(w);
    assert_ok(ia_output_commit(o, err), *err);
}

static void test_write(void **state)
{
    (void)state;
    inarch_error err;
    ia_input in;
    ia_zip *z;
    uint8_t *first, *again, b[100000];
    size_t n, m;
    for (size_t k = 0; k < sizeof b; k++)
        b[k] = (uint8_t)(k / 7);
    write_some(OUT, &err);
    load(OUT, &first, &n);
    write_some(OUT, &err);
    load(OUT, &again, &m);
    assert_int_equal(n, m);
    assert_memory_equal(first, again, n);
    assert_true(n < 2000);                              /* it did deflate */
    assert_int_equal(first[12] | first[13] << 8, 0x21); /* 1980-01-01 */
    assert_ok(ia_input_open(OUT, &in, &err), err);
    assert_ok(ia_zip_open(&in, &z, &err), err);
    check_member(z, "t.txt", "one, two", 8);
    check_member(z, "d/\xc3\xbc", b, sizeof b);
    check_member(z, "empty", "", 0);
    ia_zip_close(z);
    ia_input_close(&in);
    ia_free(first);
    ia_free(again);
    remove(OUT);
}

/* Python's zipfile, where there is a python3, finds no fault. */
static void test_write_python_reads(void **state)
{
    (void)state;
    inarch_error err;
    if (system("python3 -c '' >/dev/null 2>&1") != 0) {
        print_message("python3 is not installed\n");
        skip();
    }
    write_some(OUT, &err);
    int status =
        system("python3 -c \"import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); "
               "assert z.testzip() is None; "
               "assert z.namelist() == ['t.txt', 'd/\xc3\xbc', 'empty'], z.namelist(); "
               "assert z.read('t.txt') == b'one, two'; "
               "assert z.read('d/\xc3\xbc') == bytes(k // 7 % 256 for k in range(100000))\""
               " " OUT);
    remove(OUT);
    assert_int_equal(status, 0);
}

/* 65,535 members and more need the zip64 end record; 65,537 are too many. */
static void test_many_members(void **state)
{
    (void)state;
    inarch_error err;
    ia_output *o;
    ia_zip_writer *w;
    ia_input in;
    ia_zip *z;
    char name[16];
    assert_ok(ia_output_open(OUT, &o, &err), err);
    assert_ok(ia_zip_writer_new(o, &w, &err), err);
    for (int i = 0; i < IA_ZIP_MAX_MEMBERS; i++) {
        snprintf(name, sizeof name, "m%d", i);
        const ia_piece piece = {name, 2};
        assert_ok(ia_zip_add(w, name, IA_ZIP_STORED, &piece, 1, &err), err);
    }
    assert_int_equal(ia_zip_add(w, "more", IA_ZIP_STORED, NULL, 0, &err), INARCH_LIMIT);
    assert_string_equal(err.message, "a ZIP file has at most 65536 members");
    assert_ok(ia_zip_finish(w, &err), err);
    ia_zip_writer_free(w);
    assert_ok(ia_output_commit(o, &err), err);
    assert_ok(ia_input_open(OUT, &in, &err), err);
    assert_ok(ia_zip_open(&in, &z, &err), err);
    assert_int_equal(ia_zip_count(z), 65536);
    check_member(z, "m65535", "m6", 2);
    check_member(z, "m0", "m0", 2);
    ia_zip_close(z);
    ia_input_close(&in);
    remove(OUT);
}

static inarch_status write_once(inarch_error *err)
{
    ia_output *o;
    ia_zip_writer *w = NULL;
    const ia_piece piece = {"12345678901234567890", 20};
    IA_TRY(ia_output_open(OUT, &o, err));
    inarch_status status = ia_zip_writer_new(o, &w, err);
    if (status == INARCH_OK)
        status = ia_zip_add(w, "a", IA_ZIP_STORED, &piece, 1, err);
    if (status == INARCH_OK)
        status = ia_zip_add(w, "b", IA_ZIP_DEFLATED, &piece, 1, err);
    if (status == INARCH_OK)
        status = ia_zip_finish(w, err);
    ia_zip_writer_free(w);
    if (status == INARCH_OK)
        return ia_output_commit(o, err);
    ia_output_discard(o);
    return status;
}

static void test_write_allocations(void **state)
{
    (void)state;
    inarch_error err = {0};
    inarch_status status = INARCH_NO_MEMORY;
    long n = 0;
    for (; status != INARCH_OK; n++) {
        assert_true(n < 1000);
        allocations_left = n;
        status = write_once(&err);
        allocations_left = -1;
        if (status != INARCH_OK)
            assert_int_equal(status, INARCH_NO_MEMORY);
    }
    assert_true(n > 5);
    remove(OUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_python),
        cmocka_unit_test(test_streamed_with_descriptors),
        cmocka_unit_test(test_unread_method),
        cmocka_unit_test(test_one_wrong_byte),
        cmocka_unit_test(test_overlap_and_repetition),
        cmocka_unit_test(test_one_header_for_all),
        cmocka_unit_test(test_bomb),
        cmocka_unit_test(test_bytes_behind_deflated),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_write),
        cmocka_unit_test(test_write_python_reads),
        cmocka_unit_test(test_many_members),
        cmocka_unit_test(test_write_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
