#!/usr/bin/env python3
"""The seed's loop in PyTorch, timed per epoch: python seed_torch.py [MODEL.h5] [--rows N] [--epochs N] [--threads N] [--compile] [--cached]

The same network, data and settings as seed_keras.py. MODEL is Keras' .h5: its first ten Dense kernels are read with h5py.
--compile: torch.compile. --cached: the frozen layers are run once, their output is kept (what a careful user would do).
Prints one JSON object: seconds of import, load (with the compilation's first step where there is one) and each epoch.
"""
import argparse
import json
import sys
import time

START = time.perf_counter()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?")
    parser.add_argument("--rows", type=int, default=10000)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--threads", type=int, default=0, help="0 = as many as PyTorch likes")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--cached", action="store_true")
    return parser.parse_args()


def kernels(path):
    """[(kernel, bias)] of the file's layers in order; Keras 3 and tf_keras names."""
    import h5py
    with h5py.File(path, "r") as file:
        root = file["model_weights"] if "model_weights" in file else file
        for name in root.attrs["layer_names"]:
            group = root[name]
            arrays = [group[w][()] for w in group.attrs["weight_names"]]
            if len(arrays) == 2 and arrays[0].ndim == 2:
                yield arrays


def frozen_base(torch, path):
    layers, width = [], 20
    given = list(kernels(path))[:10] if path else []
    for k in range(10):
        dense = torch.nn.Linear(width, 64)
        width = 64
        torch.nn.init.xavier_uniform_(dense.weight)
        torch.nn.init.zeros_(dense.bias)
        if given:
            with torch.no_grad():
                dense.weight.copy_(torch.from_numpy(given[k][0].T.copy()))
                dense.bias.copy_(torch.from_numpy(given[k][1]))
        layers += [dense, torch.nn.ReLU()]
    base = torch.nn.Sequential(*layers)
    return base.requires_grad_(False)


def new_head(torch):
    head = torch.nn.Sequential(torch.nn.Linear(64, 128), torch.nn.ReLU(), torch.nn.Linear(128, 1))
    for layer in (head[0], head[2]):
        torch.nn.init.xavier_uniform_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    return head


def main():
    options = arguments()
    import numpy as np
    import torch
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    imported = time.perf_counter()
    x = np.random.default_rng(0).standard_normal((options.rows, 20)).astype(np.float32)
    y = torch.from_numpy((x.sum(axis=1, keepdims=True) > 0).astype(np.float32))
    x = torch.from_numpy(x)
    base, head = frozen_base(torch, options.model), new_head(torch)
    optimizer = torch.optim.Adam(head.parameters(), lr=1e-3, eps=1e-7)
    loss_of = torch.nn.BCEWithLogitsLoss()
    if options.cached:
        with torch.no_grad():
            x = base(x)
        forward = head
    else:
        forward = torch.nn.Sequential(base, head)
    if options.compile:
        forward = torch.compile(forward)
        for rows in (32, options.rows % 32):
            if rows:  # the two shapes that occur; nothing is learned here
                loss_of(forward(x[:rows]), y[:rows]).backward()
        optimizer.zero_grad(set_to_none=True)
    loaded = time.perf_counter()
    seconds, losses, accuracies = [], [], []
    for _ in range(options.epochs):
        begun = time.perf_counter()
        total = right = 0.0
        order = torch.randperm(len(x))
        for at in range(0, len(x), 32):
            rows = order[at:at + 32]
            logits = forward(x[rows])
            loss = loss_of(logits, y[rows])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                total += loss.item() * len(rows)
                right += ((logits > 0) == (y[rows] > 0.5)).sum().item()
        seconds.append(time.perf_counter() - begun)
        losses.append(total / len(x))
        accuracies.append(right / len(x))
    json.dump({"peer": "torch", "version": torch.__version__, "compiled": options.compile, "cached": options.cached,
               "rows": options.rows, "batch_size": 32, "threads": torch.get_num_threads(),
               "import_seconds": imported - START, "load_seconds": loaded - imported, "epoch_seconds": seconds,
               "total_seconds": time.perf_counter() - START, "loss": losses, "accuracy": accuracies}, sys.stdout)
    print()


if __name__ == "__main__":
    main()
