#!/usr/bin/env python3
"""The seed's loop side by side: python bench/seed.py [--inarch build/inarch] [--rounds 5] [--threads 2]

Ten frozen Dense(64), a new Dense(128) and Dense(1) on 10,000 x 20 rows, batch 32, 10 epochs of Adam - by inarch, by
Keras and by PyTorch (eager, and with the frozen part computed once by hand), one after another in each round. Prints
the minimum of each over the rounds and what it is in inarch's: the whole process, and one epoch after the first.
Peers that are not installed are left out, with a word. OPENBLAS_* settings are not handed on.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def run(command):
    env = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")}
    begun = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
    return time.perf_counter() - begun, done


def prepare(inarch, folder):
    """The pretrained model, written by inarch with a head on top, and the rows the peers make for themselves."""
    import numpy as np
    x = np.random.default_rng(0).standard_normal((10000, 20)).astype(np.float32)
    np.savez(f"{folder}/rows.npz", x=x, y=(x.sum(axis=1, keepdims=True) > 0).astype(np.float32))
    np.savez(f"{folder}/few.npz", x=x[:64], y=(x[:64].sum(axis=1, keepdims=True) > 0).astype(np.float32))
    arch = "input:20," + "dense:64:relu," * 10 + "dense:1:sigmoid"
    subprocess.run([inarch, "train", "--arch", arch, "--data", f"{folder}/few.npz", "--quiet", "-o",
                    f"{folder}/seed.h5"], check=True, stdout=subprocess.DEVNULL)


def inarch_run(inarch, folder, threads, extra=()):
    log = f"{folder}/log.jsonl"
    seconds, done = run([inarch, "tune", f"{folder}/seed.h5", "--data", f"{folder}/rows.npz", "--pop", "1",
                         "--freeze", "10", "--add", "dense:128:relu", "--add", "dense:1:sigmoid", "--epochs", "10",
                         "--threads", str(threads), "--quiet", "--log", log, "-o", f"{folder}/tuned.h5", *extra])
    if done.returncode:
        sys.exit(done.stderr)
    with open(log) as lines:
        return seconds, [json.loads(line)["seconds"] for line in lines][-10:]


def peer_run(script, folder, threads, extra=()):
    seconds, done = run([sys.executable, f"{HERE}/peers/{script}", f"{folder}/seed.h5", "--threads", str(threads),
                         *extra])
    if "ModuleNotFoundError" in done.stderr:
        return None
    if done.returncode:
        sys.exit(f"{script}: {done.stderr}")
    return seconds, json.loads(done.stdout.splitlines()[-1])["epoch_seconds"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inarch", default=f"{HERE}/../build/inarch")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    o = parser.parse_args()
    runs = {
        "inarch": lambda f: inarch_run(o.inarch, f, o.threads),
        "inarch --no-cache": lambda f: inarch_run(o.inarch, f, o.threads, ["--no-cache"]),
        "Keras on TensorFlow": lambda f: peer_run("seed_keras.py", f, o.threads),
        "PyTorch eager": lambda f: peer_run("seed_torch.py", f, o.threads),
        "PyTorch, features cached": lambda f: peer_run("seed_torch.py", f, o.threads, ["--cached"]),
    }
    best = {}
    with tempfile.TemporaryDirectory() as folder:
        prepare(o.inarch, folder)
        for _ in range(o.rounds):
            for name, once in runs.items():
                result = once(folder)
                if result is None:
                    print(f"{name}: not installed here, left out", file=sys.stderr)
                    continue
                process, epoch = result[0], min(result[1][1:])
                old = best.get(name, (process, epoch))
                best[name] = (min(old[0], process), min(old[1], epoch))
    process, epoch = best["inarch"]
    print(f"{'':26}{'process s':>10}{'x inarch':>10}{'epoch ms':>10}{'x inarch':>10}")
    for name, (p, e) in best.items():
        print(f"{name:26}{p:10.3f}{p / process:10.1f}{1000 * e:10.2f}{e / epoch:10.1f}")


if __name__ == "__main__":
    main()
