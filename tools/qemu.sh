#!/bin/sh
# One training run on machines we have not: its hash (tests/api/test_hash.c) must be the same on AArch64
# (NEON), on an x86 with AVX2 alone and on one older than AVX, all under qemu-user.
# (tests/kernels/cross/run.sh does the same for the kernels' tests.)
# Needs qemu-user, and aarch64-linux-gnu-gcc for AArch64; says what is missing and skips without: exit 77.
# The arm64 zlib and jansson come from the distribution's archive into the folder of the programs: nothing
# is installed. Usage: qemu.sh [FOLDER FOR THE PROGRAMS]
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
out=${1:-$(mktemp -d)}
mkdir -p "$out"
out=$(cd "$out" && pwd)
jobs=$(nproc)
flags="-std=c11 -O2 -D_GNU_SOURCE -DINARCH_STATIC -ffp-contract=off -fno-math-errno
    -I$root/include -I$root/src -I$root/tests -I$root/tests/kernels/cross"

build() { # COMPILER FOLDER EXTRA_FLAGS
    mkdir -p "$2"
    find "$root/src" -name '*.c' | while read -r source; do
        object=$(echo "${source#"$root"/src/}" | tr / _)
        echo "$source $2/${object%.c}.o"
    done | xargs -P "$jobs" -L 1 sh -c "exec $1 $(echo $flags) $3 -c \"\$0\" -o \"\$1\""
    "$1" $flags $3 -static "$root/tests/api/test_hash.c" "$2"/*.o $4 -ljansson -lz -lm -lpthread \
        -o "$2/test_hash"
}

skipped=0
skip() {
    echo "skipped: $*"
    skipped=77
}

run() { # PROGRAM EMULATOR...
    program=$1
    shift
    echo "== $*"
    # qemu warns about every feature of the CPU that it does not emulate
    "$@" "$program" 2>"$out/stderr" || { cat "$out/stderr" >&2; exit 1; }
}

# The packages' files in $1, asked for in a state folder of our own.
arm64_libraries() {
    [ -f "$1/usr/include/jansson.h" ] && return 0
    command -v apt-get >/dev/null || return 1
    mkdir -p "$1/lists/partial" "$1/cache/archives/partial"
    : >"$1/status"
    own="-o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o Dir::State=$1
        -o Dir::State::status=$1/status -o Dir::Cache=$1/cache -o Debug::NoLocking=1"
    (cd "$1" && apt-get -qq $own update &&
        apt-get -qq $own download libjansson-dev libjansson4 zlib1g zlib1g-dev &&
        for package in *.deb; do dpkg-deb -x "$package" .; done) || return 1
}

if ! command -v qemu-aarch64 >/dev/null || ! command -v aarch64-linux-gnu-gcc >/dev/null; then
    skip "AArch64 needs qemu-aarch64 and aarch64-linux-gnu-gcc"
elif ! arm64_libraries "$out/sysroot"; then
    skip "zlib and jansson for arm64 could not be had from the archive"
else
    library="$out/sysroot/usr/lib/aarch64-linux-gnu"
    build aarch64-linux-gnu-gcc "$out/arm64" "-isystem $out/sysroot/usr/include" "-L$library"
    run "$out/arm64/test_hash" qemu-aarch64
fi
if ! command -v qemu-x86_64 >/dev/null || [ "$(uname -m)" != x86_64 ]; then
    skip "older x86 machines need qemu-x86_64 on x86"
else
    build gcc "$out/x86" "" ""
    run "$out/x86/test_hash" qemu-x86_64 -cpu Haswell
    run "$out/x86/test_hash" qemu-x86_64 -cpu Nehalem
fi
exit $skipped
