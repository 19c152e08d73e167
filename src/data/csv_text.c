/* Filling the buffer of a CSV file. Knows no lines. */
#include "data/csv_text.h"

#include "base/alloc.h"
#include "base/os.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static inarch_status text_read_file(ia_csv_text *t, inarch_error *err)
{
    uint64_t left = t->in.size - t->pos;
    size_t room = CSV_BUFFER - t->len, n = left < room ? (size_t)left : room;
    IA_TRY(ia_input_read(&t->in, t->pos, n, t->bytes + t->len, err));
    t->len += n;
    t->pos += n;
    t->ended = t->pos == t->in.size;
    return INARCH_OK;
}

static inarch_status text_read_stdin(ia_csv_text *t, inarch_error *err)
{
    while (t->len < CSV_BUFFER && !t->ended) {
        ssize_t got = read(STDIN_FILENO, t->bytes + t->len, CSV_BUFFER - t->len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ia_fail_os(err, errno, "cannot read", t->name);
        t->ended = got == 0;
        t->len += (size_t)got;
        t->pos += (uint64_t)got;
    }
    return INARCH_OK;
}

inarch_status ia_csv_text_more(ia_csv_text *t, inarch_error *err)
{
    memmove(t->bytes, t->bytes + t->at, t->len - t->at);
    t->len -= t->at;
    t->at = 0;
    inarch_status status = t->from_stdin ? text_read_stdin(t, err) : text_read_file(t, err);
    t->bytes[t->len] = '\n';
    return status;
}

inarch_status ia_csv_text_open(ia_csv_text *t, const ia_input *in, const char *name,
                               inarch_error *err)
{
    *t = (ia_csv_text){.name = name, .from_stdin = !in};
    if (in)
        t->in = *in;
    t->bytes = ia_calloc(CSV_BUFFER + CSV_BEHIND, 1);
    if (!t->bytes)
        return ia_fail_memory(err, "a CSV file", CSV_BUFFER);
    return ia_csv_text_more(t, err);
}

void ia_csv_text_release(ia_csv_text *t)
{
    ia_free(t->bytes);
    t->bytes = NULL;
}
