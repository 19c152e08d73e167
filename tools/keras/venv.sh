#!/bin/sh
# Makes (once) the Python environment that holds the real Keras 3 and tf_keras, with fixed versions.
# The last line on stdout is the path of its python. Exit 77 = pip found no index, so skip what needs Keras.
# INARCH_CACHE moves the cache; PYTHON names another interpreter to start from (3.11 to 3.13).
set -eu

cache=${INARCH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/inarch}
venv=$cache/keras
python=${PYTHON:-python3}
packages='keras==3.15.1 tf_keras==2.21.0 tensorflow-cpu==2.21.0 numpy==2.4.6 h5py==3.14.0'

stamp=$venv/installed
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$packages" ]; then
    echo "$venv/bin/python"
    exit 0
fi

if ! "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'; then
    echo "venv.sh: $python is not Python 3.11 to 3.13, which these versions of Keras need; set PYTHON" >&2
    exit 77
fi
mkdir -p "$cache"
rm -rf "$venv"
if ! "$python" -m venv "$venv" >&2; then
    echo "venv.sh: $python cannot make a virtual environment (Debian: install python3-venv)" >&2
    exit 77
fi

# One small download first: it tells a missing index from a real failure of the large ones.
if ! "$venv/bin/python" -m pip download --quiet --no-deps --dest "$venv/probe" absl-py >"$venv/pip.log" 2>&1; then
    echo "venv.sh: pip has no package index here, so Keras cannot be installed; see $venv/pip.log" >&2
    exit 77
fi
rm -rf "$venv/probe"

# tf_keras asks for the package "tensorflow"; tensorflow-cpu is the same without the GPU parts.
# shellcheck disable=SC2086 # the list is meant to split
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps tf_keras==2.21.0 >&2
# shellcheck disable=SC2086
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check $(echo "$packages" | sed 's/tf_keras==[^ ]*//') >&2
printf '%s\n' "$packages" >"$stamp"
echo "$venv/bin/python"
