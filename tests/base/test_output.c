/* Files that appear whole or not at all. */
#include "test.h"
#include "base/output.h"
#include "failing_alloc.h"
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static bool refuse_unnamed, refuse_links; /* as file systems and security modules may */

/* In place of the C library's. */
int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    unsigned mode = flags & O_CREAT ? va_arg(args, unsigned) : 0;
#ifdef O_TMPFILE
    if ((flags & O_TMPFILE) == O_TMPFILE) {
        mode = va_arg(args, unsigned);
        if (refuse_unnamed) {
            va_end(args);
            errno = EOPNOTSUPP;
            return -1;
        }
    }
#endif
    va_end(args);
    return openat(AT_FDCWD, path, flags, mode);
}

static int links_refused;

#ifdef SYS_linkat
int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags)
{
    if (refuse_links) {
        links_refused++;
        errno = EPERM;
        return -1;
    }
    return (int)syscall(SYS_linkat, from_folder, from, to_folder, to, flags);
}
#endif

static mode_t mode_of(const char *path)
{
    struct stat st;
    return stat(path, &st) ? 0 : st.st_mode & 07777;
}

/* How many names a file has while it is written: none, where the file system can do that. */
static int names_while_writing(void)
{
#ifdef O_TMPFILE
    if (refuse_unnamed)
        return 1;
    int fd = open(scratch_folder, O_TMPFILE | O_WRONLY, 0600);
    if (fd >= 0) {
        close(fd);
        return access("/proc/self/fd", F_OK) ? 1 : 0;
    }
#endif
    return 1;
}

static void writes_a_new_file(void **state)
{
    (void)state;
    inarch_error err;
    ia_output *o;
    const char *path = scratch("new.bin");
    unlink(path);
    mode_t old = umask(027);
    int before = scratch_count();
    assert_ok(ia_output_open(path, &o, &err), err);
    assert_ok(ia_output_write(o, "abc", 3, &err), err);
    assert_ok(ia_output_write(o, NULL, 0, &err), err);
    assert_int_equal(access(path, F_OK), -1); /* not before commit */
    assert_int_equal(scratch_count(), before + names_while_writing());
    assert_true(ia_output_size(o) == 3);
    assert_ok(ia_output_commit(o, &err), err);
    umask(old);
    assert_string_equal(scratch_read(path), "abc");
    assert_int_equal(mode_of(path), 0640);
    assert_int_equal(scratch_count(), before + 1);
}

static void replaces_and_keeps_permissions(void **state)
{
    (void)state;
    inarch_error err;
    ia_output *o;
    const char *path = scratch("old.bin");
    scratch_write(path, "old");
    assert_int_equal(chmod(path, 0604), 0);
    int before = scratch_count();
    assert_ok(ia_output_open(path, &o, &err), err);
    assert_ok(ia_output_write(o, "new", 3, &err), err);
    assert_string_equal(scratch_read(path), "old");
    assert_int_equal(scratch_count(), before + names_while_writing()); /* a kill leaves no more */
    ia_output_discard(o);
    assert_string_equal(scratch_read(path), "old");
    assert_int_equal(scratch_count(), before);
    assert_ok(ia_output_file(path, "newer", 5, &err), err);
    assert_string_equal(scratch_read(path), "newer");
    assert_int_equal(mode_of(path), 0604);
    assert_int_equal(scratch_count(), before);
    ia_output_discard(NULL);
}

/* Killed in the middle of a file larger than the buffer: nothing is left, the old file is whole. */
static void leaves_nothing_when_killed(void **state)
{
    (void)state;
    static uint8_t data[200000];
    const char *path = scratch("killed.bin");
    int status;
    if (names_while_writing()) {
        print_message("skipped: no files without a name here\n");
        skip();
    }
    scratch_write(path, "old");
    int before = scratch_count();
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        ia_output *o;
        if (ia_output_open(path, &o, NULL) || ia_output_write(o, data, sizeof data, NULL))
            _exit(1);
        raise(SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_int_equal(scratch_count(), before);
    assert_string_equal(scratch_read(path), "old");
}

/* Sizes around the buffer's, in pieces of several sizes. */
static void writes_any_size(void **state)
{
    (void)state;
    static const size_t pieces[] = {1000, 65535, 65536, 65537, 200000};
    static uint8_t data[400000], back[400000];
    inarch_error err;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 2654435761u >> 13);
    const char *path = scratch("big.bin");
    for (size_t p = 0; p < IA_COUNT(pieces); p++) {
        ia_output *o;
        assert_ok(ia_output_open(path, &o, &err), err);
        for (size_t at = 0; at < sizeof data; at += pieces[p]) {
            size_t left = sizeof data - at;
            assert_ok(ia_output_write(o, data + at, left < pieces[p] ? left : pieces[p], &err),
                      err);
        }
        assert_true(ia_output_size(o) == sizeof data);
        assert_ok(ia_output_commit(o, &err), err);
        FILE *f = fopen(path, "rb");
        assert_int_equal(fread(back, 1, sizeof back, f), sizeof back);
        assert_int_equal(fgetc(f), EOF);
        fclose(f);
        assert_memory_equal(back, data, sizeof data);
    }
}

static void does_without_unnamed_files(void **state)
{
    refuse_unnamed = true;
    writes_a_new_file(state);
    replaces_and_keeps_permissions(state);
    refuse_unnamed = false;
}

/* The refusal comes when all is written: too late to lose it. */
static void does_without_links(void **state)
{
    if (names_while_writing()) {
        print_message("skipped: no files without a name here\n");
        skip();
    }
    refuse_links = true;
    writes_a_new_file(state);
    replaces_and_keeps_permissions(state);
    writes_any_size(state);
    refuse_links = false;
    assert_true(links_refused > 0);
}

static void follows_links(void **state)
{
    (void)state;
    inarch_error err;
    struct stat st;
    const char *file = scratch("pointed.bin"), *link = scratch("link"),
               *dangling = scratch("dangling");
    scratch_write(file, "old");
    assert_int_equal(symlink("pointed.bin", link), 0);
    assert_ok(ia_output_file(link, "through", 7, &err), err);
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_string_equal(scratch_read(file), "through");

    char absolute[600];
    snprintf(absolute, sizeof absolute, "%s/made.bin", scratch_folder);
    assert_int_equal(symlink(absolute, dangling), 0);
    assert_ok(ia_output_file(dangling, "made", 4, &err), err);
    assert_string_equal(scratch_read(absolute), "made");
    assert_int_equal(lstat(dangling, &st), 0);
    assert_true(S_ISLNK(st.st_mode));

    const char *loop = scratch("loop");
    assert_int_equal(symlink("loop", loop), 0);
    assert_int_equal(ia_output_file(loop, "x", 1, &err), INARCH_IO);
    assert_non_null(strstr(err.message, "loop': too many symbolic links"));
}

static void refuse(const char *path, const char *reason)
{
    inarch_error err = {0};
    int before = scratch_count();
    assert_int_equal(ia_output_file(path, "x", 1, &err), INARCH_IO);
    char message[600];
    snprintf(message, sizeof message, "cannot write '%s': %s", path, reason);
    assert_string_equal(err.message, message);
    assert_string_not_equal(err.hint, "");
    assert_int_equal(scratch_count(), before);
}

static void says_why_it_cannot_write(void **state)
{
    (void)state;
    char reason[600];
    refuse(scratch_folder, "it is a folder");
    refuse("", "no such file or folder");
    snprintf(reason, sizeof reason, "there is no folder '%s'", scratch("nowhere"));
    refuse(scratch("nowhere/x.h5"), reason);
    refuse(scratch("nowhere/"), reason);
    scratch_write(scratch("plain"), "x");
    refuse(scratch("plain/x"), "part of the path is not a folder");
    refuse("/dev/full", "no space left on device");
}

static void respects_permissions(void **state)
{
    (void)state;
    const char *file = scratch("readonly.bin"), *folder = scratch("closed");
    scratch_write(file, "keep");
    uid_t me = geteuid();
    assert_int_equal(mkdir(folder, 0555), 0);
    assert_int_equal(chmod(scratch_folder, 0777), 0);
    assert_int_equal(chmod(file, 0444), 0);
    if (me == 0 && seteuid(65534)) {
        print_message("skipped: cannot drop root\n");
        skip();
    }
    inarch_error first, second;
    inarch_status a = ia_output_file(file, "x", 1, &first);
    inarch_status b = ia_output_file(scratch("closed/x.h5"), "x", 1, &second);
    assert_int_equal(seteuid(me), 0);
    assert_int_equal(a, INARCH_IO);
    assert_non_null(strstr(first.message, "readonly.bin': the file is read-only"));
    assert_string_equal(first.hint, "make it writable, or write elsewhere");
    assert_string_equal(scratch_read(file), "keep");
    assert_int_equal(b, INARCH_IO);
    assert_non_null(strstr(second.message, "/closed' is not writable"));
}

/* A write that fails half way: what was there stays, nothing is left behind. */
static void cleans_up_after_a_failed_write(void **state)
{
    (void)state;
    static uint8_t data[200000];
    inarch_error err;
    ia_output *o;
    const char *path = scratch("limited.bin");
    scratch_write(path, "old");
    int before = scratch_count();
    struct rlimit old, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 100000;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    inarch_status whole = ia_output_file(path, data, sizeof data, &err);
    inarch_status opened = ia_output_open(path, &o, NULL);
    inarch_status large = ia_output_write(o, data, sizeof data, NULL);
    inarch_status later = ia_output_write(o, data, 1, NULL); /* not as if nothing had happened */
    inarch_status committed = ia_output_commit(o, NULL);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_equal(whole, INARCH_IO);
    assert_non_null(strstr(err.message, "limited.bin': the file is too large for the file system"));
    assert_int_equal(opened, INARCH_OK);
    assert_int_equal(large, INARCH_IO);
    assert_int_equal(later, INARCH_IO);
    assert_int_equal(committed, INARCH_IO);
    assert_string_equal(scratch_read(path), "old");
    assert_int_equal(scratch_count(), before);
}

static void fails_at_commit_when_the_target_became_a_folder(void **state)
{
    (void)state;
    inarch_error err;
    ia_output *o;
    const char *path = scratch("becomes");
    assert_ok(ia_output_open(path, &o, &err), err);
    assert_ok(ia_output_write(o, "x", 1, &err), err);
    assert_int_equal(mkdir(path, 0700), 0);
    int before = scratch_count();
    assert_int_equal(ia_output_commit(o, &err), INARCH_IO);
    assert_non_null(strstr(err.message, "becomes': it is a folder"));
    assert_int_equal(scratch_count(), before - names_while_writing());
}

/* "-" and /dev/stdout, with standard output redirected to a file that holds something already. */
static void writes_standard_output(void **state)
{
    (void)state;
    inarch_error err;
    const char *path = scratch("stdout.txt");
    scratch_write(path, "first ");
    fflush(stdout);
    int saved = dup(STDOUT_FILENO), fd = open(path, O_WRONLY | O_APPEND);
    dup2(fd, STDOUT_FILENO);
    close(fd);
    inarch_status a = ia_output_file("-", "second ", 7, &err);
    inarch_status b = ia_output_file("/dev/stdout", "third", 5, &err);
    int still_open = fcntl(STDOUT_FILENO, F_GETFD);
    int full = open("/dev/full", O_WRONLY);
    dup2(full, STDOUT_FILENO);
    close(full);
    inarch_status c = ia_output_file("-", "x", 1, &err);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    assert_int_equal(a, INARCH_OK);
    assert_int_equal(b, INARCH_OK);
    assert_int_not_equal(still_open, -1);
    assert_string_equal(scratch_read(path), "first second third");
    assert_int_equal(c, INARCH_IO);
    assert_string_equal(err.message, "cannot write 'standard output': no space left on device");
}

static void copes_with_long_and_bare_names(void **state)
{
    (void)state;
    inarch_error err;
    char name[300];
    memset(name, 'n', 255); /* the longest a file system takes; the temporary's must be shorter */
    name[255] = 0;
    assert_ok(ia_output_file(scratch(name), "long", 4, &err), err);
    assert_string_equal(scratch_read(scratch(name)), "long");
    char here[4096];
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(scratch_folder), 0);
    inarch_status status = ia_output_file("bare.bin", "bare", 4, &err);
    assert_int_equal(chdir(here), 0);
    assert_ok(status, err);
    assert_string_equal(scratch_read(scratch("bare.bin")), "bare");
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    const char *path = scratch("memory.bin");
    int before = scratch_count(), failures = 0;
    for (int n = 0;; n++) {
        alloc_countdown = n;
        inarch_error err;
        inarch_status status = ia_output_file(path, "x", 1, &err);
        bool ran_out = alloc_countdown < 0;
        alloc_countdown = -1;
        if (!ran_out) {
            assert_ok(status, err);
            break;
        }
        if (status != INARCH_OK) { /* the folder's sync does without memory */
            assert_int_equal(status, INARCH_NO_MEMORY);
            assert_int_equal(scratch_count(), before);
            failures++;
        }
    }
    assert_true(failures >= 4);
    assert_int_equal(scratch_count(), before + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_a_new_file),
        cmocka_unit_test(replaces_and_keeps_permissions),
        cmocka_unit_test(leaves_nothing_when_killed),
        cmocka_unit_test(writes_any_size),
        cmocka_unit_test(does_without_unnamed_files),
        cmocka_unit_test(does_without_links),
        cmocka_unit_test(follows_links),
        cmocka_unit_test(says_why_it_cannot_write),
        cmocka_unit_test(respects_permissions),
        cmocka_unit_test(cleans_up_after_a_failed_write),
        cmocka_unit_test(fails_at_commit_when_the_target_became_a_folder),
        cmocka_unit_test(writes_standard_output),
        cmocka_unit_test(copes_with_long_and_bare_names),
        cmocka_unit_test(survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
