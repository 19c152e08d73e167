/* One number for all outputs of all kernels: the same for every set, thread count and machine.
 *
 * A change of this number is a change of the numeric law, and so of the major version. */
#include "kernel_test.h"

#include "kernels/activation.h"
#include "kernels/optimize.h"

#define LAW_HASH UINT64_C(0x9072ecb1fec86fcc)

static uint64_t hash_floats(uint64_t h, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) { /* FNV-1a over the bits, low byte first */
        uint32_t bits = test_bits(x[i]);
        for (int b = 0; b < 4; b++)
            h = (h ^ (bits >> (8 * b) & 255)) * UINT64_C(0x100000001b3);
    }
    return h;
}

#define ROOM 70000
typedef struct arrays {
    float *x, *w, *b, *y, *dy, *out, *slot[3];
} arrays;

static void fill(float *p, size_t n, uint64_t stream, float scale)
{
    ia_random r = ia_random_from(ia_random_key_of(6, stream, 0));
    for (size_t i = 0; i < n; i++)
        p[i] = test_float(&r) * scale;
}

static uint64_t hash_products(const ia_exec *e, const arrays *a, uint64_t h)
{
    static const size_t shape[][3] = {{1, 300, 70},  {33, 513, 65}, {200, 31, 33},
                                      {130, 64, 96}, {5, 3, 2},     {77, 257, 1}};
    for (size_t i = 0; i < IA_COUNT(shape); i++) {
        size_t rows = shape[i][0], in = shape[i][1], units = shape[i][2];
        ia_dense_y(e, rows, in, units, a->x, a->w, a->b, a->out);
        h = hash_floats(h, a->out, rows * units);
        ia_dense_dx(e, rows, in, units, a->dy, a->w, a->out);
        h = hash_floats(h, a->out, rows * in);
        ia_dense_dw(e, rows, in, units, a->x, a->dy, a->out);
        h = hash_floats(h, a->out, in * units);
    }
    return h;
}

static uint64_t hash_sums(const ia_exec *e, const arrays *a, uint64_t h)
{
    static const size_t shape[][2] = {{1, 1}, {700, 90}, {65, 33}, {300, 200}};
    for (size_t i = 0; i < IA_COUNT(shape); i++) {
        size_t rows = shape[i][0], cols = shape[i][1];
        float *out = a->out;
        ia_sum_rows(e, rows, cols, a->x, out);
        ia_sum_rows_mul(e, rows, cols, a->x, a->w, out + cols);
        ia_sum_rows_sqdiff(e, rows, cols, a->x, a->b, out + 2 * cols);
        h = hash_floats(h, out, 3 * cols);
        ia_row_sum(e, rows, cols, a->x, out);
        ia_row_sqdiff(e, rows, cols, a->x, a->w, out + rows);
        ia_row_dot(e, rows, cols, a->x, a->w, out + 2 * rows);
        h = hash_floats(h, out, 3 * rows);
    }
    return h;
}

static uint64_t hash_activations(const ia_exec *e, const arrays *a, uint64_t h)
{
    enum { ROWS = 211, COLS = 103, N = ROWS * COLS };
    for (size_t i = 0; i < ia_activation_count(); i++) {
        ia_activation f = ia_activation_of(ia_activation_at(i));
        for (int other = 0; other < 2; other++) {
            ia_activate(e, &f, ROWS, COLS, a->x, a->y);
            ia_activate_dz(e, &f, ROWS, COLS, a->x, a->y, a->dy, a->out);
            h = hash_floats(hash_floats(h, a->y, N), a->out, N);
            f.param[0] = 0.75f;
        }
    }
    return h;
}

static uint64_t hash_updates(const ia_exec *e, const arrays *a, uint64_t h)
{
    enum { N = 20011 };
    const ia_update update[] = {ia_update_sgd(0.01, 0, 0),
                                ia_update_sgd(0.01, 0.9, 0),
                                ia_update_sgd(0.01, 0.9, 1),
                                ia_update_rmsprop(0.01, 0.9, 0, 1e-7, 0),
                                ia_update_rmsprop(0.01, 0.9, 0.5, 1e-7, 0),
                                ia_update_rmsprop(0.01, 0.9, 0, 1e-3, 1),
                                ia_update_rmsprop(0.01, 0.9, 0.5, 1e-3, 1),
                                ia_update_adam(0.01, 0.9, 0.999, 1e-7, 0, 5),
                                ia_update_adam(0.01, 0.9, 0.999, 1e-7, 1, 5),
                                ia_update_adagrad(0.01, 1e-7),
                                ia_update_adadelta(0.5, 0.95, 1e-7),
                                ia_update_adamax(0.01, 0.9, 0.999, 1e-7, 5),
                                ia_update_nadam(0.01, 0.9, 0.999, 1e-7, 0.03, 5)};
    for (size_t i = 0; i < IA_COUNT(update); i++) {
        fill(a->y, N, 100, 1);
        for (int j = 0; j < 3; j++)
            memset(a->slot[j], 0, N * sizeof(float));
        for (int step = 0; step < 2; step++)
            ia_update_apply(e, &update[i], N, a->x + step, a->y, a->slot);
        h = hash_floats(h, a->y, N);
        for (int j = 0; j < 3; j++)
            h = hash_floats(h, a->slot[j], N);
    }
    double norm[2] = {ia_sum_squares(e, N, a->x), sqrt(ia_sum_squares(e, 5, a->x))};
    float halves[4];
    memcpy(halves, norm, sizeof halves);
    return hash_floats(h, halves, 4);
}

static uint64_t hash_rest(const ia_exec *e, const arrays *a, uint64_t h)
{
    enum { N = 20011 };
    for (int op = IA_ADD; op <= IA_MIN; op++) {
        ia_map2(e, (ia_binary)op, N, a->x, a->w, a->out);
        h = hash_floats(h, a->out, N);
    }
    ia_scale(e, N, 0.3f, a->x, a->out);
    ia_axpy(e, N, 1.1f, a->w, a->out);
    ia_clip(e, N, -1, 0.9f, a->out, a->out);
    ia_weight_decay(e, N, 0.004f, a->out);
    h = hash_floats(h, a->out, N);
    ia_scale_shift_rows(e, 100, 200, a->x, a->b, a->w, a->out);
    h = hash_floats(h, a->out, 100 * 200);
    ia_random_key key = {{3, 4}};
    ia_mask_dropout(e, key, 0.4f, 7, 150, 131, a->out);
    h = hash_floats(h, a->out, 150 * 131);
    ia_mask_normal(e, key, 7, 150, 131, a->out);
    return hash_floats(h, a->out, 150 * 131);
}

static uint64_t hash_everything(const ia_exec *e)
{
    arrays a;
    float **all[] = {&a.x, &a.w, &a.b, &a.y, &a.dy, &a.out, &a.slot[0], &a.slot[1], &a.slot[2]};
    for (size_t i = 0; i < IA_COUNT(all); i++) {
        *all[i] = ia_calloc(ROOM, sizeof(float));
        fill(*all[i], ROOM, i, i == 0 ? 4 : 1);
    }
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    h = hash_products(e, &a, h);
    h = hash_sums(e, &a, h);
    h = hash_activations(e, &a, h);
    h = hash_updates(e, &a, h);
    h = hash_rest(e, &a, h);
    for (size_t i = 0; i < IA_COUNT(all); i++)
        ia_free(*all[i]);
    return h;
}

static void test_one_hash(void **state)
{
    (void)state;
    for (size_t i = 0; ia_kernel_set_at(i); i++)
        for (int threads = 1; threads <= 3; threads += 2) {
            ia_exec e = {.set = ia_kernel_set_at(i)};
            inarch_error err;
            assert_ok(ia_pool_new(threads, &e.pool, &err), err);
            uint64_t h = hash_everything(&e);
            ia_pool_free(e.pool);
            if (h != LAW_HASH)
                fail_msg("%s, %d threads: 0x%016llx", ia_kernel_set_name(e.set), threads,
                         (unsigned long long)h);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_one_hash)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
