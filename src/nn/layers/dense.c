/* Dense: y = activation(x w + b) over the last axis; leading axes of a row are further rows. */
#include "nn/layers/common.h"

#include "kernels/bf16.h"

#include <stddef.h>

typedef struct dense_config {
    int64_t units;
    ia_activation activation;
    int use_bias;
    ia_initializer kernel_initializer, bias_initializer;
    ia_regularizer kernel_regularizer, bias_regularizer, activity_regularizer;
    ia_constraint kernel_constraint, bias_constraint;
} dense_config;

#define AT(member) .offset = offsetof(dense_config, member)
static const ia_field dense_fields[] = {
    {.key = "units",
     .aliases = "output_dim|nb_output",
     .type = IA_FIELD_INT,
     AT(units),
     .min = 1,
     .max = IA_DIM_MAX,
     .help = "outputs, 1 or more"},
    {.key = "activation",
     .type = IA_FIELD_ACTIVATION,
     AT(activation),
     .fallback = "linear",
     .help = "a name such as relu"},
    {.key = "use_bias",
     .aliases = "bias",
     .type = IA_FIELD_BOOL,
     AT(use_bias),
     .fallback = "true",
     .help = "add a vector"},
    {.key = "kernel_initializer",
     .aliases = "init",
     .type = IA_FIELD_INITIALIZER,
     AT(kernel_initializer),
     .fallback = "glorot_uniform",
     .help = "first weights"},
    {.key = "bias_initializer",
     .type = IA_FIELD_INITIALIZER,
     AT(bias_initializer),
     .fallback = "zeros",
     .help = "first biases"},
    {.key = "kernel_regularizer",
     .aliases = "W_regularizer",
     .type = IA_FIELD_REGULARIZER,
     AT(kernel_regularizer),
     .fallback = "none",
     .help = "penalty on the weights, such as l2(0.01)"},
    {.key = "bias_regularizer",
     .aliases = "b_regularizer",
     .type = IA_FIELD_REGULARIZER,
     AT(bias_regularizer),
     .fallback = "none",
     .help = "penalty on the biases"},
    {.key = "activity_regularizer",
     .type = IA_FIELD_REGULARIZER,
     AT(activity_regularizer),
     .fallback = "none",
     .help = "penalty on the outputs"},
    {.key = "kernel_constraint",
     .aliases = "W_constraint",
     .type = IA_FIELD_CONSTRAINT,
     AT(kernel_constraint),
     .fallback = "none",
     .help = "projection, such as max_norm(2)"},
    {.key = "bias_constraint",
     .aliases = "b_constraint",
     .type = IA_FIELD_CONSTRAINT,
     AT(bias_constraint),
     .fallback = "none",
     .help = "projection of the biases"},
};

static inarch_status dense_check(const ia_layer *l, inarch_error *err)
{
    const dense_config *c = l->config;
    if (c->units >= 1)
        return INARCH_OK;
    return ia_layer_fail(l, INARCH_BAD_ARGUMENT, err, "for example dense:128:relu",
                         "needs its number of units");
}

/* LoRA and quantised kernels are further variables that the sums below know nothing of. */
static inarch_status dense_from_json(ia_layer *l, const json_t *config, int generation,
                                     inarch_error *err)
{
    (void)generation;
    IA_TRY(ia_refuse_key(l, config, "lora_rank", err));
    return ia_refuse_key(l, config, "quantization_mode", err);
}

static inarch_status dense_build(ia_layer *l, const ia_shape *in, size_t in_count,
                                 inarch_error *err)
{
    const dense_config *c = l->config;
    (void)in_count;
    IA_TRY(dense_check(l, err));
    if (in->rank < 1 || in->dim[in->rank - 1] < 0) {
        char text[96];
        return ia_layer_fail(l, INARCH_BAD_DATA, err, "give the input a fixed shape",
                             "needs a known number of inputs, but gets rows of shape %s",
                             ia_shape_text(in, text, sizeof text));
    }
    int64_t kernel[2] = {in->dim[in->rank - 1], c->units};
    ia_shape shape = ia_shape_of(2, kernel), bias = ia_shape_1(c->units);
    IA_TRY(ia_layer_add_variable(l, "kernel", &shape, true, &c->kernel_initializer,
                                 &c->kernel_regularizer, &c->kernel_constraint, err));
    if (!c->use_bias)
        return INARCH_OK;
    return ia_layer_add_variable(l, "bias", &bias, true, &c->bias_initializer, &c->bias_regularizer,
                                 &c->bias_constraint, err);
}

static inarch_status dense_shape(const ia_layer *l, const ia_shape *in, size_t in_count,
                                 ia_shape *out, inarch_error *err)
{
    const dense_config *c = l->config;
    (void)in_count;
    int64_t inputs = l->variable_count ? l->variables[0].value.shape.dim[0] : -1;
    if (in->rank < 1 || (inputs >= 0 && in->dim[in->rank - 1] != inputs)) {
        char text[96];
        return ia_layer_fail(l, INARCH_BAD_DATA, err, "",
                             "needs %lld inputs, but gets rows of shape %s", (long long)inputs,
                             ia_shape_text(in, text, sizeof text));
    }
    *out = *in;
    out->dim[out->rank - 1] = c->units;
    return INARCH_OK;
}

static size_t dense_outputs(const ia_layer *l, const ia_shape *in, size_t rows)
{
    const dense_config *c = l->config;
    size_t n = rows * (size_t)c->units;
    for (int i = 0; i < in->rank - 1; i++)
        n *= (size_t)in->dim[i];
    return n;
}

/* z, where the activation's derivative cannot do with y */
static size_t dense_saved(const ia_layer *l, const ia_shape *in, size_t in_count, size_t rows)
{
    const dense_config *c = l->config;
    (void)in_count;
    return c->activation.cls && c->activation.cls->needs_z ? dense_outputs(l, in, rows) : 0;
}

/* dz */
static size_t dense_temp(const ia_layer *l, const ia_shape *in, size_t in_count, size_t rows)
{
    const dense_config *c = l->config;
    (void)in_count;
    return ia_is_linear(&c->activation) ? 0 : dense_outputs(l, in, rows);
}

/* What the products in panels need behind dz. */
static size_t dense_panels_temp(const ia_layer *l, const ia_exec *e, const ia_shape *in,
                                size_t rows)
{
    const dense_config *c = l->config;
    size_t units = (size_t)c->units, vectors = dense_outputs(l, in, rows) / units;
    size_t floats, forward = 0, inputs = ia_last_dim(in);
    bool fits = e->bf16 ? ia_bf16_back_size(vectors, inputs, units, &floats) &&
                              ia_bf16_forward_size(vectors, inputs, &forward)
                        : ia_dense_back_size(e, vectors, inputs, units, &floats);
    return !fits ? SIZE_MAX : floats > forward ? floats : forward;
}

static bool dense_activates(const ia_op *op)
{
    const dense_config *c = op->config;
    return !op->no_activation && !ia_is_linear(&c->activation);
}

/* y[r][u] = f(z), z = b[u] + sum_i x[r][i] * w[i][u] */
static void dense_forward(const ia_op *op)
{
    const dense_config *c = op->config;
    ia_dense_forward d = {.rows = ia_vectors(&op->out, op->rows),
                          .in = ia_last_dim(&op->in[0].shape),
                          .units = (size_t)c->units};
    bool activates = dense_activates(op);
    d.x = op->in[0].data;
    d.w = op->weights[0];
    d.b = c->use_bias ? op->weights[1] : NULL;
    d.panels = op->panels && op->panels[0];
    d.relu = activates && ia_activation_is_relu(&c->activation);
    d.y = activates && c->activation.cls->needs_z && op->saved ? op->saved : op->out.data;
    if (d.panels && op->exec->bf16)
        ia_bf16_forward_run(op->exec, &d, op->temp);
    else
        ia_dense_forward_run(op->exec, &d);
    if (activates && !d.relu)
        ia_activate(op->exec, &c->activation, d.rows, d.units, d.y, op->out.data);
}

/* dz = dy * f'(z); dx = dz w^T, dw = x^T dz, db = sum over rows of dz */
static void dense_backward(const ia_op *op)
{
    const dense_config *c = op->config;
    size_t in = ia_last_dim(&op->in[0].shape), units = (size_t)c->units;
    size_t rows = ia_vectors(&op->out, op->rows);
    bool activates = dense_activates(op), panels = op->panels && op->panels[0];
    bool fuses = panels && activates && !c->activation.cls->along_row;
    float *dz = activates ? op->temp : (float *)(uintptr_t)op->dy; /* read only then */
    float *db = c->use_bias ? op->dw[1] : NULL;
    if (activates && !fuses)
        ia_activate_dz(op->exec, &c->activation, rows, units, op->saved, op->out.data, op->dy, dz);
    if (panels) {
        ia_dense_back d = {.rows = rows, .in = in, .units = units};
        d.x = op->in[0].data;
        d.w = op->weights[0];
        d.activation = fuses ? &c->activation : NULL;
        d.z = op->saved;
        d.y = op->out.data;
        d.dy = op->dy;
        d.dz = dz;
        d.dx = op->dx[0];
        d.dw = op->dw[0];
        d.db = db;
        d.step = op->step[0];
        (op->exec->bf16 ? ia_bf16_back_run : ia_dense_back_run)(
            op->exec, &d, op->temp + (activates ? rows * units : 0));
        return;
    }
    if (op->dx[0])
        ia_dense_dx(op->exec, rows, in, units, dz, op->weights[0], op->dx[0]);
    if (op->dw[0])
        ia_dense_dw(op->exec, rows, in, units, op->in[0].data, dz, op->dw[0]);
    if (db)
        ia_sum_rows(op->exec, rows, units, dz, db);
}

static const ia_activation *dense_activation(const ia_layer *l)
{
    const dense_config *c = l->config;
    return &c->activation;
}

const ia_layer_class ia_layer_dense = {
    .name = "Dense",
    .spec = "dense",
    .help = "every output a weighted sum of all inputs: dense:128:relu",
    .config_size = sizeof(dense_config),
    .fields = dense_fields,
    .field_count = IA_COUNT(dense_fields),
    .min_inputs = 1,
    .max_inputs = 1,
    .check = dense_check,
    .build = dense_build,
    .shape = dense_shape,
    .saved = dense_saved,
    .temp = dense_temp,
    .panels_temp = dense_panels_temp,
    .forward = dense_forward,
    .backward = dense_backward,
    .activation = dense_activation,
    .from_json = dense_from_json,
    .reads = IA_READS_X | IA_READS_Y,
};
