#!/bin/sh
# The examples that read files: run.sh INARCH FIXTURES SEED_LOOP FEATURES [SEED_LOOP_CPP]. What they print
# and write is what the command line makes of the same calls.
set -eu
inarch=$1 rows=$2/cli/parts.npz seed_loop=$3 features=$4 cpp=${5:-}
rm -rf examples && mkdir examples && cd examples
fail() {
    echo "$*"
    exit 1
}
"$inarch" train --arch input:3,dense:8:relu,dense:2:softmax --data "$rows" --quiet -o model.h5
"$inarch" tune model.h5 --data "$rows" --freeze all --add dense:128:relu --add dense:1:sigmoid \
    --loss binary_crossentropy --metrics accuracy --epochs 10 --quiet -o expected.h5
"$inarch" predict expected.h5 --data "$rows" -o expected.npy

said=$("$seed_loop" model.h5 "$rows" "$rows" tuned.h5)
"$inarch" eval tuned.h5 --data "$rows" --part train >scores
expected=$(awk '{printf "%s%s %.4f", NR == 1 ? "" : "  ", NR == 1 ? "loss" : "accuracy", $2}' scores)
[ "$said" = "$expected" ] || fail "seed_loop says '$said', eval '$expected'"
"$inarch" predict tuned.h5 --data "$rows" -o tuned.npy
cmp expected.npy tuned.npy

if [ "$cpp" ]; then
    "$cpp" model.h5 "$rows" tuned_cpp.h5
    "$inarch" predict tuned_cpp.h5 --data "$rows" -o tuned_cpp.npy
    cmp expected.npy tuned_cpp.npy
fi

said=$("$features" model.h5 "$rows" dense)
"$inarch" features model.h5 --layer dense --data "$rows" --part train >features.csv
expected=$(awk -F, 'NR > 1 {for (i = 1; i <= NF; i++) sum += $i}
    END {printf "%d rows of %d features, mean %.6f", NR - 1, NF, sum / (NR - 1) / NF}' features.csv)
[ "$said" = "$expected" ] || fail "features says '$said', the command '$expected'"
if "$features" model.h5 "$rows" nothing 2>complaint; then
    fail "features found a layer that is not there"
fi
grep -q "no layer 'nothing'" complaint
