/* Files that appear whole: written without a name (O_TMPFILE), so that whatever kills the process
 * leaves nothing behind; then synced, named ".NAME.XXXXXX" beside the target, renamed over it.
 * Where a file system has no such files, that name is there from the beginning.
 *
 * A symbolic link stays and the file it names is replaced. What is no regular file - a terminal, a
 * pipe, /dev/full - is written directly. */
#include "base/output.h"
#include "base/alloc.h"
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BUFFER_BYTES 65536u
#define LINKS_FOLLOWED 40    /* as Linux does */
#define NAMES_TRIED 100      /* for the temporary */
#define TEMP_NAME_BYTES 200u /* of the target's name in it: file systems allow 255 */

struct ia_output {
    char *path;      /* as given, for messages */
    char *target;    /* what is renamed over; NULL when written directly */
    char *temporary; /* what is renamed; NULL while the bytes have no such name */
    bool unnamed;    /* the bytes have no name yet */
    int fd;
    bool borrowed; /* standard output: not ours to close */
    int error;     /* of the first write that failed: nothing succeeds after it */
    uint64_t size;
    size_t used;
    uint8_t buffer[BUFFER_BYTES];
};

static void output_free(ia_output *o)
{
    if (!o)
        return;
    if (o->fd >= 0 && !o->borrowed)
        close(o->fd);
    if (o->temporary)
        unlink(o->temporary);
    ia_free(o->temporary);
    ia_free(o->target);
    ia_free(o->path);
    ia_free(o);
}

/* Bytes of `path` up to and with the last slash. */
static int output_folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (int)(slash - path) + 1 : 0;
}

/* Follows the links that the last part of *path may be, also to a file that does not exist yet. */
static inarch_status output_follow(ia_output *o, inarch_error *err)
{
    char link[PATH_MAX];
    struct stat st;
    for (int i = 0; i < LINKS_FOLLOWED; i++) {
        if (lstat(o->target, &st) || !S_ISLNK(st.st_mode))
            return INARCH_OK;
        ssize_t n = readlink(o->target, link, sizeof link - 1);
        if (n < 0)
            return ia_fail_os(err, errno, "cannot write", o->path);
        link[n] = 0;
        int folder = link[0] == '/' ? 0 : output_folder_length(o->target);
        char *next = ia_asprintf("%.*s%s", folder, o->target, link);
        if (!next)
            return ia_fail_memory(err, o->path, (size_t)folder + (size_t)n + 1);
        ia_free(o->target);
        o->target = next;
    }
    return ia_fail_os(err, ELOOP, "cannot write", o->path);
}

static inarch_status output_fail_folder(const ia_output *o, int error, inarch_error *err)
{
    int folder = output_folder_length(o->target);
    const char *name = folder ? o->target : "./";
    if (!folder)
        folder = 2;
    if (error == ENOENT)
        return ia_fail(err, INARCH_IO, o->path, "make the folder first, or write elsewhere",
                       "cannot write '%.200s': there is no folder '%.*s'", o->path,
                       folder > 1 ? folder - 1 : folder, name);
    if (error == EACCES || error == EROFS)
        return ia_fail(err, INARCH_IO, o->path, "change its permissions, or write elsewhere",
                       "cannot write '%.200s': the folder '%.*s' is not writable", o->path,
                       folder > 1 ? folder - 1 : folder, name);
    return ia_fail_os(err, error, "cannot write", o->path);
}

/* Six letters that differ from call to call; O_EXCL makes sure, this only makes clashes rare. */
static void output_suffix(const ia_output *o, unsigned attempt, char out[7])
{
    static const char letter[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    struct timespec now = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t x = (uint64_t)now.tv_sec * 1000000007u + (uint64_t)now.tv_nsec;
    x += (uint64_t)getpid() << 32 ^ (uint64_t)(uintptr_t)o ^ attempt;
    for (int i = 0; i < 6; i++) {
        x = (x ^ x >> 31) * 0x9E3779B97F4A7C15u;
        out[i] = letter[(x >> 32) % (sizeof letter - 1)];
    }
    out[6] = 0;
}

/* Gives the bytes a name beside the target: of a new file that is opened, or of the unnamed one. */
static int output_try_name(ia_output *o, const char *path, mode_t mode)
{
    char self[64];
    if (!o->unnamed) {
        o->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        return o->fd >= 0 ? 0 : errno;
    }
    snprintf(self, sizeof self, "/proc/self/fd/%d", o->fd);
    return linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) ? errno : 0;
}

static inarch_status output_copy(ia_output *o, inarch_error *err);

static inarch_status output_name(ia_output *o, mode_t mode, inarch_error *err)
{
    int folder = output_folder_length(o->target), name = (int)strlen(o->target + folder);
    if (name > (int)TEMP_NAME_BYTES)
        name = (int)TEMP_NAME_BYTES;
    for (unsigned attempt = 0; attempt < NAMES_TRIED; attempt++) {
        char suffix[7];
        output_suffix(o, attempt, suffix);
        char *path =
            ia_asprintf("%.*s.%.*s.%s", folder, o->target, name, o->target + folder, suffix);
        if (!path)
            return ia_fail_memory(err, o->path, strlen(o->target) + sizeof suffix + 2);
        int error = output_try_name(o, path, mode);
        if (!error) {
            o->temporary = path;
            o->unnamed = false;
            return INARCH_OK;
        }
        ia_free(path);
        if (error != EEXIST && error != EINTR)
            return o->unnamed ? output_copy(o, err) : output_fail_folder(o, error, err);
    }
    return ia_fail_os(err, EEXIST, "cannot write", o->path);
}

/* A file without a name, if it could be given one later: that goes through /proc. */
static void output_create_unnamed(ia_output *o, mode_t mode)
{
#ifdef O_TMPFILE
    char folder[PATH_MAX], self[64];
    int n = output_folder_length(o->target);
    if (n >= PATH_MAX)
        return;
    snprintf(folder, sizeof folder, "%.*s", n ? n : 1, n ? o->target : ".");
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, mode);
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    if (fd >= 0 && access(self, F_OK)) {
        close(fd);
        fd = -1;
    }
    o->fd = fd;
    o->unnamed = fd >= 0;
#else
    (void)o, (void)mode;
#endif
}

/* A new file in the target's folder. `mode` is subject to the umask, as for any new file. */
static inarch_status output_create(ia_output *o, mode_t mode, inarch_error *err)
{
    output_create_unnamed(o, mode);
    return o->unnamed ? INARCH_OK : output_name(o, mode, err);
}

/* Beside a file that exists: it must be writable, and its mode (and owner, if we may) is kept. */
static inarch_status output_create_like(ia_output *o, const struct stat *st, inarch_error *err)
{
    if (faccessat(AT_FDCWD, o->target, W_OK, AT_EACCESS))
        return ia_fail(err, INARCH_IO, o->path, "make it writable, or write elsewhere",
                       "cannot write '%.200s': the file is read-only", o->path);
    IA_TRY(output_create(o, 0600, err));
    int given = fchown(o->fd, st->st_uid, st->st_gid);
    (void)given; /* if not ours to give, the new file stays with who writes it */
    if (fchmod(o->fd, st->st_mode & 0777))
        return ia_fail_os(err, errno, "cannot write", o->path);
    return INARCH_OK;
}

static inarch_status output_open_direct(ia_output *o, inarch_error *err)
{
    ia_free(o->target);
    o->target = NULL;
    o->fd = open(o->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    return o->fd < 0 ? ia_fail_os(err, errno, "cannot write", o->path) : INARCH_OK;
}

static inarch_status output_begin(ia_output *o, inarch_error *err)
{
    struct stat st;
    if (strcmp(o->path, "-") == 0 || strcmp(o->path, "/dev/stdout") == 0) {
        o->fd = STDOUT_FILENO; /* a second open of a redirected file would start at its beginning */
        o->borrowed = true;
        return INARCH_OK;
    }
    o->target = ia_strdup(o->path);
    if (!o->target)
        return ia_fail_memory(err, o->path, strlen(o->path) + 1);
    bool exists = stat(o->path, &st) == 0;
    if (!exists && errno != ENOENT && errno != EACCES)
        return ia_fail_os(err, errno, "cannot write", o->path);
    if (!exists && !o->path[0])
        return ia_fail_os(err, ENOENT, "cannot write", o->path);
    if (exists && S_ISDIR(st.st_mode))
        return ia_fail_os(err, EISDIR, "cannot write", o->path);
    if (exists && (!S_ISREG(st.st_mode) || strncmp(o->path, "/dev/fd/", 8) == 0))
        return output_open_direct(o, err);
    IA_TRY(output_follow(o, err));
    if (exists)
        return output_create_like(o, &st, err);
    if (!o->target[output_folder_length(o->target)]) /* "name/" */
        return output_fail_folder(o, ENOENT, err);
    return output_create(o, 0666, err);
}

inarch_status ia_output_open(const char *path, ia_output **out, inarch_error *err)
{
    ia_output *o = ia_calloc(1, sizeof *o);
    if (!o)
        return ia_fail_memory(err, path, sizeof *o);
    o->fd = -1;
    o->path = ia_strdup(path);
    inarch_status status =
        o->path ? output_begin(o, err) : ia_fail_memory(err, path, strlen(path) + 1);
    if (status != INARCH_OK) {
        output_free(o);
        return status;
    }
    *out = o;
    return INARCH_OK;
}

static inarch_status output_fail(ia_output *o, int error, inarch_error *err)
{
    o->error = error;
    return ia_fail_os(err, error, "cannot write", o->borrowed ? "standard output" : o->path);
}

static inarch_status output_put(ia_output *o, const uint8_t *data, size_t n, inarch_error *err)
{
    while (n) {
        ssize_t put = write(o->fd, data, n < SSIZE_MAX ? n : SSIZE_MAX);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return output_fail(o, put < 0 ? errno : EIO, err);
        data += put;
        n -= (size_t)put;
    }
    return INARCH_OK;
}

/* No name was allowed (security modules forbid such links, though not such files): the bytes go
 * into a file that has one after all, rather than being lost after hours of work. */
static inarch_status output_copy(ia_output *o, inarch_error *err)
{
    struct stat st;
    ssize_t n = -1;
    int from = o->fd;
    o->fd = -1;
    o->unnamed = false;
    inarch_status status = output_name(o, 0600, err);
    if (status == INARCH_OK && !fstat(from, &st) && !lseek(from, 0, SEEK_SET)) {
        int given = fchown(o->fd, st.st_uid, st.st_gid);
        (void)given; /* as in output_create_like */
        n = fchmod(o->fd, st.st_mode & 0777) ? -1 : 1;
        while (n > 0 && status == INARCH_OK && (n = read(from, o->buffer, BUFFER_BYTES)) > 0)
            status = output_put(o, o->buffer, (size_t)n, err);
    }
    if (status == INARCH_OK && (n < 0 || fsync(o->fd)))
        status = output_fail(o, errno, err);
    close(from);
    return status;
}

static inarch_status output_flush(ia_output *o, inarch_error *err)
{
    size_t used = o->used;
    o->used = 0;
    return output_put(o, o->buffer, used, err);
}

inarch_status ia_output_write(ia_output *o, const void *data, size_t n, inarch_error *err)
{
    if (o->error)
        return output_fail(o, o->error, err);
    if (!n)
        return INARCH_OK;
    if (n > BUFFER_BYTES - o->used)
        IA_TRY(output_flush(o, err));
    if (n >= BUFFER_BYTES) {
        IA_TRY(output_put(o, data, n, err));
    } else {
        memcpy(o->buffer + o->used, data, n);
        o->used += n;
    }
    o->size += n;
    return INARCH_OK;
}

uint64_t ia_output_size(const ia_output *o)
{
    return o->size;
}

/* After the rename: the folder's entry survives a power cut. Where folders cannot be synced, the
 * file is still complete, so this never fails. */
static void output_sync_folder(const ia_output *o)
{
    int n = output_folder_length(o->target);
    char *folder = n ? ia_strndup(o->target, (size_t)n) : ia_strdup(".");
    int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    ia_free(folder);
}

/* Closes what was opened here; closing may be what reports that the disk is full (NFS). */
static inarch_status output_close(ia_output *o, inarch_error *err)
{
    int fd = o->fd;
    if (o->borrowed)
        return INARCH_OK;
    o->fd = -1;
    return close(fd) && errno != EINTR ? output_fail(o, errno, err) : INARCH_OK;
}

static inarch_status output_finish(ia_output *o, inarch_error *err)
{
    if (o->error)
        return output_fail(o, o->error, err);
    IA_TRY(output_flush(o, err));
    if (!o->target)
        return output_close(o, err);
    if (fsync(o->fd))
        return output_fail(o, errno, err);
    if (o->unnamed)
        IA_TRY(output_name(o, 0, err));
    IA_TRY(output_close(o, err));
    if (rename(o->temporary, o->target))
        return output_fail(o, errno, err);
    ia_free(o->temporary);
    o->temporary = NULL;
    output_sync_folder(o);
    return INARCH_OK;
}

inarch_status ia_output_commit(ia_output *o, inarch_error *err)
{
    inarch_status status = output_finish(o, err);
    output_free(o);
    return status;
}

void ia_output_discard(ia_output *o)
{
    output_free(o);
}

inarch_status ia_output_file(const char *path, const void *data, size_t n, inarch_error *err)
{
    ia_output *o;
    IA_TRY(ia_output_open(path, &o, err));
    inarch_status status = ia_output_write(o, data, n, err);
    if (status != INARCH_OK) {
        ia_output_discard(o);
        return status;
    }
    return ia_output_commit(o, err);
}
