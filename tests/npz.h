/* Arrays of an .npz for tests, as float32. */
#ifndef INARCH_TEST_NPZ_H
#define INARCH_TEST_NPZ_H

#include "test.h"

#include "base/input.h"
#include "containers/npy.h"
#include "containers/zip.h"

typedef struct npz {
    ia_input in;
    ia_zip *zip;
} npz;

static IA_UNUSED int npz_open(npz *z, const char *path)
{
    z->zip = NULL;
    if (ia_input_open(path, &z->in, NULL) != INARCH_OK)
        return 0;
    if (ia_zip_open(&z->in, &z->zip, NULL) != INARCH_OK)
        fail_msg("%s is not an .npz", path);
    return 1;
}

static IA_UNUSED void npz_close(npz *z)
{
    ia_zip_close(z->zip);
    ia_input_close(&z->in);
}

/* False when there is no such array. Released by the caller. */
static IA_UNUSED int npz_get(const npz *z, const char *name, ia_array *out)
{
    inarch_error err;
    char member[512];
    size_t index;
    ia_stream s;
    ia_array a;
    snprintf(member, sizeof member, "%s.npy", name);
    if (!ia_zip_find(z->zip, member, &index))
        return 0;
    assert_ok(ia_zip_stream(z->zip, index, &s, &err), err);
    assert_ok(ia_npy_read_array(&s, &a, &err), err);
    ia_stream_close(&s);
    assert_ok(ia_array_to_f32(&a, out, &err), err);
    ia_array_release(&a);
    return 1;
}

/* The largest |a - b| over max(1, largest |b|); infinity where one is NaN and the other is not. */
static IA_UNUSED double worst_difference(const float *a, const float *b, size_t n)
{
    double scale = 1, worst = 0;
    for (size_t i = 0; i < n; i++) {
        double size = b[i] < 0 ? -(double)b[i] : (double)b[i];
        scale = size > scale ? size : scale;
    }
    for (size_t i = 0; i < n; i++) {
        double d = (double)a[i] - (double)b[i];
        d = d < 0 ? -d : d;
        if ((a[i] != a[i]) != (b[i] != b[i]))
            return 1e300;
        if (a[i] == a[i] && d / scale > worst)
            worst = d / scale;
    }
    return worst;
}

#endif
