/* Weights of a file into a model that is there already. */
#include "formats/keras/keras_h5.h"

#include "formats/keras/keras.h"

#include <assert.h>

/* The group that holds the layers' groups: the root of a weights-only file. */
static const ia_h5_object *replace_group(const ia_h5_object *root)
{
    const ia_h5_object *weights = ia_h5_child(root, "model_weights");
    return weights ? weights : root;
}

static inarch_status replace_bind(const ia_input *in, ia_model *m, inarch_error *err)
{
    ia_h5 *file;
    IA_TRY(ia_h5_open(in, &file, err));
    const ia_h5_object *group = replace_group(ia_h5_root(file));
    inarch_status status = INARCH_OK;
    if (!ia_h5_attr_find(group, "layer_names") && !ia_h5_attr_find(group, "layer_names0"))
        status = ia_fail(err, INARCH_UNSUPPORTED, in->name,
                         "in Keras: model.save_weights('x.h5') or model.save('x.h5')",
                         "'%s' does not hold weights of layers as Keras .h5 files do", in->name);
    if (status == INARCH_OK)
        status = ia_keras_bind_weights(file, group, KERAS_REPLACE, m, err);
    ia_h5_free(file);
    return status;
}

/* Both lists are of equal documents. */
static void replace_move(const ia_keras_variables *from, const ia_keras_variables *to)
{
    assert(from->count == to->count);
    for (size_t i = 0; i < to->count; i++) {
        ia_variable *a = ia_keras_variable_of(&from->items[i]);
        ia_variable *b = ia_keras_variable_of(&to->items[i]);
        ia_array_release(&b->value);
        ia_array_release(&b->loaded);
        ia_slots_clear(&b->slots);
        b->value = ia_array_ref(&a->value);
        b->loaded = ia_array_ref(&a->loaded);
    }
}

/* Into a clone first: an error must leave the model as it was. */
inarch_status ia_keras_load_weights(ia_model *m, const char *path, inarch_error *err)
{
    ia_input in;
    ia_model *clone = NULL;
    ia_keras_variables from = {0}, to = {0};
    IA_TRY(ia_input_open(path, &in, err));
    inarch_status status = ia_model_clone(m, &clone, err);
    if (status == INARCH_OK)
        status = replace_bind(&in, clone, err);
    if (status == INARCH_OK)
        status = ia_keras_model_variables(clone, &from, err);
    if (status == INARCH_OK)
        status = ia_keras_model_variables(m, &to, err);
    if (status == INARCH_OK)
        replace_move(&from, &to);
    ia_keras_variables_free(&from);
    ia_keras_variables_free(&to);
    ia_model_free(clone);
    ia_input_close(&in);
    return status;
}
