"""Group `initializers`: what the values of each initialiser must look like; random numbers themselves are each library's own.

Every row is checked here against Keras: 20 draws must lie within the limits and near the moments.
"""
import math
import os

import numpy as np

from fx_common import VERSIONS, keras, write_json

TRUNCATED = 0.87962566103423978  # standard deviation of a normal cut at two standard deviations
SHAPES = [(40, 30), (7, 200), (64,), (5, 8, 16)]


def fans(shape):
    """Keras' rule: a vector counts as both; more dimensions multiply both fans by the leading ones."""
    if len(shape) == 1:
        return shape[0], shape[0]
    field = int(np.prod(shape[:-2]))
    return shape[-2] * field, shape[-1] * field


def scaled(mode, scale, distribution):
    def row(shape):
        fan_in, fan_out = fans(shape)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[mode]
        variance = scale / max(1.0, n)
        if distribution == "uniform":
            return uniform(-math.sqrt(3 * variance), math.sqrt(3 * variance))
        if distribution == "untruncated_normal":
            return normal(0, math.sqrt(variance))
        return truncated(0, math.sqrt(variance) / TRUNCATED)
    return row


def uniform(low, high):
    return {"distribution": "uniform", "min": low, "max": high, "mean": (low + high) / 2,
            "stddev": (high - low) / math.sqrt(12)}


def normal(mean, stddev):
    return {"distribution": "normal", "min": None, "max": None, "mean": mean, "stddev": stddev}


def truncated(mean, sigma):
    """sigma is that of the normal before it is cut."""
    return {"distribution": "truncated_normal", "min": mean - 2 * sigma, "max": mean + 2 * sigma, "mean": mean,
            "stddev": sigma * TRUNCATED}


def constant(value):
    return lambda shape: {"distribution": "constant", "min": value, "max": value, "mean": value, "stddev": 0.0}


VS = "VarianceScaling"
TABLE = [
    ("Zeros", {}, constant(0.0)), ("Ones", {}, constant(1.0)), ("Constant", {"value": 0.3}, constant(0.3)),
    ("RandomUniform", {}, lambda s: uniform(-0.05, 0.05)),
    ("RandomUniform", {"minval": -1.0, "maxval": 3.0}, lambda s: uniform(-1.0, 3.0)),
    ("RandomNormal", {}, lambda s: normal(0, 0.05)),
    ("RandomNormal", {"mean": 1.0, "stddev": 0.5}, lambda s: normal(1.0, 0.5)),
    ("TruncatedNormal", {}, lambda s: truncated(0, 0.05)),
    ("TruncatedNormal", {"mean": 1.0, "stddev": 0.5}, lambda s: truncated(1.0, 0.5)),
    ("GlorotUniform", {}, scaled("fan_avg", 1.0, "uniform")),
    ("GlorotNormal", {}, scaled("fan_avg", 1.0, "truncated_normal")),
    ("HeUniform", {}, scaled("fan_in", 2.0, "uniform")), ("HeNormal", {}, scaled("fan_in", 2.0, "truncated_normal")),
    ("LecunUniform", {}, scaled("fan_in", 1.0, "uniform")),
    ("LecunNormal", {}, scaled("fan_in", 1.0, "truncated_normal")),
    (VS, {}, scaled("fan_in", 1.0, "truncated_normal")),
    (VS, {"scale": 0.5, "mode": "fan_out", "distribution": "uniform"}, scaled("fan_out", 0.5, "uniform")),
    (VS, {"scale": 3.0, "mode": "fan_avg", "distribution": "untruncated_normal"},
     scaled("fan_avg", 3.0, "untruncated_normal")),
]


def check(made, shape, row):
    """Twenty draws from real Keras: limits hold, moments are near."""
    values = np.concatenate([np.asarray(made(k, shape)).ravel() for k in range(20)]).astype(np.float64)
    scale = max(row["stddev"], 1e-9)
    if row["min"] is not None:
        assert values.min() >= row["min"] - 1e-6 and values.max() <= row["max"] + 1e-6, row
    error = scale / math.sqrt(values.size)
    assert abs(values.mean() - row["mean"]) < 5 * error + 1e-6, (values.mean(), row)
    assert abs(values.std() - row["stddev"]) < 5 * error + 1e-6, (values.std(), row)


def write(out):
    folder = os.path.join(out, "initializers")
    os.makedirs(folder, exist_ok=True)
    cases = []
    for kind, options, rule in TABLE:
        for shape in SHAPES:
            row = rule(shape)

            def made(seed, shape, kind=kind, options=options):
                seeded = options if kind in ("Zeros", "Ones", "Constant") else {**options, "seed": seed}
                return getattr(keras.initializers, kind)(**seeded)(shape)

            check(made, shape, row)
            cases.append({"name": f"{kind}{len(cases)}", "initializer": kind, "options": options,
                          "shape": list(shape), **row})
    exact = [
        {"name": "Identity", "initializer": "Identity", "options": {"gain": 2.0}, "shape": [3, 4],
         "values": np.asarray(keras.initializers.Identity(gain=2.0)((3, 4))).ravel().tolist()},
        {"name": "Orthogonal", "initializer": "Orthogonal", "options": {"gain": 1.0}, "shape": [6, 4],
         "rule": "transpose(W) W = gain^2 I when rows >= columns, else W transpose(W)"},
    ]
    w = np.asarray(keras.initializers.Orthogonal(seed=1)((6, 4)))
    assert np.abs(w.T @ w - np.eye(4)).max() < 1e-5
    write_json(os.path.join(folder, "index.json"), {
        "about": "limits and moments of each initialiser; min and max are null where there is no limit",
        "written_by": VERSIONS, "cases": cases, "exact": exact})
    print(f"{folder}: {len(cases)} rows")
