"""Every sample of exchange.c through real Keras: check.py DIR. One process a generation, both at once.

What is checked of each is in tools/keras/check_written.py: the file loads, weights are equal, predictions agree,
evaluate and one epoch of fit work, frozen weights stay, and the model is saved for inarch to read.
"""
import argparse
import contextlib
import io
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tools", "keras"))

import check_written  # noqa: E402


def one(folder, name, framework, trainable):
    """The verdict that check_written prints; Keras must train as many parameters as inarch would."""
    stem = os.path.join(folder, name)
    os.makedirs(stem, exist_ok=True)
    options = argparse.Namespace(model=stem + ".h5", data=stem + ".npz", save=stem, only=framework, tolerance=1e-5,
                                 no_fit=False, weights=stem + "_weights.npz", inside=True)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
        check_written.inside(options)
    lines = [line for line in printed.getvalue().splitlines() if line.startswith("VERDICT ")]
    verdict = json.loads(lines[-1][8:])
    if verdict["ok"] and verdict["trainable_parameters"] != trainable:
        verdict.update(ok=False, error=f"{verdict['trainable_parameters']} parameters train, not {trainable}")
    return verdict


def inside(folder, framework):
    with open(os.path.join(folder, "samples.json"), encoding="utf-8") as samples:
        wanted = {name: row for name, row in json.load(samples).items() if framework in row["readers"]}
    failed = 0
    for name, row in wanted.items():
        verdict = one(folder, name, framework, row["trainable"])
        failed += not verdict["ok"]
        text = f"differs by {verdict['max_difference']:.1e}" if verdict["ok"] else verdict["error"]
        print(f"{'ok' if verdict['ok'] else 'FAILED'} {framework} {name}: {text}", flush=True)
    print(f"{framework}: {len(wanted) - failed} of {len(wanted)} models", flush=True)
    return failed > 0 or not wanted


def outside(folder):
    runs = [subprocess.Popen([sys.executable, "-W", "ignore", os.path.abspath(__file__), folder, framework])
            for framework in check_written.FRAMEWORKS]
    # A process that was killed returns a negative number.
    return int(any([run.wait() for run in runs]))


if __name__ == "__main__":
    sys.exit(inside(*sys.argv[1:]) if len(sys.argv) == 3 else outside(sys.argv[1]))
