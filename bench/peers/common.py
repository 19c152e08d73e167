"""What the peers share: a row of the table as JSON in argv[1], its data, and taking turns (see inarch_bench.c)."""
import argparse
import json
import sys
import time

import numpy as np


def arguments(**flags):
    parser = argparse.ArgumentParser()
    parser.add_argument("row", type=json.loads, help="one line of `inarch_bench rows`")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--mode", default="train", choices=["train", "predict", "one"])
    for name, text in flags.items():
        parser.add_argument("--" + name, action="store_true", help=text)
    return parser.parse_args()


def layers(specs):
    """[(units, activation)] of a SPEC."""
    found = [s.split(":") for s in specs.split(",") if s.startswith("dense:")]
    return [(int(f[1]), f[2] if len(f) > 2 else "linear") for f in found]


def data(row):
    """Inputs in [-1, 1) and labels that depend on them."""
    x = np.random.default_rng(0).random((row["rows"], row["in"]), dtype=np.float32) * 2 - 1
    total = x[:, :8].sum(axis=1)
    if row["classes"] > 1:
        return x, ((total + 8) * 1000).astype(np.int64) % row["classes"]
    return x, (total > 0).astype(np.float32)[:, None]


def turns(unit, seconds=None):
    """One unit to warm up, then one for every "go". `seconds(unit)` overrides how it is timed."""
    unit()
    print("ready", flush=True)
    while sys.stdin.readline() == "go\n":
        if seconds:
            took = seconds(unit)
        else:
            begun = time.perf_counter()
            unit()
            took = time.perf_counter() - begun
        print(json.dumps({"seconds": took}), flush=True)


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
