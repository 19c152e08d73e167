/* Every HDF5 file of the shared corpus and the synthetic models, read and compared with what h5py
 * read: fixtures/containers/hdf5/corpus.crc, made by tools/hdf5_oracle.py --list. With file names
 * as arguments the program prints their text instead, for a diff with the oracle's; after --copy,
 * it writes IN anew as OUT. */
#include "test.h"
#include "containers/hdf5_dump.h"
#include "containers/hdf5/hdf5_write.h"
#include "containers/zip.h"

#include <unistd.h>

#define COPY "hdf5_corpus_test.h5"
#define TEXT_MAX ((size_t)256 << 20)

typedef struct opened {
    ia_input file;
    ia_zip *zip;
    ia_h5 *h5;
} opened;

/* A .keras file is read through its weights, as Keras does. */
static inarch_status open_path(const char *path, opened *f, inarch_error *err)
{
    *f = (opened){0};
    IA_TRY(ia_input_open(path, &f->file, err));
    ia_input in = f->file;
    size_t member;
    if (strlen(path) > 6 && strcmp(path + strlen(path) - 6, ".keras") == 0) {
        IA_TRY(ia_zip_open(&f->file, &f->zip, err));
        if (!ia_zip_find(f->zip, "model.weights.h5", &member))
            return INARCH_NOT_FOUND;
        IA_TRY(ia_zip_window(f->zip, member, &in, err));
    }
    return ia_h5_open(&in, &f->h5, err);
}

static void close_path(opened *f)
{
    ia_h5_free(f->h5);
    ia_zip_close(f->zip);
    ia_input_close(&f->file);
}

static inarch_status dump_path(const char *path, ia_buf *text, inarch_error *err)
{
    opened f;
    inarch_status status = open_path(path, &f, err);
    if (status == INARCH_OK)
        status = dump_file(text, f.h5, err);
    close_path(&f);
    return status;
}

/* ---- the same tree through the writer ---- */

static inarch_status copy_attr(ia_h5w *w, ia_h5w_object *to, const ia_h5_attr *a, inarch_error *err)
{
    if (a->strings == NULL)
        return ia_h5w_attr_numbers(w, to, a->name, a->dtype, &a->shape, a->data, err);
    if (a->shape.rank == 0)
        return ia_h5w_attr_text(w, to, a->name, a->strings->text, a->strings->len, err);
    const char **texts = ia_calloc(a->count, sizeof *texts);
    if (texts == NULL)
        return ia_fail_memory(err, "texts", a->count);
    for (size_t i = 0; i < a->count; i++)
        texts[i] = a->strings[i].text;
    inarch_status status = ia_h5w_attr_list(w, to, a->name, texts, a->count, err);
    ia_free(texts);
    return status;
}

static inarch_status copy_object(ia_h5w *w, ia_h5w_object *to, const ia_h5 *h5,
                                 const ia_h5_object *from, inarch_error *err)
{
    for (size_t i = 0; i < from->attr_count; i++)
        IA_TRY(copy_attr(w, to, &from->attrs[i], err));
    for (size_t i = 0; i < from->child_count; i++) {
        const ia_h5_object *child = from->children[i];
        ia_h5w_object *made;
        if (child->kind == IA_H5_DATASET) {
            ia_array a;
            IA_TRY(ia_h5_read(h5, child, &a, err));
            inarch_status status = ia_h5w_dataset(w, to, child->name, &a, &made, err);
            ia_array_release(&a);
            IA_TRY(status);
        } else {
            IA_TRY(ia_h5w_group(w, to, child->name, &made, err));
        }
        IA_TRY(copy_object(w, made, h5, child, err));
    }
    return INARCH_OK;
}

static inarch_status copy_path(const char *path, const char *out, inarch_error *err)
{
    opened f;
    ia_h5w *w = NULL;
    ia_output *o = NULL;
    inarch_status status;
    IA_TRY_GOTO(open_path(path, &f, err));
    IA_TRY_GOTO(ia_h5w_new(&w, err));
    IA_TRY_GOTO(copy_object(w, ia_h5w_root(w), f.h5, ia_h5_root(f.h5), err));
    IA_TRY_GOTO(ia_output_open(out, &o, err));
    IA_TRY_GOTO(ia_h5w_write(w, o, err));
    status = ia_output_commit(o, err);
    o = NULL;
done:
    ia_output_discard(o);
    ia_h5w_free(w);
    close_path(&f);
    return status;
}

/* ---- the corpus ---- */

typedef inarch_status text_fn(const char *path, ia_buf *text, inarch_error *err);

/* The text of a copy by our writer. */
static inarch_status dump_copy(const char *path, ia_buf *text, inarch_error *err)
{
    IA_TRY(copy_path(path, COPY, err));
    return dump_path(COPY, text, err);
}

static void compare_corpus(text_fn *text_of)
{
    FILE *list = fopen(FIXTURES "/containers/hdf5/corpus.crc", "r");
    FILE *shared = fopen(SHARED_DIR "/corpus/INDEX.tsv", "r");
    assert_non_null(list);
    if (shared == NULL) {
        fclose(list);
        print_message("no shared corpus here\n");
        skip();
    }
    fclose(shared);
    unsigned long want;
    int lines, files = 0, wrong = 0;
    char name[400], path[800];
    while (fscanf(list, "%lx %d %399[^\n]", &want, &lines, name) == 3) {
        inarch_error err = {0};
        ia_buf text = IA_BUF(TEXT_MAX);
        snprintf(path, sizeof path, "%s/%s", SHARED_DIR, name);
        inarch_status status = text_of(path, &text, &err);
        uLong crc = crc32(crc32(0, NULL, 0), text.data, (uInt)text.len);
        if (status != INARCH_OK || crc != want) {
            print_error("%s: %d %s\n", name, (int)status, err.message);
            wrong++;
        }
        ia_buf_free(&text);
        files++;
    }
    fclose(list);
    assert_int_equal(wrong, 0);
    assert_int_equal(files, 240);
}

static void equals_h5py(void **state)
{
    (void)state;
    compare_corpus(dump_path);
}

static void copies_are_equal(void **state)
{
    (void)state;
    compare_corpus(dump_copy);
    unlink(COPY);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(equals_h5py),
                                       cmocka_unit_test(copies_are_equal)};
    if (argc == 4 && strcmp(argv[1], "--copy") == 0) {
        inarch_error err = {0};
        inarch_status status = copy_path(argv[2], argv[3], &err);
        printf("%s%s", err.message, status == INARCH_OK ? "" : "\n");
        return status;
    }
    for (int i = 1; i < argc; i++) {
        inarch_error err = {0};
        ia_buf text = IA_BUF(TEXT_MAX);
        if (dump_path(argv[i], &text, &err) == INARCH_OK)
            fwrite(text.data, 1, text.len, stdout);
        else
            printf("%s: %s (%s)\n", argv[i], err.message, err.hint);
        ia_buf_free(&text);
    }
    return argc > 1 ? 0 : cmocka_run_group_tests_name("containers_hdf5_corpus", tests, NULL, NULL);
}
