/* Layers that arrange, join, look up or disturb rows, against references in double and by hand. */
#include "layer_rig.h"

static size_t all(const rig *r)
{
    return r->rows * r->out.size;
}

static void same_ref(const rig *r, double *const *x, double *const *w, double *y)
{
    (void)w;
    for (size_t i = 0; i < all(r); i++)
        y[i] = x[0][i];
}

/* ---- InputLayer ---- */

static void check_input(const char *json, const char *want, const char *key, const char *back)
{
    inarch_error err;
    ia_shape out;
    char text[96];
    ia_layer *l = rig_layer("InputLayer", "");
    json_t *config = rig_json(json);
    assert_ok(l->cls->from_json(l, config, 3, &err), err);
    assert_ok(l->cls->shape(l, NULL, 0, &out, &err), err);
    assert_string_equal(ia_shape_text(&out, text, sizeof text), want);
    assert_ok(l->cls->to_json(l, config, &err), err);
    char *written = json_dumps(json_object_get(config, key), JSON_ENCODE_ANY | JSON_COMPACT);
    assert_string_equal(written, back);
    assert_null(json_object_get(config, "shape"));
    free(written);
    json_decref(config);
    ia_layer_free(l);
}

static void test_input(void **state)
{
    (void)state;
    inarch_error err;
    ia_shape out;
    check_input("{\"batch_shape\":[null,28,28]}", "(28, 28)", "batch_shape", "[null,28,28]");
    check_input("{\"batch_input_shape\":[32,784]}", "(784,)", "batch_input_shape", "[32,784]");
    check_input("{\"batch_shape\":[null,null,3]}", "(None, 3)", "batch_shape", "[null,null,3]");
    check_input("{\"batch_shape\":[null]}", "()", "batch_shape", "[null]");
    check_input("{\"shape\":[5]}", "(5,)", "batch_input_shape", "[null,5]");
    ia_layer *l = rig_layer("input", "shape=28x28x1");
    assert_ok(l->cls->shape(l, NULL, 0, &out, &err), err);
    assert_int_equal(out.rank, 3);
    ia_layer_free(l);
    l = rig_layer("Input", "");
    assert_ok(l->cls->shape(l, NULL, 0, &out, &err), err);
    assert_int_equal(out.rank, -1); /* no shape given: unknown */
    json_t *config = rig_json("{\"batch_shape\":[null,1,2,3,4,5,6,7,8,9]}");
    assert_int_equal(l->cls->from_json(l, config, 3, &err), INARCH_UNSUPPORTED);
    json_decref(config);
    config = rig_json("{\"batch_shape\":[null,-5]}");
    assert_int_equal(l->cls->from_json(l, config, 3, &err), INARCH_BAD_ARGUMENT);
    json_decref(config);
    ia_layer_free(l);
}

/* ---- Flatten, Reshape, Permute, RepeatVector ---- */

static void test_flatten(void **state)
{
    (void)state;
    inarch_error err;
    rig_test("Flatten", "", 3, SHAPE(2, 3), 1, same_ref);
    rig_shape("Flatten", "", SHAPE(2, 3, 4), 1, "(24,)");
    rig_shape("Flatten", "", SHAPE(-1, 3), 1, "(None,)");
    rig_shape("Flatten", "", &(ia_shape){0}, 1, "(1,)");
    ia_layer *l = rig_layer("Flatten", "");
    json_t *config = rig_json("{\"data_format\":\"channels_first\"}");
    ia_shape out;
    assert_ok(l->cls->from_json(l, config, 3, &err), err);
    assert_ok(l->cls->shape(l, SHAPE(1, 28, 28), 1, &out, &err), err); /* nothing moves */
    assert_int_equal(out.dim[0], 784);
    assert_int_equal(l->cls->shape(l, SHAPE(3, 8, 8), 1, &out, &err), INARCH_UNSUPPORTED);
    assert_string_equal(err.message,
                        "layer 'it' reorders rows of shape (3, 8, 8) with channels first, "
                        "which is not computed yet");
    json_decref(config);
    ia_layer_free(l);
}

static void test_reshape(void **state)
{
    (void)state;
    rig_test("Reshape", "target_shape=3x2", 2, SHAPE(6), 1, same_ref);
    rig_shape("Reshape", "target_shape=-1x7", SHAPE(28, 28), 1, "(112, 7)");
    rig_shape("Reshape", "target_shape=-1", SHAPE(2, 3), 1, "(6,)");
    rig_refuses("Reshape", "target_shape=-1x5", SHAPE(2, 3), 1, INARCH_BAD_DATA,
                "layer 'it' cannot make (None, 5) of rows of shape (2, 3)");
    rig_refuses("Reshape", "target_shape=4", SHAPE(2, 3), 1, INARCH_BAD_DATA,
                "layer 'it' cannot make (4,) of rows of shape (2, 3)");
    rig_refuses("Reshape", "target_shape=-1x-1", SHAPE(2, 3), 1, INARCH_BAD_ARGUMENT,
                "layer 'it' has more than one -1 in its target shape");
    rig_refuses("Reshape", "target_shape=-1x0", SHAPE(0), 1, INARCH_BAD_DATA,
                "layer 'it' cannot make (None, 0) of rows of shape (0,)");
}

static void permute_ref(const rig *r, double *const *x, double *const *w, double *y)
{
    (void)w; /* (2, 3, 4) with dims 3x1x2: y[c][a][b] = x[a][b][c] */
    for (size_t row = 0; row < r->rows; row++)
        for (size_t a = 0; a < 2; a++)
            for (size_t b = 0; b < 3; b++)
                for (size_t c = 0; c < 4; c++)
                    y[row * 24 + c * 6 + a * 3 + b] = x[0][row * 24 + a * 12 + b * 4 + c];
}

static void repeat_ref(const rig *r, double *const *x, double *const *w, double *y)
{
    (void)w;
    for (size_t i = 0; i < all(r); i++)
        y[i] = x[0][i / 6 * 2 + i % 2];
}

static void test_permute_and_repeat(void **state)
{
    (void)state;
    rig_test("Permute", "dims=3x1x2", 2, SHAPE(2, 3, 4), 1, permute_ref);
    rig_shape("Permute", "dims=2x1", SHAPE(5, 7), 1, "(7, 5)");
    rig_refuses("Permute", "dims=1x3", SHAPE(2, 3), 1, INARCH_BAD_ARGUMENT,
                "layer 'it' needs every axis from 1 on exactly once in dims");
    rig_refuses("Permute", "dims=2x1", SHAPE(2), 1, INARCH_BAD_DATA,
                "layer 'it' orders 2 axes, but gets rows of shape (2,)");
    rig_test("RepeatVector", "n=3", 4, SHAPE(2), 1, repeat_ref);
    rig_refuses("RepeatVector", "n=3", SHAPE(2, 2), 1, INARCH_BAD_DATA,
                "layer 'it' needs rows of one axis, but gets (2, 2)");
    rig_refuses("RepeatVector", "", SHAPE(2), 1, INARCH_BAD_ARGUMENT, "layer 'it' needs n");
}

/* ---- merges; with shapes (2, 3), (3) and (2, 1) where they are repeated ---- */

static size_t merge_place(const rig *r, size_t k, size_t at)
{
    size_t size = r->out.size, row = at / size, i = at % size;
    const ia_shape *s = &r->in[k].shape;
    size_t n = r->in[k].size;
    if (n == size)
        return at;
    if (s->rank == 1)
        return row * n + i % 3;
    return row * n + i / 3;
}

static double reduce(const rig *r, double *const *x, size_t at, char how)
{
    double y = x[0][merge_place(r, 0, at)];
    for (size_t k = 1; k < r->inputs; k++) {
        double v = x[k][merge_place(r, k, at)];
        y = how == '+'   ? y + v
            : how == '-' ? y - v
            : how == '*' ? y * v
            : how == '>' ? fmax(y, v)
                         : fmin(y, v);
    }
    return y;
}

#define MERGE_REF(name, how, divide)                                                               \
    static void name(const rig *r, double *const *x, double *const *w, double *y)                  \
    {                                                                                              \
        (void)w;                                                                                   \
        for (size_t i = 0; i < all(r); i++)                                                        \
            y[i] = reduce(r, x, i, how) / (divide ? (double)r->inputs : 1);                        \
    }
MERGE_REF(add_ref, '+', 0)
MERGE_REF(subtract_ref, '-', 0)
MERGE_REF(multiply_ref, '*', 0)
MERGE_REF(average_ref, '+', 1)
MERGE_REF(maximum_ref, '>', 0)
MERGE_REF(minimum_ref, '<', 0)

static void test_merges(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        rig_ref *ref;
        size_t most;
    } cases[] = {{"Add", add_ref, 3},           {"Subtract", subtract_ref, 2},
                 {"Multiply", multiply_ref, 3}, {"Average", average_ref, 3},
                 {"Maximum", maximum_ref, 3},   {"Minimum", minimum_ref, 3}};
    const ia_shape same[] = {*SHAPE(2, 3), *SHAPE(2, 3), *SHAPE(2, 3)};
    const ia_shape mixed[] = {*SHAPE(2, 3), *SHAPE(3), *SHAPE(2, 1)};
    const ia_shape small[] = {*SHAPE(2, 1), *SHAPE(3)};
    for (size_t i = 0; i < IA_COUNT(cases); i++) {
        for (size_t n = 2; n <= cases[i].most; n++) {
            rig_test(cases[i].name, "", 4, same, n, cases[i].ref);
            rig_test(cases[i].name, "", 4, mixed, n, cases[i].ref);
        }
        rig_test(cases[i].name, "", 4, small, 2, cases[i].ref);
    }
    rig_test("Add", "", 4, same, 1, add_ref);
    rig_shape("Add", "", small, 2, "(2, 3)");
    const ia_shape open[] = {*SHAPE(-1, 3), *SHAPE(1, 3)};
    rig_shape("Add", "", open, 2, "(None, 3)");
    const ia_shape wrong[] = {*SHAPE(2, 3), *SHAPE(2, 4)};
    rig_refuses("Add", "", wrong, 2, INARCH_BAD_DATA,
                "layer 'it' cannot combine rows of shape (2, 3) and (2, 4)");
}

/* Equal values: the first input takes the whole gradient, as in TensorFlow. */
static void test_maximum_ties(void **state)
{
    (void)state;
    rig r;
    const ia_shape in[] = {*SHAPE(1), *SHAPE(1), *SHAPE(1)};
    rig_open(&r, rig_layer("Maximum", ""), 1, in, 3);
    r.in[0].data[0] = 1;
    r.in[1].data[0] = r.in[2].data[0] = 5;
    r.dy[0] = 2;
    r.layer->cls->forward(&r.op);
    r.layer->cls->backward(&r.op);
    assert_near(r.out.data[0], 5, 0);
    assert_near(r.dx[0][0], 0, 0);
    assert_near(r.dx[1][0], 2, 0);
    assert_near(r.dx[2][0], 0, 0);
    rig_close(&r);
}

static void concat_ref(const rig *r, double *const *x, double *const *w, double *y)
{
    (void)w; /* (2, 3) and (2, 1) along the last axis */
    for (size_t v = 0; v < r->rows * 2; v++) {
        for (size_t i = 0; i < 3; i++)
            y[v * 4 + i] = x[0][v * 3 + i];
        y[v * 4 + 3] = x[1][v];
    }
}

static void concat_1_ref(const rig *r, double *const *x, double *const *w, double *y)
{
    (void)w; /* (2, 3) and (1, 3) along axis 1 */
    for (size_t row = 0; row < r->rows; row++) {
        for (size_t i = 0; i < 6; i++)
            y[row * 9 + i] = x[0][row * 6 + i];
        for (size_t i = 0; i < 3; i++)
            y[row * 9 + 6 + i] = x[1][row * 3 + i];
    }
}

static void test_concatenate(void **state)
{
    (void)state;
    const ia_shape last[] = {*SHAPE(2, 3), *SHAPE(2, 1)}, first[] = {*SHAPE(2, 3), *SHAPE(1, 3)};
    rig_test("Concatenate", "", 3, last, 2, concat_ref);
    rig_test("Concatenate", "axis=1", 3, first, 2, concat_1_ref);
    rig_refuses("Concatenate", "", first, 2, INARCH_BAD_DATA,
                "layer 'it' cannot join rows of shape (2, 3) and (1, 3) along axis -1");
    rig_refuses("Concatenate", "axis=0", last, 2, INARCH_BAD_ARGUMENT,
                "layer 'it' has axis 0, but gets rows of shape (2, 3)");
}

/* ---- Embedding ---- */

static void test_embedding(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, rig_layer("Embedding", "input_dim=4;output_dim=2"), 2, SHAPE(3), 1);
    static const float x[] = {1, -1, 1, 0, 4, -5}; /* -1 is the last row; 4 and -5 are none */
    static const float dy[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    memcpy(r.in[0].data, x, sizeof x);
    memcpy(r.dy, dy, sizeof dy);
    r.layer->cls->forward(&r.op);
    r.layer->cls->backward(&r.op);
    assert_memory_equal(r.out.data, r.weights[0] + 2, 2 * sizeof(float));
    assert_memory_equal(r.out.data + 2, r.weights[0] + 6, 2 * sizeof(float));
    assert_memory_equal(r.out.data + 6, r.weights[0], 2 * sizeof(float));
    assert_true(isnan(r.out.data[8]) && isnan(r.out.data[9]) && isnan(r.out.data[10]));
    static const float dw[] = {7, 8, 1 + 5, 2 + 6, 0, 0, 3, 4};
    assert_memory_equal(r.dw[0], dw, sizeof dw);
    for (size_t i = 0; i < 6; i++)
        assert_near(r.dx[0][i], 0, 0);
    rig_close(&r);
    rig_shape("Embedding", "input_dim=9;output_dim=2", SHAPE(3, 4), 1, "(3, 4, 2)");
    rig_refuses("Embedding", "input_dim=4", SHAPE(3), 1, INARCH_BAD_ARGUMENT,
                "layer 'it' needs input_dim and output_dim");
}

/* The gradient has the bytes of the dense product of one-hot rows with dy: law (b). */
static void test_embedding_law(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 63, 64, 65, 1000, 5003};
    for (size_t s = 0; s < IA_COUNT(sizes); s++) {
        rig r;
        size_t n = sizes[s], dim = 7;
        rig_open(&r, rig_layer("Embedding", "input_dim=7;output_dim=3"), n, SHAPE(1), 1);
        float *one_hot = rig_floats(n * dim, 0), *want = rig_floats(dim * 3, 0);
        for (size_t i = 0; i < n; i++) {
            size_t row = i % 97 < 60 ? (i * i + i / 64) % dim : 2; /* runs, and blocks left out */
            r.in[0].data[i] = (float)row;
            one_hot[i * dim + row] = 1;
        }
        r.layer->cls->backward(&r.op);
        ia_dense_dw(&r.exec, n, dim, 3, one_hot, r.dy, want);
        for (size_t i = 0; i < dim * 3; i++)
            if (r.dw[0][i] != want[i])
                fail_msg("%zu rows: dw[%zu] = %.9g, expected %.9g", n, i, (double)r.dw[0][i],
                         (double)want[i]);
        free(one_hot);
        free(want);
        rig_close(&r);
    }
}

/* ---- Masking, ActivityRegularization ---- */

static void test_masking(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, rig_layer("Masking", "mask_value=-1"), 2, SHAPE(2, 2), 1);
    static const float x[] = {-1, -1, -1, 2, 3, 4, -1, -1};
    static const float y[] = {0, 0, -1, 2, 3, 4, 0, 0};
    memcpy(r.in[0].data, x, sizeof x);
    r.layer->cls->forward(&r.op);
    r.layer->cls->backward(&r.op);
    assert_memory_equal(r.out.data, y, sizeof y);
    for (size_t i = 0; i < 8; i++)
        assert_near(r.dx[0][i], i < 2 || i > 5 ? 0 : r.dy[i], 0);
    rig_close(&r);
}

static void test_activity(void **state)
{
    (void)state;
    ia_layer *l = rig_layer("ActivityRegularization", "l1=0.5;l2=0.25");
    const ia_regularizer *a = ia_layer_activity(l);
    assert_non_null(a);
    assert_near(a->l1, 0.5, 0);
    assert_near(a->l2, 0.25, 0);
    ia_layer_free(l);
    l = rig_layer("Dense", "units=2;activity_regularizer=l1(0.5)");
    assert_near(ia_layer_activity(l)->l1, 0.5, 0);
    ia_layer_free(l);
    l = rig_layer("Flatten", "");
    assert_null(ia_layer_activity(l));
    ia_layer_free(l);
    rig_test("ActivityRegularization", "", 3, SHAPE(2), 1, same_ref);
}

/* ---- random layers ---- */

typedef struct stats {
    double mean, var, zeros;
} stats;

static stats stats_of(size_t n, const float *x)
{
    stats s = {0};
    for (size_t i = 0; i < n; i++) {
        s.mean += (double)x[i] / (double)n;
        s.zeros += (x[i] == 0) / (double)n;
    }
    for (size_t i = 0; i < n; i++)
        s.var += pow((double)x[i] - s.mean, 2) / (double)n;
    return s;
}

/* Runs `cls` over rows of ones (or of selu-like normal values) and gives what comes out. */
static void run_random(rig *r, const char *cls, const char *settings)
{
    rig_open(r, rig_layer(cls, settings), 400, SHAPE(100), 1);
    for (size_t i = 0; i < all(r); i++)
        r->in[0].data[i] = 1;
    r->op.key = ia_random_key_of(3, 4, 5);
    r->layer->cls->forward(&r->op);
    r->layer->cls->backward(&r->op);
}

/* Off training, and at rate 0, nothing happens. */
static void check_off(const char *cls, const char *settings, const char *none)
{
    rig r;
    rig_open(&r, rig_layer(cls, settings), 4, SHAPE(3, 2), 1);
    r.op.training = 0;
    rig_check(&r, same_ref);
    rig_close(&r);
    rig_test(cls, none, 4, SHAPE(3, 2), 1, same_ref);
}

static void test_dropout(void **state)
{
    (void)state;
    rig r;
    run_random(&r, "Dropout", "rate=0.25");
    stats s = stats_of(all(&r), r.out.data);
    assert_near(s.zeros, 0.25, 0.01);
    assert_near(s.mean, 1, 0.01);
    for (size_t i = 0; i < all(&r); i++) {
        assert_true(r.out.data[i] == 0 || fabsf(r.out.data[i] - 1 / 0.75f) < 1e-6f);
        assert_near(r.dx[0][i], r.dy[i] * r.out.data[i], 1e-6);
    }
    /* the mask of a row depends on its place in the batch alone, with or without `saved` */
    float *first = rig_floats(100, 0);
    memcpy(first, r.out.data + 7 * 100, 100 * sizeof *first);
    r.op.row0 = 7;
    r.op.rows = 1;
    r.op.saved = NULL;
    r.layer->cls->forward(&r.op);
    assert_memory_equal(first, r.out.data, 100 * sizeof *first);
    free(first);
    rig_close(&r);
    check_off("Dropout", "rate=0.5", "rate=0");
    run_random(&r, "Dropout", "rate=1");
    assert_near(stats_of(all(&r), r.out.data).zeros, 1, 1e-9);
    assert_near(r.dx[0][3], 0, 0);
    rig_close(&r);
}

static void test_gaussian(void **state)
{
    (void)state;
    rig r;
    run_random(&r, "GaussianNoise", "stddev=0.5");
    stats s = stats_of(all(&r), r.out.data);
    assert_near(s.mean, 1, 0.01);
    assert_near(sqrt(s.var), 0.5, 0.01);
    assert_memory_equal(r.dx[0], r.dy, all(&r) * sizeof(float));
    rig_close(&r);
    run_random(&r, "GaussianDropout", "rate=0.2");
    s = stats_of(all(&r), r.out.data);
    assert_near(s.mean, 1, 0.01);
    assert_near(sqrt(s.var), 0.5, 0.01); /* sqrt(0.2 / 0.8) */
    for (size_t i = 0; i < all(&r); i++)
        assert_near(r.dx[0][i], r.dy[i] * r.out.data[i], 1e-5);
    rig_close(&r);
    check_off("GaussianNoise", "stddev=1", "stddev=0");
    check_off("GaussianDropout", "rate=0.5", "rate=0");
    rig_refuses("GaussianDropout", "rate=1", SHAPE(2), 1, INARCH_BAD_ARGUMENT,
                "layer 'it' needs a rate below 1");
}

/* With rate p and limit A = -1.7580993: a = ((1-p)(1 + p A^2))^-1/2, b = -a A p; for p = 0.5
 * a = 0.8862, b = 0.7791; kept ones give a + b, dropped ones a A + b. */
static void test_alpha_dropout(void **state)
{
    (void)state;
    rig r;
    run_random(&r, "AlphaDropout", "rate=0.5");
    double limit = -1.7580993408473766, a = 1 / sqrt(0.5 * (1 + 0.5 * limit * limit));
    size_t kept = 0;
    for (size_t i = 0; i < all(&r); i++) {
        double y = (double)r.out.data[i], b = -a * limit * 0.5;
        bool keep = y > 0;
        kept += keep;
        assert_near(y, keep ? a + b : a * limit + b, 1e-5);
        assert_near(r.dx[0][i], keep ? (double)r.dy[i] * a : 0, 1e-5);
    }
    assert_near((double)kept / (double)all(&r), 0.5, 0.02);
    rig_close(&r);
    check_off("AlphaDropout", "rate=0.5", "rate=0");
}

static void test_spatial_dropout(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, rig_layer("SpatialDropout1D", "rate=0.5"), 50, SHAPE(4, 6), 1);
    for (size_t i = 0; i < all(&r); i++)
        r.in[0].data[i] = 1;
    r.layer->cls->forward(&r.op);
    r.layer->cls->backward(&r.op);
    size_t zeros = 0;
    for (size_t i = 0; i < all(&r); i++) {
        assert_near(r.out.data[i], r.out.data[i / 24 * 24 + i % 6], 0); /* as in the first step */
        assert_near(r.dx[0][i], r.dy[i] * r.out.data[i], 0);
        zeros += r.out.data[i] == 0;
    }
    assert_in_range(zeros, all(&r) / 3, 2 * all(&r) / 3);
    rig_close(&r);
    check_off("SpatialDropout1D", "rate=0.5", "rate=0");
    rig_refuses("SpatialDropout1D", "rate=0.5", SHAPE(6), 1, INARCH_BAD_DATA,
                "layer 'it' needs rows of steps and channels, but gets (6,)");
}

/* Settings whose meaning is not known are refused by name. */
static void test_refused_keys(void **state)
{
    (void)state;
    static const struct {
        const char *cls, *json;
        int generation;
        const char *message;
    } cases[] = {
        {"Dropout", "{\"noise_shape\":[null,1]}", 3,
         "layer 'it' has the setting 'noise_shape', which is not known"},
        {"BatchNormalization", "{\"renorm\":true}", 2,
         "layer 'it' has the setting 'renorm', which is not known"},
        {"BatchNormalization", "{\"mode\":1}", 1,
         "layer 'it' has mode 1 of Keras 1, only 0 is known"},
        {"Embedding", "{\"dropout\":0.2}", 1,
         "layer 'it' has the setting 'dropout', which is not known"},
        {"Dense", "{\"lora_rank\":4}", 3,
         "layer 'it' has the setting 'lora_rank', which is not known"},
    };
    for (size_t i = 0; i < IA_COUNT(cases); i++) {
        inarch_error err;
        ia_layer *l = rig_layer(cases[i].cls, "");
        json_t *config = rig_json(cases[i].json),
               *plain = rig_json("{\"noise_shape\":null,\"mode\":0}");
        assert_int_equal(l->cls->from_json(l, config, cases[i].generation, &err),
                         INARCH_UNSUPPORTED);
        assert_string_equal(err.message, cases[i].message);
        assert_ok(l->cls->from_json(l, plain, cases[i].generation, &err), err);
        json_decref(config);
        json_decref(plain);
        ia_layer_free(l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_input),           cmocka_unit_test(test_flatten),
        cmocka_unit_test(test_reshape),         cmocka_unit_test(test_permute_and_repeat),
        cmocka_unit_test(test_merges),          cmocka_unit_test(test_maximum_ties),
        cmocka_unit_test(test_concatenate),     cmocka_unit_test(test_embedding),
        cmocka_unit_test(test_embedding_law),   cmocka_unit_test(test_masking),
        cmocka_unit_test(test_activity),        cmocka_unit_test(test_dropout),
        cmocka_unit_test(test_gaussian),        cmocka_unit_test(test_alpha_dropout),
        cmocka_unit_test(test_spatial_dropout), cmocka_unit_test(test_refused_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
