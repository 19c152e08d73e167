/* A training loop of one's own: a session gives one optimizer step on one batch at a time. Here the
 * labels of a stream change half-way, and the model follows. */
#include <inarch.h>

#include <stdio.h>

int main(void)
{
    inarch_error err;
    inarch_model *m;
    inarch_session *s;
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    fit.loss = "mse";
    fit.optimizer = "sgd(momentum=0.9)";
    fit.learning_rate = 0.05;
    inarch_session_options options = INARCH_SESSION_OPTIONS;
    options.rows = 8;
    options.training = 1;
    options.fit = &fit;
    if (inarch_new("input:2,dense:1", 0, &m, &err) || inarch_session_new(m, &options, &s, &err)) {
        fprintf(stderr, "%s (%s)\n", err.message, err.hint);
        return 1;
    }
    double loss = 0;
    for (int step = 0; step < 400; step++) {
        float x[16], y[8];
        for (int i = 0; i < 8; i++) {
            x[2 * i] = (float)((step + i) % 7) / 3 - 1;
            x[2 * i + 1] = (float)((step * 3 + i) % 5) / 2 - 1;
            y[i] = step < 200 ? x[2 * i] : -2 * x[2 * i + 1];
        }
        const float *in[] = {x}, *out[] = {y};
        if (inarch_session_step(s, 8, in, out, &loss, &err)) {
            fprintf(stderr, "%s (%s)\n", err.message, err.hint);
            return 1;
        }
        if (step == 199 || step == 200 || step == 399)
            printf("step %d: loss %.6f\n", step, loss);
    }
    int failed = inarch_session_publish(s, &err) != INARCH_OK;
    inarch_session_free(s);
    inarch_free(m);
    return failed || loss > 1e-3;
}
