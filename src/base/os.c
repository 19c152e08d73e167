/* A table of errno values; strerror is neither thread-safe everywhere nor free of the locale. */
#include "base/os.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PATH_SHOWN 240 /* bytes of a path in a message, so that the reason still fits behind it */

static const struct {
    int error;
    const char *reason, *hint;
} os_reasons[] = {
    {ENOENT, "no such file or folder", "check the path"},
    {EACCES, "permission denied", "check the permissions of the file and its folder"},
    {EPERM, "permission denied", "check the permissions of the file and its folder"},
    {EISDIR, "it is a folder", "give the name of a file"},
    {ENOTDIR, "part of the path is not a folder", "check the path"},
    {ELOOP, "too many symbolic links", "check the path"},
    {ENAMETOOLONG, "the name is too long", "use a shorter path"},
    {ENOSPC, "no space left on device", "free some space, or write elsewhere"},
    {EDQUOT, "the disk quota is used up", "free some space, or write elsewhere"},
    {EFBIG, "the file is too large for the file system", "write elsewhere"},
    {EROFS, "the file system is read-only", "write elsewhere"},
    {EIO, "input or output error of the device", "check the disk"},
    {EMFILE, "too many open files", "close some files, or raise the limit (ulimit -n)"},
    {ENFILE, "too many open files in the system", "close some files"},
    {EPIPE, "the reader has gone", ""},
    {EBUSY, "it is in use", ""},
    {ETXTBSY, "it is in use", ""},
    {EXDEV, "it is on another file system", ""},
    {EINVAL, "the operating system does not accept it", ""},
    {ENXIO, "no such device", ""},
    {ENODEV, "no such device", ""},
    {ENOMEM, "the operating system is out of memory", ""},
    {EAGAIN, "it is not ready", ""},
    {EOVERFLOW, "the file is too large for this system", ""},
};

static size_t os_find(int error)
{
    size_t i = 0;
    while (i < IA_COUNT(os_reasons) && os_reasons[i].error != error)
        i++;
    return i;
}

const char *ia_os_reason(int error, char *out, size_t size)
{
    size_t i = os_find(error);
    if (i < IA_COUNT(os_reasons))
        return os_reasons[i].reason;
    snprintf(out, size, "system error %d", error);
    return out;
}

inarch_status ia_fail_os(inarch_error *err, int error, const char *cannot, const char *path)
{
    char number[32];
    size_t i = os_find(error), len = strlen(path);
    bool cut = len > PATH_SHOWN; /* the end of a path says more than its beginning */
    return ia_fail(err, INARCH_IO, path, i < IA_COUNT(os_reasons) ? os_reasons[i].hint : "",
                   "%s '%s%s': %s", cannot, cut ? "..." : "", cut ? path + len - PATH_SHOWN : path,
                   ia_os_reason(error, number, sizeof number));
}
