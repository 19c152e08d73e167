# show, on files that Keras wrote, and on files that are no models.
files=$FIXTURES/keras/files
t inarch show "$files/k3_sequential.h5"
t inarch show "$files/k2_shared_ports.h5"
t inarch show "$files/k3_by_name.h5"
t inarch show "$files/k3_frozen_container.h5"
t inarch show "$files/k3_nested.h5"
t inarch show "$files/k2_slashes.h5"
t inarch show "$files/k3_unicode.h5"
t inarch show "$files/k3_unknown_layer.h5"
t inarch show "$files/k2_recurrent.h5"
t inarch show "$files/k2_weights_only.h5"
t inarch show "$files/k3.weights.h5"
t inarch show nowhere.h5
: >empty.h5
t inarch show empty.h5
head -c 3000 "$files/k3_sequential.h5" >cut.h5
t inarch show cut.h5
echo 'not a model' >text.h5
t inarch show text.h5
t inarch show .
# What a model carries besides layers.
source_model
t inarch show source.h5
quiet inarch tune source.h5 --data three.csv --labels kind --freeze 1 --group 'dense_2=0.1' -o grouped.h5
t inarch show grouped.h5
json inarch show "$files/k2_shared_ports.h5" --json
json inarch show nowhere.h5 --json
