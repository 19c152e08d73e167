#!/bin/sh
# Runs the kernel tests as another machine would: AArch64 (NEON) and an x86 without AVX-512, both under
# qemu-user. Needs qemu-user and, for the first, aarch64-linux-gnu-gcc; says so and skips without.
# Usage: run.sh [FOLDER FOR THE PROGRAMS]
set -eu
root=$(cd "$(dirname "$0")/../../.." && pwd)
out=${1:-$(mktemp -d)}
mkdir -p "$out"
flags="-std=c11 -O2 -D_GNU_SOURCE -ffp-contract=off -fno-math-errno -static
    -I$root/include -I$root/src -I$root/tests -I$root/tests/kernels/cross"
base=$(ls "$root"/src/base/*.c | grep -v json)
kernels=$(ls "$root"/src/kernels/*.c "$root"/src/kernels/*/*.c)

run_tests() { # COMPILER EMULATOR...
    cc=$1
    shift
    objects="$out/$cc"
    mkdir -p "$objects"
    for source in $base $kernels; do
        "$cc" $flags -c "$source" -o "$objects/$(basename "$source" .c).o"
    done
    for test in "$root"/tests/kernels/test_*.c "$root"/tests/base/test_maths.c; do
        program="$objects/$(basename "$test" .c)"
        "$cc" $flags "$test" "$objects"/*.o -lm -lpthread -o "$program"
        echo "== $(basename "$program"): $*"
        "$@" "$program" || exit 1
    done
}

if command -v aarch64-linux-gnu-gcc >/dev/null && command -v qemu-aarch64 >/dev/null; then
    run_tests aarch64-linux-gnu-gcc qemu-aarch64
else
    echo "skipped: AArch64 needs aarch64-linux-gnu-gcc and qemu-aarch64"
fi
if command -v gcc >/dev/null && command -v qemu-x86_64 >/dev/null; then
    KERNEL_TEST_GAP=16 # see kernel_test.h
    export KERNEL_TEST_GAP
    run_tests gcc qemu-x86_64 -cpu Haswell
else
    echo "skipped: an older x86 needs gcc and qemu-x86_64"
fi
