/* The table of formats, and the choice among them. */
#include "formats/format.h"

#include "base/text.h"
#include "containers/hdf5/hdf5.h"
#include "formats/keras/keras_h5.h"
#include "formats/magic.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define EXPORT_HINT "export the model from its framework as Keras .h5"

/* ia_format.help and .listing */
#define READ_AND_WRITTEN(text) text, "read and written: " text
#define RECOGNISED(text) text, "recognised, not read: " text

/* Order matters: the first probe that agrees wins, and the loose ones stand last. */
static const ia_format formats[] = {
    {"keras-h5", ".h5|.hdf5",
     READ_AND_WRITTEN("Keras 1, 2 and 3 in HDF5 (new files: for Keras 3 and tf_keras alike)"),
     ia_h5_probe, ia_keras_h5_read, ia_keras_h5_write, NULL},
    {"keras-v3", ".keras", RECOGNISED("Keras 3's ZIP of configuration and weights"), ia_magic_keras,
     NULL, NULL, "in Keras: keras.saving.load_model('x.keras').save('x.h5')"},
    {"pytorch", ".pt|.pth", RECOGNISED("PyTorch's pickled tensors or modules"), ia_magic_torch,
     NULL, NULL, EXPORT_HINT},
    {"numpy", ".npz", RECOGNISED("NumPy arrays: data, not a model"), ia_magic_npz, NULL, NULL,
     "give it as --data"},
    {"safetensors", ".safetensors", RECOGNISED("tensors without a model"), ia_magic_safetensors,
     NULL, NULL, EXPORT_HINT},
    {"tflite", ".tflite", RECOGNISED("TensorFlow Lite"), ia_magic_tflite, NULL, NULL, EXPORT_HINT},
    {"git-lfs", "", RECOGNISED("the note that Git LFS leaves in the place of a large file"),
     ia_magic_lfs, NULL, NULL, "fetch the file itself: git lfs pull"},
    {"onnx", ".onnx", RECOGNISED("ONNX"), ia_magic_onnx, NULL, NULL, EXPORT_HINT},
    {"savedmodel", ".pb", RECOGNISED("TensorFlow's SavedModel folder"), ia_magic_savedmodel, NULL,
     NULL, "in Keras: load the folder and save it as .h5"},
};

size_t ia_format_count(void)
{
    return IA_COUNT(formats);
}

const ia_format *ia_format_at(size_t i)
{
    return &formats[i];
}

const ia_format *ia_format_find(const char *name)
{
    for (size_t i = 0; i < IA_COUNT(formats); i++)
        if (strcmp(formats[i].name, name) == 0)
            return &formats[i];
    return NULL;
}

static inarch_status format_unknown(const char *name, inarch_error *err)
{
    const char *names[IA_COUNT(formats)];
    char hint[128] = "";
    for (size_t i = 0; i < IA_COUNT(formats); i++)
        names[i] = formats[i].name;
    const char *near = ia_suggest(name, names, IA_COUNT(formats));
    if (near && snprintf(hint, sizeof hint, "did you mean '%s'?", near) < 0)
        hint[0] = 0;
    return ia_fail(err, INARCH_BAD_ARGUMENT, name, hint, "unknown format '%s'", name);
}

/* ---- reading ---- */

static const ia_format *format_of(const ia_input *in)
{
    for (size_t i = 0; i < IA_COUNT(formats); i++)
        if (formats[i].probe(in))
            return &formats[i];
    return NULL;
}

inarch_status ia_model_read_input(const ia_input *in, const char *format, ia_model **out,
                                  inarch_error *err)
{
    const ia_format *f = format ? ia_format_find(format) : format_of(in);
    if (!f && format)
        return format_unknown(format, err);
    if (!f)
        return ia_fail(err, INARCH_BAD_FILE, in->name, "inarch reads Keras .h5 files",
                       in->size ? "'%s' is not a model of a known format" : "'%s' is empty",
                       in->name);
    if (!f->read)
        return ia_fail(err, INARCH_UNSUPPORTED, in->name, f->hint, "'%s' is %s (%s), which %s",
                       in->name, f->help, f->name, "cannot be read yet");
    return f->read(in, out, err);
}

static bool format_is_folder(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

/* A folder is TensorFlow's or nothing. */
static inarch_status format_refuse_folder(const char *path, inarch_error *err)
{
    char file[4096];
    struct stat s;
    const ia_format *f = ia_format_find("savedmodel");
    int n = snprintf(file, sizeof file, "%s/saved_model.pb", path);
    if (n > 0 && (size_t)n < sizeof file && stat(file, &s) == 0)
        return ia_fail(err, INARCH_UNSUPPORTED, path, f->hint,
                       "'%s' is %s (%s), which cannot be read yet", path, f->help, f->name);
    return ia_fail(err, INARCH_IO, path, "name the model's file", "'%s' is a folder, not a model",
                   path);
}

inarch_status ia_model_read(const char *path, const char *format, ia_model **out, inarch_error *err)
{
    ia_input in;
    if (format_is_folder(path))
        return format_refuse_folder(path, err);
    IA_TRY(ia_input_open(path, &in, err));
    inarch_status status = ia_model_read_input(&in, format, out, err);
    ia_input_close(&in);
    return status;
}

/* ---- writing ---- */

static const ia_format *format_by_extension(const char *path)
{
    size_t n = strlen(path);
    for (size_t i = 0; i < IA_COUNT(formats); i++) {
        ia_split words = ia_split_of(formats[i].extensions, '|');
        const char *word;
        size_t len;
        while (ia_split_next(&words, &word, &len))
            if (len > 0 && n > len && strncasecmp(path + n - len, word, len) == 0)
                return &formats[i];
    }
    return NULL;
}

inarch_status ia_format_for_writing(const char *path, const char *format, const ia_format **out,
                                    inarch_error *err)
{
    const ia_format *f = format ? ia_format_find(format) : format_by_extension(path);
    if (!f && format)
        return format_unknown(format, err);
    if (!f)
        return ia_fail(err, INARCH_BAD_ARGUMENT, path, "end the name in .h5, or name a format",
                       "the name '%s' does not tell in which format to write the model", path);
    if (!f->write)
        return ia_fail(err, INARCH_UNSUPPORTED, path, "end the name in .h5",
                       "'%s' asks for %s (%s), which cannot be written yet", path, f->help,
                       f->name);
    *out = f;
    return INARCH_OK;
}

inarch_status ia_model_write(const ia_model *m, const char *path, const char *format,
                             inarch_error *err)
{
    const ia_format *f;
    ia_output *o;
    IA_TRY(ia_format_for_writing(path, format, &f, err));
    IA_TRY(ia_output_open(path, &o, err));
    inarch_status status = f->write(m, o, err);
    if (status == INARCH_OK)
        return ia_output_commit(o, err);
    ia_output_discard(o);
    return status;
}
