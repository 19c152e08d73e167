# An .npz with parts: train and tune take train, eval and predict take test, --part overrides.
parts=$FIXTURES/cli/parts.npz
t inarch train --arch input:3,dense:4:relu,dense:2:softmax --data "$parts" -o m.h5 --quiet
t inarch train --arch input:3,dense:4:relu,dense:2:softmax --data "$parts" --val "$parts" -o v.h5 \
    --epochs 2 --dry-run
t inarch train --arch input:3,dense:4:relu,dense:2:softmax --data "$parts" --schedule 'cosine(warmup=3)' \
    --dry-run
json inarch eval m.h5 --data "$parts" --json
json inarch eval m.h5 --data "$parts" --part train --json
t inarch predict m.h5 --data "$parts"
t inarch predict m.h5 --data "$parts" --part train -o p.npz
t inarch predict m.h5 --data "$parts" --part valid
t inarch predict m.h5 --data "$FIXTURES/cli/plain.npz"
t inarch predict m.h5 --data "$FIXTURES/cli/plain.npz" --part test
t inarch eval m.h5 --data "$FIXTURES/cli/x.npy" --labels "$FIXTURES/cli/y.npy"
t inarch tune m.h5 --data "$FIXTURES/cli/x.npy" --labels "$FIXTURES/cli/y.npy" \
    --val "$FIXTURES/cli/x.npy" --val-labels "$FIXTURES/cli/y.npy" -o n.h5
json inarch predict m.h5 --data "$FIXTURES/cli/plain.npz" --json
json inarch features m.h5 --layer dense --data "$FIXTURES/cli/plain.npz" --json
json inarch features m.h5 --layer dens --data "$FIXTURES/cli/plain.npz" --json
json inarch predict m.h5 --data "$parts" -o p.npy --json
json inarch train --arch input:3,dense:2:softmax --data "$parts" -o j.h5 --json --quiet --epochs 2
json inarch train --arch input:3,dense:0 --data "$parts" -o j.h5 --json
json inarch train --arch input:3,dense:2 --data "$parts" -o j.h5 --json --epochs no
# Two outputs go to an .npz only.
quiet inarch tune m.h5 --data "$FIXTURES/cli/two.npz" --attach dense=dense:1:sigmoid -o two.h5
t inarch show two.h5
t inarch predict two.h5 --data "$FIXTURES/cli/plain.npz"
t inarch predict two.h5 --data "$FIXTURES/cli/plain.npz" -o two_out.npz
json inarch predict two.h5 --data "$FIXTURES/cli/plain.npz" --json
