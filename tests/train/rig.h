/* Small models and data for the tests of the training room. */
#ifndef INARCH_TEST_TRAIN_RIG_H
#define INARCH_TEST_TRAIN_RIG_H

#include "base/alloc.h"
#include "data/data.h"
#include "nn/spec.h"
#include "train/loop.h"

#include <math.h>

IA_UNUSED static ia_model *rig_model(const char *arch)
{
    inarch_error err;
    ia_model *m;
    assert_ok(ia_spec_model(arch, 1, &m, &err), err);
    return m;
}

/* Numbers without a pattern that a test could lean on, in [-1, 1). */
IA_UNUSED static float rig_number(uint64_t i)
{
    uint32_t word[4];
    ia_philox((ia_random_key){{5, 7}}, i, 0, word);
    return (float)((double)word[0] / 2147483648.0 - 1);
}

IA_UNUSED static ia_array rig_array(size_t rows, size_t cols)
{
    inarch_error err;
    ia_array a;
    ia_shape shape = {2, {(int64_t)rows, (int64_t)cols}};
    assert_ok(ia_array_new(IA_F32, &shape, "test", &a, &err), err);
    return a;
}

typedef enum rig_task {
    RIG_BINARY,  /* one column: 1 where the row's sum is above 0 */
    RIG_CLASSES, /* class indices 0, 1, 2 by the sum */
    RIG_ONE_HOT, /* the same, one number per class */
    RIG_NUMBERS  /* two columns of numbers */
} rig_task;

IA_UNUSED static ia_data *rig_data(size_t rows, size_t cols, rig_task task)
{
    inarch_error err;
    ia_data *d;
    size_t width = task == RIG_ONE_HOT ? 3 : task == RIG_NUMBERS ? 2 : 1;
    ia_array x = rig_array(rows, cols), y = rig_array(rows, width);
    float *px = ia_array_mutable(&x), *py = ia_array_mutable(&y);
    for (size_t r = 0; r < rows; r++) {
        float sum = 0;
        for (size_t c = 0; c < cols; c++)
            sum += px[r * cols + c] = rig_number(r * cols + c);
        size_t k = sum < -0.5f ? 0 : sum < 0.5f ? 1 : 2;
        if (task == RIG_BINARY)
            py[r] = sum > 0;
        else if (task == RIG_CLASSES)
            py[r] = (float)k;
        else if (task == RIG_ONE_HOT)
            py[r * 3 + k] = 1;
        else
            py[2 * r] = sum, py[2 * r + 1] = sum * sum;
    }
    assert_ok(ia_data_new("rows", &d, &err), err);
    assert_ok(ia_data_add_input(d, "x", &x, &err), err);
    assert_ok(ia_data_add_target(d, "y", &y, &err), err);
    ia_array_release(&x);
    ia_array_release(&y);
    return d;
}

/* FNV-1a over every variable and slot of the model: equal means equal to the bit. */
typedef struct rig_hash_state {
    uint64_t hash;
    bool slots;
} rig_hash_state;

static void rig_mix(uint64_t *hash, const void *data, size_t n)
{
    for (size_t i = 0; i < n; i++)
        *hash = (*hash ^ ((const uint8_t *)data)[i]) * 1099511628211u;
}

static inarch_status rig_hash_layer(void *context, const ia_model *m, ia_layer *l, const char *path,
                                    bool trainable, inarch_error *err)
{
    rig_hash_state *s = context;
    (void)m, (void)path, (void)trainable, (void)err;
    for (size_t i = 0; i < l->variable_count; i++) {
        const ia_variable *v = &l->variables[i];
        rig_mix(&s->hash, ia_array_data(&v->value), ia_array_count(&v->value) * sizeof(float));
        for (size_t k = 0; s->slots && k < IA_SLOT_MAX && v->slots.slot[k].buffer; k++)
            rig_mix(&s->hash, ia_array_data(&v->slots.slot[k]),
                    ia_array_count(&v->slots.slot[k]) * sizeof(float));
        if (s->slots)
            rig_mix(&s->hash, &v->slots.step, sizeof v->slots.step);
    }
    return INARCH_OK;
}

IA_UNUSED static uint64_t rig_hash(const ia_model *m, bool slots)
{
    rig_hash_state s = {1469598103934665603u, slots};
    inarch_error err;
    assert_ok(ia_model_walk(m, rig_hash_layer, &s, &err), err);
    return s.hash;
}

#endif
