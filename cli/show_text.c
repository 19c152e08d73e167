/* `show` for people: a table of layers, totals, and what the model knows besides layers. */
#include "show.h"

#include "cli.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

#define LABEL 15 /* columns of "non-trainable  " */
#define NAMES_SHOWN 12
#define CLASSES_SHOWN 8
#define SETTINGS_COLUMNS 60

/* ---- the table ---- */

static const text_column columns[] = {
    {"#", true, 0},       {"layer", false, 44},    {"type", false, SETTINGS_COLUMNS},
    {"output", false, 0}, {"parameters", true, 0}, {"connected to", false, 40},
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

/* Whether an item of the settings, "key=value", says how weights begin: of no interest once they
 * are there, and old files name them everywhere. */
static bool is_initializer(const char *item, size_t n)
{
    static const char ending[] = "_initializer";
    const char *equals = memchr(item, '=', n);
    size_t m = sizeof ending - 1;
    return equals && (size_t)(equals - item) >= m && memcmp(equals - m, ending, m) == 0;
}

/* "Dense(128, relu)": the class and what differs from its defaults. */
static void type_text(const inarch_layer *l, char *out, size_t size)
{
    size_t used = (size_t)snprintf(out, size, "%s", l->class_name);
    const char *open = "(";
    for (const char *s = l->settings; *s && used < size;) {
        size_t n = 0;
        int depth = 0;
        for (; s[n] && (depth > 0 || s[n] != ','); n++)
            depth += (s[n] == '(') - (s[n] == ')');
        if (!is_initializer(s, n)) {
            used += (size_t)snprintf(out + used, size - used, "%s%.*s", open, (int)n, s);
            open = ", ";
        }
        s += n;
        s += strspn(s, ", ");
    }
    if (*open == ',' && used < size)
        snprintf(out + used, size - used, ")");
}

static void add_layer(text_table *t, const inarch_layer *l, size_t number)
{
    char text[512], count[TEXT_NUMBER] = "";
    if (l->counted)
        snprintf(count, sizeof count, "%zu", number);
    text_cell(t, count);
    add_name(t, l);
    type_text(l, text, sizeof text);
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

/* Layer i holds those that follow. */
static bool is_model(const inarch_model *m, size_t i, const inarch_layer *l)
{
    inarch_layer next = {.size = sizeof next};
    return inarch_model_layer(m, i + 1, &next, NULL) == INARCH_OK && next.depth > l->depth;
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
static size_t names_under(const inarch_model *m, const char *key)
{
    size_t n = 0;
    while (inarch_name_at(m, key, n))
        n++;
    return n;
}

static void print_names(const inarch_model *m, const char *label)
{
    size_t n = names_under(m, label);
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

/* What the reader of the file could not take over, and why. */
static void print_notes(const inarch_model *m)
{
    const char *note;
    for (size_t i = 0; (note = inarch_name_at(m, "notes", i)); i++) {
        printf("%-*s", LABEL, "note");
        text_wrap(stdout, note, LABEL, LABEL, text_columns(stdout));
    }
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

/* Whether a layer that can be computed comes before the first that cannot. */
static bool any_below(const inarch_model *m, size_t n)
{
    inarch_layer l = {.size = sizeof l};
    for (size_t i = 0; i < n && inarch_model_layer(m, i, &l, NULL) == INARCH_OK; i++)
        if (!is_model(m, i, &l) && strcmp(l.class_name, "InputLayer") != 0)
            return l.computable != 0;
    return false;
}

/* Which kinds of layers stop a computation, each named once; the table says where they are. */
static void print_refusals(const inarch_model *m, size_t n)
{
    const char *classes[CLASSES_SHOWN];
    inarch_layer l = {.size = sizeof l};
    size_t layers = 0, kinds = 0;
    bool more = false;
    for (size_t i = 0; i < n; i++) {
        /* A nested model is refused for the layers inside, which follow. */
        if (inarch_model_layer(m, i, &l, NULL) != INARCH_OK || l.computable || is_model(m, i, &l))
            continue;
        layers++;
        size_t k = 0;
        while (k < kinds && strcmp(classes[k], l.class_name) != 0)
            k++;
        if (k == kinds && kinds < CLASSES_SHOWN)
            classes[kinds++] = l.class_name;
        else if (k == kinds)
            more = true;
    }
    char text[1024];
    size_t used = (size_t)snprintf(
        text, sizeof text, "%zu layer%s cannot be computed yet: ", layers, layers == 1 ? "" : "s");
    for (size_t k = 0; k < kinds && used < sizeof text; k++)
        used +=
            (size_t)snprintf(text + used, sizeof text - used, "%s%s", k ? ", " : "", classes[k]);
    if (more && used < sizeof text)
        snprintf(text + used, sizeof text - used, ", ...");
    printf("%-*s", LABEL, "warning");
    text_wrap(stdout, text, LABEL, LABEL, text_columns(stdout));
    line("", any_below(m, n) ? "tune --cut LAYER uses what lies below"
                             : "no layer lies below the first of them that tune --cut could use");
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
    count_line("non-trainable", info.parameters - info.trainable_parameters, false);
    CLI_TRY(print_ports(m, INARCH_INPUT, info.inputs, err));
    CLI_TRY(print_ports(m, INARCH_OUTPUT, info.outputs, err));
    print_compile(&info);
    print_names(m, "classes");
    print_names(m, "columns");
    print_names(m, "targets");
    print_notes(m);
    if (!info.computable)
        print_refusals(m, info.all_layers);
    return INARCH_OK;
}
