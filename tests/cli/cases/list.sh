# list: kinds, rows, and nothing that is not there.
t inarch list
t inarch list kinds
t inarch list formats
for kind in layers losses metrics optimizers schedules initializers activations formats cpu; do
    inarch list $kind >../rows || echo "no list of $kind"
    [ -s ../rows ] || echo "nothing in $kind"
done
inarch list layers | grep -E '^(dense|dropout) ' | awk '{ print $1 }'
inarch list losses | grep -c '^binary_crossentropy '
inarch list cpu | sed 1q | awk '{ print $1 }'
inarch list optimizers --json >../rows
! command -v python3 >/dev/null || python3 -c '
import json
rows = json.load(open("../rows"))["result"]
assert {"adam", "sgd"} <= {r["name"] for r in rows} and all(set(r) == {"name", "help"} for r in rows)'
# The settings of one, in the order in which a SPEC takes them; every row of every kind has a list.
t inarch list layers dense
t inarch list schedules cosine
t inarch list losses huber
t inarch list constraints min_max_norm
t inarch list activations relu
t inarch list layers flatten --json
for kind in layers losses metrics optimizers schedules initializers regularizers constraints activations; do
    for name in $(inarch list $kind | awk '{ print $1 }'); do
        inarch list $kind "$name" >../rows || echo "no settings of $kind $name"
    done
done
t inarch list layers dnse
t inarch list layer dense
t inarch list formats onnx
