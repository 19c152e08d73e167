/* A Normalization inside a nested model: its mean and variance go into the configuration.
 *
 * As weights they would be loaded but not used by Keras 3.15, which works them out anew only for
 * layers at the top. Given in the configuration, both generations use them, and we make variables
 * of them again. Only the count of rows they were taken from is lost. */
#include "formats/keras/keras.h"

#include <string.h>

bool ia_keras_is_configured(const ia_layer *l)
{
    return strcmp(l->cls->name, "Normalization") == 0 && ia_layer_variable(l, "mean") &&
           ia_layer_variable(l, "variance");
}

/* The row's shape with 1 where one statistic serves all; Keras counts the batch as axis 0. */
static ia_shape statistics_shape(const ia_shape *row, const json_t *axis)
{
    ia_shape kept = *row;
    for (int i = 0; i < kept.rank; i++)
        kept.dim[i] = 1;
    size_t n = json_is_array(axis) ? json_array_size(axis) : json_is_integer(axis);
    for (size_t i = 0; i < n; i++) {
        json_int_t at = json_integer_value(json_is_array(axis) ? json_array_get(axis, i) : axis);
        at = at < 0 ? at + row->rank : at - 1;
        if (at >= 0 && at < row->rank)
            kept.dim[at] = row->dim[at];
    }
    return kept;
}

/* Nested lists of that shape from dimension `at` on. */
static inarch_status statistics_list(const ia_shape *shape, int at, const float **next,
                                     json_t **out, inarch_error *err)
{
    if (at == shape->rank) {
        *out = ia_json_from_double((double)*(*next)++);
        return *out ? INARCH_OK : ia_fail_memory(err, "JSON", sizeof **out);
    }
    json_t *list = json_array(), *item;
    inarch_status status = list ? INARCH_OK : ia_fail_memory(err, "JSON", sizeof *list);
    for (int64_t i = 0; i < shape->dim[at] && status == INARCH_OK; i++) {
        status = statistics_list(shape, at + 1, next, &item, err);
        if (status == INARCH_OK)
            status = ia_keras_push(list, item, err);
    }
    if (status != INARCH_OK) {
        json_decref(list);
        return status;
    }
    *out = list;
    return INARCH_OK;
}

inarch_status ia_keras_write_statistics(const ia_model *m, const ia_layer *l, json_t *config,
                                        inarch_error *err)
{
    static const char *const names[] = {"mean", "variance"};
    size_t call = ia_model_call_of(m, l);
    ia_shape row = {0};
    if (call != SIZE_MAX && m->calls[call].in_count == 1) {
        ia_ref in = m->calls[call].in[0];
        row = m->calls[in.call].out[in.output];
    }
    ia_shape kept = ia_layer_variable(l, "mean")->value.shape;
    if (row.rank > 0) /* else it is above an opaque layer */
        kept = statistics_shape(&row, json_object_get(config, "axis"));
    for (size_t i = 0; i < IA_COUNT(names); i++) {
        const ia_variable *v = ia_layer_variable(l, names[i]);
        const float *next = ia_array_data(&v->value);
        json_t *list;
        size_t n;
        if (!v->value.buffer || !ia_shape_count(&kept, &n) || n != ia_array_count(&v->value))
            return ia_layer_fail(l, INARCH_BAD_ARGUMENT, err, "",
                                 "(%s) has a %s that does not fit its input", l->class_name,
                                 names[i]);
        IA_TRY(statistics_list(&kept, 0, &next, &list, err));
        IA_TRY(ia_keras_set(config, names[i], list, err));
    }
    return INARCH_OK;
}
