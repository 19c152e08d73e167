#!/bin/sh
# The peers of bench/run.py: a virtual environment with pinned versions, FANN and dlib from Debian
# (dlib's products by OpenBLAS), and their programs, laid beside the Python. Usage:
# sh bench/setup.sh [DIRECTORY]. Prints the path of the Python to use. PyTorch's build without CUDA is
# wanted; where the index has none, the plain one is taken.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
venv=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/inarch/bench}
. "$here/../tools/setup.sh"
install python3-venv gcc g++ util-linux libfann-dev libdlib-dev libopenblas-dev >&2
pip() { "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@" >&2; }
if [ ! -f "$venv/ready" ]; then
    python3 -m venv "$venv"
    pip torch==2.13.0+cpu || pip torch==2.13.0
    pip numpy==2.4.6 keras==3.15.1 tensorflow-cpu==2.21.0 jax==0.10.2 scikit-learn==1.9.1 \
        pandas==3.1.1 polars==2.1.0 h5py==3.14.0
    : >"$venv/ready"
fi
# -march=native: built where it runs. The libraries themselves are as Debian ships them.
gcc -O3 -march=native -o "$venv/bin/fann_peer" "$here/peers/fann_peer.c" -lfloatfann -lm >&2
g++ -O3 -march=native -std=c++14 -o "$venv/bin/dlib_peer" "$here/peers/dlib_peer.cpp" -ldlib -lopenblas >&2
printf '%s\n' "$venv/bin/python"
