#!/bin/sh
# The whole loop on real images: what 60 labels are worth from scratch, on frozen features, and grafted.
#
#   sh tools/demo.sh                          pullover against shirt, with a model that never saw them
#   sh tools/demo.sh MODEL DATA [LABELS]      your model, your rows (LABELS: column or file of labels);
#                                             the last fifth of them is kept for the scores: accuracy,
#                                             or where labels are numbers mean squared error
set -eu
here=$PWD
cd "$(dirname "$0")/.."
. tools/setup.sh
install gcc cmake make pkg-config libjansson-dev zlib1g-dev
[ $# -gt 0 ] || install dataset-fashion-mnist
run cmake -B build-demo -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF
run cmake --build build-demo --parallel "$(nproc)" --target inarch
inarch=build-demo/inarch
out=build-demo/demo
mkdir -p $out

# rows COMMAND... and held_out COMMAND... run it on the rows to train on, and on those for the scores.
if [ $# -eq 0 ]; then
    images=/usr/share/datasets/fashion-mnist
    model=examples/models/fashion8.h5
    split=
    # The first 30 training images of each class; scores on all 2,000 test images of the two.
    rows() {
        "$@" --data $images/train-images-idx3-ubyte.gz --labels $images/train-labels-idx1-ubyte.gz \
            --only 2,6 --per-class 30
    }
    held_out() {
        "$@" --data $images/t10k-images-idx3-ubyte.gz --labels $images/t10k-labels-idx1-ubyte.gz \
            --only 2,6
    }
    say "source: $model knows eight kinds of clothes, but neither pullover nor shirt"
else
    [ $# -ge 2 ] || { say "usage: demo.sh [MODEL DATA [LABELS]]" >&2; exit 2; }
    absolute() { case $1 in /*) echo "$1" ;; *) echo "$here/$1" ;; esac; }
    model=$(absolute "$1")
    data=$(absolute "$2")
    labels=${3:-}
    [ ! -f "$here/$labels" ] || labels=$here/$labels
    split=0.2
    rows() { "$@" --data "$data" ${labels:+--labels "$labels"} --val-split $split; }
fi

# A new head for the classes of the data, or for a number where there are none.
head="--head auto"
measure=accuracy
if [ "$split" ] && ! rows $inarch tune "$model" $head --dry-run >/dev/null 2>$out/why; then
    head="--pop 1 --add dense:1 --metrics mse"
    measure=mse
    rows $inarch tune "$model" $head --dry-run >/dev/null 2>&1 || { cat $out/why >&2; exit 1; }
fi

# score FILE: the measure on the held-out rows. seconds FILE: what tune said it took.
score() {
    if [ "$split" ]; then
        awk '/^result:/ {for (i = 1; i < NF; i++) if ($i ~ /^val_.*(accuracy|mse)$/) print $(i + 1)}' "$1.log"
    else
        held_out $inarch eval "$1" >"$1.scores" && awk '/accuracy/ {print $2}' "$1.scores"
    fi
}
seconds() { sed -n 's/.* written .*, \(.*\) seconds*$/\1/p' "$1.log"; }

# try NAME OPTIONS...: trains, scores, and adds a line to the table.
table=
try() {
    name=$1 file=$out/$2.h5
    shift 2
    set -- $inarch tune "$model" $head "$@" --quiet -o "$file"
    rows say + "$@"
    rows "$@" >"$file.log" || { cat "$file.log" >&2; exit 1; }
    result=$(score "$file")
    took=$(seconds "$file")
    [ "$result" ] && [ "$took" ] || { say "no $measure or no time for $file" >&2; exit 1; }
    line=$(printf '%-34s %8s %8s  %s' "$name" "$result" "$took" "$file")
    table="$table$line
"
}
try "from scratch, same architecture" scratch --reset all --epochs 100
try "probe on frozen features" probe --freeze all --epochs 100 --learning-rate 0.01
try "grafted and fine-tuned" tuned --epochs 100

printf "\n%-34s %8s %8s  %s\n%s" training $measure seconds file "$table"
