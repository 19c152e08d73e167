/* Every .h5 of ../shared/corpus and ../shared/golden/synthetic: what is computed agrees with the
 * framework's answer, what is not is refused by the name of a layer. None is wrong. */
#include "test.h"

#include "golden.h"

#include "formats/format.h"
#include "plan/plan.h"

#define TOLERANCE 1e-5 /* relative to max(1, the largest output) */
#define COMPUTED_CORPUS 105
#define COMPUTED_SYNTHETIC 16

typedef struct tally {
    int computed, refused, wrong;
} tally;

static void feed(const npz *z, ia_program *p, size_t rows)
{
    for (size_t i = 0; i < ia_program_input_count(p); i++) {
        char name[16];
        ia_array x;
        snprintf(name, sizeof name, "x%zu", i);
        assert_true(npz_get(z, name, &x));
        assert_int_equal(ia_array_count(&x), rows * ia_program_input(p, i)->size);
        memcpy(ia_program_input(p, i)->data, ia_array_data(&x), ia_array_count(&x) * 4);
        ia_array_release(&x);
    }
}

static double compare(const npz *z, ia_program *p, size_t rows)
{
    double worst = 0;
    for (size_t i = 0; i < ia_program_output_count(p); i++) {
        char name[16];
        ia_array y;
        snprintf(name, sizeof name, "y%zu", i);
        assert_true(npz_get(z, name, &y));
        assert_int_equal(ia_array_count(&y), rows * ia_program_output(p, i)->size);
        double d = worst_difference(ia_program_output(p, i)->data, ia_array_data(&y),
                                    ia_array_count(&y));
        worst = d > worst ? d : worst;
        ia_array_release(&y);
    }
    return worst;
}

static void check_file(const char *model, const char *answers, tally *t)
{
    inarch_error err;
    npz z;
    ia_model *m;
    ia_program *p = NULL;
    ia_array x;
    if (!npz_open(&z, answers))
        return;
    if (!npz_get(&z, "x0", &x)) { /* weights only, or an input too large to store */
        npz_close(&z);
        return;
    }
    inarch_status status = ia_model_read(model, NULL, &m, &err);
    if (status != INARCH_OK)
        fail_msg("%s: %s (%s)", model, err.message, err.hint);
    size_t rows = (size_t)x.shape.dim[0];
    ia_array_release(&x);
    ia_program_options o = {.mode = IA_RUN_PREDICT, .rows = rows};
    status = ia_program_new(m, &o, &p, &err);
    if (status == INARCH_UNSUPPORTED) {
        assert_non_null(strstr(err.message, "layer '"));
        t->refused++;
    } else if (status != INARCH_OK) {
        fail_msg("%s: %s", model, err.message);
    } else {
        feed(&z, p, rows);
        ia_program_forward(p, rows, 0);
        double worst = compare(&z, p, rows);
        t->computed++;
        if (!(worst <= TOLERANCE)) {
            print_message("%s is wrong by %g\n", model, worst);
            t->wrong++;
        }
    }
    ia_program_free(p);
    ia_model_free(m);
    npz_close(&z);
}

static int is_h5(const char *path)
{
    return ends_in(path, ".h5") || ends_in(path, ".hdf5");
}

static void test_corpus(void **state)
{
    (void)state;
    json_t *root = golden_json(), *entry;
    const char *path;
    tally t = {0};
    json_object_foreach(json_object_get(root, "files"), path, entry) {
        char model[1024], answers[1024];
        snprintf(model, sizeof model, SHARED_DIR "/corpus/%s", path);
        snprintf(answers, sizeof answers, GOLDEN "/%s.npz", path);
        if (is_h5(path) && json_object_get(entry, "outputs"))
            check_file(model, answers, &t);
    }
    json_decref(root);
    print_message("%d right, %d refused, %d wrong\n", t.computed - t.wrong, t.refused, t.wrong);
    assert_int_equal(t.wrong, 0);
    assert_true(t.computed >= COMPUTED_CORPUS);
}

static void test_synthetic(void **state)
{
    (void)state;
    json_t *root = golden_json(), *entry;
    const char *path;
    tally t = {0};
    json_object_foreach(json_object_get(root, "synthetic"), path, entry) {
        char model[1024], answers[1024];
        size_t stem = strlen(path) - 3;
        if (!is_h5(path))
            continue;
        snprintf(model, sizeof model, GOLDEN "/%s", path);
        snprintf(answers, sizeof answers, GOLDEN "/%.*s_h5.predict.npz", (int)stem,
                 path);
        check_file(model, answers, &t);
    }
    json_decref(root);
    print_message("%d right, %d refused, %d wrong\n", t.computed - t.wrong, t.refused, t.wrong);
    assert_int_equal(t.wrong, 0);
    assert_true(t.computed >= COMPUTED_SYNTHETIC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_corpus),
        cmocka_unit_test(test_synthetic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
