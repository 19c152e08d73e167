/* Schedules: rates against Keras (fixtures/train/schedules.json), text, JSON, what the run decides.
 */
#include "test.h"
#include "train/fixture.h"

#include "train/schedule.h"

#include <math.h>

static double rate_at(const ia_schedule *s, double base, uint64_t step)
{
    ia_schedule_at at = {.base = base, .step = step, .epoch_steps = 4, .run_steps = 40};
    at.epoch = step / at.epoch_steps;
    return ia_schedule_rate(s, &at);
}

static void rates_are_keras(void **state)
{
    (void)state;
    inarch_error err;
    json_t *all = fixture_json(FIXTURES "/train/schedules.json"), *c;
    size_t i;
    json_array_foreach(json_object_get(all, "schedules"), i, c)
    {
        const json_t *rates = json_object_get(c, "rates");
        double base = ia_json_double(c, "base", 0);
        ia_schedule s, file;
        assert_ok(ia_schedule_from_text(ia_json_string(c, "text", ""), &s, &err), err);
        assert_ok(ia_schedule_from_json(json_object_get(c, "keras"), &file, &err), err);
        for (size_t k = 0; k < json_array_size(rates); k++) {
            double keras = json_number_value(json_array_get(rates, k));
            assert_near(rate_at(&s, base, k), keras, 1e-6);
            assert_near(rate_at(&file, 99, k), keras, 1e-6);
        }
    }
    json_decref(all);
}

static void written_json_reads_the_same(void **state)
{
    (void)state;
    inarch_error err;
    json_t *all = fixture_json(FIXTURES "/train/schedules.json"), *c;
    size_t i;
    json_array_foreach(json_object_get(all, "schedules"), i, c)
    {
        ia_schedule_at at = {
            .base = ia_json_double(c, "base", 0), .epoch_steps = 4, .run_steps = 40};
        const json_t *keras = json_object_get(json_object_get(c, "keras"), "config");
        const char *key;
        json_t *own, *value;
        ia_schedule s;
        assert_ok(ia_schedule_from_text(ia_json_string(c, "text", ""), &s, &err), err);
        assert_ok(ia_schedule_to_json(&s, &at, &own, &err), err);
        json_object_foreach(json_object_get(own, "config"), key, value)
        {
            const json_t *k = json_object_get(keras, key);
            if (json_is_number(k))
                assert_near(json_number_value(value), json_number_value(k), 1e-12);
            else if (!json_equal(value, k))
                fail_msg("%s of %s", key, ia_json_string(c, "text", ""));
        }
        json_decref(own);
    }
    json_decref(all);
}

static void plateaus_are_keras(void **state)
{
    (void)state;
    inarch_error err;
    json_t *all = fixture_json(FIXTURES "/train/schedules.json"), *c;
    size_t i;
    json_array_foreach(json_object_get(all, "plateaus"), i, c)
    {
        const json_t *seen = json_object_get(c, "seen"), *rates = json_object_get(c, "rates");
        ia_plateau p = {.rate = ia_json_double(c, "base", 0), .best = NAN};
        ia_schedule s;
        assert_ok(ia_schedule_from_text(ia_json_string(c, "text", ""), &s, &err), err);
        assert_true(ia_schedule_is_plateau(&s));
        for (size_t k = 0; k < json_array_size(seen); k++) {
            ia_plateau_epoch(&s, &p, json_number_value(json_array_get(seen, k)),
                             ia_json_bool(c, "up", false));
            assert_near(p.rate, json_number_value(json_array_get(rates, k)), 1e-6);
        }
    }
    json_decref(all);
}

/* What is not given follows from the run: 40 steps, 4 an epoch. */
static void the_run_fills_gaps(void **state)
{
    (void)state;
    inarch_error err;
    ia_schedule s;
    assert_ok(ia_schedule_from_text("cosine(warmup=10)", &s, &err), err);
    assert_near(rate_at(&s, 0.2, 0), 0, 0);
    assert_near(rate_at(&s, 0.2, 5), 0.1, 1e-15);
    assert_near(rate_at(&s, 0.2, 10), 0.2, 1e-15);
    assert_near(rate_at(&s, 0.2, 25), 0.1, 1e-15); /* half of the 30 steps left */
    assert_near(rate_at(&s, 0.2, 40), 0, 1e-15);
    assert_near(rate_at(&s, 0.2, 400), 0, 1e-15);
    assert_ok(ia_schedule_from_text("exponential(0.5)", &s, &err), err);
    assert_near(rate_at(&s, 0.2, 4), 0.1, 1e-15);
    assert_near(rate_at(&s, 0.2, 2), 0.2 * sqrt(0.5), 1e-15);
    assert_ok(ia_schedule_from_text("step(every=2,factor=0.1)", &s, &err), err);
    assert_near(rate_at(&s, 1, 7), 1, 0);
    assert_near(rate_at(&s, 1, 8), 0.1, 1e-15);
    assert_near(rate_at(&s, 1, 16), 0.01, 1e-15);
    assert_ok(ia_schedule_from_text("constant", &s, &err), err);
    assert_near(rate_at(&s, 0.3, 17), 0.3, 0);
    assert_near(rate_at(&(ia_schedule){.base = NAN}, 0.3, 17), 0.3, 0);
}

static void text_goes_round(void **state)
{
    (void)state;
    static const char *const row[][2] = {
        {"cosine(100)", "cosine(warmup=100)"},
        {"cosine(warmup_steps=100,alpha=0.1)", "cosine(warmup=100,alpha=0.1)"},
        {"ExponentialDecay(gamma=0.5)", "exponential(decay_rate=0.5)"},
        {"piecewise(boundaries=100|200,values=1e-3|1e-4|1e-5)",
         "piecewise(boundaries=100|200,values=0.001|0.0001|1e-05)"},
        {"step", "step"},
    };
    inarch_error err;
    for (size_t i = 0; i < IA_COUNT(row); i++) {
        ia_schedule s;
        char text[256];
        assert_ok(ia_schedule_from_text(row[i][0], &s, &err), err);
        ia_schedule_to_text(&s, text, sizeof text);
        assert_string_equal(text, row[i][1]);
        assert_ok(ia_schedule_from_text(text, &s, &err), err);
    }
    ia_schedule s;
    assert_ok(ia_schedule_from_text("plateau(patience=3,monitor=val_auc,factor=0.2)", &s, &err),
              err);
    assert_string_equal(s.monitor, "val_auc");
    assert_true(s.patience == 3 && s.factor == 0.2);
}

static void errors_say_what_to_do(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"cosin", "unknown learning-rate schedule 'cosin'"},
        {"cosine(warmup=-1)", "warmup of cosine cannot be -1"},
        {"cosine(warmup=1.5)", "warmup of cosine cannot be 1.5"},
        {"plateau(factor=1)", "factor of plateau cannot be 1"},
        {"step(every=0)", "every of step cannot be 0"},
        {"piecewise", "the boundaries and values of piecewise do not fit"},
        {"piecewise(boundaries=2|1,values=1|2|3)",
         "the boundaries and values of piecewise do not fit"},
        {"piecewise(boundaries=1|2,values=1|2)",
         "the boundaries and values of piecewise do not fit"},
        {"piecewise(boundaries=1|x,values=1|2|3)",
         "the boundaries and values of piecewise do not fit"},
        {"exponential(decay=1)", "exponential has no setting 'decay'"},
    };
    inarch_error err;
    for (size_t i = 0; i < IA_COUNT(bad); i++) {
        ia_schedule s;
        assert_int_equal(ia_schedule_from_text(bad[i].text, &s, &err), INARCH_BAD_ARGUMENT);
        assert_string_equal(err.message, bad[i].message);
        assert_true(err.hint[0] != '\0');
    }
    json_t *v = json_pack("{s:s, s:{}}", "class_name", "PolynomialDecay", "config");
    ia_schedule s;
    assert_int_equal(ia_schedule_from_json(v, &s, &err), INARCH_UNSUPPORTED);
    assert_string_equal(err.message, "unknown learning-rate schedule 'PolynomialDecay'");
    json_decref(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_are_keras),    cmocka_unit_test(written_json_reads_the_same),
        cmocka_unit_test(plateaus_are_keras), cmocka_unit_test(the_run_fills_gaps),
        cmocka_unit_test(text_goes_round),    cmocka_unit_test(errors_say_what_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
