#!/bin/sh
# Every command of the documents works: each ```sh block is run, in a folder that has the files it names;
# the README's C is a program that compiles.
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

# blocks LANGUAGE DOCUMENT
blocks() {
    awk -v fence="\`\`\`$1" '$0 == fence {on = 1; next} /^```/ {on = 0} on' "$2"
}

for document in "$source/README.md" "$source"/docs/*.md; do
    blocks sh "$document" >commands.sh
    [ -s commands.sh ] || continue
    echo "== $(basename "$document")"
    sh -eux commands.sh
done
for file in tuned.h5 answers.csv features.npy scratch.h5; do
    [ -s $file ] || { echo "the README's commands did not make $file"; exit 1; }
done

echo "== C"
blocks c "$source/README.md" | grep -v '^#include' >block.c
grep -q inarch_fit block.c
{
    echo '#include <inarch.h>'
    echo 'int fail(const inarch_error *err);'
    echo 'int loop(void);'
    echo 'int loop(void) {'
    cat block.c
    echo 'return 0; }'
} >readme.c
${CC:-cc} -std=c11 -Wall -Wextra -Werror -fsyntax-only -I"$source/include" readme.c
