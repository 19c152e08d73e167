#include "samples.h"

#include <math.h>

#define PORTS 32

/* ---- data ---- */

static inarch_port port_of(const inarch_model *m, int direction, size_t i)
{
    inarch_error err;
    inarch_port port = {.size = sizeof port};
    assert_ok(inarch_model_port(m, direction, i, &port, &err), err);
    return port;
}

static sample_array new_array(const inarch_shape *shape)
{
    sample_array a = {.shape = *shape, .count = SAMPLE_ROWS};
    for (int i = 0; i < shape->rank; i++)
        a.count *= (size_t)shape->dim[i];
    a.data = malloc(a.count * sizeof *a.data);
    assert_non_null(a.data);
    return a;
}

static double wave(size_t i, double phase)
{
    return sin(0.7 * (double)i + 0.013 * (double)i * (double)i + phase);
}

/* An embedding looks whole numbers up. */
static int wants_indices(const inarch_model *m)
{
    inarch_layer l = {.size = sizeof l};
    for (size_t i = 0; inarch_model_layer(m, i, &l, NULL) == INARCH_OK; i++)
        if (strcmp(l.class_name, "Embedding") == 0)
            return 1;
    return 0;
}

sample_array sample_input(const inarch_model *m, size_t i)
{
    inarch_port port = port_of(m, INARCH_INPUT, i);
    sample_array a = new_array(&port.shape);
    for (size_t k = 0; k < a.count; k++)
        a.data[k] = wants_indices(m) ? (float)(k * 7 % 10) : (float)(1.5 * wave(k, (double)i));
    return a;
}

sample_array sample_target(const inarch_model *m, size_t i)
{
    inarch_port port = port_of(m, INARCH_OUTPUT, i);
    sample_array a = new_array(&port.shape);
    size_t cols = port.shape.rank ? (size_t)port.shape.dim[port.shape.rank - 1] : 1;
    for (size_t k = 0; k < a.count; k++) {
        double w = wave(k, 2.0 + (double)i);
        a.data[k] = (float)w;
        /* k3_by_name has a loss from logits on an output called "yes" */
        if (strcmp(port.activation, "sigmoid") == 0 || strcmp(port.name, "yes") == 0)
            a.data[k] = w > 0;
        else if (strcmp(port.activation, "softmax") == 0)
            a.data[k] = k % cols == k / cols * 5 % cols;
    }
    return a;
}

inarch_data *sample_data(const inarch_model *m, int targets)
{
    inarch_error err;
    inarch_info info = {.size = sizeof info};
    inarch_array row[2 * PORTS];
    sample_array all[2 * PORTS];
    inarch_data *d;
    assert_ok(inarch_model_info(m, &info, &err), err);
    assert_true(info.inputs <= PORTS && info.outputs <= PORTS);
    size_t n = 0, outputs = targets ? info.outputs : 0;
    for (size_t i = 0; i < info.inputs; i++)
        all[n++] = sample_input(m, i);
    for (size_t i = 0; i < outputs; i++)
        all[n++] = sample_target(m, i);
    for (size_t i = 0; i < n; i++)
        row[i] = (inarch_array){all[i].data, all[i].shape};
    assert_ok(
        inarch_data_arrays(SAMPLE_ROWS, row, info.inputs, row + info.inputs, outputs, &d, &err),
        err);
    for (size_t i = 0; i < n; i++)
        free(all[i].data);
    return d;
}

/* ---- edits ---- */

static void name_classes(inarch_model *m)
{
    static const char *const names[] = {"Apfel", "Birne", "größe"};
    inarch_error err;
    assert_ok(inarch_set_classes(m, names, 3, &err), err);
    assert_ok(inarch_meta_set(m, "columns", "[\"a\",\"b\",\"c\",\"d\"]", &err), err);
}

/* The usual recipe: cut, freeze, a new head. */
static void tune(inarch_model *m)
{
    static const char *const names[] = {"cat", "dog"};
    inarch_error err;
    assert_ok(inarch_pop(m, 1, &err), err);
    assert_ok(inarch_freeze(m, "base", &err), err);
    assert_ok(inarch_add(m, "dense(16,relu,name=new)", &err), err);
    assert_ok(inarch_add(m, "dropout:0.2", &err), err);
    assert_ok(inarch_add(m, "dense(2,softmax,name=head)", &err), err);
    assert_ok(inarch_set_classes(m, names, 2, &err), err);
    assert_ok(inarch_group(m, "new", 0.5, &err), err);
}

static void attach_size(inarch_model *m)
{
    inarch_error err;
    assert_ok(inarch_attach(m, "hidden", "dense:4:tanh,dense(2,name=size)", &err), err);
}

/* A Sequential around a nested Sequential becomes a Functional with two outputs. */
static void attach_to_nested(inarch_model *m)
{
    inarch_error err;
    assert_ok(inarch_freeze(m, "base/d1", &err), err);
    assert_ok(inarch_attach(m, "base", "dense(3,softmax,name=kind)", &err), err);
}

static void freeze_shared(inarch_model *m)
{
    inarch_error err;
    assert_ok(inarch_freeze(m, "shared", &err), err);
    assert_ok(inarch_rename(m, "again", "twice_called", &err), err);
}

/* base frozen, one layer of it freed: what trains here must train there. */
static void freeze_but_d2(inarch_model *m)
{
    inarch_error err;
    assert_ok(inarch_freeze(m, "base", &err), err);
    assert_ok(inarch_unfreeze(m, "base/d2", &err), err);
}

/* ---- the list ---- */

static const sample samples[] = {
    {.name = "mlp",
     .readers = BOTH,
     .arch = "input:8,rescaling:0.5,dense:12:relu,batchnorm,dropout:0.3,dense:10,layernorm,"
             "leakyrelu:0.2,dense:8,prelu,gaussiannoise:0.1,dense:6,elu:0.5,dense:5,"
             "relu(max_value=2),unitnorm,dense:4:gelu,alphadropout:0.1,dense(3,use_bias=false),"
             "softmax",
     .optimizer = "adam(learning_rate=0.01)",
     .metrics = "accuracy,auc"},
    {.name = "shapes",
     .readers = BOTH,
     .arch = "input:4x3,spatialdropout1d:0.1,permute:2x1,dense:5:tanh,layernorm(axis=1),prelu("
             "shared_axes=1),flatten,"
             "reshape:3x5,activation:softplus,batchnorm(axis=1),flatten,repeatvector:2,flatten,"
             "dense:2",
     .optimizer = "rmsprop(learning_rate=0.01,centered=true,momentum=0.5)",
     .loss = "huber(0.5)",
     .metrics = "mean_absolute_error"},
    {.name = "regularized",
     .readers = BOTH,
     .arch = "input:8,dense(6,tanh,kernel_regularizer=l2(0.01),kernel_constraint=max_norm(1),"
             "bias_regularizer=l1(0.01)),dense(5,relu,activity_regularizer=l1_l2(0.001,0.002),"
             "kernel_constraint=non_neg,kernel_initializer=he_normal),"
             "batchnorm(gamma_regularizer=l2(0.001)),dense(1,sigmoid,kernel_constraint=unit_norm)",
     .optimizer = "sgd(learning_rate=0.05,momentum=0.9,nesterov=true,clipnorm=1)",
     .loss = "binary_crossentropy(label_smoothing=0.1)",
     .metrics = "accuracy,precision,recall"},
    {.name = "classes",
     .readers = BOTH,
     .arch = "input:4,normalization,dense:6:selu,dense:3:softmax",
     .edit = name_classes,
     .optimizer = "nadam",
     .metrics = "accuracy"},
    {.name = "two_outputs",
     .readers = BOTH,
     .arch = "input:8,dense(6,relu,name=hidden),batchnorm,dense(3,softmax,name=kind)",
     .edit = attach_size,
     .optimizer = "adamax(learning_rate=0.01)",
     .loss = "kind=categorical_crossentropy,size=mean_squared_error",
     .metrics = "kind=accuracy,size=mean_absolute_error"},
    {.name = "shared", .readers = BOTH, .file = "layers/shared.h5", .edit = freeze_shared},
    {.name = "ports", .readers = BOTH, .file = "files/k3_shared_ports.h5", .optimizer = "file"},
    {.name = "nested_sequential",
     .readers = BOTH,
     .file = "layers/nested_sequential.h5",
     .edit = attach_to_nested,
     .optimizer = "adam"},
    /* tf_keras reads it and cannot save it: two layers inside are called d1 */
    {.name = "nested_twice", .readers = KERAS3, .file = "layers/twice_nested_sequential.h5"},
    {.name = "frozen_call", .readers = BOTH, .file = "layers/nested_frozen_call.h5"},
    {.name = "nested_ports", .readers = BOTH, .file = "layers/nested_ports.h5"},
    {.name = "tuned",
     .readers = BOTH,
     .file = "files/k3_nested.h5",
     .edit = tune,
     .optimizer = "adam(learning_rate=0.003)",
     .metrics = "accuracy"},
    {.name = "freed",
     .readers = BOTH,
     .file = "layers/nested_functional.h5",
     .edit = freeze_but_d2},
    {.name = "freed_by_keras", .readers = BOTH, .file = "files/k3_frozen_container.h5"},
    {.name = "keras2", .readers = BOTH, .file = "files/k2_sequential.h5", .optimizer = "file"},
    {.name = "keras2_nested", .readers = BOTH, .file = "files/k2_nested.h5", .optimizer = "file"},
    {.name = "keras2_legacy",
     .readers = BOTH,
     .file = "files/k2_legacy_optimizer.h5",
     .optimizer = "file"},
    /* Keras 3 takes no name with '/' */
    {.name = "keras2_slashes", .readers = TF_KERAS, .file = "files/k2_slashes.h5"},
    /* ThresholdedReLU is Keras 2's only, rms_scaling (norms) Keras 3's */
    {.name = "keras2_layers", .readers = TF_KERAS, .file = "layers/k2_layers.h5"},
    {.name = "hard_sigmoid", .readers = BOTH, .file = "layers/k2_activations.h5"},
    /* tf_keras takes an optimizer without is_legacy_optimizer, which Keras 3 refuses, for one of
     * the old ones, among which there is no AdamW; nor does it know Keras 3's warm-up */
    {.name = "keras3_by_name",
     .readers = KERAS3,
     .file = "files/k3_by_name.h5",
     .optimizer = "file"},
    {.name = "merges", .readers = BOTH, .file = "layers/merges.h5"},
    {.name = "norms", .readers = KERAS3, .file = "layers/norms.h5"},
    {.name = "embeddings", .readers = BOTH, .file = "layers/embeddings.h5"},
    /* outputs by name want targets by name in tf_keras */
    {.name = "dict_ports", .readers = KERAS3, .file = "layers/dict_ports.h5"},
    {.name = "late_input", .readers = BOTH, .file = "files/k3_no_input.h5"},
};

size_t sample_count(void)
{
    return sizeof samples / sizeof *samples;
}

const sample *sample_at(size_t i)
{
    return &samples[i];
}

static void train(inarch_model *m, const sample *s)
{
    inarch_error err;
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    inarch_data *d = sample_data(m, 1);
    fit.epochs = 2;
    fit.batch_size = 16;
    fit.optimizer = strcmp(s->optimizer, "file") == 0 ? NULL : s->optimizer;
    fit.loss = s->loss;
    fit.metrics = s->metrics;
    inarch_status status = inarch_fit(m, d, &fit, NULL, &err);
    if (status != INARCH_OK)
        fail_msg("%s: %s (%s)", s->name, err.message, err.hint);
    inarch_data_free(d);
}

inarch_model *sample_make(const sample *s)
{
    inarch_error err;
    inarch_model *m;
    char path[512];
    snprintf(path, sizeof path, FIXTURES "/keras/%s", s->file ? s->file : "");
    inarch_status status =
        s->arch ? inarch_new(s->arch, 5, &m, &err) : inarch_load(path, NULL, &m, &err);
    if (status != INARCH_OK)
        fail_msg("%s: %s (%s)", s->name, err.message, err.hint);
    if (s->edit)
        s->edit(m);
    if (s->optimizer)
        train(m, s);
    return m;
}
