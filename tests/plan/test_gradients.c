/* Gradients of whole programs against central differences of their loss, for graphs that exercise
 * what the plan does with gradients: shared layers, values read twice, nested models, several
 * heads, heads from logits, activity regularisers, frozen parts. Layers one by one are checked in
 * nn/. */
#include "test.h"

#include "base/alloc.h"
#include "nn/spec.h"
#include "plan/plan.h"

#include <math.h>

#define ROWS 7

typedef struct bench {
    ia_model *m;
    ia_program *p;
    inarch_error err;
} bench;

static ia_layer *layer(bench *b, const char *spec)
{
    ia_layer *l;
    assert_ok(ia_spec_layer(spec, b->m, &l, &b->err), b->err);
    assert_ok(ia_model_add_layer(b->m, l, &b->err), b->err);
    return l;
}

static ia_ref call(bench *b, ia_layer *l, const ia_ref *in, size_t n)
{
    assert_ok(ia_model_add_call(b->m, l, in, n, &b->err), b->err);
    assert_ok(ia_model_infer(b->m, &b->err), b->err);
    return (ia_ref){b->m->call_count - 1, 0};
}

static ia_ref put(bench *b, const char *spec, ia_ref below)
{
    return call(b, layer(b, spec), &below, 1);
}

static ia_ref input(bench *b, const char *spec)
{
    return call(b, layer(b, spec), NULL, 0);
}

static void graph(bench *b)
{
    assert_ok(ia_model_new(IA_FUNCTIONAL, "m", &b->m, &b->err), b->err);
}

static void finish(bench *b, const ia_ref *in, size_t n_in, const ia_ref *out, size_t n_out)
{
    assert_ok(ia_model_set_inputs(b->m, in, n_in, &b->err), b->err);
    assert_ok(ia_model_set_outputs(b->m, out, n_out, &b->err), b->err);
    assert_ok(ia_model_infer(b->m, &b->err), b->err);
    assert_ok(ia_model_initialize(b->m, 3, &b->err), b->err);
}

/* A smooth function of (i, salt) in about [-1, 1]. */
static float wave(size_t i, double salt)
{
    return (float)sin(0.37 * (double)i + salt);
}

static void fill_inputs(ia_program *p)
{
    for (size_t i = 0; i < ia_program_input_count(p); i++) {
        const ia_view *v = ia_program_input(p, i);
        for (size_t k = 0; k < ROWS * v->size; k++)
            v->data[k] = wave(k, (double)i + 0.3);
    }
}

/* The loss: sum of c * output (or logits) with fixed c, plus activity regularisation. */
static double loss(ia_program *p)
{
    ia_program_forward(p, ROWS, 5);
    double sum = ia_program_activity(p);
    for (size_t h = 0; h < ia_program_output_count(p); h++) {
        const ia_view *v =
            ia_program_logits(p, h) ? ia_program_logits(p, h) : ia_program_output(p, h);
        for (size_t k = 0; k < ROWS * v->size; k++)
            sum += (double)wave(k, 2.0 + (double)h) * (double)v->data[k];
    }
    return sum;
}

static void output_gradients(ia_program *p)
{
    for (size_t h = 0; h < ia_program_output_count(p); h++)
        for (size_t k = 0; k < ROWS * ia_program_output(p, h)->size; k++)
            ia_program_output_grad(p, h)[k] = wave(k, 2.0 + (double)h);
}

static void check(bench *b, const ia_logits *logits)
{
    ia_program_options o = {.mode = IA_RUN_TRAIN, .rows = ROWS, .logits = logits, .seed = 1};
    assert_ok(ia_program_new(b->m, &o, &b->p, &b->err), b->err);
    fill_inputs(b->p);
    loss(b->p);
    output_gradients(b->p);
    ia_program_backward(b->p, ROWS);
    size_t checked = 0;
    for (size_t v = 0; v < ia_program_live_count(b->p); v++) {
        const ia_live *live = ia_program_live(b->p, v);
        for (size_t i = 0; live->grad && i < live->count; i++) {
            float *w = &live->value[i], saved = *w;
            double analytic = (double)live->grad[i], h = 1e-2;
            *w = saved + (float)h;
            double up = loss(b->p);
            *w = saved - (float)h;
            double down = loss(b->p);
            *w = saved;
            double numeric = (up - down) / (2 * h);
            if (fabs(numeric - analytic) > 2e-3 * fmax(1, fabs(numeric)))
                fail_msg("%s[%zu]: %g, but differences give %g", live->path, i, analytic, numeric);
            checked++;
        }
    }
    assert_true(checked > 0);
    ia_program_free(b->p);
    ia_model_free(b->m);
}

static void test_sequential(void **state)
{
    (void)state;
    bench b;
    assert_ok(
        ia_spec_model("input:5,dense:6:tanh,layernormalization,dense:4:sigmoid", 1, &b.m, &b.err),
        b.err);
    check(&b, NULL);
}

static void test_shared_layer_and_value_read_twice(void **state)
{
    (void)state;
    bench b;
    graph(&b);
    ia_ref x = input(&b, "input:5"), y = input(&b, "input:5");
    ia_layer *shared = layer(&b, "dense:4:tanh");
    ia_ref a = call(&b, shared, &x, 1), c = call(&b, shared, &y, 1);
    ia_ref both[] = {a, c, a}; /* `a` twice in one call, and again below */
    ia_ref sum = call(&b, layer(&b, "add"), both, 3);
    ia_ref pair[] = {sum, a};
    ia_ref cat = call(&b, layer(&b, "concatenate"), pair, 2);
    ia_ref out = put(&b, "dense:3", cat);
    finish(&b, (ia_ref[]){x, y}, 2, &out, 1);
    check(&b, NULL);
}

static void test_two_heads_one_from_logits(void **state)
{
    (void)state;
    bench b;
    graph(&b);
    ia_ref x = input(&b, "input:5");
    ia_ref h = put(&b, "dense:6:tanh", x);
    ia_ref p = put(&b, "dense:3:softmax", h);
    ia_ref q = put(&b, "dense:2", p); /* the probabilities are read too, not only their logits */
    finish(&b, &x, 1, (ia_ref[]){p, q}, 2);
    ia_logits logits[] = {IA_LOGITS_SOFTMAX, IA_LOGITS_NONE};
    check(&b, logits);
}

static void test_views_hand_gradients_on(void **state)
{
    (void)state;
    bench b;
    graph(&b);
    ia_ref x = input(&b, "input:2x3");
    ia_ref h = put(&b, "dense:4:tanh", x);
    ia_ref f = put(&b, "flatten", h);
    ia_ref r = put(&b, "reshape:4x2", f);
    ia_ref g = put(&b, "flatten", r);
    ia_ref f2 = put(&b, "dense:8", f);
    ia_ref pair[] = {g, f2}; /* f is read by a view and by a layer */
    ia_ref out = call(&b, layer(&b, "multiply"), pair, 2);
    finish(&b, &x, 1, &out, 1);
    check(&b, NULL);
}

static void test_activity_regulariser(void **state)
{
    (void)state;
    bench b;
    graph(&b);
    ia_ref x = input(&b, "input:5");
    ia_ref h = put(&b, "dense(6,tanh,activity_regularizer=l2(0.3))", x);
    ia_ref out = put(&b, "dense(3,sigmoid,activity_regularizer=l2(0.2))", h);
    finish(&b, &x, 1, &out, 1);
    ia_logits logits[] = {IA_LOGITS_SIGMOID};
    check(&b, logits);
}

static void test_frozen_middle(void **state)
{
    (void)state;
    bench b;
    assert_ok(ia_spec_model("input:5,dense:6:tanh,dense(5,tanh,trainable=false),dense:2", 1, &b.m,
                            &b.err),
              b.err);
    check(&b, NULL);
}

static void test_batch_statistics(void **state)
{
    (void)state;
    bench b;
    assert_ok(ia_spec_model("input:5,dense:4:tanh,batchnormalization,dense:2", 1, &b.m, &b.err),
              b.err);
    check(&b, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sequential),
        cmocka_unit_test(test_shared_layer_and_value_read_twice),
        cmocka_unit_test(test_two_heads_one_from_logits),
        cmocka_unit_test(test_views_hand_gradients_on),
        cmocka_unit_test(test_activity_regulariser),
        cmocka_unit_test(test_frozen_middle),
        cmocka_unit_test(test_batch_statistics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
