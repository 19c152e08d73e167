/* Training rows that are computed when they are asked for, instead of lying in a file: here points of two
 * interleaved spirals. Data too large for memory come in the same way. */
#include <inarch.h>

#include <math.h>
#include <stdio.h>

#define ROWS 2000

/* The same row must give the same numbers each time. */
static inarch_status spirals(void *context, const uint64_t *rows, size_t n, float *const *inputs,
                             float *const *targets)
{
    double turns = *(const double *)context;
    for (size_t i = 0; i < n; i++) {
        double t = (double)(rows[i] / 2) / (ROWS / 2), side = rows[i] % 2 ? 1 : -1;
        double angle = 6.2831853 * turns * t;
        if (inputs && inputs[0]) {
            inputs[0][2 * i] = (float)(side * t * cos(angle));
            inputs[0][2 * i + 1] = (float)(side * t * sin(angle));
        }
        if (targets && targets[0])
            targets[0][i] = (float)(rows[i] % 2);
    }
    return INARCH_OK;
}

static int32_t progress(void *context, const inarch_event *e)
{
    double *last = context;
    if (e->kind == INARCH_EVENT_EPOCH)
        *last = inarch_history_get(e->history, -1, "accuracy");
    return *last > 0.99 ? INARCH_STOP : INARCH_CONTINUE;
}

int main(void)
{
    inarch_error err;
    inarch_model *m = NULL;
    inarch_data *d = NULL;
    double turns = 1, accuracy = 0;
    inarch_shape xy = {1, {2}}, label = {1, {1}};
    inarch_source source = {.size = sizeof source,
                            .context = &turns,
                            .rows = ROWS,
                            .inputs = 1,
                            .targets = 1,
                            .input_shapes = &xy,
                            .target_shapes = &label,
                            .fill = spirals};
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    fit.epochs = 200;
    fit.learning_rate = 0.01;
    fit.metrics = "accuracy";
    fit.event = progress;
    fit.context = &accuracy;
    if (inarch_new("input:2,dense:32:relu,dense:32:relu,dense:1:sigmoid", 1, &m, &err) ||
        inarch_data_source(&source, &d, &err) || inarch_fit(m, d, &fit, NULL, &err)) {
        fprintf(stderr, "%s (%s)\n", err.message, err.hint);
        return 1;
    }
    printf("accuracy %.3f\n", accuracy);
    inarch_data_free(d);
    inarch_free(m);
    return accuracy > 0.99 ? 0 : 1;
}
