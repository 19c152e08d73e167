#!/usr/bin/env python3
"""The speed table: python3 bench/run.py [--build build-bench] [--rounds 5] [--threads 2] [--only W2,W5,busy]

Needs a build with -DINARCH_BENCH=ON and, for the peers, the environment that bench/setup.sh makes; peers that are not
there are left out, with a word. W1 to W6 are races: in each round every program does one unit while the others sleep.
Printed: the minimum of each over the rounds, its share of the peak of multiply-adds measured in the same rounds, and
peers as multiples of inarch's. The other rows (limits.py) are measured against numbers. --scale 0.01 runs the same on
fewer rows: a test of the programs, not of speed.
"""
import argparse
import json
import os
import platform
import subprocess
import sys
import time

import limits
import programs
import whole


def torch(*flags):
    return ["torch_peer.py", *flags], {}


def keras(backend):
    return ["keras_peer.py"], {"KERAS_BACKEND": backend}


JAX = {"JAX": (["jax_peer.py"], {})}
NUMPY = {"NumPy": (["numpy_peer.py"], {})}
SKLEARN = {"scikit-learn": (["sklearn_peer.py"], {})}
DLIB = {"dlib": (["dlib_peer"], {})}
FANN = {"FANN": (["fann_peer"], {})}
# FANN knows no mini-batches and no Adam, and takes minutes for an epoch of W2: of the training rows W5 only.
OTHER_ALGORITHM = "another algorithm: "
FANN_TRAINING = {OTHER_ALGORITHM + "FANN, SGD": FANN["FANN"],
                 OTHER_ALGORITHM + "FANN, RPROP": (["fann_peer", "--training", "rprop"], {})}
KERAS = {f"Keras on {b}": keras(b) for b in ("tensorflow", "jax", "torch")}
PYTHON = {"PyTorch eager": torch(), "PyTorch compiled": torch("--compile"), **JAX, **KERAS}
KEPT = {"PyTorch, features kept": torch("--cached"), "JAX, features kept": (["jax_peer.py", "--cached"], {}),
        "NumPy, features kept": NUMPY["NumPy"], "scikit-learn, kept": SKLEARN["scikit-learn"]}
# Compiling takes PyTorch longer than all of W1.
SCRIPTS = {k: v for k, v in {**PYTHON, **KEPT}.items() if k != "PyTorch compiled"}
PLAIN = {"inarch": []}
AVX2 = {"inarch, AVX2": ["--cpu", "avx2"]}
BF16 = {"inarch, bf16": ["--precision", "bf16"]}
ONE_THREAD = {"inarch, one thread": ["--threads", "1"]}


def share_of_peak():
    """What is wanted of W2: by the widest vectors that this CPU has."""
    try:
        with open("/proc/cpuinfo") as file:
            return 0.88 if "avx512f" in file.read() else 0.80
    except OSError:
        return 0.80


# name: (row of inarch_bench, mode, our runs, the peers, goals). A goal is (our run, kind, value): "ratio" of the best
# peer's time to ours, "share" of peak, "us" at most. Mode "process" is whole.py's.
ROWS = {
    "W1 epoch": ("W1", "train", PLAIN,
                 {**PYTHON, **KEPT, "PyTorch compiled, kept": torch("--compile", "--cached"),
                  "dlib, features kept": DLIB["dlib"]}, [("inarch", "ratio", 15)]),
    "W1 process": ("W1", "process", {**PLAIN, "inarch --no-cache": ["--no-cache"]}, SCRIPTS, [("inarch", "ratio", 40)]),
    "W2": ("W2", "train", {**PLAIN, **AVX2}, {**PYTHON, **NUMPY, **SKLEARN, **DLIB},
           [("inarch", "ratio", 1.6), ("inarch", "share", share_of_peak()), ("inarch, AVX2", "share", 0.80)]),
    "W3": ("W3", "train", {**PLAIN, **BF16}, {**PYTHON, **NUMPY, **DLIB},
           [("inarch", "share", 0.85), ("inarch, bf16", "ratio", 1.6)]),
    "W4": ("W4", "train", PLAIN, {**PYTHON, **NUMPY, **SKLEARN, **DLIB}, [("inarch", "ratio", 1.4)]),
    "W5": ("W5", "train", PLAIN, {**PYTHON, **NUMPY, **SKLEARN, **DLIB, **FANN_TRAINING},
           [("inarch", "ratio", 150), ("inarch", "us", 12)]),
    "W6 one row": ("W6", "one", {**PLAIN, **ONE_THREAD}, {**PYTHON, **NUMPY, **SKLEARN, **DLIB, **FANN},
                   [("inarch", "ratio", 3), ("inarch", "us", 20), ("inarch, one thread", "us", 35)]),
    "W6 many rows": ("W6", "predict", PLAIN, {**PYTHON, **NUMPY, **SKLEARN, **DLIB, **FANN}, [("inarch", "ratio", 1.6)]),
}


def peak_of(flags):
    """The peak that a run of ours with these flags is held against."""
    return "peak of AVX2" if flags == AVX2["inarch, AVX2"] else "peak"


def start(o, row, work):
    """[(name, Runner)] of everything that runs here, the peaks first."""
    name, mode, ours, peers, _ = ROWS[row]
    given = ["one"] if mode == "one" else [name, "--rows", str(work["rows"])]
    runners = []
    for cpu in ([], AVX2["inarch, AVX2"]) if work["madds"] and mode != "one" else ():
        if cpu in ([], *ours.values()):
            runners.append((peak_of(cpu), programs.Runner(*programs.ours(o, ["peak"], *cpu))))
    for label, flags in ours.items():
        runners.append((label, programs.Runner(*programs.ours(o, given, *flags))))
    for label, which in peers.items():
        command, env = programs.peer(o, which, work)
        runners.append((label, programs.Runner([*command, "--mode", mode], env)))
    live = []
    for label, runner in runners:
        if runner.ready():
            live.append((label, runner))
        else:
            print(f"{row}: {label} is left out: {runner.why()}", file=sys.stderr)
    return live


def race(o, row, work):
    """{name: [values]} over the rounds."""
    _, mode, ours, peers, _ = ROWS[row]
    if mode == "process":
        return whole.measure(o, work, ours, peers)
    live = start(o, row, work)
    values = {label: [] for label, _ in live}
    for _ in range(o.rounds):
        for label, runner in live:
            time.sleep(programs.PAUSE)
            values[label].append(runner.go())
    for _, runner in live:
        runner.end()
    return values


def show(o, row, values, work):
    _, mode, ours, _, goals = ROWS[row]
    peaks = {k: max(values.pop(k)) for k in list(values) if k.startswith("peak")}
    least = {k: min(v) for k, v in values.items()}
    print(f"\n{row}" + "".join(f", {k} {v:.0f} GFLOP/s" for k, v in peaks.items()))
    shares = {}
    for label, seconds in values.items():
        text = f"  {label:32}{1e3 * least[label]:12.4f} ms (median {1e3 * sorted(seconds)[len(seconds) // 2]:.4f})"
        peak = peaks.get(peak_of(ours.get(label)))
        if peak and label != "inarch, bf16":  # which has a peak of its own
            shares[label] = 2e-9 * work["madds"] * work["rows"] / least[label] / peak
            text += f"{100 * shares[label]:6.1f}% of peak"
        if label not in ours and "inarch" in least:
            text += f"{least[label] / least['inarch']:10.2f} x inarch"
        print(text)
    peers = {k: v for k, v in least.items() if k not in ours and not k.startswith(OTHER_ALGORITHM)}
    best = min(peers, key=peers.get) if peers else None
    for label, kind, wanted in goals:
        if label not in least or (kind == "ratio" and not best) or (kind == "share" and label not in shares):
            continue
        text, met = {
            "ratio": lambda: (f"{best} / {label} {peers[best] / least[label]:.2f}, goal {wanted}",
                              peers[best] / least[label] >= wanted),
            "share": lambda: (f"{label} {100 * shares[label]:.1f}% of peak, goal {100 * wanted:.0f}%",
                              shares[label] >= wanted),
            "us": lambda: (f"{label} {1e6 * least[label]:.1f} us, goal {wanted} us", least[label] <= wanted * 1e-6),
        }[kind]()
        print(f"  {text}: {programs.verdict(o, met)}")
    sys.stdout.flush()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=f"{programs.HERE}/../build-bench")
    parser.add_argument("--python", default=programs.DEFAULT_PYTHON, help="of the peers; those in C lie beside it")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", help="W2 or the like, joined by commas: " + ", ".join([*ROWS, *limits.ROWS]))
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--json", help="a file for all the numbers")
    o = parser.parse_args()
    o.bench = os.path.join(o.build, "inarch_bench")
    if not o.no_peers and not os.path.exists(o.python):
        sys.exit(f"no peers at {o.python}: sh bench/setup.sh makes them, --no-peers goes without")
    names = [*ROWS, *limits.ROWS]
    only = o.only.split(",") if o.only else names
    unknown = [name for name in only if not any(name in (row, row.split()[0]) for row in names)]
    if unknown:
        sys.exit(f"no row is called {unknown[0]!r}; there are {', '.join(names)}")
    o.names = [row for row in names if row in only or row.split()[0] in only]
    return o


def main():
    o = arguments()
    if o.no_peers:
        for name, row in ROWS.items():
            ROWS[name] = (*row[:3], {}, row[4])
    lines = subprocess.run([o.bench, "rows"], check=True, capture_output=True, text=True).stdout.splitlines()
    works = {r["name"]: r for r in map(json.loads, lines)}
    for r in works.values():
        r["rows"] = max(2 * r["batch"], int(r["rows"] * o.scale)) if o.scale < 1 else r["rows"]
    print(f"{platform.machine()}, {os.cpu_count()} CPUs, {o.threads} threads, {o.rounds} rounds")
    everything = {}
    for row in o.names:
        if row in limits.ROWS:
            everything[row] = limits.measure(o, row, works)
            continue
        work = works[ROWS[row][0]]
        values = race(o, row, work)
        everything[row] = dict(values)
        show(o, row, values, work)
    if o.json:
        with open(o.json, "w") as file:
            json.dump(everything, file, indent=1)


if __name__ == "__main__":
    main()
