#!/usr/bin/env python3
"""NumPy on OpenBLAS, written by hand with buffers reused where that is easy: what a careful user writes. Frozen layers
are run once."""
import common

o = common.arguments()
import numpy as np  # noqa: E402

row = o.row
rng = np.random.default_rng(1)
x, y = common.data(o)
w, b = (list(part) for part in zip(*common.pretrained(o)))
base = w + b
if row["add"]:
    x = common.features(o, x)
    widths = [x.shape[1]] + [units for units, _ in common.layers(row["add"])]
    w = [rng.uniform(-1, 1, (i, n)).astype(np.float32) * np.float32((6 / (i + n)) ** 0.5) for i, n in zip(widths, widths[1:])]
    b = [np.zeros(n, np.float32) for n in widths[1:]]
params = w + b
m, v, temp = ([np.zeros_like(p) for p in params] for _ in range(3))
steps = 0


def forward(a):
    outputs = [a]
    for k in range(len(w)):
        z = outputs[-1] @ w[k]
        z += b[k]
        if k + 1 < len(w):
            np.maximum(z, 0, out=z)
        outputs.append(z)
    return outputs


def softmax(z):
    z = z - z.max(1, keepdims=True)
    np.exp(z, out=z)
    z /= z.sum(1, keepdims=True)
    return z


def update(grads):
    global steps
    steps += 1
    alpha = np.float32(1e-3 * (1 - 0.999 ** steps) ** 0.5 / (1 - 0.9 ** steps))
    for p, g, mm, vv, t in zip(params, grads, m, v, temp):
        mm += np.float32(0.1) * (g - mm)
        vv += np.float32(0.001) * (g * g - vv)
        np.sqrt(vv, out=t)
        t += np.float32(1e-7)
        np.divide(mm, t, out=t)
        t *= alpha
        p -= t


def step(rows):
    outputs = forward(x[rows])
    t = y[rows]
    if row["classes"] > 1:
        d = softmax(outputs[-1])
        d[np.arange(len(rows)), t] -= 1
    else:
        d = 1 / (1 + np.exp(-outputs[-1])) - t
    d /= np.float32(len(rows))
    dw, db = [None] * len(w), [None] * len(w)
    for k in reversed(range(len(w))):
        dw[k] = outputs[k].T @ d
        db[k] = d.sum(0)
        if k:
            d = d @ w[k].T
            d *= outputs[k] > 0
    update(dw + db)


def epoch():
    order = rng.permutation(len(x))
    for at in range(0, len(x), row["batch"]):
        step(order[at:at + row["batch"]])


def save(path):
    with open(path, "wb") as file:
        np.savez(file, *base, *params)


if o.mode == "train":
    common.train(o, epoch, save)
else:
    common.predict(o, lambda rows: softmax(forward(rows)[-1]), x)
