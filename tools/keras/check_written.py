#!/usr/bin/env python3
"""Does real Keras accept a file that inarch wrote? Prints one JSON verdict; exit 0 = yes, 1 = no.

    check_written.py MODEL.h5 DATA.npz [--save DIR] [--only keras3|tf_keras] [--tolerance 1e-5] [--no-fit] [--weights W.npz]

DATA.npz holds x (or x0, x1, ... in the order of the model's inputs), and y (or y0, y1, ...): what inarch predicts.
Optional: t (or t0, t1, ...): targets for the fit; without them the predictions serve. --weights holds arrays by path
(`base/d1/kernel`), compared with what Keras loaded. Each framework runs in a process of its own: it loads the file,
compares the predictions, evaluates and fits one epoch with the compile state of the file (Adam and mean squared error
if there is none), saves to DIR/<framework>.h5 with predictions after the fit in DIR/<framework>.npz (same keys).
"""
import argparse
import json
import os
import subprocess
import sys
import traceback

FRAMEWORKS = ["keras3", "tf_keras"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("data")
    parser.add_argument("--save", metavar="DIR", help="where each framework saves its copy after the fit")
    parser.add_argument("--only", choices=FRAMEWORKS)
    parser.add_argument("--tolerance", type=float, default=1e-5, help="relative to max(1, the largest output)")
    parser.add_argument("--no-fit", action="store_true")
    parser.add_argument("--weights", metavar="NPZ")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def numbered(data, letter):
    """x alone, or x0, x1, ..."""
    if letter in data:
        return [data[letter]]
    found = []
    while f"{letter}{len(found)}" in data:
        found.append(data[f"{letter}{len(found)}"])
    return found


def unwrap(values):
    return values if len(values) > 1 else values[0]


def library(framework):
    os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0", CUDA_VISIBLE_DEVICES="",
                      KERAS_BACKEND="tensorflow", TF_USE_LEGACY_KERAS="1" if framework == "tf_keras" else "0")
    if framework == "tf_keras":
        import tensorflow  # its own `keras` is tf_keras now
        return tensorflow.keras
    import keras
    return keras


def predict(model, xs):
    import numpy as np
    ys = model.predict(unwrap(xs), verbose=0)
    if isinstance(ys, dict):
        ys = list(ys.values())
    return [np.asarray(y) for y in (ys if isinstance(ys, (list, tuple)) else [ys])]


def difference(wanted, got):
    """Largest difference relative to max(1, the largest output)."""
    import numpy as np
    if wanted.shape != got.shape:
        raise ValueError(f"shape {list(got.shape)} where the data have {list(wanted.shape)}")
    if wanted.size == 0:
        return 0.0
    return float(np.abs(wanted.astype("f8") - got).max() / max(1.0, np.abs(wanted).max()))


def weights_by_path(model, prefix=""):
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from weights_by_path(layer, prefix + layer.name + "/")
        else:
            for v in layer.weights:
                yield prefix + layer.name + "/" + v.name.split(":")[0].split("/")[-1], v.numpy()


def compare_weights(model, path):
    import numpy as np
    wanted, got = dict(np.load(path)), dict(weights_by_path(model))
    missing = sorted(set(wanted) ^ set(got))
    if missing:
        raise ValueError("weights on one side only: " + ", ".join(missing))
    unequal = [k for k in wanted if not np.array_equal(wanted[k], got[k])]
    if unequal:
        raise ValueError("weights differ: " + ", ".join(sorted(unequal)))
    return len(wanted)


def trained(model, keras, verdict):
    """The file's own compile state where there is one."""
    compiled = getattr(model, "optimizer", None) is not None
    verdict["compiled"] = compiled
    if not compiled:
        model.compile(keras.optimizers.Adam(1e-3), "mean_squared_error")
    verdict["optimizer"] = type(model.optimizer).__name__
    verdict["learning_rate"] = float(keras.backend.get_value(model.optimizer.learning_rate)
                                     if hasattr(keras.backend, "get_value") else model.optimizer.learning_rate)


def fit(model, keras, xs, targets, options, verdict):
    import numpy as np
    trained(model, keras, verdict)
    frozen = {id(v) for v in model.non_trainable_weights}
    moving = ("moving_mean", "moving_variance")
    before = [(v, np.array(v)) for v in model.weights if id(v) in frozen and not v.name.split(":")[0].endswith(moving)]
    x, t = unwrap(xs), unwrap(targets)
    score = model.evaluate(x, t, verbose=0, return_dict=True)
    verdict["evaluate"] = {k: float(np.mean(v)) for k, v in score.items()}
    history = model.fit(x, t, batch_size=16, epochs=1, shuffle=False, verbose=0).history
    verdict["fit"] = {k: float(np.mean(v[0])) for k, v in history.items()}
    if not np.isfinite(verdict["fit"]["loss"]):
        raise ValueError("the loss of the fit is not finite")
    verdict["frozen_weights"] = len(before)
    if any(not np.array_equal(old, np.array(v)) for v, old in before):
        raise ValueError("a frozen weight moved")


def inside(options):
    import warnings
    warnings.filterwarnings("ignore")
    framework = options.only
    verdict = {"framework": framework, "ok": False}
    try:
        keras = library(framework)
        import numpy as np
        verdict["version"] = keras.__version__ if hasattr(keras, "__version__") else None
        data = dict(np.load(options.data))
        xs, ys = numbered(data, "x"), numbered(data, "y")
        targets = numbered(data, "t") or ys
        model = keras.models.load_model(options.model)
        verdict["layers"] = [layer.name for layer in model.layers]
        verdict["trainable"] = [bool(layer.trainable) for layer in model.layers]
        verdict["trainable_parameters"] = int(sum(np.prod(w.shape) for w in model.trainable_weights))
        if options.weights:
            verdict["weights_equal"] = compare_weights(model, options.weights)
        got = predict(model, xs)
        if len(got) != len(ys):
            raise ValueError(f"{len(got)} outputs where the data have {len(ys)}")
        verdict["max_difference"] = max(difference(a, b) for a, b in zip(ys, got))
        if not verdict["max_difference"] <= options.tolerance:
            raise ValueError("predictions differ")
        if not options.no_fit:
            fit(model, keras, xs, targets, options, verdict)
        if options.save:
            save(model, xs, os.path.join(options.save, framework), verdict)
        verdict["ok"] = True
    except Exception as error:  # the verdict tells; the test fails on it
        verdict["error"] = f"{type(error).__name__}: {error}"[:2000]
        traceback.print_exc(file=sys.stderr)
    print("VERDICT " + json.dumps(verdict))


def save(model, xs, stem, verdict):
    import numpy as np
    model.save(stem + ".h5")
    names = ["x", "y"] if len(xs) == 1 else [None, None]
    arrays = {names[0] or f"x{k}": x for k, x in enumerate(xs)}
    ys = predict(model, xs)
    arrays.update({"y" if len(ys) == 1 else f"y{k}": y for k, y in enumerate(ys)})
    np.savez(stem + ".npz", **arrays)
    verdict["saved"] = stem + ".h5"


def outside(options):
    verdicts = []
    for framework in [options.only] if options.only else FRAMEWORKS:
        command = [sys.executable, os.path.abspath(__file__), "--inside"]
        command += [a for a in sys.argv[1:] if a != "--inside"] + ["--only", framework]
        run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        lines = [line for line in run.stdout.splitlines() if line.startswith("VERDICT ")]
        if lines:
            verdicts.append(json.loads(lines[-1][8:]))
        else:
            verdicts.append({"framework": framework, "ok": False, "error": f"the process died with {run.returncode}"})
        if not verdicts[-1]["ok"]:
            sys.stderr.write(run.stderr[-4000:])
    ok = all(v["ok"] for v in verdicts)
    print(json.dumps({"ok": ok, "model": os.path.basename(options.model), "verdicts": verdicts}))
    return 0 if ok else 1


if __name__ == "__main__":
    given = arguments()
    sys.exit(inside(given) if given.inside else outside(given))
