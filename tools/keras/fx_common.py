"""What every group of fixtures shares: a deterministic TensorFlow, weights, data, the .npz and JSON writers.

Import this before keras: the environment must be set first.
"""
import json
import os
import zipfile
import zlib

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import h5py  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
import tf_keras  # noqa: E402

tf.config.threading.set_inter_op_parallelism_threads(1)
tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.experimental.enable_op_determinism()
keras.utils.set_random_seed(0)
tf_keras.utils.set_random_seed(0)

VERSIONS = {
    "keras": keras.__version__,
    "tf_keras": tf_keras.__version__,
    "tensorflow": tf.__version__,
    "numpy": np.__version__,
    "h5py": h5py.__version__,
}


def chirp(shape, phase):
    """Full-rank weights without a random generator: a plain sine makes matrices of rank two."""
    i = np.arange(int(np.prod(shape)), dtype=np.float64)
    return np.sin(0.7 * i + 0.013 * i * i + phase).reshape(shape)


def weight_value(name, shape, phase):
    """A value that suits the kind of weight: variances stay positive, scales stay near one."""
    wave = chirp(shape, phase)
    if name in ("gamma", "moving_variance", "variance"):
        return (1.0 + 0.5 * wave).astype(np.float32)
    if name == "alpha":
        return (0.25 + 0.2 * wave).astype(np.float32)
    if name in ("kernel", "embeddings"):
        return (0.6 * wave).astype(np.float32)
    return (0.3 * wave).astype(np.float32)


def short_name(variable):
    """`kernel` for Keras 3's `kernel` and tf_keras' `d1/kernel:0`."""
    return variable.name.split(":")[0].split("/")[-1]


def is_model(layer):
    return isinstance(layer, (keras.Model, tf_keras.Model))


def weights_by_path(model):
    """[(path, variable, live)]: the path is the layers' names from the outside in, then the variable's own."""
    live = {id(v) for v in model.trainable_weights}

    def walk(container, prefix):
        for layer in container.layers:
            path = prefix + layer.name + "/"
            if is_model(layer):
                yield from walk(layer, path)
            else:
                yield from ((path + short_name(v), v, id(v) in live) for v in layer.weights)

    return list(walk(model, ""))


def fill(model, phase=0.0):
    """Gives every weight of the model a fixed value."""
    for k, (path, variable, _) in enumerate(weights_by_path(model)):
        name = path.rsplit("/", 1)[1]
        if name != "count":
            variable.assign(weight_value(name, tuple(variable.shape), phase + 0.3 + 1.1 * k))
    finalize(model)
    return model


def finalize(model):
    """Normalization computes with copies of its weights, which it takes when it is adapted or loaded."""
    for layer in model.layers:
        if is_model(layer):
            finalize(layer)
        elif hasattr(layer, "finalize_state"):
            layer.finalize_state()


def rng(text):
    return np.random.default_rng(zlib.crc32(text.encode()))


def normal(text, *shape):
    return rng(text).standard_normal(shape).astype(np.float32)


def integers(text, limit, *shape):
    """Whole numbers, stored as float32 like every other array here."""
    return rng(text).integers(0, limit, shape).astype(np.float32)


def stored(array):
    """float32 unless it is a wide count; a bool would surprise a reader."""
    return np.ascontiguousarray(np.asarray(array), dtype="<f4")


class Group:
    """One folder: models, one data file, one index.json."""

    def __init__(self, out, name, about):
        self.folder = os.path.join(out, name)
        os.makedirs(self.folder, exist_ok=True)
        self.index = {"about": about, "written_by": VERSIONS, "cases": []}
        self.data_name = name + ".npz"
        self.arrays = {}
        self.models = set()

    def put(self, key, array):
        """Stores an array and returns its key, so that the index can name it."""
        array = stored(array)
        if key in self.arrays:
            assert np.array_equal(self.arrays[key], array), key
        self.arrays[key] = array
        return key

    def path(self, name):
        return os.path.join(self.folder, name)

    def save(self, model, name, **options):
        """Saves a model once; cases may share it."""
        if name not in self.models:
            model.save(self.path(name), **options)
            self.models.add(name)
        return name

    def case(self, **fields):
        assert all(fields["name"] != c["name"] for c in self.index["cases"]), fields["name"]
        self.index["cases"].append(fields)

    def close(self):
        write_npz(self.path(self.data_name), self.arrays)
        write_json(self.path("index.json"), self.index)
        print(f"{self.folder}: {len(self.index['cases'])} cases, {len(self.arrays)} arrays")


def write_npz(path, arrays):
    """Like numpy.savez, but with fixed times, so that equal data give equal bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for key, array in arrays.items():
            entry = zipfile.ZipInfo(key + ".npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w") as out:
                np.lib.format.write_array(out, array, version=(1, 0), allow_pickle=False)


def write_json(path, index):
    """One line a case: a change of one case is a change of one line."""
    def text(value):
        return json.dumps(value, ensure_ascii=False, allow_nan=False)

    parts = []
    for key, value in index.items():
        if isinstance(value, list):
            rows = ",\n".join("  " + text(row) for row in value)
            parts.append(f" {text(key)}: [\n{rows}\n ]")
        else:
            parts.append(f" {text(key)}: {text(value)}")
    with open(path, "w", encoding="utf-8") as out:
        out.write("{\n" + ",\n".join(parts) + "\n}\n")


# The optimizers' per-variable state: the name we give it, and the attribute that holds it.
SLOTS = {
    "SGD": [("momentum", "momentums")],
    "RMSprop": [("velocity", "_velocities"), ("momentum", "_momentums"), ("average_gradient", "_average_gradients")],
    "Adam": [("momentum", "_momentums"), ("velocity", "_velocities"), ("velocity_hat", "_velocity_hats")],
    "Adagrad": [("accumulator", "_accumulators")],
    "Adadelta": [("accumulated_grad", "_accumulated_grads"), ("accumulated_delta_var", "_accumulated_delta_vars")],
    "Adamax": [("m", "_m"), ("u", "_u")],
    "Nadam": [("momentum", "_momentums"), ("velocity", "_velocities")],
}
SLOTS["AdamW"] = SLOTS["Adam"]


def slots(model):
    """{path: {slot: array}} of a fitted model's optimizer, Keras 3 or tf_keras (not its legacy ones)."""
    optimizer = model.optimizer
    names = SLOTS[type(optimizer).__name__]
    found = {}
    for path, variable, live in weights_by_path(model):
        if not live:
            continue
        if hasattr(optimizer, "_get_variable_index"):
            at = optimizer._get_variable_index(variable)
        else:
            at = optimizer._index_dict[optimizer._var_key(variable)]
        lists = [(slot, getattr(optimizer, attribute, None)) for slot, attribute in names]
        found[path] = {slot: np.asarray(values[at]) for slot, values in lists if values}
    return found


def keep_names():
    """Fresh automatic names for every model: Keras 3 forgets, tf_keras too."""
    keras.backend.clear_session()
    tf_keras.backend.clear_session()
