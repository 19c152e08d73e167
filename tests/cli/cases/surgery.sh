# Every operation of tune, seen in the model that it makes.
source_model
table 48 2 5 >two.csv
tune() {
    echo "\$ tune $*"
    inarch tune source.h5 --data two.csv --labels kind --quiet -o out.h5 "$@" >../stdout 2>../stderr
    status=$?
    sed 's/^/! /' ../stderr
    if [ $status = 0 ]; then
        head -1 ../stdout
        inarch show out.h5 | sed -n '/^#/,/^$/p'
    else
        echo "= $status"
    fi
}
tune --head auto
tune --head 2
tune --head 1 --freeze dense_1
tune --cut dense --add dense:5:relu --add dropout:0.5 --add 'dense(units=1,activation=sigmoid,name=top)'
tune --pop 2 --head auto
tune --pop 1 --add dense:1:sigmoid --freeze all --unfreeze dense_1
tune --freeze all --unfreeze dense_1,dense --head auto
tune --freeze 'dense_*' --head auto
tune --freeze dense, --head auto
tune --freeze 2 --freeze none --head auto
tune --insert dense=dropout:0.2 --insert =gaussian_noise:0.1 --head auto
tune --classes elm,oak
tune --head auto --rename dense_1=middle --group middle=0.5
tune --head auto --standardize
# What does not work, each with a reason.
tune --cut dense_9
tune --pop 9
tune --freeze 4
tune --freeze dense_9
tune --freeze all
tune --unfreeze 2
tune --add dens:3
tune --add dense:0
tune --add dense:1000000000000
tune --add dense:3:relv
tune --insert dropout:0.2
tune --attach dense
tune --rename dense
tune --rename dense=dense_1
tune --group dense=fast
tune --group nothing=2
tune
# A further output takes labels of its own; the dry run says what would be.
t inarch tune source.h5 --data two.csv --labels kind --freeze 2 --head auto --dry-run
there ./-o
json inarch tune source.h5 --data two.csv --labels kind --freeze 2 --head auto --dry-run --json
# Several SPECs in one --add, and as Python would write one.
t inarch tune source.h5 --data three.csv --labels kind --pop 1 --add 'dense:4:relu,Dense(3, activation="softmax", name = "top")' \
    --quiet -o several.h5
inarch show several.h5 | grep -E ' (dense_[0-9]|top) '
# Layers joined by commas, written as in Python, and names of classes quoted as in CSV.
t inarch tune source.h5 --data three.csv --labels kind --quiet -o several.h5 --pop 1 \
    --add 'dense:12:relu, Dense( 3, activation = "softmax", kernel_regularizer="l2(0.01)")'
inarch show several.h5 | sed -n '/dense_2/,/dense_3/p'
t inarch tune source.h5 --data three.csv --labels kind -o named.h5 --quiet --classes '"a ""b""","c,d",ash'
# Statistics are not frozen: they follow the data.
inarch tune source.h5 --data three.csv --labels kind --dry-run --insert dense=batchnorm | grep -E '^(frozen|statistics)'
# A layer of a nested model, found by its own name.
nested=$FIXTURES/keras/files/k3_nested.h5
printf "a,b,c,d,e\n1,2,3,4,5\n" >five.csv
t inarch features "$nested" --layer bn --data five.csv
t inarch tune "$nested" --freeze base/d1 --data three.csv -o out.h5
