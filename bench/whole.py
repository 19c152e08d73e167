"""W1 from the start of the process to the saved model: read a pretrained .h5 and rows, graft, ten epochs, save."""
import array
import os
import random
import sys
import tempfile

import npz
import programs

TUNE = ["--pop", "1", "--freeze", "10", "--add", "dense:128:relu", "--add", "dense:1:sigmoid", "--epochs", "10",
        "--batch-size", "32", "--quiet"]


def prepare(o, work, folder):
    """The pretrained model, with a head that the work takes off, and the rows."""
    rng = random.Random(0)
    rows, width = work["rows"], work["in"]
    x = array.array("f", (rng.gauss(0, 1) for _ in range(rows * width)))
    y = array.array("f", (float(sum(x[r * width:(r + 1) * width]) > 0) for r in range(rows)))
    for name, n in (("rows", rows), ("few", 64)):
        npz.write(f"{folder}/{name}.npz", x=("<f4", (n, width), [x[:n * width].tobytes()]),
                  y=("<f4", (n, 1), [y[:n].tobytes()]))
    programs.once([f"{o.build}/inarch", "train", "--arch", work["arch"] + ",dense:1:sigmoid", "--data",
                   f"{folder}/few.npz", "--quiet", "-o", f"{folder}/seed.h5"])


def commands(o, work, ours, peers, folder):
    model, rows = f"{folder}/seed.h5", f"{folder}/rows.npz"
    for label, flags in ours.items():
        out = f"{folder}/tuned.h5"
        yield label, out, programs.confined([f"{o.build}/inarch", "tune", model, "--data", rows, *TUNE, "--threads",
                                             str(o.threads), *flags, "-o", out], o.threads), None
    for k, (label, which) in enumerate(peers.items()):
        command, env = programs.peer(o, which, work)
        out = f"{folder}/peer{k}.{'keras' if which[0][0].startswith('keras') else 'out'}"
        yield label, out, [*command, "--tune", model, rows, out], env


def measure(o, work, ours, peers):
    """{name: [seconds of each round]}; programs that fail are left out with a word."""
    values = {}
    with tempfile.TemporaryDirectory() as folder:
        prepare(o, work, folder)
        live = list(commands(o, work, ours, peers, folder))
        for _ in range(o.rounds):
            for program in list(live):
                label, out, command, env = program
                try:
                    seconds = programs.once(command, env)[0]
                    if not os.path.getsize(out):
                        raise RuntimeError("saved nothing")
                    os.remove(out)
                    values.setdefault(label, []).append(seconds)
                except (OSError, RuntimeError) as error:
                    print(f"W1 process: {label} is left out: {error}", file=sys.stderr)
                    live.remove(program)
    return values
