# Where results go: never over an input by accident, whole or not at all, checked before the work.
source_model
cp source.h5 safe.h5
cp three.csv labels.csv
tune() {
    t inarch tune source.h5 --data three.csv --labels kind --quiet "$@"
}
tune -o source.h5
tune -o ./source.h5
ln source.h5 hard.h5
tune -o hard.h5
tune -o three.csv
tune -o out.h5 --log source.h5
tune -o out.h5 --log out.h5
tune -o out.h5 --log - --json
# A log that is the output by another name would empty the old file before the new one is there.
echo old >log.h5
tune -o log.h5 --log ./log.h5
cat log.h5
# A checkpoint is judged as an output, before the work, and never advised to be removed when it is an input.
tune -o out.h5 --checkpoint source.h5
tune -o out.h5 --checkpoint three.csv
tune -o out.h5 --checkpoint out.h5
tune -o out.h5 --checkpoint nowhere/run.ck
tune -o checked.h5 --checkpoint run.ck
tune -o checked.h5 --checkpoint run.ck
t inarch predict source.h5 --data three.csv -o three.csv
same source.h5 safe.h5
same three.csv labels.csv
tune -o nowhere/out.h5
tune -o three.csv/out.h5
tune -o .
tune -o out.xyz
tune -o out.keras
tune -o out.xyz --format keras4
tune -o out.h5 --log nowhere/log
t inarch predict source.h5 --data three.csv -o nowhere/p.npy
t inarch predict source.h5 --data three.csv -o p.xyz
there out.h5 out.xyz p.xyz
# --force does it, in one step: the name is the new file's, a hard link keeps the old one.
tune -o source.h5 --force
same hard.h5 safe.h5
same source.h5 safe.h5
# An old file is replaced and keeps its permissions.
echo old >out.h5
chmod 640 out.h5
tune -o out.h5
ls -l out.h5 | cut -c1-10
inarch show out.h5 | head -1
left
# A disk that is full.
if [ -w /dev/full ]; then
    ln -s /dev/full full.h5
    tune -o full.h5
    tune -o out2.h5 --log /dev/full --epochs 50 # the first line that is not written ends it
    there out2.h5
    t inarch predict source.h5 --data three.csv -o /dev/full
    inarch predict source.h5 --data three.csv >/dev/full 2>../stderr
    echo "= $?"
    cat ../stderr
    inarch show source.h5 >/dev/full 2>../stderr
    echo "= $?"
    cat ../stderr
else
    cat "$(dirname "$library")/full.txt"
fi
