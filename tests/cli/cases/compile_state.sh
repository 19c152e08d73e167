# What a file says of itself and what of it holds: after freezing its loss and metrics, not its
# optimizer; after a new head nothing. Labels by name, and what is assumed without names.
table 96 3 >three.csv
awk -F, 'NR == 1 { print "a,b,y,z" } NR > 1 { print $1 "," $2 "," $3 "," $4 }' three.csv >numbers.csv
quiet inarch train --arch input:2,dense:4:tanh,dense:2 --data numbers.csv --labels y,z \
    --loss 'huber(delta=0.5)' --metrics mae -o huber.h5
first() {
    echo "\$ $*"
    "$@" 2>../stderr | head -2
    sed 's/^/! /' ../stderr
}
first inarch tune huber.h5 --data numbers.csv --labels y,z --dry-run
first inarch tune huber.h5 --data numbers.csv --labels y,z --freeze 1 --dry-run
first inarch tune huber.h5 --data numbers.csv --labels y,z --pop 1 --add dense:2 --dry-run
# The order of label columns is the model's.
t inarch eval huber.h5 --data numbers.csv --labels y,z
t inarch eval huber.h5 --data numbers.csv --labels z,y
inarch predict huber.h5 --data numbers.csv | head -1
# Labels that nobody named.
cut -d, -f1-3 numbers.csv >y.csv
t inarch eval huber.h5 --data y.csv
# Lists by output, and how many there must be.
source_model
t inarch tune huber.h5 --data numbers.csv --labels y,z --loss mae,mse --dry-run
t inarch tune huber.h5 --data numbers.csv --labels y,z --loss-weights 1,2 --dry-run
t inarch tune source.h5 --data three.csv --labels kind --class-weight 1,2 --dry-run
# One name of a metric, fit after fit.
quiet inarch tune source.h5 --data three.csv --labels kind --metrics accuracy -o again.h5
t inarch tune again.h5 --data three.csv --labels kind --val-split 0.2 --early-stopping \
    --monitor val_accuracy --quiet -o again2.h5
json inarch eval again2.h5 --data three.csv --labels kind --json
# Classes: a trained head's numbers, its words, and rows that are sorted.
awk -F, 'NR == 1 { print "a,b,class" } NR > 1 { print $1 "," $2 "," NR % 3 }' three.csv >index.csv
sed 's/,2$/,7/' index.csv >seven.csv
sed -e 's/,0$/,oak/' -e 's/,1$/,elm/' -e 's/,2$/,yew/' index.csv >words.csv
quiet inarch train --arch input:2,dense:4:relu,dense:3:softmax --data index.csv --labels class -o index.h5
t inarch tune index.h5 --data seven.csv --labels class -o out.h5
t inarch eval index.h5 --data seven.csv --labels class
first inarch tune index.h5 --data words.csv --labels class --dry-run
first inarch tune index.h5 --data words.csv --labels class --classes oak,elm,yew --dry-run
(head -1 words.csv && sed 1d words.csv | sort -t, -k3) >sorted.csv
first inarch train --arch input:2,dense:3:softmax --data sorted.csv --labels class --val-split 0.2 --dry-run
# Losses that cannot be.
t inarch train --arch input:2,dense:1:sigmoid --data index.csv --labels class --loss categorical_crossentropy -o out.h5
t inarch train --arch input:2,dense:4:relu --data words.csv --labels class -o out.h5
t inarch train --arch input:2,dense:1 --data words.csv --labels class -o out.h5
there out.h5
# The order of words that a model without names was trained on.
t inarch eval index.h5 --data words.csv --labels class
t inarch eval index.h5 --data words.csv --labels class --classes oak,elm,yew
inarch eval index.h5 --data index.csv --labels class
t inarch eval source.h5 --data three.csv --labels kind --classes a,b,c
inarch predict index.h5 --data index.csv --classes oak,elm,yew | head -1
