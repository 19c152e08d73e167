/* What bad input gets through the public API: the status, the subject, what is wrong, what to do;
 * the model as it was, nothing written, the old file untouched. */
#include "rig.h"

#include <dirent.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void check_error(inarch_status got, inarch_status want, const inarch_error *err,
                        const char *subject, const char *message, const char *hint)
{
    assert_int_equal(got, want);
    assert_int_equal(err->status, want);
    assert_string_equal(err->subject, subject);
    assert_string_equal(err->message, message);
    assert_string_equal(err->hint, hint);
}

/* ---- data ---- */

enum { ROWS = 4 };

static const float inputs[2 * ROWS] = {1, 2, 3, 4, 5, 6, 7, 8};
static const float labels[ROWS] = {0, 1, 2, 1};

/* Rows of `width` inputs; targets of `target_width` numbers, 0: classes, -1: none. */
static inarch_data *rows_of(size_t rows, int width, const float *x, int target_width,
                            const float *y)
{
    inarch_error err;
    inarch_data *d;
    inarch_array in = {x, {1, {width}}}, out = {y, {target_width > 0, {target_width}}};
    assert_ok(inarch_data_arrays(rows, &in, 1, &out, target_width >= 0, &d, &err), err);
    return d;
}

static const char *const softmax_arch = "input:2,dense(4,tanh,name=a),dense(3,softmax,name=b)";
static const char *const sigmoid_arch = "input:2,dense(4,tanh,name=a),dense(1,sigmoid,name=b)";
static const char *const linear_arch = "input:2,dense(4,tanh,name=a),dense(2,name=b)";

typedef struct data_case {
    const char *const *arch;
    int width;
    float x[2 * ROWS];
    int target_width;
    float y[3 * ROWS];
    inarch_status status;
    const char *subject, *message, *hint;
} data_case;

#define GOOD                                                                                       \
    {                                                                                              \
        1, 2, 3, 4, 5, 6, 7, 8                                                                     \
    }
#define OTHER_HEAD "for other classes replace the head: tune --head auto"
#define WHOLE_LABELS                                                                               \
    "labels of classes are whole numbers or text; for values use a loss such as mse; " OTHER_HEAD
#define SHARES "binary_crossentropy takes labels from 0 to 1; for other numbers use mse"

static const data_case data_cases[] = {
    {&softmax_arch,
     2,
     GOOD,
     0,
     {0, 1, 2, 17},
     INARCH_BAD_DATA,
     "arrays",
     "'arrays': label 17 (y[3]) is outside the 3 classes 0 to 2",
     OTHER_HEAD},
    {&softmax_arch,
     2,
     GOOD,
     0,
     {0, -1, 2, 1},
     INARCH_BAD_DATA,
     "arrays",
     "'arrays': label -1 (y[1]) is outside the 3 classes 0 to 2",
     OTHER_HEAD},
    {&softmax_arch,
     2,
     GOOD,
     0,
     {0, 0.5f, 2, 1},
     INARCH_BAD_DATA,
     "arrays",
     "'arrays': label 0.5 (y[1]) is not a whole number",
     WHOLE_LABELS},
    {&softmax_arch,
     2,
     GOOD,
     0,
     {0, NAN, 2, 1},
     INARCH_BAD_DATA,
     "arrays",
     "'arrays': label nan (y[1]) is not a whole number",
     WHOLE_LABELS},
    {&softmax_arch,
     2,
     GOOD,
     0,
     {1, 1, 1, 1},
     INARCH_BAD_DATA,
     "arrays",
     "'arrays': all 4 rows are of one class, 1",
     "a classifier needs rows of at least two classes"},
    {&softmax_arch,
     2,
     GOOD,
     3,
     {1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 1, 0},
     INARCH_BAD_DATA,
     "y",
     "label 2 in row 3 is outside the classes of output 'b'",
     "categorical_crossentropy takes labels from 0 to 1; for other numbers use mse"},
    {&sigmoid_arch,
     2,
     GOOD,
     0,
     {0, 2, 1, 1},
     INARCH_BAD_DATA,
     "y",
     "label 2 in row 2 is outside the classes of output 'b'",
     SHARES},
    {&sigmoid_arch,
     2,
     GOOD,
     0,
     {1, 1, 1, 1},
     INARCH_BAD_DATA,
     "y",
     "all 4 rows have the label 1: nothing could be learnt",
     "give rows of at least two classes"},
    {&linear_arch,
     2,
     GOOD,
     2,
     {1, 2, 3, 4, 5, 6, 7, NAN},
     INARCH_BAD_DATA,
     "arrays",
     "'arrays': y[3, 1] is nan",
     "replace it, or remove the row"},
    {&softmax_arch,
     2,
     GOOD,
     -1,
     {0},
     INARCH_BAD_DATA,
     "arrays",
     "the data have no labels",
     "name them: --labels COLUMN for a table, --labels FILE, or y in an .npz"},
    {&softmax_arch,
     2,
     {1, 2, 3, NAN, 5, 6, 7, 8},
     0,
     {0, 1, 2, 1},
     INARCH_BAD_DATA,
     "arrays",
     "'arrays': x[1, 1] is nan",
     "replace it, or remove the row"},
    {&softmax_arch,
     2,
     {1, 2, 3, 4, 5, -INFINITY, 7, 8},
     0,
     {0, 1, 2, 1},
     INARCH_BAD_DATA,
     "arrays",
     "'arrays': x[2, 1] is -inf",
     "replace it, or remove the row"},
    {&softmax_arch,
     1,
     GOOD,
     0,
     {0, 1, 2, 1},
     INARCH_BAD_DATA,
     "input_layer",
     "input 'input_layer' takes 2 numbers a row, but the data have 1",
     ""},
};

static void test_data(void **state)
{
    (void)state;
    for (size_t i = 0; i < IA_COUNT(data_cases); i++) {
        const data_case *c = &data_cases[i];
        inarch_error err;
        inarch_model *m = rig_new(*c->arch);
        inarch_data *d = rows_of(ROWS, c->width, c->x, c->target_width, c->y);
        uint64_t before = hash_weights(m);
        check_error(inarch_fit(m, d, NULL, NULL, &err), c->status, &err, c->subject, c->message,
                    c->hint);
        assert_true(hash_weights(m) == before);
        inarch_data_free(d);
        inarch_free(m);
    }
}

/* Other numbers than indices are learnt as names from the rows that train, and only from them. */
static void test_numbers_as_names(void **state)
{
    (void)state;
    inarch_error err;
    inarch_history *h;
    inarch_model *m = rig_new(softmax_arch), *fresh = rig_clone(m);
    static const float odd[] = {0, 1, 7, 1}, other[] = {0, 1, 9, 1};
    inarch_data *d = rows_of(ROWS, 2, inputs, 0, odd), *e = rows_of(ROWS, 2, inputs, 0, other);
    inarch_data *plain = rows_of(ROWS, 2, inputs, 0, labels);
    static const char outside[] = "'arrays': label 7 (y[2]) is outside the 3 classes 0 to 2";
    check_error(inarch_evaluate(m, d, NULL, &h, &err), INARCH_BAD_DATA, &err, "arrays", outside,
                OTHER_HEAD);
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    fit.validation = d;
    check_error(inarch_fit(fresh, plain, &fit, NULL, &err), INARCH_BAD_DATA, &err, "arrays",
                outside, OTHER_HEAD);
    fit.validation = NULL;
    assert_ok(inarch_fit(m, d, &fit, NULL, &err), err);
    assert_string_equal(inarch_name_at(m, "classes", 2), "7");
    assert_ok(inarch_evaluate(m, d, NULL, &h, &err), err);
    inarch_history_free(h);
    check_error(inarch_evaluate(m, e, NULL, &h, &err), INARCH_BAD_DATA, &err, "arrays",
                "'arrays': 'y' has the label '9', which is not one of the model's 3 classes",
                "known: '0', '1', '7'; " OTHER_HEAD);
    inarch_data_free(d);
    inarch_data_free(e);
    inarch_data_free(plain);
    inarch_free(m);
    inarch_free(fresh);
}

static void test_no_rows(void **state)
{
    (void)state;
    inarch_error err;
    inarch_history *h;
    float p[3 * ROWS];
    inarch_model *m = rig_new(softmax_arch);
    inarch_data *none = rows_of(0, 2, inputs, 0, labels), *d = rows_of(ROWS, 2, inputs, 0, labels);
    static const char message[] = "the data have no rows";
    check_error(inarch_fit(m, none, NULL, NULL, &err), INARCH_BAD_DATA, &err, "arrays", message,
                "");
    check_error(inarch_evaluate(m, none, NULL, &h, &err), INARCH_BAD_DATA, &err, "arrays", message,
                "");
    check_error(inarch_predict(m, none, 0, NULL, p, 12, &err), INARCH_BAD_DATA, &err, "arrays",
                message, "");
    check_error(inarch_predict(m, d, 0, NULL, p, 11, &err), INARCH_BAD_ARGUMENT, &err, "count",
                "4 rows of 3 numbers do not fit into 11", "");
    check_error(inarch_predict(m, d, 1, NULL, p, 12, &err), INARCH_NOT_FOUND, &err, "output",
                "there is no output 1: the model has 1", "");
    check_error(inarch_features(m, d, "aa", NULL, p, 12, &err), INARCH_NOT_FOUND, &err, "aa",
                "there is no layer 'aa' in the model", "did you mean 'a'?");
    inarch_data_free(none);
    inarch_data_free(d);
    inarch_free(m);
}

/* ---- options ---- */

typedef struct option_case {
    const char *name, *value;
    inarch_status status;
    const char *subject, *message, *hint;
} option_case;

#define SPLIT_HINT "0.2 takes the last fifth of the rows"

static const option_case option_cases[] = {
    {"val_split", "0.9", INARCH_BAD_ARGUMENT, "arrays",
     "a validation split of 0.9 leaves no row to train on: 'arrays' has 4 rows",
     "choose another share, or give validation data of their own"},
    {"optimizer", "adm", INARCH_BAD_ARGUMENT, "adm", "unknown optimizer 'adm'",
     "did you mean 'adam'?"},
    {"optimizer", "adam(beta_1=3)", INARCH_BAD_ARGUMENT, "adam", "beta_1 of adam cannot be 3",
     "decay of the mean; 0 to below 1"},
    {"loss", "crossentropy", INARCH_BAD_ARGUMENT, "crossentropy", "unknown loss 'crossentropy'",
     "see the list of losses"},
    {"metrics", "acuracy", INARCH_BAD_ARGUMENT, "acuracy", "unknown metric 'acuracy'",
     "did you mean 'accuracy'?"},
    {"schedule", "cosin", INARCH_BAD_ARGUMENT, "cosin", "unknown learning-rate schedule 'cosin'",
     "did you mean 'cosine'?"},
    {"class_weight", "cat=1", INARCH_NOT_FOUND, "class_weight", "'cat=1' is none of the 3 classes",
     ""},
    {"class_weight", "1,2,-3", INARCH_BAD_ARGUMENT, "-3",
     "a weight must be a number of 0 or more, not '-3'", "as in 1,0.5 or name=0.5"},
    {"class_weight", "1,2", INARCH_BAD_ARGUMENT, "class_weight",
     "2 class weights are given, but there are 3 classes",
     "give one for each class in their order, or only some by name: cat=5"},
    {"class_weight", "1,2,3,4", INARCH_BAD_ARGUMENT, "class_weight",
     "4 class weights are given, but there are 3 classes",
     "give one for each class in their order, or only some by name: cat=5"},
    {"cpu", "z80", INARCH_BAD_ARGUMENT, "cpu", "there is no kernel set 'z80' on this machine",
     NULL},
    {"checkpoint", "/nonexistent/x.ckpt", INARCH_IO, "/nonexistent/x.ckpt",
     "cannot write '/nonexistent/x.ckpt': there is no folder '/nonexistent'",
     "make the folder first, or write elsewhere"},
};

static void test_options(void **state)
{
    (void)state;
    inarch_model *m = rig_new(softmax_arch);
    inarch_data *d = rows_of(ROWS, 2, inputs, 0, labels);
    uint64_t before = hash_weights(m);
    for (size_t i = 0; i < IA_COUNT(option_cases); i++) {
        const option_case *c = &option_cases[i];
        inarch_error err;
        inarch_fit_options fit = INARCH_FIT_OPTIONS;
        inarch_status status = inarch_option_set("fit", &fit, c->name, c->value, &err);
        if (status == INARCH_OK)
            status = inarch_fit(m, d, &fit, NULL, &err);
        check_error(status, c->status, &err, c->subject, c->message, c->hint ? c->hint : err.hint);
    }
    assert_true(hash_weights(m) == before);
    inarch_data_free(d);
    inarch_free(m);
}

/* Numbers that inarch_option_set would refuse itself. */
static void test_numbers(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        double value;
        const char *message;
    } cases[] = {
        {offsetof(inarch_fit_options, val_split), 1, "val_split must lie between 0 and 1, not 1"},
        {offsetof(inarch_fit_options, val_split), -0.1,
         "val_split must lie between 0 and 1, not -0.1"},
        {offsetof(inarch_fit_options, val_split), NAN,
         "val_split must lie between 0 and 1, not nan"},
        {offsetof(inarch_fit_options, learning_rate), NAN,
         "learning_rate must be finite and not negative, not nan"},
        {offsetof(inarch_fit_options, learning_rate), -1,
         "learning_rate must be finite and not negative, not -1"},
        {offsetof(inarch_fit_options, l2_sp), INFINITY,
         "l2_sp must be finite and not negative, not inf"}};
    inarch_error err;
    inarch_model *m = rig_new(softmax_arch);
    inarch_data *d = rows_of(ROWS, 2, inputs, 0, labels);
    for (size_t i = 0; i < IA_COUNT(cases); i++) {
        inarch_fit_options fit = INARCH_FIT_OPTIONS;
        memcpy((char *)&fit + cases[i].at, &cases[i].value, sizeof(double));
        assert_int_equal(inarch_fit(m, d, &fit, NULL, &err), INARCH_BAD_ARGUMENT);
        assert_string_equal(err.message, cases[i].message);
    }
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    fit.threads = 1000;
    check_error(inarch_fit(m, d, &fit, NULL, &err), INARCH_BAD_ARGUMENT, &err, "threads",
                "threads must lie between 0 and 16, not 1000", "0 takes all this process may use");
    fit.threads = 0;
    fit.batch_size = -1;
    check_error(inarch_fit(m, d, &fit, NULL, &err), INARCH_BAD_ARGUMENT, &err, "batch_size",
                "batch_size must not be negative, not -1", "0 stands for the default");
    fit.batch_size = 0;
    fit.early_stopping = 1;
    fit.monitor = "val_loss";
    check_error(inarch_fit(m, d, &fit, NULL, &err), INARCH_NOT_FOUND, &err, "val_loss",
                "nothing is called 'val_loss' to monitor",
                "give validation data: --val or --val-split");
    fit.size = 3;
    check_error(inarch_fit(m, d, &fit, NULL, &err), INARCH_BAD_ARGUMENT, &err, "size",
                "a struct has no size, or one that is too large",
                "start from the struct's INARCH_ macro, or set size to sizeof the struct");
    inarch_data_free(d);
    inarch_free(m);
}

/* ---- models ---- */

static void test_nothing_to_train(void **state)
{
    (void)state;
    static const char *const archs[] = {"input:2,dense(3,softmax)", "input:3,softmax"};
    for (size_t i = 0; i < IA_COUNT(archs); i++) {
        inarch_error err;
        inarch_model *m = rig_new(archs[i]);
        inarch_data *d = rig_rows(m, 9, 1);
        assert_ok(inarch_freeze(m, "*", &err), err);
        check_error(inarch_fit(m, d, NULL, NULL, &err), INARCH_BAD_ARGUMENT, &err, "",
                    "nothing to train: no trainable parameter leads to an output",
                    "unfreeze a layer, or add a new one on top (--add dense:1:sigmoid)");
        inarch_data_free(d);
        inarch_free(m);
    }
}

static void test_architectures(void **state)
{
    (void)state;
    static const struct {
        const char *arch, *message;
    } cases[] = {
        {"input:4,dense:0", "'dense': units must be at least 1 and at most 2147483647, not 0"},
        {"input:4,dense:1000000000000",
         "'dense': units must be at least 1 and at most 2147483647, not 1000000000000"},
        {"dense:2", "an architecture starts with its one input, 'input:SHAPE'"},
        {"input:4,dense:2,input:3", "an architecture starts with its one input, 'input:SHAPE'"},
        {"input:4", "an architecture needs an input and at least one layer"},
        {"", "an architecture needs an input and at least one layer"},
        {"input:4,,dense:2", "layer '' is not of that form"},
        {"input:-3,dense:2",
         "'input_layer': shape must be at least -1 and at most 2147483647, not -3"},
        {"input:4,dense:2,reshape:3", "layer 'reshape' cannot make (3,) of rows of shape (2,)"},
    };
    for (size_t i = 0; i < IA_COUNT(cases); i++) {
        inarch_error err;
        inarch_model *m = NULL;
        assert_int_not_equal(inarch_new(cases[i].arch, 0, &m, &err), INARCH_OK);
        assert_null(m);
        assert_string_equal(err.message, cases[i].message);
    }
}

/* Sizes that fit a size_t, but no memory. */
static void test_huge(void **state)
{
    (void)state;
    inarch_error err;
    inarch_model *m = NULL;
    check_error(inarch_new("input:2000000000,dense:2000000000", 0, &m, &err), INARCH_NO_MEMORY,
                &err, "kernel", "not enough memory for kernel (16000000000000000000 bytes)",
                "free some memory, or use a smaller model, batch or file");
    assert_null(m);
}

/* ---- files ---- */

static void test_save(void **state)
{
    (void)state;
    inarch_error err;
    inarch_model *m = rig_new(softmax_arch);
    inarch_save_options h5 = INARCH_SAVE_OPTIONS, pdf = h5;
    h5.format = "keras-h5";
    pdf.format = "pdf";
    check_error(inarch_save(m, "/dev/full", &h5, &err), INARCH_IO, &err, "/dev/full",
                "cannot write '/dev/full': no space left on device",
                "free some space, or write elsewhere");
    check_error(inarch_save(m, "/nonexistent/m.h5", NULL, &err), INARCH_IO, &err,
                "/nonexistent/m.h5",
                "cannot write '/nonexistent/m.h5': there is no folder '/nonexistent'",
                "make the folder first, or write elsewhere");
    check_error(inarch_save(m, "m.foo", NULL, &err), INARCH_BAD_ARGUMENT, &err, "m.foo",
                "the name 'm.foo' does not tell in which format to write the model",
                "end the name in .h5, or name a format");
    check_error(inarch_save(m, "m.onnx", NULL, &err), INARCH_UNSUPPORTED, &err, "m.onnx",
                "'m.onnx' asks for ONNX (onnx), which cannot be written yet",
                "end the name in .h5");
    check_error(inarch_save(m, "m.h5", &pdf, &err), INARCH_BAD_ARGUMENT, &err, "pdf",
                "unknown format 'pdf'", "");
    assert_int_equal(inarch_save_check("/nonexistent/m.h5", NULL, &err), INARCH_IO);
    mkdir(rig_path("folder.h5"), 0755);
    assert_int_equal(inarch_save(m, rig_path("folder.h5"), NULL, &err), INARCH_IO);
    assert_non_null(strstr(err.message, "folder"));
    inarch_free(m);
}

static size_t files_in(const char *path)
{
    size_t n = 0;
    DIR *d = opendir(path);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

/* As nobody, since root may write everywhere: a file that is read-only, a folder that is. */
static int save_as_nobody(const inarch_model *m, const char *path, const char *why)
{
    inarch_error err;
    if (geteuid() == 0 && (setgid(65534) || setuid(65534)))
        return 2;
    if (inarch_save(m, path, NULL, &err) != INARCH_IO ||
        inarch_save_check(path, NULL, &err) != INARCH_IO || !strstr(err.message, why)) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    return 0;
}

static void check_read_only(const inarch_model *m, const char *path, const char *why)
{
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(save_as_nobody(m, path, why));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_read_only(void **state)
{
    (void)state;
    inarch_error err;
    char folder[160], file[200], inner[200];
    inarch_model *m = rig_new(softmax_arch);
    snprintf(folder, sizeof folder, "%s", rig_path("locked"));
    snprintf(file, sizeof file, "%s", rig_path("locked.h5"));
    snprintf(inner, sizeof inner, "%s/m.h5", folder);
    assert_ok(inarch_save(m, file, NULL, &err), err);
    chmod(file, 0444);
    chmod(rig_folder, 0777);
    mkdir(folder, 0555);
    check_read_only(m, file, "read-only");
    check_read_only(m, inner, "is not writable");
    assert_int_equal(files_in(folder), 2); /* . and .. */
    chmod(folder, 0755);
    inarch_free(m);
}

/* A save that fails half-way leaves the old file and no other behind. */
static void test_old_file(void **state)
{
    (void)state;
    inarch_error err;
    inarch_model *m = rig_new(softmax_arch), *back;
    uint64_t hash = hash_weights(m);
    char path[160];
    snprintf(path, sizeof path, "%s", rig_path("old.h5"));
    assert_ok(inarch_save(m, path, NULL, &err), err);
    size_t files = files_in(rig_folder);
    assert_ok(inarch_weight_set(m, "a/bias", (const float[]){1, 2, 3, 4}, 4, &err), err);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGXFSZ, SIG_IGN);
        struct rlimit limit = {2048, 2048}; /* the disk, as it were, is full after 2 kB */
        setrlimit(RLIMIT_FSIZE, &limit);
        _exit(inarch_save(m, path, NULL, &err) == INARCH_IO ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(files_in(rig_folder), files);
    assert_ok(inarch_load(path, NULL, &back, &err), err);
    assert_true(hash_weights(back) == hash);
    inarch_free(back);
    inarch_free(m);
}

static void test_load(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        inarch_status status;
        const char *message, *hint;
    } cases[] = {
        {"/nonexistent.h5", INARCH_IO, "cannot open '/nonexistent.h5': no such file or folder",
         "check the path"},
        {"/tmp", INARCH_IO, "'/tmp' is a folder, not a model", "name the model's file"},
        {"/dev/null", INARCH_IO, "cannot open '/dev/null': it is not a regular file",
         "copy it to a file first; CSV can be piped in as --data -"},
    };
    inarch_error err;
    inarch_model *m = NULL;
    for (size_t i = 0; i < IA_COUNT(cases); i++)
        check_error(inarch_load(cases[i].path, NULL, &m, &err), cases[i].status, &err,
                    cases[i].path, cases[i].message, cases[i].hint);
    check_error(inarch_load_memory("hello", 5, "greeting", NULL, &m, &err), INARCH_BAD_FILE, &err,
                "greeting", "'greeting' is not a model of a known format",
                "inarch reads Keras .h5 files");
    check_error(inarch_load_memory("", 0, "nothing", NULL, &m, &err), INARCH_BAD_FILE, &err,
                "nothing", "'nothing' is empty", "inarch reads Keras .h5 files");
    assert_null(m);
}

/* ---- misuse ---- */

/* A struct of an older header is smaller: nothing behind it is written. */
static void test_small_options(void **state)
{
    (void)state;
    inarch_error err;
    struct {
        inarch_fit_options options;
    } box = {INARCH_FIT_OPTIONS};
    box.options.size = offsetof(inarch_fit_options, learning_rate);
    assert_ok(inarch_option_set("fit", &box.options, "epochs", "3", &err), err);
    assert_int_equal(box.options.epochs, 3);
    check_error(inarch_option_set("fit", &box.options, "learning-rate", "0.5", &err),
                INARCH_BAD_ARGUMENT, &err, "learning_rate", err.message,
                "start from the struct's INARCH_ macro");
    assert_true(box.options.learning_rate == 0);
}

static inarch_status fill_fails(void *context, const uint64_t *rows, size_t n, float *const *x,
                                float *const *y)
{
    (void)rows, (void)n, (void)x, (void)y;
    return *(const int *)context;
}

/* A callback's own numbers are not taken for what a training can end in. */
static void test_source_status(void **state)
{
    (void)state;
    static const int given[] = {INARCH_NO_MEMORY, INARCH_DIVERGED, INARCH_ABORTED, 77, -1};
    static const int want[] = {INARCH_NO_MEMORY, INARCH_IO, INARCH_IO, INARCH_IO, INARCH_IO};
    inarch_error err;
    inarch_model *m = rig_new(softmax_arch);
    uint64_t before = hash_weights(m);
    for (size_t i = 0; i < IA_COUNT(given); i++) {
        inarch_data *d;
        inarch_shape x = {1, {2}}, y = {0, {0}};
        inarch_source source = {.size = sizeof source,
                                .context = (void *)(uintptr_t)&given[i],
                                .rows = ROWS,
                                .inputs = 1,
                                .targets = 1,
                                .input_shapes = &x,
                                .target_shapes = &y,
                                .fill = fill_fails};
        assert_ok(inarch_data_source(&source, &d, &err), err);
        assert_int_equal(inarch_fit(m, d, NULL, NULL, &err), want[i]);
        inarch_data_free(d);
    }
    assert_true(hash_weights(m) == before);
    inarch_free(m);
}

/* A second Normalization layer would feed the first what it was not fitted on. */
static void test_standardized_twice(void **state)
{
    (void)state;
    inarch_error err;
    inarch_model *m = rig_new("input:2,dense(3,softmax)");
    inarch_data *d = rig_rows(m, 20, 3);
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    fit.standardize = 1;
    assert_ok(inarch_fit(m, d, &fit, NULL, &err), err);
    uint64_t before = hash_weights(m);
    check_error(inarch_fit(m, d, &fit, NULL, &err), INARCH_BAD_ARGUMENT, &err, "standardize",
                "the model begins with a Normalization layer already: 'normalization'",
                "leave standardize out: the layer goes on scaling the data");
    assert_true(hash_weights(m) == before);
    inarch_data_free(d);
    inarch_free(m);
}

/* After a new head the old loss is another output's; after freezing it still holds. */
static void test_evaluated_after_surgery(void **state)
{
    (void)state;
    inarch_error err;
    inarch_history *h;
    inarch_model *m = rig_new("input:2,dense(4,tanh,name=a),dense(3,softmax)");
    inarch_data *d = rig_rows(m, 20, 3);
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    fit.metrics = "sparse_top_k_categorical_accuracy(k=2)";
    assert_ok(inarch_fit(m, d, &fit, NULL, &err), err);
    assert_ok(inarch_freeze(m, "a", &err), err);
    assert_ok(inarch_evaluate(m, d, NULL, &h, &err), err);
    assert_string_equal(inarch_history_name(h, 1), "sparse_top_k_categorical_accuracy");
    inarch_history_free(h);
    assert_ok(inarch_head(m, 2, 1, &err), err);
    inarch_data_free(d);
    d = rig_rows(m, 20, 3);
    assert_ok(inarch_evaluate(m, d, NULL, &h, &err), err);
    assert_string_equal(inarch_history_name(h, 1), "accuracy");
    assert_true(inarch_history_get(h, 0, "loss") > 0.1);
    inarch_history_free(h);
    inarch_data_free(d);
    inarch_free(m);
}

/* Nothing that was named is left out silently. */
static void test_long_texts(void **state)
{
    (void)state;
    inarch_error err;
    char metrics[700] = "accuracy";
    inarch_model *m = rig_new("input:2,dense(3,softmax)");
    inarch_data *d = rig_rows(m, 20, 3);
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    for (int i = 0; i < 14; i++)
        strcat(metrics, ",sparse_top_k_categorical_accuracy(k=2)");
    fit.metrics = metrics;
    assert_int_equal(inarch_fit(m, d, &fit, NULL, &err), INARCH_LIMIT);
    assert_string_equal(err.subject, "the metrics");
    fit.metrics = NULL;
    fit.loss_weights = "1,2";
    check_error(inarch_fit(m, d, &fit, NULL, &err), INARCH_BAD_ARGUMENT, &err, "loss_weights",
                "loss_weights: 2 given, but the model has 1 output",
                "give one for each output in their order, or by name: dense=...");
    inarch_data_free(d);
    inarch_free(m);
}

/* ---- sessions ---- */

static void test_session(void **state)
{
    (void)state;
    inarch_error err;
    inarch_session *s;
    inarch_session_options o = INARCH_SESSION_OPTIONS;
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    inarch_model *m = rig_new("input:2,batchnorm,dense(3,softmax,name=b)");
    fit.loss = "sparse_categorical_crossentropy";
    o.training = 1;
    o.fit = &fit;
    assert_ok(inarch_session_new(m, &o, &s, &err), err);
    const float good[] = {1, 2, 3, 4}, bad[] = {1, 2, NAN, 4}, seven[] = {1, 7}, half[] = {0.5f, 1};
    const float two[] = {0, 2};
    const float *x = good, *y = two, *w = bad, *z = seven;
    assert_ok(inarch_session_step(s, 2, &x, &y, NULL, &err), err);
    check_error(inarch_session_step(s, 2, &w, &y, NULL, &err), INARCH_BAD_DATA, &err, "inputs",
                "inputs[0] is nan in row 1", "leave the row out");
    check_error(inarch_session_step(s, 2, &x, &z, NULL, &err), INARCH_BAD_DATA, &err, "targets",
                "targets[0] is 7 in row 1, but output 'b' has 3 classes",
                "class indices are whole numbers from 0");
    z = half;
    check_error(inarch_session_step(s, 2, &x, &z, NULL, &err), INARCH_BAD_DATA, &err, "targets",
                "targets[0] is 0.5 in row 0, but output 'b' has 3 classes",
                "class indices are whole numbers from 0");
    check_error(inarch_session_step(s, 33, &x, &y, NULL, &err), INARCH_BAD_ARGUMENT, &err, "rows",
                "this session takes 1 to 32 rows a call, not 33",
                "set rows when the session is made");
    assert_ok(inarch_session_step(s, 2, &x, &y, NULL, &err), err); /* nothing was poisoned */
    assert_ok(inarch_session_publish(s, &err), err);
    inarch_session_free(s);
    o.training = 0;
    assert_ok(inarch_session_new(m, &o, &s, &err), err);
    check_error(inarch_session_step(s, 2, &x, &y, NULL, &err), INARCH_BAD_ARGUMENT, &err, "session",
                "this session was not made for training", "set training when it is made");
    inarch_session_free(s);
    inarch_free(m);
}

/* ---- divergence ---- */

static void test_divergence(void **state)
{
    (void)state;
    inarch_error err;
    inarch_history *h = NULL;
    static const float x[2 * ROWS] = {1, 2, 3, 4, 5, 6, 7, 9.1e5f};
    inarch_model *m = rig_new(linear_arch), *one = rig_clone(m);
    inarch_data *d = rows_of(ROWS, 2, x, 2, x);
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    fit.epochs = 10;
    fit.batch_size = ROWS;
    fit.learning_rate = 1e6;
    fit.optimizer = "sgd";
    fit.loss = "mse";
    inarch_status status = inarch_fit(m, d, &fit, &h, &err);
    assert_int_equal(status, INARCH_DIVERGED);
    assert_string_equal(err.hint, "try a smaller learning rate, or --standardize");
    size_t finite = inarch_history_rows(h);
    assert_true(finite >= 1 && finite < 10);
    char want[200];
    snprintf(want, sizeof want,
             " in epoch %zu, batch 1 (learning rate 1.0e6); largest input is 'x' 9.1e5",
             finite + 1);
    assert_non_null(strstr(err.message, want));
    fit.epochs = (int32_t)finite; /* the weights are those of the last finite epoch's end */
    assert_ok(inarch_fit(one, d, &fit, NULL, &err), err);
    assert_true(hash_weights(m) == hash_weights(one));
    inarch_history_free(h);

    /* In the first epoch: the weights as they were. */
    inarch_model *first = rig_new(linear_arch);
    uint64_t before = hash_weights(first);
    fit.batch_size = 1;
    fit.epochs = 5;
    assert_int_equal(inarch_fit(first, d, &fit, NULL, &err), INARCH_DIVERGED);
    assert_non_null(strstr(err.message, "in epoch 1, batch "));
    assert_true(hash_weights(first) == before);

    /* Still "edited": the next fit does not take an old compile state for this model's. */
    assert_int_equal(first->edited, 1);
    inarch_free(first);
    inarch_free(one);
    inarch_free(m);
    inarch_data_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_data),
        cmocka_unit_test(test_numbers_as_names),
        cmocka_unit_test(test_no_rows),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_nothing_to_train),
        cmocka_unit_test(test_architectures),
        cmocka_unit_test(test_huge),
        cmocka_unit_test(test_save),
        cmocka_unit_test(test_read_only),
        cmocka_unit_test(test_old_file),
        cmocka_unit_test(test_load),
        cmocka_unit_test(test_session),
        cmocka_unit_test(test_divergence),
        cmocka_unit_test(test_small_options),
        cmocka_unit_test(test_source_status),
        cmocka_unit_test(test_long_texts),
        cmocka_unit_test(test_standardized_twice),
        cmocka_unit_test(test_evaluated_after_surgery),
    };
    return cmocka_run_group_tests(tests, NULL, rig_folder_remove);
}
