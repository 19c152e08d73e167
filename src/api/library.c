/* Versions, status names, and copying structs whose size callers set. */
#include "api/handle.h"

#include "base/alloc.h"

#include <string.h>

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

const char *inarch_version(void)
{
    return TEXT(INARCH_VERSION_MAJOR) "." TEXT(INARCH_VERSION_MINOR) "." TEXT(INARCH_VERSION_PATCH);
}

const char *inarch_status_name(inarch_status status)
{
    static const char *const names[] = {
        [INARCH_OK] = "ok",
        [INARCH_NO_MEMORY] = "no memory",
        [INARCH_IO] = "input or output failed",
        [INARCH_BAD_FILE] = "bad file",
        [INARCH_UNSUPPORTED] = "unsupported",
        [INARCH_BAD_ARGUMENT] = "bad argument",
        [INARCH_BAD_DATA] = "bad data",
        [INARCH_NOT_FOUND] = "not found",
        [INARCH_LIMIT] = "limit reached",
        [INARCH_DIVERGED] = "diverged",
        [INARCH_ABORTED] = "aborted",
    };
    bool known = status >= 0 && (size_t)status < IA_COUNT(names);
    return known ? names[status] : "unknown status";
}

static inarch_status bad_size(inarch_error *err)
{
    return ia_fail(err, INARCH_BAD_ARGUMENT, "size",
                   "start from the struct's INARCH_ macro, or set "
                   "size to sizeof the struct",
                   "a struct has no size, or one that is too large");
}

inarch_status api_options(const void *given, size_t size, void *out, inarch_error *err)
{
    if (!given)
        return INARCH_OK;
    uint32_t theirs;
    memcpy(&theirs, given, sizeof theirs);
    if (theirs < sizeof theirs || theirs > size)
        return bad_size(err);
    memcpy(out, given, theirs);
    memcpy(out, &(uint32_t){(uint32_t)size}, sizeof theirs);
    return INARCH_OK;
}

inarch_status api_info_out(const void *from, size_t size, void *out, inarch_error *err)
{
    uint32_t theirs;
    memcpy(&theirs, out, sizeof theirs);
    if (theirs < sizeof theirs || theirs > size)
        return bad_size(err);
    memcpy((char *)out + sizeof theirs, (const char *)from + sizeof theirs, theirs - sizeof theirs);
    return INARCH_OK;
}

inarch_shape api_shape(const ia_shape *s)
{
    inarch_shape out = {.rank = s->rank};
    for (int i = 0; i < s->rank && i < 8; i++)
        out.dim[i] = s->dim[i];
    return out;
}

inarch_status api_shape_in(const inarch_shape *s, ia_shape *out, inarch_error *err)
{
    if (s->rank < 0 || s->rank > IA_MAX_RANK - 1)
        return ia_fail(err, INARCH_BAD_ARGUMENT, "shape", "leave the batch out",
                       "the rank of a row must lie between 0 and %d, not %d", IA_MAX_RANK - 1,
                       (int)s->rank);
    *out = (ia_shape){.rank = s->rank};
    for (int i = 0; i < s->rank; i++) {
        if (s->dim[i] < 1)
            return ia_fail(err, INARCH_BAD_ARGUMENT, "shape", "",
                           "dimension %d of a row is %lld; it must be 1 or more", i,
                           (long long)s->dim[i]);
        out->dim[i] = s->dim[i];
    }
    return INARCH_OK;
}
