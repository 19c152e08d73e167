#!/bin/sh
# All tests, in one command: installs what is missing (Debian, Ubuntu), builds, runs ctest.
set -eu
cd "$(dirname "$0")/.."
. tools/setup.sh
install gcc g++ cmake make pkg-config libjansson-dev zlib1g-dev libcmocka-dev
run cmake -B build -DCMAKE_BUILD_TYPE=Release
run cmake --build build --parallel "$(nproc)"
run ctest --test-dir build --output-on-failure --parallel "$(nproc)" "$@"
