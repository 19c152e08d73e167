/* Programs for many rows: weights packed beforehand, rows read where they lie, blocks that suit the
 * caches. Nothing of it changes a byte. */
#include "api/rig.h"

#include "plan/program.h"

enum { ROWS = 400, INPUTS = 70 };

static const char arch[] = "input:70,dense(96,relu,name=a),dense(64,tanh,name=b),"
                           "dense(32,relu,name=c),dense(10,softmax)";

static ia_program *program(const ia_model *m, ia_program_options o)
{
    inarch_error err;
    ia_program *p;
    assert_ok(ia_program_new(m, &o, &p, &err), err);
    return p;
}

static float *noise(size_t n)
{
    uint32_t seed = 17;
    float *x = malloc(n * sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = rig_float(&seed);
    return x;
}

static size_t packed_count(const ia_program *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->variable_count; i++)
        n += p->variables[i].packed;
    return n;
}

/* The output for `rows` rows, whose bytes depend neither on packing nor on threads. */
static void check_output(ia_program *p, const float *x, size_t rows, const float *want)
{
    assert_true(ia_program_lend(p, 0, x));
    ia_program_forward(p, rows, 0);
    const ia_view *y = ia_program_output(p, 0);
    assert_memory_equal(y->data, want, rows * y->size * sizeof *want);
}

static void test_packed(void **state)
{
    (void)state;
    inarch_error err;
    inarch_model *m = rig_new(arch);
    float *x = noise(ROWS * INPUTS);
    ia_program_options o = {.mode = IA_RUN_PREDICT, .rows = ROWS};
    for (size_t s = 0; ia_kernel_set_at(s); s++) {
        o.kernels = ia_kernel_set_at(s);
        o.rows_ahead = 0;
        ia_program *plain = program(m->doc, o);
        memcpy(ia_program_input(plain, 0)->data, x, ROWS * INPUTS * sizeof *x);
        ia_program_forward(plain, ROWS, 0);
        const float *want = ia_program_output(plain, 0)->data;
        assert_int_equal(packed_count(plain), 0);
        o.rows_ahead = SIZE_MAX;
        for (int threads = 1; threads <= 3; threads++) {
            assert_ok(ia_pool_new(threads, &o.pool, &err), err);
            ia_program *packed = program(m->doc, o);
            assert_int_equal(packed_count(packed), 2); /* 70 x 96 and 96 x 64; 64 x 32 is small */
            check_output(packed, x, ROWS, want);
            for (size_t rows = 1; rows < 30; rows += 3)
                check_output(packed, x, rows, want);
            ia_program_free(packed);
            ia_pool_free(o.pool);
            o.pool = NULL;
        }
        ia_program_free(plain);
    }
    free(x);
    inarch_free(m);
}

/* Packed weights are those of the moment it was made, then those of the last rebind. */
static void test_rebind(void **state)
{
    (void)state;
    inarch_error err;
    float y[2][10], *x = noise(INPUTS);
    inarch_model *m = rig_new(arch);
    ia_program_options o = {.mode = IA_RUN_EVALUATE, .rows = 1};
    ia_program *plain = program(m->doc, o);
    o.rows_ahead = SIZE_MAX;
    ia_program *packed = program(m->doc, o);
    float *w = noise(70 * 96);
    memcpy(ia_program_input(plain, 0)->data, x, INPUTS * sizeof *x);
    ia_program_forward(plain, 1, 0);
    memcpy(y[0], ia_program_output(plain, 0)->data, sizeof y[0]);
    assert_ok(inarch_weight_set(m, "a/kernel", w, 70 * 96, &err), err);
    check_output(packed, x, 1, y[0]);
    ia_program_rebind(plain);
    ia_program_rebind(packed);
    ia_program_forward(plain, 1, 0);
    memcpy(y[1], ia_program_output(plain, 0)->data, sizeof y[1]);
    assert_memory_not_equal(y[0], y[1], sizeof y[0]);
    check_output(packed, x, 1, y[1]);
    ia_program_free(plain);
    ia_program_free(packed);
    free(x), free(w);
    inarch_free(m);
}

/* All that reads an input moves with it, through views too; where a result lies in the input, the
 * program keeps its own buffer. */
static void test_lend(void **state)
{
    (void)state;
    ia_model *doc = rig_model("m");
    ia_ref in[2] = {rig_input(doc, "input(2x3,name=p)"), rig_input(doc, "input(6,name=q)")};
    ia_ref flat = rig_put(doc, "flatten", in[0]);
    ia_ref out[2] = {rig_join(doc, "add", flat, rig_put(doc, "dense:6", flat)),
                     rig_put(doc, "reshape:3x2", in[1])};
    rig_ports(doc, in, 2, out, 2);
    inarch_model *m = rig_finish(doc, 5);
    ia_program_options o = {.mode = IA_RUN_PREDICT, .rows = 4};
    ia_program *p = program(m->doc, o), *plain = program(m->doc, o);
    float *x = noise(2 * 4 * 6), *copy = noise(2 * 4 * 6), *own = ia_program_input(p, 1)->data;
    for (size_t half = 0; half < 2; half++) {
        const float *rows = x + half * 2 * 6; /* 2 of them */
        assert_true(ia_program_lend(p, 0, rows));
        assert_ptr_equal(ia_program_input(p, 0)->data, rows);
        assert_false(ia_program_lend(p, 1, rows));
        assert_ptr_equal(ia_program_input(p, 1)->data, own);
        assert_true(ia_program_lend(p, 1, own));
        memcpy(own, rows, 12 * sizeof *x);
        for (size_t i = 0; i < 2; i++)
            memcpy(ia_program_input(plain, i)->data, rows, 12 * sizeof *x);
        ia_program_forward(p, 2, 0);
        ia_program_forward(plain, 2, 0);
        for (size_t i = 0; i < 2; i++)
            assert_memory_equal(ia_program_output(p, i)->data, ia_program_output(plain, i)->data,
                                12 * sizeof *x);
        assert_memory_equal(ia_program_output(p, 1)->data, rows, 12 * sizeof *x);
    }
    assert_memory_equal(x, copy, 2 * 4 * 6 * sizeof *x);
    ia_program_free(p);
    ia_program_free(plain);
    free(x), free(copy);
    inarch_free(m);
}

static size_t block_rows(const char *spec, size_t rows, int blocks, ia_run_mode mode)
{
    inarch_model *m = rig_new(spec);
    ia_program_options o = {.mode = mode, .rows = rows, .blocks = blocks};
    ia_program *p = program(m->doc, o);
    size_t n = ia_program_rows(p);
    ia_program_free(p);
    inarch_free(m);
    return n;
}

static void test_rows(void **state)
{
    (void)state;
    static const char wide[] = "input:300,dense:700,dense:8";
    assert_int_equal(block_rows(wide, 5000, 0, IA_RUN_PREDICT), 5000);
    assert_int_equal(block_rows(wide, 5000, 1, IA_RUN_TRAIN), 5000);
    assert_int_equal(block_rows(wide, 5000, 1, IA_RUN_EVALUATE), 256); /* 2^18 / 1000, in 64s */
    assert_int_equal(block_rows(wide, 100, 1, IA_RUN_PREDICT), 100);
    assert_int_equal(block_rows("input:3000,dense:9", 5000, 1, IA_RUN_PREDICT), 192);
    assert_int_equal(block_rows("input:4,dense:4", 5000, 1, IA_RUN_PREDICT), 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packed),
        cmocka_unit_test(test_rebind),
        cmocka_unit_test(test_lend),
        cmocka_unit_test(test_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
