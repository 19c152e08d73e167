/* Layers whose outputs and gradients follow from inputs and weights, each against a reference in
 * double. */
#include "layer_rig.h"

static size_t last(const ia_view *v)
{
    return v->shape.rank ? (size_t)v->shape.dim[v->shape.rank - 1] : 1;
}

static size_t all(const rig *r)
{
    return r->rows * r->out.size;
}

/* ---- Dense ---- */

static double act_none(double z)
{
    return z;
}

static double act_elu(double z)
{
    return z > 0 ? z : exp(z) - 1;
}

static double act_sigmoid(double z)
{
    return 1 / (1 + exp(-z));
}

static double act_silu(double z)
{
    return z / (1 + exp(-z));
}

static void dense_with(const rig *r, double *const *x, double *const *w, double *y,
                       double (*f)(double))
{
    size_t in = last(&r->in[0]), units = last(&r->out);
    for (size_t v = 0; v < all(r) / units; v++)
        for (size_t u = 0; u < units; u++) {
            double z = w[1] ? w[1][u] : 0;
            for (size_t i = 0; i < in; i++)
                z += x[0][v * in + i] * w[0][i * units + u];
            y[v * units + u] = f(z);
        }
}

static void dense_ref(const rig *r, double *const *x, double *const *w, double *y)
{
    dense_with(r, x, w, y, act_none);
}

static void dense_elu_ref(const rig *r, double *const *x, double *const *w, double *y)
{
    dense_with(r, x, w, y, act_elu);
}

static void dense_sigmoid_ref(const rig *r, double *const *x, double *const *w, double *y)
{
    dense_with(r, x, w, y, act_sigmoid);
}

static void dense_silu_ref(const rig *r, double *const *x, double *const *w, double *y)
{
    dense_with(r, x, w, y, act_silu);
}

static void test_dense(void **state)
{
    (void)state;
    rig_test("Dense", "units=3", 5, SHAPE(4), 1, dense_ref);
    rig_test("Dense", "units=1;use_bias=false", 1, SHAPE(1), 1, dense_ref);
    rig_test("Dense", "units=3;activation=elu", 5, SHAPE(4), 1, dense_elu_ref);   /* needs z */
    rig_test("Dense", "units=3;activation=silu", 5, SHAPE(4), 1, dense_silu_ref); /* not y */
    rig_test("Dense", "units=3;activation=sigmoid", 130, SHAPE(4), 1, dense_sigmoid_ref);
    rig_test("Dense", "units=2;activation=elu", 3, SHAPE(2, 3, 4), 1, dense_elu_ref);
}

static void test_dense_by_hand(void **state)
{
    (void)state;
    rig r;
    static const float x[] = {1, 2}, w[] = {1, -1, 0, 3, 1, 0}, b[] = {0.5f, 0, -10};
    rig_open(&r, rig_layer("dense", "units=3;activation=relu"), 1, SHAPE(2), 1);
    memcpy(r.in[0].data, x, sizeof x);
    memcpy((void *)(uintptr_t)r.weights[0], w, sizeof w);
    memcpy((void *)(uintptr_t)r.weights[1], b, sizeof b);
    r.layer->cls->forward(&r.op);
    assert_near(r.out.data[0], 7.5, 0);
    assert_near(r.out.data[1], 1, 0);
    assert_near(r.out.data[2], 0, 0);
    r.dy[0] = 1;
    r.dy[1] = 10;
    r.dy[2] = 100;
    r.layer->cls->backward(&r.op);
    static const float dw[] = {1, 10, 0, 2, 20, 0};
    assert_memory_equal(r.dw[0], dw, sizeof dw);
    assert_near(r.dx[0][0], 1 - 10, 0);
    assert_near(r.dx[0][1], 3 + 10, 0);
    assert_near(r.dw[1][1], 10, 0);
    rig_close(&r);
}

/* The activation is split off, as the program does for losses from logits. */
static void test_dense_without_activation(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, rig_layer("Dense", "units=3;activation=sigmoid"), 4, SHAPE(2), 1);
    r.op.no_activation = 1;
    rig_check(&r, dense_ref);
    assert_string_equal(r.layer->cls->activation(r.layer)->cls->name, "sigmoid");
    rig_close(&r);
}

static void test_dense_unwanted_gradients(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, rig_layer("Dense", "units=3;activation=tanh"), 4, SHAPE(2), 1);
    float *dx = r.dx[0], *dw = r.dw[0], *db = r.dw[1];
    r.layer->cls->forward(&r.op);
    r.dx[0] = r.dw[0] = r.dw[1] = NULL;
    r.layer->cls->backward(&r.op);
    assert_true(isnan(dx[0]) && isnan(dw[0]) && isnan(db[0]));
    r.dx[0] = dx;
    r.dw[0] = dw;
    r.dw[1] = db;
    rig_close(&r);
}

static void test_dense_refusals(void **state)
{
    (void)state;
    inarch_error err = {0};
    ia_shape out;
    rig_refuses("Dense", "", SHAPE(3), 1, INARCH_BAD_ARGUMENT,
                "layer 'it' needs its number of units");
    rig_refuses("Dense", "units=3", SHAPE(-1), 1, INARCH_BAD_DATA,
                "layer 'it' needs a known number of inputs, but gets rows of shape (None,)");
    ia_layer *l = rig_layer("Dense", "units=3");
    assert_ok(rig_build(l, SHAPE(64), 1, &out, &err), err);
    assert_int_equal(l->cls->shape(l, SHAPE(784), 1, &out, &err), INARCH_BAD_DATA);
    assert_string_equal(err.message, "layer 'it' needs 64 inputs, but gets rows of shape (784,)");
    ia_layer_free(l);
    l = rig_layer("Dense", "units=2147483647");
    assert_ok(rig_build(l, SHAPE(2147483647), 1, &out, &err), err); /* no memory is taken yet */
    ia_layer_free(l);
    rig_refuses("Dense", "units=2;kernel_constraint=max_norm(2,2)", SHAPE(3), 1,
                INARCH_BAD_ARGUMENT,
                "layer 'it' has a constraint over axis 2 of its kernel of shape (3, 2)");
}

/* ---- activations as layers ---- */

static void relu_ref(const rig *r, double *const *x, double *const *w, double *y)
{
    (void)w; /* max_value=0.5; negative_slope=0.1; threshold=0.2 */
    for (size_t i = 0; i < all(r); i++)
        y[i] = x[0][i] >= 0.5 ? 0.5 : x[0][i] > 0.2 ? x[0][i] : 0.1 * (x[0][i] - 0.2);
}

static void leaky_ref(const rig *r, double *const *x, double *const *w, double *y)
{
    (void)w;
    for (size_t i = 0; i < all(r); i++)
        y[i] = x[0][i] > 0 ? x[0][i] : 0.3f * x[0][i];
}

static void elu_ref(const rig *r, double *const *x, double *const *w, double *y)
{
    (void)w;
    for (size_t i = 0; i < all(r); i++)
        y[i] = x[0][i] > 0 ? x[0][i] : 0.5 * (exp(x[0][i]) - 1);
}

static void thresholded_ref(const rig *r, double *const *x, double *const *w, double *y)
{
    (void)w;
    for (size_t i = 0; i < all(r); i++)
        y[i] = x[0][i] > 0.25 ? x[0][i] : 0;
}

static void tanh_ref(const rig *r, double *const *x, double *const *w, double *y)
{
    (void)w;
    for (size_t i = 0; i < all(r); i++)
        y[i] = tanh(x[0][i]);
}

static void test_activation_layers(void **state)
{
    (void)state;
    rig_test("ReLU", "max_value=0.5;negative_slope=0.1;threshold=0.2", 7, SHAPE(5), 1, relu_ref);
    rig_test("LeakyReLU", "", 7, SHAPE(5), 1, leaky_ref);
    rig_test("ELU", "alpha=0.5", 7, SHAPE(5), 1, elu_ref);
    rig_test("ThresholdedReLU", "theta=0.25", 7, SHAPE(5), 1, thresholded_ref);
    rig_test("Activation", "activation=tanh", 7, SHAPE(2, 3), 1, tanh_ref);
    rig_shape("Activation", "", SHAPE(2, 3), 1, "(2, 3)");
}

static void test_activation_defaults(void **state)
{
    (void)state;
    ia_layer *l = rig_layer("LeakyReLU", "");
    assert_near(l->cls->activation(l)->param[0], 0.3f, 0);
    ia_layer_free(l);
    l = rig_layer("ReLU", "");
    assert_true(isinf(l->cls->activation(l)->param[1]));
    assert_near(l->cls->activation(l)->param[0], 0, 0);
    ia_layer_free(l);
}

/* ---- Softmax ---- */

/* The stride and length of the axis in a row of shape (2, 3, 4): 1, 2 or 3 from Keras' side. */
static void softmax_along(const rig *r, const double *x, double *y, size_t length, size_t stride)
{
    size_t size = r->out.size;
    for (size_t at = 0; at < all(r); at++) {
        size_t i = at % size, base = at - (i / stride % length) * stride;
        double top = -INFINITY, sum = 0;
        for (size_t k = 0; k < length; k++)
            top = fmax(top, x[base + k * stride]);
        for (size_t k = 0; k < length; k++)
            sum += exp(x[base + k * stride] - top);
        y[at] = exp(x[at] - top) / sum;
    }
}

static void softmax_1_ref(const rig *r, double *const *x, double *const *w, double *y)
{
    (void)w;
    softmax_along(r, x[0], y, 2, 12);
}

static void softmax_2_ref(const rig *r, double *const *x, double *const *w, double *y)
{
    (void)w;
    softmax_along(r, x[0], y, 3, 4);
}

static void softmax_last_ref(const rig *r, double *const *x, double *const *w, double *y)
{
    (void)w;
    softmax_along(r, x[0], y, 4, 1);
}

static void softmax_all_ref(const rig *r, double *const *x, double *const *w, double *y)
{
    (void)w;
    softmax_along(r, x[0], y, 24, 1);
}

/* axes 1 and 3 of (2, 3, 4): eight values for each of the middle axis */
static void softmax_13_ref(const rig *r, double *const *x, double *const *w, double *y)
{
    (void)w;
    for (size_t at = 0; at < all(r); at++) {
        size_t row = at / 24, b = at % 24 / 4 % 3;
        double sum = 0;
        for (size_t a = 0; a < 2; a++)
            for (size_t c = 0; c < 4; c++)
                sum += exp(x[0][row * 24 + a * 12 + b * 4 + c]);
        y[at] = exp(x[0][at]) / sum;
    }
}

static void test_softmax(void **state)
{
    (void)state;
    rig_test("Softmax", "", 3, SHAPE(2, 3, 4), 1, softmax_last_ref);
    rig_test("Softmax", "axis=3", 3, SHAPE(2, 3, 4), 1, softmax_last_ref);
    rig_test("Softmax", "axis=1", 3, SHAPE(2, 3, 4), 1, softmax_1_ref);
    rig_test("Softmax", "axis=-2", 3, SHAPE(2, 3, 4), 1, softmax_2_ref);
    rig_test("Softmax", "axis=[1,2,3]", 3, SHAPE(2, 3, 4), 1, softmax_all_ref);
    rig_test("Softmax", "axis=[1,3]", 3, SHAPE(2, 3, 4), 1, softmax_13_ref);
    rig_refuses("Softmax", "axis=4", SHAPE(2, 3, 4), 1, INARCH_BAD_ARGUMENT,
                "layer 'it' has axis 4, but gets rows of shape (2, 3, 4)");
    rig_refuses("Softmax", "axis=0", SHAPE(2), 1, INARCH_BAD_ARGUMENT,
                "layer 'it' has axis 0, but gets rows of shape (2,)");
}

/* Only a softmax over the last axis may be taken apart by a loss from logits. */
static void test_softmax_activation(void **state)
{
    (void)state;
    inarch_error err;
    ia_shape out;
    ia_layer *l = rig_layer("Softmax", "");
    assert_non_null(l->cls->activation(l));
    ia_layer_free(l);
    l = rig_layer("Softmax", "axis=1");
    assert_null(l->cls->activation(l));
    assert_ok(rig_build(l, SHAPE(5), 1, &out, &err), err);
    assert_non_null(l->cls->activation(l));
    ia_layer_free(l);
}

/* ---- PReLU ---- */

static void prelu_ref(const rig *r, double *const *x, double *const *w, double *y)
{
    for (size_t i = 0; i < all(r); i++)
        y[i] = x[0][i] < 0 ? w[0][i % r->out.size] * x[0][i] : x[0][i];
}

static void prelu_shared_ref(const rig *r, double *const *x, double *const *w, double *y)
{
    for (size_t i = 0; i < all(r); i++) /* (2, 3), the first axis shared */
        y[i] = x[0][i] < 0 ? w[0][i % 3] * x[0][i] : x[0][i];
}

static void test_prelu(void **state)
{
    (void)state;
    rig_test("PReLU", "", 70, SHAPE(3), 1, prelu_ref);
    rig_test("PReLU", "shared_axes=1", 5, SHAPE(2, 3), 1, prelu_shared_ref);
    rig_refuses("PReLU", "shared_axes=3", SHAPE(2, 3), 1, INARCH_BAD_ARGUMENT,
                "layer 'it' has axis 3, but gets rows of shape (2, 3)");
}

/* ---- normalizations ---- */

/* x as [outer][cols][inner] with statistics for each of cols. */
static void batch_norm(const rig *r, double *const *x, double *const *w, double *y, size_t cols,
                       size_t inner, bool training)
{
    size_t n = all(r), group = n / cols;
    for (size_t c = 0; c < cols; c++) {
        double mean = 0, var = 0;
        for (size_t i = 0; i < n; i++)
            if (i / inner % cols == c)
                mean += x[0][i] / (double)group;
        for (size_t i = 0; i < n; i++)
            if (i / inner % cols == c)
                var += (x[0][i] - mean) * (x[0][i] - mean) / (double)group;
        if (!training) {
            mean = w[2][c];
            var = w[3][c];
        }
        for (size_t i = 0; i < n; i++)
            if (i / inner % cols == c)
                y[i] = (x[0][i] - mean) / sqrt(var + 1e-3) * w[0][c] + w[1][c];
    }
}

static void batch_norm_ref(const rig *r, double *const *x, double *const *w, double *y)
{
    batch_norm(r, x, w, y, last(&r->out), 1, r->op.training);
}

static void batch_norm_axis1_ref(const rig *r, double *const *x, double *const *w, double *y)
{
    batch_norm(r, x, w, y, 2, 3, r->op.training);
}

static void test_batch_normalization(void **state)
{
    (void)state;
    rig_test("BatchNormalization", "", 9, SHAPE(3), 1, batch_norm_ref);
    rig_test("BatchNormalization", "", 4, SHAPE(2, 3), 1, batch_norm_ref);
    rig_test("BatchNormalization", "axis=1", 4, SHAPE(2, 3), 1, batch_norm_axis1_ref);
    for (int axis = 1; axis <= 2; axis++) {
        rig r;
        rig_open(&r, rig_layer("batchnorm", axis == 1 ? "axis=1" : "axis=2"), 4, SHAPE(2, 3), 1);
        r.op.training = 0;
        rig_check(&r, axis == 1 ? batch_norm_axis1_ref : batch_norm_ref);
        rig_close(&r);
    }
}

/* Two rows 1 and 3: mean 2, biased variance 1; momentum 0.75 from 10 and 20. */
static void test_batch_norm_state(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, rig_layer("BatchNormalization", "momentum=0.75;scale=false;center=false"), 2,
             SHAPE(1), 1);
    assert_int_equal(r.layer->variable_count, 2);
    r.in[0].data[0] = 1;
    r.in[0].data[1] = 3;
    r.state[0] = rig_floats(1, 10);
    r.state[1] = rig_floats(1, 20);
    r.op.state = r.state;
    r.layer->cls->forward(&r.op);
    assert_near(r.state[0][0], 8, 1e-6);
    assert_near(r.state[1][0], 15.25, 1e-6);
    assert_near(r.out.data[0], -1 / sqrt(1.001), 1e-6);
    assert_near(r.out.data[1], 1 / sqrt(1.001), 1e-6);
    r.op.training = 0; /* the moving statistics are in use, and stay */
    ((float *)(uintptr_t)r.weights[0])[0] = 2;
    ((float *)(uintptr_t)r.weights[1])[0] = 4;
    r.layer->cls->forward(&r.op);
    assert_near(r.state[0][0], 8, 1e-6);
    assert_near(r.out.data[1], 1 / sqrt(4.001), 1e-6);
    rig_close(&r);
}

static void test_batch_norm_variables(void **state)
{
    (void)state;
    inarch_error err;
    ia_shape out;
    static const char *const names[] = {"gamma", "beta", "moving_mean", "moving_variance"};
    ia_layer *l = rig_layer("BatchNormalization", "");
    assert_ok(rig_build(l, SHAPE(6), 1, &out, &err), err);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(l->variables[i].name, names[i]);
        assert_int_equal(l->variables[i].trainable, i < 2);
    }
    assert_int_equal(l->cls->shape(l, SHAPE(5), 1, &out, &err), INARCH_BAD_DATA);
    assert_string_equal(err.message,
                        "layer 'it' normalizes 6 features, but gets rows of shape (5,)");
    ia_layer_free(l);
}

static void layer_norm(const rig *r, double *const *x, double *const *w, double *y, size_t n,
                       bool rms)
{
    for (size_t v = 0; v < all(r) / n; v++) {
        double mean = 0, var = 0;
        for (size_t i = v * n; i < (v + 1) * n; i++)
            mean += x[0][i] / (double)n;
        for (size_t i = v * n; i < (v + 1) * n; i++)
            var += (x[0][i] - mean) * (x[0][i] - mean) / (double)n;
        for (size_t i = 0; i < n; i++)
            y[v * n + i] = (x[0][v * n + i] - (rms ? 0 : mean)) / sqrt(var + 1e-3) * w[0][i] +
                           (w[1] ? w[1][i] : 0);
    }
}

static void layer_norm_ref(const rig *r, double *const *x, double *const *w, double *y)
{
    layer_norm(r, x, w, y, last(&r->out), false);
}

static void layer_norm_rms_ref(const rig *r, double *const *x, double *const *w, double *y)
{
    layer_norm(r, x, w, y, last(&r->out), true);
}

static void layer_norm_row_ref(const rig *r, double *const *x, double *const *w, double *y)
{
    layer_norm(r, x, w, y, r->out.size, false);
}

static void layer_norm_axis1_ref(const rig *r, double *const *x, double *const *w, double *y)
{
    size_t n = 3, inner = 4; /* rows (3, 4), normalized over the 3 */
    for (size_t v = 0; v < r->rows * inner; v++) {
        const double *from = x[0] + v / inner * r->out.size + v % inner;
        double mean = 0, var = 0;
        for (size_t i = 0; i < n; i++)
            mean += from[i * inner] / (double)n;
        for (size_t i = 0; i < n; i++)
            var += pow(from[i * inner] - mean, 2) / (double)n;
        for (size_t i = 0; i < n; i++)
            y[v / inner * r->out.size + v % inner + i * inner] =
                (from[i * inner] - mean) / sqrt(var + 1e-3) * w[0][i] + w[1][i];
    }
}

static void test_layer_normalization(void **state)
{
    (void)state;
    rig_test("LayerNormalization", "", 5, SHAPE(37), 1, layer_norm_ref);
    rig_test("LayerNormalization", "rms_scaling=true", 5, SHAPE(7), 1, layer_norm_rms_ref);
    rig_test("LayerNormalization", "axis=[1,2]", 5, SHAPE(3, 4), 1, layer_norm_row_ref);
    rig_test("LayerNormalization", "axis=1", 2, SHAPE(3, 4), 1, layer_norm_axis1_ref);
}

static void unit_norm_ref(const rig *r, double *const *x, double *const *w, double *y)
{
    size_t n = last(&r->out);
    (void)w;
    for (size_t i = 0; i < all(r); i++) {
        double square = 0;
        for (size_t j = i / n * n; j < i / n * n + n; j++)
            square += x[0][j] * x[0][j];
        y[i] = x[0][i] / sqrt(square);
    }
}

static void unit_norm_axis1_ref(const rig *r, double *const *x, double *const *w, double *y)
{
    (void)w;
    for (size_t i = 0; i < all(r); i++) { /* rows (3, 4) */
        const double *from = x[0] + i / 12 * 12 + i % 4;
        y[i] = x[0][i] / sqrt(from[0] * from[0] + from[4] * from[4] + from[8] * from[8]);
    }
}

static void test_unit_normalization(void **state)
{
    (void)state;
    rig_test("UnitNormalization", "", 4, SHAPE(19), 1, unit_norm_ref);
    rig_test("UnitNormalization", "axis=1", 4, SHAPE(3, 4), 1, unit_norm_axis1_ref);
    rig r;
    rig_open(&r, rig_layer("UnitNormalization", ""), 1, SHAPE(2), 1);
    r.in[0].data[0] = r.in[0].data[1] = 0; /* no direction: 0, not NaN */
    r.layer->cls->forward(&r.op);
    r.layer->cls->backward(&r.op);
    assert_near(r.out.data[0], 0, 0);
    assert_true(isfinite(r.dx[0][0]));
    rig_close(&r);
}

static void normalization_ref(const rig *r, double *const *x, double *const *w, double *y)
{
    for (size_t i = 0; i < all(r); i++)
        y[i] = (x[0][i] - w[0][i % last(&r->out)]) / sqrt(w[1][i % last(&r->out)]);
}

static void normalization_invert_ref(const rig *r, double *const *x, double *const *w, double *y)
{
    for (size_t i = 0; i < all(r); i++)
        y[i] = x[0][i] * sqrt(w[1][i % last(&r->out)]) + w[0][i % last(&r->out)];
}

static void normalization_scalar_ref(const rig *r, double *const *x, double *const *w, double *y)
{
    for (size_t i = 0; i < all(r); i++)
        y[i] = (x[0][i] - w[0][0]) / sqrt(w[1][0]);
}

static void normalization_axis1_ref(const rig *r, double *const *x, double *const *w, double *y)
{
    for (size_t i = 0; i < all(r); i++) /* rows (3, 4) */
        y[i] = (x[0][i] - w[0][i / 4 % 3]) / sqrt(w[1][i / 4 % 3]);
}

static void test_normalization(void **state)
{
    (void)state;
    rig_test("Normalization", "", 4, SHAPE(5), 1, normalization_ref);
    rig_test("Normalization", "invert=true", 4, SHAPE(2, 5), 1, normalization_invert_ref);
    rig_test("Normalization", "axis=none", 4, SHAPE(5), 1, normalization_scalar_ref);
    rig_test("Normalization", "axis=1", 4, SHAPE(3, 4), 1, normalization_axis1_ref);
}

/* Statistics inside the configuration become variables; a single one is spread. */
static void test_normalization_given(void **state)
{
    (void)state;
    inarch_error err;
    ia_shape out;
    ia_layer *l = rig_layer("Normalization", "");
    json_t *config = rig_json("{\"axis\":[-1],\"mean\":[[1,2]],\"variance\":[[4,9]]}");
    assert_ok(l->cls->from_json(l, config, 3, &err), err);
    assert_ok(rig_build(l, SHAPE(2), 1, &out, &err), err);
    assert_int_equal(l->variable_count, 3);
    const float *mean = ia_array_data(&ia_layer_variable(l, "mean")->value);
    const float *variance = ia_array_data(&ia_layer_variable(l, "variance")->value);
    assert_near(mean[1], 2, 0);
    assert_near(variance[0], 4, 0);
    assert_ok(l->cls->to_json(l, config, &err), err);
    assert_true(json_is_null(json_object_get(config, "mean")));
    json_decref(config);
    ia_layer_free(l);

    l = rig_layer("Normalization", "");
    config = rig_json("{\"mean\":3.0,\"variance\":2.0}");
    assert_ok(l->cls->from_json(l, config, 3, &err), err);
    assert_ok(rig_build(l, SHAPE(4), 1, &out, &err), err);
    mean = ia_array_data(&ia_layer_variable(l, "mean")->value);
    assert_near(mean[3], 3, 0);
    json_decref(config);
    ia_layer_free(l);

    l = rig_layer("Normalization", "");
    config = rig_json("{\"mean\":[1,2,3],\"variance\":[1,2]}");
    assert_int_equal(l->cls->from_json(l, config, 3, &err), INARCH_BAD_FILE);
    json_decref(config);
    config = rig_json("{\"mean\":[1,2,3],\"variance\":[1,2,3]}");
    assert_ok(l->cls->from_json(l, config, 3, &err), err);
    assert_int_equal(rig_build(l, SHAPE(4), 1, &out, &err), INARCH_BAD_DATA);
    assert_string_equal(err.message, "layer 'it' has 3 values of mean for shape (4,)");
    json_decref(config);
    ia_layer_free(l);
}

static void rescaling_ref(const rig *r, double *const *x, double *const *w, double *y)
{
    static const double scale[] = {2, -1, 0.5};
    (void)w;
    for (size_t i = 0; i < all(r); i++)
        y[i] = x[0][i] * scale[i % 3] + 0.25;
}

static void test_rescaling(void **state)
{
    (void)state;
    rig_test("Rescaling", "scale=[2,-1,0.5];offset=0.25", 4, SHAPE(2, 3), 1, rescaling_ref);
    rig_refuses("Rescaling", "scale=[1,2]", SHAPE(3), 1, INARCH_BAD_DATA,
                "layer 'it' has 2 scales and 1 offsets, but gets rows of shape (3,)");
    rig_refuses("Rescaling", "", SHAPE(3), 1, INARCH_BAD_ARGUMENT, "layer 'it' needs its scale");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dense),
        cmocka_unit_test(test_dense_by_hand),
        cmocka_unit_test(test_dense_without_activation),
        cmocka_unit_test(test_dense_unwanted_gradients),
        cmocka_unit_test(test_dense_refusals),
        cmocka_unit_test(test_activation_layers),
        cmocka_unit_test(test_activation_defaults),
        cmocka_unit_test(test_softmax),
        cmocka_unit_test(test_softmax_activation),
        cmocka_unit_test(test_prelu),
        cmocka_unit_test(test_batch_normalization),
        cmocka_unit_test(test_batch_norm_state),
        cmocka_unit_test(test_batch_norm_variables),
        cmocka_unit_test(test_layer_normalization),
        cmocka_unit_test(test_unit_normalization),
        cmocka_unit_test(test_normalization),
        cmocka_unit_test(test_normalization_given),
        cmocka_unit_test(test_rescaling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
