"""Group `metrics`: values of each metric on fixed predictions, as evaluate() adds them up over batches of 16.

`resolved` cases go through compile() and evaluate() of a model that returns its input, to show what "accuracy" means.
"""
import numpy as np

from fx_common import Group, integers, keep_names, keras, normal, rng

M = keras.metrics
ROWS, BATCH = 50, 16


def data():
    p1 = rng("p1").uniform(0, 1, (ROWS, 1)).astype(np.float32)
    p1[[3, 11, 20]] = 0.5  # ties with the threshold
    p1[30:36] = p1[36:42]  # ties between rows
    score = normal("score4", ROWS, 4)
    p4 = np.exp(score) / np.exp(score).sum(axis=1, keepdims=True)
    p4[5] = [0.3, 0.3, 0.3, 0.1]  # argmax takes the first
    p4[6] = 0.25
    yes = (rng("yes").uniform(0, 1, (ROWS, 1)) < p1).astype(np.float32)
    labels = np.where(rng("flip").uniform(0, 1, ROWS) < 0.6, p4.argmax(axis=1), integers("label4", 4, ROWS))
    return {
        "p1": p1, "yes": yes, "no_positive": np.zeros_like(yes), "p4": p4, "class4": labels.reshape(-1, 1),
        "flat4": labels, "onehot4": np.eye(4)[labels.astype(int)],
        "p3": rng("p3").uniform(0, 1, (ROWS, 3)), "multi3": integers("multi3", 2, ROWS, 3),
        "real2": normal("real2", ROWS, 2), "guess2": normal("real2", ROWS, 2) + 0.4 * normal("off", ROWS, 2),
        "constant": np.full((ROWS, 1), 2.0), "guess1": normal("guess1", ROWS, 1),
        "w": rng("w").uniform(0, 2, ROWS), "steps4": integers("steps4", 4, ROWS, 3),
        "p_steps4": rng("p_steps4").uniform(0, 1, (ROWS, 3, 4)), "sign": 2 * yes - 1,
    }


TABLE = [
    # metric, options, truth, prediction
    ("binary_accuracy", {}, "yes", "p1"), ("binary_accuracy", {"threshold": 0.7}, "yes", "p1"),
    ("binary_accuracy", {}, "multi3", "p3"), ("categorical_accuracy", {}, "onehot4", "p4"),
    ("sparse_categorical_accuracy", {}, "class4", "p4"), ("sparse_categorical_accuracy", {}, "flat4", "p4"),
    ("sparse_categorical_accuracy", {}, "steps4", "p_steps4"), ("categorical_accuracy", {}, "multi3", "p3"),
    ("top_k_categorical_accuracy", {"k": 2}, "onehot4", "p4"),
    ("top_k_categorical_accuracy", {"k": 5}, "onehot4", "p4"),
    ("sparse_top_k_categorical_accuracy", {"k": 2}, "class4", "p4"),
    ("sparse_top_k_categorical_accuracy", {"k": 3}, "class4", "p4"),
    ("auc", {}, "yes", "p1"), ("auc", {"curve": "PR"}, "yes", "p1"), ("auc", {"num_thresholds": 20}, "yes", "p1"),
    ("auc", {"summation_method": "minoring"}, "yes", "p1"), ("auc", {"summation_method": "majoring"}, "yes", "p1"),
    ("auc", {"num_thresholds": 20, "curve": "PR"}, "yes", "p1"), ("auc", {}, "no_positive", "p1"),
    ("auc", {"multi_label": True}, "multi3", "p3"), ("auc", {}, "onehot4", "p4"),
    ("precision", {}, "yes", "p1"), ("precision", {"thresholds": 0.7}, "yes", "p1"),
    ("precision", {}, "multi3", "p3"), ("precision", {"class_id": 1}, "onehot4", "p4"),
    ("precision", {"top_k": 1}, "onehot4", "p4"), ("precision", {}, "no_positive", "p1"),
    ("recall", {}, "yes", "p1"), ("recall", {"thresholds": 0.7}, "yes", "p1"), ("recall", {}, "multi3", "p3"),
    ("recall", {"class_id": 1}, "onehot4", "p4"), ("recall", {"top_k": 2}, "onehot4", "p4"),
    ("recall", {}, "no_positive", "p1"),
    ("f1_score", {"threshold": 0.5}, "yes", "p1"), ("f1_score", {}, "onehot4", "p4"),
    ("f1_score", {"average": "micro"}, "onehot4", "p4"), ("f1_score", {"average": "macro"}, "onehot4", "p4"),
    ("f1_score", {"average": "weighted"}, "onehot4", "p4"),
    ("f1_score", {"average": "macro", "threshold": 0.4}, "multi3", "p3"),
    ("mean_squared_error", {}, "real2", "guess2"), ("mean_absolute_error", {}, "real2", "guess2"),
    ("root_mean_squared_error", {}, "real2", "guess2"), ("r2_score", {}, "real2", "guess2"),
    ("r2_score", {"class_aggregation": None}, "real2", "guess2"),
    ("r2_score", {"class_aggregation": "variance_weighted_average"}, "real2", "guess2"),
    ("r2_score", {"num_regressors": 5}, "real2", "guess2"), ("r2_score", {}, "constant", "guess1"),
    ("mean_squared_error", {}, "yes", "p1"),
    # the losses as metrics
    ("binary_crossentropy", {}, "yes", "p1"), ("categorical_crossentropy", {}, "onehot4", "p4"),
    ("sparse_categorical_crossentropy", {}, "class4", "p4"), ("kl_divergence", {}, "onehot4", "p4"),
    ("poisson", {}, "yes", "p1"), ("hinge", {}, "sign", "guess1"), ("cosine_similarity", {}, "real2", "guess2"),
]
CLASSES = {
    "binary_accuracy": M.BinaryAccuracy, "categorical_accuracy": M.CategoricalAccuracy,
    "sparse_categorical_accuracy": M.SparseCategoricalAccuracy, "auc": M.AUC, "precision": M.Precision,
    "top_k_categorical_accuracy": M.TopKCategoricalAccuracy, "recall": M.Recall, "f1_score": M.F1Score,
    "sparse_top_k_categorical_accuracy": M.SparseTopKCategoricalAccuracy, "mean_squared_error": M.MeanSquaredError,
    "mean_absolute_error": M.MeanAbsoluteError, "root_mean_squared_error": M.RootMeanSquaredError,
    "r2_score": M.R2Score, "binary_crossentropy": M.BinaryCrossentropy, "poisson": M.Poisson, "hinge": M.Hinge,
    "categorical_crossentropy": M.CategoricalCrossentropy, "kl_divergence": M.KLDivergence,
    "sparse_categorical_crossentropy": M.SparseCategoricalCrossentropy, "cosine_similarity": M.CosineSimilarity,
}


def value_of(metric):
    value = np.asarray(metric.result())
    return float(value) if value.ndim == 0 else [float(v) for v in value]


def streamed(name, options, y, p, weights=None):
    """What evaluate() reports: states added up over batches."""
    keep_names()
    metric = CLASSES[name](**options)
    for at in range(0, ROWS, BATCH):
        rows = slice(at, at + BATCH)
        metric.update_state(y[rows], p[rows], None if weights is None else weights[rows])
    return value_of(metric)


def resolved_cases():
    yield "one_output_binary", "yes", "p1", "binary_accuracy"
    yield "integer_labels", "class4", "p4", "sparse_categorical_accuracy"
    yield "flat_integer_labels", "flat4", "p4", "sparse_categorical_accuracy"
    yield "one_hot", "onehot4", "p4", "categorical_accuracy"
    yield "multi_label", "multi3", "p3", "categorical_accuracy"
    yield "steps", "steps4", "p_steps4", "sparse_categorical_accuracy"


def evaluated(y, p):
    """The accuracy of a model that gives back its input."""
    keep_names()
    model = keras.Sequential([keras.layers.Input(p.shape[1:]), keras.layers.Reshape(p.shape[1:])])
    model.compile(loss="mse" if y.shape == p.shape else "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False)
    return float(model.evaluate(p, y, batch_size=BATCH, verbose=0, return_dict=True)["accuracy"])


def write(out):
    group = Group(out, "metrics", "values of metrics on fixed predictions, states added up over batches of 16 rows")
    arrays = {k: np.asarray(v, np.float32) for k, v in data().items()}
    for k, v in arrays.items():
        group.put(k, v)
    for name, options, y, p in TABLE:
        tail = "".join(f"_{k}_{v}" for k, v in options.items())
        row = dict(metric=name, options=options, y=y, p=p, data=group.data_name)
        group.case(name=f"{name}{tail}_{y}", **row, value=streamed(name, options, arrays[y], arrays[p]))
        if "steps" not in y:
            group.case(name=f"{name}{tail}_{y}_weighted", **row, sample_weight="w",
                       value=streamed(name, options, arrays[y], arrays[p], arrays["w"]))
    for name, y, p, meaning in resolved_cases():
        value = evaluated(arrays[y], arrays[p])
        assert value == streamed(meaning, {}, arrays[y], arrays[p]), name
        group.case(name="accuracy_" + name, metric="accuracy", options={}, y=y, p=p, data=group.data_name,
                   resolved=meaning, value=value)
    group.close()
