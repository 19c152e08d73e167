/* evaluate, predict, features, the cache and checkpoint files by themselves. */
#include "test.h"
#include "base/failing_alloc.h"
#include "base/scratch.h"
#include "train/rig.h"

#include "train/cache.h"
#include "train/checkpoint.h"
#include "train/evaluate.h"

#include <unistd.h>

static inarch_error err;

/* ---- evaluate ---- */

static void evaluation_is_the_loss_of_the_predictions(void **state)
{
    (void)state;
    ia_model *m = rig_model("input:5,dense(4,tanh,kernel_regularizer=l1(0.1),name=a),dropout(0.5),"
                            "dense(2,name=b)");
    ia_data *d = rig_data(21, 5, RIG_NUMBERS);
    ia_evaluate_options e = ia_evaluate_defaults();
    ia_predict_options p = {.rows = 4};
    ia_array y;
    ia_history *h;
    float t[42];
    double mse = 0, mae = 0, l1 = 0;
    assert_ok(ia_predict_arrays(m, d, &p, &y, 1, &err), err);
    assert_int_equal(y.shape.rank, 2);
    assert_ok(ia_data_gather_target(d, NULL, 21, 0, t, &err), err);
    for (size_t i = 0; i < 42; i++) {
        double v = (double)((const float *)ia_array_data(&y))[i] - (double)t[i];
        mse += v * v / 42;
        mae += fabs(v) / 42;
    }
    const ia_array *w = &ia_model_layer(m, "a")->variables[0].value;
    for (size_t i = 0; i < 20; i++)
        l1 += 0.1 * fabs((double)((const float *)ia_array_data(w))[i]);
    e.metrics = "mae,rmse";
    for (e.batch_size = 1; e.batch_size < 30; e.batch_size += 4) {
        assert_ok(ia_evaluate(m, d, &e, &h, &err), err);
        assert_near(ia_history_get(h, 0, "loss"), mse + l1, 1e-7);
        assert_near(ia_history_get(h, 0, "mae"), mae, 1e-12);
        assert_near(ia_history_get(h, 0, "rmse"), sqrt(mse), 1e-12);
        ia_history_free(h);
    }
    ia_array_release(&y);
    ia_model_free(m);
    ia_data_free(d);
}

/* Keras' weights: sum(w l) / N in the loss, sum(w v) / sum(w) in weighted metrics, none in the
 * others. */
static void weights_count_where_keras_counts_them(void **state)
{
    (void)state;
    ia_model *m = rig_model("input:5,dense(2)");
    ia_data *d = rig_data(9, 5, RIG_NUMBERS);
    ia_array w = rig_array(9, 1), y;
    ia_evaluate_options e = ia_evaluate_defaults();
    ia_predict_options p = {0};
    ia_history *h;
    float t[18];
    double sum = 0, weights = 0, plain = 0;
    w.shape = ia_shape_1(9);
    for (size_t i = 0; i < 9; i++)
        ((float *)ia_array_mutable(&w))[i] = (float)(i % 4);
    assert_ok(ia_data_set_weights(d, &w, &err), err);
    assert_ok(ia_predict_arrays(m, d, &p, &y, 1, &err), err);
    assert_ok(ia_data_gather_target(d, NULL, 9, 0, t, &err), err);
    for (size_t i = 0; i < 18; i++) {
        double v = (double)((const float *)ia_array_data(&y))[i] - (double)t[i];
        sum += (double)(i / 2 % 4) * v * v / 2;
        plain += v * v / 18;
        weights += (double)(i / 2 % 4) / 2;
    }
    e.metrics = "mse";
    e.weighted_metrics = "mse";
    assert_ok(ia_evaluate(m, d, &e, &h, &err), err);
    assert_near(ia_history_get(h, 0, "loss"), sum / 9, 1e-9);
    assert_near(ia_history_get(h, 0, "mse"), plain, 1e-9);
    assert_near(ia_history_get(h, 0, "mse_1"), sum / weights, 1e-9);
    ia_history_free(h);
    ia_array_release(&w);
    ia_array_release(&y);
    ia_model_free(m);
    ia_data_free(d);
}

/* Three samples a row: the mean runs over all of them. */
static void outputs_of_higher_rank(void **state)
{
    (void)state;
    ia_model *m = rig_model("input:3x2,dense(2,softmax)");
    ia_data *d;
    ia_array x, y;
    ia_shape sx = {3, {4, 3, 2}}, sy = {2, {4, 3}};
    ia_evaluate_options e = ia_evaluate_defaults();
    ia_predict_options po = {0};
    ia_array p;
    ia_history *h;
    assert_ok(ia_array_new(IA_F32, &sx, "test", &x, &err), err);
    assert_ok(ia_array_new(IA_F32, &sy, "test", &y, &err), err);
    for (size_t i = 0; i < 24; i++)
        ((float *)ia_array_mutable(&x))[i] = rig_number(i);
    for (size_t i = 0; i < 12; i++)
        ((float *)ia_array_mutable(&y))[i] = (float)(i % 5 == 0);
    assert_ok(ia_data_new("rows", &d, &err), err);
    assert_ok(ia_data_add_input(d, "x", &x, &err), err);
    assert_ok(ia_data_add_target(d, "y", &y, &err), err);
    e.loss = "sparse_categorical_crossentropy";
    e.metrics = "accuracy";
    assert_ok(ia_evaluate(m, d, &e, &h, &err), err);
    assert_ok(ia_predict_arrays(m, d, &po, &p, 1, &err), err);
    double loss = 0, right = 0;
    for (size_t i = 0; i < 12; i++) {
        const float *q = (const float *)ia_array_data(&p) + 2 * i;
        size_t k = i % 5 == 0;
        loss -= log((double)q[k]) / 12;
        right += (double)((q[1] > q[0]) == (k == 1)) / 12;
    }
    assert_near(ia_history_get(h, 0, "loss"), loss, 1e-6);
    assert_near(ia_history_get(h, 0, "accuracy"), right, 1e-12);
    ia_history_free(h);
    ia_array_release(&p);
    ia_array_release(&x);
    ia_array_release(&y);
    ia_data_free(d);
    ia_model_free(m);
}

/* ---- predict and features ---- */

static void blocks_do_not_matter_and_features_are_values(void **state)
{
    (void)state;
    ia_model *m = rig_model("input:5,dense(4,tanh,name=a),dense(3,softmax,name=b)");
    ia_data *d = rig_data(13, 5, RIG_CLASSES);
    const char *hidden = "a";
    ia_array whole, part, features;
    ia_predict_options p = {.rows = 100};
    assert_ok(ia_predict_arrays(m, d, &p, &whole, 1, &err), err);
    for (p.rows = 1; p.rows < 14; p.rows++) {
        assert_ok(ia_predict_arrays(m, d, &p, &part, 1, &err), err);
        assert_memory_equal(ia_array_data(&part), ia_array_data(&whole), 39 * sizeof(float));
        ia_array_release(&part);
    }
    p.fetch = &hidden;
    p.fetch_count = 1;
    assert_ok(ia_predict_arrays(m, d, &p, &features, 1, &err), err);
    assert_int_equal(features.shape.dim[1], 4);
    float x[5];
    uint64_t row = 7;
    assert_ok(ia_data_gather(d, &row, 1, 0, x, &err), err);
    const float *w = ia_array_data(&ia_model_layer(m, "a")->variables[0].value);
    double z = 0;
    for (size_t i = 0; i < 5; i++)
        z += (double)x[i] * (double)w[i * 4 + 2];
    assert_near(((const float *)ia_array_data(&features))[7 * 4 + 2], tanh(z), 1e-6);
    ia_array_release(&whole);
    ia_array_release(&features);
    ia_model_free(m);
    ia_data_free(d);
}

static inarch_status refuse(void *context, size_t row0, size_t rows, const float *const *values,
                            inarch_error *e)
{
    (void)rows, (void)values;
    if (row0 < 8)
        return INARCH_OK;
    *(size_t *)context = row0;
    return ia_fail(e, INARCH_IO, "disk", "", "the disk is full");
}

static void a_reader_may_refuse(void **state)
{
    (void)state;
    ia_model *m = rig_model("input:5,dense(1)");
    ia_data *d = rig_data(20, 5, RIG_BINARY);
    ia_predict_options p = {.rows = 4};
    size_t at = 0;
    assert_int_equal(ia_predict(m, d, &p, refuse, &at, &err), INARCH_IO);
    assert_int_equal(at, 8);
    ia_model_free(m);
    ia_data_free(d);
}

/* ---- the cache ---- */

static ia_program *frontier_program(const ia_model *m)
{
    ia_program *p;
    ia_program_options o = {.mode = IA_RUN_EVALUATE, .rows = 8};
    assert_ok(ia_program_new(m, &o, &p, &err), err);
    return p;
}

static void cached_rows_come_back(void **state)
{
    (void)state;
    ia_model *m = rig_model("input:5,dense(4,tanh,name=a),dense(1,name=b)");
    ia_model_layer(m, "a")->trainable = false;
    ia_program *p = frontier_program(m);
    assert_int_equal(ia_program_frontier_count(p), 1);
    const ia_view *v = ia_program_frontier(p, 0);
    assert_int_equal(ia_cache_bytes(p, 10), 10 * 4 * sizeof(float));
    for (uint64_t memory = 0; memory < 200; memory += 160) {
        ia_cache *c;
        assert_ok(ia_cache_new(p, 100, 10, memory, &c, &err), err);
        assert_int_equal(ia_cache_in_memory(c), memory == 160);
        for (uint64_t r = 0; r < 10; r++) { /* rows 90, 80, ... 0 of the source */
            uint64_t row = 90 - 10 * r;
            assert_false(ia_cache_has(c, row));
            for (size_t k = 0; k < 4; k++)
                v->data[k] = (float)(row * 4 + k);
            assert_ok(ia_cache_put(c, p, &row, 1, &err), err);
            assert_true(ia_cache_has(c, row));
        }
        const uint64_t rows[] = {20, 90, 0, 20, 50};
        assert_ok(ia_cache_get(c, p, rows, 5, &err), err);
        for (size_t r = 0; r < 5; r++)
            for (size_t k = 0; k < 4; k++)
                assert_true(v->data[r * 4 + k] == (float)(rows[r] * 4 + k));
        assert_false(ia_cache_has(c, 1));
        assert_false(ia_cache_has(c, 100));
        ia_cache_free(c);
    }
    ia_program_free(p);
    ia_model_free(m);
}

static void a_cache_needs_its_folder(void **state)
{
    (void)state;
    ia_model *m = rig_model("input:5,dense(4,tanh,name=a),dense(1,name=b)");
    ia_model_layer(m, "a")->trainable = false;
    ia_program *p = frontier_program(m);
    ia_cache *c;
    char old[256];
    snprintf(old, sizeof old, "%s", getenv("TMPDIR") ? getenv("TMPDIR") : "");
    setenv("TMPDIR", "/nowhere/at/all", 1);
    assert_int_equal(ia_cache_new(p, 4, 4, 0, &c, &err), INARCH_IO);
    assert_non_null(strstr(err.message, "cannot make the cache file"));
    assert_string_equal(err.hint, "set TMPDIR to a larger disk, or switch the cache off");
    if (old[0])
        setenv("TMPDIR", old, 1);
    else
        unsetenv("TMPDIR");
    ia_program_free(p);
    ia_model_free(m);
}

/* ---- checkpoint files ---- */

static void checkpoint_files_go_round(void **state)
{
    (void)state;
    char path[1024];
    bool found;
    ia_checkpoint c = {.state = json_pack("{s:i, s:f}", "a", 1, "b", 0.1)}, r;
    ia_array a = rig_array(3, 2), scalar;
    ia_shape none = {0};
    snprintf(path, sizeof path, "%s", scratch("run.ck"));
    unlink(path);
    assert_ok(ia_checkpoint_read(path, &r, &found, &err), err);
    assert_false(found);
    assert_ok(ia_array_new(IA_F32, &none, "test", &scalar, &err), err);
    for (size_t i = 0; i < 6; i++)
        ((float *)ia_array_mutable(&a))[i] = (float)i;
    assert_ok(ia_checkpoint_add(&c, "value/0", &a, &err), err);
    assert_ok(ia_checkpoint_add(&c, "one", &scalar, &err), err);
    assert_ok(ia_checkpoint_write(&c, path, &err), err);
    assert_ok(ia_checkpoint_read(path, &r, &found, &err), err);
    assert_true(found && json_equal(r.state, c.state) && r.count == 2);
    assert_memory_equal(ia_array_data(ia_checkpoint_find(&r, "value/0")), ia_array_data(&a), 24);
    assert_int_equal(ia_checkpoint_find(&r, "one")->shape.rank, 0);
    assert_null(ia_checkpoint_find(&r, "two"));
    ia_checkpoint_free(&r);
    ia_checkpoint_free(&c);
    ia_array_release(&a);
    ia_array_release(&scalar);
    unlink(path);
}

static void write_bytes(const char *path, const uint8_t *data, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, n, f), n);
    fclose(f);
}

/* Cut anywhere, or any byte changed: refused with words, never read half. */
static void damaged_checkpoints_are_refused(void **state)
{
    (void)state;
    char path[1024];
    uint8_t data[512];
    bool found;
    ia_checkpoint c = {.state = json_pack("{s:i}", "a", 1)}, r;
    ia_array a = rig_array(2, 2);
    snprintf(path, sizeof path, "%s", scratch("run.ck"));
    assert_ok(ia_checkpoint_add(&c, "v", &a, &err), err);
    assert_ok(ia_checkpoint_write(&c, path, &err), err);
    FILE *f = fopen(path, "rb");
    size_t n = fread(data, 1, sizeof data, f);
    fclose(f);
    assert_true(n > 60 && n < sizeof data);
    for (size_t cut = 0; cut < n; cut++) {
        write_bytes(path, data, cut);
        assert_int_equal(ia_checkpoint_read(path, &r, &found, &err), INARCH_BAD_FILE);
        /* what is no checkpoint may be somebody's model */
        assert_string_equal(err.hint, cut < 8 ? "name another file: this one stays as it is"
                                              : "remove it to start the run from the beginning");
    }
    for (size_t at = 0; at < n; at++) {
        data[at] ^= 0x41;
        write_bytes(path, data, n);
        assert_int_equal(ia_checkpoint_read(path, &r, &found, &err), INARCH_BAD_FILE);
        data[at] ^= 0x41;
    }
    write_bytes(path, data, n);
    for (int k = 0;; k++) { /* and every allocation fails once */
        alloc_countdown = k;
        inarch_status status = ia_checkpoint_read(path, &r, &found, &err);
        alloc_countdown = -1;
        if (status == INARCH_OK)
            break;
        assert_int_equal(status, INARCH_NO_MEMORY);
    }
    ia_checkpoint_free(&r);
    ia_checkpoint_free(&c);
    ia_array_release(&a);
    unlink(path);
}

static void allocations_of_evaluation_may_fail(void **state)
{
    (void)state;
    ia_model *m = rig_model("input:5,dense(4,tanh),dense(1,sigmoid)");
    ia_data *d = rig_data(10, 5, RIG_BINARY);
    ia_evaluate_options e = ia_evaluate_defaults();
    ia_predict_options p = {0};
    e.metrics = "accuracy,auc";
    for (int k = 0;; k++) {
        ia_history *h = NULL;
        ia_array y = {0};
        alloc_countdown = k;
        inarch_status status = ia_evaluate(m, d, &e, &h, &err);
        if (status == INARCH_OK)
            status = ia_predict_arrays(m, d, &p, &y, 1, &err);
        alloc_countdown = -1;
        ia_history_free(h);
        ia_array_release(&y);
        if (status == INARCH_OK)
            break;
        assert_int_equal(status, INARCH_NO_MEMORY);
    }
    ia_model_free(m);
    ia_data_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evaluation_is_the_loss_of_the_predictions),
        cmocka_unit_test(weights_count_where_keras_counts_them),
        cmocka_unit_test(outputs_of_higher_rank),
        cmocka_unit_test(blocks_do_not_matter_and_features_are_values),
        cmocka_unit_test(a_reader_may_refuse),
        cmocka_unit_test(cached_rows_come_back),
        cmocka_unit_test(a_cache_needs_its_folder),
        cmocka_unit_test(checkpoint_files_go_round),
        cmocka_unit_test(damaged_checkpoints_are_refused),
        cmocka_unit_test(allocations_of_evaluation_may_fail),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
