/* `show --json`: the same facts as members of one object. */
#include "show.h"

#include "cli.h"

static void put_shape(json_out *j, const char *key, const inarch_shape *s)
{
    if (s->rank < 0 || s->rank > 8) {
        jw_null(j, key);
        return;
    }
    jw_array(j, key);
    for (int i = 0; i < s->rank; i++) {
        if (s->dim[i] < 0)
            jw_null(j, NULL);
        else
            jw_count(j, NULL, (uint64_t)s->dim[i]);
    }
    jw_array_end(j);
}

static void put_layer(json_out *j, const inarch_layer *l)
{
    jw_object(j, NULL);
    jw_string(j, "path", l->path);
    jw_string(j, "class", l->class_name);
    jw_string(j, "settings", l->settings);
    jw_count(j, "depth", l->depth);
    jw_bool(j, "counted", l->counted != 0);
    put_shape(j, "output", &l->output);
    jw_string(j, "inputs", l->inputs);
    jw_count(j, "calls", l->calls);
    jw_count(j, "parameters", l->parameters);
    jw_count(j, "weights", l->weights);
    jw_bool(j, "trainable", l->trainable != 0);
    jw_bool(j, "live", l->live != 0);
    jw_bool(j, "computable", l->computable != 0);
    jw_float(j, "learning_rate", l->learning_rate);
    jw_object_end(j);
}

static inarch_status put_layers(json_out *j, const inarch_model *m, size_t n, inarch_error *err)
{
    inarch_layer l = {.size = sizeof l};
    jw_array(j, "layers");
    for (size_t i = 0; i < n; i++) {
        CLI_TRY(inarch_model_layer(m, i, &l, err));
        put_layer(j, &l);
    }
    jw_array_end(j);
    return INARCH_OK;
}

static inarch_status put_weights(json_out *j, const inarch_model *m, size_t n, inarch_error *err)
{
    inarch_weight w = {.size = sizeof w};
    jw_array(j, "weights");
    for (size_t i = 0; i < n; i++) {
        CLI_TRY(inarch_weight_at(m, i, &w, err));
        jw_object(j, NULL);
        jw_string(j, "path", w.path);
        put_shape(j, "shape", &w.shape);
        jw_bool(j, "trainable", w.trainable != 0);
        jw_count(j, "step", w.step);
        jw_object_end(j);
    }
    jw_array_end(j);
    return INARCH_OK;
}

static inarch_status put_ports(json_out *j, const inarch_model *m, const char *key,
                               int32_t direction, size_t n, inarch_error *err)
{
    inarch_port p = {.size = sizeof p};
    jw_array(j, key);
    for (size_t i = 0; i < n; i++) {
        CLI_TRY(inarch_model_port(m, direction, i, &p, err));
        jw_object(j, NULL);
        jw_string(j, "name", p.name);
        put_shape(j, "shape", &p.shape);
        if (direction == INARCH_OUTPUT)
            jw_string(j, "activation", p.activation);
        jw_object_end(j);
    }
    jw_array_end(j);
    return INARCH_OK;
}

static void put_names(json_out *j, const inarch_model *m, const char *key)
{
    const char *name;
    jw_array(j, key);
    for (size_t i = 0; (name = inarch_name_at(m, key, i)); i++)
        jw_string(j, NULL, name);
    jw_array_end(j);
}

inarch_status show_json(const inarch_model *m, const char *path, json_out *j, inarch_error *err)
{
    inarch_info info = {.size = sizeof info};
    CLI_TRY(inarch_model_info(m, &info, err));
    jw_object(j, NULL);
    jw_string(j, "file", path);
    jw_string(j, "name", info.name);
    jw_string(j, "kind", info.kind);
    jw_string(j, "keras_version", info.keras_version);
    jw_count(j, "parameters", info.parameters);
    jw_count(j, "trainable_parameters", info.trainable_parameters);
    jw_bool(j, "computable", info.computable != 0);
    jw_string(j, "loss", *info.loss ? info.loss : NULL);
    jw_string(j, "metrics", *info.metrics ? info.metrics : NULL);
    jw_string(j, "optimizer", *info.optimizer ? info.optimizer : NULL);
    jw_count(j, "step", info.step);
    CLI_TRY(put_ports(j, m, "inputs", INARCH_INPUT, info.inputs, err));
    CLI_TRY(put_ports(j, m, "outputs", INARCH_OUTPUT, info.outputs, err));
    put_names(j, m, "classes");
    put_names(j, m, "columns");
    put_names(j, m, "targets");
    put_names(j, m, "notes");
    CLI_TRY(put_layers(j, m, info.all_layers, err));
    CLI_TRY(put_weights(j, m, info.weights, err));
    jw_object_end(j);
    return INARCH_OK;
}
