/* libFuzzer target: opens bytes as HDF5 and reads everything in them.
 *
 * Build with clang -fsanitize=fuzzer,address,undefined and
 * -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION, which makes every checksum match. Seeds: the files
 * under 8 kB of tests/fixtures/containers/hdf5. */
#include "base/alloc.h"
#include "containers/hdf5/hdf5.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t touched; /* so that no read is optimised away */

static void read_attrs(const ia_h5 *h5, const ia_h5_object *o)
{
    for (size_t i = 0; i < o->attr_count; i++) {
        const ia_h5_attr *a = &o->attrs[i];
        if (ia_h5_attr_find(o, a->name) != a)
            abort();
        for (size_t j = 0; a->strings != NULL && j < a->count; j++)
            touched += (size_t)a->strings[j].text[a->strings[j].len];
        ia_h5_string *list;
        size_t n;
        if (ia_h5_attr_list(h5, o, a->name, &list, &n, NULL) == INARCH_OK)
            ia_free(list);
    }
}

static void read_object(const ia_h5 *h5, const ia_h5_object *o)
{
    char path[64];
    touched += (size_t)ia_h5_path(o, path, sizeof path)[0];
    read_attrs(h5, o);
    if (o->kind == IA_H5_DATASET) {
        ia_array a;
        if (ia_h5_read(h5, o, &a, NULL) == INARCH_OK) {
            const uint8_t *bytes = ia_array_data(&a);
            for (size_t i = 0; i < o->bytes; i += 64)
                touched += bytes[i];
            ia_array_release(&a);
        }
    }
    for (size_t i = 0; i < o->child_count; i++) {
        if (ia_h5_child(o, o->children[i]->name) != o->children[i])
            abort();
        read_object(h5, o->children[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ia_input in = ia_input_memory(data, size, "fuzz");
    ia_h5 *h5;
    inarch_error err;
    if (ia_h5_open(&in, &h5, &err) != INARCH_OK)
        return 0;
    read_object(h5, ia_h5_root(h5));
    ia_h5_free(h5);
    return 0;
}
