/* Graphs at the edge: a layer called on rows of different rank, rows of no numbers, nested models
 * that unroll without end, sizes that do not fit a word. */
#include "api/rig.h"

#include "plan/program.h"

#include <math.h>

enum { ROWS = 3 };

static ia_program *program(const inarch_model *m, ia_run_mode mode)
{
    inarch_error err;
    ia_program *p;
    ia_program_options o = {.mode = mode, .rows = ROWS};
    assert_ok(ia_program_new(m->doc, &o, &p, &err), err);
    return p;
}

static void fill_inputs(ia_program *p)
{
    uint32_t noise = 3;
    for (size_t i = 0; i < ia_program_input_count(p); i++)
        for (size_t k = 0; k < ROWS * ia_program_input(p, i)->size; k++)
            ia_program_input(p, i)->data[k] = rig_float(&noise);
}

/* Axis 1 is the last of (4,), not of (4, 2): what holds for one call does not for the other. */
static void test_softmax_of_two_ranks(void **state)
{
    (void)state;
    for (int first = 0; first < 2; first++) {
        ia_model *doc = rig_model("m");
        ia_ref in[2] = {rig_input(doc, "input(4,name=flat)"),
                        rig_input(doc, "input(4x2,name=deep)")};
        ia_layer *softmax = rig_layer(doc, "softmax(axis=1)");
        ia_ref out[2];
        out[first] = rig_call(doc, softmax, &in[first], 1);
        out[!first] = rig_call(doc, softmax, &in[!first], 1);
        rig_ports(doc, in, 2, out, 2);
        inarch_model *m = rig_finish(doc, 1);
        assert_null(softmax->cls->activation(softmax)); /* no loss may take it apart */
        ia_program *p = program(m, IA_RUN_PREDICT);
        fill_inputs(p);
        ia_program_forward(p, ROWS, 0);
        const float *flat = ia_program_output(p, 0)->data, *deep = ia_program_output(p, 1)->data;
        for (size_t r = 0; r < ROWS; r++) {
            double a = 0, b[2] = {0, 0};
            for (size_t i = 0; i < 4; i++) {
                a += (double)flat[4 * r + i];
                b[0] += (double)deep[8 * r + 2 * i];
                b[1] += (double)deep[8 * r + 2 * i + 1];
            }
            assert_true(fabs(a - 1) < 1e-6 && fabs(b[0] - 1) < 1e-6 && fabs(b[1] - 1) < 1e-6);
        }
        ia_program_free(p);
        inarch_free(m);
    }
}

/* Rows of no numbers pass through every layer in training, and what needs no input still answers.
 */
static void test_empty_rows(void **state)
{
    (void)state;
    static const char *const layers[] = {"dense:3:softmax",
                                         "embedding:5:2",
                                         "tanh",
                                         "softmax",
                                         "relu",
                                         "prelu",
                                         "batchnorm",
                                         "batchnorm(axis=1)",
                                         "layernorm",
                                         "layernorm(axis=1)",
                                         "unitnorm",
                                         "normalization",
                                         "rescaling:2",
                                         "dropout:0.5",
                                         "alphadropout:0.5",
                                         "gaussiannoise:1",
                                         "gaussiandropout:0.5",
                                         "spatialdropout1d:0.5",
                                         "masking",
                                         "flatten",
                                         "permute:2x1",
                                         "activityregularization:0.1:0.1",
                                         "sparsemax",
                                         "log_softmax"};
    static const char *const shapes[] = {"input:0x3", "input:3x0"};
    for (size_t s = 0; s < IA_COUNT(shapes); s++)
        for (size_t l = 0; l < IA_COUNT(layers); l++) {
            ia_model *doc = rig_model("m");
            ia_ref x = rig_input(doc, shapes[s]), y = rig_put(doc, layers[l], x), joined, out;
            joined = rig_join(doc, "concatenate", rig_put(doc, "flatten", y),
                              rig_put(doc, "flatten", x));
            out = rig_put(doc, "dense(2,bias_initializer=ones)", joined);
            rig_ports(doc, &x, 1, &out, 1);
            inarch_model *m = rig_finish(doc, 1);
            ia_program *p = program(m, IA_RUN_TRAIN);
            ia_program_forward(p, ROWS, 0);
            for (size_t i = 0; i < ROWS * 2; i++)
                ia_program_output_grad(p, 0)[i] = 1;
            ia_program_backward(p, ROWS);
            if (ia_program_output(p, 0)->data[0] != 1 && !strstr(layers[l], "dense"))
                fail_msg("%s of %s: %g", layers[l], shapes[s],
                         (double)ia_program_output(p, 0)->data[0]);
            ia_program_free(p);
            inarch_free(m);
        }
}

/* Numbers without a row in the table are found where the Embedding reads an input, through views
 * and inside nested models too, and not where they were computed. */
static void test_misfit(void **state)
{
    (void)state;
    ia_model *child = rig_model("child");
    ia_ref x = rig_input(child, "input:2x2"), y = rig_put(child, "embedding(5,3,name=words)", x);
    rig_ports(child, &x, 1, &y, 1);
    ia_model *doc = rig_model("m");
    ia_ref in[2] = {rig_input(doc, "input(1,name=a)"), rig_input(doc, "input(4,name=b)")}, out;
    out = rig_put(doc, "reshape:2x2", in[1]);
    out = rig_put(doc, "flatten", rig_call(doc, rig_nested(doc, child, "text"), &out, 1));
    out = rig_join(
        doc, "concatenate", out,
        rig_put(doc, "flatten", rig_put(doc, "embedding:2:1", rig_put(doc, "rescaling:9", in[0]))));
    rig_ports(doc, in, 2, &out, 1);
    inarch_model *m = rig_finish(doc, 1);
    ia_program *p = program(m, IA_RUN_PREDICT);
    float *b = ia_program_input(p, 1)->data;
    ia_misfit bad;
    ia_program_input(p, 0)->data[0] = 1; /* 9 is no row, but a Rescaling made it */
    static const float good[] = {0, 4, -5, -5.9f, 4.9f, -0.5f};
    static const float misfits[] = {5, -6, 1e30f, NAN, INFINITY};
    for (size_t i = 0; i < IA_COUNT(good); i++) {
        b[6] = good[i];
        assert_false(ia_program_misfit(p, ROWS, &bad));
        ia_program_forward(p, ROWS, 0);
        assert_true(isfinite(ia_program_output(p, 0)->data[13 + 6]));
    }
    for (size_t i = 0; i < IA_COUNT(misfits); i++) {
        b[6] = misfits[i];
        assert_false(ia_program_misfit(p, 1, &bad)); /* it is in row 1 */
        assert_true(ia_program_misfit(p, ROWS, &bad));
        assert_int_equal(bad.input, 1);
        assert_int_equal(bad.row, 1);
        assert_int_equal(bad.column, 2);
        assert_true(bad.value == misfits[i] || isnan(misfits[i]));
        assert_int_equal(bad.choices, 5);
        assert_string_equal(bad.layer, "text/words");
    }
    ia_program_free(p);
    inarch_free(m);
}

/* Each level calls the one below twice: 2^30 calls of the innermost layer. */
static void test_unrolling_ends(void **state)
{
    (void)state;
    inarch_error err;
    ia_model *child = NULL;
    for (int level = 0; level < 30; level++) {
        ia_model *m = rig_model("m");
        ia_layer *input = rig_layer(m, "input:2");
        ia_layer *l = child ? rig_nested(m, child, "inner") : rig_layer(m, "tanh");
        assert_ok(ia_model_add_call(m, input, NULL, 0, &err), err);
        for (size_t i = 0; i < 2; i++)
            assert_ok(ia_model_add_call(m, l, &(ia_ref){i, 0}, 1, &err), err);
        rig_ports(m, &(ia_ref){0, 0}, 1, &(ia_ref){2, 0}, 1);
        child = m;
    }
    assert_int_equal(ia_model_infer(child, &err), INARCH_LIMIT);
    assert_non_null(strstr(err.message, "more than 1048576 calls"));
    ia_model_free(child);
}

/* Three flat inputs of 2^62 numbers are no row of 3 * 2^62. */
static void test_concatenated_sizes(void **state)
{
    (void)state;
    inarch_error err;
    ia_model *m = rig_model("m");
    ia_ref x = rig_input(m, "input:2147483647x2147483647"), y = rig_put(m, "flatten", x);
    ia_layer *l = rig_layer(m, "concatenate(name=join)");
    assert_ok(ia_model_add_call(m, l, (ia_ref[]){y, y, y}, 3, &err), err);
    assert_int_equal(ia_model_infer(m, &err), INARCH_BAD_DATA);
    assert_non_null(strstr(err.message, "layer 'join' cannot join rows"));
    ia_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_softmax_of_two_ranks),
        cmocka_unit_test(test_empty_rows),
        cmocka_unit_test(test_misfit),
        cmocka_unit_test(test_unrolling_ends),
        cmocka_unit_test(test_concatenated_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
