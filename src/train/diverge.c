/* The message of a run whose loss or weights are no longer finite: where, at which rate, and the
 * largest input. */
#include "train/run.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* 9.1e5 rather than 9.1e+05. */
static void short_number(double v, char *out, size_t size)
{
    char text[32];
    snprintf(text, sizeof text, v >= 0.01 && v < 10000 ? "%.3g" : "%.1e", v);
    char *e = strchr(text, 'e');
    snprintf(out, size, "%.*s", e ? (int)(e - text) : 31, text);
    if (e) {
        size_t used = strlen(out);
        const char *digits = e + 2;
        while (*digits == '0' && digits[1])
            digits++;
        snprintf(out + used, size - used, "e%s%s", e[1] == '-' ? "-" : "", digits);
    }
}

typedef struct largest {
    double value;
    char name[96];
} largest;

static void look(const ia_run *r, size_t input, const float *x, size_t rows, size_t width,
                 largest *top)
{
    size_t columns = 0;
    const char *const *names = input == 0 ? ia_data_columns(r->train, &columns) : NULL;
    for (size_t i = 0; i < rows * width; i++) {
        double v = fabs((double)x[i]);
        if (!(v > top->value) && i + input > 0)
            continue;
        top->value = v;
        snprintf(top->name, sizeof top->name, "%s",
                 names && columns == width ? names[i % width]
                                           : ia_data_input_name(r->train, input));
    }
}

inarch_status run_diverged(ia_run *r, size_t batch, const char *what, inarch_error *err)
{
    size_t at = batch * r->batch, n = r->rows - at < r->batch ? r->rows - at : r->batch;
    const ia_program *p = ia_trainer_program(r->trainer);
    char rate[32], number[32], input[160] = "";
    largest top = {0};
    for (size_t i = 0; i < ia_program_input_count(p); i++) {
        const ia_view *v = ia_program_input(p, i);
        if (ia_data_gather(r->train, r->order + at, n, i, v->data, NULL) == INARCH_OK)
            look(r, i, v->data, n, v->size, &top);
    }
    short_number(r->rate, rate, sizeof rate);
    short_number(top.value, number, sizeof number);
    if (top.name[0])
        snprintf(input, sizeof input, "; largest input is '%s' %s", top.name, number);
    return ia_fail(err, INARCH_DIVERGED, "", "try a smaller learning rate, or --standardize",
                   "%.160s in epoch %zu, batch %zu (learning rate %s)%s", what, r->epoch + 1,
                   batch + 1, rate, input);
}
