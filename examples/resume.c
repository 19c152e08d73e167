/* A run that is interrupted and resumed ends with the same bytes as one that was not: the
 * checkpoint holds weights, moments, and where in the run it was.
 *
 *     resume CHECKPOINT */
#include <inarch.h>

#include <stdio.h>
#include <string.h>

#define ROWS 96
#define INPUTS 6

static int32_t abort_after_two(void *context, const inarch_event *e)
{
    (void)context;
    return e->kind == INARCH_EVENT_BATCH && e->epoch == 3 ? INARCH_ABORT : INARCH_CONTINUE;
}

static int train(inarch_model *m, const inarch_data *d, const char *checkpoint,
                 inarch_event_fn event, inarch_error *err)
{
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    fit.loss = "mse";
    fit.epochs = 6;
    fit.checkpoint = checkpoint;
    fit.event = event;
    return inarch_fit(m, d, &fit, NULL, err);
}

int main(int argc, char **argv)
{
    inarch_error err = {0};
    inarch_model *whole, *parts;
    inarch_data *d;
    float x[ROWS * INPUTS], y[ROWS];
    for (int i = 0; i < ROWS * INPUTS; i++)
        x[i] = (float)(i * 29 % 97) / 48 - 1;
    for (int i = 0; i < ROWS; i++)
        y[i] = x[INPUTS * i] - x[INPUTS * i + 1];
    inarch_array in = {x, {1, {INPUTS}}}, out = {y, {1, {1}}};
    if (argc != 2) {
        fprintf(stderr, "usage: %s CHECKPOINT\n", argv[0]);
        return 2;
    }
    remove(argv[1]);
    if (inarch_new("input:6,dense:8:tanh,dropout:0.2,dense:1", 0, &whole, &err) ||
        inarch_clone(whole, &parts, &err) || inarch_data_arrays(ROWS, &in, 1, &out, 1, &d, &err) ||
        train(whole, d, NULL, NULL, &err)) {
        fprintf(stderr, "%s (%s)\n", err.message, err.hint);
        return 1;
    }
    if (train(parts, d, argv[1], abort_after_two, &err) != INARCH_ABORTED ||
        train(parts, d, argv[1], NULL, &err) != INARCH_OK) {
        fprintf(stderr, "%s (%s)\n", err.message, err.hint);
        return 1;
    }
    inarch_weight a = {.size = sizeof a}, b = {.size = sizeof b};
    int same = 1;
    for (size_t i = 0; inarch_weight_at(whole, i, &a, NULL) == INARCH_OK; i++)
        same = same && inarch_weight_at(parts, i, &b, NULL) == INARCH_OK &&
               memcmp(a.data, b.data, a.count * sizeof *a.data) == 0;
    printf("interrupted and resumed: %s\n", same ? "the same bytes" : "other bytes");
    remove(argv[1]);
    inarch_data_free(d);
    inarch_free(parts);
    inarch_free(whole);
    return !same;
}
