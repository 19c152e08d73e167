# Help, and what is wrong before any work begins.
t inarch
t inarch help
t inarch --version
t inarch help nothing
t inarch tun
t inarch --jsn
t inarch --json show m.h5
t inarch show
t inarch show a b
inarch list --help extra | head -1
# Every command has help, and every option of the library's is in it under its own name.
for command in show train tune eval predict features list; do
    inarch help $command >../help || echo "no help for $command"
    head -1 ../help
    awk 'length($0) > 80 { print "too wide: " $0 }' ../help
done
inarch help tune | grep -E '^  (--epochs|--lr|--l2-sp|--no-shuffle|-o, --output|-h, --help|--labels) '
t inarch tune m.h5 --epoch 3
t inarch tune m.h5 --val_spilt=0.1
t inarch tune m.h5 --learning_rate
t inarch tune m.h5 --data
t inarch tune m.h5 --data --json
t inarch tune m.h5 --data -o m2.h5
t inarch train extra --data d.csv
t inarch tune m.h5 --quiet=1
t inarch tune m.h5 -x
t inarch tune m.h5 -lr 0.1
t inarch tune m.h5 -jsno
t inarch tune m.h5 --nothing-like-it
t inarch tune m.h5
t inarch tune m.h5 --data d.csv
t inarch train --data d.csv -o m.h5
t inarch features m.h5 --data d.csv
t inarch eval m.h5
t inarch tune m.h5 --data d.csv -o m2.h5 --epochs three
t inarch tune m.h5 --data d.csv -o m2.h5 --epochs 0
t inarch tune m.h5 --data d.csv -o m2.h5 --lr -1
t inarch tune m.h5 --data d.csv -o m2.h5 --cut a --pop 1
t inarch tune m.h5 --data d.csv -o m2.h5 --pop x
t inarch tune m.h5 --data d.csv -o m2.h5 --head 0
t inarch tune m.h5 --data d.csv -o m2.h5 --head many
t inarch tune m.h5 --data d.csv -o m2.h5 --val e.csv --val-split 0.1
t inarch tune m.h5 --data d.csv -o -
t inarch tune m.h5 --data d.csv -o ""
t inarch predict m.h5 --data d.csv --json -o -
t inarch list nonsense
t inarch list loses
# A word behind -- is one even if it begins with a dash; - alone is a word.
t inarch show -- --epoch
t inarch show -
# Arguments from a file.
printf 'show\n\n%s\r\n' "$FIXTURES/keras/files/k3_no_input.h5" >arguments
t inarch --args arguments
printf -- '--epochs\nnone\n' >arguments
t inarch tune m.h5 --args=arguments --data d.csv -o m2.h5
t inarch tune m.h5 --args nowhere
printf -- '--args\nother\n' >arguments
t inarch tune m.h5 --args arguments
t inarch tune m.h5 --args
# Settings from the environment are judged like options.
t env INARCH_THREADS=many inarch tune m.h5 --data d.csv -o m2.h5
t env INARCH_THREADS=many inarch tune m.h5 --data d.csv -o m2.h5 --threads 2
# What is wrong whatever model and data say is wrong usage, by the name that was typed.
for wrong in "--loss foo" "--loss huber(x)" "--optimizer adm" "--schedule cos" "--metrics acuracy" "--cpu foo" \
    "--part foo" "--val-split 1" "--lr 1e9" "--mode up" "--frozen-dropout x" "--loss-weights a" \
    "--class-weight oak=a" "--format zip"; do
    t inarch tune m.h5 --data d.csv -o m2.h5 $wrong
done 2>&1 | sed 's/avx.*/.../'
t inarch train --data d.csv -o m.h5 --arch input:3,dens:3
# Options that say nothing without another.
for alone in "--patience 3" "--monitor loss" "--mode min" "--min-delta 0.1" "--val-labels y" "--val-weights w"; do
    t inarch tune m.h5 --data d.csv -o m2.h5 $alone
done
# Words that people try.
t inarch -V
t inarch version
t inarch evaluate
t inarch --quiet show -
inarch help layers dense | sed 4q
