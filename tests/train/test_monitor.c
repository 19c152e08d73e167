/* Early stopping against Keras' callback (fixtures/train/schedules.json), epoch by epoch. */
#include "test.h"
#include "train/fixture.h"

#include "train/run.h"

#include <math.h>

static void stops_when_keras_stops(void **state)
{
    (void)state;
    inarch_error err;
    json_t *all = fixture_json(FIXTURES "/train/schedules.json"), *c;
    size_t i;
    assert_true(json_array_size(json_object_get(all, "stops")) > 0);
    json_array_foreach(json_object_get(all, "stops"), i, c)
    {
        const json_t *seen = json_object_get(c, "seen");
        ia_run r = {0};
        r.o.early_stopping = 1;
        r.o.baseline = NAN;
        r.o.patience = (size_t)ia_json_int(c, "patience", 0);
        r.o.min_delta = ia_json_double(c, "min_delta", 0);
        r.monitor = (run_monitor){
            .name = "m", .best = NAN, .best_epoch = SIZE_MAX, .up = ia_json_bool(c, "up", false)};
        assert_ok(ia_history_new(&r.history, &err), err);
        assert_ok(ia_history_add_column(r.history, "m", &err), err);
        assert_ok(ia_history_reserve(r.history, 16, &err), err);
        size_t epochs = 0;
        while (!r.stopped && epochs < json_array_size(seen)) {
            const json_t *v = json_array_get(seen, epochs++);
            *ia_history_add(r.history, epochs) = json_is_null(v) ? NAN : json_number_value(v);
            monitor_epoch(&r, epochs);
        }
        assert_int_equal(epochs, ia_json_int(c, "epochs", 0));
        assert_int_equal(r.stopped, ia_json_bool(c, "stopped", false));
        assert_int_equal(r.monitor.best_epoch, ia_json_int(c, "best_epoch", 0));
        assert_int_equal(r.history->stopped_early, r.stopped);
        ia_history_free(r.history);
    }
    json_decref(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stops_when_keras_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
