"""Group `stopping`: at which epoch EarlyStopping stops, what it restores, what ReduceLROnPlateau does meanwhile.

The history is that of a real fit(), so the monitored values are Keras' own; the last column says what the weights are.
"""
import numpy as np

from fx_common import Group, fill, keep_names, keras, normal, weights_by_path
from fx_training import make_callbacks, numbers, predict

L = keras.layers
TRAIN, VALID, BATCH = 24, 24, 8


def data():
    """Labels are noisy and few: the validation loss falls, then rises."""
    x = normal("stop_x", TRAIN + VALID, 6)
    clean = x @ normal("stop_w", 6, 1)
    y = ((clean + 0.8 * normal("stop_noise", TRAIN + VALID, 1)) > 0).astype(np.float32)
    return {"x": x[:TRAIN], "y": y[:TRAIN], "val_x": x[TRAIN:], "val_y": y[TRAIN:]}


def model():
    return keras.Sequential([L.Input((6,)), L.Dense(12, activation="tanh", name="hidden"),
                             L.Dense(1, activation="sigmoid", name="out")], name="stopping")


def early(**options):
    return {"name": "early_stopping", "monitor": "val_loss", "min_delta": 0.0, "patience": 0, "mode": "auto",
            "baseline": None, "restore_best_weights": False, "start_from_epoch": 0, **options}


def plateau(**options):
    return {"name": "reduce_lr_on_plateau", "monitor": "val_loss", "factor": 0.1, "patience": 10, "mode": "auto",
            "min_delta": 0.0001, "cooldown": 0, "min_lr": 0.0, **options}


CASES = [
    ("patience_0", 12, [early()]),
    ("patience_2", 20, [early(patience=2)]),
    ("patience_2_restore", 20, [early(patience=2, restore_best_weights=True)]),
    ("min_delta", 20, [early(patience=2, min_delta=0.0125, restore_best_weights=True)]),
    ("baseline", 20, [early(patience=7, baseline=0.5, restore_best_weights=True)]),
    ("start_late", 20, [early(patience=1, start_from_epoch=8, restore_best_weights=True)]),
    ("max_accuracy", 20, [early(monitor="val_accuracy", mode="max", patience=4, restore_best_weights=True)]),
    ("never_stops_still_best", 5, [early(patience=50, restore_best_weights=True)]),
    ("never_stops_restores_after_rise", 16, [early(patience=50, restore_best_weights=True)]),
    ("train_loss", 5, [early(monitor="loss", patience=1)]),
    ("plateau", 16, [plateau(patience=2, factor=0.5)]),
    ("plateau_cooldown", 16, [plateau(patience=1, factor=0.5, cooldown=2, min_lr=0.003)]),
    ("plateau_min_delta", 12, [plateau(patience=2, factor=0.2, min_delta=0.0125)]),
    ("both", 20, [plateau(patience=1, factor=0.5), early(patience=4, restore_best_weights=True)]),
]


def run(group, name, epochs, rows, arrays):
    keep_names()
    keras.utils.set_random_seed(0)
    net = fill(model())
    net.compile(keras.optimizers.SGD(0.02, momentum=0.9), "binary_crossentropy", metrics=["accuracy"],
                jit_compile=False)
    callbacks = make_callbacks(rows)
    history = net.fit(arrays["x"], arrays["y"], validation_data=(arrays["val_x"], arrays["val_y"]), batch_size=BATCH,
                      epochs=epochs, shuffle=False, verbose=0, callbacks=callbacks).history
    stopper = next((c for c in callbacks if isinstance(c, keras.callbacks.EarlyStopping)), None)
    entry = {"name": name, "model": "stopping.h5", "data": group.data_name, "x": "x", "y": "y", "val_x": "val_x",
             "val_y": "val_y",
             "fit": {"losses": [{"name": "binary_crossentropy", "from_logits": False, "label_smoothing": 0.0}],
                     "metrics": ["accuracy"], "epochs": epochs, "batch_size": BATCH,
                     "optimizer": {"name": "sgd", "learning_rate": 0.02, "momentum": 0.9, "nesterov": False},
                     "callbacks": rows},
             "history": numbers(history), "epochs_run": len(history["loss"]),
             "weights": [{"path": path, "live": live, "array": group.put(f"{name}/w/{path}", np.asarray(v))}
                         for path, v, live in weights_by_path(net)],
             "after": group.put(f"{name}/after", predict(net, [arrays["x"]])[0])}
    if stopper:
        entry["stopped_early"] = stopper.stopped_epoch > 0
        if stopper.restore_best_weights:
            entry["best_epoch"] = int(stopper.best_epoch)
    group.case(**entry)
    print(f"  {name}: {entry['epochs_run']}/{epochs} epochs, best {entry.get('best_epoch')}")


def write(out):
    group = Group(out, "stopping", "callbacks that stop or slow down; epochs count from 0")
    keep_names()
    group.save(fill(model()), "stopping.h5")
    arrays = data()
    for key, value in arrays.items():
        group.put(key, value)
    for name, epochs, rows in CASES:
        run(group, name, epochs, rows, arrays)
    group.close()
