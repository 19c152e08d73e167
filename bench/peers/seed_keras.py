#!/usr/bin/env python3
"""The seed's loop in Keras 3, timed per epoch: python seed_keras.py [MODEL.h5] [--rows N] [--epochs N] [--threads N] [--jit]

Ten frozen Dense(64, relu) on 20 inputs, then Dense(128, relu) and Dense(1, sigmoid); 10,000 rows, batch 32, Adam, shuffled.
MODEL is the pretrained file (its first ten layers are kept); without it the same network is made here, with random weights.
Prints one JSON object: seconds of import, load and each epoch, the losses. The data are the same as in seed_torch.py.
"""
import argparse
import json
import os
import sys
import time

START = time.perf_counter()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?")
    parser.add_argument("--rows", type=int, default=10000)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--threads", type=int, default=0, help="0 = as many as TensorFlow likes")
    parser.add_argument("--jit", action="store_true", help="compile with XLA")
    return parser.parse_args()


def data(rows):
    import numpy as np
    x = np.random.default_rng(0).standard_normal((rows, 20)).astype(np.float32)
    return x, (x.sum(axis=1, keepdims=True) > 0).astype(np.float32)


def pretrained(keras, path):
    if path:
        return keras.models.load_model(path, compile=False)
    layers = [keras.layers.Dense(64, activation="relu", name=f"dense_{k}") for k in range(10)]
    return keras.Sequential([keras.layers.Input((20,))] + layers)


def main():
    options = arguments()
    os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")
    import keras
    import tensorflow as tf
    if options.threads:
        tf.config.threading.set_intra_op_parallelism_threads(options.threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    keras.utils.set_random_seed(0)
    imported = time.perf_counter()
    x, y = data(options.rows)
    base = pretrained(keras, options.model)
    kept = [layer for layer in base.layers if not isinstance(layer, keras.layers.InputLayer)][:10]
    for layer in kept:
        layer.trainable = False
    model = keras.Sequential([keras.layers.Input((20,))] + kept +
                             [keras.layers.Dense(128, activation="relu", name="new_1"),
                              keras.layers.Dense(1, activation="sigmoid", name="new_2")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"], jit_compile=options.jit)
    loaded = time.perf_counter()

    class Clock(keras.callbacks.Callback):
        seconds = []

        def on_epoch_begin(self, epoch, logs=None):
            self.begun = time.perf_counter()

        def on_epoch_end(self, epoch, logs=None):
            self.seconds.append(time.perf_counter() - self.begun)

    clock = Clock()
    history = model.fit(x, y, batch_size=32, epochs=options.epochs, verbose=0, callbacks=[clock]).history
    json.dump({"peer": "keras", "version": keras.__version__, "tensorflow": tf.__version__, "jit": options.jit,
               "rows": options.rows, "batch_size": 32, "threads": options.threads or None,
               "import_seconds": imported - START, "load_seconds": loaded - imported, "epoch_seconds": clock.seconds,
               "total_seconds": time.perf_counter() - START, "loss": history["loss"],
               "accuracy": history["accuracy"]}, sys.stdout)
    print()


if __name__ == "__main__":
    main()
