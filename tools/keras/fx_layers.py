"""Group `layers`: predictions of each layer, in models of one family each; an output per variant."""
import numpy as np

from fx_common import Group, fill, integers, keep_names, keras, normal, tf_keras

L = keras.layers
K2 = tf_keras.layers

# All of Keras 3.15 but `threshold`, which has two arguments without defaults and therefore never runs by name.
ACTIVATIONS = [
    "linear", "relu", "relu6", "leaky_relu", "elu", "celu", "selu", "gelu", "silu", "swish", "mish", "softplus",
    "softsign", "tanh", "sigmoid", "exponential", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh",
    "hard_shrink", "soft_shrink", "tanh_shrink", "squareplus", "sparse_plus", "sparse_sigmoid", "sparsemax",
    "log_sigmoid", "softmax", "log_softmax", "glu",
]
ACTIVATIONS_K2 = ["linear", "relu", "elu", "selu", "gelu", "swish", "softplus", "softsign", "tanh", "sigmoid",
                  "exponential", "hard_sigmoid", "mish", "softmax", "log_softmax", "relu6", "leaky_relu"]
KINKS = [0, -0.0, 0.5, -0.5, 1, -1, 2.5, -2.5, 3, -3, 6, -6, 7, -7, 12, -12, 0.2, -0.2]


def kinked(text, *shape):
    """Rows of normals, then rows of the points where piecewise functions bend."""
    rows = normal(text, *shape) * 2
    flat = rows.reshape(shape[0], -1)
    wanted = -(-len(KINKS) // flat.shape[1])
    flat[-wanted:] = np.resize(np.array(KINKS, np.float32), (wanted, flat.shape[1]))
    return rows


def functional(name, shapes, build, lib=keras):
    """build(*inputs) gives a list of outputs; inputs are named in_0, in_1, ..."""
    keep_names()
    inputs = [lib.layers.Input(shape, name=f"in_{k}") for k, shape in enumerate(shapes)]
    outputs = build(*inputs)
    return fill(lib.Model(inputs if len(inputs) > 1 else inputs[0], outputs if len(outputs) > 1 else outputs[0],
                          name=name))


def activations(x):
    return [L.Activation(a, name=f"act_{a}")(x) for a in ACTIVATIONS]


def dense(x):
    return [
        L.Dense(5, name="bias")(x),
        L.Dense(5, use_bias=False, name="no_bias")(x),
        L.Dense(1, activation="sigmoid", name="one_unit")(x),
        L.Dense(19, activation="relu", name="wide")(x),
        L.Dense(3, activation="softmax", use_bias=False, name="softmax_no_bias")(x),
    ]


def dense_3d(x):
    return [L.Dense(5, activation="tanh", name="dense_3d")(x), L.Dense(3, activation="softmax", name="softmax_3d")(x),
            L.Dense(2, use_bias=False, name="no_bias_3d")(x)]


def dense_4d(x):
    return [L.Dense(5, activation="relu", name="dense_4d")(x)]


def rectifiers(x):
    return [
        L.ReLU(name="relu")(x),
        L.ReLU(max_value=2, name="relu_max")(x),
        L.ReLU(negative_slope=0.1, name="relu_slope")(x),
        L.ReLU(threshold=0.5, name="relu_threshold")(x),
        L.ReLU(max_value=2.5, negative_slope=0.2, threshold=0.5, name="relu_all")(x),
        L.ReLU(max_value=2, negative_slope=0.1, name="relu_max_slope")(x),
        L.ReLU(max_value=6, name="relu_6")(x),
        L.LeakyReLU(name="leaky")(x),
        L.LeakyReLU(negative_slope=0.05, name="leaky_05")(x),
        L.PReLU(name="prelu")(x),
        L.PReLU(shared_axes=[1], name="prelu_shared")(x),
        L.ELU(name="elu")(x),
        L.ELU(alpha=0.3, name="elu_03")(x),
        L.Softmax(name="softmax")(x),
    ]


def axes_3d(x):
    return [
        L.Softmax(axis=-1, name="softmax_last")(x),
        L.Softmax(axis=1, name="softmax_1")(x),
        L.Softmax(axis=[1, 2], name="softmax_both")(x),
        L.Activation("softmax", name="activation_softmax")(x),
        L.PReLU(name="prelu_3d")(x),
        L.PReLU(shared_axes=[1], name="prelu_shared_1")(x),
        L.PReLU(shared_axes=[2], name="prelu_shared_2")(x),
        L.PReLU(shared_axes=[1, 2], name="prelu_shared_12")(x),
        L.BatchNormalization(name="bn_last")(x),
        L.BatchNormalization(axis=1, name="bn_1")(x),
        L.LayerNormalization(name="ln_last")(x),
        L.LayerNormalization(axis=1, name="ln_1")(x),
        L.LayerNormalization(axis=[1, 2], name="ln_12")(x),
        L.Normalization(mean=[0.5, -1, 2, 0], variance=[1, 4, 0.25, 2], name="normalization_last")(x),
        L.Normalization(axis=1, mean=[0.5, -1, 2], variance=[1, 4, 0.25], name="normalization_1")(x),
        L.Normalization(axis=None, mean=0.5, variance=4, name="normalization_none")(x),
        L.Rescaling(0.5, offset=-1, name="rescaling_3d")(x),
    ]


def shapes_3d(x):
    return [
        L.Flatten(name="flatten")(x),
        L.Reshape((4, 3), name="reshape_4_3")(x),
        L.Reshape((12,), name="reshape_12")(x),
        L.Reshape((-1,), name="reshape_any")(x),
        L.Reshape((2, -1), name="reshape_2_any")(x),
        L.Reshape((1, 3, 4, 1), name="reshape_5d")(x),
        L.Permute((2, 1), name="permute_21")(x),
        L.Permute((1, 2), name="permute_12")(x),
        L.Flatten(name="permuted_flat")(L.Permute((2, 1), name="permute_before_flat")(x)),
    ]


def shapes_4d(x):
    return [
        L.Permute((3, 1, 2), name="permute_312")(x),
        L.Permute((2, 3, 1), name="permute_231")(x),
        L.Permute((3, 2, 1), name="permute_321")(x),
        L.Flatten(name="flatten_4d")(x),
        L.Flatten(data_format="channels_first", name="flatten_channels_first")(x),
        L.PReLU(shared_axes=[1, 2], name="prelu_4d")(x),
        L.BatchNormalization(axis=2, name="bn_4d")(x),
        L.LayerNormalization(axis=[2, 3], name="ln_4d")(x),
    ]


def shapes_2d(x):
    return [
        L.RepeatVector(3, name="repeat")(x),
        L.RepeatVector(1, name="repeat_once")(x),
        L.Flatten(name="flatten_2d")(x),
        L.Reshape((2, 3), name="reshape_2d")(x),
        L.Flatten(name="repeat_flat")(L.RepeatVector(2, name="repeat_before_flat")(x)),
    ]


def noise(x):
    return [
        L.Dropout(0.4, name="dropout")(x),
        L.Dropout(0.4, noise_shape=(None, 1), seed=3, name="dropout_shape")(x),
        L.Dropout(0.0, name="dropout_zero")(x),
        L.AlphaDropout(0.3, name="alpha_dropout")(x),
        L.GaussianNoise(0.5, name="gaussian_noise")(x),
        L.GaussianDropout(0.3, name="gaussian_dropout")(x),
        L.ActivityRegularization(l1=0.1, l2=0.2, name="activity")(x),
    ]


def norms(x):
    given = [0.5, -1, 2, 0, 1, -2], [1, 4, 0.25, 2, 9, 16]
    return [
        L.BatchNormalization(name="bn")(x),
        L.BatchNormalization(center=False, name="bn_no_center")(x),
        L.BatchNormalization(scale=False, name="bn_no_scale")(x),
        L.BatchNormalization(center=False, scale=False, name="bn_plain")(x),
        L.BatchNormalization(epsilon=0.1, momentum=0.5, name="bn_epsilon")(x),
        L.LayerNormalization(name="ln")(x),
        L.LayerNormalization(center=False, name="ln_no_center")(x),
        L.LayerNormalization(scale=False, name="ln_no_scale")(x),
        L.LayerNormalization(center=False, scale=False, name="ln_plain")(x),
        L.LayerNormalization(epsilon=0.1, name="ln_epsilon")(x),
        L.LayerNormalization(rms_scaling=True, name="ln_rms")(x),
        L.Rescaling(1 / 255, name="rescaling")(x),
        L.Rescaling(2.0, offset=-1.0, name="rescaling_offset")(x),
        L.Rescaling([1.0, 2, 3, 4, 5, 6], offset=[0.0, 1, 0, 1, 0, 1], name="rescaling_vector")(x),
        L.Normalization(name="normalization_weights")(x),
        L.Normalization(mean=given[0], variance=given[1], name="normalization_given")(x),
        L.Normalization(mean=given[0], variance=given[1], invert=True, name="normalization_invert")(x),
        L.Normalization(mean=given[0], variance=[1, 0, 1, 0, 1e-15, 1], name="normalization_zero_variance")(x),
    ]


def merges(a, b, c):
    return [
        L.Add(name="add_2")([a, b]), L.Add(name="add_3")([a, b, c]), L.Add(name="add_same")([a, a]),
        L.Subtract(name="subtract")([a, b]),
        L.Multiply(name="multiply_2")([a, b]), L.Multiply(name="multiply_3")([a, b, c]),
        L.Average(name="average_2")([a, b]), L.Average(name="average_3")([a, b, c]),
        L.Maximum(name="maximum_2")([a, b]), L.Maximum(name="maximum_3")([a, b, c]),
        L.Minimum(name="minimum_2")([a, b]), L.Minimum(name="minimum_3")([a, b, c]),
        L.Concatenate(name="concat_3")([a, b, c]), L.Concatenate(name="concat_twice")([b, b]),
    ]


def merges_wide(a, one):
    """Broadcasting: [n][5] with [n][1], as a gate."""
    return [L.Multiply(name="gate")([a, one]), L.Add(name="add_one")([a, one]),
            L.Subtract(name="one_minus")([one, a]), L.Maximum(name="floor")([a, one]),
            L.Concatenate(name="concat_uneven")([a, one])]


def merges_3d(a, b, row, flat):
    return [
        L.Concatenate(axis=1, name="concat_1")([a, b]), L.Concatenate(axis=-2, name="concat_minus_2")([b, a]),
        L.Concatenate(axis=2, name="concat_2")([a, a]),
        L.Add(name="add_broadcast")([a, row]), L.Multiply(name="multiply_broadcast")([row, b]),
        L.Add(name="add_ranks")([flat, a]),
    ]


def embeddings(x):
    e = L.Embedding(10, 3, name="embedding")(x)
    m = L.Embedding(10, 3, mask_zero=True, name="embedding_masked")(x)
    return [e, L.Flatten(name="flat")(e), L.Dense(2, name="after")(L.Flatten(name="flat_masked")(m)), m]


def masking(x):
    return [L.Masking(name="masking")(x), L.Masking(mask_value=-1.0, name="masking_minus_one")(x),
            L.Dense(3, name="dense")(L.Masking(mask_value=2.0, name="masking_two")(x))]


def shared(a, b):
    d = L.Dense(4, activation="tanh", name="shared")
    left, right = d(a), d(b)
    twice = L.Dense(4, activation="relu", name="again")
    loop = twice(twice(left))
    return [left, L.Subtract(name="difference")([left, right]), loop,
            L.Dense(2, name="top")(L.Concatenate(name="both")([right, loop, left]))]


def inner_model(name, units, shape=(5,), training=None):
    i = L.Input(shape, name=name + "_in")
    h = L.Dense(units, activation="relu", name="d1")(i)
    h = L.BatchNormalization(name="bn")(h, training=training)
    return keras.Model(i, L.Dense(units, name="d2")(h), name=name)


def nested_functional(x):
    inner = inner_model("base", 4)
    return [L.Dense(2, activation="sigmoid", name="head")(inner(x)), inner(x)]


def nested_frozen_call(x):
    """The usual recipe: base(x, training=False), base frozen."""
    inner = inner_model("base", 4)
    inner.trainable = False
    return [L.Dense(2, activation="sigmoid", name="head")(inner(x, training=False))]


def nested_twice(x):
    """Keras 3 cannot save an .h5 in which two layers inside one nested Functional share a name, at any depth."""
    inner = inner_model("inner", 4)
    i = L.Input((5,), name="middle_in")
    h = L.Dense(5, activation="tanh", name="m1")(i)
    middle = keras.Model(i, L.Add(name="join")([inner(h), L.Dense(4, name="m2")(i)]), name="middle")
    return [L.Dense(2, name="d1")(middle(x))]


def nested_ports(x, y):
    """A nested model of two inputs and two outputs, called twice; the second call swaps them."""
    a, b = L.Input((3,), name="left"), L.Input((3,), name="right")
    s = L.Dense(3, activation="relu", name="d")
    two = keras.Model([a, b], [L.Subtract(name="minus")([s(a), b]), L.Dense(2, name="e")(b)], name="two")
    p, q = two([x, y])
    r, s2 = two([y, x])
    return [L.Concatenate(name="out")([p, s2]), q, r]


def reused_output(x):
    """An input as an output, one tensor as two outputs, an output that feeds another."""
    h = L.Dense(3, activation="relu", name="h")(x)
    return [L.Dense(2, name="z")(h), h, h]


def sequential(name, shape, layers, lib=keras):
    keep_names()
    return fill(lib.Sequential([lib.layers.Input(shape)] + layers, name=name))


def all_in_one():
    return [
        L.Rescaling(0.5, name="scale"), L.Dense(6, name="d1"), L.BatchNormalization(name="bn1"),
        L.Activation("relu", name="relu1"), L.Dropout(0.3, name="drop1"), L.Dense(6, name="d2"),
        L.LeakyReLU(negative_slope=0.2, name="leaky"), L.LayerNormalization(name="ln"),
        L.Reshape((2, 3), name="pairs"), L.Dense(4, activation="gelu", name="d3"), L.PReLU(name="prelu"),
        L.Flatten(name="flat"), L.GaussianNoise(0.1, name="noise"), L.Dense(3, activation="softmax", name="out"),
    ]


def nested_sequential():
    base = keras.Sequential([L.Input((6,)), L.Dense(5, activation="relu", name="d1"),
                             L.BatchNormalization(name="bn"), L.Dense(4, name="d2")], name="base")
    return [base, L.ReLU(name="relu"), L.Dense(2, activation="sigmoid", name="head")]


def twice_nested_sequential():
    inner = keras.Sequential([L.Input((5,)), L.Dense(4, activation="tanh", name="d1"),
                              L.Dense(3, name="d2")], name="inner")
    outer = keras.Sequential([L.Input((6,)), L.Dense(5, activation="relu", name="d1"), inner,
                              L.Dense(4, name="d2")], name="outer")
    return [outer, L.Dense(2, name="d1")]


def functional_in_sequential():
    return [L.Dense(5, activation="relu", name="first"), inner_model("base", 4), L.Dense(2, name="head")]


def dict_ports():
    """Inputs and outputs given as dicts: Keras 3 writes a nest instead of a list."""
    keep_names()
    a, b = L.Input((3,), name="a"), L.Input((2,), name="b")
    h = L.Concatenate(name="both")([L.Dense(3, activation="relu", name="da")(a), b])
    outputs = {"second": L.Dense(2, name="second")(h), "first": L.Dense(1, activation="sigmoid", name="first")(h)}
    return fill(keras.Model({"b": b, "a": a}, outputs, name="ports"))


FUNCTIONALS = [
    # name, input shapes, builder
    ("activations", [(6,)], activations),
    ("dense", [(6,)], dense),
    ("dense_3d", [(3, 4)], dense_3d),
    ("dense_4d", [(2, 3, 4)], dense_4d),
    ("rectifiers", [(6,)], rectifiers),
    ("axes_3d", [(3, 4)], axes_3d),
    ("shapes_2d", [(6,)], shapes_2d),
    ("shapes_3d", [(3, 4)], shapes_3d),
    ("shapes_4d", [(2, 3, 4)], shapes_4d),
    ("noise", [(6,)], noise),
    ("norms", [(6,)], norms),
    ("merges", [(5,), (5,), (5,)], merges),
    ("merges_wide", [(5,), (1,)], merges_wide),
    ("merges_3d", [(2, 3), (4, 3), (1, 3), (3,)], merges_3d),
    ("shared", [(4,), (4,)], shared),
    ("nested_functional", [(5,)], nested_functional),
    ("nested_frozen_call", [(5,)], nested_frozen_call),
    ("nested_twice", [(5,)], nested_twice),
    ("nested_ports", [(3,), (3,)], nested_ports),
    ("reused_output", [(4,)], reused_output),
    ("embeddings", [(4,)], embeddings),
]
WITH_KINKS = {"activations", "rectifiers", "axes_3d", "norms", "k2_activations", "k2_layers"}

SEQUENTIALS = [
    ("all_in_one", (5,), all_in_one),
    ("nested_sequential", (6,), nested_sequential),
    ("twice_nested_sequential", (6,), twice_nested_sequential),
    ("functional_in_sequential", (6,), functional_in_sequential),
]


# tf_keras: the same ideas in the dialect that Keras 2 writes

def k2_activations(x):
    return [K2.Activation(a, name=f"act_{a}")(x) for a in ACTIVATIONS_K2]


def k2_rectifiers(x):
    return [
        K2.ReLU(max_value=2.5, negative_slope=0.2, threshold=0.5, name="relu_all")(x),
        K2.LeakyReLU(name="leaky")(x), K2.LeakyReLU(alpha=0.05, name="leaky_05")(x),
        K2.ELU(alpha=0.3, name="elu_03")(x),
        K2.ThresholdedReLU(name="thresholded")(x), K2.ThresholdedReLU(theta=0.5, name="thresholded_05")(x),
        K2.PReLU(name="prelu")(x), K2.PReLU(shared_axes=[1], name="prelu_shared")(x), K2.Softmax(name="softmax")(x),
        K2.BatchNormalization(name="bn")(x), K2.BatchNormalization(scale=False, name="bn_no_scale")(x),
        K2.LayerNormalization(name="ln")(x), K2.Rescaling(2.0, offset=-1.0, name="rescaling_offset")(x),
        K2.Normalization(name="normalization_weights")(x),
        K2.Normalization(mean=[0.5, -1, 2, 0, 1, -2], variance=[1, 4, 0.25, 2, 9, 1], name="normalization_given")(x),
        K2.Dense(3, use_bias=False, name="no_bias")(x), K2.AlphaDropout(0.3, name="alpha_dropout")(x),
        K2.GaussianNoise(0.5, name="gaussian_noise")(x), K2.GaussianDropout(0.3, name="gaussian_dropout")(x),
        K2.RepeatVector(2, name="repeat")(x), K2.ActivityRegularization(0.1, 0.1, name="activity")(x),
    ]


def k2_merges(a, b, c):
    return [
        K2.Add(name="add_3")([a, b, c]), K2.Subtract(name="subtract")([a, b]), K2.Multiply(name="multiply_2")([a, b]),
        K2.Average(name="average_3")([a, b, c]), K2.Maximum(name="maximum_2")([a, b]),
        K2.Minimum(name="minimum_2")([a, b]), K2.Concatenate(name="concat_3")([a, b, c]),
        K2.Permute((2, 1), name="permute_21")(K2.Reshape((5, 1), name="reshape_5_1")(a)),
    ]


def k2_embeddings(x):
    return [K2.Flatten(name="flat")(K2.Embedding(10, 3, input_length=4, name="embedding")(x))]


def k2_shared(a, b):
    d = K2.Dense(4, activation="tanh", name="shared")
    left, right = d(a), d(b)
    return [K2.Dense(2, name="top")(K2.Concatenate(name="both")([right, left])), left]


def k2_nested_functional(x):
    i = K2.Input((5,), name="base_in")
    h = K2.BatchNormalization(name="bn")(K2.Dense(4, activation="relu", name="d1")(i))
    base = tf_keras.Model(i, K2.Dense(4, name="d2")(h), name="base")
    return [K2.Dense(2, activation="sigmoid", name="head")(base(x)), base(x, training=False)]


def k2_nested_sequential():
    base = tf_keras.Sequential([K2.Input((6,)), K2.Dense(5, activation="relu", name="d1"),
                                K2.BatchNormalization(name="bn"), K2.Dense(4, name="d2")], name="base")
    return [base, K2.ReLU(name="relu"), K2.Dropout(0.5, name="drop"), K2.Dense(2, activation="sigmoid", name="head")]


FUNCTIONALS_K2 = [
    ("k2_activations", [(6,)], k2_activations),
    ("k2_layers", [(6,)], k2_rectifiers),
    ("k2_merges", [(5,), (5,), (5,)], k2_merges),
    ("k2_embeddings", [(4,)], k2_embeddings),
    ("k2_shared", [(4,), (4,)], k2_shared),
    ("k2_nested_functional", [(5,)], k2_nested_functional),
]


def input_names(model):
    if isinstance(model, tf_keras.Model):
        return model.input_names
    return [t._keras_history.operation.name for t in model.inputs]


def add_case(group, name, model, xs, framework):
    """Predicts in one batch, eagerly, as inference; stores x and y."""
    model_file = group.save(model, name + ".h5")
    given = xs if isinstance(xs, dict) else (xs if len(xs) > 1 else xs[0])
    ys = model(given, training=False)
    if isinstance(ys, dict):
        labels, ys = list(ys), list(ys.values())
    else:
        ys = list(ys) if isinstance(ys, (list, tuple)) else [ys]
        labels = getattr(model, "output_names", [model.layers[-1].name])
    inputs = xs.items() if isinstance(xs, dict) else zip(input_names(model), xs, strict=True)
    group.case(
        name=name, framework=framework, model=model_file, data=group.data_name,
        inputs=[{"name": n, "x": group.put(f"{name}/x{k}", x)} for k, (n, x) in enumerate(inputs)],
        outputs=[{"name": n, "y": group.put(f"{name}/y{k}", np.asarray(y))}
                 for k, (n, y) in enumerate(zip(labels, ys, strict=True))])


def write(out):
    group = Group(out, "layers", "y = what the model computes for x in inference mode, one output per layer variant")

    def rows(name, shapes):
        if "embeddings" in name:
            return [integers(name, 10, 5, *shapes[0])]
        if name in WITH_KINKS:
            return [kinked(name, 6, *shapes[0])]
        # Never as many rows as columns: Keras 3.15 on TensorFlow takes an addend [5][1] for a bias of 5 columns then.
        count = 7 if name == "merges_wide" else 5
        return [normal(f"{name}{k}", count, *shape) for k, shape in enumerate(shapes)]

    for name, shapes, build in FUNCTIONALS:
        add_case(group, name, functional(name, shapes, build), rows(name, shapes), "keras")
    for name, shape, build in SEQUENTIALS:
        add_case(group, name, sequential(name, shape, build()), rows(name, [shape]), "keras")
    hidden = np.array([[0, 0, 0], [1, 0, -1], [-1, -1, -1], [2, 2, 2], [2, 2, -1]], np.float32)
    add_case(group, "masking", functional("masking", [(3,)], masking), [hidden], "keras")
    steps = np.stack([hidden, hidden[::-1]])
    add_case(group, "masking_3d", functional("masking_3d", [(5, 3)], masking), [steps], "keras")
    add_case(group, "dict_ports", dict_ports(), {"a": normal("dict_a", 5, 3), "b": normal("dict_b", 5, 2)}, "keras")
    for name, shapes, build in FUNCTIONALS_K2:
        add_case(group, name, functional(name, shapes, build, tf_keras), rows(name, shapes), "tf_keras")
    name, shape, build = "k2_nested_sequential", (6,), k2_nested_sequential
    add_case(group, name, sequential(name, shape, build(), tf_keras), rows(name, [shape]), "tf_keras")
    group.close()
