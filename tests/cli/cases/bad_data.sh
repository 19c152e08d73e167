# Data that cannot be used: the reason, exit status 1, nothing written.
source_model
go() {
    t inarch tune source.h5 --quiet -o out.h5 "$@"
}
go --data nowhere.csv --labels kind
: >empty.csv
go --data empty.csv --labels kind
head -1 three.csv >head.csv
go --data head.csv --labels kind
go --data three.csv --labels sort
go --data three.csv
go --data three.csv --labels kind --drop colour
go --data three.csv --labels kind --weights kg
head -c 300 "$FIXTURES/containers/types.npz" >cut.npz
go --data cut.npz
go --data "$FIXTURES/keras/files/k3_sequential.h5"
go --data .
sed '5s/^[^,]*,/,/' three.csv >missing.csv
go --data missing.csv --labels kind
sed '5s/^[^,]*,/tall,/' three.csv >word.csv
go --data word.csv --labels kind
sed '5s/^[^,]*,/nan,/' three.csv >nan.csv
go --data nan.csv --labels kind
sed '5s/^[^,]*,/inf,/' three.csv >inf.csv
go --data inf.csv --labels kind
grep -E 'kind|oak' three.csv >one.csv
go --data one.csv --labels kind
cut -d, -f2-5 three.csv >narrow.csv
go --data narrow.csv --labels kind
sed 's/ash$/yew/' three.csv >other.csv
go --data other.csv --labels kind
table 48 2 5 >two.csv
go --data two.csv --labels kind --loss mse
go --data three.csv --labels kind --val-split 0.999
go --data three.csv --labels kind --val-split 1
go --data three.csv --labels kind --val nowhere.csv
go --data three.csv --labels kind --loss binary_crossentropi
go --data three.csv --labels kind --metrics acuracy
go --data three.csv --labels kind --optimizer adamm
go --data three.csv --labels kind --optimizer 'adam(beta=2)'
go --data three.csv --labels kind --schedule cosinus
go --data three.csv --labels kind --class-weight heavy
go --data three.csv --labels kind --monitor acuracy --early-stopping
go --data three.csv --labels kind --monitor los --early-stopping
go --data three.csv --labels kind --monitor val_loss --early-stopping
go --data three.csv --labels kind --cpu z80
go --data three.csv --labels kind --threads 99
there out.h5
left
# Columns of other names are refused by name, at predicting too.
quiet inarch tune source.h5 --data three.csv --labels kind -o out.h5
sed '1s/width/breadth/' three.csv >renamed.csv
t inarch predict out.h5 --data renamed.csv
t inarch eval out.h5 --data other.csv --labels kind
t inarch eval out.h5 --data three.csv
# A run that diverges stops, and the old file stays.
cp out.h5 before.h5
t inarch tune source.h5 --data three.csv --labels kind --optimizer sgd --lr 1e5 --epochs 9 --loss mse \
    --add dense:3 -o out.h5 --quiet
same out.h5 before.h5
# Numbers that an embedding has no row for.
printf 'a,b,y\n0,4,1\n1,3,0\n-1,2,1\n' >rows.csv
sed 's/^1,3/1,5/' rows.csv >outside.csv
quiet inarch train --arch input:2,embedding:5:3,flatten,dense:1:sigmoid --data rows.csv --labels y -o words.h5
quiet inarch predict words.h5 --data rows.csv
t inarch predict words.h5 --data outside.csv
t inarch tune words.h5 --data outside.csv --labels y -o out.h5
t inarch tune words.h5 --data outside.csv --labels y --freeze all -o out.h5 --unfreeze dense
