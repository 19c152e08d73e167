/* The tables of names. A row says what one generation calls a thing; what all of them call the same
 * needs no row. Sources: Keras 1.2.2, 2.2.4, tf_keras 2.21 and Keras 3.15 as released. */
#include "formats/keras/keras_names.h"

#include <string.h>
#include <strings.h>

bool ia_keras_listed(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = list; at && *at;) {
        const char *end = strchr(at, '|');
        size_t len = end ? (size_t)(end - at) : strlen(at);
        if (len == n && memcmp(at, word, n) == 0)
            return true;
        at = end ? end + 1 : NULL;
    }
    return false;
}

int ia_keras_generation(const char *version)
{
    if (!version || version[0] < '2' || version[0] > '9')
        return 1;
    return version[0] == '2' && (version[1] == '.' || !version[1]) ? 2 : 3;
}

/* ---- classes ---- */

static const struct {
    const char *file, *ours;
} class_names[] = {
    {"BatchNormalizationV1", "BatchNormalization"}, /* tf.keras 1.13 to 2.1 */
    {"BatchNormalizationV2", "BatchNormalization"},
};

static const struct {
    const char *mode, *ours;
} merge_modes[] = {
    {"sum", "Add"},     {"mul", "Multiply"}, {"concat", "Concatenate"},
    {"ave", "Average"}, {"max", "Maximum"},
};

/* Keras 1's Merge, called on tensors (a Merge that holds its layers is a graph of its own). */
static const char *names_of_merge(const json_t *config)
{
    const char *mode = ia_json_string(config, "mode", "");
    if (strcmp(ia_json_string(config, "mode_type", "raw"), "raw") != 0 ||
        json_array_size(json_object_get(config, "layers")) > 0)
        return "Merge";
    for (size_t i = 0; i < IA_COUNT(merge_modes); i++)
        if (strcmp(mode, merge_modes[i].mode) == 0)
            return merge_modes[i].ours;
    return "Merge";
}

const ia_layer_class *ia_keras_layer_class(const char *class_name, const json_t *config)
{
    if (strcmp(class_name, "Merge") == 0)
        class_name = names_of_merge(config);
    for (size_t i = 0; i < IA_COUNT(class_names); i++)
        if (strcmp(class_name, class_names[i].file) == 0)
            class_name = class_names[i].ours;
    const ia_layer_class *cls = ia_layer_class_find(class_name);
    return cls && strcmp(cls->name, class_name) == 0 ? cls : NULL;
}

/* ---- keys of layers ---- */

static const struct {
    const char *cls, *old, *key;
} old_keys[] = {
    /* Keras 1 */
    {"Dense", "output_dim", "units"},
    {"Dense", "init", "kernel_initializer"},
    {"Dense", "W_regularizer", "kernel_regularizer"},
    {"Dense", "b_regularizer", "bias_regularizer"},
    {"Dense", "W_constraint", "kernel_constraint"},
    {"Dense", "b_constraint", "bias_constraint"},
    {"Dense", "bias", "use_bias"},
    {"Embedding", "init", "embeddings_initializer"},
    {"Embedding", "W_regularizer", "embeddings_regularizer"},
    {"Embedding", "W_constraint", "embeddings_constraint"},
    {"BatchNormalization", "gamma_init", "gamma_initializer"},
    {"BatchNormalization", "beta_init", "beta_initializer"},
    {"PReLU", "init", "alpha_initializer"},
    {"Dropout", "p", "rate"},
    {"AlphaDropout", "p", "rate"},
    {"GaussianDropout", "p", "rate"},
    {"GaussianNoise", "sigma", "stddev"},
    {"Concatenate", "concat_axis", "axis"},
    /* Keras 2 */
    {"LeakyReLU", "alpha", "negative_slope"},
};

/* Keras 3 still takes the old key here, tf_keras knows no other. */
static const struct {
    const char *cls, *key, *written;
} written_keys[] = {
    {"LeakyReLU", "negative_slope", "alpha"},
};

const json_t *ia_keras_field_value(const ia_layer_class *cls, const ia_field *f,
                                   const json_t *config)
{
    const json_t *value = json_object_get(config, f->key);
    for (size_t i = 0; i < IA_COUNT(old_keys) && !value; i++)
        if (strcmp(cls->name, old_keys[i].cls) == 0 && strcmp(f->key, old_keys[i].key) == 0)
            value = json_object_get(config, old_keys[i].old);
    const char *key;
    json_t *other;
    if (!value && f->aliases)
        json_object_foreach((json_t *)(uintptr_t)config, key,
                            other) if (!value && ia_keras_listed(f->aliases, key)) value = other;
    return value;
}

const char *ia_keras_written_key(const ia_layer_class *cls, const ia_field *f)
{
    for (size_t i = 0; i < IA_COUNT(written_keys); i++)
        if (strcmp(cls->name, written_keys[i].cls) == 0 && strcmp(f->key, written_keys[i].key) == 0)
            return written_keys[i].written;
    return f->key;
}

static const struct {
    const char *cls, *key;
} rare_fields[] = {
    {"LayerNormalization", "rms_scaling"}, /* Keras 3 */
    {"Normalization", "invert"},           /* since tf.keras 2.12 */
};

bool ia_keras_field_is_rare(const ia_layer_class *cls, const ia_field *f)
{
    for (size_t i = 0; i < IA_COUNT(rare_fields); i++)
        if (strcmp(cls->name, rare_fields[i].cls) == 0 && strcmp(f->key, rare_fields[i].key) == 0)
            return true;
    return false;
}

bool ia_keras_takes_trainable(const ia_layer_class *cls)
{
    return strcmp(cls->name, "SpatialDropout1D") != 0;
}

/* Keys that one generation writes and the other refuses, all without meaning for the layer's
 * numbers (or refused by the table below when they have one). NULL: of every class. */
static const struct {
    const char *cls, *key;
} dropped_keys[] = {
    {NULL, "name"},
    {NULL, "trainable"},
    {NULL, "dtype"},             /* written as a plain name */
    {NULL, "batch_input_shape"}, /* an InputLayer says it */
    {NULL, "batch_shape"},
    {NULL, "input_shape"},
    {NULL, "input_dtype"},  /* Keras 1 */
    {"Dense", "input_dim"}, /* Keras 1 */
    {"Dense", "lora_rank"}, /* Keras 3 from here on */
    {"Dense", "lora_alpha"},
    {"Dense", "quantization_config"},
    {"Embedding", "lora_rank"},
    {"Embedding", "lora_alpha"},
    {"Embedding", "quantization_config"},
    {"Embedding", "weights"},
    {"Embedding", "dropout"},      /* Keras 1 */
    {"Embedding", "input_length"}, /* Keras 2 */
    {"Embedding", "sparse"},       /* tf_keras */
    {"BatchNormalization", "mode"},
    {"BatchNormalization", "synchronized"},
    {"BatchNormalization", "renorm"},
    {"BatchNormalization", "renorm_clipping"},
    {"BatchNormalization", "renorm_momentum"},
    {"BatchNormalization", "fused"},
    {"BatchNormalization", "virtual_batch_size"},
    {"LayerNormalization", "rms_scaling"},
    {"Normalization", "mean"}, /* they are weights now */
    {"Normalization", "variance"},
    {"InputLayer", "sparse"}, /* rows come dense */
    {"InputLayer", "ragged"},
    {"InputLayer", "optional"},
};

bool ia_keras_key_is_ours(const ia_layer_class *cls, const char *key)
{
    for (size_t i = 0; i < cls->field_count; i++)
        if (strcmp(cls->fields[i].key, key) == 0 || ia_keras_listed(cls->fields[i].aliases, key))
            return true;
    for (size_t i = 0; i < IA_COUNT(old_keys); i++)
        if (strcmp(cls->name, old_keys[i].cls) == 0 && strcmp(key, old_keys[i].old) == 0)
            return true;
    for (size_t i = 0; i < IA_COUNT(dropped_keys); i++)
        if (strcmp(key, dropped_keys[i].key) == 0 &&
            (!dropped_keys[i].cls || strcmp(cls->name, dropped_keys[i].cls) == 0))
            return true;
    return false;
}

/* Settings that change what a layer computes and that our classes do not have. A file with one of
 * them set keeps the layer as an opaque one. */
static const struct {
    const char *cls, *key;
} refused_keys[] = {
    {"Dense", "lora_rank"},
    {"Dense", "quantization_config"},
    {"Embedding", "lora_rank"},
    {"Embedding", "quantization_config"},
    {"Embedding", "dropout"},       /* Keras 1 dropped rows of the table */
    {"BatchNormalization", "mode"}, /* Keras 1: 1 is sample-wise, 2 uses the batch's statistics */
    {"BatchNormalization", "renorm"},
    {"BatchNormalization", "virtual_batch_size"},
    {"LayerNormalization", "rms_scaling"},
};

static bool names_is_set(const json_t *value)
{
    return value && !json_is_null(value) && !json_is_false(value) &&
           !(json_is_number(value) && json_number_value(value) == 0);
}

/* A dtype policy that is more than a float type: weights are stored quantized, with scales beside.
 */
static bool names_is_quantized(const json_t *dtype)
{
    const char *policy = json_string_value(json_object_get(dtype, "class_name"));
    return policy && !ia_keras_listed("DTypePolicy|FloatDTypePolicy|Policy|PolicyV1", policy);
}

static bool names_has_field(const ia_layer_class *cls, const char *key)
{
    for (size_t i = 0; i < cls->field_count; i++)
        if (strcmp(cls->fields[i].key, key) == 0)
            return true;
    return false;
}

const char *ia_keras_refused_key(const ia_layer_class *cls, const json_t *config)
{
    for (size_t i = 0; i < IA_COUNT(refused_keys); i++)
        if (strcmp(cls->name, refused_keys[i].cls) == 0 &&
            !names_has_field(cls, refused_keys[i].key) &&
            names_is_set(json_object_get(config, refused_keys[i].key)))
            return refused_keys[i].key;
    return names_is_quantized(json_object_get(config, "dtype")) ? "dtype" : NULL;
}

/* ---- weights ---- */

static const struct {
    const char *cls, *file, *ours;
} weight_names[] = {
    {"Dense", "W", "kernel"}, /* Keras 1 */
    {"Dense", "b", "bias"},
    {"Embedding", "W", "embeddings"},
    {"PReLU", "alphas", "alpha"},
    {"BatchNormalization", "running_mean", "moving_mean"},
    {"BatchNormalization", "running_std", "moving_variance"}, /* holds a variance all the same */
};

static bool names_has_variable(const ia_layer *l, const char *name)
{
    return ia_layer_variable(l, name) != NULL;
}

const char *ia_keras_variable_name(const ia_layer *l, const char *part)
{
    if (names_has_variable(l, part))
        return part;
    size_t n = strlen(l->name);
    if (strncmp(part, l->name, n) == 0 && part[n] == '_' && part[n + 1])
        part += n + 1; /* Keras 1: "dense_1_W" */
    if (names_has_variable(l, part))
        return part;
    for (size_t i = 0; i < IA_COUNT(weight_names); i++)
        if (strcmp(l->cls->name, weight_names[i].cls) == 0 &&
            strcmp(part, weight_names[i].file) == 0)
            return weight_names[i].ours;
    return part;
}

/* ---- optimizers ---- */

static const ia_keras_optimizer optimizers[] = {
    {"sgd", "SGD", {"momentum|m"}},
    {"rmsprop", "RMSprop", {"velocity|rms", "momentum", "average_gradient|mg"}},
    {"adam", "Adam", {"momentum|m", "velocity|v", "velocity_hat|vhat"}},
    {"adamw", "AdamW", {"momentum|m", "velocity|v", "velocity_hat|vhat"}},
    {"adagrad", "Adagrad", {"accumulator"}},
    {"adadelta", "Adadelta", {"accumulated_grad|accum_grad", "accumulated_delta_var|accum_var"}},
    {"adamax", "Adamax", {"momentum|m", "norm|u|v"}},
    {"nadam", "Nadam", {"momentum|m", "velocity|v"}},
};

const ia_keras_optimizer *ia_keras_optimizer_find(const char *class_name)
{
    const char *bare = strrchr(class_name, '>'); /* "Custom>Adam", a registered name */
    bare = bare ? bare + 1 : class_name;
    for (size_t i = 0; i < IA_COUNT(optimizers); i++)
        if (strcasecmp(optimizers[i].class_name, bare) == 0)
            return &optimizers[i];
    return NULL;
}
