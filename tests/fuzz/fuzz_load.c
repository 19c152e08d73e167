/* libFuzzer target: bytes as a model file; what is read is cloned and written again.
 *
 * Build with clang -fsanitize=fuzzer,address,undefined. Seeds: the files under 40 kB of
 * tests/fixtures/keras. */
#include "formats/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ia_input in = ia_input_memory(data, size, "fuzz");
    inarch_error err;
    ia_model *m, *copy;
    if (ia_model_read_input(&in, NULL, &m, &err) != INARCH_OK)
        return 0;
    if (ia_model_clone(m, &copy, &err) == INARCH_OK) {
        (void)!ia_model_write(copy, "/dev/null", "keras-h5", &err);
        ia_model_free(copy);
    }
    ia_model_free(m);
    return 0;
}
