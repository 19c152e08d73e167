/* What a layer of a pretrained model makes of each row: features for another classifier.
 *
 *     features MODEL.h5 DATA.npz LAYER */
#include <inarch.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail(const inarch_error *err)
{
    fprintf(stderr, "%s (%s)\n", err->message, err->hint);
    return 1;
}

/* The numbers a row of `layer` has; 0 when there is no such layer. */
static size_t feature_count(const inarch_model *m, const char *layer)
{
    inarch_layer l = {.size = sizeof l};
    for (size_t i = 0; inarch_model_layer(m, i, &l, NULL) == INARCH_OK; i++) {
        if (strcmp(l.path, layer) != 0)
            continue;
        size_t n = 1;
        for (int k = 0; k < l.output.rank; k++)
            n *= (size_t)l.output.dim[k];
        return n;
    }
    return 0;
}

int main(int argc, char **argv)
{
    inarch_error err;
    inarch_model *m = NULL;
    inarch_data *d = NULL;
    inarch_data_info info = {.size = sizeof info};
    if (argc != 4) {
        fprintf(stderr, "usage: %s MODEL.h5 DATA.npz LAYER\n", argv[0]);
        return 2;
    }
    if (inarch_load(argv[1], NULL, &m, &err) || inarch_data_open(argv[2], NULL, m, &d, &err) ||
        inarch_data_get_info(d, &info, &err))
        return fail(&err);
    size_t n = feature_count(m, argv[3]), count = info.rows * n;
    float *features = malloc(count * sizeof *features + 1);
    if (!features || inarch_features(m, d, argv[3], NULL, features, count, &err))
        return fail(&err);
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)features[i];
    printf("%zu rows of %zu features, mean %.6f\n", info.rows, n, sum / (double)count);
    free(features);
    inarch_data_free(d);
    inarch_free(m);
    return 0;
}
