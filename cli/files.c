/* Opening data by the options, and checking outputs before time is spent on what goes into them. */
#include "files.h"

#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- data ---- */

static inarch_status open_part(const char *path, inarch_data_options *o, const inarch_model *m,
                               const char *part, inarch_data **out, inarch_error *err)
{
    char wish[16];
    snprintf(wish, sizeof wish, "%s?", part);
    if (!o->part)
        o->part = wish; /* where there are parts */
    return inarch_data_open(path, o, m, out, err);
}

inarch_status files_open_data(const cli_args *a, const inarch_model *m, const char *part,
                              inarch_data **out, inarch_error *err)
{
    inarch_data_options o = INARCH_DATA_OPTIONS;
    const char *path;
    CLI_TRY(cli_need(a, OPT_DATA, &path, err));
    CLI_TRY(cli_apply(a, "data", &o, err));
    return open_part(path, &o, m, part, out, err);
}

inarch_status files_open_val(const cli_args *a, const inarch_model *m, inarch_data **out,
                             inarch_error *err)
{
    inarch_data_options o = INARCH_DATA_OPTIONS;
    const char *path = cli_text(a, OPT_VAL), *data = cli_text(a, OPT_DATA);
    *out = NULL;
    if (!path)
        return INARCH_OK;
    if (data && strcmp(path, "-") == 0 && strcmp(data, "-") == 0)
        return cli_usage(err, "", "--data and --val cannot both be standard input");
    CLI_TRY(cli_apply(a, "data", &o, err));
    o.part = NULL; /* --part and --per-class speak of --data */
    o.per_class = 0;
    if (cli_given(a, OPT_VAL_LABELS))
        o.labels = cli_text(a, OPT_VAL_LABELS);
    if (cli_given(a, OPT_VAL_WEIGHTS))
        o.weights = cli_text(a, OPT_VAL_WEIGHTS);
    return open_part(path, &o, m, FILES_TEST, out, err);
}

/* ---- outputs ---- */

bool files_same(const char *a, const char *b)
{
    struct stat x, y;
    if (strcmp(a, b) == 0)
        return true;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && S_ISREG(x.st_mode) && x.st_dev == y.st_dev &&
           x.st_ino == y.st_ino;
}

/* The options whose value is a file that is read, where it is one. Labels may also be a column:
 * then there is no such file, or one that is not this output. */
static bool is_read(const cli_value *v)
{
    static const int files[] = {OPT_DATA, OPT_VAL, OPT_VAL_LABELS, OPT_VAL_WEIGHTS};
    static const char *const fields[] = {"labels", "weights", "checkpoint"};
    for (size_t i = 0; i < CLI_COUNT(files); i++)
        if (v->option->id == files[i])
            return true;
    for (size_t i = 0; v->option->field && i < CLI_COUNT(fields); i++)
        if (strcmp(v->option->field, fields[i]) == 0)
            return true;
    return false;
}

static inarch_status check_inputs(const cli_args *a, const char *option, const char *path,
                                  inarch_error *err)
{
    const char *hint = "name another file, or give --force to replace it";
    for (size_t i = 0; i < a->word_count; i++)
        if (files_same(path, a->words[i]))
            return cli_usage(err, hint, "%s '%s' is also the file that is read", option, path);
    for (size_t i = 0; i < a->value_count; i++) {
        const cli_value *v = &a->values[i];
        bool itself = v->text == path; /* --checkpoint is read and written */
        if (is_read(v) && !itself && files_same(path, v->text))
            return cli_usage(err, hint, "%s '%s' is also the value of --%s", option, path,
                             v->option->name);
    }
    return INARCH_OK;
}

static inarch_status check_folder(const char *path, inarch_error *err)
{
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;
    char *folder = slash ? text_copy(path, n ? n : 1) : text_copy(".", 1);
    struct stat st;
    inarch_status status = INARCH_OK;
    int missing = stat(folder, &st) ? errno : S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
    if (missing == ENOTDIR)
        status = cli_fail(err, INARCH_IO, path, "", "cannot write '%s': '%s' is not a folder", path,
                          folder);
    else if (missing == ENOENT)
        status = cli_fail(err, INARCH_IO, path, "make the folder first, or write elsewhere",
                          "cannot write '%s': there is no folder '%s'", path, folder);
    else if (faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS))
        status = cli_fail(err, INARCH_IO, path, "change its permissions, or write elsewhere",
                          "cannot write '%s': the folder '%s' is not writable", path, folder);
    free(folder);
    return status;
}

inarch_status files_check_output(const cli_args *a, const char *option, const char *path,
                                 inarch_error *err)
{
    struct stat st;
    if (strcmp(path, "-") == 0)
        return INARCH_OK;
    if (!*path)
        return cli_usage(err, "", "%s is empty; it must name a file", option);
    if (!cli_given(a, OPT_FORCE))
        CLI_TRY(check_inputs(a, option, path, err));
    bool exists = stat(path, &st) == 0;
    if (exists && S_ISDIR(st.st_mode))
        return cli_fail(err, INARCH_IO, path, "", "cannot write '%s': it is a folder", path);
    if (exists && faccessat(AT_FDCWD, path, W_OK, AT_EACCESS))
        return cli_fail(err, INARCH_IO, path, "make it writable, or write elsewhere",
                        "cannot write '%s': the file is read-only", path);
    if (exists && !S_ISREG(st.st_mode))
        return INARCH_OK; /* a pipe or device is written directly */
    return check_folder(path, err);
}

uint64_t files_size(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
}

double files_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
