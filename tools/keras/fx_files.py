"""Group `files`: one tiny .h5 of each dialect, with what a reader must find in it."""
import numpy as np

from fx_common import Group, fill, is_model, keep_names, keras, normal, slots, tf_keras, weights_by_path

K2 = tf_keras.layers
FIT = dict(batch_size=8, epochs=2, shuffle=False, verbose=0)


@keras.saving.register_keras_serializable(package="fixtures")
class Scale(keras.layers.Layer):
    """A layer that no reader knows: y = x * factor * weight."""

    def __init__(self, factor=2.0, extra=None, **options):
        super().__init__(**options)
        self.factor = factor
        self.extra = extra

    def build(self, shape):
        self.weight = self.add_weight(shape=(shape[-1],), initializer="ones", name="weight")

    def call(self, x):
        return x * self.factor * self.weight

    def get_config(self):
        return {**super().get_config(), "factor": self.factor, "extra": self.extra}


def layer_rows(model, prefix=""):
    """Every layer from the outside in: path, class, its own trainable flag, number of weights."""
    rows = []
    for layer in model.layers:
        path = prefix + layer.name
        flag = layer._trainable if is_model(layer) or not hasattr(layer, "_trainable") else layer.trainable
        rows.append({"path": path, "class": type(layer).__name__, "trainable": bool(flag)})
        if is_model(layer):
            rows += layer_rows(layer, path + "/")
    return rows


def base(lib, name="base"):
    i = lib.layers.Input((5,), name=name + "_in")
    h = lib.layers.BatchNormalization(name="bn")(lib.layers.Dense(4, activation="relu", name="d1")(i))
    return lib.Model(i, lib.layers.Dense(4, activation="tanh", name="d2")(h), name=name)


def sequential(lib):
    layers = lib.layers
    slope = {"negative_slope": 0.1} if lib is keras else {"alpha": 0.1}
    return lib.Sequential([
        layers.Input((5,)), layers.Dense(4, activation="relu", name="d1"), layers.BatchNormalization(name="bn"),
        layers.Dropout(0.25, name="drop"), layers.Dense(4, kernel_regularizer="l2", name="d2"),
        layers.LeakyReLU(name="leaky", **slope), layers.Dense(1, activation="sigmoid", name="out")], name="seq")


def nested(lib):
    """A frozen layer inside a nested model, another frozen one outside."""
    i = lib.layers.Input((5,), name="x")
    inner = base(lib)
    inner.get_layer("d1").trainable = False
    h = lib.layers.Dense(3, activation="relu", name="mid")(inner(i))
    model = lib.Model(i, lib.layers.Dense(3, activation="softmax", name="out")(h), name="net")
    model.get_layer("mid").trainable = False
    return model


def shared_ports(lib):
    """Two inputs, a shared layer, two outputs with losses and metrics of their own."""
    a, b = lib.layers.Input((5,), name="a"), lib.layers.Input((5,), name="b")
    d = lib.layers.Dense(4, activation="tanh", name="shared")
    h = lib.layers.Concatenate(name="both")([d(a), d(b)])
    outs = [lib.layers.Dense(1, activation="sigmoid", name="yes")(h), lib.layers.Dense(2, name="size")(h)]
    return lib.Model([a, b], outs, name="ports")


def equal_dense(lib):
    """Three equal layers nested, the first frozen: bound by position, the weights would be swapped silently."""
    inner = lib.Sequential([lib.layers.Input((4,))] + [lib.layers.Dense(4, name=f"d{k}") for k in (1, 2, 3)],
                           name="base")
    inner.get_layer("d1").trainable = False
    return lib.Sequential([lib.layers.Input((4,)), inner, lib.layers.Dense(1, name="out")], name="equal")


def frozen_container(lib):
    """Frozen as a whole, which Keras hands down to every layer inside; then one layer is freed again and trains."""
    i = lib.layers.Input((5,), name="x")
    inner = base(lib)
    inner.trainable = False
    inner.get_layer("d2").trainable = True
    return lib.Model(i, lib.layers.Dense(1, name="out")(inner(i)), name="frozen")


def no_input():
    """Never given an Input: built by the first batch."""
    model = keras.Sequential([keras.layers.Dense(4, activation="relu", name="d1"),
                              keras.layers.Dense(2, name="d2")], name="late")
    model.build((None, 5))
    return model


def slashes():
    i = K2.Input((5,), name="block/x")
    h = K2.Dense(4, activation="relu", name="block/d1")(i)
    h = K2.BatchNormalization(name="block/sub/bn")(h)
    return tf_keras.Model(i, K2.Dense(2, name="block/d1/out")(h), name="slashes")


def unknown():
    return keras.Sequential([keras.layers.Input((5,)), keras.layers.Dense(4, activation="relu", name="d1"),
                             Scale(factor=0.5, extra={"note": "kept", "list": [1, 2.5, None]}, name="scale"), keras.layers.Dense(2, name="d2")], name="unknown")


def unicode_names():
    """TensorFlow refuses such names in a graph, so this model can only be called eagerly; other backends take them."""
    i = keras.layers.Input((4,), name="eingänge")
    h = keras.layers.Dense(3, activation="relu", name="größe_été")(i)
    return keras.Model(i, keras.layers.Dense(2, name="出力")(h), name="модель")


def recurrent(lib):
    return lib.Sequential([lib.layers.Input((3, 2)), lib.layers.LSTM(3, name="lstm"),
                           lib.layers.Dense(2, name="out")], name="recurrent")


def slot_keys(group, name, table):
    return {path: {slot: group.put(f"{name}/slot/{path}/{slot}", value) for slot, value in row.items()}
            for path, row in table.items()}


def legacy_slots(model):
    return {path: {"momentum": model.optimizer.get_slot(v, "m").numpy(),
                   "velocity": model.optimizer.get_slot(v, "v").numpy()}
            for path, v, live in weights_by_path(model) if live}


def live_paths(path, lib):
    """What trains after Keras has read the file: not always what trained when it was written."""
    model = lib.models.load_model(path, compile=False, custom_objects={"Scale": Scale})
    return {path for path, _, live in weights_by_path(model) if live}


def add(group, name, model, compiled=None, xs=None, state=None, **fields):
    """Saves, predicts, and writes down what the file holds."""
    file = name + ".h5"
    weights_only = fields.get("kind") == "weights"
    (model.save_weights if weights_only else model.save)(group.path(file))
    lib = tf_keras if isinstance(model, tf_keras.Model) else keras
    live = set() if weights_only else live_paths(group.path(file), lib)
    row = {"name": name, "framework": "tf_keras" if isinstance(model, tf_keras.Model) else "keras",
           "file": file, "data": group.data_name, "layers": layer_rows(model),
           "weights": [{"path": path, "array": group.put(f"{name}/w/{path}", v.numpy())}
                       for path, v, _ in weights_by_path(model)]}
    if not weights_only:
        for weight in row["weights"]:
            weight["live"] = weight["path"] in live
    if compiled:
        row["compile"] = compiled
    if state:
        row["optimizer_state"] = {"iterations": int(model.optimizer.iterations.numpy()),
                                  "slots": slot_keys(group, name, state)}
    if xs:
        ys = model(xs if len(xs) > 1 else xs[0], training=False)
        ys = ys if isinstance(ys, (list, tuple)) else [ys]
        row["inputs"] = [group.put(f"{name}/x{k}", x) for k, x in enumerate(xs)]
        row["outputs"] = [group.put(f"{name}/y{k}", np.asarray(y)) for k, y in enumerate(ys)]
    group.case(**row, **fields)


def fitted(model, x, y, **compile_options):
    model.compile(**compile_options, **({} if isinstance(model, tf_keras.Model) else {"jit_compile": False}))
    model.fit(x, y, **FIT)
    return model


def compiled_files(group, lib, mark):
    x = normal("files", 16, 5)
    yes = (x.sum(axis=1, keepdims=True) > 0).astype(np.float32)
    keep_names()
    model = fitted(fill(sequential(lib)), x, yes, optimizer=lib.optimizers.Adam(0.003, epsilon=1e-6),
                   loss="binary_crossentropy", metrics=["accuracy"])
    add(group, mark + "sequential", model, xs=[x], state=slots(model), compiled={
        "optimizer": {"name": "adam", "learning_rate": 0.003, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-6,
                      "amsgrad": False},
        "losses": [{"name": "binary_crossentropy"}], "metrics": [["accuracy"]], "loss_weights": None})
    keep_names()
    three = np.eye(3, dtype=np.float32)[normal("files3", 16, 3).argmax(axis=1)]
    model = fitted(fill(nested(lib)), x, three, optimizer=lib.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
                   loss=lib.losses.CategoricalCrossentropy(label_smoothing=0.1),
                   metrics=["categorical_accuracy", lib.metrics.TopKCategoricalAccuracy(k=2, name="top2")])
    add(group, mark + "nested", model, xs=[x], state=slots(model), compiled={
        "optimizer": {"name": "sgd", "learning_rate": 0.05, "momentum": 0.9, "nesterov": True},
        "losses": [{"name": "categorical_crossentropy", "label_smoothing": 0.1, "from_logits": False}],
        "metrics": [["categorical_accuracy", {"name": "top_k_categorical_accuracy", "k": 2, "title": "top2"}]],
        "loss_weights": None})
    keep_names()
    x2 = normal("files-b", 16, 5)
    model = fitted(fill(shared_ports(lib)), [x, x2], [yes, x[:, :2] - x2[:, :2]],
                   optimizer=lib.optimizers.RMSprop(0.002, rho=0.8), loss=["binary_crossentropy", "mean_squared_error"],
                   loss_weights=[1.0, 0.25], metrics=[["accuracy"], ["mean_absolute_error"]])
    add(group, mark + "shared_ports", model, xs=[x, x2], state=slots(model), compiled={
        "optimizer": {"name": "rmsprop", "learning_rate": 0.002, "rho": 0.8, "momentum": 0.0, "epsilon": 1e-7,
                      "centered": False},
        "losses": [{"name": "binary_crossentropy"}, {"name": "mean_squared_error"}],
        "metrics": [["accuracy"], ["mean_absolute_error"]], "loss_weights": [1.0, 0.25]})


def dict_compile(group):
    """Losses and metrics by output name, the learning rate a schedule, a loss object from logits."""
    x, x2 = normal("files", 16, 5), normal("files-b", 16, 5)
    yes = (x.sum(axis=1, keepdims=True) > 0).astype(np.float32)
    keep_names()
    a, b = keras.layers.Input((5,), name="a"), keras.layers.Input((5,), name="b")
    h = keras.layers.Concatenate(name="both")([a, b])
    model = fill(keras.Model([a, b], [keras.layers.Dense(1, name="yes")(h), keras.layers.Dense(2, name="size")(h)],
                             name="by_name"))
    rate = keras.optimizers.schedules.CosineDecay(0.0, 40, warmup_target=0.01, warmup_steps=10)
    fitted(model, [x, x2], {"yes": yes, "size": x[:, :2]}, optimizer=keras.optimizers.AdamW(rate, weight_decay=0.01),
           loss={"size": keras.losses.Huber(delta=0.5), "yes": keras.losses.BinaryCrossentropy(from_logits=True)},
           metrics={"size": ["mae"], "yes": []}, loss_weights={"yes": 1.0, "size": 0.5})
    add(group, "k3_by_name", model, xs=[x, x2], state=slots(model), compiled={
        "optimizer": {"name": "adamw", "weight_decay": 0.01, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7,
                      "amsgrad": False,
                      "schedule": {"name": "cosine_decay", "initial_learning_rate": 0.0, "decay_steps": 40,
                                   "alpha": 0.0, "warmup_target": 0.01, "warmup_steps": 10}},
        "losses": [{"name": "binary_crossentropy", "from_logits": True, "label_smoothing": 0.0},
                   {"name": "huber"}],  # Keras 3.15 writes no delta: the file has forgotten it
        "metrics": [[], ["mean_absolute_error"]], "loss_weights": [1.0, 0.5]})


def legacy_optimizer(group):
    x = normal("files", 16, 5)
    yes = (x.sum(axis=1, keepdims=True) > 0).astype(np.float32)
    keep_names()
    model = fitted(fill(sequential(tf_keras)), x, yes, optimizer=tf_keras.optimizers.legacy.Adam(0.003),
                   loss="binary_crossentropy", metrics=["accuracy"])
    add(group, "k2_legacy_optimizer", model, xs=[x], state=legacy_slots(model), compiled={
        "optimizer": {"name": "adam", "learning_rate": 0.003, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7,
                      "amsgrad": False, "decay": 0.0},
        "losses": [{"name": "binary_crossentropy"}], "metrics": [["accuracy"]], "loss_weights": None})


def plain_files(group, lib, mark):
    """Models without compile state."""
    for name, build, shape in (("equal_dense", equal_dense, (4,)), ("frozen_container", frozen_container, (5,)),
                               ("recurrent", recurrent, (3, 2))):
        keep_names()
        add(group, mark + name, fill(build(lib)), xs=[normal(name, 4, *shape)])


def weights_only(group):
    keep_names()
    model = fill(nested(tf_keras))
    add(group, "k2_weights_only", model, kind="weights")
    keep_names()
    model = fill(nested(keras))
    add(group, "k3.weights", model, kind="weights", layout="keras3-vars")


def write(out):
    group = Group(out, "files", "what a reader must find in a file: layers, flags, weights by path, compile state")
    compiled_files(group, keras, "k3_")
    compiled_files(group, tf_keras, "k2_")
    dict_compile(group)
    legacy_optimizer(group)
    plain_files(group, keras, "k3_")
    plain_files(group, tf_keras, "k2_")
    weights_only(group)
    keep_names()
    add(group, "k3_no_input", fill(no_input()), xs=[normal("no_input", 4, 5)])
    keep_names()
    add(group, "k2_slashes", fill(slashes()), xs=[normal("slashes", 4, 5)])
    keep_names()
    add(group, "k3_unknown_layer", fill(unknown()), xs=[normal("unknown", 4, 5)])
    keep_names()
    add(group, "k3_unicode", fill(unicode_names()), xs=[normal("unicode", 4, 4)])
    group.close()
