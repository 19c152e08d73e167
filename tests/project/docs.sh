#!/bin/sh
# Every command of the documents works: each ```sh block is run, in a folder that has the files it names.
set -eu
inarch=$1 source=$2
rm -rf docs && mkdir docs && cd docs
PATH=$(dirname "$inarch"):$PATH
export PATH

# Three kinds of rows; a model for other rows of the same columns.
rows() {
    awk -v seed="$1" -v n="$2" 'BEGIN {
        srand(seed)
        print "length,width,height,weight,kind"
        for (i = 0; i < n; i++) {
            k = i % 3
            printf "%.3f,%.3f,%.3f,%.3f,%s\n", 2 * k + rand(), k - rand(), rand() * (k + 1), rand(),
                substr("oakelmash", 3 * k + 1, 3)
        }
    }'
}
rows 1 90 >rows.csv
rows 2 60 >more.csv
rows 3 12 | cut -d, -f1-4 >new.csv
inarch train --arch input:4,dense:12:relu,dense:12:relu,dense:8:relu,dense:3:softmax \
    --data more.csv --labels kind --epochs 3 --quiet -o model.h5 >/dev/null

for document in "$source/README.md" "$source"/docs/*.md; do
    awk '/^```sh$/ {on = 1; next} /^```/ {on = 0} on' "$document" >commands.sh
    [ -s commands.sh ] || continue
    echo "== $(basename "$document")"
    sh -eux commands.sh
done
