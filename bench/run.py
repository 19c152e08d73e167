#!/usr/bin/env python3
"""inarch and its peers side by side: python3 bench/run.py [--build build-bench] [--rounds 5] [--threads 2] [--only W2,W5]

Needs a build with -DINARCH_BENCH=ON and, for the peers, the environment that bench/setup.sh makes; peers that are not
there are left out, with a word. In each round every program does one unit while the others sleep. Printed: the minimum
of each over the rounds, its share of the peak of multiply-adds measured in the same rounds, and peers as multiples of
inarch's. --scale 0.01 runs the same on fewer rows: a test of the programs, not of speed.
"""
import argparse
import json
import os
import platform
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PAUSE = 0.3  # threads of the program before may spin for so long after its unit
DEFAULT_PYTHON = os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "inarch/bench/bin/python")


def torch(*flags, mode="train"):
    return ["torch_peer.py", *flags, "--mode", mode], {}


def keras(backend, mode="train"):
    return ["keras_peer.py", "--mode", mode], {"KERAS_BACKEND": backend}


def jax(*flags, mode="train"):
    return ["jax_peer.py", *flags, "--mode", mode], {}


def usual(mode="train", *more):
    """The peers of most rows."""
    return {
        "PyTorch eager": torch(mode=mode),
        "PyTorch compiled": torch("--compile", mode=mode),
        "JAX": jax(mode=mode),
        **{f"Keras on {b}": keras(b, mode) for b in ("tensorflow", "jax", "torch")},
        **dict(more),
    }


NUMPY = ("NumPy", (["numpy_peer.py"], {}))
SKLEARN = ("scikit-learn", (["sklearn_peer.py"], {}))


def with_mode(peer, mode):
    return peer[0], ([*peer[1][0], "--mode", mode], {})


# name: the row of inarch_bench, what it measures, our runs, the peers, the goal as (text, ratio to the best peer)
ROWS = {
    "W1": ("W1", "epoch", {"inarch": []},
           {**usual(), "PyTorch, features kept": torch("--cached"), "PyTorch compiled, kept": torch("--compile", "--cached"),
            "JAX, features kept": jax("--cached")}, 15),
    "W2": ("W2", "epoch", {"inarch": [], "inarch, AVX2": ["--cpu", "avx2"]}, usual("train", NUMPY, SKLEARN), 1.6),
    "W3": ("W3", "epoch", {"inarch": []}, usual("train", NUMPY), None),
    "W4": ("W4", "epoch", {"inarch": []}, usual("train", NUMPY), 1.4),
    "W5": ("W5", "epoch", {"inarch": []}, usual("train", NUMPY, SKLEARN), 150),
    "W6 one row": ("W6", "row", {"inarch": []}, usual("one", with_mode(NUMPY, "one"), with_mode(SKLEARN, "one")), 3),
    "W6 many rows": ("W6", "pass", {"inarch": []}, usual("predict", with_mode(NUMPY, "predict"),
                                                         with_mode(SKLEARN, "predict")), 1.6),
}


class Runner:
    """A program that waits for "go"."""

    def __init__(self, command, env):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True, env=env)

    def ready(self):
        for line in self.process.stdout:
            if line == "ready\n":
                return True
        return False

    def why(self):
        lines = self.process.stderr.read().strip().splitlines()
        return lines[-1] if lines else "no reason given"

    def go(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(self.why())
        return json.loads(line)

    def end(self):
        self.process.stdin.close()
        self.process.terminate()
        self.process.wait()


def environment(threads, more):
    env = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")}
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        env[name] = str(threads)
    env.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    return {**env, **more}


def confined(command, threads):
    """On the first `threads` CPUs this process may use: some frameworks take no other hint."""
    cpus = sorted(os.sched_getaffinity(0))[:threads]
    return ["taskset", "-c", ",".join(map(str, cpus)), *command] if len(cpus) < os.cpu_count() else command


def start(o, row, rows):
    """[(name, Runner)] of everything that runs here; the peak first."""
    name, _, ours, peers, _ = ROWS[row]
    work = rows[name]
    given = ["one"] if row == "W6 one row" else [name]
    size = ["--rows", str(work["rows"])]
    runners = [("peak", Runner([o.bench, "peak", "--threads", str(o.threads)], environment(o.threads, {})))]
    for label, flags in ours.items():
        command = [o.bench, *given, *size, "--threads", str(o.threads), *flags]
        runners.append((label, Runner(confined(command, o.threads), environment(o.threads, {}))))
    for label, (command, env) in peers.items() if not o.no_peers else ():
        command = [o.python, f"{HERE}/peers/{command[0]}", json.dumps(work), "--threads", str(o.threads), *command[1:]]
        runners.append((label, Runner(confined(command, o.threads), environment(o.threads, env))))
    live = []
    for label, runner in runners:
        if runner.ready():
            live.append((label, runner))
        else:
            print(f"{row}: {label} is left out: {runner.why()}", file=sys.stderr)
    return live


def measure(o, row, rows):
    """{name: [values]} over the rounds."""
    live = start(o, row, rows)
    values = {label: [] for label, _ in live}
    for _ in range(o.rounds):
        for label, runner in live:
            time.sleep(PAUSE)
            answer = runner.go()
            values[label].append(answer.get("seconds", answer.get("gflops")))
    for _, runner in live:
        runner.end()
    return values


def show(row, values, work, goal):
    peak = max(values.pop("peak", [0]))
    ours = min(values["inarch"])
    best = None
    print(f"\n{row}" + (f", peak {peak:.0f} GFLOP/s" if peak else ""))
    for label, seconds in values.items():
        least = min(seconds)
        text = f"  {label:24}{1e3 * least:12.4f} ms (median {1e3 * sorted(seconds)[len(seconds) // 2]:.4f})"
        if work["madds"] and peak and row != "W6 one row":
            text += f"{100 * 2e-9 * work['madds'] * work['rows'] / least / peak:6.1f}% of peak"
        if not label.startswith("inarch"):
            text += f"{least / ours:10.2f} x inarch"
            best = min(best or least, least)
        print(text)
    if best and goal:
        print(f"  best peer / inarch: {best / ours:.2f}; goal {goal}: {'met' if best / ours >= goal else 'NOT met'}")
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=f"{HERE}/../build-bench")
    parser.add_argument("--python", default=DEFAULT_PYTHON, help="of the peers")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", default=",".join(ROWS))
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--json", help="a file for all the numbers")
    o = parser.parse_args()
    o.bench = os.path.join(o.build, "inarch_bench")
    if not o.no_peers and not os.path.exists(o.python):
        sys.exit(f"no peers at {o.python}: sh bench/setup.sh makes them, --no-peers goes without")
    lines = subprocess.run([o.bench, "rows"], check=True, capture_output=True, text=True).stdout.splitlines()
    rows = {r["name"]: r for r in map(json.loads, lines)}
    for r in rows.values():
        r["rows"] = max(2 * r["batch"], int(r["rows"] * o.scale)) if o.scale < 1 else r["rows"]
    print(f"{platform.machine()}, {os.cpu_count()} CPUs, {o.threads} threads, {o.rounds} rounds")
    everything = {}
    for row in (r for r in ROWS if r.split()[0] in o.only.split(",") or r in o.only.split(",")):
        values = measure(o, row, rows)
        everything[row] = dict(values)
        show(row, values, rows[ROWS[row][0]], ROWS[row][4])
    if o.json:
        with open(o.json, "w") as file:
            json.dump(everything, file, indent=1)


if __name__ == "__main__":
    main()
