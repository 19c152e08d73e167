/* One model served by four threads, a session each, while a clone of it is trained: the sessions go
 * on with the weights they were made from. */
#include <inarch.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define THREADS 4
#define CALLS 2000

typedef struct job {
    inarch_model *model;
    float answer;
    int same; /* every call gave the first one's answer */
} job;

static void *serve(void *context)
{
    job *j = context;
    inarch_session *s;
    inarch_error err;
    if (inarch_session_new(j->model, NULL, &s, &err))
        return NULL;
    float x[8] = {1, 2, 3, 4, 5, 6, 7, 8}, y;
    const float *in[] = {x};
    float *out[] = {&y};
    j->same = 1;
    for (int i = 0; i < CALLS; i++) {
        if (inarch_session_run(s, 1, in, out, &err))
            j->same = 0;
        if (i == 0)
            j->answer = y;
        j->same = j->same && memcmp(&y, &j->answer, sizeof y) == 0;
    }
    inarch_session_free(s);
    return NULL;
}

static int train(inarch_model *m, inarch_error *err)
{
    float x[64 * 8], y[64];
    for (int i = 0; i < 64 * 8; i++)
        x[i] = (float)(i * 37 % 101) / 50 - 1;
    for (int i = 0; i < 64; i++)
        y[i] = x[8 * i] > 0;
    inarch_array in = {x, {1, {8}}}, out = {y, {1, {1}}};
    inarch_data *d;
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    fit.epochs = 5;
    if (inarch_data_arrays(64, &in, 1, &out, 1, &d, err))
        return 1;
    int failed = inarch_fit(m, d, &fit, NULL, err);
    inarch_data_free(d);
    return failed;
}

int main(void)
{
    inarch_error err;
    inarch_model *m, *copy;
    pthread_t thread[THREADS];
    job jobs[THREADS];
    if (inarch_new("input:8,dense:16:relu,dense:1:sigmoid", 0, &m, &err) ||
        inarch_clone(m, &copy, &err)) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    for (int i = 0; i < THREADS; i++) {
        jobs[i] = (job){m, 0, 0};
        if (pthread_create(&thread[i], NULL, serve, &jobs[i]))
            return 1;
    }
    int failed = train(copy, &err);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    for (int i = 0; i < THREADS; i++)
        failed = failed || !jobs[i].same || jobs[i].answer != jobs[0].answer;
    printf("%d threads gave %.6f\n", THREADS, (double)jobs[0].answer);
    inarch_free(copy);
    inarch_free(m);
    return failed;
}
