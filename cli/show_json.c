/* `show --json`: the same facts as members of one object. */
#include "show.h"

#include "cli.h"

static void put_shape(json_out *j, const char *key, const inarch_shape *s)
{
    if (s->rank < 0 || s->rank > 8) {
        json_null(j, key);
        return;
    }
    json_array(j, key);
    for (int i = 0; i < s->rank; i++) {
        if (s->dim[i] < 0)
            json_null(j, NULL);
        else
            json_count(j, NULL, (uint64_t)s->dim[i]);
    }
    json_array_end(j);
}

static void put_layer(json_out *j, const inarch_layer *l)
{
    json_object(j, NULL);
    json_string(j, "path", l->path);
    json_string(j, "class", l->class_name);
    json_string(j, "settings", l->settings);
    json_count(j, "depth", l->depth);
    json_bool(j, "counted", l->counted != 0);
    put_shape(j, "output", &l->output);
    json_string(j, "inputs", l->inputs);
    json_count(j, "calls", l->calls);
    json_count(j, "parameters", l->parameters);
    json_count(j, "weights", l->weights);
    json_bool(j, "trainable", l->trainable != 0);
    json_bool(j, "live", l->live != 0);
    json_bool(j, "computable", l->computable != 0);
    json_float(j, "learning_rate", l->learning_rate);
    json_object_end(j);
}

static inarch_status put_layers(json_out *j, const inarch_model *m, size_t n, inarch_error *err)
{
    inarch_layer l = {.size = sizeof l};
    json_array(j, "layers");
    for (size_t i = 0; i < n; i++) {
        CLI_TRY(inarch_model_layer(m, i, &l, err));
        put_layer(j, &l);
    }
    json_array_end(j);
    return INARCH_OK;
}

static inarch_status put_weights(json_out *j, const inarch_model *m, size_t n, inarch_error *err)
{
    inarch_weight w = {.size = sizeof w};
    json_array(j, "weights");
    for (size_t i = 0; i < n; i++) {
        CLI_TRY(inarch_weight_at(m, i, &w, err));
        json_object(j, NULL);
        json_string(j, "path", w.path);
        put_shape(j, "shape", &w.shape);
        json_bool(j, "trainable", w.trainable != 0);
        json_count(j, "step", w.step);
        json_object_end(j);
    }
    json_array_end(j);
    return INARCH_OK;
}

static inarch_status put_ports(json_out *j, const inarch_model *m, const char *key,
                               int32_t direction, size_t n, inarch_error *err)
{
    inarch_port p = {.size = sizeof p};
    json_array(j, key);
    for (size_t i = 0; i < n; i++) {
        CLI_TRY(inarch_model_port(m, direction, i, &p, err));
        json_object(j, NULL);
        json_string(j, "name", p.name);
        put_shape(j, "shape", &p.shape);
        if (direction == INARCH_OUTPUT)
            json_string(j, "activation", p.activation);
        json_object_end(j);
    }
    json_array_end(j);
    return INARCH_OK;
}

static void put_names(json_out *j, const inarch_model *m, const char *key, size_t n)
{
    json_array(j, key);
    for (size_t i = 0; i < n; i++)
        json_string(j, NULL, inarch_name_at(m, key, i));
    json_array_end(j);
}

inarch_status show_json(const inarch_model *m, const char *path, json_out *j, inarch_error *err)
{
    inarch_info info = {.size = sizeof info};
    CLI_TRY(inarch_model_info(m, &info, err));
    json_object(j, NULL);
    json_string(j, "file", path);
    json_string(j, "name", info.name);
    json_string(j, "kind", info.kind);
    json_string(j, "keras_version", info.keras_version);
    json_count(j, "parameters", info.parameters);
    json_count(j, "trainable_parameters", info.trainable_parameters);
    json_bool(j, "computable", info.computable != 0);
    json_string(j, "loss", *info.loss ? info.loss : NULL);
    json_string(j, "metrics", *info.metrics ? info.metrics : NULL);
    json_string(j, "optimizer", *info.optimizer ? info.optimizer : NULL);
    json_count(j, "step", info.step);
    CLI_TRY(put_ports(j, m, "inputs", INARCH_INPUT, info.inputs, err));
    CLI_TRY(put_ports(j, m, "outputs", INARCH_OUTPUT, info.outputs, err));
    put_names(j, m, "classes", info.classes);
    put_names(j, m, "columns", info.columns);
    CLI_TRY(put_layers(j, m, info.all_layers, err));
    CLI_TRY(put_weights(j, m, info.weights, err));
    json_object_end(j);
    return INARCH_OK;
}
