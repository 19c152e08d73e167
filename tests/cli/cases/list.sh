# list: kinds, rows, and nothing that is not there.
t inarch list
t inarch list kinds
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
