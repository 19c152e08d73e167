/* Buffers and arrays: who owns, who may write, what memory they take. */
#include "test.h"
#include "tensor/array.h"

#include <pthread.h>

#include "base/failing_alloc.h"

static void counts_references(void **state)
{
    (void)state;
    inarch_error err;
    ia_buffer *b;
    assert_ok(ia_buffer_new(100, "a buffer", &b, &err), err);
    assert_int_equal(ia_buffer_bytes(b), 100);
    assert_int_equal((uintptr_t)ia_buffer_data(b) % 64, 0);
    const uint8_t *data = ia_buffer_data(b);
    for (int i = 0; i < 128; i++) /* padded to a multiple of 64 */
        assert_int_equal(data[i], 0);
    assert_false(ia_buffer_shared(b));
    assert_ptr_equal(ia_buffer_mutable(b), data);
    assert_ptr_equal(ia_buffer_ref(b), b);
    assert_true(ia_buffer_shared(b));
    ia_buffer_unref(b);
    assert_false(ia_buffer_shared(b));
    ia_buffer_unref(b);
    assert_null(ia_buffer_ref(NULL));
    ia_buffer_unref(NULL);
    assert_ok(ia_buffer_new(0, "nothing", &b, &err), err);
    assert_int_equal(ia_buffer_bytes(b), 0);
    ia_buffer_unref(b);
}

static void *ref_and_unref(void *argument)
{
    for (int i = 0; i < 20000; i++) {
        ia_buffer *mine = ia_buffer_ref(argument);
        if (!ia_buffer_shared(mine))
            return NULL;
        ia_buffer_unref(mine);
    }
    ia_buffer_unref(argument);
    return argument;
}

static void counts_from_many_threads(void **state)
{
    (void)state;
    inarch_error err;
    ia_buffer *b;
    pthread_t thread[4];
    assert_ok(ia_buffer_new(64, "a buffer", &b, &err), err);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, ref_and_unref, ia_buffer_ref(b)), 0);
    for (int i = 0; i < 4; i++) {
        void *result;
        pthread_join(thread[i], &result);
        assert_non_null(result);
    }
    assert_false(ia_buffer_shared(b));
    ia_buffer_unref(b); /* ASan reports a leak or a second free */
}

static void makes_arrays(void **state)
{
    (void)state;
    inarch_error err;
    ia_array a, b;
    ia_shape s = ia_shape_of(2, (const int64_t[]){3, 5});
    assert_ok(ia_array_new(IA_I16, &s, "labels", &a, &err), err);
    assert_int_equal(ia_array_count(&a), 15);
    assert_int_equal(ia_buffer_bytes(a.buffer), 30);
    int16_t *v = ia_array_mutable(&a);
    v[14] = 7;
    b = ia_array_ref(&a);
    assert_ptr_equal(ia_array_data(&b), v);
    assert_true(ia_buffer_shared(a.buffer));
    ia_array_release(&a);
    assert_null(a.buffer);
    assert_int_equal(ia_array_count(&a), 0);
    assert_null(ia_array_data(&a));
    assert_null(ia_array_mutable(&a));
    assert_int_equal(((const int16_t *)ia_array_data(&b))[14], 7);
    ia_array_release(&b);
    ia_array_release(&b);
    ia_array empty = {0}, same;
    same = ia_array_ref(&empty);
    assert_null(same.buffer);
    s = ia_shape_of(2, (const int64_t[]){0, 5});
    assert_ok(ia_array_new(IA_F32, &s, "nothing", &a, &err), err);
    assert_int_equal(ia_array_count(&a), 0);
    assert_non_null(a.buffer);
    ia_array_release(&a);
    s = ia_shape_of(0, NULL);
    assert_ok(ia_array_new(IA_F64, &s, "a scalar", &a, &err), err);
    assert_int_equal(ia_array_count(&a), 1);
    ia_array_release(&a);
}

static void refuses_impossible_shapes(void **state)
{
    (void)state;
    static const int64_t dims[][2] = {
        {INT64_MAX, 2}, {INT64_MAX, INT64_MAX}, {-1, 4}, {(int64_t)1 << 62, 3}};
    for (size_t i = 0; i < IA_COUNT(dims); i++) {
        inarch_error err;
        ia_array a = {.dtype = IA_U8};
        ia_shape s = ia_shape_of(2, dims[i]);
        assert_int_equal(ia_array_new(IA_F64, &s, "weight 'w'", &a, &err), INARCH_LIMIT);
        assert_null(a.buffer);
        char message[200], text[64];
        snprintf(message, sizeof message, "weight 'w' of shape %s cannot be held in memory",
                 ia_shape_text(&s, text, sizeof text));
        assert_string_equal(err.message, message);
    }
    inarch_error err;
    ia_array a;
    ia_shape huge = ia_shape_1(INT64_MAX / 8);
    assert_int_equal(ia_array_new(IA_F64, &huge, "weight 'w'", &a, &err), INARCH_NO_MEMORY);
    ia_buffer *b;
    assert_int_equal(ia_buffer_new(SIZE_MAX, "x", &b, &err), INARCH_NO_MEMORY);
    assert_int_equal(ia_buffer_new(SIZE_MAX - 64, "x", &b, &err), INARCH_NO_MEMORY);
}

static void converts_to_float32(void **state)
{
    (void)state;
    inarch_error err;
    ia_array a, f, again;
    ia_shape s = ia_shape_of(2, (const int64_t[]){2, 2});
    assert_ok(ia_array_new(IA_F64, &s, "doubles", &a, &err), err);
    const double v[4] = {0.1, -2, 1e300, 1e-46};
    memcpy(ia_array_mutable(&a), v, sizeof v);
    assert_ok(ia_array_to_f32(&a, &f, &err), err);
    assert_int_equal(f.dtype, IA_F32);
    assert_true(ia_shape_equal(&f.shape, &s));
    const float *got = ia_array_data(&f);
    assert_true(got[0] == 0.1f && got[1] == -2 && got[2] > 3.4e38f && got[3] == 0);
    assert_ok(ia_array_to_f32(&f, &again, &err), err);
    assert_ptr_equal(again.buffer, f.buffer); /* a reference, no copy */
    assert_true(ia_buffer_shared(f.buffer));
    ia_array_release(&again);
    ia_array_release(&f);
    memset(&f, 0x55, sizeof f);
    ia_array untouched = f;
    alloc_countdown = 0;
    assert_int_equal(ia_array_to_f32(&a, &f, &err), INARCH_NO_MEMORY);
    assert_memory_equal(&f, &untouched, sizeof f);
    ia_array_release(&a);
    assert_ok(ia_array_to_f32(&a, &f, &err), err); /* without a buffer */
    assert_null(f.buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_references),   cmocka_unit_test(counts_from_many_threads),
        cmocka_unit_test(makes_arrays),        cmocka_unit_test(refuses_impossible_shapes),
        cmocka_unit_test(converts_to_float32),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
