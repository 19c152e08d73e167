/* libFuzzer target: bytes as a model file; what is read is cloned and written as JSON again.
 *
 * Build with clang -fsanitize=fuzzer,address,undefined. Seeds: the files under 40 kB of
 * tests/fixtures/keras. */
#include "formats/format.h"
#include "formats/keras/keras.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ia_input in = ia_input_memory(data, size, "fuzz");
    inarch_error err;
    ia_model *m, *copy;
    json_t *json;
    if (ia_model_read_input(&in, NULL, &m, &err) != INARCH_OK)
        return 0;
    if (ia_model_clone(m, &copy, &err) == INARCH_OK) {
        if (ia_keras_write_model(copy, &json, &err) == INARCH_OK)
            json_decref(json);
        ia_model_free(copy);
    }
    ia_model_free(m);
    return 0;
}
