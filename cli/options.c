/* The table of the command line's own options, and how the library's are added to it. The same rows
 * parse arguments (args.c) and print the help (help.c). */
#include "options.h"

#include "cli.h"
#include "text.h"

#include <assert.h>
#include <string.h>

const char *const option_groups[GROUP_GENERAL + 1] = {
    [GROUP_MODEL] = "model", [GROUP_SURGERY] = "surgery", [GROUP_DATA] = "data",
    [GROUP_WORK] = "work",   [GROUP_OUTPUT] = "output",   [GROUP_GENERAL] = "general",
};

static const cli_option rows[] = {
    {.id = OPT_ARCH,
     .name = "arch",
     .value = "SPECS",
     .group = GROUP_MODEL,
     .help = "layers joined by commas, the input's shape first: "
             "input:784,dense:512:relu,dense:10:softmax (required)"},
    {.id = OPT_CUT,
     .name = "cut",
     .value = "LAYER",
     .group = GROUP_SURGERY,
     .help = "keep everything up to and including LAYER, remove what is above it"},
    {.id = OPT_POP,
     .name = "pop",
     .value = "N",
     .group = GROUP_SURGERY,
     .help = "remove the last N layers"},
    {.id = OPT_FREEZE,
     .name = "freeze",
     .value = "WHAT",
     .group = GROUP_SURGERY,
     .help =
         "a number: the first so many layers; LAYER: up to and including it; names with a comma "
         "or with * and ?: exactly those ('a*,base/dense_1'); all; none. May be repeated"},
    {.id = OPT_UNFREEZE,
     .name = "unfreeze",
     .value = "WHAT",
     .group = GROUP_SURGERY,
     .help = "exactly these layers, by name or pattern; all. Applied in turn with --freeze"},
    {.id = OPT_RESET,
     .name = "reset",
     .value = "WHAT",
     .group = GROUP_SURGERY,
     .help = "fresh weights for these layers, by name or pattern; all: the same architecture from "
             "scratch, to compare with"},
    {.id = OPT_ADD,
     .name = "add",
     .value = "SPECS",
     .group = GROUP_SURGERY,
     .help = "layers on top, joined by commas: dense:128:relu,dropout:0.5,dense(3,name=top). "
             "'inarch list layers' names them, 'inarch list layers dense' what dense takes"},
    {.id = OPT_INSERT,
     .name = "insert",
     .value = "[LAYER]=SPEC",
     .group = GROUP_SURGERY,
     .help = "a layer behind LAYER, or in front of everything"},
    {.id = OPT_ATTACH,
     .name = "attach",
     .value = "LAYER=SPECS",
     .group = GROUP_SURGERY,
     .help = "a further output: layers joined by commas, on top of LAYER"},
    {.id = OPT_HEAD,
     .name = "head",
     .value = "auto|N",
     .group = GROUP_SURGERY,
     .help = "replace the last layer with weights by one for the classes of the data, or for N"},
    {.id = OPT_CLASS_NAMES,
     .name = "classes",
     .value = "NAMES",
     .group = GROUP_DATA,
     .help = "names of the classes in the order of the outputs, joined by commas, for a model that "
             "does not name them"},
    {.id = OPT_CLASSES,
     .name = "classes",
     .value = "NAMES",
     .group = GROUP_SURGERY,
     .help =
         "names of the classes, joined by commas; the output grows or shrinks to their number and "
         "classes known before keep their weights"},
    {.id = OPT_RENAME,
     .name = "rename",
     .value = "LAYER=NAME",
     .group = GROUP_SURGERY,
     .help = "give a layer another name. May be repeated"},
    {.id = OPT_GROUP,
     .name = "group",
     .value = "PATTERN=X",
     .group = GROUP_SURGERY,
     .help = "multiply the learning rate of matching layers by X. May be repeated"},
    {.id = OPT_LAYER,
     .name = "layer",
     .value = "LAYER",
     .group = GROUP_MODEL,
     .help = "whose output is wanted: a name, or a path such as base/dense_1 (required)"},
    {.id = OPT_DATA,
     .name = "data",
     .value = "D",
     .group = GROUP_DATA,
     .help = "rows: .npz, .npy, .csv, IDX; - is CSV on standard input (required)"},
    {.id = OPT_VAL,
     .name = "val",
     .value = "D",
     .group = GROUP_DATA,
     .help = "rows to validate on; the test part of an .npz that has parts"},
    {.id = OPT_VAL_LABELS,
     .name = "val-labels",
     .value = "LABELS",
     .group = GROUP_DATA,
     .help = "as --labels, for --val; without it --labels is used for both"},
    {.id = OPT_VAL_WEIGHTS,
     .name = "val-weights",
     .value = "WEIGHTS",
     .group = GROUP_DATA,
     .help = "as --weights, for --val; without it --weights is used for both"},
    {.id = OPT_LR,
     .name = "lr",
     .value = "X",
     .group = GROUP_WORK,
     .help = "short for --learning-rate",
     .kind = "fit",
     .field = "learning_rate"},
    {.id = OPT_OUTPUT,
     .letter = 'o',
     .name = "output",
     .value = "FILE",
     .group = GROUP_OUTPUT,
     .help = "the file to write; an old one is replaced in one step when the new one is whole"},
    {.id = OPT_FORMAT,
     .name = "format",
     .value = "NAME",
     .group = GROUP_OUTPUT,
     .help = "format of the written model, see 'inarch list formats'; else by the extension",
     .kind = "save",
     .field = "format"},
    {.id = OPT_FORCE,
     .name = "force",
     .group = GROUP_OUTPUT,
     .help = "-o may be one of the files that are read"},
    {.id = OPT_LOG,
     .name = "log",
     .value = "FILE",
     .group = GROUP_OUTPUT,
     .help = "one JSON object per epoch, a line each"},
    {.id = OPT_DRY_RUN,
     .name = "dry-run",
     .group = GROUP_OUTPUT,
     .help = "say what would be done - what is live, frozen and cached, loss, optimizer, memory"},
    {.id = OPT_JSON,
     .name = "json",
     .group = GROUP_GENERAL,
     .help = "print one JSON object: {\"schema\":1,\"command\":...,\"result\":...} or \"error\""},
    {.id = OPT_QUIET, .name = "quiet", .group = GROUP_GENERAL, .help = "no progress on stderr"},
    {.id = OPT_ARGS,
     .name = "args",
     .value = "FILE",
     .group = GROUP_GENERAL,
     .help = "further arguments from FILE, one a line"},
    {.id = OPT_HELP, .letter = 'h', .name = "help", .group = GROUP_GENERAL, .help = "this text"},
};

const int cli_general_options[] = {OPT_JSON, OPT_QUIET, OPT_ARGS, OPT_HELP, 0};

/* What a value of the library's types is called in the help; NULL: a flag. */
static const struct {
    const char *type, *value;
} types[] = {{"int", "N"}, {"float", "X"}, {"text", "TEXT"}, {"flag", NULL}};

const cli_option *cli_option_row(int id)
{
    for (size_t i = 0; i < CLI_COUNT(rows); i++)
        if (rows[i].id == id)
            return &rows[i];
    assert(false); /* an id without a row */
    return NULL;
}

static const char *value_name(const char *type)
{
    for (size_t i = 0; i < CLI_COUNT(types); i++)
        if (strcmp(types[i].type, type) == 0)
            return types[i].value;
    return "VALUE";
}

typedef struct option_list {
    cli_option *items;
    size_t n, room;
} option_list;

static void add(option_list *l, const cli_option *o)
{
    if (l->n == l->room) {
        l->room = l->room ? l->room * 2 : 64;
        l->items = text_alloc(l->items, l->room * sizeof *l->items);
    }
    l->items[l->n++] = *o;
}

static bool is_one_of(const char *name, const char *const *names)
{
    for (; names && *names; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}

static void add_kind(option_list *l, const cli_command *c, const char *kind)
{
    inarch_option o;
    for (size_t i = 0; inarch_option_at(kind, i, &o, NULL) == INARCH_OK; i++) {
        if (is_one_of(o.name, c->without))
            continue;
        bool data = strcmp(kind, "data") == 0;
        cli_option row = {.id = OPT_LIBRARY,
                          .name = o.name,
                          .value = value_name(o.type),
                          .group = data ? GROUP_DATA : GROUP_WORK,
                          .help = o.help,
                          .kind = kind,
                          .field = o.name};
        memcpy(row.fallback, o.fallback, sizeof row.fallback);
        add(l, &row);
    }
}

cli_option *cli_options_of(const cli_command *c, size_t *n)
{
    option_list l = {NULL, 0, 0};
    for (const int *id = c ? c->options : NULL; id && *id; id++)
        add(&l, cli_option_row(*id));
    for (const char *const *kind = c ? c->kinds : NULL; kind && *kind; kind++)
        add_kind(&l, c, *kind);
    for (const int *id = cli_general_options; *id; id++)
        add(&l, cli_option_row(*id));
    *n = l.n;
    return l.items;
}
