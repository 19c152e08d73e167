/* Telling what a run will do. */
#include "plan.h"

#include "text.h"

#include <stdbool.h>
#include <string.h>

#define LABEL 13 /* columns of "prefix ends  " */

void plan_print_line(FILE *f, const inarch_fit_plan *p, uint64_t seed)
{
    fprintf(f, "optimizer %s (%s)", p->optimizer, p->optimizer_origin);
    if (strcmp(p->schedule, "constant") != 0)
        fprintf(f, ", learning rate by %s", p->schedule);
    else if (!strstr(p->optimizer, "learning_rate="))
        fprintf(f, ", learning rate %.6g", p->learning_rate);
    fprintf(f, "; loss %s (%s); seed %llu\n", p->loss, p->loss_origin, (unsigned long long)seed);
    if (*p->note) {
        fputs("note: ", f);
        text_put(f, p->note);
        putc('\n', f);
    }
}

static void label(FILE *f, const char *name)
{
    fprintf(f, "%-*s", LABEL, name);
}

/* Layer i holds those that follow, and says nothing that they do not. */
static bool is_model(const inarch_model *m, size_t i, const inarch_layer *l)
{
    inarch_layer below = {.size = sizeof below};
    return inarch_model_layer(m, i + 1, &below, NULL) == INARCH_OK && below.depth > l->depth;
}

/* The names of live, or frozen, layers that have weights. */
static void print_layers(FILE *f, const inarch_model *m, bool live)
{
    inarch_layer l = {.size = sizeof l};
    bool first = true;
    for (size_t i = 0; inarch_model_layer(m, i, &l, NULL) == INARCH_OK; i++) {
        if (is_model(m, i, &l) || l.parameters == 0 || (l.live != 0) != live)
            continue;
        fputs(first ? ": " : ", ", f);
        text_put(f, l.path);
        first = false;
    }
    putc('\n', f);
}

static void print_cache(FILE *f, const inarch_fit_plan *p)
{
    char bytes[TEXT_NUMBER];
    label(f, "cached");
    if (p->cached_operations == 0 || p->cache_bytes == 0)
        fprintf(f, "nothing, 0 of %zu operations\n", p->operations);
    else
        fprintf(f, "%zu of %zu operations, %s %s\n", p->cached_operations, p->operations,
                text_bytes(p->cache_bytes, bytes),
                p->cache_in_memory ? "in memory" : "in a temporary file");
    if (*p->prefix_ends) {
        label(f, "prefix ends");
        text_put(f, p->prefix_ends);
        putc('\n', f);
    }
}

/* Parameters of frozen layers; what else is not trained are statistics of live ones. */
static size_t in_frozen_layers(const inarch_model *m)
{
    inarch_layer l = {.size = sizeof l};
    size_t n = 0;
    for (size_t i = 0; inarch_model_layer(m, i, &l, NULL) == INARCH_OK; i++)
        if (!l.live && !is_model(m, i, &l))
            n += l.parameters;
    return n;
}

static void print_frozen(FILE *f, const inarch_model *m, size_t parameters)
{
    char number[TEXT_NUMBER];
    size_t frozen = in_frozen_layers(m);
    frozen = frozen < parameters ? frozen : parameters;
    label(f, "frozen");
    fprintf(f, "%s parameters", text_count(frozen, number));
    print_layers(f, m, false);
    if (frozen == parameters)
        return;
    label(f, "statistics");
    fprintf(f, "%s parameters of live layers follow the data, not the optimizer\n",
            text_count(parameters - frozen, number));
}

void plan_print(FILE *f, const inarch_model *m, const inarch_fit_plan *p, uint64_t seed)
{
    char number[TEXT_NUMBER];
    plan_print_line(f, p, seed);
    label(f, "metrics");
    fprintf(f, "%s\n", *p->metrics ? p->metrics : "none");
    label(f, "rows");
    fprintf(f, "%zu to train, %zu to validate, %zu step%s an epoch\n", p->rows, p->validation_rows,
            p->steps_per_epoch, p->steps_per_epoch == 1 ? "" : "s");
    if (p->resumed_epochs) {
        label(f, "checkpoint");
        fprintf(f, "goes on after epoch %zu\n", p->resumed_epochs);
    }
    label(f, "live");
    fprintf(f, "%s parameters", text_count(p->live_parameters, number));
    print_layers(f, m, true);
    print_frozen(f, m, p->frozen_parameters);
    print_cache(f, p);
    label(f, "memory");
    fprintf(f, "%s\n", text_bytes(p->memory_bytes, number));
}

void plan_json(json_out *j, const char *key, const inarch_fit_plan *p, uint64_t seed)
{
    jw_object(j, key);
    jw_string(j, "optimizer", p->optimizer);
    jw_string(j, "optimizer_origin", p->optimizer_origin);
    jw_real(j, "learning_rate", p->learning_rate);
    jw_string(j, "schedule", p->schedule);
    jw_string(j, "loss", p->loss);
    jw_string(j, "loss_origin", p->loss_origin);
    jw_string(j, "metrics", p->metrics);
    jw_count(j, "seed", seed);
    jw_count(j, "rows", p->rows);
    jw_count(j, "validation_rows", p->validation_rows);
    jw_count(j, "steps_per_epoch", p->steps_per_epoch);
    jw_count(j, "resumed_epochs", p->resumed_epochs);
    jw_count(j, "live_parameters", p->live_parameters);
    jw_count(j, "frozen_parameters", p->frozen_parameters);
    jw_count(j, "operations", p->operations);
    jw_count(j, "cached_operations", p->cached_operations);
    jw_count(j, "cache_bytes", p->cache_bytes);
    jw_bool(j, "cache_in_memory", p->cache_in_memory != 0);
    jw_string(j, "prefix_ends", p->prefix_ends);
    jw_count(j, "memory_bytes", p->memory_bytes);
    jw_string(j, "note", p->note);
    jw_object_end(j);
}

void plan_json_layers(json_out *j, const char *key, const inarch_model *m)
{
    inarch_layer l = {.size = sizeof l};
    jw_array(j, key);
    for (size_t i = 0; inarch_model_layer(m, i, &l, NULL) == INARCH_OK; i++) {
        jw_object(j, NULL);
        jw_string(j, "path", l.path);
        jw_bool(j, "live", l.live != 0);
        jw_count(j, "parameters", l.parameters);
        jw_object_end(j);
    }
    jw_array_end(j);
}
