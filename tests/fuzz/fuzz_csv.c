/* libFuzzer: any bytes as a table. The first byte chooses what is asked of its columns. */
#include "data/sources.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const ia_data_options choices[] = {
    {.labels = NULL},
    {.labels = "y"},
    {.labels = "2"},
    {.labels = "y,z", .drop = "a"},
    {.labels = "y", .weights = "w"},
};

static void use(ia_data *d)
{
    inarch_status status = ia_data_check(d, true, NULL);
    float *x = malloc((ia_data_input_count(d, 0) + 1) * sizeof *x);
    for (uint64_t r = 0; r < ia_data_rows(d) && x; r++) {
        if (ia_data_gather(d, &r, 1, 0, x, NULL) != INARCH_OK)
            abort();
        for (size_t c = 0; c < ia_data_input_count(d, 0) && status == INARCH_OK; c++)
            if (!isfinite(x[c])) /* the check lied */
                abort();
    }
    free(x);
    for (size_t t = 0; t < ia_data_targets(d) && status == INARCH_OK; t++)
        status = ia_data_encode(d, t, NULL, 0, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    ia_data *d;
    ia_input in = ia_input_memory(data + 1, size - 1, "fuzz.csv");
    const ia_data_options *o = &choices[data[0] % IA_COUNT(choices)];
    if (ia_data_open_csv(&in, "fuzz.csv", o, &d, NULL) != INARCH_OK)
        return 0;
    use(d);
    ia_data_free(d);
    return 0;
}
