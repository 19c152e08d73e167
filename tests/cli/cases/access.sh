# Files and folders that may not be written; root may write everything, so there is nothing to see.
source_model
mkdir locked
echo old >read_only.h5
chmod 444 read_only.h5
chmod 555 locked
as_is() {
    "$@"
}
run=as_is
if [ "$(id -u)" = 0 ]; then
    chmod 755 "$folder" "$folder/bin"
    chmod 777 "$folder/work"
    chmod 644 source.h5 three.csv
    run="setpriv --reuid 65534 --regid 65534 --clear-groups"
fi
if $run inarch --version >/dev/null 2>&1; then
    t $run inarch tune source.h5 --data three.csv --labels kind --quiet -o read_only.h5
    t $run inarch tune source.h5 --data three.csv --labels kind --quiet -o locked/out.h5
    t $run inarch predict source.h5 --data three.csv -o locked/p.npy
    chmod 000 source.h5
    t $run inarch show source.h5
fi | sed 's/setpriv --reuid 65534 --regid 65534 --clear-groups/as_is/' >../seen
if [ -s ../seen ]; then
    cat ../seen
else
    echo "skipped: no other user can run the program here" >&3
    sed -n '/^\$ as_is/,/^cat read_only/p' "$case.out" | sed '$d'
fi
echo "cat read_only.h5: $(cat read_only.h5)"
