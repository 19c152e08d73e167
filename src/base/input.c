/* Reading files with pread into memory of our own, and the same from memory.
 *
 * Nothing here is mapped, and no position is shared: several threads may read one input. */
#include "base/input.h"
#include "base/alloc.h"
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_AT_ONCE ((size_t)1 << 30) /* Linux reads at most 2 GiB a call */

inarch_status ia_input_open(const char *name, ia_input *out, inarch_error *err)
{
    /* O_NONBLOCK: opening a FIFO would otherwise wait for a writer before fstat can refuse it. */
    if (strcmp(name, "-") == 0)
        return ia_fail(err, INARCH_IO, name, "name a file; CSV alone is read from it, as --data -",
                       "cannot open '-': standard input cannot be read here");
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return ia_fail_os(err, errno, "cannot open", name);
    struct stat st;
    int error = fstat(fd, &st) ? errno : S_ISDIR(st.st_mode) ? EISDIR : 0;
    if (error) {
        close(fd);
        return ia_fail_os(err, error, "cannot open", name);
    }
    if (!S_ISREG(st.st_mode)) {
        close(fd);
        return ia_fail(err, INARCH_IO, name,
                       "copy it to a file first; CSV can be piped in as --data -",
                       "cannot open '%.240s': it is not a regular file", name);
    }
    *out = (ia_input){.name = name, .fd = fd, .size = (uint64_t)st.st_size};
    return INARCH_OK;
}

ia_input ia_input_memory(const void *data, size_t size, const char *name)
{
    static const uint8_t nothing[1]; /* an empty memory input is no file */
    return (ia_input){.name = name, .bytes = data ? data : nothing, .fd = -1, .size = size};
}

/* [offset, offset + n) lies inside. */
static inarch_status input_check(const ia_input *in, uint64_t offset, uint64_t n, inarch_error *err)
{
    if (offset <= in->size && n <= in->size - offset)
        return INARCH_OK;
    return ia_fail(err, INARCH_BAD_FILE, in->name, "the file is damaged or was cut short",
                   "'%.200s' ends at byte %llu, but %llu bytes at %llu are needed", in->name,
                   (unsigned long long)(in->base + in->size), (unsigned long long)n,
                   (unsigned long long)(in->base + offset));
}

inarch_status ia_input_window(const ia_input *in, uint64_t offset, uint64_t size, ia_input *out,
                              inarch_error *err)
{
    IA_TRY(input_check(in, offset, size, err));
    ia_input window = *in;
    window.base += offset;
    window.size = size;
    *out = window;
    return INARCH_OK;
}

static inarch_status input_pread(const ia_input *in, uint64_t at, size_t n, uint8_t *dst,
                                 inarch_error *err)
{
    while (n) {
        ssize_t got = pread(in->fd, dst, n < READ_AT_ONCE ? n : READ_AT_ONCE, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ia_fail_os(err, errno, "cannot read", in->name);
        if (got == 0)
            return ia_fail(err, INARCH_BAD_FILE, in->name, "another program is changing it",
                           "'%.200s' became shorter while it was read (it ends before byte %llu)",
                           in->name, (unsigned long long)(at + n));
        dst += got;
        at += (uint64_t)got;
        n -= (size_t)got;
    }
    return INARCH_OK;
}

inarch_status ia_input_read(const ia_input *in, uint64_t offset, size_t n, void *dst,
                            inarch_error *err)
{
    IA_TRY(input_check(in, offset, n, err));
    if (!in->bytes)
        return input_pread(in, in->base + offset, n, dst, err);
    if (n)
        memcpy(dst, in->bytes + (size_t)(in->base + offset), n);
    return INARCH_OK;
}

inarch_status ia_input_read_all(const ia_input *in, size_t max, uint8_t **out, size_t *len,
                                inarch_error *err)
{
    if (in->size > max || in->size >= SIZE_MAX)
        return ia_fail(err, INARCH_LIMIT, in->name, "",
                       "'%.200s' has %llu bytes, but at most %zu are read", in->name,
                       (unsigned long long)in->size, max);
    size_t n = (size_t)in->size;
    uint8_t *data = ia_calloc(n + 1, 1);
    if (!data)
        return ia_fail_memory(err, in->name, n + 1);
    inarch_status status = ia_input_read(in, 0, n, data, err);
    if (status != INARCH_OK) {
        ia_free(data);
        return status;
    }
    *out = data;
    *len = n;
    return INARCH_OK;
}

void ia_input_close(ia_input *in)
{
    if (!in->bytes && in->fd >= 0)
        close(in->fd);
    in->fd = -1;
}
