/* Surgery in its contracted order: a table says which option does what in which phase; within a
 * phase options act in the order they were given. */
#include "surgery.h"

#include "text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct patient {
    inarch_model *m;
    inarch_data *d; /* for --head auto */
} patient;

static bool is_number(const char *text)
{
    return *text && text[strspn(text, "0123456789")] == 0;
}

/* Something that stands for layers exactly, not for "up to". */
static bool is_pattern(const char *text)
{
    return strpbrk(text, ",*?") != NULL;
}

/* ---- below ---- */

static inarch_status do_cut(patient *p, const char *text, inarch_error *err)
{
    return inarch_cut(p->m, text, err);
}

static inarch_status do_pop(patient *p, const char *text, inarch_error *err)
{
    size_t n;
    CLI_TRY(cli_number("pop", text, &n, err));
    return inarch_pop(p->m, n, err);
}

/* A comma at the end makes a pattern of a single name: "dense_1,". */
static inarch_status set_exactly(patient *p, const char *pattern, bool frozen, inarch_error *err)
{
    size_t n = strlen(pattern);
    char *copy = text_copy(pattern, n > 1 && pattern[n - 1] == ',' ? n - 1 : n);
    inarch_status status =
        frozen ? inarch_freeze(p->m, copy, err) : inarch_unfreeze(p->m, copy, err);
    free(copy);
    return status;
}

static inarch_status do_freeze(patient *p, const char *text, inarch_error *err)
{
    size_t n;
    if (strcmp(text, "all") == 0)
        return inarch_freeze(p->m, "*", err);
    if (strcmp(text, "none") == 0)
        return inarch_unfreeze(p->m, "*", err);
    if (is_pattern(text))
        return set_exactly(p, text, true, err);
    if (!is_number(text))
        return inarch_freeze_to(p->m, text, err);
    CLI_TRY(cli_number("freeze", text, &n, err));
    return inarch_freeze_first(p->m, n, err);
}

static inarch_status do_unfreeze(patient *p, const char *text, inarch_error *err)
{
    if (is_number(text))
        return cli_usage(err, "--freeze N freezes the first N layers",
                         "--unfreeze takes names of layers or all, not '%s'", text);
    return set_exactly(p, strcmp(text, "all") == 0 ? "*" : text, false, err);
}

static inarch_status do_reset(patient *p, const char *text, inarch_error *err)
{
    return inarch_reset(p->m, strcmp(text, "all") == 0 ? "*" : text, err);
}

/* ---- above ---- */

static inarch_status do_add(patient *p, const char *text, inarch_error *err)
{
    return inarch_add(p->m, text, err);
}

static inarch_status do_insert(patient *p, const char *text, inarch_error *err)
{
    char *after;
    const char *spec;
    CLI_TRY(cli_pair("insert", text, &after, &spec, err));
    inarch_status status = inarch_insert(p->m, after, spec, err);
    free(after);
    return status;
}

static inarch_status do_attach(patient *p, const char *text, inarch_error *err)
{
    char *from;
    const char *specs;
    CLI_TRY(cli_pair("attach", text, &from, &specs, err));
    inarch_status status = inarch_attach(p->m, from, specs, err);
    free(from);
    return status;
}

static inarch_status head_auto(patient *p, inarch_error *err)
{
    inarch_data_info info = {.size = sizeof info};
    CLI_TRY(inarch_data_get_info(p->d, &info, err));
    if (info.targets == 0)
        return cli_fail(err, INARCH_BAD_DATA, "", "--labels names them",
                        "--head auto needs labels, but the data has none");
    if (info.classes < 2)
        return cli_fail(err, INARCH_BAD_DATA, "",
                        info.classes == 1
                            ? "give rows of at least two classes"
                            : "for numbers: --pop 1 --add dense:1, or as many units as there are",
                        info.classes == 1
                            ? "--head auto needs two classes or more, but the labels are all alike"
                            : "--head auto needs classes, but the labels are numbers or missing");
    return inarch_head(p->m, info.classes, info.classes == 2, err);
}

static inarch_status do_head(patient *p, const char *text, inarch_error *err)
{
    size_t n;
    if (strcmp(text, "auto") == 0)
        return head_auto(p, err);
    CLI_TRY(cli_number("head", text, &n, err));
    return inarch_head(p->m, n, 0, err);
}

/* ---- names and rates ---- */

/* Cuts `list` at commas, in place; a name in double quotes may hold some, and "" for a quote, as
 * in CSV. */
static size_t split_names(char *list, const char **names)
{
    size_t n = 0;
    char *from = list, *to = list;
    bool quoted = false;
    names[n++] = to;
    for (; *from; from++) {
        if (quoted && from[0] == '"' && from[1] == '"') {
            *to++ = *from++;
        } else if (*from == '"') {
            quoted = !quoted;
        } else if (*from == ',' && !quoted) {
            *to++ = 0;
            names[n++] = to;
        } else {
            *to++ = *from;
        }
    }
    *to = 0;
    return n;
}

static inarch_status set_classes(inarch_model *m, const char *text, inarch_error *err)
{
    char *list = text_copy(text, strlen(text));
    const char **names = text_alloc(NULL, (strlen(text) + 1) * sizeof *names);
    size_t n = split_names(list, names);
    inarch_status status = inarch_set_classes(m, names, n, err);
    free(names);
    free(list);
    return status;
}

static inarch_status do_classes(patient *p, const char *text, inarch_error *err)
{
    return set_classes(p->m, text, err);
}

inarch_status surgery_name_classes(const cli_args *a, inarch_model *m, inarch_error *err)
{
    const char *text = cli_text(a, OPT_CLASS_NAMES);
    if (!text)
        return INARCH_OK;
    if (inarch_name_at(m, "classes", 0))
        return cli_fail(err, INARCH_BAD_ARGUMENT, "classes", "tune --classes changes them",
                        "the model names its classes already: the first is '%s'",
                        inarch_name_at(m, "classes", 0));
    return set_classes(m, text, err);
}

static inarch_status do_rename(patient *p, const char *text, inarch_error *err)
{
    char *layer;
    const char *name;
    CLI_TRY(cli_pair("rename", text, &layer, &name, err));
    inarch_status status = inarch_rename(p->m, layer, name, err);
    free(layer);
    return status;
}

static inarch_status do_group(patient *p, const char *text, inarch_error *err)
{
    char *pattern, *end;
    const char *factor;
    CLI_TRY(cli_pair("group", text, &pattern, &factor, err));
    double v = strtod(factor, &end);
    inarch_status status;
    if (*end || !(v >= 0) || isinf(v))
        status = cli_usage(err, "1 is the default, 0.1 a tenth of the learning rate",
                           "--group %s: '%s' is not a number of 0 or more", text, factor);
    else
        status = inarch_group(p->m, pattern, v, err);
    free(pattern);
    return status;
}

/* ---- the order ---- */

enum { PHASE_CUT, PHASE_FREEZE, PHASE_TOP, PHASE_NAMES, PHASES };

static const struct {
    int id, phase;
    inarch_status (*run)(patient *p, const char *text, inarch_error *err);
} steps[] = {
    {OPT_CUT, PHASE_CUT, do_cut},          {OPT_POP, PHASE_CUT, do_pop},
    {OPT_FREEZE, PHASE_FREEZE, do_freeze}, {OPT_UNFREEZE, PHASE_FREEZE, do_unfreeze},
    {OPT_RESET, PHASE_FREEZE, do_reset},   {OPT_HEAD, PHASE_TOP, do_head},
    {OPT_ADD, PHASE_TOP, do_add},          {OPT_INSERT, PHASE_TOP, do_insert},
    {OPT_ATTACH, PHASE_TOP, do_attach},    {OPT_CLASSES, PHASE_NAMES, do_classes},
    {OPT_RENAME, PHASE_NAMES, do_rename},  {OPT_GROUP, PHASE_NAMES, do_group},
};

static inarch_status run_phase(const cli_args *a, int phase, patient *p, inarch_error *err)
{
    for (size_t v = 0; v < a->value_count; v++)
        for (size_t s = 0; s < CLI_COUNT(steps); s++)
            if (steps[s].phase == phase && steps[s].id == a->values[v].option->id)
                CLI_TRY(steps[s].run(p, a->values[v].text, err));
    return INARCH_OK;
}

inarch_status surgery_check(const cli_args *a, inarch_error *err)
{
    const char *head = cli_text(a, OPT_HEAD), *pop = cli_text(a, OPT_POP);
    size_t n;
    if (cli_given(a, OPT_CUT) && pop)
        return cli_usage(err, "", "--cut and --pop exclude each other");
    if (pop)
        CLI_TRY(cli_number("pop", pop, &n, err));
    if (!head || strcmp(head, "auto") == 0)
        return INARCH_OK;
    if (!is_number(head))
        return cli_usage(err, "", "option '--head' takes auto or a whole number, not '%s'", head);
    CLI_TRY(cli_number("head", head, &n, err));
    return n > 0 ? INARCH_OK : cli_usage(err, "", "--head 0: an output needs a class or more");
}

bool surgery_needs_data(const cli_args *a)
{
    const char *head = cli_text(a, OPT_HEAD);
    return head && strcmp(head, "auto") == 0;
}

inarch_status surgery_below(const cli_args *a, inarch_model *m, inarch_error *err)
{
    patient p = {m, NULL};
    for (int phase = PHASE_CUT; phase < PHASE_TOP; phase++)
        CLI_TRY(run_phase(a, phase, &p, err));
    return INARCH_OK;
}

inarch_status surgery_above(const cli_args *a, inarch_model *m, inarch_data *d, inarch_error *err)
{
    patient p = {m, d};
    for (int phase = PHASE_TOP; phase < PHASES; phase++)
        CLI_TRY(run_phase(a, phase, &p, err));
    return INARCH_OK;
}
