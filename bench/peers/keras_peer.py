#!/usr/bin/env python3
"""Keras 3 on the backend that KERAS_BACKEND names: fit() epoch by epoch, predict(), and model(x) compiled by hand."""
import os

import common

o = common.arguments()
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
BACKEND = os.environ["KERAS_BACKEND"]
if BACKEND == "tensorflow":
    import tensorflow as tf
    tf.config.threading.set_intra_op_parallelism_threads(o.threads)
    tf.config.threading.set_inter_op_parallelism_threads(o.threads)
elif BACKEND == "torch":
    import torch
    torch.set_num_threads(o.threads)
import keras  # noqa: E402

row = o.row
x, y = common.data(o)


def network():
    if o.tune:
        base = keras.models.load_model(o.tune[0], compile=False)
        parts = base.layers[:len(common.layers(row["arch"]))]
    else:
        parts = [keras.layers.Dense(units, activation=activation) for units, activation in common.layers(row["arch"])]
    if row["add"]:
        for layer in parts:
            layer.trainable = False
        for k, (units, activation) in enumerate(common.layers(row["add"])):
            parts.append(keras.layers.Dense(units, activation=activation, name=f"new_{k}"))
    return keras.Sequential([keras.Input((row["in"],)), *parts])


model = network()


def train():
    many = row["classes"] > 1
    model.compile("adam", "sparse_categorical_crossentropy" if many else "binary_crossentropy", metrics=["accuracy"])
    if o.tune:
        model.fit(x, y, batch_size=row["batch"], epochs=common.TUNE_EPOCHS, verbose=0)
        return model.save(o.tune[2])
    return common.turns(lambda: model.fit(x, y, batch_size=row["batch"], epochs=1, verbose=0))


def call():
    """The fastest way that the backend has to run the model."""
    if BACKEND == "tensorflow":
        run = tf.function(lambda a: model(a, training=False), jit_compile=True)
        return lambda a: run(tf.constant(a)).numpy()
    if BACKEND == "jax":
        import jax
        variables = [v.value for v in model.trainable_variables], [v.value for v in model.non_trainable_variables]
        run = jax.jit(lambda a: model.stateless_call(*variables, a, training=False)[0])
        return lambda a: run(a).block_until_ready()

    def run(a):
        with torch.inference_mode():
            return model(torch.from_numpy(a), training=False).numpy()
    return run


if o.mode == "train":
    train()
else:
    common.predict(o, call(), x, 300)
