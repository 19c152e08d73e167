/* libFuzzer: any bytes as a ZIP, its members as .npy, the whole as data. Must return, whatever
 * comes. */
#include "containers/idx.h"
#include "containers/npy.h"
#include "containers/zip.h"
#include "data/sources.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST ((size_t)1 << 22) /* bytes of a member that are read */

static void read_members(const ia_zip *z)
{
    for (size_t i = 0; i < ia_zip_count(z); i++) {
        ia_stream s;
        ia_npy a;
        if (ia_zip_size(z, i) > MOST || ia_zip_stream(z, i, &s, NULL) != INARCH_OK)
            continue;
        if (ia_npy_read(&s, &a, NULL) == INARCH_OK)
            ia_npy_release(&a);
        ia_stream_close(&s);
    }
}

static void read_alone(const ia_input *in)
{
    ia_stream s;
    ia_npy a;
    ia_array array;
    if (ia_stream_open_any(in, &s, NULL) == INARCH_OK && ia_npy_read(&s, &a, NULL) == INARCH_OK)
        ia_npy_release(&a);
    ia_stream_close(&s);
    if (ia_stream_open_any(in, &s, NULL) == INARCH_OK && ia_idx_read(&s, &array, NULL) == INARCH_OK)
        ia_array_release(&array);
    ia_stream_close(&s);
}

static void read_data(const ia_input *in)
{
    ia_data *d;
    const ia_data_options o = {.part = IA_PART_TEST};
    if (ia_data_open_npz(in, &o, &d, NULL) != INARCH_OK)
        return;
    inarch_status status = ia_data_check(d, true, NULL);
    for (size_t t = 0; t < ia_data_targets(d) && status == INARCH_OK; t++)
        status = ia_data_encode(d, t, NULL, 0, NULL);
    ia_data_free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ia_input in = ia_input_memory(data, size, "fuzz");
    ia_zip *z;
    read_alone(&in);
    if (ia_zip_open(&in, &z, NULL) != INARCH_OK)
        return 0;
    bool small = true;
    for (size_t i = 0; i < ia_zip_count(z); i++)
        small = small && ia_zip_size(z, i) <= MOST;
    read_members(z);
    ia_zip_close(z);
    if (small)
        read_data(&in);
    return 0;
}
