/* The choice of a format, by content and by name, and what is said of files that are not read. */
#include "rig.h"

#include <sys/stat.h>

static void refuse(const void *data, size_t n, inarch_status status, const char *message,
                   const char *hint)
{
    inarch_error err;
    ia_model *m;
    ia_input in = ia_input_memory(data, n, "x.bin");
    assert_int_equal(ia_model_read_input(&in, NULL, &m, &err), status);
    assert_string_equal(err.message, message);
    if (!strstr(err.hint, hint))
        fail_msg("\"%s\" does not contain \"%s\"", err.hint, hint);
}

#define REFUSE(bytes, status, message, hint) refuse(bytes, sizeof(bytes) - 1, status, message, hint)

/* A ZIP's first local header with a member's name. */
static void refuse_zip(const char *member, const char *message)
{
    uint8_t zip[256] = "PK\3\4";
    zip[26] = (uint8_t)strlen(member);
    memcpy(zip + 30, member, strlen(member));
    refuse(zip, sizeof zip, member[0] == '?' ? INARCH_BAD_FILE : INARCH_UNSUPPORTED, message, "");
}

static void test_magic(void **state)
{
    (void)state;
    refuse_zip("metadata.json", "'x.bin' is Keras 3's ZIP of configuration and weights (keras-v3), "
                                "which cannot be read yet");
    refuse_zip(
        "archive/data.pkl",
        "'x.bin' is PyTorch's pickled tensors or modules (pytorch), which cannot be read yet");
    refuse_zip("x_train.npy",
               "'x.bin' is NumPy arrays: data, not a model (numpy), which cannot be read yet");
    refuse_zip("?", "'x.bin' is not a model of a known format");
    REFUSE("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", INARCH_UNSUPPORTED,
           "'x.bin' is PyTorch's pickled tensors or modules (pytorch), which cannot be read yet",
           ".h5");
    REFUSE("\x02\0\0\0\0\0\0\0{}", INARCH_UNSUPPORTED,
           "'x.bin' is tensors without a model (safetensors), which cannot be read yet", ".h5");
    REFUSE("\x1c\0\0\0TFL3....", INARCH_UNSUPPORTED,
           "'x.bin' is TensorFlow Lite (tflite), which cannot be read yet", ".h5");
    REFUSE("\x08\x08\x12\x07pytorch\x1a\x03", INARCH_UNSUPPORTED,
           "'x.bin' is ONNX (onnx), which cannot be read yet", ".h5");
    REFUSE("\x08\x01\x12\xca\x84\x02\x0a\x12\x2a\x06........", INARCH_UNSUPPORTED,
           "'x.bin' is TensorFlow's SavedModel folder (savedmodel), which cannot be read yet",
           ".h5");
    REFUSE("version https://git-lfs.github.com/spec/v1\n", INARCH_UNSUPPORTED,
           "'x.bin' is the note that Git LFS leaves in the place of a large file (git-lfs), which "
           "cannot "
           "be read yet",
           "git lfs pull");
}

static void test_unknown(void **state)
{
    inarch_error err;
    ia_model *m;
    ia_input in = ia_input_memory("hello", 5, "x.bin");
    (void)state;
    REFUSE("", INARCH_BAD_FILE, "'x.bin' is empty", "Keras .h5");
    REFUSE("hello, world", INARCH_BAD_FILE, "'x.bin' is not a model of a known format",
           "Keras .h5");
    REFUSE("\x89HDF\r\n\x1a\n", INARCH_BAD_FILE, "the file is cut: only 8 bytes are there", "");
    assert_int_equal(ia_model_read_input(&in, "keras-h6", &m, &err), INARCH_BAD_ARGUMENT);
    assert_string_equal(err.message, "unknown format 'keras-h6'");
    assert_string_equal(err.hint, "did you mean 'keras-h5'?");
}

/* Every prefix of the magic bytes is looked at without reading beyond it. */
static void test_short(void **state)
{
    static const char bytes[] =
        "PK\3\4\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x0d\0\0\0metadata.json";
    (void)state;
    for (size_t n = 1; n < sizeof bytes - 1; n++) {
        inarch_error err;
        ia_model *m;
        char *copy = malloc(n);
        memcpy(copy, bytes, n);
        ia_input in = ia_input_memory(copy, n, "x");
        assert_int_equal(ia_model_read_input(&in, NULL, &m, &err), INARCH_BAD_FILE);
        free(copy);
    }
}

static void test_paths(void **state)
{
    inarch_error err;
    ia_model *m;
    char folder[256], file[512];
    (void)state;
    assert_int_equal(ia_model_read(rig_path("none.h5"), NULL, &m, &err), INARCH_IO);
    snprintf(folder, sizeof folder, "%s", rig_path("folder"));
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(ia_model_read(folder, NULL, &m, &err), INARCH_IO);
    assert_non_null(strstr(err.message, "is a folder, not a model"));
    snprintf(file, sizeof file, "%s/saved_model.pb", folder);
    fclose(fopen(file, "w"));
    assert_int_equal(ia_model_read(folder, NULL, &m, &err), INARCH_UNSUPPORTED);
    assert_non_null(strstr(err.message, "is TensorFlow's SavedModel folder (savedmodel)"));
    unlink(file);
    rmdir(folder);
}

static void test_writing(void **state)
{
    static const struct {
        const char *path, *format, *message;
        inarch_status status;
    } cases[] = {
        {"x.h5", NULL, NULL, INARCH_OK},
        {"x.HDF5", NULL, NULL, INARCH_OK},
        {"x.bin", "keras-h5", NULL, INARCH_OK},
        {"x.onnx", NULL, "'x.onnx' asks for ONNX (onnx), which cannot be written yet",
         INARCH_UNSUPPORTED},
        {"x.keras", NULL,
         "'x.keras' asks for Keras 3's ZIP of configuration and weights (keras-v3), which cannot "
         "be "
         "written yet",
         INARCH_UNSUPPORTED},
        {"x", NULL, "the name 'x' does not tell in which format to write the model",
         INARCH_BAD_ARGUMENT},
        {".h5", NULL, "the name '.h5' does not tell in which format to write the model",
         INARCH_BAD_ARGUMENT},
        {"x.h5", "torch", "unknown format 'torch'", INARCH_BAD_ARGUMENT},
    };
    (void)state;
    for (size_t i = 0; i < IA_COUNT(cases); i++) {
        inarch_error err;
        const ia_format *f = NULL;
        assert_int_equal(ia_format_for_writing(cases[i].path, cases[i].format, &f, &err),
                         cases[i].status);
        if (cases[i].message)
            assert_string_equal(err.message, cases[i].message);
        else
            assert_string_equal(f->name, "keras-h5");
    }
}

static void test_table(void **state)
{
    (void)state;
    assert_true(ia_format_count() >= 8);
    for (size_t i = 0; i < ia_format_count(); i++) {
        const ia_format *f = ia_format_at(i);
        assert_ptr_equal(ia_format_find(f->name), f);
        assert_non_null(f->help);
        assert_int_equal(strncmp(f->listing, "read and written: ", 18) == 0, f->read && f->write);
        assert_true((f->read && f->write) || f->hint);
    }
    assert_null(ia_format_find("nothing"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_magic), cmocka_unit_test(test_unknown), cmocka_unit_test(test_short),
        cmocka_unit_test(test_paths), cmocka_unit_test(test_writing), cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
