"""What the peers share: a row of the table as JSON in argv[1], its data, and taking turns (see inarch_bench.c).

With --tune MODEL.h5 ROWS.npz OUT a peer is the whole of W1 instead: it reads the pretrained model and the rows, trains
TUNE_EPOCHS epochs, saves the result and ends."""
import argparse
import json
import sys
import time

import numpy as np

TUNE_EPOCHS = 10
SPELL = 0.1


def arguments(**flags):
    parser = argparse.ArgumentParser()
    parser.add_argument("row", type=json.loads, help="one line of `inarch_bench rows`")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--mode", default="train", choices=["train", "predict", "one"])
    parser.add_argument("--tune", nargs=3, metavar=("MODEL", "ROWS", "OUT"))
    for name, text in flags.items():
        parser.add_argument("--" + name, action="store_true", help=text)
    return parser.parse_args()


def layers(specs):
    """[(units, activation)] of a SPEC."""
    found = [s.split(":") for s in specs.split(",") if s.startswith("dense:")]
    return [(int(f[1]), f[2] if len(f) > 2 else "linear") for f in found]


def data(o):
    """Inputs in [-1, 1) and labels that depend on them; or those of the file."""
    row = o.row
    if o.tune:
        with np.load(o.tune[1]) as rows:
            return rows["x"], rows["y"]
    x = np.random.default_rng(0).random((row["rows"], row["in"]), dtype=np.float32) * 2 - 1
    total = x[:, :8].sum(axis=1)
    if row["classes"] > 1:
        return x, ((total + 8) * 1000).astype(np.int64) % row["classes"]
    return x, (total > 0).astype(np.float32)[:, None]


def pretrained(o):
    """[(kernel, bias)] of the Dense layers of row["arch"], from the file; without one, random and as large as Keras'."""
    shape = layers(o.row["arch"])
    if o.tune:
        import h5py
        with h5py.File(o.tune[0], "r") as file:
            root = file["model_weights"]
            groups = [root[name] for name in root.attrs["layer_names"]]
            found = [[g[w][()] for w in g.attrs["weight_names"]] for g in groups]
        return [(kernel, bias) for kernel, bias in (f for f in found if len(f) == 2)][:len(shape)]
    rng = np.random.default_rng(1)
    made, width = [], o.row["in"]
    for units, _ in shape:
        limit = (6 / (width + units)) ** 0.5
        made.append((rng.uniform(-limit, limit, (width, units)).astype(np.float32), np.zeros(units, np.float32)))
        width = units
    return made


def features(o, x):
    """The output of the frozen layers: what a careful user computes once."""
    for (kernel, bias), (_, activation) in zip(pretrained(o), layers(o.row["arch"])):
        x = x @ kernel + bias
        if activation == "relu":
            np.maximum(x, 0, out=x)
    return x


def turns(unit, seconds=None):
    """One unit to warm up, then for every "go" one, or short ones over and over for SPELL seconds: the mean of those.
    `seconds(unit)` overrides how it is timed."""
    unit()
    print("ready", flush=True)
    while sys.stdin.readline() == "go\n":
        print(json.dumps({"seconds": (seconds or spell)(unit)}), flush=True)


def spell(unit):
    begun = time.perf_counter()
    took, done = 0, 0
    while took < SPELL:
        unit()
        took, done = time.perf_counter() - begun, done + 1
    return took / done


def train(o, epoch, save):
    """Epochs in turns, or the ten of --tune and save(path)."""
    if not o.tune:
        return turns(epoch)
    for _ in range(TUNE_EPOCHS):
        epoch()
    save(o.tune[2])


def fastest(calls):
    """The fastest of many calls."""
    def seconds(unit):
        best = float("inf")
        for _ in range(calls):
            begun = time.perf_counter()
            unit()
            best = min(best, time.perf_counter() - begun)
        return best
    return seconds


def predict(o, run, x, calls=500):
    """Turns of run(rows) over all of x, in blocks of the size that is fastest here; or of single rows."""
    if o.mode == "one":
        return turns(lambda: run(x[:1]), fastest(calls))
    units = []
    for block in sorted({min(n, len(x)) for n in (250, 500, 1000, 2500, 10000)}):
        def unit(block=block):
            return [run(x[at:at + block]) for at in range(0, len(x), block)]
        unit()
        units.append((fastest(3)(unit), block, unit))
    return turns(min(units)[2])
