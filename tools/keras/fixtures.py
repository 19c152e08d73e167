#!/usr/bin/env python3
"""Writes the small fixtures that real Keras made: python fixtures.py OUT [GROUP]...

OUT is tests/fixtures/keras in a checkout. Needs the environment of venv.sh. Two runs give the same bytes, but for what
the README there names: each group has a process of its own, because what TensorFlow did before moves last bits.
"""
import importlib
import os
import subprocess
import sys

GROUPS = ["layers", "files", "training", "metrics", "initializers", "stopping"]


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: fixtures.py OUT [GROUP]...")
    out, wanted = sys.argv[1], sys.argv[2:] or GROUPS
    for name in wanted:
        if name not in GROUPS:
            sys.exit(f"no such group: {name}; known: {', '.join(GROUPS)}")
    os.makedirs(out, exist_ok=True)
    if len(wanted) == 1:
        importlib.import_module("fx_" + wanted[0]).write(out)
        return
    for name in wanted:
        subprocess.run([sys.executable, os.path.abspath(__file__), out, name], check=True)


if __name__ == "__main__":
    main()
