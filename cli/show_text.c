/* `show` for people: a table of layers, totals, and what the model knows besides layers. */
#include "show.h"

#include "cli.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

#define LABEL 12 /* columns of "parameters  " */
#define NAMES_SHOWN 12
#define SETTINGS_COLUMNS 44

/* ---- the table ---- */

static const text_column columns[] = {
    {"#", true, 0},       {"layer", false, 44},    {"type", false, SETTINGS_COLUMNS},
    {"output", false, 0}, {"parameters", true, 0}, {"reads", false, 40},
    {"", false, 0},
};

static void put_flag(char *out, size_t size, const char *flag)
{
    size_t n = strlen(out);
    snprintf(out + n, size - n, "%s%s", n ? ", " : "", flag);
}

/* What sets a layer apart: few have anything to say here. */
static void flags(const inarch_layer *l, char *out, size_t size)
{
    char text[48];
    out[0] = 0;
    if (!l->live)
        put_flag(out, size, "frozen");
    if (!l->computable)
        put_flag(out, size, "cannot be computed");
    if (l->calls > 1) {
        snprintf(text, sizeof text, "shared x%zu", l->calls);
        put_flag(out, size, text);
    }
    if (l->learning_rate != 1) {
        snprintf(text, sizeof text, "learning rate x%g", (double)l->learning_rate);
        put_flag(out, size, text);
    }
}

/* The last part of a path, moved to the right by its depth. */
static void add_name(text_table *t, const inarch_layer *l)
{
    char text[256];
    const char *name = l->path;
    /* A name may hold slashes itself, so count them off: one for each level. */
    for (size_t i = 0; i < l->depth; i++) {
        const char *slash = strchr(name, '/');
        name = slash ? slash + 1 : name;
    }
    int indent = l->depth < 16 ? (int)l->depth * 2 : 32;
    snprintf(text, sizeof text, "%*s%s", indent, "", name);
    text_cell(t, text);
}

static void add_layer(text_table *t, const inarch_layer *l, size_t number)
{
    char text[512], count[TEXT_NUMBER] = "";
    if (l->counted)
        snprintf(count, sizeof count, "%zu", number);
    text_cell(t, count);
    add_name(t, l);
    if (*l->settings)
        snprintf(text, sizeof text, "%s(%s)", l->class_name, l->settings);
    else
        snprintf(text, sizeof text, "%s", l->class_name);
    text_cell(t, text);
    text_cell(t, text_shape(&l->output, text, sizeof text));
    text_cell(t, l->parameters ? text_count(l->parameters, count) : "");
    text_cell(t, l->inputs);
    flags(l, text, sizeof text);
    text_cell(t, text);
}

/* A Sequential's InputLayer is no layer to Keras' users: the input is told below. */
static bool hidden(const inarch_layer *l)
{
    return l->depth == 0 && !l->counted && strcmp(l->class_name, "InputLayer") == 0;
}

static inarch_status print_layers(const inarch_model *m, inarch_error *err)
{
    text_table t = {columns, CLI_COUNT(columns), NULL, 0, 0};
    inarch_info info = {.size = sizeof info};
    inarch_layer l = {.size = sizeof l};
    size_t number = 0;
    inarch_status status = inarch_model_info(m, &info, err);
    for (size_t i = 0; status == INARCH_OK && i < info.all_layers; i++) {
        status = inarch_model_layer(m, i, &l, err);
        if (status != INARCH_OK || hidden(&l))
            continue;
        number += l.counted ? 1 : 0;
        add_layer(&t, &l, number);
    }
    if (status == INARCH_OK)
        text_table_print(stdout, &t);
    text_table_free(&t);
    return status;
}

/* ---- lines below ---- */

static void line(const char *label, const char *text)
{
    printf("%-*s", LABEL, label);
    text_put(stdout, text);
    putchar('\n');
}

static void count_line(const char *label, size_t n, bool bytes)
{
    char text[2 * TEXT_NUMBER + 8], count[TEXT_NUMBER], size[TEXT_NUMBER];
    snprintf(text, sizeof text, bytes ? "%s (%s)" : "%s", text_count(n, count),
             text_bytes((uint64_t)n * sizeof(float), size));
    line(label, text);
}

static inarch_status print_ports(const inarch_model *m, int32_t direction, size_t n,
                                 inarch_error *err)
{
    inarch_port p = {.size = sizeof p};
    char text[512], shape[160];
    for (size_t i = 0; i < n; i++) {
        CLI_TRY(inarch_model_port(m, direction, i, &p, err));
        text_shape(&p.shape, shape, sizeof shape);
        if (direction == INARCH_OUTPUT)
            snprintf(text, sizeof text, "%s: %s, %s", p.name, shape, p.activation);
        else
            snprintf(text, sizeof text, "%s: %s", p.name, shape);
        line(i > 0 ? "" : direction == INARCH_INPUT ? "input" : "output", text);
    }
    return INARCH_OK;
}

/* The first few names, and how many there are. */
static void print_names(const inarch_model *m, const char *label, size_t n)
{
    if (n == 0)
        return;
    printf("%-*s%zu: ", LABEL, label, n);
    for (size_t i = 0; i < n && i < NAMES_SHOWN; i++) {
        const char *name = inarch_name_at(m, label, i);
        fputs(i ? ", " : "", stdout);
        text_put(stdout, name ? name : "?");
    }
    puts(n > NAMES_SHOWN ? ", ..." : "");
}

static void print_compile(const inarch_info *info)
{
    char steps[64];
    if (!*info->loss && !*info->optimizer) {
        line("compiled", "no");
        return;
    }
    line("loss", info->loss);
    if (*info->metrics)
        line("metrics", info->metrics);
    line("optimizer", info->optimizer);
    if (info->step) {
        snprintf(steps, sizeof steps, "%llu", (unsigned long long)info->step);
        line("steps", steps);
    }
}

/* Which layers stop a computation. */
static void print_refusals(const inarch_model *m, size_t n)
{
    inarch_layer l = {.size = sizeof l};
    size_t found = 0;
    for (size_t i = 0; i < n; i++) {
        if (inarch_model_layer(m, i, &l, NULL) != INARCH_OK || l.computable)
            continue;
        fputs(found++ ? ", '" : "cannot be computed yet: '", stdout);
        text_put(stdout, l.path);
        fputs("' (", stdout);
        text_put(stdout, l.class_name);
        putchar(')');
    }
    if (found)
        puts("; --cut works below a layer that cannot be computed");
}

inarch_status show_text(const inarch_model *m, const char *path, inarch_error *err)
{
    inarch_info info = {.size = sizeof info};
    CLI_TRY(inarch_model_info(m, &info, err));
    text_put(stdout, path);
    fputs(": ", stdout);
    text_put(stdout, info.kind);
    fputs(" '", stdout);
    text_put(stdout, info.name);
    fputs("'", stdout);
    if (*info.keras_version) {
        fputs(", keras ", stdout);
        text_put(stdout, info.keras_version);
    }
    fputs("\n\n", stdout);
    CLI_TRY(print_layers(m, err));
    putchar('\n');
    count_line("parameters", info.parameters, true);
    count_line("trainable", info.trainable_parameters, false);
    count_line("frozen", info.parameters - info.trainable_parameters, false);
    CLI_TRY(print_ports(m, INARCH_INPUT, info.inputs, err));
    CLI_TRY(print_ports(m, INARCH_OUTPUT, info.outputs, err));
    print_compile(&info);
    print_names(m, "classes", info.classes);
    print_names(m, "columns", info.columns);
    if (!info.computable)
        print_refusals(m, info.all_layers);
    return INARCH_OK;
}
