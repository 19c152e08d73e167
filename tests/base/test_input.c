/* Reading files and memory through windows. */
#include "test.h"
#include "base/alloc.h"
#include "base/input.h"
#include "failing_alloc.h"
#include "scratch.h"

static void reads_a_file(void **state)
{
    (void)state;
    inarch_error err;
    ia_input in;
    const char *path = scratch("a.bin");
    scratch_write(path, "0123456789");
    assert_ok(ia_input_open(path, &in, &err), err);
    assert_true(in.size == 10);
    char got[11] = "";
    assert_ok(ia_input_read(&in, 3, 4, got, &err), err);
    assert_string_equal(got, "3456");
    assert_ok(ia_input_read(&in, 10, 0, got, &err), err);
    uint8_t *all;
    size_t len;
    assert_ok(ia_input_read_all(&in, 10, &all, &len, &err), err);
    assert_int_equal(len, 10);
    assert_string_equal((char *)all, "0123456789");
    ia_free(all);
    assert_int_equal(ia_input_read_all(&in, 9, &all, &len, &err), INARCH_LIMIT);
    assert_non_null(strstr(err.message, "a.bin' has 10 bytes, but at most 9 are read"));
    ia_input_close(&in);
    assert_int_equal(in.fd, -1);
    ia_input_close(&in);
}

static void checks_windows(ia_input whole)
{
    inarch_error err;
    ia_input half, part, none;
    char got[11] = "";
    assert_ok(ia_input_window(&whole, 2, 6, &half, &err), err); /* 234567 */
    assert_ok(ia_input_window(&half, 1, 3, &part, &err), err);  /* 345 */
    assert_ok(ia_input_read(&part, 0, 3, got, &err), err);
    assert_string_equal(got, "345");
    assert_ok(ia_input_window(&part, 3, 0, &none, &err), err);
    uint8_t *all;
    size_t len;
    assert_ok(ia_input_read_all(&none, 0, &all, &len, &err), err);
    assert_true(len == 0 && all[0] == 0);
    ia_free(all);
    static const struct {
        uint64_t offset, size;
    } outside[] = {{0, 4}, {1, 3}, {4, 0}, {UINT64_MAX, 2}, {2, UINT64_MAX}, {3, 1}};
    for (size_t i = 0; i < IA_COUNT(outside); i++) {
        memset(got, 'x', 4);
        assert_int_equal(ia_input_window(&part, outside[i].offset, outside[i].size, &none, &err),
                         INARCH_BAD_FILE);
        if (outside[i].size <= 4)
            assert_int_equal(
                ia_input_read(&part, outside[i].offset, (size_t)outside[i].size, got, &err),
                INARCH_BAD_FILE);
        assert_memory_equal(got, "xxxx", 4);
    }
    assert_int_equal(ia_input_read(&part, 1, 3, got, &err), INARCH_BAD_FILE);
    assert_non_null(strstr(err.message, "' ends at byte 6, but 3 bytes at 4 are needed"));
    assert_string_equal(err.hint, "the file is damaged or was cut short");
}

static void has_windows(void **state)
{
    (void)state;
    inarch_error err;
    ia_input in;
    const char *path = scratch("w.bin");
    scratch_write(path, "0123456789");
    assert_ok(ia_input_open(path, &in, &err), err);
    checks_windows(in);
    ia_input_close(&in);
    checks_windows(ia_input_memory("0123456789", 10, "memory"));
    ia_input empty = ia_input_memory(NULL, 0, "nothing");
    uint8_t byte;
    assert_ok(ia_input_read(&empty, 0, 0, &byte, &err), err);
    assert_int_equal(ia_input_read(&empty, 0, 1, &byte, &err), INARCH_BAD_FILE);
    ia_input_close(&empty);
}

static void notices_a_file_cut_while_read(void **state)
{
    (void)state;
    inarch_error err;
    ia_input in;
    const char *path = scratch("cut.bin");
    scratch_write(path, "0123456789");
    assert_ok(ia_input_open(path, &in, &err), err);
    assert_int_equal(truncate(path, 5), 0);
    char got[10];
    assert_ok(ia_input_read(&in, 0, 5, got, &err), err);
    assert_int_equal(ia_input_read(&in, 0, 10, got, &err), INARCH_BAD_FILE);
    assert_non_null(strstr(err.message, "became shorter while it was read"));
    uint8_t *all;
    size_t len;
    assert_int_equal(ia_input_read_all(&in, 100, &all, &len, &err), INARCH_BAD_FILE);
    ia_input_close(&in);
}

static void refuse(const char *path, const char *reason, const char *hint)
{
    inarch_error err;
    ia_input in;
    assert_int_equal(ia_input_open(path, &in, &err), INARCH_IO);
    char message[512];
    snprintf(message, sizeof message, "cannot open '%s': %s", path, reason);
    assert_string_equal(err.message, message);
    assert_string_equal(err.hint, hint);
}

static void says_why_it_cannot_open(void **state)
{
    (void)state;
    refuse(scratch("missing.h5"), "no such file or folder", "check the path");
    refuse("", "no such file or folder", "check the path");
    refuse(scratch_folder, "it is a folder", "give the name of a file");
    scratch_write(scratch("plain"), "x");
    refuse(scratch("plain/x"), "part of the path is not a folder", "check the path");
    const char *fifo = scratch("fifo"); /* would block for ever if opened naively */
    assert_int_equal(mkfifo(fifo, 0600), 0);
    refuse(fifo, "it is not a regular file",
           "copy it to a file first; CSV can be piped in as --data -");
    refuse("/dev/zero", "it is not a regular file",
           "copy it to a file first; CSV can be piped in as --data -");
    refuse("-", "standard input cannot be read here",
           "name a file; CSV alone is read from it, as --data -");

    char longest[400];
    memset(longest, 'n', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    inarch_error err;
    ia_input in;
    assert_int_equal(ia_input_open(longest, &in, &err), INARCH_IO);
    assert_non_null(strstr(err.message, "cannot open '...nnn"));
    assert_non_null(strstr(err.message, "nnn': the name is too long"));
}

static void respects_permissions(void **state)
{
    (void)state;
    const char *path = scratch("secret");
    scratch_write(path, "x");
    assert_int_equal(chmod(path, 0), 0);
    assert_int_equal(chmod(scratch_folder, 0755), 0);
    uid_t me = geteuid();
    if (me == 0 && seteuid(65534)) {
        print_message("skipped: cannot drop root\n");
        skip();
    }
    inarch_error err;
    ia_input in;
    inarch_status status = ia_input_open(path, &in, &err);
    assert_int_equal(seteuid(me), 0);
    assert_int_equal(status, INARCH_IO);
    assert_non_null(strstr(err.message, "secret': permission denied"));
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    inarch_error err;
    ia_input in = ia_input_memory("abc", 3, "memory");
    uint8_t *all = NULL;
    size_t len = 7;
    alloc_countdown = 0;
    assert_int_equal(ia_input_read_all(&in, 100, &all, &len, &err), INARCH_NO_MEMORY);
    assert_null(all);
    assert_int_equal(len, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_file),
        cmocka_unit_test(has_windows),
        cmocka_unit_test(notices_a_file_cut_while_read),
        cmocka_unit_test(says_why_it_cannot_open),
        cmocka_unit_test(respects_permissions),
        cmocka_unit_test(survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
