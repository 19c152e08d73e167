/* Products in bf16: against sums in double of operands rounded one by one, exactly where the sums
 * are exact, and with the optimizer's step inside and outside; the same bytes for every number of
 * threads. */
#include "kernel_test.h"

#include "kernels/activation.h"
#include "kernels/bf16.h"
#include "kernels/optimize.h"

#define ROOM 400000

/* Arrays of one shape; each ends at a forbidden page. */
typedef struct operands {
    guard x, w, b, dy, z, y, dz, dx, db, dw, temp, slot[2];
    ia_random r;
    ia_exec e;
    bool whole; /* small whole numbers, whose sums are exact */
} operands;

static guard *at(operands *o, size_t i)
{
    guard *all[] = {&o->x,  &o->w,  &o->b,  &o->dy,   &o->z,       &o->y,      &o->dz,
                    &o->dx, &o->db, &o->dw, &o->temp, &o->slot[0], &o->slot[1]};
    return i < IA_COUNT(all) ? all[i] : NULL;
}

static void operands_new(operands *o, const ia_exec *e, uint64_t seed)
{
    *o = (operands){.e = *e, .r = ia_random_from(ia_random_key_of(5, seed, 1))};
    for (size_t i = 0; at(o, i); i++)
        *at(o, i) = guard_new(ROOM);
}

static void operands_free(operands *o)
{
    for (size_t i = 0; at(o, i); i++)
        guard_free(at(o, i));
}

/* False, with a word, where the CPU or the set cannot. */
static bool can(ia_exec *e)
{
    *e = (ia_exec){.set = ia_kernel_set_find("avx512")};
    if (e->set && ia_bf16_ready(e))
        return true;
    print_message("this CPU has no AVX512-BF16\n");
    return false;
}

static float *numbers(operands *o, guard *g, size_t n)
{
    float *x = guard_random(g, n, &o->r);
    for (size_t i = 0; i < n && o->whole; i++)
        x[i] = (float)(int)(x[i] * 4);
    return x;
}

/* x rounded to bf16: nearest, ties to even; below the smallest normal number 0. */
static float rounded(float x)
{
    uint32_t b;
    memcpy(&b, &x, sizeof b);
    if (x != x)
        return x;
    if ((b & 0x7f800000) == 0)
        return x < 0 ? -0.0f : 0.0f;
    b = (b + 0x7fff + (b >> 16 & 1)) & 0xffff0000;
    memcpy(&x, &b, sizeof b);
    return x;
}

/* sum over k of a[k * a_k] * b[k * b_k], and that of the magnitudes */
typedef struct sum {
    double value, size;
} sum;

static sum sum_of(size_t k, const float *a, size_t a_k, const float *b, size_t b_k)
{
    sum s = {0, 0};
    for (size_t i = 0; i < k; i++) {
        double p = (double)rounded(a[i * a_k]) * (double)rounded(b[i * b_k]);
        s.value += p;
        s.size += fabs(p);
    }
    return s;
}

/* A chain of k float32 additions errs by less than k * 2^-24 of the magnitudes; exact ones not. */
static void check_sum(const operands *o, float got, sum want, size_t k, const char *what, size_t i,
                      size_t j)
{
    double bound = o->whole ? 0 : ((double)k + 4) * 0x1p-24 * want.size;
    if (!(fabs((double)got - want.value) <= bound))
        fail_msg("%s[%zu][%zu] = %.9g, not %.9g +- %g", what, i, j, (double)got, want.value, bound);
}

/* w in panels; what fills them up is NaN, as a step may leave it. */
static float *panels_of(operands *o, size_t in, size_t units, const float *w)
{
    size_t floats, width = ia_panels_width(&o->e);
    assert_true(ia_panels_size(&o->e, in, units, &floats));
    float *panels = guard_output(&o->dw, floats), *copy = ia_calloc(floats, sizeof *w);
    ia_panels_pack(&o->e, in, units, w, panels);
    for (size_t i = 0; i < floats; i++)
        copy[i] = i / (in * width) * width + i % width < units ? panels[i] : NAN;
    return copy;
}

static void check_forward(operands *o, size_t rows, size_t in, size_t units, const float *x,
                          const float *w, const float *panels)
{
    size_t floats;
    const float *b = numbers(o, &o->b, units);
    assert_true(ia_bf16_forward_size(rows, in, &floats));
    for (int how = 0; how < 3; how++) {
        ia_dense_forward f = {.rows = rows, .in = in, .units = units, .x = x, .w = panels};
        f.panels = true;
        f.b = how ? b : NULL;
        f.relu = how == 2;
        f.y = guard_output(&o->y, rows * units);
        ia_bf16_forward_run(&o->e, &f, guard_output(&o->temp, floats));
        guard_check(&o->y, rows * units);
        guard_check(&o->temp, floats);
        for (size_t r = 0; r < rows; r++)
            for (size_t u = 0; u < units; u++) {
                sum s = sum_of(in, x + r * in, 1, w + u, units);
                s.value += how ? (double)b[u] : 0;
                s.size += how ? fabs((double)b[u]) : 0;
                s.value = how == 2 && s.value < 0 ? 0 : s.value;
                check_sum(o, f.y[r * units + u], s, in, "y", r, u);
            }
    }
}

/* The step on the way, twice, against the gradient and the update apart. */
static void check_step(operands *o, const ia_dense_back *like, ia_update update, float decay)
{
    static float slot[2][ROOM];
    ia_exec ref = test_reference();
    size_t n, temp;
    assert_true(ia_panels_size(&o->e, like->in, like->units, &n));
    assert_true(ia_bf16_back_size(like->rows, like->in, like->units, &temp));
    ia_dense_back d = *like;
    float *w = guard_output(&o->w, n), *want = ia_calloc(n, sizeof *w);
    ia_step step = {.update = update, .decay = decay, .w = w};
    for (int k = 0; k < 2; k++) {
        step.slot[k] = memset(guard_output(&o->slot[k], n), 0, n * sizeof *w);
        memset(slot[k], 0, n * sizeof *w);
    }
    memcpy(w, like->w, n * sizeof *w);
    memcpy(want, like->w, n * sizeof *w);
    d.w = w;
    d.dw = NULL;
    d.dx = NULL;
    d.step = &step;
    for (int k = 0; k < 2; k++) {
        ia_bf16_back_run(&o->e, &d, guard_output(&o->temp, temp));
        if (decay != 0)
            ia_weight_decay(&ref, n, decay, want);
        ia_update_apply(&ref, &update, n, like->dw, want, (float *[]){slot[0], slot[1]});
    }
    assert_same_floats(w, want, n, o->e.set, "w of %zu x %zu x %zu", d.rows, d.in, d.units);
    for (int k = 0; k < ia_update_slot_count(&update); k++)
        assert_same_floats(step.slot[k], slot[k], n, o->e.set, "slot %d", k);
    guard_check(&o->w, n);
    ia_free(want);
}

static void check_back(operands *o, size_t rows, size_t in, size_t units, const float *x,
                       const float *w, const float *panels)
{
    size_t n, temp;
    assert_true(ia_panels_size(&o->e, in, units, &n));
    assert_true(ia_bf16_back_size(rows, in, units, &temp));
    ia_dense_back d = {.rows = rows, .in = in, .units = units, .x = x, .w = panels};
    d.dz = numbers(o, &o->dz, rows * units);
    d.dx = guard_output(&o->dx, rows * in);
    d.dw = guard_output(&o->dw, n);
    d.db = guard_output(&o->db, units);
    ia_bf16_back_run(&o->e, &d, guard_output(&o->temp, temp));
    guard_check(&o->dx, rows * in);
    guard_check(&o->dw, n);
    guard_check(&o->temp, temp);
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < in; i++)
            check_sum(o, d.dx[r * in + i], sum_of(units, d.dz + r * units, 1, w + i * units, 1),
                      units, "dx", r, i);
    float *dw = ia_calloc(in * units, sizeof *dw), *db = ia_calloc(units, sizeof *db);
    ia_panels_unpack(&o->e, in, units, d.dw, dw);
    for (size_t i = 0; i < in; i++)
        for (size_t u = 0; u < units; u++)
            check_sum(o, dw[i * units + u], sum_of(rows, x + i, in, d.dz + u, units), rows, "dw", i,
                      u);
    ia_exec ref = test_reference();
    ia_sum_rows(&ref, rows, units, d.dz, db);
    assert_same_floats(d.db, db, units, o->e.set, "db of %zu x %zu", rows, units);
    check_step(o, &d, ia_update_adam(1e-3, 0.9, 0.999, 1e-7, 0, 3), 0);
    check_step(o, &d, ia_update_adam(1e-3, 0.9, 0.999, 1e-7, 0, 3), 0.01f);
    check_step(o, &d, ia_update_sgd(0.1, 0.9, 1), 0);
    ia_free(dw), ia_free(db);
}

static void check_shape(operands *o, size_t rows, size_t in, size_t units)
{
    for (int whole = 0; whole < 2; whole++) {
        o->whole = whole;
        float *x = numbers(o, &o->x, rows * in), *w = ia_calloc(in * units, sizeof *w);
        memcpy(w, numbers(o, &o->w, in * units), in * units * sizeof *w);
        float *panels = panels_of(o, in, units, w);
        check_forward(o, rows, in, units, x, w, panels);
        check_back(o, rows, in, units, x, w, panels);
        ia_free(w), ia_free(panels);
    }
}

static void test_shapes(void **state)
{
    (void)state;
    static const size_t edge[] = {1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 255, 256, 257};
    static const size_t other[] = {1, 8, 33};
    ia_exec e;
    operands o;
    if (!can(&e))
        skip();
    operands_new(&o, &e, 1);
    for (size_t i = 0; i < IA_COUNT(edge); i++)
        for (size_t j = 0; j < IA_COUNT(other); j++) {
            check_shape(&o, edge[i], other[j], 35);
            check_shape(&o, other[j], 21, edge[i]);
            check_shape(&o, 10, edge[i], other[j]);
        }
    check_shape(&o, 65, 257, 96);
    operands_free(&o);
}

/* Around the blocks of w, the chains of dw and the rows of a part. */
static void test_blocks(void **state)
{
    (void)state;
    static const size_t size[] = {512, 545, 1023, 1025, 1033, 2050};
    ia_exec e;
    operands o;
    if (!can(&e))
        skip();
    operands_new(&o, &e, 2);
    for (size_t i = 0; i < IA_COUNT(size); i++) {
        check_shape(&o, size[i], 9, 35);
        check_shape(&o, 9, size[i], 35);
        check_shape(&o, 9, 35, size[i]);
    }
    operands_free(&o);
}

/* One number times 1 is what it was rounded to. */
static void test_rounding(void **state)
{
    (void)state;
    static const float from[] = {1.0f,           1 + 0x1p-8f, 1 + 3 * 0x1p-8f, 0x1.0102p0f,
                                 -1 - 0x1p-8f,   0x1.ffp0f,   0x1.fefffep0f,   3.4028235e38f,
                                 0x1.fep127f,    0x1p-126f,   -0x1p-126f,      0x1.fffffcp-127f,
                                 1e-45f,         INFINITY,    -INFINITY,       -3.4028235e38f,
                                 0x1.fefffep127f};
    static const float to[] = {1.0f,      1.0f,     1 + 0x1p-6f, 1 + 0x1p-7f, -1.0f,      2.0f,
                               0x1.fep0f, INFINITY, 0x1.fep127f, 0x1p-126f,   -0x1p-126f, 0.0f,
                               0.0f,      INFINITY, -INFINITY,   -INFINITY,   0x1.fep127f};
    ia_exec e;
    float panels[32] = {1}, temp[64], nan;
    if (!can(&e))
        skip();
    assert_int_equal(IA_COUNT(from), IA_COUNT(to));
    ia_dense_forward f = {.rows = 0, .in = 1, .units = 1, .w = panels, .panels = true};
    ia_bf16_forward_run(&e, &f, temp); /* nothing to do, nothing touched */
    f.rows = 1;
    for (size_t i = 0; i < IA_COUNT(from); i++) {
        float y[2] = {5, 6}, dx = 7;
        f.x = from + i;
        f.y = y;
        ia_bf16_forward_run(&e, &f, temp);
        assert_same_floats(y, to + i, 1, e.set, "x number %zu", i);
        assert_true(y[1] == 6);
        float dz = 1, w[32] = {from[i]};
        ia_dense_back d = {.rows = 1, .in = 1, .units = 1, .x = &dz, .dz = &dz, .w = w, .dx = &dx};
        ia_bf16_back_run(&e, &d, temp);
        assert_same_floats(&dx, to + i, 1, e.set, "w number %zu", i);
    }
    const uint32_t bits[] = {0x7f800001, 0xff800001, 0x7fc00000, 0x7fffffff};
    for (size_t i = 0; i < IA_COUNT(bits); i++) { /* cut off, the first two would be infinity */
        float y;
        memcpy(&nan, bits + i, sizeof nan);
        f.x = &nan;
        f.y = &y;
        ia_bf16_forward_run(&e, &f, temp);
        assert_true(y != y);
    }
}

/* NaN and infinity reach exactly the outputs they should. */
static void test_nonfinite(void **state)
{
    (void)state;
    enum { ROWS = 21, IN = 43, UNITS = 37 };
    static float y[ROWS * UNITS], dx[ROWS * IN], dw[IN * 64], plain[IN * UNITS], temp[20000];
    ia_exec e;
    operands o;
    if (!can(&e))
        skip();
    operands_new(&o, &e, 4);
    float *x = numbers(&o, &o.x, ROWS * IN), *w = numbers(&o, &o.w, IN * UNITS);
    float *dz = numbers(&o, &o.dz, ROWS * UNITS);
    float *panels = panels_of(&o, IN, UNITS, w);
    x[3 * IN + 42] = NAN;
    x[5 * IN + 9] = INFINITY;
    dz[7 * UNITS + 36] = NAN;
    ia_dense_forward f = {.rows = ROWS, .in = IN, .units = UNITS, .x = x, .w = panels, .y = y};
    f.panels = true;
    ia_bf16_forward_run(&e, &f, temp);
    ia_dense_back d = {.rows = ROWS, .in = IN, .units = UNITS, .x = x, .dz = dz, .w = panels};
    d.dx = dx;
    d.dw = dw;
    ia_bf16_back_run(&e, &d, temp);
    ia_panels_unpack(&e, IN, UNITS, dw, plain);
    for (size_t i = 0; i < IA_COUNT(y); i++) {
        size_t r = i / UNITS;
        assert_true(r == 3 ? isnan(y[i]) : r == 5 ? isinf(y[i]) : isfinite(y[i]));
    }
    for (size_t i = 0; i < IA_COUNT(dx); i++)
        assert_true(i / IN == 7 ? isnan(dx[i]) : isfinite(dx[i]));
    for (size_t i = 0; i < IA_COUNT(plain); i++)
        if (i / UNITS == 42 || i % UNITS == 36)
            assert_true(isnan(plain[i]));
        else
            assert_true(i / UNITS == 9 ? isinf(plain[i]) : isfinite(plain[i]));
    ia_free(panels);
    operands_free(&o);
}

/* dz on the way is what the activation gives by itself. */
static void test_activations(void **state)
{
    (void)state;
    static const char *const name[] = {"relu", "tanh", "gelu"};
    enum { ROWS = 35, IN = 19, UNITS = 41 };
    ia_exec e, ref = test_reference();
    operands o;
    size_t temp, n = ROWS * UNITS;
    if (!can(&e))
        skip();
    operands_new(&o, &e, 5);
    assert_true(ia_bf16_back_size(ROWS, IN, UNITS, &temp));
    float *x = numbers(&o, &o.x, ROWS * IN), *w = numbers(&o, &o.w, IN * UNITS), dx[2][ROWS * IN];
    float *panels = panels_of(&o, IN, UNITS, w), *dz = ia_calloc(n, sizeof *dz);
    for (size_t i = 0; i < IA_COUNT(name); i++) {
        ia_activation a = ia_activation_of(ia_activation_find(name[i]));
        float *z = numbers(&o, &o.z, n), *dy = numbers(&o, &o.dy, n), *y = guard_output(&o.y, n);
        ia_activate(&ref, &a, ROWS, UNITS, z, y);
        ia_activate_dz(&ref, &a, ROWS, UNITS, z, y, dy, dz);
        ia_dense_back d = {.rows = ROWS, .in = IN, .units = UNITS, .x = x, .w = panels};
        d.dz = dz;
        d.dx = dx[0];
        ia_bf16_back_run(&e, &d, guard_output(&o.temp, temp));
        d.activation = &a;
        d.z = z;
        d.y = y;
        d.dy = dy;
        d.dz = guard_output(&o.dz, n);
        d.dx = dx[1];
        ia_bf16_back_run(&e, &d, guard_output(&o.temp, temp));
        assert_same_floats(d.dz, dz, n, e.set, "dz through %s", name[i]);
        assert_same_floats(dx[1], dx[0], IA_COUNT(dx[0]), e.set, "dx through %s", name[i]);
    }
    ia_free(panels), ia_free(dz);
    operands_free(&o);
}

typedef struct results {
    float *all, *y, *dx, *w, *m, *v, *db;
    size_t n;
} results;

/* A whole step. */
static results run_step(const ia_exec *e, const size_t s[3])
{
    size_t rows = s[0], in = s[1], units = s[2], panels = 0, forward = 0, back = 0;
    assert_true(ia_panels_size(e, in, units, &panels) && ia_bf16_forward_size(rows, in, &forward) &&
                ia_bf16_back_size(rows, in, units, &back));
    results o = {.n = rows * units + rows * in + 3 * panels + units};
    o.y = o.all = ia_calloc(o.n, sizeof(float));
    o.dx = o.y + rows * units;
    o.w = o.dx + rows * in;
    o.m = o.w + panels;
    o.v = o.m + panels;
    o.db = o.v + panels;
    ia_random r = ia_random_from(ia_random_key_of(5, 6, 7));
    float *x = ia_calloc(rows * in, 4), *dz = ia_calloc(rows * units, 4);
    float *temp = ia_calloc(forward > back ? forward : back, 4);
    for (size_t i = 0; i < rows * in; i++)
        x[i] = test_float(&r);
    for (size_t i = 0; i < rows * units; i++)
        dz[i] = test_float(&r);
    for (size_t i = 0; i < panels; i++)
        o.w[i] = test_float(&r);
    ia_dense_forward f = {.rows = rows, .in = in, .units = units, .x = x, .w = o.w, .y = o.y};
    f.panels = true;
    ia_bf16_forward_run(e, &f, temp);
    ia_step step = {
        .update = ia_update_adam(1e-3, 0.9, 0.999, 1e-7, 0, 3), .w = o.w, .slot = {o.m, o.v}};
    ia_dense_back d = {.rows = rows, .in = in, .units = units, .x = x, .dz = dz, .w = o.w};
    d.dx = o.dx;
    d.db = o.db;
    d.step = &step;
    ia_bf16_back_run(e, &d, temp);
    ia_free(x), ia_free(dz), ia_free(temp);
    return o;
}

static void test_threads(void **state)
{
    (void)state;
    static const size_t shape[][3] = {{128, 100, 70},  {61, 300, 65},  {1, 600, 300},
                                      {1100, 140, 90}, {33, 1100, 40}, {512, 20, 10}};
    ia_exec e;
    if (!can(&e))
        skip();
    for (size_t i = 0; i < IA_COUNT(shape); i++) {
        results one = run_step(&e, shape[i]);
        for (int threads = 2; threads <= 4; threads++) {
            inarch_error err;
            ia_exec pooled = e;
            assert_ok(ia_pool_new(threads, &pooled.pool, &err), err);
            results many = run_step(&pooled, shape[i]);
            assert_same_floats(many.all, one.all, one.n, e.set, "%d threads, shape %zu", threads,
                               i);
            ia_pool_free(pooled.pool);
            ia_free(many.all);
        }
        ia_free(one.all);
    }
}

static void test_sizes(void **state)
{
    (void)state;
    size_t floats;
    assert_true(ia_bf16_forward_size(8, 6, &floats));
    assert_int_equal(floats, 8 * 3 + 16);
    assert_true(ia_bf16_back_size(9, 7, 33, &floats));
    assert_int_equal(floats, 16 * 17 + 64 * 5 + 8 * 5 + 16);
    assert_false(ia_bf16_forward_size(SIZE_MAX, 6, &floats));
    assert_false(ia_bf16_forward_size(16, SIZE_MAX, &floats));
    assert_false(ia_bf16_back_size(SIZE_MAX / 8, 30, 40, &floats));
    assert_false(ia_bf16_back_size(30, SIZE_MAX, 1, &floats));
    assert_false(ia_bf16_back_size(1, 1, SIZE_MAX - 8, &floats));
}

/* Only with the panels of AVX-512. */
static void test_ready(void **state)
{
    (void)state;
    for (size_t i = 0; ia_kernel_set_at(i); i++) {
        ia_exec e = {.set = ia_kernel_set_at(i)};
        bool wide = strcmp(ia_kernel_set_name(e.set), "avx512") == 0;
        assert_int_equal(ia_bf16_ready(&e), wide && ia_has_bf16());
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),      cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_rounding),    cmocka_unit_test(test_nonfinite),
        cmocka_unit_test(test_activations), cmocka_unit_test(test_threads),
        cmocka_unit_test(test_sizes),       cmocka_unit_test(test_ready),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
