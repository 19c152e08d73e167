"""Group `training`: what fit() does to every loss, optimizer, schedule, regulariser, constraint and trainable layer.

36 rows, batches of 16 (the last has 4), no shuffle, no dropout, no XLA. Each case is also run in float64;
`rounding` is the largest difference of a final weight, so a reader knows what tolerance is fair.
"""
import numpy as np

from fx_common import Group, fill, integers, keep_names, keras, normal, rng, slots, weights_by_path
from fx_layers import ACTIVATIONS

L = keras.layers
R = keras.regularizers
C = keras.constraints
S = keras.optimizers.schedules
ROWS, BATCH = 36, 16


# Data, shared by name

def one_hot(labels, classes):
    return np.eye(classes, dtype=np.float32)[labels.astype(int).ravel()]


def data():
    x8 = normal("x8", ROWS, 8)
    score = x8 @ normal("score", 8, 3) + 0.3 * normal("noise3", ROWS, 3)
    labels = score.argmax(axis=1).astype(np.float32)
    yes = (score[:, :1] > 0).astype(np.float32)
    soft = np.exp(score) / np.exp(score).sum(axis=1, keepdims=True)
    return {
        "x8": x8, "x8_b": normal("x8_b", ROWS, 8), "x3x4": normal("x3x4", ROWS, 3, 4),
        "tokens": integers("tokens", 7, ROWS, 4), "binary": yes, "sign": 2 * yes - 1, "onehot3": one_hot(labels, 3),
        "class3": labels.reshape(-1, 1), "flat3": labels, "multilabel3": (score > 0).astype(np.float32),
        "soft3": soft, "real2": score[:, :2], "real1": score[:, :1], "counts2": rng("counts").poisson(2, (ROWS, 2)),
        "weights": rng("weights").uniform(0, 2, ROWS), "weights_b": rng("weights_b").uniform(0, 1, ROWS),
        "steps_class": integers("steps_class", 3, ROWS, 3), "padded": padded(x8),
    }


def padded(x8):
    """[36][3][4] with whole steps of zeros, for Masking."""
    x = np.concatenate([x8, x8[:, ::2]], axis=1).reshape(ROWS, 3, 4).copy()
    x[::3, 2] = 0
    x[::5, 1:] = 0
    return x


# Models: a function each; the first use saves it under the function's name

def dense_model(units, hidden, last, name="net", **options):
    return keras.Sequential([L.Input((8,)), L.Dense(6, activation=hidden, name="hidden"),
                             L.Dense(units, activation=last, name="out", **options)], name=name)


def binary():
    return dense_model(1, "relu", "sigmoid")


def binary_split():
    """The sigmoid is a layer of its own."""
    model = dense_model(1, "relu", "linear")
    model.add(L.Activation("sigmoid", name="sigmoid"))
    return model


def binary_hard():
    """Probabilities that are not a sigmoid's: the loss must clip them."""
    return dense_model(1, "relu", "hard_sigmoid")


def binary_reshaped():
    """A sigmoid that is not last: Keras computes the loss from probabilities then."""
    model = dense_model(2, "relu", "sigmoid")
    model.add(L.Reshape((2,), name="same"))
    return model


def linear1():
    return dense_model(1, "tanh", "linear")


def linear2():
    return dense_model(2, "tanh", "linear")


def linear3():
    return dense_model(3, "tanh", "linear")


def softmax3():
    return dense_model(3, "tanh", "softmax")


def softmax3_layer():
    model = dense_model(3, "tanh", "linear")
    model.add(L.Softmax(name="softmax"))
    return model


def softplus3():
    return dense_model(3, "tanh", "softplus")


def sigmoid3():
    return dense_model(3, "relu", "sigmoid")


def softplus2():
    return dense_model(2, "tanh", "softplus")


def steps_softmax():
    return keras.Sequential([L.Input((3, 4)), L.Dense(5, activation="relu", name="hidden"),
                             L.Dense(3, activation="softmax", name="out")], name="steps")


def masked_steps():
    return keras.Sequential([L.Input((3, 4)), L.Masking(name="mask"), L.Dense(5, activation="tanh", name="hidden"),
                             L.Dense(3, activation="softmax", name="out")], name="masked")


def masked_flat():
    return keras.Sequential([L.Input((3, 4)), L.Masking(name="mask"), L.Dense(5, activation="tanh", name="hidden"),
                             L.Flatten(name="flat"), L.Dense(3, activation="softmax", name="out")], name="masked")


def regularized(**options):
    hidden = {k[7:]: v for k, v in options.items() if k.startswith("hidden_")}
    last = {k[4:]: v for k, v in options.items() if k.startswith("out_")}
    return keras.Sequential([L.Input((8,)), L.Dense(6, activation="tanh", name="hidden", **hidden),
                             L.Dense(2, name="out", **last)], name="regularized")


def reg_l1():
    return regularized(hidden_kernel_regularizer=R.L1(0.02), out_bias_regularizer=R.L1(0.01))


def reg_l2():
    return regularized(hidden_kernel_regularizer=R.L2(0.02), out_bias_regularizer=R.L2(0.05))


def reg_l1l2():
    return regularized(hidden_kernel_regularizer=R.L1L2(0.01, 0.02), out_kernel_regularizer=R.L1L2(l1=0.03))


def reg_activity():
    return regularized(hidden_activity_regularizer=R.L1(0.02), out_activity_regularizer=R.L2(0.03))


def reg_activity_layer():
    return keras.Sequential([L.Input((8,)), L.Dense(6, activation="tanh", name="hidden"),
                             L.ActivityRegularization(l1=0.01, l2=0.02, name="activity"), L.Dense(2, name="out")],
                            name="activity")


def reg_frozen():
    """The frozen layer's kernel penalty is not counted; its activity penalty is."""
    model = regularized(hidden_kernel_regularizer=R.L2(0.5), hidden_activity_regularizer=R.L2(0.05),
                        out_kernel_regularizer=R.L2(0.02))
    model.get_layer("hidden").trainable = False
    return model


def reg_other():
    return keras.Sequential([
        L.Input((4,)), L.Embedding(7, 3, embeddings_regularizer=R.L2(0.02), name="embedding"), L.Flatten(name="flat"),
        L.BatchNormalization(gamma_regularizer=R.L1(0.02), beta_regularizer=R.L2(0.03), name="bn"),
        L.PReLU(alpha_regularizer=R.L2(0.05), name="prelu"),
        L.LayerNormalization(gamma_regularizer=R.L2(0.01), beta_regularizer=R.L1(0.01), name="ln"),
        L.Dense(2, name="out")], name="reg_other")


def max_norm():
    return regularized(hidden_kernel_constraint=C.MaxNorm(0.9), out_kernel_constraint=C.MaxNorm(0.5, axis=1),
                       hidden_bias_constraint=C.MaxNorm(0.2))


def non_neg():
    return regularized(hidden_kernel_constraint=C.NonNeg(), out_bias_constraint="non_neg")


def unit_norm():
    return regularized(hidden_kernel_constraint=C.UnitNorm(), out_kernel_constraint=C.UnitNorm(axis=1))


def normalised(*layers):
    """No bias below: BatchNormalization cancels it, its gradient is pure rounding, and Adam would make steps of that."""
    return keras.Sequential([L.Input((8,)), L.Dense(6, use_bias=False, name="hidden"), *layers, L.Activation("tanh", name="tanh"),
                             L.Dense(3, activation="softmax", name="out")], name="normalised")


def batchnorm():
    return normalised(L.BatchNormalization(name="norm"))


def batchnorm_plain():
    return normalised(L.BatchNormalization(center=False, scale=False, momentum=0.8, epsilon=0.01, name="norm"))


def batchnorm_first():
    """On the input: its gradient goes nowhere, its statistics still move."""
    return keras.Sequential([L.Input((8,)), L.BatchNormalization(momentum=0.9, name="norm"),
                             L.Dense(3, activation="softmax", name="out")], name="first")


def batchnorm_frozen():
    model = batchnorm()
    model.get_layer("norm").trainable = False
    return model


def batchnorm_3d():
    return keras.Sequential([L.Input((3, 4)), L.BatchNormalization(momentum=0.9, name="last"),
                             L.Dense(5, activation="tanh", name="hidden"),
                             L.BatchNormalization(axis=1, momentum=0.9, name="steps"), L.Flatten(name="flat"),
                             L.Dense(3, activation="softmax", name="out")], name="batchnorm_3d")


def layernorm():
    return normalised(L.LayerNormalization(name="norm"))


def layernorm_plain():
    return normalised(L.LayerNormalization(center=False, scale=False, epsilon=0.01, name="norm"))


def layernorm_axes():
    return keras.Sequential([L.Input((3, 4)), L.Dense(4, name="hidden"), L.LayerNormalization(axis=[1, 2], name="both"),
                             L.LayerNormalization(axis=1, name="steps"), L.LayerNormalization(rms_scaling=True, name="rms"),
                             L.Flatten(name="flat"), L.Dense(3, activation="softmax", name="out")], name="axes")


def rectifiers():
    i = L.Input((8,), name="x")
    kinds = [L.PReLU(name="prelu"), L.PReLU(shared_axes=[1], name="prelu_shared"), L.LeakyReLU(0.2, name="leaky"),
             L.ReLU(max_value=1, negative_slope=0.1, threshold=0.2, name="relu_all"), L.ELU(0.5, name="elu"),
             L.Softmax(name="softmax"), L.ReLU(max_value=0.5, name="relu_max")]
    branches = [kind(L.Dense(3, name=f"d_{kind.name}")(i)) for kind in kinds]
    return keras.Model(i, L.Dense(2, name="out")(L.Concatenate(name="all")(branches)), name="rectifiers")


def activations():
    """Every activation gets a branch of its own: the step of its Dense tells its derivative.

    Not glu: Keras 3.15 takes its output to be as wide as its input, and the next layer then refuses it.
    """
    i = L.Input((8,), name="x")
    branches = [L.Dense(2, activation=a, name=f"d_{a}")(i) for a in ACTIVATIONS if a != "glu"]
    return keras.Model(i, L.Dense(1, name="out")(L.Concatenate(name="all")(branches)), name="activations")


def embedding():
    return keras.Sequential([L.Input((4,)), L.Embedding(7, 3, name="embedding"), L.Flatten(name="flat"),
                             L.Dense(3, activation="softmax", name="out")], name="embedding")


def shapes():
    """Gradients through Permute, Reshape, RepeatVector, Flatten, Softmax over an inner axis, Dense on 3-D."""
    i = L.Input((8,), name="x")
    h = L.Reshape((2, 4), name="reshape")(L.Dense(8, activation="tanh", name="hidden")(i))
    h = L.Permute((2, 1), name="permute")(h)
    h = L.PReLU(shared_axes=[1], name="prelu")(L.Dense(3, name="inner")(h))
    h = L.Softmax(axis=1, name="softmax")(h)
    r = L.RepeatVector(4, name="repeat")(L.Dense(3, activation="tanh", name="side")(i))
    h = L.Multiply(name="gate")([h, r])
    return keras.Model(i, L.Dense(2, name="out")(L.Flatten(name="flat")(h)), name="shapes")


def merges():
    i = L.Input((8,), name="x")
    a, b, c = (L.Dense(4, activation="tanh", name=n)(i) for n in ("a", "b", "c"))
    one = L.Dense(1, activation="sigmoid", name="one")(i)
    merged = [L.Add(name="add")([a, b, c]), L.Subtract(name="subtract")([a, b]), L.Multiply(name="multiply")([a, b, c]),
              L.Average(name="average")([b, c]), L.Maximum(name="maximum")([a, b, c]), L.Minimum(name="minimum")([a, c]),
              L.Multiply(name="gate")([c, one])]
    return keras.Model(i, L.Dense(2, name="out")(L.Concatenate(name="all")(merged)), name="merges")


def scaled():
    n = L.Normalization(name="normalization")
    return keras.Sequential([L.Input((8,)), n, L.Rescaling(0.5, offset=0.1, name="rescaling"),
                             L.Dense(6, activation="relu", name="hidden"), L.Dense(2, name="out")], name="scaled")


def shared():
    a, b = L.Input((8,), name="a"), L.Input((8,), name="b")
    d = L.Dense(5, activation="tanh", name="shared")
    h = L.Subtract(name="difference")([d(a), d(b)])
    again = L.Dense(5, activation="tanh", name="again")
    return keras.Model([a, b], L.Dense(1, activation="sigmoid", name="out")(again(again(h))), name="shared")


def inner(training=None):
    i = L.Input((8,), name="base_in")
    h = L.BatchNormalization(momentum=0.9, name="bn")(L.Dense(5, activation="relu", name="d1")(i), training=training)
    return keras.Model(i, L.Dense(4, activation="tanh", name="d2")(h), name="base")


def nested(prepare=None, training=None):
    i = L.Input((8,), name="x")
    base = inner()
    if prepare:
        prepare(base)
    h = base(i) if training is None else base(i, training=training)
    return keras.Model(i, L.Dense(3, activation="softmax", name="head")(h), name="nested")


def nested_live():
    return nested()


def nested_frozen():
    def prepare(base):
        base.trainable = False
    return nested(prepare)


def nested_frozen_call():
    """base(x, training=False) with a frozen base: the usual recipe."""
    def prepare(base):
        base.trainable = False
    return nested(prepare, training=False)


def nested_live_call():
    """base(x, training=False) with a live base: statistics stand still, gamma, beta and kernels move."""
    return nested(training=False)


def nested_first_frozen():
    def prepare(base):
        base.get_layer("d1").trainable = False
    return nested(prepare)


def nested_middle_frozen():
    def prepare(base):
        base.get_layer("bn").trainable = False
    return nested(prepare)


def nested_freed():
    """The whole base frozen, then d2 freed: Keras trains d2."""
    def prepare(base):
        base.trainable = False
        base.get_layer("d2").trainable = True
    return nested(prepare)


def nested_sequential():
    base = keras.Sequential([L.Input((8,)), L.Dense(5, activation="relu", name="d1"), L.Dense(4, name="d2")], name="base")
    return keras.Sequential([L.Input((8,)), base, L.Dense(3, activation="softmax", name="head")], name="outer")


def nested_call_twice():
    a, b = L.Input((8,), name="a"), L.Input((8,), name="b")
    base = inner()
    h = L.Concatenate(name="both")([base(a), base(b)])
    return keras.Model([a, b], L.Dense(1, activation="sigmoid", name="out")(h), name="twice")


def two_outputs():
    i = L.Input((8,), name="x")
    h = L.Dense(6, activation="relu", name="hidden")(i)
    return keras.Model(i, [L.Dense(3, activation="softmax", name="kind")(h), L.Dense(2, name="size")(h)], name="two")


def all_frozen_but_bias_free():
    model = keras.Sequential([L.Input((8,)), L.Dense(6, activation="relu", name="d1"),
                              L.Dense(5, activation="relu", use_bias=False, name="d2"),
                              L.Dense(5, activation="relu", name="d3"), L.Dense(2, name="out")], name="deep")
    for name in ("d1", "d3"):
        model.get_layer(name).trainable = False
    return model


# Cases

def loss(name, **config):
    return {"name": name, **config}


LOSSES = {
    "binary_crossentropy": ("BinaryCrossentropy", {"from_logits": False, "label_smoothing": 0.0}),
    "categorical_crossentropy": ("CategoricalCrossentropy", {"from_logits": False, "label_smoothing": 0.0}),
    "sparse_categorical_crossentropy": ("SparseCategoricalCrossentropy", {"from_logits": False}),
    "mean_squared_error": ("MeanSquaredError", {}), "mean_absolute_error": ("MeanAbsoluteError", {}),
    "huber": ("Huber", {"delta": 1.0}), "hinge": ("Hinge", {}), "kl_divergence": ("KLDivergence", {}),
    "poisson": ("Poisson", {}), "cosine_similarity": ("CosineSimilarity", {"axis": -1}),
}
BCE, CCE, SCCE = (loss(n) for n in ("binary_crossentropy", "categorical_crossentropy",
                                    "sparse_categorical_crossentropy"))
MSE = loss("mean_squared_error")
OPTIMIZERS = {"sgd": "SGD", "rmsprop": "RMSprop", "adam": "Adam", "adamw": "AdamW", "adagrad": "Adagrad",
              "adadelta": "Adadelta", "adamax": "Adamax", "nadam": "Nadam"}
SCHEDULES = {"cosine_decay": "CosineDecay", "exponential_decay": "ExponentialDecay",
             "piecewise_constant_decay": "PiecewiseConstantDecay"}


def optimizer(name, rate, **config):
    return {"name": name, "learning_rate": rate, **config}


ADAM = optimizer("adam", 0.01)
SGD = optimizer("sgd", 0.1)


def case(name, model, y, losses, opt=ADAM, x="x8", metrics=(), **more):
    as_list = lambda v: list(v) if isinstance(v, (list, tuple)) else [v]  # noqa: E731
    return {"name": name, "model": model, "x": as_list(x), "y": as_list(y), "losses": as_list(losses), "opt": opt,
            "metrics": list(metrics), **more}


def loss_cases():
    accuracy = ["accuracy"]
    yield case("bce", binary, "binary", BCE, metrics=accuracy)
    yield case("bce_smooth", binary, "binary", loss("binary_crossentropy", label_smoothing=0.2), metrics=accuracy)
    yield case("bce_activation_layer", binary_split, "binary", BCE, metrics=accuracy)
    yield case("bce_multilabel", sigmoid3, "multilabel3", BCE, metrics=["accuracy", "binary_accuracy"])
    yield case("bce_from_logits", linear1, "binary", loss("binary_crossentropy", from_logits=True))
    yield case("bce_from_probabilities", binary_hard, "binary", BCE, metrics=accuracy)
    yield case("bce_sigmoid_not_last", binary_reshaped, "real2_binary", BCE)
    yield case("bce_of_softmax", softmax3, "onehot3", BCE)
    yield case("cce", softmax3, "onehot3", CCE, metrics=accuracy)
    yield case("cce_smooth", softmax3, "onehot3", loss("categorical_crossentropy", label_smoothing=0.2))
    yield case("cce_softmax_layer", softmax3_layer, "onehot3", CCE, metrics=accuracy)
    yield case("cce_from_logits", linear3, "onehot3", loss("categorical_crossentropy", from_logits=True))
    yield case("cce_renormalised", softplus3, "onehot3", CCE)
    yield case("cce_soft_labels", softmax3, "soft3", CCE)
    yield case("cce_of_sigmoid", sigmoid3, "onehot3", CCE, metrics=accuracy)
    yield case("scce", softmax3, "class3", SCCE, metrics=accuracy)
    yield case("scce_flat_labels", softmax3, "flat3", SCCE, metrics=accuracy)
    yield case("scce_from_logits", linear3, "class3", loss("sparse_categorical_crossentropy", from_logits=True))
    yield case("scce_renormalised", softplus3, "class3", SCCE, metrics=accuracy)
    yield case("scce_steps", steps_softmax, "steps_class", SCCE, x="x3x4", metrics=accuracy)
    yield case("mse", linear2, "real2", MSE, metrics=["mean_squared_error", "mean_absolute_error",
                                                      "root_mean_squared_error", "r2_score"])
    yield case("mse_flat_target", linear1, "flat_real", MSE)
    yield case("mae", linear2, "real2", loss("mean_absolute_error"))
    yield case("huber", linear2, "real2", loss("huber"))
    yield case("huber_delta", linear2, "real2", loss("huber", delta=0.3))
    yield case("hinge", linear1, "sign", loss("hinge"))
    yield case("hinge_zero_one", linear1, "binary", loss("hinge"))
    yield case("kl", softmax3, "soft3", loss("kl_divergence"))
    yield case("kl_one_hot", softmax3, "onehot3", loss("kl_divergence"))
    yield case("poisson", softplus2, "counts2", loss("poisson"))
    yield case("cosine", linear2, "real2", loss("cosine_similarity"))


def weight_cases():
    uneven = {"0": 0.5, "1": 3.0}
    yield case("bce_sample_weight", binary, "binary", BCE, metrics=["accuracy"], sample_weight=["weights"])
    yield case("mse_sample_weight", linear2, "real2", MSE, metrics=["mean_absolute_error"], sample_weight=["weights"])
    yield case("bce_class_weight", binary, "binary", BCE, metrics=["accuracy"], class_weight=uneven)
    yield case("cce_class_weight", softmax3, "onehot3", CCE, class_weight={"0": 2.0, "1": 0.5, "2": 1.5})
    yield case("scce_class_weight_missing", softmax3, "class3", SCCE, class_weight={"2": 3.0})
    yield case("scce_steps_masked", masked_steps, "steps_class", SCCE, x="padded", metrics=["accuracy"])
    yield case("cce_mask_flattened", masked_flat, "onehot3", CCE, x="padded", metrics=["accuracy"])
    yield case("val_split", binary, "binary", BCE, metrics=["accuracy"], validation_split=0.3)
    yield case("val_split_weighted", binary, "binary", BCE, metrics=["accuracy"], validation_split=0.3,
               sample_weight=["weights"])


def optimizer_cases():
    table = [
        ("sgd", SGD), ("sgd_momentum", optimizer("sgd", 0.1, momentum=0.9)),
        ("sgd_nesterov", optimizer("sgd", 0.1, momentum=0.9, nesterov=True)),
        ("sgd_weight_decay", optimizer("sgd", 0.1, weight_decay=0.1)),
        ("rmsprop", optimizer("rmsprop", 0.01)), ("rmsprop_momentum", optimizer("rmsprop", 0.01, momentum=0.8)),
        ("rmsprop_centered", optimizer("rmsprop", 0.01, centered=True, rho=0.8)),
        ("rmsprop_all", optimizer("rmsprop", 0.01, centered=True, momentum=0.5, epsilon=1e-4)),
        ("adam", ADAM), ("adam_default", optimizer("adam", 0.001)),
        ("adam_amsgrad", optimizer("adam", 0.01, amsgrad=True)),
        ("adam_betas", optimizer("adam", 0.02, beta_1=0.5, beta_2=0.9, epsilon=0.01)),
        ("adam_weight_decay", optimizer("adam", 0.01, weight_decay=0.1)),
        ("adamw", optimizer("adamw", 0.01)), ("adamw_strong", optimizer("adamw", 0.01, weight_decay=0.3)),
        ("adamw_no_bias_decay", optimizer("adamw", 0.01, weight_decay=0.3, exclude_from_weight_decay=["bias"])),
        ("adagrad", optimizer("adagrad", 0.05)),
        ("adagrad_options", optimizer("adagrad", 0.05, initial_accumulator_value=0.01, epsilon=1e-4)),
        ("adadelta", optimizer("adadelta", 1.0)), ("adadelta_options", optimizer("adadelta", 0.5, rho=0.8, epsilon=1e-5)),
        ("adamax", optimizer("adamax", 0.01)), ("adamax_options", optimizer("adamax", 0.01, beta_1=0.8, beta_2=0.9)),
        ("nadam", optimizer("nadam", 0.01)), ("nadam_options", optimizer("nadam", 0.01, beta_1=0.8, beta_2=0.9)),
        ("sgd_clipnorm", optimizer("sgd", 0.5, clipnorm=0.1)), ("sgd_clipvalue", optimizer("sgd", 0.5, clipvalue=0.02)),
        ("sgd_global_clipnorm", optimizer("sgd", 0.5, global_clipnorm=0.2)),
        ("adam_clipnorm", optimizer("adam", 0.01, clipnorm=0.05)),
        ("adam_clipvalue", optimizer("adam", 0.01, clipvalue=0.01)),
        ("adam_global_clipnorm", optimizer("adam", 0.01, global_clipnorm=0.1)),
        ("adamw_global_clipnorm", optimizer("adamw", 0.01, global_clipnorm=0.1, weight_decay=0.2)),
    ]
    for name, opt in table:
        yield case("opt_" + name, softmax3, "onehot3", CCE, opt, metrics=["accuracy"], slots=True)


def schedule_cases():
    def rate(name, **config):
        return {"name": name, **config}

    table = [
        ("cosine", rate("cosine_decay", initial_learning_rate=0.2, decay_steps=7, alpha=0.1)),
        ("cosine_warmup", rate("cosine_decay", initial_learning_rate=0.0, decay_steps=5, warmup_target=0.2,
                               warmup_steps=3, alpha=0.05)),
        ("exponential", rate("exponential_decay", initial_learning_rate=0.2, decay_steps=4, decay_rate=0.5,
                             staircase=False)),
        ("staircase", rate("exponential_decay", initial_learning_rate=0.2, decay_steps=4, decay_rate=0.5,
                           staircase=True)),
        ("step", rate("piecewise_constant_decay", boundaries=[2, 6], values=[0.2, 0.1, 0.02])),
    ]
    for name, schedule in table:
        yield case("lr_" + name, softmax3, "onehot3", CCE, optimizer("sgd", schedule))
    yield case("lr_cosine_adam", softmax3, "onehot3", CCE, optimizer("adam", table[1][1]), slots=True)
    yield case("lr_plateau", linear2, "real2", MSE, optimizer("sgd", 0.8, momentum=0.5), epochs=8,
               callbacks=[{"name": "reduce_lr_on_plateau", "monitor": "loss", "factor": 0.3, "patience": 1,
                           "min_delta": 0.1, "cooldown": 1, "min_lr": 0.02}])


def penalty_cases():
    for model in (reg_l1, reg_l2, reg_l1l2, reg_activity, reg_activity_layer, reg_frozen, max_norm, non_neg, unit_norm):
        yield case(model.__name__, model, "real2", MSE, SGD, metrics=["mean_squared_error"])
    yield case("reg_other", reg_other, "real2", MSE, optimizer("sgd", 0.05), x="tokens", metrics=["mean_squared_error"])
    yield case("reg_sample_weight", reg_l2, "real2", MSE, SGD, sample_weight=["weights"])


def layer_cases():
    both = ["x8", "x8_b"]
    for model in (batchnorm, batchnorm_plain, batchnorm_first, batchnorm_frozen, layernorm, layernorm_plain):
        yield case(model.__name__, model, "onehot3", CCE, metrics=["accuracy"])
    for model in (batchnorm_3d, layernorm_axes):
        yield case(model.__name__, model, "onehot3", CCE, x="x3x4", metrics=["accuracy"])
    yield case("activations", activations, "real1", MSE, optimizer("sgd", 0.02), epochs=1)
    for model in (rectifiers, shapes, merges, scaled):
        yield case(model.__name__, model, "real2", MSE, optimizer("sgd", 0.05))
    yield case("embedding", embedding, "onehot3", CCE, x="tokens")
    yield case("embedding_sgd", embedding, "onehot3", CCE, SGD, x="tokens")
    yield case("shared", shared, "binary", BCE, x=both, metrics=["accuracy"])
    yield case("nested_call_twice", nested_call_twice, "binary", BCE, optimizer("sgd", 0.1), x=both)
    for model in (nested_live, nested_frozen, nested_frozen_call, nested_live_call, nested_first_frozen,
                  nested_middle_frozen, nested_freed, nested_sequential):
        yield case(model.__name__, model, "onehot3", CCE, metrics=["accuracy"])
    yield case("frozen_subset", all_frozen_but_bias_free, "real2", MSE)


def head_cases():
    heads = dict(y=["class3", "real2"], losses=[SCCE, loss("huber", delta=0.5)])
    yield case("two_outputs", two_outputs, **heads)
    yield case("two_outputs_weighted", two_outputs, **heads, loss_weights=[0.3, 2.0],
               metrics=[["accuracy"], ["mean_absolute_error"]])
    yield case("two_outputs_sample_weight", two_outputs, **heads, loss_weights=[1.0, 0.5],
               sample_weight=["weights", "weights_b"])


def all_cases():
    for make in (loss_cases, weight_cases, optimizer_cases, schedule_cases, penalty_cases, layer_cases, head_cases):
        yield from make()


# Running a case

def make_loss(row):
    kind, _ = LOSSES[row["name"]]
    return getattr(keras.losses, kind)(**{k: v for k, v in row.items() if k != "name"})


def make_rate(row):
    if not isinstance(row, dict):
        return row
    return getattr(S, SCHEDULES[row["name"]])(**{k: v for k, v in row.items() if k != "name"})


def make_optimizer(row):
    options = {k: v for k, v in row.items() if k not in ("name", "learning_rate", "exclude_from_weight_decay")}
    made = getattr(keras.optimizers, OPTIMIZERS[row["name"]])(make_rate(row["learning_rate"]), **options)
    if "exclude_from_weight_decay" in row:
        made.exclude_from_weight_decay(var_names=row["exclude_from_weight_decay"])
    return made


def full_loss(row):
    return {"name": row["name"], **LOSSES[row["name"]][1], **{k: v for k, v in row.items() if k != "name"}}


def full_optimizer(row):
    """With every default written out, so that a reader needs no table of defaults."""
    skip = {"name", "learning_rate", "use_ema", "ema_momentum", "ema_overwrite_frequency", "loss_scale_factor",
            "gradient_accumulation_steps"}
    config = {k: v for k, v in make_optimizer(row).get_config().items() if k not in skip and v is not None}
    return {"name": row["name"], "learning_rate": row["learning_rate"], **config,
            **{k: v for k, v in row.items() if k == "exclude_from_weight_decay"}}


class Rates(keras.callbacks.Callback):
    """The learning rate that each step used."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def on_train_batch_begin(self, batch, logs=None):
        self.seen.append(float(self.model.optimizer.learning_rate))


def make_callbacks(rows):
    kinds = {"reduce_lr_on_plateau": keras.callbacks.ReduceLROnPlateau, "early_stopping": keras.callbacks.EarlyStopping}
    return [kinds[row["name"]](**{k: v for k, v in row.items() if k != "name"}) for row in rows]


def make_metrics(names):
    """Names that inarch lists; Keras knows two of them as classes only."""
    classes = {"r2_score": lambda: keras.metrics.R2Score(name="r2_score"),
               "root_mean_squared_error": lambda: keras.metrics.RootMeanSquaredError(name="root_mean_squared_error")}
    return [make_metrics(n) if isinstance(n, list) else classes[n]() if n in classes else n for n in names]


def unwrap(values):
    return values if len(values) > 1 else values[0]


def predict(model, xs):
    ys = model(unwrap(xs), training=False)
    return [np.asarray(y) for y in (ys if isinstance(ys, (list, tuple)) else [ys])]


def run(row, arrays, initial=None):
    """Trains once; `initial` are weights to start from (for float64), else those of fill()."""
    keep_names()
    keras.utils.set_random_seed(0)
    model = row["model"]()
    fill(model)
    if initial:
        for (_, variable, _), value in zip(weights_by_path(model), initial, strict=True):
            variable.assign(value)
    start = [np.asarray(v) for _, v, _ in weights_by_path(model)]
    weights = row.get("loss_weights")
    model.compile(make_optimizer(row["opt"]), unwrap([make_loss(r) for r in row["losses"]]), loss_weights=weights,
                  metrics=make_metrics(row["metrics"]) or None, jit_compile=False)
    kind = keras.config.floatx()
    xs, ys = ([arrays[k].astype(kind) for k in row[part]] for part in ("x", "y"))
    sample = [arrays[k].astype(kind) for k in row.get("sample_weight", [])]
    classes = {int(k): v for k, v in row["class_weight"].items()} if "class_weight" in row else None
    before = predict(model, xs)
    rates = Rates()
    history = model.fit(unwrap(xs), unwrap(ys), sample_weight=unwrap(sample) if sample else None, class_weight=classes,
                        batch_size=BATCH, epochs=row.get("epochs", 3), shuffle=False, verbose=0,
                        validation_split=row.get("validation_split", 0.0),
                        callbacks=[rates] + make_callbacks(row.get("callbacks", [])))
    scores = model.evaluate(unwrap(xs), unwrap(ys), sample_weight=unwrap(sample) if sample else None,
                            batch_size=BATCH, verbose=0, return_dict=True)
    return model, start, before, history.history, scores, rates.seen


def in_float64(row, arrays, start):
    keras.config.set_floatx("float64")
    try:
        model = run(row, arrays, start)[0]
        return [np.asarray(v) for _, v, _ in weights_by_path(model)]
    finally:
        keras.config.set_floatx("float32")


def initial_model(group, model_function):
    """The model as it is before training, saved without compile state."""
    name = model_function.__name__ + ".h5"
    if name not in group.models:
        keep_names()
        group.save(fill(model_function()), name)
    return name


def numbers(table):
    return {k: [float(v) for v in values] if isinstance(values, list) else float(values) for k, values in table.items()}


def write_case(group, row, arrays):
    name = row["name"]
    file = initial_model(group, row["model"])
    model, start, before, history, scores, rates = run(row, arrays)
    final = [(path, np.asarray(v), live) for path, v, live in weights_by_path(model)]
    double = in_float64(row, arrays, start)
    rounding = max(float(np.abs(a[1] - b).max()) for a, b in zip(final, double, strict=True))
    for (path, value, live), old in zip(final, start, strict=True):
        assert live or "moving" in path or np.array_equal(value, old), path
    xs = [arrays[k] for k in row["x"]]
    entry = {"name": name, "model": file, "data": group.data_name,
             "x": [group.put(k, arrays[k]) for k in row["x"]], "y": [group.put(k, arrays[k]) for k in row["y"]],
             "fit": {"losses": [full_loss(r) for r in row["losses"]], "loss_weights": row.get("loss_weights"),
                     "metrics": row["metrics"], "optimizer": full_optimizer(row["opt"]),
                     "epochs": row.get("epochs", 3), "batch_size": BATCH,
                     **{k: row[k] for k in ("class_weight", "validation_split", "callbacks") if k in row}},
             "history": numbers(history), "evaluate": numbers(scores),
             "before": [group.put(f"{name}/before{k}", y) for k, y in enumerate(before)],
             "after": [group.put(f"{name}/after{k}", y) for k, y in enumerate(predict(model, xs))],
             "weights": [{"path": path, "live": live, "array": group.put(f"{name}/w/{path}", value)}
                         for path, value, live in final],
             "rounding": float(f"{rounding:.1e}")}
    if "sample_weight" in row:
        entry["sample_weight"] = [group.put(k, arrays[k]) for k in row["sample_weight"]]
    if len(set(rates)) > 1:
        entry["learning_rates"] = rates
    if "slots" in row:
        entry["iterations"] = int(model.optimizer.iterations)
        entry["slots"] = {path: {slot: group.put(f"{name}/slot/{path}/{slot}", value) for slot, value in table.items()}
                          for path, table in slots(model).items() if table}
    group.case(**entry)
    return rounding


def write(out):
    group = Group(out, "training", "fit() without shuffle: history, weights by path, predictions before and after")
    arrays = data()
    arrays["real2_binary"] = (arrays["real2"] > 0).astype(np.float32)
    arrays["flat_real"] = arrays["real1"].ravel()
    arrays = {k: np.asarray(v, np.float32) for k, v in arrays.items()}
    found = []
    for row in all_cases():
        try:
            found.append((write_case(group, row, arrays), row["name"]))
        except Exception as error:
            raise RuntimeError(f"case {row['name']}") from error
    group.close()
    for rounding, name in sorted(found, reverse=True)[:8]:
        print(f"  {name}: rounding {rounding:.1e}")
