/* A mask that Keras would take into the loss is refused by name; one that ends below, or that hides
 * nothing in the data, is not. That the numbers agree then is shown by the fixtures of Keras
 * (cce_mask_flattened). */
#include "test.h"
#include "train/rig.h"

#include "train/evaluate.h"
#include "train/mask.h"

static inarch_error err;

enum { ROWS = 70 }; /* more than are looked at together */

/* Rows of 12 numbers, 3 steps of 4; `zeros` of them at the end of the last row are 0. */
static ia_data *rows_with(size_t zeros)
{
    ia_data *d;
    ia_array x = rig_array(ROWS, 12);
    float *p = ia_array_mutable(&x);
    for (size_t i = 0; i < (size_t)ROWS * 12; i++)
        p[i] = i + zeros < (size_t)ROWS * 12 ? 1 + rig_number(i) / 2 : 0;
    assert_ok(ia_data_new("rows", &d, &err), err);
    assert_ok(ia_data_add_input(d, "x", &x, &err), err);
    ia_array_release(&x);
    return d;
}

static const struct {
    const char *arch;
    size_t zeros;
    bool training;
    const char *layer; /* refused by this name; NULL: goes through */
} cases[] = {
    {"input:3x4,masking(name=m),dense:5:tanh,dense:2", 4, false, "m"},
    {"input:3x4,masking(name=m),dense:5:tanh,dense:2", 4, true, "m"},
    {"input:3x4,masking(name=m),dense:5:tanh,dense:2", 3, true, NULL}, /* no whole step */
    {"input:3x4,masking(name=m),dense:5,flatten,dense:2", 12, true, NULL},
    {"input:3x4,masking(name=m),dense:5,batchnorm,flatten,dense:2", 4, true, "m"},
    {"input:3x4,masking(name=m),dense:5,batchnorm,flatten,dense:2", 4, false, NULL},
    {"input:12,masking(name=m),dropout:0.5,dense:2", 12, true, "m"}, /* a whole row */
    {"input:12,masking(name=m),dense:2", 11, true, NULL},
    {"input:12,masking(name=m,mask_value=7),dense:2", 12, true, NULL},
    {"input:12,rescaling(2),masking(name=m),dense:2", 0, true, "m"}, /* what it sees is not known */
    {"input:12,embedding(3,4,mask_zero=true,name=e),dense:2", 1, true, "e"},
    {"input:12,embedding(3,4,mask_zero=true,name=e),dense:2", 0, true, NULL},
    {"input:12,embedding(3,4,name=e),dense:2", 1, true, NULL},
    {"input:12,embedding(3,4,mask_zero=true,name=e),flatten,dense:2", 1, true, NULL},
};

static void masks_are_followed(void **state)
{
    (void)state;
    for (size_t i = 0; i < IA_COUNT(cases); i++) {
        ia_model *m = rig_model(cases[i].arch);
        ia_data *d = rows_with(cases[i].zeros);
        inarch_status status = ia_mask_check(m, d, cases[i].training, &err);
        if (status != (cases[i].layer ? INARCH_UNSUPPORTED : INARCH_OK))
            fail_msg("%s, %zu zeros: %d", cases[i].arch, cases[i].zeros, (int)status);
        if (cases[i].layer)
            assert_string_equal(err.subject, cases[i].layer);
        ia_data_free(d);
        ia_model_free(m);
    }
}

static void fit_and_evaluate_refuse(void **state)
{
    (void)state;
    ia_model *m = rig_model("input:12,masking(name=m),dense:2");
    ia_data *d = rows_with(12);
    ia_array y = rig_array(ROWS, 2);
    assert_ok(ia_data_add_target(d, "y", &y, &err), err);
    ia_fit_options fit = ia_fit_defaults();
    ia_evaluate_options evaluate = ia_evaluate_defaults();
    ia_history *h = NULL;
    assert_int_equal(ia_fit(m, d, &fit, NULL, &err), INARCH_UNSUPPORTED);
    assert_string_equal(err.message,
                        "layer 'm' masks values that Keras leaves out of the loss, which is not "
                        "done yet");
    assert_int_equal(ia_evaluate(m, d, &evaluate, &h, &err), INARCH_UNSUPPORTED);
    ia_data *train;
    assert_ok(ia_data_slice(d, 0, ROWS - 1, &train, &err), err); /* without the hidden row */
    assert_ok(ia_fit(m, train, &fit, NULL, &err), err);
    fit.validation = d;
    assert_int_equal(ia_fit(m, train, &fit, NULL, &err), INARCH_UNSUPPORTED);
    ia_data_free(train);
    ia_array_release(&y);
    ia_data_free(d);
    ia_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks_are_followed),
        cmocka_unit_test(fit_and_evaluate_refuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
