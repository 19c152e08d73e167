/* Load a pretrained model, freeze it, put two layers on top, train, evaluate, save.
 *
 *     seed_loop MODEL.h5 TRAIN.npz TEST.npz TUNED.h5 */
#include <inarch.h>

#include <stdio.h>

static int fail(const inarch_error *err)
{
    fprintf(stderr, "%s (%s)\n", err->message, err->hint);
    return 1;
}

int main(int argc, char **argv)
{
    inarch_error err;
    inarch_model *m = NULL;
    inarch_data *train = NULL, *test = NULL;
    inarch_history *scores = NULL;
    if (argc != 5) {
        fprintf(stderr, "usage: %s MODEL.h5 TRAIN.npz TEST.npz TUNED.h5\n", argv[0]);
        return 2;
    }
    if (inarch_load(argv[1], NULL, &m, &err) || inarch_freeze(m, "*", &err) ||
        inarch_add(m, "dense:128:relu", &err) || inarch_add(m, "dense:1:sigmoid", &err) ||
        inarch_data_open(argv[2], NULL, m, &train, &err) ||
        inarch_data_open(argv[3], NULL, m, &test, &err))
        return fail(&err);

    inarch_fit_options fit = INARCH_FIT_OPTIONS; /* adam, 1e-3, batch 32, shuffled */
    fit.loss = "binary_crossentropy";
    fit.metrics = "accuracy";
    fit.epochs = 10;
    inarch_run_options run = INARCH_RUN_OPTIONS;
    run.metrics = "accuracy"; /* else those of the fit under their full names: binary_accuracy */
    if (inarch_fit(m, train, &fit, NULL, &err) || inarch_evaluate(m, test, &run, &scores, &err) ||
        inarch_save(m, argv[4], NULL, &err))
        return fail(&err);

    printf("loss %.4f  accuracy %.4f\n", inarch_history_get(scores, -1, "loss"),
           inarch_history_get(scores, -1, "accuracy"));
    inarch_history_free(scores);
    inarch_data_free(train);
    inarch_data_free(test);
    inarch_free(m);
    return 0;
}
