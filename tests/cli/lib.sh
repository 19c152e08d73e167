# Sourced by run.sh: what cases are written with.

# t COMMAND...: prints the command, runs it, prints what it said and its status.
t() {
    echo "\$ $*" | sed "s|$FIXTURES|FIXTURES|g"
    "$@" >../stdout 2>../stderr
    status=$?
    cat ../stdout
    sed 's/^/! /' ../stderr
    [ $status = 0 ] || echo "= $status"
}

# quiet COMMAND...: for what only prepares a test; tells when it fails.
quiet() {
    "$@" >../stdout 2>../stderr || {
        echo "failed: $*"
        cat ../stdout ../stderr
    }
}

# Seconds, sizes of files and of memory, and the folder of the fixtures.
normalise() {
    sed -E -e "s|$FIXTURES|FIXTURES|g" \
        -e 's/[0-9.]+ seconds$/N seconds/' \
        -e 's/  [0-9.]+ (ms|s)$/  N s/' \
        -e 's/ written \([0-9.]+ [kMG]?(B|bytes)\)/ written (SIZE)/' \
        -e 's/^(! )?memory( +)[0-9.]+ [kMG]?(B|bytes)$/\1memory\2SIZE/' \
        -e 's/this machine has .*/this machine has .../' \
        -e 's/"seconds":[0-9.e-]+/"seconds":N/g' \
        -e 's/"bytes":[0-9]+/"bytes":N/g' \
        -e 's/"memory_bytes":[0-9]+/"memory_bytes":N/g'
}

# table ROWS CLASSES [SEED]: a CSV of four columns and a label that follows from the first two.
table() {
    awk -v rows="$1" -v classes="$2" -v seed="${3:-1}" 'BEGIN {
        print "length,width,height,weight,kind"
        split("oak,elm,ash", name, ",")
        for (r = 0; r < rows; r++) {
            for (c = 0; c < 4; c++) {
                seed = (seed * 16807) % 2147483647
                v[c] = int(seed / 2147483647 * 2000 - 1000) / 1000
                printf "%.3f,", v[c]
            }
            k = v[0] + v[1] > 0 ? 1 : 0
            if (classes > 2 && v[2] > 0.3)
                k = 2
            print name[k + 1]
        }
    }'
}

# A small source model of three classes, source.h5, from table 96 3.
source_model() {
    table 96 3 >three.csv
    quiet inarch train --arch "input:4,dense:8:relu,dense:6:tanh,dense:3:softmax" \
        --data three.csv --labels kind -o source.h5 --epochs 3
}

# there FILE...: which of them exist.
there() {
    for file in "$@"; do
        if [ -e "$file" ]; then echo "$file is there"; else echo "no $file"; fi
    done
}

# same A B: whether two files hold the same bytes.
same() {
    if cmp -s "$1" "$2"; then echo "$1 and $2 are the same"; else echo "$1 and $2 differ"; fi
}

# left: everything in the folder that a failed run might have left behind.
left() {
    ls -A | grep '^\.' || echo "nothing left behind"
}

# json COMMAND...: runs it, checks that it printed one JSON object, prints that on several lines.
json() {
    echo "\$ $*" | sed "s|$FIXTURES|FIXTURES|g"
    "$@" >../stdout 2>../stderr
    status=$?
    if ! command -v python3 >/dev/null; then
        cat ../stdout
    elif [ "$(wc -l <../stdout)" != 1 ] || ! python3 -m json.tool ../stdout >/dev/null; then
        echo "not one line of JSON:"
        cat ../stdout
    else
        cat ../stdout
    fi
    sed 's/^/! /' ../stderr
    [ $status = 0 ] || echo "= $status"
}
