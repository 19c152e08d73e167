#!/usr/bin/env python3
"""What is not a race: python3 bench/limits.py [--build build-bench] [--only W7,W8,W9,busy,memory,growth] [--scale 1]

W7 start-up; W8 bytes as stored against float32; W9 a large CSV; W2 beside a process that keeps one of two CPUs;
memory of training against its parts; how time grows with rows, width, depth and epochs. Prints value, goal, verdict.
"""
import argparse
import array
import json
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
DEFAULT_PYTHON = os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "inarch/bench/bin/python")


def run(command, **more):
    """(seconds, peak kB, standard output)"""
    begun = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
    out = child.stdout.read()
    why = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"{' '.join(command)}: {why.decode()}")
    return time.perf_counter() - begun, usage.ru_maxrss, out.decode()


def report(row, text, met):
    print(f"{row:8}{text}: {'met' if met else 'NOT met'}", flush=True)


def npy(file, data, shape, kind):
    """An array in NumPy's format."""
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (63 - (10 + len(header)) % 64) + "\n"
    file.write(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + data)


def images(path, rows, kind):
    rng = random.Random(0)
    one = rng.randbytes(784 * 64)
    data = b"".join(one[i * 784 % len(one):][:784] for i in range(rows))
    if kind == "<f4":
        data = array.array("f", iter(data)).tobytes()
    with zipfile.ZipFile(path, "w") as archive:
        with archive.open("x.npy", "w", force_zip64=True) as file:
            npy(file, data, (rows, 784), kind)
        with archive.open("y.npy", "w") as file:
            npy(file, array.array("i", [i % 10 for i in range(rows)]).tobytes(), f"({rows},)", "<i4")


def w7(o, folder):
    arch = "input:300,dense:700:relu,dense:50:relu,dense:10:softmax"
    images_path = f"{folder}/t.csv"
    with open(images_path, "w") as file:
        file.write(run([f"{o.build}/write_csv", "30", "300"])[2])
    run([f"{o.build}/inarch", "train", "--arch", arch.replace("dense:10:softmax", "dense:1:sigmoid"), "--data", images_path,
         "--labels", "label", "--optimizer", "sgd", "-o", f"{folder}/m.h5"])
    size = os.path.getsize(f"{folder}/m.h5") / 1e6
    version = min(run([f"{o.build}/inarch", "--version"])[0] for _ in range(20))
    show = min(run([f"{o.build}/inarch", "show", f"{folder}/m.h5"])[0] for _ in range(20))
    report("W7", f"--version {1e3 * version:.1f} ms, show of {size:.1f} MB {1e3 * show:.1f} ms, goal 10 ms", show <= 0.010)


def w8(o, folder):
    rows = int(60000 * o.scale)
    best, peak = {}, {}
    paths = {"uint8": f"{folder}/u.npz", "float32": f"{folder}/f.npz"}
    images(paths["uint8"], rows, "|u1")
    images(paths["float32"], rows, "<f4")
    for _ in range(o.rounds):
        for kind, path in paths.items():
            log = f"{folder}/{kind}.jsonl"
            _, memory, _ = run([f"{o.build}/inarch", "train", "--arch", "input:784,dense:512:relu,dense:10:softmax", "--data",
                                path, "--batch-size", "128", "--epochs", "3", "--threads", str(o.threads), "--quiet", "--log",
                                log, "-o", f"{folder}/w8.h5"])
            seconds = min(json.loads(line)["seconds"] for line in open(log).read().splitlines()[-3:])
            best[kind] = min(best.get(kind, seconds), seconds)
            peak[kind] = memory / 1024
            os.remove(log)
    gain = peak["float32"] - peak["uint8"]
    stored = rows * 784 * 3 / 2**20
    report("W8", f"epoch {best['uint8']:.3f} s from uint8, {best['float32']:.3f} s from float32; memory {peak['uint8']:.0f} and "
           f"{peak['float32']:.0f} MB", best["uint8"] <= 1.03 * best["float32"] and gain > 0.8 * stored)


def w9(o, folder):
    rows, columns, path = int(1000000 * o.scale), 100, f"{folder}/t.csv"
    with open(path, "wb") as file:
        subprocess.run([f"{o.build}/write_csv", str(rows), str(columns)], stdout=file, check=True)
    size = os.path.getsize(path)
    open(path, "rb").read(1 << 20)
    best, peak = 1e9, 0
    for _ in range(o.rounds):
        _, memory, out = run([f"{o.build}/inarch_bench", "open", path, "label"])
        best, peak = min(best, json.loads(out)["seconds"]), memory
    rate, share = size / best / 1e6, peak * 1024 / (4 * rows * (columns + 1))
    report("W9", f"{size / 1e6:.0f} MB of CSV at {rate:.0f} MB/s, goal 500; memory {share:.2f} x its numbers, goal 1.2",
           rate >= 500 and share <= 1.2)
    if os.path.exists(o.python):
        code = "import sys,time,pandas;t=time.perf_counter();pandas.read_csv(sys.argv[1],dtype='float32');print(time.perf_counter()-t)"
        print(f"        pandas: {size / float(run([o.python, '-c', code, path])[2]) / 1e6:.0f} MB/s")
        code = "import sys,time,polars;t=time.perf_counter();polars.read_csv(sys.argv[1]);print(time.perf_counter()-t)"
        print(f"        polars: {size / float(run([o.python, '-c', code, path])[2]) / 1e6:.0f} MB/s")


def epochs(command, n):
    """The fastest of n units of a program that waits for "go"."""
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    while child.stdout.readline() not in ("ready\n", ""):
        pass
    best = 1e9
    for _ in range(n):
        child.stdin.write("go\n")
        child.stdin.flush()
        best = min(best, json.loads(child.stdout.readline())["seconds"])
    child.stdin.close()
    child.wait()
    return best


def busy(o, _):
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) != 2:
        print("busy    is meant for two CPUs: left out")
        return
    command = [f"{o.build}/inarch_bench", "W2", "--threads", "2", "--rows", str(int(60000 * o.scale))]
    alone = epochs(command, o.rounds)
    spinner = subprocess.Popen(["taskset", "-c", str(cpus[1]), "sh", "-c", "while :; do :; done"])
    beside = epochs(command, o.rounds)
    spinner.send_signal(signal.SIGKILL)
    spinner.wait()
    report("busy", f"W2 alone {alone:.3f} s, beside a busy process {beside:.3f} s: {beside / alone:.2f} x, goal 2.3",
           beside <= 2.3 * alone)


def memory(o, _):
    arch, rows, batch = "input:2048,dense:4096:relu,dense:4096:relu,dense:1000:softmax", 2048, 512
    params = 2048 * 4096 + 4096 + 4096 * 4096 + 4096 + 4096 * 1000 + 1000
    activations = 2 * batch * (2048 + 2 * 4096 + 1000)
    want = 4 * (3 * params + activations + rows * 2049) / 2**20
    _, peak, _ = run([f"{o.build}/inarch_bench", "fit", arch, str(rows), "1000", str(batch), "2", "--threads", "2"])
    _, longer, _ = run([f"{o.build}/inarch_bench", "fit", arch, str(rows), "1000", str(batch), "5", "--threads", "2"])
    report("memory", f"W3 {peak / 1024:.0f} MB, {longer / 1024:.0f} MB after more epochs; weights, slots, two batches of "
           f"activations and data are {want:.0f} MB; {peak / 1024 / want:.2f} x, goal 1.1", peak / 1024 <= 1.1 * want)


def slope(points):
    """The exponent between the last two points."""
    (a, s), (b, t) = points[-2:]
    return math.log(t / s) / math.log(b / a)


def growth(o, _):
    def seconds(arch, rows, n, batch=128):
        command = [f"{o.build}/inarch_bench", "fit", arch, str(rows), "10", str(batch), str(n), "--threads", "1"]
        return min(json.loads(run(command)[2])["seconds"] for _ in range(max(1, o.rounds // 2)))

    top = "dense:10:softmax"
    rows = [(n, seconds(f"input:64,dense:64:relu,{top}", n, 2)) for n in (100, 1000, 10000, 100000, 1000000)]
    width = [(n, seconds(f"input:{n},dense:{n}:relu,{top}", 1024, 2)) for n in (16, 64, 256, 1024, 2048, 4096)]
    depth = [(n, seconds("input:256," + "dense:256:relu," * n + top, 4096, 2)) for n in (1, 4, 16, 32, 64)]
    many = [(n, seconds(f"input:64,dense:64:relu,{top}", 2000, n)) for n in (1, 10, 100, 1000)]
    for name, points, want in (("rows", rows, 1), ("width", width, 2), ("depth", depth, 1), ("epochs", many, 1)):
        got = slope(points)
        report("growth", f"{name} " + ", ".join(f"{n}: {s:.3g} s" for n, s in points) + f"; exponent {got:.2f}, goal {want} +- 0.05",
               abs(got - want) <= 0.05)


ROWS = {"W7": w7, "W8": w8, "W9": w9, "busy": busy, "memory": memory, "growth": growth}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=f"{HERE}/../build-bench")
    parser.add_argument("--python", default=DEFAULT_PYTHON)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--only", default=",".join(ROWS))
    o = parser.parse_args()
    for row in o.only.split(","):
        with tempfile.TemporaryDirectory() as folder:
            ROWS[row](o, folder)


if __name__ == "__main__":
    main()
