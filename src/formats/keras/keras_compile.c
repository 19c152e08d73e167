/* How a model was compiled: training_config of any generation to ia_compile and back.
 *
 * Losses and metrics get Keras' long names on the way in, because Keras 3.15 cannot load its own
 * file with 'mse' as the loss. Settings that only one generation knows and that say nothing (null)
 * are left out on the way back; the file's own text is kept in ia_compile.source. */
#include "formats/keras/keras.h"

#include "formats/keras/keras_names.h"
#include "nn/loss.h"

#include <string.h>

/* ---- losses ---- */

/* Keras 3's and tf_keras' {"class_name": "function", "config": "mean_squared_error"}. */
static const json_t *compile_unwrap(const json_t *value)
{
    if (strcmp(ia_json_string(value, "class_name", ""), "function") == 0 &&
        json_is_string(json_object_get(value, "config")))
        return json_object_get(value, "config");
    return value;
}

/* One loss: by its long name, or with its settings as both generations read them. A loss of one's
 * own stays as it is. */
static inarch_status compile_one_loss(const json_t *value, json_t **out, inarch_error *err)
{
    ia_loss loss;
    inarch_error why = {0};
    value = compile_unwrap(value);
    inarch_status status = ia_loss_from_json(value, &loss, &why);
    if (status == INARCH_OK)
        return ia_loss_to_json(&loss, out, err);
    if (status == INARCH_NO_MEMORY) {
        if (err)
            *err = why;
        return status;
    }
    *out = json_incref((json_t *)(uintptr_t)value);
    return INARCH_OK;
}

/* Metrics without a function: both generations know the class by its name, only Keras 3 "auc" too.
 */
static const struct {
    const char *name, *class_name;
} compile_metric_classes[] = {
    {"auc", "AUC"},          {"precision", "Precision"},
    {"recall", "Recall"},    {"f1_score", "F1Score"},
    {"r2_score", "R2Score"}, {"root_mean_squared_error", "RootMeanSquaredError"},
};

/* The other name of such a metric; NULL for all others. */
static const char *compile_metric_word(const char *word, bool to_class)
{
    for (size_t i = 0; word && i < IA_COUNT(compile_metric_classes); i++) {
        const char *name = compile_metric_classes[i].name;
        const char *class_name = compile_metric_classes[i].class_name;
        if (strcmp(word, to_class ? name : class_name) == 0)
            return to_class ? class_name : name;
    }
    return NULL;
}

static inarch_status compile_metric_out(const json_t *value, json_t **out, inarch_error *err)
{
    const char *word = compile_metric_word(json_string_value(value), true);
    *out = word ? json_string(word) : json_incref((json_t *)(uintptr_t)value);
    return *out ? INARCH_OK : ia_fail_memory(err, "JSON", sizeof **out);
}

/* A metric's name: "acc", "mae" stay; wrappers of functions become the function's name. */
static inarch_status compile_one_metric(const json_t *value, json_t **out, inarch_error *err)
{
    value = compile_unwrap(value);
    const char *word = compile_metric_word(json_string_value(value), false);
    if (word) {
        *out = json_string(word);
        return *out ? INARCH_OK : ia_fail_memory(err, "JSON", sizeof **out);
    }
    const char *class_name = ia_json_string(value, "class_name", "");
    if (ia_keras_listed("MeanMetricWrapper|SumOverBatchSizeMetricWrapper", class_name)) {
        const json_t *config = json_object_get(value, "config");
        const json_t *fn = compile_unwrap(json_object_get(config, "fn"));
        const char *name = json_string_value(fn);
        name = name ? name : ia_json_string(config, "name", NULL);
        if (name) {
            *out = json_string(name);
            return *out ? INARCH_OK : ia_fail_memory(err, "JSON", sizeof **out);
        }
    }
    *out = json_incref((json_t *)(uintptr_t)value);
    return INARCH_OK;
}

typedef inarch_status compile_one(const json_t *value, json_t **out, inarch_error *err);

static inarch_status compile_each(const json_t *value, compile_one *one, json_t **out,
                                  inarch_error *err);

static inarch_status compile_fill(const json_t *value, compile_one *one, json_t *out,
                                  inarch_error *err)
{
    const char *key;
    json_t *item, *made;
    for (size_t i = 0; i < json_array_size(value); i++) {
        IA_TRY(compile_each(json_array_get(value, i), one, &made, err));
        IA_TRY(ia_keras_push(out, made, err));
    }
    json_object_foreach((json_t *)(uintptr_t)value, key, item)
    {
        IA_TRY(compile_each(item, one, &made, err));
        IA_TRY(ia_keras_set(out, key, made, err));
    }
    return INARCH_OK;
}

/* Lists and objects by output, down to what names a loss or a metric. */
static inarch_status compile_each(const json_t *value, compile_one *one, json_t **out,
                                  inarch_error *err)
{
    if (!json_is_array(value) && (!json_is_object(value) || json_object_get(value, "class_name")))
        return one(value, out, err);
    json_t *list = json_is_array(value) ? json_array() : json_object();
    if (!list)
        return ia_fail_memory(err, "JSON", sizeof *list);
    inarch_status status = compile_fill(value, one, list, err);
    if (status != INARCH_OK) {
        json_decref(list);
        return status;
    }
    *out = list;
    return INARCH_OK;
}

static inarch_status compile_get(const json_t *training, const char *key, compile_one *one,
                                 json_t **out, inarch_error *err)
{
    const json_t *value = json_object_get(training, key);
    if (!value || json_is_null(value))
        return INARCH_OK;
    /* tf_keras lists the metrics of its one output inside another list. */
    if (json_array_size(value) == 1 && json_is_array(json_array_get(value, 0)))
        value = json_array_get(value, 0);
    return compile_each(value, one, out, err);
}

/* ---- optimizers ---- */

static inarch_status compile_copy_setting(json_t *config, const char *key, json_t *value,
                                          inarch_error *err)
{
    if (strcmp(key, "lr") == 0) /* Keras 1 and 2 */
        key = "learning_rate";
    return ia_keras_set(config, key, json_incref(value), err);
}

static inarch_status compile_optimizer(const json_t *training, json_t **out, inarch_error *err)
{
    const json_t *from = json_object_get(training, "optimizer_config");
    if (!json_is_object(from)) /* Keras 3 has it again under this name, in .keras files only this */
        from = json_object_get(training, "optimizer");
    const char *class_name = ia_json_string(from, "class_name", NULL), *key;
    if (!class_name)
        return INARCH_OK;
    const ia_keras_optimizer *known = ia_keras_optimizer_find(class_name);
    json_t *config = json_object(), *value;
    inarch_status status = config ? INARCH_OK : ia_fail_memory(err, "JSON", sizeof *config);
    json_object_foreach(json_object_get(from, "config"), key, value) if (status == INARCH_OK)
        status = compile_copy_setting(config, key, value, err);
    if (status != INARCH_OK) {
        json_decref(config);
        return status;
    }
    *out = json_pack("{s:s, s:o}", "class_name", known ? known->class_name : class_name, "config",
                     config);
    return *out ? INARCH_OK : ia_fail_memory(err, "JSON", sizeof **out);
}

inarch_status ia_keras_read_compile(const json_t *training, ia_compile *out, inarch_error *err)
{
    if (!json_is_object(training))
        return ia_fail(err, INARCH_BAD_FILE, "training_config", "",
                       "the compile state of the file (training_config) is not an object");
    out->source = json_incref((json_t *)(uintptr_t)training);
    IA_TRY(compile_optimizer(training, &out->optimizer, err));
    IA_TRY(compile_get(training, "loss", compile_one_loss, &out->loss, err));
    IA_TRY(compile_get(training, "metrics", compile_one_metric, &out->metrics, err));
    const json_t *weights = json_object_get(training, "loss_weights");
    if (weights && !json_is_null(weights))
        out->loss_weights = json_incref((json_t *)(uintptr_t)weights);
    return INARCH_OK;
}

/* ---- writing ---- */

/* What one generation writes and another refuses, and what says nothing. */
#define NEVER_WRITTEN "jit_compile|is_legacy_optimizer|name|schedule_decay"

/* Settings written only where they say something. tf_keras takes an optimizer without
 * is_legacy_optimizer for one of Keras 2.10 and before, which knows none of these but the clipping
 * and `decay`; Keras 3 refuses is_legacy_optimizer. So an optimizer with, say, a weight decay opens
 * compiled in Keras 3 only. Keras 3 warns of `decay` and ignores it, as we do. */
#define OFTEN_SILENT                                                                               \
    "loss_scale_factor|gradient_accumulation_steps|decay|weight_decay|clipnorm|clipvalue|"         \
    "global_clipnorm|use_ema|ema_momentum|ema_overwrite_frequency"

static bool compile_is_written(const char *class_name, const json_t *config, const char *key,
                               const json_t *value)
{
    if (ia_keras_listed(NEVER_WRITTEN, key))
        return false;
    bool adamw = strcmp(class_name, "AdamW") == 0 && strcmp(key, "weight_decay") == 0;
    if (adamw || !ia_keras_listed(OFTEN_SILENT, key)) /* without one, AdamW decays by 0.004 */
        return true;
    if (strncmp(key, "ema_", 4) == 0)
        return ia_json_bool(config, "use_ema", false);
    return !json_is_null(value) && !json_is_false(value) &&
           !(json_is_number(value) && json_number_value(value) == 0);
}

/* tf_keras' schedules may go without a name; Keras 3 refuses null. */
static json_t *compile_setting(json_t *value)
{
    json_t *config = json_object_get(value, "config");
    if (!json_is_null(json_object_get(config, "name")))
        return json_incref(value);
    json_t *copy = json_deep_copy(value);
    json_object_del(json_object_get(copy, "config"), "name");
    return copy;
}

static inarch_status compile_write_optimizer(const ia_compile *c, json_t **out, inarch_error *err)
{
    const json_t *from = json_object_get(c->optimizer, "config");
    const char *key, *class_name = ia_json_string(c->optimizer, "class_name", "Adam");
    const ia_keras_optimizer *known = ia_keras_optimizer_find(class_name);
    const char *written = known ? known->class_name : class_name;
    json_t *config = json_object(), *value;
    inarch_status status = config ? INARCH_OK : ia_fail_memory(err, "JSON", sizeof *config);
    json_object_foreach((json_t *)(uintptr_t)from, key,
                        value) if (status == INARCH_OK &&
                                   compile_is_written(written, from, key, value)) status =
        ia_keras_set(config, key, compile_setting(value), err);
    if (status != INARCH_OK) {
        json_decref(config);
        return status;
    }
    *out = json_pack("{s:s, s:o}", "class_name", written, "config", config);
    return *out ? INARCH_OK : ia_fail_memory(err, "JSON", sizeof **out);
}

/* Keys of the loaded training_config that are not ours, and null where Keras wants a key. */
static inarch_status compile_write_rest(const ia_compile *c, json_t *out, inarch_error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach(
        c->source, key,
        value) if (!json_object_get(out, key) &&
                   !ia_keras_listed(
                       "optimizer_config|optimizer|jit_compile|run_eagerly|steps_per_execution|"
                       "sample_weight_mode|auto_scale_loss",
                       key)) IA_TRY(ia_keras_set(out, key, json_incref(value), err));
    return INARCH_OK;
}

static inarch_status compile_write_metrics(const json_t *metrics, const char *key, json_t *out,
                                           inarch_error *err)
{
    json_t *value = NULL;
    if (metrics)
        IA_TRY(compile_each(metrics, compile_metric_out, &value, err));
    return ia_keras_set(out, key, value ? value : json_null(), err);
}

/* They are not computed; each generation wants them spelt as the metrics are. */
static inarch_status compile_write_weighted(const ia_compile *c, json_t *out, inarch_error *err)
{
    json_t *metrics = NULL;
    IA_TRY(compile_get(c->source, "weighted_metrics", compile_one_metric, &metrics, err));
    inarch_status status = compile_write_metrics(metrics, "weighted_metrics", out, err);
    json_decref(metrics);
    return status;
}

static inarch_status compile_write_all(const ia_compile *c, json_t *out, inarch_error *err)
{
    json_t *value = NULL;
    if (c->loss)
        IA_TRY(compile_each(c->loss, compile_one_loss, &value, err));
    IA_TRY(ia_keras_set(out, "loss", value ? value : json_null(), err));
    IA_TRY(compile_write_metrics(c->metrics, "metrics", out, err));
    IA_TRY(compile_write_weighted(c, out, err));
    value = c->loss_weights ? json_incref(c->loss_weights) : json_null();
    IA_TRY(ia_keras_set(out, "loss_weights", value, err));
    IA_TRY(compile_write_rest(c, out, err));
    IA_TRY(compile_write_optimizer(c, &value, err));
    return ia_keras_set(out, "optimizer_config", value, err);
}

inarch_status ia_keras_write_compile(const ia_compile *c, json_t **out, inarch_error *err)
{
    *out = NULL;
    if (!c->optimizer)
        return INARCH_OK;
    json_t *training = json_object();
    if (!training)
        return ia_fail_memory(err, "JSON", sizeof *training);
    inarch_status status = compile_write_all(c, training, err);
    if (status != INARCH_OK) {
        json_decref(training);
        return status;
    }
    *out = training;
    return INARCH_OK;
}
