# The whole loop on one small table: train, tune, eval, predict, features.
source_model
table 48 2 5 >two.csv
table 40 2 7 >held.csv
t inarch train --arch "input:4,dense:8:relu,dense:6:tanh,dense:3:softmax" --data three.csv --labels kind \
    -o again.h5 --epochs 3 --seed 0 --threads 1
same source.h5 again.h5
t inarch tune source.h5 --data two.csv --labels kind --freeze 2 --head auto --val held.csv \
    --metrics accuracy --epochs 4 --lr 0.05 -o tuned.h5 --log log.jsonl
sed -E 's/"seconds":[0-9.e-]+/"seconds":N/' log.jsonl
t inarch show tuned.h5
t inarch eval tuned.h5 --data held.csv --labels kind
t inarch eval tuned.h5 --data held.csv --labels kind --metrics auc,accuracy --loss mse
head -4 held.csv | cut -d, -f1-4 >unlabelled.csv
t inarch predict tuned.h5 --data unlabelled.csv
# Columns are matched by name, and a table on standard input is as good.
awk -F, -v OFS=, '{ print $4, $3, $2, $1 }' unlabelled.csv >turned.csv
inarch predict tuned.h5 --data - <turned.csv >turned.out
inarch predict tuned.h5 --data unlabelled.csv -o - >straight.out
same turned.out straight.out
t inarch predict tuned.h5 --data held.csv -o p.npy
t inarch predict tuned.h5 --data held.csv -o p.csv
wc -l <p.csv
t inarch features tuned.h5 --layer dense --data unlabelled.csv
t inarch features tuned.h5 --layer dense_1 --data held.csv -o f.npy
wc -c <f.npy
# Frozen weights kept every bit.
inarch features source.h5 --layer dense_1 --data unlabelled.csv >before
inarch features tuned.h5 --layer dense_1 --data unlabelled.csv >after
same before after
# The same call gives the same file, for any number of threads and kernel set.
for setting in INARCH_THREADS=1 INARCH_THREADS=3 INARCH_CPU=$(inarch list cpu | sed -n '1s/ .*//p'); do
    quiet env $setting inarch tune source.h5 --data two.csv --labels kind --freeze 2 --head auto \
        --val held.csv --metrics accuracy --epochs 4 --lr 0.05 -o same.h5
    same tuned.h5 same.h5
done
# --only and --per-class choose rows of --data; every row of --val validates.
inarch tune source.h5 --data three.csv --labels kind --only elm,oak --per-class 5 --head auto --val held.csv \
    --dry-run | grep ^rows
# A call from a file; of an option that is given twice the later one holds.
printf '%s\n' tune source.h5 --data two.csv --labels kind --head auto -o args.h5 --epochs 9 >call
t inarch --args call --epochs 2
# Another seed, other fresh weights.
quiet inarch tune source.h5 --data two.csv --labels kind --freeze 2 --head auto --seed 1 --val held.csv \
    --metrics accuracy --epochs 4 --lr 0.05 -o other.h5
same tuned.h5 other.h5
# Going on without surgery: the file's optimizer, with its moments.
t inarch tune tuned.h5 --data two.csv --labels kind -o on.h5 --quiet
# Early stopping tells what was kept.
t inarch tune source.h5 --data two.csv --labels kind --head auto --val held.csv --epochs 60 \
    --early-stopping --patience 2 --lr 0.5 -o early.h5 --quiet
