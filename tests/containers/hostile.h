/* Tries that every reader of files must survive: each length, each byte, each failing allocation.
 *
 * A reader is a function of bytes; what it returns is not looked at, only that it returns (under
 * the sanitizers: without touching what is not its own, and without a leak). */
#ifndef INARCH_TEST_HOSTILE_H
#define INARCH_TEST_HOSTILE_H

#include "test.h"

#include "base/alloc.h"
#include "base/output.h"
#include "base/input.h"

typedef inarch_status reader(const ia_input *in, inarch_error *err);

static long allocations_left = -1; /* -1: no limit */

int ia_alloc_hook(size_t bytes);
int ia_alloc_hook(size_t bytes)
{
    (void)bytes;
    if (allocations_left < 0)
        return 0;
    if (allocations_left == 0)
        return 1;
    allocations_left--;
    return 0;
}

IA_UNUSED static void load(const char *path, uint8_t **data, size_t *n)
{
    inarch_error err;
    ia_input in;
    assert_ok(ia_input_open(path, &in, &err), err);
    assert_ok(ia_input_read_all(&in, 1 << 20, data, n, &err), err);
    ia_input_close(&in);
}

/* Bytes beyond the cut are not ours: the copy has exactly the length. */
static inarch_status read_copy(const uint8_t *data, size_t n, reader *read, inarch_error *err)
{
    uint8_t *copy = malloc(n ? n : 1);
    if (n)
        memcpy(copy, data, n);
    ia_input in = ia_input_memory(copy, n, "hostile");
    inarch_status status = read(&in, err);
    if (status != INARCH_OK) {
        assert_int_equal(err->status, status);
        assert_true(err->message[0] != 0);
    }
    free(copy);
    return status;
}

/* Every proper prefix is refused. */
IA_UNUSED static void each_cut(const char *path, reader *read)
{
    uint8_t *data;
    size_t n;
    load(path, &data, &n);
    for (size_t cut = 0; cut < n; cut++) {
        inarch_error err = {0};
        if (read_copy(data, cut, read, &err) == INARCH_OK)
            fail_msg("%s was read although only %zu of %zu bytes were there", path, cut, n);
    }
    ia_free(data);
}

/* Every byte of the first `most` set to 0, 1, 127, 255 and with each bit flipped. */
IA_UNUSED static void each_byte(const char *path, size_t most, reader *read)
{
    static const uint8_t set[] = {0, 1, 127, 255};
    uint8_t *data;
    size_t n;
    load(path, &data, &n);
    for (size_t at = 0; at < n && at < most; at++) {
        uint8_t old = data[at];
        for (size_t k = 0; k < sizeof set + 8; k++) {
            inarch_error err = {0};
            unsigned flipped = old ^ (1u << (k - sizeof set) % 8);
            data[at] = k < sizeof set ? set[k] : (uint8_t)flipped;
            (void)read_copy(data, n, read, &err);
        }
        data[at] = old;
    }
    ia_free(data);
}

/* The N-th allocation fails, N = 0, 1, ... until it succeeds. */
IA_UNUSED static void each_allocation(const char *path, reader *read)
{
    inarch_error err = {0};
    ia_input in;
    assert_ok(ia_input_open(path, &in, &err), err);
    inarch_status status = INARCH_NO_MEMORY;
    long n = 0;
    for (; status != INARCH_OK; n++) {
        assert_true(n < 10000);
        allocations_left = n;
        status = read(&in, &err);
        allocations_left = -1;
        if (status != INARCH_OK)
            assert_int_equal(status, INARCH_NO_MEMORY);
    }
    assert_true(n > 1);
    ia_input_close(&in);
}

#endif
