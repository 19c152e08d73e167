/* The rows of the speed table in inarch, through the public interface only.
 *
 *     inarch_bench rows                    the table, one JSON object a line
 *     inarch_bench peak [--threads N] [--cpu S]
 *     inarch_bench W2 [--threads N] [--cpu SET] [--precision P] [--rows N]
 *     inarch_bench one [--threads N]       W6's model, one row at a time
 *     inarch_bench fit ARCH ROWS CLASSES BATCH EPOCHS   one fit, its seconds
 *     inarch_bench open FILE LABELS        seconds to open a table
 *
 * A row sets up, trains one epoch to warm up, prints "ready" and then does its unit - an epoch, or
 * all rows once - for every line "go" on standard input, short ones over and over for SPELL
 * seconds, and prints {"seconds": s} of one; anything else ends it. So several programs can take
 * turns while the others sleep in a read. */
#include "peak.h"
#include "work.h"

#include <inarch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SPELL 0.1 /* s; the peers' is the same */

typedef struct settings {
    int threads;
    const char *cpu, *precision;
    size_t rows; /* 0: the row's own */
} settings;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void die(const inarch_error *err)
{
    fprintf(stderr, "inarch_bench: %s\n", err->message);
    exit(1);
}

static void *memory(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size);
    if (!p) {
        fprintf(stderr, "inarch_bench: out of memory\n");
        exit(1);
    }
    return p;
}

/* ---- numbers ---- */

static uint64_t random_state = 1;

static float number(void) /* uniform in [-1, 1) */
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (float)(random_state >> 40) / 8388608.0f - 1;
}

static float *numbers(size_t n)
{
    float *x = memory(n, sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = number();
    return x;
}

/* Labels that depend on the inputs, so that training has something to do. */
static float *labels(size_t rows, size_t in, size_t classes, const float *x)
{
    float *y = memory(rows, sizeof *y);
    for (size_t r = 0; r < rows; r++) {
        float sum = 0;
        for (size_t i = 0; i < in && i < 8; i++)
            sum += x[r * in + i];
        y[r] = classes > 1 ? (float)((size_t)((sum + 8) * 1000) % classes) : (float)(sum > 0);
    }
    return y;
}

static inarch_data *data_of(size_t rows, size_t in, size_t classes)
{
    inarch_error err;
    inarch_data *d;
    float *x = numbers(rows * in), *y = labels(rows, in, classes, x);
    inarch_array input = {x, {1, {(int64_t)in}}};
    inarch_array target = {y, {classes > 1 ? 0 : 1, {1}}};
    if (inarch_data_arrays(rows, &input, 1, &target, 1, &d, &err))
        die(&err);
    free(x);
    free(y);
    return d;
}

/* ---- taking turns ---- */

static int next_turn(void)
{
    char line[16];
    return fgets(line, sizeof line, stdin) && strcmp(line, "go\n") == 0;
}

static void answer(double seconds)
{
    printf("{\"seconds\": %.9f}\n", seconds);
    fflush(stdout);
}

static void ready(void)
{
    puts("ready");
    fflush(stdout);
}

/* ---- training ---- */

static inarch_model *model_of(const work *w)
{
    inarch_error err;
    inarch_model *m;
    if (inarch_new(w->arch, 0, &m, &err))
        die(&err);
    if (w->add && (inarch_freeze(m, "*", &err) || inarch_add(m, w->add, &err)))
        die(&err);
    return m;
}

static inarch_fit_options options_of(const settings *s, size_t classes, size_t batch)
{
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    fit.batch_size = (int32_t)batch;
    fit.loss = classes > 1 ? "sparse_categorical_crossentropy" : "binary_crossentropy";
    fit.metrics = "accuracy";
    fit.threads = s->threads;
    fit.cpu = s->cpu;
    fit.precision = s->precision;
    return fit;
}

typedef struct turns {
    double begun;
    size_t done; /* epochs since then; the first is to warm up */
    int warm;
} turns;

static int32_t epoch_done(void *context, const inarch_event *e)
{
    turns *t = context;
    if (e->kind != INARCH_EVENT_EPOCH || e->epoch == 0)
        return INARCH_CONTINUE;
    double took = now() - t->begun;
    t->done++;
    if (t->warm && took < SPELL)
        return INARCH_CONTINUE;
    if (t->warm)
        answer(took / (double)t->done);
    else
        ready();
    if (!next_turn())
        return INARCH_STOP;
    *t = (turns){now(), 0, 1};
    return INARCH_CONTINUE;
}

static void train(const work *w, const settings *s)
{
    inarch_error err;
    turns t = {0, 0, 0};
    inarch_model *m = model_of(w);
    inarch_data *d = data_of(s->rows ? s->rows : w->rows, w->in, w->classes);
    inarch_fit_options fit = options_of(s, w->classes, w->batch);
    fit.epochs = 1000000;
    fit.event = epoch_done;
    fit.context = &t;
    if (inarch_fit(m, d, &fit, NULL, &err))
        die(&err);
    inarch_data_free(d);
    inarch_free(m);
}

static void fit_once(char **arg, const settings *s)
{
    inarch_error err;
    inarch_model *m;
    long in = strncmp(arg[0], "input:", 6) == 0 ? atol(arg[0] + 6) : 0;
    size_t rows = (size_t)atol(arg[1]), classes = (size_t)atol(arg[2]),
           batch = (size_t)atol(arg[3]);
    if (in <= 0 || inarch_new(arg[0], 0, &m, &err)) {
        fprintf(stderr, "inarch_bench: fit takes input:N,... ROWS CLASSES BATCH EPOCHS\n");
        exit(2);
    }
    inarch_data *d = data_of(rows, (size_t)in, classes);
    inarch_fit_options fit = options_of(s, classes, batch);
    fit.epochs = (int32_t)atol(arg[4]);
    double begun = now();
    if (inarch_fit(m, d, &fit, NULL, &err))
        die(&err);
    answer(now() - begun);
    inarch_data_free(d);
    inarch_free(m);
}

/* Seconds to open a table; it is left open, so that the peak of memory is the data's. */
static void open_table(const char *path, const char *labels_of)
{
    inarch_error err;
    inarch_data *d;
    inarch_data_options o = INARCH_DATA_OPTIONS;
    o.labels = labels_of;
    double begun = now();
    if (inarch_data_open(path, &o, NULL, &d, &err))
        die(&err);
    answer(now() - begun);
    inarch_data_free(d);
}

/* ---- predicting ---- */

static void predict(const work *w, const settings *s)
{
    inarch_error err;
    size_t rows = s->rows ? s->rows : w->rows;
    inarch_model *m = model_of(w);
    inarch_data *d = data_of(rows, w->in, w->classes);
    inarch_run_options run = INARCH_RUN_OPTIONS;
    run.batch_size = (int32_t)w->batch;
    run.threads = s->threads;
    run.cpu = s->cpu;
    float *out = memory(rows * w->classes, sizeof *out);
    for (int warm = 1;; warm = 0) {
        double begun, took = 0;
        size_t done = 0;
        if (!warm && !next_turn())
            break;
        for (begun = now(); took < SPELL; done++, took = now() - begun)
            if (inarch_predict(m, d, 0, &run, out, rows * w->classes, &err))
                die(&err);
        if (warm)
            ready();
        else
            answer(took / (double)done);
    }
    free(out);
    inarch_data_free(d);
    inarch_free(m);
}

/* The fastest of many calls, each with another row. */
#define ONE_ROW_CALLS 2000
static void one_row(const work *w, const settings *s)
{
    inarch_error err;
    inarch_session *session;
    inarch_model *m = model_of(w);
    inarch_session_options o = INARCH_SESSION_OPTIONS;
    o.rows = 1;
    o.threads = s->threads;
    o.cpu = s->cpu;
    if (inarch_session_new(m, &o, &session, &err))
        die(&err);
    float *x = numbers(64 * w->in), out[16];
    float *outputs[] = {out};
    for (int warm = 1;; warm = 0) {
        double best = 1e9;
        if (!warm && !next_turn())
            break;
        for (size_t i = 0; i < ONE_ROW_CALLS; i++) {
            const float *inputs[] = {x + i % 64 * w->in};
            double begun = now();
            if (inarch_session_run(session, 1, inputs, outputs, &err))
                die(&err);
            double took = now() - begun;
            best = took < best ? took : best;
        }
        if (warm)
            ready();
        else
            answer(best);
    }
    free(x);
    inarch_session_free(session);
    inarch_free(m);
}

/* ---- which ---- */

static void peak(const settings *s)
{
    double rate = peak_gflops(s->cpu, s->threads);
    if (rate <= 0) {
        fprintf(stderr, "inarch_bench: no peak loop for this instruction set\n");
        exit(1);
    }
    ready();
    while (next_turn()) {
        printf("{\"gflops\": %.3f}\n", peak_gflops(s->cpu, s->threads));
        fflush(stdout);
    }
}

static const work *find(const char *name)
{
    for (size_t i = 0; i < sizeof works / sizeof *works; i++)
        if (strcmp(works[i].name, name) == 0)
            return &works[i];
    return NULL;
}

static void list_rows(void)
{
    for (size_t i = 0; i < sizeof works / sizeof *works; i++) {
        const work *w = &works[i];
        printf("{\"name\": \"%s\", \"arch\": \"%s\", \"add\": \"%s\", \"rows\": %zu, \"in\": %zu, "
               "\"classes\": %zu, \"batch\": %zu, \"madds\": %.0f}\n",
               w->name, w->arch, w->add ? w->add : "", w->rows, w->in, w->classes, w->batch,
               w->madds);
    }
}

int main(int argc, char **argv)
{
    settings s = {.threads = 1, .cpu = NULL, .precision = NULL};
    int n = 1;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--threads") == 0)
            s.threads = atoi(value), i++;
        else if (strcmp(argv[i], "--cpu") == 0)
            s.cpu = value, i++;
        else if (strcmp(argv[i], "--precision") == 0)
            s.precision = value, i++;
        else if (strcmp(argv[i], "--rows") == 0)
            s.rows = (size_t)atol(value), i++;
        else
            argv[n++] = argv[i];
    }
    const char *what = n > 1 ? argv[1] : "";
    const work *w = find(what);
    if (strcmp(what, "rows") == 0)
        list_rows();
    else if (strcmp(what, "peak") == 0)
        peak(&s);
    else if (strcmp(what, "one") == 0)
        one_row(find("W6"), &s);
    else if (strcmp(what, "open") == 0 && n == 4)
        open_table(argv[2], argv[3]);
    else if (strcmp(what, "fit") == 0 && n == 7)
        fit_once(argv + 2, &s);
    else if (w && strcmp(what, "W6") == 0)
        predict(w, &s);
    else if (w)
        train(w, &s);
    else {
        fprintf(stderr,
                "inarch_bench: nothing is called '%s'; the comment in bench/inarch_bench.c says "
                "what is\n",
                what);
        return 2;
    }
    return 0;
}
