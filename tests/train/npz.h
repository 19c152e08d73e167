/* Reads float32 arrays out of an .npz. */
#ifndef INARCH_TEST_TRAIN_NPZ_H
#define INARCH_TEST_TRAIN_NPZ_H

#include "base/alloc.h"
#include "containers/npy.h"
#include "containers/zip.h"

typedef struct npz {
    ia_input in;
    ia_zip *zip;
} npz;

static inline void npz_open(npz *z, const char *path)
{
    inarch_error err;
    assert_ok(ia_input_open(path, &z->in, &err), err);
    assert_ok(ia_zip_open(&z->in, &z->zip, &err), err);
}

static inline void npz_close(npz *z)
{
    ia_zip_close(z->zip);
    ia_input_close(&z->in);
}

static inline bool npz_get(const npz *z, const char *key, ia_array *out)
{
    inarch_error err;
    char name[512];
    size_t member;
    uint8_t *bytes;
    size_t n;
    ia_stream s;
    ia_array a;
    snprintf(name, sizeof name, "%s.npy", key);
    if (!ia_zip_find(z->zip, name, &member))
        return false;
    assert_ok(ia_zip_read(z->zip, member, (size_t)1 << 30, &bytes, &n, &err), err);
    ia_input in = ia_input_memory(bytes, n, name);
    assert_ok(ia_stream_open_any(&in, &s, &err), err);
    assert_ok(ia_npy_read_array(&s, &a, &err), err);
    ia_stream_close(&s);
    assert_ok(ia_array_to_f32(&a, out, &err), err);
    ia_array_release(&a);
    ia_free(bytes);
    return true;
}

#endif
