#!/usr/bin/env python3
"""JAX in its strongest form: one jitted epoch, lax.scan over the batches."""
import functools

import common

o = common.arguments(cached="features of the frozen layers kept")
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

row = o.row


def head(specs, width):
    """Fresh layers, as large as Keras makes them."""
    made = []
    for i, (units, _) in enumerate(common.layers(specs)):
        limit = (6 / (width + units)) ** 0.5
        made.append((jax.random.uniform(jax.random.PRNGKey(i), (width, units), minval=-limit, maxval=limit),
                     jnp.zeros(units)))
        width = units
    return made


def logits(given, specs, a):
    for (w, b), (_, activation) in zip(given, common.layers(specs)):
        a = a @ w + b
        if activation == "relu":
            a = jax.nn.relu(a)
    return a


x, y = (jnp.asarray(a) for a in common.data(o))
base = [(jnp.asarray(w), jnp.asarray(b)) for w, b in common.pretrained(o)]
specs, live = row["arch"], base
if row["add"]:
    specs = row["add"]
    live = head(specs, len(base[-1][1]))
    if o.cached:
        x, row["arch"] = logits(base, row["arch"], x), ""


def loss_of(live, a, t):
    if row["add"] and row["arch"]:
        a = logits(base, row["arch"], a)
    z = logits(live, specs, a)
    if row["classes"] > 1:
        return jnp.mean(jax.nn.logsumexp(z, 1) - jnp.take_along_axis(z, t[:, None], 1)[:, 0])
    return jnp.mean(jnp.maximum(z, 0) - z * t + jnp.log1p(jnp.exp(-jnp.abs(z))))


def adam(w, g, m, v, alpha):
    m = m + 0.1 * (g - m)
    v = v + 0.001 * (g * g - v)
    return w - alpha * m / (jnp.sqrt(v) + 1e-7), m, v


def step(state, rows):
    live, m, v, t = state
    loss, grad = jax.value_and_grad(loss_of)(live, x[rows], y[rows])
    t = t + 1
    alpha = 1e-3 * jnp.sqrt(1 - 0.999 ** t) / (1 - 0.9 ** t)
    new = jax.tree_util.tree_map(functools.partial(adam, alpha=alpha), live, grad, m, v)
    pick = [jax.tree_util.tree_map(lambda three, i=i: three[i], new, is_leaf=lambda n: isinstance(n, tuple) and len(n) == 3)
            for i in range(3)]
    return (*pick, t), loss


@functools.partial(jax.jit, donate_argnums=0)
def epoch(state, key):
    n = len(x) // row["batch"] * row["batch"]
    order = jax.random.permutation(key, len(x))
    state, losses = jax.lax.scan(step, state, order[:n].reshape(-1, row["batch"]))
    if n < len(x):
        state, _ = step(state, order[n:])
    return state, losses.mean()


def train():
    zeros = jax.tree_util.tree_map(jnp.zeros_like, live)
    box = [(jax.tree_util.tree_map(jnp.copy, live), zeros, jax.tree_util.tree_map(jnp.copy, zeros), jnp.zeros(()))]
    keys = [jax.random.PRNGKey(0)]

    def unit():
        keys[0], key = jax.random.split(keys[0])
        box[0], loss = epoch(box[0], key)
        loss.block_until_ready()

    def save(path):
        with open(path, "wb") as file:
            np.savez(file, *jax.tree_util.tree_leaves((base, box[0][0])))

    common.train(o, unit, save)


run = jax.jit(lambda a: jax.nn.softmax(logits(live, specs, a)))
if o.mode == "train":
    train()
else:
    common.predict(o, lambda rows: run(rows).block_until_ready(), np.asarray(x))
