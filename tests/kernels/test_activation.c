/* Activations: the table, each f against its definition in double, each f' against central
 * differences of that definition, kinks as TensorFlow has them, NaN, and every set against the
 * reference. */
#include "kernel_test.h"

#include "kernels/activation.h"

typedef double fn(double z, const float *p);

static double sigmoid_of(double z)
{
    return 1 / (1 + exp(-z));
}
static double d_linear(double z, const float *p)
{
    (void)p;
    return z;
}
static double d_relu(double z, const float *p)
{
    return z >= p[1] ? (double)p[1] : z > p[2] ? z : p[0] * (z - p[2]);
}
static double d_relu6(double z, const float *p)
{
    (void)p;
    return fmin(fmax(z, 0), 6);
}
static double d_leaky(double z, const float *p)
{
    return z > 0 ? z : p[0] * z;
}
static double d_elu(double z, const float *p)
{
    return z > 0 ? z : p[0] * expm1(z);
}
static double d_selu(double z, const float *p)
{
    (void)p;
    return 1.05070098735548049342 * (z > 0 ? z : 1.67326324235437728482 * expm1(z));
}
static double d_celu(double z, const float *p)
{
    return z > 0 ? z : p[0] * expm1(z / p[0]);
}
static double d_softplus(double z, const float *p)
{
    (void)p;
    return log1p(exp(z));
}
static double d_softsign(double z, const float *p)
{
    (void)p;
    return z / (1 + fabs(z));
}
static double d_squareplus(double z, const float *p)
{
    return (z + sqrt(z * z + p[0])) / 2;
}
static double d_soft_shrink(double z, const float *p)
{
    return z > p[0] ? z - p[0] : z < -p[0] ? z + p[0] : 0;
}
static double d_hard_shrink(double z, const float *p)
{
    return fabs(z) > p[0] ? z : 0;
}
static double d_tanh_shrink(double z, const float *p)
{
    (void)p;
    return z - tanh(z);
}
static double d_sparse_plus(double z, const float *p)
{
    (void)p;
    return z <= -1 ? 0 : z < 1 ? (z + 1) * (z + 1) / 4 : z;
}
static double d_silu(double z, const float *p)
{
    (void)p;
    return z * sigmoid_of(z);
}
static double d_gelu(double z, const float *p)
{
    if (p[0] != 0)
        return 0.5 * z * (1 + tanh(sqrt(2 / 3.14159265358979) * (z + 0.044715 * z * z * z)));
    return 0.5 * z * (1 + erf(z / sqrt(2)));
}
static double d_tanh(double z, const float *p)
{
    (void)p;
    return tanh(z);
}
static double d_sigmoid(double z, const float *p)
{
    (void)p;
    return sigmoid_of(z);
}
static double d_exponential(double z, const float *p)
{
    (void)p;
    return exp(z);
}
static double d_hard_sigmoid(double z, const float *p)
{
    return fmin(fmax(p[0] * z + p[1], 0), 1);
}
static double d_hard_silu(double z, const float *p)
{
    (void)p;
    return z * fmin(fmax(z + 3, 0), 6) / 6;
}
static double d_hard_tanh(double z, const float *p)
{
    (void)p;
    return fmin(fmax(z, -1), 1);
}
static double d_mish(double z, const float *p)
{
    (void)p;
    return z * tanh(log1p(exp(z)));
}
static double d_log_sigmoid(double z, const float *p)
{
    (void)p;
    return -log1p(exp(-z));
}
static double d_sparse_sigmoid(double z, const float *p)
{
    (void)p;
    return z <= -1 ? 0 : z >= 1 ? 1 : (z + 1) / 2;
}
static double d_threshold(double z, const float *p)
{
    return z > p[0] ? z : (double)p[1];
}

typedef struct definition {
    const char *name;
    fn *f;
    float p[3];
    int own; /* p replaces the defaults */
    float kink[3];
    int kinks;
} definition;

static const definition defined[] = {
    {.name = "linear", .f = d_linear},
    {.name = "relu", .f = d_relu, .kink = {0}, .kinks = 1},
    {.name = "relu", .f = d_relu, .own = 1, .p = {0.1f, 2, 0.5f}, .kink = {0.5f, 2}, .kinks = 2},
    {.name = "relu", .f = d_relu, .own = 1, .p = {0, 1.5f, 0}, .kink = {0, 1.5f}, .kinks = 2},
    {.name = "relu", .f = d_relu, .own = 1, .p = {0.3f, INFINITY, 0}, .kink = {0}, .kinks = 1},
    {.name = "relu", .f = d_relu, .own = 1, .p = {0, INFINITY, 1}, .kink = {1}, .kinks = 1},
    {.name = "relu6", .f = d_relu6, .kink = {0, 6}, .kinks = 2},
    {.name = "leaky_relu", .f = d_leaky, .kink = {0}, .kinks = 1},
    {.name = "leaky_relu", .f = d_leaky, .own = 1, .p = {0.3f}, .kink = {0}, .kinks = 1},
    {.name = "elu", .f = d_elu, .kink = {0}, .kinks = 1},
    {.name = "elu", .f = d_elu, .own = 1, .p = {0.5f}, .kink = {0}, .kinks = 1},
    {.name = "elu", .f = d_elu, .own = 1, .p = {-0.5f}, .kink = {0}, .kinks = 1},
    {.name = "selu", .f = d_selu, .kink = {0}, .kinks = 1},
    {.name = "celu", .f = d_celu, .kink = {0}, .kinks = 1},
    {.name = "celu", .f = d_celu, .own = 1, .p = {2}, .kink = {0}, .kinks = 1},
    {.name = "softplus", .f = d_softplus},
    {.name = "softsign", .f = d_softsign, .kink = {0}, .kinks = 1},
    {.name = "squareplus", .f = d_squareplus},
    {.name = "squareplus", .f = d_squareplus, .own = 1, .p = {1}},
    {.name = "soft_shrink", .f = d_soft_shrink, .kink = {-0.5f, 0.5f}, .kinks = 2},
    {.name = "hard_shrink", .f = d_hard_shrink, .kink = {-0.5f, 0.5f}, .kinks = 2},
    {.name = "tanh_shrink", .f = d_tanh_shrink},
    {.name = "sparse_plus", .f = d_sparse_plus, .kink = {-1, 1}, .kinks = 2},
    {.name = "silu", .f = d_silu},
    {.name = "gelu", .f = d_gelu},
    {.name = "gelu", .f = d_gelu, .own = 1, .p = {1}},
    {.name = "tanh", .f = d_tanh},
    {.name = "sigmoid", .f = d_sigmoid},
    {.name = "exponential", .f = d_exponential},
    {.name = "hard_sigmoid", .f = d_hard_sigmoid, .kink = {-3, 3}, .kinks = 2},
    {.name = "hard_sigmoid",
     .f = d_hard_sigmoid,
     .own = 1,
     .p = {0.2f, 0.5f},
     .kink = {-2.5f, 2.5f},
     .kinks = 2},
    {.name = "hard_silu", .f = d_hard_silu, .kink = {-3, 3}, .kinks = 2},
    {.name = "hard_tanh", .f = d_hard_tanh, .kink = {-1, 1}, .kinks = 2},
    {.name = "mish", .f = d_mish},
    {.name = "log_sigmoid", .f = d_log_sigmoid},
    {.name = "sparse_sigmoid", .f = d_sparse_sigmoid, .kink = {-1, 1}, .kinks = 2},
    {.name = "threshold", .f = d_threshold, .kink = {0}, .kinks = 1},
    {.name = "threshold", .f = d_threshold, .own = 1, .p = {0.5f, -1}, .kink = {0.5f}, .kinks = 1},
};

static ia_activation activation_of(const definition *d)
{
    const ia_activation_class *cls = ia_activation_find(d->name);
    assert_non_null(cls);
    ia_activation a = ia_activation_of(cls);
    if (d->own)
        memcpy(a.param, d->p, sizeof a.param);
    return a;
}

static int near_kink(const definition *d, double z)
{
    for (int i = 0; i < d->kinks; i++)
        if (fabs(z - (double)d->kink[i]) < 2e-4)
            return 1;
    return 0;
}

#define POINTS 4001
static void test_definitions(void **state)
{
    (void)state;
    static float z[POINTS], y[POINTS], dy[POINTS], dz[POINTS];
    for (int i = 0; i < POINTS; i++) {
        z[i] = (float)(i - POINTS / 2) * 0.00499f;
        dy[i] = i % 3 ? 1.5f : -0.25f;
    }
    ia_exec e = test_reference();
    for (size_t k = 0; k < IA_COUNT(defined); k++) {
        const definition *d = &defined[k];
        ia_activation a = activation_of(d);
        ia_activate(&e, &a, 1, POINTS, z, y);
        ia_activate_dz(&e, &a, 1, POINTS, a.cls->needs_z ? z : NULL, y, dy, dz);
        for (int i = 0; i < POINTS; i++) {
            double want = d->f(z[i], a.param), h = 1e-5;
            double slope = (d->f(z[i] + h, a.param) - d->f(z[i] - h, a.param)) / (2 * h);
            if (fabs(y[i] - want) > 4e-7 * fmax(1, fabs(want)))
                fail_msg("%s(%g) = %.9g, but %.9g is right", d->name, z[i], y[i], want);
            if (!near_kink(d, z[i]) && fabs(dz[i] - dy[i] * slope) > 2e-6 * fmax(1, fabs(slope)))
                fail_msg("%s'(%g) = %.9g, but %.9g is right", d->name, z[i], dz[i] / dy[i], slope);
        }
    }
}

/* (name, z, derivative) where the definition has two; TensorFlow's value. */
static void test_kinks(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        float z, slope;
    } at[] = {{"relu", 0, 0},           {"relu", -0.0f, 0},        {"relu6", 0, 0},
              {"relu6", 6, 0},          {"leaky_relu", 0, 0.2f},   {"elu", 0, 1},
              {"celu", 0, 1},           {"hard_tanh", 1, 1},       {"hard_tanh", -1, 1},
              {"hard_sigmoid", -3, 0},  {"hard_sigmoid", 3, 0},    {"soft_shrink", 0.5f, 0},
              {"hard_shrink", 0.5f, 0}, {"sparse_plus", 1, 1},     {"sparse_plus", -1, 0},
              {"sparse_sigmoid", 1, 0}, {"sparse_sigmoid", -1, 0}, {"threshold", 0, 0},
              {"softsign", 0, 1},       {"selu", 0, 1.05070098f},  {"hard_silu", -3, 0},
              {"hard_silu", 3, 1}};
    for (size_t i = 0; ia_kernel_set_at(i); i++)
        for (size_t k = 0; k < IA_COUNT(at); k++) {
            ia_exec e = {.set = ia_kernel_set_at(i)};
            ia_activation a = ia_activation_of(ia_activation_find(at[k].name));
            float y, dz, one = 1;
            ia_activate(&e, &a, 1, 1, &at[k].z, &y);
            ia_activate_dz(&e, &a, 1, 1, &at[k].z, &y, &one, &dz);
            if (fabsf(dz - at[k].slope) > 1e-6f)
                fail_msg("%s'(%g) = %g", at[k].name, (double)at[k].z, (double)dz);
        }
}

/* Far out, and past the ends: no NaN where the function has a limit, NaN where z is NaN. */
static void test_extremes(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        float at_minus, at_plus; /* -infinity and infinity */
    } limit[] = {{"relu", 0, INFINITY},
                 {"relu6", 0, 6},
                 {"elu", -1, INFINITY},
                 {"selu", -1.7580993f, INFINITY},
                 {"celu", -1, INFINITY},
                 {"softplus", 0, INFINITY},
                 {"softsign", -1, 1},
                 {"tanh", -1, 1},
                 {"sigmoid", 0, 1},
                 {"exponential", 0, INFINITY},
                 {"hard_sigmoid", 0, 1},
                 {"hard_tanh", -1, 1},
                 {"log_sigmoid", -INFINITY, 0},
                 {"sparse_sigmoid", 0, 1},
                 {"sparse_plus", 0, INFINITY},
                 {"tanh_shrink", -INFINITY, INFINITY},
                 {"leaky_relu", -INFINITY, INFINITY}};
    const float ends[2] = {-INFINITY, INFINITY}, big[4] = {-1e4f, -100, 100, 1e4f}, nan = NAN;
    const float one[4] = {1, 1, 1, 1};
    ia_exec e = {.set = ia_kernel_set_find(NULL)};
    for (size_t k = 0; k < IA_COUNT(limit); k++) {
        ia_activation a = ia_activation_of(ia_activation_find(limit[k].name));
        float y[2];
        ia_activate(&e, &a, 1, 2, ends, y);
        if (y[0] != limit[k].at_minus || y[1] != limit[k].at_plus)
            fail_msg("%s gives %g and %g at the infinities", a.cls->name, (double)y[0],
                     (double)y[1]);
    }
    for (size_t i = 0; i < ia_activation_count(); i++) {
        ia_activation a = ia_activation_of(ia_activation_at(i));
        float y[4], dz[4];
        ia_activate(&e, &a, 1, 1, &nan, y);
        if (!isnan(y[0]))
            fail_msg("%s loses NaN", a.cls->name);
        if (a.cls->along_row)
            continue;
        ia_activate(&e, &a, 1, 4, big, y);
        ia_activate_dz(&e, &a, 1, 4, big, y, one, dz);
        for (int k = 0; k < 4; k++)
            if (isnan(y[k]) || isnan(dz[k]))
                fail_msg("%s(%g) = %g, slope %g", a.cls->name, (double)big[k], (double)y[k],
                         (double)dz[k]);
    }
}

static void fill(float *z, size_t n, ia_random *r, int wild)
{
    static const float special[] = {0,      -0.0f,   1,     -1,     3,        -3,
                                    6,      0.5f,    -0.5f, NAN,    INFINITY, -INFINITY,
                                    1e-40f, -1e-40f, 88.8f, -88.8f, -103.5f,  1e30f};
    for (size_t i = 0; i < n; i++) {
        z[i] = (float)(ia_random_double(r) * 16 - 8);
        if (wild && ia_random_below(r, 4) == 0)
            z[i] = special[ia_random_below(r, IA_COUNT(special))];
    }
}

/* Bytes, guard pages, in place, threads; rows for the softmax family. */
static void test_sets(void **state)
{
    (void)state;
    static const size_t size[] = {0, 1, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 255, 1023};
    guard gz = guard_new(4000), gy = guard_new(4000), gd = guard_new(4000), go = guard_new(4000);
    static float y0[4000], dz0[4000];
    ia_random r = ia_random_from(ia_random_key_of(2, 1, 1));
    ia_exec ref = test_reference();
    FOR_EACH_SET (e)
        for (size_t k = 0; k < ia_activation_count() + IA_COUNT(defined); k++)
            for (size_t s = 0; s < IA_COUNT(size); s++) {
                ia_activation a = k < ia_activation_count()
                                      ? ia_activation_of(ia_activation_at(k))
                                      : activation_of(&defined[k - ia_activation_count()]);
                size_t rows = 1 + s % 3, n = rows * size[s];
                float *z = guard_random(&gz, n, &r), *dy = guard_random(&gd, n, &r);
                float *y = guard_output(&gy, n), *dz = guard_output(&go, n);
                fill(z, n, &r, s % 2);
                ia_activate(&ref, &a, rows, size[s], z, y0);
                ia_activate_dz(&ref, &a, rows, size[s], z, y0, dy, dz0);
                ia_activate(&e, &a, rows, size[s], z, y);
                assert_same_floats(y, y0, n, e.set, "%s, %zu", a.cls->name, size[s]);
                ia_activate_dz(&e, &a, rows, size[s], z, y, dy, dz);
                assert_same_floats(dz, dz0, n, e.set, "%s', %zu", a.cls->name, size[s]);
                guard_check(&gy, n);
                guard_check(&go, n);
                ia_activate_dz(&e, &a, rows, size[s], z, y, dy, dy);
                assert_same_floats(dy, dz0, n, e.set, "%s' in place, %zu", a.cls->name, size[s]);
                ia_activate(&e, &a, rows, size[s], z, z);
                assert_same_floats(z, y0, n, e.set, "%s in place, %zu", a.cls->name, size[s]);
            }
    guard_free(&gz), guard_free(&gy), guard_free(&gd), guard_free(&go);
}

static void test_threads(void **state)
{
    (void)state;
    enum { ROWS = 301, COLS = 203, N = ROWS * COLS };
    float *z = ia_calloc(N, 4), *y = ia_calloc(N, 4), *y0 = ia_calloc(N, 4);
    float *dz = ia_calloc(N, 4), *dz0 = ia_calloc(N, 4);
    ia_random r = ia_random_from(ia_random_key_of(2, 2, 1));
    fill(z, N, &r, 0);
    for (int threads = 2; threads <= 8; threads += 3) {
        ia_pool *pool = NULL;
        inarch_error err;
        assert_ok(ia_pool_new(threads, &pool, &err), err);
        ia_exec one = {.set = ia_kernel_set_find(NULL)}, e = {.set = one.set, .pool = pool};
        for (size_t k = 0; k < ia_activation_count(); k++) {
            ia_activation a = ia_activation_of(ia_activation_at(k));
            ia_activate(&one, &a, ROWS, COLS, z, y0);
            ia_activate_dz(&one, &a, ROWS, COLS, z, y0, z, dz0);
            ia_activate(&e, &a, ROWS, COLS, z, y);
            ia_activate_dz(&e, &a, ROWS, COLS, z, y, z, dz);
            assert_same_floats(y, y0, N, e.set, "%s, %d threads", a.cls->name, threads);
            assert_same_floats(dz, dz0, N, e.set, "%s', %d threads", a.cls->name, threads);
        }
        ia_pool_free(pool);
    }
    ia_free(z), ia_free(y), ia_free(y0), ia_free(dz), ia_free(dz0);
}

static int downwards(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

/* softmax, log_softmax, sparsemax and their derivatives by differences in double */
static void row_in_double(const char *name, size_t n, const double *z, double *y)
{
    double top = -INFINITY, sum = 0;
    for (size_t i = 0; i < n; i++)
        top = fmax(top, z[i]);
    for (size_t i = 0; i < n; i++)
        sum += exp(z[i] - top);
    for (size_t i = 0; i < n; i++)
        y[i] = strcmp(name, "softmax") == 0 ? exp(z[i] - top) / sum : z[i] - top - log(sum);
    if (strcmp(name, "sparsemax") != 0)
        return;
    double sorted[64], cumulated = 0, all = 0; /* keras/src/backend/tensorflow/nn.py */
    memcpy(sorted, z, n * sizeof *z);
    qsort(sorted, n, sizeof *sorted, downwards);
    int k = 0;
    for (size_t i = 0; i < n; i++) {
        cumulated += sorted[i];
        if (sorted[i] - (cumulated - 1) / (double)(i + 1) > 0) {
            all += cumulated;
            k++;
        }
    }
    for (size_t i = 0; i < n; i++)
        y[i] = fmax(z[i] - (all - 1) / k, 0);
}

/* What Keras 3.15.1 returns: rows that do not sum to 1. */
static void test_sparsemax_of_keras(void **state)
{
    (void)state;
    const float z[8] = {0.3f, 0.1f, -0.2f, 0.25f, -1, -1.1f, -1.3f, -3};
    const float want[8] = {0.13333334f, 0, 0, 0.08333333f, 1.5f, 1.4f, 1.2f, 0};
    float y[8];
    ia_activation a = ia_activation_of(ia_activation_find("sparsemax"));
    for (size_t i = 0; ia_kernel_set_at(i); i++) {
        ia_exec e = {.set = ia_kernel_set_at(i)};
        ia_activate(&e, &a, 2, 4, z, y);
        for (int k = 0; k < 8; k++)
            assert_near(y[k], want[k], 1e-6);
    }
    float same[3] = {2, 2, 2};
    ia_exec e = test_reference();
    ia_activate(&e, &a, 1, 3, same, y); /* ties: tau = (2 + 4 + 6 - 1)/3 */
    assert_true(y[0] == 0 && y[1] == 0 && y[2] == 0);
}

static void test_rows(void **state)
{
    (void)state;
    static const char *const name[] = {"softmax", "log_softmax", "sparsemax"};
    enum { N = 37 };
    ia_random r = ia_random_from(ia_random_key_of(2, 3, 1));
    ia_exec e = {.set = ia_kernel_set_find(NULL)};
    for (int k = 0; k < 3; k++)
        for (size_t n = 1; n <= N; n += 6) {
            ia_activation a = ia_activation_of(ia_activation_find(name[k]));
            float z[N], y[N], dy[N], dz[N];
            double zd[N], want[N], up[N], down[N];
            for (size_t i = 0; i < n; i++) {
                z[i] = test_float(&r);
                dy[i] = test_float(&r);
                zd[i] = z[i];
            }
            ia_activate(&e, &a, 1, n, z, y);
            ia_activate_dz(&e, &a, 1, n, z, y, dy, dz);
            row_in_double(name[k], n, zd, want);
            for (size_t i = 0; i < n; i++)
                assert_near(y[i], want[i], 1e-6);
            for (size_t i = 0; i < n; i++) {
                double h = 1e-6, slope = 0;
                zd[i] = z[i] + h;
                row_in_double(name[k], n, zd, up);
                zd[i] = z[i] - h;
                row_in_double(name[k], n, zd, down);
                zd[i] = z[i];
                for (size_t j = 0; j < n; j++)
                    slope += dy[j] * (up[j] - down[j]) / (2 * h);
                assert_near(dz[i], slope, 1e-5);
            }
        }
    float z[3] = {1000, -1000, 999}, y[3];
    ia_activation softmax = ia_activation_of(ia_activation_find("softmax"));
    ia_activate(&e, &softmax, 1, 3, z, y);
    assert_near(y[0], 1 / (1 + exp(-1)), 1e-6);
    assert_true(y[1] == 0);
    ia_activate(&e, &softmax, 3, 1, z, y);
    assert_true(y[0] == 1 && y[1] == 1 && y[2] == 1);
}

static void test_table(void **state)
{
    (void)state;
    assert_int_equal(ia_activation_count(), 29);
    for (size_t i = 0; i < ia_activation_count(); i++) {
        const ia_activation_class *cls = ia_activation_at(i);
        assert_int_equal(cls->id, (int)i);
        assert_ptr_equal(ia_activation_find(cls->name), cls);
    }
    assert_null(ia_activation_at(ia_activation_count()));
    assert_string_equal(ia_activation_find("swish")->name, "silu");
    assert_string_equal(ia_activation_find("hard_swish")->name, "hard_silu");
    assert_string_equal(ia_activation_find("softmax_v2")->name, "softmax");
    assert_string_equal(ia_activation_find("log_softmax_v2")->name, "log_softmax");
    assert_null(ia_activation_find("glu"));
    assert_null(ia_activation_find("Relu"));
    ia_activation relu = ia_activation_of(ia_activation_find("relu"));
    assert_string_equal(relu.cls->param[1], "max_value");
    assert_true(relu.param[0] == 0 && relu.param[1] == INFINITY && relu.param[2] == 0);
    ia_activation leaky = ia_activation_of(ia_activation_find("leaky_relu"));
    assert_true(leaky.param[0] == 0.2f && leaky.cls->param[1] == NULL);
    assert_true(ia_activation_find("softmax")->along_row);
    assert_false(ia_activation_find("tanh")->along_row);
    assert_null(ia_activation_find("linear")->param[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table), cmocka_unit_test(test_definitions),
        cmocka_unit_test(test_kinks), cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_sets),  cmocka_unit_test(test_threads),
        cmocka_unit_test(test_rows),  cmocka_unit_test(test_sparsemax_of_keras),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
