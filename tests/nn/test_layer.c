/* Layers as objects: making, cloning, variables, initial values, the registry, and memory running
 * out. */
#include "test.h"

#include "base/alloc.h"
#include "nn/layer.h"

static long allocations_left = -1; /* -1: no limit */

int ia_alloc_hook(size_t bytes);
int ia_alloc_hook(size_t bytes)
{
    (void)bytes;
    if (allocations_left < 0)
        return 0;
    return allocations_left-- == 0;
}

static ia_layer *dense(void)
{
    inarch_error err;
    ia_layer *l;
    ia_shape in = ia_shape_1(3);
    const ia_layer_class *cls = ia_layer_class_find("Dense");
    assert_ok(ia_layer_new(cls, "dense_1", &l, &err), err);
    const ia_field *units = ia_field_find(cls->fields, cls->field_count, "units");
    assert_ok(ia_field_set_text(units, l->config, "2", "dense_1", &err), err);
    assert_ok(cls->build(l, &in, 1, &err), err);
    l->built = true;
    return l;
}

static void test_registry(void **state)
{
    (void)state;
    static const char *const names[][2] = {{"InputLayer", "input"},
                                           {"Input", "InputLayer"},
                                           {"Dense", "dense"},
                                           {"BatchNormalization", "batchnorm"},
                                           {"BatchNormalizationV1", "BatchNormalization"},
                                           {"Concatenate", "concat"},
                                           {"LeakyReLU", "leakyrelu"},
                                           {"Add", "add"}};
    for (size_t i = 0; i < IA_COUNT(names); i++) {
        assert_non_null(ia_layer_class_find(names[i][0]));
        assert_ptr_equal(ia_layer_class_find(names[i][0]), ia_layer_class_find(names[i][1]));
    }
    assert_null(ia_layer_class_find("LSTM"));
    assert_null(ia_layer_class_find(""));
    for (size_t i = 0; i < ia_layer_class_count(); i++) {
        const ia_layer_class *c = ia_layer_class_at(i);
        assert_ptr_equal(ia_layer_class_find(c->name), c); /* no name is taken twice */
        assert_ptr_equal(ia_layer_class_find(c->spec), c);
        assert_non_null(c->help);
        assert_non_null(c->forward);
        assert_true(c->backward || (c->flags & IA_LAYER_INPUT));
        assert_true(c->min_inputs <= c->max_inputs);
    }
}

static void test_new(void **state)
{
    (void)state;
    ia_layer *l = dense();
    assert_string_equal(l->name, "dense_1");
    assert_string_equal(l->class_name, "Dense");
    assert_true(l->trainable);
    assert_near(l->learning_rate, 1, 0);
    assert_int_equal(l->generation, 3);
    assert_int_equal(l->variable_count, 2);
    assert_int_equal(ia_variable_count(&l->variables[0]), 6);
    assert_null(l->variables[0].value.buffer);
    assert_ptr_equal(ia_layer_variable(l, "bias"), &l->variables[1]);
    assert_null(ia_layer_variable(l, "nothing"));
    ia_layer_free(l);
    ia_layer_free(NULL);
    inarch_error err;
    assert_ok(ia_layer_new(&ia_layer_opaque, "lstm", &l, &err), err);
    assert_null(l->config);
    ia_layer_free(l);
}

static void test_initialize(void **state)
{
    (void)state;
    inarch_error err;
    ia_layer *a = dense(), *b = dense();
    uint64_t index = 0;
    assert_ok(ia_layer_initialize(a, 5, &index, &err), err);
    assert_int_equal(index, 2);
    const void *kernel = ia_array_data(&a->variables[0].value);
    index = 0;
    assert_ok(ia_layer_initialize(b, 5, &index, &err), err);
    assert_memory_equal(kernel, ia_array_data(&b->variables[0].value), 6 * sizeof(float));
    index = 0;
    assert_ok(ia_layer_initialize(a, 6, &index, &err), err); /* has values: keeps them */
    assert_ptr_equal(kernel, ia_array_data(&a->variables[0].value));
    ia_layer *c = dense();
    index = 7; /* another place in the model */
    assert_ok(ia_layer_initialize(c, 5, &index, &err), err);
    assert_memory_not_equal(kernel, ia_array_data(&c->variables[0].value), 6 * sizeof(float));
    ia_layer_free(a);
    ia_layer_free(b);
    ia_layer_free(c);
}

static void test_set(void **state)
{
    (void)state;
    inarch_error err;
    ia_layer *l = dense();
    ia_array right, wrong, twice;
    ia_shape shape = l->variables[0].value.shape, other = ia_shape_1(6);
    assert_ok(ia_array_new(IA_F32, &shape, "x", &right, &err), err);
    assert_ok(ia_array_new(IA_F32, &other, "x", &wrong, &err), err);
    assert_ok(ia_array_new(IA_F64, &shape, "x", &twice, &err), err);
    assert_ok(ia_variable_set(&l->variables[0], &right, "dense_1", &err), err);
    assert_ptr_equal(l->variables[0].value.buffer, right.buffer);
    assert_true(ia_buffer_shared(right.buffer));
    assert_ok(ia_variable_set(&l->variables[0], &l->variables[0].value, "dense_1", &err), err);
    assert_int_equal(ia_variable_set(&l->variables[0], &wrong, "dense_1", &err), INARCH_BAD_DATA);
    assert_string_equal(err.message, "'dense_1': kernel has shape (3, 2), but got float32 (6,)");
    assert_int_equal(ia_variable_set(&l->variables[0], &twice, "dense_1", &err), INARCH_BAD_DATA);
    assert_ptr_equal(l->variables[0].value.buffer, right.buffer);
    ia_array_release(&right);
    ia_array_release(&wrong);
    ia_array_release(&twice);
    ia_layer_free(l);
}

static void test_clone(void **state)
{
    (void)state;
    inarch_error err;
    ia_layer *l = dense(), *copy;
    uint64_t index = 0;
    assert_ok(ia_layer_initialize(l, 1, &index, &err), err);
    l->trainable = false;
    l->learning_rate = 0.5f;
    l->generation = 2;
    l->source = json_pack("{s:s}", "planted", "key");
    l->variables[0].loaded = ia_array_ref(&l->variables[0].value);
    l->variables[0].slots.slot[1] = ia_array_ref(&l->variables[0].value);
    l->variables[0].slots.step = 9;
    assert_ok(ia_layer_clone(l, &copy, &err), err);
    assert_string_equal(copy->name, "dense_1");
    assert_ptr_not_equal(copy->name, l->name);
    assert_ptr_not_equal(copy->config, l->config);
    assert_memory_equal(copy->config, l->config, l->cls->config_size);
    assert_false(copy->trainable);
    assert_true(copy->built);
    assert_near(copy->learning_rate, 0.5, 0);
    assert_int_equal(copy->generation, 2);
    assert_ptr_equal(copy->variables[0].value.buffer, l->variables[0].value.buffer);
    assert_ptr_equal(copy->variables[0].slots.slot[1].buffer, l->variables[0].value.buffer);
    assert_int_equal(copy->variables[0].slots.step, 9);
    json_object_set_new(l->source, "planted", json_integer(1)); /* the copy has its own */
    assert_string_equal(json_string_value(json_object_get(copy->source, "planted")), "key");
    ia_layer_free(l);
    assert_int_equal(ia_array_count(&copy->variables[0].value), 6); /* outlives the first */
    ia_slots_clear(&copy->variables[0].slots);
    assert_int_equal(copy->variables[0].slots.step, 0);
    assert_null(copy->variables[0].slots.slot[1].buffer);
    ia_layer_free(copy);
}

/* Every allocation fails once; nothing leaks and the error says so. */
static void test_memory(void **state)
{
    (void)state;
    inarch_error err = {0};
    ia_shape in = ia_shape_1(4);
    const ia_layer_class *cls = ia_layer_class_find("BatchNormalization");
    inarch_status status = INARCH_NO_MEMORY;
    for (long n = 0; status != INARCH_OK; n++) {
        ia_layer *l = NULL, *copy = NULL;
        uint64_t index = 0;
        assert_true(n < 100);
        allocations_left = n;
        status = ia_layer_new(cls, "bn", &l, &err);
        if (status == INARCH_OK)
            status = cls->build(l, &in, 1, &err);
        if (status == INARCH_OK)
            status = ia_layer_initialize(l, 0, &index, &err);
        if (status == INARCH_OK)
            status = ia_layer_clone(l, &copy, &err);
        allocations_left = -1;
        if (status != INARCH_OK) {
            assert_int_equal(status, INARCH_NO_MEMORY);
            assert_non_null(strstr(err.message, "not enough memory for"));
        }
        ia_layer_free(l);
        ia_layer_free(copy);
    }
}

static void test_fail(void **state)
{
    (void)state;
    inarch_error err;
    ia_layer *l = dense();
    assert_int_equal(ia_layer_fail(l, INARCH_BAD_DATA, &err, "do this", "needs %d", 3),
                     INARCH_BAD_DATA);
    assert_string_equal(err.message, "layer 'dense_1' needs 3");
    assert_string_equal(err.subject, "dense_1");
    assert_string_equal(err.hint, "do this");
    ia_layer_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_registry),   cmocka_unit_test(test_new),
        cmocka_unit_test(test_initialize), cmocka_unit_test(test_set),
        cmocka_unit_test(test_clone),      cmocka_unit_test(test_memory),
        cmocka_unit_test(test_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
