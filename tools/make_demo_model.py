#!/usr/bin/env python3
"""Trains the demo's source model and writes it as Keras does: python make_demo_model.py OUT.h5

Fashion-MNIST (Debian's dataset-fashion-mnist) without pullover (2) and shirt (6): eight classes, 48,000 images.
The result is committed as examples/models/fashion8.h5, so that the demo needs no Python.
"""
import gzip
import sys

import keras
import numpy as np

FOLDER = "/usr/share/datasets/fashion-mnist"
LEFT_OUT = (2, 6)


def read(part):
    with gzip.open(f"{FOLDER}/{part}-images-idx3-ubyte.gz") as f:
        x = np.frombuffer(f.read(), np.uint8, offset=16).reshape(-1, 28, 28)
    with gzip.open(f"{FOLDER}/{part}-labels-idx1-ubyte.gz") as f:
        y = np.frombuffer(f.read(), np.uint8, offset=8)
    keep = ~np.isin(y, LEFT_OUT)
    classes = [c for c in range(10) if c not in LEFT_OUT]
    return x[keep].astype("float32"), np.searchsorted(classes, y[keep]).astype("int32")


def main(out):
    keras.utils.set_random_seed(0)
    x, y = read("train")
    test_x, test_y = read("t10k")
    model = keras.Sequential([
        keras.Input((28, 28), name="image"),
        keras.layers.Flatten(name="flatten"),
        keras.layers.Rescaling(1 / 255, name="scale"),
        keras.layers.Dropout(0.2, name="drop"),
        keras.layers.Dense(128, activation="relu", name="dense_1"),
        keras.layers.Dense(64, activation="relu", name="dense_2"),
        keras.layers.Dense(8, activation="softmax", name="clothes"),
    ], name="fashion8")
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, batch_size=128, epochs=15, verbose=2)
    print("test accuracy", model.evaluate(test_x, test_y, verbose=0)[1])
    model.save(out, include_optimizer=False)


if __name__ == "__main__":
    main(sys.argv[1])
