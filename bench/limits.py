"""The rows of run.py that are measured against numbers, not raced.

W7 start-up; W8 bytes as stored against float32; W9 a large CSV; W2 beside a process that keeps one of two CPUs;
memory of training against its parts; how time grows with rows, width, depth and epochs.
"""
import json
import math
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time

import npz
import programs

BATCH = 128


def report(o, row, text, met):
    print(f"{row:8}{text}: {programs.verdict(o, met)}", flush=True)


def w7(o, folder, _):
    """A model of 1 MB, and the time from exec to exit."""
    arch = "input:300,dense:700:relu,dense:50:relu,dense:1:sigmoid"
    with open(f"{folder}/t.csv", "w") as file:
        file.write(programs.once([f"{o.build}/write_csv", "30", "300"])[2])
    programs.once([f"{o.build}/inarch", "train", "--arch", arch, "--data", f"{folder}/t.csv", "--labels", "label",
                   "--optimizer", "sgd", "-o", f"{folder}/m.h5"])
    size = os.path.getsize(f"{folder}/m.h5") / 1e6
    version = min(programs.once([f"{o.build}/inarch", "--version"])[0] for _ in range(20))
    show = min(programs.once([f"{o.build}/inarch", "show", f"{folder}/m.h5"])[0] for _ in range(20))
    report(o, "W7", f"--version {1e3 * version:.1f} ms, show of {size:.1f} MB {1e3 * show:.1f} ms, goal 10 ms",
           max(version, show) <= 0.010)
    return {"version": version, "show": show, "megabytes": size}


def images(rows, kind):
    """rows of 784 bytes, or the same as float32, in pieces."""
    noise = random.Random(0).randbytes(784 * 64)
    block = noise if kind == "|u1" else struct.pack(f"<{len(noise)}f", *noise)
    size = len(block) // 64
    for at in range(0, rows, 64):
        yield block[:size * min(64, rows - at)]


def w8(o, folder, _):
    rows = int(60000 * o.scale)
    best, peak = {}, {}
    labels = [bytes(i % 10 for i in range(rows))]
    for name, kind in (("uint8", "|u1"), ("float32", "<f4")):
        npz.write(f"{folder}/{name}.npz", x=(kind, (rows, 784), images(rows, kind)), y=("|u1", (rows,), labels))
    for _ in range(o.rounds):
        for name in ("uint8", "float32"):
            log = f"{folder}/{name}.jsonl"
            _, memory, _ = programs.once(
                [f"{o.build}/inarch", "train", "--arch", "input:784,dense:512:relu,dense:10:softmax", "--data",
                 f"{folder}/{name}.npz", "--batch-size", str(BATCH), "--epochs", "4", "--threads", str(o.threads),
                 "--quiet", "--log", log, "-o", f"{folder}/w8.h5"])
            with open(log) as lines:
                seconds = min(json.loads(line)["seconds"] for line in lines.read().splitlines()[-3:])
            os.remove(log)
            best[name] = min(best.get(name, seconds), seconds)
            peak[name] = memory / 1024
    stored = rows * 784 / 2**20
    report(o, "W8", f"epoch {best['uint8']:.3f} s from uint8, {best['float32']:.3f} s from float32; resident "
           f"{peak['uint8']:.0f} and {peak['float32']:.0f} MB, the rows as stored being {stored:.0f} and {4 * stored:.0f}",
           best["uint8"] <= 1.03 * best["float32"] and peak["float32"] - peak["uint8"] > 0.8 * 3 * stored)
    return {"epoch": best, "resident": peak}


READERS = {
    "pandas": "import pandas; read = lambda: pandas.read_csv(path, dtype='float32', engine='c')",
    "polars": "import polars; read = lambda: polars.read_csv(path, infer_schema_length=1000)",
    "numpy.loadtxt": "import numpy; read = lambda: numpy.loadtxt(path, numpy.float32, delimiter=',', skiprows=1)",
}


def w9(o, folder, _):
    rows, columns, path = int(1000000 * o.scale), 100, f"{folder}/t.csv"
    with open(path, "wb") as file:
        subprocess.run([f"{o.build}/write_csv", str(rows), str(columns)], stdout=file, check=True)
    size, numbers = os.path.getsize(path) / 1e6, 4 * rows * (columns + 1)
    found = {}
    for threads in sorted({1, o.threads}):
        command = programs.confined([o.bench, "open", path, "label"], threads)
        results = [programs.once(command) for _ in range(o.rounds)]
        rate = size / min(json.loads(out)["seconds"] for _, _, out in results)
        share = max(memory for _, memory, _ in results) * 1024 / numbers
        found[f"inarch, {threads} threads"] = rate, share
    rate, share = found[f"inarch, {o.threads} threads"]
    report(o, "W9", f"{size:.0f} MB of CSV at {rate:.0f} MB/s, goal 500, on one thread "
           f"{found['inarch, 1 threads'][0]:.0f}; memory {share:.2f} x its numbers, goal 1.2", rate >= 500 and share <= 1.2)
    for name, code in READERS.items() if not o.no_peers else ():
        code = (f"import sys, time; path = sys.argv[1]; {code}\n"
                "t = time.perf_counter(); d = read(); print(time.perf_counter() - t)")
        try:
            _, memory, out = programs.once(programs.confined([o.python, "-c", code, path], o.threads),
                                           programs.environment(o.threads))
        except (OSError, RuntimeError) as error:
            print(f"W9: {name} is left out: {error}", file=sys.stderr)
            continue
        found[name] = size / float(out), memory * 1024 / numbers
        print(f"        {name}: {found[name][0]:.0f} MB/s, memory {found[name][1]:.2f} x")
    return found


def busy(o, _, works):
    """W2 on two CPUs, and beside a process that keeps the second, in turns."""
    cpus = sorted(os.sched_getaffinity(0))[:2]
    if len(cpus) < 2:
        print("busy    needs two CPUs: left out")
        return {}
    pinned = ["taskset", "-c", ",".join(map(str, cpus))]
    work = works["W2"]
    commands = {"inarch": ([o.bench, "W2", "--threads", "2", "--rows", str(work["rows"])], programs.environment(2))}
    for name, flags in (("PyTorch eager", []), ("PyTorch compiled", ["--compile"])) if not o.no_peers else ():
        commands[name] = programs.peer(o, (["torch_peer.py", *flags], {}), work)
    live = {name: programs.Runner([*pinned, *command], env) for name, (command, env) in commands.items()}
    seconds = {}
    for name, runner in live.items():
        if not runner.ready():
            print(f"busy: {name} is left out: {runner.why()}", file=sys.stderr)
            continue
        seconds[name] = [], []
    for _ in range(o.rounds):
        for name, both in seconds.items():
            time.sleep(programs.PAUSE)
            both[0].append(live[name].go())
            spinner = subprocess.Popen(["taskset", "-c", str(cpus[1]), "sh", "-c", "while :; do :; done"])
            try:
                time.sleep(programs.PAUSE)
                both[1].append(live[name].go())
            finally:
                spinner.send_signal(signal.SIGKILL)
                spinner.wait()
    for name in seconds:
        live[name].end()
        alone, beside = map(min, seconds[name])
        text = f"W2 alone {alone:.3f} s, beside a busy process {beside:.3f} s: {beside / alone:.2f} x"
        if name == "inarch":
            report(o, "busy", text + ", goal 2.3", beside <= 2.3 * alone)
        else:
            print(f"        {name}: {text}")
    return seconds


def memory(o, _, works):
    """W3's peak, against parameters x (weights and two slots), two batches of activations, and the rows."""
    work = works["W3"]
    batch, rows, widths = work["batch"], max(2 * work["batch"], work["rows"] // 5), [work["in"], 4096, 4096, 1000]
    parameters = sum((a + 1) * b for a, b in zip(widths, widths[1:]))
    want = 4 * (3 * parameters + 2 * batch * sum(widths) + rows * (work["in"] + 1)) / 2**20

    def peak(epochs):
        return programs.once([o.bench, "fit", work["arch"], str(rows), "1000", str(batch), str(epochs), "--threads",
                              str(o.threads)])[1] / 1024

    few, many = peak(2), peak(5)
    report(o, "memory", f"W3 {few:.0f} MB, {many:.0f} MB after more epochs; weights, slots, two batches of activations "
           f"and rows are {want:.0f} MB; {few / want:.2f} x, goal 1.1", few <= 1.1 * want and many <= 1.01 * few)
    return {"peak": few, "after more epochs": many, "formula": want}


def slope(points):
    """The exponent of time over the upper range: least squares through the logarithms of the last three."""
    x, y = zip(*((math.log(n), math.log(s)) for n, s in points[-3:]))
    mx, my = sum(x) / len(x), sum(y) / len(y)
    return sum((a - mx) * (b - my) for a, b in zip(x, y)) / sum((a - mx) ** 2 for a in x)


TOP = "dense:10:softmax"
# name: (sizes, what a size is: SPEC, rows, epochs; the exponent that its arithmetic has)
GROWTH = {
    "rows": ((100, 1000, 10000, 100000, 1000000), lambda n: (f"input:64,dense:64:relu,{TOP}", n, 2), 1),
    "width": ((16, 64, 256, 1024, 2048, 4096), lambda n: (f"input:{n},dense:{n}:relu,{TOP}", 1024, 2), 2),
    "depth": ((1, 4, 16, 32, 64), lambda n: ("input:256," + "dense:256:relu," * n + TOP, 4096, 2), 1),
    "epochs": ((1, 10, 100, 1000), lambda n: (f"input:64,dense:64:relu,{TOP}", 2000, n), 1),
}


def growth(o, *_):
    found = {}
    for name, (sizes, what, want) in GROWTH.items():
        points = []
        for n in sizes if o.scale >= 1 else sizes[:3]:
            arch, rows, epochs = what(n)
            command = [o.bench, "fit", arch, str(rows), "10", str(BATCH), str(epochs), "--threads", "1"]
            points.append((n, min(json.loads(programs.once(command)[2])["seconds"] for _ in range(o.rounds))))
        got = slope(points)
        report(o, "growth", f"{name} " + ", ".join(f"{n}: {s:.3g} s" for n, s in points) +
               f"; exponent {got:.3f}, goal {want} +- 0.05", abs(got - want) <= 0.05)
        found[name] = {"points": points, "exponent": got}
    return found


ROWS = {"W7": w7, "W8": w8, "W9": w9, "busy": busy, "memory": memory, "growth": growth}


def measure(o, row, works):
    with tempfile.TemporaryDirectory() as folder:
        return ROWS[row](o, folder, works)
