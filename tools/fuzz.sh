#!/bin/sh
# Builds the fuzz targets with clang and runs each for SECONDS (30), starting from the fixtures.
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-30}
. tools/setup.sh
install clang libclang-rt-14-dev cmake make pkg-config libjansson-dev zlib1g-dev libcmocka-dev
run cmake -B build-fuzz -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=RelWithDebInfo \
    -DCMAKE_C_FLAGS=-UNDEBUG -DINARCH_FUZZ=ON -DINARCH_SANITIZE=address,undefined
for source in tests/fuzz/fuzz_*.c; do
    name=$(basename "$source" .c)
    run cmake --build build-fuzz --parallel "$(nproc)" --target "$name"
    seeds=build-fuzz/seeds-$name
    mkdir -p "$seeds"
    # Small fixtures are the first inputs; what a run finds is added to them.
    find tests/fixtures -type f -size -16k ! -name '*.json' -exec cp -n {} "$seeds" \;
    run "build-fuzz/tests/fuzz/$name" -max_total_time="$seconds" -max_len=20000 -timeout=10 \
        -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 "$seeds"
done
