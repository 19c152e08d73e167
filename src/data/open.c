/* Opening data by content: what the first bytes say wins over the name. Also .npy and IDX files,
 * whose labels are a file of their own. */
#include "data/sources.h"

#include "base/alloc.h"
#include "base/cursor.h"
#include "containers/idx.h"

#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define HEAD 16 /* bytes looked at */

/* ---- what a file is ---- */

typedef enum file_kind { FILE_CSV, FILE_ZIP, FILE_NPY, FILE_IDX, FILE_EMPTY, FILE_OTHER } file_kind;

typedef struct magic {
    const char *bytes;
    size_t n;
    file_kind kind;
    const char *what, *hint; /* of FILE_OTHER */
} magic;

static const magic magics[] = {
    {"PK\3\4", 4, FILE_ZIP, "", ""},
    {"PK\5\6", 4, FILE_ZIP, "", ""},
    {"\x93NUMPY", 6, FILE_NPY, "", ""},
    {"\x89HDF\r\n\x1a\n", 8, FILE_OTHER, "an HDF5 file",
     "models are .h5; data are .npz, .npy, .csv or IDX"},
    {"\x89PNG", 4, FILE_OTHER, "an image", "single images are not read yet; make an .npz of them"},
    {"\xff\xd8\xff", 3, FILE_OTHER, "an image",
     "single images are not read yet; make an .npz of them"},
    {"PAR1", 4, FILE_OTHER, "a Parquet file", "save it as .csv or .npz"},
    {"BZh", 3, FILE_OTHER, "compressed with bzip2", "decompress it first"},
    {"\xfd"
     "7zXZ",
     5, FILE_OTHER, "compressed with xz", "decompress it first"},
    {"\x28\xb5\x2f\xfd", 4, FILE_OTHER, "compressed with zstd", "decompress it first"},
    {"%PDF", 4, FILE_OTHER, "a PDF file", "save the table as .csv"},
    {"\xd0\xcf\x11\xe0", 4, FILE_OTHER, "an old Office file", "save the table as .csv"},
    {"\x80\x02", 2, FILE_OTHER, "a Python pickle", "pickles are not read; save it as .npz"},
    {"\x80\x03", 2, FILE_OTHER, "a Python pickle", "pickles are not read; save it as .npz"},
    {"\x80\x04", 2, FILE_OTHER, "a Python pickle", "pickles are not read; save it as .npz"},
    {"\x80\x05", 2, FILE_OTHER, "a Python pickle", "pickles are not read; save it as .npz"},
};

static bool has_extension(const char *name, const char *extension)
{
    size_t n = strlen(name), m = strlen(extension);
    return n >= m && strcasecmp(name + n - m, extension) == 0;
}

/* The first bytes of the file, or of what is gzipped in it. */
static inarch_status read_head(const ia_input *in, uint8_t *head, size_t *n, bool *gzipped,
                               inarch_error *err)
{
    ia_stream s;
    inarch_status status = ia_stream_open_any(in, &s, err);
    *n = 0;
    *gzipped = s.coding == IA_CODING_GZIP;
    if (status == INARCH_OK)
        status = ia_stream_some(&s, head, HEAD, n, err);
    ia_stream_close(&s);
    return status;
}

static inarch_status find_kind(const ia_input *in, file_kind *kind, inarch_error *err)
{
    uint8_t head[HEAD];
    size_t n;
    bool gzipped;
    IA_TRY(read_head(in, head, &n, &gzipped, err));
    *kind = n == 0 ? FILE_EMPTY : ia_idx_is(head, n) ? FILE_IDX : FILE_CSV;
    for (size_t i = 0; i < IA_COUNT(magics) && *kind == FILE_CSV; i++) {
        const magic *m = &magics[i];
        if (n < m->n || memcmp(head, m->bytes, m->n) != 0)
            continue;
        *kind = m->kind;
        if (m->kind == FILE_OTHER)
            return ia_fail(err, INARCH_UNSUPPORTED, in->name, m->hint,
                           "'%.200s' is %s and cannot be read as data", in->name, m->what);
    }
    if (gzipped && (*kind == FILE_CSV || *kind == FILE_ZIP))
        return ia_fail(err, INARCH_UNSUPPORTED, in->name, "gunzip it first",
                       "'%.200s' is gzipped; only IDX and .npy are read so", in->name);
    return INARCH_OK;
}

/* A file that is cut so short that its magic is gone is judged by its name. */
static inarch_status check_text(const ia_input *in, inarch_error *err)
{
    static const char *const binary[] = {".npz",   ".npy", ".gz", ".idx",
                                         "-ubyte", ".zip", ".h5", ".keras"};
    for (size_t i = 0; i < IA_COUNT(binary); i++)
        if (has_extension(in->name, binary[i]))
            return ia_fail(err, INARCH_BAD_FILE, in->name, "the file is damaged, or another format",
                           "'%.200s' does not hold what its name says", in->name);
    return INARCH_OK;
}

/* ---- arrays in files of their own ---- */

static inarch_status read_array(const ia_input *in, file_kind kind, ia_npy *out, inarch_error *err)
{
    ia_stream s;
    ia_npy a = {.is_text = false};
    inarch_status status = ia_stream_open_any(in, &s, err);
    if (status == INARCH_OK)
        status = kind == FILE_NPY ? ia_npy_read(&s, &a, err) : ia_idx_read(&s, &a.array, err);
    ia_stream_close(&s);
    if (status == INARCH_OK)
        *out = a;
    return status;
}

static inarch_status read_array_file(const char *path, const char *what, ia_npy *out,
                                     inarch_error *err)
{
    ia_input in;
    file_kind kind = FILE_OTHER;
    IA_TRY(ia_input_open(path, &in, err));
    inarch_status status = find_kind(&in, &kind, err);
    if (status == INARCH_OK && kind != FILE_NPY && kind != FILE_IDX)
        status = ia_fail(err, INARCH_BAD_FILE, path, "give an .npy or IDX file",
                         "'%.200s' cannot be read as %s", path, what);
    if (status == INARCH_OK)
        status = read_array(&in, kind, out, err);
    ia_input_close(&in);
    return status;
}

inarch_status ia_data_put_labels(ia_data *d, const char *name, ia_npy *a, inarch_error *err)
{
    inarch_status status = INARCH_OK;
    const char **labels = NULL;
    if (!a->is_text) {
        status = ia_data_add_target(d, name, &a->array, err);
        goto done;
    }
    const ia_texts *t = &a->texts;
    if (t->shape.rank < 1 || (size_t)t->shape.dim[0] != t->count) {
        status = ia_fail(err, INARCH_UNSUPPORTED, d->origin->name, "give one label a row",
                         "'%.150s': '%.80s' has several texts a row", d->origin->name, name);
        goto done;
    }
    labels = ia_calloc(t->count, sizeof *labels);
    if (!labels) {
        status = ia_fail_memory(err, "labels", t->count * sizeof *labels);
        goto done;
    }
    for (size_t i = 0; i < t->count; i++)
        labels[i] = t->bytes + t->start[i];
    status = ia_data_add_text(d, name, labels, t->count, err);
done:
    ia_free(labels);
    ia_npy_release(a);
    return status;
}

static inarch_status add_files(ia_data *d, const ia_data_options *o, inarch_error *err)
{
    ia_npy a;
    if (o->drop && *o->drop)
        return ia_fail(err, INARCH_BAD_ARGUMENT, d->origin->name, "",
                       "'%.200s' has no columns to drop", d->origin->name);
    if (o->labels && *o->labels) {
        IA_TRY(read_array_file(o->labels, "labels", &a, err));
        IA_TRY(ia_data_put_labels(d, "y", &a, err));
    }
    if (o->weights && *o->weights) {
        IA_TRY(read_array_file(o->weights, "weights", &a, err));
        inarch_status status = a.is_text ? ia_fail(err, INARCH_BAD_DATA, o->weights, "",
                                                   "'%.200s' holds text", o->weights)
                                         : ia_data_set_weights(d, &a.array, err);
        ia_npy_release(&a);
        IA_TRY(status);
    }
    return INARCH_OK;
}

static inarch_status open_array(const ia_input *in, file_kind kind, const ia_data_options *o,
                                ia_data **out, inarch_error *err)
{
    ia_data *d;
    ia_npy a;
    IA_TRY(read_array(in, kind, &a, err));
    inarch_status status = ia_data_start(in->name, kind == FILE_NPY ? "npy" : "idx", &d, err);
    if (status != INARCH_OK) {
        ia_npy_release(&a);
        return status;
    }
    if (a.is_text)
        status = ia_fail(err, INARCH_BAD_DATA, in->name, "columns of text are not encoded yet",
                         "'%.200s' holds text, not numbers", in->name);
    else
        status = ia_data_add_input(d, "x", &a.array, err);
    ia_npy_release(&a);
    if (status == INARCH_OK)
        status = add_files(d, o, err);
    if (status != INARCH_OK) {
        ia_data_free(d);
        return status;
    }
    *out = d;
    return INARCH_OK;
}

/* ---- any file ---- */

static inarch_status open_input(const ia_input *in, const ia_data_options *o, ia_data **out,
                                inarch_error *err)
{
    file_kind kind;
    IA_TRY(find_kind(in, &kind, err));
    switch (kind) {
    case FILE_ZIP:
        return ia_data_open_npz(in, o, out, err);
    case FILE_NPY:
    case FILE_IDX:
        return open_array(in, kind, o, out, err);
    case FILE_EMPTY:
        return ia_fail(err, INARCH_BAD_DATA, in->name, "", "'%.200s' is empty", in->name);
    case FILE_CSV:
    case FILE_OTHER:
        break;
    }
    IA_TRY(check_text(in, err));
    return ia_data_open_csv(in, in->name, o, out, err);
}

inarch_status ia_data_open(const char *path, const ia_data_options *options, ia_data **out,
                           inarch_error *err)
{
    static const ia_data_options none = {.part = IA_PART_TRAIN};
    const ia_data_options *o = options ? options : &none;
    struct stat st;
    if (strcmp(path, "-") == 0)
        return ia_data_open_csv(NULL, "standard input", o, out, err);
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return ia_fail(err, INARCH_UNSUPPORTED, path, "make an .npz of the images",
                       "'%.200s' is a folder; folders of images are not read yet", path);
    ia_input in;
    IA_TRY(ia_input_open(path, &in, err));
    inarch_status status = open_input(&in, o, out, err);
    ia_input_close(&in);
    return status;
}
