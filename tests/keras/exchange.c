/* The inarch half of the tests with real Keras (run.sh).
 *
 *   exchange write DIR   NAME.h5 of every sample, NAME.npz with x (or x0, x1, ...), y: what inarch
 *                        predicts, t: targets to fit; NAME_weights.npz: the weights by path;
 *                        samples.json: who must take what
 *   exchange read DIR    DIR/NAME/keras3.h5 and tf_keras.h5, which Keras saved after a fit of its
 * own, predict what Keras wrote beside them */
#include "samples.h"

#include "npz.h"

#include "base/alloc.h"
#include "base/json.h"

#include <unistd.h>

#define TOLERANCE 1e-5

static const char *folder;

/* ---- writing .npz ---- */

typedef struct npz_out {
    ia_output *file;
    ia_zip_writer *zip;
} npz_out;

static npz_out npz_create(const char *path)
{
    inarch_error err;
    npz_out z;
    assert_ok(ia_output_open(path, &z.file, &err), err);
    assert_ok(ia_zip_writer_new(z.file, &z.zip, &err), err);
    return z;
}

static void npz_finish(npz_out *z)
{
    inarch_error err;
    assert_ok(ia_zip_finish(z->zip, &err), err);
    assert_ok(ia_output_commit(z->file, &err), err);
    ia_zip_writer_free(z->zip);
}

static void npz_put(npz_out *z, const char *name, const ia_shape *shape, const float *data,
                    size_t n)
{
    inarch_error err;
    char member[512];
    ia_buf header = IA_BUF(1 << 16);
    assert_ok(ia_npy_header(IA_F32, shape, &header, &err), err);
    ia_piece pieces[] = {{header.data, header.len}, {data, n * sizeof *data}};
    snprintf(member, sizeof member, "%s.npy", name);
    assert_ok(ia_zip_add(z->zip, member, IA_ZIP_STORED, pieces, 2, &err), err);
    ia_buf_free(&header);
}

/* Shapes of rows, with the number of rows in front. */
static void put_rows(npz_out *z, const char *letter, size_t i, size_t n, const sample_array *a)
{
    char name[32];
    ia_shape shape = {.rank = a->shape.rank + 1, .dim = {SAMPLE_ROWS}};
    for (int k = 0; k < a->shape.rank; k++)
        shape.dim[k + 1] = a->shape.dim[k];
    snprintf(name, sizeof name, n == 1 ? "%s" : "%s%zu", letter, i);
    npz_put(z, name, &shape, a->data, a->count);
}

/* ---- write ---- */

static sample_array prediction(const inarch_model *m, const inarch_data *d, size_t i)
{
    inarch_error err;
    sample_array y = sample_target(m, i); /* its shape; the numbers are replaced */
    assert_ok(inarch_predict(m, d, i, NULL, y.data, y.count, &err), err);
    return y;
}

static void write_data(const inarch_model *m, const char *path)
{
    inarch_error err;
    inarch_info info = {.size = sizeof info};
    assert_ok(inarch_model_info(m, &info, &err), err);
    inarch_data *d = sample_data(m, 0);
    npz_out z = npz_create(path);
    for (size_t i = 0; i < info.inputs; i++) {
        sample_array x = sample_input(m, i);
        put_rows(&z, "x", i, info.inputs, &x);
        free(x.data);
    }
    for (size_t i = 0; i < info.outputs; i++) {
        sample_array y = prediction(m, d, i), t = sample_target(m, i);
        put_rows(&z, "y", i, info.outputs, &y);
        put_rows(&z, "t", i, info.outputs, &t);
        free(y.data);
        free(t.data);
    }
    npz_finish(&z);
    inarch_data_free(d);
}

static void write_weights(const inarch_model *m, const char *path)
{
    inarch_weight w = {.size = sizeof w};
    npz_out z = npz_create(path);
    for (size_t i = 0; inarch_weight_at(m, i, &w, NULL) == INARCH_OK; i++) {
        ia_shape shape = {.rank = w.shape.rank};
        memcpy(shape.dim, w.shape.dim, sizeof shape.dim);
        npz_put(&z, w.path, &shape, w.data, w.count);
    }
    npz_finish(&z);
}

/* How many parameters it trains. */
static size_t write_sample(const sample *s)
{
    inarch_error err;
    inarch_info info = {.size = sizeof info};
    char path[1024];
    inarch_model *m = sample_make(s);
    snprintf(path, sizeof path, "%s/%s.h5", folder, s->name);
    inarch_status status = inarch_save(m, path, NULL, &err);
    if (status != INARCH_OK)
        fail_msg("%s: %s (%s)", s->name, err.message, err.hint);
    snprintf(path, sizeof path, "%s/%s.npz", folder, s->name);
    write_data(m, path);
    snprintf(path, sizeof path, "%s/%s_weights.npz", folder, s->name);
    write_weights(m, path);
    assert_ok(inarch_model_info(m, &info, &err), err);
    size_t trainable = info.trainable_parameters;
    inarch_free(m);
    return trainable;
}

static json_t *readers_of(const sample *s)
{
    json_t *readers = json_array();
    if (s->readers & KERAS3)
        json_array_append_new(readers, json_string("keras3"));
    if (s->readers & TF_KERAS)
        json_array_append_new(readers, json_string("tf_keras"));
    return readers;
}

/* samples.json: {"mlp": {"readers": ["keras3", "tf_keras"], "trainable": 423}, ...} */
static void test_write(void **state)
{
    char path[1024];
    json_t *list = json_object();
    (void)state;
    for (size_t i = 0; i < sample_count(); i++) {
        const sample *s = sample_at(i);
        json_t *row = json_pack("{s:o, s:I}", "readers", readers_of(s), "trainable",
                                (json_int_t)write_sample(s));
        json_object_set_new(list, s->name, row);
    }
    snprintf(path, sizeof path, "%s/samples.json", folder);
    assert_int_equal(json_dump_file(list, path, JSON_INDENT(1)), 0);
    json_decref(list);
}

/* ---- read ---- */

static double read_outputs(const inarch_model *m, const inarch_data *d, const npz *z)
{
    inarch_error err;
    inarch_info info = {.size = sizeof info};
    double worst = 0;
    assert_ok(inarch_model_info(m, &info, &err), err);
    for (size_t i = 0; i < info.outputs; i++) {
        char key[32];
        ia_array want;
        snprintf(key, sizeof key, info.outputs == 1 ? "y" : "y%zu", i);
        assert_true(npz_get(z, key, &want));
        sample_array got = prediction(m, d, i);
        assert_int_equal(got.count, ia_array_count(&want));
        double difference = worst_difference(got.data, ia_array_data(&want), got.count);
        worst = difference > worst ? difference : worst;
        free(got.data);
        ia_array_release(&want);
    }
    return worst;
}

/* The number of complaints. */
static int read_back(const sample *s, const char *reader)
{
    inarch_error err;
    inarch_model *m;
    npz z;
    char path[1024];
    snprintf(path, sizeof path, "%s/%s/%s.npz", folder, s->name, reader);
    if (!npz_open(&z, path)) {
        print_message("%s: %s saved nothing\n", s->name, reader);
        return 1;
    }
    strcpy(strrchr(path, '.'), ".h5");
    if (inarch_load(path, NULL, &m, &err) != INARCH_OK) {
        print_message("%s of %s: %s (%s)\n", s->name, reader, err.message, err.hint);
        npz_close(&z);
        return 1;
    }
    inarch_data *d = sample_data(m, 0);
    double difference = read_outputs(m, d, &z);
    if (!(difference <= TOLERANCE))
        print_message("%s of %s: predictions differ by %g\n", s->name, reader, difference);
    inarch_data_free(d);
    inarch_free(m);
    npz_close(&z);
    return !(difference <= TOLERANCE);
}

static void test_read(void **state)
{
    int complaints = 0;
    (void)state;
    for (size_t i = 0; i < sample_count(); i++) {
        const sample *s = sample_at(i);
        if (s->readers & KERAS3)
            complaints += read_back(s, "keras3");
        if (s->readers & TF_KERAS)
            complaints += read_back(s, "tf_keras");
    }
    assert_int_equal(complaints, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest writing[] = {cmocka_unit_test(test_write)};
    const struct CMUnitTest reading[] = {cmocka_unit_test(test_read)};
    if (argc != 3 || (strcmp(argv[1], "write") != 0 && strcmp(argv[1], "read") != 0)) {
        fprintf(stderr, "usage: exchange write|read DIR\n");
        return 2;
    }
    folder = argv[2];
    return strcmp(argv[1], "write") == 0 ? cmocka_run_group_tests(writing, NULL, NULL)
                                         : cmocka_run_group_tests(reading, NULL, NULL);
}
